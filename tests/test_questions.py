"""The corpus `mini/squad`: answers in their places, splits without overlap, and something to read for."""

import random
import re
import unicodedata
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interpreters import heavy_imports, printed_under_hash_seeds

from course_lib.corpora import question_words, questions
from course_lib.corpora.question_words import NAMES, THINGS, entities_of
from course_lib.corpora.questions import DOCUMENTS, build_questions, build_with_origins, sentences_of
from course_lib.profiles import CourseError

SEEDS = (0, 1, 2)
COLUMNS = ["id", "title", "context", "question", "answers"]


@pytest.fixture(scope="module", params=SEEDS)
def rows(request):
    return build_with_origins(request.param)


@pytest.fixture(scope="module")
def corpus(rows):
    return {split: [record for record, _ in found] for split, found in rows.items()}


def contexts_of(records):
    return list(dict.fromkeys(record["context"] for record in records))


def whole_text(records):
    return "\n".join([*contexts_of(records), *(record["question"] for record in records)])


def present(names, text):
    """The names that stand in `text` as whole words."""
    found = re.findall(r"\w+", text)
    runs = {" ".join(found[at : at + size]) for size in (1, 2, 3, 4) for at in range(len(found))}
    return {name for name in names if " ".join(re.findall(r"\w+", name)) in runs}


def answers_of(record):
    return list(zip(record["answers"]["text"], record["answers"]["answer_start"], strict=True))


# --- shape -----------------------------------------------------------------------------------------------------------


def test_default_sizes(corpus):
    assert {split: len(contexts_of(records)) for split, records in corpus.items()} == {"train": 400, "validation": 60}
    assert len(corpus["train"]) >= 2300
    assert len(corpus["validation"]) >= 300


def test_default_arguments():
    assert build_questions() == {s: [record for record, _ in found] for s, found in build_with_origins(0).items()}


def test_every_answer_stands_where_it_says(corpus):
    for records in corpus.values():
        for record in records:
            for text, start in answers_of(record):
                assert text
                assert text == text.strip()
                assert record["context"][start : start + len(text)] == text


def test_an_answer_is_no_part_of_a_word(corpus):
    for records in corpus.values():
        for record in records:
            for text, start in answers_of(record):
                before, after = record["context"][:start][-1:], record["context"][start + len(text) :][:1]
                assert not before.isalnum(), record
                assert not after.isalnum(), record


def test_one_answer_in_training_up_to_three_in_validation(corpus):
    assert {len(record["answers"]["text"]) for record in corpus["train"]} == {1}
    counts = Counter(len(record["answers"]["text"]) for record in corpus["validation"])
    assert set(counts) == {1, 2, 3}
    for record in corpus["validation"]:
        assert len(set(record["answers"]["text"])) == len(record["answers"]["text"])


def test_ids_are_unique_and_stable(corpus):
    ids = [record["id"] for records in corpus.values() for record in records]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[0-9a-f]{24}", one) for one in ids)


def test_same_seed_same_records_other_seed_other_records():
    assert build_questions(3, 30, 10) == build_questions(3, 30, 10)
    assert build_questions(3, 30, 10) != build_questions(4, 30, 10)


def test_validation_without_training_is_written_from_its_own_seed():
    alone, beside = build_questions(5, 0, 8), build_questions(5, 40, 8)
    assert alone["train"] == []
    assert len(alone["validation"]) == len(beside["validation"]) > 40


def test_records_do_not_depend_on_hash_order():
    code = "from course_lib.corpora.questions import build_questions as b; import zlib; print(zlib.crc32(repr(b(0)).encode()))"
    assert len(printed_under_hash_seeds(code)) == 1


def test_module_needs_no_heavy_library():
    assert not heavy_imports("course_lib.corpora.questions")


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    train=st.integers(0, 30),
    validation=st.integers(0, 15),
    per_context=st.integers(0, 12),
)
def test_schema_at_any_small_size(seed, train, validation, per_context):
    corpus = build_questions(seed, train, validation, per_context)
    assert list(corpus) == ["train", "validation"]
    for split, records in corpus.items():
        size = {"train": train, "validation": validation}[split]
        assert len(contexts_of(records)) == (size if per_context else 0)
        assert all(count <= per_context for count in Counter(r["context"] for r in records).values())
        for record in records:
            assert list(record) == COLUMNS
            assert all(type(record[column]) is str for column in COLUMNS[:-1])
            assert all(type(text) is str and type(start) is int for text, start in answers_of(record))
            assert unicodedata.is_normalized("NFC", record["context"])
            assert record["question"].endswith("?")
            assert not record["question"][0].islower()
            for text in (record["context"], record["question"]):
                assert not re.search(r"[<>{}\[\]|~@#%]|  |\s[,.;?]|,,|\.\.|'s's|\bthe the\b|\ba [aeiou]", text), text
            for sentence in sentences_of(record["context"]):
                assert sentence.endswith(".")
                assert not sentence[0].islower()
            for text, start in answers_of(record):
                assert record["context"][start : start + len(text)] == text
    asked = [record["question"] for records in corpus.values() for record in records]
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"train_contexts": -1}, "train_contexts=-1"),
        ({"validation_contexts": 10**7}, "validation_contexts=10000000"),
        ({"train_contexts": 2.5}, "train_contexts=2.5"),
        ({"train_contexts": True}, "train_contexts=True"),
        ({"validation_contexts": "60"}, "validation_contexts='60'"),
        ({"questions_per_context": None}, "questions_per_context=None"),
        ({"questions_per_context": 13}, "questions_per_context=13"),
    ],
)
def test_impossible_sizes_name_the_value_and_the_remedy(arguments, named):
    with pytest.raises(CourseError, match=re.escape(named) + ".*Use a whole number from 0 to") as caught:
        build_questions(**arguments)
    assert "\n" not in str(caught.value)


