"Pairs, generation and scores against independent naive references."

import csv
import json
import math
import zipfile
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
import torch
from accelerate import Accelerator
from complaints import complaint_of
from datasets import Dataset, DatasetDict, disable_progress_bars
from hypothesis import given, settings
from hypothesis import strategies as st
from pretended_gpu import pretended_gpu
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    DataCollatorForSeq2Seq,
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

from course_lib.checkpoints import CheckpointError, load_model, load_tokenizer
from course_lib.data import DataError
from course_lib.loop import LoopConfig
from course_lib.metrics import MetricError, bleu_scores, load_metric
from course_lib.processes import launch
from course_lib.profiles import CourseError, load_settings
from course_lib.translation import (
    SETTINGS,
    Translator,
    decode_predictions,
    evaluate_translations,
    generate_all,
    generation_options,
    load_checkpoint,
    load_pairs,
    preprocess,
    preprocess_pairs,
    train,
)

disable_progress_bars()
pytestmark = pytest.mark.filterwarnings("ignore:Recommended. pip install sacremoses")
TINY = SETTINGS["tiny"]
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
]
WORDS = "open close save file files notebook the a kernel cell run all ouvre ferme les été 日本 😀 %1 {name}".split()
any_text = st.text(st.characters(codec="utf-8"), max_size=30) | st.lists(st.sampled_from(WORDS), max_size=12).map(
    " ".join
)


@pytest.fixture(scope="module")
def mini():
    return load_model("seq2seq", "mini/seq2seq"), load_tokenizer("mini/seq2seq")


def make_marian(folder: Path, **options) -> MarianTokenizer:
    "Two SentencePiece models that cut the same word in different ways."
    pieces = ["</s>", "<unk>"]
    for side, words in (("source", WORDS[:11]), ("target", WORDS[11:] + WORDS[:3])):
        model = folder / f"{side}.spm"
        with open(model, "wb") as file:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter([" ".join(words)] * 20),
                model_writer=file,
                vocab_size=60,
                hard_vocab_limit=False,
                character_coverage=1.0,
                minloglevel=2,
            )
        trained = sentencepiece.SentencePieceProcessor(model_file=str(model))
        pieces += [trained.id_to_piece(number) for number in range(trained.get_piece_size())]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys([*pieces, ">>fr<<", "<pad>"]))}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    return MarianTokenizer(
        *(str(folder / name) for name in ("source.spm", "target.spm", "vocab.json")),
        source_lang="en", target_lang="fr", **options,
    )  # fmt: skip


@pytest.fixture(scope="module")
def marian(tmp_path_factory):
    return make_marian(tmp_path_factory.mktemp("marian"))


def small_model(kind: str = "marian", seed: int = 0, vocabulary: int = 24, **config) -> torch.nn.Module:
    "Random weights, wide enough apart that translations differ and end at different places."
    torch.manual_seed(seed)
    if kind == "t5":
        sizes = {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2}
        model = T5ForConditionalGeneration(
            T5Config(
                vocab_size=vocabulary, pad_token_id=0, eos_token_id=1, decoder_start_token_id=0, dropout_rate=0.0,
                **sizes | config,
            )
        )  # fmt: skip
    else:
        sizes = {"d_model": 16, "encoder_layers": 2, "decoder_layers": 2}
        sizes |= {f"{part}_{name}": size for part in ("encoder", "decoder") for name, size in (("attention_heads", 2), ("ffn_dim", 32))}  # fmt: skip
        sizes |= {"dropout": 0.0, "max_position_embeddings": 64, "pad_token_id": 2, "eos_token_id": 0}
        if kind == "bart":
            sizes |= {
                "forced_bos_token_id": 5,
                "decoder_start_token_id": 0,
                "forced_eos_token_id": 0,
                "bos_token_id": 1,
            }
            model = BartForConditionalGeneration(BartConfig(vocab_size=vocabulary, **sizes | config))
        elif kind == "mbart":
            model = MBartForConditionalGeneration(MBartConfig(vocab_size=vocabulary, **sizes | config))
            model.generation_config.decoder_start_token_id = 5  # the target's language
        elif kind == "m2m_100":
            model = M2M100ForConditionalGeneration(M2M100Config(vocab_size=vocabulary, **sizes | config))
            model.generation_config.update(decoder_start_token_id=0, forced_bos_token_id=5)
        else:
            sizes |= {
                "decoder_start_token_id": 2,
                "bos_token_id": None,
                "forced_eos_token_id": None,
                "scale_embedding": True,
            }
            model = MarianMTModel(MarianConfig(vocab_size=vocabulary, decoder_vocab_size=vocabulary, **sizes | config))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "embed_positions" not in name and parameter.ndim >= 2:
                parameter.mul_(12 if kind != "t5" else 1.5)
    return model.eval()


def one_by_one(model, sources, **options) -> list[list[int]]:
    "The reference: what the library gives for each source alone."
    made = []
    with torch.no_grad():
        for source in sources:
            ids = torch.tensor([source])
            made.append(model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), **options)[0].tolist())
    return made


# Tokenizing


def alone(tokenizer, text: str, target: bool, length: int) -> list[int]:
    given = {"text_target" if target else "text": text}
    return tokenizer(**given, truncation=True, max_length=length, split_special_tokens=True)["input_ids"]


