"""The documents say what is so: links lead somewhere, lists are complete, and every example is run."""

from __future__ import annotations

import contextlib
import inspect
import io
import json
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path

import polars
import pytest

from pipelines import (
    cli,
    connectors,
    errors,
    identity,
    readers,
    settings,
    settings_dashboard,
    settings_engine,
    settings_limits,
    settings_operations,
    settings_retention,
    snapshots,
    staging,
    zones,
)
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.statistics import trends

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])

_FENCE = re.compile(r"^```(\w+)?[ ]?(\S+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_DERIVED = re.compile(r"derived-[0-9a-f]{32}")  # made of the content, the contact_key and with it this home's secret


@cache
def text(page: str) -> str:
    """A page of docs/."""
    return (ROOT / "docs" / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[tuple[str, str, str]]:
    """The fenced blocks of a page: language, file they are, content."""
    return _FENCE.findall(text(page))


def section(page: str, heading: str) -> str:
    """The text below a heading, up to the next heading of its level or above."""
    level, title = heading.split(" ", 1)
    begins = re.search(rf"^{level} {re.escape(title)}$", text(page), re.MULTILINE)
    assert begins, f"{page} has no heading {heading}"
    rest = text(page)[begins.end() :]
    ends = re.search(rf"^#{{1,{len(level)}}} ", rest, re.MULTILINE)
    return rest[: ends.start()] if ends else rest


def tables(part: str) -> list[list[dict[str, str]]]:
    """The tables of a part of a page, each as rows by column heading, without code marks."""
    found: list[list[dict[str, str]]] = []
    for lines in re.findall(r"(?:^\|.*\|$\n?)+", part, re.MULTILINE):
        rows = [
            [cell.strip().replace("`", "") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in lines.strip().split("\n")
        ]
        found.append([dict(zip(rows[0], row, strict=True)) for row in rows[2:]])
    return found


def anchors(page: Path) -> set[str]:
    """What a link may name in a page: its headings as GitHub spells them."""
    plain = _FENCE.sub("", page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.*)$", plain, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.replace("`", "").lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    plain = _FENCE.sub("", page.read_text(encoding="utf-8"))
    lost = []
    for link in _LINK.findall(plain):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert not lost


def test_every_page_is_in_the_list_of_pages() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES if page.parent.name == "docs" and f"docs/{page.name}" not in readme] == []


def reason_codes() -> set[str]:
    """Every reason code that readers, staging and connectors give."""
    found = set(readers._REASONS.values())
    found |= set(
        re.findall(r"(?:then|else) '([a-z]+_[a-z_0-9]+)'", inspect.getsource(staging) + inspect.getsource(readers))
    )
    found |= set(re.findall(r'"(timestamp_[a-z_]+)"', inspect.getsource(zones)))
    for path in sorted(Path(connectors.__file__).parent.glob("*.py")):
        for case in re.findall(r"\bcase\b(?:(?!\bcase\b).)*?end as reject_reason", path.read_text(), re.DOTALL):
            found |= set(re.findall(r"then '([a-z_0-9]+)'", case))
    return found


def test_every_reason_code_has_its_remedy() -> None:
    listed = {row["reason"]: row["what to do"] for row in tables(section("records.md", "## Quarantine"))[0]}
    assert set(listed) == reason_codes()
    assert all(listed.values())
    assert len(listed) > 12


def settings_in_code() -> set[str]:
    """Every key that heed.toml may have, in whichever table."""
    modules = (settings, settings_dashboard, settings_engine, settings_operations, settings_retention)
    source = "".join(inspect.getsource(module) for module in modules)
    methods = r"(?:table|inner|roles)\.(?:text|texts|take|required|one_of|size)\(\s*\"(\w+)\"(?!, dict\))"
    helpers = r"(?:_(?:deadline|country|zone|seconds|at_least)\(table, |asked\.add\(|table\.text\()\"(\w+)\""
    found = set(re.findall(methods, source)) | set(re.findall(helpers, source))
    # Tables of [dashboard] have sections of their own.
    limits = {field.name for field in fields(settings_limits.Limits)}
    return found - {"roles"} | set(settings_dashboard.ROLES) | limits


def test_every_setting_is_documented_and_no_other() -> None:
    listed = [row["setting"] for table in tables(text("configuration.md")) for row in table if "setting" in row]
    assert sorted({*listed}) == sorted(settings_in_code())
    assert {"scope", "report_timezone", "default_deadline", "null_values", "event_type"} <= set(listed)


def test_documented_settings_name_their_defaults(tmp_path: Path) -> None:
    block = next(content for language, _, content in blocks("configuration.md") if language == "toml")
    (tmp_path / "heed.toml").write_text(block, encoding="utf-8")
    assert settings.read(tmp_path).policy == settings.Policy()


def test_every_example_of_heed_toml_is_read(tmp_path: Path) -> None:
    read = 0
    for page in PAGES:
        for language, _, content in _FENCE.findall(page.read_text(encoding="utf-8")):
            if language == "toml":
                (tmp_path / "heed.toml").write_text(content, encoding="utf-8")
                settings.read(tmp_path)
                read += 1
    assert read >= 8


def test_every_exit_code_says_what_to_do() -> None:
    codes = {0, cli.UNEXPECTED, cli.VIOLATIONS_FOUND}
    codes |= {
        one.exit_code for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.HeedError)
    }
    listed = {int(row["code"]) for row in tables(section("operations.md", "## Exit codes"))[0]}
    assert listed == codes


def test_every_metric_and_definition_is_defined() -> None:
    (rows,) = [table for table in tables(text("snapshot.md")) if "definition" in table[0]]
    for row in rows:
        part = section("definitions.md", f"## {row['metric']}")
        assert [
            one
            for one in row["definition"].split(", ")
            if one not in ("heed", "mann_kendall_theil_sen") and one not in part
        ] == []
    assert len(rows) >= 11


class Example:
    """A home made of the files that a page shows, after a run, and what commands say of it."""

    def __init__(self, page: str, home: Path) -> None:
        self.page, self.home = page, home
        for _, name, content in blocks(page):
            if name:
                path = home / name
                path.parent.mkdir(parents=True, exist_ok=True)
                earlier = path.read_text(encoding="utf-8") + "\n" if path.exists() else ""
                path.write_text(earlier + content, encoding="utf-8")
        self.outcome = json.loads(self.said("run", "--json"))

    def said(self, *arguments: str) -> str:
        """Standard output of a command."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            assert cli.main(["-C", str(self.home), *arguments]) == 0
        return out.getvalue()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[DuckDBEngine]:
        """Its published snapshot."""
        with snapshots.opened(Path(self.outcome["snapshot"])) as engine:
            yield engine


Examples = Callable[[str], Example]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Examples:
    """The example home of a page, made once."""
    made: dict[str, Example] = {}

    def of(page: str) -> Example:
        if page not in made:
            made[page] = Example(page, tmp_path_factory.mktemp(page.removesuffix(".md")))
        return made[page]

    return of


@pytest.mark.parametrize("page", ["connectors.md", "definitions.md"])
def test_commands_print_what_the_page_shows(page: str, example: Examples) -> None:
    shown = 0
    for language, _, content in blocks(page):
        if language == "console":
            command, _, output = content.partition("\n")
            words = shlex.split(command)
            assert words[:4] == ["$", "heed", "-C", "logs"]
            assert _DERIVED.sub("derived-", example(page).said(*words[4:])) == _DERIVED.sub("derived-", output), command
            shown += 1
    assert shown >= 4


def test_the_snapshot_has_the_documented_columns_and_no_other(example: Examples) -> None:
    documented = {
        relation: [(row["column"], row["type"]) for row in tables(section("snapshot.md", f"### {relation}"))[0]]
        for relation in re.findall(r"^### (\w+\.\w+)$", text("snapshot.md"), re.MULTILINE)
    }
    with example("definitions.md").snapshot() as engine:
        rows = engine.rows(
            "select table_schema || '.' || table_name, column_name, lower(data_type) from information_schema.columns"
            " order by 1, ordinal_position"
        )
    real: dict[str, list[tuple[str, str]]] = {}
    for relation, column, kind in rows:
        real.setdefault(relation, []).append((column, kind))
    assert documented == real


def test_the_pointer_holds_what_the_page_says(example: Examples) -> None:
    pointer = json.loads((example("definitions.md").home / "published" / "CURRENT.json").read_text(encoding="utf-8"))
    (said,) = re.findall(r"^`CURRENT.json` holds (.*)$", text("snapshot.md"), re.MULTILINE)
    assert re.findall(r"`(\w+)`", said) == list(pointer)


def test_the_example_s_rows_are_quarantined_as_shown(example: Examples) -> None:
    home = example("records.md")
    files = {one["load_id"]: one["file"] for one in home.outcome["inputs"]}
    found = [
        (files[path.stem], row["row_number"], row["reason"], row["column"] or "")
        for path in (home.home / "private" / "quarantine").glob("*.parquet")
        for row in polars.read_parquet(path).to_dicts()
    ]
    shown = [
        (row["file"], int(row["row_number"]), row["reason"], row["column"])
        for row in tables(section("records.md", "### An example"))[0]
    ]
    assert sorted(found) == sorted(shown)
    totals = [sum(one[name] for one in home.outcome["inputs"]) for name in ("read", "accepted", "duplicate")]
    assert "Of {} records {} are accepted, {} are duplicates".format(*totals) in text("records.md")


def test_the_example_s_messages_are_found_as_shown(example: Examples) -> None:
    rows = json.loads(example("rules.md").said("findings", "--rule", "message_after_opt_out", "--format", "json"))
    found = {row["message_id"]: (row["finding_class"], row["severity"], row["delivered"]) for row in rows}
    shown = {
        row["message"]: (row["finding_class"], row["severity"], row["delivered"] == "true")
        for row in tables(section("rules.md", "### Example"))[0]
        if row["finding_class"]
    }
    assert found == shown
    assert {row["deadline_at"] for row in rows} == {"2026-10-17T04:00:00Z"}
    classes = {
        row["finding_class"]: row["severity"].split(":")[0] for row in tables(section("rules.md", "### Classes"))[0]
    }
    assert {(kind, severity) for kind, severity, _ in found.values()} == set(classes.items())


def test_the_example_s_verdicts_are_as_shown(example: Examples) -> None:
    shown = {
        (row["period"], row["channel"], row["source"]): row["verdict"]
        for row in tables(section("definitions.md", "## verdict"))[-1]
    }
    found = {
        ((row["period_start"] or "all")[:7], row["channel"], row["source"]): row["verdict"]
        for row in example("definitions.md").outcome["verdict"]["by_period"]
        if row["source"] == "*"
    }
    assert found == shown


def test_the_example_of_a_trend_is_computed_as_shown() -> None:
    (row,) = tables(section("definitions.md", "## opt_out_trend"))[1]
    rates = [float(value) for name, value in row.items() if name != "week"]
    test, slope = trends.mann_kendall(rates), trends.theil_sen(range(len(rates)), rates)
    assert f"have the median {slope.value:.4f}" in section("definitions.md", "## opt_out_trend")
    assert f"{slope.lower:.2f} to {slope.upper:.2f}" in section("definitions.md", "## opt_out_trend")
    shown = section("definitions.md", "## opt_out_trend_direction")
    for part in (f"= {test.s}.", f"= {test.variance:.2f}", f"= {test.z:.3f}", f"p = {test.p_value:.4f}"):
        assert part in shown
    assert trends.trend_label(trends.trend_direction(rates)) in shown


def test_addresses_are_read_as_shown() -> None:
    rows = tables(section("records.md", "## Addresses"))[1]
    for row in rows:
        assert identity.normalised_address(row["written"], True, row["default_country"] or None) == row["compared as"]
    assert len(rows) >= 8
