"""Filter, contexts and losses of chapter 4 against the loops that a reader writes first."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from datasets import Dataset, DatasetDict, disable_caching, disable_progress_bars
from torch.nn import functional as F
from transformers import PreTrainedTokenizerBase

from benchmarks.harness import Row, can_measure_memory, compare
from course_lib.causal_lm import (
    KEYWORDS,
    filter_by_keywords,
    head_loss,
    keytoken_weighted_loss,
    preprocess,
    train_code_tokenizer,
)
from course_lib.python_code import iter_python_files

NUMBERS = (11, 12, 13, 14)
SIZE, VOCABULARY = 128, 50_000
MEGABYTES = 280  # of Python files; what is installed, repeated until it is so much


def make_pile(folder: str) -> tuple[Dataset, float]:
    "Installed Python files as a data set on disk, in groups of 1,000 rows, and its size in MB."
    texts = [record["content"] for record in iter_python_files()]
    size, files = 0, []
    while size < MEGABYTES * 1e6:
        for text in texts:
            files.append(text)
            size += len(text.encode())
            if size >= MEGABYTES * 1e6:
                break
    Dataset.from_dict({"content": files}).save_to_disk(f"{folder}/pile")
    return Dataset.load_from_disk(f"{folder}/pile"), size / 1e6


def naive_filter(files: Dataset) -> Dataset:
    kept: dict[str, list[str]] = {"content": []}
    for file in files:
        if any(keyword in file["content"] for keyword in KEYWORDS):
            kept["content"].append(file["content"])
    return Dataset.from_dict(kept)


def naive_contexts(files: Dataset, tokenizer: PreTrainedTokenizerBase) -> Dataset:
    def cut(batch: dict[str, list[str]]) -> dict[str, list[list[int]]]:
        pieces = tokenizer(
            batch["content"], truncation=True, max_length=SIZE, return_overflowing_tokens=True, return_length=True
        )
        pairs = zip(pieces["length"], pieces["input_ids"], strict=True)
        return {"input_ids": [ids for length, ids in pairs if length == SIZE]}

    return files.map(cut, batched=True, remove_columns=files.column_names)


def token_share(contexts: Dataset, total: int) -> float:
    return len(contexts) * SIZE / total


def contexts_alike(naive: Dataset, ours: Dataset, total: int) -> bool:
    "Ours has every token but those of the last partial context; the first file's contexts are the same."
    return (
        token_share(ours, total) >= 0.999 and len(naive) <= len(ours) and naive[0]["input_ids"] == ours[0]["input_ids"]
    )


def naive_weighted(inputs: torch.Tensor, logits: torch.Tensor, ids: list[int], alpha: float) -> torch.Tensor:
    shifted_logits, shifted_labels = logits[:, :-1].contiguous(), inputs[:, 1:].contiguous()
    losses = F.cross_entropy(shifted_logits.view(-1, logits.shape[-1]), shifted_labels.view(-1), reduction="none")
    per_context = losses.view(len(inputs), -1).mean(1)
    found = torch.stack([(inputs == token).float() for token in ids]).sum(dim=(0, 2))
    return (per_context * alpha * (1.0 + found)).mean()


def value_and_gradient(loss: Callable[..., torch.Tensor], *leaves: torch.Tensor) -> tuple[float, list[torch.Tensor]]:
    value = loss(*leaves)
    return value.item(), list(torch.autograd.grad(value, leaves))


def same_gradients(naive: tuple, ours: tuple) -> bool:
    return abs(naive[0] - ours[0]) < 1e-5 * max(1, abs(naive[0])) and all(
        torch.allclose(left, right, rtol=1e-3, atol=1e-6) for left, right in zip(naive[1], ours[1], strict=True)
    )


PEAK = """
import sys, torch
from benchmarks.bench_causal_lm import value_and_gradient, {function}
from benchmarks.harness import peak_beyond
hidden, weight, targets = (torch.load(sys.argv[1], weights_only=True)[name] for name in ("hidden", "weight", "targets"))
hidden.requires_grad_(), weight.requires_grad_()
# The first call loads kernels; the two gradients belong to the result and count for neither.
value_and_gradient(lambda h, w: {function}(h, w, targets[:64]), hidden[:64].detach().requires_grad_(), weight)
gradients = (hidden.numel() + weight.numel()) * 4 / 1e6
peak, _ = peak_beyond(lambda: value_and_gradient(lambda h, w: {function}(h, w, targets), hidden, weight))
print(max(peak - gradients, 1.0))
"""


def full_head(hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(hidden @ weight.T, targets)


def peak_megabytes(function: str, tensors: dict[str, torch.Tensor]) -> float:
    "The most memory of forward and backward beyond inputs and gradients, measured in a process of its own."
    with tempfile.TemporaryDirectory() as folder:
        torch.save(tensors, f"{folder}/tensors.pt")
        code = PEAK.format(function=function)
        command = [sys.executable, "-c", code, f"{folder}/tensors.pt"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    return float(done.stdout)


def read_once(files: Dataset) -> None:
    "Every byte of the texts, in whole words of the processor."
    for chunk in files.data.column("content").chunks:
        data = np.frombuffer(chunk.buffers()[2], np.uint8)
        data[: len(data) // 8 * 8].view(np.uint64).sum()


def tokenize_only(files: Dataset, tokenizer: PreTrainedTokenizerBase) -> None:
    "The Rust tokenizer alone, 1,000 files at a time, nothing converted."
    for batch in files.iter(batch_size=1000):
        tokenizer.backend_tokenizer.encode_batch_fast(batch["content"])


@torch.no_grad()
def three_products(hidden: torch.Tensor, weight: torch.Tensor) -> None:
    "Logits, and the gradients of states and weights: what no way of computing head and loss can leave out."
    logits = hidden @ weight.T
    logits @ weight
    logits.T @ hidden


def run() -> Iterator[Row]:
    disable_caching()
    disable_progress_bars()
    with tempfile.TemporaryDirectory() as folder:
        pile, size = make_pile(folder)
        workers = min(2, os.cpu_count() or 1)
        yield compare(
            "keyword filter, files to a Dataset",
            f"{size:.0f} MB, {len(pile):,} files",
            lambda: naive_filter(pile),
            lambda: filter_by_keywords(pile, KEYWORDS, workers=workers).to_dataset(),
            lambda naive, ours: naive["content"][:] == ours["content"][:],
            number=11,
            target=3.5,
            bound=lambda: read_once(pile),
            bound_of="reading the bytes",
            threads=workers,
        )
        found = filter_by_keywords(pile, KEYWORDS, workers=workers).to_dataset().select(range(300))
        tokenizer = train_code_tokenizer(found["content"], 8000)
        found.save_to_disk(f"{folder}/found")
        files = Dataset.load_from_disk(f"{folder}/found")
        total = sum(len(ids) + 1 for ids in tokenizer(files["content"][:], verbose=False)["input_ids"])
        notes: dict[str, Any] = {}

        def agree(naive: Dataset, ours: Dataset) -> bool:
            notes.update(kept=f"{token_share(ours, total):.3%}", naive_kept=f"{token_share(naive, total):.3%}")
            return contexts_alike(naive, ours, total)

        row = compare(
            "code to contexts",
            f"{len(files):,} files, {total:,} tokens, contexts of {SIZE}",
            lambda: naive_contexts(files, tokenizer),
            lambda: preprocess(DatasetDict(train=files), tokenizer, SIZE)["train"],
            agree,
            number=12,
            target=1.6,
            bound=lambda: tokenize_only(files, tokenizer),
            bound_of="the tokenizer",
        )
        row.notes.update(notes)
        yield row

    yield keytoken_row()
    yield from head_rows()


def keytoken_row() -> Row:
    torch.manual_seed(0)
    inputs, ids = torch.randint(VOCABULARY, (32, SIZE)), [11, 222, 3333, 44444]
    logits = torch.randn(32, SIZE, VOCABULARY).requires_grad_()
    return compare(
        "key-token loss, forward and backward",
        f"32 x {SIZE} x {VOCABULARY:,} logits",
        lambda: value_and_gradient(lambda scores: naive_weighted(inputs, scores, ids, 0.5), logits),
        lambda: value_and_gradient(lambda scores: keytoken_weighted_loss(inputs, scores, ids, 0.5), logits),
        same_gradients,
        number=13,
        target=1.6,
        bound=logits.detach().clone,
        bound_of="a copy of the logits",
    )


def head_rows() -> Iterator[Row]:
    torch.manual_seed(0)
    hidden, weight = torch.randn(32 * SIZE, 768), torch.randn(VOCABULARY, 768) / 768**0.5
    tensors = {"hidden": hidden, "weight": weight, "targets": torch.randint(VOCABULARY, (32 * SIZE,))}
    leaves, targets = (hidden.requires_grad_(), weight.requires_grad_()), tensors["targets"]
    size = f"32 x {SIZE} states of 768, vocabulary {VOCABULARY:,}"
    yield compare(
        "head and loss, forward and backward",
        size,
        lambda: value_and_gradient(partial(full_head, targets=targets), *leaves),
        lambda: value_and_gradient(partial(head_loss, targets=targets), *leaves),
        same_gradients,
        number=14,
        target=1.0,
        bound=partial(three_products, hidden.detach(), weight.detach()),
        bound_of="three matrix products",
        budget=40,
    )
    if can_measure_memory():
        peaks = [peak_megabytes(name, tensors) for name in ("full_head", "head_loss")]
        yield Row(
            "head and loss, memory beyond inputs and gradients",
            size,
            *peaks,
            target=10,
            number=14,
            unit="MB",
            notes={"measured": "in processes of their own"},
        )
