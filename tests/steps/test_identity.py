"""Addresses to keys and masks: one normal form, the same in SQL and in Python, and no address beside its key."""

from __future__ import annotations

import hashlib
import hmac
import stat
from pathlib import Path

import polars
import pytest

from pipelines import identity
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.errors import ConfigurationError

SECRET = b"a key for tests and nothing else"

# As written, on a channel of phone numbers or not, the country; the normal form.
ADDRESSES = [
    ("+12025550143", True, None, "+12025550143"),
    ("+1 (202) 555-0143", True, None, "+12025550143"),
    ("+1.202.555.0143", True, None, "+12025550143"),
    ("+1\u00a0202\u00a0555\u00a00143", True, None, "+12025550143"),
    ("whatsapp:+12025550143", True, None, "+12025550143"),
    ("WhatsApp: +1 202 555 0143", True, None, "+12025550143"),
    ("tel:+1-202-555-0143", True, None, "+12025550143"),
    ("  +12025550143\t", True, None, "+12025550143"),
    # A + says that it is a phone number, whatever the channel.
    ("+1 202 555 0143", False, None, "+12025550143"),
    # The country's own spelling needs the country; a spelling that cannot be a number stays as it is.
    ("(202) 555-0143", True, "US", "+12025550143"),
    ("2025550143", True, "US", "+12025550143"),
    ("12025550143", True, "US", "+12025550143"),
    ("2025550143", True, None, "2025550143"),
    ("2025550143", False, "US", "2025550143"),
    ("07700 900123", True, "GB", "+447700900123"),
    ("+44 (0)7700 900123", True, None, "+447700900123"),
    ("+4407700900123", True, None, "+447700900123"),
    ("55555", True, "US", "55555"),
    ("+1 202 555 0143 ext. 7", True, "US", "+1 202 555 0143 ext. 7"),
    ("+1202555", True, "US", "+1202555"),
    ("Anna.Berg+News@Example.COM", False, None, "anna.berg+news@example.com"),
    ("mailto:ANNA@example.com", False, None, "anna@example.com"),
    ("  anna@example.com ", True, "US", "anna@example.com"),
    ("ÄNNE@example.com", False, None, "änne@example.com"),
    # Push tokens and ids of users are kept as written.
    ("fGh7:APA91bH-Token_x", False, None, "fGh7:APA91bH-Token_x"),
    ("US.1349", True, "US", "US.1349"),
    ("Ünïcode token", False, None, "Ünïcode token"),
    # As an address book, a word processor and a web form write them.
    ("\u202a+1\u00a0202\u2011555\u20110143\u202c", True, None, "+12025550143"),
    ("(202)\u2009555\u20130143", True, "US", "+12025550143"),
    ("\u200e+44\u202f7700\u202f900123", False, None, "+447700900123"),
]


@pytest.mark.parametrize(("text", "is_phone_channel", "country", "normal"), ADDRESSES)
def test_every_spelling_of_an_address_has_one_normal_form(
    text: str, is_phone_channel: bool, country: str | None, normal: str
) -> None:
    assert identity.normalised_address(text, is_phone_channel, country) == normal
    assert identity.normalised_address(normal, is_phone_channel, country) == normal


@pytest.mark.parametrize("country", [None, "US", "GB"])
def test_sql_reads_and_hides_addresses_as_python_does(country: str | None) -> None:
    odd = [
        "a@b@c",
        "@example.com",
        "x",
        "12345678",
        "123456789",
        "日本語のトークンです",
        "+",
        "((((",
        "++12025550143",
        "--------",
    ]
    spellings = [(text, is_phone) for text in [*(row[0] for row in ADDRESSES), *odd] for is_phone in (True, False)]
    spellings = [(text.strip(), is_phone) for text, is_phone in dict.fromkeys(spellings)]
    frame = polars.DataFrame(spellings, schema=["spelling", "is_phone_channel"], orient="row")
    with DuckDBEngine() as engine:
        engine.create_from_frame("run.spellings", frame)
        identity.identify(engine, "select * from run.spellings", "identified", country, SECRET)
        rows = engine.records("select * from identified")
    assert len(rows) == len(set(spellings))
    for row in rows:
        address = identity.normalised_address(row["spelling"], row["is_phone_channel"], country)
        assert row["address"] == address, row
        assert row["contact_key"] == identity.contact_key(address, SECRET), row
        assert row["contact_masked"] == identity.masked_address(address), row
        kind = "phone" if address[:1] == "+" and address[1:].isdecimal() and len(address) > 7 else "other"
        assert row["address_kind"] == ("email" if "@" in address[1:] else kind), row


def test_a_key_is_the_first_64_bits_of_hmac_sha256() -> None:
    digest = hmac.new(SECRET, b"+12025550143", hashlib.sha256).hexdigest()
    assert identity.contact_key("+12025550143", SECRET) == int(digest[:16], 16) - 2**63
    long = b"k" * 65  # longer than a block, where HMAC hashes the key first
    with DuckDBEngine() as engine:
        identity.identify(engine, "select 'a' as spelling, true as is_phone_channel", "identified", None, long)
        assert engine.value("select contact_key from identified") == identity.contact_key("a", long)


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("+12025550117", "+1202•••••17"),
        ("+447700900123", "+4477•••••23"),
        ("anna@example.com", "a•••@example.com"),
        ("a@b@example.com", "a•••@example.com"),
        ("fGh7:APA91bH", "fGh•••bH"),
        ("12345678", "1•••"),
        ("x", "x•••"),
    ],
)
def test_a_mask_shows_a_little_of_the_address(address: str, masked: str) -> None:
    assert identity.masked_address(address) == masked


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("+12025550117", "US"),
        ("+14165550117", "CA"),
        ("+18765550117", "JM"),
        ("+447700900123", "GB"),
        ("+4915123456789", "DE"),
        ("+77011234567", "RU"),  # Kazakhstan shares the code: the main country of it stands for all
        ("+8821234567890", None),  # satellite phones are nowhere
        ("+99912345678", None),
        ("anna@example.com", None),
        ("55555", None),
    ],
)
def test_a_number_says_its_country(address: str, country: str | None) -> None:
    assert identity.country_of_phone(address) == country


def test_the_secret_is_made_once_and_is_its_owner_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEED_KEY", raising=False)
    private = tmp_path / "private"
    first = identity.load_key(private)
    assert len(first) == 64
    assert identity.load_key(private) == first
    assert identity.load_key(tmp_path / "other") != first
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert stat.S_IMODE((private / "key").stat().st_mode) == 0o600
    assert [path.name for path in private.iterdir()] == ["key"]


def test_the_secret_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEED_KEY", "sixteen letters!")
    assert identity.load_key(tmp_path / "private") == b"sixteen letters!"
    assert not (tmp_path / "private").exists()
    monkeypatch.setenv("HEED_KEY", "fifteen letters")
    with pytest.raises(ConfigurationError, match="shorter than 16"):
        identity.load_key(tmp_path / "private")


def test_a_lost_secret_is_not_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEED_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="is gone"):
        identity.load_key(tmp_path / "private", may_make=False)
    assert not (tmp_path / "private").exists()
