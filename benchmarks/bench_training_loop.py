"""Length-grouped batches and a fused optimizer against random batches and the plain one."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from transformers import BertConfig, BertForSequenceClassification

from benchmarks.harness import Row, compare
from course_lib.batches import LengthGroupedBatches, padding_share
from course_lib.loop import LoopConfig, choose_precision, make_optimizer

NUMBERS = (15,)
STEPS, BATCH = 30, 8
# A model that reads tokens of bert-base-uncased has as many rows in its embedding; the optimizer goes through them all.
VOCABULARY = 30_522
WIDTHS = {"hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 1024}


def pair_lengths(count: int, seed: int = 0) -> np.ndarray:
    "Lengths distributed like those of MRPC's 3,668 training pairs in tokens of bert-base-uncased, as measured."
    lengths = np.random.default_rng(seed).normal(53.2, 13.0, count).round()
    return np.clip(lengths, 19, 103).astype(np.int64)


def train_steps(
    model: BertForSequenceClassification,
    lengths: np.ndarray,
    batches: list[np.ndarray],
    optimizer: torch.optim.Optimizer,
    precision: str = "no",
) -> int:
    "Train on random tokens, each batch once; the number of tokens without padding."
    generator, seen = torch.Generator().manual_seed(0), 0
    for batch in batches:
        mask = torch.arange(int(lengths[batch].max()))[None] < torch.from_numpy(lengths[batch])[:, None]
        ids = torch.randint(VOCABULARY, mask.shape, generator=generator) * mask
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            labels = torch.ones(len(batch), dtype=torch.long)
            loss = model(input_ids=ids, attention_mask=mask.long(), labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        seen += int(mask.sum())
    return seen


def run() -> Iterator[Row]:
    torch.manual_seed(0)
    lengths = pair_lengths(STEPS * BATCH)
    model = BertForSequenceClassification(BertConfig(vocab_size=VOCABULARY, **WIDTHS)).train()
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
            target=1.5 if precision == "no" else 2,
            budget=20,  # the naive optimizer's time varies by a third from call to call
            padding=f"{padding_share(lengths, random):.1%} -> {padding_share(lengths, grouped):.1%}",
        )
        row.notes["pairs/s"] = f"{STEPS * BATCH / row.naive:.0f} -> {STEPS * BATCH / row.ours:.0f}"
        yield row
