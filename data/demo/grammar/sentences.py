"""Plain statements: main clauses, what stands in front of them, and two of them joined."""

from __future__ import annotations

from dataclasses import dataclass, replace

from . import english, german
from .clauses import Clause
from .dice import Dice
from .entries import Feature
from .events import event
from .phrases import NounPhrase, Pronoun


@dataclass(frozen=True)
class Sentence:
    """An English sentence, its German translation, and the combinations that it contains."""

    en: str
    de: str
    features: frozenset[Feature]


def spoken(en: str, de: str, end: str, *clauses: Clause) -> Sentence:
    """Both texts as sentences, with the combinations of their clauses."""
    features: frozenset[Feature] = frozenset().union(*(clause.features for clause in clauses))
    return Sentence(english.sentence(en, end), english.sentence(de, end), features)


def said(clause: Clause) -> Sentence:
    """A clause as a sentence of its own."""
    return spoken(english.statement(clause), german.statement(clause), ".", clause)


def fronted(dice: Dice, clause: Clause) -> Clause:
    """Put time or place first, in some cases; German then has its subject after the verb."""
    if clause.verb.experiencer or clause.relative:
        return clause
    if clause.time and clause.time.en != "now" and dice.chance(0.4):
        return replace(clause, front="time")
    bound = clause.verb.about or clause.verb.goes or clause.negated or isinstance(clause.subject, Pronoun)
    if clause.place and not bound and dice.chance(0.3):
        return replace(clause, front="place")
    return clause


def statement(dice: Dice) -> Sentence:
    """A main clause, with time or place in front in some cases."""
    return said(fronted(dice, event(dice)))


def topic(dice: Dice) -> Sentence:
    """Like "This film we have not seen yet": the object in front, for contrast."""
    while True:
        clause = event(dice, "perfect")
        direct, actor = clause.direct, clause.subject
        if not isinstance(direct, NounPhrase) or direct.noun.is_a("person mass") or clause.tense != "perfect":
            continue
        if isinstance(actor, NounPhrase):
            actor = Pronoun(actor.person)
        if actor.person == "it":
            continue
        direct = replace(direct, determiner="this", count=None, plural=direct.plural and not direct.count)
        clause = replace(clause, subject=actor, direct=direct, front="direct", negated=dice.chance(0.7))
        return said(replace(clause, companion=None, place=None))


def both(dice: Dice) -> Sentence:
    """Two main clauses with "and" or "but": no inversion after either."""
    while True:
        tense = dice.pick(("past", "progressive", "habit", "future"))
        first, second = event(dice, tense, timed=0.35), event(dice, tense, timed=0.0)
        if first.subject == second.subject or first.verb == second.verb or first.tense != second.tense:
            continue
        en_join, de_join = dice.pick(((" and ", " und "), (" and ", " und "), (", but ", ", aber ")))
        en = f"{english.statement(first)}{en_join}{english.statement(second)}"
        de = f"{german.statement(first)}{de_join}{german.statement(second)}"
        return spoken(en, de, ".", first, second)
