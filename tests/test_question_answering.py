"Windows, labels, post-processing and answers against independent naive references."

import dataclasses
import json
import math
import tempfile
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from accelerate import Accelerator
from complaints import complaint_of
from datasets import Dataset, DatasetDict
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from small_tokenizers import TOKENIZERS, texts, word_pieces
from transformers import BertConfig, BertForQuestionAnswering, BertTokenizerFast

from course_lib.checkpoints import CheckpointError, load_model, load_tokenizer
from course_lib.data import DataError
from course_lib.loop import LoopConfig, evaluating, make_accelerator
from course_lib.metrics import squad_scores
from course_lib.processes import launch
from course_lib.profiles import CourseError
from course_lib.question_answering import (
    NOTHING,
    SETTINGS,
    AnswerSettings,
    QuestionAnswerer,
    SkippedQuestions,
    check_lengths,
    decode_labels,
    evaluate_answers,
    fine_tune,
    load_questions,
    pad_features,
    postprocess_answers,
    predict_spans,
    prepare_train_features,
    prepare_validation_features,
    preprocess,
    span_loss,
    train,
)

complaint = partial(complaint_of, CourseError)
LETTERS = "abcdefghij"


@pytest.fixture
def tokenizer() -> BertTokenizerFast:
    return TOKENIZERS["word pieces"]


