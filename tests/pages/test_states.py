"""What pages show when there is nothing, something old, something broken or something new; and what they never show."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import PAGES, Open, words
from tests.support.snapshot_factory import write_home

# An unmasked number of seven digits or more after a plus, or an address whose name is not masked.
RAW_ADDRESS = re.compile(r"\+\d{7,}|[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[a-z]{2,}")
# Who answers for a waiver is named.
WAIVED_BY = {"legal@example.org", "dpo@example.org"}


@pytest.mark.parametrize("kind", ["findings", "clean", "empty", "stale", "old"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_draws_over_every_kind_of_snapshot(
    homes: dict[str, Path], open_page: Open, kind: str, name: str
) -> None:
    app = open_page(homes[kind], name)
    assert len(app.title) == 1
    assert "cannot be read" not in app.title[0].value
    for chart in app.get("plotly_chart"):
        assert len(chart.proto.alt) > 20
        assert json.loads(chart.proto.config)["showSendToCloud"] is False


@pytest.mark.parametrize("name", PAGES)
def test_no_page_shows_an_address(homes: dict[str, Path], open_page: Open, name: str) -> None:
    app = open_page(homes["findings"], name)
    shown = words(app) + "".join(chart.proto.spec for chart in app.get("plotly_chart"))
    shown += "".join(frame.value.to_csv() for frame in app.dataframe)
    shown += "".join(option for choice in app.selectbox for option in choice.options)
    assert [found for found in RAW_ADDRESS.findall(shown) if found not in WAIVED_BY] == []


@pytest.mark.parametrize("name", PAGES)
def test_without_a_home_pages_say_what_to_do(open_page: Open, name: str) -> None:
    app = open_page(None, name)
    assert app.title[0].value == "No snapshot yet"
    assert app.code[0].value == "heed dashboard"


def test_without_a_snapshot_pages_name_the_command(open_page: Open, tmp_path: Path) -> None:
    app = open_page(tmp_path, "findings")
    assert app.title[0].value == "No snapshot yet"
    assert app.code[0].value == f"heed -C {tmp_path} run"


@pytest.mark.parametrize("damage", ["pointer", "file", "missing", "table", "time"])
def test_a_damaged_snapshot_is_said_plainly(open_page: Open, tmp_path: Path, damage: str) -> None:
    path = write_home(tmp_path, "empty")
    pointer = path.parent / "CURRENT.json"
    if damage == "pointer":
        pointer.write_text("{", encoding="utf-8")
    elif damage == "file":
        path.write_bytes(b"not a database" * 1_000)
    elif damage == "missing":
        path.unlink()
    elif damage == "time":
        pointer.write_text(pointer.read_text().replace("+00:00", ""), encoding="utf-8")
    else:
        import duckdb

        with duckdb.connect(str(path)) as connection:
            connection.execute("drop table metrics.headline")
    app = open_page(tmp_path, "overview")
    assert app.title[-1].value == "The snapshot cannot be read"
    assert app.code[0].value == f"heed -C {tmp_path} run"
    assert "Traceback" not in words(app)
    assert "Error" not in words(app)


@pytest.mark.parametrize("name", ["rules", "waivers", "missed"])
def test_a_snapshot_of_before_the_rule_book_says_what_to_do(homes: dict[str, Path], open_page: Open, name: str) -> None:
    app = open_page(homes["old"], name)
    assert "This snapshot has no " in words(app)
    assert app.code[0].value == f"heed -C {homes['old']} run"
    assert "Run `20261118T141001Z-4f2a9c`" in app.caption[-1].value


def test_a_snapshot_of_before_the_rule_book_keeps_its_findings(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["old"], "findings")
    assert len(app.dataframe[0].value) == 50
    assert app.multiselect(key="law").disabled
    audit = open_page(homes["old"], "audit")
    assert audit.header[0].value == ":red[Fail]"
    assert "Verdict by channel and month" in words(audit)
    assert "An earlier version of heed published these numbers" in words(audit)
    assert "Day by day" not in words(audit)
    assert "If a court counted each violation" not in words(audit)


def test_a_snapshot_of_before_run_changes_compares_totals(homes: dict[str, Path], open_page: Open) -> None:
    overview = words(open_page(homes["old"], "overview"))
    assert "violations** on record, " in overview
    assert "new violations cannot be told from old ones" in overview


def test_a_stale_snapshot_has_a_banner(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["stale"], "overview")
    assert app.warning[0].value.startswith("**These numbers are 3 days old.**")
    assert not open_page(homes["clean"], "overview").warning


def test_a_month_without_data_is_a_designed_state(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["empty"], "trends")
    assert "Nothing in this selection" in words(app)


def test_a_new_snapshot_appears_without_a_restart(open_page: Open, tmp_path: Path) -> None:
    write_home(tmp_path, "findings", run=1)
    app: AppTest = open_page(tmp_path, "overview")
    assert app.header[0].value.startswith(":red[No.]")
    write_home(tmp_path, "clean", run=2)
    app.run()
    assert app.header[0].value.startswith("Yes.")
    assert "141002Z" in words(app)


def test_every_page_ends_with_its_origin(homes: dict[str, Path], open_page: Open) -> None:
    for name in PAGES[:-1]:
        app = open_page(homes["findings"], name)
        assert "Run `20261118T141001Z-4f2a9c` · heed 0.1.0 · rules default" in app.caption[-1].value
        assert "Data up to 18 Nov 2026 14:05 UTC" in app.caption[0].value
