"""The command line: every verb explains itself, stdout is data, stderr is narration, and codes say how it ended."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines import arguments as spoken
from pipelines import cli, snapshots
from pipelines.rulebook import listing
from tests.steps.conftest import FirstRun
from tests.support.home import Home

REPOSITORY = Path(__file__).resolve().parents[2]
VERBS = sorted(spoken.VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_with_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([verb, "--help"])
    assert ended.value.code == 0
    words = " ".join(capsys.readouterr().out.split())
    does, example = spoken.VERBS[verb]
    assert f"Example: {example}" in words
    assert does[1:] in words
    # The example is one that heed understands.
    program, *arguments = shlex.split(example)
    assert program == "heed"
    assert spoken.parser().parse_args(arguments).verb == verb


def test_every_option_explains_itself() -> None:
    subparsers = next(action for action in spoken.parser()._actions if action.dest == "verb")
    assert isinstance(subparsers.choices, dict)
    assert sorted(subparsers.choices) == VERBS == sorted(cli._DOES)
    for verb, parser in subparsers.choices.items():
        for action in parser._actions:
            assert action.help, f"heed {verb} {action.dest}"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_documented(verb: str) -> None:
    pages = [REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")]
    command = re.compile(rf"\bheed( -C [^\s`]+)? {verb}\b")
    assert [page.name for page in pages if command.search(page.read_text(encoding="utf-8"))], (
        f"neither README.md nor docs/ shows `heed {verb}`"
    )


def test_without_a_verb_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert all(f"{verb} {does}" in words for verb, (does, _) in spoken.VERBS.items())
    assert all(f"{code} " in words for code in (0, 10, 11, 64, 75, 78))


def test_help_is_quick_because_it_imports_nothing_heavy() -> None:
    program = (
        "import sys\nfrom pipelines import arguments\narguments.parser().format_help()\n"
        "heavy = {'duckdb', 'polars', 'pandas', 'great_expectations', 'streamlit', 'scipy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["sing"],
        ["run", "--fast"],
        ["run", "--as-of"],
        ["run", "extra"],
        ["contact"],
        ["findings", "--format", "xml"],
        ["findings", "--grain", "day"],
        ["metrics", "--severity", "high"],
        ["findings", "--period", "October"],
        ["findings", "--period", "2026-13"],
        ["metrics", "--period", "2026"],
        ["sample", "--messages", "12"],
        ["sample", "--messages", "many"],
        ["dashboard", "--port", "http"],
        ["init"],
    ],
)
def test_wrong_usage_is_one_line_and_ends_with_64(arguments: list[str], home: Home) -> None:
    said = home.heed(*arguments)
    assert (said.code, said.out) == (64, "")
    assert said.err.startswith("heed: ")
    assert said.err.count("\n") == 1


# ---- the rules, the status


def test_the_rules_say_what_why_and_what_to_do(first_run: FirstRun) -> None:
    rows = {row["rule_id"]: row for row in first_run.home.heed("rules", "--format", "json").json()}
    audit = rows["message_after_opt_out"]
    assert list(audit) == list(listing.COLUMNS)
    assert all(audit[name] for name in ("says", "citation", "remedy", "severity", "parameters"))
    assert "10bd" in audit["parameters"]
    law = rows["us-tcpa-optout-10bd"]
    assert (law["kind"], law["value"], law["unit"], law["counting"]) == (
        "optout_deadline", "10", "business_days", "day_after",
    )  # fmt: skip
    assert all(law[name] for name in ("says", "citation", "grade", "checked_on", "source_url", "effective_from"))
    table = first_run.home.heed("rules").out
    assert "message_after_opt_out\n" in table
    assert "us-tcpa-optout-10bd" in table
    assert "us-ctia-optout" not in table  # of the strict preset only
    assert "us-ctia-optout" in first_run.home.heed("rules", "--all").out


def test_the_status_is_that_of_the_published_snapshot(first_run: FirstRun) -> None:
    told, said = first_run.said.json(), first_run.home.heed("status", "--json")
    assert (said.code, said.err) == (0, "")
    found = said.json()
    assert found["run_id"] == found["pointer"]["run_id"] == told["run_id"] == found["runs"][-1]["run_id"]
    assert found["verdict"]["overall"] == "Fail"
    assert found["pointer"]["published_at"].endswith("Z")
    words = first_run.home.heed("status").out
    assert all(word in words for word in (told["run_id"], "Fail", "Opt-out rate", "Last runs"))
    assert "+00:00" not in words


# ---- how it ends


def run_heed(home: Home, *arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own; what it writes to standard error is kept."""
    command = [sys.executable, "-m", "pipelines.cli", "-C", str(home.path), *arguments]
    return subprocess.run(command, check=False, stderr=subprocess.PIPE, text=False, **options)


