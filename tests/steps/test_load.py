"""Files to history: every row read is accepted, a duplicate or quarantined, whatever the format and the order."""

from __future__ import annotations

import gzip
import io
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars
import pytest

from pipelines import identity, inbox, load, settings
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.errors import AccountingError, ContactKeyCollisionError, UnreadableInputError
from pipelines.ledger import Ledger, Load
from tests.support.home import EVENT, LOADED_AT, MESSAGE, TWO_SOURCES, Home, counts, source

COLUMNS = ("message_id", "channel", "contact", "sent_at", "status", "price", "body")
#: Three good rows, the first one again, and one that is refused.
ROWS: list[tuple[str | None, ...]] = [
    ("m1", "sms", "+12025550101", "2026-10-05T12:00:00Z", "delivered", "0.0075", 'He said "hi",\nthen left; ok'),
    ("m2", "email", "anna@example.com", "2026-10-05T12:00:00.250Z", None, None, "Grüße ✓"),
    ("m3", "sms", "+12025550102", "2026-11-01T00:00:00Z", "failed", "1", None),
    ("m1", "sms", "+12025550101", "2026-10-05T12:00:00Z", "delivered", "0.0075", 'He said "hi",\nthen left; ok'),
    ("m4", "fax", "+12025550101", "2026-10-05T12:00:00Z", None, None, None),
]


def csv(delimiter: str = ",", end: str = "\n", order: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)) -> str:
    """The rows as CSV; every cell is quoted, empty ones are empty."""
    lines = [COLUMNS, *ROWS]
    written = [[str(line[position] or "").replace('"', '""') for position in order] for line in lines]
    return "".join(delimiter.join(f'"{cell}"' for cell in line) + end for line in written)


def objects() -> list[dict[str, Any]]:
    return [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]


def parquet() -> bytes:
    buffer = io.BytesIO()
    frame = polars.DataFrame(objects(), infer_schema_length=None)
    instant = polars.col("sent_at").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_zone="UTC")
    frame.with_columns(instant, polars.col("price").cast(polars.Float64)).write_parquet(buffer)
    return buffer.getvalue()


def wider(text: str) -> str:
    """The same CSV with a column heed does not know, and one without a name."""
    rows = text.replace('then left; ok"\n', 'then left; ok","x","y"\n').split("\n")
    ends = ('"body"', '"Grüße ✓"', '"1",""', '"","",""')
    return "\n".join(row + ',"score",""' if row.endswith(ends) else row for row in rows)


FORMATS: dict[str, tuple[str, str | bytes]] = {
    "csv": ("m.csv", csv()),
    "csv_without_last_line_end": ("m.csv", csv().rstrip("\n")),
    "csv_with_byte_order_mark": ("m.csv", "\ufeff" + csv()),
    "csv_with_semicolons": ("m.csv", csv(";")),
    "csv_with_tabs": ("m.tsv", csv("\t")),
    "csv_with_bars": ("m.txt", csv("|")),
    "csv_of_windows": ("m.csv", csv(end="\r\n")),
    "csv_in_another_order": ("m.csv", csv(order=(6, 3, 0, 5, 2, 1, 4))),
    "csv_with_columns_of_its_own": ("m.csv", wider(csv())),
    "csv_with_capitals": ("M.CSV", csv().replace('"message_id"', '" Message_ID "')),
    "csv_gz": ("m.csv.gz", csv()),
    "csv_gz_in_two_members": ("m.csv.gz", gzip.compress(csv()[:90].encode()) + gzip.compress(csv()[90:].encode())),
    "json_lines": ("m.jsonl", "\n".join(json.dumps(row) for row in objects())),
    "json_lines_of_windows": ("m.ndjson", "\r\n".join(json.dumps(row) for row in objects()) + "\r\n"),
    "json_lines_gz": ("m.jsonl.gz", "\n\n".join(json.dumps(row, ensure_ascii=False) for row in objects())),
    "json_lines_with_extra_keys": (
        "m.jsonl",
        "\n".join(json.dumps({"score": [1, {"a": 2}]} | row) for row in objects()),
    ),
    "json_list": ("m.json", json.dumps(objects(), indent=2)),
    "parquet": ("m.parquet", parquet()),
}


