"A small model that puts rows of tokens into classes: for the loop, its states and chapter 1."

import torch
from transformers import BertConfig, BertForSequenceClassification


def small_model(seed: int = 0, dropout: float = 0.0, labels: int = 2, vocabulary: int = 45) -> BertForSequenceClassification:
    "With token 0 for padding, and rows of at most 64."
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        num_labels=labels,
    )
    return BertForSequenceClassification(config).eval()
