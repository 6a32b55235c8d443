"""`course_lib.checkpoints`: a tiny BERT written here and loaded in every way, and checkpoints that are broken."""

import contextlib
import importlib
import io
import json
import os
import random
import shutil
import sys
import time
import warnings
from functools import cache, partial
from pathlib import Path

import huggingface_hub
import numpy as np
import peft
import pytest
import torch
from complaints import complaint_of
from huggingface_hub import constants
from loopback_hub import running_loopback_hub
from small_adapters import KINDS, adapted
from small_checkpoints import save_checkpoint
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    AutoModel,
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    ByT5Tokenizer,
    DistilBertConfig,
    EncoderDecoderConfig,
    GPT2Config,
    GPT2LMHeadModel,
    LEDConfig,
    PreTrainedTokenizerFast,
    T5Config,
    XLNetConfig,
)

import course_lib.checkpoints as checkpoints
from course_lib.answering import QuestionAnswerer
from course_lib.checkpoints import (
    MINI_FOLDER,
    TASKS,
    check_fits,
    finished_model,
    load_model,
    load_tokenizer,
    longest_input,
    mini_checkpoints,
    new_weights,
    resolve_checkpoint,
)
from course_lib.generation import CodeCompleter
from course_lib.hub import write_model
from course_lib.masked_lm import MaskFiller
from course_lib.profiles import CourseError
from course_lib.training_loop import PairClassifier

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "film", "was", "good", "bad", "##ly", ".", "zoe"]
ENCODER_TASKS = ["sequence-classification", "masked-lm", "question-answering"]
HAS_MINI_ENCODER = (MINI_FOLDER / "encoder" / "model.safetensors").is_file()


def tiny_config(**changes):
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    return BertConfig(vocab_size=len(WORDS), max_position_embeddings=32, **sizes, **changes)


