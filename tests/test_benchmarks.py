"""The benchmarks' harness and tables, on rows that are made up. No test looks at a time."""

import importlib
import json
import math
import os
import re
import sys

import pytest
import torch
import typer
from complaints import complaint_of
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import __main__ as command
from benchmarks import gpu, harness, peers, scaling
from benchmarks.harness import Row, compare
from course_lib.profiles import CourseError

FACTS = {
    "device": "A processor",
    "cores": 2,
    "torch threads": 2,
    "variables": {"MALLOC_TOP_PAD_": "1"},
    "load before": 0.1,
    "torch": "2.13.0",
    "seconds": 9,
}
ROWS = [
    Row("first", "1,000 | rows", 12.0, 0.004, 500, number=2, bound=0.002, bound_of="a copy", notes={"kept": "99 %"}),
    Row("second", "small", 3.0, 2.0, 1.6, number=1),
    Row("start-up", "a process", 4.0, 0.02, 1, number=18, limit=0.1, bound=0.02, bound_of="the interpreter"),
    Row("memory", "large", 1700.0, 100.0, 10, number=14, unit="MB"),
]


def test_ratio_and_target():
    assert [row.ratio for row in ROWS] == [3000, 1.5, 200, 17]
    assert [row.met for row in ROWS] == [True, False, True, True]
    assert not Row("slow start", "", 4.0, 0.2, 1, limit=0.1).met  # a ratio of 20 does not help
    assert Row("a peer", "", 1.0, 2.0, None).met  # nothing is promised


def test_every_speed_target_belongs_to_one_module():
    numbers = [number for module in command.find_modules() for number in module.NUMBERS]
    assert sorted(numbers) == list(range(1, 19))


def test_compare_runs_both_in_turn_and_the_bound():
    calls = []

    def noted(name, value):
        return lambda: calls.append(name) or value

    row = compare(
        "item", "size", noted("naive", 3), noted("ours", 3), lambda a, b: a == b == 3, target=2, number=7, rounds=3,
        bound=noted("bound", None), bound_of="nothing", threads=2,
    )  # fmt: skip
    assert calls[:3] == ["naive", "ours", "bound"]  # the first round warms up
    assert calls.count("naive") == 4
    assert calls.index("ours", 3) < len(calls) - calls[::-1].index("naive")  # interleaved, not one after the other
    assert calls.count("ours") >= 4
    assert calls.count("bound") >= 4
    assert (row.item, row.number, row.target, row.bound_of, row.notes) == ("item", 7, 2, "nothing", {"threads": 2})
    assert min(row.naive, row.ours, row.bound) > 0


def test_compare_refuses_different_results():
    with pytest.raises(AssertionError, match="item: the results differ"):
        compare("item", "size", lambda: 1, lambda: 2, lambda a, b: a == b, target=1, rounds=1)


def test_a_long_first_call_counts_as_a_round(monkeypatch):
    monkeypatch.setattr(harness, "LONG", -1.0)
    calls = []
    compare("item", "size", lambda: calls.append(1), lambda: None, lambda a, b: True, target=1, rounds=2)
    assert len(calls) == 2


@pytest.fixture
def module(tmp_path, monkeypatch):
    "Writes a module of rows: the lines of its `run`, with `first` and `second` at hand."
    monkeypatch.syspath_prepend(tmp_path)

    def write(name, *lines, numbers=()):
        head = ["import os", "from benchmarks.harness import Row", f"NUMBERS = {numbers}"]
        rows = [f"first, second = {ROWS[0]!r}, {ROWS[1]!r}", "def run():", *(f"    {line}" for line in lines)]
        (tmp_path / f"{name}.py").write_text("\n".join([*head, *rows]), encoding="utf-8")
        monkeypatch.delitem(sys.modules, name, raising=False)
        return name

    return write


def test_a_module_that_fails_does_not_stop_the_others(module):
    failed = []
    names = [
        module("wrong_rows", "yield first", "raise AssertionError('the results differ')"),
        module("killed_rows", "yield first", "os._exit(9)"),
        module("good_rows", "yield second"),
    ]
    assert list(command.each(names, failed.append)) == [ROWS[0], ROWS[0], ROWS[1]]
    assert failed == [
        "wrong_rows failed: AssertionError: the results differ",
        "killed_rows failed: its process ended with 9",
    ]


