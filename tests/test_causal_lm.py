"The model, training and completions of chapter 4 against independent naive references."

import json
import math
import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from complaints import complaint_of
from datasets import Dataset, DatasetDict
from pretended_gpu import pretended_gpu
from small_checkpoints import save_checkpoint
from transformers import (
    CohereConfig,
    CohereForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    GPT2Config,
    GraniteConfig,
    GraniteForCausalLM,
)

from course_lib.causal_lm import (
    SETTINGS,
    CodeCompleter,
    collate_contexts,
    evaluate,
    fine_tune,
    load,
    new_model,
    preprocess,
    train,
)
from course_lib.checkpoints import load_model, load_tokenizer
from course_lib.data import load_data
from course_lib.loop import LoopConfig, fit
from course_lib.packing import tokenize_code, train_code_tokenizer
from course_lib.processes import launch
from course_lib.profiles import CourseError
from recipes.causal.prompts import PROMPTS, parses

TINY = {"vocab_size": 400, "context_length": 16, "positions": 32, "layers": 1, "width": 16, "heads": 2}
TINY |= {"train_contexts": 48, "validation_contexts": 8, "batch_size": 4, "gradient_accumulation_steps": 2}
TINY |= {"train_size": None, "validation_size": None, "keywords": "pandas", "key_tokens": "df return"}
TINY |= {"eval_every": None, "learning_rate": 1e-2}


def tiny(**changes):
    return replace(SETTINGS["tiny"], **TINY | changes)


def make_files(count: int, seed: int = 0) -> list[str]:
    "Functions that differ in their names and numbers; every third file speaks of pandas."
    generator = np.random.default_rng(seed)
    files = []
    for number in range(count):
        lines = ["import pandas as pd\n"] if number % 3 == 0 else ["import os\n"]
        for name in generator.choice(["mean", "total", "load", "scale", "größe"], 3):
            a, b = generator.integers(0, 9, 2)
            lines.append(f"\ndef {name}(df, x={a}):\n    if x > {b}:\n        return df.fit(x)\n    return x\n")
        files.append("".join(lines))
    return files


@pytest.fixture(scope="module")
def tokenizer():
    return train_code_tokenizer(make_files(60), 300, model_max_length=64)


@pytest.fixture(scope="module")
def data(tokenizer) -> DatasetDict:
    files = {split: Dataset.from_dict({"content": make_files(n, n)}) for split, n in (("train", 40), ("validation", 9))}
    return preprocess(DatasetDict(files), tokenizer, tiny(train_contexts=None, validation_contexts=None))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("code")
    for split, count in (("train", 90), ("validation", 30)):
        rows = [json.dumps({"content": text}) + "\n" for text in make_files(count, count)]
        (folder / f"{split}.jsonl").write_text("".join(rows), encoding="utf-8")
    return str(folder)


# The model


def test_the_large_model_is_gpt2():
    with torch.device("meta"):
        ours = new_model(SETTINGS["full"], 50_257)
    theirs = GPT2Config()
    assert ours.num_parameters() == 124_439_808
    for name in ("n_layer", "n_head", "n_embd", "n_positions", "initializer_range", "activation_function"):
        assert getattr(ours.config, name) == getattr(theirs, name)
    assert SETTINGS["full"].vocab_size == 50_000


@pytest.mark.parametrize("width", [64, 128, 256, 384])
def test_untrained_loss_is_that_of_guessing(width):
    model = new_model(tiny(positions=64, width=width, heads=4, layers=2), 2000)
    rows = Dataset.from_dict({"input_ids": np.random.default_rng(0).integers(0, 2000, (8, 64))})
    assert abs(evaluate(model, None, rows)["loss"] / math.log(2000) - 1) < 0.05


