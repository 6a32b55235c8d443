"""The packaged corpora: the records that they have always had, what they promise, and the recipes that wrote them."""

import hashlib
import json
import os
import re
import subprocess
import sys
import sysconfig
from collections import Counter
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from course_lib.data import load_data
from course_lib.profiles import MINI_FOLDER
from course_lib.python_code import path_reason, side_of, text_reason
from recipes.corpora import catalogs, paraphrases, question_words, reviews
from recipes.corpora.__main__ import main
from recipes.corpora.python_files import OTHER_LICENCE, PERMISSIVE, WRITTEN_BY_BUILD
from recipes.corpora.questions import sentences_of
from recipes.corpora.write import check, pack_version
from tools.export import read_settings

ROOT = Path(__file__).parents[1]
SCHEMAS = {"paraphrases": "pairs", "reviews": "texts", "squad": "questions", "squad-v2": "questions", "jupyterlab-fr": "translations", "code": "code"}
DIGESTS = {  # of what load_data gives, noted before the corpora became data, and of all columns in the file
    ("paraphrases", "train"): ("b8b7ad5f3995dad1", "ef10b8d666280240"),
    ("paraphrases", "validation"): ("7c55901cd75b63ee", "acafe6bf3d147f40"),
    ("reviews", "train"): ("d6d6e8341917706b", "c1f59dd230435947"),
    ("reviews", "validation"): ("85e135d85da7c655", "28f936095a37ccab"),
    ("reviews", "unsupervised"): ("61c26182bdd9541c", "61c26182bdd9541c"),
    ("squad", "train"): ("82fad615773d3598", "2efead229901e6c0"),
    ("squad", "validation"): ("9f4916a6d4f66802", "3fca7c950c41cc5d"),
    ("jupyterlab-fr", "train"): ("883309c6da7cc10f", "53a1a52cac34d48d"),
    ("jupyterlab-fr", "validation"): ("786c7be80a4f09ff", "ec0ecd6275b01f4f"),
    ("jupyterlab-fr", "test"): ("6ee3f598f19d2c33", "add78cdbcf89c757"),
}


@lru_cache
def rows_of(name: str, split: str) -> list[dict]:
    return pq.read_table(MINI_FOLDER / name / f"{split}.parquet").to_pylist()


