"""Repositories as they lie on the Hub, with the files and names of the real ones and little in them.

Sentences come from the course's own corpora; the models are of the real architectures, a few thousand weights each, drawn
at random. What the course must not fetch is there too, as on the Hub: weights for other libraries, other configurations.
"""

import io
import json
import random
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
from loopback_hub import File, LoopbackHub, Repository
from pyarrow import parquet

ATTRIBUTES = "".join(f"*.{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in ("bin", "h5", "parquet"))
BOT = "SFconvertbot"
CONVERSION = "Adding `safetensors` variant of this model"
WASTE = b"weights for another library, which nobody should fetch " * 400


@cache
def sentences(count: int = 1200) -> list[str]:
    "English sentences with capitals, the same ones each time."
    from recipes.corpora.paraphrases import build_paraphrases
    from recipes.corpora.reviews import build_reviews

    pairs = build_paraphrases(train_size=count // 2, validation_size=0)["train"]
    reviews = build_reviews(train_size=count // 6, validation_size=0, unlabelled_size=0)["train"]
    return [pair["sentence1"] for pair in pairs] + [review["text"] for review in reviews]


def weights(model: Any, rename: Mapping[str, str] | None = None, tied: Iterable[str] = ()) -> dict[str, bytes]:
    "The state of a model as both kinds of files: model.safetensors and pytorch_model.bin."
    import torch
    from safetensors.torch import save

    state = {name: value.detach().clone() for name, value in model.state_dict().items() if name not in set(tied)}
    for old, new in (rename or {}).items():
        state = {name.replace(old, new): value for name, value in state.items()}
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return {"model.safetensors": save(state, metadata={"format": "pt"}), "pytorch_model.bin": buffer.getvalue()}


def dumps(value: Any) -> str:
    return json.dumps(value, indent=2) + "\n"


def config_of(model: Any, **changes: Any) -> str:
    "config.json as it was written years ago: no dtype, an old version."
    config = {name: value for name, value in model.config.to_diff_dict().items() if name != "dtype"}
    return dumps(config | {"architectures": [type(model).__name__], "transformers_version": "4.6.0.dev0"} | changes)


@cache
def word_piece_files(cased: bool, size: int = 1500) -> dict[str, str]:
    "tokenizer.json, tokenizer_config.json and vocab.txt of a BERT, learned from `sentences`."
    from tokenizers import BertWordPieceTokenizer

    tokenizer = BertWordPieceTokenizer(lowercase=not cased, strip_accents=None if cased else True)
    tokenizer.train_from_iterator(sentences(), vocab_size=size, min_frequency=2, show_progress=False)
    words = sorted(tokenizer.get_vocab().items(), key=lambda pair: pair[1])
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("unk", "sep", "pad", "cls", "mask")}
    tokenizer = BertWordPieceTokenizer(dict(words), lowercase=not cased, **special)
    return {
        "tokenizer.json": tokenizer.to_str(pretty=True),
        "tokenizer_config.json": json.dumps({"do_lower_case": not cased, "model_max_length": 512}),
        "vocab.txt": "".join(f"{word}\n" for word, _ in words),
    }


@cache
def bert_base_cased() -> dict[str, bytes | str]:
    "google-bert/bert-base-cased: both kinds of weights, with the old names of LayerNorm, and both heads of pre-training."
    import torch
    from transformers import BertConfig, BertForPreTraining

    tokenizer = word_piece_files(cased=True)
    vocabulary = tokenizer["vocab.txt"].count("\n")
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    model = BertForPreTraining(BertConfig(vocab_size=vocabulary, **sizes))
    names = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    tied = ("cls.predictions.decoder.weight", "cls.predictions.decoder.bias", "bert.embeddings.position_ids")
    return {
        **tokenizer,
        **weights(model, names, tied),
        "README.md": "---\nlanguage: en\nlicense: apache-2.0\n---\n\n# BERT base model (cased)\n",
        "config.json": config_of(model, architectures=["BertForMaskedLM"], gradient_checkpointing=False),
        "flax_model.msgpack": WASTE,
        "tf_model.h5": WASTE,
    }


@cache
def distilbert_base_uncased() -> dict[str, bytes | str]:
    "distilbert/distilbert-base-uncased: a masked language model."
    import torch
    from transformers import DistilBertConfig, DistilBertForMaskedLM

    tokenizer = word_piece_files(cased=False)
    vocabulary = tokenizer["vocab.txt"].count("\n")
    torch.manual_seed(0)
    model = DistilBertForMaskedLM(DistilBertConfig(vocab_size=vocabulary, dim=32, hidden_dim=64, n_layers=2, n_heads=2))
    return {
        **tokenizer,
        **weights(model, tied=("vocab_projector.weight",)),
        "README.md": "---\nlanguage: en\nlicense: apache-2.0\n---\n\n# DistilBERT base model (uncased)\n",
        "config.json": config_of(model, tie_weights_=True),
        "flax_model.msgpack": WASTE,
        "rust_model.ot": WASTE,
        "tf_model.h5": WASTE,
    }


@cache
def messages(count: int = 240) -> list[tuple[str, str]]:
    "Short messages of a program and their translations, some of them repeated as in a real one."
    from course_lib.data import load_data

    splits = load_data("jupyterlab-fr", "translations", splits=("train", "validation", "test"))
    rows = [row for split in splits.values() for row in split]
    random.Random(0).shuffle(rows)
    pairs = [(row["source"], row["target"]) for row in rows if "\n" not in row["source"] + row["target"]]
    return pairs[:count] + pairs[: count // 10]


@cache
def sentence_piece(side: int, size: int) -> bytes:
    "A SentencePiece model for one side of `messages`."
    import sentencepiece

    lines, model = [pair[side] for pair in messages()], io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, vocab_size=size, hard_vocab_limit=False, minloglevel=2
    )
    return model.getvalue()


@cache
def opus_mt_en_fr() -> dict[str, bytes | str]:
    "Helsinki-NLP/opus-mt-en-fr on main: two SentencePiece models, one vocabulary, weights in pytorch_model.bin alone."
    import sentencepiece
    import torch
    from transformers import MarianConfig, MarianMTModel

    files = {"source.spm": sentence_piece(0, 400), "target.spm": sentence_piece(1, 400)}
    pieces: dict[str, int] = {"</s>": 0, "<unk>": 1}
    for content in files.values():
        model = sentencepiece.SentencePieceProcessor(model_proto=content)
        for number in range(model.get_piece_size()):
            piece = model.id_to_piece(number)
            if piece not in ("<s>", "</s>", "<unk>"):
                pieces.setdefault(piece, len(pieces))
    pad = pieces["<pad>"] = len(pieces)
    generation = {
        "bad_words_ids": [[pad]],
        "bos_token_id": 0,
        "decoder_start_token_id": pad,
        "eos_token_id": 0,
        "forced_eos_token_id": 0,
        "max_length": 512,
        "num_beams": 4,
        "pad_token_id": pad,
    }
    sides = [("encoder_layers", 2), ("encoder_attention_heads", 2), ("encoder_ffn_dim", 64)]
    sizes = dict(sides) | {f"de{name[2:]}": value for name, value in sides}
    special = {name: generation[name] for name in generation if name.endswith("_id")}
    torch.manual_seed(0)
    net = MarianMTModel(MarianConfig(vocab_size=len(pieces), d_model=32, scale_embedding=True, **sizes, **special))
    net.final_logits_bias[0, 0] = 4.5  # a model drawn at random would hardly ever end a translation
    old = {
        "bad_words_ids": [[pad]],
        "max_length": 512,
        "num_beams": 4,
        "activation_function": "swish",
        "static_position_embeddings": True,
    }
    return {
        **files,
        "README.md": "---\nlicense: apache-2.0\ntags:\n- translation\n---\n\n### opus-mt-en-fr\n",
        "config.json": config_of(net, **special, **old),
        "generation_config.json": dumps({"_from_model_config": True, **generation, "renormalize_logits": True}),
        "metadata.json": "{}",
        "pytorch_model.bin": weights(net)["pytorch_model.bin"],
        "rust_model.ot": WASTE,
        "tf_model.h5": WASTE,
        "tokenizer_config.json": json.dumps({"target_lang": "fr", "source_lang": "en"}),
        "vocab.json": json.dumps(pieces, ensure_ascii=False, indent=2),
    }


@cache
def code_files(split: str, count: int, most: int = 3000) -> list[dict[str, str]]:
    "Python files that use pandas, as the data set of chapter 4 lists them: all values are texts, the size too."
    shapes = ["plot", "mean", "describe", "head", "dropna", "fillna", "groupby", "merge", "sort_values", "value_counts"]
    rng, rows = random.Random(split), []
    for number in range(count):
        lines = ["import numpy as np", "import pandas as pd", "import matplotlib.pyplot as plt", ""]
        while sum(map(len, lines)) < rng.randrange(300, most):
            name, call = rng.choice(["df", "data", "frame", "table"]), rng.choice(shapes)
            lines += [
                f"def {call}_{rng.randrange(1000)}({name}, column='{rng.choice('abcdef')}{rng.randrange(100)}'):",
                f"    values = {name}[column].{call}()",
                f"    if len({name}) > {rng.randrange(50)}:",
                f"        plt.plot(np.arange({rng.randrange(9)}), {name}.{rng.choice(shapes)}())",
                f"    return values.{rng.choice(shapes)}()",
                "",
            ]
        content = "\n".join(lines)
        meta = {"repo_name": f"someone/{split}{number // 3}", "path": f"src/{split}{number}.py", "copies": "1"}
        rows.append(meta | {"size": str(len(content)), "content": content, "license": "mit"})
    return rows


@cache
def codeparrot_model() -> dict[str, bytes | str]:
    "huggingface-course/codeparrot-ds, the model: a GPT-2, weights in pytorch_model.bin alone."
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import GPT2Config, GPT2LMHeadModel

    end = "<|endoftext|>"
    tokenizer = ByteLevelBPETokenizer()
    contents = [row["content"] for row in code_files("train", 12)]
    tokenizer.train_from_iterator(contents, 600, special_tokens=[end], show_progress=False)
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_model(folder)
        vocabulary = {name: Path(folder, name).read_text(encoding="utf-8") for name in ("vocab.json", "merges.txt")}
    torch.manual_seed(0)
    ends = dict.fromkeys(("bos_token_id", "eos_token_id"), tokenizer.token_to_id(end))
    model = GPT2LMHeadModel(
        GPT2Config(vocab_size=tokenizer.get_vocab_size(), n_embd=32, n_layer=2, n_head=2, n_positions=1024, **ends)
    )
    special = dict.fromkeys(("bos_token", "eos_token", "unk_token"), end)
    return {
        **vocabulary,
        "README.md": "---\nlicense: apache-2.0\ntags:\n- generated_from_trainer\n---\n\n# codeparrot-ds\n",
        "config.json": config_of(model, n_ctx=128),
        "pytorch_model.bin": weights(model)["pytorch_model.bin"],
        "special_tokens_map.json": dumps(special),
        "tokenizer.json": tokenizer.to_str(),
        "tokenizer_config.json": json.dumps(
            {"add_prefix_space": False, "model_max_length": 1024, "tokenizer_class": "GPT2Tokenizer"} | special
        ),
        "training_args.bin": WASTE,
        "runs/events.out.tfevents": WASTE,
    }


@cache
def smollm2() -> dict[str, bytes | str]:
    "HuggingFaceTB/SmolLM2-135M: a Llama with the bytes and merges of a GPT-2, in bfloat16, as safetensors alone."
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    sizes |= {"num_key_value_heads": 1, "max_position_embeddings": 1024, "tie_word_embeddings": True}
    files = dict(codeparrot_model())
    vocabulary = json.loads(files["vocab.json"])
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(vocabulary), bos_token_id=0, eos_token_id=0, **sizes))
    kept = ("vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
    return {
        **{name: files[name] for name in kept},
        "README.md": "---\nlicense: apache-2.0\nlanguage:\n- en\n---\n\n# SmolLM2\n",
        "config.json": config_of(model, dtype="bfloat16"),
        "model.safetensors": weights(model.to(torch.bfloat16), tied=("lm_head.weight",))["model.safetensors"],
        "onnx/model.onnx": WASTE,
    }


def as_parquet(rows: list[dict[str, Any]]) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def data_card(features: Mapping[str, Mapping[str, str]], splits: Mapping[str, Iterable[str]], default: str = "") -> str:
    "README.md of a data set: features and files of each configuration, as YAML. A feature is a type, or finished YAML."
    info, files = "dataset_info:\n", "configs:\n"
    for config, columns in features.items():
        info += f"- config_name: {config}\n  features:\n"
        for name, kind in columns.items():
            info += f"  - name: {name}\n" + (f"    dtype: {kind}\n" if "\n" not in kind else kind)
        files += f"- config_name: {config}\n  data_files:\n"
        files += "".join(f"  - split: {split}\n    path: {config}/{split}-*\n" for split in splits[config])
        files += "  default: true\n" if config == default else ""
    return f"---\nlanguage:\n- en\n{info}{files}---\n\n# Dataset card\n"


def class_label(*names: str) -> str:
    numbered = "".join(f"          '{number}': {name}\n" for number, name in enumerate(names))
    return f"    dtype:\n      class_label:\n        names:\n{numbered}"


ANSWERS = "    sequence:\n    - name: text\n      dtype: string\n    - name: answer_start\n      dtype: int32\n"


@cache
def glue(train: int = 160, validation: int = 60) -> dict[str, bytes | str]:
    "nyu-mll/glue with two of its configurations; the labels of mrpc's test split are there, as on the Hub."
    from recipes.corpora.paraphrases import build_paraphrases

    mrpc = build_paraphrases(train_size=train, validation_size=2 * validation)
    rows = {
        "train": mrpc["train"],
        "validation": mrpc["validation"][:validation],
        "test": mrpc["validation"][validation:],
    }
    order = ("sentence1", "sentence2", "label", "idx")
    cola = {"sentence": "string", "label": class_label("unacceptable", "acceptable"), "idx": "int32"}
    pairs = dict.fromkeys(order[:2], "string") | {"label": class_label("not_equivalent", "equivalent"), "idx": "int32"}
    names = ("train", "validation", "test")
    files: dict[str, bytes | str] = {
        "README.md": data_card({"cola": cola, "mrpc": pairs}, {"cola": names, "mrpc": names})
    }
    for split in names:
        text = [{"sentence": "It is.", "label": 1, "idx": number} for number in range(500)]
        files[f"cola/{split}-00000-of-00001.parquet"] = as_parquet(text)
        part = [{name: row[name] for name in order} for row in rows[split]]
        files[f"mrpc/{split}-00000-of-00001.parquet"] = as_parquet(part)
    return files


@cache
def imdb(train: int = 96, test: int = 48) -> dict[str, bytes | str]:
    "stanfordnlp/imdb: no validation split; unlabelled reviews beside the others, with line breaks as on the Web."
    from recipes.corpora.reviews import build_reviews

    made = build_reviews(train_size=train, validation_size=test, unlabelled_size=train)
    splits = {
        "train": made["train"],
        "test": made["validation"],
        "unsupervised": [{**row, "label": -1} for row in made["unsupervised"]],
    }
    columns = {"text": "string", "label": class_label("neg", "pos")}
    files: dict[str, bytes | str] = {
        "README.md": data_card({"plain_text": columns}, {"plain_text": splits}, default="plain_text")
    }
    for split, rows in splits.items():
        part = [{"text": row["text"].replace(". ", ".<br /><br />", 1), "label": row["label"]} for row in rows]
        files[f"plain_text/{split}-00000-of-00001.parquet"] = as_parquet(part)
    return files


@cache
def squad(train: int = 20, validation: int = 8, version: int = 1) -> dict[str, bytes | str]:
    "rajpurkar/squad, or rajpurkar/squad_v2; the sizes are contexts, with six questions each and perhaps more without an answer."
    from recipes.corpora.questions import build_questions, build_unanswerable

    build, name = (build_questions, "plain_text") if version == 1 else (build_unanswerable, "squad_v2")
    made = build(train_contexts=train, validation_contexts=validation)
    columns = dict.fromkeys(("id", "title", "context", "question"), "string") | {"answers": ANSWERS}
    files: dict[str, bytes | str] = {"README.md": data_card({name: columns}, {name: made}, default=name)}
    for split, rows in made.items():
        part = [{column: row[column] for column in columns} for row in rows]
        files[f"{name}/{split}-00000-of-00001.parquet"] = as_parquet(part)
    return files


def json_lines(rows: list[dict[str, str]]) -> File:
    "One object per line: the data sets of chapter 4 are one such file, kept as a large one."
    return File("".join(json.dumps(row) + "\n" for row in rows).encode(), large=True)


@cache
def kde4_zip() -> bytes:
    "The archive of OPUS in Moses' format."
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README", "KDE4\n")
        archive.writestr("LICENSE", "see http://opus.nlpl.eu\n")
        for side, code in enumerate(("en", "fr")):
            archive.writestr(f"KDE4.en-fr.{code}", "".join(pair[side] + "\n" for pair in messages()))
        archive.writestr("KDE4.en-fr.xml", "<cesAlign/>\n")
    return buffer.getvalue()


OPUS = "OPUS-KDE4/v2/moses/en-fr.txt.zip"  # below `hub.url + "/elsewhere/"`


def offer_safetensors(repository: Repository, content: bytes) -> dict[str, Any]:
    "The pull request of the bot that converts weights."
    return repository.open_pull_request({"model.safetensors": content}, CONVERSION, BOT)


def converted(files: Mapping[str, bytes | str]) -> bytes:
    "The weights in pytorch_model.bin as safetensors."
    import torch
    from safetensors.torch import save

    state = torch.load(io.BytesIO(files["pytorch_model.bin"]), weights_only=True)
    return save({name: value.clone() for name, value in state.items()}, metadata={"format": "pt"})


def fill(hub: LoopbackHub) -> LoopbackHub:
    "Everything that the profile `colab` asks for. Returns the hub."
    hub.add("models", "google-bert/bert-base-cased", bert_base_cased())
    hub.add("models", "distilbert/distilbert-base-uncased", distilbert_base_uncased())
    for name, files in {
        "Helsinki-NLP/opus-mt-en-fr": opus_mt_en_fr(),
        "huggingface-course/codeparrot-ds": codeparrot_model(),
    }.items():
        offer_safetensors(hub.add("models", name, files), converted(files))
    hub.add("models", "HuggingFaceTB/SmolLM2-135M", smollm2())
    hub.add("datasets", "nyu-mll/glue", glue())
    hub.add("datasets", "stanfordnlp/imdb", imdb())
    hub.add("datasets", "rajpurkar/squad", squad())
    hub.add("datasets", "rajpurkar/squad_v2", squad(version=2))
    for split, name, count in (("train", "train", 40), ("validation", "valid", 8)):
        content = json_lines(code_files(split, count))
        hub.add("datasets", f"huggingface-course/codeparrot-ds-{name}", {f"ds_{name}.json": content})
    hub.elsewhere[OPUS] = kde4_zip()
    return hub
