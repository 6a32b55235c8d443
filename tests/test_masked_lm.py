"Chunks, masks and perplexity against independent naive references."

import math
from collections import defaultdict
from dataclasses import replace
from functools import partial
from itertools import chain

import numpy as np
import pyarrow as pa
import pytest
import torch
from accelerate import Accelerator
from complaints import complaint_of
from datasets import Dataset, DatasetDict
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from torch.utils.data import DataLoader
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertTokenizerFast,
    DataCollatorForLanguageModeling,
    DistilBertConfig,
    DistilBertForMaskedLM,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForMaskedLM,
    RoFormerConfig,
    RoFormerForMaskedLM,
)

from course_lib.checkpoints import check_fits, load_model, load_tokenizer, new_weights
from course_lib.data import DataError, load_data
from course_lib.loop import LoopConfig, fit
from course_lib.masked_lm import (
    SETTINGS,
    FreshMasks,
    check_tokenizer,
    evaluate_masked,
    fine_tune,
    freeze_masking,
    group_texts,
    masked_loss,
    pad_rows,
    perplexity,
    perplexity_of,
    preprocess,
    sparse_head,
    tokenize_with_word_ids,
    top_fillers,
    train,
    whole_word_mask,
)
from course_lib.processes import launch
from course_lib.profiles import CourseError

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = "abcdefghij"
PIECES = [*LETTERS, *(f"##{letter}" for letter in LETTERS), *".,!'日本", "é", "##é", "film"]


@pytest.fixture(scope="module")
def tokenizer() -> BertTokenizerFast:
    "Every word of more than one letter has many pieces; accents and case are kept."
    vocabulary = {piece: number for number, piece in enumerate(SPECIAL + PIECES)}
    raw = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    raw.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    raw.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    raw.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return BertTokenizerFast(tokenizer_object=raw, model_max_length=64)


def small_model(seed: int = 0, **config) -> BertForMaskedLM:
    torch.manual_seed(seed)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    sizes |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "max_position_embeddings": 64}
    return BertForMaskedLM(BertConfig(vocab_size=len(SPECIAL) + len(PIECES), **sizes | config)).eval()


def make_texts(count: int, seed: int = 0) -> list[str]:
    "Words in which a letter is mostly followed by the next one: learnable."
    generator = np.random.default_rng(seed)
    texts = []
    for _ in range(count):
        starts = generator.integers(0, 10, generator.integers(0, 20))
        words = ["".join(LETTERS[(start + step) % 10] for step in range(generator.integers(1, 6))) for start in starts]
        texts.append(" ".join(words) + " .")
    return texts


@pytest.fixture(scope="module")
def chunks(tokenizer) -> DatasetDict:
    data = DatasetDict(
        {split: Dataset.from_dict({"text": make_texts(n, n)}) for split, n in (("train", 120), ("validation", 40))}
    )
    return preprocess(data, tokenizer, 16)


# Tokenizing

any_text = st.text(st.characters(codec="utf-8"), max_size=40) | st.text("abcé日 .,'", max_size=40)


@settings(max_examples=80, deadline=None)
@given(st.lists(any_text | st.sampled_from(["", " ", "[SEP] a", "[MASK]", "e\u0301", "😀"]), max_size=6))
def test_tokenizing_gives_what_the_tokenizer_gives_text_by_text(tokenizer, texts):
    found = tokenize_with_word_ids({"text": texts}, tokenizer)
    assert found.num_rows == len(texts)
    for row, text in zip(found.to_pylist(), texts, strict=True):
        alone = tokenizer(text)
        assert row["word_ids"] == [-1 if word is None else word for word in alone.word_ids()]
        assert {name: row[name] for name in alone} == dict(alone)


def test_nothing_is_truncated_and_types_are_small(tokenizer):
    found = tokenize_with_word_ids({"text": ["a " * 500]}, tokenizer)
    assert len(found["input_ids"][0]) == 502
    kinds = {name: found.schema.field(name).type.value_type for name in found.column_names}
    assert kinds == {
        "input_ids": pa.int32(),
        "word_ids": pa.int32(),
        "token_type_ids": pa.int8(),
        "attention_mask": pa.int8(),
    }


def test_type_ids_of_special_tokens_are_kept():
    raw = Tokenizer(models.WordLevel({"<u>": 0, "<cls>": 1, "<m>": 2, "a": 3}, unk_token="<u>"))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    raw.post_processor = processors.TemplateProcessing(single="$A:0 <cls>:2", special_tokens=[("<cls>", 1)])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=raw, unk_token="<u>", cls_token="<cls>", mask_token="<m>",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )  # fmt: skip
    found = tokenize_with_word_ids({"text": ["a a", "a"]}, fast)
    assert found["token_type_ids"].to_pylist() == fast(["a a", "a"])["token_type_ids"] == [[0, 0, 2], [0, 2]]


def test_a_model_without_type_ids_gets_none(tokenizer):
    raw = tokenizer.backend_tokenizer
    names = ["input_ids", "attention_mask"]
    fast = PreTrainedTokenizerFast(
        tokenizer_object=raw, mask_token="[MASK]", unk_token="[UNK]", model_input_names=names
    )
    assert set(tokenize_with_word_ids({"text": ["a"]}, fast).column_names) == {*names, "word_ids"}


class Slow:
    is_fast, mask_token_id = False, 4


@pytest.mark.parametrize("use", [check_tokenizer, lambda t: tokenize_with_word_ids({"text": ["a"]}, t)])
def test_tokenizers_that_cannot_do_it_are_errors(tokenizer, use):
    with pytest.raises(CourseError, match="Slow is a slow tokenizer"):
        use(Slow())
    with pytest.raises(CourseError, match="no mask token"):
        use(PreTrainedTokenizerFast(tokenizer_object=tokenizer.backend_tokenizer))


# Chunks


