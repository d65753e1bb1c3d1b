"""The gate in front of every page, file and WebSocket: nobody gets past it without a session.

It is ASGI middleware and runs before everything else of the server. It lets in who has a session and a role, gives
the pages the name of that session, refuses files that no page has shown to the reader, closes open pages when a
session ends, and sets the headers that keep other sites out.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import re
import time
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard import access, access_log, accessible, gate_pages
from dashboard.gate_sessions import HEADER, SESSIONS, Reader, Refusal, Session, Sessions, kept_by_browser
from dashboard.gate_settings import GateSettings, is_local

#: What a login needs and nothing else: these answer to everybody, and only where the login is OpenID.
LOGIN, START, CALLBACK, LOGOUT = "/login", "/auth/login", "/oauth2callback", "/auth/logout"
OPEN = (LOGIN, START, CALLBACK, LOGOUT)
#: Files of one reader: served to whom a page has shown their address.
OWNED = ("/media/", "/_stcore/upload_file/")
SHOWN = re.compile(rb"/(?:media|_stcore/upload_file)/[0-9A-Za-z._/-]+")
RETURN_COOKIE = "heed_return"
STATUS = {"anonymous": 401, "ended": 401, "proxy": 401, "no_role": 403, "route": 403, "cross_site": 403, "absent": 404,
          "host": 421}  # fmt: skip
SAFE = ("GET", "HEAD", "OPTIONS")
# Application-defined: the session of an open page ended.
SESSION_ENDED = 4401
# How long the page whose log-out button was pressed may take to leave.
ON_THE_WAY_SECONDS = 3.0

_Headers = dict[str, list[str]]


class Gate:
    """ASGI middleware that answers for one process's settings."""

    def __init__(self, app: ASGIApp, settings: GateSettings, sessions: Sessions = SESSIONS) -> None:
        self.app, self.settings, self.sessions = app, settings, sessions
        self.policy = page_policy()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request or a connection through, or answer it."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = read_headers(scope)
        path, method = scope["path"], scope["method"]
        found = self._let_in(scope, headers)
        if self.settings.openid and path in OPEN and method in ("GET", "HEAD"):
            await self._log_in_or_out(scope, receive, send, headers, found)
            return
        if isinstance(found, Refusal):
            self._write_down(found, scope)
            await self._refuse(scope, send, headers, found)
            return
        if method not in SAFE and not self._is_own_origin(headers, required=False):
            await self._refuse(scope, send, headers, Refusal("cross_site"))
        elif not access.may_use_route(found.reader.role, path):
            await self._refuse(scope, send, headers, Refusal("route"))
        elif path.startswith(OWNED) and path.encode() not in found.shown:
            await self._refuse(scope, send, headers, Refusal("absent"))
        elif path == "/" and (target := self._return_address(headers)):
            clear = f"{RETURN_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
            await self._answer(send, 302, b"", [("location", target), ("set-cookie", clear)])
        else:
            await self.app(self._named(scope, found), receive, self._protected(send, path))

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = read_headers(scope)
        found = self._let_in(scope, headers)
        needs_origin = self.settings.login != "none"
        if isinstance(found, Refusal) or not self._is_own_origin(headers, required=needs_origin):
            await send({"type": "websocket.close", "code": 1008})
            return
        ends_at = found.ends_at
        if self.settings.login == "proxy":
            # Nothing asks the proxy again while a page stays open, so a page stays open no longer than a session.
            ends_at = time.time() + self.settings.session_seconds
        connection = _Connection(found, ends_at, receive, send)
        try:
            await self.app(self._named(scope, found), connection.receive, connection.send)
        finally:
            await connection.leave()

    def _let_in(self, scope: Scope, headers: _Headers) -> Session | Refusal:
        if self.settings.login == "none" and not _names_this_machine(headers):
            return Refusal("host")
        peer = scope["client"][0] if scope.get("client") else ""
        return self.sessions.identify(self.settings, headers, peer)

    async def _log_in_or_out(
        self, scope: Scope, receive: Receive, send: Send, headers: _Headers, found: Session | Refusal
    ) -> None:
        path = scope["path"]
        if path == LOGIN:
            # The link to Streamlit's own login lasts two minutes, so it is made when it is followed.
            from streamlit.auth_util import encode_provider_token

            query = parse_qs(scope["query_string"].decode("latin-1"))
            target = quote(_inside(query.get("next", ["/"])[0]), safe="")
            seconds = 0 if target == quote("/", safe="") else 900
            cookie = f"{RETURN_COOKIE}={target}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{self._secure()}"
            link = f"{START}?provider={encode_provider_token('default')}"
            await self._answer(send, 302, b"", [("location", link), ("set-cookie", cookie)])
            return
        if path == LOGOUT:
            if headers.get("sec-fetch-site") == ["cross-site"]:
                await self._refuse(scope, send, headers, Refusal("cross_site"))
                return
            if isinstance(found, Session):
                self.sessions.end(found)
        await self.app(self._named(scope, None), receive, self._protected(send, path))

    def _is_own_origin(self, headers: _Headers, *, required: bool) -> bool:
        """Whether a page of this dashboard asks, as far as the browser says; another site's pages may not."""
        origins = headers.get("origin", [])
        if not origins:
            return not required
        if len(origins) > 1:
            return False
        if self.settings.openid:
            return origins[0] == self.settings.openid.origin
        return [urlsplit(origins[0]).netloc] == headers.get("host", [])

    def _named(self, scope: Scope, session: Session | None) -> Scope:
        """The scope as pages see it: with the name of the session, without what a reader or a proxy may have sent."""
        removed = {HEADER}
        if self.settings.proxy:
            proxy = self.settings.proxy
            removed |= {name.lower() for name in (proxy.user_header, proxy.roles_header, proxy.secret_header) if name}
        kept = [(name, value) for name, value in scope["headers"] if name.decode("latin-1").lower() not in removed]
        name = session.name if session else ""
        return {**scope, "headers": [*kept, (HEADER.encode(), name.encode())]}

    def _protected(self, send: Send, path: str) -> Send:
        """Sends answers with the headers that keep other sites, caches and frames out."""

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._headers_of(message.get("headers", []), path)
            await send(message)

        return protected

    def _headers_of(self, headers: list[tuple[bytes, bytes]], path: str) -> list[tuple[bytes, bytes]]:
        ours = dict(PROTECTION) | {"content-security-policy": self.policy}
        if not path.startswith("/static/"):
            ours["cache-control"] = "no-store"
        cookies = [value.decode("latin-1") for name, value in headers if name.lower() == b"set-cookie"]
        if path == CALLBACK and self.settings.openid:
            cookies = kept_by_browser(self.settings, self.settings.openid, cookies)
        replaced = {*ours, "set-cookie"}
        kept = [(name, value) for name, value in headers if name.decode("latin-1").lower() not in replaced]
        kept += [(b"set-cookie", self._shorter(cookie).encode("latin-1")) for cookie in cookies]
        return [*kept, *((name.encode(), value.encode()) for name, value in ours.items())]

    def _shorter(self, cookie: str) -> str:
        """A cookie of the login lasts no longer than a session, and goes over https alone where there is https."""
        if self.settings.openid and cookie.startswith("_streamlit_"):
            if cookie.startswith("_streamlit_user"):
                cookie = re.sub(r"(?i)max-age=[1-9][0-9]*", f"Max-Age={int(self.settings.session_seconds)}", cookie)
            if "; secure" not in cookie.lower():
                cookie += self._secure()
        return cookie

    def _secure(self) -> str:
        openid = self.settings.openid
        return "; Secure" if openid and openid.origin.startswith("https:") else ""

    def _return_address(self, headers: _Headers) -> str:
        """Where the reader wanted to go before the login, if somewhere else than the first page."""
        for part in "; ".join(headers.get("cookie", [])).split(";"):
            name, _, value = part.strip().partition("=")
            if name == RETURN_COOKIE:
                target = _inside(unquote(value))
                return "" if target == "/" else target
        return ""

    def _write_down(self, refusal: Refusal, scope: Scope) -> None:
        """Somebody who is known and has no role asked for a page."""
        if refusal.reason == "no_role" and _wants_a_page(scope, read_headers(scope)):
            page = access.page_of(scope["path"])
            try:
                access_log.write("refused", Reader(refusal.who, refusal.subject, ""), page=page)
            except access_log.NotWrittenError as error:
                logging.getLogger(__name__).error("%s", error)

    async def _refuse(self, scope: Scope, send: Send, headers: _Headers, refusal: Refusal) -> None:
        status = STATUS[refusal.reason]
        if not _wants_a_page(scope, headers):
            body = gate_pages.in_a_line(refusal.reason)
            await self._answer(send, status, body, [("content-type", "text/plain; charset=utf-8")])
            return
        query = scope["query_string"].decode("latin-1")
        asked_for = quote(scope["path"]) + (f"?{query}" if query else "")
        body = gate_pages.refusal(
            refusal.reason, refusal.who, _inside(asked_for), can_log_in=self.settings.openid is not None
        )
        await self._answer(send, status, body, [("content-type", "text/html; charset=utf-8")])

    async def _answer(self, send: Send, status: int, body: bytes, headers: list[tuple[str, str]]) -> None:
        every = [*headers, *PROTECTION.items(), ("cache-control", "no-store"),
                 ("content-security-policy", gate_pages.POLICY), ("content-length", str(len(body)))]  # fmt: skip
        started = {
            "type": "http.response.start",
            "status": status,
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in every],
        }
        await send(started)
        await send({"type": "http.response.body", "body": body})


