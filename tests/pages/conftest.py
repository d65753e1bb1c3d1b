"""Pages run in-process over made snapshots."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from tests.support.snapshot_factory import write_home

APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
PAGES = (
    "overview", "audit", "findings", "missed", "trends", "response", "membership", "reasons", "audience", "definitions",
    "campaigns", "timing",
    "screen", "rules", "waivers", "data", "restated", "finding", "contact",
)  # fmt: skip

Open = Callable[..., AppTest]
Published = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A home per kind of snapshot: findings, clean, empty, old, and stale (as clean, published three days ago)."""
    folder = tmp_path_factory.mktemp("homes")
    for kind in ("findings", "clean", "empty", "old"):
        write_home(folder / kind, kind)
    write_home(folder / "stale", "clean", published_at=datetime.now(UTC) - timedelta(days=3))
    return {path.name: path for path in folder.iterdir()}


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens a page of a home as a browser would: `open_page(home, "findings", severity=["High"])`."""

    def opened(home: Path | None, name: str, **query: Any) -> AppTest:
        if home is None:
            monkeypatch.delenv("HEED_HOME", raising=False)
        else:
            monkeypatch.setenv("HEED_HOME", str(home))
        app = AppTest.from_file(str(APP), default_timeout=60)
        for page in dict.fromkeys(("overview", name)):
            for key, value in query.items():
                app.query_params[key] = value
            if page != "overview":
                app.switch_page(f"app_pages/{page}.py")
            app.run()
        assert not app.exception, app.exception
        return app

    return opened


@pytest.fixture(scope="session")
def published(homes: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """Runs a query on the snapshot with findings, to compare pages with."""
    path = next((homes["findings"] / "published").glob("*.duckdb"))
    # A copy: one process opens a file in one way only, and the dashboard's is stricter.
    copy = shutil.copy(path, tmp_path_factory.mktemp("copy"))
    with duckdb.connect(str(copy), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield lambda sql: connection.execute(sql).fetchall()


def words(app: AppTest) -> str:
    """All text of a page as a reader sees it, lines joined by a newline."""
    kinds = (app.title, app.header, app.subheader, app.markdown, app.caption, app.warning, app.code)
    lines = [str(element.value) for kind in kinds for element in kind]
    lines += [str(expander.label) for expander in app.expander]
    lines += [f"{metric.label}: {metric.value} {metric.delta}" for metric in app.metric]
    lines += [str(cell) for table in app.table for row in table.value.itertuples(index=False) for cell in row]
    return "\n".join(lines).replace("\u00a0", " ")
