"""What HaloPSA can do and asks for, in canonical words.

Source: vendor's OpenAPI for what can be written; the process rules are the ones that HaloPSA's own guides give.
"""

from __future__ import annotations

from typing import Any

from connectors.base.rules import Description, RequiredField, TransitionRule

OUTCOME_KINDS = ("note", "reply", "call", "visit", "time", "close")

_CREATE = (
    RequiredField(verb="create", fields=("subject",), text="Subject is required"),
    RequiredField(verb="create", fields=("client",), text="Client is required"),
    RequiredField(verb="create", fields=("ticket_type",), text="Ticket type is required"),
    RequiredField(verb="create", fields=("status",), text="Status is required"),
    RequiredField(verb="create", fields=("priority",), text="Priority is required"),
)
_FINISHED = ("resolved", "closed")
_UNFINISHED = ("new", "open", "waiting", "waiting_client", "waiting_third_party", "escalated")
_TRANSITIONS = (
    TransitionRule(to_categories=_FINISHED, needs=("resolution",), level="error", text="Resolution is required"),
    TransitionRule(
        from_categories=("new",), to_categories=_FINISHED, level="warning", text="Closing without In Progress step"
    ),
    TransitionRule(to_categories=("open",), needs=("agent",), level="warning", text="No agent assigned"),
    # The guides draw no such step; the tenant's workflow decides.
    TransitionRule(
        from_categories=("closed",),
        to_categories=_UNFINISHED,
        level="warning",
        text="Closed tickets are not usually reopened",
    ),
    TransitionRule(
        from_categories=_UNFINISHED[1:], to_categories=("new",), level="warning", text="Going back to New is not usual"
    ),
)

_HOUR = 3600
_USUAL_TARGETS = {
    "1": [_HOUR // 4, _HOUR], "2": [_HOUR, 4 * _HOUR], "3": [4 * _HOUR, 8 * _HOUR], "4": [8 * _HOUR, 24 * _HOUR],
}  # fmt: skip


def description(*, outcomes: Any, contracts: bool, upload_bytes: int) -> Description:
    """`outcomes`: which outcome writes which kind of action, True when the tenant's cannot be told apart by name."""
    capabilities = {
        "sites": True,
        "teams": True,
        "categories": True,
        "category_levels": 4,
        "impact": True,
        "set_client": True,
        "change_contact": True,
        "change_contract": True,
        "change_policy": True,
        "source": False,
        "edit_description": True,
        "set_due_date": True,
        "resolution_field": True,
        "escalated_status": False,
        "outcomes": outcomes,
        "configure": ["status", "outcome", "ticket_type"],
        "sla_from_psa": True,
        "usual_targets": _USUAL_TARGETS,
        "comment_ids": True,
        "comment_edit": True,
        "attachments_upload": True,
        "attachment_bytes": upload_bytes,
        "time_entry_create": True,
        "list_agents": True,
        "agent_roles": False,
        "server_search": True,
        "server_filters": True,
        "delta_feed": True,
        "webhooks": True,
        "contracts": contracts,
        "mails": "psa",
        "staff_mail": True,
        "mail_switches": ["acknowledgement", "reply"],
        "action_with_status": True,
        "time_in_action": True,
    }
    return Description(capabilities=capabilities, required_fields=_CREATE, transition_rules=_TRANSITIONS)
