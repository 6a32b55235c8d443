"Chunks, masks and sparse logits against independent naive references."

import math

import numpy as np
import pyarrow as pa
import pytest
import torch
import transformers
from complaints import complaint_of
from datasets import Dataset, DatasetDict
from hypothesis import given, settings
from hypothesis import strategies as st
from small_checkpoints import LETTERS, llama, numbered
from small_masked import SIZES, TOKENIZER, make_chunks, make_texts, small_model
from small_tokenizers import TOKENIZERS
from small_tokenizers import texts as any_text
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from torch.utils.data import DataLoader
from transformers import PreTrainedTokenizerFast

from course_lib.masking import (
    MaskingCollator,
    freeze_masking,
    group_texts,
    logits_at,
    masked_lm_loss,
    texts_to_chunks,
    tokenize_with_word_ids,
)
from course_lib.profiles import CourseError

SPECIAL = set(TOKENIZER.all_special_ids)
ORDINARY = [token for token in range(len(TOKENIZER)) if token not in SPECIAL]


@pytest.fixture(scope="module")
def chunks() -> Dataset:
    return make_chunks(train=120)["train"]


# Tokens and chunks


@settings(max_examples=80, deadline=None)
@given(st.lists(any_text, max_size=6), st.sampled_from(sorted(TOKENIZERS)))
def test_tokenizing_gives_what_the_tokenizer_gives_text_by_text(texts, kind):
    tokenizer = TOKENIZERS[kind]
    found = tokenize_with_word_ids({"text": texts}, tokenizer)
    assert found.num_rows == len(texts)
    assert set(found.column_names) == {*tokenizer.model_input_names, "word_ids"}
    for row, text in zip(found.to_pylist(), texts, strict=True):
        alone = tokenizer(text)
        assert row["word_ids"] == [-1 if word is None else word for word in alone.word_ids()]
        assert {name: row[name] for name in alone} == dict(alone)


def test_nothing_is_truncated_and_types_are_small():
    found = tokenize_with_word_ids({"text": ["a " * 1000]}, TOKENIZER)
    assert len(found["input_ids"][0]) == 1002
    kinds = {name: found.schema.field(name).type.value_type for name in found.column_names}
    small = {"token_type_ids": pa.int8(), "attention_mask": pa.int8()}
    assert kinds == {"input_ids": pa.int32(), "word_ids": pa.int32()} | small


documents = st.lists(st.lists(st.integers(0, 9), max_size=12) | st.just([]) | st.just([7]), max_size=12)


@settings(max_examples=200, deadline=None)
@given(documents, st.integers(1, 15), st.integers(1, 4), st.integers(0, 5))
def test_groups_are_those_of_the_loop(rows, size, columns, cut):
    batch = {f"c{number}": [[value + number for value in row] for row in rows] for number in range(columns)}
    expected = {}
    for name, lists in batch.items():
        flat = [value for row in lists for value in row]
        expected[name] = [flat[start : start + size] for start in range(0, len(flat) - size + 1, size)]
    kind = pa.list_(pa.int32())
    table = pa.table({name: pa.array(lists, kind) for name, lists in batch.items()})
    pieces = pa.concat_tables([table.slice(0, cut), table.slice(cut)])  # several chunks, and slices with an offset
    for form in (table, pieces):
        found = group_texts(form, size)
        assert found.to_pydict() == expected
        assert set(found.schema.types) == {kind}
    assert table.to_pydict() == batch


def test_columns_of_unequal_rows_are_not_grouped():
    with pytest.raises(AssertionError, match="differ in the lengths"):
        group_texts(pa.table({"a": [[1, 2], [3]], "b": [[1], [2, 3]]}), 2)


def test_only_the_last_piece_of_a_thousand_texts_is_lost():
    texts, expected = make_texts(2300), []
    for start in range(0, len(texts), 1000):
        ids = [token for text in texts[start : start + 1000] for token in TOKENIZER(text)["input_ids"]]
        expected += [ids[place : place + 16] for place in range(0, len(ids) - 15, 16)]
    rows = Dataset.from_dict({"text": texts, "note": ["é"] * 2300})
    found = texts_to_chunks(DatasetDict(train=rows), TOKENIZER, 16)["train"]
    assert found["input_ids"][:] == expected
    assert "note" not in found.column_names


