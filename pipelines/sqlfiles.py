"""Reads sql/: each file's header, what it reads, and the order in which to build it.

A file `sql/<layer>/<name>.sql` is a comment header and one select; it builds relation `<schema>.<name>`.
A file may read earlier layers, and files of its own layer that do not read it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from pipelines.resources import sql_folder

#: Layers in the order in which they are built, with the schemas a layer may read.
READABLE_SCHEMAS: dict[str, frozenset[str]] = {
    "core": frozenset({"history", "run", "reference", "core"}),
    "audits": frozenset({"core", "run", "reference"}),
    "metrics": frozenset({"core", "run", "reference", "audits", "metrics"}),
    "published": frozenset({"core", "run", "audits", "metrics"}),
    "checks": frozenset({"history", "core", "run", "audits", "metrics"}),
}

_RELATION = re.compile(r"\b(history|run|reference|core|audits|metrics|checks)\.([a-z][a-z0-9_]*)")
_COMMENT = re.compile(r"--[^\n]*")
_HEADER_LINE = re.compile(r"^--\s?(.*)$")
_FIELD = re.compile(r"^(Rule|Why|Remedy|Severity|Engine):\s*(.*)$")


@dataclass(frozen=True)
class SqlFile:
    """One SQL file: its relation, its header and its select."""

    path: Path
    layer: str
    name: str
    header: str
    text: str

    @property
    def relation(self) -> str:
        """The relation it builds, as `schema.name`."""
        return f"{self.layer}.{self.name}"

    @property
    def reads(self) -> frozenset[str]:
        """Every relation the select names, as `schema.name`."""
        return relations_of(self.text)

    @property
    def grain(self) -> str:
        """The header's first sentence: what one row is."""
        return self.header.split("\n", 1)[0]

    @property
    def fields(self) -> dict[str, str]:
        """The header's named parts (Rule, Why, Remedy, Severity, Engine), continuation lines joined."""
        found: dict[str, str] = {}
        current = ""
        for line in self.header.splitlines()[1:]:
            match = _FIELD.match(line)
            if match:
                current = match.group(1)
                found[current] = match.group(2)
            elif current and line.strip():
                found[current] += " " + line.strip()
        return found

    @property
    def engine(self) -> str | None:
        """The only engine that can build it; None where every engine can."""
        return self.fields.get("Engine")

    def upward_reads(self) -> list[str]:
        """Relations it reads and must not."""
        allowed = READABLE_SCHEMAS[self.layer]
        return sorted(name for name in self.reads if name.split(".", 1)[0] not in allowed or name == self.relation)


def relations_of(select: str) -> frozenset[str]:
    """Every relation of heed's that a select names, as `schema.name`."""
    return frozenset(f"{schema}.{name}" for schema, name in _RELATION.findall(_COMMENT.sub("", select)))


def _parse(path: Path) -> SqlFile:
    lines = path.read_text(encoding="utf-8").splitlines()
    header: list[str] = []
    for line in lines:
        match = _HEADER_LINE.match(line)
        if not match:
            break
        header.append(match.group(1))
    text = "\n".join(lines[len(header) :]).strip().rstrip(";")
    return SqlFile(path, path.parent.name, path.stem, "\n".join(header), text)


@cache
def read(relation: str) -> SqlFile:
    """The file that builds `relation` ("core.opt_out_spans")."""
    layer, _, name = relation.partition(".")
    return _parse(sql_folder() / layer / f"{name}.sql")


@cache
def load(layer: str) -> tuple[SqlFile, ...]:
    """The files of one layer in the order in which they can be built; raises ValueError on an upward read."""
    files = {file.relation: file for file in map(_parse, sorted((sql_folder() / layer).glob("*.sql")))}
    for file in files.values():
        if upward := file.upward_reads():
            raise ValueError(f"{file.path.name} reads {', '.join(upward)}, which is not an earlier layer")
    graph = {relation: sorted(file.reads & files.keys() - {relation}) for relation, file in files.items()}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise ValueError(f"the SQL files of {layer} read each other in a circle: {error.args[1]}") from error
    return tuple(files[relation] for relation in order)
