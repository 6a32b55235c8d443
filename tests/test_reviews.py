"""The corpus `mini/reviews`: sizes, words, splits without overlap, and English that a person could have written."""

import itertools
import re
import zlib
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interpreters import printed_under_hash_seeds
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from course_lib.corpora import review_words, reviews
from course_lib.corpora.reviews import build_reviews, count, fix_articles, names_of, normalise, parse, sentences_of
from course_lib.profiles import CourseError

SPLITS = ("train", "validation", "unlabelled")


@pytest.fixture(scope="module", params=(0, 1))
def corpus(request):
    return build_reviews(request.param)


def texts(corpus, *splits):
    return [record["text"] for split in splits or SPLITS for record in corpus[split]]


def plain(text):
    "Another way to the words of a text than the module's: letters and digits, lower case."
    return re.findall(r"[^\W_]+", text.replace("<br />", " ").lower())


def own_sentences(text):
    "Sentences cut at every full stop, question or exclamation mark and paragraph, whatever follows."
    return [" ".join(plain(part)) for part in re.split(r"[.!?]|<br />", text) if plain(part)]


# --- shape -----------------------------------------------------------------------------------------------------------


def test_sizes_columns_and_labels(corpus):
    assert {split: len(records) for split, records in corpus.items()} == {
        "train": 2400,
        "validation": 400,
        "unlabelled": 800,
    }
    for split in ("train", "validation"):
        assert all(list(record) == ["text", "label"] for record in corpus[split])
        assert Counter(record["label"] for record in corpus[split]) == {
            0: len(corpus[split]) / 2,
            1: len(corpus[split]) / 2,
        }
    assert all(list(record) == ["text"] for record in corpus["unlabelled"])
    tables = {split: pa.Table.from_pylist(records) for split, records in corpus.items()}
    assert tables["train"].schema == pa.schema({"text": pa.string(), "label": pa.int64()})
    assert tables["unlabelled"].schema == pa.schema({"text": pa.string()})


def test_lengths(corpus):
    lengths = [len(text.replace("<br />", " ").split()) for text in texts(corpus)]
    assert min(lengths) >= 40
    assert max(lengths) <= 150
    assert sum(length < 65 for length in lengths) > 0.03 * len(lengths)
    assert sum(length > 125 for length in lengths) > 0.03 * len(lengths)


def test_words(corpus):
    found = Counter(itertools.chain.from_iterable(map(plain, texts(corpus))))
    invented = {word for side in reviews.SIDES for name in names_of(side) if " " not in name for word in plain(name)}
    ordinary = {word for word in found if word.isalpha() and word not in invented}
    assert len(ordinary) >= 3000
    assert sum(found[word] >= 3 for word in ordinary) >= 2500
    assert any(not word.isascii() for word in found)


def test_most_of_the_grammar_is_used(corpus):
    """Every list item and every heading's phrasings must have a way into the corpus."""
    running = f" {' '.join(' '.join(plain(text)) for text in texts(corpus))} "
    items = [item for items in reviews._lists().values() for item in items]
    missing = [item for item in items if f" {' '.join(plain(item))} " not in running]
    assert len(missing) < 0.02 * len(items), missing


# --- splits ----------------------------------------------------------------------------------------------------------


def test_no_sentence_is_shared_and_none_comes_twice(corpus):
    found = {split: [s for text in texts(corpus, split) for s in own_sentences(text)] for split in SPLITS}
    assert not set(found["validation"]) & (set(found["train"]) | set(found["unlabelled"]))
    for split in SPLITS:
        assert max(Counter(found[split]).values()) == 1
    assert all([normalise(s) for s in sentences_of(text)] == own_sentences(text) for text in texts(corpus))


def test_no_name_of_one_side_in_the_other(corpus):
    training = f" {' '.join(' '.join(plain(text)) for text in texts(corpus, 'train', 'unlabelled'))} "
    validation = f" {' '.join(' '.join(plain(text)) for text in texts(corpus, 'validation'))} "
    assert [name for name in names_of("validation") if f" {' '.join(plain(name))} " in training] == []
    assert [name for name in names_of("train") if f" {' '.join(plain(name))} " in validation] == []
    assert sum(f" {' '.join(plain(name))} " in training for name in names_of("train")) > 1500
    assert sum(f" {' '.join(plain(name))} " in validation for name in names_of("validation")) > 300


