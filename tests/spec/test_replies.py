"""How texts are read: the labelled and the held-out set, the lists, the forms of a text, and the page."""

from __future__ import annotations

import csv
import re
from collections import Counter
from functools import cache
from pathlib import Path

import polars
import pytest

from pipelines import build
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.replies import build_readings, read_replies
from pipelines.resources import reference_folder
from tools import measure_replies
from tools.measure_replies import READINGS, REGIMES, SETS, Measurement

PAGE = Path(__file__).resolve().parents[2] / "docs" / "replies.md"


def rows(name: str) -> list[dict[str, str]]:
    """The rows of one reference table."""
    with (reference_folder() / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def measured(name: str) -> Measurement:
    return measure_replies.measure(SETS[name])


def readings(*texts: str) -> list[str]:
    return [reply.reading for reply in read_replies(texts)]


# ---- the sets


@pytest.mark.parametrize(
    ("name", "rows_at_least", "precision", "recall", "recall_with_possible"),
    [("labelled", 600, 0.99, 0.99, 0.995), ("held_out", 250, 0.985, 0.98, 0.99)],
)
def test_requests_are_found_and_little_else(
    name: str, rows_at_least: int, precision: float, recall: float, recall_with_possible: float
) -> None:
    found = measured(name)
    assert len(found.pairs) >= rows_at_least
    assert found.precision("reasonable_person") >= precision
    assert found.recall("reasonable_person") >= recall
    assert found.recall("reasonable_person_possible") >= recall_with_possible
    # What nobody asks for must not fill somebody's day either.
    others = sum(found.count("not", reading) for reading in READINGS)
    assert found.count("not", "not") / others >= 0.97


def test_the_sets_share_no_text_and_label_each_text_once() -> None:
    texts = {name: [row["text"] for row in read_set(path)] for name, path in SETS.items()}
    assert [text for text, count in Counter(texts["labelled"] + texts["held_out"]).items() if count > 1] == []
    assert {row["label"] for path in SETS.values() for row in read_set(path)} == set(READINGS)


def read_set(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_regime_hears_more_than_the_one_before() -> None:
    for name in SETS:
        recalls = [measured(name).recall(regime) for regime in REGIMES]
        assert recalls == sorted(recalls)
        assert recalls[0] < recalls[1] < recalls[2]


# ---- the lists


def test_every_word_of_every_list_is_certain_under_its_own_regime() -> None:
    listed = [row for row in rows("keywords") if row["meaning"] == "opt_out"]
    assert {row["kind"] for row in listed} == {"provider", "law", "industry"}
    texts = [text for row in listed for text in (row["keyword"], row["keyword"].lower())]
    for row, reply in zip([row for row in listed for _ in range(2)], read_replies(texts), strict=True):
        assert reply.reading == "certain", reply
        assert reply.exact_keyword if row["kind"] == "provider" else reply.legal_list, reply


def test_the_regimes_differ_where_they_should() -> None:
    texts = ["STOP", " stop ", "STOP!", "Opt-out.", "STOP PLEASE", "remove", "TD", "Please opt me out", "yes"]
    found = [(reply.exact_keyword, reply.legal_list, reply.reading) for reply in read_replies(texts)]
    assert found == [
        (True, True, "certain"),
        (True, True, "certain"),
        (False, True, "certain"),
        (False, True, "certain"),
        (False, False, "certain"),
        (True, False, "certain"),
        (True, False, "certain"),
        (False, True, "certain"),
        (False, False, "not"),
    ]


@pytest.mark.parametrize("word", [row["keyword"] for row in rows("keywords") if row["meaning"] == "opt_in"])
def test_an_opt_in_is_no_opt_out(word: str) -> None:
    assert readings(word, word.lower(), f"{word}!") == ["not"] * 3


def test_help_and_yes_are_no_opt_outs() -> None:
    assert readings("HELP", "INFO", "AIDE", "YES", "Yes please", "Y", "1") == ["not"] * 7


def test_every_rule_reads_its_own_example() -> None:
    rules = rows("reply_rules")
    found = read_replies([row["example"].split("; ")[0] for row in rules])
    wanted = [(row["rule"], row["reading"]) for row in rules]
    assert [(reply.rule, reply.reading) for reply in found] == wanted


def test_every_quote_and_every_part_reads_as_its_rule_says() -> None:
    reading_of = {row["rule"]: row["reading"] for row in rows("reply_rules")}
    quotes, parts = rows("reply_quotes"), rows("reply_parts")
    assert readings(*(row["example"] for row in quotes)) == ["not"] * len(quotes)
    assert readings(*(row["part"] for row in parts)) == [reading_of[row["rule"]] for row in parts]
    examples = rows("reply_word_patterns")
    assert {row["meaning"] for row in examples} <= {row["meaning"] for row in rows("reply_words")}


def test_the_rows_fit_each_other() -> None:
    rules = {row["rule"] for row in rows("reply_rules")}
    meanings = {row["meaning"] for row in rows("reply_words")} | {"^", "$", "|", "?", "#"}
    phrases = rows("reply_phrases")
    assert {row["rule"] for name in ("reply_phrases", "reply_quotes", "reply_parts") for row in rows(name)} == rules
    for row in phrases:
        words = row["phrase"].split(" ")
        assert set(words) <= meanings, row
        assert row["key_word"] in words, row
        assert f" {row['found_by']} " in f" {row['phrase']} ", row
        assert len(row["found_by"].split()) <= 2, row
    assert len({(row["rule"], row["phrase"]) for row in phrases}) == len(phrases)
    words_listed = [row["word"] for row in rows("reply_words")]
    assert len(set(words_listed)) == len(words_listed)
    assert len(rules) < 1000, "reply_readings packs a rule's place into three digits"


# ---- the forms a text comes in


@pytest.mark.parametrize(
    "text",
    [
        "STOP", "stop", "sToP", "  stop  ", "stop\n", "\nSTOP\n", "Stop.", "STOP!!!", "*stop*", "“STOP”", "(stop)",
        "Stop…",
        "STOP 🙏", "🛑 STOP 🛑", "stoooop", "STOPPP!!", "s.t.o.p", "S T O P", "stop\u00a0", "STOP\r\n", "don’t text me",
        "don't text me", "dont text me", "DON`T TEXT ME", "Arrêt", "ARRET", "arre\u0302t", "СТОП", "STOP_PROMOTIONS",
    ],
)  # fmt: skip
def test_marks_signs_case_and_accents_do_not_matter(text: str) -> None:
    assert readings(text) == ["certain"]


@pytest.mark.parametrize("text", ["", " ", "\n", "!!!", "👍", "???", "12345", "https://example.com/stop"])
def test_a_text_that_says_nothing_reads_as_not(text: str) -> None:
    assert readings(text) == ["not"]


@pytest.mark.parametrize("length", [1, 15, 16, 17, 31, 32, 33, 150, 180])
def test_a_long_text_is_read_to_its_end(length: int) -> None:
    story = " ".join(["walking"] * length)
    assert readings(f"{story} take me off your list", f"{story}. Stop", f"{story} by the bus stop") == [
        "certain", "certain", "not",
    ]  # fmt: skip


def test_a_text_of_more_than_192_words_is_read_so_far() -> None:
    story = " ".join(["walking"] * 192)
    assert readings(f"take me off your list {story}", f"{story} take me off your list") == ["certain", "not"]


def test_texts_do_not_disturb_each_other() -> None:
    texts = ["stop", "don't stop", "yes", "stop", "take me off", "stop by tomorrow", ""]
    assert readings(*texts) == [readings(text)[0] for text in texts]
    assert read_replies([]) == []


def test_of_body_and_button_the_stronger_counts() -> None:
    given = [("a", "Stop promotions", None), ("b", None, "Stop promotions"), ("c", "STOP", "STOP"), ("d", "ok", "Stop")]
    given += [("e", "STOP", "ok"), ("f", None, None), ("g", " ", ""), ("h", "thanks", "Learn more")]
    schema = {"inbound_id": polars.String, "body": polars.String, "button": polars.String}
    with DuckDBEngine() as engine:
        build.write_reference(engine)
        frame = polars.DataFrame(given, schema=schema, orient="row").with_columns(source=polars.lit("s"))
        engine.create_from_frame("core.inbound_messages", frame)
        build_readings(engine)
        found = engine.rows("select inbound_id, reading, exact_keyword from core.inbound_readings order by inbound_id")
    assert found == [
        ("a", "certain", False),
        ("b", "certain", False),
        ("c", "certain", True),
        ("d", "certain", True),
        ("e", "certain", True),
        ("h", "not", False),
    ]


# ---- the page


def test_the_page_says_what_is_measured() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in SETS:
        found = measured(name)
        for label in READINGS:
            cells = " | ".join(str(found.count(label, reading)) for reading in READINGS)
            assert f"| {name} | {label} | {cells} |" in page
        for regime in REGIMES:
            requests = sum(found.taken(regime).values())
            measured_cells = f"{requests} | {found.precision(regime):.4f} | {found.recall(regime):.4f}"
            assert f"| {name} | {regime} | {measured_cells} |" in page


def test_the_page_lists_every_rule_in_words() -> None:
    page = PAGE.read_text(encoding="utf-8")
    listed = {
        cells[0]: cells[1:] for cells in re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| (.*?) \|", page, re.MULTILINE)
    }
    for row in rows("reply_rules"):
        assert listed.get(row["rule"], ("", "", ""))[:2] == (row["reading"], row["in_words"]), row["rule"]
