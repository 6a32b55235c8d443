"""Filter, contexts and losses of chapter 4 against the loops that a reader writes first."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from datasets import Dataset, disable_caching, disable_progress_bars
from torch.nn import functional as F
from transformers import PreTrainedTokenizerBase

from benchmarks.harness import Row, can_measure_memory, compare
from course_lib.filtering import KEYWORDS, filter_files
from course_lib.heads import head_loss, keytoken_weighted_loss
from course_lib.packing import pack_files, train_code_tokenizer
from course_lib.python_code import iter_python_files

NUMBERS = (11, 12, 13, 14)
SIZE, VOCABULARY = 128, 50_000
MEGABYTES = 280  # of Python files; what is installed, repeated until it is so much


def make_pile(folder: str) -> tuple[Dataset, float]:
    "Installed Python files as a data set on disk, in groups of 1,000 rows, and its size in MB."
    texts = [record["content"] for record in iter_python_files()]
    sizes = [len(text.encode()) for text in texts]
    often = int(MEGABYTES * 1e6 / sum(sizes)) + 1
    count = int(np.searchsorted(np.cumsum(sizes * often), MEGABYTES * 1e6)) + 1
    Dataset.from_dict({"content": (texts * often)[:count]}).save_to_disk(f"{folder}/pile")
    return Dataset.load_from_disk(f"{folder}/pile"), sum((sizes * often)[:count]) / 1e6


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


def naive_weighted(inputs: torch.Tensor, logits: torch.Tensor, ids: list[int], alpha: float) -> torch.Tensor:
    shifted_logits, shifted_labels = logits[:, :-1].contiguous(), inputs[:, 1:].contiguous()
    losses = F.cross_entropy(shifted_logits.view(-1, logits.shape[-1]), shifted_labels.view(-1), reduction="none")
    found = torch.stack([(inputs == token).float() for token in ids]).sum(dim=(0, 2))
    return (losses.view(len(inputs), -1).mean(1) * alpha * (1.0 + found)).mean()


def full_head(hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(hidden @ weight.T, targets)


def our_head(hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return head_loss(hidden, weight, targets, torch.full((len(targets),), 1 / len(targets)))


def value_and_gradient(loss: Callable[..., torch.Tensor], *leaves: torch.Tensor) -> tuple[float, list[torch.Tensor]]:
    value = loss(*leaves)
    return value.item(), list(torch.autograd.grad(value, leaves))


def same_gradients(naive: tuple, ours: tuple) -> bool:
    return abs(naive[0] - ours[0]) < 1e-5 * max(1, abs(naive[0])) and all(
        torch.allclose(left, right, rtol=1e-3, atol=1e-6) for left, right in zip(naive[1], ours[1], strict=True)
    )


PEAK = """
import sys, torch
from benchmarks.bench_causal_lm import head_tensors, value_and_gradient, {function}
from benchmarks.harness import peak_beyond
hidden, weight, targets = head_tensors()
# The first call loads kernels; the two gradients belong to the result and count for neither.
value_and_gradient(lambda h, w: {function}(h, w, targets[:64]), hidden[:64].detach().requires_grad_(), weight)
gradients = (hidden.numel() + weight.numel()) * 4 / 1e6
peak, _ = peak_beyond(lambda: value_and_gradient(lambda h, w: {function}(h, w, targets), hidden, weight))
print(max(peak - gradients, 1.0))
"""


def head_tensors() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    "Hidden states, output matrix and targets."
    torch.manual_seed(0)
    hidden, weight = torch.randn(32 * SIZE, 768), torch.randn(VOCABULARY, 768) / 768**0.5
    return hidden.requires_grad_(), weight.requires_grad_(), torch.randint(VOCABULARY, (32 * SIZE,))


def peak_megabytes(function: str) -> float:
    "The most memory of forward and backward beyond inputs and gradients, measured in a process of its own."
    command = [sys.executable, "-c", PEAK.format(function=function)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ).stdout)


def run() -> Iterator[Row]:
    disable_caching()
    disable_progress_bars()
    with tempfile.TemporaryDirectory() as folder:
        pile, size = make_pile(folder)
        yield compare(
            "keyword filter, files to a Dataset",
            f"{size:.0f} MB, {len(pile):,} files",
            lambda: naive_filter(pile),
            lambda: filter_files(pile, KEYWORDS),
            lambda naive, ours: naive["content"][:] == ours["content"][:],
            number=11,
            target=3.5,
            threads=os.cpu_count(),
        )
        filter_files(pile, KEYWORDS).select(range(300)).save_to_disk(f"{folder}/found")
        files = Dataset.load_from_disk(f"{folder}/found")
        tokenizer = train_code_tokenizer(files["content"], 8000)
        total = sum(len(ids) + 1 for ids in tokenizer(files["content"][:], verbose=False)["input_ids"])
        row = compare(
            "code to contexts",
            f"{len(files):,} files, {total:,} tokens, contexts of {SIZE}",
            lambda: naive_contexts(files, tokenizer),
            lambda: pack_files(files, tokenizer, SIZE),
            # Every token but those of the last partial context; the first file's contexts are the same.
            lambda naive, ours: len(ours) * SIZE >= 0.999 * total and naive[0]["input_ids"] == ours[0]["input_ids"],
            number=12,
            target=1.5,
        )
        row.notes["kept"] = f"{total // SIZE * SIZE / total:.3%}"
        yield row

    yield keytoken_row()
    hidden, weight, targets = head_tensors()
    size = f"32 x {SIZE} states of 768, vocabulary {VOCABULARY:,}"
    yield compare(
        "head and loss, forward and backward",
        size,
        lambda: value_and_gradient(partial(full_head, targets=targets), hidden, weight),
        lambda: value_and_gradient(partial(our_head, targets=targets), hidden, weight),
        same_gradients,
        number=14,
        target=1.0,
        rounds=2,
    )
    if can_measure_memory():
        peaks = [peak_megabytes(name) for name in ("full_head", "our_head")]
        yield Row("head and loss, memory beyond inputs and gradients", size, *peaks, target=10, number=14, unit="MB")


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
        target=2.0,
    )
