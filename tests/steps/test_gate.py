"""The gate on a real port: who gets past it, what the pages behind it learn, and when an open page ends."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from dashboard import gate
from dashboard.gate_sessions import kept_by_browser
from dashboard.gate_settings import GateSettings
from tests.support.gated_app import PROXY_SECRET, Gated, cookie, finished_login, gated, openid, proxy

OFFICER = {"groups": ["staff", "compliance"]}
PATHS = ["/", "/findings", "/media/a.csv", "/_stcore/health", "/_stcore/host-config", "/static/js/a.js", "/component/x",
         "/auth", "/auth/login/", "/auth/login/x", "/oauth2callback/..", "/login/", "//login", "/LOGIN"]  # fmt: skip
HTML = ("Accept", "text/html,*/*")


@pytest.fixture(scope="module")
def by_openid() -> Iterator[Gated]:
    with gated(openid()) as server:
        yield server


@pytest.fixture(scope="module")
def by_proxy() -> Iterator[Gated]:
    with gated(proxy()) as server:
        yield server


@pytest.fixture(scope="module")
def open_to_all() -> Iterator[Gated]:
    with gated(GateSettings()) as server:
        yield server


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_nobody_gets_past_without_a_login(by_openid: Gated, method: str) -> None:
    for path in PATHS:
        assert by_openid.ask(path, method).status == 401, path
    for path in gate.OPEN if method not in ("GET", "HEAD") else ():
        assert by_openid.ask(path, method).status == 401, path
    with pytest.raises(InvalidStatus) as refused:
        by_openid.open()
    assert refused.value.response.status_code == 403


def test_what_is_refused_is_a_page_for_people_and_a_line_for_programs(by_openid: Gated) -> None:
    page = by_openid.ask("/findings?channel=SMS&rule=a%20b", headers=[HTML])
    assert (page.status, page.headers["cache-control"]) == (401, "no-store")
    assert 'href="/login?next=%2Ffindings%3Fchannel%3DSMS%26rule%3Da%2520b"' in page.text
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    line = by_openid.ask("/media/a.csv")
    assert line.headers["content-type"].startswith("text/plain")
    assert line.text.startswith("Please log in")


def sent(text: str) -> list[tuple[str, str]]:
    return [("Cookie", text)]


@pytest.mark.parametrize(
    ("claims", "options"),
    [
        (OFFICER, {"secret": "another secret"}),
        (OFFICER, {"age": 8 * 3600 + 5}),
        (OFFICER | {"origin": "https://other.example.com"}, {}),
        (OFFICER | {"origin": None}, {}),
        (OFFICER | {"is_logged_in": False}, {}),
        (OFFICER | {"is_logged_in": None}, {}),
    ],
    ids=["another secret", "too old", "another origin", "no origin", "not logged in", "nothing about it"],
)
def test_a_session_that_is_none(by_openid: Gated, claims: dict[str, object], options: dict[str, object]) -> None:
    header = cookie(claims, **options)  # type: ignore[arg-type]
    assert by_openid.ask("/findings", headers=sent(header)).status == 401
    with pytest.raises(InvalidStatus):
        by_openid.open({"Cookie": header})
    assert by_openid.ask("/findings", headers=sent(cookie(OFFICER))).status == 200


@pytest.mark.parametrize("change", ["flip", "cut", "name", "empty", "garbage", "raw", "of the provider"])
def test_a_cookie_that_was_touched(by_openid: Gated, change: str) -> None:
    good = cookie(OFFICER)
    name, _, value = good.partition("=")
    touched = {
        "flip": f"{name}={value[:30]}{'A' if value[30] != 'A' else 'B'}{value[31:]}",
        "cut": good[:-3],
        "name": f"_streamlit_user_tokens={value}",
        "empty": f"{name}=",
        "garbage": f"{name}=....",
        "raw": finished_login(OFFICER)[0].split(";")[0],
        "of the provider": finished_login(OFFICER | {"heed_groups": None})[0].split(";")[0],
    }
    assert by_openid.ask("/", headers=sent(touched[change])).status == 401


def role_of(server: Gated, header: str) -> str | None:
    answer = server.ask("/", headers=sent(header))
    if answer.status != 200:
        return None
    session = server.sessions.named(answer.seen["session"])
    return session.reader.role if session else None


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"groups": ["compliance"]}, "officer"),
        ({"groups": "marketing"}, "marketer"),
        ({"groups": ["marketing", "compliance"]}, "officer"),
        ({"groups": ["staff"]}, None),
        ({"groups": {"compliance": True}}, None),
        ({"groups": [["compliance"]]}, None),
        ({}, None),
        ({"email": "vera@example.com", "email_verified": True}, "viewer"),
        ({"email": "vera@example.com", "email_verified": False}, None),
        ({"email": "vera@example.com"}, None),
        ({"email": "vera@example.com", "email_verified": True, "groups": ["compliance"]}, "officer"),
    ],
)
def test_the_role_comes_from_the_claims(by_openid: Gated, claims: dict[str, object], role: str | None) -> None:
    assert role_of(by_openid, cookie(claims)) == role
    if role is None:
        page = by_openid.ask("/", headers=[*sent(cookie(claims)), ("Accept", "text/html")])
        assert page.status == 403
        assert "You have no role here" in page.text
        with pytest.raises(InvalidStatus):
            by_openid.open({"Cookie": cookie(claims)})


def test_a_claim_lies_below_others_or_has_dots_in_its_name() -> None:
    below, dotted = openid(claim="realm_access.roles"), openid(claim="https://example.com/groups")
    with gated(below) as server:
        assert role_of(server, cookie({"realm_access": {"roles": ["compliance"]}}, below)) == "officer"
        assert role_of(server, cookie({"realm_access": "compliance"}, below)) is None
    with gated(dotted) as server:
        assert role_of(server, cookie({"https://example.com/groups": ["marketing"]}, dotted)) == "marketer"


@pytest.mark.parametrize("pieces", [1, 3])
def test_the_browser_keeps_who_it_is_and_nothing_else(by_openid: Gated, pieces: int) -> None:
    told = openid()
    assert told.openid is not None
    groups = [hashlib.sha256(bytes([number])).hexdigest() for number in range(200)]
    claims = {
        "groups": ["compliance", *groups],
        "email": "anna@example.com",
        "name": "Anna",
        "heed_groups": ["marketing"],
    }
    login = finished_login(claims, pieces=pieces)
    tokens, gone = "_streamlit_user_tokens=abc; Path=/", '_streamlit_user_7=""; Max-Age=0; Path=/'
    kept = kept_by_browser(told, told.openid, [gone, *login, tokens])
    assert [line.partition("=")[0] for line in kept] == [
        "_streamlit_user_7",
        "_streamlit_user",
        "_streamlit_user_tokens",
    ]
    assert sum(map(len, kept)) < 500
    assert kept[1].endswith("; HttpOnly; Max-Age=2592000; Path=/")
    assert role_of(by_openid, kept[1].partition(";")[0]) == "officer"
    assert kept_by_browser(told, told.openid, [*login, tokens, "_streamlit_user_tokens_1=d; Path=/"])[1:] == []
    forged = finished_login(claims, secret="another secret", pieces=pieces)  # noqa: S106
    assert kept_by_browser(told, told.openid, [gone, *forged]) == [gone]
    assert kept_by_browser(told, told.openid, login[1:]) == []


def test_the_token_ends_the_session_where_that_is_wanted() -> None:
    claims = OFFICER | {"exp": int(time.time()) - 1}
    with gated(openid(end_with_token=True)) as server:
        assert server.ask("/", headers=sent(cookie(claims))).status == 401
        assert server.ask("/", headers=sent(cookie(claims | {"exp": time.time() + 60}))).status == 200
    with gated(openid()) as server:
        assert server.ask("/", headers=sent(cookie(claims))).status == 200


def test_pages_learn_the_session_from_the_gate_alone(by_openid: Gated) -> None:
    forged = [("X-Heed-Session", "forged"), ("x-heed-session", "twice")]
    seen = by_openid.ask("/", headers=[*sent(cookie(OFFICER)), *forged]).seen
    names = [value for name, value in seen["headers"] if name == "x-heed-session"]
    assert len(names) == 1
    assert names[0] not in ("forged", "twice")
    for path in ("/auth/login", "/oauth2callback"):
        assert by_openid.ask(path, headers=forged).seen["session"] == ""


def test_an_open_page_ends_with_its_session() -> None:
    with gated(openid(session_seconds=2)) as server:
        header = cookie(OFFICER)
        with server.open({"Cookie": header}) as page:
            page.send(b"hello")
            assert page.recv() == b"shown: hello"
            began = time.monotonic()
            farewell = page.recv(timeout=10)
            assert farewell  # what makes the browser load the page anew
            with pytest.raises(ConnectionClosed) as closed:
                page.recv(timeout=10)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == gate.SESSION_ENDED
            assert time.monotonic() - began < 3
        assert server.ask("/", headers=sent(header)).status == 401
        assert "Your session has ended" in server.ask("/", headers=[*sent(header), HTML]).text


def test_logging_out_ends_every_page_and_the_cookie_is_worth_nothing(by_openid: Gated) -> None:
    header = cookie(OFFICER | {"sub": "leaving"})
    with by_openid.open({"Cookie": header}) as first, by_openid.open({"Cookie": header}) as second:
        elsewhere = by_openid.ask("/auth/logout", headers=[*sent(header), ("Sec-Fetch-Site", "cross-site")])
        assert elsewhere.status == 403
        assert by_openid.ask("/", headers=sent(header)).status == 200
        assert by_openid.ask("/auth/logout", headers=sent(header)).status == 200
        for page in (first, second):
            page.recv(timeout=10)
            with pytest.raises(ConnectionClosed):
                page.recv(timeout=10)
    assert by_openid.ask("/", headers=sent(header)).status == 401
    with pytest.raises(InvalidStatus):
        by_openid.open({"Cookie": header})


@pytest.mark.parametrize("origin", ["https://evil.example.com", "http://heed.example.com", "null", None])
def test_another_site_opens_no_page(by_openid: Gated, origin: str | None) -> None:
    with pytest.raises(InvalidStatus):
        by_openid.open({"Cookie": cookie(OFFICER)}, origin=origin)
    if origin:
        asked = by_openid.ask("/x", "PUT", [*sent(cookie(OFFICER)), ("Origin", origin), ("Content-Length", "0")])
        assert asked.status == 403


def test_a_file_is_for_whom_it_was_shown_to(by_openid: Gated) -> None:
    anna, mark = cookie(OFFICER | {"sub": "anna"}), cookie({"groups": ["marketing"], "sub": "mark"})
    file = "/media/0123456789abcdef.csv"
    assert by_openid.ask(file, headers=sent(anna)).status == 404
    with by_openid.open({"Cookie": anna}) as page:
        page.send(f"\x12{file}\x1a".encode())
        page.recv()
    assert by_openid.ask(file, headers=sent(anna)).status == 200
    assert by_openid.ask(file, headers=sent(mark)).status == 404
    assert by_openid.ask(file).status == 401


@pytest.mark.parametrize(
    ("groups", "path", "status"),
    [
        ("compliance", "/_stcore/metrics", 200),
        ("marketing", "/_stcore/metrics", 403),
        ("compliance", "/_stcore/agent/openapi.json", 403),
        ("marketing", "/_stcore/upload_file/a/b", 404),
        (None, "/_stcore/upload_file/a/b", 403),
        (None, "/_stcore/health", 200),
    ],
)
def test_some_addresses_are_for_some_roles(by_openid: Gated, groups: str | None, path: str, status: int) -> None:
    claims = {"groups": [groups]} if groups else {"email": "vera@example.com", "email_verified": True}
    assert by_openid.ask(path, headers=sent(cookie(claims))).status == status


def test_every_answer_keeps_others_out(by_openid: Gated) -> None:
    for answer in (by_openid.ask("/"), by_openid.ask("/", headers=sent(cookie(OFFICER)))):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "http" not in answer.headers["content-security-policy"]
    scripts = [part for part in gate.page_policy().split("; ") if part.startswith("script-src")]
    assert "unsafe-inline" not in scripts[0]
    assert "'unsafe-eval'" not in scripts[0]
    [kept] = by_openid.ask("/", headers=sent(cookie(OFFICER))).cookies
    assert "Max-Age=28800" in kept
    assert kept.endswith("; Secure")


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("%2Ffindings%3Fchannel%3DSMS", "/findings?channel=SMS"),
        ("%2F%2Fevil.example.com", None),
        ("%2F%5Cevil.example.com", None),
        ("https%3A%2F%2Fevil.example.com", None),
        ("%2Fa%0d%0aX-Bad%3A%201", None),
        ("%2Fauth%2Flogout", None),
        ("", None),
    ],
)
def test_a_login_leads_back_to_the_page_and_nowhere_else(by_openid: Gated, asked: str, leads_to: str | None) -> None:
    began = by_openid.ask(f"/login?next={asked}")
    assert began.status == 302
    assert began.headers["location"].startswith("/auth/login?provider=")
    [kept] = began.cookies
    pair = kept.split(";")[0]
    back = by_openid.ask("/", headers=sent(f"{cookie(OFFICER)}; {pair}"))
    assert (back.status, back.headers.get("location")) == ((302, leads_to) if leads_to else (200, None))
    typed = by_openid.ask("/", headers=sent(f"{cookie(OFFICER)}; {gate.RETURN_COOKIE}={asked}"))
    assert typed.headers.get("location") == leads_to


# ---- A proxy in front

KNOWN = [("X-User", "anna@example.com"), ("X-Groups", "staff, compliance"), ("X-Proof", PROXY_SECRET)]


def test_the_proxy_says_who_reads(by_proxy: Gated) -> None:
    answer = by_proxy.ask("/", headers=KNOWN)
    session = by_proxy.sessions.named(answer.seen["session"])
    assert session is not None
    assert (session.reader.who, session.reader.role) == ("anna@example.com", "officer")
    behind = {name for name, _ in answer.seen["headers"]}
    assert behind.isdisjoint({"x-user", "x-groups", "x-proof"})
    by_name = by_proxy.ask("/", headers=[("X-User", "vera@example.com"), ("X-Proof", PROXY_SECRET)])
    assert by_name.status == 200
    headers = dict(KNOWN)
    with by_proxy.open(headers, origin=f"http://127.0.0.1:{by_proxy.port}") as page:
        page.send(b"x")
        assert page.recv() == b"shown: x"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], 401),
        (KNOWN[:2], 401),
        ([*KNOWN[:2], ("X-Proof", "a guess")], 401),
        ([*KNOWN[:2], ("X-Proof", "")], 401),
        ([*KNOWN, ("X-Proof", "a guess")], 401),
        ([*KNOWN, ("X-User", "boss@example.com")], 401),
        ([*KNOWN, ("X-Groups", "compliance")], 401),
        ([("X-User", " "), *KNOWN[1:]], 401),
        ([("X-User", "mark"), ("X-Groups", "staff"), KNOWN[2]], 403),
        ([*KNOWN, ("X-Forwarded-For", "203.0.113.7")], 200),
    ],
    ids=["nothing", "no secret", "a guess", "an empty secret", "two secrets", "two users", "two lists of groups",
         "an empty user", "no role", "a forwarded address"],
)  # fmt: skip
def test_the_proxy_proves_itself(by_proxy: Gated, headers: list[tuple[str, str]], status: int) -> None:
    assert by_proxy.ask("/", headers=headers).status == status


def test_the_secret_alone_does_not_make_a_proxy() -> None:
    with gated(proxy(trusted=("192.0.2.0/24",))) as server:
        assert server.ask("/", headers=KNOWN).status == 401
        assert server.ask("/", headers=[*KNOWN, ("X-Forwarded-For", "192.0.2.1")]).status == 401
    with gated(proxy(trusted=("127.0.0.0/8",))) as server:
        assert server.ask("/", headers=KNOWN).status == 200


def test_a_page_behind_a_proxy_ends_too() -> None:
    with gated(proxy(session_seconds=1)) as server:
        with server.open(dict(KNOWN), origin=f"http://127.0.0.1:{server.port}") as page:
            page.recv(timeout=10)
            with pytest.raises(ConnectionClosed):
                page.recv(timeout=10)
        assert server.ask("/", headers=KNOWN).status == 200


# ---- Nobody logs in


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:8501", 200), ("localhost:9000", 200), ("[::1]:8501", 200), ("heed.example.com", 421), ("", 421)],
)
def test_without_a_login_only_this_machine_is_answered(open_to_all: Gated, host: str, status: int) -> None:
    answer = open_to_all.ask("/", headers=[("Host", host)])
    assert answer.status == status


def test_without_a_login_other_sites_stay_out(open_to_all: Gated) -> None:
    session = open_to_all.sessions.named(open_to_all.ask("/").seen["session"])
    assert session is not None
    assert (session.reader.who, session.reader.role, session.ends_at) == ("local", "officer", None)
    with pytest.raises(InvalidStatus):
        open_to_all.open(origin="https://evil.example.com")
    with open_to_all.open(origin=f"http://127.0.0.1:{open_to_all.port}") as page:
        page.send(b"x")
        page.recv()


def test_who_has_no_role_is_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEED_HOME", str(tmp_path))
    with gated(openid()) as server:
        header = cookie({"groups": ["staff"], "preferred_username": "nemo"})
        server.ask("/contact?contact=0123456789abcdef", headers=[*sent(header), HTML])
        server.ask("/anna@example.com", headers=[*sent(header), HTML])
        server.ask("/media/a.csv", headers=sent(header))
    lines = (tmp_path / "private" / "access.jsonl").read_text().splitlines()
    assert len(lines) == 2
    assert '"who": "nemo", "subject": "u1", "what": "refused", "page": "contact"' in lines[0]
    assert '"page": "other"' in lines[1]
    assert "0123456789abcdef" not in lines[0]
    assert "anna" not in lines[1]
