"""What Atera can do and asks for, in canonical words.

Source: vendor's OpenAPI for what can be written; the process rules are the ones of its own guides.
"""

from __future__ import annotations

from connectors.atera.mapping.choices import IMPACTS
from connectors.base.rules import Description, RequiredField, TransitionRule

_CREATE = (
    RequiredField(verb="create", fields=("subject",), text="Title required"),
    RequiredField(verb="create", fields=("contact",), text="Contact required: Atera takes the customer from it"),
    RequiredField(verb="create", fields=("description",), text="Description required"),
)
# Of Atera's own four statuses: a tenant's further ones have no rules, whatever category they are mapped to.
_TRANSITIONS = (
    TransitionRule(
        from_values=("Open",),
        to_values=("Closed",),
        level="error",
        text="An open ticket cannot be closed at once. Resolve it, then close it",
        via="resolved",
    ),
    TransitionRule(from_values=("Closed",), level="error", text="Closed is final in Atera"),
    TransitionRule(
        from_values=("Resolved",),
        to_values=("Pending",),
        level="warning",
        text="Atera does not say whether a resolved ticket may wait again",
    ),
)

_HOUR = 3600
# A first response only: when a ticket is resolved is not promised.
_USUAL_TARGETS = {"1": [_HOUR, None], "2": [4 * _HOUR, None], "3": [8 * _HOUR, None], "4": [24 * _HOUR, None]}


def description(*, contracts: bool, work_hours: bool, has_technician: bool = True) -> Description:
    """`work_hours`: whether this account's API takes them. `has_technician`: one writes for everybody else."""
    capabilities = {
        "sites": False,
        "teams": False,
        "categories": False,
        "category_levels": 0,
        "impact": True,
        "impact_values": list(IMPACTS),
        "urgency": False,
        "set_client": False,
        "change_contact": False,
        "change_contract": False,
        "change_policy": False,
        "source": False,
        "edit_description": False,
        "set_due_date": False,
        "unassign": False,
        "resolution_field": False,
        "escalated_status": False,
        "outcomes": False,
        "sla_from_psa": True,
        "usual_targets": _USUAL_TARGETS,
        "comment_ids": False,
        "comment_edit": False,
        "attachments_upload": False,
        "attachment_counts": False,
        "time_entry_create": work_hours,
        "time_in_action": False,
        "cc": False,
        "needs_author": "" if has_technician else "always",
        "action_with_status": False,
        "list_agents": False,
        "agent_ids": "digits",
        "agent_roles": False,
        "list_statuses": False,
        "list_ticket_types": False,
        "server_search": False,
        "server_filters": False,
        "delta_feed": True,
        "webhooks": False,
        "contracts": contracts,
        "mails": "psa",
        "staff_mail": False,
        "mail_switches": [],
    }
    return Description(capabilities=capabilities, required_fields=_CREATE, transition_rules=_TRANSITIONS)
