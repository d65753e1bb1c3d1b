"""Forgets a person: address, mask and texts go, and the key stays, by which the opt-out goes on being honoured.

The ledger says so first, by the contact_key. From that line on nothing of the contact comes in with a load. What
is written already is then taken out, and the ledger says that it ended. Until it has, every run goes on with it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pipelines import contact, erasing, identity, private_files
from pipelines.engines.duckdb import DuckDBEngine, path_list
from pipelines.ledger import Ledger
from pipelines.lock import home_lock
from pipelines.settings import Settings, read
from pipelines.working import options_of, work_folder


@dataclass
class Forgotten:
    """What was done: the keys, how much was taken out, and which delivered files may still hold the person's rows."""

    contact_keys: list[str]
    was_known: bool = False
    parts: int = 0
    addresses: int = 0
    quarantined_rows: int = 0
    files: list[str] = field(default_factory=list)

    def words(self) -> str:
        """As a person reads it."""
        lines = [
            f"Forgotten: {', '.join(self.contact_keys)}. Its opt-outs go on being honoured."
            if self.was_known
            else f"Nothing was held under {', '.join(self.contact_keys)}. Nothing of it will come in.",
            f"Parts of history written anew: {self.parts}. Addresses removed: {self.addresses}."
            f" Quarantined rows without their text: {self.quarantined_rows}.",
        ]
        if self.files:
            listed = "".join(f"\n  {name}" for name in self.files)
            lines.append(
                "heed never changes what was delivered. These files brought rows of this contact. Remove them, or"
                f" deliver them again without it:{listed}"
            )
        return "\n".join(lines)


def forget(home: Path, text: str, narrate: Callable[[str], None]) -> Forgotten:
    """Forget the contact of an address or a key, and say what was done.

    Raises ConfigurationError without the home's key, DamagedHistoryError where history is not whole.
    """
    told = read(home)
    with home_lock(told.home, "forget"):
        private_files.close(told, narrate)
        ledger = Ledger(told.history)
        ledger.check_parts()
        key = identity.home_key(told.private, ledger, may_make=not ledger.loads)
        keys = contact.keys_of(text, told, ledger)
        with work_folder(told) as work, DuckDBEngine(**options_of(told, work, "forget")) as engine:
            on_record = [one for one in keys if _is_on_record(engine, told, ledger, key, one)]
            # Where bare digits may be a phone number or an id, the one that is on record is meant.
            meant = on_record or keys
            narrate("Taking the texts and the address out.")
            ledger.forget([identity.key_text(one) for one in meant])
            done = erasing.erase_contacts(engine, told, ledger, key, _spellings(text, meant, told, key))
        return Forgotten(
            contact_keys=[identity.key_text(one) for one in meant],
            was_known=bool(on_record),
            parts=done.parts,
            addresses=done.addresses,
            quarantined_rows=done.quarantined_rows,
            files=sorted(name for name in done.files if (told.home / name).exists()),
        )


def _is_on_record(engine: DuckDBEngine, told: Settings, ledger: Ledger, key: bytes, contact_key: int) -> bool:
    paths = ledger.parts("addresses") + sorted(identity.store(told.private, key).glob("*.parquet"))
    rows = f"read_parquet({path_list(paths)}, union_by_name = true, hive_partitioning = false)"
    return bool(paths) and bool(engine.rows(f"select 1 from {rows} where contact_key = {contact_key} limit 1"))


def _spellings(text: str, keys: list[int], told: Settings, key: bytes) -> list[str]:
    """The address as it was given, normalised, where it was an address and not a key."""
    country = told.policy.default_country
    found = (identity.normalised_address(text, is_phone, country) for is_phone in (True, False))
    return [address for address in dict.fromkeys(found) if identity.contact_key(address, key) in keys]


def run(options: argparse.Namespace) -> None:
    """Forget whom the command line names and print what was done; a - reads the address from standard input.

    Raises UsageError without an address.
    """
    done = forget(options.home, contact.asked_for(options), lambda words: print(words, file=sys.stderr))
    if options.json:
        print(json.dumps(asdict(done), ensure_ascii=False))
    else:
        print(done.words())
    print(f"Next: heed -C {options.home} run publishes without it.", file=sys.stderr)
