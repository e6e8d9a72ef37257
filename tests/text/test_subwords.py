"""Subword models: what decodes to what, what a word is, and that damaged models are refused."""

import functools
import io
import random
from pathlib import Path

import pytest
import sentencepiece
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seqtrans.errors import DataError, SeqtransError, StreamError
from seqtrans.text.subword_training import learn_subwords
from seqtrans.text.subwords import (
    BOS_ID,
    EOS_ID,
    FIRST_PIECE_ID,
    PAD_ID,
    SUBWORD_TYPES,
    UNK_ID,
    SubwordModel,
    SubwordType,
    default_threads,
)

TEXT = [
    "der kleine hund schläft auf dem sofa .",
    "the small dog sleeps on the sofa .",
    "tʰɪs ɪz ðə fəˈnɛtɪk æɫfəbɛt",
    "Zwei Hunde\u00a0und 3 Katzen\tschlafen !",
] * 5


@functools.cache
def model_of(subword_type: SubwordType, byte_fallback: bool = False) -> SubwordModel:
    return learn_subwords(TEXT, subword_type, 380 if byte_fallback else 120, byte_fallback=byte_fallback)


every_type = pytest.mark.parametrize("subword_type", SUBWORD_TYPES)
any_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
hard_text = st.text("abdestuß \u2581\u2585\u00a0\u2028\t<>/\u0301ʰ🙂\ufeff", max_size=30)


@every_type
@settings(max_examples=60)
@given(text=any_text | hard_text)
@example(text="<s> </s> <unk> <pad>")
@example(text="  two  spaces ")
@example(text="a\u2581b")
def test_pieces_give_the_normalised_text_back(subword_type: SubwordType, text: str) -> None:
    model = model_of(subword_type)
    back = model.decode_pieces(model.encode_pieces(text))
    assert back == model.normalize(text)
    assert back == " ".join(word for word in text.replace("\u2581", " ").split(" ") if word)


@every_type
@settings(max_examples=60)
@given(text=any_text | hard_text)
def test_ids_and_pieces_are_one_to_one(subword_type: SubwordType, text: str) -> None:
    model = model_of(subword_type)
    ids, pieces = model.encode(text), model.encode_pieces(text)
    assert len(ids) == len(pieces)
    assert all(number == UNK_ID or model.piece(number) == piece for number, piece in zip(ids, pieces, strict=True))
    assert not {PAD_ID, BOS_ID, EOS_ID} & set(ids)
    assert model.encode_batch([text, "", text]) == [ids, [], ids]
    assert model.encode_pieces_batch([text]) == [pieces]


@pytest.mark.parametrize("byte_fallback", [False, True])
@every_type
@settings(max_examples=60)
@given(text=any_text | hard_text)
@example(text="hund")
@example(text="\u4e2dhund")  # begins with an unknown character
def test_no_space_stands_before_text_inside(subword_type: SubwordType, byte_fallback: bool, text: str) -> None:
    if byte_fallback and subword_type not in ("bpe", "unigram"):
        return
    model = model_of(subword_type, byte_fallback)
    ids = model.encode_inside(text)
    inside = [*model.encode("der"), *ids]
    if subword_type == "word" or not model.normalize(text):
        assert ids == model.encode(text)
    elif UNK_ID not in ids:
        between = " " if text.startswith((" ", "\u2581")) else ""
        assert model.decode(inside) == "der" + between + model.normalize(text)
    else:
        assert UNK_ID in model.encode(text)


@every_type
@pytest.mark.parametrize("text", TEXT[:4])
def test_ids_give_known_text_back(subword_type: SubwordType, text: str) -> None:
    model = model_of(subword_type)
    assert model.decode(model.encode(text)) == text


@settings(max_examples=60)
@given(text=any_text)
def test_byte_fallback_gives_unknown_characters_back_from_ids(text: str) -> None:
    model = model_of("bpe", byte_fallback=True)
    ids = model.encode(text)
    assert UNK_ID not in ids
    assert model.decode(ids) == model.normalize(text)
    assert model.decode_pieces(model.encode_pieces(text)) == model.normalize(text)


@every_type
@pytest.mark.parametrize("text", ["the small dog", "die hunde schlafen", "der xyz hund", "qqq www dog"])
def test_words_start_where_the_text_has_them(subword_type: SubwordType, text: str) -> None:
    model = model_of(subword_type)
    assert sum(map(model.starts_word, model.encode(text))) == 3


@every_type
def test_special_subwords(subword_type: SubwordType) -> None:
    model = model_of(subword_type)
    assert model.type == subword_type
    assert model.pieces(range(FIRST_PIECE_ID)) == ["<pad>", "<unk>", "<s>", "</s>"]
    hello = model.encode("the dog")
    assert model.decode([BOS_ID, *hello, EOS_ID, PAD_ID, PAD_ID]) == "the dog"
    assert model.decode([*hello, UNK_ID]).replace(" \u2047", "\u2047") == "the dog\u2047"
    assert model.decode([]) == model.decode_pieces([]) == ""
    assert model.encode("") == model.encode("   ") == []


