"""What entities and their fields are, as the API tells it: `entityInformation` and what lies below it."""

from __future__ import annotations

from connectors.autotask.sandbox.binding import UDFS
from connectors.autotask.sandbox.events import watched_fields
from connectors.autotask.sandbox.fields import DATA_TYPES, Entity, Field, Row
from connectors.autotask.sandbox.profiles import Choices, choice
from connectors.autotask.sandbox.tenant import Tenant
from connectors.autotask.sandbox.webhook_entities import WATCHED


def entity_information(entity: Entity) -> Row:
    access = {
        verb: "All" if letter in entity.verbs else "None"
        for verb, letter in (("Create", "C"), ("Delete", "D"), ("Update", "U"))
    }
    return {
        "name": entity.name, "canCreate": "C" in entity.verbs, "canDelete": "D" in entity.verbs, "canQuery": True,
        "canUpdate": "U" in entity.verbs, "userAccessForCreate": access["Create"],
        "userAccessForDelete": access["Delete"], "userAccessForQuery": "All", "userAccessForUpdate": access["Update"],
        "hasUserDefinedFields": entity.has_udfs, "supportsWebhookCallouts": entity.name in WATCHED,
    }  # fmt: skip


def fields(tenant: Tenant, entity: Entity) -> list[Row]:
    lists = tenant.picklists()
    return [_field(tenant, entity, one, lists) for one in entity.fields]


def _field(tenant: Tenant, entity: Entity, one: Field, lists: Choices) -> Row:
    name = f"{entity.name}.{one.name}"
    if one.name == "fieldID" and one.is_picklist:
        names = watched_fields(tenant.entity(WATCHED[entity.name.removesuffix("WebhookField")]))
        lists = {name: [choice(number, label, number, system=True) for number, label in names.items()]}
    return {
        "name": one.name, "dataType": DATA_TYPES[one.kind], "length": one.length, "isRequired": one.is_required,
        "isReadOnly": one.is_read_only, "isQueryable": one.is_queryable, "isReference": bool(one.refers_to),
        "referenceEntityType": one.refers_to, "isPickList": one.is_picklist,
        "picklistValues": lists.get(name, []) if one.is_picklist else None, "picklistParentValueField": one.parent,
        "isSupportedWebhookField": one.is_watched,
    }  # fmt: skip


def user_defined_fields(entity: Entity) -> list[Row]:
    return [
        {
            "name": name, "label": name, "type": kind, "length": 255, "description": "", "isRequired": False,
            "isReadOnly": False, "isQueryable": True, "isReference": False, "referenceEntityType": "",
            "isPickList": False, "picklistValues": None, "picklistParentValueField": "", "defaultValue": "",
            "isSupportedWebhookField": False,
        }
        for name, kind in UDFS.get(entity.name, ())
    ]  # fmt: skip
