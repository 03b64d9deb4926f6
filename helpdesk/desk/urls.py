"""Pages that join apps. Each area brings its own file of addresses; those that are built are included."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from helpdesk.desk import (
    configuration_views,
    escalation_views,
    frame_views,
    home,
    linked_views,
    macro_views,
    notice_views,
    people_views,
    psa_people_views,
    routing_views,
    settings_views,
)

app_name = "desk"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("rail/", frame_views.rail, name="rail"),
    path("rail/health/", frame_views.health, name="health"),
    path("later/<slug:language>/<slug:digest>/", frame_views.later_parts, name="later"),
    path("palette/", frame_views.palette, name="palette"),
    path("theme/", frame_views.theme, name="theme"),
    path("brand/<slug:digest>.css", frame_views.brand_css, name="brand"),
    path("brand/<slug:digest>/logo", frame_views.logo, name="logo"),
    path("notices/", notice_views.inbox, name="notices"),
    path("notices/seen/", notice_views.see_all, name="notices_seen"),
    path("notices/<int:pk>/", notice_views.follow, name="notice"),
    path("escalations/", escalation_views.open_now, name="escalations"),
    path("settings/", settings_views.index, name="settings"),
    path("settings/organisation/", settings_views.organisation, name="settings_organisation"),
    path("settings/personal/", settings_views.personal, name="settings_personal"),
    path("settings/notices/", escalation_views.how_told, name="settings_notices"),
    path("settings/macros/", macro_views.macros, name="macros"),
    path("settings/macros/add/", macro_views.macro_add, name="macro_add"),
    path("settings/macros/<int:pk>/", macro_views.macro, name="macro"),
    path("settings/macros/<int:pk>/switch/", macro_views.macro_switch, name="macro_switch"),
    path("settings/configuration/", configuration_views.configuration, name="configuration"),
    path("settings/configuration/<slug:name>/<slug:word>/add/", configuration_views.value_add, name="config_add"),
    path("settings/configuration/<slug:word>/<int:pk>/", configuration_views.value, name="config_value"),
    path("settings/configuration/<slug:word>/<int:pk>/move/", configuration_views.value_move, name="config_move"),
    path("settings/configuration/<slug:word>/<int:pk>/delete/", configuration_views.value_delete, name="config_delete"),
    path(
        "settings/configuration/<slug:word>/<int:pk>/changes/<int:item>/<slug:verb>/",
        configuration_views.change_decide,
        name="config_change",
    ),
    path("settings/routing/", routing_views.routing, name="routing"),
    path("settings/routing/<int:pk>/", routing_views.rule, name="routing_rule"),
    path("settings/routing/<int:pk>/move/", routing_views.rule_move, name="routing_move"),
    path("settings/routing/<int:pk>/switch/", routing_views.rule_switch, name="routing_switch"),
    path("settings/routing/<int:pk>/delete/", routing_views.rule_delete, name="routing_delete"),
    path("settings/routing/<slug:name>/add/", routing_views.rule_add, name="routing_add"),
    path("settings/routing/<slug:name>/matrix/", routing_views.priority_matrix, name="routing_matrix"),
    path("settings/sla/", include("helpdesk.desk.sla_urls")),
    path("settings/clients/", linked_views.clients, name="linked_clients"),
    path("settings/clients/link/", linked_views.link, name="link_clients"),
    path("settings/clients/<int:pk>/unlink/", linked_views.unlink, name="unlink_client"),
    path("settings/people/", people_views.people, name="people"),
    path("settings/people/add/", people_views.person_add, name="person_add"),
    path("settings/people/join/", people_views.join, name="people_join"),
    path("settings/people/agents/", psa_people_views.agents, name="psa_agents"),
    path("settings/people/agents/join/", psa_people_views.join, name="psa_join"),
    path("settings/people/agents/<int:pk>/", psa_people_views.separate, name="psa_agent"),
    path("settings/people/teams/", psa_people_views.teams, name="psa_teams"),
    path("settings/people/<int:pk>/", people_views.person, name="person"),
    path("settings/people/<int:pk>/access/", people_views.person_access, name="person_access"),
    path("settings/people/<int:pk>/tie/", people_views.person_tie, name="person_tie"),
]
if find_spec("helpdesk.desk.board_urls"):
    urlpatterns.append(path("board/", include("helpdesk.desk.board_urls")))
