"""What a run says while it works: one line on a terminal that leaves nothing behind, and else what must be known."""

from __future__ import annotations

import os
import pty
import sys

import pytest

from pipelines.narration import Narrator


def test_a_terminal_shows_one_line_that_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    reader, writer = pty.openpty()
    with os.fdopen(writer, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with Narrator(verbose=False) as narrate:
            narrate("Building the facts of a very long story\x1b[31m")
            narrate("1 of 7 rows quarantined.")
        said = os.read(reader, 10_000).decode()
    os.close(reader)
    assert said == (
        "\r\x1b[KBuilding the facts of a very "  # cut to what does not wrap
        "\r\x1b[K1 of 7 rows quarantined.\r\n"
        "\r\x1b[K"
    )


@pytest.mark.parametrize(("verbose", "expected"), [(True, "Building\nDone.\n"), (False, "Done.\n")])
def test_a_file_gets_lines(verbose: bool, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    with Narrator(verbose=verbose) as narrate:
        narrate("Building")
        narrate("Done.")
    assert capsys.readouterr().err == expected
