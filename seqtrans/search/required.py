"""Phrases that a translation must contain, and the progress of a hypothesis through them.

Each phrase is matched by an automaton (Knuth, Morris & Pratt 1977). Its state is the length of the longest prefix of
the phrase with which the hypothesis ends. A complete phrase stays complete. Phrases may overlap in a hypothesis.
"""

from __future__ import annotations

from collections.abc import Sequence

PhraseProgress = tuple[int, ...]
"""For each phrase the state of its automaton; the length of the phrase means that it is complete."""


class RequiredPhrases:
    """The phrases of one sentence, as subword ids."""

    def __init__(self, phrases: Sequence[Sequence[int]]) -> None:
        """Prepare phrases of at least one subword each."""
        self.phrases = [tuple(phrase) for phrase in phrases]
        self._failures = [_failures(phrase) for phrase in self.phrases]
        self.start: PhraseProgress = (0,) * len(self.phrases)

    def next_progress(self, progress: PhraseProgress, token: int) -> PhraseProgress:
        """The progress of a hypothesis after one more subword."""
        return tuple(
            self._next_state(phrase, failures, state, token)
            for phrase, failures, state in zip(self.phrases, self._failures, progress, strict=True)
        )

    def next_subwords(self, progress: PhraseProgress) -> list[int]:
        """The next subwords of incomplete phrases, each once; empty when all are complete."""
        pairs = zip(self.phrases, progress, strict=True)
        return list(dict.fromkeys(phrase[state] for phrase, state in pairs if state < len(phrase)))

    def count(self, progress: PhraseProgress) -> int:
        """How many required subwords a hypothesis contains: all of its complete phrases, and those that it has of the
        incomplete phrase that is furthest.
        """
        complete = [state for phrase, state in zip(self.phrases, progress, strict=True) if state == len(phrase)]
        incomplete = [state for phrase, state in zip(self.phrases, progress, strict=True) if state < len(phrase)]
        return sum(complete) + max(incomplete, default=0)

    @staticmethod
    def _next_state(phrase: tuple[int, ...], failures: list[int], state: int, token: int) -> int:
        if state == len(phrase):
            return state
        while state and phrase[state] != token:
            state = failures[state - 1]
        return state + (phrase[state] == token)


def _failures(phrase: tuple[int, ...]) -> list[int]:
    """The failure function: for each prefix of a phrase, the length of its longest proper suffix that is a prefix."""
    failures = [0] * len(phrase)
    for position in range(1, len(phrase)):
        state = failures[position - 1]
        while state and phrase[state] != phrase[position]:
            state = failures[state - 1]
        failures[position] = state + (phrase[state] == phrase[position])
    return failures
