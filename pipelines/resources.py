"""Finds the files heed ships: SQL and reference data, in a checkout or inside an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent


def _shipped(packaged: str, checkout: str) -> Path:
    inside_wheel = _PACKAGE / "_shipped" / packaged
    return inside_wheel if inside_wheel.is_dir() else _CHECKOUT / checkout


def sql_folder() -> Path:
    """The folder of SQL files: core/, audits/, metrics/, checks/."""
    return _shipped("sql", "sql")


def reference_folder() -> Path:
    """The folder of reference tables: facts as rows, each with its source."""
    return _shipped("reference", "data/reference")
