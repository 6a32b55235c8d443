"The tokenizer, tokens and contexts against plain lists, and the folder that one process of a machine fills."

import os
import re
import subprocess
import sys
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from complaints import complaint_of
from datasets import Dataset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course_lib.checkpoints import load_tokenizer
from course_lib.packing import END, made_once, pack_files, pack_sequences, tokenize_code, train_code_tokenizer
from course_lib.processes import launch
from course_lib.profiles import CourseError

SOME = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
any_text = st.text(st.characters(codec="utf-8"), max_size=30) | st.text("ab_ \n日é1.", max_size=30)


def make_files(count: int) -> list[str]:
    return [f"def größe_{n}(df, x={n}):\n    if x > {n}:\n        return df.fit(x)\n    return x\n" for n in range(count)]


@pytest.fixture(scope="module")
def tokenizer():
    return train_code_tokenizer(make_files(60), 300, model_max_length=64)


def test_the_same_texts_make_the_same_tokenizer():
    one, two = (train_code_tokenizer(iter(make_files(30)), 350) for _ in range(2))
    assert one.backend_tokenizer.to_str() == two.backend_tokenizer.to_str()


def test_the_tokenizer_has_one_special_token_and_one_for_an_indented_line_break(tokenizer):
    assert tokenizer.decode([tokenize_code(["\n        "], tokenizer)[0].as_py()[0]]) == "\n        "
    assert tokenizer.eos_token_id == tokenizer.bos_token_id == 0
    assert (len(tokenizer), tokenizer.model_max_length) == (300, 64)


@SOME
@given(st.lists(any_text | st.sampled_from([END, f"a{END}", "\t\tx\r\n", "e\u0301", "🐼" * 3, "\n\n  \n"]), max_size=5))
def test_every_text_comes_back(tokenizer, texts):
    rows = tokenize_code(texts, tokenizer).to_pylist()
    assert [tokenizer.decode(row) for row in rows] == texts
    assert all(tokenizer.eos_token_id not in row for row in rows)
    ended = tokenize_code(texts, tokenizer, end=True).to_pylist()
    assert ended == [[*row, tokenizer.eos_token_id] for row in rows]


def test_tokens_are_those_of_the_tokenizer_whatever_was_called_before(tokenizer):
    texts = ["name_ = value\n", "x = 'é'"]
    plain = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    tokenizer(texts, truncation=True, max_length=4, return_overflowing_tokens=True)
    assert tokenize_code(texts, tokenizer).to_pylist() == plain
    tokenizer.pad_token = END
    tokenizer(texts, padding=True)
    tokenizer.pad_token = None
    assert tokenize_code(texts, tokenizer).to_pylist() == plain
    assert tokenizer(END)["input_ids"] == [tokenizer.eos_token_id], "outside, it is still special"


@pytest.mark.parametrize(("text", "words"), [("\ud800", "surrogate"), (None, "Text 0 is None")])
def test_what_is_no_text_is_named(tokenizer, text, words):
    assert words in complaint_of(CourseError, tokenize_code, [text], tokenizer)


@SOME
@given(st.lists(st.lists(st.integers(1, 9), max_size=12), max_size=8), st.integers(2, 6), st.data())
def test_packing_loses_only_the_last_partial_context(rows, size, draw):
    cuts = [0, *sorted(draw.draw(st.lists(st.integers(0, len(rows)), max_size=3))), len(rows)]
    whole = pa.array([[99], *rows, [98]], pa.list_(pa.int32()))  # the batches are slices of something larger
    batches = [whole.slice(1 + a, b - a) for a, b in zip(cuts, cuts[1:], strict=False)]
    flat = list(chain.from_iterable(rows))
    expected = [flat[start : start + size] for start in range(0, len(flat) - size + 1, size)]
    found = [row for contexts in pack_sequences(batches, size) for row in contexts.to_pylist()]
    assert found == expected
    assert len(flat) - size < len(found) * size <= len(flat)


