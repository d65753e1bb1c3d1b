"""`heed contact`: everything that history holds about one contact, found without reading the rest of it."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import polars
import pytest

from dashboard import contact_process
from pipelines import contact, parquet_files, settings
from pipelines.canonical import TABLES
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.ledger import Ledger
from pipelines.lock import home_lock
from tests.support.home import EVENT, TWO_SOURCES, Home, source

SOURCES = (
    TWO_SOURCES
    + source("replies", "inbound_messages", "inbox/i*")
    + source("list", "contacts", "inbox/c*")
)  # fmt: skip
FILES: dict[str, str | bytes] = {
    "m.csv": "message_id,channel,contact,sent_at,message_class,status,price,currency,body\n"
    "m2,sms,+12025550101,2026-10-07T10:00:00Z,marketing,delivered,0.0079,USD,Sale\n"
    "m1,sms,whatsapp:+1 202 555 0101,2026-10-05T10:00:00Z,,,,,\n"
    "m3,sms,+12025550102,2026-10-05T10:00:00Z,marketing,,,,\n"
    "m4,push,2025550101,2026-10-05T10:00:00Z,marketing,,,,\n",
    "e.csv": "event_id,channel,contact,event_type,requested_at,processed_at,method,reason_text,source_type\n"
    "e1,sms,+12025550101,opt_out,2026-10-05T12:00:00Z,2026-10-06T12:00:00Z,keyword,too many,own_web\n",
    "i.csv": "inbound_id,channel,contact,received_at,body\ni1,sms,+12025550101,2026-10-05T11:59:00Z,STOP\n",
    "c.csv": "contact,country,listed\n+12025550101,US,true\n",
}
KEY = re.compile(r"contact_key ([0-9a-f]{16}): (\d+) records?\n")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("contact") / "home")
    home.configure(SOURCES, 'default_country = "US"').deliver(FILES).load()
    return home


@pytest.mark.parametrize(
    "spelled", ["+12025550101", "+1 (202) 555-0101", "whatsapp:+12025550101", "tel:+1-202-555-0101", "(202) 555-0101"]
)
def test_everything_is_found_however_the_address_is_spelled(spelled: str, home: Home) -> None:
    said = home.heed("contact", spelled, "--format", "json")
    assert said.code == 0
    found = said.json()
    assert [
        (row["occurred_at"], row["kind"], row["what"], row["status"], row["text"], row["file"], row["row_number"])
        for row in found
    ] == [
        (None, "listing", "listing", None, None, "inbox/c.csv", 1),
        ("2026-10-05T10:00:00Z", "message", "unknown", "sent", None, "inbox/m.csv", 2),
        ("2026-10-05T11:59:00Z", "inbound_message", "inbound", None, "STOP", "inbox/i.csv", 1),
        ("2026-10-05T12:00:00Z", "consent_event", "opt_out", None, "too many", "inbox/e.csv", 1),
        ("2026-10-07T10:00:00Z", "message", "marketing", "delivered", "Sale", "inbox/m.csv", 1),
    ]
    key = KEY.match(said.err)
    assert key
    assert key[2] == "5"
    assert home.heed("contact", key[1], "--format", "json").json() == found


def test_nothing_that_was_delivered_is_left_out(home: Home) -> None:
    said = home.heed("contact", "+12025550101", "--json").json()
    assert said["contact_masked"] == "+1202•••••01"
    assert said["load_ids"] == [one.load_id for one in home.ledger.loads]
    by_record = {row["record_id"]: row for row in said["records"]}
    assert by_record["m2"]["details"] == {"price": 0.0079, "currency": "USD"}
    assert by_record["e1"]["details"] == {"source_type": "own_web"}
    assert by_record[""]["details"] == {"country": "US", "listed": True}
    assert by_record["e1"]["processed_at"] == "2026-10-06T12:00:00Z"
    digests = {one.load_id: one.sha256 for one in home.ledger.loads}
    assert all(row["sha256"] == digests[row["load_id"]] for row in said["records"])
    # Every column of every table that is about a contact has a place.
    about = {name for name, table in TABLES.items() if "contact" in table.names}
    assert set(contact._KINDS) == about
    csv = home.heed("contact", "+12025550101", "--format", "csv").out
    assert "price: 0.0079; currency: USD" in csv


def test_an_id_of_bare_digits_is_found_by_its_key_and_thought_of(home: Home) -> None:
    [row] = [row for row in home.rows("messages") if row["message_id"] == "m4"]
    by_key = home.heed("contact", f"{row['contact_key'] & ((1 << 64) - 1):016x}", "--format", "json").json()
    assert [one["record_id"] for one in by_key] == ["m4"]
    # The same digits are a phone number to a channel of phones: who writes them means it first.
    phone, bare = contact.keys_of("2025550101", settings.read(home.path), home.ledger)
    assert bare == row["contact_key"]
    assert contact.everything_about("2025550101", settings.read(home.path)).contact_key == phone


def test_a_contact_of_whom_nothing_is_held(home: Home) -> None:
    said = home.heed("contact", "nobody@example.com", "--format", "json")
    assert (said.code, said.json()) == (0, [])
    assert said.err.startswith("Nothing is held about this contact.\nRead ")
    assert home.heed("contact", "nobody@example.com", "--json").json()["records"] == []


def test_the_address_can_come_by_a_pipe(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(" +1 202 555 0101 \n"))
    assert len(home.heed("contact", "-", "--json").json()["records"]) == 5
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    said = home.heed("contact", "-")
    assert (said.code, said.out) == (64, "")
    assert said.err.startswith("heed: There is no address.")


def test_a_stream_of_questions_is_answered_line_by_line(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = "+12025550101\n\nnobody@example.com\n" + "9" * 5_000 + "\n+12025550102"
    monkeypatch.setattr("sys.stdin", io.StringIO(asked))
    said = home.heed("contact", "--each", "--json")
    answers = [json.loads(line) for line in said.out.splitlines()]
    assert (said.code, said.err) == (0, "")
    assert [len(one["records"]) for one in answers] == [5, 0, 0, 0, 1]
    monkeypatch.setenv("HEED_KEY", "another secret of thirty letters")
    monkeypatch.setattr("sys.stdin", io.StringIO("+12025550101\n" + answers[0]["contact_key"]))
    refused, found = (json.loads(line) for line in home.heed("contact", "--each", "--json").out.splitlines())
    assert "HEED_KEY is not the secret that history is keyed with" in refused["error"]
    assert found == answers[0]


def test_the_page_s_reader_answers_ends_and_starts_again(home: Home) -> None:
    with closing(contact_process.Reader(home.path)) as reader:
        first = json.loads(reader.answer("+12025550101", 30))
        assert len(first["records"]) == 5
        with pytest.raises(contact_process.TooLongError):  # what comes too late answers nobody else
            reader.answer("+12025550102", 0)
        assert json.loads(reader.answer("+12025550101", 30)) == first
    with closing(contact_process.Reader(home.path / "nowhere")) as reader:
        assert "is not a folder" in json.loads(reader.answer("+12025550101", 30))["error"]


def test_the_page_s_reader_says_that_it_ended(home: Home, tmp_path: Path) -> None:
    broken = tmp_path / "home"
    shutil.copytree(home.path, broken)
    for part in broken.glob("history/messages/*/*.parquet"):
        part.write_bytes(part.read_bytes()[:-20])
    with closing(contact_process.Reader(broken)) as reader:
        for _ in range(2):
            with pytest.raises(contact_process.EndedError) as ended:
                reader.answer("+12025550101", 30)
            assert "0101" not in str(ended.value)


def test_without_the_secret_a_key_still_finds_its_contact(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    key = home.heed("contact", "+12025550101", "--json").json()["contact_key"]
    monkeypatch.setenv("HEED_KEY", "another secret of thirty letters")
    said = home.heed("contact", "+12025550101", "--json")
    assert (said.code, said.out) == (78, "")
    assert "HEED_KEY is not the secret that history is keyed with" in said.err
    assert "0101" not in said.err
    assert len(home.heed("contact", key, "--json").json()["records"]) == 5


def test_a_run_in_progress_keeps_nobody_waiting(home: Home) -> None:
    with home_lock(home.path):
        assert len(home.heed("contact", "+12025550101", "--json").json()["records"]) == 5


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Five row groups of messages in two months, of 20,000 contacts in no order."""
    home = Home(tmp_path_factory.mktemp("large") / "home").configure(policy='rules = "none"')
    count = 5 * parquet_files.ROW_GROUP
    frame = polars.DataFrame({"number": range(count)}).select(
        message_id=polars.format("m{}", "number"),
        channel=polars.lit("email"),
        contact=polars.format("user{}@example.com", polars.col("number") * 7919 % 20_000),
        sent_at=polars.datetime(2026, 9, 1, time_zone="UTC") + polars.duration(seconds=polars.col("number") * 30),
    )
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    events = "".join(
        f"e{number},email,user{number * 13 % 20_000}@example.com,opt_out,2026-09-01T00:00:00Z,\n"
        for number in range(100)
    )
    home.deliver({"m.parquet": buffer.getvalue(), "e.csv": EVENT + events}).load()
    return home