def naive_groups(columns: dict, size: int, last: str) -> dict:
    found = {}
    for name, lists in columns.items():
        flat = [value for row in lists for value in row]
        rows = [flat[start : start + size] for start in range(0, len(flat), size)]
        found[name] = [row for row in rows if len(row) == size or last == "keep"]
    return found


documents = st.lists(st.lists(st.integers(0, 9), max_size=12) | st.just([]) | st.just([7]), max_size=12)


@settings(max_examples=200, deadline=None)
@given(documents, st.integers(1, 15), st.sampled_from(["drop", "keep"]), st.integers(1, 4), st.integers(0, 5))
def test_groups_are_those_of_the_loop(rows, size, last, columns, cut):
    batch = {f"c{number}": [[value + number for value in row] for row in rows] for number in range(columns)}
    expected = naive_groups(batch, size, last)
    before = {name: [list(row) for row in lists] for name, lists in batch.items()}
    assert group_texts(batch, size, last) == expected
    assert batch == before, "the input is as it was"
    kind = pa.list_(pa.int32())
    table = pa.table({name: pa.array(lists, kind) for name, lists in batch.items()})
    pieces = pa.concat_tables([table.slice(0, cut), table.slice(cut)])  # several chunks, and slices with an offset
    for form in (table, pieces):
        found = group_texts(form, size, last)
        assert found.to_pydict() == expected
        assert set(found.schema.types) == {kind}
    assert table.to_pydict() == before


def test_columns_of_unequal_rows_or_no_lists_are_errors():
    with pytest.raises(DataError, match="'b' differ in the lengths"):
        group_texts({"a": [[1, 2], [3]], "b": [[1], [2, 3]]}, 2)
    with pytest.raises(DataError, match="'b' differ in the lengths"):
        group_texts(pa.table({"a": [[1, 2], [3]], "b": [[1], [2, 3]]}), 2)
    with pytest.raises(DataError, match="'text' holds string"):
        group_texts(pa.table({"text": ["x"], "a": [[1]]}), 2)
    with pytest.raises(CourseError, match="chunk_size=0"):
        group_texts({"a": [[1]]}, 0)
    with pytest.raises(CourseError, match="Did you mean 'drop'"):
        group_texts({"a": [[1]]}, 1, "drp")


def test_preprocess_loses_nothing_but_the_last_piece(tokenizer):
    texts = make_texts(2300)
    data = DatasetDict(train=Dataset.from_dict({"text": texts}))
    expected = []
    for start in range(0, len(texts), 1000):
        ids = [token for text in texts[start : start + 1000] for token in tokenizer(text)["input_ids"]]
        expected += [ids[place : place + 16] for place in range(0, len(ids), 16)]
    assert preprocess(data, tokenizer, 16, "keep")["train"]["input_ids"][:] == expected
    assert preprocess(data, tokenizer, 16)["train"]["input_ids"][:] == [ids for ids in expected if len(ids) == 16]


def test_a_chunk_that_does_not_fit_is_an_error(tokenizer, tmp_path):
    small_model(max_position_embeddings=32).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    chosen = replace(SETTINGS["tiny"], checkpoint=str(tmp_path), train_size=4, validation_size=4, chunk_size=33)
    with pytest.raises(CourseError, match="chunk_size=33 does not fit the model; use 8 to 32"):
        train(chosen)


def test_a_corpus_shorter_than_a_chunk_is_an_error(tokenizer):
    data = DatasetDict(
        train=Dataset.from_dict({"text": make_texts(50)}), validation=Dataset.from_dict({"text": ["", "a"]})
    )
    with pytest.raises(
        DataError, match="validation: all its texts together are shorter than one chunk of 16"
    ) as caught:
        preprocess(data, tokenizer, 16)
    assert "\n" not in str(caught.value)
    assert len(preprocess(data, tokenizer, 16, "keep")["validation"]) == 1


# Masks


def words_of(row: dict, special: set) -> list:
    "Runs of positions with the same word id; special tokens end a run and belong to none."
    runs = defaultdict(list)
    run = 0
    for position, (word, token) in enumerate(zip(row["word_ids"], row["input_ids"], strict=True)):
        if word == -1 or token in special:
            run += 1
            continue
        if runs[run] and row["word_ids"][runs[run][-1]] != word:
            run += 1
        runs[run].append(position)
    return [positions for positions in runs.values() if positions]


def naive_mask(rows: list, tokenizer, rate: float, dice: np.random.Generator) -> tuple[list, list]:
    "Draws in the same order as ours: all words, then all chosen tokens, then all replacements."
    special = set(tokenizer.all_special_ids)
    allowed = [token for token in sorted(tokenizer.get_vocab().values()) if token not in special]
    words = [(number, word) for number, row in enumerate(rows) for word in words_of(row, special)]
    throws = dice.random(len(words))
    chosen = [
        (number, place) for (number, word), throw in zip(words, throws, strict=True) if throw < rate for place in word
    ]
    shown, labels = [list(row["input_ids"]) for row in rows], [[-100] * len(row["input_ids"]) for row in rows]
    replace = []
    for (number, place), throw in zip(chosen, dice.random(len(chosen)), strict=True):
        labels[number][place] = shown[number][place]
        if throw < 0.8:
            shown[number][place] = tokenizer.mask_token_id
        elif throw >= 0.9:
            replace.append((number, place))
    for (number, place), pick in zip(replace, dice.integers(len(allowed), size=len(replace)), strict=True):
        shown[number][place] = allowed[pick]
    return shown, labels


def pad(lists: list, fill: int) -> list:
    width = max(map(len, lists), default=0)
    return [row + [fill] * (width - len(row)) for row in lists]


texts_to_mask = st.lists(
    st.text("abcé日 .,'😀", max_size=30) | st.just("") | st.just("a [SEP] bcd [MASK]"), min_size=1, max_size=6
)


