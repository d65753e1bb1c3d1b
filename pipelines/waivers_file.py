"""Reads HOME/waivers.csv: which findings somebody has excused, why, who and until when, as typed rows.

A mistake in it is one ConfigurationError naming the file, the line and the column, and never a cell: cells may hold
addresses.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from datetime import timezone as fixed_zone
from pathlib import Path
from zoneinfo import ZoneInfo

from pipelines.errors import ConfigurationError
from pipelines.settings import fixed_offset_seconds

FILE = "waivers.csv"
KINDS = ("message", "event", "contact", "campaign", "period")
#: Every rule.
EVERY_RULE = "*"
#: What was decided about the finding, where the row does not say.
_DISPOSITION = "waived"

#: A column's own name and the names it may have instead.
_COLUMNS = {
    "rule": ("rule_name",),
    "subject": (),
    "subject_kind": ("subject_type", "kind"),
    "source": (),
    "message": ("message_id",),
    "event": ("event_id",),
    "contact": ("contact_key",),
    "campaign": ("campaign_id",),
    "period": (),
    "reason": (),
    "disposition": (),
    "who": ("waived_by", "approved_by"),
    "until": ("until_when", "expires", "expires_on", "expires_at", "valid_until"),
}
_NAMES = {other: name for name, others in _COLUMNS.items() for other in (name, *others)}
_SHOWN = "rule, subject, reason, who, until"
_PREFIX = re.compile(rf"({'|'.join(KINDS)})\s*:\s*(.*)", re.IGNORECASE | re.DOTALL)
_DAY = r"\d{4}-\d{2}(?:-\d{2})?"
_PERIOD = re.compile(rf"({_DAY})(?:\s*\.\.\s*({_DAY}))?")
_ENDLESS = 9999


@dataclass(frozen=True)
class Waiver:
    """One row of waivers.csv.

    `subject` is as written, `value` what it names without the kind in front. `kind` is one of KINDS, or empty where
    the row does not say what the value is. A period is [`from_at`, `until_at`). The waiver holds before `ends_at`;
    `until` is the last day on which it does. Both are None for one that holds until it is revoked.
    """

    number: int
    rule: str
    subject: str
    kind: str
    value: str
    source: str | None
    from_at: datetime | None
    until_at: datetime | None
    reason: str
    disposition: str
    who: str
    until: date | None
    ends_at: datetime | None


def read(home: Path, timezone: str) -> list[Waiver]:
    """The rows of a home's waivers.csv in order, days cut in `timezone`; none where there is no such file."""
    path = home / FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigurationError(f"{path} line {line} is not UTF-8 text.", "Save it as CSV in UTF-8.") from error
    rows = list(_rows(path, text))
    if not rows:
        return []
    columns = _header(path, rows[0][1])
    zone = _zone(timezone)
    return [
        _Row(path, line, dict(zip(columns, cells, strict=True)), zone).waiver(number)
        for number, (line, cells) in enumerate(_filled(path, rows, len(columns)), start=1)
    ]


