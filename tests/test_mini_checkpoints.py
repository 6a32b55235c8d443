"""The packaged checkpoints: small, safe to load, complete, and able to do what their cards say."""

import ast
import json
import math
import unicodedata

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForSeq2SeqLM, AutoTokenizer

from course_lib.checkpoints import MINI_FOLDER, load_model, load_tokenizer, new_weights

CHECKPOINTS = {"encoder": AutoModelForMaskedLM, "seq2seq": AutoModelForSeq2SeqLM, "causal": AutoModelForCausalLM}
MEGABYTE = 1_000_000
TEXTS = [
    "",
    "Plain words.",
    "Zoë’s café",
    "日本語のテキスト",
    "emoji 👩‍🚀 and more",
    "e\u0301 combining",
    "%1 of {name} &File",
]


def size_of(name: str) -> int:
    return sum(path.stat().st_size for path in (MINI_FOLDER / name).rglob("*") if path.is_file())


def test_each_is_small_and_all_together_fit_the_package():
    assert {path.parent.name for path in MINI_FOLDER.glob("*/model.safetensors")} == set(CHECKPOINTS)
    assert all(size_of(name) <= 14 * MEGABYTE for name in CHECKPOINTS)
    assert sum(map(size_of, CHECKPOINTS)) <= 32 * MEGABYTE


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_nothing_but_safetensors_json_and_a_card(name):
    names = {path.name for path in (MINI_FOLDER / name).iterdir()}
    assert {"README.md", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= names
    assert all(file.endswith((".json", ".safetensors", ".md")) for file in names)
    assert all(tensor.dtype == torch.float16 for tensor in load_file(MINI_FOLDER / name / "model.safetensors").values())


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_the_card_says_what_it_is_made_of_and_not_good_for(name):
    card = (MINI_FOLDER / name / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\n")
    assert "Not good for" in card
    assert "held-out" in card or "held out" in card


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_plain_transformers_loads_it_completely(name):
    folder = MINI_FOLDER / name
    model, report = CHECKPOINTS[name].from_pretrained(folder, output_loading_info=True)
    assert not report["missing_keys"]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.is_fast
    assert len(tokenizer) == model.config.vocab_size
    assert json.loads((folder / "tokenizer_config.json").read_text())["tokenizer_class"] == "PreTrainedTokenizerFast"


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_any_text_can_be_read(name):
    tokenizer = load_tokenizer(f"mini/{name}")
    for text in TEXTS:
        ids = tokenizer(text)["input_ids"]
        assert all(0 <= token < len(tokenizer) for token in ids)
        if name != "encoder":  # byte fallback: no character is unknown
            read = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
            assert read.split() == (text if name == "causal" else unicodedata.normalize("NFC", text)).split()


def test_the_encoder_brings_the_heads_that_its_card_names():
    assert new_weights(load_model("masked-lm", "mini/encoder")) == []
    fresh = new_weights(load_model("sequence-classification", "mini/encoder"))
    assert fresh
    assert not any("dense" in name for name in fresh)


def test_the_encoder_knows_words_but_not_yet_films():
    tokenizer, model = load_tokenizer("mini/encoder"), load_model("masked-lm", "mini/encoder").eval()
    encoded = tokenizer("This is a great [MASK].", return_tensors="pt")
    place = (encoded["input_ids"][0] == tokenizer.mask_token_id).nonzero().item()
    with torch.no_grad():
        best = model(**encoded).logits[0, place].topk(5).indices.tolist()
    words = tokenizer.convert_ids_to_tokens(best)
    assert all(word.isalpha() for word in words), words
    assert not set(words) & {"film", "movie", "picture", "story", "show", "performance", "cast"}


def test_the_encoder_is_far_better_than_guessing_by_vocabulary():
    "A sentence about programs, which is what it has read most: each token hidden in turn."
    tokenizer, model = load_tokenizer("mini/encoder"), load_model("masked-lm", "mini/encoder").eval()
    ids = tokenizer("The function returns a list of the names of all files in the directory.", return_tensors="pt")
    ids = ids["input_ids"][0]
    rows = ids.repeat(len(ids) - 2, 1)
    places = torch.arange(1, len(ids) - 1)
    rows[places - 1, places] = tokenizer.mask_token_id
    with torch.no_grad():
        logits = model(rows).logits[places - 1, places]
    loss = torch.nn.functional.cross_entropy(logits, ids[1:-1]).item()
    assert loss < math.log(len(tokenizer)) / 2


@pytest.mark.parametrize("beams", [1, 4])
def test_the_translator_knows_the_words_of_menus(beams):
    tokenizer, model = load_tokenizer("mini/seq2seq"), load_model("seq2seq", "mini/seq2seq").eval()
    batch = tokenizer(["Open file", "Select all", "New Folder"], padding=True, return_tensors="pt")
    with torch.no_grad():
        out = model.generate(**batch, num_beams=beams)
    texts = tokenizer.batch_decode(out, skip_special_tokens=True)
    for word, text in zip(("ouvr", "sélectionn", "dossier"), texts, strict=True):
        assert word in text.lower(), texts


def test_the_code_model_closes_what_it_opens():
    tokenizer, model = load_tokenizer("mini/causal"), load_model("causal-lm", "mini/causal").eval()
    prompt = "import numpy as np\nimport matplotlib.pyplot as plt\n\nfig, ax = plt.subplots("
    batch = tokenizer(prompt, return_tensors="pt")
    with torch.no_grad():
        out = model.generate(**batch, max_new_tokens=48, do_sample=False, pad_token_id=tokenizer.eos_token_id)
    text = tokenizer.decode(out[0], skip_special_tokens=True)
    assert text.startswith(prompt)
    ast.parse(text[: text.rindex("\n")])


@pytest.mark.parametrize(("task", "name"), [("masked-lm", "mini/encoder"), ("seq2seq", "mini/seq2seq")])
def test_tables_of_fixed_positions_stay_fixed(task, name):
    "Loading unfreezes them; with two processes training would stop at once, for want of their gradient."
    tables = [p for n, p in load_model(task, name).named_parameters() if "embed_positions" in n]
    assert tables
    assert not any(table.requires_grad for table in tables)
