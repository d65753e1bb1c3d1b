"""Groups of durations: the members of each, found by sorting, so that millions of rows take no loop over rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import polars
from numpy.typing import NDArray

from pipelines.statistics.estimate import Estimate

Codes = NDArray[np.int16]
Positions = NDArray[np.int64]


def encoded(values: polars.Series) -> tuple[list[Any], Codes]:
    """The distinct values in ascending order, and each row's place among them."""
    names = values.unique().sort()
    codes = values.cast(polars.Enum(names)) if names.dtype == polars.String else values.rank("dense") - 1
    numbers: NDArray[np.integer] = codes.to_physical().to_numpy()
    return names.to_list(), numbers.astype(np.int16)


def members(codes: Codes) -> Iterator[tuple[int, Positions]]:
    """Each code that occurs with the positions of its rows, in the order of the rows."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    for part in np.split(order, np.flatnonzero(np.diff(ordered)) + 1):
        if len(part):
            yield int(codes[part[0]]), part


def interval_columns(estimates: Mapping[str, Estimate]) -> dict[str, float | None]:
    """Estimates as columns: the value under its name, its bounds under the name with `_lower` and `_upper`."""
    columns: dict[str, float | None] = {}
    for name, estimate in estimates.items():
        columns |= {name: estimate.value, f"{name}_lower": estimate.lower, f"{name}_upper": estimate.upper}
    return columns
