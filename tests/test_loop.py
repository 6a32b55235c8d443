"The loop against independent naive references."

import hashlib
import json
import warnings
from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
import torch
from accelerate import Accelerator, PartialState
from accelerate.state import AcceleratorState
from complaints import complaint_of
from datasets import Dataset
from small_adapters import KINDS, adapted
from small_checkpoints import save_checkpoint
from small_classifier import small_model
from transformers import BertForSequenceClassification

from course_lib.checkpoints import finished_model, load_model, load_tokenizer
from course_lib.hub import write_model
from course_lib.loop import (
    History,
    LengthGroupedBatches,
    LoopConfig,
    choose_precision,
    count_labels,
    evaluating,
    fit,
    make_optimizer,
    make_scheduler,
    model_loss,
    predict_logits,
    summed_loss,
    token_lengths,
)
from course_lib.processes import launch
from course_lib.profiles import CourseError


def make_rows(count: int, seed: int = 0) -> Dataset:
    "Label 1 if the first word comes again as the second: learnable, with rows of very different lengths."
    generator = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        label = int(generator.integers(2))
        first, second = generator.choice(np.arange(5, 13), 2, replace=False).tolist()
        tail = generator.integers(13, 45, generator.integers(0, 25)).tolist()
        rows.append({"input_ids": [2, first, first if label else second, *tail, 3], "labels": label})
    return Dataset.from_list(rows)


def pad(rows: list[dict]) -> dict[str, torch.Tensor]:
    ids = [torch.tensor(row["input_ids"]) for row in rows]
    ids = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True)
    labels = torch.tensor([row["labels"] for row in rows])
    return {"input_ids": ids, "attention_mask": (ids > 0).long(), "labels": labels}


def scores(model, accelerator, dataset, collate) -> dict[str, float]:
    logits = torch.from_numpy(predict_logits(model, dataset, collate, accelerator=accelerator))
    labels = torch.tensor(dataset["labels"][:])
    loss = torch.nn.functional.cross_entropy(logits, labels).item()
    return {"loss": loss, "accuracy": (logits.argmax(-1) == labels).float().mean().item()}


@pytest.fixture(scope="module")
def data() -> dict[str, Dataset]:
    return {"train": make_rows(90), "validation": make_rows(41, seed=1)}


@pytest.fixture(scope="module")
def collate():
    return pad


# Settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"num_epochs": 0},
        {"batch_size": 0},
        {"gradient_accumulation_steps": 0},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"warmup": -1},
        {"schedule": "linaer"},
        {"mixed_precision": "fp8"},
        {"eval_every": 0},
        {"seed": -1},
        {"seed": 2**31},
    ],
    ids=str,
)
def test_settings_that_cannot_work_are_errors(wrong):
    with pytest.raises(CourseError) as caught:
        LoopConfig(**wrong)
    assert "\n" not in str(caught.value)
    assert next(iter(wrong)) in str(caught.value)


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({}, "no"),
        ({"avx512_f": True, "avx512_bf16": False}, "no"),
        ({"avx512_bf16": True}, "bf16"),
        ({"amx_bf16": True}, "bf16"),
    ],
)
def test_precision_on_a_cpu(monkeypatch, capabilities, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)  # the machine has a GPU; this run is not on it
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert choose_precision("auto", "cpu") == expected
    assert choose_precision("bf16") == "bf16"
    assert choose_precision("no") == "no"


@pytest.mark.parametrize(
    ("device", "native", "expected"), [("cuda:0", True, "bf16"), ("cuda", False, "fp16"), ("mps", True, "no")]
)
def test_precision_on_a_gpu(monkeypatch, device, native, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native)
    assert choose_precision("auto", device) == expected


def rates(config: LoopConfig, steps: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=config.learning_rate)
    scheduler = make_scheduler(optimizer, config, steps)
    found = []
    for _ in range(steps):
        found.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return found


def test_schedules_by_formula():
    steps, warmup, peak = 20, 4, 2.0
    for schedule, falling in {
        "linear": lambda share: 1 - share,
        "cosine": lambda share: (1 + np.cos(np.pi * share)) / 2,
        "constant": lambda share: 1.0,
    }.items():
        expected = [
            peak * (step / warmup if step < warmup else falling((step - warmup) / (steps - warmup)))
            for step in range(steps)
        ]
        for amount in (0.2, 4):
            config = LoopConfig(learning_rate=peak, schedule=schedule, warmup=amount)
            assert rates(config, steps) == pytest.approx(expected)


