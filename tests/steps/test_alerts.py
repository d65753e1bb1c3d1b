"""Alerts reach a real mail server and a real web server, once for each cause, and never change how a run ends."""

from __future__ import annotations

import importlib.util
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines import alerts, health
from pipelines.settings_operations import URLS_VARIABLE
from tests.support.example_home import CANARIES
from tests.support.home import MESSAGE, TWO_SOURCES, Home, without_validation
from tests.support.receivers import Received, mail_server, web_server

FAILURE = "heed: a run failed"
STALE = "heed: the snapshot is stale"
VIOLATION = "heed: 1 new violation"


@pytest.fixture(autouse=True)
def without_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """No address from the environment that the tests run in."""
    monkeypatch.delenv(URLS_VARIABLE, raising=False)


@pytest.fixture
def mail() -> Iterator[Received]:
    with mail_server() as received:
        yield received


@pytest.fixture
def web() -> Iterator[Received]:
    with web_server() as received:
        yield received


def alerting(home: Home, *received: Received, more: str = "") -> Home:
    """A home that sends its alerts there; without changing what its snapshot was made from."""
    urls = json.dumps([one.url for one in received])
    return home.configure(TWO_SOURCES + f"[alerts]\nurls = {urls}\n{more}\n")


def aged(home: Home, hours: int = 30) -> None:
    """Let the last success be some hours ago."""
    path = home.path / health.FOLDER / health.LAST_RUN
    told: dict[str, Any] = json.loads(path.read_text())
    at = health.instant(told["succeeded_at"])
    assert at is not None
    told["succeeded_at"] = at.fromtimestamp(at.timestamp() - hours * 3600, at.tzinfo).isoformat()
    path.write_text(json.dumps(told))


def break_delivery(home: Home) -> Path:
    """Deliver what cannot be read, under a name that is an address."""
    home.deliver({"m+12025550101.parquet": "no Parquet"})
    return home.path / "inbox" / "m+12025550101.parquet"


def logged(home: Home, event: str) -> list[dict[str, Any]]:
    """The lines of the log about one kind of event."""
    lines = (home.path / health.FOLDER / "log.jsonl").read_text().splitlines()
    return [line for line in map(json.loads, lines) if line["event"] == event]


def test_everybody_is_told_once_for_each_cause(home: Home, mail: Received, web: Received) -> None:
    alerting(home, mail, web)
    # The violation of the first run, and no other alert; then nothing, as often as heed is asked.
    assert home.heed("run").code == 0
    assert (mail.titles, web.titles) == ([VIOLATION], [VIOLATION])
    assert "1 message_after_opt_out (sent_after_processing)" in mail.messages[0][1]
    assert home.heed("run").code == 0
    assert home.heed("health", "--alert").code == 0
    assert (mail.titles, web.titles) == ([VIOLATION], [VIOLATION])
    # A failure that comes every night is one cause; it is over when a run goes well, and then may come again.
    delivered = break_delivery(home)
    for _ in range(2):
        assert home.heed("run").code == 11
        assert home.heed("health", "--alert").code == 12
    assert mail.titles == web.titles == [VIOLATION, FAILURE]
    assert "exit code 11 (UnreadableInputError)" in mail.messages[1][1]
    content = delivered.read_bytes()
    delivered.unlink()
    assert home.heed("run").code == 0
    assert mail.titles == web.titles == [VIOLATION, FAILURE]
    delivered.write_bytes(content)
    assert home.heed("run").code == 11
    assert mail.titles == web.titles == [VIOLATION, FAILURE, FAILURE]
    # A snapshot grows stale on top of it.
    aged(home)
    for _ in range(2):
        assert home.heed("health", "--alert").code == 12
    assert mail.titles == web.titles == [VIOLATION, FAILURE, FAILURE, STALE]
    assert "at most 26.0 h is allowed" in mail.messages[3][1]
    # None of it holds an address, nor does what heed keeps of it.
    kept = [path.read_text() for path in (home.path / health.FOLDER).iterdir()]
    kept += [(home.path / "private" / "alerts.json").read_text()]
    told = [text for message in mail.messages + web.messages for text in message]
    assert [text for text in told + kept if any(canary in text for canary in (*CANARIES, "hook-secret"))] == []


