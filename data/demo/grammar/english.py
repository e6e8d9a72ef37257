"""English: agreement, do-support, tenses and word order."""

from __future__ import annotations

from .clauses import Clause
from .phrases import Adverbial, Name, NounPhrase, Pair, Phrase, Prepositional, Pronoun, Question, Relative

_OBJECTS = {"I": "me", "you": "you", "he": "him", "she": "her", "it": "it", "we": "us", "they": "them"}
_SINGULAR = ("he", "she", "it")
_BE = {"I": "am", "he": "is", "she": "is", "it": "is"}
_ING = {"get": "getting", "put": "putting", "run": "running", "begin": "beginning", "forget": "forgetting"}


def third_person(verb: str) -> str:
    """The form with -s: "watches", "carries", "tries", "has"."""
    if verb == "have":
        return "has"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return f"{verb[:-1]}ies"
    return f"{verb}es" if verb.endswith(("ch", "sh", "s", "go")) else f"{verb}s"


def participle_ing(verb: str) -> str:
    """The form with -ing: "writing", "getting"."""
    if verb in _ING:
        return _ING[verb]
    return f"{verb[:-1]}ing" if verb.endswith("e") and not verb.endswith("ee") else f"{verb}ing"


def _article(following: str) -> str:
    return "an" if following[0] in "aeiou" else "a"


def noun_phrase(phrase: NounPhrase) -> str:
    """A noun phrase: "the old books", "an apple", "twenty-three eggs"."""
    words = [phrase.noun.en_plural if phrase.plural else phrase.noun.en]
    if phrase.adjective:
        words.insert(0, phrase.adjective.en)
    if phrase.count:
        words.insert(0, phrase.count.en)
    if phrase.determiner in ("a", "not a"):
        words.insert(0, _article(words[0]))
    elif phrase.determiner == "this":
        words.insert(0, "these" if phrase.plural else "this")
    elif phrase.determiner:
        words.insert(0, phrase.determiner)
    return " ".join(words)


def spoken(phrase: Phrase, role: str = "object") -> str:
    """A phrase as subject or object."""
    if isinstance(phrase, NounPhrase):
        return noun_phrase(phrase)
    if isinstance(phrase, Pronoun):
        return phrase.person if role == "subject" else _OBJECTS[phrase.person]
    if isinstance(phrase, Name):
        surname = "".join(phrase.surname) if phrase.surname else ""
        if phrase.title:
            return f"{'Mr.' if phrase.person == 'he' else 'Mrs.'} {surname}"
        return f"{phrase.given} {surname}".strip()
    if isinstance(phrase, Pair):
        return f"{spoken(phrase.first)} and {spoken(phrase.second)}"
    if isinstance(phrase, Relative):
        return "who" if phrase.human else "that"
    return phrase.word


def _be(person: str, past: bool) -> str:
    if past:
        return "was" if person in ("I", *_SINGULAR) else "were"
    return _BE.get(person, "are")


def auxiliary(clause: Clause, forced: bool) -> tuple[str, str]:
    """The auxiliary ("" where there is none) and the form of the main verb that goes with it.

    `forced` asks for do-support: in questions and under negation.
    """
    verb, person = clause.verb, clause.subject.person
    singular = person in _SINGULAR
    if clause.modal:
        modal = clause.modal
        if not modal.do:
            return modal.en, verb.en
        if forced:
            do = modal.do if modal.past else ("does" if singular else "do")
            return do, f"{modal.base} {verb.en}"
        return "", f"{modal.en_third if singular else modal.en} {verb.en}"
    if clause.tense in ("progressive", "past progressive"):
        return _be(person, clause.tense != "progressive"), participle_ing(verb.en)
    if clause.tense == "perfect":
        return "has" if singular else "have", verb.en_participle
    past = clause.tense == "past"
    if verb.en == "be":
        return _be(person, past), ""
    if forced:
        return ("did" if past else "does" if singular else "do"), verb.en
    return "", verb.en_past if past else third_person(verb.en) if singular else verb.en


def _negation(aux: str) -> str:
    return "cannot" if aux == "can" else f"{aux} not"


