"""Pre-train `mini/causal`, a small GPT-2 for Python code, on what is installed.

    python -m recipes.causal.text  --out work/code.jsonl      # the text, see README.md
    python -m recipes.causal.train prepare --work work        # tokenizer and token arrays
    python -m recipes.causal.train train   --work work --steps 3200
    python -m recipes.causal.train export  --work work --out course_lib/mini/causal
    python -m recipes.causal.check --work work --model course_lib/mini/causal

Training can be killed at any time and goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.nn import functional as F
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from recipes.training import Optimizer, plot, run, save_folder, warm_up_and_decay

from .text import SCIENCE

END = "<|endoftext|>"
SOURCES = ["general", "science", "script"]
# More is not needed for one run; documents come shuffled.
CHARACTERS = {"general": 12_000_000, "science": 14_000_000, "script": 10_000_000}
# A line break with the indentation after it; names with their underscores; up to three digits; signs; other blanks.
PIECES = r"\n[\n ]*| ?[\p{L}_]+|\p{N}{1,3}| ?[^\s\p{L}\p{N}_]+| +(?!\S)|\s"


@dataclass(frozen=True)
class Plan:
    """Everything that decides the run."""

    vocab_size: int = 6400
    hidden: int = 192
    layers: int = 4
    heads: int = 3
    context: int = 256
    mix: tuple = (2, 3, 3)  # rows of each source in a step ...
    last_mix: tuple = (2, 2, 4)  # ... and while the rates fall
    learning_rate: float = 2e-3  # of tables and vectors (AdamW)
    matrix_learning_rate: float = 5e-3  # of the layers' matrices (Muon)
    warmup: int = 150
    decay: float = 0.68  # last share of the steps, in which the learning rates fall to zero
    split_breaks: float = 0.06  # share of line breaks cut off from their indentation, as a prompt's end does it
    seed: int = 0


# -- prepare: tokenizer and token arrays ---------------------------------------------------------------------------


def source_of(row: dict) -> str:
    """Which of SOURCES a document belongs to."""
    if row["package"] not in SCIENCE:
        return "general"
    return "script" if row["kind"] == "script" else "science"


def train_tokenizer(texts: Iterator[str], vocab_size: int) -> Tokenizer:
    """Byte-level BPE: any text round-trips, and an indented line break is one token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(PIECES), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def split_breaks(
    ids: np.ndarray, starts: np.ndarray, tokenizer: Tokenizer, share: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Some of the tokens `\\n    ` written as two, `\\n` and the blanks; ids and document starts after that."""
    blanks = np.zeros(tokenizer.get_vocab_size(), np.int64)
    for token, number in tokenizer.get_vocab().items():
        text = tokenizer.decoder.decode([token])
        if text[:1] == "\n" and text[1:] and not text[1:].strip(" "):
            rest = tokenizer.token_to_id("Ġ" * (len(text) - 1))
            blanks[number] = rest or 0
    chosen = (blanks[ids] > 0) & (rng.random(len(ids)) < share)
    at = np.cumsum(1 + chosen) - 1  # where the last token of each now stands
    out = np.zeros(len(ids) + int(chosen.sum()), np.int64)
    out[at] = np.where(chosen, blanks[ids], ids)
    out[at[chosen] - 1] = tokenizer.token_to_id("Ċ")
    return out, np.concatenate([[0], np.cumsum(1 + chosen)])[starts]


def prepare(work: Path, plan: Plan) -> None:
    """Write tokenizer.json and one npz of token ids and document starts for each source, and for held-out modules."""
    groups: dict[str, list[str]] = defaultdict(list)
    with (work / "code.jsonl").open(encoding="utf-8") as file:
        for row in map(json.loads, file):
            groups["heldout-" + row["kind"] if row["held_out"] else source_of(row)].append(row["text"])
    # A fifth of the modules is enough to count pairs; the scripts all count.
    sample = [*groups["script"], *groups["science"][::5], *groups["general"][::8]]
    if not (work / "tokenizer.json").exists():
        train_tokenizer(iter(sample), plan.vocab_size).save(str(work / "tokenizer.json"), pretty=False)
    tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
    end = tokenizer.token_to_id(END)
    rng = np.random.default_rng(plan.seed)
    for name, texts in sorted(groups.items()):
        texts = texts[: int(np.searchsorted(np.cumsum([len(t) for t in texts]), CHARACTERS.get(name, 2_000_000)))]
        rows = []
        for begin in range(0, len(texts), 1000):
            rows += [[*e.ids, end] for e in tokenizer.encode_batch_fast(texts[begin : begin + 1000])]
        ids = np.concatenate([np.array(row, np.int64) for row in rows])
        starts = np.cumsum([0, *map(len, rows)])
        if not name.startswith("heldout"):
            ids, starts = split_breaks(ids, starts, tokenizer, plan.split_breaks, rng)
        size = sum(len(t.encode()) for t in texts)
        np.savez(work / f"tokens-{name}.npz", ids=ids.astype(np.uint16), starts=starts, bytes=size)
        print(f"{name:15s} {len(texts):7,} documents {size:12,} bytes {len(ids):11,} tokens", flush=True)


# -- batches -------------------------------------------------------------------------------------------------------


class Source:
    """Rows of a fixed length, packed from shuffled documents, without end: each epoch is shuffled and packed anew.

    A row begins with a document or with the rest of a long one; a rest shorter than half a row is dropped, so most rows
    begin as a prompt does. Row `i` depends only on the seed and `i`."""

    def __init__(self, path: Path, length: int, seed: int) -> None:
        arrays = np.load(path)
        self.ids, self.starts = arrays["ids"].astype(np.int64), arrays["starts"]
        self.length, self.seed = length, seed
        self.epoch, self.first, self.rows = -1, 0, []

    def pack(self, epoch: int) -> list[list[tuple[int, int]]]:
        """The rows of an epoch as lists of (start, end) in `ids`."""
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.starts) - 1)
        rows, row, room = [], [], self.length
        for document in order.tolist():
            start, end = int(self.starts[document]), int(self.starts[document + 1])
            while start < end:
                stop = min(end, start + room)
                row.append((start, stop))
                room -= stop - start
                start = stop
                if room == 0:
                    rows.append(row)
                    row, room = [], self.length
                    if end - start < self.length // 2:
                        break
        return rows

    def row(self, i: int) -> np.ndarray:
        """Row `i`, int64 of shape (length,). Rows must be asked for in rising order."""
        while i >= self.first + len(self.rows):
            self.first += len(self.rows)
            self.epoch += 1
            self.rows = self.pack(self.epoch)
        return np.concatenate([self.ids[a:b] for a, b in self.rows[i - self.first]])


class Batches:
    """The rows of every step."""

    def __init__(self, work: Path, plan: Plan, steps: int) -> None:
        self.plan, self.turn = plan, steps - int(plan.decay * steps)
        self.sources = [
            Source(work / f"tokens-{n}.npz", plan.context + 1, plan.seed + k) for k, n in enumerate(SOURCES)
        ]

    def step(self, step: int) -> tuple[torch.Tensor, list[int]]:
        """Token ids, int64 (rows, context + 1), and how many rows came from each source."""
        early, late = min(step, self.turn), max(0, step - self.turn)
        mix = self.plan.mix if step < self.turn else self.plan.last_mix
        rows = []
        for source, before, after, count in zip(self.sources, self.plan.mix, self.plan.last_mix, mix, strict=True):
            begin = early * before + late * after
            rows += [source.row(begin + k) for k in range(count)]
        return torch.from_numpy(np.stack(rows)), list(mix)


# -- model and training --------------------------------------------------------------------------------------------


def new_model(plan: Plan) -> GPT2LMHeadModel:
    """GPT-2 without dropout; positions start as waves, queries start equal to keys.

    So attention starts on neighbours and on equal tokens (compare Trockman and Kolter, "Mimetic initialization of
    self-attention layers", 2023), which saves a small run the time to find that."""
    torch.manual_seed(plan.seed)
    config = GPT2Config(
        vocab_size=plan.vocab_size,
        n_positions=plan.context,
        n_embd=plan.hidden,
        n_layer=plan.layers,
        n_head=plan.heads,
        activation_function="gelu_pytorch_tanh",
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=0,
        eos_token_id=0,
    )
    # Eager attention: torch's fused kernel is slow backwards in bfloat16 on a CPU.
    config._attn_implementation = "eager"
    model = GPT2LMHeadModel(config)
    with torch.no_grad():
        table = model.transformer.wpe.weight
        places = torch.arange(plan.context)[:, None]
        rates = torch.exp(torch.arange(0, plan.hidden, 2) * (-math.log(10_000.0) / plan.hidden))
        table[:, 0::2], table[:, 1::2] = 0.01 * torch.sin(places * rates), 0.01 * torch.cos(places * rates)
        for block in model.transformer.h:
            weight = block.attn.c_attn.weight
            weight[:, : plan.hidden] *= 1.5
            weight[:, plan.hidden : 2 * plan.hidden] = weight[:, : plan.hidden]
    return model


def token_losses(model: GPT2LMHeadModel, ids: torch.Tensor) -> torch.Tensor:
    """Cross-entropy in nats of every token after the first: ids (rows, n + 1) -> float32 (rows, n)."""
    hidden = model.transformer(ids[:, :-1], use_cache=False).last_hidden_state
    logits = F.linear(hidden, model.lm_head.weight).float()
    return F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none").view(len(ids), -1)


def train(work: Path, plan: Plan, steps: int) -> None:
    """Train to `steps`, from the checkpoint in `work` if there is one."""
    torch.set_num_threads(1)
    model, batches = new_model(plan), Batches(work, plan, steps)

    def losses(step: int) -> tuple[torch.Tensor, dict[str, float], int]:
        ids, mix = batches.step(step)
        with torch.autocast("cpu", torch.bfloat16):
            each = token_losses(model, ids)
        parts = each.detach().split(mix)
        return each.mean(), {n: p.mean().item() for n, p in zip(SOURCES, parts, strict=True)}, each.numel()

    optimizer = Optimizer(model, ".h.", plan.learning_rate, plan.matrix_learning_rate)
    factor = lambda step: warm_up_and_decay(step, steps, plan.warmup, plan.decay)
    run(work, model, optimizer, factor, losses, steps)


# -- export --------------------------------------------------------------------------------------------------------


def export(work: Path, out: Path, plan: Plan) -> None:
    """Write the checkpoint as a Transformers folder in float16: each file beside its place first, then renamed."""
    model = new_model(plan)
    model.load_state_dict(torch.load(work / "checkpoint.pt", weights_only=True)["model"])
    model = model.half()
    # Fine-tuning starts from a model that was trained without dropout; a new head starts near zero.
    model.config._attn_implementation = None
    model.generation_config.pad_token_id = 0
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_file(str(work / "tokenizer.json")),
        model_max_length=plan.context,
        bos_token=END,
        eos_token=END,
        unk_token=END,
        pad_token=END,
        model_input_names=["input_ids", "attention_mask"],
        clean_up_tokenization_spaces=False,
    )
    save_folder(model, tokenizer, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["prepare", "train", "export", "plot"])
    parser.add_argument("--work", type=Path, required=True, help="folder with code.jsonl; everything made lies there")
    parser.add_argument("--steps", type=int, default=3200, help="train: up to this step")
    parser.add_argument(
        "--decay", type=float, default=Plan.decay, help="train: last share of the steps, with falling rates"
    )
    parser.add_argument("--out", type=Path, help="export, plot: where to write")
    args = parser.parse_args()
    plan = replace(Plan(), decay=args.decay)
    if args.action == "prepare":
        prepare(args.work, plan)
    elif args.action == "train":
        train(args.work, plan, args.steps)
    elif args.action == "export":
        export(args.work, args.out, plan)
    else:
        plot(args.work / "log.jsonl", args.out, {"nats per token": SOURCES})


if __name__ == "__main__":
    main()