class _Connection:
    """An open page: it learns which files it was shown, and it ends with its session."""

    def __init__(self, session: Session, ends_at: float | None, receive: Receive, send: Send) -> None:
        self.session, self.ends_at = session, ends_at
        self._receive, self._send = receive, send
        self._ended: asyncio.Task[bool] = asyncio.ensure_future(session.ended.wait())
        self._is_closed = self._is_ours_to_end = False

    async def receive(self) -> Message:
        """The reader's next message; that the connection is gone, once the session is over."""
        if self._is_closed:
            return {"type": "websocket.disconnect", "code": SESSION_ENDED}
        left = None if self.ends_at is None else max(0.0, self.ends_at - time.time())
        asked = asyncio.ensure_future(self._receive())
        try:
            await asyncio.wait({asked, self._ended}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            asked.cancel()
            raise
        # What came in the same moment as the end came too late.
        if asked.done() and not self._ended.done():
            return asked.result()
        asked.cancel()
        self._is_closed = self._is_ours_to_end = True
        return {"type": "websocket.disconnect", "code": SESSION_ENDED}

    async def send(self, message: Message) -> None:
        """Pass on what a page shows, and remember the files in it."""
        if self._is_closed:
            return
        for address in SHOWN.findall(message.get("bytes") or b""):
            self.session.remember(address)
        await self._send(message)

    async def leave(self) -> None:
        """Nothing is read or shown any more. If the session ended it: have the browser load its page anew and close."""
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        self._is_closed = True
        self._ended.cancel()
        if not self._is_ours_to_end or (self.session.ended.is_set() and await self._has_left()):
            return
        farewell = ForwardMsg()
        farewell.auth_redirect.url = ""
        try:
            await self._send({"type": "websocket.send", "bytes": farewell.SerializeToString()})
            await self._send({"type": "websocket.close", "code": SESSION_ENDED})
        except (OSError, RuntimeError):
            return  # The reader has left already.

    async def _has_left(self) -> bool:
        """Whether the browser goes by itself: the page with the log-out button is on its way to the provider."""
        until = time.monotonic() + ON_THE_WAY_SECONDS
        while (left := until - time.monotonic()) > 0:
            try:
                message = await asyncio.wait_for(self._receive(), left)
            except TimeoutError:
                return False
            if message["type"] == "websocket.disconnect":
                return True
        return False


#: On every answer, whoever gets it.
PROTECTION = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "x-robots-tag": "noindex, nofollow",
}


