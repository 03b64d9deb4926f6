"""What Autotask can do and asks for, in canonical words.

Source: vendor's help for what can be written; the process rules are the ones that Autotask's own guides give.
"""

from __future__ import annotations

from collections.abc import Sequence

from connectors.base.rules import Description, RequiredField, TransitionRule

_CREATE = (
    RequiredField(verb="create", fields=("subject",), text="Title is required"),
    RequiredField(verb="create", fields=("client",), text="Company is required"),
    RequiredField(verb="create", fields=("status",), text="Status is required"),
    RequiredField(verb="create", fields=("priority",), text="Priority is required"),
)
_ASSIGN = RequiredField(
    verb="assign",
    fields=("agent", "agent_role"),
    text="A resource takes a ticket in a role: resource and role together",
)
_QUEUE = RequiredField(verb="create", fields=("team",), text="Queue is required")
_FINISHED = ("resolved", "closed")
_UNFINISHED = ("new", "open", "waiting", "waiting_client", "waiting_third_party", "escalated")
_TRANSITIONS = (
    TransitionRule(to_categories=_FINISHED, needs=("resolution",), level="error", text="Resolution is required"),
    TransitionRule(
        from_categories=("new",), to_categories=_FINISHED, level="warning", text="Completing without In Progress step"
    ),
    TransitionRule(to_categories=("open",), needs=("agent",), level="warning", text="No resource assigned"),
    TransitionRule(
        to_categories=("escalated",), needs=("escalation_reason",), level="error", text="Escalation reason is required"
    ),
    # The guides draw no such step; the tenant's workflow decides.
    TransitionRule(
        from_categories=_FINISHED,
        to_categories=_UNFINISHED,
        level="warning",
        text="Completed tickets are not usually reopened",
    ),
    TransitionRule(
        from_categories=_UNFINISHED[1:], to_categories=("new",), level="warning", text="Going back to New is not usual"
    ),
)

_HOUR = 3600
_USUAL_TARGETS = {
    "1": [_HOUR, 4 * _HOUR], "2": [2 * _HOUR, 8 * _HOUR], "3": [4 * _HOUR, 24 * _HOUR], "4": [8 * _HOUR, 72 * _HOUR],
}  # fmt: skip


def description(
    *, has_queues: bool, contracts: bool, upload_bytes: int, webhooks: bool, sources: Sequence[str] = ()
) -> Description:
    """`has_queues`: the picklist of queues is not empty; then a new ticket needs one. `sources`: its labels."""
    capabilities = {
        "sites": True,
        "teams": has_queues,
        "categories": True,
        "category_levels": 2,
        "impact": False,
        "urgency": False,
        "set_client": True,
        "change_contact": True,
        "change_contract": True,
        "change_policy": True,
        "source": bool(sources),
        "source_values": list(sources),
        "edit_description": True,
        "set_due_date": True,
        "resolution_field": True,
        "escalated_status": True,
        "outcomes": False,
        "sla_from_psa": True,
        "usual_targets": _USUAL_TARGETS,
        "comment_ids": True,
        "comment_edit": True,
        "attachments_upload": True,
        "attachment_bytes": upload_bytes,
        "attachment_counts": False,
        "time_entry_create": True,
        "list_agents": True,
        "agent_roles": True,
        "server_search": True,
        "server_filters": True,
        "delta_feed": True,
        "webhooks": webhooks,
        "contracts": contracts,
        "mails": "desk",
        "staff_mail": False,
        "mail_switches": [],
        "action_with_status": False,
        "time_in_action": False,
        "needs_author": "time",
        "status_history": True,
    }
    required = (*_CREATE, *((_QUEUE,) if has_queues else ()), _ASSIGN)
    return Description(capabilities=capabilities, required_fields=required, transition_rules=_TRANSITIONS)