def digest(rows) -> str:
    "Of the records in their order, whatever the order of their columns."
    lines = (json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


# what is in the package


@pytest.mark.parametrize(("name", "split"), DIGESTS)
def test_the_records_are_those_of_the_first_edition(name, split):
    loaded = load_data(f"mini/{name}", SCHEMAS[name], splits=(split,))[split]
    assert (digest(loaded), digest(rows_of(name, split))) == DIGESTS[name, split]


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_corpus_has_small_files_and_a_card(name):
    files = sorted((MINI_FOLDER / name).glob("*.parquet"))
    assert {"train", "validation"} <= {file.stem for file in files}
    assert sum(file.stat().st_size for file in files) <= (5e6 if name == "code" else 0.5e6)
    for file in files:
        assert pq.read_metadata(file).row_group(0).column(0).compression == "ZSTD"
    card = (MINI_FOLDER / name / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlicense: ")
    for file in files:
        assert f"| {file.stem} | {len(rows_of(name, file.stem)):,} |" in card
    assert "How it was made" in card
    assert f"recipes/corpora/{ {'squad': 'questions', 'squad-v2': 'questions', 'jupyterlab-fr': 'catalogs', 'code': 'python_files'}.get(name, name)}.py" in card


# the recipes


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_recipe_writes_the_corpus_again(name):
    if name == "jupyterlab-fr" and pack_version() != catalogs.PACK[1]:
        pytest.skip("needs the language pack that the corpus was made from")
    assert check(name) == []


def test_the_check_sees_one_changed_letter_and_a_missing_file(tmp_path):
    folder = tmp_path / "squad"
    folder.mkdir()
    for file in (MINI_FOLDER / "squad").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    assert check("squad", tmp_path) == []
    table = pq.read_table(folder / "validation.parquet")
    questions = table["question"].to_pylist()
    questions[7] = questions[7][::-1]
    changed = table.set_column(table.column_names.index("question"), "question", [questions])
    pq.write_table(changed.replace_schema_metadata(table.schema.metadata), folder / "validation.parquet")
    assert "other records" in check("squad", tmp_path)[0]
    pq.write_table(table, folder / "validation.parquet", compression="zstd")
    assert "other bytes" in check("squad", tmp_path)[0]
    (folder / "validation.parquet").unlink()
    assert check("squad", tmp_path)


def test_the_command_writes_and_names_what_differs(tmp_path):
    command = [sys.executable, "-m", "recipes.corpora"]
    done = subprocess.run([*command, "squad", "--out", tmp_path], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr.strip()) == (0, "")
    assert {file.name for file in (tmp_path / "squad").iterdir()} == {"README.md", "train.parquet", "validation.parquet"}
    done = subprocess.run([*command, "--language", "xx", "--out", tmp_path], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "'xx'" in done.stderr


# splits without anything in common


def texts_of(name: str, split: str) -> list[str]:
    columns = {"paraphrases": ("sentence1", "sentence2"), "reviews": ("text",), "squad": ("context", "question")}[name]
    return list(dict.fromkeys(row[column] for row in rows_of(name, split) for column in columns))


def normal_sentences(text: str) -> list[str]:
    parts = [" ".join(re.findall(r"[^\W_]+", part.lower())) for part in re.split(r"[.!?](?=\s|$)|<br />|\n", text)]
    return [part for part in parts if part]


@pytest.mark.parametrize("name", ["paraphrases", "reviews", "squad"])
def test_no_sentence_is_in_two_splits(name):
    splits = [file.stem for file in (MINI_FOLDER / name).glob("*.parquet")]
    told = {split: [s for text in texts_of(name, split) for s in normal_sentences(text)] for split in splits}
    if name != "squad":
        assert all(len(set(sentences)) == len(sentences) for sentences in told.values()), "no sentence comes twice"
    for one in splits:
        for other in splits:
            assert one == other or not set(told[one]) & set(told[other])


@pytest.mark.parametrize(
    ("name", "names_of", "least"),
    [("paraphrases", paraphrases.entities_of, 800), ("reviews", reviews.names_of, 500), ("squad", question_words.entities_of, 900)],
)
def test_no_name_of_one_split_is_in_the_other(name, names_of, least):
    words = {split: re.findall(r"\w+", " | ".join(texts_of(name, split))) for split in ("train", "validation")}
    runs = {
        split: {" ".join(found[at : at + size]) for size in (1, 2, 3, 4) for at in range(len(found))}
        for split, found in words.items()
    }
    used = {
        (names, split): {one for one in names_of(names) if " ".join(re.findall(r"\w+", one)) in runs[split]}
        for names in runs
        for split in runs
    }
    assert not used["train", "validation"]
    assert not used["validation", "train"]
    assert len(used["train", "train"]) > least


# worth learning, and not by cheating


def labels(name: str, split: str) -> np.ndarray:
    return np.array([row["label"] for row in rows_of(name, split)])


def bag_of_words(name: str, texts: dict[str, list[str]]) -> float:
    counts = CountVectorizer(binary=True)
    model = LogisticRegression(max_iter=2000, C=0.1).fit(counts.fit_transform(texts["train"]), labels(name, "train"))
    return model.score(counts.transform(texts["validation"]), labels(name, "validation"))


@pytest.mark.parametrize("keys", [("sentence1",), ("sentence2",), ("sentence1", "sentence2")], ids="+".join)
def test_words_alone_do_not_tell_a_paraphrase(keys):
    texts = {s: [" ".join(row[key] for key in keys) for row in rows_of("paraphrases", s)] for s in ("train", "validation")}
    majority = labels("paraphrases", "validation").mean()
    assert 0.66 <= majority <= 0.68
    assert bag_of_words("paraphrases", texts) <= majority + 0.05


def test_an_overlap_of_words_does_not_tell_a_paraphrase():
    def overlap(split):
        for row in rows_of("paraphrases", split):
            one, two = (set(paraphrases.normalise(row[key]).split()) for key in ("sentence1", "sentence2"))
            yield len(one & two) / len(one | two)

    train, validation = (np.array(list(overlap(split))) for split in ("train", "validation"))
    best = max(np.unique(train), key=lambda cut: ((train >= cut) == labels("paraphrases", "train")).mean())
    score = ((validation >= best) == labels("paraphrases", "validation")).mean()
    assert score <= labels("paraphrases", "validation").mean() + 0.05


def test_the_kinds_of_negatives_are_even():
    for rows in paraphrases.build_with_kinds(0, 600, 200).values():
        count = Counter(kind for record, kind in rows if record["label"] == 0)
        assert set(count) == set(paraphrases.NEGATIVE_KINDS)
        assert max(count.values()) - min(count.values()) <= 0.1 * max(count.values()) + 3


def test_words_tell_the_mood_of_a_review_but_not_always():
    assert labels("reviews", "train").mean() == labels("reviews", "validation").mean() == 0.5
    score = bag_of_words("reviews", {split: [r["text"] for r in rows_of("reviews", split)] for split in ("train", "validation")})
    assert 0.75 < score < 1
    assert all(40 <= len(row["text"].replace("<br /><br />", " ").split()) <= 150 for row in rows_of("reviews", "train"))


def test_answers_stand_where_they_say_and_are_whole_words():
    for split, most in (("train", 1), ("validation", 3)):
        rows = rows_of("squad", split)
        assert max(len(row["answers"]["text"]) for row in rows) == most
        assert len({row["id"] for row in rows}) == len({row["question"] for row in rows}) == len(rows)
        for row in rows:
            for text, start in zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True):
                end = start + len(text)
                assert text
                assert row["context"][start:end] == text
                assert not row["context"][:start][-1:].isalnum()
                assert not row["context"][end:][:1].isalnum()
        for row in rows:
            assert row["answers"]["text"][0].lower() not in row["question"].lower()


def test_questions_without_an_answer_are_added_to_those_that_have_one():
    for split in ("train", "validation"):
        rows = rows_of("squad-v2", split)
        assert [row for row in rows if row["answers"]["text"]] == rows_of("squad", split), "in their order"
        assert len({row["id"] for row in rows}) == len({row["question"] for row in rows}) == len(rows)
        assert {row["context"] for row in rows} == {row["context"] for row in rows_of("squad", split)}
        without = [row for row in rows if not row["answers"]["text"]]
        assert 0.25 < len(without) / len(rows) < 0.5
        assert all(row["answers"] == {"text": [], "answer_start": []} for row in without)
        # The text speaks of what is asked about: each name in the question stands in it.
        for row in without:
            for name in re.findall(r"(?<=[a-z] )[A-Z]\w+", row["question"]):
                assert name in row["context"], row["question"]


def test_the_words_of_a_question_hardly_tell_whether_it_has_an_answer():
    rows = {split: rows_of("squad-v2", split) for split in ("train", "validation")}
    words = CountVectorizer(ngram_range=(1, 2), min_df=2).fit(row["question"] for row in rows["train"])
    counts = {split: words.transform(row["question"] for row in those) for split, those in rows.items()}
    has = {split: np.array([bool(row["answers"]["text"]) for row in those]) for split, those in rows.items()}
    guesses = LogisticRegression(C=0.3, max_iter=2000, class_weight="balanced").fit(counts["train"], has["train"])
    right = guesses.predict(counts["validation"]) == has["validation"]
    assert np.mean([right[has["validation"] == side].mean() for side in (True, False)]) < 0.68


def test_answers_of_training_stand_everywhere_and_some_contexts_are_long():
    rows = rows_of("squad", "train")
    places = [row["answers"]["answer_start"][0] / len(row["context"]) for row in rows]
    assert min(Counter(min(int(10 * place), 9) for place in places).values()) > 0.04 * len(rows)
    assert sum(len(context.split()) >= 300 for context in {row["context"] for row in rows}) >= 10
    first = Counter(row["question"].split()[0] for row in rows)
    assert min(first[word] for word in ("Who", "What", "When", "Where", "Which", "How", "In", "Why")) >= 20
    assert all(sentences_of(row["context"]) for row in rows)


# messages

WORDS = ["open", "files", "file", "the", "save", "cell", "cells", "Zoë", "保存", "%1", "&", "3", "delete", "selected"]
MESSAGE = st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join) | st.text(max_size=12)


def naive_groups(sources, targets):
    "Compares each pair of messages, without an index."
    letters, spoken = (["".join(catalogs.letters_of(text)) for text in texts] for texts in (sources, targets))
    sets = [{word.removesuffix("s") or word for word in catalogs.letters_of(text)} for text in sources]

    def one_off(one, other):
        if not (6 <= len(one) <= 120 and 6 <= len(other) <= 120):
            return one == other
        shorter = [{text, *(text[:i] + text[i + 1 :] for i in range(len(text)))} for text in (one, other)]
        return bool(shorter[0] & shorter[1])

    group = list(range(len(sources)))
    for j in range(len(sources)):
        for i in range(j):
            alike = sets[i] and 5 * len(sets[i] & sets[j]) >= 4 * len(sets[i] | sets[j])
            if alike or one_off(letters[i], letters[j]) or spoken[i] == spoken[j]:
                old, new = max(group[i], group[j]), min(group[i], group[j])
                group = [new if number == old else number for number in group]
    return group


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(MESSAGE, MESSAGE), max_size=10))
def test_the_indexes_find_the_near_duplicates_that_comparing_each_pair_finds(pairs):
    sources, targets = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    assert catalogs.group_messages(sources, targets) == naive_groups(sources, targets)


