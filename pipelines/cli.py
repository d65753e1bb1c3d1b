"""The command `heed`: reads arguments, calls one step, maps errors to exit codes.

Standard output is data, standard error is narration.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines import segments
from pipelines.arguments import FILTERS, parser
from pipelines.errors import EngineError, HeedError

if TYPE_CHECKING:
    from pipelines.watch import Watch

VIOLATIONS_FOUND = 10
UNEXPECTED = 1


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
    from pipelines.watch import Watch

    return Watch(options.home).over(lambda watch: _run_watched(options, watch))


def _run_watched(options: argparse.Namespace, watch: Watch) -> int:
    from pipelines import audit, output, report, run, settings, snapshots, waivers_file
    from pipelines.narration import Narrator
    from pipelines.rulebook import book

    told = settings.read(options.home)
    # A mistake in one of these is said before anything is loaded.
    waivers_file.read(told.home, told.policy.report_timezone)
    book.read(told.home, told.policy.rules, audit.rule_names())
    with Narrator(verbose=options.verbose) as narrator:
        outcome = run.execute(
            told,
            as_of=options.as_of,
            rebuild=options.rebuild,
            narrate=narrator,
            tell=watch,
            wait_seconds=options.wait,
        )
    with snapshots.opened(outcome.snapshot) as engine:
        summary = snapshots.summary(engine)
    if options.json:
        summary |= {"snapshot": str(outcome.snapshot), "published": outcome.is_new, "seconds": outcome.seconds}
        print(output.json_text(summary, indent=1))
    else:
        sys.stdout.write(output.terminal_safe_lines(report.in_words(summary, str(outcome.snapshot))))
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
        print(output.json_text(kept | {"pointer": pointer, "runs": snapshots.plain_rows(history)}, indent=1))
        return 0
    print(f"Published {pointer.get('published_at')} by run {summary['run_id']}.\n")
    words = in_words(summary, str(options.home / "published" / str(pointer.get("snapshot"))))
    sys.stdout.write(output.terminal_safe_lines(words))
    print("\nLast runs")
    columns = list(history[0]) if history else []
    sys.stdout.write(output.as_table(columns, [list(row.values()) for row in history]))
    return 0


def _rows(options: argparse.Namespace) -> int:
    from pipelines import audit, output, snapshots

    filters = {name: getattr(options, name) for name in (*FILTERS[options.verb], "period")}
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


def _forget(options: argparse.Namespace) -> int:
    from pipelines import forget

    forget.run(options)
    return 0


def _rotate_key(options: argparse.Namespace) -> int:
    from pipelines import rotate

    rotate.rotate(options.home, lambda words: print(words, file=sys.stderr))
    return 0


def _verify(options: argparse.Namespace) -> int:
    from pipelines import verify

    verify.run(options.home, as_json=options.json, public_keys=options.public_key)
    return 0


def _sign_key(options: argparse.Namespace) -> int:
    from pipelines import settings, signature

    configured = settings.read(options.home).signing_key
    path = configured or options.home / "private" / "signing.pem"
    sys.stdout.write(signature.make_key(path))
    if not configured:
        print(
            f'{path} signs nothing yet. Write in heed.toml: [signature] and private_key = "private/signing.pem".',
            file=sys.stderr,
        )
    return 0


def _repair(options: argparse.Namespace) -> int:
    from pipelines import repair

    repair.repair(options.home, _complain)
    return 0


def _health(options: argparse.Namespace) -> int:
    from pipelines import health

    health.run(options)
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
    "verify": _verify,
    "repair": _repair,
    "sign-key": _sign_key,
    "health": _health,
    "forget": _forget,
    "rotate-key": _rotate_key,
    "dashboard": _dashboard,
}


def _complain(text: str) -> None:
    from pipelines.output import terminal_safe_lines  # names of files and columns are others' text

    print(terminal_safe_lines(text), file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code. Prints a user's error as one line, and never a traceback for it."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # data, whatever the terminal's locale
    os.umask(os.umask(0o022) | 0o022)  # nobody but the owner writes to what heed makes
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
    """A mistake of ours in one line, and on request where it happened; its own words may quote data, so `full` has them
    and nothing else does."""
    wanted = os.environ.get("HEED_TRACEBACK")
    if wanted == "full":
        traceback.print_exception(error)
    elif wanted:
        cause: BaseException | None = error
        while cause is not None:
            print(f"{type(cause).__name__}, without its words (HEED_TRACEBACK=full has them):", file=sys.stderr)
            for frame in traceback.extract_tb(cause.__traceback__):
                print(f"  {frame.filename}:{frame.lineno} in {frame.name}", file=sys.stderr)
            cause = cause.__cause__ or cause.__context__
    _complain(f"heed: {what}; the published snapshot is as it was. Set HEED_TRACEBACK=1 to see where.")
    return UNEXPECTED


if __name__ == "__main__":
    sys.exit(main())
