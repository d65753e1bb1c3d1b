"""The command `heed`: reads arguments, calls one step, maps errors to exit codes.

Standard output is data, standard error is narration.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from pipelines import __version__, segments
from pipelines.errors import EngineError, HeedError, UsageError

VIOLATIONS_FOUND = 10
UNEXPECTED = 1

#: How to use each verb: what it does, and an example.
VERBS: dict[str, tuple[str, str]] = {
    "init": ("write a commented heed.toml and the folders of a home", "heed -C logs init"),
    "sample": (
        "make a realistic, deliberately bad set of logs with its answer key",
        "heed -C demo sample --messages 100000",
    ),
    "run": ("load new files, build, audit, measure, validate and publish", "heed -C logs run --fail-on-violation"),
    "status": ("say what is published, how old it is, the verdict and the last runs", "heed -C logs status"),
    "findings": (
        "print the findings of the published snapshot",
        "heed -C logs findings --severity critical --format csv",
    ),
    "metrics": (
        "print the numbers of the published snapshot",
        "heed -C logs metrics --metric opt_out_rate --grain month",
    ),
    "contact": ("print everything held about one contact, in time order", 'heed -C logs contact "+1 202 555 0143"'),
    "rules": ("print the rules in force, their parameters and sources", "heed -C logs rules"),
    "waivers": ("print what waivers.csv excuses, by whom, until when, and what became of it", "heed -C logs waivers"),
    "screen": (
        "say who on a list may be sent to, and who not and why, before anything is sent",
        "heed -C logs screen list.csv --channel sms --program spring --at 2026-12-01T09:00-05:00 --out clean.csv",
    ),
    "compare": (
        "say what two runs report differently, and which loads, rules or settings changed it",
        "heed -C logs compare previous current --metric opt_out_rate",
    ),
    "segments": (
        "say who is opted in, opted out, pending confirmation or was never asked, or print their keys",
        "heed -C logs segments --segment opted_in --channel email --keys --format csv",
    ),
    "dashboard": ("serve the pages", "heed -C logs dashboard --port 8501"),
}

#: The columns that a verb's rows can be filtered by; both have --period too.
_FILTERS = {
    "findings": ("rule", "finding_class", "severity", "source", "channel", "program", "campaign_id"),
    "metrics": ("metric", "definition", "grain", "channel", "program", "campaign_id", "reason"),
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message[:1].upper()}{message[1:]}.", f"Try: {self.prog} --help")


def parser() -> argparse.ArgumentParser:
    """The command line, every verb with help and an example."""
    top = _Parser(
        prog="heed",
        description="Did every opt-out get heeded? Audits message logs against consent logs, with proof.",
        epilog="Exit codes: 0 done; 10 violations found (with --fail-on-violation) or rows refused (with"
        " --fail-on-refusal); 11 validation failed or a file"
        " cannot be read, nothing published; 64 wrong usage; 75 another run holds the lock; 78 wrong configuration;"
        " 1 unexpected."
        "  Example: heed -C data run",
    )
    top.add_argument(
        "-C", dest="home", metavar="HOME", type=Path, default=Path("data"), help="the home folder (default: data)"
    )
    top.add_argument("--version", action="version", version=f"heed {__version__}")
    verbs = top.add_subparsers(dest="verb", metavar="VERB", parser_class=_Parser)
    made = {
        name: verbs.add_parser(
            name, help=does, description=f"{does[:1].upper()}{does[1:]}.", epilog=f"Example: {example}"
        )
        for name, (does, example) in VERBS.items()
    }
    made["sample"].add_argument("--messages", type=int, default=120_000, help="how many messages (default: 120000)")
    made["sample"].add_argument("--seed", type=int, default=7, help="the same seed gives the same bytes (default: 7)")
    made["run"].add_argument("--json", action="store_true", help="print the result as JSON")
    made["run"].add_argument("--fail-on-violation", action="store_true", help="exit 10 when there is a violation")
    made["run"].add_argument(
        "--as-of", metavar="INSTANT", help="judge the record as it stood then (ISO 8601 with offset)"
    )
    made["run"].add_argument("--verbose", action="store_true", help="say every step")
    made["status"].add_argument("--json", action="store_true", help="print it as JSON")
    for name in ("findings", "metrics", "contact", "rules", "waivers"):
        made[name].add_argument(
            "--format", choices=("table", "csv", "json", "parquet"), default="table", help="default: table"
        )
    for name, options in _FILTERS.items():
        for option in options:
            flag = "--" + option.removeprefix("finding_").removesuffix("_id")
            made[name].add_argument(flag, dest=option, metavar="VALUE", help=f"only rows with this {option}")
        made[name].add_argument(
            "--period", metavar="YYYY-MM", help="only rows of this month, as the report's time zone has it"
        )
    made["contact"].add_argument(
        "address", help="an address in any spelling, a contact_key of 16 hexadecimal digits, or - to read it from input"
    )
    made["contact"].add_argument("--json", action="store_true", help="print all as one object, with what was read")
    _add_screen_options(made["screen"])
    _add_compare_options(made["compare"])
    segments.add_options(made["segments"])
    made["rules"].add_argument("--all", action="store_true", help="also those that are not in force")
    made["dashboard"].add_argument("--port", type=int, default=8501, help="default: 8501")
    made["dashboard"].add_argument(
        "--address", help="the address to listen on (default: that of heed.toml, else 127.0.0.1)"
    )
    made["dashboard"].add_argument(
        "--role",
        choices=("officer", "marketer", "viewer"),
        help="where nobody logs in, show what this role sees (default: officer)",
    )
    return top


def _add_screen_options(screen: argparse.ArgumentParser) -> None:
    option = screen.add_argument
    option("audience", metavar="AUDIENCE", help="the list: a .csv, .jsonl or .parquet file, or - for standard input")
    option("--channel", required=True, metavar="CHANNEL", help="how it is sent: sms, email, whatsapp, ...")
    option("--program", default="default", metavar="NAME", help="the list or brand it belongs to (default: default)")
    option("--at", metavar="INSTANT", help="when it is sent (ISO 8601 with offset; default: now)")
    option("--column", metavar="NAME", help="the column of addresses (default: found by its name)")
    option("--input-format", choices=("csv", "jsonl", "parquet"), help="what the list is, where its name does not say")
    option("--out", type=Path, metavar="FILE", help="where sendable rows go, unchanged (default: standard output)")
    option("--refused", type=Path, metavar="FILE", help="where refused rows go: a .csv, .jsonl or .parquet file")
    option("--format", choices=("table", "csv", "json"), default="table", help="of refused rows on standard output")
    option("--json", action="store_true", help="say the counts as one line of JSON")
    option("--require-consent", action="store_true", help="refuse everybody without an opt-in, law or no law")
    option(
        "--strict-time",
        action="store_true",
        help="refuse also where nobody can tell the time zone and one of the country is quiet",
    )
    option("--fail-on-refusal", action="store_true", help="exit 10 when a row is refused")


def _add_compare_options(compare: argparse.ArgumentParser) -> None:
    option = compare.add_argument
    named = "the id of a kept run, how it begins, previous or current"
    option("then", metavar="RUN_A", nargs="?", default="previous", help=f"the earlier run: {named} (default: previous)")
    option("now", metavar="RUN_B", nargs="?", default="current", help="the later run (default: current)")
    option("--format", choices=("table", "csv", "json"), default="table", help="default: table; csv has the numbers")
    for name in ("metric", "definition", "channel", "grain"):
        option(f"--{name}", metavar="VALUE", help=f"only numbers with this {name}")
    option("--rows", type=_count, metavar="N", help="at most N numbers (default: 20 in a table, else all)")
    option("--all-rows", action="store_true", help="every number, also those that are the same in both")


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rows")
    return int(text)


def _init(options: argparse.Namespace) -> int:
    from pipelines.homes import make_home

    path = make_home(options.home)
    print(
        f"Wrote {path}. Put your logs below {options.home / 'inbox'}, name them in it, then:"
        f" heed -C {options.home} run",
        file=sys.stderr,
    )
    return 0


def _sample(options: argparse.Namespace) -> int:
    from pipelines.sample import generate

    made = generate(options.home, messages=options.messages, seed=options.seed)
    planted = ", ".join(name.replace("_", " ") for name in made["incidents"])
    print(
        f"Wrote {made['files']} files with {made['rows']:,} rows below {options.home / 'inbox'}.\n"
        f"Planted: {planted}.\n"
        f"What a run must find is in {options.home / 'answer_key.json'}. Next: heed -C {options.home} run",
        file=sys.stderr,
    )
    return 0


def _run(options: argparse.Namespace) -> int:
    from pipelines import audit, report, run, settings, snapshots, waivers_file
    from pipelines.narration import Narrator
    from pipelines.rulebook import book

    told = settings.read(options.home)
    # A mistake in one of these is said before anything is loaded.
    waivers_file.read(told.home, told.policy.report_timezone)
    book.read(told.home, told.policy.rules, audit.rule_names())
    with Narrator(verbose=options.verbose) as narrator:
        outcome = run.execute(told, as_of=options.as_of, narrate=narrator)
    with snapshots.opened(outcome.snapshot) as engine:
        summary = snapshots.summary(engine)
    if options.json:
        summary |= {"snapshot": str(outcome.snapshot), "published": outcome.is_new, "seconds": outcome.seconds}
        json.dump(summary, sys.stdout, ensure_ascii=False, indent=1)
        print()
    else:
        sys.stdout.write(report.in_words(summary, str(outcome.snapshot)))
    return VIOLATIONS_FOUND if options.fail_on_violation and summary["violations"] else 0


def _status(options: argparse.Namespace) -> int:
    from pipelines import output, publish, snapshots
    from pipelines.report import in_words

    with snapshots.published(options.home) as engine:
        summary = snapshots.summary(engine)
        history = engine.records("select * from run.history order by started_at desc limit 10")
    pointer = publish.read_pointer(options.home / "published") or {}
    if options.json:
        kept = {name: summary[name] for name in ("run_id", "as_of", "violations", "verdict", "headline")}
        print(
            json.dumps(kept | {"pointer": pointer, "runs": snapshots.plain_rows(history)}, ensure_ascii=False, indent=1)
        )
        return 0
    print(f"Published {pointer.get('published_at')} by run {summary['run_id']}.\n")
    sys.stdout.write(in_words(summary, str(options.home / "published" / str(pointer.get("snapshot")))))
    print("\nLast runs")
    columns = list(history[0]) if history else []
    sys.stdout.write(output.as_table(columns, [list(row.values()) for row in history]))
    return 0


def _rows(options: argparse.Namespace) -> int:
    from pipelines import audit, output, snapshots

    filters = {name: getattr(options, name) for name in (*_FILTERS[options.verb], "period")}
    columns, build = (
        (audit.FINDING_COLUMNS, snapshots.findings_query)
        if options.verb == "findings"
        else (snapshots.METRIC_COLUMNS, snapshots.metrics_query)
    )
    with snapshots.published(options.home) as engine:
        query, parameters = build(filters, snapshots.report_timezone(engine))
        if options.format == "parquet":
            output.write_parquet(engine.frame(query, parameters))
        else:
            output.write_rows(columns, engine.rows(query, parameters), options.format)
    return 0


def _contact(options: argparse.Namespace) -> int:
    from pipelines import contact

    contact.run(options)
    return 0


def _rules(options: argparse.Namespace) -> int:
    from pipelines import audit, output, settings
    from pipelines.rulebook import book, listing

    policy = settings.read(options.home).policy
    rows = book.read(options.home, policy.rules, audit.rule_names())
    named = sorted(
        (rule for rule in audit.rules() if rule.name in audit.chosen(policy.rules)), key=lambda one: one.name
    )
    listed = listing.rows(named, rows, policy, every=options.all)
    if options.format != "table":
        output.write_rows(listing.COLUMNS, [list(row.values()) for row in listed], options.format)
        return 0
    for line in listing.in_words(listed, policy.rules if isinstance(policy.rules, str) else ""):
        print(output.terminal_safe_lines(line))
    return 0


def _waivers(options: argparse.Namespace) -> int:
    from pipelines import output, snapshots

    with snapshots.published(options.home) as engine:
        if not engine.relation_exists("audits.waivers"):
            print("This snapshot was made before there were waivers. Make another: heed run", file=sys.stderr)
        elif options.format == "parquet":
            output.write_parquet(engine.frame(snapshots.waivers_query()))
            return 0
        rows = [list(row.values()) for row in snapshots.waivers(engine)]
    until = snapshots.WAIVER_COLUMNS.index("until")
    if options.format == "table":
        rows = [[*row[:until], row[until] or "until revoked", *row[until + 1 :]] for row in rows]
    output.write_rows(snapshots.WAIVER_COLUMNS, rows, options.format)
    return 0


def _screen(options: argparse.Namespace) -> int:
    from pipelines import screen

    return VIOLATIONS_FOUND if screen.run(options) and options.fail_on_refusal else 0


def _compare(options: argparse.Namespace) -> int:
    from pipelines import compare

    compare.run(options)
    return 0


def _dashboard(options: argparse.Namespace) -> int:
    from pipelines import dashboard_process

    return dashboard_process.serve(options.home, options.port, options.address, options.role)


_DOES = {
    "init": _init,
    "sample": _sample,
    "run": _run,
    "status": _status,
    "findings": _rows,
    "metrics": _rows,
    "contact": _contact,
    "rules": _rules,
    "waivers": _waivers,
    "screen": _screen,
    "compare": _compare,
    "segments": segments.run,
    "dashboard": _dashboard,
}


def _complain(text: str) -> None:
    from pipelines.output import terminal_safe_lines  # names of files and columns are others' text

    print(terminal_safe_lines(text), file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code. Prints a user's error as one line, and never a traceback for it."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # data, whatever the terminal's locale
    try:
        options = parser().parse_args(arguments)
        if options.verb is None:
            parser().print_help()
            return 0
        code = _DOES[options.verb](options)
        sys.stdout.flush()  # while a closed pipe or a full disk can still be answered for
        return code
    except BrokenPipeError:
        _drop_output()
        return 0
    except KeyboardInterrupt:
        print("heed: stopped; the published snapshot is as it was.", file=sys.stderr)
        return UNEXPECTED
    except EngineError as error:
        return _unexpected(error, error.place)
    except HeedError as error:
        _complain(f"heed: {error}")
        return error.exit_code
    except OSError as error:
        _drop_output()
        where = f"{error.filename}: " if error.filename else ""
        _complain(f"heed: {where}{error.strerror or error}. The published snapshot is as it was.")
        return UNEXPECTED
    except Exception as error:
        return _unexpected(error, f"an unexpected {type(error).__name__}")


def _drop_output() -> None:
    """Send what standard output still holds nowhere, if it can go nowhere: else Python fails over it once more."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unexpected(error: Exception, what: str) -> int:
    """A mistake of ours in one line; its own words may quote data, so they are shown on request only."""
    if os.environ.get("HEED_TRACEBACK"):
        traceback.print_exception(error)
    _complain(
        f"heed: {what}; the published snapshot is as it was. Set HEED_TRACEBACK=1 to see where (it may show data)."
    )
    return UNEXPECTED


if __name__ == "__main__":
    sys.exit(main())
