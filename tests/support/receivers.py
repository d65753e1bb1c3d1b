"""A real SMTP server and a real HTTP server on ports of their own, and what they received."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.dashboard_server import free_port


@dataclass
class Received:
    """An address to send alerts to, and (title, body) of what came; `answers` says whether it is taken."""

    url: str = ""
    messages: list[tuple[str, str]] = field(default_factory=list)
    accepts: bool = True
    hangs: threading.Event | None = None  # where there is one, answers wait for it

    @property
    def titles(self) -> list[str]:
        """The titles of what came, in order."""
        return [title for title, _ in self.messages]


class _Mailbox:
    def __init__(self, received: Received) -> None:
        self.received = received

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        if not self.received.accepts:
            return "451 try again later"
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.received.messages.append((str(mail["Subject"]), mail.get_content()))
        return "250 OK"


@contextmanager
def mail_server() -> Iterator[Received]:
    """A mail server and its one mailbox."""
    received, port = Received(), free_port()
    received.url = f"mailto://127.0.0.1:{port}/?from=heed@example.com&to=operator@example.com&mode=insecure"
    controller = Controller(_Mailbox(received), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield received
    finally:
        controller.stop()


@contextmanager
def web_server(secret: str = "hook-secret") -> Iterator[Received]:  # noqa: S107 - of a test
    """A web server that takes JSON at one path."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if received.hangs is not None:
                received.hangs.wait(60)
            is_taken = received.accepts and self.path.strip("/") == secret
            if is_taken:
                received.messages.append((content["title"], content["message"]))
            self.send_response(200 if is_taken else 500)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    received.url = f"json://127.0.0.1:{server.server_address[1]}/{secret}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield received
    finally:
        if received.hangs is not None:
            received.hangs.set()
        server.shutdown()
        server.server_close()
        thread.join()