def contents(home: Home) -> set[tuple[Any, ...]]:
    names = ("message_id", "channel", "sent_at", "status", "price", "body")
    return {tuple(row[name] for name in names) for row in home.rows("messages")}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_the_same_and_accounts_for_every_row(name: str, tmp_path: Path) -> None:
    file, content = FORMATS[name]
    reference = Home(tmp_path / "reference").configure().deliver({"m.parquet": parquet()})
    home = Home(tmp_path / "home").configure().deliver({file.lower(): content})
    reference.load()
    loads, _ = home.load()
    assert counts(loads) == [(5, 3, 1, 1)]
    assert contents(home) == contents(reference)
    assert [(row["row_number"], row["reason"], row["column"]) for row in home.quarantined()] == [
        (5 if "gz" not in name or "json" not in name else 9, "value_not_allowed", "channel")
    ]
    raw = json.loads(home.quarantined()[0]["raw"])
    assert {raw[column] for column in raw if column.strip().lower() in ("message_id", "channel")} == {"m4", "fax"}


def test_mixed_line_ends_are_one_kind(tmp_path: Path) -> None:
    rows = [f"m{number},sms,+12025550101,2026-10-05T12:00:00Z,," for number in range(4)]
    content = MESSAGE.strip() + "\r\n" + rows[0] + "\n" + rows[1] + "\r" + rows[2] + "\r\n" + rows[3]
    home = Home(tmp_path).configure().deliver({"m.csv": content})
    assert counts(home.load()[0]) == [(4, 4, 0, 0)]
    assert [row["status"] for row in home.rows("messages")] == [None] * 4


def test_the_rows_of_a_file_read_by_all_threads_keep_their_numbers(tmp_path: Path) -> None:
    # Several of the parser's buffers, so that threads take parts of the file at the same time.
    filler = "x" * 60
    lines = [f"m{number},sms,+12025550101,2026-10-05T12:00:00Z,,{filler}{number}" for number in range(1, 700_001)]
    broken = {1000, 350_000, 699_999}
    for number in broken:
        lines[number - 1] = f"m{number},sms"
    header = MESSAGE.strip().replace("status", "body")
    home = Home(tmp_path).configure().deliver({"m.csv": "\n".join([header, *lines]) + "\n"})
    assert counts(home.load()[0]) == [(700_000, 699_997, 0, 3)]
    rows = home.rows("messages")
    assert all(row["message_id"] == f"m{row['row_number']}" for row in rows)
    assert {row["row_number"] for row in home.quarantined()} == broken


#: What is wrong with one line of CSV; the reason; how its text begins.
BROKEN = [
    (b"m2,sms,+12025550102", "malformed_row", "m2,sms,+12025550102"),
    (b"m2,sms,+12025550102,2026-10-05T12:00:00Z,,,extra,cells", "malformed_row", "m2,sms,+12025550102"),
    (b"m2,sms,+12025550102,2026-10-05T12:00:00Z,,\xff\xfe", "not_utf8", "m2,sms,+12025550102"),
    (b'm2,sms,"+1202"5550102,2026-10-05T12:00:00Z,,', "malformed_row", 'm2,sms,"+1202"'),
    (b"m2,sms,+12025550102,2026-10-05T12:00:00Z,," + b"x" * 5_000_000, "row_too_long", "m2,sms,+12025550102"),
]


@pytest.mark.parametrize(("line", "reason", "begins"), BROKEN, ids=[f"{row[1]}_{n}" for n, row in enumerate(BROKEN)])
def test_a_broken_line_of_csv_is_quarantined_alone(line: bytes, reason: str, begins: str, tmp_path: Path) -> None:
    good = [f"m{number},sms,+1202555010{number},2026-10-05T12:00:00Z,,".encode() for number in (1, 3)]
    content = b"\n".join([MESSAGE.strip().encode(), good[0], line, good[1], b""])
    home = Home(tmp_path).configure().deliver({"m.csv": content})
    assert counts(home.load()[0]) == [(3, 2, 0, 1)]
    assert [row["message_id"] for row in home.rows("messages")] == ["m1", "m3"]
    [refused] = home.quarantined()
    # A place counts the rows after the header, those that cannot be parsed among them.
    assert (refused["row_number"], refused["reason"], refused["table"]) == (2, reason, None)
    assert [row["row_number"] for row in home.rows("messages")] == [1, 3]
    assert refused["raw"].startswith(begins)


