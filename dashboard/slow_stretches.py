"""Part of the page of response times: the days on which opt-outs took longer than usual, by their dates."""

from __future__ import annotations

import streamlit as st

from dashboard import snapshot
from dashboard.filters import Filters
from dashboard.words import slow_stretches as words

STRETCHES = """
select * from metrics.slow_stretches where channel = ?
    and (cast(? as date) is null or (last_on >= ? and first_on < cast(? as date) + interval 1 month))
order by first_on
"""


def show(chosen: Filters) -> None:
    """The slow stretches of the selection, each with its times and those of other days."""
    if not snapshot.has("metrics.slow_stretches"):
        return
    month = chosen.period
    rows = snapshot.rows(STRETCHES, [chosen.channel_or_all, month, month, month])
    st.header(words.HEAD, anchor=False)
    st.markdown("\n".join(f"- {words.in_words(row)}" for row in rows) or words.NONE)
    st.caption(words.DEFINITION)
