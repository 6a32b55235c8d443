"""The cards of the packaged corpora: where each comes from, its licence, how large it is and how it was made."""

from collections import Counter, defaultdict
from collections.abc import Mapping

from .catalogs import PACK

_HEAD = """---
license: {licence}
language: {language}
tags: [course]
---
# {title}

"""
_CARDS = {
    "paraphrases": (
        {"licence": "apache-2.0", "language": "en", "title": "mini/paraphrases"},
        """Pairs of news-like sentences; label 1 (`equivalent`) where both say the same, 0 (`not_equivalent`) where one detail is
another: a number, a name, a place, a time, a direction, a negation, two roles exchanged. A small stand-in for MRPC, with
its columns.

{sizes}

**How it was made.** By a grammar of the course's own, `recipes/corpora/paraphrases.py`, with the seed 0: events, several
phrasings for each, and facts to fill in. No sentence comes twice. Names are invented, and no name of one split is in the
other. Neither the words of a sentence nor how many words two sentences share tell the label; reading both does.

**Not good for** anything outside the course: it is easier, and narrower, than what people write.
""",
    ),
    "reviews": (
        {"licence": "apache-2.0", "language": "en", "title": "mini/reviews"},
        """Film reviews of 40 to 150 words with a label, 0 (`neg`) or 1 (`pos`), and reviews without one (`unsupervised`). A small
stand-in for IMDb, with its columns.

{sizes}

**How it was made.** By a grammar of the course's own, `recipes/corpora/reviews.py`, with the seed 0: genres, plots, opinions,
concessions. No sentence comes twice. Films, people and places are invented, and no name or title of validation is in the
other splits.

**Not good for** anything outside the course: a few hundred phrasings lie behind it.
""",
    ),
    "squad": (
        {"licence": "apache-2.0", "language": "en", "title": "mini/squad"},
        """Questions about short articles, with the answers as places in the article: one in training, up to three in validation.
The columns are those of SQuAD v1.1.

{sizes}

**How it was made.** By a grammar of the course's own, `recipes/corpora/questions.py`, with the seed 0: invented people, towns,
ships, books, festivals. For most answers the article holds another name, year or number of the same kind. No article,
question, name or sentence of one split is in the other; one context in 25 (validation: in 8) is too long for 384 tokens.

**Not good for** anything outside the course: the facts are invented.
""",
    ),
    "squad-v2": (
        {"licence": "apache-2.0", "language": "en", "title": "mini/squad-v2"},
        """The questions of `mini/squad`, and questions about the same articles that have no answer there: their lists `text` and
`answer_start` are empty. The columns are those of SQuAD 2.0.

{sizes}

Of these, {unanswerable} have no answer.

**How it was made.** By a grammar of the course's own, `recipes/corpora/questions.py`, with the seed 0, as `mini/squad` was. A
question without an answer is about something that the article names. Either the article leaves that detail out, or it tells
it of something else: who founded the one firm, and not who founded its rival. Something of the answer's kind is always
there, and other articles answer the same question, so that its words give little away.

**Not good for** anything outside the course: the facts are invented.
""",
    ),
    "jupyterlab-fr": (
        {"licence": "bsd-3-clause", "language": "[en, fr]", "title": "jupyterlab-fr"},
        f"""Messages of JupyterLab and its extensions in English (`en`) and French (`fr`), with the message's `context` and the
`catalog` it is from.

{{sizes}}

**Source.** The language pack `{PACK[0]}` {PACK[1]}, written by the translators of JupyterLab (Project Jupyter
Contributors), under the BSD-3-Clause licence: LICENSE.txt.

**How it was made.** By `recipes/corpora/catalogs.py`: repeated pairs and untranslated messages are left out; messages that are
nearly the same, or have the same translation, are in one split. Any other pack makes a data set in the same way:
`python -m recipes.corpora --language ru-RU --out my_messages`.
""",
    ),
    "code": (
        {"licence": "other", "language": "code", "title": "mini/code"},
        """Whole Python files (`content`) of the standard library and of installed packages with their `path`, `package`, `version` and
`licence` as the package states it. About one file in five mentions pandas, scikit-learn, Matplotlib or seaborn.

{sizes}

**How it was made.** By `recipes/corpora/python_files.py` from the packages below. No package is in both splits, and no text comes
twice. Of each package, files are taken in the order of a hash of their paths until it has given its share: 2.3 million
characters of the standard library, 480,000 of a library for data analysis, 150,000 of any other. Tests, copies of other
packages, generated files, files below 300 or above 32,000 characters, and files that mention another licence are left out.

**Licence.** Each file stays under the licence of its package, all of them permissive: PSF, BSD, MIT, Apache-2.0. LICENSES.txt
has their texts; some also speak of libraries inside the binaries of a package, of which nothing is here.

{packages}
""",
    ),
}


_NO_TEXTS = ("id", "path", "package", "version", "licence", "catalog")


def _sizes(splits: Mapping[str, list[dict]]) -> str:
    "Rows, words and characters of the texts in each split."
    lines = ["| split | rows | words | million characters |", "|---|---|---|---|"]
    for split, rows in splits.items():
        names = [name for name, value in rows[0].items() if isinstance(value, str) and name not in _NO_TEXTS]
        texts = {text for name in names for text in (row[name] for row in rows)}  # a context stands in several rows
        words, characters = sum(len(text.split()) for text in texts), sum(map(len, texts))
        lines.append(f"| {split} | {len(rows):,} | {words:,} | {characters / 1e6:.2f} |")
    return "\n".join(lines)


def _packages(splits: Mapping[str, list[dict]]) -> str:
    lines = ["| package | version | licence | split | files |", "|---|---|---|---|---|"]
    for split, rows in splits.items():
        counts = Counter((row["package"], row["version"], row["licence"]) for row in rows)
        for (package, version, licence), files in sorted(counts.items(), key=lambda item: item[0][0].lower()):
            lines.append(f"| {package} | {version} | {licence} | {split} | {files} |")
    return "\n".join(lines)


def card(name: str, splits: Mapping[str, list[dict]]) -> str:
    "The README.md of the corpus."
    head, body = _CARDS[name]
    parts = {"sizes": _sizes(splits)} | ({"packages": _packages(splits)} if name == "code" else {})
    if name == "squad-v2":
        without = {split: sum(not row["answers"]["text"] for row in rows) for split, rows in splits.items()}
        parts["unanswerable"] = " and ".join(f"{count:,} in {split}" for split, count in without.items())
    return _HEAD.format(**head) + body.format(**parts)


def licences(texts: Mapping[str, str]) -> str:
    "The licence texts below one another; packages with the same text share it."
    packages = defaultdict(list)
    for name, text in sorted(texts.items(), key=lambda item: item[0].lower()):
        packages["\n".join(line.rstrip() for line in text.strip().splitlines())].append(name)
    return (
        "\n\n".join(f"{'=' * 100}\n{', '.join(names)}\n{'=' * 100}\n\n{text}" for text, names in packages.items())
        + "\n"
    )
