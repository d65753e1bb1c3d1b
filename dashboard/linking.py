"""What a link says, what of it was not understood, and whether the numbers are still those it was made on.

Filters, tables and switches keep their choice in the address. A link to a view also names the scope and the run it was
made on; what cannot be kept as it was is said on the page, never changed without a word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard import snapshot
from dashboard.words import filters as words
from dashboard.words import texts

SCOPE, RUN = "scope", "run"
#: What a page reads from its address itself, without a widget; whether it is on record, the page says.
SUBJECTS = {"contact": "contact", "finding": "finding_id"}
# Streamlit's own, and what other programs hang on links.
NOT_OURS = ("embed", "utm_", "_")


@dataclass(frozen=True)
class Asked:
    """What the address asked for when a page run began."""

    page: str
    parameters: dict[str, list[str]]


def begin(page: str) -> None:
    """Keep what the address asks for, before the widgets of a page run read it."""
    asked = {key: st.query_params.get_all(key) for key in st.query_params}
    if st.session_state.get("ignored_page") != page:
        st.session_state["ignored_page"], st.session_state["ignored"] = page, {}
    st.session_state["asked"] = Asked(page, asked)
    st.session_state.pop("notices", None)


def place() -> None:
    """Where on the page the notices go: called by the header."""
    st.session_state["notices"] = st.container()


def show() -> None:
    """Say what of the address was not understood, and what is no longer as the link says. After the page's widgets."""
    place = st.session_state.get("notices")
    if place is None:
        return
    asked: Asked = st.session_state["asked"]
    ignored: dict[str, list[str]] = st.session_state["ignored"]
    ignored |= not_understood(asked)
    told, now = changes(asked.parameters), snapshot.published().run_id
    if ignored:
        items = [texts.plain(words.item(key, value)) for key, values in ignored.items() for value in values]
        told.insert(0, words.NOT_UNDERSTOOD.format(items=", ".join(items)))
    if told:
        with place:
            st.info("\n\n".join(told), icon=":material/link:")
            if asked.parameters.get(RUN, [now])[0] != now:
                page = texts.PAGES["restated"]
                st.page_link(page.file, label=words.WHAT_CHANGED, icon=page.icon)


def not_understood(asked: Asked) -> dict[str, list[str]]:
    """The parts of an address that no widget of the page took, with their values as written."""
    left: dict[str, list[str]] = {}
    for key, values in asked.parameters.items():
        if key in (RUN, SUBJECTS.get(asked.page)) or key.startswith(NOT_OURS):
            continue
        taken = words.SCOPES if key == SCOPE else st.query_params.get_all(key) if key in st.session_state else []
        # A choice that is what the page shows anyway is taken, and leaves the address.
        missing = [value for value in values if value not in taken and not _is_chosen(key, value)]
        if missing:
            left[key] = missing
    return left


def _is_chosen(key: str, value: str) -> bool:
    chosen = st.session_state.get(key)
    many = chosen if isinstance(chosen, (list, tuple)) else [chosen]
    return value.casefold() in {str(one).casefold() for one in many}


def changes(asked: dict[str, list[str]]) -> list[str]:
    """What is not as it was when the link was made: the scope, the run."""
    told = []
    published, scope = snapshot.published(), scope_now()
    then = next(iter(asked.get(SCOPE, [])), scope)
    if then != scope and then in words.SCOPES:
        told.append(words.OTHER_SCOPE.format(then=words.SCOPES[then], now=words.SCOPES.get(scope, scope)))
    run = next(iter(asked.get(RUN, [])), published.run_id)
    if run != published.run_id:
        told.append(words.OTHER_RUN.format(then=texts.code(run), now=published.run_id))
    return told


def scope_now() -> str:
    """The scope of the numbers shown."""
    return str((snapshot.one("select scope from run.parameters") or {}).get("scope", ""))


def offer() -> None:
    """A button that shows the link to what is seen, with its scope and its run."""
    popover = st.popover(words.LINK, type="tertiary", icon=":material/link:", key="link", on_change="rerun")
    if popover.open:
        with popover:
            st.code(address(), language=None, wrap_lines=True)
            st.markdown(words.LINK_TOLD)


def address() -> str:
    """The address of what is seen: the page, every choice on it, the scope and the run."""
    context = get_script_run_ctx()
    # What the browser's address said when this run began; st.query_params may be older.
    told = context.query_string if context else ""
    kept = [(key, value) for key, value in parse_qsl(told) if key not in (SCOPE, RUN)]
    origin: list[tuple[str, Any]] = [(SCOPE, scope_now()), (RUN, snapshot.published().run_id)]
    return f"{st.context.url or ''}?{urlencode([*kept, *origin])}"
