"""Clients, sites, contacts and agents of the demo; all names are invented, all addresses end in .example or .test."""

from __future__ import annotations

import random

from connectors.sandbox.dataset import Record

NORTHWIND, KESTREL = 1, 2
CLEO, OTTO, ZOE = 1, 2, 3
CLIENTS = (
    "Northwind Dental", "Kestrel Joinery", "Café Œuvre", "Halden & Pryce Solicitors", "Brightwater Logistics",
    "Orchard Lane Surgery",
    "Tamarind Foods", "Steelpoint Fabrication", "Lumen Architects", "Greyfriars Academy", "Copperfield Insurance",
    "Juniper Vets",
    "Seabright Hotels", "Mistral Cycles", "Oakhaven Care Homes", "Pinnacle Accountancy", "Redwing Couriers",
    "Saffron Print Works",
    "Thornbury Estates", "Umber Ceramics", "Vantage Recruitment", "Willowmere Nurseries", "Yarrow Opticians",
    "Zephyr Marine",
    "Amberley Brewing", "Beacon Housing Trust", "Cobalt Plumbing", "Dovetail Furniture", "Eastgate Pharmacy",
    "Fernhill Golf Club",
    "Granite Bay Construction", "Hollins Textiles", "Ironbridge Tools", "Jasper Media", "Kingsmead Travel",
    "Larkspur Events",
    "Meridian Labs", "Nettlecombe Farm Shop", "Osprey Security", "Paxton Motors",
)  # fmt: skip
MORE_FIRST = ("Alder", "Birch", "Cedar", "Delta", "Elm", "Falcon", "Garnet", "Harbour", "Indigo", "Jubilee", "Kite",
    "Linden",
              "Maple", "Nova", "Onyx", "Poplar", "Quarry", "River", "Summit", "Topaz")  # fmt: skip
MORE_LAST = ("Engineering", "Clinic", "Partners", "Foods", "Transport", "Consulting", "Stores", "Studios", "Energy",
    "Schools",
             "Plastics", "Gardens", "Finance", "Cinemas", "Timber", "Outdoor", "Legal", "Marine")  # fmt: skip
CITIES = ("Ashbourne", "Millhaven", "Port Selby", "Dunmore", "Westerley", "Cranford", "Lindell", "Stonebridge")
STREETS = ("High Street", "Station Road", "Mill Lane", "Harbour Way", "Queen Street", "Orchard Close", "Canal Row")
FIRST = ("Aaron", "Beatriz", "Colin", "Daria", "Ewan", "Fatima", "Gareth", "Helena", "Imran", "Joanna", "Karl",
    "Leonie", "Mateus",
         "Nadia", "Oscar", "Petra", "Quentin", "Rosa", "Stefan", "Tanya", "Ulrich", "Vera", "Wendell", "Xenia", "Yara",
         "Zubair")  # fmt: skip
LAST = ("Abbott", "Bianchi", "Carver", "Dahl", "Ellison", "Farrow", "Gill", "Haddad", "Ivanova", "Jensen", "Kowalski",
    "Lopez",
        "Maddox", "Novak", "Okafor", "Pereira", "Quist", "Rahman", "Sorensen", "Tate", "Underhill", "Varga", "Weston",
        "Yilmaz")  # fmt: skip
AGENTS = (
    ("Dana Whitlock", "dispatcher@demo.test", "Service Desk"), ("Priya Nair", "technician@demo.test", "Service Desk"),
    ("Marcus Oyelaran", "manager@demo.test", "Service Desk"), ("Tomás Rivera", "tomas.rivera@msp.test", "Service Desk"),
    ("Ingrid Solberg", "ingrid.solberg@msp.test", "Service Desk"), ("Kwame Boateng", "kwame.boateng@msp.test", "Field"),
    ("Hannah Fletcher", "hannah.fletcher@msp.test", "Field"), ("Yusuf Demir", "yusuf.demir@msp.test", "Infrastructure"),
    ("Lena Vogt", "lena.vogt@msp.test", "Infrastructure"), ("Callum Reid", "callum.reid@msp.test", "Infrastructure"),
    ("Mei-Lin Chou", "meilin.chou@msp.test", "Projects"), ("Rafael Duarte", "rafael.duarte@msp.test", "Projects"),
)  # fmt: skip
RARELY_ASSIGNED = (1, 3)


