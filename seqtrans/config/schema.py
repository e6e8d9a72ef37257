"""The configuration of a training: frozen dataclasses, each validated when it is made.

An unknown key, a wrong type or a value out of range is an error that names the source of the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from seqtrans.config.binding import (
    SettingsConflict,
    bounded,
    check_name,
    one_of,
    updated_section,
    validate,
)
from seqtrans.config.tasks import TASKS


def _check_applicable(section: Any, name: str, task: str) -> None:
    """Refuse settings that models of this task do not have, unless they are at their defaults."""
    kind = TASKS[task]
    for key in kind.inapplicable.get(name, ()):
        default = next(f.default for f in fields(section) if f.name == key)
        if getattr(section, key) != default:
            raise SettingsConflict(
                f"{key} does not apply to a {kind.noun}: leave it out, {_preset_hint(task)}", key, "task"
            )


def _preset_hint(task: str) -> str:
    return f"or begin from --preset {TASKS[task].preset}"


@dataclass(frozen=True)
class TextConfig:
    """Which subwords are learned when no subword model is given, and which sentence pairs are kept."""

    type: str = one_of("bpe", "bpe", "unigram", "char", "word")
    """What a subword is: a piece by byte pair encoding, a piece by a unigram model, a character or a word."""
    source_type: str = one_of("", "", "bpe", "unigram", "char", "word")
    """Overrides `type` on the source side; sides of different types have a model each. "": no override."""
    target_type: str = one_of("", "", "bpe", "unigram", "char", "word")
    """Overrides `type` on the target side. "": no override."""
    vocab_size: int = bounded(0, 0, 1_000_000)
    """Number of subwords, the 4 special ones included. 0: for bpe and unigram, fit to the number of pairs (for language
    models, of lines); for char, all characters; for word, all words, but at most 16,000."""
    joint: bool = True
    """One subword model for both languages."""
    max_length: int = bounded(100, 1, 100_000)
    """Pairs with more subwords than this on a side are dropped from training, and counted."""
    dev_size: float = bounded(0.0, 0, 10**9)
    """Pairs (of a language model, lines) that are split off the training text as development text if --dev is not
    given; below 1, their share."""
    shortlist: int = bounded(20, 0, 1000)
    """Translations of each source subword that are learned for `translate --shortlist`; 0: none. Vocabularies of
    fewer than 1,000 target subwords have nothing to gain, and no list."""

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class ModelConfig:
    """The architecture. Sizes are numbers of units; `hidden` is a multiple of 2."""

    task: str = one_of("translate", *TASKS)
    """What the model does; `lm` is a language model, a decoder alone, and `tag` a tagger, an encoder alone."""
    cell: str = "lstm"
    """The recurrent cell of encoder and decoder; `seqtrans train --help` lists the names. Or FILE.py:CLASS."""
    attention: str = "general"
    """How the decoder reads the source; `seqtrans train --help` lists the names."""
    bridge: str = one_of("last", "last", "mean")
    """What the decoder begins from: the last output of each direction of the encoder, or the mean of its outputs."""
    input_feeding: bool = False
    """Give each step of the decoder the readout of the step before (Luong et al. 2015, section 3.3). Training is then
    slower: it goes step by step."""
    cache: int = bounded(0, 0, 10_000)
    """Latest subwords in which a language model looks for similar contexts, to repeat what followed them (Grave et al.
    2017); 0: none."""
    embedding: int = bounded(256, 1, 65_536)
    """Size of source and target embeddings."""
    hidden: int = bounded(512, 2, 65_536, multiple=2)
    """State size of the decoder; each direction of the encoder has half of it."""
    encoder_layers: int = bounded(1, 1, 64)
    """Bidirectional layers of the encoder."""
    encoder_transitions: int = bounded(1, 1, 64)
    """Cells that the state of an encoder layer goes through at each step (deep transitions, Miceli Barone et al.
    2017)."""
    mixed_directions: bool = False
    """Send the outputs of both directions of an encoder layer through one linear map."""
    decoder_layers: int = bounded(2, 1, 64)
    """Layers of the decoder, and of a language model."""
    decoder_transitions: int = bounded(1, 1, 64)
    """Cells that the state of a layer of the decoder, or of a language model, goes through at each step."""
    tied_embeddings: bool = True
    """The output layer is the target embedding, and with one joint subword model the source embedding too."""
    dropout: float = bounded(0.3, 0, 0.99)
    """Variational: one mask per sentence and layer input, the same at all steps (Gal & Ghahramani 2016)."""
    recurrent_dropout: float = bounded(0.0, 0, 0.99)
    """The share of each cell's recurrent weights that is zero in an update (Merity et al. 2018, section 2)."""
    word_dropout: float = bounded(0.0, 0, 0.99)
    """The share of input subwords whose embedding is zeroed (Sennrich & Zhang 2019, section 3)."""

    def __post_init__(self) -> None:
        validate(self)
        _check_applicable(self, "model", self.task)
        if self.task == "tag" and self.tied_embeddings:
            raise SettingsConflict(
                f"a tagger has no embedding of tags to tie: set tied_embeddings = false, {_preset_hint(self.task)}",
                "task",
                "tied_embeddings",
            )


