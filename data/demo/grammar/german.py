"""German sentences: verb second, verb final, the bracket between them, and the order of what is inside."""

from __future__ import annotations

from .clauses import Clause
from .german_words import PERSONS, adjunct, conjugate, infinitive_with_zu, split_prefix, spoken
from .phrases import NounPhrase, Pronoun, Question, Relative


def _verbs(clause: Clause) -> tuple[str, list[str]]:
    """The finite verb, and what closes the bracket: separable prefix, participle or infinitive."""
    verb = clause.verb
    subject = clause.direct if verb.experiencer and clause.direct else clause.subject
    person = subject.person
    prefix, stem = split_prefix(verb.de)
    if clause.modal:
        return clause.modal.forms[PERSONS[person]], [prefix + stem]
    if clause.tense == "perfect" or (clause.tense.startswith("past") and not verb.preterite):
        return conjugate(verb.aux, person), [verb.de_participle]
    if clause.tense.startswith("past"):
        return conjugate(verb.de, person, preterite=verb.preterite), []
    return conjugate(stem, person, verb.stem), [prefix] if prefix else []


def _nicht(clause: Clause) -> str:
    """The adverb between the definite objects and the place: nicht, noch nicht or schon."""
    if clause.tense == "perfect":
        if not clause.negated:
            return "schon"
        return "noch" if _negates_object(clause) else "noch nicht"
    return "nicht" if clause.negated and not _negates_object(clause) else ""


def _negates_object(clause: Clause) -> bool:
    return isinstance(clause.direct, NounPhrase) and clause.direct.determiner in ("not a", "any")


def _indefinite(clause: Clause) -> bool:
    return isinstance(clause.direct, NounPhrase) and (
        clause.direct.indefinite or clause.direct.count is not None or _negates_object(clause)
    )


def _middle(clause: Clause, skip: set[str]) -> list[str]:
    """Everything between the two halves of the bracket, without the subject and the parts in `skip`.

    Pronouns come first, then time, company, dative, accusative, negation, and the place or complement last.
    """
    direct, indirect = clause.direct, clause.indirect
    pronouns: list[str] = []
    nouns: list[str] = []
    if direct and "direct" not in skip:
        (pronouns if isinstance(direct, Pronoun) else nouns).append(spoken(direct, "acc"))
    adverb = _nicht(clause)
    if adverb and _indefinite(clause):
        nouns.insert(0, adverb)
    elif adverb:
        nouns.append(adverb)
    if indirect and "indirect" not in skip:
        if isinstance(indirect, Pronoun):
            pronouns.append(spoken(indirect, "dat"))
        else:
            nouns.insert(0, spoken(indirect, "dat"))
    middle = [*pronouns]
    if clause.time and "time" not in skip:
        middle.append(clause.time.de)
    if clause.frequency:
        middle.append(clause.frequency.de)
    company = adjunct(clause.companion)
    if not clause.direct:
        middle += [*nouns, company]
    else:
        middle += [company, *nouns]
    if "place" not in skip:
        middle.append(adjunct(clause.place))
    return middle


def _after(clause: Clause) -> list[str]:
    """What follows the bracket, each part after a comma."""
    parts = []
    if clause.relative and clause.relative[0] == "direct":
        parts += [",", relative_clause(clause.relative[1])]
    if clause.infinitive:
        parts += [",", infinitive_clause(clause.infinitive)]
    if clause.purpose:
        parts += [",", "um", infinitive_clause(clause.purpose)]
    if clause.content:
        parts += [",", subordinate(clause.content[1], clause.content[0][1])]
    return parts


def _subject(clause: Clause) -> str:
    words = spoken(clause.subject, "nom")
    if clause.relative and clause.relative[0] == "subject":
        words += f" , {relative_clause(clause.relative[1])} ,"
    return words


def _experience(clause: Clause) -> tuple[str, str]:
    """Dative experiencer and nominative stimulus of gefallen."""
    if clause.direct is None:
        raise ValueError("the verb needs an object")
    return spoken(clause.subject, "dat"), spoken(clause.direct, "nom")


def _experienced(clause: Clause, finite: str, closing: list[str], final: bool) -> list[str]:
    """A clause with gefallen: "Dem Arzt gefällt der Garten", "weil ihr der Garten gefällt"."""
    dative, nominative = _experience(clause)
    adverb = [_nicht(clause)]
    time = [clause.time.de] if clause.time else []
    frequency = [clause.frequency.de] if clause.frequency else []
    inside = [*time, *frequency, nominative, *adverb, *closing]
    return [dative, *inside, finite] if final else [dative, finite, *inside]


