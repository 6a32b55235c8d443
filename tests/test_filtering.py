"The keyword filter against loops over characters, from any source, stopped and resumed."

import json
import os
import subprocess
import sys
from dataclasses import asdict
from itertools import islice

import numpy as np
import pyarrow as pa
import pytest
from complaints import complaint_of
from datasets import Dataset, IterableDataset, load_dataset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course_lib.filtering import FilterCounts, filter_by_keywords, filter_files, keyword_list, matching
from course_lib.profiles import CourseError

SOME = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
any_text = st.text(st.characters(codec="utf-8"), max_size=30) | st.text("ab_ \n日é1.", max_size=30)


def holds(text: str, word: str, whole: bool) -> bool:
    "Character by character."
    for start in range(len(text) - len(word) + 1):
        if text[start : start + len(word)] == word:
            beside = text[:start][-1:] + text[start + len(word) :][:1]
            if not whole or not any(character.isalnum() or character == "_" for character in beside):
                return True
    return False


@SOME
@given(
    st.lists(st.text("panda_s é日1.kl\n", max_size=20) | any_text, max_size=8),
    st.lists(st.text("panda_s é日.*[\\-\n#", min_size=1, max_size=7), min_size=1, max_size=12, unique=True),
    st.booleans(),
)
def test_matching_finds_what_a_loop_over_characters_finds(texts, words, whole):
    found = matching(pa.array(texts, pa.large_string()), words, whole)
    assert found.to_pylist() == [any(holds(text, word, whole) for word in words) for text in texts]


def test_whole_words_know_other_alphabets():
    texts = pa.array(["épandas", "pandasé", "pandas.é", "日pandas", "pandas日", "(pandas)", "pandas2", "2 pandas"])
    assert np.flatnonzero(matching(texts, ["pandas"], True)).tolist() == [2, 5, 7]


contents = st.lists(
    st.one_of(
        st.sampled_from(["import pandas", "klearn sklearn", "x", "", None, b"pandas\xff", b"", "é pandas".encode()]),
        any_text,
    ),
    min_size=1,
    max_size=12,
).map(lambda texts: [text.encode() if isinstance(text, str) else text for text in texts])


def filter_naively(contents: list, words: list[str]) -> tuple[list[str], dict[str, int]]:
    kept, skipped = [], {}
    for content in contents:
        try:
            reason = "missing" if content is None else "" if content.decode() else "empty"
        except UnicodeDecodeError:
            reason = "not UTF-8"
        if reason:
            skipped[reason] = skipped.get(reason, 0) + 1
        elif not words or any(word in content.decode() for word in words):
            kept.append(content.decode())
    return kept, skipped


@SOME
@given(contents, st.sampled_from([["pandas", "sklearn"], ["a"], [], list("abcdefghijk")]), st.booleans(), st.booleans())
def test_filter_gives_what_the_loop_gives_from_any_source(contents, words, stream, scattered):
    expected, skipped = filter_naively(contents, words)
    source = Dataset(pa.table({"number": range(len(contents)), "content": pa.array(contents, pa.binary())}))
    if scattered:  # the rows lie in two pieces, and not in their order
        order = np.argsort(np.random.default_rng(0).permutation(len(contents)))
        source = Dataset(pa.concat_tables([source.data.table.take(np.argsort(order))] * 2)).select(order)
    counts = FilterCounts()
    tables = list(filter_by_keywords(source.to_iterable_dataset() if stream else source, words, counts=counts))
    rows = [row for table in tables for row in table.to_pylist()]
    assert [row["content"] for row in rows] == expected
    assert all(row["content"].encode() == contents[row["number"]] for row in rows), "other columns go with their text"
    assert counts == FilterCounts(len(contents), len(expected), skipped)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("stop", [0, 1, 3, 9])
def test_filter_goes_on_behind_the_table_that_it_gave_out_last(stop, stream):
    texts = [b"pandas\xff" if number % 7 == 0 else b"pandas %d" % number for number in range(2000)]
    texts[::100] = [None] * 20
    source = Dataset(pa.table({"content": pa.array(texts, pa.binary())}))
    source = source.to_iterable_dataset() if stream else source
    whole, counts = FilterCounts(), FilterCounts()
    expected = [row for table in filter_by_keywords(source, counts=whole) for row in table.to_pylist()]
    begun = [row for table in islice(filter_by_keywords(source, counts=counts), stop) for row in table.to_pylist()]
    counts = FilterCounts(**json.loads(json.dumps(asdict(counts))))
    rest = [row for table in filter_by_keywords(source, counts=counts) for row in table.to_pylist()]
    assert begun + rest == expected
    assert counts == whole
    assert whole.skipped == {"missing": 20, "not UTF-8": 283}