@settings(max_examples=150, deadline=None)
@given(texts_to_mask, st.integers(1, 20), st.floats(0, 1), st.integers(0, 99), st.booleans())
def test_whole_words_are_masked_as_the_loop_masks_them(tokenizer, texts, size, rate, seed, as_columns):
    table = group_texts(tokenize_with_word_ids({"text": texts}, tokenizer), size, "keep")
    rows, columns = table.to_pylist(), table.to_pydict()
    given_rows = columns if as_columns else rows
    before = str(given_rows)
    found = whole_word_mask(given_rows, tokenizer, rate, np.random.default_rng(seed))
    shown, labels = naive_mask(rows, tokenizer, rate, np.random.default_rng(seed))
    assert found["input_ids"].tolist() == pad(shown, tokenizer.pad_token_id)
    assert found["labels"].tolist() == pad(labels, -100)
    assert found["attention_mask"].tolist() == pad(columns["attention_mask"], 0)
    assert found["token_type_ids"].tolist() == pad(columns["token_type_ids"], 0)
    assert set(found) == {"input_ids", "attention_mask", "token_type_ids", "labels"}
    assert {tensor.dtype for tensor in found.values()} == {torch.int64}
    assert str(given_rows) == before, "the input is as it was"
    special = np.isin(pad(columns["input_ids"], 0), tokenizer.all_special_ids)
    assert (found["labels"].numpy()[special] == -100).all()


@pytest.mark.parametrize("make", [np.asarray, torch.tensor])
def test_arrays_and_tensors_are_columns_too(tokenizer, chunks, make):
    plain = chunks["train"][:9]
    arrays = {name: make(values) for name, values in plain.items()}
    rows = [{name: column[row] for name, column in arrays.items()} for row in range(9)]
    before = {name: np.array(values) for name, values in arrays.items()}
    results = [whole_word_mask(form, tokenizer, 0.5, np.random.default_rng(1)) for form in (plain, arrays, rows)]
    for other in results[1:]:
        assert all(torch.equal(other[name], tensor) for name, tensor in results[0].items())
    results[1]["input_ids"].zero_()
    assert all(np.array_equal(np.asarray(arrays[name]), values) for name, values in before.items())


def test_rate_and_fates_are_met(tokenizer, chunks):
    rows = chunks["train"][:]
    for rate in (0.15, 0.4):
        batch = whole_word_mask(rows, tokenizer, rate, np.random.default_rng(0))
        ids, labels = batch["input_ids"].numpy(), batch["labels"].numpy()
        chosen = labels != -100
        hideable = ~np.isin(rows["input_ids"], tokenizer.all_special_ids)
        tokens, words = (
            hideable.sum(),
            sum(len(words_of(dict(zip(rows, row, strict=True)), {2, 3})) for row in zip(*rows.values(), strict=True)),
        )
        assert not (chosen & ~hideable).any()
        # Tokens of a word share one throw, so the error is that of the words; the longest has 5 pieces.
        assert abs(chosen.sum() / tokens - rate) < 4 * math.sqrt(rate * (1 - rate) / words) * 1.5
        masked, kept = ids[chosen] == tokenizer.mask_token_id, ids[chosen] == labels[chosen]
        replaced = ids[chosen & (ids != labels) & (ids != tokenizer.mask_token_id)]
        for share, expected in ((masked.mean(), 0.8), (kept.mean(), 0.1), (len(replaced) / chosen.sum(), 0.1)):
            assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / chosen.sum()) + 0.01
        assert not np.isin(replaced, tokenizer.all_special_ids).any()


def test_an_unknown_piece_within_a_word_is_left_alone(tokenizer):
    rows = [{"input_ids": [2, 1, 5, 6, 1, 7, 8, 9, 3], "word_ids": [-1, 0, 0, 0, 0, 0, 1, 1, -1]}] * 30
    for seed in range(5):
        found = whole_word_mask(rows, tokenizer, 0.4, np.random.default_rng(seed))
        shown, labels = naive_mask(rows, tokenizer, 0.4, np.random.default_rng(seed))
        assert (found["input_ids"].tolist(), found["labels"].tolist()) == (shown, labels)


def test_words_that_no_space_separates_are_not_joined(tokenizer):
    rows = tokenize_with_word_ids({"text": ["ab,cd'e.日本"] * 400}, tokenizer).to_pylist()
    chosen = whole_word_mask(rows, tokenizer, 0.5, np.random.default_rng(0))["labels"].numpy() != -100
    together = (chosen[:, 1:] == chosen[:, :-1]).mean(0)
    tied = [left == right != -1 for left, right in zip(rows[0]["word_ids"], rows[0]["word_ids"][1:], strict=False)]
    assert len(tied) == 11
    for share, expected in zip(together[1:-1], tied[1:-1], strict=True):
        assert share == 1 if expected else 0.3 < share < 0.7


def test_the_seed_of_torch_decides_where_no_generator_is_given(tokenizer, chunks):
    rows = chunks["train"][:20]
    found = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        found.append(whole_word_mask(rows, tokenizer)["labels"])
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_tokens_added_later_are_masked_too(tokenizer):
    import copy

    own = copy.deepcopy(tokenizer)
    whole_word_mask(tokenize_with_word_ids({"text": ["a"]}, own).to_pylist(), own)
    own.add_tokens(["cinema"])
    rows = tokenize_with_word_ids({"text": ["cinema a"]}, own).to_pylist()
    labels = whole_word_mask(rows, own, 1.0)["labels"].tolist()
    assert labels == [[-100, len(own) - 1, own.convert_tokens_to_ids("a"), -100]]


