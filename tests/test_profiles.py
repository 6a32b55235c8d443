"""`course_lib.profiles`: the profile that is chosen, the settings that are changed, and the errors in between."""

import contextlib
import copy
import dataclasses
import os
import platform
import shlex
import subprocess
import sys
from functools import partial
from types import SimpleNamespace

import pytest
from complaints import complaint_of
from hypothesis import given, settings
from hypothesis import strategies as st
from interpreters import heavy_imports, printed_by

import course_lib.profiles as profiles
from course_lib.cli import kernel_environment
from course_lib.profiles import (
    PROFILES,
    CourseError,
    apply_assignments,
    check_whole_number,
    choose_profile,
    convert,
    go_offline,
    is_offline,
    load_settings,
    offline_advice,
    offline_variables,
    parse_assignments,
    settings_table,
    unknown_name,
)

OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY")


@dataclasses.dataclass(frozen=True)
class Toy:
    dataset: str = "mini/toy"
    train_size: int | None = None
    epochs: int = 3
    learning_rate: float = 1e-3
    fast: bool = False
    note: str | None = None
    seed: int = 0
    profile: str = ""


TABLE = {"tiny": Toy(epochs=1), "colab": Toy(epochs=2), "full": Toy(epochs=3, train_size=7)}


@pytest.fixture
def environ(monkeypatch):
    "`os.environ` without any variable that these functions read or set; put back afterwards."
    for name in (*OFFLINE, "COURSE_OFFLINE", "COURSE_PROFILE", "COURSE_SET"):
        monkeypatch.setenv(name, "")  # so that a variable that was absent is absent again afterwards
        monkeypatch.delenv(name)
    return os.environ


complaint = partial(complaint_of, CourseError)


# choose_profile


@pytest.mark.parametrize("profile", PROFILES)
def test_a_named_profile_is_chosen(profile):
    assert choose_profile(profile, {}) == profile


@pytest.mark.parametrize("profile", PROFILES)
def test_the_environment_wins_over_the_argument(profile):
    for argument in ("auto", *PROFILES):
        assert choose_profile(argument, {"COURSE_PROFILE": profile}) == profile


def test_an_empty_variable_counts_as_unset():
    assert choose_profile("full", {"COURSE_PROFILE": ""}) == "full"


@pytest.mark.parametrize(
    ("colab", "cuda", "chosen"),
    [(True, True, "colab"), (True, False, "tiny"), (False, True, "tiny"), (False, False, "tiny")],
)
def test_auto_is_colab_only_on_a_colab_gpu(monkeypatch, colab, cuda, chosen):
    monkeypatch.setattr(profiles, "in_colab", lambda: colab)
    monkeypatch.setattr(profiles, "has_cuda", lambda: cuda)
    assert choose_profile("auto", {}) == chosen
    assert choose_profile("full", {"COURSE_PROFILE": "auto"}) == chosen


def test_outside_colab_auto_asks_no_gpu(monkeypatch):
    def refuse():
        raise AssertionError("torch was asked")

    monkeypatch.setattr(profiles, "in_colab", lambda: False)
    monkeypatch.setattr(profiles, "has_cuda", refuse)
    assert choose_profile("auto", {}) == "tiny"


@pytest.mark.parametrize("name", ["ful", "TINY", "huge", "tiny\nfull", " "])
def test_an_unknown_profile_lists_the_valid_ones(name):
    for message in (complaint(choose_profile, name, {}), complaint(choose_profile, "auto", {"COURSE_PROFILE": name})):
        assert repr(name) in message
        assert all(valid in message for valid in ("auto", *PROFILES))


def test_a_near_miss_gets_a_hint():
    assert "Did you mean 'full'?" in complaint(choose_profile, "ful", {})
    assert "Did you mean" not in complaint(choose_profile, "huge", {})


def test_unknown_name_says_when_there_is_nothing_to_choose_from():
    message = unknown_name("checkpoint", "mini/toy", [])
    assert "'mini/toy'" in message
    assert "Valid: ." not in message


@pytest.mark.parametrize("value", [-1, 13, True, False, 2.0, None, "3", float("nan")])
def test_a_number_that_cannot_be_names_what_can(value):
    message = complaint_of(CourseError, check_whole_number, "train_size", value, 12)
    assert message == f"train_size={value!r} is impossible. Use a whole number from 0 to 12."
    for fits in (0, 1, 12):
        check_whole_number("train_size", fits, 12)


