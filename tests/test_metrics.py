"""`course_lib.metrics`: the arithmetic against scikit-learn, and the `evaluate.Metric` around it."""

import math
import re
import socket
from functools import partial

import numpy as np
import pytest
from complaints import complaint_of
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from course_lib.metrics import (
    METRICS,
    correlation_scores,
    glue_scores,
    load_metric,
    squad_scores,
    squad_v2_scores,
    unigram_perplexity,
)
from course_lib.profiles import CourseError


def labelled(classes):
    "Strategy: predictions and references of one length, of classes 0 to `classes` - 1."
    return st.lists(st.tuples(*[st.integers(0, classes - 1)] * 2), min_size=1, max_size=40).map(
        lambda pairs: tuple(map(list, zip(*pairs, strict=True)))
    )


complaint = partial(complaint_of, CourseError)


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


@pytest.mark.parametrize(
    "predictions",
    [
        [[0.1, 0.9], [0.8, 0.2]],  # logits
        1,
        [1.5, 0.0],
        [1.0, 0.25],
        [float("nan"), 1.0],
        [float("inf"), 1.0],
        ["equivalent", "not"],
        [None, 1],
        [[1, 2], [3]],
        [1],
        [1, 0, 1],
        [],
    ],
)
def test_what_cannot_be_compared_gets_no_score(predictions):
    with pytest.raises((ValueError, TypeError)):
        glue_scores(predictions, [1, 0])
    if isinstance(predictions, list):
        with pytest.raises((ValueError, TypeError, CourseError)):
            glue_scores([1, 0], predictions)


@pytest.mark.parametrize("references", [[-1, -1], [1, -1], np.array([0.0, -2.0])])
def test_hidden_labels_are_not_scored(references):
    assert "Use a labelled split" in complaint(glue_scores, [0, 1], references)


@pytest.mark.parametrize("seed", range(3))
def test_correlations_are_those_of_the_books(seed):
    rng = np.random.default_rng(seed)
    references = rng.normal(size=30).round(1)  # with ties
    predictions = (references + rng.normal(size=30)).astype(np.float32)
    found = correlation_scores(predictions, references)
    assert found["pearson"] == pytest.approx(np.corrcoef(predictions, references)[0, 1], abs=1e-6)
    ranks = [[(side < x).sum() + (side == x).sum() / 2 for x in side] for side in (predictions, references)]
    assert found["spearman"] == pytest.approx(np.corrcoef(*ranks)[0, 1], abs=1e-6)
    assert correlation_scores(-predictions, references)["spearman"] == pytest.approx(-found["spearman"], abs=1e-6)


@pytest.mark.parametrize("sides", [([1, 1], [1, 2]), ([1, 2], [3, 3]), ([1], [1])])
def test_what_is_the_same_everywhere_correlates_with_nothing(sides):
    assert correlation_scores(*sides) == {"pearson": 0.0, "spearman": 0.0}


def test_a_prediction_that_is_no_number_is_not_passed_over():
    assert all(map(math.isnan, correlation_scores([1.0, 2.0, np.nan, 4.0], [1, 2, 3, 4]).values()))


@pytest.mark.parametrize("function", [squad_scores, squad_v2_scores])
@pytest.mark.parametrize("keys", [("p", "q"), (1, "1")])
def test_predictions_for_other_questions_get_no_score(function, keys):
    references = [{"id": keys[1], "answers": {"text": ["a"]}}]
    message = complaint(function, [{"id": keys[0], "prediction_text": "a"}], references)
    assert f"{keys[0]!r} and {keys[1]!r}" in message


def test_nothing_to_score_is_an_error():
    assert "empty" in complaint(glue_scores, [], [])
    assert "empty" in complaint(correlation_scores, [], [])
    assert "empty" in complaint(glue_scores, np.array([], np.int64), np.array([], np.int64))


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


# Exact match and F1 of answers


