"""Writes docs/dependencies.md: every locked distribution, its licence, and why heed needs it.

python -m tools.dependencies_page
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tools import locked

PAGE = locked.ROOT / "docs" / "dependencies.md"
#: Why heed asks for each distribution that it asks for itself.
WHY = {
    "aiosmtpd": "a real mail server for the tests of alerts",
    "apprise": "alerts by e-mail, webhook and chat",
    "authlib": "login by OpenID Connect, through Streamlit",
    "axe-playwright-python": "axe-core in the browser tests",
    "build": "builds the wheel that a test installs",
    "cryptography": "signs runs (Ed25519)",
    "duckdb": "the engine: reads history, runs sql/, holds snapshots",
    "duckdb-sqlalchemy": "through which Great Expectations asks DuckDB",
    "editables": "the editable installation of `make install`",
    "great-expectations": "validates what is published",
    "hatchling": "builds the package",
    "holidays": "the calendars that tools/freeze_holidays.py writes down",
    "httpx2": "asks the OpenID provider, through Authlib",
    "hypothesis": "makes histories for the property tests",
    "import-linter": "holds the walls between the packages",
    "itsdangerous": "signs the sessions of a login",
    "joserfc": "the tests' OpenID provider signs its tokens",
    "mypy": "checks types",
    "numpy": "the statistics",
    "packaging": "compares versions with advisories",
    "pandas": "tables that Streamlit and Great Expectations take",
    "pandas-stubs": "types of pandas",
    "phonenumbers": "phone numbers and their countries",
    "playwright": "drives the browser tests",
    "plotly": "charts",
    "polars": "small tables in memory, and Parquet",
    "pre-commit": "`make check` before a commit",
    "prometheus-client": "reads the metrics file in its test, as Prometheus would",
    "protobuf": "the tests' readers speak Streamlit's protocol",
    "pyarrow": "row groups of one contact; exports in batches",
    "pytest": "runs the tests",
    "pytest-timeout": "ends a test that hangs",
    "pytest-xdist": "runs the tests on every core",
    "pytz": "DuckDB gives instants to Python through it",
    "ruff": "formats and lints",
    "scipy": "distributions and tests of the statistics",
    "sqlalchemy": "the connection that Great Expectations uses",
    "starlette": "the gate before every request of the dashboard",
    "statsmodels": "an independent word on the statistics, in tests",
    "streamlit": "the dashboard",
    "tzdata": "time zones, whatever the machine has",
    "uvicorn": "serves the tests' OpenID provider and proxy",
    "websockets": "the tests' readers open pages",
}
_HEAD = """# Dependencies

What `requirements.lock` pins, with hashes, for every system and Python that heed runs on. This page is made from the
lock and from what the installed packages say of themselves: `python -m tools.dependencies_page`; a test holds it to
both, and holds every licence to a list of allowed ones (permissive ones, and MPL-2.0 for files that nobody here
changes).

```text
make sbom                                # sbom.json: all of it as CycloneDX 1.6; the same lock gives the same bytes
make advisories OSV=/path/to/osv         # which locked versions have a known advisory; exit 1 where one has
```

`OSV` is a folder, a `.zip` or a `.json` file of advisories in the [OSV format](https://ossf.github.io/osv-schema/),
fetched on another machine: nothing here asks the network.

Wheels bring compiled libraries of their own: those of NumPy and SciPy hold OpenBLAS (BSD-3-Clause) and the GCC
runtime (GPL-3.0 with the runtime exception, which lets any program ship it). PySpark (`heed[spark]`, in
`requirements-spark.lock`) is Apache-2.0 and brings Py4J (BSD-3-Clause). What the benchmarks compare heed with is in
`requirements-peers.lock` and is never shipped.
"""


def page() -> str:
    """The page's text."""
    pins = locked.read()
    purposes = locked.purposes(pins)
    licences = {one.name: locked.licence(one.name) for one in pins}
    versions: dict[str, list[str]] = {}
    for one in pins:
        versions.setdefault(one.name, []).append(one.version)
    counts = Counter(purposes[name] for name in versions)
    counted = ", ".join(f"{counts[purpose]} for {purpose}" for purpose in sorted(counts, key=lambda one: -counts[one]))
    lines = [_HEAD, f"{len(versions)} distributions: {counted}.", "", "## Those heed asks for", ""]
    lines += ["| distribution | version | licence | for | why |", "|---|---|---|---|---|"]
    direct = sorted({one.name for one in pins if one.is_direct})
    lines += [
        f"| {name} | {', '.join(versions[name])} | {licences[name]} | {purposes[name]} | {WHY[name]} |"
        for name in direct
    ]
    lines += [
        "",
        "## Those they bring",
        "",
        "| distribution | version | licence | for | brought by |",
        "|---|---|---|---|---|",
    ]
    for name in sorted(versions.keys() - set(direct)):
        brought = ", ".join(sorted({parent for one in pins if one.name == name for parent in one.parents}))
        lines.append(f"| {name} | {', '.join(versions[name])} | {licences[name]} | {purposes[name]} | {brought} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(PAGE).write_text(page(), encoding="utf-8")
