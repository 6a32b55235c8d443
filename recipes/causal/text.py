"""Collect Python code from what is installed, for pre-training `mini/causal`.

    python -m recipes.causal.text --out work/code.jsonl --extra work/extra --docs work/docs

Writes one document per line: `{"kind": ..., "package": ..., "held_out": ..., "text": ...}`. Kinds: `file` (a module),
`piece` (one function or class), `script` (an example out of a docstring, a user guide or a gallery).
Nothing is downloaded. README.md names the two optional folders and their licences.
"""

from __future__ import annotations

import argparse
import ast
import doctest
import hashlib
import importlib.metadata
import json
import re
import sysconfig
import tokenize
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from course_lib.python_code import path_reason, side_of

# The course's own package stays out, and so does what is test data or made by a program.
SKIPPED_PARTS = {"course_lib", "tests", "test", "testing", "__pycache__", "site-packages", "lib2to3"}
SCIENCE = {
    "pandas",
    "scikit-learn",
    "matplotlib",
    "numpy",
    "scipy",
    "contourpy",
    "seaborn",
    "statsmodels",
    "mlxtend",
    "yellowbrick",
    "imbalanced-learn",
    "plotnine",
    "xarray",
    "skrub",
}
# So that no package drowns the others; characters per kind.
CAP, SCIENCE_CAP, STDLIB_CAP = 450_000, 6_000_000, 9_000_000
# Names that examples use as if they were always there.
USUAL_IMPORTS = {
    "np": "import numpy as np",
    "pd": "import pandas as pd",
    "plt": "import matplotlib.pyplot as plt",
    "sns": "import seaborn as sns",
    "nx": "import networkx as nx",
    "sm": "import statsmodels.api as sm",
    "xr": "import xarray as xr",
    "mpl": "import matplotlib as mpl",
    "sp": "import scipy as sp",
}


def stable(text: str) -> int:
    """The same large number for the same text, on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def canonical(name: str) -> str:
    """A distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_held_out(package: str) -> bool:
    """Whether a package is for validation only: as in the course's corpus `python-code`, by its name alone."""
    return side_of(package) == "validation"


# -- files ---------------------------------------------------------------------------------------------------------


def sources(extra: Path | None) -> Iterator[tuple[str, str, Path]]:
    """(package, path inside it, file) for the standard library and every distribution, in a stable order."""
    root = Path(sysconfig.get_path("stdlib"))
    for path in sorted(root.rglob("*.py")):
        yield "python", path.relative_to(root).as_posix(), path
    where = {"path": [str(extra)]} if extra else {}
    found = {canonical(d.metadata["Name"]): d for d in importlib.metadata.distributions()}
    found |= {canonical(d.metadata["Name"]): d for d in importlib.metadata.distributions(**where)} if extra else {}
    for name in sorted(found):
        for file in sorted(found[name].files or [], key=str):
            if file.suffix == ".py":
                yield name, file.as_posix(), Path(file.locate())


def read_source(path: Path) -> str | None:
    """The text of a module, or None where it is unreadable, tiny, huge, generated or a table of numbers."""
    try:
        with tokenize.open(path) as file:
            text = file.read()
    except (OSError, SyntaxError, UnicodeDecodeError):
        return None
    if not 200 <= len(text) <= 200_000 or re.search(r"generated (by|from)|do not edit", text[:600], re.I):
        return None
    if max(map(len, text.splitlines())) > 400 or sum(c.isdigit() for c in text) > 0.15 * len(text):
        return None
    return text.expandtabs(4)


def summary(docstring: str) -> str:
    """The first line with words in it."""
    lines = [line.strip() for line in docstring.splitlines()]
    return next((line for line in lines if re.search(r"\w", line) and not line.startswith("..")), "")


