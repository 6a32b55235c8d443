"Chapter 6: the reader's own LoRA against peft's, and both tasks of the chapter on little data."

import ast
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from complaints import complaint_of
from datasets import ClassLabel, Dataset, DatasetDict
from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
from small_checkpoints import save_checkpoint
from small_classifier import small_model
from torch import nn
from transformers import GPT2Config, GPT2ForSequenceClassification
from transformers.pytorch_utils import Conv1D

from course_lib.adapters import (
    SETTINGS,
    PairClassifier,
    adapted,
    both_tasks,
    evaluate,
    fine_tune,
    head_parts,
    load,
    preprocess,
    train,
)
from course_lib.checkpoints import load_model, load_tokenizer
from course_lib.hub import write_model
from course_lib.loop import LoopConfig, fit
from course_lib.packing import collate_contexts
from course_lib.profiles import CourseError

NOTEBOOK = Path(__file__).parents[1] / "nbs" / "06_adapters.ipynb"
TINY = SETTINGS["tiny"]
LITTLE = {"train_size": 24, "validation_size": 8, "batch_size": 8, "max_length": 32, "rank": 2}


def from_the_lesson(*names: str) -> dict:
    "Classes and functions as the reader writes them."
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    found = {"nn": nn, "torch": torch, "Conv1D": Conv1D, "pairs": TINY, "device": lambda: "cpu"}
    found |= {"set_peft_model_state_dict": set_peft_model_state_dict, "re": __import__("re")}
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or "%pip" in source:
            continue
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name in names:
                exec(compile(ast.Module([node], []), "lesson", "exec"), found)
    return {name: found[name] for name in names}


def small_gpt(seed: int = 0) -> GPT2ForSequenceClassification:
    torch.manual_seed(seed)
    sizes = {"vocab_size": 45, "n_positions": 64, "n_embd": 16, "n_layer": 2, "n_head": 2, "num_labels": 2}
    drops = dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), 0.0)
    return GPT2ForSequenceClassification(GPT2Config(**sizes, **drops, pad_token_id=0)).eval()


def rows(count: int = 160) -> Dataset:
    "Label 1 where the first token is even."
    dice = np.random.default_rng(0)
    ids = dice.integers(1, 45, (count, 12))
    return Dataset.from_dict({"input_ids": ids.tolist(), "labels": (ids[:, 0] % 2 == 0).astype(int).tolist()})


def collate(examples: list) -> dict:
    return {name: torch.tensor([example[name] for example in examples]) for name in ("input_ids", "labels")}


def twins(make, rank: int = 4, alpha: float = 6.0):
    "The reader's model and peft's, with the same numbers."
    lesson = from_the_lesson("LoRA", "lora", "twin")
    mine = lesson["lora"](make(), rank, alpha)
    config = LoraConfig(task_type="SEQ_CLS", r=rank, lora_alpha=alpha, target_modules="all-linear")
    config.modules_to_save = head_parts(make())
    return mine, lesson["twin"](mine, get_peft_model(make(), config))


@pytest.mark.parametrize("make", [small_model, small_gpt])
def test_by_hand_and_by_peft_the_losses_are_equal_over_twenty_steps(make):
    mine, theirs = twins(make)
    assert sum(w.numel() for w in mine.parameters() if w.requires_grad) == theirs.get_nb_trainable_parameters()[0]
    config = LoopConfig(num_epochs=1, batch_size=8, learning_rate=1e-2, mixed_precision="no")
    one, two = ([step["loss"] for step in fit(m, rows(), collate, config, progress=False).steps] for m in (mine, theirs))
    assert len(one) == 20
    np.testing.assert_allclose(one, two, atol=1e-5)
    assert one[-1] < one[0] - 0.005


@pytest.mark.parametrize("make", [small_model, small_gpt])
def test_merged_is_equal_to_unmerged(make):
    mine, theirs = twins(make)
    fit(theirs, rows(), collate, LoopConfig(num_epochs=1, learning_rate=1e-2, mixed_precision="no"), progress=False)
    batch = collate(list(rows(8)))
    with torch.no_grad():
        apart = theirs(**batch).logits
        merged = theirs.merge_and_unload()
        assert type(merged) is type(make())
        torch.testing.assert_close(merged(**batch).logits, apart, atol=1e-5, rtol=0)
        assert not torch.equal(apart, mine(**batch).logits), "it has learned something"


def test_the_reader_s_layer_begins_as_it_was_and_has_the_rank_it_says():
    thin = from_the_lesson("LoRA")["LoRA"](layer := nn.Linear(20, 30), 3, 6)
    x = torch.randn(5, 20)
    assert torch.equal(thin(x), layer(x))
    thin(x).square().sum().backward()
    assert not thin.A.grad.any()
    assert thin.B.grad.any()
    assert layer.weight.grad is None
    nn.init.normal_(thin.B)
    assert torch.linalg.matrix_rank(thin.update()) == 3
    torch.testing.assert_close(thin(x), nn.functional.linear(x, layer.weight + thin.update(), layer.bias))


def test_only_the_adapter_and_the_head_are_trained():
    model = adapted(small_model(), replace(TINY, rank=2))
    trained = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert trained == {name for name in dict(model.named_parameters()) if ".default" in name}
    assert any("classifier" in name for name in trained)
    assert any("lora_A" in name for name in trained)


def test_layers_can_be_named_and_others_are_refused():
    model = adapted(small_model(), replace(TINY, targets="query, value", rank=2))
    names = {name for name, part in model.named_modules() if hasattr(part, "lora_A")}
    assert names
    assert all(name.endswith(("query", "value")) for name in names)
    complaint = complaint_of(CourseError, adapted, small_model(), replace(TINY, targets="q_proj"))
    assert "q_proj" in complaint
    assert "query" in complaint
    assert "rank=0" in complaint_of(CourseError, adapted, small_model(), replace(TINY, rank=0))


