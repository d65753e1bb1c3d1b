"""What is past its time goes with the next run, counted back from as_of; what is not is not touched."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars
import pytest

from pipelines import retention, settings
from pipelines.engines.duckdb import DuckDBEngine
from tests.support.home import Home, source, without_validation

HEADER = "message_id,channel,contact,sent_at,body\n"
ROWS = (
    "m1,sms,+12025550101,2026-06-30T23:59:59Z,june\n"
    "m2,sms,+12025550101,2026-07-10T10:00:00Z,early july\n"
    "m3,sms,+12025550102,2026-07-20T10:00:00Z,late july\n"
    "m4,sms,+12025550102,2026-09-30T10:00:00Z,september\n"
    "m5,sms,+12025550103,no time,a refused row\n"
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with one delivery loaded."""
    made = Home(tmp_path / "home").configure(source("shop", "messages", "inbox/m*"), 'as_of = "2026-10-01T00:00:00Z"')
    made.deliver({"m1.csv": HEADER + ROWS})
    made.load()
    return made


def enforce(home: Home, as_of: str, *, texts: str = "", addresses: str = "") -> list[str]:
    """What a run does after loading; the sentences said."""
    lines = [f'{name} = "{value}"' for name, value in (("texts", texts), ("addresses", addresses)) if value]
    path = home.path / "heed.toml"
    before = path.read_text().partition("[retention]")[0]
    path.write_text(before + "[retention]\n" + "\n".join(lines))
    said: list[str] = []
    instant = datetime.fromisoformat(as_of).replace(tzinfo=UTC)
    retention.enforce(settings.read(home.path), home.ledger, instant, DuckDBEngine, said.append)
    return said


def bodies(home: Home) -> list[str | None]:
    """The texts of the messages, in order."""
    return [row["body"] for row in sorted(home.rows("messages"), key=lambda row: str(row["message_id"]))]


def parts(home: Home) -> dict[str, str]:
    """The parts of messages by month."""
    return {str(part.month): part.path for load in home.ledger.loads for part in load.parts if part.table == "messages"}


def addresses(home: Home) -> list[str]:
    """The addresses that are kept."""
    paths = (home.path / "private" / "identities").glob("*.parquet")
    return sorted(address for path in paths for address in polars.read_parquet(path)["address"])


def test_texts_go_to_the_second_and_other_months_are_not_touched(home: Home) -> None:
    before = parts(home)
    said = enforce(home, "2026-10-13T10:00:00", texts="90d")  # 15 July
    assert bodies(home) == [None, None, "late july", "september"]
    assert said == [
        "Texts of before 2026-07-15 10:00 UTC were removed: 2 parts of history written anew,"
        " and the texts of 0 quarantined rows."
    ]
    assert {month for month, path in parts(home).items() if path != before[month]} == {"2026-06", "2026-07"}
    assert not any((home.path / "history" / before[month]).exists() for month in ("2026-06", "2026-07"))
    after = parts(home)
    # Again, and with an as_of of before: nothing.
    assert enforce(home, "2026-10-13T10:00:00", texts="90d") == []
    assert enforce(home, "2026-09-01T00:00:00", texts="90d") == []
    assert parts(home) == after
    assert home.heed("verify").code == 0


def test_the_texts_of_refused_rows_go_with_those_of_their_load(home: Home) -> None:
    enforce(home, "2026-10-30T00:00:00", texts="30d")  # 30 September, before the newest record
    assert [row["raw"] is None for row in home.quarantined()] == [False]
    said = enforce(home, "2026-11-30T00:00:00", texts="30d")
    assert "the texts of 1 quarantined rows" in said[0]
    assert [(row["row_number"], row["reason"], row["raw"]) for row in home.quarantined()] == [
        (5, "timestamp_unreadable", None)
    ]


def test_a_file_that_grew_brings_no_old_text_back(home: Home) -> None:
    enforce(home, "2026-10-13T10:00:00", texts="90d")
    home.deliver({"m1.csv": HEADER + ROWS + "m6,sms,+12025550101,2026-10-02T10:00:00Z,october\n"})
    loads, _ = home.load()
    assert [(one.accepted_count, one.duplicate_count, one.textless_count) for one in loads] == [(1, 4, 2)]
    assert bodies(home) == [None, None, "late july", "september", "october"]


def test_addresses_go_when_nothing_new_is_on_record(home: Home) -> None:
    assert addresses(home) == ["+12025550101", "+12025550102"]
    said = enforce(home, "2026-10-13T10:00:00", addresses="60d")
    assert said == ["1 addresses were removed: their contacts have no record since the period began."]
    assert addresses(home) == ["+12025550102"]
    assert bodies(home) == ["june", "early july", "late july", "september"]
    # A new record brings the address with it.
    home.deliver({"m2.csv": HEADER + "m6,sms,+12025550101,2026-10-02T10:00:00Z,october\n"})
    home.load()
    assert enforce(home, "2026-10-13T10:00:00", addresses="60d") == []
    assert addresses(home) == ["+12025550101", "+12025550102"]


def test_a_run_enforces_it_and_publishes(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    without_validation(monkeypatch)
    first = home.run()
    with (home.path / "heed.toml").open("a") as file:
        file.write('[retention]\ntexts = "60d"\n')
    said = home.heed("run")
    assert "Texts of before 2026-08-02 00:00 UTC were removed" in said.err
    assert bodies(home) == [None, None, None, "september"]
    assert home.run()["run_id"] != first["run_id"]


@pytest.mark.parametrize("value", ["90", "0d", "3 months", "-1d"])
def test_a_period_is_a_number_of_days(value: str, home: Home) -> None:
    (home.path / "heed.toml").write_text(f'[retention]\ntexts = "{value}"\n')
    said = home.heed("run")
    assert said.code == 78
    assert '"365d"' in said.err
