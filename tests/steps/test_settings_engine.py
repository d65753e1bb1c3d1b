"""[engine] of heed.toml: what it may say, that mistakes are one sentence, and what a machine without a cluster says."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

import pytest

from pipelines import settings
from pipelines.errors import ConfigurationError
from pipelines.settings_engine import Engine
from tests.support.home import Home

SPARK = '[engine]\nname = "spark"\n'


def read(home: Path, text: str) -> Engine:
    (home / "heed.toml").write_text(text, encoding="utf-8")
    return settings.read(home).engine


def test_the_default_is_duckdb(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Engine(name="duckdb") == read(tmp_path, '[engine]\nname = "duckdb"\n')


def test_everything_may_be_said(tmp_path: Path) -> None:
    text = """
    [engine]
    name = "spark"
    master = "spark://one.example.com:7077,[::1]:7078"
    folder = "/mnt/heed"
    history = "s3a://bucket/history"
    least_rows = 0
    wait_seconds = 5
    [engine.config]
    "spark.executor.memory" = "8g"
    "spark.executor.cores" = 4
    "spark.speculation" = true
    """
    found = read(tmp_path, text)
    config = {"spark.executor.memory": "8g", "spark.executor.cores": "4", "spark.speculation": "true"}
    master = "spark://one.example.com:7077,[::1]:7078"
    assert found == Engine("spark", master, Path("/mnt/heed"), "s3a://bucket/history", 0, 5, config)
    assert found.addresses == [("one.example.com", 7077), ("::1", 7078)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[engine]\nname = "sparc"', "name is 'sparc'"),
        ('[engine]\nmaster = "local[2]"', 'Write name = "spark"'),
        (SPARK + 'master = "spark//host"', "master is 'spark//host'"),
        (SPARK + 'master = "spark://host"', "master is 'spark://host'"),
        (SPARK + 'master = "local[x]"', "master is 'local[x]'"),
        (SPARK + 'folder = "below"', "a path from the root"),
        (SPARK + "least_rows = -1", "Write at least 0"),
        (SPARK + "wait_seconds = 0", "Write at least 1"),
        (SPARK + 'masters = "local"', "Did you mean master?"),
        (SPARK + '[engine.config]\nmemory = "8g"', "is no setting of Spark's"),
        (SPARK + '[engine.config]\nspark.memory = "8g"', "Write the name in quotes"),
        (SPARK + '[engine.config]\n"spark.sql.ansi.enabled" = false', "is set by heed"),
        (SPARK + '[engine.config]\n"spark.jars" = ["a"]', "Write a text, a number, true or false"),
    ],
)
def test_a_mistake_is_one_sentence_with_a_remedy(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read(tmp_path, text)
    assert said in str(raised.value)
    assert str(tmp_path / "heed.toml") in str(raised.value)


def test_without_pyspark_a_run_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [one for one in sys.path if "site-packages" not in one])
    monkeypatch.delitem(sys.modules, "pyspark", raising=False)
    (tmp_path / "heed.toml").write_text(SPARK, encoding="utf-8")
    said = Home(tmp_path).heed("run")
    assert (said.code, said.out) == (78, "")
    assert "pip install 'heed[spark]'" in said.err


def importable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of PySpark's name, so that what is asked for after it can be."""
    (folder / "pyspark").mkdir()
    (folder / "pyspark" / "__init__.py").touch()
    monkeypatch.syspath_prepend(folder)


def test_without_java_a_run_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    importable(tmp_path, monkeypatch)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    (tmp_path / "heed.toml").write_text(SPARK, encoding="utf-8")
    said = Home(tmp_path).heed("run")
    assert (said.code, said.out) == (78, "")
    assert "openjdk-17-jre-headless" in said.err


def test_a_master_that_does_not_answer_is_said_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    importable(tmp_path, monkeypatch)
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.touch(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port, and nobody answers
        address = f"spark://127.0.0.1:{closed.getsockname()[1]}"
        (tmp_path / "heed.toml").write_text(SPARK + f'master = "{address}"\n', encoding="utf-8")
        begun = time.monotonic()
        said = Home(tmp_path).heed("run")
    assert (said.code, said.out) == (1, "")
    assert f"No Spark master answers at {address}" in said.err
    assert time.monotonic() - begun < 30