def test_a_split_shorter_than_a_chunk_is_an_error():
    splits = {"train": make_texts(50), "validation": ["", "a"]}
    data = DatasetDict({name: Dataset.from_dict({"text": texts}) for name, texts in splits.items()})
    assert "validation: all its texts" in complaint_of(CourseError, texts_to_chunks, data, TOKENIZER, 16)


# Masks


def words_of(row: dict) -> list[list[int]]:
    "Runs of positions with the same word id; special tokens end a run and belong to none."
    runs, previous = [], None
    for place, (word, token) in enumerate(zip(row["word_ids"], row["input_ids"], strict=True)):
        if word == -1 or token in SPECIAL:
            previous = None
        else:
            if word != previous:
                runs.append([])
            runs[-1].append(place)
            previous = word
    return runs


def naive_hash(number: int) -> int:
    "SplitMix64's last step, in Python's integers."
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    number = (number ^ number >> 27) * 0x94D049BB133111EB % 2**64
    return number ^ number >> 31


def naive_masks(row: dict, rate: float, whole_words: bool, seed: int, epoch: int) -> tuple[list, list]:
    "One row, one token after the other."
    stride, ids = 0x9E3779B97F4A7C15, row["input_ids"]
    salt = int(np.random.SeedSequence((seed, epoch)).generate_state(1, np.uint64)[0])
    key = naive_hash((sum(naive_hash((t + 3 * n * stride) % 2**64) for n, t in enumerate(ids)) + salt) % 2**64)

    def draw(place: int, which: int) -> float:
        return (naive_hash((key + (3 * place + which) * stride) % 2**64) >> 11) / 2**53

    words = words_of(row) if whole_words else [[place] for place, token in enumerate(ids) if token not in SPECIAL]
    shown, labels = list(ids), [-100] * len(ids)
    for place in (place for word in words if draw(word[0], 0) < rate for place in word):
        labels[place] = ids[place]
        if draw(place, 1) < 0.8:
            shown[place] = TOKENIZER.mask_token_id
        elif draw(place, 1) >= 0.9:
            shown[place] = ORDINARY[int(draw(place, 2) * len(ORDINARY))]
    return shown, labels


def pad(lists: list, fill: int) -> list:
    width = max(map(len, lists), default=0)
    return [row + [fill] * (width - len(row)) for row in lists]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(any_text | st.just("") | st.just("a [SEP] bcd [MASK]"), min_size=1, max_size=6),
    *(st.floats(0, 1), st.booleans(), st.integers(0, 2**70), st.integers(0, 9), st.data()),
)
def test_masks_follow_from_seed_epoch_and_row_alone(texts, rate, whole, seed, epoch, data):
    table = tokenize_with_word_ids({"text": texts}, TOKENIZER)
    rows, before = table.to_pylist(), str(table.to_pylist())
    collate = MaskingCollator(TOKENIZER, rate, whole, seed)
    collate.set_epoch(epoch)
    shown, labels = map(list, zip(*(naive_masks(row, rate, whole, seed, epoch) for row in rows), strict=True))
    order = data.draw(st.permutations(range(len(rows))))
    cut = data.draw(st.integers(1, len(rows)))
    for part in filter(None, (list(range(len(rows))), order[:cut], order[cut:])):
        found = collate([rows[index] for index in part])
        assert found["input_ids"].tolist() == pad([shown[index] for index in part], TOKENIZER.pad_token_id)
        assert found["labels"].tolist() == pad([labels[index] for index in part], -100)
        for name in ("attention_mask", "token_type_ids"):
            assert found[name].tolist() == pad([rows[index][name] for index in part], 0)
    assert set(found) == {"input_ids", "attention_mask", "token_type_ids", "labels"}
    columns = collate(table.to_pydict())
    assert columns["labels"].tolist() == pad(labels, -100)
    assert {tensor.dtype for tensor in columns.values()} == {torch.int64}
    assert str(rows) == before, "the input is as it was"


