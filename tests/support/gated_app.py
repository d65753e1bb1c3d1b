"""A small server behind the dashboard's gate, on a real port: it repeats what it is asked and sent."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.sync.client import ClientConnection, connect

from dashboard.gate import Gate
from dashboard.gate_sessions import COOKIE, HEADER, Sessions, kept_by_browser
from dashboard.gate_settings import GateSettings, OpenID, Proxy

ORIGIN = "https://heed.example.com"
COOKIE_SECRET = "a secret for cookies"  # noqa: S105
PROXY_SECRET = "a secret for the proxy"  # noqa: S105
ROLES = {"compliance": "officer", "marketing": "marketer", "vera@example.com": "viewer"}


def openid(**changes: Any) -> GateSettings:
    """Settings with a login by OpenID."""
    told = {"end_with_token": False} | {key: changes.pop(key) for key in ("end_with_token",) if key in changes}
    provider = OpenID(
        "https://id.example.com/.well-known/openid-configuration", "heed", "client secret", f"{ORIGIN}/oauth2callback",
        "openid", cookie_secret=COOKIE_SECRET, **told,
    )  # fmt: skip
    return GateSettings(login="openid", roles=ROLES, openid=provider, **changes)


def proxy(**changes: Any) -> GateSettings:
    """Settings with a proxy in front."""
    told = Proxy("X-User", "X-Groups", "X-Proof", PROXY_SECRET, changes.pop("trusted", ("127.0.0.1",)))
    return GateSettings(login="proxy", roles=ROLES, proxy=told, **changes)


def cookie(
    claims: dict[str, Any], settings: GateSettings | None = None, *, secret: str = COOKIE_SECRET, age: float = 0
) -> str:
    """The Cookie header that a browser keeps of a login with these claims, as old as told."""

    class Earlier(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(time.time() - age)

    told = settings or openid()
    assert told.openid is not None
    lines = finished_login(claims)
    [line] = [line for line in kept_by_browser(told, told.openid, lines) if line.startswith(f"{COOKIE}=")]
    value = line.partition("=")[2].partition(";")[0]
    text = URLSafeTimedSerializer(COOKIE_SECRET, salt=COOKIE).loads(value)
    return f"{COOKIE}={URLSafeTimedSerializer(secret, salt=COOKIE, signer=Earlier).dumps(text)}"


def finished_login(claims: dict[str, Any], *, secret: str = COOKIE_SECRET, pieces: int = 1) -> list[str]:
    """The Set-Cookie lines of Streamlit at the end of a login with these claims, in as many pieces as told."""
    told = {"origin": ORIGIN, "is_logged_in": True, "sub": "u1"} | claims
    text = json.dumps({name: value for name, value in told.items() if value is not None})

    def signed(name: str, value: str) -> str:
        return f"{name}={URLSafeTimedSerializer(secret, salt=name).dumps(value)}; HttpOnly; Max-Age=2592000; Path=/"

    if pieces == 1:
        return [signed(COOKIE, text)]
    size = -(-len(text) // pieces)
    parts = [text[start : start + size] for start in range(0, len(text), size)]
    numbered = [signed(f"{COOKIE}_{number}", part) for number, part in enumerate(parts, start=1)]
    return [signed(COOKIE, f"chunks-{len(parts)}"), *numbered]


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    text: str

    @property
    def seen(self) -> dict[str, Any]:
        """What the server behind the gate was asked."""
        content: dict[str, Any] = json.loads(self.text)
        return content


@dataclass
class Gated:
    """The server's port, its sessions, and how to talk to it."""

    port: int
    sessions: Sessions

    def ask(self, path: str = "/", method: str = "GET", headers: list[tuple[str, str]] | None = None) -> Answer:
        """One request with exactly these headers besides Host."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.putrequest(method, path, skip_host=any(name == "Host" for name, _ in headers or []))
        for name, value in headers or []:
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        found = Answer(
            answer.status,
            {name.lower(): value for name, value in answer.getheaders()},
            [value for name, value in answer.getheaders() if name.lower() == "set-cookie"],
            answer.read().decode(),
        )
        connection.close()
        return found

    def open(self, headers: dict[str, str] | None = None, origin: str | None = ORIGIN) -> ClientConnection:
        """A WebSocket with these headers; raises websockets.InvalidStatus where it is refused."""
        return connect(
            f"ws://127.0.0.1:{self.port}/_stcore/stream",
            additional_headers=headers,
            origin=origin,
            proxy=None,  # type: ignore[arg-type]
        )


async def _say(request: Request) -> JSONResponse:
    headers = [[name, value] for name, value in request.headers.items()]
    answer = JSONResponse({"path": request.url.path, "headers": headers, "session": request.headers.get(HEADER)})
    answer.set_cookie(COOKIE, "x", max_age=2592000, httponly=True, samesite="lax")
    return answer


async def _stream(socket_: WebSocket) -> None:
    await socket_.accept()
    try:
        while True:
            await socket_.send_bytes(b"shown: " + await socket_.receive_bytes())
    except WebSocketDisconnect:
        return


_ROUTES = [
    WebSocketRoute("/_stcore/stream", _stream),
    Route("/{path:path}", _say, methods=["GET", "HEAD", "POST", "PUT", "DELETE"]),
]


@contextmanager
def gated(settings: GateSettings) -> Iterator[Gated]:
    """The server, ended afterwards."""
    sessions = Sessions()
    app = Gate(Starlette(routes=_ROUTES), settings, sessions)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, lifespan="off", log_level="error", proxy_headers=False, ws="websockets-sansio")
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield Gated(listener.getsockname()[1], sessions)
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        listener.close()