def page_policy() -> str:
    """The content security policy of the pages: everything comes from this server, and no other site frames it.

    Streamlit's page has one script in its text and we add one; they are allowed by their hashes. Streamlit sets styles
    by script.
    """
    import streamlit

    index = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in re.findall(r"<script>(.*?)</script>", index, re.DOTALL)
    )
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src 'self' 'wasm-unsafe-eval' {hashes} {accessible.script_hash()}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )


def read_headers(scope: Scope) -> _Headers:
    """The headers of a request by lower-case name, each with all of its values."""
    headers: _Headers = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return headers


def _names_this_machine(headers: _Headers) -> bool:
    """Whether the address asked for is one of this machine: another site's name may have been pointed at it."""
    hosts = headers.get("host", [])
    return len(hosts) == 1 and is_local(urlsplit(f"//{hosts[0]}").hostname or "")


def _wants_a_page(scope: Scope, headers: _Headers) -> bool:
    return scope["method"] in ("GET", "HEAD") and "text/html" in ",".join(headers.get("accept", []))


def _inside(target: str) -> str:
    """A path of this dashboard with its query; `/` for anything that leads elsewhere."""
    if not re.fullmatch(r"/(?![/\\])[\x21-\x7e]*", target) or "\\" in target or target.startswith(OPEN):
        return "/"
    return target
