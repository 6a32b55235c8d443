"Tokenizers of three families with a few tokens each, and texts to try them on."

from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import BertTokenizerFast, PreTrainedTokenizerFast

# Pieces that texts are made of: words, two spellings of one letter, other scripts, blanks that count.
PIECES = [
    *"ab", "cab", "bad", "A", "é", "e\u0301", "ﬁ", "ß", "日本", "語", "😀", "👩\u200d🔬", "\u0301", ".", ",", "'s", "-",
    " ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u200b", "\x00", "[SEP]", "ı", "İ", "한", "ا",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


def word_pieces() -> BertTokenizerFast:
    "Lower case, accents off, one token per letter where there is no longer piece."
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = [*"abcdefghijklmnopqrstuvwxyz日本語한ا.,'-ı", "ß"]
    vocabulary = {
        piece: number for number, piece in enumerate(special + letters + ["##" + x for x in letters] + ["cab", "##ad"])
    }
    raw = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    raw.normalizer, raw.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    raw.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    raw.decoder = decoders.WordPiece()
    return BertTokenizerFast(tokenizer_object=raw, model_max_length=512)


def byte_pieces() -> PreTrainedTokenizerFast:
    "One token per byte, as RoBERTa would see unknown text: several tokens for one character, blanks that are tokens."
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    raw = Tokenizer(
        models.BPE({piece: number for number, piece in enumerate(special + alphabet)}, [], unk_token="<unk>")
    )
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False
    )
    raw.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=raw, model_max_length=512, pad_token="<pad>", cls_token="<s>", sep_token="</s>", unk_token="<unk>",
        model_input_names=["input_ids", "attention_mask"],
    )  # fmt: skip


def tail_pieces() -> PreTrainedTokenizerFast:
    "Special tokens at the end only, with type ids of their own, as XLNet has them."
    special = ["<pad>", "<unk>", "<sep>", "<cls>"]
    raw = Tokenizer(
        models.BPE(
            {piece: number for number, piece in enumerate([*special, "▁", *"abcdé日😀.A"])}, [], unk_token="<unk>"
        )
    )
    raw.pre_tokenizer = pre_tokenizers.Metaspace()
    raw.post_processor = processors.TemplateProcessing(
        single="$A <sep> <cls>:2", pair="$A <sep> $B:1 <sep>:1 <cls>:2", special_tokens=[("<sep>", 2), ("<cls>", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=raw, model_max_length=512, pad_token="<pad>", cls_token="<cls>", sep_token="<sep>",
        unk_token="<unk>", model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )  # fmt: skip


TOKENIZERS = {"word pieces": word_pieces(), "bytes": byte_pieces(), "tail": tail_pieces()}