def test_warmup_longer_than_the_run_is_an_error():
    with pytest.raises(CourseError, match="warmup=50"):
        rates(LoopConfig(warmup=50), 20)


def test_weight_decay_spares_vectors():
    groups = make_optimizer(small_model(), LoopConfig(weight_decay=0.3)).param_groups
    assert {group["weight_decay"]: {p.ndim for p in group["params"]} for group in groups} == {0.3: {2}, 0.0: {1}}


# The loop


def naive_fit(model, dataset, collate, config):
    "Plain PyTorch: one batch per optimizer step made of all its micro-batches, AdamW that is not fused."
    sampler = LengthGroupedBatches(token_lengths(dataset), config.batch_size, config.seed)
    groups = make_optimizer(model, config).param_groups
    groups = [{"params": group["params"], "weight_decay": group["weight_decay"]} for group in groups]
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, fused=False, foreach=False)
    size = config.gradient_accumulation_steps
    total = -(-len(sampler) // size) * config.num_epochs
    scheduler = make_scheduler(optimizer, config, total)
    losses, model = [], model.train()
    for epoch in range(config.num_epochs):
        sampler.set_epoch(epoch)
        batches = list(sampler)
        for start in range(0, len(batches), size):
            indices = [index for batch in batches[start : start + size] for index in batch]
            loss = model(**collate([dataset[index] for index in indices])).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
            losses.append(loss.item())
    return losses


@pytest.mark.parametrize("accumulation", [1, 3])
def test_fit_is_the_plain_loop(data, collate, accumulation):
    config = LoopConfig(num_epochs=2, batch_size=8, learning_rate=1e-3, gradient_accumulation_steps=accumulation)
    expected_model, model = small_model(), small_model()
    expected = naive_fit(expected_model, data["train"], collate, config)
    history = fit(model, data["train"], collate, config, progress=False)
    assert [record["loss"] for record in history.steps] == pytest.approx(expected, abs=1e-5)
    for ours, theirs in zip(model.parameters(), expected_model.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4)
    assert not model.training


def test_fit_learns(data, collate):
    model = small_model()
    score = partial(scores, dataset=data["train"], collate=collate)
    history = fit(model, data["train"], collate, LoopConfig(20, 8, learning_rate=5e-3), evaluate=score, progress=False)
    assert history.evaluations[-1]["accuracy"] > history.evaluations[0]["accuracy"] + 0.2
    assert len(history.evaluations) == 20


def test_the_same_seed_gives_the_same_weights(data, collate):
    models = [small_model(dropout=0.1) for _ in range(3)]
    for model, seed in zip(models, (0, 0, 1), strict=True):
        fit(model, data["train"], collate, LoopConfig(1, 8, learning_rate=1e-3, seed=seed), progress=False)
    weights = [torch.nn.utils.parameters_to_vector(model.parameters()) for model in models]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_evaluation_every_few_steps_and_at_the_end(data, collate):
    calls = []

    def score(model, accelerator):
        calls.append(model.training)
        return {"calls": len(calls)}

    config = LoopConfig(num_epochs=1, batch_size=8, eval_every=5)
    history = fit(small_model(), data["train"], collate, config, evaluate=score, progress=False)
    assert [record["step"] for record in history.evaluations] == [5, 10, 12]
    assert calls == [False] * 3
    assert [record["step"] for record in history.steps] == list(range(1, 13))


def test_history_survives_json(data, collate):
    score = partial(scores, dataset=data["validation"], collate=collate)
    history = fit(small_model(), data["train"], collate, LoopConfig(1, 8), evaluate=score, progress=False)
    assert History(**json.loads(json.dumps(history.to_dict()))) == history


def test_what_json_cannot_hold_is_none():
    history = History([{"step": 1, "grad_norm": None}], [{"perplexity": float("inf"), "loss": float("nan"), "f1": 0.5}])
    assert json.loads(json.dumps(history.to_dict(), allow_nan=False))["evaluations"] == [
        {"perplexity": None, "loss": None, "f1": 0.5}
    ]


def test_half_precision_after_a_full_one_leaves_a_full_model(data, collate):
    Accelerator(mixed_precision="no")
    model, forward = small_model(), BertForSequenceClassification.forward
    config = LoopConfig(1, 8, learning_rate=1e-3, mixed_precision="bf16")
    history = fit(model, data["train"], collate, config, progress=False)
    assert all(np.isfinite(record["loss"]) for record in history.steps)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert model.forward.__func__ is forward, "the wrapper is gone"
    dtypes = []
    model.classifier.register_forward_hook(lambda layer, inputs, output: dtypes.append(output.dtype))
    fit(model, data["train"], collate, config, progress=False)
    assert set(dtypes) == {torch.bfloat16}, "a second run on the same model is in half precision as well"
    full = fit(
        small_model(),
        data["train"],
        collate,
        LoopConfig(1, 8, learning_rate=1e-3, mixed_precision="no"),
        progress=False,
    )
    assert full.steps[0]["loss"] != history.steps[0]["loss"]
    assert full.steps[0]["loss"] == pytest.approx(history.steps[0]["loss"], abs=0.02)


def test_evaluation_is_in_full_precision_while_training_is_not(data, collate):
    seen = []

    def score(model, accelerator):
        seen.append(model(**collate([data["validation"][0]])).logits.dtype)
        return scores(model, accelerator, data["validation"], collate)

    model = small_model()
    history = fit(
        model, data["train"], collate, LoopConfig(1, 8, mixed_precision="bf16"), evaluate=score, progress=False
    )
    assert history.evaluations[-1] | scores(model, None, data["validation"], collate) == history.evaluations[-1]
    assert seen == [torch.float32]


def test_a_run_that_cannot_begin_leaves_a_full_model(data, collate):
    model = small_model()
    config, before = LoopConfig(1, 8, mixed_precision="bf16", warmup=500), dict(vars(model))
    with pytest.raises(CourseError, match="warmup=500"):
        fit(model, data["train"], collate, config, progress=False)
    assert vars(model) == before


@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_a_forward_of_one_s_own_stays(data, collate, precision):
    model, calls = small_model(), []

    def forward(**batch):
        calls.append(len(batch))
        return type(model).forward(model, **batch)

    model.forward = forward
    fit(model, data["train"], collate, LoopConfig(1, 8, mixed_precision=precision), progress=False)
    assert len(calls) == 12
    assert model.forward is forward


@pytest.mark.parametrize("training", [True, False])
def test_an_evaluation_leaves_no_trace_even_when_it_fails(training):
    model = small_model().train(training)
    halved = model.forward = lambda: None
    model._original_forward = type(model).forward.__get__(model)

    def broken():
        with evaluating(model):
            assert not model.training
            assert torch.is_inference_mode_enabled()
            assert model.forward is not halved
            raise KeyError

    pytest.raises(KeyError, broken)
    assert model.forward is halved
    assert model.training is training


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_the_summed_loss_is_that_of_the_examples_one_by_one(data, collate, batch_size):
    model, rows = small_model(), data["validation"]
    with torch.no_grad():
        losses = [model(**collate([rows[index]])).loss.item() for index in range(len(rows))]
    total, number = summed_loss(model, rows, collate, batch_size=batch_size)
    assert number == len(rows)
    assert total == pytest.approx(sum(losses), rel=1e-5)
    assert summed_loss(model, rows.select([]), collate) == (0.0, 0)


def test_training_on_nothing_is_an_error(data, collate):
    with pytest.raises(CourseError, match="nothing to train on"):
        fit(small_model(), data["train"].select([]), collate, LoopConfig(), progress=False)


def test_count_labels_ignores_what_the_loss_ignores():
    assert count_labels({"labels": torch.tensor([[1, -100], [0, 2]])}) == 3
    assert count_labels({"input_ids": torch.zeros(5, 2)}) == 5


# What stops a run, and how


def spoiled(collate, at: int, action):
    "A collator that calls `action(batch)` on the `at`-th batch and hands on what it returns."
    batches = 0

    def wrapper(rows):
        nonlocal batches
        batches += 1
        batch = collate(rows)
        return action(batch) if batches == at else batch

    return wrapper


@pytest.mark.parametrize(("value", "name"), [(float("nan"), "nan"), (float("inf"), "inf")])
def test_a_loss_that_is_no_number_stops_with_step_rate_and_state(data, collate, tmp_path, value, name):
    def loss_of(model, batch):
        loss = model_loss(model, {name: tensor for name, tensor in batch.items() if name != "spoiled"})
        return loss * value if "spoiled" in batch else loss

    broken = spoiled(collate, 7, lambda batch: dict(batch) | {"spoiled": torch.tensor(1)})
    options = {"loss_of": loss_of, "progress": False, "folder": tmp_path, "save_every": 2}
    config = LoopConfig(1, 8, learning_rate=1e-3, warmup=0, schedule="constant")
    complaint = complaint_of(CourseError, fit, small_model(), data["train"], broken, config, **options)
    assert f"loss became {name} in step 7" in complaint
    assert "learning rate of 0.001" in complaint
    assert str(tmp_path / "step-00000006") in complaint
    assert sorted(path.name for path in tmp_path.iterdir())[-1] == "step-00000006", "no state of a run that has failed"


def test_a_gradient_that_is_no_number_stops_before_the_weights_are_saved(data, collate, tmp_path):
    def loss_of(model, batch):
        loss = model_loss(model, {name: tensor for name, tensor in batch.items() if name != "spoiled"})
        if "spoiled" in batch:
            loss.register_hook(lambda gradient: gradient * float("nan"))
        return loss

    broken = spoiled(collate, 3, lambda batch: dict(batch) | {"spoiled": torch.tensor(1)})
    options = {"loss_of": loss_of, "progress": False, "folder": tmp_path, "save_every": 1}
    complaint = complaint_of(CourseError, fit, small_model(), data["train"], broken, LoopConfig(1, 8), **options)
    assert "gradient became nan in step 3" in complaint
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["step-00000001", "step-00000002"]


def test_without_a_folder_no_checksum_of_the_data_is_computed(data, collate, tmp_path, monkeypatch):
    asked, checksum = [], hashlib.blake2b
    monkeypatch.setattr("course_lib.loop.blake2b", lambda *args, **sizes: asked.append(1) or checksum(*args, **sizes))
    for folder in (None, tmp_path):
        fit(small_model(), data["train"], collate, LoopConfig(1, 64), progress=False, folder=folder)
        assert bool(asked) == (folder is not None)


def test_without_a_folder_the_complaint_says_how_to_have_one(data, collate, tmp_path):
    config = LoopConfig(1, 8, learning_rate=1e30, warmup=0, schedule="constant", max_grad_norm=None)
    complaint = complaint_of(CourseError, fit, small_model(), data["train"], collate, config, progress=False)
    assert "Lower learning_rate" in complaint
    assert "give fit a folder" in complaint
    complaint = complaint_of(CourseError, fit, small_model(), data["train"], collate, config, progress=False, folder=tmp_path)
    assert f"none in {tmp_path} so far" in complaint


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory: you tried to ..."
        ),
        MemoryError(),
    ],
    ids=["cuda", "cpu", "python"],
)
def test_out_of_memory_names_the_setting(data, collate, error):
    def fail(batch):
        raise error

    model, forward = small_model(), BertForSequenceClassification.forward
    config = LoopConfig(1, 16, gradient_accumulation_steps=3)
    complaint = complaint_of(CourseError, fit, model, data["train"], spoiled(collate, 2, fail), config, progress=False)
    assert "batch_size=16" in complaint
    assert "Set batch_size=8; with gradient_accumulation_steps=6" in complaint
    assert model.forward.__func__ is forward
    assert not model.training
    complaint = complaint_of(
        CourseError, fit, model, data["train"], spoiled(collate, 2, fail), LoopConfig(1, 2), progress=False
    )
    assert "Shorten the texts" in complaint


