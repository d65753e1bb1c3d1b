"""Consent phases, changes, coverage and segments against plain Python, on thousands of tiny histories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from random import Random

import pytest

from pipelines import sqlfiles
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures import audience
from pipelines.measures.periods import read_record
from tests.support.core_database import as_of, build_core
from tests.support.histories import History, joined, random_histories, random_policy
from tests.support.reference import merged_events, merged_messages, persons
from tests.support.reference_numbers import local_date
from tests.support.reference_spans import Event, Key, Policy, Span, key_of, keyed_events, spans

SCOPES = ("channel", "program", "person")
OPT_INS = ("opt_in", "opt_in_confirmed")
Pair = tuple[int, str]


class Told:
    """What a history says of consent, looked up one act at a time."""

    def __init__(self, history: History, policy: Policy, keys: dict[str, int]) -> None:
        self.policy = policy
        self.keys = keys
        self.messages = merged_messages(history.rows["messages"])
        self.events = merged_events(history.rows["consent_events"])
        self.person_of = persons(self.messages, self.events, history.rows["contacts"])
        self.spans: dict[Key, list[Span]] = {}
        for span in spans(self.messages, self.events, self.person_of, policy):
            self.spans.setdefault(span.key, []).append(span)
        self.acts: dict[Key, list[Event]] = {}
        for key, event in keyed_events(self.messages, self.events, self.person_of, policy.scope):
            self.acts.setdefault(key, []).append(event)
        named = {(one.contact, one.channel) for one in self.messages}
        named |= {(one.contact, one.channel) for one in self.events if one.channel != "*"}
        heard = {one.contact for one in self.events} - {contact for contact, _ in named}
        self.pairs = named | {(contact, "*") for contact in heard}

    def keys_of(self, contact: str, channel: str) -> list[Key]:
        """The scope keys that a pair's consent rests on."""
        if self.policy.scope == "person":
            return [Key(self.person_of.get(contact, contact), "*", "*")]
        return [key for key in self.acts if (key.owner, key.channel) == (contact, channel)]

    def standing(self, key: Key, instant: datetime) -> str:
        """Where consent stands once everything that happened at `instant` has happened."""
        for span in self.spans.get(key, []):
            if span.begins_at <= instant and (span.ends_at is None or span.ends_at > instant):
                return "opted_out"
        return self._asked(key, instant)

    def phase(self, key: Key, sent_at: datetime) -> str:
        """Where consent stands for a message sent at that instant, which has the benefit of the doubt."""
        if any(span.contains(sent_at) for span in self.spans.get(key, [])):
            return "opted_out"
        return self._asked(key, sent_at)

    def _asked(self, key: Key, instant: datetime) -> str:
        acts = self.acts.get(key, [])
        if any(act.event_type in OPT_INS and act.requested_at <= instant for act in acts):
            return "opted_in"
        asked = [act for act in acts if act.event_type in (*OPT_INS, "opt_in_requested")]
        if any(act.requested_at <= instant for act in asked):
            return "requested"
        return "not_asked" if asked else "never_asked"

    def changes(self) -> Counter[tuple[int, str, datetime, int]]:
        """Every instant at which a pair became opted in, or ceased to be."""
        found: Counter[tuple[int, str, datetime, int]] = Counter()
        for contact, channel in self.pairs:
            keys, was_in = self.keys_of(contact, channel), False
            for instant in sorted({act.requested_at for key in keys for act in self.acts.get(key, [])}):
                is_in = any(self.standing(key, instant) == "opted_in" for key in keys)
                if is_in != was_in:
                    found[self.keys[contact], channel, instant, 1 if is_in else -1] += 1
                was_in = is_in
        return found

    def segments(self, instant: datetime) -> dict[Pair, str]:
        """The one segment of each pair."""
        names = {"opted_in": "opted_in", "opted_out": "opted_out", "requested": "pending_confirmation"}
        found = {}
        for contact, channel in self.pairs:
            standings = {self.standing(key, instant) for key in self.keys_of(contact, channel)}
            first = next((name for standing, name in names.items() if standing in standings), "never_asked")
            found[self.keys[contact], channel] = first
        return found

    def coverage(self) -> Counter[tuple[date, str, str, str]]:
        """Messages that reached their contact by month, channel, source and phase."""
        return Counter(
            (
                local_date(message.sent_at, self.policy).replace(day=1),
                message.channel,
                message.source,
                self.phase(key_of(message, self.person_of, self.policy.scope), message.sent_at),
            )
            for message in self.messages
            if message.is_reached
        )


def built(seed: int, scope: str, count: int) -> Iterator[tuple[DuckDBEngine, Told, History]]:
    """One working database of many histories, its audience measured."""
    random = Random(seed)
    history, policy = joined(random_histories(random, count)), random_policy(random, scope)
    with DuckDBEngine() as engine:
        keys = build_core(engine, history, policy, Path())
        for file in sqlfiles.load("metrics"):
            if file.name in audience.COUNTS:
                engine.create(file.relation, file.text)
        yield engine, Told(history, policy, keys), history


def check(engine: DuckDBEngine, told: Told, history: History) -> None:
    found = Counter(engine.rows("select contact_key, channel, changed_at, change from core.pair_changes"))
    assert found == told.changes()
    rows = engine.rows("select contact_key, channel, segment from metrics.segment_pairs")
    assert len(rows) == len(told.pairs)
    assert {(key, channel): segment for key, channel, segment in rows} == told.segments(as_of(history))
    covered = engine.rows("select period_start, channel, source, phase, message_count from metrics.consent_coverage")
    assert {row[:-1]: row[-1] for row in covered} == dict(told.coverage())
    by_origin = engine.value("select coalesce(sum(message_count), 0) from metrics.consent_origins")
    assert by_origin == sum(row[-1] for row in covered if row[3] == "opted_in")
    balance(engine)


def balance(engine: DuckDBEngine) -> None:
    """What was there and what came, less what went, is what is there, and the next period starts with it."""
    rows = engine.records("select * from metrics.audience order by grain, channel, period_start")
    assert rows
    gains, losses = ("opt_ins", "re_opt_ins", "unblocks"), ("opt_outs", "complaints", "blocks")
    before = None
    for row in rows:
        came, went = (sum(row[name] for name in names) for names in (gains, losses))
        assert row["net_growth"] == came - went
        assert row["opted_in_at_end"] == row["opted_in_at_start"] + came - went
        assert row["opted_in_at_start"] >= 0
        same = before is not None and (before["grain"], before["channel"]) == (row["grain"], row["channel"])
        assert row["opted_in_at_start"] == (before["opted_in_at_end"] if same and before else 0)
        before = row
    now = dict(engine.rows("select channel, pair_count from metrics.segments where segment = 'opted_in'"))
    last = {row["channel"]: row["opted_in_at_end"] for row in rows if row["grain"] == "day"}
    assert {channel: count for channel, count in last.items() if count} == now


@pytest.mark.parametrize("scope", SCOPES)
def test_the_audience_is_what_plain_python_says(scope: str) -> None:
    for engine, told, history in built(11, scope, 150):
        audience.measure(engine, read_record(engine))
        check(engine, told, history)


@pytest.mark.slow
@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("seed", range(2))
def test_the_audience_is_what_plain_python_says_of_many(scope: str, seed: int) -> None:
    for engine, told, history in built(seed, scope, 800):
        audience.measure(engine, read_record(engine))
        check(engine, told, history)
