"""heed's own shortest ways to the answer: `python -m tests.benchmarks.heed_core load,audit HOME OUT`.

`load` brings what is delivered into history, as `heed run` does. `audit` asks history the peers' question with heed's
own SQL: spans, citable spans and the range join of message_after_opt_out. Like the peers it takes every row for one
message and reads no deadlines: merging versions, classes and deadlines are the whole run's. OUT gets the message ids.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from pipelines import build, identity, inbox, sqlfiles
from pipelines.engines.duckdb import DuckDBEngine, path_text, quoted
from pipelines.ledger import Ledger
from pipelines.load import load_file
from pipelines.resources import reference_folder
from pipelines.settings import read
from tests.benchmarks.peers import CHANNELS
from tests.benchmarks.targets import default_limit_mb

#: Relations of the whole run, cut down to what decides which messages are inside a span, in the order of their making.
#: Contacts who never opted out or blocked have no span, so only the others' acts are read. An act on every channel is
#: spread over those channels that the peers are told too.
_LEAVERS = "select contact_key from history.consent_events where event_type in ('opt_out', 'complaint', 'block')"
_TABLES = {
    "core.consent_events": f"""
        select
            source, event_id, channel, contact_key, coalesce(program, '*') as program, event_type, requested_at,
            processed_at, cast(null as varchar) as reason
        from history.consent_events
        where contact_key in ({_LEAVERS})""",
    "core.contacts": """
        select distinct contact_key, concat('contact:', cast(contact_key as varchar)) as person_key
        from core.consent_events""",
    "core.scoped_acts": None,
    "core.spans": None,
    "core.citable_spans": None,
}
_VIEWS = {
    "run.parameters": "select 'channel' as scope",
    "core.written_pairs": f"""
        select e.contact_key, c.channel
        from core.consent_events as e cross join (select unnest({list(CHANNELS)}) as channel) as c
        where e.channel = '*'""",
    # Which programs a contact was written to matters in another scope only.
    "core.messages": "select contact_key, channel, 'default' as program from core.written_pairs where false",
    "core.opt_out_spans": """
        select
            *, cast(null as date) as begins_on, cast(null as timestamptz) as deadline_at,
            cast(null as varchar) as legal_rule_id
        from core.spans""",
    "core.span_coverage": None,
}
#: Every row is one message, as it is for the peers.
_MESSAGES = """
    select
        source, message_id, channel, contact_key, coalesce(program, 'default') as program, campaign_id, sent_at,
        coalesce(status, 'sent') as status,
        coalesce(message_class, 'unknown') in ('marketing', 'unknown') as is_marketing
    from history.messages"""
_ORDER = (
    "run.parameters", "core.consent_events", "core.contacts", "core.written_pairs",
    "core.messages", "core.scoped_acts", "core.spans",
    "core.opt_out_spans", "core.span_coverage", "core.citable_spans",
)  # fmt: skip


def load(home: Path) -> None:
    """Load the home's new files into its history."""
    settings = read(home)
    settings.history.mkdir(mode=0o700, exist_ok=True)
    ledger = Ledger(settings.history)
    key = identity.load_key(settings.private)
    files = inbox.inbox_files(settings, ledger, lambda _: None)
    for file in inbox.new_files(settings, ledger, files):
        with tempfile.TemporaryDirectory(dir=settings.private) as folder:
            work = Path(folder)
            with DuckDBEngine(
                work / "load.duckdb", memory_limit=f"{default_limit_mb():.0f}MiB", temporary_folder=work / "spill"
            ) as engine:
                load_file(engine, settings, ledger, file, key, work, datetime.now(UTC))


def audit(home: Path, out: Path) -> None:
    """Write the ids of the messages inside a span, from the home's history."""
    settings = read(home)
    with DuckDBEngine() as engine:
        build.attach_history(engine, Ledger(settings.history))
        acts = reference_folder() / "span_acts.csv"
        engine.create("reference.span_acts", f"select * from read_csv({path_text(acts)})")
        for relation in _ORDER:
            if relation in _TABLES:
                engine.create(relation, _TABLES[relation] or sqlfiles.read(relation).text)
            else:
                engine.create_view(relation, _VIEWS[relation] or sqlfiles.read(relation).text)
        engine.create_view("core.messages", _MESSAGES)
        found = sqlfiles.read("audits.message_after_opt_out").text
        engine.execute(f"copy (select message_id from ({found})) to {quoted(str(out))} (format parquet)")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("steps", help="load, audit, or both with a comma between")
    parser.add_argument("home", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    begun, used = time.perf_counter(), time.process_time()
    if "load" in options.steps:
        load(options.home)
    loaded, load_used = time.perf_counter(), time.process_time()
    if "audit" in options.steps:
        audit(options.home, options.out)
    ended, audit_used = time.perf_counter(), time.process_time()
    seconds = {"load": (loaded - begun, load_used - used), "audit": (ended - loaded, audit_used - load_used)}
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
