"""Log-rank: do groups end at the same pace?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipelines.statistics.estimate import Floats
from pipelines.statistics.survival import survival_order

#: Eigenvalues of the variance below this share of the greatest are rounding, not information.
_NOTHING = 1e-9


@dataclass(frozen=True)
class Comparison:
    """Ends by group within one stratum: those observed, those expected if all had one pace, and their covariance."""

    observed: Floats
    expected: Floats
    covariance: Floats


@dataclass(frozen=True)
class LogRank:
    """The test's chi-squared, its degrees of freedom and p value; None where no groups can be compared.

    `observed` and `expected` count ends by group, over all strata: expected is what a group would have if all had one
    pace.
    """

    chi_squared: float | None
    degrees: int
    p_value: float | None
    observed: Floats
    expected: Floats


def log_rank(
    durations: ArrayLike,
    is_observed: ArrayLike,
    groups: ArrayLike,
    strata: ArrayLike | None = None,
    entries: ArrayLike | None = None,
) -> LogRank:
    """The log-rank test that all groups end at the same pace; within each stratum, if there are strata.

    `groups` and `strata` are whole numbers from 0. What is censored at the moment of an end counts as at risk of it;
    with `entries`, only what entered at that moment or before (delayed entry). The variance is hypergeometric, so ties
    are corrected for. With strata, groups are compared only with those of their own stratum, and the differences are
    added up. Source: N. Mantel (1966), Evaluation of survival data and two new rank order statistics arising in its
    consideration, Cancer Chemotherapy Reports 50; R. Peto and J. Peto (1972), Asymptotically efficient rank invariant
    test procedures, JRSS A 135; J. P. Klein and M. L. Moeschberger (2003), Survival analysis, sections 7.3 and 7.5.
    """
    times, observed = np.asarray(durations, dtype=np.float64), np.asarray(is_observed, dtype=bool)
    order = survival_order(times, observed)
    number = np.asarray(groups, dtype=np.int64)[order]
    entry = None if entries is None else np.asarray(entries, dtype=np.float64)[order]
    stratum = np.zeros(len(times), dtype=np.int64) if strata is None else np.asarray(strata)[order]
    count = int(number.max()) + 1 if len(number) else 0
    parts = [np.flatnonzero(stratum == one) for one in np.unique(stratum)]
    times, observed = times[order], observed[order]
    return judged(
        compared(times[part], observed[part], number[part], count, None if entry is None else entry[part])
        for part in parts
    )


def judged(comparisons: Iterable[Comparison]) -> LogRank:
    """The test over the comparisons of all strata, of the same groups in the same order."""
    each = list(comparisons)
    if not each:
        return LogRank(None, 0, None, np.zeros(0), np.zeros(0))
    observed = np.sum([one.observed for one in each], axis=0)
    expected = np.sum([one.expected for one in each], axis=0)
    values, vectors = np.linalg.eigh(np.sum([one.covariance for one in each], axis=0))
    is_known = values > _NOTHING * values.max(initial=0.0)
    degrees = int(is_known.sum())
    if not degrees:
        return LogRank(None, 0, None, observed, expected)
    from scipy.special import chdtrc

    along = vectors[:, is_known].T @ (observed - expected)
    chi_squared = float((along**2 / values[is_known]).sum())
    return LogRank(chi_squared, degrees, float(chdtrc(degrees, chi_squared)), observed, expected)


def compared(
    durations: Floats,
    is_observed: NDArray[np.bool_],
    groups: NDArray[np.integer],
    count: int,
    entries: Floats | None = None,
) -> Comparison:
    """The comparison of `count` groups within one stratum, in one pass.

    Durations ascend, and of equal ones those observed come first.
    """
    number = groups.astype(np.int64)
    places = np.flatnonzero(is_observed)
    is_step = np.zeros(len(durations), dtype=bool)
    is_step[places] = np.diff(durations[places], prepend=-np.inf) > 0
    steps = int(is_step.sum())
    # The last step at which each one is still at risk; those gone before the first are at risk of none.
    step = np.cumsum(is_step) - 1
    begun = int(places[0]) if steps else len(durations)
    at_risk = _from_then_on(number[begun:], step[begun:], count, steps)
    if entries is not None and steps:
        late = np.flatnonzero(entries > durations[places[0]])
        first = np.minimum(np.searchsorted(durations[is_step], entries[late]), step[late] + 1)
        at_risk -= _from_then_on(number[late], first - 1, count, steps)
    ended = np.bincount(step[places], minlength=steps).astype(np.float64)
    everyone = at_risk.sum(axis=0)
    weight = ended * (everyone - ended) / (everyone**2 * np.maximum(everyone - 1, 1))
    covariance = np.diag(at_risk @ (weight * everyone)) - (at_risk * weight) @ at_risk.T
    observed = np.bincount(number[places], minlength=count).astype(np.float64)
    return Comparison(observed, at_risk @ (ended / everyone), covariance)


def _from_then_on(groups: NDArray[np.int64], last: NDArray[np.int64], count: int, steps: int) -> Floats:
    """By group and step: how many have their last step there or later."""
    counted = np.bincount(groups * steps + last, minlength=count * steps).reshape(count, steps)
    return counted[:, ::-1].cumsum(axis=1, dtype=np.float64)[:, ::-1]
