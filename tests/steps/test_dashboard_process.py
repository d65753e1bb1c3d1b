"""[dashboard] of heed.toml, and what `heed dashboard` starts: mistakes are named, secrets stay off the command line."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipelines import dashboard_process, settings
from pipelines.errors import ConfigurationError, UsageError

OPENID = """[dashboard]
login = "openid"
[dashboard.openid]
server_metadata_url = "https://id.example.com/.well-known/openid-configuration"
client_id = "heed"
redirect_uri = "https://heed.example.com/oauth2callback"
[dashboard.roles]
claim = "realm_access.roles"
officer = ["compliance"]
viewer = ["vera@example.com"]
"""
PROXY = """[dashboard]
login = "proxy"
address = "0.0.0.0"
session_hours = 2
[dashboard.proxy]
user_header = "X-Auth-Request-Email"
secret_file = "private/proxy_secret"
trusted = ["10.0.0.0/8"]
[dashboard.roles]
marketer = ["marketing"]
"""
Started = dict[str, Any]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """What the server was started with; nothing is started."""
    seen: Started = {}

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        seen.update(options | {"command": command, "told": json.loads(options["input"])})
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    for name in ("HEED_OPENID_SECRET", "HEED_PROXY_SECRET"):
        monkeypatch.delenv(name, raising=False)
    return seen


def home(folder: Path, text: str) -> Path:
    (folder / "heed.toml").write_text(text)
    return folder


def test_without_a_login_it_listens_here_and_says_so(
    tmp_path: Path, started: Started, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dashboard_process.serve(home(tmp_path, ""), 8501) == 0
    assert started["command"][-6:] == [
        "--server.port", "8501", "--server.address", "127.0.0.1", "--server.headless", "true",
    ]  # fmt: skip
    assert (started["told"]["login"], started["told"]["role"]) == ("none", "officer")
    assert "Nobody is asked to log in" in capsys.readouterr().err
    dashboard_process.serve(tmp_path, 8501, role="viewer")
    assert started["told"]["role"] == "viewer"


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.7", "::", "heed.example.com"])  # noqa: S104
def test_without_a_login_nobody_else_is_served(tmp_path: Path, started: Started, address: str) -> None:
    with pytest.raises(ConfigurationError, match="nobody to log in"):
        dashboard_process.serve(home(tmp_path, ""), 8501, address)
    with pytest.raises(ConfigurationError, match="nobody is asked to log in"):
        settings.read(home(tmp_path, f'[dashboard]\naddress = "{address}"'))
    assert started == {}


def test_secrets_go_by_a_pipe_and_nowhere_else(
    tmp_path: Path, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEED_OPENID_SECRET", "client secret")
    dashboard_process.serve(home(tmp_path, OPENID), 8501, "0.0.0.0")  # noqa: S104
    told = started["told"]["openid"]
    key = tmp_path / "private" / "dashboard_key"
    assert (told["client_secret"], told["cookie_secret"]) == ("client secret", key.read_text())
    assert key.stat().st_mode & 0o777 == 0o600
    for secret in ("client secret", told["cookie_secret"]):
        assert secret not in " ".join(started["command"])
        assert secret not in " ".join(started["env"].values())
    assert started["env"]["FORWARDED_ALLOW_IPS"] == ""
    assert started["told"]["roles"] == {"compliance": "officer", "vera@example.com": "viewer"}
    before = told["cookie_secret"]
    dashboard_process.serve(tmp_path, 8501)
    assert started["told"]["openid"]["cookie_secret"] == before


def test_the_proxys_secret_comes_from_its_file(tmp_path: Path, started: Started) -> None:
    place = home(tmp_path, PROXY)
    with pytest.raises(ConfigurationError, match="proxy_secret cannot be read"):
        dashboard_process.serve(place, 8501)
    secret = tmp_path / "private" / "proxy_secret"
    secret.parent.mkdir()
    for text, said in (("", "is empty"), ("short", "shorter than 16")):
        secret.write_text(text)
        with pytest.raises(ConfigurationError, match=said):
            dashboard_process.serve(place, 8501)
    secret.write_text("long enough to be one\n")
    dashboard_process.serve(place, 8501)
    assert started["told"]["proxy"]["secret"] == "long enough to be one"  # noqa: S105
    assert started["told"]["session_seconds"] == 7200
    with pytest.raises(UsageError, match="--role"):
        dashboard_process.serve(place, 8501, role="viewer")


def test_a_login_without_its_secret_does_not_start(tmp_path: Path, started: Started) -> None:
    with pytest.raises(ConfigurationError, match="HEED_OPENID_SECRET is not set"):
        dashboard_process.serve(home(tmp_path, OPENID), 8501)
    assert started == {}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('login = "openid"', 'login = "saml"', "Write one of none, openid, proxy"),
        ("[dashboard.openid]", "[dashboard.proxy]\nuser_header = 'X'\n[dashboard.openid2]", "openid2 is not a setting"),
        ('login = "openid"', 'login = "proxy"', "without [dashboard.proxy]"),
        ('login = "openid"', 'login = "openid"\nsession_hours = 0', "Write hours above 0"),
        ('login = "openid"', 'login = "openid"\nsession_hours = true', "Write hours above 0"),
        ('login = "openid"', 'login = "openid"\nsession = 8', "Did you mean session_hours?"),
        ('client_id = "heed"', "", "client_id is missing"),
        ("https://id.example.com", "http://id.example.com", "Write an https address"),
        ("https://heed.example.com/oauth2callback", "http://heed.example.com/oauth2callback", "Write an https"),
        ("https://heed.example.com/oauth2callback", "https://heed.example.com/", "end with the path /oauth2callback"),
        ('client_id = "heed"', 'client_id = "heed"\nscopes = "email"', "It must name openid"),
        ('officer = ["compliance"]', 'officer = "compliance"', "Write a list"),
        ('officer = ["compliance"]', 'officer = ["vera@example.com"]', "Keep it in one of them"),
        ('officer = ["compliance"]\nviewer = ["vera@example.com"]', "", "Nobody could get in"),
        ('officer = ["compliance"]', 'boss = ["compliance"]', "boss is not a setting"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in OPENID
    with pytest.raises(ConfigurationError) as raised:
        settings.read(home(tmp_path, OPENID.replace(old, new)))
    assert said in str(raised.value)
    assert raised.value.exit_code == 78


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("10.0.0.0/8", "everybody", 'Write addresses or networks: "10.0.0.0/8"'),
        ("X-Auth-Request-Email", "X Auth", "Write the name of an HTTP header"),
        ('user_header = "X-Auth-Request-Email"', "", "user_header is missing"),
    ],
)
def test_a_mistake_about_the_proxy_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        settings.read(home(tmp_path, PROXY.replace(old, new)))
    assert said in str(raised.value)


def test_a_folder_of_snapshots_needs_no_settings(tmp_path: Path, started: Started) -> None:
    assert dashboard_process.serve(tmp_path, 8501) == 0
    assert started["told"]["login"] == "none"
