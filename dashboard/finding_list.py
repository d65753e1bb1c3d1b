"""The findings as a list: filtered, counted, sorted and paged in SQL, however many there are.

Counts come from small published relations. The rows are published in the order of the list, the worst first, so that a
page of it is read without sorting: a table's rows come, and are numbered by rowid, in the order in which they were
written. Another order sorts the narrow columns it is about, and then reads the rows of one page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import pandas
import pyarrow

from dashboard import filters, snapshot

#: Up to so many findings are counted row by row where no published count answers, without being asked to.
FEW = 250_000

BAD = "severity in ('critical', 'high')"
SEVERITY_RANK = "case severity when 'critical' then 1 when 'high' then 2 when 'warning' then 3 else 4 end"
#: The order of the list: what was published before there was a place for each finding is put in order here.
WORST_FIRST = f"{SEVERITY_RANK}, occurred_at desc, source, message_id, event_id, rule"
#: Orders of the list, as the address names them, each with what it sorts by; ties keep the order of the list.
SORTS = {
    "worst": "",
    "newest": "occurred_at desc",
    "oldest": "occurred_at",
    "longest": "epoch_us(occurred_at) - epoch_us(begins_at) desc nulls last",
    "rule": "{kinds}",
    "contact": "contact_key nulls last",
    "channel": "channel",
    "program": "program nulls last",
    "campaign": "campaign_id nulls last",
}
GROUPS = f"""
select rule, finding_class, severity, sum(finding_count)::bigint as finding_count,
    coalesce(sum(finding_count) filter (where not is_waived and {BAD}), 0)::bigint as violation_count,
    coalesce(sum(finding_count) filter (where is_waived), 0)::bigint as waived_count
from {{groups}} {{chosen}}
group by rule, finding_class, severity
order by {SEVERITY_RANK}, finding_count desc, rule, finding_class
"""
CLASSES = f"""
select rule, finding_class from {{groups}} group by rule, finding_class
order by min({SEVERITY_RANK}), rule, finding_class
"""
LAWS = "select distinct legal_rule_id from {groups} where legal_rule_id is not null order by legal_rule_id"
# Groups of a snapshot that published none.
COUNTED_NOW = """(
    select cast(date_trunc('month', timezone(p.report_timezone, f.occurred_at)) as date) as period_start,
        rule, finding_class, severity, channel, program, campaign_id, legal_rule_id,
        waived_by is not null as is_waived, count(*) as finding_count
    from {findings} as f cross join run.parameters as p group by all
)"""
FOUND_MESSAGES = "select sum(message_count)::bigint as message_count from metrics.found_messages {chosen}"
COUNTED_MESSAGES = """
select count(distinct concat_ws(' ', source, message_id)) as message_count from {findings} {chosen}
    and message_id is not null and rule <> 'opt_out_request_missed'
"""
CONTACTS = """
select rule, finding_class, severity, count(distinct contact_key) as contact_count
from {findings} {chosen} group by rule, finding_class, severity
"""
SHOWN = """
select
    finding_id, contact_masked, occurred_at, finding_class, severity, channel, program, campaign_id, delivered,
    begins_at, processed_at, deadline_at, details, legal_rule_id, jurisdiction, jurisdiction_certainty, rule, source,
    message_id, event_id, waived_by, lpad(lower(hex(contact_key)), 16, '0') as contact
"""
EXPORTED = """
select
    rule, finding_class, severity, source, message_id, event_id, lpad(lower(hex(contact_key)), 16, '0') as contact_key,
    contact_masked, channel, program, campaign_id, occurred_at, begins_at, processed_at, deadline_at, delivered,
    details, waived_by, legal_rule_id, jurisdiction, jurisdiction_certainty, finding_id
