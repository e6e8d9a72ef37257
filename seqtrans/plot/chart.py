"""Line charts as SVG text: one self-contained document.

Colours are those of Okabe and Ito, "Color Universal Design" (2008), which colour-blind readers can distinguish,
without their yellow, which is hard to see on white. Lengths are in pixels.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from seqtrans.plot.ticks import HUGE, Axis, decades, linear

WIDTH = 720
_TOP, _BOTTOM = 52, 56
"""The heights of the margins above and below the plot."""
_PLOT_HEIGHT = 300
"""The least height of the plot; with many names it is higher."""
_MAX_RIGHT = 200
"""The largest width of the margin at the right, which holds the names."""
_NAME_DISTANCE = 18
"""The least distance between two names at the right."""
_SMALL, _LARGE = 12, 16
"""Font sizes."""
_MAX_MARKERS = 60
"""A line with more points than this has no markers, which would hide it."""
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_DASHES = ("", "6 3", "2 3", "8 3 2 3")
_INK, _PALE, _GRID = "#222222", "#595959", "#E4E4E4"

Point = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """One line of the chart: its name, and its points in order. A y that is not finite makes a gap."""

    name: str
    points: Sequence[Point]


@dataclass(frozen=True)
class _Frame:
    """The position of the plot, which maps values to pixels."""

    x: Axis
    y: Axis
    left: float
    right: float
    top: float
    bottom: float

    def place(self, point: Point) -> Point:
        return (
            self.left + self.x.share(point[0]) * (self.right - self.left),
            self.bottom - self.y.share(point[1]) * (self.bottom - self.top),
        )


def line_chart(
    title: str,
    x_label: str,
    y_label: str,
    series: Sequence[Series],
    *,
    log_y: bool = False,
    from_zero: bool = False,
    notes: Sequence[tuple[float, str]] = (),
) -> str:
    """An SVG document, 720 pixels wide: axes with round ticks, and a line for each series with its name at its end.

    With `from_zero`, the axis of y has 0, so that heights can be compared; else it has only the values. `notes` are
    short texts above the axis of x, each with its place on that axis.

    Equal arguments give equal bytes. A point that is not finite or beyond 1e300 makes a gap in its line; with `log_y`,
    where the ticks of y are powers of ten, so does y <= 0. Without any points, axes and names are drawn.
    """
    lines = [list(_runs(each.points, log_y)) for each in series]
    points = [point for runs in lines for run in runs for point in run]
    x = linear([point[0] for point in points])
    y = (decades if log_y else linear)([*([0.0] if from_zero else []), *(point[1] for point in points)])
    left = 16 + _LARGE + max(_width(label, _SMALL) for _, label in y.ticks) + 8
    right = min(_MAX_RIGHT, 48 + max((_width(each.name, _SMALL) for each in series), default=0))
    height = max(_PLOT_HEIGHT, _NAME_DISTANCE * len(series))
    frame = _Frame(x, y, left, WIDTH - right, _TOP, _TOP + height)
    elements = [
        *_head(title, frame),
        *_grid(frame),
        *_axis_names(x_label, y_label, frame),
        *(part for number, runs in enumerate(lines) for part in _line(number, series[number], runs, frame, log_y)),
        *_names(series, lines, frame),
        *(_text(frame.place((at, y.low))[0], frame.bottom - 6, note, anchor="middle") for at, note in notes),
    ]
    return "\n".join([*elements, "</svg>", ""])


def _runs(points: Sequence[Point], log_y: bool) -> Iterator[list[Point]]:
    """The parts of a line between its gaps; with a logarithmic axis, y is replaced by its logarithm."""
    run: list[Point] = []
    for x, y in points:
        # comparisons with nan are false, so that nan makes a gap too
        if abs(x) < HUGE and abs(y) < HUGE and (y > 0 or not log_y):
            run.append((x, math.log10(y) if log_y else y))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _head(title: str, frame: _Frame) -> Iterator[str]:
    height = frame.bottom + _BOTTOM
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img" aria-label={quoteattr(_legal(title))} '
        f'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif">'
    )
    yield f'<rect width="{WIDTH}" height="{height}" fill="#FFFFFF"/>'
    yield _text(frame.left, 30, title, WIDTH - frame.left - 12, size=_LARGE, fill=_INK, weight="600")


def _grid(frame: _Frame) -> Iterator[str]:
    for at, label in frame.x.ticks:
        x, _ = frame.place((at, frame.y.low))
        yield _stroke(x, frame.top, x, frame.bottom, _GRID)
        yield _text(x, frame.bottom + 18, label, anchor="middle")
    for at, label in frame.y.ticks:
        _, y = frame.place((frame.x.low, at))
        yield _stroke(frame.left, y, frame.right, y, _GRID)
        yield _text(frame.left - 8, y + 4, label, anchor="end")
    yield _stroke(frame.left, frame.bottom, frame.right, frame.bottom, _PALE)
    yield _stroke(frame.left, frame.top, frame.left, frame.bottom, _PALE)


def _axis_names(x_label: str, y_label: str, frame: _Frame) -> Iterator[str]:
    middle = (frame.left + frame.right) / 2
    yield _text(middle, frame.bottom + 42, x_label, frame.right - frame.left, fill=_INK, anchor="middle")
    up = (frame.top + frame.bottom) / 2
    name = _text(0, 0, y_label, frame.bottom - frame.top, fill=_INK, anchor="middle")
    yield f'<g transform="translate({_length(20)} {_length(up)}) rotate(-90)">{name}</g>'


def _line(number: int, series: Series, runs: Sequence[Sequence[Point]], frame: _Frame, log_y: bool) -> Iterator[str]:
    colour, dash = _style(number)
    marked = sum(map(len, runs)) <= _MAX_MARKERS
    yield f'<g fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round" stroke-linecap="round">'
    yield f"<title>{escape(_legal(series.name))}</title>"
    for run in runs:
        places = [frame.place(point) for point in run]
        if len(run) > 1:
            yield f'<polyline points="{" ".join(f"{_length(x)},{_length(y)}" for x, y in places)}"{dash}/>'
        for (x, y), point in zip(places, run, strict=True):
            if marked or len(run) == 1:  # a single point has no line
                value = f"{series.name}: {point[0]:g}, {10.0 ** point[1] if log_y else point[1]:g}"
                yield (
                    f'<circle cx="{_length(x)}" cy="{_length(y)}" r="3.5" fill="{colour}" stroke="#FFFFFF" '
                    f'stroke-width="1"><title>{escape(_legal(value))}</title></circle>'
                )
    yield "</g>"


def _names(series: Sequence[Series], lines: Sequence[Sequence[Sequence[Point]]], frame: _Frame) -> Iterator[str]:
    """Each name at the height of its line's end, or as close to it as the other names allow."""
    ends = [frame.place(runs[-1][-1])[1] if runs else frame.bottom for runs in lines]
    order = sorted(range(len(ends)), key=lambda number: (ends[number], number))
    heights: list[float] = []
    for number in order:  # from the top down, each name is moved below the one above it
        heights.append(max(ends[number], heights[-1] + _NAME_DISTANCE if heights else frame.top))
    lowest = frame.bottom
    for place in reversed(range(len(heights))):  # from the bottom up, each is moved back into the plot
        heights[place] = min(heights[place], lowest)
        lowest = heights[place] - _NAME_DISTANCE
    for number, y in zip(order, heights, strict=True):
        colour, dash = _style(number)
        yield _stroke(frame.right + 10, y, frame.right + 28, y, colour, f' stroke-width="2.5"{dash}')
        yield _text(frame.right + 34, y + 4, series[number].name, WIDTH - frame.right - 40, fill=_INK)