def test_filter_keeps_other_columns_and_long_lines():
    line = "x = [" + "1, " * 400_000 + "]  # pandas"
    rows = [{"content": line, "path": "a.py", "stars": 3}, {"content": "no", "path": "b.py", "stars": 4}]
    (table,) = filter_by_keywords(Dataset.from_list(rows))
    assert table.to_pylist() == rows[:1]
    assert filter_files(Dataset.from_list(rows), "pandas").to_list() == [{"content": line}]
    (renamed,) = filter_by_keywords(Dataset.from_dict({"code": ["pandas"]}), column="code")
    assert renamed.to_pylist() == [{"code": "pandas"}]


@pytest.mark.parametrize("kind", [pa.string_view(), pa.binary_view(), pa.null(), pa.dictionary(pa.int8(), pa.string())])
def test_other_kinds_of_columns_are_filtered(kind):
    column = pa.nulls(3) if kind == pa.null() else pa.array(["import pandas", None, "x"]).cast(kind)
    counts = FilterCounts()
    try:
        source = Dataset(pa.table({"content": column}))
    except ValueError:
        pytest.skip("this version of datasets holds no such column")
    (table,) = filter_by_keywords(source, counts=counts)
    assert table["content"].to_pylist() == ([] if kind == pa.null() else ["import pandas"])
    assert counts.skipped == {"missing": 3 if kind == pa.null() else 1}


def test_filter_reads_no_further_than_it_must():
    read = []

    def source():
        for number in range(100_000):
            read.append(number)
            yield {"content": f"pandas {number}"}

    stream = IterableDataset.from_generator(source)
    read.clear()
    next(filter_by_keywords(stream))
    assert len(read) <= 256 * (4 * os.cpu_count() + 1)


def test_filter_streams_from_parquet(tmp_path):
    texts = ["import pandas\n" * (number % 3 == 0) + f"x = {number}" for number in range(700)]
    Dataset.from_dict({"content": texts}).to_parquet(str(tmp_path / "files.parquet"))
    stream = load_dataset("parquet", data_files=str(tmp_path / "files.parquet"), split="train", streaming=True)
    assert isinstance(stream, IterableDataset)
    found = [text for table in filter_by_keywords(stream) for text in table["content"].to_pylist()]
    assert found == [text for text in texts if "pandas" in text]


def test_memory_stays_small_over_200_mb():
    code = """
import resource
import datasets, pandas
from course_lib.filtering import filter_by_keywords
def files():
    line = "some_name = other_name + 1\\n"
    for number in range(10_000):
        yield {"content": line * 770 + ("pandas" if number % 20 == 0 else "") + str(number)}
stream = datasets.IterableDataset.from_generator(files)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
kept = sum(len(table) for table in filter_by_keywords(stream))
print(kept, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    kept, more = map(float, done.stdout.split())
    assert kept == 500
    assert more < 200, f"{more} MB"


def test_the_same_files_have_the_same_fingerprint():
    files = Dataset.from_dict({"content": ["import pandas", "my_pandas sklearn", None, "x"]})
    one, two, three, other = (
        filter_files(files, words).map(dict)._fingerprint
        for words in ("pandas", ["pandas"], "my_pandas sklearn pandas", "sklearn")
    )
    assert one == two == three != other


def test_files_are_kept_without_a_copy_where_there_is_no_keyword():
    files = Dataset.from_dict({"content": [f"x = {number}" for number in range(600)], "path": ["p"] * 600})
    kept = filter_files(files, None)
    assert kept.column_names == ["content"]
    one, two = ([chunk.buffers()[2].address for chunk in rows.data.column("content").chunks] for rows in (kept, files))
    assert one == two


def test_keyword_lists():
    assert keyword_list("a, b  a\nc") == ["a", "b", "c"]
    assert keyword_list("") == keyword_list(None) == keyword_list([]) == []
    assert keyword_list(("import pandas",)) == ["import pandas"]
    with pytest.raises(AssertionError, match="every file"):
        keyword_list(["pandas", ""])


def test_nothing_found_is_an_error():
    message = complaint_of(CourseError, filter_files, Dataset.from_dict({"content": ["x = 1"]}), "pandas sklearn")
    assert "pandas, sklearn" in message
