"""Learning subwords: sizes that fit, nothing lost in silence, the same bytes each time."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import sentencepiece
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtrans.errors import DataError, UsageError
from seqtrans.text import subword_training
from seqtrans.text.subword_training import fitting_vocab_size, learn_subwords
from seqtrans.text.subwords import SUBWORD_TYPES, UNK_ID, SubwordModel, SubwordType
from tests.conftest import seqtrans_environment
from tests.logs import logged

TEXT = ["the small dog sleeps", "der kleine Hund schläft", "two dogs and a cat"] * 4

every_type = pytest.mark.parametrize("subword_type", SUBWORD_TYPES)


def learn(lines: Iterable[str], *args: Any, **options: Any) -> tuple[SubwordModel, list[str]]:
    with logged() as messages:
        return learn_subwords(lines, *args, **options), messages


def test_a_size_that_fits_is_kept_without_a_word() -> None:
    model, messages = learn(TEXT, "bpe", 60)
    assert (model.size, messages) == (60, [])


@every_type
def test_a_size_beyond_the_text_is_clamped_and_told(subword_type: SubwordType) -> None:
    model, messages = learn(TEXT, subword_type, 5000)
    assert model.size < 200
    assert messages == [f"vocabulary size 5000 is more than this text gives: {model.size} taken"]


def test_a_size_that_is_a_limit_need_not_be_reached() -> None:
    model, messages = learn(TEXT, "char", 5000, at_most=True)
    assert model.size < 200
    assert messages == []


@pytest.mark.parametrize("subword_type", ["bpe", "unigram", "char"])
@pytest.mark.parametrize("normalization", ["identity", "nfkc"])
def test_a_size_below_the_characters_is_raised_and_told(subword_type: SubwordType, normalization: str) -> None:
    lines = [*TEXT, "e\u0301 ﬁ ʰ ｆ"]
    model, messages = learn(lines, subword_type, 5, normalization=normalization)
    assert messages == [f"vocabulary size 5 is too small for the characters of this text: {model.size} taken"]
    assert all(UNK_ID not in model.encode(line) for line in lines)


def test_a_model_of_words_may_leave_words_out() -> None:
    model, messages = learn(TEXT, "word", 6)
    assert (model.size, messages) == (6, [])


@every_type
def test_every_character_of_the_text_is_known(subword_type: SubwordType) -> None:
    lines = [
        *TEXT,
        "a\tb",
        "\u00a0\u3000",
        "🙂 \ufeff \u2028",
        "ʰ ː θ",
        "<s> </s>",
        "x" * 70_000,
        "long line " * 2000,
    ]
    model, _ = learn(lines, subword_type, 300)
    for line in lines[:-3]:
        assert model.decode(model.encode(line)) == line
    assert subword_type == "word" or UNK_ID not in model.encode(lines[-1] + lines[-2])


def test_lines_with_the_reserved_character_are_learned_without_it_and_told() -> None:
    model, messages = learn([*TEXT, "x▅y", "▅"], "char", 40)
    assert messages[0] == "2 line(s) hold U+2585, which SentencePiece reserves; it will stay unknown"
    assert model.encode("x▅y").count(UNK_ID) == 1


def test_identity_keeps_what_nfkc_changes() -> None:
    lines = [*TEXT, "tʰ ﬁ"]
    assert learn(lines, "bpe", 60)[0].normalize("tʰ ﬁ") == "tʰ ﬁ"
    assert learn(lines, "bpe", 60, normalization="nfkc")[0].normalize("tʰ ﬁ") == "th fi"


@every_type
def test_the_same_text_gives_the_same_bytes(subword_type: SubwordType) -> None:
    script = (
        "import sys; from seqtrans.text.subword_training import learn_subwords as learn; "
        f"print(learn({TEXT!r}, {subword_type!r}, 50).digest)"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        env=seqtrans_environment(PYTHONHASHSEED="7"),
        check=True,
    )
    assert run.stdout.decode().strip() == learn(TEXT, subword_type, 50)[0].digest
    assert run.stderr == b""


@pytest.mark.parametrize("lines", [[], [""], ["", "  ", "\u2581"]])
def test_empty_text_is_bad_data(lines: list[str]) -> None:
    with pytest.raises(DataError, match="no text"):
        learn(lines)


def test_what_the_lines_raise_comes_through() -> None:
    def broken() -> Iterator[str]:
        yield "a"
        raise DataError("in.txt:2: bad")

    with pytest.raises(DataError, match=r"^in\.txt:2: bad$"):
        learn(broken())


@pytest.mark.parametrize(
    ("args", "options"),
    [
        (("syllable", 100), {}),
        (("bpe", 4), {}),
        (("bpe", -1), {}),
        (("bpe", 10**9), {}),
        (("char", 100), {"byte_fallback": True}),
        (("bpe", 100), {"normalization": "nfd"}),
    ],
)
def test_options_that_cannot_be_are_usage_errors(args: tuple[Any, ...], options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        learn(TEXT, *args, **options)


@settings(max_examples=40)
@given(
    lines=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=6),
    subword_type=st.sampled_from(SUBWORD_TYPES),
)
def test_any_text_gives_a_model_or_one_line(lines: list[str], subword_type: SubwordType) -> None:
    if any(set(line) - set(" \n\r\0\u2581\u2585") for line in lines):
        assert learn(lines, subword_type, 30)[0].type == subword_type
    else:
        with pytest.raises(DataError, match="no text"):
            learn(lines, subword_type, 30)


def test_signals_take_their_default_effect_while_sentencepiece_works_and_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[object] = []
    train = sentencepiece.SentencePieceTrainer.train

    def noting_train(**options: Any) -> None:
        seen.extend(signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        train(**options)

    monkeypatch.setattr(sentencepiece.SentencePieceTrainer, "train", noting_train)
    before = signal.getsignal(signal.SIGINT)
    learn(TEXT, "char")
    assert seen[0] == signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) == before


def test_a_text_too_large_is_thinned_evenly_told_and_its_characters_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subword_training, "MAX_CHARACTERS", 2000)
    lines = [f"line number {number} {chr(0x4E00 + number)} ,\t{chr(0x300 + number % 64)}" for number in range(500)]
    model, messages = learn(lines, "bpe", 700)
    assert messages[0] == (
        "more than 2000 characters: learning from every 8th of 500 lines, and from the characters of all"
    )
    assert all(UNK_ID not in model.encode(line) for line in lines)


def test_fitting_sizes_grow_with_the_corpus_within_limits() -> None:
    sizes = [fitting_vocab_size(pairs) for pairs in (0, 10, 1_000, 29_000, 160_000, 10_000_000)]
    assert sizes == [200, 200, 791, 4257, 10_000, 16_000]


@every_type
@pytest.mark.parametrize("normalization", ["identity", "nfkc"])
def test_the_names_of_special_subwords_are_text(subword_type: SubwordType, normalization: str) -> None:
    """SentencePiece itself leaves their letters out, and breaks words at them."""
    lines = ["a<s>b x<s>y q<s>z</s>w <unk> pre<pad>post", "k<unk>l 1 < 2 <b>m</b>"] * 10
    model, _ = learn(lines, subword_type, 100, normalization=normalization)
    assert all(UNK_ID not in model.encode(line) for line in lines)
    assert [model.decode(model.encode(line)) for line in lines] == lines
    assert SubwordModel(model.proto).pieces(range(4)) == ["<pad>", "<unk>", "<s>", "</s>"]


def test_a_word_may_be_called_unk() -> None:
    """As in the Penn Treebank of language models."""
    model, _ = learn(["the <unk> rose", "<unk> and <unk>"] * 5, "word", 100)
    assert model.pieces(model.encode("the <unk> rose")) == ["▁the", "▁<unk>", "▁rose"]
    assert model.size == 8


@every_type
def test_a_model_is_the_same_if_control_characters_are_text(subword_type: SubwordType) -> None:
    lines = ["a\x01b <s> \x02", "c<unk>d \x01"] * 10
    model, _ = learn(lines, subword_type, 100)
    assert [model.decode(model.encode(line)) for line in lines] == lines


def test_the_names_of_bytes_are_text() -> None:
    lines = ["a <0x41> b", "<0xFF>c <s>"] * 10
    model, _ = learn(lines, "bpe", 400, byte_fallback=True)
    assert [model.decode(model.encode(line)) for line in lines] == lines


@pytest.mark.skipif(sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="needs Linux, two processors")
def test_sentencepiece_works_on_as_many_processors_as_torch_and_learns_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = ["one two three four", "five six seven eight"] * 50
    learn, used, models = sentencepiece.SentencePieceTrainer.train, [], []

    def watched(**options: Any) -> None:
        used.append(len(os.sched_getaffinity(0)))
        learn(**options)

    monkeypatch.setattr(sentencepiece.SentencePieceTrainer, "train", watched)
    every, threads = os.sched_getaffinity(0), torch.get_num_threads()
    try:
        for number in (1, len(every)):
            torch.set_num_threads(number)
            models.append(learn_subwords(lines, "unigram", 40).proto)
    finally:
        torch.set_num_threads(threads)
    assert used == [1, len(every)]
    assert os.sched_getaffinity(0) == every
    assert models[0] == models[1]