def test_no_message_of_one_split_is_in_another_and_placeholders_are_no_words():
    plain = {
        (split, code): {"".join(catalogs.letters_of(row[code])) for row in rows_of("jupyterlab-fr", split)}
        for split in ("train", "validation", "test")
        for code in ("en", "fr")
    }
    for code in ("en", "fr"):
        for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
            assert not plain[one, code] & plain[other, code]
    assert catalogs.letters_of("&Open %(count)d of {name} <b>now</b>") == ["open", "of", "now"]


def test_another_language_pack_makes_a_data_set(tmp_path, monkeypatch):
    module = tmp_path / "jupyterlab_language_pack_ru_RU"
    folder = module / "locale" / "ru_RU" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (module / "__init__.py").write_text("raise AssertionError('a pack need not be imported')")
    catalog = Catalog(locale="ru_RU")
    for number in range(200):
        word = "".join("abcdefghij"[int(digit)] for digit in str(10**6 + number * 7919))
        catalog.add(word, f"по-русски {word}")
    with open(folder / "jupyterlab.mo", "wb") as file:
        write_mo(file, catalog)
    info = tmp_path / "jupyterlab_language_pack_ru_RU-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: jupyterlab-language-pack-ru-RU\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[jupyterlab.languagepack]\nru_RU = jupyterlab_language_pack_ru_RU\n")
    command = [sys.executable, "-m", "recipes.corpora", "--language", "ru", "--out", tmp_path / "messages"]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    subprocess.run(command, cwd=ROOT, check=True)
    found = load_data(tmp_path / "messages", "translations", languages="en,ru", splits=("train", "validation", "test"))
    rows = [row for split in found.values() for row in split]
    assert len(rows) == 200
    assert all(row["target"] == f"по-русски {row['source']}" for row in rows)
    by_path = load_data(folder / "jupyterlab.mo", "translations")
    assert sum(len(split) for split in by_path.values()) == 200