def naive_windows(tokenizer, question, context, max_length, stride):
    "One question at a time, by the tokenizer's own truncation. None where it refuses."
    try:
        rows = tokenizer(
            [question.strip()],
            [context],
            truncation="only_second",
            max_length=max_length,
            stride=stride,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
    except BaseException as error:  # the Rust side panics where the stride is too long
        if isinstance(error, KeyboardInterrupt):
            raise
        return None
    return rows


def naive_features(tokenizer, question, context, answer, start, max_length, stride):
    "Windows with labels, token by token. None where the tokenizer refuses."
    rows = naive_windows(tokenizer, question, context, max_length, stride)
    if rows is None:
        return None
    whole = tokenizer([context], add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"][0]
    inside = [place for place, (a, b) in enumerate(whole) if max(a, start) < min(b, start + len(answer))]
    found, first = [], 0
    for row in range(len(rows["input_ids"])):
        sides = rows.sequence_ids(row)
        tokens = [place for place, side in enumerate(sides) if side == 1]
        held = bool(inside) and inside[0] >= first and inside[-1] < first + len(tokens)
        labels = (tokens[0] + inside[0] - first, tokens[0] + inside[-1] - first) if held else (0, 0)
        feature = {name: rows[name][row] for name in tokenizer.model_input_names}
        found.append(feature | {"start_positions": labels[0], "end_positions": labels[1]})
        first += len(tokens) - stride
    return found, inside


def records(*rows):
    "Columns for questions given as (question, context, answer, start)."
    return {
        "id": [str(number) for number in range(len(rows))],
        "question": [row[0] for row in rows],
        "context": [row[1] for row in rows],
        "answers": [{"text": [row[2]], "answer_start": [row[3]]} for row in rows],
    }


def unrolled(features):
    return [dict(zip(features, values, strict=True)) for values in zip(*features.values(), strict=True)]


@st.composite
def questions(draw):
    "A question, a context and an answer cut out of it, at the very start and end now and then."
    context = draw(texts.filter(bool))
    start = draw(st.sampled_from([0, *range(len(context))]))
    end = draw(st.sampled_from([len(context), *range(start + 1, len(context) + 1)]))
    blank = draw(st.sampled_from(["", " ", "\n ", "   "]))
    return blank + draw(texts) + blank, context, context[start:end], start


# Training features


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(sorted(TOKENIZERS)),
    st.lists(questions(), min_size=1, max_size=4),
    st.integers(4, 40),
    st.integers(0, 30),
)
def test_training_features_are_those_of_the_tokenizer(name, rows, max_length, stride):
    tokenizer = TOKENIZERS[name]
    special = tokenizer.num_special_tokens_to_add(pair=True)
    assume(stride < max_length - special)
    expected, batch = [], records(*rows)
    for number, (question, context, answer, start) in enumerate(rows):
        naive = naive_features(tokenizer, question, context, answer, start, max_length, stride)
        if naive is None or not answer.strip() or not naive[1]:
            with pytest.raises(DataError, match=f"Question '{number}'"):
                prepare_train_features(batch, tokenizer, max_length, stride)
            with pytest.warns(SkippedQuestions, match=f"Question '{number}'"):
                kept = prepare_train_features(batch, tokenizer, max_length, stride, on_error="skip")
            break
        expected += naive[0]
    else:
        kept = prepare_train_features(batch, tokenizer, max_length, stride)
        assert unrolled(kept) == expected
    as_table = pa.table({key: batch[key] for key in ("question", "context", "answers")})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkippedQuestions)
        table = prepare_train_features(as_table, tokenizer, max_length, stride, on_error="skip")
    assert table.to_pydict() == kept


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(TOKENIZERS)), questions(), st.integers(0, 12), st.integers(1, 20))
def test_every_answer_that_fits_is_in_some_window(name, row, stride, more):
    tokenizer = TOKENIZERS[name]
    question, context, answer, start = "a", *row[1:]
    offsets = tokenizer([context], add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"][0]
    inside = [place for place, (a, b) in enumerate(offsets) if max(a, start) < min(b, start + len(answer))]
    assume(inside and answer.strip())
    room = stride + more
    length = room + tokenizer.num_special_tokens_to_add(pair=True) + len(tokenizer.tokenize(question))
    features = unrolled(prepare_train_features(records((question, context, answer, start)), tokenizer, length, stride))
    held = [feature for feature in features if feature["end_positions"]]
    if len(inside) <= stride + 1:
        assert held
    if len(inside) > room:
        assert not held
    validation = prepare_validation_features(records((question, context, answer, start)), tokenizer, length, stride)
    for feature, mapping in zip(features, validation["offset_mapping"], strict=True):
        if feature["end_positions"]:
            begin, end = mapping[feature["start_positions"]][0], mapping[feature["end_positions"]][1]
            # What the span has beyond the answer belongs to tokens that the answer cuts through, what it lacks to none.
            assert (begin, end) == (offsets[inside[0]][0], offsets[inside[-1]][1])
            assert all(b <= start or a >= start + len(answer) or begin <= a <= b <= end for a, b in offsets if a < b)


def test_labels_decode_to_the_answer(tokenizer):
    context = "Bad Cab, a café\r\nin 日本."
    rows = []
    for answer in ("Bad Cab", "café", "日本", "Bad Cab, a café\r\nin 日本.", "in"):
        rows.append(("who ?", context, answer, context.index(answer)))
    features = Dataset.from_dict(prepare_train_features(records(*rows), tokenizer, 64, 8))
    assert decode_labels(features, tokenizer) == [
        tokenizer.decode(tokenizer(row[2], add_special_tokens=False)["input_ids"]) for row in rows
    ]


def test_blanks_at_the_edge_of_an_answer_are_no_tokens(tokenizer):
    plain = prepare_train_features(records(("a", "bad cab bad", "cab", 4)), tokenizer, 32, 4)
    for answer, start in ((" cab", 3), ("cab ", 4), (" cab ", 3)):
        assert prepare_train_features(records(("a", "bad cab bad", answer, start)), tokenizer, 32, 4) == plain


def test_a_repeated_answer_is_marked_where_it_starts(tokenizer):
    offsets = []
    for start in (0, 4, 8):
        features = prepare_train_features(records(("a", "cab cab cab", "cab", start)), tokenizer, 32, 4)
        offsets.append(features["start_positions"][0])
    assert offsets == [3, 4, 5]


def test_an_answer_longer_than_every_window_is_in_none(tokenizer):
    context = "a b c d e f g h i j"
    features = prepare_train_features(records(("a", context, context, 0)), tokenizer, 9, 2)
    assert len(features["input_ids"]) > 1
    assert set(features["start_positions"] + features["end_positions"]) == {0}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("a", "bad cab", "cab", 3), "not at 3"),
        (("a", "bad cab", "cab", 400), "not at 400"),
        (("a", "bad cab", "cab", -3), "not at -3"),
        (("a", "bad cab!", "cab", -4), "not at -4"),  # a slice from the end would find it
        (("a", "bad cab", "", 2), "is empty"),
        (("a", "bad cab", " ", 3), "is empty"),
        (("a", "", "cab", 0), "not at 0"),
        (("a", "bad cab", "cab", None), "answer_start is None"),
        (("a", "bad cab", "cab", 4.0), "answer_start is 4.0"),
        (("a", "bad cab", None, 4), "its answer None is empty"),
        (("a", "bad \u200b cab", "\u200b", 4), "sees nothing"),
        (("é bytes", "日本 cab", "cab", 7), "not at 7"),  # somebody counted bytes
        (("a " * 100, "bad cab", "cab", 4), "leaves room for 0"),
        (("a " * 24, "a b c d e f g h", "b", 2), "leaves room for 5"),
    ],
)
def test_a_record_that_cannot_be_marked_is_an_error_or_skipped(tokenizer, row, reason):
    good = ("a", "bad cab", "cab", 4)
    batch = records(good, row, good)
    message = complaint(prepare_train_features, batch, tokenizer, 32, 5)
    assert reason in message
    assert "'1'" in message
    assert "on_error=skip" in message
    with pytest.warns(SkippedQuestions, match="1 of 3"):
        kept = prepare_train_features(batch, tokenizer, 32, 5, on_error="skip")
    assert kept == prepare_train_features(records(good, good), tokenizer, 32, 5)


@pytest.mark.parametrize("column", ["question", "context"])
@pytest.mark.parametrize("prepare", [prepare_train_features, prepare_validation_features])
def test_a_question_or_context_that_is_no_text_is_named(tokenizer, column, prepare):
    good = ("a", "bad cab", "cab", 4)
    for value in (None, 3, 0.5):
        batch = records(good, good, good)
        batch[column][2] = value
        assert f"Question '2': its {column} is {value!r}." in complaint(prepare, batch, tokenizer, 32, 5)
    batch = records(good, good)
    batch[column].append("a")
    assert f"There are 3 in the column {column!r} and 2 questions" in complaint(prepare, batch, tokenizer, 32, 5)


