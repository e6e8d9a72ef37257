"""Cross-entropy with label smoothing, in chunks, without ever holding all scores at once.

Shapes: N predictions, E readout units, V target vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.text.batches import Batch
from seqtrans.text.subwords import PAD_ID

CHUNK = 512
"""Predictions a chunk: its scores stay in the processor's cache from the product to the gradient."""


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
    @staticmethod
    def forward(
        ctx: Any, readouts: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, smoothing: float, needed: bool
    ) -> tuple[Tensor, Tensor]:
        low, low_bias = weight.to(readouts.dtype), bias.to(readouts.dtype)
        d_readouts, d_weight = torch.empty_like(readouts), torch.zeros_like(weight if needed else weight[:0])
        d_bias = torch.zeros_like(bias)
        exact = torch.promote_types(readouts.dtype, torch.float32)
        smoothed, plain = weight.new_zeros((), dtype=exact), weight.new_zeros((), dtype=exact)
        share = smoothing / len(bias)
        for start in range(0, len(readouts), CHUNK):
            chunk, wanted = readouts[start : start + CHUNK], targets[start : start + CHUNK].unsqueeze(1)
            scores = torch.addmm(low_bias, chunk, low.t()).to(exact)
            correct = scores.gather(1, wanted)
            mean = scores.mean(dim=1) if smoothing else None
            highest = scores.amax(dim=1, keepdim=True)
            scores.sub_(highest).exp_()
            total = scores.sum(dim=1, keepdim=True)
            normaliser = highest + total.log()
            loss = (normaliser - correct).sum()
            plain += loss
            smoothed += loss if mean is None else (1 - smoothing) * loss
            if mean is not None:
                smoothed += smoothing * (normaliser.squeeze(1) - mean).sum()
            if not needed:
                continue
            d_scores = scores.div_(total)  # now the probabilities
            if share:
                d_scores -= share
            d_scores.scatter_add_(1, wanted, d_scores.new_full((1, 1), smoothing - 1).expand_as(wanted))
            d_low = d_scores.to(low.dtype)
            torch.mm(d_low, low, out=d_readouts[start : start + CHUNK])
            if low.dtype == weight.dtype:
                d_weight.addmm_(d_low.t(), chunk)
            else:
                d_weight += d_low.t() @ chunk
            d_bias += d_scores.sum(dim=0)
        if needed:
            ctx.save_for_backward(d_readouts, d_weight, d_bias)
        ctx.mark_non_differentiable(plain)
        return smoothed, plain

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, _plain: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None, None]:
        d_readouts, d_weight, d_bias = ctx.saved_tensors
        return d_readouts * grad.to(d_readouts.dtype), d_weight * grad, d_bias * grad, None, None, None


def batch_loss(network: Seq2Seq, batch: Batch, smoothing: float) -> tuple[Tensor, Tensor]:
    """`cross_entropy` of a batch's targets, padding left out."""
    memory = network.encode(batch.source_SB, batch.source_lengths_B)
    readouts = network.readouts(batch.inputs_TB, memory).flatten(0, 1)
    targets = batch.outputs_TB.flatten()
    real = (targets != PAD_ID).nonzero().squeeze(1)
    return cross_entropy(
        readouts.index_select(0, real), network.output_weight, network.output_bias, targets[real], smoothing
    )
