"""`course_lib.generation`: tokens, texts and translations against one at a time by the library."""

import copy
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
import torch
from accelerate import Accelerator
from complaints import complaint_of
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from pretended_gpu import pretended_gpu
from small_adapters import adapted
from small_checkpoints import save_checkpoint
from small_tokenizers import TOKENIZERS
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    EncoderDecoderConfig,
    EncoderDecoderModel,
    M2M100Config,
    M2M100ForConditionalGeneration,
    MarianConfig,
    MarianMTModel,
    MarianTokenizer,
    MBartConfig,
    MBartForConditionalGeneration,
    T5Config,
    T5ForConditionalGeneration,
)

from course_lib import generation
from course_lib.checkpoints import load_model, load_tokenizer
from course_lib.data import load_data
from course_lib.generation import ctranslate2_generator, decode_predictions, encode_texts, generate_all, set_languages
from course_lib.metrics import bleu_scores
from course_lib.processes import launch
from course_lib.profiles import CourseError

pytestmark = pytest.mark.filterwarnings("ignore:Recommended. pip install sacremoses")
HARD = [
    "",
    "Open",
    "word " * 500,
    "😀 👩‍👩‍👧 file",
    "打开文件并保存",
    "افتح الملف %1",
    "%1 {name} %s <b></b> ${x}",
    "Close the tag </s> and <pad> now",
    "e\u0301le\u0300ve",
    "Save the notebook before you close it.",
    "Save the notebook before you close it.",
    "\n\t ",
    ">>fr<< ouvre",
]
WORDS = "open close save file files notebook the a kernel cell run all ouvre ferme les été 日本 😀 %1 {name}".split()
any_text = st.text(st.characters(codec="utf-8"), max_size=30) | st.lists(st.sampled_from(WORDS), max_size=12).map(
    " ".join
)


def make_marian(folder: Path) -> MarianTokenizer:
    "Two SentencePiece models that cut the same word in different ways."
    pieces = ["</s>", "<unk>"]
    for side, words in (("source", WORDS[:11]), ("target", WORDS[11:] + WORDS[:3])):
        options = {"vocab_size": 60, "hard_vocab_limit": False, "character_coverage": 1.0, "minloglevel": 2}
        with open(folder / f"{side}.spm", "wb") as file:
            texts = iter([" ".join(words)] * 20)
            sentencepiece.SentencePieceTrainer.train(sentence_iterator=texts, model_writer=file, **options)
        trained = sentencepiece.SentencePieceProcessor(model_file=file.name)
        pieces += [trained.id_to_piece(number) for number in range(trained.get_piece_size())]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys([*pieces, ">>fr<<", "<pad>"]))}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    files = (str(folder / name) for name in ("source.spm", "target.spm", "vocab.json"))
    return MarianTokenizer(*files, source_lang="en", target_lang="fr")


@pytest.fixture(scope="module")
def mini():
    return load_model("seq2seq", "mini/seq2seq"), load_tokenizer("mini/seq2seq")


@pytest.fixture(scope="module", params=["mini", "marian"])
def tokenizer(request, tmp_path_factory, mini):
    return mini[1] if request.param == "mini" else make_marian(tmp_path_factory.mktemp("marian"))


def small_model(kind: str = "marian", seed: int = 0, vocabulary: int = 24) -> torch.nn.Module:
    "Random weights, wide enough apart that translations differ and end at different places."
    torch.manual_seed(seed)
    sizes = {"d_model": 16, "encoder_layers": 2, "decoder_layers": 2, "dropout": 0.0, "max_position_embeddings": 64}
    sizes |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32}
    sizes |= {"vocab_size": vocabulary, "pad_token_id": 2, "eos_token_id": 0}
    if kind == "t5":
        sizes = {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2, "dropout_rate": 0.0}
        sizes |= {"vocab_size": vocabulary, "pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0}
        model = T5ForConditionalGeneration(T5Config(**sizes))
    elif kind == "bart":
        sizes |= {"forced_bos_token_id": 5, "forced_eos_token_id": 0, "decoder_start_token_id": 0, "bos_token_id": 1}
        model = BartForConditionalGeneration(BartConfig(**sizes))
    elif kind == "mbart":
        model = MBartForConditionalGeneration(MBartConfig(**sizes))
        model.generation_config.decoder_start_token_id = 5  # the target's language
    elif kind == "m2m_100":
        model = M2M100ForConditionalGeneration(M2M100Config(**sizes))
        model.generation_config.update(decoder_start_token_id=0, forced_bos_token_id=5)
    else:
        sizes |= {"decoder_start_token_id": 2, "bos_token_id": None, "forced_eos_token_id": None}
        model = MarianMTModel(MarianConfig(decoder_vocab_size=vocabulary, scale_embedding=True, **sizes))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "embed_positions" not in name and parameter.ndim >= 2:
                parameter.mul_(12 if kind != "t5" else 1.5)
    return model.eval()


def one_by_one(model, sources, **options) -> list[list[int]]:
    "The reference: what the library gives for each source alone."
    made = []
    for source in sources:
        ids = torch.tensor([source])
        made.append(model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), **options)[0].tolist())
    return made


