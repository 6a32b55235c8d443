"""`course_lib.corpora.catalogs`: packs made up on the spot, the installed ones, and grouping against the naive way."""

import re
from collections import Counter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from hypothesis import given, settings
from hypothesis import strategies as st
from interpreters import printed_under_hash_seeds

from course_lib.corpora import catalogs
from course_lib.corpora.catalogs import (
    PLACEHOLDER,
    SHARES,
    Groups,
    build_catalogs,
    clean,
    deletions,
    find_pack,
    group_messages,
    installed_packs,
    letters_of,
    read_pack,
    side_of,
    similar_sets,
)
from course_lib.data import DataError, load_data

INSTALLED = installed_packs()
WORDS = ["open", "files", "file", "the", "save", "cell", "cells", "Zoë", "保存", "%1", "&", "3", "delete", "selected"]
MESSAGE = st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join) | st.text(max_size=12)


@pytest.fixture
def packs(tmp_path, monkeypatch):
    "Writes a language pack and makes it the installed one, beside those written before."

    def write(locale, messages, stem="jupyterlab"):
        module = f"jupyterlab_language_pack_{locale}"
        folder = tmp_path / module / "locale" / locale / "LC_MESSAGES"
        folder.mkdir(parents=True, exist_ok=True)
        (tmp_path / module / "__init__.py").write_text("raise AssertionError('a pack need not be imported')")
        catalog = Catalog(locale=locale)
        for message, translation, *context in messages:
            catalog.add(message, translation, context=context[0] if context else None)
        with open(folder / f"{stem}.mo", "wb") as file:
            write_mo(file, catalog)
        info = tmp_path / f"{module}-1.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[jupyterlab.languagepack]\n{locale} = {module}\n")

    original = catalogs.importlib.metadata.entry_points

    def entry_points(**options):
        found = original(**options)
        if options != {"group": "jupyterlab.languagepack"}:
            return found  # other libraries look for entry points too
        return [entry for entry in found if str(tmp_path) in str(entry.dist.locate_file(""))]

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(catalogs.importlib.metadata, "entry_points", entry_points)
    return write


def naive_groups(sources, targets=None):
    "Compares each pair of messages, without an index."
    letters = ["".join(letters_of(text)) for text in sources]
    sets = [{word[:-1] if word.endswith("s") and len(word) > 1 else word for word in letters_of(t)} for t in sources]

    def one_off(one, other):
        if one == other:
            return True
        if not (6 <= len(one) <= 120 and 6 <= len(other) <= 120):
            return False
        shorter = [{text, *(text[:i] + text[i + 1 :] for i in range(len(text)))} for text in (one, other)]
        return bool(shorter[0] & shorter[1])

    group = list(range(len(sources)))
    for j in range(len(sources)):
        for i in range(j):
            alike = sets[i] and sets[j] and len(sets[i] & sets[j]) / len(sets[i] | sets[j]) >= 0.8 - 1e-12
            same = (
                targets is not None
                and letters_of(targets[i])
                and "".join(letters_of(targets[i])) == "".join(letters_of(targets[j]))
            )
            empty = targets is not None and not letters_of(targets[i]) and not letters_of(targets[j])
            if alike or one_off(letters[i], letters[j]) or same or empty:
                old, new = max(group[i], group[j]), min(group[i], group[j])
                group = [new if number == old else number for number in group]
    return group


# grouping


@settings(max_examples=150, deadline=None)
@given(st.lists(MESSAGE, max_size=14))
def test_the_indexes_find_what_comparing_each_pair_finds(sources):
    assert group_messages(sources) == naive_groups(sources)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(MESSAGE, MESSAGE), max_size=10))
def test_equal_translations_join_their_sources(pairs):
    sources, targets = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    assert group_messages(sources, targets) == naive_groups(sources, targets)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.frozensets(st.sampled_from("abcdefghijkl"), max_size=11), max_size=12))
def test_similar_sets_are_those_that_share_four_fifths(sets):
    expected = {
        (i, j)
        for j in range(len(sets))
        for i in range(j)
        if sets[i] and 5 * len(sets[i] & sets[j]) >= 4 * len(sets[i] | sets[j])
    }
    found = similar_sets(sets)
    assert {tuple(sorted(pair)) for pair in found} == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("Open &File…", "open file", True),
        ("Close %1", "Close %(name)s!", True),
        ("Close 3 tabs", "Close {count} tabs", True),
        ("Delete Cell", "Delete Cells", True),
        ("Selected cell", "Cell selected", True),
        ("Colour scheme", "Color scheme", True),
        ("Zoë e\u0301te\u0301 ouvert", "zoë été ouvert", True),
        ("Save the notebook now please", "Save the notebook now", True),
        ("保存文件", "保存文件。", True),
        ("Cut", "Cat", False),
        ("Open File", "Open Folder", False),
        ("Save the notebook", "Close the notebook", False),
        ("", "Open", False),
    ],
)
def test_what_counts_as_nearly_the_same(one, other, together):
    first, second = group_messages([one, other])
    assert (first == second) is together


