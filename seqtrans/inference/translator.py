"""Translation of lines with one or several trained models.

The longest lines are searched first; the translations come in the order of the lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Unpack

import torch

from seqtrans.device import Compute
from seqtrans.errors import UsageError
from seqtrans.inference.alignment import alignment_links, text_with_copies
from seqtrans.inference.forced_decoding import ForcedDecoder
from seqtrans.inference.minimum_bayes_risk import rank_by_utility
from seqtrans.inference.perplexity import Likelihood
from seqtrans.inference.source_lines import EncodedLine, encode_lines
from seqtrans.inference.translation import ScoredText, Translation
from seqtrans.io.lines import list_of_lines, without_breaks
from seqtrans.model.trained import TrainedModel
from seqtrans.recurrent.packing import PackedWeights, packing_works
from seqtrans.recurrent.products import packed_weights
from seqtrans.search.combination import check_vocabularies, combined_scorer
from seqtrans.search.decoding import search
from seqtrans.search.exact import exact_search
from seqtrans.search.hypothesis import Hypothesis, Request
from seqtrans.search.options import SearchOptions, SearchSettings
from seqtrans.search.record import SearchStep
from seqtrans.search.scorer import ModelScorer
from seqtrans.search.settings import search_options
from seqtrans.text.subwords import EOS_ID, UNK_ID, SubwordModel

BATCH_SIZE = 64


class Translator:
    """One translation model or an ensemble of several, with or without a language model of the target language."""

    def __init__(
        self, models: Sequence[TrainedModel], compute: Compute, language_model: TrainedModel | None = None
    ) -> None:
        """Move models to the device of `compute` and prepare them. They must not be trained afterwards.

        Raises:
            UsageError: a model has another task, the models have different subwords, or torch has no int8 products.
        """
        if compute.int8 and not packing_works(torch.int8):
            raise UsageError("precision int8: this build of torch has no int8 matrix products; leave it out")
        check_vocabularies(models, language_model)
        self.models, self.compute, self.language_model = models, compute, language_model
        self.scorers = [ModelScorer(model.seq2seq.to(compute.device)) for model in models]
        if language_model is not None:
            language_model.language_model.to(compute.device)
        self.packed_weights = PackedWeights(compute.int8)

    def translate(
        self,
        lines: Iterable[str],
        options: SearchOptions | None = None,
        *,
        batch_size: int = BATCH_SIZE,
        **settings: Unpack[SearchSettings],
    ) -> list[Translation]:
        """Translate lines of any order and length. The search has `batch_size` of them in a batch.

        Options are one `SearchOptions` or keyword arguments with the names of its fields. With keyword arguments, the
        default of `alignment` is "subwords" if a model has attention.

        Raises:
            UsageError: an option is out of range, excludes another, or needs something that the models do not have;
                or the lines are one string.
        """
        if options is None:
            if "alignment" not in settings and any(model.seq2seq.aligns for model in self.models):
                settings["alignment"] = "subwords"
            options = search_options(
                [],
                [(settings, "search options")],
                models=len(self.models),
                language_model=self.language_model is not None,
            )
        elif settings:
            raise UsageError("pass search options as one object or as keyword arguments, not both")
        return self.with_options(options, batch_size).translate(list_of_lines(lines))

    def with_options(self, options: SearchOptions, batch_size: int = BATCH_SIZE) -> LineSearch:
        """A search with these options for any number of lines.

        Raises:
            UsageError: an option needs something that the models do not have, or the batch size is below 1.
        """
        if batch_size < 1:
            raise UsageError(f"batch_size must be at least 1, not {batch_size}")
        return LineSearch(self, options.resolve(self.models), batch_size)

    def score(self, sources: Sequence[str], targets: Sequence[str]) -> list[Likelihood]:
        """The likelihood of each target given its source, under the first model.

        Raises:
            ValueError: there are not as many targets as sources.
        """
        translations = ForcedDecoder(self.models[0], self.compute).force(list_of_lines(sources), list_of_lines(targets))
        normalize = self.models[0].target_subwords.normalize
        return [
            translation.likelihood(len(normalize(target)))
            for translation, target in zip(translations, targets, strict=True)
        ]


@dataclass(frozen=True)
class _Result:
    """The result of the search for one line."""

    hypotheses: list[Hypothesis]
    proven: bool | None
    """See `Translation.proven`."""
    steps: Sequence[SearchStep] = ()


class LineSearch:
    """The search of a `Translator` with fixed options."""

    def __init__(self, translator: Translator, options: SearchOptions, batch_size: int) -> None:
        """Prepare a search. The options must be resolved for the models.

        Raises:
            UsageError: `options.forbid` contains something that is no subword of the model, or EOS.
        """
        self.translator, self.options, self.batch_size = translator, options, batch_size
        models = translator.models
        self.source_subwords, self.target_subwords = models[0].source_subwords, models[0].target_subwords
        self.scorer = combined_scorer(translator.scorers, translator.language_model, options)
        self.forbidden = [forbidden_id(piece, self.target_subwords) for piece in options.forbid.split(" ") if piece]
        shortlists = [model.shortlist for model in models if model.shortlist is not None]
        # an ensemble needs the same candidates for all its models: those of the first model that has a shortlist
        self.shortlist = shortlists[0] if options.shortlist else None

    def translate(self, lines: Sequence[str]) -> list[Translation]:
        """Translate lines of any order and length."""
        encoded = encode_lines(lines, self.options, self.source_subwords, self.target_subwords)
        order = sorted((i for i, line in enumerate(encoded) if line.ids), key=lambda i: -len(encoded[i].ids))
        requests = [Request(encoded[i].ids, encoded[i].prefix, encoded[i].phrases) for i in order]
        with self.translator.compute.arithmetic(), packed_weights(self.translator.packed_weights):
            results = dict(zip(order, self._results(requests), strict=True))
        return [
            self._translation(line, results[i] if i in results else self._blank()) for i, line in enumerate(encoded)
        ]

    def _blank(self) -> _Result:
        """The result for a blank line."""
        return _Result([Hypothesis([], 0.0, 0.0, [], None)], True if self.options.exact else None)

    def _results(self, requests: list[Request]) -> list[_Result]:
        """The result of the search for each request."""
        options, device = self.options, self.translator.compute.device
        steps: list[list[SearchStep]] = [[] for _ in requests]
        observer = (lambda number, step: steps[number].append(step)) if options.record else None
        lists = search(
            self.scorer, requests, options, self.batch_size, device, self.forbidden, self.shortlist, observer
        )
        if not options.exact:
            return [_Result(n_best, None, search_steps) for n_best, search_steps in zip(lists, steps, strict=True)]
        proofs = [
            exact_search(self.scorer, request, best, options, device, self.forbidden)
            for request, (best, *_) in zip(requests, lists, strict=True)
        ]
        return [_Result([proof.best], proof.proven) for proof in proofs]

    def _translation(self, line: EncodedLine, result: _Result) -> Translation:
        texts = [self._text(hypothesis, line) for hypothesis in result.hypotheses]
        ranking = list(zip(result.hypotheses, texts, strict=True))
        if self.options.mbr:
            are_samples = self.options.sample > 0
            ranking = rank_by_utility(result.hypotheses, texts, self.options.mbr, are_samples=are_samples)
            ranking = ranking[: self.options.n_best]
        elif not self.options.sample:
            distinct: dict[str, Hypothesis] = {}
            for hypothesis, text in ranking:
                distinct.setdefault(text, hypothesis)  # other subwords with the same text are the same translation
            ranking = [(hypothesis, text) for text, hypothesis in distinct.items()]
        return Translation(
            line.text,
            self.source_subwords.pieces(line.ids),
            [self._scored_text(text, hypothesis, line) for hypothesis, text in ranking],
            line.truncated,
            line.is_incomplete(),
            result.proven,
            result.steps,
            line.unknown,
        )

    def _scored_text(self, text: str, hypothesis: Hypothesis, line: EncodedLine) -> ScoredText:
        links = None
        if self.options.alignment != "none":
            sides = (self.source_subwords, line.ids), (self.target_subwords, hypothesis.tokens)
            links = alignment_links(hypothesis, *sides, words=self.options.alignment == "words")
        return ScoredText(
            text,
            hypothesis.score,
            hypothesis.log_prob,
            self.target_subwords.pieces(hypothesis.tokens),
            hypothesis.token_log_probs,
            hypothesis.attention,
            links,
        )

    def _text(self, hypothesis: Hypothesis, line: EncodedLine) -> str:
        target = self.target_subwords
        if self.options.copy_unknown and UNK_ID in hypothesis.tokens and hypothesis.attention is not None:
            return without_breaks(text_with_copies(hypothesis, line.text, line.ids, self.source_subwords, target))
        return without_breaks(target.decode(hypothesis.tokens))


def forbidden_id(piece: str, subwords: SubwordModel) -> int:
    """The id of a subword that `SearchOptions.forbid` names.

    Raises:
        UsageError: it is no subword of the model, or it is EOS, without which no translation can end.
    """
    number = subwords.id_of(piece)
    if subwords.piece(number) != piece:
        raise UsageError(
            f"forbid: '{piece}' is no subword of the model (`seqtrans tokenize encode` prints the subwords of a text)"
        )
    if number == EOS_ID:
        raise UsageError(f"forbid: without '{piece}' no translation would end")
    return number
