"""The access log: lines that tell who did what and name no contact, in a file of its owner's that is never lost."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from dashboard import access_log
from dashboard.gate_sessions import Reader

ANNA = Reader("anna@example.com", "a1", "officer")


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEED_HOME", str(tmp_path))
    return tmp_path / "private" / "access.jsonl"


def test_a_line_says_who_what_and_when(log: Path) -> None:
    access_log.write("contact", ANNA, page="contact", contact_key=-1)
    access_log.write("export", ANNA, export="findings", rows=12)
    access_log.write("refused", Reader("nemo", "n1", ""), page="findings")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert all(line.pop("at").endswith("Z") for line in lines)
    known = {"who": "anna@example.com", "subject": "a1", "role": "officer"}
    assert lines == [
        known | {"what": "contact", "page": "contact", "contact_key": "f" * 16},
        known | {"what": "export", "export": "findings", "rows": 12},
        {"who": "nemo", "subject": "n1", "what": "refused", "page": "findings"},
    ]
    assert log.stat().st_mode & 0o777 == 0o600
    assert log.parent.stat().st_mode & 0o777 == 0o700


def test_a_name_cannot_begin_a_line_of_its_own(log: Path) -> None:
    access_log.write("refused", Reader('x"\n{"who": "anna"}', "", "viewer"), page="findings")
    [line] = log.read_text().splitlines()
    assert json.loads(line)["who"].startswith('x"\n')


def test_a_full_file_is_kept_under_another_name(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_log, "FULL_BYTES", 2_000)

    def visit(number: int) -> None:
        for step in range(25):
            access_log.write("contact", ANNA, contact_key=number * 100 + step)

    visitors = [threading.Thread(target=visit, args=(number,)) for number in range(4)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    files = list(log.parent.glob("access*.jsonl"))
    assert len(files) > 5
    assert all(file.stat().st_size <= 2_000 and file.stat().st_mode & 0o777 == 0o600 for file in files)
    keys = [json.loads(line)["contact_key"] for file in files for line in file.read_text().splitlines()]
    assert sorted(keys) == sorted(f"{number * 100 + step:016x}" for number in range(4) for step in range(25))


def test_a_log_that_cannot_be_written_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEED_HOME", raising=False)
    with pytest.raises(access_log.NotWrittenError, match="no home"):
        access_log.write("export", ANNA)
    (tmp_path / "private").write_text("a file where the folder should be")
    monkeypatch.setenv("HEED_HOME", str(tmp_path))
    with pytest.raises(access_log.NotWrittenError, match=r"access\.jsonl cannot be written"):
        access_log.write("export", ANNA)
