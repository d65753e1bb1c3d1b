"""Masks what could tell who wrote a text: addresses, links, numbers, names.

`mask` promises to take out:

- [e-mail]: whatever holds an @ between letters;
- [link]: what begins with http, https or www, and names of sites such as shop.example.com;
- [number]: four digits or more, with signs of telephone numbers between them, and words that hold so many;
- [name]: @handles; what follows a greeting (Dear, Hola), a title (Mr, Frau), "my name is" or a closing (Regards,
  Saludos), in seven languages;
- [word]: any other word that begins with a capital letter inside a sentence and is in no list of reason_words.csv.

It does not know a name in small letters that none of these introduces, nor one that begins a sentence alone.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import polars

from pipelines.resources import reference_folder

_WORD = r"[^\W\d_]+(?:['’\-][^\W\d_]+)*"
_EMAIL = re.compile(r"[^\s@<>()\[\],;]+@[^\s@<>()\[\],;]+")
_LINK = re.compile(
    r"(?:https?:|www\.)\S+"
    r"|\b[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|info|biz|io|co|app|shop|store|me|tv|eu|uk|us|ca|au|de|fr|es|it|nl|pt|br|mx|"
    r"be|ch|at|example|test)\b(?:/\S*)?",
    re.IGNORECASE,
)
_HANDLE = re.compile(r"(?<![\w@])@\w[\w.\-]*")
_NUMBER = re.compile(r"(?:[+(]\s?)?\w*\d(?:[\s().\-/‐‑‒–—·•]*\d)*\w*")
_DIGIT = re.compile(r"\d")
_FEWEST_DIGITS = 4

_NAMES = rf"{_WORD}(?:[\s.]+{_WORD}){{0,2}}"
#: What a name is said to follow for certain: the next word goes, whatever it is, and names after it.
_CALLED = re.compile(
    r"\b(?:my\s+name\s+is|name's|name\s+is|i'?m\s+called|me\s+llamo|mi\s+nombre\s+es|je\s+m['’]appelle|mon\s+nom\s+est|"
    r"mein\s+name\s+ist|ich\s+hei(?:ss|ß)e|meu\s+nome\s+(?:é|e)|me\s+chamo|mi\s+chiamo|il\s+mio\s+nome\s+è|"
    r"mijn\s+naam\s+is|ik\s+heet)\s+(?:(?:not|no|pas|nicht|não|nao|non|niet)\s+)?"
    rf"(?P<name>{_NAMES})",
    re.IGNORECASE,
)
_TITLE = re.compile(
    r"\b(?:mr|mrs|ms|miss|mister|dr|prof|herrn?|frau|señora?|senora?|sr|sra|doña|monsieur|madame|mme|mlle|signora?|sig|"
    rf"dhr|mevr|mevrouw|meneer)\b\.?\s+(?P<name>{_NAMES})",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"\b(?:dear|hi|hello|hey|hola|estimad[oa]|querid[oa]|bonjour|salut|chère?|hallo|lieber?|guten\s+tag|geehrter?|olá|ola|"
    rf"oi|prezad[oa]|car[oa]|ciao|salve|gentile|buongiorno|beste|geachte|goedendag)\s+(?P<name>{_NAMES})",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"\b(?:regards|thanks|thank\s+you|thx|cheers|sincerely|best|yours|love|gru(?:ss|ß)|grü(?:ss|ß)en?|mfg|vg|lg|danke|"
    r"saludos|gracias|atentamente|merci|cordialement|bien\s+à\s+vous|obrigad[oa]|abraços?|atenciosamente|grazie|saluti|"
    rf"groet(?:en|jes)?|mvg|bedankt)\b[\s,.!:;\-–—]+(?P<name>{_NAMES})\s*[.!]*\s*$"
    rf"|[\-–—~]\s*(?P<signed>{_NAMES})\s*[.!]*\s*$",
    re.IGNORECASE,
)
_BEGINS_SENTENCE = re.compile(r"(?:^|[.!?…:;\n\r¿¡]|[\"“„«(]\s*)\s*$")
_MASKED = re.compile(r"\[(?:e-mail|link|number|name|word)\]")


def mask(text: str) -> str:
    """The text with [e-mail], [link], [number], [name] and [word] for what could tell who wrote it (see above)."""
    text = unicodedata.normalize("NFC", text)
    text = _EMAIL.sub("[e-mail]", text)
    text = _LINK.sub("[link]", text)
    text = _HANDLE.sub("[name]", text)
    text = _NUMBER.sub(_without_long_number, text)
    for pattern in (_CALLED, _TITLE):
        text = pattern.sub(_without_said_name, text)
    for pattern in (_GREETING, _CLOSING):
        text = pattern.sub(_without_likely_name, text)
    text = _without_capitals(text)
    text = re.sub(r"\[(name|word)\](?:[\s.]+\[(?:name|word)\])+", r"[\1]", text)
    return " ".join(text.split())


def shortened(text: str, longest: int) -> str:
    """The text, cut after a whole word where it has more than `longest` letters."""
    if len(text) <= longest:
        return text
    cut = text[:longest].rsplit(" ", 1)[0].rstrip(" ,.;:-")
    return f"{cut} …"


def _without_long_number(found: re.Match[str]) -> str:
    return "[number]" if len(_DIGIT.findall(found[0])) >= _FEWEST_DIGITS else found[0]


def _without_said_name(found: re.Match[str]) -> str:
    """The first word goes, and those after it that begin with a capital letter."""
    words = re.split(r"[\s.]+", found["name"])
    taken = 1
    while taken < len(words) and words[taken][:1].isupper():
        taken += 1
    return _taken(found, "name", words, taken)


def _without_likely_name(found: re.Match[str]) -> str:
    """Words from the first on that are in no list, or begin with a capital letter and are in none."""
    group = "name" if found["name"] else "signed"
    words = re.split(r"[\s.]+", found[group])
    taken = 0
    while taken < len(words) and not is_known(words[taken]):
        taken += 1
    return _taken(found, group, words, taken) if taken else found[0]


def _taken(found: re.Match[str], group: str, words: list[str], taken: int) -> str:
    begins = found.start(group) - found.start()
    rest = " ".join(words[taken:])
    after = found[0][found.end(group) - found.start() :]
    return f"{found[0][:begins]}[name]{' ' + rest if rest else ''}{after}"


def _without_capitals(text: str) -> str:
    """Words with a capital letter that no list has: inside a sentence, and at its beginning if another follows."""
    shouts = not any(letter.islower() for letter in _MASKED.sub("", text))
    pieces, last = [], 0
    words = [one for one in re.finditer(_WORD, text) if not _inside_mask(text, one)]
    is_name = [one[0] != one[0].lower() and len(one[0]) > 1 and not is_known(one[0]) for one in words]
    for position, one in enumerate(words):
        begins = not shouts and bool(_BEGINS_SENTENCE.search(text[: one.start()]))
        followed = (
            position + 1 < len(words) and is_name[position + 1] and not _begins_after(text, one, words[position + 1])
        )
        if is_name[position] and (not begins or followed):
            pieces += [text[last : one.start()], "[word]"]
            last = one.end()
    return "".join([*pieces, text[last:]])


def _begins_after(text: str, one: re.Match[str], following: re.Match[str]) -> bool:
    """Whether a new sentence begins between two words."""
    return bool(re.search(r"[.!?…:;\n]", text[one.end() : following.start()]))


def _inside_mask(text: str, one: re.Match[str]) -> bool:
    return any(mark.start() < one.start() < mark.end() for mark in _MASKED.finditer(text))


def folded(word: str) -> str:
    """A word in small letters without accents, as the lists spell it."""
    plain = unicodedata.normalize("NFD", word.lower().replace("ß", "ss"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def is_known(word: str) -> bool:
    """Whether reason_words.csv has the word, or each part of it between apostrophes and hyphens."""
    whole, beginnings = _lists()
    parts = [part for part in re.split(r"['’\-]", folded(word)) if part]
    return all(part in whole or part.startswith(beginnings) for part in parts)


@cache
def _lists() -> tuple[frozenset[str], tuple[str, ...]]:
    rows = polars.read_csv(reference_folder() / "reason_words.csv", infer_schema_length=None)
    whole = rows.filter(polars.col("begins").is_null())["word"].to_list()
    return frozenset(whole), tuple(rows.filter(polars.col("begins").is_not_null())["word"].to_list())
