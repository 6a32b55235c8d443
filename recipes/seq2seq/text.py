"""Collect English-French software messages for `mini/seq2seq`: one clean pair a line, with its split.

    python -m recipes.seq2seq.text --out work/pairs.jsonl --jsonl catalogs.jsonl --mo-folder work/packages \\
        --moses-zip en-fr.txt.zip --exclude work/extra/jupyterlab_language_pack_fr_FR

Sources may be compiled gettext catalogs (any folder tree; the French ones are found by name), a zip with a Moses file
pair, and JSON lines with a `translation`. Messages whose English occurs in an excluded catalog are dropped.
"""

from __future__ import annotations

import argparse
import gettext
import io
import json
import re
import unicodedata
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

MAX_CHARACTERS = 400
SPACES = re.compile(r"[ \t\u00a0\u2007\u2009\u202f]+")
MNEMONIC = re.compile(r"[_&~](?=\w)")
WORD = re.compile(r"[^\W\d_]+")
# What two sources may differ in and still be the same message: case, accelerators, punctuation, white space, digits.
NOT_A_LETTER = re.compile(r"[\W\d_]+")

Pair = tuple[str, str, str]


def read_mo(path: Path, source: str) -> Iterator[Pair]:
    """Pairs of a compiled catalog: contexts cut off, of a plural the singular."""
    with path.open("rb") as file:
        try:
            catalog = gettext.GNUTranslations(file)._catalog
        except (OSError, UnicodeDecodeError):
            return
    for key, target in catalog.items():
        if isinstance(key, tuple):
            key, number = key
            if number:
                continue
        yield source, key.split("\x04")[-1], target


def read_mo_folder(folder: Path, source: str) -> Iterator[Pair]:
    """Every French catalog under `folder`."""
    for path in sorted(folder.rglob("*.mo")):
        if {"fr", "fr_FR"} & set(path.relative_to(folder).parts):
            yield from read_mo(path, source)


def read_jsonl(path: Path) -> Iterator[Pair]:
    """Lines with `translation: {en, fr}` and perhaps `source`."""
    with path.open(encoding="utf-8") as file:
        for row in map(json.loads, file):
            yield row.get("source") or path.parent.name, row["translation"]["en"], row["translation"]["fr"]


def read_moses_zip(path: Path) -> Iterator[Pair]:
    """The line-aligned pair `*.en`, `*.fr` of an OPUS archive."""
    with zipfile.ZipFile(path) as archive:
        names = {name.rsplit(".", 1)[-1]: name for name in archive.namelist() if name.endswith((".en", ".fr"))}
        with archive.open(names["en"]) as en, archive.open(names["fr"]) as fr:
            for a, b in zip(io.TextIOWrapper(en, "utf-8"), io.TextIOWrapper(fr, "utf-8"), strict=True):
                yield path.stem, a.rstrip("\n"), b.rstrip("\n")


def key_of(text: str) -> str:
    """What stays of a source when everything that two near-duplicates may differ in is gone."""
    return NOT_A_LETTER.sub("", unicodedata.normalize("NFC", text).casefold()) or text.strip()


def clean(text: str) -> str:
    """Composed letters, one kind of space, one kind of apostrophe, no white space around."""
    text = SPACES.sub(" ", unicodedata.normalize("NFC", text)).replace("\u2019", "'").replace("\r", "")
    return text.strip()


def drop_mnemonics(en: str, fr: str) -> tuple[str, str]:
    """Take out the accelerator mark of a menu entry: where the translation puts it is arbitrary."""
    for mark in "&_~":
        a, b = (re.findall(re.escape(mark) + r"(?=\w)", text) for text in (en, fr))
        if len(a) == 1 and len(b) <= 1 and not shared_word_with(mark, en, fr):
            return tuple(re.sub(re.escape(mark) + r"(?=\w)", "", text) for text in (en, fr))
    return en, fr


