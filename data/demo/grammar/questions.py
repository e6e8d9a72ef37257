"""Questions: for yes or no, the subject, an object, the reason, the time and the place."""

from __future__ import annotations

from dataclasses import replace

from . import english, german
from .clauses import Clause
from .dice import Dice
from .events import choose_verb, event, fill, tensed
from .phrases import NounPhrase, Question
from .sentences import Sentence, spoken

_TENSES = ("past", "past", "modal", "progressive", "future")


def _asked_about(dice: Dice, tense: str = "", timed: float = 0.4) -> Clause:
    """A clause without negation and without gefallen's crossed roles."""
    while True:
        clause = event(dice, tense, timed=timed)
        if not (clause.negated or clause.verb.experiencer):
            return clause


def yes_or_no(dice: Dice) -> Sentence:
    """Like "Did Anna buy the red car?" and "Does Anna like the house?"."""
    clause = event(dice)
    while clause.negated:
        clause = event(dice)
    return spoken(english.question(clause), german.question(clause), "?", clause)


def why_when_where(dice: Dice) -> Sentence:
    """A question for the reason, the time or the place."""
    clause = _asked_about(dice, dice.pick(_TENSES), 0.3)
    words = [("why", "warum")]
    if not clause.time and clause.tense in ("past", "modal") and clause.verb.aspect != "state":
        words.append(("when", "wann"))
        if not (clause.place or clause.companion or clause.verb.aspect == "event"):
            words.append(("where", "wo"))
    asked = dice.pick(words)
    return spoken(english.question(clause, asked[0]), german.question(clause, asked[1]), "?", clause)


def who(dice: Dice) -> Sentence:
    """A question for the subject: "Who repaired the old clock?"."""
    verb = choose_verb(dice, "habit action event")
    while "person" not in verb.subject:
        verb = choose_verb(dice, "habit action event")
    clause = tensed(dice, fill(dice, verb, Question("who")), dice.pick(_TENSES), 0.4, 0.0)
    return spoken(english.statement(clause), german.statement(clause), "?", clause)


def whom_or_what(dice: Dice) -> Sentence:
    """A question for the only object; German shows its case: wen, wem or was."""
    while True:
        clause = _asked_about(dice, dice.pick(_TENSES))
        if clause.direct and not clause.indirect:
            noun = clause.direct.noun if isinstance(clause.direct, NounPhrase) else None
            if noun and noun.is_a("animal"):
                continue
            asked = "who" if noun is None or noun.is_a("person") else "what"
            clause = replace(clause, direct=Question(asked))
        elif clause.indirect and not clause.direct:
            asked = "who"
            clause = replace(clause, indirect=Question(asked))
        else:
            continue
        return spoken(english.question(clause, asked), german.question(clause), "?", clause)


def which(dice: Dice) -> Sentence:
    """Like "Which book did Anna read yesterday?"."""
    while True:
        clause = _asked_about(dice, dice.pick(("past", "past", "modal", "future")))
        direct = clause.direct
        if not isinstance(direct, NounPhrase) or direct.count or direct.noun.is_a("mass kin mine"):
            continue
        direct = replace(direct, determiner="which")
        clause = replace(clause, direct=direct, front="direct")
        return spoken(english.question(clause, english.spoken(direct)), german.question(clause), "?", clause)
