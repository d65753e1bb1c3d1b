"""Missed requests: how many replies asked to stop unheard, and what other ways of reading would have missed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pages.conftest import Open, Published, words

MISSED = "rule = 'opt_out_request_missed'"


def test_the_answer_is_the_findings(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "missed")
    [(count,)] = published(f"select count(*) from audits.findings where {MISSED}")
    assert f"**160 replies read; {count} of them read as a request to stop that nobody recorded.**" in words(app)
    assert sum(app.table[0].value["Findings"]) == count
    links = [link.proto for link in app.page_link]
    assert ("findings", "rule=Opt-out+request+missed") in [(link.page, link.query_string) for link in links]


@pytest.mark.parametrize(
    ("channel", "counts"), [(None, [(31, 17), (38, 10), (48, 0)]), ("SMS", [(23, 13), (28, 8), (36, 0)])]
)
def test_each_way_of_reading_is_told_and_drawn(
    homes: dict[str, Path], open_page: Open, channel: str | None, counts: list[tuple[int, int]]
) -> None:
    app = open_page(homes["findings"], "missed", **({"channel": channel} if channel else {}))
    text = words(app)
    for (requests, missed), name in zip(counts, ("Exact keyword", "Legal word list", "Reasonable person"), strict=True):
        [line] = [line for line in text.split("\n") if line.startswith(f"- **{name}:**")]
        assert f"takes {requests} replies for a request to stop" in line
        assert f"**would have missed {missed or 'none'}**" in line
    drawn = {trace["name"]: trace["y"] for trace in json.loads(app.get("plotly_chart")[0].proto.spec)["data"]}
    assert drawn == {"Understood": [one for one, _ in counts], "Missed": [one for _, one in counts]}
    assert list(app.dataframe[0].value["missed_count"]) == [missed for _, missed in counts]


def test_a_channel_without_replies_is_a_designed_state(homes: dict[str, Path], open_page: Open) -> None:
    assert "No reply was read" in words(open_page(homes["findings"], "missed", channel="Email"))
    assert "No reply was read" in words(open_page(homes["empty"], "missed"))


def test_nothing_missed_is_said(homes: dict[str, Path], open_page: Open) -> None:
    text = words(open_page(homes["clean"], "missed"))
    assert "**160 replies read; none of them read as a request to stop that nobody recorded.**" in text
    assert "Every request that heed read is answered by a recorded act within a day." in text