def test_a_draw_that_comes_again_is_thrown_away(monkeypatch):
    """Repeats are rare in so wide a grammar, so make them common: every draft is made twice."""
    draft, last = reviews._draft, []

    def twice(side, label, seen, rng):
        if last and last[0][0] == (side, label):
            return last.pop()[1]
        made = draft(side, label, seen, rng)
        last[:] = [((side, label), made)]
        return made

    monkeypatch.setattr(reviews, "_draft", twice)
    found = [s for text in texts(build_reviews(0, 40, 20, 20)) for s in own_sentences(text)]
    assert len(found) == len(set(found))


def test_names_are_no_ordinary_words():
    grammar = [value for name, value in vars(review_words).items() if name.startswith("_") and isinstance(value, str)]
    ordinary = set(re.findall(r"\w+", " ".join(grammar).lower()))
    for side in reviews.SIDES:
        single = [name for name in names_of(side) if " " not in name]
        assert [name for name in single if name.lower() in ordinary] == []
    assert not set(names_of("train")) & set(names_of("validation"))
    with pytest.raises(CourseError, match=r"'test'.*train, validation"):
        names_of("test")


def test_titles_cannot_be_said_by_chance():
    """`a lonely sailor` in a plot would name the film `The Lonely Sailor` of the other side."""
    lists = reviews._lists()
    before_nouns = {word for name in ("trait", "vice", "look", "bleak", "land", "weather") for word in lists[name]}
    assert not before_nouns & {word.lower() for word in review_words.TITLE_FIRST}
    grammar = " ".join(
        value for name, value in vars(review_words).items() if name.startswith("_") and isinstance(value, str)
    )
    counted = set(re.findall(r"\{small\} (\w+)", grammar)) | {
        noun for side in re.findall(r"\{small\} \[([^\]]+)\]", grammar) for noun in side.split("|")
    }
    assert not counted & {reviews._plural(noun).lower() for noun in review_words.TITLE_LAST}


def test_capitals_belong_to_names_or_known_words(corpus):
    """A name that no list knows would slip through every comparison of lists."""
    known = set(re.findall(r"[^\W\d_]+", " ".join(vars(review_words)["_LISTS"].splitlines())))
    grammar = " ".join(
        (
            review_words._GENRES,
            review_words._ASPECTS,
            review_words._OPENINGS,
            review_words._REMARKS,
            review_words._VERDICTS,
        )
    )
    known |= set(re.findall(r"[^\W\d_]+", grammar)) | {"I"}
    for split in SPLITS:
        names = {
            w for n in names_of("validation" if split == "validation" else "train") for w in re.findall(r"[^\W\d_]+", n)
        }
        for text in texts(corpus, split):
            for sentence in sentences_of(text):
                for word in re.findall(r"[^\W\d_]+", sentence)[1:]:
                    assert word[0].islower() or word in names or word in known, (word, sentence)


# --- repeatable ------------------------------------------------------------------------------------------------------


def test_same_seed_same_records_other_seed_other_records():
    assert build_reviews(3, 60, 20, 20) == build_reviews(3, 60, 20, 20)
    one, two = (texts(build_reviews(seed, 60, 20, 20)) for seed in (3, 4))
    assert not set(one) & set(two)


def test_validation_does_not_depend_on_the_other_sizes(monkeypatch):
    """Only a sentence that comes again could tie the splits together, so make every seventh or so come again."""
    monkeypatch.setattr(reviews, "normalise", lambda text: str(zlib.crc32(text.encode()) % 4000))
    assert build_reviews(5, 0, 40, 0)["validation"] == build_reviews(5, 60, 40, 20)["validation"]


