"""What pages say about their reader: who it is at the foot of each, and why a page is not shown."""

from __future__ import annotations

import logging

import streamlit as st

from dashboard import access, access_log, gate_settings, layout
from dashboard.words import access_texts, texts


def _name(who: str) -> str:
    # An invisible joiner keeps an e-mail address from becoming a link.
    return texts.plain(who).replace("@", "\u2060@")


def sidebar() -> None:
    """Who reads, in which role, until when, and the way out, where readers log in."""
    if access.is_local():
        return
    reader = access.reader()
    words = [access_texts.SIGNED_IN.format(who=_name(reader.who), role=access_texts.ROLES[reader.role])]
    if ends_at := access.ends_at():
        words.append(access_texts.UNTIL.format(time=f"{ends_at:%H:%M}"))
    with st.sidebar:
        st.caption(" · ".join(words))
        if gate_settings.current().login == "openid":
            st.button(access_texts.LOG_OUT, icon=":material/logout:", key="log_out", on_click=st.logout)


def refused(page: str) -> None:
    """The page belongs to another role: say so, and where the reader may go."""
    reader = access.reader()
    access.refuse_page(page)
    others = [
        access_texts.ROLES[role] for role in gate_settings.ROLES if role in access.PAGES.get(page, access.OFFICERS)
    ]
    st.title(access_texts.PAGE_REFUSED, anchor=False)
    body = access_texts.PAGE_REFUSED_BODY.format(
        who=_name(reader.who),
        role=access_texts.ROLES[reader.role],
        page=texts.PAGES[page].title,
        others=access_texts.AND.join(access_texts.THE_ROLE.format(role=role) for role in others),
    )
    layout.empty(texts.PAGES[page].title, body, icon=":material/lock:")
    first = texts.PAGES["overview"]
    st.page_link(first.file, label=access_texts.FIRST_PAGE, icon=first.icon)


def not_written(error: access_log.NotWrittenError) -> None:
    """The access log cannot be written, so what it should have told of is not shown."""
    logging.getLogger(__name__).error("%s", error)
    layout.empty(access_texts.NOT_LOGGED, access_texts.NOT_LOGGED_BODY, icon=":material/lock:")
