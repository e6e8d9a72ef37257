"""Which references BLEU can compare, and with which tokenizer."""

from __future__ import annotations

import pytest

from seqtrans.scoring.contract import MetricSettings
from seqtrans.scoring.suitability import fitting_settings, share_too_short


@pytest.mark.parametrize(
    ("references", "tokenizer"),
    [
        (["Ein Mann geht.", "Zwei Hunde"], "13a"),
        (["Человек идёт", "Anna"], "13a"),
        (["一个男人在走路。", "两只狗"], "zh"),
        (["男の人が歩いている", "犬"], "char"),
        (["ผู้ชายกำลังเดิน"], "char"),
        (["a word 男"], "13a"),
        ([""], "13a"),
    ],
)
def test_the_tokenizer_fits_the_script(references: list[str], tokenizer: str) -> None:
    assert fitting_settings(references) == MetricSettings(tokenize=tokenizer)


def test_references_of_fewer_than_four_tokens_are_too_short() -> None:
    references = ["one two three four", "one two three", "one, two.", ""]
    assert share_too_short(references, MetricSettings()) == 0.5  # "one , two ." has four tokens
    assert share_too_short(["一个男人在走路。"], MetricSettings()) == 1
    assert share_too_short(["一个男人在走路。"], MetricSettings(tokenize="zh")) == 0
