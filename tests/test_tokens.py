"`tokenize_texts` gives what the tokenizer gives for each text alone, however it is made and whatever the text."

import json
from functools import partial
from itertools import chain
from unittest import mock

import numpy as np
import pyarrow as pa
import pytest
from complaints import complaint_of
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tokenizers import TOKENIZERS, texts, word_pieces
from tokenizers import AddedToken, Regex, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from course_lib.checkpoints import load_tokenizer
from course_lib.profiles import CourseError
from course_lib.tokens import _looks_at_words, bases, ranges, special_tokens, tokenize_texts

complaint = partial(complaint_of, CourseError)
# What a normalizer, a pre-tokenizer or an added token might find across a border between words.
BORDERS = ["<e-1>", "a;b", "a\u037eb", "x=y", "É-t", "e-t", "x_y", "covid", "COVID", "[MASK]", "a b", ";", "\u037e", "=\u0338", "12", "\x0b", "\u3000", "\u2028", "\ufffd", "«", "¿", "#"]  # fmt: skip
hard_texts = st.lists(st.one_of(texts, st.sampled_from(BORDERS), st.text(max_size=5)), max_size=6).map("".join)


def changed(normalizer=None, added=(), split_special_tokens=False, **parts) -> PreTrainedTokenizerFast:
    "Word pieces with another part, or with added tokens."
    tokenizer = word_pieces()
    for name, part in (parts if normalizer is None else parts | {"normalizer": normalizer}).items():
        setattr(tokenizer.backend_tokenizer, name, part)
    tokenizer.add_tokens(list(added))
    tokenizer.split_special_tokens = split_special_tokens
    return tokenizer


class Whole:
    "A pre-tokenizer that leaves texts whole."

    def pre_tokenize(self, text):
        pass


bert, digits = pre_tokenizers.BertPreTokenizer(), pre_tokenizers.Digits(individual_digits=True)
CUT = {
    "plain": word_pieces(),
    "cased": changed(normalizers.BertNormalizer(lowercase=False, strip_accents=False)),
    "unclean": changed(normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False)),
    "digits": changed(pre_tokenizer=pre_tokenizers.Sequence([bert, digits])),
    "added": changed(added=["<e-1>", "covid", AddedToken("x_y", normalized=False), AddedToken("[e]", special=True)]),
    "added, then cleaned": changed(added=["a\u037eb", "x\u2260y", "É-t"]),
    "special tokens are text": changed(split_special_tokens=True),
    "course": load_tokenizer("mini/encoder"),
    "lonely": changed(added=[AddedToken("covid", single_word=True)]),
}
WHOLE = {
    "bytes": TOKENIZERS["bytes"],
    "tail": TOKENIZERS["tail"],
    "greedy": changed(added=[AddedToken("<e-1>", lstrip=True, rstrip=True)]),
    "two words": changed(added=["a b"]),
    "other cuts": changed(pre_tokenizer=pre_tokenizers.Sequence([pre_tokenizers.Split(Regex("^b"), "isolated"), bert])),
    "other letters": changed(normalizers.Sequence([normalizers.Replace("a b", "c"), normalizers.BertNormalizer()])),
    "trimmed": changed(post_processor=processors.ByteLevel(trim_offsets=True)),
    "written in Python": changed(pre_tokenizer=pre_tokenizers.PreTokenizer.custom(Whole())),
    "course's translator": load_tokenizer("mini/seq2seq"),
    "course's coder": load_tokenizer("mini/causal"),
}  # fmt: skip


def naive_tokens(tokenizer, text):
    "Ids, offsets and word ids of one text, asked alone."
    found = tokenizer([text], add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    words = [-1 if word is None else word for word in found.word_ids(0)]
    if len(set(tokenizer("a a", add_special_tokens=False).word_ids())) == 1:  # cut at blanks instead
        after = lambda at: next((place for place in range(at, len(text)) if not text[place].isspace()), len(text))
        words = [len(text[: after(begin) + 1].split()) - (after(begin) < len(text)) for begin, _ in found["offset_mapping"][0]]
    return found["input_ids"][0], [tuple(pair) for pair in found["offset_mapping"][0]], words


def agree(tokenizer, given, mostly_new=9):
    "By default few texts are cut into words, too, though it would not pay."
    alone = [naive_tokens(tokenizer, text) for text in given]
    with mock.patch("course_lib.tokens._MOSTLY_NEW", mostly_new):
        ours = tokenize_texts(given, tokenizer)
    assert ours.lengths.tolist() == [len(ids) for ids, _, _ in alone]
    for values, which in ((ours.ids, 0), (ours.word_ids, 2)):
        assert values.dtype == np.int32
        assert values.tolist() == list(chain.from_iterable(row[which] for row in alone))
    pairs = list(zip(ours.starts.tolist(), ours.ends.tolist(), strict=True))
    assert pairs == list(chain.from_iterable(row[1] for row in alone))


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(sorted(CUT)), st.lists(hard_texts, max_size=5))
def test_words_taken_one_by_one_are_the_words_of_the_text(name, given):
    agree(CUT[name], given)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(WHOLE)), st.lists(hard_texts, max_size=5))