def test_course_errors_are_value_errors_of_one_line():
    assert issubclass(CourseError, ValueError)
    assert len(str(CourseError("a header with a\nline break")).splitlines()) == 1


# parse_assignments


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", {}),
        ("  \n\t ", {}),
        ("a=1", {"a": "1"}),
        ("a=1 b=2", {"a": "1", "b": "2"}),
        ("a=1\n  b=2\t c=3", {"a": "1", "b": "2", "c": "3"}),
        ("a=", {"a": ""}),
        ("a=''", {"a": ""}),
        ("a=b=c", {"a": "b=c"}),
        ("a==", {"a": "="}),
        ('dataset="my data.csv" n=5', {"dataset": "my data.csv", "n": "5"}),
        ("dataset='my data.csv'", {"dataset": "my data.csv"}),
        ("'dataset=my data.csv'", {"dataset": "my data.csv"}),
        ("dataset=my\\ data.csv", {"dataset": "my data.csv"}),
        ("note='a \"quoted\" word'", {"note": 'a "quoted" word'}),
        ("note=a#b", {"note": "a#b"}),
        ("note=Zoë’s_datei", {"note": "Zoë’s_datei"}),
    ],
)
def test_assignments_are_read_as_a_shell_reads_words(text, pairs):
    assert parse_assignments(text) == pairs


def test_a_repeated_field_keeps_its_last_value():
    assert parse_assignments("a=1 b=2 a=3") == {"a": "3", "b": "2"}


@pytest.mark.parametrize("text", ["a", "a b=1", "=5", "a = 5", "' '=5", "--a 5"])
def test_a_word_that_is_no_setting_shows_how_to_write_one(text):
    assert "field=value" in complaint(parse_assignments, text)


def test_a_word_keeps_its_value_and_a_bad_one_is_shown():
    assert parse_assignments("'train_size = 5'") == {"train_size": " 5"}
    assert parse_assignments("'a==b c'") == {"a": "=b c"}
    for word in ("", "a", "=5", " =5"):
        assert repr(word) in complaint(parse_assignments, shlex.quote(word))


@settings(max_examples=60, deadline=None)
@given(
    pairs=st.dictionaries(st.from_regex(r"[a-z_][a-z0-9_]*", fullmatch=True), st.text()),
    gap=st.text(" \t\n", min_size=1),
)
def test_quoted_values_survive_unchanged(pairs, gap):
    text = gap.join(f"{field}={shlex.quote(value)}" for field, value in pairs.items())
    assert parse_assignments(text) == pairs
    assert parse_assignments(gap.join(shlex.quote(f"{field}={value}") for field, value in pairs.items())) == pairs


# convert


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("5", int, 5),
        ("-5", int, -5),
        ("+5", int, 5),
        ("1_000", int, 1000),
        ("1e3", int, 1000),
        ("2.5e1", int, 25),
        ("5.0", int, 5),
        ("0.5", float, 0.5),
        ("5", float, 5.0),
        ("5e-5", float, 5e-5),
        ("true", bool, True),
        ("Yes", bool, True),
        ("ON", bool, True),
        ("1", bool, True),
        ("false", bool, False),
        ("No", bool, False),
        ("off", bool, False),
        ("0", bool, False),
        ("", str, ""),
        ("none", str, "none"),
        ("5", str, "5"),
        ("none", int | None, None),
        ("None", str | None, None),
        ("", int | None, None),
        ("nonesuch", str | None, "nonesuch"),
        ("1e3", int | None, 1000),
        ("1e3", None | int, 1000),
        ("no", bool | None, False),
        ("none", bool | None, None),
        ("NONE", float | None, None),
    ],
)
def test_text_becomes_a_value_of_the_annotated_kind(text, kind, value):
    converted = convert(text, kind)
    assert converted == value
    assert type(converted) is type(value)


@pytest.mark.parametrize("kind", [int, int | None])
@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e400", "1.5", "1e-3", "x", "1_", "--5", "²", "0x10"])
def test_what_is_no_whole_number_is_refused(text, kind):
    with pytest.raises(ValueError):  # noqa: PT011 - the message is the library's or ours; CourseError wraps it
        convert(text, kind)