@pytest.mark.parametrize("rate", [-0.1, 1.5, float("nan")])
def test_a_rate_that_is_no_share_is_an_error(tokenizer, chunks, rate):
    with pytest.raises(CourseError, match=f"mask_rate={rate}"):
        whole_word_mask(chunks["train"][:2], tokenizer, rate)
    with pytest.raises(CourseError, match=f"mask_rate={rate}"):
        freeze_masking(chunks["train"], tokenizer, rate)


def test_rows_that_cannot_be_masked_are_errors(tokenizer, chunks):
    with pytest.raises(DataError, match="no word_ids"):
        whole_word_mask([{"input_ids": [2, 5, 3]}], tokenizer)
    with pytest.raises(DataError, match="no word_ids"):
        freeze_masking(chunks["train"].remove_columns("word_ids"), tokenizer, whole_words=True)
    for wrong in ({"word_ids": [-1, 0]}, {"word_ids": [-1, 0, -1], "attention_mask": [1, 1]}):
        with pytest.raises(DataError, match="differ in the lengths"):
            whole_word_mask([{"input_ids": [2, 5, 3]} | wrong], tokenizer)


# Fresh masks


def naive_hash(number: int) -> int:
    "SplitMix64's last step, in Python's integers."
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    number = (number ^ number >> 27) * 0x94D049BB133111EB % 2**64
    return number ^ number >> 31


def naive_fresh(row: dict, tokenizer, rate: float, whole_words: bool, seed: int, epoch: int) -> tuple[list, list]:
    "One row, one token after the other."
    special = set(tokenizer.all_special_ids)
    allowed = [token for token in sorted(tokenizer.get_vocab().values()) if token not in special]
    stride, ids = 0x9E3779B97F4A7C15, row["input_ids"]
    salt = int(np.random.SeedSequence((seed, epoch)).generate_state(1, np.uint64)[0])
    key = naive_hash((sum(naive_hash((t + 3 * n * stride) % 2**64) for n, t in enumerate(ids)) + salt) % 2**64)

    def throw(place: int, which: int) -> float:
        return (naive_hash((key + (3 * place + which) * stride) % 2**64) >> 11) / 2**53

    words = words_of(row, special) if whole_words else [[n] for n, token in enumerate(ids) if token not in special]
    shown, labels = list(ids), [-100] * len(ids)
    for place in (place for word in words if throw(word[0], 0) < rate for place in word):
        labels[place] = ids[place]
        if throw(place, 1) < 0.8:
            shown[place] = tokenizer.mask_token_id
        elif throw(place, 1) >= 0.9:
            shown[place] = allowed[int(throw(place, 2) * len(allowed))]
    return shown, labels


@settings(max_examples=100, deadline=None)
@given(
    texts_to_mask,
    st.integers(1, 20),
    st.floats(0, 1),
    st.booleans(),
    st.integers(0, 2**70),
    st.integers(0, 9),
    st.data(),
)
def test_fresh_masks_follow_from_seed_epoch_and_row_alone(tokenizer, texts, size, rate, whole, seed, epoch, data):
    table = group_texts(tokenize_with_word_ids({"text": texts}, tokenizer), size, "keep")
    rows, before = table.to_pylist(), str(table.to_pylist())
    collate = FreshMasks(tokenizer, rate, whole, seed)
    collate.set_epoch(epoch)
    shown, labels = map(
        list, zip(*(naive_fresh(row, tokenizer, rate, whole, seed, epoch) for row in rows), strict=True)
    )
    order = data.draw(st.permutations(range(len(rows))))
    cut = data.draw(st.integers(1, len(rows)))
    parts = [list(range(len(rows))), order[:cut], *([order[cut:]] if cut < len(rows) else [])]
    for part in parts:
        found = collate([rows[index] for index in part])
        assert found["input_ids"].tolist() == pad([shown[index] for index in part], tokenizer.pad_token_id)
        assert found["labels"].tolist() == pad([labels[index] for index in part], -100)
        assert found["attention_mask"].tolist() == pad([rows[index]["attention_mask"] for index in part], 0)
    columns = collate(table.to_pydict())
    assert columns["labels"].tolist() == pad(labels, -100)
    assert {tensor.dtype for tensor in columns.values()} == {torch.int64}
    assert str(rows) == before, "the input is as it was"


def test_no_row_at_all_is_an_empty_batch(tokenizer):
    assert FreshMasks(tokenizer)([])["input_ids"].shape == (0, 0)
    assert FreshMasks(tokenizer)([{"input_ids": []}, {"input_ids": [5]}])["attention_mask"].tolist() == [[0], [1]]


@pytest.mark.parametrize("whole", [False, True])
def test_shares_of_fresh_masks(tokenizer, chunks, whole):
    rows, collate = chunks["train"][:], FreshMasks(tokenizer, 0.15, whole)
    ids = np.array(rows["input_ids"])
    hideable = ~np.isin(ids, tokenizer.all_special_ids)
    chosen, masked, kept, replaced, hidden = 0, 0, 0, [], np.zeros(ids.shape)
    epochs = 40
    for epoch in range(epochs):
        collate.set_epoch(epoch)
        batch = collate(rows)
        shown, labels = batch["input_ids"].numpy(), batch["labels"].numpy()
        assert np.array_equal(np.where(labels == -100, shown, labels), ids)
        here = labels != -100
        assert not (here & ~hideable).any()
        masked, kept = masked + (here & (shown == 4)).sum(), kept + (here & (shown == labels)).sum()
        replaced.append(shown[here & (shown != labels) & (shown != 4)])
        chosen, hidden = chosen + here.sum(), hidden + here
    replaced = np.concatenate(replaced)
    share, throws = chosen / (epochs * hideable.sum()), epochs * hideable.sum() / (2.5 if whole else 1)
    assert abs(share - 0.15) < 4 * math.sqrt(0.15 * 0.85 / throws) * (1.5 if whole else 1)
    # A random token is the token itself once in a while, hence the small differences.
    alike = 0.1 / len(PIECES)
    for found, expected in ((masked, 0.8), (kept, 0.1 + alike), (len(replaced), 0.1 - alike)):
        assert abs(found / chosen - expected) < 4 * math.sqrt(expected * (1 - expected) / chosen)
    assert not np.isin(replaced, tokenizer.all_special_ids).any()
    assert set(replaced) == set(range(5, len(tokenizer))), "every ordinary token is a replacement now and then"
    # Over the epochs each place is hidden as often as the others: binomial, whose variance is n p (1 - p).
    variance = hidden[hideable].var() / (epochs * 0.15 * 0.85)
    assert abs(variance - 1) < 4 * math.sqrt(2 / hideable.sum()) * (2 if whole else 1)


