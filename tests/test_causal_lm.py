"Filter, tokenizer, contexts, losses and completions against independent naive references."

import ast
import json
import math
import os
import re
import subprocess
import sys
from dataclasses import replace
from itertools import chain, islice

import numpy as np
import pyarrow as pa
import pytest
import torch
from accelerate import Accelerator
from complaints import complaint_of
from datasets import Dataset, DatasetDict, IterableDataset, IterableDatasetDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pretended_gpu import pretended_gpu
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import (
    CohereConfig,
    CohereForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    GraniteConfig,
    GraniteForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
)
from typer.testing import CliRunner

from course_lib import cli
from course_lib.causal_lm import (
    BEGINNINGS,
    END,
    SETTINGS,
    FilterCounts,
    check_context,
    chunked_head,
    collate_contexts,
    complete_code,
    count_parameters,
    draw_contexts,
    evaluate_perplexity,
    filter_by_keywords,
    filter_splits,
    filter_to_folder,
    find_key_tokens,
    gpt2_config,
    head_loss,
    keytoken_weighted_loss,
    keyword_list,
    makes_logits_alone,
    matching,
    new_model,
    pack_sequences,
    parameter_groups,
    parses,
    prepare,
    preprocess,
    read_files,
    tokenize_code,
    tokens_per_line,
    train,
    train_code_tokenizer,
    train_on,
)
from course_lib.checkpoints import load_model, load_tokenizer
from course_lib.data import DataError, load_data
from course_lib.loop import LoopConfig, fit
from course_lib.processes import launch
from course_lib.profiles import CourseError

SOME = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
any_text = st.text(st.characters(codec="utf-8"), max_size=30) | st.text("ab_ \n日é1.", max_size=30)


def make_files(count: int, seed: int = 0) -> list[str]:
    "Functions that differ in their names and numbers; every third file speaks of pandas."
    generator = np.random.default_rng(seed)
    files = []
    for number in range(count):
        lines = ["import pandas as pd\n"] if number % 3 == 0 else ["import os\n"]
        for name in generator.choice(["mean", "total", "load", "scale", "größe"], 3):
            a, b = generator.integers(0, 9, 2)
            lines.append(f"\ndef {name}(df, x={a}):\n    if x > {b}:\n        return df.fit(x)\n    return x\n")
        files.append("".join(lines))
    return files


@pytest.fixture(scope="module")
def tokenizer():
    return train_code_tokenizer(make_files(60), 300, model_max_length=64)


@pytest.fixture(scope="module")
def data(tokenizer) -> DatasetDict:
    files = {split: Dataset.from_dict({"content": make_files(n, n)}) for split, n in (("train", 40), ("validation", 9))}
    return preprocess(DatasetDict(files), tokenizer, 16)


def small_model(size: int, seed: int = 0, **shape: int) -> GPT2LMHeadModel:
    torch.manual_seed(seed)
    return GPT2LMHeadModel(gpt2_config(size, **{"positions": 64, "layers": 1, "width": 16, "heads": 2} | shape)).eval()


# The filter


def holds(text: str, word: str, whole: bool) -> bool:
    "Character by character."
    for start in range(len(text) - len(word) + 1):
        if text[start : start + len(word)] == word:
            beside = text[:start][-1:] + text[start + len(word) :][:1]
            if not whole or not any(character.isalnum() or character == "_" for character in beside):
                return True
    return False


@SOME
@given(
    st.lists(st.text("panda_s é日1.kl\n", max_size=20) | any_text, max_size=8),
    st.lists(st.text("panda_s é日.*[", min_size=1, max_size=7), min_size=1, max_size=12, unique=True),
    st.booleans(),
)
def test_matching_finds_what_a_loop_over_characters_finds(texts, words, whole):
    found = matching(pa.array(texts, pa.large_string()), words, whole)
    for word in words:
        expected = [row for row, text in enumerate(texts) if holds(text, word, whole)]
        assert found[word].tolist() == expected, (word, texts)


contents = st.lists(
    st.one_of(
        st.sampled_from(["import pandas", "klearn sklearn", "x", "", None, b"pandas\xff", b"", "é pandas".encode()]),
        any_text,
    ),
    max_size=12,
)


def filter_naively(contents: list, words: list[str]) -> tuple[list[str], dict[str, int]]:
    kept, skipped = [], {}
    for content in contents:
        try:
            text = content.decode() if isinstance(content, bytes) else content
            reason = "missing" if text is None else "empty" if not text else None
        except UnicodeDecodeError:
            reason = "not UTF-8"
        if reason:
            skipped[reason] = skipped.get(reason, 0) + 1
        elif not words or any(word in text for word in words):
            kept.append(text)
    return kept, skipped


@SOME
@given(contents, st.sampled_from([["pandas", "sklearn"], ["a"], [], list("abcdefghijk")]), st.integers(1, 3))
def test_filter_gives_what_the_loop_gives_from_any_source(contents, words, workers):
    expected, skipped = filter_naively(contents, words)
    records = [{"content": content, "number": number} for number, content in enumerate(contents)]
    as_bytes = [content.encode() if isinstance(content, str) else content for content in contents]
    table = pa.table({"content": pa.array(as_bytes, pa.binary()), "number": range(len(records))})
    sources = {"list": records, "generator": iter(records)}
    if records:
        sources |= {"dataset": Dataset(table), "stream": Dataset(table).to_iterable_dataset(num_shards=1)}
    for name, source in sources.items():
        found = filter_by_keywords(source, words, workers=workers)
        rows = list(found)
        assert [row["content"] for row in rows] == expected, name
        assert [contents[row["number"]] for row in rows] == [records[row["number"]]["content"] for row in rows]
        assert (found.counts.seen, found.counts.kept, found.counts.skipped) == (len(records), len(expected), skipped)
        assert found.counts.bytes_kept == sum(len(text.encode()) for text in expected)


@SOME
@given(contents, st.integers(0, 12), st.booleans())
def test_filter_goes_on_behind_the_file_that_it_gave_out_last(contents, stop, stream):
    records = [{"content": content.encode() if isinstance(content, str) else content} for content in contents]
    source = records
    if stream and records:
        source = Dataset(pa.table({"content": pa.array([row["content"] for row in records], pa.binary())}))
        source = source.to_iterable_dataset()
    whole = filter_by_keywords(source, "a pandas")
    rows = list(whole)
    first = filter_by_keywords(source, "a pandas")
    begun = list(islice(first, stop))
    state = json.loads(json.dumps(first.counts.to_dict()))
    rest = filter_by_keywords(source, "a pandas", resume=state, workers=2)
    assert begun + list(rest) == rows
    assert rest.counts == whole.counts


