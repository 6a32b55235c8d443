"Training states: killed, damaged, on a full disk; what comes back is what would have been."

import errno
import json
import os
import random
import resource
import signal
import threading
import time
import traceback
import warnings
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pytest
import sklearn.metrics  # noqa: F401 - its import draws from Python's generator: here, and not in some of the runs
import torch
from accelerate import Accelerator
from complaints import complaint_of
from datasets import Dataset
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st
from small_adapters import adapted
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

from course_lib import saving
from course_lib.loop import History, LoopConfig, fit
from course_lib.processes import launch
from course_lib.profiles import CourseError
from course_lib.results import plain_numbers
from course_lib.saving import (
    SavingWarning,
    StateKeeper,
    TrainingInterrupted,
    distinct_tensors,
    keep_newest,
    newest_state,
    random_state,
    read_state,
    set_random_state,
    signals_to,
    state_folders,
    what_is_wrong,
    write_state,
)
from course_lib.training_loop import evaluate

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and fork as on Unix")


@pytest.fixture(autouse=True)
def one_thread():
    "Sums come out the same, to the last bit, only with the same number of threads."
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def small_model() -> BertForSequenceClassification:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=16,
    )
    return BertForSequenceClassification(config)


def make_rows(count: int, seed: int = 0) -> Dataset:
    dice = np.random.default_rng(seed)
    texts = [dice.integers(5, 50, dice.integers(3, 12)).tolist() for _ in range(count)]
    return Dataset.from_dict({"input_ids": texts, "labels": dice.integers(2, size=count).tolist()})


def exact(rows: list[dict]) -> dict[str, torch.Tensor]:
    width = max(len(row["input_ids"]) for row in rows)
    ids = torch.tensor([row["input_ids"] + [0] * (width - len(row["input_ids"])) for row in rows])
    return {
        "input_ids": ids,
        "attention_mask": (ids > 0).long(),
        "labels": torch.tensor([row["labels"] for row in rows]),
    }


def noisy(rows: list[dict]) -> dict[str, torch.Tensor]:
    "A collator that throws all three kinds of dice, as masking collators do."
    batch = exact(rows)
    hidden = torch.rand(batch["input_ids"].shape) < 0.1
    batch["input_ids"][hidden] = 1 + int(np.random.randint(3))
    batch["input_ids"][0, 0] = 1 + random.randrange(3)
    return batch


ROWS, HELD_OUT = make_rows(61), make_rows(11, seed=1)
CONFIG = LoopConfig(num_epochs=24, batch_size=8, gradient_accumulation_steps=3, learning_rate=1e-3)  # 72 steps


def outcome(folder: Path | None, config: LoopConfig = CONFIG, collate=noisy, model=None, **options) -> dict:
    "Train, and return what must be the same: a checksum of the weights, and the history."
    model = small_model() if model is None else model
    score = partial(evaluate, data=HELD_OUT, collate=exact)
    options = {"save_every": 2, "resume": True} | options if folder is not None else options
    history = fit(model, ROWS, collate, config, evaluate=score, progress=False, folder=folder, **options)
    weights = b"".join(tensor.numpy().tobytes() for tensor in model.state_dict().values())
    return {"weights": blake2b(weights).hexdigest()} | history.to_dict()


def in_child(function, *args) -> int:
    "Process id of a fork of this process that runs the function, in a process group of its own."
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.setpgid(0, 0)
        torch.set_num_threads(1)
        warnings.simplefilter("ignore")
        function(*args)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def ended(child: int) -> str:
    status = os.waitpid(child, 0)[1]
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return "killed" if killed else f"exit {os.WEXITSTATUS(status)}"


