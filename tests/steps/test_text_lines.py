"""How the lines of a text file are cut, told from its bytes."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from pipelines.text_lines import Lines, lines_of

#: Bytes; has_mixed_ends, has_returns, has_quotes, may_have_blanks, count.
CASES = {
    b"a,b\n1,2\n": (False, False, False, False, 2),
    b"a,b\n1,2": (False, False, False, False, 2),
    b"a,b\r\n1,2\r\n": (False, True, False, False, 2),
    b"a,b\r\n1,2\n": (True, True, False, False, 2),
    b"a,b\r1,2\r": (True, True, False, False, 1),
    b'a,b\n"1",2\n': (False, False, True, False, 2),
    b"a,b\n\n1,2\n": (False, False, False, True, 3),
    b"a,b\n 1,2\n": (False, False, False, True, 2),
    b"\na,b\n": (False, False, False, True, 2),
    b"": (False, False, False, False, 0),
}


@pytest.mark.parametrize("content", CASES)
@pytest.mark.parametrize("name", ["m.csv", "m.csv.gz"])
def test_lines_are_told_from_the_bytes(content: bytes, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    assert lines_of(path) == Lines(*CASES[content])


@pytest.mark.parametrize("end", [b"\r\n", b"\n\n"])
def test_what_lies_across_two_blocks_is_seen(end: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(b"x" * ((1 << 20) - 1) + end + b"y\n")
    lines = lines_of(path)
    assert (lines.has_mixed_ends, lines.may_have_blanks) == ((True, False) if end == b"\r\n" else (False, True))