@SOME
@given(contents, st.lists(st.integers(0, 12), max_size=6), st.integers(0, 12), st.booleans())
def test_filter_gives_the_same_however_the_source_lies_in_memory(contents, cuts, seen, scattered):
    as_bytes = [content.encode() if isinstance(content, str) else content for content in contents]
    table = pa.table({"number": range(len(contents)), "content": pa.array(as_bytes, pa.binary()), "size": as_bytes})
    bounds = [0, *sorted(min(cut, len(contents)) for cut in cuts), len(contents)]
    pieces = pa.concat_tables([table.slice(a, b - a) for a, b in zip(bounds, bounds[1:], strict=False)])
    order = np.random.default_rng(0).permutation(len(contents)) if scattered else np.arange(len(contents))
    source = Dataset(pieces, fingerprint="a").select(order)
    words, seen = ["pandas", "a"], min(seen, len(contents))
    expected, _ = filter_naively([contents[row] for row in order[seen:]], words)
    found = filter_by_keywords(source, words, resume=FilterCounts(seen=seen), workers=2)
    tables = list(found.tables())
    rows = pa.concat_tables(tables).to_pylist() if tables else []
    assert [row["content"] for row in rows] == expected
    assert all(list(row) == ["number", "content", "size"] for row in rows)
    assert all(row["size"] == row["content"].encode() == as_bytes[row["number"]] for row in rows)
    assert found.counts.seen == len(contents)


def test_the_same_files_have_the_same_fingerprint():
    texts = ["import pandas", "my_pandas sklearn", "x"]
    one, two, three, other = (
        filter_by_keywords(Dataset.from_dict({"content": texts}), words).to_dataset().map(dict)._fingerprint
        for words in ("pandas", ["pandas"], "my_pandas sklearn pandas", "sklearn")
    )
    assert one == two == three != other


def test_filter_keeps_other_columns_and_long_lines():
    line = "x = [" + "1, " * 400_000 + "]  # pandas"
    rows = [{"content": line, "path": "a.py", "stars": 3}, {"content": "no", "path": "b.py", "stars": 4}]
    assert list(filter_by_keywords(rows)) == rows[:1]
    assert filter_by_keywords(Dataset.from_list(rows)).to_dataset().to_list() == rows[:1]
    renamed = [{"code": "pandas"}]
    assert list(filter_by_keywords(renamed, column="code")) == renamed


def test_half_surrogates_and_strings_that_are_not_utf8():
    assert dict(filter_by_keywords([{"content": "pandas \ud800"}]).counts.skipped) == {}
    found = filter_by_keywords([{"content": "pandas \ud800"}, {"content": "pandas"}])
    assert [row["content"] for row in found] == ["pandas"]
    assert found.counts.skipped == {"not UTF-8": 1}
    broken = pa.Array.from_buffers(pa.string(), 2, pa.array([b"pandas\xff", b"pandas"], pa.binary()).buffers())
    found = filter_by_keywords(Dataset(pa.table({"content": broken}), fingerprint="0" * 16))
    assert [row["content"] for row in found] == ["pandas"]
    assert found.counts.skipped == {"not UTF-8": 1}


def test_filter_reads_no_further_than_it_must():
    read = []

    def source():
        for number in range(100_000):
            read.append(number)
            yield {"content": f"pandas {number}"}

    assert len(list(islice(filter_by_keywords(source(), workers=2), 10))) == 10
    assert len(read) <= 256 * 4


def test_filter_streams_from_parquet(tmp_path):
    texts = make_files(700)
    Dataset.from_dict({"content": texts}).to_parquet(str(tmp_path / "files.parquet"))
    from datasets import load_dataset

    stream = load_dataset("parquet", data_files=str(tmp_path / "files.parquet"), split="train", streaming=True)
    assert isinstance(stream, IterableDataset)
    assert [row["content"] for row in filter_by_keywords(stream)] == [text for text in texts if "pandas" in text]


