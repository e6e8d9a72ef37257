"""Train and use recurrent networks that translate, tag or model text.

    import seqtrans

    model = seqtrans.load("model.safetensors")
    for translation in model.translate(["A man.", "Two dogs."], beam=5, n_best=3):
        print(translation.text, translation.score)

Torch and other large libraries are imported when a name of this module is first used.
"""

from __future__ import annotations

from seqtrans.version import __version__

TYPE_CHECKING = False  # as in typing, which takes longer to import than all else before signals are received
if TYPE_CHECKING:
    from typing import Any

    from seqtrans.api import MetricScore, load, score, tokenizer, train
    from seqtrans.errors import DataError, Interrupted, SeqtransError, StreamError, UsageError
    from seqtrans.inference.generation import GenerationOptions
    from seqtrans.inference.language_model import LanguageModel
    from seqtrans.inference.perplexity import Likelihood
    from seqtrans.inference.tagging import Tagger
    from seqtrans.inference.translation import ScoredText, Translation
    from seqtrans.inference.translator import Translator
    from seqtrans.search.options import SearchOptions
    from seqtrans.text.subword_training import learn_subwords
    from seqtrans.text.subwords import SubwordModel
    from seqtrans.training.job import TrainingResult
    from seqtrans.training.progress import Progress

_MODULES = {
    "api": ("MetricScore", "load", "score", "tokenizer", "train"),
    "errors": ("DataError", "Interrupted", "SeqtransError", "StreamError", "UsageError"),
    "inference.generation": ("GenerationOptions",),
    "inference.language_model": ("LanguageModel",),
    "inference.perplexity": ("Likelihood",),
    "inference.tagging": ("Tagger",),
    "inference.translation": ("ScoredText", "Translation"),
    "inference.translator": ("Translator",),
    "search.options": ("SearchOptions",),
    "text.subword_training": ("learn_subwords",),
    "text.subwords": ("SubwordModel",),
    "training.job": ("TrainingResult",),
    "training.progress": ("Progress",),
}
_HOMES = {name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names}

__all__ = [
    "DataError",
    "GenerationOptions",
    "Interrupted",
    "LanguageModel",
    "Likelihood",
    "MetricScore",
    "Progress",
    "ScoredText",
    "SearchOptions",
    "SeqtransError",
    "StreamError",
    "SubwordModel",
    "Tagger",
    "TrainingResult",
    "Translation",
    "Translator",
    "UsageError",
    "__version__",
    "learn_subwords",
    "load",
    "score",
    "tokenizer",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
