"""Which delivered files are new: by their bytes and by how they are read, not by their names."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.errors import ConfigurationError, UnreadableInputError
from tests.support.home import EVENT, MESSAGE, TWO_SOURCES, Home, counts, source

LOCAL = "m{},sms,+12025550101,2026-10-05 12:00:00,marketing,sent\n"
ZONED = LOCAL.replace(":00,", ":00Z,")
EASTERN = 'timezone = "America/New_York"'


def messages(*numbers: int, row: str = ZONED) -> str:
    return MESSAGE + "".join(row.format(number) for number in numbers)


def shop(*lines: str, path: str = "inbox/m*", name: str = "shop") -> str:
    return source(name, "messages", path, *lines)


def hours(home: Home) -> list[int]:
    """The hours (UTC) of the accepted messages, in order of their id."""
    return [row["sent_at"].hour for row in sorted(home.rows("messages"), key=lambda row: row["message_id"])]


def test_the_same_bytes_are_loaded_once(tmp_path: Path) -> None:
    home = Home(tmp_path).configure(shop()).deliver({"m1.csv": messages(1)})
    assert counts(home.load()[0]) == [(1, 1, 0, 0)]
    assert home.load() == ([], [])
    # Touched, and delivered again with the same content: still the same bytes.
    home.deliver({"m1.csv": messages(1)})
    assert home.load() == ([], [])
    assert len(home.ledger.loads) == 1


def test_a_renamed_file_and_a_copy_hold_nothing_new_and_it_is_said(tmp_path: Path) -> None:
    home = Home(tmp_path).configure(shop()).deliver({"m1.csv": messages(1)})
    home.load()
    (home.path / "inbox" / "m1.csv").rename(home.path / "inbox" / "m2.csv")
    said = "{} holds the same bytes as {}, which is loaded: nothing in it is new."
    assert home.load() == ([], [said.format("inbox/m2.csv", "inbox/m1.csv")])
    home.deliver({"m3.csv": messages(2), "m4.csv": messages(2)})
    loads, sentences = home.load()
    assert [one.file for one in loads] == ["inbox/m3.csv"]
    assert sentences == [said.format("inbox/m2.csv", "inbox/m1.csv"), said.format("inbox/m4.csv", "inbox/m3.csv")]


def test_a_file_that_grew_is_a_new_load(tmp_path: Path) -> None:
    home = Home(tmp_path).configure(shop()).deliver({"m.csv": messages(1, 2)})
    home.load()
    home.deliver({"m.csv": messages(1, 2, 3)})
    assert counts(home.load()[0]) == [(3, 1, 2, 0)]
    assert [(one.file, one.accepted_count) for one in home.ledger.loads] == [("inbox/m.csv", 2), ("inbox/m.csv", 1)]


@pytest.mark.parametrize("path", ["inbox/m*", "inbox/m.csv", "./inbox/m.csv"])
def test_a_loaded_file_may_be_removed(path: str, tmp_path: Path) -> None:
    home = Home(tmp_path).configure(shop(path=path)).deliver({"m.csv": messages(1)})
    home.load()
    (home.path / "inbox" / "m.csv").unlink()
    assert home.load()[0] == []
    assert len(home.rows("messages")) == 1


def test_changed_settings_read_the_source_anew(tmp_path: Path) -> None:
    home = Home(tmp_path).configure(shop(EASTERN)).deliver({"m1.csv": messages(1, row=LOCAL)})
    home.deliver({"m2.csv": messages(2)}).load()
    assert hours(home) == [16, 12]
    home.configure(shop('timezone = "Europe/Berlin"'))
    loads, said = home.load()
    assert said == ["The settings of source shop changed: 2 loads of it are read anew."]
    assert counts(loads) == [(1, 1, 0, 0), (1, 1, 0, 0)]
    assert hours(home) == [10, 12]
    assert home.load() == ([], [])


def test_so_does_a_changed_country(tmp_path: Path) -> None:
    home = Home(tmp_path).configure(shop()).deliver({"m.csv": messages(1).replace("+1202", "202")})
    home.load()
    [before] = home.rows("messages")
    home.configure(shop(), 'default_country = "US"').load()
    [after] = home.rows("messages")
    assert before["contact_key"] != after["contact_key"]


@pytest.mark.parametrize("removed", [["m1.csv"], ["m1.csv", "m2.csv"]])
def test_changed_settings_are_refused_when_a_file_is_gone(removed: list[str], tmp_path: Path) -> None:
    home = Home(tmp_path).configure(shop(EASTERN))
    home.deliver({"m1.csv": messages(1, row=LOCAL), "m2.csv": messages(2, row=LOCAL)}).load()
    for name in removed:
        (home.path / "inbox" / name).unlink()
    home.configure(shop('timezone = "UTC"')).deliver({"m3.csv": messages(3, row=LOCAL)})
    with pytest.raises(ConfigurationError) as raised:
        home.load()
    assert all(f"inbox/{name}" in raised.value.what for name in removed)
    assert "'shop'" in raised.value.what
    assert hours(home) == [16, 16]
    # Both ways out that the message names: the old settings, and a second entry for what is new.
    home.configure(shop(EASTERN, path="inbox/m[12]*") + shop('timezone = "UTC"', path="inbox/m3*")).load()
    assert hours(home) == [16, 16, 12]


def test_changed_settings_read_a_file_that_grew_as_it_is_now(tmp_path: Path) -> None:
    home = Home(tmp_path).configure(shop(EASTERN)).deliver({"m.csv": messages(1, row=LOCAL)})
    home.load()
    home.deliver({"m.csv": messages(1, 2, row=LOCAL)}).load()
    home.configure(shop('timezone = "UTC"'))
    assert counts(home.load()[0]) == [(2, 2, 0, 0)]
    assert hours(home) == [12, 12]
    # A file whose beginning was rewritten is not what was loaded.
    home.deliver({"m.csv": messages(9, 1, 2, row=LOCAL)}).configure(shop(EASTERN))
    with pytest.raises(ConfigurationError, match="no longer in the inbox as loaded"):
        home.load()


def test_settings_of_other_sources_leave_a_source_alone(tmp_path: Path) -> None:
    event = "e1,sms,+12025550101,opt_out,2026-10-04T00:00:00Z,\n"
    home = Home(tmp_path).configure(TWO_SOURCES).deliver({"m.csv": messages(1), "e.csv": EVENT + event})
    home.load()
    crm = source("crm", "consent_events", "inbox/e*")
    home.configure(shop(EASTERN) + crm)
    assert [one.source for one in home.load()[0]] == ["shop"]
    # A source that is no longer configured keeps its record, and so does an entry of several.
    home.configure(crm)
    assert home.load() == ([], [])
    assert len(home.rows("messages")) == 1


def test_rereading_a_source_keeps_the_contacts_of_the_others(tmp_path: Path) -> None:
    # The shop's file is loaded first and names the contact; read anew, its rows are all refused.
    event = "e1,sms,+12025550101,opt_out,2026-10-04T00:00:00Z,\n"
    crm = source("crm", "consent_events", "inbox/z*")
    home = Home(tmp_path).configure(shop(EASTERN) + crm)
    home.deliver({"m.csv": messages(1, row=LOCAL), "z.csv": EVENT + event}).load()
    home.configure(shop() + crm)
    assert counts(home.load()[0]) == [(1, 0, 0, 1)]
    with home.audited() as engine:
        assert engine.rows("select contact_masked from core.opt_out_spans") == [("+1202•••••01",)]


def test_two_entries_may_share_a_name(tmp_path: Path) -> None:
    event = "e1,sms,+12025550101,opt_out,2026-10-04T00:00:00Z,\n"
    sources = shop(name="crm") + source("crm", "consent_events", "inbox/e*")
    home = Home(tmp_path).configure(sources).deliver({"m.csv": messages(1), "e.csv": EVENT + event})
    assert [(one.source, one.tables) for one in home.load()[0]] == [
        ("crm", {"messages": 1}),
        ("crm", {"consent_events": 1}),
    ]
    assert home.load() == ([], [])
    # A further entry of the name is no change of the others, and removing one is none either.
    home.configure(sources + source("crm", "contacts", "inbox/c*")).deliver({"c.csv": "contact\nanna@example.com\n"})
    assert [one.tables for one in home.load()[0]] == [{"contacts": 1}]
    (home.path / "inbox" / "c.csv").unlink()
    home.configure(sources)
    assert home.load() == ([], [])
    # Changing one reads all of the name anew.
    home.deliver({"c.csv": "contact\nanna@example.com\n"})
    home.configure(sources.replace('"inbox/m*"', f'"inbox/m*"\n{EASTERN}') + source("crm", "contacts", "inbox/c*"))
    assert len(home.load()[0]) == 3


def test_a_file_may_belong_to_two_sources(tmp_path: Path) -> None:
    home = Home(tmp_path).configure(shop() + shop(name="other")).deliver({"m.csv": messages(1)})
    assert [one.source for one in home.load()[0]] == ["shop", "other"]


def test_hidden_files_are_no_deliveries(tmp_path: Path) -> None:
    home = Home(tmp_path).configure(shop(path="inbox/*"))
    home.deliver({".DS_Store": b"\0\1", ".m.csv.swp": b"x", "m.csv": messages(1)})
    assert [one.file for one in home.load()[0]] == ["inbox/m.csv"]
    home.configure(shop(path="inbox/.m*")).deliver({".m.csv": messages(2)})
    (home.path / "inbox" / ".m.csv.swp").unlink()
    assert [one.file for one in home.load()[0]] == ["inbox/.m.csv"]


def test_names_are_names_and_no_patterns(tmp_path: Path) -> None:
    names = ["m*.csv", "m?.csv", "m[1].csv", "m1.csv", "m it's (2), {a,b} ü%20.csv", "m[1].jsonl", "m1.jsonl"]
    home = Home(tmp_path / "a[b]c it's = {x}").configure(shop(path="inbox/*"))
    for number, name in enumerate(names):
        refused = json.dumps({"message_id": f"j{number}"}) + "\n"
        home.deliver({name: messages(number) if name.endswith("csv") else refused * (number + 1)})
    found = {Path(one.file).name: one.read_count for one in home.load()[0]}
    assert found == {name: 1 if name.endswith("csv") else number + 1 for number, name in enumerate(names)}
    assert len(home.rows("messages")) == 5
    with home.audited() as engine:
        assert engine.value("select count(*) from core.messages") == 5


def test_a_pattern_that_matches_nothing_is_said(tmp_path: Path) -> None:
    home = Home(tmp_path).configure(shop())
    assert home.load() == ([], ["No file matches inbox/m* (source shop)."])


#: A delivery that cannot be read; what is said of it.
UNREADABLE: list[tuple[str, Callable[[Path], object], str]] = [
    ("m.csv.gz", lambda path: path.write_bytes(gzip.compress(messages(1).encode())[:-9]), "cut off"),
    ("m.csv.gz", lambda path: path.write_bytes(b"not packed at all"), "not a gzip file"),
    ("m.csv.gz", lambda path: path.write_bytes(gzip.compress(messages(1).encode()) + b"more"), "not a gzip file"),
    ("m.xlsx", lambda path: path.write_bytes(b"PK"), "no format heed knows"),
    ("m.csv", lambda path: path.write_text(messages(1), encoding="utf-16"), "UTF-16"),
    ("m.csv", lambda path: path.write_bytes(b"message_id,\xff\n"), "not UTF-8"),
    ("m.csv", lambda path: path.write_text("message_id,channel\nm1,sms\n"), "no column contact, sent_at"),
    ("m.csv", lambda path: path.write_text("contact,contact\na,b\n"), "two columns called contact"),
    ("m.parquet", lambda path: path.write_bytes(b"PAR1 and no more"), "not a whole Parquet file"),
    ("m.json", lambda path: path.write_text('[{"message_id": "m1"},\n{"message_id"'), "cannot be read"),
    ("m.csv", lambda path: path.symlink_to(path.with_name("nowhere")), "m.csv is behind a symbolic link"),
]


@pytest.mark.parametrize(("name", "write", "said"), UNREADABLE, ids=[f"{row[0]}-{row[2]}" for row in UNREADABLE])
def test_a_file_that_cannot_be_read_stops_the_run_and_is_named(
    name: str, write: Callable[[Path], object], said: str, tmp_path: Path
) -> None:
    home = Home(tmp_path).configure(shop()).deliver({})
    (home.path / "inbox").mkdir()
    write(home.path / "inbox" / name)
    with pytest.raises(UnreadableInputError) as raised:
        home.load()
    assert said in raised.value.what
    assert name in raised.value.what
    assert raised.value.remedy
    assert raised.value.exit_code == 11
    assert home.ledger.loads == []


@pytest.mark.parametrize(("make_folder", "said"), [(False, "does not exist"), (True, "is a folder")])
def test_a_plain_path_must_be_a_file(make_folder: bool, said: str, tmp_path: Path) -> None:
    home = Home(tmp_path).configure(shop(path="inbox/m.csv"))
    if make_folder:
        (home.path / "inbox" / "m.csv").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match=said):
        home.load()


def lose_key(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    (home.path / "private" / "key").unlink()


def lose_private(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(home.path / "private")


def set_another(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEED_KEY", "another key altogether")


@pytest.mark.parametrize("change", [lose_key, lose_private, set_another])
def test_another_secret_than_history_s_is_refused(
    change: Callable[[Home, pytest.MonkeyPatch], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With another secret the contact of m2 would be somebody else, and the opt-out would no longer be about it.
    monkeypatch.delenv("HEED_KEY", raising=False)
    home = Home(tmp_path).configure(shop()).deliver({"m1.csv": messages(1)})
    home.load()
    change(home, monkeypatch)
    home.deliver({"m2.csv": messages(2)})
    for arguments in (["run"], ["contact", "+12025550101"]):
        said = home.heed(*arguments)
        assert said.code == 78
        assert "key" in said.err
        assert said.out == ""
    assert len(home.ledger.loads) == 1
    assert not (home.path / "private" / "key").exists() or change is set_another


def test_without_new_files_no_secret_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEED_KEY", raising=False)
    home = Home(tmp_path).configure(shop()).deliver({"m1.csv": messages(1)})
    home.load()
    lose_private(home, monkeypatch)
    assert home.run()["inputs"][0]["accepted"] == 1
    assert home.heed("metrics").code == 0
    assert home.heed("contact", "0" * 16).code == 0
    # Without history there is nothing to keep the secret for, and a new one is made.
    shutil.rmtree(home.path / "history")
    assert home.run()["inputs"][0]["accepted"] == 1