def test_memory_really_running_out(data, collate):
    "2^60 bytes are more than anybody has."
    greedy = spoiled(collate, 1, lambda batch: torch.empty(2**60, dtype=torch.uint8))
    assert "Out of memory" in complaint_of(
        CourseError, fit, small_model(), data["train"], greedy, LoopConfig(1, 8), progress=False
    )


def test_other_errors_are_passed_on(data, collate):
    def fail(batch):
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        fit(small_model(), data["train"], spoiled(collate, 1, fail), LoopConfig(1, 8), progress=False)


def test_the_publisher_is_called_after_each_epoch_and_may_fail(data, collate):
    seen = []

    def publisher(model, history):
        seen.append((len(history.steps), len(history.evaluations), model.training))
        raise OSError("no\nnetwork")

    options = {"evaluate": lambda *_: {"loss": 1.0}, "progress": False, "publisher": publisher}
    with pytest.warns(UserWarning, match="Publishing failed, training goes on: no network"):
        fit(small_model(), data["train"], collate, LoopConfig(2, 8), **options)
    assert [(steps, evaluations) for steps, evaluations, _ in seen] == [(12, 1), (24, 2)]


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_predictions_come_in_the_order_of_the_data(data, collate, batch_size):
    model = small_model()
    rows = data["validation"]
    expected = [model(**collate([rows[index]])).logits[0].detach().numpy() for index in range(len(rows))]
    found = predict_logits(model, rows, collate, batch_size=batch_size)
    assert found.dtype == np.float32
    assert np.allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("precision", ["no", "bf16"])
