"""What looks wrong with a parallel text is told; what is as it should be is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqtrans.text.corpus import ParallelText
from seqtrans.text.diagnosis import diagnose
from tests.conftest import ROOT

ENGLISH = ["a man is riding a horse", "two dogs run over the grass", "the woman reads her book", "children play here"]
GERMAN = ["ein Mann reitet auf einem Pferd", "zwei Hunde laufen", "die Frau liest ihr Buch", "Kinder spielen hier"]


def text(name: str, source: list[str], target: list[str]) -> ParallelText:
    return ParallelText(name, source, target, {})


GOOD = text("train", ENGLISH, GERMAN)
DEV = text("dev", ["the man reads a book", "two children run"], ["der Mann liest ein Buch", "zwei Kinder laufen"])


def test_good_texts_are_not_talked_about() -> None:
    assert list(diagnose(GOOD, DEV)) == []


def test_the_demo_corpus_is_good() -> None:
    sides = {
        name: [(ROOT / "data" / "demo" / f"{name}.{side}").read_text("utf-8").splitlines() for side in ("en", "de")]
        for name in ("train", "dev")
    }
    assert list(diagnose(text("train", *sides["train"]), text("dev", *sides["dev"]))) == []


@pytest.mark.parametrize("mark", ["▁a ▁man", "a m@@ an", "a man is rid ##ing"])
def test_subwords(mark: str) -> None:
    (warning,) = diagnose(text("train", ENGLISH, [mark] * 4), DEV)
    assert warning.startswith("train: the target seems to be in subwords already (4 of 4 lines")


@pytest.mark.parametrize("line", ["## Heading", "me@@you.org", "#tag and ## more", "a @ b"])
def test_what_only_resembles_the_marks_of_subwords(line: str) -> None:
    assert list(diagnose(text("train", ENGLISH, [line] * 4), text("dev", ["the man"], ["x"]))) == []


def test_a_target_that_copies_its_source() -> None:
    (warning,) = diagnose(text("train", ENGLISH, [*ENGLISH[:3], GERMAN[3]]), text("dev", ["two men"], ["zwei"]))
    assert warning == "train: in 3 of 4 pairs, source and target are the same"


def test_development_pairs_of_the_training_text() -> None:
    dev = text("dev", [*DEV.source, ENGLISH[0]], [*DEV.target, GERMAN[0]])
    (warning,) = diagnose(GOOD, dev)
    assert warning.startswith("dev: 1 of 3 pairs are in the training text too")
    other = text("dev", [*DEV.source, ENGLISH[0]], [*DEV.target, GERMAN[1]])
    assert list(diagnose(GOOD, other)) == []


def test_swapped_sides(tmp_path: Path) -> None:
    (warning,) = diagnose(GOOD, text("dev", DEV.target, DEV.source))
    assert warning.startswith("dev: source and target seem to be swapped")


def test_sides_in_one_language_are_not_swapped() -> None:
    """As in text normalisation, where nothing tells the sides apart."""
    assert list(diagnose(text("train", ENGLISH, ENGLISH[::-1]), text("dev", ENGLISH[:2], ENGLISH[2:]))) == []


def test_two_files_of_pairs_are_not_the_sides_of_pairs() -> None:
    columns = [f"{source}\t{target}" for source, target in zip(ENGLISH, GERMAN, strict=True)]
    (warning,) = diagnose(text("a b", columns[:2], columns[2:]), DEV)
    assert warning == (
        "a b: both files look like SOURCE TAB TARGET (2 and 2 of 2 lines have one TAB); several such files are joined "
        "with `cat` into one --train file"
    )
    for sides, side in (((columns, GERMAN), "source"), ((GERMAN, columns), "target")):
        (warning,) = diagnose(text("a b", *sides), DEV)
        assert warning == (
            f"a b: the {side} looks like SOURCE TAB TARGET (4 of 4 lines have one TAB); "
            "if it is, give that file alone, without the other side"
        )
    three = [f"{line}\tmore" for line in columns]
    assert list(diagnose(text("a b", three, three[::-1]), DEV)) == []
