"""The configuration: who wins, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import FrozenInstanceError, dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seqtrans.config.binding import bounded, updated_section, validate
from seqtrans.config.resolution import load_config, preset_names
from seqtrans.config.schema import Config, ModelConfig, TextConfig, TrainingConfig
from seqtrans.errors import StreamError, UsageError


def refused(values: dict[str, Any]) -> str:
    with pytest.raises(UsageError) as caught:
        Config().updated(values, "here")
    message = str(caught.value)
    assert message.startswith("here: ")
    assert "\n" not in message
    return message


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_for_a_search_does_not_disturb_a_training(tmp_path: Path) -> None:
    file = write(tmp_path, "[search]\nbeam = 9\n[model]\ndropout = 0.4\n")
    config = load_config("base", file, {}, {"SEQTRANS_SEARCH_BEAM": "3", "SEQTRANS_TRAINING_SEED": "6"})
    assert (config.model.dropout, config.training.seed) == (0.4, 6)
    with pytest.raises(UsageError, match="unknown section 'modell'"):
        load_config("base", write(tmp_path, "[modell]\ncell = 'gru'\n"), {}, {})


def test_each_layer_overrides_the_ones_below(tmp_path: Path) -> None:
    """The demo preset sets the learning rate; file, environment and flags do so in turn."""
    file = write(tmp_path, "[training]\nlearning_rate = 0.5\nseed = 5\n[model]\ndropout = 0.4\n")
    environment = {"SEQTRANS_TRAINING_LEARNING_RATE": "0.6", "SEQTRANS_TRAINING_SEED": "6", "HOME": "/"}
    flags = {"training": {"learning_rate": 0.7}}
    assert Config().training.learning_rate == 0.002
    rates = [
        load_config("base", None, {}, {}).training.learning_rate,
        load_config("demo", None, {}, {}).training.learning_rate,
        load_config("demo", file, {}, {}).training.learning_rate,
        load_config("demo", file, {}, environment).training.learning_rate,
        load_config("demo", file, flags, environment).training.learning_rate,
        load_config("demo", None, flags, environment).training.learning_rate,
        load_config("demo", None, {}, environment).training.learning_rate,
    ]
    assert rates == [0.002, 0.003, 0.5, 0.6, 0.7, 0.7, 0.6]
    config = load_config("demo", file, flags, environment)
    assert config.training.seed == 6  # from the environment, where no flag says otherwise
    assert config.model.dropout == 0.4  # from the file
    assert config.model.hidden == 256  # from the preset
    assert config.model.decoder_layers == Config().model.decoder_layers
    assert config.training.batch_size == Config().training.batch_size  # from the defaults


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_loads_and_survives_a_round_trip(name: str) -> None:
    config = load_config(name, None, {}, {})
    assert Config().updated(config.to_dict(), "again") == config
    assert Config.from_dict(config.to_dict(), "again") == config


def test_the_presets_that_are_documented_are_there() -> None:
    assert {"base", "character", "demo"} <= set(preset_names())
    with pytest.raises(UsageError, match="--preset: unknown preset 'dmo'; did you mean 'demo'"):
        load_config("dmo", None, {}, {})
    with pytest.raises(UsageError, match="unknown preset"):
        load_config("../base", None, {}, {})


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        (
            {"training": {"learningrate": 0.1}},
            "unknown key in [training] 'learningrate'; did you mean 'learning_rate'?",
        ),
        ({"model": {"hiden": 8}}, "did you mean 'hidden'?"),
        ({"modell": {}}, "unknown section 'modell'; did you mean 'model'?"),
        ({"model": {"zzzz": 8}}, "known: task, cell"),
        ({"hidden": 8}, "unknown section 'hidden'"),
        ({"model": 8}, "write [model]"),
    ],
)
def test_what_is_unknown_is_refused_with_a_suggestion(values: dict[str, Any], hint: str) -> None:
    assert hint in refused(values)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("model", "encoder_layers", 0),
        ("model", "decoder_layers", 0),
        ("model", "decoder_layers", -1),
        ("model", "dropout", 1.5),
        ("model", "dropout", 1.0),
        ("model", "dropout", -0.1),
        ("model", "dropout", math.nan),
        ("model", "word_dropout", 1.5),
        ("model", "hidden", 0),
        ("model", "hidden", 511),
        ("model", "embedding", 0),
        ("model", "hidden", 10**9),
        ("training", "learning_rate", math.nan),
        ("training", "learning_rate", math.inf),
        ("training", "learning_rate", -0.1),
        ("training", "learning_rate", 10**400),
        ("training", "batch_size", 0),
        ("training", "clip_norm", math.nan),
        ("training", "label_smoothing", 1),
        ("training", "ema", 1.0),
        ("training", "seed", -1),
        ("training", "seed", 2**63),
        ("training", "max_minutes", math.inf),
        ("training", "decay", "exponential"),
        ("text", "type", "wordpiece"),
        ("text", "type", ""),
        ("text", "vocab_size", -5),
        ("text", "max_length", 0),
        ("model", "cache", 10**6),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_out_of_range_is_refused(section: str, key: str, value: object) -> None:
    assert key in refused({section: {key: value}})


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("model", "hidden", 512.0),
        ("model", "hidden", "512"),
        ("model", "hidden", True),
        ("model", "dropout", "0.1"),
        ("model", "dropout", True),
        ("model", "input_feeding", 1),
        ("model", "input_feeding", "true"),
        ("model", "cell", 5),
        ("model", "cell", None),
        ("training", "learning_rate", [0.1]),
        ("training", "learning_rate", {"value": 0.1}),
    ],
)
def test_what_is_of_another_type_is_refused(section: str, key: str, value: object) -> None:
    assert f"{key} must be" in refused({section: {key: value}})


def test_a_whole_number_will_do_for_a_real_one() -> None:
    rate = Config().updated({"training": {"learning_rate": 1}}, "here").training.learning_rate
    assert isinstance(rate, float)
    assert rate == 1


def test_a_training_that_would_never_end_is_refused() -> None:
    none = {"max_steps": 0, "max_epochs": 0, "max_minutes": 0, "patience": 0}
    assert "would never end" in refused({"training": none})
    for key in none:
        Config().updated({"training": none | {key: 1}}, "here")


NAMES = [f.name for f in fields(Config)] + ["modle"]
KEYS = [f.name for section in fields(Config) for f in fields(getattr(Config(), section.name))] + ["hiden"]
VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)
)


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(NAMES), st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3) | VALUES))
@example({"model": {"dropout": 10**400}})
@example({"training": {"max_minutes": -(10**400)}})
def test_whatever_is_asked_for_is_a_configuration_or_one_line(values: dict[str, Any]) -> None:
    message, config = "", Config()
    try:
        config = config.updated(values, "here")
    except UsageError as error:
        message = str(error)
    if message:
        assert message.startswith("here: ")
        assert "\n" not in message
    else:
        assert config.model.hidden % 2 == 0
        assert all(getattr(getattr(config, s), k) == v for s, keys in values.items() for k, v in keys.items())


@pytest.mark.parametrize(
    ("text", "value"),
    [("gru", "gru"), ("'gru'", "gru"), ('"gru"', "gru"), ("", ""), ("a = b", "a = b"), ("two\nlines", "two\nlines")],
)
def test_words_in_the_environment_need_no_quotes(text: str, value: str) -> None:
    assert load_config("base", None, {}, {"SEQTRANS_MODEL_CELL": text}).model.cell == value


def test_the_environment_is_checked_like_all_else() -> None:
    found = load_config("base", None, {}, {"SEQTRANS_MODEL_INPUT_FEEDING": "true", "SEQTRANS_TEXT_VOCAB_SIZE": "9"})
    assert found.model.input_feeding
    assert found.text.vocab_size == 9
    for name, text in (
        ("SEQTRANS_TRAINING_LEARNING_RATE", "nan"),
        ("SEQTRANS_TRAINING_BATCH_SIZE", "many"),
        ("SEQTRANS_TRAINING_BATCH_SIZE", ""),
        ("SEQTRANS_MODEL_HIDDEN", "7"),
    ):
        with pytest.raises(UsageError, match="environment: ") as caught:
            load_config("base", None, {}, {name: text})
        assert "\n" not in str(caught.value)


def test_variables_that_are_no_settings_are_ignored_with_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    """They may belong to another program; those that look like a setting are told with its name."""
    variables = ("SEQTRANS_BATCH_SIZE", "SEQTRANS_MODEL_CEL", "SEQTRANS_MODLE_CELL", "SEQTRANS_ROOT", "SEQTRANS_")
    environment = {**dict.fromkeys(variables, "/opt"), "SEQTRANS_TRAINING_SEED": "6", "SEQTRANS_SEARCH_BEAMS": "2"}
    assert load_config("base", None, {}, environment) == load_config("base", None, {"training": {"seed": 6}}, {})
    (message,) = caplog.messages
    assert message == (
        "environment: no setting of this command, ignored: SEQTRANS_, "
        "SEQTRANS_BATCH_SIZE (did you mean SEQTRANS_TRAINING_BATCH_SIZE?), "
        "SEQTRANS_MODEL_CEL (did you mean SEQTRANS_MODEL_CELL?), "
        "SEQTRANS_MODLE_CELL (did you mean SEQTRANS_MODEL_CELL?), SEQTRANS_ROOT"
    )


@pytest.mark.parametrize(
    "text",
    ["[model", "model = 3", "[model]\nhidden = ", "[model]\nhiden = 4", "[[model]]\nhidden = 4", "hidden = 4"],
)
def test_a_bad_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        load_config("base", path, {}, {})
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_number_too_long_for_python_is_refused_by_name(tmp_path: Path) -> None:
    path = write(tmp_path, f"[model]\nhidden = {'9' * 5000}\n")
    with pytest.raises(UsageError, match=r"recipe\.toml: "):
        load_config("base", path, {}, {})
    with pytest.raises(UsageError, match="environment: "):
        load_config("base", None, {}, {"SEQTRANS_MODEL_HIDDEN": "9" * 5000})


def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(StreamError, match="missing: cannot be read"):
        load_config("base", tmp_path / "missing", {}, {})
    with pytest.raises(StreamError, match="cannot be read"):
        load_config("base", tmp_path, {}, {})
    (tmp_path / "latin").write_bytes(b"[model]\ncell = '\xe9'\n")
    with pytest.raises(UsageError, match="latin: is not a TOML file in UTF-8"):
        load_config("base", tmp_path / "latin", {}, {})


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Config().model.hidden = 4  # type: ignore[misc]


@pytest.mark.parametrize(
    ("preset", "task", "reason"),
    [
        ("lm", "translate", "cache does not apply to a translator: leave it out, or begin from --preset base"),
        ("bideep", "tag", "decoder_transitions does not apply to a tagger: leave it out, or begin from --preset tag"),
        ("base", "lm", 'set metric = "loss", or begin from --preset lm'),
        ("base", "tag", "set tied_embeddings = false, or begin from --preset tag"),
    ],
)
def test_what_a_task_has_not_is_refused_wherever_it_comes_from(preset: str, task: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_config(preset, None, {"model": {"task": task}}, {})
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: TextConfig(vocab_size=-1),
        lambda: TextConfig(type="wordpiece"),
        lambda: TextConfig(joint=1),  # type: ignore[arg-type]
        lambda: ModelConfig(hidden=-1),
        lambda: ModelConfig(hidden=511),
        lambda: ModelConfig(hidden=True),
        lambda: ModelConfig(cell=None),  # type: ignore[arg-type]
        lambda: ModelConfig(dropout=math.nan),
        lambda: ModelConfig(task="parse"),
        lambda: ModelConfig(task="lm", encoder_layers=2),
        lambda: ModelConfig(task="tag"),
        lambda: ModelConfig(cache=10),
        lambda: TrainingConfig(seed=-1),
        lambda: TrainingConfig(max_epochs=0, patience=0),
        lambda: replace(TrainingConfig(), batch_size=0),
        lambda: Config(model=ModelConfig(task="lm"), training=TrainingConfig(bptt=5)),
        lambda: Config(model=ModelConfig(task="lm"), training=TrainingConfig(metric="loss")),
        lambda: Config(TextConfig(max_length=9), ModelConfig(task="lm"), TrainingConfig(metric="loss", bptt=5)),
    ],
)
def test_what_cannot_work_cannot_be_made(make: Callable[[], object]) -> None:
    with pytest.raises(UsageError) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_whole_numbers_become_floats_so_that_equal_settings_are_equal_bytes() -> None:
    made = ModelConfig(dropout=0).dropout
    assert isinstance(made, float)
    assert made == 0


def test_a_flag_may_complete_what_a_file_begins(tmp_path: Path) -> None:
    """Only the result of all layers must be coherent, not each step on the way there."""
    file = write(tmp_path, "[training]\nmax_epochs = 0\npatience = 0\n")
    assert load_config("base", file, {"training": {"max_steps": 5}}, {}).training.max_steps == 5


def test_a_conflict_names_where_the_settings_come_from(tmp_path: Path) -> None:
    file = write(tmp_path, "[training]\nmax_epochs = 0\n[model]\nhidden = 7\n")
    with pytest.raises(UsageError, match=r"^.*recipe\.toml: hidden must be a multiple of 2, not 7$"):
        load_config("base", file, {}, {})
    file = write(tmp_path, "[training]\nmax_epochs = 0\n")
    with pytest.raises(UsageError, match=r"recipe\.toml, environment: training would never end"):
        load_config("base", file, {}, {"SEQTRANS_TRAINING_PATIENCE": "0"})
    with pytest.raises(UsageError, match=r"^preset bideep, given settings: encoder_layers does not apply"):
        load_config("bideep", None, {"model": {"task": "lm"}}, {})


@dataclass(frozen=True)
class Optional:
    """Settings of which one may be None, and one is no setting."""

    limit: int | None = bounded(None, 1, 9)
    names: tuple[str, ...] = ()
    sizes: Sequence[int] = (1, 2)

    def __post_init__(self) -> None:
        validate(self)


def test_a_setting_may_be_none_by_default() -> None:
    assert Optional().limit is None
    assert updated_section(Optional(), "search", {"limit": 4}, "here") == Optional(4)
    with pytest.raises(UsageError, match=r"^limit must be at least 1 and at most 9, not 10"):
        Optional(10)
    with pytest.raises(UsageError, match=r"^here: limit must be at least 1 and at most 9, not 10"):
        updated_section(Optional(), "search", {"limit": 10}, "here")
