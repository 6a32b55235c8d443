"""What the three recipes share: the optimizer, the schedule, and a loop that survives being killed."""
from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn


class Optimizer:
    """Muon for the matrices of the layers, AdamW for everything else; one factor scales both.

    Muon (Jordan et al., 2024) makes every update of a matrix equally strong in all directions."""

    def __init__(self, model: nn.Module, inner: str, rate: float, matrix_rate: float) -> None:
        """`inner` is the part of a parameter's name that marks the layers."""
        named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
        matrices = [p for name, p in named if p.ndim == 2 and inner in name]
        tables = [p for name, p in named if p.ndim == 2 and inner not in name]
        vectors = [p for _, p in named if p.ndim == 1]
        groups = [{"params": tables, "weight_decay": 0.02}, {"params": vectors, "weight_decay": 0.0}]
        self.parts = [
            torch.optim.Muon(matrices, lr=matrix_rate, weight_decay=0.02, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), eps=1e-6, fused=True),
        ]
        self.peaks = [[group["lr"] for group in part.param_groups] for part in self.parts]

    def scale(self, factor: float) -> None:
        for part, peaks in zip(self.parts, self.peaks, strict=True):
            for group, peak in zip(part.param_groups, peaks, strict=True):
                group["lr"] = peak * factor

    def step(self) -> None:
        for part in self.parts:
            part.step()
            part.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict]:
        return [part.state_dict() for part in self.parts]

    def load_state_dict(self, states: list[dict]) -> None:
        for part, state in zip(self.parts, states, strict=True):
            part.load_state_dict(state)


def warm_up_and_decay(step: int, steps: int, warmup: int, decay: float) -> float:
    """Warm-up, constant, then linear to zero: before the decay the run can still be made longer or shorter."""
    return min(1.0, (step + 1) / warmup, (steps - step) / max(1.0, decay * steps))


def save(work: Path, model: nn.Module, optimizer: Optimizer, **counts: float) -> None:
    """Write `checkpoint.pt` beside its place first; `counts` are step, seconds and tokens."""
    part = work / "checkpoint.part"
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), **counts}, part)
    os.replace(part, work / "checkpoint.pt")


def resume(work: Path, model: nn.Module, optimizer: Optimizer) -> tuple[int, float, int]:
    """Step, seconds and tokens of `checkpoint.pt`, after its state was put back; zeros where there is none.

    What was logged after the checkpoint is dropped: it will be logged again."""
    step, seconds, tokens, checkpoint, log = 0, 0.0, 0, work / "checkpoint.pt", work / "log.jsonl"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        step, seconds, tokens = state["step"], state["seconds"], state["tokens"]
    rows = [line for line in log.read_text().splitlines() if json.loads(line)["step"] <= step] if log.exists() else []
    log.write_text("".join(row + "\n" for row in rows))
    return step, seconds, tokens


def save_folder(model, tokenizer, out: Path, weights: dict[str, torch.Tensor] | None = None) -> None:
    """Write a Transformers folder beside its place first, then move the files; `weights` replace the model's own."""
    fresh = out.with_name(out.name + ".new")
    model.save_pretrained(fresh, state_dict=weights)
    tokenizer.save_pretrained(fresh)
    # The name that both transformers 4 and 5 know.
    settings = json.loads((fresh / "tokenizer_config.json").read_text()) | {"tokenizer_class": "PreTrainedTokenizerFast"}
    settings.pop("backend", None)
    (fresh / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(fresh.iterdir()):
        path.chmod(0o644)
        os.replace(path, out / path.name)
    fresh.rmdir()


def run(
    work: Path,
    model: nn.Module,
    optimizer: Optimizer,
    factor: Callable[[int], float],     # step -> share of the peak rates
    losses: Callable[[int], tuple[torch.Tensor, dict[str, float], int]],    # step -> loss, what to log, tokens seen
    steps: int,
    save_every: int = 250,
    log_every: int = 10,
) -> None:
    """Train to `steps`, from `checkpoint.pt` in `work` if there is one; means over `log_every` steps go to `log.jsonl`.

    A step must depend on nothing but its number and the weights: then a run that was killed goes on as if it had not been."""
    first, seconds, tokens = resume(work, model, optimizer)
    seen: dict[str, list[float]] = defaultdict(list)
    began = time.monotonic() - seconds
    for step in range(first, steps):
        optimizer.scale(factor(step))
        loss, values, count = losses(step)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        tokens += count
        for name, value in values.items():
            seen[name].append(value)
        if (step + 1) % log_every == 0:
            row = {"step": step + 1, "seconds": round(time.monotonic() - began, 1), "tokens": tokens}
            row |= {name: round(float(np.mean(values)), 4) for name, values in sorted(seen.items())}
            with (work / "log.jsonl").open("a") as log:
                log.write(json.dumps(row) + "\n")
            seen.clear()
        if (step + 1) % save_every == 0 or step + 1 == steps:
            save(work, model, optimizer, step=step + 1, seconds=time.monotonic() - began, tokens=tokens)


def plot(log: Path, out: Path, panels: dict[str, list[str]]) -> None:
    """The curves of a log, smoothed: a panel for each label of a y-axis, with these columns."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = [json.loads(line) for line in log.read_text().splitlines()]
    figure, axes = plt.subplots(1, len(panels), figsize=(3 + 3 * len(panels), 3), squeeze=False)
    for ax, (label, names) in zip(axes[0], panels.items(), strict=True):
        for name in names:
            points = np.array([(row["step"], row[name]) for row in rows if name in row])
            width = max(1, len(points) // 150)
            smooth = points[: len(points) // width * width].reshape(-1, width, 2).mean(1)
            ax.plot(*smooth.T, label=name, linewidth=1)
        ax.set(xlabel="step", ylabel=label)
        ax.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(out, dpi=75)
