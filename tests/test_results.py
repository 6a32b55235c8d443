"""`course_lib.results`: files that are never half written, and rows that survive the notebook."""

import json
import math
import os
from dataclasses import asdict
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
import torch
from complaints import complaint_of
from hypothesis import given, settings
from hypothesis import strategies as st
from interpreters import printed_by
from nbformat import v4

from course_lib.profiles import CourseError
from course_lib.results import (
    RESULT_MIME,
    Result,
    flat_row,
    measured,
    read_result,
    write_atomically,
)

SETTINGS = SimpleNamespace(profile="tiny", seed=3)
ROW = Result(
    "01_toy", "accuracy", 0.51234567, 0.4, 0.9, 12.34, 345.6, 0, "tiny", {"f1": 0.25, "note": "Ærøskøbing 😀 \u2028"}
)


def strict_json(text):
    "`text` as JSON by the standard, which knows no NaN."

    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


# write_atomically


def test_a_file_is_created_with_its_folders_and_replaced(tmp_path):
    path = tmp_path / "new" / "folder" / "a.txt"
    assert write_atomically(str(path), "one") == path
    assert write_atomically(path, "two") == path
    assert path.read_text(encoding="utf-8") == "two"
    assert [file.name for file in path.parent.iterdir()] == ["a.txt"]