@pytest.mark.parametrize("make", [np.asarray, torch.tensor])
def test_arrays_and_tensors_are_columns_too(chunks, make):
    plain, collate = chunks[:9], MaskingCollator(TOKENIZER, 0.5, whole_words=True)
    arrays = {name: make(values) for name, values in plain.items()}
    rows = [{name: column[row] for name, column in arrays.items()} for row in range(9)]
    before = {name: np.array(values) for name, values in arrays.items()}
    results = [collate(form) for form in (plain, arrays, rows)]
    for other in results[1:]:
        assert all(torch.equal(other[name], tensor) for name, tensor in results[0].items())
    results[1]["input_ids"].zero_()
    assert all(np.array_equal(np.asarray(arrays[name]), values) for name, values in before.items())


def test_rows_without_an_attention_mask_get_one():
    rows = [{"input_ids": []}, {"input_ids": [5]}]
    assert MaskingCollator(TOKENIZER)(rows)["attention_mask"].tolist() == [[0], [1]]


@pytest.mark.parametrize("whole", [False, True])
def test_shares_over_many_epochs(chunks, whole):
    rows, collate, epochs = chunks[:], MaskingCollator(TOKENIZER, 0.15, whole), 40
    ids = np.array(rows["input_ids"])
    hideable = ~np.isin(ids, TOKENIZER.all_special_ids)
    chosen, masked, kept, replaced, hidden = 0, 0, 0, [], np.zeros(ids.shape)
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
    # Tokens of a word share one draw, so the error is that of the words; the longest has 5 pieces.
    share, draws = chosen / (epochs * hideable.sum()), epochs * hideable.sum() / (2.5 if whole else 1)
    assert abs(share - 0.15) < 4 * math.sqrt(0.15 * 0.85 / draws) * (1.5 if whole else 1)
    # A random token is the token itself once in a while, hence the small differences.
    alike = 0.1 / len(ORDINARY)
    for found, expected in ((masked, 0.8), (kept, 0.1 + alike), (len(replaced), 0.1 - alike)):
        assert abs(found / chosen - expected) < 4 * math.sqrt(expected * (1 - expected) / chosen)
    assert set(replaced) == set(ORDINARY), "every ordinary token is a replacement now and then, and no other"
    # Over the epochs each place is hidden as often as the others: binomial, whose variance is n p (1 - p).
    variance = hidden[hideable].var() / (epochs * 0.15 * 0.85)
    assert abs(variance - 1) < 4 * math.sqrt(2 / hideable.sum()) * (2 if whole else 1)


def test_neighbouring_epochs_seeds_places_and_rows_have_nothing_in_common():
    rate, length = 0.5, 4000
    generator = np.random.default_rng(0)
    rows = [{"input_ids": generator.integers(5, len(TOKENIZER), length).tolist()} for _ in range(2)]
    rows.append({"input_ids": [*rows[0]["input_ids"][:-1], 5 + (rows[0]["input_ids"][-1] == 5)]})  # one token differs
    rows.append({"input_ids": [*rows[0]["input_ids"][1::-1], *rows[0]["input_ids"][2:]]})  # two change places
    rows.append({"input_ids": [7] * length})  # equal tokens
    hidden = []
    for seed, epoch in ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2)):
        hidden += list(MaskingCollator(TOKENIZER, rate, seed=seed, epoch=epoch)(rows)["labels"].numpy() != -100)
    assert rows[0] != rows[3]
    correlation = np.corrcoef(hidden)
    shifted = np.corrcoef([draws[:-1] for draws in hidden], [draws[1:] for draws in hidden])
    for found in (correlation[~np.eye(len(hidden), dtype=bool)], shifted[: len(hidden), len(hidden) :]):
        assert np.abs(found).max() < 5 / math.sqrt(length)


