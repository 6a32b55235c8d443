"Questions without an answer: labels, what saying nothing is worth, thresholds, and replies that are empty."

import dataclasses
import json
from functools import partial

import numpy as np
import pytest
from complaints import complaint_of
from datasets import Dataset, DatasetDict
from hypothesis import given, settings
from hypothesis import strategies as st
from small_questions import decode_labels, make_questions, records, small_model
from small_tokenizers import TOKENIZERS

from course_lib.answering import answerable, answers_or_nothing, nothing_for, null_scores
from course_lib.data import load_data
from course_lib.metrics import squad_v2_scores
from course_lib.profiles import CourseError
from course_lib.question_answering import SETTINGS, AnswerSettings, QuestionAnswerer, evaluate, load, preprocess, train
from course_lib.spans import (
    postprocess_answers,
    predict_spans,
    prepare_train_features,
    prepare_validation_features,
    rank_answers,
)

complaint = partial(complaint_of, CourseError)
TOKENIZER = TOKENIZERS["word pieces"]
NONE = {"text": [], "answer_start": []}
SMALL = AnswerSettings(
    "", "", max_length=20, stride=6, max_answer_length=4, num_epochs=1, batch_size=16, learning_rate=5e-3
)


def some_unanswerable(count: int, seed: int = 0) -> Dataset:
    "Every third question is about a letter that the context does not have."
    rows = make_questions(count, seed).to_list()
    for row in rows[::3]:
        row["question"] = next(letter for letter in "abcdefgh" if letter not in row["context"].split())
        row["answers"] = NONE
    return Dataset.from_list(rows, features=make_questions(1).features)


# labels


def test_windows_of_unanswerable_questions_are_labelled_with_the_first_token():
    rows = some_unanswerable(40)
    made = prepare_train_features(rows, TOKENIZER, 20, 6, unanswerable=True)
    whole = prepare_validation_features(rows, TOKENIZER, 20, 6)
    assert made["input_ids"] == whole["input_ids"], "the windows are those of any question"
    without = {row["id"] for row in rows if not row["answers"]["text"]}
    labels = zip(whole["example_id"].to_pylist(), decode_labels(made, TOKENIZER), strict=True)
    held = {name for name, text in labels if text is not None}
    assert not held & without
    assert held == set(rows["id"]) - without
    assert {made["end_positions"][row].as_py() for row, name in enumerate(whole["example_id"].to_pylist()) if name in without} == {0}
    answered = rows.filter(lambda row: row["answers"]["text"])
    assert prepare_train_features(answered, TOKENIZER, 20, 6, unanswerable=True) == prepare_train_features(
        answered, TOKENIZER, 20, 6
    )


def test_none_is_allowed_and_a_wrong_or_blank_answer_is_not():
    for row, words in ((("a", "bad cab", "cab", 3), "not at 3"), (("a", "bad cab", " ", 3), "has no answer")):
        assert words in complaint(prepare_train_features, records(row), TOKENIZER, 20, 6, unanswerable=True)


def test_data_that_claim_to_be_of_the_first_version_must_have_answers():
    raw = DatasetDict(train=some_unanswerable(12), validation=make_questions(6, seed=1))
    for data in (raw, DatasetDict(train=raw["validation"], validation=raw["train"])):
        said = complaint(preprocess, data, TOKENIZER, SMALL)
        assert "has no answer" in said
        assert "unanswerable=true" in said
        with pytest.warns(UserWarning, match="4 of 12 questions left out"):
            made = preprocess(data, TOKENIZER, dataclasses.replace(SMALL, on_error="skip"))
        assert all(answers["text"] for answers in made["questions"]["answers"])
        assert set(made["validation"]["example_id"]) == set(made["questions"]["id"])
        assert len(preprocess(data, TOKENIZER, dataclasses.replace(SMALL, unanswerable=True))["questions"]) in (6, 12)
    assert answerable(raw["validation"]) is raw["validation"]


# formats


