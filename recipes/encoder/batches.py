"""Batches of `train.py`: running text, pairs of a sentence and its reworded copy, cloze questions."""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from .tokens import CLS, CONTENT, MASK, NAME, NUMBER, OTHER, PAD, SEP

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
