"Checkpoints of the usual architectures, some thousand numbers each, as `save_pretrained` writes them."

import json
from pathlib import Path

import torch
import transformers as hf
from sentencepiece import SentencePieceTrainer
from tokenizers import pre_tokenizers, processors
from transformers import PreTrainedTokenizerBase

LETTERS = [*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:;'?!()=+-_\"é"]
TEXTS = [" ".join(LETTERS), "some words of a text", "quelques mots d'un texte"] * 3
BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())
WIDTH = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
SIDES = {"encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "d_model": 16}
SIDES |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "max_position_embeddings": 130}


def numbered(*pieces: str) -> dict[str, int]:
    return {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}


def scored(*special: str) -> list[tuple[str, float]]:
    "For a unigram model: special pieces cost nothing."
    return [(piece, 0.0) for piece in special] + [(piece, -1.0) for piece in ["▁", *LETTERS]]


def word_pieces() -> PreTrainedTokenizerBase:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return hf.BertTokenizer(numbered(*special, *LETTERS, *(f"##{letter}" for letter in LETTERS)))


def modern() -> PreTrainedTokenizerBase:
    "As ModernBERT has it: bytes, and offsets with the blank before a word."
    names = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    raw = hf.GPT2Tokenizer(numbered(*names.values(), *BYTES), []).backend_tokenizer
    raw.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {f"{name}_token": piece for name, piece in names.items()}
    return hf.PreTrainedTokenizerFast(
        tokenizer_object=raw, model_input_names=["input_ids", "attention_mask"], **names
    )


def roberta() -> PreTrainedTokenizerBase:
    return hf.RobertaTokenizer(numbered("<s>", "<pad>", "</s>", "<unk>", "<mask>", *BYTES), [])


def deberta() -> PreTrainedTokenizerBase:
    return hf.DebertaV2Tokenizer(scored("[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"), unk_id=3)


def gpt2() -> PreTrainedTokenizerBase:
    "Without padding."
    return hf.GPT2Tokenizer(numbered(*BYTES, "<|endoftext|>"), [])


def llama() -> PreTrainedTokenizerBase:
    "Begins a text with a token, takes the whole of it for one word, and has no padding."
    spare = [f"<0x{number:02X}>" for number in range(256)]
    made = hf.LlamaTokenizer(numbered("<unk>", "<s>", "</s>", *spare, "▁", "\n", *LETTERS), [])
    made.backend_tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return made


def t5() -> PreTrainedTokenizerBase:
    return hf.T5Tokenizer(scored("<pad>", "</s>", "<unk>"), extra_ids=2)


def mbart() -> PreTrainedTokenizerBase:
    return hf.MBartTokenizer(scored("<s>", "<pad>", "</s>", "<unk>"))


def nllb() -> PreTrainedTokenizerBase:
    return hf.NllbTokenizer(numbered("<s>", "<pad>", "</s>", "<unk>", "▁", *LETTERS), [])


def m2m100(folder: Path) -> PreTrainedTokenizerBase:
    folder.mkdir(parents=True, exist_ok=True)
    options = {"vocab_size": 120, "hard_vocab_limit": False, "character_coverage": 1.0, "minloglevel": 2}
    with open(folder / "sentencepiece.bpe.model", "wb") as file:
        SentencePieceTrainer.train(sentence_iterator=iter(TEXTS), model_writer=file, **options)
    pieces = numbered("<s>", "<pad>", "</s>", "<unk>", "▁", *(f"▁{x}" for x in LETTERS), *LETTERS)
    (folder / "vocab.json").write_text(json.dumps(pieces))
    return hf.M2M100Tokenizer(str(folder / "vocab.json"), str(folder / "sentencepiece.bpe.model"))



def marian(folder: Path) -> PreTrainedTokenizerBase:
    folder.mkdir(parents=True, exist_ok=True)
    for side in ("source", "target"):
        options = {"vocab_size": 120, "hard_vocab_limit": False, "character_coverage": 1.0, "minloglevel": 2}
        with open(folder / f"{side}.spm", "wb") as file:
            SentencePieceTrainer.train(sentence_iterator=iter(TEXTS), model_writer=file, **options)
    pieces = numbered("</s>", "<unk>", "▁", *(f"▁{x}" for x in LETTERS), *LETTERS, "<pad>")
    (folder / "vocab.json").write_text(json.dumps(pieces))
    return hf.MarianTokenizer(*(str(folder / name) for name in ("source.spm", "target.spm", "vocab.json")))


FIRST = {"decoder_start_token_id": 0}
PREFIX = {"task_specific_params": {"translation_en_to_fr": {"prefix": "translate English to French: "}}}
# Tokenizer, configuration and its sizes, of each architecture.
ENCODERS = {
    "bert": (word_pieces, hf.BertConfig, WIDTH),
    "distilbert": (word_pieces, hf.DistilBertConfig, {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32}),
    "electra": (word_pieces, hf.ElectraConfig, WIDTH | {"embedding_size": 16}),
    "roberta": (roberta, hf.RobertaConfig, WIDTH | {"type_vocab_size": 1, "max_position_embeddings": 130}),
    "modernbert": (modern, hf.ModernBertConfig, WIDTH | {"global_attn_every_n_layers": 2}),
    "deberta-v2": (deberta, hf.DebertaV2Config, WIDTH | {"type_vocab_size": 0, "relative_attention": True}),
}
DECODERS = {
    "gpt2": (gpt2, hf.GPT2Config, {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 128}),
    "llama": (llama, hf.LlamaConfig, WIDTH | {"num_key_value_heads": 1}),
}
TRANSLATORS = {
    "t5": (t5, hf.T5Config, {"d_model": 16, "d_ff": 32, "d_kv": 8, "num_layers": 1, "num_heads": 2} | FIRST | PREFIX),
    "mbart": (mbart, hf.MBartConfig, SIDES),
    "nllb": (nllb, hf.M2M100Config, SIDES | {"decoder_start_token_id": 2}),
    "m2m100": (m2m100, hf.M2M100Config, SIDES | {"decoder_start_token_id": 2, "vocab_size": 267}),
    "marian": (marian, hf.MarianConfig, SIDES | {"decoder_start_token_id": 156, "forced_eos_token_id": 0}),
}
TASKS = {"masked-lm": hf.AutoModelForMaskedLM, "causal-lm": hf.AutoModelForCausalLM, "seq2seq": hf.AutoModelForSeq2SeqLM}


def save_checkpoint(kind: str, folder: Path, **changes: object) -> Path:
    "Tokenizer and pre-trained model, with random weights, in `folder`; `changes` are those of the configuration."
    task, (make, config, sizes) = next(
        (task, kinds[kind])
        for task, kinds in zip(TASKS, (ENCODERS, DECODERS, TRANSLATORS), strict=True)
        if kind in kinds
    )
    tokenizer = make(folder) if kind in ("m2m100", "marian") else make()
    special = {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("pad", "bos", "eos")}
    torch.manual_seed(0)
    model = TASKS[task].from_config(config(**{"vocab_size": len(tokenizer)} | special | sizes | changes))
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    return folder
