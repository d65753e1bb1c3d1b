"""Logging in with a real OpenID provider and a real proxy: who sees what, and everything that does not get in."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from itsdangerous import URLSafeTimedSerializer
from playwright.sync_api import Browser, BrowserContext, Page, expect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from dashboard import access
from dashboard.gate import OPEN
from dashboard.gate_sessions import COOKIE
from dashboard.words import access_texts, texts
from tests.browser.test_pages import settled
from tests.support.dashboard_server import REPOSITORY, auth_proxy, dashboard, free_port, openid_provider
from tests.support.snapshot_factory import write_home

CLIENT_SECRET = "the secret of the client"  # noqa: S105
PROXY_SECRET = "the secret of the proxy"  # noqa: S105
USERS = {
    "anna": {"sub": "a1", "email": "anna@example.com", "email_verified": True, "groups": ["staff", "compliance"]},
    "mark": {"sub": "m1", "email": "mark@example.com", "email_verified": True, "groups": ["marketing"]},
    "vera": {"sub": "v1", "email": "vera@example.com", "email_verified": True},
    "nemo": {"sub": "n1", "email": "nemo@example.com", "email_verified": True, "groups": ["staff"]},
    "liar": {"sub": "l1", "email": "vera@example.com", "email_verified": False},
    "long": {"sub": "x1", "groups": ["compliance", *(hashlib.sha256(bytes([n])).hexdigest() for n in range(200))]},
}
ROLES = {"anna": "officer", "mark": "marketer", "vera": "viewer"}
ROLES_TOML = """
[dashboard.roles]
officer = ["compliance"]
marketer = ["marketing"]
viewer = ["vera@example.com"]
"""

pytestmark = pytest.mark.browser


@dataclass
class Site:
    """A dashboard with a login, its home and its provider."""

    address: str
    home: Path
    provider: str

    def log(self) -> list[dict[str, Any]]:
        """The lines of the access log."""
        path = self.home / "private" / "access.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@contextmanager
def site(folder: Path, session_hours: float = 8) -> Iterator[Site]:
    """A dashboard that knows its readers by a provider."""
    home, port = folder / "home", free_port()
    write_home(home)
    redirect = f"http://127.0.0.1:{port}/oauth2callback"
    told = {"client_id": "heed", "client_secret": CLIENT_SECRET, "redirect_uri": redirect, "token_seconds": 300}
    with openid_provider(folder, told | {"users": USERS}) as provider:
        (home / "heed.toml").write_text(f"""
[dashboard]
login = "openid"
session_hours = {session_hours}