def test_a_question_without_answer_cannot_be_trained_on(tokenizer):
    batch = records(("a", "bad cab", "cab", 4))
    assert "answer_start is None" in complaint(
        prepare_train_features, batch | {"answers": [{"text": ["cab"], "answer_start": []}]}, tokenizer, 32, 5
    )
    assert "no answer" in complaint(prepare_train_features, batch | {"answers": [None]}, tokenizer, 32, 5)
    batch["answers"] = [{"text": [], "answer_start": []}]
    assert "no answer" in complaint(prepare_train_features, batch, tokenizer, 32, 5)


def test_bad_options_are_named(tokenizer):
    batch = records(("a", "bad cab", "cab", 4))
    assert "'ignore'" in complaint(prepare_train_features, batch, tokenizer, 32, 5, on_error="ignore")
    assert "'question'" in complaint(prepare_train_features, {"context": ["a"]}, tokenizer, 32, 5)
    assert "max_length=600" in complaint(prepare_train_features, batch, tokenizer, 600, 5)
    for max_length, stride in ((32, 29), (32, 400), (32, -1), (3, 0), (0, 0)):
        message = complaint(check_lengths, tokenizer, max_length, stride)
        assert f"max_length={max_length}" in message
        assert f"stride={stride}" in message
    check_lengths(tokenizer, 32, 28)
    check_lengths(tokenizer, 128, 28, small_model())
    assert "use 1 to 128" in complaint(check_lengths, tokenizer, 129, 28, small_model())
    unlimited = word_pieces()
    unlimited.model_max_length = int(1e30)
    assert "use 1 to 128" in complaint(check_lengths, unlimited, 129, 28, small_model())
    assert QuestionAnswerer(small_model(), unlimited, stride=28).windows["max_length"] == 128
    assert "tokens" in complaint(check_lengths, tokenizer, 64, 28, small_model(vocabulary=20))


def test_nothing_gives_nothing(tokenizer):
    assert prepare_train_features(records(), tokenizer, 32, 5)["start_positions"] == []
    assert prepare_validation_features(records(), tokenizer, 32, 5)["offset_mapping"] == []
    rows = DatasetDict(train=Dataset.from_dict(records(("a " * 90, "bad cab", "cab", 4))))
    with pytest.warns(SkippedQuestions):
        assert "no question is left" in complaint(preprocess, rows, tokenizer, 32, 5, "skip")


def test_truncation_and_padding_that_the_tokenizer_was_left_with_do_no_harm():
    tokenizer = word_pieces()
    expected = prepare_train_features(records(("a", "bad cab " * 9, "cab", 4)), tokenizer, 16, 4)
    tokenizer(["a"], truncation=True, max_length=4, padding="max_length")
    assert prepare_train_features(records(("a", "bad cab " * 9, "cab", 4)), tokenizer, 16, 4) == expected
    tokenizer.padding_side = tokenizer.truncation_side = "left"
    assert prepare_train_features(records(("a", "bad cab " * 9, "cab", 4)), tokenizer, 16, 4) == expected


def test_in_map_batches_do_not_matter(tokenizer):
    rows = [("a b", f"bad {letter} cab " * 6, "cab", 6) for letter in LETTERS for _ in range(3)]
    data = Dataset.from_dict(records(*rows))
    options = {"tokenizer": tokenizer, "max_length": 18, "stride": 4}
    whole = prepare_train_features(data[:], **options)
    for size in (1, 7, 1000):
        mapped = data.map(
            partial(prepare_train_features, **options), batched=True, batch_size=size, remove_columns=data.column_names
        )
        assert mapped.to_dict() == whole
    assert preprocess(DatasetDict(train=data), tokenizer, 18, 4)["train"].to_dict() == whole


# Validation features


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(TOKENIZERS)),
    st.lists(st.tuples(texts, texts), min_size=1, max_size=4),
    st.integers(4, 40),
    st.integers(0, 30),
)
def test_validation_features_are_those_of_the_tokenizer(name, rows, max_length, stride):
    tokenizer = TOKENIZERS[name]
    assume(stride < max_length - tokenizer.num_special_tokens_to_add(pair=True))
    batch = records(*((question, context, "", 0) for question, context in rows))
    expected, refused = [], 0
    for number, (question, context) in enumerate(rows):
        naive = naive_windows(tokenizer, question, context, max_length, stride)
        if naive is None:
            refused += 1
            continue
        for row in range(len(naive["input_ids"])):
            sides = naive.sequence_ids(row)
            offsets = [
                list(pair) if side == 1 else None
                for pair, side in zip(naive["offset_mapping"][row], sides, strict=True)
            ]
            feature = {key: naive[key][row] for key in tokenizer.model_input_names}
            expected.append(feature | {"example_id": str(number), "offset_mapping": offsets})
    if refused:
        assert "leaves room" in complaint(prepare_validation_features, batch, tokenizer, max_length, stride)
        with pytest.warns(SkippedQuestions, match=f"{refused} of {len(rows)}"):
            found = prepare_validation_features(batch, tokenizer, max_length, stride, on_error="skip")
    else:
        found = prepare_validation_features(batch, tokenizer, max_length, stride)
    assert unrolled(found) == expected


# Post-processing


