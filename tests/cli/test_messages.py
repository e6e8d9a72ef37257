"""Messages: where they go, and that none of them decides what becomes of the work."""

from __future__ import annotations

import os
import pty
import re
import shlex
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import RunSeqtrans, seqtrans_command, seqtrans_environment
from tests.warm import WarmProcess

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")

LOST = ["2>/dev/full", "2>&-", "2> >(exec 0<&-)"]
"""Standard errors that take nothing: a full one, a closed one, and a pipe that nobody reads."""


def shell(line: str, folder: Path, command: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run a line in which `seqtrans` is `command`, by default a Python of its own, which may complain when it ends."""
    words = [str(command)] if command else seqtrans_command()
    function = f'seqtrans() {{ {shlex.join(words)} "$@"; }}; '
    return subprocess.run(
        ["bash", "-c", function + line], cwd=folder, env=seqtrans_environment(), capture_output=True, timeout=120
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, run_seqtrans: RunSeqtrans) -> Path:
    folder = tmp_path_factory.mktemp("messages")
    text = "one two\ntwo one one\none\ntwo two\n"
    (folder / "text").write_text(text * 10, "utf-8")
    (folder / "bad").write_bytes(b"one\n\xff two\n")
    learned = run_seqtrans("tokenize", "learn", "--type", "word", "-o", folder / "words", folder / "text")
    assert learned.stderr.decode().splitlines()[-1] == f"seqtrans: {folder / 'words'}: word, 6 subwords"
    return folder


def test_a_warning_has_its_name_before_it(folder: Path, run_seqtrans: RunSeqtrans) -> None:
    with (folder / "bad").open("rb") as bad:
        run = run_seqtrans("tokenize", "encode", "-m", folder / "words", input=bad.read())
    assert run.stderr == b"seqtrans: warning: <stdin>:2: 1 line(s) not valid UTF-8, bad bytes replaced by U+FFFD\n"


@pytest.mark.parametrize("lost", LOST)
def test_a_message_that_is_lost_changes_nothing(
    folder: Path, tmp_path: Path, lost: str, warm_process: WarmProcess
) -> None:
    run = shell(f"seqtrans tokenize encode -m words <bad {lost}", folder)
    assert (run.returncode, run.stdout.decode()) == (0, "▁one\n▁\ufffd ▁two\n")
    command = warm_process.install(tmp_path / "seqtrans")
    failed = shell(f"seqtrans tokenize encode -m text {lost}", folder, command)
    assert (failed.returncode, failed.stdout, failed.stderr) == (65, b"", b"")
    usage = shell(f"seqtrans trane {lost}", folder, command)
    assert usage.returncode == 2


@pytest.mark.parametrize("lost", LOST)
def test_a_training_goes_on_without_its_messages(
    folder: Path, tmp_path: Path, lost: str, warm_process: WarmProcess
) -> None:
    command = warm_process.install(tmp_path / "seqtrans")
    (tmp_path / "tiny.toml").write_text("[model]\nembedding = 4\nhidden = 4\n[training]\nvalidate_every = 1\n", "utf-8")
    text = shlex.quote(str(folder / "text"))
    files = f"--train {text} {text} --dev {text} {text} --config tiny.toml"
    run = shell(f"seqtrans train {files} -o model.safetensors --max-steps 2 --threads 1 {lost}", tmp_path, command)
    assert run.returncode == 0
    assert (tmp_path / "model.safetensors").exists()


def test_a_program_that_imports_the_package_sees_warnings_and_nothing_else(folder: Path) -> None:
    code = (
        "from pathlib import Path; from seqtrans.io.lines import read_whole; from seqtrans.text.subword_training "
        "import learn_subwords; (Path('nul')).write_bytes(b'a\\0b\\n'); read_whole(Path('nul')); "
        "learn_subwords(['abc'], 'char', 500)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=seqtrans_environment(), capture_output=True, timeout=60
    )
    assert (run.returncode, run.stdout) == (0, b"")
    assert run.stderr == b"nul:1: 1 line(s) with NUL, replaced by U+FFFD\n"


LIVE = """
import logging, time
from seqtrans.cli.messages import live_line, show_messages
show_messages()
log = logging.getLogger("seqtrans.somewhere")
with live_line() as update:
    if update is not None:
        update("step [7]")
        time.sleep(0.3)
    log.warning("in [the] middle")
log.info("after")
"""


def test_in_a_terminal_messages_stand_above_a_line_that_changes() -> None:
    terminal, stderr = pty.openpty()
    environment = seqtrans_environment(TERM="xterm", NO_COLOR="1")
    run = subprocess.run([sys.executable, "-c", LIVE], stderr=stderr, env=environment, timeout=60)
    os.close(stderr)
    text = b""
    with suppress(OSError):  # the end, on Linux
        while part := os.read(terminal, 4096):
            text += part
    os.close(terminal)
    assert run.returncode == 0
    assert "step [7]" in text.decode()
    assert re.search(r"(?<!seqtrans: )warning: in \[the\] middle\r\n", text.decode())
    assert text.decode().endswith("seqtrans: after\r\n")


def test_outside_a_terminal_there_is_no_line_that_changes() -> None:
    run = subprocess.run([sys.executable, "-c", LIVE], env=seqtrans_environment(), capture_output=True, timeout=60)
    assert run.stderr == b"warning: in [the] middle\nseqtrans: after\n"
