"""Seeded, realistic, deliberately bad logs of a fictional retailer, with their own answer key."""

from __future__ import annotations

from pipelines.sample.generator import generate

__all__ = ["generate"]
