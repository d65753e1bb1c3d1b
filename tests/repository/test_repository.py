"""The repository itself: layers read downward, SQL stays portable, rules are documented, what is declared is used."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from importlinter.cli import lint_imports

import pipelines
from pipelines import audit, sqlfiles
from pipelines.canonical import TABLES
from pipelines.sqlfiles import SqlFile

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LAYERS = list(sqlfiles.READABLE_SCHEMAS)
FILES = [file for layer in LAYERS for file in sqlfiles.load(layer)]


def labels(file: SqlFile) -> str:
    return f"{file.layer}/{file.name}"


def code_of(file: SqlFile) -> str:
    """A file's SQL without comments and without what stands in quotes."""
    return re.sub(r"'(?:[^']|'')*'", "''", re.sub(r"--[^\n]*", "", file.text)).lower()


# ---- sql/


def test_every_sql_file_is_in_a_layer() -> None:
    assert {path.parent.name for path in (ROOT / "sql").rglob("*.sql")} == set(LAYERS)
    assert len(FILES) == len(list((ROOT / "sql").rglob("*.sql"))) > 30


@pytest.mark.parametrize("file", FILES, ids=labels)
def test_a_sql_file_says_what_one_row_is_and_is_one_select(file: SqlFile) -> None:
    assert re.match(r"One row (per|if) .*[.:?]$", file.grain), file.grain
    [statement] = duckdb.extract_statements(file.text)
    assert statement.type == duckdb.StatementType.SELECT
    assert file.upward_reads() == []
    assert len(file.path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("file", FILES, ids=labels)
def test_a_sql_file_reads_relations_that_are_there(file: SqlFile) -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "pipelines").rglob("*.py"))
    there = {one.relation for one in FILES} | set(
        re.findall(r'"((?:run|reference|history|audits|metrics)\.\w+)"', code)
    )
    there |= {f"history.{name}" for name in TABLES}
    there |= {f"reference.{path.stem}" for path in (ROOT / "data" / "reference").glob("*.csv")}
    assert file.reads - there == set()


