"""Validation on the development set: the loss, and the score of greedy translations."""

from __future__ import annotations

import math
from collections.abc import Callable
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
"""The metric of language models; which one is best is decided by the loss."""
SENTENCES_AT_ONCE = 64
SAMPLES = 3


@dataclass(frozen=True)
class Validation:
    """The results on the development set."""

    loss: float
    """Nats a target subword, EOS included, without label smoothing."""
    metric: str
    score: float
    """Of greedy translations, in the metric's unit; or bits a character of a language model."""
    samples: list[tuple[str, str, str]]
    """Source, translation, reference of the first few sentences, the same each time."""


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
    texts: list[str] = []
    lines = data.dev_text.source
    for start in range(0, len(lines), SENTENCES_AT_ONCE * 4):
        check()
        texts += [one.text for one in translate(lines[start : start + SENTENCES_AT_ONCE * 4])]
    shown = "bleu" if metric == "loss" else metric
    score = corpus_score(shown, texts, data.dev_text.target)
    samples = list(zip(lines, texts, data.dev_text.target, strict=True))[:SAMPLES]
    return Validation(nats / tokens, shown, score, samples)


def is_better(result: Validation, best: float | None, metric: str) -> tuple[bool, float]:
    """Whether a result is better than the best value so far, and its value of the deciding metric."""
    value = result.loss if metric == "loss" else result.score
    if not (math.isfinite(result.loss) and math.isfinite(value)):  # never best
        return False, value
    if best is None:
        return True, value
    return (value > best if metric != "loss" and higher_is_better(metric) else value < best), value
