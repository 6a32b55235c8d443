"""`course_lib.data`: every way in, compared with naive readers, and every way to be wrong."""

import csv
import datetime
import decimal
import json
import re
import zipfile
from functools import partial
from pathlib import Path

import datasets
import hub_layouts
import numpy as np
import pyarrow as pa
import pytest
from babel.messages import mofile, pofile
from babel.messages.catalog import Catalog
from complaints import complaint_of
from datasets import ClassLabel, Dataset, Features, Value
from hypothesis import given, settings
from hypothesis import strategies as st
from interpreters import printed_by
from loopback_hub import environment, running_loopback_hub, show
from pyarrow import parquet

import course_lib.data as data_module
from course_lib.data import (
    ANSWERS,
    FORMER_NAMES,
    SCHEMAS,
    check_answers,
    check_label,
    check_table,
    corpora,
    load_data,
)
from course_lib.files import READERS, find_split, read_file
from course_lib.profiles import CourseError

MRPC_CLASSES = ("not_equivalent", "equivalent")
SHARED = Path(__file__).parents[2] / "shared" / "data"
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
LOOKS_TYPED = st.sampled_from(
    ["", "1", "1.5", "nan", "null", "NA", "true", "2024-01-31", "2024-01-31T10:00:00Z", " x "]
)
ODD = [
    "",
    " ",
    "plain",
    'say "no"',
    "a,b",
    "tab\there",
    "Zoë 東京",
    "e\u0301 combining",
    "😀👩‍👩‍👧",
    "\u2028",
    "\u0085",
    "\x1f",
    "'",
]
PAIRS = "sentence1,sentence2,label\n"


complaint = partial(complaint_of, CourseError)


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def write_csv(path, header, rows, **dialect):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, **dialect)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def read_csv_naively(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return [dict(row) for row in csv.DictReader(file)]


def write_parquet(path, columns):
    parquet.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), path)
    return path


def load_labels(path):
    splits = load_data(str(path), "pairs")
    return sorted(label for split in splits.values() for label in split["label"])


def column(values, kind=None):
    return pa.chunked_array([pa.array(values, kind)])


# CSV and TSV


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(TEXT | LOOKS_TYPED, TEXT | LOOKS_TYPED), min_size=1, max_size=8),
    header=st.lists(TEXT.filter(bool), min_size=2, max_size=2, unique=True),
    dialect=st.sampled_from(
        [  # with the line end "\n" the writer of Python 3.11 leaves a lone "\r" unquoted, and no reader can tell
            {"lineterminator": "\r\n", "quoting": csv.QUOTE_MINIMAL},
            {"lineterminator": "\r\n", "quoting": csv.QUOTE_ALL},
            {"lineterminator": "\n", "quoting": csv.QUOTE_ALL},
        ]
    ),
)
def test_csv_reads_as_the_standard_library_does(tmp_path_factory, rows, header, dialect):
    path = write_csv(tmp_path_factory.mktemp("csv") / "a.csv", header, rows, **dialect)
    found = read_file(path).to_pylist()
    assert found == read_csv_naively(path)
    assert [tuple(row.values()) for row in found] == rows


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(TEXT | LOOKS_TYPED, min_size=1, max_size=8))
def test_a_csv_of_one_column_keeps_empty_texts(tmp_path_factory, texts):
    path = write_csv(tmp_path_factory.mktemp("csv") / "a.csv", ["text"], [[text] for text in texts])
    assert read_file(path)["text"].to_pylist() == texts


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            *[st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\t\r\n")) | LOOKS_TYPED] * 2
        ),
        min_size=1,
        max_size=8,
    ),
    ending=st.sampled_from(["\n", "\r\n"]),
)
def test_tsv_takes_quotes_as_letters(tmp_path_factory, rows, ending):
    lines = ["one\ttwo", *("\t".join(row) for row in rows)]
    path = write(tmp_path_factory.mktemp("tsv") / "a.tsv", "".join(line + ending for line in lines))
    assert read_file(path).to_pylist() == [{"one": one, "two": two} for one, two in rows]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", "a,b\n1,2\n", {"a": ["1"], "b": ["2"]}),
        ("a.csv", "a,b\r\n1,2\r\n", {"a": ["1"], "b": ["2"]}),
        ("a.csv", "a,b\n1,2", {"a": ["1"], "b": ["2"]}),
        ("a.csv", "\ufeffa,b\n1,2\n", {"a": ["1"], "b": ["2"]}),
        ("a.csv", '\ufeff"a",b\n1,2\n', {"a": ["1"], "b": ["2"]}),
        ("a.csv", 'a,b\n"x\ny","q""q"\n', {"a": ["x\ny"], "b": ['q"q']}),
        ("a.csv", 'a,b\n"x, y","\r\n"\n', {"a": ["x, y"], "b": ["\r\n"]}),
        ("a.csv", "a,b\n,\n", {"a": [""], "b": [""]}),
        ("a.csv", "a,b\n1,2\n\n3,4\n", {"a": ["1", "3"], "b": ["2", "4"]}),
        ("a.csv", "\n\na,b\n1,2\n", {"a": ["1"], "b": ["2"]}),
        ("a.csv", "a,b\nnull,007\n", {"a": ["null"], "b": ["007"]}),
        ("A.CSV", "a\n1\n", {"a": ["1"]}),
        ("a.tsv", 'a\tb\n"x\ty"z\n', {"a": ['"x'], "b": ['y"z']}),
        ("a.tsv", 'a\n"\n""\n', {"a": ['"', '""']}),
        ("a.tsv", "\ufeffa\tb\r\n1, 2\t\r\n", {"a": ["1, 2"], "b": [""]}),
        ("a.jsonl", '{"a": 1}\n\n  \n{"a": 2}\n', {"a": [1, 2]}),
        ("a.jsonl", '\ufeff{"a": 1}\r\n{"a": 2}', {"a": [1, 2]}),
        (
            "a.jsonl",
            '{"a": "2024-01-31"}\n{"a": "2024-01-31T10:00:00Z"}',
            {"a": ["2024-01-31", "2024-01-31T10:00:00Z"]},
        ),
        ("a.jsonl", '{"a": true}\n{"a": false}\n', {"a": [True, False]}),
        ("a.jsonl", '{"a": null}\n{"a": "x"}\n', {"a": [None, "x"]}),
        ("a.jsonl", '{"a": "\\ud83d\\ude00 \\u0000"}', {"a": ["😀 \0"]}),
        ("a.jsonl", '{"a": "x\u2028y\u0085z"}', {"a": ["x\u2028y\u0085z"]}),
        ("a.jsonl", '{"a": []}\n{"a": ["x"]}\n', {"a": [[], ["x"]]}),
    ],
)
def test_what_a_reader_makes_of_a_file(tmp_path, name, content, expected):
    assert read_file(write(tmp_path / name, content)).to_pydict() == expected


@pytest.mark.parametrize("size", [1_000_000, 3_000_000])
@pytest.mark.parametrize("letters", ["x", "word\n", 'é"'])
def test_very_long_texts_are_read_whole(tmp_path, letters, size):
    text = letters * (size // len(letters))
    path = write_csv(tmp_path / "a.csv", ["text", "n"], [[text, "1"], ["short", "2"]])
    assert read_file(path)["text"].to_pylist() == [text, "short"]
    path = write(tmp_path / "a.jsonl", json.dumps({"text": text}) + '\n{"text": "short"}\n')
    assert read_file(path)["text"].to_pylist() == [text, "short"]
    line = text.replace("\n", " ")
    path = write(tmp_path / "a.tsv", f"text\tn\n{line}\t1\nshort\t2\n")
    assert read_file(path)["text"].to_pylist() == [line, "short"]


def test_a_csv_of_many_blocks_keeps_its_rows_in_order(tmp_path):
    rows = [[f"{number}\n{'x' * (number % 50)}", f'"{number}"'] for number in range(40_000)]
    path = write_csv(tmp_path / "a.csv", ["text", "quoted"], rows)
    assert path.stat().st_size > 1 << 20  # pyarrow reads a megabyte at a time
    table = read_file(path)
    assert table["text"].to_pylist() == [text for text, _ in rows]
    assert table["quoted"].to_pylist() == [quoted for _, quoted in rows]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a,b\n1\n", "Expected 2 columns, got 1"),
        ("a,b\n1,2,3\n", "Expected 2 columns, got 3"),
        ("a,b\n1,2\n" + "x," * 100_000 + "\n", "Expected 2 columns"),
        ('"a,b\n' + "1,2\n" * 50_000, "quote"),  # a quote in the header that is never closed
    ],
)
def test_an_uneven_csv_is_an_error_that_names_the_file(tmp_path, content, words):
    path = write(tmp_path / "a.csv", content)
    message = complaint(read_file, path)
    assert str(path) in message
    assert words in message


@pytest.mark.parametrize("content", ["", "\n", "\n\n\n", "\ufeff", "sentence1,sentence2,label", PAIRS, PAIRS + "\n\n"])
@pytest.mark.parametrize("name", ["train.csv", "train.tsv"])
def test_a_file_without_rows_is_called_empty(tmp_path, content, name):
    path = write(tmp_path / name, content.replace(",", "\t") if name.endswith("tsv") else content)
    message = complaint(load_data, str(path), "pairs")
    assert str(path) in message
    assert "empty" in message.lower()


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_two_columns_of_one_name_are_an_error(tmp_path, name):
    path = tmp_path / name
    if name == "a.csv":
        write(path, "text,text\na,b\nc,d\n")
    else:
        write_parquet(path, pa.table([pa.array(["a", "b"])] * 2, names=["text", "text"]))
    message = complaint(load_data, str(path), "texts")
    assert str(path) in message