def test_memory_stays_small_over_200_mb():
    code = """
import gc, resource, sys
import course_lib.causal_lm, datasets, pandas
from course_lib.causal_lm import filter_by_keywords
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
def files():
    line = "some_name = other_name + 1\\n"
    for number in range(10_000):
        yield {"content": line * 770 + ("pandas" if number % 20 == 0 else "") + str(number)}
found = filter_by_keywords(files(), workers=2)
kept = sum(1 for _ in found)
print(found.counts.bytes_seen, kept, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    size, kept, more = map(float, done.stdout.split())
    assert size > 200e6
    assert kept == 500
    assert more < 200, f"{more} MB"


def test_filter_to_folder_goes_on_after_a_crash(tmp_path):
    texts = make_files(900)
    records = [{"content": text} for text in texts]
    reference = filter_by_keywords(records)
    expected = list(reference)

    def breaking():
        yield from records[:600]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        filter_to_folder(breaking(), tmp_path / "out", rows=50)
    note = json.loads((tmp_path / "out" / "counts.json").read_text())
    assert 0 < note["counts"]["seen"] < 600
    assert not note["complete"]
    counts = filter_to_folder(records, tmp_path / "out", rows=50)
    parts = Dataset.from_parquet(str(tmp_path / "out" / "part-*.parquet"), cache_dir=str(tmp_path / "cache"))
    assert parts.to_list() == expected
    assert counts == reference.counts
    assert filter_to_folder(iter([]), tmp_path / "out", rows=50) == counts, "complete: the source is not even read"
    assert "sklearn" in complaint_of(CourseError, filter_to_folder, records, tmp_path / "out", "sklearn")


def test_read_files(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "ä.py").write_bytes(b"\xff")
    (tmp_path / "a.py").write_text("import pandas")
    (tmp_path / "a.txt").write_text("import pandas")
    assert list(read_files(tmp_path)) == [
        {"path": "a.py", "content": b"import pandas"},
        {"path": "b/ä.py", "content": b"\xff"},
    ]
    found = filter_by_keywords(read_files(tmp_path))
    assert list(found) == [{"path": "a.py", "content": "import pandas"}]
    assert found.counts.skipped == {"not UTF-8": 1}
    assert "no_such" in complaint_of(DataError, lambda: list(read_files(tmp_path / "no_such")))
    assert "*.pyx" in complaint_of(DataError, lambda: list(read_files(tmp_path, "*.pyx")))


def test_bad_requests_to_the_filter():
    files = DatasetDict(train=Dataset.from_dict({"content": ["x = 1"]}))
    message = complaint_of(DataError, filter_splits, files, "pandas sklearn")
    assert "train" in message
    assert "pandas, sklearn" in message
    assert "''" in complaint_of(CourseError, filter_by_keywords, [], ["pandas", ""])
    assert "7" in complaint_of(CourseError, filter_by_keywords, [], [7])
    assert "workers=0" in complaint_of(CourseError, filter_by_keywords, [], workers=0)
    assert "'content'" in complaint_of(DataError, lambda: list(filter_by_keywords([{"text": "a"}])))
    assert "'text'" in complaint_of(DataError, lambda: list(filter_by_keywords(files["train"], column="text")))
    numbers = Dataset.from_dict({"content": [1, 2]})
    assert "int64" in complaint_of(DataError, lambda: list(filter_by_keywords(numbers)))
    assert "float" in complaint_of(DataError, lambda: list(filter_by_keywords([{"content": 1.5}])))


def test_keyword_lists():
    assert keyword_list("a, b  a\nc") == ["a", "b", "c"]
    assert keyword_list("") == keyword_list(None) == keyword_list([]) == []
    assert keyword_list(("import pandas",)) == ["import pandas"]


def test_whole_words_know_other_alphabets():
    texts = pa.array(["épandas", "pandasé", "pandas.é", "日pandas", "pandas日", "(pandas)", "pandas2", "2 pandas"])
    assert matching(texts, ["pandas"], True)["pandas"].tolist() == [2, 5, 7]
    word = matching(pa.array(["größe", "größer", "(größe"]), ["größe"], True)
    assert word["größe"].tolist() == [0, 2]


# The tokenizer


@SOME
@given(st.lists(any_text | st.sampled_from([END, f"a{END}", "\t\tx\r\n", "e\u0301", "🐼" * 3, "\n\n  \n"]), max_size=5))
def test_every_text_comes_back(tokenizer, texts):
    rows = tokenize_code(texts, tokenizer).to_pylist()
    assert [tokenizer.decode(row) for row in rows] == texts
    assert all(tokenizer.eos_token_id not in row for row in rows)
    ended = tokenize_code(texts, tokenizer, end=True).to_pylist()
    assert ended == [[*row, tokenizer.eos_token_id] for row in rows]


def test_tokens_are_those_of_the_tokenizer_whatever_was_called_before(tokenizer):
    texts = make_files(5)
    plain = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    tokenizer(texts, truncation=True, max_length=4, return_overflowing_tokens=True)
    assert tokenize_code(texts, tokenizer).to_pylist() == plain
    tokenizer.pad_token = END
    tokenizer(texts, padding=True)
    tokenizer.pad_token = None
    assert tokenize_code(texts, tokenizer).to_pylist() == plain
    assert tokenizer(END)["input_ids"] == [tokenizer.eos_token_id], "outside, it is still special"


def test_same_texts_same_tokenizer():
    one, two = (train_code_tokenizer(iter(make_files(30)), 350) for _ in range(2))
    assert one.backend_tokenizer.to_str() == two.backend_tokenizer.to_str()


def test_an_indented_line_break_is_one_token(tokenizer):
    assert tokenizer.decode([tokenize_code(["\n        "], tokenizer)[0].as_py()[0]]) == "\n        "
    assert tokenizer.eos_token_id == tokenizer.bos_token_id == 0
    assert len(tokenizer) == 300


@SOME
@given(st.lists(any_text, max_size=5))
def test_tokens_per_line(tokenizer, texts):
    lines = sum(len(re.findall(r"[^\n]*\n|[^\n]+$", text)) for text in texts)
    tokens = sum(len(tokenizer(text.replace(END, ""))["input_ids"]) for text in texts)
    assert math.isclose(tokens_per_line(texts, tokenizer), tokens / max(lines, 1))


def test_bad_requests_to_the_tokenizer(tokenizer):
    assert "vocab_size=256" in complaint_of(CourseError, train_code_tokenizer, ["a"], 256)
    assert "no text" in complaint_of(DataError, train_code_tokenizer, [], 300)

    class Slow:
        is_fast = False

    assert "use_fast" in complaint_of(CourseError, tokenize_code, ["a"], Slow())
    endless = train_code_tokenizer(["a"], 257)
    endless.eos_token = None
    assert "eos_token" in complaint_of(CourseError, tokenize_code, ["a"], endless, end=True)


# Contexts

sequences = st.lists(st.lists(st.integers(1, 9), max_size=12), max_size=8)


def as_arrow(rows: list[list[int]], cuts: list[int]) -> pa.ChunkedArray:
    "The rows in chunks that are slices of larger arrays."
    whole, bounds = pa.array([[99], *rows, [98]], pa.list_(pa.int32())), [0, *sorted(cuts), len(rows)]
    chunks = [whole.slice(1 + a, b - a) for a, b in zip(bounds, bounds[1:], strict=False)]
    return pa.chunked_array(chunks, pa.list_(pa.int32()))


@SOME
@given(sequences, st.integers(2, 6), st.data())
def test_packing_loses_only_the_last_partial_context(rows, size, draw):
    cuts = draw.draw(st.lists(st.integers(0, len(rows)), max_size=3))
    flat = list(chain.from_iterable([*row, 0] for row in rows))
    expected = [flat[start : start + size] for start in range(0, len(flat) - size + 1, size)]
    ended = [[*row, 0] for row in rows]
    for found in (
        pack_sequences(rows, size, 0),
        pack_sequences(as_arrow(rows, cuts), size, 0),
        pack_sequences(ended, size),
        pack_sequences(as_arrow(ended, cuts), size),
        pack_sequences(pa.array(ended, pa.large_list(pa.int32())), size),
    ):
        assert found.column_names == ["input_ids"]
        assert found["input_ids"].to_pylist() == expected
    assert len(flat) - size < len(expected) * size <= len(flat)


def test_packing_does_not_copy_what_lies_inside_a_chunk():
    ids = pa.ListArray.from_arrays(pa.array([0, 1000], pa.int32()), pa.array(np.arange(1000, dtype=np.int32)))
    packed = pack_sequences(ids, 10)["input_ids"].chunk(0)
    assert packed.values.buffers()[1].address == ids.values.buffers()[1].address


def test_preprocess_keeps_999_of_1000_tokens(tokenizer):
    texts = make_files(1500, 3)
    data = DatasetDict(train=Dataset.from_dict({"content": texts, "path": ["p"] * len(texts)}))
    contexts = preprocess(data, tokenizer, 32)["train"]
    total = sum(len(row) + 1 for row in tokenize_code(texts, tokenizer).to_pylist())
    assert total - 32 < len(contexts) * 32 <= total
    assert contexts.column_names == ["input_ids"]
    flat = np.concatenate(contexts["input_ids"][:])
    assert tokenizer.decode(flat).split(END)[:3] == texts[:3]
    again = preprocess(data, tokenizer, 32)["train"]
    assert again._fingerprint == contexts._fingerprint
    assert preprocess(data, tokenizer, 16)["train"]._fingerprint != contexts._fingerprint


def test_contexts_on_disk_are_those_in_memory(tokenizer, tmp_path):
    files = DatasetDict({split: Dataset.from_dict({"content": make_files(600)}) for split in ("train", "validation")})
    for sizes in (None, {"train": 100}):
        here, there = (preprocess(files, tokenizer, 16, sizes=sizes, folder=folder) for folder in (None, tmp_path))
        assert here["train"].features == there["train"].features
        assert all(here[split]["input_ids"][:] == there[split]["input_ids"][:] for split in files)
    assert there["train"].cache_files
    assert len(there["validation"]) > len(there["train"])


def test_bad_contexts(tokenizer):
    short = DatasetDict(train=Dataset.from_dict({"content": ["x"]}))
    assert "train" in complaint_of(DataError, preprocess, short, tokenizer, 64)
    assert "context_length=1" in complaint_of(CourseError, pack_sequences, [[1]], 1)
    assert "context_length=0" in complaint_of(CourseError, pack_sequences, [[1]], 0)
    assert "int64" in complaint_of(DataError, pack_sequences, pa.array([1, 2]), 2)
    config = gpt2_config(300, positions=64, layers=1, width=8, heads=2)
    assert "64 positions" in complaint_of(CourseError, check_context, config, 65)
    check_context(config, 64)
    message = complaint_of(CourseError, new_model, tokenizer, 65, positions=64, layers=1, width=8, heads=2)
    assert "context_length=64" in message


def test_drawing_contexts(data):
    drawn = draw_contexts(data["train"], 5, 1)
    assert len(drawn) == 5
    assert (
        drawn.to_dict() == draw_contexts(data["train"], 5, 1).to_dict() != draw_contexts(data["train"], 5, 2).to_dict()
    )
    assert draw_contexts(data["train"], None) is data["train"]
    assert "0 contexts" in complaint_of(CourseError, draw_contexts, data["train"], 0)


# The model


@SOME
@given(st.integers(1, 300), st.integers(1, 40), st.integers(1, 3), st.sampled_from([(8, 2), (12, 3), (6, 1)]))
def test_parameters_by_hand(size, positions, layers, shape):
    config = gpt2_config(size, positions=positions, layers=layers, width=shape[0], heads=shape[1])
    with torch.device("meta"):
        assert sum(count_parameters(config).values()) == GPT2LMHeadModel(config).num_parameters()


def test_the_large_model_is_gpt2():
    ours, theirs = gpt2_config(50_257), GPT2Config()
    assert sum(count_parameters(ours).values()) == 124_439_808
    for name in ("n_layer", "n_head", "n_embd", "n_positions", "initializer_range", "activation_function"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert abs(sum(count_parameters(gpt2_config(50_000)).values()) - 124.2e6) < 0.05e6
    full = SETTINGS["full"]
    assert (full.vocab_size, full.positions, full.layers, full.width, full.heads) == (50_000, 1024, 12, 768, 12)


@pytest.mark.parametrize("width", [64, 128, 256, 384])
def test_untrained_loss_is_that_of_guessing(width):
    model = small_model(2000, width=width, heads=4, layers=2)
    rows = Dataset.from_dict({"input_ids": np.random.default_rng(0).integers(0, 2000, (8, 64))})
    assert abs(evaluate_perplexity(model, rows)["loss"] / math.log(2000) - 1) < 0.05


def test_bad_shapes():
    assert "width=10" in complaint_of(CourseError, gpt2_config, 300, width=10, heads=3)
    assert "layers=0" in complaint_of(CourseError, gpt2_config, 300, layers=0)
    assert "no linear output layer" in complaint_of(CourseError, lambda: evaluate_perplexity(small_model(9).transformer, Dataset.from_dict({"input_ids": [[1, 2]]})))  # fmt: skip


def test_same_seed_same_weights(tokenizer):
    shape = {"positions": 32, "layers": 1, "width": 8, "heads": 2}
    one, two, other = (new_model(tokenizer, 16, seed=seed, **shape).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


# Losses


def weighted_naively(inputs, logits, ids, alpha):
    "Token by token, in float64."
    products = []
    for row in range(len(inputs)):
        losses = []
        for place in range(inputs.shape[1] - 1):
            scores = logits[row, place].double()
            losses.append(torch.log(torch.exp(scores).sum()) - scores[inputs[row, place + 1]])
        found = sum(1 for token in inputs[row].tolist() if token in set(ids))
        products.append(alpha * (1 + found) * sum(losses) / len(losses))
    return sum(products) / len(products)


batches = st.tuples(st.integers(1, 4), st.integers(2, 6), st.integers(2, 12), st.integers(0, 10**6))


@SOME
@given(batches, st.lists(st.integers(0, 15), max_size=6), st.floats(0, 5))
def test_keytoken_loss_equals_the_loops_in_value_and_gradient(shape, ids, alpha):
    rows, length, size, seed = shape
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randint(size, (rows, length), generator=generator)
    logits = (2 * torch.randn(rows, length, size, generator=generator)).requires_grad_()
    expected = weighted_naively(inputs, logits, ids, alpha)
    (gradient,) = torch.autograd.grad(3 * expected, logits)
    found = keytoken_weighted_loss(inputs, logits, ids, alpha)
    assert found.dtype == torch.float32
    assert abs(found.item() - expected.item()) < 1e-5 * max(1, abs(expected.item()))
    (ours,) = torch.autograd.grad(3 * found, logits)
    assert torch.allclose(ours, gradient.float(), atol=1e-5, rtol=1e-5)


@SOME
@given(batches, st.lists(st.integers(0, 15), max_size=6), st.floats(0, 5), st.integers(1, 7), st.booleans())
def test_head_loss_equals_full_logits(shape, ids, alpha, block, with_bias):
    rows, length, size, seed = shape
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *sizes: torch.randn(*sizes, generator=generator).requires_grad_()
    hidden, weight = draw(rows * length, 5), draw(size, 5)
    bias = draw(size) if with_bias else None
    targets = torch.randint(-1, size, (rows * length,), generator=generator)
    targets[targets < 0] = -100
    shares = torch.rand(rows * length, generator=generator) * alpha
    found = head_loss(hidden, weight, targets, bias=bias, shares=shares, rows=block)
    losses = torch.nn.functional.cross_entropy(
        torch.nn.functional.linear(hidden, weight, bias), targets, reduction="none"
    )
    expected = (losses * shares).sum()
    assert torch.isclose(found, expected, atol=1e-5, rtol=1e-5)
    leaves = [leaf for leaf in (hidden, weight, bias) if leaf is not None]
    for ours, theirs in zip(
        torch.autograd.grad(2 * found, leaves), torch.autograd.grad(2 * expected, leaves), strict=True
    ):
        assert torch.allclose(ours, theirs, atol=1e-5, rtol=1e-4)
    mean = head_loss(hidden, weight, targets, bias=bias, rows=block)
    assert torch.isclose(mean, losses.sum() / max(1, int((targets != -100).sum())), atol=1e-5, rtol=1e-5)


def test_head_loss_with_nothing_to_predict_and_without_gradients():
    hidden, weight = torch.randn(3, 4, requires_grad=True), torch.randn(5, 4)
    loss = head_loss(hidden, weight, torch.full((3,), -100))
    loss.backward()
    assert loss.item() == 0
    assert not hidden.grad.any()
    with torch.no_grad():
        assert not head_loss(hidden, weight, torch.zeros(3, dtype=torch.long)).requires_grad


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_head_loss_in_half_precision(kind):
    torch.manual_seed(0)
    hidden, weight = torch.randn(300, 32, requires_grad=True), (torch.randn(500, 32) / 6).requires_grad_()
    targets = torch.randint(500, (300,))
    exact = torch.autograd.grad(head_loss(hidden, weight, targets, rows=64), (hidden, weight))
    rough = torch.autograd.grad(head_loss(hidden, weight, targets, rows=64, dtype=kind), (hidden, weight))
    for one, two in zip(exact, rough, strict=True):
        assert two.dtype == torch.float32
        assert (one - two).norm() < 0.02 * one.norm(), "tiny gradients do not vanish in half precision"


@pytest.mark.parametrize("half", [False, True])
def test_chunked_head_trains_like_the_whole_model(half):
    model = small_model(50)
    inputs = torch.randint(50, (3, 12), generator=torch.Generator().manual_seed(1))
    ids, alpha = [3, 4, 7], 0.5

    def gradients(loss):
        model.zero_grad()
        loss.backward()
        return torch.cat([p.grad.flatten() for p in model.parameters()])

    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        logits = model(input_ids=inputs).logits
        full = keytoken_weighted_loss(inputs, logits, ids, alpha)
        plain = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1).float(), inputs[:, 1:].flatten())
    expected = full.item(), gradients(full)
    with chunked_head(model, ids, alpha):
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            output = model(input_ids=inputs, labels=inputs)
        found = output.loss.item(), gradients(output.loss)
        assert model(input_ids=inputs).logits.shape == (3, 12, 50), "without labels, nothing changes"
    with chunked_head(model), torch.autocast("cpu", torch.bfloat16, enabled=half):
        assert math.isclose(
            model(input_ids=inputs, labels=inputs).loss.item(), plain.item(), rel_tol=1e-2 if half else 1e-5
        )
    tolerance = 3e-2 if half else 1e-5
    assert math.isclose(found[0], expected[0], rel_tol=tolerance)
    assert (found[1] - expected[1]).norm() < tolerance * expected[1].norm()
    with torch.no_grad():
        assert model(input_ids=inputs, labels=inputs).logits.shape == (3, 12, 50), "behind the block, all is as before"


def test_labels_that_are_masked_do_not_count():
    model, inputs = small_model(30), torch.randint(30, (2, 8), generator=torch.Generator().manual_seed(2))
    labels = inputs.clone()
    labels[0, 3:] = -100
    with torch.no_grad():
        expected = model(input_ids=inputs, labels=labels).loss
        with chunked_head(model):
            assert torch.isclose(model(input_ids=inputs, labels=labels).loss, expected, rtol=1e-5)


def test_bad_batches():
    logits = torch.zeros(1, 1, 4)
    assert "two tokens" in complaint_of(
        CourseError, keytoken_weighted_loss, torch.zeros(1, 1, dtype=torch.long), logits, []
    )
    assert "(2, 3)" in complaint_of(
        CourseError, keytoken_weighted_loss, torch.zeros(2, 3, dtype=torch.long), logits, []
    )


def test_key_tokens(tokenizer):
    found = find_key_tokens(tokenizer, "df fit Größenwahn")
    assert {"df", " fit", "fit"} & set(found.ids)
    assert all(tokenizer.decode([number]) == text for text, number in found.ids.items())
    assert set(found.ids) | set(found.split) == {
        f"{blank}{word}" for word in ("df", "fit", "Größenwahn") for blank in ("", " ")
    }
    assert "".join(found.split["Größenwahn"]).startswith("Gr")
    assert "qqq" in complaint_of(CourseError, find_key_tokens, tokenizer, "qqq zzz")
    assert find_key_tokens(tokenizer, "") == ({}, {})
    assert find_key_tokens(tokenizer, None) == ({}, {})


def test_parameter_groups(tokenizer):
    model = small_model(40)
    model.transformer.ln_f.bias.requires_grad_(False)
    decay, none = parameter_groups(model, 0.3)
    assert (decay["weight_decay"], none["weight_decay"]) == (0.3, 0.0)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert all("bias" not in names[id(p)] and "ln_" not in names[id(p)] for p in decay["params"])
    assert all("bias" in names[id(p)] or "ln_" in names[id(p)] for p in none["params"])
    assert len(decay["params"]) + len(none["params"]) == len(names) - 1
    torch.optim.AdamW([decay, none])


# Evaluation and training


def perplexity_naively(model, rows):
    losses = []
    with torch.no_grad():
        for ids in rows:
            logits = model(input_ids=torch.tensor([ids])).logits[0].double().log_softmax(-1)
            losses += [-logits[place, token].item() for place, token in enumerate(ids[1:])]
    return math.exp(np.mean(losses))


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_perplexity_is_exact_for_any_batch_size(data, tokenizer, batch_size):
    model, rows = small_model(len(tokenizer)), data["validation"].select(range(7))
    found = evaluate_perplexity(model.train(), rows, batch_size=batch_size)
    assert model.training
    assert math.isclose(found["perplexity"], perplexity_naively(model.eval(), rows["input_ids"][:]), rel_tol=1e-5)
    assert math.isclose(found["perplexity"], math.exp(found["loss"]))


def test_perplexity_without_contexts_or_positions(tokenizer):
    model = small_model(len(tokenizer))
    empty = Dataset.from_dict({"input_ids": np.empty((0, 4), np.int64)})
    assert "nothing to predict" in complaint_of(DataError, evaluate_perplexity, model, empty)
    long = Dataset.from_dict({"input_ids": np.zeros((1, 65), np.int64)})
    assert "64 positions" in complaint_of(CourseError, evaluate_perplexity, model, long)


def tiny(**changes):
    return replace(
        SETTINGS["tiny"],
        **{
            "vocab_size": 400,
            "context_length": 16,
            "positions": 32,
            "width": 16,
            "heads": 2,
            "layers": 1,
            "keywords": "pandas",
        }
        | {"train_contexts": 48, "validation_contexts": 8, "batch_size": 4, "gradient_accumulation_steps": 2}
        | {
            "key_tokens": "df return",
            "train_size": None,
            "validation_size": None,
            "eval_every": None,
            "learning_rate": 1e-2,
        }
        | changes,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("code")
    for split, count in (("train", 90), ("validation", 30)):
        rows = [json.dumps({"content": text}) + "\n" for text in make_files(count, count)]
        (folder / f"{split}.jsonl").write_text("".join(rows), encoding="utf-8")
    return str(folder)


def test_train_is_the_same_for_one_process_and_two(folder):
    def run():
        model, tokenizer, history = train(tiny(dataset=folder), progress=False)
        return {"history": history.to_dict(), "sum": sum(p.double().sum().item() for p in model.parameters())}

    (one,), two = launch(run, num_processes=1, cpu=True), launch(run, num_processes=2, cpu=True)
    assert two[0] == two[1]
    assert one["history"]["evaluations"][-1]["perplexity"] < 400 / 2
    for name in ("steps", "evaluations"):
        for single, double in zip(one["history"][name], two[0]["history"][name], strict=True):
            assert single == pytest.approx(double, rel=1e-3)


def test_train_learns_and_takes_the_options_of_fit(folder, tmp_path):
    settings = tiny(dataset=folder, key_tokens="")
    data, tokenizer = prepare(settings)
    model, history = train_on(data, tokenizer, settings, progress=False)
    again, _, second = train(settings, progress=False)
    assert history.to_dict() == second.to_dict()
    assert all(torch.equal(one, two) for one, two in zip(model.parameters(), again.parameters(), strict=True))
    config = LoopConfig(
        num_epochs=1, batch_size=4, gradient_accumulation_steps=2, learning_rate=1e-2, schedule="cosine",
        warmup=settings.warmup, weight_decay=settings.weight_decay, seed=settings.seed,
    )  # fmt: skip
    shape = {"positions": 32, "layers": 1, "width": 16, "heads": 2}
    plain = new_model(tokenizer, 16, seed=settings.seed, **shape)
    library = fit(plain, data["train"], collate_contexts, config, progress=False)
    assert [step["loss"] for step in library.steps] == pytest.approx([step["loss"] for step in history.steps], rel=1e-3)
    _, _, none = train(settings, progress=False, evaluate=None)
    assert none.evaluations == []


def test_weights_of_key_tokens_change_the_training(folder):
    losses = [train(tiny(dataset=folder, key_tokens=words), progress=False)[2].steps[0]["loss"] for words in ("df", "")]
    assert losses[0] > 1.5 * losses[1]


def test_training_with_bad_settings(folder):
    assert "no_such_word" in complaint_of(DataError, train, tiny(dataset=folder, keywords="no_such_word"))
    assert "32 positions" in complaint_of(CourseError, train, tiny(dataset=folder, context_length=33))
    assert "qqzz" in complaint_of(CourseError, train, tiny(dataset=folder, key_tokens="qqzz"))
    assert "vocab_size=1" in complaint_of(CourseError, train, tiny(dataset=folder, vocab_size=1))


def test_two_processes_share_the_evaluation(data, tokenizer):
    model = small_model(len(tokenizer))
    rows = data["validation"].select(range(9))

    def run():
        return evaluate_perplexity(model, rows, batch_size=2, accelerator=Accelerator())

    one, two = evaluate_perplexity(model, rows), launch(run, num_processes=2, cpu=True)
    assert two[0] == two[1]
    assert math.isclose(one["loss"], two[0]["loss"], rel_tol=1e-6)


# Completions


def complete_naively(model, tokenizer, prompt, count):
    ids = tokenize_code([prompt], tokenizer)[0].as_py() or [tokenizer.eos_token_id]
    new = []
    with torch.no_grad():
        for _ in range(count):
            token = model(input_ids=torch.tensor([ids + new])).logits[0, -1].argmax().item()
            if token == tokenizer.eos_token_id:
                return tokenizer.decode(new)
            new.append(token)
    text = tokenizer.decode(new)
    return text[: text.rfind("\n") + 1]


def test_completions_are_those_of_a_plain_loop():
    model, tokenizer = load_model("causal-lm", "mini/causal"), load_tokenizer("mini/causal")
    prompts = ["import numpy as np\n", "", "def f(x):\n    return", "# 日本語 é\nx = {", f"print('{END}')\n"]
    found = complete_code(model, tokenizer, prompts, max_new_tokens=16, batch_size=3)
    assert found == [complete_naively(model, tokenizer, prompt, 16) for prompt in prompts]
    assert complete_code(model, tokenizer, prompts[0], max_new_tokens=16) == found[0]
    assert complete_code(model, tokenizer, [], max_new_tokens=16) == []
    long = complete_code(model, tokenizer, "x = 1\n" * 300, max_new_tokens=8)
    assert isinstance(long, str)


def test_completions_on_a_gpu_are_those_of_the_cpu():
    model, tokenizer = load_model("causal-lm", "mini/causal"), load_tokenizer("mini/causal")
    options = {"max_new_tokens": 8, "sample": True, "whole_lines": False}
    expected = complete_code(model, tokenizer, BEGINNINGS[:3], **options)
    with pretended_gpu():
        assert complete_code(model.to("cuda"), tokenizer, BEGINNINGS[:3], **options) == expected


def test_sampling_depends_on_its_seed_alone():
    model, tokenizer = load_model("causal-lm", "mini/causal"), load_tokenizer("mini/causal")
    state = torch.get_rng_state()
    options = {"max_new_tokens": 12, "sample": True, "whole_lines": False}
    one = complete_code(model, tokenizer, BEGINNINGS[:3], seed=1, **options)
    torch.manual_seed(5)
    assert complete_code(model, tokenizer, BEGINNINGS[:3], seed=1, **options) == one
    assert complete_code(model, tokenizer, BEGINNINGS[:3], seed=2, **options) != one
    torch.set_rng_state(state)
    complete_code(model, tokenizer, BEGINNINGS[:3], **options)
    assert torch.equal(torch.get_rng_state(), state), "the generator of others is left alone"


def test_more_than_half_of_the_packaged_completions_parse():
    model, tokenizer = load_model("causal-lm", "mini/causal"), load_tokenizer("mini/causal")
    texts = complete_code(model, tokenizer, BEGINNINGS)
    assert len(BEGINNINGS) == len(set(BEGINNINGS)) == 50
    good = [parses(prompt, text) for prompt, text in zip(BEGINNINGS, texts, strict=True)]
    for prompt, text in list(zip(BEGINNINGS, texts, strict=True))[:10]:
        if parses(prompt, text):
            ast.parse(prompt + text)
    assert sum(good) > 25


def test_parses():
    assert parses("x = ", "1")
    assert parses("def f():\n", "    return '\\d'\n")
    assert not parses("x = 1\n", "")
    assert not parses("x = 1\n", " \n")
    assert not parses("x = ", "(")
    assert not parses("x = ", "'\0'")
    assert not parses("", "(" * 5000)


def test_bad_completions():
    model, tokenizer = load_model("causal-lm", "mini/causal"), load_tokenizer("mini/causal")
    assert "max_new_tokens=0" in complaint_of(CourseError, complete_code, model, tokenizer, "x", max_new_tokens=0)
    assert "1 to 255" in complaint_of(CourseError, complete_code, model, tokenizer, ["x"], max_new_tokens=256)
    assert "top_p=0" in complaint_of(CourseError, complete_code, model, tokenizer, "x", sample=True, top_p=0)


def test_counts():
    counts = FilterCounts(seen=4, kept=1)
    assert counts.share == 0.25
    assert FilterCounts().share == 0
    assert FilterCounts(**counts.to_dict()) == counts


# Other models, other input


def scaled(kind: str):
    "A small model of a family that changes its logits after the last layer, or the states before it."
    shape = {"vocab_size": 40, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    shape |= {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8, "max_position_embeddings": 32}
    config, model = {
        "granite": (GraniteConfig(**shape, logits_scaling=8.0), GraniteForCausalLM),
        "gemma 2": (Gemma2Config(**shape, final_logit_softcapping=2.0), Gemma2ForCausalLM),
        "cohere": (CohereConfig(**shape, logit_scale=0.1), CohereForCausalLM),
        "llama": (LlamaConfig(**shape), LlamaForCausalLM),
    }[kind]
    torch.manual_seed(0)
    model = model(config).eval()
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(20)
    return model


@pytest.mark.parametrize("kind", ["granite", "gemma 2", "cohere", "llama"])
def test_the_perplexity_of_models_that_scale_or_cap_their_logits(kind):
    model, ids = scaled(kind), torch.randint(40, (3, 9), generator=torch.Generator().manual_seed(0))
    assert makes_logits_alone(model) == (kind == "llama")
    with torch.no_grad():
        expected = model(input_ids=ids, labels=ids).loss.item()
    data = Dataset.from_dict({"input_ids": ids.tolist()})
    assert evaluate_perplexity(model, data, batch_size=2)["loss"] == pytest.approx(expected, rel=1e-4)
    if kind != "llama":
        with pytest.raises(CourseError, match="scales or caps"), chunked_head(model):
            pass


def test_no_field_of_later_records_is_lost():
    records = [{"content": "import pandas"}, {"content": "import pandas as pd", "licence": "MIT"}]
    assert filter_by_keywords(records).to_dataset().to_list() == [records[0] | {"licence": None}, records[1]]
    mixed = [{"content": "import pandas", "n": 1}, {"content": "import pandas", "n": "x"}]
    assert "one type" in complaint_of(DataError, filter_by_keywords(mixed).to_dataset)


@pytest.mark.parametrize("kind", [pa.string_view(), pa.binary_view()])
def test_views_with_gaps_are_filtered(kind):
    table = pa.table({"content": pa.array(["import pandas", None, "x"]).cast(kind)})
    found = filter_by_keywords(Dataset(table))
    assert len(found.to_dataset()) == 1
    assert found.counts.skipped == {"missing": 1}


@pytest.mark.parametrize("arrow", [False, True])
def test_a_missing_sequence_is_named(arrow):
    rows = [[1, 2], None, [3]]
    assert "Sequence 1 is None" in complaint_of(DataError, pack_sequences, pa.array(rows) if arrow else rows, 2)


def test_the_home_folder_may_be_written_as_a_tilde(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    filter_to_folder([{"content": "import pandas"}], "~/kept")
    assert (tmp_path / "kept" / "counts.json").is_file()


@pytest.mark.parametrize(("prompt", "words"), [("\ud800", "surrogate"), (None, "Text 0 is None")])
def test_prompts_that_are_no_text_are_named(tokenizer, prompt, words):
    model = small_model(len(tokenizer))
    assert words in complaint_of(CourseError, complete_code, model, tokenizer, [prompt], max_new_tokens=4)
    assert words in complaint_of(CourseError, tokenize_code, [prompt], tokenizer)


def test_files_that_are_no_splits_are_named(tokenizer):
    files = Dataset.from_dict({"content": make_files(4)})
    assert "Give a DatasetDict" in complaint_of(DataError, preprocess, files, tokenizer, 16)
    assert "IterableDataset" in complaint_of(
        DataError, preprocess, IterableDatasetDict(train=files.to_iterable_dataset()), tokenizer, 16
    )


# What a chapter may not cost


def test_files_are_kept_without_a_copy_where_there_is_no_keyword():
    files = DatasetDict(train=Dataset.from_dict({"content": make_files(600), "path": ["p"] * 600}))
    kept = filter_splits(files, None)["train"]
    assert kept.column_names == ["content"]
    assert kept["content"][:] == files["train"]["content"][:]
    one, two = (
        [chunk.buffers()[2].address for chunk in rows.data.column("content").chunks] for rows in (kept, files["train"])
    )
    assert one == two


def test_no_more_is_tokenized_than_is_used(tokenizer, monkeypatch):
    seen = []

    def tokenize(texts, *arguments, **options):
        seen.extend(texts)
        return tokenize_code(texts, *arguments, **options)

    monkeypatch.setattr("course_lib.causal_lm.tokenize_code", tokenize)
    texts = [f"name_{number} = {number}\n" * 20 for number in range(3000)]
    files = DatasetDict({split: Dataset.from_dict({"content": texts}) for split in ("train", "validation")})
    options = {"sizes": {"train": 50, "validation": 40}, "seed": 3}
    data = preprocess(files, tokenizer, 16, **options)
    assert {split: len(rows) for split, rows in data.items()} == options["sizes"]
    assert len(set(seen)) < 700, "of 3,000 files"
    first = {
        int(number) for row in data["train"]["input_ids"] for number in re.findall(r"name_(\d+)", tokenizer.decode(row))
    }
    assert max(first) - min(first) > 1500, "from everywhere"
    assert data["train"]["input_ids"][:] == preprocess(files, tokenizer, 16, **options)["train"]["input_ids"][:]
    other = preprocess(files, tokenizer, 16, **options | {"seed": 4})
    assert data["train"]["input_ids"][:] != other["train"]["input_ids"][:]


def test_contexts_of_100_mb_need_little_memory():
    code = """