def test_neighbouring_epochs_seeds_places_and_rows_have_nothing_in_common(tokenizer):
    rate, length = 0.5, 4000
    dice = np.random.default_rng(0)
    rows = [{"input_ids": dice.integers(5, len(tokenizer), length).tolist()} for _ in range(2)]
    rows.append({"input_ids": [*rows[0]["input_ids"][:-1], 5 + (rows[0]["input_ids"][-1] == 5)]})  # one token differs
    rows.append({"input_ids": [*rows[0]["input_ids"][1::-1], *rows[0]["input_ids"][2:]]})  # two change places
    rows.append({"input_ids": [7] * length})  # equal tokens
    hidden = []
    for seed, epoch in ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2)):
        hidden += list(FreshMasks(tokenizer, rate, seed=seed, epoch=epoch)(rows)["labels"].numpy() != -100)
    assert rows[0] != rows[3]
    correlation = np.corrcoef(hidden)
    shifted = np.corrcoef([throws[:-1] for throws in hidden], [throws[1:] for throws in hidden])
    for found in (correlation[~np.eye(len(hidden), dtype=bool)], shifted[: len(hidden), len(hidden) :]):
        assert np.abs(found).max() < 5 / math.sqrt(length)


def test_workers_of_the_loader_mask_alike(tokenizer, chunks):
    collate, found = FreshMasks(tokenizer, whole_words=True), {}
    for workers in (0, 2):
        loader = DataLoader(chunks["train"], batch_size=7, collate_fn=collate, num_workers=workers)
        for epoch in range(2):
            collate.set_epoch(epoch)
            found[workers, epoch] = torch.cat([batch["labels"] for batch in loader])
    for epoch in range(2):
        assert torch.equal(found[0, epoch], found[2, epoch])
    assert not torch.equal(found[0, 0], found[0, 1])


def test_fresh_masks_that_cannot_be_are_errors(tokenizer):
    with pytest.raises(CourseError, match="mask_rate=2"):
        FreshMasks(tokenizer, 2)
    with pytest.raises(CourseError, match="seed=-1 is negative"):
        FreshMasks(tokenizer, seed=-1)
    with pytest.raises(DataError, match="no word_ids"):
        FreshMasks(tokenizer, whole_words=True)([{"input_ids": [2, 5, 3]}])


# Frozen masks


@pytest.mark.parametrize("whole", [False, True])
def test_frozen_masks_hide_by_seed(tokenizer, chunks, whole):
    rows = chunks["validation"]
    before = rows.to_dict()
    frozen, again, other = (freeze_masking(rows, tokenizer, 0.3, seed, whole_words=whole) for seed in (0, 0, 1))
    assert frozen.to_dict() == again.to_dict() != other.to_dict()
    assert rows.to_dict() == before
    assert set(frozen.column_names) == {"input_ids", "token_type_ids", "attention_mask", "labels"}
    shown, labels, ids = (
        np.array(column) for column in (frozen["input_ids"][:], frozen["labels"][:], rows["input_ids"][:])
    )
    assert np.array_equal(np.where(labels == -100, shown, labels), ids), "labels and what is shown make the text"
    assert not np.isin(labels, tokenizer.all_special_ids).any()
    if whole:
        expected = naive_mask(rows.to_list(), tokenizer, 0.3, np.random.default_rng(0))
        assert (shown.tolist(), labels.tolist()) == expected


def test_freezing_a_selection_and_short_rows(tokenizer):
    data = DatasetDict(train=Dataset.from_dict({"text": make_texts(30)}))
    rows = preprocess(data, tokenizer, 16, "keep")["train"]
    chosen = rows.select([len(rows) - 1, 3, 3, 0])
    frozen = freeze_masking(chosen, tokenizer, 0.5, whole_words=True)
    shown, labels = naive_mask(chosen.to_list(), tokenizer, 0.5, np.random.default_rng(0))
    assert frozen["input_ids"][:] == shown
    assert frozen["labels"][:] == labels
    assert pad_rows(frozen.to_list(), tokenizer)["labels"].tolist() == pad(labels, -100)
    assert len(freeze_masking(rows.select([]), tokenizer)) == 0


def test_the_rate_of_frozen_tokens(tokenizer, chunks):
    frozen = freeze_masking(chunks["train"], tokenizer, 0.15)
    labels = np.array(frozen["labels"][:])
    hideable = ~np.isin(chunks["train"]["input_ids"][:], tokenizer.all_special_ids)
    share = (labels != -100).sum() / hideable.sum()
    assert abs(share - 0.15) < 4 * math.sqrt(0.15 * 0.85 / hideable.sum())


# Perplexity


def naive_loss(model, dataset) -> tuple[float, int]:
    "One row at a time, all logits, one hidden token at a time."
    total, count = 0.0, 0
    for row in dataset:
        batch = {name: torch.tensor([values]) for name, values in row.items() if name != "labels"}
        with torch.no_grad():
            logits = model(**batch).logits[0].double().log_softmax(-1)
        for place, label in enumerate(row["labels"]):
            if label != -100:
                total, count = total - logits[place, label].item(), count + 1
    return total, count


