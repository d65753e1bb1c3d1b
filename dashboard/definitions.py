"""The switch between definitions: one choice, kept in the URL, the same on every page that offers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard import snapshot, taking
from dashboard.words import definitions as words
from dashboard.words import texts

#: The parameter of the URL, and the key of the control.
KEY = "definition"
# What the reader chose last, on whatever page: a page that does not offer it shows its own first one meanwhile.
_CHOSEN = "definition_chosen"
LISTED = """
select metric, definition, name, numerator, denominator, attribution, window_seconds, unit, is_share, grains,
    source, grade, checked_on, note
from metrics.definitions order by position
"""


@dataclass(frozen=True)
class Definition:
    """One definition of a number: what metrics.measurements names it by, and how it counts."""

    metric: str
    definition: str
    name: str
    numerator: str
    denominator: str
    unit: str
    is_share: bool
    grains: tuple[str, ...]
    attribution: str = ""
    window_seconds: float | None = None
    source: str = ""
    grade: str = ""
    checked_on: str = ""
    note: str = ""

    @property
    def says(self) -> str:
        """How it counts, in one sentence: numerator / denominator; attribution."""
        counted = f"{self.numerator} / {self.denominator}"
        counted = counted[0].upper() + counted[1:]
        return f"{counted}; {self.attribution}." if self.attribution else f"{counted}."

    @property
    def is_own(self) -> bool:
        """Whether it is heed's own, and not another product's."""
        return "heed" in (self.definition, self.grade)


def offered(metrics: tuple[str, ...]) -> list[Definition]:
    """The definitions of these metrics that this snapshot has numbers for, in the metrics' order, heed's own first."""
    if not snapshot.has("metrics.definitions"):
        return [_definition({"metric": metrics[0], "definition": "heed", **words.OWN[metrics[0]]})]
    listed = [_definition(row) for row in snapshot.rows(LISTED) if row["metric"] in metrics]
    assert listed, f"no definition of {', '.join(metrics)}"
    return sorted(listed, key=lambda one: (metrics.index(one.metric), not one.is_own))


def choose(metrics: tuple[str, ...]) -> Definition:
    """Draw the switch over the definitions of these metrics and return the one chosen.

    The choice is one for all pages and stands in the URL. Where a page does not offer it, the page's first definition
    is shown and the choice waits for the reader's return. Of one definition there is nothing to choose.
    """
    options = {one.name: one for one in offered(metrics)}
    first = next(iter(options))
    if len(options) == 1:
        return _counted_by(options[first])
    kept = st.session_state.get(_CHOSEN)
    if st.session_state.get(KEY, first) not in options:
        st.session_state[KEY] = kept if kept in options else first
    name = st.selectbox(
        words.LABEL,
        list(options),
        key=KEY,
        bind="query-params",
        help=words.HELP,
    )
    if name != first or kept in options:
        st.session_state[_CHOSEN] = name
    st.caption(caption(options[name]))
    return _counted_by(options[name])


def _counted_by(definition: Definition) -> Definition:
    # What is taken from the page says how it was counted.
    taking.view().definition = footer(definition)
    return definition


def caption(definition: Definition) -> str:
    """What the chosen definition counts, to stand under the switch."""
    warning = "" if definition.is_share else words.RATIO
    return f"{texts.plain(definition.says)}{warning}"


def footer(definition: Definition) -> str:
    """The definition by name, for the page's footer: every number on it was counted so."""
    name = texts.plain(definition.name)
    return words.FOOTER.format(
        name=name, metric=definition.metric, definition=definition.definition, says=texts.plain(definition.says)
    )


def _definition(row: dict[str, Any]) -> Definition:
    told = {name: value for name, value in row.items() if value is not None}
    told["grains"] = tuple(str(told.get("grains", "")).split())
    told["checked_on"] = str(told.get("checked_on", ""))
    return Definition(**told)
