"""Two runs of the same home side by side: what was reported, what is known now, and which load came between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages.conftest import Open, words
from tests.support.home import EVENT, MESSAGE, Home, without_validation


def _message(number: int, month: int) -> str:
    sent_at = f"2026-{month:02d}-{number + 5:02d}T12:00:00Z"
    return f"m{month}-{number},sms,+120255501{number:02d},{sent_at},marketing,delivered\n"


def _opt_out(number: int, requested_at: str) -> str:
    return f"e{number},sms,+120255501{number:02d},opt_out,{requested_at},{requested_at}\n"


@pytest.fixture(scope="module")
def restated_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Ten contacts got a message in September and in October; an opt-out of September came late."""
    with pytest.MonkeyPatch.context() as patch:
        without_validation(patch)
        home = Home(tmp_path_factory.mktemp("restated") / "home").configure(policy='rules = "none"')
        messages = MESSAGE + "".join(_message(number, month) for month in (9, 10) for number in range(10))
        home.deliver({"m.csv": messages, "e-1.csv": EVENT + _opt_out(1, "2026-09-20T12:00:00Z")}).run()
        home.deliver({"e-<late>.csv": EVENT + _opt_out(2, "2026-09-21T12:00:00Z")}).run()
        yield home


def test_what_changed_is_said_first_with_the_load_that_changed_it(open_page: Open, restated_home: Home) -> None:
    app = open_page(restated_home.path, "restated")
    shown = words(app)
    assert "reported with data up to 14 Oct 2026 12:00 UTC are different now" in shown
    # 1 of the 10 reached in September was known to have left; now 2.
    assert "Opt-out rate: 20.0 % before: 10.0 %" in shown
    assert "1 opt-out came late:" in shown
    assert [row[0] for row in app.table[0].value.itertuples(index=False)] == ["September 2026"]
    tables = [frame.value for frame in app.dataframe]
    loads = next(table for table in tables if "sha256" in table.columns)
    assert loads["change"].to_list() == ["New"]
    assert loads["file"].to_list() == ["inbox/e-<late>.csv"]
    numbers = next(table for table in tables if "Restated" in table.columns)
    first = numbers.iloc[0]
    assert (first["Restated"], first["Why"]) == ("yes", "records of that time came later")
    rate = numbers[(numbers["Number"] == "Opt out rate") & (numbers["Period"] == "September 2026")].iloc[0]
    assert (rate["Then"].replace("\u00a0", " "), rate["Now"].replace("\u00a0", " ")) == (
        "10.0 % (1 of 10)",
        "20.0 % (2 of 10)",
    )
    assert "--format csv" in app.code[-1].value


def test_any_two_kept_runs_can_be_chosen(open_page: Open, restated_home: Home) -> None:
    app = open_page(restated_home.path, "restated")
    earlier, later = app.selectbox(key="then").value, app.selectbox(key="now").value
    assert earlier < later
    app.selectbox(key="now").set_value(earlier).run()
    assert "are the same run" in app.error[0].value
    assert not app.dataframe


def test_one_snapshot_alone_says_how_to_get_another(open_page: Open, homes: dict[str, Path]) -> None:
    shown = words(open_page(homes["clean"], "restated"))
    assert "Only one snapshot is kept" in shown
    assert "keep_snapshots" in shown