def kill_at(event: int) -> None:
    "From now on in this process: SIGKILL in the midst of the event-th thing done to the disk."
    import safetensors.torch

    done = 0

    def deadly(function, halve=False):
        def wrapper(*args, **options):
            nonlocal done
            done += 1
            if done == event:
                if halve:  # a file that is half there
                    function(*args, **options)
                    os.truncate(args[1], os.path.getsize(args[1]) // 2)
                elif event % 2:
                    function(*args, **options)
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **options)

        return wrapper

    saving.fsync = deadly(saving.fsync)
    Path.rename = deadly(Path.rename)
    Path.mkdir = deadly(Path.mkdir)
    saving.shutil.rmtree = deadly(saving.shutil.rmtree)
    safetensors.torch.save_file = deadly(safetensors.torch.save_file, halve=True)


def trained_in_child(
    folder: Path | None, answer: Path, event: int = 0, ready: int | None = None, processes: int = 1, change=None
) -> None:
    def run() -> dict:
        if event and int(os.environ.get("RANK", 0)) == 0:
            kill_at(event)

        def collate(rows: list[dict]) -> dict[str, torch.Tensor]:
            nonlocal ready
            if ready is not None:
                os.write(ready, b".")
                ready = None
            return noisy(rows)

        return outcome(folder, collate=collate, model=change and change(small_model()))

    result = launch(run, num_processes=processes, cpu=True)[0] if processes > 1 else run()
    answer.write_text(json.dumps(result))


def uninterrupted(tmp_path: Path, processes: int, change=None) -> dict:
    answer = tmp_path / "expected.json"
    assert ended(in_child(trained_in_child, None, answer, 0, None, processes, change)) == "exit 0"
    return json.loads(answer.read_text())


def killed_by_the_clock(folder: Path, answer: Path, seconds: float, processes: int, change=None) -> str:
    read, write = os.pipe()
    child = in_child(trained_in_child, folder, answer, 0, write, processes, change)
    os.close(write)
    os.read(read, 1)  # the first batch, or the end
    os.close(read)
    time.sleep(seconds)
    os.killpg(child, signal.SIGKILL)
    return ended(child)


@pytest.mark.parametrize(("processes", "kills", "change"), [(1, 20, None), (2, 5, None), (1, 4, adapted)])
def test_killed_again_and_again_it_ends_as_if_nothing_had_happened(tmp_path, processes, kills, change):
    expected = uninterrupted(tmp_path, processes, change)
    dice, folder, answer = np.random.default_rng(processes), tmp_path / "states", tmp_path / "answer.json"
    # About 15 things happen to the disk for each state, and there is one in two steps and at the end of each epoch.
    for number in range(kills):
        if number % 2:
            how = killed_by_the_clock(folder, answer, dice.uniform(0, 0.03), processes, change)
            assert how == "killed"
        else:
            child = in_child(trained_in_child, folder, answer, int(dice.integers(1, 25)), None, processes, change)
            assert ended(child) == ("killed" if processes == 1 else "exit 1")
        assert not answer.exists(), "it was killed before the end"
        assert all(not what_is_wrong(state) for state in state_folders(folder)), "whole or not there"
    reached = int(newest_state(folder).name[5:])
    assert 0 < reached < len(expected["steps"])
    assert ended(in_child(trained_in_child, folder, answer, 0, None, processes, change)) == "exit 0"
    assert json.loads(answer.read_text()) == expected
    assert not [path.name for path in folder.iterdir() if path.name.startswith(".")], "swept"


# Damage


SHORT = LoopConfig(num_epochs=2, batch_size=8, learning_rate=1e-3)  # 16 steps


def interrupted(folder: Path, step: int, config: LoopConfig = SHORT, **options) -> None:
    "A run that stops after `step` steps with an error of its own."
    batches = 0

    def collate(rows: list[dict]) -> dict[str, torch.Tensor]:
        nonlocal batches
        batches += 1
        if batches > step:
            raise RuntimeError("enough")
        return noisy(rows)

    with pytest.raises(RuntimeError, match="enough"):
        outcome(folder, config, collate, **options)


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


