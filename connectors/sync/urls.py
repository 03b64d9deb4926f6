from __future__ import annotations

from django.urls import path

from connectors.sync import agent_views, mapping_views, views, webhooks

app_name = "sync"
urlpatterns = [
    path("settings/accounts/", views.accounts_page, name="accounts"),
    path("settings/accounts/new/", views.account_new, name="account_new"),
    path("settings/accounts/<slug:name>/", views.account_edit, name="account"),
    path("settings/accounts/<slug:name>/mails/", views.account_mails, name="account_mails"),
    path("settings/accounts/<slug:name>/look/", views.account_look, name="account_look"),
    path("settings/accounts/<slug:name>/test/", views.account_test, name="account_test"),
    path("settings/accounts/<slug:name>/pause/", views.account_pause, name="account_pause"),
    path("settings/accounts/<slug:name>/resume/", views.account_resume, name="account_resume"),
    path("settings/accounts/<slug:name>/pull/", views.account_pull, name="account_pull"),
    path("settings/accounts/<slug:name>/hook/", views.account_hook, name="account_hook"),
    path("settings/accounts/<slug:name>/agents/", agent_views.agents, name="agents"),
    path("settings/accounts/<slug:name>/agents/<int:pk>/", agent_views.agent, name="agent"),
    path("settings/accounts/<slug:name>/agents/<int:pk>/switch/", agent_views.agent_switch, name="agent_switch"),
    path("settings/mapping/", mapping_views.mapping_index, name="mapping"),
    path("settings/mapping/<slug:name>/", mapping_views.mapping_page, name="mapping_account"),
    path("settings/mapping/<slug:name>/<slug:kind>/", mapping_views.mapping_change, name="mapping_change"),
    path("hooks/<str:account>/<str:secret>/", webhooks.hook, name="hook"),
    path("settings/sync/", views.sync_page, name="sync"),
    path("settings/sync/<int:pk>/retry/", views.item_retry, name="item_retry"),
    path("settings/sync/<int:pk>/discard/", views.item_discard, name="item_discard"),
]
