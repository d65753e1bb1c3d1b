"""The made-up month that explains why definitions differ: its records, and what each definition makes of them.

A test runs these records through heed and holds the answers to the numbers it publishes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

MONTH = date(2026, 10, 1)
CAMPAIGNS = {"autumn": datetime(2026, 10, 1, 12, tzinfo=UTC), "sale": datetime(2026, 10, 8, 12, tzinfo=UTC)}


@dataclass(frozen=True)
class Act:
    """What one contact did: when, as which event, in words; the programs (topics) and the campaign it names."""

    at: datetime
    event_type: str
    words: str
    method: str | None = None
    campaign_id: str | None = None
    programs: tuple[str, ...] = ("*",)


@dataclass(frozen=True)
class Person:
    """One contact: the campaigns it was sent, whether their delivery was confirmed, and its acts after the opt-in."""

    name: str
    campaigns: tuple[str, ...]
    acts: tuple[Act, ...]
    is_confirmed: bool = True


@dataclass(frozen=True)
class Answer:
    """What one definition counts in the month: numerator, denominator, opt-outs counted for no message, and why."""

    metric: str
    definition: str
    numerator: int
    denominator: int
    unattributed: int | None
    why: str


def _at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=UTC)


OPTED_IN_AT = datetime(2026, 9, 15, 12, tzinfo=UTC)
#: Everybody opted in by text message in September. Both campaigns went out at noon.
PEOPLE = (
    Person("Ann", ("autumn", "sale"), (
        Act(_at(1, 14), "opt_out", "replies STOP, 2 h after the message", "keyword"),
        Act(_at(5, 9), "opt_in", "opts in again"),
        Act(_at(8, 15, 30), "opt_out", "replies STOP again, 3.5 h after the message", "keyword"),
    )),
    Person("Ben", ("autumn", "sale"), (
        Act(_at(9, 12), "opt_out", "leaves five topics at once by the link in the sale message", "link", "sale",
            ("news", "offers", "events", "tips", "surveys")),
    )),
    Person("Cy", ("autumn", "sale"), (
        Act(_at(20, 10), "opt_out", "asks an agent to stop, 12 days after the last message", "agent"),
    )),
    Person("Dee", (), (
        Act(_at(1, 9), "opt_out", "leaves by a web form before any message was sent to her", "web_form"),
    )),
    Person("Eve", ("autumn",), (
        Act(_at(3, 8), "block", "blocks the sender"),
    )),
    Person("Fay", ("autumn", "sale"), (
        Act(_at(25, 10), "opt_out", "leaves by a web form, 17 days after the last message", "web_form"),
    ), is_confirmed=False),
    Person("Gus", ("autumn",), (
        Act(_at(1, 13), "opt_out", "replies STOP, 1 h after the message", "keyword"),
    )),
    Person("Hal", ("autumn", "sale"), (), is_confirmed=False),
    Person("Ivy", ("autumn", "sale"), (
        Act(_at(30, 10), "opt_out", "leaves by a web form, 22 days after the last message", "web_form"),
    )),
)  # fmt: skip

ANSWERS = (
    Answer("opt_out_rate", "heed", 7, 8, None,
           "Eight were reached, and all but Hal left. Ann counts once, Eve's block counts, and Dee does not: nothing "
           "reached her."),
    Answer("opt_out_rate_per_message", "heed", 4, 10, 4,
           "Ann twice and Gus, within 72 h of a message, and Ben, who names the campaign. Cy, Fay and Ivy came too "
           "late, Dee before any message. Ten messages were confirmed as delivered."),
    Answer("opt_out_rate_per_message", "iterable", 2, 10, 6,
           "Within 3 h: Gus, and Ann the first time. Her second came after 3.5 h."),
    Answer("opt_out_rate_per_message", "braze", 3, 10, 5,
           "By reply within 4 h: Gus, and Ann both times. Ben used a link."),
    Answer("opt_out_rate_per_message", "klaviyo", 6, 10, 1,
           "People, however late: Ann once, Ben, Cy, Fay, Gus, Ivy."),
    Answer("opt_out_rate_per_message", "mailchimp", 1, 10, 7,
           "Ben alone: no other opt-out names a campaign."),
    Answer("opt_out_rate_per_message", "customer_io", 11, 10, 1,
           "Topics: five of Ben's, two of Ann's, one each of Cy, Fay, Gus and Ivy. Above 100 %."),
    Answer("opt_out_rate_per_message", "spoke", 7, 14, 1,
           "Opt-outs, however late: Ann twice, Ben, Cy, Fay, Gus, Ivy. Divided by all 14 sent, of which 4 (Fay's and "
           "Hal's) were never confirmed."),
    Answer("list_churn", "heed", 9, 9, None,
           "Eight opt-outs and Eve's block, of nine opted in on 1 October. Ann counts twice, and Hal is still there: a "
           "ratio, and no share."),
    Answer("list_churn", "mailchimp", 7, 9, None,
           "Seven people opted out, of the same nine. Eve's block is left out."),
)  # fmt: skip
