"""Damaged deliveries and configurations: heed says what is wrong, or accounts for every row. `make fuzz` tries more."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import strategies as st

from tests.faults.fuzz import attempts
from tests.faults.fuzzing import (
    Promises,
    Seed,
    changed,
    changes,
    configuration_holds,
    configurations,
    deliveries,
    seeds,
)


def test_every_connector_has_payloads_to_damage() -> None:
    assert {seed.connector for seed in seeds()} == {"canonical", "generic", "twilio", "whatsapp_cloud"}


@pytest.mark.slow
def test_no_damaged_delivery_crashes_hangs_or_loses_a_row(tmp_path: Path) -> None:
    promises = Promises(tmp_path)

    def delivery(one: tuple[Seed, str, bytes]) -> None:
        promises.hold_for(*one)

    attempts(delivery, 40, 20261122, deliveries())
    assert promises.outcomes["loaded"] > 5
    assert promises.outcomes["UnreadableInputError"] > 5


def test_no_damaged_configuration_is_worse_than_an_error(tmp_path: Path) -> None:
    outcomes = Counter[str]()

    def configuration(data: bytes, several: list[tuple[str, float, float, bytes]]) -> None:
        outcomes[configuration_holds(tmp_path, changed(data, several))] += 1

    attempts(configuration, 200, 20261122, st.sampled_from(configurations()), changes())
    assert set(outcomes) == {"read", "refused"}
