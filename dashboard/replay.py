"""Runs a rule's SQL again, as the run shipped it, over what the snapshot holds of one contact.

The snapshot holds the SQL text of every rule, the functions it calls, and the rows it reads of every contact that has a
finding. A replay shows those rows to the SQL under the names it reads them by, of one contact alone (under scope person,
of all contacts of its person), and compares what comes out with the findings that were published.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from dashboard import snapshot

#: Columns of a finding that no rule says: they join it when it is published.
ADDED = frozenset({"finding_id", "contact_masked", "waived_by", "jurisdiction", "jurisdiction_certainty"})

RELATIONS = """
select t.schema_name, t.table_name, bool_or(c.column_name = 'contact_key') as has_contact
from duckdb_tables() as t
join duckdb_columns() as c on c.database_name = t.database_name and c.table_oid = t.table_oid
where t.database_name = 'snapshot' and t.schema_name in ('core', 'run', 'reference')
group by all
"""
COLUMNS = "select column_name from duckdb_columns() where database_name = ? and table_name = ? order by column_index"
PERSON = """
select o.contact_key
from snapshot.core.contacts as c
join snapshot.core.contacts as o on o.person_key = c.person_key
where c.contact_key = ? and (select scope from snapshot.run.parameters) = 'person'
"""
RECORDS = "select count(*) as record_count from snapshot.core.timeline where contact_key in ({keys})"


@dataclass(frozen=True)
class Replay:
    """What came of running a rule's SQL again for one finding.

    `found`: the row it gave for the finding's subject, by column; None if it gave none. `differs`: the columns in which
    that row is not as published. `published_count`, `again_count`, `other_count`: findings of this rule and contact that
    were published, those of them that were found again as they were, and rows found now that were not published.
    `record_count`: the contact's records it ran over. `seconds`: how long all of it took.
    """

    found: dict[str, Any] | None
    differs: tuple[str, ...]
    published_count: int
    again_count: int
    other_count: int
    record_count: int
    seconds: float

    @property
    def is_same(self) -> bool:
        """Whether the finding was found again, alike in every column."""
        return self.found is not None and not self.differs


def replay(chosen: snapshot.Published, finding: dict[str, Any]) -> Replay:
    """Run the SQL of a published finding's rule again; `finding` is its row of audits.findings.

    Raises UnreadableSnapshotError where the snapshot lacks what the SQL reads.
    """
    begun = time.perf_counter()
    with snapshot.bench(chosen) as bench:
        keys = _contacts(bench, finding["contact_key"])
        _show(bench, keys)
        [rule] = bench.rows("select sql from snapshot.run.audit_rules where rule = ?", [finding["rule"]])
        bench.run(f"create table again as\n{rule['sql']}")
        columns = [name for name in _columns(bench, "snapshot", "findings") if name not in ADDED]
        given = set(_columns(bench, "memory", "again"))
        said = ", ".join(name if name in given else f"null as {name}" for name in columns)
        # Of other contacts of the person, their own findings tell.
        contact = [finding["contact_key"]]
        now = bench.rows(f"select {said} from again where contact_key is not distinct from ?", contact)
        then = bench.rows(
            f"select {', '.join(columns)} from snapshot.audits.findings"
            " where contact_key is not distinct from ? and rule = ?",
            [*contact, finding["rule"]],
        )
        records = bench.rows(RECORDS.format(keys=_listed(keys)))[0]["record_count"] if keys else 0
    subject = {name: finding[name] for name in columns}
    found = _nearest(subject, now)
    return Replay(
        found=found,
        differs=() if found is None else tuple(name for name in columns if found[name] != subject[name]),
        published_count=len(then),
        again_count=len(_as_set(then) & _as_set(now)),
        other_count=len(_as_set(now) - _as_set(then)),
        record_count=records,
        seconds=time.perf_counter() - begun,
    )


def _contacts(bench: snapshot.Bench, contact_key: int | None) -> list[int]:
    """The contacts whose rows the SQL is to see: the finding's own and, under scope person, its person's others."""
    if contact_key is None:
        return []
    return sorted({contact_key, *(row["contact_key"] for row in bench.rows(PERSON, [contact_key]))})


def _show(bench: snapshot.Bench, keys: list[int]) -> None:
    """Define every relation that a rule may read as a view of the snapshot's, of `keys` where it is about contacts."""
    for schema in ("core", "run", "reference"):
        bench.run(f"create schema {schema}")
    for relation in bench.rows(RELATIONS):
        name = f"{relation['schema_name']}.{relation['table_name']}"
        only = f" where contact_key in ({_listed(keys)})" if keys and relation["has_contact"] else ""
        bench.run(f"create view {name} as select * from snapshot.{name}{only}")


def _columns(bench: snapshot.Bench, database: str, table: str) -> list[str]:
    return [row["column_name"] for row in bench.rows(COLUMNS, [database, table])]


def _listed(keys: list[int]) -> str:
    return ", ".join(map(str, keys))


def _as_set(rows: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    return {tuple(row.values()) for row in rows}


def _nearest(subject: dict[str, Any], now: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The row that is about what the finding is about; of several, the one most like it."""
    about = ("source", "message_id", "event_id", "channel", "program", "campaign_id")
    same = [row for row in now if all(row[name] == subject[name] for name in about)]
    return max(same, key=lambda row: sum(row[name] == subject[name] for name in subject), default=None)