def naive_squad(predictions, references):
    "The definition, letter by letter and word by word."

    def words(text):
        kept = "".join(letter for letter in text.lower() if letter not in PUNCTUATION)
        found, word = [], ""
        for letter in kept + " ":  # an article is one only where no letter, digit or underscore touches it
            if re.match(r"\w", letter):
                word += letter
            else:
                found += [" " if word in ("a", "an", "the") else word, letter]
                word = ""
        return "".join(found).split()

    def overlap(left, right):
        rest, shared = list(right), 0
        for word in left:
            if word in rest:
                rest.remove(word)
                shared += 1
        if shared == 0:
            return 0.0
        precision, recall = shared / len(left), shared / len(right)
        return 2 * precision * recall / (precision + recall)

    said = {}
    for row in predictions:
        said[row["id"]] = row["prediction_text"]
    exact = f1 = 0.0
    for row in references:
        if row["id"] in said:
            guess = words(said[row["id"]])
            known = [words(text) for text in row["answers"]["text"]]
            exact += max(guess == answer for answer in known)
            f1 += max(overlap(guess, answer) for answer in known)
    return {"exact_match": 100 * exact / len(references), "f1": 100 * f1 / len(references)}


PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
answer_pieces = st.lists(
    st.sampled_from(
        [
            *"abthe A.,'-_«»¿、!",
            "the",
            "The",
            "an",
            " ",
            "  ",
            "\t",
            "\n",
            "\r\n",
            "\u00a0",
            "\u2003",
            "\u3000",
            "\u200b",
        ]
        + [
            "é",
            "e\u0301",
            "İ",
            "ß",
            "ΑΣ",
            "Σ",
            "日本",
            "😀",
            "\0",
            "\x1c",
            "’",
            "–",
            "1926",
            "l'an",
            "the_end",
            "a\u0301",
        ]
    ),
    max_size=8,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("pqrs"),
            answer_pieces | st.text(max_size=6),
            st.lists(answer_pieces, min_size=1, max_size=3),
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, 3),
)
def test_answers_are_scored_by_the_definition(rows, missing):
    predictions = [{"id": key, "prediction_text": text} for key, text, _ in rows][missing:]
    references = [{"id": key, "answers": {"text": texts, "answer_start": [0] * len(texts)}} for key, _, texts in rows]
    scores = squad_scores(predictions, references)
    assert scores == pytest.approx(naive_squad(predictions, references), abs=1e-9)
    assert squad_scores(iter(predictions), tuple(references)) == scores, "any iterables, and the same again"


@pytest.mark.parametrize(
    ("predicted", "accepted", "exact", "f1"),
    [
        ("Paris", ["paris."], 100, 100),
        ("The U.S.", ["us"], 100, 100),
        ("in Paris", ["Paris"], 0, 100 * 2 / 3),
        ("Paris Paris", ["Paris"], 0, 100 * 2 / 3),  # words count as often as they occur
        ("", ["Paris"], 0, 0),
        ("Paris", [""], 0, 0),
        ("", [""], 100, 0),  # nothing equals nothing, and shares no word with it
        ("the", ["a an"], 100, 0),
        ("...", ["the"], 100, 0),
        ("theatre", ["atre"], 0, 0),
        ("the-atre", ["theatre"], 100, 100),  # punctuation goes before articles do
        ("the atre", ["theatre"], 0, 0),
        ("«Paris»", ["Paris"], 0, 0),  # ASCII punctuation only
        ("Paris’s", ["Pariss"], 0, 0),
        ("Paris's", ["Pariss"], 100, 100),
        ("été", ["e\u0301te\u0301"], 0, 0),  # no Unicode normalization
        ("日本", ["日 本"], 0, 0),
        ("red\u00a0 bridge", ["Red bridge"], 100, 100),
        ("red bridge", ["old red bridge", "red", "the Red Bridge"], 100, 100),
        ("red bridge", ["old red bridge", "red"], 0, 80),
    ],
)
def test_answers_worked_out_by_hand(predicted, accepted, exact, f1):
    scores = squad_scores([{"id": "x", "prediction_text": predicted}], [{"id": "x", "answers": {"text": accepted}}])
    assert scores == pytest.approx({"exact_match": exact, "f1": f1})
    assert [type(value) for value in scores.values()] == [float, float]