@pytest.mark.parametrize(
    ("text", "kind"), [("", int), ("", bool), ("maybe", bool), ("2", bool), ("x", float), ("", float)]
)
def test_other_values_of_the_wrong_kind_are_refused(text, kind):
    with pytest.raises(ValueError):  # noqa: PT011
        convert(text, kind)


@settings(max_examples=60, deadline=None)
@given(number=st.integers(), small=st.integers(-(2**53), 2**53), real=st.floats(allow_nan=False))
def test_numbers_survive_being_written(number, small, real):
    assert convert(str(number), int) == convert(f"{number:_}", int) == number
    assert convert(f"{small}.0", int) == convert(f"{small}e0", int) == small
    assert convert(repr(real), float) == real


# apply_assignments


def test_named_fields_are_replaced_in_a_copy():
    before = Toy()
    after = apply_assignments(before, {"train_size": "1e3", "fast": "on", "dataset": "a b.csv", "learning_rate": "1"})
    assert after == Toy(train_size=1000, fast=True, dataset="a b.csv", learning_rate=1.0)
    assert before == Toy()
    assert apply_assignments(after, {"train_size": "none"}).train_size is None
    assert apply_assignments(before, {}) == before


def test_an_unknown_field_lists_the_valid_ones():
    message = complaint(apply_assignments, Toy(), {"train_sise": "5"})
    assert "'train_sise'" in message
    assert "Did you mean 'train_size'?" in message
    assert all(name in message for name in ("dataset", "epochs", "learning_rate", "fast", "note"))


@pytest.mark.parametrize(
    ("field", "text", "wanted"),
    [
        ("epochs", "many", "int"),
        ("epochs", "none", "int"),
        ("epochs", "inf", "int"),
        ("epochs", "1.5", "int"),
        ("train_size", "nan", "int"),
        ("learning_rate", "fast", "float"),
        ("fast", "2", "bool"),
        ("fast", "a\nb", "bool"),
    ],
)
def test_a_value_of_the_wrong_type_names_field_value_and_type(field, text, wanted):
    message = complaint(apply_assignments, Toy(), {field: text})
    assert field in message
    assert repr(text) in message
    assert wanted in message


def test_one_bad_field_changes_nothing():
    before = Toy()
    complaint(apply_assignments, before, {"epochs": "9", "fast": "2"})
    assert before == Toy()


# is_offline


@pytest.mark.parametrize("text", ["1", "true", "True", "YES", "on", "0", "", "no", "false", "2"])
def test_offline_is_read_as_the_hub_client_reads_it(environ, text):
    from huggingface_hub import constants

    environ["HF_HUB_OFFLINE"] = text
    assert is_offline() == constants._is_true(text)


def test_the_hub_may_be_asked_where_nothing_is_set(environ):
    assert not is_offline()
    go_offline()
    assert is_offline()


@pytest.mark.parametrize(
    ("mine", "expected"),
    [
        ({}, ("1", "1", "1")),
        ({"HF_HUB_OFFLINE": "0"}, ("0", "0", "1")),  # datasets would believe its own variable
        ({"HF_HUB_OFFLINE": "0", "HF_DATASETS_OFFLINE": "1"}, ("0", "1", "1")),
        ({"HF_DATASETS_OFFLINE": "0", "HF_HUB_DISABLE_TELEMETRY": "0"}, ("1", "0", "0")),
    ],
)
def test_what_is_set_already_stays(environ, mine, expected):
    environ.update(mine)
    assert tuple(offline_variables()[name] for name in OFFLINE) == expected
    assert {name: environ[name] for name in OFFLINE if name in environ} == mine, "only read"
    go_offline()
    assert tuple(environ[name] for name in OFFLINE) == expected


def test_advice_is_given_only_to_those_who_are_offline(environ):
    assert offline_advice() == ""
    environ["HF_HUB_OFFLINE"] = "1"
    assert "Choose the profile colab or full, set HF_HUB_OFFLINE=0" in offline_advice()
    del environ["HF_HUB_OFFLINE"]
    go_offline()
    assert "Restart the kernel and begin with colab" in offline_advice(), "another profile alone would change nothing"


