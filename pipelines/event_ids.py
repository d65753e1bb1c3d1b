"""The ids of consent events that come without one: made of their content, so that an act delivered twice is one act."""

from __future__ import annotations

from typing import Any

from pipelines import identity
from pipelines.canonical import CONSENT_EVENTS

#: What such an id begins with.
DERIVED = "derived-"


def derived_sql(key: bytes) -> tuple[str, dict[str, Any]]:
    """SQL: the id made of a keyed row with first_key, and its parameters.

    The content has the contact's first key in it. When the key is rotated each new secret makes the next id of the one
    before, here as in what is written already, so that both stay the same.
    """
    names = (
        "first_key" if name == "contact_key" else name for name in CONSENT_EVENTS.stored_names if name != "event_id"
    )
    content = ", ".join(f"coalesce(cast({name} as varchar), chr(0))" for name in names)
    derived, secrets = f"'{DERIVED}' || md5(concat_ws(chr(1), {content}))", identity.secrets_of(key)
    for number in range(1, len(secrets)):
        derived = rekeyed_sql(derived, number)
    return derived, identity.hmac_parameters(secrets, since=1)


def rekeyed_sql(event_id: str, number: int) -> str:
    """SQL: the id that one of the secrets makes of such an id."""
    return f"'{DERIVED}' || left({identity.hmac_sql(event_id, number)}, 32)"