@pytest.mark.parametrize("which", ["mini", "marian"])
@settings(max_examples=60, deadline=None)
@given(
    pairs=st.lists(st.tuples(any_text | st.sampled_from(HARD), any_text | st.sampled_from([*HARD, ">>fr<< ouvre"])), max_size=5),
    length=st.integers(2, 40),
)  # fmt: skip
def test_pairs_are_tokenized_as_one_by_one(which, mini, marian, pairs, length):
    tokenizer = mini[1] if which == "mini" else marian
    found = preprocess_pairs({"source": [s for s, _ in pairs], "target": [t for _, t in pairs]}, tokenizer, length)
    assert found["input_ids"] == [alone(tokenizer, source, False, length) for source, _ in pairs]
    assert found["labels"] == [alone(tokenizer, target, True, length) for _, target in pairs]
    assert found["attention_mask"] == [[1] * len(row) for row in found["input_ids"]]


def test_a_tokenizer_with_two_modes_uses_the_targets_one_for_targets(marian):
    text = "été ouvre"
    found = preprocess_pairs({"source": [text], "target": [text]}, marian)
    assert found["labels"][0] != found["input_ids"][0]
    assert len(found["labels"][0]) < len(found["input_ids"][0])
    # the marks of the modes are put back
    assert marian(text)["input_ids"] == found["input_ids"][0]


def test_what_looks_like_a_special_token_is_text(mini, marian):
    for tokenizer in (mini[1], marian):
        found = preprocess_pairs({"source": ["a </s> b <pad>"], "target": ["<unk> </s>"]}, tokenizer)
        for row in (*found["input_ids"], *found["labels"]):
            assert row.count(tokenizer.eos_token_id) == 1
            assert row[-1] == tokenizer.eos_token_id
            assert tokenizer.pad_token_id not in row


def test_a_marian_tokenizer_with_added_tokens_takes_the_general_way(tmp_path):
    tokenizer = make_marian(tmp_path)
    tokenizer.add_tokens(["notebook"])
    text = "open notebook file"
    found = preprocess_pairs({"source": [text], "target": [text]}, tokenizer)
    assert found["input_ids"] == [tokenizer(text)["input_ids"]]
    assert found["labels"] == [tokenizer(text_target=text)["input_ids"]]
    assert tokenizer.convert_tokens_to_ids("notebook") in found["input_ids"][0]


@pytest.mark.parametrize(
    ("batch", "part"),
    [
        ({"source": ["a"]}, "no column 'target'; they have source"),
        ({"source": ["a", None], "target": ["b", "c"]}, "source in row 1 is None"),
        ({"source": ["a"], "target": [3]}, "target in row 0 is 3"),
    ],
)
def test_pairs_that_lack_something_are_named(mini, batch, part):
    assert part in complaint_of(DataError, preprocess_pairs, batch, mini[1])


@pytest.mark.parametrize(
    ("source", "target", "part"),
    [
        (["Open", "Save"], ["Ouvrir", " \u3000"], "train: row 1 has no target for the source 'Save'"),
        (["", "Save"], ["Ouvrir", "x"], "train: row 0 has no source for the target 'Ouvrir'"),
    ],
)
def test_a_missing_side_is_named(mini, source, target, part):
    data = DatasetDict(train=Dataset.from_dict({"source": source, "target": target}))
    assert part in complaint_of(DataError, preprocess, data, mini[1])


def test_a_pair_of_two_blanks_is_no_missing_side(mini):
    data = DatasetDict(train=Dataset.from_dict({"source": ["", "Open"], "target": ["", "Ouvrir"]}))
    found = preprocess(data, mini[1])["train"]
    assert found[0]["input_ids"] == found[0]["labels"] == [mini[1].eos_token_id]
    assert found.column_names == ["input_ids", "attention_mask", "labels"]


def test_the_decoder_sees_the_labels_one_place_later(mini):
    model, tokenizer = mini
    rows = preprocess_pairs({"source": ["Open the file", "x"], "target": ["Ouvrir le fichier", "y"]}, tokenizer)
    batch = DataCollatorForSeq2Seq(tokenizer, model=model)([dict(zip(rows, row, strict=True)) for row in zip(*rows.values(), strict=True)])  # fmt: skip
    for labels, seen in zip(batch["labels"].tolist(), batch["decoder_input_ids"].tolist(), strict=True):
        expected = [model.config.decoder_start_token_id]
        for label in labels[:-1]:
            expected.append(model.config.pad_token_id if label == -100 else label)
        assert seen == expected


# Decoding


@pytest.mark.parametrize("which", ["mini", "marian"])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_decoding_is_that_of_the_tokenizer_row_by_row(which, mini, marian, data):
    tokenizer = mini[1] if which == "mini" else marian
    token = st.integers(0, len(tokenizer) - 1) | st.sampled_from(tokenizer.all_special_ids)
    rows = data.draw(st.lists(st.lists(token, max_size=12), max_size=4))
    assert decode_predictions(rows, tokenizer) == [tokenizer.decode(row, skip_special_tokens=True) for row in rows]


