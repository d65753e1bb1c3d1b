"""Damaged deliveries and configurations, and what is promised: an error of heed's own, or every row accounted for.

Real payloads (the shipped samples, and those of other projects where they lie beside this one) are cut, spliced,
repeated, recoded and packed; each is then loaded as a run loads it.
"""

from __future__ import annotations

import faulthandler
import gzip
import os
import re
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars
from hypothesis import strategies as st

from pipelines import connectors, settings
from pipelines.errors import AccountingError, ConfigurationError, EngineError, HeedError
from tests.support.home import Home

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "data" / "samples"
#: Payloads from other projects' tests; no part of this one, and not everywhere.
PEER_CASES = ROOT.parent / "shared" / "peer-cases"
#: Seconds after which an input is a hang.
LONGEST = 60

_MAPPED = """
null_values = ["-", ""]
[source.columns]
message_id = "{id}"
channel = {{ constant = "email" }}
contact = "{contact}"
sent_at = "{at}"
status = "{status}"
[source.values.status]
OK = "delivered"
sent = "sent"
[[source.events]]
event_type = "opt_out"
requested_at = "{event}"
"""
SHOP = _MAPPED.format(id="msg no", contact="phone", at="sent", status="state", event="unsubscribed at")
PUSH = 'time_unit = "ms"\n' + _MAPPED.format(id="push", contact="uid", at="ts", status="state", event="gone")
MAILCHIMP = _MAPPED.format(id="id", contact="email_address", at="timestamp", status="action", event="timestamp")


@dataclass(frozen=True)
class Seed:
    """One real payload: the connector and settings that read it, its name and its bytes."""

    connector: str
    options: str
    name: str
    data: bytes


@cache
def seeds() -> tuple[Seed, ...]:
    """Every payload to begin with, in a fixed order."""
    found = []
    for path in sorted((SAMPLES / "canonical").iterdir()):
        found.append(
            Seed("canonical", f'table = "{path.stem}"\ntimezone = "America/New_York"', path.name, path.read_bytes())
        )
    for path in sorted((SAMPLES / "generic").iterdir()):
        found.append(Seed("generic", SHOP if path.suffix == ".csv" else PUSH, path.name, path.read_bytes()))
    for connector in ("twilio", "whatsapp_cloud"):
        folders = [SAMPLES / connector, PEER_CASES / connector]
        for path in (path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir())):
            data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            found.append(Seed(connector, "", path.name.removesuffix(".gz"), data))
    for path in sorted((PEER_CASES / "mailchimp").glob("*.csv")):
        found.append(Seed("generic", MAILCHIMP, path.name, path.read_bytes()))
    for path in (PEER_CASES / "email_webhook_cases.jsonl", PEER_CASES / "aws" / "aws_callbacks.jsonl"):
        if path.is_file():
            found += [Seed(connector, "", path.name, path.read_bytes()) for connector in ("twilio", "whatsapp_cloud")]
    return tuple(found)


#: What is put into a payload.
TOKENS = (
    b'"', b"'", b"\n", b"\r", b"\r\n", b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b",", b";", b"\t", b"{",
    b"[", b"]", b"}", b"\\", b"\\u0000", b"\\ud800", b"null", b"NaN", b"-1e999", b"9" * 400, b"0", b"true",
    b"+99:99", b"2026-02-30T25:61:61Z", b"0000-00-00", b"294277-01-10T04:00:54.775807Z", b"[" * 5000, b"x" * 70,
    b'{"a":' * 300 + b"1" + b"}" * 300, b"%s%n", b"../../etc/passwd", b"\xf0\x9f\x98\x80", b"\xe2\x80\xae",
    b"=1+1", b"row_number", b"raw", b"contact", b"*", b"$", b".",
)  # fmt: skip
#: (what is done, where it begins, how much of the payload it is about, which token)
Change = tuple[str, float, float, bytes]
_KINDS = ("insert", "delete", "repeat", "flip", "cut", "swap", "replace_value", "case")


def changes() -> st.SearchStrategy[list[Change]]:
    """One to eight changes of a payload."""
    share = st.floats(0, 1, allow_nan=False)
    one = st.tuples(st.sampled_from(_KINDS), share, share, st.sampled_from(TOKENS) | st.binary(max_size=8))
    return st.lists(one, min_size=1, max_size=8)


def changed(data: bytes, several: list[Change]) -> bytes:
    """A payload after all the changes."""
    for kind, at, share, token in several:
        place = int(at * len(data))
        size = max(1, int(share**4 * len(data)))  # mostly small
        if kind == "insert":
            data = data[:place] + token + data[place:]
        elif kind == "delete":
            data = data[:place] + data[place + size :]
        elif kind == "repeat":
            data = data[:place] + data[place : place + size] * 3 + data[place + size :]
        elif kind == "flip" and data:
            place = min(place, len(data) - 1)
            data = data[:place] + bytes([data[place] ^ (1 + int(share * 254))]) + data[place + 1 :]
        elif kind == "cut":
            data = data[:place]
        elif kind == "swap":
            lines = data.split(b"\n")
            first, second = int(at * (len(lines) - 1)), int(share * (len(lines) - 1))
            lines[first], lines[second] = lines[second], lines[first]
            data = b"\n".join(lines)
        elif kind == "replace_value":
            values = list(re.finditer(rb'[^,:"\n{}\[\]]+', data))
            if values:
                value = values[min(int(at * len(values)), len(values) - 1)]
                data = data[: value.start()] + token + data[value.end() :]
        elif kind == "case":
            data = data[:place] + data[place : place + size].swapcase() + data[place + size :]
    return data[:400_000]


