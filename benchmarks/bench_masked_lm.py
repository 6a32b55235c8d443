"""Chunks and masks against the loops that a reader writes first."""

import random
import tempfile
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from datasets import Dataset, DatasetDict, disable_caching, disable_progress_bars
from transformers import DataCollatorForLanguageModeling, PreTrainedTokenizerBase, default_data_collator

from benchmarks.harness import Row, compare, same_rows
from course_lib.checkpoints import load_tokenizer
from course_lib.data import load_data
from course_lib.masking import MaskingCollator, freeze_masking, group_texts, texts_to_chunks, tokenize_with_word_ids

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


def naive_words(rows: list[dict[str, Any]], tokenizer: PreTrainedTokenizerBase, others: list[int]) -> dict[str, Any]:
    "A loop over the words of each row."
    dice, features = random.Random(0), []
    for row in rows:
        words, previous = [], -1
        for place, word in enumerate(row["word_ids"]):
            if word >= 0:
                if word != previous:
                    words.append([])
                words[-1].append(place)
            previous = word
        feature = {name: list(values) for name, values in row.items() if name != "word_ids"}
        feature["labels"] = [-100] * len(row["input_ids"])
        for places in words:
            if dice.random() < RATE:
                for place in places:
                    feature["labels"][place], fate = row["input_ids"][place], dice.random()
                    if fate < 0.8:
                        feature["input_ids"][place] = tokenizer.mask_token_id
                    elif fate >= 0.9:
                        feature["input_ids"][place] = others[int(dice.random() * len(others))]
        features.append(feature)
    return default_data_collator(features)


def naive_freeze(dataset: Dataset, tokenizer: PreTrainedTokenizerBase) -> Dataset:
    collate = DataCollatorForLanguageModeling(tokenizer, mlm_probability=RATE)

    def insert(batch: dict[str, Any]) -> dict[str, Any]:
        features = [dict(zip(batch, row, strict=True)) for row in zip(*batch.values(), strict=True)]
        return {name: tensor.numpy() for name, tensor in collate(features).items()}

    return dataset.map(insert, batched=True, remove_columns=dataset.column_names)


def masked_alike(ids: np.ndarray, left: list[dict[str, Any]], right: list[dict[str, Any]]) -> bool:
    "The random numbers differ, so compare what both must keep: the text behind the masks, and the share of hidden tokens."
    shares = []
    for batches in (left, right):
        shown, labels = (np.concatenate([batch[name] for batch in batches]) for name in ("input_ids", "labels"))
        if not np.array_equal(np.where(labels == -100, shown, labels), ids):
            return False
        shares.append((labels != -100).mean())
    return abs(shares[0] - shares[1]) < 0.01


def preparation(texts: list[str], tokenizer: PreTrainedTokenizerBase, folder: str) -> Iterator[Row]:
    "Rows 2 and 3, from files and to files, as in a notebook."
    Dataset(tokenize_with_word_ids({"text": texts}, tokenizer)).save_to_disk(f"{folder}/tokens")
    Dataset(pa.table({"text": texts})).save_to_disk(f"{folder}/texts")
    tokens, raw = Dataset.load_from_disk(f"{folder}/tokens"), Dataset.load_from_disk(f"{folder}/texts")
    tokenize = partial(naive_tokenize, tokenizer=tokenizer)
    yield compare(
        "group_texts, Dataset.map",
        f"{len(texts):,} reviews, writing included",
        lambda: tokens.map(naive_group, batched=True),
        lambda: tokens.with_format("arrow").map(partial(group_texts, chunk_size=SIZE), batched=True).with_format(None),
        same_rows,
        number=2,
        target=150,
    )
    yield compare(
        "preparation, text to chunks",
        f"{len(texts):,} reviews, writing included",
        lambda: raw.map(tokenize, batched=True, remove_columns=["text"]).map(naive_group, batched=True),
        lambda: texts_to_chunks(DatasetDict(train=raw), tokenizer, SIZE)["train"],
        same_rows,
        number=3,
        target=15,
    )


def run() -> Iterator[Row]:
    disable_caching()
    disable_progress_bars()
    tokenizer, texts = load_tokenizer("mini/encoder"), make_texts(3000)
    table = tokenize_with_word_ids({"text": texts[:1000]}, tokenizer)
    lists, values = table.to_pydict(), [column.chunk(0).flatten().to_numpy() for column in table.columns]
    yield compare(
        "group_texts, in memory",
        f"1,000 reviews, {len(values[0]):,} tokens, 4 columns",
        lambda: naive_group(lists),
        lambda: group_texts(table, SIZE),
        lambda naive, ours: naive == ours.to_pydict(),
        number=1,
        target=500,
        bound=lambda: [column.copy() for column in values],
        bound_of="a copy of the tokens",
    )
    with tempfile.TemporaryDirectory() as folder:
        yield from preparation(texts, tokenizer, folder)

    chunks = Dataset(group_texts(table, SIZE)).select(range(20 * 64))
    ids = np.array(chunks["input_ids"][:], np.int32)
    others = sorted(set(tokenizer.get_vocab().values()) - set(tokenizer.all_special_ids))
    rows = [[chunks[index] for index in range(start, start + 64)] for start in range(0, len(chunks), 64)]
    columns = [{name: np.array([row[name] for row in part]) for name in part[0]} for part in rows]
    collate = MaskingCollator(tokenizer, RATE, whole_words=True)
    for name, batches, target in (("list of dicts", rows, 2.5), ("columns", columns, 20)):
        yield compare(
            f"whole-word collator, {name}",
            f"20 batches of 64 x {SIZE}",
            lambda: [naive_words(batch, tokenizer, others) for batch in rows],
            lambda batches=batches: list(map(collate, batches)),
            partial(masked_alike, ids),
            number=9,
            target=target,
        )
    held_out = chunks.select(range(1000)).remove_columns("word_ids")
    yield compare(
        "freeze_masking",
        f"1,000 x {SIZE}",
        lambda: naive_freeze(held_out, tokenizer),
        lambda: freeze_masking(held_out, tokenizer, RATE),
        lambda naive, ours: masked_alike(ids[:1000], [naive[:]], [ours[:]]),
        number=10,
        target=25,
    )
