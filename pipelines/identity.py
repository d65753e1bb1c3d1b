"""Addresses to keys and masks: the only module that knows how an address is written, hidden and recognised.

A phone number becomes E.164, an e-mail address lower case, anything else stays as written. The key is the first
64 bits of HMAC-SHA256 of that text, so that nobody without the key file can try addresses against it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from functools import cache
from pathlib import Path

from pipelines.durable import replace_durably
from pipelines.engines.duckdb import DuckDBEngine, quoted
from pipelines.errors import ConfigurationError
from pipelines.ledger import Ledger

#: What some systems write before an address.
SCHEMES = "whatsapp|tel|sms|rcs|viber|mailto|messenger"
_PREFIX = f"^(?i:{SCHEMES}):"
_E164 = r"^\+[1-9][0-9]{6,14}$"
#: An e-mail address; a handle such as @name is none.
_EMAIL = "^[^@].*@"
#: E.164 beyond doubt. A 0 behind the country code may be a trunk prefix that somebody left in (+44 0…): that is parsed.
_SURELY_E164 = r"^\+(1[2-9][0-9]{9}|[2-9][1-9]{3}[0-9]{4,11})$"
#: What people and address books put between digits: spaces of any width, marks of direction, dashes of any length.
_BETWEEN = " ().\u00a0\u2007\u2009\u200a-\u200f\u2010-\u2015\u202a-\u202f\u2060\u2212\ufeff/-"
_PHONE_TEXT = f"^[{_BETWEEN}]*[+]?[0-9{_BETWEEN}]{{4,}}$"
_PUNCTUATION = f"[{_BETWEEN}]"
#: A number of the North American plan without its +, where that plan is the home's own.
_NORTH_AMERICAN = "^1?[2-9][0-9]{9}$"
_NORTH_AMERICA = ("US", "CA")
#: An address inside a text: an e-mail address, a number with its +, one of the North American plan.
_MAIL_IN_TEXT = r"[^\s<>(),;:@]+@[^\s<>(),;:@]+"
_NUMBER_IN_TEXT = (
    r"[+][0-9](?:[ ().-]{0,2}[0-9]){6,14}|\b(?:1[ .-]?)?[(]?[2-9][0-9]{2}[)]?[ .-]{0,2}[2-9][0-9]{2}[ .-]?[0-9]{4}\b"
)
_BULLETS = "•••••"
_BLOCK = 64
#: What a key of several secrets begins with.
_ROTATED = b"heed-keys:"


def load_key(private: Path, *, may_make: bool = True) -> bytes:
    """The home's secret: HEED_KEY, or private/key, made on first use and readable by its owner only.

    Raises ConfigurationError where it cannot be had, or would have to be made although `may_make` is false.
    """
    if from_environment := os.environ.get("HEED_KEY"):
        if len(from_environment) < 16:
            raise ConfigurationError("HEED_KEY is shorter than 16 characters.", "Set a longer secret, and keep it.")
        return from_environment.encode()
    path = private / "key"
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        if not may_make:
            raise ConfigurationError(
                f"{path} is gone, and without it no address finds its records in history.",
                "Restore it from a backup, or set HEED_KEY to what it held. To begin anew, remove history/ as well.",
            ) from error
        key = secrets.token_hex(32).encode()
        write_key(private, key)
        return key
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from error


def write_key(private: Path, key: bytes) -> None:
    """Write private/key, whole or not at all, for its owner only."""
    private.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = private / f".key-{os.getpid()}"
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
    replace_durably(partial, private / "key")


def secrets_of(key: bytes) -> list[bytes]:
    """The secrets of a home's key, the first one first: one, and one more for each time that the key was rotated."""
    if not key.startswith(_ROTATED):
        return [key]
    try:
        return [bytes.fromhex(secret.decode()) for secret in key.strip().removeprefix(_ROTATED).split(b":")]
    except ValueError as error:
        raise ConfigurationError(
            "HEED_KEY or private/key is cut off or changed.", "Restore it from a backup."
        ) from error


def key_of(secrets_in_order: list[bytes]) -> bytes:
    """A key of several secrets as it is written, on one line."""
    first, *others = secrets_in_order
    return _ROTATED + b":".join(secret.hex().encode() for secret in secrets_in_order) if others else first


def home_key(private: Path, known: Ledger, *, may_make: bool = False) -> bytes:
    """The key that history is keyed with: the home's, or what it was before a rotation that was not finished.

    Raises ConfigurationError where it cannot be had, or is not the one.
    """
    held = secrets_of(load_key(private, may_make=may_make))
    keys = [key_of(held[:count]) for count in range(len(held), 0, -1)]
    checks = {key_check(key): key for key in keys}
    wanted = next((load.key_check for load in known.loads), None)
    chosen = checks.get(wanted, keys[0]) if wanted else keys[0]
    path = private / "key"
    if wanted not in (None, *checks) and path.exists() and wanted == key_check(path.read_bytes()):
        raise ConfigurationError(
            f"HEED_KEY is not the secret that history is keyed with, and {path} is.",
            f"Set HEED_KEY to what {path} holds, or unset it.",
        )
    known.check_key(key_check(chosen))
    return chosen


