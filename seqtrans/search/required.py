"""Phrases that a translation has to hold, and how far a hypothesis has come with them.

Each phrase is sought by an automaton (Knuth, Morris & Pratt 1977), whose state is how much of it the last subwords
are; one that was found stays found. Phrases may overlap.
"""

from __future__ import annotations

from collections.abc import Sequence

State = tuple[int, ...]
"""For each phrase how many of its subwords are there; all of them: it was found."""


class Required:
    """The phrases of one sentence, as subword ids."""

    def __init__(self, phrases: Sequence[Sequence[int]]) -> None:
        """Phrases that hold at least one subword each."""
        self.phrases = [tuple(phrase) for phrase in phrases]
        self._back = [_failures(phrase) for phrase in self.phrases]
        self.start: State = (0,) * len(self.phrases)

    def after(self, state: State, token: int) -> State:
        """The state after one more subword."""
        return tuple(
            self._moved(phrase, back, at, token)
            for phrase, back, at in zip(self.phrases, self._back, state, strict=True)
        )

    def wanted(self, state: State) -> list[int]:
        """The subwords that bring a phrase on, each once; nothing when all were found."""
        found = [phrase[at] for phrase, at in zip(self.phrases, state, strict=True) if at < len(phrase)]
        return list(dict.fromkeys(found))

    def met(self, state: State) -> int:
        """How many subwords of the phrases are there: of those that were found, and of the one that is furthest."""
        whole = [at for phrase, at in zip(self.phrases, state, strict=True) if at == len(phrase)]
        begun = [at for phrase, at in zip(self.phrases, state, strict=True) if at < len(phrase)]
        return sum(whole) + max(begun, default=0)

    @staticmethod
    def _moved(phrase: tuple[int, ...], back: list[int], at: int, token: int) -> int:
        if at == len(phrase):
            return at
        while at and phrase[at] != token:
            at = back[at - 1]
        return at + (phrase[at] == token)


def _failures(phrase: tuple[int, ...]) -> list[int]:
    """For each beginning of a phrase the length of its longest end, shorter than it, that is a beginning too."""
    back = [0] * len(phrase)
    for place in range(1, len(phrase)):
        at = back[place - 1]
        while at and phrase[at] != phrase[place]:
            at = back[at - 1]
        back[place] = at + (phrase[at] == phrase[place])
    return back