def test_only_new_violations_are_told(home: Home, web: Received, monkeypatch: pytest.MonkeyPatch) -> None:
    without_validation(monkeypatch)
    alerting(home, web)
    assert home.heed("health", "--alert").code == 0
    after_opt_out = "m8,sms,+12025550101,2026-10-08T10:00:00Z,marketing,delivered\n"
    home.deliver({"m8.csv": MESSAGE + after_opt_out + after_opt_out.replace("m8", "m9")})
    assert home.heed("run").code == 0
    assert web.titles == [VIOLATION, "heed: 2 new violations"]
    # A waived finding that counts no more is nothing new; where the snapshot told of is gone, all there are count.
    first = sorted((home.path / "published").glob("*.duckdb"))[0]
    marks = home.path / "private" / "alerts.json"
    marks.write_text(marks.read_text().replace(home.heed("status", "--json").json()["run_id"], first.stem))
    first.unlink()
    assert home.heed("health", "--alert").code == 0
    assert web.titles[2:] == ["heed: 3 new violations"]
    assert "is not kept any more" in web.messages[2][1]


def test_what_could_not_be_sent_is_due_again(home: Home, mail: Received, web: Received) -> None:
    alerting(home, mail, web)
    web.accepts = False
    said = home.heed("run")
    assert said.code == 0
    assert "new_violations could not be sent to address 2" in said.err
    assert (mail.titles, web.titles) == ([VIOLATION], [])
    sent = [(line["destination"], line["sent"]) for line in logged(home, "alert")]
    assert sent == [(1, True), (2, False)]
    web.accepts, mail.accepts = True, False
    assert home.heed("run").code == 0
    assert (mail.titles, web.titles) == ([VIOLATION], [VIOLATION])


@pytest.mark.parametrize(
    "url", ["json://127.0.0.1:9/hook-secret", "nonsense://hook-secret", "hook-secret", "mailto://127.0.0.1:9/?to=x"]
)
def test_a_failing_alert_changes_no_exit_code_and_shows_no_secret(url: str, home: Home) -> None:
    alerting(home, Received(url))
    said = home.heed("run", "--json")
    assert said.code == 0
    assert said.json()["published"] is False
    assert "could not be sent to address 1; it is due again" in said.err
    assert "hook-secret" not in said.err + (home.path / health.FOLDER / "log.jsonl").read_text()
    break_delivery(home)
    assert home.heed("run").code == 11


def test_a_server_that_never_answers_is_given_up(
    home: Home, mail: Received, web: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "_LONGEST_SECONDS", 3)
    web.hangs = threading.Event()
    alerting(home, mail, web)
    said = home.heed("run")
    assert (said.code, mail.titles) == (0, [VIOLATION])
    assert "could not be sent to address 2" in said.err
    assert [line["sent"] for line in logged(home, "alert")] == [True, False]


def test_addresses_come_from_the_environment_or_a_file(
    home: Home, mail: Received, web: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home.path / "private" / "urls").write_text(f"{web.url}\n")
    home.configure(TWO_SOURCES + '[alerts]\nurls_file = "private/urls"\non = ["failed_run", "new_violations"]\n')
    aged(home)
    assert home.heed("health", "--alert").code == 12  # stale, which nobody here wants to be told of
    assert (mail.titles, web.titles) == ([], [VIOLATION])
    monkeypatch.setenv(URLS_VARIABLE, mail.url)
    assert home.heed("health", "--alert").code == 12
    assert (mail.titles, web.titles) == ([VIOLATION], [VIOLATION])
    monkeypatch.delenv(URLS_VARIABLE)
    (home.path / "private" / "urls").unlink()
    said = home.heed("run")
    assert said.code == 0
    assert "Alerts cannot be sent" in said.err


def test_without_apprise_it_says_what_to_install(home: Home, web: Received, monkeypatch: pytest.MonkeyPatch) -> None:
    alerting(home, web)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    said = home.heed("run")
    assert (said.code, web.titles) == (0, [])
    assert "pip install 'heed[alerts]'" in said.err


def test_marks_are_their_owner_s_alone_and_may_be_lost(home: Home, web: Received) -> None:
    alerting(home, web)
    before = os.umask(0o022)
    try:
        assert home.heed("health", "--alert").code == 0
    finally:
        os.umask(before)
    marks = home.path / "private" / "alerts.json"
    assert marks.stat().st_mode & 0o777 == 0o600
    for torn in ('{"', "[]", '{"a": 1}'):
        marks.write_text(torn)
        assert home.heed("health", "--alert").code == 0
    assert web.titles == [VIOLATION] * 4  # rather twice than never


def test_a_run_that_died_is_told_of(home: Home, web: Received) -> None:
    alerting(home, web, more='on = ["failed_run"]')
    path = home.path / health.FOLDER / health.LAST_RUN
    path.write_text(json.dumps(json.loads(path.read_text()) | {"ended_at": None, "exit_code": None}))
    said = home.heed("health", "--alert")
    assert (said.code, web.titles) == (12, [FAILURE])
    assert "it was killed, or the machine stopped" in web.messages[0][1]