def shorten_docstrings(text: str, tree: ast.AST) -> str:
    """Docstrings cut to their first line, and no comments before the first statement.

    Half of what a library holds is prose in docstrings; a small model on a small budget should see code."""
    lines = text.splitlines()
    nodes = [
        n for n in ast.walk(tree) if isinstance(n, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    edits = []
    for node in nodes:
        first = node.body[0] if node.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            edits.append((first.lineno, first.end_lineno, first.col_offset, first.value.value))
    for start, end, indent, value in sorted(edits, reverse=True):
        if end == start or lines[start - 1][:indent].strip() or not lines[end - 1].rstrip().endswith(('"""', "'''")):
            continue
        line = summary(value).replace("\\", "").replace('"""', "").rstrip('"')
        lines[start - 1 : end] = [" " * indent + f'"""{line}"""'] if line else [" " * indent + '"""Undocumented."""']
    begin = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")), 0)
    return tidy("\n".join(lines[begin:]))


def tidy(text: str) -> str:
    """No white space at line ends, at most two blank lines together, one newline at the end."""
    text = re.sub(r"[ \t]+\n", "\n", text.strip("\n") + "\n")
    return re.sub(r"\n{4,}", "\n\n\n", text)


def pieces(text: str) -> Iterator[str]:
    """The functions and classes of a module, and the methods of its large classes, each moved to the margin."""
    lines = text.splitlines()
    queue = list(ast.parse(text).body)
    while queue:
        node = queue.pop(0)
        if not isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        start = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        size = node.end_lineno - start + 1
        if isinstance(node, ast.ClassDef) and size > 60:
            queue += node.body
        elif 3 <= size <= 80:
            yield tidy("\n".join(line[node.col_offset :] for line in lines[start - 1 : node.end_lineno]))


# -- examples ------------------------------------------------------------------------------------------------------


def remark(prose: str) -> str:
    """The last sentence before an example as a comment, if there is a short one."""
    paragraphs = [p for p in re.split(r"\n\s*\n", prose) if p.strip()]
    if not paragraphs:
        return ""
    last = " ".join(paragraphs[-1].split())
    last = re.sub(r":\w+:`~?([^`<]+?)(?: <[^`]*>)?`", r"\1", last).replace("``", "").replace("*", "")
    sentence = re.split(r"(?<=[.!?:]) ", last)[-1].rstrip(":").strip()
    if not 8 <= len(sentence) <= 90 or not sentence[0].isalpha() or re.search(r"----|====|::|>>>|`_|\.\. ", last):
        return ""
    return f"# {sentence}\n"


def script(parts: list[tuple[str, str]]) -> str | None:
    """One script out of (prose before it, code) parts; None unless it parses."""
    chunks, previous = [], ""
    for prose, code in parts:
        note = remark(prose) if prose.strip() else ""
        gap = "\n" if previous and (note or prose.strip() or "\n" in previous.strip()) else ""
        chunks.append(gap + note + code.rstrip() + "\n")
        previous = code
    text = "".join(chunks)
    names = [n for n in USUAL_IMPORTS if re.search(rf"\b{n}\.", text) and not re.search(rf"\bas {n}\b|\b{n} =", text)]
    head = "".join(USUAL_IMPORTS[n] + "\n" for n in names)
    text = tidy(head + ("\n" if head and not text.startswith(("import", "from")) else "") + text)
    if len(text) < 40:
        return None
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    return text


def doctest_script(text: str) -> str | None:
    """The doctests of a text as one script: prompts and results dropped, sentences between them kept as comments."""
    if ">>>" not in text:
        return None
    parts, prose = [], ""
    try:
        parsed = doctest.DocTestParser().parse(text)
    except ValueError:
        return None
    for item in parsed:
        if isinstance(item, str):
            prose += item
        elif not item.exc_msg:
            code = re.sub(r"[ \t]*#[ \t]*doctest:.*", "", item.source)
            parts.append((prose, code))
            prose = ""
    return script(parts) if parts else None


def docstring_scripts(tree: ast.AST) -> Iterator[str]:
    """The examples in the docstrings of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and (text := doctest_script(node.value)):
            yield text


def guide_scripts(text: str) -> Iterator[str]:
    """The examples of a reStructuredText page, one script for each section."""
    for section in re.split(r"\n(?=[^\n]+\n(?:={4,}|-{4,}|~{4,}|\^{4,})\n)", text):
        if found := doctest_script(section):
            yield found
        parts, prose, code = [], [], None
        for line in [*section.splitlines(), "end"]:
            if re.match(r"\.\. (ipython|code-block|code)::\s*(python|ipython)?\s*$", line):
                code = []
            elif code is not None and (line.startswith("   ") or not line.strip()):
                code.append(line)
            else:
                if code:
                    parts.append(("\n".join(prose), directive_code(code)))
                    prose, code = [], None
                prose.append(line)
        if parts and (found := script([p for p in parts if p[1]])):
            yield found


def directive_code(lines: list[str]) -> str:
    """The body of a code directive: its options and notebook magic dropped."""
    lines = [line[3:] for line in lines if not re.match(r"\s*(:\w+:|@|%|!|In \[|Out\[|\.\.\.)", line)]
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "" if any(">>>" in line for line in lines) else "\n".join(line[indent:] for line in lines).strip("\n")


def notebook_script(text: str) -> str | None:
    """The code cells of a notebook."""
    parts, prose = [], ""
    for cell in json.loads(text).get("cells", []):
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            code = "\n".join(line for line in source.splitlines() if not line.startswith(("%", "!")))
            parts.append((prose, code))
            prose = ""
        else:
            prose = source
    return script([p for p in parts if p[1].strip()])


def gallery_script(text: str) -> str | None:
    """A program of a gallery, with its text blocks cut to their first line."""
    try:
        text = shorten_docstrings(text, ast.parse(text))
    except (SyntaxError, ValueError):
        return None
    text = re.sub(r"^# ?%%.*\n|^#{10,}\n", "", text, flags=re.M)
    text = re.sub(r"^(#[^\n]*\n)(?:#[^\n]*\n){2,}", r"\1", text, flags=re.M)
    return script([("", text)])


def documentation(folder: Path | None) -> Iterator[tuple[str, str]]:
    """(package, script) from unpacked documentation packages: guides, notebooks and galleries."""
    for path in sorted(folder.rglob("*")) if folder else []:
        name = path.name.removesuffix(".gz")
        if not path.is_file() or not name.endswith((".py", ".ipynb", ".rst.txt")):
            continue
        package = next((p for p in sorted(SCIENCE) if p in path.as_posix().replace("sklearn", "scikit-learn")), None)
        if package is None:
            continue
        if path.suffix == ".gz":
            import gzip

            text = gzip.decompress(path.read_bytes()).decode("utf-8", "replace")
        else:
            text = path.read_text(encoding="utf-8", errors="replace")
        if name.endswith(".rst.txt"):
            yield from ((package, s) for s in guide_scripts(text))
        elif found := notebook_script(text) if name.endswith(".ipynb") else gallery_script(text):
            yield package, found


# -- all together --------------------------------------------------------------------------------------------------


def documents(extra: Path | None, docs: Path | None) -> Iterator[tuple[str, str, str]]:
    """(kind, package, text) of everything, before duplicates are dropped and packages are capped."""
    for package, name, path in sources(extra):
        if SKIPPED_PARTS.intersection(Path(name).parts) or path_reason(name) or name.endswith("_version.py"):
            continue
        if (text := read_source(path)) is None:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(text)
                yield from (("script", package, s) for s in docstring_scripts(tree))
                # A quarter of the modules as they are, a quarter with short docstrings, the others as functions.
                way = stable(name) % 4
                if way == 0 or is_held_out(package):
                    yield "file", package, tidy(text)
                elif way == 1:
                    yield "file", package, shorten_docstrings(text, tree)
                else:
                    yield from (("piece", package, p) for p in pieces(shorten_docstrings(text, tree)))
        except (SyntaxError, ValueError, RecursionError):
            continue
    yield from (("script", package, text) for package, text in documentation(docs))


def collect(extra: Path | None, docs: Path | None, out: Path) -> None:
    """Write the documents, shuffled by a stable hash, and print what there is."""
    seen, rows = set(), []
    for kind, package, text in documents(extra, docs):
        key = stable(re.sub(r"\s+", " ", text))
        if key not in seen:
            seen.add(key)
            rows.append((key, kind, package, text))
    rows.sort()
    used: Counter = Counter()
    totals: Counter = Counter()
    with out.open("w", encoding="utf-8") as file:
        for _, kind, package, text in rows:
            cap = SCIENCE_CAP if package in SCIENCE else STDLIB_CAP if package == "python" else CAP
            if used[kind, package] + len(text) > cap:
                continue
            used[kind, package] += len(text)
            held_out = is_held_out(package)
            totals[kind, held_out] += len(text)
            row = {"kind": kind, "package": package, "held_out": held_out, "text": text}
            file.write(json.dumps(row) + "\n")
    for (kind, held_out), size in sorted(totals.items()):
        print(f"{kind:7s} {'held out' if held_out else 'training':9s} {size:12,} characters")
    print("held out:", ", ".join(sorted({p for _, p in used if is_held_out(p)})))
    for (kind, package), size in used.most_common(25):
        print(f"  {kind:7s} {package:24s} {size:10,}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--extra", type=Path, help="folder of pip's --target with further packages")
    parser.add_argument("--docs", type=Path, help="folder with unpacked documentation packages")
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    collect(args.extra, args.docs, args.out)


if __name__ == "__main__":
    main()