def test_the_grammar_is_big_enough():
    corpus = build_questions(1, 700, 120, 12)
    assert len(contexts_of(corpus["train"])) == 700
    assert len(contexts_of(corpus["validation"])) == 120
    assert len({record["title"] for record in corpus["validation"]}) == 120


# --- splits ----------------------------------------------------------------------------------------------------------


def test_nothing_in_common(corpus):
    for part in (contexts_of, lambda r: [one["question"].lower() for one in r], lambda r: [one["title"] for one in r]):
        assert not set(part(corpus["train"])) & set(part(corpus["validation"]))
    told = {s: {x for c in contexts_of(records) for x in sentences_of(c)} for s, records in corpus.items()}
    assert not told["train"] & told["validation"]


def test_no_name_of_one_split_in_the_other(corpus):
    text = {split: whole_text(records) for split, records in corpus.items()}
    assert not present(entities_of("validation"), text["train"])
    assert not present(entities_of("train"), text["validation"])
    assert len(present(entities_of("train"), text["train"])) > 1000
    assert len(present(entities_of("validation"), text["validation"])) > 300


def test_every_capitalised_word_is_a_name_of_its_split_or_known(corpus):
    """Catches a name that the lists do not know, which no comparison of the lists would."""
    forms = [text for table in (questions._FORMS, questions._LETTERS) for text in map(str, table.values())]
    things = [item for items in THINGS.values() for item in items]
    grammar = " ".join([*forms, *things, *questions._MONTHS, *question_words._SCRIPTS, "Gazetteer"])
    known = set(re.findall(r"[^\W\d_]+", grammar))
    for split, records in corpus.items():
        names = {word for name in entities_of(split) for word in re.findall(r"[^\W\d_]+", name)}
        for context in contexts_of(records):
            for sentence in sentences_of(context):
                for word in re.findall(r"[^\W\d_]+", sentence)[1:]:
                    assert not word[0].isupper() or word in names or word in known, (word, sentence)


def test_names_are_disjoint_and_the_unknown_split_is_named():
    assert not set(entities_of("train")) & set(entities_of("validation"))
    assert entities_of("train") == sorted(set(entities_of("train")))
    with pytest.raises(CourseError, match="'test'.*train"):
        entities_of("test")


def test_a_sentence_of_training_does_not_come_again(monkeypatch):
    """The grammar is wide and such sentences are rare, so every article gets the same one at first."""
    write, spoilt = questions._article, Counter()

    def article(kinds, split, rng):
        found = write(kinds, split, rng)
        spoilt[split] += 1
        if split == "train" or spoilt[split] == 1:
            found.context += " It rained."
        return found

    monkeypatch.setattr(questions, "_article", article)
    corpus = build_questions(0, 5, 5)
    assert spoilt == {"train": 5, "validation": 6}
    assert not any("It rained." in record["context"] for record in corpus["validation"])


# --- worth learning ----------------------------------------------------------------------------------------------------


def test_lengths(corpus):
    for split, least in (("train", 10), ("validation", 5)):
        words = [len(context.split()) for context in contexts_of(corpus[split])]
        usual = [count for count in words if count < 250]
        assert all(80 <= count <= 200 for count in usual)
        assert sum(count >= 300 for count in words) >= least
    assert max(len(record["answers"]["text"][0].split()) for record in corpus["train"]) <= 8


def test_long_contexts_do_not_fit_into_384_pieces(corpus):
    tokenizers = pytest.importorskip("tokenizers")
    from importlib.resources import files

    tokenizer = tokenizers.Tokenizer.from_file(str(files("course_lib") / "mini/encoder/tokenizer.json"))
    for split, least in (("train", 10), ("validation", 5)):
        assert sum(len(tokenizer.encode(context).ids) > 384 for context in contexts_of(corpus[split])) >= least