def naive_answers(examples, features, start_logits, end_logits, n_best, max_answer_length):
    "The triple loop. For each example its candidates, best first: score, start, end."
    found = []
    for name in examples["id"]:
        spans = {}
        for row, owner in enumerate(features["example_id"]):
            if owner != name:
                continue
            offsets = features["offset_mapping"][row]
            starts, ends = (
                sorted(range(len(logits[row])), key=lambda place, values=logits[row]: (-values[place], place))[:n_best]
                for logits in (start_logits, end_logits)
            )
            for start in starts:
                for end in ends:
                    if max(start, end) >= len(offsets) or not offsets[start] or not offsets[end]:
                        continue
                    if end < start or end - start + 1 > max_answer_length:
                        continue
                    score = float(start_logits[row][start]) + float(end_logits[row][end])
                    span = (offsets[start][0], offsets[end][1])
                    if score > -np.inf:
                        spans[span] = max(score, spans.get(span, -np.inf))
        found.append(sorted((-score, *span) for span, score in spans.items())[:n_best])
    return [[(-score, start, end) for score, start, end in spans] for spans in found]


@st.composite
def searches(draw):
    "Examples, windows with holes, and logits with many ties."
    dice = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    names = [f"q{number}" for number in range(draw(st.integers(1, 4)))]
    owners = sorted(draw(st.lists(st.sampled_from(names), max_size=7)))
    width = draw(st.integers(1, 12))
    context = "abcdefghijklmnopqrstuvwxyz"
    mappings = []
    for _ in owners:
        length = int(dice.integers(1, width + 1))
        begins = np.sort(dice.integers(0, 20, length))
        ends = np.maximum.accumulate(begins + dice.integers(0, 4, length))
        pairs = zip(begins.tolist(), ends.tolist(), strict=True)
        mappings.append([None if dice.random() < 0.3 else list(pair) for pair in pairs])
    kinds = [
        lambda: dice.normal(size=(len(owners), width)),
        lambda: dice.integers(0, 3, (len(owners), width)),
        lambda: np.where(dice.random((len(owners), width)) < 0.5, -np.inf, dice.integers(0, 3, (len(owners), width))),
        lambda: np.zeros((len(owners), width)),
    ]
    logits = [draw(st.sampled_from(kinds))().astype(np.float32) for _ in range(2)]
    examples = {"id": names, "context": [context] * len(names)}
    return examples, {"example_id": owners, "offset_mapping": mappings}, *logits


@settings(max_examples=500, deadline=None)
@given(searches(), st.integers(1, 14), st.integers(1, 8))
def test_postprocessing_is_the_triple_loop(search, n_best, max_answer_length):
    examples, features, *logits = search
    options = {"n_best": n_best, "max_answer_length": max_answer_length}
    expected = naive_answers(*search, **options)
    texts = [
        context[spans[0][1] : spans[0][2]] if spans else ""
        for context, spans in zip(examples["context"], expected, strict=True)
    ]
    predictions = postprocess_answers(*search, **options)
    assert predictions == [
        {"id": name, "prediction_text": text} for name, text in zip(examples["id"], texts, strict=True)
    ]
    again, candidates = postprocess_answers(*search, **options, with_n_best=True)
    assert again == predictions
    for name, context, spans in zip(examples["id"], examples["context"], expected, strict=True):
        assert [(answer.start, answer.end) for answer in candidates[name]] == [span[1:] for span in spans]
        assert all(context[answer.start : answer.end] == answer.text for answer in candidates[name])
        weights = np.exp([span[0] - spans[0][0] for span in spans])
        assert np.allclose([answer.score for answer in candidates[name]], weights / weights.sum())
    tables = (
        Dataset.from_dict(examples),
        pa.table(features | {"offset_mapping": pa.array(features["offset_mapping"], pa.list_(pa.list_(pa.int32())))}),
    )
    assert postprocess_answers(*tables, *logits, **options) == predictions


def test_a_block_border_changes_nothing():
    dice = np.random.default_rng(0)
    names = [f"q{number}" for number in range(700)]
    owners = names + names[:600]  # windows of a question need not stand together
    mappings = [[None] + [[place, place + 1] for place in range(20)] for _ in owners]
    examples = {"id": names, "context": ["abcdefghijklmnopqrstuvwxyz"] * len(names)}
    features = {"example_id": owners, "offset_mapping": mappings}
    logits = dice.normal(size=(2, len(owners), 21)).round(1)
    expected = naive_answers(examples, features, *logits, 5, 4)
    found = postprocess_answers(examples, features, *logits, n_best=5, max_answer_length=4)
    assert [answer["prediction_text"] for answer in found] == [
        examples["context"][0][spans[0][1] : spans[0][2]] if spans else "" for spans in expected
    ]


def test_features_of_a_selection_are_read_as_selected(tokenizer):
    rows = [("a", f"bad {letter} cab", letter, 4) for letter in LETTERS]
    features = Dataset.from_dict(prepare_validation_features(records(*rows), tokenizer, 16, 4))
    data = Dataset.from_dict(records(*rows))
    dice = np.random.default_rng(0).normal(size=(2, len(rows), 16))
    chosen = [7, 2, 2 + 1]
    alone = postprocess_answers(data.select(chosen), features.select(chosen), *dice[:, chosen])
    assert alone == [postprocess_answers(data, features, *dice)[row] for row in chosen]


