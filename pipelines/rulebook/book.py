"""Reads the rule book: what heed ships, what the home's rules.csv says, and which rows the policy puts in force."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path

from pipelines.errors import ConfigurationError
from pipelines.resources import reference_folder
from pipelines.rulebook import values

#: Kinds that heed judges messages and acts by; rows of other kinds are shown for information.
JUDGED_KINDS = ("optout_deadline", "quiet_hours", "frequency_cap", "consent_required", "confirmation", "penalty")
KINDS = (*JUDGED_KINDS, "keyword", "revocation_means", "revocation_scope", "retention", "platform_signal")
_ENABLED = {"yes": "yes", "true": "yes", "1": "yes", "no": "no", "false": "no", "0": "no", "strict": "strict"}
#: A date that says: adopted or scheduled, its start unknown.
_UNKNOWN_START = date(9999, 12, 31)
#: Columns that drafts of such tables have and heed has no use for.
_IGNORED = {"verified"}


@dataclass(frozen=True)
class LegalRule:
    """One row of the rule book, as written."""

    rule_id: str
    jurisdiction: str = ""
    regulation: str = ""
    citation: str = ""
    channel: str = "all"
    message_class: str = "marketing"
    kind: str = ""
    value: str = ""
    unit: str = ""
    counting: str = ""
    effective_from: str = ""
    effective_to: str = ""
    grade: str = ""
    checked_on: str = ""
    source_url: str = ""
    enabled: str = "yes"
    severity: str = ""
    in_words: str = ""
    note: str = ""
    origin: str = "heed"

    @property
    def is_judged(self) -> bool:
        """Whether heed can judge by it: a kind it knows, about marketing messages, on a channel it knows."""
        classes = {word.strip() for word in self.message_class.split("|")}
        return self.kind in JUDGED_KINDS and bool(classes & {"marketing", "any", ""}) and self.unit != "text"

    @property
    def judged_until(self) -> date | None:
        """Its last day; None while it goes on."""
        return date.fromisoformat(self.effective_to) if self.effective_to else None

    @property
    def judged_from(self) -> date | None:
        """Its first day; where that is not known, one year before the day on which it is known to be in force.

        None where no day is known at all: a row of the home's that says nothing of dates always holds.
        """
        if self.effective_from:
            return date.fromisoformat(self.effective_from)
        known = self.judged_until or (date.fromisoformat(self.checked_on) if self.checked_on else None)
        if known is None:
            return None
        return known.replace(year=known.year - 1, day=min(known.day, 28) if known.month == 2 else known.day)

    @property
    def starts(self) -> bool:
        """Whether it has a start at all; a row adopted without a date has none."""
        return self.judged_from != _UNKNOWN_START


COLUMNS = tuple(one.name for one in fields(LegalRule) if one.name != "origin")


@dataclass(frozen=True)
class BookRow:
    """A legal rule and whether the policy puts it in force."""

    rule: LegalRule
    is_in_force: bool


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8 text.", "Save it as UTF-8.") from error
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        listed = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise ConfigurationError(f"{path}, line {reader.line_num}: {error}.", "Correct that line.") from error
    if not listed:
        return []
    header = [name.strip().lower() for name in listed[0][1]]
    for name in header:
        if name not in (*COLUMNS, *_IGNORED):
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            remedy = f"Did you mean {near[0]}?" if near else f"It may have {', '.join(COLUMNS)}."
            raise ConfigurationError(f"{path}: column {name!r} is none of the rule book's.", remedy)
    if "rule_id" not in header:
        raise ConfigurationError(f"{path} has no column rule_id.", "Write one: it says which rule a row is about.")
    rows = []
    for line, row in listed[1:]:
        if len(row) != len(header):
            raise ConfigurationError(
                f"{path}, line {line} has {len(row)} cells, its header {len(header)}.",
                "Put cells with commas in quotes.",
            )
        cells = {name: cell.strip() for name, cell in zip(header, row, strict=True) if name in COLUMNS}
        rows.append(cells | {"line": str(line)})
    return rows


def _checked(rule: LegalRule, where: str) -> LegalRule:
    """The rule, if its cells can be read; raises ConfigurationError naming `where` otherwise."""
    try:
        if rule.kind not in KINDS:
            raise ValueError(f"kind {rule.kind!r} is none; write {', '.join(JUDGED_KINDS)}")
        if rule.enabled.lower() not in _ENABLED:
            raise ValueError(f"enabled {rule.enabled!r} is neither yes, no nor strict")
        if rule.severity not in ("", "high", "warning"):
            raise ValueError(f"severity {rule.severity!r} is neither high nor warning")
        for name in ("effective_from", "effective_to", "checked_on"):
            text = getattr(rule, name)
            try:
                if text:
                    date.fromisoformat(text)
            except ValueError as error:
                raise ValueError(f"{name} {text!r} is no date; write 2026-10-31") from error
        if rule.is_judged:
            values.places(rule.jurisdiction)
            values.channels(rule.channel)
            _read_value(rule)
    except ValueError as error:
        raise ConfigurationError(f"{where}, rule {rule.rule_id!r}: {error}.", "Correct that row.") from error
    return replace(rule, enabled=_ENABLED[rule.enabled.lower()])


def _read_value(rule: LegalRule) -> None:
    match rule.kind:
        case "optout_deadline":
            values.deadline(rule.value, rule.unit, rule.counting)
        case "quiet_hours":
            values.quiet_hours(rule.value)
            values.clock(rule.unit)
        case "frequency_cap":
            values.cap(rule.value)
        case "penalty":
            values.penalty(rule.value)


def shipped() -> dict[str, LegalRule]:
    """The rows of data/reference/rules.csv, by id."""
    path = reference_folder() / "rules.csv"
    rows = ({name: cell for name, cell in row.items() if name != "line"} for row in _rows(path))
    return {row["rule_id"]: _checked(LegalRule(**row), str(path)) for row in rows}


def _merged(path: Path, rules: dict[str, LegalRule]) -> dict[str, LegalRule]:
    """The shipped rules with the home's rows laid over them: a cell that says something replaces, a new id is added."""
    merged = dict(rules)
    seen: set[str] = set()
    for row in _rows(path):
        where = f"{path}, line {row.pop('line')}"
        rule_id = row.pop("rule_id")
        if not rule_id:
            raise ConfigurationError(f"{where} has no rule_id.", "Name the rule it is about, or give a new one a name.")
        if rule_id in seen:
            raise ConfigurationError(f"{where}: {rule_id} is there twice.", "Keep one of the two rows.")
        seen.add(rule_id)
        said = {name: cell for name, cell in row.items() if cell}
        if rule_id in rules:
            rule = replace(rules[rule_id], **said, origin="home")
        else:
            missing = [name for name in ("jurisdiction", "kind") if name not in said]
            if missing:
                raise ConfigurationError(
                    f"{where}: {rule_id} is a new rule and says no {' and no '.join(missing)}.",
                    "Say where it holds and what kind of rule it is, or correct the id of the rule you mean.",
                )
            rule = LegalRule(rule_id, **({"grade": "home"} | said), origin="home")
        merged[rule_id] = _checked(rule, where)
    return merged


