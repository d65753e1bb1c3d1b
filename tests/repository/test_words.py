"""English stands in one place: what a module says is in dashboard/words, or in one of the modules that hold text."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

DASHBOARD = Path(__file__).resolve().parents[2] / "dashboard"
#: Modules of text outside dashboard/words, and those whose text a person at a terminal or in a log reads.
TEXT = {"formats", "texts", "rule_texts", "access_texts", "place_names", "overview_sentences", "definitions_example"}
TERMINAL = {
    "access",
    "access_log",
    "app",
    "gate",
    "gate_pages",
    "gate_sessions",
    "gate_settings",
    "snapshot",
    "replay",
    "contact_history",
    "contact_process",
    "finding_evidence",
    "finding_list",
}
#: Modules that make sentences of their own still. None may be added; who moves one's words takes it out.
NOT_MOVED = {
    "app_pages/audience", "app_pages/contact", "app_pages/data", "app_pages/finding", "app_pages/findings",
    "app_pages/missed", "app_pages/reasons", "app_pages/rules", "coverage", "reason_parts", "response_groups",
    "restating", "screening", "trend_parts",
}  # fmt: skip
#: A text of so many words is a sentence; shorter ones may be names of columns, keys and formats.
SENTENCE = 4
# SQL, a colour, a name of a format.
NO_ENGLISH = re.compile(r"\bselect\s|\border by\s|rgba\(|text/")
MODULES = {
    path.relative_to(DASHBOARD).with_suffix("").as_posix(): path
    for path in sorted(DASHBOARD.rglob("*.py"))
    if path.parent.name != "words"
}


def sentences(path: Path) -> list[str]:
    """The sentences of a module: texts of several words that are no docstring, no SQL and no settings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    documented = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, holders) and node.body and isinstance(node.body[0], ast.Expr)
    }
    found = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented
    ]
    return [text for text in found if len(text.split()) >= SENTENCE and not NO_ENGLISH.search(text)]


@pytest.mark.parametrize("name", sorted(MODULES.keys() - TEXT - TERMINAL - NOT_MOVED))
def test_a_module_s_sentences_are_in_its_words(name: str) -> None:
    assert sentences(MODULES[name]) == [], f"move them to dashboard/words/{Path(name).name}.py"


@pytest.mark.parametrize("name", sorted(NOT_MOVED))
def test_what_has_been_moved_is_taken_off_the_list(name: str) -> None:
    assert name in MODULES
    assert sentences(MODULES[name]), f"take {name} off the list"
