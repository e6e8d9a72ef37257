"""What a user chooses for a training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seqtrans.config.schema import Config
from seqtrans.errors import UsageError
from seqtrans.io.content import check_model, is_container
from seqtrans.model.file import load_subwords
from seqtrans.recurrent.cells import is_custom
from seqtrans.scoring.registry import metric_names
from seqtrans.text.subwords import SubwordModel


@dataclass(frozen=True)
class SubwordFiles:
    """The user's subword models: one for both sides, one for each side, or none.

    The one for both sides may be a model of seqtrans; its subword models of both sides are then used.

    Raises:
        UsageError: only one side has a model, or there is one for both sides beside others.
    """

    joint: Path | None = None
    source: Path | None = None
    target: Path | None = None

    def __post_init__(self) -> None:
        if self.joint is not None and (self.source is not None or self.target is not None):
            raise UsageError("--subwords is for both sides; leave out --source-subwords and --target-subwords")
        if (self.source is None) != (self.target is None):
            raise UsageError("--source-subwords and --target-subwords go together")

    def paths(self) -> list[Path]:
        """All files that are given."""
        return [path for path in (self.joint, self.source, self.target) if path is not None]

    def load(self) -> tuple[SubwordModel, SubwordModel] | None:
        """The models of source and target, or None if no file is given.

        Raises:
            StreamError: a file cannot be read.
            DataError: a file is no subword model.
        """
        for path in self.paths():
            check_model(path, "a subword model")
        if self.joint is not None:
            if is_container(self.joint):
                return load_subwords(self.joint)
            model = SubwordModel.load(self.joint)
            return model, model
        if self.source is None or self.target is None:
            return None
        return SubwordModel.load(self.source), SubwordModel.load(self.target)


@dataclass(frozen=True)
class TrainOptions:
    """Texts, output and settings of a training.

    Raises:
        UsageError: there are no texts, or settings cannot work together.
    """

    train: Sequence[Path]
    """Source and target file, or one file of `source TAB target` lines; for a language model, texts."""
    dev: Sequence[Path]
    """The same for validation."""
    output: Path
    """The model file to write."""
    subwords: SubwordFiles = SubwordFiles()
    """Without any, subwords are learned from the training text."""
    config: Config = field(default_factory=Config)
    config_file: Path | None = None
    """The file that the configuration comes from, if any: it is not overwritten."""
    resume: bool = False
    """Whether to continue from the last checkpoint, if there is one."""
    force: bool = False
    """Whether to resume even if the texts have changed."""
    overwrite: bool = False
    """Whether to replace a model or an unfinished training; with `resume`, only if it cannot be resumed."""

    def __post_init__(self) -> None:
        task = self.config.model.task
        if not self.train:
            raise UsageError("--train: no file is given")
        if not self.dev and not self.config.text.dev_size:
            raise UsageError(
                "--dev: no file is given; name development text, or split it off the training text with --dev-size 500"
            )
        if self.dev and self.config.text.dev_size:
            raise UsageError("--dev and --dev-size exclude each other; leave one out")
        for name, paths in (("train", self.train), ("dev", self.dev)):
            if task != "lm" and len(paths) > 2:
                raise UsageError(
                    f"--{name}: {len(paths)} files; a parallel text is two files, or one with a TAB between the sides"
                )
        if task == "lm" and self.subwords.source is not None:
            raise UsageError("a language model has one subword model: give it with --subwords")
        metrics = [*metric_names(), "loss"]
        if self.config.training.metric not in metrics:
            raise UsageError(
                f"training.metric must be one of {', '.join(metrics)}, not '{self.config.training.metric}'"
            )

    def input_paths(self) -> list[Path]:
        """All files that are read."""
        cell = [Path(self.config.model.cell.rpartition(":")[0])] if is_custom(self.config.model.cell) else []
        settings = [] if self.config_file is None else [self.config_file]
        return [*self.train, *self.dev, *self.subwords.paths(), *settings, *cell]