@pytest.mark.parametrize("which", ["mini", "marian"])
def test_arrays_tensors_tuples_and_padding(which, mini, marian):
    tokenizer = mini[1] if which == "mini" else marian
    rows = preprocess_pairs({"source": ["open", "run all"], "target": ["ouvre", "ferme les %1"]}, tokenizer)["labels"]
    width = max(map(len, rows))
    wanted = [tokenizer.decode(row, skip_special_tokens=True) for row in rows]
    for filler in (-100, tokenizer.pad_token_id):
        array = np.array([row + [filler] * (width - len(row)) for row in rows])
        for given_rows in (array, torch.tensor(array), array.tolist(), (array, None)):
            assert decode_predictions(given_rows, tokenizer) == wanted
    assert decode_predictions([], tokenizer) == decode_predictions(np.empty((0, 4), int), tokenizer) == []


@pytest.mark.parametrize("which", ["mini", "marian"])
def test_a_row_without_tokens_is_an_empty_text_wherever_it_stands(which, mini, marian):
    # SentencePiece up to 0.2.2 judges a batch by its first row, and stops at an empty one.
    tokenizer = mini[1] if which == "mini" else marian
    row = tokenizer(text_target="ouvre")["input_ids"]
    text = tokenizer.decode(row, skip_special_tokens=True)
    empty = [tokenizer.pad_token_id, tokenizer.eos_token_id]
    assert decode_predictions([empty, row, [], row], tokenizer) == ["", text, "", text]
    assert decode_predictions([empty, []], tokenizer) == ["", ""]


@pytest.mark.parametrize(
    "logits", [np.zeros((2, 3, 5), np.float32), np.zeros((2, 3)), torch.zeros(2, dtype=torch.long)]
)
def test_logits_are_refused(mini, logits):
    assert "not rows of token ids" in complaint_of(DataError, decode_predictions, logits, mini[1])


# Scores


def naive_bleu(predictions: list[str], references: list[str]) -> float:
    "Papineni et al. (2002), words cut at blanks; an n that matches nowhere counts 1/2, 1/4 … matches."
    logs, smooth, made, wanted = 0.0, 1.0, 0, 0
    for prediction, reference in zip(predictions, references, strict=True):
        made, wanted = made + len(prediction.split()), wanted + len(reference.split())
    for n in range(1, 5):
        match = total = 0
        for prediction, reference in zip(predictions, references, strict=True):
            words, other = prediction.split(), reference.split()
            runs = Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
            known = Counter(tuple(other[i : i + n]) for i in range(len(other) - n + 1))
            match += sum(min(count, known[run]) for run, count in runs.items())
            total += sum(runs.values())
        if total == 0:
            return 0.0
        if match == 0:
            smooth *= 2
            logs += math.log(1 / (smooth * total))
        else:
            logs += math.log(match / total)
    return 100 * math.exp(logs / 4) * (1 if made >= wanted else math.exp(1 - wanted / made))


sentences = st.lists(st.sampled_from("abcde"), min_size=1, max_size=9).map(" ".join)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(sentences, sentences), min_size=1, max_size=5))
def test_bleu_counts_runs_of_words(pairs):
    predictions, references = map(list, zip(*pairs, strict=True))
    if not any(set(p.split()) & set(r.split()) for p, r in pairs):
        return  # without any match sacrebleu gives 0 at once
    found = bleu_scores(predictions, references, tokenizer="none")
    assert found["bleu"] == pytest.approx(naive_bleu(predictions, references))


def naive_chrf(prediction: str, reference: str) -> float:
    "Popović (2015), runs of 1 to 6 characters without blanks, recall counts twice, for a single text."
    made, wanted, rates = prediction.replace(" ", ""), reference.replace(" ", ""), []
    for n in range(1, 7):
        mine = Counter(made[i : i + n] for i in range(len(made) - n + 1))
        other = Counter(wanted[i : i + n] for i in range(len(wanted) - n + 1))
        if mine and other:
            match = sum((mine & other).values())
            rates.append((match / sum(mine.values()), match / sum(other.values())))
    precision, recall = np.mean(rates, axis=0) if rates else (0, 0)
    return 100 * 5 * precision * recall / (4 * precision + recall) if precision else 0.0


@settings(max_examples=60, deadline=None)
@given(sentences, sentences)
def test_chrf_counts_runs_of_characters(prediction, reference):
    assert bleu_scores([prediction], [reference])["chrf"] == pytest.approx(naive_chrf(prediction, reference), abs=1e-6)


def test_scores_name_how_they_were_computed():
    found = bleu_scores(["été 日本 😀", ""], ["été 日本 😀", "x"])
    assert "tok:13a" in found["signature"]
    assert "nrefs:1" in found["signature"]
    assert "nc:6" in found["chrf_signature"]
    assert "nrefs:2" in bleu_scores(["a"], [["a", "b"]])["signature"]


def test_the_best_of_several_references_counts():
    both = bleu_scores(["a b c d"], [["e f g h", "a b c d"]])["bleu"]
    assert both == pytest.approx(100)
    assert bleu_scores(["a b c d"], ["e f g h"])["bleu"] < 50


@pytest.mark.parametrize(
    ("predictions", "references", "part"),
    [
        (["a"], ["a", "b"], "1 predictions for 2 references"),
        ([], [], "no predictions"),
        ([["a"]], ["a"], "predictions holds a list in row 0"),
        ([1], ["a"], "int in row 0"),
        (["a", "b"], [["a"], ["a", "b"]], "Row 1 has 2 references, row 0 has 1"),
        ("ab", ["a", "b"], "one string"),
        (["a"], "a", "one string"),
    ],
)
def test_what_cannot_be_scored_is_named(predictions, references, part):
    assert part in complaint_of(MetricError, bleu_scores, predictions, references)


