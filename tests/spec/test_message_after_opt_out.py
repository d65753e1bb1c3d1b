"""The rule message_after_opt_out by example: acts and messages in a few lines, and what the rule must say of each.

`tests.support.acts` says how to read the lines. Deadlines have their own examples in test_deadlines.py.
"""

from __future__ import annotations

import pytest

from pipelines.canonical import EVENT_TYPES
from tests.support.acts import SEVERITIES, disagreements
from tests.support.reference_spans import Policy

CHANNEL = Policy(scope="channel", default_deadline="48h")
PROGRAM = Policy(scope="program", default_deadline="48h")
PERSON = Policy(scope="person", default_deadline="48h")

EXAMPLES: dict[str, tuple[Policy, str]] = {
    "the four classes, first match first": (
        CHANNEL,
        """
        05T12:00  opt_out    ann  sms  .  05T14:00
        05T13:00  marketing  ann  sms  .  sent       sent_in_flight@e1
        05T14:00  marketing  ann  sms  .  sent       sent_in_flight@e1
        05T14:01  marketing  ann  sms  .  sent       sent_after_processing@e1
        08T00:00  marketing  ann  sms  .  sent       sent_after_processing@e1
        05T13:00  marketing  ann  sms  .  suppressed suppressed_by_provider@e1!
        08T00:00  marketing  ann  sms  .  suppressed suppressed_by_provider@e1!
        """,
    ),
    "applied after the deadline: the deadline decides in between": (
        CHANNEL,
        """
        05T12:00  opt_out    ann  sms  .  09T12:00
        07T12:00  marketing  ann  sms  .  sent       sent_in_flight@e1
        07T12:00:00.000001  marketing  ann  sms  .  sent  sent_past_deadline@e1
        09T12:00  marketing  ann  sms  .  sent       sent_past_deadline@e1
        09T12:00:00.000001  marketing  ann  sms  .  sent  sent_after_processing@e1
        """,
    ),
    "never applied": (
        CHANNEL,
        """
        05T12:00  opt_out    ann  sms  .  .
        07T12:00  marketing  ann  sms  .  sent       sent_in_flight@e1
        07T12:01  marketing  ann  sms  .  sent       sent_past_deadline@e1
        """,
    ),
    "applied at once, or before it was asked for: a clock that is wrong": (
        CHANNEL,
        """
        05T12:00  opt_out    ann  sms  .  05T12:00
        05T12:00:00.000001  marketing  ann  sms  .  sent  sent_after_processing@e1
        05T12:00  opt_out    bob  sms  .  05T11:00
        05T11:30  marketing  bob  sms  .  sent       -
        05T12:00:00.000001  marketing  bob  sms  .  sent  sent_after_processing@e2
        """,
    ),
    "asked again with a clock that is wrong: what was applied before it was asked for counts from the asking": (
        CHANNEL,
        """
        05T12:00  opt_out    ann  sms  .  .
        06T12:00  opt_out    ann  sms  .  05T11:00
        06T00:00  marketing  ann  sms  .  sent       sent_in_flight@e1
        06T12:01  marketing  ann  sms  .  sent       sent_after_processing@e1
        """,
    ),
    "both ends of a span are outside it": (
        CHANNEL,
        """
        05T12:00  opt_out    ann  sms  .  05T12:00
        05T18:00  opt_in     ann  sms  .  .
        05T11:59  marketing  ann  sms  .  sent       -
        05T12:00  marketing  ann  sms  .  sent       -
        05T12:00:00.000001  marketing  ann  sms  .  sent  sent_after_processing@e1
        05T17:59:59.999999  marketing  ann  sms  .  sent  sent_after_processing@e1
        05T18:00  marketing  ann  sms  .  sent       -
        05T18:01  marketing  ann  sms  .  sent       -
        """,
    ),
    "which classes are judged": (
        CHANNEL,
        """
        05T12:00  opt_out        ann  sms  .  05T12:00
        05T13:00  marketing      ann  sms  .  sent   sent_after_processing@e1
        05T13:00  unknown        ann  sms  .  sent   sent_after_processing@e1
        05T13:00  unsaid         ann  sms  .  sent   sent_after_processing@e1
        05T13:00  transactional  ann  sms  .  sent   -
        05T13:00  confirmation   ann  sms  .  sent   -
        05T13:00  transactional  ann  sms  .  suppressed  -
        """,
    ),
    "attempts that failed count, marked as not delivered": (
        CHANNEL,
        """
        05T12:00  opt_out    ann  sms  .  05T12:00
        05T13:00  marketing  ann  sms  .  failed       sent_after_processing@e1!
        05T13:00  marketing  ann  sms  .  undelivered  sent_after_processing@e1!
        05T13:00  marketing  ann  sms  .  accepted     sent_after_processing@e1
        05T13:00  marketing  ann  sms  .  delivered    sent_after_processing@e1
        05T13:00  marketing  ann  sms  .  read         sent_after_processing@e1
        05T13:00  marketing  ann  sms  .  .            sent_after_processing@e1
        """,
    ),
    "what opens an opt-out span, and what ends it": (
        CHANNEL,
        """
        05T12:00  complaint         ann  sms  .  05T12:00
        05T13:00  opt_in_requested  ann  sms  .  .
        05T14:00  marketing         ann  sms  .  sent  sent_after_processing@e1
        05T15:00  unblock           ann  sms  .  .
        05T16:00  marketing         ann  sms  .  sent  sent_after_processing@e1
        05T17:00  opt_in_confirmed  ann  sms  .  .
        05T18:00  marketing         ann  sms  .  sent  -
        05T12:00  opt_in_requested  bob  sms  .  .
        05T13:00  marketing         bob  sms  .  sent  -
        05T12:00  unblock           cat  sms  .  .
        05T13:00  marketing         cat  sms  .  sent  -
        05T12:00  opt_in            dan  sms  .  .
        05T13:00  marketing         dan  sms  .  sent  -
        """,
    ),
    "what ends a block": (
        CHANNEL,
        """
        05T12:00  block             ann  sms  .  05T12:00
        05T13:00  marketing         ann  sms  .  sent  sent_after_processing@e1
        05T14:00  unblock           ann  sms  .  .
        05T15:00  marketing         ann  sms  .  sent  -
        05T12:00  block             bob  sms  .  05T12:00
        05T14:00  opt_in            bob  sms  .  .
        05T15:00  marketing         bob  sms  .  sent  -
        05T12:00  block             cat  sms  .  05T12:00
        05T14:00  opt_in_confirmed  cat  sms  .  .
        05T15:00  marketing         cat  sms  .  sent  -
        05T12:00  block             dan  sms  .  05T12:00
        05T14:00  opt_in_requested  dan  sms  .  .
        05T15:00  marketing         dan  sms  .  sent  sent_after_processing@e7
        """,
    ),
    "a block and an opt-out overlap: unblocking undoes the block alone": (
        CHANNEL,
        """
        05T12:00  opt_out    ann  sms  .  05T12:00
        05T13:00  block      ann  sms  .  05T13:00
        05T14:00  marketing  ann  sms  .  sent  sent_after_processing@e1
        05T15:00  unblock    ann  sms  .  .
        05T16:00  marketing  ann  sms  .  sent  sent_after_processing@e1
        05T12:00  block      bob  sms  .  .
        05T13:00  opt_out    bob  sms  .  05T13:00
        05T14:00  marketing  bob  sms  .  sent  sent_in_flight@e4
        05T15:00  unblock    bob  sms  .  .
        05T16:00  marketing  bob  sms  .  sent  sent_after_processing@e5
        """,
    ),
    "a block and an opt-out that began together: the opt-out is cited": (
        CHANNEL,
        """
        05T12:00  block      ann  sms  .  05T12:00
        05T12:00  opt_out    ann  sms  .  05T20:00
        05T13:00  marketing  ann  sms  .  sent  sent_in_flight@e2
        """,
    ),
    "asked again inside the span: the first act is cited, the earliest application counts": (
        CHANNEL,
        """
        05T12:00  opt_out    ann  sms  .  .
        06T12:00  complaint  ann  sms  .  06T13:00
        06T12:30  opt_out    ann  sms  .  06T12:45
        06T12:00  marketing  ann  sms  .  sent  sent_in_flight@e1
        06T12:46  marketing  ann  sms  .  sent  sent_after_processing@e1
        07T12:01  opt_out    bob  sms  .  .
        09T12:01  opt_out    bob  sms  .  .
        10T12:00  marketing  bob  sms  .  sent  sent_past_deadline@e4
        """,
    ),
    "in and out again": (
        CHANNEL,
        """
        05T12:00  opt_out    ann  sms  .  05T12:00
        06T12:00  opt_in     ann  sms  .  .
        07T12:00  opt_out    ann  sms  .  .
        06T18:00  marketing  ann  sms  .  sent  -
        07T13:00  marketing  ann  sms  .  sent  sent_in_flight@e3
        """,
    ),
    "at equal times the opt-out is the later act": (
        CHANNEL,
        """
        05T12:00  opt_in     ann  sms  .  .
        05T12:00  opt_out    ann  sms  .  05T12:00
        05T13:00  marketing  ann  sms  .  sent  sent_after_processing@e2
        05T12:00  opt_out    bob  sms  .  05T12:00
        05T12:00  opt_in     bob  sms  .  .
        05T13:00  marketing  bob  sms  .  sent  sent_after_processing@e3
        05T12:00  block      cat  sms  .  05T12:00
        05T12:00  unblock    cat  sms  .  .
        05T13:00  marketing  cat  sms  .  sent  sent_after_processing@e5
        """,
    ),
    "out, in and out at one instant inside a span begins a new one": (
        CHANNEL,
        """
        05T12:00  opt_out    ann  sms  .  05T12:00
        06T12:00  opt_out    ann  sms  .  .
        06T12:00  opt_in     ann  sms  .  .
        06T11:00  marketing  ann  sms  .  sent  sent_after_processing@e1
        06T12:00  marketing  ann  sms  .  sent  -
        06T13:00  marketing  ann  sms  .  sent  sent_in_flight@e2
        """,
    ),
    "scope channel: every program of the channel and no other channel": (
        CHANNEL,
        """
        05T12:00  opt_out    ann  sms       news  05T12:00
        05T13:00  marketing  ann  sms       sale  sent  sent_after_processing@e1
        05T13:00  marketing  ann  sms       .     sent  sent_after_processing@e1
        05T13:00  marketing  ann  whatsapp  news  sent  -
        05T13:00  marketing  bob  sms       news  sent  -
        05T14:00  opt_in     ann  sms       sale  .
        05T15:00  marketing  ann  sms       news  sent  -
        """,
    ),
    "scope channel: channel * covers every channel, and an opt-in for one channel ends it there": (
        CHANNEL,
        """
        05T12:00  opt_out    ann  *         .     05T12:00
        05T13:00  marketing  ann  sms       news  sent  sent_after_processing@e1
        05T13:00  marketing  ann  whatsapp  .     sent  sent_after_processing@e1
        05T14:00  opt_in     ann  sms       .     .
        05T15:00  marketing  ann  sms       news  sent  -
        05T15:00  marketing  ann  whatsapp  .     sent  sent_after_processing@e1
        05T16:00  opt_in     ann  *         .     .
        05T17:00  marketing  ann  whatsapp  .     sent  -
        05T12:00  opt_out    bob  sms       .     05T12:00
        05T14:00  opt_in     bob  *         .     .
        05T15:00  marketing  bob  sms       .     sent  -
        """,
    ),
    "scope channel: one person's other address is another contact": (
        CHANNEL,
        """
        05T12:00  opt_out    ann/p1   sms  .  05T12:00
        05T13:00  marketing  bob/p1   sms  .  sent  -
        """,
    ),
    "scope program: this program, and * for all of them": (
        PROGRAM,
        """
        05T12:00  opt_out    ann  sms       news  05T12:00
        05T13:00  marketing  ann  sms       news  sent  sent_after_processing@e1
        05T13:00  marketing  ann  sms       sale  sent  -
        05T13:00  marketing  ann  sms       .     sent  -
        05T13:00  marketing  ann  whatsapp  news  sent  -
        05T12:00  opt_out    bob  sms       *     05T12:00
        05T13:00  marketing  bob  sms       news  sent  sent_after_processing@e2
        05T13:00  marketing  bob  sms       .     sent  sent_after_processing@e2
        05T14:00  opt_in     bob  sms       news  .
        05T15:00  marketing  bob  sms       news  sent  -
        05T15:00  marketing  bob  sms       .     sent  sent_after_processing@e2
        05T12:00  opt_out    cat  sms       .     05T12:00
        05T13:00  marketing  cat  sms       news  sent  sent_after_processing@e4
        05T12:00  opt_out    dan  sms       news  05T12:00
        05T14:00  opt_in     dan  sms       *     .
        05T15:00  marketing  dan  sms       news  sent  -
        """,
    ),
    "scope program: channel * too": (
        PROGRAM,
        """
        05T12:00  opt_out    ann  *         news  05T12:00
        05T13:00  marketing  ann  whatsapp  news  sent  sent_after_processing@e1
        05T13:00  marketing  ann  whatsapp  sale  sent  -
        05T12:00  opt_out    bob  *         *     05T12:00
        05T13:00  marketing  bob  email     sale  sent  sent_after_processing@e2
        """,
    ),
    "scope person: every address, channel and program of the person": (
        PERSON,
        """
        05T12:00  opt_out    ann/p1  sms       news  05T12:00
        05T13:00  marketing  ann/p1  whatsapp  sale  sent  sent_after_processing@e1
        05T13:00  marketing  bob/p1  email     .     sent  sent_after_processing@e1
        05T13:00  marketing  cat/p2  sms       news  sent  -
        05T14:00  opt_in     bob/p1  email     .     .
        05T15:00  marketing  ann/p1  sms       news  sent  -
        05T12:00  opt_out    dan     sms       .     05T12:00
        05T13:00  marketing  dan     email     .     sent  sent_after_processing@e3
        """,
    ),
    "scope person: contacts that share a person with one another are one person": (
        PERSON,
        """
        05T10:00  transactional  bob/p3  sms  .  sent  -
        05T10:00  transactional  bob/p4  sms  .  sent  -
        05T12:00  opt_out    ann/p3  sms       .     05T12:00
        05T13:00  marketing  cat/p4  email     .     sent  sent_after_processing@e1
        """,
    ),
}


@pytest.fixture(scope="module")
def different() -> dict[str, dict[str, tuple[str, str]]]:
    """What the rule says otherwise than expected; all examples of a policy are judged together."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for policy in dict.fromkeys(policy for policy, _ in EXAMPLES.values()):
        found |= disagreements(policy, {name: text for name, (one, text) in EXAMPLES.items() if one == policy})
    return found


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_rule_says_of_each_message_what_it_should(
    name: str, different: dict[str, dict[str, tuple[str, str]]]
) -> None:
    assert different[name] == {}


def test_every_class_scope_and_act_has_an_example() -> None:
    texts = " ".join(text for _, text in EXAMPLES.values())
    assert {policy.scope for policy, _ in EXAMPLES.values()} == {"channel", "program", "person"}
    for word in (*SEVERITIES, *EVENT_TYPES):
        assert f" {word}" in texts, word
