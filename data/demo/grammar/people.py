"""Choosing noun phrases: who acts, and on whom or what."""

from __future__ import annotations

from . import names, numerals
from .adjectives import ADJECTIVES_OF
from .dice import Dice
from .entries import Noun
from .nouns import of_kind
from .phrases import POSSESSIVES, Count, Name, NounPhrase, Pair, Phrase, Pronoun

_ADULTS = of_kind("adult")
_KIN = of_kind("kin mine")


def count(dice: Dice, low: int = 2, high: int = 99) -> Count:
    """A number in words, or one time in four in digits."""
    number = dice.number(low, high)
    if dice.chance(0.25):
        return Count(str(number), str(number))
    return words(number)


def words(number: int, ordinal: bool = False) -> Count:
    """A number in words with the combination of its tens and ones."""
    tens, ones = divmod(number % 100, 10)
    feature = frozenset({("tens+ones", str(tens * 10), str(ones))}) if tens > 1 and ones else frozenset()
    if ordinal:
        return Count(numerals.english_ordinal(number), numerals.german_ordinal(number), True, feature)
    return Count(numerals.english(number), numerals.german(number), False, feature)


def name(dice: Dice) -> Name:
    """A first name, one with a surname, or a surname with Mr. or Mrs."""
    person = dice.pick(("he", "she"))
    given = dice.pick(names.MEN if person == "he" else names.WOMEN)
    form = dice.weighted(((6, "given"), (2, "full"), (3, "title")))
    if form == "given":
        return Name(person, given)
    return Name(person, "" if form == "title" else given, dice.pick(names.SURNAMES), form == "title")


def described(dice: Dice, noun: Noun, determiner: str, plural: bool, chance: float) -> NounPhrase:
    """A noun phrase, with an adjective that fits the noun in a share of cases."""
    fitting = ADJECTIVES_OF[noun]
    adjective = dice.pick(fitting) if fitting and dice.chance(chance) else None
    return NounPhrase(noun, determiner, adjective, plural)


def subject(dice: Dice, kinds: str = "person") -> Phrase:
    """A subject of the given kinds: for persons also names, pronouns and two people."""
    if not {"person", "adult"} & set(kinds.split()):
        return described(dice, dice.pick(of_kind(kinds)), "the", dice.chance(0.15), 0.3)
    form = dice.weighted(((30, "name"), (22, "pronoun"), (28, "noun"), (14, "kin"), (4, "pair"), (2, "animal")))
    if form == "name":
        return name(dice)
    if form == "pronoun":
        return Pronoun(dice.pick(("I", "you", "he", "she", "we", "they")))
    if form == "kin":
        return described(dice, dice.pick(_KIN), POSSESSIVES[dice.pick(tuple(POSSESSIVES))], False, 0.15)
    if form == "pair":
        first, second = name(dice), name(dice)
        return Pair(first, second) if first != second else first
    if form == "animal" and "pet" in kinds:
        return described(dice, dice.pick(of_kind("pet")), "the", dice.chance(0.2), 0.4)
    person = dice.pick(
        [noun for noun in (_ADULTS if "adult" in kinds else of_kind("adult small")) if not noun.is_a("mine")]
    )
    determiner = dice.weighted(((7, "the"), (2, "a"), (1, "this")))
    return described(dice, person, determiner, determiner != "a" and dice.chance(0.2), 0.3)


def somebody(dice: Dice, kinds: str, actor: Phrase) -> Phrase:
    """A person who is acted on by `actor`: not the same one, and not "me" when "I" act."""
    form = dice.weighted(((45, "noun"), (22, "name"), (18, "pronoun")))
    if form == "name":
        return name(dice)
    if form == "pronoun":
        group = {"I": "I we", "we": "I we", "you": "you", "he": "he she they", "she": "he she they"}
        avoided = group.get(actor.person, "they he she").split()
        return Pronoun(dice.pick([p for p in POSSESSIVES if p not in avoided]))
    noun = dice.pick([noun for noun in of_kind(kinds) if not isinstance(actor, NounPhrase) or noun != actor.noun])
    return thing(dice, noun, actor)


def _own(actor: Phrase) -> str:
    return POSSESSIVES.get(actor.person, "the")


def thing(dice: Dice, noun: Noun, actor: Phrase, adjectives: float = 0.35, counted: bool = False) -> NounPhrase:
    """An object: its determiner and number follow from what kind of noun it is; `counted` allows numbers."""
    if noun.is_a("kin mine"):
        return described(dice, noun, _own(actor), noun.is_a("many mine") and dice.chance(0.15), adjectives / 2)
    if noun.is_a("mass"):
        return described(dice, noun, dice.weighted(((3, ""), (1, "the"))), False, adjectives)
    if noun.is_a("fruit"):
        form = dice.weighted(((3, "a"), (3, "some"), (2, "the"), (2, "many")))
    elif noun.is_a("place line song abstract event") or (noun.is_a("opened") and not noun.is_a("thing")):
        form = dice.weighted(((7, "the"), (2, "a"), (1, "this"), (1, "all")))
    elif noun.is_a("person animal"):
        form = dice.weighted(((5, "the"), (2, "a"), (1, "all"), (1, "this")))
    else:
        form = dice.weighted(((8, "the"), (6, "a"), (2, "own"), (2, "some"), (1, "all"), (1, "this"), (1, "many")))
    if form == "many" and counted:
        return NounPhrase(noun, "", None, True, count(dice))
    plural = form in ("some", "all")
    determiner = {"own": _own(actor), "some": "", "all": "the", "many": "a"}.get(form, form)
    return described(dice, noun, determiner, plural, adjectives)
