"""The recipes: each runs its stages from local files, once, with a stand-in for the slow command."""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

DATA = Path(__file__).resolve().parents[2] / "data"
STAND_IN = """
import json, os, sys
from pathlib import Path

words = sys.argv[1:]
Path(os.environ["CALLS"]).open("a").write(" ".join(words) + "\\n")
if os.environ.get("FAILING") == words[0]:
    print("half a line")
    sys.exit(1)
if "-o" in words:
    output = Path(words[words.index("-o") + 1])
    output.write_text("made")
    steps = [{"event": "step", "step": 50 * n, "tokens": 900 * n, "seconds": 2 * n} for n in (1, 2, 3)]
    output.with_suffix(".log.jsonl").write_text("".join(json.dumps(step) + "\\n" for step in steps))
elif words[0] == "translate":
    sys.stdout.write(sys.stdin.read())
elif "--json" in words:
    metrics = [{"name": "exact", "score": 80.0}, {"name": "wer", "score": 7.5}, {"name": "bleu", "score": 30.5}]
    print(json.dumps({"systems": [{"name": words[1], "metrics": metrics}], "lines": 2}))
else:
    print("BLEU = 50.00  signature")
"""
PARALLEL = {
    "multi30k": [f"{split}.{language}" for split in ("train", "val", "test_2016_flickr") for language in ("en", "de")],
    "accents": [f"{split}.fr" for split in ("train", "val", "test_2016_flickr")],
    "tatoeba": [f"{split}.{language}" for split in ("train", "dev", "test") for language in ("deu", "en")],
}
TABBED = {
    "translit": ["train.txt", "eval.txt", "test.txt"],
    "g2p": [f"{split}/{code}_{split}.tsv" for split in ("train", "dev", "test") for code in ("fre", "hun")],
}


