"""Pages over snapshots that earlier versions published, before the next run makes one of this version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines import chain
from tests.pages.conftest import PAGES, Open, words
from tests.support.kept_formats import FORMATS, kept_home


@pytest.mark.parametrize("number", FORMATS)
def test_every_page_draws_over_what_an_earlier_version_published(number: int, open_page: Open, tmp_path: Path) -> None:
    home = kept_home(number, tmp_path)
    for name in PAGES:
        app = open_page(home.path, name)
        assert len(app.title) == 1, name
        assert "cannot be read" not in app.title[0].value, name


def test_a_snapshot_of_a_later_version_is_not_shown(open_page: Open, tmp_path: Path) -> None:
    home = kept_home(chain.FORMAT, tmp_path)
    path = home.path / "published" / "CURRENT.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": chain.FORMAT + 1}))
    app = open_page(home.path, "overview")
    assert app.title[0].value == "The snapshot cannot be read"
    assert "Nothing is damaged." in words(app)
