"""The Python API, as a program uses it. mypy checks this file, so the types are tested too."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

import pytest

import seqtrans
from seqtrans.search.options import SearchSettings
from tests.conftest import ROOT, RunSeqtrans

Text = tuple[Path, Path]
LINES = ["one two three", "four five", "", "six"]


@pytest.fixture(scope="module")
def translator(tiny_model: Path) -> seqtrans.Translator:
    return seqtrans.load(tiny_model, precision="fp32", threads=1)


def test_importing_it_and_scoring_take_no_torch() -> None:
    code = "import sys, seqtrans; {}; print(*({'torch', 'numpy', 'sentencepiece', 'sacrebleu'} & set(sys.modules)))"
    uses: dict[str, list[str]] = {"": [], "seqtrans.score(['a'], ['a'], ['exact'])": []}
    for use, expected in uses.items():
        command = [sys.executable, "-c", code.replace("{}", use or "pass", 1)]
        run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
        assert run.stdout.split() == expected


def test_everything_that_is_offered_is_there() -> None:
    assert dir(seqtrans) == sorted(seqtrans.__all__)
    for name in seqtrans.__all__:
        assert getattr(seqtrans, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        seqtrans.nothing  # noqa: B018


def test_translations_have_text_score_log_probability_and_alignment(translator: seqtrans.Translator) -> None:
    translations = translator.translate(LINES, beam=5, n_best=3)
    assert [one.text for one in translations] == ["drei zwei eins", "fünf vier", "", "sechs"]
    first: seqtrans.Translation = translations[0]
    assert len(first.n_best) == 3
    scores = [one.score for one in first.n_best]
    assert scores == sorted(scores, reverse=True)
    best: seqtrans.ScoredText = first.n_best[0]
    assert (best.text, best.score, best.log_prob) == (first.text, first.score, first.log_prob)
    assert best.log_prob == pytest.approx(sum(best.subword_log_probs), abs=1e-4)
    assert first.alignment == [(2, 0), (1, 1), (0, 2)]
    assert best.attention is not None
    assert best.attention.shape == (3, 4)
    assert first.source_subwords == ["▁one", "▁two", "▁three"]


def test_it_translates_as_the_command_line_does(
    translator: seqtrans.Translator, tiny_model: Path, run_seqtrans: RunSeqtrans
) -> None:
    run = run_seqtrans("translate", "-m", tiny_model, "--precision", "fp32", input="\n".join(LINES).encode())
    assert [one.text for one in translator.translate(LINES)] == run.stdout.decode().split("\n")[:-1]


def test_options_as_one_object_or_by_name(translator: seqtrans.Translator) -> None:
    options = seqtrans.SearchOptions(beam=2, n_best=2)
    by_object, by_name = translator.translate(LINES, options), translator.translate(LINES, beam=2, n_best=2)
    assert [[s.text for s in one.n_best] for one in by_object] == [[s.text for s in one.n_best] for one in by_name]
    assert by_object[0].alignment is None
    assert by_name[0].alignment is not None
    with pytest.raises(seqtrans.UsageError, match="not both"):
        translator.translate(LINES, options, beam=3)
    with pytest.raises(seqtrans.UsageError, match="n_best = 9 needs a beam as wide"):
        translator.translate(LINES, n_best=9)
    with pytest.raises(seqtrans.UsageError, match="length_penalty must be at least 0"):
        seqtrans.SearchOptions(length_penalty=-1)


def test_wrong_arguments_are_one_line(translator: seqtrans.Translator, tiny_model: Path, tmp_path: Path) -> None:
    wrong: dict[str, Callable[[], object]] = {
        "unknown task 'tagger'; known: translate, lm, tag": lambda: seqtrans.load(tiny_model, "tagger"),  # type: ignore[call-overload]
        "no model is named": lambda: seqtrans.load([]),
        "--precision must be auto, fp32 or bf16": lambda: seqtrans.load(tiny_model, "lm", precision="int8"),
        "did you mean 'beam'": lambda: translator.translate(LINES, beem=3),  # type: ignore[call-arg]
        "temperature has no effect without sample": lambda: translator.translate(LINES, temperature=0.5),
        "batch_size must be at least 1": lambda: translator.translate(LINES, batch_size=0),
        "a line is a string, not int": lambda: translator.translate([3]),  # type: ignore[list-item]
        "'max_steps' is no section": lambda: seqtrans.train(
            tiny_model,
            tiny_model,
            tmp_path / "m",
            settings={"max_steps": 3},  # type: ignore[dict-item]
        ),
        "side must be source or target": lambda: seqtrans.tokenizer(tiny_model, "both"),  # type: ignore[arg-type]
    }
    for message, call in wrong.items():
        with pytest.raises(seqtrans.UsageError, match=message) as caught:
            call()
        assert "\n" not in str(caught.value)


def test_lines_of_an_open_file(translator: seqtrans.Translator, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("".join(f"{line}\n" for line in LINES), "utf-8")
    with (tmp_path / "text").open(encoding="utf-8") as stream:
        assert [one.text for one in translator.translate(stream)] == [one.text for one in translator.translate(LINES)]


def test_blank_lines_share_nothing(translator: seqtrans.Translator) -> None:
    first, second = translator.translate(["", ""])
    first.n_best[0].subword_log_probs.append(1.0)
    assert second.n_best[0].subword_log_probs == []


def test_one_string_is_no_list_of_lines(translator: seqtrans.Translator) -> None:
    for wrong in (
        lambda: translator.translate("one two"),
        lambda: translator.score("one two", ["zwei eins"]),
        lambda: translator.score(["one two"], "zwei eins"),
    ):
        with pytest.raises(seqtrans.UsageError, match="not one string"):
            wrong()


def test_the_names_of_options_are_typed() -> None:
    """`SearchSettings` is what mypy knows of keyword arguments: the fields of `SearchOptions` with their types."""
    hints = get_type_hints(seqtrans.SearchOptions)
    assert get_type_hints(SearchSettings) == {f.name: hints[f.name] for f in fields(seqtrans.SearchOptions)}


def test_a_prefix_and_phrases_stand_in_the_lines(translator: seqtrans.Translator) -> None:
    (forced,) = translator.translate(["one two\tdrei"], prefix=True)
    assert forced.text.startswith("drei")
    (required,) = translator.translate(["one two\tneun"], require=True, beam=10)
    assert "neun" in required.text


def test_scores_of_given_translations(translator: seqtrans.Translator) -> None:
    right, wrong = translator.score(["one two", "one two"], ["zwei eins", "eins zwei"])
    assert right.log_prob > wrong.log_prob
    assert right.perplexity < wrong.perplexity
    assert right.characters == len("zwei eins\n")


def test_several_models_translate_together(tiny_model: Path, translator: seqtrans.Translator) -> None:
    both = seqtrans.load([tiny_model, tiny_model], precision="fp32")
    texts = [one.text for one in both.translate(LINES, ensemble="log-probabilities")]
    assert texts == [one.text for one in translator.translate(LINES)]
    with pytest.raises(seqtrans.UsageError, match="ensemble has no effect without several models"):
        translator.translate(LINES, ensemble="log-probabilities")


def test_training_and_the_three_kinds_of_models(tmp_path: Path, parallel_text: Text, tiny_config: Path) -> None:
    _, target = parallel_text
    small = {"model": {"embedding": 8, "hidden": 16}, "training": {"max_steps": 4, "warmup_steps": 1}}
    result = seqtrans.train(
        parallel_text, parallel_text, tmp_path / "m.safetensors", config=tiny_config, settings=small
    )
    assert (result.model, result.steps, result.metric) == (tmp_path / "m.safetensors", 4, "bleu")
    assert isinstance(seqtrans.load(tmp_path / "m.safetensors"), seqtrans.Translator)
    text = tmp_path / "lm.safetensors"
    seqtrans.train(target, str(target), str(text), task="lm", settings=small)
    language_model = seqtrans.load(text, "lm")
    lines = list(language_model.generate(lines=3, max_length=20))
    assert len(lines) == 3
    (whole, again), (alone, *_) = language_model.score(["eins zwei"] * 2), language_model.score(["eins zwei"])
    assert whole.log_prob == pytest.approx(alone.log_prob, abs=1e-5)
    assert again.characters == 10
    with pytest.raises(seqtrans.UsageError, match="is a language model, not a translator"):
        seqtrans.load(text)
    plain, tags = tmp_path / "plain", tmp_path / "tags"
    plain.write_text("ab ba\n" * 30, "utf-8")
    tags.write_text("AB BA\n" * 30, "utf-8")
    seqtrans.train([plain, tags], [plain, tags], tmp_path / "tag.safetensors", task="tag", settings=small)
    tagger = seqtrans.load(tmp_path / "tag.safetensors", "tag")
    (tagged,) = tagger.tag(["ab ba"])
    assert len(tagged.text) == 5


def test_scores_of_hypotheses() -> None:
    scores = seqtrans.score(["a b c d"], ["a b c d"], metrics=["bleu", "exact", "wer"])
    assert seqtrans.score(["a b c d"], ["a b c d"], "bleu")["bleu"] == scores["bleu"]
    assert {name: round(one.value, 6) for name, one in scores.items()} == {"bleu": 100.0, "exact": 100.0, "wer": 0.0}
    assert "nrefs:1|case:mixed" in scores["bleu"].signature
    several = seqtrans.score(["a b c x"], [["a b c d"], ["a b c x"]], metrics=["wer"])
    assert several["wer"].value == 0
    with pytest.raises(seqtrans.UsageError, match="not one string"):
        seqtrans.score("a b", ["a b"])
    with pytest.raises(seqtrans.UsageError, match="did you mean 'bleu'"):
        seqtrans.score(["a"], ["a"], metrics=["blue"])
    with pytest.raises(seqtrans.DataError, match=r"1 line.* has 2"):
        seqtrans.score(["a"], ["a", "b"])


def test_subwords_of_a_file_or_a_model(tmp_path: Path, tiny_model: Path) -> None:
    subwords = seqtrans.learn_subwords(["one two", "two one"] * 9, "char", 40)
    subwords.save(tmp_path / "s.model")
    assert seqtrans.tokenizer(tmp_path / "s.model").digest == subwords.digest
    of_model = seqtrans.tokenizer(tiny_model, "source")
    assert of_model.decode(of_model.encode("one two")) == "one two"


def test_warnings_and_messages_go_through_logging(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {"model": {"embedding": 8, "hidden": 16}, "training": {"max_steps": 2}}
    with caplog.at_level(logging.INFO, "seqtrans"):
        seqtrans.train(parallel_text, parallel_text, tmp_path / "m", config=tiny_config, settings=settings)
    levels = {record.levelname for record in caplog.records}
    assert levels == {"INFO", "WARNING"}
    assert "within the 20 steps of warm-up" in caplog.text


def test_two_threads_use_two_models(tiny_model: Path, translator: seqtrans.Translator) -> None:
    expected = [one.text for one in translator.translate(LINES)]
    results: list[list[str]] = []

    def work(precision: str) -> None:
        own = seqtrans.load(tiny_model, precision=precision)
        for _ in range(5):
            results.append([one.text for one in own.translate(LINES)])

    threads = [threading.Thread(target=work, args=(precision,)) for precision in ("fp32", "bf16", "int8", "fp32")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 20
