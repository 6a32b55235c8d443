"Windows, labels, the loss, predictions and the search for spans against independent naive references."

import unicodedata
from functools import partial

import numpy as np
import pyarrow as pa
import pytest
import torch
from complaints import complaint_of
from datasets import Dataset
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from small_checkpoints import deberta
from small_questions import decode_labels, make_questions, records, small_model
from small_tokenizers import TOKENIZERS, texts, word_pieces
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertTokenizerFast, PreTrainedTokenizerFast

from course_lib.metrics import squad_scores
from course_lib.profiles import CourseError
from course_lib.spans import (
    check_lengths,
    pad_features,
    postprocess_answers,
    predict_spans,
    prepare_train_features,
    prepare_validation_features,
    rank_answers,
    span_loss,
)

complaint = partial(complaint_of, CourseError)
LETTERS = "abcdefghij"
OFFSETS = pa.list_(pa.list_(pa.int32()))


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
            with pytest.raises(CourseError, match=f"Question '{number}'"):
                prepare_train_features(batch, tokenizer, max_length, stride)
            with pytest.warns(UserWarning, match=f"Question '{number}'"):
                kept = prepare_train_features(batch, tokenizer, max_length, stride, on_error="skip")
            break
        expected += naive[0]
    else:
        kept = prepare_train_features(batch, tokenizer, max_length, stride)
        assert kept.to_pylist() == expected


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
    batch = records((question, context, answer, start))
    features = prepare_train_features(batch, tokenizer, length, stride).to_pylist()
    held = [feature for feature in features if feature["end_positions"]]
    if inside[-1] - inside[0] < stride + 1:  # with tokens of no character between them
        assert held
    if len(inside) > room:
        assert not held
    validation = prepare_validation_features(batch, tokenizer, length, stride)
    for feature, mapping in zip(features, validation["offset_mapping"].to_pylist(), strict=True):
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
    features = prepare_train_features(records(*rows), tokenizer, 64, 8)
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
        offsets.append(features["start_positions"][0].as_py())
    assert offsets == [3, 4, 5]


def test_an_answer_longer_than_every_window_is_in_none(tokenizer):
    context = "a b c d e f g h i j"
    features = prepare_train_features(records(("a", context, context, 0)), tokenizer, 9, 2)
    assert len(features) > 1
    assert {*features["start_positions"].to_pylist(), *features["end_positions"].to_pylist()} == {0}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("a", "bad cab", "cab", 3), "not at 3"),
        (("a", "bad cab", "cab", 400), "not at 400"),
        (("a", "bad cab", "cab", -3), "not at -3"),
        (("a", "bad cab!", "cab", -4), "not at -4"),  # a slice from the end would find it
        (("a", "bad cab", "", 2), "has no answer"),
        (("a", "bad cab", " ", 3), "has no answer"),
        (("a", "", "cab", 0), "not at 0"),
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
    with pytest.warns(UserWarning, match="1 of 3 questions left out"):
        kept = prepare_train_features(batch, tokenizer, 32, 5, on_error="skip")
    assert kept == prepare_train_features(records(good, good), tokenizer, 32, 5)


def test_a_question_without_answer_cannot_be_trained_on(tokenizer):
    batch = records(("a", "bad cab", "cab", 4)) | {"answers": [{"text": [], "answer_start": []}]}
    assert "has no answer" in complaint(prepare_train_features, batch, tokenizer, 32, 5)


@pytest.mark.parametrize(
    "answers",
    [{"text": "cab", "answer_start": [4]}, {"text": ["cab"], "answer_start": 4}, {"text": ["cab"]}, ["cab"], None],
)
def test_answers_of_another_shape_mark_nothing(tokenizer, answers):
    "A string is a list of letters, too: its first letter stands where the answer starts."
    batch = records(("a", "bad cab", "cab", 4)) | {"answers": [answers]}
    with pytest.raises((ValueError, TypeError)):
        prepare_train_features(batch, tokenizer, 32, 5)


def test_lengths_that_leave_no_window_are_named(tokenizer):
    for max_length, stride in ((32, 29), (32, 400), (32, -1), (3, 0), (0, 0)):
        message = complaint(check_lengths, tokenizer, max_length, stride)
        assert f"max_length={max_length}" in message
        assert f"stride={stride}" in message
    check_lengths(tokenizer, 32, 28)
    check_lengths(tokenizer, 128, 28, small_model())
    assert "use 1 to 128" in complaint(check_lengths, tokenizer, 129, 28, small_model())
    assert "max_length=600" in complaint(prepare_train_features, records(), tokenizer, 600, 5)