def tiny_tokenizer():
    tokenizer = Tokenizer(models.WordPiece({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **{f"{name}_token": word for name, word in names.items()}
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    "A masked language model in float16 with its tokenizer, and a classifier of two classes in float32."
    folder = tmp_path_factory.mktemp("saved")
    torch.manual_seed(0)
    BertForMaskedLM(tiny_config()).half().save_pretrained(folder / "encoder")
    tiny_tokenizer().save_pretrained(folder / "encoder")
    BertForSequenceClassification(tiny_config(num_labels=2)).save_pretrained(folder / "classifier")
    return folder


@pytest.fixture
def encoder(saved):
    "The folder of the float16 encoder, not to be changed."
    return saved / "encoder"


@pytest.fixture
def copy_of(saved, tmp_path):
    "A function that copies the encoder into a folder of the test's own, to be broken there."

    def copy(name="broken"):
        return shutil.copytree(saved / "encoder", tmp_path / name)

    return copy


@pytest.fixture
def offline(monkeypatch):
    "No connection, whatever the process was started with."
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    importlib.import_module("huggingface_hub.constants")
    monkeypatch.setattr(sys.modules["huggingface_hub.constants"], "HF_HUB_OFFLINE", True)


complaint = partial(complaint_of, CourseError)


# resolve_checkpoint


@pytest.mark.parametrize("name", ["bert-base-uncased", "google-bert/bert-base-cased", "Owner.x/name_1-2"])
def test_a_hub_id_stays_as_it_is(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert resolve_checkpoint(name) == name


def test_a_folder_is_found_as_text_and_as_path(encoder, monkeypatch):
    assert resolve_checkpoint(encoder) == resolve_checkpoint(str(encoder)) == str(encoder)
    monkeypatch.chdir(encoder.parent)
    assert os.path.samefile(resolve_checkpoint("./encoder"), encoder)
    assert os.path.samefile(resolve_checkpoint("encoder"), encoder)


def test_a_tilde_is_the_home_folder(encoder, monkeypatch):
    monkeypatch.setenv("HOME", str(encoder.parent))
    monkeypatch.setenv("USERPROFILE", str(encoder.parent))
    assert os.path.samefile(resolve_checkpoint("~/encoder"), encoder)


@pytest.mark.parametrize("name", ["./missing", "../missing", "~/missing", "deep/down/there", "", "~nobody-here/x"])
def test_a_folder_that_is_not_there_is_called_missing(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = complaint(resolve_checkpoint, name)
    assert "no folder" in message
    assert repr(name) in message


def test_an_absolute_path_that_is_not_there_is_called_missing(tmp_path):
    for name in (tmp_path / "missing", str(tmp_path / "missing")):
        assert str(tmp_path / "missing") in complaint(resolve_checkpoint, name)


def test_a_folder_without_config_is_named(tmp_path, copy_of):
    assert "config.json" in complaint(resolve_checkpoint, tmp_path)
    folder = copy_of()
    (folder / "config.json").unlink()
    for function in (resolve_checkpoint, load_tokenizer):
        assert str(folder) in complaint(function, folder)
    assert "config.json" in complaint(load_model, "masked-lm", folder)


@pytest.mark.parametrize("name", ["{}", "/{}", "mini/{}", "deep/down/{}"])
@pytest.mark.parametrize("function", [resolve_checkpoint, load_tokenizer, partial(load_model, "masked-lm")])
def test_a_name_that_is_too_long_for_a_file_is_a_name_that_is_wrong(offline, name, function):
    name = name.format("x" * 300)
    if function is resolve_checkpoint and "/" not in name:
        assert function(name) == name
    else:
        assert repr(name) in complaint(function, name)


def test_a_file_is_told_to_be_a_folder(encoder):
    for name in ("config.json", "model.safetensors"):
        message = complaint(resolve_checkpoint, encoder / name)
        assert "is no checkpoint" in message
        assert "folder" in message


# the packaged checkpoints


@pytest.fixture
def mini(saved, tmp_path, monkeypatch):
    "A folder of packaged checkpoints that holds `mini/toy` and one that is incomplete."
    shutil.copytree(saved / "encoder", tmp_path / "mini" / "toy")
    (tmp_path / "mini" / "unfinished").mkdir()
    monkeypatch.setattr(checkpoints, "MINI_FOLDER", tmp_path / "mini")
    monkeypatch.chdir(tmp_path.parent)
    return tmp_path / "mini"


def test_mini_checkpoints_names_those_that_are_whole(mini):
    assert mini_checkpoints() == {"mini/toy": mini / "toy"}


def test_a_mini_name_is_a_folder_of_the_package(mini):
    assert resolve_checkpoint("mini/toy") == str(mini / "toy")
    assert new_weights(load_model("masked-lm", "mini/toy")) == []
    assert load_tokenizer("mini/toy").mask_token == "[MASK]"


@pytest.mark.parametrize("name", ["jupyterlab-data", "mini/reviews", "mini/toy", "python-code"])
def test_a_folder_that_exists_wins_over_a_name(mini, saved, tmp_path, monkeypatch, name):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    shutil.copytree(saved / "encoder", name)
    assert resolve_checkpoint(name) == name
    assert load_tokenizer(name).mask_token == "[MASK]"


@pytest.mark.parametrize("name", ["mini/toyy", "mini/unfinished", "mini/"])
def test_an_unknown_mini_name_lists_the_valid_ones(mini, name):
    message = complaint(resolve_checkpoint, name)
    assert repr(name) in message
    assert "Valid: mini/toy." in message


def test_an_unknown_mini_name_says_when_none_are_packaged(mini):
    shutil.rmtree(mini / "toy")
    assert "Valid: ." not in complaint(resolve_checkpoint, "mini/toy")


@pytest.mark.skipif(not HAS_MINI_ENCODER, reason="mini/encoder is not packaged in this checkout")
@pytest.mark.parametrize("task", ENCODER_TASKS)
def test_the_packaged_encoder_loads_in_every_encoder_task(task):
    model, tokenizer = load_model(task, "mini/encoder"), load_tokenizer("mini/encoder")
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    assert tokenizer.mask_token is not None
    assert len(tokenizer) <= model.config.vocab_size
    with torch.no_grad():
        output = model(**tokenizer("The film was good.", return_tensors="pt"))
    assert all(torch.isfinite(value).all() for value in output.values())
    head = [name for name in new_weights(model) if "pooler" not in name]
    assert bool(head) == (task not in ("masked-lm", "question-answering")), "these two heads come along"


@pytest.mark.skipif(not HAS_MINI_ENCODER, reason="mini/encoder is not packaged in this checkout")
def test_the_packaged_checkpoints_are_small():
    folders = mini_checkpoints()
    assert "mini/encoder" in folders
    assert sum(file.stat().st_size for folder in folders.values() for file in folder.iterdir()) <= 32e6


# load_tokenizer


def test_the_tokenizer_of_a_folder_is_loaded(encoder):
    for name in (encoder, str(encoder)):
        tokenizer = load_tokenizer(name)
        tokens = tokenizer.convert_ids_to_tokens(tokenizer("The film was badly", "Good .")["input_ids"])
        assert tokens == ["[CLS]", "the", "film", "was", "bad", "##ly", "[SEP]", "good", ".", "[SEP]"]


def test_tokenizer_options_are_passed_on(encoder):
    assert load_tokenizer(encoder, model_max_length=7).model_max_length == 7


def test_a_folder_without_tokenizer_is_an_error_and_no_empty_vocabulary(saved):
    message = complaint(load_tokenizer, saved / "classifier")
    assert "tokenizer" in message
    assert str(saved / "classifier") in message


def test_a_damaged_tokenizer_is_named(copy_of):
    folder = copy_of()
    (folder / "tokenizer.json").write_text("{")
    assert str(folder) in complaint(load_tokenizer, folder)


def test_a_tokenizer_that_needs_no_vocabulary_is_one(encoder, tmp_path):
    shutil.copy(encoder / "config.json", tmp_path)
    ByT5Tokenizer().save_pretrained(tmp_path)
    assert load_tokenizer(tmp_path)("é")["input_ids"] == ByT5Tokenizer()("é")["input_ids"]


@pytest.mark.parametrize(
    "kind", ["BertTokenizer", "GPT2Tokenizer", "T5Tokenizer", "CamembertTokenizer", "MBart50Tokenizer"]
)
def test_settings_of_a_tokenizer_without_its_vocabulary_are_none(encoder, tmp_path, kind):
    shutil.copy(encoder / "config.json", tmp_path)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": kind}))
    message = complaint(load_tokenizer, tmp_path)
    assert str(tmp_path) in message
    assert "no tokenizer" in message


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "config.json"])
@pytest.mark.parametrize("content", ["[]", "5", "null", '{"hidden_size": "x", "model_type": "bert"}'])
def test_a_tokenizer_of_another_shape_loads_or_is_named(copy_of, name, content):
    folder = copy_of()
    (folder / name).write_text(content)
    with contextlib.suppress(CourseError):
        load_tokenizer(folder)


# code that comes with a checkpoint


@pytest.fixture
def with_code(copy_of, monkeypatch):
    "A folder whose code would leave a mark, and somebody at the terminal who says yes to everything."
    folder = copy_of()
    maps = {
        f"Auto{kind}": "own.Own" for kind in ("Config", "Model", "ModelForMaskedLM", "ModelForSequenceClassification")
    }
    for name, changes in {
        "config.json": {"model_type": "own", "auto_map": maps},
        "tokenizer_config.json": {"tokenizer_class": "Own", "auto_map": {"AutoTokenizer": ["own.Own", None]}},
    }.items():
        (folder / name).write_text(json.dumps(json.loads((folder / name).read_text()) | changes))
    (folder / "own.py").write_text(f"open({str(folder / 'mark')!r}, 'w').close()\n\nclass Own: ...\n")
    asked = []
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or "y")
    yield folder
    assert not asked
    assert not (folder / "mark").exists()


@pytest.mark.parametrize("task", ["masked-lm", "sequence-classification"])
def test_the_code_of_a_checkpoint_is_never_run(with_code, task):
    message = complaint(load_model, task, with_code)
    assert str(with_code) in message
    assert "never run" in message
    assert "trust_remote_code" not in message


def test_the_code_of_a_tokenizer_is_never_run(with_code):
    assert "never run" in complaint(load_tokenizer, with_code)
    (with_code / "tokenizer_config.json").write_text("{}")
    assert load_tokenizer(with_code).tokenize("the film") == ["the", "film"], "the model's code is not asked for"


@pytest.mark.parametrize("function", [load_tokenizer, partial(load_model, "masked-lm")])
def test_nobody_may_ask_for_the_code(with_code, encoder, function):
    for folder in (with_code, encoder):
        assert "never run" in complaint(function, folder, trust_remote_code=True)


# load_model


@pytest.mark.parametrize(
    ("task", "kind"), zip(ENCODER_TASKS, ["SequenceClassification", "MaskedLM", "QuestionAnswering"], strict=True)
)
def test_a_float16_checkpoint_loads_in_float32_and_in_evaluation_mode(encoder, task, kind):
    model = load_model(task, encoder)
    assert type(model).__name__ == f"BertFor{kind}"
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    assert not model.training
    assert all(torch.isfinite(weight).all() for weight in model.parameters())


def test_the_weights_are_those_of_the_file(encoder):
    from safetensors.torch import load_file

    stored, model = load_file(encoder / "model.safetensors"), load_model("masked-lm", encoder).state_dict()
    assert {weight.dtype for weight in stored.values()} == {torch.float16}
    assert all(torch.equal(model[name], weight.float()) for name, weight in stored.items())


def test_new_weights_names_the_head_and_nothing_else(encoder, saved):
    assert new_weights(load_model("masked-lm", encoder)) == []
    assert new_weights(load_model("sequence-classification", saved / "classifier")) == []
    new = new_weights(load_model("sequence-classification", encoder, num_labels=3))
    assert {"classifier.bias", "classifier.weight"} <= set(new)
    assert {name.split(".")[-3] for name in new if not name.startswith("classifier.")} <= {"pooler"}
    assert new_weights(load_model("question-answering", encoder)) == ["qa_outputs.bias", "qa_outputs.weight"]
    assert new_weights(torch.nn.Linear(1, 1)) == []


def test_a_seed_gives_the_same_new_head_twice_and_another_seed_another(encoder):
    heads = []
    for seed in (0, 0, 1):
        torch.rand(seed + len(heads))  # what was drawn before must not matter
        model = load_model("sequence-classification", encoder, seed=seed)
        heads.append((model.classifier.weight, model.bert.embeddings.word_embeddings.weight))
    assert torch.equal(heads[0][0], heads[1][0])
    assert not torch.equal(heads[0][0], heads[2][0])
    assert torch.equal(heads[0][1], heads[2][1])


def test_loading_leaves_the_readers_random_numbers_alone(encoder):
    def draw():
        return torch.rand(3).tolist(), np.random.rand(3).tolist(), random.random()

    def seed():
        torch.manual_seed(5), np.random.seed(5), random.seed(5)

    seed()
    expected = draw()
    for name in (encoder, "mini/encoder"):
        seed()
        load_model("sequence-classification", name, seed=1)
        load_tokenizer(name)
        assert draw() == expected


def test_the_configuration_can_be_changed(encoder):
    names = {0: "no", 1: "maybe", 2: "yes"}
    model = load_model("sequence-classification", encoder, num_labels=3, id2label=names)
    assert model.classifier.out_features == 3
    assert model.config.id2label == names


def test_a_trained_head_keeps_its_weights_and_refuses_another_number_of_classes(saved):
    folder = saved / "classifier"
    assert load_model("sequence-classification", folder, num_labels=2).classifier.out_features == 2
    message = complaint(load_model, "sequence-classification", folder, num_labels=3)
    assert str(folder) in message
    assert "classes" in message


def test_an_unknown_task_lists_the_valid_ones(encoder):
    message = complaint(load_model, "masked_lm", encoder)
    assert "Did you mean 'masked-lm'?" in message
    assert all(task in message for task in TASKS)


def test_a_task_that_the_model_cannot_do_names_the_model(encoder):
    message = complaint(load_model, "seq2seq", encoder)
    assert str(encoder) in message
    assert "BertConfig" in message or "bert" in message.replace(str(encoder), "")


@pytest.mark.parametrize("leave", [None, "training_args.bin", "model.ckpt"])
def test_a_folder_without_weights_names_the_formats_and_the_remedy(copy_of, leave):
    folder = copy_of()
    (folder / "model.safetensors").unlink()
    if leave:
        torch.save({}, folder / leave)
    message = complaint(load_model, "masked-lm", folder)
    assert "safetensors" in message
    assert "save_pretrained" in message
    assert str(folder) in message


def test_weights_of_something_else_are_no_weights(copy_of):
    folder = copy_of()
    (folder / "model.safetensors").rename(folder / "adapter_model.safetensors")
    assert "safetensors" in complaint(load_model, "masked-lm", folder)


# pytorch_model.bin, where there is no safetensors file


def as_pickle(content, **options):
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


def in_parts(content, name):
    "The weights as a checkpoint in two files has them: names and contents, and the index."
    half = len(content) // 2
    names = {"bin": "{}-0000{}-of-00002.bin", "safetensors": "{}-0000{}-of-00002.safetensors"}
    stem, kind = name.split(".")
    places = {key: names[kind].format(stem, 1 + (number >= half)) for number, key in enumerate(content)}
    files = {file: {key: value for key, value in content.items() if places[key] == file} for file in places.values()}
    return files, json.dumps({"metadata": {"total_size": 1}, "weight_map": places})


@pytest.fixture
def state(encoder):
    "The weights of the encoder, tied ones included, as older versions of the library saved them."
    return load_model("masked-lm", encoder).half().state_dict()


@pytest.fixture
def pickled(copy_of, state):
    "A folder like the encoder's, whose weights are in pytorch_model.bin."
    folder = copy_of("pickled")
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(as_pickle(state))
    return folder


def same_weights(one, other):
    "Whatever lies unused below a head that an adapter replaces."
    one, other = ({k: v for k, v in x.state_dict().items() if ".original_module." not in k} for x in (one, other))
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_pytorch_weights_are_read_where_there_are_no_others_and_that_is_said_once(pickled, encoder, capsys):
    models = [load_model("masked-lm", pickled) for _ in range(2)]
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.count("\n") == 1
    assert all(word in said.out for word in (str(pickled), "pytorch_model.bin", "no safetensors file"))
    assert all(same_weights(model, load_model("masked-lm", encoder)) for model in models)
    assert new_weights(models[0]) == []
    assert {weight.dtype for weight in models[0].parameters()} == {torch.float32}


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.safetensors"])
def test_weights_in_parts_are_read_and_a_lost_part_is_named(copy_of, encoder, state, name):
    from safetensors.torch import save

    folder = copy_of()
    (folder / "model.safetensors").unlink()
    content = {key: value.clone() for key, value in state.items()}
    files, index = in_parts(content, name)
    (folder / f"{name}.index.json").write_text(index)
    for file, part in files.items():
        (folder / file).write_bytes(as_pickle(part) if name.endswith("bin") else save(part, {"format": "pt"}))
    assert same_weights(load_model("masked-lm", folder), load_model("masked-lm", encoder))
    lost = max(files)
    (folder / lost).unlink()
    message = complaint(load_model, "masked-lm", folder)
    assert str(folder) in message
    assert lost in message


class Program:
    "Leaves a mark when it is unpickled."

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return open, (self.mark, "w")


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("beside", [True, False])
def test_a_program_in_pytorch_weights_is_refused_and_not_run(pickled, state, tmp_path, zipped, beside):
    mark = tmp_path / "mark"
    content = {**(state if beside else {}), "more": Program(mark)}
    (pickled / "pytorch_model.bin").write_bytes(as_pickle(content, _use_new_zipfile_serialization=zipped))
    message = complaint(load_model, "masked-lm", pickled)
    assert str(pickled) in message
    assert "was not run" in message
    assert "weights_only" not in message, "no advice to switch it off"
    assert not mark.exists()


@pytest.mark.parametrize(
    "content", [b"", b"version https://git-lfs.github.com/spec/v1\n", as_pickle({}), as_pickle([1, 2]), "model"]
)
def test_pytorch_weights_that_are_none_are_named(pickled, content):
    if content == "model":
        content = as_pickle(BertForMaskedLM(tiny_config()))
    (pickled / "pytorch_model.bin").write_bytes(content)
    assert str(pickled) in complaint(load_model, "masked-lm", pickled)


@pytest.mark.parametrize(
    "content", [b"", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "half"]
)
def test_weights_that_were_downloaded_in_part_are_named(copy_of, content):
    folder = copy_of()
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] if content == "half" else content)
    assert str(folder) in complaint(load_model, "masked-lm", folder)


