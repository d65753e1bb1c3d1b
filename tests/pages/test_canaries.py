"""Nothing that a page sends to a browser holds an address or a person's words, whoever reads it.

Exports hold what the pages show, with the tables' columns. What is held about one contact an officer may read; its
page is not asked for one here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.words import texts
from tests.support import canaries
from tests.support.canaries import Canaries
from tests.support.dashboard_server import free_port, process
from tests.support.home import Home
from tests.support.page_reader import PageReader


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Canaries]:
    """A published home with a canary in every place, and the canaries."""
    home = Home(tmp_path_factory.mktemp("planted") / "home")
    put = canaries.deliver(home)
    assert home.heed("run").code == 0
    return home, put


@pytest.mark.parametrize("role", ["officer", "marketer", "viewer"])
def test_no_canary_is_sent_to_a_browser(role: str, planted: tuple[Home, Canaries], tmp_path: Path) -> None:
    home, put = planted
    port = free_port()
    command = ["pipelines.cli", "-C", str(home.path), "dashboard", "--port", str(port), "--role", role]
    said = ""
    with process(command, port, tmp_path / "log", {}) as address, PageReader(address) as reader:
        for name in texts.PAGES:
            seen = reader.read(name)
            assert seen.succeeded, name
            said += "\n".join(seen.texts) + repr(seen.tables)
    assert texts.PAGES["overview"].question in said
    assert put.found(said.encode()) == []
    assert put.found((tmp_path / "log").read_bytes()) == []
