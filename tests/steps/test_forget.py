"""A forgotten person: address and texts are gone and do not come back, and the opt-out goes on being honoured."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars
import pytest

from pipelines import ledger, verify
from tests.support import killed
from tests.support.home import Home, source, without_validation

ADDRESS = "+12025550143"
#: Where nobody may read of the person any more: a name, and the number in every spelling that was delivered.
TRACES = ("Zelda", "2025550143", "202-555-0143")
SOURCES = "".join(
    source(name, name, f"inbox/{name}*") for name in ("messages", "consent_events", "inbound_messages", "contacts")
)
FILES: dict[str, str | bytes] = {
    "messages.csv": "message_id,channel,contact,sent_at,message_class,status,body\n"
    "m1,sms,+12025550143,2026-10-05T10:00:00Z,marketing,delivered,Hello Zelda\n"
    "m2,sms,(202) 555-0143,2026-10-20T10:00:00Z,marketing,delivered,Still there Zelda?\n"
    "m3,sms,+12025550144,2026-10-20T10:00:00Z,marketing,delivered,Ask Zelda at 2025550143\n"
    "m4,sms,+12025550144,2026-09-20T10:00:00Z,marketing,delivered,Hello Ann\n"
    "m5,sms,202-555-0143,no time,marketing,delivered,Zelda!\n"
    "m6,sms,+12025550144,no time,marketing,delivered,Ann!\n",
    "consent_events.csv": "channel,contact,event_type,requested_at,processed_at,consent_text,proof,reason_text\n"
    "sms,+12025550143,opt_in,2026-09-06T10:00:00Z,,I am Zelda,signed Zelda,\n"
    "sms,+12025550143,opt_out,2026-10-06T10:00:00Z,2026-10-06T11:00:00Z,,,Zelda had enough\n",
    "inbound_messages.csv": "inbound_id,channel,contact,received_at,body\n"
    "i1,sms,+12025550143,2026-10-06T10:00:00Z,Stop\n"
    "i2,sms,+12025550143,2026-10-06T10:00:01Z,leave me alone. Zelda\n",
    "contacts.csv": "contact,person_id,country\n+12025550143,p1,US\n",
}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home after one run, which nobody may change."""
    home = (
        Home(tmp_path_factory.mktemp("recorded") / "home").configure(SOURCES, 'default_country = "US"').deliver(FILES)
    )
    with pytest.MonkeyPatch.context() as patch:
        without_validation(patch)
        home.run()
    return home


@pytest.fixture
def home(recorded: Home, tmp_path: Path) -> Home:
    """A copy of it to change."""
    shutil.copytree(recorded.path, tmp_path / "home")
    return Home(tmp_path / "home")


def traces(home: Home) -> list[str]:
    """The files of history and private/ in which the person is named, by what Parquet files hold and others are."""
    found = []
    for path in sorted(path for name in ("history", "private") for path in (home.path / name).rglob("*")):
        if path.is_file():
            data = str(polars.read_parquet(path).to_dicts()) if path.suffix == ".parquet" else path.read_text()
            found += [path.name for trace in TRACES if trace in data]
    return found


def content(home: Home) -> list[list[dict[str, Any]]]:
    """What history and the quarantine say, without what tells one way of writing it from another."""
    tables = ("messages", "consent_events", "inbound_messages", "contacts")
    return [home.rows(name) for name in tables] + [home.quarantined()]


def findings(home: Home) -> list[tuple[str, str, str]]:
    """What was found of each message, event and contact, but for what rests on a text."""
    rows = home.heed("findings", "--format", "json").json()
    return [
        (row["rule"], row["message_id"] or row["event_id"], row["contact_key"])
        for row in rows
        if row["rule"] not in ("opt_out_request_missed", "message_without_opt_out_instructions")
    ]