def _rows(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Every row that is not empty, with the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield line, stripped
            line = reader.line_num + 1
    except csv.Error as error:
        raise ConfigurationError(
            f"{path} line {line} is not valid CSV: {error}.", "Close every quote, and double quotes inside quotes."
        ) from error


def _header(path: Path, cells: list[str]) -> list[str]:
    columns: list[str] = []
    for position, cell in enumerate(cells, start=1):
        plain = re.sub(r"[\s-]+", "_", cell.lower())
        name = _NAMES.get(plain)
        if name is None:
            near = difflib.get_close_matches(plain, _NAMES, n=1)
            if near:
                remedy = f"Did you mean {near[0]}?"
            elif len(cells) == 1 and (";" in cell or "\t" in cell):
                remedy = "Put commas between the columns."
            else:
                remedy = f"The first line names the columns: {_SHOWN}."
            raise ConfigurationError(f"{path} line 1: column {position} has a name that heed does not know.", remedy)
        if name in columns:
            raise ConfigurationError(f"{path} line 1: column {name} is there twice.", "Keep one of the two.")
        columns.append(name)
    for name in ("rule", "reason", "who"):
        if name not in columns:
            raise ConfigurationError(f"{path} line 1: column {name} is missing.", f"Name the columns {_SHOWN}.")
    if not {"subject", *KINDS} & set(columns):
        raise ConfigurationError(f"{path} line 1: column subject is missing.", f"Name the columns {_SHOWN}.")
    return columns


def _filled(path: Path, rows: list[tuple[int, list[str]]], width: int) -> Iterator[tuple[int, list[str]]]:
    for line, cells in rows[1:]:
        if len(cells) != width:
            raise ConfigurationError(
                f"{path} line {line} has {len(cells)} values, and the first line names {width} columns.",
                "Put a text with commas in quotes.",
            )
        yield line, cells


def _zone(name: str) -> tzinfo:
    fixed = fixed_offset_seconds(name)
    return ZoneInfo(name) if fixed is None else fixed_zone(timedelta(seconds=fixed))


class _Row:
    """One row being read: hands out its parts and complains with file, line and column."""

    def __init__(self, path: Path, line: int, cells: dict[str, str], zone: tzinfo) -> None:
        self.path, self.line, self.cells, self.zone = path, line, cells, zone

    def wrong(self, column: str, problem: str, remedy: str) -> ConfigurationError:
        return ConfigurationError(f"{self.path} line {self.line}: column {column} {problem}.", remedy)

    def required(self, column: str, remedy: str) -> str:
        if not self.cells[column]:
            raise self.wrong(column, "is empty", remedy)
        return self.cells[column]

    def waiver(self, number: int) -> Waiver:
        column, kind, value, subject = self._subject()
        source = self.cells.get("source") or None
        if source and kind not in ("message", ""):
            raise self.wrong("source", f"is filled, and the subject is a {kind}", "Only a message has a source.")
        kind = "message" if source else kind
        from_at, until_at = self._period(column, value) if kind == "period" else (None, None)
        until, ends_at = self._until()
        return Waiver(
            number=number,
            rule=self.required("rule", "Name the rule, or write * for every rule."),
            subject=subject,
            kind=kind,
            value=value,
            source=source,
            from_at=from_at,
            until_at=until_at,
            reason=self.required("reason", "Write why: a waiver without a reason is none."),
            disposition=self.cells.get("disposition") or _DISPOSITION,
            who=self.required("who", "Write who decided it: a waiver that nobody signs is none."),
            until=until,
            ends_at=ends_at,
        )

    def _subject(self) -> tuple[str, str, str, str]:
        """The column that names the subject, its kind (empty: not said), its value, and it as written."""
        named = [column for column in ("subject", *KINDS) if self.cells.get(column)]
        if len(named) != 1:
            problem = f"and column {named[1]} both name a subject" if named else "names no subject"
            raise self.wrong(
                named[0] if named else "subject",
                problem,
                "Write one subject: message:ID, event:ID, contact:ADDRESS, campaign:ID or period:2026-10.",
            )
        column = named[0]
        value = self.cells[column]
        if column != "subject":
            return column, column, value, f"{column}:{value}"
        kind = self._kind()
        prefixed = _PREFIX.fullmatch(value)
        if prefixed and kind in ("", prefixed[1].lower()):
            kind, value = prefixed[1].lower(), prefixed[2].strip()
            if not value:
                raise self.wrong("subject", f"names no {kind}", f"Write which one behind {kind}:")
        if not kind and _PERIOD.fullmatch(value):
            kind = "period"
        return column, kind, value, f"{kind}:{value}" if kind else value

    def _kind(self) -> str:
        said = self.cells.get("subject_kind", "").lower()
        kind = _NAMES.get(said, said)
        if kind and kind not in KINDS:
            raise self.wrong("subject_kind", "is none that heed knows", f"Write one of {', '.join(KINDS)}.")
        return kind

    def _period(self, column: str, text: str) -> tuple[datetime, datetime]:
        remedy = "Write a month (2026-10), a day (2026-10-01) or days (2026-10-01..2026-10-07)."
        match = _PERIOD.fullmatch(text)
        if not match:
            raise self.wrong(column, "is no period", remedy)
        try:
            first, _ = _days(match[1])
            _, last = _days(match[2] or match[1])
        except (ValueError, OverflowError) as error:
            raise self.wrong(column, "is a period of days that do not exist", remedy) from error
        if last < first:
            raise self.wrong(column, "is a period that ends before it begins", remedy)
        return self._midnight(first, column), self._midnight(last + timedelta(days=1), column)

    def _until(self) -> tuple[date | None, datetime | None]:
        """The last day on which it holds, and the instant from which on it does not."""
        text = self.cells.get("until", "")
        if not text or re.fullmatch(rf"{_ENDLESS}-\d\d-\d\d", text):
            return None, None
        try:
            if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
                day = date.fromisoformat(text)
                return day, self._midnight(day + timedelta(days=1), "until")
            instant = datetime.fromisoformat(text)
        except ValueError as error:
            raise self.wrong(
                "until",
                "is neither a date nor an instant",
                "Write a day (2026-12-31), an instant with its offset (2026-12-31T18:00:00Z), or nothing.",
            ) from error
        if instant.tzinfo is None:
            raise self.wrong(
                "until", "is an instant without its offset", "Write 2026-12-31T18:00:00Z, or the day alone."
            )
        instant = instant.astimezone(UTC)
        return instant.astimezone(self.zone).date(), instant + timedelta(microseconds=1)

    def _midnight(self, day: date, column: str) -> datetime:
        """When a day begins in the report time zone."""
        if not 2000 <= day.year < _ENDLESS:
            raise self.wrong(column, "is a time that no record has", f"Write a year from 2000 to {_ENDLESS - 1}.")
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)


def _days(text: str) -> tuple[date, date]:
    """The first and the last day of `2026-10` or `2026-10-01`; raises ValueError where there is no such day."""
    if len(text) > len("2026-10"):
        day = date.fromisoformat(text)
        return day, day
    first = date.fromisoformat(f"{text}-01")
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
