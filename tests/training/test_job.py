"""A training as a Python program runs it: options that are checked, a result, no output of its own."""

from __future__ import annotations

import logging
import math
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from seqtrans.config.schema import Config, ModelConfig, TextConfig, TrainingConfig
from seqtrans.device import choose_compute
from seqtrans.errors import UsageError
from seqtrans.model.file import load_model
from seqtrans.training.job import TrainingResult, train
from seqtrans.training.options import SubwordFiles, TrainOptions

FILE = Path("text")
LANGUAGE = Config(model=ModelConfig(task="lm"), training=TrainingConfig(metric="loss", bptt=5))


@pytest.fixture
def options(tmp_path: Path, parallel_text: tuple[Path, Path]) -> TrainOptions:
    config = Config(
        TextConfig(type="word"),
        ModelConfig(embedding=4, hidden=4),
        TrainingConfig(max_steps=4, validate_every=2, warmup_steps=1, metric="loss", batch_size=8),
    )
    return TrainOptions(parallel_text, parallel_text, tmp_path / "model.safetensors", config=config)


def test_a_thread_of_a_program_trains_without_signals_and_output(
    options: TrainOptions, capfd: pytest.CaptureFixture[str]
) -> None:
    results: list[TrainingResult] = []
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    thread = threading.Thread(target=lambda: results.append(train(options, choose_compute("cpu", "fp32", 1))))
    thread.start()
    thread.join(60)
    (result,) = results
    assert (result.model, result.steps, result.metric) == (options.output, 4, "loss")
    assert result.best_step in (2, 4)
    assert result.seconds > 0
    assert result.score is not None
    assert math.isfinite(result.score)
    kept = load_model(options.output).history
    assert (kept["steps"], kept["dev"]["loss"]) == (result.best_step, result.score)
    assert capfd.readouterr() == ("", "")
    assert handlers == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


def test_what_happens_is_logged(options: TrainOptions, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "seqtrans"):
        train(options, choose_compute("cpu", "fp32", 1))
    assert sum("dev loss" in message for message in caplog.messages) == 2
    assert any(message.startswith("model: lstm, attention general, ") for message in caplog.messages)
    (warning,) = (record.getMessage() for record in caplog.records if record.levelno > logging.INFO)
    assert "200 of 200 pairs are in the training text too" in warning


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": []}, "--train: no file is given"),
        ({"dev": ()}, "--dev: no file is given"),
        ({"train": [FILE] * 3}, "--train: 3 files; a parallel text is two files, or one with a TAB"),
        ({"config": Config(training=TrainingConfig(metric="blue"))}, "training.metric must be one of bleu, "),
        ({"config": LANGUAGE, "subwords": SubwordFiles(source=FILE, target=FILE)}, "has one subword model"),
    ],
)
def test_options_that_cannot_work_cannot_be_made(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        TrainOptions(**{"train": [FILE], "dev": [FILE], "output": FILE, **changes})


def test_a_language_model_may_have_many_texts() -> None:
    assert TrainOptions([FILE] * 3, [FILE], FILE, config=LANGUAGE).input_paths() == [FILE] * 4


@pytest.mark.parametrize("files", [{"joint": FILE, "source": FILE}, {"source": FILE}, {"target": FILE}])
def test_subword_files_that_cannot_be_together(files: dict[str, Path]) -> None:
    with pytest.raises(UsageError, match="--source-subwords"):
        SubwordFiles(**files)
