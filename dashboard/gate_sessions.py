"""Who is behind a request: a session from the login's cookie, from a proxy's headers, or that of this machine.

One process serves the pages, so the sessions live in it. The gate gives each request the name of its session in a
header that no reader can set; pages look their reader up by it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dashboard.gate_settings import GateSettings, OpenID, Proxy

#: The header in which a page finds the name of its session.
HEADER = "x-heed-session"
COOKIE = "_streamlit_user"
TOKENS = "_streamlit_user_tokens"
#: What of the login's claims goes to the browser, beside the groups that matter here.
CLAIMS = ("origin", "is_logged_in", "provider", "sub", "email", "email_verified", "preferred_username", "exp")
GROUPS = "heed_groups"
LOCAL = "local"
# What one reader's pages may have shown at a time; the oldest are forgotten first.
SHOWN_KEPT = 20_000
ROUNDS = 64


@dataclass(frozen=True)
class Reader:
    """Who reads: a name for people, the login's own id, and the role."""

    who: str
    subject: str
    role: str


@dataclass
class Session:
    """A reader's stay: until when, and which files and upload addresses the pages have shown."""

    reader: Reader
    ends_at: float | None = None
    name: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    shown: OrderedDict[bytes, None] = field(default_factory=OrderedDict)

    @property
    def is_over(self) -> bool:
        """Whether the reader logged out, or the time is up."""
        return self.ended.is_set() or (self.ends_at is not None and time.time() >= self.ends_at)

    def remember(self, address: bytes) -> None:
        """A page has shown this address of a file to this reader."""
        self.shown[address] = None
        self.shown.move_to_end(address)
        while len(self.shown) > SHOWN_KEPT:
            self.shown.popitem(last=False)


@dataclass(frozen=True)
class Refusal:
    """Why somebody is not let in: a key of access_texts.REFUSALS, and who it is as far as it is known."""

    reason: str
    who: str = ""
    subject: str = ""


class Sessions:
    """The sessions of this process. The gate's event loop makes them; the pages' threads only look them up."""

    def __init__(self) -> None:
        self._by_proof: dict[str, Session] = {}
        self._by_name: dict[str, Session] = {}
        self._lock = threading.Lock()

    def named(self, name: str) -> Session | None:
        """The session of this name, if it still lasts."""
        session = self._by_name.get(name)
        return None if session is None or session.is_over else session

    def identify(self, settings: GateSettings, headers: Mapping[str, list[str]], peer: str) -> Session | Refusal:
        """The session behind a request's headers; a Refusal where there is none."""
        if settings.login == "openid" and settings.openid:
            return self._by_cookie(settings, settings.openid, headers)
        if settings.login == "proxy" and settings.proxy:
            return self._by_headers(settings, settings.proxy, headers, peer)
        if settings.login == "none":
            return self._session(LOCAL, Reader(LOCAL, LOCAL, settings.role), None)
        return Refusal("anonymous")

    def end(self, session: Session) -> None:
        """The reader logged out: from now on the same cookie is worth nothing, and open pages close."""
        session.ended.set()

    def _by_cookie(self, settings: GateSettings, openid: OpenID, headers: Mapping[str, list[str]]) -> Session | Refusal:
        found = _opened(openid.cookie_secret, _cookies("; ".join(headers.get("cookie", []))))
        if found is None:
            return Refusal("anonymous")
        claims, signed_at, proof = found
        groups = claims.get(GROUPS)
        if claims.get("origin") != openid.origin or claims.get("is_logged_in") is not True or groups is None:
            return Refusal("anonymous")
        ends_at = signed_at + settings.session_seconds
        if openid.end_with_token and isinstance(claims.get("exp"), int | float):
            ends_at = min(ends_at, float(claims["exp"]))
        if time.time() >= ends_at:
            return Refusal("ended")
        subject = str(claims.get("sub", ""))
        who = str(claims.get("email") or claims.get("preferred_username") or subject)
        role = settings.strongest(groups)
        if role is None:
            return Refusal("no_role", who, subject)
        session = self._session(proof, Reader(who, subject, role), ends_at)
        return Refusal("ended") if session.is_over else session

    def _by_headers(
        self, settings: GateSettings, proxy: Proxy, headers: Mapping[str, list[str]], peer: str
    ) -> Session | Refusal:
        secret = headers.get(proxy.secret_header.lower(), [])
        user = headers.get(proxy.user_header.lower(), [])
        # A header that is there twice was sent by somebody else too: nobody can tell which of them is true.
        if (
            not proxy.trusts(peer)
            or len(secret) != 1
            or not hmac.compare_digest(secret[0].encode("latin-1"), proxy.secret.encode())
            or len(user) != 1
            or not user[0].strip()
        ):
            return Refusal("proxy")
        who = user[0].strip()
        told = headers.get(proxy.roles_header.lower(), []) if proxy.roles_header else []
        if len(told) > 1:
            return Refusal("proxy")
        role = settings.strongest([who, *(value.strip() for line in told for value in line.split(","))])
        if role is None:
            return Refusal("no_role", who, who)
        return self._session(_digest(f"{role} {who}"), Reader(who, who, role), None)

    def _session(self, proof: str, reader: Reader, ends_at: float | None) -> Session:
        with self._lock:
            session = self._by_proof.get(proof)
            if session is None:
                now = time.time()
                for old, past in list(self._by_proof.items()):
                    if past.ends_at is not None and past.ends_at <= now:
                        del self._by_proof[old], self._by_name[past.name]
                session = self._by_proof[proof] = Session(reader, ends_at)
                self._by_name[session.name] = session
            return session