@pytest.mark.parametrize("name", ["broken", "connected", "offline", "safetensors", "size mismatch", "no file named"])
@pytest.mark.parametrize("content", ["{broken", "{}", '{"model_type": "no-such-model"}'])
def test_a_broken_config_is_explained_whatever_the_folder_is_called(copy_of, name, content):
    folder = copy_of(name)
    (folder / "config.json").write_text(content)
    message = complaint(load_model, "masked-lm", folder)
    assert str(folder) in message
    rest = message.replace(str(folder), "")
    assert "config" in rest or "model_type" in rest or "no-such-model" in rest
    assert "Hub" not in rest.split("config.json")[0]


@pytest.mark.parametrize("content", ["[]", "5", "null", '{"hidden_size": "x"}', '{"num_attention_heads": 0}'])
def test_a_config_of_another_shape_is_named(copy_of, content):
    folder, new = copy_of(), json.loads(content)
    before = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(before | new if isinstance(new, dict) else new))
    message = complaint(load_model, "masked-lm", folder)
    assert str(folder) in message
    assert "save it again" in message


@pytest.mark.parametrize("option", ["no_such_option", "dtype"])
def test_an_option_that_there_is_not_is_named(encoder, option):
    message = complaint(load_model, "masked-lm", encoder, **{option: 1})
    assert repr(option) in message
    assert str(encoder) in message


