"""Drawing sentences until three splits are full that share none."""

from __future__ import annotations

from collections.abc import Iterator

from . import circumstances, embedded, facts, figures, questions, sentences
from .dice import Dice
from .held_out import count_parts, is_held_out, parts
from .sentences import Sentence

SIZES = {"train": 12000, "dev": 500, "test": 500}
COMMON = 25
"""A held-out combination is tested only if each of its parts is in at least this many training sentences."""

_TEMPLATES = (
    (22, sentences.statement),
    (4, sentences.topic),
    (5, sentences.both),
    (5, questions.yes_or_no),
    (4, questions.why_when_where),
    (3, questions.who),
    (4, questions.whom_or_what),
    (3, questions.which),
    (6, embedded.opinion),
    (4, embedded.relative_subject),
    (4, embedded.relative_object),
    (6, embedded.infinitive),
    (3, embedded.purpose),
    (5, circumstances.reason),
    (2, circumstances.when_now),
    (3, circumstances.when_past),
    (3, circumstances.condition),
    (3, circumstances.before),
    (3, circumstances.it_clause),
    (4, facts.quality),
    (2, facts.comparison),
    (3, facts.position),
    (3, facts.put),
    (1, facts.where),
    (4, facts.liking),
    (3, figures.price),
    (2, figures.age),
    (4, figures.born),
    (2, figures.home),
    (3, facts.possession),
    (5, figures.schedule),
    (2, figures.ranked),
)
_WORDS = range(3, 18)


def draw(dice: Dice) -> Iterator[Sentence]:
    """Sentences without end, no English and no German one twice.

    Raises:
        ValueError: the grammar gives one English sentence two German ones.

    """
    german_of: dict[str, str] = {}
    seen: set[str] = set()
    while True:
        sentence = dice.weighted(_TEMPLATES)(dice)
        if german_of.setdefault(sentence.en, sentence.de) != sentence.de:
            raise ValueError(f"two translations of {sentence.en!r}: {german_of[sentence.en]!r}, {sentence.de!r}")
        lengths = (len(sentence.en.split()), len(sentence.de.split()))
        if sentence.de not in seen and all(length in _WORDS for length in lengths):
            seen.add(sentence.de)
            yield sentence


def splits(seed: int = 20) -> dict[str, list[Sentence]]:
    """The three splits. Train and dev show no held-out combination, every second test sentence does."""
    stream = draw(Dice(seed))
    plain = (sentence for sentence in stream if not any(map(is_held_out, sentence.features)))
    train = [next(plain) for _ in range(SIZES["train"])]
    dev = [next(plain) for _ in range(SIZES["dev"])]
    counts = count_parts(sentence.features for sentence in train)
    common = (
        sentence
        for sentence in stream
        if all(counts[part] >= COMMON for feature in sentence.features for part in parts(feature))
    )
    test: list[Sentence] = []
    for sentence in common:
        if any(map(is_held_out, sentence.features)) == (len(test) % 2 == 1):
            test.append(sentence)
        if len(test) == SIZES["test"]:
            break
    return {"train": train, "dev": dev, "test": test}
