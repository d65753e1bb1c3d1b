"""What each role sees on the pages, what is written down about it, and that nothing is shown that cannot be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import access, snapshot
from dashboard.words import access_texts, texts
from tests.pages.conftest import Open, words

ROLES = (access.OFFICER, access.MARKETER, access.VIEWER)


@pytest.fixture
def as_role(monkeypatch: pytest.MonkeyPatch, open_page: Open) -> Open:
    """Opens a page as a role sees it: `as_role("viewer", home, "findings")`."""

    def opened(role: str, home: Path, name: str, **query: Any) -> AppTest:
        monkeypatch.setenv("HEED_DASHBOARD", json.dumps({"login": "none", "role": role}))
        return open_page(home, name, **query)

    return opened


def log_of(home: Path) -> list[dict[str, Any]]:
    path = home / "private" / "access.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_every_page_has_its_roles() -> None:
    assert texts.PAGES.keys() - access.PAGES.keys() == set()
    every = [*access.PAGES.values(), *access.ACTIONS.values(), *access.EXPORTS.values()]
    assert all(access.OFFICER in roles for roles in every)
    assert all(roles <= set(ROLES) for roles in every)


@pytest.mark.parametrize("role", [access.MARKETER, access.VIEWER])
def test_a_page_of_another_role_shows_nothing_of_itself(as_role: Open, homes: dict[str, Path], role: str) -> None:
    home = homes["findings"]
    for name in ("findings", "contact"):
        before = len(log_of(home))
        app = as_role(role, home, name)
        assert app.title[0].value == access_texts.PAGE_REFUSED
        assert f"with the role **{role}**" in words(app)
        assert not app.dataframe
        assert "•" not in words(app)
        app.run()
        [line] = log_of(home)[before:]
        assert (line["what"], line["page"], line["role"]) == ("refused", name, role)


def test_a_viewer_sees_no_contact_among_the_open_requests(as_role: Open, homes: dict[str, Path]) -> None:
    assert access_texts.NOT_FOR_ROLE in words(as_role(access.VIEWER, homes["findings"], "response"))
    shown = as_role(access.OFFICER, homes["findings"], "response")
    assert access_texts.NOT_FOR_ROLE not in words(shown)


def test_links_lead_where_the_reader_may_go(as_role: Open, homes: dict[str, Path]) -> None:
    labels = {}
    for role in ROLES:
        app = as_role(role, homes["findings"], "overview")
        labels[role] = {str(link.proto.page) for link in app.get("page_link")}
    assert {"findings", "data"} <= labels[access.OFFICER]
    for role in (access.MARKETER, access.VIEWER):
        assert labels[role]
        assert all(role in access.PAGES[page] for page in labels[role])


def test_the_footer_says_who_reads(as_role: Open, homes: dict[str, Path]) -> None:
    app = as_role(access.VIEWER, homes["clean"], "trends")
    assert access_texts.LOCAL.format(role="viewer") in app.caption[-1].value


def test_a_contact_is_written_down_when_it_is_looked_at(as_role: Open, homes: dict[str, Path]) -> None:
    home = homes["clean"]
    app = as_role(access.OFFICER, home, "contact", contact="00000000000000ff")
    app.run()
    [line] = log_of(home)
    assert {
        "who": "local",
        "role": "officer",
        "what": "contact",
        "contact_key": "00000000000000ff",
    }.items() <= line.items()
    app.text_input(key="who").set_value("00000000000000fe")
    app.button[0].click().run()
    assert [line["contact_key"][-2:] for line in log_of(home)] == ["ff", "fe"]


def test_what_cannot_be_written_down_is_not_shown(as_role: Open, homes: dict[str, Path], tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    shutil.copytree(homes["findings"] / "published", home / "published")
    (home / "private").write_text("a file where the folder should be")
    app = as_role(access.OFFICER, home, "contact", contact="00000000000000ff")
    assert access_texts.NOT_LOGGED in words(app)
    assert len(app.title) == 1
    assert access_texts.NOT_LOGGED not in words(as_role(access.OFFICER, home, "trends"))


def test_without_a_session_a_server_with_a_login_shows_nothing(
    monkeypatch: pytest.MonkeyPatch, open_page: Open, homes: dict[str, Path]
) -> None:
    monkeypatch.setenv("HEED_DASHBOARD", json.dumps({"login": "openid", "role": "officer"}))
    app = open_page(homes["findings"], "overview")
    assert access_texts.NOT_KNOWN in words(app)
    assert not app.title
    assert not app.metric


def test_what_one_role_read_is_kept_from_the_others(as_role: Open, homes: dict[str, Path]) -> None:
    read: list[str] = []
    original = snapshot.read_uncached

    def counted(chosen: snapshot.Published, sql: str, parameters: Any = ()) -> Any:
        read.append(sql)
        return original(chosen, sql, parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshot, "read_uncached", counted)
        counts = []
        for role in (access.OFFICER, access.OFFICER, access.VIEWER):
            before = len(read)
            as_role(role, homes["stale"], "rules")
            counts.append(len(read) - before)
    assert counts[0] > 0
    assert counts[1] == 0
    assert counts[2] > 0