def test_an_unknown_way_to_cut_words_is_named():
    assert "Did you mean '13a'" in complaint_of(MetricError, bleu_scores, ["a"], ["a"], tokenizer="13b")


def test_the_metric_object_gives_the_same():
    metric = load_metric("bleu")
    for made, wanted in (("Ouvrir le fichier", "Ouvrir un fichier"), ("Fermer", "Fermer")):
        metric.add_batch(predictions=[made], references=[wanted])
    assert metric.compute() == bleu_scores(["Ouvrir le fichier", "Fermer"], ["Ouvrir un fichier", "Fermer"])


# Generating


@pytest.mark.parametrize("beams", [1, 4])
def test_generation_is_that_of_one_by_one(mini, beams):
    model, tokenizer = mini
    texts = [text for text in HARD if len(text) < 100]
    rows = preprocess_pairs({"source": texts, "target": texts}, tokenizer, 512)["input_ids"]
    options = {"num_beams": beams, "max_length": 16}
    expected = one_by_one(model, rows, **options)
    for size in (1, 3, 64):
        assert generate_all(model, rows, batch_size=size, **options) == expected
    assert generate_all(model, rows[::-1], **options) == expected[::-1]


FAMILIES = ["marian", "bart", "t5", "mbart", "m2m_100"]


@pytest.mark.parametrize("family", FAMILIES)
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
        {"encoder_no_repeat_ngram_size": 2},
        {"encoder_repetition_penalty": 1.5},
    ],
    ids=lambda extra: next(iter(extra)),
)
def test_what_the_checkpoint_forbids_stays_forbidden(extra, beams):
    model = small_model(seed=3)
    sources = [[4, 9, 7, 0], [5, 0], [6, 7, 8, 9, 10, 11, 0], [0]]
    options = {"num_beams": beams, "max_length": 10, **extra}
    expected = one_by_one(model, sources, **options)
    assert generate_all(model, sources, **options) == expected
    for name, value in extra.items():  # from the checkpoint instead of the call
        setattr(model.generation_config, name, value)
    assert generate_all(model, sources, num_beams=beams, max_length=10) == expected


@pytest.mark.parametrize("beams", [1, 2])
def test_what_only_generate_knows_reaches_it(beams):
    model = small_model(seed=3)
    never_five = {"logits_processor": [lambda ids, scores: scores.index_fill(1, torch.tensor([5]), -torch.inf)]}
    sources, options = [[5, 6, 0], [5, 0]], {"num_beams": beams, "max_length": 10}
    made = generate_all(model, sources, **options, **never_five)
    assert made == one_by_one(model, sources, **options, **never_five)
    assert not any(5 in row for row in made)


@pytest.mark.parametrize("beams", [1, 2])
def test_a_family_that_was_not_compared_is_left_to_the_library(beams, monkeypatch):
    model, calls = small_model(seed=3), []
    original = model.generate
    monkeypatch.setattr(model, "generate", lambda **given: calls.append(given) or original(**given))
    monkeypatch.setattr(model.config, "model_type", "new")
    sources, options = [[4, 9, 7, 0], [5, 0]], {"num_beams": beams, "max_length": 10}
    assert generate_all(model, sources, **options) == one_by_one(model, sources, **options)
    assert len(calls[0]["input_ids"]) == 2


def calls_of(module: torch.nn.Module) -> list[int]:
    "Receives the number of rows in the output of each call."
    seen: list[int] = []
    module.register_forward_hook(lambda module, args, output: seen.append(len(getattr(output, "last_hidden_state", output))))
    return seen


def test_rows_that_have_ended_leave_the_batch(mini):
    model, tokenizer = load_model("seq2seq", "mini/seq2seq"), mini[1]
    seen = calls_of(model.get_output_embeddings())
    made = generate_all(model, tokenizer(["Open", "Save all files before you close the notebook."])["input_ids"])
    short, long = sorted(len(row) - 1 for row in made)
    assert short < long
    assert seen == [2] * short + [1] * (long - short)


def test_the_order_stays_and_equal_sources_are_translated_once():
    model = small_model()
    seen = calls_of(model.get_encoder())
    rows = [[5, 0], [4, 6, 7, 0], [5, 0], [5, 0]]
    made = generate_all(model, Dataset.from_dict({"input_ids": rows}), max_length=6)
    assert seen == [2]
    assert made == one_by_one(model, rows, max_length=6)


def test_the_report_counts(mini):
    model, tokenizer = mini
    rows, report = tokenizer(["Open", "Open the file", "Open"])["input_ids"], {}
    made = generate_all(model, rows, report=report)
    assert report["tokens"] == len(made[0]) - 1 + len(made[1]) - 1
    lengths = [len(rows[0]), len(rows[1])]
    assert report["padding"] == pytest.approx(1 - sum(lengths) / (2 * max(lengths)))
    assert report["seconds"] > 0


