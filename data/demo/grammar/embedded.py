"""Sentences with a clause inside: that, whether, a relative clause, or an infinitive with zu."""

from __future__ import annotations

from dataclasses import replace

from .clauses import Clause
from .dice import Dice
from .events import PLACES, choose_verb, echo, event, fill, fitting, tensed
from .nouns import of_kind
from .people import described, subject
from .phrases import NounPhrase, Prepositional, Relative, gender_of
from .sentences import Sentence, said
from .verbs import ASK, BELIEVE, FORGET, HOPE, KNOW, PROMISE, SAY, START, TRY, VERBS

_ON_THE_WAY = {
    "market": "buy sell",
    "station": "wait",
    "hospital": "work",
    "museum": "draw",
    "village": "buy sell",
    "forest": "draw sing",
    "lake": "draw study",
    "house": "cook sleep",
}


def opinion(dice: Dice) -> Sentence:
    """A verb of saying or thinking with a clause: "that" or, where there is doubt, "whether"."""
    form = dice.weighted(((3, BELIEVE), (3, SAY), (2, KNOW), (2, HOPE), (3, ASK)))
    actor = subject(dice)
    past = form is not HOPE and dice.chance(0.5)
    matrix = Clause(actor, form, "past" if past else "present")
    conjunction = ("that", "dass")
    if form is ASK or (form is KNOW and dice.chance(0.5)):
        conjunction, matrix = ("whether", "ob"), replace(matrix, negated=form is KNOW)
    tenses: tuple[str, ...] = ("past", "habit", "modal", "perfect", "future")
    if past or form is HOPE:
        tenses = ("past",) if past else ("future",)
    while True:
        repeated = actor.person != "it" and form in (SAY, HOPE) and dice.chance(0.5)
        inner = event(dice, dice.pick(tenses), echo(actor) if repeated else None, 0.35)
        same = isinstance(inner.subject, NounPhrase) and inner.subject == actor
        if (inner.negated and conjunction[0] == "whether") or (form is HOPE and not inner.modal):
            continue
        if not same and not (past and inner.modal and not inner.modal.past):
            return said(replace(matrix, content=(conjunction, inner)))


def relative(dice: Dice, head: NounPhrase, role: str) -> Clause:
    """A relative clause in which the head is subject, direct or indirect object."""
    pronoun = Relative(head.noun.is_a("person"), gender_of(head), head.person, head.noun)
    if role == "subject":
        verb = choose_verb(dice, "habit action event")
        while not fitting(verb, head):
            verb = choose_verb(dice, "habit action event")
        clause = replace(fill(dice, verb, head, places=0.4), subject=pronoun)
    else:
        kinds = {verb: (verb.direct if role == "direct" else verb.indirect).split() for verb in VERBS}
        verbs = [
            verb
            for verb in VERBS
            if (head.noun.is_a(" ".join(kinds[verb])) or head.noun.en in kinds[verb])
            and not (verb.direct and verb.indirect)
            and not verb.experiencer
            and verb.de_participle
        ]
        if not verbs:
            return relative(dice, head, "subject")
        verb = dice.pick(verbs)
        actor = subject(dice, verb.subject)
        while isinstance(actor, NounPhrase) and actor.noun == head.noun:
            actor = subject(dice, verb.subject)
        clause = fill(dice, verb, actor, places=0.2)
        clause = replace(clause, direct=pronoun) if role == "direct" else replace(clause, indirect=pronoun)
    return tensed(dice, clause, dice.pick(("past", "past", "modal", "future")), 0.3, 0.0)


def relative_subject(dice: Dice) -> Sentence:
    """Like "The woman whom Peter helped went to Hamburg": the relative clause splits the sentence."""
    while True:
        kind = dice.pick(("worker", "adult", "small"))
        noun = dice.pick([noun for noun in of_kind(kind) if not noun.is_a("mine")])
        head = described(dice, noun, "the", dice.chance(0.2), 0.2)
        inner = relative(dice, head, dice.pick(("subject", "subject", "direct", "indirect")))
        outer = event(dice, dice.pick(("past", "past", "modal", "future", "progressive")), head, 0.4)
        if not (outer.negated or outer.verb.experiencer or inner.verb == outer.verb):
            return said(replace(outer, relative=("subject", inner)))


def relative_object(dice: Dice) -> Sentence:
    """Like "Anna lost the ring that Paul bought": the relative clause follows the closing verb in German."""
    while True:
        clause = event(dice, dice.pick(("past", "past", "modal", "progressive")), timed=0.0)
        direct = clause.direct
        if not isinstance(direct, NounPhrase) or direct.determiner != "the":
            continue
        busy = clause.negated or clause.place or clause.companion or clause.indirect
        if busy or clause.verb.experiencer or direct.noun.is_a("mass kin mine person"):
            continue
        inner = relative(dice, direct, "direct")
        if inner.verb != clause.verb:
            return said(replace(clause, relative=("direct", inner)))


def infinitive(dice: Dice) -> Sentence:
    """Like "tries to open the door": an infinitive with zu after a comma."""
    actor = subject(dice)
    form = dice.pick((TRY, FORGET, START, PROMISE, HOPE))
    tense = "present" if form is HOPE else "past" if form is not TRY else dice.pick(("past", "progressive"))
    verb = choose_verb(dice, "habit action")
    while verb.en in ("fall", "wake", "follow", "run") or "person" not in verb.subject:
        verb = choose_verb(dice, "habit action")
    return said(Clause(actor, form, tense, infinitive=fill(dice, verb, actor, places=0.0)))


def purpose(dice: Dice) -> Sentence:
    """Like "went to the market in order to buy apples": um ... zu."""
    while True:
        actor = subject(dice)
        outer = fill(dice, dice.pick([verb for verb in VERBS if verb.goes and verb.en != "travel"]), actor)
        where = outer.place.phrase if isinstance(outer.place, Prepositional) else None
        if not isinstance(where, NounPhrase):
            continue
        usual = [en for en, places in PLACES.items() if where.noun.en in places.split()]
        known = _ON_THE_WAY.get(where.noun.en, " ".join(usual)).split()
        verbs = [v for v in VERBS if v.en in known and v.aspect != "state" and not v.indirect]
        verbs = [verb for verb in verbs if not verb.particle and verb.en not in ("find", "lose", "arrive", "laugh")]
        if verbs:
            aim = fill(dice, dice.pick(verbs), actor, places=0.0)
            outer = tensed(dice, outer, dice.pick(("past", "past", "modal", "future")), 0.3, 0.0)
            return said(replace(outer, purpose=aim))