def test_each_module_has_a_process_of_its_own(module):
    names = [module(name, "yield Row(str(os.getpid()), '', 2.0, 1.0, 1)") for name in ("some_rows", "other_rows")]
    assert len({row.item for row in command.each(names, pytest.fail)} | {str(os.getpid())}) == 3


@pytest.mark.skipif(not harness.can_measure_memory(), reason="needs /proc/self/clear_refs")
def test_peak_beyond_sees_what_is_gone_again():
    peak, result = harness.peak_beyond(lambda: len(bytearray(80_000_000)))
    assert result == 80_000_000
    assert 75 < peak < 120
    assert harness.peak_beyond(lambda: None)[0] < 5  # the high mark of the call before does not count


def test_machine_names_what_matters(monkeypatch):
    monkeypatch.setenv("MALLOC_TOP_PAD_", "4096")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    facts = harness.machine()
    assert facts["variables"]["MALLOC_TOP_PAD_"] == "4096"
    assert facts["variables"]["OMP_NUM_THREADS"] == "1"
    assert {"device", "cores", "torch threads", "torch", "transformers"} <= set(facts)
    assert facts["device"] in harness.describe(facts)
    assert "MALLOC_TOP_PAD_=4096" in harness.describe(facts)


def test_markdown_is_one_table_and_the_machine():
    lines = command.to_markdown(ROWS, FACTS).splitlines()
    columns = [len(re.findall(r"(?<!\\)\|", line)) for line in lines[: 2 + len(ROWS)]]
    assert set(columns) == {len(harness.COLUMNS) + 1}  # a bar inside a cell is escaped
    assert lines[3].startswith("| 2 | first | 1,000 \\| rows | 12 s | 4 ms | 3,000× | 500× | 2 ms (a copy) | kept")
    assert "1.6×, missed" in lines[2]  # in the order of the targets
    assert "1,700 MB | 100 MB" in lines[4]
    assert "at most 100 ms |" in lines[5]
    assert lines[-1].startswith("3 of 4 targets reached, 9 s. A processor, 2 cores")


@pytest.mark.parametrize(
    ("lines", "numbers", "ratios", "wrong"),
    [
        (["yield first"], (2,), [3000], ""),
        (["yield second"], (1,), [1.5], "second: 1.5x, 1.6× wanted"),
        (["yield from ()"], (1,), [], "No row for 1."),
        (["yield first", "raise ValueError('nan')"], (2,), [3000], "made_up_rows failed: ValueError: nan"),
    ],
    ids=["met", "missed", "no row", "failed"],
)
def test_a_missed_target_ends_with_an_error(lines, numbers, ratios, wrong, module, tmp_path, monkeypatch, capsys):
    made_up = importlib.import_module(module("made_up_rows", *lines, numbers=numbers))
    monkeypatch.setattr(command, "find_modules", lambda names: [made_up])
    monkeypatch.setattr(command, "go_offline", lambda: None)
    monkeypatch.setattr(command, "prepare_process", lambda: None)
    try:
        command.main(json_file=tmp_path / "deep" / "rows.json")
        ended = 0
    except typer.Exit as error:
        ended = error.exit_code
    assert ended == bool(wrong)
    assert capsys.readouterr().err.endswith(wrong + "\n")
    found = json.loads((tmp_path / "deep" / "rows.json").read_text(encoding="utf-8"))
    assert [row["ratio"] for row in found["rows"]] == ratios


def test_the_engine_is_compared_where_there_is_one():
    pytest.importorskip("ctranslate2", reason="pip install -e '.[fast]'")
    rows = list(peers.translations(messages=12))
    assert len(rows) == 4
    assert all(row.wanted == "–" and {"BLEU theirs / ours", "the same"} <= set(row.notes) for row in rows)
    assert "12 of 12" in rows[0].notes["the same"]


def test_without_the_engine_its_rows_are_skipped_with_a_line(monkeypatch, capsys):
    monkeypatch.setattr(peers.importlib.util, "find_spec", lambda name: None)
    assert list(peers.translations()) == []
    assert "CTranslate2: skipped, needs pip install" in capsys.readouterr().err