@pytest.mark.parametrize("extra", [{}, {"no_repeat_ngram_size": 2}], ids=["ours", "the library's"])
@pytest.mark.parametrize("beams", [1, 3])
def test_a_model_on_a_gpu_generates_there(extra, beams):
    model = small_model(seed=3)
    model.generation_config.update(bad_words_ids=[[4]], forced_bos_token_id=9, forced_eos_token_id=0)
    sources, options = [[4, 9, 7, 0], [5, 0], [6, 7, 8, 0]], {"num_beams": beams, "max_length": 10} | extra
    here = generate_all(model, sources, **options)
    with pretended_gpu():
        assert generate_all(model.to("cuda"), sources, **options) == here


def test_nothing_and_modes():
    model = small_model().train()
    report = {}
    assert generate_all(model, [], report=report) == []
    assert report["tokens"] == 0
    generate_all(model, [[4, 0]], max_length=5)
    assert model.training
    generate_all(model.eval(), [[4, 0]], max_length=5)
    assert not model.training


@pytest.mark.parametrize("beams", [1, 2])
def test_an_interrupted_generation_leaves_the_model_as_it_was(beams):
    model, seen = small_model().train(), []

    def interrupt(module, args):
        seen.append((model.training, torch.is_inference_mode_enabled()))
        if len(seen) == 4:
            raise KeyboardInterrupt

    model.get_output_embeddings().register_forward_pre_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        generate_all(model, [[4, 0], [5, 0], [6, 7, 0]], num_beams=beams, max_length=9)
    assert seen == 4 * [(False, True)]
    assert model.training
    assert not torch.is_inference_mode_enabled()


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"num_beams": 0}, "num_beams=0"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"num_return_sequences": 2, "num_beams": 2}, "one translation of each source"),
        ({"do_sample": True}, "draws no lots"),
    ],
)
def test_impossible_requests_are_named(options, part):
    assert part in complaint_of(CourseError, generate_all, small_model(), [[4, 0]], **options)


def test_a_source_without_tokens_is_named():
    assert "Source 1 has no tokens" in complaint_of(DataError, generate_all, small_model(), [[4, 0], []])


# Evaluating


@pytest.fixture(scope="module")
def held_out(mini) -> tuple[Dataset, list[str]]:
    "Thirteen pairs: no multiple of a batch or of two processes."
    sources = ["Open", "Save the file", "Close", "Run all cells", "Delete %1", "New folder", "Restart the kernel"]
    sources += ["The file could not be found.", "Copy", "Paste", "Undo", "Number of columns:", "Print the page"]
    targets = ["Ouvrir", "Enregistrer le fichier", "Fermer", "Exécuter toutes les cellules", "Supprimer %1"]
    targets += ["Nouveau dossier", "Redémarrer le noyau", "Le fichier est introuvable.", "Copier", "Coller", "Annuler"]
    targets += ["Nombre de colonnes :", "Imprimer la page"]
    data = DatasetDict(validation=Dataset.from_dict({"source": sources, "target": targets}))
    return preprocess(data, mini[1])["validation"], targets


def test_evaluation_against_one_by_one(mini, held_out):
    model, tokenizer = mini
    rows, references = held_out
    collate = DataCollatorForSeq2Seq(tokenizer, model=model)
    made, total, count = [], 0.0, 0
    with torch.no_grad():
        for row in rows:
            ids = model.generate(input_ids=torch.tensor([row["input_ids"]]), max_length=32)[0]
            made.append(tokenizer.decode(ids, skip_special_tokens=True))
            logits = model(**{name: tensor for name, tensor in collate([row]).items() if name != "labels"}).logits[0]
            for label, scores in zip(row["labels"], logits.double().log_softmax(-1), strict=True):
                total, count = total - scores[label].item(), count + 1
    found = evaluate_translations(model, None, rows, references, tokenizer, collate, max_length=32, batch_size=4)
    wanted = bleu_scores(made, references)
    assert (found["bleu"], found["chrf"]) == (wanted["bleu"], wanted["chrf"])
    assert found["loss"] == pytest.approx(total / count, rel=1e-5)


def test_any_number_of_processes_gives_the_same_scores(mini, held_out):
    model, tokenizer = mini
    rows, references = held_out
    collate = DataCollatorForSeq2Seq(tokenizer, model=model)

    def score():
        accelerator = Accelerator()
        evaluate = partial(evaluate_translations, model, accelerator, rows, references, tokenizer, collate)
        made = generate_all(model, rows, accelerator=accelerator, batch_size=3, max_length=20)
        return [made, evaluate(batch_size=2, max_length=20), evaluate(batch_size=64, num_beams=2, max_length=20)]

    results = [result for count in (1, 2) for result in launch(score, num_processes=count, cpu=True)]
    assert len(results) == 3
    for result in results[1:]:
        assert result[0] == results[0][0]
        for mine, other in zip(result[1:], results[0][1:], strict=True):
            assert (mine["bleu"], mine["chrf"]) == (other["bleu"], other["chrf"])
            assert mine["loss"] == pytest.approx(other["loss"], rel=1e-5)


# Any language pair, from any file

PAIRS = [(f"{verb} the {noun} %{number}", f"%{number} {noun} {verb}!") for number, verb in enumerate(["öffne", "保存", "打开", "удали"]) for noun in ("file", "cell", "ячейку", "😀")]  # fmt: skip


def write_moses(folder: Path) -> Path:
    for code, side in (("xx", 0), ("yy", 1)):
        (folder / f"train.{code}").write_text("".join(pair[side] + "\n" for pair in PAIRS), encoding="utf-8")
    return folder


