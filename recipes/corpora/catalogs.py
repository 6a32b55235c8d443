"""Turn the language packs of JupyterLab, which `pip` installs, into parallel texts with an honest test set"""

import hashlib
import importlib.metadata
import importlib.util
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from course_lib.files import read_catalog
from course_lib.profiles import CourseError

PACK = ("jupyterlab-language-pack-fr-FR", "4.5.post3")  # name and version of what the packaged corpus was made from


def installed_packs() -> dict[str, Path]:
    "Locale such as `fr-FR` -> the folder that holds the pack's `.mo` files, sorted by locale."
    found = {}
    for entry in importlib.metadata.entry_points(group="jupyterlab.languagepack"):
        spec = importlib.util.find_spec(entry.value)
        for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
            messages = Path(folder) / "locale" / entry.name / "LC_MESSAGES"
            if messages.is_dir():
                found[entry.name.replace("_", "-")] = messages
    return dict(sorted(found.items()))


def find_pack(
    language: str,  # "fr", "fr-FR" or "fr_FR", in any case
) -> tuple[str, Path]:
    "The locale and the folder of the pack. Raises `CourseError` if it is not installed, or if several fit."
    packs, asked = installed_packs(), language.replace("_", "-").lower()
    fitting = [locale for locale in packs if asked in (locale.lower(), locale.lower().partition("-")[0])]
    if len(fitting) != 1:
        raise CourseError(
            f"{len(fitting)} installed language packs are for {language!r}; there are {', '.join(packs) or 'none'}. "
            "Run pip install jupyterlab-language-pack-LOCALE, and give the whole locale, such as zh-CN."
        )
    return fitting[0], packs[fitting[0]]


def read_pack(
    folder: Path,  # holds `.mo` files
) -> list[dict[str, str]]:
    "All translated messages as `source`, `target`, `context` and `catalog` (the file's stem), file by file."
    return [{**row, "catalog": file.stem} for file in sorted(folder.glob("*.mo")) for row in read_catalog(file).to_pylist()]


def clean(rows: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    "The rows without repeated pairs (the first is kept) and without those whose target is the source."
    kept: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        if row["source"].strip() != row["target"].strip():
            kept.setdefault((row["source"], row["target"]), row)
    return list(kept.values())


PLACEHOLDER = re.compile(
    r"%\(\w+\)[-+#0]*\d*[a-zA-Z]"  # %(name)s
    r"|%(?:\d+\$)?[-+#0]*\d*(?:\.\d+)?[a-zA-Z](?![a-zA-Z])"  # %s, %5.2f, %1$s
    r"|%\d+"  # %1
    r"|\$?\{+[^{}]*\}+"  # {name}, {{name}}, ${name}
    r"|<[^<>]+>"  # <b>, </b>
)


def letters_of(text: str) -> list[str]:
    "The words of a message, folded, without placeholders, digits and punctuation; `&` and `_` do not cut a word."
    plain = PLACEHOLDER.sub(" ", unicodedata.normalize("NFKC", text)).replace("&", "").replace("_", "")
    return re.findall(r"[^\W\d_]+", plain.casefold())


def deletions(
    letters: str,
    shortest: int = 6,  # shorter and longer texts have only themselves
    longest: int = 120,
) -> set[str]:
    "The text, and the text with each of its letters left out."
    if not shortest <= len(letters) <= longest:
        return {letters}
    return {letters} | {letters[:i] + letters[i + 1 :] for i in range(len(letters))}


def similar_sets(
    sets: Sequence[frozenset[str]],
) -> list[tuple[int, int]]:
    "Pairs of positions whose sets have a Jaccard similarity of at least 4/5; empty sets are like nothing."
    frequency = Counter(word for words in sets for word in words)
    index: dict[str, list[int]] = defaultdict(list)
    pairs = []
    for position in sorted(range(len(sets)), key=lambda i: len(sets[i])):
        words = sorted(sets[position], key=lambda word: (frequency[word], word))
        size, candidates = len(words), set()
        for word in words[: size - (4 * size + 4) // 5 + 1]:
            candidates.update(other for other in index[word] if 5 * len(sets[other]) >= 4 * size)
            index[word].append(position)
        for other in sorted(candidates):
            common = len(sets[other] & sets[position])
            if 5 * common >= 4 * (size + len(sets[other]) - common):
                pairs.append((other, position))
    return pairs


class Groups:
    "Positions 0 … size-1, joined into groups; the first position of a group stands for it."

    def __init__(self, size: int) -> None:
        self.parent = list(range(size))

    def find(self, position: int) -> int:
        "The first position of the group."
        while self.parent[position] != position:
            self.parent[position] = position = self.parent[self.parent[position]]
        return position

    def join(self, one: int, other: int) -> None:
        "Make one group of the two positions' groups."
        one, other = sorted((self.find(one), self.find(other)))
        self.parent[other] = one

    def join_equal(self, keys: Iterable[Iterable[str]]) -> None:
        "Join the positions that have a key in common; `keys` gives each position's keys."
        first: dict[str, int] = {}
        for position, own in enumerate(keys):
            for key in own:
                self.join(first.setdefault(key, position), position)


def group_messages(
    sources: Sequence[str],
    targets: Sequence[str] | None = None,  # translations, if equal ones should join their sources
) -> list[int]:
    "For each message the position of the first message of its group."
    words = [letters_of(text) for text in sources]
    groups = Groups(len(sources))
    groups.join_equal(deletions("".join(own)) for own in words)
    for one, other in similar_sets([frozenset(word.removesuffix("s") or word for word in own) for own in words]):
        groups.join(one, other)
    if targets is not None:
        groups.join_equal(["".join(letters_of(text))] for text in targets)
    return [groups.find(position) for position in range(len(sources))]


SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


def side_of(key: str) -> str:
    'The split of a group by its key: "train", "validation" or "test", in the proportion of `SHARES`.'
    place = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big") / 2**64
    for split, share in SHARES.items():
        if place < share:
            return split
        place -= share
    return split


def build_catalogs(language: str = "fr") -> dict[str, list[dict[str, str]]]:
    """The messages of the installed pack in three splits: columns `en`, the language's code, `context` and `catalog`.

    Near-duplicates share a split."""
    locale, folder = find_pack(language)
    code, rows = locale.partition("-")[0], clean(read_pack(folder))
    group_of = group_messages([row["source"] for row in rows], [row["target"] for row in rows])
    keys: dict[int, str] = {}
    for first, row in zip(group_of, rows, strict=True):
        keys[first] = min(keys.get(first, row["source"]), row["source"])
    splits: dict[str, list[dict[str, str]]] = {split: [] for split in SHARES}
    for first, row in zip(group_of, rows, strict=True):
        record = {"en": row["source"], code: row["target"], "context": row["context"], "catalog": row["catalog"]}
        splits[side_of(keys[first])].append(record)
    return splits
