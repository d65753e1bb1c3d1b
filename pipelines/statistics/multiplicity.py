"""Many tests asked together: p values made to mean what they say. A test that could not be made takes no part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from pipelines.statistics.estimate import Floats


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """P values corrected for being asked together, so that all of them keep one error rate; None stays None.

    Source: S. Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics
    6.
    """
    asked = sorted((value, place) for place, value in enumerate(p_values) if value is not None)
    corrected: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (value, place) in enumerate(asked):
        highest = max(highest, min(1.0, value * (len(asked) - rank)))
        corrected[place] = highest
    return corrected


def false_discovery_rates(p_values: ArrayLike) -> Floats:
    """The q value of each p value: the smallest false-discovery rate at which it would be called a finding.

    NaN stays NaN. Source: Y. Benjamini and Y. Hochberg (1995), Controlling the false discovery rate, JRSS B 57.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")[: int((~np.isnan(p)).sum())]  # NaN comes last
    steps = p[order] * len(order) / np.arange(1, len(order) + 1)
    q = np.full(len(p), np.nan)
    q[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    return q
