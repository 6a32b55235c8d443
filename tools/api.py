"""Pages of the reference: what each module exports, with a table of its parameters.

They are read off the sources, in which a comment stands behind each parameter. Nothing is imported.
"""

import ast
import io
import re
import tokenize
from pathlib import Path

from tools.export import ROOT, read_settings

PACKAGE = ROOT / read_settings()["lib_path"]
CELL = re.compile(r"^# %% (?:\.\./)?(\S+\.ipynb) #(\w+)", re.M)


def comments(source: str) -> dict[int, str]:
    "Every comment, by its line."
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}


def cell(text: str) -> str:
    "`text` for a cell of a table."
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


def code(text: str) -> str:
    "`text` as code, for a cell of a table."
    return f"`{cell(text)}`" if text else ""


def written(node: ast.expr | None) -> str:
    "A default as in the source, and of a field what its factory makes."
    text = ast.unparse(node) if node is not None else ""
    return re.sub(r"^(?:dataclasses\.)?field\(default_factory=(\w+).*\)$", r"\1()", text)


def kind_of(node: ast.expr | None) -> str:
    "An annotation, without the quotes around what is imported for type checkers alone."
    return re.sub(r"'([\w.\[\] |]+)'", r"\1", ast.unparse(node)) if node is not None else ""


def parameters(node: ast.FunctionDef, said: dict[int, str]) -> list[tuple[str, str, str, str]]:
    "Name, type, default and comment of each parameter."
    spec, rows = node.args, []
    plain = [*spec.posonlyargs, *spec.args]
    defaults = [None] * (len(plain) - len(spec.defaults)) + spec.defaults
    found = [("", *pair) for pair in zip(plain, defaults, strict=True)]
    found += [("*", spec.vararg, None)] * bool(spec.vararg)
    found += [("", *pair) for pair in zip(spec.kwonlyargs, spec.kw_defaults, strict=True)]
    found += [("**", spec.kwarg, None)] * bool(spec.kwarg)
    for stars, argument, default in found:
        if argument.arg in ("self", "cls"):
            continue
        comment = said.get((default or argument).end_lineno, "")
        rows.append((stars + argument.arg, kind_of(argument.annotation), written(default), comment))
    return rows


def fields(node: ast.ClassDef, said: dict[int, str]) -> list[tuple[str, str, str, str]]:
    "The same of a dataclass's fields."
    found = [item for item in node.body if isinstance(item, ast.AnnAssign)]
    comment = lambda item: said.get(item.end_lineno, "")
    return [(ast.unparse(item.target), kind_of(item.annotation), written(item.value), comment(item)) for item in found]


def parameter_table(rows: list[tuple[str, str, str, str]]) -> str:
    "As Markdown; a column that would be empty is left out."
    if not rows:
        return ""
    heads, columns = ("parameter", "type", "default", "what it is"), [*zip(*rows, strict=True)]
    kept = [place for place, column in enumerate(columns) if place == 0 or any(column)]
    show = lambda row: [cell(row[place]) if place == 3 else code(row[place]) for place in kept]
    lines = [[heads[place] for place in kept], ["---"] * len(kept), *map(show, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def signature(node: ast.FunctionDef | ast.ClassDef, rows: list[tuple[str, str, str, str]]) -> str:
    "The name, the parameters with their defaults, and what comes back."
    if isinstance(node, ast.FunctionDef):
        arguments = ast.parse(f"def f({ast.unparse(node.args)}): ...").body[0].args
        for argument in ast.walk(arguments):
            if isinstance(argument, ast.arg):
                argument.annotation = None
        for group in (arguments.posonlyargs, arguments.args):
            if group and group[0].arg in ("self", "cls"):
                del group[0]
        back = f" -> {kind_of(node.returns)}" if node.returns else ""
        return f"{node.name}({ast.unparse(arguments)}){back}"
    inner = ", ".join(name + f"={value}" * bool(value) for name, _, value, _ in rows)
    return f"{node.name}({inner})"


def docstring(node: ast.AST) -> str:
    return ast.get_docstring(node) or ""


def entry(node: ast.FunctionDef | ast.ClassDef, said: dict[int, str], kind: str = "", source: str = "") -> str:
    "One definition as Markdown."
    if isinstance(node, ast.FunctionDef):
        rows, kind = parameters(node, said), kind or "function"
        methods = []
    else:
        start = next((item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"), None)
        rows, kind = parameters(start, said) if start else fields(node, said), "class"
        methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
        methods = [item for item in methods if not item.name.startswith("_") or item.name == "__call__"]
    inner = [f"{docstring(node)} {source}".strip(), parameter_table(rows)]
    for item in methods:
        names = {ast.unparse(decorator) for decorator in item.decorator_list}
        inner.append(entry(item, said, "property" if "property" in names else "classmethod" if "classmethod" in names else "method"))
    fence = "::::" if methods else ":::"
    head = node.name if kind == "property" else signature(node, rows)
    return "\n".join([f"{fence}{{py:{kind}}} {head}", "", "\n\n".join(filter(None, inner)), fence, ""])


def home_of(node: ast.AST, source: str) -> str:
    "A link to the cell that a definition comes from."
    before = [*CELL.finditer("\n".join(source.splitlines()[: node.lineno]))]
    settings = read_settings()
    page = f"{settings['git_url']}/blob/{settings['branch']}"
    return f"[Source]({page}/{before[-1][1]}#cell-{before[-1][2]})" if before else ""


def api_page(path: Path) -> str:
    "The page of one module."
    source = path.read_text(encoding="utf-8")
    tree, said = ast.parse(source), comments(source)
    names = next(
        (ast.literal_eval(item.value) for item in tree.body if isinstance(item, ast.Assign) and ast.unparse(item.targets[0]) == "__all__"),
        [],
    )
    lines = [f"# {path.stem}", "", docstring(tree), ""]
    if notebook := CELL.search(source):
        lines += [f"`course_lib.{path.stem}`, built in [its notebook](../{notebook[1]}).", ""]
    lines += [f":::{{py:module}} course_lib.{path.stem}", ":::", ""]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in names:
            lines += [entry(node, said, source=home_of(node, source))]
    return "\n".join(lines)


def api_pages() -> dict[str, str]:
    "Every page of the reference, by its path."
    modules = sorted(path for path in PACKAGE.glob("*.py") if not path.stem.startswith("_"))
    found = {f"api/{path.stem}.md": api_page(path) for path in modules}
    rows = "\n".join(f"| [{path.stem}]({path.stem}.md) | {docstring(ast.parse(path.read_text('utf-8')))} |" for path in modules)
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    tree = "\n".join(["```{toctree}", ":hidden:", "", *(path.stem for path in modules), "```"])
    found["api/index.md"] = f"{text}\n| module | |\n|---|---|\n{rows}\n\n{tree}\n"
    return found