DAMAGES = {
    "flipped bit": flip_a_bit,
    "truncated": lambda path: os.truncate(path, path.stat().st_size - 1),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\n"),
    "missing": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_damage_to_every_file_is_noticed(tmp_path, damage):
    tensors = {"model": {"weight": torch.arange(12.0)}, "random": {"torch": torch.get_rng_state()}}
    for name in ("model.safetensors", "random.safetensors", "facts.json"):
        state = write_state(tmp_path / name, 1, tensors, {"a": "é"})
        assert what_is_wrong(state) == ""
        DAMAGES[damage](state / name)
        assert name in what_is_wrong(state)
    state = write_state(tmp_path, 1, tensors, {})
    for content in ("", "[]", "{", '{"model.safetensors": 3}', '{"model.safetensors": {"bytes": 1}}'):
        (state / "checksums.json").write_text(content)
        assert "checksums.json cannot be read" in what_is_wrong(state) or content == "[]"
        assert what_is_wrong(state)
    state = write_state(tmp_path, 1, tensors, {})
    (state / "more.json").write_text("{}")
    assert what_is_wrong(state) == "more.json is not part of it"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_flipped_bit_is_noticed(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("flip")
    state = write_state(folder, 7, {"model": {"weight": torch.arange(3.0)}}, {"note": "日本"})
    path = data.draw(st.sampled_from(sorted(state.iterdir())))
    content = bytearray(path.read_bytes())
    position = data.draw(st.integers(0, len(content) * 8 - 1))
    content[position // 8] ^= 1 << position % 8
    path.write_bytes(content)
    tensors, facts = None, None
    if not what_is_wrong(state):  # harmless: some white space between the checksums
        tensors, facts = read_state(state)
        assert tensors["model"]["weight"].tolist() == [0, 1, 2]
        assert facts == {"note": "日本"}
        assert path.name == "checksums.json"


def test_a_damaged_state_is_passed_over_with_a_warning(tmp_path):
    expected = outcome(None, SHORT)
    interrupted(tmp_path, 7, save_every=2)
    assert [int(path.name[5:]) for path in state_folders(tmp_path)] == [2, 4, 6]
    flip_a_bit(tmp_path / "step-00000006" / "optimizer.safetensors")
    os.truncate(tmp_path / "step-00000004" / "model.safetensors", 100)
    with pytest.warns(SavingWarning) as caught:
        found = outcome(tmp_path, SHORT)
    first, second = (str(warning.message) for warning in caught)
    assert "step-00000006 is damaged: optimizer.safetensors has another checksum. Trying step-00000004" in first
    assert "step-00000004 is damaged: model.safetensors has 100 bytes instead of" in second
    assert found == expected
    assert not [wrong for state in state_folders(tmp_path) if (wrong := what_is_wrong(state))]


def test_nothing_but_damaged_states_is_an_error(tmp_path):
    interrupted(tmp_path, 3, save_every=2)
    (tmp_path / "step-00000002" / "facts.json").unlink()
    with pytest.warns(SavingWarning, match="facts.json is missing"):
        complaint = complaint_of(CourseError, outcome, tmp_path, SHORT)
    assert "All states" in complaint


def run_on_a_full_disk(folder: Path, answer: Path, limit: int) -> None:
    "No file may grow beyond `limit` bytes, from the fourth batch on."
    batches = 0

    def collate(rows: list[dict]) -> dict[str, torch.Tensor]:
        nonlocal batches
        batches += 1
        if batches == 4:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        return noisy(rows)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = outcome(folder, SHORT, collate, save_every=2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    messages = [str(warning.message) for warning in caught if warning.category is SavingWarning]
    answer.write_text(json.dumps({"result": result, "warnings": messages}))


@pytest.mark.parametrize("limit", [0, 1000, 50_000])
def test_a_full_disk_is_reported_and_costs_no_earlier_state(tmp_path, limit):
    folder, answer = tmp_path / "states", tmp_path / "answer.json"
    assert ended(in_child(run_on_a_full_disk, folder, answer, limit)) == "exit 0"
    found = json.loads(answer.read_text())
    assert found["result"] == outcome(None, SHORT), "the run went on, and came to its end"
    assert len(found["warnings"]) == 7
    for message in found["warnings"]:
        assert "was not written" in message
        assert "too large" in message
        assert "step-00000002" in message
    assert [path.name for path in folder.iterdir()] == ["step-00000002"], "the earlier one, and no rubbish"
    assert not what_is_wrong(folder / "step-00000002")
    assert outcome(folder, SHORT) == found["result"], "with room again, it goes on from there"


# Stopping


def signalled(number: int, step: int):
    batches = 0

    def collate(rows: list[dict]) -> dict[str, torch.Tensor]:
        nonlocal batches
        batches += 1
        if batches == step:
            signal.raise_signal(number)
        return noisy(rows)

    return collate


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_writes_a_state_and_stops(tmp_path, number):
    before = signal.getsignal(number)
    with pytest.raises(TrainingInterrupted) as caught:
        outcome(tmp_path, SHORT, signalled(number, 5), save_every=None)
    assert isinstance(caught.value, KeyboardInterrupt)
    assert "after step 5" in str(caught.value)
    assert str(tmp_path / "step-00000005") in str(caught.value)
    assert "resume=True" in str(caught.value)
    assert signal.getsignal(number) == before, "the handler is gone"
    assert outcome(tmp_path, SHORT) == outcome(None, SHORT)


def test_a_second_ctrl_c_stops_at_once(tmp_path, monkeypatch):
    class Clock:
        now = 0.0

        @classmethod
        def monotonic(cls) -> float:
            cls.now += 10
            return cls.now

    def collate(rows: list[dict]) -> dict[str, torch.Tensor]:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        return noisy(rows)

    monkeypatch.setattr(saving, "time", Clock)
    with pytest.raises(KeyboardInterrupt) as caught:
        outcome(tmp_path, SHORT, collate)
    assert not isinstance(caught.value, TrainingInterrupted)


def test_without_a_folder_ctrl_c_is_an_ordinary_one():
    with pytest.raises(KeyboardInterrupt) as caught:
        outcome(None, SHORT, signalled(signal.SIGINT, 2))
    assert not isinstance(caught.value, TrainingInterrupted)


def test_one_process_is_told_and_both_stop(tmp_path):
    def run() -> list:
        collate = signalled(signal.SIGTERM, 4) if os.environ["RANK"] == "1" else noisy
        try:
            outcome(tmp_path, SHORT, collate)
        except TrainingInterrupted as stopped:
            return [str(stopped)]
        return []

    first, second = launch(run, num_processes=2, cpu=True)
    assert first == second
    assert str(tmp_path / "step-00000004") in first[0]


# Going on


def test_states_are_kept_and_deleted_as_asked(tmp_path):
    def score(model, accelerator):
        scores.append(0)
        return {"points": [3, 9, 2, 1, 4, 5, 6, 8][len(scores) - 1], "loss": 1.0}

    scores: list[int] = []
    config = LoopConfig(num_epochs=1, batch_size=8, eval_every=1)
    fit(
        small_model(),
        ROWS,
        exact,
        config,
        evaluate=score,
        progress=False,
        folder=tmp_path,
        keep=2,
        best="points",
        save_every=4,
    )
    assert [int(path.name[5:]) for path in state_folders(tmp_path)] == [2, 7, 8], "two, and the best"
    scores.clear()
    options = {"evaluate": score, "progress": False, "folder": tmp_path / "b", "best": "-pionts"}
    complaint = complaint_of(CourseError, fit, small_model(), ROWS, exact, config, **options)
    assert "Unknown metric 'pionts'. Did you mean 'points'?" in complaint


@pytest.mark.parametrize("config", [SHORT, replace(SHORT, eval_every=3)], ids=["each epoch", "every three steps"])
def test_an_evaluation_that_fails_costs_no_step(tmp_path, config):
    def score(model, accelerator):
        dice = [torch.rand(1).item(), float(np.random.random()), random.random()]
        return {"loss": evaluate(model, accelerator, HELD_OUT, exact)["loss"], "dice": dice}

    def trained(folder, fails_at, **options):
        calls = iter(range(1, 99))
        own = lambda *given: score(*given) if next(calls) != fails_at else 1 / 0
        options = {"folder": folder, "resume": folder is not None, "evaluate": own, "progress": False}
        return fit(small_model(), ROWS, noisy, config, **options).to_dict()

    score(small_model(), None)  # imports libraries, which draw from Python's generator
    every, expected = config.eval_every or 8, trained(None, None)
    for times in (1, 2):
        with pytest.raises(ZeroDivisionError):
            trained(tmp_path, 1)
        assert int(newest_state(tmp_path).name[5:]) == every, f"attempt {times}"
    with pytest.raises(ZeroDivisionError):
        trained(tmp_path, 2)
    assert int(newest_state(tmp_path).name[5:]) == 2 * every
    assert trained(tmp_path, None) == expected


def test_a_finished_run_is_not_trained_again(tmp_path):
    expected = outcome(tmp_path, SHORT)

    def never(rows: list[dict]) -> dict[str, torch.Tensor]:
        raise AssertionError("nothing is left to do")

    assert outcome(tmp_path, SHORT, never) == expected


def test_resuming_where_there_is_nothing_begins(tmp_path):
    (tmp_path / ".writing-step-00000001").mkdir(parents=True)
    assert outcome(tmp_path, SHORT) == outcome(None, SHORT)


def test_stopped_between_epochs_and_at_the_first_step(tmp_path):
    expected = outcome(None, SHORT)
    for step in (1, 8, 15):
        interrupted(tmp_path / str(step), step, save_every=1, keep=1)
        assert outcome(tmp_path / str(step), SHORT) == expected


def test_another_number_of_processes_goes_on_with_new_dice(tmp_path):
    interrupted(tmp_path, 6, save_every=2)

    def run() -> dict:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            return outcome(tmp_path, SHORT) | {
                "warnings": [str(w.message) for w in caught if w.category is SavingWarning]
            }

    first, second = launch(run, num_processes=2, cpu=True)
    assert "was written by 1 processes, now there are 2" in first.pop("warnings")[0]
    assert second.pop("warnings") == []
    assert first == second
    assert len(first["steps"]) == 16
    assert first["steps"][:6] == outcome(None, SHORT)["steps"][:6]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"resume": False}, "Go on with it by resume=True"),
        ({"config": LoopConfig(num_epochs=2, batch_size=4, learning_rate=1e-3)}, "batch_size was 8 and is 4"),
        ({"config": LoopConfig(num_epochs=3, batch_size=8, learning_rate=1e-3)}, "num_epochs was 2 and is 3"),
        ({"model": "other"}, "of another model"),
        ({"keep": 0}, "keep=0 keeps nothing"),
        ({"save_every": 0}, "save_every=0 keeps nothing"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(tmp_path, options, expected):
    interrupted(tmp_path, 3, save_every=2)
    if options.get("model"):
        options = {"model": BertForMaskedLM(small_model().config)}
    assert expected in complaint_of(CourseError, outcome, tmp_path, **({"config": SHORT} | options))
    assert not what_is_wrong(tmp_path / "step-00000002")


def test_other_data_are_refused(tmp_path):
    interrupted(tmp_path, 3, save_every=2)
    complaint = complaint_of(CourseError, fit, small_model(), make_rows(62), noisy, SHORT, folder=tmp_path, resume=True)
    assert "data was '61 examples" in complaint
    assert "and is '62 examples" in complaint
    # As many, as long, but other tokens or other labels: a tokenizer trained anew gives such data.
    for changed in ({"input_ids": [[token + 1 for token in ids] for ids in ROWS["input_ids"]]}, {"labels": [0] * 61}):
        rows = Dataset.from_dict({"input_ids": ROWS["input_ids"], "labels": ROWS["labels"]} | changed)
        complaint = complaint_of(CourseError, fit, small_model(), rows, noisy, SHORT, folder=tmp_path, resume=True)
        assert "data was '61 examples" in complaint


@pytest.mark.parametrize("options", [{"resume": True}, {"save_every": 5}])
def test_a_folder_is_needed(options):
    assert "no folder" in complaint_of(CourseError, outcome, None, SHORT, **options)


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.warns(SavingWarning, match="Last state: none"):
        outcome(tmp_path / "file" / "states", SHORT, save_every=None)


# Numbers that JSON does not know


def fit_scored(folder: Path, value, config: LoopConfig = SHORT, **options) -> dict:
    def score(model, accelerator):
        return {"loss": value}

    return fit(
        small_model(), ROWS, exact, config, evaluate=score, progress=False, folder=folder, resume=True, **options
    ).to_dict()


@pytest.mark.parametrize(
    "value",
    [
        np.float32(0.1),
        np.float64(0.1),
        np.int64(3),
        np.bool_(True),
        torch.tensor(0.1),
        torch.tensor(3),
        np.float32("nan"),
    ],
    ids=repr,
)
def test_metrics_may_be_numbers_of_numpy_and_torch(tmp_path, value):
    first = fit_scored(tmp_path, value)
    assert len(state_folders(tmp_path)) == 2
    again = fit_scored(tmp_path, value)
    assert again["steps"] == first["steps"]
    for old, new in zip(first["evaluations"], again["evaluations"], strict=True):
        assert old == new or value != value
        if value != value:
            assert new["loss"] is None, "read from the state; JSON knows no NaN"
        else:
            assert isinstance(new["loss"], (int, float)), "read from the state"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (torch.tensor(3), 3),
        (np.eye(2, dtype=int), [[1, 0], [0, 1]]),
        ({"inside": [torch.ones(2)]}, {"inside": [[1.0, 1.0]]}),
    ],
    ids=str,
)
def test_a_state_holds_numbers_and_tables_of_numpy_and_torch(tmp_path, value, expected):
    assert read_state(write_state(tmp_path, 1, {}, {"value": value}))[1] == {"value": expected}


def test_settings_may_be_numbers_of_numpy(tmp_path):
    config = replace(SHORT, learning_rate=np.float32(1e-3), batch_size=8, max_grad_norm=np.float64(1))
    first = outcome(tmp_path, config, exact)
    assert outcome(tmp_path, config, exact) == first
    other = replace(config, learning_rate=np.float32(2e-3))
    assert "learning_rate was 0.001" in complaint_of(CourseError, outcome, tmp_path, other, exact)


@pytest.mark.parametrize("value", [{1, 2}, object(), "\ud800"], ids=["set", "object", "no text"])
def test_a_metric_that_json_cannot_hold_costs_the_state_and_not_the_run(tmp_path, value):
    with pytest.warns(SavingWarning, match="Let metrics and settings be numbers and texts.*The run goes on"):
        history = fit(
            small_model(),
            ROWS,
            exact,
            SHORT,
            evaluate=lambda *_: {"odd": value},
            progress=False,
            folder=tmp_path,
        )
    assert len(history.steps) == 16
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000008"], "written before there was such a metric"
    assert "Last state: none" in complaint_of(CourseError, write_state, tmp_path / "b", 1, {}, {"odd": value})


# One run at a time


def holds_forever(folder: Path, ready: int) -> None:
    def collate(rows: list[dict]) -> dict[str, torch.Tensor]:
        os.write(ready, b".")
        time.sleep(600)
        return noisy(rows)

    outcome(folder, SHORT, collate)


def test_a_second_run_in_the_same_folder_is_refused_until_the_first_is_gone(tmp_path):
    read, write = os.pipe()
    child = in_child(holds_forever, tmp_path, write)
    assert os.read(read, 1) == b"."
    complaint = complaint_of(CourseError, outcome, tmp_path, SHORT)
    assert f"Another process is training in {tmp_path}" in complaint
    assert [path.name for path in tmp_path.iterdir()] == [".lock"], "and nothing was touched"
    os.kill(child, signal.SIGKILL)
    assert ended(child) == "killed"
    assert outcome(tmp_path, SHORT)["steps"]
    assert not list(tmp_path.glob(".*"))


def test_a_process_that_is_just_going_is_waited_for(tmp_path):
    lock = FileLock(tmp_path / ".lock", thread_local=False)
    lock.acquire()
    thread = threading.Timer(0.3, lock.release)
    thread.start()
    assert outcome(tmp_path, SHORT)["steps"]
    thread.join()


@pytest.mark.filterwarnings("ignore::course_lib.saving.SavingWarning")
@pytest.mark.parametrize("kind", ["end", "error", "ctrl-c", "refused", "damaged"])
def test_the_folder_is_free_however_a_run_ends(tmp_path, kind):
    if kind == "end":
        outcome(tmp_path, SHORT)
    elif kind == "ctrl-c":
        with pytest.raises(TrainingInterrupted) as kept:  # a notebook keeps the error, too, and all that hangs on it
            outcome(tmp_path, SHORT, signalled(signal.SIGINT, 3))
        assert kept.tb
    else:
        interrupted(tmp_path, 3, save_every=2)
        if kind == "damaged":
            (tmp_path / "step-00000002" / "facts.json").unlink()
        if kind != "error":
            with pytest.raises(CourseError) as kept:
                outcome(tmp_path, replace(SHORT, seed=1))
            assert kept.tb
    with FileLock(tmp_path / ".lock", timeout=0):
        pass


@pytest.mark.parametrize("number", [errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_without_locks_the_run_goes_on(tmp_path, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", refuse)
    assert outcome(tmp_path, SHORT)["steps"]


# Parts


def test_dice_go_on_where_they_were():
    def throw() -> list:
        return [
            torch.rand(3).tolist(),
            np.random.normal(size=3).tolist(),
            np.random.rand(),
            random.gauss(0, 1),
            random.random(),
        ]

    np.random.normal(), random.gauss(0, 1)  # both keep a second number for later
    kept = random_state()
    expected = throw()
    for state in (kept, json.loads(json.dumps(kept, default=plain_numbers))):
        throw()
        set_random_state(state)
        assert throw() == expected


def test_tied_weights_are_stored_once_and_stay_tied(tmp_path):
    model = BertForMaskedLM(small_model().config)
    found = distinct_tensors(model)
    names = set(model.state_dict()) - set(found)
    assert names == {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias"}
    rows = ROWS.remove_columns("labels").map(lambda row: {"labels": row["input_ids"]})

    def collate(batch: list[dict]) -> dict[str, torch.Tensor]:
        ids = exact([row | {"labels": 0} for row in batch])
        return ids | {"labels": ids["input_ids"]}

    options = {"progress": False, "folder": tmp_path, "resume": True}
    fit(model, rows, collate, SHORT, **options)
    other = BertForMaskedLM(small_model().config)
    fit(other, rows, collate, SHORT, **options)  # nothing is left to do
    for ours, theirs in zip(other.state_dict().values(), model.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)
    assert other.get_output_embeddings().weight is other.get_input_embeddings().weight
    stored = read_state(newest_state(tmp_path))[0]["model"].values()
    assert sum(tensor.numel() for tensor in stored) == sum(parameter.numel() for parameter in model.parameters())


def test_what_is_not_trained_is_in_no_state_and_must_be_the_same_when_the_run_goes_on(tmp_path):
    expected = outcome(None, SHORT, model=adapted(small_model()))
    interrupted(tmp_path, 11, model=adapted(small_model()), save_every=2)
    model = adapted(small_model())
    state, trained = newest_state(tmp_path), {name: x for name, x in model.named_parameters() if x.requires_grad}
    stored = read_state(state)[0]
    assert 5 * sum(x.numel() for x in trained.values()) < sum(x.numel() for x in model.parameters())
    assert {name: x.shape for name, x in stored["model"].items()} == {name: x.shape for name, x in trained.items()}
    assert sum(x.numel() for name, x in stored["optimizer"].items() if "exp" in name) == 2 * sum(
        x.numel() for x in trained.values()
    )
    other = adapted(small_model())
    with torch.no_grad():
        other.get_input_embeddings().weight += 0.1
    assert "frozen weights was" in complaint_of(CourseError, outcome, tmp_path, SHORT, model=other)
    assert "of another model" in complaint_of(CourseError, outcome, tmp_path, SHORT, model=adapted(small_model(), r=3))
    assert outcome(tmp_path, SHORT, model=model) == expected


def test_keep_newest_is_by_number(tmp_path):
    for step in (5, 100_000_000, 30):
        write_state(tmp_path, step, {}, {})
    assert [int(path.name[5:]) for path in state_folders(tmp_path)] == [5, 30, 100_000_000]
    keep_newest(tmp_path, 1, also=[5])
    assert [int(path.name[5:]) for path in state_folders(tmp_path)] == [5, 100_000_000]


def test_a_scaler_is_part_of_the_state(tmp_path):
    def keeper(scale: float) -> StateKeeper:
        model = torch.nn.Linear(2, 2)
        optimizer = torch.optim.AdamW(model.parameters())
        scheduler = torch.optim.lr_scheduler.ConstantLR(optimizer)
        scaler = torch.amp.GradScaler("cpu", init_scale=scale)
        return StateKeeper(tmp_path, Accelerator(cpu=True), model, optimizer, scheduler, scaler, History(), {})

    with keeper(3.0).running(resume=False):
        pass
    first, second = keeper(3.0), keeper(5.0)
    first.after_step(1, True, lambda: None)
    with second.running(resume=True):
        assert second.scaler.get_scale() == 3.0


@given(st.lists(st.floats(), max_size=8))
def test_the_best_step_is_the_one_that_a_loop_finds(values):
    evaluations = [{"step": 10 * number, "f1": value} for number, value in enumerate(values, 1)]
    for metric, better in (("f1", float.__gt__), ("-f1", float.__lt__)):
        best, step = None, None
        for record in evaluations:
            if abs(record["f1"]) < float("inf") and (best is None or better(record["f1"], best)):
                best, step = record["f1"], record["step"]
        assert saving.best_step(evaluations, metric) == step
    assert saving.best_step(evaluations, None) is None


# Signals


NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def test_signals_go_to_the_handler_and_then_where_they_went_before():
    before, heard = [signal.getsignal(number) for number in NUMBERS], []

    def fail() -> None:
        with signals_to(lambda number, _: heard.append(number)):
            for number in NUMBERS:
                signal.raise_signal(number)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert heard == list(NUMBERS)
    assert [signal.getsignal(number) for number in NUMBERS] == before


def test_under_nohup_a_closing_terminal_is_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals_to(lambda *_: pytest.fail("heard")):
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_side_thread_changes_no_signals():
    before, seen = [signal.getsignal(number) for number in NUMBERS], []

    def beside() -> None:
        with signals_to(lambda *_: None):
            seen.extend(signal.getsignal(number) for number in NUMBERS)

    thread = threading.Thread(target=beside)
    thread.start()
    thread.join()
    assert seen == before
