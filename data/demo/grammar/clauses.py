"""A clause as meaning: who does what to whom, when, where and in which tense. No word order yet."""

from __future__ import annotations

from dataclasses import dataclass

from .entries import Feature, Modal, Verb
from .phrases import Adverbial, NounPhrase, Phrase, Prepositional, object_features


@dataclass(frozen=True)
class Clause:
    """The parts of a clause.

    `tense` is present, progressive, past, past progressive, perfect or modal. `front` names the part that
    comes first where it is not the subject: "time", "place" or "direct". `place` is a place, a goal, a
    prepositional object or a predicate: whatever follows the objects. `relative` is a relative clause with
    the part that it describes. `purpose`, `infinitive` and `content` are clauses that follow: "in order to",
    "to" and, with their conjunction, "that" and "whether".
    """

    subject: Phrase
    verb: Verb
    tense: str = "present"
    modal: Modal | None = None
    negated: bool = False
    direct: Phrase | None = None
    indirect: Phrase | None = None
    place: Prepositional | Adverbial | None = None
    companion: Prepositional | None = None
    time: Adverbial | None = None
    frequency: Adverbial | None = None
    front: str = ""
    relative: tuple[str, Clause] | None = None
    infinitive: Clause | None = None
    purpose: Clause | None = None
    content: tuple[tuple[str, str], Clause] | None = None

    @property
    def features(self) -> frozenset[Feature]:
        """The combinations in the clause and in the clauses that it contains."""
        verb = self.verb.name
        parts = (self.subject, self.direct, self.indirect, self.place, self.companion, self.time)
        own = object_features(self.verb, self.direct).union(*(part.features for part in parts if part))
        if isinstance(self.place, Prepositional) and self.verb.about and isinstance(self.place.phrase, NounPhrase):
            own |= {("verb+object", verb, self.place.phrase.noun.en)}
        inner = [
            self.infinitive,
            self.purpose,
            self.relative and self.relative[1],
            self.content and self.content[1],
        ]
        return own.union(*(clause.features for clause in inner if clause))
