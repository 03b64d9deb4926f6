"""Rows as Atera sends them: the vendor's names, and those of the short description."""

from __future__ import annotations

from typing import Any

TICKET: dict[str, Any] = {
    "TicketID": 54321, "TicketTitle": "Unable to access email - multiple users affected", "TicketNumber": "1042",
    "TicketPriority": "High", "TicketImpact": "Major", "TicketStatus": "Open", "TicketSource": "Email",
    "TicketType": "Problem", "EndUserID": 67890, "EndUserEmail": "john.smith@acme.com", "EndUserFirstName": "John",
    "EndUserLastName": "Smith", "EndUserPhone": None, "TicketResolvedDate": None,
    "TicketCreatedDate": "2024-02-15T09:00:00Z", "TechnicianFirstCommentDate": None,
    "FirstResponseDueDate": "2024-02-15T13:00:00Z", "ClosedTicketDueDate": "2024-02-16T09:00:00Z",
    "FirstComment": "Sales team (5 users) reporting Outlook disconnected since 9am", "LastEndUserComment": "",
    "LastEndUserCommentTimestamp": None, "LastTechnicianComment": "", "LastTechnicianCommentTimestamp": None,
    "TotalDurationSeconds": 0, "TotalDurationMinutes": 0, "CustomerID": 12345, "CustomerName": "Acme Corporation",
    "CustomerBusinessNumber": None, "TechnicianContactID": 11111, "TechnicianFullName": "Jane Tech",
    "TechnicianEmail": "jane@msp.example", "ContractID": 5, "RelationType": "None", "RelatedTicketId": None,
}  # fmt: skip
COMMENT: dict[str, Any] = {
    "Date": "2024-02-15T09:15:00Z", "Comment": "Initial triage: Checking Exchange connectivity",
    "CommentHtml": "<p>Initial triage: Checking Exchange connectivity</p>", "EndUserID": None,
    "TechnicianContactID": 12345, "Email": "jane@msp.example", "FirstName": "Jane", "LastName": "Tech",
    "IsInternal": True,
}  # fmt: skip
BRIEF_COMMENT: dict[str, Any] = {
    "CommentID": 777, "TicketID": 54321, "CommentText": "Still broken for me", "CommentDate": "2024-02-15T11:00:00Z",
    "CreatorContactID": 67890, "IsInternal": False,
}  # fmt: skip
HOURS: dict[str, Any] = {
    "TicketID": 54321, "WorkHoursID": 22222, "StartWorkHour": "2024-02-15T09:00:00Z",
    "EndWorkHour": "2024-02-15T10:30:00Z", "TechnicianContactID": 12345, "Billiable": True, "OnCustomerSite": False,
    "Description": "Initial investigation and resolution", "TechnicianFullName": "Jane Tech",
    "TechnicianEmail": "jane@msp.example", "RateID": 3, "RateAmount": 120.0,
}  # fmt: skip
DURATIONS: dict[str, Any] = {
    "OffSLADurationHours": 0.0, "OffSiteDurationHours": 1.0, "OnSLADurationHours": 1.0, "OnSiteDurationHours": 0.0,
    "TotalDurationHours": 1.0, "ticketId": 54321,
}  # fmt: skip
