"Chapter 1: pairs, their evaluation and their training."

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from complaints import complaint_of
from datasets import ClassLabel, Dataset, DatasetDict, IterableDatasetDict
from hypothesis import given, settings
from hypothesis import strategies as st
from small_classifier import small_model
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertTokenizerFast, DataCollatorWithPadding

from course_lib.checkpoints import load_model, load_tokenizer
from course_lib.data import DataError, load_data
from course_lib.loop import LoopConfig, fit
from course_lib.profiles import CourseError
from course_lib.training_loop import SETTINGS, check_labels, classify_pairs, evaluate_pairs, preprocess, tokenize_pairs

ROOT = Path(__file__).resolve().parents[1]
WORDS = [f"w{number}" for number in range(40)]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@pytest.fixture(scope="module")
def tokenizer() -> BertTokenizerFast:
    vocabulary = {piece: number for number, piece in enumerate(SPECIAL + WORDS)}
    raw = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    raw.normalizer, raw.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    raw.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return BertTokenizerFast(tokenizer_object=raw, model_max_length=64)


def make_pairs(count: int, seed: int = 0) -> Dataset:
    "Label 1 if both texts begin with the same word: learnable, with texts of very different lengths."
    generator = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        label = int(generator.integers(2))
        first, second = generator.choice(WORDS[:8], 2, replace=False)
        tails = [generator.choice(WORDS[8:], generator.integers(0, 12)) for _ in range(2)]
        texts = [" ".join([head, *tail]) for head, tail in zip((first, first if label else second), tails, strict=True)]
        rows.append({"sentence1": texts[0], "sentence2": texts[1], "label": label})
    return Dataset.from_list(rows).cast_column("label", ClassLabel(names=["no", "yes"]))


@pytest.fixture(scope="module")
def data(tokenizer) -> DatasetDict:
    return preprocess(DatasetDict(train=make_pairs(90), validation=make_pairs(41, seed=1)), tokenizer, 64)


@pytest.fixture(scope="module")
def collate(tokenizer) -> DataCollatorWithPadding:
    return DataCollatorWithPadding(tokenizer)


# Preparing


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=60)), min_size=1, max_size=5))
def test_tokenizing_together_is_tokenizing_one_by_one(tokenizer, pairs):
    first, second = map(list, zip(*pairs, strict=True))
    together = tokenize_pairs({"sentence1": first, "sentence2": second}, tokenizer, 16)
    for row, (a, b) in enumerate(pairs):
        # A list of one, because the library takes the pair ("", "") for a single text.
        alone = tokenizer([a], [b], truncation=True, max_length=16)
        assert {key: values[row] for key, values in together.items()} == {key: ids[0] for key, ids in alone.items()}
        assert together["input_ids"][row].count(tokenizer.sep_token_id) >= 2
        assert len(together["input_ids"][row]) <= 16


def test_preprocess_leaves_numbers_only(data, tokenizer):
    assert set(data["train"].column_names) == {"labels", "input_ids", "token_type_ids", "attention_mask"}
    with pytest.raises(CourseError, match="max_length=65"):
        preprocess(data, tokenizer, 65)


def test_a_label_without_a_class_is_an_error(data):
    check_labels(data, small_model(labels=2))
    with pytest.raises(DataError, match=r"train: label 1 in row \d+, but the model has the classes 0 to 0") as caught:
        check_labels(data, small_model(labels=1))
    assert "\n" not in str(caught.value)


def test_a_run_takes_the_settings_of_a_chapter():
    config = LoopConfig.from_settings(SETTINGS["tiny"], num_epochs=7, schedule="cosine")
    assert (config.num_epochs, config.schedule) == (7, "cosine")
    assert config.learning_rate == SETTINGS["tiny"].learning_rate
    assert config.weight_decay == LoopConfig().weight_decay, "the chapter does not name it"


# Predicting


def test_classify_gives_probabilities_in_order(tokenizer):
    model = small_model()
    pairs = [("w1 w2", "w1"), ("", ""), ("😀 é 日本 e\u0301", "w3"), ("w4 " * 500, "w5"), ("w1 w2", "w1")]
    found = classify_pairs(model, tokenizer, pairs, max_length=64)
    assert found.shape == (5, 2)
    assert np.allclose(found.sum(1), 1, atol=1e-6)
    for row, pair in enumerate(pairs):
        assert np.allclose(classify_pairs(model, tokenizer, [pair], max_length=64)[0], found[row], atol=1e-5)
    assert classify_pairs(model, tokenizer, []).shape == (0, 2)
    with pytest.raises(DataError, match="two sentences"):
        classify_pairs(model, tokenizer, [("one",)])


# Real data


def test_the_chapter_s_path_on_64_real_pairs(shared):
    folder = shared / "models" / "minilm-l6"
    raw = load_data(shared / "data" / "mrpc", "pairs", train_size=64, validation_size=32)
    tokenizer = load_tokenizer(folder)
    rows = preprocess(raw, tokenizer, SETTINGS["tiny"].max_length)
    model = load_model("sequence-classification", folder, num_labels=2)
    check_labels(rows, model)
    collate = DataCollatorWithPadding(tokenizer)
    score = partial(evaluate_pairs, dataset=rows["validation"], collate=collate)
    before = score(model, None)
    history = fit(model, rows["train"], collate, LoopConfig(1, 8, learning_rate=1e-4), evaluate=score, progress=False)
    after = history.evaluations[-1]
    assert abs(before["loss"] - np.log(2)) < 0.2
    assert after["loss"] != before["loss"]
    assert len(history.steps) == 8
    probabilities = classify_pairs(
        model, tokenizer, list(zip(raw["validation"]["sentence1"], raw["validation"]["sentence2"], strict=True))
    )
    assert (probabilities.argmax(1) == np.array(rows["validation"]["labels"])).mean() == after["accuracy"]


# Input that cannot be


def test_evaluating_nothing_is_an_error(data, collate):
    nothing = data["train"].select([])
    assert "empty" in complaint_of(CourseError, evaluate_pairs, small_model(), None, nothing, collate)


def test_preprocess_names_what_is_missing_and_leaves_nothing_foreign(tokenizer):
    pairs = make_pairs(4)
    complaint = partial(complaint_of, DataError, preprocess, tokenizer=tokenizer, max_length=32)
    assert "Give a DatasetDict" in complaint(pairs)
    assert "IterableDataset" in complaint(IterableDatasetDict(train=pairs.to_iterable_dataset()))
    assert "'sentence2'" in complaint(DatasetDict(test=pairs.remove_columns("sentence2")))
    made = preprocess(DatasetDict(train=pairs.add_column("note", ["é"] * 4)), tokenizer, 32)["train"]
    assert sorted(made.column_names) == ["attention_mask", "input_ids", "labels", "token_type_ids"]


@pytest.mark.parametrize(
    ("pair", "words"), [(("a", "\ud800"), "surrogate"), (("a", None), "None"), ((3, "b"), "Text 0 is 3")]
)
def test_pairs_that_are_no_text_are_named(tokenizer, pair, words):
    assert words in complaint_of(CourseError, classify_pairs, small_model(), tokenizer, [pair], max_length=32)


@pytest.mark.parametrize("length", [-1, 0, 5000])
def test_classifying_at_a_length_that_the_model_cannot_read_is_an_error(tokenizer, length):
    message = complaint_of(CourseError, classify_pairs, small_model(), tokenizer, [("w1", "w2")], max_length=length)
    assert f"max_length={length}" in message
