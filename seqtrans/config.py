"""The configuration: frozen dataclasses <-> TOML, strict in both directions.

Precedence: flags, then environment (SEQTRANS_SECTION_KEY), then the --config file, then the preset, then the
defaults below. An unknown key, a wrong type or a value out of range is an error with a suggestion.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any

from seqtrans.errors import UsageError
from seqtrans.settings import bounded, from_environment, known, one_of, parse_toml, read_toml, updated_section
from seqtrans.tasks import TASKS


@dataclass(frozen=True)
class TextConfig:
    """Which subwords are learned when no subword model is given, and which sentence pairs are kept."""

    type: str = one_of("bpe", "bpe", "unigram", "char", "word")
    source_type: str = one_of("", "", "bpe", "unigram", "char", "word")
    """Overrides `type` on the source side; sides of different types have a model each."""
    target_type: str = one_of("", "", "bpe", "unigram", "char", "word")
    vocab_size: int = bounded(0, 0, 1_000_000)
    """0: fit to the number of sentence pairs."""
    joint: bool = True
    """One subword model for both languages."""
    max_length: int = bounded(100, 1, 100_000)
    """Pairs with more subwords than this on a side are dropped from training, and counted."""
    shortlist: int = bounded(20, 0, 1000)
    """Translations of each source subword that are learned for `translate --shortlist`; 0: none. Vocabularies of
    fewer than 1,000 target subwords have nothing to gain, and no list."""


@dataclass(frozen=True)
class ModelConfig:
    """The architecture. Sizes are numbers of units; `hidden` is a multiple of 2."""

    task: str = one_of("translate", *TASKS)
    """What the model does; `lm` is a language model, a decoder alone, and `tag` a tagger, an encoder alone."""
    cell: str = "lstm"
    attention: str = "general"
    bridge: str = one_of("last", "last", "mean")
    """What the decoder begins from: the encoder's last state in each direction, or the mean of what it read out."""
    input_feeding: bool = False
    cache: int = bounded(0, 0, 10_000)
    """Subwords that a language model looks back on, to copy what followed the like (Grave et al. 2017); 0: none."""
    embedding: int = bounded(256, 1, 65_536)
    hidden: int = bounded(512, 2, 65_536)
    """State size of the decoder; each direction of the encoder has half of it."""
    encoder_layers: int = bounded(1, 1, 64)
    encoder_transitions: int = bounded(1, 1, 64)
    """Cells that the state goes through at each step (deep transitions, Miceli Barone et al. 2017)."""
    mixed_directions: bool = False
    """Whether the directions of an encoder layer go through a linear map together."""
    decoder_layers: int = bounded(2, 1, 64)
    decoder_transitions: int = bounded(1, 1, 64)
    tied_embeddings: bool = True
    """The output layer is the target embedding, and with one joint subword model the source embedding too."""
    dropout: float = bounded(0.3, 0, 0.99)
    """Variational: one mask a sentence at each place (Gal & Ghahramani 2016)."""
    recurrent_dropout: float = bounded(0.0, 0, 0.99)
    """The share of each cell's recurrent weights that is zero in an update (Merity et al. 2018, section 2)."""
    word_dropout: float = bounded(0.0, 0, 0.99)
    """The share of input subwords whose embedding is zeroed (Sennrich & Zhang 2019, section 3)."""


@dataclass(frozen=True)
class TrainingConfig:
    """Optimisation, validation and when to stop. A step is one update of the weights."""

    batch_size: int = bounded(64, 1, 65_536)
    """Sentence pairs in an update; streams, of a language model."""
    learning_rate: float = bounded(0.002, 0, 10)
    warmup_steps: int = bounded(400, 0, 10**9)
    decay: str = one_of("linear", "constant", "linear", "cosine", "inverse-sqrt")
    """After warm-up; linear and cosine fall to a hundredth when the budget (steps, epochs or time) is spent."""
    clip_norm: float = bounded(1.0, 0, 10**6)
    """The gradient norm that is scaled down to; 0 turns clipping off."""
    clip_value: float = bounded(0.0, 0, 10**6)
    """The size that every number of the gradient is cut to, before the norm is taken; 0 turns that off."""
    bptt: int = bounded(0, 0, 10**6)
    """Target steps that gradients go back through (truncated backpropagation through time); 0: all."""
    label_smoothing: float = bounded(0.1, 0, 0.99)
    weight_decay: float = bounded(0.0, 0, 1)
    ema: float = bounded(0.998, 0, 0.999999)
    """Decay of the moving average of the weights, which is what is validated and kept; 0 turns it off."""
    max_steps: int = bounded(0, 0, 10**9)
    """0: no limit. Training ends when the first of steps, epochs, time and patience runs out."""
    max_epochs: int = bounded(40, 0, 10**6)
    max_minutes: float = bounded(0.0, 0, 10**6)
    validate_every: int = bounded(0, 0, 10**9)
    """Steps between validations; 0: once an epoch, but after 250 steps at the earliest and 1,000 at the latest."""
    patience: int = bounded(8, 0, 10**6)
    """Validations without a better score until training stops early; 0 turns early stopping off."""
    metric: str = "bleu"
    """What "best" means: a score of greedy translations of the development set, or its loss."""
    seed: int = bounded(1, 0, 2**63 - 1)


