"""The sample logs from end to end: what a run finds is what their own answer key says was planted."""

from __future__ import annotations

import contextlib
import io
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli import main


@dataclass(frozen=True)
class Golden:
    """A home with the default sample, what its key expects and what the run said."""

    home: Path
    key: dict[str, Any]
    outcome: dict[str, Any]


def said(home: Path, *arguments: str) -> Any:
    """What a verb prints as JSON."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        assert main(["-C", str(home), *arguments]) == 0
    return json.loads(out.getvalue())


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Golden:
    home = tmp_path_factory.mktemp("golden") / "home"
    with contextlib.redirect_stderr(io.StringIO()):
        assert main(["-C", str(home), "sample"]) == 0
    key = json.loads((home / "answer_key.json").read_text())
    return Golden(home, key, said(home, "run", "--json"))


def test_findings_are_the_planted_ones_to_the_row(golden: Golden) -> None:
    found = [
        (row["source"], row["message_id"], row["finding_class"])
        for row in said(golden.home, "findings", "--rule", "message_after_opt_out", "--format", "json")
    ]
    planted = [(row["source"], row["message_id"], row["finding_class"]) for row in golden.key["findings"]]
    assert Counter(found) == Counter(planted)
    assert {finding_class for _, _, finding_class in planted} == {
        "suppressed_by_provider",
        "sent_after_processing",
        "sent_past_deadline",
        "sent_in_flight",
    }


def test_every_file_is_accounted_for(golden: Golden) -> None:
    expected = golden.key["files"]
    inputs = {row["file"]: row for row in golden.outcome["inputs"]}
    assert inputs.keys() == expected.keys()
    for name, row in inputs.items():
        assert {key: row[key] for key in ("read", "duplicate", "quarantined")} == {
            key: expected[name][key] for key in ("read", "duplicate", "quarantined")
        }, name
        assert row["read"] == row["accepted"] + row["duplicate"] + row["quarantined"]


def test_three_headline_numbers_come_out_in_one_glance(golden: Golden) -> None:
    assert [(row["label"], row["display"]) for row in golden.outcome["headline"]] == [
        ("Opt-out rate", "2.5 %"),
        ("Opt-out trend", "Decreasing"),
        ("Response time", "1 h"),
    ]


def test_verdict_is_fail_and_the_exit_code_says_so_when_asked(golden: Golden) -> None:
    assert golden.outcome["verdict"]["overall"] == "Fail"
    assert golden.outcome["validation"]["success"]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as narration:
        assert main(["-C", str(golden.home), "run", "--fail-on-violation"]) == 10
    assert "Nothing new" in narration.getvalue()
