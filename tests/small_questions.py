"A small model and made-up questions for the tests of windows, spans and chapter 5."

from typing import Any

import numpy as np
import pyarrow as pa
import torch
from datasets import Dataset
from transformers import BertConfig, BertForQuestionAnswering, PreTrainedTokenizerBase

LABELLED = ("input_ids", "start_positions", "end_positions")


def records(*rows: tuple[str, str, str, int]) -> dict[str, list[Any]]:
    "Columns for questions given as (question, context, answer, start)."
    return {
        "id": [str(number) for number in range(len(rows))],
        "question": [row[0] for row in rows],
        "context": [row[1] for row in rows],
        "answers": [{"text": [row[2]], "answer_start": [row[3]]} for row in rows],
    }


def decode_labels(features: pa.Table | Dataset, tokenizer: PreTrainedTokenizerBase) -> list[str | None]:
    "The text that each window's labels mark, as the tokenizer spells it; None where they say that it is not there."
    columns = [features[name].to_pylist() if isinstance(features, pa.Table) else features[name] for name in LABELLED]
    return [tokenizer.decode(ids[start : end + 1]) if end else None for ids, start, end in zip(*columns, strict=True)]


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
