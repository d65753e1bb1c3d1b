"""Every test stays on this machine, and so do the Python processes it starts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import closed_network

# Before anything is imported that could speak: one file of attempts for each of pytest's processes.
_ATTEMPTS = Path(tempfile.mkstemp(prefix="heed-attempts-")[1])
os.environ["HEED_TEST_ATTEMPTS"] = str(_ATTEMPTS)
_EARLIER = os.environ.get("PYTHONPATH", "").split(os.pathsep)
_FOLDER = str(Path(closed_network.__file__).parent)
os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(filter(None, [_FOLDER, *_EARLIER])))

from tests.support.closed_network import sitecustomize  # noqa: E402, F401 - closes this process


@pytest.fixture(autouse=True)
def _nothing_leaves_the_machine() -> Iterator[None]:
    """Fail a test during which something reached for another machine, whether it said so or not."""
    before = _ATTEMPTS.stat().st_size
    yield
    reached = _ATTEMPTS.read_text(encoding="utf-8")[before:]
    assert not reached, f"tests stay on this machine, but: {reached}"


def pytest_unconfigure() -> None:
    """Take the file of attempts away."""
    _ATTEMPTS.unlink(missing_ok=True)
