"""Verdicts by example: what fails a row, what keeps it from being attested, and which rows."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measure import measure
from tests.support.measured import derive_core, instant, measured

CLEAN = "contact source channel sent\n1 shop sms 2026-10-05\n2 mailer email 2026-10-06"


def verdicts(engine: DuckDBEngine) -> dict[tuple[Any, ...], str]:
    rows = engine.rows("select cast(period_start as text), channel, source, verdict from metrics.verdicts")
    assert len({row[:3] for row in rows}) == len(rows)
    return {row[:3]: row[3] for row in rows}


def reasons(engine: DuckDBEngine, period_start: str | None = None, channel: str = "*", source: str = "*") -> list[str]:
    return str(
        engine.value(
            "select reasons from metrics.verdicts"
            " where period_start is not distinct from cast(? as date) and channel = ? and source = ?",
            [period_start, channel, source],
        )
    ).split("\n")


def finding(occurred_at: str, **row: Any) -> dict[str, Any]:
    return {"severity": "critical", "occurred_at": instant(occurred_at), **row}


def test_clean_record_passes_in_every_cell() -> None:
    engine = measured(CLEAN, "contact begins processed\n1 2026-10-06 2026-10-07", as_of="2026-10-20")
    cells = {
        ("*", "*"),
        ("sms", "*"),
        ("email", "*"),
        ("*", "shop"),
        ("*", "mailer"),
        ("sms", "shop"),
        ("email", "mailer"),
    }
    assert verdicts(engine) == {(start, *cell): "Pass" for start in (None, "2026-10-01") for cell in cells}
    assert reasons(engine) == ["No violation, and no hole in the evidence."]
    rows = engine.rows(
        "select channel, message_count from metrics.verdicts where period_start is null and source = '*'"
    )
    assert set(rows) == {("*", 2), ("sms", 1), ("email", 1)}


def test_violation_fails_the_rows_it_belongs_to() -> None:
    # The waived one and the notice are no violations.
    engine = measured(
        CLEAN,
        as_of="2026-10-20",
        audits__findings=[
            finding("2026-10-07"),
            finding("2026-10-07", severity="high", waived_by="W1", channel="email", source="mailer"),
            finding("2026-10-07", severity="notice", channel="email", source="mailer"),
        ],
    )
    found = verdicts(engine)
    assert {cell for cell, verdict in found.items() if verdict == "Fail"} == {
        (start, *cell)
        for start in (None, "2026-10-01")
        for cell in (("*", "*"), ("sms", "*"), ("*", "shop"), ("sms", "shop"))
    }
    assert found[None, "email", "mailer"] == "Pass"
    assert reasons(engine) == ["Violations: 1.", "Waived: 1."]
    assert reasons(engine, None, "email", "mailer") == ["No violation, and no hole in the evidence.", "Waived: 1."]
    assert reasons(engine, None, "sms", "shop") == ["Violations: 1."]


def test_violation_of_a_source_without_messages_has_its_own_row() -> None:
    late = finding("2026-10-09", rule="opt_out_not_honoured_in_time", source="crm", channel="*")
    engine = measured(CLEAN, as_of="2026-10-20", audits__findings=[late])
    found = verdicts(engine)
    assert found[None, "*", "crm"] == found["2026-10-01", "*", "*"] == "Fail"
    # It is about every channel, and about what crm did.
    assert found[None, "sms", "*"] == "Fail"
    assert found[None, "sms", "shop"] == "Pass"


def test_violation_falls_in_the_month_of_the_report_time_zone() -> None:
    # 1 November 03:00 UTC is 31 October in New York.
    messages = "contact sent sent_on\n1 2026-10-05 -\n1 2026-11-01T03:00 2026-10-31"
    engine = measured(
        messages, as_of="2026-11-02", zone="America/New_York", audits__findings=[finding("2026-11-01T03:00")]
    )
    found = verdicts(engine)
    assert found["2026-10-01", "*", "*"] == "Fail"
    assert (found["2026-11-01", "*", "*"], reasons(engine, "2026-11-01")) == (
        "Cannot attest",
        ["No message is on record."],
    )


def test_quarantined_rows_weaken_every_row_from_their_file_s_month_on() -> None:
    engine = measured(
        "contact sent\n1 2026-09-05\n1 2026-10-05\n1 2026-11-05",
        as_of="2026-11-06",
        run__inputs=[{"source": "crm", "quarantined_count": 3, "first_record_at": instant("2026-10-09")}],
    )
    found = verdicts(engine)
    assert [found[start, "sms", "shop"] for start in ("2026-09-01", "2026-10-01", "2026-11-01", None)] == [
        "Pass",
        "Cannot attest",
        "Cannot attest",
        "Cannot attest",
    ]
    assert reasons(engine) == ["Rows quarantined, any of which may be a lost opt-out: 3."]


def test_quarantined_rows_of_a_file_without_accepted_rows_weaken_every_month() -> None:
    engine = measured(CLEAN, as_of="2026-10-20", run__inputs=[{"quarantined_count": 3}])
    assert set(verdicts(engine).values()) == {"Cannot attest"}


def test_opt_out_without_proof_of_processing_weakens_its_channel_and_month() -> None:
    engine = measured(CLEAN + "\n1 shop sms 2026-11-01", "contact begins processed\n1 2026-10-06 -", as_of="2026-11-02")
    found = verdicts(engine)
    assert (found["2026-10-01", "sms", "shop"], found["2026-11-01", "sms", "shop"]) == ("Cannot attest", "Pass")
    assert found["2026-10-01", "email", "mailer"] == "Pass"
    assert reasons(engine) == ["Opt-outs without proof of processing: 1."]


def test_unmatched_contacts_weaken_their_source_and_channel() -> None:
    engine = measured(CLEAN, as_of="2026-10-20", core__contacts=[{"contact_key": 2, "address_kind": "other"}])
    found = verdicts(engine)
    assert (found[None, "sms", "shop"], found[None, "email", "mailer"]) == ("Pass", "Cannot attest")
    assert reasons(engine) == ["Messages to addresses that are neither a phone number nor an e-mail address: 1."]


def test_an_opt_out_of_an_id_weakens_its_channel_from_then_on() -> None:
    messages = CLEAN + "\n1 shop sms 2026-11-01\n2 mailer email 2026-11-01"
    act = {"event_id": "e", "contact_key": 7, "requested_on": "2026-11-01"}
    an_id = [{"contact_key": 7, "address_kind": "other"}, {"contact_key": 1, "address_kind": "phone"}]

    def cells(event: dict[str, Any], **more: Any) -> dict[tuple[Any, ...], str]:
        engine = measured(
            messages, as_of="2026-11-02", core__contacts=an_id, core__consent_events=[act | event], **more
        )
        return {cell: verdict for cell, verdict in verdicts(engine).items() if verdict != "Pass"}

    starts = (None, "2026-11-01")
    for event_type in ("opt_out", "complaint", "block"):
        assert cells({"event_type": event_type}) == {
            (start, *cell): "Cannot attest"
            for start in starts
            for cell in (("*", "*"), ("sms", "*"), ("*", "shop"), ("sms", "shop"), ("*", "mailer"))
        }
    assert (None, "email", "mailer") in cells({"event_type": "opt_out", "channel": "*"})
    assert cells({"event_type": "opt_in"}) == cells({"event_type": "opt_out", "channel": "push"}) == {}
    assert cells({"event_type": "opt_out", "contact_key": 1}) == {}


def test_an_opt_out_of_an_id_is_matched_where_the_id_itself_is_written_to_or_belongs_to_a_person() -> None:
    an_id = {"contact_key": 7, "address_kind": "other", "person_key": "person:p7"}
    act = {"event_id": "e", "contact_key": 7, "channel": "*"}
    push = "source contact channel sent\napp 7 push 2026-10-05"
    for messages, scope in ((push, "channel"), (CLEAN, "person"), (CLEAN, "channel")):
        engine = measured(messages, as_of="2026-10-20", core__contacts=[an_id], core__consent_events=[act])
        engine.execute(f"update run.parameters set scope = '{scope}'")
        derive_core(engine)
        measure(engine)
        is_hole = messages == CLEAN and scope == "channel"
        assert verdicts(engine)[None, "*", "*"] == ("Cannot attest" if is_hole else "Pass")
    assert reasons(engine) == ["Opt-outs of ids that are neither a phone number nor an e-mail address: 1."]


def test_push_token_is_its_channel_s_own_address() -> None:
    messages = "source contact channel message_id sent\napp 2 push m1 2026-10-05"
    engine = measured(messages, as_of="2026-10-20", core__contacts=[{"contact_key": 2, "address_kind": "other"}])
    assert verdicts(engine)[None, "push", "app"] == "Pass"


def no_consent_log(severity: str, **row: Any) -> dict[str, Any]:
    return finding("2026-10-06", rule="message_without_consent", finding_class="no_consent_log") | (
        {"severity": severity, "channel": "email", "source": "mailer"} | row
    )


def test_no_opt_in_on_record_is_a_hole_where_the_law_demands_consent() -> None:
    engine = measured(CLEAN, as_of="2026-10-20", audits__findings=[no_consent_log("warning")])
    found = verdicts(engine)
    assert (found[None, "sms", "shop"], found["2026-10-01", "email", "mailer"]) == ("Pass", "Cannot attest")
    assert reasons(engine) == ["No opt-in is on record for messages that by law need one: 1."]
    # Nobody can waive what is not there.
    engine = measured(CLEAN, as_of="2026-10-20", audits__findings=[no_consent_log("warning", waived_by="Ann")])
    assert verdicts(engine)[None, "*", "*"] == "Cannot attest"


def test_no_opt_in_on_record_is_no_hole_where_no_law_demands_it() -> None:
    engine = measured(CLEAN, as_of="2026-10-20", audits__findings=[no_consent_log("notice")])
    assert set(verdicts(engine).values()) == {"Pass"}


def test_possible_requests_that_nobody_reviewed_are_no_hole() -> None:
    missed = finding("2026-10-06", rule="opt_out_request_missed", finding_class="possible", severity="warning")
    assert set(verdicts(measured(CLEAN, as_of="2026-10-20", audits__findings=[missed])).values()) == {"Pass"}


def test_a_source_of_which_nothing_is_held_weakens_every_row() -> None:
    engine = measured(CLEAN, as_of="2026-10-20", run__absent_sources=[{"source": "crm"}])
    assert set(verdicts(engine).values()) == {"Cannot attest"}
    assert reasons(engine) == ["Source crm is configured, and nothing of it is on record."]
    for names, told in ((("crm", "app"), "app, crm."), (("crm", "web", "app"), "3, among them app and web.")):
        engine = measured(CLEAN, as_of="2026-10-20", run__absent_sources=[{"source": name} for name in names])
        assert reasons(engine) == [f"Sources are configured of which nothing is on record: {told}"]


def test_a_source_that_does_not_log_every_event_weakens_its_own_messages() -> None:
    messages = CLEAN + "\n1 shop sms 2026-11-01\n2 mailer email 2026-11-01"
    engine = measured(messages, as_of="2026-11-02", run__sources=[{"source": "mailer", "limits": "Opens only."}])
    found = verdicts(engine)
    cells = {("*", "*"), ("*", "mailer"), ("email", "*"), ("email", "mailer")}
    starts = (None, "2026-10-01", "2026-11-01")
    assert {cell for cell, verdict in found.items() if verdict != "Pass"} == {
        (start, *cell) for start in starts for cell in cells
    }
    assert reasons(engine) == ["Source mailer is known not to log every event."]


def test_a_consent_log_that_does_not_log_every_event_weakens_the_channels_of_its_events_from_then_on() -> None:
    messages = CLEAN + "\n1 shop sms 2026-11-01\n2 mailer email 2026-11-01"
    event = {"source": "crm", "event_id": "e", "channel": "sms", "requested_on": "2026-11-01"}
    limits = [{"source": "crm", "limits": "The first opt-out only."}, {"source": "shop", "limits": ""}]
    engine = measured(messages, as_of="2026-11-02", core__consent_events=[event], run__sources=limits)
    found = verdicts(engine)
    assert [found[start, "sms", "shop"] for start in ("2026-10-01", "2026-11-01")] == ["Pass", "Cannot attest"]
    assert {found[start, "email", "mailer"] for start in (None, "2026-10-01", "2026-11-01")} == {"Pass"}
    assert reasons(engine) == ["Source crm is known not to log every event."]


def test_record_without_any_consent_event_cannot_be_attested() -> None:
    engine = measured(CLEAN, as_of="2026-10-20", core__consent_events=[])
    assert set(verdicts(engine).values()) == {"Cannot attest"}
    assert reasons(engine) == ["No consent event is on record: opt-outs cannot be checked."]


def days(*offsets: int) -> str:
    return "contact sent\n" + "\n".join(f"1 {date(2026, 9, 1) + timedelta(days=offset)}" for offset in offsets)


@pytest.mark.parametrize(
    ("messages", "as_of", "longest"),
    [
        # Every day: a usual gap of 1 day, and 3 days are no silence, 4 are.
        (days(*range(10), *range(12, 20)), "2026-09-20", None),
        (days(*range(10), *range(13, 20)), "2026-09-20", 4),
        # Once a week, then nothing for 28 days: more than 3 * 7.
        (days(0, 7, 14, 21, 28, 35, 63), "2026-11-03", 28),
        # Once a week, then nothing for 21 days: as far as the rhythm reaches.
        (days(0, 7, 14, 21, 28, 35, 56), "2026-10-27", None),
        # Silent to the end of the record.
        (days(*range(10)), "2026-09-20", 10),
        # Four gaps make no rhythm.
        (days(0, 1, 2, 3, 30), "2026-10-01", None),
    ],
)
def test_silence_is_longer_than_the_source_s_own_rhythm(messages: str, as_of: str, longest: int | None) -> None:
    engine = measured(messages, as_of=as_of)
    if longest is None:
        assert verdicts(engine)[None, "*", "*"] == "Pass"
    else:
        assert verdicts(engine)[None, "*", "*"] == "Cannot attest"
        told = f"Silences longer than the rhythm of their source explains: 1, the longest of {longest} days."
        assert reasons(engine) == [told]


#: 7 days in September, then 4 October and on.
BROKEN_OFF = [*range(7), *range(34, 70)]


def log_days(*offsets: int, **row: Any) -> list[dict[str, Any]]:
    """One consent event or inbound message a day; both take the columns that both have."""
    dates = [date(2026, 9, 1) + timedelta(days=offset) for offset in offsets]
    if "event_type" in row:
        return [{"event_id": f"e{on}", "requested_at": instant(str(on)), "requested_on": str(on)} | row for on in dates]
    return [{"inbound_id": f"i{on}", "received_at": instant(str(on))} | row for on in dates]


def test_silence_of_a_consent_log_weakens_every_channel_and_source_in_its_months() -> None:
    events = log_days(*BROKEN_OFF, event_type="opt_in", source="crm", channel="email")
    # Another log in the meantime is another log.
    events += log_days(*range(70), event_type="opt_in", source="app")
    engine = measured(days(*range(70)), as_of="2026-11-09", core__consent_events=events)
    found = verdicts(engine)
    assert [found[start, "sms", "shop"] for start in ("2026-09-01", "2026-10-01", "2026-11-01", None)] == [
        "Cannot attest",
        "Cannot attest",
        "Pass",
        "Cannot attest",
    ]
    told = "Silences of a consent log longer than its rhythm explains: 1, the longest of 28 days."
    assert reasons(engine) == [told]


def test_a_consent_log_of_few_acts_has_no_rhythm_to_break() -> None:
    # Ten days of opt-ins, one opt-out weeks later: people come when they come.
    events = log_days(*range(10), 50, event_type="opt_in")
    engine = measured(days(*range(70)), as_of="2026-11-09", core__consent_events=events)
    assert set(verdicts(engine).values()) == {"Pass"}


def test_a_consent_log_is_one_log_whatever_the_channels_of_its_events() -> None:
    events = log_days(*range(0, 70, 2), event_type="opt_in") + log_days(*range(1, 70, 2), event_type="opt_out")
    for event in events[: len(events) // 3]:
        event["channel"] = "email"
    engine = measured(days(*range(70)), as_of="2026-11-09", core__consent_events=events)
    assert set(verdicts(engine).values()) == {"Pass"}


def test_silence_of_a_log_of_inbound_messages_weakens_its_channel() -> None:
    messages = days(*range(70)) + "\n".join(["", *(f"1 {date(2026, 9, 1) + timedelta(days=day)}" for day in range(70))])
    messages = "\n".join(
        f"{line} {'channel' if not number else 'sms' if number <= 70 else 'email'}"
        for number, line in enumerate(messages.split("\n"))
    )
    inbound = log_days(*BROKEN_OFF, source="gateway")
    found_in = measured(messages, as_of="2026-11-09", core__inbound_messages=inbound)
    found = verdicts(found_in)
    assert (found["2026-09-01", "sms", "shop"], found["2026-11-01", "sms", "shop"]) == ("Cannot attest", "Pass")
    assert found[None, "email", "shop"] == "Pass"
    told = "Silences of a log of inbound messages longer than its rhythm explains: 1, the longest of 28 days."
    assert reasons(found_in) == [told]


def test_a_consent_log_that_begins_long_after_the_messages_was_silent_before() -> None:
    events = log_days(*range(34, 70), event_type="opt_in", source="crm") + log_days(69, event_type="opt_out")
    engine = measured(days(*range(70)), as_of="2026-11-09", core__consent_events=events)
    found = verdicts(engine)
    assert [found[start, "*", "*"] for start in ("2026-09-01", "2026-10-01", "2026-11-01")] == [
        "Cannot attest",
        "Cannot attest",
        "Pass",
    ]
    told = "Silences of a consent log longer than its rhythm explains: 1, the longest of 34 days."
    assert reasons(engine) == [told]
    # A few days without an act are no silence, and a log that joins another is none of it.
    for events in (
        log_days(*range(3, 70), event_type="opt_in"),
        log_days(*range(70), event_type="opt_in") + log_days(*range(34, 70), event_type="opt_out", source="crm"),
    ):
        engine = measured(days(*range(70)), as_of="2026-11-09", core__consent_events=events)
        assert set(verdicts(engine).values()) == {"Pass"}


def test_a_log_that_ended_before_as_of_is_silent_to_the_end() -> None:
    events = log_days(*range(30), event_type="opt_in")
    engine = measured(days(*range(70)), as_of="2026-11-09", core__consent_events=events)
    assert [verdicts(engine)[start, "*", "*"] for start in ("2026-09-01", "2026-10-01", "2026-11-01")] == [
        "Pass",
        "Cannot attest",
        "Cannot attest",
    ]


def test_silence_weakens_the_months_it_touches() -> None:
    # Silent from 8 September to 4 October.
    engine = measured(days(*range(7), *range(34, 70)), as_of="2026-11-09")
    found = verdicts(engine)
    assert [found[start, "sms", "shop"] for start in ("2026-09-01", "2026-10-01", "2026-11-01")] == [
        "Cannot attest",
        "Cannot attest",
        "Pass",
    ]