def test_same_seed_same_weights():
    one, two, other = (new_model(tiny(seed=seed), 300).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


# Evaluation and training


def perplexity_naively(model, rows):
    losses = []
    with torch.no_grad():
        for ids in rows:
            logits = model(input_ids=torch.tensor([ids])).logits[0].double().log_softmax(-1)
            losses += [-logits[place, token].item() for place, token in enumerate(ids[1:])]
    return math.exp(np.mean(losses))


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_perplexity_is_exact_for_any_batch_size(data, tokenizer, batch_size):
    model, rows = new_model(tiny(), len(tokenizer)), data["validation"].select(range(7))
    found = evaluate(model.train(), None, rows, batch_size=batch_size)
    assert model.training
    assert math.isclose(found["perplexity"], perplexity_naively(model.eval(), rows["input_ids"][:]), rel_tol=1e-5)
    assert math.isclose(found["perplexity"], math.exp(found["loss"]))


@pytest.mark.parametrize("kind", ["granite", "gemma 2", "cohere"])
def test_the_perplexity_of_models_that_scale_or_cap_their_logits(kind):
    shape = {"vocab_size": 40, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    shape |= {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8, "max_position_embeddings": 32}
    config, model = {
        "granite": (GraniteConfig(**shape, logits_scaling=8.0), GraniteForCausalLM),
        "gemma 2": (Gemma2Config(**shape, final_logit_softcapping=2.0), Gemma2ForCausalLM),
        "cohere": (CohereConfig(**shape, logit_scale=0.1), CohereForCausalLM),
    }[kind]
    torch.manual_seed(0)
    model, ids = model(config).eval(), torch.randint(40, (3, 9), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = model(input_ids=ids, labels=ids).loss.item()
    rows = Dataset.from_dict({"input_ids": ids.tolist()})
    assert evaluate(model, None, rows, batch_size=2)["loss"] == pytest.approx(expected, rel=1e-4)


def test_two_processes_share_the_evaluation(data, tokenizer):
    model, rows = new_model(tiny(), len(tokenizer)), data["validation"].select(range(9))

    def run():
        return evaluate(model, Accelerator(), rows, batch_size=2)

    one, two = evaluate(model, None, rows), launch(run, num_processes=2, cpu=True)
    assert two[0] == two[1]
    assert math.isclose(one["loss"], two[0]["loss"], rel_tol=1e-6)


def test_train_is_the_same_for_one_process_two_and_four(folder):
    def run():
        model, tokenizer, history = train(tiny(dataset=folder, batch_size=8), progress=False)
        weights = sum(p.double().sum().item() for p in model.parameters())
        return {"history": history.to_dict(), "sum": weights, "tokens": tokenizer(make_files(3))["input_ids"]}

    one, *others = (launch(run, num_processes=number, cpu=True) for number in (1, 2, 4))
    assert one[0]["history"]["evaluations"][-1]["perplexity"] < 0.6 * 400, "it has learned"
    for found in others:
        assert all(each == found[0] for each in found)
        assert found[0]["tokens"] == one[0]["tokens"]
        for name in ("steps", "evaluations"):
            for single, several in zip(one[0]["history"][name], found[0]["history"][name], strict=True):
                assert single == pytest.approx(several, rel=1e-3)


def test_one_process_loads_and_the_others_read(folder, tmp_path, monkeypatch):
    def note(*arguments, **options):
        (tmp_path / str(os.getpid())).touch()
        return load_data(*arguments, **options)

    monkeypatch.setattr("course_lib.causal_lm.load_data", note)
    launch(lambda: len(train(tiny(dataset=folder), progress=False)), num_processes=3, cpu=True)
    assert len(list(tmp_path.iterdir())) == 1
    lost = lambda: train(tiny(dataset=folder, keywords="no_such_word"), progress=False)
    assert "no_such_word" in complaint_of(CourseError, launch, lost, num_processes=2, cpu=True)


def test_train_is_its_stages_and_takes_the_options_of_fit(folder):
    settings = tiny(dataset=folder, key_tokens="")
    files = load(settings)
    tokenizer = train_code_tokenizer(files["train"]["content"], settings.vocab_size)
    data = preprocess(files, tokenizer, settings)
    model = new_model(settings, len(tokenizer), tokenizer.eos_token_id)
    history = fine_tune(model, tokenizer, data, settings, progress=False)
    again, _, second = train(settings, progress=False)
    assert history.to_dict() == second.to_dict()
    assert all(torch.equal(one, two) for one, two in zip(model.parameters(), again.parameters(), strict=True))
    plain = new_model(settings, len(tokenizer), tokenizer.eos_token_id)
    library = fit(plain, data["train"], collate_contexts, LoopConfig.from_settings(settings, schedule="cosine"))
    assert [step["loss"] for step in library.steps] == pytest.approx([step["loss"] for step in history.steps], rel=1e-3)
    _, _, none = train(settings, progress=False, evaluate=None)
    assert none.evaluations == []


def test_without_a_validation_split_nothing_is_evaluated(tokenizer):
    alone = preprocess(DatasetDict(train=Dataset.from_dict({"content": make_files(40)})), tokenizer, tiny())
    history = fine_tune(new_model(tiny(), len(tokenizer)), tokenizer, alone, tiny(), progress=False)
    assert history.steps
    assert not history.evaluations


def test_weights_of_key_tokens_change_the_training(folder):
    losses = [train(tiny(dataset=folder, key_tokens=words), progress=False)[2].steps[0]["loss"] for words in ("df", "")]
    assert losses[0] > 1.5 * losses[1]


def test_training_with_bad_settings(folder):
    assert "no_such_word" in complaint_of(CourseError, train, tiny(dataset=folder, keywords="no_such_word"))
    assert "context_length=33" in complaint_of(CourseError, tiny, context_length=33)
    assert "context_length=1" in complaint_of(CourseError, tiny, context_length=1)
    assert "qqzz" in complaint_of(CourseError, train, tiny(dataset=folder, key_tokens="qqzz"))


def test_full_fills_a_gpu_and_keeps_its_steps():
    full = SETTINGS["full"]
    assert full.batch_size * full.context_length >= 16_384
    assert full.batch_size * full.gradient_accumulation_steps * full.context_length == 32_768


# Completions


@pytest.fixture(scope="module")
def complete():
    return CodeCompleter.from_pretrained("mini/causal")


def complete_naively(model, tokenizer, prompt, count):
    ids = tokenize_code([prompt], tokenizer)[0].as_py() or [tokenizer.eos_token_id]
    new = []
    with torch.no_grad():
        for _ in range(count):
            token = model(input_ids=torch.tensor([ids + new])).logits[0, -1].argmax().item()
            if token == tokenizer.eos_token_id:
                return tokenizer.decode(new)
            new.append(token)
    text = tokenizer.decode(new)
    return text[: text.rfind("\n") + 1]


def test_completions_are_those_of_a_plain_loop():
    model, tokenizer = load_model("causal-lm", "mini/causal"), load_tokenizer("mini/causal")
    complete = CodeCompleter(model, tokenizer, batch_size=3)
    prompts = ["import numpy as np\n", "", "def f(x):\n    return", "# 日本語 é\nx = {", "x = 1\n" * 300]
    found = complete(prompts, max_new_tokens=16)
    long = tokenizer.decode(tokenize_code(prompts[-1:], tokenizer)[0].as_py()[16 - 256 :])
    assert found == [complete_naively(model, tokenizer, prompt, 16) for prompt in [*prompts[:-1], long]]
    assert complete(prompts[0], max_new_tokens=16) == found[0]
    assert complete([], max_new_tokens=16) == []
    assert tokenizer.truncation_side == "right", "the reader's tokenizer is left alone"


def test_completions_on_a_gpu_are_those_of_the_cpu(complete):
    options = {"max_new_tokens": 8, "sample": True, "whole_lines": False}
    expected = complete(PROMPTS[:3], **options)
    with pretended_gpu():
        model = load_model("causal-lm", "mini/causal").to("cuda")
        assert CodeCompleter(model, complete.tokenizer)(PROMPTS[:3], **options) == expected


def test_sampling_depends_on_its_seed_alone(complete):
    state = torch.get_rng_state()
    options = {"max_new_tokens": 12, "sample": True, "whole_lines": False}
    one = complete(PROMPTS[:3], seed=1, **options)
    torch.manual_seed(5)
    assert complete(PROMPTS[:3], seed=1, **options) == one
    assert complete(PROMPTS[:3], seed=2, **options) != one
    torch.set_rng_state(state)
    complete(PROMPTS[:3], **options)
    assert torch.equal(torch.get_rng_state(), state), "the generator of others is left alone"


def test_another_checkpoint_stands_in_for_one_that_is_gone(capsys):
    assert "nobody/no-such-model" in complaint_of(CourseError, CodeCompleter.from_pretrained, "nobody/no-such-model")
    found = CodeCompleter.from_pretrained("nobody/no-such-model", instead="mini/causal")
    assert found.model.name_or_path.endswith("causal")
    assert "Going on with mini/causal." in capsys.readouterr().out


def test_more_than_half_of_the_packaged_completions_parse(complete):
    texts = complete(PROMPTS)
    assert len(PROMPTS) == len(set(PROMPTS)) == 50
    assert sum(parses(prompt, text) for prompt, text in zip(PROMPTS, texts, strict=True)) > 25


def test_parses():
    assert parses("x = ", "1")
    assert parses("def f():\n", "    return '\\d'\n")
    for prompt, text in [("x = 1\n", ""), ("x = 1\n", " \n"), ("x = ", "("), ("x = ", "'\0'"), ("", "(" * 5000)]:
        assert not parses(prompt, text)


class Writes:
    "A model that goes on with these texts, whatever it was asked."

    def __init__(self, model, tokenizer, *texts):
        self.model, self.rows = model, [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]

    def __call__(self, input_ids, pad_token_id, **options):
        self.asked, width = input_ids.tolist(), max(map(len, self.rows))
        rows = [row + [pad_token_id] * (width - len(row)) for row in self.rows]
        return torch.cat([input_ids, torch.tensor(rows)], 1)


def test_a_completion_keeps_the_blank_that_its_tokenizer_would_strip(tmp_path, monkeypatch):
    "Llama's drops a first blank when it decodes, and begins each text with a token."
    complete = CodeCompleter.from_pretrained(str(save_checkpoint("llama", tmp_path)))
    tokenizer, end = complete.tokenizer, complete.tokenizer.eos_token
    writes = Writes(complete.model, tokenizer, "+ b" + end, "+ c, d" + end)
    monkeypatch.setattr(complete.model, "generate", writes)
    assert tokenizer.decode(writes.rows[0]).startswith("+"), "alone, the blank is gone"
    assert complete(["x = a", "y = 1"]) == [" + b", " + c, d"]
    assert all(row[row.count(tokenizer.pad_token_id)] == tokenizer.bos_token_id for row in writes.asked)


def test_marks_keep_their_blanks_and_any_end_ends(tmp_path, monkeypatch):
    complete = CodeCompleter.from_pretrained(str(save_checkpoint("gpt2", tmp_path)))
    complete.tokenizer.clean_up_tokenization_spaces = True
    complete.model.generation_config.eos_token_id = [complete.tokenizer.eos_token_id, 5]
    stop = complete.tokenizer.convert_ids_to_tokens(5)
    monkeypatch.setattr(complete.model, "generate", Writes(complete.model, complete.tokenizer, f" , b .{stop}never"))
    assert complete("x = a ?") == " , b ."
