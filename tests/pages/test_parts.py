"""The dashboard's own parts: the snapshot's connections, exports, formats and texts."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow
import pyarrow.csv
import pyarrow.parquet
import pytest

from dashboard import export, snapshot
from dashboard.words import formats, texts
from tests.support.snapshot_factory import write_home


def pointer_of(home: Path, monkeypatch: pytest.MonkeyPatch) -> snapshot.Published:
    """What the home's pointer names."""
    monkeypatch.setenv("HEED_HOME", str(home))
    return snapshot.read_pointer()


def test_threads_get_their_own_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_home(tmp_path, "empty")
    chosen = pointer_of(tmp_path, monkeypatch)

    def asked(number: int) -> int:
        answer: int = snapshot.read_uncached(chosen, "select ? as number", [number]).to_pylist()[0]["number"]
        return answer

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(asked, range(240))) == list(range(240))


def test_old_snapshots_are_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for run in (1, 2, 3):
        write_home(tmp_path, "empty", run=run)
        snapshot.read_uncached(pointer_of(tmp_path, monkeypatch), "select 1")
    held = [path.name for path in snapshot._open if path.parent.parent == tmp_path]
    assert held == ["20261118T141002Z-4f2a9c.duckdb", "20261118T141003Z-4f2a9c.duckdb"]


@pytest.mark.parametrize("sql", ["create table run.more (a int)", "select * from read_csv('/etc/hostname')"])
def test_a_snapshot_is_read_only_and_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: str) -> None:
    write_home(tmp_path, "empty")
    with pytest.raises(snapshot.UnreadableSnapshotError):
        snapshot.read_uncached(pointer_of(tmp_path, monkeypatch), sql)


def test_instants_are_in_utc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_home(tmp_path, "empty")
    table = snapshot.read_uncached(pointer_of(tmp_path, monkeypatch), "select as_of from run.parameters")
    assert table.to_pylist()[0]["as_of"] == datetime(2026, 11, 18, 14, 5, tzinfo=UTC)


def test_a_pointer_cannot_lead_out_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_home(tmp_path / "home", "empty")
    path.rename(tmp_path / path.name)
    pointer = path.parent / "CURRENT.json"
    pointer.write_text(pointer.read_text().replace(path.name, f"../../{path.name}"), encoding="utf-8")
    with pytest.raises(snapshot.UnreadableSnapshotError):
        pointer_of(tmp_path / "home", monkeypatch)


@pytest.mark.parametrize("cell", ["=1+1", "+1202•••••17", "-2", "@sum", "\tx", "\rx"])
def test_csv_neutralises_formulas(cell: str) -> None:
    table = pyarrow.table({"text": [cell, "plain", None], "number": [-1, 2, None]})
    written = pyarrow.csv.read_csv(
        io.BytesIO(export.to_csv(table)),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False),
    )
    assert written.column("text").to_pylist() == [f"'{cell}", "plain", None]
    assert written.column("number").to_pylist() == [-1, 2, None]


def test_csv_writes_instants_in_iso_8601() -> None:
    at = datetime(2026, 11, 18, 14, 5, tzinfo=UTC)
    instants = pyarrow.array([at, at + timedelta(microseconds=7), None], pyarrow.timestamp("us", "UTC"))
    written = export.to_csv(pyarrow.table({"at": instants})).decode().splitlines()
    assert written == ['"at"', '"2026-11-18T14:05:00Z"', '"2026-11-18T14:05:00.000007Z"', ""]


def test_parquet_keeps_cells_as_they_are() -> None:
    table = pyarrow.table({"text": ["=1+1"], "number": [1]})
    assert pyarrow.parquet.read_table(io.BytesIO(export.to_parquet(table))) == table


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.0, "0.0 %"), (0.0119, "1.2 %"), (0.0004, "0.04 %"), (0.00001, "under 0.01 %"), (1.0, "100.0 %")],
)
def test_shares_read_as_on_the_command_line(value: float | None, text: str) -> None:
    assert formats.share(value).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"), (0.2, "under 1 s"), (59.4, "59 s"), (2_700, "45 min"), (5_400, "1.5 h"), (86_400, "1 day"),
        (198_720, "2.3 days"), (34_074_840, "394 days"),
    ],
)  # fmt: skip
def test_durations_read_as_on_the_command_line(seconds: float | None, text: str) -> None:
    assert formats.duration(seconds).replace("\u00a0", " ") == text


def test_ages_have_one_unit() -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    ages = [now - timedelta(seconds=passed) for passed in (-5, 30, 61, 7_300, 200_000)]
    assert [formats.age(since, now) for since in ages] == [
        "less than a minute", "less than a minute", "1 minute", "2 hours", "2 days",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["![x](http://example.com/x.png)", "[a](http://example.com)", "<img src=x>", "*a* _b_ `c` ~~d~~", "$x$ a|b"]
)
def test_text_from_the_data_has_no_markdown(text: str) -> None:
    escaped = texts.plain(text)
    assert not any(
        character in "\\`*_[]<>~$|#" and escaped[index - 1] != "\\"
        for index, character in enumerate(escaped)
        if not (character == "\\" and escaped[index + 1 : index + 2] in "\\`*_[]<>~$|#")
    )
    assert "http://" not in escaped