@settings(max_examples=30, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_is_written_byte_for_byte(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("written") / "a.txt"
    assert write_atomically(path, text).read_bytes() == text.encode("utf-8")


@pytest.mark.parametrize("function", ["replace", "fsync"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch, function, error):
    path = write_atomically(tmp_path / "a.txt", "old")

    def fail(*args, **options):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(os, function, fail)
        with pytest.raises(type(error)):
            write_atomically(path, "new and longer")
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_sees_the_old_text_until_the_new_one_is_complete(tmp_path, monkeypatch):
    path = write_atomically(tmp_path / "a.txt", "old")
    fsync, seen = os.fsync, []

    def look(descriptor):
        seen.append(path.read_text(encoding="utf-8"))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    write_atomically(path, "new")
    assert seen == ["old"]
    assert path.read_text(encoding="utf-8") == "new"


def test_text_that_is_no_unicode_leaves_the_old_file(tmp_path):
    path = write_atomically(tmp_path / "a.txt", "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "new \ud800")
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_first_write_leaves_nothing(tmp_path, monkeypatch):
    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(tmp_path / "a.txt", "new")
    assert list(tmp_path.iterdir()) == []


# results in a notebook and in results.json


def notebook_showing(*results):
    "A notebook with a markdown cell, prints, and one cell per result."
    cells = [
        v4.new_markdown_cell("# A chapter"),
        v4.new_code_cell("1", outputs=[v4.new_output("stream", text="hello")]),
    ]
    for result in results:
        output = v4.new_output("execute_result", data=result._repr_mimebundle_(), execution_count=1)
        cells.append(v4.new_code_cell("result", outputs=[v4.new_output("stream", text="bye"), output]))
    cells.append(v4.new_code_cell("2", outputs=[v4.new_output("error", ename="E", evalue="v", traceback=[])]))
    return v4.new_notebook(cells=cells)


def test_a_result_survives_the_notebook_file(tmp_path):
    path = tmp_path / "chapter.ipynb"
    nbformat.write(notebook_showing(ROW), path)
    expected = {
        "chapter": "01_toy",
        "metric": "accuracy",
        "baseline": 0.51234567,
        "before": 0.4,
        "after": 0.9,
        "seconds": 12.34,
        "peak_mb": 345.6,
        "seed": 0,
        "profile": "tiny",
        "extra": {"f1": 0.25, "note": "Ærøskøbing 😀 \u2028"},
    }
    assert read_result(nbformat.read(path, as_version=4)) == expected
    assert read_result(json.loads(path.read_text(encoding="utf-8"))) == expected
    nbformat.validate(nbformat.read(path, as_version=4))


def test_the_last_result_counts():
    other = Result("01_toy", "f1", 0.1, 0.2, 0.3, 1.0, 1.0, 1, "full")
    assert read_result(notebook_showing(ROW, other))["metric"] == "f1"
    notebook = notebook_showing(ROW, other)
    notebook.cells[2].outputs += notebook.cells[3].outputs  # both under one cell
    del notebook.cells[3]
    assert read_result(notebook)["metric"] == "f1"


def test_a_notebook_without_a_result_gives_none():
    assert read_result(notebook_showing()) is None
    assert read_result({"cells": []}) is None


def test_what_jupyter_shows_is_rounded_and_has_no_extra():
    bundle = ROW._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", RESULT_MIME}
    assert "0.5123" in bundle["text/plain"]
    assert "0.51234" not in bundle["text/plain"]
    assert "note" not in bundle["text/html"]
    assert bundle[RESULT_MIME]["baseline"] == 0.51234567
    assert flat_row(asdict(ROW)) == flat_row(read_result(notebook_showing(ROW)))
    assert flat_row(asdict(ROW))["seconds"] == 12


def test_the_row_for_people_has_its_order_also_after_a_file_has_sorted_its_keys(tmp_path):
    nbformat.write(notebook_showing(ROW), tmp_path / "chapter.ipynb")
    row = flat_row(read_result(nbformat.read(tmp_path / "chapter.ipynb", as_version=4)))
    assert list(row) == ["chapter", "metric", "baseline", "before", "after", "seconds", "peak memory"]
    assert row["peak memory"] == "346 MB"


# measured


def test_measured_fills_in_the_run():
    result = measured(
        "01_toy", SETTINGS, "accuracy", baseline=np.float32(0.5), before=0, after=np.float64(0.75), f1=0.25
    )
    assert (result.baseline, result.before, result.after) == (0.5, 0.0, 0.75)
    assert all(type(value) is float for value in (result.baseline, result.before, result.after))
    assert (result.profile, result.seed, result.extra) == ("tiny", 3, {"f1": 0.25})
    assert result.seconds > 0
    assert result.peak_mb > 1
    strict_json(json.dumps(result._repr_mimebundle_()))


@pytest.mark.parametrize("which", ["baseline", "before", "after"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), np.float32("nan")])
def test_a_chapter_that_measured_nothing_has_failed(which, value):
    values = {"baseline": 0.5, "before": 0.5, "after": 0.5} | {which: value}
    with pytest.raises(CourseError) as info:
        measured("01_toy", SETTINGS, "accuracy", **values)
    message = str(info.value)
    assert len(message.splitlines()) == 1
    assert f"{which} accuracy" in message
    assert "01_toy" in message


@pytest.mark.parametrize(
    "value",
    [math.nan, np.float32("inf"), [1.0, {"a": -math.inf}], np.array([0.5, math.nan])],
    ids=["nan", "inf", "inside", "array"],
)
def test_a_further_metric_that_is_not_finite_is_refused_at_once(value):
    message = complaint_of(
        CourseError, measured, "01_toy", SETTINGS, "accuracy", baseline=0, before=0, after=1, good=1, odd=value
    )
    assert message.startswith("01_toy: odd is ")


def test_what_is_measured_can_be_written():
    extra = {"a": np.float32(0.5), "b": np.int64(3), "c": [np.float64(1), "é"], "d": {"e": None, "f": True}}
    extra |= {"g": torch.tensor(0.5), "h": np.eye(2, dtype=int), "i": np.bool_(True)}
    result = measured("01_toy", SETTINGS, "accuracy", baseline=0, before=0, after=1, **extra)
    row = strict_json(json.dumps(asdict(result)))
    expected = {"a": 0.5, "b": 3, "c": [1, "é"], "d": {"e": None, "f": True}}
    assert row["extra"] == expected | {"g": 0.5, "h": [[1, 0], [0, 1]], "i": True}
    assert row["extra"] == result.extra


# the process


@pytest.fixture(scope="module")
def peaks():
    "Peak memory of a fresh process before and after it holds 100 MB, started by a process that holds 300 MB."
    code = (
        "from course_lib.results import peak_memory_mb as peak\n"
        "peaks = [peak()]; block = b'x' * 100_000_000; peaks.append(peak())\n"
        "del block; peaks.append(peak()); print(*peaks)"
    )
    held = np.ones(300_000_000 // 8)
    printed = printed_by(code)
    assert len(held)
    return [float(word) for word in printed.split()]


def test_peak_memory_grows_with_what_is_held_and_stays(peaks):
    before, held, after = peaks
    assert held >= before + 90
    assert after >= held - 5  # the kernel counts in batches of pages


def test_peak_memory_is_that_of_this_process_not_of_the_one_that_started_it(peaks):
    assert 5 < peaks[0] < 200
