"""Functions that train, load and use models, as `import seqtrans` offers them.

Heavy libraries are imported when a function needs them: scoring does without torch.

No function prints or ends the process. Messages go to the logger `seqtrans`. Failures are exceptions of
`seqtrans.errors`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, overload

from seqtrans.config.resolution import load_config
from seqtrans.config.tasks import TASKS
from seqtrans.errors import UsageError

if TYPE_CHECKING:
    from seqtrans.inference.language_model import LanguageModel
    from seqtrans.inference.tagging import Tagger
    from seqtrans.inference.translator import Translator
    from seqtrans.model.trained import TrainedModel
    from seqtrans.text.subwords import SubwordModel
    from seqtrans.training.job import TrainingResult
    from seqtrans.training.progress import Progress

_logger = logging.getLogger(__name__)

PathLike = str | os.PathLike[str]
Paths = PathLike | Sequence[PathLike]
"""One path, or several."""
Settings = Mapping[str, Mapping[str, Any]]
"""Settings by section, as in a TOML file: {"model": {"hidden": 256}, "training": {"max_epochs": 20}}."""


def train(
    train: Paths,
    dev: Paths,
    output: PathLike,
    *,
    task: str | None = None,
    preset: str | None = None,
    config: PathLike | None = None,
    settings: Settings | None = None,
    subwords: PathLike | None = None,
    source_subwords: PathLike | None = None,
    target_subwords: PathLike | None = None,
    resume: bool = False,
    force: bool = False,
    overwrite: bool = False,
    device: str = "auto",
    precision: str = "auto",
    threads: int = 0,
    progress: Progress | None = None,
) -> TrainingResult:
    """Train a model from text files and write the best one to `output`.

    The parameters are the flags of `seqtrans train`, which `seqtrans train --help` explains. `train` and `dev` are two
    files each, source and target, or one file of lines `source TAB target`; for a language model (`task="lm"`), one or
    more texts. `dev` is empty if the setting `dev_size` splits it off the training text. Settings come from the
    `preset`, the `config` file, the environment and `settings`; later ones override.

    In the main thread, SIGINT, SIGTERM and SIGHUP stop the training after the current step.

    Raises:
        UsageError: an option or a setting is wrong, or a training or a model would be replaced.
        DataError: the texts or a checkpoint cannot be used.
        StreamError: a file cannot be read or written, or another training uses `output`.
        Interrupted: a signal stopped the training; a checkpoint is saved.
        SeqtransError: loss or gradient became infinite or not a number.
    """
    from seqtrans.device import TRAINING_PRECISIONS, choose_compute
    from seqtrans.training.job import train as run_training
    from seqtrans.training.options import SubwordFiles, TrainOptions

    if preset is None:
        preset = TASKS[task].preset if task in TASKS else "base"
    sections = {name: _section(name, keys) for name, keys in (settings or {}).items()}
    if task is not None:
        sections.setdefault("model", {})["task"] = task
    options = TrainOptions(
        _paths(train),
        _paths(dev),
        Path(output),
        SubwordFiles(_path(subwords), _path(source_subwords), _path(target_subwords)),
        load_config(preset, _path(config), sections),
        _path(config),
        resume,
        force,
        overwrite,
    )
    return run_training(options, choose_compute(device, precision, threads, precisions=TRAINING_PRECISIONS), progress)


@overload
def load(
    models: Paths,
    task: Literal["translate"] = "translate",
    *,
    language_model: PathLike | None = None,
    cells: Sequence[str] = (),
    device: str = "auto",
    precision: str = "auto",
    threads: int = 0,
) -> Translator: ...


@overload
def load(
    models: Paths,
    task: Literal["lm"],
    *,
    cells: Sequence[str] = (),
    device: str = "auto",
    precision: str = "auto",
    threads: int = 0,
) -> LanguageModel: ...


@overload
def load(
    models: Paths,
    task: Literal["tag"],
    *,
    cells: Sequence[str] = (),
    device: str = "auto",
    precision: str = "auto",
    threads: int = 0,
) -> Tagger: ...


def load(
    models: Paths,
    task: Literal["translate", "lm", "tag"] = "translate",
    *,
    language_model: PathLike | None = None,
    cells: Sequence[str] = (),
    device: str = "auto",
    precision: str = "auto",
    threads: int = 0,
) -> Translator | LanguageModel | Tagger:
    """Load a trained model for a task: a translator, a language model ("lm") or a tagger ("tag").

    Several translators form an ensemble. The log-probabilities of a `language_model` of the target language are added
    to a translator's. `cells` names the users' cells of the models, each as FILE.py:CLASS; no other code of a user is
    run. `threads` sets the number of processor threads of torch in this process; 0 leaves it unchanged.

    Raises:
        UsageError: a model has another task or needs a user's cell, or the device is not available.
        DataError: a file is not a model, or is damaged.
        StreamError: a file cannot be read.
    """
    from seqtrans.device import SEARCH_PRECISIONS, TRAINING_PRECISIONS, choose_compute

    if task not in TASKS:
        raise UsageError(f"unknown task '{task}'; known: {', '.join(TASKS)}")
    paths = _paths(models)
    if not paths:
        raise UsageError("no model is named")
    if task != "translate" and (len(paths) > 1 or language_model is not None):
        raise UsageError("only translators work together with other models")
    precisions = SEARCH_PRECISIONS if task == "translate" else TRAINING_PRECISIONS
    compute = choose_compute(device, precision, threads, precisions=precisions)
    trained = [load_trained(path, cells) for path in paths]
    if task == "lm":
        from seqtrans.inference.language_model import LanguageModel

        return LanguageModel(trained[0], compute)
    if task == "tag":
        from seqtrans.inference.tagging import Tagger

        return Tagger(trained[0], compute)
    from seqtrans.inference.translator import Translator

    return Translator(trained, compute, None if language_model is None else load_trained(language_model, cells))


def load_trained(path: PathLike, cells: Sequence[str] = ()) -> TrainedModel:
    """Load a model file: network, configuration, subwords and history of the training.

    Logs a warning if a user's cell has changed since the training.

    Raises:
        UsageError: the model has a user's cell that `cells` does not name, or that does not work.
        DataError: the file is not a model, or is damaged.
        StreamError: the file cannot be read.
    """
    from seqtrans.model.file import cell_digest, custom_cell, load_model
    from seqtrans.recurrent.custom import load_cell

    custom_cells = [load_cell(name) for name in ([cells] if isinstance(cells, str) else cells)]
    model = load_model(Path(path), custom_cells)
    cell, digest = custom_cell(model.config, model.history, custom_cells), cell_digest(model.history)
    if cell is not None and digest is not None and cell.digest != digest:
        _logger.warning(f"{cell.name} has changed since {path} was trained")
    return model


@dataclass(frozen=True)
class MetricScore:
    """The score of a corpus by one metric."""

    value: float
    """In the metric's unit: BLEU and chrF 0 to 100, error rates in percent."""
    signature: str
    """Every setting that the score depends on."""
    details: Mapping[str, float | list[float]]
    """The numbers from which the score is computed, by name."""