# JSON lines


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "text": st.text(st.characters(exclude_categories=["Cs"])) | LOOKS_TYPED,
                "number": st.integers(-(2**63), 2**63 - 1),
            },
            optional={"real": st.floats(allow_nan=False), "list": st.lists(TEXT, min_size=1)},
        ),
        min_size=1,
        max_size=8,
    ),
    ascii_only=st.booleans(),
)
def test_jsonl_reads_as_the_standard_library_does(tmp_path_factory, rows, ascii_only):
    lines = [json.dumps(row, ensure_ascii=ascii_only) for row in rows]
    path = write(tmp_path_factory.mktemp("jsonl") / "a.jsonl", "\n".join(lines) + "\n")
    expected = [json.loads(line) for line in path.read_bytes().decode("utf-8").split("\n") if line]
    found = read_file(path).to_pylist()
    assert [{key: value for key, value in row.items() if value is not None} for row in found] == expected


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[1]", ""),
        ("true", ""),
        ('"text"', ""),
        ("{'a': 1}", "line 2"),
        ('{"a": 1', "line 2"),
        ('{"a": 1} {"a": 2}', "line 2"),
        ('{"a": "x\0"}', "line 2"),
        ("[" * 100_000, "line 2"),
        ('{"a": 1' + "0" * 5000 + "}", "line 2"),
        ('{"a": "\\ud800"}', "ud800"),  # half a surrogate pair is no text
        ('{"\\ud800": 1}', "ud800"),
        ('{"a": 123456789012345678901234567890}', ""),
        ('{"a": "x"}', ""),
        ('{"a": [1, "x"]}', ""),
    ],
)
def test_a_bad_line_names_the_file_and_where_it_can_the_line(tmp_path, line, words):
    path = write(tmp_path / "a.jsonl", '{"a": 1}\n' + line + "\n")
    message = complaint(read_file, path)
    assert words in message
    assert str(path) in message


def test_a_key_that_only_later_rows_have_is_kept_and_numbers_widen(tmp_path):
    path = write(tmp_path / "a.jsonl", '{"a": 1}\n{"a": 2.5, "b": "x"}\n{"b": "y"}\n')
    assert read_file(path).to_pydict() == {"a": [1.0, 2.5, None], "b": [None, "x", "y"]}


# Parquet, other suffixes, and bytes that are not UTF-8


def test_parquet_keeps_odd_texts(tmp_path):
    path = write_parquet(tmp_path / "a.parquet", {"text": ODD})
    assert read_file(path)["text"].to_pylist() == ODD


@pytest.mark.parametrize(
    "texts",
    [
        pa.array(["a", "b", "a"]).dictionary_encode(),  # what pandas writes for a categorical
        pa.array(["a", "b", "a"], pa.large_string()),
        pa.array(["a", "b", "a"], pa.string_view()),
    ],
)
def test_every_kind_of_arrow_text_is_text(texts):
    table = check_table(pa.table({"text": texts}), "texts", "here", {})
    assert table["text"].to_pylist() == ["a", "b", "a"]
    assert table.schema.field("text").type == pa.string()


@pytest.mark.parametrize("content", [b"", b"no parquet", b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_a_parquet_file_that_is_none_is_named(tmp_path, content):
    path = write(tmp_path / "a.parquet", content)
    assert str(path) in complaint(read_file, path)


def test_a_damaged_parquet_file_is_named(tmp_path):
    path = write_parquet(tmp_path / "a.parquet", {"text": ["a", "b"] * 1000})
    write(path, b"PAR1" + b"\0" * 100 + path.read_bytes()[-300:])
    assert str(path) in complaint(read_file, path)


@pytest.mark.parametrize("name", ["a.docx", "a", "a.csv.bak"])
def test_a_suffix_without_reader_lists_those_with_one(tmp_path, name):
    message = complaint(load_data, str(write(tmp_path / name, "x")), "texts")
    assert all(suffix in message for suffix in (".csv", ".tsv", ".jsonl", ".parquet"))


def test_a_format_more_is_an_entry_more(tmp_path, monkeypatch):
    monkeypatch.setitem(READERS, ".toy", lambda path: pa.table({"text": path.read_text().split()}))
    splits = load_data(write(tmp_path / "a.toy", "one two three"), "texts")
    assert sorted([*splits["train"]["text"], *splits["validation"]["text"]]) == ["one", "three", "two"]
    assert [file.name for file in find_split(write(tmp_path / "folder" / "train.toy", "x").parent, "train")] == ["train.toy"]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.json", "a.po"])
@pytest.mark.parametrize(
    "content",
    ["text\n'café'\n".encode("latin-1"), "text\nx\n".encode("utf-16"), "text\ncafé".encode()[:-1], b"caf\xe9\nx\n"],
)
def test_a_file_in_another_encoding_is_refused_and_told_the_remedy(tmp_path, name, content):
    path = write(tmp_path / name, content)
    message = complaint(read_file, path)
    assert str(path) in message
    assert "UTF-8" in message


# check_table


def test_check_table_keeps_exactly_the_columns_asked_for():
    table = pa.table({"q2": ["b"], "other": [1], "label": ["1"], "q1": ["a"]})
    checked = check_table(table, "pairs", "here", {"sentence1": "q1", "sentence2": "q2"})
    assert checked.to_pylist() == [{"sentence1": "a", "sentence2": "b", "label": 1}]
    assert checked.schema.types == [pa.string(), pa.string(), pa.int64()]


def test_one_column_may_serve_twice():
    checked = check_table(pa.table({"a": ["x"]}), "translations", "here", {"source": "a", "target": "a"})
    assert checked.to_pylist() == [{"source": "x", "target": "x"}]


def test_a_missing_column_names_file_column_and_remedy():
    message = complaint(check_table, pa.table({"q1": ["a"], "q2": ["b"]}), "pairs", "my.csv", {})
    assert all(word in message for word in ("my.csv", "'sentence1'", "q1, q2", "columns=sentence1:"))
    message = complaint(check_table, pa.table({"text": ["a"]}), "texts", "my.csv", {"text": "body"})
    assert "'body'" in message
    complaint(check_table, pa.table({"te\nxt": ["a"]}), "texts", "my.csv", {})  # one line, whatever a header holds


def test_an_unknown_column_of_the_schema_lists_the_valid_ones(tmp_path):
    path = write(tmp_path / "a.csv", PAIRS + "a,b,1\n")
    message = complaint(load_data, path, "pairs", columns={"sentense1": "sentence2"})
    assert "Did you mean 'sentence1'?" in message
    assert "label" in message


@pytest.mark.parametrize("table", [pa.table({}), pa.table({"text": pa.array([], pa.string())})])
def test_an_empty_table_names_what_it_needs(table):
    message = complaint(check_table, table, "texts", "my.csv", {})
    assert "my.csv is empty" in message
    assert "text" in message


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["a", None], "row 1"),
        ([None, None], "row 0"),
        ([1, 2], "int64"),
        ([b"a"], "binary"),
        ([["a"]], "list"),
        ([datetime.date(2024, 1, 31)], "date"),
    ],
)
def test_text_must_be_text_in_every_row(values, words):
    assert words in complaint(check_table, pa.table({"text": values}), "texts", "my.csv", {})


def test_empty_text_is_text():
    assert check_table(pa.table({"text": ["", "a"]}), "texts", "here", {})["text"].to_pylist() == ["", "a"]


@pytest.mark.parametrize(
    "values",
    [
        [1, 0],
        ["1", "0"],
        [" 1 ", "0\t"],
        ["+1", "0"],
        ["01", "00"],
        [1.0, 0.0],
        ["1.0", "0.0"],  # what pandas writes for a column of numbers with a gap
        [True, False],
        [decimal.Decimal(1), decimal.Decimal(0)],
        pa.array([1, 0], pa.uint64()),
        pa.array([1, 0], pa.int8()),
        pa.array(["1", "0"]).dictionary_encode(),
        pa.array(["1", "0"], pa.large_string()),
    ],
)
def test_whole_numbers_of_every_kind_are_labels(values):
    found = check_label(pa.chunked_array([values]) if isinstance(values, pa.Array) else column(values), "here")
    assert found.to_pylist() == [1, 0]
    assert found.type == pa.int64()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["1", "1.5"], "1.5"),
        ([0.0, 1.5], "1.5"),
        ([float("nan")], "nan"),
        (["0", "yes"], "row 1"),
        (["0", ""], "row 1"),
        (["no", " "], "row 1"),
        (["0", "٣"], "row 1"),
        ([0, None], "row 1"),
        ([None], "row 0"),
        ([0, -1], "row 1"),
        (["-1"], "row 0"),
        (["9" * 30], "truncated"),
        ([[1]], "list"),
        ([{"a": 1}], "struct"),
        (pa.array([2**64 - 1], pa.uint64()), str(2**64 - 1)),
        ([datetime.date(2024, 1, 31)], "date32"),
        ([b"1", b"\xff"], "binary"),
    ],
)
def test_what_is_no_label_is_named(values, words):
    table = pa.table({"text": ["a"] * len(values), "label": values})
    message = complaint(check_table, table, "labelled texts", "my.csv", {})
    assert words in message
    assert "my.csv: column 'label'" in message


def answers(*rows):
    return column(list(rows))


def test_answers_come_out_as_lists_of_texts_and_starts():
    rows = [
        {"text": ["a"], "answer_start": [1]},
        {"text": [], "answer_start": []},
        {"text": ["b", "ü"], "answer_start": [2, 3]},
    ]
    found = check_answers(answers(*rows), "here")
    assert found.to_pylist() == rows
    assert found.type == ANSWERS
    assert check_answers(answers(*rows).slice(1), "here").to_pylist() == rows[1:]
    two = pa.chunked_array([answers(rows[0]).chunk(0), answers(rows[2]).chunk(0)])
    assert check_answers(two, "here").to_pylist() == [rows[0], rows[2]]
    assert check_answers(answers(rows[1], rows[1]).cast(ANSWERS), "here").to_pylist() == [rows[1]] * 2, "SQuAD 2.0 has such"
    swapped = answers({"extra": 1, "answer_start": [7], "text": ["x"]})
    assert check_answers(swapped, "here").to_pylist() == [{"text": ["x"], "answer_start": [7]}]


