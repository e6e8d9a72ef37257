"""Cross-entropy with label smoothing, in chunks, so that the scores of all predictions are never in memory at once.

Shapes: N predictions, E readout units, V target vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.model.tagger import TaggerNetwork
from seqtrans.model.trained import Network
from seqtrans.text.batches import Batch
from seqtrans.text.subwords import PAD_ID

PREDICTIONS_AT_ONCE = 512
"""Predictions per chunk: few enough for their scores to stay in the processor's cache until the gradient is there."""


def cross_entropy(
    readouts_NE: Tensor, weight_VE: Tensor, bias_V: Tensor, targets_N: Tensor, smoothing: float
) -> tuple[Tensor, Tensor]:
    """The sums over N of the smoothed loss and of -log p(target), in nats.

    The smoothed target gives 1 - smoothing to the target and spreads the rest evenly over the whole
    vocabulary (Szegedy et al. 2016, section 7). Only the first sum can be differentiated: the gradients are
    computed along with it, chunk by chunk.
    """
    smoothed, plain = _CrossEntropy.apply(readouts_NE, weight_VE, bias_V, targets_N, smoothing, torch.is_grad_enabled())  # type: ignore[no-untyped-call]
    return smoothed, plain


class _CrossEntropy(torch.autograd.Function):
    """With p the softmax of the scores, the gradient of a score is p - (1 - smoothing) [target] - smoothing / V.

    The smoothed loss is the plain loss + smoothing * (score of the target - mean score of the row). The mean score is
    readout . mean(rows of the weight) + mean(bias), so neither it nor its gradient needs a pass over the V scores.
    """

    @staticmethod
    def forward(
        ctx: Any,
        readouts: Tensor,
        weight: Tensor,
        bias: Tensor,
        targets: Tensor,
        smoothing: float,
        differentiable: bool,
    ) -> tuple[Tensor, Tensor]:
        sum_dtype = torch.promote_types(readouts.dtype, torch.float32)
        cast_weight, cast_bias = weight.to(readouts.dtype), bias.to(readouts.dtype)
        share = smoothing / len(bias)
        mean_weight, total_readout = weight.mean(dim=0), readouts.sum(dim=0, dtype=weight.dtype)
        plain = weight.new_zeros((), dtype=sum_dtype)
        target_minus_mean = -(total_readout @ mean_weight + len(readouts) * bias.mean()).to(sum_dtype)
        if differentiable:
            d_readouts = torch.empty_like(readouts)
            d_weight = (-share * total_readout).repeat(len(weight), 1)
            d_bias = torch.full_like(bias, -share * len(readouts))
        for start in range(0, len(readouts), PREDICTIONS_AT_ONCE):
            part = slice(start, start + PREDICTIONS_AT_ONCE)
            chunk, chunk_targets = readouts[part], targets[part]
            rows = torch.arange(len(chunk), device=chunk.device)
            scores = torch.addmm(cast_bias, chunk, cast_weight.t())
            probabilities = torch.softmax(scores, dim=1)
            probability, log_probability = _of_targets(probabilities, scores, rows, chunk_targets)
            plain -= log_probability.sum()
            target_minus_mean += scores[rows, chunk_targets].to(sum_dtype).sum()
            if not differentiable:
                continue
            d_target = (probability - (1 - smoothing)).to(cast_weight.dtype)
            d_scores = probabilities.index_put_((rows, chunk_targets), d_target)
            torch.mm(d_scores, cast_weight, out=d_readouts[part])
            if cast_weight.dtype == weight.dtype:
                d_weight.addmm_(d_scores.t(), chunk)
            else:
                d_weight += d_scores.t() @ chunk
            d_bias += d_scores.sum(dim=0, dtype=bias.dtype)
        if differentiable:
            d_readouts -= (smoothing * mean_weight).to(cast_weight.dtype)
            ctx.save_for_backward(d_readouts, d_weight, d_bias)
        ctx.mark_non_differentiable(plain)
        return plain + smoothing * target_minus_mean, plain

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, _plain: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None, None]:
        d_readouts, d_weight, d_bias = ctx.saved_tensors
        return d_readouts * grad.to(d_readouts.dtype), d_weight * grad, d_bias * grad, None, None, None


def _of_targets(
    probabilities_NV: Tensor, scores_NV: Tensor, rows_N: Tensor, targets_N: Tensor
) -> tuple[Tensor, Tensor]:
    """The probability of each target and its logarithm, [N] in 32 bits or more.

    Near 1, where 16 bits are too coarse, the probability is 1 minus the sum of the others. Where it is close to the
    smallest number, its logarithm is computed from the scores.
    """
    exact = torch.promote_types(scores_NV.dtype, torch.float32)
    rounded = probabilities_NV[rows_N, targets_N].to(exact)
    others = (probabilities_NV.sum(dim=1, dtype=exact) - rounded).clamp_(min=0)
    likely = rounded > 0.5
    probability = torch.where(likely, 1 - others, rounded)
    logs = torch.where(likely, torch.log1p(-others), rounded.log())
    (tiny,) = (rounded < 1e-30).nonzero(as_tuple=True)
    if len(tiny):
        logs[tiny] = scores_NV[tiny].to(exact).log_softmax(dim=1).gather(1, targets_N[tiny, None]).squeeze(1)
    return probability, logs


def batch_loss(
    network: Seq2Seq | TaggerNetwork, batch: Batch, smoothing: float, bptt: int = 0
) -> tuple[Tensor, Tensor]:
    """`cross_entropy` of a batch's targets; a tagger has one for each position of the source."""
    if isinstance(network, TaggerNetwork):
        readouts = network.readouts(batch.source_SB, batch.source_lengths_B)
    else:
        memory = network.encode(batch.source_SB, batch.source_lengths_B)
        readouts = network.readouts(batch.inputs_TB, memory, bptt)
    return readouts_loss(network, readouts, batch.outputs_TB, smoothing)


def readouts_loss(
    network: Network, readouts_TBE: Tensor, outputs_TB: Tensor, smoothing: float
) -> tuple[Tensor, Tensor]:
    """`cross_entropy` of the predictions from readouts, padding left out."""
    targets = outputs_TB.flatten()
    real = (targets != PAD_ID).nonzero().squeeze(1)
    readouts_NE = readouts_TBE.flatten(0, 1).index_select(0, real)
    return cross_entropy(readouts_NE, network.output_weight, network.output_bias, targets[real], smoothing)
