"""`mini/seq2seq` and what it is trained on: the plan, tokenizer and token arrays, batches, the model and its guided heads."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch import nn
from torch.nn import functional as F
from transformers import MarianConfig, MarianMTModel

from .alignment import align

EOS, UNK, PAD = range(3)
MOST_TOKENS = 256  # longest translation that `generate` writes unless told otherwise
SPECIAL = ["</s>", "<unk>", "<pad>"]
# A word with the space before it and the apostrophe after it, a single digit, a run of signs, any other character.
PIECES = r"▁?[\p{L}\p{M}]+'?|▁?\p{N}|▁?[^\p{L}\p{M}\p{N}▁\s]+|▁|\s"


@dataclass(frozen=True)
class Plan:
    """Everything that decides the run."""

    vocab_size: int = 6000
    hidden: int = 192
    encoder_layers: int = 3
    decoder_layers: int = 2
    heads: int = 4
    positions: int = 512
    dropout: float = 0.0
    word_dropout: float = 0.1  # share of the target words that the decoder is not shown
    smoothing: float = 0.1
    tokens_per_step: int = 3072  # target tokens, padding included
    short_tokens: int = 12  # the first pass takes only pairs up to this length
    learning_rate: float = 2e-3  # of the table and of vectors (AdamW)
    matrix_learning_rate: float = 6e-3  # of matrices (Muon)
    warmup: int = 100
    decay: float = 0.66  # last share of the steps, in which the rates fall to zero
    # (layer, head, shift): shift 0 looks at the counterpart of the token to write, 1 at that of the one before.
    guided: tuple = ((0, 0, 0), (0, 1, 1), (1, 0, 0))
    guide_weight: float = 0.5
    guide_weight_end: float = 0.1
    guide_steps: int = 1500  # from that step on the guide has its last weight
    seed: int = 0


# -- prepare: tokenizer, token arrays, alignments ------------------------------------------------------------------


def read_pairs(path: Path, part: str) -> list[dict]:
    with path.open(encoding="utf-8") as file:
        return [row for row in map(json.loads, file) if row["split"] == part]


def without_rare_characters(texts: list[str], alphabet: int) -> Iterator[str]:
    """Texts with a space for every character that is not among the `alphabet` most frequent ones.

    The trainer can limit its alphabet too, but draws lots among characters that are equally frequent.
    """
    counts = Counter(character for text in texts for character in text)
    ranked = sorted(counts, key=lambda character: (-counts[character], character))
    table = {ord(character): " " for character in ranked[alphabet:]}
    return (text.translate(table) for text in texts)


def train_tokenizer(texts: list[str], vocab_size: int) -> Tokenizer:
    """BPE over both languages. A space is part of the piece after it; unknown characters fall apart into bytes."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(PIECES), behavior="isolated")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    byte_pieces = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=SPECIAL + byte_pieces,
        min_frequency=2,
        show_progress=False,
    )
    tokenizer.train_from_iterator(without_rare_characters(texts, 200), trainer)
    # Bytes are pieces of words; only the three others are special.
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = [token for token in state["added_tokens"] if token["content"] in SPECIAL]
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A $B </s>", special_tokens=[("</s>", EOS)]
    )
    return tokenizer


