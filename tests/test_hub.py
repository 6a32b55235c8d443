"Publishing: the real client, against a Hub of our own on 127.0.0.1."

import copy
import functools
import logging
import resource
import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest
import torch
import yaml
from complaints import complaint_of
from datasets import Dataset
from hub_server import TOKEN, Hub, running_hub
from huggingface_hub import HfApi, ModelCard, constants, hf_hub_download
from huggingface_hub.utils import _http
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import PeftModel
from safetensors import SafetensorError
from small_adapters import adapted
from tokenizers import Tokenizer, models
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

from course_lib.checkpoints import TASKS, load_model
from course_lib.hub import (
    PIPELINES,
    model_card,
    public_name,
    publish,
    upload,
    write_model,
)
from course_lib.loop import LoopConfig, fit
from course_lib.profiles import CourseError


@dataclass(frozen=True)
class Settings:
    dataset: str = "/home/somebody/secret/pairs.csv"
    checkpoint: str = "google-bert/bert-base-cased"
    seed: int = 3
    labelled: str = "/home/somebody/secret/reviews.csv"


@pytest.fixture(scope="module")
def tokenizer() -> BertTokenizerFast:
    vocabulary = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "é": 5}
    return BertTokenizerFast(tokenizer_object=Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]")))


def small_model() -> BertForSequenceClassification:
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    return BertForSequenceClassification(BertConfig(vocab_size=6, max_position_embeddings=8, **sizes))


@pytest.fixture
def naps(monkeypatch) -> list[float]:
    "How long the client and we wanted to sleep; nobody does."
    slept: list[float] = []
    monkeypatch.setattr(_http.time, "sleep", slept.append)
    return slept


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with running_hub() as hub:
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)  # as HF_ENDPOINT would, were it set before the import
        files = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", files)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
        yield hub


@pytest.fixture(autouse=True)
def never_the_token(caplog, capfd, tmp_path, recwarn):
    "The token is in no output, log, warning or file, whatever a test does."
    caplog.set_level(logging.DEBUG)
    yield
    said = capfd.readouterr()
    texts = [said.out, said.err, caplog.text, *(str(warning.message) for warning in recwarn)]
    assert not [text for text in texts if TOKEN in text]
    for path in tmp_path.rglob("*"):
        if path.is_file() and "cache" not in path.parts:
            assert TOKEN.encode() not in path.read_bytes(), path


def published(tokenizer, folder: Path, repo_id: str = "you/model", **options) -> str:
    options = {"metrics": {"accuracy": 0.75}, "settings": Settings(), "folder": folder} | options
    return publish(small_model(), tokenizer, repo_id, task="sequence-classification", **options)


def refusal(tokenizer, folder: Path, **options) -> str:
    "The complaint of a publication that fails; the files are there, and nothing behind the error holds the token."
    before = set(folder.iterdir()) if folder.exists() else set()
    with pytest.raises(CourseError) as caught:
        published(tokenizer, folder, **options)
    error, message = caught.value, str(caught.value)
    assert "\n" not in message
    assert error.__context__ is None
    assert error.__cause__ is None
    assert TOKEN not in "".join(traceback.format_exception(error))
    assert str(folder) in message
    assert "hf upload you/model" in message
    assert {path.name for path in set(folder.iterdir()) - before} == FILES
    return message


FILES = {"README.md", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}


# Publishing


