"""What `mini/seq2seq` knows: scores on held-out messages, where its heads look, and what fine-tuning makes of it.

    python -m recipes.seq2seq.check --model course_lib/mini/seq2seq --work work --language-pack PACK
    python -m recipes.seq2seq.check --model course_lib/mini/seq2seq --probe --language-pack PACK --epochs 2
"""

from __future__ import annotations

import argparse
import math
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, MarianMTModel

from .model import MOST_TOKENS, PAD, Corpus, Plan, Translator, read_pairs
from .text import clean, key_of, read_mo_folder

SAMPLES = [
    "Open file",
    "Save the current notebook",
    "Delete selected cells",
    "Show line numbers",
    "The file could not be found.",
    "Are you sure you want to quit?",
    "New Folder",
    'Cannot open the file "%1".',
    "Select the language of the interface",
    "Restart the kernel and run all cells",
    "Enter your password",
    "%s is not a valid number",
    "Number of columns:",
    "An error occurred while saving the document.",
    "Click here to change the color of the text",
]


def translate(model: nn.Module, tokenizer, texts: list[str], beams: int, rows: int = 32) -> list[str]:
    """Translations in the order of `texts`; texts of like lengths share a batch."""
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    out = [""] * len(texts)
    for begin in range(0, len(order), rows):
        part = order[begin : begin + rows]
        inputs = tokenizer([texts[i] for i in part], padding=True, truncation=True, return_tensors="pt")
        with torch.no_grad():
            made = model.generate(**inputs, num_beams=beams, max_length=MOST_TOKENS, early_stopping=beams > 1)
        for i, text in zip(part, tokenizer.batch_decode(made, skip_special_tokens=True), strict=True):
            out[i] = text
    return out


def scores(made: list[str], right: list[str]) -> dict[str, float]:
    """BLEU and chrF of a corpus, as sacrebleu counts them when nothing is set."""
    import sacrebleu

    return {
        "bleu": round(sacrebleu.corpus_bleu(made, [right]).score, 2),
        "chrf": round(sacrebleu.corpus_chrf(made, [right]).score, 2),
    }


def jupyter_messages(folder: Path, test: int, seed: int = 0) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(test, other) messages of a language pack as they are written there, one per normalised source."""
    by_key = {key_of(clean(en)): (en, fr) for _, en, fr in read_mo_folder(folder, "") if en.strip() and fr.strip()}
    pairs = [by_key[key] for key in sorted(by_key)]
    order = np.random.default_rng(seed).permutation(len(pairs))
    return [pairs[i] for i in order[:test]], [pairs[i] for i in order[test:]]


def far_from_training(sources: list[str], training: list[str], limit: float) -> list[bool]:
    """Is no training source this like it? Likeness is the Jaccard index of the sets of letter trigrams."""
    from scipy.sparse import csr_matrix

    ids: dict[str, int] = {}

    def matrix(texts: list[str]) -> csr_matrix:
        rows = [{k[i : i + 3] for i in range(max(1, len(k) - 2))} for k in map(key_of, texts)]
        columns = [ids.setdefault(gram, len(ids)) for row in rows for gram in sorted(row)]
        starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
        return csr_matrix((np.ones(len(columns), np.float32), columns, starts), shape=(len(rows), 60_000))

    a, b = matrix(sources), matrix(training)
    shared = (a @ b.T).tocsr()
    sizes = np.asarray(b.sum(1)).ravel()
    far = []
    for i, size in enumerate(np.asarray(a.sum(1)).ravel()):
        row = shared[i]
        far.append(bool((row.data / (size + sizes[row.indices] - row.data) < limit).all()))
    return far


def dev_loss(model: MarianMTModel, tokenizer, rows: list[dict]) -> float:
    """Cross-entropy per target token, `</s>` included, in nats."""
    total, count = 0.0, 0
    with torch.no_grad():
        for begin in range(0, len(rows), 20):
            part = rows[begin : begin + 20]
            inputs = tokenizer(
                [r["en"] for r in part], text_target=[r["fr"] for r in part], padding=True, return_tensors="pt"
            )
            inputs["labels"][inputs["labels"] == PAD] = -100
            n = int((inputs["labels"] >= 0).sum())
            total += model(**inputs).loss.item() * n
            count += n
    return total / count


def attention_hits(model: MarianMTModel, work: Path, steps: range) -> dict[str, float]:
    """How often a guided head's strongest look is at the counterpart (where that is known with 0.5 or more)."""
    plan = replace(Plan(), word_dropout=0.0)
    corpus, translator = Corpus(work, plan), Translator(plan)
    translator.model.load_state_dict(model.state_dict())
    translator.eval()
    hits, count = defaultdict(float), defaultdict(float)
    for step in steps:
        batch = corpus.batch(step)
        mask = (batch["source"] != PAD).long()
        with torch.no_grad():
            translator(batch)
            encoded = translator.model.model.encoder(input_ids=batch["source"], attention_mask=mask).last_hidden_state
            for layer, head, shift in plan.guided:
                look = translator.attention(encoded, mask, layer, head).argmax(-1)[:, shift:]
                size = look.shape[1]
                sure = (batch["weight"][:, :size] >= 0.5) & (batch["labels"][:, shift:] >= 0)
                name = f"layer {layer}, head {head}, shift {shift}"
                hits[name] += float((look == batch["where"][:, :size])[sure].sum())
                count[name] += float(sure.sum())
    return {name: round(hits[name] / count[name], 3) for name in hits}


