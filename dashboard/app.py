"""heed's dashboard: the list of its pages, and what is shown when there is nothing to show.

Start: `streamlit run app.py` in this folder, with HEED_HOME naming the home folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

FOLDER = Path(__file__).resolve().parent


def main() -> None:
    """Open the newest snapshot and run the page the reader asked for."""
    # Streamlit puts this folder on the path, not the one that holds the `dashboard` package.
    if str(FOLDER.parent) not in sys.path:
        sys.path.append(str(FOLDER.parent))
    from dashboard import filters, layout, snapshot, texts

    st.set_page_config(page_title=texts.PRODUCT, page_icon=str(FOLDER / "icon.svg"), layout="wide")
    st.logo(FOLDER / "mark.svg", size="large")
    pages = {
        name: st.Page(
            page.file,
            title=page.title,
            icon=page.icon,
            help=page.help,
            default=name == "overview",
            visibility="hidden" if name == "contact" else "visible",
        )
        for name, page in texts.PAGES.items()
    }
    sections = {
        section: [page for name, page in pages.items() if texts.PAGES[name].section == section]
        for section in texts.SECTIONS
    }
    asked = st.navigation({name: listed for name, listed in sections.items() if listed}, expanded=True)
    name = next(name for name, page in pages.items() if page == asked)
    with st.container(width=layout.PAGE_WIDTH):
        try:
            snapshot.choose()
            filters.draw(texts.PAGES[name].filters)
            asked.run()
        except snapshot.NoSnapshotError as error:
            st.title("No snapshot yet", anchor=False)
            layout.empty(error.what, texts.FIRST_RUN, error.command)
        except snapshot.SnapshotError as error:
            st.title("The snapshot cannot be read", anchor=False)
            layout.empty(error.what, texts.UNREADABLE, error.command, icon=":material/broken_image:")


main()