def test_published_and_loaded_again(hub: Hub, tokenizer, tmp_path):
    url = published(tokenizer, tmp_path / "files")
    assert url == f"{hub.url}/you/model"
    assert len(hub.commits) == 1, "one commit"
    assert set(hub.commits[0]["files"]) == FILES
    assert hub.kinds() == ["create", "yaml", "preupload", "batch", "lfs", "commit"]
    for name in FILES:
        again = hf_hub_download("you/model", name)
        assert Path(again).read_bytes() == (tmp_path / "files" / name).read_bytes()
    loaded = BertForSequenceClassification.from_pretrained(tmp_path / "files")
    for ours, theirs in zip(small_model().parameters(), loaded.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_dry_run_writes_the_same_files_and_asks_nobody(hub: Hub, tokenizer, tmp_path):
    found = published(tokenizer, tmp_path / "dry", dry_run=True)
    assert found == str(tmp_path / "dry")
    assert hub.requests == []
    published(tokenizer, tmp_path / "wet")
    for name in FILES:
        assert (tmp_path / "dry" / name).read_bytes() == (tmp_path / "wet" / name).read_bytes()


def test_a_repository_that_exists_gets_a_second_commit(hub: Hub, tokenizer, tmp_path):
    published(tokenizer, tmp_path / "files")
    published(tokenizer, tmp_path / "files", metrics={"accuracy": 0.8})
    assert [commit["repository"] for commit in hub.commits] == ["you/model"] * 2
    assert b"0.8" in hub.repositories["you/model"]["README.md"]


def test_without_a_namespace_it_is_your_own(hub: Hub, tokenizer, tmp_path):
    assert published(tokenizer, tmp_path / "files", "model") == f"{hub.url}/you/model"
    assert "you/model" in hub.repositories


def test_other_files_in_the_folder_are_left_alone(hub: Hub, tokenizer, tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "diary.txt").write_text("mine")
    published(tokenizer, tmp_path / "files")
    assert (tmp_path / "files" / "diary.txt").read_text() == "mine"
    assert set(hub.repositories["you/model"]) == FILES


def test_only_the_named_files_are_uploaded(hub: Hub, tokenizer, tmp_path):
    published(tokenizer, tmp_path / "files", dry_run=True)
    assert upload(tmp_path / "files", "you/again", ["README.md"]) == f"{hub.url}/you/again"
    assert set(hub.repositories["you/again"]) == {"README.md"}


# What can go wrong


@pytest.mark.parametrize("kind", ["create", "preupload", "batch", "lfs", "commit"])
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (401, "does not accept the token (401)"),
        (403, "may not write to you/model (403)"),
        (409, "somebody else is changing you/model (409)"),
        (429, "too many requests (429)"),
        ((429, {"Retry-After": "9000"}), "too many requests (429). Wait 9000 s"),
        (500, "the Hub is in trouble (500)"),
        (503, "the Hub is in trouble (503)"),
        ("drop", "no proper answer from the Hub"),
    ],
    ids=str,
)
def test_a_refusal_is_one_line_and_the_files_stay(hub: Hub, naps, tokenizer, tmp_path, kind, fault, expected):
    if kind == "create" and fault == 409:
        pytest.skip("means that the repository exists")
    hub.faults[kind] = [fault] * 100
    assert expected in refusal(tokenizer, tmp_path / "files")
    assert hub.commits == []
    hub.faults.clear()
    assert published(tokenizer, tmp_path / "files") == f"{hub.url}/you/model"


@pytest.mark.parametrize(
    ("kind", "faults"), [("create", [429, 500, 503]), ("preupload", [429]), ("batch", [429, 503]), ("lfs", [500, 503])]
)
def test_what_passes_is_tried_again(hub: Hub, naps, tokenizer, tmp_path, kind, faults):
    "Creating by us, large files by the library."
    for number, fault in enumerate(faults):
        hub.faults[kind] = [fault]
        assert published(tokenizer, tmp_path / "files", f"model-{number}") == f"{hub.url}/you/model-{number}"
        hub.store.clear()
    assert len(hub.commits) == len(faults)


@pytest.mark.parametrize("kind", ["create", "yaml", "preupload", "batch", "lfs", "commit"])
@pytest.mark.parametrize("fault", [409, 429, 503, "drop"])
def test_what_was_refused_once_may_be_published_again(hub: Hub, naps, tokenizer, tmp_path, kind, fault):
    "What the library tries again by itself differs from version to version; publishing twice always helps."
    hub.faults[kind] = [fault]
    try:
        published(tokenizer, tmp_path / "files")
    except CourseError as error:
        assert "Publishing failed" in str(error)
        assert hub.commits == []
        published(tokenizer, tmp_path / "files")
    assert set(hub.repositories["you/model"]) == FILES
    assert len(hub.commits) == 1


def test_a_lost_answer_does_not_commit_twice(hub: Hub, naps, tokenizer, tmp_path):
    "The library leaves the commit's retry out on purpose."
    hub.faults["commit"] = ["drop"] * 9
    assert "no proper answer" in refusal(tokenizer, tmp_path / "files")
    assert hub.kinds().count("commit") == 1


@pytest.mark.parametrize("kind", ["create", "preupload"])
def test_retry_after_is_obeyed(hub: Hub, naps, tokenizer, tmp_path, kind):
    hub.faults[kind] = [(429, {"Retry-After": "17"})]
    published(tokenizer, tmp_path / "files")
    assert sum(naps) in (17, 18)