@pytest.mark.parametrize(("kind", "task"), [KINDS[0], *KINDS[2:]])
def test_an_adapter_is_trained_as_any_model_is(tmp_path_factory, kind, task, precision):
    base = save_checkpoint(kind, tmp_path_factory.mktemp(kind))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a new pooler
        model = adapted(load_model(task, base), kind, task, random=False)
    generator = torch.Generator().manual_seed(0)
    rows = Dataset.from_dict({"input_ids": torch.randint(5, 60, (24, 12), generator=generator).tolist()})

    def collate(rows: list[dict]) -> dict[str, torch.Tensor]:
        ids = torch.tensor([row["input_ids"] for row in rows])
        labels = {"labels": ids[:, 0] % 2 if task == "sequence-classification" else ids}
        return {"input_ids": ids} | ({"start_positions": ids[:, 0] % 12, "end_positions": ids[:, 1] % 12} if "qu" in task[:2] else labels)

    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    first, _ = summed_loss(model, rows, collate)
    config = LoopConfig(num_epochs=8, batch_size=4, gradient_accumulation_steps=2, learning_rate=3e-2, mixed_precision=precision)
    score = lambda model, accelerator: {"loss": summed_loss(model, rows, collate, accelerator=accelerator)[0]}
    history = fit(model, rows, collate, config, evaluate=score, progress=False)
    assert history.evaluations[-1]["loss"] < first
    trained = {name for name, weight in model.named_parameters() if weight.requires_grad}
    changed = {name for name, weight in model.state_dict().items() if not torch.equal(weight, before[name])}
    assert changed == trained
    write_model(model, load_tokenizer(base), None, base / "adapter")
    again = finished_model(task, base / "adapter")[0]
    for found in (again, again.merge_and_unload()):
        assert summed_loss(found, rows, collate)[0] == pytest.approx(history.evaluations[-1]["loss"], rel=1e-5)