# Tokens


def alone(tokenizer, text: str, target: bool, length: int | None) -> list[int]:
    given = {"text_target" if target else "text": text}
    options = {"truncation": length is not None, "max_length": length, "split_special_tokens": True}
    return tokenizer(**given, **options)["input_ids"]


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(any_text | st.sampled_from(HARD), max_size=5),
    length=st.none() | st.integers(2, 40),
    target=st.booleans(),
)
def test_texts_are_encoded_as_one_by_one(tokenizer, texts, length, target):
    expected = [alone(tokenizer, text, target, length) for text in texts]
    assert encode_texts(texts, tokenizer, length, target=target) == expected


def test_a_tokenizer_with_two_modes_uses_the_targets_one_for_targets(tmp_path):
    marian = make_marian(tmp_path)
    source, target = (encode_texts(["été ouvre"], marian, target=mode)[0] for mode in (False, True))
    assert len(target) < len(source)
    assert marian("été ouvre")["input_ids"] == source  # the tokenizer is left in its source mode


def test_what_looks_like_a_special_token_is_text(tokenizer):
    for row in encode_texts(["a </s> b <pad>", "<unk> </s>"], tokenizer):
        assert row.count(tokenizer.eos_token_id) == 1
        assert row[-1] == tokenizer.eos_token_id
        assert tokenizer.pad_token_id not in row


def test_words_that_were_added_to_a_marian_tokenizer_are_found(tmp_path):
    marian = make_marian(tmp_path)
    marian.add_tokens(["notebook"])
    for target in (False, True):
        row = encode_texts(["open notebook file"], marian, target=target)[0]
        assert row == marian(**{"text_target" if target else "text": "open notebook file"})["input_ids"]
        assert marian.convert_tokens_to_ids("notebook") in row


# Texts


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_decoding_is_that_of_the_tokenizer_row_by_row(tokenizer, data):
    token = st.integers(0, len(tokenizer) - 1) | st.sampled_from(tokenizer.all_special_ids)
    rows = data.draw(st.lists(st.lists(token, max_size=12), max_size=4))
    assert decode_predictions(rows, tokenizer) == [tokenizer.decode(row, skip_special_tokens=True) for row in rows]


def test_arrays_tensors_and_padding(tokenizer):
    rows = encode_texts(["ouvre", "ferme les %1"], tokenizer, target=True)
    wanted = [tokenizer.decode(row, skip_special_tokens=True) for row in rows]
    for filler in (-100, tokenizer.pad_token_id):
        array = np.array([row + [filler] * (max(map(len, rows)) - len(row)) for row in rows])
        for given_rows in (array, torch.tensor(array), array.tolist(), [*torch.tensor(array)], [*array]):
            assert decode_predictions(given_rows, tokenizer) == wanted
    assert decode_predictions([], tokenizer) == decode_predictions(np.empty((0, 4), int), tokenizer) == []


def test_a_row_without_tokens_is_an_empty_text_wherever_it_stands(tokenizer):
    # SentencePiece up to 0.2.2 judges a batch by its first row, and stops at an empty one.
    row = tokenizer(text_target="ouvre")["input_ids"]
    text = tokenizer.decode(row, skip_special_tokens=True)
    empty = [tokenizer.pad_token_id, tokenizer.eos_token_id]
    assert decode_predictions([empty, row, [], row], tokenizer) == ["", text, "", text]
    assert decode_predictions([empty, []], tokenizer) == ["", ""]


