"""`course_lib.files`: several files for a split, quotes, JSON in all its forms, packed files, plain text, saved folders."""

import gzip
import json
from functools import partial

import pyarrow as pa
import pytest
from complaints import complaint_of
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value
from pyarrow import parquet

from course_lib.data import load_data
from course_lib.files import find_split, read_file
from course_lib.profiles import CourseError

complaint = partial(complaint_of, CourseError)


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def texts(*rows):
    return "text\n" + "".join(f"{row}\n" for row in rows)


# a split in several files


@pytest.mark.parametrize(
    "names",
    [
        ["train_1.csv", "train_2.csv", "train_3.csv"],
        ["train8.csv", "train9.csv", "train10.csv"],
        ["train-part-08.csv", "train-part-09.csv", "train-part-10.csv"],
        [f"train-{part:04}-of-0003.csv" for part in range(3)],
        [f"train-{part:05}-of-00003.csv.gz" for part in (1, 2, 3)],
        [f"train-{part:05}-of-00003-{part * 7:x}09b74b3ef9c3b5{part}.csv" for part in range(3)],
        ["training_1.csv", "training_2.csv", "training_3.csv"],
        ["Train_0.CSV", "train_1.csv", "TRAIN_2.csv"],
    ],
)
def test_all_parts_of_a_split_are_read_in_the_order_of_their_numbers(tmp_path, names):
    for part, name in enumerate(names):
        content = texts(f"{part}a", f"{part}b").encode()
        write(tmp_path / name, gzip.compress(content) if name.endswith("gz") else content)
    for part in (1, 2):
        write(tmp_path / f"dev_{part}.csv", texts(f"held out {part}"))
    found = load_data(tmp_path, "texts")
    assert found["train"]["text"][:] == [f"{part}{letter}" for part in range(3) for letter in "ab"]
    assert found["validation"]["text"][:] == ["held out 1", "held out 2"]


@pytest.mark.parametrize(
    "names",
    [
        ["train_a.csv", "train_b.csv"],
        ["train.csv", "train.jsonl"],
        ["train.csv", "train.csv.gz"],
        ["train.csv", "train_2.csv"],
        ["train_1.csv", "train_3.csv"],
        ["train_01.csv", "train_1.csv"],
        ["train_1.csv", "train_2.jsonl"],
        ["train-v1.1.json", "train-v2.0.json"],
        ["train-00000-of-00003.csv", "train-00002-of-00003.csv"],
        ["train-00000-of-00002.csv"],
        ["train-00000-of-00001.csv", "train-00000-of-00002.csv"],
    ],
)
def test_files_that_contradict_each_other_are_named(tmp_path, names):
    for name in names:
        write(tmp_path / name, texts("a", "b"))
    message = complaint(load_data, tmp_path, "texts")
    assert all(name in message for name in names)
    assert str(tmp_path) in message


def test_a_file_with_the_very_name_needs_no_other(tmp_path):
    for name in ("train.csv", "train-old.csv", "train_small.csv", "train-v1.1.csv"):
        write(tmp_path / name, texts(name, "b"))
    assert [path.name for path in find_split(tmp_path, "train")] == ["train.csv"]


def test_parts_of_pairs_are_read(tmp_path):
    for part in (1, 2):
        write(tmp_path / f"train_{part}.en", f"{part}a\n{part}b\n")
        write(tmp_path / f"train_{part}.fr", f"{part}x\n{part}y\n")
    write(tmp_path / "dev.en", "held\n")
    write(tmp_path / "dev.fr", "out\n")
    found = load_data(tmp_path, "translations")["train"]
    assert found.to_dict() == {"source": ["1a", "1b", "2a", "2b"], "target": ["1x", "1y", "2x", "2y"]}


# quotes


@pytest.mark.parametrize("rest", ["row", '"row"'])
def test_a_quote_that_is_never_closed_is_an_error_with_its_line(tmp_path, rest):
    lines = ["label,text", *(f"{number % 2},{rest}" for number in range(1000))]
    lines[6] = '1,"never closed'
    path = write(tmp_path / "train.csv", "\n".join(lines) + "\n")
    message = complaint(read_file, path)
    assert "line 7" in message
    assert "quote" in message
    assert str(path) in message


