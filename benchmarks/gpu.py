"""Chapters 1 and 4 at real size in half precision: the plain loop, `Trainer` and ours, on the same tokens, one after another.

    python -m benchmarks.gpu --json _build/bench/gpu.json   # on a GPU
    python -m benchmarks.gpu --compile                      # ours with torch.compile as well
    python -m benchmarks.gpu --tiny                         # anywhere, in seconds: does the script run?

Weights and tokens are random: speed and memory do not depend on them. A model that starts right has a first loss near
the logarithm of its vocabulary (chapter 4) or of its labels (chapter 1).
"""

import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from benchmarks.harness import device_name, machine, markdown
from course_lib.profiles import CourseError, go_offline, prepare_process
from course_lib.results import write_atomically

WAYS = ("plain", "trainer", "ours", "compiled")
COLUMNS = ("chapter", "way", "tokens/s", "against plain", "padding", "peak MB", "FLOP utilisation", "loss")
# Dense bfloat16 products, 10^12 floating-point operations a second, by a part of the device's name: data sheets.
PEAK_TERAFLOPS = {"H200": 989, "H100": 989, "A100": 312, "L4": 121, "T4": 65}


@dataclass(frozen=True)
class Task:
    "What is trained, and on how much."

    chapter: int
    model: Callable[[], Any]  # new, with the same random weights in every call
    data: Any  # a Dataset with input_ids and what the collator needs
    collate: Callable[[list[dict[str, Any]]], dict[str, torch.Tensor]]
    batch_size: int
    learning_rate: float
    blocks: Callable[[Any], Any]  # the model's layers
    chunked: bool = False  # ours uses the head that never holds all logits


@dataclass
class Speed:
    "One line of the table."

    chapter: int
    way: str
    tokens_per_second: float  # without padding
    padding: float  # share of the places
    peak_mb: float | None  # of the GPU's memory; None on a CPU
    flop_utilisation: float | None  # of the GPU's dense bfloat16 products; None on an unknown device
    losses: tuple[float, float]  # the first and the last that the way tells


def on_gpu() -> bool:
    return torch.cuda.is_available()