def files_of(count: int) -> Dataset:
    return Dataset.from_dict({"content": [f"name_{number} = {number}\n" * 20 for number in range(count)]})


def test_packing_keeps_999_of_1000_tokens_and_the_ends_of_files(tokenizer):
    files = files_of(600)
    contexts = pack_files(files, tokenizer, 32)
    total = sum(len(row) + 1 for row in tokenize_code(files["content"][:], tokenizer).to_pylist())
    assert total - 32 < len(contexts) * 32 <= total
    assert len(contexts) * 32 > 0.999 * total
    assert tokenizer.decode(np.concatenate(contexts["input_ids"][:])).split(END)[:3] == files["content"][:3]
    assert contexts.features["input_ids"].feature.dtype == "int32"
    assert pack_files(files, tokenizer, 32)._fingerprint == contexts._fingerprint
    assert pack_files(files, tokenizer, 16)._fingerprint != contexts._fingerprint


def test_no_more_is_tokenized_than_is_used(tokenizer, monkeypatch):
    seen = []

    def tokenize(texts, *arguments, **options):
        seen.extend(texts)
        return tokenize_code(texts, *arguments, **options)

    monkeypatch.setattr("course_lib.packing.tokenize_code", tokenize)
    drawn = pack_files(files_of(3000), tokenizer, 16, size=50, seed=3)
    assert len(drawn) == 50
    assert len(seen) < 700, "of 3,000 files"
    first = {int(number) for row in drawn["input_ids"] for number in re.findall(r"name_(\d+)", tokenizer.decode(row))}
    assert max(first) - min(first) > 1500, "from everywhere"
    again, other = (pack_files(files_of(3000), tokenizer, 16, size=50, seed=seed) for seed in (3, 4))
    assert drawn["input_ids"][:] == again["input_ids"][:] != other["input_ids"][:]


def test_files_shorter_than_a_context_are_an_error(tokenizer):
    message = complaint_of(CourseError, pack_files, Dataset.from_dict({"content": ["x"]}), tokenizer, 64)
    assert "64 tokens" in message


def test_a_tokenizer_that_writes_no_text_is_named():
    masked = load_tokenizer("mini/encoder")
    message = complaint_of(CourseError, pack_files, Dataset.from_dict({"content": ["x" * 99]}), masked, 8)
    assert "has no end-of-text token" in message


def test_few_contexts_of_100_mb_need_little_memory():
    code = """
import resource
import pyarrow as pa
from datasets import Dataset, disable_progress_bars
from course_lib.checkpoints import load_tokenizer
from course_lib.packing import pack_files
disable_progress_bars()
text, tokenizer = "some_name = other_name + 1\\n" * 400, load_tokenizer("mini/causal")
files = Dataset(pa.concat_tables([pa.table({"content": [text] * 100})] * 100), fingerprint="a")
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
pack_files(files.select(range(300)), tokenizer)
before = peak()
print(files.data.nbytes, len(pack_files(files, tokenizer, size=5000)), peak() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    size, contexts, more = map(float, done.stdout.split())
    assert size > 100e6
    assert contexts == 5000
    assert more < 60, f"{more} MB"


def test_one_process_fills_the_folder_and_the_others_read(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    for name in ("made", "temporary"):
        (tmp_path / name).mkdir()

    def make(folder: Path) -> None:
        (tmp_path / "made" / str(os.getpid())).touch()
        (folder / "text").write_text("whole")

    def read() -> str:
        with made_once(make) as folder:
            return (folder / "text").read_text()

    assert launch(read, num_processes=3, cpu=True) == ["whole"] * 3
    assert len(list((tmp_path / "made").iterdir())) == 1
    assert list((tmp_path / "temporary").glob("course-*")) == [], "what was made is gone"


def test_a_failure_of_the_first_process_ends_them_all(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise CourseError("no such file")

    def read() -> None:
        with made_once(fail):
            raise AssertionError("nobody gets here")

    assert complaint_of(CourseError, launch, read, num_processes=2, cpu=True) == "no such file"
    assert list(tmp_path.glob("course-*")) == []
