"""From prose to what `train.py` trains on: tokenizer, token arrays, and words that may replace one another."""
from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from .text import FUNCTION_WORDS

PAD, UNK, CLS, SEP, MASK = range(5)
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
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


def prepare(work: Path, vocab_size: int, wordnet: Path | None) -> None:
    """Write tokenizer.json, tokens-*.npz and pools.json."""
    documents = list(read_documents(work / "prose.jsonl"))
    flat = {False: [], True: []}      # held out? -> (sentence, starts a document)
    for held_out, paragraphs in documents:
        rows = [s for row in paragraphs for s in row]
        flat[held_out] += [(s, i == 0) for i, s in enumerate(rows)]
    tokenizer = train_tokenizer((s for s, _ in flat[False]), vocab_size)
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