@pytest.mark.parametrize("batch_size", [1, 7, 64])
@pytest.mark.parametrize("last", ["drop", "keep"])
def test_perplexity_is_exact_for_any_batch_size(tokenizer, batch_size, last):
    data = DatasetDict(train=Dataset.from_dict({"text": make_texts(40)}))
    frozen = freeze_masking(preprocess(data, tokenizer, 16, last)["train"], tokenizer)
    model, collate = small_model(), partial(pad_rows, tokenizer=tokenizer)
    total, count = naive_loss(model, frozen)
    found = masked_loss(model, frozen, collate, batch_size=batch_size)
    assert found[1] == count
    assert found[0] == pytest.approx(total, rel=1e-6)
    assert perplexity(model, frozen, collate, batch_size=batch_size) == pytest.approx(math.exp(total / count), rel=1e-6)
    assert evaluate_masked(model, None, frozen, collate) == pytest.approx(
        {"perplexity": math.exp(total / count), "loss": total / count}, rel=1e-6
    )


def test_perplexity_is_the_same_for_one_and_two_processes(tokenizer, chunks):
    frozen = freeze_masking(chunks["validation"], tokenizer)

    def score():
        model, collate = small_model(), partial(pad_rows, tokenizer=tokenizer)
        # The last size leaves the second process without any batch.
        accelerator, sizes = Accelerator(), (1, 7, 500)
        sums = [masked_loss(model, frozen, collate, batch_size=size, accelerator=accelerator) for size in sizes]
        return [*chain(*sums), perplexity(model, frozen, collate, accelerator=accelerator)]

    (alone,) = launch(score, num_processes=1)
    both = launch(score, num_processes=2)
    assert both[0] == both[1] == pytest.approx(alone, rel=1e-6)
    assert both[0][1] == sum(label != -100 for labels in frozen["labels"] for label in labels), "each token counts once"


@pytest.mark.parametrize("use", ["masked_loss", "top_fillers"])
def test_an_evaluation_that_fails_leaves_the_model_as_it_was(tokenizer, chunks, use):
    model, seen = small_model().train(), []

    def interrupt(module, args):
        seen.append((model.training, torch.is_inference_mode_enabled()))
        if len(seen) == 2:
            raise KeyboardInterrupt

    model.get_input_embeddings().register_forward_pre_hook(interrupt)
    frozen, exam = freeze_masking(chunks["validation"], tokenizer), partial(pad_rows, tokenizer=tokenizer)
    uses = {
        "masked_loss": partial(masked_loss, model, frozen, exam),
        "top_fillers": partial(top_fillers, model, tokenizer, ["[MASK]"] * 5),
    }
    with pytest.raises(KeyboardInterrupt):
        uses[use](batch_size=2)
    assert seen == 2 * [(False, True)]
    assert model.training
    assert not torch.is_inference_mode_enabled()
    assert not model._forward_hooks
    assert not model.get_output_embeddings()._forward_pre_hooks


def test_perplexity_of_extremes():
    assert perplexity_of(0.0, 5) == 1
    assert perplexity_of(7097.0, 10) == pytest.approx(math.exp(709.7))
    assert perplexity_of(7098.0, 10) == math.inf
    with pytest.raises(DataError, match="nothing to guess"):
        perplexity_of(0.0, 0)


def test_losses_are_summed_in_double_precision(tokenizer, chunks):
    frozen = freeze_masking(chunks["train"], tokenizer, 0.9)
    model, collate = small_model(), partial(pad_rows, tokenizer=tokenizer)
    batch = collate(frozen[:])
    with torch.inference_mode(), sparse_head(model):
        logits, labels = model(**batch).logits, batch["labels"][batch["labels"] != -100]
    losses = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    found = masked_loss(model, frozen, collate, batch_size=len(frozen))
    assert found == (pytest.approx(math.fsum(losses.tolist()), rel=1e-12), len(labels))
    assert losses.sum().item() != pytest.approx(found[0], rel=1e-12), "in single precision it would be seen"


def small(kind: type, config: type, **names) -> torch.nn.Module:
    torch.manual_seed(0)
    return kind(config(vocab_size=len(SPECIAL) + len(PIECES), **names))


WIDE = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
ARCHITECTURES = {
    "bert": lambda: small(BertForMaskedLM, BertConfig, max_position_embeddings=64, **WIDE),
    "roberta": lambda: small(RobertaForMaskedLM, RobertaConfig, max_position_embeddings=80, **WIDE),
    "roformer": lambda: small(RoFormerForMaskedLM, RoFormerConfig, max_position_embeddings=64, embedding_size=16, **WIDE),
    "distilbert": lambda: small(DistilBertForMaskedLM, DistilBertConfig, max_position_embeddings=64, dim=16, n_layers=1, n_heads=2, hidden_dim=32),
}  # fmt: skip


@pytest.mark.parametrize("kind", ARCHITECTURES)
@pytest.mark.parametrize("hidden_head", [False, True])
def test_the_sparse_head_gives_the_same_loss_and_gradients(tokenizer, chunks, kind, hidden_head, monkeypatch):
    model = ARCHITECTURES[kind]().eval()
    batch = whole_word_mask(chunks["train"][:6], tokenizer, 0.3, np.random.default_rng(0))
    if kind == "distilbert":
        batch.pop("token_type_ids")
    if hidden_head:  # a model whose last layer cannot be found
        monkeypatch.setattr(model, "get_output_embeddings", lambda: None)

    def step():
        model.zero_grad()
        output = model(**batch)
        output.loss.backward()
        return output, [None if p.grad is None else p.grad.clone() for p in model.parameters()]

    plain, expected = step()
    with sparse_head(model), sparse_head(model):
        sparse, found = step()
        without = model(**{name: tensor for name, tensor in batch.items() if name != "labels"})
    assert sparse.loss.item() == pytest.approx(plain.loss.item(), abs=1e-5)
    assert torch.allclose(sparse.logits, plain.logits[batch["labels"] != -100], atol=1e-5)
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours is None) == (theirs is None)
        assert ours is None or torch.allclose(ours, theirs, atol=1e-5)
    assert without.loss is None
    assert without.logits.shape == plain.logits.shape, "without labels nothing is left out"
    after, _ = step()
    assert torch.equal(after.logits, plain.logits), "after the block the model is as it was"