def write_zip(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "xx-yy.zip", "w") as archive:
        for code, side in (("xx", 0), ("yy", 1)):
            archive.writestr(f"KDE4.xx-yy.{code}", "".join(pair[side] + "\n" for pair in PAIRS))
    return folder / "xx-yy.zip"


def write_po(folder: Path) -> Path:
    entries = "".join(f'msgid "{source}"\nmsgstr "{target}"\n\n' for source, target in PAIRS)
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    (folder / "yy.po").write_text(header + entries, encoding="utf-8")
    return folder / "yy.po"


def write_jsonl(folder: Path) -> Path:
    rows = [json.dumps({"translation": {"xx": source, "yy": target}}, ensure_ascii=False) for source, target in PAIRS]
    (folder / "pairs.jsonl").write_text("\n".join(rows), encoding="utf-8")
    return folder / "pairs.jsonl"


def write_csv(folder: Path) -> Path:
    with open(folder / "pairs.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("xx", "yy"), *PAIRS])
    return folder / "pairs.csv"


WRITERS = [write_moses, write_zip, write_po, write_jsonl, write_csv]


@pytest.mark.parametrize("write", WRITERS)
def test_pairs_come_from_any_kind_of_file(tmp_path, write):
    data = load_pairs(replace(TINY, dataset=str(write(tmp_path)), languages="xx,yy"))
    found = [(row["source"], row["target"]) for split in data.values() for row in split]
    assert sorted(found) == sorted(PAIRS)


@pytest.fixture(scope="module")
def small_checkpoint(tmp_path_factory, mini) -> str:
    "A folder with a model that learns in seconds, and the packaged tokenizer."
    folder = tmp_path_factory.mktemp("checkpoint")
    torch.manual_seed(0)
    sizes = {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2}
    sizes |= {"decoder_attention_heads": 2, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "dropout": 0.0}
    special = {"pad_token_id": 2, "eos_token_id": 0, "decoder_start_token_id": 2, "bos_token_id": None}
    config = MarianConfig(
        vocab_size=len(mini[1]), decoder_vocab_size=len(mini[1]), max_position_embeddings=128, forced_eos_token_id=None,
        **sizes, **special,
    )  # fmt: skip
    MarianMTModel(config).save_pretrained(folder)
    mini[1].save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize("write", [write_moses, write_po])
def test_training_on_any_pair_of_languages_by_settings_alone(tmp_path, small_checkpoint, write):
    changes = f"dataset={write(tmp_path)} checkpoint={small_checkpoint} languages=xx,yy num_epochs=12 max_length=48"
    changes += " batch_size=4 learning_rate=5e-3 from_scratch=true"
    settings = load_settings(SETTINGS, "tiny", {"COURSE_SET": changes})
    model, tokenizer, history = train(settings, progress=False)
    losses = [step["loss"] for step in history.steps]
    assert np.mean(losses[-4:]) < np.mean(losses[:4]) / 2
    assert len(history.evaluations) == 12
    assert {"bleu", "chrf", "loss"} <= set(history.evaluations[-1])
    assert history.evaluations[-1]["chrf"] > history.evaluations[0]["chrf"]
    assert isinstance(Translator(model, tokenizer, max_length=48)("öffne the file %0"), str)


def test_training_in_two_processes_ends_with_one_history(tmp_path, small_checkpoint):
    settings = replace(
        TINY, dataset=str(write_jsonl(tmp_path)), checkpoint=small_checkpoint, languages="xx,yy", num_epochs=2,
        max_length=32, batch_size=4, learning_rate=2e-3,
    )  # fmt: skip

    def run():
        return train(settings, progress=False)[2].to_dict()

    one, *two = [history for count in (1, 2) for history in launch(run, num_processes=count, cpu=True)]
    assert two[0] == two[1], "both processes know the same"
    assert [step["step"] for step in one["steps"]] == [step["step"] for step in two[0]["steps"]]
    for mine, other in zip(one["steps"], two[0]["steps"], strict=True):
        assert mine["loss"] == pytest.approx(other["loss"], rel=1e-3)
    assert one["evaluations"][-1]["loss"] == pytest.approx(two[0]["evaluations"][-1]["loss"], rel=1e-3)


def test_settings_reach_fit(tmp_path, small_checkpoint, monkeypatch):
    settings = replace(
        TINY, dataset=str(write_csv(tmp_path)), checkpoint=small_checkpoint, languages="xx,yy",
        num_epochs=7, warmup=0.3, mixed_precision="bf16", seed=5,
    )  # fmt: skip
    monkeypatch.setattr("course_lib.translation.fit", lambda model, rows, collate, config, **options: config)
    config = train(settings)[2]
    assert config == LoopConfig.from_settings(settings)
    assert (config.num_epochs, config.warmup, config.mixed_precision, config.seed) == (7, 0.3, "bf16", 5)


def test_scores_are_in_full_precision_while_training_is_not(tmp_path, small_checkpoint, monkeypatch):
    settings = replace(
        TINY, dataset=str(write_csv(tmp_path)), checkpoint=small_checkpoint, languages="xx,yy", num_epochs=1,
        max_length=16, mixed_precision="bf16",
    )  # fmt: skip
    seen, whole, scored = [], partial(load_checkpoint, settings), {}

    def watched(settings):
        model, tokenizer = whole()
        model.get_output_embeddings().register_forward_hook(
            lambda module, args, output: seen.append((module.training, output.dtype))
        )
        return model, tokenizer

    monkeypatch.setattr("course_lib.translation.load_checkpoint", watched)
    real = evaluate_translations
    monkeypatch.setattr(
        "course_lib.translation.evaluate_translations",
        lambda *args, **options: real(*args, **scored.setdefault("options", options)),
    )
    model, _, history = train(settings, progress=False)
    assert set(seen) == {(True, torch.bfloat16), (False, torch.float32)}
    assert history.evaluations[-1] | real(model, None, **scored["options"]) == history.evaluations[-1]


def test_options_reach_fit(tmp_path, small_checkpoint):
    settings = replace(
        TINY, dataset=str(write_csv(tmp_path)), checkpoint=small_checkpoint, languages="xx,yy", num_epochs=1
    )
    _, _, history = train(settings, progress=False, evaluate=lambda model, accelerator: {"constant": 1.0})
    assert history.evaluations[-1]["constant"] == 1.0


# Bad input


def test_files_of_different_lengths_are_named(tmp_path):
    folder = write_moses(tmp_path)
    with open(folder / "train.yy", "a", encoding="utf-8") as file:
        file.write("one more\n")
    message = complaint_of(DataError, load_pairs, replace(TINY, dataset=str(folder), languages="xx,yy"))
    assert "16 lines of xx and 17 lines of yy" in message


@pytest.mark.parametrize("write", [write_moses, write_zip, write_jsonl, write_csv])
def test_a_language_that_is_not_there_is_named(tmp_path, write):
    message = complaint_of(DataError, load_pairs, replace(TINY, dataset=str(write(tmp_path)), languages="xx,zz"))
    assert "zz" in message
    assert "xx, yy" in message or "train.zz" in message or "train.xx" in message


def test_a_pair_with_a_missing_side_is_named(tmp_path):
    file = tmp_path / "pairs.jsonl"
    file.write_text('{"source": "Open", "target": "Ouvrir"}\n{"source": "Save"}\n', encoding="utf-8")
    message = complaint_of(DataError, load_pairs, replace(TINY, dataset=str(file)))
    assert "'target' is empty in row 1" in message


@pytest.mark.parametrize("name", ["mini/encoder", "mini/causal"])
def test_a_checkpoint_that_cannot_translate_is_named(name):
    message = complaint_of(CheckpointError, load_checkpoint, replace(TINY, checkpoint=name))
    assert name in message
    assert "has no model for seq2seq" in message


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"max_length": 600}, "max_length=600 does not fit the model; use 8 to 512"),
        ({"max_length": 4}, "max_length=4"),
        ({"num_beams": 0}, "num_beams=0"),
    ],
)
def test_numbers_that_cannot_be_are_named(changes, part):
    assert part in complaint_of(CourseError, load_checkpoint, replace(TINY, **changes))


