"""Translations, their tokens and their texts, against the loops that a reader writes first."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import sentencepiece
import torch
from transformers import MarianTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from benchmarks.harness import Row, compare
from course_lib.checkpoints import load_model, load_tokenizer
from course_lib.data import load_data
from course_lib.generation import decode_predictions, encode_texts, generate_all

NUMBERS = (16, 17)
LONGEST = 128


def make_marian(pairs: dict[str, list[str]], folder: str) -> MarianTokenizer:
    "A tokenizer of the Marian family, learned from the pairs."
    pieces = ["</s>", "<unk>"]
    for side in ("source", "target"):
        options = {"vocab_size": 2000, "hard_vocab_limit": False, "minloglevel": 2}
        with open(Path(folder, f"{side}.spm"), "wb") as file:
            sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(pairs[side]), model_writer=file, **options)
        model = sentencepiece.SentencePieceProcessor(model_file=file.name)
        pieces += [model.id_to_piece(number) for number in range(model.get_piece_size())]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys([*pieces, "<pad>"]))}
    Path(folder, "vocab.json").write_text(json.dumps(vocabulary))
    return MarianTokenizer(*(str(Path(folder, name)) for name in ("source.spm", "target.spm", "vocab.json")))


def naive_pairs(pairs: dict[str, list[str]], tokenizer: PreTrainedTokenizerBase) -> list[list[list[int]]]:
    options = {"truncation": True, "max_length": LONGEST, "split_special_tokens": True}
    both = zip(pairs["source"], pairs["target"], strict=True)
    rows = [tokenizer(source, text_target=target, **options) for source, target in both]
    return [[row[name] for row in rows] for name in ("input_ids", "labels")]


def our_pairs(pairs: dict[str, list[str]], tokenizer: PreTrainedTokenizerBase) -> list[list[list[int]]]:
    sides = (("source", False), ("target", True))
    return [encode_texts(pairs[side], tokenizer, LONGEST, target=target) for side, target in sides]


def naive_generate(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: list[list[int]], size: int, beams: int
) -> list[str]:
    made = []
    for start in range(0, len(rows), size):
        inputs = tokenizer.pad({"input_ids": rows[start : start + size]}, return_tensors="pt")
        with torch.no_grad():
            ids = model.generate(**inputs, num_beams=beams, max_length=LONGEST)
        made += tokenizer.batch_decode(ids, skip_special_tokens=True)
    return made


def nearly_equal(left: list[str], right: list[str]) -> bool:
    "Whether at most one text in a hundred differs: where two tokens are equally good, rounding decides."
    return sum(mine != other for mine, other in zip(left, right, strict=True)) <= len(left) / 100


def run() -> Iterator[Row]:
    data, same = load_data("jupyterlab-fr", "translations"), lambda left, right: left == right
    model, tokenizer = load_model("seq2seq", "mini/seq2seq"), load_tokenizer("mini/seq2seq")
    rows = encode_texts(data["validation"]["source"][:], tokenizer, LONGEST)
    for item, theirs, size, beams, target in (
        ("generate greedily, naive in batches of 8", 8, 64, 1, 4.0),
        ("generate greedily, same batch size", 64, 64, 1, 2.5),
        ("generate with four beams, same batch size", 32, 32, 4, 1.5),
    ):
        options = {"num_beams": beams, "max_length": LONGEST, "batch_size": size}
        naive = lambda theirs=theirs, beams=beams: naive_generate(model, tokenizer, rows, theirs, beams)
        ours = lambda options=options: decode_predictions(generate_all(model, rows, **options), tokenizer)
        # Two rounds at least: the time of one varies by a third from call to call.
        rounds = {"number": 16, "target": target, "rounds": 2}
        yield compare(item, f"{len(rows)} real messages", naive, ours, nearly_equal, **rounds)
    pairs = data["train"][:1000]
    pairs["target"][0] += " </s>"  # looks like the end of the text, and is none
    with tempfile.TemporaryDirectory() as folder:
        marian = make_marian(pairs, folder)
        naive, ours = lambda: naive_pairs(pairs, marian), lambda: our_pairs(pairs, marian)
        yield compare("Marian's pre-processing", "1,000 pairs", naive, ours, same, number=17, target=5.0)
        labels = ours()[1]
        naive = lambda: [marian.decode(row, skip_special_tokens=True) for row in labels]
        ours = lambda: decode_predictions(labels, marian)
        yield compare("Marian's post-processing", "1,000 texts", naive, ours, same, number=17, target=3.5)
