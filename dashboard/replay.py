"""Runs a rule's SQL again, as the run shipped it, over what the snapshot holds of one contact.

The snapshot holds the SQL text of every rule, the functions it calls, and the rows it reads of every contact that has
a finding. A replay shows those rows to the SQL under the names it reads them by, of one contact alone (under scope
person, of all contacts of its person), and compares what comes out with the findings that were published.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dashboard import snapshot

#: Columns of a finding that no rule says: they join it when it is published.
ADDED = frozenset(
    {"finding_id", "contact_masked", "waived_by", "waiver_number", "jurisdiction", "jurisdiction_certainty"}
)

RELATIONS = """
select table_schema as schema_name, table_name, bool_or(column_name = 'contact_key') as has_contact
from information_schema.columns
where table_schema in ('core', 'run', 'reference')
group by all
order by all
"""
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

    `found`: the row it gave for the finding's subject, by column; None if it gave none. `differs`: the columns in
    which that row is not as published. `published_count`, `again_count`, `other_count`: findings of this rule and
    contact that were published, those of them that were found again as they were, and rows found now that were not
    published. `record_count`: the contact's records it ran over. `seconds`: how long all of it took.
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
        _show(bench, _relations(chosen), keys)
        [rule] = bench.rows("select sql from snapshot.run.audit_rules where rule = ?", [finding["rule"]])
        bench.run(f"create table again as\n{rule['sql']}")
        # Of other contacts of the person, their own findings tell.
        contact = finding["contact_key"]
        given = bench.rows("select * from again where contact_key is not distinct from ?", [contact])
        published = bench.rows(
            "select * from snapshot.audits.findings where contact_key is not distinct from ? and rule = ?",
            [contact, finding["rule"]],
        )
        records = bench.rows(RECORDS.format(keys=_listed(keys)))[0]["record_count"] if keys else 0
    columns = [name for name in finding if name not in ADDED]
    # What a rule leaves out it has nothing to say of.
    now = [{name: row.get(name) for name in columns} for row in given]
    then = [{name: row.get(name) for name in columns} for row in published]
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


@lru_cache(maxsize=4)
def _relations(chosen: snapshot.Published) -> list[dict[str, Any]]:
    """The snapshot's relations that a rule may read, and whether their rows are about contacts."""
    found: list[dict[str, Any]] = snapshot.read_uncached(chosen, RELATIONS).to_pylist()
    return found


def _show(bench: snapshot.Bench, relations: list[dict[str, Any]], keys: list[int]) -> None:
    """Define the relations as views of the snapshot's, of `keys` where they are about contacts."""
    for schema in ("core", "run", "reference"):
        bench.run(f"create schema {schema}")
    for relation in relations:
        name = f"{relation['schema_name']}.{relation['table_name']}"
        only = f" where contact_key in ({_listed(keys)})" if keys and relation["has_contact"] else ""
        bench.run(f"create view {name} as select * from snapshot.{name}{only}")


def _listed(keys: list[int]) -> str:
    return ", ".join(map(str, keys))


def _as_set(rows: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    return {tuple(row.values()) for row in rows}


def _nearest(subject: dict[str, Any], now: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The row that is about what the finding is about; of several, the one most like it."""
    about = ("source", "message_id", "event_id", "channel", "program", "campaign_id")
    same = [row for row in now if all(row[name] == subject[name] for name in about)]
    return max(same, key=lambda row: sum(row[name] == subject[name] for name in subject), default=None)
