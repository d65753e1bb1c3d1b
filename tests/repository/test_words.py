"""English stands in one place: what a reader of the dashboard reads is in dashboard/words."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path
from string import Formatter

import pytest

DASHBOARD = Path(__file__).resolve().parents[2] / "dashboard"
#: Modules whose sentences no reader of the dashboard sees: SQL, headers, what a terminal or a log gets.
UNSEEN = {
    "access",
    "access_log",
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
#: A text of so many words is a sentence; shorter ones may be names of columns, keys and formats.
SENTENCE = 4
# SQL, a colour, a name of a format, a line of the log.
NO_ENGLISH = re.compile(r"\bselect\s|\border by\s|rgba\(|text/|%s")
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


@pytest.mark.parametrize("name", sorted(MODULES.keys() - UNSEEN))
def test_a_module_s_sentences_are_in_its_words(name: str) -> None:
    assert sentences(MODULES[name]) == [], f"move them to dashboard/words/{Path(name).name}.py"


def templates(path: Path) -> list[tuple[str, str, set[str]]]:
    """What a module fills templates with, as `words.NAME.format(field=...)`: module of words, name, fields."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    aliases = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "dashboard.words"
        for alias in node.names
    }
    return [
        (aliases[template.value.id], template.attr, {str(field.arg) for field in node.keywords})
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"
        and isinstance(template := node.func.value, ast.Attribute) and isinstance(template.value, ast.Name)
        and template.value.id in aliases
    ]  # fmt: skip


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_template_is_given_the_fields_that_it_has(name: str) -> None:
    for module, template, given in templates(MODULES[name]):
        if "None" in given:
            continue  # fields of a dictionary: only a page's own test knows them
        text = getattr(importlib.import_module(f"dashboard.words.{module}"), template)
        assert {field for _, field, _, _ in Formatter().parse(text) if field} == given, f"{module}.{template}"