def test_being_alike_is_passed_on():
    sources = ["Rename files", "Something else", "Rename file", "Rename the tile", "Rename tile"]
    assert group_messages(sources) == [0, 1, 0, 3, 0]
    groups = Groups(6)
    for one, other in ((4, 5), (1, 2), (2, 4)):
        groups.join(one, other)
    assert [groups.find(position) for position in range(6)] == [0, 1, 1, 3, 1, 1]


def test_grouping_many_messages_is_not_quadratic(monkeypatch):
    compared = []
    monkeypatch.setattr(catalogs, "frozenset", lambda words: Counting(words, compared), raising=False)
    count = 5_000
    sources = [f"{word_of(i)} the {word_of(i * 7 + 1)} of the {word_of(i * 13 + 5)} cell" for i in range(count)]
    assert len(group_messages(sources)) == count
    assert len(compared) < 20 * count


def word_of(number):
    "A made-up word for each number."
    return "".join("abcdefghij"[int(digit)] for digit in str(10**6 + number * 7919))


class Counting(frozenset):
    "A set that notes each intersection."

    def __new__(cls, words, log):
        made = super().__new__(cls, words)
        made.log = log
        return made

    def __and__(self, other):
        self.log.append(1)
        return frozenset.__and__(self, other)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("&Open %1", ["open"]),
        ("_Save as…", ["save", "as"]),
        ("%(count)d of %(total)s", ["of"]),
        ("%1$s of %5.2f", ["of"]),
        ("{name}: {{other}} ${third}", []),
        ("<b>Bold</b>", ["bold"]),
        ("100% done", ["done"]),
        ("50% of files", ["of", "files"]),
        ("", []),
        ("😀", []),
    ],
)
def test_placeholders_and_accelerators_are_no_words(text, words):
    assert letters_of(text) == words


def test_deletions():
    assert deletions("abcdef") == {"abcdef", "bcdef", "acdef", "abdef", "abcef", "abcdf", "abcde"}
    assert deletions("abc") == {"abc"}
    assert deletions("a" * 121) == {"a" * 121}


# packs


def test_a_pack_is_read_without_importing_it(packs):
    packs("fr_FR", [("Open", "Ouvrir"), ("Open", "Ouverte", "state"), ("", ""), ("Later", "")])
    packs("fr_FR", [(("%1 file", "%1 files"), ("%1 fichier", "%1 fichiers"))], stem="git")
    locale, folder = find_pack("fr")
    assert locale == "fr-FR"
    assert sorted(read_pack(folder), key=str) == sorted(
        [
            {"source": "%1 file", "target": "%1 fichier", "context": "", "catalog": "git"},
            {"source": "Open", "target": "Ouvrir", "context": "", "catalog": "jupyterlab"},
            {"source": "Open", "target": "Ouverte", "context": "state", "catalog": "jupyterlab"},
        ],
        key=str,
    )


@pytest.mark.parametrize("name", ["zh-CN", "zh_CN", "zh-cn", "ZH_cn"])
def test_a_full_code_may_be_written_in_several_ways(packs, name):
    packs("zh_CN", [("Open", "打开")])
    packs("zh_TW", [("Open", "開啟")])
    assert find_pack(name)[0] == "zh-CN"


def test_an_ambiguous_code_lists_what_fits(packs):
    packs("zh_CN", [("Open", "打开")])
    packs("zh_TW", [("Open", "開啟")])
    with pytest.raises(DataError, match=r"zh-CN or zh-TW.*jupyterlab-zh-CN, jupyterlab-zh-TW"):
        find_pack("zh")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("de", "pip install jupyterlab-language-pack-de-DE;"),
        ("pt_BR", "pip install jupyterlab-language-pack-pt-BR;"),
        ("zh", "language-pack-zh-CN or pip install jupyterlab-language-pack-zh-TW"),
        ("xx", "no language pack for 'xx'"),
    ],
)
def test_a_missing_pack_names_the_package_and_those_installed(packs, name, words):
    packs("fr_FR", [("Open", "Ouvrir")])
    with pytest.raises(DataError) as info:
        load_data(f"jupyterlab-{name}", "translations")
    assert words in str(info.value)
    assert "jupyterlab-fr-FR" in str(info.value)
    assert "\n" not in str(info.value)


def test_without_any_pack_the_message_says_none(packs):
    with pytest.raises(DataError, match="installed: none"):
        find_pack("fr")


