"""Addresses of one ticket's page, below /tickets/; `ticket_routes` joins them to the list's."""

from __future__ import annotations

from django.urls import path

from helpdesk.desk import clock_views, field_views, item_views, new_ticket, outcome_views, ticket_views

urlpatterns = [
    path("new/", new_ticket.new, name="new"),
    path("new/draft/", new_ticket.draft, name="new_draft"),
    path("new/clients/", new_ticket.clients, name="new_clients"),
    path("new/similar/", new_ticket.similar, name="new_similar"),
    path("new/parts/", new_ticket.parts, name="new_parts"),
    path("<int:pk>/", ticket_views.detail, name="detail"),
    path("<int:pk>/part/<slug:name>/", ticket_views.part, name="part"),
    path("<int:pk>/step/<slug:way>/", ticket_views.step, name="step"),
    path("<int:pk>/actions/", ticket_views.add, name="add_action"),
    path("<int:pk>/outcome/", outcome_views.pick, name="outcome"),
    path("<int:pk>/composer/", item_views.composer_again, name="composer"),
    path("<int:pk>/draft/", ticket_views.draft, name="draft"),
    path("<int:pk>/macros/", ticket_views.macros, name="macros"),
    path("<int:pk>/clocks/", clock_views.clocks, name="clocks"),
    path("<int:pk>/clocks/correct/", clock_views.correct, name="clock_correct"),
    path("<int:pk>/clocks/<int:correction>/undo/", clock_views.uncorrect, name="clock_uncorrect"),
    path("<int:pk>/here/", ticket_views.here, name="here"),
    path("<int:pk>/status/", ticket_views.status, name="status"),
    path("<int:pk>/field/<slug:name>/", field_views.field, name="field"),
    path("<int:pk>/actions/<int:action>/unsend/", item_views.unsend, name="unsend"),
    path("<int:pk>/mails/<int:mail>/retry/", item_views.mail_retry, name="mail_retry"),
    path("<int:pk>/mails/<int:mail>/leave/", item_views.mail_leave, name="mail_leave"),
    path("<int:pk>/items/<int:item>/retry/", item_views.retry, name="item_retry"),
    path("<int:pk>/items/<int:item>/discard/", item_views.discard, name="item_discard"),
    path("<int:pk>/items/<int:item>/edit/", item_views.edit, name="item_edit"),
    path("<int:pk>/items/<int:item>/keep/", item_views.keep, name="item_keep"),
    path("<int:pk>/items/<int:item>/take/", item_views.take, name="item_take"),
]