def test_a_quote_that_never_closes_takes_the_rest_and_says_so(tmp_path: Path) -> None:
    rows = [f"m{number},sms,+12025550101,2026-10-05T12:00:00Z,," for number in range(1, 6)]
    rows[2] = 'm3,sms,"+12025550103,2026-10-05T12:00:00Z,,'
    home = Home(tmp_path).configure().deliver({"m.csv": MESSAGE + "\n".join(rows)})
    [one] = home.load()[0]
    assert one.read_count == one.accepted_count + one.quarantined_count
    text = "".join(row["raw"] for row in home.quarantined())
    assert [row["message_id"] for row in home.rows("messages")] == ["m1", "m2"]
    assert all(f"m{number}," in text for number in (3, 4, 5))


def test_a_long_cell_with_line_ends_is_one_row(tmp_path: Path) -> None:
    body = 'line with "quotes", commas\n' * 20_000
    cells = "m1,sms,+12025550101,2026-10-05T12:00:00Z," + '"' + body.replace('"', '""') + '"'
    home = Home(tmp_path).configure()
    home.deliver({"m.csv": "message_id,channel,contact,sent_at,body\n" + cells + "\n" + cells.replace("m1", "m2")})
    assert counts(home.load()[0]) == [(2, 2, 0, 0)]
    assert {row["body"] for row in home.rows("messages")} == {body}


# ---- duplicates


def one(message_id: str = "m1", sent_at: str = "2026-10-05T12:00:00Z", status: str = "sent") -> str:
    return f"{message_id},sms,+12025550101,{sent_at},marketing,{status}\n"


def test_repeats_are_counted_once_however_they_come(tmp_path: Path) -> None:
    home = Home(tmp_path).configure()
    home.deliver({"m1.csv": MESSAGE + one() * 3 + one("m2"), "m2.csv": MESSAGE + one("m3") + one()})
    assert counts(home.load()[0]) == [(4, 2, 2, 0), (2, 1, 1, 0)]
    spelled = {
        "message_id": "m1",
        "channel": "SMS",
        "contact": "+1 (202) 555-0101",
        "sent_at": "2026-10-05T14:00:00+02:00",
    }
    spelled |= {"message_class": " Marketing", "status": "sent"}
    home.deliver({"m3.jsonl": json.dumps(spelled), "m4.csv": MESSAGE + one() + one("m4", "2026-09-30T23:59:59Z")})
    assert counts(home.load()[0]) == [(1, 0, 1, 0), (2, 1, 1, 0)]
    assert sorted(row["message_id"] for row in home.rows("messages")) == ["m1", "m2", "m3", "m4"]


def test_a_row_that_says_anything_else_is_no_duplicate(tmp_path: Path) -> None:
    home = Home(tmp_path).configure()
    home.deliver(
        {
            "m.csv": MESSAGE
            + one()
            + one(status="delivered")
            + one(sent_at="2026-10-05T12:00:00.000001Z")
            + one(status="")
        }
    )
    assert counts(home.load()[0]) == [(4, 4, 0, 0)]
    with home.audited() as engine:
        assert engine.rows("select status, sent_at = timestamptz '2026-10-05 12:00:00+00' from core.messages") == [
            ("delivered", True)
        ]


def test_the_same_id_in_two_sources_is_two_messages(tmp_path: Path) -> None:
    sources = source("a", "messages", "inbox/a.csv") + source("b", "messages", "inbox/b.csv")
    home = Home(tmp_path).configure(sources).deliver({"a.csv": MESSAGE + one(), "b.csv": MESSAGE + one()})
    assert counts(home.load()[0]) == [(1, 1, 0, 0), (1, 1, 0, 0)]
    with home.audited() as engine:
        assert engine.value("select count(*) from core.messages") == 2


def test_an_act_without_an_id_is_known_by_its_content(tmp_path: Path) -> None:
    act = ",sms,+12025550101,opt_out,2026-10-05T12:00:00Z,{}\n"
    home = (
        Home(tmp_path).configure().deliver({"e1.csv": EVENT + act.format("") * 2 + act.format("2026-10-06T00:00:00Z")})
    )
    home.deliver({"e2.csv": EVENT + act.format("")})
    assert counts(home.load()[0]) == [(3, 2, 1, 0), (1, 0, 1, 0)]
    assert len({row["event_id"] for row in home.rows("consent_events")}) == 2


# ---- what goes wrong in the middle


def loading(home: Home) -> Callable[[], Load]:
    """One load of the home's first file, ready to run."""
    read = settings.read(home.path)
    ledger = Ledger(read.history)
    [file, *_] = inbox.inbox_files(read, ledger, lambda _: None)
    key = identity.load_key(read.private)
    return lambda: load.load_file(DuckDBEngine(), read, ledger, file, key, home.path, LOADED_AT)