def test_unknown_words_stay_apart() -> None:
    assert model_of("word").encode("xxx yyy zzz") == [UNK_ID] * 3
    assert model_of("word").decode([UNK_ID, UNK_ID]) == "\u2047 \u2047"


@pytest.mark.parametrize("number", [-1, 10_000])
def test_ids_outside_the_vocabulary_are_index_errors(number: int) -> None:
    with pytest.raises(IndexError):
        model_of("bpe").piece(number)
    with pytest.raises(IndexError):
        model_of("bpe").decode([number])


def test_a_model_is_its_bytes(tmp_path: Path) -> None:
    model = model_of("bpe")
    path = tmp_path / "subwords.model"
    path.write_bytes(model.proto)
    again = SubwordModel.load(path)
    assert (again.proto, again.digest, again.type) == (model.proto, model.digest, "bpe")
    assert len(again) == again.size == model.size == 120
    assert model.digest != model_of("unigram").digest


@pytest.mark.parametrize(
    ("proto", "message"),
    [
        (b"", "not a SentencePiece model"),
        (b"\0" * 100, "not a SentencePiece model"),
        (b"some text that is no model\n", "not a SentencePiece model"),
        (model_of("bpe").proto[:-7], "not a SentencePiece model"),
        (model_of("bpe").proto[:500], "not a SentencePiece model"),
    ],
)
def test_what_is_no_model_is_refused_with_its_name(tmp_path: Path, proto: bytes, message: str) -> None:
    path = tmp_path / "subwords.model"
    path.write_bytes(proto)
    with pytest.raises(DataError, match=f"^{path}: [^\n]*{message}"):
        SubwordModel.load(path)


def test_a_directory_is_bad_data_and_a_missing_file_a_stream_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"^{tmp_path}: not a file"):
        SubwordModel.load(tmp_path)
    with pytest.raises(StreamError, match=f"^{tmp_path}/missing: cannot be read: No such file"):
        SubwordModel.load(tmp_path / "missing")


def test_a_model_with_other_special_ids_is_refused() -> None:
    writer = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT), model_writer=writer, vocab_size=50, minloglevel=3
    )
    with pytest.raises(DataError, match=r"special ids pad, unk, bos, eos are \(-1, 0, 1, 2\), not \(0, 1, 2, 3\)"):
        SubwordModel(writer.getvalue())


@pytest.mark.parametrize("byte_fallback", [False, True])
def test_text_inside_for_a_model_from_elsewhere_whose_rules_remove_what_would_be_before_it(
    tmp_path: Path, byte_fallback: bool
) -> None:
    (tmp_path / "rules.tsv").write_text("2585\t\n", "utf-8")
    writer = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT), model_writer=writer, minloglevel=3, vocab_size=320 if byte_fallback else 50,
        model_type="bpe" if byte_fallback else "char", byte_fallback=byte_fallback,
        normalization_rule_tsv=str(tmp_path / "rules.tsv"), pad_id=0, unk_id=1, bos_id=2, eos_id=3,
    )  # fmt: skip
    model = SubwordModel(writer.getvalue())
    for text in ("hund", "", "\u2585", "\u4e05hund"):  # its last byte is that of the character that the rules remove
        assert model.encode_inside(text) == model.encode(text)


@pytest.mark.parametrize("subword_type", ["bpe", "word"])
def test_mutated_models_are_refused_or_work(subword_type: SubwordType) -> None:
    proto = model_of(subword_type).proto
    draw = random.Random(0)
    refusals: list[str] = []
    for _ in range(400):
        mutated = bytearray(proto)
        for _ in range(draw.choice([1, 1, 2, 8])):
            mutated[draw.randrange(len(mutated))] ^= 1 << draw.randrange(8)
        if draw.random() < 0.2:
            del mutated[draw.randrange(len(mutated)) :]
        try:
            model = SubwordModel(bytes(mutated))
        except SeqtransError as error:
            refusals.append(str(error))
        else:
            for text in TEXT[:4]:
                assert all(0 <= number < model.size for number in model.encode(text))
            model.decode(range(model.size))
    assert len(refusals) > 100
    assert not any("\n" in refusal for refusal in refusals)


def test_every_truncation_is_refused() -> None:
    proto = model_of("char").proto
    for length in range(len(proto)):
        with pytest.raises(DataError):
            SubwordModel(proto[:length])


def test_encoding_takes_no_more_threads_than_torch_has() -> None:
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            assert default_threads() == threads
    finally:
        torch.set_num_threads(before)
