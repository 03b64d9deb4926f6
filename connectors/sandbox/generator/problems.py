"""What goes wrong at small companies: kinds of tickets with their texts. Written for this project."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of ticket. Texts hold slots in braces that `texts` fills."""

    category: str
    type: str
    team: str
    priorities: tuple[int, ...]
    summaries: tuple[str, ...]
    details: tuple[str, ...]
    findings: tuple[str, ...]
    fixes: tuple[str, ...]


DESK, FIELD, INFRA, PROJECTS = "Service Desk", "Field", "Infrastructure", "Projects"
INCIDENT, REQUEST, PROBLEM, CHANGE = "Incident", "Service Request", "Problem", "Change"

KINDS = (
    Kind("Hardware>Printer", INCIDENT, DESK, (3, 4, 4),
         ("Printer in {room} prints blank pages", "{room} printer offline again", "Paper jam that is not there, {room}"),
         ("The big printer in {room} started this {when}. We have switched it off and on twice. {count} of us need it for {job}.",
          "Nothing comes out since {when}. The display says ready. Printing from {person}'s PC does the same."),
         ("Queue on the print server held {count} stuck jobs, oldest from {when}.", "Pickup roller is worn, page counter {big}."),
         ("Cleared the queue, updated the driver and printed three test pages.", "Replaced the roller kit, counter reset.")),
    Kind("Hardware>Laptop", INCIDENT, DESK, (3, 3, 4),
         ("Laptop will not wake from sleep", "{person}'s laptop is very slow", "Docking station drops the second screen"),
         ("It has been like this since {when}. I have to hold the power button for ten seconds, then it starts normally.",
          "Opening {app} takes {count} minutes. The fan runs all the time. I have restarted it this morning.",
          "The second screen goes black every {count} minutes and comes back when I unplug the dock."),
         ("Firmware is two versions behind; event log shows power faults since {when}.", "Disk at 97 %, {big} MB in temp files."),
         ("Updated firmware and dock driver, ran for an hour without a drop.", "Freed the disk and moved the mail archive.")),
    Kind("Hardware>Phone", INCIDENT, FIELD, (3, 4),
         ("Desk phone shows no service in {room}", "Callers hear only every second word"),
         ("The phone in {room} has been dead since {when}. The one next to it works.",
          "Two clients told us today that they can hardly hear us. Headset or handset makes no difference."),
         ("Port {count} on the switch in {room} negotiates at 10 Mbit/s.", "Voice VLAN is missing on that port after {when}."),
         ("Replaced the patch cable and set the port's profile again. Test call clear both ways.",)),
    Kind("Hardware>Server", INCIDENT, INFRA, (1, 2, 2),
         ("File server not reachable", "Server {host} restarted by itself", "RAID warning on {host}"),
         ("Nobody can open the shared drive since {when}. All {count} of us are affected and we cannot work.",
          "We lost the connection for about ten minutes at {when}, it came back, but people are worried.",
          "Got a mail from the monitoring: one disk in {host} is degraded."),
         ("iLO log shows a memory error in slot {count}.", "Disk {count} has {big} reallocated sectors; array still redundant.",
          "Volume was full: shadow copies took the last 40 GB."),
         ("Swapped the disk, rebuild finished at {when}, array optimal.", "Removed old shadow copies, moved the profile share, added an alert at 85 %.")),
    Kind("Software>Email", INCIDENT, DESK, (2, 3, 3),
         ("Outlook keeps asking for the password", "Mails to {company} come back", "Shared mailbox has disappeared"),
         ("Since {when} a window pops up every few minutes. I type the right password and it comes again.",
          "Every mail to {company} is returned with 'message rejected'. It worked last week. Copy of the answer is attached.",
          "The invoices mailbox is gone from my list. {person} still has it."),
         ("Sign-in log shows legacy authentication blocked from this device.", "Our SPF record was missing the new mail relay.",
          "Full access was removed when the group was cleaned up {when}."),
         ("Recreated the profile with modern sign-in, no prompt for an hour.", "Corrected SPF, test mail to {company} delivered.",
          "Access given back through the group, mailbox shows after a restart.")),
    Kind("Software>Line of business", INCIDENT, DESK, (2, 3, 3),
         ("{app} freezes when saving", "{app}: licence expired message", "Cannot export from {app}"),
         ("When I press save it hangs for {count} minutes and then says 'connection lost'. {person} has the same.",
          "{app} tells us the licence ends in {count} days and will not let {person} in.",
          "The export to Excel writes an empty file since the update on {when}."),
         ("Vendor's known fault in build {big}, patch is out.", "Licence server lists {count} seats, {count} stale ones.",
          "Database index on the job table is fragmented."),
         ("Installed the vendor's patch on all seats, saving takes two seconds.", "Released the stale seats and added a monthly check.")),
    Kind("Software>Office", REQUEST, DESK, (4, 4, 3),
         ("Please install {app} for {person}", "Need PDF editing on two PCs", "New signature for everybody"),
         ("{person} starts working with {app} next week. The licence is ordered, approval from our side is given.",
          "Could we get the PDF tool in {room}? It is for {job}, so before Friday would be good.",
          "We have a new address from next month. The text is below, please set it for all {count} people."),
         ("Licence assigned, waiting for the device to sync.", "Package is in the software portal, pushed to both devices."),
         ("Installed and opened once together with {person}.", "Signature template rolled out, checked with three people.")),
    Kind("Network>VPN", INCIDENT, DESK, (2, 3, 3),
         ("VPN disconnects every few minutes", "Cannot reach {host} from home", "VPN asks for a code that never comes"),
         ("At home the VPN drops after {count} minutes, at the office all is fine. My internet is OK for video.",
          "The tunnel says connected but {host} does not answer. It worked until {when}.",
          "I do not get the code on my phone. I have a new phone since {when}."),
         ("Client behind carrier NAT, keepalive too long.", "Route to the server network missing from the split tunnel.",
          "Old device still registered for the second factor."),
         ("Shortened the keepalive; stable for two hours.", "Added the route to the profile and pushed it.", "Registered the new phone with {person} on the line.")),
    Kind("Network>Wi-Fi", INCIDENT, FIELD, (3, 3, 4),
         ("No Wi-Fi in {room}", "Guest Wi-Fi very slow", "Scanners lose Wi-Fi in the warehouse"),
         ("Since {when} no device connects in {room}. Next door is fine.",
          "Visitors complain every day. The page opens, then nothing loads.",
          "The hand scanners drop out between rows {count} and 14. Picking stops each time."),
         ("Access point has no power: PoE budget of the switch is used up.", "Guest network limited to 2 Mbit/s by an old rule.",
          "Channel overlap with the neighbour, -82 dBm at the far end."),
         ("Moved the access point to another switch, signal measured in every corner.", "Rule removed, 60 Mbit/s measured.",
          "Added an access point and fixed the channels; walked the rows with a scanner.")),
    Kind("Network>Internet", INCIDENT, INFRA, (1, 1, 2),
         ("Internet down at the whole site", "Line drops several times a day"),
         ("Nothing works since {when}: no mail, no phones, no card payments. {count} people are standing around.",
          "The line goes away for a minute or two, {count} times since {when}. Calls break off."),
         ("Provider confirms a fault in the area, ticket number {big}.", "Router's log shows loss of sync; running on the 5G backup.",),
         ("Provider repaired the line; failed back at {when}, latency normal.", "Replaced the router, no loss of sync since.")),
    Kind("Access>Password", REQUEST, DESK, (3, 3, 4),
         ("Locked out after holiday", "Password reset for {person}", "Cannot sign in to {app}"),
         ("I am back today and my password does not work any more.", "{person} forgot the password. Please call back on the number you have.",
          "It says account locked. I tried maybe {count} times, sorry."),
         ("Account locked from an old phone that still tries.", "Identity checked by call-back."),
         ("Unlocked, new password set by the user, phone signed in again.", "Reset done after call-back, user signed in.")),
    Kind("Access>Permissions", REQUEST, DESK, (4, 4, 3),
         ("Access to the {job} folder", "Please remove access for {person}", "Read access for the auditors"),
         ("I took over {job} from {person} and need the folder. My manager is in copy.",
          "{person} has left the team, please take the access to accounts away by {when}.",
          "Two auditors come next week and must read, not change, the finance folder."),
         ("Owner of the folder is asked for approval.", "Group membership reviewed, {count} stale members found."),
         ("Approved and done, access checked with the user.", "Group created with an end date, auditors invited.")),
    Kind("Access>New starter", REQUEST, DESK, (4, 3),
         ("New starter on Monday: {person}", "Leaver: {person}, last day Friday", "{count} temporary staff for {job}"),
         ("Name {person}, job title assistant, same access as the colleague before. Laptop, phone and mailbox, please.",
          "Please block the account on Friday at 17:00, forward mail to the team for three months, collect laptop and phone.",
          "They need a mailbox and {app}, nothing else, until the end of the quarter."),
         ("Checklist started; laptop from stock, image running.", "Licence count is {count} short, quote sent."),
         ("Everything handed over on site, first sign-in done together.", "Account blocked, forward set, devices collected.")),
    Kind("Security>Phishing", INCIDENT, INFRA, (1, 2, 2),
         ("{person} clicked on a link in a strange mail", "Strange invoice from {company}", "Many mails in Sent that I did not write"),
         ("It looked like a parcel message. I typed my password before I noticed. What should I do?",
          "The bank details are new and the tone is odd. We have not paid. The mail is attached.",
          "There are hundreds of mails in my Sent folder since {when}, people are calling me."),
         ("Sign-in from an unusual country at {when}, session revoked.", "Inbox rule found that moves answers to RSS feeds.",
          "Sender domain is one letter off, registered {count} days ago."),
         ("Password reset, sessions revoked, rule removed, {count} recipients warned.", "Domain blocked for all clients, user praised for asking.")),
    Kind("Security>Malware", INCIDENT, INFRA, (1, 2),
         ("Defender warning on {host}", "Pop-ups that say the PC is infected"),
         ("The console shows a quarantined file in a download folder. Please have a look today.",
          "A loud page says to call a number. I closed the browser with the power button."),
         ("Quarantined installer with a bundled tool, not executed.", "Browser notification abuse, no trace on disk."),
         ("Full scan clean, notification permission removed.", "Device isolated, reimaged and given back.")),
    Kind("Backup>Failed job", INCIDENT, INFRA, (2, 3, 3),
         ("Backup of {host} failed {count} nights in a row", "Restore a folder deleted {when}"),
         ("Automatic report: job 'nightly' ended with an error on {host}. Last good copy is {count} days old.",
          "Somebody deleted the {job} folder. We need it as it was on {when}, please."),
         ("Repository at 98 %, retention not pruned.", "Snapshot left behind by an aborted job.", "Folder found in the copy of {when}."),
         ("Pruned and ran the job by hand: {big} MB in 41 minutes, verified.", "Folder restored next to the old path, {person} checked it.")),
    Kind("Monitoring>Disk space", INCIDENT, INFRA, (3, 3, 2),
         ("{host}: C: below 10 % free", "{host}: high CPU for {count} hours"),
         ("Automatic alert. Threshold 10 %, now 7 %. First seen {when}.", "Automatic alert. CPU above 95 % since {when}. Users report slow reports in {app}."),
         ("Log folder of the update service grew to {big} MB.", "Report query runs without an index."),
         ("Logs trimmed and rotation set, 31 % free.", "Query fixed with the vendor, CPU back to 20 %.")),
    Kind("Hardware>Laptop", REQUEST, FIELD, (4, 4),
         ("Order {count} laptops like the last ones", "Screen and dock for {room}"),
         ("Same model as in spring, please, delivered to {room}. Order number follows.", "For {person}, standing desk, two screens."),
         ("Quote sent, delivery {count} working days.", "In stock, technician booked."),
         ("Delivered, labelled, added to the asset list.", "Set up on site, cables tidied.")),
    Kind("Project>Migration", CHANGE, PROJECTS, (4, 4, 3),
         ("Move {host} to the new cluster", "Mail migration, wave {count}", "Replace firewall at the main site"),
         ("Planned window: Saturday from 20:00. Fallback: old machine stays powered off for a week.",
          "{count} mailboxes, list attached. Users are told on Thursday.",
          "Rules exported and reviewed. Internet will be away for about 15 minutes."),
         ("Pre-check done, two open points with the vendor.", "Pilot group fine, one calendar to fix by hand."),
         ("Moved in the window, services checked with {person}, old machine off.", "Wave finished, {count} tickets from users, all closed.")),
    Kind("Software", PROBLEM, INFRA, (3, 2),
         ("Repeated sign-in failures after patch day", "{app} slow every Monday morning"),
         ("Seventh ticket of this kind in three weeks at several clients. Needs a common cause.",
          "{count} tickets since {when}, always between 08:00 and 10:00."),
         ("All affected devices have the same driver package.", "Full index rebuild is scheduled on Monday 07:30."),
         ("Driver blocked in the update ring, no new case in ten days.", "Rebuild moved to Sunday, Monday response normal.")),
)  # fmt: skip