@pytest.mark.parametrize(
    "rows",
    [
        [{"text": ["a"], "answer_start": [1, 2]}],
        [{"text": ["a"], "answer_start": [1]}, None],
        [{"text": ["a"], "answer_start": None}],
        [{"text": None, "answer_start": [1]}],
        [{"text": "a", "answer_start": 1}],
        [{"text": ["a"], "answer_start": ["x"]}],
        [{"text": ["a"], "answer_start": [1.5]}],
        [{"text": ["a"], "answer_start": [2**40]}],
        [{"text": [None], "answer_start": [1]}],
        [{"text": ["a"], "answer_start": [None]}],
        [{"text": ["a"], "answer_start": [-1]}],
        [{"text": [""], "answer_start": [0]}],
        [{"text": ["a"], "answer_start": [1]}, {"text": [" "], "answer_start": [0]}],
        [{"text": ["a"]}],
        ["a"],
        [None],
        [[{"text": "a", "answer_start": 1}]],
    ],
)
def test_answers_of_another_shape_are_an_error(rows):
    texts = pa.array(["x"] * len(rows))
    table = pa.table({"id": texts, "context": texts, "question": texts, "answers": pa.array(rows)})
    assert "squad: column 'answers'" in complaint(check_table, table, "questions", "squad", {})


def test_questions_are_loaded_from_jsonl_and_parquet(tmp_path):
    rows = [
        {
            "id": str(n),
            "title": "T",
            "context": f"It is {n}.",
            "question": "What?",
            "answers": {"text": [f"{n}"], "answer_start": [6]},
        }
        for n in range(20)
    ]
    paths = [
        write(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows)),
        write_parquet(tmp_path / "a.parquet", pa.Table.from_pylist(rows)),
    ]
    for path in paths:
        splits = load_data(path, "questions")
        assert splits["train"].column_names == ["id", "context", "question", "answers"]
        assert splits["train"].num_rows == 18
        found = [row for split in splits.values() for row in split]
        expected = [{key: value for key, value in row.items() if key != "title"} for row in rows]
        assert sorted(found, key=lambda row: int(row["id"])) == expected


def squad_file(path, articles):
    return write(path, json.dumps({"version": "1.1", "data": articles}, ensure_ascii=False))


def squad_article(title, *contexts):
    answer = {"text": "é 😀", "answer_start": 3}
    return {
        "title": title,
        "paragraphs": [
            {"context": context, "qas": [{"id": f"{title}{n}", "question": "What?", "answers": [answer, answer]}]}
            for n, context in enumerate(contexts)
        ],
    }


def test_questions_are_loaded_from_squad_s_json(tmp_path):
    path = squad_file(
        tmp_path / "train-v1.1.json", [squad_article("A", "It é 😀.", "Is é 😀!"), squad_article("B", "No é 😀")]
    )
    rows = read_file(path).to_pylist()
    assert [(row["id"], row["title"], row["context"]) for row in rows] == [
        ("A0", "A", "It é 😀."),
        ("A1", "A", "Is é 😀!"),
        ("B0", "B", "No é 😀"),
    ]
    assert all(row["answers"] == {"text": ["é 😀"] * 2, "answer_start": [3] * 2} for row in rows)
    for name in (path, tmp_path):  # the file, and the folder that holds it
        splits = load_data(name, "questions", split_by="title")
        assert splits["train"].column_names == ["id", "context", "question", "answers"]
        assert {key[0] for key in splits["train"]["id"]}.isdisjoint(key[0] for key in splits["validation"]["id"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[1, 2]", "a.json"),
        ("{}", "empty"),
        ('{"data": 3}', "a.json"),
        ('{"data": [{"title": "A"}]}', "'paragraphs'"),
        ('{"data": [{"paragraphs": [{"qas": [{"id": "1", "answers": []}]}]}]}', "'context'"),
        ('{"data": [{"paragraphs": [{"context": "x", "qas": [{"id": "1", "question": "?"}]}]}]}', "'answers'"),
        ('{"data": [{"paragraphs": [{"context": "x", "qas": [{"id": 1, "question": "?", "answers": []}]}]}]}', "int64"),
        ('{"data": [{"paragraphs": [{"context": "x", "qas": [{"question": "?", "answers": []}]}]}]}', "'id'"),
        (
            '{"data": [{"paragraphs": [{"context": "\\ud800", "qas": [{"id": "1", "question": "?", "answers": []}]}]}]}',
            "surrogate",
        ),
        ('{"data": [', "a.json"),
        ("", "a.json"),
    ],
)
def test_json_of_another_structure_is_named(tmp_path, content, words):
    message = complaint(load_data, write(tmp_path / "a.json", content), "questions")
    assert words in message
    assert "a.json" in message


# splits


@pytest.mark.parametrize(
    "name", ["validation", "valid", "val", "dev", "test", "Dev", "dev-v1.1", "val_small", "test.clean"]
)
def test_a_validation_file_goes_by_many_names(tmp_path, name):
    write(tmp_path / "train.csv", "text\na\nb\n")
    write(tmp_path / f"{name}.csv", "text\nc\n")
    write(tmp_path / "notes.csv", "text\nnot this\n")
    splits = load_data(tmp_path, "texts")
    assert {split: rows["text"][:] for split, rows in splits.items()} == {"train": ["a", "b"], "validation": ["c"]}


@pytest.mark.parametrize("found", [None, "train-v1.1.json", "train_small.json"])
def test_the_reports_of_a_trainer_are_no_data(tmp_path, found):
    for name in ("train_results.json", "all_results.json", "test_results.json", "train-metrics.csv", "val_log.jsonl"):
        write(tmp_path / name, '{"train_loss": 0.5}')
    if found:
        squad_file(tmp_path / found, [squad_article("A", "It é 😀.", "Is é 😀!")])
        splits = load_data(tmp_path, "questions")
        assert sorted(splits["train"]["id"][:] + splits["validation"]["id"][:]) == ["A0", "A1"]
    else:
        assert "no train split" in complaint(load_data, tmp_path, "questions")


@pytest.mark.parametrize(
    "name", ["train.csv", "training.csv", "Train.csv", "train.CSV", "train-v1.1.csv", "train_small.csv"]
)
def test_a_train_file_goes_by_many_names(tmp_path, name):
    write(tmp_path / name, "text\na\nb\n")
    write(tmp_path / "dev.csv", "text\nc\n")
    assert load_data(tmp_path, "texts")["train"]["text"][:] == ["a", "b"]


def test_the_better_name_wins(tmp_path):
    for name in ("test", "dev", "val", "valid-old", "validation-old", "trainer", "train-old"):
        write(tmp_path / f"{name}.csv", "text\nno\nno\n")
    write(tmp_path / "train.csv", "text\na\n")
    write(tmp_path / "validation.csv", "text\nb\n")
    write(tmp_path / "test.csv", "text\nc\n")
    splits = load_data(tmp_path, "texts", splits=("train", "validation", "test"))
    assert {split: rows["text"][:] for split, rows in splits.items()} == {
        "train": ["a"],
        "validation": ["b"],
        "test": ["c"],
    }


def test_files_of_different_suffixes_make_one_data_set(tmp_path):
    write(tmp_path / "train.jsonl", '{"text": "a"}\n')
    write_parquet(tmp_path / "valid.parquet", {"text": ["b"]})
    splits = load_data(tmp_path, "texts")
    assert (splits["train"]["text"][:], splits["validation"]["text"][:]) == (["a"], ["b"])


def test_a_split_in_several_parts_is_read_whole(tmp_path):
    names = [f"train-0000{part}-of-00003.parquet" for part in range(3)]
    for part, name in enumerate(names):
        write_parquet(tmp_path / name, {"text": [f"{part}a", f"{part}b"]})
    write(tmp_path / "dev.csv", "text\nc\n")
    assert load_data(tmp_path, "texts")["train"]["text"][:] == ["0a", "0b", "1a", "1b", "2a", "2b"]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([[0, 1], ["0", "1"]], "int64 vs string"),
        ([[0, 1], [None, None], ["0", "1"]], "int64 vs string"),
        ([[0, 1], [[0], [1]]], "int64 vs list"),
    ],
)
def test_parts_of_different_types_name_file_and_column(tmp_path, labels, words):
    for part, values in enumerate(labels):
        columns = {"sentence1": ["a", "b"], "sentence2": ["c", "d"], "label": values}
        write_parquet(tmp_path / f"train-part-0000{part}-of-0000{len(labels)}.parquet", columns)
    message = complaint(load_data, tmp_path, "pairs")
    assert words in message
    assert "label" in message
    assert "type" in message


def test_parts_may_lack_a_column_and_widen_a_type(tmp_path):
    write_parquet(tmp_path / "train-00000-of-00002.parquet", {"text": ["a"], "number": pa.array([1], pa.int8())})
    write_parquet(tmp_path / "train-00001-of-00002.parquet", {"text": ["b"], "number": [1.5], "more": ["c"]})
    assert read_file(*sorted(tmp_path.iterdir())).to_pydict() == {"text": ["a", "b"], "number": [1.0, 1.5], "more": [None, "c"]}


@pytest.mark.parametrize("files", [[], ["dev.csv"], ["trainer.csv", "readme.md"], ["train.docx"]])
def test_a_folder_without_train_file_says_what_it_holds(tmp_path, files):
    for name in files:
        write(tmp_path / name, "text\na\n")
    message = complaint(load_data, tmp_path, "texts")
    assert str(tmp_path) in message
    assert "train.csv" in message
    assert all(name in message for name in files)


