"""Greedy search: the likeliest subword at each step.

Shapes: S source steps, B sentences, V target vocabulary.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqtrans.search.hypothesis import Hypothesis, SearchOptions
from seqtrans.search.scorer import StepScorer
from seqtrans.search.shapes import remaining
from seqtrans.text.subwords import BOS_ID, EOS_ID, PAD_ID


@torch.no_grad()  # inference mode would keep autocast from caching weights
def greedy_search(
    scorer: StepScorer, source_SB: Tensor, lengths_B: Tensor, options: SearchOptions
) -> list[list[Hypothesis]]:
    """One hypothesis for each sentence, in a list of its own as of an n-best."""
    lengths = lengths_B.tolist()
    limits = [options.max_length(length) for length in lengths]
    alive = list(range(len(limits)))
    over = [False for _ in alive]
    tokens: list[list[int]] = [[] for _ in alive]
    log_probs: list[list[float]] = [[] for _ in alive]
    attention: list[list[Tensor]] = [[] for _ in alive]
    state = scorer.start(source_SB, lengths_B)
    ids = torch.full((len(alive),), BOS_ID, device=source_SB.device)
    for step in range(max(limits) + 1):
        scores, state, weights = scorer.step(ids, state)
        scores[:, [PAD_ID, BOS_ID]] = -torch.inf
        best, ids = scores.max(dim=1)
        for row, (sentence, log_prob, token) in enumerate(zip(alive, best.tolist(), ids.tolist(), strict=True)):
            if over[sentence]:
                continue
            if step == limits[sentence] and token != EOS_ID:
                token, log_prob = EOS_ID, float(scores[row, EOS_ID])
            log_probs[sentence].append(log_prob)
            over[sentence] = token == EOS_ID
            if over[sentence]:
                continue
            tokens[sentence].append(token)
            if options.alignments:
                attention[sentence].append(weights[row, : lengths[sentence]])
        if all(over):
            break
        if (rows := remaining([over[sentence] for sentence in alive])) is not None:
            alive = [alive[row] for row in rows]
            kept = torch.tensor(rows, device=ids.device)
            ids, state = ids[kept], state.select(kept, kept)
    return [[_hypothesis(*found, options)] for found in zip(tokens, log_probs, attention, lengths, strict=True)]


def _hypothesis(
    tokens: list[int], log_probs: list[float], attention: list[Tensor], length: int, options: SearchOptions
) -> Hypothesis:
    total = sum(log_probs)
    alignment = torch.stack(attention) if attention else torch.zeros(0, length)
    score = total / len(log_probs) ** options.length_penalty
    return Hypothesis(tokens, score, total, log_probs, alignment if options.alignments else None)
