"""heed's dashboard: the server with its gate, and the list of its pages.

Start: `heed dashboard`, or `streamlit run app.py` in this folder with HEED_HOME naming the home folder. Streamlit
imports this file once for the server, and runs it once for each page that is drawn.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from dashboard.words import snapshot as words

FOLDER = Path(__file__).resolve().parent
# Streamlit puts this folder on the path, not the one that holds the `dashboard` package.
if str(FOLDER.parent) not in sys.path:
    sys.path.append(str(FOLDER.parent))


def main() -> None:
    """Open the newest snapshot and run the page the reader asked for."""
    from dashboard import access, access_log, accessible, filters, layout, linking, snapshot, taking, whoami
    from dashboard.words import access_texts, texts

    st.set_page_config(page_title=texts.PRODUCT, page_icon=str(FOLDER / "icon.svg"), layout="wide")
    st.logo(FOLDER / "mark.svg", size="large")
    try:
        access.choose()
    except access.NotKnownError:
        layout.empty(access_texts.NOT_KNOWN, access_texts.NOT_KNOWN_BODY, icon=":material/lock:")
        accessible.draw()
        return
    # Every page is there for every role: who may not open one is told so, also by its address.
    pages = {
        name: st.Page(
            page.file,
            title=page.title,
            icon=page.icon,
            help=page.help,
            default=name == "overview",
            visibility="visible" if name not in texts.UNLISTED and access.may_open(name) else "hidden",
        )
        for name, page in texts.PAGES.items()
    }
    sections = {
        section: [page for name, page in pages.items() if texts.PAGES[name].section == section]
        for section in texts.SECTIONS
    }
    asked = st.navigation({name: listed for name, listed in sections.items() if listed}, expanded=True)
    name = next(name for name, page in pages.items() if page == asked)
    access.opened(name)
    taking.begin(name)
    linking.begin(name)
    with st.container(width=layout.PAGE_WIDTH):
        try:
            if access.may_open(name):
                snapshot.choose()
                filters.draw(texts.PAGES[name].filters)
                asked.run()
                linking.show()
            else:
                whoami.refused(name)
        except snapshot.NoSnapshotError as error:
            st.title(words.NONE_YET, anchor=False)
            layout.empty(error.what, texts.FIRST_RUN, error.command)
        except snapshot.SnapshotError as error:
            st.title(words.CANNOT_BE_READ, anchor=False)
            why = texts.NEWER if isinstance(error, snapshot.NewerSnapshotError) else texts.UNREADABLE
            layout.empty(error.what, why, error.command, icon=":material/broken_image:")
        except access_log.NotWrittenError as error:
            whoami.not_written(error)
        except Exception:
            # A mistake of ours: the reader is told what still works, the server's log gets the cause.
            logging.getLogger(__name__).exception("the page %s could not be drawn", name)
            layout.empty(texts.FAILED, texts.FAILED_BODY, icon=":material/build:")
            if not access.is_served():
                raise
        whoami.sidebar()
    accessible.draw()


if __name__ == "__main__":
    main()
else:
    from dashboard import gate, gate_settings, warm

    SETTINGS = gate_settings.current()
    app = st.App(
        __file__,
        lifespan=warm.served,
        middleware=[Middleware(gate.Gate, settings=SETTINGS)],
        secrets=gate_settings.for_streamlit(SETTINGS),
    )
