"""The sample's files hold what its answer key says: read here once more, by slow and obvious code."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import tomllib
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import UsageError
from pipelines.sample import generate
from pipelines.sample import key as sample_key
from tests.support.sample_logs import (
    KEYWORDS,
    REACHED,
    Logs,
    deadline,
    findings_of,
    instant,
    other_findings,
    read,
    spans_of,
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default sample."""
    folder = tmp_path_factory.mktemp("sample")
    generate(folder)
    return folder


@pytest.fixture(scope="module")
def logs(home: Path) -> Logs:
    return read(home)


@pytest.fixture(scope="module")
def key(home: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((home / "answer_key.json").read_text(encoding="utf-8"))
    return content


def _keyed(key: dict[str, Any], rule: str) -> list[tuple[str, str, str]]:
    """The key's findings of a rule: source, message or event, and class."""
    return [
        (one["source"], one.get("message_id") or one.get("event_id"), one["finding_class"])
        for one in key["rules"][rule]
    ]


def _check(logs: Logs, key: dict[str, Any]) -> None:
    """The key names what five rules find in the logs, and no more."""
    spans = spans_of(logs)
    found = sorted((source, message_id, name) for source, message_id, name, _ in findings_of(logs, spans))
    assert _keyed(key, "message_after_opt_out") == found
    others: dict[str, list[tuple[str, str, str]]] = {}
    for rule, *finding in other_findings(logs, spans):
        others.setdefault(rule, []).append((finding[0], finding[1], finding[2]))
    for rule in (
        "consent_from_forbidden_source",
        "message_without_consent",
        "message_in_quiet_hours",
        "opt_out_not_honoured_in_time",
    ):
        assert sorted(_keyed(key, rule)) == sorted(others.get(rule, [])), rule


def test_the_key_names_every_finding_and_no_other(logs: Logs, key: dict[str, Any]) -> None:
    _check(logs, key)
    for rule, found in key["rules"].items():
        assert Counter(one["finding_class"] for one in found) == key["expected"]["findings"].get(rule, {})
    assert len(key["rules"]) == 16
    # Double opt-in is off.
    assert [rule for rule, found in key["rules"].items() if not found] == ["message_before_confirmation"]


def test_no_finding_hangs_on_how_its_deadline_is_counted(logs: Logs) -> None:
    for source, message_id, name, span in findings_of(logs, spans_of(logs)):
        if name in {"sent_past_deadline", "sent_in_flight"}:
            message = logs.messages[source, message_id]
            assert abs(message["sent_at"] - deadline(logs, message["contact"], span.begins_at)) > timedelta(hours=12)


def test_only_american_numbers_and_addresses_wait_for_a_deadline(logs: Logs) -> None:
    for source, message_id, name, _ in findings_of(logs, spans_of(logs)):
        if name in {"sent_past_deadline", "sent_in_flight"}:
            message = logs.messages[source, message_id]
            assert message["channel"] != "whatsapp"
            assert message["contact"].startswith("+1") or "@" in message["contact"] or message["channel"] == "push"


def test_every_planted_incident_is_in_the_logs(logs: Logs, key: dict[str, Any]) -> None:
    incidents = {incident["name"]: incident for incident in key["incidents"]}
    planted: dict[str, list[dict[str, str]]] = {}
    for found in key["rules"].values():
        for one in found:
            planted.setdefault(one.get("incident", ""), []).append(one)
    # These break no rule; numbers show them.
    effects = {"whatsapp_outage", "unsubscribe_links_scanned", "newsletter_drove_people_away"}
    assert planted.keys() - {""} == incidents.keys() - effects
    for name, incident in incidents.items():
        counted = Counter(one["finding_class"] for one in planted.get(name, []))
        assert counted == Counter({word: n for classes in incident["findings"].values() for word, n in classes.items()})
        if planted.get(name):
            assert incident["rule"] in incident["findings"]
    classes = {name: incident["findings"].get("message_after_opt_out", {}) for name, incident in incidents.items()}
    assert classes["suppression_off"].keys() == {"sent_after_processing", "suppressed_by_provider"}
    assert "sent_past_deadline" in classes["opt_out_queue_stuck"]
    assert classes["in_flight_flash_sale"].keys() == {"sent_in_flight"}
    assert {logs.events["crm", one["event_id"]].kind for one in planted["import_resubscribed"]} == {"opt_in"}
    assert {logs.events["crm", one["event_id"]].origin for one in planted["list_bought"]} == {"purchased", "scraped"}
    for one in planted["misspelled_stops_missed"]:
        assert logs.inbound[one["message_id"]].strip().rstrip(".!?").upper() not in KEYWORDS
    assert planted["list_not_cleaned"]
    outage = incidents["whatsapp_outage"]
    starts, ends = instant(outage["starts_at"]), instant(outage["ends_at"])
    assert starts is not None
    assert ends is not None
    whatsapp = [one["sent_at"] for (source, _), one in logs.messages.items() if source == "whatsapp"]
    assert not [sent_at for sent_at in whatsapp if starts <= sent_at < ends]
    assert [sent_at for sent_at in whatsapp if ends <= sent_at < ends + timedelta(hours=5)]


def test_only_the_planted_ones_stay_on_the_list(logs: Logs, key: dict[str, Any]) -> None:
    planted = {one["event_id"].partition(":")[0] for one in key["rules"]["contact_still_listed"]}
    still: set[str] = set()
    for (contact, _), spans in spans_of(logs).items():
        for span in spans:
            over = span.processed_at or deadline(logs, contact, span.begins_at)
            if span.ends_at is None and contact in logs.listed and over < logs.listed[contact]:
                still.update(act[1] for act in span.acts)
    assert planted <= still
    assert len(planted) < len(logs.listed) / 50


def test_the_waivers_are_written_and_keyed(home: Path, key: dict[str, Any]) -> None:
    with (home / "waivers.csv").open(encoding="utf-8", newline="") as lines:
        written = [(row["rule"], row["subject"]) for row in csv.DictReader(lines)]
    assert [(row["rule"], row["subject"]) for row in key["waivers"]] == written
    assert [row["status"] for row in key["waivers"]] == ["applied", "expired", "unknown_subject"]
    assert [row["finding_count"] for row in key["waivers"]] == [
        sum(key["expected"]["findings"]["message_in_quiet_hours"].values()),
        1,
        0,
    ]


def _pairs_reached(logs: Logs, starts: datetime, ends: datetime) -> set[tuple[str, str]]:
    return {
        (one["contact"], one["channel"])
        for one in logs.messages.values()
        if starts <= one["sent_at"] < ends and one["class"] in {"marketing", "unknown"} and one["status"] in REACHED
    }


def test_october_s_headline_is_two_and_a_half_percent(logs: Logs, key: dict[str, Any]) -> None:
    starts, ends = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    reached = _pairs_reached(logs, starts, ends)
    spans = spans_of(logs)
    began = {pair for pair in reached if any(starts <= span.begins_at < ends for span in spans.get(pair, []))}
    headline = key["expected"]["opt_out_rate"]
    assert (len(began), len(reached)) == (headline["numerator"], headline["denominator"])
    assert 0.0245 <= headline["value"] < 0.0255
    assert headline["value"] < headline["previous_value"]


def test_the_rate_is_decreasing_over_the_last_twelve_weeks(logs: Logs, key: dict[str, Any]) -> None:
    trend = key["expected"]["opt_out_trend"]
    assert (trend["direction"], len(trend["weeks"])) == ("Decreasing", 12)
    assert trend["weeks"][-1]["starts_at"] == "2026-10-26"
    spans = spans_of(logs)
    for week in trend["weeks"]:
        starts = datetime.fromisoformat(week["starts_at"]).replace(tzinfo=UTC)
        reached = _pairs_reached(logs, starts, starts + timedelta(days=7))
        ends = starts + timedelta(days=7)
        began = [pair for pair in reached if any(starts <= span.begins_at < ends for span in spans.get(pair, []))]
        assert (len(began), len(reached)) == (week["numerator"], week["denominator"])


def test_half_of_october_s_opt_outs_are_processed_within_the_hour(logs: Logs, key: dict[str, Any]) -> None:
    # An opt-out from every channel begins a span on each channel of its contact.
    begun = [span for spans in spans_of(logs).values() for span in spans if f"{span.begins_at:%Y-%m}" == "2026-10"]
    as_of = instant(key["expected"]["as_of"])
    assert as_of is not None
    seconds = sorted((span.processed_at or as_of) - span.begins_at for span in begun)
    expected = key["expected"]["response_time"]["2026-10"]
    assert len(seconds) == expected["spans"]
    # No span of October is censored before the median, so Kaplan-Meier's median is the plain one.
    assert seconds[(len(seconds) - 1) // 2].total_seconds() == expected["median_seconds"]
    assert 57 * 60 <= expected["median_seconds"] <= 63 * 60


def test_as_of_is_the_last_time_on_record(logs: Logs, key: dict[str, Any]) -> None:
    times = [one["sent_at"] for one in logs.messages.values()]
    times += [time for event in logs.events.values() for time in (event.requested_at, event.processed_at) if time]
    assert max(times) == instant(key["expected"]["as_of"])


def test_files_hold_as_many_rows_and_repeats_as_the_key_says(home: Path, key: dict[str, Any]) -> None:
    delivered = {path.relative_to(home).as_posix() for path in (home / "inbox").rglob("*") if path.is_file()}
    assert set(key["files"]) == delivered
    seen: dict[str, set[Any]] = {}
    for name, counts in key["files"].items():
        path = home / name
        content = gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes()
        text = content.decode("utf-8-sig")
        rows: list[Any] = (
            text.splitlines() if "json" in name else [tuple(row) for row in csv.reader(text.splitlines(True))][1:]
        )
        assert len(rows) == counts["rows"] <= counts["read"]
        folder = seen.setdefault(str(path.parent), set())
        repeats = 0
        for row in rows:
            repeats += row in folder
            folder.add(row)
        assert repeats <= counts["duplicate"] <= 2 * repeats
    assert sum(one["duplicate"] for one in key["files"].values()) > 500
    assert sum(one["quarantined"] for one in key["files"].values()) > 50


def test_files_look_like_their_providers(home: Path) -> None:
    console = (home / "inbox/twilio/sms-log-2026-05.csv").read_text(encoding="utf-8").splitlines()[0]
    assert console == (
        "From,To,Body,Status,SentDate,ApiVersion,NumSegments,ErrorCode,AccountSid,Sid,Direction,Price,PriceUnit"
    )
    with gzip.open(home / "inbox/twilio/messages-2026-10.json.gz", "rt", encoding="utf-8") as lines:
        names = (
            "account_sid messaging_service_sid sid from to body direction status date_created date_sent date_updated"
        )
        assert " ".join(json.loads(next(lines))) == f"{names} num_segments num_media price error_code"
    webhook = json.loads((home / "inbox/whatsapp/webhooks-2026-10.jsonl").read_text(encoding="utf-8").splitlines()[9])
    assert webhook["object"] == "whatsapp_business_account"
    assert webhook["entry"][0]["changes"][0]["field"] in {"messages", "user_preferences"}
    assert (
        (home / "inbox/crm/consent_events-2026-10.csv").read_bytes().startswith(b"\xef\xbb\xbfevent_id,channel,contact")
    )
    with (home / "inbox/crm/campaigns.csv").open(encoding="utf-8", newline="") as lines:
        careless = [row["name"] for row in csv.DictReader(lines) if row["respects_opt_outs"] == "false"]
    assert careless == ["Autumn clearance"]


def test_the_configuration_names_every_source(home: Path) -> None:
    settings = tomllib.loads((home / "heed.toml").read_text(encoding="utf-8"))
    assert [source["name"] for source in settings["source"]] == ["twilio", "whatsapp", "mail", "crm", "crm", "crm"]
    for source in settings["source"]:
        assert list(home.glob(source["path"])), source["path"]


def _digests(home: Path) -> dict[str, str]:
    return {
        path.relative_to(home).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in home.rglob("*")
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    generate(tmp_path / "one", 5_000, seed=3)
    generate(tmp_path / "two", 5_000, seed=3)
    generate(tmp_path / "three", 5_000, seed=4)
    assert _digests(tmp_path / "one") == _digests(tmp_path / "two")
    assert _digests(tmp_path / "one") != _digests(tmp_path / "three")


@pytest.mark.parametrize(("messages", "seed"), [(1_000, 7), (12_345, 1), (40_000, 2)])
def test_other_sizes_and_seeds_keep_to_their_key(tmp_path: Path, messages: int, seed: int) -> None:
    summary = generate(tmp_path, messages, seed)
    key = json.loads((tmp_path / "answer_key.json").read_text(encoding="utf-8"))
    logs = read(tmp_path)
    sent = [message for message in logs.messages.values() if message["class"] != "confirmation"]
    assert summary["messages"] == len(sent) == messages
    _check(logs, key)


def test_a_large_sample_streams_its_findings_and_exports_by_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate(tmp_path / "small", 20_000)
    monkeypatch.setattr(sample_key, "LARGEST_IN_MEMORY", 10_000)
    generate(tmp_path / "large", 20_000)
    small = json.loads((tmp_path / "small/answer_key.json").read_text(encoding="utf-8"))
    large = json.loads((tmp_path / "large/answer_key.json").read_text(encoding="utf-8"))
    lines = (tmp_path / "large" / large["rules"]).read_text(encoding="utf-8").splitlines()
    streamed: dict[str, list[dict[str, str]]] = {rule: [] for rule in small["rules"]}
    for line in lines:
        one = json.loads(line)
        streamed[one.pop("rule")].append(one)
    for rule, found in small["rules"].items():
        assert sorted(streamed[rule], key=lambda one: list(one.values())) == found, rule
    assert large["incidents"] == small["incidents"]
    assert large["expected"] == small["expected"]
    assert (tmp_path / "large/inbox/twilio/messages-2026-10-16.json.gz").exists()
    assert {key: one.__dict__ for key, one in read(tmp_path / "large").events.items()} == {
        key: one.__dict__ for key, one in read(tmp_path / "small").events.items()
    }


def test_a_configuration_of_somebody_else_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "heed.toml").write_text("[policy]\n", encoding="utf-8")
    with pytest.raises(UsageError, match="was not written by the sample generator"):
        generate(tmp_path, 1_000)
    assert (tmp_path / "heed.toml").read_text(encoding="utf-8") == "[policy]\n"
    assert [path.name for path in tmp_path.iterdir()] == ["heed.toml"]


def test_waivers_of_somebody_else_are_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "waivers.csv").write_text("rule,subject,reason,who\n", encoding="utf-8")
    with pytest.raises(UsageError, match="was not written by the sample generator"):
        generate(tmp_path, 1_000)
    assert [path.name for path in tmp_path.iterdir()] == ["waivers.csv"]


def test_a_second_sample_replaces_the_first_and_leaves_other_files(tmp_path: Path) -> None:
    generate(tmp_path, 2_000, seed=1)
    (tmp_path / "inbox/mine.csv").write_text("mine\n", encoding="utf-8")
    generate(tmp_path, 1_000, seed=2)
    generate(tmp_path / "fresh", 1_000, seed=2)
    (tmp_path / "inbox/mine.csv").unlink()
    again = {name: digest for name, digest in _digests(tmp_path).items() if not name.startswith("fresh/")}
    assert again == _digests(tmp_path / "fresh")


def test_a_sample_that_fails_halfway_leaves_no_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.sample.crm.write_campaigns", fail)
    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path, 1_000)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "heed.toml"]


@pytest.mark.parametrize(("messages", "seed"), [(999, 7), (100_000_001, 7), (1_000, -1)])
def test_impossible_sizes_and_seeds_are_refused(tmp_path: Path, messages: int, seed: int) -> None:
    with pytest.raises(UsageError):
        generate(tmp_path, messages, seed)
    assert not list(tmp_path.iterdir())
