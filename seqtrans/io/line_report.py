"""What was wrong with the lines of a stream: counted line by line, told in one sentence for each kind of problem."""

from __future__ import annotations

import codecs
import logging
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

from seqtrans.errors import DataError

_logger = logging.getLogger(__name__)

MAX_LINE_BYTES = 1 << 20
"""Longer lines are cut here (1 MiB), so that one hostile line cannot take all memory."""

_MAX_NUMBERS = 8
"""A warning about several lines names the numbers of at most this many."""

_MAX_EXAMPLES = 5
"""It shows at most this many of the unknown characters or words."""


_MENDED = {
    "invalid": "not valid UTF-8, bad bytes replaced by U+FFFD",
    "nul": "with NUL, replaced by U+FFFD",
    "inner_cr": "with CR before the end, replaced by spaces",
}
"""What was mended in lines while they were read, by the field of `LineReport` that counts them."""


@dataclass(frozen=True)
class TextForm:
    """A form of whole texts that is not read as what it is."""

    problem: str
    command: str
    """Converts such a text."""
    explains: tuple[str, ...]
    """Keys of `_MENDED` that are of no interest in such a text."""

    def message(self, name: str) -> str:
        """What is wrong with the text `name`, and how to convert it."""
        file = "FILE" if name == "<stdin>" else shlex.quote(name)
        return f"{name}: {self.problem}; convert it: {self.command} < {file} > NEW"


_CR_ALONE = TextForm("its lines seem to end in CR alone, not in LF", r"tr '\r' '\n'", ("inner_cr",))
_UTF_16 = TextForm("it is UTF-16, not UTF-8", "iconv -f utf-16 -t utf-8", tuple(_MENDED))
_UTF_32 = TextForm("it is UTF-32, not UTF-8", "iconv -f utf-32 -t utf-8", tuple(_MENDED))


@dataclass
class AffectedLines:
    """The number of lines with one kind of problem, and the line numbers (from 1) of the first of them."""

    count: int = 0
    numbers: list[int] = field(default_factory=list)

    def add(self, line: int) -> None:
        """Count one more line."""
        self.count += 1
        if self.count <= _MAX_NUMBERS:
            self.numbers.append(line)

    @property
    def first(self) -> int:
        """The number of the first such line; 0 if there is none."""
        return self.numbers[0] if self.numbers else 0

    def listing(self) -> str:
        """The line numbers for the end of a message; "" if there is only one, which the message begins with."""
        more = ", ..." if self.count > _MAX_NUMBERS else ""
        return f" (lines {', '.join(map(str, self.numbers))}{more})" if self.count > 1 else ""


@dataclass(frozen=True)
class UnknownText:
    """What a subword model cannot write in a line."""

    parts: tuple[str, ...]
    """The different characters that no subword spells, or, in a model of words, those that are not in it."""
    are_words: bool


@dataclass
class LinesWithUnknown(AffectedLines):
    """Lines with text that a subword model cannot write, and examples of it."""

    side: str = ""
    """"source" or "target" where the lines are pairs."""
    examples: list[str] = field(default_factory=list)
    """The first of the different characters or words."""
    are_words: bool = False

    def add_unknown(self, line: int, text: UnknownText) -> None:
        """Count one more line, if anything in it is unknown."""
        if not text.parts:
            return
        self.add(line)
        self.are_words = text.are_words
        for example in text.parts:
            if len(self.examples) < _MAX_EXAMPLES and example not in self.examples:
                self.examples.append(example)

    def problem(self) -> str:
        """What is wrong with the lines, with the examples."""
        side = f"{self.side} " if self.side else ""
        what = "words that are not in the vocabulary" if self.are_words else "characters that no subword spells"
        such_as = ", ".join(f"'{example}'" for example in self.examples)
        return f"with {side}{what}" + (f", such as {such_as}" if such_as else "")


@dataclass
class LineReport:
    """Problems with the lines of the stream `name`: those mended while reading, and those met by later steps."""

    name: str
    lines: int = 0
    """Lines read so far."""
    invalid: AffectedLines = field(default_factory=AffectedLines)
    """Lines that are not UTF-8."""
    nul: AffectedLines = field(default_factory=AffectedLines)
    """Lines with a NUL character."""
    inner_cr: AffectedLines = field(default_factory=AffectedLines)
    """Lines with a CR that is not at their end."""
    form: TextForm | None = None
    """What is wrong with the text as a whole, if anything is."""
    unknown: LinesWithUnknown = field(default_factory=LinesWithUnknown)
    """Lines with text that a model's subwords cannot write."""
    cut: AffectedLines = field(default_factory=AffectedLines)
    """Lines of more than `MAX_LINE_BYTES`."""
    shortened: AffectedLines = field(default_factory=AffectedLines)
    """Lines too long for a model, which reads only their beginning."""
    length_limit: str = ""
    """How much a model reads of `shortened` lines, with the unit."""
    unsatisfied: AffectedLines = field(default_factory=AffectedLines)
    """Lines whose prefix or required phrases were ignored, in part or in full (see `Translation.incomplete`)."""
    untranslated: AffectedLines = field(default_factory=AffectedLines)
    """Lines that have no translation."""

    def refuse_long_lines(self) -> None:
        """Refuse a text of which a part would be ignored.

        Raises:
            DataError: a line was longer than `MAX_LINE_BYTES`.
        """
        if self.cut.count:
            raise DataError(
                f"{self.name}:{self.cut.first}: is longer than {MAX_LINE_BYTES} bytes; break it into lines first, "
                "as with `fold -s -w 100000`"
            )

    def begin_with(self, line: bytes, *, ends_in_lf: bool) -> None:
        """Tell the form of the text by its first line, which ends in LF or is the only one."""
        if line.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
            self.form = _UTF_32
        elif line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self.form = _UTF_16
        elif not ends_in_lf and b"\r" in line.removesuffix(b"\r"):
            self.form = _CR_ALONE

    def refuse_form(self) -> None:
        """Refuse a text whose lines are not what they would be taken for.

        Raises:
            DataError: the text has a `form`.
        """
        if self.form:
            raise DataError(self.form.message(self.name))

    def log_warnings(self) -> None:
        """Log each of the `warnings`."""
        for warning in self.warnings():
            _logger.warning(warning)

    def warnings(self) -> Iterator[str]:
        """One sentence for each kind of problem, with the number of lines and the first of them."""
        explained: tuple[str, ...] = ()
        if self.form:
            yield self.form.message(self.name)
            explained = self.form.explains
        # where the same lines were cut and are too long for the model, they are reported once, as too long for it
        cut = AffectedLines() if self.cut == self.shortened else self.cut
        kinds = (
            *((getattr(self, name), problem) for name, problem in _MENDED.items() if name not in explained),
            (self.unknown, self.unknown.problem()),
            (self.shortened, f"longer than {self.length_limit}, the rest left out"),
            (
                self.unsatisfied,
                "whose prefix or phrases were ignored, in part or in full: they have characters or words that the "
                "model does not know, the phrases have more than 500 subwords, or the source is blank",
            ),
            (self.untranslated, "without a translation (no hypothesis could end); the output is blank"),
            (cut, f"longer than {MAX_LINE_BYTES} bytes, cut there"),
        )
        for affected, problem in kinds:
            if affected.count:
                yield f"{self.name}:{affected.first}: {affected.count} line(s) {problem}{affected.listing()}"
