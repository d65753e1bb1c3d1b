"""What a statistic gives: a value with its 95 % interval. An undefined value is NaN in arrays and None alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Standard normal quantile of a two-sided 95 % interval.
Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; None where not defined."""

    value: float | None
    lower: float | None = None
    upper: float | None = None


def number(value: float) -> float | None:
    """A float as it is; None for NaN."""
    return None if math.isnan(value) else float(value)