def test_the_sparse_head_survives_a_batch_without_masks(tokenizer, chunks):
    model = small_model()
    with sparse_head(model):
        output = model(**whole_word_mask(chunks["train"][:2], tokenizer, 0.0))
    assert output.loss.item() == 0


def test_the_hooks_go_after_an_error(tokenizer):
    model = small_model()
    with pytest.raises(RuntimeError), sparse_head(model):
        raise RuntimeError
    assert not model._forward_hooks
    assert not model._forward_pre_hooks
    assert not model.get_output_embeddings()._forward_pre_hooks
    with sparse_head(model):
        assert model._forward_hooks


# Training


def test_adaptation_lowers_perplexity_and_repeats(tokenizer, chunks):
    frozen = freeze_masking(chunks["validation"], tokenizer)
    exam = partial(pad_rows, tokenizer=tokenizer)
    evaluate = partial(evaluate_masked, dataset=frozen, collate=exam)
    config = LoopConfig(num_epochs=12, batch_size=16, learning_rate=1e-2)
    collate, runs = partial(whole_word_mask, tokenizer=tokenizer), []
    for _ in range(2):
        model = small_model()
        with sparse_head(model):
            history = fit(model, chunks["train"], collate, config, evaluate=evaluate, progress=False)
        runs.append([record["perplexity"] for record in history.evaluations])
    assert runs[0] == runs[1], "the same seed gives the same perplexity twice"
    assert runs[0][-1] < 0.7 * perplexity(small_model(), frozen, exam)
    assert perplexity(model, frozen, exam) == pytest.approx(runs[0][-1], rel=1e-6)


def test_training_with_a_sparse_head_in_two_processes_is_training_in_one(tokenizer, chunks):
    frozen, exam = freeze_masking(chunks["train"].select(range(50)), tokenizer), partial(pad_rows, tokenizer=tokenizer)

    def short_run():
        model, config = small_model(), LoopConfig(num_epochs=1, batch_size=8, learning_rate=1e-2)
        with sparse_head(model):
            history = fit(model, frozen, exam, config, progress=False)
        return [record["loss"] for record in history.steps]

    (alone,) = launch(short_run, num_processes=1)
    both = launch(short_run, num_processes=2)
    assert both[0] == both[1] == pytest.approx(alone, abs=1e-4)
    model = small_model()
    fit(model, frozen, exam, LoopConfig(num_epochs=1, batch_size=8, learning_rate=1e-2), progress=False)
    with sparse_head(other := small_model()):
        fit(other, frozen, exam, LoopConfig(num_epochs=1, batch_size=8, learning_rate=1e-2), progress=False)
    for plain, sparse in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.allclose(plain, sparse, atol=1e-3)


def test_settings_and_options_reach_fit(tokenizer, chunks, monkeypatch):
    chosen = replace(SETTINGS["tiny"], num_epochs=7, warmup=0.3, mixed_precision="bf16", seed=5)
    monkeypatch.setattr("course_lib.masked_lm.fit", lambda *args, **options: (*args, options))
    model, _, _, config, options = fine_tune(small_model(), tokenizer, chunks, chosen)
    assert config == LoopConfig.from_settings(chosen)
    assert (config.num_epochs, config.warmup, config.mixed_precision, config.seed) == (7, 0.3, "bf16", 5)
    assert options["evaluate"].func is evaluate_masked
    own = lambda model, accelerator: {"constant": 1.0}
    assert fine_tune(model, tokenizer, chunks, chosen, evaluate=own, progress=False)[-1] == {
        "evaluate": own,
        "progress": False,
    }


def test_the_exam_is_in_full_precision_while_training_is_not(tokenizer, chunks):
    chosen = replace(SETTINGS["tiny"], num_epochs=1, mixed_precision="bf16")
    model, seen = small_model(), []
    model.get_output_embeddings().register_forward_hook(
        lambda module, args, output: seen.append((module.training, output.dtype))
    )
    history = fine_tune(model, tokenizer, chunks, chosen, progress=False)
    assert set(seen) == {(True, torch.bfloat16), (False, torch.float32)}
    frozen = freeze_masking(chunks["validation"], tokenizer, chosen.mask_rate, chosen.seed)
    again = evaluate_masked(model, None, frozen, partial(pad_rows, tokenizer=tokenizer))
    assert history.evaluations[-1] | again == history.evaluations[-1]


class Stop(Exception):
    pass


class Watched(FreshMasks):
    "Notes the epoch of each batch, and stops before the given one."

    def __init__(self, *args, stop: int | None = None, **options):
        super().__init__(*args, **options)
        self.seen, self.stop = [], stop

    def __call__(self, rows):
        if len(self.seen) == self.stop:
            raise Stop
        self.seen.append(self.epoch)
        return super().__call__(rows)


@pytest.mark.parametrize("whole", [False, True])
def test_a_resumed_run_masks_as_one_that_never_stopped(tokenizer, chunks, tmp_path, whole):
    config = LoopConfig(num_epochs=2, batch_size=8, learning_rate=1e-2)
    rows = chunks["train"].select(range(50))  # 7 steps in an epoch

    def run(stop: int | None = None, **options):
        model, collate = small_model(), Watched(tokenizer, whole_words=whole, stop=stop)
        with sparse_head(model):
            history = fit(model, rows, collate, config, progress=False, **options)
        return history.to_dict(), [parameter.detach().clone() for parameter in model.parameters()], collate.seen

    expected, weights, seen = run()
    assert seen == 7 * [0] + 7 * [1]
    options = {"folder": tmp_path, "save_every": 3, "resume": True}
    with pytest.raises(Stop):
        run(11, **options)  # in the second epoch, after the state of step 9
    found, again, seen = run(**options)
    assert seen == 5 * [1]
    assert found == expected
    assert all(map(torch.equal, weights, again))


