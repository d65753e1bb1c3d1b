"""heed.toml: what it may say, what it says by default, and that every mistake is one sentence with a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import homes, settings
from pipelines.errors import ConfigurationError, UsageError
from pipelines.settings import Deadline, Policy

SOURCE = '[[source]]\nname = "a"\nconnector = "canonical"\ntable = "messages"\npath = "inbox/*"\n'


def read(home: Path, text: str) -> settings.Settings:
    (home / "heed.toml").write_text(text, encoding="utf-8")
    return settings.read(home)


def test_an_empty_file_has_the_documented_defaults(tmp_path: Path) -> None:
    found = read(tmp_path, "")
    assert found.sources == ()
    assert found.home == tmp_path.resolve()
    assert found.policy == Policy(
        scope="channel",
        rules="default",
        default_deadline=Deadline(10, "business_days", "10bd"),
        confirmation_window_seconds=5 * 60,
        attribution_window_seconds=72 * 3600,
        default_country=None,
        report_timezone="UTC",
        double_opt_in=False,
        frequency_cap=None,
        forbidden_sources=("purchased", "scraped"),
        as_of=None,
        memory_limit=None,
        threads=None,
        keep_snapshots=5,
    )


def test_everything_may_be_said(tmp_path: Path) -> None:
    text = """
    [policy]
    scope = "person"
    rules = ["tcpa", "gdpr"]
    default_deadline = "48h"
    confirmation_window = "10min"
    attribution_window = "3d"
    default_country = "gb"
    report_timezone = "America/New_York"
    double_opt_in = true
    frequency_cap = 4
    forbidden_sources = ["purchased"]
    as_of = "2026-11-01T00:00:00Z"
    memory_limit = "1.5 GB"
    threads = 2
    keep_snapshots = 1

    [[source]]
    name = "shop"
    connector = "generic"
    path = "inbox/shop/*.csv"
    timezone = "-06:00"
    table = "messages"
    time_unit = "ms"
    null_values = ["", "NULL"]
    [source.columns]
    message_id = "id"
    channel = { constant = "sms" }
    [source.values.status]
    ok = "delivered"
    [[source.events]]
    event_type = "opt_out"
    requested_at = "left_at"
    actor = { constant = "contact" }
    """
    found = read(tmp_path, text)
    assert found.policy == Policy(
        "person", ("tcpa", "gdpr"), Deadline(48, "hours", "48h"), 600, 3 * 86400, "GB", "America/New_York", True,
        (4, 86400), ("purchased",), "2026-11-01T00:00:00Z", "1.5 GB", 2, 1,
    )  # fmt: skip
    [source] = found.sources
    assert source.fixed_offset_seconds == -6 * 3600
    assert source.columns == {"message_id": "id", "channel": {"constant": "sms"}}
    assert source.values == {"status": {"ok": "delivered"}}
    assert (source.time_unit, source.null_values) == ("ms", ("", "NULL"))
    assert [(event.event_type, event.columns) for event in source.events] == [
        ("opt_out", {"requested_at": "left_at", "actor": {"constant": "contact"}})
    ]


@pytest.mark.parametrize(
    ("text", "deadline"),
    [
        ("48h", Deadline(48, "hours", "48h")),
        ("0h", Deadline(0, "hours", "0h")),
        (" 30d ", Deadline(30, "calendar_days", "30d")),
        ("1bd", Deadline(1, "business_days", "1bd")),
    ],
)
def test_deadlines_have_a_unit(text: str, deadline: Deadline, tmp_path: Path) -> None:
    assert read(tmp_path, f'[policy]\ndefault_deadline = "{text}"').policy.default_deadline == deadline


def policy(line: str) -> str:
    return f"[policy]\n{line}\n"


def with_source(line: str, without: str = "") -> str:
    kept = "".join(old + "\n" for old in SOURCE.splitlines() if not without or not old.startswith(without))
    return kept + line + "\n"


#: A wrong heed.toml; what the message must name; what the remedy must offer.
MISTAKES = [
    ("[policy", "not valid TOML", "Correct"),
    (
        "colour = 1",
        "top level colour is not a setting",
        "It may hold alerts, dashboard, engine, limits, log, monitoring, policy, retention, signature, source",
    ),
    ("policy = 3", "policy is 3", "a table"),
    ("source = {}", "source is {}", "a list"),
    ("source = [1]", "source is not a table", "two brackets"),
    (policy('scope = "channels"'), "[policy] scope is 'channels'", "channel, program, person"),
    (policy("scope = 1"), "scope is 1", "a text in quotes"),
    (policy('scop = "channel"'), "scop is not a setting", "Did you mean scope?"),
    (policy('rules = "all"'), "rules is 'all'", "none"),
    (policy("rules = [1]"), "rules is [1]", "list of rule ids"),
    (policy('default_deadline = "10"'), "default_deadline is '10'", "10bd"),
    (policy('default_deadline = "0bd"'), "default_deadline is '0bd'", "at least 1"),
    (policy('default_deadline = "30min"'), "default_deadline is '30min'", "48h"),
    (policy('default_deadline = "99999999999d"'), "default_deadline is '99999999999d'", "at most 366"),
    (policy('default_deadline = "-1d"'), "default_deadline is '-1d'", "48h"),
    (policy('confirmation_window = "10bd"'), "confirmation_window is '10bd'", "5min"),
    (policy("attribution_window = 72"), "attribution_window is 72", "a text in quotes"),
    (policy('default_country = "USA"'), "default_country is 'USA'", '"US"'),
    (policy('default_country = "UK"'), "default_country is 'UK'", '"GB"'),
    (policy('report_timezone = "Mars/Olympus"'), "report_timezone is 'Mars/Olympus'", "IANA"),
    (policy('report_timezone = "+99:00"'), "report_timezone is '+99:00'", "IANA"),
    (policy('report_timezone = "-05:75"'), "report_timezone is '-05:75'", "IANA"),
    (policy('report_timezone = "../UTC"'), "report_timezone is '../UTC'", "IANA"),
    (policy('report_timezone = "America"'), "report_timezone is 'America'", "IANA"),
    (policy('double_opt_in = "yes"'), "double_opt_in is 'yes'", "true or false"),
    (policy("frequency_cap = true"), "frequency_cap is True", "in 24 hours"),
    (policy('forbidden_sources = "purchased"'), "forbidden_sources is 'purchased'", "a list"),
    (policy("as_of = 2026-11-01T00:00:00Z"), "as_of is", "a text in quotes"),
    (policy('memory_limit = "lots"'), "memory_limit is 'lots'", "4GB"),
    (policy("threads = 0"), "threads is 0", "at least 1"),
    (policy("keep_snapshots = 0"), "keep_snapshots is 0", "at least 1"),
    (with_source("", "name"), "[[source]] number 1 name is missing", "name ="),
    (with_source("", "connector"), "[[source]] 'a' connector is missing", "connector ="),
    (with_source("", "path"), "[[source]] 'a' path is missing", "path ="),
    (with_source('name = " "', "name"), "name is empty", "Write a value"),
    (with_source('path = "/etc/passwd"', "path"), "outside the home", "relative path"),
    (with_source('path = "inbox/../../x"', "path"), "outside the home", "relative path"),
    (with_source('table = "texts"', "table"), "table is 'texts'", "messages, inbound_messages"),
    (with_source('timezone = "EST5"'), "timezone is 'EST5'", "IANA"),
    (with_source('time_unit = "us"'), "time_unit is 'us'", '"ms"'),
    (with_source('null_values = ""'), "null_values is ''", "a list"),
    (with_source('timezon = "UTC"'), "[[source]] 'a' timezon is not a setting", "Did you mean timezone?"),
    (with_source("[source.columns]\nmessage_id = 3"), "columns.message_id is 3", "constant"),
    (with_source("[source.columns]\nchannel = { value = 'sms' }"), "columns.channel is", "constant"),
    (with_source("[source.values]\nstatus = 'ok'"), "values.status is 'ok'", "our word"),
    (with_source("[source.values.status]\nok = 1"), "values.status is", "our word"),
    (with_source("[[source.events]]\nrequested_at = 'left'"), "events number 1 event_type is missing", "opt_out"),
    (with_source("[[source.events]]\nevent_type = 'opt_out'"), "requested_at is missing", "requested_at ="),
    (with_source("events = [1]"), "events is not a list of tables", "[[source.events]]"),
]


@pytest.mark.parametrize(("text", "what", "remedy"), MISTAKES, ids=[row[1] for row in MISTAKES])
def test_a_mistake_is_named_and_mended(text: str, what: str, remedy: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read(tmp_path, text)
    assert what in raised.value.what
    assert str(tmp_path / "heed.toml") in raised.value.what
    assert remedy in raised.value.remedy
    assert raised.value.exit_code == 78
    assert "\n" not in str(raised.value).strip() or "TOML" in what


def test_a_home_must_be_there_and_be_readable(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is not a folder"):
        settings.read(tmp_path / "none")
    with pytest.raises(ConfigurationError, match="does not exist"):
        settings.read(tmp_path)
    (tmp_path / "heed.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        settings.read(tmp_path)


def test_a_new_home_reads_as_the_defaults(tmp_path: Path) -> None:
    path = homes.make_home(tmp_path / "logs")
    assert settings.read(path.parent).policy == Policy()
    assert {child.name for child in path.parent.iterdir()} == {"heed.toml", *homes.FOLDERS}
    assert {"inbox", "history", "published", "private"} < homes.FOLDERS.keys()
    assert (path.parent / "private").stat().st_mode & 0o777 == 0o700
    with pytest.raises(UsageError, match="exists already"):
        homes.make_home(path.parent)


def test_the_example_sources_of_a_new_home_are_right(tmp_path: Path) -> None:
    commented = homes.TEMPLATE.partition("twilio, whatsapp_cloud.\n")[2]
    text = "\n".join(line.removeprefix("#") for line in commented.splitlines())
    assert [source.name for source in read(tmp_path, text).sources] == ["crm", "sms"]