@pytest.mark.parametrize(
    "name", ["missing.csv", "./missing", "missing.parquet", "deep/down/there", "~/missing", "~nobody-here/x"]
)
def test_a_path_that_is_not_there_is_called_missing(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    message = complaint(load_data, name, "texts")
    assert "no file or folder" in message
    assert Path(name).name in message


@pytest.mark.parametrize("name", ["{}", "{}.csv", "./{}", "/{}", "a/b/{}", "mini/{}"])
def test_a_name_that_is_too_long_for_a_file_is_called_missing(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    assert "x" * 300 in complaint(load_data, name.format("x" * 300), "texts")


@pytest.mark.parametrize("name", ["missing.csv", "missing"])
def test_a_path_object_that_is_not_there_is_called_missing(tmp_path, name):
    assert str(tmp_path / name) in complaint(load_data, tmp_path / name, "texts")


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write(tmp_path / "mine.csv", "text\na\nb\n")
    assert load_data("~/mine.csv", "texts")["train"].num_rows == 1


def test_no_name_is_not_the_working_folder(tmp_path, monkeypatch):
    write(tmp_path / "train.csv", "text\na\nb\n")
    monkeypatch.chdir(tmp_path)
    complaint(load_data, "", "texts")
    assert load_data(".", "texts")["train"].num_rows == 1


def test_a_folder_may_be_named_like_a_hub_id(tmp_path, monkeypatch):
    write(tmp_path / "owner" / "name" / "train.csv", "text\na\nb\n")
    monkeypatch.chdir(tmp_path)
    assert load_data("owner/name", "texts")["train"].num_rows == 1


def numbered(path, count):
    return write(path, "text\n" + "".join(f"row {number}\n" for number in range(count)))


@pytest.mark.parametrize(("count", "validation"), [(2, 1), (3, 1), (10, 1), (40, 4), (101, 10)])
def test_a_single_file_sets_aside_a_tenth_that_training_never_sees(tmp_path, count, validation):
    path = numbered(tmp_path / "a.csv", count)
    splits = load_data(path, "texts")
    train, held_out = splits["train"]["text"][:], splits["validation"]["text"][:]
    assert len(held_out) == validation
    assert not set(train) & set(held_out)
    assert sorted(train + held_out) == sorted(f"row {number}" for number in range(count))


def test_what_is_set_aside_depends_on_the_seed_alone(tmp_path):
    path = numbered(tmp_path / "a.csv", 100)
    held_out = [load_data(path, "texts", seed=seed)["validation"]["text"][:] for seed in (0, 0, 1)]
    assert held_out[0] == held_out[1]
    assert held_out[0] != held_out[2]
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    assert load_data(path, "texts", seed=0)["validation"]["text"][:] == held_out[0]
    assert np.random.random() == expected  # the reader's own random numbers are left alone


def test_a_folder_without_validation_file_sets_rows_aside_too(tmp_path):
    numbered(tmp_path / "train.csv", 20)
    splits = load_data(tmp_path, "texts", validation_fraction=0.25)
    assert (splits["train"].num_rows, splits["validation"].num_rows) == (15, 5)


def test_a_train_file_stays_in_order_and_whole(tmp_path):
    numbered(tmp_path / "train.csv", 20)
    numbered(tmp_path / "dev.csv", 3)
    assert load_data(tmp_path, "texts")["train"]["text"][:] == [f"row {number}" for number in range(20)]


def test_one_row_cannot_be_split(tmp_path):
    assert "validation" in complaint(load_data, numbered(tmp_path / "a.csv", 1), "texts")


def test_sizes_draw_that_many_rows_with_the_seed(tmp_path):
    path = numbered(tmp_path / "a.csv", 100)
    whole = load_data(path, "texts")
    drawn = load_data(path, "texts", train_size=7, validation_size=3)
    again = load_data(path, "texts", train_size=7, validation_size=3)
    other = load_data(path, "texts", train_size=7, validation_size=3, seed=1)
    for split, size in {"train": 7, "validation": 3}.items():
        rows = drawn[split]["text"][:]
        assert len(set(rows)) == size
        assert set(rows) <= set(whole[split]["text"])
        assert rows == again[split]["text"][:]
    assert drawn["train"]["text"][:] != other["train"]["text"][:]
    assert (
        load_data(path, "texts", train_size=5_000, validation_size=10)["train"]["text"][:] == whole["train"]["text"][:]
    )


@pytest.mark.parametrize("option", ["train_size", "validation_size"])
@pytest.mark.parametrize("size", [0, -1])
def test_a_size_below_one_is_an_error(option, size):
    assert f"{option}={size}" in complaint(load_data, "mini/paraphrases", "pairs", **{option: size})


@pytest.mark.parametrize("seed", [-1, 1.5, "0", None, True, 2**31])
@pytest.mark.parametrize("options", [{}, {"train_size": 5}])
def test_a_seed_that_is_none_is_refused(tmp_path, seed, options):
    path = numbered(tmp_path / "a.csv", 30)
    assert f"seed={seed!r}" in complaint_of(CourseError, load_data, path, "texts", seed=seed, **options)


def test_an_empty_split_names_its_file(tmp_path):
    write(tmp_path / "train.csv", PAIRS + "a,b,1\n")
    path = write(tmp_path / "dev.csv", PAIRS)
    assert f"{path} is empty" in complaint(load_data, tmp_path, "pairs")


# splits that are asked for by name


@pytest.mark.parametrize("splits", [("test",), "test", ["test"]])
def test_a_split_alone_needs_no_train_file(tmp_path, splits):
    write(tmp_path / "test.csv", "text\nc\n")
    found = load_data(tmp_path, "texts", splits=splits)
    assert {split: rows["text"][:] for split, rows in found.items()} == {"test": ["c"]}


@pytest.mark.parametrize("split", ["unlabelled", "test", "Extra"])
def test_a_split_may_have_any_name(tmp_path, split):
    write(tmp_path / "train.csv", "text\na\n")
    write(tmp_path / f"{split}.csv", "text\nc\n")
    assert load_data(tmp_path, "texts", splits=(split,))[split]["text"][:] == ["c"]


def test_the_splits_come_in_the_order_asked_for(tmp_path):
    for name in ("train", "validation", "test"):
        write(tmp_path / f"{name}.csv", f"text\n{name}\n")
    found = load_data(tmp_path, "texts", splits=("test", "train", "validation"))
    assert [(split, rows["text"][0]) for split, rows in found.items()] == [(name, name) for name in found]
    assert list(found) == ["test", "train", "validation"]


def test_a_test_file_is_not_validation_too_when_it_is_asked_for(tmp_path):
    numbered(tmp_path / "train.csv", 20)
    write(tmp_path / "test.csv", "text\nheld out\n")
    found = load_data(tmp_path, "texts", splits=("train", "validation", "test"))
    assert found["test"]["text"][:] == ["held out"]
    assert sorted(found["train"]["text"][:] + found["validation"]["text"][:]) == sorted(f"row {i}" for i in range(20))
    assert load_data(tmp_path, "texts")["validation"]["text"][:] == ["held out"]


def test_validation_alone_is_the_validation_set_aside(tmp_path):
    path = numbered(tmp_path / "a.csv", 50)
    both = load_data(path, "texts")
    alone = load_data(path, "texts", splits=("validation",))
    assert list(alone) == ["validation"]
    assert alone["validation"]["text"][:] == both["validation"]["text"][:]


def test_a_missing_split_is_named(tmp_path):
    write(tmp_path / "train.csv", "text\na\nb\n")
    message = complaint(load_data, tmp_path, "texts", splits=("train", "test"))
    assert "no test split" in message
    assert "train.csv" in message
    message = complaint(load_data, tmp_path / "train.csv", "texts", splits=("train", "test"))
    assert "no test split" in message


# groups


def grouped_file(path, sizes):
    "Rows of one group beside each other, `sizes[i]` of group i."
    rows = [
        {"text": f"{group}.{row}", "title": f"title {group}"} for group, size in enumerate(sizes) for row in range(size)
    ]
    return write(path, "\n".join(map(json.dumps, rows)))


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 12), min_size=2, max_size=12),
    fraction=st.floats(0.02, 0.6),
    seed=st.integers(0, 3),
)
def test_a_group_is_on_one_side(tmp_path_factory, sizes, fraction, seed):
    path = grouped_file(tmp_path_factory.mktemp("groups") / "a.jsonl", sizes)
    found = load_data(path, "texts", split_by="title", validation_fraction=fraction, seed=seed)
    groups = {split: {text.split(".")[0] for text in rows["text"]} for split, rows in found.items()}
    assert groups["train"]
    assert groups["validation"]
    assert not groups["train"] & groups["validation"]
    assert found["train"].num_rows + found["validation"].num_rows == sum(sizes)
    wanted = min(max(1, round(sum(sizes) * fraction)), sum(sizes) - 1)
    left = wanted - found["validation"].num_rows
    if left >= 0:  # nothing that still fits is left out
        assert all(sizes[int(group)] > left for group in groups["train"])
    else:  # every group was too large: the smallest
        assert sum(sizes[int(group)] for group in groups["validation"]) == min(sizes)
        assert len(groups["validation"]) == 1


@pytest.mark.parametrize("values", [["a", None], [1, 2], [1.5, None], [True, False], ["Zoë", "東京 😀"]])
def test_any_plain_column_makes_groups(tmp_path, values):
    rows = [{"text": f"{number}", "group": values[number % 2]} for number in range(20)]
    path = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    found = load_data(path, "texts", split_by="group")
    assert {split: len({int(text) % 2 for text in data["text"]}) for split, data in found.items()} == {
        "train": 1,
        "validation": 1,
    }


def test_a_column_of_the_schema_may_make_the_groups_and_the_seed_draws_them(tmp_path):
    path = write(tmp_path / "a.csv", "text\n" + "".join(f"row {number % 10}\n" for number in range(100)))
    drawn = [
        sorted(set(load_data(path, "texts", split_by="text", seed=seed)["validation"]["text"])) for seed in range(6)
    ]
    assert all(len(texts) == 1 for texts in drawn)
    assert len({texts[0] for texts in drawn}) > 1
    assert drawn[0] == sorted(set(load_data(path, "texts", split_by="text", seed=0)["validation"]["text"]))


@pytest.mark.parametrize(
    ("rows", "column", "words"),
    [
        ([{"text": "a", "title": "x"}] * 3, "titel", "titel"),
        ([{"text": "a", "title": "x"}] * 3, "title", "one group"),
    ],
)
def test_a_column_that_makes_no_groups_is_an_error(tmp_path, rows, column, words):
    path = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    assert words in complaint(load_data, path, "texts", split_by=column)


def test_a_validation_file_must_keep_the_promise(tmp_path):
    grouped_file(tmp_path / "train.jsonl", [3, 3])
    write(tmp_path / "validation.jsonl", '{"text": "v", "title": "title 1"}')
    message = complaint(load_data, tmp_path, "texts", split_by="title")
    assert "'title 1' is in train and in validation" in message
    write(tmp_path / "validation.jsonl", '{"text": "v", "title": "title 9"}')
    assert load_data(tmp_path, "texts", split_by="title")["train"].num_rows == 6


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_message_that_repeats_is_on_one_side(tmp_path, seed):
    rng = np.random.default_rng(seed)
    sources = [f"Cancel {number}" for number in np.minimum(rng.zipf(1.5, 2000), 500)]
    rows = [{"source": source, "target": f"Annuler {number % 3}"} for number, source in enumerate(sources)]
    path = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    found = load_data(path, "translations", seed=seed)
    assert not set(found["train"]["source"]) & set(found["validation"]["source"])
    assert found["train"].num_rows + found["validation"].num_rows == len(rows)
    assert 150 <= found["validation"].num_rows <= 200


