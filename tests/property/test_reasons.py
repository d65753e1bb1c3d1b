"""Masks on random texts; tests of mixes against scipy and statsmodels, and how often noise is called a difference."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from pipelines.masks import is_known, mask, shortened
from pipelines.statistics.mixtures import compare_mixes, fisher_exact
from pipelines.statistics.multiplicity import false_discovery_rates
from pipelines.statistics.two_shares import difference_of_shares

# ---- masks

#: Names that no list has, in several spellings.
NAMES = st.sampled_from(
    ["Wilhelmina", "Oyelaran", "Björnsdóttir", "O'Quigley", "Szczepańska", "Quastenberg", "Ximeno", "Þórunn", "Nguyễn"]
)
FIRST_WORDS = st.sampled_from(
    ["", "too many mails. ", "no quiero más, ", "ich will nicht mehr: ", "c'est trop! ", "¿Qué? "]
)
LAST_WORDS = st.sampled_from(["", " please stop", ". Basta!", " und keine Mails", ", merci", " no longer interested"])
ADDRESSES = st.builds(
    "{}@{}.{}".format,
    st.text("abcdefghijklmnopqrstuvwxyz0123456789._%+-", min_size=1, max_size=12).filter(lambda text: text.strip(".")),
    st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=10),
    st.sampled_from(["com", "example", "co.uk", "test", "museum"]),
)
LINKS = st.builds(
    "{}{}{}".format,
    st.sampled_from(["http://", "https://", "HTTPS://", "www.", "WWW."]),
    st.text("abcdefghijklmnopqrstuvwxyz0123456789-.", min_size=3, max_size=15),
    st.sampled_from(["", "/", "/a/b?c=4&d=5#e", "/u/wilhelmina"]),
)
NUMBERS = st.builds(
    lambda country, digits, sign: country + sign.join(digits),
    st.sampled_from(["", "+", "+1 ", "(", "00"]),
    st.lists(st.text("0123456789", min_size=1, max_size=4), min_size=1, max_size=5).filter(
        lambda groups: len("".join(groups)) >= 4
    ),
    st.sampled_from(["", " ", "-", ".", "/", "–", ") ", " - "]),
)
INTRODUCED = st.sampled_from(
    ["my name is {}", "My name's {}", "me llamo {}", "je m'appelle {}", "mein Name ist {}", "meu nome é {}",
     "mi chiamo {}", "ik heet {}", "Mr. {}", "ask for Mrs {}", "Frau {}", "señor {}", "Madame {}", "signora {}",
     "meneer {}",
     "Dear {},", "Hola {},", "Bonjour {}!", "Hallo {}", "Ciao {},", "Olá {}", "Beste {},", "call me @{}"]
)  # fmt: skip
CLOSINGS = st.sampled_from(
    ["Regards, {}", "thanks {}", "Saludos,\n{}", "Cordialement {}", "Mit freundlichen Grüßen {}", "Obrigada, {}",
     "grazie {}", "groeten {}.", "– {}", "mfg {}"]
)  # fmt: skip


@given(first=FIRST_WORDS, address=ADDRESSES, last=LAST_WORDS)
@settings(max_examples=100, deadline=None)
def test_no_address_is_left(first: str, address: str, last: str) -> None:
    masked = mask(f"{first}{address}{last}")
    assert address not in masked
    assert "@" not in masked
    assert "[e-mail]" in masked


@given(first=FIRST_WORDS, link=LINKS, last=LAST_WORDS)
@settings(max_examples=100, deadline=None)
def test_no_link_is_left(first: str, link: str, last: str) -> None:
    masked = mask(f"{first}{link}{last}")
    assert link not in masked
    assert not re.search(r"://|www\.|wilhelmina", masked, re.IGNORECASE)


@given(first=FIRST_WORDS, number=NUMBERS, last=LAST_WORDS)
@settings(max_examples=150, deadline=None)
def test_no_long_number_is_left(first: str, number: str, last: str) -> None:
    masked = mask(f"{first}{number}{last}")
    assert not re.search(r"\d", masked)
    assert "[number]" in masked


@given(first=FIRST_WORDS, said=INTRODUCED, name=NAMES, last=LAST_WORDS, small=st.booleans())
@settings(max_examples=150, deadline=None)
def test_no_introduced_name_is_left(first: str, said: str, name: str, last: str, small: bool) -> None:
    assert not is_known(name)
    name = name.lower() if small else name
    assert name.lower() not in mask(f"{first}{said.format(name)}{last}").lower()


@given(
    first=FIRST_WORDS.filter(bool), said=CLOSINGS, names=st.lists(NAMES, min_size=1, max_size=2), small=st.booleans()
)
@settings(max_examples=100, deadline=None)
def test_no_signature_is_left(first: str, said: str, names: list[str], small: bool) -> None:
    signed = " ".join(names).lower() if small else " ".join(names)
    masked = mask(first + said.format(signed)).lower()
    assert [name for name in names if name.lower() in masked] == []


@given(first=FIRST_WORDS.filter(bool), name=NAMES, last=LAST_WORDS)
@settings(max_examples=100, deadline=None)
def test_no_capital_name_inside_a_sentence_is_left(first: str, name: str, last: str) -> None:
    assert name not in mask(f"{first}I told {name}{last}")


@given(text=st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_text_can_be_masked_twice_alike_and_is_never_longer_than_asked(text: str) -> None:
    masked = mask(text)
    assert not re.search(r"\d{4,}|\w@\w", masked)
    assert len(shortened(masked, 60)) <= 62


# ---- mixes

counts = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 400)), min_size=2, max_size=11)


@given(cells=st.tuples(*[st.integers(0, 90)] * 4))
@settings(max_examples=100, deadline=None)
def test_the_exact_test_is_scipys(cells: tuple[int, int, int, int]) -> None:
    a, b, c, d = cells
    assume(sum(cells) > 0)
    assert fisher_exact(a, b, c, d) == pytest.approx(stats.fisher_exact([[a, b], [c, d]]).pvalue, abs=1e-9)


@given(table=counts)
@settings(max_examples=100, deadline=None)
def test_mixes_without_rare_reasons_are_compared_as_scipy_does(table: list[tuple[int, int]]) -> None:
    group, rest = ([pair[place] for pair in table] for place in (0, 1))
    found = compare_mixes(group, rest)
    both = np.array([pair for pair in table if sum(pair)]).T
    if found.method == "chi_square" and found.categories == both.shape[1]:
        expected = stats.chi2_contingency(both, correction=False)
        assert found.p_value == pytest.approx(expected.pvalue, abs=1e-12)
        assert found.statistic == pytest.approx(expected.statistic)
        assert expected.expected_freq.min() >= 5
    elif found.method is None:
        assert both.size == 0 or both.shape[1] < 2 or (both.sum(axis=1) == 0).any()
    assert found.p_value is None or 0 <= found.p_value <= 1


@given(p_values=st.lists(st.floats(0, 1), min_size=1, max_size=40))
@settings(max_examples=100, deadline=None)
def test_false_discovery_rates_are_scipys(p_values: list[float]) -> None:
    assert false_discovery_rates(p_values).tolist() == pytest.approx(stats.false_discovery_control(p_values).tolist())


@given(now=st.tuples(st.integers(0, 50), st.integers(1, 50)), before=st.tuples(st.integers(0, 50), st.integers(1, 50)))
@settings(max_examples=100, deadline=None)
def test_differences_of_shares_are_newcombes(now: tuple[int, int], before: tuple[int, int]) -> None:
    one, other = (min(now), max(now)), (min(before), max(before))
    found = difference_of_shares(one, other)
    lower, upper = confint_proportions_2indep(*one, *other, method="newcomb", compare="diff")
    assert (found.lower, found.upper) == pytest.approx((lower, upper), abs=1e-9)
    assert found.value is not None
    assert -1 <= found.value <= 1


def called_different(rounds: int, seed: int) -> float:
    """How often 30 groups of one mix have any of them called different, the false-discovery rate held at 5 %."""
    chance = np.random.default_rng(seed)
    mix = np.array([0.38, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02])
    called = 0
    for _ in range(rounds):
        groups = chance.multinomial(chance.integers(10, 120, size=30), mix)
        whole = groups.sum(axis=0)
        p_values = [compare_mixes(group, whole - group).p_value for group in groups]
        called += bool((false_discovery_rates([p for p in p_values if p is not None]) < 0.05).any())
    return called / rounds


def test_noise_is_seldom_called_a_difference() -> None:
    assert called_different(60, 1) <= 0.15


@pytest.mark.simulation
def test_noise_is_called_a_difference_at_the_stated_rate() -> None:
    # Of 1,000 rounds: 5 % and three standard errors.
    assert called_different(1_000, 2) <= 0.05 + 3 * (0.05 * 0.95 / 1_000) ** 0.5


def test_a_planted_mix_is_found() -> None:
    chance = random.Random(3)
    found = 0
    for _ in range(40):
        group = [sum(chance.random() < share for _ in range(60)) for share in (0.6, 0.2, 0.2)]
        rest = [sum(chance.random() < share for _ in range(600)) for share in (0.3, 0.35, 0.35)]
        test = compare_mixes(group, rest)
        found += test.p_value is not None and test.p_value < 0.05
    assert found >= 36
