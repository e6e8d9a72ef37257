"""How good a model is on the development set: its loss, and the score of real translations."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from seqtrans.device import Compute
from seqtrans.model.file import TrainedModel
from seqtrans.scoring.registry import corpus_score, higher_is_better
from seqtrans.search.hypothesis import SearchOptions
from seqtrans.tagging import line_translator
from seqtrans.text.batches import make_batch
from seqtrans.training.objective import batch_loss
from seqtrans.training.preparation import TrainingData

BITS = "bits_per_character"
"""The metric of language models, beside their loss."""
BATCH = 64
SAMPLES = 3


@dataclass(frozen=True)
class Validation:
    """What one look at the development set finds."""

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
    """Score the model; `check` is called between batches and may raise to break off."""
    network = model.tagger if model.config.model.task == "tag" else model.seq2seq
    network.eval()
    nats, tokens = 0.0, 0
    order = np.argsort(data.dev.target.lengths, kind="stable")
    with torch.no_grad():
        for start in range(0, len(order), BATCH):
            check()
            batch = make_batch(data.dev, order[start : start + BATCH]).to(compute.device)
            with compute.arithmetic():
                _, plain = batch_loss(network, batch, 0.0)
            nats += float(plain)
            tokens += batch.target_tokens
    translator = line_translator(model, compute, SearchOptions(beam=1, max_ratio=model.length_ratio), BATCH)
    texts: list[str] = []
    lines = data.dev_text.source
    for start in range(0, len(lines), BATCH * 4):
        check()
        texts += [t.texts[0] for t in translator.translate(lines[start : start + BATCH * 4])]
    shown = "bleu" if metric == "loss" else metric
    score = corpus_score(shown, texts, data.dev_text.target)
    samples = list(zip(lines, texts, data.dev_text.target, strict=True))[:SAMPLES]
    return Validation(nats / tokens, shown, score, samples)


def is_better(found: Validation, best: float | None, metric: str) -> tuple[bool, float]:
    """Whether this validation beats the best value so far, and its own value of the deciding metric."""
    value = found.loss if metric == "loss" else found.score
    if not (math.isfinite(found.loss) and math.isfinite(value)):  # never best
        return False, value
    if best is None:
        return True, value
    return (value > best if metric != "loss" and higher_is_better(metric) else value < best), value
