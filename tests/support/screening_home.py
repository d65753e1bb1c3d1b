"""A small home whose record has one contact for every reason not to send to somebody."""

from __future__ import annotations

from pathlib import Path

from tests.support.home import MESSAGE, Home, source

#: Nine in the morning in New York on 17 November 2026, a Tuesday.
AT = "2026-11-17T09:00-05:00"
EVENT = "event_id,channel,contact,event_type,requested_at,method,program,person_id\n"
EVENTS = (
    EVENT
    + "e1,sms,+12025550101,opt_in,2026-10-01T12:00:00Z,web_form,,\n"
    + "e2,sms,+12025550101,opt_out,2026-11-05T12:00:00Z,keyword,,\n"
    + "e3,sms,+12025550102,opt_in,2026-10-01T12:00:00Z,web_form,,\n"
    + "e4,sms,+12025550103,opt_in_requested,2026-10-02T12:00:00Z,web_form,,\n"
    + "e5,*,+12025550104,complaint,2026-11-06T12:00:00Z,,,p1\n"
    + "e6,sms,+12025550105,opt_in,2026-10-01T12:00:00Z,web_form,,\n"
    + "e7,sms,+12025550105,block,2026-11-07T12:00:00Z,provider,,\n"
    + "e8,sms,+15035550106,opt_in,2026-10-01T12:00:00Z,web_form,,\n"
    + "e9,email,anna@example.com,opt_out,2026-11-08T12:00:00Z,one_click,news,p1\n"
)
MESSAGES = (
    MESSAGE
    + "m1,sms,+12025550102,2026-11-16T15:00:00Z,marketing,delivered\n"
    + "m2,sms,+12025550102,2026-11-16T16:00:00Z,transactional,delivered\n"
    + "m3,sms,+12025550102,2026-11-16T17:00:00Z,marketing,failed\n"
    + "m4,sms,+12025550106,2026-11-16T18:00:00Z,marketing,delivered\n"
)
SOURCES = source("crm", "consent_events", "inbox/e*") + source("tool", "messages", "inbox/m*")
POLICY = 'default_country = "US"'


def made(path: Path, policy: str = POLICY, events: str = EVENTS, messages: str = MESSAGES) -> Home:
    """A home with these acts and messages, after a run."""
    home = Home(path).configure(SOURCES, policy).deliver({"e.csv": events, "m.csv": messages})
    home.run()
    return home