def test_the_language_pack_is_a_requirement_of_its_recipe_alone():
    needing = [key for key, value in read_settings().items() if "language-pack" in value]
    assert needing == ["corpora_requirements"]
    assert read_settings()["corpora_requirements"].strip() == "==".join(catalogs.PACK)


def test_the_check_without_the_language_pack_says_so_and_goes_on(monkeypatch, capsys):
    monkeypatch.setattr("recipes.corpora.__main__.pack_version", lambda: None)
    monkeypatch.setattr(sys, "argv", ["corpora", "--check", "jupyterlab-fr", "paraphrases"])
    assert main() == 0
    said = capsys.readouterr()
    assert said.out == f"jupyterlab-fr: not checked, for {' '.join(catalogs.PACK)} is not here. Run pip install -e '.[corpora]'.\n"
    assert said.err.strip() == ""


# code


def test_code_is_split_by_package_and_the_splits_are_those_of_the_packaged_model():
    for split in ("train", "validation"):
        packages = {row["package"] for row in rows_of("code", split)}
        assert {side_of(package) for package in packages} == {split}
        assert "course-lib" not in packages
    assert {"python", "pandas", "scikit-learn", "matplotlib", "seaborn"} <= {row["package"] for row in rows_of("code", "train")}
    assert 1_500 <= sum(len(rows_of("code", split)) for split in ("train", "validation")) <= 2_000


