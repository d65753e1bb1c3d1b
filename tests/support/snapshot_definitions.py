"""The table of definitions of a made snapshot, and opt-outs per message and list churn under each of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.support.snapshot_numbers import Row, wilson

DEFINITIONS = Path(__file__).resolve().parents[2] / "data" / "reference" / "definitions.csv"
#: Of the opt-outs of a period, the share that each definition counts.
COUNTED = {
    "heed": 0.92, "iterable": 0.55, "braze": 0.31, "klaviyo": 0.97, "mailchimp": 0.48, "customer_io": 1.12,
    "spoke": 0.98,
}  # fmt: skip
UNITS = {"opt_out_rate_per_message": "opt_outs_per_message", "list_churn": "ratio", "unattributed_share": "share"}


def definitions() -> list[Row]:
    """The rows of metrics.definitions, from data/reference/definitions.csv."""
    with DEFINITIONS.open(encoding="utf-8", newline="") as file:
        rows: list[dict[str, Any]] = [
            {key: value or None for key, value in row.items()} for row in csv.DictReader(file)
        ]
    for row in rows:
        window = 259_200 if row["attributed_by"] == "policy" else row["window_seconds"]
        row |= {"position": int(row["position"]), "window_seconds": window and int(window)}
        row["is_share"] = row["is_share"] == "true"
    return list(rows)


def measurements(rates: Iterable[Row]) -> Iterator[Row]:
    """Rows beside those of opt_out_rate: five messages a contact, and three on the list for each one reached."""
    for rate in rates:
        if (rate["metric"], rate["definition"]) != ("opt_out_rate", "heed"):
            continue
        cell = {name: rate[name] for name in ("grain", "period_start", "channel", "program", "campaign_id", "reason")}
        opt_outs, reached = round(rate["numerator"]), round(rate["denominator"])
        for definition, share in COUNTED.items():
            counted = round(opt_outs * share)
            yield _ratio("opt_out_rate_per_message", definition, cell, counted, 5 * reached)
            if cell["program"] == cell["campaign_id"] == "*":
                yield _ratio("unattributed_share", definition, cell, max(0, opt_outs - counted), opt_outs)
        if cell["program"] == cell["campaign_id"] == "*" and cell["grain"] != "all":
            yield _ratio("list_churn", "heed", cell, opt_outs + opt_outs // 9, 3 * reached)
            if cell["grain"] == "month":
                yield _ratio("list_churn", "mailchimp", cell, opt_outs, 3 * reached)


def _ratio(metric: str, definition: str, cell: Row, numerator: int, denominator: int) -> Row:
    value, lower, upper = wilson(numerator, denominator) if numerator <= denominator else (None, None, None)
    if value is None and denominator:
        value = numerator / denominator
    counts = {"numerator": numerator, "denominator": denominator, "value": value, "lower": lower, "upper": upper}
    return cell | counts | {"metric": metric, "definition": definition, "unit": UNITS[metric]}
