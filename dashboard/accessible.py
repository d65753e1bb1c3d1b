"""The few repairs that make Streamlit's own elements readable by keyboard, screen reader and weak eyes.

accessible.css and accessible.js say what each one is for. The gate's content security policy lets the script run by
its hash, and no other.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

import streamlit as st

FOLDER = Path(__file__).resolve().parent


@cache
def script() -> str:
    """The script as it is put into the page."""
    return (FOLDER / "accessible.js").read_text(encoding="utf-8")


def script_hash() -> str:
    """The script's source expression for a content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()}'"


def draw() -> None:
    """Put the repairs into the page; they take no room in it."""
    st.html(FOLDER / "accessible.css")
    with st.sidebar:
        st.html(f"<script>{script()}</script>", width="content", unsafe_allow_javascript=True)