@pytest.mark.parametrize("field", ['"She said \\"no\\" to me"', '"never" closed"', '"a""'])
def test_quotes_that_csv_does_not_know_are_an_error_with_their_line(tmp_path, field):
    path = write(tmp_path / "train.csv", f'text,label\n"two\nlines",0\n{field},1\nd,0\n')
    assert "line 4" in complaint(read_file, path)


@pytest.mark.parametrize("field", ['5" wide', 'a "b" c', '"a ""b"" c"', "a\\b", '""""'])
def test_other_quotes_are_letters(tmp_path, field):
    path = write(tmp_path / "train.csv", f"text,label\n{field},1\n")
    assert read_file(path)["text"].to_pylist() == [field[1:-1].replace('""', '"') if field[0] == '"' else field]


def test_columns_without_a_name_as_spreadsheets_write_them_do_no_harm(tmp_path):
    path = write(tmp_path / "train.csv", "text,,\na,,\nb,,\n")
    assert sorted(text for data in load_data(path, "texts").values() for text in data["text"]) == ["a", "b"]


# JSON


ROWS = [{"text": f"row {number}", "more": number} for number in range(20)]
FORMS = {
    "lines": "\n".join(map(json.dumps, ROWS)) + "\n",
    "lines with gaps": "\n\n".join(map(json.dumps, ROWS)),
    "array": json.dumps(ROWS),
    "indented array": "\ufeff" + json.dumps(ROWS, indent=2),
}


@pytest.mark.parametrize("form", FORMS)
def test_json_may_be_an_array_or_an_object_per_line(tmp_path, form):
    path = write(tmp_path / "train.json", FORMS[form])
    assert read_file(path).to_pylist() == ROWS
    assert sorted(text for data in load_data(path, "texts").values() for text in data["text"]) == sorted(
        row["text"] for row in ROWS
    )


def test_what_datasets_writes_as_json_is_read(tmp_path):
    Dataset.from_list(ROWS).to_json(tmp_path / "train.json")
    assert read_file(tmp_path / "train.json").to_pylist() == ROWS
    Dataset.from_list(ROWS).to_json(tmp_path / "array.json", lines=False)
    assert read_file(tmp_path / "array.json").to_pylist() == ROWS


def test_a_single_object_is_a_row(tmp_path):
    assert read_file(write(tmp_path / "train.json", '{"text": "a"}')).to_pylist() == [{"text": "a"}]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.jsonl", '{"text": "a", "n": 1}\n\n{"text": "b", "n": "x"}', ("line 3", "'n'")),
        ("a.jsonl", '{"text": "a"}\n{"text": null}\n{"text": 1999}', ("line 3", "'text'")),
        ("a.jsonl", '{"n": 1}\n{"n": 2.5}\n{"n": [3]}', ("line 3", "'n'")),
        ("a.jsonl", '{"n": null}\n{"n": true}\n{"n": "true"}', ("line 3", "'n'")),
        ("a.jsonl", '{"t": {"en": "a"}}\n{"t": {"en": 2}}', ("line 2", "'t'")),
        ("a.jsonl", '{"n": 1}\n[1]', ("line 2",)),
        ("a.json", '[{"n": 1}, {"n": "x"}]', ("row 1", "'n'")),
        ("a.json", '{"n": 1}\n{"n": "x"}\n', ("line 2", "'n'")),
        ("a.json", '{"n": 1}\n{"n": \n', ("line 2",)),
    ],
)
def test_a_value_of_another_type_names_line_and_key(tmp_path, name, content, words):
    message = complaint(read_file, write(tmp_path / name, content))
    assert all(word in message for word in words), message
    assert name in message