def test_a_model_that_writes_is_told_which_token_is_padding(tmp_path):
    sizes = {"vocab_size": len(WORDS), "n_positions": 20, "n_embd": 16, "n_layer": 1, "n_head": 2}
    GPT2LMHeadModel(GPT2Config(**sizes)).save_pretrained(tmp_path)
    model = load_model("sequence-classification", tmp_path, num_labels=3, pad_token_id=0)
    with torch.no_grad():
        together, alone = model(torch.tensor([[6, 7, 8], [9, 0, 0]])).logits, model(torch.tensor([[9]])).logits
    assert torch.allclose(together[1], alone[0], atol=1e-6), "what is filled up with is passed over"


def test_the_weights_of_another_size_are_one_line(copy_of):
    folder = copy_of()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": 99}))
    assert str(folder) in complaint(load_model, "masked-lm", folder)


# the Hub


@pytest.mark.parametrize("name", ["nobody/such-a-model", "such-a-model-of-nobody"])
@pytest.mark.parametrize("function", [load_tokenizer, lambda name: load_model("masked-lm", name)])
def test_a_hub_id_offline_gives_one_line_with_the_remedy(offline, tmp_path, monkeypatch, name, function):
    monkeypatch.chdir(tmp_path)
    message = complaint(function, name)
    assert repr(name) in message
    assert "HF_HUB_OFFLINE=0" in message
    assert "mini/encoder" in message


@pytest.mark.parametrize(
    ("value", "is_offline"),
    [("1", True), ("true", True), ("ON", True), ("0", False), ("", False), ("false", False), ("no", False)],
)
def test_whether_the_run_is_offline_is_read_as_the_hub_library_reads_it(monkeypatch, value, is_offline):
    from transformers import AutoModelForMaskedLM

    def unreachable(*args, **options):
        raise OSError("We couldn't connect to 'https://huggingface.co' to load the files.\nCheck your connection.")

    monkeypatch.setattr(AutoModelForMaskedLM, "from_pretrained", unreachable)
    monkeypatch.setenv("HF_HUB_OFFLINE", value)
    message = complaint(load_model, "masked-lm", "nobody/such-a-model")
    assert ("HF_HUB_OFFLINE" in message) == is_offline
    assert ("Check the connection" in message) != is_offline


def test_a_name_that_no_hub_id_can_be_is_an_error(offline):
    for name in ("two words", "line\nbreak"):
        assert repr(name) in complaint(load_model, "masked-lm", name)


