"""German words in their forms: declension, conjugation, contraction of prepositions with articles."""

from __future__ import annotations

from .phrases import Adverbial, Name, NounPhrase, Pair, Phrase, Prepositional, Pronoun, Relative, gender_of

_CASES = ("nom", "acc", "dat")
_EIN_WORDS = {
    "a": "ein",
    "not a": "kein",
    "any": "kein",
    "my": "mein",
    "your": "dein",
    "his": "sein",
    "her": "ihr",
    "our": "unser",
    "their": "ihr",
}
_DER_WORDS = {"this": "dies", "which": "welch"}
_ARTICLES = {"m": ("der", "den", "dem"), "f": ("die", "die", "der"), "n": ("das", "das", "dem")}
_ARTICLES["p"] = ("die", "die", "den")
_DER_ENDINGS = {
    "m": ("er", "en", "em"),
    "f": ("e", "e", "er"),
    "n": ("es", "es", "em"),
    "p": ("e", "e", "en"),
}
_EIN_ENDINGS = _DER_ENDINGS | {"m": ("", "en", "em"), "n": ("", "", "em")}
_WEAK = {"m": ("e", "en", "en"), "f": ("e", "e", "en"), "n": ("e", "e", "en"), "p": ("en", "en", "en")}
_MIXED = _WEAK | {"m": ("er", "en", "en"), "n": ("es", "es", "en")}
_PRONOUNS = {
    "I": ("ich", "mich", "mir"),
    "you": ("du", "dich", "dir"),
    "he": ("er", "ihn", "ihm"),
    "she": ("sie", "sie", "ihr"),
    "we": ("wir", "uns", "uns"),
    "they": ("sie", "sie", "ihnen"),
}
_IT = {"m": _PRONOUNS["he"], "f": _PRONOUNS["she"], "n": ("es", "es", "ihm"), "p": _PRONOUNS["they"]}
_QUESTIONS = {"who": ("wer", "wen", "wem"), "what": ("was", "was", "")}
_CONTRACTIONS = {
    "in dem": "im",
    "in das": "ins",
    "an dem": "am",
    "zu dem": "zum",
    "zu der": "zur",
    "von dem": "vom",
}

_IRREGULAR = {
    "sein": ("bin", "bist", "ist", "sind", "sind"),
    "haben": ("habe", "hast", "hat", "haben", "haben"),
    "wissen": ("weiß", "weißt", "weiß", "wissen", "wissen"),
}
PERSONS = {"I": 0, "you": 1, "he": 2, "she": 2, "it": 2, "we": 3, "they": 4}


def split_prefix(verb: str) -> tuple[str, str]:
    """Like "auf.stehen" is "auf" and "stehen"; a verb that does not separate has the prefix ""."""
    prefix, _, stem = verb.rpartition(".")
    return prefix, stem


def infinitive_with_zu(verb: str) -> str:
    """Like "aufzustehen", "zu lesen"."""
    prefix, stem = split_prefix(verb)
    return f"{prefix}zu{stem}" if prefix else f"zu {stem}"


def conjugate(verb: str, person: str, changed: str = "", preterite: str = "") -> str:
    """Present tense, or preterite from its stem; `changed` is the stem of du and er where it differs."""
    which = PERSONS[person]
    if preterite:
        weak = preterite.endswith("te")
        ending = ("", "st", "", "n" if weak else "en", "n" if weak else "en")[which]
        return preterite + ("e" if preterite.endswith("d") and ending == "st" else "") + ending
    if verb in _IRREGULAR:
        return _IRREGULAR[verb][which]
    stem = verb.removesuffix("n").removesuffix("e")
    if which == 0:
        return f"{stem}e"
    if which > 2:
        return verb
    if changed:
        stem = changed
    elif stem.endswith(("t", "d", "chn", "ffn")):
        stem += "e"
    if which == 2:
        return f"{stem}t"
    return f"{stem}t" if stem.endswith(("s", "ß", "z", "x")) else f"{stem}st"


def _noun(phrase: NounPhrase, case: str) -> str:
    noun = phrase.noun
    if phrase.plural:
        return f"{noun.de_plural}n" if case == "dat" and not noun.de_plural.endswith(("n", "s")) else noun.de_plural
    return noun.de_plural if noun.is_a("weak") and case != "nom" else noun.de


def noun_phrase(phrase: NounPhrase, case: str) -> str:
    """A noun phrase in a case: determiner, number, adjective and noun agree in gender, number and case."""
    gender, which, word = gender_of(phrase), _CASES.index(case), phrase.determiner
    if word == "the":
        determiner, endings = _ARTICLES[gender][which], _WEAK
    elif word in _DER_WORDS:
        determiner, endings = _DER_WORDS[word] + _DER_ENDINGS[gender][which], _WEAK
    elif word in _EIN_WORDS:
        determiner, endings = _EIN_WORDS[word] + _EIN_ENDINGS[gender][which], _MIXED
    else:
        determiner, endings = "", _DER_ENDINGS
    words = [determiner]
    if phrase.count:
        words.append(phrase.count.de + (endings[gender][which] if phrase.count.ordinal else ""))
    if phrase.adjective:
        words.append((phrase.adjective.stem or phrase.adjective.de) + endings[gender][which])
    return " ".join(word for word in [*words, _noun(phrase, case)] if word)


def spoken(phrase: Phrase, case: str) -> str:
    """A phrase in a case."""
    which = _CASES.index(case)
    if isinstance(phrase, NounPhrase):
        return noun_phrase(phrase, case)
    if isinstance(phrase, Pronoun):
        return _IT[phrase.gender][which] if phrase.gender else _PRONOUNS[phrase.person][which]
    if isinstance(phrase, Name):
        surname = "".join(phrase.surname) if phrase.surname else ""
        if phrase.title:
            herr = "Herr" if case == "nom" else "Herrn"
            return f"{herr if phrase.person == 'he' else 'Frau'} {surname}"
        return f"{phrase.given} {surname}".strip()
    if isinstance(phrase, Pair):
        return f"{spoken(phrase.first, case)} und {spoken(phrase.second, case)}"
    if isinstance(phrase, Relative):
        return "denen" if phrase.gender == "p" and case == "dat" else _ARTICLES[phrase.gender][which]
    return _QUESTIONS[phrase.word][which]


def adjunct(part: Prepositional | Adverbial | None) -> str:
    """A prepositional phrase, contracted where German does ("im", "zur"), or an adverbial."""
    if not isinstance(part, Prepositional):
        return part.de if part else ""
    words = f"{part.de} {spoken(part.phrase, part.case)}"
    if isinstance(part.phrase, NounPhrase) and part.phrase.determiner == "the":
        for long, short in _CONTRACTIONS.items():
            if words.startswith(f"{long} "):
                return short + words.removeprefix(long)
    return words