def flat(tokenizer: Tokenizer, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Token ids of all texts in one row (uint16, `</s>` not included), and where each starts."""
    rows = [e.ids for e in tokenizer.encode_batch(texts, add_special_tokens=False)]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    return np.fromiter((i for row in rows for i in row), np.uint16, int(starts[-1])), starts


def prepare(work: Path, plan: Plan) -> None:
    """Write tokenizer.json and tokens.npz."""
    rows = read_pairs(work / "pairs.jsonl", "train")
    tokenizer = train_tokenizer([row[side] for row in rows for side in ("en", "fr")], plan.vocab_size)
    tokenizer.save(str(work / "tokenizer.json"))
    sources, source_starts = flat(tokenizer, [row["en"] for row in rows])
    targets, target_starts = flat(tokenizer, [row["fr"] for row in rows])
    print(f"{len(rows):,} pairs, {len(sources):,} + {len(targets):,} tokens", flush=True)
    counterpart, confidence = align(sources, source_starts, targets, target_starts, plan.vocab_size)
    np.savez(
        work / "tokens.npz",
        sources=sources,
        source_starts=source_starts,
        targets=targets,
        target_starts=target_starts,
        counterpart=counterpart,
        confidence=confidence.astype(np.float16),
    )
    print(f"mean confidence of the alignments {confidence.mean():.3f}")
    for k in range(0, len(rows), len(rows) // 8):
        a, b = source_starts[k], target_starts[k]
        pieces = [tokenizer.id_to_token(int(i)) for i in sources[a : source_starts[k + 1]]]
        print(
            " ".join(
                f"{tokenizer.id_to_token(int(targets[t]))}={pieces[counterpart[t]]}"
                for t in range(b, min(target_starts[k + 1], b + 25))
                if confidence[t] > 0.3
            )
        )


# -- batches -------------------------------------------------------------------------------------------------------


class Corpus:
    """The token arrays, and the batch of every step."""

    def __init__(self, work: Path, plan: Plan) -> None:
        data = np.load(work / "tokens.npz")
        self.sources, self.source_starts = data["sources"], data["source_starts"]
        self.targets, self.target_starts = data["targets"], data["target_starts"]
        self.counterpart, self.confidence = data["counterpart"], data["confidence"].astype(np.float32)
        self.lengths = np.stack([np.diff(self.source_starts), np.diff(self.target_starts)]) + 1
        self.plan = plan
        self.firsts = [0]  # the first step of every pass so far
        self.passes: dict[int, list[np.ndarray]] = {}

    def batches(self, epoch: int) -> list[np.ndarray]:
        """Rows of every batch of a pass over the data: pairs of like lengths, in random order."""
        if epoch in self.passes:
            return self.passes[epoch]
        rng = np.random.default_rng([self.plan.seed, epoch])
        source, target = self.lengths
        rows = np.flatnonzero(np.maximum(source, target) <= (self.plan.short_tokens if epoch == 0 else 10_000))
        rows = rows[np.lexsort((rng.random(len(rows)), source[rows], target[rows]))]
        widest = target[rows]
        batches, begin = [], 0
        while begin < len(rows):
            size = max(1, self.plan.tokens_per_step // int(widest[begin]))
            # Rows are sorted, so the last one is the widest: take back what it makes too many.
            while size > 1 and size * int(widest[min(begin + size, len(rows)) - 1]) > self.plan.tokens_per_step:
                size = min(size - 1, self.plan.tokens_per_step // int(widest[min(begin + size, len(rows)) - 1]))
            batches.append(rows[begin : begin + max(1, size)])
            begin += max(1, size)
        self.passes = {epoch: [batches[i] for i in rng.permutation(len(batches))]}  # only the latest is kept
        return self.passes[epoch]

    def rows_of(self, step: int) -> tuple[int, np.ndarray]:
        """The pass over the data that a step belongs to, and the step's rows."""
        while self.firsts[-1] <= step:
            self.firsts.append(self.firsts[-1] + len(self.batches(len(self.firsts) - 1)))
        epoch = int(np.searchsorted(self.firsts, step, side="right")) - 1
        return epoch, self.batches(epoch)[step - self.firsts[epoch]]

    def batch(self, step: int) -> dict[str, torch.Tensor]:
        """Padded arrays of a step. A label is -100 in padding; `</s>` looks at `</s>`."""
        _, rows = self.rows_of(step)
        rng = np.random.default_rng([self.plan.seed, 1, step])
        m, n = self.lengths[:, rows]
        source = padded(self.sources, self.source_starts[rows], m - 1, PAD)
        labels = padded(self.targets, self.target_starts[rows], n - 1, -100)
        where = padded(self.counterpart, self.target_starts[rows], n - 1, 0)
        weight = padded(self.confidence, self.target_starts[rows], n - 1, 0)
        each = np.arange(len(rows))
        source[each, m - 1] = EOS
        labels[each, n - 1] = EOS
        where[each, n - 1] = m - 1
        weight[each, n - 1] = 1.0
        shown = np.full_like(labels, PAD)  # the first token of the decoder is <pad>
        shown[:, 1:] = np.where(labels[:, :-1] < 0, PAD, labels[:, :-1])
        hidden = (rng.random(shown.shape) < self.plan.word_dropout) & (shown != PAD)
        shown[hidden] = UNK
        return {
            name: torch.from_numpy(array)
            for name, array in {
                "source": source,
                "shown": shown,
                "labels": labels,
                "where": where,
                "weight": weight,
            }.items()
        }


def padded(values: np.ndarray, starts: np.ndarray, lengths: np.ndarray, fill: int) -> np.ndarray:
    """(rows, longest + 1) array of the pieces of `values` that begin at `starts`; int64, or float32 for floats."""
    grid = np.arange(int(lengths.max()) + 1)
    inside = grid < lengths[:, None]
    out = np.full(inside.shape, fill, np.float32 if values.dtype.kind == "f" else np.int64)
    out[inside] = values[(starts[:, None] + grid)[inside]]
    return out


# -- training ------------------------------------------------------------------------------------------------------


class TiedLoss(torch.autograd.Function):
    """Smoothed cross-entropy over a tied table, in blocks; gradients are made in the forward pass."""

    @staticmethod
    def forward(ctx, hidden, table, bias, labels, smoothing):
        count, size = len(labels), len(table)
        low = table.to(hidden.dtype)
        d_hidden, d_table, d_bias = torch.empty_like(hidden), torch.zeros_like(table), torch.zeros_like(bias)
        loss, nll = 0.0, 0.0
        for begin in range(0, count, 512):
            x, y = hidden[begin : begin + 512], labels[begin : begin + 512]
            logits = (x @ low.T).float().add_(bias)
            top = logits.logsumexp(1, keepdim=True)
            right = logits.gather(1, y[:, None])
            part = (top - right).sum()
            nll += part
            loss += (1 - smoothing) * part + smoothing * (top.sum() - logits.sum() / size)
            gradient = logits.sub_(top).exp_().sub_(smoothing / size)
            gradient.scatter_add_(1, y[:, None], torch.full_like(right, smoothing - 1))
            gradient /= count
            d_bias += gradient.sum(0)
            gradient = gradient.to(hidden.dtype)
            d_hidden[begin : begin + 512] = gradient @ low
            d_table += gradient.T @ x
        ctx.save_for_backward(d_hidden, d_table, d_bias)
        return loss / count, nll / count

    @staticmethod
    def backward(ctx, upstream, _):
        return tuple(upstream * gradient.to(gradient.dtype) for gradient in ctx.saved_tensors) + (None, None)


def make_model(plan: Plan) -> MarianMTModel:
    config = MarianConfig(
        vocab_size=plan.vocab_size,
        d_model=plan.hidden,
        max_position_embeddings=plan.positions,
        encoder_layers=plan.encoder_layers,
        decoder_layers=plan.decoder_layers,
        encoder_attention_heads=plan.heads,
        decoder_attention_heads=plan.heads,
        encoder_ffn_dim=4 * plan.hidden,
        decoder_ffn_dim=4 * plan.hidden,
        dropout=plan.dropout,
        attention_dropout=0.0,
        activation_dropout=0.0,
        activation_function="relu",
        scale_embedding=True,
        share_encoder_decoder_embeddings=True,
        tie_word_embeddings=True,
        pad_token_id=PAD,
        eos_token_id=EOS,
        bos_token_id=None,
        unk_token_id=UNK,
        decoder_start_token_id=PAD,
        forced_eos_token_id=None,
        init_std=0.02,
        attn_implementation="eager",
    )
    model = MarianMTModel(config)
    nn.init.normal_(model.model.shared.weight, std=plan.hidden**-0.5)
    for name, parameter in model.named_parameters():
        if parameter.ndim == 2 and "layers" in name:
            nn.init.xavier_uniform_(parameter)
    return model


class Translator(nn.Module):
    """The model, its output bias, and what is needed to guide its cross-attention."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.model = make_model(plan)
        self.bias = nn.Parameter(torch.zeros(plan.vocab_size))
        self.queries: dict[int, torch.Tensor] = {}
        for number, layer in enumerate(self.model.model.decoder.layers):
            layer.encoder_attn.register_forward_pre_hook(
                lambda module, args, number=number: self.queries.__setitem__(number, args[0])
            )

    def forward(self, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        mask = (batch["source"] != PAD).long()
        encoded = self.model.model.encoder(input_ids=batch["source"], attention_mask=mask).last_hidden_state
        decoded = self.model.model.decoder(
            input_ids=batch["shown"], encoder_hidden_states=encoded, encoder_attention_mask=mask, use_cache=False
        ).last_hidden_state
        real = batch["labels"] >= 0
        labels = batch["labels"][real]
        smoothed, nll = TiedLoss.apply(
            decoded[real].bfloat16(), self.model.model.shared.weight, self.bias, labels, self.plan.smoothing
        )
        losses = {"smoothed": smoothed, "nll": nll}
        for layer, head, shift in self.plan.guided:
            losses[f"guide{layer}.{head}"] = self.guide(batch, encoded, mask, layer, head, shift)
        return losses

    def attention(self, encoded: torch.Tensor, mask: torch.Tensor, layer: int, head: int) -> torch.Tensor:
        """(rows, target, source) logarithms of the attention of one head of cross-attention."""
        module = self.model.model.decoder.layers[layer].encoder_attn
        rows = slice(head * module.head_dim, (head + 1) * module.head_dim)
        query = F.linear(self.queries[layer], module.q_proj.weight[rows], module.q_proj.bias[rows])
        key = F.linear(encoded, module.k_proj.weight[rows], module.k_proj.bias[rows])
        scores = (query @ key.transpose(1, 2)).float() * module.scaling
        return scores.masked_fill(mask[:, None] == 0, -1e9).log_softmax(-1)

    def guide(
        self, batch: dict, encoded: torch.Tensor, mask: torch.Tensor, layer: int, head: int, shift: int
    ) -> torch.Tensor:
        """How surprised a head is by the counterparts, in nats, weighted by how sure those are."""
        where, weight = batch["where"], batch["weight"]
        if shift:
            where, weight = where[:, :-shift], weight[:, :-shift] * (batch["labels"][:, shift:] >= 0)
        attention = self.attention(encoded, mask, layer, head)[:, shift:]
        return -(attention.gather(2, where[:, :, None])[..., 0] * weight).sum() / weight.sum().clamp(min=1)
