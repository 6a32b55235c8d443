"""The corpus `mini/paraphrases`: sizes, labels, splits without overlap, and no way to cheat."""

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interpreters import heavy_imports, printed_under_hash_seeds
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from course_lib.corpora import paraphrases
from course_lib.corpora.paraphrases import (
    NAMES,
    NEGATIVE_KINDS,
    build_paraphrases,
    build_with_kinds,
    entities_of,
    normalise,
)
from course_lib.profiles import CourseError

SEEDS = (0, 1, 2)
TOLERANCE = 0.05


@pytest.fixture(scope="module", params=SEEDS)
def corpus(request):
    return build_paraphrases(request.param)


def sentences(records):
    return [record[key] for record in records for key in ("sentence1", "sentence2")]


def words(text):
    return text.split()


def labels(records):
    return np.array([record["label"] for record in records])


# --- shape -----------------------------------------------------------------------------------------------------------


def test_default_sizes_and_share(corpus):
    assert {split: len(records) for split, records in corpus.items()} == {"train": 7200, "validation": 400}
    for records in corpus.values():
        assert 0.66 <= labels(records).mean() <= 0.68


def test_same_seed_same_records_other_seed_other_records():
    assert build_paraphrases(3, 200, 50) == build_paraphrases(3, 200, 50)
    assert build_paraphrases(3, 200, 50) != build_paraphrases(4, 200, 50)


def test_records_do_not_depend_on_hash_order():
    code = "from course_lib.corpora.paraphrases import build_paraphrases as b; import zlib; print(zlib.crc32(repr(b(0)).encode()))"
    assert len(printed_under_hash_seeds(code)) == 1


def test_module_needs_only_the_standard_library():
    assert not heavy_imports("course_lib.corpora.paraphrases")


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), train=st.integers(0, 60), validation=st.integers(0, 30))
def test_schema_at_any_small_size(seed, train, validation):
    corpus = build_paraphrases(seed, train, validation)
    assert {split: len(records) for split, records in corpus.items()} == {"train": train, "validation": validation}
    for records in corpus.values():
        assert [record["idx"] for record in records] == list(range(len(records)))
        assert sum(record["label"] for record in records) == round(len(records) * 0.67)
        for record in records:
            assert list(record) == ["idx", "sentence1", "sentence2", "label"]
            assert [type(value) for value in record.values()] == [int, str, str, int]
            for key in ("sentence1", "sentence2"):
                text = record[key]
                assert text == text.strip()
                assert text.endswith(".")
                assert not text[0].islower()
                assert not re.search(r"[<>{}\[\]|~@()]|\s\s|\s[,.;]|,,|\.\.", text), text
    every = [normalise(text) for records in corpus.values() for text in sentences(records)]
    assert len(set(every)) == len(every)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"train_size": -1}, "train_size=-1"),
        ({"validation_size": 10**7}, "validation_size=10000000"),
        ({"train_size": 2.5}, "train_size=2.5"),
        ({"train_size": True}, "train_size=True"),
    ],
)
def test_impossible_sizes_name_the_value_and_the_remedy(arguments, named):
    with pytest.raises(CourseError, match=re.escape(named) + ".*Use a whole number from 0 to"):
        build_paraphrases(**arguments)


def test_the_grammar_is_big_enough():
    corpus = build_paraphrases(0, 6000, 1000)
    every = [normalise(text) for records in corpus.values() for text in sentences(records)]
    assert len(set(every)) == len(every) == 14000


# --- splits ----------------------------------------------------------------------------------------------------------


def test_no_sentence_twice_and_none_shared(corpus):
    plain = {split: [normalise(text) for text in sentences(records)] for split, records in corpus.items()}
    for texts in plain.values():
        assert len(set(texts)) == len(texts)
    assert not set(plain["train"]) & set(plain["validation"])


