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


def _findings(home: Path) -> dict[str, list[dict[str, Any]]]:
    """Every finding of the published run, by rule."""
    by_rule: dict[str, list[dict[str, Any]]] = {}
    for row in said(home, "findings", "--format", "json"):
        by_rule.setdefault(row["rule"], []).append(row)
    return by_rule


def _compare(key: dict[str, Any], found: dict[str, list[dict[str, Any]]]) -> None:
    """Rule for rule, the findings are the planted ones: source, subject and class, no more and no less."""
    assert found.keys() <= key["rules"].keys()
    for rule, planted in key["rules"].items():
        # A finding may cite an event beside its message: the subject is what the key names.
        subject = next(
            (name for name in ("message_id", "event_id", "campaign_id") if planted and name in planted[0]), ""
        )
        expected = Counter((row["source"], row[subject], row["finding_class"]) for row in planted)
        assert (
            Counter((row["source"], row[subject], row["finding_class"]) for row in found.get(rule, [])) == expected
        ), rule


def test_findings_are_the_planted_ones_to_the_row(golden: Golden) -> None:
    found = _findings(golden.home)
    _compare(golden.key, found)
    assert {row["finding_class"] for row in found["message_after_opt_out"]} == {
        "suppressed_by_provider",
        "sent_after_processing",
        "sent_past_deadline",
        "sent_in_flight",
    }
    # Double opt-in is off; every other rule finds something.
    assert {rule for rule, planted in golden.key["rules"].items() if not planted} == {"message_before_confirmation"}


def test_waivers_come_to_what_the_key_says(golden: Golden) -> None:
    told = [
        {name: row[name] for name in ("rule", "subject", "status", "finding_count")}
        for row in golden.outcome["waivers"]
    ]
    assert told == golden.key["waivers"]
    waived = [row for rows in _findings(golden.home).values() for row in rows if row["waived_by"]]
    assert {row["rule"] for row in waived} == {"message_in_quiet_hours"}
    assert len(waived) == golden.key["waivers"][0]["finding_count"]


@pytest.mark.parametrize(("messages", "seed"), [(2_000, 1), pytest.param(9_000, 2, marks=pytest.mark.thorough)])
def test_other_sizes_and_seeds_are_found_as_planted(tmp_path: Path, messages: int, seed: int) -> None:
    with contextlib.redirect_stderr(io.StringIO()):
        assert main(["-C", str(tmp_path), "sample", "--messages", str(messages), "--seed", str(seed)]) == 0
    said(tmp_path, "run", "--json")
    _compare(json.loads((tmp_path / "answer_key.json").read_text()), _findings(tmp_path))


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
