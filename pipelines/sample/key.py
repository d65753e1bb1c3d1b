"""The answer key: every finding the logs must give, noted while the world is simulated, never read from the logs."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from pipelines.sample.clock import deadlines, iso
from pipelines.sample.identifiers import MESSAGE_IDS, crm_event_ids, twilio_sids
from pipelines.sample.incidents import INCIDENTS
from pipelines.sample.state import Seconds

FINDING_CLASSES = ["suppressed_by_provider", "sent_after_processing", "sent_past_deadline", "sent_in_flight"]
# Above this many messages the findings go to their own file, line by line, instead of being held in memory.
LARGEST_IN_MEMORY = 2_000_000
FINDINGS_FILE = "answer_key.findings.jsonl"


def classify(sent_at: Seconds, suppressed: NDArray[np.bool_], begins: Seconds, processed: Seconds) -> NDArray[np.int64]:
    """The finding class of each message inside an open span, as a position in FINDING_CLASSES."""
    return np.where(suppressed, 0, np.where(sent_at > processed, 1, np.where(sent_at > deadlines(begins), 2, 3)))


@dataclass
class Key:
    """Collects findings and what else was planted."""

    folder: Path
    seed: int
    messages: int
    findings: list[dict[str, str]] = field(default_factory=list)
    by_incident: dict[int, list[dict[str, str]]] = field(default_factory=dict)
    class_counts: Counter[str] = field(default_factory=Counter)
    source_counts: Counter[str] = field(default_factory=Counter)
    incident_counts: Counter[tuple[int, str]] = field(default_factory=Counter)
    missed_replies: list[str] = field(default_factory=list)
    imported_events: list[str] = field(default_factory=list)
    _findings_file: TextIO | None = None

    @property
    def in_memory(self) -> bool:
        """Whether the findings are part of answer_key.json itself."""
        return self.messages <= LARGEST_IN_MEMORY

    def add(
        self, source: str, serials: NDArray[np.int64], classes: NDArray[np.int64], incidents: NDArray[np.uint8]
    ) -> None:
        """Keeps one finding per message; `incidents` are numbers of incidents, 0 for none."""
        ids = MESSAGE_IDS[source](serials, self.seed).to_list()
        for message_id, number, incident in zip(ids, classes.tolist(), incidents.tolist(), strict=True):
            finding = {"source": source, "message_id": message_id, "finding_class": FINDING_CLASSES[number]}
            self.class_counts[finding["finding_class"]] += 1
            self.source_counts[source] += 1
            if incident:
                self.incident_counts[incident, finding["finding_class"]] += 1
            if self.in_memory:
                self.findings.append(finding)
                if incident:
                    self.by_incident.setdefault(incident, []).append(finding)
            else:
                name = INCIDENTS[incident - 1].name if incident else None
                self._stream().write(json.dumps({**finding, "incident": name}) + "\n")

    def _stream(self) -> TextIO:
        if self._findings_file is None:
            self._findings_file = (self.folder / FINDINGS_FILE).open("w", encoding="utf-8", newline="\n")
        return self._findings_file

    def add_missed_replies(self, serials: NDArray[np.int64]) -> None:
        """Replies by which somebody asked to stop and that nobody recorded."""
        self.missed_replies += twilio_sids(serials, self.seed).to_list()

    def add_imported(self, serials: NDArray[np.int64]) -> None:
        """Opt-ins of the import that follow no act of the contact."""
        self.imported_events += crm_event_ids(serials).to_list()

    def _incident_rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for position, incident in enumerate(INCIDENTS):
            number = position + 1
            row: dict[str, Any] = {
                "name": incident.name,
                "rule": incident.rule,
                "starts_at": iso(incident.starts_at),
                "ends_at": iso(incident.ends_at),
                "what": incident.what,
                "finding_classes": {
                    name: self.incident_counts[number, name]
                    for name in FINDING_CLASSES
                    if self.incident_counts[number, name]
                },
            }
            if self.in_memory and incident.rule == "message_after_opt_out":
                row["findings"] = sorted(self.by_incident.get(number, []), key=_order)
            if incident.rule == "opt_in_without_act":
                row["planted"] = {"source": "crm", "event_ids": sorted(self.imported_events)}
            if incident.rule == "opt_out_request_missed":
                row["planted"] = {"source": "twilio", "inbound_ids": sorted(self.missed_replies)}
            rows.append(row)
        return rows

    def close(self) -> None:
        """Closes the findings' own file, if there is one."""
        if self._findings_file is not None:
            self._findings_file.close()

    def write(self, files: dict[str, dict[str, int]], expected: dict[str, Any]) -> dict[str, Any]:
        """Writes answer_key.json and returns what it holds."""
        self.close()
        content: dict[str, Any] = {
            "seed": self.seed,
            "messages": self.messages,
            "starts_at": iso(0),
            "findings": sorted(self.findings, key=_order) if self.in_memory else FINDINGS_FILE,
            "incidents": self._incident_rows(),
            "files": dict(sorted(files.items())),
            "expected": expected,
        }
        text = json.dumps(content, indent=1, ensure_ascii=False)
        (self.folder / "answer_key.json").write_text(text + "\n", encoding="utf-8")
        return content


def _order(finding: dict[str, str]) -> tuple[str, str]:
    return finding["source"], finding["message_id"]