def test_nothing_gives_nothing(tokenizer):
    none = Dataset.from_dict(records(("a", "bad cab", "cab", 4))).select([])
    assert len(prepare_train_features(none, tokenizer, 32, 5)) == 0
    windows = prepare_validation_features(none, tokenizer, 32, 5)
    assert postprocess_answers(none, windows, *np.zeros((2, 0, 0))) == []
    assert predict_spans(small_model(), Dataset(windows), tokenizer).shape == (2, 0, 0)


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
    whole = prepare_train_features(data[:], **options).to_pydict()
    for size in (1, 7, 1000):
        for rows in (data, data.with_format("arrow")):
            prepare = partial(prepare_train_features, **options)
            mapped = rows.map(prepare, batched=True, batch_size=size, remove_columns=data.column_names)
            assert mapped.with_format(None).to_dict() == whole


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
        with pytest.warns(UserWarning, match=f"{refused} of {len(rows)}"):
            found = prepare_validation_features(batch, tokenizer, max_length, stride, on_error="skip")
    else:
        found = prepare_validation_features(batch, tokenizer, max_length, stride)
    assert found.to_pylist() == expected


# From logits to answers


def whole(context, covered, begin, end):
    "A span with the letters beside it that no token covers, and without blanks at its ends."
    free = lambda at: at not in covered and not context[at].isspace()
    while begin > 0 and free(begin - 1):
        begin -= 1
    while end < len(context) and free(end):
        end += 1
    while begin < end and context[begin].isspace():
        begin += 1
    while begin < end and context[end - 1].isspace():
        end -= 1
    return begin, end


def naive_answers(examples, features, start_logits, end_logits, n_best, max_answer_length):
    "The triple loop. For each example its candidates, best first: score, start, end."
    found, owners, mappings = [], *(features[name].to_pylist() for name in ("example_id", "offset_mapping"))
    assert len(set(examples["context"])) == 1, "so that all windows show the same text"
    covered = {at for offsets in mappings for pair in offsets if pair for at in range(*pair)}
    for name in examples["id"]:
        spans = {}
        for row, owner in enumerate(owners):
            if owner != name:
                continue
            offsets = mappings[row]
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
                    span = whole(examples["context"][0], covered, offsets[start][0], offsets[end][1])
                    if score > -np.inf:
                        spans[span] = max(score, spans.get(span, -np.inf))
        found.append(sorted((-score, *span) for span, score in spans.items())[:n_best])
    return [[(-score, start, end) for score, start, end in spans] for spans in found]


def windows_of(owners, mappings):
    return pa.table({"example_id": pa.array(owners, pa.string()), "offset_mapping": pa.array(mappings, OFFSETS)})


@st.composite
def searches(draw):
    "Examples, windows with holes, and logits with many ties."
    dice = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    names = [f"q{number}" for number in range(draw(st.integers(1, 4)))]
    owners = sorted(draw(st.lists(st.sampled_from(names), max_size=7)))
    width = draw(st.integers(1, 12))
    context = draw(st.sampled_from(["abcdefghijklmnopqrstuvwxyz", "ab def  ijk\nmnop r tuv\u00a0xyz", " " * 26]))
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
    return examples, windows_of(owners, mappings), *logits


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
    for context, spans, ranked in zip(examples["context"], expected, rank_answers(*search, **options), strict=True):
        assert [(answer.start, answer.end) for answer in ranked] == [span[1:] for span in spans]
        assert all(context[answer.start : answer.end] == answer.text for answer in ranked)
        weights = np.exp([span[0] - spans[0][0] for span in spans])
        assert np.allclose([answer.score for answer in ranked], weights / weights.sum())
    assert postprocess_answers(Dataset.from_dict(examples), Dataset(features), *logits, **options) == predictions


def test_a_block_border_changes_nothing():
    dice = np.random.default_rng(0)
    names = [f"q{number}" for number in range(700)]
    owners = names + names[:600]  # windows of a question need not stand together
    mappings = [[None] + [[place, place + 1] for place in range(20)] for _ in owners]
    examples = {"id": names, "context": ["abcdefghijklmnopqrstuvwxyz"] * len(names)}
    features = windows_of(owners, mappings)
    logits = dice.normal(size=(2, len(owners), 21)).round(1).astype(np.float32)
    expected = naive_answers(examples, features, *logits, 5, 4)
    found = postprocess_answers(examples, features, *logits, n_best=5, max_answer_length=4)
    assert [answer["prediction_text"] for answer in found] == [
        examples["context"][0][spans[0][1] : spans[0][2]] if spans else "" for spans in expected
    ]


