"""A Spark session as heed needs it: started in bounded time, or an error that says what is missing."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import time
from importlib import util
from pathlib import Path
from typing import Any

from pipelines.errors import ClusterError, ConfigurationError
from pipelines.settings_engine import Engine

#: What decides on rows. DuckDB knows instants in UTC, and sums that fail rather than wrap.
_RESULTS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.parser.escapedStringLiterals": "false",  # with true, '' in a text is two quotes
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # Relations live as long as the run: no metastore, and no Derby files in the current folder.
    "spark.sql.catalogImplementation": "in-memory",
}
#: What the home's own [engine.config] may say otherwise.
_DEFAULTS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.scheduler.mode": "FAIR",  # relations are built side by side: a long one does not hold up the short ones
    "spark.sql.adaptive.enabled": "true",
}
_LOG4J = """\
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = spark: %p %c{1}: %m%n%ex{1}
"""
#: How long a master that is there takes to accept a connection.
_CONNECT_SECONDS = 5


def check(engine: Engine) -> None:
    """Whether Spark can be asked at all; seconds at most, and before anything else of a run is done.

    Raises ConfigurationError without PySpark or Java, and ClusterError where no master answers.
    """
    if util.find_spec("pyspark") is None:
        raise ConfigurationError(
            'heed.toml: [engine] name is "spark", and PySpark is not installed.', "Run: pip install 'heed[spark]'"
        )
    java = Path(os.environ["JAVA_HOME"]) / "bin" / "java" if os.environ.get("JAVA_HOME") else Path("java")
    if shutil.which(java) is None:
        raise ConfigurationError(
            f'heed.toml: [engine] name is "spark", and there is no Java: {java} cannot be run.',
            "Install Java 17 or newer (Debian: apt-get install openjdk-17-jre-headless), or set JAVA_HOME.",
        )
    if engine.addresses and not any(_answers(*address) for address in engine.addresses):
        raise ClusterError(
            f"No Spark master answers at {engine.master}.",
            "Is it running, and is [engine] master in heed.toml the URL that its log names?",
        )


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=_CONNECT_SECONDS):
            return True
    except OSError:
        return False


def start(engine: Engine, work: Path) -> Any:
    """A new SparkSession with the cluster's first executor there; `work` takes what Spark writes for itself.

    Raises ClusterError when the cluster gives none in `wait_seconds`.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    # PySpark logs the text of every query that fails; heed's own error says it.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    log = work / "log4j2.properties"
    log.write_text(_LOG4J, encoding="utf-8")
    settings = _DEFAULTS | {"spark.local.dir": str(work / "local")} | engine.config | _RESULTS
    settings["spark.sql.warehouse.dir"] = str(work / "warehouse")
    java = f"-Dlog4j2.configurationFile={log.as_uri()} {settings.get('spark.driver.extraJavaOptions', '')}".strip()
    settings["spark.driver.extraJavaOptions"] = java
    builder = SparkSession.builder.appName("heed").master(engine.master)
    for name, value in settings.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except (PySparkException, Py4JError, OSError, RuntimeError) as error:
        raise ClusterError(
            f"Spark did not start on {engine.master}: {first_line(error)}", "Its own words are on standard error."
        ) from error
    deadline = time.monotonic() + engine.wait_seconds
    while not has_executors(session):
        if time.monotonic() > deadline:
            session.stop()
            raise ClusterError(
                f"The cluster at {engine.master} gave no executor within {engine.wait_seconds} seconds.",
                "Are its workers running, and have they the cores and memory that [engine.config] asks for?",
            )
        time.sleep(0.2)
    return session


def has_executors(session: Any) -> bool:
    """Whether anything can take work; with a local master the driver itself does."""
    context = session.sparkContext
    is_local = context.master.split("[")[0] == "local"
    return bool(is_local or context._jsc.sc().getExecutorMemoryStatus().size() > 1)  # the driver is one of them


def first_line(error: BaseException) -> str:
    """What an error of Spark's says, without Java's stack."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
