"""Filters and links: what is chosen is in the address; what is not understood or has changed is said."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.words import texts
from tests.pages.conftest import Open, Published, words

RUN = "20261118T141001Z-4f2a9c"


def said(app: AppTest) -> str:
    """The notices of a page."""
    return "\n".join(str(one.value) for one in app.info)


@pytest.mark.parametrize(
    ("page", "query", "told"),
    [
        ("trends", {"channel": "Fax"}, "channel = Fax"),
        ("trends", {"period": "Smarch 2026"}, "period = Smarch 2026"),
        ("trends", {"campaign": "no-such"}, "campaign = no-such"),
        ("trends", {"definition": "Mine"}, "definition = Mine"),
        ("trends", {"grain": "Decade"}, "grain = Decade"),
        ("findings", {"severity": ["High", "Terrible"]}, "severity = Terrible"),
        ("findings", {"violations": "perhaps"}, "violations = perhaps"),
        ("findings", {"page": "many"}, "page = many"),
        ("rules", {"chanel": "SMS"}, "chanel = SMS"),
    ],
)
def test_what_a_link_says_and_the_page_does_not_know_is_said(
    homes: dict[str, Path], open_page: Open, page: str, query: dict[str, Any], told: str
) -> None:
    app = open_page(homes["findings"], page, **query)
    assert said(app).endswith(f"what was not is left out:** {told}.")
    # It stays until another page is opened, whatever is clicked meanwhile.
    app.run()
    assert told in said(app)
    app.switch_page("app_pages/rules.py").run()
    assert told not in said(app) or page == "rules"


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("trends", {"channel": "SMS", "period": "October 2026", "grain": "Month"}),
        ("trends", {"grain": "Week", "split": "Total"}),
        ("findings", {"severity": ["High"], "violations": "true", "rows": "50", "page": "1", "waived": "All"}),
        ("findings", {"violations": "false", "utm_source": "mail", "embed": "true"}),
        ("trends", {"scope": "channel", "run": RUN}),
        ("contact", {"contact": "00000000000000ff"}),
        ("finding", {"finding_id": "nothing"}),
    ],
)
def test_a_good_link_needs_no_notice(homes: dict[str, Path], open_page: Open, page: str, query: dict[str, Any]) -> None:
    assert said(open_page(homes["findings"], page, **query)) == ""


def test_what_a_stranger_wrote_into_a_link_is_shown_letter_by_letter(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "trends", channel="[x](http://evil.example)", run="`<b>![x](y)")
    assert "](http" not in said(app).replace("\\](http", "")
    assert "made on run `bxy`" in said(app)


def test_a_link_of_another_scope_or_run_says_so(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "trends", scope="person", run="20261018T060001Z-1c77d0")
    assert "when opt-outs applied per person; these numbers apply them per channel" in said(app)
    assert f"made on run `20261018T060001Z-1c77d0`; you see run `{RUN}`" in said(app)


def test_a_scope_that_does_not_exist_is_not_understood(homes: dict[str, Path], open_page: Open) -> None:
    assert "scope = planet" in said(open_page(homes["findings"], "trends", scope="planet"))


def test_the_link_to_a_view_has_its_choices_its_scope_and_its_run(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "trends", channel="SMS")
    app.session_state["link"] = True
    app.run()
    link = next(str(one.value) for one in app.code if "scope=" in str(one.value))
    assert "channel=SMS" in link
    assert link.endswith(f"scope=channel&run={RUN}")


def test_a_campaign_is_chosen_on_every_page_that_counts_campaigns(
    homes: dict[str, Path], open_page: Open, published: Published
) -> None:
    offered = [name for name, page in texts.PAGES.items() if "campaign" in page.filters]
    assert offered == ["findings", "trends", "campaigns"]
    app = open_page(homes["findings"], "findings", campaign="newsletter")
    for name in offered[1:]:
        app.switch_page(f"app_pages/{name}.py").run()
        assert not app.exception
        assert re.search(r"campaign newsletter\*\*", words(app))
    assert set(app.dataframe[0].value["Id"]) == {"newsletter"}
    app.switch_page("app_pages/trends.py").run()
    [(rates,)] = published(
        "select count(*) from metrics.measurements where metric = 'opt_out_rate' and definition = 'heed' "
        "and grain = 'week' and campaign_id = 'newsletter' and channel = '*' and program = '*'"
    )
    assert rates
    assert len(app.dataframe[0].value) == rates


def sidebar(app: AppTest) -> dict[str, Any]:
    return {choice.key: choice.value for choice in app.sidebar.selectbox}


def test_a_link_changes_what_was_chosen_before(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "findings", channel="SMS", period="October 2026")
    assert sidebar(app)["channel"] == "sms"
    app.query_params["channel"] = "Email"  # as a link on the page, or the browser's way back
    app.run()
    assert sidebar(app)["channel"] == "email"
    assert sidebar(app)["period"] == date(2026, 10, 1), "what a link does not name stays as it is"
    app.query_params["channel"] = "WhatsApp"
    app.switch_page("app_pages/trends.py")
    app.run()
    assert sidebar(app)["channel"] == "whatsapp"
    # What the reader chooses holds, though the address still says what it said before.
    app.sidebar.selectbox(key="channel").select("sms")
    app.run()
    app.run()
    assert sidebar(app)["channel"] == "sms"
    app.query_params["channel"] = "Carrier pigeon"
    app.run()
    assert sidebar(app)["channel"] == "sms"