def test_a_tokenizer_with_more_tokens_than_the_model_is_named(tmp_path, mini):
    small_model(vocabulary=24).save_pretrained(tmp_path)
    mini[1].save_pretrained(tmp_path)
    message = complaint_of(CourseError, load_checkpoint, replace(TINY, checkpoint=str(tmp_path)))
    assert "The tokenizer has 6000 tokens, the model 24" in message


def test_an_unknown_setting_is_named():
    message = complaint_of(CourseError, load_settings, SETTINGS, "tiny", {"COURSE_SET": "num_beam=2"})
    assert "Did you mean 'num_beams'" in message


def test_from_scratch_draws_by_the_seed_and_freezes_what_was_frozen():
    one, again = (load_checkpoint(replace(TINY, from_scratch=True, seed=5))[0] for _ in range(2))
    other = load_checkpoint(replace(TINY, from_scratch=True, seed=6))[0]
    trained = load_checkpoint(TINY)[0]
    table = "model.shared.weight"
    assert torch.equal(one.state_dict()[table], again.state_dict()[table])
    assert not torch.equal(one.state_dict()[table], other.state_dict()[table])
    assert not torch.equal(one.state_dict()[table], trained.state_dict()[table])
    frozen = [
        {name for name, weight in model.named_parameters() if not weight.requires_grad} for model in (one, trained)
    ]
    assert frozen[0] == frozen[1] != set()
    assert one.generation_config.bad_words_ids == trained.generation_config.bad_words_ids


def test_generation_options_say_nothing_about_beams_unless_asked():
    assert generation_options(TINY) == {"max_length": 128}
    assert generation_options(replace(TINY, num_beams=3)) == {"max_length": 128, "num_beams": 3}


# Using a model


def test_the_translator_takes_one_text_or_many(mini):
    translate = Translator(*mini, num_beams=2, max_length=24)
    texts = [text for text in HARD if len(text) < 100]
    together = translate(texts)
    assert together == [translate(text) for text in texts]
    assert isinstance(translate("Open"), str)
    assert translate([]) == []
    assert translate(tuple(texts[:2])) == together[:2]
    ids = one_by_one(mini[0], mini[1](texts, split_special_tokens=True)["input_ids"], num_beams=2, max_length=24)
    assert together == [mini[1].decode(row, skip_special_tokens=True) for row in ids]


