"""The customers of the sample: who they are, how they can be reached, and how their addresses are spelled.

A person is an index. Everything about a person follows from that index and the seed, so that a population of
millions needs a few bytes each. People are numbered in the order in which they joined.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.sample import draws
from pipelines.sample.clock import DAY, DAYS

SMS, WHATSAPP, EMAIL, PUSH = range(4)
CHANNELS = (SMS, WHATSAPP, EMAIL, PUSH)
CHANNEL_NAMES = ["sms", "whatsapp", "email", "push"]
# The channels that one address is reached by: a phone number by sms and whatsapp, an e-mail address by email and push.
SIBLING = {SMS: WHATSAPP, WHATSAPP: SMS, EMAIL: PUSH, PUSH: EMAIL}

_MESSAGES_PER_PERSON = 54
_SMALLEST_POPULATION = 40
_SHARE_WITH_CHANNEL = {SMS: 0.55, WHATSAPP: 0.25, EMAIL: 0.82, PUSH: 0.16}
_SHARE_JOINED_BEFORE = 0.83
_SHARE_BRITISH = 0.03
_BRITISH_NUMBERS = 1_000  # +44 7700 900000 to 900999 are reserved for fiction
_SHARE_WITHOUT_PHONE_NUMBER = 0.06  # of WhatsApp contacts: known by their business-scoped id only
_SHARE_DEVICE_TOKEN = 0.05  # of push contacts: known by their device only
_SHARE_UNRECORDED = 0.008  # of those who joined before the record

# Area codes of the mainland, all of them in data/reference/area_codes.csv; every number is NPA 555 and a line.
_AREA_CODE_LIST = """
201 202 203 205 206 207 209 210 212 213 214 215 216 217 218 219 220 223 224 225 227 228 229 231 234 239 240 248
251 252 253 254 256 260 262 267 269 270 272 274 276 279 281 283 301 302 303 304 305 307 308 309 312 313 314 315
316 317 318 319 320 321 323 324 325 326 327 329 330 331 332 334 336 337 339 341 346 347 350 351 352 353 360 361 363
364 380 385 386 401 402 404 405 406 407 408 409 410 412 413 414 415 417 419 423 424 425 430 432 434 435 440 442 443
445 447 448 458 463 464 469 470 472 475 478 479 480 484 501 502 503 504 505 507 508 509 510 512 513 515 516 517 518
520 530 531 534 539 540 541 551 557 559 561 562 563 564 567 570 571 572 573 574 575 580 582 585 586 601 602 603 605
606 607 608 609 610 612 614 615 616 617 618 619 620 623 626 628 629 630 631 636 640 641 645 646 650 651 656 657 659
660 661 662 667 669 678 680 681 682 686 689 701 702 703 704 706 707 708 712 713 714 715 716 717 718 719 720 724 725
726 727 728 730 731 732 734 737 740 743 747 754 757 760 762 763 765 769 770 771 772 773 774 775 779 781 785 786 801
802 803 804 805 806 810 812 813 814 815 816 817 818 820 826 828 830 831 832 835 838 839 840 843 845 847 848 850 854
856 857 858 859 860 862 863 864 865 870 872 878 901 903 904 906 908 909 910 912 913 914 915 916 917 918 919 920 925
928 929 930 931 934 936 937 938 940 941 943 945 947 948 949 951 952 954 956 959 970 971 972 973 975 978 979 980 983
984 985 986 989
"""
_AREA_CODES = np.array(_AREA_CODE_LIST.split(), dtype=np.int64)
_LINES = 10_000
LARGEST_POPULATION = len(_AREA_CODES) * _LINES


@dataclass
class People:
    """A population: arrays indexed by person."""

    seed: int
    joined_at: NDArray[np.int32]
    member: dict[int, NDArray[np.bool_]]
    british: NDArray[np.int16]  # position among the British numbers, -1 for American numbers
    without_phone_number: NDArray[np.bool_]
    device_token: NDArray[np.bool_]
    unrecorded: NDArray[np.bool_]  # subscribed, but no opt-in of theirs was ever entered

    @property
    def count(self) -> int:
        """How many people there are."""
        return len(self.joined_at)


def populate(messages: int, seed: int) -> People:
    """The population for about this many messages; its size grows with them."""
    count = max(_SMALLEST_POPULATION, messages // _MESSAGES_PER_PERSON)
    person = np.arange(count, dtype=np.int64)
    before = int(count * _SHARE_JOINED_BEFORE)
    joined_at = np.empty(count, dtype=np.int32)
    joined_at[:before] = -np.sort((draws.fraction(person[:before], seed, 1) * 420 * DAY).astype(np.int64))[::-1] - DAY
    joined_at[before:] = np.sort((draws.fraction(person[before:], seed, 1) * (DAYS - 14) * DAY).astype(np.int64))
    member = {channel: draws.fraction(person, seed, 2 + channel) < _SHARE_WITH_CHANNEL[channel] for channel in CHANNELS}
    member[PUSH] &= member[EMAIL]
    has_phone = member[SMS] | member[WHATSAPP]
    without_phone_number = (
        member[WHATSAPP] & ~member[SMS] & (draws.fraction(person, seed, 10) < _SHARE_WITHOUT_PHONE_NUMBER * 2)
    )
    is_british = has_phone & ~without_phone_number & (draws.fraction(person, seed, 11) < _SHARE_BRITISH)
    order = np.cumsum(is_british) - 1
    british = np.where(is_british & (order < _BRITISH_NUMBERS), order, -1).astype(np.int16)
    device_token = member[PUSH] & (draws.fraction(person, seed, 12) < _SHARE_DEVICE_TOKEN)
    unrecorded = (person < before) & (draws.fraction(person, seed, 13) < _SHARE_UNRECORDED)
    for channel in CHANNELS:
        # Somebody's opt-in is on record for every channel: the log has holes and is not missing.
        if not (member[channel] & ~unrecorded).any():
            unrecorded &= ~member[channel]
    return People(seed, joined_at, member, british, without_phone_number, device_token, unrecorded)


def area_codes() -> NDArray[np.int64]:
    """The area codes in use; person n has the n-th, counted round and round."""
    return _AREA_CODES


def phone_digits(people: People, person: NDArray[np.int64]) -> NDArray[np.int64]:
    """The phone number of each person as digits with country code, without the plus."""
    area_code = _AREA_CODES[person % len(_AREA_CODES)]
    line = (person // len(_AREA_CODES) * 7_919 + 143) % _LINES
    british = people.british[person].astype(np.int64)
    american = 10_000_000_000 + area_code * 10_000_000 + 5_550_000 + line
    return np.where(british >= 0, 447_700_900_000 + british, american)


def e164(people: People, person: NDArray[np.int64]) -> pl.Series:
    """The phone number of each person as providers write it: +12025550143."""
    return "+" + pl.Series(phone_digits(people, person)).cast(pl.String)


def spelled_phone(people: People, person: NDArray[np.int64], spelling: NDArray[np.int64]) -> pl.Series:
    """The phone number of each person as people type it into a CRM; `spelling` 0 to 4 picks how."""
    digits = phone_digits(people, person)
    frame = pl.DataFrame(
        {
            "digits": digits,
            "area": digits // 10_000_000 % 1_000,
            "line": digits % 10_000,
            "british": people.british[person] >= 0,
            "spelling": spelling,
        }
    )
    digits_text = pl.col("digits").cast(pl.String)
    area = pl.col("area").cast(pl.String)
    line = pl.col("line").cast(pl.String).str.zfill(4)
    spelled = (
        pl.when(pl.col("british") & (pl.col("spelling") > 1))
        .then(pl.lit("+44 7700 ") + digits_text.str.slice(6))
        .when(pl.col("british") | (pl.col("spelling") == 0))
        .then(pl.lit("+") + digits_text)
        .when(pl.col("spelling") == 1)
        .then(pl.lit("(") + area + pl.lit(") 555-") + line)
        .when(pl.col("spelling") == 2)
        .then(pl.lit("+1 ") + area + pl.lit(" 555 ") + line)
        .when(pl.col("spelling") == 3)
        .then(area + pl.lit("-555-") + line)
        .otherwise(pl.lit("whatsapp:+") + digits_text)
    )
    return frame.select(spelled).to_series()


def spelled_email(person: NDArray[np.int64], spelling: NDArray[np.int64]) -> pl.Series:
    """The e-mail address of each person; spelling 1 has capitals, 2 a blank before and after, others neither."""
    frame = pl.DataFrame({"number": person + 1_001, "ending": person % 3, "spelling": spelling})
    number = pl.col("number").cast(pl.String)
    ending = (
        pl.when(pl.col("ending") == 0)
        .then(pl.lit("com"))
        .when(pl.col("ending") == 1)
        .then(pl.lit("org"))
        .otherwise(pl.lit("net"))
    )
    plain = pl.lit("user") + number + pl.lit("@example.") + ending
    spelled = (
        pl.when(pl.col("spelling") == 1)
        .then(pl.lit("User") + number + pl.lit("@Example.") + ending.str.to_uppercase())
        .when(pl.col("spelling") == 2)
        .then(pl.lit(" ") + plain + pl.lit(" "))
        .otherwise(plain)
    )
    return frame.select(spelled).to_series()


def business_scoped_id(people: People, person: NDArray[np.int64]) -> pl.Series:
    """The WhatsApp id that stands for a person within one business: US. and digits."""
    digits = draws.mixed(person, people.seed, 20) % np.uint64(10**16) + np.uint64(10**16)
    return "US." + pl.Series(digits).cast(pl.String)


def device_tokens(people: People, person: NDArray[np.int64]) -> pl.Series:
    """The push token of each person's device."""
    return "fcm:" + pl.Series(draws.hex_ids(person, people.seed, 22)).cast(pl.String)


def person_ids(person: NDArray[np.int64]) -> pl.Series:
    """The retailer's own customer number of each person."""
    return "C" + pl.Series(person + 1_001).cast(pl.String).str.zfill(7)