class Recipe:
    """A copy of a recipe's folder, with local files and the stand-in as its command."""

    def __init__(self, name: str, folder: Path) -> None:
        self.folder = folder / "data" / name
        shutil.copytree(DATA / name, self.folder, ignore=shutil.ignore_patterns("out", "corpus", "__pycache__"))
        shutil.copy(DATA / "recipe.mk", folder / "data")
        (folder / "data" / "multi30k").mkdir(exist_ok=True)
        shutil.copy(DATA / "multi30k" / "corpus.mk", folder / "data" / "multi30k")
        self.corpus = folder / "local"
        for path in PARALLEL.get(name, []):
            self._write(path, "one\ntwo\n")
        for path in TABBED.get(name, []):
            self._write(path, "one\to n\ntwo\tt u\n")
        (folder / "stand_in.py").write_text(STAND_IN)
        self.python = shlex.quote(sys.executable)
        self.command = f"{self.python} {shlex.quote(str(folder / 'stand_in.py'))}"
        self.calls = folder / "calls"
        self.calls.touch()

    def _write(self, path: str, text: str) -> None:
        target = self.corpus / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def make(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run make in the folder; `calls` then lists what was run."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
        self.calls.write_text("")
        return subprocess.run(
            ["make", f"SEQTRANS={self.command}", f"PYTHON={self.python}", *words],
            cwd=self.folder,
            env={**inherited, "CALLS": str(self.calls), **environment},
            capture_output=True,
            text=True,
        )

    def stages(self) -> list[str]:
        """The subcommands that ran, in their order."""
        return [line.split()[0] for line in self.calls.read_text().splitlines()]


@pytest.mark.parametrize("name", ["multi30k", "tatoeba", "translit", "g2p", "demo"])
def test_a_recipe_runs_its_stages_and_later_only_the_score(name: str, tmp_path: Path) -> None:
    recipe = Recipe(name, tmp_path)
    goal = ["all"] if name == "demo" else ["score", f"CORPUS={recipe.corpus}", "LANGUAGES=fre hun"]
    first = recipe.make(*goal)
    assert first.returncode == 0, first.stderr
    assert {"tokenize", "train", "translate", "score"} == set(recipe.stages())
    assert ("macro  WER = 20.00  PER = 7.50  languages: 2" if name == "g2p" else "BLEU = ") in first.stdout
    again = recipe.make(*goal)
    assert again.returncode == 0, again.stderr
    assert set(recipe.stages()) <= {"score"}
    assert not (recipe.folder / "corpus").exists()
    assert not list(recipe.folder.rglob("*.new"))
    assert recipe.make("clean").returncode == 0
    assert not (recipe.folder / "out").exists()


def test_the_language_model_recipe(tmp_path: Path) -> None:
    recipe = Recipe("tinyshakespeare", tmp_path)
    text = "".join(f"Line {number} of a play.\n" for number in range(1000))
    recipe._write("input.txt", text)
    assert recipe.make("score", f"CORPUS={recipe.corpus}").returncode == 0
    assert recipe.stages() == ["train", "score"]
    parts = [(recipe.folder / "out" / f"{name}.txt").read_text() for name in ("train", "dev", "test")]
    assert "".join(parts) == text
    assert len(parts[2]) == pytest.approx(len(text) / 10, rel=0.01)
    assert len(parts[1]) == pytest.approx(0.9 * len(text) / 20, rel=0.05)
    assert recipe.make("sample", f"CORPUS={recipe.corpus}").returncode == 0
    assert recipe.stages() == ["generate"]


def test_the_accents_recipe_tags_letters_with_letters(tmp_path: Path) -> None:
    recipe = Recipe("accents", tmp_path)
    for split in ("train", "val", "test_2016_flickr"):
        recipe._write(f"{split}.fr", "À Noël, l'été ; İ ß Œuvre\n\n 한 \n")
    assert recipe.make("score", f"CORPUS={recipe.corpus}").returncode == 0
    assert recipe.stages() == ["train", "translate", "score"]
    assert "--preset tag" in recipe.calls.read_text()
    plain = (recipe.folder / "out" / "train.plain").read_text("utf-8")
    assert plain == "a noel, l'ete ; i ß œuvre\n\n 한 \n"


def test_the_demo_shows_samples_and_how_to_translate(tmp_path: Path) -> None:
    recipe = Recipe("demo", tmp_path)
    shown = recipe.make().stdout
    assert shown.count("\nsource ") == shown.count("\ntranslation ") == shown.count("\nreference ") == 5
    assert shown.index("BLEU = ") < shown.index("\nsource ")
    assert f'translate -m "{recipe.folder / "out" / "model.safetensors"}"' in shown


def test_the_demo_regenerates_its_corpus(tmp_path: Path) -> None:
    recipe = Recipe("demo", tmp_path)
    assert "generate.py ." in recipe.make("-n", "regenerate").stdout


@pytest.mark.parametrize("pair", ["en-de", "de-en", "en-fr"])
def test_multi30k_pairs(pair: str, tmp_path: Path) -> None:
    recipe = Recipe("multi30k", tmp_path)
    for split in ("train", "val", "test_2016_flickr"):
        (recipe.corpus / f"{split}.fr").write_text("un\ndeux\n")
    source, target = pair.split("-")
    assert recipe.make("score", f"PAIR={pair}", f"CORPUS={recipe.corpus}").returncode == 0
    calls = recipe.calls.read_text()
    assert f"--train {recipe.corpus}/train.{source} {recipe.corpus}/train.{target} --dev" in calls
    assert f"score out/{pair}/test_2016_flickr.hyp.{target} -r {recipe.corpus}/test_2016_flickr.{target}" in calls


def test_cells_are_compared_in_a_table(tmp_path: Path) -> None:
    recipe = Recipe("multi30k", tmp_path)
    corpus = f"CORPUS={recipe.corpus}"
    done = recipe.make("cells", corpus, "CELLS=rnn gru", "MINUTES=2")
    assert done.returncode == 0, done.stderr
    assert [line.split() for line in done.stdout.splitlines()[-3:]] == [
        ["network", "dev", "BLEU", "subwords", "a", "second", "updates"],
        ["rnn", "30.50", "450", "150"],
        ["gru", "30.50", "450", "150"],
    ]
    calls = recipe.calls.read_text()
    assert calls.count("--max-time 2m --cell") == 2
    done = recipe.make("bottleneck", corpus)
    assert done.returncode == 0, done.stderr
    calls = recipe.calls.read_text()
    assert "--max-time 15m --attention none" in calls
    assert "score out/en-de/networks/attention.test out/en-de/networks/none.test -r" in calls


def test_a_failed_stage_leaves_no_file(tmp_path: Path) -> None:
    recipe = Recipe("tatoeba", tmp_path)
    assert recipe.make("score", f"CORPUS={recipe.corpus}", FAILING="translate").returncode != 0
    assert not (recipe.folder / "out" / "test.hyp.en").exists()
    assert recipe.make("score", f"CORPUS={recipe.corpus}").returncode == 0
    assert recipe.stages() == ["translate", "score"]


def test_names_of_the_environment_do_not_steer_a_recipe(tmp_path: Path) -> None:
    recipe = Recipe("multi30k", tmp_path)
    stray = {"OUT": "elsewhere", "CONFIG": "no.toml", "TEST": "1", "VOCABULARY": "7", "PRESET": "demo"}
    done = recipe.make("score", f"CORPUS={recipe.corpus}", **stray)
    assert done.returncode == 0, done.stderr
    calls = recipe.calls.read_text()
    assert not any(value in calls for value in ("elsewhere", "no.toml", "--vocab-size 7", "--preset demo"))
    assert (recipe.folder / "out").exists()


def test_a_missing_local_file_is_named(tmp_path: Path) -> None:
    recipe = Recipe("multi30k", tmp_path)
    (recipe.corpus / "val.de").unlink()
    failed = recipe.make("score", f"CORPUS={recipe.corpus}")
    assert failed.returncode != 0
    assert f"{recipe.corpus}/val.de" in failed.stderr
    assert recipe.stages() == []


def test_g2p_stops_after_the_stage_asked_for(tmp_path: Path) -> None:
    recipe = Recipe("g2p", tmp_path)
    assert recipe.make("train", f"CORPUS={recipe.corpus}", "LANGUAGES=fre hun").returncode == 0
    assert recipe.stages() == ["tokenize", "tokenize", "train"] * 2


def test_a_config_beside_the_makefile_is_used(tmp_path: Path) -> None:
    recipe = Recipe("translit", tmp_path)
    (recipe.folder / "recipe.toml").write_text("")
    assert recipe.make("train", f"CORPUS={recipe.corpus}", "TRAIN_FLAGS=--seed 3").returncode == 0
    assert (
        recipe.calls.read_text()
        .rstrip()
        .endswith("--preset character --config recipe.toml --resume --overwrite --seed 3")
    )


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("multi30k", "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/train.en.gz"),
        ("tatoeba", "https://www.manythings.org/anki/deu-eng.zip"),
        ("g2p", "https://raw.githubusercontent.com/sigmorphon/2020/master/task1/data/train/vie_train.tsv"),
        (
            "tinyshakespeare",
            "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
        ),
        ("translit", "https://raw.githubusercontent.com/google/transliteration/master/ar2en-train.txt"),
    ],
)
def test_without_local_files_the_public_home_is_asked(name: str, address: str, tmp_path: Path) -> None:
    dry = Recipe(name, tmp_path).make("-n", "corpus")
    assert dry.returncode == 0, dry.stderr
    assert f"{address} &&" in dry.stdout
    assert "stand_in.py" not in dry.stdout  # as no stage of ours would run