# Fillers


def naive_fillers(model, tokenizer, text: str, k: int) -> list:
    encoded = tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        probabilities = model(**encoded).logits[0].softmax(-1)
    found = []
    for place, token in enumerate(encoded["input_ids"][0].tolist()):
        if token == tokenizer.mask_token_id:
            values = probabilities[place].tolist()
            best = sorted(range(len(values)), key=lambda number: (-values[number], number))[:k]
            found.append([(tokenizer.decode([number]).strip(), values[number]) for number in best])
    return found


def test_fillers_are_those_of_one_text_at_a_time(tokenizer):
    model = small_model()
    texts = [
        "[MASK]",
        "a [MASK] bcd [MASK] .",
        "é日本 😀 e\u0301 [MASK]",
        "[MASK] [MASK] [MASK]",
        "ab " * 25 + "[MASK]",
        "a [MASK]",
    ]
    for batch_size in (1, 2, 32):
        found = top_fillers(model, tokenizer, texts, 3, batch_size=batch_size)
        for holes, text in zip(found, texts, strict=True):
            expected = naive_fillers(model, tokenizer, text, 3)
            assert [[filler.token for filler in hole] for hole in holes] == [
                [token for token, _ in hole] for hole in expected
            ]
            for hole, other in zip(holes, expected, strict=True):
                assert [filler.probability for filler in hole] == pytest.approx([value for _, value in other], abs=1e-5)
    alone = top_fillers(model, tokenizer, texts[1], 3)
    assert [[filler.token for filler in hole] for hole in alone] == [
        [filler.token for filler in hole] for hole in found[1]
    ]
    assert top_fillers(model, tokenizer, []) == []


def test_equally_likely_tokens_come_by_id(tokenizer):
    model = small_model()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    tokens = [filler.token for filler in top_fillers(model, tokenizer, "[MASK]", 7)[0]]
    assert tokens == (SPECIAL + PIECES)[:7]


def test_texts_that_cannot_be_filled_are_errors(tokenizer):
    model = small_model()
    with pytest.raises(CourseError, match=r"'no hole' has no hole. Write \[MASK\]"):
        top_fillers(model, tokenizer, ["[MASK]", "no hole"])
    with pytest.raises(CourseError, match="has 103 tokens, the model reads 64"):
        top_fillers(model, tokenizer, "a " * 100 + "[MASK]")
    for k in (0, 1000):
        with pytest.raises(CourseError, match=f"k={k}"):
            top_fillers(model, tokenizer, "[MASK]", k)
    with pytest.raises(CourseError, match="slow"):
        top_fillers(model, Slow(), "[MASK]")


# Real data


def test_the_chapter_s_path_on_real_reviews(shared):
    raw = load_data(shared / "data" / "imdb", "texts", train_size=24, validation_size=8)
    tokenizer = load_tokenizer("mini/encoder")
    data = preprocess(raw, tokenizer, SETTINGS["tiny"].chunk_size)
    expected = DataCollatorForLanguageModeling(tokenizer)([data["train"].remove_columns("word_ids")[0]])
    batch = whole_word_mask([data["train"][0]], tokenizer)
    assert {name: tensor.shape for name, tensor in batch.items()} == {
        name: tensor.shape for name, tensor in expected.items()
    }
    model = load_model("masked-lm", "mini/encoder")
    assert new_weights(model) == []
    frozen, exam = freeze_masking(data["validation"], tokenizer), partial(pad_rows, tokenizer=tokenizer)
    before = perplexity(model, frozen, exam)
    collate = partial(whole_word_mask, tokenizer=tokenizer)
    with sparse_head(model):
        fit(model, data["train"], collate, LoopConfig(2, 8, learning_rate=5e-4), progress=False)
    assert perplexity(model, frozen, exam) < before


def test_a_checkpoint_without_a_head_is_noticed(shared):
    folder = shared / "models" / "minilm-l6"
    model, tokenizer = load_model("masked-lm", folder), load_tokenizer(folder)
    assert new_weights(model), "the head is new"
    check_fits(model, tokenizer, 128, "chunk_size")
    raw = load_data(shared / "data" / "imdb", "texts", train_size=2, validation_size=2)
    frozen = freeze_masking(preprocess(raw, tokenizer)["train"], tokenizer)
    found = perplexity(model, frozen, partial(pad_rows, tokenizer=tokenizer))
    assert found > len(tokenizer) / 4, "random guesses among all tokens"


@pytest.mark.parametrize(("text", "words"), [("\ud800 [MASK]", "surrogate"), (None, "Text 0 is None")])
def test_fillers_for_what_is_no_text_are_an_error(tokenizer, text, words):
    assert words in complaint_of(CourseError, top_fillers, small_model(), tokenizer, [text])


def test_chunks_are_made_of_text_alone_and_of_splits(tokenizer):
    texts = Dataset.from_dict({"text": make_texts(40, 1), "note": ["é"] * 40})
    assert "note" not in preprocess(DatasetDict(train=texts), tokenizer, 16)["train"].column_names
    assert "Give a DatasetDict" in complaint_of(DataError, preprocess, texts, tokenizer, 16)
    assert "'text'" in complaint_of(DataError, preprocess, DatasetDict(train=texts.remove_columns("text")), tokenizer, 16)


def test_trainer_takes_a_part_in_every_profile():
    assert all(chosen.practice_size for chosen in SETTINGS.values())
