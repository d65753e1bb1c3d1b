"""Numbers that look random and are the same every time: hashes, evenly spread sequences, identifiers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_HEX_PAIRS = np.array([f"{byte:02x}".encode() for byte in range(256)], dtype="S2").view(np.uint16)


def mixed(numbers: NDArray[np.int64] | NDArray[np.uint64], seed: int, stream: int) -> NDArray[np.uint64]:
    """A 64-bit hash of each number (splitmix64), different for every seed and stream."""
    with np.errstate(over="ignore"):
        offset = np.uint64((seed * 0x9E3779B97F4A7C15 + stream * 0xD1B54A32D192ED03) % 2**64)
        x = np.asarray(numbers).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + offset
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


def fraction(numbers: NDArray[np.int64], seed: int, stream: int) -> NDArray[np.float64]:
    """A number in [0, 1) per input, by hash."""
    return (mixed(numbers, seed, stream) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def hex_ids(serials: NDArray[np.int64], seed: int, stream: int) -> NDArray[np.bytes_]:
    """32 hexadecimal digits per serial number; distinct serials give distinct ids."""
    halves = np.empty((len(serials), 2), dtype=">u8")
    halves[:, 0] = mixed(serials, seed, stream)
    halves[:, 1] = mixed(serials, seed, stream + 1)
    return _HEX_PAIRS[halves.view(np.uint8).reshape(len(serials), 16)].view("S32").ravel()


@dataclass
class EvenSequence:
    """A sequence that fills [0, 1) evenly from its first numbers on (Weyl's): small samples keep their shares."""

    step: float
    position: float

    def take(self, count: int) -> NDArray[np.float64]:
        """The next `count` numbers."""
        numbers: NDArray[np.float64] = np.mod(self.position + self.step * np.arange(1, count + 1), 1.0)
        self.position = float(np.mod(self.position + self.step * count, 1.0))
        return numbers


@dataclass
class Quota:
    """Turns a rate into whole numbers without losing the fraction: what is left over waits for the next call."""

    left_over: float = 0.5

    def take(self, expected: float, available: int) -> int:
        """How many to take now, never more than `available`."""
        self.left_over += expected
        count = min(int(self.left_over), available)
        self.left_over -= count
        return count


def choose(rng: np.random.Generator, candidates: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """`count` of the candidates, each equally likely, in their own order."""
    if count >= len(candidates):
        return candidates
    if count == 0:
        return candidates[:0]
    keys = rng.random(len(candidates))
    return np.sort(candidates[np.argpartition(keys, count - 1)[:count]])


def choose_weighted(
    rng: np.random.Generator, candidates: NDArray[np.int64], weights: NDArray[np.float32], count: int
) -> NDArray[np.int64]:
    """`count` of the candidates without repetition, likelier by weight, in their own order."""
    if count >= len(candidates):
        return candidates
    if count == 0:
        return candidates[:0]
    keys = rng.standard_exponential(len(candidates)) / weights
    return np.sort(candidates[np.argpartition(keys, count - 1)[:count]])