def test_texts_that_must_not_be_cut_are_not(name, given):
    agree(WHOLE[name], given)


def test_which_tokenizers_allow_it():
    assert [name for name, one in CUT.items() if not _looks_at_words(one)] == []
    assert [name for name, one in WHOLE.items() if _looks_at_words(one)] == []


@pytest.mark.parametrize("name", ["greedy", "two words", "other cuts", "other letters"])
def test_the_others_would_come_out_wrong(name, monkeypatch):
    "Each reason to keep off is one: cut into words, some text differs."
    monkeypatch.setattr("course_lib.tokens._looks_at_words", lambda _: True)
    with pytest.raises(AssertionError):
        agree(WHOLE[name], ["a <e-1> b", "x_covid", "a b", "bad"])


def test_more_words_than_go_into_one_text():
    "Digits in base 10 as letters: 20,000 distinct words, so that several texts of them are asked for."
    words = ["".join("abcdefghij"[int(digit)] for digit in str(number)) for number in range(20_000)]
    agree(CUT["plain"], [" ".join(words[start::7]) for start in range(7)])


def test_texts_of_blanks_have_no_words():
    agree(CUT["plain"], ["", " \t", "\x00", "\u200b \n"])


def test_a_very_long_word_and_a_very_long_text():
    agree(CUT["plain"], ["a" * 200_000, "ab " * 100_000, "日" * 50_000])


def test_real_prose(shared):
    data = json.loads((shared / "data" / "squad" / "train-v1.1.json").read_text(encoding="utf-8"))
    contexts = [part["context"] for article in data["data"] for part in article["paragraphs"]]
    agree(load_tokenizer(str(shared / "models" / "minilm-l6")), contexts[:300])


@pytest.mark.parametrize("name", ["plain", "bytes"])
def test_arrow_arrays_and_slices_of_them_will_do(name):
    tokenizer = (CUT | WHOLE)[name]
    given = ["cab é", "", "bad.", "日本 cab", "ab"]
    for kind in (pa.string(), pa.large_string()):
        whole = pa.array(given, kind)
        for some in (whole, whole.slice(1, 3), pa.chunked_array([whole.slice(3), whole.slice(0, 1)]), whole.slice(5)):
            ours, wanted = tokenize_texts(some, tokenizer), tokenize_texts(some.to_pylist(), tokenizer)
            assert all(np.array_equal(*pair) for pair in zip(vars(ours).values(), vars(wanted).values(), strict=True))


@pytest.mark.parametrize("name", ["plain", "bytes"])
@pytest.mark.parametrize("given", [[], [""], ["", ""]])
def test_nothing_gives_nothing(name, given):
    found = tokenize_texts(given, (CUT | WHOLE)[name])
    assert found.lengths.tolist() == [0] * len(given)
    assert len(found.ids) == 0
    assert [values.dtype for values in vars(found).values()] == [np.int32] * 4 + [np.int64]


@pytest.mark.parametrize("name", ["plain", "bytes"])
def test_how_the_tokenizer_was_left_does_no_harm(name):
    tokenizer = (CUT | WHOLE)[name]
    tokenizer(["ab ab"], truncation=True, max_length=3, padding="max_length")
    agree(tokenizer, ["ab cab bad ab", "cab"])


def test_a_token_that_is_added_later_is_found():
    tokenizer = word_pieces()
    agree(tokenizer, ["cab-bad"])
    tokenizer.add_tokens(["b-b"])
    agree(tokenizer, ["cab-bad", "b-b"])


