"""Windows, answers and scores against the loops that a reader writes first."""

import re
import string
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from datasets import Dataset, disable_caching, disable_progress_bars
from transformers import BatchEncoding, PreTrainedTokenizerBase

from benchmarks.harness import Row, compare, same_rows
from course_lib.checkpoints import load_tokenizer
from course_lib.data import load_data
from course_lib.metrics import squad_scores
from course_lib.spans import postprocess_answers, prepare_train_features, prepare_validation_features

NUMBERS = (4, 5, 6, 7, 8)
SIZES = {"max_length": 384, "stride": 128}
SEARCH = {"n_best": 20, "max_answer_length": 30}
QUESTIONS, ANSWERS = 3000, 10_570


def make_questions(count: int, per_context: int, seed: int = 0) -> Dataset:
    "Contexts of 120 words on average, as in SQuAD, joined from sentences of the course; each answer is one to five words."
    dice = np.random.default_rng(seed)
    data = load_data("mini/squad", "questions")["train"]
    sentences = sorted({part for text in set(data["context"][:]) for part in re.findall(r"[^.]+\.", text)})
    asked, rows = data["question"][:], []
    for number in range(-(-count // per_context)):
        words, context = int(np.clip(dice.normal(120, 45), 30, 400)), ""
        while len(context.split()) < words:
            context += sentences[dice.integers(len(sentences))]
        context = context.strip()
        spans = [match.span() for match in re.finditer(r"\w+", context)]
        for part in range(per_context):
            first = int(dice.integers(len(spans)))
            start, end = spans[first][0], spans[min(first + int(dice.integers(5)), len(spans) - 1)][1]
            answers = {"text": [context[start:end]], "answer_start": [start]}
            question = asked[int(dice.integers(len(asked)))]
            rows.append({"id": f"{number}-{part}", "context": context, "question": question, "answers": answers})
    return Dataset.from_list(rows[:count])


def naive_windows(batch: dict[str, list], tokenizer: PreTrainedTokenizerBase, **padding: Any) -> BatchEncoding:
    "As the tokenizer itself cuts them, every question with its own context."
    options = {"truncation": "only_second", "return_overflowing_tokens": True, "return_offsets_mapping": True}
    questions = [question.strip() for question in batch["question"]]
    return tokenizer(questions, batch["context"], **options, **{**SIZES, **padding})


def naive_train(batch: dict[str, list], tokenizer: PreTrainedTokenizerBase, **padding: Any) -> dict[str, Any]:
    "First and last token of each window's answer, found by walking along its offsets."
    rows, starts, ends = naive_windows(batch, tokenizer, **padding), [], []
    mapping, samples = rows.pop("offset_mapping"), rows.pop("overflow_to_sample_mapping")
    for row, (offsets, sample) in enumerate(zip(mapping, samples, strict=True)):
        found, side = batch["answers"][sample], rows.sequence_ids(row)
        begin, end = found["answer_start"][0], found["answer_start"][0] + len(found["text"][0])
        first, last = 0, len(side) - 1
        while side[first] != 1:
            first += 1
        while side[last] != 1:
            last -= 1
        if offsets[first][0] > begin or offsets[last][1] < end:
            starts.append(0)
            ends.append(0)
            continue
        left, right = first, last
        while left <= last and offsets[left][0] <= begin:
            left += 1
        while right >= first and offsets[right][1] >= end:
            right -= 1
        starts.append(left - 1)
        ends.append(right + 1)
    return dict(rows) | {"start_positions": starts, "end_positions": ends}


def naive_validation(batch: dict[str, list], tokenizer: PreTrainedTokenizerBase, **padding: Any) -> dict[str, Any]:
    rows, names = naive_windows(batch, tokenizer, **padding), []
    for row, sample in enumerate(rows.pop("overflow_to_sample_mapping")):
        names.append(batch["id"][sample])
        sides, offsets = rows.sequence_ids(row), rows["offset_mapping"][row]
        rows["offset_mapping"][row] = [pair if sides[place] == 1 else None for place, pair in enumerate(offsets)]
    return dict(rows) | {"example_id": names}


def naive_answers(
    examples: Dataset,
    features: Dataset,
    start_logits: np.ndarray,
    end_logits: np.ndarray,
    n_best: int,
    max_answer_length: int,
) -> list[dict[str, str]]:
    windows, predictions = {}, []
    for row, name in enumerate(features["example_id"]):
        windows.setdefault(name, []).append(row)
    for example in examples:
        best = None
        for row in windows.get(example["id"], []):
            offsets = features[row]["offset_mapping"]
            for start in np.argsort(-start_logits[row], kind="stable")[:n_best].tolist():
                for end in np.argsort(-end_logits[row], kind="stable")[:n_best].tolist():
                    if max(start, end) >= len(offsets) or offsets[start] is None or offsets[end] is None:
                        continue
                    if end < start or end - start + 1 > max_answer_length:
                        continue
                    score = float(start_logits[row][start]) + float(end_logits[row][end])
                    found = (-score, offsets[start][0], offsets[end][1])
                    best = found if best is None else min(best, found)
        text = "" if best is None else example["context"][best[1] : best[2]]
        predictions.append({"id": example["id"], "prediction_text": text})
    return predictions


def naive_scores(predictions: list[dict[str, str]], references: list[dict[str, Any]]) -> dict[str, float]:
    "The definition, one answer at a time."

    def normalized(text: str) -> str:
        text = "".join(letter for letter in text.lower() if letter not in string.punctuation)
        return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())

    def f1(left: str, right: str) -> float:
        words = normalized(left).split(), normalized(right).split()
        shared = sum((Counter(words[0]) & Counter(words[1])).values())
        return 2 * shared / (len(words[0]) + len(words[1])) if shared else 0.0

    said, exact, overlap = {row["id"]: row["prediction_text"] for row in predictions}, 0.0, 0.0
    for row in references:
        guess = said[row["id"]]
        exact += max(normalized(guess) == normalized(text) for text in row["answers"]["text"])
        overlap += max(f1(guess, text) for text in row["answers"]["text"])
    return {"exact_match": 100 * exact / len(references), "f1": 100 * overlap / len(references)}


def peaked(features: Dataset, width: int, seed: int = 0) -> np.ndarray:
    "Logits as of a trained model: noise, and in most windows one high start and one high end that fit."
    dice = np.random.default_rng(seed)
    logits = dice.normal(size=(2, len(features), width)).astype(np.float32)
    mapping = features.with_format("arrow")[:]["offset_mapping"].combine_chunks()
    base, known = mapping.offsets.to_numpy(), mapping.values.is_valid().to_numpy(zero_copy_only=False)
    for row in np.flatnonzero(dice.random(len(features)) < 0.9):
        inside = np.flatnonzero(known[base[row] : base[row + 1]])
        start = int(dice.integers(len(inside)))
        logits[0, row, inside[start]] += 12
        logits[1, row, inside[min(start + int(dice.integers(6)), len(inside) - 1)]] += 12
    return logits


def features(data: Dataset, name: str, naive: Any, ours: Any, number: int, target: float) -> Row:
    "Windows through `map`, written to a file, as in a notebook."
    tokenizer = load_tokenizer("mini/encoder")
    options = {"batched": True, "remove_columns": data.column_names}
    return compare(
        f"{name} features, map, {round(len(data) / len(set(data['context'][:])))} a context",
        f"{len(data):,} questions, windows of {SIZES['max_length']}",
        lambda: data.map(partial(naive, tokenizer=tokenizer), **options),
        lambda: data.with_format("arrow").map(partial(ours, tokenizer=tokenizer, **SIZES), **options).with_format(None),
        same_rows,
        number=number,
        target=target,
    )


def run() -> Iterator[Row]:
    disable_caching()
    disable_progress_bars()
    with tempfile.TemporaryDirectory() as folder:
        for per_context in (5, 1):
            make_questions(QUESTIONS, per_context).save_to_disk(f"{folder}/{per_context}")
        several, alone = (Dataset.load_from_disk(f"{folder}/{count}") for count in (5, 1))
        yield features(several, "training", naive_train, prepare_train_features, 4, 8)
        yield features(alone, "training", naive_train, prepare_train_features, 5, 5)
        yield features(several, "validation", naive_validation, prepare_validation_features, 6, 8)
        make_questions(ANSWERS, 5).save_to_disk(f"{folder}/examples")
        examples = Dataset.load_from_disk(f"{folder}/examples")
        windows = prepare_validation_features(examples, load_tokenizer("mini/encoder"), **SIZES)
        Dataset(windows.select(["example_id", "offset_mapping"])).save_to_disk(f"{folder}/windows")
        windows = Dataset.load_from_disk(f"{folder}/windows")
        random = np.random.default_rng(0).normal(size=(2, len(windows), SIZES["max_length"])).astype(np.float32)
        for name, target, logits in (("random", 15, random), ("peaked", 45, peaked(windows, SIZES["max_length"]))):
            yield compare(
                f"post-processing, {name} logits",
                f"{len(windows):,} windows, n_best {SEARCH['n_best']}",
                lambda logits=logits: naive_answers(examples, windows, *logits, **SEARCH),
                lambda logits=logits: postprocess_answers(examples, windows, *logits, **SEARCH),
                lambda naive, ours: naive == ours,
                number=7,
                target=target,
                bound=lambda logits=logits: [values.argmax(1) for values in logits],
                bound_of="the highest logit",
            )
        dice, references, predictions = np.random.default_rng(0), [], []
        for name, answers in zip(examples["id"], examples["answers"], strict=True):
            text = answers["text"][0]
            texts = [text, " ".join(text.split()[:2]), f"the {text}"]  # three accepted, as in SQuAD's development set
            references.append({"id": name, "answers": {"text": texts, "answer_start": [0, 0, 0]}})
            said = texts[int(dice.integers(3))] + "." * int(dice.integers(2))
            predictions.append({"id": name, "prediction_text": said})
        yield compare(
            "exact match and F1",
            f"{len(references):,} answers, 3 accepted",
            lambda: naive_scores(predictions, references),
            lambda: squad_scores(predictions, references),
            lambda naive, ours: all(abs(naive[name] - ours[name]) < 1e-9 for name in ours),
            number=8,
            target=5,
        )