def evaluate(
    folder: Path, work: Path, language_pack: Path | None, part: str, beams: list[int], limit: int | None
) -> None:
    """Print the scores on held-out messages and, where given, on a language pack never learned from."""
    import sacrebleu

    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32).eval()
    rows = read_pairs(work / "pairs.jsonl", part)
    rows = rows[:: len(rows) // limit if limit else 1]
    sources, targets = [r["en"] for r in rows], [r["fr"] for r in rows]
    print(f"{part}: {len(rows)} messages, loss {dev_loss(model, tokenizer, rows):.3f} nats a token")
    print("copy", scores(sources, targets))
    training = [r["en"] for r in read_pairs(work / "pairs.jsonl", "train")]
    far = far_from_training(sources, training, 0.6)
    kde = [r["source"] == "kde4" for r in rows]
    for k in beams:
        made = translate(model, tokenizer, sources, k)
        print(f"beams {k}", scores(made, targets))
        for name, chosen in (("nothing alike in training", far), ("kde4", kde), ("others", [not x for x in kde])):
            some = [i for i, yes in enumerate(chosen) if yes]
            if not some:
                continue
            print(
                f"  {name} ({len(some)})",
                scores([made[i] for i in some], [targets[i] for i in some]),
                "copy",
                scores([sources[i] for i in some], [targets[i] for i in some]),
            )
        for i in range(0, len(rows), max(1, len(rows) // 15)):
            print("   ", repr(sources[i][:90]), "->", repr(made[i][:90]), "|", repr(targets[i][:90]))
    metric = sacrebleu.BLEU()
    metric.corpus_score(sources, [targets])
    print(metric.get_signature())
    for source, made in zip(SAMPLES, translate(model, tokenizer, SAMPLES, beams[-1]), strict=True):
        print(f"  {source:50s} {made}")
    print("attention", attention_hits(model, work, range(1000, 1010)))
    if language_pack:
        pairs = jupyter_messages(language_pack, 300)[0][:limit]
        sources, targets = [en for en, _ in pairs], [fr for _, fr in pairs]
        print("language pack: copy", scores(sources, targets))
        for k in beams:
            print(f"language pack: beams {k}", scores(translate(model, tokenizer, sources, k), targets))


def probe(
    folder: Path,
    language_pack: Path,
    train_size: int,
    epochs: int,
    learning_rate: float,
    batch_size: int = 32,
    seed: int = 0,
) -> None:
    """Fine-tune on messages of a language pack as chapter 3 does; BLEU before and after, seconds of training."""
    torch.manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32)
    test, other = jupyter_messages(language_pack, 300)
    sources, targets = [en for en, _ in test], [fr for _, fr in test]
    print("before", scores(translate(model.eval(), tokenizer, sources, 1), targets))
    other = other[:train_size]
    encoded = tokenizer([en for en, _ in other], text_target=[fr for _, fr in other], truncation=True, max_length=128)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.01)
    steps = epochs * math.ceil(len(other) / batch_size)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / (0.1 * steps), (steps - s) / (0.9 * steps))
    )
    rng = np.random.default_rng(seed)
    lengths = np.array([len(row) for row in encoded["labels"]])
    model.train()
    began, cpu = time.monotonic(), time.process_time()
    for _ in range(epochs):
        order = np.argsort(lengths + rng.random(len(lengths)) * 8)
        for begin in rng.permutation(range(0, len(order), batch_size)):
            chosen = order[begin : begin + batch_size]
            inputs = tokenizer.pad({"input_ids": [encoded["input_ids"][i] for i in chosen]}, return_tensors="pt")
            labels = tokenizer.pad({"input_ids": [encoded["labels"][i] for i in chosen]}, return_tensors="pt")
            labels = labels["input_ids"].masked_fill(labels["attention_mask"] == 0, -100)
            model(**inputs, labels=labels).loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
    print(
        f"{len(other)} messages, {epochs} epochs, learning rate {learning_rate}: {time.monotonic() - began:.0f} s, "
        f"{time.process_time() - cpu:.0f} s of CPU"
    )
    print("after", scores(translate(model.eval(), tokenizer, sources, 1), targets))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="the folder to load")
    parser.add_argument("--work", type=Path, help="the folder in which it was made; not for the probe")
    parser.add_argument("--part", choices=["test", "dev"], default="test", help="which held-out messages")
    parser.add_argument("--limit", type=int, help="only so many of them")
    parser.add_argument("--beams", type=int, nargs="+", default=[1, 4], help="one is greedy")
    parser.add_argument("--language-pack", type=Path, help="a folder of catalogs that was excluded")
    parser.add_argument("--probe", action="store_true", help="fine-tune on messages of the language pack instead")
    parser.add_argument("--epochs", type=int, default=4, help="of the probe: passes over 2,400 messages")
    parser.add_argument("--rate", type=float, default=1e-3, help="of the probe: learning rate of AdamW")
    args = parser.parse_args()
    if args.probe:
        probe(args.model, args.language_pack, 2400, args.epochs, args.rate)
    else:
        evaluate(args.model, args.work, args.language_pack, args.part, args.beams, args.limit)


if __name__ == "__main__":
    main()
