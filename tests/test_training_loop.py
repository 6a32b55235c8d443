"The loop against independent naive references."

import json
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator, PartialState
from accelerate.state import AcceleratorState
from complaints import complaint_of
from datasets import ClassLabel, Dataset, DatasetDict, IterableDatasetDict
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast, DataCollatorWithPadding

from course_lib.checkpoints import load_model, load_tokenizer
from course_lib.data import DataError, load_data
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
    own_batches,
    padding_share,
    predict_logits,
    summed_loss,
    token_lengths,
)
from course_lib.processes import launch
from course_lib.profiles import CourseError
from course_lib.training_loop import SETTINGS, check_labels, classify_pairs, evaluate_pairs, preprocess, tokenize_pairs

ROOT = Path(__file__).resolve().parents[1]
WORDS = [f"w{number}" for number in range(40)]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@pytest.fixture(scope="module")
def tokenizer() -> BertTokenizerFast:
    vocabulary = {piece: number for number, piece in enumerate(SPECIAL + WORDS)}
    raw = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    raw.normalizer, raw.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    raw.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return BertTokenizerFast(tokenizer_object=raw, model_max_length=64)


def small_model(seed: int = 0, dropout: float = 0.0, labels: int = 2) -> BertForSequenceClassification:
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(SPECIAL) + len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        num_labels=labels,
    )
    return BertForSequenceClassification(config).eval()


def make_pairs(count: int, seed: int = 0) -> Dataset:
    "Label 1 if both texts begin with the same word: learnable, with texts of very different lengths."
    generator = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        label = int(generator.integers(2))
        first, second = generator.choice(WORDS[:8], 2, replace=False)
        tails = [generator.choice(WORDS[8:], generator.integers(0, 12)) for _ in range(2)]
        texts = [" ".join([head, *tail]) for head, tail in zip((first, first if label else second), tails, strict=True)]
        rows.append({"sentence1": texts[0], "sentence2": texts[1], "label": label})
    return Dataset.from_list(rows).cast_column("label", ClassLabel(names=["no", "yes"]))


@pytest.fixture(scope="module")
def data(tokenizer) -> DatasetDict:
    return preprocess(DatasetDict(train=make_pairs(90), validation=make_pairs(41, seed=1)), tokenizer, 64)


@pytest.fixture(scope="module")
def collate(tokenizer) -> DataCollatorWithPadding:
    return DataCollatorWithPadding(tokenizer)


# Batches


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(0, 500), min_size=1, max_size=300),
    st.integers(1, 40),
    st.integers(0, 5),
    st.integers(0, 3),
    st.sampled_from([None, 1, 3, 50]),
)
def test_batches_hold_every_index_once(lengths, batch_size, seed, epoch, window):
    sampler = LengthGroupedBatches(lengths, batch_size, seed, window=window)
    sampler.set_epoch(epoch)
    batches = list(sampler)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert len(batches) == len(sampler) == -(-len(lengths) // batch_size)
    sizes = [len(batch) for batch in batches]
    assert max(sizes) <= batch_size
    assert min(sizes) >= (batch_size // 2 if len(batches) > 1 else 1)
    assert list(sampler) == batches


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 4), st.integers(1, 200), st.integers(0, 3))
def test_processes_share_the_batches_of_one(processes, count, seed):
    lengths = np.random.default_rng(seed).integers(1, 100, count)
    alone = list(LengthGroupedBatches(lengths, 8, seed))
    if min(map(len, alone)) < processes:
        with pytest.raises(CourseError, match="without an example"):
            LengthGroupedBatches(lengths, 8, seed, num_processes=processes)
        return
    parts = [list(LengthGroupedBatches(lengths, 8, seed, process_index=i, num_processes=processes)) for i in range(processes)]
    for batch, *shares in zip(alone, *parts, strict=True):
        assert sorted(batch) == sorted(index for share in shares for index in share)
        assert all(shares)


def test_epochs_and_seeds_change_the_order():
    lengths = np.arange(1, 101)
    first, again, other = (LengthGroupedBatches(lengths, 8, seed) for seed in (0, 0, 1))
    assert list(first) == list(again) != list(other)
    again.set_epoch(1)
    assert list(first) != list(again)


def test_grouping_pads_less_than_chance():
    lengths = np.random.default_rng(0).integers(10, 100, 1000)
    grouped = padding_share(lengths, LengthGroupedBatches(lengths, 16).batches())
    random = padding_share(lengths, LengthGroupedBatches(lengths, 16, window=None).batches())
    assert grouped < random / 4


