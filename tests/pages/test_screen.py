"""A list is uploaded, screened by the real command, shown without an address, and given back as it was."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from datetime import date, time
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import access, screening
from dashboard.screening import ScreeningError
from tests.pages.conftest import Open, words
from tests.support.home import Home, without_validation
from tests.support.screening_home import made

LIST = (
    b"\xef\xbb\xbfname;phone\r\n"
    b'"Anna;\nA.";+1 (202) 555-0101\r\n'
    b"Ben;+12025550102\r\n"
    b"Caf\xe9;+12025550103\r\n"
    b"Dee;unlisted\r\n"
    b"Eve;+447700900123"
)
CLEAN = b"\xef\xbb\xbfname;phone\r\nBen;+12025550102\r\nEve;+447700900123"


@pytest.fixture(scope="module")
def screening_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home with one contact for every reason."""
    with pytest.MonkeyPatch.context() as patch:
        without_validation(patch)
        yield made(tmp_path_factory.mktemp("screen") / "home")


def sent_off(app: AppTest, name: str, content: bytes, clock: time = time(9, 0), channel: str = "sms") -> AppTest:
    """The page after a list was chosen and the form was sent off, for 17 November 2026 in New York."""
    app.file_uploader(key="list").set_value((name, content, "application/octet-stream"))
    app.selectbox(key="send_channel").set_value(channel)
    app.date_input(key="send_day").set_value(date(2026, 11, 17))
    app.time_input(key="send_time").set_value(clock)
    app.selectbox(key="send_zone").set_value("America/New_York")
    next(button for button in app.button if button.label == "Screen").click()
    app.run()
    assert not app.exception, app.exception
    return app


def test_who_may_be_sent_to_is_said_first_and_then_who_not_and_why(open_page: Open, screening_home: Home) -> None:
    app = sent_off(open_page(screening_home.path, "screen"), "list.csv", LIST)
    assert app.header[0].value == "2 of 5 rows may be sent to at 17 Nov 2026 14:00 UTC"
    reasons = {row[0]: row[2] for row in app.table[0].value.itertuples(index=False)}
    assert reasons == {"**No usable address**": 1, "**Opted out**": 1, "**No consent**": 1}
    refused = app.dataframe[0].value
    assert refused["row_number"].to_list() == [1, 3, 4]
    assert refused["contact_masked"].to_list()[:2] == ["+1202•••••01", "+1202•••••03"]
    assert refused["evidence"][0].startswith("Opted out on 2026-11-05 12:00:00 UTC by keyword")
    assert "47 CFR 64.1200(a)(2)" in refused["rule"][1]
    shown = words(app) + refused.to_csv()
    assert not [digits for digits in ("5550101", "555-0101", "5550103", "unlisted", "Anna") if digits in shown]


@pytest.mark.parametrize("role", [access.OFFICER, access.MARKETER])
def test_refused_rows_are_taken_as_the_role_may_see_them(
    open_page: Open, screening_home: Home, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    monkeypatch.setenv("HEED_DASHBOARD", json.dumps({"login": "none", "role": role}))
    made: list[Callable[[], bytes]] = []
    real = access.on_demand

    def kept(export: str, rows: int, make: Callable[[], bytes], **more: Any) -> Callable[[], bytes]:
        given = real(export, rows, make, **more)
        made.extend([given] if export == "view" else [])
        return given

    monkeypatch.setattr(access, "on_demand", kept)
    app = sent_off(open_page(screening_home.path, "screen"), "list.csv", LIST)
    next(button for button in app.button if "refused-rows-with-the-reason" in str(button.key)).click().run()
    assert not app.exception, app.exception
    table = pyarrow.parquet.read_table(io.BytesIO(made[-1]()))
    assert table.num_rows == 3
    assert ("Contact" in table.column_names) == ("Evidence" in table.column_names) == (role == access.OFFICER)


def test_the_clean_list_is_given_back_byte_for_byte_and_nothing_is_kept(
    screening_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = {path: path.stat().st_mtime_ns for path in screening_home.path.rglob("*")}
    screened = screening.screen(screening_home.path, LIST, "csv", "--channel=sms", "--at=2026-11-17T09:00-05:00")
    assert screened.sendable == CLEAN
    assert screened.refused.num_rows == 3
    assert list(tmp_path.iterdir()) == []
    assert {path: path.stat().st_mtime_ns for path in screening_home.path.rglob("*")} == before


def test_a_time_too_early_is_a_reason(open_page: Open, screening_home: Home) -> None:
    app = sent_off(open_page(screening_home.path, "screen"), "list.csv", LIST, clock=time(7, 30))
    refused = app.dataframe[0].value.set_index("row_number")
    assert refused["reason"][2] == "Quiet hours"
    assert refused["evidence"][2].startswith("Tue 07:30 in America/New_York")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("list.csv", b"name,city\nAnna,Rye\n", "has no column of addresses for sms that heed can tell"),
        ("list.csv", b'phone\n"+12025550101', "cannot be read as CSV"),
        ("list.parquet", b"PAR1", "is not a whole Parquet file"),
    ],
)
def test_a_list_that_cannot_be_screened_says_what_to_do(
    name: str, content: bytes, said: str, open_page: Open, screening_home: Home
) -> None:
    app = sent_off(open_page(screening_home.path, "screen"), name, content)
    assert said in app.error[0].value
    assert not app.header
    assert not app.dataframe


def test_without_a_list_it_is_asked_for(open_page: Open, screening_home: Home) -> None:
    app = open_page(screening_home.path, "screen")
    app.button[0].click()
    app.run()
    assert app.warning[-1].value == "Choose a list first."


def test_a_snapshot_without_places_says_what_to_do(open_page: Open, homes: dict[str, Path]) -> None:
    app = open_page(homes["old"], "screen")
    assert "This snapshot has no screening" in words(app)


def test_a_clock_time_is_an_instant_of_its_zone() -> None:
    shown = screening.instant(date(2026, 12, 1), time(9, 0), "America/New_York")
    assert shown.isoformat() == "2026-12-01T09:00:00-05:00"
    # The hour that comes twice is its first, in summer time; the one that is skipped is none.
    twice = screening.instant(date(2026, 11, 1), time(1, 30), "America/New_York")
    assert twice.isoformat() == "2026-11-01T01:30:00-04:00"
    with pytest.raises(ScreeningError, match="go forward over 02:30"):
        screening.instant(date(2026, 3, 8), time(2, 30), "America/New_York")


def test_the_format_is_told_by_the_name() -> None:
    assert [screening.file_format(name) for name in ("A.CSV", "b.tsv.gz", "c.ndjson", "d.parquet")] == [
        "csv", "csv", "jsonl", "parquet",
    ]  # fmt: skip
    with pytest.raises(ScreeningError, match=r"Name it \.csv"):
        screening.file_format("list.xlsx")
