"""What `mini/causal` knows: loss on held-out code, and whether what it writes after fixed prompts is Python.

    python -m recipes.causal.check --model course_lib/mini/causal --work work
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2LMHeadModel

from course_lib.causal_lm import CodeCompleter

from .prompts import PROMPTS, parses
from .train import Plan, new_model, token_losses


def loss_of(model: GPT2LMHeadModel, path: Path, rows: int = 400) -> dict[str, float]:
    """Loss on held-out text in windows of the context, evenly spaced: nats for a token, perplexities, bits for a byte."""
    arrays = np.load(path)
    ids, width = arrays["ids"].astype(np.int64), model.config.n_positions + 1
    starts = np.unique(np.linspace(0, len(ids) - width, min(rows, len(ids) // width)).astype(int))
    windows = torch.from_numpy(np.stack([ids[s : s + width] for s in starts]))
    with torch.no_grad():
        nats = float(torch.cat([token_losses(model, part).mean(1) for part in windows.split(8)]).mean())
    per_byte = nats * len(ids) / float(arrays["bytes"])
    return {
        "tokens": windows[:, 1:].numel(),
        "nats": round(nats, 4),
        "perplexity": round(math.exp(nats), 2),
        "perplexity_per_byte": round(math.exp(per_byte), 4),
        "bits_per_byte": round(per_byte / math.log(2), 4),
    }


def evaluate(folder: Path, work: Path, plan: Plan) -> None:
    """Print held-out losses beside those of the untrained model, and what becomes of the prompts."""
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    for name in ("heldout-file", "heldout-script"):
        print(name, loss_of(model, work / f"tokens-{name}.npz"), flush=True)
    untrained = loss_of(new_model(plan).eval(), work / "tokens-heldout-file.npz", rows=40)
    print("untrained", untrained, f"ln(vocabulary) {math.log(plan.vocab_size):.4f}", flush=True)
    complete, results = CodeCompleter(model, tokenizer), {}
    for sample in (False, True):
        results[sample] = [(p, c, parses(p, c)) for p in PROMPTS for c in [complete(p, sample=sample)]]
        share = np.mean([ok for *_, ok in results[sample]])
        print(f"{'sampled' if sample else 'greedy'}: {share:.0%} of {len(PROMPTS)} parse", flush=True)
    (work / "completions.json").write_text(json.dumps({"greedy": results[False], "sampled": results[True]}, indent=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="the folder to load")
    parser.add_argument("--work", type=Path, required=True, help="the folder in which it was made")
    args = parser.parse_args()
    evaluate(args.model, args.work, Plan())


if __name__ == "__main__":
    main()