def names(seed: Seed) -> st.SearchStrategy[str]:
    """What the payload is called: mostly what it was, now and then another format."""
    stem, ending = seed.name.rsplit(".", 1)
    others = ("csv", "jsonl", "json", "txt", "parquet")
    return st.sampled_from([ending] * 12 + [f"{ending}.gz"] * 2 + list(others)).map(lambda one: f"{stem}.{one}")


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[Seed, str, bytes]:
    """A seed, and the name and bytes of a delivery made of it."""
    seed = draw(st.sampled_from(seeds()))
    name = draw(names(seed))
    data = changed(seed.data, draw(changes()))
    if draw(st.integers(0, 30)) == 0:
        data = data.decode("utf-8", errors="replace").encode(
            draw(st.sampled_from(["utf-16", "latin-1", "utf-8-sig"])), "replace"
        )
    if name.endswith(".gz"):
        data = gzip.compress(data, mtime=0)
        if draw(st.integers(0, 3)) == 0:
            data = changed(data, draw(changes()))
    elif name.endswith(".parquet") and draw(st.integers(0, 3)):
        data = changed(parquet(seed), draw(changes()))
    return seed, name, data


@cache
def parquet(seed: Seed) -> bytes:
    """A seed's rows as a Parquet file of texts."""
    rows = [line.split(b",") for line in seed.data.splitlines()[:20]]
    columns = {
        name.decode(errors="replace") or "x": [row[:1][0].decode(errors="replace") for row in rows] for name in rows[0]
    }
    path = Path(tempfile.mkdtemp()) / "x.parquet"
    polars.DataFrame(columns).write_parquet(path)
    data = path.read_bytes()
    shutil.rmtree(path.parent)
    return data


class Promises:
    """Loads one delivery after the other in homes of their own; counts what became of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.outcomes = folder, Counter[str]()
        self.loaded: list[tuple[Seed, str, bytes]] = []
        os.environ.setdefault("HEED_KEY", "a secret of the tests, long enough")

    def hold_for(self, seed: Seed, name: str, data: bytes) -> None:
        """Load one delivery; raises AssertionError, or whatever heed let through, where a promise is broken."""
        home = Home(Path(tempfile.mkdtemp(dir=self.folder)) / "home").deliver({f"{name}": data})
        (home.path / "heed.toml").write_text(
            f'[[source]]\nname = "s"\nconnector = "{seed.connector}"\npath = "inbox/*"\n{seed.options}\n'
        )
        faulthandler.dump_traceback_later(LONGEST, exit=True)
        try:
            loads, _ = home.load()
        except (EngineError, AccountingError):
            raise
        except HeedError as error:
            refused: HeedError | None = error
        else:
            refused = None
            for one in loads:
                assert one.read_count == one.accepted_count + one.duplicate_count + one.quarantined_count
                assert sum(one.tables.values()) == one.accepted_count
            assert sum(len(home.rows(table)) for table in settings.TABLES) == sum(one.accepted_count for one in loads)
            assert len(home.quarantined()) == sum(one.quarantined_count for one in loads)
            assert len(home.ledger.loads) == len(loads) == 1
            self.outcomes["loaded"] += 1
            self.loaded += [(seed, name, data)] if loads[0].accepted_count else []
            self.outcomes["rows read"] += loads[0].read_count
            self.outcomes["rows accepted"] += loads[0].accepted_count
            self.outcomes["rows quarantined"] += loads[0].quarantined_count
        finally:
            faulthandler.cancel_dump_traceback_later()
        if refused:
            assert (refused.exit_code, bool(refused.remedy)) in ((11, True), (78, True))
            assert home.ledger.loads == []
            self.outcomes[type(refused).__name__] += 1
        shutil.rmtree(home.path.parent)

    def run_loaded(self, count: int) -> int:
        """Let a whole run judge and publish the last `count` deliveries that gave rows; returns how many there were."""
        home = Home(Path(tempfile.mkdtemp(dir=self.folder)) / "home").configure("")
        sources = "[policy]\n"
        for number, (seed, name, data) in enumerate(self.loaded[-count:]):
            home.deliver({f"{number}/{name}": data})
            sources += f'[[source]]\nname = "s{number}"\nconnector = "{seed.connector}"\n'
            sources += f'path = "inbox/{number}/*"\n{seed.options}\n'
        (home.path / "heed.toml").write_text(sources)
        faulthandler.dump_traceback_later(LONGEST * 10, exit=True)
        said = home.heed("run", "--json")
        faulthandler.cancel_dump_traceback_later()
        assert said.code == 0, said.err
        for one in said.json()["inputs"]:
            assert one["read"] == one["accepted"] + one["duplicate"] + one["quarantined"]
        shutil.rmtree(home.path.parent)
        return len(self.loaded[-count:])


@cache
def configurations() -> tuple[bytes, ...]:
    """Every heed.toml that the documents show."""
    pages = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]
    found = [
        block for page in pages for block in re.findall(r"^```toml[^\n]*\n(.*?)^```$", page.read_text(), re.M | re.S)
    ]
    assert len(found) > 5
    return tuple(block.encode() for block in found)


def configuration_holds(home: Path, data: bytes) -> str:
    """Read a damaged heed.toml: settings, or a ConfigurationError that names the file; returns which."""
    (home / "heed.toml").write_bytes(data)
    try:
        read = settings.read(home)
    except ConfigurationError as error:
        return "refused" if "heed.toml" in str(error) else f"said without naming the file: {error}"
    for source in read.sources:
        try:
            connectors.connector(source)
        except ConfigurationError:
            return "refused"
    return "read"