@pytest.mark.skipif(not (SHARED / "kde4").is_dir(), reason="needs the sample data beside the checkout")
def test_real_messages_may_be_split_by_their_catalog():
    path = SHARED / "catalogs" / "en_fr.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    catalog = {(row["translation"]["en"], row["translation"]["fr"]): row["source"] for row in rows}
    found = load_data(path, "translations", split_by="source", validation_fraction=0.2)
    sides = {s: {catalog[row["source"], row["target"]] for row in data} for s, data in found.items()}
    assert sum(data.num_rows for data in found.values()) == len(rows)
    assert sides["validation"]
    assert len(sides["train"]) + len(sides["validation"]) >= 5


# labels of a data set


def test_labels_become_class_labels_numbered_from_zero(tmp_path):
    path = write(tmp_path / "a.csv", PAIRS + "a,b, 1 \nc,d,0\ne,f,2\n" * 5)
    splits = load_data(path, "pairs")
    assert (
        splits["train"].features["label"] == splits["validation"].features["label"] == ClassLabel(names=["0", "1", "2"])
    )
    assert load_labels(path) == [0] * 5 + [1] * 5 + [2] * 5


def test_a_label_that_training_never_shows_is_named(tmp_path):
    write(tmp_path / "train.csv", PAIRS + "a,b,0\nc,d,1\n")
    path = write(tmp_path / "dev.csv", PAIRS + "a,b,0\nc,d,5\n")
    message = complaint(load_data, tmp_path, "pairs")
    assert str(path) in message
    assert "above 1 in row 1" in message


@pytest.mark.parametrize("label", [10**6, 10**12, 10**17])
def test_a_number_that_is_no_class_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch, label):
    def refuse(*args, **options):
        raise AssertionError(f"a class for each of {label:,} numbers")

    path = write(tmp_path / "a.csv", PAIRS + f"a,b,0\nc,d,{label}\n" * 20)
    monkeypatch.setattr(
        data_module, "range", refuse, raising=False
    )  # a list of a million names takes seconds, of 10^12 all memory
    assert str(label) in complaint(load_data, path, "pairs")


@pytest.mark.parametrize("names", [("no", "yes"), ("False", "True"), ("entailment", "neutral", "weiß nicht")])
def test_names_of_classes_are_labels_in_the_order_of_the_alphabet(tmp_path, names):
    rows = [(f"a{number}", "b", f" {name}") for number, name in enumerate(reversed(names * 10))]
    write_csv(tmp_path / "train.csv", ["sentence1", "sentence2", "label"], rows)
    write_csv(tmp_path / "dev.csv", ["sentence1", "sentence2", "label"], [("a", "b", names[-1])])
    splits = load_data(tmp_path, "pairs")
    assert all(data.features["label"] == ClassLabel(names=list(names)) for data in splits.values())
    assert [names[label] for label in splits["train"]["label"]] == [name.strip() for *_, name in rows]
    assert splits["validation"]["label"][:] == [len(names) - 1]


@pytest.mark.parametrize(
    ("train", "held_out", "words"),
    [
        (["yes", "no"], "maybe", "outside no, yes in row 0"),
        (["yes", "no"], "1", "outside no, yes in row 0"),
        (["0", "1"], "yes", "another kind of labels than training"),
        (["0", "1"], "0.5", "another kind of labels than training"),
        (["0.5", "1"], "yes", "another kind of labels than training"),
    ],
)
def test_labels_are_of_one_kind_on_both_sides(tmp_path, train, held_out, words):
    write(tmp_path / "train.csv", PAIRS + "".join(f"a,b,{label}\n" for label in train))
    path = write(tmp_path / "dev.csv", PAIRS + f"a,b,{held_out}\n")
    message = complaint(load_data, tmp_path, "pairs")
    assert words in message
    assert str(path) in message


@pytest.mark.parametrize("label", ["0", "yes", "2.5"])
def test_one_label_in_training_is_an_error(tmp_path, label):
    write(tmp_path / "train.csv", PAIRS + f"a,b,{label}\n" * 9)
    write(tmp_path / "dev.csv", PAIRS + f"a,b,{label}\n")
    assert "train.csv: all rows to train on have one label" in complaint(load_data, tmp_path, "pairs")


def test_scores_stay_numbers(tmp_path):
    write(tmp_path / "train.csv", PAIRS + "a,b,2.5\nc,d,5\ne,f,-0.25\n")
    write(tmp_path / "dev.csv", PAIRS + "a,b,3\n")
    splits = load_data(tmp_path, "pairs")
    assert splits["train"]["label"][:] == [2.5, 5, -0.25]
    assert splits["validation"]["label"][:] == [3.0]
    assert all(data.features["label"] == Value("float64") for data in splits.values())
    write(tmp_path / "dev.csv", PAIRS + "a,b,\n")
    assert "row 0" in complaint(load_data, tmp_path, "pairs")
    for wrong in ("nan", "inf"):
        write_parquet(tmp_path / "train.parquet", {"sentence1": ["a"], "sentence2": ["b"], "label": [float(wrong)]})
        assert "label" in complaint(load_data, tmp_path / "train.parquet", "pairs")


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("sentence,label", None),
        ("text,label", None),
        ("review,stars", "sentence:review,label:stars"),
        ("sentence1,label", "sentence:sentence1"),
        ("sentence1,sentence2,label", "sentence:sentence2"),
    ],
)
def test_single_sentences_are_pairs_without_the_second(tmp_path, header, columns):
    body = "".join("x," * (header.count(",") - 1) + f"text {number},{number % 2}\n" for number in range(20))
    splits = load_data(write(tmp_path / "a.csv", f"{header}\n{body}"), "pairs", columns=columns)
    assert set(splits["train"].column_names) == {"sentence1", "label"}
    assert sorted(text for data in splits.values() for text in data["sentence1"]) == sorted(f"text {n}" for n in range(20))


def test_half_a_pair_is_no_single_sentence(tmp_path):
    path = write(tmp_path / "a.csv", "q1,q2,label\na,b,0\nc,d,1\n")
    message = complaint(load_data, path, "pairs", columns="sentence1:q1")
    assert "no column 'sentence2'" in message
    assert "columns=sentence:YOUR_NAME" in message
    assert "no column 'gone'" in complaint(load_data, path, "pairs", columns="sentence:gone")
    assert "Unknown column" in complaint(load_data, path, "texts", columns="sentence:q1")


def test_labels_of_jsonl_may_be_true_and_false(tmp_path):
    path = write(tmp_path / "a.jsonl", '{"sentence1": "a", "sentence2": "b", "label": true}\n' * 3)
    path.write_text(path.read_text() + path.read_text().replace("true", "false"))
    assert load_labels(path) == [0, 0, 0, 1, 1, 1]


# columns


@pytest.mark.parametrize(
    "columns",
    [
        {"sentence1": "question1", "sentence2": "question2", "label": "is_duplicate"},
        "sentence1:question1,sentence2:question2,label:is_duplicate",
        " sentence1: question1, sentence2 :question2 ,label:is_duplicate",
    ],
)
def test_columns_may_be_named_as_mapping_or_text(tmp_path, columns):
    path = write(tmp_path / "a.csv", "question1,question2,is_duplicate\n" + "a,b,1\na,b,0\n" * 4)
    splits = load_data(path, "pairs", columns=columns)
    assert {"sentence1": "a", "sentence2": "b", "label": 1} in list(splits["train"])


def test_a_column_name_may_hold_a_colon(tmp_path):
    path = write(tmp_path / "a.csv", "q:1\na\nb\n")
    assert load_data(path, "texts", columns="text:q:1")["train"].num_rows == 1


@pytest.mark.parametrize("columns", ["text=body", "body", "text:body,author", "text"])
def test_columns_that_cannot_be_read_are_not_passed_over(tmp_path, columns):
    path = write(tmp_path / "a.csv", "body,text\na,x\nb,y\n")
    assert "columns=" in complaint(load_data, path, "texts", columns=columns)


@pytest.mark.parametrize("columns", [None, "", {}])
def test_no_columns_mean_the_schemas_own(tmp_path, columns):
    assert load_data(write(tmp_path / "a.csv", "text\na\nb\n"), "texts", columns=columns)["train"].num_rows == 1


@pytest.mark.parametrize("fraction", [10, 1, 1.0, 0, -0.1, float("nan"), float("inf")])
def test_a_fraction_that_is_none_is_refused(tmp_path, fraction):
    path = numbered(tmp_path / "a.csv", 30)
    message = complaint(load_data, path, "texts", validation_fraction=fraction)
    assert f"validation_fraction={fraction!r}" in message
    assert "between 0 and 1" in message


# corpora of the course and names of the Hub


def test_the_corpus_of_paraphrases_has_the_columns_and_class_names():
    splits = load_data("mini/paraphrases", "pairs", train_size=50, validation_size=20)
    assert {split: rows.num_rows for split, rows in splits.items()} == {"train": 50, "validation": 20}
    assert splits["train"].column_names == ["sentence1", "sentence2", "label"]
    assert splits["validation"].features["label"].names == list(MRPC_CLASSES)


def test_a_corpus_of_another_schema_says_what_it_has():
    message = complaint(load_data, "mini/paraphrases", "texts")
    assert "no column 'text'; it has idx, sentence1, sentence2, label." in message
    named = load_data("mini/paraphrases", "texts", columns="text:sentence2", train_size=3, validation_size=3)
    assert named["train"].column_names == ["text"], "who names the columns knows them"


@pytest.mark.parametrize("splits", [("train", "validation"), ("validation",)])
@pytest.mark.parametrize("label", ["label", "same"])
def test_a_file_that_datasets_has_written_keeps_its_class_names(tmp_path, splits, label):
    rows = {"sentence1": ["a", "b"], "sentence2": ["c", "d"], label: [0, 1]}
    features = Features(
        {"sentence1": Value("string"), "sentence2": Value("string"), label: ClassLabel(names=["no", "yes", "perhaps"])}
    )
    for split in ("train", "validation"):
        Dataset.from_dict(rows, features=features).to_parquet(tmp_path / f"{split}.parquet")
    found = load_data(tmp_path, "pairs", columns=f"label:{label}", splits=splits)
    assert all(data.features["label"].names == ["no", "yes", "perhaps"] for data in found.values())


