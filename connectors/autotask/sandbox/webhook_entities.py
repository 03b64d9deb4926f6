"""Webhook registrations of five entities: the webhook, its fields, and the resources whose work it leaves out."""

from __future__ import annotations

from connectors.autotask.sandbox.fields import Entity, fields

WATCHED = {
    "Ticket": "Tickets", "TicketNote": "TicketNotes", "Company": "Companies", "Contact": "Contacts",
    "ConfigurationItem": "ConfigurationItems",
}  # fmt: skip
HOOK_FIELDS = """
    id:lr deactivationUrl:s500* isActive:b* isReady:br isSubscribedToCreateEvents:b isSubscribedToDeleteEvents:b
    isSubscribedToUpdateEvents:b name:s50* notificationEmailAddress:s150 ownerResourceID:ir>Resource secretKey:s64*
    sendThresholdExceededNotification:b* webhookGUID:sr webhookUrl:s500*
    """


def _three(name: str) -> tuple[Entity, Entity, Entity]:
    scope = {"kind": name}
    hook = Entity(
        f"{name}Webhook", f"{name}Webhooks", "at_hooks", fields(HOOK_FIELDS), "CUD", None, scope, fields("kind:s")
    )
    rows = fields("id:lr fieldID:i*p isDisplayAlwaysField:b isSubscribedField:b webhookID:i*")
    watched = Entity(
        f"{name}WebhookField", f"{name}WebhookFields", "at_hook_fields", rows, "CUD",
        (hook.root, "Fields", "webhookID"), scope, fields("kind:s"),
    )  # fmt: skip
    excluded = Entity(
        f"{name}WebhookExcludedResource", f"{name}WebhookExcludedResources", "at_hook_excluded",
        fields("id:lr resourceID:i*>Resource webhookID:i*"), "CD", (hook.root, "ExcludedResources", "webhookID"), scope,
        fields("kind:s"),
    )  # fmt: skip
    return hook, watched, excluded


WEBHOOK_ENTITIES = tuple(item for name in WATCHED for item in _three(name))