def test_records_do_not_depend_on_hash_order():
    code = (
        "import hashlib, json; from course_lib.corpora.reviews import build_reviews; "
        "print(hashlib.sha256(json.dumps(build_reviews(1)).encode()).hexdigest())"
    )
    assert len(printed_under_hash_seeds(code)) == 1


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(-5, 10**9), sizes=st.tuples(*[st.integers(0, 12)] * 3))
def test_any_small_corpus_is_well_formed(seed, sizes):
    corpus = build_reviews(seed, *sizes)
    assert tuple(len(corpus[split]) for split in SPLITS) == sizes
    for split in ("train", "validation"):
        assert sum(record["label"] for record in corpus[split]) == len(corpus[split]) // 2
    for text in texts(corpus):
        well_formed(text)


def well_formed(text):
    assert text == text.strip()
    assert text[-1] in ".!?"
    assert not re.search(
        r"[{}\[\]|~]|<(?!br />)|(?<!/)>(?!<)|  |\s[,.;!?]|,,|\.\.|\$", text.replace("<br /><br />", " ")
    ), text
    assert not re.search(r"\b(\w+) \1\b", re.sub(r"that that", "that", text), re.IGNORECASE), text
    assert not re.search(r"\b[Aa] [aeio]|\b[Aa]n [bcdfgjklmnpqrstvwxyz]", text.replace("a one", "")), text
    for sentence in sentences_of(text):
        assert not sentence.lstrip('"')[0].islower(), sentence


def test_every_review_is_well_formed(corpus):
    for text in texts(corpus):
        well_formed(text)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"train_size": -1}, "train_size=-1"),
        ({"validation_size": 10**7}, "validation_size=10000000"),
        ({"unlabelled_size": 2.5}, "unlabelled_size=2.5"),
        ({"train_size": True}, "train_size=True"),
        ({"seed": "one"}, "seed='one'"),
        ({"seed": None}, "seed=None"),
    ],
)
def test_impossible_arguments_name_the_value_and_the_remedy(arguments, named):
    with pytest.raises(CourseError, match=re.escape(named) + ".*Use a whole number"):
        build_reviews(**arguments)


# --- labels ----------------------------------------------------------------------------------------------------------


def test_ratings_agree_with_labels(corpus):
    """Ratings are the one place where the text states its label in plain numbers."""
    numerals = {word: number for number, word in enumerate(reviews._NUMERALS)}
    found = 0
    for record in corpus["train"]:
        for points in re.findall(r"\b(\w+)(?:/10| (?:stars? |points? )?out of (?:10|ten))\b", record["text"]):
            points = int(points) if points.isdigit() else numerals[points.lower()]
            assert (points >= 6) == (record["label"] == 1), record["text"]
            found += 1
    assert found > 200


@pytest.mark.parametrize("label", [0, 1])
def test_opinions_agree_with_labels(label):
    lists = reviews._lists()
    praise, blame = (set(lists[one] + lists[two]) for one, two in (("good", "fine"), ("bad", "shoddy")))
    agreeing = 0
    for seed in range(200):
        film = reviews.Film("train", label, False, "plain", reviews.random.Random(seed))
        found = plain(" ".join(reviews._opinions(film, label, False, 60, set())))
        balance = sum((word in praise) - (word in blame) for word in found)
        agreeing += balance > 0 if label else balance < 0
    assert agreeing > 140


def test_verdicts_agree_with_labels(corpus):
    blame = re.compile(r"waste of|avoid it|worst|don't bother|stay at home and", re.IGNORECASE)
    praise = re.compile(r"highly recommended|you'll love|go and see it|thank you", re.IGNORECASE)
    for record in corpus["train"] + corpus["validation"]:
        last = sentences_of(record["text"])[-1]
        assert not (praise if record["label"] == 0 else blame).search(last.replace("the worst film of", "")), last


def test_a_bag_of_words_learns_the_label_but_not_all_of_it(corpus):
    labels = {split: [record["label"] for record in corpus[split]] for split in ("train", "validation")}
    counter = CountVectorizer()
    model = LogisticRegression(max_iter=500, C=0.1).fit(counter.fit_transform(texts(corpus, "train")), labels["train"])
    assert 0.85 < model.score(counter.transform(texts(corpus, "validation")), labels["validation"]) < 0.995


def test_both_labels_concede(corpus):
    for label in (0, 1):
        own = [record["text"] for record in corpus["train"] if record["label"] == label]
        assert (
            sum(bool(re.search(r"\b(although|even if|admittedly|but)\b", text.lower())) for text in own) > len(own) / 4
        )


