"""The hand-written sample in data/samples/rule_book: every rule and class, a clean row beside each wrong."""

from __future__ import annotations

import contextlib
import csv
import io
from pathlib import Path
from typing import Any

import pytest

from pipelines import audit
from pipelines.cli import main
from tests.support.rule_book_home import FOLDER, rule_book_home

#: Every rule and its classes. Where a class is the word of a source or an actor, all that heed knows are here.
_CLASSES = {
    "campaign_ignores_opt_outs": {"suppression_off"},
    "confirmation_late": {"late"},
    "confirmation_missing": {"no_confirmation"},
    "confirmation_repeated": {"repeated"},
    "confirmation_with_marketing": {"marketing_text"},
    "consent_from_forbidden_source": {"purchased", "scraped", "prechecked_box"},
    "contact_still_listed": {"still_listed"},
    "message_after_opt_out": {
        "suppressed_by_provider",
        "sent_after_processing",
        "sent_past_deadline",
        "sent_in_flight",
    },
    "message_before_confirmation": {"only_requested"},
    "message_in_quiet_hours": {"certain", "possible", "unknown"},
    "message_over_frequency_cap": {"over_policy_cap", "over_legal_cap"},
    "message_without_consent": {"no_consent_on_record", "no_consent_log"},
    "message_without_opt_out_instructions": {"no_instructions"},
    "opt_in_without_act": {"operator", "import", "system", "provider"},
    "opt_out_not_honoured_in_time": {"processed_late", "not_processed"},
    "opt_out_request_missed": {"certain", "possible"},
}


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


EXPECTED = _rows((FOLDER / "expected_findings.csv").read_text(encoding="utf-8"))


def _heed(home: Path, *arguments: str) -> str:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        assert main(["-C", str(home), *arguments]) == 0, err.getvalue()
    return out.getvalue()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home made of the sample, after its run."""
    return rule_book_home(tmp_path_factory.mktemp("rule_book") / "home")


def _sorted(rows: list[dict[str, str]]) -> list[list[Any]]:
    return sorted([row[column] for column in EXPECTED[0]] for row in rows)


def test_findings_are_the_expected_ones_in_every_column(home: Path) -> None:
    assert _sorted(_rows(_heed(home, "findings", "--format", "csv"))) == _sorted(EXPECTED)


def test_every_rule_and_every_class_is_there() -> None:
    assert sorted(_CLASSES) == audit.rule_names()
    there: dict[str, set[str]] = {}
    for row in EXPECTED:
        there.setdefault(row["rule"], set()).add(row["finding_class"])
    assert there == _CLASSES


def test_the_sample_is_small_enough_to_be_read_and_says_what_each_row_shows() -> None:
    texts = (FOLDER / "README.md").read_text(encoding="utf-8")
    count = 0
    for path in FOLDER.glob("*.csv"):
        if path.name == "expected_findings.csv":
            continue
        rows = _rows(path.read_text(encoding="utf-8"))
        count += len(rows)
        for row in rows:
            name = next(iter(row.values())) if path.name != "waivers.csv" else row["subject"]
            assert f"`{name}`" in texts, f"{path.name}: {name}"
    assert count <= 66
