"""How a text file's lines are cut, told from its bytes alone: in one pass, without parsing."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

_BLOCK = 1 << 20  # stays in the processor's cache while it is looked at several times
#: A line that may be blank, or begins with what a blank one may consist of; \xef begins a byte-order mark.
_MAYBE_BLANK = re.compile(rb"\n[\n\r\t \xef]")


@dataclass(frozen=True)
class Lines:
    """What the bytes of a text file say: its ends of line, and whether its lines can simply be counted."""

    has_mixed_ends: bool  # of \n, \r\n and \r more than one
    has_returns: bool
    has_quotes: bool
    may_have_blanks: bool
    count: int  # of ends of line, and one more where the last line has none

    @property
    def are_rows(self) -> bool:
        """Whether every line is surely one row: no value can hold a line break, and no line is blank."""
        return not (self.has_returns or self.has_quotes or self.may_have_blanks)


def opened(path: Path) -> BinaryIO:
    """The file's bytes, unpacked if its name ends in .gz."""
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix.lower() == ".gz" else path.open("rb")


def lines_of(path: Path) -> Lines:
    """Read the file once and say how its lines are cut."""
    returns = pairs = feeds = 0
    has_quotes = may_have_blanks = False
    last = b"\n"  # the first line may be blank too
    with opened(path) as file:
        while block := file.read(_BLOCK):
            feeds += block.count(b"\n")
            if b"\r" in block:
                returns += block.count(b"\r")
                pairs += block.count(b"\r\n")
            pairs += last == b"\r" and block[:1] == b"\n"
            has_quotes = has_quotes or b'"' in block
            begun = last + block[:1]
            may_have_blanks = may_have_blanks or bool(_MAYBE_BLANK.search(block) or _MAYBE_BLANK.match(begun))
            last = block[-1:]
    mixed = returns > 0 and not (returns == pairs == feeds)
    return Lines(mixed, returns > 0, has_quotes, may_have_blanks, feeds + (last != b"\n"))