def test_what_a_killed_load_left_behind_is_harmless(tmp_path: Path) -> None:
    home = Home(tmp_path).configure().deliver({"m1.csv": MESSAGE + one("m1")})
    home.load()
    # The second load dies after its parts are written and in the middle of its line.
    home.deliver({"m2.csv": MESSAGE + one("m2") + one("m3", status="wrong")})
    path = home.path / "history" / "ledger.jsonl"
    before = path.read_bytes()
    home.load()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(before) + 40])
    (home.path / "history" / "messages" / "month=2026-10" / "part-9.partial").write_bytes(b"torn")
    (home.path / "private" / "identities" / "part-9.partial").write_bytes(b"torn")
    assert [row["message_id"] for row in home.rows("messages")] == ["m1"]
    assert counts(home.load()[0]) == [(2, 1, 0, 1)]
    assert sorted(row["message_id"] for row in home.rows("messages")) == ["m1", "m2"]
    assert path.read_bytes().count(b"\n") == 2
    home.ledger.check_parts()
    with home.audited() as engine:
        assert engine.value("select count(*) from core.messages") == 2


def test_rows_that_are_lost_stop_the_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path).configure().deliver({"m.csv": MESSAGE + one("m1") + one("m2", status="wrong")})
    monkeypatch.setattr(load._Loading, "_write_quarantine", lambda _: 0)
    with pytest.raises(AccountingError, match="read 2 rows, but accepted 1, found 0 duplicate and quarantined 0"):
        loading(home)()
    assert home.ledger.loads == []


@pytest.mark.parametrize("change", ["grow", "remove"])
def test_a_file_that_changes_while_it_is_read_is_not_loaded(change: str, tmp_path: Path) -> None:
    home = Home(tmp_path).configure().deliver({"m.csv": MESSAGE + one()})
    path = home.path / "inbox" / "m.csv"
    run = loading(home)
    path.write_text(MESSAGE + one() + one("m2")) if change == "grow" else path.rename(path.with_name("gone"))
    with pytest.raises(UnreadableInputError, match="changed while" if change == "grow" else "vanished while"):
        run()
    assert home.ledger.loads == []


def test_two_addresses_with_one_key_stop_the_load(tmp_path: Path) -> None:
    home = Home(tmp_path).configure().deliver({"m1.csv": MESSAGE + one()})
    home.load()
    [path] = (home.path / "private" / "identities").glob("*.parquet")
    # As if another address had been given this one's key.
    polars.read_parquet(path).with_columns(address=polars.lit("+12025550199")).write_parquet(path)
    home.deliver({"m2.csv": MESSAGE + one("m2")})
    with pytest.raises(ContactKeyCollisionError, match="1 contact keys stand for two different addresses"):
        home.load()
    assert len(home.ledger.loads) == 1


def test_addresses_lie_in_private_files_only(tmp_path: Path) -> None:
    home = Home(tmp_path).configure(TWO_SOURCES, 'default_country = "US"')
    home.deliver(
        {"m.csv": MESSAGE + one() + "m2,email,anna@example.com,2026-10-05T12:00:00Z,,\nm3,sms,(202) 555-0102,never,,\n"}
    )
    home.deliver({"e.csv": EVENT + "e1,sms,+12025550101,opt_out,2026-10-04T00:00:00Z,\n"})
    home.load()
    for path in (home.path / "private").rglob("*.parquet"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700, path
    held = [
        str(polars.read_parquet(path, hive_partitioning=False).rows())
        for path in (home.path / "history").rglob("*.parquet")
    ]
    text = "".join(held) + (home.path / "history" / "ledger.jsonl").read_text()
    assert "+1202•••••01" in text
    assert not [address for address in ("2025550101", "5550101", "555-0102", "anna@") if address in text]


def test_a_scheme_without_an_address_is_no_contact(tmp_path: Path) -> None:
    rows = "m1,whatsapp,WhatsApp: ,2026-10-05T12:00:00Z,,\nm2,whatsapp,whatsapp:+12025550101,2026-10-05T12:00:00Z,,\n"
    home = Home(tmp_path).configure().deliver({"m.csv": MESSAGE + rows})
    assert counts(home.load()[0]) == [(2, 1, 0, 1)]
    [refused] = home.quarantined()
    assert (refused["reason"], refused["column"]) == ("required_value_missing", "contact")