def test_a_slow_answer_is_waited_for(hub: Hub, tokenizer, tmp_path):
    event = threading.Event()
    hub.faults["commit"] = [("slow", event)]
    threading.Timer(0.5, event.set).start()
    started = time.perf_counter()
    published(tokenizer, tmp_path / "files")
    assert time.perf_counter() - started >= 0.5


def test_a_wrong_token(hub: Hub, tokenizer, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN[::-1])
    message = refusal(tokenizer, tmp_path / "files")
    assert "hf auth login" in message
    assert TOKEN[::-1] not in message


@pytest.mark.parametrize("ending", ["\n", "\r\n", " "])
def test_a_token_from_a_file_is_taken_without_its_line_break(hub: Hub, tokenizer, tmp_path, ending):
    assert published(tokenizer, tmp_path / "files", token=TOKEN + ending) == f"{hub.url}/you/model"


@pytest.mark.parametrize("wrong", [TOKEN[:9] + "\n" + TOKEN[9:], f"Bearer {TOKEN}", f"{TOKEN}é", f"{TOKEN}\0"])
def test_what_cannot_be_a_token_is_refused_and_not_shown(hub: Hub, tokenizer, tmp_path, wrong):
    message = refusal(tokenizer, tmp_path / "files", token=wrong)
    assert not [part for part in (*wrong.split(), repr(wrong)) if part in message]
    assert hub.commits == []


def test_an_error_of_the_client_does_not_show_the_token(hub: Hub, tokenizer, tmp_path, monkeypatch):
    def repeat(*args, **options):
        raise OSError(f"{TOKEN!r} {TOKEN}")

    monkeypatch.setattr(HfApi, "create_repo", repeat)
    assert "OSError" in refusal(tokenizer, tmp_path / "files")


