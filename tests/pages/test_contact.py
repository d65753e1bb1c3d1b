"""One contact's story agrees with the spans, the timeline and the findings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pages.conftest import Open, Published, words


def test_the_story_is_told_in_words_and_rows(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    [(key, text, violations)] = published(
        "select contact_key, lpad(lower(hex(contact_key)), 16, '0'), count(*) from audits.findings "
        "where finding_class = 'sent_after_processing' and waived_by is null group by 1, 2 order by 3 desc, 2 limit 1"
    )
    app = open_page(homes["findings"], "contact", contact=text)
    [(records, messages)] = published(
        f"select count(*), count(*) filter (where kind = 'message') from core.timeline where contact_key = {key}"
    )
    assert f"got {messages} messages; :red[{violations} violation" in words(app)
    assert "Opted out of" in words(app)
    assert "Applied after" in words(app)
    assert len(app.dataframe[0].value) == records
    drawn = json.loads(app.get("plotly_chart")[0].proto.spec)["data"]
    assert [len(trace["x"]) for trace in drawn if trace.get("name") == "Violation"] == [violations]


def test_negative_keys_are_found_by_their_digits(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    [(text,)] = published(
        "select lpad(lower(hex(contact_key)), 16, '0') from audits.findings where contact_key < 0 limit 1"
    )
    assert len(open_page(homes["findings"], "contact", contact=text).dataframe[0].value) > 0


@pytest.mark.parametrize("text", ["", "12", "g" * 16, "' or 1=1 --"])
def test_what_is_no_key_is_asked_for_again(homes: dict[str, Path], open_page: Open, text: str) -> None:
    assert "No contact chosen" in words(open_page(homes["findings"], "contact", contact=text))


def test_an_unknown_contact_is_a_designed_state(homes: dict[str, Path], open_page: Open) -> None:
    assert "Nothing is kept here for this contact" in words(open_page(homes["findings"], "contact", contact="0" * 16))