def test_every_file_of_code_may_be_passed_on():
    rows = [row for split in ("train", "validation") for row in rows_of("code", split)]
    card = (MINI_FOLDER / "code" / "README.md").read_text(encoding="utf-8")
    texts = (MINI_FOLDER / "code" / "LICENSES.txt").read_text(encoding="utf-8")
    named = {name for line in re.findall(r"=\n(.+)\n=", texts) for name in line.split(", ")}
    for package, version, licence in {(row["package"], row["version"], row["licence"]) for row in rows}:
        assert PERMISSIVE.fullmatch(licence)
        assert f"| {package} | {version} | {licence} |" in card
        assert package in named
    assert not [row["path"] for row in rows if OTHER_LICENCE.search(row["content"])]


@pytest.mark.parametrize("licence", ["GPL-3.0", "MPL-2.0", "LGPL-2.1", "MIT AND MPL-2.0", "", "Proprietary"])
def test_a_licence_that_is_not_permissive_is_refused(licence):
    assert not PERMISSIVE.fullmatch(licence)


def test_code_holds_each_text_once_and_files_with_and_without_data_analysis():
    texts = [row["content"] for split in ("train", "validation") for row in rows_of("code", split)]
    assert len(set(texts)) == len(texts)
    assert not any(text_reason(text) for text in texts)
    paths = [row["path"] for split in ("train", "validation") for row in rows_of("code", split)]
    assert not [path for path in paths if path_reason(path) or WRITTEN_BY_BUILD.search(path)]
    here = (sys.base_prefix, sysconfig.get_path("purelib"))
    assert not [text[:200] for text in texts for path in here if len(path) > 5 and path in text]
    for split in ("train", "validation"):
        with_data = [re.search("pandas|sklearn|matplotlib|seaborn", row["content"]) for row in rows_of("code", split)]
        assert 0.1 < np.mean([found is not None for found in with_data]) < 0.5


def test_few_lines_of_validation_code_are_in_training():
    lines = {}
    for split in ("train", "validation"):
        found = (line.strip() for row in rows_of("code", split) for line in row["content"].split("\n"))
        lines[split] = {line for line in found if len(line) >= 40}
    assert len(lines["train"] & lines["validation"]) < 0.03 * len(lines["validation"])