def test_missing_predictions_are_wrong_and_others_count_nothing():
    references = [{"id": key, "answers": {"text": [key]}} for key in "pqrs"]
    assert squad_scores([], references) == {"exact_match": 0.0, "f1": 0.0}
    given = [{"id": key, "prediction_text": key} for key in "pqxy"]
    assert squad_scores(given, references) == {"exact_match": 50.0, "f1": 50.0}
    assert squad_scores([*given, {"id": "p", "prediction_text": "no"}], references)["f1"] == 25, "the last one counts"


@pytest.mark.parametrize(
    ("predictions", "references", "words"),
    [
        ([], [], "no references"),
        ([], [{"id": "x", "answers": {"text": []}}], "'x': [] is no list"),
        ([{"id": "x", "prediction_text": "b"}], [{"id": "x", "answers": {"text": "Paris"}}], "'Paris' is no list"),
        ([], [{"id": "x", "answers": {"text": ""}}], "'' is no list"),
    ],
)
def test_answers_that_cannot_be_scored_are_named(predictions, references, words):
    assert words in complaint(squad_scores, predictions, references)


@pytest.mark.parametrize("kind", [list, tuple, np.array])
def test_every_kind_of_list_holds_answers(kind):
    references = [{"id": "x", "answers": {"text": kind(["Rome", "Paris"])}}]
    assert squad_scores([{"id": "x", "prediction_text": "Paris"}], references)["exact_match"] == 100


def test_the_squad_metric_takes_the_official_format(monkeypatch, tmp_path):
    evaluate = pytest.importorskip("evaluate")
    monkeypatch.setattr(evaluate.config, "HF_METRICS_CACHE", str(tmp_path))
    predictions = [{"id": "1", "prediction_text": "in Paris"}, {"id": "2", "prediction_text": ""}]
    answers = [["Paris", "the capital 😀"], ["é"]]
    references = [
        {"id": row["id"], "answers": {"text": texts, "answer_start": [0] * len(texts)}}
        for row, texts in zip(predictions, answers, strict=True)
    ]
    metric = load_metric("squad")
    metric.add(prediction=predictions[0], reference=references[0])
    metric.add_batch(predictions=predictions[1:], references=references[1:])
    assert metric.compute() == squad_scores(predictions, references)


def test_many_answers_are_scored_like_single_ones():
    "Texts come again and again."
    dice = np.random.default_rng(0)
    said = ["The bridge", "bridge", "a red bridge", "", "ΟΔΟΣ", "ΟΔΟΣ ΟΔΟΣ", "İstanbul", "橋 😀"]
    references = [
        {"id": str(row), "answers": {"text": [*dice.choice(said, 2).tolist(), f"the {row // 3}th"]}}
        for row in range(517)
    ]
    predictions = [
        {"id": row["id"], "prediction_text": dice.choice([*row["answers"]["text"], "the steel bridge"]).item()}
        for number, row in enumerate(references)
        if number % 5  # the others are left out
    ]
    for with_zero_byte in (False, True):
        if with_zero_byte:
            references[450]["answers"]["text"] = ["zero\0byte"]
            predictions.append({"id": "450", "prediction_text": "Zero\0byte."})
        scores = squad_scores(predictions, references)
        assert scores == pytest.approx(naive_squad(predictions, references), abs=1e-9)
        assert 0 < scores["exact_match"] < scores["f1"] < 100


# Questions without an answer


