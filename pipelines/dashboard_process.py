"""Starts the dashboard's server and tells it who may read, without a secret on a command line or in an environment.

What the server is told goes to it as one JSON document on its standard input; dashboard/gate_settings.py reads it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from pipelines import settings
from pipelines.errors import ConfigurationError, UsageError
from pipelines.settings_dashboard import Dashboard, is_local

APP = Path(__file__).resolve().parent.parent / "dashboard" / "app.py"
SHORTEST_SECRET = 16
_UNEXPECTED = 1


def serve(home: Path, port: int, address: str | None = None, role: str | None = None) -> int:
    """Serve the pages until Ctrl-C or the server ends; returns the exit code.

    `address` goes before the one in heed.toml; `role` shows what that role sees, where nobody logs in. Raises
    ConfigurationError when the pages would be open to others or the login cannot work.
    """
    # A folder with nothing but published snapshots has no settings; its pages ask nobody to log in.
    told = settings.read(home).dashboard if (home / "heed.toml").is_file() else Dashboard()
    listen = address or told.address
    if told.login == "none" and not is_local(listen):
        raise ConfigurationError(
            f"{listen} can be reached by others, and the dashboard asks nobody to log in.",
            "Set [dashboard] login in heed.toml (docs/access.md), or leave --address out.",
        )
    if role and told.login != "none":
        raise UsageError("--role is for a dashboard without a login.", "Log in as somebody who has that role.")
    document = _document(home, told, role)
    command = [sys.executable, "-m", "streamlit", "run", str(APP)]
    command += ["--server.port", str(port), "--server.address", listen, "--server.headless", "true"]
    print(f"Dashboard: http://{listen}:{port}  (Ctrl-C ends it)", file=sys.stderr, flush=True)
    print(_who(told, role), file=sys.stderr, flush=True)
    # The server must see who really connected: the gate itself judges what a proxy says about it.
    environment = os.environ | {
        "HEED_HOME": str(home.resolve()),
        "HEED_DASHBOARD": "-",
        "FORWARDED_ALLOW_IPS": "",
    }
    for name in ("HEED_OPENID_SECRET", "HEED_PROXY_SECRET"):
        environment.pop(name, None)
    # A service manager ends this process, not the server it waits for: leave, and the server goes with it.
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        done = subprocess.run(
            command, cwd=APP.parent, env=environment, input=json.dumps(document).encode(), check=False
        )
    except KeyboardInterrupt:
        return 0
    finally:
        signal.signal(signal.SIGTERM, before)
    return done.returncode and _UNEXPECTED


def _who(told: Dashboard, role: str | None) -> str:
    if told.login == "none":
        return (
            "Nobody is asked to log in, so it listens on this machine alone: whoever can use this machine sees "
            f"everything a {role or 'compliance officer'} sees."
        )
    asked = "OpenID provider" if told.login == "openid" else "proxy"
    return f"Readers are known by the {asked}; {len(told.roles)} groups or addresses have a role."


def _document(home: Path, told: Dashboard, role: str | None) -> dict[str, Any]:
    document: dict[str, Any] = {
        "login": told.login,
        "role": role or "officer",
        "session_seconds": told.session_hours * 3600,
        "claim": told.claim,
        "roles": told.roles,
    }
    if told.login == "openid" and told.openid:
        if not importlib.util.find_spec("authlib") or not any(map(importlib.util.find_spec, ("httpx2", "httpx"))):
            raise ConfigurationError(
                "Login by OpenID needs Authlib and httpx2, which are not installed.", "Run: pip install 'heed[auth]'"
            )
        document["openid"] = {
            "server_metadata_url": told.openid.server_metadata_url,
            "client_id": told.openid.client_id,
            "client_secret": _secret(home, "HEED_OPENID_SECRET", told.openid.client_secret_file, "client_secret_file"),
            "redirect_uri": told.openid.redirect_uri,
            "scopes": told.openid.scopes,
            "end_with_token": told.openid.end_with_token,
            "cookie_secret": _cookie_secret(home / "private"),
        }
    if told.login == "proxy" and told.proxy:
        secret = _secret(home, "HEED_PROXY_SECRET", told.proxy.secret_file, "secret_file")
        if len(secret) < SHORTEST_SECRET:
            raise ConfigurationError(
                f"The proxy's secret is shorter than {SHORTEST_SECRET} characters.", "Set a longer one in both places."
            )
        document["proxy"] = {
            "user_header": told.proxy.user_header,
            "roles_header": told.proxy.roles_header,
            "secret_header": told.proxy.secret_header,
            "secret": secret,
            "trusted": told.proxy.trusted,
        }
    return document


def _secret(home: Path, variable: str, file: str | None, setting: str) -> str:
    """A secret from the environment, or from a file below the home or with an absolute path."""
    if value := os.environ.get(variable, "").strip():
        return value
    if file is None:
        raise ConfigurationError(
            f"The dashboard's login needs a secret: {variable} is not set, and heed.toml has no {setting}.",
            f"Set one of them; a good place for the file is {home / 'private'}.",
        )
    path = home / file
    try:
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read.", f"Put the secret there, or set {variable}.") from error
    if not value:
        raise ConfigurationError(f"{path} is empty.", f"Put the secret there, or set {variable}.")
    return value


def _cookie_secret(private: Path) -> str:
    """What sessions are signed with: private/dashboard_key, made on first use and readable by its owner only."""
    path = private / "dashboard_key"
    try:
        if value := path.read_text(encoding="ascii").strip():
            return value
    except FileNotFoundError:
        pass
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read.", "Check its permissions, or delete it.") from error
    private.mkdir(mode=0o700, parents=True, exist_ok=True)
    value = secrets.token_hex(32)
    partial = private / f".dashboard_key-{os.getpid()}"
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(value)
    partial.replace(path)
    return value