import resource
import numpy as np, pyarrow as pa
from datasets import Dataset, DatasetDict, disable_progress_bars
from course_lib.causal_lm import filter_splits, preprocess, train_code_tokenizer
disable_progress_bars()
text = "some_name = other_name + 1\\n" * 400
tokenizer = train_code_tokenizer([text], 300)
files = Dataset(pa.concat_tables([pa.table({"content": [text] * 100})] * 100), fingerprint="a")
few = DatasetDict(train=files.select(range(300)))
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
preprocess(few, tokenizer, 128)
before = peak()
data = preprocess(filter_splits(DatasetDict(train=files), None), tokenizer, 128, sizes={"train": 5000})
print(files.data.nbytes, len(data["train"]), peak() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    size, contexts, more = map(float, done.stdout.split())
    assert size > 100e6
    assert contexts == 5000
    assert more < 60, f"{more} MB"


def test_one_process_prepares_and_the_others_read(folder, tmp_path, monkeypatch):
    def note(*arguments, **options):
        (tmp_path / "loaded" / str(os.getpid())).touch()
        return load_data(*arguments, **options)

    def run():
        _, tokenizer, history = train(tiny(dataset=folder), progress=False)
        return {"history": history.to_dict(), "tokens": tokenizer(make_files(3))["input_ids"]}

    for name in ("loaded", "temporary"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr("course_lib.causal_lm.load_data", note)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    runs = launch(run, num_processes=3, cpu=True)
    assert len(list((tmp_path / "loaded").iterdir())) == 1
    assert runs[0] == runs[1] == runs[2]
    lost = lambda: train(tiny(dataset=folder, keywords="no_such_word"), progress=False)
    assert "no_such_word" in complaint_of(CourseError, launch, lost, num_processes=2, cpu=True)
    assert list((tmp_path / "temporary").glob("course-*")) == [], "what was prepared is gone"


class NothingReadBack(TorchDispatchMode):
    "Fails where a value of a tensor becomes a number of Python's, or decides a shape: the host waits for a GPU there."

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        name = str(function.overloadpacket)
        assert not re.search("local_scalar|nonzero|masked_select|equal$|unique", name), name
        if name == "aten.index":
            assert not any(index is not None and index.dtype == torch.bool for index in arguments[1]), "a mask as index"
        return function(*arguments, **(options or {}))


def test_training_reads_nothing_back_from_the_device():
    model, ids = small_model(50), torch.randint(50, (2, 12))
    logits = torch.zeros(2, 12, 50, requires_grad=True)
    with chunked_head(model, range(40), 0.5), NothingReadBack():
        model(input_ids=ids, labels=ids).loss.backward()
        keytoken_weighted_loss(ids, logits, [3, 4]).backward()
    assert model.get_output_embeddings().weight.grad.any()


def test_full_fills_a_gpu_and_keeps_its_steps():
    full = SETTINGS["full"]
    assert full.batch_size * full.context_length >= 16_384
    assert full.batch_size * full.gradient_accumulation_steps * full.context_length == 32_768


def test_the_notebook_runs_with_few_contexts_all_files_and_no_finished_model(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", os.environ.copy())
    settings = "train_contexts=40 validation_contexts=10 train_size=60 validation_size=20 keywords=none key_tokens=none"
    words = [*settings.split(), "checkpoint=nobody/no-such-model", "--out", str(tmp_path), "--no-html"]
    done = CliRunner().invoke(cli.app, ["run", "04", "--profile", "tiny", "--set", *words])
    assert done.exit_code == 0, done.output
    notebook = (tmp_path / "04_causal_lm.ipynb").read_text(encoding="utf-8")
    assert "nobody/no-such-model" in notebook
    assert '"kept": 0' not in notebook
