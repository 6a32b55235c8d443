"""Translations against the loops that a reader writes first."""

import json
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import sentencepiece
import torch
from transformers import MarianTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from benchmarks.harness import Row, compare
from course_lib.checkpoints import load_model, load_tokenizer
from course_lib.data import load_data
from course_lib.translation import decode_predictions, generate_all, preprocess_pairs

NUMBERS = (16, 17)
LONGEST = 128


def make_marian(pairs: dict[str, list[str]], folder: str, size: int = 2000) -> MarianTokenizer:
    "A tokenizer of the Marian family, learned from the pairs."
    pieces = ["</s>", "<unk>"]
    for side in ("source", "target"):
        file = Path(folder, f"{side}.spm")
        with open(file, "wb") as writer:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(pairs[side]),
                model_writer=writer,
                vocab_size=size,
                hard_vocab_limit=False,
                minloglevel=2,
            )
        model = sentencepiece.SentencePieceProcessor(model_file=str(file))
        pieces += [model.id_to_piece(number) for number in range(model.get_piece_size())]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys([*pieces, "<pad>"]))}
    Path(folder, "vocab.json").write_text(json.dumps(vocabulary))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return MarianTokenizer(*(str(Path(folder, name)) for name in ("source.spm", "target.spm", "vocab.json")))


def naive_pairs(pairs: dict[str, list[str]], tokenizer: PreTrainedTokenizerBase) -> dict[str, list[list[int]]]:
    options = {"truncation": True, "max_length": LONGEST, "split_special_tokens": True}
    result: dict[str, list[list[int]]] = {"input_ids": [], "attention_mask": [], "labels": []}
    for source, target in zip(pairs["source"], pairs["target"], strict=True):
        encoded = tokenizer(source, text_target=target, **options)
        for name, rows in result.items():
            rows.append(encoded[name])
    return result


def naive_texts(rows: list[list[int]], tokenizer: PreTrainedTokenizerBase) -> list[str]:
    return [tokenizer.decode([token for token in row if token != -100], skip_special_tokens=True) for row in rows]


def pieces_only(pairs: dict[str, list[str]], tokenizer: PreTrainedTokenizerBase) -> None:
    "What lies below the tokenizer: SentencePiece, or the Rust library, once for each side."
    if tokenizer.is_fast:
        for texts in pairs.values():
            tokenizer.backend_tokenizer.encode_batch_fast(texts)
    else:
        for model, texts in zip((tokenizer.spm_source, tokenizer.spm_target), pairs.values(), strict=True):
            model.encode(texts, out_type=int)


def join_only(labels: list[list[int]], tokenizer: PreTrainedTokenizerBase) -> None:
    "The same for the way back."
    if tokenizer.is_fast:
        tokenizer.backend_tokenizer.decode_batch(labels, skip_special_tokens=True)
    else:
        size = tokenizer.spm_source.get_piece_size()
        tokenizer.spm_source.decode([[token % size for token in row] for row in labels])


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


@torch.inference_mode()
def read_once(model: PreTrainedModel, rows: list[list[int]], made: list[list[int]], beams: int) -> None:
    """Encoder and decoder once over every distinct source and its finished translation, 64 at a time.

    Nobody can do with less: whoever guessed all translations would still have to check them.
    """
    pairs = sorted(
        set(zip(map(tuple, rows), map(tuple, made), strict=True)), key=lambda pair: len(pair[0]) + len(pair[1])
    )
    pad = model.config.pad_token_id
    for start in range(0, len(pairs), 64):
        sources, targets = (
            torch.nn.utils.rnn.pad_sequence(list(map(torch.tensor, side)), batch_first=True, padding_value=pad)
            for side in zip(*pairs[start : start + 64], strict=True)
        )
        encoded = model.get_encoder()(input_ids=sources, attention_mask=(sources != pad).long())
        states, mask = encoded.last_hidden_state, (sources != pad).long()
        for _ in range(beams):
            output = model(decoder_input_ids=targets, encoder_outputs=(states,), attention_mask=mask)
            output.logits.argmax(-1)


def run() -> Iterator[Row]:
    data = load_data("jupyterlab-fr", "translations")
    model, tokenizer = load_model("seq2seq", "mini/seq2seq"), load_tokenizer("mini/seq2seq")
    held_out = data["validation"][:]
    rows = preprocess_pairs(held_out, tokenizer, LONGEST)["input_ids"]
    for item, theirs, ours, beams, target in (
        ("generate greedily, naive in batches of 8", 8, 64, 1, 4.0),
        ("generate greedily, same batch size", 64, 64, 1, 2.5),
        ("generate with four beams, same batch size", 32, 32, 4, 1.5),
    ):
        report: dict[str, float] = {}

        def translate(size: int = ours, beams: int = beams, report: dict[str, float] = report) -> list[str]:
            options = {"num_beams": beams, "max_length": LONGEST, "batch_size": size, "report": report}
            return decode_predictions(generate_all(model, rows, **options), tokenizer)

        options = {"num_beams": beams, "max_length": LONGEST, "batch_size": ours}
        made = generate_all(model, rows, **options)
        row = compare(
            item,
            f"{len(rows)} real messages",
            lambda size=theirs, beams=beams: naive_generate(model, tokenizer, rows, size, beams),
            translate,
            nearly_equal,
            number=16,
            target=target,
            bound=lambda made=made, beams=beams: read_once(model, rows, made, beams),
            bound_of="one pass over the finished translations",
        )
        unpadded = sum(map(len, rows)) / sum(len(part) * max(map(len, part)) for part in (rows[i : i + theirs] for i in range(0, len(rows), theirs)))  # fmt: skip
        row.notes |= {
            "tokens per second": round(report["tokens"] / row.ours),
            "padding": f"{report['padding']:.0%} instead of {1 - unpadded:.0%}",
        }
        yield row

    pairs = data["train"][:1000]
    pairs["target"][0] += " </s>"  # looks like the end of the text, and is none
    with tempfile.TemporaryDirectory() as folder:
        marian = make_marian(pairs, folder)
        for name, one, (before, after) in (("Marian's tokenizer", marian, (5.0, 3.5)), ("mini/seq2seq's", tokenizer, (1.5, 1.2))):  # fmt: skip
            labels = preprocess_pairs(pairs, one, LONGEST)["labels"]
            yield compare(
                f"pre-processing, {name}",
                "1,000 pairs",
                lambda one=one: naive_pairs(pairs, one),
                lambda one=one: preprocess_pairs(pairs, one, LONGEST),
                lambda left, right: left == right,
                number=17,
                target=before,
                bound=lambda one=one: pieces_only(pairs, one),
                bound_of="the tokenizer",
            )
            yield compare(
                f"post-processing, {name}",
                "1,000 texts",
                lambda one=one, labels=labels: naive_texts(labels, one),
                lambda one=one, labels=labels: decode_predictions(labels, one),
                lambda left, right: left == right,
                number=17,
                target=after,
                bound=lambda one=one, labels=labels: join_only(labels, one),
                bound_of="the tokenizer",
            )
