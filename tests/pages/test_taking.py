"""What a page shows can be taken along: as CSV and Parquet that say where they are from, and charts as images."""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas
import plotly.graph_objects as go
import pyarrow
import pyarrow.parquet
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import access, charts, export, layout, taking
from dashboard.words import formats
from tests.pages.conftest import PAGES, Open, Published

ORIGIN = {"heed_run": "run-1", "heed_as_of": "2026-11-18T14:05:00Z", "heed_selection": "October 2026, SMS",
          "heed_definition": "Opt-out rate"}  # fmt: skip


def offers(app: AppTest) -> list[Any]:
    """The page's buttons to take something."""
    return [button for button in app.button if str(button.key).startswith("take-")]


@pytest.mark.parametrize("name", PAGES)
def test_every_chart_of_every_page_can_be_taken(homes: dict[str, Path], open_page: Open, name: str) -> None:
    if name in ("contact", "screen"):
        return
    app = open_page(homes["findings"], name)
    assert len(offers(app)) >= len(app.get("plotly_chart"))
    # Nothing is made before somebody asks for it.
    assert not [button for button in app.get("download_button") if button.proto.label in ("CSV", "Parquet")]


def test_a_chart_opens_as_files_and_as_an_image(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "trends", channel="SMS")
    before = len(app.get("plotly_chart"))
    offers(app)[0].click().run()
    assert not app.exception
    assert [button.proto.label for button in app.get("download_button")] == ["CSV", "Parquet"]
    shown = app.get("plotly_chart")
    assert len(shown) == before + 1
    [image] = [chart for chart in shown if json.loads(chart.proto.config)["displayModeBar"]]
    config = json.loads(image.proto.config)
    assert config["modeBarButtons"] == [["toImage"]]
    assert config["showSendToCloud"] is False
    assert config["plotlyServerURL"] == ""
    told = config["toImageButtonOptions"]
    assert (told["format"], told["width"], told["scale"]) == ("png", 1000, 2)
    assert told["filename"].startswith("heed-trends-opt-out-rate-by-week")
    assert told["filename"].endswith("-20261118T141001Z-4f2a9c")
    spec = json.loads(image.proto.spec)["layout"]
    assert spec["paper_bgcolor"] == "white"
    assert "Whole record, SMS" in spec["title"]["subtitle"]["text"]
    assert "run 20261118T141001Z-4f2a9c, data up to 2026-11-18 14:05 UTC" in spec["title"]["subtitle"]["text"]
    assert "opt_out_rate/heed" in spec["title"]["subtitle"]["text"]


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], bytes]]:
    """What the page's buttons for what is shown call, as drawn: a click makes the file, and writes that down."""
    made: list[Callable[[], bytes]] = []
    real = access.on_demand

    def kept(export: str, rows: int, make: Callable[[], bytes], **more: Any) -> Callable[[], bytes]:
        given = real(export, rows, make, **more)
        made.extend([given] if export == "view" else [])
        return given

    monkeypatch.setattr(access, "on_demand", kept)
    return made


def taken(app: AppTest, name: str, files: list[Callable[[], bytes]]) -> tuple[list[dict[str, str]], pyarrow.Table]:
    """What the button that offers a table leads to: the rows of the CSV, and the Parquet file."""
    files.clear()
    [button] = [one for one in offers(app) if name in one.key]
    button.click().run()
    assert not app.exception, app.exception
    as_csv, as_parquet = files[-2:]
    rows = list(csv.DictReader(io.StringIO(as_csv().decode())))
    return rows, pyarrow.parquet.read_table(io.BytesIO(as_parquet()))


def log_of(home: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (home / "private" / "access.jsonl").read_text().splitlines()]


def test_the_findings_shown_are_taken_as_they_are_shown(
    homes: dict[str, Path], open_page: Open, tmp_path: Path, files: list[Callable[[], bytes]]
) -> None:
    home = shutil.copytree(homes["findings"], tmp_path / "home")
    app = open_page(home, "findings", severity=["Warning"], sort="Oldest first")
    rows, table = taken(app, "findings-shown", files)
    assert len(rows) == table.num_rows == 50
    assert rows[0]["Contact"].startswith("'+") or "@" in rows[0]["Contact"]
    assert {row["Severity"].split(",")[0] for row in rows} == {"Warning"}
    # What opens another page is on the screen alone; where the numbers come from is in the file alone.
    assert {"Finding", "Timeline", "open_finding"} & set(rows[0]) == set()
    assert rows[0]["heed_run"] == "20261118T141001Z-4f2a9c"
    exports = [(line["page"], line["rows"]) for line in log_of(home) if line["what"] == "export"]
    assert exports[-2:] == [("findings", 50)] * 2


