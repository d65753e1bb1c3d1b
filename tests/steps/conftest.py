"""The example home after its first run, made once, and copies of it to change."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.example_home import example_home
from tests.support.home import Home, Said


@dataclass(frozen=True)
class FirstRun:
    """The example home, which nobody may change, and what its first run said with --json --verbose."""

    home: Home
    said: Said


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> FirstRun:
    """The example home after its first run."""
    home = example_home(tmp_path_factory.mktemp("run") / "home")
    said = home.heed("run", "--json", "--verbose")
    assert said.code == 0, said.err
    return FirstRun(home, said)


@pytest.fixture
def home(first_run: FirstRun, tmp_path: Path) -> Home:
    """A copy of it to change."""
    shutil.copytree(first_run.home.path, tmp_path / "home")
    return Home(tmp_path / "home")


@pytest.fixture
def settled_home(home: Home) -> Home:
    """The copy after one more run, which did nothing unless heed's own code was edited since the first one."""
    assert home.heed("run").code == 0
    return home
