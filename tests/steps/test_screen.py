"""`heed screen`: sendable rows come back as they were, every other one with a reason, evidence and no address."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars
import pyarrow
import pyarrow.parquet
import pytest

from tests.support.home import Home, Said, without_validation
from tests.support.screening_home import AT, EVENT, EVENTS, MESSAGES, POLICY, SOURCES, made

ROWS = {
    "+1 (202) 555-0101": "opted_out",
    "202-555-0102": None,
    "+12025550103": "no_consent",
    "+12025550104": "opted_out",
    "tel:+12025550105": "opted_out",
    "+15035550106": "quiet_hours",
    "+12025550102": "duplicate",
    "not a number": "unreadable_address",
    "": "unreadable_address",
    "+447700900123": None,
}


@pytest.fixture(scope="module")
def screening_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The home above, which nobody may change."""
    with pytest.MonkeyPatch.context() as patch:
        without_validation(patch)
        return made(tmp_path_factory.mktemp("screen") / "home")


def screen(home: Home, listed: Path | str, *arguments: str, at: str | None = AT, channel: str = "sms") -> Said:
    """`heed screen` of a list."""
    when = ["--at", at] if at else []
    return home.heed("screen", str(listed), "--channel", channel, *when, *arguments)


def process(home: Home, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The same as a process of its own, whose standard output is bytes."""
    command = [sys.executable, "-m", "pipelines.cli", "-C", str(home.path), "screen", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=120)


def as_csv(addresses: Sequence[str], name: str = "phone") -> str:
    return f"{name},note\n" + "".join(f"{one},row {number}\n" for number, one in enumerate(addresses, start=1))


def refused_rows(home: Home, tmp_path: Path, addresses: Sequence[str], *arguments: str, **how: Any) -> dict[int, Any]:
    """The refused rows of a list by their number."""
    listed = tmp_path / "list.csv"
    listed.write_text(as_csv(addresses, "contact"), encoding="utf-8")
    said = screen(home, listed, "--out", str(tmp_path / "out.csv"), "--format", "json", *arguments, **how)
    assert said.code == 0, said.err
    return {row["row_number"]: row for row in said.json()}


# ---- who is refused, and on what evidence


def test_each_row_has_its_reason_and_the_others_come_back(screening_home: Home, tmp_path: Path) -> None:
    # Half past nine in New York is half past six in Oregon, where nobody may be texted before eight.
    refused = refused_rows(screening_home, tmp_path, list(ROWS), at="2026-11-17T09:30-05:00")
    reasons = {number: refused[number]["reason"] if number in refused else None for number in range(1, len(ROWS) + 1)}
    assert reasons == dict(enumerate(ROWS.values(), start=1))
    kept = (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert kept == "contact,note\n202-555-0102,row 2\n+447700900123,row 10\n"


def test_the_evidence_says_when_and_by_which_act(screening_home: Home, tmp_path: Path) -> None:
    refused = refused_rows(screening_home, tmp_path, list(ROWS))
    assert refused[1]["since"] == "2026-11-05T12:00:00Z"
    assert refused[1]["evidence"] == (
        "Opted out on 2026-11-05 12:00:00 UTC by keyword (event e2 of crm), and nothing had ended it by then."
    )
    assert refused[1]["rule"] == "message_after_opt_out"
    assert refused[3]["evidence"] == "No opt-in before the message is on record, and us-tcpa-consent-pewc asks for one."
    assert refused[3]["rule"] == "us-tcpa-consent-pewc"
    assert refused[4]["evidence"].startswith("Complained on 2026-11-06 12:00:00 UTC (event e5 of crm)")
    assert refused[5]["evidence"].startswith("Blocked you on 2026-11-07 12:00:00 UTC by provider (event e7")
    assert refused[6]["rule"] == "us-or-quiet-hours"
    assert refused[6]["evidence"].startswith("Tue 06:00 in America/Los_Angeles")
    assert "(possible); us-or-quiet-hours allows MO-SU 08:00-20:00." in refused[6]["evidence"]
    assert refused[7]["evidence"] == "The address stands in row 2 already."
    assert refused[9]["evidence"] == "The row has no address."


def test_an_act_counts_from_after_its_instant_until_before_its_end(screening_home: Home, tmp_path: Path) -> None:
    for at, reason in [
        ("2026-11-05T12:00:00Z", None),
        ("2026-11-05T12:00:00.000001Z", "opted_out"),
        # Before the opt-in of the first of October, the contact had said nothing.
        ("2026-10-01T12:00:00Z", None),
        ("2026-10-01T11:59:59Z", "no_consent"),
    ]:
        rows = refused_rows(screening_home, tmp_path, ["+12025550101"], at=at.replace("12:00:00Z", "12:00:00+00:00"))
        # At noon UTC it is 7 or 8 in the morning there.
        found = rows[1]["reason"] if 1 in rows else None
        assert found == reason or (reason is None and found == "quiet_hours"), at


def test_an_opt_out_of_every_channel_covers_one_never_used(screening_home: Home, tmp_path: Path) -> None:
    assert refused_rows(screening_home, tmp_path, ["+12025550104"], channel="rcs")[1]["reason"] == "opted_out"
    assert refused_rows(screening_home, tmp_path, ["+12025550101"], channel="rcs") == {}


def test_the_scope_decides_whom_an_opt_out_covers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_validation(monkeypatch)
    mail = ["anna@example.com"]
    home = made(tmp_path / "program", f'{POLICY}\nscope = "program"\nrules = "none"')
    assert refused_rows(home, tmp_path, mail, "--program", "sale", channel="email") == {}
    assert refused_rows(home, tmp_path, mail, "--program", "news", channel="email")[1]["reason"] == "opted_out"
    home = made(tmp_path / "person", f'{POLICY}\nscope = "person"\nrules = "none"')
    [row] = refused_rows(home, tmp_path, mail, "--program", "sale", channel="email").values()
    # The complaint of the same person's number came first.
    assert row["evidence"].startswith("Complained on 2026-11-06 12:00:00 UTC, from another address of the same person")


def test_double_opt_in_refuses_who_only_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_validation(monkeypatch)
    home = made(tmp_path / "home", f"{POLICY}\ndouble_opt_in = true")
    row = refused_rows(home, tmp_path, ["+12025550103"])[1]
    assert (row["reason"], row["since"], row["rule"]) == (
        "pending_confirmation", "2026-10-02T12:00:00Z", "message_before_confirmation",
    )  # fmt: skip


def test_a_cap_counts_what_reached_the_contact_and_this_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_validation(monkeypatch)
    home = made(tmp_path / "home", f'{POLICY}\nfrequency_cap = "1/24h"')
    # One marketing message reached it in the 24 hours before: not the transactional one, not the failed one.
    row = refused_rows(home, tmp_path, ["+12025550102"])[1]
    assert (row["reason"], row["rule"]) == ("over_cap", "policy")
    assert row["evidence"] == "Got 1 in the 24 hours before; the cap (policy) is 1."
    # The window leaves out its own beginning: 24 hours after m1 to the second.
    assert refused_rows(home, tmp_path, ["+12025550102"], at="2026-11-17T15:00:00Z") == {}
    assert refused_rows(home, tmp_path, ["+12025550102"], at="2026-11-17T14:59:59Z")[1]["reason"] == "over_cap"


def test_consent_can_be_required_of_everybody(screening_home: Home, tmp_path: Path) -> None:
    row = refused_rows(screening_home, tmp_path, ["+447700900123"], "--require-consent")[1]
    assert (row["reason"], row["rule"]) == ("no_consent", "message_without_consent")


def test_a_record_without_opt_ins_says_nothing_about_one_contact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_validation(monkeypatch)
    home = made(tmp_path / "home", POLICY, EVENT + "e1,sms,+12025550101,opt_out,2026-11-05T12:00:00Z,keyword,,\n")
    assert refused_rows(home, tmp_path, ["+12025550102"]) == {}
    said = screen(home, tmp_path / "list.csv", "--out", str(tmp_path / "out.csv"))
    assert "The record holds no opt-in for sms" in said.err
    assert refused_rows(home, tmp_path, ["+12025550102"], "--require-consent")[1]["reason"] == "no_consent"


def test_a_time_zone_nobody_can_tell_is_refused_on_request_only(screening_home: Home, tmp_path: Path) -> None:
    # A toll-free number belongs to no area; somewhere in the country it is still night.
    events = EVENTS + "e10,sms,+18005550107,opt_in,2026-10-01T12:00:00Z,web_form,,\n"
    home = Home(tmp_path / "home").configure(SOURCES, POLICY).deliver({"e.csv": events, "m.csv": MESSAGES})
    with pytest.MonkeyPatch.context() as patch:
        without_validation(patch)
        home.run()
    assert refused_rows(home, tmp_path, ["+18005550107"]) == {}
    row = refused_rows(home, tmp_path, ["+18005550107"], "--strict-time")[1]
    assert row["reason"] == "quiet_hours"
    assert "(unknown)" in row["evidence"]


@pytest.mark.parametrize(
    ("address", "channel"),
    [
        ("12025550102.0", "sms"),
        ("1.2025550102e10", "sms"),
        ("anna@example.com", "sms"),
        ("whatsapp:", "whatsapp"),
        ("Anna <anna@example.com>", "email"),
        ("anna@example.com, ben@example.com", "email"),
        ("+12025550102", "email"),
    ],
)
def test_what_the_channel_cannot_use_is_refused(
    address: str, channel: str, screening_home: Home, tmp_path: Path
) -> None:
    quoted = f'"{address}"'
    assert refused_rows(screening_home, tmp_path, [quoted], channel=channel)[1]["reason"] == "unreadable_address"


# ---- the list comes back as it was

BYTES = {
    "plain": b"phone,name\n+12025550102,Anna\n",
    "quotes and line breaks": b'name,phone\n"A ""x"", B",+12025550102\n"two\r\nlines",+447700900123\n',
    "a byte-order mark and CRLF": b"\xef\xbb\xbfphone;name\r\n+12025550102;Anna\r\n+447700900123;Ben\r\n",
    "no last line end": b"phone\tname\n+12025550102\tAnna\n+447700900123\tBen",
    "old Mac": b"phone,name\r+12025550102,Anna\r",
    "spaces and another encoding": b' id , Phone ,name\n 1,  +1 202 555 0102 ,Caf\xe9 \n2,"+447700900123",  x\n',
    "a quote inside": b"phone,name\n+12025550102,Anna 5\" screen\n",
    "short and padded rows": b"phone,name,city\n+12025550102\n+447700900123,Ben,Rye,,\n",
    "a header only": b"phone,name\n",
}  # fmt: skip


@pytest.mark.parametrize("content", BYTES.values(), ids=BYTES)
def test_sendable_csv_rows_come_back_byte_for_byte(content: bytes, screening_home: Home, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(content)
    said = screen(screening_home, tmp_path / "list.csv", "--out", str(tmp_path / "out.csv"))
    assert said.code == 0, said.err
    assert (tmp_path / "out.csv").read_bytes() == content


def test_refused_rows_are_cut_out_and_nothing_else(screening_home: Home, tmp_path: Path) -> None:
    head, good, bad = b"\xef\xbb\xbfid,phone\r\n", b'"1\r\n",+12025550102\r\n', b'"2\n""",+12025550101\r\n'
    other = b"3,+447700900123"
    for content, kept in [
        (head + good + bad + other, head + good + other),
        (head + bad + good + bad + other, head + good + other),
        (head + bad, head),
        (head + good + b"\r\n\r\n" + other, head + good + other),
    ]:
        (tmp_path / "list.csv").write_bytes(content)
        screen(screening_home, tmp_path / "list.csv", "--out", str(tmp_path / "out.csv"))
        assert (tmp_path / "out.csv").read_bytes() == kept


def test_a_row_with_more_values_than_the_header_is_refused(screening_home: Home, tmp_path: Path) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text("name,phone\nSmith, Anna,+12025550102\n", encoding="utf-8")
    said = screen(screening_home, listed, "--out", str(tmp_path / "out.csv"), "--format", "json", "--column", "phone")
    [row] = said.json()
    assert (row["reason"], row["evidence"]) == ("unreadable_address", "The row has 3 values, the header 2.")


def test_json_lines_come_back_byte_for_byte(screening_home: Home, tmp_path: Path) -> None:
    lines = [
        b'{"phone": "+12025550102",   "name": "Caf\\u00e9"}\r\n',
        b'{"phone": "+12025550101"}\n',
        b'{"phone": 447700900123, "tags": [1, {"a": null}]}\n',
        b"[1, 2]\n",
        b"\n",
        b'{"name": "nobody"}\n',
        b'{"phone":12025550105.0}',
    ]
    (tmp_path / "list.jsonl").write_bytes(b"".join(lines))
    out, refused = tmp_path / "out.jsonl", tmp_path / "refused.jsonl"
    said = screen(screening_home, tmp_path / "list.jsonl", "--out", str(out), "--refused", str(refused))
    assert said.code == 0, said.err
    assert out.read_bytes() == lines[0]
    found = [json.loads(line) for line in refused.read_text(encoding="utf-8").splitlines()]
    # 447700900123 has no +, and the home's own country is the US; the amount .0 is a number as JSON has them.
    assert [(row["row_number"], row["reason"]) for row in found] == [
        (2, "opted_out"), (3, "unreadable_address"), (4, "unreadable_address"), (5, "unreadable_address"),
        (6, "opted_out"),
    ]  # fmt: skip
    assert found[0]["since"] == "2026-11-05T12:00:00Z"


def test_parquet_keeps_its_schema(screening_home: Home, tmp_path: Path) -> None:
    schema = pyarrow.schema(
        [
            pyarrow.field("phone", pyarrow.dictionary(pyarrow.int32(), pyarrow.string())),
            pyarrow.field("born", pyarrow.date32(), nullable=False),
            pyarrow.field("tags", pyarrow.list_(pyarrow.int8())),
        ],
        metadata={"made by": "a tool"},
    )
    rows = [("+12025550101", 1, [1]), ("+12025550102", 2, []), ("+447700900123", 3, None)]
    columns = [list(values) for values in zip(*rows, strict=True)]
    table = pyarrow.table([pyarrow.array(one, field.type) for one, field in zip(columns, schema, strict=True)], schema)
    pyarrow.parquet.write_table(table, tmp_path / "list.parquet", compression="zstd")
    out = tmp_path / "out.parquet"
    assert screen(screening_home, tmp_path / "list.parquet", "--out", str(out)).code == 0
    found = pyarrow.parquet.read_table(out)
    assert found.equals(pyarrow.parquet.read_table(tmp_path / "list.parquet").slice(1), check_metadata=True)


def test_parquet_numbers_are_phone_numbers(screening_home: Home, tmp_path: Path) -> None:
    frame = polars.DataFrame({"msisdn": [12025550101.0, 12025550102.0, None]})
    frame.write_parquet(tmp_path / "list.parquet")
    out = tmp_path / "out.parquet"
    assert screen(screening_home, tmp_path / "list.parquet", "--out", str(out)).code == 0
    assert polars.read_parquet(out)["msisdn"].to_list() == [12025550102.0]


def test_packed_lists_are_read_and_written(screening_home: Home, tmp_path: Path) -> None:
    content = b"phone\n+12025550102\n"
    (tmp_path / "list.csv.gz").write_bytes(gzip.compress(content))
    for name, opened in [("out.csv.gz", gzip.decompress), ("out.csv", bytes)]:
        assert screen(screening_home, tmp_path / "list.csv.gz", "--out", str(tmp_path / name)).code == 0
        assert opened((tmp_path / name).read_bytes()) == content


def test_without_out_the_list_is_standard_output(screening_home: Home) -> None:
    content = b"phone,name\r\n+12025550102,Caf\xe9\r\n+12025550101,B\r\n"
    done = process(screening_home, "-", "--input-format", "csv", "--channel", "sms", "--at", AT, stdin=content)
    assert (done.returncode, done.stdout) == (0, b"phone,name\r\n+12025550102,Caf\xe9\r\n")
    assert b"2 rows read for 2026-11-17T14:00:00Z: 1 sendable, 1 refused:" in done.stderr
    done = process(
        screening_home, "-", "--input-format", "csv", "--channel", "sms", "--at", AT, "--json", stdin=content
    )
    counts = json.loads(done.stderr)
    assert (counts["read"], counts["sendable"], counts["by_reason"]) == (2, 1, {"opted_out": 1})


# ---- what is said, and what is never said


def test_no_address_is_in_what_is_said_of_refused_rows(screening_home: Home, tmp_path: Path) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text(as_csv(list(ROWS)), encoding="utf-8")
    shown = ""
    for ending in ("csv", "jsonl"):
        path = tmp_path / f"refused.{ending}"
        said = screen(screening_home, listed, "--out", str(tmp_path / "out.csv"), "--refused", str(path))
        shown += path.read_text(encoding="utf-8") + said.out + said.err
    for form in ("table", "csv", "json"):
        shown += screen(screening_home, listed, "--out", str(tmp_path / "out.csv"), "--format", form).out
    for digits in ("2025550101", "555-0101", "5550104", "5550106", "447700900123", "not a number"):
        assert digits not in shown
    assert "+1202•••••01" in shown
    rows = list(csv.DictReader(io.StringIO((tmp_path / "refused.csv").read_text(encoding="utf-8"))))
    assert rows[0]["contact_masked"] == "'+1202•••••01"
    assert len(rows[0]["contact_key"]) == 16


def test_counts_are_narration_and_refusals_can_fail(screening_home: Home, tmp_path: Path) -> None:
    listed, out = tmp_path / "list.csv", str(tmp_path / "out.csv")
    listed.write_text(as_csv(["+12025550101", "+12025550102"]), encoding="utf-8")
    said = screen(screening_home, listed, "--out", out, "--fail-on-refusal")
    assert said.code == 10
    assert "2 rows read for 2026-11-17T14:00:00Z: 1 sendable, 1 refused:" in said.err
    assert "1 opted out, complained or blocked you (opted_out)" in said.err
    counts = screen(screening_home, listed, "--out", out, "--json").json()
    assert counts == {
        "read": 2, "sendable": 1, "refused": 1, "by_reason": {"opted_out": 1}, "at": "2026-11-17T14:00:00Z",
        "as_of": "2026-11-16T18:00:00Z", "notes": [],
    }  # fmt: skip
    listed.write_text(as_csv(["+12025550102"]), encoding="utf-8")
    assert screen(screening_home, listed, "--out", out, "--fail-on-refusal").code == 0


def test_an_old_record_and_a_missing_time_are_said(screening_home: Home, tmp_path: Path) -> None:
    listed, out = tmp_path / "list.csv", str(tmp_path / "out.csv")
    listed.write_text(as_csv(["+447700900123"]), encoding="utf-8")
    assert "The record ends" not in screen(screening_home, listed, "--out", out, at="2026-11-18T18:00:00Z").err
    late = screen(screening_home, listed, "--out", out, at="2026-11-18T18:00:01Z").err
    assert "The record ends at 2026-11-16T18:00:00Z: opt-outs after it are not known." in late
    before = datetime.now(UTC)
    said = json.loads(screen(screening_home, listed, "--out", out, "--json", at=None).out)
    assert abs(datetime.fromisoformat(said["at"]) - before).total_seconds() < 120
    assert said["notes"][0].startswith("No --at was given: judged for now")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nowhere.csv"], 64, "nowhere.csv is not a file."),
        (["-"], 64, "Add --input-format csv."),
        (["{home}/list.csv", "--at", "2026-11-17T09:00"], 64, "which is no instant"),
        (["{home}/list.csv", "--at", "tomorrow"], 64, "which is no instant"),
        (["{home}/list.csv", "--at", "1990-12-01T09:00Z"], 64, "Write a year from 2000 to 2040."),
        (["{home}/list.csv", "--channel", "fax"], 64, "--channel is 'fax'. Write one of sms, rcs, whatsapp"),
        (["{home}/list.csv", "--program", "*"], 64, "A message belongs to one program"),
        (["{home}/list.csv", "--column", "Nummer"], 64, "no column called Nummer; its columns are name, city."),
        (["{home}/list.csv"], 64, "no column of addresses for sms that heed can tell; its columns are name, city."),
        (["{home}/list.csv", "--out", "{home}/out.parquet"], 64, "but the list is csv"),
        (["{home}/list.csv", "--out", "{home}/list.csv"], 64, "the list itself"),
        (["{home}/list.csv", "--out", "{home}/no/out.csv"], 64, "which cannot be a file"),
        (["{home}/list.csv", "--refused", "{home}/refused.xlsx"], 64, "Name it .csv, .jsonl or .parquet."),
        (["{home}/list.csv", "--out", "{home}/a.csv", "--refused", "{home}/a.csv"], 64, "Name two files."),
        (["{home}/list.xlsx"], 64, "has no format heed knows by its name"),
        (["{home}/headless.csv"], 64, "has no header line: an address stands in it."),
        (["{home}/open.csv"], 11, "open.csv cannot be read as CSV in the row that ends at line 3"),
        (["{home}/wide.csv"], 11, "is UTF-16 text"),
        (["{home}/twice.csv"], 11, "has two columns called phone"),
        (["{home}/empty.csv"], 11, "has no header line"),
        (["{home}/list.json"], 11, "is one JSON list"),
        (["{home}/cut.parquet"], 11, "is not a whole Parquet file"),
        (["{home}/cut.csv.gz"], 11, "is not a whole gzip file"),
    ],
)
def test_a_mistake_is_one_sentence_and_writes_nothing(
    arguments: list[str], code: int, words: str, screening_home: Home, tmp_path: Path
) -> None:
    files = {
        "list.csv": b"name,city\nAnna,Rye\n", "list.xlsx": b"PK", "headless.csv": b"+12025550102,Anna\n",
        "open.csv": b'phone,name\n+12025550102,"Anna\n+12025550101,Ben\n', "wide.csv": "phone\n1".encode("utf-16"),
        "twice.csv": b"phone,Phone\n1,2\n", "empty.csv": b"", "list.json": b'[{"phone": "1"}]',
        "cut.parquet": b"PAR1", "cut.csv.gz": gzip.compress(b"phone\n" * 99)[:-9],
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    options = [one.replace("{home}", str(tmp_path)) for one in arguments]
    options += [] if "--at" in options else ["--at", AT]
    options += [] if "--channel" in options else ["--channel", "sms"]
    said = screening_home.heed("screen", *options)
    assert (said.code, said.out) == (code, "")
    assert said.err.startswith("heed: ")
    assert said.err.count("\n") == 1
    assert words in said.err
    assert "2025550102" not in said.err
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files)