def test_every_kind_of_article_and_of_question(rows):
    for split, least in (("train", 20), ("validation", 2)):
        kinds = Counter()
        for record, question in {record["context"]: (record, question) for record, question in rows[split]}.values():
            kinds[question.document] += bool(record)
        assert set(kinds) == set(DOCUMENTS)
        assert min(kinds.values()) >= least
    first = Counter(record["question"].split()[0] for record, _ in rows["train"])
    assert min(first[word] for word in ("Who", "What", "When", "Where", "Which", "How", "In", "Why")) >= 20
    how = Counter(" ".join(record["question"].split()[:2]) for record, _ in rows["train"])
    assert min(how[words] for words in ("How many", "How long", "How much")) >= 20


def test_answers_stand_everywhere(corpus):
    places = [record["answers"]["answer_start"][0] / len(record["context"]) for record in corpus["train"]]
    for tenth in range(10):
        assert sum(tenth <= 10 * place < tenth + 1 for place in places) > 0.04 * len(places)


def test_most_answers_have_rivals_of_their_kind(rows):
    assert sum(question.rivals > 0 for _, question in rows["train"]) > 0.75 * len(rows["train"])


def test_names_in_many_scripts(corpus):
    text = whole_text(corpus["train"])
    found = {unicodedata.name(letter).split()[0] for letter in set(text) if letter.isalpha()}
    assert {"LATIN", "GREEK", "CYRILLIC", "ARABIC", "GEORGIAN", "CJK", "HANGUL"} <= found
    assert sum(letter in text for letter in "łńśéöøşğüčž") > 8


def test_a_question_never_holds_its_answer(corpus):
    for record in corpus["train"]:
        assert record["answers"]["text"][0].lower() not in record["question"].lower()


def test_no_two_roles_hold_the_same_answer():
    """One right answer per question: the years, numbers and people of an article all differ."""
    for kind in DOCUMENTS:
        for seed in range(20):
            fills = questions._draw(questions._document(kind), "validation", set(), random.Random(seed))
            values = [fill.value for fill in fills.values()]
            assert len(set(values)) == len(values)
            people = [value for value in values if isinstance(value, question_words.Person)]
            assert len({part for who in people for part in (who.first, who.last)}) == 2 * len(people)


# --- the grammar's own rules -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_every_plan_is_complete(kind):
    document = questions._document(kind)
    for plan in document.plans:
        assert sorted(plan) == sorted(document.facts)
        for place, letter in enumerate(plan):
            assert all(plan.index(other) < place for other in document.facts[letter].needs), (plan, letter)
    assert len(set(document.plans)) >= 3
    assert set(document.always) <= set(document.facts)


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_every_question_can_be_asked_and_names_somebody(kind):
    document = questions._document(kind)
    for fact in document.facts.values():
        told = [set(re.findall(r"<(?:\w+:)?(\w)", wording)) for wording in fact.wordings]
        assert set().union(*told) <= set(document.slots)
        for ask in fact.asks:
            named = set(re.findall(r"<(?:\w+:)?(\w)", ask.text))
            assert any(document.slots[slot].startswith("=") for slot in named), ask
            assert named <= set(document.slots)
            fits = [
                ask.slot in slots and (not ask.word or ask.word in re.findall(r"\w+", wording))
                for slots, wording in zip(told, fact.wordings, strict=True)
            ]
            assert any(fits), ask


def test_an_unclosed_choice_is_left_for_the_eye():
    assert questions._choose("a (b|c) d", random.Random(0)) in ("a b d", "a c d")
    assert questions._choose("(a (b|c)|a b) d", random.Random(0)) in ("a b d", "a c d")
    assert questions._choose("Oksana (Оксана) x", random.Random(0)) == "Oksana (Оксана) x"


@pytest.mark.parametrize(
    ("shown", "accepted"),
    [
        ("1902", ["1902"]),
        ("March 1902", ["March 1902", "1902"]),
        ("5 March 1902", ["5 March 1902", "March 1902", "1902"]),
    ],
)
def test_dates_are_accepted_in_shorter_forms(shown, accepted):
    document = questions._document("ship")
    fills = questions._draw(document, "train", set(), random.Random(0))
    fills["a"] = questions.Fill("date", 1902, shown, "5 March")
    writer = questions._Writer(document, fills, random.Random(0))
    mentions = writer.tell("The <S!> was launched <on:a>.")
    spans = next(mention.spans for mention in mentions if mention.slot == "a")
    assert [writer.text[start:end] for start, end in spans] == accepted
    assert writer.text.endswith(f"launched {'on' if shown[0] == '5' else 'in'} {shown}.")


def test_things_are_no_parts_of_each_other():
    for items in THINGS.values():
        assert len(set(items)) == len(items) >= 8
        assert not [(a, b) for a in items for b in items if a != b and f" {a} " in f" {b} "]


def test_enough_names_of_every_kind():
    for split in NAMES:
        assert min(len(names) for names in NAMES[split].values()) >= 15