def store(private: Path, key: bytes) -> Path:
    """The folder of the addresses by contact_key: of a rotated key one of its own."""
    folder = private / "identities"
    return folder if len(secrets_of(key)) == 1 else folder / key_check(key)


def key_check(key: bytes) -> str:
    """What tells two keys apart without telling anything of either."""
    check = b"heed key check"
    for secret in secrets_of(key):
        check = hmac.new(secret, check, hashlib.sha256).hexdigest()[:16].encode()
    return check.decode()


def parsed_phone(text: str, country: str | None) -> str | None:
    """A possible phone number as E.164; None where `text` is none, or its country is not known."""
    import phonenumbers

    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normalised_address(text: str, is_phone_channel: bool, country: str | None) -> str:
    """One address as heed compares it: E.164, lower-case e-mail, or the text as written without outer spaces."""
    bare = re.sub(_PREFIX, "", text.strip()).strip()
    if re.match(_EMAIL, bare):
        return bare.lower()
    if not re.match(_PHONE_TEXT, bare) or not (is_phone_channel or "+" in bare):
        return bare
    digits = re.sub(_PUNCTUATION, "", bare)
    if re.match(_SURELY_E164, digits):
        return digits
    if country in _NORTH_AMERICA and re.match(_NORTH_AMERICAN, digits):
        return "+1" + digits[-10:]
    return parsed_phone(digits, country) or bare


def contact_key(address: str, key: bytes) -> int:
    """The signed 64-bit key of a normalised address; of a rotated key, each secret keys what the one before it made."""
    text, found = address, 0
    for secret in secrets_of(key):
        digest = hmac.new(secret, text.encode(), hashlib.sha256).digest()
        found = int.from_bytes(digest[:8], "big") - (1 << 63)
        text = key_text(found)
    return found


def key_text(contact_key: int) -> str:
    """A contact_key as 16 hexadecimal digits."""
    return f"{contact_key & ((1 << 64) - 1):016x}"


def key_number(text: str) -> int:
    """The contact_key of 16 hexadecimal digits."""
    value = int(text, 16)
    return value - (1 << 64) if value >= 1 << 63 else value


def hmac_parameters(secret_list: list[bytes], since: int = 0) -> dict[str, bytes]:
    """What `hmac_sql` takes, for every secret from number `since` on."""
    parameters = {}
    for number, secret in list(enumerate(secret_list))[since:]:
        padded = hashlib.sha256(secret).digest() if len(secret) > _BLOCK else secret
        padded = padded.ljust(_BLOCK, b"\0")
        parameters[f"inner_{number}"] = bytes(byte ^ 0x36 for byte in padded)
        parameters[f"outer_{number}"] = bytes(byte ^ 0x5C for byte in padded)
    return parameters


def hmac_sql(text: str, number: int) -> str:
    """SQL: HMAC-SHA256 of a text with one of the secrets, in hexadecimal."""
    return f"sha256($outer_{number} || unhex(sha256($inner_{number} || encode({text}))))"


def keyed_sql(text: str, number: int) -> str:
    """SQL: the contact_key that one of the secrets makes of a text."""
    first = f"cast(cast('0x' || substr({hmac_sql(text, number)}, 1, 16) as ubigint) as hugeint)"
    return f"cast({first} - 9223372036854775808 as bigint)"


def rekeyed_sql(contact_key: str, number: int) -> str:
    """SQL: the contact_key that one of the secrets makes of what the secret before it made."""
    return keyed_sql(f"lpad(lower(hex({contact_key})), 16, '0')", number)


def masked_address(address: str) -> str:
    """What may be shown of an address: `+1202•••••17`, `a•••@example.com`."""
    if re.match(_E164, address):
        return address[: 5 if len(address) > 10 else 2] + _BULLETS + address[-2:]
    if re.match(_EMAIL, address):
        name, _, domain = address.rpartition("@")
        return f"{name[:1]}•••@{domain}"
    return f"{address[:3]}•••{address[-2:]}" if len(address) > 8 else f"{address[:1]}•••"


def label_sql(text: str) -> str:
    """SQL: a text that is published, with [e-mail] and [number] in place of what looks like an address."""
    without_mail = f"regexp_replace({text}, {quoted(_MAIL_IN_TEXT)}, '[e-mail]', 'g')"
    without_both = f"regexp_replace({without_mail}, {quoted(_NUMBER_IN_TEXT)}, '[number]', 'g')"
    # Seeing that there is nothing to replace takes a fifth of the time.
    return f"case when regexp_matches({text}, '@|[0-9]{{3}}|[+][0-9]') then {without_both} else {text} end"


@cache
def _country_of_prefix(prefix: str) -> str | None:
    import phonenumbers

    # A made-up number per prefix, so that the answer depends on the prefix alone and not on which numbers were seen.
    number = phonenumbers.parse(prefix if len(prefix) > 5 else prefix + "2345678")
    if number.country_code is None:
        return None
    if number.country_code == 1:
        return phonenumbers.region_code_for_number(number)
    region = phonenumbers.region_code_for_country_code(number.country_code)
    return None if region in ("ZZ", "001") else region


