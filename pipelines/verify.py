"""Whether a home is what was written: every line, part and snapshot against the digests that vouch for it, offline."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines import chain, signature
from pipelines.errors import DamagedHistoryError, NewerFormatError, NotWholeError
from pipelines.ledger import NAME, Ledger, Load, Part, sha256_of
from pipelines.publish import POINTER, RUNS, pointer_text
from pipelines.terminal import terminal_safe


@dataclass(frozen=True)
class Check:
    """One thing that was checked: its kind, where it is, and what is wrong.

    Kinds: ledger, part, runs, snapshot, pointer, signature.
    """

    kind: str
    path: str  # below the home
    problem: str | None


def checks(home: Path) -> Iterator[Check]:
    """Every line, part and snapshot of a home, checked in that order; changes nothing.

    Parts of loads that were taken out of the record are not read. What no line names, a killed run's leavings, is
    nobody's and is not checked.
    """
    history, published = home / "history", home / "published"
    yield from _chained("ledger", home, history / NAME)
    try:
        recorded = parts(history)
    except (DamagedHistoryError, NewerFormatError) as error:
        recorded = []
        yield Check("ledger", _below(home, history / NAME), f"cannot be read: {error.what}")
    for _, part in recorded:
        yield Check("part", _below(home, history / part.path), _file_problem(history / part.path, part.sha256))
    yield from _chained("runs", home, published / RUNS)
    yield from _snapshots(home, published, {chain.NOTHING} | {line.digest for line in chain.lines(history / NAME)})


def parts(history: Path) -> list[tuple[Load, Part]]:
    """Every part of the record with its load; raises DamagedHistoryError where the ledger cannot be read."""
    return [(load, part) for load in Ledger(history).loads for part in load.parts]


def _below(home: Path, path: Path) -> str:
    return path.relative_to(home).as_posix()


def _chained(kind: str, home: Path, path: Path) -> Iterator[Check]:
    for line in chain.lines(path):
        yield Check(kind, f"{_below(home, path)}:{line.number}", line.problem)


def _file_problem(path: Path, sha256: str) -> str | None:
    try:
        found = sha256_of(path)
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return None if found == sha256 else f"is not what was written: its SHA-256 is {found}, not {sha256}"


def _snapshots(home: Path, published: Path, ledger_heads: set[str]) -> Iterator[Check]:
    told = [(line, line.entry) for line in chain.lines(published / RUNS) if line.entry]
    vouched = _vouched(published)
    # Runs from before there was a chain say nothing of their snapshots' bytes.
    unchained = {f"{entry.get('run_id')}.duckdb" for _, entry in told if chain.PREVIOUS not in entry}
    for path in sorted(published.glob("*.duckdb")):
        if path.name in unchained:
            continue
        sha256 = vouched.get(path.name)
        problem = _file_problem(path, str(sha256)) if sha256 else f"has no line in {RUNS} that vouches for it"
        yield Check("snapshot", _below(home, path), problem)
    for line, entry in told:
        if chain.PREVIOUS in entry and entry.get("ledger_head") not in ledger_heads:
            where = f"{_below(home, published / RUNS)}:{line.number}"
            yield Check("runs", where, f"names an end of the ledger that {NAME} does not hold: lines of it are gone")
    if (published / POINTER).exists() or told:
        yield Check("pointer", _below(home, published / POINTER), _pointer_problem(published, [one for one, _ in told]))


def _vouched(published: Path) -> dict[str, Any]:
    """The SHA-256 of every snapshot that a run's line vouches for, by file name."""
    entries = [line.entry for line in chain.lines(published / RUNS) if line.entry]
    return {str(entry.get("snapshot")): entry.get("snapshot_sha256") for entry in entries}


def snapshot_problem(path: Path) -> str | None:
    """What is wrong with a snapshot's file; None where it is what was published, or no line says what that was."""
    sha256 = _vouched(path.parent).get(path.name)
    return _file_problem(path, str(sha256)) if sha256 else None


