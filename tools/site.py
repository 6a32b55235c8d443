"""Build the site of the course from the notebooks as they are saved: nothing is executed.

python -m tools.site                                English in _build/site/, and each translation below it
python -m tools.site --language ru --out _build/ru  one language alone
"""

import argparse
import functools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.api import api_pages
from tools.export import ROOT, read_settings
from tools.translate import languages, says, translated

SITE = ROOT / "_build" / "site"
PAGES = ["docs/glossary.md", "recipes/README.md", "benchmarks/RESULTS.md", "CHANGELOG.md", "CONTRIBUTING.md"]
FOLDERS = {"chapters": "nbs", "solutions": "nbs/solutions", "workbench": "nbs/workbench"}
OURS = "https://github.com/{user}/{repo}/blob/{branch}/".format(**read_settings())


@dataclass(frozen=True)
class Edition:
    "What the site of a language is made of: texts by the path of the English ones, and the site's own words."

    language: str
    texts: dict[Path, str]
    say: Callable[[str], str]

    @property
    def kinds(self) -> list[str]:
        return [kind for kind in FOLDERS if kind != "workbench" or self.language == "en"]

    def notebooks(self, kind: str) -> list[Path]:
        return [path for path in notebooks(kind) if path in self.texts]

    def number(self, value: float) -> str:
        return (f"{value:,.0f}" if value >= 1000 else f"{value:.3g}").replace(
            ",", "," if self.language == "en" else "\u00a0"
        )


@functools.cache
def edition(language: str) -> Edition:
    if language != "en":
        return Edition(language, translated(language), says(language)["site_words"])
    paths = [ROOT / "nbs" / "index.ipynb", *(ROOT / "nbs" / "figures").glob("*.svg"), *(ROOT / page for page in PAGES)]
    paths += [path for kind in FOLDERS for path in notebooks(kind)]
    paths += [ROOT / "docs" / f"{name}.md" for name in ("index", "solutions", "workbench")]
    return Edition("en", {path: path.read_text(encoding="utf-8") for path in paths}, str)


def headline(text: str) -> tuple[str, str]:
    "A notebook's title, and the line below it."
    first = "".join(json.loads(text)["cells"][0]["source"])
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


def measured(path: Path, here: Edition) -> str:
    "What a chapter's saved run says of itself: the metric, before and after."
    for output in (output for cell in json.loads(here.texts[path])["cells"] for output in cell.get("outputs", [])):
        if row := output.get("data", {}).get("application/vnd.course.result+json"):
            name = {"bleu": "BLEU", "f1": "F1"}.get(row["metric"]) or here.say(row["metric"])
            return f"{name} {here.number(row['before'])} → {here.number(row['after'])}"
    return ""


def cards(here: Edition) -> str:
    "The chapters: a diagram, the title, what is built, and how far it comes."
    found = []
    for path in here.notebooks("chapters"):
        title, line = headline(here.texts[path])
        figure = re.search(r"\(attachment:([^)]+)\)", here.texts[path])
        picture = f"![](/_attachments/{figure[1]})\n\n" if figure else ""
        link = f"[{title}]({path.relative_to(ROOT).as_posix()})"
        score = f"\n\n*{measured(path, here)}*" if measured(path, here) else ""
        found.append(f":::{{container}} chapter\n{picture}{number_of(path)} · **{link}**\n\n{line}{score}\n:::")
    return "::::{container} cards\n" + "\n".join(found) + "\n::::"