def test_what_does_not_belong_together_is_an_error():
    examples = {"id": ["a"], "context": ["xyz"]}
    features = {"example_id": ["a"], "offset_mapping": [[[0, 1], [1, 2]]]}
    zeros = np.zeros((1, 2))
    assert "'b'" in complaint(postprocess_answers, examples, features | {"example_id": ["b"]}, zeros, zeros)
    assert "(2, 2)" in complaint(postprocess_answers, examples, features, np.zeros((2, 2)), zeros)
    assert "(1, 1)" in complaint(postprocess_answers, examples, features, zeros, zeros[:, :1])
    assert "(2,)" in complaint(postprocess_answers, examples, features, zeros[0], zeros)
    assert "twice" in complaint(postprocess_answers, {"id": ["a", "a"], "context": ["x", "y"]}, features, zeros, zeros)
    for wrong in ({"n_best": 0}, {"max_answer_length": 0}):
        assert next(iter(wrong)) in complaint(postprocess_answers, examples, features, zeros, zeros, **wrong)
    two = {"example_id": ["a", "a"], "offset_mapping": 2 * features["offset_mapping"]}
    for value in (np.nan, np.inf):
        broken = [np.zeros((2, 2)), np.array([[0, -np.inf], [0, value]])]
        for logits in (broken, broken[::-1]):
            message = complaint(postprocess_answers, examples, two, *logits)
            assert f"window 1 is {value}" in message
            assert message == complaint(postprocess_answers, examples, two, *logits, with_n_best=True)
    assert "a pair" in complaint(
        postprocess_answers, examples, {"example_id": ["a"], "offset_mapping": [[[0], [1, 2]]]}, zeros, zeros
    )


# Model, loss, prediction


def small_model(seed: int = 0, vocabulary: int = 120) -> BertForQuestionAnswering:
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=128,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    return BertForQuestionAnswering(config).eval()


def make_questions(count: int, seed: int = 0) -> Dataset:
    "The answer is the word after the letter that the question names: learnable, with contexts of different lengths."
    dice = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        keys = dice.permutation(list("abcdefgh"))[: dice.integers(2, 8)]
        values = dice.choice(["cab", "bad", "日本", "語", "ij", "jij"], len(keys))
        context = " ".join(f"{key} {value} ." for key, value in zip(keys, values, strict=True))
        chosen = int(dice.integers(len(keys)))
        rows.append(
            (keys[chosen], context, str(values[chosen]), context.index(f"{keys[chosen]} {values[chosen]} .") + 2)
        )
    return Dataset.from_dict(records(*rows))


@pytest.fixture(scope="module")
def small_run() -> tuple[DatasetDict, DatasetDict]:
    data = DatasetDict(train=make_questions(64), validation=make_questions(41, seed=1))
    return data, preprocess(data, TOKENIZERS["word pieces"], 20, 6)


def test_padding_is_on_the_right_and_changes_no_loss(small_run, tokenizer):
    _, features = small_run
    model, rows = small_model(), [features["train"][index] for index in range(12)]
    tokenizer.padding_side = "left"
    try:
        batch = pad_features(rows, tokenizer)
    finally:
        tokenizer.padding_side = "right"
    width = max(len(row["input_ids"]) for row in rows)
    assert len({len(row["input_ids"]) for row in rows}) > 1
    for number, row in enumerate(rows):
        length = len(row["input_ids"])
        for name in ("input_ids", "token_type_ids", "attention_mask"):
            assert batch[name][number].tolist() == row[name] + [0] * (width - length)
        assert batch["start_positions"][number] == row["start_positions"]
    losses = torch.stack([span_loss(model, pad_features([row], tokenizer)) for row in rows])
    assert torch.allclose(losses.mean(), span_loss(model, batch), atol=1e-6)
    alone = pad_features(rows[:1], tokenizer)
    assert torch.allclose(losses[0], model(**alone).loss, atol=1e-6), "without padding it is the library's"


@pytest.mark.parametrize("batch_size", [1, 5, 64])
def test_predicted_logits_are_those_of_one_window_at_a_time(small_run, tokenizer, batch_size):
    _, features = small_run
    model, rows = small_model(), features["validation"]
    found = predict_spans(model, rows, tokenizer, batch_size=batch_size)
    assert found[0].dtype == np.float32
    for number in range(len(rows)):
        output = model(**pad_features([rows[number]], tokenizer))
        for ours, theirs in zip(found, (output.start_logits, output.end_logits), strict=True):
            inside = [place for place, pair in enumerate(rows[number]["offset_mapping"]) if pair]
            assert np.allclose(ours[number, inside], theirs[0, inside].detach().numpy(), atol=1e-5)
            assert np.isneginf(np.delete(ours[number], inside)).all()
    table = pa.table(rows.with_format("arrow")[:])
    assert np.array_equal(predict_spans(model, table, tokenizer, batch_size=batch_size)[0], found[0])


def test_an_interrupted_prediction_leaves_the_model_as_it_was(small_run, tokenizer):
    model, seen = small_model().train(), []

    def interrupt(module, args):
        seen.append((model.training, torch.is_inference_mode_enabled()))
        if len(seen) == 2:
            raise KeyboardInterrupt

    model.qa_outputs.register_forward_pre_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        predict_spans(model, small_run[1]["validation"], tokenizer, batch_size=4)
    assert seen == 2 * [(False, True)]
    assert model.training
    assert not torch.is_inference_mode_enabled()


