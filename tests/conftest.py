"""What many tests need: the real command line, and a little parallel text."""

import contextlib
import fcntl
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.warm import WarmProcess, started

# A shell that starts the tests in the background has them, and every command they start, ignore SIGINT.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes is the machine's affair: on a busy one, or the first time, it has failed sound tests.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parent.parent

RunSeqtrans = Callable[..., "subprocess.CompletedProcess[bytes]"]


def seqtrans_command(*args: object) -> list[str]:
    """The words that start `seqtrans` with this Python."""
    return [sys.executable, "-m", "seqtrans", *map(str, args)]


def seqtrans_environment(**changes: str) -> dict[str, str]:
    """The environment in which this checkout is the one that runs."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **changes}


WARM_PROCESS = "WARM_PROCESS"
"""The environment variable that tells workers where the warm process is that they share."""


def pytest_configure(config: pytest.Config) -> None:
    """Start a warm process before the workers, if there are workers."""
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        stack = contextlib.ExitStack()
        config.add_cleanup(stack.close)
        os.environ[WARM_PROCESS] = stack.enter_context(started(seqtrans_environment()))


@pytest.fixture(scope="session")
def warm_process() -> Iterator[WarmProcess]:
    """A process that has imported torch already, and forks one for each command."""
    if address := os.environ.get(WARM_PROCESS):
        yield WarmProcess(address)
    else:
        with started(seqtrans_environment()) as address:
            yield WarmProcess(address)


@pytest.fixture(scope="session")
def run_seqtrans(warm_process: WarmProcess) -> RunSeqtrans:
    """Run the real command line: `run_seqtrans("score", hyp, "-r", ref, input=b"")`.

    `env` has changes to the environment. It runs in a `WarmProcess`, unless `anew`: then a Python starts as a user's
    does, for variables that Python or its libraries read when they start.
    """

    def run(
        *args: object,
        input: bytes = b"",  # noqa: A002 - the name that subprocess.run gives it
        env: dict[str, str] | None = None,
        anew: bool = False,
        cwd: Path | None = None,
        timeout: float = 120,
    ) -> "subprocess.CompletedProcess[bytes]":
        environment = seqtrans_environment(**(env or {}))
        if not anew:
            return warm_process.run(list(map(str, args)), input, cwd or Path.cwd(), timeout, environment)
        return subprocess.run(
            seqtrans_command(*args),
            input=input,
            capture_output=True,
            env=environment,
            cwd=cwd,
            timeout=timeout,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def parallel_text(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """200 sentence pairs in two files: digits in English, and in German in the reverse order.

    `dev_of` gives the first 40 of them: validating a short training on all would take longer than the training.
    """
    english = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    german = ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"]
    draw = random.Random(1)
    pairs = [[draw.randrange(10) for _ in range(draw.randint(1, 6))] for _ in range(200)]
    folder = tmp_path_factory.mktemp("parallel")
    source, target = folder / "train.en", folder / "train.de"
    sources = [" ".join(english[i] for i in pair) + "\n" for pair in pairs]
    targets = [" ".join(german[i] for i in reversed(pair)) + "\n" for pair in pairs]
    for path, lines in ((source, sources), (target, targets)):
        path.write_text("".join(lines), "utf-8")
        path.with_stem("dev").write_text("".join(lines[:40]), "utf-8")
    return source, target


def dev_of(text: tuple[Path, Path]) -> tuple[Path, Path]:
    """The development text beside a training text, or else the same text."""
    source, target = (path.with_stem("dev") for path in text)
    return (source, target) if source.exists() else text


@pytest.fixture(scope="session")
def subword_model(
    run_seqtrans: RunSeqtrans, parallel_text: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Subwords learned by the real command line from both sides of `parallel_text`; for reading only."""
    path = tmp_path_factory.mktemp("model") / "subwords.model"
    run = run_seqtrans("tokenize", "learn", "--vocab-size", 60, "-o", path, *parallel_text)
    assert run.returncode == 0, run.stderr
    return path


TINY = """\
[text]
type = "word"
[model]
embedding = 32
hidden = 64
dropout = 0.1
[training]
batch_size = 32
learning_rate = 0.01
warmup_steps = 20
validate_every = 100
ema = 0.9
"""
"""A configuration that learns the digits of `parallel_text` in seconds."""


@pytest.fixture(scope="session")
def tiny_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`TINY` as a file."""
    path = tmp_path_factory.mktemp("config") / "tiny.toml"
    path.write_text(TINY, "utf-8")
    return path


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run share, for what is made once; without workers, for this one alone."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def tiny_model(
    shared_folder: Path, parallel_text: tuple[Path, Path], tiny_config: Path, run_seqtrans: RunSeqtrans
) -> Path:
    """A model trained by the real command line on `parallel_text`, good at it; for reading only."""
    model, complete = shared_folder / "tiny.safetensors", shared_folder / "tiny.complete"
    with (shared_folder / "tiny.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one worker trains, the others wait
        if not complete.exists():
            run = run_seqtrans(
                "train", "--train", *parallel_text, "--dev", *dev_of(parallel_text), "-o", model,
                "--config", tiny_config, "--max-steps", 300, "--threads", 1,
            )  # fmt: skip
            assert run.returncode == 0, run.stderr.decode()
            complete.touch()
    return model