[dashboard.openid]
server_metadata_url = "{provider}/.well-known/openid-configuration"
client_id = "heed"
redirect_uri = "{redirect}"
{ROLES_TOML}""")
        with dashboard(home, port, HEED_OPENID_SECRET=CLIENT_SECRET) as address:
            yield Site(address, home, provider)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("openid")) as found:
        yield found


@pytest.fixture
def visit(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh browser without any cookie."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    yield context
    context.close()


def log_in(page: Page, site: Site, user: str, path: str = "/") -> None:
    """Ask for a page, log in at the provider, and arrive somewhere."""
    page.goto(site.address + path)
    expect(page.get_by_role("heading", name="Please log in")).to_be_visible()
    page.get_by_role("link", name="Log in").click()
    expect(page.get_by_role("heading", name="Log in at the test provider")).to_be_visible()
    page.get_by_label("User").fill(user)
    page.get_by_label("Password").fill(user[::-1])
    page.get_by_role("button", name="Continue").click()


def menu(page: Page) -> set[str]:
    """The pages that the menu offers."""
    return {text.strip() for text in page.locator("[data-testid='stSidebarNavLink'] span p").all_inner_texts()}


@pytest.mark.parametrize(("user", "role"), ROLES.items())
def test_every_role_has_its_pages(
    guarded: Site, visit: BrowserContext, screenshots: Path, user: str, role: str
) -> None:
    page = visit.new_page()
    log_in(page, guarded, user)
    settled(page)
    listed = [name for name in texts.PAGES if name not in texts.UNLISTED]
    offered = {texts.PAGES[name].title for name in listed if role in access.PAGES[name]}
    assert menu(page) == offered
    expect(page.get_by_text(f", {role} · until")).to_be_visible()
    refused = [name for name in texts.PAGES if role not in access.PAGES.get(name, access.OFFICERS)]
    for name in ("trends", *refused):
        page.goto(f"{guarded.address}/{name}")
        settled(page)
        is_refused = page.get_by_role("heading", name=access_texts.PAGE_REFUSED)
        expect(is_refused).to_have_count(1 if name in refused else 0)
        expect(page.locator('[data-testid="stException"]')).to_have_count(0)
        page.screenshot(path=screenshots / f"{role}-{name}.png")
    written = {line["page"] for line in guarded.log() if line.get("role") == role and line["what"] == "refused"}
    assert written == set(refused)


def test_a_login_leads_to_the_page_that_was_asked_for(guarded: Site, visit: BrowserContext) -> None:
    page = visit.new_page()
    log_in(page, guarded, "anna", "/findings?channel=SMS&violations=true")
    expect(page.get_by_role("heading", name=texts.PAGES["findings"].question)).to_be_visible(timeout=30_000)
    assert urlsplit(page.url).path == "/findings"
    assert "channel=SMS" in page.url
    expect(page.get_by_text("Whole record, SMS")).to_be_visible()


def test_who_has_no_role_sees_nothing(guarded: Site, visit: BrowserContext, screenshots: Path) -> None:
    page = visit.new_page()
    log_in(page, guarded, "nemo")
    expect(page.get_by_role("heading", name="You have no role here")).to_be_visible()
    page.screenshot(path=screenshots / "no-role.png")
    assert page.request.get(f"{guarded.address}/_stcore/health").status == 403
    assert [line["what"] for line in guarded.log() if line["who"] == "nemo@example.com"][:1] == ["refused"]
    page.get_by_role("link", name="Log out").click()
    expect(page.get_by_role("heading", name="Please log in")).to_be_visible()


def test_an_address_that_nobody_verified_gives_no_role(guarded: Site, visit: BrowserContext) -> None:
    page = visit.new_page()
    log_in(page, guarded, "liar")
    expect(page.get_by_role("heading", name="You have no role here")).to_be_visible()


def test_a_login_with_many_groups_works(guarded: Site, visit: BrowserContext) -> None:
    page = visit.new_page()
    log_in(page, guarded, "long")
    settled(page)
    assert {cookie["name"] for cookie in visit.cookies()} == {COOKIE, "_streamlit_xsrf"}
    expect(page.get_by_text(", officer · until")).to_be_visible()


def test_a_password_or_a_key_that_is_not_the_providers_lets_nobody_in(tmp_path: Path, visit: BrowserContext) -> None:
    with site(tmp_path) as found:
        page = visit.new_page()
        log_in(page, found, "anna")
        settled(page)
        visit.clear_cookies()
        assert page.request.post(f"{found.provider}/rotate").status == 204
        log_in(page, found, "anna")
        expect(page.get_by_role("heading", name="Please log in")).to_be_visible()
        assert not any(cookie["name"] == COOKIE for cookie in visit.cookies())


def test_an_open_page_ends_with_the_session(tmp_path: Path, visit: BrowserContext, screenshots: Path) -> None:
    with site(tmp_path, session_hours=30 / 3600) as found:
        page = visit.new_page()
        log_in(page, found, "anna", "/rules")
        expect(page.get_by_role("heading", name=texts.PAGES["rules"].question)).to_be_visible(timeout=25_000)
        cookies = visit.cookies()
        expect(page.get_by_role("heading", name="Please log in").or_(
            page.get_by_role("heading", name="Your session has ended"))).to_be_visible(timeout=40_000)  # fmt: skip
        page.screenshot(path=screenshots / "session-ended.png")
        # The browser has dropped the cookie; whoever kept a copy of it gets no further.
        visit.add_cookies([{**cookie, "expires": time.time() + 3600} for cookie in cookies])  # type: ignore[typeddict-item, list-item]
        page.goto(f"{found.address}/rules")
        expect(page.get_by_role("heading", name="Your session has ended")).to_be_visible()
        for path in ("/_stcore/health", "/_stcore/host-config", "/static/x.js"):
            assert page.request.get(found.address + path).status == 401


def test_logging_out_ends_every_page_and_every_copy_of_the_cookie(
    guarded: Site, visit: BrowserContext, browser: Browser
) -> None:
    page = visit.new_page()
    log_in(page, guarded, "anna")
    settled(page)
    other = visit.new_page()
    other.goto(f"{guarded.address}/trends")
    settled(other)
    copies = visit.cookies()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Please log in")).to_be_visible(timeout=20_000)
    expect(other.get_by_role("heading", name="Please log in")).to_be_visible(timeout=20_000)
    assert not any(cookie["name"].startswith(COOKIE) for cookie in visit.cookies())
    with browser.new_context() as thief:
        thief.add_cookies(copies)  # type: ignore[arg-type]
        assert thief.request.get(f"{guarded.address}/").status == 401
        page = thief.new_page()
        page.goto(f"{guarded.address}/")
        expect(page.get_by_role("heading", name="Your session has ended")).to_be_visible()


CLAIMS = {"is_logged_in": True, "provider": "default", "sub": "a1", "heed_groups": ["compliance"]}


@pytest.mark.parametrize("forgery", ["unsigned", "another secret", "no signature", "another origin"])
def test_a_forged_cookie_lets_nobody_in(guarded: Site, visit: BrowserContext, forgery: str) -> None:
    text = json.dumps(CLAIMS | {"origin": guarded.address})
    secret = (guarded.home / "private" / "dashboard_key").read_text()

    def signed(secret: str, text: str) -> str:
        return str(URLSafeTimedSerializer(secret, salt=COOKIE).dumps(text))

    value = {
        "unsigned": text.replace('"', "'").replace(" ", "").replace(",", "."),
        "another secret": signed("another secret", text),
        "no signature": signed(secret, text).rpartition(".")[0],
        "another origin": signed(secret, json.dumps(CLAIMS | {"origin": "https://elsewhere.example.com"})),
    }[forgery]
    visit.add_cookies([{"name": COOKIE, "value": value, "url": guarded.address}])
    page = visit.new_page()
    page.goto(f"{guarded.address}/findings")
    expect(page.get_by_role("heading", name="Please log in")).to_be_visible()
    assert page.request.get(f"{guarded.address}/_stcore/health").status == 401
    with pytest.raises(InvalidStatus):
        socket(guarded.address, {"Cookie": f"{COOKIE}={value}"})
    # The secret of this dashboard is what makes the difference.
    visit.add_cookies([{"name": COOKIE, "value": signed(secret, text), "url": guarded.address}])
    assert page.request.get(f"{guarded.address}/_stcore/health").status == 200


def socket(address: str, headers: dict[str, str] | None = None, path: str = "/_stcore/stream") -> None:
    """Open a WebSocket as a page would, and close it; raises InvalidStatus where it is refused."""
    there = f"ws://{urlsplit(address).netloc}{path}"
    with connect(there, additional_headers=headers, origin=address, proxy=None):  # type: ignore[arg-type]
        pass


def served_routes(home: Path) -> list[tuple[str, str, list[str]]]:
    """Every route of the server's own app: its kind, an address of it, and its methods."""
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "import json, app; print(json.dumps([[type(r).__name__, r.path, sorted(getattr(r, 'methods', None) or [])]"
            " for r in app.app._build_starlette_app().routes]))",
        ],
        cwd=REPOSITORY / "dashboard",
        env=os.environ | {"HEED_HOME": str(home)},
        capture_output=True,
        check=True,
        text=True,
    )
    filled = {"file_id:path": "a.csv", "session_id": "s", "file_id": "f", "path:path": "p/q.js"}
    routes = []
    for kind, path, methods in json.loads(said.stdout.splitlines()[-1]):
        for name, value in filled.items():
            path = path.replace(f"{{{name}}}", value)
        assert "{" not in path, path
        routes.append((kind, path, methods))
    return routes


