"""What the lock pins: each distribution with its version, its licence, and who needs it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
#: What benchmarks, Spark and the next engine's tests install beside it.
OTHER_LOCKS = tuple(ROOT / f"requirements-{name}.lock" for name in ("spark", "peers", "next-engine"))
_HEED = "heed (pyproject.toml)"
_PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)(?: ; ([^\\]+?))? \\$")

#: Licences of what may be installed beside heed (Apache-2.0): permissive ones, and MPL-2.0 of files nobody changes.
ALLOWED = frozenset(
    {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0"}
    | {"PSF-2.0", "Unlicense", "Zlib"}
)
#: What metadata say that is no SPDX expression, in SPDX.
_SPELLED = {
    "2-clause BSD": "BSD-2-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
#: Read in the package's own licence file, where its metadata say too little or it is for other systems.
_READ = {
    "altair": "BSD-3-Clause",
    "axe-playwright-python": "MIT AND MPL-2.0",  # axe-core, which it brings, is MPL-2.0
    "colorama": "BSD-3-Clause",
    "httpx2-jsfetch": "BSD-3-Clause",
    "itsdangerous": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
    "nodeenv": "BSD-3-Clause",
    "py4j": "BSD-3-Clause",
    "pyspark": "Apache-2.0",
    "python-dateutil": "BSD-3-Clause",  # of all of it; what is newer than 2017 also Apache-2.0
    "scipy": "BSD-3-Clause",
}


@dataclass(frozen=True)
class Locked:
    """One pinned distribution: `parents` are those that need it, `hashes` the SHA-256 of its files."""

    name: str
    version: str
    marker: str | None
    hashes: tuple[str, ...]
    parents: tuple[str, ...]

    @property
    def is_direct(self) -> bool:
        """Whether heed itself asks for it."""
        return _HEED in self.parents

    @property
    def purl(self) -> str:
        """Its package URL."""
        return f"pkg:pypi/{self.name}@{self.version}"


def read(lock: Path = LOCK) -> list[Locked]:
    """Every distribution of a lock, in its order; one that has two versions, for two Pythons, stands twice."""
    found: list[Locked] = []
    for block in re.split(r"\n(?=[a-z0-9])", lock.read_text(encoding="utf-8").strip()):
        pin = _PIN.match(block.partition("\n")[0])
        assert pin, block[:80]
        hashes = tuple(re.findall(r"sha256:([0-9a-f]{64})", block))
        via = block.partition("# via")[2].replace("#", " ")
        parents = tuple(line.strip() for line in via.split("\n") if line.strip())
        found.append(Locked(pin[1], pin[2], pin[3], hashes, parents))
    return found


def licence(name: str) -> str:
    """The licence of a distribution as an SPDX expression; raises LookupError where nobody says it."""
    if name in _READ:
        return _READ[name]
    try:
        told = metadata.metadata(name)
    except metadata.PackageNotFoundError as error:
        raise LookupError(f"{name} is not installed, and tools/locked.py has not read its licence") from error
    stated = [told.get("License-Expression"), told.get("License")]
    stated += [line.rpartition(" :: ")[2] for line in told.get_all("Classifier", []) if line.startswith("License ::")]
    for text in stated:
        expression = _SPELLED.get(text or "", text or "")
        if expression and parts(expression) <= ALLOWED:
            return expression
    raise LookupError(f"{name} says no licence that is allowed: {[text for text in stated if text]}")


def parts(expression: str) -> set[str]:
    """The licences that an SPDX expression names."""
    return set(re.split(r"\s+(?:AND|OR)\s+|[()]", expression)) - {""}


def purposes(locked: list[Locked]) -> dict[str, str]:
    """What each distribution is for: running heed, one of its extras, or development alone."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [("running", project["dependencies"])]
    extras = project["optional-dependencies"]
    groups += [(f"heed[{name}]", extras[name]) for name in sorted(extras.keys() - {"dev"})]
    groups += [("development", extras["dev"])]
    needs: dict[str, set[str]] = {}
    for one in locked:
        for parent in one.parents:
            needs.setdefault(parent, set()).add(one.name)
    found: dict[str, str] = {}
    for purpose, requirements in groups:
        waiting = [canonicalize_name(Requirement(text).name) for text in requirements]
        while waiting:
            name = waiting.pop()
            if name not in found and any(one.name == name for one in locked):
                found[name] = purpose
                waiting += needs.get(name, ())
    return found
