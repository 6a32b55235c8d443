"""Build the site of the course from the notebooks as they are saved: nothing is executed.

    python -m tools.site                                     _build/site/, as `make site` does
    python -m tools.site --builder gettext --out _build/po   a catalog for each page, to translate
    python -m tools.site --language ru --out _build/site-ru  with the translations in docs/locale/ru
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tools.api import api_pages
from tools.export import ROOT

SOURCE = ROOT / "_build" / "site-source"
PAGES = ["docs/glossary.md", "recipes/README.md", "benchmarks/RESULTS.md", "CHANGELOG.md", "CONTRIBUTING.md"]
FOLDERS = {"chapters": "nbs", "solutions": "nbs/solutions", "workbench": "nbs/workbench"}


def headline(path: Path) -> tuple[str, str]:
    "A notebook's title, and the line below it."
    first = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
    title, *rest = [line for line in first.splitlines() if line]
    return title.removeprefix("# "), next((line[2:] for line in rest if line.startswith("> ")), "")


def number_of(path: Path) -> int | None:
    "A chapter's, or that of the chapter it belongs to."
    return int(path.stem[:2]) if path.stem[:2].isdigit() else None


def notebooks(kind: str) -> list[Path]:
    "Those of a kind, in the order of the course; the workbench in that of nbs/index.ipynb."
    found = sorted((ROOT / FOLDERS[kind]).glob("*.ipynb"))
    if kind == "workbench":
        index = (ROOT / "nbs" / "index.ipynb").read_text(encoding="utf-8")
        found.sort(key=lambda path: index.find(f"(workbench/{path.name})"))
    return [path for path in found if path.stem != "index"]


def measured(path: Path) -> str:
    "What a chapter's saved run says of itself: the metric, before and after."
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for output in (output for cell in cells for output in cell.get("outputs", [])):
        if row := output.get("data", {}).get("application/vnd.course.result+json"):
            name = {"bleu": "BLEU", "f1": "F1"}.get(row["metric"], row["metric"])
            show = lambda value: f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
            return f"{name} {show(row['before'])} → {show(row['after'])}"
    return ""


def cards() -> str:
    "The chapters: a diagram, the title, what is built, and how far it comes."
    found = []
    for path in notebooks("chapters"):
        title, line = headline(path)
        figure = re.search(r"\(attachment:([^)]+)\)", path.read_text(encoding="utf-8"))
        picture = f"![](/_attachments/{figure[1]})\n\n" if figure else ""
        link = f"[{title}]({path.relative_to(ROOT).as_posix()})"
        score = f"\n\n*{measured(path)}*" if measured(path) else ""
        found.append(f":::{{container}} chapter\n{picture}{number_of(path)} · **{link}**\n\n{line}{score}\n:::")
    return "::::{container} cards\n" + "\n".join(found) + "\n::::"


def said_in_index() -> dict[str, str]:
    "What nbs/index.ipynb says of each notebook, by its path there."
    cells = json.loads((ROOT / "nbs" / "index.ipynb").read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells)
    rows = re.findall(r"^(?:\| \d+ )?\| \[([^]]+)\]\(([\w/]+\.ipynb)\) \|([^|\n]*)\|", text, re.M)
    return {path: said.strip() if path.startswith("workbench/") else title for title, path, said in rows}


def table(kind: str) -> str:
    "Numbers, titles with links, and what each is about."
    heads = {"solutions": ["", "chapter", "exercises"], "workbench": ["notebook", "what it is for"]}
    rows, said = [heads[kind], ["---"] * len(heads[kind])], said_in_index()
    for path in notebooks(kind):
        title, line = headline(path)
        link = f"[{capital(title.removeprefix('Solutions: '))}]({path.relative_to(ROOT).as_posix()})"
        row = [link, said.get(path.relative_to(ROOT / "nbs").as_posix(), line)]
        rows.append([str(number_of(path))] * (kind == "solutions") + row)
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def toctree(entries: list[str], caption: str = "") -> str:
    return "\n".join(["```{toctree}", ":hidden:", *[f":caption: {caption}"] * bool(caption), "", *entries, "```", ""])


def entries(kind: str) -> list[str]:
    "A notebook's lines of a table of contents, numbered where it has a number."
    lines = []
    for path in notebooks(kind):
        number = f"{number_of(path)} · " if number_of(path) else ""
        title = capital(headline(path)[0].removeprefix("Solutions: "))
        lines.append(f"{number}{title} <{path.relative_to(ROOT).with_suffix('').as_posix()}>")
    return lines


def front_page() -> str:
    text = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    more = ["solutions", "workbench", "docs/glossary", "api/index", "recipes/README", "benchmarks/RESULTS"]
    trees = toctree(entries("chapters"), "Chapters") + "\n" + toctree([*more, "CHANGELOG", "CONTRIBUTING"], "And more")
    return text.replace("<!-- chapters -->", cards()).replace("<!-- toctree -->", trees)


def pages() -> dict[str, bytes]:
    "Every file that Sphinx reads, by its path below the source folder; pages keep the paths of the repository."
    found = {"_attachments/colab.svg": (ROOT / "docs" / "static" / "colab.svg").read_bytes()}
    for path in (ROOT / "nbs" / "figures").glob("*.svg"):  # what is attached to the notebooks
        found[f"_attachments/{path.name}"] = path.read_bytes()
    for path in [*PAGES, *(path.relative_to(ROOT).as_posix() for kind in FOLDERS for path in notebooks(kind))]:
        found[path] = (ROOT / path).read_bytes()
    texts = {"index.md": front_page(), **api_pages()}
    for kind in ("solutions", "workbench"):
        text = (ROOT / "docs" / f"{kind}.md").read_text(encoding="utf-8")
        texts[f"{kind}.md"] = f"{text}\n{table(kind)}\n\n{toctree(entries(kind))}"
    for path, text in texts.items():
        found[path] = text.encode()
    for path in PAGES:
        for picture in re.findall(r"!\[[^]]*\]\((?!https:)([^)]+)\)", found[path].decode()):
            file = (ROOT / path).parent / picture
            if file.is_file():
                found[file.resolve().relative_to(ROOT).as_posix()] = file.read_bytes()
    return found


def prepare(source: Path = SOURCE) -> None:
    "Bring the source folder in step, and touch only what has changed: Sphinx then reads no more than that."
    wanted = pages()
    for path in [*source.rglob("*")] if source.exists() else []:
        name = path.relative_to(source).as_posix()
        if path.is_file() and name not in wanted and not name.startswith("_attachments/"):
            path.unlink()
    for name, content in wanted.items():
        path = source / name
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def build(out: Path, builder: str = "html", language: str = "en", source: Path = SOURCE) -> None:
    "Any warning is an error. Of a page that has not changed, what was read the last time is kept."
    prepare(source)
    if builder == "html":
        shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-j", "auto", "-b", builder]
    command += ["-c", ROOT / "docs", "-d", source.parent / f"{source.name}-{builder}-{language}"]
    command += ["-D", f"language={language}", source, out]
    subprocess.run([str(part) for part in command], check=True, cwd=ROOT)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--builder", default="html")
    parser.add_argument("--out", type=Path, default=ROOT / "_build" / "site")
    parser.add_argument("--language", default="en")
    arguments = parser.parse_args()
    try:
        build(arguments.out, arguments.builder, arguments.language)
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
