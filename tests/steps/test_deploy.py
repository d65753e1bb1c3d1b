"""The examples of deploy/ are commands that work: the units, the cron lines, the DAG's commands, the image's steps."""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines import arguments
from tests.support.home import Home

REPOSITORY = Path(__file__).resolve().parents[2]
DEPLOY = REPOSITORY / "deploy"
UNITS = sorted([*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")])
PROGRAM = "/srv/heed/.venv/bin/heed"


def settings(unit: Path) -> dict[str, list[str]]:
    """The settings of a unit: every value of each name."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", "[")):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def understood(command: str) -> str:
    """The verb of a command line that heed understands."""
    program, *words = shlex.split(command)
    assert program.endswith(".venv/bin/heed")
    return str(arguments.parser().parse_args(words).verb)


@pytest.fixture
def installed(home: Home) -> Path:
    """A folder as the examples have it: heed in .venv, a home in logs."""
    root = home.path.parent
    home.path.rename(root / "logs")
    program = root / ".venv" / "bin" / "heed"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH={REPOSITORY} exec {sys.executable} -m pipelines.cli "$@"\n')
    program.chmod(0o755)
    return root


def ended(command: str, root: Path) -> int:
    """How sh ends a command."""
    environment = {name: value for name, value in os.environ.items() if name != "HEED_ALERT_URLS"}
    return subprocess.run(["sh", "-c", command], check=False, env=environment | {"HEED": str(root)}).returncode


def test_services_are_hardened_and_run_what_heed_understands() -> None:
    services = {unit.name: settings(unit) for unit in UNITS if unit.suffix == ".service"}
    verbs = {name: understood(told["ExecStart"][0]) for name, told in services.items()}
    assert verbs == {"heed.service": "run", "heed-alerts.service": "health"}
    for told in services.values():
        assert told["NoNewPrivileges"] == told["ProtectHome"] == told["PrivateTmp"] == ["true"]
        assert told["ProtectSystem"] == ["strict"]
        assert told["CapabilityBoundingSet"] == [""]
        assert told["User"] == ["heed"]
    # What reads others' files has no network; what has the network knows whom to tell.
    assert services["heed.service"]["PrivateNetwork"] == ["true"]
    assert "EnvironmentFile" not in services["heed.service"]
    assert services["heed.service"]["SuccessExitStatus"] == ["10 75"]
    told_by = [services["heed.service"][name] for name in ("OnSuccess", "OnFailure")]
    assert told_by == [["heed-alerts.service"]] * 2


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    texts = {unit.name: unit.read_text(encoding="utf-8").replace(PROGRAM, shutil.which("true") or "") for unit in UNITS}
    assert sorted(texts) == ["heed-alerts.service", "heed-alerts.timer", "heed.service", "heed.timer"]
    for text in texts.values():
        # What any machine can check: sections, names, no setting outside a section.
        assert re.fullmatch(r"(#[^\n]*\n)+(\[(Unit|Service|Timer|Install)\]\n((#[^\n]*|[A-Z]\w+=[^\n]*)?\n)+)+", text)
    if systemd := shutil.which("systemd-analyze"):
        for name, text in texts.items():
            (tmp_path / name).write_text(text)
        done = subprocess.run(
            [systemd, "verify", *(str(tmp_path / name) for name in texts)], capture_output=True, text=True, check=False
        )
        assert (done.returncode, [line for line in done.stderr.splitlines() if str(tmp_path) in line]) == (0, [])


RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def cron_commands() -> list[str]:
    """The commands of the crontab; each line has five times that cron understands."""
    commands = []
    for line in (DEPLOY / "crontab").read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or re.match(r"[A-Z]+=\S+$", line):
            continue
        *times, command = line.split(None, 5)
        for field, (least, most) in zip(times, RANGES, strict=True):
            assert field == "*" or (field.isdecimal() and least <= int(field) <= most), line
        assert "%" not in command, "cron reads it as the end of the line"
        commands.append(command)
    return commands


def test_cron_s_commands_work(installed: Path) -> None:
    run, alert = cron_commands()
    assert ended(run, installed) == 10  # the home has a violation
    assert "Did every opt-out get heeded?" in (installed / "logs" / "run.log").read_text()
    (installed / "alerts.env").write_text("HEED_ALERT_URLS='nonsense://secret?a=b&c=d'\n")
    assert ended(alert, installed) == 0
    said = (installed / "logs" / "health.log").read_text()
    assert "Healthy." in said
    assert "could not be sent to address 1" in said
    assert (installed / "logs" / "health.log").stat().st_mode & 0o777 == 0o600


def test_the_dag_s_commands_work(installed: Path) -> None:
    tree = ast.parse((DEPLOY / "airflow_dag.py").read_text(encoding="utf-8"))
    compile(tree, "airflow_dag.py", "exec")
    commands = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    assert sorted(commands) == ["ALERT", "RUN"]
    assert ended(commands["RUN"], installed) == 0
    assert ended(commands["ALERT"], installed) == 0
    # The last task of the DAG says how it went: it ends as unhealthy after a run that failed.
    (installed / "logs" / "inbox" / "m9.parquet").write_text("no Parquet")
    assert ended(commands["RUN"], installed) == 11
    assert ended(commands["ALERT"], installed) == 12


def steps(name: str = "Containerfile") -> list[tuple[str, str]]:
    """The instructions of a Containerfile, in order."""
    text = (DEPLOY / name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def test_the_image_runs_without_root() -> None:
    known = {"FROM", "WORKDIR", "COPY", "RUN", "USER", "ENV", "ENTRYPOINT", "CMD"}
    told = steps()
    assert {word for word, _ in told} == known
    last = dict(told)
    assert last["USER"] == "10001:10001"
    # Nothing is made or run as root after that.
    assert [word for word, _ in told[[word for word, _ in told].index("USER") :]] == [
        "USER", "WORKDIR", "ENV", "ENTRYPOINT", "CMD",
    ]  # fmt: skip
    entry, command = ast.literal_eval(last["ENTRYPOINT"]), ast.literal_eval(last["CMD"])
    assert arguments.parser().parse_args([*entry[1:], *command]).verb == "health"
    run = next(line for line in (DEPLOY / "Containerfile").read_text().splitlines() if " heed run " in line)
    assert arguments.parser().parse_args(shlex.split(run.partition(" heed ")[2])).verb == "run"


@pytest.mark.slow
def test_the_image_is_made_of_what_it_copies(tmp_path: Path) -> None:
    build = tmp_path / "build"
    build.mkdir()
    for word, rest in steps():
        if word == "COPY" and not rest.startswith("--from"):
            *sources, target = rest.split()
            for source in sources:
                place = build / target / source if target == "./" else build / target
                place.parent.mkdir(parents=True, exist_ok=True)
                if (REPOSITORY / source).is_dir():
                    shutil.copytree(REPOSITORY / source, place, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copyfile(REPOSITORY / source, place)
    installs = [rest.split(" -m ", 1)[1] for word, rest in steps() if word == "RUN" and "pip install" in rest]
    assert "--require-hashes -r requirements.lock" in installs[0]
    offline = [sys.executable, "-m", *installs[1].split(), "--no-index", "--quiet", "--target", str(tmp_path / "site")]
    subprocess.run(offline, check=True, cwd=build)
    # Away from the checkout, with what was copied alone.
    for command in (["init"], ["run"], ["health"]):
        subprocess.run(
            [sys.executable, "-m", "pipelines.cli", "-C", "logs", *command],
            check=True, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path / "site")}, capture_output=True,
        )  # fmt: skip
