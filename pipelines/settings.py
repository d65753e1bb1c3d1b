"""The home's heed.toml and the environment, read once, checked, and typed.

Every mistake is one ConfigurationError naming the file, the table and the key, and what to write instead.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.errors import ConfigurationError
from pipelines.settings_dashboard import Dashboard, read_dashboard
from pipelines.settings_engine import Engine, read_engine
from pipelines.settings_limits import Limits, read_limits
from pipelines.settings_operations import Operations, read_operations
from pipelines.settings_retention import Retention, read_retention
from pipelines.settings_table import SECONDS, Table, seconds_of

SCOPES = ("channel", "program", "person")
TABLES = ("messages", "inbound_messages", "consent_events", "campaigns", "contacts")

_FIXED_OFFSET = re.compile(r"^(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?$")
_DEADLINE = re.compile(r"^\s*(\d+)\s*(h|d|bd)\s*$")
_CAP = re.compile(r"^\s*(\d+)\s*/\s*([1-9]\d*)\s*(min|h|d)\s*$")
_LONGEST = {"hours": 24 * 366, "calendar_days": 366, "business_days": 260}  # a year


@dataclass(frozen=True)
class Deadline:
    """How long a sender may take when no rule says otherwise: `amount` of `unit`."""

    amount: int
    unit: str  # hours, calendar_days, business_days
    text: str


@dataclass(frozen=True)
class DerivedEvent:
    """A consent event that a message row also carries (`unsubscribed_at` and alike)."""

    event_type: str
    columns: dict[str, str | dict[str, str]]


@dataclass(frozen=True)
class Source:
    """One [[source]]: where its files lie and how a connector reads them."""

    name: str
    connector: str
    path: str
    timezone: str | None = None
    country: str | None = None
    region: str | None = None
    contacts_timezone: str | None = None
    table: str | None = None
    columns: dict[str, str | dict[str, str]] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    null_values: tuple[str, ...] = ()
    events: tuple[DerivedEvent, ...] = ()
    time_unit: str | None = None
    limits: str | None = None

    @property
    def fixed_offset_seconds(self) -> int | None:
        """Seconds east of UTC when the zone is a fixed offset such as -06:00; else None."""
        return fixed_offset_seconds(self.timezone) if self.timezone else None


@dataclass(frozen=True)
class Policy:
    """[policy]: what the home's owner decided; defaults are the contract's."""

    scope: str = "channel"
    rules: str | tuple[str, ...] = "default"
    default_deadline: Deadline = Deadline(10, "business_days", "10bd")
    confirmation_window_seconds: int = 300
    attribution_window_seconds: int = 72 * 3600
    default_country: str | None = None
    report_timezone: str = "UTC"
    double_opt_in: bool = False
    frequency_cap: tuple[int, int] | None = None  # messages, seconds
    forbidden_sources: tuple[str, ...] = ("purchased", "scraped")
    as_of: str | None = None
    memory_limit: str | None = None
    threads: int | None = None
    keep_snapshots: int = 5
    publish_reason_texts: bool = True


@dataclass(frozen=True)
class Settings:
    """Everything a run is told: the home, its policy and its sources."""

    home: Path
    policy: Policy
    sources: tuple[Source, ...]
    dashboard: Dashboard = field(default_factory=Dashboard)
    engine: Engine = field(default_factory=Engine)
    operations: Operations = field(default_factory=Operations)
    signing_key: Path | None = None  # the private key that signs each published run
    limits: Limits = field(default_factory=Limits)
    retention: Retention = field(default_factory=Retention)

    @cached_property
    def inbox(self) -> Path:
        return self.home / "inbox"

    @cached_property
    def history(self) -> Path:
        return self.home / "history"

    @cached_property
    def private(self) -> Path:
        return self.home / "private"

    @cached_property
    def published(self) -> Path:
        return self.home / "published"


def fixed_offset_seconds(timezone: str) -> int | None:
    """Seconds east of UTC for "UTC", "-06:00", "UTC+2"; None for a named zone and for an offset that no clock keeps."""
    if timezone.upper() in ("UTC", "GMT", "Z", "ETC/UTC"):
        return 0
    match = _FIXED_OFFSET.match(timezone.strip().upper())
    if not match or int(match.group(2)) > 15 or int(match.group(3) or 0) > 59:
        return None
    seconds = int(match.group(2)) * 3600 + int(match.group(3) or 0) * 60
    return seconds if match.group(1) == "+" else -seconds


def _zone(table: Table, key: str, default: str | None) -> str | None:
    value = table.text(key, default)
    if value is None or fixed_offset_seconds(value) is not None:
        return value
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise table.wrong(
            key,
            f"is {value!r}, which is no time zone",
            "Write an IANA name (America/New_York) or an offset (-06:00).",
        ) from error
    return value


def _seconds(table: Table, key: str, default: int) -> int:
    value = table.text(key)
    if value is None:
        return default
    seconds = seconds_of(value)
    if seconds is None:
        raise table.wrong(key, f"is {value!r}", 'Write a number and a unit: "5min", "72h", "3d".')
    return seconds


def _deadline(table: Table, key: str, default: Deadline) -> Deadline:
    value = table.text(key)
    if value is None:
        return default
    match = _DEADLINE.match(value)
    if not match:
        raise table.wrong(key, f"is {value!r}", 'Write hours, days or business days: "48h", "30d", "10bd".')
    unit = {"h": "hours", "d": "calendar_days", "bd": "business_days"}[match.group(2)]
    if unit == "business_days" and int(match.group(1)) < 1:
        raise table.wrong(key, f"is {value!r}", 'Write at least 1bd; "0h" means at once.')
    amount = int(match.group(1))
    if amount > _LONGEST[unit]:
        raise table.wrong(key, f"is {value!r}", f"Write at most {_LONGEST[unit]} {unit.replace('_', ' ')}: a year.")
    return Deadline(amount, unit, value.strip())


def _country(table: Table, key: str) -> str | None:
    value = table.text(key)
    if value is None:
        return None
    from phonenumbers import SUPPORTED_REGIONS

    if value.upper() not in SUPPORTED_REGIONS:  # "UK" would leave every number without + as it was written
        raise table.wrong(key, f"is {value!r}", 'Write a two-letter country code such as "US" or "GB".')
    return value.upper()


def _region(table: Table, country: str | None) -> str | None:
    value = table.text("region")
    if value is None:
        return None
    if not country or not re.fullmatch(rf"{country}-[A-Z0-9]{{1,3}}", value.upper()):
        raise table.wrong(
            "region", f"is {value!r}", 'Write country = "US" and an ISO 3166-2 code of it such as "US-FL".'
        )
    return value.upper()


def _frequency_cap(table: Table) -> tuple[int, int] | None:
    """Messages and the seconds in which they are the most: 3 (in 24 hours), "5/7d"."""
    table.asked.add("frequency_cap")
    value = table.content.get("frequency_cap")
    if value is None:
        return None
    match = _CAP.match(f"{value}/24h" if isinstance(value, int) and not isinstance(value, bool) else str(value))
    if not match:
        raise table.wrong(
            "frequency_cap", f"is {value!r}", 'Write messages in 24 hours, as 3, or messages per time, as "5/7d".'
        )
    return int(match.group(1)), int(match.group(2)) * SECONDS[match.group(3)]


def _policy(path: Path, content: dict[str, Any]) -> Policy:
    table = Table(path, "[policy]", content)
    defaults = Policy()
    rules = table.content.get("rules", "default")
    table.asked.add("rules")
    if isinstance(rules, list) and all(isinstance(rule, str) for rule in rules):
        rules = tuple(rules)
    elif rules not in ("default", "strict", "none"):
        raise table.wrong("rules", f"is {rules!r}", 'Write "default", "strict", "none" or a list of rule ids.')
    country = _country(table, "default_country")
    forbidden = table.take("forbidden_sources", list, list(defaults.forbidden_sources))
    policy = Policy(
        scope=table.one_of("scope", SCOPES, defaults.scope),
        rules=rules,
        default_deadline=_deadline(table, "default_deadline", defaults.default_deadline),
        confirmation_window_seconds=_seconds(table, "confirmation_window", defaults.confirmation_window_seconds),
        attribution_window_seconds=_seconds(table, "attribution_window", defaults.attribution_window_seconds),
        default_country=country,
        report_timezone=_zone(table, "report_timezone", defaults.report_timezone) or "UTC",
        double_opt_in=table.take("double_opt_in", bool, defaults.double_opt_in),
        frequency_cap=_frequency_cap(table),
        forbidden_sources=tuple(str(value) for value in forbidden),
        as_of=table.text("as_of"),
        memory_limit=table.size("memory_limit"),
        threads=table.take("threads", int),
        keep_snapshots=table.take("keep_snapshots", int, defaults.keep_snapshots),
        publish_reason_texts=table.take("publish_reason_texts", bool, defaults.publish_reason_texts),
    )
    if policy.keep_snapshots < 1:
        raise table.wrong("keep_snapshots", f"is {policy.keep_snapshots}", "Keep at least 1.")
    if policy.threads is not None and policy.threads < 1:
        raise table.wrong("threads", f"is {policy.threads}", "Write at least 1, or remove the line.")
    table.finish()
    return policy


def _column_map(table: Table, key: str, content: dict[str, Any]) -> dict[str, str | dict[str, str]]:
    for name, value in content.items():
        constant = isinstance(value, dict) and set(value) == {"constant"} and isinstance(value["constant"], str)
        if not isinstance(value, str) and not constant:
            raise table.wrong(f"{key}.{name}", f"is {value!r}", 'Write "their column" or { constant = "a value" }.')
    return dict(content)


def _events(path: Path, table: Table) -> tuple[DerivedEvent, ...]:
    events = []
    for position, content in enumerate(table.take("events", list, []), start=1):
        if not isinstance(content, dict):
            raise table.wrong("events", "is not a list of tables", "Write [[source.events]] tables.")
        inner = Table(path, f"{table.name} events number {position}", content)
        event_type = inner.required("event_type", 'Write event_type = "opt_out" or another event type.')
        inner.required("requested_at", 'Write requested_at = "the column that holds the time of the act".')
        columns = {name: value for name, value in content.items() if name != "event_type"}
        events.append(DerivedEvent(event_type, _column_map(inner, "", columns)))
    return tuple(events)


def _source(path: Path, content: Any, position: int, home: Path) -> Source:
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path}: source is not a table.", "Write [[source]], with two brackets.")
    table = Table(path, f"[[source]] number {position}", content)
    name = table.required("name", 'Write name = "a short name for where the logs come from".')
    table.name = f"[[source]] {name!r}"
    connector = table.required("connector", 'Write connector = "canonical" or another connector.')
    pattern = table.required("path", 'Write path = "inbox/..." below the home folder.')
    if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        raise table.wrong(
            "path", f"is {pattern!r}, outside the home", f"Put the files below {home} and write a relative path."
        )
    null_values = table.take("null_values", list, [])
    values = table.take("values", dict, {})
    for column, codes in values.items():
        if not isinstance(codes, dict) or not all(isinstance(code, str) for code in codes.values()):
            raise table.wrong(
                f"values.{column}", f"is {codes!r}", '[source.values.<column>] holds their_code = "our word" lines.'
            )
    unit = table.text("time_unit")
    if unit not in (None, "s", "ms"):
        raise table.wrong("time_unit", f"is {unit!r}", 'Write "s" or "ms": the unit of epoch times.')
    kind = table.text("table")
    if kind is not None and kind not in TABLES:
        raise table.wrong("table", f"is {kind!r}", f"Write one of {', '.join(TABLES)}.")
    country = _country(table, "country")
    source = Source(
        name=name,
        connector=connector,
        path=pattern,
        timezone=_zone(table, "timezone", None),
        country=country,
        region=_region(table, country),
        contacts_timezone=_zone(table, "contacts_timezone", None),
        table=kind,
        columns=_column_map(table, "columns", table.take("columns", dict, {})),
        values={column: dict(codes) for column, codes in values.items()},
        null_values=tuple(str(value) for value in null_values),
        events=_events(path, table),
        time_unit=unit,
        limits=table.text("limits"),
    )
    table.finish()
    return source


def _signing_key(path: Path, content: dict[str, Any]) -> Path | None:
    table = Table(path, "[signature]", content)
    value = table.text("private_key")
    table.finish()
    return path.parent / value if value else None


def read(home: Path) -> Settings:
    """The settings of a home; raises ConfigurationError when heed.toml is missing or wrong."""
    path = home / "heed.toml"
    if not home.is_dir():
        raise ConfigurationError(f"{home} is not a folder.", f"Make a home first: heed -C {home} init")
    if not path.is_file():
        raise ConfigurationError(f"{path} does not exist.", f"Make one: heed -C {home} init")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}.", "Correct that line.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8 text.", "Save it as UTF-8.") from error
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from error
    top = Table(path, "top level", content)
    policy = _policy(path, top.take("policy", dict, {}))
    dashboard = read_dashboard(path, top.take("dashboard", dict, {}))
    engine = read_engine(path, top.take("engine", dict, {}))
    operations = read_operations(path, top)
    signing_key = _signing_key(path, top.take("signature", dict, {}))
    limits = read_limits(path, top.take("limits", dict, {}))
    retention = read_retention(path, top.take("retention", dict, {}))
    listed = top.take("source", list, [])
    top.finish()
    sources = tuple(_source(path, item, position, home) for position, item in enumerate(listed, start=1))
    return Settings(home.resolve(), policy, sources, dashboard, engine, operations, signing_key, limits, retention)