def country_of_phone(address: str) -> str | None:
    """The country (ISO 3166-1 alpha-2) of an E.164 number, by calling code, and by area code within +1.

    Where several countries share another calling code (+44, +7, +61 …) it is the main one.
    """
    if not re.match(_E164, address):
        return None
    import phonenumbers

    try:
        return _country_of_prefix(address[:5] if address.startswith("+1") else address)
    except phonenumbers.NumberParseException:
        return None


def identify(engine: DuckDBEngine, spellings: str, target: str, country: str | None, key: bytes) -> None:
    """Build table `target` with one row per distinct spelling in `spellings` (spelling, is_phone_channel).

    Columns: spelling, is_phone_channel, address (normalised), contact_key, first_key (what the first secret alone
    makes), contact_masked, address_kind (phone, email, other), country. Only numbers that the patterns cannot settle
    are parsed one by one.
    """
    import polars

    is_north_american = str(country in _NORTH_AMERICA).lower()
    engine.execute(
        f"""
        create or replace temp table bare_addresses as
        with
        bare as (
            select *, trim(regexp_replace(trim(spelling), '{_PREFIX}', '')) as bare
            from (select distinct spelling, is_phone_channel from ({spellings}))
        ),
        stripped as (
            select *,
                case
                    when regexp_matches(bare, '{_PHONE_TEXT}') and (is_phone_channel or contains(bare, '+'))
                    then regexp_replace(bare, '{_PUNCTUATION}', '', 'g')
                end as digits
            from bare
        )
        select *,
            case
                when regexp_matches(bare, '{_EMAIL}') then lower(bare)
                when digits is null then bare
                when regexp_matches(digits, '{_SURELY_E164}') then digits
                when {is_north_american} and regexp_matches(digits, '{_NORTH_AMERICAN}') then '+1' || right(digits, 10)
            end as address
        from stripped""",
        relation=target,
    )
    unparsed = [
        row[0] for row in engine.rows("select distinct digits from bare_addresses where address is null order by 1")
    ]
    engine.execute("create or replace temp table parsed_addresses (digits varchar, parsed varchar)")
    if unparsed:
        parsed = polars.DataFrame(
            {"digits": unparsed, "parsed": [parsed_phone(text, country) for text in unparsed]},
            schema={"digits": polars.String, "parsed": polars.String},
        )
        engine.create_from_frame("run.parsed_addresses", parsed)
        engine.execute(
            "insert into parsed_addresses select * from run.parsed_addresses; drop table run.parsed_addresses"
        )
    last_key = "first_key"
    for number in range(1, len(secrets_of(key))):
        last_key = rekeyed_sql(last_key, number)
    engine.execute(
        f"""
        create or replace temp table {target} as
        with
        addresses as (
            select spelling, is_phone_channel, coalesce(address, parsed, bare) as address
            from bare_addresses left join parsed_addresses using (digits)
        ),
        keyed as (
            select address, {keyed_sql("address", 0)} as first_key,
                regexp_matches(address, '{_E164}') as is_phone, regexp_matches(address, '{_EMAIL}') as is_email
            from (select distinct address from addresses)
        )
        select
            a.spelling, a.is_phone_channel, a.address, {last_key} as contact_key, k.first_key,
            case
                when k.is_phone
                    then left(a.address, case when length(a.address) > 10 then 5 else 2 end)
                        || '{_BULLETS}' || right(a.address, 2)
                when k.is_email then substr(a.address, 1, 1) || '•••@' || regexp_extract(a.address, '@([^@]*)$', 1)
                when length(a.address) > 8 then substr(a.address, 1, 3) || '•••' || right(a.address, 2)
                else substr(a.address, 1, 1) || '•••'
            end as contact_masked,
            case when k.is_phone then 'phone' when k.is_email then 'email' else 'other' end as address_kind,
            case when k.is_phone and starts_with(a.address, '+1') then substr(a.address, 1, 5)
                when k.is_phone then substr(a.address, 1, 4) end as calling_prefix
        from addresses as a join keyed as k on k.address = a.address""",
        hmac_parameters(secrets_of(key)),
        relation=target,
    )
    prefixes = engine.rows(
        f"select calling_prefix, min(address) from {target} where calling_prefix is not null group by 1 order by 1"
    )
    countries = polars.DataFrame(
        {"calling_prefix": [row[0] for row in prefixes], "country": [country_of_phone(row[1]) for row in prefixes]},
        schema={"calling_prefix": polars.String, "country": polars.String},
    )
    engine.create_from_frame("run.calling_prefixes", countries)
    engine.execute(
        f"""
        create or replace temp table {target} as
        select t.* exclude (calling_prefix), c.country
        from {target} as t left join run.calling_prefixes as c using (calling_prefix)""",
        relation=target,
    )
    engine.execute("drop table run.calling_prefixes")
