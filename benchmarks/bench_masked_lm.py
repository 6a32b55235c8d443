"""Chunks and masks against the loops that a reader writes first."""

import tempfile
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from datasets import Dataset, DatasetDict, disable_caching, disable_progress_bars
from datasets.arrow_writer import ArrowWriter
from transformers import DataCollatorForLanguageModeling, PreTrainedTokenizerBase, default_data_collator

from benchmarks.bench_tokens import tokenize_words, word_lists
from benchmarks.harness import Row, compare, same_rows
from course_lib.checkpoints import load_tokenizer
from course_lib.data import load_data
from course_lib.masked_lm import (
    FreshMasks,
    freeze_masking,
    group_texts,
    preprocess,
    tokenize_with_word_ids,
    whole_word_mask,
)

NUMBERS = (1, 2, 3, 9, 10)
SIZE, RATE = 128, 0.15
# As measured on 8,000 IMDb reviews: the median of their words, and the standard deviation of the logarithm.
MEDIAN_WORDS, SPREAD = 174, 0.65


def make_texts(count: int, seed: int = 0) -> list[str]:
    "Texts as long as IMDb's reviews, cut from the reviews of the course laid end to end."
    generator = np.random.default_rng(seed)
    lengths = np.clip(np.exp(generator.normal(np.log(MEDIAN_WORDS), SPREAD, count)), 10, 1500).astype(int)
    reviews = load_data("mini/reviews", "texts")["train"]["text"][:]
    words: list[str] = []
    while len(words) < lengths.sum():
        for index in generator.permutation(len(reviews)):
            words += reviews[index].split()
    cuts = [0, *np.cumsum(lengths).tolist()]
    return [" ".join(words[start:end]) for start, end in zip(cuts, cuts[1:], strict=False)]