def read(home: Path, choice: str | tuple[str, ...], audit_names: Iterable[str] = ()) -> list[BookRow]:
    """Every row of the book, with whether `[policy] rules` (`choice`) puts it in force.

    "default" takes the rows that are enabled, "strict" also those of the preset, "none" no row, and a list exactly the
    rows it names; names of audits in the list (`audit_names`) choose audits and leave the rows as in "default" if it
    names no row. Raises ConfigurationError for a row that cannot be read and an id that is nobody's.
    """
    rules = shipped()
    path = home / "rules.csv"
    if path.exists():
        rules = _merged(path, rules)
    if not isinstance(choice, str):
        audits = set(audit_names)
        for name in choice:
            if name not in rules and name not in audits:
                near = difflib.get_close_matches(name, [*rules, *audits], n=1)
                remedy = f"Did you mean {near[0]}?" if near else "heed rules --all lists them."
                raise ConfigurationError(f"heed.toml: [policy] rules names {name!r}, which is no rule.", remedy)
        chosen = [name for name in choice if name in rules]
        choice = tuple(chosen) if chosen or not choice else "default"

    def in_force(rule: LegalRule) -> bool:
        if not rule.starts:
            return False
        if isinstance(choice, str):
            return rule.enabled in {"default": ("yes",), "strict": ("yes", "strict"), "none": ()}[choice]
        return rule.rule_id in choice

    return [BookRow(rule, in_force(rule)) for _, rule in sorted(rules.items())]