def test_padding_share_counts_every_place():
    lengths = np.array([1, 2, 3, 6])
    batches = [np.array([0, 1]), np.array([2, 3])]
    assert padding_share(lengths, batches) == pytest.approx(1 - 12 / 16)
    assert padding_share(lengths, batches, width=8) == pytest.approx(1 - 12 / 32)


@pytest.mark.parametrize(("lengths", "size"), [([], 4), ([3, 4], 0)])
def test_impossible_batches_are_errors(lengths, size):
    with pytest.raises(CourseError):
        LengthGroupedBatches(lengths, size)


# Preparing


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=60)), min_size=1, max_size=5))
def test_tokenizing_together_is_tokenizing_one_by_one(tokenizer, pairs):
    first, second = map(list, zip(*pairs, strict=True))
    together = tokenize_pairs({"sentence1": first, "sentence2": second}, tokenizer, 16)
    for row, (a, b) in enumerate(pairs):
        # A list of one, because the library takes the pair ("", "") for a single text.
        alone = tokenizer([a], [b], truncation=True, max_length=16)
        assert {key: values[row] for key, values in together.items()} == {key: ids[0] for key, ids in alone.items()}
        assert together["input_ids"][row].count(tokenizer.sep_token_id) >= 2
        assert len(together["input_ids"][row]) <= 16


def test_preprocess_leaves_numbers_only(data, tokenizer):
    assert set(data["train"].column_names) == {"labels", "input_ids", "token_type_ids", "attention_mask"}
    with pytest.raises(CourseError, match="max_length=65"):
        preprocess(data, tokenizer, 65)


def test_token_lengths_also_of_a_selection(data):
    chosen = data["train"].select([5, 3, 80, 3])
    assert token_lengths(chosen).tolist() == [len(ids) for ids in chosen["input_ids"]]


def test_a_label_without_a_class_is_an_error(data):
    check_labels(data, small_model(labels=2))
    with pytest.raises(DataError, match=r"train: label 1 in row \d+, but the model has the classes 0 to 0") as caught:
        check_labels(data, small_model(labels=1))
    assert "\n" not in str(caught.value)


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


def test_a_run_takes_the_settings_of_a_chapter():
    config = LoopConfig.from_settings(SETTINGS["tiny"], num_epochs=7, schedule="cosine")
    assert (config.num_epochs, config.schedule) == (7, "cosine")
    assert config.learning_rate == SETTINGS["tiny"].learning_rate
    assert config.weight_decay == LoopConfig().weight_decay, "the chapter does not name it"


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [({}, "no"), ({"avx512_f": True, "avx512_bf16": False}, "no"), ({"avx512_bf16": True}, "bf16"), ({"amx_bf16": True}, "bf16")],
)
def test_precision_on_a_cpu(monkeypatch, capabilities, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)  # the machine has a GPU; this run is not on it
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert choose_precision("auto", "cpu") == expected
    assert choose_precision("bf16") == "bf16"
    assert choose_precision("no") == "no"


@pytest.mark.parametrize(("device", "native", "expected"), [("cuda:0", True, "bf16"), ("cuda", False, "fp16"), ("mps", True, "no")])
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
            peak * (step / warmup if step < warmup else falling((step - warmup) / (steps - warmup))) for step in range(steps)
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
    score = partial(evaluate_pairs, dataset=data["train"], collate=collate)
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


def test_history_survives_json_and_draws_itself(data, collate):
    import matplotlib

    matplotlib.use("Agg")
    score = partial(evaluate_pairs, dataset=data["validation"], collate=collate)
    history = fit(small_model(), data["train"], collate, LoopConfig(1, 8), evaluate=score, progress=False)
    assert History(**json.loads(json.dumps(history.to_dict()))) == history
    axes = history.plot("accuracy")
    assert [axis.get_ylabel() for axis in axes] == ["loss", "learning rate", "accuracy"]


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
    full = fit(small_model(), data["train"], collate, LoopConfig(1, 8, learning_rate=1e-3, mixed_precision="no"), progress=False)
    assert full.steps[0]["loss"] != history.steps[0]["loss"]
    assert full.steps[0]["loss"] == pytest.approx(history.steps[0]["loss"], abs=0.02)


def test_evaluation_is_in_full_precision_while_training_is_not(data, collate):
    seen = []

    def score(model, accelerator):
        seen.append(model(**collate([data["validation"][0]])).logits.dtype)
        return evaluate_pairs(model, accelerator, data["validation"], collate)

    model = small_model()
    history = fit(
        model, data["train"], collate, LoopConfig(1, 8, mixed_precision="bf16"), evaluate=score, progress=False
    )
    assert history.evaluations[-1] | evaluate_pairs(model, None, data["validation"], collate) == history.evaluations[-1]
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


