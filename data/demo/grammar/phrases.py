"""What fills the places of a clause: noun phrases, names, pronouns, prepositional phrases, adverbials.

They hold meaning, not words: english.py and german.py speak them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .entries import Adjective, Feature, Noun, Verb

POSSESSIVES = {"I": "my", "you": "your", "he": "his", "she": "her", "we": "our", "they": "their"}


@dataclass(frozen=True)
class Count:
    """A number that counts or ranks: its spelling in both languages and what it consists of.

    `ordinal` numbers agree like adjectives in German; `de` is then the stem.
    """

    en: str
    de: str
    ordinal: bool = False
    features: frozenset[Feature] = frozenset()


@dataclass(frozen=True)
class NounPhrase:
    """Determiner (an English word, or "" for none), number, adjective and noun."""

    noun: Noun
    determiner: str = "the"
    adjective: Adjective | None = None
    plural: bool = False
    count: Count | None = None

    @property
    def person(self) -> str:
        """The pronoun that stands for it: he, she, it or they."""
        if self.plural:
            return "they"
        if self.noun.is_a("male"):
            return "he"
        return "she" if self.noun.is_a("female") else "it"

    @property
    def indefinite(self) -> bool:
        """Whether negation turns it into "kein"."""
        return self.determiner in ("a", "") and self.count is None

    @property
    def features(self) -> frozenset[Feature]:
        """The combinations inside the phrase."""
        inside = self.count.features if self.count else frozenset()
        if self.adjective:
            inside |= {("adjective+noun", self.adjective.en, self.noun.en)}
        return inside


@dataclass(frozen=True)
class Name:
    """A proper name: "Anna", "Anna Steinbach", "Mr. Rosenthal" (Herr, whose accusative is Herrn)."""

    person: str
    given: str = ""
    surname: tuple[str, str] | None = None
    title: bool = False

    @property
    def features(self) -> frozenset[Feature]:
        """The surname's two parts."""
        return frozenset({("surname", *self.surname)}) if self.surname else frozenset()


@dataclass(frozen=True)
class Pronoun:
    """A personal pronoun; `gender` is the German gender that "it" takes up (m, f, n, or p for "them")."""

    person: str
    gender: str = ""
    features: frozenset[Feature] = frozenset()


@dataclass(frozen=True)
class Question:
    """The interrogative "who" (wer, wen, wem) or "what" (was)."""

    word: str
    person: str = "he"
    features: frozenset[Feature] = frozenset()


@dataclass(frozen=True)
class Relative:
    """A relative pronoun that takes up a noun phrase or name."""

    human: bool
    gender: str
    person: str
    noun: Noun | None = None
    features: frozenset[Feature] = frozenset()


@dataclass(frozen=True)
class Pair:
    """Two phrases joined by "and"."""

    first: NounPhrase | Name
    second: NounPhrase | Name
    person: str = "they"

    @property
    def features(self) -> frozenset[Feature]:
        """Those of both."""
        return self.first.features | self.second.features


Phrase = NounPhrase | Name | Pronoun | Question | Relative | Pair


@dataclass(frozen=True)
class Prepositional:
    """A preposition in both languages, the case that the German one governs here, and a phrase."""

    en: str
    de: str
    case: str
    phrase: Phrase

    @property
    def features(self) -> frozenset[Feature]:
        """Those of the phrase."""
        return self.phrase.features


@dataclass(frozen=True)
class Adverbial:
    """Fixed words: "yesterday", "on March 3, 2021", "to Hamburg", also predicates ("as old as")."""

    en: str
    de: str
    features: frozenset[Feature] = frozenset()


def join(*adverbials: Adverbial | None) -> Adverbial | None:
    """Adverbials one after the other: "yesterday at eight o'clock"."""
    present = [adverbial for adverbial in adverbials if adverbial]
    if not present:
        return None
    features = frozenset().union(*(adverbial.features for adverbial in present))
    return Adverbial(" ".join(a.en for a in present), " ".join(a.de for a in present), features)


def negate(phrase: Phrase | None) -> Phrase | None:
    """An indefinite object under negation: "a" stays, a bare plural takes "any"; German says "kein"."""
    if isinstance(phrase, NounPhrase) and phrase.indefinite:
        return replace(phrase, determiner="not a" if phrase.determiner else "any")
    return phrase


def gender_of(phrase: Phrase) -> str:
    """German gender of a phrase, p for plural."""
    if isinstance(phrase, NounPhrase):
        return "p" if phrase.plural else phrase.noun.gender
    if phrase.person == "they":
        return "p"
    return {"he": "m", "she": "f"}[phrase.person]


def object_features(verb: Verb, phrase: Phrase | None) -> frozenset[Feature]:
    """The combination of a verb with its accusative object's noun."""
    if isinstance(phrase, NounPhrase | Relative) and phrase.noun:
        return frozenset({("verb+object", verb.name, phrase.noun.en)})
    return frozenset()