def test_a_pair_that_comes_again_is_written_anew(monkeypatch):
    """The grammar is so wide that repeats are rare, so make them common: every pair comes twice, in train and in validation."""
    write, last = paraphrases._pair, {}

    def twice(label, names, tally, rng):
        if label in last:
            return last.pop(label)
        last[label] = write(label, names, tally, rng)
        return last[label]

    monkeypatch.setattr(paraphrases, "_pair", twice)
    every = [normalise(text) for records in build_paraphrases(0, 80, 40).values() for text in sentences(records)]
    assert len(set(every)) == len(every) == 240


def test_no_name_of_validation_in_train(corpus):
    train = f" {' '.join(normalise(text) for text in sentences(corpus['train']))} "
    validation = f" {' '.join(normalise(text) for text in sentences(corpus['validation']))} "
    assert [name for name in entities_of("validation") if f" {normalise(name)} " in train] == []
    assert [name for name in entities_of("train") if f" {normalise(name)} " in validation] == []
    assert sum(f" {normalise(name)} " in train for name in entities_of("train")) > 800


def test_every_capitalised_word_is_a_name_of_its_split_or_known():
    """Catches a name that the lists do not know, which no comparison of the lists would."""
    known = set(
        words(
            "Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July August September October November December"
        )
    )
    known |= set(
        words(
            "University Institute Medical School Storm River President CEO Mars Venus Jupiter Saturn Mercury Neptune Moon Roman Inuit Persian Viking Japanese Aztec Latin"
        )
    )
    known |= set(paraphrases._BUSINESS) | set(paraphrases._CLUBS)
    for split, records in build_paraphrases(0).items():
        names = {word for name in entities_of(split) for word in name.split()}
        for text in sentences(records):
            for word in re.findall(r"[^\W\d_]+", text)[1:]:
                assert word[0].islower() or word in names or word in known, (word, text)


def test_names_are_disjoint_and_distinctive():
    assert not set(entities_of("train")) & set(entities_of("validation"))
    grammar = " ".join(
        [
            paraphrases._EVENTS,
            *(
                text
                for table in (paraphrases._THINGS, paraphrases._SOURCES, paraphrases._LEADS, paraphrases._TAILS)
                for text in table.values()
            ),
        ]
    )
    ordinary = set(re.findall(r"\w+", grammar.lower()))
    for split in NAMES:
        single = {name.lower() for name in entities_of(split) if " " not in name}
        assert not single & ordinary
    with pytest.raises(CourseError, match="'test'.*train"):
        entities_of("test")


# --- worth learning, and not by cheating ---------------------------------------------------------------------------------


def test_vocabulary_and_lengths(corpus):
    texts = sentences(corpus["train"])
    names = {word for name in entities_of("train") for word in normalise(name).split()}
    vocabulary = {word for text in texts for word in normalise(text).split()}
    assert len(vocabulary) >= 3000
    assert len({w for w in vocabulary - names if w.isalpha()}) >= 1500
    lengths = np.array([len(text.split()) for text in texts])
    assert np.mean((lengths >= 10) & (lengths <= 30)) > 0.9
    assert any(not text.isascii() for text in texts)


def test_events_have_several_phrasings():
    events = paraphrases._grammar()["events"]
    assert len(events) >= 40
    assert len({event["name"] for event in events}) == len(events)
    assert all(len(event["phrasings"]) >= 3 for event in events)


def test_kinds_of_negatives_are_even():
    corpus = build_with_kinds(0)
    for rows in corpus.values():
        count = Counter(kind for record, kind in rows if record["label"] == 0)
        assert set(count) == set(NEGATIVE_KINDS)
        assert max(count.values()) - min(count.values()) <= 0.1 * max(count.values()) + 3
        assert all((kind == "paraphrase") == (record["label"] == 1) for record, kind in rows)


def test_denials_are_in_both_labels(corpus):
    denied = re.compile(r"\b(not|no|won't|failed|refused)\b")
    records = corpus["train"]
    share = [
        np.mean([bool(denied.search(record["sentence2"])) for record in records if record["label"] == label])
        for label in (0, 1)
    ]
    assert min(share) > 0.1
    assert abs(share[0] - share[1]) < 0.06