def test_the_translator_loads_a_folder(tmp_path, mini):
    mini[0].save_pretrained(tmp_path)
    mini[1].save_pretrained(tmp_path)
    assert Translator.load(str(tmp_path))("Save the file") == Translator(*mini)("Save the file")


def test_texts_that_the_translator_cannot_read_are_named(mini):
    translate = Translator(*mini)
    assert "the model reads 512" in complaint_of(DataError, translate, ["Open", "a b " * 600])
    assert "row 1 is None" in complaint_of(DataError, translate, ["Open", None])


@pytest.mark.parametrize("beams", [1, 2])
def test_a_translation_ends_by_itself_or_at_the_model_s_limit(mini, beams):
    model = small_model("t5", vocabulary=len(mini[1]))
    assert model.generation_config.max_length is None
    tokenizer = load_tokenizer("mini/seq2seq", model_max_length=40)
    endless = {"bad_words_ids": [[1]], "num_beams": beams}  # never an end
    row = [mini[1]("Save the file")["input_ids"]]
    with pytest.warns(UserWarning, match="model-agnostic default"):
        assert len(generate_all(model, row, **endless)[0]) <= 22
    translate = Translator(model, tokenizer, **endless)
    assert len(generate_all(model, row, **translate.options)[0]) == 40
    assert translate("Save the file") == decode_predictions(generate_all(model, row, **translate.options), tokenizer)[0]


def test_a_model_that_knows_no_limit_gets_one(mini):
    model = small_model("t5", vocabulary=len(mini[1]))
    translate = Translator(model, load_tokenizer("mini/seq2seq", model_max_length=10**30))
    assert translate.options["max_length"] == 512


@pytest.mark.parametrize("given", [{"max_length": 9}, {"max_new_tokens": 8}])
@pytest.mark.parametrize("where", ["options", "generation_config"])
def test_a_limit_that_is_there_is_kept(mini, given, where):
    model = small_model("t5", vocabulary=len(mini[1]))
    if where == "generation_config":
        model.generation_config.update(**given)
    translate = Translator(model, mini[1], bad_words_ids=[[1]], **(given if where == "options" else {}))
    assert len(generate_all(model, [[4, 0]], **translate.options)[0]) == 9


# Real data


def test_real_kde_messages_come_out_as_one_by_one(shared, mini):
    "But for a message where two tokens are so near to each other that rounding decides."
    model, tokenizer = mini
    data = load_pairs(replace(TINY, dataset=str(shared / "data" / "kde4"), train_size=8, validation_size=24))
    rows = preprocess(data, tokenizer)["validation"]["input_ids"][:]
    for beams in (1, 3):
        options = {"num_beams": beams, "max_length": 20}
        made, alone = generate_all(model, rows, batch_size=16, **options), one_by_one(model, rows, **options)
        assert sum(mine != theirs for mine, theirs in zip(made, alone, strict=True)) <= 1


@pytest.mark.parametrize("beams", [1, 4])
def test_the_score_is_that_of_one_by_one(mini, beams):
    pairs = load_pairs(TINY)["validation"].select(range(40))
    rows = preprocess_pairs(pairs[:], mini[1])["input_ids"]
    options = {"num_beams": beams, "max_length": 48}
    ours, alone = (
        bleu_scores(decode_predictions(made, mini[1]), pairs["target"][:])["bleu"]
        for made in (generate_all(mini[0], rows, **options), one_by_one(mini[0], rows, **options))
    )
    assert ours == pytest.approx(alone, abs=0.5)


# The settings, and the chapter


def test_no_profile_scores_more_pairs_than_it_has_time_for():
    for name in ("colab", "full"):
        assert SETTINGS[name].validation_size <= 2000


def test_the_chapter_works_on_the_gpu_as_soon_as_there_is_a_model():
    notebook = json.loads((Path(__file__).parents[1] / "nbs" / "03_translation.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    loading = next(cell for cell in cells if "load_checkpoint(settings)" in cell and not cell.startswith("#| export"))
    assert "torch.cuda.is_available()" in loading
    assert "model.to(device)" in loading


# Input that cannot be


def test_foreign_columns_do_not_reach_the_collator(mini):
    pairs = Dataset.from_dict({"source": ["Open", "Save"], "target": ["Ouvrir", "Enregistrer"], "context": ["a", "b"]})
    made = preprocess(DatasetDict(train=pairs), mini[1], 16)["train"]
    assert sorted(made.column_names) == ["attention_mask", "input_ids", "labels"]
    assert "'target'" in complaint_of(DataError, preprocess, DatasetDict(train=pairs.remove_columns("target")), mini[1])


@pytest.mark.parametrize("length", [-1, 0, 1])
@pytest.mark.parametrize("kind", ["mini", "marian"])
def test_a_length_without_room_is_an_error(request, kind, length):
    tokenizer = request.getfixturevalue(kind)
    tokenizer = tokenizer[1] if kind == "mini" else tokenizer
    pair = {"source": ["Open"], "target": ["Ouvrir"]}
    assert f"max_length={length}" in complaint_of(CourseError, preprocess_pairs, pair, tokenizer, length)


def test_half_a_surrogate_pair_is_named(mini):
    assert "surrogate" in complaint_of(CourseError, Translator(*mini), ["Open", "Open \ud800"])


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
