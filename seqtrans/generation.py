"""Text drawn from a language model."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from seqtrans.device import Compute
from seqtrans.model.file import TrainedModel
from seqtrans.search.sampling import SamplingOptions, draw
from seqtrans.text.subwords import EOS_ID


def generated_lines(
    model: TrainedModel,
    compute: Compute,
    options: SamplingOptions,
    prompt: str,
    lines: int,
    max_length: int,
) -> Iterator[str]:
    """So many lines of one text, the first of which begins with `prompt`; none draws more than `max_length` subwords.

    Raises:
        UsageError: the model is no language model.
    """
    network = model.language_model.eval().to(compute.device)
    generator = torch.Generator().manual_seed(options.seed)
    given = model.target_subwords.encode(prompt) if prompt else []
    state = network.start(1)
    last = EOS_ID  # before a text stands the end of another
    with torch.no_grad(), compute.arithmetic():
        for number in range(lines):
            ids: list[int] = []
            forced = given if number == 0 else []
            while len(ids) < len(forced) + max_length:
                logs, state = network.predict(torch.tensor([[last]], device=compute.device), state)
                last = forced[len(ids)] if len(ids) < len(forced) else _drawn(logs[0], options, generator)
                if last == EOS_ID:
                    break
                ids.append(last)
            else:  # ended by force: what was drawn last has to be read too
                _, state = network.predict(torch.tensor([[last]], device=compute.device), state)
            last = EOS_ID
            yield model.target_subwords.decode(ids)


def _drawn(logs_1V: Tensor, options: SamplingOptions, generator: torch.Generator) -> int:
    return int(draw(logs_1V, options, torch.rand(1, dtype=torch.float64, generator=generator)))
