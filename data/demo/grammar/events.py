"""Choosing clauses: a verb, what its frame asks for, a tense, and the time that suits it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from .clauses import Clause
from .dice import Dice
from .entries import Modal, Noun, Verb
from .nouns import of_kind
from .people import somebody, subject, thing
from .phrases import Adverbial, NounPhrase, Pair, Phrase, Prepositional, Pronoun, negate
from .settings import FREQUENCIES, HABITS, exact, future_time, goal, past_time, place
from .verbs import MODALS, MUST, VERBS, WILL

PLACES = {
    "work": "office garden hospital hotel restaurant library school",
    "cook": "kitchen restaurant",
    "bake": "kitchen",
    "wash": "garden",
    "dance": "garden restaurant kitchen park",
    "buy": "market village station",
    "sell": "market village",
    "play": "garden park kitchen",
    "study": "library school kitchen garden",
    "read": "garden library park kitchen office",
    "write": "office library garden kitchen",
    "draw": "park garden museum",
    "eat": "restaurant kitchen garden park hotel",
    "drink": "restaurant kitchen garden hotel",
    "sleep": "hotel garden hospital",
    "find": "park garden forest kitchen lake bridge",
    "lose": "park forest station market library",
    "see": "park market station village lake forest",
    "wait": "station hotel park kitchen bridge",
    "arrive": "village station hotel office",
    "sing": "church kitchen garden park",
    "laugh": "garden kitchen office",
}
_COUNTING = ("buy", "sell", "need", "find", "see", "eat", "draw", "repair", "translate", "correct")
_UNWILLED = ("lose", "forget", "dream", "fall", "wake", "hear", "see")
_TIMELESS = ("love", "like", "know", "understand", "trust")


def fill(dice: Dice, verb: Verb, actor: Phrase, places: float = 0.35) -> Clause:
    """A clause with the objects that the verb's frame asks for, and perhaps a place or company."""
    clause = Clause(actor, verb)
    if verb.direct:
        noun = _another(dice, verb.direct, actor)
        human = noun.is_a("person") and not verb.indirect
        item = thing(dice, noun, actor, counted=verb.en in _COUNTING)
        clause = replace(clause, direct=somebody(dice, verb.direct, actor) if human else item)
    if verb.indirect:
        receiver = somebody(dice, verb.indirect, actor)
        clause = replace(clause, indirect=receiver)
    if verb.about:
        english, german, case, kinds = verb.about
        noun = _another(dice, kinds, actor)
        human = noun.is_a("person")
        phrase = somebody(dice, kinds, actor) if human else thing(dice, noun, actor)
        return replace(clause, place=Prepositional(english, german, case, phrase))
    if verb.goes:
        towns = 0.8 if verb.en == "travel" else 0.0
        return replace(clause, place=goal(dice, "village lake" if towns else "place", towns))
    if verb.en in PLACES and not verb.particle and dice.chance(places):
        towns = 0.4 if verb.en in ("work", "buy", "see", "arrive", "eat") else 0.0
        clause = replace(clause, place=place(dice, PLACES[verb.en], towns))
    if verb.en in ("dance", "work", "sing", "cook", "eat", "study") and dice.chance(0.3):
        clause = replace(clause, companion=Prepositional("with", "mit", "dat", somebody(dice, "kin mine", actor)))
    return clause


def _another(dice: Dice, kinds: str, actor: Phrase) -> Noun:
    nouns = of_kind(kinds)
    return dice.pick([noun for noun in nouns if not isinstance(actor, NounPhrase) or noun != actor.noun])


def ambiguous(clause: Clause) -> bool:
    """Whether English shows no tense: "they read", "I put"; the German could be present or perfect."""
    return clause.verb.en == clause.verb.en_past and clause.subject.person not in ("he", "she", "it")


def choose_verb(dice: Dice, aspects: str = "habit action event state") -> Verb:
    """A verb of one of the aspects."""
    return dice.pick(_verbs_of(aspects))


