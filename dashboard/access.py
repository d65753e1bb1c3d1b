"""Who may see what: the one table of roles, and the questions that pages, exports, caches and routes ask it.

A role that is not named for something may not have it, and what is not in the table is for officers.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from dashboard import access_log, gate_sessions, gate_settings
from dashboard.gate_sessions import SESSIONS, Reader, Session

OFFICER, MARKETER, VIEWER = gate_settings.ROLES
EVERYONE = frozenset(gate_settings.ROLES)
OFFICERS = frozenset({OFFICER})
SENDERS = frozenset({OFFICER, MARKETER})
REVIEWERS = frozenset({OFFICER, VIEWER})

#: Pages by their name in texts.PAGES.
PAGES = {
    "overview": EVERYONE,
    "audit": REVIEWERS,
    "findings": OFFICERS,
    "missed": OFFICERS,
    "contact": OFFICERS,
    "finding": OFFICERS,
    "response": REVIEWERS,
    "trends": EVERYONE,
    "campaigns": EVERYONE,
    "reasons": EVERYONE,
    "timing": EVERYONE,
    "audience": EVERYONE,
    "definitions": EVERYONE,
    "membership": EVERYONE,
    "restated": EVERYONE,
    "screen": SENDERS,
    "rules": EVERYONE,
    "waivers": OFFICERS,
    "data": OFFICERS,
}
#: What a page may show or do beside its numbers.
ACTIONS = {
    "see_contacts": OFFICERS,  # masks, keys and the evidence of one contact
}
#: Files that pages offer.
EXPORTS = {
    "findings": OFFICERS,
    "contact": OFFICERS,
    "clean_list": SENDERS,
    "refused_rows": SENDERS,
    "segment_keys": SENDERS,
    "view": EVERYONE,  # what a page shows its reader anyway: who may open the page may take it
}
#: The server's addresses that not every reader needs, by how they begin. Everything else needs any role.
ROUTES = {
    "/_stcore/upload_file": PAGES["screen"],
    "/_stcore/metrics": OFFICERS,
    "/_stcore/agent": frozenset[str](),
}


#: Where the page Screen keeps its answer while it is open.
SCREENED = "screened"


class NotKnownError(Exception):
    """The page run has no reader: nobody is logged in."""


def choose() -> Reader:
    """Find out who reads and keep it for this page run; raises NotKnownError where the session is over."""
    name = st.context.headers.get(gate_sessions.HEADER)
    if name is None:  # A test: see is_served.
        settings = gate_settings.current()
        session = Session(Reader(gate_sessions.LOCAL, gate_sessions.LOCAL, settings.role), name="")
        found = session if settings.login == "none" else None
    else:
        found = SESSIONS.named(name)
    before = st.session_state.get("session")
    if before is not None and (found is None or before.reader != found.reader):
        # A browser that somebody else logged in with gets nothing of what the one before had on the page.
        st.session_state.clear()
    if found is None:
        raise NotKnownError
    st.session_state["session"] = found
    return found.reader


def is_served() -> bool:
    """Whether a reader's browser asks; without a server and its gate, a test runs the page in its own process."""
    return gate_sessions.HEADER in st.context.headers


def session() -> Session:
    """The session of this page run."""
    if "session" not in st.session_state:
        choose()
    chosen: Session = st.session_state["session"]
    return chosen


def reader() -> Reader:
    """Who reads in this page run."""
    return session().reader


def is_local() -> bool:
    """Whether nobody is asked to log in."""
    return gate_settings.current().login == "none"


def may_open(page: str) -> bool:
    """Whether the reader may open a page."""
    return reader().role in PAGES.get(page, OFFICERS)


def may(action: str) -> bool:
    """Whether the reader may see or do something of ACTIONS."""
    return reader().role in ACTIONS.get(action, OFFICERS)


def may_export(export: str) -> bool:
    """Whether the reader may take a file of EXPORTS."""
    return reader().role in EXPORTS.get(export, OFFICERS)


def may_use_route(role: str, path: str) -> bool:
    """Whether a role may use an address of the server; asked by the gate for every request."""
    return all(role in roles for beginning, roles in ROUTES.items() if path.startswith(beginning))


def page_of(path: str) -> str:
    """The page that an address asks for, as the access log names it: other text that somebody typed is `other`."""
    name = path.strip("/") or "overview"
    return name if name in PAGES else "other"


def view_contact(contact_key: int, page: str = "contact") -> None:
    """The reader is about to see a contact on a page: write it down, once until another page or contact is opened."""
    if st.session_state.get("contact_written") != contact_key:
        access_log.write("contact", reader(), page=page, contact_key=contact_key)
        st.session_state["contact_written"] = contact_key
    st.session_state["contact_written_on"] = page


def refuse_page(page: str) -> None:
    """The reader asked for a page of another role: write it down, once until another page is opened."""
    if st.session_state.get("refused_written") != page:
        access_log.write("refused", reader(), page=page)
        st.session_state["refused_written"] = page


def opened(page: str) -> None:
    """The reader opened a page: what was written down about another one is done with."""
    if page != st.session_state.get("contact_written_on"):
        st.session_state.pop("contact_written", None)
    if page != "contact":
        st.session_state.pop("contact_held", None)
    if page != "screen":
        st.session_state.pop(SCREENED, None)
    if st.session_state.get("refused_written") != page:
        st.session_state.pop("refused_written", None)


def on_demand(
    export: str, rows: int, make: Callable[[], bytes], *, page: str | None = None, contact_key: int | None = None
) -> Callable[[], bytes]:
    """What a download button calls: makes the file if the reader still may have it, and writes that down first.

    It runs outside a page run, when the reader clicks. `page` is the page whose view it is, if it is one, and
    `contact_key` the contact it is about. Raises PermissionError where the session is over.
    """
    asked = session()
    if contact_key is None and page is not None and page == st.session_state.get("contact_written_on"):
        contact_key = st.session_state.get("contact_written")

    def made() -> bytes:
        if asked.is_over or asked.reader.role not in EXPORTS.get(export, OFFICERS):
            raise PermissionError(f"{asked.reader.role} may not take the export {export}")
        if page is not None and asked.reader.role not in PAGES.get(page, OFFICERS):
            raise PermissionError(f"{asked.reader.role} may not take what the page {page} shows")
        access_log.write("export", asked.reader, page=page, contact_key=contact_key, export=export, rows=rows)
        return make()

    return made


def ends_at() -> datetime | None:
    """When the reader's session ends; None where it has no end."""
    seconds = session().ends_at
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