def test_an_unknown_piece_within_a_word_is_left_alone():
    row = {"input_ids": [2, 1, 5, 6, 1, 7, 8, 9, 3], "word_ids": [-1, 0, 0, 0, 0, 0, 1, 1, -1]}
    for seed in range(20):
        found = MaskingCollator(TOKENIZER, 0.4, True, seed)([row])
        assert (found["input_ids"][0].tolist(), found["labels"][0].tolist()) == naive_masks(row, 0.4, True, seed, 0)


def test_words_that_no_space_separates_are_not_joined():
    (row,) = tokenize_with_word_ids({"text": ["ab,cd'e.日本"]}, TOKENIZER).to_pylist()
    hidden = [MaskingCollator(TOKENIZER, 0.5, True, seed)([row])["labels"][0].numpy() != -100 for seed in range(400)]
    together = np.equal(np.array(hidden)[:, 1:], np.array(hidden)[:, :-1]).mean(0)
    tied = [left == right != -1 for left, right in zip(row["word_ids"], row["word_ids"][1:], strict=False)]
    assert len(tied) == 11
    for share, expected in zip(together[1:-1], tied[1:-1], strict=True):
        assert share == 1 if expected else 0.3 < share < 0.7


def test_workers_of_the_loader_mask_alike(chunks):
    collate, found = MaskingCollator(TOKENIZER, whole_words=True), {}
    for workers in (0, 2):
        loader = DataLoader(chunks, batch_size=7, collate_fn=collate, num_workers=workers)
        for epoch in range(2):
            collate.set_epoch(epoch)
            found[workers, epoch] = torch.cat([batch["labels"] for batch in loader])
    for epoch in range(2):
        assert torch.equal(found[0, epoch], found[2, epoch])
    assert not torch.equal(found[0, 0], found[0, 1])


def test_masks_that_cannot_be():
    for rate in (-0.1, 1.5, float("nan")):
        with pytest.raises(AssertionError, match=f"mask_rate={rate}"):
            MaskingCollator(TOKENIZER, rate)
    with pytest.raises(AssertionError, match="no mask token"):
        MaskingCollator(TOKENIZERS["bytes"])
    with pytest.raises(AssertionError, match="need the column word_ids"):
        MaskingCollator(TOKENIZER, whole_words=True)([{"input_ids": [2, 5, 3]}])
    for wrong in ({"word_ids": [-1, 0]}, {"word_ids": [-1, 0, -1], "attention_mask": [1, 1]}):
        with pytest.raises(AssertionError, match="differ in their lengths"):
            MaskingCollator(TOKENIZER, whole_words=True)([{"input_ids": [2, 5, 3]} | wrong])


@pytest.mark.parametrize("whole", [False, True])
def test_frozen_masks_are_those_of_the_collator(chunks, whole):
    before = chunks.to_dict()
    frozen, other = (freeze_masking(chunks, TOKENIZER, 0.3, seed, whole_words=whole) for seed in (0, 1))
    batch = MaskingCollator(TOKENIZER, 0.3, whole)(chunks[:])
    assert frozen.to_dict() == {name: values.tolist() for name, values in batch.items()}
    assert frozen.to_dict() != other.to_dict()
    assert chunks.to_dict() == before


def test_freezing_a_selection_of_short_rows_in_several_blocks(monkeypatch):
    table = tokenize_with_word_ids({"text": make_texts(30)}, TOKENIZER)
    chosen = Dataset(table).select([29, 3, 3, 0] * 2100)
    frozen = freeze_masking(chosen, TOKENIZER, 0.5, whole_words=True)
    for row in (0, 1, 3, 8399):
        assert (frozen[row]["input_ids"], frozen[row]["labels"]) == naive_masks(chosen[row], 0.5, True, 0, 0)


# Logits