SWITCH = """
from test_profiles import TABLE
from course_lib.profiles import CourseError, load_settings
load_settings(TABLE, "tiny")
from course_lib.data import load_data
for attempt in (lambda: load_data("nyu-mll/glue:mrpc", "pairs"), lambda: load_settings(TABLE, "colab")):
    try:
        attempt()
    except CourseError as error:
        print(error)
"""


def test_tiny_and_then_colab_in_a_running_kernel_says_restart_the_kernel():
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("COURSE_", "HF_"))}
    environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    done = subprocess.run([sys.executable, "-c", SWITCH], env=environ, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 2, done.stdout
    assert all("Restart the kernel and begin with colab" in line for line in lines), done.stdout


# load_settings


def test_settings_are_the_profiles_with_the_changes():
    found = load_settings(TABLE, "full", {"COURSE_SET": 'epochs=1e1 note="two words" train_size=none'})
    assert found == Toy(epochs=10, note="two words", train_size=None, profile="full")


@pytest.mark.parametrize("profile", PROFILES)
def test_the_profile_field_is_filled(profile):
    assert load_settings(TABLE, "tiny", {"COURSE_PROFILE": profile}) == dataclasses.replace(
        TABLE[profile], profile=profile
    )


def test_course_set_cannot_set_the_profile():
    message = complaint(load_settings, TABLE, "full", {"COURSE_SET": "epochs=1 profile=tiny"})
    assert "COURSE_PROFILE" in message


def test_an_unknown_setting_does_not_offer_the_profile():
    message = complaint(load_settings, TABLE, "full", {"COURSE_SET": "epoch=1"})
    assert "Did you mean 'epochs'?" in message
    assert "profile" not in message


@pytest.mark.parametrize("text", ["epochs=2 fast=on", "epochs=x", "nothing=1"])
def test_the_table_is_never_changed(text):
    table = copy.deepcopy(TABLE)
    with contextlib.suppress(CourseError):
        load_settings(table, "colab", {"COURSE_SET": text})
    assert table == TABLE


def test_a_table_of_changeable_dataclasses_is_never_changed_either():
    @dataclasses.dataclass
    class Changeable:
        epochs: int = 3
        seed: int = 0
        profile: str = ""

    table = {"full": Changeable()}
    assert load_settings(table, "full", {"COURSE_SET": "epochs=5"}) == Changeable(5, profile="full")
    assert table == {"full": Changeable()}


def test_tiny_goes_offline(environ):
    load_settings(TABLE, "tiny")
    assert [environ.get(name) for name in OFFLINE] == ["1", "1", "1"]


@pytest.fixture
def kernel(monkeypatch):
    "A kernel that has not imported the Hub's client."
    monkeypatch.delitem(sys.modules, "huggingface_hub", raising=False)


def test_threads_sleep_before_torch_is_asked_for_a_gpu(environ, monkeypatch):
    monkeypatch.setenv("OMP_WAIT_POLICY", "")
    monkeypatch.delenv("OMP_WAIT_POLICY")
    monkeypatch.setattr(profiles, "in_colab", lambda: True)
    monkeypatch.setattr(profiles, "has_cuda", lambda: environ["OMP_WAIT_POLICY"] == "PASSIVE")
    assert load_settings(TABLE).profile == "colab"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only GNU's allocator can be told")
def test_freed_memory_is_kept_unless_the_reader_decides_for_himself():
    code = """
import resource
from course_lib.profiles import prepare_process
prepare_process()
def fetched():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    b"x" * 2**26
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
fetched(), print(fetched())"""
    assert int(printed_by(code)) < 10 < int(printed_by(code, MALLOC_ARENA_MAX="4"))  # pages, or large pages


def test_a_chapter_is_imported_without_the_collector_which_then_goes_on():
    code = """
import gc, sys
from course_lib.profiles import import_chapter
try:
    import_chapter("nothing")
except ModuleNotFoundError:
    print(gc.isenabled())
print(import_chapter("results") is sys.modules["course_lib.results"], gc.isenabled(), gc.get_freeze_count() > 1000)
gc.unfreeze()
print(import_chapter("results") is sys.modules["course_lib.results"], gc.get_freeze_count() == 0)  # what you made since is yours"""
    assert printed_by(code).split() == ["True"] * 6


def test_another_profile_after_tiny_is_online_again(environ, kernel):
    load_settings(TABLE, "tiny")
    assert load_settings(TABLE, "colab").profile == "colab"
    assert not any(name in environ for name in (*OFFLINE, "COURSE_OFFLINE"))


def test_a_command_from_a_kernel_that_ran_tiny_is_online_too(environ):
    load_settings(TABLE, "tiny")
    variables = {**environ, **kernel_environment("colab", {})}
    assert {variables[name] for name in OFFLINE} == {"0"}
    assert not variables["COURSE_OFFLINE"]


def test_where_the_hubs_client_is_offline_already_another_profile_asks_for_a_new_kernel(environ, kernel, monkeypatch):
    load_settings(TABLE, "tiny")
    monkeypatch.setitem(sys.modules, "huggingface_hub", SimpleNamespace())
    for profile in ("colab", "full"):
        message = complaint(load_settings, TABLE, profile)
        assert profile in message
        assert "restart the kernel" in message.lower()
    load_settings(TABLE, "tiny")


def test_who_chose_to_be_offline_stays_so(environ, kernel, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for profile in ("tiny", "colab"):
        load_settings(TABLE, profile)
        assert environ["HF_HUB_OFFLINE"] == "1"


@pytest.mark.parametrize("profile", ["colab", "full"])
def test_the_other_profiles_stay_online(environ, profile):
    load_settings(TABLE, profile)
    assert not any(name in environ for name in OFFLINE)


def test_tiny_leaves_the_readers_choice_alone(environ, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    load_settings(TABLE, "tiny")
    assert environ["HF_HUB_OFFLINE"] == "0"


def test_an_environment_handed_in_is_read_only(environ):
    mine = {"COURSE_SET": "epochs=4"}
    assert load_settings(TABLE, "tiny", mine).epochs == 4
    assert mine == {"COURSE_SET": "epochs=4"}
    assert not any(name in environ for name in OFFLINE)


@pytest.mark.parametrize("change", ["train_size=-5", "train_size=0", "learning_rate=nan", "learning_rate=inf", "learning_rate=-1e-3"])
def test_a_number_that_cannot_be_meant_is_refused(change):
    message = complaint_of(CourseError, load_settings, TABLE, "full", {"COURSE_SET": change})
    assert change.partition("=")[0] in message
    assert "above 0" in message


def test_a_share_of_everything_cannot_be_hidden():
    from course_lib.masked_lm import SETTINGS

    assert "below 1" in complaint_of(CourseError, load_settings, SETTINGS, "tiny", {"COURSE_SET": "mask_rate=2"})
    assert load_settings(SETTINGS, "tiny", {"COURSE_SET": "warmup=0 whole_words=false"}).warmup == 0


@pytest.mark.parametrize("seed", [-1, 2**31, -(2**70)])
def test_a_seed_that_numpy_refuses_names_value_and_remedy(seed):
    message = complaint_of(CourseError, load_settings, TABLE, "full", {"COURSE_SET": f"seed={seed}"})
    assert f"seed={seed}" in message
    assert "from 0 to 2,147,483,647" in message
    for fits in (0, 2**31 - 1):
        assert load_settings(TABLE, "full", {"COURSE_SET": f"seed={fits}"}).seed == fits


def test_the_real_environment_is_read(environ, monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "full")
    monkeypatch.setenv("COURSE_SET", "epochs=8")
    assert load_settings(TABLE) == Toy(epochs=8, train_size=7, profile="full")


# the table that a reader sees, and what importing costs


def test_settings_table_has_a_row_per_setting_and_a_column_per_profile():
    frame = settings_table(TABLE)
    assert list(frame.columns) == list(PROFILES)
    assert list(frame.index) == ["dataset", "train_size", "epochs", "learning_rate", "fast", "note", "seed"]
    assert frame.loc["epochs"].tolist() == [1, 2, 3]
    assert frame.loc["train_size", "full"] == 7


def test_importing_the_workbench_imports_no_heavy_library():
    modules = (f"course_lib.{name}" for name in ("profiles", "results", "data", "checkpoints", "metrics"))
    assert heavy_imports(*modules) <= {"numpy"}