def agents() -> list[Record]:
    return [
        {
            "id": number,
            "login": email.split("@")[0],
            "name": name,
            "email": email,
            "team": team,
            "active": True,
            "rate": 80,
        }
        for number, (name, email, team) in enumerate(AGENTS, start=1)
    ]


TIERS = TOP_TIER, *_ = ("Gold", "Silver", "Bronze")
"""What a client has bought. For the top tier time always counts; for the others only while the desk is open."""


def workers() -> dict[str, list[int]]:
    """Agents by team who take tickets; the dispatcher and the manager do so rarely."""
    found: dict[str, list[int]] = {}
    for number, (_, _, team) in enumerate(AGENTS, start=1):
        if number not in RARELY_ASSIGNED:
            found.setdefault(team, []).append(number)
    return found


def clients(dice: random.Random, count: int) -> list[Record]:
    more = (f"{first} {last}" for last in MORE_LAST for first in MORE_FIRST)
    names = [*CLIENTS, *(next(more) for _ in range(max(0, count - len(CLIENTS))))][:count]
    return [
        {"id": number, "name": name, "short": "".join(word[0] for word in name.split())[:4].upper(), "active": True,
         "phone": f"01632 960{number:03d}", "domain": domain_of(name), "tier": dice.choice(TIERS)}
        for number, name in enumerate(names, start=1)
    ]  # fmt: skip


def domain_of(name: str) -> str:
    plain = name.lower().replace("é", "e").replace("œ", "oe")
    return "".join(letter for letter in plain if letter.isalnum() and letter.isascii()) + ".example"


def sites(dice: random.Random, owners: list[Record]) -> list[Record]:
    """One main site each, a second for every other client."""
    found: list[Record] = []
    for client in owners:
        for name in ("Main", "Branch")[: 1 + (client["id"] % 2 == 0)]:
            street = f"{1 + dice.randrange(90)} {dice.choice(STREETS)}"
            city = dice.choice(CITIES)
            found.append(
                {"id": len(found) + 1, "client_id": client["id"], "name": name, "street": street, "city": city}
            )
    return found


def contacts(dice: random.Random, owners: list[Record], places: list[Record]) -> list[Record]:
    """About five people for each client; the first three are the demo's own."""
    by_client: dict[int, list[int]] = {}
    for place in places:
        by_client.setdefault(place["client_id"], []).append(place["id"])
    found: list[Record] = []
    known = (("Cleo Marchetti", "client@demo.test", 1), ("Otto Lindqvist", "otherclient@demo.test", 2),
             ("Zoë Łukasiewicz-Ødegård", "zoe@cafeoeuvre.example", 3))  # fmt: skip
    for name, email, client_id in known[: len(owners)]:
        found.append(_contact(len(found) + 1, client_id, by_client[client_id][0], name, email, vip=client_id == 1))
    for client in owners:
        for _ in range(4 + client["id"] % 3):
            name = f"{dice.choice(FIRST)} {dice.choice(LAST)}"
            number = len(found) + 1
            email = f"{name.lower().replace(' ', '.')}.{number}@{client['domain']}"
            site = dice.choice(by_client[client["id"]])
            found.append(_contact(number, client["id"], site, name, email, vip=dice.random() < 0.06))
    return found


def _contact(number: int, client_id: int, site_id: int, name: str, email: str, *, vip: bool) -> Record:
    phone = f"01632 961{number % 1000:03d}"
    return {
        "id": number,
        "client_id": client_id,
        "site_id": site_id,
        "name": name,
        "email": email,
        "vip": vip,
        "phone": phone,
    }


def contracts(owners: list[Record]) -> list[Record]:
    kinds = ("Managed Services", "Block Hours", "Managed Services Plus")
    return [
        {"id": client["id"], "client_id": client["id"], "name": f"{kinds[client['id'] % 3]} {client['short']}",
        "active": True,
         "starts_on": "2026-01-01", "ends_on": "2027-12-31",
         "block_hours_left": 24.5 if client["id"] % 3 == 1 else None}
        for client in owners
    ]  # fmt: skip
