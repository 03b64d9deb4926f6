"""Addresses of the dispatch board and of presence; part of `desk`, under /board/."""

from __future__ import annotations

from django.urls import path

from helpdesk.desk import board_views, row_views

urlpatterns = [
    path("", board_views.board, name="board"),
    path("lanes/", board_views.lanes, name="board_lanes"),
    path("more/", board_views.more, name="board_more"),
    path("targets/", board_views.targets, name="board_targets"),
    path("move/", board_views.move, name="board_move"),
    path("filter/", board_views.choose_filter, name="board_filter"),
    path("teams/", board_views.keep_teams, name="board_teams"),
    path("undo/", row_views.undo_many, name="undo"),
    path("presence/<int:pk>/", board_views.presence, name="presence"),
]