def overlap_features(records):
    rows = []
    for record in records:
        a, b = (set(normalise(record[key]).split()) for key in ("sentence1", "sentence2"))
        both = len(a & b)
        rows.append(
            [
                both / len(a | b),
                2 * both / (len(a) + len(b)),
                both / min(len(a), len(b)),
                len(a) - len(b),
                abs(len(a) - len(b)),
                len(a),
            ]
        )
    return np.array(rows)


def majority(corpus):
    return max(labels(corpus["validation"]).mean(), 1 - labels(corpus["validation"]).mean())


@pytest.mark.parametrize("column", [0, 1], ids=["jaccard", "dice"])
def test_an_overlap_threshold_learns_little(corpus, column):
    x, y = overlap_features(corpus["train"])[:, column], labels(corpus["train"])
    best = max(np.unique(x), key=lambda cut: ((x >= cut) == y).mean())
    score = ((overlap_features(corpus["validation"])[:, column] >= best) == labels(corpus["validation"])).mean()
    assert score <= majority(corpus) + TOLERANCE


def test_a_regression_on_overlap_learns_little(corpus):
    x, v = overlap_features(corpus["train"]), overlap_features(corpus["validation"])
    model = LogisticRegression(max_iter=2000).fit((x - x.mean(0)) / x.std(0), labels(corpus["train"]))
    assert model.score((v - x.mean(0)) / x.std(0), labels(corpus["validation"])) <= majority(corpus) + TOLERANCE


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("keys", [("sentence1",), ("sentence2",), ("sentence1", "sentence2")], ids="+".join)
def test_a_bag_of_words_learns_little(corpus, keys, binary):
    texts = {split: [" ".join(record[key] for key in keys) for record in records] for split, records in corpus.items()}
    counts = CountVectorizer(binary=binary)
    model = LogisticRegression(max_iter=2000, C=0.1).fit(counts.fit_transform(texts["train"]), labels(corpus["train"]))
    assert (
        model.score(counts.transform(texts["validation"]), labels(corpus["validation"])) <= majority(corpus) + TOLERANCE
    )


# --- the grammar's own rules -----------------------------------------------------------------------------------------------


def test_an_open_bracket_is_an_error():
    with pytest.raises(CourseError, match="missing"):
        paraphrases._parse("a (b|c", iter(range(9)))


def nodes(tree):
    """Every tuple of a parsed phrasing."""
    if isinstance(tree, tuple):
        yield tree
    if isinstance(tree, (list, tuple)):
        for part in tree:
            yield from nodes(part)


@pytest.mark.parametrize("event", paraphrases._grammar()["events"], ids=lambda event: event["name"])
def test_every_phrasing_is_complete(event):
    """Both sides of a direction are written, facts exist, and every phrasing has a side to change and a place for the time."""
    used = set()
    assert set(event["swap"]) <= set(event["slots"])
    assert event["domain"] in paraphrases._SOURCES
    for tree, places, _ in event["phrasings"]:
        found = list(nodes(tree))
        branches = [(node[0], len(node[2])) for node in found if node[0] in ("alt", "direction", "negation")]
        assert all(sides == (1 if kind == "alt" else 2) for kind, sides in branches)
        assert {"direction", "negation"} & {kind for kind, _ in branches}
        facts = {node[1] for node in found if node[0] == "fact"}
        assert set(event["swap"]) <= facts <= set(event["slots"])
        assert bool(places) == (event["time"] != "none")
        used |= facts
    assert used == set(event["slots"])


def test_the_changed_fact_shows_in_the_sentences():
    for rows in build_with_kinds(2).values():
        for record, kind in rows:
            one, two = set(normalise(record["sentence1"]).split()), set(normalise(record["sentence2"]).split())
            if kind in ("name", "place", "number", "time", "detail"):
                assert min(len(one - two), len(two - one)) > 0, record
