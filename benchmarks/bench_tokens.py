"""Every distinct word once against every text."""

import re
from collections.abc import Iterator
from itertools import chain
from pydoc_data.topics import topics

import numpy as np
from transformers import PreTrainedTokenizerBase

from benchmarks.harness import Row, compare
from course_lib.checkpoints import load_tokenizer
from course_lib.data import load_data
from course_lib.tokens import Tokens, tokenize_texts

NUMBERS = ()  # its rows stand beside those of chapter 2
TOGETHER = 4000  # words in one text


def word_lists(texts: list[str], rows: int = 1000) -> list[list[str]]:
    "For so many texts at a time, as in `map`: their distinct words and marks, a space between, some thousands in a text."
    found = []
    for start in range(0, len(texts), rows):
        words = list(
            dict.fromkeys(chain.from_iterable(re.findall(r"\w+|[^\w\s]", text) for text in texts[start : start + rows]))
        )
        found.append([" ".join(words[at : at + TOGETHER]) for at in range(0, len(words), TOGETHER)])
    return found


def tokenize_words(lists: list[list[str]], tokenizer: PreTrainedTokenizerBase) -> None:
    "The Rust tokenizer alone, nothing converted."
    for texts in lists:
        tokenizer.backend_tokenizer.encode_batch(texts, add_special_tokens=False)


def every_text(texts: list[str], tokenizer: PreTrainedTokenizerBase) -> Tokens:
    "The tokenizer's own lists, joined."
    made = tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    words = [made.word_ids(row) for row in range(len(texts))]
    pairs = np.array(list(chain.from_iterable(made["offset_mapping"])), np.int32)
    flat = lambda lists: np.array(list(chain.from_iterable(lists)), np.int32)
    lengths = np.array([len(row) for row in words])
    return Tokens(flat(made["input_ids"]), pairs[:, 0], pairs[:, 1], flat(words), lengths)


def same_tokens(left: Tokens, right: Tokens) -> bool:
    return all(np.array_equal(getattr(left, name), getattr(right, name)) for name in vars(left))


def run() -> Iterator[Row]:
    tokenizer = load_tokenizer("mini/encoder")
    reviews = load_data("mini/reviews", "texts")["train"]["text"][:1000]
    for item, size, texts in (
        ("tokens of reviews", "1,000 texts of the course", reviews),
        ("tokens of a manual", f"{len(topics)} texts of Python's help, written by people", list(topics.values())),
    ):
        lists = word_lists(texts)
        words = sum(len(re.findall(r"\w+|[^\w\s]", text)) for text in texts)
        yield compare(
            item,
            size,
            lambda texts=texts: every_text(texts, tokenizer),
            lambda texts=texts: tokenize_texts(texts, tokenizer),
            same_tokens,
            number=3,
            target=1,
            bound=lambda lists=lists: tokenize_words(lists, tokenizer),
            bound_of="the tokenizer, each word once",
            words=f"{words:,}",
            distinct=f"{sum(text.count(' ') + 1 for texts in lists for text in texts):,}",
        )