def test_a_model_that_is_all_frozen_is_not_trained(data, collate):
    model = adapted(small_model()).requires_grad_(False)
    assert "is_trainable=True" in complaint_of(CourseError, fit, model, data["train"], collate, LoopConfig())


@pytest.mark.parametrize("change", [None, adapted])
def test_two_processes_give_the_result_of_one(data, collate, change):
    train, held_out = data["train"].select(range(61)), data["validation"]

    def short_run():
        model = change(small_model()) if change else small_model()
        score = partial(scores, dataset=held_out, collate=collate)
        config = LoopConfig(num_epochs=2, batch_size=8, learning_rate=1e-3, gradient_accumulation_steps=2)
        history = fit(model, train, collate, config, evaluate=score, progress=False)
        weights = torch.nn.utils.parameters_to_vector(model.parameters()).double()
        return history.to_dict() | {"weights": weights.sum().item(), "processes": PartialState().num_processes}

    (alone,) = launch(short_run, num_processes=1, cpu=True)
    both = launch(short_run, num_processes=2, cpu=True)
    assert len(both) == 2
    assert [run["processes"] for run in (alone, *both)] == [1, 2, 2], "they know of each other"
    assert both[0] == both[1]
    losses = [[record["loss"] for record in run["steps"]] for run in (alone, both[0])]
    assert losses[1] == pytest.approx(losses[0], abs=1e-5)
    for one, two in zip(alone["evaluations"], both[0]["evaluations"], strict=True):
        assert two == pytest.approx(one, abs=1e-5)
    assert both[0]["weights"] == pytest.approx(alone["weights"], abs=1e-3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"batch_size": 2.5},
        {"num_epochs": "3"},
        {"gradient_accumulation_steps": 1.5},
        {"eval_every": 0.5},
        {"seed": None},
        {"warmup": float("nan")},
        {"warmup": float("inf")},
        {"weight_decay": float("nan")},
        {"learning_rate": "fast"},
        {"max_grad_norm": -1.0},
        {"max_grad_norm": 0},
    ],
)
def test_settings_that_are_no_such_numbers_are_named(wrong):
    name, value = next(iter(wrong.items()))
    assert f"{name}={value!r}" in complaint_of(CourseError, LoopConfig, **wrong)