def test_class_names_that_cannot_be_read_are_numbers(tmp_path):
    table = pa.table({"sentence1": ["a", "b"] * 9, "sentence2": ["c", "d"] * 9, "label": [0, 1] * 9})
    for described in (b"no json", b"[]", b'{"info": {"features": {"label": {"_type": "FromTheFuture"}}}}'):
        parquet.write_table(table.replace_schema_metadata({"huggingface": described}), tmp_path / "train.parquet")
        assert load_data(tmp_path, "pairs")["train"].features["label"].names == ["0", "1"]


def test_a_folder_that_exists_wins_over_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ("jupyterlab-fr", "jupyterlab-data", "mini/reviews", "mini/mine", "python-code", "opus/kde4", "squad")
    for name in names:
        (tmp_path / name).mkdir(parents=True)
        write(tmp_path / name / "train.csv", f"text\n{name}\n{name}\n")
        assert load_data(name, "texts")["train"]["text"][:] == [name]


def test_a_file_that_is_called_like_a_corpus_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "jupyterlab-4.csv", "text\na\nb\n")
    assert load_data("jupyterlab-4.csv", "texts")["train"].num_rows == 1


def test_the_french_messages_have_a_former_and_a_new_name_and_two_directions():
    there = load_data("jupyterlab-fr", "translations", languages="en,fr", splits=("test",))["test"]
    back = load_data("mini/jupyterlab-fr", "translations", languages=("fr", "en"), splits=("test",))["test"]
    assert there["source"][:] == back["target"][:]
    assert there["target"][:] == back["source"][:]
    assert "'de'" in complaint(load_data, "jupyterlab-fr", "translations", languages="en,de")


@pytest.mark.parametrize("name", ["jupyterlab", "jupyterlab-", "jupyterlab-ru", "python-codes"])
def test_an_unknown_bare_name_lists_the_corpora(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    message = complaint(load_data, name, "translations")
    assert all(corpus in message for corpus in corpora())


def test_an_unknown_corpus_lists_the_valid_ones():
    message = complaint(load_data, "mini/paraphrase", "pairs")
    assert "Did you mean 'mini/paraphrases'?" in message
    assert all(name in message for name in corpora())
    assert "mini/encoder" in complaint(load_data, "mini/encoder", "pairs"), "a checkpoint is no corpus"


@pytest.mark.parametrize("name", FORMER_NAMES)
def test_a_former_bare_name_is_told_todays(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert repr(FORMER_NAMES[name]) in complaint(load_data, name, "texts")


def test_a_bare_name_is_told_what_a_hub_id_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "OWNER/NAME" in complaint(load_data, "nothing", "texts")


def rows_of(columns, count=12, label=None):
    "A data set of `count` rows as the Hub gives it: int32 numbers, texts, a `ClassLabel`, answers."
    values, features = {}, {}
    for name in columns:
        if name == "label":
            values[name] = [number % len(label) for number in range(count)]
            features[name] = ClassLabel(names=list(label))
        elif name == "answers":
            values[name] = [{"text": ["a"], "answer_start": [number]} for number in range(count)]
            features[name] = {"text": datasets.List(Value("string")), "answer_start": datasets.List(Value("int32"))}
        elif name in ("idx", "copies"):
            values[name], features[name] = list(range(count)), Value("int32")
        else:
            values[name], features[name] = [f"{name} {number}" for number in range(count)], Value("string")
    return Dataset.from_dict(values, features=Features(features))


GLUE = ("sentence1", "sentence2", "label", "idx")
CODE = ("repo_name", "path", "copies", "size", "content", "license")
SQUAD = ("id", "title", "context", "question", "answers")
ONLINE = {  # (repository, configuration) -> split -> data set, with the splits that they have on the Hub
    ("nyu-mll/glue", "mrpc"): {name: rows_of(GLUE, label=MRPC_CLASSES) for name in ("train", "validation", "test")},
    ("nyu-mll/glue", "rte"): {name: rows_of(GLUE, label=("entailment", "not")) for name in ("train", "validation")},
    ("stanfordnlp/imdb", None): {
        name: rows_of(("text", "label"), size, label=("neg", "pos"))
        for name, size in {"train": 12, "test": 8, "unsupervised": 30}.items()
    },
    ("rajpurkar/squad", None): {name: rows_of(SQUAD) for name in ("train", "validation")},
    ("huggingface-course/codeparrot-ds-train", None): {"train": rows_of(CODE)},
    ("huggingface-course/codeparrot-ds-valid", None): {"validation": rows_of(CODE, 5)},
    ("me/only-train", None): {"train": rows_of(("text",), 20)},
    ("me/no-train", None): {"test": rows_of(("text",), 20)},
    ("me/renamed", None): {
        name: rows_of(("premise", "hypothesis", "label"), label=("no", "yes")).rename_column("label", "gold")
        for name in ("train", "validation")
    },
}


@pytest.fixture
def hub(monkeypatch):
    "The Hub of `ONLINE`, in place of the real one; gives the list of what was loaded."
    loaded = []

    def split_names(path, config_name=None, **options):
        return list(ONLINE[path, config_name])

    def load(path, name=None, split=None, **options):
        assert not options.get("trust_remote_code")
        loaded.append((path, name, split))
        return ONLINE[path, name][split]

    monkeypatch.setattr(datasets, "get_dataset_split_names", split_names)
    monkeypatch.setattr(datasets, "load_dataset", load)
    return loaded


@pytest.mark.parametrize(
    ("name", "schema", "calls", "sizes"),
    [
        (
            "nyu-mll/glue",
            "pairs",
            [("nyu-mll/glue", "mrpc", "train"), ("nyu-mll/glue", "mrpc", "validation")],
            (12, 12),
        ),
        (
            "nyu-mll/glue:rte",
            "pairs",
            [("nyu-mll/glue", "rte", "train"), ("nyu-mll/glue", "rte", "validation")],
            (12, 12),
        ),
        (
            "stanfordnlp/imdb",
            "texts",
            [("stanfordnlp/imdb", None, "train"), ("stanfordnlp/imdb", None, "test")],
            (12, 8),
        ),
        (
            "rajpurkar/squad",
            "questions",
            [("rajpurkar/squad", None, "train"), ("rajpurkar/squad", None, "validation")],
            (12, 12),
        ),
        (
            "huggingface-course/codeparrot-ds",
            "code",
            [
                ("huggingface-course/codeparrot-ds-train", None, "train"),
                ("huggingface-course/codeparrot-ds-valid", None, "validation"),
            ],
            (12, 5),
        ),
        ("me/only-train", "texts", [("me/only-train", None, "train")], (18, 2)),
    ],
)
def test_a_hub_id_asks_for_the_right_parts_and_keeps_the_schemas_columns(hub, name, schema, calls, sizes):
    splits = load_data(name, schema)
    assert hub == calls
    assert (splits["train"].num_rows, splits["validation"].num_rows) == sizes
    for split in splits.values():
        assert split.column_names == list(SCHEMAS[schema])


def test_a_hub_data_set_keeps_its_values_and_class_names(hub):
    splits = load_data("nyu-mll/glue", "pairs")
    assert splits["train"].features["label"] == ClassLabel(names=list(MRPC_CLASSES))
    assert splits["train"][3] == {"sentence1": "sentence1 3", "sentence2": "sentence2 3", "label": 1}
    assert load_data("rajpurkar/squad", "questions")["train"][2]["answers"] == {"text": ["a"], "answer_start": [2]}


def test_class_names_survive_a_renamed_column(hub):
    columns = {"sentence1": "premise", "sentence2": "hypothesis", "label": "gold"}
    assert load_data("me/renamed", "pairs", columns=columns)["train"].features["label"].names == ["no", "yes"]


def test_hub_rows_are_drawn_with_the_seed(hub):
    drawn = [load_data("stanfordnlp/imdb", "texts", train_size=4, seed=seed)["train"]["text"][:] for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_hub_data_set_without_train_split_is_an_error(hub):
    assert "no train split" in complaint(load_data, "me/no-train", "texts")


@pytest.mark.parametrize(
    ("offline", "words"),
    [("1", "offline"), ("true", "offline"), ("0", "Check the connection"), ("false", "Check the connection")],
)
def test_without_a_network_a_hub_id_gives_one_line_with_the_remedy(monkeypatch, offline, words):
    def unreachable(*args, **options):
        raise ConnectionError("Couldn't reach 'stanfordnlp/imdb' on the Hub\n(OfflineModeIsEnabled)")

    monkeypatch.setattr(datasets, "get_dataset_split_names", unreachable)
    monkeypatch.setattr(datasets, "load_dataset", unreachable)
    monkeypatch.setenv("HF_HUB_OFFLINE", offline)
    message = complaint(load_data, "stanfordnlp/imdb", "texts")
    assert "'stanfordnlp/imdb'" in message
    assert words in message
    assert "dataset=PATH" in message


def test_a_connection_lost_on_the_way_is_explained_too(hub, monkeypatch):
    def lost(*args, **options):
        raise ConnectionResetError("reset by peer")

    monkeypatch.setattr(datasets, "load_dataset", lost)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    assert "Check the connection" in complaint(load_data, "nyu-mll/glue", "pairs")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            ValueError(
                "Config name is missing.\nPlease pick one among the available configs: ['mrpc', 'rte']\nExample:"
            ),
            "'rte'",
        ),
        (ValueError("BuilderConfig 'x' not found. Available: ['mrpc', 'rte']"), "'rte'"),
        (ValueError(), "me/thing"),
        (
            RuntimeError("Dataset scripts are no longer supported, but found thing.py"),
            "scripts are no longer supported",
        ),
        (datasets.exceptions.DatasetGenerationError("An error occurred while generating the dataset"), "generating"),
        (datasets.exceptions.DatasetNotFoundError("Dataset 'me/thing' doesn't exist on the Hub"), "me/thing"),
    ],
)
def test_what_the_hub_refuses_is_one_line(monkeypatch, error, words):
    def refuse(*args, **options):
        raise error

    monkeypatch.setattr(datasets, "get_dataset_split_names", refuse)
    monkeypatch.setattr(datasets, "load_dataset", refuse)
    assert words in complaint(load_data, "me/thing", "texts")


