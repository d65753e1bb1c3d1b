"""No network: the tests' own lock holds, and a whole run and the pages open no way out, whoever would try."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.closed_network import sitecustomize
from tests.support.dashboard_server import REPOSITORY, free_port, process
from tests.support.home import Home
from tests.support.page_reader import PageReader

KERNEL = ["tests.support.closed_network.kernel"]
CONNECT = "import socket; socket.create_connection(('192.0.2.1', 9), timeout=1)"
ASK = "import socket; socket.getaddrinfo('example.com', 443)"
SEND = """
import socket
with socket.socket(type=socket.SOCK_DGRAM) as outside:
    outside.sendto(b'', ('192.0.2.1', 9))
"""


@pytest.fixture
def attempts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where attempts are written in this test, which makes some."""
    monkeypatch.setenv(sitecustomize.VARIABLE, str(tmp_path / "attempts"))
    return tmp_path / "attempts"


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("script", [CONNECT, ASK, SEND])
def test_tests_and_what_they_start_cannot_leave_the_machine(script: str, attempts: Path) -> None:
    with pytest.raises(OSError, match="tests stay on this machine"):
        exec(script)  # noqa: S102
    started = python("-c", script)
    assert "OutsideError: tests stay on this machine" in started.stderr
    assert len(attempts.read_text().splitlines()) == 2


def test_tests_reach_this_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        client.sendall(b"heed")
        accepted, _ = server.accept()
        with accepted:
            assert accepted.recv(4) == b"heed"
    assert socket.getaddrinfo("localhost", 80)


@pytest.mark.parametrize("script", [CONNECT, ASK, SEND])
def test_the_kernel_ends_who_tries(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(sitecustomize.VARIABLE)  # else Python refuses before the kernel sees it
    assert python("-m", *KERNEL, sys.executable, "-c", "print('done')").stdout == "done\n"
    assert python("-m", *KERNEL, sys.executable, "-c", script).returncode == -signal.SIGSYS


def test_a_whole_run_and_the_pages_reach_nobody(home: Home, tmp_path: Path) -> None:
    for name in ("history", "published", "private"):  # a whole run: load, build, audit, measure, validate, publish
        (home.path / name).rename(tmp_path / name)
    heed = [sys.executable, "-m", "pipelines.cli", "-C", str(home.path)]
    for verb in (["run", "--json"], ["verify"], ["findings"]):
        said = python("-m", *KERNEL, *heed, *verb)
        assert (said.returncode, bool(said.stdout)) == (0, True), (verb, said.stderr)
    port = free_port()
    command = [*KERNEL, *heed, "dashboard", "--port", str(port)]
    with process(command, port, tmp_path / "log", dict(os.environ)) as address, PageReader(address) as reader:
        for page in ("overview", "audit", "findings", "contact", "trends", "data", "screen"):
            read = reader.read(page)
            assert (read.succeeded, bool(read.texts)) == (True, True), page