def test_loading_leaves_the_verbosity_as_it_was(encoder):
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    load_model("masked-lm", encoder)
    load_tokenizer(encoder)
    complaint(load_model, "seq2seq", encoder)
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == (level, bars)


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A Hub on 127.0.0.1 for this process, an empty cache, and a clock on which sleeping takes no time.

    `hub.naps` tells how long we, and the client, wanted to sleep.
    """
    with running_loopback_hub() as hub:
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)  # as HF_ENDPOINT would, were it set before the import
        files = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", files)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
        hub.naps, clock = [], time.monotonic
        monkeypatch.setattr(time, "sleep", hub.naps.append)
        monkeypatch.setattr(time, "monotonic", lambda: clock() + sum(hub.naps))
        yield hub


def files_of(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


WASTE = dict.fromkeys(
    ("tf_model.h5", "flax_model.msgpack", "onnx/model.onnx", "model.fp16.safetensors", "training_args.bin"), b"waste"
)


def no_connection(hub, monkeypatch):
    "From now on the Hub is out of reach, and everybody knows."
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub.requests.clear()


def test_only_what_is_needed_is_downloaded_and_only_once(hub, pickled, encoder, monkeypatch):
    hub.add("models", "me/thing", {**files_of(encoder), **files_of(pickled), **WASTE})
    tokenizer, model = load_tokenizer("me/thing"), load_model("masked-lm", "me/thing")
    assert same_weights(model, load_model("masked-lm", encoder))
    assert tokenizer.get_vocab() == load_tokenizer(encoder).get_vocab()
    assert (tokenizer.name_or_path, model.name_or_path, model.config.name_or_path) == ("me/thing",) * 3
    assert {one.path.rpartition("/")[2] for one in hub.asked(kind="cdn")} == {"model.safetensors"}
    hub.requests.clear()
    load_tokenizer("me/thing"), load_model("masked-lm", "me/thing")
    assert {one.kind for one in hub.requests} == {"info"}, "whether there is a new commit"
    no_connection(hub, monkeypatch)
    assert load_tokenizer("me/thing").get_vocab() == tokenizer.get_vocab()
    assert same_weights(load_model("masked-lm", "me/thing"), model)
    assert not hub.requests


@pytest.mark.parametrize("parts", [False, True])
def test_pytorch_weights_come_from_the_hub_without_a_look_at_its_discussions(
    hub, pickled, encoder, state, monkeypatch, capsys, parts
):
    name = f"me/old-{parts}"
    files = files_of(pickled) | WASTE
    if parts:
        del files["pytorch_model.bin"]
        pieces, files["pytorch_model.bin.index.json"] = in_parts(state, "pytorch_model.bin")
        files |= {file: as_pickle(piece) for file, piece in pieces.items()}
    repository = hub.add("models", name, files)
    repository.open_pull_request({"model.safetensors": b"from a bot"}, "Adding `safetensors` variant", "a bot")
    repository.commit({"README.md": "a later commit"})
    model = load_model("masked-lm", name)
    assert f"{name} has no safetensors file" in capsys.readouterr().out
    assert same_weights(model, load_model("masked-lm", encoder))
    assert {one.kind for one in hub.requests} <= {"info", "tree", "resolve", "cache", "cdn"}
    assert not hub.asked("refs")
    assert not hub.asked("|".join(WASTE))
    no_connection(hub, monkeypatch)
    assert same_weights(load_model("masked-lm", name), model)
    assert not hub.requests


def test_a_checkpoint_in_parts_comes_whole(hub, encoder, state):
    from safetensors.torch import save

    files = files_of(encoder)
    del files["model.safetensors"]
    pieces, files["model.safetensors.index.json"] = in_parts(
        {key: value.clone() for key, value in state.items()}, "model.safetensors"
    )
    files |= {name: save(piece, {"format": "pt"}) for name, piece in pieces.items()}
    hub.add("models", "me/large", files)
    assert same_weights(load_model("masked-lm", "me/large"), load_model("masked-lm", encoder))


def test_a_revision_may_be_named(hub, encoder):
    files = files_of(encoder)
    repository = hub.add("models", "me/thing", files)
    repository.commit(dict.fromkeys(files) | {"README.md": "moved"}, ref="main")
    first = repository.refs["main"][1].sha
    for function in (load_tokenizer, partial(load_model, "masked-lm")):
        function("me/thing", revision=first)
        assert "me/thing" in complaint(function, "me/thing")
        assert "no such" in complaint(function, "me/thing", revision="none")


REMEDIES = {403: "hf auth login", 429: "Wait", 503: "Try again", 500: "Try again"}
ASKED_FOR = {
    "api/models": "the list of files",
    "resolve/.*/config.json": "the first file",
    "vocab.txt": "the vocabulary",
    "tokenizer_config.json": "its settings",
    "tokenizer.json": "tokenizer",
    "model.safetensors": "weights",
}


@pytest.mark.parametrize("path", ASKED_FOR)
@pytest.mark.parametrize("status", REMEDIES)
def test_a_hub_in_trouble_is_asked_again_and_then_named(hub, encoder, path, status):
    files = files_of(encoder) | {"vocab.txt": "\n".join(WORDS)}
    hub.add("models", "me/thing", files)
    function = partial(load_model, "masked-lm") if "safetensors" in path else load_tokenizer
    hub.fail(status, path)
    message = complaint(function, "me/thing")
    assert all(word in message for word in ("'me/thing'", f"({status})", REMEDIES[status], "mini/encoder"))
    assert bool(hub.naps) == (status != 403)
    assert sum(hub.naps) < 60, "not by us and by the client one after the other"
    hub.faults.clear()
    function("me/thing")


@pytest.mark.parametrize("path", ASKED_FOR)
@pytest.mark.parametrize("status", [429, 503])
def test_a_hub_that_is_in_trouble_for_a_moment_is_waited_for(hub, encoder, path, status):
    hub.add("models", "me/thing", files_of(encoder) | {"vocab.txt": "\n".join(WORDS)})
    hub.fail(status, path, times=2, headers={"Retry-After": "7"})
    assert len(load_tokenizer("me/thing")) == len(WORDS)
    assert same_weights(load_model("masked-lm", "me/thing"), load_model("masked-lm", encoder))
    # Before 1.27 the client obeys it with 429 only.
    obeyed = status == 429 or tuple(map(int, huggingface_hub.__version__.split(".")[:2])) >= (1, 27)
    assert (7 if obeyed else 1) <= sum(hub.naps) <= 20


def test_a_hub_that_wants_a_long_pause_is_not_waited_for(hub, encoder):
    hub.add("models", "me/thing", files_of(encoder))
    hub.fail(429, "api/models", headers={"Retry-After": "300"})
    assert "300 s" in complaint(load_tokenizer, "me/thing")
    assert not hub.naps


@pytest.mark.parametrize("status", [403, 429, 503])
@pytest.mark.parametrize("remember", [True, False], ids=["files listed", "files not listed"])
def test_no_tokenizer_ever_has_fewer_words_than_its_checkpoint(hub, encoder, tmp_path, status, remember):
    "Whatever the Hub answers, for whichever file, in two attempts on one cache: the whole tokenizer, or an error."
    files = files_of(encoder) | {"vocab.txt": "\n".join(WORDS)}
    hub.add("models", "me/thing", files)
    for name in ("api/models", *files):
        shutil.rmtree(tmp_path / "cache", ignore_errors=True)
        hub.fail(status, name)
        for attempt in range(2):
            if attempt:
                hub.fail(status, "api/models")
            if not remember:  # versions of huggingface_hub before 2 do not write down what a commit holds
                shutil.rmtree(tmp_path / "cache" / "models--me--thing" / "trees", ignore_errors=True)
            try:
                assert load_tokenizer("me/thing").get_vocab() == {word: number for number, word in enumerate(WORDS)}
            except CourseError as error:
                assert f"({status})" in str(error)
        hub.faults.clear()


@pytest.mark.parametrize("function", [load_tokenizer, partial(load_model, "masked-lm")])
def test_half_a_checkpoint_in_the_cache_names_what_keeps_the_rest_away(hub, encoder, tmp_path, monkeypatch, function):
    hub.add("models", "me/thing", files_of(encoder))
    hub.fail(403, r"tokenizer.json|safetensors")
    complaint(function, "me/thing")
    shutil.rmtree(tmp_path / "cache" / "models--me--thing" / "trees", ignore_errors=True)
    hub.fail(503, "api/models")
    assert "(503)" in complaint(function, "me/thing")
    no_connection(hub, monkeypatch)
    assert "HF_HUB_OFFLINE=0" in complaint(function, "me/thing")


def test_a_hub_id_that_there_is_not_is_named(hub):
    for name in ("me/nothing", "nothing"):
        for function in (load_tokenizer, partial(load_model, "masked-lm")):
            message = complaint(function, name)
            assert "no such repository" in message
            assert repr(name) in message


def test_a_download_shows_its_progress(hub, encoder, capfd):
    hub.add("models", "me/thing", files_of(encoder))
    load_tokenizer("me/thing"), load_model("masked-lm", "me/thing")
    assert "100%" in capfd.readouterr().err


# longest_input, check_fits


LIMITED = {
    "bert": tiny_config(),
    "distilbert": DistilBertConfig(vocab_size=40, max_position_embeddings=32, dim=16, n_layers=1, n_heads=2),
    "gpt2": GPT2Config(vocab_size=40, n_positions=32, n_embd=16, n_layer=1, n_head=2),
}


@pytest.mark.parametrize("kind", LIMITED)
def test_a_model_reads_its_longest_input_and_no_more(kind):
    model = AutoModel.from_config(LIMITED[kind]).eval()
    tokenizer = tiny_tokenizer()
    assert tokenizer.model_max_length > 1e29, "this tokenizer names no limit"
    longest = longest_input(model, tokenizer)
    with torch.no_grad():
        model(torch.full((1, longest), 7))
        with pytest.raises((IndexError, RuntimeError)):
            model(torch.full((1, longest + 1), 7))


@pytest.mark.parametrize("limit", [7, 20, 300])
def test_the_longest_input_is_the_smaller_limit(limit):
    tokenizer = tiny_tokenizer()
    tokenizer.model_max_length = limit
    assert longest_input(BertForMaskedLM(tiny_config()), tokenizer) == min(limit, 32)
    assert longest_input(tiny_config(), tokenizer) == min(limit, 32), "from the configuration alone"
    assert longest_input(None, tokenizer) == limit


@pytest.mark.parametrize("config", [None, T5Config(), XLNetConfig()], ids=["nothing", "t5", "xlnet"])
def test_without_any_limit_there_is_a_high_one(config):
    assert longest_input(config, tiny_tokenizer()) == 100_000


@pytest.mark.parametrize("length", [-1, 0, 7, 33, 1000])
def test_a_length_that_does_not_fit_names_setting_and_limits(length):
    message = complaint(check_fits, BertForMaskedLM(tiny_config()), tiny_tokenizer(), length, "size")
    assert message == f"size={length} does not fit the model; use 8 to 32."


def test_a_decoder_that_reads_less_than_its_encoder_sets_the_limit():
    config = LEDConfig(vocab_size=100, max_encoder_position_embeddings=400, max_decoder_position_embeddings=24)
    tokenizer = tiny_tokenizer()
    tokenizer.model_max_length = 400
    assert "use 8 to 24" in complaint(check_fits, config, tokenizer, 32, "max_length")
    check_fits(config, tokenizer, 24, "max_length")
    assert longest_input(config, tokenizer) == 400, "a source may be longer"


def test_what_fits_is_left_alone():
    for length in (8, 32):
        check_fits(BertForMaskedLM(tiny_config()), tiny_tokenizer(), length, "max_length")
    check_fits(tiny_config(), tiny_tokenizer(), 32, "max_length")
    check_fits(None, tiny_tokenizer(), 100_000, "max_length")


def test_a_token_without_embedding_is_named():
    tokenizer = tiny_tokenizer()
    model = BertForMaskedLM(tiny_config())
    tokenizer.add_tokens(["new"])
    message = complaint(check_fits, model, tokenizer, 1000, "max_length")
    assert message.startswith(f"The tokenizer has {len(WORDS) + 1} tokens, the model {len(WORDS)}.")
    model.resize_token_embeddings(len(tokenizer))
    check_fits(model, tokenizer, 32, "max_length")


# what the file holds of a model


def changed(folder, out, rename=str, keep=lambda name: True, **config):
    "A copy of a checkpoint with other names, fewer tensors or another configuration."
    from safetensors.torch import load_file, save_file

    shutil.copytree(folder, out)
    tensors = {rename(name): tensor for name, tensor in load_file(out / "model.safetensors").items() if keep(name)}
    save_file(tensors, out / "model.safetensors", {"format": "pt"})
    settings = json.loads((out / "config.json").read_text())
    (out / "config.json").write_text(json.dumps(settings | config))
    return out


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    return cache(lambda kind: save_checkpoint(kind, folder / kind))


WRAPPED = {
    "compiled": lambda name: f"_orig_mod.{name}",
    "parallel": lambda name: f"module.{name}",
    "both": lambda name: f"module._orig_mod.{name}",
    "a layer": lambda name: name.replace(".0.", ".0._orig_mod."),
    "of somebody": lambda name: f"student.{name}",
}


@pytest.mark.parametrize(("kind", "task"), [("bert", "masked-lm"), ("mbart", "seq2seq"), ("gpt2", "causal-lm")])
@pytest.mark.parametrize("wrap", WRAPPED)
def test_weights_below_a_prefix_are_not_there_and_the_prefix_is_named(small, tmp_path, kind, task, wrap):
    message = complaint(load_model, task, changed(small(kind), tmp_path / "new", WRAPPED[wrap]))
    prefix = WRAPPED[wrap]("|.0.").split("|")[0] or "_orig_mod."
    assert f"the file has {'' if wrap == 'a layer' else prefix}" in message
    assert prefix in message


PARTS = {
    "more layers": ("bert", "masked-lm", {"num_hidden_layers": 3}),
    "one bias": ("bert", "masked-lm", {"keep": lambda name: not name.endswith("layer.1.output.dense.bias")}),
    "positions": ("bert", "question-answering", {"keep": lambda name: "position_embeddings" not in name}),
    "decoder": ("t5", "seq2seq", {"keep": lambda name: not name.startswith("decoder.")}),
    "another architecture": ("roberta", "masked-lm", {"model_type": "bert", "architectures": ["BertForMaskedLM"]}),
}


@pytest.mark.parametrize("what", PARTS)
def test_what_is_missing_below_the_head_is_an_error(small, tmp_path, what):
    kind, task, change = PARTS[what]
    message = complaint(load_model, task, changed(small(kind), tmp_path / "new", **change))
    assert "below its head are missing" in message
    assert ("the file has roberta." if "another" in what else "config.json describes a larger model") in message


def test_a_new_part_that_is_no_head_for_the_reader_s_labels_is_a_warning(small, tmp_path):
    body = changed(small("bert"), tmp_path / "new", keep=lambda name: name.startswith("bert."))
    with pytest.warns(UserWarning, match=r"lacks 6 tensors.* cls\.predictions"):
        assert len(new_weights(load_model("masked-lm", body))) == 6
    with pytest.warns(UserWarning, match="lacks 2 tensors.*pooler"):
        load_model("sequence-classification", body)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_model("question-answering", body)
        load_model("masked-lm", small("bert"))


@pytest.mark.parametrize("use", [PairClassifier, MaskFiller, QuestionAnswerer, CodeCompleter])
def test_nothing_is_asked_of_a_head_that_was_never_trained(small, tmp_path, use):
    kind = "llama" if use is CodeCompleter else "distilbert"
    head = ("vocab", "lm_head", "classifier")
    body = changed(small(kind), tmp_path / "new", keep=lambda name: not name.startswith(head), tie_word_embeddings=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert "Fine-tune it first" in complaint(use.from_pretrained, str(body))


# Adapters


@pytest.fixture
def adapter_on(small, tmp_path):
    "A function that writes an adapter of a small checkpoint, and gives its folder and the model."

    def write(kind="bert", task="sequence-classification", by_peft=False, **options):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a new pooler
            classes = {"num_labels": 3} if task == "sequence-classification" and not by_peft else {}
            model = load_model(task, small(kind), seed=7, **classes)
        model, folder = adapted(model, kind, task, **options), tmp_path / "adapter"
        if by_peft:
            model.save_pretrained(folder)
        else:
            model.config.our_own = 0.25  # as chapter 5 has its threshold there
            write_model(model, load_tokenizer(small(kind)), None, folder)
        return folder, model

    return write


def said(folder, **changes):
    "Change what adapter_config.json says."
    file = folder / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


@pytest.mark.parametrize(("kind", "task"), KINDS)
def test_an_adapter_comes_on_its_base(small, adapter_on, recwarn, kind, task):
    folder, model = adapter_on(kind, task)
    assert not any("model-" in path.name or path.name in ("model.safetensors", "README.md") for path in folder.iterdir())
    torch.manual_seed(0)
    before = torch.get_rng_state()
    found, tokenizer = finished_model(task, folder)
    assert torch.equal(torch.get_rng_state(), before)
    assert not [str(one.message) for one in recwarn if "drawn" in str(one.message)]
    assert isinstance(found, peft.PeftModel)
    assert same_weights(found, model), "a new head and what lies below it, too"
    assert {name for name, x in found.named_parameters() if x.requires_grad} == {
        name for name, x in model.named_parameters() if x.requires_grad
    }
    assert not found.training
    assert found.config.our_own == 0.25
    assert found.config.id2label == model.config.id2label
    assert tokenizer.get_vocab() == load_tokenizer(small(kind)).get_vocab()
    ids = torch.arange(5, 25).view(2, 10)
    inputs = {"input_ids": ids} | ({"decoder_input_ids": ids} if task == "seq2seq" else {})
    with torch.no_grad():
        one = found(**inputs)[0]
        with found.disable_adapter():
            assert not torch.allclose(one, found(**inputs)[0], atol=1e-3)
        assert torch.allclose(one, found.merge_and_unload()(**inputs)[0], atol=1e-5)


def test_an_adapter_as_peft_saves_it_takes_its_base_s_tokenizer(small, adapter_on, tmp_path):
    folder, model = adapter_on(by_peft=True)
    assert {path.name for path in folder.iterdir()} == {"README.md", "adapter_config.json", "adapter_model.safetensors"}
    found = load_model("sequence-classification", folder, seed=7)
    assert same_weights(found, model)
    assert new_weights(found) == ["bert.pooler.dense.bias", "bert.pooler.dense.weight"], "peft does not keep them"
    assert load_tokenizer(folder).get_vocab() == load_tokenizer(small("bert")).get_vocab()
    load_tokenizer(small("bert")).save_pretrained(folder)
    assert load_tokenizer(folder).pad_token == "[PAD]"
    (folder / "adapter_model.bin").write_bytes(as_pickle(peft.load_peft_weights(folder, "cpu")))
    (folder / "adapter_model.safetensors").unlink()
    assert same_weights(load_model("sequence-classification", folder, seed=7), model)
    (folder / "adapter_model.bin").write_bytes(as_pickle({"x": Path("/etc")}))
    assert "not run" in complaint(load_model, "sequence-classification", folder)


@pytest.mark.skipif(not HAS_MINI_ENCODER, reason="no packaged encoder")
def test_the_base_may_be_packaged(tmp_path):
    model = adapted(load_model("masked-lm", "mini/encoder"), task="masked-lm")
    write_model(model, load_tokenizer("mini/encoder"), None, tmp_path)
    for _ in range(2):  # written again, it is as portable as before
        assert json.loads((tmp_path / "adapter_config.json").read_text())["base_model_name_or_path"] == "mini/encoder"
        assert same_weights(load_model("masked-lm", tmp_path), model)
        write_model(load_model("masked-lm", tmp_path), load_tokenizer(tmp_path), None, tmp_path)


def test_an_adapter_of_the_hub_and_the_revision_of_its_base(hub, small, adapter_on, monkeypatch):
    folder, model = adapter_on(task="masked-lm")
    base = hub.add("models", "me/base", files_of(small("bert")))
    first = base.refs["main"][-1].sha
    base.commit({"config.json": "{}", "model.safetensors": b"spoiled"}, ref="main")
    said(folder, base_model_name_or_path="me/base", revision=first)
    hub.add("models", "me/adapter", files_of(folder))
    assert same_weights(load_model("masked-lm", "me/adapter"), model)
    assert load_tokenizer("me/adapter").name_or_path == "me/adapter"
    no_connection(hub, monkeypatch)
    assert same_weights(load_model("masked-lm", "me/adapter"), model)
    said(folder, base_model_name_or_path="me/other", revision=None)
    for load in (partial(load_model, "masked-lm"), load_tokenizer):
        message = complaint(load, folder)
        assert f"{folder} is an adapter of me/other. " in message
        assert "HF_HUB_OFFLINE=0" in message


SPOILED = {
    "no base": (lambda folder: said(folder, base_model_name_or_path=None), "names no base"),
    "a base that is gone": (lambda folder: said(folder, base_model_name_or_path="./gone"), "of ./gone. There is no folder"),
    "itself": (lambda folder: said(folder, base_model_name_or_path=str(folder)), "merge_and_unload"),
    "no numbers": (lambda folder: (folder / "adapter_model.safetensors").unlink(), "adapter_model.safetensors is missing"),
    "half of them": (lambda folder: os.truncate(folder / "adapter_model.safetensors", 900), "Cannot load"),
    "not a JSON file": (lambda folder: (folder / "adapter_config.json").write_text("{"), "Cannot load"),
    "another task": (lambda folder: said(folder, task_type="CAUSAL_LM"), "an adapter for CAUSAL_LM, not for sequence-"),
    "another kind": (lambda folder: said(folder, peft_type="NEWER"), "does not know its peft_type=NEWER; try pip install"),
    "newer": (lambda folder: said(folder, newer=2), "does not know its newer=2; try pip install"),
    "more rank": (lambda folder: said(folder, r=3), "has another shape than here"),
    "more layers": (lambda folder: said(folder, target_modules=["query", "value", "key"]), "made for another base"),
    "fewer layers": (lambda folder: said(folder, target_modules=["query"]), "made for another base"),
    "other names": (lambda folder: said(folder, target_modules=["c_attn"]), "none of the layers that it changes"),
    "merged into itself": (lambda folder: (folder / "model.safetensors").write_bytes(b""), "whole model and an adapter"),
}


@pytest.mark.parametrize("spoiled", SPOILED)
def test_what_an_adapter_lacks_is_one_line(adapter_on, spoiled):
    folder, _ = adapter_on()
    spoil, expected = SPOILED[spoiled]
    spoil(folder)
    message = complaint(load_model, "sequence-classification", folder)
    assert expected in message
    assert str(folder) in message


def test_what_a_newer_peft_leaves_at_nothing_is_no_reason_to_refuse(adapter_on):
    folder, model = adapter_on()
    said(folder, newer=None, newest=False, others={})
    assert same_weights(load_model("sequence-classification", folder), model)


def test_an_adapter_of_another_base_or_of_other_classes_is_named(small, adapter_on):
    folder, _ = adapter_on()
    assert "classifier" in (message := complaint(load_model, "sequence-classification", folder, num_labels=2))
    assert "another shape than here" in message
    said(folder, base_model_name_or_path=str(small("gpt2")))
    (folder / "model_config.json").unlink()
    assert "none of the layers that it changes" in complaint(load_model, "sequence-classification", folder)


def test_a_new_head_that_stays_as_it_was_drawn_goes_along_with_the_adapter(small, tmp_path):
    "Below LoRA alone it is frozen; of BERT, two of its tensors are one."
    body = changed(small("bert"), tmp_path / "body", keep=lambda name: not name.startswith("cls"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = load_model("masked-lm", body, seed=3)
    assert len(new_weights(model)) > 3
    model = adapted(model, task="masked-lm")
    write_model(model, load_tokenizer(body), None, tmp_path / "adapter")
    assert same_weights(finished_model("masked-lm", tmp_path / "adapter")[0], model)


def test_a_head_that_the_adapter_does_not_hold_was_never_trained(adapter_on):
    folder, _ = adapter_on(by_peft=True, task_type=None)
    assert "Fine-tune it first" in complaint(finished_model, "sequence-classification", folder)


def test_a_missing_shard_is_named(copy_of, state):
    from safetensors.torch import save

    folder, weights = copy_of("shards"), {key: value.clone() for key, value in state.items()}
    (folder / "model.safetensors").unlink()
    pieces, index = in_parts(weights, "model.safetensors")
    (folder / "model.safetensors.index.json").write_bytes(index if isinstance(index, bytes) else index.encode())
    for name, piece in list(pieces.items())[:1]:
        (folder / name).write_bytes(save(piece, {"format": "pt"}))
    assert "model-00002-of-00002.safetensors" in complaint(load_model, "masked-lm", folder)


# what tokenizer and model know of each other


@pytest.mark.parametrize(("kind", "pad"), [("gpt2", "<|endoftext|>"), ("llama", "</s>"), ("bert", "[PAD]")])
def test_a_tokenizer_has_padding_and_a_classifier_knows_it(small, kind, pad):
    tokenizer = load_tokenizer(small(kind))
    assert tokenizer.pad_token == pad
    model = load_model("sequence-classification", small(kind), num_labels=2)
    assert model.config.pad_token_id == tokenizer.pad_token_id
    batch = tokenizer(["a b", "a longer text"], padding=True, return_tensors="pt")
    with torch.no_grad():
        alone = model(**tokenizer("a b", return_tensors="pt")).logits
        assert torch.allclose(model(**batch).logits[:1], alone, atol=1e-5)


@pytest.mark.parametrize(("said", "pad"), [(5, 5), (-1, 2), (None, 2)])
def test_padding_is_what_the_model_calls_so(small, tmp_path, said, pad):
    assert load_tokenizer(changed(small("llama"), tmp_path / "new", pad_token_id=said)).pad_token_id == pad


def test_types_that_the_model_does_not_know_are_left_out(small, tmp_path, capsys):
    save_checkpoint("bert", tmp_path, type_vocab_size=1)
    loaded = load_tokenizer(tmp_path)
    assert "one type of tokens" in capsys.readouterr().out
    load_model("sequence-classification", tmp_path)(**loaded("the film", "was good", return_tensors="pt"))
    assert "token_type_ids" in load_tokenizer(small("bert")).model_input_names


@pytest.mark.parametrize("start", [None, 999])
def test_a_decoder_that_cannot_begin_is_an_error(small, tmp_path, start):
    folder = changed(small("t5"), tmp_path / "new", decoder_start_token_id=start)
    model, tokenizer = load_model("seq2seq", folder), load_tokenizer(folder)
    assert f"decoder_start_token_id={start}" in complaint(check_fits, model, tokenizer, 16, "max_length")
    model.config.decoder_start_token_id = 0
    check_fits(model, tokenizer, 16, "max_length")


def test_of_two_models_the_smaller_one_sets_the_limits():
    config = EncoderDecoderConfig.from_encoder_decoder_configs(tiny_config(), tiny_config())
    assert longest_input(config, tiny_tokenizer()) == 32
    said = complaint(check_fits, config, tiny_tokenizer(), 16, "max_length")
    assert "decoder_start_token_id=None, pad_token_id=None" in said
    config.decoder.vocab_size = 5
    assert f"tokenizer has {len(WORDS)} tokens, the model 5" in complaint(check_fits, config, tiny_tokenizer(), 16, "x")