def naive_squad_v2(predictions, references, threshold):
    """The paper's definition, question by question and threshold by threshold; probabilities must all differ.

    An answer is right as in SQuAD 1.1; of a question without one, only an empty reply is; nothing equals nothing.
    """

    def score(text, accepted):
        words = [normal(answer) for answer in accepted if normal(answer)] or [[]]
        pairs = [overlap(normal(text), answer) for answer in words]
        return max(normal(text) == answer for answer in words), max(pairs)

    def normal(text):
        kept = "".join(letter for letter in text.lower() if letter not in PUNCTUATION)
        return re.sub(r"\b(a|an|the)\b", " ", kept).split()

    def overlap(said, known):
        if not said or not known:
            return float(said == known)
        shared = sum(min(said.count(word), known.count(word)) for word in set(said))
        return 2 * shared / (len(said) + len(known))

    pairs = list(zip(predictions, references, strict=True))
    spoken = [score(row["prediction_text"], truth["answers"]["text"]) for row, truth in pairs]
    silent = [score("", truth["answers"]["text"]) for _, truth in pairs]

    def marks(limit):
        quiet = [row["no_answer_probability"] > limit for row in predictions]
        return np.array([b if hush else a for a, b, hush in zip(spoken, silent, quiet, strict=True)], float)

    has = np.array([bool(row["answers"]["text"]) for row in references])
    found = {}
    for prefix, rows in (("", has | True), ("HasAns_", has), ("NoAns_", ~has)):
        if rows.any():
            exact, f1 = 100 * marks(threshold)[rows].mean(0)
            found |= {f"{prefix}exact": exact, f"{prefix}f1": f1, f"{prefix}total": rows.sum()}
    limits = [-1.0, *sorted(row["no_answer_probability"] for row in predictions)]  # at -1 nobody answers
    sums = np.array([marks(limit).mean(0) for limit in limits])
    for place, name in enumerate(("exact", "f1")):
        found[f"best_{name}"] = 100 * sums[:, place].max()
        found[f"best_{name}_thresh"] = max(0.0, limits[sums[:, place].argmax()])
    return found


def test_a_thousand_random_replies_are_scored_by_the_definition_of_squad_2():
    dice = np.random.default_rng(0)
    said = ["The bridge", "bridge", "a red bridge", "red", "ΟΔΟΣ", "İstanbul 1926", "橋 😀", "the U.S."]
    references = [
        {"id": str(row), "answers": {"text": dice.choice(said, dice.integers(0, 4)).tolist()}} for row in range(1000)
    ]
    predictions = [
        {"id": str(row), "prediction_text": str(dice.choice([*said, "an us bridge"])), "no_answer_probability": share}
        for row, share in enumerate(dice.permutation(1000) / 1000)
    ]
    for row in range(0, 1000, 7):
        predictions[row]["prediction_text"] = ""
        references[row - 1]["answers"]["text"] = []
    for threshold in (0.0, 0.3, 1.0):
        scores = squad_v2_scores(predictions, references, threshold)
        expected = naive_squad_v2(predictions, references, threshold)
        # An empty text costs nothing where there is no answer, so several thresholds may be equally good.
        assert scores == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("predicted", "accepted", "exact", "f1"),
    [
        ("", [], 100, 100),
        ("Paris", [], 0, 0),
        ("the", [], 100, 100),  # normalized, it is empty
        ("?!", [], 100, 100),
        ("", ["Paris"], 0, 0),
        ("Paris", ["the", "..."], 0, 0),  # accepted answers without a word are none
        ("a", ["the"], 100, 100),
        ("Paris", ["the", "paris."], 100, 100),
        ("in Paris", ["Rome", "Paris"], 0, 100 * 2 / 3),
        ("The U.S.", ["us"], 100, 100),
        ("été", ["e\u0301te\u0301"], 0, 0),
        ("日本", ["日 本", "日本"], 100, 100),
        ("red\u00a0 bridge", ["Red bridge"], 100, 100),
    ],
)
def test_replies_of_squad_2_worked_out_by_hand(predicted, accepted, exact, f1):
    row = {"id": "x", "prediction_text": predicted, "no_answer_probability": 0.0}
    scores = squad_v2_scores([row], [{"id": "x", "answers": {"text": accepted}}])
    kind, other = ("HasAns", "NoAns") if accepted else ("NoAns", "HasAns")
    assert (scores["exact"], scores["f1"]) == pytest.approx((exact, f1))
    assert (scores[f"{kind}_exact"], scores[f"{kind}_f1"], scores[f"{kind}_total"]) == pytest.approx((exact, f1, 1))
    assert f"{other}_f1" not in scores
    assert all(type(value) in (float, int) for value in scores.values())