def _objects(clause: Clause) -> list[str]:
    """Particle and objects in their order: "turns the lamp on" is "turns on the lamp", but "turns it on"."""
    verb = clause.verb
    gap = isinstance(clause.direct, Relative | Question) or clause.front == "direct"
    direct = spoken(clause.direct) if clause.direct and not gap else ""
    if isinstance(clause.direct, Pronoun) and verb.particle != "for":
        parts = [direct, verb.particle]
    else:
        parts = [verb.particle, direct]
    if clause.indirect and not isinstance(clause.indirect, Relative | Question):
        indirect = spoken(clause.indirect)
        parts = [*parts, verb.to, indirect] if verb.to else [indirect, *parts]
    elif clause.indirect and verb.to:
        parts.append(verb.to)
    return parts


def _adjunct(part: Prepositional | Adverbial | None) -> str:
    if isinstance(part, Prepositional):
        return f"{part.en} {spoken(part.phrase)}"
    return part.en if part else ""


def _tail(clause: Clause) -> list[str]:
    """What follows the verb: objects, place, company, "yet", time, and the clauses at the end."""
    words = _objects(clause)
    if clause.relative and clause.relative[0] == "direct":
        words.append(relative_clause(clause.relative[1]))
    if clause.front != "place":
        words.append(_adjunct(clause.place))
    words.append(_adjunct(clause.companion))
    if clause.tense == "perfect" and clause.negated:
        words.append("yet")
    if clause.front != "time":
        words.append(_adjunct(clause.time))
    if clause.infinitive:
        words.append(infinitive_clause(clause.infinitive, "to"))
    if clause.purpose:
        words.append(infinitive_clause(clause.purpose, "in order to"))
    if clause.content:
        words += [clause.content[0][0], statement(clause.content[1])]
    return words


def _subject(clause: Clause) -> str:
    words = spoken(clause.subject, "subject")
    if clause.relative and clause.relative[0] == "subject":
        words += f" {relative_clause(clause.relative[1])}"
    return words


def _text(words: list[str]) -> str:
    return " ".join(word for word in words if word)


def _predicate(clause: Clause) -> list[str]:
    """Auxiliary, negation, adverb and verb of a statement."""
    aux, main = auxiliary(clause, clause.negated)
    if clause.negated:
        aux = _negation(aux)
    elif clause.tense == "perfect":
        aux += " already"
    frequency = clause.frequency.en if clause.frequency else ""
    return [aux, frequency, main]


def statement(clause: Clause) -> str:
    """A main or subordinate clause: both in the same order. A fronted phrase takes a comma, a word none."""
    front = ""
    if clause.front == "direct" and clause.direct:
        front = spoken(clause.direct)
    elif clause.front:
        front = _adjunct(clause.time if clause.front == "time" else clause.place)
        front += "," if " " in front else ""
    return _text([front, _subject(clause), *_predicate(clause), *_tail(clause)])


def relative_clause(clause: Clause) -> str:
    """A clause whose relative pronoun comes first, whatever its role."""
    if isinstance(clause.subject, Relative):
        return statement(clause)
    pronoun = clause.direct if isinstance(clause.direct, Relative) else clause.indirect
    if not isinstance(pronoun, Relative):
        raise ValueError("a relative clause needs a relative pronoun")
    return f"{'whom' if pronoun.human else 'that'} {statement(clause)}"


def infinitive_clause(clause: Clause, marker: str) -> str:
    """Like "to open the door", "in order to buy apples"."""
    return _text([marker, clause.verb.en, *_tail(clause)])


def question(clause: Clause, asked: str = "") -> str:
    """A question: the auxiliary before the subject, after the question word if there is one."""
    if isinstance(clause.subject, Question):
        return statement(clause)
    aux, main = auxiliary(clause, forced=True)
    if clause.negated:
        raise ValueError("negated questions are not part of the grammar")
    already = "already" if clause.tense == "perfect" else ""
    frequency = clause.frequency.en if clause.frequency else ""
    return _text([asked, aux, _subject(clause), already, frequency, main, *_tail(clause)])


def sentence(text: str, end: str = ".") -> str:
    """Capital letter and full stop; "Mr." keeps its own."""
    return text[0].upper() + text[1:] + end
