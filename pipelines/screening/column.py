"""Which column of a list holds the addresses."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipelines.audience import Audience, Head, named_column
from pipelines.canonical import PHONE_CHANNELS
from pipelines.errors import UsageError
from pipelines.identity import normalised_address
from pipelines.shapes import column_names

#: Names under which lists have addresses, in the order in which they are looked for.
NAMES = ("contact", "address", "phone", "phone_number", "mobile", "msisdn", "email", "email_address", "to", "recipient")
_PHONE = ("phone", "phone_number", "mobile", "msisdn")
_EMAIL = ("email", "email_address")
_ADDRESS = re.compile(r"^\s*(\+?[\d ().-]{7,}|\S+@\S+)\s*$")


def _share(values: Sequence[str], channel: str, country: str | None) -> float:
    """Of the first values, the share that the channel can be sent to."""
    is_phone = channel in PHONE_CHANNELS
    texts = [normalised_address(value, is_phone, country) for value in values]
    if is_phone:
        fitting = sum(bool(re.fullmatch(r"\+\d{7,15}", text)) for text in texts)
    elif channel == "email":
        fitting = sum("@" in text for text in texts)
    else:
        fitting = len(texts)
    return fitting / len(texts) if texts else 0.0


def _guess(head: Head, channel: str, country: str | None) -> str | None:
    named = [column for name in NAMES if (column := named_column(head.columns, name)) is not None]
    fitting = [column for column in named if _share(head.first[column], channel, country) >= 0.5]
    if fitting:
        return fitting[0]
    # None of them looks right, as in an empty list, or one of national numbers: then the name alone decides.
    other = _EMAIL if channel in PHONE_CHANNELS else _PHONE if channel == "email" else ()
    own = [column for column in named if column.strip().lower() not in other]
    return own[0] if len(own) == 1 else None


def choose(audience: Audience, wanted: str | None, channel: str, country: str | None) -> str:
    """The column that holds the addresses: the one named, or the first by name that fits the channel.

    Raises UsageError naming the list's columns where there is none.
    """
    head = audience.head()
    found = named_column(head.columns, wanted) if wanted else _guess(head, channel, country)
    if found is not None:
        return found
    if not head.columns:
        raise UsageError(f"{audience.label} has no columns.", "It needs one of addresses.")
    if audience.form == "csv" and any(_ADDRESS.match(name) for name in head.columns):
        raise UsageError(
            f"{audience.label} has no header line: an address stands in it.", "Put a line with column names on top."
        )
    what = f"no column called {wanted}" if wanted else f"no column of addresses for {channel} that heed can tell"
    raise UsageError(
        f"{audience.label} has {what}; its columns are {column_names(head.columns)}.", "Name it with --column."
    )