# plain text, packed files


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("one\ntwo\nthree\n", ["one", "two", "three"]),
        ("one\r\ntwo", ["one", "two"]),
        ("\ufeffone\n", ["one"]),
        ("one\ntwo\n\nthree\nfour\n", ["one\ntwo", "three\nfour"]),
        ("\n\none\ntwo\n  \n\nthree\n\n", ["one\ntwo", "three"]),
        ("one\n\ntwo\n\nthree\n", ["one", "two", "three"]),
        ("a\n" * 30 + "\n" + "b\n" * 30, ["a"] * 30 + ["b"] * 30),  # a stray blank line makes no paragraphs
        ("a\u2028b\n", ["a\u2028b"]),
    ],
)
def test_of_plain_text_a_line_or_a_paragraph_is_a_text(tmp_path, content, expected):
    assert read_file(write(tmp_path / "a.txt", content))["text"].to_pylist() == expected


@pytest.mark.parametrize("name", ["test-requirements.txt", "train_log.txt", "dev_requirements.txt", "train.results.txt"])
def test_texts_about_a_program_are_no_data(tmp_path, name):
    write(tmp_path / name, "pytest\n")
    assert find_split(tmp_path, "train") == find_split(tmp_path, "validation") == []


def test_chapter_2_reads_plain_text(tmp_path):
    write(tmp_path / "train.txt", "one\ntwo\n")
    write(tmp_path / "valid.txt", "three\n")
    found = load_data(tmp_path, "texts")
    assert {split: data["text"][:] for split, data in found.items()} == {"train": ["one", "two"], "validation": ["three"]}
    assert "empty" in complaint(load_data, write(tmp_path / "none.txt", "\n\n"), "texts")


CONTENTS = {
    ".csv": texts("a", "b"),
    ".tsv": texts("a", "b"),
    ".jsonl": '{"text": "a"}\n{"text": "b"}\n',
    ".json": '[{"text": "a"}, {"text": "b"}]',
    ".txt": "a\nb\n",
    ".po": 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "a"\nmsgstr "b"\n',
}


@pytest.mark.parametrize("line", ['msgid "Two', 'msgstr "Deux', '"and more', 'msgctxt "menu \\"', 'msgstr[0] "a \\" b'])
def test_a_catalog_with_a_quote_that_is_never_closed_is_named(tmp_path, line):
    "Babel would take away the last letter and say nothing."
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    rest = 'msgid "Three \\"x\\" "\n"\\\\"\nmsgstr "Trois"\n'
    assert read_file(write(tmp_path / "good.po", f"{header}{rest}"))["source"].to_pylist() == ['Three "x" \\']
    message = complaint(read_file, write(tmp_path / "bad.po", f"{header}{line}\n{rest}"))
    assert f"{line} has no closing quote" in message
    assert "bad.po" in message


@pytest.mark.parametrize("packed", [".gz", ".bz2", ".GZ"])
@pytest.mark.parametrize("suffix", CONTENTS)
def test_every_format_may_be_packed(tmp_path, suffix, packed):
    plain = write(tmp_path / f"plain{suffix}", CONTENTS[suffix])
    path = tmp_path / f"train{suffix}{packed}"
    with pa.output_stream(str(path), compression={".gz": "gzip", ".bz2": "bz2"}[packed.lower()]) as file:
        file.write(plain.read_bytes())
    assert read_file(path) == read_file(plain)
    assert find_split(tmp_path, "train") == [path]
    schema, columns = ("texts", "text:source") if suffix == ".po" else ("texts", None)
    assert load_data(tmp_path, schema, columns=columns, splits=("train",))["train"].num_rows >= 1


def test_parquet_and_pairs_may_be_packed(tmp_path):
    table = pa.table({"text": ["a", "b"]})
    parquet.write_table(table, tmp_path / "a.parquet")
    write(tmp_path / "a.parquet.gz", gzip.compress((tmp_path / "a.parquet").read_bytes()))
    assert read_file(tmp_path / "a.parquet.gz") == table
    write(tmp_path / "moses" / "corpus.en.gz", gzip.compress(b"a\nb\n"))
    write(tmp_path / "moses" / "corpus.fr.gz", gzip.compress(b"x\ny\n"))
    found = [row for data in load_data(tmp_path / "moses", "translations").values() for row in data]
    assert sorted(map(str, found)) == sorted(map(str, [{"source": "a", "target": "x"}, {"source": "b", "target": "y"}]))