def test_a_second_precision_where_accelerate_does_not_forget(data, collate, monkeypatch):
    fit(small_model(), data["train"], collate, LoopConfig(1, 8, mixed_precision="no"), progress=False)
    config = LoopConfig(1, 8, mixed_precision="bf16")
    with monkeypatch.context() as patch:
        patch.delattr(AcceleratorState, "_reset_state")
        assert "Restart" in complaint_of(CourseError, fit, small_model(), data["train"], collate, config, progress=False)
        same = LoopConfig(1, 8, mixed_precision="no")
        assert fit(small_model(), data["train"], collate, same, progress=False).steps


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


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 50), max_size=40), st.integers(1, 7), st.integers(1, 4))
def test_processes_evaluate_everything_once(lengths, batch_size, world):
    class Process:
        num_processes = world

        def __init__(self, index):
            self.process_index = index

    shares = [own_batches(np.array(lengths, np.int64), batch_size, Process(index)) for index in range(world)]
    assert sorted(index for share in shares for batch in share for index in batch) == list(range(len(lengths)))
    (alone,) = ([lengths[index] for batch in own_batches(np.array(lengths, np.int64), batch_size) for index in batch],)
    assert alone == sorted(lengths, reverse=True)


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
    with pytest.raises(DataError, match="nothing to train on"):
        fit(small_model(), data["train"].select([]), collate, LoopConfig(), progress=False)


def test_count_labels_ignores_what_the_loss_ignores():
    assert count_labels({"labels": torch.tensor([[1, -100], [0, 2]])}) == 3
    assert count_labels({"input_ids": torch.zeros(5, 2)}) == 5


def test_skipped_batches_are_the_first_ones():
    sampler = LengthGroupedBatches(np.arange(1, 40), 4, seed=3)
    sampler.set_epoch(2)
    whole = list(sampler)
    for start in (0, 1, 5, len(whole)):
        sampler.set_epoch(2, start)
        assert list(sampler) == whole[start:]
    assert len(sampler) == len(whole), "the length of an epoch does not depend on where it is begun"


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


def test_without_a_folder_the_complaint_says_how_to_have_one(data, collate):
    config = LoopConfig(1, 8, learning_rate=1e30, warmup=0, schedule="constant", max_grad_norm=None)
    complaint = complaint_of(CourseError, fit, small_model(), data["train"], collate, config, progress=False)
    assert "Lower learning_rate" in complaint
    assert "give fit a folder" in complaint


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory: you tried to ..."),
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
    complaint = complaint_of(CourseError, fit, model, data["train"], spoiled(collate, 2, fail), LoopConfig(1, 2), progress=False)
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


def test_a_loader_that_yields_nothing_is_an_error(data, collate, monkeypatch):
    monkeypatch.setattr(LengthGroupedBatches, "__iter__", lambda self: iter(()))
    complaint = complaint_of(DataError, fit, small_model(), data["train"], collate, LoopConfig(1, 8), progress=False)
    assert "Epoch 1 has no batch" in complaint


def test_the_publisher_is_called_after_each_epoch_and_may_fail(data, collate):
    seen = []

    def publisher(model, history):
        seen.append((len(history.steps), len(history.evaluations), model.training))
        raise OSError("no\nnetwork")

    options = {"evaluate": lambda *_: {"loss": 1.0}, "progress": False, "publisher": publisher}
    with pytest.warns(UserWarning, match="Publishing failed, training goes on: no network"):
        fit(small_model(), data["train"], collate, LoopConfig(2, 8), **options)
    assert [(steps, evaluations) for steps, evaluations, _ in seen] == [(12, 1), (24, 2)]


# Predicting


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_predictions_come_in_the_order_of_the_data(data, collate, batch_size):
    model = small_model()
    rows = data["validation"]
    expected = [model(**collate([rows[index]])).logits[0].detach().numpy() for index in range(len(rows))]
    found = predict_logits(model, rows, collate, batch_size=batch_size)
    assert found.dtype == np.float32
    assert np.allclose(found, expected, atol=1e-5)


def test_classify_gives_probabilities_in_order(tokenizer):
    model = small_model()
    pairs = [("w1 w2", "w1"), ("", ""), ("😀 é 日本 e\u0301", "w3"), ("w4 " * 500, "w5"), ("w1 w2", "w1")]
    found = classify_pairs(model, tokenizer, pairs, max_length=64)
    assert found.shape == (5, 2)
    assert np.allclose(found.sum(1), 1, atol=1e-6)
    for row, pair in enumerate(pairs):
        assert np.allclose(classify_pairs(model, tokenizer, [pair], max_length=64)[0], found[row], atol=1e-5)
    assert classify_pairs(model, tokenizer, []).shape == (0, 2)
    with pytest.raises(DataError, match="two sentences"):
        classify_pairs(model, tokenizer, [("one",)])