def test_a_reader_that_goes_away_is_no_error(first_run: FirstRun) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        done = run_heed(first_run.home, "metrics", stdout=closed)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_full_disk_under_standard_output_is_one_line(first_run: FirstRun) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run_heed(first_run.home, "findings", stdout=full)
    assert done.returncode == 1
    assert done.stderr.startswith(b"heed: No space left on device")
    assert done.stderr.count(b"\n") == 1


def test_data_is_utf8_whatever_the_locale(first_run: FirstRun) -> None:
    done = run_heed(
        first_run.home,
        "findings",
        "--format",
        "csv",
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0, done.stderr
    assert "+1202•••••01" in done.stdout.decode("utf-8")


def test_an_unexpected_error_is_one_line_without_data(first_run: FirstRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("anna@example.com divided by zero")

    monkeypatch.delenv("HEED_TRACEBACK", raising=False)
    monkeypatch.setattr(snapshots, "findings_query", broken)
    said = first_run.home.heed("findings")
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert "anna" not in said.err
    assert "HEED_TRACEBACK" in said.err
    monkeypatch.setenv("HEED_TRACEBACK", "1")
    told = first_run.home.heed("findings").err
    assert "in broken" in told
    assert "anna" not in told
    monkeypatch.setenv("HEED_TRACEBACK", "full")
    assert "divided by zero" in first_run.home.heed("findings").err


@pytest.mark.parametrize(("code", "ends"), [(0, 0), (3, 1)])
def test_the_dashboard_is_started_for_this_home(
    code: int, ends: int, first_run: FirstRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: dict[str, Any] = {}

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        started.update(options | {"command": command})
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(subprocess, "run", run)
    said = first_run.home.heed("dashboard", "--port", "8765")
    assert (said.code, said.out) == (ends, "")
    assert "http://127.0.0.1:8765" in said.err
    assert started["env"]["HEED_HOME"] == str(first_run.home.path.resolve())
    options = dict(zip(started["command"][-6::2], started["command"][-5::2], strict=True))
    assert options == {"--server.port": "8765", "--server.address": "127.0.0.1", "--server.headless": "true"}
    assert Path(started["command"][4]).is_file()


def test_a_new_home_and_its_first_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path / "logs")
    said = home.heed("init")
    assert (said.code, said.out) == (0, "")
    assert f"heed -C {home.path} run" in said.err
    assert home.heed("init").code == 64
    assert home.heed("findings").code == 78
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert re.fullmatch(r"heed \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_the_json_of_a_run_is_strict(first_run: FirstRun) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    told = json.loads(first_run.said.out, parse_constant=refuse)
    texts = re.findall(r'"(\d{4}-\d\d-\d\dT[^"]*)"', first_run.said.out)
    assert texts
    assert all(text.endswith("Z") for text in texts)
    assert set(told) >= {
        "run_id", "as_of", "inputs", "findings", "metrics", "verdict", "validation", "snapshot", "seconds", "published",
    }  # fmt: skip