def test_logits_are_no_predictions(tokenizer):
    for logits in (np.zeros((2, 3, 5), np.float32), np.ones((2, 5)), [[1.5, 2.5]]):
        with pytest.raises(TypeError):
            decode_predictions(logits, tokenizer)


@pytest.mark.parametrize("texts", ["Open", ["a\ud83d"], [None], ["a", 3]])
def test_what_is_not_a_list_of_texts_is_an_error(tokenizer, texts):
    assert "Remove it" in (said := complaint_of(CourseError, encode_texts, texts, tokenizer)) or "Give" in said


# Translations


@pytest.mark.parametrize("beams", [1, 4])
def test_generation_is_that_of_one_by_one(mini, beams):
    model, tokenizer = mini
    rows = encode_texts([text for text in HARD if len(text) < 100], tokenizer)
    options = {"num_beams": beams, "max_length": 16}
    expected = one_by_one(model, rows, **options)
    for size in (1, 3, 64):
        assert generate_all(model, rows, batch_size=size, **options) == expected
    assert generate_all(model, rows[::-1], **options) == expected[::-1]


@pytest.mark.parametrize("family", ["marian", "bart", "t5", "mbart", "m2m_100"])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("options", [{"num_beams": 1}, {"num_beams": 3}, {"num_beams": 2, "length_penalty": 0.0}])
def test_any_family_writes_what_it_writes_alone(family, seed, options):
    model = small_model(family, seed)
    lengths, numbers = (1, 2, 9, 4, 4, 7, 2), np.random.default_rng(seed)
    sources = [[*numbers.integers(3, 24, length).tolist(), model.generation_config.eos_token_id] for length in lengths]
    for size, length in ((3, 14), (64, 2)):
        expected = one_by_one(model, sources, max_length=length, **options)
        assert generate_all(model, sources, batch_size=size, max_length=length, **options) == expected


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize(
    "extra",
    [
        {"bad_words_ids": [[4], [5, 6]]},
        {"no_repeat_ngram_size": 2},
        {"repetition_penalty": 1.7},
        {"min_length": 6},
        {"suppress_tokens": [7]},
        {"forced_bos_token_id": 9},
        {"forced_eos_token_id": 0},
        {"eos_token_id": [0, 11, 12]},
        {"renormalize_logits": True},
        {"use_cache": False},
        {"max_new_tokens": 5},
        {"encoder_no_repeat_ngram_size": 2},
        {"encoder_repetition_penalty": 1.5},
    ],
    ids=lambda extra: next(iter(extra)),
)
def test_what_the_checkpoint_forbids_stays_forbidden(extra, beams):
    model = small_model(seed=3)
    sources = [[4, 9, 7, 0], [5, 0], [6, 7, 8, 9, 10, 11, 0], [0]]
    options = {"num_beams": beams} | ({} if "max_new_tokens" in extra else {"max_length": 10})
    expected = one_by_one(model, sources, **options, **extra)
    assert generate_all(model, sources, **options, **extra) == expected
    for name, value in extra.items():  # from the checkpoint instead of the call
        setattr(model.generation_config, name, value)
    assert generate_all(model, sources, **options) == expected


@pytest.mark.parametrize("beams", [1, 2])
def test_what_only_generate_knows_reaches_it(beams):
    model = small_model(seed=3)
    never_five = {"logits_processor": [lambda ids, scores: scores.index_fill(1, torch.tensor([5]), -torch.inf)]}
    sources, options = [[5, 6, 0], [5, 0]], {"num_beams": beams, "max_length": 10}
    made = generate_all(model, sources, **options, **never_five)
    assert made == one_by_one(model, sources, **options, **never_five)
    assert not any(5 in row for row in made)


def test_rows_that_have_ended_leave_the_batch(monkeypatch):
    model, tokenizer = load_model("seq2seq", "mini/seq2seq"), load_tokenizer("mini/seq2seq")
    rows, seen = tokenizer(["Open", "Save all files before you close the notebook."])["input_ids"], []
    model.get_output_embeddings().register_forward_hook(lambda module, args, output: seen.append(len(output)))
    made = generate_all(model, rows)
    short, long = sorted(len(row) - 1 for row in made)
    assert short < long
    assert seen == [2] * short + [1] * (long - short)
    seen.clear()
    monkeypatch.setattr(model.config, "model_type", "new")  # a family that was not compared is left to the library
    assert generate_all(model, rows) == made
    assert seen == [2] * long


