"""The audience by example: who is opted in and when, what covers a message, who is inactive, with the arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines import sqlfiles
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures import audience
from pipelines.measures.periods import read_record
from tests.support.core_database import build_core
from tests.support.histories import History
from tests.support.reference_spans import Policy

END = datetime(2026, 10, 31, 12, tzinfo=UTC)


def at(day: str) -> datetime:
    """`10-05` is noon of that day in 2026, `10-05T08:30` that minute; both UTC."""
    return datetime.fromisoformat(f"2026-{day}" + ("" if "T" in day else "T12:00")).replace(tzinfo=UTC)


def act(day: str, event_type: str, contact: str, channel: str = "sms", **values: Any) -> dict[str, Any]:
    return {"source": "crm", "event_id": f"{day} {event_type} {contact} {channel}", "requested_at": at(day),
            "event_type": event_type, "contact": contact, "channel": channel} | values  # fmt: skip


def message(day: str, contact: str, channel: str = "sms", **values: Any) -> dict[str, Any]:
    return {"source": "gateway", "message_id": f"{day} {contact} {channel}", "sent_at": at(day), "contact": contact,
            "channel": channel, "message_class": "marketing", "status": "delivered"} | values  # fmt: skip


@contextmanager
def counted(acts: list[dict[str, Any]], messages: list[dict[str, Any]], **rows: Any) -> Iterator[DuckDBEngine]:
    """A working database of these rows, its audience measured; the record ends on 31 October at noon."""
    history = History()
    history.rows["consent_events"] = acts
    history.rows["messages"] = [*messages, message("10-31", "end", "push", message_class="transactional")]
    history.rows |= rows
    with DuckDBEngine() as engine:
        build_core(engine, history, Policy(scope="channel"), Path())
        for file in sqlfiles.load("metrics"):
            if file.name in audience.COUNTS:
                engine.create(file.relation, file.text)
        measured = audience.measure(engine, read_record(engine))
        engine.create_from_frame("metrics.measurements", measured)
        yield engine


def test_a_change_is_of_the_pair_and_an_act_may_change_nothing() -> None:
    acts = [
        act("09-01", "opt_in", "ann"),
        act("09-02", "opt_in", "ann"),  # already in
        act("09-10", "opt_out", "ann"),
        act("09-11", "opt_out", "ann"),  # already out
        act("09-20", "opt_in", "ann"),
        act("09-03", "opt_out", "bob"),  # never in
        act("09-05", "opt_in", "cy"),
        act("09-06", "block", "cy"),
        act("09-08", "unblock", "cy"),  # the opt-in before it holds again
        act("09-07", "block", "dee"),
        act("09-09", "unblock", "dee"),  # never in
        act("09-12", "opt_in", "eve"),
        act("09-12", "complaint", "eve"),  # at one instant: the complaint is the later act
        act("10-01", "complaint", "ann"),
    ]
    with counted(acts, []) as engine:
        columns = (
            "opted_in_at_start, opt_ins, re_opt_ins, unblocks, opt_outs, complaints, blocks, net_growth,"
            " opted_in_at_end, opt_in_acts, opt_out_acts, complaint_acts, block_acts"
        )
        rows = engine.rows(
            f"select {columns} from metrics.audience where grain = 'month' and channel = 'sms' order by period_start"
        )
        growth = engine.rows(
            "select value, numerator, denominator from metrics.measurements where metric = 'net_growth'"
            " and grain = 'month' and channel = '*' order by period_start"
        )
    # September: ann and cy come in first, ann again, cy unblocked; ann opts out, cy blocks: 2 + 1 + 1 - 1 - 1 = 2.
    assert rows == [(0, 2, 1, 1, 1, 0, 1, 2, 2, 5, 3, 1, 2), (2, 0, 0, 0, 0, 1, 0, -1, 1, 0, 0, 1, 0)]
    assert growth == [(2.0, 2.0, 0.0), (-1.0, -1.0, 2.0)]


def test_every_message_is_covered_or_said_why_not() -> None:
    acts = [
        act("09-10", "opt_in_requested", "ann", source_type="own_web", method="web_form"),
        act("09-12", "opt_in_confirmed", "ann", source_type="own_web", method="link"),
        act("09-20", "opt_out", "ann"),
        act("09-25", "opt_in", "ann", source_type="offline", method="agent"),
    ]
    days = ["09-01", "09-11", "09-12", "09-15", "09-20", "09-21", "09-25", "10-02"]
    messages = [message(day, "ann") for day in days] + [message("10-03", "bob")]
    with counted(acts, [*messages, message("10-04", "bob", status="failed")]) as engine:
        rows = engine.rows("select cast(period_start as string), phase, message_count from metrics.consent_coverage")
        origins = engine.rows("select source_type, method, message_count from metrics.consent_origins order by 1")
        share = engine.rows(
            "select numerator, denominator from metrics.measurements where metric = 'consent_coverage'"
            " and grain = 'all' and channel = 'sms'"
        )
    # The instant of an opt-in is covered, and so is that of the opt-out: the sender has the benefit of the doubt.
    assert set(rows) == {
        ("2026-09-01", "not_asked", 1),  # 1 Sept
        ("2026-09-01", "requested", 1),  # 11 Sept
        ("2026-09-01", "opted_in", 4),  # 12, 15, 20 and 25 Sept
        ("2026-09-01", "opted_out", 1),  # 21 Sept
        ("2026-10-01", "opted_in", 1),  # 2 Oct
        ("2026-10-01", "never_asked", 1),  # bob, 3 Oct
    }
    assert origins == [("offline", "agent", 2), ("own_web", "link", 3)]
    assert share == [(5.0, 9.0)]


def test_every_pair_is_in_one_segment() -> None:
    acts = [
        act("09-01", "opt_in", "ann"),
        act("09-01", "opt_out", "bob"),
        act("09-02", "block", "bob"),
        act("09-01", "block", "cy"),
        act("09-01", "opt_in_requested", "dee"),
        act("09-01", "unblock", "eve"),
        act("09-01", "opt_out", "fay", "*"),
    ]
    messages = [message("09-05", "gus", status="failed"), message("09-05", "ann", "email")]
    listed = [
        {"source": "list", "contact": name, "listed": is_listed} for name, is_listed in (("hal", True), ("ivy", False))
    ]
    with counted(acts, messages, contacts=listed) as engine:
        rows = engine.rows(
            "select c.contact_masked, s.channel, s.segment, s.is_blocked, cast(s.since_on as string)"
            " from metrics.segment_pairs s join core.contacts c using (contact_key)"
        )
        totals = dict(engine.rows("select segment, pair_count from metrics.segments where channel = '*'"))
    assert set(rows) == {
        ("ann", "sms", "opted_in", False, "2026-09-01"),
        ("ann", "email", "never_asked", False, None),
        ("bob", "sms", "opted_out", True, "2026-09-01"),
        ("cy", "sms", "opted_out", True, "2026-09-01"),
        ("dee", "sms", "pending_confirmation", False, "2026-09-01"),
        ("eve", "sms", "never_asked", False, None),
        ("fay", "*", "opted_out", False, "2026-09-01"),
        ("gus", "sms", "never_asked", False, None),
        ("hal", "*", "never_asked", False, None),
        ("end", "push", "never_asked", False, None),
    }
    assert totals == {"opted_in": 1, "opted_out": 3, "pending_confirmation": 1, "never_asked": 5}


def test_inactive_is_who_is_written_to_for_long_and_shows_no_sign_of_life() -> None:
    # 180 days before 31 October, noon, is 4 May, noon.
    line = END - timedelta(days=180)
    assert line == at("05-04")
    messages = [
        message(day, name, "email") for name in ("ann", "bob", "cy", "dee", "eve") for day in ("03-01", "10-01")
    ]
    messages += [message("10-01", "gus", "email"), message("03-01", "hal", "email")]
    messages += [message("06-01", "bob", "email", status="read", status_at=at("06-02"))]
    messages += [message("04-01", "cy", "email", status="read", status_at=at("04-02"))]
    messages += [message("05-04T12:00", "kim", "email"), message("05-04T11:59", "lou", "email")]
    messages += [message("10-01", "kim", "email"), message("10-01", "lou", "email")]
    messages += [message(day, "ann", "push") for day in ("03-01", "10-01")]
    acts = [
        act("06-01", "opt_in", "dee", "*", actor="contact"),
        act("06-01", "opt_in", "eve", "email", actor="import"),
    ]
    with counted(acts, messages) as engine:
        rows = engine.rows(
            "select c.contact_masked, i.channel, cast(i.inactive_since_on as string)"
            " from metrics.inactive_pairs i join core.contacts c using (contact_key)"
        )
        counts = engine.rows(
            "select channel, reached_count, long_reached_count, unknown_count, inactive_count, reports_reads"
            " from metrics.inactive_contacts order by channel"
        )
    # bob read in June and dee opted in; an import is no act of eve's. gus is new, hal is not written to any more, kim
    # has been reached for 180 days and not for longer. Nobody can know of push: it reports no reads.
    assert set(rows) == {
        ("ann", "email", "2026-03-01"),
        ("cy", "email", "2026-04-02"),
        ("eve", "email", "2026-03-01"),
        ("lou", "email", "2026-05-04"),
    }
    assert counts == [("*", 9, 7, 1, 4, False), ("email", 8, 6, 0, 4, True), ("push", 1, 1, 1, None, False)]


def test_an_empty_record_has_an_empty_audience() -> None:
    with counted([], []) as engine:
        assert engine.rows("select * from metrics.audience") == []
        assert engine.rows("select * from metrics.measurements") == []
        assert engine.rows("select segment, pair_count from metrics.segments where channel = '*'") == [
            ("never_asked", 1)
        ]