def squad_2(path):
    article = {"title": "T", "paragraphs": [{"context": "Ann came.", "qas": [
        {"id": "p", "question": "Who came?", "answers": [{"text": "Ann", "answer_start": 0}], "is_impossible": False},
        {"id": "q", "question": "Who left?", "answers": [], "is_impossible": True,
         "plausible_answers": [{"text": "Ann", "answer_start": 0}]},
        {"id": "r", "question": "Who sang?", "answers": [{"text": "Ann", "answer_start": 0}], "is_impossible": True},
    ]}]}  # fmt: skip
    path.write_text(json.dumps({"version": "v2.0", "data": [article]}), encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", ["json", "jsonl", "parquet", "folder"])
def test_questions_without_an_answer_are_read(tmp_path, kind):
    path = squad_2(tmp_path / "train-v2.0.json")
    rows = load_data(path, "questions", validation_fraction=0.3)
    rows = sorted([row for split in rows.values() for row in split], key=lambda row: row["id"])
    if kind == "folder":
        path = tmp_path
    elif kind == "jsonl":
        path = tmp_path / "own.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif kind == "parquet":
        path = tmp_path / "own.parquet"
        Dataset.from_list(rows).to_parquet(path)
    again = load_data(path, "questions", validation_fraction=0.3)
    again = sorted([row for split in again.values() for row in split], key=lambda row: row["id"])
    answers = {"text": ["Ann"], "answer_start": [0]}
    assert [row["answers"] for row in again] == [answers, NONE, NONE]
    assert again == rows


# what saying nothing is worth


@st.composite
def searches(draw):
    "Questions with up to four windows each, and logits with many ties."
    counts = draw(st.lists(st.integers(0, 4), min_size=1, max_size=4).filter(any))
    names = [str(number) for number, count in enumerate(counts) for _ in range(count)]
    offsets = [[None, [0, 1], [2, 3], [4, 5]] for _ in names]
    values = draw(st.lists(st.integers(-3, 3), min_size=8 * len(names), max_size=8 * len(names)))
    logits = np.array(values, np.float32).reshape(2, len(names), 4)
    examples = {"id": [str(number) for number in range(len(counts))], "context": ["a b c"] * len(counts)}
    return examples, {"example_id": names, "offset_mapping": offsets}, logits


@settings(max_examples=100, deadline=None)
@given(searches(), st.sampled_from([0.0, 0.2, 0.5, 0.8, 0.99, 1.0]))
def test_nothing_is_said_where_it_is_more_probable_than_the_threshold(search, threshold):
    examples, windows, logits = search
    lowest = null_scores(examples, windows, *logits)
    replies = answers_or_nothing(examples, windows, *logits)
    plain = postprocess_answers(examples, windows, *logits)
    nothing = nothing_for(examples, windows, *logits, threshold)
    ranked = rank_answers(examples, windows, *logits, nothing=nothing)
    for row, name in enumerate(examples["id"]):
        own = [at for at, owner in enumerate(windows["example_id"]) if owner == name]
        assert lowest[row] == min((logits[0, at, 0] + logits[1, at, 0] for at in own), default=np.inf)
        best = max((logits[0, at, a] + logits[1, at, b] for at in own for a in (1, 2, 3) for b in range(a, 4)), default=-np.inf)
        expected = 1.0 if not own else 1 / (1 + np.exp(float(best) - float(lowest[row])))
        assert replies[row] == plain[row] | {"no_answer_probability": pytest.approx(expected)}
        if own:
            assert sum(answer.score for answer in ranked[row]) == pytest.approx(1)
            assert [answer.score for answer in ranked[row]] == sorted((answer.score for answer in ranked[row]), reverse=True)
            if abs(expected - threshold) > 1e-9 or threshold == 1:
                assert ranked[row][0].text == ("" if expected > threshold else plain[row]["prediction_text"])
    assert "from 0 to 1" in complaint(nothing_for, examples, windows, *logits, 1.5)


# training, scores, the answerer


@pytest.fixture(scope="module")
def trained():
    "A small model after some training on questions with and without an answer."
    from course_lib.question_answering import fine_tune

    chosen = dataclasses.replace(SMALL, unanswerable=True, num_epochs=25)
    data = preprocess(DatasetDict(train=some_unanswerable(96), validation=some_unanswerable(40, 1)), TOKENIZER, chosen)
    model = small_model()
    history = fine_tune(model, TOKENIZER, data, chosen, progress=False, evaluate=None)
    assert not history.evaluations
    return model, data, chosen


def test_evaluation_is_that_of_squad_2(trained):
    model, data, chosen = trained
    logits = predict_spans(model, data["validation"], TOKENIZER)
    options = {"n_best": chosen.n_best, "max_answer_length": chosen.max_answer_length}
    replies = answers_or_nothing(data["questions"], data["validation"], *logits, **options)
    scores = evaluate(model, None, data, TOKENIZER, chosen)
    assert scores == squad_v2_scores(replies, data["questions"], 0.5)
    assert (scores["total"], scores["NoAns_total"]) == (40, 14)
    always, never = (squad_v2_scores(replies, data["questions"], limit)["f1"] for limit in (1.0, -1.0))
    assert scores["best_f1"] > max(always, never)
    assert squad_v2_scores(replies, data["questions"], scores["best_f1_thresh"])["f1"] == pytest.approx(scores["best_f1"])


def test_the_answerer_says_nothing_where_that_is_better_and_how_probable_it_is(trained):
    model, data, chosen = trained
    sizes = {"max_length": 20, "stride": 6, "max_answer_length": 4}
    asked, contexts = data["questions"]["question"], data["questions"]["context"]
    always, doubting = (QuestionAnswerer(model, TOKENIZER, **sizes, no_answer_threshold=limit) for limit in (1.0, 0.5))
    with_doubt, without = doubting(list(asked), list(contexts)), always(list(asked), list(contexts))
    silent = [answer for answer in with_doubt if not answer.text]
    assert 0 < len(silent) < len(asked)
    assert all(answer.start == answer.end == 0 and answer.score > 0 for answer in silent)
    assert all(answer.text for answer in without)
    assert [a.text for a, b in zip(with_doubt, without, strict=True) if a.text] == [
        b.text for a, b in zip(with_doubt, without, strict=True) if a.text
    ]
    best = doubting(asked[0], contexts[0], top_k=30)
    assert sum(answer.score for answer in best) == pytest.approx(1)
    assert sum(not answer.text for answer in best) == 1


def test_a_question_without_a_window_has_nothing_for_sure(trained):
    model, data, _ = trained
    examples = {name: data["questions"][name][:2] for name in ("id", "context", "question", "answers")}
    windows = data["validation"].select([row for row, own in enumerate(data["validation"]["example_id"]) if own == examples["id"][0]])
    logits = np.random.default_rng(0).normal(size=(2, len(windows), max(map(len, windows["input_ids"])))).astype(np.float32)
    nothing = nothing_for(examples, windows, *logits, 0.5)
    first, second = rank_answers(examples, windows, *logits, nothing=nothing)
    assert sum(answer.score for answer in first) == pytest.approx(1)
    assert [tuple(answer) for answer in second] == [("", 1.0, 0, 0)]


def test_the_threshold_is_saved_with_the_model(trained, tmp_path):
    model, data, _ = trained
    model.config.no_answer_threshold = 0.25
    try:
        model.save_pretrained(tmp_path)
        TOKENIZER.save_pretrained(tmp_path)
        sizes = {"max_length": 20, "stride": 6}
        assert QuestionAnswerer.from_pretrained(tmp_path, **sizes).no_answer_threshold == 0.25
        assert QuestionAnswerer.from_pretrained(tmp_path, **sizes, no_answer_threshold=1.0).no_answer_threshold == 1
    finally:
        del model.config.no_answer_threshold
    assert QuestionAnswerer(model, TOKENIZER, **sizes).no_answer_threshold == 1, "a model that says nothing of it answers"


def test_train_takes_the_packaged_questions_without_an_answer():
    chosen = dataclasses.replace(
        SETTINGS["tiny"], dataset="mini/squad-v2", unanswerable=True, train_size=16, validation_size=12, batch_size=8
    )
    model, _, history = train(chosen, progress=False)
    last = history.evaluations[-1]
    assert {"f1", "HasAns_f1", "NoAns_f1", "best_f1"} <= set(last)
    assert model.config.no_answer_threshold == last["best_f1_thresh"]
    assert "unanswerable=true" in complaint(train, dataclasses.replace(chosen, unanswerable=False), progress=False)
    assert any(not answers["text"] for answers in load(chosen)["validation"]["answers"])
