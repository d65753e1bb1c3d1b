"""Texts without what they say: what a message may show of a file that holds addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: A header with an @ or this many digits in a name is a row of data: the file has no header line.
_FEWEST_DIGITS = 6
_LONGEST_NAME = 60
_QUOTED = re.compile(r"""(["'`])(.+?)\1""")


def masked(text: str) -> str:
    """A text with every letter as a or A and every digit as 9; signs and spaces stay."""
    return "".join(
        one if not one.isalnum() else "9" if not one.isalpha() else "A" if one.isupper() else "a" for one in text
    )


def column_names(names: Iterable[str]) -> str:
    """The names of a file's columns, in a row; their shapes where they look like a row of data without a header."""
    listed = list(names)
    is_data = any(
        "@" in name or len(name) > _LONGEST_NAME or len(re.findall(r"\d", name)) >= _FEWEST_DIGITS for name in listed
    )
    return ", ".join(masked(name) for name in listed) + " (is there a header line?)" if is_data else ", ".join(listed)


def without_quotes(text: str) -> str:
    """An engine's own words with the shapes of what they quote, which may be a cell."""
    return _QUOTED.sub(lambda found: f"{found[1]}{masked(found[2])}{found[1]}", text)
