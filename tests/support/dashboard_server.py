"""The real `heed dashboard`, a real OpenID provider, and a proxy that says who reads, each on a port of its own."""

from __future__ import annotations

import http.client
import json
import os
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def process(command: list[str], port: int, log: Path, environment: dict[str, str]) -> Iterator[str]:
    """A process that listens on a port, ended afterwards; its output goes to `log`."""
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=REPOSITORY, env=os.environ | environment, stdout=output, stderr=output
        )
        try:
            wait_until_served(port, server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=30)


def wait_until_served(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until something answers on the port; AssertionError with the log where the process ends or takes long."""
    for _ in range(600):
        assert server.poll() is None, log.read_text()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/_stcore/health")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise AssertionError(f"it did not start:\n{log.read_text()}")


@contextmanager
def dashboard(home: Path, port: int, **environment: str) -> Iterator[str]:
    """The address of `heed dashboard` over a home."""
    command = ["pipelines.cli", "-C", str(home), "dashboard", "--port", str(port)]
    with process(command, port, home.parent / f"dashboard-{port}.log", environment) as address:
        yield address


@contextmanager
def openid_provider(folder: Path, told: dict[str, Any]) -> Iterator[str]:
    """The address of a provider that was told its client and its users."""
    port = free_port()
    path = folder / "provider.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    command = ["tests.support.openid_provider", str(port), str(path)]
    with process(command, port, folder / "provider.log", {}) as address:
        yield address


@contextmanager
def auth_proxy(port: int, headers: dict[str, str]) -> Iterator[str]:
    """The address of a proxy before `port` that says in `headers` who reads, whatever the reader sends."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            head = b""
            while b"\r\n\r\n" not in head:
                received = self.request.recv(65536)
                if not received:
                    return
                head += received
            head, _, rest = head.partition(b"\r\n\r\n")
            first, *lines = head.split(b"\r\n")
            ours = {name.lower().encode() for name in headers}
            kept = [line for line in lines if line.split(b":")[0].lower() not in ours]
            if not any(line.lower() == b"upgrade: websocket" for line in kept):
                # One request on a connection, so that each goes through here.
                kept = [line for line in kept if not line.lower().startswith(b"connection:")] + [b"Connection: close"]
            added = [f"{name}: {value}".encode() for name, value in headers.items()]
            with socket.create_connection(("127.0.0.1", port)) as behind:
                behind.sendall(b"\r\n".join([first, *kept, *added]) + b"\r\n\r\n" + rest)
                upwards = threading.Thread(target=_pump, args=(self.request, behind), daemon=True)
                upwards.start()
                _pump(behind, self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(timeout=10)


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while received := source.recv(65536):
            target.sendall(received)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return
