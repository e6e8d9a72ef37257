"""Sentences with a clause of reason, time or condition, before the main clause or after it."""

from __future__ import annotations

from dataclasses import replace

from . import english, german
from .adjectives import ADJECTIVES, ADJECTIVES_OF
from .clauses import Clause
from .dice import Dice
from .events import echo, event, fill, fitting, tensed
from .people import subject, thing
from .phrases import Adverbial, Name, NounPhrase, Phrase, Pronoun, gender_of
from .sentences import Sentence, spoken
from .verbs import BE, VERBS

_ADJECTIVES = {adjective.en: adjective for adjective in ADJECTIVES}
_ENTRIES = ["arrive", "get up", "wake up", "call", "open", "turn off", "turn on"]
_HABITS = ["get up", "wake up", "watch television", "turn on"]
_AFTERWARDS = ["fall asleep", "go", "watch television", "call", "travel", "eat", "drink", "visit", "invite"]
_WEATHER = (
    ("it was raining", "es geregnet hat"),
    ("it was snowing", "es geschneit hat"),
    ("it was very cold", "es sehr kalt war"),
)
_MOODS = (("tired", "müde"), ("sick", "krank"), ("hungry", "hungrig"))
_JOYS = ["sing", "dance", "laugh", "bake", "invite", "buy", "bring", "call", "thank"]
_WHY = {
    "buy": ("cheap beautiful modern fresh new interesting famous", "expensive old heavy broken boring big"),
    "sell": ("old broken big small dirty boring", "beautiful new famous modern"),
    "read": ("short interesting important famous", "long boring difficult"),
    "repair": ("broken old", "cheap dirty"),
    "eat": ("fresh warm", "cold expensive cheap"),
    "wash": ("dirty", "new small"),
    "clean": ("dirty", "small empty"),
    "carry": ("heavy", "heavy big"),
    "visit": ("famous beautiful interesting quiet", "small old"),
}


def reason(dice: Dice) -> Sentence:
    """Like "because" and "although", after the main clause or before it."""
    while True:
        outer = event(dice, "past", None, 0.3)
        if outer.verb.aspect == "state" or outer.tense != "past" or outer.subject.person == "it":
            continue
        form = dice.weighted(((3, "mood"), (4, "event"), (2, "weather")))
        link = ("because", "weil") if outer.negated else ("although", "obwohl")
        if form == "weather":
            english_weather, german_weather = dice.pick(_WEATHER)
            return _linked(dice, outer, f"{link[0]} {english_weather}", f"{link[1]} {german_weather}")
        actor = echo(outer.subject)
        if form == "mood":
            mood = dice.pick(_MOODS)
            if not outer.negated and outer.verb.en in _JOYS:
                mood, link = ("happy", "glücklich"), ("because", "weil")
            inner = Clause(actor, BE, "past", place=Adverbial(*mood))
        else:
            link = ("because", "weil")
            inner = event(dice, "modal", actor, 0.2)
            if not (inner.modal and inner.modal.past) or inner.verb == outer.verb:
                continue
        inner_en, inner_de = f"{link[0]} {english.statement(inner)}", german.subordinate(inner, link[1])
        return _linked(dice, outer, inner_en, inner_de, inner)


def _linked(dice: Dice, outer: Clause, inner_en: str, inner_de: str, *inner: Clause) -> Sentence:
    """Main and subordinate clause in either order; after the subordinate one, German inverts the main one.

    A pronoun that takes up a name or noun does not come before it.
    """
    named = isinstance(outer.subject, Name | NounPhrase)
    if dice.chance(0.0 if named and inner else 0.4):
        return _after(outer, inner_en, inner_de, *inner)
    de = german.text([german.statement(outer), ",", inner_de])
    return spoken(f"{english.statement(outer)} {inner_en}", de, ".", outer, *inner)


def _after(outer: Clause, inner_en: str, inner_de: str, *inner: Clause) -> Sentence:
    en = f"{inner_en}, {english.statement(outer)}"
    return spoken(en, f"{inner_de}, {german.statement(outer, occupied=True)}", ".", outer, *inner)


def _one_of(dice: Dice, names: list[str], tense: str, actor: Phrase | None = None) -> Clause:
    """A clause with one of the named verbs."""
    verbs = [verb for verb in VERBS if verb.name in names and not verb.to]
    while True:
        verb = dice.pick(verbs)
        who = actor or subject(dice, "adult")
        if fitting(verb, who):
            return tensed(dice, fill(dice, verb, who, places=0.0), tense, 0.0, 0.0)