ARCHITECTURES = {
    "Bert": {"max_position_embeddings": 64} | SIZES,
    "Roberta": {"max_position_embeddings": 80} | SIZES,
    "RoFormer": {"max_position_embeddings": 64, "embedding_size": 16} | SIZES,
    "DistilBert": {"max_position_embeddings": 64, "dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 32},
}


@pytest.mark.parametrize("kind", ARCHITECTURES)
@pytest.mark.parametrize("hidden_head", [False, True])
def test_sparse_logits_give_the_same_loss_and_gradients(chunks, kind, hidden_head, monkeypatch):
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(vocab_size=len(TOKENIZER), **ARCHITECTURES[kind])
    model = getattr(transformers, f"{kind}ForMaskedLM")(config).eval()
    batch = MaskingCollator(TOKENIZER, 0.3)(chunks[:6])
    if kind == "DistilBert":
        batch.pop("token_type_ids")
    if hidden_head:  # a model whose last layer cannot be found
        monkeypatch.setattr(model, "get_output_embeddings", lambda: None)

    def step(loss: torch.Tensor) -> list:
        model.zero_grad()
        loss.backward()
        return [None if p.grad is None else p.grad.clone() for p in model.parameters()]

    plain, loss = model(**batch), masked_lm_loss(model, batch)
    assert loss.item() == pytest.approx(plain.loss.item(), abs=1e-5)
    for expected, found in zip(step(plain.loss), step(loss), strict=True):
        assert (found is None) == (expected is None)
        assert found is None or torch.allclose(found, expected, atol=1e-5)
    where = batch["labels"] != -100
    logits = logits_at(model, {name: values for name, values in batch.items() if name != "labels"}, where)
    assert torch.allclose(logits, plain.logits[where], atol=1e-5)
    assert torch.equal(model(**batch).logits, plain.logits), "afterwards the model is as it was"


def test_a_batch_without_masks_costs_nothing(chunks):
    loss = masked_lm_loss(small_model(), MaskingCollator(TOKENIZER, 0.0)(chunks[:2]))
    loss.backward()
    assert loss.item() == 0


def test_the_hook_goes_after_an_error(chunks):
    model, batch = small_model(), MaskingCollator(TOKENIZER)(chunks[:2])
    batch["input_ids"] += 10_000
    with pytest.raises(IndexError):
        masked_lm_loss(model, batch)
    assert not model.get_output_embeddings()._forward_pre_hooks


def gemma() -> PreTrainedTokenizerFast:
    "Gemma's way: blanks become marks, and nothing is left to cut at."
    special = ["<pad>", "<unk>", "<mask>"]
    raw = Tokenizer(models.BPE(numbered(*special, "▁", "\n", *LETTERS), [], unk_token="<unk>"))
    raw.normalizer, raw.pre_tokenizer = normalizers.Replace(" ", "▁"), pre_tokenizers.Split(" ", "merged_with_previous")
    names = {"pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"}
    return PreTrainedTokenizerFast(tokenizer_object=raw, **names)


@pytest.mark.parametrize("make", [gemma, llama])
def test_words_end_at_blanks_where_the_tokenizer_knows_no_words(make):
    tokenizer, text = make(), "some words  of a text\nthat are here "
    assert set(tokenizer(text, add_special_tokens=False).word_ids()) == {0}
    rows = tokenize_with_word_ids({"text": [text, "two words"]}, tokenizer).to_pylist()
    pieces = tokenizer.convert_ids_to_tokens(rows[0]["input_ids"])
    words = [
        "".join(piece for piece, word in zip(pieces, rows[0]["word_ids"], strict=True) if word == number)
        for number in range(8)
    ]
    assert [word.strip("▁\n") for word in words] == text.split()
    assert [word for word in dict.fromkeys(rows[1]["word_ids"]) if word >= 0] == [0, 1]


def test_whole_words_are_hidden_and_not_whole_texts():
    tokenizer, dice = gemma(), np.random.default_rng(0)
    texts = [" ".join(dice.choice(["film", "good", "bad", "cab", "one"], 12)) for _ in range(300)]
    rows = Dataset(tokenize_with_word_ids({"text": texts}, tokenizer))
    frozen = freeze_masking(rows, tokenizer, 0.15, whole_words=True)
    shares = np.array([np.mean(np.array(labels) != -100) for labels in frozen["labels"]])
    assert 0.12 < shares.mean() < 0.18
    assert shares.max() < 0.8
    assert (shares == 0).mean() < 0.3