def test_without_snapshot_or_key_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_validation(monkeypatch)
    listed = tmp_path / "list.csv"
    listed.write_text(as_csv(["+12025550102"]), encoding="utf-8")
    home = Home(tmp_path / "home").configure(SOURCES, POLICY).deliver({"e.csv": EVENTS, "m.csv": MESSAGES})
    said = screen(home, listed)
    assert (said.code, said.err.count("\n")) == (78, 1)
    assert "Nothing is published" in said.err
    home.run()
    (home.path / "private" / "key").unlink()
    said = screen(home, listed)
    assert (said.code, said.err.count("\n")) == (78, 1)
    assert not (home.path / "private" / "key").exists()
    monkeypatch.setenv("HEED_KEY", "another secret altogether")
    assert screen(home, listed).code == 78


def test_a_snapshot_of_an_earlier_version_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import duckdb

    without_validation(monkeypatch)
    home = made(tmp_path / "home")
    snapshot = next((home.path / "published").glob("*.duckdb"))
    with duckdb.connect(str(snapshot)) as connection:
        connection.execute("drop table core.place_zones")
    listed = tmp_path / "list.csv"
    listed.write_text(as_csv(["+12025550102"]), encoding="utf-8")
    said = screen(home, listed)
    assert (said.code, said.err.count("\n")) == (78, 1)
    assert "an earlier version's" in said.err


