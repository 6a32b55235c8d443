"""Windows, labels, answers and scores against the loops that a reader writes first."""

import re
import string
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from datasets import Dataset, disable_caching, disable_progress_bars
from transformers import BatchEncoding, PreTrainedTokenizerBase

from benchmarks.bench_tokens import tokenize_words, word_lists
from benchmarks.harness import Row, compare, same_rows
from course_lib.checkpoints import load_tokenizer
from course_lib.data import load_data
from course_lib.metrics import squad_scores
from course_lib.question_answering import (
    _distinct,
    _label,
    _mark,
    _prepare,
    postprocess_answers,
    prepare_train_features,
    prepare_validation_features,
)

NUMBERS = (4, 5, 6, 7, 8)
SIZES = {"max_length": 384, "stride": 128}
SEARCH = {"n_best": 20, "max_answer_length": 30}
QUESTIONS, WINDOWS, ANSWERS = 3000, 12_500, 10_570


def make_questions(count: int, per_context: int, seed: int = 0) -> Dataset:
    "Contexts of 120 words on average, as in SQuAD, joined from sentences of the course; each answer is one to five words."
    dice = np.random.default_rng(seed)
    data = load_data("mini/squad", "questions")["train"]
    sentences = sorted({part for text in set(data["context"][:]) for part in re.findall(r"[^.]+\.", text)})
    asked = data["question"][:]
    rows = []
    for number in range(-(-count // per_context)):
        words = int(np.clip(dice.normal(120, 45), 30, 400))
        context = ""
        while len(context.split()) < words:
            context += sentences[dice.integers(len(sentences))]
        context = context.strip()
        spans = [match.span() for match in re.finditer(r"\w+", context)]
        for part in range(per_context):
            first = int(dice.integers(len(spans)))
            last = min(first + int(dice.integers(5)), len(spans) - 1)
            start, end = spans[first][0], spans[last][1]
            answers = {"text": [context[start:end]], "answer_start": [start]}
            question = asked[int(dice.integers(len(asked)))]
            rows.append({"id": f"{number}-{part}", "context": context, "question": question, "answers": answers})
    return Dataset.from_list(rows[:count])


def naive_labels(
    mapping: list[list[tuple[int, int]]], sides: list[list[int | None]], answers: list[dict[str, list]]
) -> tuple[list[int], list[int]]:
    "First and last token of each window's answer, found by walking along its offsets."
    starts, ends = [], []
    for offsets, side, found in zip(mapping, sides, answers, strict=True):
        begin = found["answer_start"][0]
        end = begin + len(found["text"][0])
        first = 0
        while side[first] != 1:
            first += 1
        last = len(side) - 1
        while side[last] != 1:
            last -= 1
        if offsets[first][0] > begin or offsets[last][1] < end:
            starts.append(0)
            ends.append(0)
            continue
        place = first
        while place <= last and offsets[place][0] <= begin:
            place += 1
        starts.append(place - 1)
        place = last
        while place >= first and offsets[place][1] >= end:
            place -= 1
        ends.append(place + 1)
    return starts, ends


def naive_windows(batch: dict[str, list], tokenizer: PreTrainedTokenizerBase) -> BatchEncoding:
    "As the tokenizer itself cuts them, every question with its own context."
    return tokenizer(
        [question.strip() for question in batch["question"]],
        batch["context"],
        truncation="only_second",
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        **SIZES,
    )


def naive_train(batch: dict[str, list], tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    rows = naive_windows(batch, tokenizer)
    mapping, samples = rows.pop("offset_mapping"), rows.pop("overflow_to_sample_mapping")
    sides = [rows.sequence_ids(row) for row in range(len(mapping))]
    starts, ends = naive_labels(mapping, sides, [batch["answers"][sample] for sample in samples])
    return dict(rows) | {"start_positions": starts, "end_positions": ends}


def naive_validation(batch: dict[str, list], tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    rows = naive_windows(batch, tokenizer)
    samples, names = rows.pop("overflow_to_sample_mapping"), []
    for row, sample in enumerate(samples):
        names.append(batch["id"][sample])
        sides = rows.sequence_ids(row)
        rows["offset_mapping"][row] = [
            pair if sides[place] == 1 else None for place, pair in enumerate(rows["offset_mapping"][row])
        ]
    return dict(rows) | {"example_id": names}


def naive_answers(
    examples: Dataset, features: Dataset, start_logits: np.ndarray, end_logits: np.ndarray
) -> list[dict[str, str]]:
    windows: dict[str, list[int]] = {}
    for row, name in enumerate(features["example_id"]):
        windows.setdefault(name, []).append(row)
    predictions = []
    for example in examples:
        best = None
        for row in windows.get(example["id"], []):
            offsets = features[row]["offset_mapping"]
            for start in np.argsort(-start_logits[row], kind="stable")[: SEARCH["n_best"]].tolist():
                for end in np.argsort(-end_logits[row], kind="stable")[: SEARCH["n_best"]].tolist():
                    if max(start, end) >= len(offsets) or offsets[start] is None or offsets[end] is None:
                        continue
                    if end < start or end - start + 1 > SEARCH["max_answer_length"]:
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
        if shared == 0:
            return 0.0
        precision, recall = shared / len(words[0]), shared / len(words[1])
        return 2 * precision * recall / (precision + recall)

    said = {row["id"]: row["prediction_text"] for row in predictions}
    exact = overlap = 0.0
    for row in references:
        guess = said[row["id"]]
        exact += max(normalized(guess) == normalized(text) for text in row["answers"]["text"])
        overlap += max(f1(guess, text) for text in row["answers"]["text"])
    return {"exact_match": 100 * exact / len(references), "f1": 100 * overlap / len(references)}


def tiled(examples: Dataset, features: Dataset, windows: int) -> tuple[Dataset, Dataset]:
    "As many windows as wanted, and their examples: the same ones again under other names."
    rounds = -(-windows // len(features))
    copies = [
        Dataset.from_list(
            [row | {"id": f"{row['id']}/{copy}"} for row in examples.select_columns(["id", "context", "answers"])]
        )
        for copy in range(rounds)
    ]
    names, mapping = features["example_id"][:], features.with_format("arrow")[:]["offset_mapping"]
    import pyarrow as pa

    table = pa.table(
        {
            "example_id": [f"{name}/{copy}" for copy in range(rounds) for name in names],
            "offset_mapping": pa.chunked_array(list(mapping.chunks) * rounds),
        }
    )
    kept = Dataset(table.slice(0, windows).combine_chunks())
    wanted = set(kept["example_id"][:])
    rows = [row for part in copies for row in part.to_list() if row["id"] in wanted]
    return Dataset.from_list(rows), kept


def peaked(features: Dataset, examples: Dataset, width: int, seed: int = 0) -> np.ndarray:
    "Logits as of a trained model: noise, and in most windows one high start and one high end that fit."
    dice = np.random.default_rng(seed)
    logits = dice.normal(size=(2, len(features), width)).astype(np.float32)
    mapping = features.with_format("arrow")[:]["offset_mapping"].combine_chunks()
    base = mapping.offsets.to_numpy()
    known = mapping.values.is_valid().to_numpy(zero_copy_only=False)
    for row in np.flatnonzero(dice.random(len(features)) < 0.9):
        inside = np.flatnonzero(known[base[row] : base[row + 1]])
        start = int(dice.integers(len(inside)))
        end = min(start + int(dice.integers(6)), len(inside) - 1)
        logits[0, row, inside[start]] += 12
        logits[1, row, inside[end]] += 12
    return logits


def word_rows(data: Dataset) -> list[list[str]]:
    "The distinct words of the questions and of the contexts, 1,000 rows at a time as in `map`."
    return [*word_lists(data["question"][:]), *word_lists(data["context"][:])]


def select_only(logits: np.ndarray, most: int) -> None:
    "The places of the highest logits of every window, in any order."
    for values in logits:
        values.argmax(1) if most == 1 else np.argpartition(values, -most, axis=1)


def read_words(texts: list[str]) -> list[list[str]]:
    "Lower case and words of every distinct text."
    return [text.split() for text in "\0".join(dict.fromkeys(texts)).lower().split("\0")]


def labels_alone(data: Dataset, tokenizer: PreTrainedTokenizerBase) -> Row:
    "The labels of windows whose texts are tokenized already."
    batch = data[:]
    made = naive_windows(batch, tokenizer)
    sides = [made.sequence_ids(row) for row in range(len(made["input_ids"]))]
    wanted = [batch["answers"][sample] for sample in made["overflow_to_sample_mapping"]]
    sizes = (SIZES["max_length"], SIZES["stride"])
    prepared = _prepare(batch, tokenizer, *sizes, "raise", answers=False)
    _, which = _distinct(batch["context"])

    def ours() -> np.ndarray:
        return _label(prepared.windows, _mark(batch["context"], batch["answers"], prepared.contexts, which, {}))

    return compare(
        "labels alone, 5 a context",
        f"{len(data):,} questions, {len(sides):,} windows of {SIZES['max_length']}",
        lambda: naive_labels(made["offset_mapping"], sides, wanted),
        ours,
        lambda naive, ours: np.array_equal(np.transpose(naive), ours),
        number=4,
        target=1,
        bound=lambda: [found["answer_start"][0] + len(found["text"][0]) for found in batch["answers"]],
        bound_of="reading the answers",
    )


def run() -> Iterator[Row]:
    disable_caching()
    disable_progress_bars()
    tokenizer = load_tokenizer("mini/encoder")
    with tempfile.TemporaryDirectory() as folder:  # on disk, so that map reads and writes files as in a notebook
        for per_context, target in ((5, 5), (1, 1.8)):
            make_questions(QUESTIONS, per_context).save_to_disk(f"{folder}/{per_context}")
            data = Dataset.load_from_disk(f"{folder}/{per_context}")
            contexts, words = len(set(data["context"][:])), word_rows(data)
            rows = partial(data.map, batched=True, remove_columns=data.column_names)
            arrow = partial(data.with_format("arrow").map, batched=True, remove_columns=data.column_names)
            yield compare(
                f"training features, map, {per_context} a context",
                f"{len(data):,} questions, {contexts:,} contexts, windows of {SIZES['max_length']}",
                lambda rows=rows: rows(partial(naive_train, tokenizer=tokenizer)),
                lambda arrow=arrow: arrow(partial(prepare_train_features, tokenizer=tokenizer, **SIZES)).with_format(
                    None
                ),
                same_rows,
                number=4 if per_context == 5 else 5,
                target=target,
                bound=lambda words=words: tokenize_words(words, tokenizer),
                bound_of="the tokenizer, each word once",
            )
        yield labels_alone(Dataset.load_from_disk(f"{folder}/5"), tokenizer)
        data = Dataset.load_from_disk(f"{folder}/5")
        words = word_rows(data)
        rows = partial(data.map, batched=True, remove_columns=data.column_names)
        arrow = partial(data.with_format("arrow").map, batched=True, remove_columns=data.column_names)
        yield compare(
            "validation features, map, 5 a context",
            f"{len(data):,} questions",
            lambda: rows(partial(naive_validation, tokenizer=tokenizer)),
            lambda: arrow(partial(prepare_validation_features, tokenizer=tokenizer, **SIZES)).with_format(None),
            same_rows,
            number=6,
            target=5,
            bound=lambda: tokenize_words(words, tokenizer),
            bound_of="the tokenizer, each word once",
        )
        features = arrow(partial(prepare_validation_features, tokenizer=tokenizer, **SIZES)).with_format(None)
        tiled_examples, tiled_features = tiled(data, features, WINDOWS)
        tiled_examples.save_to_disk(f"{folder}/examples")
        tiled_features.save_to_disk(f"{folder}/features")
        examples, features = (Dataset.load_from_disk(f"{folder}/{name}") for name in ("examples", "features"))
        width = SIZES["max_length"]
        random = np.random.default_rng(0).normal(size=(2, len(features), width)).astype(np.float32)
        peaks = peaked(features, examples, width)
        for name, logits, target, most in (("random", random, 15, SEARCH["n_best"]), ("peaked", peaks, 45, 1)):
            row = compare(
                f"post-processing, {name} logits",
                f"{len(features):,} windows, n_best {SEARCH['n_best']}",
                lambda logits=logits: naive_answers(examples, features, *logits),
                lambda logits=logits: postprocess_answers(examples, features, *logits, **SEARCH),
                lambda naive, ours: naive == ours,
                number=7,
                target=target,
                bound=lambda logits=logits, most=most: select_only(logits, most),
                bound_of=f"the {most} highest logits" if most > 1 else "the highest logit",
            )
            yield row
        references = [{"id": str(number), "answers": row["answers"]} for number, row in enumerate(examples.to_list())]
        references = (references * 9)[:ANSWERS]
        dice = np.random.default_rng(0)
        for number, reference in enumerate(references):  # three accepted answers, as in SQuAD's development set
            text = reference["answers"]["text"][0]
            texts = [text, " ".join(text.split()[:2]), f"the {text}"]
            references[number] = {"id": str(number), "answers": {"text": texts, "answer_start": [0, 0, 0]}}
        predictions = [
            {
                "id": row["id"],
                "prediction_text": row["answers"]["text"][int(dice.integers(3))] + "." * int(dice.integers(2)),
            }
            for row in references
        ]

        texts = [row["prediction_text"] for row in predictions]
        texts += [text for row in references for text in row["answers"]["text"]]
        result = compare(
            "exact match and F1, against the loop",
            f"{len(references):,} answers, 3 accepted",
            lambda: naive_scores(predictions, references),
            lambda: squad_scores(predictions, references),
            lambda naive, ours: all(abs(naive[name] - ours[name]) < 1e-9 for name in ours),
            number=8,
            target=1,
            bound=lambda: read_words(texts),
            bound_of="lower case and words",
        )
        yield result
        # The target: scores take no longer than the post-processing before them, here of peaked logits, the faster one.
        yield replace(result, item="exact match and F1, against post-processing", naive=row.ours)
