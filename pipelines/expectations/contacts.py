"""What core.contacts must be: joining to it must neither lose a row nor double one."""

from __future__ import annotations

from pipelines.expectations._declare import column_allowed, columns_present, no_offenders

RELATION = "core.contacts"

EXPECTATIONS = [
    no_offenders("contacts_key_is_unique", "fitness", "No two contacts share a contact_key."),
    *columns_present("contacts", ["contact_key", "contact_masked", "address_kind", "person_key"]),
    column_allowed("contacts", "address_kind", ("phone", "email", "other")),
]
