"""The validation step: sound data pass, every planted wrong is named, and nothing of the data leaks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.errors import EngineError, ValidationFailedError
from pipelines.validate import validate
from tests.support.working_database import insert, sound_database, working_database

# Great Expectations imports modules that Python has deprecated (sre_parse, sre_constants).
pytestmark = pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning")


def failures(engine: DuckDBEngine) -> dict[str, int]:
    """The expectations that fail and how many rows each objects to; checks that the error says the same."""
    try:
        validate(engine)
        message = ""
    except ValidationFailedError as error:
        message = str(error)
    failed = dict(engine.rows("select expectation, unexpected_count from validation.results where not success"))
    assert bool(message) == bool(failed)
    for name, count in failed.items():
        assert f"{name} ({count} of " in message
    return failed


def test_sound_data_pass_and_every_result_says_what_was_looked_at() -> None:
    with sound_database() as engine:
        assert failures(engine) == {}
        assert engine.columns("select * from validation.results") == {
            "expectation": "VARCHAR",
            "kind": "VARCHAR",
            "relation": "VARCHAR",
            "description": "VARCHAR",
            "success": "BOOLEAN",
            "checked_count": "BIGINT",
            "unexpected_count": "BIGINT",
        }
        checked = dict(engine.rows("select expectation, checked_count from validation.results"))
        assert len(checked) == engine.value("select count(*) from validation.results")
        # 6 messages, one of them transactional; 2 of the other 5 went to an opted-out contact.
        assert checked["messages_key_is_unique"] == 6
        assert checked["no_marketing_message_went_to_an_opted_out_contact_unnoticed"] == 5
        assert checked["no_message_is_wrongly_found_after_an_opt_out"] == 2
        assert engine.rows("select distinct kind from validation.results order by kind") == [
            ("fitness",),
            ("invariant",),
            ("key",),
        ]
        # A second run in the same process finds the same.
        assert failures(engine) == {}


def test_nothing_at_all_passes() -> None:
    with working_database() as engine:
        insert(engine, "run.parameters", {})
        assert failures(engine) == {}
        assert engine.value("select max(checked_count) from validation.results") == 0


# Name of the wrongs: the statements that plant them, and every expectation that must object, with its count.
WRONGS: dict[str, tuple[list[str], dict[str, int]]] = {
    "rows twice": (
        [
            "insert into core.messages select * from core.messages where message_id = 'm5'",
            "insert into core.consent_events select * from core.consent_events where event_id = 'e2'",
            "insert into core.inbound_messages select * from core.inbound_messages",
            "insert into core.contacts select * from core.contacts where contact_key = 2",
            "insert into audits.findings select * from audits.findings where message_id = 'm2'",
            "insert into metrics.measurements select * from metrics.measurements where channel = 'email'",
        ],
        {
            "messages_key_is_unique": 1,
            "consent_events_key_is_unique": 1,
            "inbound_messages_key_is_unique": 1,
            "contacts_key_is_unique": 1,
            "messages_after_opt_out_are_found_once": 1,
            "measurements_key_is_unique": 1,
        },
    ),
    "words that are not ours": (
        [
            "update core.messages set channel = 'mms' where message_id = 'm1'",
            "update core.messages set status = 'queued' where message_id = 'm5'",
            "update core.messages set message_class = 'promo' where message_id = 'm3'",
            "update core.consent_events set channel = 'all', event_type = 'start' where event_id = 'e2'",
            "update core.inbound_messages set channel = '*'",
            "update core.contacts set address_kind = 'fax' where contact_key = 2",
            "update core.opt_out_spans set kind = 'complaint' where span_id = 2",
            "update audits.findings set severity = 'info' where message_id = 'i1'",
            # Without the opt-in e2, m5 of the 6th is inside as well.
            "insert into audits.findings select * replace ('m5' as message_id) from audits.findings "
            "where message_id = 'm2'",
        ],
        {
            "messages_channel_is_allowed": 1,
            "messages_status_is_allowed": 1,
            "messages_message_class_is_allowed": 1,
            "consent_events_channel_is_allowed": 1,
            "consent_events_event_type_is_allowed": 1,
            "inbound_messages_channel_is_allowed": 1,
            "contacts_address_kind_is_allowed": 1,
            "spans_kind_is_allowed": 1,
            "findings_severity_is_allowed": 1,
        },
    ),
    "instants before 2000": (
        [
            "update core.messages set sent_at = '1999-12-31 23:59:59+00' where message_id = 'm1'",
            "update core.messages set status_at = '1970-01-01 00:00:00+00' where message_id = 'm4'",
            "update core.consent_events set processed_at = '1970-01-01 00:00:00+00' where event_id = 'e1'",
            "update core.inbound_messages set received_at = '1970-01-01 00:00:00+00'",
            "insert into core.consent_events select * replace ('e9' as event_id, 'email' as channel, 'opt_in' as "
            "event_type, timestamptz '1999-01-01 00:00:00+00' as requested_at, null as processed_at) "
            "from core.consent_events where event_id = 'e1'",
        ],
        {
            "messages_sent_at_is_plausible": 1,
            "messages_status_at_is_plausible": 1,
            "consent_events_processed_at_is_plausible": 1,
            "consent_events_requested_at_is_plausible": 1,
            "inbound_messages_received_at_is_plausible": 1,
        },
    ),
    "records after as_of": (
        ["update run.parameters set as_of = '2026-10-06 09:59:59+00'"],
        # m5, of 10:00; that the newest delivery is later than as_of is no fault.
        {"messages_sent_at_is_plausible": 1},
    ),
    "flags and counts that do not add up": (
        [
            "update core.messages set is_marketing = false, is_reached = false where message_id = 'm1'",
            "update core.messages set is_reached = true where message_id = 'm5'",
            "update run.inputs set read_count = 14",
            "delete from history.messages where message_id = 'm1'",
        ],
        {
            "messages_flags_follow_class_and_status": 2,
            "loads_account_for_every_row": 1,
            "loads_balance_with_history": 1,
        },
    ),
    "as many rows as accepted, but of another load": (
        ["update history.messages set load_id = 'load-2' where message_id = 'm1'"],
        # load-1 holds 9 of 10, load-2 holds 1 of none.
        {"loads_balance_with_history": 2},
    ),
    "core without the newest message": (
        ["delete from core.messages where message_id = 'm5'"],
        {"newest_record_is_in_core": 1},
    ),
    "spans that run backwards": (
        [
            "update core.opt_out_spans set ends_at = '2026-10-01 11:59:59+00' where span_id = 1",
            "update core.opt_out_spans set processed_at = '2026-10-02 11:59:59+00' where span_id = 2",
            "insert into core.opt_out_spans select * replace (3 as span_id, '3' as scope_key, timestamptz "
            "'2026-10-02 11:00:00+00' as deadline_at) from core.opt_out_spans where span_id = 2",
        ],
        {"spans_are_ordered_in_time": 3},
    ),
    "spans that overlap": (
        [
            # 3 begins inside 1 and 6 while 2 is open. 4, of the other kind, and 5, begun where 1 ends, may stand.
            "insert into core.opt_out_spans select * replace (3 as span_id, timestamptz '2026-10-05 11:00:00+00' "
            "as begins_at, null as processed_at) from core.opt_out_spans where span_id = 1",
            "insert into core.opt_out_spans select * replace (4 as span_id, 'block' as kind) "
            "from core.opt_out_spans where span_id = 1",
            "insert into core.opt_out_spans select * replace (5 as span_id, ends_at as begins_at, null as ends_at, "
            "null as processed_at) from core.opt_out_spans where span_id = 1",
            "insert into core.opt_out_spans select * replace (6 as span_id, timestamptz '2026-10-12 11:00:00+00' "
            "as begins_at) from core.opt_out_spans where span_id = 2",
        ],
        {"spans_of_one_scope_are_disjoint": 2},
    ),
    "findings about nothing": (
        [
            "update audits.findings set message_id = 'i2' where message_id = 'i1'",
            "update audits.findings set source = 'crm' where event_id = 'e2'",
            "update audits.findings set campaign_id = null where campaign_id = 'c1'",
            "update audits.findings set begins_at = '2026-10-01 12:00:01+00' where message_id = 'm2'",
            "update core.span_coverage set channel = 'sms' where span_id = 2",
        ],
        {"findings_subject_is_in_core": 3, "findings_span_exists": 2},
    ),
    "findings not after their opt-out": (
        [
            "update audits.findings set occurred_at = begins_at where message_id = 'm2'",
            "update audits.findings set begins_at = null where message_id = 'm6'",
        ],
        {"messages_found_after_opt_out_are_after_it": 2},
    ),
    "numbers that cannot be": (
        [
            "update metrics.measurements set numerator = 5, value = 1.25, upper = 1.2 where denominator = 4",
            "update metrics.measurements set lower = 86401, denominator = null where unit = 'seconds'",
            "update metrics.measurements set value = 0 where channel = 'email'",
        ],
        {
            "shares_have_numerator_within_denominator": 1,
            "shares_lie_between_none_and_all": 1,
            "values_lie_inside_their_interval": 2,
            "values_have_a_denominator": 2,
        },
    ),
    "a message that the audit missed": (
        ["delete from audits.findings where message_id = 'm2'"],
        {"no_marketing_message_went_to_an_opted_out_contact_unnoticed": 1},
    ),
    "a message that the audit accuses wrongly": (
        [
            # m4 is an e-mail; the opt-out was of sms.
            "insert into audits.findings select * replace ('m4' as message_id) from audits.findings "
            "where message_id = 'm2'",
        ],
        {"no_message_is_wrongly_found_after_an_opt_out": 1},
    ),
}


@pytest.mark.parametrize("wrong", WRONGS)
def test_planted_wrongs_are_named_and_counted_and_nothing_else_is(wrong: str) -> None:
    statements, expected = WRONGS[wrong]
    with sound_database() as engine:
        for statement in statements:
            engine.execute(statement)
        assert failures(engine) == expected


# Relation: the row to take, and the columns that must be there.
REQUIRED = {
    "messages": (
        "core.messages",
        "source message_id channel contact_key program message_class sent_at sent_on status is_marketing is_reached "
        "load_id row_number",
    ),
    "consent_events": (
        "core.consent_events",
        "source event_id channel contact_key program event_type requested_at requested_on load_id row_number",
    ),
    "inbound_messages": (
        "core.inbound_messages",
        "source inbound_id channel contact_key received_at load_id row_number",
    ),
    "contacts": ("core.contacts", "contact_key contact_masked address_kind person_key"),
    "spans": ("core.opt_out_spans", "span_id kind scope_key contact_key channel program begins_at"),
    "findings": ("audits.findings", "rule finding_class severity"),
    "measurements": ("metrics.measurements", "metric definition grain channel campaign_id unit"),
}
PRESENT = {f"{subject}_{column}_is_present" for subject, (_, names) in REQUIRED.items() for column in names.split()}


def test_every_missing_value_is_named() -> None:
    with sound_database() as engine:
        for relation, names in REQUIRED.values():
            engine.execute(f"create or replace temp table template as select * from {relation} limit 1")
            for column in names.split():
                engine.execute(f"insert into {relation} select * replace (null as {column}) from template")
        failed = failures(engine)
        assert {name: count for name, count in failed.items() if name.endswith("_is_present")} == dict.fromkeys(
            PRESENT, 1
        )


def test_every_expectation_has_a_wrong_that_it_names() -> None:
    with sound_database() as engine:
        validate(engine)
        declared = {name for (name,) in engine.rows("select expectation from validation.results")}
    assert {name for _, expected in WRONGS.values() for name in expected} | PRESENT == declared


def test_an_expectation_that_cannot_be_computed_is_an_error_not_a_verdict() -> None:
    with sound_database() as engine:
        engine.execute("alter table core.span_coverage rename column begins_at to began_at")
        with pytest.raises(EngineError, match=r"(?s)findings_span_exists.*begins_at"):
            validate(engine)


def test_no_value_of_the_data_is_told(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    canaries = [f"+1202555{number:04d}" for number in range(140, 152)]
    with sound_database() as engine:
        places = iter(canaries)
        for column in ("source", "message_id", "channel", "program", "message_class", "status"):
            engine.execute(f"update core.messages set {column} = '{next(places)}'")
        for column in ("source", "channel", "event_type"):
            engine.execute(f"update core.consent_events set {column} = '{next(places)}'")
        engine.execute(f"update core.contacts set address_kind = '{next(places)}', contact_masked = '{next(places)}'")
        engine.execute(f"update core.inbound_messages set channel = '{next(places)}', body = 'ann@example.com'")
        with pytest.raises(ValidationFailedError) as raised:
            validate(engine)
        told = str(engine.rows("select * from validation.results")) + str(raised.value) + caplog.text
    told += "".join(capfd.readouterr())
    assert "messages_channel_is_allowed" in told
    assert [canary for canary in [*canaries, "ann@example.com"] if canary in told] == []


def test_validating_reads_no_network_and_writes_no_file(tmp_path: Path) -> None:
    script = """
import socket, sys

def refuse(*_, **__):
    raise AssertionError("something reached for the network")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse

import pipelines.validate
assert "great_expectations" not in sys.modules, "only the step itself may import Great Expectations"

from tests.support.working_database import insert, working_database
with working_database() as engine:
    insert(engine, "run.parameters", {})
    pipelines.validate.validate(engine)
    assert engine.value("select count(*) from validation.results") > 0
"""
    checkout = Path(__file__).resolve().parents[2]
    environment = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PYTHONPATH": str(checkout)}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1", "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.rglob("*")) == []


def test_the_database_file_is_free_once_its_engine_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "work.duckdb"
    with sound_database(path) as engine:
        validate(engine)
    # DuckDB refuses another way of opening while any connection of this process is still open.
    with duckdb.connect(str(path), read_only=True) as reader:
        row = reader.execute("select count(*) from validation.results where not success").fetchone()
    assert row == (0,)
