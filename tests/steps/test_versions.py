"""Versions of one record: the same answer in whatever order and number of files they come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.home import EVENT, MESSAGE, Home


def one(message_id: str = "m1", sent_at: str = "2026-10-05T12:00:00Z", status: str = "sent") -> str:
    return f"{message_id},sms,+12025550101,{sent_at},marketing,{status}\n"


def act(event_id: str, kind: str, requested_at: str, processed_at: str = "", channel: str = "sms") -> str:
    return f"{event_id},{channel},+12025550101,{kind},{requested_at},{processed_at}\n"


#: Versions that contradict each other, spread over files and months.
SCATTERED = {
    "m1.csv": MESSAGE + one("m1", "2026-10-05T12:00:00Z", "accepted") + one("m2", "2026-10-31T23:59:59Z", "delivered"),
    "m2.csv": MESSAGE + one("m1", "2026-11-02T00:00:00Z", "delivered") + one("m2", "2026-11-01T00:00:01Z", "failed"),
    "m3.csv": MESSAGE
    + one("m1", "2026-10-05T11:59:59Z", "suppressed")
    + one("m3", "2026-10-20T00:00:00Z", "undelivered"),
    "e1.csv": EVENT
    + act("e1", "opt_out", "2026-10-04T00:00:00Z")
    + act("e2", "opt_in", "2026-10-25T00:00:00Z")
    + act("", "block", "2026-10-30T00:00:00Z"),
    "e2.csv": EVENT
    + act("e1", "opt_out", "2026-10-03T00:00:00Z", "2026-10-04T12:00:00Z")
    + act("e1", "opt_out", "2026-10-04T00:00:00Z", "2026-10-04T06:00:00Z")
    + act("", "block", "2026-10-30T00:00:00Z"),
}
ORDERS = [
    [["m1.csv", "m2.csv", "m3.csv", "e1.csv", "e2.csv"]],
    [["e2.csv"], ["m3.csv"], ["e1.csv"], ["m2.csv"], ["m1.csv"]],
    [["m2.csv", "e1.csv"], ["m1.csv", "e2.csv", "m3.csv"]],
    [["m3.csv"], ["m1.csv"], ["m2.csv"], ["e2.csv", "e1.csv"]],
]


@pytest.fixture
def one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same contact keys in every home."""
    monkeypatch.setenv("HEED_KEY", "a key for tests and nothing else")


def facts(home: Home) -> list[list[tuple[Any, ...]]]:
    """Messages, spans and findings, without where they were read."""
    with home.audited() as engine:
        return [
            engine.rows(f"select * {f'exclude ({lineage})' if lineage else ''} from {relation} order by all")
            for relation, lineage in [
                ("core.messages", "load_id, row_number"),
                ("core.consent_events", "load_id, row_number"),
                ("core.opt_out_spans", "contact_masked"),
                ("audits.findings", ""),
            ]
        ]


def test_the_order_of_loading_changes_nothing(tmp_path: Path, one_key: None) -> None:
    found = []
    for number, order in enumerate(ORDERS):
        home = Home(tmp_path / str(number)).configure()
        for batch in order:
            home.deliver({name: SCATTERED[name] for name in batch}).load()
        found.append(facts(home))
    assert found[1:] == [found[0]] * 3
    messages, events, spans, findings = found[0]
    assert {(row[1], row[11], f"{row[9]:%d %H:%M:%S}") for row in messages} == {
        ("m1", "delivered", "05 11:59:59"),
        ("m2", "delivered", "31 23:59:59"),
        ("m3", "undelivered", "20 00:00:00"),
    }
    # e1 was asked for on the 3rd and applied by the 4th at 6; e2 ended it; the block without an id is one act.
    assert len(events) == 3
    assert len(spans) == 2
    assert sorted((row[4], row[1]) for row in findings if row[0] == "message_after_opt_out") == [
        ("m1", "sent_after_processing"),
        ("m2", "sent_in_flight"),
        ("m3", "sent_after_processing"),
    ]


STATUSES = ["accepted", "sent", "undelivered", "failed", "suppressed", "delivered", "read"]


def test_the_furthest_status_wins(tmp_path: Path) -> None:
    pairs = [(first, second) for first in STATUSES for second in STATUSES]
    versions = [
        one(f"m{number}", f"2026-10-05T12:00:0{position}Z", status)
        for number, pair in enumerate(pairs)
        for position, status in enumerate(pair)
    ]
    home = Home(tmp_path).configure().deliver({"m.csv": MESSAGE + "".join(versions)})
    home.load()
    with home.audited() as engine:
        found = dict(engine.rows("select message_id, status from core.messages"))
    expected = {f"m{number}": max(pair, key=STATUSES.index) for number, pair in enumerate(pairs)}
    assert found == expected


def test_other_columns_come_from_the_earliest_version_that_has_them(tmp_path: Path) -> None:
    header = "message_id,channel,contact,sent_at,program,campaign_id,template_id\n"
    rows = [
        "m1,sms,+12025550101,2026-10-05T12:00:02Z,late,late,late\n",
        "m1,sms,+12025550101,2026-10-05T12:00:00Z,,,a\n",
        "m1,sms,+12025550101,2026-10-05T12:00:01Z,,b,b\n",
        "m1,sms,+12025550101,2026-10-05T12:00:01Z,,a,a\n",
    ]
    home = Home(tmp_path).configure().deliver({"m.csv": header + "".join(rows)})
    home.load()
    with home.audited() as engine:
        assert engine.rows("select program, campaign_id, template_id, message_class from core.messages") == [
            ("late", "a", "a", "unknown")
        ]
