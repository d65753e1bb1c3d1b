"""`make fuzz-guided`: texts that atheris makes, from what they make heed's own code do, for heed.toml and for values.

    python -m tests.faults.guided -max_total_time=60 -seed=1

It needs atheris, which is not part of heed's lock: requirements-fuzz.lock has it. It ends at the first input that
raises anything but an error of heed's own, and keeps it as crash-<digest> in the current folder.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["pipelines"]):
    from pipelines import identity, limits, masks, quarantine, terminal
    from tests.faults.fuzzing import configuration_holds, configurations

_HOME = Path(tempfile.mkdtemp(prefix="heed-guided-"))


def once(data: bytes) -> None:
    """One input: as heed.toml, and as a text in every place where heed's own code reads one."""
    configuration_holds(_HOME, data)
    text = data.decode("utf-8", errors="replace")
    for country in (None, "US"):
        identity.masked_address(identity.normalised_address(text, True, country))
    quarantine.shape(text, "malformed_json")
    masks.mask(text)
    assert "\x1b" not in terminal.terminal_safe(text)
    assert limits.nesting(text) <= len(text)


def main() -> None:
    """Begin with every heed.toml of the documents."""
    corpus = _HOME / "corpus"
    corpus.mkdir()
    for number, content in enumerate(configurations()):
        (corpus / str(number)).write_bytes(content)
    atheris.Setup([sys.argv[0], str(corpus), *sys.argv[1:]], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