def test_repeated_and_unchanged_pairs_are_dropped():
    def row(source, target, context=""):
        return {"source": source, "target": target, "context": context, "catalog": "a"}

    rows = [row("a", "b"), row("a", "b", "menu"), row("a", "c"), row("Julia", "Julia"), row("x ", "x"), row("", "y")]
    assert clean(rows) == [rows[0], rows[2], rows[5]]


# splits


def test_the_side_of_a_group_is_the_same_everywhere():
    assert [side_of(key) for key in ("Open", "Run", "Edit", "日本")] == ["train", "validation", "test", "test"]
    share = Counter(side_of(str(number)) for number in range(20_000))
    assert all(abs(share[split] / 20_000 - SHARES[split]) < 0.01 for split in SHARES)


def test_messages_of_a_group_share_their_side_and_stay_there(packs):
    messages = [(f"{word_of(i)} {word_of(i + 1)}", f"traduit {word_of(i)} fois") for i in range(400)]
    doubled = messages + [(f"{source} %1!", f"{target} %1") for source, target in messages]
    packs("fr_FR", messages)
    alone = {row["source"]: split for split, rows in build_catalogs("fr").items() for row in rows}
    packs("fr_FR", doubled)
    both = {row["source"]: split for split, rows in build_catalogs("fr").items() for row in rows}
    assert len(alone) == 400
    assert len(both) == 800
    assert all(both[source] == split == both[f"{source} %1!"] for source, split in alone.items())


@pytest.mark.parametrize("languages", [None, ("en", "fr"), "en,fr", ("en", "fr-FR"), ("EN", "fr_FR")])
def test_languages_that_fit_the_pack(packs, languages):
    packs("fr_FR", [(word_of(i), f"t{word_of(i)}") for i in range(60)])
    rows = [row for data in load_data("jupyterlab-fr", "translations", languages=languages).values() for row in data]
    assert rows
    assert all(row["target"] == f"t{row['source']}" for row in rows)


def test_the_other_direction(packs):
    packs("fr_FR", [(word_of(i), f"t{word_of(i)}") for i in range(60)])
    there = build_catalogs("fr")
    back = build_catalogs("fr", ("fr", "en"))
    for split, rows in there.items():
        assert [(row["target"], row["source"]) for row in rows] == [(r["source"], r["target"]) for r in back[split]]


@pytest.mark.parametrize("languages", [("en", "ru"), ("ru", "fr"), ("de", "en"), ("fr", "fr-FR")])
def test_languages_that_do_not_fit_are_an_error(packs, languages):
    packs("fr_FR", [("Open", "Ouvrir")])
    with pytest.raises(DataError, match=re.escape(",".join(languages)) + ".*languages=en,fr or fr,en"):
        load_data("jupyterlab-fr", "translations", languages=languages)


# the packs that are installed here


@pytest.mark.parametrize("locale", ["fr-FR", "ru-RU"])
def test_an_installed_pack_makes_an_honest_corpus(locale):
    if locale not in INSTALLED:
        pytest.skip(f"needs jupyterlab-language-pack-{locale}")
    corpus = build_catalogs(locale)
    every = [(row["source"], row["target"]) for rows in corpus.values() for row in rows]
    assert len(every) > 2_000
    assert len(set(every)) == len(every)
    assert all(source.strip() and target.strip() and source != target for source, target in every)
    assert not any("\x04" in text for pair in every for text in pair)
    for split, share in SHARES.items():
        assert abs(len(corpus[split]) / len(every) - share) < 0.05
    plain = {split: {"".join(letters_of(row["source"])) for row in rows} for split, rows in corpus.items()}
    spoken = {split: {"".join(letters_of(row["target"])) for row in rows} for split, rows in corpus.items()}
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        assert not plain[one] & plain[other]
        assert not spoken[one] & spoken[other]
    assert sum(bool(PLACEHOLDER.search(source)) for source, _ in every) > 0.05 * len(every)


@pytest.mark.skipif("fr-FR" not in INSTALLED, reason="needs jupyterlab-language-pack-fr-FR")
def test_the_french_corpus_does_not_depend_on_hash_order_and_opens_no_socket():
    code = (
        "import socket, zlib\n"
        "def refuse(*a, **k): raise AssertionError('a socket')\n"
        "socket.socket = socket.create_connection = refuse\n"
        "from course_lib.corpora.catalogs import build_catalogs\n"
        "print(zlib.crc32(repr(build_catalogs('fr')).encode()))"
    )
    assert len(printed_under_hash_seeds(code)) == 1


@pytest.mark.skipif("fr-FR" not in INSTALLED, reason="needs jupyterlab-language-pack-fr-FR")
def test_load_data_gives_three_splits():
    splits = load_data("jupyterlab-fr", "translations", splits=("train", "validation", "test"), train_size=100)
    assert splits["train"].num_rows == 100
    assert 200 < splits["test"].num_rows < 400
    assert all(rows.column_names == ["source", "target"] for rows in splits.values())