def test_another_task_is_refused():
    assert "'pairs'" in complaint_of(CourseError, replace, TINY, task="pair")


@pytest.mark.parametrize("profile", SETTINGS)
def test_each_profile_has_both_tasks(profile):
    settings = replace(SETTINGS[profile], seed=3, profile=profile)
    pairs, texts = both_tasks(settings)
    assert (pairs.task, texts.task) == ("pairs", "text")
    assert settings in (pairs, texts)
    assert {(one.seed, one.profile) for one in (pairs, texts)} == {(3, profile)}


def test_text_is_packed_and_scored():
    settings = replace(both_tasks(TINY)[1], **LITTLE)
    tokenizer = load_tokenizer(settings.checkpoint)
    data = preprocess(load(settings), tokenizer, settings)
    assert {len(ids) for split in data.values() for ids in split["input_ids"]} == {32}
    model = load_model("causal-lm", settings.checkpoint)
    found = evaluate(model, None, data["validation"], collate_contexts)
    with torch.no_grad():
        losses = [model(**collate_contexts([row])).loss.item() for row in data["validation"]]
    assert found["loss"] == pytest.approx(np.mean(losses), rel=1e-4)
    assert found["perplexity"] == pytest.approx(np.exp(found["loss"]))


def texts_of(label: int, count: int) -> list[dict]:
    return [{"sentence1": f"a b {'c' * (row % 4)}", "label": (row + label) % 2} for row in range(count)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> SimpleNamespace:
    "A small base, and two adapters for it that were trained with other labels."
    folder, base = tmp_path_factory.mktemp("adapters"), tmp_path_factory.mktemp("base")
    save_checkpoint("bert", base)
    for label, name in enumerate(("one", "two")):
        settings = replace(TINY, **LITTLE, checkpoint=str(base), learning_rate=5e-2, num_epochs=4, seed=label)
        tokenizer, model = load_tokenizer(base), adapted(load_model("sequence-classification", base, num_labels=2), settings)
        data = DatasetDict(train=Dataset.from_list(texts_of(label, 24)).cast_column("label", ClassLabel(names=["n", "y"])))
        fine_tune(model, tokenizer, preprocess(data, tokenizer, settings), settings, progress=False)
        write_model(model, tokenizer, None, folder / name)
    return SimpleNamespace(base=base, one=folder / "one", two=folder / "two")


def test_two_adapters_on_one_base_answer_as_each_alone(folders):
    both = PairClassifier.from_pretrained(str(folders.one))
    both.model.load_adapter(str(folders.two), "two")
    texts, said = ["a b c", "b b", "c"], {}
    for name, folder in (("default", folders.one), ("two", folders.two), ("default", folders.one)):
        both.model.set_adapter(name)
        said[name] = both(texts)
        np.testing.assert_allclose(said[name], PairClassifier.from_pretrained(str(folder))(texts), atol=1e-5)
    assert not np.allclose(*said.values(), atol=1e-3)


def test_a_saved_adapter_leaves_out_the_base(folders):
    from safetensors.torch import load_file

    saved = load_file(folders.one / "adapter_model.safetensors")
    base = load_file(folders.base / "model.safetensors")
    assert {name.split(".")[-2][:4] for name in saved if "lora" in name} == {"lora"}
    assert not [name for name in saved if any(name.endswith(own) for own in base)]


@pytest.mark.parametrize("task", ["pairs", "text"])
def test_the_whole_chapter_in_one_call(task, tmp_path):
    settings = replace(both_tasks(TINY)[task == "text"], **LITTLE, num_epochs=1)
    before = load_model({"pairs": "sequence-classification", "text": "causal-lm"}[task], settings.checkpoint)
    model, _, history = train(settings, folder=tmp_path, progress=False)
    assert {"pairs": "accuracy", "text": "perplexity"}[task] in history.evaluations[-1]
    kept = dict(before.base_model.named_parameters())
    own = dict(model.get_base_model().base_model.named_parameters())
    own = {name.replace(".base_layer", ""): weight for name, weight in own.items()}
    assert all(torch.equal(weight, own[name]) for name, weight in kept.items())


def test_an_adapter_as_checkpoint_is_trained_further(tmp_path):
    settings = replace(TINY, **LITTLE, num_epochs=1)
    model, tokenizer, _ = train(settings, progress=False)
    write_model(model, tokenizer, None, tmp_path / "first")
    again, _, _ = train(replace(settings, checkpoint=str(tmp_path / "first")), progress=False)
    assert [name for name, _ in again.named_parameters()] == [name for name, _ in model.named_parameters()]
    write_model(again, tokenizer, None, tmp_path / "second")
    second = json.loads((tmp_path / "second" / "adapter_config.json").read_text())
    assert second["base_model_name_or_path"] == "mini/encoder"
    assert PairClassifier.from_pretrained(tmp_path / "second")([("a", "b")]).shape == (1, 2)


def test_scores_are_learned_as_well(tmp_path):
    lines = [json.dumps({"sentence1": f"a {row}", "sentence2": "b", "label": row / 4}) + "\n" for row in range(30)]
    (tmp_path / "train.jsonl").write_text("".join(lines), encoding="utf-8")
    settings = replace(TINY, **LITTLE | {"dataset": str(tmp_path), "train_size": None})
    assert "pearson" in train(settings, progress=False)[-1].evaluations[-1]