@pytest.mark.parametrize("content", [b"", b"no archive", gzip.compress(b"text\na\n" * 99, mtime=0)[:-20]], ids=["empty", "none", "cut"])
def test_a_packed_file_that_is_damaged_is_named(tmp_path, content):
    path = write(tmp_path / "train.csv.gz", content)
    message = complaint(load_data, path, "texts")
    assert str(path) in message


# what datasets has written


FEATURES = Features({"sentence1": Value("string"), "sentence2": Value("string"), "label": ClassLabel(names=["no", "yes"])})
PAIRS = {"sentence1": ["a"] * 20, "sentence2": ["b"] * 20, "label": [0, 1] * 10}


def test_a_saved_data_set_is_read_with_its_class_names(tmp_path):
    data = Dataset.from_dict(PAIRS, features=FEATURES)
    data.save_to_disk(tmp_path / "one")
    found = load_data(tmp_path / "one", "pairs")
    assert (found["train"].num_rows, found["validation"].num_rows) == (18, 2)
    assert found["train"].features["label"].names == ["no", "yes"]
    chosen = data.shuffle(seed=1).select(range(5))
    DatasetDict(train=chosen, test=data, other=data).save_to_disk(tmp_path / "splits")
    found = load_data(tmp_path / "splits", "pairs")
    assert found["train"]["label"][:] == chosen["label"][:], "chosen rows stay chosen"
    assert found["validation"].num_rows == 20
    assert list(load_data(tmp_path / "splits", "pairs", splits=("other",))) == ["other"]


def test_a_saved_data_set_that_is_damaged_is_named(tmp_path):
    Dataset.from_dict(PAIRS, features=FEATURES).save_to_disk(tmp_path / "one")
    next((tmp_path / "one").glob("*.arrow")).write_bytes(b"")
    assert str(tmp_path / "one") in complaint(load_data, tmp_path / "one", "pairs")


@pytest.mark.parametrize("folder", ["data", "plain_text", "default"])
@pytest.mark.parametrize("mark", ["", "-a09b74b3ef9c3b56"])
def test_a_clone_of_a_data_set_is_read(tmp_path, folder, mark):
    write(tmp_path / "README.md", "---\nlicense: mit\n---\n# A data set\n")
    (tmp_path / folder).mkdir()
    for split, part, count in (("train", 0, 2), ("train", 1, 2), ("validation", 0, 1)):
        path = tmp_path / folder / f"{split}-{part:05}-of-{count:05}{mark}.parquet"
        Dataset.from_dict(PAIRS, features=FEATURES).to_parquet(path)
    for place in (tmp_path, tmp_path / folder):
        found = load_data(place, "pairs")
        assert {split: data.num_rows for split, data in found.items()} == {"train": 40, "validation": 20}
        assert found["train"].features["label"].names == ["no", "yes"]


def test_a_clone_with_several_configurations_says_which(tmp_path):
    configs = ""
    for name in ("mrpc", "rte"):
        (tmp_path / name).mkdir()
        Dataset.from_dict(PAIRS, features=FEATURES).to_parquet(tmp_path / name / "train-00000-of-00001.parquet")
        configs += f"- config_name: {name}\n  data_files:\n  - split: train\n    path: {name}/train-*\n"
    write(tmp_path / "README.md", f"---\nconfigs:\n{configs}---\n")
    assert "'mrpc', 'rte'" in complaint(load_data, tmp_path, "pairs")
    assert load_data(tmp_path / "mrpc", "pairs")["train"].num_rows == 18


def test_a_clone_without_its_large_files_is_told_so(tmp_path):
    write(tmp_path / "README.md", "---\nlicense: mit\n---\n")
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    write(tmp_path / "data" / "train-00000-of-00001.parquet", pointer)
    assert "git lfs pull" in complaint(load_data, tmp_path, "pairs")


def test_python_files_beside_a_readme_stay_code(tmp_path):
    write(tmp_path / "README.md", "# Program\n")
    write(tmp_path / "data" / "train.csv", texts("a", "b"))
    for name in ("test-requirements.txt", "dev.txt"):
        write(tmp_path / name, "pytest\n")
    for number in range(9):
        write(tmp_path / "program" / f"part{number}.py", f"x = {number}\n")
    assert load_data(tmp_path, "code")["train"].num_rows == 8