def shared_word_with(mark: str, en: str, fr: str) -> bool:
    """Is the mark part of a name that both sides share, as in `file_name` or `&amp;`?"""
    names = [
        {word for word in re.findall(r"[\w&~;]+", text) if mark in word[1:] or word.endswith(";")} for text in (en, fr)
    ]
    return bool(names[0] & names[1])


def good(en: str, fr: str) -> bool:
    """Is this a translation worth learning from?"""
    if not en or not fr or len(en) > MAX_CHARACTERS or len(fr) > MAX_CHARACTERS or not WORD.search(en):
        return False
    if en == fr and len(WORD.findall(en)) > 3:
        return False  # left untranslated
    ratio = (len(fr) + 8) / (len(en) + 8)
    return 0.4 < ratio < 2.8


def collect(pairs: Iterable[Pair], excluded: set[str]) -> tuple[list[Pair], Counter]:
    """Clean pairs, each once, in the order read; and what was dropped, by reason."""
    kept: dict[tuple[str, str], str] = {}
    counts: Counter = Counter()
    for source, en, fr in pairs:
        counts["read"] += 1
        en, fr = clean(en), clean(fr)
        if not good(*drop_mnemonics(en, fr)):
            counts["unusable"] += 1
        elif key_of(en) in excluded:
            counts["also in an excluded catalog"] += 1
        else:
            pair = drop_mnemonics(en, fr)
            counts["duplicate"] += pair in kept
            kept.setdefault(pair, source)
    return [(source, *pair) for pair, source in kept.items()], counts


def split(pairs: list[Pair], heldout: int, seed: int) -> list[str]:
    """`test`, `dev`, `train` or `near` per pair: held-out sources are drawn by key, and no key is on two sides.

    A held-out key gives one pair; its other translations are `near` and not used at all.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for i, (_, en, _) in enumerate(pairs):
        groups[key_of(en)].append(i)
    keys = list(groups)
    rng = np.random.default_rng(seed)
    splits = ["train"] * len(pairs)
    for n, k in enumerate(rng.permutation(len(keys))[: 2 * heldout]):
        members = groups[keys[k]]
        chosen = members[int(rng.integers(len(members)))]
        for i in members:
            splits[i] = "near"
        splits[chosen] = "test" if n < heldout else "dev"
    return splits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--jsonl", type=Path, nargs="*", default=[])
    parser.add_argument("--mo-folder", type=Path, nargs="*", default=[])
    parser.add_argument("--moses-zip", type=Path, nargs="*", default=[])
    parser.add_argument("--exclude", type=Path, nargs="*", default=[], help="folders of catalogs never to learn from")
    parser.add_argument("--heldout", type=int, default=300, help="messages in each of test and dev")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    # A folder given twice would lead to itself by another name: hold the excluded ones out of the reading as well.
    barred = {path.resolve() for path in args.exclude}
    excluded = {key_of(clean(en)) for folder in args.exclude for _, en, _ in read_mo_folder(folder, "")}
    readers = [read_jsonl(p) for p in args.jsonl] + [read_moses_zip(p) for p in args.moses_zip]
    for folder in args.mo_folder:
        children = [child for child in sorted(folder.iterdir()) if child.is_dir() and child.resolve() not in barred]
        readers += [read_mo_folder(child, child.name) for child in children]
    pairs, counts = collect((pair for reader in readers for pair in reader), excluded)
    splits = split(pairs, args.heldout, args.seed)
    with args.out.open("w", encoding="utf-8") as file:
        for (source, en, fr), part in zip(pairs, splits, strict=True):
            file.write(json.dumps({"source": source, "split": part, "en": en, "fr": fr}, ensure_ascii=False) + "\n")
    print(f"{len(excluded):,} messages excluded by name;", ", ".join(f"{n:,} {what}" for what, n in counts.items()))
    for source, n in Counter(pair[0] for pair in pairs).most_common():
        print(f"{source:35s} {n:7,d} pairs")
    print(", ".join(f"{n:,} {part}" for part, n in Counter(splits).items()))


if __name__ == "__main__":
    main()
