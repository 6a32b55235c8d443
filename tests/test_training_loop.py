"Chapter 1: pairs of sentences, from text to probabilities."

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import small_classifier
import torch
from complaints import complaint_of
from datasets import ClassLabel, Dataset, DatasetDict, Value
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tokenizers import TOKENIZERS
from transformers import DataCollatorWithPadding

from course_lib.checkpoints import load_model, load_tokenizer
from course_lib.data import check_labels, load_data
from course_lib.loop import LoopConfig
from course_lib.profiles import CourseError
from course_lib.training_loop import (
    SETTINGS,
    PairClassifier,
    evaluate,
    fine_tune,
    preprocess,
    tokenize_pairs,
    train,
)

TINY = SETTINGS["tiny"]
TOKENIZER = TOKENIZERS["word pieces"]
small_model = partial(small_classifier.small_model, vocabulary=len(TOKENIZER))


def make_pairs(count: int) -> Dataset:
    "Label 1 if both texts begin with the same letter."
    generator, rows = np.random.default_rng(count), []
    for _ in range(count):
        label, letters = int(generator.integers(2)), generator.choice([*"abcdefgh"], 2, replace=False)
        tails = ["i j " * generator.integers(0, 6) for _ in range(2)]
        second = letters[0] if label else letters[1]
        rows.append({"sentence1": f"{letters[0]} {tails[0]}", "sentence2": f"{second} {tails[1]}", "label": label})
    return Dataset.from_list(rows).cast_column("label", ClassLabel(names=["no", "yes"]))


@pytest.fixture(scope="module")
def data() -> DatasetDict:
    return preprocess(DatasetDict(train=make_pairs(90), validation=make_pairs(41)), TOKENIZER, TINY)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=60)), min_size=1, max_size=5))
def test_tokenizing_together_is_tokenizing_one_by_one(pairs):
    first, second = map(list, zip(*pairs, strict=True))
    together = tokenize_pairs({"sentence1": first, "sentence2": second}, TOKENIZER, 16)
    for row, (a, b) in enumerate(pairs):
        # A list of one, because the library takes the pair ("", "") for a single text.
        alone = TOKENIZER([a], [b], truncation=True, max_length=16)
        assert {key: values[row] for key, values in together.items()} == {key: ids[0] for key, ids in alone.items()}
        assert together["input_ids"][row].count(TOKENIZER.sep_token_id) >= 2
        assert len(together["input_ids"][row]) <= 16


def test_preprocess_leaves_numbers_only():
    pairs = make_pairs(4).add_column("note", ["é"] * 4)
    made = preprocess(DatasetDict(train=pairs), TOKENIZER, replace(TINY, max_length=8))["train"]
    assert set(made.column_names) == {"labels", "input_ids", "token_type_ids", "attention_mask"}
    assert max(map(len, made["input_ids"])) <= 8


def test_a_label_without_a_class_is_an_error(data):
    check_labels(data, small_model(labels=2))
    complaint = complaint_of(CourseError, fine_tune, small_model(labels=1), TOKENIZER, data, TINY)
    assert "train: label 1 in row" in complaint
    assert "the model has the classes 0 to 0" in complaint


def test_scores_and_classes_are_not_taken_for_each_other(data):
    ones = DatasetDict(train=data["train"].filter(lambda row: row["labels"] == 0))
    assert "num_labels=2 or more" in complaint_of(CourseError, check_labels, ones, small_model(labels=1))
    scores = data.cast_column("labels", Value("float64"))
    assert "num_labels=1" in complaint_of(CourseError, check_labels, scores, small_model(labels=2))
    check_labels(scores, small_model(labels=1))


def test_pairs_longer_than_the_model_reads_are_refused_before_training():
    assert "max_length=5000" in complaint_of(CourseError, train, replace(TINY, train_size=8, max_length=5000))


def test_scores_are_those_of_the_whole_split(data):
    model, rows = small_model(), data["validation"]
    found = evaluate(model, None, rows, DataCollatorWithPadding(TOKENIZER))
    with torch.no_grad():
        inputs = [{name: torch.tensor([row[name]]) for name in row if name != "labels"} for row in rows]
        logits = torch.cat([model(**one).logits for one in inputs])
    labels = torch.tensor(rows["labels"][:])
    assert found["accuracy"] == (logits.argmax(-1) == labels).double().mean().item()
    assert found["loss"] == pytest.approx(torch.nn.functional.cross_entropy(logits, labels).item(), abs=1e-5)


def test_a_run_takes_the_settings_of_a_chapter():
    config = LoopConfig.from_settings(TINY, num_epochs=7, schedule="cosine")
    assert (config.num_epochs, config.schedule) == (7, "cosine")
    assert config.learning_rate == TINY.learning_rate
    assert config.weight_decay == LoopConfig().weight_decay, "the chapter does not name it"


def test_a_run_follows_the_settings_and_can_be_told_otherwise(data):
    chosen = replace(TINY, num_epochs=2, batch_size=10, eval_every=7, mixed_precision="no")
    history = fine_tune(small_model(), TOKENIZER, data, chosen, progress=False)
    assert [row["step"] for row in history.evaluations] == [7, 14, 18]
    assert set(history.evaluations[0]) == {"step", "epoch", "accuracy", "f1", "loss"}
    own = lambda model, accelerator: {"loss": 1.0}
    history = fine_tune(small_model(), TOKENIZER, data, chosen, progress=False, evaluate=own)
    assert set(history.evaluations[0]) == {"step", "epoch", "loss"}