def score(
    hypotheses: Sequence[str],
    references: Sequence[str] | Sequence[Sequence[str]],
    metrics: str | Iterable[str] = ("bleu", "chrf"),
    *,
    lowercase: bool = False,
    tokenize: str = "13a",
) -> dict[str, MetricScore]:
    """Score hypotheses by references with each metric; `seqtrans score --help` lists the metrics.

    `references` is one text, with a line for each hypothesis, or a sequence of such texts. `lowercase` ignores case;
    `tokenize` is the tokenizer of BLEU: 13a, none, intl, char or zh.

    Raises:
        UsageError: there is no such metric or tokenizer, or a text is one string.
        DataError: the texts differ in their number of lines, or have none.
    """
    from seqtrans.io.lines import list_of_lines
    from seqtrans.scoring.contract import MetricSettings, Text
    from seqtrans.scoring.evaluation import evaluate
    from seqtrans.scoring.registry import metric

    references = list(references)
    has_several_texts = bool(references) and not isinstance(references[0], str)
    texts = [list_of_lines(cast(Iterable[str], one)) for one in (references if has_several_texts else [references])]
    named_texts = [Text(f"references {number}", lines) for number, lines in enumerate(texts, 1)]
    names = [metrics] if isinstance(metrics, str) else metrics
    metric_objects = [metric(name, MetricSettings(lowercase, tokenize)) for name in names]
    systems = [Text("hypotheses", list_of_lines(hypotheses))]
    ((_, results),) = evaluate(systems, named_texts, metric_objects).systems
    return {
        result.metric.name: MetricScore(result.score.value, result.signature, result.score.details)
        for result in results
    }


def tokenizer(path: PathLike, side: Literal["source", "target"] = "target") -> SubwordModel:
    """Load a subword model, or the subword model of one `side` of a trained model, whatever the file's name.

    Raises:
        UsageError: there is no such side.
        DataError: the file is not such a model.
        StreamError: the file cannot be read.
    """
    if side not in ("source", "target"):
        raise UsageError(f"side must be source or target, not '{side}'")
    source, target = tokenizers(path)
    return source if side == "source" else target


def tokenizers(path: PathLike) -> tuple[SubwordModel, SubwordModel]:
    """Load the subword models of a trained model's source and target side; a subword model is that of both.

    Raises:
        DataError: the file is not such a model.
        StreamError: the file cannot be read.
    """
    from seqtrans.io.content import check_model, is_container
    from seqtrans.text.subwords import SubwordModel

    check_model(path := Path(path), "a subword model or a trained model")
    if is_container(path):
        from seqtrans.model.file import load_subwords  # imports torch, which takes two seconds

        return load_subwords(path)
    return (model := SubwordModel.load(path)), model


def _section(name: str, keys: Any) -> dict[str, Any]:
    if not isinstance(keys, Mapping):
        raise UsageError(f"settings: '{name}' is no section: write {{'training': {{'max_steps': 100}}}}")
    return dict(keys)


def _path(path: PathLike | None) -> Path | None:
    return None if path is None else Path(path)


def _paths(paths: Paths) -> list[Path]:
    return [Path(paths)] if isinstance(paths, str | os.PathLike) else [Path(path) for path in paths]
