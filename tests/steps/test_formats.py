"""Homes of earlier versions are read, checked and run on; what a later version wrote is refused and left alone."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dashboard import snapshot
from pipelines import chain
from tests.support.home import Home, without_validation
from tests.support.kept_formats import FORMATS, kept_home

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations.md"


def files(home: Home) -> dict[str, bytes]:
    """Every file of a home by its path, but the lock and what is written of every run."""
    paths = (path for path in home.path.rglob("*") if path.is_file() and path.name != ".lock")
    paths = (path for path in paths if path.parent.name != "operations")
    return {path.relative_to(home.path).as_posix(): path.read_bytes() for path in paths}


def test_there_is_a_home_and_a_line_in_the_docs_of_every_format() -> None:
    assert list(range(1, chain.FORMAT + 1)) == FORMATS
    assert snapshot.FORMAT == chain.FORMAT
    table = PAGE.read_text(encoding="utf-8").partition("## Upgrades")[2].partition("\n## ")[0]
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)] == FORMATS


def test_what_is_written_says_its_format(tmp_path: Path) -> None:
    home = kept_home(chain.FORMAT, tmp_path)
    lines = [
        line for name in ("history/ledger.jsonl", "published/runs.jsonl") for line in chain.lines(home.path / name)
    ]
    assert {line.entry["format"] for line in lines if line.entry} == {chain.FORMAT}
    assert len(lines) == 5
    assert json.loads((home.path / "published" / "CURRENT.json").read_text())["format"] == chain.FORMAT


@pytest.mark.parametrize("number", FORMATS)
def test_a_home_of_an_earlier_version_goes_on(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_validation(monkeypatch)
    home = kept_home(number, tmp_path)
    before = files(home)
    for verb in ("status", "verify", "findings", "metrics", "waivers", "rules"):
        said = home.heed(verb)
        assert (said.code, bool(said.out)) == (0, True), (verb, said.err)
    assert files(home) == before

    outcome = home.run()
    assert outcome["published"] is True
    assert [one["is_new"] for one in outcome["inputs"]] == [False] * 3, "nothing is read anew"
    # Of eight records one is a later version of another; the message of an opted-out contact is found.
    assert sum(one["accepted"] for one in outcome["inputs"]) == 8
    assert outcome["findings"]["message_after_opt_out"] == {"sent_after_processing": 1}
    assert outcome["findings"]["message_without_consent"] == {"no_consent_on_record": 1}
    after = files(home)
    kept = [name for name in before if name not in ("published/CURRENT.json", "published/runs.jsonl")]
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert after["published/runs.jsonl"].startswith(before["published/runs.jsonl"])

    assert home.heed("verify").code == 0
    assert home.heed("compare", "previous", "current").code == 0
    assert home.heed("contact", "+1 202 555 0101").code == 0
    assert home.run()["published"] is False

    # What is delivered now stands behind what was delivered then, and every byte of it is checked.
    home.deliver(
        {"consent-2.csv": "channel,contact,event_type,requested_at\nsms,+12025550102,opt_out,2026-11-03T00:00:00Z\n"}
    )
    assert home.run()["inputs"][-1]["is_new"] is True
    assert home.heed("verify").code == 0
    part = next((home.path / "history" / "messages").rglob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-1] + b"?")
    assert home.heed("verify").code == 11


@pytest.mark.parametrize("name", ["history/ledger.jsonl", "published/runs.jsonl", "published/CURRENT.json"])
def test_what_a_later_version_wrote_is_refused_and_left_alone(name: str, tmp_path: Path) -> None:
    home = kept_home(chain.FORMAT, tmp_path)
    path = home.path / name
    said = re.compile(rf'"format":( ?){chain.FORMAT}')
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    last = len(lines) - 1 if name.endswith("l") else 0
    rest = "".join(lines[last:])
    assert said.search(rest)
    path.write_text("".join(lines[:last]) + said.sub(rf'"format":\g<1>{chain.FORMAT + 1}', rest), encoding="utf-8")
    before = files(home)
    refused = home.heed("run")
    assert refused.code == 78
    assert "was written by a newer version of heed" in refused.err
    assert home.heed("verify").code == 11
    assert name in home.heed("verify").out
    assert files(home) == before