@pytest.fixture
def other_sql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder in place of sql/."""
    monkeypatch.setattr(sqlfiles, "sql_folder", lambda: tmp_path)
    sqlfiles.load.cache_clear()
    yield tmp_path
    sqlfiles.load.cache_clear()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("core/a", "select * from audits.findings", "a.sql reads audits.findings"),
        ("core/a", "select * from metrics.headline", "a.sql reads metrics.headline"),
        ("audits/a", "select * from history.messages", "a.sql reads history.messages"),
        ("metrics/a", "select * from history.messages", "a.sql reads history.messages"),
        ("core/a", "select * from core.a", "a.sql reads core.a"),
        ("core/a", "select * from core.b -- core.c", "circle"),
    ],
)
def test_an_upward_read_is_refused(name: str, text: str, said: str, other_sql: Path) -> None:
    for layer in LAYERS:
        (other_sql / layer).mkdir()
    (other_sql / f"{name}.sql").write_text(f"-- One row per test.\n{text}\n")
    (other_sql / "core" / "b.sql").write_text("-- One row per test.\nselect * from core.a\n")
    with pytest.raises(ValueError, match=re.escape(said)):
        sqlfiles.load(name.split("/")[0])


def test_files_are_built_after_what_they_read(other_sql: Path) -> None:
    (other_sql / "core").mkdir()
    for name, text in {"a": "select * from core.b, core.c", "b": "select 1", "c": "select * from core.b"}.items():
        (other_sql / "core" / f"{name}.sql").write_text(f"-- One row per test.\n{text}\n")
    assert [file.name for file in sqlfiles.load("core")] == ["b", "c", "a"]


#: What DuckDB and Spark do not both read, or read differently.
FORBIDDEN = {
    "varchar": r"\bvarchar\b",
    "::": "::",
    "a trailing comma": r",\s*(\)|from\b|where\b|group\b|order\b|having\b|$)",
    "datediff": r"\bdate_?diff\b",
    "exclude": r"\bexclude\b",
    "asof": r"\basof\b",
    "by name": r"\bby\s+name\b",
    "a name in double quotes": '"',
    "strftime": r"\bstr[fp]time\b",
    "dayofweek": r"\b(dayofweek|weekday|isodow|dow)\b\s*\(",
    "a comprehension": r"\bfor\s+\w+\s+in\b",
    "hash": r"\bhash\s*\(",
    "a parameter": r"\$\w|(?<!:):\w|\?",
    "timezone": r"\b(timezone|at\s+time\s+zone)\s*\(|at\s+time\s+zone",
    "integer division": r"//",
    "ilike": r"\bilike\b",
    "a lambda": "->",
    "the clock": r"\b(now|current_timestamp|current_date|today)\b",
    "a place in a list that is no int": r"try_element_at\([^,()]+,(?!\s*(?:cast\(|\d))",
    "a recursion": r"\bwith\s+recursive\b",
    "an instant's type": r"\btimestamptz\b",
    "chance": r"\b(random|rand|uuid|sample)\b\s*\(",
}
PORTABLE = [file for file in FILES if file.layer != "checks" and "Engine" not in file.fields]


@pytest.mark.parametrize("file", PORTABLE, ids=labels)
def test_sql_stays_in_the_subset_of_duckdb_and_spark(file: SqlFile) -> None:
    found = [name for name, pattern in FORBIDDEN.items() if re.search(pattern, code_of(file))]
    assert found == []
    assert "\\" not in file.text, "Spark reads a backslash in a text as the beginning of an escape"


@pytest.mark.parametrize("file", FILES, ids=labels)
def test_a_running_window_says_rows(file: SqlFile) -> None:
    # Without it, a running sum takes all rows of a tie at once.
    for window in re.findall(
        r"\b(?:sum|count|min|max|bool_or)\([^()]*(?:\([^()]*\)[^()]*)*\)\s*over\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)",
        code_of(file),
    ):
        assert "order by" not in window or "rows " in window, window


def test_every_file_that_is_portable_is_known_as_such() -> None:
    assert len(PORTABLE) >= 15
    assert {file.fields["Engine"] for file in FILES if "Engine" in file.fields} <= {"duckdb", "spark"}


# ---- rules


@pytest.mark.parametrize("rule", audit.rules(), ids=labels)
def test_a_rule_has_everything_that_belongs_to_it(rule: SqlFile) -> None:
    assert all(rule.fields.get(name) for name in ("Rule", "Why", "Remedy", "Severity"))
    assert re.search(r"critical|high|warning|notice", rule.fields["Severity"])
    assert f"'{rule.name}' as rule" in rule.text
    specs = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "spec").glob("test_*.py"))
    assert f'"{rule.name}"' in specs or (ROOT / "tests" / "spec" / f"test_{rule.name}.py").is_file()
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {rule.name}\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    assert section, f"docs/rules.md has no section {rule.name}"
    assert [name for name in ("### Example", "### Reason", "### Remedy") if name not in section[1]] == []


@pytest.mark.parametrize("rule", audit.rules(), ids=labels)
def test_a_rule_returns_columns_of_a_finding_and_no_other(rule: SqlFile) -> None:
    last = rule.text[rule.text.rindex("select\n") :].partition("\nfrom ")[0]
    listed = [line.strip().rstrip(",") for line in last.splitlines()[1:] if re.match(r"    (\S|end as)", line)]
    names = [re.split(r"\s+as\s+|\.", line)[-1] for line in listed if not line.startswith(("case", "concat("))]
    names += re.findall(r"^    \) as (\w+)", last, re.MULTILINE)
    given = set(names) & set(audit.RULE_COLUMNS)
    assert set(names) - set(audit.RULE_COLUMNS) - {"end"} == set()
    assert given | {"details", "severity", "finding_class"} >= set(audit.REQUIRED_COLUMNS)


# ---- imports, dependencies, the lock


def test_the_import_contracts_hold(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == 0, capsys.readouterr().out
    names = [contract["name"] for contract in PYPROJECT["tool"]["importlinter"]["contracts"]]
    assert f"Contracts: {len(names)} kept, 0 broken." in capsys.readouterr().out


def imported(*folders: str) -> set[str]:
    """Top-level names of every package that the code imports and does not bring itself."""
    found = set()
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"pipelines", "dashboard", "tests", "tools"}


def declared(requirements: list[str]) -> set[str]:
    """The import names of requirements (here they differ from the package's name by - and _ only)."""
    return {re.split(r"[<>=!~\[; ]", requirement)[0].replace("-", "_") for requirement in requirements}


#: Needed without an import of ours: DuckDB gives instants through pytz, zoneinfo reads tzdata.
USED_BY_OTHERS = {"pytz", "tzdata"}


def test_what_is_declared_is_imported_and_what_is_imported_is_declared() -> None:
    needed = declared(PYPROJECT["project"]["dependencies"])
    used = imported("pipelines", "dashboard")
    # PySpark comes with `heed[spark]` and brings Py4J.
    extras = PYPROJECT["project"]["optional-dependencies"]
    optional = declared([*extras["spark"], *extras["alerts"]]) | {"py4j"}
    assert needed - used - USED_BY_OTHERS == set(), "declared and never imported"
    assert used - needed == optional, "imported and never declared"
    assert needed >= USED_BY_OTHERS


def test_tests_and_tools_import_what_is_declared() -> None:
    # Of import-linter and protobuf.
    extra = declared(PYPROJECT["project"]["optional-dependencies"]["dev"]) | {"importlinter", "google"}
    needed = declared(PYPROJECT["project"]["dependencies"])
    # What the benchmarks compare heed with has locks of its own.
    locks = [(ROOT / f"requirements-{name}.lock").read_text(encoding="utf-8") for name in ("peers", "spark", "fuzz")]
    extra |= declared(re.findall(r"^[a-z].*", "\n".join(locks), re.MULTILINE))
    assert imported("tests", "tools") - needed - extra == set()


def test_the_lock_pins_and_hashes_everything_and_names_no_place() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert not re.search(r"://|--(extra-)?index-url|--find-links|^-|@ ", text, re.MULTILINE)
    blocks = re.split(r"\n(?=[a-z0-9])", text.strip())
    names = set()
    for block in blocks:
        match = re.match(
            r"([a-z0-9][a-z0-9._-]*)==[^ ;]+( ; [^\\]+)? \\\n(    --hash=sha256:[0-9a-f]{64}( \\)?\n?)+", block
        )
        assert match, block[:120]
        names.add(match[1].replace("-", "_").replace(".", "_"))
    extras = PYPROJECT["project"]["optional-dependencies"]["dev"]
    assert declared([*PYPROJECT["project"]["dependencies"], *extras]) - names == set()


def test_there_is_one_version() -> None:
    version = PYPROJECT["project"]["version"]
    assert pipelines.__version__ == version
    assert version in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


# ---- the code


CODE = sorted(path for folder in ("pipelines", "dashboard", "tools") for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_is_short_and_finished(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    assert not re.search(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError|pragma: no cover", text)
    tree = ast.parse(text)
    assert not text.strip() or ast.get_docstring(tree), "no docstring says what the module is for"


def test_nothing_names_a_machine() -> None:
    folders = ("pipelines", "dashboard", "tools", "tests", "sql", "docs")
    texts = [
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".sql", ".md", ".toml"}
    ]
    texts += [ROOT / name for name in ("README.md", "pyproject.toml", "Makefile", "CHANGELOG.md", "requirements.lock")]
    machine = re.compile(r"(?<!\w)/" + r"(work|root)/|C:\\Users")
    assert [path.name for path in texts if machine.search(path.read_text(encoding="utf-8"))] == []


# ---- the wheel


@pytest.mark.slow
def test_the_wheel_works_outside_the_checkout(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    [wheel] = tmp_path.glob("heed-*.whl")
    target = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    assert not (target / "tests").exists()
    environment = os.environ | {"PYTHONPATH": str(target)}

    def heed(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pipelines.cli", "-C", "home", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path, env=environment)

    where = "import pipelines, dashboard; print(pipelines.__file__); print(dashboard.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", where], check=True, capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert all(line.startswith(str(target)) for line in found.stdout.splitlines()), found.stdout
    heed("init")
    (tmp_path / "home" / "heed.toml").unlink()
    heed("sample", "--messages", "1000")
    told = heed("run").stdout
    assert "Did every opt-out get heeded?" in told
    assert "message_after_opt_out" in told
    assert heed("rules").stdout
    for name in ("app.py", ".streamlit/config.toml"):
        assert (target / "dashboard" / name).is_file()
