"Training on a GPU that is not there, in float16: what is not moved raises, and steps that overflow are left out."

import json
import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from importlib import import_module

import pytest
import torch
from complaints import complaint_of
from datasets import Dataset, disable_progress_bars
from pretended_gpu import pretended_gpu
from test_processes import CHAPTERS, small_settings
from transformers import BertConfig, BertForSequenceClassification

from benchmarks import gpu as benchmark
from course_lib.loop import History, LoopConfig, choose_precision, fit
from course_lib.profiles import CourseError
from course_lib.training_loop import evaluate


@pytest.fixture
def gpu() -> Iterator[None]:
    with pretended_gpu():
        yield


@pytest.mark.parametrize(
    "mix",
    [
        lambda there, here: there @ here,
        lambda there, here: torch.nn.functional.embedding(here.long(), there),
        lambda there, here: there[0] + here[0],
        lambda there, here: (there == here).sum(),
        lambda there, here: here.add_(there.sum()),
        lambda there, here: torch.stack([there.sum(), here.sum()]),
        lambda there, here: here[there[0].long()],
        lambda there, here: torch.nn.Linear(2, 2)(there),
    ],
)
def test_mixing_raises(gpu, mix):
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
        mix(torch.ones(2, 2).to("cuda"), torch.ones(2, 2))


def test_what_a_gpu_permits_is_permitted(gpu):
    there = torch.ones(2, 2, device="cuda")
    pytest.raises(TypeError, there.numpy)
    assert there.cpu().numpy().sum() == there.sum().item() == 4
    assert (there * torch.tensor(2.0)).device.type == there[torch.tensor([0])].device.type == "cuda"
    weights = torch.nn.Linear(2, 2).to("cuda").weight
    (weights @ there).sum().backward()
    assert weights.grad.device == weights.device == there.new_tensor([1]).device == torch.zeros_like(there).device
    assert there.to("cpu").is_cpu


# The loop


def model() -> BertForSequenceClassification:
    torch.manual_seed(0)
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    return BertForSequenceClassification(BertConfig(vocab_size=20, max_position_embeddings=8, **small))


ROWS = Dataset.from_list([{"input_ids": [2, 5 + n % 15, 3], "labels": n % 2} for n in range(240)])


def stack(rows: list[dict]) -> dict[str, torch.Tensor]:
    return {name: torch.tensor([row[name] for row in rows]) for name in rows[0]}


def overflowing(steps: range):
    "A loss whose gradient is too large for float16 in these steps."
    done = 0

    def loss_of(model, batch):
        nonlocal done
        done += 1
        loss = model(**batch).loss
        if done in steps:
            loss.register_hook(lambda gradient: gradient * 1e9)
        return loss

    return loss_of


CONFIG = LoopConfig(num_epochs=1, batch_size=8, learning_rate=1e-3, warmup=0)


def test_fit_computes_in_float16_and_warns_of_nothing(gpu):
    found, trained = [], model()
    assert choose_precision("auto") == "fp16"
    trained.classifier.register_forward_hook(
        lambda layer, inputs, output: found.append((output.dtype, output.device.type))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = fit(trained, ROWS, stack, CONFIG, progress=False)
    assert set(found) == {(torch.float16, "cuda")}
    assert {weights.dtype for weights in trained.parameters()} == {torch.float32}
    assert len(history.steps) == 30


def test_steps_that_overflow_are_left_out_and_the_schedule_waits(gpu, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        options = {"progress": False, "folder": tmp_path, "save_every": 5}
        history = fit(model(), ROWS, stack, CONFIG, loss_of=overflowing(range(1, 4)), **options)
    norms = [record["grad_norm"] for record in history.steps]
    assert norms[:3] == [None] * 3
    assert None not in norms[3:]
    rates = [record["learning_rate"] for record in history.steps]
    assert rates[:4] == [CONFIG.learning_rate] * 4
    assert rates[4] < rates[3]
    assert History(**json.loads(json.dumps(history.to_dict(), allow_nan=False))) == history
    (tmp_path / "step-00000030").rename(tmp_path / "elsewhere")
    assert fit(model(), ROWS, stack, CONFIG, progress=False, folder=tmp_path, resume=True) == history


def test_many_overflows_in_a_row_stop_the_run(gpu):
    for many in (range(2, 21), range(1, 30, 2)):
        assert len(fit(model(), ROWS, stack, CONFIG, loss_of=overflowing(many), progress=False).steps) == 30
    loss_of = overflowing(range(3, 30))
    message = complaint_of(CourseError, fit, model(), ROWS, stack, CONFIG, loss_of=loss_of, progress=False)
    assert "overflowed float16, as in the 19 steps before, in step 22" in message
    assert "Lower learning_rate" in message


def test_the_loop_in_float32_on_an_apple_chip():
    with pretended_gpu("mps"):
        trained, found = model(), []
        trained.classifier.register_forward_hook(lambda *seen: found.append((seen[-1].dtype, seen[-1].device.type)))
        score = partial(evaluate, data=ROWS, collate=stack)
        history = fit(trained, ROWS, stack, CONFIG, evaluate=score, progress=False)
    assert set(found) == {(torch.float32, "mps")}
    assert history.evaluations[-1]["loss"] < 1


# The chapters


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_each_chapter_trains_there(gpu, chapter, tmp_path):
    disable_progress_bars()
    settings = replace(small_settings(chapter, tmp_path), num_epochs=1)
    trained, _, history = import_module(f"course_lib.{chapter}").train(settings, progress=False)
    assert {weights.device.type for weights in trained.parameters()} == {"cuda"}
    assert history.evaluations
    assert all(record["loss"] < 20 for record in history.steps)


@pytest.mark.parametrize("way", ["plain", "trainer", "ours"])
def test_the_benchmark_takes_the_precision_of_the_gpu(gpu, way, monkeypatch):
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: None)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 10**6)
    assert benchmark.precision() == "fp16"
    task = benchmark.code_task(True, 2 * (4 + benchmark.spare_steps()), "sdpa")
    assert benchmark.measure(task, way, steps=2, warm_up=2).tokens_per_second > 0
