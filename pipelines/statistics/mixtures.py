"""Mixtures: is the mix of reasons of one group another than that of the rest?

Small counts are put together or counted out exactly, never trusted to an approximation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

#: The count each cell of a chi-square test must be expected to have (W. G. Cochran 1954, Biometrics 10).
FEWEST_EXPECTED = 5
#: Weights that differ by less than this factor are taken for equal (as R and scipy do).
_ALIKE = 1 + 1e-7


@dataclass(frozen=True)
class MixTest:
    """Two mixes compared: the statistic, its degrees of freedom, p, and how many categories were told apart.

    `method` is chi_square, or exact (Fisher's, of two categories; no statistic). All are None where there are too few
    counts to tell.
    """

    method: str | None
    statistic: float | None
    degrees: int | None
    p_value: float | None
    categories: int


def compare_mixes(group: ArrayLike, rest: ArrayLike) -> MixTest:
    """Whether two groups of counts by category (in the same order) come from one mix.

    Pearson's chi-square test of homogeneity. Categories of which a group would be expected to have fewer than five are
    put together, the smallest first, by their total: that does not look at where the counts fell. Where only two are
    left, Fisher's exact test. Sources: K. Pearson (1900), Philosophical Magazine 50; R. A. Fisher (1935), The logic of
    inductive inference, JRSS 98.
    """
    table = np.vstack([np.asarray(group, dtype=np.float64), np.asarray(rest, dtype=np.float64)])
    table = table[:, table.sum(axis=0) > 0]
    sizes, whole = table.sum(axis=1), table.sum()
    if whole == 0 or (sizes == 0).any() or table.shape[1] < 2:
        return MixTest(None, None, None, None, table.shape[1])
    table = table[:, np.argsort(table.sum(axis=0), kind="stable")]
    smallest = sizes.min() / whole
    while table.shape[1] > 2 and table[:, 0].sum() * smallest < FEWEST_EXPECTED:
        pooled = np.column_stack([table[:, :2].sum(axis=1), table[:, 2:]])
        table = pooled[:, np.argsort(pooled.sum(axis=0), kind="stable")]
    if table.shape[1] == 2:
        (a, b), (c, d) = table.astype(np.int64).tolist()
        return MixTest("exact", None, None, fisher_exact(a, b, c, d), 2)
    from scipy.special import chdtrc

    expected = np.outer(sizes, table.sum(axis=0)) / whole
    statistic = float(((table - expected) ** 2 / expected).sum())
    degrees = table.shape[1] - 1
    return MixTest("chi_square", statistic, degrees, float(chdtrc(degrees, statistic)), table.shape[1])


def fisher_exact(a: int, b: int, c: int, d: int) -> float:
    """The two-sided p value of the counts a, b beside c, d: of all tables with their sums, those as unlikely or more.

    Source: R. A. Fisher (1935), The logic of inductive inference, JRSS 98.
    """
    from scipy.special import gammaln

    first, column, whole = a + b, a + c, a + b + c + d
    values = np.arange(max(0, column - (whole - first)), min(first, column) + 1, dtype=np.float64)
    log_weight = -(
        gammaln(values + 1)
        + gammaln(first - values + 1)
        + gammaln(column - values + 1)
        + gammaln(whole - first - column + values + 1)
    )
    weight = np.exp(log_weight - log_weight.max())
    seen = weight[a - int(values[0])]
    return min(1.0, float(weight[weight <= seen * _ALIKE].sum() / weight.sum()))