def test_every_route_and_every_websocket_is_refused_without_a_login(guarded: Site) -> None:
    routes = served_routes(guarded.home)
    paths = {path for _, path, _ in routes}
    assert {"/_stcore/health", "/_stcore/host-config", "/media/a.csv", "/_stcore/upload_file/s/f"} <= paths
    assert {kind for kind, _, _ in routes} == {"Route", "WebSocketRoute", "Mount"}
    beyond = [("Route", f"/{'' if name == 'overview' else name}", ["GET"]) for name in texts.PAGES]
    beyond += [("Route", "/static/js/index.js", ["GET"]), ("Route", "/favicon.png", ["GET"]), ("Route", "/login", [])]
    tried = 0
    for kind, path, methods in [*routes, *beyond]:
        if kind == "WebSocketRoute":
            with pytest.raises(InvalidStatus):
                socket(guarded.address, path=path)
        for method in dict.fromkeys([*methods, "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]):
            for accept in ("text/html", "*/*"):
                status, body = asked(guarded.address, method, path or "/", accept)
                if path in OPEN and method in ("GET", "HEAD"):
                    assert (status, body) == (302, b""), path
                else:
                    assert status == 401, (method, path)
                tried += 1
    assert tried > 300


def asked(address: str, method: str, path: str, accept: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)
    connection.request(method, path, headers={"Accept": accept})
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_an_export_is_written_down_and_is_for_its_reader_alone(
    guarded: Site, visit: BrowserContext, browser: Browser
) -> None:
    page = visit.new_page()
    log_in(page, guarded, "anna", "/findings")
    settled(page)
    before = len(guarded.log())
    with page.expect_download() as download:
        page.get_by_text("All as CSV").click()
    rows = Path(download.value.path()).read_text().count("\n") - 1
    [line] = guarded.log()[before:]
    assert {name: line[name] for name in ("who", "role", "what", "export", "rows")} == {
        "who": "anna@example.com", "role": "officer", "what": "export", "export": "findings", "rows": rows,
    }  # fmt: skip
    file = download.value.url
    assert "/media/" in file
    assert page.request.get(file).status == 200
    with browser.new_context() as others:
        assert others.request.get(file).status == 401
        reader = others.new_page()
        log_in(reader, guarded, "mark")
        settled(reader)
        assert reader.request.get(file).status == 404


def test_a_view_of_a_contact_is_written_down_once(guarded: Site, visit: BrowserContext) -> None:
    page = visit.new_page()
    log_in(page, guarded, "anna")
    settled(page)
    before = len(guarded.log())
    for _ in range(2):
        page.goto(f"{guarded.address}/contact?contact=0123456789abcdef")
        settled(page)
    page.get_by_role("searchbox", name="Address or contact key").fill("fedcba9876543210")
    page.keyboard.press("Enter")
    settled(page)
    page.wait_for_timeout(1000)
    found = guarded.log()[before:]
    assert [line["contact_key"] for line in found] == ["0123456789abcdef"] * 2 + ["fedcba9876543210"]
    assert {line["what"] for line in found} == {"contact"}
    log = guarded.home / "private" / "access.jsonl"
    assert log.stat().st_mode & 0o777 == 0o600
    assert "•" not in log.read_text()


# ---- A proxy in front


@pytest.fixture(scope="module")
def behind_a_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home, port = tmp_path_factory.mktemp("proxy") / "home", free_port()
    write_home(home)
    (home / "private").mkdir(mode=0o700)
    (home / "private" / "proxy_secret").write_text(f"{PROXY_SECRET}\n")
    (home / "heed.toml").write_text(f"""
[dashboard]
login = "proxy"

[dashboard.proxy]
user_header = "X-Auth-Request-Email"
roles_header = "X-Auth-Request-Groups"
secret_file = "private/proxy_secret"
{ROLES_TOML}""")
    with dashboard(home, port) as address:
        yield Site(address, home, "")


def test_through_the_proxy_a_reader_has_a_role(behind_a_proxy: Site, visit: BrowserContext, screenshots: Path) -> None:
    port = urlsplit(behind_a_proxy.address).port
    assert port is not None
    headers = {
        "X-Auth-Request-Email": "mark@example.com",
        "X-Auth-Request-Groups": "staff,marketing",
        "X-Heed-Proxy-Secret": PROXY_SECRET,
    }
    with auth_proxy(port, headers) as address:
        page = visit.new_page()
        page.goto(f"{address}/trends")
        settled(page)
        expect(page.get_by_text(", marketer")).to_be_visible()
        page.screenshot(path=screenshots / "proxy-marketer.png")
        page.goto(f"{address}/findings")
        settled(page)
        expect(page.get_by_role("heading", name=access_texts.PAGE_REFUSED)).to_be_visible()
        visit.close()


def test_around_the_proxy_nobody_gets_in(behind_a_proxy: Site, visit: BrowserContext) -> None:
    port = urlsplit(behind_a_proxy.address).port
    assert port is not None
    page = visit.new_page()
    page.goto(behind_a_proxy.address)
    expect(page.get_by_role("heading", name="You did not come through the proxy")).to_be_visible()
    known = {"X-Auth-Request-Email": "anna@example.com", "X-Auth-Request-Groups": "compliance"}
    for headers in (known, known | {"X-Heed-Proxy-Secret": "a guess"}, known | {"X-Heed-Proxy-Secret": ""}):
        assert page.request.get(behind_a_proxy.address, headers=headers).status == 401
        with pytest.raises(InvalidStatus):
            socket(behind_a_proxy.address, headers)
    assert page.request.get(behind_a_proxy.address, headers=known | {"X-Heed-Proxy-Secret": PROXY_SECRET}).status == 200
