"""Validation on the development set: the loss, and the score of greedy translations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from seqtrans.device import Compute
from seqtrans.inference.tagging import Tagger
from seqtrans.inference.translation import Translation
from seqtrans.inference.translator import Translator
from seqtrans.model.trained import TrainedModel
from seqtrans.scoring.registry import corpus_score, higher_is_better
from seqtrans.search.options import SearchOptions
from seqtrans.text.batches import make_batch
from seqtrans.training.objective import batch_loss
from seqtrans.training.preparation import TrainingData

BITS = "bits_per_character"
"""What is reported of language models; their best model is chosen by the loss."""
SENTENCES_AT_ONCE = 64


@dataclass(frozen=True)
class Validation:
    """The results on the development set."""

    loss: float
    """Nats per target subword, EOS included, without label smoothing."""
    metric: str
    score: float
    """Of greedy translations, in the metric's unit; of a language model, bits per character; or the loss again."""
    examples: list[tuple[str, str, str]]
    """Source, translation and reference of a few sentences, the same each time."""

    def deciding_score(self, metric: str) -> float:
        """The number by which the best model is chosen."""
        return self.loss if metric == "loss" else self.score


def validate(
    model: TrainedModel, data: TrainingData, compute: Compute, metric: str, check: Callable[[], None]
) -> Validation:
    """Measure a model; `check` is called between batches, and may raise to stop."""
    network = model.tagger if model.config.model.task == "tag" else model.seq2seq
    network.eval()
    nats, tokens = 0.0, 0
    order = np.argsort(data.dev.target.lengths, kind="stable")
    with torch.no_grad():
        for start in range(0, len(order), SENTENCES_AT_ONCE):
            check()
            batch = make_batch(data.dev, order[start : start + SENTENCES_AT_ONCE]).to(compute.device)
            with compute.arithmetic():
                _, plain = batch_loss(network, batch, 0.0)
            nats += float(plain)
            tokens += batch.target_tokens
    if model.config.model.task == "tag":
        translate: Callable[[list[str]], list[Translation]] = Tagger(model, compute).tag
    else:
        translate = Translator([model], compute).with_options(SearchOptions(beam=1), SENTENCES_AT_ONCE).translate
    sources, loss = data.dev_text.source, nats / tokens
    numbers = data.examples if metric == "loss" else range(len(sources))
    texts = dict(_translations(translate, sources, numbers, check))
    score = loss
    if metric != "loss":
        score = corpus_score(metric, list(texts.values()), data.references, data.metric_settings)
    examples = [(sources[i], texts[i], data.dev_text.target[i]) for i in data.examples]
    return Validation(loss, metric, score, examples)


def _translations(
    translate: Callable[[list[str]], list[Translation]],
    lines: Sequence[str],
    numbers: Sequence[int],
    check: Callable[[], None],
) -> Iterator[tuple[int, str]]:
    """The number and the translation of each line that `numbers` names."""
    for start in range(0, len(numbers), SENTENCES_AT_ONCE * 4):
        check()
        part = numbers[start : start + SENTENCES_AT_ONCE * 4]
        translations = translate([lines[number] for number in part])
        yield from ((number, translation.text) for number, translation in zip(part, translations, strict=True))


def is_better(result: Validation, best_score: float | None, best_loss: float | None, metric: str) -> bool:
    """Whether a result is better than the best so far. Of equal scores, the lower loss is better.

    So a metric that stays at its worst value, such as the exact matches of a hard task at the beginning, neither keeps
    the first model nor ends the training as long as the loss falls.
    """
    score = result.deciding_score(metric)
    if not (math.isfinite(result.loss) and math.isfinite(score)):  # never best
        return False
    if best_score is None:
        return True
    if score == best_score:
        return best_loss is not None and result.loss < best_loss
    return (score > best_score) == (metric != "loss" and higher_is_better(metric))
