"""What one can say to `heed`: every verb with its options, its help and an example."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from pipelines import __version__, segments
from pipelines.errors import UsageError
from pipelines.settings_table import seconds_of

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
    "verify": (
        "check every line, part and snapshot against the digests that vouch for it, offline",
        "heed -C logs verify --json",
    ),
    "sign-key": (
        "print the public half of the key that signs runs, which is made if there is none",
        "heed -C logs sign-key",
    ),
    "repair": ("take what is damaged out, so that the next run makes it anew", "heed -C logs repair"),
    "health": (
        "say whether the snapshot is fresh and the last run went well, for monitoring",
        "heed -C logs health --max-age 26h",
    ),
    "forget": (
        "remove a person's address and texts, and go on honouring the opt-out",
        'heed -C logs forget "+1 202 555 0143"',
    ),
    "rotate-key": ("key every contact anew with a new secret", "heed -C logs rotate-key"),
    "dashboard": ("serve the pages", "heed -C logs dashboard --port 8501"),
}

#: The columns that a verb's rows can be filtered by; both have --period too.
FILTERS = {
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
        " cannot be read, nothing published; 12 not healthy (heed health); 64 wrong usage; 75 another run holds the"
        " lock; 78 wrong configuration;"
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
    made["run"].add_argument(
        "--rebuild", action="store_true", help="make the snapshot anew from history, also where nothing is new"
    )
    made["run"].add_argument("--verbose", action="store_true", help="say every step")
    made["run"].add_argument(
        "--wait",
        metavar="DURATION",
        nargs="?",
        type=_seconds,
        default=0,
        const=3600,
        help="wait for another run to end, at most so long, as 90s, 30min or 2h (without a value: 1h), then exit 75",
    )
    made["health"].add_argument(
        "--max-age",
        metavar="DURATION",
        type=_seconds,
        help="how old the last success may be, as 90min, 26h or 2d (default: max_age of heed.toml, else 26h)",
    )
    made["health"].add_argument("--alert", action="store_true", help="send the alerts that are due")
    for name in ("status", "verify", "health", "forget"):
        made[name].add_argument("--json", action="store_true", help="print it as JSON")
    made["verify"].add_argument(
        "--public-key",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="runs must be signed by its key (PEM; once for each key that was ever used)",
    )
    for name in ("findings", "metrics", "contact", "rules", "waivers"):
        made[name].add_argument(
            "--format", choices=("table", "csv", "json", "parquet"), default="table", help="default: table"
        )
    for name, options in FILTERS.items():
        for option in options:
            flag = "--" + option.removeprefix("finding_").removesuffix("_id")
            made[name].add_argument(flag, dest=option, metavar="VALUE", help=f"only rows with this {option}")
        made[name].add_argument(
            "--period", metavar="YYYY-MM", help="only rows of this month, as the report's time zone has it"
        )
    for name in ("contact", "forget"):
        made[name].add_argument(
            "address",
            nargs="?",
            default="",
            help="an address in any spelling, a contact_key of 16 hexadecimal digits, or - to read it from input",
        )
    made["contact"].add_argument("--json", action="store_true", help="print all as one object, with what was read")
    made["contact"].add_argument(
        "--each", action="store_true", help="answer every line of input with one line, the object of --json"
    )
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


def _seconds(text: str) -> int:
    seconds = seconds_of(text)
    if not seconds:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration: write a number and a unit, as 90s, 26h or 2d")
    return seconds


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rows")
    return int(text)
