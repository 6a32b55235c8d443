"""Train `mini/seq2seq`, a small Marian-type English-French model, on software messages.

    python -m recipes.seq2seq.text  --out work/pairs.jsonl ...   # the text, see README.md
    python -m recipes.seq2seq.train prepare --work work          # tokenizer, token arrays, word alignments
    python -m recipes.seq2seq.train train   --work work --steps 6000
    python -m recipes.seq2seq.train export  --work work --out course_lib/mini/seq2seq
    python -m recipes.seq2seq.check --work work --model course_lib/mini/seq2seq
    python -m recipes.seq2seq.train plot    --work work --out recipes/seq2seq/loss.png

Left alone, so small a model learns to write French and ignores the source. So a few of its cross-attention heads are
told where to look, by word alignments that `alignment.py` computes (as in Chen et al., 2016, and Garg et al., 2019).
Training can be killed at any time and goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import GenerationConfig, PreTrainedTokenizerFast

from recipes.training import Optimizer, plot, resume, save, save_folder

from .model import EOS, MOST_TOKENS, PAD, Corpus, Plan, Translator, prepare


def rate(plan: Plan, step: int, left: float) -> float:
    """Warm-up, constant, then linear to zero, while `left`, the share of the run that is to come, falls below `decay`.

    Until then the run can still be made longer or shorter.
    """
    return min(1.0, (step + 1) / plan.warmup, left / plan.decay)


def guide_weight(plan: Plan, step: int) -> float:
    share = min(1.0, step / plan.guide_steps)
    return plan.guide_weight + share * (plan.guide_weight_end - plan.guide_weight)


def train(
    work: Path,
    plan: Plan,
    steps: int,
    limit: float | None = None,
    save_every: int = 50,
    log_every: int = 10,
    stop: int | None = None,
) -> None:
    """Train to `steps`, or for `limit` seconds, from the checkpoint in `work` if there is one.

    Every step draws from its own seed. Time spent before the checkpoint counts; only the decay follows the clock.
    """
    torch.set_num_threads(1)
    torch.manual_seed(plan.seed)
    corpus, model = Corpus(work, plan), Translator(plan)
    model.train()
    optimizer = Optimizer(model, "layers", plan.learning_rate, plan.matrix_learning_rate)
    for group in optimizer.parts[1].param_groups:
        group["eps"] = 1e-8  # the table's rare rows have tiny gradients
    first, seconds, tokens = resume(work, model, optimizer)
    sums: dict[str, list[float]] = defaultdict(list)
    began = time.monotonic() - seconds
    done = first
    for step in range(first, min(steps, stop or steps)):
        torch.manual_seed(plan.seed * 1_000_003 + step)  # of dropout
        left = (1 - (time.monotonic() - began) / limit) if limit else (steps - step) / steps
        if left <= 0:
            break
        factor = rate(plan, step, left)
        optimizer.scale(factor)
        batch = corpus.batch(step)
        with torch.autocast("cpu", torch.bfloat16):
            losses = model(batch)
        guides = [loss for name, loss in losses.items() if name.startswith("guide")]
        (losses["smoothed"] + guide_weight(plan, step) * sum(guides)).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        tokens += int((batch["labels"] >= 0).sum()) + int((batch["source"] != PAD).sum())
        for name, loss in losses.items():
            sums[name].append(loss.item())
        done = step + 1
        if done % log_every == 0:
            row = {
                "step": done,
                "pass": corpus.rows_of(step)[0],
                "seconds": round(time.monotonic() - began, 1),
                "tokens": tokens,
                "rate": round(factor, 4),
            } | {name: round(float(np.mean(values)), 4) for name, values in sums.items()}
            with (work / "log.jsonl").open("a") as log:
                log.write(json.dumps(row) + "\n")
            sums.clear()
        if done % save_every == 0:
            save(work, model, optimizer, step=done, seconds=time.monotonic() - began, tokens=tokens)
    save(work, model, optimizer, step=done, seconds=time.monotonic() - began, tokens=tokens)


def export(work: Path, out: Path) -> None:
    """Write the checkpoint as a Transformers folder in float16, beside its place first, then file by file in renames."""
    trained = Translator(Plan())
    trained.load_state_dict(torch.load(work / "checkpoint.pt", weights_only=True)["model"])
    model = trained.model
    model.final_logits_bias.copy_(trained.bias.detach()[None])
    model = model.half()
    model.config._attn_implementation = None
    model.generation_config = GenerationConfig(
        max_length=MOST_TOKENS,
        num_beams=1,
        decoder_start_token_id=PAD,
        pad_token_id=PAD,
        eos_token_id=EOS,
        bad_words_ids=[[PAD]],
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_file(str(work / "tokenizer.json")),
        model_max_length=Plan.positions,
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
    )
    save_folder(model, tokenizer, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["prepare", "train", "export", "plot"])
    parser.add_argument("--work", type=Path, required=True, help="folder with pairs.jsonl; everything made lies there")
    parser.add_argument("--steps", type=int, default=6000, help="train: up to this step")
    parser.add_argument("--seconds", type=float, help="train: no longer than this; the decay then follows the clock")
    parser.add_argument("--stop", type=int, help="train: stop at this step as if killed, for a trial")
    parser.add_argument(
        "--decay", type=float, default=Plan.decay, help="train: last share of the steps, with falling rates"
    )
    parser.add_argument("--out", type=Path, help="export, plot: where to write")
    args = parser.parse_args()
    if args.action == "prepare":
        prepare(args.work, Plan())
    elif args.action == "train":
        train(args.work, replace(Plan(), decay=args.decay), args.steps, args.seconds, stop=args.stop)
    elif args.action == "export":
        export(args.work, args.out)
    else:
        panels = {"nats": ["nll"], "": ["guide0.0", "guide0.1", "guide1.0"]}
        plot(args.work / "log.jsonl", args.out, panels)


if __name__ == "__main__":
    main()