@dataclass(frozen=True)
class Config:
    """Everything that decides what a training run computes."""

    text: TextConfig = TextConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Sections and keys as in the TOML file."""
        return asdict(self)

    def updated(self, values: Mapping[str, Mapping[str, Any]], where: str) -> Config:
        """A copy with the sections and keys of `values`; `where` names their source in error messages.

        Raises:
            UsageError: an unknown section or key, a wrong type, or a value out of range.
        """
        sections: dict[str, Any] = {}
        for name, keys in values.items():
            section = getattr(self, known(name, [f.name for f in fields(self)], where, "section"))
            sections[name] = updated_section(section, name, keys, where)
        return _coherent(replace(self, **sections), where)


def _coherent(config: Config, where: str) -> Config:
    """Refuse combinations that cannot work."""
    if config.model.hidden % 2:
        raise UsageError(
            f"{where}: hidden must be even: each direction of the encoder has half, not {config.model.hidden}"
        )
    training = config.training
    if not (training.max_steps or training.max_epochs or training.max_minutes or training.patience):
        raise UsageError(f"{where}: training would never end; set max_steps, max_epochs, max_minutes or patience")
    return config


def _refuse_what_the_task_has_not(config: Config) -> None:
    """Settings that would do nothing, or cannot work; told of the whole, since a preset may have brought them."""
    model, training = config.model, config.training
    task = TASKS[model.task]
    hint = f"or begin from --preset {task.preset}"
    for name, keys in task.foreign.items():
        section = getattr(config, name)
        for key in keys:
            if getattr(section, key) != getattr(type(section)(), key):
                raise UsageError(f"{key} is nothing that a {task.noun} has: leave it out, {hint}")
    if model.task == "lm" and training.metric != "loss":
        raise UsageError(f'a language model has no translations to score: set metric = "loss", {hint}')
    if model.task == "lm" and not training.bptt:
        raise UsageError(f"bptt must be at least 1 for a language model: set it, {hint}")
    if model.task == "tag" and model.tied_embeddings:
        raise UsageError(f"a tagger has no embedding of tags to tie: set tied_embeddings = false, {hint}")


def preset_names() -> list[str]:
    """The presets that come with the package."""
    folder = resources.files("seqtrans") / "presets"
    return sorted(Path(entry.name).stem for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_config(
    preset: str,
    file: Path | None,
    flags: Mapping[str, Mapping[str, Any]],
    environment: Mapping[str, str] = os.environ,
) -> Config:
    """The resolved configuration of one run.

    Raises:
        UsageError: an unknown preset, key or value in any of the layers, or a setting that the task has not.
        StreamError: the file cannot be read.
    """
    names = preset_names()
    known(preset, names, "--preset", "preset")
    text = (resources.files("seqtrans") / "presets" / f"{preset}.toml").read_text(encoding="utf-8")
    config = Config().updated(parse_toml(text, f"preset {preset}"), f"preset {preset}")
    if file is not None:
        config = config.updated(_of_training(read_toml(file)), str(file))
    config = config.updated(_of_training(from_environment(environment)), "environment").updated(flags, "command line")
    _refuse_what_the_task_has_not(config)
    return config


def _of_training(tables: dict[str, Any]) -> dict[str, Any]:
    """Without what a search reads."""
    return {name: table for name, table in tables.items() if name != "search"}
