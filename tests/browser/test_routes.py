"""Every route and WebSocket of the real server, in every spelling, by those who may not: nothing gets out.

The list of routes is the server's own. What is refused is answered by one of the gate's own pages or lines, to the
byte, so nothing of Streamlit, the health of the server or a file of a reader can be in it.
"""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from websockets.exceptions import InvalidStatus

from dashboard import gate_pages
from dashboard.gate import OPEN
from dashboard.gate_sessions import COOKIE
from dashboard.words import texts
from tests.browser.test_access import Site, served_routes, site, socket

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
CLAIMS = {"is_logged_in": True, "provider": "default", "sub": "a1", "heed_groups": ["compliance"]}

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("routes")) as found:
        yield found


@pytest.fixture(scope="module")
def paths(guarded: Site) -> list[str]:
    """Every path of the server's route table, the pages, and files that are there."""
    routes = {path or "/" for _, path, _ in served_routes(guarded.home)}
    pages = {f"/{'' if name == 'overview' else name}" for name in texts.PAGES}
    return sorted(routes | pages | {"/index.html", "/static/js/index.js", "/favicon.png", "/manifest.json"})


def spellings(path: str) -> list[str]:
    """A path as somebody writes it who hopes that one reader of it reads it otherwise than another."""
    first = path[1:2]
    return [
        path, f"/{path}", f"/.{path}", f"/x/..{path}", f"/%2e%2e{path}", f"{path}/", f"{path}.", f"{path}%20",
        f"{path}%00", f"{path};a=b", f"{path}?next=/", f"{path}#top", path.upper(), f"{path}/login", f"/login/..{path}",
        f"/%{ord(first):02x}{path[2:]}" if first else "/%2f", path.replace("/", "//"), path.replace("/", "%2f"),
        path.replace("/", "\\"), f"/auth/login/%2e%2e/%2e%2e{path}", f"/oauth2callback{path}",
    ]  # fmt: skip


def asked(port: int, method: str, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """The status and the body of one request whose path goes out as it is written."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    # The client's own check would refuse to send what a stranger sends.
    connection._validate_path = lambda _: None  # type: ignore[attr-defined]
    connection.putrequest(method, path)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def is_refused(status: int, body: bytes, reason: str) -> bool:
    """Whether an answer is one of the gate's own, or the server's for what is no request at all."""
    line = gate_pages.in_a_line(reason)
    page = b"<h1>" in body and b"<script" not in body and body.startswith(b"<!doctype html><html lang")
    return (status in (401, 403) and (body in (b"", line) or page)) or (
        status == 400 and body == b"Invalid HTTP request received."
    )


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_no_spelling_of_any_route_gets_in(guarded: Site, paths: list[str], accept: str) -> None:
    port = urlsplit(guarded.address).port
    assert port is not None
    tried = 0
    for path in paths:
        for spelling in spellings(path):
            for method in METHODS if spelling == path else ("GET", "POST"):
                if unquote(re.split("[?#]", spelling)[0]) in OPEN and method in ("GET", "HEAD"):
                    continue
                status, body = asked(port, method, spelling, {"Accept": accept})
                assert is_refused(status, body, "anonymous"), (method, spelling, status, body[:200])
                tried += 1
    assert tried > 1500


def cookies(guarded: Site) -> dict[str, str]:
    """Cookies that are no session here: forged, expired, of somebody without a role, and of nobody."""
    secret = (guarded.home / "private" / "dashboard_key").read_text()
    told = json.dumps(CLAIMS | {"origin": guarded.address})

    class Yesterday(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(time.time() - 86_400)

    def signed(key: str, text: str, signer: type[TimestampSigner] = TimestampSigner) -> str:
        return str(URLSafeTimedSerializer(key, salt=COOKIE, signer=signer).dumps(text))

    return {
        "forged": signed("a guess", told),
        "unsigned": told.encode().hex(),
        "expired": signed(secret, told, Yesterday),
        "without a role": signed(secret, json.dumps(CLAIMS | {"origin": guarded.address, "heed_groups": ["staff"]})),
        "of another server": signed(secret, json.dumps(CLAIMS | {"origin": "https://elsewhere.example.com"})),
        "empty": "",
    }


@pytest.mark.parametrize("kind", ["forged", "unsigned", "expired", "without a role", "of another server", "empty"])
def test_a_session_that_is_none_opens_no_route_and_no_websocket(guarded: Site, paths: list[str], kind: str) -> None:
    port = urlsplit(guarded.address).port
    assert port is not None
    headers = {"Cookie": f"{COOKIE}={cookies(guarded)[kind]}"}
    reason = {"expired": "ended", "without a role": "no_role"}.get(kind, "anonymous")
    for path in paths:
        if path not in OPEN:
            for method in ("GET", "POST"):
                status, body = asked(port, method, path, headers)
                assert is_refused(status, body, reason), (method, path, status, body[:200])
    for path in (
        "/_stcore/stream",
        "//_stcore/stream",
        "/_stcore/stream/",
        "/_STCORE/stream",
        "/_stcore/agent/mcp",
        "/",
    ):
        with pytest.raises(InvalidStatus) as refused:
            socket(guarded.address, headers, path)
        assert refused.value.response.status_code == 403
        assert not refused.value.response.body


def test_the_same_cookie_made_right_opens_them(guarded: Site, paths: list[str]) -> None:
    """What refuses the others is what is wrong with them, and nothing else."""
    port = urlsplit(guarded.address).port
    assert port is not None
    secret = (guarded.home / "private" / "dashboard_key").read_text()
    told = json.dumps(CLAIMS | {"origin": guarded.address})
    headers = {"Cookie": f"{COOKIE}={URLSafeTimedSerializer(secret, salt=COOKIE).dumps(told)}"}
    socket(guarded.address, headers)
    status, body = asked(port, "GET", "/_stcore/health", headers)
    assert (status, body) == (200, b"ok")
    # Whom no page has shown a file to gets none, and the server's own programs' interface is nobody's.
    assert asked(port, "GET", "/media/a.csv", headers)[0] == 404
    assert [asked(port, "GET", path, headers)[0] for path in paths if path.startswith("/_stcore/agent")] == [403] * 3