# ---- which column


@pytest.mark.parametrize(
    ("header", "row", "channel", "kept"),
    [
        # By content where several names could be meant.
        ("contact,phone", "Anna Smith,+447700900123", "sms", True),
        ("phone,email", "+447700900123,ben@example.com", "email", True),
        ("address,Mobile ", "1 High St,+447700900123", "sms", True),
        ("EMAIL", "ben@example.com", "email", True),
        # By name where the content does not tell.
        ("phone,email", "somewhere,ben@example.com", "sms", False),
        ("to", "some token", "push", True),
    ],
)
def test_the_column_is_found_by_name_and_content(
    header: str, row: str, channel: str, kept: bool, screening_home: Home, tmp_path: Path
) -> None:
    listed, out = tmp_path / "list.csv", tmp_path / "out.csv"
    listed.write_text(f"{header}\n{row}\n", encoding="utf-8")
    said = screen(screening_home, listed, "--out", str(out), channel=channel)
    assert said.code == 0, said.err
    assert (row in out.read_text(encoding="utf-8")) is kept


def test_a_named_column_is_used_whatever_it_is_called(screening_home: Home, tmp_path: Path) -> None:
    listed, out = tmp_path / "list.csv", tmp_path / "out.csv"
    listed.write_text("phone,Reach Me\n+12025550101,+447700900123\n", encoding="utf-8")
    assert screen(screening_home, listed, "--out", str(out), "--column", "reach me").code == 0
    assert out.read_text(encoding="utf-8").count("\n") == 2