@pytest.mark.parametrize("noun", ["film", "movie", "story", "performance", "cast"])
def test_great_is_followed_by_the_nouns_of_the_domain(corpus, noun):
    """What the masked model of chapter 2 is to learn."""
    praise = "|".join(map(re.escape, reviews._lists()["good"] + reviews._lists()["acted_well"]))
    found = [m for text in texts(corpus) for m in re.findall(rf"\ban? (?:{praise}) (\w+)", text.lower())]
    assert Counter(found)[noun] >= 20


# --- the grammar -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("a actor", "an actor"),
        ("A hour", "An hour"),
        ("a uniform", "a uniform"),
        ("a uninspired one", "an uninspired one"),
        ("a one-eyed cat", "a one-eyed cat"),
        ("a honest heir", "an honest heir"),
        ("a European union", "a European union"),
        ("a 8 and a 11th, a 80", "an 8 and an 11th, an 80"),
        ("a ukulele", "a ukulele"),
        ("a useful axe", "a useful axe"),
        ("a unusual oboe", "an unusual oboe"),
        ("saga of", "saga of"),
        ("a étude", "an étude"),
        ("", ""),
    ],
)
def test_articles(text, fixed):
    assert fix_articles(text) == fixed


@given(st.text())
def test_fixing_articles_twice_changes_nothing_more(text):
    assert fix_articles(fix_articles(text)) == fix_articles(text)


def expand(tree):
    "Every text that a tree of words and brackets can make: the slow, certain way."
    if not tree:
        return [""]
    head, *rest = tree
    heads = [head] if isinstance(head, str) else [text for side in head.sides for text in expand(side)]
    return [first + last for first in heads for last in expand(rest)]


plain_trees = st.recursive(
    st.text("abé ", min_size=1, max_size=3),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map(lambda sides: f"[{'|'.join(sides)}]")
        | st.tuples(inner, inner).map("".join)
    ),
    max_leaves=8,
)


@given(plain_trees)
def test_count_is_the_number_of_expansions(text):
    assert count(parse(text)) == len(expand(parse(text)))


@pytest.mark.parametrize("text", ["a [b|c", "a b]", "a | b", "[[a]"])
def test_broken_brackets_are_an_error(text):
    with pytest.raises(CourseError, match="bracket"):
        parse(text)


def test_every_mark_of_the_grammar_has_a_meaning():
    grammar = "".join(
        (
            review_words._GENRES,
            review_words._ASPECTS,
            review_words._OPENINGS,
            review_words._REMARKS,
            review_words._VERDICTS,
        )
    )
    assert set(re.findall(r"\{(\w+)\}", grammar)) <= set(reviews._lists())
    film = reviews.Film("train", 1, False, "plain", reviews.random.Random(0))
    for fact in set(re.findall(r"<(\w+)>", grammar)):
        assert film.fact(fact)
    for genre, _, lines in reviews._grammar()["genres"]:
        assert all(len(lines[mark]) >= 3 for mark in ">~+-"), genre
    for name, _, lines in reviews._grammar()["aspects"]:
        assert lines["+"], name
        assert lines["-"], name


def test_people_agree_in_gender_and_names_are_full_only_once():
    for seed in range(60):
        film = reviews.Film("validation", 0, True, "plain", reviews.random.Random(seed))
        women = reviews._names()["validation"]["she"]
        for character, actor, pronoun in (("C", "L", "he"), ("D", "S", "dhe")):
            assert (film.people[character][0] in women) == (film.people[actor][0] in women)
            assert (film.people[character][0] in women) == (film.facts[pronoun] == "she")
        full, short = film.fact("L"), film.fact("L")
        assert full.split()[-1] == short
        assert len(full.split()) == 2


def test_formal_reviews_have_no_contractions():
    film = reviews.Film("train", 1, False, "formal", reviews.random.Random(0))
    text = reviews.finish("it's a pity that I can't, won't and didn't, and they're what we've got, I'd say", film)
    assert text == "It is a pity that I cannot, will not and did not, and they are what we have got, I would say."