def test_the_order_stays_and_equal_sources_are_translated_once():
    model = small_model()
    seen = []
    model.get_encoder().register_forward_hook(lambda module, args, output: seen.append(len(output[0])))
    rows = [[5, 0], [4, 6, 7, 0], [5, 0], [5, 0]]
    made = generate_all(model, Dataset.from_dict({"input_ids": rows}), max_length=6)
    assert seen == [2]
    assert made == one_by_one(model, rows, max_length=6)


@pytest.mark.parametrize("extra", [{}, {"encoder_no_repeat_ngram_size": 2}], ids=["ours", "the library's"])
@pytest.mark.parametrize("beams", [1, 3])
def test_a_model_on_a_gpu_generates_there(extra, beams):
    model = small_model(seed=3)
    model.generation_config.update(bad_words_ids=[[4]], forced_bos_token_id=9, forced_eos_token_id=0)
    sources, options = [[4, 9, 7, 0], [5, 0], [6, 7, 8, 0]], {"num_beams": beams, "max_length": 10} | extra
    here = generate_all(model, sources, **options)
    with pretended_gpu():
        assert generate_all(model.to("cuda"), sources, **options) == here


@pytest.mark.parametrize("beams", [1, 2])
def test_an_interrupted_generation_leaves_the_model_as_it_was(beams):
    model, seen = small_model().train(), []

    def interrupt(module, args):
        seen.append((module.training, torch.is_inference_mode_enabled()))
        if len(seen) == 4:
            raise KeyboardInterrupt

    model.get_output_embeddings().register_forward_pre_hook(interrupt)
    assert generate_all(model, []) == []
    with pytest.raises(KeyboardInterrupt):
        generate_all(model, [[4, 0], [5, 0], [6, 7, 0]], num_beams=beams, max_length=9)
    assert seen == 4 * [(False, True)]
    assert model.training
    assert not torch.is_inference_mode_enabled()


@pytest.mark.parametrize("options", [{"num_return_sequences": 2, "num_beams": 2}, {"do_sample": True}])
def test_samples_and_several_translations_are_refused(options):
    assert "one translation of each" in complaint_of(CourseError, generate_all, small_model(), [[4, 0]], **options)


def test_any_number_of_processes_gives_the_same_translations(mini):
    model, tokenizer = mini
    rows = encode_texts(["Open", "Save the file", "Close", "Run all cells", "Undo", "New folder", "Open"], tokenizer)
    made = lambda: generate_all(model, rows, accelerator=Accelerator(), batch_size=2, max_length=20)
    one, *two = [result for count in (1, 2) for result in launch(made, num_processes=count, cpu=True)]
    assert two == [one, one]