@pytest.mark.parametrize("pairs", ["a film", ("a film", "a movie"), [("a", "b", "c")], [("a", "b"), "c"], [], [()]])
def test_what_is_not_a_list_of_pairs_is_not_judged_as_something_else(pairs):
    assert "Give a list of pairs" in complaint_of(CourseError, PairClassifier(small_model(), TOKENIZER), pairs)


@pytest.mark.parametrize("pairs", [["a\ud83d"], [("a", None)], [("a", 3)]])
def test_what_is_not_text_is_not_judged(pairs):
    said = complaint_of(CourseError, PairClassifier(small_model(), TOKENIZER), pairs)
    assert "Text 0" in said


def test_probabilities_come_in_order():
    classify = PairClassifier(small_model(), TOKENIZER)
    pairs = [("ab c", "ab"), ("", ""), ("😀 é 日本 e\u0301", "c"), ("a " * 500, "b"), ("ab c", "ab")]
    found = classify(pairs, batch_size=2)
    assert (found.shape, found.dtype) == ((5, 2), np.float32)
    assert np.allclose(found.sum(1), 1, atol=1e-6)
    for row, pair in enumerate(pairs):
        assert np.allclose(classify([pair])[0], found[row], atol=1e-5)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    "What the chapter makes of a file with such rows: a model's folder, its configuration, the last scores."

    def make(rows, header, **changes):
        folder = tmp_path_factory.mktemp("mine")
        lines = [header, *(",".join(row) for row in rows)]
        (folder / "mine.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        chosen = replace(TINY, dataset=str(folder / "mine.csv"), batch_size=8, num_epochs=2, **changes)
        model, tokenizer, history = train(chosen, progress=False)
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder, history

    return make


def test_single_sentences_with_named_classes_from_file_to_answer(trained):
    views = {"good": "a warm and funny film and a joy", "bad": "a dull and tired film and a bore"}
    rows = [(f"{view} {number}", name) for number in range(40) for name, view in views.items()]
    folder, history = trained(rows, "review,stars", columns="sentence:review,label:stars", learning_rate=1e-3)
    assert set(history.evaluations[-1]) == {"step", "epoch", "accuracy", "f1", "loss"}
    assert history.evaluations[-1]["accuracy"] == 1.0
    classify = PairClassifier.from_pretrained(str(folder))
    assert classify.model.config.id2label == {0: "bad", 1: "good"}
    found = classify(list(views.values()))
    assert found.argmax(1).tolist() == [1, 0]
    assert np.allclose(found.sum(1), 1, atol=1e-6)


def test_scores_from_file_to_answer(trained):
    rows = [(f"number {number}", f"number {number} again", f"{number / 8:.3f}") for number in range(41)]
    folder, history = trained(rows, "sentence1,sentence2,label", learning_rate=1e-3)
    assert set(history.evaluations[-1]) == {"step", "epoch", "pearson", "spearman", "loss"}
    judge = PairClassifier.from_pretrained(str(folder))
    assert (judge.model.config.problem_type, judge.model.config.num_labels) == ("regression", 1)
    found = judge([("number 8", "number 8 again"), ("a", "b")])
    assert found.shape == (2, 1)
    held_out = load_data(folder / "mine.csv", "pairs")["validation"]
    scores = judge(list(zip(held_out["sentence1"], held_out["sentence2"], strict=True)))[:, 0]
    loss = ((scores - np.array(held_out["label"][:])) ** 2).mean()
    assert history.evaluations[-1]["loss"] == pytest.approx(loss, rel=1e-3)
    assert history.evaluations[-1]["pearson"] == pytest.approx(np.corrcoef(scores, held_out["label"][:])[0, 1], abs=1e-3)


def test_the_chapter_s_path_on_64_real_pairs(shared, tmp_path):
    folder = shared / "models" / "minilm-l6"
    chosen = replace(TINY, dataset=str(shared / "data" / "mrpc"), checkpoint=str(folder), train_size=64)
    chosen = replace(chosen, validation_size=32, batch_size=8, learning_rate=1e-4, eval_every=None)
    raw, tokenizer = load_data(chosen.dataset, "pairs", train_size=64, validation_size=32), load_tokenizer(folder)
    before = load_model("sequence-classification", folder, num_labels=2)
    rows, collate = preprocess(raw, tokenizer, chosen), DataCollatorWithPadding(tokenizer)
    assert abs(evaluate(before, None, rows["validation"], collate)["loss"] - np.log(2)) < 0.2
    model, tokenizer, history = train(chosen, progress=False)
    assert len(history.steps) == 8
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    pairs = list(zip(raw["validation"]["sentence1"], raw["validation"]["sentence2"], strict=True))
    probabilities = PairClassifier.from_pretrained(str(tmp_path))(pairs)
    labels = np.array(raw["validation"]["label"][:])
    assert (probabilities.argmax(1) == labels).mean() == history.evaluations[-1]["accuracy"]