def when_now(dice: Dice) -> Sentence:
    """Like "When Anna gets up, she always drinks tea": wenn."""
    while True:
        inner = _one_of(dice, _HABITS, "habit")
        outer = event(dice, "habit", echo(inner.subject))
        inner = replace(inner, time=None, frequency=None)
        outer = replace(outer, time=None)
        asleep = outer.verb.en in ("fall", "get", "wake", "sleep")
        if inner.tense == outer.tense == "present" and inner.verb != outer.verb and not asleep:
            return _after(outer, f"when {english.statement(inner)}", german.subordinate(inner, "wenn"), inner)


def when_past(dice: Dice) -> Sentence:
    """Like "When Anna arrived, Paul was repairing the car": als."""
    while True:
        inner = _one_of(dice, _ENTRIES, "past")
        outer = event(dice, "past progressive", timed=0.0)
        if inner.tense != "past" or outer.tense != "past progressive" or inner.subject == outer.subject:
            continue
        if not outer.negated and inner.verb != outer.verb:
            inner_en, inner_de = f"when {english.statement(inner)}", german.subordinate(inner, "als")
            if dice.chance(0.5):
                return _after(outer, inner_en, inner_de, inner)
            return spoken(
                f"{english.statement(outer)} {inner_en}",
                german.text([german.statement(outer), ",", inner_de]),
                ".",
                outer,
                inner,
            )


def condition(dice: Dice) -> Sentence:
    """Like "If it rains tomorrow, we will stay", "If you help me": wenn with the present."""
    while True:
        outer = event(dice, "future", None, 0.0)
        if outer.tense != "modal" or outer.subject.person == "it":
            continue
        if dice.chance(0.4):
            verb = dice.pick((("rains", "regnet"), ("snows", "schneit")))
            return _after(outer, f"if it {verb[0]} tomorrow", f"wenn es morgen {verb[1]}")
        inner = replace(event(dice, "habit", None), time=None, frequency=None)
        if outer.negated or inner.verb == outer.verb or inner.subject == outer.subject:
            continue
        if inner.direct and inner.direct == outer.direct:
            continue
        if inner.tense == "present":
            return _after(outer, f"if {english.statement(inner)}", german.subordinate(inner, "wenn"), inner)


def before(dice: Dice) -> Sentence:
    """Like "washed the car before she went to Hamburg": bevor."""
    while True:
        outer = event(dice, "past", None, 0.2)
        if outer.negated or outer.tense != "past" or outer.verb.aspect == "state" or outer.subject.person == "it":
            continue
        inner = _one_of(dice, _AFTERWARDS, "past", echo(outer.subject))
        if inner.verb != outer.verb and inner.tense == "past":
            inner_en, inner_de = f"before {english.statement(inner)}", german.subordinate(inner, "bevor")
            return _linked(dice, outer, inner_en, inner_de, inner)


def it_clause(dice: Dice) -> Sentence:
    """Like "bought the lamp because it was cheap": the German pronoun has the gender of its noun."""
    while True:
        verb = dice.pick([verb for verb in VERBS if verb.en in _WHY])
        actor = subject(dice)
        found = fill(dice, verb, actor, places=0.0).direct
        if not isinstance(found, NounPhrase) or found.noun.is_a("person mass"):
            continue
        item = thing(dice, found.noun, actor, 0.0)
        clause = tensed(dice, Clause(actor, verb, direct=item), "past", 0.2, 0.0)
        side = 0 if dice.chance(0.6) else 1
        fits = [_ADJECTIVES[en] for en in _WHY[verb.en][side].split()]
        fits = [adjective for adjective in fits if adjective in ADJECTIVES_OF[found.noun]]
        if clause.tense != "past" or not fits:
            continue
        adjective = dice.pick(fits)
        link = (("because", "weil"), ("although", "obwohl"))[side]
        pronoun = Pronoun("they" if item.plural else "it", gender_of(item))
        feature = frozenset({("adjective+noun", adjective.en, found.noun.en)})
        inner = Clause(pronoun, BE, "past", place=Adverbial(adjective.en, adjective.de, feature))
        en = f"{english.statement(clause)} {link[0]} {english.statement(inner)}"
        de = german.text([german.statement(clause), ",", german.subordinate(inner, link[1])])
        return spoken(en, de, ".", clause, inner)