def text(words: list[str]) -> str:
    """Words with single spaces, and commas where they belong."""
    joined = " ".join(" ".join(word for word in words if word).split())
    return joined.replace(" ,", ",").replace(",,", ",")


def statement(clause: Clause, occupied: bool = False) -> str:
    """A main clause: the finite verb second, after the subject or the fronted part.

    `occupied` says that the first place is taken already, by a subordinate clause before it.
    """
    finite, closing = _verbs(clause)
    if clause.verb.experiencer:
        words = _experienced(clause, finite, closing, final=False)
        if occupied:
            words[0], words[1] = words[1], words[0]
        return text([*words, *_after(clause)])
    subject = _subject(clause)
    if clause.front == "time" and clause.time:
        front = clause.time.de
    elif clause.front == "place":
        front = adjunct(clause.place)
    elif clause.front == "direct" and clause.direct:
        front = spoken(clause.direct, "acc")
    else:
        order = [finite, *_subject_first(clause, subject)] if occupied else [subject, finite, *_middle(clause, set())]
        return text([*order, *closing, *_after(clause)])
    rest = _subject_first(clause, subject, clause.front)
    return text([front, finite, *rest, *closing, *_after(clause)])


def _subject_first(clause: Clause, subject: str, *skip: str) -> list[str]:
    """The middle field with the subject at its head."""
    return [subject, *_middle(clause, set(skip))]


def subordinate(clause: Clause, conjunction: str) -> str:
    """A clause after a conjunction: the finite verb last, a separable prefix joined to it again."""
    finite, closing = _verbs(clause)
    prefix, _ = split_prefix(clause.verb.de)
    if closing == [prefix]:
        finite, closing = prefix + finite, []
    if clause.verb.experiencer:
        return text([conjunction, *_experienced(clause, finite, closing, final=True), *_after(clause)])
    return text([conjunction, *_subject_first(clause, _subject(clause)), *closing, finite, *_after(clause)])


def relative_clause(clause: Clause) -> str:
    """A verb-final clause after its relative pronoun, in the case that its role asks for."""
    finite, closing = _verbs(clause)
    prefix, _ = split_prefix(clause.verb.de)
    if closing == [prefix]:
        finite, closing = prefix + finite, []
    if isinstance(clause.subject, Relative):
        words = [spoken(clause.subject, "nom"), *_middle(clause, set())]
    elif isinstance(clause.direct, Relative):
        words = [
            spoken(clause.direct, "acc"),
            *_subject_first(clause, spoken(clause.subject, "nom"), "direct"),
        ]
    elif isinstance(clause.indirect, Relative):
        words = [
            spoken(clause.indirect, "dat"),
            *_subject_first(clause, spoken(clause.subject, "nom"), "indirect"),
        ]
    else:
        raise ValueError("a relative clause needs a relative pronoun")
    return text([*words, *closing, finite])


def infinitive_clause(clause: Clause) -> str:
    """An infinitive with zu at the end: "die Tür aufzumachen"."""
    return text([*_middle(clause, set()), infinitive_with_zu(clause.verb.de), *_after(clause)])


def question(clause: Clause, asked: str = "") -> str:
    """A question: the finite verb first, or second after the question word."""
    finite, closing = _verbs(clause)
    if clause.verb.experiencer:
        dative, *rest = _experienced(clause, finite, closing, final=False)
        return text([asked, rest[0], dative, *rest[1:], *_after(clause)])
    if isinstance(clause.subject, Question):
        return statement(clause)
    if isinstance(clause.direct, Question):
        words = [spoken(clause.direct, "acc"), finite, *_subject_first(clause, _subject(clause), "direct")]
    elif isinstance(clause.indirect, Question):
        words = [
            spoken(clause.indirect, "dat"),
            finite,
            *_subject_first(clause, _subject(clause), "indirect"),
        ]
    elif clause.front == "direct" and clause.direct:
        words = [spoken(clause.direct, "acc"), finite, *_subject_first(clause, _subject(clause), "direct")]
    else:
        words = [asked, finite, *_subject_first(clause, _subject(clause))]
    return text([*words, *closing, *_after(clause)])
