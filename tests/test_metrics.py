"""`course_lib.metrics`: the arithmetic against scikit-learn, and the `evaluate.Metric` around it."""

import socket
from functools import partial

import numpy as np
import pytest
from complaints import complaint_of
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from course_lib.metrics import METRICS, MetricError, f1_of, glue_scores, load_metric, majority_class


def labelled(classes):
    "Strategy: predictions and references of one length, of classes 0 to `classes` - 1."
    return st.lists(st.tuples(*[st.integers(0, classes - 1)] * 2), min_size=1, max_size=40).map(
        lambda pairs: tuple(map(list, zip(*pairs, strict=True)))
    )


complaint = partial(complaint_of, MetricError)


@settings(max_examples=80, deadline=None)
@given(sides=labelled(2))
def test_two_classes_score_as_in_scikit_learn(sides):
    predictions, references = sides
    scores = glue_scores(predictions, references)
    assert scores["accuracy"] == pytest.approx(accuracy_score(references, predictions))
    assert scores["f1"] == pytest.approx(
        f1_score(references, predictions, labels=[1], average=None, zero_division=0)[0]
    )


@settings(max_examples=80, deadline=None)
@given(sides=labelled(3).filter(lambda sides: 2 in sides[0] + sides[1]))
def test_three_classes_score_the_macro_f1_of_scikit_learn(sides):
    predictions, references = sides
    union = sorted(set(predictions) | set(references))
    expected = f1_score(references, predictions, labels=union, average="macro", zero_division=0)
    scores = glue_scores(predictions, references)
    assert scores["accuracy"] == pytest.approx(accuracy_score(references, predictions))
    assert scores["f1"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("predictions", "references", "accuracy", "f1"),
    [
        ([1, 1, 0, 0], [1, 0, 1, 0], 0.5, 0.5),
        ([0, 0], [0, 0], 1.0, 0.0),  # class 1 is nowhere
        ([1, 1], [1, 1], 1.0, 1.0),
        ([0, 0], [1, 1], 0.0, 0.0),
        ([0, 2, 2], [0, 1, 2], 2 / 3, (1 + 0 + 2 / 3) / 3),  # class 1 is never predicted
        ([2, 2], [2, 2], 1.0, 1.0),
    ],
)
def test_cases_worked_out_by_hand(predictions, references, accuracy, f1):
    assert glue_scores(predictions, references) == pytest.approx({"accuracy": accuracy, "f1": f1})


def test_scores_are_plain_floats():
    assert [type(value) for value in glue_scores(np.array([1, 0]), np.array([1, 1])).values()] == [float, float]
    assert [type(value) for value in glue_scores([2, 0], [1, 1]).values()] == [float, float]


@pytest.mark.parametrize("kind", [bool, np.int8, np.uint8, np.int64, np.float16, np.float32, np.float64])
def test_whole_numbers_of_every_type_count(kind):
    predictions, references = [1, 0, 1, 1, 0], [1, 1, 0, 1, 0]
    assert glue_scores(np.array(predictions, kind), np.array(references, kind)) == glue_scores(predictions, references)
    assert glue_scores(np.array(predictions, kind), references) == glue_scores(predictions, references)


def test_f1_of_a_class_that_is_nowhere_is_zero():
    zeros = np.zeros(3, np.int64)
    assert f1_of(1, zeros, zeros) == 0.0
    assert f1_of(0, zeros, zeros) == 1.0


@pytest.mark.parametrize(
    ("predictions", "words"),
    [
        ([[0.1, 0.9], [0.8, 0.2]], "argmax"),
        (np.zeros((2, 1)), "shape (2, 1)"),
        (1, "one label per example"),
        ([1.5, 0.0], "whole numbers"),
        ([float("nan"), 1.0], "whole numbers"),
        ([float("inf"), 1.0], "whole numbers"),
        (["equivalent", "not"], "whole numbers"),
        ([None, 1], "whole numbers"),
        ([[1, 2], [3]], "one label per example"),
        ([1], "1 predictions for 2 references"),
        ([1, 0, 1], "3 predictions for 2 references"),
        ([], "0 predictions for 2 references"),
    ],
)
def test_what_cannot_be_compared_is_named(predictions, words):
    assert words in complaint(glue_scores, predictions, [1, 0])


def test_the_references_are_checked_too():
    assert "references" in complaint(glue_scores, [1, 0], [0.5, 1])


def test_the_message_shows_the_value_that_is_wrong():
    message = complaint(glue_scores, [1.0, 0.25], [1, 0])
    assert "0.25" in message
    assert "np." not in message


def test_nothing_to_score_is_an_error():
    assert "empty" in complaint(glue_scores, [], [])
    assert "empty" in complaint(glue_scores, np.array([], np.int64), np.array([], np.int64))


@pytest.mark.parametrize(
    ("references", "expected"),
    [([0], 0), ([3], 3), ([1, 1, 0], 1), ([2, 2, 1, 1], 1), ([True, True, False], 1), ([1.0, 1.0, 0.0], 1)],
)
def test_the_majority_class_is_the_most_frequent_then_the_lowest(references, expected):
    assert majority_class(references) == expected
    assert type(majority_class(references)) is int


@settings(max_examples=40, deadline=None)
@given(references=st.lists(st.integers(0, 5), min_size=1))
def test_the_majority_class_beats_every_other_constant(references):
    best = glue_scores([majority_class(references)] * len(references), references)["accuracy"]
    assert best == max(glue_scores([label] * len(references), references)["accuracy"] for label in range(6))


@pytest.mark.parametrize("references", [[], [-1, 0, 0], [[1, 0]], [0.5]])
def test_the_majority_class_needs_class_numbers(references):
    complaint(majority_class, references)


def test_an_unknown_metric_lists_the_valid_ones():
    message = complaint(load_metric, "gleu")
    assert all(name in message for name in ("'gleu'", *METRICS))


def test_the_metric_object_agrees_with_the_function_and_needs_no_network(monkeypatch, tmp_path):
    def refuse(*args, **options):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    evaluate = pytest.importorskip("evaluate")
    monkeypatch.setattr(evaluate.config, "HF_METRICS_CACHE", str(tmp_path))
    predictions, references = [1, 0, 1, 1, 0, 2], [1, 1, 0, 1, 0, 2]
    expected = glue_scores(predictions, references)
    metric = load_metric("glue")
    assert isinstance(metric, evaluate.Metric)
    metric.add(predictions=predictions[0], references=references[0])
    metric.add_batch(predictions=predictions[1:3], references=references[1:3])
    metric.add_batch(predictions=np.array(predictions[3:]), references=np.array(references[3:]))
    assert metric.compute() == expected
    assert metric.compute(predictions=predictions, references=references) == expected