@pytest.mark.parametrize("pair", [pa.list_(pa.int64(), 2), pa.list_(pa.int64()), pa.large_list(pa.int32())], ids=str)
def test_offsets_may_be_lists_of_any_kind(tokenizer, pair):
    rows = make_questions(12)
    windows = prepare_validation_features(rows, tokenizer, 24, 4)
    logits = np.random.default_rng(0).normal(size=(2, len(windows), 24)).astype(np.float32)
    column = pa.array(windows["offset_mapping"].to_pylist(), pa.list_(pair))  # behind a hole of fixed size stands something
    other = windows.set_column(windows.schema.get_field_index("offset_mapping"), "offset_mapping", column)
    for part in (slice(0, len(windows)), slice(3, len(windows) - 2)):
        pieces = [table.slice(part.start, part.stop - part.start) for table in (windows, other)]
        plain, found = (postprocess_answers(rows, table, *logits[:, part]) for table in pieces)
        assert found == plain
        assert any(row["prediction_text"] for row in found)


def test_all_windows_say_which_letters_have_a_token():
    "Two windows that begin and end alike: the first alone would leave d and e to the token before them."
    examples = {"id": ["q"], "context": ["abcdef"]}
    features = windows_of(["q", "q"], [[[0, 1], [2, 3], [5, 6]], [[0, 1], [3, 5], [5, 6]]])
    logits = np.array([[[0, 9, 0], [0, 0, 0]]] * 2, np.float32)
    assert postprocess_answers(examples, features, *logits) == [{"id": "q", "prediction_text": "bc"}]


def test_features_of_a_selection_are_read_as_selected(tokenizer):
    rows = [("a", f"bad {letter} cab", letter, 4) for letter in LETTERS]
    features = Dataset(prepare_validation_features(records(*rows), tokenizer, 16, 4))
    data = Dataset.from_dict(records(*rows))
    dice = np.random.default_rng(0).normal(size=(2, len(rows), 16))
    chosen = [7, 2, 2 + 1]
    alone = postprocess_answers(data.select(chosen), features.select(chosen), *dice[:, chosen])
    assert alone == [postprocess_answers(data, features, *dice)[row] for row in chosen]


def test_what_does_not_belong_together_is_an_error():
    examples, features, zeros = (
        {"id": ["a"], "context": ["xyz"]},
        windows_of(["a"], [[[0, 1], [1, 2]]]),
        np.zeros((1, 2)),
    )
    for other in (windows_of(["b"], [[[0, 1], [1, 2]]]), windows_of([None], [[[0, 1], [1, 2]]])):
        assert "example_id" in complaint(postprocess_answers, examples, other, zeros, zeros)
    twice = {"id": ["a", "a"], "context": ["x", "y"]}
    assert "exactly one" in complaint(postprocess_answers, twice, features, zeros, zeros)
    for logits in (np.zeros((2, 2)), zeros[:, :1], zeros[0]):
        for pair in ((logits, zeros), (zeros, logits)):
            with pytest.raises(AssertionError, match="other windows"):
                postprocess_answers(examples, features, *pair)
    for wrong in ({"n_best": 0}, {"max_answer_length": 0}):
        assert next(iter(wrong)) in complaint(postprocess_answers, examples, features, zeros, zeros, **wrong)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_logits_that_are_no_numbers_give_no_answers(value):
    examples, features = {"id": ["a"], "context": ["xyz"]}, windows_of(["a", "a"], 2 * [[[0, 1], [1, 2]]])
    broken = [np.zeros((2, 2)), np.array([[0, -np.inf], [0, value]])]
    for logits in (broken, broken[::-1]):
        for function in (postprocess_answers, rank_answers):
            assert "nan or infinite" in complaint(function, examples, features, *logits)


# Model, loss, prediction


@pytest.fixture(scope="module")
def small_run() -> tuple[dict[str, Dataset], dict[str, Dataset]]:
    "Questions and their windows."
    data = {"train": make_questions(64), "validation": make_questions(41, seed=1)}
    prepare = {"train": prepare_train_features, "validation": prepare_validation_features}
    return data, {name: Dataset(prepare[name](rows, TOKENIZERS["word pieces"], 20, 6)) for name, rows in data.items()}


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
    model, rows = small_model(), small_run[1]["validation"]
    found = predict_spans(model, rows, tokenizer, batch_size=batch_size)
    assert found[0].dtype == np.float32
    for number in range(len(rows)):
        output = model(**pad_features([rows[number]], tokenizer))
        for ours, theirs in zip(found, (output.start_logits, output.end_logits), strict=True):
            length = theirs.shape[1]
            assert np.allclose(ours[number, :length], theirs[0].detach().numpy(), atol=1e-5)
            assert np.isneginf(ours[number, length:]).all()


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


