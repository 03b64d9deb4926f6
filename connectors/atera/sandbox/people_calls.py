"""Everything under `/customers` and `/contacts`."""

from __future__ import annotations

from connectors.atera.sandbox import people
from connectors.atera.sandbox.call import Call, refuse_method
from connectors.atera.sandbox.wire import body_of, item_id
from connectors.sandbox.messages import Response, empty, json_response


def customers(call: Call) -> Response:
    tenant = call.tenant
    match (call.method, call.words):
        case ("GET", []):
            return call.listing(people.customers)
        case ("POST", []):
            body = body_of(call.request)
            with tenant.store.write() as conn:
                return call.result(people.save_customer(tenant, conn, body), 201)
        case ("GET", [number]):
            with tenant.store.read() as conn:
                return json_response(people.customer_wire(people.customer(conn, item_id(number, "customer"))))
        case ("POST" | "PUT", [number]):
            body = body_of(call.request)
            with tenant.store.write() as conn:
                return call.result(people.save_customer(tenant, conn, body, item_id(number, "customer")))
        case ("DELETE", [number]):
            with tenant.store.write() as conn:
                people.delete_customer(conn, item_id(number, "customer"))
            return empty(204)
    return refuse_method()


def contacts(call: Call) -> Response:
    tenant = call.tenant
    match (call.method, call.words):
        case ("GET", []):
            return call.listing(people.contacts)
        case ("POST", []):
            body = body_of(call.request)
            with tenant.store.write() as conn:
                return call.result(people.save_contact(tenant, conn, body), 201)
        case ("GET", [number]):
            with tenant.store.read() as conn:
                return json_response(people.contact_wire(people.contact(conn, item_id(number, "contact"))))
        case ("POST" | "PUT", [number]):
            body = body_of(call.request)
            with tenant.store.write() as conn:
                return call.result(people.save_contact(tenant, conn, body, item_id(number, "contact")))
        case ("DELETE", [number]):
            with tenant.store.write() as conn:
                people.delete_contact(conn, item_id(number, "contact"))
            return empty(204)
    return refuse_method()
