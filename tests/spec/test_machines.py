"""Suspected machines by example: e-mails, opt-outs by their links, and what the rules say, with the arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines import sqlfiles
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures import machines
from pipelines.measures.periods import read_record
from tests.support.core_database import build_core
from tests.support.histories import History
from tests.support.reference_spans import Policy

SENT = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
DELIVERED = SENT + timedelta(seconds=40)


def email(number: int, **values: Any) -> dict[str, Any]:
    return {
        "source": "mailer", "message_id": f"m{number}", "channel": "email", "contact": f"p{number}@example.com",
        "campaign_id": "autumn", "message_class": "marketing", "sent_at": SENT, "status": "delivered",
        "status_at": DELIVERED,
    } | values  # fmt: skip


def left(number: int, seconds: float, **values: Any) -> dict[str, Any]:
    return {
        "source": "mailer", "event_id": f"e{number}", "channel": "email", "contact": f"p{number}@example.com",
        "event_type": "opt_out", "requested_at": DELIVERED + timedelta(seconds=seconds), "method": "link",
    } | values  # fmt: skip


@contextmanager
def judged(messages: list[dict[str, Any]], events: list[dict[str, Any]], scope: str = "channel") -> Iterator[Any]:
    """The rules that each opt-out is suspected by, by the number of its contact."""
    history = History()
    history.rows["messages"], history.rows["consent_events"] = messages, events
    # Something later, so that the record does not end with the opt-out.
    history.rows["messages"].append(email(999, sent_at=SENT + timedelta(days=20), status="sent", status_at=None))
    with DuckDBEngine() as engine:
        build_core(engine, history, Policy(scope=scope), Path())
        yield engine


def suspected(engine: DuckDBEngine) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for event, rule, seconds in engine.rows(
        "select s.event_id, m.rule, m.seconds from core.suspected_machines m join core.opt_out_spans s using (span_id)"
    ):
        found.setdefault(event, {})[rule] = seconds
    return found


def test_ten_seconds_from_delivery_are_too_fast_for_a_person() -> None:
    # Each of its own campaign; 10 s is within 10 s, and before its delivery no message is answered.
    after = [-0.5, 0.0, 9.999999, 10.0, 10.000001]
    messages = [email(number, campaign_id=f"c{number}") for number in range(5)]
    with judged(messages, [left(number, seconds) for number, seconds in enumerate(after)]) as engine:
        assert suspected(engine) == {
            "e1": {"faster_than_a_person": 0.0},
            "e2": {"faster_than_a_person": 9.999999},
            "e3": {"faster_than_a_person": 10.0},
        }


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], float | None]] = {
    "by the link, after 5 s": ({}, {}, 5.0),
    "one click: the line is drawn at 3 s": ({}, {"method": "one_click"}, None),
    "one click in 3 s": ({}, {"method": "one_click", "requested_at": DELIVERED + timedelta(seconds=3)}, 3.0),
    "a page that has to be filled in": ({}, {"method": "preference_center"}, None),
    "nobody says how": ({}, {"method": None}, None),
    "a text message": ({"channel": "sms"}, {"channel": "sms"}, None),
    "read: status_at says when, and delivery is unknown": ({"status": "read"}, {}, None),
    "sent 4 s before, delivery not reported": (
        {"status": "sent", "status_at": None}, {"requested_at": SENT + timedelta(seconds=4)}, 4.0,
    ),
    "it names a campaign of which nothing is on record": ({}, {"campaign_id": "spring"}, None),
    "it names the campaign": ({}, {"campaign_id": "autumn"}, 5.0),
    "a complaint": ({}, {"event_type": "complaint"}, 5.0),
}  # fmt: skip


def test_which_opt_outs_a_rule_is_about() -> None:
    messages = [email(number, **message) for number, (message, _, _) in enumerate(CASES.values())]
    # Never five of one campaign in the same second.
    events = [left(number, 5, **event) for number, (_, event, _) in enumerate(CASES.values())]
    with judged(messages, events) as engine:
        found = {event: rules.get("faster_than_a_person") for event, rules in suspected(engine).items()}
    assert {name: found.get(f"e{number}") for number, name in enumerate(CASES)} == {
        name: seconds for name, (_, _, seconds) in CASES.items()
    }


def test_who_asks_again_later_is_a_person() -> None:
    again = {"event_id": "later", "requested_at": DELIVERED + timedelta(hours=2)}
    at_once = {"event_id": "twice", "requested_at": DELIVERED + timedelta(seconds=6)}
    events = [left(1, 5), left(1, 5, **again), left(2, 5), left(2, 5, **at_once)]
    with judged([email(1), email(2)], events) as engine:
        assert suspected(engine) == {"e2": {"faster_than_a_person": 5.0}}


def test_five_mailboxes_in_one_second_are_one_gateway() -> None:
    # Five 0.25 s apart lie within one second. Of five 0.3 s apart only the middle three have four others within a
    # second of them: the first and the last are 1.2 s apart. Four are too few; so are three and two of two campaigns.
    apart = {"near": (5, 0.25), "wide": (5, 0.3), "four": (4, 0.25), "three": (3, 0.1), "two": (2, 0.1)}
    messages, events, number = [], [], 0
    for campaign, (count, seconds) in apart.items():
        for place in range(count):
            number += 1
            messages.append(email(number, campaign_id=campaign))
            events.append(left(number, 30 + seconds * place, event_id=f"{campaign}{place}"))
    with judged(messages, events) as engine:
        found = suspected(engine)
    assert {rule for rules in found.values() for rule in rules} == {"many_in_the_same_second"}
    assert set(found) == {"near0", "near1", "near2", "near3", "near4", "wide1", "wide2", "wide3"}


def test_the_rate_without_machines_leaves_out_only_what_is_suspected() -> None:
    # Four reached: p1 left by a scanner, p2 by hand an hour later, p3 by a scanner and then blocked; p4 stays.
    messages = [email(number) for number in range(1, 5)]
    events = [
        left(1, 2),
        left(2, 3600),
        left(3, 2),
        left(3, 7200, event_id="b3", event_type="block", method="provider"),
    ]
    with judged(messages, events) as engine:
        engine.create("metrics.opt_out_rate", sqlfiles.read("metrics.opt_out_rate").text)
        for name in ("opt_out_rate_without_machines", "suspected_spans"):
            engine.create(f"metrics.{name}", sqlfiles.read(f"metrics.{name}").text)
        rows = machines.measure(engine, read_record(engine)).filter(channel="email", grain="day").rows(named=True)
        share = machines.measure(engine, read_record(engine)).filter(metric="suspected_machine_share", channel="*")
    rates = [row for row in rows if row["metric"] == "opt_out_rate_without_machines"]
    [day] = [row for row in rates if row["period_start"] == SENT.date()]
    assert (day["numerator"], day["denominator"], day["value"]) == (2, 4, 0.5)
    # Of three opt-out spans two are suspected; the block is none.
    assert {tuple(row) for row in share.select("grain", "numerator", "denominator").rows()} == {
        ("month", 2, 3), ("all", 2, 3),
    }  # fmt: skip


def test_a_suspected_opt_out_is_an_opt_out_for_the_audit() -> None:
    later = email(1, message_id="m1b", sent_at=SENT + timedelta(days=40), status="delivered")
    with judged([email(1), later], [left(1, 2, processed_at=DELIVERED + timedelta(hours=1))]) as engine:
        findings = engine.rows("select message_id, finding_class, severity from audits.findings")
        assert findings == [("m1b", "sent_after_processing", "critical")]
        assert set(suspected(engine)) == {"e1"}