# Processes


def test_two_processes_give_the_result_of_one(data, collate):
    train, held_out = data["train"].select(range(61)), data["validation"]

    def short_run():
        model = small_model()
        score = partial(evaluate_pairs, dataset=held_out, collate=collate)
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


def test_launch_passes_arguments_and_returns_by_rank():
    before = PartialState().num_processes

    def rank_and(text: str) -> list:
        return [PartialState().process_index, PartialState().num_processes, text]

    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert launch(rank_and, "é", num_processes=2, cpu=True) == [[0, 2, "é"], [1, 2, "é"]]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers, "Ctrl-C is Ctrl-C"
    assert PartialState().num_processes == before, "the notebook's own state is back"


# A notebook where torch sees a GPU, whose threads no fork survives: here a forked process ends at once.
NOTEBOOK = """
import json, os, sys, types
import torch
from accelerate import Accelerator, PartialState
from datasets import Dataset

for name in ("loop", "processes"):
    with open(f"nbs/workbench/{name}.ipynb", encoding="utf-8") as file:
        cells = ["".join(cell["source"]) for cell in json.load(file)["cells"]]
    for cell in cells:
        if cell.startswith("#| export"):  # as in a notebook that defines `launch` and `fit` itself
            exec(cell)
if sys.argv[1] == "colab":
    sys.modules["google.colab"] = types.ModuleType("google.colab")
    sys.modules["IPython"] = types.SimpleNamespace(get_ipython=lambda: "google.colab._shell")
if sys.argv[1] == "gpu":
    torch.accelerator.is_available = lambda: True
    os.register_at_fork(after_in_child=lambda: os._exit(1))
Accelerator(mixed_precision="bf16")


class Box:
    content = 2.0


class Model(torch.nn.Linear):
    def __init__(self):
        super().__init__(2, 2)

    def forward(self, input_ids, labels):
        loss = torch.nn.functional.cross_entropy(super().forward(input_ids.float()), labels)
        return types.SimpleNamespace(loss=loss)


def stack(rows):
    return {name: torch.tensor([row[name] for row in rows]) for name in rows[0]}


box, rows = Box(), Dataset.from_list([{"input_ids": [1, 2], "labels": 0}] * 8)


def work(text):
    weight = torch.ones(3, requires_grad=True)
    (weight * box.content).sum().backward()
    history = fit(Model(), rows, stack, LoopConfig(num_epochs=1, batch_size=4, mixed_precision="no"), progress=False)
    here, steps = PartialState(), len(history.steps)
    return [here.process_index, here.num_processes, here.device.type, text, weight.grad.sum().item(), steps]


print(json.dumps(launch(work, "é", num_processes=2, cpu=True)))
stream = (word for word in "ab")
if sys.argv[1] == "gpu":
    try:
        launch(lambda: next(stream), cpu=True)
    except Exception as error:
        print(type(error).__name__, error)
"""


@pytest.mark.parametrize("where", ["gpu", "colab"])
def test_launch_gives_as_many_results_everywhere(where):
    command = [sys.executable, "-c", NOTEBOOK, where]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=ROOT)
    assert not done.returncode, done.stderr
    said = done.stdout.splitlines()
    assert json.loads(said[0]) == [[rank, 2, "cpu", "é", 6.0, 2] for rank in (0, 1)]
    if where == "gpu":
        assert said[1].startswith("CourseError")
        assert "cannot be sent" in said[1]