"""


@dataclass(frozen=True)
class Choice:
    """What of the findings the reader chose; empty means all of them. `classes` are written rule/class.

    `waived` is all, waived or counting; `violations` leaves the violations alone.
    """

    period: date | None = None
    channel: str | None = None
    program: str | None = None
    campaign: str | None = None
    rules: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    laws: tuple[str, ...] = ()
    waived: str = "all"
    violations: bool = False
    day: date | None = None  # of the report time zone

    @property
    def is_by_message(self) -> bool:
        """Whether it chooses by what is the same for all findings of a message, and by nothing else."""
        chosen = (self.rules, self.classes, self.severities, self.laws, self.violations, self.day)
        return not any(chosen) and self.waived == "all"


class Where:
    """Conditions and their parameters, in the order in which they were said."""

    def __init__(self) -> None:
        self._conditions: list[str] = []
        self.parameters: list[Any] = []

    def add(self, condition: str, *parameters: Any) -> None:
        """One more condition; its question marks stand for the parameters."""
        self._conditions.append(condition)
        self.parameters += parameters

    def __str__(self) -> str:
        return f"where {' and '.join(self._conditions)}" if self._conditions else "where true"


def classes() -> list[str]:
    """Every rule/class with a finding, the gravest first."""
    return [f"{row['rule']}/{row['finding_class']}" for row in snapshot.rows(CLASSES.format(groups=_groups()))]


def laws() -> list[str]:
    """Every row of law that a finding rests on."""
    return [row["legal_rule_id"] for row in snapshot.rows(LAWS.format(groups=_groups()))]


def counts(choice: Choice) -> list[dict[str, Any]]:
    """Findings, violations and waived ones by rule, class and severity, the gravest first."""
    where = _where(choice, of_groups=True)
    if choice.day is None:
        return snapshot.rows(GROUPS.format(groups=_groups(), chosen=where), where.parameters)
    # Published counts are of months.
    of_day = f"(select * from {snapshot.findings()} where occurred_at >= ? and occurred_at < ?)"
    groups = COUNTED_NOW.format(findings=of_day)
    return snapshot.rows(
        GROUPS.format(groups=groups, chosen=where), [*filters.bounds_of_day(choice.day), *where.parameters]
    )


def message_count(choice: Choice, counted: Sequence[dict[str, Any]], *, all_of_them: bool) -> int | None:
    """How many messages the chosen findings are about; None where counting them takes long and was not asked for."""
    if choice.is_by_message and snapshot.has("metrics.found_messages"):
        where = Where()
        _add_groups(where, choice)
        row = snapshot.one(FOUND_MESSAGES.format(chosen=where), where.parameters) or {}
        return row.get("message_count") or 0
    if not all_of_them and sum(row["finding_count"] for row in counted) > FEW:
        return None
    where = _where(choice)
    row = snapshot.one(COUNTED_MESSAGES.format(findings=snapshot.findings(), chosen=where), where.parameters) or {}
    return row.get("message_count") or 0


def contact_counts(
    choice: Choice, counted: Sequence[dict[str, Any]], *, all_of_them: bool
) -> dict[tuple[str, str, str], int] | None:
    """How many contacts each rule, class and severity concerns; None where that takes long and was not asked for."""
    if not all_of_them and sum(row["finding_count"] for row in counted) > FEW:
        return None
    where = _where(choice)
    rows = snapshot.rows(CONTACTS.format(findings=snapshot.findings(), chosen=where), where.parameters)
    return {(row["rule"], row["finding_class"], row["severity"]): row["contact_count"] for row in rows}


def page(choice: Choice, sort: str, size: int, first: int) -> pandas.DataFrame:
    """`size` findings from the `first` on (0 is the first of all), in the order of SORTS."""
    where = _where(choice)
    by = SORTS[sort].format(kinds=_rank_of_kinds()) if sort == "rule" else SORTS[sort]
    parameters = [*where.parameters, size, first]
    if not _is_in_order():
        order = ", ".join([*([by] if by else []), WORST_FIRST])
        return snapshot.frame(
            f"{SHOWN} from {snapshot.findings()} {where} order by {order} limit ? offset ?", parameters
        )
    if not by:
        return snapshot.frame(f"{SHOWN} from audits.findings {where} limit ? offset ?", parameters)
    order = f"order by {by}, rowid"
    narrow = f"select rowid from audits.findings {where} {order} limit ? offset ?"
    return snapshot.frame(f"{SHOWN} from audits.findings where rowid in ({narrow}) {order}", parameters)


def _rank_of_kinds() -> str:
    """An expression that puts the rules' classes in the order of `classes`; numbers sort faster than their names."""
    pairs = [code.partition("/") for code in classes()]
    whens = " ".join(
        f"when rule = {_quoted(rule)} and finding_class = {_quoted(one)} then {number}"
        for number, (rule, _, one) in enumerate(pairs)
    )
    return f"case {whens} end" if whens else "rule"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def reading(choice: Choice) -> Callable[[], Iterator[pyarrow.RecordBatch]]:
    """What reads the chosen findings as Arrow batches, the worst first; also outside a page run."""
    where = _where(choice)
    order = "" if _is_in_order() else f"order by {WORST_FIRST}"
    sql = f"{EXPORTED} from {snapshot.findings()} {where} {order}"
    return partial(snapshot.batches, snapshot.published(), sql, where.parameters)


def _is_in_order() -> bool:
    # Findings have ids since they are published in this order.
    return "finding_id" in snapshot.columns("audits.findings")


def _groups() -> str:
    if snapshot.has("metrics.finding_groups"):
        return "metrics.finding_groups"
    return COUNTED_NOW.format(findings=snapshot.findings())


def _add_groups(where: Where, choice: Choice) -> None:
    """The conditions that hold for messages as for findings; months as the published counts have them."""
    for column, value in (("channel", choice.channel), ("program", choice.program), ("campaign_id", choice.campaign)):
        if value is not None:
            where.add(f"{column} = ?", value)
    if choice.period is not None:
        where.add("period_start = ?", choice.period)


def _where(choice: Choice, *, of_groups: bool = False) -> Where:
    """The conditions of a choice, on the published groups or on the findings themselves."""
    where = Where()
    if of_groups:
        _add_groups(where, choice)
    else:
        _add_groups(where, Choice(None, choice.channel, choice.program, choice.campaign))
        if choice.period is not None:
            where.add("occurred_at >= ? and occurred_at < ?", *filters.bounds_of(choice.period))
        if choice.day is not None:
            where.add("occurred_at >= ? and occurred_at < ?", *filters.bounds_of_day(choice.day))
    # Written out with `or`, a rule and its classes are found without putting the two together in every row.
    for column, values in (
        ("rule", choice.rules), ("severity", choice.severities), ("legal_rule_id", choice.laws),
    ):  # fmt: skip
        if values:
            where.add(f"{column} in ({', '.join('?' * len(values))})", *values)
    if choice.classes:
        pairs = [value.partition("/") for value in choice.classes]
        either = " or ".join(["(rule = ? and finding_class = ?)"] * len(pairs))
        where.add(f"({either})", *(part for rule, _, one in pairs for part in (rule, one)))
    is_waived = "is_waived" if of_groups else "waived_by is not null"
    if choice.violations:
        where.add(f"{BAD} and not ({is_waived})")
    if choice.waived != "all":
        where.add(is_waived if choice.waived == "waived" else f"not ({is_waived})")
    return where
