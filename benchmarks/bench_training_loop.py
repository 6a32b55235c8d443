"""Length-grouped batches and a fused optimizer against random batches and the plain one."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from transformers import BertConfig, BertForSequenceClassification

from benchmarks.harness import Row, compare
from course_lib.loop import LengthGroupedBatches, LoopConfig, choose_precision, make_optimizer, padding_share

NUMBERS = (15,)
STEPS, BATCH = 30, 8
# Token counts of MRPC's 3,668 training pairs with the vocabulary of bert-base-uncased, as measured. A model that reads
# such tokens has as many rows in its embedding, and the optimizer goes through all of them.
VOCABULARY = 30_522
MEAN, DEVIATION, SHORTEST, LONGEST = 53.2, 13.0, 19, 103


def pair_lengths(count: int, seed: int = 0) -> np.ndarray:
    "Lengths distributed like those of MRPC's pairs."
    lengths = np.random.default_rng(seed).normal(MEAN, DEVIATION, count).round()
    return np.clip(lengths, SHORTEST, LONGEST).astype(np.int64)


def padded(lengths: np.ndarray, batches: list[np.ndarray], vocabulary: int) -> Iterator[dict[str, torch.Tensor]]:
    "Random token batches of the given lengths."
    generator = torch.Generator().manual_seed(0)
    for batch in batches:
        mask = torch.arange(int(lengths[batch].max()))[None] < torch.from_numpy(lengths[batch])[:, None]
        ids = torch.randint(vocabulary, mask.shape, generator=generator)
        yield {
            "input_ids": ids * mask,
            "attention_mask": mask.long(),
            "labels": torch.ones(len(batch), dtype=torch.long),
        }


def multiply(
    lengths: np.ndarray, batches: list[np.ndarray], width: int, inner: int, layers: int, precision: str
) -> None:
    "The matrix products of the linear layers, forward and backward, for the tokens without padding."
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    shapes = [(width, width)] * 4 + [(inner, width), (width, inner)]
    weights = [torch.randn(rows, columns, dtype=kind) for rows, columns in shapes]
    states = {size: torch.randn(int(lengths.sum()), size, dtype=kind) for size in (width, inner)}
    for batch in batches:
        tokens = int(lengths[batch].sum())
        for weight in weights * layers:
            given, gradient = states[weight.shape[1]][:tokens], states[weight.shape[0]][:tokens]
            given @ weight.T
            gradient @ weight
            gradient.T @ given


def make_model() -> BertForSequenceClassification:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=VOCABULARY, hidden_size=256, num_hidden_layers=4, num_attention_heads=4, intermediate_size=1024
    )
    return BertForSequenceClassification(config).train()


def train_steps(
    model: BertForSequenceClassification,
    lengths: np.ndarray,
    batches: list[np.ndarray],
    optimizer: torch.optim.Optimizer,
    precision: str = "no",
) -> int:
    "Train on each batch once; the number of tokens without padding."
    seen = 0
    for batch in padded(lengths, batches, model.config.vocab_size):
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        seen += int(batch["attention_mask"].sum())
    return seen


def run() -> Iterator[Row]:
    lengths, model = pair_lengths(STEPS * BATCH), make_model()
    config = model.config
    random = LengthGroupedBatches(lengths, BATCH, window=None).batches()
    grouped = LengthGroupedBatches(lengths, BATCH).batches()
    train = partial(train_steps, model, lengths)
    plain = torch.optim.AdamW(model.parameters(), lr=1e-5, foreach=False, fused=False)
    fused = make_optimizer(model, LoopConfig(learning_rate=1e-5))
    # In bfloat16 too, as `fit` does by itself, where the processor multiplies it.
    for precision in dict.fromkeys(["no", choose_precision("auto", "cpu")]):
        row = compare(
            f"30 training steps, {'float32' if precision == 'no' else 'bfloat16'}",
            f"BERT 4 x 256, vocabulary {VOCABULARY:,}, batch {BATCH}, pairs of MRPC's lengths",
            lambda: train(random, plain),
            lambda precision=precision: train(grouped, fused, precision),
            lambda naive, ours: naive == ours == int(lengths.sum()),  # both train on every token once
            number=15,
            target=1.8,
            bound=lambda precision=precision: multiply(
                lengths, grouped, config.hidden_size, config.intermediate_size, config.num_hidden_layers, precision
            ),
            bound_of="the matrix products",
            budget=30,  # the naive optimizer's time varies by a third from call to call
            padding=f"{padding_share(lengths, random):.1%} -> {padding_share(lengths, grouped):.1%}",
        )
        for name, seconds in (("naive", row.naive), ("ours", row.ours)):
            row.notes[f"pairs/s {name}"] = round(STEPS * BATCH / seconds)
        yield row
