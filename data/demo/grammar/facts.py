"""Sentences about how things are: qualities, positions, likes, belongings."""

from __future__ import annotations

from dataclasses import replace

from . import english, german, german_words
from .adjectives import ADJECTIVES_OF
from .clauses import Clause
from .dice import Dice
from .events import fill, tensed
from .nouns import NOUN, of_kind
from .people import described, somebody, subject, thing, words
from .phrases import Adverbial, NounPhrase, Prepositional, Pronoun, negate
from .sentences import Sentence, said, spoken
from .verbs import BE, BELONG, HAVE, LAY, LIE, LIKE, SET, STAND

_SPOTS = (
    ("on", "auf", "table chair bed sofa"),
    ("under", "unter", "table chair bed sofa"),
    ("next to", "neben", "table bed sofa door window"),
    ("behind", "hinter", "sofa door bed"),
    ("in front of", "vor", "door window bed sofa"),
)


_GRADES = (("", ""), ("very ", "sehr "), ("too ", "zu "))
_GRADED = [
    "old",
    "small",
    "big",
    "expensive",
    "heavy",
    "long",
    "short",
    "boring",
    "difficult",
    "warm",
    "cold",
    "dirty",
]


def quality(dice: Dice) -> Sentence:
    """Like "The house is not big", "Was the exam difficult?"."""
    noun = dice.pick([noun for noun in NOUN.values() if ADJECTIVES_OF[noun] and not noun.is_a("kin mine")])
    plural = dice.chance(0.25) and not noun.is_a("mass")
    phrase = NounPhrase(noun, dice.pick(("the", "the", "this")), None, plural)
    adjective = dice.pick(ADJECTIVES_OF[noun])
    grade = dice.pick(_GRADES if adjective.en in _GRADED else _GRADES[:1])
    feature = frozenset({("adjective+noun", adjective.en, noun.en)})
    predicate = Adverbial(grade[0] + adjective.en, grade[1] + adjective.de, feature)
    clause = Clause(phrase, BE, dice.pick(("present", "past")), place=predicate)
    if dice.chance(0.25):
        return spoken(english.question(clause), german.question(clause), "?", clause)
    return said(replace(clause, negated=dice.chance(0.25)))


def comparison(dice: Dice) -> Sentence:
    """Like "The church is older than the school", "as old as"."""
    adjective = dice.pick([a for options in ADJECTIVES_OF.values() for a in options if a.en_comparative])
    nouns = [noun for noun in NOUN.values() if adjective in ADJECTIVES_OF[noun] and not noun.is_a("mass kin mine")]
    first = dice.pick(nouns)
    same = [noun for noun in nouns if noun != first and _category(noun.kinds) == _category(first.kinds)]
    if not same:
        return comparison(dice)
    second = NounPhrase(dice.pick(same))
    pair = (english.spoken(second), german_words.spoken(second, "nom"))
    feature = frozenset({("adjective+noun", adjective.en, first.en)})
    if not _category(first.kinds):
        return comparison(dice)
    if dice.chance(0.7):
        text = (f"{adjective.en_comparative} than {pair[0]}", f"{adjective.de_comparative} als {pair[1]}")
    else:
        text = (f"as {adjective.en} as {pair[0]}", f"so {adjective.de} wie {pair[1]}")
    head = NounPhrase(first, dice.pick(("the", "this")))
    return said(Clause(head, BE, dice.pick(("present", "past")), place=Adverbial(*text, feature)))


def _category(kinds: frozenset[str]) -> str:
    return next(
        (
            k
            for k in (
                "person",
                "animal",
                "readable",
                "clothes",
                "place",
                "food",
                "vehicle",
                "furniture",
                "device",
                "dish",
                "event",
            )
            if k in kinds
        ),
        "",
    )


def position(dice: Dice) -> Sentence:
    """Like "is on the table": liegen or stehen with the dative."""
    noun = dice.pick(of_kind("lie stand"))
    thing_there = described(dice, noun, "the", dice.chance(0.25), 0.3)
    spot = _spot(dice, "dat")
    verb = LIE if noun.is_a("lie") else STAND
    clause = Clause(thing_there, verb, dice.pick(("present", "past")), place=spot, negated=dice.chance(0.15))
    return said(clause)


def _spot(dice: Dice, case: str) -> Prepositional:
    en, de, nouns = dice.pick(_SPOTS)
    noun = NOUN[dice.pick(nouns.split())]
    return Prepositional(en, de, case, described(dice, noun, "the", False, 0.3))


def put(dice: Dice) -> Sentence:
    """Like "puts the book on the table": legen or stellen with the accusative."""
    noun = dice.pick(of_kind("lie stand"))
    actor = subject(dice)
    verb = LAY if noun.is_a("lie") else SET
    clause = Clause(actor, verb, direct=thing(dice, noun, actor, 0.25), place=_spot(dice, "acc"))
    tense = dice.pick(("past", "modal", "progressive", "perfect", "future"))
    if tense == "past" and actor.person not in ("he", "she", "it"):
        tense = "modal"
    clause = tensed(dice, clause, tense, 0.4, 0.0)
    return said(replace(clause, front="time" if clause.time and clause.time.en != "now" and dice.chance(0.4) else ""))


def where(dice: Dice) -> Sentence:
    """Like "Where is the key?"."""
    noun = dice.pick([noun for noun in NOUN.values() if noun.is_a("thing place readable vehicle")])
    whose = ("the", "the", "my", "your", "our") if noun.is_a("thing") else ("the",)
    phrase = described(dice, noun, dice.pick(whose), dice.chance(0.2), 0.4)
    clause = Clause(phrase, BE, dice.pick(("present", "past")))
    return spoken(english.question(clause, "where"), german.question(clause, "wo"), "?", clause)


def liking(dice: Dice) -> Sentence:
    """Like "Anna likes the house", which is "Anna gefällt das Haus": the object becomes the subject."""
    clause = fill(dice, LIKE, subject(dice))
    if isinstance(clause.direct, NounPhrase) and clause.direct.determiner in ("a", ""):
        clause = replace(clause, direct=replace(clause.direct, determiner="this"))
    clause = tensed(dice, clause, dice.pick(("present", "present", "past")))
    if not clause.negated and dice.chance(0.25):
        return spoken(english.question(clause), german.question(clause), "?", clause)
    return said(clause)


def possession(dice: Dice) -> Sentence:
    """Like "has no car", "had three sisters", and "belongs to the doctor"."""
    if dice.chance(0.35):
        item = described(dice, dice.pick(of_kind("ware pet")), "the", False, 0.5)
        if item.noun.is_a("food drink"):
            return possession(dice)
        return said(Clause(item, BELONG, indirect=somebody(dice, "adult", Pronoun("it"))))
    actor = subject(dice)
    noun = dice.pick([noun for noun in of_kind(HAVE.direct) if not noun.is_a("food drink")])
    if noun.is_a("many mine pet") and dice.chance(0.5):
        phrase = NounPhrase(noun, "", None, True, words(dice.number(2, 12)))
    else:
        phrase = described(dice, noun, "a", False, 0.5)
    clause = Clause(actor, HAVE, dice.pick(("present", "present", "past")), direct=phrase)
    if dice.chance(0.3) and phrase.indefinite:
        clause = replace(clause, negated=True, direct=negate(phrase))
    return said(clause)
