"""One TOML table being read: typed values, and complaints that say what to write instead."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any

from pipelines.errors import ConfigurationError

_DURATION = re.compile(r"\s*(\d{1,9})\s*(s|sec|m|min|h|d)\s*")
SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}

_WORDS = {
    str: "a text in quotes",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT])(i?)B\s*", re.IGNORECASE)


def memory_bytes(text: str) -> int:
    """Bytes that a text like "4GB" or "1.5 GiB" means, as DuckDB reads it."""
    match = _SIZE.fullmatch(text)
    assert match, "settings hold only what was read"
    thousand = 1024 if match.group(3) else 1000
    return int(float(match.group(1)) * thousand ** ("KMGT".index(match.group(2).upper()) + 1))


def seconds_of(text: str) -> int | None:
    """Seconds that a text like "90s", "5min", "26h" or "2d" means; None where it means none."""
    match = _DURATION.fullmatch(text)
    return int(match[1]) * SECONDS[match[2]] if match else None


class Table:
    """Hands out typed values of one table of heed.toml, and complains about what nobody asked for."""

    def __init__(self, path: Path, name: str, content: dict[str, Any]) -> None:
        self.path, self.name, self.content = path, name, content
        self.asked: set[str] = set()

    def wrong(self, key: str, problem: str, remedy: str) -> ConfigurationError:
        """The error to raise about one setting: which `problem` it has and what to write."""
        return ConfigurationError(f"{self.path}: {self.name} {key} {problem}.", remedy)

    def take(self, key: str, kind: type, default: Any = None) -> Any:
        """A value of one kind, or the default where there is none; raises ConfigurationError for another kind."""
        self.asked.add(key)
        if key not in self.content:
            return default
        value = self.content[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.wrong(key, f"is {value!r}", f"Write {_WORDS[kind]}.")
        return value

    def text(self, key: str, default: str | None = None) -> str | None:
        """A text that is not empty, or the default where there is none."""
        value = self.take(key, str)
        if value is not None and not value.strip():
            raise self.wrong(key, "is empty", "Write a value or remove the line.")
        if value is not None and "\0" in value:
            raise self.wrong(key, "holds a NUL character", "Take it out.")
        return default if value is None else value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts that are not empty; none where there is no list."""
        values = self.take(key, list, [])
        if not all(isinstance(value, str) and value.strip() for value in values):
            raise self.wrong(key, f"is {values!r}", 'Write a list of texts: ["one", "another"].')
        return tuple(values)

    def size(self, key: str) -> str | None:
        """A text that says how many bytes, for `memory_bytes`; None where there is none."""
        value = self.text(key)
        if value is not None and not _SIZE.fullmatch(value):
            raise self.wrong(key, f"is {value!r}", 'Write a number and a unit: "4GB".')
        return value

    def required(self, key: str, remedy: str) -> str:
        """A text that must be there."""
        value = self.text(key)
        if value is None:
            raise self.wrong(key, "is missing", remedy)
        return value

    def one_of(self, key: str, allowed: tuple[str, ...], default: str) -> str:
        """One of the allowed texts."""
        value = self.text(key, default) or default
        if value not in allowed:
            raise self.wrong(key, f"is {value!r}", f"Write one of {', '.join(allowed)}.")
        return value

    def finish(self) -> None:
        """Complain about settings that nobody asked for; called when everything was read."""
        for key in self.content:
            if key not in self.asked:
                near = difflib.get_close_matches(key, self.asked, n=1)
                remedy = f"Did you mean {near[0]}?" if near else f"It may hold {', '.join(sorted(self.asked))}."
                raise self.wrong(key, "is not a setting", remedy)
