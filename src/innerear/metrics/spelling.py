"""One spelling for what is asked and what is heard, so that only words differ and not how they are written.

Case and punctuation go. Numerals become words, in whichever reading is nearest to the other text: digit by
digit ("72941" is five words), as a number, as a year. British spellings become American ones. Words that
sound alike are the same (`pronounce`): an ear cannot tell *heel* from *heal*.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator

from innerear.metrics.pronounce import pronunciations

ONES = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
SIGNS = {"&": " and ", "%": " percent ", "’": "'", "‘": "'"}
MOST_READINGS = 3**4
"""So many ways to read the numerals of one text are tried; of a text with more, each is read digit by digit."""
BRITISH = (
    (r"our(ed|ing|s|ite|able)?$", r"or\1"), (r"([tb])re(s)?$", r"\1er\2"), (r"is(e[ds]?|ing)$", r"iz\1"),
    (r"ys(e[ds]?|ing)$", r"yz\1"), (r"ll(ed|ing|er)$", r"l\1"), (r"ogue(s)?$", r"og\1"), (r"ence$", "ense"),
    (r"ae", "e"), (r"oe", "e"),
)  # fmt: skip
IRREGULAR = {"grey": "gray", "plough": "plow", "tyre": "tire", "kerb": "curb", "pyjamas": "pajamas", "cheque": "check"}


def readings(text: str) -> list[list[str]]:
    """The words of a text, once for each way to read its numerals.

    >>> readings("It’s 7, really!")
    [["it's", 'seven', 'really']]
    >>> [" ".join(words) for words in readings("Room 42")]
    ['room four two', 'room forty two']
    """
    for sign, said in SIGNS.items():
        text = text.replace(sign, said)
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text.lower())
    tokens = re.findall(r"\d+(?:st|nd|rd|th)?|[^\W\d_]+(?:'[^\W\d_]+)*", text)
    ways = [_read(token) if token[0].isdigit() else [[american(token)]] for token in tokens]
    count = 1
    for way in ways:
        count *= len(way)
    if count > MOST_READINGS:
        ways = [way[:1] for way in ways]
    return [list(itertools.chain(*choice)) for choice in itertools.product(*ways)]


@functools.lru_cache(maxsize=20_000)
def american(word: str) -> str:
    """The American spelling of a word that the dictionary has in that spelling alone.

    >>> american("flavour"), american("hour")
    ('flavor', 'hour')
    """
    if word in IRREGULAR:
        return IRREGULAR[word]
    if pronunciations(word):
        return word
    for british, spelled in BRITISH:
        tried = re.sub(british, spelled, word)
        if tried != word and pronunciations(tried):
            return tried
    return word


def _read(token: str) -> list[list[str]]:
    """The readings of a numeral, digit by digit first."""
    if not token.isdigit():
        *most, last = cardinal(int(token[:-2]))
        return [[*most, _ordinal(last)]]
    found = [[ONES[int(digit)] for digit in token]]
    if token[0] != "0" and len(token) <= 6:
        found.append(cardinal(int(token)))
    if token[0] != "0" and len(token) == 4 and token[2:] != "00":
        found.append([*cardinal(int(token[:2])), *_pair(token[2:])])
    return list(_once(found))


def _once(found: list[list[str]]) -> Iterator[list[str]]:
    seen = []
    for one in found:
        if one not in seen:
            seen.append(one)
            yield one


def _pair(digits: str) -> list[str]:
    return ["oh", ONES[int(digits[1])]] if digits[0] == "0" else cardinal(int(digits))


def cardinal(number: int) -> list[str]:
    """A number below a million in words, without "and".

    >>> " ".join(cardinal(1455))
    'one thousand four hundred fifty five'
    """
    for size, name in ((1000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = cardinal(number % size) if number % size else []
            return [*cardinal(number // size), name, *rest]
    if number < 20:
        return [ONES[number]]
    return [TENS[number // 10], *([ONES[number % 10]] if number % 10 else [])]


def _ordinal(word: str) -> str:
    return ORDINALS.get(word) or (f"{word[:-1]}ieth" if word.endswith("y") else f"{word}th")
