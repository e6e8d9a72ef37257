"""The demo corpus: what it promises about itself, proven on the committed files, and German grammar by example."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"
sys.path.insert(0, str(DEMO))

import generate  # noqa: E402
from grammar import corpus, english, german, german_words, held_out, numerals, verbs  # noqa: E402
from grammar.adjectives import ADJECTIVES  # noqa: E402
from grammar.clauses import Clause  # noqa: E402
from grammar.nouns import NOUN  # noqa: E402
from grammar.phrases import Adverbial, Name, NounPhrase, Prepositional, Pronoun, Relative, negate  # noqa: E402
from grammar.sentences import Sentence  # noqa: E402

sys.path.remove(str(DEMO))

SPLITS = ("train", "dev", "test")
ADJECTIVE = {adjective.en: adjective for adjective in ADJECTIVES}
VERB = {verb.name: verb for verb in verbs.VERBS}
ANNA, PAUL = Name("she", "Anna"), Name("he", "Paul")


def lines(split: str, language: str) -> list[str]:
    return (DEMO / f"{split}.{language}").read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def generated() -> dict[str, list[Sentence]]:
    return corpus.splits()


# the files


def test_the_committed_files_are_what_the_generator_writes(
    generated: dict[str, list[Sentence]], tmp_path: Path
) -> None:
    generate.write(generated, tmp_path)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written.keys() == {f"{split}.{language}" for split in SPLITS for language in ("en", "de")}
    assert all(content == (DEMO / name).read_bytes() for name, content in written.items())


def test_the_order_of_sets_changes_nothing() -> None:
    program = (
        "from itertools import islice; from grammar.corpus import draw; from grammar.dice import Dice\n"
        "print([(s.en, s.de, sorted(s.features)) for s in islice(draw(Dice(7)), 500)])"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=DEMO,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(printed) == 1


def test_sizes() -> None:
    counts = {split: (len(lines(split, "en")), len(lines(split, "de"))) for split in SPLITS}
    assert counts == {"train": (12000, 12000), "dev": (500, 500), "test": (500, 500)}
    assert sum((DEMO / f"{split}.{language}").stat().st_size for split in SPLITS for language in ("en", "de")) < 3e6


@pytest.mark.parametrize("language", ["en", "de"])
def test_no_sentence_is_in_two_splits_or_twice(language: str) -> None:
    everything = [line for split in SPLITS for line in lines(split, language)]
    assert len(set(everything)) == len(everything)


def test_every_line_is_one_clean_sentence() -> None:
    for split in SPLITS:
        for language in ("en", "de"):
            for line in lines(split, language):
                assert re.fullmatch(r"[A-ZÄÖÜ\d][^|\t]*[^ .?,][.?]", line), line
                assert not re.search(r"  | [,.?]|,,|,\S", re.sub(r"\d,\d", "", line)), line


# what the test split holds out


def test_held_out_combinations_are_in_test_only(generated: dict[str, list[Sentence]]) -> None:
    shares = {
        split: sum(any(map(held_out.is_held_out, sentence.features)) for sentence in sentences)
        for split, sentences in generated.items()
    }
    assert shares == {"train": 0, "dev": 0, "test": 250}


def test_each_part_of_a_held_out_combination_is_common_in_train(generated: dict[str, list[Sentence]]) -> None:
    counts = held_out.count_parts(sentence.features for sentence in generated["train"])
    for feature in combinations_of_test(generated):
        assert min(counts[part] for part in held_out.parts(feature)) >= 25, feature


def test_all_kinds_of_combinations_are_held_out(generated: dict[str, list[Sentence]]) -> None:
    kinds = Counter(kind for kind, _, _ in combinations_of_test(generated))
    assert kinds.keys() == {"verb+object", "adjective+noun", "tens+ones", "month+day", "surname"}
    assert kinds["verb+object"] >= 25
    assert kinds["adjective+noun"] >= 25


def test_held_out_words_never_meet_in_the_training_text(generated: dict[str, list[Sentence]]) -> None:
    """The same in the text itself, without trusting what the generator says about its sentences."""
    words = [word.strip(".,?") for split in ("train", "dev") for line in lines(split, "en") for word in line.split()]
    pairs, compounds = set(pairwise(words)), {word.lower() for word in words}
    for kind, first, second in combinations_of_test(generated):
        if kind in ("adjective+noun", "month+day"):
            assert (first, second) not in pairs
        if kind == "adjective+noun":
            assert (first, NOUN[second].en_plural) not in pairs
        if kind == "surname":
            assert f"{first}{second}".lower() not in compounds
        if kind == "tens+ones":
            number = int(first) + int(second)
            assert not {numerals.english(number), numerals.english_ordinal(number)} & compounds


def combinations_of_test(generated: dict[str, list[Sentence]]) -> list[tuple[str, str, str]]:
    """The held-out combinations of the test split."""
    features = {feature for sentence in generated["test"] for feature in sentence.features}
    return sorted(filter(held_out.is_held_out, features))


# what the text shows


@pytest.mark.parametrize(
    ("construction", "pattern"),
    [
        (
            "separable verb, parted",
            r"(?<!, )\b(macht|schaltet|ruft|holt|steht|lädt|hört|bringt) .*\b(auf|zu|ein|aus|an|ab|mit)[.?]",
        ),
        ("separable participle", r"\b(auf|zu|ein|aus|an|ab|mit|fern)ge\w+"),
        ("separable infinitive with zu", r"\b(auf|zu|ein|aus|an|ab|mit|fern)zu\w+"),
        ("um ... zu", r", um .* zu \w+\."),
        ("verb-final weil", r"[Ww]eil .*(hat|ist|sind|war|waren|haben|wollte|musste|konnte)[.,]"),
        ("verb-final dass", r", dass "),
        ("relative pronoun in the dative", r"\w, (dem|der|denen) \w+ .*, "),
        ("inversion", r"^(Gestern|Heute|Jeden|Letzten|Nächste|Am|Im|In) "),
        ("object in front", r"^Diese[nsr]? .* (noch nicht|schon) "),
        ("kein", r"\bkein(e|en|er|em)?\b"),
        ("dative experiencer", r"gef(ällt|allen)"),
        ("date", r"\d+\. (Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember)"),
        ("number word", r"[a-zü](und)(zwanzig|dreißig|vierzig|fünfzig|sechzig|siebzig|achtzig|neunzig)\b"),
        ("Herrn", r"\bHerrn\b"),
        ("weak noun", r"\b(dem|den|einem|einen) (\w+ )?(Jungen|Bauern|Polizisten|Studenten)\b"),
    ],
)
def test_each_construction_is_common(construction: str, pattern: str) -> None:
    assert sum(bool(re.search(pattern, line)) for line in lines("train", "de")) >= 100, construction


# German, by example


def phrase(noun: str, determiner: str = "the", adjective: str = "", plural: bool = False) -> NounPhrase:
    return NounPhrase(NOUN[noun], determiner, ADJECTIVE[adjective] if adjective else None, plural)


@pytest.mark.parametrize(
    ("noun_phrase", "forms"),
    [
        (phrase("table", "the", "old"), ("der alte Tisch", "den alten Tisch", "dem alten Tisch")),
        (phrase("table", "a", "old"), ("ein alter Tisch", "einen alten Tisch", "einem alten Tisch")),
        (phrase("lamp", "a", "expensive"), ("eine teure Lampe", "eine teure Lampe", "einer teuren Lampe")),
        (phrase("house", "my", "big"), ("mein großes Haus", "mein großes Haus", "meinem großen Haus")),
        (phrase("car", "this", "new"), ("dieses neue Auto", "dieses neue Auto", "diesem neuen Auto")),
        (phrase("book", "", "old", True), ("alte Bücher", "alte Bücher", "alten Büchern")),
        (phrase("child", "the", "", True), ("die Kinder", "die Kinder", "den Kindern")),
        (
            phrase("dog", "our", "small", True),
            ("unsere kleinen Hunde", "unsere kleinen Hunde", "unseren kleinen Hunden"),
        ),
        (phrase("milk", "", "cold"), ("kalte Milch", "kalte Milch", "kalter Milch")),
        (phrase("coffee", "", "strong"), ("starker Kaffee", "starken Kaffee", "starkem Kaffee")),
        (phrase("boy", "the"), ("der Junge", "den Jungen", "dem Jungen")),
        (phrase("student", "a", "young"), ("ein junger Student", "einen jungen Studenten", "einem jungen Studenten")),
        (phrase("radio", "", "", True), ("Radios", "Radios", "Radios")),
    ],
)
def test_declension(noun_phrase: NounPhrase, forms: tuple[str, str, str]) -> None:
    assert tuple(german_words.spoken(noun_phrase, case) for case in ("nom", "acc", "dat")) == forms


@pytest.mark.parametrize(
    ("verb", "changed", "forms"),
    [
        ("kaufen", "", ("kaufe", "kaufst", "kauft", "kaufen", "kaufen")),
        ("arbeiten", "", ("arbeite", "arbeitest", "arbeitet", "arbeiten", "arbeiten")),
        ("zeichnen", "", ("zeichne", "zeichnest", "zeichnet", "zeichnen", "zeichnen")),
        ("tanzen", "", ("tanze", "tanzt", "tanzt", "tanzen", "tanzen")),
        ("lesen", "lies", ("lese", "liest", "liest", "lesen", "lesen")),
        ("laden", "läd", ("lade", "lädst", "lädt", "laden", "laden")),
        ("wissen", "", ("weiß", "weißt", "weiß", "wissen", "wissen")),
    ],
)
def test_conjugation(verb: str, changed: str, forms: tuple[str, ...]) -> None:
    assert tuple(german_words.conjugate(verb, person, changed) for person in ("I", "you", "she", "we", "they")) == forms


LAMP = Clause(PAUL, VERB["turn on"], "past", direct=phrase("lamp"))
GIFT = Clause(ANNA, VERB["give"], "past", direct=phrase("gift", "a"), indirect=phrase("boy"))
SCHOOL = Prepositional("to", "in", "acc", phrase("school"))
YESTERDAY = Adverbial("yesterday", "gestern")
HEARD = Clause(ANNA, verbs.KNOW, "present", content=(("that", "dass"), LAMP))


@pytest.mark.parametrize(
    ("clause", "en", "de"),
    [
        (
            Clause(ANNA, VERB["get up"], "present", frequency=Adverbial("often", "oft")),
            "Anna often gets up",
            "Anna steht oft auf",
        ),
        (
            Clause(ANNA, VERB["turn on"], "progressive", direct=phrase("lamp", "a", "red")),
            "Anna is turning on a red lamp",
            "Anna schaltet eine rote Lampe ein",
        ),
        (HEARD, "Anna knows that Paul turned on the lamp", "Anna weiß, dass Paul die Lampe eingeschaltet hat"),
        (
            Clause(ANNA, verbs.KNOW, content=(("that", "dass"), Clause(PAUL, VERB["turn on"], direct=phrase("lamp")))),
            "Anna knows that Paul turns on the lamp",
            "Anna weiß, dass Paul die Lampe einschaltet",
        ),
        (
            Clause(ANNA, verbs.TRY, "progressive", infinitive=LAMP),
            "Anna is trying to turn on the lamp",
            "Anna versucht, die Lampe einzuschalten",
        ),
        (GIFT, "Anna gave the boy a gift", "Anna hat dem Jungen ein Geschenk gegeben"),
        (
            Clause(ANNA, VERB["go"], "past", place=SCHOOL, time=YESTERDAY, front="time"),
            "yesterday Anna went to the school",
            "gestern ist Anna in die Schule gegangen",
        ),
        (
            Clause(PAUL, VERB["buy"], "modal", verbs.WANT, negated=True, direct=negate(phrase("bicycle", "a", "new"))),
            "Paul does not want to buy a new bicycle",
            "Paul will kein neues Fahrrad kaufen",
        ),
        (
            Clause(PAUL, VERB["visit"], "modal", verbs.CAN, negated=True, direct=Pronoun("she"), time=YESTERDAY),
            "Paul cannot visit her yesterday",
            "Paul kann sie gestern nicht besuchen",
        ),
        (
            Clause(ANNA, VERB["see"], "perfect", negated=True, direct=phrase("film", "this"), front="direct"),
            "this film Anna has not seen yet",
            "diesen Film hat Anna noch nicht gesehen",
        ),
        (
            Clause(phrase("doctor"), VERB["like"], "present", direct=phrase("garden", "the", "", True)),
            "the doctor likes the gardens",
            "dem Arzt gefallen die Gärten",
        ),
        (
            Clause(
                phrase("woman"),
                VERB["laugh"],
                "past",
                relative=("subject", Clause(PAUL, VERB["help"], "past", indirect=Relative(True, "f", "she"))),
            ),
            "the woman whom Paul helped laughed",
            "die Frau, der Paul geholfen hat, hat gelacht",
        ),
    ],
)
def test_a_clause_in_both_languages(clause: Clause, en: str, de: str) -> None:
    assert (english.statement(clause), german.statement(clause)) == (en, de)


@pytest.mark.parametrize(
    ("spell", "number", "words"),
    [
        (numerals.english, 23, "twenty-three"),
        (numerals.english, 247, "two hundred and forty-seven"),
        (numerals.german, 21, "einundzwanzig"),
        (numerals.german, 76, "sechsundsiebzig"),
        (numerals.german, 117, "einhundertsiebzehn"),
        (numerals.german, 830, "achthundertdreißig"),
        (numerals.english_ordinal, 12, "twelfth"),
        (numerals.english_ordinal, 22, "twenty-second"),
        (numerals.english_ordinal, 30, "thirtieth"),
        (numerals.german_ordinal, 3, "dritt"),
        (numerals.german_ordinal, 17, "siebzehnt"),
        (numerals.german_ordinal, 28, "achtundzwanzigst"),
    ],
)
def test_numbers_in_words(spell: Any, number: int, words: str) -> None:
    assert spell(number) == words


def test_dates_and_times() -> None:
    assert numerals.date(2, 3, 2021) == ("on March 3, 2021", "am 3. März 2021")
    assert numerals.clock(7, 30) == ("at half past seven", "um halb acht")
    assert numerals.clock(12, 45) == ("at a quarter to one", "um Viertel vor eins")
    assert numerals.clock(1, 0) == ("at one o'clock", "um ein Uhr")
    assert numerals.clock(9, 5) == ("at 9:05", "um 9:05 Uhr")
