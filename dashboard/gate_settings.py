"""What `heed dashboard` tells the server about who may read: one JSON document, read once.

HEED_DASHBOARD holds the document, or `-`: then it comes on standard input, because it has secrets. Without it nobody
is asked to log in, and the reader is an officer on this machine.
"""

from __future__ import annotations

import ipaddress
import json
import os
import sys
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

VARIABLE = "HEED_DASHBOARD"
#: The strongest first: who has several is the first of them.
ROLES = ("officer", "marketer", "viewer")


@dataclass(frozen=True)
class OpenID:
    """The provider that says who a reader is, and the secrets shared with it and with the readers' cookies."""

    server_metadata_url: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    scopes: str
    end_with_token: bool
    cookie_secret: str = field(repr=False)

    @property
    def origin(self) -> str:
        """The scheme, host and port that readers see."""
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True)
class Proxy:
    """The server in front: the headers in which it says who reads, the secret that proves it, where it may be."""

    user_header: str
    roles_header: str | None
    secret_header: str
    secret: str = field(repr=False)
    trusted: tuple[str, ...]

    def trusts(self, peer: str) -> bool:
        """Whether the machine that connected may be the proxy."""
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)  # how an IPv4 peer looks to an IPv6 listener
        return any((mapped or address) in ipaddress.ip_network(network, strict=False) for network in self.trusted)


@dataclass(frozen=True)
class GateSettings:
    """How readers prove who they are, and which role each of them has."""

    login: str = "none"
    role: str = ROLES[0]  # everybody's, where nobody logs in
    session_seconds: float = 8 * 3600.0
    claim: str = "groups"
    roles: dict[str, str] = field(default_factory=dict)
    openid: OpenID | None = None
    proxy: Proxy | None = None

    def strongest(self, values: list[str]) -> str | None:
        """The strongest role that any of these groups or addresses has, or None."""
        held = {self.roles[value] for value in values if value in self.roles}
        return next((role for role in ROLES if role in held), None)


def is_local(host: str) -> bool:
    """Whether a host name or address is one of this machine's own."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def current() -> GateSettings:
    """What this process was told."""
    told = os.environ.get(VARIABLE, "").strip()
    return _read(told) if told else GateSettings()


def for_streamlit(settings: GateSettings) -> dict[str, Any]:
    """What Streamlit's login needs, as its secrets; nothing where the login is not OpenID."""
    told = settings.openid
    if settings.login != "openid" or told is None:
        return {}
    return {
        "auth": {
            "redirect_uri": told.redirect_uri,
            "cookie_secret": told.cookie_secret,
            "client_id": told.client_id,
            "client_secret": told.client_secret,
            "server_metadata_url": told.server_metadata_url,
            "client_kwargs": {"scope": told.scopes},
        }
    }


@cache
def _read(told: str) -> GateSettings:
    content: dict[str, Any] = json.loads(sys.stdin.read() if told == "-" else told)
    openid, proxy = content.pop("openid", None), content.pop("proxy", None)
    return GateSettings(
        **content,
        openid=OpenID(**openid) if openid else None,
        proxy=Proxy(**(proxy | {"trusted": tuple(proxy["trusted"])})) if proxy else None,
    )