def test_more_processes_than_gpus_are_an_error(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    message = complaint_of(CourseError, launch, int, num_processes=2)
    assert "num_processes=2" in message
    assert "cpu=True" in message


# Real data


def test_the_chapter_s_path_on_64_real_pairs(shared):
    folder = shared / "models" / "minilm-l6"
    raw = load_data(shared / "data" / "mrpc", "pairs", train_size=64, validation_size=32)
    tokenizer = load_tokenizer(folder)
    rows = preprocess(raw, tokenizer, SETTINGS["tiny"].max_length)
    model = load_model("sequence-classification", folder, num_labels=2)
    check_labels(rows, model)
    collate = DataCollatorWithPadding(tokenizer)
    score = partial(evaluate_pairs, dataset=rows["validation"], collate=collate)
    before = score(model, None)
    history = fit(model, rows["train"], collate, LoopConfig(1, 8, learning_rate=1e-4), evaluate=score, progress=False)
    after = history.evaluations[-1]
    assert abs(before["loss"] - np.log(2)) < 0.2
    assert after["loss"] != before["loss"]
    assert len(history.steps) == 8
    probabilities = classify_pairs(model, tokenizer, list(zip(raw["validation"]["sentence1"], raw["validation"]["sentence2"], strict=True)))
    assert (probabilities.argmax(1) == np.array(rows["validation"]["labels"])).mean() == after["accuracy"]


def test_processes_that_have_nothing_to_do_still_meet():
    # Without a meeting at both ends, the first to finish would hang up on those that still connect.
    for _ in range(3):
        assert launch(lambda: PartialState().process_index, num_processes=4, cpu=True) == [0, 1, 2, 3]


@pytest.mark.parametrize("change", [lambda some: some * 2000, lambda some: some - 50, lambda some: some / 7])
def test_lengths_that_need_more_than_16_bits_are_sorted_alike(change):
    lengths = np.random.default_rng(0).integers(1, 100, 1000)
    short = LengthGroupedBatches(lengths, 8).batches()
    assert all(map(np.array_equal, short, LengthGroupedBatches(change(lengths), 8).batches()))


# Input that cannot be


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


def test_numbers_of_numpy_and_torch_become_python_s_own():
    config = LoopConfig(batch_size=np.int64(4), learning_rate=np.float32(0.5), seed=torch.tensor(3), warmup=2)
    assert (config.batch_size, config.learning_rate, config.seed, config.warmup) == (4, 0.5, 3, 2.0)
    assert {type(value) for value in (config.batch_size, config.seed)} == {int}
    assert json.loads(json.dumps(vars(config)))["learning_rate"] == 0.5


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


@pytest.mark.parametrize("size", [0, -1])
def test_evaluating_in_batches_of_nothing_is_an_error(data, collate, size):
    assert f"batch_size={size}" in complaint_of(CourseError, own_batches, [3, 4], size)
    message = complaint_of(CourseError, predict_logits, small_model(), data["train"], collate, batch_size=size)
    assert f"batch_size={size}" in message


def test_evaluating_nothing_is_an_error(data, collate):
    nothing = data["train"].select([])
    assert "empty" in complaint_of(DataError, evaluate_pairs, small_model(), None, nothing, collate)


def test_examples_that_are_no_tokenized_data_set_are_named(data, collate):
    complaint = partial(complaint_of, DataError, fit, small_model(), collate=collate, config=LoopConfig())
    assert "IterableDataset" in complaint(data["train"].to_iterable_dataset())
    assert "list" in complaint(data["train"].to_list())
    assert "labels" in complaint(data["train"].select_columns(["labels"]))


def test_preprocess_names_what_is_missing_and_leaves_nothing_foreign(tokenizer):
    pairs = make_pairs(4)
    complaint = partial(complaint_of, DataError, preprocess, tokenizer=tokenizer, max_length=32)
    assert "Give a DatasetDict" in complaint(pairs)
    assert "IterableDataset" in complaint(IterableDatasetDict(train=pairs.to_iterable_dataset()))
    assert "'sentence2'" in complaint(DatasetDict(test=pairs.remove_columns("sentence2")))
    made = preprocess(DatasetDict(train=pairs.add_column("note", ["é"] * 4)), tokenizer, 32)["train"]
    assert sorted(made.column_names) == ["attention_mask", "input_ids", "labels", "token_type_ids"]


@pytest.mark.parametrize(
    ("pair", "words"), [(("a", "\ud800"), "surrogate"), (("a", None), "None"), ((3, "b"), "Text 0 is 3")]
)
def test_pairs_that_are_no_text_are_named(tokenizer, pair, words):
    assert words in complaint_of(CourseError, classify_pairs, small_model(), tokenizer, [pair], max_length=32)


@pytest.mark.parametrize("length", [-1, 0, 5000])
def test_classifying_at_a_length_that_the_model_cannot_read_is_an_error(tokenizer, length):
    message = complaint_of(CourseError, classify_pairs, small_model(), tokenizer, [("w1", "w2")], max_length=length)
    assert f"max_length={length}" in message


@pytest.mark.parametrize("processes", [0, -1])
def test_launching_no_process_is_an_error(processes):
    assert f"num_processes={processes}" in complaint_of(CourseError, launch, int, num_processes=processes)


def test_what_a_process_complains_of_arrives_in_one_line():
    def complain():
        raise DataError("Row 3 is empty. Fill it in.")

    assert complaint_of(CourseError, launch, complain, num_processes=2, cpu=True) == "Row 3 is empty. Fill it in."
