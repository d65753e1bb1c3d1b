"""What waivers are about: ids, addresses and keys as somebody wrote them, looked up in the record.

Addresses end here: what a subject shows of a contact is its mask and its key.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from pipelines import identity, sqlfiles
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.ledger import Ledger
from pipelines.settings import Settings
from pipelines.waivers_file import EVERY_RULE, Waiver

#: Where records with such an id are: relation and column.
_RECORDS = {
    "message": (("core.messages", "message_id"), ("core.inbound_messages", "inbound_id")),
    "event": (("core.consent_events", "event_id"),),
    "campaign": (
        ("core.messages", "campaign_id"),
        ("core.consent_events", "campaign_id"),
        ("history.campaigns", "campaign_id"),
    ),
}
ID_COLUMNS = {"message": "message_id", "event": "event_id", "campaign": "campaign_id"}
_HEX_KEY = re.compile(r"[0-9a-fA-F]{16}")
#: What stands in a text like an e-mail address or a phone number.
_ADDRESS_LIKE = re.compile(r"[^\s<>(),;:@]+@[^\s<>(),;:@]+\.\w+|(?<![\w-])\+?\d(?:[ ().-]{0,2}\d){8,14}(?![\w-])")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Subject:
    """What a waiver is about; `kind` is empty where nothing on record is so called and the row does not say."""

    kind: str
    value: Any  # an id, a contact_key, or None
    source: str | None
    shown: str  # as written, addresses masked
    is_known: bool


def rule_names() -> set[str]:
    """The rules that can be waived."""
    return {file.name for file in sqlfiles.load("audits") if "Rule" in file.fields}


def without_addresses(text: str) -> str:
    """A text as written, with masks in place of what looks like an address."""
    return _ADDRESS_LIKE.sub(_masked, text)


def _masked(match: re.Match[str]) -> str:
    found = match[0]
    if _DAY.match(found):
        return found
    return identity.masked_address(found if "@" in found else re.sub(r"[ ().-]", "", found))


class Lookup:
    """What the waivers of one file are about, looked up in the record."""

    def __init__(self, engine: DuckDBEngine, settings: Settings, waivers: list[Waiver]) -> None:
        self.engine, self.settings, self.waivers = engine, settings, waivers
        self.sources = {source.name for source in settings.sources}
        self._key: bytes | None = None

    def subjects(self) -> list[Subject]:
        """One subject per waiver, in order."""
        prepared = [self._with_source(waiver) for waiver in self.waivers]
        found = self._kinds_of_ids([one for one in prepared if not one.kind])
        prepared = [replace(one, kind=one.kind or found.get((one.rule, one.value), "")) for one in prepared]
        keys = {one.number: self._contact_keys(one.value) for one in prepared if one.kind == "contact" or not one.kind}
        contacts = self._contacts_on_record([key for some in keys.values() for key in some])
        on_record = {
            kind: self._on_record(kind, [one.value for one in prepared if one.kind == kind]) for kind in _RECORDS
        }
        return [self._subject(one, keys.get(one.number, []), contacts, on_record) for one in prepared]

    def _subject(
        self, waiver: Waiver, keys: list[int], contacts: dict[int, str], on_record: dict[str, set[tuple[str, str]]]
    ) -> Subject:
        match waiver.kind:
            case "period":
                return Subject("period", None, None, waiver.subject, True)
            case "contact" | "":
                known = [key for key in keys if key in contacts]
                if known:
                    shown = f"contact:{contacts[known[0]]} {known[0] & ((1 << 64) - 1):016x}"
                    return Subject("contact", known[0], None, shown, True)
                shown = waiver.subject if _HEX_KEY.fullmatch(waiver.value) else self._hidden(waiver)
                return Subject("contact" if keys and waiver.kind else "", keys[0] if keys else None, None, shown, False)
            case kind:
                ids = on_record[kind]
                is_known = any(
                    value == waiver.value and (waiver.source is None or waiver.source == source)
                    for source, value in ids
                )
                shown = waiver.subject if is_known else without_addresses(waiver.subject)
                return Subject(kind, waiver.value, waiver.source, shown, is_known)

    def _hidden(self, waiver: Waiver) -> str:
        """The subject of a waiver about a contact nobody knows, or about nothing on record."""
        if waiver.kind or identity.parsed_phone(waiver.value, self.settings.policy.default_country):
            return f"contact:{identity.masked_address(waiver.value)}"
        return without_addresses(waiver.subject)

    def _with_source(self, waiver: Waiver) -> Waiver:
        """`message:SOURCE/ID` taken apart, where a source is so called: ids may have slashes too."""
        if waiver.kind != "message" or waiver.source:
            return waiver
        cuts = [match.start() for match in re.finditer("/", waiver.value)]
        for cut in cuts:
            if waiver.value[:cut] in self.sources:
                return replace(waiver, source=waiver.value[:cut], value=waiver.value[cut + 1 :])
        return waiver

    def _kinds_of_ids(self, waivers: list[Waiver]) -> dict[tuple[str, str], str]:
        """What bare ids are: of the findings of the waiver's rule, else of the record, a message, event or campaign."""
        wanted: dict[str, set[str]] = {}
        for waiver in waivers:
            wanted.setdefault(waiver.rule, set()).add(waiver.value)
        found: dict[tuple[str, str], str] = {}
        for kind, column in ID_COLUMNS.items():
            for rule, values in wanted.items():
                for relation in self._relations(rule):
                    if column in self.engine.columns(f"select * from {relation}"):
                        for _, value in self._having(relation, column, values):
                            found.setdefault((rule, value), kind)
        left = {(rule, value) for rule, values in wanted.items() for value in values} - found.keys()
        for kind in ID_COLUMNS:
            known = {value for _, value in self._on_record(kind, [value for _, value in left])}
            for rule, value in left:
                if value in known:
                    found.setdefault((rule, value), kind)
        return found

    def _relations(self, rule: str) -> list[str]:
        names = sorted(rule_names() if rule == EVERY_RULE else rule_names() & {rule})
        return [f"audits.{name}" for name in names if self.engine.relation_exists(f"audits.{name}")]

    def _on_record(self, kind: str, values: Iterable[str]) -> set[tuple[str, str]]:
        """Which of these ids are on record, each with its source."""
        listed = set(values)
        return {one for relation, column in _RECORDS[kind] for one in self._having(relation, column, listed)}

    def _having(self, relation: str, column: str, values: set[str]) -> list[tuple[Any, ...]]:
        if not values:
            return []
        source = "source" if "source" in self.engine.columns(f"select * from {relation}") else "null"
        return self.engine.rows(
            f"select distinct {source}, {column} from {relation} where {column} in (select unnest($values))",
            {"values": sorted(values)},
        )

    def _contact_keys(self, text: str) -> list[int]:
        """The keys that a contact so written may have: a key as given, else those of its spellings."""
        if _HEX_KEY.fullmatch(text):
            value = int(text, 16)
            return [value - (1 << 64) if value >= 1 << 63 else value]
        key = self._secret()
        if key is None:
            return []
        countries = dict.fromkeys([self.settings.policy.default_country, None])
        addresses = [
            identity.normalised_address(text, is_phone, country) for country in countries for is_phone in (True, False)
        ]
        return [identity.contact_key(address, key) for address in dict.fromkeys(addresses)]

    def _secret(self) -> bytes | None:
        """The home's key, where it has one; raises ConfigurationError if history was keyed with another."""
        if self._key is None:
            if not os.environ.get("HEED_KEY") and not (self.settings.private / "key").exists():
                return None
            self._key = identity.home_key(self.settings.private, Ledger(self.settings.history))
        return self._key

    def _contacts_on_record(self, keys: list[int]) -> dict[int, str]:
        """The masks of those of these contacts that are on record, by key."""
        if not keys:
            return {}
        return dict(
            self.engine.rows(
                "select contact_key, contact_masked from core.contacts where contact_key in (select unnest($keys))",
                {"keys": sorted(set(keys))},
            )
        )