@pytest.mark.parametrize(
    "change",
    [
        lambda tokenizer: tokenizer.add_tokens([AddedToken("b", lstrip=True)]),
        lambda tokenizer: tokenizer.add_special_tokens({"mask_token": AddedToken("[MASK]", lstrip=True, special=True)}),
        lambda tokenizer: setattr(tokenizer.backend_tokenizer, "pre_tokenizer", pre_tokenizers.WhitespaceSplit()),
        lambda tokenizer: setattr(tokenizer.backend_tokenizer, "normalizer", normalizers.Replace("a b", "c")),
    ],
)
def test_a_tokenizer_that_is_changed_is_looked_at_again(change):
    "All of these leave the number of tokens as it is."
    tokenizer, some = word_pieces(), ["a, b", "a, [MASK] a.b ab,ab a b"]
    agree(tokenizer, some)
    size = len(tokenizer)
    change(tokenizer)
    assert len(tokenizer) == size
    agree(tokenizer, some)
    special = special_tokens(tokenizer)
    mask = [("[MASK]", tokenizer.mask_token_id)]
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing("[MASK] $A", special_tokens=mask)
    assert special_tokens(tokenizer).ids == ((tokenizer.mask_token_id,), ()) != special.ids


def test_words_that_hardly_repeat_are_not_looked_up(monkeypatch):
    def never(*_):
        raise AssertionError("looked up")

    monkeypatch.setattr("course_lib.tokens._look_up", never)
    agree(CUT["plain"], ["日本日本" * 50, "bad cab", "abcdefghij" * 9], mostly_new=0.5)
    with pytest.raises(AssertionError, match="looked up"):
        tokenize_texts(["bad cab " * 3], CUT["plain"])


def test_what_is_not_text_is_named():
    tokenizer = CUT["plain"]
    assert "Text 1 is None. Give strings." in complaint(lambda: tokenize_texts(["a", None], tokenizer))
    assert "Text 1 is None. Give strings." in complaint(lambda: tokenize_texts(pa.array(["a", None]), tokenizer))
    assert "Text 0 is 3" in complaint(lambda: tokenize_texts([3], tokenizer))
    assert "The texts are int64" in complaint(lambda: tokenize_texts(pa.array([1, 22]), tokenizer))
    assert "The texts are binary" in complaint(lambda: tokenize_texts(pa.array([b"a"]), tokenizer))
    hidden = pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(["a", None]))
    assert "Text 1 is None" in complaint(lambda: tokenize_texts(hidden, tokenizer))
    assert "Give a list of strings" in complaint(lambda: tokenize_texts(None, tokenizer))
    message = complaint(lambda: tokenize_texts(["fine", "ab\ud83d"], tokenizer))
    assert "Text 1 holds half a surrogate pair, at character 2" in message


def test_one_string_is_not_a_list_of_letters():
    assert "Give a list of strings" in complaint(lambda: tokenize_texts("abc", CUT["plain"]))


def test_a_slow_tokenizer_is_refused():
    class Slow:
        is_fast = False

    assert "Slow is a slow tokenizer" in complaint(lambda: tokenize_texts(["a"], Slow()))


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 4))))
def test_ranges_and_bases_are_the_loops(parts):
    starts, lengths = (np.array([part[which] for part in parts], np.int64) for which in (0, 1))
    assert ranges(starts, lengths).tolist() == [start + step for start, length in parts for step in range(length)]
    assert bases(lengths).tolist() == [sum(length for _, length in parts[:place]) for place in range(len(parts))]


@pytest.mark.parametrize("name", sorted(TOKENIZERS))
@pytest.mark.parametrize("given", [["ab"], ["ab", "cab bad"]])
def test_special_tokens_stand_where_the_tokenizer_puts_them(name, given):
    tokenizer = TOKENIZERS[name]
    special, own = special_tokens(tokenizer, len(given)), [naive_tokens(tokenizer, text)[0] for text in given]
    ids, types = list(special.ids[0]), list(special.types[0])
    for text, after, kinds, kind in zip(own, special.ids[1:], special.types[1:], special.text_types, strict=True):
        ids += [*text, *after]
        types += [kind] * len(text) + list(kinds)
    made = tokenizer(*[[text] for text in given], return_token_type_ids=True)
    assert made["input_ids"] == [ids]
    assert made["token_type_ids"] == [types]
