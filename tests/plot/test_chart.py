"""Charts: every point where its value is, and a document that any reader of SVG accepts."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from seqtrans.plot.chart import WIDTH, Series, line_chart

SVG = "{http://www.w3.org/2000/svg}"
NAN, INF = math.nan, math.inf


def chart(*series: Series, log_y: bool = False, title: str = "Title") -> ElementTree.Element:
    """The document, read by a parser that knows nothing of how it was written."""
    return ElementTree.fromstring(line_chart(title, "across", "up", series, log_y=log_y).encode())


def texts(root: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


def markers(root: ElementTree.Element) -> list[tuple[float, float]]:
    return [(float(mark.attrib["cx"]), float(mark.attrib["cy"])) for mark in root.iter(f"{SVG}circle")]


def lines(root: ElementTree.Element) -> list[list[tuple[float, float]]]:
    found = []
    for line in root.iter(f"{SVG}polyline"):
        pairs = [pair.split(",") for pair in line.attrib["points"].split()]
        found.append([(float(x), float(y)) for x, y in pairs])
    return found


def plot(root: ElementTree.Element) -> tuple[float, float, float, float]:
    """Left, right, top and bottom of the grid."""
    drawn = [line.attrib for line in root.iter(f"{SVG}line") if "stroke-width" not in line.attrib]
    x = [float(line[name]) for line in drawn for name in ("x1", "x2")]
    y = [float(line[name]) for line in drawn for name in ("y1", "y2")]
    return min(x), max(x), min(y), max(y)


def assert_inside(root: ElementTree.Element) -> None:
    left, right, top, bottom = plot(root)
    assert 0 < left < right < WIDTH
    for x, y in markers(root) + [place for line in lines(root) for place in line]:
        assert left <= x <= right
        assert top <= y <= bottom


def test_points_lie_where_their_values_are() -> None:
    root = chart(Series("a", [(0, 0), (5, 50), (10, 100)]))
    left, right, top, bottom = plot(root)
    assert markers(root) == lines(root)[0]
    expected = [(left, bottom), ((left + right) / 2, (top + bottom) / 2), (right, top)]
    for place, wanted in zip(markers(root), expected, strict=True):
        assert place == pytest.approx(wanted, abs=0.01)
    assert {"0", "2", "4", "6", "8", "10", "20", "40", "60", "80", "100"} <= set(texts(root))


@pytest.mark.parametrize(
    "values",
    [[3.2], [7, 7, 7], [0, 0], [-4, -9.5], [1e-7, 3e-7], [1e12, 1e12 + 5], [-1e299, 1e299], [1e-320, 0], [0.1, 0.3]],
    ids=str,
)
def test_all_points_lie_inside_whatever_their_size(values: list[float]) -> None:
    root = chart(Series("a", list(enumerate(values))))
    assert len(markers(root)) == len(values)
    assert_inside(root)
    labels = texts(root)[1:-3]  # without the title, the names of the axes and of the series
    assert 4 <= len(labels) <= 24
    assert not [label for label in labels if len(label) > 20]


def test_ticks_are_written_as_people_write_numbers() -> None:
    root = chart(Series("a", [(0, -0.2), (20000, 0.3)]))
    assert {"0", "5,000", "20,000", "\N{MINUS SIGN}0.2", "0.0", "0.3"} <= set(texts(root))


def test_ticks_have_no_more_decimals_than_they_need() -> None:
    root = chart(Series("a", [(0, 0), (1, 4)]))
    assert {"0", "1", "2", "3", "4"} <= set(texts(root))


def test_a_logarithmic_axis_has_decades_and_leaves_out_what_has_no_logarithm() -> None:
    root = chart(Series("a", [(0, 0.1), (1, 1), (2, 10), (3, 0), (4, -5), (5, 1000)]), log_y=True)
    _, _, top, bottom = plot(root)
    assert {"0.1", "1", "10", "100", "1,000"} <= set(texts(root))
    heights = [y for _, y in markers(root)]
    assert heights == pytest.approx([bottom - (bottom - top) * share for share in (0, 0.25, 0.5, 1)], abs=0.01)
    assert [len(line) for line in lines(root)] == [3]
    assert_inside(root)


@pytest.mark.parametrize("values", [[5e-324, 1e299], [1], [3, 4], [0, -1]], ids=str)
def test_a_logarithmic_axis_of_any_range(values: list[float]) -> None:
    root = chart(Series("a", list(enumerate(values))), log_y=True)
    assert len(markers(root)) == sum(value > 0 for value in values)
    assert_inside(root)


def test_a_line_is_broken_where_a_value_is_not_finite() -> None:
    root = chart(Series("a", [(0, 1), (1, 2), (2, NAN), (3, 3), (4, 4), (5, INF), (6, 5), (NAN, 6)]))
    assert [len(line) for line in lines(root)] == [2, 2]
    assert len(markers(root)) == 5
    assert_inside(root)


def test_a_long_line_has_no_markers_but_where_nothing_else_would_show() -> None:
    root = chart(Series("a", [*((x, x % 7) for x in range(500)), (500, NAN), (501, 3)]))
    assert len(lines(root)[0]) == 500
    assert len(markers(root)) == 1


@pytest.mark.parametrize("series", [[], [Series("a", [])], [Series("a", [(1, NAN), (INF, 2)])]], ids=str)
@pytest.mark.parametrize("log_y", [False, True])
def test_without_points_there_are_axes(series: list[Series], log_y: bool) -> None:
    root = chart(*series, log_y=log_y)
    assert not markers(root)
    assert not lines(root)
    assert {"Title", "across", "up", "1" if log_y else "1.0"} <= set(texts(root))


def test_text_is_escaped_and_what_xml_cannot_hold_is_replaced() -> None:
    name, title = "a<b>&\"c'.\x00\udcff", 'R&D </svg> "quoted" it\'s'
    root = chart(Series(name, [(1, 1)]), title=title)
    assert root.attrib["aria-label"] == title
    assert title in texts(root)
    assert "a<b>&\"c'.\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}" in texts(root)


def test_a_long_name_is_cut_and_told_whole_to_a_pointer() -> None:
    name = "a-long-directory/" * 12
    root = chart(Series(name, [(1, 1)]))
    (shown,) = [text for text in root.iter(f"{SVG}text") if text.find(f"{SVG}title") is not None]
    title = shown.find(f"{SVG}title")
    assert title is not None
    assert title.text == name
    assert (title.tail or "").endswith("…")
    left, right, _, _ = plot(root)
    assert right - left > WIDTH / 2


@pytest.mark.parametrize("count", [1, 7, 8, 40])
def test_names_stand_apart_and_series_look_different(count: int) -> None:
    root = chart(*(Series(f"system {number}", [(0, 1), (1, 1)]) for number in range(count)))
    heights = sorted(
        float(text.attrib["y"]) for text in root.iter(f"{SVG}text") if "system" in "".join(text.itertext())
    )
    assert len(heights) == count
    assert all(below - above >= 15 for above, below in pairwise(heights))
    assert heights[0] > 0
    assert heights[-1] < float(root.attrib["height"])
    swatches = [line.attrib for line in root.iter(f"{SVG}line") if "stroke-width" in line.attrib]
    looks = {(line["stroke"], line.get("stroke-dasharray")) for line in swatches}
    assert len(looks) == min(count, 28)


def test_the_document_is_the_same_each_time_and_stands_alone() -> None:
    series = [Series("a", [(1, 2), (3, 4.5)]), Series("b", [(1, NAN), (3, 0.1)])]
    document = line_chart("t", "x", "y", series)
    assert document == line_chart("t", "x", "y", series)
    assert not re.search(r"<script|href|url\(|@import|<style", document)
    assert document.count("http") == 1  # the name of the format, which nobody fetches


def test_an_axis_from_zero_shows_heights_as_they_are() -> None:
    series = [Series("a", [(1, 38.0), (2, 39.0)])]
    cut, whole = (line_chart("t", "x", "y", series, from_zero=from_zero) for from_zero in (False, True))
    assert ">0</text>" not in cut
    assert ">0</text>" in whole
    (low, high), (other_low, other_high) = (
        [float(circle.get("cy", "")) for circle in ElementTree.fromstring(document.encode()).iter(f"{SVG}circle")]
        for document in (cut, whole)
    )
    assert low - high > 5 * (other_low - other_high) > 0


def test_notes_stand_above_the_axis_at_their_places() -> None:
    document = line_chart("t", "x", "y", [Series("a", [(1, 3.0), (2, 5.0)])], notes=[(1, "1,000"), (2, "7")])
    root = ElementTree.fromstring(document.encode())
    texts = {text.text: float(text.get("x", "")) for text in root.iter(f"{SVG}text")}
    assert texts["1,000"] < texts["7"]
