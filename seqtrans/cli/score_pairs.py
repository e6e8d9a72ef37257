"""`seqtrans score --model`: translations by a translator that is made to say them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from seqtrans.cli.score_text import CHUNK, show, show_line
from seqtrans.cli.streams import say
from seqtrans.errors import UsageError

if TYPE_CHECKING:
    from seqtrans.device import Compute
    from seqtrans.model.file import TrainedModel


def score_pairs(trained: TrainedModel, compute: Compute, texts: list[str], sentences: bool, as_json: bool) -> None:
    """Print the perplexity of all translations together; with `sentences`, a line for each on standard output.

    Raises:
        UsageError: there are more than two texts.
        DataError: they are no parallel text.
    """
    from seqtrans.forcing import Forcer
    from seqtrans.perplexity import Reading
    from seqtrans.text.corpus import read_parallel

    if len(texts) > 2:
        raise UsageError("a translator scores SOURCE and TARGET, or one file with a TAB between them")
    pairs = read_parallel([Path(text) for text in texts], say, uncut=True)
    forcer, total = Forcer(trained, compute), Reading(0.0, 0, 0)
    for start in range(0, len(pairs), CHUNK):
        part = slice(start, start + CHUNK)
        targets = pairs.target[part]
        for forced, target in zip(forcer.force(pairs.source[part], targets), targets, strict=True):
            reading = forced.reading(len(trained.target_subwords.normalize(target)))
            total += reading
            if sentences:
                show_line(reading)
    show(total, len(pairs), as_json, sentences)
