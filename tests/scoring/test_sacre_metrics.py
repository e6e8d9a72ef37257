"""bleu, chrf and ter are sacreBLEU's, to the last bit."""

from __future__ import annotations

import os

import pytest
import sacrebleu
from sacrebleu import BLEU, CHRF, TER
from sacrebleu.significance import PairedTest

from seqtrans.errors import UsageError
from seqtrans.scoring import MetricSettings, Resampling, metric

HYPOTHESES = ["the cat sat on the mat.", "there is a Dog here", "", "It rains; it pours, all day long"]
REFERENCES = ["the cat sat on a mat.", "There is a dog here.", "empty?", "It rains, it pours, all day."]
OTHERS = ["a cat sat on the mat.", "A dog is here.", "nothing", "It rains and pours all day."]

THEIRS = {"bleu": BLEU(), "chrf": CHRF(), "ter": TER()}


@pytest.mark.parametrize("references", [[REFERENCES], [REFERENCES, OTHERS]], ids=["1 ref", "2 refs"])
@pytest.mark.parametrize("name", THEIRS)
def test_score_and_signature_are_sacrebleus(name: str, references: list[list[str]]) -> None:
    ours = metric(name)
    expected = THEIRS[name].corpus_score(HYPOTHESES, references)
    assert ours.corpus(HYPOTHESES, references).value == expected.score
    assert ours.signature(len(references)) == str(THEIRS[name].get_signature())
    assert ours.label == expected.name


def test_the_default_signature_is_the_fields() -> None:
    expected = f"nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:{sacrebleu.__version__}"
    assert metric("bleu").signature(1) == expected


def test_settings_reach_sacrebleu_and_the_signature() -> None:
    ours = metric("bleu", MetricSettings(lowercase=True, tokenize="char"))
    theirs = BLEU(lowercase=True, tokenize="char").corpus_score(HYPOTHESES, [REFERENCES])
    assert ours.corpus(HYPOTHESES, [REFERENCES]).value == theirs.score
    assert "|case:lc|" in ours.signature(1)
    assert "|tok:char|" in ours.signature(1)
    assert metric("chrf", MetricSettings(lowercase=True)).signature(1).startswith("nrefs:1|case:lc|")


def test_bleu_tells_what_it_was_made_of() -> None:
    details = metric("bleu").corpus(["a b c d e"], [["a b c d f g"]]).details
    assert details["precisions"] == pytest.approx([80, 75, 200 / 3, 50])
    assert (details["hyp_len"], details["ref_len"]) == (5, 6)
    assert details["bp"] == pytest.approx(0.8187, abs=1e-4)


def test_ter_counts_edits_and_words() -> None:
    assert metric("ter").corpus(["a b x"], [["a b c d"]]).details == {"edits": 2, "ref_words": 4}


@pytest.mark.parametrize("name", ["flores200", "13b", ""])
def test_unknown_tokenizers_are_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(UsageError, match="13a, none, intl, char, zh"):
        metric("bleu", MetricSettings(tokenize=name))


@pytest.mark.parametrize("tokenizer", ["13a", "none", "intl", "char", "zh"])
def test_every_listed_tokenizer_works(tokenizer: str) -> None:
    text = ["Ein Mann, 37, geht. 一个人"]
    assert metric("bleu", MetricSettings(tokenize=tokenizer)).corpus(text, [text]).value == pytest.approx(100)


@pytest.mark.parametrize("name", THEIRS)
def test_bootstrap_is_sacrebleus(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    systems = [HYPOTHESES * 10, [*OTHERS[:2], *REFERENCES[2:]] * 10]
    references = [REFERENCES * 10]
    monkeypatch.delenv("SACREBLEU_SEED", raising=False)
    test = PairedTest([("a", systems[0]), ("b", systems[1])], {name: THEIRS[name]}, references, "bs", 100)
    signatures, columns = test()
    base, other = columns[THEIRS[name].corpus_score([""], [[""]]).name]
    ours = metric(name)
    assert not isinstance(base, str)
    assert not isinstance(other, str)
    estimates = ours.bootstrap(systems, references, Resampling(samples=100))
    assert [(e.mean, e.margin, e.p_value) for e in estimates] == [
        (base.mean, base.ci, None),
        (other.mean, other.ci, other.p_value),
    ]
    assert ours.signature(1, Resampling(samples=100)) == str(next(iter(signatures.values())))


@pytest.mark.parametrize("before", ["none", "7", None])
def test_the_environment_neither_changes_the_draw_nor_is_changed(
    before: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    systems, references = [HYPOTHESES * 5, OTHERS * 5], [REFERENCES * 5]
    monkeypatch.setenv("SACREBLEU_SEED", "12345")
    expected = metric("chrf").bootstrap(systems, references, Resampling(samples=20))
    if before is None:
        monkeypatch.delenv("SACREBLEU_SEED")
    else:
        monkeypatch.setenv("SACREBLEU_SEED", before)
    assert metric("chrf").bootstrap(systems, references, Resampling(samples=20)) == expected
    assert os.environ.get("SACREBLEU_SEED") == before