# the scripts


def load(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(Path(path).stem + "_script", DATA / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tatoeba_is_split_by_the_english_side(tmp_path: Path) -> None:
    script = load("tatoeba/split.py")
    pairs = [(f"Sentence {number // 2}.", f"Satz\u2028 {number}.") for number in range(4000)]
    counts = script.split((f"{en}\t{de}\tCC-BY 2.0\r\n".encode() for en, de in pairs), tmp_path)
    assert sum(counts.values()) == 4000
    assert 15 <= counts["dev"] <= 80
    assert 15 <= counts["test"] <= 80
    read = {path.name: path.read_bytes().decode().split("\n")[:-1] for path in tmp_path.iterdir()}
    assert len(read) == 6
    sides = {split: list(zip(read[f"{split}.en"], read[f"{split}.deu"], strict=True)) for split in script.SPLITS}
    assert sorted(pair for part in sides.values() for pair in part) == sorted(pairs)
    english = [{en for en, _ in part} for part in sides.values()]
    assert sum(map(len, english)) == len(set.union(*english))


def test_tatoeba_names_a_line_without_tab(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="line 2 has no TAB"):
        load("tatoeba/split.py").split([b"Hi.\tHallo!\n", b"Hi.\n"], tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".new"]


def test_the_split_is_the_same_on_every_machine() -> None:
    split_of = load("tatoeba/split.py").split_of
    others = {number: split_of(f"Sentence {number}.") for number in range(150)}
    assert {number: part for number, part in others.items() if part != "train"} == {74: "dev", 75: "test", 132: "test"}


def score_file(folder: Path, exact: float, wer: float) -> Path:
    folder.mkdir()
    metrics = [{"name": "exact", "score": exact}, {"name": "wer", "score": wer}]
    (folder / "score.json").write_text(json.dumps({"systems": [{"name": "x", "metrics": metrics}], "lines": 450}))
    return folder / "score.json"


def test_each_language_weighs_the_same(tmp_path: Path) -> None:
    paths = [score_file(tmp_path / "fre", 90.0, 2.0), score_file(tmp_path / "kor", 60.0, 12.0)]
    french, korean, macro = load("g2p/macro.py").table(paths).splitlines()
    assert french.split() == ["fre", "WER", "=", "10.00", "PER", "=", "2.00"]
    assert korean.startswith("kor")
    assert macro == "macro  WER = 25.00  PER = 7.00  languages: 2"


def test_a_missing_metric_is_named(tmp_path: Path) -> None:
    path = tmp_path / "score.json"
    path.write_text(json.dumps({"systems": [{"name": "x", "metrics": [{"name": "wer", "score": 1.0}]}]}))
    with pytest.raises(ValueError, match="no exact; score with --metric exact"):
        load("g2p/macro.py").table([path])