def test_skipped_questions_count_as_wrong(tokenizer):
    data = Dataset.from_dict(records(("a", "bad cab", "cab", 4), ("a " * 60, "bad cab " * 9, "cab", 4)))
    with pytest.warns(UserWarning, match="1 of 2"):
        features = prepare_validation_features(data, tokenizer, 32, 5, "skip")
    logits = np.zeros((2, 1, 8), np.float32)
    logits[:, 0, features["input_ids"][0].as_py().index(tokenizer.convert_tokens_to_ids("cab"))] = 1
    predictions = postprocess_answers(data, features, *logits)
    assert predictions == [{"id": "0", "prediction_text": "cab"}, {"id": "1", "prediction_text": ""}]
    assert squad_scores(predictions, data) == {"exact_match": 50.0, "f1": 50.0}


@pytest.mark.parametrize("kind", [np.int64, np.float16, bool])
def test_logits_of_other_types_are_ranked_like_floats(small_run, kind):
    examples, windows = (part["validation"] for part in small_run)
    width = max(map(len, windows["input_ids"]))
    logits = np.random.default_rng(0).integers(0, 2 if kind is bool else 9, (2, len(windows), width))
    given = postprocess_answers(examples, windows, *logits.astype(kind), n_best=5, max_answer_length=6)
    assert given == postprocess_answers(examples, windows, *logits.astype(np.float32), n_best=5, max_answer_length=6)


# Letters between tokens, and blanks in them


def bytes_and_merges(pre_tokenizer, post_processor):
    "Byte level with a few words that begin with a blank."
    special, merges = ["<s>", "<pad>", "</s>", "<unk>"], [("Ġ", "b"), ("Ġ", "A"), ("ĠA", "m")]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = dict.fromkeys([*special, *alphabet, *("".join(pair) for pair in merges)])
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    raw = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>"))
    raw.pre_tokenizer, raw.post_processor = pre_tokenizer, post_processor
    names = {"pad_token": "<pad>", "cls_token": "<s>", "sep_token": "</s>", "unk_token": "<unk>"}
    return PreTrainedTokenizerFast(tokenizer_object=raw, model_input_names=["input_ids", "attention_mask"], **names)


BYTES = pre_tokenizers.ByteLevel
ENDS = [("<s>", 0), ("</s>", 2)]
GAPS = {
    "robbert": bytes_and_merges(
        pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), BYTES(add_prefix_space=True), pre_tokenizers.Punctuation()]),
        processors.RobertaProcessing(*ENDS[::-1], trim_offsets=True, add_prefix_space=True),
    ),
    "modernbert": bytes_and_merges(
        BYTES(add_prefix_space=False),
        processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=ENDS),
    ),
    "uncased bert": TOKENIZERS["word pieces"],
    "deberta": deberta(),
}
ANSWERS = [
    ("He lives in Amsterdam, now", "Amsterdam"),
    (unicodedata.normalize("NFD", "le café noir"), unicodedata.normalize("NFD", "café")),
    ("वह दिल्ली में है", "दिल्ली में"),
    ("in bad, x", "bad"),
    ("x bad", "bad"),
    (" \n cab", "cab"),
]


@pytest.mark.parametrize(("context", "answer"), ANSWERS)
@pytest.mark.parametrize("kind", GAPS)
def test_who_is_sure_of_the_right_tokens_gives_the_right_letters(kind, context, answer):
    row, tokenizer = records(("ab", context, answer, context.index(answer))), GAPS[kind]
    labels = prepare_train_features(row, tokenizer, 64, 8).to_pydict()
    windows = prepare_validation_features(row, tokenizer, 64, 8)
    logits = np.full((2, len(windows), max(map(len, windows["input_ids"].to_pylist()))), -9.0, np.float32)
    for values, name in zip(logits, ("start_positions", "end_positions"), strict=True):
        for at, place in enumerate(labels[name]):
            values[at, place] = 9 if place else -9
    predictions = postprocess_answers(row, windows, *logits)
    assert predictions == [{"id": "0", "prediction_text": answer}]
    assert squad_scores(predictions, Dataset.from_dict(row))["exact_match"] == 100
    best = rank_answers(row, windows, *logits)[0][0]
    assert context[best.start : best.end] == best.text == answer