def test_settings_and_options_reach_fit(small_run, tokenizer, monkeypatch):
    chosen = AnswerSettings("", "", num_epochs=7, warmup=0.3, weight_decay=0.2, mixed_precision="bf16", seed=5)
    monkeypatch.setattr("course_lib.question_answering.fit", lambda *args, **options: (*args, options))
    model, _, _, config, options = fine_tune(small_model(), tokenizer, *small_run, chosen)
    assert config == LoopConfig.from_settings(chosen)
    assert (config.num_epochs, config.warmup, config.weight_decay, config.seed) == (7, 0.3, 0.2, 5)
    assert config.mixed_precision == "bf16"
    assert options["evaluate"].func is evaluate_answers
    own = {"evaluate": lambda model, accelerator: {"constant": 1.0}}
    assert fine_tune(model, tokenizer, *small_run, chosen, **own)[-1] == own | {"loss_of": span_loss}


def test_scores_are_in_full_precision_while_training_is_not(small_run, tokenizer):
    data, features = small_run
    chosen = AnswerSettings("", "", num_epochs=1, batch_size=16, max_answer_length=4, mixed_precision="bf16")
    model, seen = small_model(), []
    model.qa_outputs.register_forward_hook(lambda module, args, output: seen.append((module.training, output.dtype)))
    history = fine_tune(model, tokenizer, data, features, chosen, progress=False)
    assert set(seen) == {(True, torch.bfloat16), (False, torch.float32)}
    again = evaluate_answers(model, None, data["validation"], features["validation"], tokenizer, max_answer_length=4)
    assert history.evaluations[-1] | again == history.evaluations[-1]


def test_training_learns_and_evaluation_is_repeatable(small_run, tokenizer):
    data, features = small_run
    model = small_model()
    options = {"examples": data["validation"], "features": features["validation"], "tokenizer": tokenizer}
    before = evaluate_answers(model, None, **options, max_answer_length=4)
    chosen = AnswerSettings("", "", num_epochs=12, batch_size=16, learning_rate=5e-3, max_answer_length=4)
    history = fine_tune(model, tokenizer, data, features, chosen, progress=False)
    assert len(history.evaluations) == 12
    after = {name: history.evaluations[-1][name] for name in ("exact_match", "f1")}
    assert after == evaluate_answers(model, None, **options, max_answer_length=4)
    assert after["f1"] > before["f1"] + 10
    assert history.steps[-1]["loss"] < history.steps[0]["loss"]


def test_skipped_questions_count_as_wrong(tokenizer):
    data = Dataset.from_dict(records(("a", "bad cab", "cab", 4), ("a " * 60, "bad cab " * 9, "cab", 4)))
    with pytest.warns(SkippedQuestions, match="1 of 2"):
        features = preprocess(DatasetDict(validation=data), tokenizer, 32, 5, "skip")["validation"]
    logits = np.zeros((2, 1, 8), np.float32)
    logits[:, 0, features["input_ids"][0].index(tokenizer.convert_tokens_to_ids("cab"))] = 1
    predictions = postprocess_answers(data, features, *logits)
    assert predictions == [{"id": "0", "prediction_text": "cab"}, {"id": "1", "prediction_text": ""}]
    assert squad_scores(predictions, data) == {"exact_match": 50.0, "f1": 50.0}


def test_two_processes_give_the_scores_of_one(small_run, tokenizer):
    data, features = small_run
    chosen = AnswerSettings("", "", num_epochs=2, batch_size=16, learning_rate=5e-3, max_answer_length=4)

    def run():
        model = small_model()
        history = fine_tune(model, tokenizer, data, features, chosen, progress=False)
        alone = evaluate_answers(model, Accelerator(), data["validation"], features["validation"], tokenizer)
        return history.to_dict() | {"alone": alone}

    (one,), two = launch(run, num_processes=1), launch(run, num_processes=2)
    assert two[0] == two[1]
    assert [step["loss"] for step in two[0]["steps"]] == pytest.approx(
        [step["loss"] for step in one["steps"]], abs=1e-5
    )
    for left, right in zip([one["alone"], *one["evaluations"]], [two[0]["alone"], *two[0]["evaluations"]], strict=True):
        assert left == pytest.approx(right)


# The answerer


@pytest.fixture
def answerer(tokenizer) -> QuestionAnswerer:
    return QuestionAnswerer(small_model(), tokenizer, max_length=24, stride=6, max_answer_length=6)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(texts, texts), max_size=5))
def test_answers_are_pieces_of_their_contexts(pairs):
    answerer = QuestionAnswerer(small_model(), TOKENIZERS["word pieces"], max_length=60, stride=6, max_answer_length=6)
    pairs = [(question[:20], context * 4) for question, context in pairs]
    found = answerer([question for question, _ in pairs], [context for _, context in pairs])
    ranked = answerer([question for question, _ in pairs], [context for _, context in pairs], top_k=3)
    assert len(found) == len(ranked) == len(pairs)
    for (_, context), answer, best in zip(pairs, found, ranked, strict=True):
        assert context[answer.start : answer.end] == answer.text
        assert 0 <= answer.score <= 1
        assert answer == (best[0] if best else NOTHING)
        assert [one.score for one in best] == sorted((one.score for one in best), reverse=True)
        assert len({(one.start, one.end) for one in best}) == len(best) <= 3
        assert all(context[one.start : one.end] == one.text for one in best)


