"""What `mini/encoder` knows: perplexity on held-out prose, words that fill a gap, and a fine-tuning probe.

    python -m recipes.encoder.check --model course_lib/mini/encoder --work work --seeds 0 1 2
"""
from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from recipes.corpora.paraphrases import build_paraphrases

from .batches import Corpus

EVERYDAY = [
    "The children went to the [MASK] after lunch.",
    "She put the book on the [MASK].",
    "It was a very [MASK] day.",
    "He wants to [MASK] a new car.",
    "They have lived in this [MASK] for many years.",
    "This is a great [MASK].",
]


def perplexity(model: nn.Module, corpus: Corpus, length: int = 128, rows: int = 400) -> float:
    """Masked-LM perplexity on held-out prose: 15 % of the tokens, always the same ones."""
    batch = corpus.text_batch(np.random.default_rng(7), rows, length, 0.15)
    total, count = 0.0, 0
    with torch.no_grad():
        for ids, labels in zip(batch["ids"].split(20), batch["labels"].split(20), strict=False):
            at = labels >= 0
            logits = model(input_ids=ids).logits[at].float()
            total += F.cross_entropy(logits, labels[at], reduction="sum").item()
            count += int(at.sum())
    return math.exp(total / count)


def fillers(model: nn.Module, tokenizer, sentence: str, k: int = 5) -> list[str]:
    """The k likeliest tokens at [MASK]."""
    inputs = tokenizer(sentence, return_tensors="pt")
    with torch.no_grad():
        logits = model(**inputs).logits[0]
    at = (inputs["input_ids"][0] == tokenizer.mask_token_id).nonzero()[0, 0]
    return tokenizer.convert_ids_to_tokens(logits[at].topk(k).indices.tolist())


@dataclass(frozen=True)
class Probe:
    """Settings of the fine-tuning probe.

    python -m recipes.encoder.check --model course_lib/mini/encoder --work work --seeds 0 1 2
"""

    train_size: int = 2400
    validation_size: int = 600
    epochs: int = 4
    batch_size: int = 32
    learning_rate: float = 4e-4
    warmup: float = 0.1
    dropout: float = 0.0
    threads: int = 2


def probe(folder: Path, seed: int, data: dict[str, list[dict]], probe: Probe) -> dict[str, float]:
    """Fine-tune on sentence pairs as chapter 1 does; accuracy after every epoch, beside the majority class."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.set_num_threads(probe.threads)
    torch.manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=torch.float32, hidden_dropout_prob=probe.dropout, attention_probs_dropout_prob=probe.dropout
    )
    encoded = {
        split: tokenizer([r["sentence1"] for r in rows], [r["sentence2"] for r in rows], truncation=True)
        for split, rows in data.items()
    }
    labels = {split: torch.tensor([r["label"] for r in rows]) for split, rows in data.items()}

    def batches(split: str, order: list[int]) -> Iterator[tuple[dict, torch.Tensor]]:
        for at in range(0, len(order), probe.batch_size):
            rows = order[at:at + probe.batch_size]
            inputs = {k: [v[i] for i in rows] for k, v in encoded[split].items()}
            yield tokenizer.pad(inputs, return_tensors="pt"), labels[split][rows]

    def accuracy() -> float:
        model.eval()
        with torch.no_grad():
            right = sum(int((model(**x).logits.argmax(-1) == y).sum()) for x, y in batches("validation", list(range(len(labels["validation"])))))
        return right / len(labels["validation"])

    rng = np.random.default_rng(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=probe.learning_rate, weight_decay=0.01)
    steps = probe.epochs * math.ceil(len(labels["train"]) / probe.batch_size)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / (probe.warmup * steps), (steps - s) / ((1 - probe.warmup) * steps))
    )
    lengths = np.array([len(i) for i in encoded["train"]["input_ids"]])
    curve, seconds = [], 0.0
    for _ in range(probe.epochs):
        began = time.monotonic()
        model.train()
        # Batches of similar length, in random order.
        order = np.argsort(lengths + rng.random(len(lengths)) * 8)
        starts = rng.permutation(range(0, len(order), probe.batch_size))
        for start in starts:
            for inputs, y in batches("train", order[start:start + probe.batch_size].tolist()):
                F.cross_entropy(model(**inputs).logits, y).backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad(set_to_none=True)
        seconds += time.monotonic() - began
        curve.append(round(accuracy(), 4))
    majority = float(labels["validation"].float().mean())
    return {"seed": seed, "majority": round(max(majority, 1 - majority), 4), "accuracy": curve, "train_seconds": round(seconds, 1)}


def evaluate(folder: Path, work: Path, seeds: list[int], settings: Probe | None = None) -> None:
    """Print perplexity, fillers and the probe."""
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    settings = settings or Probe()
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32).eval()
    print(f"held-out masked-LM perplexity {perplexity(model, Corpus(work, 'heldout')):.2f}")
    for sentence in EVERYDAY:
        print(f"{sentence:50s} {' '.join(fillers(model, tokenizer, sentence))}")
    if not seeds:
        return
    print(asdict(settings))
    for seed in seeds:
        data = build_paraphrases(seed=0, train_size=settings.train_size, validation_size=settings.validation_size)
        print(probe(folder, seed, data, settings), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="the folder to load")
    parser.add_argument("--work", type=Path, required=True, help="the folder in which it was made")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2], help="of the probe")
    args = parser.parse_args()
    evaluate(args.model, args.work, args.seeds)


if __name__ == "__main__":
    main()
