"""Comparisons of two shares: are they equal?"""

from __future__ import annotations

from pipelines.statistics.mixtures import fisher_exact


def equal_shares(share: tuple[int, int], other: tuple[int, int]) -> float | None:
    """The two-sided p value of two shares (count, of how many) being equal, by Fisher's exact test."""
    (k, n), (other_k, other_n) = share, other
    return fisher_exact(k, n - k, other_k, other_n - other_k) if n and other_n else None