def said_in_index(here: Edition) -> dict[str, str]:
    "What nbs/index.ipynb says of each notebook, by its path there."
    cells = json.loads(here.texts[ROOT / "nbs" / "index.ipynb"])["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells)
    rows = re.findall(r"^(?:\| \d+ )?\| \[([^]]+)\]\(([\w/]+\.ipynb)\) \|([^|\n]*)\|", text, re.M)
    return {path: said.strip() if path.startswith("workbench/") else title for title, path, said in rows}


def short_title(path: Path, here: Edition) -> str:
    title = headline(here.texts[path])[0].removeprefix(here.say("Solutions") + ": ")
    return title[:1].upper() + title[1:]


def table(kind: str, here: Edition) -> str:
    "Numbers, titles with links, and what each is about."
    heads = {"solutions": ["", "chapter", "exercises"], "workbench": ["notebook", "what it is for"]}
    said = said_in_index(here)
    rows = [[word and here.say(word) for word in heads[kind]], ["---"] * len(heads[kind])]
    for path in here.notebooks(kind):
        link = f"[{short_title(path, here)}]({path.relative_to(ROOT).as_posix()})"
        row = [link, said.get(path.relative_to(ROOT / "nbs").as_posix(), headline(here.texts[path])[1])]
        rows.append([str(number_of(path))] * (kind == "solutions") + row)
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def toctree(entries: list[str], caption: str = "") -> str:
    return "\n".join(["```{toctree}", ":hidden:", *[f":caption: {caption}"] * bool(caption), "", *entries, "```", ""])


def entries(kind: str, here: Edition) -> list[str]:
    "A notebook's lines of a table of contents, numbered where it has a number."
    lines = []
    for path in here.notebooks(kind):
        number = f"{number_of(path)} · " if number_of(path) else ""
        lines.append(f"{number}{short_title(path, here)} <{path.relative_to(ROOT).with_suffix('').as_posix()}>")
    return lines


def front_page(here: Edition) -> str:
    more = ["solutions", "docs/glossary"]
    if here.language == "en":
        more = ["solutions", "workbench", "docs/glossary", "api/index"]
        more += [page.removesuffix(".md") for page in PAGES if page != "docs/glossary.md"]
    trees = toctree(entries("chapters", here), here.say("Chapters")) + "\n" + toctree(more, here.say("And more"))
    return (
        here.texts[ROOT / "docs" / "index.md"]
        .replace("<!-- chapters -->", cards(here))
        .replace("<!-- toctree -->", trees)
    )


def badge(text: str) -> str:
    "The picture on a link to Colab, as wide as its text."
    english, svg = "Open in Colab", (ROOT / "docs" / "static" / "colab.svg").read_text(encoding="utf-8")
    width = round(74 * len(text) / len(english))
    return svg.replace(english, text).replace('"74"', f'"{width}"').replace("108", str(34 + width))


@functools.cache
def pages(language: str = "en") -> dict[str, bytes]:
    "Every file that Sphinx reads, by its path below the source folder; pages keep the paths of the English files."
    here = edition(language)
    texts = {"_attachments/colab.svg": badge(here.say("Open in Colab"))}
    for path, text in here.texts.items():
        if path.suffix == ".svg":  # what is attached to the notebooks
            texts[f"_attachments/{path.name}"] = text
        elif path.relative_to(ROOT).as_posix() in PAGES:
            texts[path.relative_to(ROOT).as_posix()] = text
    for path in (path for kind in here.kinds for path in here.notebooks(kind)):
        texts[path.relative_to(ROOT).as_posix()] = here.texts[path]
    for kind in here.kinds[1:]:
        text = here.texts[ROOT / "docs" / f"{kind}.md"]
        texts[f"{kind}.md"] = f"{text}\n{table(kind, here)}\n\n{toctree(entries(kind, here))}"
    texts["index.md"] = front_page(here)
    if language == "en":
        texts |= api_pages()
    else:
        for path in (path for path in texts if path.endswith(".md")):
            texts[path] = to_english(texts[path], path, {*texts})
    found = {path: text.encode() for path, text in texts.items()}
    for path in (path for path in PAGES if path in texts):
        for picture in re.findall(r"!\[[^]]*\]\((?!https:)([^)]+)\)", texts[path]):
            file = (ROOT / path).parent / picture
            if file.is_file():
                found[file.resolve().relative_to(ROOT).as_posix()] = file.read_bytes()
    return found


def to_english(text: str, page: str, here: set[str]) -> str:
    "`text` with links to pages that this language does not have written out, as they are in the notebooks."

    def whole(found: re.Match) -> str:
        path = os.path.normpath(os.path.join(os.path.dirname(page), found[1])).replace(os.sep, "/")
        return found[0] if path in here or path not in pages() else f"]({OURS}{path}{found[2] or ''})"

    return re.sub(r"\]\((?!\w+:|/)([^)#]+)(#[^)]*)?\)", whole, text)


def docnames(language: str) -> set[str]:
    "The pages of a language, as Sphinx calls them."
    return {str(Path(path).with_suffix("").as_posix()) for path in pages(language) if path.endswith((".md", ".ipynb"))}


def prepare(source: Path, language: str = "en") -> None:
    "Bring the source folder in step, and touch only what has changed: Sphinx then reads no more than that."
    wanted = pages(language)
    for path in [*source.rglob("*")] if source.exists() else []:
        name = path.relative_to(source).as_posix()
        if path.is_file() and name not in wanted and not name.startswith("_attachments/"):
            path.unlink()
    for name, content in wanted.items():
        path = source / name
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def build(out: Path, language: str = "en") -> None:
    "Any warning is an error. Of a page that has not changed, what was read the last time is kept."
    source, say = ROOT / "_build" / f"site-source-{language}", edition(language).say
    prepare(source, language)
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-j", "auto"]
    command += ["-c", ROOT / "docs", "-d", ROOT / "_build" / f"site-read-{language}", "-D", f"language={language}"]
    title = say(read_settings()["title"])
    for name, value in {"project": title, "html_title": title, "copyright": say(read_settings()["copyright"])}.items():
        command += ["-D", f"{name}={value}"]
    subprocess.run([str(part) for part in [*command, source, out]], check=True, cwd=ROOT)


def build_all(out: Path = SITE) -> None:
    "English, and each translation in a folder below it."
    build(out)
    for language in languages():
        build(out / language, language)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=SITE)
    parser.add_argument("--language", help="build this one alone")
    arguments = parser.parse_args()
    try:
        build(arguments.out, arguments.language) if arguments.language else build_all(arguments.out)
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