def test_only_the_row_groups_that_can_hold_the_contact_are_read(large: Home) -> None:
    whole = polars.concat([
        polars.read_parquet(part, glob=False, hive_partitioning=False) for part in large.ledger.parts("messages")
    ])  # fmt: skip
    for number in (0, 1, 9_999):
        said = large.heed("contact", f"user{number}@example.com", "--json").json()
        key = int(said["contact_key"], 16)
        mine = whole.filter(polars.col("contact_key") == (key - (1 << 64) if key >= 1 << 63 else key))
        found = [row["record_id"] for row in said["records"] if row["kind"] == "message"]
        assert sorted(found) == sorted(mine["message_id"].to_list())
        read = said["read"]
        # One row group, or two where the contact lies at an edge, of each part: two months and the addresses.
        assert 2 <= read["row_groups_read"] <= 7 < read["row_groups_held"]
        assert 0 < read["bytes_read"] < 0.6 * read["bytes_held"]


def test_parts_are_in_the_order_of_contacts_and_in_small_row_groups(large: Home, home: Home) -> None:
    for one in (large, home):
        for table in ("messages", "consent_events", "inbound_messages", "contacts", "addresses"):
            for part in one.ledger.parts(table):
                keys = polars.read_parquet(part, glob=False, hive_partitioning=False)["contact_key"]
                assert keys.is_sorted()
    part = max(large.ledger.parts("messages"), key=lambda path: path.stat().st_size)
    with DuckDBEngine() as engine:
        rows = engine.rows(f"select distinct row_group_id, row_group_num_rows from parquet_metadata('{part}')")
    assert max(size for _, size in rows) == parquet_files.ROW_GROUP
    assert len(rows) == 3