ASKS = (
    "Could you tell me what exactly the message says? A photo of the screen is fine.",
    "I would like to connect to your PC. When would suit you today or tomorrow?",
    "Does this happen for {person} as well, or only on your device?",
    "I have made a change on our side. Please restart once and let me know whether it is better.",
    "We need the approval of your manager before we go on. Can you forward it?",
    "Is it enough if a technician comes by on {day} between 9 and 11?",
)
OPENERS = (
    "Thank you for letting us know. I have your ticket and am looking at it now.",
    "I have this one. First checks are running, you will hear from me by {time}.",
    "Thanks, received. I can see the fault from here and have started on it.",
    "Got it. I will call you at {time} so that we can look at it together.",
)
ANSWERS = (
    "It says the same as yesterday: error {big}. Photo attached.",
    "Tomorrow before 10 is good, after that I am in a meeting.",
    "Yes, {person} sees it too.",
    "I restarted. It was fine for an hour, now it is back.",
    "My manager says OK, go ahead.",
    "Any news? We have {job} to finish by {day}.",
    "That works now, thank you! One more thing: it still asks for the printer each time.",
    "Sorry for the late answer, I was out. I can be reached until {time}.",
)
BACK = (
    "It is back. Same message as before, since {when}.",
    "Unfortunately this is not solved: today it happened {count} times.",
    "It worked for a day. Can you have another look?",
)
PRIVATE = (
    "Checked remote: {finding}",
    "{finding} Client has no maintenance window before {day}.",
    "Spoke to {agent}: same thing at two other clients last month. {finding}",
    "Next: try it on a second device, then vendor. {finding}",
    "Contact is tense, please answer quickly. {finding}",
)
CALLS = (
    "Called {person}: not at the desk, left a message to call back.",
    "Call with {person}, 12 minutes. {finding} Agreed on the next step.",
    "{person} called in, wanted to know how long it will take. Told: by {time}.",
)
VENDOR = (
    "Opened a case with the vendor, number {big}. They answer within a day.",
    "Part ordered, delivery on {day}.",
    "Provider sends an engineer between 8 and 12 on {day}.",
)
VENDOR_BACK = ("Vendor answered: known fault, fix attached.", "Part has arrived, appointment made.", "Engineer was on site, line measured and good.")
CLOSING = ("No answer for three days, closing as agreed.", "Confirmed by phone, closed.", "Client confirmed, closed.", "Closed after three quiet days.")
