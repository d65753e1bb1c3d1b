"""The rows that wait to be written: one compact record type per provider, and the buffers that hold them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.void]

# Kinds of a Twilio row.
OUTBOUND, INBOUND, CONFIRMATION = range(3)
# Statuses of a Twilio row, in the order of twilio.STATUSES.
DELIVERED, SENT, UNDELIVERED, FAILED, RECEIVED = range(5)
TWILIO_ROW = np.dtype(
    [
        ("at", "i4"),
        ("person", "i4"),
        ("kind", "u1"),
        ("text", "i4"),
        ("status", "u1"),
        ("error", "i4"),
        ("serial", "i8"),
    ]
)

# Kinds of a WhatsApp webhook.
WA_SENT, WA_DELIVERED, WA_READ, WA_FAILED, WA_INBOUND, WA_STOP, WA_RESUME = range(7)
WHATSAPP_ROW = np.dtype(
    [
        ("at", "i4"),  # when the webhook arrived
        ("stamp", "i4"),  # the time it tells
        ("person", "i4"),
        ("kind", "u1"),
        ("campaign", "i4"),
        ("text", "i4"),
        ("error", "i4"),
        ("repeat", "?"),  # the same webhook once more
        ("serial", "i8"),
    ]
)

MAIL_ROW = np.dtype(
    [
        ("at", "i4"),
        ("person", "i4"),
        ("channel", "u1"),
        ("campaign", "i4"),
        ("delivered", "?"),
        ("unsubscribed_at", "i4"),
        ("complained_at", "i4"),
        ("suppressed_at", "i4"),
        ("reason", "u1"),
        ("serial", "i8"),
    ]
)

# Event types, methods and actors of a CRM row, in the order of the lists in crm.py.
OPT_IN, OPT_IN_REQUESTED, OPT_IN_CONFIRMED, OPT_OUT = range(4)
WEB_FORM, PREFERENCE_CENTER, AGENT, IMPORT, BUTTON = range(5)
BY_CONTACT, BY_OPERATOR, BY_IMPORT = range(3)
# Where an opt-in was collected, in the order of the lists in crm.py; and what it says of the box.
OWN_WEB, AD_CAMPAIGN, OFFLINE, REFERRAL, UNKNOWN_SOURCE, PURCHASED, SCRAPED = range(7)
NO_BOX, EMPTY_BOX, TICKED_BOX = range(3)
EVERY_CHANNEL = 4
CRM_ROW = np.dtype(
    [
        ("at", "i4"),
        ("person", "i4"),
        ("channel", "u1"),
        ("address", "u1"),  # the channel whose address the event names
        ("event", "u1"),
        ("processed_at", "i4"),
        ("method", "u1"),
        ("actor", "u1"),
        ("source_type", "u1"),
        ("box", "u1"),
        ("reason", "u1"),
        ("campaign", "i4"),
        ("serial", "i8"),
    ]
)


def rows_of(dtype: np.dtype[Any], count: int, **columns: Any) -> Rows:
    """`count` records of a type; columns not named are zero."""
    rows: Rows = np.zeros(count, dtype=dtype)
    for name, values in columns.items():
        rows[name] = values
    return rows


@dataclass
class TimeBuffer:
    """Rows of one provider that are not written yet, and the serial number of the next one."""

    dtype: np.dtype[Any]
    serial: int = 0
    waiting: list[Rows] = field(default_factory=list)
    count: int = 0

    def serials(self, count: int) -> NDArray[np.int64]:
        """The next `count` serial numbers."""
        numbers = np.arange(self.serial, self.serial + count, dtype=np.int64)
        self.serial += count
        return numbers

    def add(self, rows: Rows) -> None:
        """Keeps rows until their time has come."""
        if len(rows):
            self.waiting.append(rows)
            self.count += len(rows)

    def take_before(self, second: int) -> Rows:
        """Removes and returns all rows of before `second`, in order of time and serial number."""
        if not self.waiting:
            return np.zeros(0, dtype=self.dtype)
        rows = np.concatenate(self.waiting)
        ripe = rows["at"] < second
        later = rows[~ripe]
        self.waiting = [later] if len(later) else []
        self.count = len(later)
        taken = rows[ripe]
        return taken[np.lexsort((taken["serial"], taken["at"]))]


@dataclass
class Outbox:
    """The buffers of all providers."""

    twilio: TimeBuffer = field(default_factory=lambda: TimeBuffer(TWILIO_ROW))
    whatsapp: TimeBuffer = field(default_factory=lambda: TimeBuffer(WHATSAPP_ROW))
    mail: TimeBuffer = field(default_factory=lambda: TimeBuffer(MAIL_ROW))
    crm: TimeBuffer = field(default_factory=lambda: TimeBuffer(CRM_ROW))