LOADED = """
import time

naps, clock = [], time.monotonic  # sleeping takes no time, and the clock goes on
time.sleep, time.monotonic = naps.append, lambda: clock() + sum(naps)
from course_lib.data import load_data
from course_lib.profiles import CourseError

try:
    splits = load_data(name, schema, **options)
    print({split: rows[column][:3] for split, rows in splits.items()}, [rows.num_rows for rows in splits.values()])
except CourseError as error:
    print(error)
assert sum(naps) < 60
"""


@pytest.fixture
def loopback(tmp_path):
    "A Hub on 127.0.0.1, and a function that calls `load_data` in a process that asks it; what that prints."
    with running_loopback_hub() as hub:

        def load(name, schema, column, **options):
            given = f"name, schema, column, options = {(name, schema, column, options)!r}"
            return printed_by(given + LOADED, **environment(hub, str(tmp_path / "home")))

        hub.load = load
        yield hub


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [(403, "info", "refused (403)"), (429, "resolve", "(429)"), (503, "info", "(503)"), (503, "cdn", "(503)")],
)
def test_what_a_hub_in_trouble_answers_is_said(loopback, status, kind, words):
    loopback.add("datasets", "rajpurkar/squad", hub_layouts.squad())
    loopback.fail(status, kind=kind)
    said = loopback.load("rajpurkar/squad", "questions", "id")
    assert words in said
    assert "'rajpurkar/squad'" in said
    assert len(said.splitlines()) == 1
    assert "the id" not in said


@pytest.mark.parametrize("kind", ["info", "tree", "cdn"])
def test_a_hub_that_is_in_trouble_for_a_moment_gives_the_data_set(loopback, kind):
    loopback.add("datasets", "rajpurkar/squad", hub_layouts.squad(20, 8))
    loopback.fail(503, kind=kind, times=2)
    assert loopback.load("rajpurkar/squad", "questions", "id").endswith("[120, 48]")


def test_questions_without_an_answer_come_from_the_hub(loopback):
    loopback.add("datasets", "rajpurkar/squad_v2", hub_layouts.squad(20, 8, version=2))
    said = loopback.load("rajpurkar/squad_v2", "questions", "answers")
    train, validation = map(int, said.rpartition("[")[2].rstrip("]").split(","))
    assert (train, validation) > (120, 48), "more than the questions with an answer"


def test_of_one_large_file_only_the_beginning_is_fetched_and_only_once(loopback):
    rows = [{"repo_name": "r", "content": f"# {number}\n" + "x = 1\n" * 250} for number in range(60_000)]
    for split, count in (("train", len(rows)), ("valid", 50)):
        files = {f"ds_{split}.json": hub_layouts.json_lines(rows[:count])}
        loopback.add("datasets", f"huggingface-course/codeparrot-ds-{split}", files)
    whole = len(
        loopback.repositories["datasets", "huggingface-course/codeparrot-ds-train"]
        .find("main")
        .files["ds_train.json"]
        .content
    )
    load = partial(loopback.load, "huggingface-course/codeparrot-ds", "code", "content")
    first = load(train_size=300, validation_size=20)
    assert first.endswith("[300, 20]")
    assert all(repr(row["content"]) in first for row in rows[:3]), "the first rows of the file"
    assert 0 < loopback.sent("ds_train.json", kind="cdn") < 2 / 3 * whole, "the client looks ahead by some 30 MB"
    loopback.requests.clear()
    assert load(train_size=300, validation_size=20) == first
    assert loopback.sent(kind="cdn") == 0, show(loopback)
    assert load(train_size=400, validation_size=20, seed=5).endswith("[400, 20]")
    loopback.repositories["datasets", "huggingface-course/codeparrot-ds-train"].commit(
        {"ds_train.json": hub_layouts.json_lines(rows[7:2000])}
    )
    assert repr(rows[7]["content"]) in load(train_size=300, validation_size=20), "another commit has other rows"


# OPUS KDE4


def moses(path, **sides):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("README", "read me")
        for language, text in sides.items():
            archive.writestr(f"KDE4.en-fr.{language}", text)
    return path


@pytest.fixture
def opus(monkeypatch, tmp_path):
    "A local archive in place of OPUS; gives the list of the addresses asked for."
    asked = []
    path = moses(tmp_path / "en-fr.txt.zip", en="File\nOpen… 😀\n\u2028\n", fr="Fichier\nOuvrir…\nx\n")

    def download(self, url):
        asked.append(url)
        return str(path)

    monkeypatch.setattr(datasets.DownloadManager, "download", download)
    return asked


@pytest.mark.parametrize("languages", [None, ("en", "fr"), ("fr", "en")])
def test_kde4_comes_in_the_order_asked_for(opus, languages):
    splits = load_data("opus/kde4", "translations", languages=languages)
    assert len(opus) == 1
    assert opus[0].endswith("/en-fr.txt.zip")
    rows = [tuple(row.values()) for split in splits.values() for row in split]
    expected = [("File", "Fichier"), ("Open… 😀", "Ouvrir…"), ("\u2028", "x")]
    assert sorted(rows) == sorted(expected if languages != ("fr", "en") else [pair[::-1] for pair in expected])
    assert splits["train"].column_names == ["source", "target"]


def test_the_address_of_a_pair_is_sorted(opus):
    complaint(load_data, "opus/kde4", "translations", languages=("sv", "de"))
    assert opus[0].endswith("/de-sv.txt.zip")


def test_a_missing_language_lists_those_there(tmp_path):
    message = complaint(read_file, moses(tmp_path / "a.zip", en="a\n", fr="b\n"), languages=("en", "de"))
    assert "'de'" in message
    assert "en, fr" in message
    assert "README" not in message


def test_sides_of_different_lengths_name_both(tmp_path):
    message = complaint(read_file, moses(tmp_path / "a.zip", en="a\nb\n", fr="c\n"), languages=("en", "fr"))
    assert "2 lines of en" in message
    assert "1 lines of fr" in message


@pytest.mark.parametrize(("en", "fr"), [("a\nb\n", "c\nd\n"), ("a\nb", "c\nd\n"), ("a\r\nb\r\n", "c\r\nd\r\n")])
def test_line_ends_are_not_part_of_the_text(tmp_path, en, fr):
    table = read_file(moses(tmp_path / "a.zip", en=en, fr=fr), languages=("en", "fr"))
    assert table.to_pydict() == {"source": ["a", "b"], "target": ["c", "d"]}


def test_an_archive_that_is_none_is_named(tmp_path):
    path = write(tmp_path / "a.zip", "<html>not found</html>")
    assert str(path) in complaint(read_file, path, languages=("en", "fr"))
    path = moses(tmp_path / "b.zip", en=b"caf\xe9\n", fr="b\n")
    assert "UTF-8" in complaint(read_file, path, languages=("en", "fr"))


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA], ids=str)
def test_one_changed_byte_is_no_traceback(tmp_path, kind):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.writestr("KDE4.en", "File\nOpen\n" * 9)
        archive.writestr("KDE4.fr", "Fichier\nOuvrir\n" * 9)
    whole, content = read_file(path, languages=("en", "fr")), path.read_bytes()
    refused = 0
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            assert read_file(path, languages=("en", "fr")) == whole, "a byte that does not matter"
        except CourseError as error:
            refused += 1
            assert str(path) in str(error)
    assert refused > len(content) // 3


def test_an_encrypted_member_is_named(tmp_path):
    path = moses(tmp_path / "a.zip", en="a\n", fr="b\n")
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):  # the flags of a member, here and in the directory
        for match in re.finditer(re.escape(mark), bytes(content)):
            content[match.start() + offset] |= 1
    path.write_bytes(content)
    message = complaint(read_file, path, languages=("en", "fr"))
    assert str(path) in message
    assert "password" in message


class NotFound(Exception):
    "What aiohttp raises for an answer with a bad status, as the cause of fsspec's FileNotFoundError."

    def __init__(self, status):
        super().__init__(status)
        self.status = status


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (NotFound(404), "no pair ('xx', 'de')"),
        (NotFound(503), "in trouble (503)"),
        (ConnectionRefusedError(111, "Connect call failed"), "Check the connection"),
        (TimeoutError(), "Check the connection"),
    ],
)
def test_a_pair_that_opus_lacks_is_told_from_a_lost_connection(monkeypatch, cause, words):
    def download(self, url):
        raise FileNotFoundError(url) from cause

    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr(datasets.DownloadManager, "download", download)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert words in complaint(load_data, "opus/kde4", "translations", languages=("xx", "de"))


def test_kde4_offline_gives_the_remedy(monkeypatch):
    def download(self, url):
        raise ConnectionError("Offline mode is enabled.")

    monkeypatch.setattr(datasets.DownloadManager, "download", download)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    message = complaint(load_data, "opus/kde4", "translations")
    assert "offline" in message
    assert "dataset=PATH" in message


# pairs of files, nested translations, catalogs


def moses_folder(folder, **files):
    for name, text in files.items():
        stem, _, language = name.rpartition("_")
        write(folder / f"{stem}.{language}", text)
    return folder


@pytest.mark.parametrize("languages", [("en", "fr"), ("fr", "en"), "en,fr", None])
def test_a_pair_of_files_is_a_data_set(tmp_path, languages):
    moses_folder(tmp_path, corpus_en="a\nZoë 😀\n\u2028\n", corpus_fr="x\r\ny\r\nz", corpus_de="1\n")
    write(tmp_path / "README", "read me")
    rows = [
        tuple(row.values())
        for data in load_data(tmp_path, "translations", languages=languages).values()
        for row in data
    ]
    expected = [("a", "x"), ("Zoë 😀", "y"), ("\u2028", "z")]
    assert sorted(rows) == sorted(expected if languages != ("fr", "en") else [pair[::-1] for pair in expected])