def _style(number: int) -> tuple[str, str]:
    """Colour and dash attribute of a series; after the last colour, the colours are used again with dashes."""
    dash = _DASHES[number // len(_COLOURS) % len(_DASHES)]
    return _COLOURS[number % len(_COLOURS)], f' stroke-dasharray="{dash}"' if dash else ""


def _stroke(x1: float, y1: float, x2: float, y2: float, colour: str, attributes: str = "") -> str:
    ends = f'x1="{_length(x1)}" y1="{_length(y1)}" x2="{_length(x2)}" y2="{_length(y2)}"'
    return f'<line {ends} stroke="{colour}"{attributes}/>'


def _text(
    x: float,
    y: float,
    text: str,
    room: float = math.inf,
    *,
    size: int = _SMALL,
    fill: str = _PALE,
    anchor: str = "start",
    weight: str = "400",
) -> str:
    """Text at its base line, shortened to `room`; the whole text is shown when the pointer is over it."""
    text = _legal(text)
    label = text
    while label and _width(label, size) > room:
        label = label[:-2].rstrip() + "…" if len(label) > 2 else ""
    whole = f"<title>{escape(text)}</title>" if label != text else ""
    style = f'font-size="{size}" font-weight="{weight}" fill="{fill}" text-anchor="{anchor}"'
    return f'<text x="{_length(x)}" y="{_length(y)}" {style}>{whole}{escape(label)}</text>'


def _width(text: str, size: int) -> float:
    """The estimated width, since the reader's font is unknown: East Asian wide characters 1 em, others 0.58 em."""
    return size * sum(1.0 if unicodedata.east_asian_width(character) in "WF" else 0.58 for character in text)


def _length(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _legal(text: str) -> str:
    """Text that XML can hold: control characters and surrogates (from broken file names) are replaced."""
    return "".join(
        character
        if character.isprintable() or character == " "
        else " "
        if character in "\t\r\n"
        else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )
