"""The ticket, what its PSA offers it, what happened to it, and its running clocks."""

from helpdesk.tickets.models.configuration import Priority, RoutingRule, Status, TicketCategory, TicketType
from helpdesk.tickets.models.finding import SavedView, SearchText
from helpdesk.tickets.models.history import Correction, TicketClock, TicketEvent, TicketSpan
from helpdesk.tickets.models.job import ClockJob
from helpdesk.tickets.models.ticket import Ticket

__all__ = [
    "ClockJob",
    "Correction",
    "Priority",
    "RoutingRule",
    "SavedView",
    "SearchText",
    "Status",
    "Ticket",
    "TicketCategory",
    "TicketClock",
    "TicketEvent",
    "TicketSpan",
    "TicketType",
]