STOPPING_KEYS = ("max_steps", "max_epochs", "max_minutes", "patience")
"""Settings that end a training; with all of them at 0 it would never end. The first three are its budget."""


@dataclass(frozen=True)
class TrainingConfig:
    """Optimisation, validation and when to stop. A step is one update of the weights."""

    batch_size: int = bounded(64, 1, 65_536)
    """Sentence pairs in an update; streams, of a language model."""
    learning_rate: float = bounded(0.002, 0, 10)
    """The highest learning rate, at the end of the warm-up."""
    warmup_steps: int = bounded(400, 0, 10**9)
    """Steps over which the learning rate rises from 0."""
    decay: str = one_of("linear", "constant", "linear", "cosine", "inverse-sqrt")
    """How the learning rate falls after the warm-up; linear and cosine reach a hundredth when the budget (steps, epochs
    or time) is spent."""
    clip_norm: float = bounded(1.0, 0, 10**6)
    """The largest norm of the gradient; a larger one is scaled down to it. 0 turns that off."""
    clip_value: float = bounded(0.0, 0, 10**6)
    """The largest absolute value of a component of the gradient; the norm is taken after that. 0 turns that off."""
    bptt: int = bounded(0, 0, 10**6)
    """Target steps that gradients go back through (truncated backpropagation through time); 0: all."""
    label_smoothing: float = bounded(0.1, 0, 0.99)
    """The share of the target probability that is spread over the vocabulary (Szegedy et al. 2016, section 7)."""
    weight_decay: float = bounded(0.0, 0, 1)
    """Decoupled weight decay of AdamW."""
    ema: float = bounded(0.998, 0, 0.999999)
    """Decay of the moving average of the weights, which is what is validated and kept; 0 turns it off."""
    max_steps: int = bounded(0, 0, 10**9)
    """Updates until training ends; 0: no limit. Training ends when the first of steps, epochs, time and patience runs
    out."""
    max_epochs: int = bounded(40, 0, 10**6)
    """Passes over the training text; 0: no limit."""
    max_minutes: float = bounded(0.0, 0, 10**6)
    """Minutes of training; 0: no limit."""
    validate_every: int = bounded(0, 0, 10**9)
    """Steps between validations; 0: once per epoch, but after 250 steps at the earliest and 1,000 at the latest."""
    patience: int = bounded(8, 0, 10**6)
    """Validations without a better score until training stops early; 0 turns early stopping off."""
    metric: str = "bleu"
    """What "best" means: a metric of `seqtrans score`, of greedy translations of the development set, or "loss"."""
    seed: int = bounded(1, 0, 2**63 - 1)
    """The seed of all randomness."""

    def __post_init__(self) -> None:
        validate(self)
        if not any(getattr(self, key) for key in STOPPING_KEYS):
            raise SettingsConflict(
                "training would never end; set max_steps, max_epochs, max_minutes or patience", *STOPPING_KEYS
            )


@dataclass(frozen=True)
class Config:
    """Everything that decides what a training run computes."""

    text: TextConfig = TextConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()

    def __post_init__(self) -> None:
        task = self.model.task
        _check_applicable(self.text, "text", task)
        _check_applicable(self.training, "training", task)
        if task == "lm" and self.training.metric != "loss":
            raise SettingsConflict(
                f'a language model has no translations to score: set metric = "loss", {_preset_hint(task)}',
                "task",
                "metric",
            )
        if task == "lm" and not self.training.bptt:
            raise SettingsConflict(
                f"bptt must be at least 1 for a language model: set it, {_preset_hint(task)}", "task", "bptt"
            )

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Sections and keys as in the TOML file."""
        return asdict(self)

    @staticmethod
    def from_dict(values: Mapping[str, Mapping[str, Any]], where: str) -> Config:
        """The configuration that `to_dict` describes, without what does not apply to its task.

        Earlier versions stored such settings, which had no effect.

        Raises:
            UsageError: an unknown section or key, a wrong type, a value out of range, or settings that conflict.
            AttributeError, TypeError: `values` are no sections with keys.
        """
        task = values.get("model", {}).get("task", "")
        inapplicable = TASKS[task].inapplicable if task in TASKS else {}
        applicable = {
            name: {key: value for key, value in keys.items() if key not in inapplicable.get(name, ())}
            for name, keys in values.items()
        }
        return Config().updated(applicable, where)

    def updated(self, values: Mapping[str, Mapping[str, Any]], where: str) -> Config:
        """A copy with the sections and keys of `values`; `where` names their source in error messages.

        Raises:
            UsageError: an unknown section or key, a wrong type, a value out of range, or settings that conflict.
        """
        sections: dict[str, Any] = {}
        for name, keys in values.items():
            section = getattr(self, check_name(name, list(SECTION_CLASSES), where, "section"))
            sections[name] = updated_section(section, name, keys, where)
        try:
            return replace(self, **sections)
        except SettingsConflict as error:
            raise error.with_origins(dict.fromkeys(error.keys, where)) from None


SECTION_CLASSES = {"text": TextConfig, "model": ModelConfig, "training": TrainingConfig}
"""The sections of a `Config`."""