@pytest.mark.parametrize("name", ["train", "train.en-fr", "training"])
def test_pairs_of_files_may_be_named_by_split(tmp_path, name):
    moses_folder(tmp_path, other_en="no\n", other_fr="no\n", dev_en="v\n", dev_fr="w\n")
    write(tmp_path / f"{name}.en", "a\nb\n")
    write(tmp_path / f"{name}.fr", "x\ny\n")
    found = load_data(tmp_path, "translations")
    assert {split: rows["target"][:] for split, rows in found.items()} == {"train": ["x", "y"], "validation": ["w"]}


def test_a_pair_of_validation_files_is_not_training_data(tmp_path):
    moses_folder(tmp_path, corpus_en="a\n", corpus_fr="x\n", valid_en="v\n", valid_fr="w\n")
    found = load_data(tmp_path, "translations")
    assert {split: rows["target"][:] for split, rows in found.items()} == {"train": ["x"], "validation": ["w"]}


def test_a_pair_of_different_lengths_names_both_numbers(tmp_path):
    moses_folder(tmp_path, corpus_en="a\nb\nc\n", corpus_de="x\ny\n")
    message = complaint(load_data, tmp_path, "translations", languages="de,en")
    assert "2 lines of de and 3 lines of en" in message


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"train_en": "a\n"}, "train.fr"),
        ({"one_en": "a\n", "one_fr": "x\n", "two_en": "a\n", "two_fr": "x\n"}, "no train split"),
        ({"corpus_en": "a\n", "corpus_de": "x\n"}, "no train split"),
        ({"corpus_en": "", "corpus_fr": ""}, "is empty"),
        ({"corpus_en": b"caf\xe9\n", "corpus_fr": "x\n"}, "UTF-8"),
    ],
)
def test_a_folder_without_a_pair_says_so(tmp_path, files, words):
    assert words in complaint(load_data, moses_folder(tmp_path, **files), "translations")


@pytest.mark.parametrize("languages", ["en", "en,fr,de", ("en", "en"), "en,"])
def test_languages_are_two_codes(languages):
    assert "languages=" in complaint(load_data, "opus/kde4", "translations", languages=languages)


def test_a_zip_of_ones_own_is_read_like_that_of_opus(tmp_path):
    path = moses(tmp_path / "en-fr.txt.zip", en="a\nb\n", fr="x\ny\n")
    found = load_data(path, "translations", languages="fr,en")
    assert sorted(text for rows in found.values() for text in rows["source"]) == ["x", "y"]
    assert "'de'" in complaint(load_data, path, "translations", languages="en,de")


@pytest.mark.parametrize("nested", [True, False])
def test_translations_may_be_nested_or_columns_by_language(tmp_path, nested):
    pairs = [{"en": f"e{number}", "fr": f"f{number}", "de": f"d{number}"} for number in range(10)]
    rows = [{"id": "", "translation": pair} if nested else pair for pair in pairs]
    path = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    for languages, letters in ((None, "ef"), ("fr,en", "fe"), (("de", "en"), "de")):
        found = [row for data in load_data(path, "translations", languages=languages).values() for row in data]
        assert sorted(row["source"] for row in found) == [f"{letters[0]}{number}" for number in range(10)]
        assert all(row["source"][1:] == row["target"][1:] and row["target"][0] == letters[1] for row in found)
    message = complaint(load_data, path, "translations", languages="en,sv")
    assert "sv" in message or "'source'" in message


def test_nested_translations_with_a_gap_name_the_row(tmp_path):
    path = write(tmp_path / "a.jsonl", '{"translation": {"en": "a", "fr": "b"}}\n{"translation": {"en": "c"}}\n')
    assert "row 1" in complaint(load_data, path, "translations")


def test_columns_named_source_and_target_stay(tmp_path):
    path = write(tmp_path / "a.csv", "source,target\na,b\nc,d\n")
    rows = [row for data in load_data(path, "translations").values() for row in data]
    assert sorted(rows, key=str) == [{"source": "a", "target": "b"}, {"source": "c", "target": "d"}]
    path = write(tmp_path / "b.csv", "en,fr,left,right\na,b,c,d\na,b,e,f\n")
    named = load_data(path, "translations", columns="source:left,target:right")
    assert {row["target"] for rows in named.values() for row in rows} == {"d", "f"}
    assert "it has text" in complaint(load_data, write(tmp_path / "c.csv", "text\na\n"), "translations")


MESSAGE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(str.strip)


@settings(max_examples=80, deadline=None)
@given(
    entries=st.dictionaries(
        st.tuples(MESSAGE, st.none() | MESSAGE.filter(lambda text: "\x04" not in text)),
        st.tuples(MESSAGE | st.just(""), st.booleans(), st.none() | MESSAGE),
        max_size=6,
    )
)
def test_catalogs_read_as_they_were_written(tmp_path_factory, entries):
    folder, catalog, expected = tmp_path_factory.mktemp("catalog"), Catalog(locale="fr"), []
    for (message, context), (translation, fuzzy, plural) in entries.items():
        plural = plural if translation else None  # babel fills in an empty first form when it compiles
        forms = (translation, plural and f"{plural}s") if plural else translation
        key = (message, f"{message}s") if plural else message
        catalog.add(key, forms, context=context, flags=["fuzzy"] if fuzzy else [])
        if translation and not fuzzy:
            expected.append({"source": message, "target": translation, "context": context or ""})
    catalog.obsolete["gone"] = catalog.add("gone", "parti")
    catalog.delete("gone")
    with open(folder / "a.po", "wb") as file:
        pofile.write_po(file, catalog)
    with open(folder / "a.mo", "wb") as file:
        mofile.write_mo(file, catalog)
    for name in ("a.po", "a.mo"):
        assert sorted(read_file(folder / name).to_pylist(), key=str) == sorted(expected, key=str)


def test_obsolete_and_fuzzy_entries_are_passed_over(tmp_path):
    path = write(
        tmp_path / "a.po",
        b'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=ISO-8859-1\\n"\n\n'
        + 'msgid "Keep %(name)s & {x}"\nmsgstr "Gardé %(name)s & {x}"\n\n'.encode("latin-1")
        + b'#, fuzzy\nmsgid "Guess"\nmsgstr "Devinette"\n\nmsgid "None"\nmsgstr ""\n\n#~ msgid "Old"\n#~ msgstr "Vieux"\n',
    )
    assert read_file(path).to_pylist() == [
        {"source": "Keep %(name)s & {x}", "target": "Gardé %(name)s & {x}", "context": ""}
    ]


HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
DATE = "POT-Creation-Date"


@pytest.mark.parametrize(
    "line",
    [
        "",
        *(f"{DATE}: 2020", f"{DATE}: yesterday", "PO-Revision-Date: 2020-01-31", f"{DATE}: 2020-01-31 10:00+01:00"),
        *("Language: tlh", "Language: pl", "Plural-Forms: nplurals=3; plural=0;"),
    ],
)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_header_of_a_catalog_may_hold_any_date(tmp_path, line, mark):
    plural = "".join(f'msgstr[{form}] "é{form}"\n' for form in range(2))
    header = HEADER + (f'"{line}\\n"\n' if line else "")
    content = f'{mark}{header}\nmsgid "one"\nmsgid_plural "ones"\n{plural}\nmsgid "{DATE}: 2020"\nmsgstr "{line}x"\n'
    assert [(row["source"], row["target"]) for row in read_file(write(tmp_path / "a.po", content)).to_pylist()] == [
        ("one", "é0"),
        (f"{DATE}: 2020", f"{line}x"),
    ]


@pytest.mark.parametrize("name", ["a.mo", "a.po"])
@pytest.mark.parametrize(
    "content", [b"no catalog", b"", b"\xde\x12\x04\x95", b'msgid "open\nmsgstr 3\n', b"\xff\xfe\0"]
)
def test_what_is_no_catalog_is_named(tmp_path, name, content):
    path = write(tmp_path / name, content)
    assert str(path) in complaint(load_data, path, "translations")


def test_the_fingerprint_depends_on_the_content_alone(tmp_path):
    path = numbered(tmp_path / "a.csv", 30)
    prints = [load_data(path, "texts", seed=seed)["train"]._fingerprint for seed in (0, 0, 1)]
    assert prints[0] == prints[1] != prints[2]
    code = f"from course_lib.data import load_data; print(load_data({str(path)!r}, 'texts')['train']._fingerprint)"
    assert printed_by(code) == prints[0]


def test_a_hub_data_set_gives_the_test_split_alone(hub):
    assert load_data("me/no-train", "texts", splits=("test",))["test"].num_rows == 20
    assert [call[2] for call in hub] == ["test"]


def test_imdb_has_its_test_split_once(hub):
    found = load_data("stanfordnlp/imdb", "texts", splits=("train", "validation", "test"))
    assert {split: rows.num_rows for split, rows in found.items()} == {"train": 11, "validation": 1, "test": 8}


# real data, where this checkout has it


@pytest.mark.skipif(not (SHARED / "mrpc").is_dir(), reason="needs the sample data beside the checkout")
def test_the_real_mrpc_is_read_as_the_standard_library_does():
    splits = load_data(SHARED / "mrpc", "pairs")
    for split, rows in splits.items():
        naive = read_csv_naively(SHARED / "mrpc" / f"{split}.csv")
        for name in ("sentence1", "sentence2"):
            assert rows[name][:] == [row[name] for row in naive]
        assert rows["label"][:] == [int(row["label"]) for row in naive]


@pytest.mark.skipif(not (SHARED / "kde4").is_dir(), reason="needs the sample data beside the checkout")
def test_the_real_kde4_is_read_as_the_standard_library_does():
    path = SHARED / "kde4" / "validation.jsonl"
    naive = [json.loads(line) for line in path.read_bytes().decode("utf-8").split("\n") if line]
    assert read_file(path).to_pylist() == naive


@pytest.mark.skipif(not (SHARED / "kde4").is_dir(), reason="needs the sample data beside the checkout")
@pytest.mark.parametrize("languages", [("en", "fr"), ("fr", "en")])
def test_the_real_kde4_is_nested(languages):
    found = load_data(SHARED / "kde4", "translations", languages=languages)
    for split, rows in found.items():
        lines = (SHARED / "kde4" / f"{split}.jsonl").read_bytes().decode("utf-8").split("\n")
        naive = [json.loads(line)["translation"] for line in lines if line]
        assert rows["source"][:] == [pair[languages[0]] for pair in naive]
        assert rows["target"][:] == [pair[languages[1]] for pair in naive]
