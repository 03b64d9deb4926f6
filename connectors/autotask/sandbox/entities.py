"""The entities that this imitation serves, as the vendor's schema and recorded answers have them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from connectors.autotask.sandbox.fields import Entity, fields
from connectors.autotask.sandbox.webhook_entities import WEBHOOK_ENTITIES

BRIEF = "brief"
CREATE, UPDATE, DELETE = "C", "U", "D"

TICKET = Entity("Ticket", "Tickets", "at_tickets", fields("""
    id:lr apiVendorID:ir assignedResourceID:iw>Resource assignedResourceRoleID:iw>Role billingCodeID:i>BillingCode
    changeApprovalBoard:i changeApprovalStatus:i changeApprovalType:i changeInfoField1:s8000 changeInfoField2:s8000
    changeInfoField3:s8000 changeInfoField4:s8000 changeInfoField5:s8000 companyID:i*w>Company
    companyLocationID:i>CompanyLocation completedByResourceID:ir>Resource completedDate:drw
    configurationItemID:i>ConfigurationItem contactID:iw>Contact contractID:i>Contract contractServiceBundleID:l
    contractServiceID:l createDate:drw createdByContactID:ir>Contact creatorResourceID:ir>Resource creatorType:irq
    currentServiceThermometerRating:i description:s8000w dueDateTime:dw estimatedHours:n externalID:s50
    firstResponseAssignedResourceID:ir>Resource firstResponseDateTime:dr firstResponseDueDateTime:dr
    firstResponseInitiatingResourceID:ir>Resource hoursToBeScheduled:n impersonatorCreatorResourceID:ir>Resource
    isAssignedToComanaged:br isVisibleToComanaged:br issueType:ipw lastActivityDate:drw lastActivityPersonType:irq
    lastActivityResourceID:ir>Resource lastCustomerNotificationDateTime:dr lastCustomerVisibleActivityDateTime:dr
    lastTrackedModificationDateTime:dr monitorID:i monitorTypeID:i opportunityID:i organizationalLevelAssociationID:i
    previousServiceThermometerRating:i priority:i*pw problemTicketId:i>Ticket projectID:i purchaseOrderNumber:s50
    queueID:ipw resolution:s32000w resolutionPlanDateTime:dr resolutionPlanDueDateTime:dr resolvedDateTime:dr
    resolvedDueDateTime:dr rmaStatus:i rmaType:i rmmAlertID:s50 serviceLevelAgreementHasBeenMet:br
    serviceLevelAgreementID:ipw serviceLevelAgreementPausedNextEventHours:nr serviceThermometerTemperature:i source:ip
    status:i*pw subIssueType:ipw^issueType ticketCategory:ipw ticketNumber:s50rw ticketType:ipw title:s255*w
    escalationReason:s8000B resolutionType:s255B
    """), CREATE + UPDATE, hidden=fields("heldSince:d heldMs:i changedAt:d"), has_udfs=True,
    is_impersonated=True)  # fmt: skip
NOTE = Entity("TicketNote", "TicketNotes", "at_notes", fields("""
    id:lr createDateTime:dr createdByContactID:ir>Contact creatorResourceID:ir>Resource description:s32000*w
    impersonatorCreatorResourceID:ir>Resource impersonatorUpdaterResourceID:ir>Resource lastActivityDate:drw
    noteType:i*pw publish:i*pw ticketID:i*w>Ticket title:s250w
    """), CREATE + UPDATE, ("Tickets", "Notes", "ticketID"), hidden=fields("changedAt:d"),
    is_impersonated=True)  # fmt: skip
TIME_ENTRY = Entity("TimeEntry", "TimeEntries", "at_time_entries", fields("""
    id:lr billingApprovalDateTime:dr billingApprovalLevelMostRecent:ir billingApprovalResourceID:ir>Resource
    billingCodeID:i>BillingCode contractID:i>Contract contractServiceBundleID:l contractServiceID:l createDateTime:dr
    creatorUserID:ir>Resource dateWorked:d endDateTime:d hoursToBill:nr hoursWorked:n
    impersonatorCreatorResourceID:ir>Resource impersonatorUpdaterResourceID:ir>Resource internalBillingCodeID:i
    internalNotes:s32000 isNonBillable:b lastModifiedDateTime:dr lastModifiedUserID:ir>Resource offsetHours:n
    resourceID:i*>Resource roleID:i>Role showOnInvoice:b startDateTime:d summaryNotes:s32000 taskID:i ticketID:i>Ticket
    timeEntryType:ipr
    """), CREATE + UPDATE + DELETE, hidden=fields("changedAt:d"), is_impersonated=True)  # fmt: skip
FILE_FIELDS = """
    id:lr attachDate:dr attachedByContactID:lr>Contact attachedByResourceID:lr>Resource attachmentType:s*
    contentType:sr fileSize:nrq fullPath:s255* impersonatorCreatorResourceID:ir>Resource opportunityID:lr parentID:lr
    parentType:ipr publish:i*p title:s255*
    """
FILE_COLUMNS = fields("sha256:s changedAt:d")
INFO = Entity("AttachmentInfo", "AttachmentInfo", "at_attachments", fields(
    FILE_FIELDS + " ticketID:lr ticketNoteID:lr timeEntryID:lr"), hidden=FILE_COLUMNS)  # fmt: skip
TICKET_FILE = Entity("TicketAttachment", "TicketAttachments", "at_attachments", fields(
    FILE_FIELDS + " data:sq ticketID:lr>Ticket"), CREATE + DELETE, ("Tickets", "Attachments", "ticketID"),
    hidden=FILE_COLUMNS, is_impersonated=True)  # fmt: skip
NOTE_FILE = Entity("TicketNoteAttachment", "TicketNoteAttachments", "at_attachments", fields(
    FILE_FIELDS + " data:sq ticketNoteID:lr>TicketNote"), CREATE + DELETE,
    ("TicketNotes", "Attachments", "ticketNoteID"), {"parentType": 23}, FILE_COLUMNS, is_impersonated=True)  # fmt: skip
TIME_FILE = Entity("TimeEntryAttachment", "TimeEntryAttachments", "at_attachments", fields(
    FILE_FIELDS + " data:sq timeEntryID:lr>TimeEntry"), CREATE + DELETE,
    ("TimeEntries", "Attachments", "timeEntryID"), {"parentType": 18}, FILE_COLUMNS, is_impersonated=True)  # fmt: skip
SECONDARY = Entity("TicketSecondaryResource", "TicketSecondaryResources", "at_secondary", fields(
    "id:lr resourceID:l*>Resource roleID:l*>Role ticketID:l*>Ticket"), CREATE + DELETE,
    ("Tickets", "SecondaryResources", "ticketID"))  # fmt: skip
ADDITIONAL = Entity("TicketAdditionalContact", "TicketAdditionalContacts", "at_additional", fields(
    "id:lr contactID:i*>Contact ticketID:i*>Ticket"), CREATE + DELETE,
    ("Tickets", "AdditionalContacts", "ticketID"))  # fmt: skip
COMPANY = Entity("Company", "Companies", "at_companies", fields("""
    id:lr additionalAddressInformation:s100 address1:s128 address2:s128 city:s30 classification:i companyName:s100*w
    companyNumber:s50 companyType:i*pw countryID:i createDate:dr createdByResourceID:ir>Resource currencyID:i
    impersonatorCreatorResourceID:ir>Resource isActive:bw isClientPortalActive:b isTaxExempt:b lastActivityDate:dr
    lastTrackedModifiedDateTime:dr ownerResourceID:i*>Resource parentCompanyID:i>Company phone:s25* postalCode:s10
    state:s40 webAddress:s255
    """), CREATE + UPDATE, has_udfs=True, is_impersonated=True)  # fmt: skip
LOCATION = Entity("CompanyLocation", "CompanyLocations", "at_locations", fields("""
    id:lr address1:s128 address2:s128 city:s50 companyID:i*>Company countryID:i description:s1000 isActive:b
    isPrimary:b isTaxExempt:b name:s100* overrideAccountTaxSettings:b phone:s25 postalCode:s20 state:s25
    """), CREATE + UPDATE + DELETE, ("Companies", "Locations", "companyID"))  # fmt: skip
CONTACT = Entity("Contact", "Contacts", "at_contacts", fields("""
    id:lr addressLine:s128 city:s50 companyID:i*>Company companyLocationID:i>CompanyLocation countryID:i createDate:dr
    emailAddress:s254w emailAddress2:s254 emailAddress3:s254 extension:s10 externalID:s50 firstName:s50*w
    impersonatorCreatorResourceID:ir>Resource isActive:iw isOptedOutFromBulkEmail:b lastActivityDate:dr
    lastModifiedDate:dr lastName:s50*w mobilePhone:s25 note:s50 phone:s25w primaryContact:b
    receivesEmailNotifications:b state:s40 title:s50 zipCode:s16
    """), CREATE + UPDATE + DELETE, ("Companies", "Contacts", "companyID"), has_udfs=True,
    is_impersonated=True)  # fmt: skip
CONTRACT = Entity("Contract", "Contracts", "at_contracts", fields("""
    id:lr companyID:i*>Company contractName:s100* contractNumber:s50 contractType:i*p description:s2000 endDate:d*
    estimatedHours:n isCompliant:b isDefaultContract:b serviceLevelAgreementID:ip startDate:d* status:i*p
    """))  # fmt: skip
RESOURCE = Entity("Resource", "Resources", "at_resources", fields("""
    id:lr defaultServiceDeskRoleID:lq>Role email:s254 firstName:s50 initials:s32 isActive:b lastName:s50 licenseType:ip
    locationID:i mobilePhone:s25 officePhone:s25 resourceType:s title:s50 userName:s32 userType:i
    """))  # fmt: skip
ROLE = Entity("Role", "Roles", "at_roles", fields("""
    id:lr description:s200 hourlyFactor:n hourlyRate:n isActive:b isExcludedFromNewContracts:b isSystemRole:b name:s200
    roleType:i
    """))  # fmt: skip
RESOURCE_ROLE = Entity("ResourceRole", "ResourceRoles", "at_resource_roles", fields(
    "id:lr departmentID:l>Department isActive:b queueID:l resourceID:l>Resource roleID:l>Role"))  # fmt: skip
DESK_ROLE = Entity("ResourceServiceDeskRole", "ResourceServiceDeskRoles", "at_desk_roles", fields(
    "id:lr isActive:b isDefault:b resourceID:i>Resource roleID:i>Role"))  # fmt: skip
ROLE_QUEUE = Entity("ResourceRoleQueue", "ResourceRoleQueues", "at_role_queues", fields(
    "id:lr queueID:i resourceID:i>Resource"))  # fmt: skip
DEPARTMENT = Entity("Department", "Departments", "at_departments", fields(
    "id:lr description:s1000 name:s100 number:s50 primaryLocationID:i"))  # fmt: skip
ASSET = Entity("ConfigurationItem", "ConfigurationItems", "at_assets", fields("""
    id:lr companyID:i*>Company companyLocationID:i>CompanyLocation contactID:i>Contact createDate:dr isActive:b
    lastModifiedTime:dr productID:i referenceNumber:s50 referenceTitle:s200 serialNumber:s100
    """))  # fmt: skip
BILLING_CODE = Entity("BillingCode", "BillingCodes", "at_billing_codes", fields(
    "id:lr billingCodeType:i department:i description:s500 isActive:b name:s200 unitPrice:n useType:ip"))  # fmt: skip
SLA_RESULT = Entity("ServiceLevelAgreementResults", "ServiceLevelAgreementResults", "at_sla_results", fields("""
    id:lr firstResponseElapsedHours:n firstResponseInitiatingResourceID:i firstResponseResourceID:i isFirstResponseMet:b
    isResolutionMet:b isResolutionPlanMet:b resolutionElapsedHours:n resolutionPlanElapsedHours:n
    resolutionPlanResourceID:i resolutionResourceID:i serviceLevelAgreementName:s ticketID:i>Ticket
    """))  # fmt: skip
HISTORY = Entity("TicketHistory", "TicketHistory", "at_history", fields(
    "id:lr action:s date:d detail:s resourceID:i>Resource ticketID:i>Ticket"))  # fmt: skip
CATEGORY = Entity("TicketCategory", "TicketCategories", "at_categories", fields(
    "id:lr displayColorRGB:i isActive:b isApiOnly:b isGlobalDefault:b name:s30 nickname:s3"))  # fmt: skip
DELETED = Entity("DeletedTicketLog", "DeletedTicketLogs", "at_deleted", fields(
    "id:lr deletedByResourceID:i>Resource deletedDateTime:d ticketID:i ticketNumber:s50 ticketTitle:s255"))  # fmt: skip
HOOK_ERROR = Entity("WebhookEventErrorLog", "WebhookEventErrorLogs", "at_hook_errors", fields(
    "id:lr accountWebhookID:i contactWebhookID:i createDateTime:d errorMessage:s payload:s sequenceNumber:i "
    "ticketWebhookID:i ticketNoteWebhookID:i configurationItemWebhookID:i"), DELETE)  # fmt: skip

ALL = (
    TICKET, NOTE, TIME_ENTRY, INFO, TICKET_FILE, NOTE_FILE, TIME_FILE, SECONDARY, ADDITIONAL, COMPANY, LOCATION,
    CONTACT, CONTRACT, RESOURCE, ROLE, RESOURCE_ROLE, DESK_ROLE, ROLE_QUEUE, DEPARTMENT, ASSET, BILLING_CODE,
    SLA_RESULT, HISTORY, CATEGORY, DELETED, HOOK_ERROR, *WEBHOOK_ENTITIES,
)  # fmt: skip


@cache
def entities(profile: str) -> dict[str, Entity]:
    """The entities of a profile by their root in lower case."""
    if profile == BRIEF:
        return {item.root.lower(): item for item in ALL}
    return {
        item.root.lower(): replace(item, fields=tuple(one for one in item.fields if not one.is_brief)) for item in ALL
    }
