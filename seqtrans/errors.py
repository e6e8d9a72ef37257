"""The errors a user meets: one line that says what, where and what to do, and an exit code each.

Exit codes follow sysexits.h and the shell: 0 done, 1 failure, 2 usage, 65 bad data, 74 input/output,
130 SIGINT, 141 broken pipe, 143 SIGTERM.
"""

from __future__ import annotations


class SeqtransError(Exception):
    """A failure whose message is meant for the user; the command line prints it and exits with `exit_code`."""

    exit_code = 1


class UsageError(SeqtransError):
    """A flag, a configuration key or a combination of them that cannot work."""

    exit_code = 2


class DataError(SeqtransError):
    """Input that is not what it should be: text, corpora, models."""

    exit_code = 65


class StreamError(SeqtransError):
    """A file or stream that cannot be read or written."""

    exit_code = 74


class Interrupted(SeqtransError):
    """Work stopped by a signal after everything worth keeping was saved."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number


def excerpt(value: object, length: int = 60) -> str:
    """What a file holds, or a message that quotes it, as a short part of a message: printable, on one line."""
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "an object"
    text = " ".join(str(value).split())
    return printable(text if len(text) <= length else text[: length - 3] + "...")


def printable(text: str) -> str:
    """`text` with question marks for characters that a terminal would obey or could not show."""
    return "".join(character if character.isprintable() else "?" for character in text)