def test_a_model_without_a_pad_token_translates():
    config = {"vocab_size": 24, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config |= {"intermediate_size": 32, "max_position_embeddings": 32}
    torch.manual_seed(0)
    parts = EncoderDecoderConfig.from_encoder_decoder_configs(BertConfig(**config), BertConfig(**config))
    model = EncoderDecoderModel(parts).eval()
    model.generation_config.update(decoder_start_token_id=1, eos_token_id=2, pad_token_id=0)
    assert model.config.pad_token_id is None
    rows, options = [[5, 6, 7], [8, 9], [4]], {"max_length": 6, "num_beams": 1}
    assert generate_all(model, rows, batch_size=3, **options) == one_by_one(model, rows, **options)


@pytest.mark.parametrize("beams", [1, 4])
def test_the_score_is_that_of_one_by_one(mini, beams):
    pairs = load_data("jupyterlab-fr", "translations")["validation"].select(range(40))
    rows = encode_texts(pairs["source"][:], mini[1], 128)
    options = {"num_beams": beams, "max_length": 48}
    ours, alone = (
        bleu_scores(decode_predictions(made, mini[1]), pairs["target"][:])["bleu"]
        for made in (generate_all(mini[0], rows, **options), one_by_one(mini[0], rows, **options))
    )
    assert ours == pytest.approx(alone, abs=0.5)


def test_real_kde_messages_come_out_as_one_by_one(shared, mini):
    "But for a message where two tokens are so near to each other that rounding decides."
    model, tokenizer = mini
    data = load_data(str(shared / "data" / "kde4"), "translations", train_size=8, validation_size=24)
    rows = encode_texts(data["validation"]["source"][:], tokenizer, 128)
    for beams in (1, 3):
        options = {"num_beams": beams, "max_length": 20}
        made, alone = generate_all(model, rows, batch_size=16, **options), one_by_one(model, rows, **options)
        assert sum(mine != theirs for mine, theirs in zip(made, alone, strict=True)) <= 1


# The engine


@pytest.fixture(scope="module")
def messages():
    pytest.importorskip("ctranslate2", reason="pip install 'course_lib[fast]'")
    return load_data("jupyterlab-fr", "translations")["validation"].select(range(100))


def test_the_engine_writes_greedily_what_generate_all_writes(mini, messages):
    model, tokenizer = mini
    rows = [*encode_texts(messages["source"][:], tokenizer, 128), *encode_texts(HARD, tokenizer, 60)]
    engine = ctranslate2_generator(model, tokenizer, max_length=48)
    made, expected = engine(rows), generate_all(model, rows, max_length=48)
    cut = lambda row: [token for token in row if token != tokenizer.eos_token_id]  # it ends cut translations, too
    assert sum(cut(mine) != cut(theirs) for mine, theirs in zip(made, expected, strict=True)) <= 1
    assert not any(tokenizer.pad_token_id in row[1:] for row in made)
    assert max(map(len, made)) <= 49


def test_the_engine_scores_the_same_with_beams(mini, messages):
    model, tokenizer = mini
    rows = encode_texts(messages["source"][:], tokenizer, 128)
    engine = ctranslate2_generator(model, tokenizer, num_beams=4, max_length=48)
    theirs, ours = (
        bleu_scores(decode_predictions(made, tokenizer), messages["target"][:])["bleu"]
        for made in (engine(rows), generate_all(model, rows, num_beams=4, max_length=48))
    )
    assert theirs == pytest.approx(ours, abs=1)


def test_the_engine_reads_weights_that_training_has_changed(mini, messages):
    model = load_model("seq2seq", "mini/seq2seq")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.1)
    rows = encode_texts(messages["source"][:20], mini[1], 128)
    made = ctranslate2_generator(model, mini[1], max_length=20)(rows)
    assert made != ctranslate2_generator(*mini, max_length=20)(rows)
    ended = [row for row in generate_all(model, rows, max_length=20) if row[-1] == 0]
    assert ended
    assert all(row in made for row in ended)


def test_the_engine_reads_an_adapter_too(mini, messages):
    model = adapted(load_model("seq2seq", "mini/seq2seq"), "marian", "seq2seq", r=4)
    rows = encode_texts(messages["source"][:20], mini[1], 128)
    made = ctranslate2_generator(model, mini[1], max_length=20)(rows)
    ended = [row for row in generate_all(model, rows, max_length=20) if row[-1] == 0]
    assert ended
    assert all(row in made for row in ended)
    assert made != ctranslate2_generator(*mini, max_length=20)(rows)
    assert hasattr(model, "merge_and_unload"), "a copy was merged"


@pytest.mark.parametrize(
    "options", [{"no_repeat_ngram_size": 2}, {"max_new_tokens": 5}, {"forced_bos_token_id": 9}, {"min_length": 6}]
)
def test_what_the_engine_does_otherwise_is_left_to_the_library(mini, messages, options):
    assert ctranslate2_generator(*mini, **options) is None


def test_without_the_engine_there_is_none(mini, monkeypatch):
    monkeypatch.setattr(generation.importlib.util, "find_spec", lambda name: None)
    assert ctranslate2_generator(*mini, max_length=20) is None


def test_the_engine_is_for_marian(mini):
    assert ctranslate2_generator(small_model("bart"), mini[1], max_length=20) is None


# many languages


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    return cache(lambda kind: save_checkpoint(kind, folder / kind))