@given(st.floats(1e-6, 1e6))
def test_numbers_are_short_and_right(value):
    text = harness.number(value)
    assert "e" not in text
    assert math.isclose(float(text.replace(",", "")), value, rel_tol=0.006, abs_tol=5e-7)


def test_quantities():
    assert harness.quantity(0.0123, "s") == "12.3 ms"
    assert harness.quantity(12.34, "s") == "12.3 s"
    assert harness.quantity(0.5, "MB") == "0.5 MB"


def test_find_modules():
    assert [module.__name__ for module in command.find_modules(["start"])] == ["benchmarks.bench_start_up"]
    assert "start_up" in complaint_of(CourseError, command.find_modules, ["nothing"])


# Growth


def points(seconds, megabytes=(None, None, None)):
    return [(10 * factor, *pair) for factor, *pair in zip(scaling.FACTORS, seconds, megabytes, strict=True)]


@given(st.floats(0.2, 3), st.floats(1e-4, 10))
def test_exponent_of_a_power(power, first):
    values = [first * factor**power for factor in scaling.FACTORS]
    assert math.isclose(scaling.exponent(scaling.FACTORS, values), power, abs_tol=1e-9)
    assert math.isclose(scaling.times_linear(scaling.FACTORS, values), 16 ** (power - 1), rel_tol=1e-9)


@pytest.mark.parametrize(
    ("seconds", "megabytes", "linear"),
    [
        ((1, 4, 16), (10, 40, 160), True),
        ((1, 16, 256), (None, None, None), False),
        ((1, 2, 6), (5, 5, 5), True),
        ((1, 4, 16), (10, 160, 2560), False),
        ((1, 4, 16), (0.0, 0.1, 6.0), True),  # small amounts of memory say nothing
    ],
)
def test_summary_tells_linear_from_quadratic(seconds, megabytes, linear):
    cells, found = scaling.summarize("stage", points(seconds, megabytes))
    assert found == linear
    assert len(cells) == len(scaling.COLUMNS)
    assert float(cells[3]) == pytest.approx(math.log(seconds[2] / seconds[0]) / math.log(16), abs=0.1)


@pytest.mark.parametrize("name", ["freeze", "batches", "scores"])
def test_a_stage_can_be_measured(name):
    rows, seconds, megabytes = scaling.measure(name, 4, shrink=100)
    assert rows == scaling.STAGES[name][0] // 100 * 4
    assert seconds > 0
    assert megabytes is None or megabytes >= 0


# A GPU's script, on a CPU


def test_clock_counts_only_measured_steps():
    clock = gpu.Clock(warm_up=2, steps=3)
    collate = clock.watch(
        lambda rows: {"input_ids": torch.zeros(len(rows), max(len(row["input_ids"]) for row in rows))}
    )
    for size in range(1, 8):
        collate([{"input_ids": [0] * size}, {"input_ids": [0]}])
        clock.step()
    assert clock.done == 7
    assert clock.seconds > 0
    assert clock.measured == [(size + 1, 2 * size, size**2 + 1) for size in (3, 4, 5)]


def test_flops_count_each_matrix_once():
    model = gpu.code_task(True, 2, "sdpa").model()  # the head shares its matrix with the embedding
    config = model.config
    multiplied = config.vocab_size * config.n_embd + config.n_layer * 12 * config.n_embd**2
    expected = 6 * multiplied * 10 + 12 * config.n_layer * config.n_embd * 50
    assert gpu.flops(model, [(10, 12, 50)]) == expected


@pytest.mark.parametrize("way", ["plain", "trainer", "ours"])
def test_a_way_of_training_reports_its_speed(way):
    task = gpu.code_task(True, 8, "sdpa")
    speed = gpu.measure(task, way, steps=2, warm_up=2)
    assert (speed.chapter, speed.way, speed.padding) == (4, way, 0)
    assert speed.tokens_per_second > 0
    assert all(abs(loss - math.log(1000)) < 1 for loss in speed.losses)
    assert len(gpu.cells(speed, [speed])) == len(gpu.COLUMNS)


def test_real_size_needs_a_gpu():
    if not torch.cuda.is_available():
        assert "--tiny" in complaint_of(CourseError, gpu.main)
