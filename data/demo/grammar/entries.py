"""What a dictionary entry holds: forms in both languages, and the kinds that keep combinations sensible."""

from __future__ import annotations

from dataclasses import dataclass

Feature = tuple[str, str, str]
"""A combination that a sentence contains, e.g. ("verb+object", "repair", "clock"); train lacks some."""


@dataclass(frozen=True)
class Noun:
    """A noun: English singular and plural, German with gender (m, f, n), and its semantic kinds.

    `at` and `to` are the English and German prepositions of being there and going there, for places.
    """

    en: str
    en_plural: str
    de: str
    de_plural: str
    gender: str
    kinds: frozenset[str]
    at: tuple[str, str] = ("", "")
    to: tuple[str, str] = ("", "")

    def is_a(self, kinds: str) -> bool:
        """Whether the noun has one of the space-separated kinds."""
        return not self.kinds.isdisjoint(kinds.split())


@dataclass(frozen=True)
class Adjective:
    """An adjective; `stem` takes the German endings ("teur" for "teuer"), `of` are the kinds it describes."""

    en: str
    de: str
    of: str
    stem: str = ""
    en_comparative: str = ""
    de_comparative: str = ""


@dataclass(frozen=True)
class Verb:
    """A verb with its frame.

    English: base, past, participle and a particle ("turn" "on"). German: infinitive with a dot after a
    separable prefix ("ein.schalten"), participle, the changed stem of du and er ("lies"), auxiliary.
    `direct` are the kinds of the accusative object, `indirect` those of the dative one, which English
    marks by `to` or by position; `about` is a prepositional object: (English, German, case, kinds).
    `aspect` is "habit" (what is done again and again), "action", "event" (over at once) or "state".
    """

    en: str
    en_past: str
    en_participle: str
    de: str
    de_participle: str = ""
    stem: str = ""
    preterite: str = ""
    particle: str = ""
    subject: str = "person"
    direct: str = ""
    indirect: str = ""
    to: str = ""
    about: tuple[str, str, str, str] | None = None
    goes: bool = False
    aux: str = "haben"
    aspect: str = "action"
    experiencer: bool = False

    @property
    def name(self) -> str:
        """The English infinitive, particle included."""
        return f"{self.en} {self.particle}".strip()


@dataclass(frozen=True)
class Modal:
    """A modal verb: its English forms, and the German ones of ich, du, er, wir and sie.

    `do` and `base` are those of verbs that English negates by "do": "wanted to", "did not want to".
    """

    en: str
    en_third: str
    forms: tuple[str, str, str, str, str]
    do: str = ""
    base: str = ""
    past: bool = False
