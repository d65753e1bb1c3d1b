"""The tiny histories of `rule_histories` as whole homes: names become made-up addresses, rows become files."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from pipelines.resources import reference_folder
from tests.support.core_database import write_book
from tests.support.histories import History
from tests.support.homes import HomePlan, SourcePlan, written_time
from tests.support.homes_files import write_home
from tests.support.reference import deliveries_of, greatest_time
from tests.support.reference_deadlines import book_of
from tests.support.reference_places import calling_prefix
from tests.support.reference_reading import read
from tests.support.reference_record import Record, record_of
from tests.support.reference_spans import Policy
from tests.support.rule_histories import Setting

#: Numbers that nobody has, by calling prefix; a number from 100 to 199 follows.
_NUMBERS = {
    "+33": "+33199000",
    "+44": "+447700900",
    "+49": "+493023125",
    "+61": "+61255500",
    "+64": "+6490000",
    "+91": "+911234567",
}


def write_rule_home(home: Path, setting: Setting, histories: Iterable[History], random: Random) -> None:
    """heed.toml, rules.csv with the setting's book alone, and the histories as files of two sources."""
    addresses = _Addresses()
    plans: dict[tuple[str, str], SourcePlan] = {}
    for history in histories:
        for table, rows in history.rows.items():
            for row in rows:
                source = row["source"]
                plan = plans.setdefault((source, table), SourcePlan(source, table, None, stem=f"{source}-{table}"))
                plan.records.append(
                    {column: _written(addresses, random, column, row[column]) for column in row if column != "source"}
                )
    write_home(home, HomePlan(_policy(setting.policy), list(plans.values())), random)
    write_book(home, setting.book)


def record_of_home(home: Path) -> Record:
    """What the home's files say, read by the reference, under the home's own policy and book."""
    records = read(deliveries_of(home), policy_of_home(home).default_country)
    return record_of(records.rows, policy_of_home(home), book_of(home, reference_folder()), greatest_time(records))


def policy_of_home(home: Path) -> Policy:
    """The [policy] of a home as `write_rule_home` writes it."""
    told = tomllib.loads((home / "heed.toml").read_text(encoding="utf-8"))["policy"]
    amount, _, hours = told.get("frequency_cap", "").partition("/")
    return Policy(
        scope=told["scope"],
        default_deadline=told["default_deadline"],
        report_timezone=told["report_timezone"],
        rules=told["rules"] if isinstance(told["rules"], str) else tuple(told["rules"]),
        double_opt_in=told["double_opt_in"],
        frequency_cap=(int(amount), timedelta(hours=int(hours.removesuffix("h")))) if amount else None,
        forbidden_sources=tuple(told["forbidden_sources"]),
        confirmation_window=timedelta(minutes=int(told["confirmation_window"].removesuffix("min"))),
    )


def _policy(policy: Policy) -> dict[str, Any]:
    told: dict[str, Any] = {
        "scope": policy.scope,
        "default_deadline": policy.default_deadline,
        "report_timezone": policy.report_timezone,
        "rules": policy.rules if isinstance(policy.rules, str) else list(policy.rules),
        "double_opt_in": policy.double_opt_in,
        "forbidden_sources": list(policy.forbidden_sources),
        "confirmation_window": f"{policy.confirmation_window // timedelta(minutes=1)}min",
    }
    if policy.frequency_cap:
        told["frequency_cap"] = f"{policy.frequency_cap[0]}/{policy.frequency_cap[1] // timedelta(hours=1)}h"
    return told


class _Addresses:
    """A made-up address for each name: of the same country and area, and another for every name."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self.counts: dict[str, int] = {}

    def address(self, name: str) -> str:
        """The address of a name; always the same."""
        if name not in self.known:
            prefix = calling_prefix(name)
            if prefix is None:
                self.known[name] = name if "@" in name else f"token-{name}"
            else:
                number = self.counts[prefix] = self.counts.get(prefix, 99) + 1
                assert number < 200, "more contacts than made-up numbers"
                self.known[name] = f"{_NUMBERS.get(prefix, f'{prefix}5550')}{number}"
        return self.known[name]


def _written(addresses: _Addresses, random: Random, column: str, value: Any) -> Any:
    if column == "contact":
        return addresses.address(value)
    return written_time(random, value, None) if isinstance(value, datetime) else value
