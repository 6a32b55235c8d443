"""The 124-million-parameter GPT-2 of chapter 4's profile `full`: does it start right, and how fast is it?

    python -m benchmarks.full_size_causal --steps 20 --context 64 --batch 2              # anywhere
    python -m benchmarks.full_size_causal --steps 30 --context 1024 --batch 16 --compile  # on a GPU: also with torch.compile

Random tokens: neither the loss at the start nor the speed depends on the text.
"""

import json
import math
import time
from contextlib import nullcontext
from typing import Annotated, Any

import torch
import typer

from course_lib.causal_lm import SETTINGS, chunked_head, count_parameters, gpt2_config, parameter_groups
from course_lib.results import peak_memory_mb

# Dense bfloat16 products, 10^12 floating-point operations a second, by a part of the device's name: data sheets.
PEAK_TERAFLOPS = {"H200": 989, "H100": 989, "A100": 312, "L4": 121, "T4": 65}


def flops_per_token(parameters: dict[str, int], layers: int, width: int, context: int) -> float:
    "Of forward and backward: six for each number that is multiplied, and attention's own products."
    multiplied = sum(parameters[name] for name in ("tokens", "attention", "feed-forward"))
    return 6 * multiplied + 12 * layers * width * context


def measure(
    *,
    steps: int = 20,
    context: int = 128,
    batch: int = 4,
    accumulation: int = 8,
    compiled: bool = False,
    chunked: bool = True,  # the course's head; else full logits
    seed: int = 0,
) -> dict[str, Any]:
    "Parameters, untrained loss, losses of the steps, tokens per second, memory, share of the arithmetic (on known GPUs)."
    from transformers import GPT2LMHeadModel, set_seed

    full, device = SETTINGS["full"], "cuda" if torch.cuda.is_available() else "cpu"
    set_seed(seed)
    config = gpt2_config(
        full.vocab_size, positions=full.positions, layers=full.layers, width=full.width, heads=full.heads
    )
    model = GPT2LMHeadModel(config).to(device)
    optimizer = torch.optim.AdamW(parameter_groups(model, full.weight_decay), lr=full.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / full.warmup))
    generator = torch.Generator().manual_seed(seed)
    half = torch.autocast(device, torch.bfloat16) if device == "cuda" else nullcontext()
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    call = torch.compile(model) if compiled else model
    losses, norms, seconds = [], [], []
    with chunked_head(model) if chunked else nullcontext():
        for _ in range(steps):
            started, total = time.perf_counter(), 0.0
            for _ in range(accumulation):
                ids = torch.randint(full.vocab_size, (batch, context), generator=generator).to(device)
                with half:
                    loss = call(input_ids=ids, labels=ids).loss / accumulation
                loss.backward()
                total += loss.detach()
            norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0))
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            losses.append(float(total))  # waits for the device
            seconds.append(time.perf_counter() - started)
    warm = sorted(seconds[min(5, steps // 4) :])
    speed = batch * context * accumulation / warm[len(warm) // 2]
    name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    peak = next((value for key, value in PEAK_TERAFLOPS.items() if key in name), None)
    work = flops_per_token(count_parameters(config), config.n_layer, config.n_embd, context)
    return {
        "device": name,
        "parameters": model.num_parameters(),
        "untrained loss": round(losses[0], 4),
        "above ln(vocabulary)": f"{losses[0] / math.log(full.vocab_size) - 1:.2%}",
        "steps": steps,
        "accumulation": accumulation,
        "tokens a step": batch * context * accumulation,
        "last loss": round(losses[-1], 4),
        "largest gradient norm": round(float(max(norms)), 3),
        "compiled": compiled,
        "chunked head": chunked,
        "tokens per second": round(speed),
        "memory, MB": round(torch.cuda.max_memory_allocated() / 1e6 if device == "cuda" else peak_memory_mb()),
        "model FLOP utilisation": f"{speed * work / (peak * 1e12):.1%}" if peak else "unknown device",
    }


def main(
    steps: int = 20,
    context: int = 128,
    batch: int = 4,
    accumulation: int = 8,
    compiled: Annotated[bool, typer.Option("--compile", help="also measure with torch.compile")] = False,
    full_logits: Annotated[bool, typer.Option(help="also measure with the library's own head and loss")] = False,
) -> None:
    "Print one JSON object per measurement."
    variants: list[dict[str, bool]] = [{}]
    variants += [{"chunked": False}] * full_logits
    variants += [
        {"compiled": True, "chunked": chunked} for chunked in ((True, False) if full_logits else (True,))
    ] * compiled
    for variant in variants:
        row = measure(steps=steps, context=context, batch=batch, accumulation=accumulation, **variant)
        print(json.dumps(row, indent=1))


if __name__ == "__main__":
    typer.run(main)
