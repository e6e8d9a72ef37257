"""Choosing when and where something happens."""

from __future__ import annotations

from . import names, numerals
from .dice import Dice
from .nouns import of_kind
from .people import count, described
from .phrases import Adverbial, Prepositional, join

HABITS = (
    ("every day", "jeden Tag"),
    ("every morning", "jeden Morgen"),
    ("every evening", "jeden Abend"),
    ("in summer", "im Sommer"),
    ("in winter", "im Winter"),
    *((f"every {en}", f"jeden {de}") for en, de in numerals.WEEKDAYS),
)
_PAST = (
    ("yesterday", "gestern"),
    ("last week", "letzte Woche"),
    ("last summer", "letzten Sommer"),
    ("this morning", "heute Morgen"),
    ("last year", "letztes Jahr"),
)
_FUTURE = (
    ("tomorrow", "morgen"),
    ("next week", "nächste Woche"),
    ("this evening", "heute Abend"),
    ("next year", "nächstes Jahr"),
    ("today", "heute"),
)
FREQUENCIES = (("often", "oft"), ("always", "immer"), ("sometimes", "manchmal"), ("never", "nie"))
_DAYS = ("yesterday", "tomorrow", "this evening", "today", "this morning")


def date(dice: Dice, low: int, high: int) -> Adverbial:
    """A date, with or without its year."""
    month = dice.number(0, 11)
    day = dice.number(1, numerals.DAYS_IN_MONTH[month])
    year = dice.number(low, high) if dice.chance(0.6) else None
    english, german = numerals.date(month, day, year)
    return Adverbial(english, german, frozenset({("month+day", numerals.MONTHS[month][0], str(day))}))


def clock(dice: Dice) -> Adverbial:
    """A clock time, on the quarter hour in most cases."""
    minute = dice.pick((0, 15, 30, 45)) if dice.chance(0.75) else dice.number(1, 11) * 5
    return Adverbial(*numerals.clock(dice.number(1, 12), minute))


def ago(dice: Dice) -> Adverbial:
    """Like "twenty-three days ago"."""
    unit = dice.pick((("days", "Tagen"), ("weeks", "Wochen"), ("years", "Jahren")))
    number = count(dice, 2, 60)
    return Adverbial(f"{number.en} {unit[0]} ago", f"vor {number.de} {unit[1]}", number.features)


def past_time(dice: Dice) -> Adverbial:
    """A time that lies in the past."""
    form = dice.weighted(((5, "word"), (4, "date"), (2, "ago"), (1, "weekday"), (1, "month"), (1, "year")))
    if form == "word":
        return Adverbial(*dice.pick(_PAST))
    if form == "date":
        return date(dice, 1950, 2023)
    if form == "ago":
        return ago(dice)
    return _calendar(dice, form, 1950)


def _calendar(dice: Dice, form: str, year: int) -> Adverbial:
    if form == "weekday":
        english, german = dice.pick(numerals.WEEKDAYS)
        return Adverbial(f"on {english}", f"am {german}")
    if form == "month":
        english, german = dice.pick(numerals.MONTHS)
        return Adverbial(f"in {english}", f"im {german}")
    number = dice.number(year, year + 70)
    return Adverbial(f"in {number}", f"im Jahr {number}")


def future_time(dice: Dice) -> Adverbial:
    """A time that lies ahead."""
    form = dice.weighted(((6, "word"), (3, "date"), (1, "weekday"), (1, "month")))
    if form == "word":
        return Adverbial(*dice.pick(_FUTURE))
    return date(dice, 2027, 2049) if form == "date" else _calendar(dice, form, 2027)


def exact(dice: Dice, time: Adverbial) -> Adverbial:
    """A day with, in some cases, the clock time: "yesterday at half past seven"."""
    if (time.en in _DAYS or time.en.startswith(("every", "on "))) and dice.chance(0.25):
        return join(time, clock(dice)) or time
    return time


def town(dice: Dice) -> tuple[str, str]:
    """A city, whose name may be another in German, or a village, whose name is the same."""
    if dice.chance(0.7):
        return dice.pick(names.CITIES)
    village = "".join(dice.pick(names.VILLAGES))
    return village, village


def place(dice: Dice, kinds: str = "place", towns: float = 0.3) -> Prepositional | Adverbial:
    """Where something happens: the German preposition governs the dative."""
    if dice.chance(towns):
        english, german = town(dice)
        return Adverbial(f"in {english}", f"in {german}")
    noun = dice.pick([noun for noun in of_kind(kinds) if noun.at[0]])
    return Prepositional(*noun.at, "dat", described(dice, noun, "the", False, 0.25))


def goal(dice: Dice, kinds: str = "place", towns: float = 0.3) -> Prepositional | Adverbial:
    """Where somebody goes: accusative, but dative after zu."""
    if dice.chance(towns):
        english, german = town(dice)
        return Adverbial(f"to {english}", f"nach {german}")
    noun = dice.pick([noun for noun in of_kind(kinds) if noun.to[0]])
    return Prepositional(*noun.to, "dat" if noun.to[1] == "zu" else "acc", described(dice, noun, "the", False, 0.25))