def test_no_token_names_the_two_ways_to_log_in(hub: Hub, tokenizer, tmp_path, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.delenv("HUGGING_FACE_HUB_TOKEN", raising=False)
    message = refusal(tokenizer, tmp_path / "files")
    assert "`hf auth login`" in message
    assert "notebook_login()" in message
    assert hub.requests == []


def test_offline_says_so(tokenizer, tmp_path):
    assert "offline" in refusal(tokenizer, tmp_path / "files")


@pytest.mark.parametrize("name", ["", "a b", "a/b/c", "-a", "é/é", "a" * 200])
def test_names_that_cannot_be(tokenizer, tmp_path, name):
    assert repr(name) in complaint_of(CourseError, published, tokenizer, tmp_path, name)
    assert not list(tmp_path.iterdir())


def test_an_unknown_task(tokenizer, tmp_path):
    complaint = complaint_of(CourseError, publish, small_model(), tokenizer, "a/b", task="masked_lm", folder=tmp_path)
    assert "Did you mean 'masked-lm'?" in complaint


def test_a_folder_that_cannot_be_written(tokenizer, tmp_path):
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in complaint_of(CourseError, published, tokenizer, tmp_path / "file")


@pytest.mark.parametrize(("limit", "words"), [(10, 0), (1_500, 0), (40_000, 500)])
def test_a_full_disk_is_explained(tokenizer, tmp_path, limit, words):
    "The configuration, the weights or the tokenizer do not fit: each is written by another library."
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.add_tokens([f"word{number}" for number in range(words)])
    model = small_model()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        message = complaint_of(CourseError, write_model, model, tokenizer, None, tmp_path / "files")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(tmp_path / "files") in message
    assert "File too large" in message
    assert not list((tmp_path / "files").iterdir())


def test_a_full_disk_in_the_words_of_safetensors_0_5(tokenizer, tmp_path):
    said = 'Error while serializing: IoError(Os { code: 28, kind: StorageFull, message: "No space left on device" })'
    model = small_model()
    model.save_pretrained = mock.Mock(side_effect=SafetensorError(said))
    message = complaint_of(CourseError, write_model, model, tokenizer, None, tmp_path / "files")
    assert "No space left on device" in message


@pytest.mark.parametrize("sharded_first", [True, False])
def test_weights_of_another_layout_do_not_stay_behind(tokenizer, tmp_path, sharded_first):
    "A sharded checkpoint over a single file, and the other way round: what is loaded is what was written last."
    (tmp_path / "model.md").write_text("mine")
    (tmp_path / "pytorch_model.bin").write_bytes(b"of an old version")
    for number, sharded in enumerate([sharded_first, not sharded_first]):
        model = small_model()
        torch.nn.init.constant_(model.classifier.bias, number)
        size = 2_000 if sharded else "5GB"
        model.save_pretrained = functools.partial(model.save_pretrained, max_shard_size=size)
        names = write_model(model, tokenizer, None, tmp_path)
        assert (len([name for name in names if name.endswith(".safetensors")]) > 1) == sharded
        assert {path.name for path in tmp_path.iterdir()} == {*names, "model.md"}
        loaded = load_model("sequence-classification", tmp_path)
        assert loaded.classifier.bias.tolist() == [number, number]


# Adapters


OF_ADAPTERS = (FILES - {"config.json", "model.safetensors"}) | {
    "adapter_config.json",
    "adapter_model.safetensors",
    "model_config.json",
}


def on_a_base(base: str, **options) -> PeftModel:
    model = small_model()
    model.name_or_path = base
    model.config.id2label = {0: "no", 1: "yes"}
    return adapted(model, **options)


def test_an_adapter_is_published_with_its_card(hub: Hub, tokenizer, tmp_path):
    model, options = on_a_base("google-bert/bert-base-cased"), {"metrics": {"accuracy": 0.75}, "settings": Settings()}
    publish(model, tokenizer, "you/model", task="sequence-classification", folder=tmp_path / "files", **options)
    assert set(hub.commits[0]["files"]) == OF_ADAPTERS
    text = (tmp_path / "files" / "README.md").read_text()
    head = yaml.safe_load(text.split("---\n")[1])
    assert (head["library_name"], head["base_model"]) == ("peft", "google-bert/bert-base-cased")
    assert head["model-index"][0]["results"][0]["metrics"][0]["value"] == 0.75
    ours, peft_s = (part.split("```")[0] for part in text.split("```python\n")[1:])
    assert 'load_model("sequence-classification", "you/model")' in ours
    assert 'from_pretrained("google-bert/bert-base-cased", num_labels=2)' in peft_s
    folder = tmp_path / "base"
    small_model().save_pretrained(folder)
    for code in (ours, peft_s):
        compile(code, "card", "exec")
    found = {}  # the code itself, with the one base and the one repository that there are here
    code = peft_s.replace('"you/model"', f"{str(tmp_path / 'files')!r}").replace('"google-bert/bert-base-cased"', f"{str(folder)!r}")
    exec(code, found)
    assert torch.equal(found["model"].classifier.weight, model.classifier.weight)
    assert len(found["tokenizer"]) == len(tokenizer)


def test_the_card_of_an_adapter_on_a_packaged_base(tmp_path, tokenizer):
    model = on_a_base("mini/encoder")
    publish(model, tokenizer, "you/model", task="sequence-classification", folder=tmp_path, dry_run=True)
    text = (tmp_path / "README.md").read_text()
    assert "base_model" not in text.split("---\n")[1]
    code = text.split("```python\n")[2].split("```")[0]
    compile(code, "card", "exec")
    assert 'from_pretrained(resolve_checkpoint("mini/encoder"), num_labels=2)' in code


def test_an_old_id_without_an_owner_is_a_base():
    head = model_card("you/model", "masked-lm", model=on_a_base("gpt2")).split("---\n")[1]
    assert yaml.safe_load(head)["base_model"] == "gpt2"


@pytest.mark.parametrize("base", ["", "here", "/srv/base", "./base", "C:\\models\\base", "some/where/base"])
def test_what_only_this_machine_has_is_no_base_for_others(tokenizer, tmp_path, monkeypatch, base):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path)
    options = {"task": "sequence-classification", "folder": tmp_path / "files", "dry_run": True}
    message = complaint_of(CourseError, publish, on_a_base(base), tokenizer, "you/model", **options)
    assert "merge_and_unload" in message
    assert not (tmp_path / "files").exists()


