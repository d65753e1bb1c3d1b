"""Why people leave: how codes and texts are read, what changes and differs, what is shown, and what the page says."""

from __future__ import annotations

import csv
import re
from collections import Counter
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import polars
import pytest

from pipelines import build, sqlfiles
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.masks import mask
from pipelines.reasons import build_readings, read_reasons
from pipelines.resources import reference_folder
from pipelines.statistics.mixtures import compare_mixes, fisher_exact
from pipelines.statistics.multiplicity import false_discovery_rates
from pipelines.statistics.two_shares import difference_of_shares
from tests.support.counted_reasons import counted
from tests.support.measured import numbers
from tools import measure_reasons
from tools.measure_reasons import SETS, Measurement

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reasons.md"
LANGUAGES = {"en", "es", "fr", "de", "pt", "it", "nl"}


def rows(name: str) -> list[dict[str, str]]:
    """The rows of one reference table."""
    with (reference_folder() / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


REASONS = [row["reason"] for row in rows("reason_list")]


@cache
def found(name: str) -> Measurement:
    return measure_reasons.measure(SETS[name])


def reasons(*texts: str) -> list[str]:
    return [reading.reason for reading in read_reasons(texts)]


# ---- the sets


@pytest.mark.parametrize(("name", "texts", "accuracy"), [("labelled", 700, 0.92), ("held_out", 350, 0.94)])
def test_reasons_are_read_as_labelled(name: str, texts: int, accuracy: float) -> None:
    right, whole = found(name).accuracy()
    assert whole >= texts
    assert right / whole >= accuracy
    for language in LANGUAGES:
        right, whole = found(name).accuracy(language)
        assert right / whole >= 0.85, language


@pytest.mark.parametrize("reason", REASONS)
def test_no_reason_is_often_missed_or_often_wrong(reason: str) -> None:
    right, whole = found("held_out").precision(reason)
    assert right / whole >= 0.75
    right, whole = found("held_out").recall(reason)
    assert right / whole >= 0.75


def test_a_named_reason_is_nearly_always_right_even_in_words_the_lists_were_not_made_for() -> None:
    for name, accuracy in (("held_out", 0.95), ("fresh", 0.9)):
        named = [text for text in found(name).texts if text.reading.reason not in ("other", "unspecified")]
        assert sum(text.label == text.reading.reason for text in named) / len(named) >= accuracy
    right, whole = found("fresh").accuracy()
    assert right / whole >= 0.55


def test_the_sets_share_no_text_but_words_alone_and_have_every_reason_in_every_language() -> None:
    sets = {name: read_set(path) for name, path in SETS.items()}
    for read in sets.values():
        assert [text for text, count in Counter(row["text"] for row in read).items() if count > 1] == []
        assert {row["label"] for row in read} == set(REASONS)
        assert {row["language"] for row in read} == LANGUAGES
    for name in ("labelled", "held_out"):
        read = sets[name]
        common = {(row["language"], row["label"]) for row in read}
        assert len(common) == len(LANGUAGES) * len(REASONS)
    made = {row["text"].lower() for row in sets["labelled"]}
    assert len(made & {row["text"].lower() for row in sets["held_out"]}) <= 40
    assert made & {row["text"].lower() for row in sets["fresh"]} == set()


def read_set(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# ---- texts


TEXTS = [
    ("TOO MANY E-MAILS!!!", "too_frequent"),
    ("too many emails", "too_frequent"),
    ("to\u200b many emails every day", "too_frequent"),
    ("tooo many meesages every day", "too_frequent"),
    ("It's not too many, it is boring", "content"),
    ("I don’t need it", "not_relevant"),
    ("I don't need it", "not_relevant"),
    ("Wrong number! I never signed up and get too many texts", "wrong_recipient"),
    ("never signed up, too many texts, boring", "never_signed_up"),
    ("too many texts and boring", "too_frequent"),
    ("", "unspecified"),
    ("   ", "unspecified"),
    ("...", "unspecified"),
    ("stop", "unspecified"),
    ("the parrots in your garden scream at dusk", "other"),
    ("слишком много писем", "other"),
    ("Intressiert mich nich mehr", "not_relevant"),
    ("demaciados mensages", "too_frequent"),
]


def test_a_text_says_one_reason() -> None:
    assert list(zip([text for text, _ in TEXTS], reasons(*(text for text, _ in TEXTS)), strict=True)) == TEXTS


def test_the_language_is_guessed_and_decides_what_a_word_means() -> None:
    given = ["te veel mails", "Te mandé mi número de teléfono nuevo", "too many mails", "zu viele Mails", "!!"]
    assert [reading.language for reading in read_reasons(given)] == ["nl", "es", "en", "de", ""]
    # `te` is too much in Dutch alone.
    assert reasons("te veel", "te ruego que me borren") == ["too_frequent", "other"]


def test_the_same_text_is_read_the_same_whatever_stands_beside_it() -> None:
    texts = [row["text"] for row in read_set(SETS["labelled"])]
    together = reasons(*texts)
    assert reasons(*texts[:7]) == together[:7]
    assert reasons(*reversed(texts)) == together[::-1]


def test_a_long_text_is_read_up_to_its_sixty_fourth_word() -> None:
    assert reasons("bla " * 63 + "boring", "bla " * 64 + "boring") == ["content", "other"]


# ---- the lists


def test_every_phrase_is_made_of_meanings_that_words_have_and_every_meaning_is_of_use() -> None:
    meanings = {row["meaning"] for row in rows("reason_words")}
    phrases = rows("reason_phrases")
    used = {word for row in phrases for word in row["phrase"].split(" ")}
    assert used - meanings - {"|", "&", "?"} == set()
    assert meanings - used - {"noise", "plain", "request"} == set()
    empty = {row["meaning"] for row in rows("reason_empty_meanings")}
    assert empty - meanings - {"|"} == set()
    assert {row["reason"] for row in phrases} <= set(REASONS)
    assert [phrase for phrase, count in Counter(row["phrase"] for row in phrases).items() if count > 1] == []
    # Four meanings, beside the mark that a phrase may begin with.
    assert all(len(row["phrase"].removeprefix("| ").split()) <= 4 for row in phrases)
    assert all(len(row["phrase"].split()) == 3 for row in phrases if "&" in row["phrase"])


def test_every_word_is_spelled_as_texts_are_compared() -> None:
    words = rows("reason_words")
    assert [row["word"] for row in words if not re.fullmatch(r"[a-z0-9_]+", row["word"])] == []
    assert [row["word"] for row in words if row["begins"] not in ("", row["word"][:3])] == []
    assert {row["language"] for row in words} == LANGUAGES == {row["language"] for row in rows("reason_languages")}
    assert [key for key, count in Counter((row["word"], row["language"]) for row in words).items() if count > 1] == []


def test_every_code_has_its_source_and_a_reason_of_the_list() -> None:
    codes = rows("reason_codes")
    assert {row["reason"] for row in codes} <= set(REASONS)
    assert [row["code"] for row in codes if row["code"] != row["code"].strip().lower() or not row["source"]] == []
    assert [code for code, count in Counter(row["code"] for row in codes).items() if count > 1] == []
    assert {row["is_verified"] for row in codes} == {"0", "1"}
    assert {row["code"] for row in codes if row["source"] == "heed"} == set(REASONS)


# ---- codes and texts of one event


def events(*given: tuple[str | None, str | None]) -> list[str | None]:
    """The reason of an opt-out with each code and text."""
    columns: dict[str, Any] = dict.fromkeys(("source", "event_id", "channel", "program", "person_id"), polars.String)
    columns |= {"contact_key": polars.Int64, "event_type": polars.String, "method": polars.String}
    columns |= dict.fromkeys(("requested_at", "processed_at"), polars.Datetime("us", "UTC"))
    columns |= dict.fromkeys(("actor", "source_type", "consent_source", "consent_text", "proof"), polars.String)
    columns |= {"prechecked": polars.Boolean, "reason_code": polars.String, "reason_text": polars.String}
    columns |= {"campaign_id": polars.String, "message_id": polars.String, "load_id": polars.String}
    columns |= {"row_number": polars.Int64}
    instant = polars.datetime(2026, 10, 1, time_zone="UTC")
    table = polars.DataFrame(
        {
            "event_id": [str(position) for position in range(len(given))],
            "reason_code": [code for code, _ in given],
            "reason_text": [text for _, text in given],
        },
        schema={"event_id": polars.String, "reason_code": polars.String, "reason_text": polars.String},
    )
    table = table.with_columns(
        source=polars.lit("crm"), channel=polars.lit("sms"), contact_key=polars.lit(1),
        event_type=polars.lit("opt_out"), requested_at=instant, load_id=polars.lit("000001"), row_number=polars.lit(1),
    )  # fmt: skip
    with DuckDBEngine() as engine:
        build.write_reference(engine)
        engine.create_from_frame(
            "history.consent_events",
            table.select(
                polars.col(name).cast(kind) if name in table.columns else polars.lit(None, kind).alias(name)
                for name, kind in columns.items()
            ),
        )
        engine.create("run.parameters", "select timestamptz '2026-11-01 00:00:00+00' as as_of")
        engine.create(
            "run.report_offsets",
            "select timestamptz '2000-01-01 00:00:00+00' as from_at, timestamptz '2100-01-01 00:00:00+00' as until_at,"
            " 0 as offset_seconds",
        )
        build_readings(engine)
        engine.create("core.consent_events", sqlfiles.read("core.consent_events").text)
        found = dict(engine.rows("select event_id, reason from core.consent_events"))
    return [found[str(position)] for position in range(len(given))]


def test_what_mailchimp_and_others_write_is_known() -> None:
    given = {
        "Did not signup for list": "never_signed_up",
        "Unspecified": None,
        "None given": None,
        "N/A (Unsubscribed by admin)": "other",
        "No longer interested": "not_relevant",
        "NORMAL": None,
        "NOSIGNUP": "never_signed_up",
        "Inappropriate content": "content",
        "Spammy content": "content",
        "SPAM": "content",
        "OTHER": "other",
        "manual": None,
        "option_3": "too_frequent",
        "HardBounce": "technical",
        "ManualSuppression": None,
        "USER_SUPPRESSED": None,
        "unsubscribedViaEmail": None,
        "email_address_change": "technical",
        "lack_of_time": "not_relevant",
    }
    assert events(*((code, None) for code in given)) == list(given.values())
    assert events(*((f"  {code.upper()} ", None) for code in given)) == list(given.values())


TOGETHER = [
    # The code decides.
    ("privacy", "too many messages", "privacy"),
    ("Did not signup for list", "boring", "never_signed_up"),
    # A code that says nothing gives way to a text that says more,
    ("Other", "too many messages", "too_frequent"),
    ("unspecified", "too many messages", "too_frequent"),
    ("manual", "How did you get my number?", "never_signed_up"),
    # and not to one that says no more.
    ("Other", "stop", "other"),
    ("Other", None, "other"),
    ("unspecified", "your parrots scream at dusk", "other"),
    ("unspecified", None, None),
    # A code that no list has is read as words.
    ("too_many_emails", None, "too_frequent"),
    ("Too-Many-Emails", "boring", "too_frequent"),
    ("option_7", "I get too many emails", "too_frequent"),
    ("option_7", None, None),
    (None, "too many messages", "too_frequent"),
    (None, "stop", None),
    (None, None, None),
]


def test_code_and_text_together() -> None:
    found = events(*((code, text) for code, text, _ in TOGETHER))
    assert [(code, text, reason) for (code, text, _), reason in zip(TOGETHER, found, strict=True)] == TOGETHER


# ---- what goes where


def weekly(reason_of: Any, weeks: int = 12, a_week: int = 40) -> str:
    """Spans of so many a week before 2026-11-16; `reason_of(week, position)` says why."""
    first = date(2026, 11, 16) - timedelta(weeks=weeks)
    lines = ["contact channel kind begins reason"]
    for week in range(weeks):
        day = first + timedelta(weeks=week, days=2)
        lines += [f"{week * a_week + one} sms opt_out {day} {reason_of(week, one)}" for one in range(1, a_week + 1)]
    return "\n".join(lines)


def test_a_reason_that_grows_is_named_and_no_other() -> None:
    mixed = ("content", "privacy", "not_relevant", "unspecified")
    engine = counted(
        weekly(lambda week, one: "too_frequent" if one <= 4 + 2 * week else mixed[(one * 7 + week * 3) % 4])
    )
    trends = engine.records("select * from metrics.reason_trends where channel = '*' order by reason")
    assert {row["reason"] for row in trends} == set(REASONS)
    assert [row["reason"] for row in trends if row["direction"] == 1] == ["too_frequent"]
    grows = next(row for row in trends if row["reason"] == "too_frequent")
    # 2 more of 40 a week: 5 points.
    assert grows["slope"] == pytest.approx(5.0)
    assert grows["lower"] <= 5.0 <= grows["upper"]
    assert (grows["weeks_used"], grows["last_week"]) == (12, date(2026, 11, 9))
    assert all(row["q_value"] >= row["p_value"] for row in trends)
    weeks = engine.records(
        "select * from metrics.reason_shares_by_week where channel = 'sms' and reason = 'too_frequent'"
    )
    assert sorted(row["opt_out_count"] for row in weeks) == [4 + 2 * week for week in range(12)]
    assert all(row["is_used"] and row["total_count"] == 40 for row in weeks)


def test_no_trend_where_nothing_grows_and_none_with_five_weeks() -> None:
    mixed = ("content", "privacy", "too_frequent", "unspecified")
    still = counted(weekly(lambda week, one: mixed[(one + week) % 4]))
    assert still.rows("select distinct direction from metrics.reason_trends") == [(0,)]
    short = counted(weekly(lambda week, one: "content", weeks=5))
    assert short.rows("select distinct direction, p_value, q_value, weeks_used from metrics.reason_trends") == [
        (None, None, None, 5)
    ]


def test_a_share_that_moved_against_the_month_before() -> None:
    lines = ["contact channel kind begins reason"]
    for month, often in (("2026-09", 10), ("2026-10", 40)):
        lines += [
            f"{month[-2:]}{one:03d} sms opt_out {month}-15 {'too_frequent' if one < often else 'content'}"
            for one in range(100)
        ]
    engine = counted("\n".join(lines))
    changes = {
        row["reason"]: row
        for row in engine.records(
            "select * from metrics.reason_changes where channel = '*' and month_start = date '2026-10-01'"
        )
    }
    moved = changes["too_frequent"]
    assert moved["difference"] == pytest.approx(0.3)
    assert moved["has_changed"]
    assert moved["p_value"] == pytest.approx(fisher_exact(40, 60, 10, 90))
    assert {reason for reason, row in changes.items() if row["has_changed"]} == {"content", "too_frequent"}
    months = engine.records("select * from metrics.reason_differences where dimension = 'month' and channel = '*'")
    assert [(row["month_start"], row["is_different"], row["reason"]) for row in months] == [
        (date(2026, 10, 1), True, "too_frequent")
    ]


def attributed(campaign: str | None, count: int, reason: str, first: int) -> list[dict[str, Any]]:
    """So many opt-outs attributed to a campaign, for one reason."""
    return [
        {"span_id": first + one, "contact_key": first + one, "channel": "sms", "campaign_id": campaign,
         "reason": reason, "begins_on": "2026-10-05", "attributed_by": "last_touch" if campaign else "none"}
        for one in range(count)
    ]  # fmt: skip


def test_a_campaign_left_for_another_reason_is_named() -> None:
    given = [
        *attributed("bad", 30, "content", 1000), *attributed("bad", 10, "too_frequent", 1100),
        *attributed("good", 10, "content", 2000), *attributed("good", 90, "too_frequent", 2100),
        *attributed("tiny", 3, "content", 3000), *attributed("silent", 50, "unspecified", 4000),
        *attributed(None, 10, "content", 5000), *attributed(None, 90, "too_frequent", 5100),
    ]  # fmt: skip
    engine = counted(core__attributions=given)
    found = {
        row["member"]: row
        for row in engine.records("select * from metrics.reason_differences where dimension = 'campaign'")
    }
    assert {name for name, row in found.items() if row["is_different"]} == {"bad", "good"}
    bad = found["bad"]
    assert (bad["reason"], bad["value"], bad["opt_out_count"]) == ("content", 0.75, 40)
    # The rest of the channel: 10 + 3 + 10 of 203 with a reason.
    assert bad["rest_value"] == pytest.approx(23 / 203)
    for quiet in ("tiny", "silent"):
        assert (found[quiet]["method"], found[quiet]["q_value"], found[quiet]["is_different"]) == (None, None, False)
    where = "grain = 'all' and campaign_id = 'bad'"
    assert numbers(engine, "feedback_reasons", where, "reason", "numerator", "denominator", "value") == {
        ("content", 30.0, 40.0, 0.75),
        ("too_frequent", 10.0, 40.0, 0.25),
    }
    months = "grain = 'month' and campaign_id = 'good'"
    assert numbers(engine, "feedback_reasons", months, "period_start", "reason", "numerator") == {
        ("2026-10-01", "content", 10.0),
        ("2026-10-01", "too_frequent", 90.0),
    }


def test_leavers_are_told_apart_by_the_time_since_their_opt_in() -> None:
    lines = ["contact channel kind begins reason scope_key"]
    stretches = []
    days = {"first_day": 0, "first_week": 1, "first_month": 7, "first_quarter": 30, "first_year": 90, "later": 365}
    for place, (tenure, day) in enumerate(days.items()):
        for one in range(40):
            contact = place * 100 + one
            reason = "never_signed_up" if tenure == "first_day" and one < 30 else "too_frequent"
            lines.append(f"{contact} sms opt_out 2026-10-10 {reason} k{contact}")
            opted_in = date(2026, 10, 10) - timedelta(days=day)
            stretches.append(
                {"scope_key": f"k{contact}", "begins_at": f"{opted_in} 12:00:00Z", "ends_at": "2026-10-10 12:00:00Z"}
            )  # fmt: skip
    lines.append("9999 sms opt_out 2026-10-10 content k9999")
    engine = counted("\n".join(lines), core__consent_spans=stretches)
    counts = engine.rows(
        "select tenure, sum(opt_out_count) from metrics.reason_tenure where channel = '*' group by tenure"
    )
    assert dict(counts) == dict.fromkeys(days, 40) | {"unknown": 1}
    rows = engine.records("select * from metrics.reason_differences where dimension = 'tenure' and channel = '*'")
    different = {row["member"]: row for row in rows if row["is_different"]}
    assert different["first_day"]["reason"] == "never_signed_up"
    assert different["first_day"]["value"] == 0.75
    assert "unknown" not in {row["member"] for row in rows}
    first = engine.records(
        "select * from metrics.reason_tenure"
        " where channel = 'sms' and tenure = 'first_day' and reason = 'never_signed_up'"
    )[0]
    assert (first["opt_out_count"], first["total_count"], first["from_days"], first["until_days"]) == (30, 40, 0, 1)


# ---- the tests by hand


def test_mixes_by_hand() -> None:
    # 20 + 10 + 10 against 10 + 20 + 10: expected 15, 15, 10 in each; 4 times 25 / 15.
    plain = compare_mixes([20, 10, 10], [10, 20, 10])
    assert (plain.method, plain.degrees, plain.categories) == ("chi_square", 2, 3)
    assert plain.statistic == pytest.approx(4 * 25 / 15)
    # Of 3 and of 3 in all, a group of 33 is expected to have 1.5: they are put together, and so are those 6 (3 and 3)
    # with the next ones, 12 and 18 in all.
    pooled = compare_mixes([20, 10, 1, 2], [10, 20, 2, 1])
    assert (pooled.method, pooled.categories) == ("exact", 2)
    assert pooled.p_value == pytest.approx(fisher_exact(20, 13, 10, 23))
    assert compare_mixes([0, 0], [5, 5]).p_value is None
    assert compare_mixes([3, 0], [5, 0]).p_value is None
    # Fisher's tea: 3, 1, 1, 3 gives 34 / 70.
    assert fisher_exact(3, 1, 1, 3) == pytest.approx(34 / 70)
    assert false_discovery_rates([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.04, 0.04])
    assert false_discovery_rates([]).tolist() == []
    assert difference_of_shares((0, 0), (1, 2)).value is None
    # Newcombe's example of 56/70 and 48/80: 0.2, from 0.0524 to 0.3339.
    found = difference_of_shares((56, 70), (48, 80))
    assert (found.value, found.lower, found.upper) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


# ---- what leavers say


def said(texts: list[tuple[int, str, str]], **parameters: Any) -> list[dict[str, Any]]:
    """The texts shown of opt-outs: contact, reason, text."""
    engine = counted(
        core__consent_events=[
            {"source": "crm", "event_id": str(position), "contact_key": contact, "channel": "sms", "reason": reason,
             "event_type": "opt_out", "reason_text": text, "requested_on": "2026-10-05",
             "requested_at": "2026-10-05 12:00:00+00"}
            for position, (contact, reason, text) in enumerate(texts)
        ],
        core__reason_readings=[
            {"text_id": position, "text": text, "language": "en", "unknown_count": int("zebra" in text)}
            for position, text in enumerate({text.lower().strip() for _, _, text in texts})
        ],
        **parameters,
    )  # fmt: skip
    return engine.records("select * from metrics.reason_texts order by reason, position")


def test_texts_of_several_people_are_shown_and_those_of_one_only_if_plain() -> None:
    given = [(contact, "too_frequent", "Too many zebra mails") for contact in range(5)]
    given += [(contact, "too_frequent", "too many zebra mails!!") for contact in range(3, 8)]
    given += [(20, "too_frequent", "The zebra of my aunt saw too many mails")]
    given += [(21, "too_frequent", "too many mails"), (22, "too_frequent", "way too many texts")]
    given += [(23, "too_frequent", "too many mails to 2025550143")]
    given += [(contact, "other", "one zebra left") for contact in (30, 31)]
    shown = said(given)
    assert [(row["chosen_as"], row["contact_count"]) for row in shown if row["chosen_as"] == "frequent"] == [
        ("frequent", 8)
    ]
    assert shown[0]["text"].lower().startswith("too many zebra mails")
    assert sorted(row["text"] for row in shown if row["chosen_as"] == "typical") == [
        "too many mails",
        "way too many texts",
    ]
    assert {row["reason"] for row in shown} == {"too_frequent"}
    assert {(row["first_month"], row["last_month"]) for row in shown} == {(date(2026, 10, 1), date(2026, 10, 1))}


def test_what_is_shown_is_masked_and_cut() -> None:
    long = "zebra " * 40
    given = [(contact, "content", f"Call me at 202 555 01{contact:02d}, {long}") for contact in range(10, 14)]
    given += [(contact, "privacy", "zebra at anna@example.com sold my data") for contact in range(10, 14)]
    shown = {row["reason"]: row["text"] for row in said(given)}
    assert shown["privacy"] == "zebra at [e-mail] sold my data"
    assert "content" not in shown or "555" not in shown["content"]
    assert all(len(text) <= 122 for text in shown.values())


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("mail me: anna@example.com", "mail me: [e-mail]"),
        ("see https://example.com/x?id=4 or www.example.org", "see [link] or [link]"),
        ("Call +1 (202) 555-0143 now", "Call [number] now"),
        ("order 12345678 is late", "order [number] is late"),
        ("3 mails a day, 24/7", "3 mails a day, 24/7"),
        ("Dear Wilhelmina, stop", "Dear [name], stop"),
        ("hola wilhelmina, basta", "hola [name], basta"),
        ("Hi please remove me", "Hi please remove me"),
        ("my name is wilhelmina", "my name is [name]"),
        ("My name is not Dave", "My name is not [name]"),
        ("Frau Quastenberg wohnt hier nicht", "Frau [name] wohnt hier nicht"),
        ("Stop it. Regards, Wilhelmina Quast", "Stop it. Regards, [name]"),
        ("Stop it\n- Wilhelmina", "Stop it - [name]"),
        ("ask @wilhelmina_q", "ask [name]"),
        ("I moved to Quastenberg last year", "I moved to [word] last year"),
        ("Zu viele Mails und keine Infos", "Zu viele Mails und keine Infos"),
        ("Wilhelmina Quast told me", "[word] told me"),
    ],
)
def test_masks_by_example(text: str, masked: str) -> None:
    assert mask(text) == masked


# ---- the page


def test_the_page_says_how_well_reasons_are_read() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in SETS:
        lines = measure_reasons.tables(name, found(name))
        assert [line for line in lines if line and line not in page] == []


def test_the_page_lists_the_reasons_and_what_they_mean() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for row in rows("reason_list"):
        assert f"| {row['priority']} | `{row['reason']}` | {row['in_words']} |" in page
    assert f"{len(rows('reason_words')):,} rows" in page
    assert f"{len(rows('reason_phrases'))} rows" in page