def pairs_task(tiny: bool, examples: int, attention: str) -> Task:
    "Chapter 1: BERT base, pairs as long as those of MRPC."
    import numpy as np
    from datasets import Dataset
    from torch.nn.utils.rnn import pad_sequence
    from transformers import BertConfig, BertForSequenceClassification

    from benchmarks.bench_training_loop import pair_lengths

    shape = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 128}
    config = BertConfig(vocab_size=28_996, **(shape if tiny else {}))
    config._attn_implementation = attention
    dice, lengths = np.random.default_rng(0), pair_lengths(examples)
    rows = [dice.integers(1000, config.vocab_size, length).tolist() for length in lengths]
    labels = dice.integers(2, size=examples).tolist()
    data = Dataset.from_dict({"input_ids": rows, "attention_mask": [[1] * len(row) for row in rows], "labels": labels})

    def collate(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        columns = {name: [torch.tensor(row[name]) for row in rows] for name in ("input_ids", "attention_mask")}
        padded = {name: pad_sequence(values, batch_first=True) for name, values in columns.items()}
        return padded | {"labels": torch.tensor([row["labels"] for row in rows])}

    def model() -> Any:
        torch.manual_seed(0)
        return BertForSequenceClassification(config)

    return Task(1, model, data, collate, 4 if tiny else 32, 2e-5, lambda model: model.bert.encoder.layer)


def code_task(tiny: bool, examples: int, attention: str) -> Task:
    "Chapter 4: GPT-2 with 124 million parameters, contexts of 1,024 tokens."
    import numpy as np
    from datasets import Dataset

    from course_lib.causal_lm import SETTINGS, collate_contexts, new_model

    full, context = SETTINGS["full"], 32 if tiny else 1024
    small = {"layers": 2, "width": 64, "heads": 2, "vocab_size": 1000} if tiny else {}
    settings = replace(full, context_length=context, positions=context, **small)
    ids = np.random.default_rng(0).integers(settings.vocab_size, size=(examples, context), dtype=np.int32)

    def model() -> Any:
        made = new_model(settings, settings.vocab_size)
        made.set_attn_implementation(attention)
        return made

    data = Dataset.from_dict({"input_ids": list(ids)})
    batch = 2 if tiny else 16
    return Task(4, model, data, collate_contexts, batch, full.learning_rate, lambda model: model.transformer.h, True)


class Clock:
    "Notes when optimizer steps end, and what the collator gave out; the same for every way of training."

    def __init__(self, warm_up: int, steps: int) -> None:
        self.warm_up, self.last, self.done = warm_up, warm_up + steps, 0
        self.started = self.seconds = 0.0
        self.batches: list[tuple[int, int, int]] = []  # tokens, places, sum of squared lengths

    def watch(self, collate: Callable) -> Callable:
        def watched(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
            batch = collate(rows)
            lengths = [len(row["input_ids"]) for row in rows]
            self.batches.append((sum(lengths), batch["input_ids"].numel(), sum(length**2 for length in lengths)))
            return batch

        return watched

    def step(self, *_: Any) -> None:
        self.done += 1
        if self.done in (self.warm_up, self.last):
            if on_gpu():
                torch.cuda.synchronize()
            now = time.perf_counter()
            self.started, self.seconds = (now, 0.0) if self.done == self.warm_up else (self.started, now - self.started)

    @contextmanager
    def running(self) -> Iterator[None]:
        from torch.optim.optimizer import register_optimizer_step_post_hook

        handle = register_optimizer_step_post_hook(self.step)
        try:
            yield
        finally:
            handle.remove()

    @property
    def measured(self) -> list[tuple[int, int, int]]:
        "The batches between the two times; loaders may have fetched more."
        return self.batches[self.warm_up : self.last]


def precision() -> str:
    "bf16 or fp16, by what the GPU computes with; no on a CPU."
    from course_lib.loop import choose_precision

    return choose_precision("auto", "cuda") if on_gpu() else "no"


def spare_steps() -> int:
    "In float16 some steps are left out, most of them at the start, and the clock counts those that are made."
    return 20 if precision() == "fp16" else 0


def half_precision() -> Any:
    kinds = {"bf16": torch.bfloat16, "fp16": torch.float16}
    return torch.autocast("cuda", kinds[precision()]) if on_gpu() else nullcontext()


def train_plain(task: Task, clock: Clock) -> tuple[Any, list[float]]:
    "The loop that a reader writes first, in half precision as the others: random batches, plain AdamW, a look at each loss."
    from torch.utils.data import DataLoader

    device = "cuda" if on_gpu() else "cpu"
    model = task.model().to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=task.learning_rate, foreach=False, fused=False)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    scaler = torch.amp.GradScaler(device, enabled=precision() == "fp16")
    order = torch.Generator().manual_seed(0)
    loader = DataLoader(
        task.data, task.batch_size, shuffle=True, generator=order, collate_fn=clock.watch(task.collate), drop_last=True
    )
    losses = []
    with clock.running():
        for batch in loader:
            batch = {name: values.to(device) for name, values in batch.items()}
            with half_precision():
                loss = model(**batch).loss
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
            schedule.step()
            optimizer.zero_grad()
            losses.append(loss.item())
            if clock.done == clock.last:
                break
    return model, losses


def train_trainer(task: Task, clock: Clock) -> tuple[Any, list[float]]:
    "`Trainer` with its defaults, in half precision."
    from transformers import Trainer, TrainingArguments
    from transformers.trainer_callback import PrinterCallback, ProgressCallback

    from course_lib.loop import per_device

    model = task.model()
    with tempfile.TemporaryDirectory() as folder, clock.running():
        arguments = TrainingArguments(
            folder,
            max_steps=clock.last + spare_steps(),
            per_device_train_batch_size=per_device(task.batch_size),
            learning_rate=task.learning_rate,
            bf16=precision() == "bf16",
            fp16=precision() == "fp16",
            use_cpu=not on_gpu(),
            report_to="none",
            save_strategy="no",
            logging_steps=clock.last,
            logging_first_step=True,
            disable_tqdm=True,
            dataloader_pin_memory=on_gpu(),
        )
        trainer = Trainer(model=model, args=arguments, train_dataset=task.data, data_collator=clock.watch(task.collate))
        trainer.remove_callback(PrinterCallback)
        trainer.remove_callback(ProgressCallback)
        trainer.train()
    return model, [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def train_ours(task: Task, clock: Clock, compiled: bool = False) -> tuple[Any, list[float]]:
    "`fit`: grouped by length, fused AdamW, pinned batches, losses read late; chapter 4 with the chunked head."
    from course_lib.heads import chunked_loss
    from course_lib.loop import LoopConfig, fit, model_loss

    model = task.model()
    if compiled:  # layer by layer: they are alike, so one compilation serves all of them
        for block in task.blocks(model):
            block.compile(dynamic=task.chapter == 1)
    needed = (clock.last + spare_steps()) * task.batch_size
    config = LoopConfig(
        num_epochs=1,
        batch_size=task.batch_size,
        learning_rate=task.learning_rate,
        schedule="constant",
        warmup=0,
        mixed_precision=precision(),
    )
    with clock.running():
        data = task.data.select(range(min(needed, len(task.data))))
        history = fit(model, data, clock.watch(task.collate), config, loss_of=chunked_loss if task.chunked else model_loss, progress=False)
    return model, [step["loss"] for step in history.steps]


def train_compiled(task: Task, clock: Clock) -> tuple[Any, list[float]]:
    "The same, with `torch.compile`."
    return train_ours(task, clock, compiled=True)


def flops(model: Any, batches: list[tuple[int, int, int]]) -> float:
    "Floating-point operations of forward and backward over the tokens without padding."
    multiplied = sum(
        module.weight.numel() for module in model.modules() if type(module).__name__ in ("Linear", "Conv1D")
    )
    config = model.config
    tokens, squares = sum(batch[0] for batch in batches), sum(batch[2] for batch in batches)
    # Six for each number of the matrices; attention's own products grow with the square of the length.
    return 6 * multiplied * tokens + 12 * config.num_hidden_layers * config.hidden_size * squares


def measure(task: Task, way: str, *, steps: int, warm_up: int) -> Speed:
    "Train in this way and say how fast it was. Raises `CourseError` if there were too few examples."
    clock = Clock(warm_up, steps)
    gc.collect()
    if on_gpu():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    train = {"plain": train_plain, "trainer": train_trainer, "ours": train_ours, "compiled": train_compiled}[way]
    model, losses = train(task, clock)
    if not clock.seconds:
        raise CourseError(f"{way} made {clock.done} steps, {clock.last} are needed. Give more examples.")
    tokens, places = (sum(batch[column] for batch in clock.measured) for column in (0, 1))
    most = next((value for part, value in PEAK_TERAFLOPS.items() if part in device_name()), None) if on_gpu() else None
    return Speed(
        task.chapter,
        way,
        tokens / clock.seconds,
        1 - tokens / places,
        torch.cuda.max_memory_allocated() / 1e6 if on_gpu() else None,
        flops(model, clock.measured) / clock.seconds / (most * 1e12) if most else None,
        (losses[0], losses[-1]),
    )


def cells(row: Speed, rows: list[Speed]) -> list[str]:
    "One text for each of `COLUMNS`."
    plain = [other.tokens_per_second for other in rows if (other.chapter, other.way) == (row.chapter, "plain")]
    return [
        str(row.chapter),
        row.way,
        f"{row.tokens_per_second:,.0f}",
        f"{row.tokens_per_second / plain[-1]:.2f}×" if plain else "–",
        f"{row.padding:.0%}",
        "–" if row.peak_mb is None else f"{row.peak_mb:,.0f}",
        "–" if row.flop_utilisation is None else f"{row.flop_utilisation:.1%}",
        f"{row.losses[0]:.3f} → {row.losses[1]:.3f}",
    ]


def main(
    chapters: Annotated[list[int] | None, typer.Argument(help="1, 4 or both")] = None,
    steps: Annotated[int, typer.Option(help="optimizer steps to measure")] = 100,
    warm_up: Annotated[int, typer.Option(help="steps before them")] = 20,
    attention: Annotated[str, typer.Option(help="sdpa, eager or flash_attention_2")] = "sdpa",
    compiled: Annotated[bool, typer.Option("--compile", help="ours with torch.compile as well")] = False,
    tiny: Annotated[bool, typer.Option("--tiny", help="small models and few steps, on the CPU too")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="also write rows and machine to this file")] = None,
) -> None:
    "Tokens per second, peak memory and model FLOP utilisation, as Markdown."
    go_offline()
    prepare_process()
    if not on_gpu() and not tiny:
        raise CourseError("There is no CUDA GPU here. Add --tiny to see whether the script runs.")
    if tiny:
        steps, warm_up = min(steps, 6), min(warm_up, 2)
    makers, rows = {1: pairs_task, 4: code_task}, []
    for chapter in chapters or makers:
        if chapter not in makers:
            raise CourseError(f"Chapter {chapter} has no such benchmark. Give 1, 4 or both.")
        batch = {1: 4, 4: 2}[chapter] if tiny else {1: 32, 4: 16}[chapter]
        task = makers[chapter](tiny, (steps + warm_up + spare_steps()) * batch, attention)
        for way in WAYS if compiled else WAYS[:-1]:
            rows.append(measure(task, way, steps=steps, warm_up=warm_up))
            print(" | ".join(cells(rows[-1], rows)), file=sys.stderr, flush=True)
    note = f"{device_name()}, {precision()}, {attention} attention, {steps} steps each, torch {torch.__version__}."
    print(markdown(COLUMNS, (cells(row, rows) for row in rows), note), end="")
    if json_file:
        found = {"machine": machine(), "rows": [asdict(row) for row in rows]}
        write_atomically(json_file, json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    try:
        typer.run(main)
    except CourseError as error:
        sys.exit(str(error))
