"""Sentences with figures: prices, ages, spans, dates, departures, ranks."""

from __future__ import annotations

from dataclasses import replace

from . import english, german, german_words, numerals
from .adjectives import ADJECTIVES_OF
from .clauses import Clause
from .dice import Dice
from .nouns import of_kind
from .people import count, described, name, subject, words
from .phrases import Adverbial, Count, NounPhrase, join
from .sentences import Sentence, said, spoken
from .settings import clock, date, town
from .verbs import BE, BEGIN, COST, LEAVE, LIVE


def price(dice: Dice) -> Sentence:
    """Like "costs thirty-four euros", "costs 1,250 euros", "costs 12.50 euros"."""
    noun = dice.pick(of_kind("ware"))
    phrase = described(dice, noun, dice.pick(("the", "this")), False, 0.4)
    valuable = noun.is_a("vehicle furniture device ring picture")
    form = dice.pick(("words", "hundreds", "thousands") if valuable else ("words", "words", "cents"))
    if form == "words":
        number = words(dice.number(2, 99))
    elif form == "hundreds":
        number = words(dice.number(1, 9) * 100 + dice.pick((0, dice.number(2, 99))))
    elif form == "thousands":
        value = dice.number(100, 999) * 10
        number = Count(numerals.thousands(value, ","), numerals.thousands(value, "."))
    else:
        euros, cents = dice.number(2, 99), dice.pick(("50", "25", "75", "90", "95"))
        number = Count(f"{euros}.{cents}", f"{euros},{cents}")
    amount = Adverbial(f"{number.en} euros", f"{number.de} Euro", number.features)
    return said(Clause(phrase, COST, place=amount))


def age(dice: Dice) -> Sentence:
    """Like "is thirty-four years old"."""
    number = count(dice, 18, 99)
    actor = subject(dice)
    while actor.person not in ("I", "you", "he", "she") or (isinstance(actor, NounPhrase) and actor.adjective):
        actor = subject(dice)
    years = Adverbial(f"{number.en} years old", f"{number.de} Jahre alt", number.features)
    return said(Clause(actor, BE, "present", place=years))


def born(dice: Dice) -> Sentence:
    """Like "was born on March 3, 1987 in Vienna"."""
    person = name(dice) if dice.chance(0.7) else subject(dice)
    when = date(dice, 1930, 2015)
    where_en, where_de = town(dice)
    place_en, place_de = (f" in {where_en}", f" in {where_de}") if dice.chance(0.5) else ("", "")
    clause = Clause(person, BE, "past", time=when)
    wurde = {"I": "wurde", "you": "wurdest", "we": "wurden", "they": "wurden"}.get(person.person, "wurde")
    was = "was" if person.person in ("I", "he", "she") else "were"
    subject_en, subject_de = english.spoken(person, "subject"), german_words.spoken(person, "nom")
    if dice.chance(0.3):
        en, de = f"when {was} {subject_en} born", f"wann wurde {subject_de} geboren"
        return spoken(en, de.replace("wurde", wurde, 1), "?", replace(clause, time=None))
    en = f"{subject_en} {was} born {when.en}{place_en}"
    return spoken(en, f"{subject_de} {wurde} {when.de}{place_de} geboren", ".", clause)


def home(dice: Dice) -> Sentence:
    """Like "lives in Vienna", "lived in Prague for twelve years"."""
    actor = subject(dice)
    english_town, german_town = town(dice)
    where_is = Adverbial(f"in {english_town}", f"in {german_town}")
    past = dice.chance(0.4)
    clause = Clause(actor, LIVE, "past" if past else "present", place=where_is)
    if past and dice.chance(0.5):
        number = count(dice, 2, 60)
        span = Adverbial(f"for {number.en} years", f"{number.de} Jahre lang", number.features)
        return said(replace(clause, time=span))
    return said(replace(clause, negated=dice.chance(0.15)))


def _appointment(dice: Dice) -> Adverbial:
    """A date with a clock time, or the clock time alone."""
    day = date(dice, 2024, 2039) if dice.chance(0.6) else None
    return join(day, clock(dice)) or clock(dice)


def schedule(dice: Dice) -> Sentence:
    """Like "The train leaves for Munich on May 3 at half past seven"."""
    if dice.chance(0.4):
        noun = dice.pick(of_kind("event film"))
        phrase = described(dice, noun, "the", False, 0.2)
        clause = Clause(phrase, BEGIN, "present", time=_appointment(dice))
    else:
        phrase = NounPhrase(dice.pick(of_kind("line")), "the", None, False, _rank(dice))
        english_town, german_town = town(dice)
        to = Adverbial(f"for {english_town}", f"nach {german_town}")
        clause = Clause(phrase, LEAVE, "present", place=to, time=_appointment(dice))
    if dice.chance(0.25):
        clause = replace(clause, time=None)
        return spoken(english.question(clause, "when"), german.question(clause, "wann"), "?", clause)
    return said(clause)


def _rank(dice: Dice) -> Count | None:
    return words(dice.number(1, 9), ordinal=True) if dice.chance(0.4) else None


def ranked(dice: Dice) -> Sentence:
    """Like "The twenty-first lesson is difficult", "Anna has read the third book"."""
    noun = dice.pick(of_kind("lesson book letter house question rule song film exam picture"))
    fitting = ADJECTIVES_OF[noun]
    adjective = dice.pick(fitting)
    phrase = NounPhrase(noun, "the", None, False, words(dice.number(1, 99), ordinal=True))
    feature = frozenset({("adjective+noun", adjective.en, noun.en)})
    predicate = Adverbial(adjective.en, adjective.de, feature)
    return said(Clause(phrase, BE, dice.pick(("present", "past")), place=predicate, negated=dice.chance(0.15)))
