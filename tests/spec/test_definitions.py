"""The definitions one can switch between: the page's example through the whole pipeline, and the table of them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from dashboard.words.definitions_example import ANSWERS, CAMPAIGNS, MONTH, OPTED_IN_AT, PEOPLE, Person
from pipelines.resources import reference_folder
from tests.support import published

CONFIGURATION = "".join(
    f'[[source]]\nname = "{name}"\nconnector = "canonical"\ntable = "{table}"\npath = "inbox/{table}.csv"\n\n'
    for name, table in (("shop", "messages"), ("crm", "consent_events"))
)
UNITS = {"opt_out_rate": "share", "opt_out_rate_per_message": "opt_outs_per_message", "list_churn": "ratio"}


def write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def text(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def messages_to(person: Person, contact: str) -> Iterator[dict[str, Any]]:
    for campaign in person.campaigns:
        yield {
            "message_id": f"{campaign}-{person.name}", "channel": "sms", "contact": contact, "campaign_id": campaign,
            "message_class": "marketing", "sent_at": text(CAMPAIGNS[campaign]),
            "status": "delivered" if person.is_confirmed else "sent",
        }  # fmt: skip


def events_of(person: Person, contact: str) -> Iterator[dict[str, Any]]:
    common = {"channel": "sms", "contact": contact}
    opted_in = text(OPTED_IN_AT)
    yield common | {"event_id": f"{person.name}-in", "event_type": "opt_in", "requested_at": opted_in}
    for number, act in enumerate(person.acts):
        for program in act.programs:
            yield common | {
                "event_id": f"{person.name}-{number}-{program}", "event_type": act.event_type, "program": program,
                "requested_at": text(act.at), "processed_at": text(act.at), "method": act.method or "",
                "campaign_id": act.campaign_id or "",
            }  # fmt: skip


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], dict[str, Any]]:
    """The measurements of the example's month over everything, by metric and definition."""
    home = tmp_path_factory.mktemp("example")
    (home / "inbox").mkdir()
    (home / "heed.toml").write_text(CONFIGURATION, encoding="utf-8")
    people = [(person, f"+1202555{100 + number:04d}") for number, person in enumerate(PEOPLE)]
    write_csv(home / "inbox" / "messages.csv", [row for one in people for row in messages_to(*one)])
    write_csv(home / "inbox" / "consent_events.csv", [row for one in people for row in events_of(*one)])
    published.heed(home, "run")
    rows = published.heed_rows(home, "metrics", "--grain", "month", "--period", f"{MONTH:%Y-%m}")
    return {
        (row["metric"], row["definition"]): row
        for row in rows
        if (row["channel"], row["program"], row["campaign_id"], row["reason"]) == ("*",) * 4
    }


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: f"{answer.metric}-{answer.definition}")
def test_the_page_s_example_is_what_heed_computes(answer: Any, numbers: dict[tuple[str, str], dict[str, Any]]) -> None:
    row = numbers[answer.metric, answer.definition]
    assert (row["numerator"], row["denominator"]) == (answer.numerator, answer.denominator)
    assert row["value"] == answer.numerator / answer.denominator
    assert row["unit"] == UNITS[answer.metric]
    # Above 100 % there is no interval of a share.
    assert (row["lower"] is None) == (answer.numerator > answer.denominator)
    if answer.unattributed is not None:
        share = numbers["unattributed_share", answer.definition]
        # Ann twice, Ben, Cy, Dee, Fay, Gus, Ivy.
        assert (share["numerator"], share["denominator"]) == (answer.unattributed, 8)


def test_the_example_shows_that_all_definitions_differ() -> None:
    of_messages = [one for one in ANSWERS if one.metric == "opt_out_rate_per_message"]
    values = [one.numerator / one.denominator for one in of_messages]
    assert len(set(values)) == len(values) == 7
    assert max(values) > 1


def table() -> list[dict[str, str]]:
    with (reference_folder() / "definitions.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_definition_is_said_in_full_and_says_where_it_is_written() -> None:
    rows = table()
    names = [row["name"] for row in rows]
    assert len(set(names)) == len(names)
    assert len({(row["metric"], row["definition"]) for row in rows}) == len(rows)
    for row in rows:
        assert row["numerator"], row
        assert row["denominator"], row
        assert row["unit"] in UNITS.values(), row
        assert (row["is_share"] == "true") == (row["unit"] == "share"), row
        is_own = row["grade"] == "heed"
        assert is_own != row["source"].startswith("https://"), row
        assert row["grade"] in ("heed", "P", "Q", "S", "unverified"), row
        assert date.fromisoformat(row["checked_on"])
        assert len(row["note"]) > 40, row


def test_the_windows_are_the_documented_ones() -> None:
    windows = {row["definition"]: row["window_seconds"] for row in table() if row["window_seconds"]}
    assert windows == {"iterable": str(3 * 3600), "braze": str(4 * 3600)}
