"""What the snapshot says of refused rows: counts, places and shapes, and nobody's address."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import quarantine, settings, shapes
from pipelines.engines.duckdb import DuckDBEngine
from tests.support.home import Home

ROW = {
    "message_id": "m1", "contact": "Anna@example.com", "sent_at": "2026-11-07 10:15", "price": None,
    "Nested": [{"To": "+12025550101"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "reason", "column", "expected"),
    [
        (json.dumps(ROW), "timestamp_without_zone", "sent_at", "sent_at: 9999-99-99 99:99"),
        (json.dumps(ROW), "timestamp_unreadable", "processed_at", "sent_at: 9999-99-99 99:99"),
        (json.dumps(ROW), "required_value_missing", "channel", "price: (empty)"),
        (
            json.dumps(ROW),
            "value_not_allowed",
            "status",
            "message_id: a9, contact: Aaaa@aaaaaaa.aaa, sent_at: 9999-99-99 99:99, price: (empty), To: +99999999999",
        ),
        ('m1,sms,"+12025550101', "malformed_row", None, 'a9,aaa,"+99999999999'),
        ("Ärger ٣", "malformed_row", None, "Aaaaa 9"),
        ("", "malformed_row", None, ""),
        ("[1, 2]", "malformed_json", None, "[9, 9]"),
        # A file without a header: its first row was taken for the names.
        (json.dumps({"+12025550101": "x", "anna@example.com": "y"}), "value_not_allowed", "channel",
         "+99999999999: a, aaaa@aaaaaaa.aaa: a"),
        (json.dumps({"contact": "x" * 100}), "value_not_allowed", "contact", "contact: " + "a" * 39 + "…"),
    ],
)  # fmt: skip
def test_a_row_is_told_by_its_shape(raw: str, reason: str, column: str | None, expected: str) -> None:
    assert quarantine.shape(raw, reason, column) == expected


@given(st.text(max_size=400))
def test_a_shape_holds_no_letter_and_no_digit_of_the_text(text: str) -> None:
    assert {one for one in shapes.masked(text) if one.isalnum()} <= {"a", "A", "9"}
    assert len(quarantine.shape(text, "malformed_row")) <= 300


def test_every_reason_has_its_first_rows_as_examples(tmp_path: Path) -> None:
    lines = ["message_id,channel,contact,sent_at"]
    lines += [f"m{number},sms,+120255501{number:02d},2026-10-05 10:00" for number in range(5)]
    lines += ["m7,fax,anna@example.com,2026-10-05T10:00:00Z", "m8,sms,,2026-10-05T10:00:00Z"]
    home = Home(tmp_path / "home").configure().deliver({"m.csv": "\n".join(lines) + "\n"})
    loads, _ = home.load()
    with DuckDBEngine() as engine:
        quarantine.write(engine, settings.read(home.path), loads)
        counted = engine.rows("select reason, column_name, row_count, first_rows from run.quarantine order by 1")
        examples = engine.rows(
            "select reason, column_name, row_number, shape from run.quarantine_examples order by 1, 3"
        )
        everything = str(engine.rows("select * from run.quarantine_examples"))
    assert counted == [
        ("required_value_missing", "contact", 1, "7"),
        ("timestamp_without_zone", "sent_at", 5, "1, 2, 3, 4, 5"),
        ("value_not_allowed", "channel", 1, "6"),
    ]
    assert examples == [
        ("required_value_missing", "contact", 7, "contact: (empty)"),
        *(("timestamp_without_zone", "sent_at", row, "sent_at: 9999-99-99 99:99") for row in (1, 2, 3)),
        ("value_not_allowed", "channel", 6, "channel: aaa"),
    ]
    assert "example.com" not in everything
    assert "2025550" not in everything


def test_rows_whose_text_somebody_removed_are_still_counted(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").configure()
    refused = "message_id,channel,contact,sent_at\nm1,fax,a@example.com,2026-10-05T10:00:00Z\n"
    loads, _ = home.deliver({"m.csv": refused}).load()
    for path in (home.path / "private" / "quarantine").iterdir():
        path.unlink()
    with DuckDBEngine() as engine:
        quarantine.write(engine, settings.read(home.path), loads)
        assert engine.rows("select reason, row_count from run.quarantine") == [("text_no_longer_kept", 1)]
        assert engine.rows("select * from run.quarantine_examples") == []