@cache
def _verbs_of(aspects: str) -> list[Verb]:
    return [verb for verb in VERBS if verb.aspect in aspects.split()]


def tensed(dice: Dice, clause: Clause, tense: str, timed: float = 0.6, negated: float = 0.15) -> Clause:
    """The clause in a tense, with the time, the modal and the negation that suit it.

    `tense` may also be "habit" (present, with how often) and "future".
    """
    tense = _suitable(clause.verb, tense)
    timed = 0.0 if clause.verb.en in _TIMELESS else timed
    modal: Modal | None = None
    time: Adverbial | None = None
    frequency: Adverbial | None = None
    if tense == "habit":
        if dice.chance(0.4):
            frequency = Adverbial(*dice.pick(FREQUENCIES))
        else:
            time = exact(dice, Adverbial(*dice.pick(HABITS)))
        tense, negated = "present", 0.0
    elif tense == "past":
        time = exact(dice, past_time(dice)) if dice.chance(timed) else None
    elif tense == "progressive":
        time = Adverbial("now", "jetzt") if dice.chance(timed / 2) else None
    elif tense in ("modal", "future"):
        modal = WILL if tense == "future" else dice.pick(MODALS)
        near = past_time if modal.past else future_time
        time = exact(dice, near(dice)) if dice.chance(timed) else None
        tense = "modal"
    negative = (
        dice.chance(negated) and modal is not MUST and not ((time and " Uhr" in time.de) or (time and "um " in time.de))
    )
    clause = replace(clause, tense=tense, modal=modal, time=time, frequency=frequency, negated=negative)
    if negative:
        clause = replace(clause, direct=negate(clause.direct))
        if clause.direct:
            clause = replace(clause, companion=None, place=None)
        if isinstance(clause.direct, NounPhrase) and clause.direct.count:
            clause = replace(clause, negated=False)
    if tense in ("present", "past") and ambiguous(clause) and not clause.negated:
        return tensed(dice, replace(clause, time=None, frequency=None), "modal", timed, 0.0)
    return clause


def _suitable(verb: Verb, tense: str) -> str:
    """The tense, or the nearest one that the verb's aspect admits."""
    if not verb.de_participle:
        return "present"
    if verb.aspect == "state" and tense in ("modal", "future", "progressive", "perfect", "past progressive"):
        return "past"
    if verb.aspect == "event" and tense in ("progressive", "past progressive", "habit"):
        return "past"
    if verb.en in _UNWILLED and tense in ("modal", "future"):
        return "past"
    return tense


def event(dice: Dice, tense: str = "", actor: Phrase | None = None, timed: float = 0.6) -> Clause:
    """A clause of any kind that can stand alone."""
    if not tense:
        tense = dice.weighted(
            (
                (24, "past"),
                (8, "present"),
                (17, "habit"),
                (13, "progressive"),
                (10, "perfect"),
                (20, "modal"),
                (10, "future"),
            )
        )
    aspects = {
        "habit": "habit",
        "progressive": "habit action",
        "past": "habit action event state",
        "present": "state",
    }.get(tense, "habit action event")
    verb = choose_verb(dice, aspects)
    while tense == "past" and not verb.de_participle:
        verb = choose_verb(dice, aspects)
    actor = actor or subject(dice, verb.subject)
    if not fitting(verb, actor):
        return event(dice, tense, actor, timed)
    return tensed(dice, fill(dice, verb, actor), tense, timed)


def fitting(verb: Verb, actor: Phrase) -> bool:
    """Whether the verb's subject may be this one."""
    if isinstance(actor, NounPhrase):
        return actor.noun.is_a(verb.subject) or (actor.noun.is_a("kin") and "adult" in verb.subject)
    return bool({"person", "adult"} & set(verb.subject.split()))


def echo(actor: Phrase) -> Phrase:
    """The pronoun that takes a subject up again in the next clause."""
    if isinstance(actor, Pair):
        return Pronoun("they")
    return Pronoun(actor.person)
