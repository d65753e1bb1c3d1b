"""[dashboard] of heed.toml: who may read the pages, and how they prove who they are."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipelines.settings_table import Table

LOGINS = ("none", "openid", "proxy")
#: The strongest first: who has several is the first of them.
ROLES = ("officer", "marketer", "viewer")
LOCAL = "127.0.0.1"
CALLBACK = "/oauth2callback"
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^`|~-]+")
_LONGEST_SESSION_HOURS = 24 * 30


@dataclass(frozen=True)
class OpenID:
    """[dashboard.openid]: the provider that says who a reader is."""

    server_metadata_url: str
    client_id: str
    redirect_uri: str
    client_secret_file: str | None = None
    scopes: str = "openid email profile"
    end_with_token: bool = False


@dataclass(frozen=True)
class Proxy:
    """[dashboard.proxy]: the server in front that has asked the reader to log in, and how it proves itself."""

    user_header: str
    roles_header: str | None = None
    secret_header: str = "X-Heed-Proxy-Secret"  # noqa: S105 - the name of a header
    secret_file: str | None = None
    trusted: tuple[str, ...] = ("127.0.0.1", "::1")


@dataclass(frozen=True)
class Dashboard:
    """[dashboard]: the defaults serve one person on this machine and ask nobody to log in."""

    login: str = "none"
    address: str = LOCAL
    session_hours: float = 8.0
    openid: OpenID | None = None
    proxy: Proxy | None = None
    claim: str = "groups"
    roles: dict[str, str] = field(default_factory=dict)  # a value of the claim, or an e-mail address: its role


def is_local(address: str) -> bool:
    """Whether only this machine can reach an address that is listened on."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def read_dashboard(path: Path, content: dict[str, Any]) -> Dashboard:
    """[dashboard] and the tables below it; raises ConfigurationError naming the setting and what to write."""
    table = Table(path, "[dashboard]", content)
    openid = table.take("openid", dict)
    proxy = table.take("proxy", dict)
    roles = Table(path, "[dashboard.roles]", table.take("roles", dict, {}))
    defaults = Dashboard()
    dashboard = Dashboard(
        login=table.one_of("login", LOGINS, defaults.login),
        address=table.text("address", defaults.address) or LOCAL,
        session_hours=_hours(table, defaults.session_hours),
        openid=_openid(Table(path, "[dashboard.openid]", openid)) if openid is not None else None,
        proxy=_proxy(Table(path, "[dashboard.proxy]", proxy)) if proxy is not None else None,
        claim=roles.text("claim", defaults.claim) or defaults.claim,
        roles=_roles(roles),
    )
    roles.finish()
    table.finish()
    for login in LOGINS[1:]:
        if dashboard.login == login and getattr(dashboard, login) is None:
            raise table.wrong("login", f"is {login!r} without [dashboard.{login}]", "Add that table: docs/access.md.")
    if dashboard.login != "none" and not dashboard.roles:
        raise roles.wrong("officer", "is missing", 'Nobody could get in. Write officer = ["a group or an e-mail"].')
    if dashboard.login == "none" and not is_local(dashboard.address):
        raise table.wrong(
            "address",
            f"is {dashboard.address!r}, which others can reach, and nobody is asked to log in",
            'Write login = "openid" or "proxy", or remove the line: docs/access.md.',
        )
    return dashboard


def _hours(table: Table, default: float) -> float:
    table.asked.add("session_hours")
    value = table.content.get("session_hours", default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _LONGEST_SESSION_HOURS:
        raise table.wrong(
            "session_hours", f"is {value!r}", f"Write hours above 0, at most {_LONGEST_SESSION_HOURS}: a month."
        )
    return float(value)


def _openid(table: Table) -> OpenID:
    defaults = OpenID("", "", "")
    told = OpenID(
        server_metadata_url=table.required(
            "server_metadata_url", "Write the address that ends in /.well-known/openid-configuration."
        ),
        client_id=table.required("client_id", "Write the id that the provider gave this dashboard."),
        redirect_uri=table.required(
            "redirect_uri", f'Write redirect_uri = "https://the address of this dashboard{CALLBACK}".'
        ),
        client_secret_file=table.text("client_secret_file"),
        scopes=table.text("scopes", defaults.scopes) or defaults.scopes,
        end_with_token=table.take("end_with_token", bool, defaults.end_with_token),
    )
    table.finish()
    for key, address in (("server_metadata_url", told.server_metadata_url), ("redirect_uri", told.redirect_uri)):
        _check_address(table, key, address)
    if urlsplit(told.redirect_uri).path != CALLBACK:
        raise table.wrong("redirect_uri", f"is {told.redirect_uri!r}", f"It must end with the path {CALLBACK}.")
    if "openid" not in told.scopes.split():
        raise table.wrong("scopes", f"is {told.scopes!r}", 'It must name openid: "openid email profile".')
    return told


def _check_address(table: Table, key: str, address: str) -> None:
    parts = urlsplit(address)
    on_this_machine = parts.scheme == "http" and is_local(parts.hostname or "")
    if not parts.hostname or not (parts.scheme == "https" or on_this_machine):
        raise table.wrong(key, f"is {address!r}", "Write an https address; http is for this machine alone.")


def _proxy(table: Table) -> Proxy:
    defaults = Proxy("")
    told = Proxy(
        user_header=table.required("user_header", "Write the header in which the proxy says who the reader is."),
        roles_header=table.text("roles_header"),
        secret_header=table.text("secret_header", defaults.secret_header) or defaults.secret_header,
        secret_file=table.text("secret_file"),
        trusted=table.texts("trusted") or defaults.trusted,
    )
    table.finish()
    for key in ("user_header", "roles_header", "secret_header"):
        name = getattr(told, key)
        if name is not None and not _HEADER.fullmatch(name):
            raise table.wrong(key, f"is {name!r}", "Write the name of an HTTP header.")
    for network in told.trusted:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError as error:
            raise table.wrong("trusted", f"holds {network!r}", 'Write addresses or networks: "10.0.0.0/8".') from error
    return told


def _roles(table: Table) -> dict[str, str]:
    roles: dict[str, str] = {}
    for role in ROLES:
        for value in table.texts(role):
            if roles.setdefault(value, role) != role:
                raise table.wrong(role, f"holds {value!r}, as {roles[value]} does", "Keep it in one of them.")
    return roles
