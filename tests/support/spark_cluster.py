"""A real standalone Spark cluster on loopback: one master, two workers, processes of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipelines.settings_engine import Engine

#: Small data want little: no compiling of queries that run once, one partition, the quicker compiler of Java.
TINY = {
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.shuffle.io.maxRetries": "1",  # what a killed worker held is not waited for
    "spark.shuffle.io.retryWait": "1s",
    "spark.driver.memory": "2g",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+UseSerialGC",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}
_SECONDS_TO_START = 120


def local(**changes: Any) -> Engine:
    """[engine] of a Spark in this machine that builds every relation, however small."""
    return Engine(name="spark", master="local[2]", least_rows=0, config=TINY | changes)


class Cluster:
    """The running processes, and the URL of the master."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"spark://127.0.0.1:{port}"
        self._master = self._start("master.Master", "--port", str(port), "--webui-port", "0")
        self._wait_for(port)
        self.workers = [self._start_worker(number) for number in range(2)]

    def _start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        spec = find_spec("pyspark")
        assert spec is not None
        assert spec.origin is not None
        home = Path(spec.origin).parent
        environment = os.environ | {
            "SPARK_HOME": str(home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_LOCAL_DIRS": str(self._folder),
        }
        command = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}", "--host", "127.0.0.1"]
        with (self._folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen([*command, *arguments], env=environment, stdout=log, stderr=log)

    def _start_worker(self, number: int) -> subprocess.Popen[bytes]:
        arguments = ["--cores", "1", "--memory", "1g", "--work-dir", str(self._folder / f"worker{number}")]
        return self._start("worker.Worker", *arguments, "--webui-port", "0", self.url)

    def _wait_for(self, port: int) -> None:
        deadline = time.monotonic() + _SECONDS_TO_START
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            assert self._master.poll() is None, "the master ended"
            time.sleep(0.2)
        raise TimeoutError(f"no master at {self.url}")

    def engine(self, least_rows: int, wait_seconds: int = 60) -> str:
        """[engine] of heed.toml, for runs on this cluster."""
        executor = {
            "spark.executor.memory": "700m",
            "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        }
        config = "".join(f'"{name}" = "{value}"\n' for name, value in (TINY | executor).items())
        return (
            f'[engine]\nname = "spark"\nmaster = "{self.url}"\nleast_rows = {least_rows}\n'
            f"wait_seconds = {wait_seconds}\n[engine.config]\n{config}"
        )

    def kill_worker(self) -> None:
        """kill -9 of one of the workers that are left; its executor ends with it."""
        worker = self.workers.pop()
        worker.send_signal(signal.SIGKILL)
        worker.wait()

    def stop(self) -> None:
        """End every process that is left."""
        for process in (*self.workers, self._master):
            process.kill()
            process.wait()


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster whose processes end with the block."""
    running = Cluster(folder)
    try:
        yield running
    finally:
        running.stop()
