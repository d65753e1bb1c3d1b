"""[log], [monitoring] and [alerts] of heed.toml: what operators are told of runs, and where."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pipelines.errors import ConfigurationError
from pipelines.settings_table import Table, seconds_of

TARGETS = ("file", "stderr", "none")
CAUSES = ("new_violations", "failed_run", "stale_snapshot")
#: Addresses of alerts, separated by white space; they go before those of heed.toml.
URLS_VARIABLE = "HEED_ALERT_URLS"


@dataclass(frozen=True)
class Log:
    """[log]: where events go, and how large their file may grow before it is put aside for one more."""

    to: str = "file"
    max_megabytes: int = 10


@dataclass(frozen=True)
class Monitoring:
    """[monitoring]: the textfile for Prometheus, if any, and how old the last success may be."""

    textfile: Path | None = None
    max_age_seconds: int = 26 * 3600


@dataclass(frozen=True)
class Alerts:
    """[alerts]: for what, and to whom as Apprise writes it; `urls_file` has one on each line."""

    on: tuple[str, ...] = CAUSES
    urls: tuple[str, ...] = ()
    urls_file: Path | None = None


@dataclass(frozen=True)
class Operations:
    """What operators are told."""

    log: Log = field(default_factory=Log)
    monitoring: Monitoring = field(default_factory=Monitoring)
    alerts: Alerts = field(default_factory=Alerts)


def _read_log(path: Path, content: dict[str, Any]) -> Log:
    table = Table(path, "[log]", content)
    log = Log(
        to=table.one_of("to", TARGETS, Log.to),
        max_megabytes=table.take("max_megabytes", int, Log.max_megabytes),
    )
    table.finish()
    if log.max_megabytes < 1:
        raise table.wrong("max_megabytes", f"is {log.max_megabytes}", "Write at least 1, or remove the line.")
    return log


def _read_monitoring(path: Path, content: dict[str, Any]) -> Monitoring:
    table = Table(path, "[monitoring]", content)
    textfile = table.text("textfile")
    monitoring = Monitoring(
        textfile=path.parent.resolve() / textfile if textfile else None,
        max_age_seconds=_seconds(table, "max_age", Monitoring.max_age_seconds),
    )
    table.finish()
    # Whatever else is named here by mistake, a log or a key, is not overwritten.
    if textfile and not textfile.endswith(".prom"):
        raise table.wrong("textfile", f"is {textfile!r}", "Write a path that ends in .prom.")
    return monitoring


def _seconds(table: Table, key: str, default: int) -> int:
    value = table.text(key)
    seconds = default if value is None else seconds_of(value)
    if not seconds:
        raise table.wrong(key, f"is {value!r}", 'Write a number and a unit: "90min", "26h", "2d".')
    return seconds


def _read_alerts(path: Path, content: dict[str, Any]) -> Alerts:
    table = Table(path, "[alerts]", content)
    urls_file = table.text("urls_file")
    alerts = Alerts(
        on=table.texts("on") if "on" in content else CAUSES,
        urls=table.texts("urls"),
        urls_file=path.parent.resolve() / urls_file if urls_file else None,
    )
    table.asked.add("on")
    table.finish()
    unknown = [cause for cause in alerts.on if cause not in CAUSES]
    if unknown:
        raise table.wrong("on", f"holds {unknown[0]!r}", f"Write some of {', '.join(CAUSES)}.")
    if any(any(letter.isspace() for letter in url) for url in alerts.urls):
        raise table.wrong("urls", "holds an address with a space", "Write %20 for it.")
    return alerts


def read_operations(path: Path, top: Table) -> Operations:
    """The three tables as they stand in heed.toml; raises ConfigurationError for what is wrong in them."""
    return Operations(
        _read_log(path, top.take("log", dict, {})),
        _read_monitoring(path, top.take("monitoring", dict, {})),
        _read_alerts(path, top.take("alerts", dict, {})),
    )


_Told = TypeVar("_Told", Log, Monitoring, Alerts)


def of_home(home: Path) -> Operations:
    """What can be read of the three tables, however wrong the rest of heed.toml is: its mistake must be told of too."""
    path = home / "heed.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Operations()

    def readable(name: str, read: Callable[[Path, dict[str, Any]], _Told], default: _Told) -> _Told:
        try:
            return read(path, Table(path, "top level", content).take(name, dict, {}))
        except ConfigurationError:
            return default

    return Operations(
        readable("log", _read_log, Log()),
        readable("monitoring", _read_monitoring, Monitoring()),
        readable("alerts", _read_alerts, Alerts()),
    )


def alert_urls(told: Alerts) -> list[str]:
    """Where alerts go, each once; raises OSError when the file of addresses cannot be read."""
    named = os.environ.get(URLS_VARIABLE, "").split()
    if not named:
        named = list(told.urls)
        named += told.urls_file.read_text(encoding="utf-8").split() if told.urls_file else []
    return list(dict.fromkeys(named))
