"The loopback Hub is asked by the real clients, in a process of their own: they read its address when they are imported."

import hub_layouts
import pytest
from interpreters import printed_by
from loopback_hub import LoopbackHub, environment, running_loopback_hub

CLIENT = """
import os
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RepositoryNotFoundError

small, large = (hf_hub_download("someone/model", name) for name in ("config.json", "sub/model.safetensors"))
assert open(small).read() == "{}" and os.path.getsize(large) == 100_000
assert HfApi().model_info("someone/model").sha in large
pull, = HfApi().get_repo_discussions("someone/model")
assert (pull.num, pull.author, pull.status) == (1, "a bot", "open")
assert open(hf_hub_download("someone/model", "new.txt", revision=pull.git_reference)).read() == "new"
commits = HfApi().list_repo_commits("someone/model", revision=pull.git_reference)
assert commits[1].commit_id == HfApi().model_info("someone/model").sha
for repository, name, error in (
    ("someone/model", "missing.txt", EntryNotFoundError), ("someone/else", "config.json", RepositoryNotFoundError)
):
    try:
        hf_hub_download(repository, name)
        raise SystemExit(name)
    except error:
        pass

from datasets import load_dataset

first = next(iter(load_dataset("someone/lines", split="train", streaming=True)))
assert first == {"content": "0" * 1000}
assert load_dataset("nyu-mll/glue", "mrpc", split="validation").features["label"].names == ["not_equivalent", "equivalent"]
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> LoopbackHub:
    with running_loopback_hub() as hub:
        model = hub.add("models", "someone/model", {"config.json": "{}", "sub/model.safetensors": b"x" * 100_000})
        model.open_pull_request({"new.txt": "new"}, "A file", "a bot")
        lines = hub_layouts.json_lines([{"content": "0" * 1000}] * 60_000)
        hub.add("datasets", "someone/lines", {"train.json": lines})
        hub.add("datasets", "nyu-mll/glue", hub_layouts.glue(8, 4))
        home = str(tmp_path_factory.mktemp("home"))
        printed_by(CLIENT, **environment(hub, home))
        yield hub


def test_what_is_asked_is_served_as_by_the_real_hub(hub):
    assert len(hub.asked("discussions")) == 1
    assert hub.sent("model.safetensors", kind="cdn") == 100_000
    assert hub.sent("mrpc/", kind="cdn") > 0
    assert not hub.asked("cola/.*parquet", kind="cdn")


def test_of_a_stream_only_a_part_is_sent(hub):
    whole = len(hub.repositories["datasets", "someone/lines"].find("main").files["train.json"].content)
    assert 0 < hub.sent("train.json", kind="cdn") < 2 / 3 * whole  # the client looks ahead by some 30 MB


FAULTS = """
import os
from huggingface_hub import hf_hub_download

try:
    print(os.path.getsize(hf_hub_download("someone/model", os.environ["FILE"])))
except Exception as error:
    print(getattr(getattr(error.__cause__, "response", None), "status_code", type(error).__name__))
"""


@pytest.mark.parametrize(
    ("fault", "kind", "answer"),
    [
        (403, "resolve", "403"),
        ("drop", "resolve", "Error"),  # of the HTTP library; its name differs by version
        ("cut", "cdn", "100000"),
        (0.2, "", "100000"),
    ],
)
def test_faults_come_as_often_as_wanted(tmp_path, fault, kind, answer):
    with running_loopback_hub() as hub:
        hub.add("models", "someone/model", {"config.json": "{}", "model.safetensors": b"x" * 100_000})
        hub.fail(fault, "model.safetensors", kind=kind, times=1)
        asking = environment(hub, str(tmp_path))
        assert printed_by(FAULTS, FILE="model.safetensors", **asking).endswith(answer)
        assert printed_by(FAULTS, FILE="config.json", **asking) == "2"