def test_the_answer_is_what_history_says_it_read(large: Home) -> None:
    held = contact.everything_about("user5@example.com", settings.read(large.path))
    assert held.read.words() in large.heed("contact", "user5@example.com").err
    with DuckDBEngine() as engine:
        parts = [
            str(part) for name in (*contact._KINDS, "addresses") for part in Ledger(large.path / "history").parts(name)
        ]
        [(groups, candidates, size)] = engine.rows(
            f"""
            with row_groups as (
                select file_name, row_group_id, sum(total_compressed_size) as size_bytes,
                    bool_or(path_in_schema = 'contact_key' and {held.contact_key} between
                        try_cast(stats_min_value as bigint) and try_cast(stats_max_value as bigint)) as is_candidate
                from parquet_metadata({parts}) group by all
            )
            select count(*), count(*) filter (where is_candidate),
                cast(sum(size_bytes) filter (where is_candidate) as bigint)
            from row_groups"""
        )
    read = held.read
    assert (read.row_groups_held, read.row_groups_read, read.bytes_read) == (groups, candidates, size)
    assert read.bytes_held == sum(Path(part).stat().st_size for part in parts)


def test_nothing_heavy_is_imported(home: Home) -> None:
    program = (
        "import sys\nfrom pipelines import cli\n"
        f"code = cli.main(['-C', {str(home.path)!r}, 'contact', '-', '--json'])\n"
        "heavy = {'polars', 'pandas', 'great_expectations', 'scipy'}\n"
        "print(*sorted(heavy & set(sys.modules)), sep='', end='', file=sys.stderr)\nsys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input="+12025550101\n", capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert '"record_id": "m2"' in done.stdout