def naive_tokenize(batch: dict[str, Any], tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    result = tokenizer(batch["text"], verbose=False)
    words = [result.word_ids(row) for row in range(len(result["input_ids"]))]
    return dict(result) | {"word_ids": [[-1 if word is None else word for word in row] for row in words]}


def naive_group(batch: dict[str, list[list[int]]]) -> dict[str, list[list[int]]]:
    joined = {name: sum(lists, []) for name, lists in batch.items()}
    total = len(joined["input_ids"]) // SIZE * SIZE
    return {name: [flat[start : start + SIZE] for start in range(0, total, SIZE)] for name, flat in joined.items()}


def naive_words(
    features: list[dict[str, Any]], tokenizer: PreTrainedTokenizerBase, allowed: list[int], seed: int
) -> dict[str, torch.Tensor]:
    "Loops over word ids; the dice are thrown in the order of `whole_word_mask`."
    dice, mask = np.random.default_rng(seed), tokenizer.mask_token_id
    features, words = [{name: list(values) for name, values in feature.items()} for feature in features], []
    for feature in features:
        mapping, current, previous = defaultdict(list), -1, None
        for place, word in enumerate(feature.pop("word_ids")):
            if word == -1:
                previous = None
            else:
                if word != previous:
                    previous, current = word, current + 1
                mapping[current].append(place)
        feature["labels"] = [-100] * len(feature["input_ids"])
        words += [(feature, places) for places in mapping.values()]
    chosen = [
        (feature, place)
        for (feature, places), throw in zip(words, dice.random(len(words)), strict=True)
        if throw < RATE
        for place in places
    ]
    swapped = []
    for (feature, place), throw in zip(chosen, dice.random(len(chosen)), strict=True):
        feature["labels"][place] = feature["input_ids"][place]
        if throw < 0.8:
            feature["input_ids"][place] = mask
        elif throw >= 0.9:
            swapped.append((feature, place))
    for (feature, place), pick in zip(swapped, dice.integers(len(allowed), size=len(swapped)), strict=True):
        feature["input_ids"][place] = allowed[pick]
    return default_data_collator(features)


def naive_freeze(dataset: Dataset, tokenizer: PreTrainedTokenizerBase) -> Dataset:
    collate = DataCollatorForLanguageModeling(tokenizer, mlm_probability=RATE)

    def insert(batch: dict[str, Any]) -> dict[str, Any]:
        features = [dict(zip(batch, row, strict=True)) for row in zip(*batch.values(), strict=True)]
        return {name: tensor.numpy() for name, tensor in collate(features).items()}

    return dataset.map(insert, batched=True, remove_columns=dataset.column_names)


def same_tensors(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return set(left) == set(right) and all(torch.equal(left[name], right[name]) for name in left)


def masked_alike(left: dict[str, Any], right: dict[str, Any], ids: np.ndarray) -> bool:
    "The dice differ, so compare what both must keep: the text behind the masks, and the share of hidden tokens."
    shares = []
    for masked in (left, right):
        shown, labels = np.asarray(masked["input_ids"]), np.asarray(masked["labels"])
        if not np.array_equal(np.where(labels == -100, shown, labels), ids):
            return False
        shares.append((labels != -100).mean())
    return abs(shares[0] - shares[1]) < 0.01


def joined(batches: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    "All rows of the batches, which are of one length, as one batch."
    return {name: torch.cat([batch[name] for batch in batches]) for name in batches[0]}


def write_rows(rows: Dataset, path: str) -> None:
    "What `map` cannot do without: the rows, 1,000 at a time, through the writer of the library."
    with ArrowWriter(path=path, features=rows.features) as writer:
        for batch in rows.data.table.to_batches(max_chunksize=1000):
            writer.write_table(pa.Table.from_batches([batch]))
        writer.finalize()


def convert_lists(batches: list[list[dict[str, list[int]]]]) -> None:
    "Lists of numbers to arrays, each column of each batch, and nothing else."
    for rows in batches:
        for name in rows[0]:
            np.fromiter(chain.from_iterable(row[name] for row in rows), np.int64, len(rows) * SIZE)


def draw_and_copy(columns: list[np.ndarray], throws: int) -> None:
    "As many random numbers, and the arrays once more."
    np.random.default_rng(0).random(throws)
    for column in columns:
        column.copy()


def run() -> Iterator[Row]:
    disable_caching()
    disable_progress_bars()
    tokenizer = load_tokenizer("mini/encoder")
    texts = make_texts(5000)

    table = tokenize_with_word_ids({"text": texts[:1000]}, tokenizer)
    lists = table.to_pydict()
    values = [column.chunk(0).flatten().to_numpy() for column in table.columns]
    yield compare(
        "group_texts, in memory",
        f"1,000 reviews, {len(table['input_ids'].combine_chunks().flatten()):,} tokens, 4 columns",
        lambda: naive_group(lists),
        lambda: group_texts(table, SIZE),
        lambda naive, ours: naive == ours.to_pydict(),
        number=1,
        target=500,
        bound=lambda: [column.copy() for column in values],
        bound_of="a copy of the tokens",
    )

    with tempfile.TemporaryDirectory() as folder:  # on disk, so that map reads and writes files as in a notebook
        Dataset(tokenize_with_word_ids({"text": texts}, tokenizer)).save_to_disk(f"{folder}/tokens")
        Dataset(pa.table({"text": texts})).save_to_disk(f"{folder}/texts")
        tokens, raw = Dataset.load_from_disk(f"{folder}/tokens"), Dataset.load_from_disk(f"{folder}/texts")
        words = word_lists(texts)
        chunked = preprocess(DatasetDict(train=raw), tokenizer, SIZE)["train"]
        yield compare(
            "group_texts, Dataset.map",
            "5,000 reviews, writing included",
            lambda: tokens.map(naive_group, batched=True),
            lambda: (
                tokens.with_format("arrow").map(partial(group_texts, chunk_size=SIZE), batched=True).with_format(None)
            ),
            same_rows,
            number=2,
            target=150,
            bound=lambda: write_rows(chunked, f"{folder}/bound.arrow"),
            bound_of="the Arrow writer",
        )
        yield compare(
            "preparation, text to chunks",
            "5,000 reviews, writing included",
            lambda: raw.map(partial(naive_tokenize, tokenizer=tokenizer), batched=True, remove_columns=["text"]).map(
                naive_group, batched=True
            ),
            lambda: preprocess(DatasetDict(train=raw), tokenizer, SIZE)["train"],
            same_rows,
            number=3,
            target=4,
            bound=lambda: tokenize_words(words, tokenizer),
            bound_of="the tokenizer, each word once",
        )

    chunks = Dataset(group_texts(table, SIZE))
    allowed = sorted(set(tokenizer.get_vocab().values()) - set(tokenizer.all_special_ids))
    parts = [range(start, start + 64) for start in range(0, 20 * 64, 64)]
    rows = [[chunks[index] for index in part] for part in parts]
    columns = [{name: np.array(values) for name, values in chunks[part[0] : part[-1] + 1].items()} for part in parts]
    arrays = [column for part in columns for column in part.values()]
    for name, batches, target, bound, bound_of in (
        ("list of dicts", rows, 2.5, lambda: convert_lists(rows), "lists to arrays"),
        (
            "columns",
            columns,
            20,
            lambda: draw_and_copy(arrays, arrays[0].size * len(parts)),
            "random numbers and a copy",
        ),
    ):
        yield compare(
            f"whole-word collator, {name}",
            f"20 batches of 64 x {SIZE}",
            lambda: [naive_words(batch, tokenizer, allowed, seed) for seed, batch in enumerate(rows)],
            lambda batches=batches: [
                whole_word_mask(batch, tokenizer, RATE, np.random.default_rng(seed))
                for seed, batch in enumerate(batches)
            ],
            lambda naive, ours: all(map(same_tensors, naive, ours)),
            number=9,
            target=target,
            bound=bound,
            bound_of=bound_of,
        )

    fresh = FreshMasks(tokenizer, RATE, True)
    yield compare(
        "fresh whole-word masks, list of dicts",
        f"20 batches of 64 x {SIZE}",
        lambda: [naive_words(batch, tokenizer, allowed, seed) for seed, batch in enumerate(rows)],
        lambda: list(map(fresh, rows)),
        lambda naive, ours: masked_alike(
            joined(naive), joined(ours), np.concatenate([part["input_ids"] for part in columns])
        ),
        number=9,
        target=2.5,
        bound=lambda: convert_lists(rows),
        bound_of="lists to arrays",
    )

    held_out = chunks.select(range(1000)).remove_columns("word_ids")
    ids = np.array(held_out["input_ids"][:], np.int32)
    yield compare(
        "freeze_masking",
        f"1,000 x {SIZE}",
        lambda: naive_freeze(held_out, tokenizer),
        lambda: freeze_masking(held_out, tokenizer, RATE),
        lambda naive, ours: masked_alike(naive[:], ours[:], ids),
        number=10,
        target=25,
        bound=lambda: draw_and_copy([ids], ids.size),
        bound_of="random numbers and a copy",
    )
