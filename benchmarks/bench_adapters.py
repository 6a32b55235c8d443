"""What a training state of an adapter holds, against one of the whole model: what is frozen is in no state."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import BertConfig, BertForSequenceClassification

from benchmarks.bench_training_loop import VOCABULARY, WIDTHS
from benchmarks.harness import Row
from course_lib.loop import LoopConfig, fit

NUMBERS = ()
CONFIG = LoopConfig(num_epochs=1, batch_size=8, learning_rate=1e-4, mixed_precision="no")


def train(adapter: bool, folder: str) -> tuple[float, dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    "Three steps and a state of them; its megabytes, and the frozen weights before and after."
    torch.manual_seed(0)
    model: BertForSequenceClassification | PeftModel = BertForSequenceClassification(BertConfig(vocab_size=VOCABULARY, **WIDTHS))
    if adapter:
        config = LoraConfig(r=8, target_modules="all-linear", modules_to_save=["classifier"], task_type="SEQ_CLS")
        model = get_peft_model(model, config)
    frozen = {name: weight.clone() for name, weight in model.named_parameters() if not weight.requires_grad}
    data = Dataset.from_dict({"input_ids": torch.randint(5, VOCABULARY, (24, 32)).tolist(), "labels": [0, 1] * 12})
    collate = lambda rows: {name: torch.tensor([row[name] for row in rows]) for name in ("input_ids", "labels")}
    fit(model, data, collate, CONFIG, folder=folder, progress=False)
    written = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    return written / 1e6, frozen, {name: dict(model.named_parameters())[name] for name in frozen}


def run() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as whole, tempfile.TemporaryDirectory() as small:
        naive, ours = train(False, whole)[0], train(True, small)
    assert ours[1], "an adapter leaves something frozen"
    assert all(torch.equal(weight, ours[2][name]) for name, weight in ours[1].items()), "what is frozen has not moved"
    size = f"BERT 4 x 256, vocabulary {VOCABULARY:,}, LoRA of rank 8"
    yield Row("a training state: an adapter's", size, naive, ours[0], target=10, unit="MB")
