"""What a fresh tenant holds beside its picklists: its own company, roles, categories, work types, two resources."""

from __future__ import annotations

import sqlite3

from connectors.autotask.sandbox.profiles import (
    ADMINISTRATOR,
    ALERT_CATEGORY,
    API_LICENSE,
    API_RESOURCE,
    FIRST_ROLE,
    STANDARD_CATEGORY,
    TEAMS,
)

API_USER = "api@demo.test"
FIRST_IDS = {
    "at_tickets": 50_000, "at_notes": 30_777_000, "at_time_entries": 7_000, "at_attachments": 89,
    "at_companies": 175, "at_locations": 20, "at_contacts": 30_682_900, "at_resources": 29_744_149,
    "at_contracts": 29_680_000,
    "at_resource_roles": 500, "at_desk_roles": 300, "at_role_queues": 100,
}  # fmt: skip
"""The last id that was in use before the first row of ours: those of the PSAs differ, so that a mix-up shows."""
INTERNAL_COMPANY = 0
REMOTE_WORK, ON_SITE_WORK, INTERNAL_WORK = 29682801, 29682802, 29682803


def role_of(team: str) -> int:
    """The role in which the people of a team work."""
    return FIRST_ROLE + TEAMS.index(team) if team in TEAMS else FIRST_ROLE


def write(conn: sqlite3.Connection, now: int) -> None:
    for table, last in FIRST_IDS.items():
        conn.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
        conn.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, last))
    resource = (
        "INSERT INTO at_resources (id, firstName, lastName, email, userName, isActive, licenseType, resourceType, "
    )
    resource += "userType, locationID) VALUES (?,?,?,?,?,?,?,?,?,?)"
    conn.executemany(resource, (
        (ADMINISTRATOR, "Autotask", "Administrator", "", "Administrator", 1, 1, "Employee", 10, 1),
        (API_RESOURCE, "Helpdesk", "API", API_USER, API_USER, 1, API_LICENSE, "Employee", 17, 1),
    ))  # fmt: skip
    company = "INSERT INTO at_companies (id, companyName, companyType, phone, ownerResourceID, isActive, createDate, "
    company += "lastActivityDate, lastTrackedModifiedDateTime) VALUES (?,?,?,?,?,?,?,?,?)"
    conn.execute(company, (INTERNAL_COMPANY, "Demo MSP", 1, "01632 960000", ADMINISTRATOR, 1, now, now, now))
    conn.executemany(
        "INSERT INTO at_roles (id, name, description, isActive, isSystemRole, hourlyRate, hourlyFactor, roleType, "
        "isExcludedFromNewContracts) VALUES (?,?,?,1,0,80,1,0,0)",
        [(FIRST_ROLE + number, f"{team} Technician", "") for number, team in enumerate(TEAMS)],
    )
    conn.execute("INSERT INTO at_departments (id, name, description, number) VALUES (29683384, 'Support', '', '')")
    conn.executemany(
        "INSERT INTO at_categories (id, name, nickname, displayColorRGB, isActive, isApiOnly, isGlobalDefault) "
        "VALUES (?,?,?,?,1,0,?)",
        [(STANDARD_CATEGORY, "Standard", "STD", 3_178_239, 1), (ALERT_CATEGORY, "RMM Alert", "RMM", 14_898_176, 0)],
    )
    conn.executemany(
        "INSERT INTO at_billing_codes (id, name, description, isActive, useType, billingCodeType, unitPrice) "
        "VALUES (?,?,'',1,?,0,?)",
        [(REMOTE_WORK, "Remote Support", 1, 80.0), (ON_SITE_WORK, "On-Site Support", 1, 110.0),
         (INTERNAL_WORK, "Internal Meeting", 3, 0.0)],
    )  # fmt: skip