def test_the_answerer_takes_one_or_many(answerer):
    context = "a cab . b bad . " * 40
    one = answerer("a", context)
    assert isinstance(one, tuple)
    assert answerer(["a", "b"], context) == answerer(["a", "b"], [context] * 2)
    assert answerer(["a", "b"], context)[0] == pytest.approx(one) or answerer(["a"], context) == [one]
    assert answerer("a", context, top_k=2)[0] == one
    assert answerer([], context) == answerer([], []) == []
    assert answerer("a", "") == NOTHING
    assert answerer("a", " \u200b ", top_k=2) == []
    for arguments, words in (
        ((["a"], ["b", "c"]), "1 questions for 2 contexts"),
        (("a", ["b", "c"]), "one context"),
        (("a " * 60, context), "leaves room"),
    ):
        assert words in complaint(answerer, *arguments)
    for top_k in (0, -1, 21):
        assert f"top_k={top_k}" in complaint(answerer, "a", context, top_k=top_k)


def test_the_answerer_comes_back_from_a_folder(answerer, tokenizer, tmp_path):
    answerer.model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    again = QuestionAnswerer.from_pretrained(tmp_path, max_length=24, stride=6, max_answer_length=6)
    context = "a cab . b bad . " * 10
    assert again("a", context)[0] == answerer("a", context)[0]
    answerer.model.bert.save_pretrained(tmp_path)
    message = complaint_of(CheckpointError, QuestionAnswerer.from_pretrained, tmp_path)
    assert "no head" in message


# Settings and the whole path


def test_the_profiles_can_be_run():
    for chosen in SETTINGS.values():
        assert chosen.stride < chosen.max_length <= 512
        assert chosen.practice_size, "Trainer takes a part of the questions only"
    assert SETTINGS["tiny"].dataset == "mini/squad"


def test_train_goes_from_settings_to_a_model():
    chosen = dataclasses.replace(SETTINGS["tiny"], train_size=12, validation_size=8, batch_size=8)
    model, tokenizer, history = train(chosen, progress=False)
    assert len(history.steps) >= 3
    assert set(history.evaluations[-1]) == {"step", "epoch", "exact_match", "f1"}
    assert QuestionAnswerer(model, tokenizer)("Who was it?", "It was Ann.").text in "It was Ann."
    again = train(chosen, progress=False)[2]
    assert again == history, "the same seed, the same run"


def test_own_questions_in_squad_s_format(tmp_path):
    articles = []
    for number in range(6):
        context = f"Town {number} has {number + 3} bridges. Its mayor is Ann Lee."
        qas = [
            {"id": f"{number}-{k}", "question": "How many bridges?", "answers": [{"text": f"{number + 3}", "answer_start": 11}]}
            for k in range(2)
        ]  # fmt: skip
        articles.append({"title": f"Town {number}", "paragraphs": [{"context": context, "qas": qas}]})
    (tmp_path / "mine.json").write_text(json.dumps({"version": "1.1", "data": articles}), encoding="utf-8")
    chosen = dataclasses.replace(
        SETTINGS["tiny"],
        dataset=str(tmp_path / "mine.json"),
        split_by="title",
        validation_fraction=0.34,
        train_size=None,
    )
    data = load_questions(chosen)
    sides = [{name.split("-")[0] for name in rows["id"]} for rows in data.values()]
    assert not sides[0] & sides[1]
    assert len(sides[1]) == 2
    history = train(chosen, progress=False)[2]
    assert 0 <= history.evaluations[-1]["f1"] <= 100


def test_the_chapter_s_path_on_real_questions(shared):
    chosen = AnswerSettings(
        str(shared / "data" / "squad"),
        str(shared / "models" / "minilm-l6"),
        split_by="title",
        train_size=24,
        validation_size=16,
        max_length=160,
        stride=64,
        num_epochs=1,
        batch_size=8,
        learning_rate=1e-4,
    )
    data = load_questions(chosen)
    model, tokenizer, history = train(chosen, progress=False)
    assert 0 <= history.evaluations[-1]["f1"] <= 100
    features = preprocess(data, tokenizer, chosen.max_length, chosen.stride)
    marked = {text for text in decode_labels(features["train"], tokenizer) if text}
    spelled = {
        tokenizer.decode(tokenizer(row["answers"]["text"][0], add_special_tokens=False)["input_ids"])
        for row in data["train"]
    }
    assert marked <= spelled
    row = data["validation"][0]
    answer = QuestionAnswerer(model, tokenizer, max_length=160, stride=64)(row["question"], row["context"])
    assert row["context"][answer.start : answer.end] == answer.text


def test_real_labels_decode_to_their_answers(shared):
    data = load_questions(AnswerSettings(str(shared / "data" / "squad"), "", split_by="title", train_size=400))
    tokenizer = load_tokenizer(shared / "models" / "minilm-l6")
    features = preprocess(DatasetDict(train=data["train"]), tokenizer, 384, 128)["train"]
    if len(features) == len(data["train"]):
        for text, row in zip(decode_labels(features, tokenizer), data["train"], strict=True):
            answer = tokenizer.decode(tokenizer(row["answers"]["text"][0], add_special_tokens=False)["input_ids"])
            assert text is not None
            assert answer in text


