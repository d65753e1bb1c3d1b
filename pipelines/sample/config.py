"""The heed.toml that goes with the sample: what a user reads first, so every line says why it is there."""

from __future__ import annotations

MARKER = "# Written by `heed sample`"

TEXT = (
    MARKER
    + """. Run `heed sample` again and it is replaced; delete this line and it is yours.
# Marlow & Finch is a fictional retailer. Its logs are in inbox/, what must be found in them by each rule is in
# answer_key.json.

[policy]
scope = "channel"            # an opt-out counts for its channel: channel, program or person
rules = "default"            # the rule book's rows: default, strict, none, or a list of ids (heed -C HOME rules)
default_deadline = "10bd"    # where no rule sets one: 48h, 30d, or business days as here
default_country = "US"       # how numbers without a country code are read: (202) 555-0143
report_timezone = "UTC"      # where days, weeks and months are cut
forbidden_sources = ["purchased", "scraped"]   # opt-ins from there are no consent
double_opt_in = false        # true: no marketing before an opt-in is confirmed
# frequency_cap = "3/24h"    # the home's own cap, beside those of the law
# What somebody has excused, why and until when, is in waivers.csv beside this file.

# SMS. The provider's own formats need no mapping: console CSV for the first months, bulk export after.
# It blocks on STOP at once, so its opt-outs are processed when they are requested.
[[source]]
name = "twilio"
connector = "twilio"
path = "inbox/twilio/*"

# WhatsApp: webhooks as they came, one envelope a line.
[[source]]
name = "whatsapp"
connector = "whatsapp_cloud"
path = "inbox/whatsapp/*.jsonl"

# E-mail and push: any wide CSV can be read by saying what its columns mean.
[[source]]
name = "mail"
connector = "generic"
table = "messages"
path = "inbox/mail/*.csv"
timezone = "UTC"             # its times carry no offset
null_values = ["", "NULL"]
[source.columns]             # our column = "their column", or { constant = "..." }
message_id = "message_id"
channel = "channel"
contact = "email"
person_id = "client_id"
program = "list"
campaign_id = "campaign_id"
message_class = "message_type"
sent_at = "sent_at"
status = "is_delivered"
[source.values.channel]      # their codes = ours; codes not named stay as they are
mobile_push = "push"
web_push = "push"
[source.values.message_class]
bulk = "marketing"
trigger = "marketing"
[source.values.status]
t = "delivered"
f = "undelivered"
[[source.events]]            # a row whose requested_at column is filled also yields a consent event
event_type = "opt_out"
requested_at = "unsubscribed_at"
processed_at = "suppressed_at"   # when the tool stopped sending
reason_code = "unsubscribe_reason"
method = { constant = "link" }
actor = { constant = "contact" }
[[source.events]]
event_type = "complaint"
requested_at = "complained_at"
processed_at = "suppressed_at"
method = { constant = "provider" }
actor = { constant = "contact" }

# The CRM exports the canonical columns, one file a month; opt-outs it records must still reach the senders above.
[[source]]
name = "crm"
connector = "canonical"
table = "consent_events"
path = "inbox/crm/consent_events*.csv"

[[source]]
name = "crm"
connector = "canonical"
table = "campaigns"
path = "inbox/crm/campaigns*.csv"

# The list of the loyalty programme: where most of its members live, and who is still on it. Whose home it does not tell
# is placed by area code, and what rests on that is only possible.
[[source]]
name = "crm"
connector = "canonical"
table = "contacts"
path = "inbox/crm/contacts*.csv"
"""
)
