"""`seqtrans score --model` with a translator: the perplexity of translations, by forced decoding."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from seqtrans.cli.score_text import LINES_AT_ONCE, show, show_line
from seqtrans.errors import UsageError

if TYPE_CHECKING:
    from seqtrans.device import Compute
    from seqtrans.model.trained import TrainedModel


def score_pairs(trained: TrainedModel, compute: Compute, texts: list[str], sentences: bool, as_json: bool) -> None:
    """Print the perplexity over all translations; with `sentences`, a line for each translation before it.

    Raises:
        UsageError: there are more than two texts.
        DataError: the texts are not parallel.
        StreamError: a file cannot be read.
    """
    from seqtrans.inference.perplexity import Likelihood
    from seqtrans.inference.translator import Translator
    from seqtrans.text.corpus import read_parallel
    from seqtrans.text.unknown import count_unknown, report_of_pairs

    if len(texts) > 2:
        raise UsageError("a translator scores SOURCE and TARGET, or one file with a TAB between them")
    pairs = read_parallel([Path(text) for text in texts], refuse_long_lines=True)
    sides = (("source", trained.source_subwords, pairs.source), ("target", trained.target_subwords, pairs.target))
    for side, subwords, lines in sides:
        report = report_of_pairs(pairs.name, side)
        count_unknown(report, subwords, lines)
        report.log_warnings()
    translator, total = Translator([trained], compute), Likelihood(0.0, 0, 0)
    for start in range(0, len(pairs), LINES_AT_ONCE):
        part = slice(start, start + LINES_AT_ONCE)
        for likelihood in translator.score(pairs.source[part], pairs.target[part]):
            total += likelihood
            if sentences:
                show_line(likelihood)
    show(total, len(pairs), as_json, sentences)
