"""Numbers, ordinals, dates and clock times: each as an English-German pair of spellings."""

from __future__ import annotations

_EN = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_DE = [
    "null",
    "eins",
    "zwei",
    "drei",
    "vier",
    "fünf",
    "sechs",
    "sieben",
    "acht",
    "neun",
    "zehn",
    "elf",
    "zwölf",
    "dreizehn",
    "vierzehn",
    "fünfzehn",
    "sechzehn",
    "siebzehn",
    "achtzehn",
    "neunzehn",
]
_EN_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_DE_TENS = ["zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"]
_EN_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_DE_ORDINALS = {1: "erst", 3: "dritt", 7: "siebt", 8: "acht"}

MONTHS = (
    ("January", "Januar"),
    ("February", "Februar"),
    ("March", "März"),
    ("April", "April"),
    ("May", "Mai"),
    ("June", "Juni"),
    ("July", "Juli"),
    ("August", "August"),
    ("September", "September"),
    ("October", "Oktober"),
    ("November", "November"),
    ("December", "Dezember"),
)
DAYS_IN_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
WEEKDAYS = (
    ("Monday", "Montag"),
    ("Tuesday", "Dienstag"),
    ("Wednesday", "Mittwoch"),
    ("Thursday", "Donnerstag"),
    ("Friday", "Freitag"),
    ("Saturday", "Samstag"),
    ("Sunday", "Sonntag"),
)


def english(number: int) -> str:
    """A number below 1000 in words: "two hundred and forty-seven"."""
    if number < 20:
        return _EN[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _EN_TENS[tens - 2] + (f"-{_EN[ones]}" if ones else "")
    hundreds, rest = divmod(number, 100)
    return f"{_EN[hundreds]} hundred" + (f" and {english(rest)}" if rest else "")


def german(number: int) -> str:
    """A number below 1000 in one word: "zweihundertsiebenundvierzig"; the ones go before the tens."""
    if number < 20:
        return _DE[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return (f"{_DE[ones].removesuffix('s') if ones == 1 else _DE[ones]}und" if ones else "") + _DE_TENS[tens - 2]
    hundreds, rest = divmod(number, 100)
    return f"{'ein' if hundreds == 1 else _DE[hundreds]}hundert" + (german(rest) if rest else "")


def english_ordinal(number: int) -> str:
    """An ordinal below 100 in words: "twenty-third"."""
    head, dash, last = english(number).rpartition("-")
    if last.endswith("y"):
        return f"{head}{dash}{last[:-1]}ieth"
    return f"{head}{dash}{_EN_ORDINALS.get(last, f'{last}th')}"


def german_ordinal(number: int) -> str:
    """An ordinal's stem below 100, to which adjective endings are added: "dreiundzwanzigst"."""
    if number in _DE_ORDINALS:
        return _DE_ORDINALS[number]
    return f"{german(number)}{'t' if number < 20 else 'st'}"


def thousands(number: int, separator: str) -> str:
    """Digits in groups of three: 1250 is "1,250" in English and "1.250" in German."""
    return f"{number:,}".replace(",", separator)


def clock(hour: int, minute: int) -> tuple[str, str]:
    """A clock time from 1:00 to 12:59 as an adverbial; half past seven is "halb acht" in German."""
    following = hour % 12 + 1
    if minute == 0:
        return (
            f"at {english(hour)} o'clock",
            f"um {german(hour).removesuffix('s') if hour == 1 else german(hour)} Uhr",
        )
    if minute == 15:
        return f"at a quarter past {english(hour)}", f"um Viertel nach {german(hour)}"
    if minute == 30:
        return f"at half past {english(hour)}", f"um halb {german(following)}"
    if minute == 45:
        return f"at a quarter to {english(following)}", f"um Viertel vor {german(following)}"
    return f"at {hour}:{minute:02d}", f"um {hour}:{minute:02d} Uhr"


def date(month: int, day: int, year: int | None = None) -> tuple[str, str]:
    """A date as an adverbial: "on March 3, 2021" is "am 3. März 2021"; months count from 0."""
    english_month, german_month = MONTHS[month]
    if year is None:
        return f"on {english_month} {day}", f"am {day}. {german_month}"
    return f"on {english_month} {day}, {year}", f"am {day}. {german_month} {year}"