def test_forgetting_takes_out_what_was_said_and_keeps_what_was_done(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without_validation(monkeypatch)
    assert traces(home)
    before, acts = findings(home), home.rows("consent_events")
    said = home.heed("forget", "202 555 0143", "--json")
    assert said.code == 0, said.err
    assert not [trace for trace in TRACES if trace in said.out + said.err]
    told = said.json()
    assert (told["was_known"], told["addresses"], told["quarantined_rows"]) == (True, 1, 1)
    assert told["files"] == [f"inbox/{name}" for name in sorted(FILES) if not name.startswith("contacts")]
    assert traces(home) == []
    # What others were told stays, and so does a keyword: it is the act itself.
    assert [row["body"] for row in home.rows("messages")] == [None, None, None, "Hello Ann"]
    assert [row["body"] for row in home.rows("inbound_messages")] == ["Stop", None]
    assert [row["raw"] is None for row in home.quarantined()] == [True, False]
    kept = [{name: row[name] for name in row if name not in ("consent_text", "proof", "reason_text")} for row in acts]
    assert [row | one for row, one in zip(home.rows("consent_events"), kept, strict=True)] == home.rows(
        "consent_events"
    )
    assert home.heed("verify").code == 0
    # The next run publishes without its mask, and finds what it found.
    home.run()
    assert findings(home) == before
    masks = {row["contact_key"]: row["contact_masked"] for row in home.heed("findings", "--format", "json").json()}
    assert masks[told["contact_keys"][0]] == "+1202•••••"
    # And a list is screened as before.
    (tmp_path / "list.csv").write_text("phone\n2025550143\n+12025550199\n")
    counted = home.heed("screen", str(tmp_path / "list.csv"), "--channel", "sms", "--json", "--out", "/dev/null")
    assert counted.code == 0, counted.err
    assert '"opted_out": 1' in counted.out + counted.err


def test_the_ledger_names_the_key_and_what_took_whose_place(home: Home) -> None:
    before = {part.path: part.sha256 for _, part in verify.parts(home.path / "history")}
    key = home.heed("forget", ADDRESS, "--json").json()["contact_keys"][0]
    lines = [json.loads(line) for line in (home.path / "history" / ledger.NAME).read_text().splitlines()]
    added = lines[len(FILES) :]
    assert (added[0]["forgotten"], added[-1]["erased"]) == ([key], [key])
    for line in added[1:-1]:
        replaced = line["replaced"][0]
        assert line["reason"] == "a contact was forgotten"
        assert replaced["sha256"] == before[replaced["path"]]
        assert not (home.path / "history" / replaced["path"]).exists()
        assert ledger.sha256_of(home.path / "history" / replaced["part"]["path"]) == replaced["part"]["sha256"]


def test_what_is_delivered_again_does_not_come_back(home: Home) -> None:
    home.heed("forget", ADDRESS)
    forgotten = content(home)
    for name, more in {
        "messages.csv": "m7,sms,+12025550143,2026-10-21T10:00:00Z,marketing,delivered,Zelda once more\n"
        "m8,sms,+12025550143,no time,marketing,delivered,Zelda once more\n",
        "consent_events.csv": "sms,+12025550143,opt_out,2026-10-22T10:00:00Z,,,,Zelda again\n",
    }.items():
        with (home.path / "inbox" / name).open("a") as file:
            file.write(more)
    loads, _ = home.load()
    # All that was there before is a repeat still, derived ids and all; what is new comes without its texts. Only what
    # somebody else was told about the person, m3, comes in again as it is delivered.
    assert [(one.accepted_count, one.duplicate_count, one.quarantined_count) for one in loads] == [(2, 3, 3), (1, 2, 0)]
    assert [one.textless_count for one in loads] == [3, 3]
    after = content(home)
    new = {"m7": None, "m3": "Ask Zelda at 2025550143"}
    assert {row["message_id"]: row["body"] for row in after[0] if row not in forgotten[0]} == new
    assert [row["reason_text"] for row in after[1]] == [None, None, None]
    raws = [row["raw"] for row in home.quarantined() if row["raw"]]
    assert len(raws) == 2
    assert not [raw for raw in raws if "0143" in raw]
    assert "2025550143" not in str(
        [polars.read_parquet(path).to_dicts() for path in (home.path / "private" / "identities").glob("*.parquet")]
    )


def test_one_whom_nobody_knows_is_forgotten_beforehand(home: Home) -> None:
    said = home.heed("forget", "+12025550177", "--json").json()
    assert (said["was_known"], said["parts"], said["files"]) == (False, 0, [])
    home.deliver(
        {"messages_2.csv": "message_id,channel,contact,sent_at,body\nn1,sms,+12025550177,2026-10-05T10:00:00Z,Hi\n"}
    )
    home.load()
    assert [row["body"] for row in home.rows("messages") if row["message_id"] == "n1"] == [None]
    assert home.heed("forget", " ").code == 64


def points(home: Home, tmp_path: Path, *verb: str, every: int) -> range:
    """Steps to kill a command at: each `every`-th of those it takes, and the last one."""
    shutil.copytree(home.path, tmp_path / "counted")
    return range(1, killed.steps_of(tmp_path / "counted", *verb) + 1, every)


def survives(
    recorded: Home, tmp_path: Path, verb: tuple[str, ...], every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kill a command at some steps: the home is whole after each, and doing it again ends as if nothing happened."""
    without_validation(monkeypatch)
    undisturbed = Home(tmp_path / "undisturbed")
    shutil.copytree(recorded.path, undisturbed.path)
    assert undisturbed.heed(*verb).code == 0
    for step in points(recorded, tmp_path, *verb, every=every):
        shutil.rmtree(tmp_path / "home", ignore_errors=True)
        shutil.copytree(recorded.path, tmp_path / "home")
        home = Home(tmp_path / "home")
        assert killed.kill_at(step, home.path, *verb), step
        assert home.heed("verify").code == 0, step
        assert home.heed("contact", ADDRESS).code == 0, step
        assert home.heed(*verb).code == 0, step
        assert home.heed("verify").code == 0, step
        assert files(home) == files(undisturbed), step
        if verb[0] == "forget":
            assert content(home) == content(undisturbed), step
            assert traces(home) == [], step


def files(home: Home) -> list[tuple[str, int]]:
    """The parts and addresses that lie in a home: their folders, with how many there are."""
    found = [path.parent.relative_to(home.path).parts[:2] for path in home.path.rglob("*.parquet")]
    return sorted((str(folder), found.count(folder)) for folder in set(found))


@pytest.mark.parametrize("verb", [("forget", ADDRESS), ("rotate-key",)], ids=lambda verb: verb[0])
def test_a_kill_leaves_a_whole_home_and_the_next_time_finishes(
    verb: tuple[str, ...], recorded: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    survives(recorded, tmp_path, verb, 13, monkeypatch)


@pytest.mark.thorough
@pytest.mark.timeout(3600)  # a process for each of some hundred steps
@pytest.mark.parametrize("verb", [("forget", ADDRESS), ("rotate-key",)], ids=lambda verb: verb[0])
def test_a_kill_at_any_step_leaves_a_whole_home(
    verb: tuple[str, ...], recorded: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    survives(recorded, tmp_path, verb, 1, monkeypatch)


def test_a_run_finishes_what_was_interrupted(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    without_validation(monkeypatch)
    assert killed.kill_at(9, home.path, "forget", ADDRESS)
    said = home.heed("verify")
    assert "heed -C" in said.out
    assert said.code == 0
    assert "interrupted" in home.heed("run").err
    assert traces(home) == []
    assert "interrupted" not in home.heed("verify").out