def _pointer_problem(published: Path, lines: list[chain.Line]) -> str | None:
    """What is wrong with CURRENT.json: it repeats what a line of the runs says, and names that line."""
    try:
        data = (published / POINTER).read_bytes()
        pointer = json.loads(data)
        is_as_written = data == pointer_text(pointer).encode()
        snapshot = published / pointer["snapshot"]
        as_of = _instant(pointer)
    except (OSError, ValueError, KeyError, TypeError):
        return "is missing or damaged"
    if not snapshot.is_file():
        return f"names {snapshot.name}, which is missing"
    last = lines[-1].entry if lines else None
    if last and chain.PREVIOUS not in last and "head" not in pointer:  # from before there was a chain
        return None if last.get("run_id") == pointer.get("run_id") else f"does not name the last run of {RUNS}"
    told = next((line.entry for line in lines if line.entry and line.digest == pointer.get("head")), None)
    if told is None:
        return f"names no line of {RUNS}"
    said = {name: pointer.get(name) for name in ("run_id", "snapshot", "published_at", "fingerprint", "format")}
    agrees = all(told.get(name) == value for name, value in said.items()) and _instant(told) == as_of
    return None if agrees and is_as_written else f"does not say what its line of {RUNS} says"


def _instant(entry: dict[str, Any]) -> datetime | None:
    return datetime.fromisoformat(entry["as_of"]) if entry.get("as_of") else None


def signatures(home: Path, keys: Iterable[str] | None) -> tuple[list[signature.SignedRun], list[Check]]:
    """Which runs are signed by which key, and each signature as a check; with `keys`, runs must be signed by them."""
    published = home / "published"
    signed = list(signature.runs(published, chain.lines(published / RUNS), keys or ()))
    wrong = dict(signature.problems(signed, must_be_signed=keys is not None))
    checked = [one.line for one in signed if one.public_key or one.line in wrong]
    found = [Check("signature", f"published/{RUNS}:{line}", wrong.get(line)) for line in checked]
    if keys is not None and not signed:
        found.append(Check("signature", f"published/{RUNS}", "holds no run, and none that is signed"))
    return signed, found


def run(home: Path, *, as_json: bool, public_keys: Iterable[Path] = ()) -> None:
    """Print what was checked, who signed which runs and what is wrong; raises NotWholeError when anything is."""
    names = {signature.read_public_key(path): str(path) for path in public_keys}
    signed, of_signatures = signatures(home, names or None)
    found = [*checks(home), *of_signatures]
    wrong = [check for check in found if check.problem]
    if as_json:
        counts = {kind: sum(check.kind == kind for check in found) for kind in sorted({check.kind for check in found})}
        told: dict[str, Any] = {"checked": counts, "problems": [asdict(one) for one in wrong], "head": head(home)}
        told["unfinished"] = _unfinished(home)
        print(json.dumps(told | {"signatures": [asdict(one) for one in signed]}, indent=1))
    else:
        for check in wrong:
            print(terminal_safe(f"{check.path} {check.problem}."))
        if names or of_signatures:
            print("\n".join(map(terminal_safe, signature.in_words(signed, names))))
        if begun := _unfinished(home):
            print(f"An erasure was interrupted: {begun} contacts. To finish it: heed -C {home} run")
        print(f"{len(found):,} lines, parts and snapshots checked, {len(wrong):,} damaged. Head {head(home)}")
    if wrong:
        raise NotWholeError(
            f"{len(wrong):,} of {len(found):,} are not what was written.", f"Try: heed -C {home} repair"
        )


def _unfinished(home: Path) -> int:
    """How many contacts are being forgotten and are not known to be."""
    try:
        return len(Ledger(home / "history").unfinished)
    except (DamagedHistoryError, NewerFormatError):
        return 0


def head(home: Path) -> str:
    """The digest that stands for everything up to the last published run; kept elsewhere, it shows what was cut off."""
    return chain.head(home / "published" / RUNS)