def test_a_threshold_silences_what_is_above_it_and_the_best_one_is_found():
    truth = [{"id": key, "answers": {"text": texts}} for key, texts in (("p", ["a b"]), ("q", ["c"]), ("r", []), ("s", []))]
    said = {"p": ("b", 0.1), "q": ("x", 0.2), "r": ("y", 0.3), "s": ("z", 0.4)}
    rows = [{"id": key, "prediction_text": text, "no_answer_probability": share} for key, (text, share) in said.items()]
    always, never, some = (squad_v2_scores(rows, truth, threshold) for threshold in (1.0, -1.0, 0.3))
    assert (always["f1"], always["NoAns_f1"], always["HasAns_f1"]) == pytest.approx((25, 0, 50))
    assert (never["f1"], never["NoAns_f1"], never["HasAns_f1"]) == pytest.approx((50, 100, 0))
    assert (some["f1"], some["NoAns_f1"]) == pytest.approx((50, 50)), "at the threshold itself it is still an answer"
    for scores in (always, never, some):
        assert (scores["best_f1"], scores["best_f1_thresh"]) == pytest.approx((75, 0.1))
    rows.append({"id": "elsewhere", "prediction_text": "b", "no_answer_probability": 0.0})
    assert squad_v2_scores(rows, truth) == always, "replies to other questions count nothing"
    assert squad_v2_scores(rows[1:], truth)["f1"] == 0, "a missing reply is wrong"
    assert squad_v2_scores(rows[:3], truth)["NoAns_f1"] == 0, "and no way to say that there is no answer"
    assert squad_v2_scores([], truth)["best_f1"] == 0


def test_what_cannot_be_scored_as_squad_2_is_named():
    assert "no references" in complaint(squad_v2_scores, [], [])
    assert "'Paris' is no list" in complaint(
        squad_v2_scores, [{"id": "x", "prediction_text": "b"}], [{"id": "x", "answers": {"text": "Paris"}}]
    )


def test_the_squad_v2_metric_takes_the_official_format(monkeypatch, tmp_path):
    evaluate = pytest.importorskip("evaluate")
    monkeypatch.setattr(evaluate.config, "HF_METRICS_CACHE", str(tmp_path))
    predictions = [
        {"id": "1", "prediction_text": "in Paris", "no_answer_probability": 0.3},
        {"id": "2", "prediction_text": "Rome", "no_answer_probability": 0.7},
    ]
    references = [{"id": str(n), "answers": {"text": t, "answer_start": [0] * len(t)}} for n, t in ((1, ["Paris"]), (2, []))]
    metric = load_metric("squad_v2")
    metric.add(prediction=predictions[0], reference=references[0])
    metric.add_batch(predictions=predictions[1:], references=references[1:])
    assert metric.compute(no_answer_threshold=0.5) == squad_v2_scores(predictions, references, 0.5)
    found = load_metric("squad_v2").compute(predictions=predictions, references=references)
    assert found == squad_v2_scores(predictions, references)
    assert found["best_f1_thresh"] == 0.3


def test_unigram_perplexity_by_hand():
    train = Dataset.from_dict({"input_ids": [[0, 1, 1], [1, 2, 1]]})
    exam = Dataset.from_dict({"input_ids": [[1, 3, 0]]})
    assert math.isclose(unigram_perplexity(train, exam, 4), (5 / 10 * 1 / 10 * 2 / 10) ** (-1 / 3))


def test_unigram_perplexity_of_masked_tokens():
    "Labels count, and nothing else; what is never guessed gets no share."
    train = Dataset.from_dict({"input_ids": [[0, 1, 1], [1, 2, 1]]})
    exam = Dataset.from_dict({"input_ids": [[9, 9, 9], [9, 9, 9]], "labels": [[-100, 1, -100], [2, -100, 3]]})
    exam = exam.select([1, 0])  # a view
    expected = (2 / 8 * 1 / 8 * 5 / 8) ** (-1 / 3)
    assert math.isclose(unigram_perplexity(train, exam, 4, never=[0]), expected)