@pytest.mark.parametrize("kind", [np.float32, torch.tensor, np.array])
def test_metrics_of_numpy_and_torch_reach_the_state(data, collate, tmp_path, kind):
    config = LoopConfig(num_epochs=1, batch_size=8)
    history = fit(
        small_model(), data["train"], collate, config, folder=tmp_path, evaluate=lambda *_: {"loss": kind(0.5)}
    )
    assert history.evaluations[-1]["loss"] == 0.5
    assert list(tmp_path.glob("step-*")), "the state was written"


class FirstTokenLabels:
    "As for masked words: a label only where a row begins with an even token; else the mean over none is 0/0."

    def __init__(self, collate):
        self.collate = collate

    def __call__(self, rows):
        batch = self.collate(rows)
        batch["labels"] = torch.where(batch["input_ids"][:, 1] % 2 == 0, batch["labels"], -100)
        return batch


@pytest.mark.parametrize("accumulation", [1, 3])
def test_parts_and_steps_without_a_label_do_no_harm(data, collate, accumulation):
    collate = FirstTokenLabels(collate)
    rows = data["train"].select(range(24))
    empty = sum(not count_labels(collate([row])) for row in rows)
    assert 0 < empty < 24
    config = LoopConfig(num_epochs=1, batch_size=1, gradient_accumulation_steps=accumulation, learning_rate=1e-3)
    model = small_model()
    history = fit(model, rows, collate, config)
    assert all(np.isfinite(record["loss"]) for record in history.steps)
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())
    if accumulation == 1:
        assert sum(record["grad_norm"] == 0 for record in history.steps) == empty


@pytest.mark.parametrize("options", [{}, {"folder": "states"}], ids=["no folder", "folder"])
def test_only_a_run_with_a_folder_sums_up_its_data(data, collate, tmp_path, monkeypatch, options):
    def refuse(*args, **options):
        raise AssertionError("summed up")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("course_lib.loop.blake2b", refuse)
    train = partial(fit, small_model(), data["train"], collate, LoopConfig(1, 8), progress=False, **options)
    if options:
        with pytest.raises(AssertionError, match="summed up"):
            train()
    else:
        assert len(train().steps) == 12


@pytest.fixture
def new_accelerate() -> Iterator[None]:
    "Accelerate keeps to the first precision of a process; a test with one of its own needs another process, or this."
    AcceleratorState._reset_state()
    yield
    AcceleratorState._reset_state()


def test_a_model_that_accelerate_prepared_is_evaluated_in_full_precision(data, collate, new_accelerate):
    expected = predict_logits(small_model(), data["validation"], collate)
    accelerator = Accelerator(mixed_precision="bf16", cpu=True)
    model = accelerator.prepare(small_model())
    halved = model(**collate([data["validation"][0]])).logits.detach().numpy()
    assert not np.array_equal(halved[0], expected[0])
    assert np.array_equal(predict_logits(model, data["validation"], collate, accelerator=accelerator), expected)
    assert np.array_equal(model(**collate([data["validation"][0]])).logits.detach().numpy(), halved)