def test_whole_models_and_adapters_in_one_folder_after_each_other(tokenizer, tmp_path):
    small_model().save_pretrained(tmp_path / "base")
    out = tmp_path / "out"
    for number, name in enumerate(["default", None, "second", None]):
        model = on_a_base(str(tmp_path / "base"), adapter_name=name) if name else small_model()
        torch.nn.init.constant_(model.get_parameter(f"base_model.model.classifier.modules_to_save.{name}.bias" if name else "classifier.bias"), number)
        names = write_model(model, tokenizer, None, out)
        assert {path.name for path in out.iterdir()} == set(names) == (OF_ADAPTERS if name else FILES) - {"README.md"}
        found = load_model("sequence-classification", out)
        assert isinstance(found, PeftModel) == bool(name)
        assert found.classifier.bias.tolist() == [number, number]
        assert found.config.id2label[1] == ("yes" if name else "LABEL_1")


def test_of_two_adapters_the_one_in_use_is_written(tokenizer, tmp_path, monkeypatch):
    small_model().save_pretrained(tmp_path / "base")
    monkeypatch.chdir(tmp_path)
    model = on_a_base("base")
    model.add_adapter("second", model.peft_config["default"])
    for name in ("second", "default"):
        model.set_adapter(name)
        write_model(model, tokenizer, None, name)
        monkeypatch.chdir(tmp_path / name)  # the base is found from anywhere
        found = load_model("sequence-classification", tmp_path / name)
        assert torch.equal(found.classifier.weight, model.classifier.weight)
        monkeypatch.chdir(tmp_path)


def test_a_tilde_is_the_home_folder(hub: Hub, tokenizer, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert set(write_model(small_model(), tokenizer, None, "~/files")) == FILES - {"README.md"}
    assert upload("~/files", "you/model", ["config.json"]) == f"{hub.url}/you/model"
    assert not list(Path().iterdir())


# The card


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(sorted(PIPELINES)),
    st.dictionaries(
        st.from_regex("[a-z_0-9]{1,10}", fullmatch=True), st.floats() | st.integers(-5, 5) | TEXT, max_size=4
    ),
    st.dictionaries(st.from_regex("[a-z_]{1,10}", fullmatch=True), TEXT | st.integers() | st.none(), max_size=4),
    TEXT.filter(str.strip),
)
def test_the_head_of_a_card_is_what_was_measured(task, metrics, options, dataset):
    options = {name: value for name, value in options.items() if name not in ("dataset", "checkpoint")}
    text = model_card("you/model", task, metrics=metrics, settings=options, dataset=dataset)
    head = yaml.safe_load(text.split("---\n")[1])
    assert head["pipeline_tag"] == PIPELINES[task]
    found = {
        metric["type"]: metric["value"]
        for result in head.get("model-index", [{}])[0].get("results", [])
        for metric in result["metrics"]
    }
    finite = {
        name: value for name, value in metrics.items() if isinstance(value, int | float) and abs(value) < float("inf")
    }
    finite = {name: finite[name] for name in finite if name not in ("step", "epoch")}
    assert found == finite
    data = ModelCard(text).data
    assert {result.metric_type for result in data.eval_results or []} == set(finite)
    rows = [
        line for line in text.split("## Settings")[-1].split("## Versions")[0].splitlines() if line.startswith("| ")
    ]
    assert len(rows) == (2 + len(options) if options else len(rows)), "one row each"


@pytest.mark.parametrize("task", TASKS)
def test_the_code_in_a_card_is_python(task):
    text = model_card("you/model", task)
    code = text.split("```python\n")[1].split("```")[0]
    compile(code, "card", "exec")
    assert "you/model" in code
    assert "{{" not in code


def test_a_card_states_the_licence_or_that_there_is_none():
    text = model_card("a/b", "masked-lm", license="apache-2.0")
    assert yaml.safe_load(text.split("---\n")[1])["license"] == "apache-2.0"
    assert "Licence: apache-2.0." in text
    assert "No licence is stated" in model_card("a/b", "masked-lm")


def test_a_card_keeps_paths_private():
    text = model_card("a/b", "masked-lm", settings=Settings(checkpoint="/srv/models/mine/"), metrics={"loss": 1})
    assert "somebody" not in text
    assert "srv" not in text
    assert "pairs.csv" in text
    assert "| checkpoint | mine |" in text
    head = yaml.safe_load(text.split("---\n")[1])
    assert "datasets" not in head
    assert "base_model" not in head
    named = yaml.safe_load(model_card("a/b", "masked-lm", settings=Settings("nyu-mll/glue")).split("---\n")[1])
    assert (named["datasets"], named["base_model"]) == (["nyu-mll/glue"], "google-bert/bert-base-cased")