#: This process's own.
SESSIONS = Sessions()


def kept_by_browser(settings: GateSettings, openid: OpenID, cookies: list[str]) -> list[str]:
    """The cookies of a finished login, as the browser gets them; `cookies` are the Set-Cookie lines of the login.

    They hold who it is and which of the groups have a role here. A provider may send hundreds of groups, and a
    WebSocket with more than 8 KB of cookies is refused before anybody reads them. Nothing is kept of a login that is
    not signed as it should be.
    """
    from itsdangerous import URLSafeTimedSerializer

    lines = {line.partition("=")[0]: line for line in cookies if not re.match('[^=]+=("")?;', line)}
    values = {name: line.partition("=")[2].partition(";")[0] for name, line in lines.items()}
    kept = [line for line in cookies if line not in lines.values() or not line.startswith(COOKIE)]
    found = _opened(openid.cookie_secret, values)
    if found is None:
        return kept
    claims = found[0]
    slim = {name: claims[name] for name in CLAIMS if name in claims} | {GROUPS: _groups(settings, claims)}
    if not _is_own_email(claims):
        slim.pop("email", None)
    signed = URLSafeTimedSerializer(openid.cookie_secret, salt=COOKIE).dumps(json.dumps(slim))
    kept.append(f"{COOKIE}={signed};{lines[COOKIE].partition(';')[2]}")
    if TOKENS in lines and f"{TOKENS}_1" not in lines:
        kept.append(lines[TOKENS])  # so that the provider knows at the logout whose login ends
    return kept


def _opened(secret: str, cookies: dict[str, str]) -> tuple[dict[str, Any], float, str] | None:
    """The claims in the login's cookie, when it was signed, and what tells it from every other; None if it is forged.

    Streamlit writes it: JSON signed with the name of the cookie as salt, in several cookies where it is long.
    """
    from itsdangerous import BadData, URLSafeTimedSerializer

    def opened(name: str) -> tuple[str, float]:
        value, signed_at = URLSafeTimedSerializer(secret, salt=name).loads(cookies[name], return_timestamp=True)
        if not isinstance(value, str):
            raise BadData("not a text")
        return value, signed_at.timestamp()

    try:
        text, signed_at = opened(COOKIE)
        names = [COOKIE]
        if text.startswith("chunks-"):
            names += [f"{COOKIE}_{number}" for number in range(1, min(int(text[7:]), ROUNDS) + 1)]
            text = "".join(opened(name)[0] for name in names[1:])
        claims = json.loads(text)
    except (BadData, KeyError, ValueError):
        return None
    if not isinstance(claims, dict):
        return None
    return claims, signed_at, _digest(" ".join(cookies[name] for name in names))


def _cookies(header: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return {name: value for name, _, value in pairs if name.startswith(COOKIE)}


def _groups(settings: GateSettings, claims: dict[str, Any]) -> list[str]:
    """The reader's groups and e-mail address, as far as they have a role here."""
    found: Any = claims
    for step in settings.claim.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    # A claim may have dots in its own name: https://example.com/groups.
    found = claims.get(settings.claim, found)
    values = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    own = [str(claims["email"])] if _is_own_email(claims) else []
    return [value for value in [*values, *own] if isinstance(value, str) and value in settings.roles]


def _is_own_email(claims: dict[str, Any]) -> bool:
    """Whether the provider says that the e-mail address is the reader's: some let anybody enter any."""
    return isinstance(claims.get("email"), str) and claims.get("email_verified") in (True, "true")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