def test_a_contact_s_records_are_taken_and_written_down_with_the_contact(
    homes: dict[str, Path], open_page: Open, published: Published, tmp_path: Path, files: list[Callable[[], bytes]]
) -> None:
    home = shutil.copytree(homes["findings"], tmp_path / "home")
    [(key,)] = published(
        "select lpad(lower(hex(contact_key)), 16, '0') from audits.findings where contact_key is not null limit 1"
    )
    app = open_page(home, "contact", contact=key)
    shown = app.dataframe[0].value
    rows, table = taken(app, "everything-recorded", files)
    assert len(rows) == table.num_rows == len(shown) > 0
    last = log_of(home)[-1]
    assert (last["what"], last["page"], last["contact_key"], last["export"]) == ("export", "contact", key, "view")


def test_a_csv_says_in_every_row_where_it_is_from() -> None:
    table = pyarrow.table({"Phone": ["+12025550123", "=1+1"], "Count": [1, 2]})
    rows = list(csv.DictReader(io.StringIO(export.to_csv(taking.with_origin_columns(table, ORIGIN)).decode())))
    assert [row["Phone"] for row in rows] == ["'+12025550123", "'=1+1"]
    assert all({name: row[name] for name in ORIGIN} == ORIGIN for row in rows)


def test_a_parquet_file_says_in_its_metadata_where_it_is_from() -> None:
    table = pyarrow.table({"Count": [1, 2]}).replace_schema_metadata(ORIGIN)
    read = pyarrow.parquet.read_table(io.BytesIO(export.to_parquet(table)))
    assert {name.decode(): value.decode() for name, value in read.schema.metadata.items()} == ORIGIN
    assert read.to_pydict() == {"Count": [1, 2]}


def test_numbers_go_out_in_full_with_their_unit() -> None:
    table = pandas.DataFrame(
        {"Share": [0.0119, None], "Change": [-0.002, 0.0], "Time": [90.0, 1.5], "Count": [3, 4], "Rate": [1.19, 2.0],
         "Hidden": [1, 2], "old": ["a", "b"]}
    )  # fmt: skip
    numbers = {"Share": formats.share, "Change": formats.points, "Time": formats.duration, "Count": formats.count}
    columns: dict[str, Any] = {
        "Rate": {"label": None, "type_config": {"type": "number", "format": "%.2f %%"}}, "Hidden": None, "old": "New",
    }  # fmt: skip
    told = taking.in_units(table, numbers, columns)
    assert list(told.columns) == ["Share (%)", "Change (percentage points)", "Time (seconds)", "Count", "Rate (%)",
                                  "New"]  # fmt: skip
    assert told["Share (%)"][0] == pytest.approx(1.19)
    assert math.isnan(told["Share (%)"][1])
    assert told["Change (percentage points)"][0] == pytest.approx(-0.2)
    assert list(told["Time (seconds)"]) == [90.0, 1.5]


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("Sent after processing :red-badge[High]", "Sent after processing High"),
        (":gray-badge[Pass · 2 of 3]", "Pass · 2 of 3"),
        ("**Fail**", "Fail"),
        ("[47 CFR 64.1200](https://example.com/a)", "47 CFR 64.1200"),
        (r"a\_b \[c\] \*d\*", "a_b [c] *d*"),
        ("1.0–\u20601.4\u00a0%", "1.0–1.4 %"),
        ("=1+1", "=1+1"),
    ],
)
def test_cells_go_out_as_they_are_read(marked: str, plain: str) -> None:
    assert taking.without_marks(marked) == plain


def test_lists_and_missing_cells() -> None:
    told = taking.in_units(pandas.DataFrame({"Severity": [["High", "Waived"], None]}), {}, {})
    assert pyarrow.Table.from_pandas(told).to_pydict() == {"Severity": ["High, Waived", None]}


def test_names_of_files_are_short_and_plain() -> None:
    assert taking.slug("Opt-out rate: **by week**, 95 %/../x") == "opt-out-rate-by-week-95-x"
    assert taking.slug("日本") == "table"
    assert len(taking.slug("word " * 40)) <= taking.LONGEST_NAME


def test_an_image_has_room_for_its_title_and_shows_what_data_say_as_text() -> None:
    figure = charts.calm(go.Figure(), 300, legend=False)
    light = taking.printed(figure, "<b>x</b> " + "long title " * 20, ORIGIN | {"heed_definition": "said " * 80})
    assert "&lt;b&gt;" in light.layout.title.text
    lines = light.layout.title.subtitle.text.count("<br>") + 1
    assert lines >= 5
    assert light.layout.height - 300 >= 17 * lines
    # The chart on the page stays as it is.
    assert figure.layout.height == 300
    assert figure.layout.title.text is None


def test_titles_are_how_text_alternatives_begin() -> None:
    assert layout.begins("Share of 1.5 % by month: covered in the last.") == "Share of 1.5 % by month"
    assert layout.begins("Loaded files") == "Loaded files"