def test_the_packaged_encoder_takes_the_head():
    model, tokenizer = load_model("question-answering", "mini/encoder"), load_tokenizer("mini/encoder")
    found = QuestionAnswerer(model, tokenizer)(["Who came?", "When?"], "Ann came on Friday. " * 300, top_k=2)
    assert [len(answers) for answers in found] == [2, 2]


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"text": "Paris", "answer_start": [0]}, "its answers are"),
        ({"text": ["Paris"], "answer_start": 0}, "its answers are"),
        ({"text": ["Paris"]}, "answer_start is None"),
        ({"text": None, "answer_start": [0]}, "no answer"),
        (["Paris"], "its answers are"),
    ],
)
def test_answers_of_another_shape_are_named(tokenizer, answers, words):
    batch = {"id": ["q7"], "context": ["Paris is old"], "question": ["what"], "answers": [answers]}
    message = complaint_of(DataError, prepare_train_features, batch, tokenizer, 24, 6)
    assert "q7" in message
    assert words in message


@pytest.mark.parametrize("kind", [np.int64, np.float16, bool])
def test_logits_of_other_types_are_ranked_like_floats(small_run, kind):
    data, features = small_run
    examples, windows = data["validation"], features["validation"]
    width = max(map(len, windows["input_ids"]))
    logits = np.random.default_rng(0).integers(0, 2 if kind is bool else 9, (2, len(windows), width))
    given = postprocess_answers(examples, windows, *logits.astype(kind), n_best=5, max_answer_length=6)
    assert given == postprocess_answers(examples, windows, *logits.astype(np.float32), n_best=5, max_answer_length=6)


def test_questions_and_contexts_that_are_no_text_are_named(tokenizer):
    answerer = QuestionAnswerer(small_model(), tokenizer, max_length=24, stride=6)
    assert "surrogate" in complaint_of(CourseError, answerer, "who?", "ab \ud800 c")
    assert "Text 1 is None" in complaint_of(CourseError, answerer, ["who?", None], "ab c")


def test_questions_that_are_no_splits_are_named(tokenizer):
    questions = make_questions(4)
    assert "Give a DatasetDict" in complaint_of(DataError, preprocess, questions, tokenizer, 24, 6)


# Cells of the notebook that a GPU or Colab sees differently

NOTEBOOKS = Path(__file__).parents[1] / "nbs"


def cell(words: str, chapter: str = "05_question_answering") -> str:
    "The only cell of the chapter with these words."
    cells = json.loads((NOTEBOOKS / f"{chapter}.ipynb").read_text(encoding="utf-8"))["cells"]
    (found,) = [source for each in cells if words in (source := "".join(each["source"]))]
    return found


@pytest.mark.parametrize("processes", [1, 2])
def test_a_launch_may_give_one_result_or_several(small_run, tokenizer, processes):
    data, features = small_run
    model, options = small_model(), {"n_best": 5, "max_answer_length": 4}
    logits = predict_spans(model, features["validation"], tokenizer)
    space = {
        "examples": data["validation"],
        "windows_of_split": lambda rows, split: preprocess(DatasetDict({split: rows}), tokenizer, 20, 6)[split],
        "load_model": lambda *names: small_model(seed=1),
        "settings": SETTINGS["tiny"],
        "predictions": postprocess_answers(data["validation"], features["validation"], *logits, **options),
        "launch": lambda function, num_processes, cpu: [function()] * min(num_processes, processes),
        "evaluate_answers": evaluate_answers,
        "squad_scores": squad_scores,
    }
    space |= {"model": model, "tokenizer": tokenizer, "options": options, "pd": pd, "math": math}
    exec(cell("launch(in_processes"), space)
    exec(cell("again = squad_scores"), space)


def test_losses_are_compared_in_full_precision_after_a_run_in_half_precision():
    tokenizer = load_tokenizer("mini/encoder")
    data = load_questions(dataclasses.replace(SETTINGS["tiny"], train_size=8, validation_size=8))
    trained, untrained = (load_model("question-answering", "mini/encoder") for _ in range(2))
    make_accelerator(LoopConfig(mixed_precision="bf16")).prepare(trained)  # from now on in half precision
    space = {
        "by_arrays": preprocess(data, tokenizer, 128, 42)["train"],
        "collate": partial(pad_features, tokenizer=tokenizer),
        "span_loss": span_loss,
        "evaluating": evaluating,
        "untrained": untrained,
        "model": trained,
        "device": "cpu",
    }
    exec(cell("lonely"), space | {"torch": torch, "math": math, "np": np})


@pytest.mark.parametrize("gpus", [0, 2])
def test_trainer_s_step_is_one_batch_on_several_gpus_too(monkeypatch, gpus):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    for chapter in ("02_masked_lm", "05_question_answering"):
        space = {"settings": SETTINGS["tiny"], "precision": "no", "tempfile": tempfile, "torch": torch}
        exec(cell("arguments = TrainingArguments(", chapter), space)
        assert space["arguments"].per_device_train_batch_size * max(1, gpus) == SETTINGS["tiny"].batch_size