@pytest.mark.parametrize(
    ("kind", "languages", "source", "target"),
    [
        ("mbart", "de,fr", [..., "</s>", "de_DE"], [..., "</s>", "fr_XX"]),
        ("nllb", "deu_Latn, fra_Latn", ["deu_Latn", ..., "</s>"], ["fra_Latn", ..., "</s>"]),
        ("nllb", "deu,fra", ["deu_Latn", ..., "</s>"], ["fra_Latn", ..., "</s>"]),
        ("m2m100", "de,fr", ["__de__", ..., "</s>"], ["__fr__", ..., "</s>"]),
    ],
)
def test_languages_are_on_both_sides_and_what_is_written_begins_with_its_own(
    small, tmp_path, kind, languages, source, target
):
    model, tokenizer = load_model("seq2seq", small(kind)), load_tokenizer(small(kind))
    assert set_languages(model, tokenizer, languages) == ""
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    for loaded in (tokenizer, load_tokenizer(tmp_path)):
        for side, text in (("source", "ab"), ("target", "cd")):
            ids = encode_texts([text], loaded, target=side == "target")[0]
            around = [token for token in {"source": source, "target": target}[side] if token is not ...]
            assert [token for token in loaded.convert_ids_to_tokens(ids) if token in around] == around
    again = load_model("seq2seq", tmp_path)
    set_languages(again, loaded)
    code = loaded.convert_tokens_to_ids(target[0] if target[0] is not ... else target[-1])
    rows = generate_all(again, encode_texts(["ab", "a b"], loaded), max_length=9)
    assert {code} == {row[0 if kind == "mbart" else 1] for row in rows}
    assert not any("fr" in text for text in decode_predictions([[code, *row[2:]] for row in rows], loaded))
    labels = torch.tensor(encode_texts(["cd"], loaded, target=True))
    seen = again.prepare_decoder_input_ids_from_labels(labels) if kind == "mbart" else labels
    assert seen[0, 0] == code, "in training as in writing"


@pytest.mark.parametrize("languages", [None, "en", "en,fr,de", "en,xx", "eng_Latn,fr", "zho,eng"])
def test_languages_that_the_model_does_not_know_are_asked_for(small, languages):
    model, tokenizer = load_model("seq2seq", small("nllb")), load_tokenizer(small("nllb"))
    message = complaint_of(CourseError, set_languages, model, tokenizer, languages)
    assert "language_codes=SOURCE,TARGET" in message
    assert ("eng_Latn" if languages else "ace_Latn") in message


def test_t5_gets_the_prefix_that_it_was_trained_with(small, tmp_path):
    model, tokenizer = load_model("seq2seq", small("t5")), load_tokenizer(small("t5"))
    plain = tokenizer("ab")["input_ids"]
    for languages in (None, "fr,en", "en,pl"):
        message = complaint_of(CourseError, set_languages, model, tokenizer, languages)
        assert "prefix=" in message
        assert "translate English to French:" in message
    assert set_languages(model, tokenizer, "en,fr") == "translate English to French: "
    assert encode_texts(["ab"], tokenizer)[0] == tokenizer("translate English to French: ab")["input_ids"]
    assert encode_texts(["ab"], tokenizer, target=True)[0] == plain
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    loaded = load_tokenizer(tmp_path)
    assert set_languages(load_model("seq2seq", tmp_path), loaded) == "translate English to French: "
    assert set_languages(model, loaded, "en,fr", "Translate:") == "Translate: "
    assert set_languages(model, loaded, "en,fr", " ") == ""


def test_a_tokenizer_of_two_languages_needs_no_codes():
    tokenizer = copy.deepcopy(TOKENIZERS["bytes"])
    tokenizer.src_lang, tokenizer.tgt_lang = "en", "ru"  # as FSMT's
    assert set_languages(small_model(vocabulary=160), tokenizer, "en,ru") == ""


def test_marian_s_code_stands_before_the_source_where_there_are_several(tmp_path):
    model, tokenizer = small_model(vocabulary=160), make_marian(tmp_path)
    assert set_languages(model, tokenizer, "en,fr") == "", "a single one is no choice"
    tokenizer.supported_language_codes = [">>fr<<", ">>it<<"]
    tokenizer.init_kwargs.pop("source_prefix")
    assert ">>it<<" in complaint_of(CourseError, set_languages, model, tokenizer)
    assert set_languages(model, tokenizer, "en,fr") == ">>fr<< "
    assert encode_texts(["open"], tokenizer) == [tokenizer(">>fr<< open")["input_ids"]]
