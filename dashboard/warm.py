"""What the server does before its first reader asks, so that no reader waits for it.

Streamlit collects garbage after every page run, through everything that was ever imported: 50 to 100 ms in which
nobody's page is drawn. What is loaded before, and stays as long as the server, is kept out of that.
"""

from __future__ import annotations

import gc
import importlib
import pkgutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st

import dashboard

#: Other libraries' modules that pages and tables need, which Streamlit loads when the first page asks for them.
NEEDED = ("pandas.io.formats.style", "plotly.graph_objects", "plotly.io", "pyarrow.pandas_compat")


def up() -> None:
    """Load what the pages need and take it out of the garbage collector's rounds."""
    for name in NEEDED:
        importlib.import_module(name)
    for module in pkgutil.iter_modules(dashboard.__path__, f"{dashboard.__name__}."):
        # A page is a script: it is run, not imported, and app.py is what asks.
        if not module.ispkg and module.name != "dashboard.app":
            importlib.import_module(module.name)
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def served(_: st.App) -> AsyncIterator[None]:
    """What the server runs in: warm from before its first answer."""
    up()
    yield