@pytest.mark.parametrize("name", ["opus/kde4", "mini/squad", "jupyterlab-fr", "python-code", "./own/data.csv"])
def test_the_courses_own_names_are_no_links(name):
    text = model_card("a/b", "seq2seq", settings=Settings(name, "mini/seq2seq"), metrics={"bleu": 1.0})
    head = yaml.safe_load(text.split("---\n")[1])
    assert "datasets" not in head
    assert "base_model" not in head
    assert f"`{public_name(name)}`" in text
    assert public_name(name) == (name if name[0] != "." else "data.csv")


def test_a_configuration_is_no_part_of_the_link():
    text = model_card("a/b", "masked-lm", settings=Settings("nyu-mll/glue:mrpc"), metrics={"accuracy": 0.5})
    head = yaml.safe_load(text.split("---\n")[1])
    assert head["datasets"] == ["nyu-mll/glue"]
    data = head["model-index"][0]["results"][0]["dataset"]
    assert (data["type"], data["config"], data["name"]) == ("nyu-mll/glue", "mrpc", "nyu-mll/glue:mrpc")
    assert "fine-tuned on `nyu-mll/glue:mrpc`" in text


@pytest.mark.parametrize(
    ("dataset", "shown", "link"),
    [("nyu-mll/glue", "nyu-mll/glue", ["nyu-mll/glue"]), ("/srv/pairs.csv", "pairs.csv", None)],
)
def test_names_may_be_paths(dataset, shown, link):
    metrics = {"accuracy": 0.5}
    for options in (
        {"dataset": Path(dataset), "settings": {"checkpoint": Path("/srv/models/mine")}},
        {"settings": Settings(Path(dataset), Path("/srv/models/mine"))},
    ):
        text = model_card("a/b", "masked-lm", metrics=metrics, **options)
        assert f"fine-tuned on `{shown}` from `mine`." in text
        assert "srv" not in text
        assert yaml.safe_load(text.split("---\n")[1]).get("datasets") == link


def test_a_name_that_is_too_long_for_a_path_is_a_name():
    assert public_name("a/" + "b" * 300) == "a/" + "b" * 300
    assert "b" * 300 in model_card("a/b", "masked-lm", settings=Settings("a/" + "b" * 300))


def test_a_folder_of_two_parts_is_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my", "data").mkdir(parents=True)
    assert public_name("my/data") == "data"
    assert public_name("your/data") == "your/data"


# In the background


def test_a_training_is_published_while_it_runs(hub: Hub, tokenizer, tmp_path):
    rows = Dataset.from_dict({"input_ids": [[2, 5, 3]] * 16, "labels": [0, 1] * 8})

    def collate(batch):
        return {name: torch.tensor([row[name] for row in batch]) for name in ("input_ids", "labels")}

    def train(publisher):
        model = small_model()
        config = LoopConfig(num_epochs=3, batch_size=8)
        history = fit(
            model, rows, collate, config, evaluate=lambda *_: {"loss": 0.5}, progress=False, publisher=publisher
        )
        return history, [parameter.tolist() for parameter in model.parameters()]

    uploads = []

    def publisher(model, history):
        if uploads:  # one is on its way, and what it reads must stay as it is
            return
        card = model_card("you/model", model=model, metrics=history.evaluations[-1], task="sequence-classification")
        names = write_model(model, tokenizer, card, tmp_path / "files")
        uploads.append(HfApi().run_as_future(upload, tmp_path / "files", "you/model", names))

    expected = train(None)
    assert train(publisher) == expected
    assert uploads[0].result(30) == f"{hub.url}/you/model"
    assert {path.name for path in (tmp_path / "files").iterdir()} == FILES
    assert set(hub.repositories["you/model"]) >= FILES

    hub.faults["commit"] = [403] * 10
    uploads.clear()
    assert train(publisher) == expected, "a failed upload changes nothing"
    assert "may not write" in str(uploads[0].exception(30))


def test_a_model_without_a_card(tokenizer, tmp_path):
    assert set(write_model(small_model(), tokenizer, None, tmp_path / "files")) == FILES - {"README.md"}
    assert {path.name for path in (tmp_path / "files").iterdir()} == FILES - {"README.md"}


def test_write_model_is_quiet(tokenizer, tmp_path, capfd):
    names = write_model(small_model(), tokenizer, "card", tmp_path / "files")
    assert set(names) == FILES
    assert capfd.readouterr().err == ""
