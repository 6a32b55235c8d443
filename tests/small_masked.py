"Texts that can be learned, as chunks, and a small masked language model: for the room masking and chapter 2."

import numpy as np
import torch
from datasets import Dataset, DatasetDict
from small_tokenizers import TOKENIZERS
from transformers import BertConfig, BertForMaskedLM

from course_lib.masking import texts_to_chunks

LETTERS = "abcdefghij"
TOKENIZER = TOKENIZERS["word pieces"]
SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}


def small_model(seed: int = 0, **config) -> BertForMaskedLM:
    torch.manual_seed(seed)
    plain = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "max_position_embeddings": 64}
    return BertForMaskedLM(BertConfig(vocab_size=len(TOKENIZER), **SIZES | plain | config)).eval()


def make_texts(count: int, seed: int = 0) -> list[str]:
    "Words in which a letter is mostly followed by the next one."
    generator = np.random.default_rng(seed)
    texts = []
    for _ in range(count):
        starts = generator.integers(0, 10, generator.integers(0, 20))
        words = ["".join(LETTERS[(start + step) % 10] for step in range(generator.integers(1, 6))) for start in starts]
        texts.append(" ".join(words) + " .")
    return texts


def make_chunks(size: int = 16, **counts: int) -> DatasetDict:
    "Splits of so many texts each, as chunks."
    data = {split: Dataset.from_dict({"text": make_texts(count, count)}) for split, count in counts.items()}
    return texts_to_chunks(DatasetDict(data), TOKENIZER, size)
