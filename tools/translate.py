"""Another language: gettext catalogs of the notebooks' prose, and notebooks made of them.

    python -m tools.translate ru          bring translations/ru in step: catalogs from the English, files from the catalogs
    python -m tools.translate ru --check  the same without writing: fail with a list of what is stale or wrong

A message is a heading, a paragraph, an item of a list, a cell of a table, the question or the answer of a self-check,
a comment in a lesson's code, or a text in a figure. Code, outputs and formulas stay as they are.
"""

import argparse
import base64
import functools
import io
import itertools
import json
import os
import re
import sys
import tokenize
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from markdown_it import MarkdownIt

from tools.export import ROOT, read_settings

Say = Callable[[str], str]  # the translation of a message
MARKDOWN = MarkdownIt("commonmark").enable("table")
BADGE = r"\s*\[!\[[^]]*\]\([^)]*\)\]\([^)]*\)"
SILENT = [BADGE, r"(`+).*?\1", r"\$[^$]+\$", r"\]\([^)]*\)", r"<[^>]*>", r"https?://\S+", r"&\w+;"]
SITE_ONLY = ("index", "solutions", "words")  # pages whose links lead nowhere outside the site, and what it says itself
THEN = datetime(2026, 1, 1, tzinfo=timezone.utc)  # the same catalog whenever it is written


def sources() -> dict[str, Path]:
    "Catalog -> what it translates; the figures have one together."
    notebooks = [ROOT / "nbs" / "index.ipynb", *sorted((ROOT / "nbs").glob("0*.ipynb"))]
    notebooks += sorted((ROOT / "nbs" / "solutions").glob("0*.ipynb"))
    found = {path.stem: path for path in [*notebooks, ROOT / "README.md"]}
    found |= {f"site_{page}": ROOT / "docs" / f"{page}.md" for page in (*SITE_ONLY, "glossary")}
    return found | {"figures": ROOT / "nbs" / "figures"}


def bare(text: str) -> str:
    "`text` without code, formulas, addresses and tags."
    return functools.reduce(lambda rest, pattern: re.sub(pattern, " ", rest, flags=re.S), SILENT, text)


def spoken(say: Say) -> Say:
    "`say`, which is asked only about what has words in it, and never sees a badge or the space around."

    def only_words(text: str) -> str:
        words = re.sub(f"({BADGE})+\\s*$", "", text).strip()
        return text.replace(words, say(words)) if re.search(r"[^\W\d_]{2}|\d,\d{3}", bare(words)) else text

    return only_words


def translate_markdown(text: str, say: Say) -> str:
    "`text` with what `say` makes of every message; the marks of lists, headings and quotations stay."
    say, lines, edits = spoken(say), text.split("\n"), {}
    tokens = MARKDOWN.parse(text)
    for parent, token in itertools.pairwise(tokens):
        if parent.type == "tr_open":
            row = lines[parent.map[0]]
            edits[parent.map[0], parent.map[1]] = "|".join(map(say, re.split(r"(?<!\\)\|", row)))
        elif token.type == "inline" and parent.type in ("paragraph_open", "heading_open"):
            first, last = token.map
            start = lines[first].index(token.content.split("\n")[0])
            edits[first, last] = lines[first][:start] + say(token.content)
    for token in tokens:
        if token.type == "html_block":
            block = "\n".join(lines[slice(*token.map)])
            told = re.sub(
                r"(?<=<summary>)(.*?)(</summary>)(.*?)(?=</details>)", functools.partial(_details, say), block
            )
            edits[tuple(token.map)] = told
    for (first, last), edit in sorted(edits.items(), reverse=True):
        lines[first:last] = [edit]
    return "\n".join(lines)


def _details(say: Say, found: re.Match) -> str:
    return say(found[1]) + found[2] + say(found[3])


def translate_comments(code: str, say: Say) -> str:
    "`code` of a lesson with its comments translated; what is exported, and orders to tools, stay."
    if re.search(r"^#\|\s*(export|hide|default_exp)", code, re.M):
        return code
    say, lines, comments = spoken(say), code.split("\n"), []
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type == tokenize.COMMENT and not re.match(r"#(\||\s*(noqa|fmt:|type:))", token.string):
                comments.append(token)
    except (tokenize.TokenError, SyntaxError):  # `!ls`, `%pip`: no Python from there on
        pass
    for token in comments:
        row, column = token.start
        said = say(token.string[1:].strip())
        lines[row - 1] = f"{lines[row - 1][:column]}# {said}"
    return "\n".join(lines)


def translate_figure(svg: str, say: Say) -> str:
    "The SVG with its texts, title and description translated."
    say = spoken(say)
    pattern = r"(<(text|tspan|title|desc)\b[^>]*>)([^<]+)"
    return re.sub(pattern, lambda found: found[1] + say(found[3]), svg)


def translate_notebook(text: str, say: Say, figures: dict[str, str]) -> str:
    "The notebook with its prose, comments and attached figures translated, and its outputs as they are."
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        told = (translate_markdown if cell["cell_type"] == "markdown" else translate_comments)(source, say)
        cell["source"] = told.splitlines(keepends=True)
        for name in cell.get("attachments", {}):
            data = base64.b64encode(figures[name].encode()).decode()
            cell["attachments"][name] = {"image/svg+xml": [data]}
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def figure_texts() -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "nbs" / "figures").glob("*.svg"))}


def messages(path: Path) -> list[str]:
    "What has to be translated in a notebook, a page, or the folder of figures, each once, in order."
    found: dict[str, None] = {}

    def note(message: str) -> str:
        found[message] = None
        return message

    if path.is_dir():
        for svg in figure_texts().values():
            translate_figure(svg, note)
    elif path.suffix == ".md":
        translate_markdown(path.read_text(encoding="utf-8"), note)
    else:
        translate_notebook(path.read_text(encoding="utf-8"), note, figure_texts())
    return list(found)


def read_catalog(path: Path, language: str) -> Catalog:
    if not path.exists():
        return Catalog(language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def updated_catalog(path: Path, source: Path, language: str) -> bytes:
    "The catalog at `path` with the messages of today: new ones empty, changed ones fuzzy, old ones gone."
    catalog, template = read_catalog(path, language), Catalog()
    for message in messages(source):
        template.add(message)
    catalog.update(template)
    fresh = Catalog(
        language, project="course_lib", version=read_settings()["version"], charset="utf-8", fuzzy=False,
        creation_date=THEN, revision_date=THEN, last_translator="The course authors", language_team=language,
    )  # fmt: skip
    fresh.header_comment = f"# {source.relative_to(ROOT).as_posix()}: written by `python -m tools.translate {language}`"
    for message in messages(source):
        entry = catalog[message]
        fresh.add(
            message, entry.string, flags=entry.flags, user_comments=entry.user_comments, previous_id=entry.previous_id
        )
    file = io.BytesIO()
    write_po(file, fresh, width=0, ignore_obsolete=True, include_previous=False)
    # These two lines differ from one Babel to the next, and no message here has a plural.
    return re.sub(rb'"(Plural-Forms|Generated-By): .*\n', b"", file.getvalue())


def numbers(text: str) -> Counter:
    "The numbers of a prose, whichever way its language groups digits and marks decimals."
    text = re.sub(r"(?<=\d)[,\u00a0\u202f](?=\d{3}(?!\d))", "", bare(text))
    return Counter(number.replace(",", ".") for number in re.findall(r"\d+(?:[.,]\d+)*", text))


def faults(message: str, said: str) -> Iterator[str]:
    "What a translation lost of its original: code, a formula, a link, a number."
    for kind, pattern in {"code": r"`+[^`]+`+|</?code>", "formula": r"\$[^$]+\$", "link": r"\]\([^)]*\)"}.items():
        missing = Counter(re.findall(pattern, message)) - Counter(re.findall(pattern, said))
        yield from (f"{kind} {what!r} is missing" for what in missing)
    if numbers(message) != numbers(said):
        yield f"numbers are {sorted(numbers(said).elements())}, not {sorted(numbers(message).elements())}"


def complaints(language: str) -> list[str]:
    "What is untranslated, fuzzy or lost in the catalogs of a language, and where."
    found = []
    for name, source in sources().items():
        catalog = read_catalog(ROOT / "translations" / language / f"{name}.po", language)
        for message in messages(source):
            entry = catalog.get(message)
            if entry is None or not entry.string:
                found.append(f"{name}: untranslated: {message}")
            elif entry.fuzzy:
                found.append(f"{name}: fuzzy: {message}")
            else:
                found += [
                    f"{name}: {fault} in the translation of: {message}" for fault in faults(message, entry.string)
                ]
    return found


def languages() -> list[str]:
    "Those that have begun: English has been there before."
    return sorted(path.parent.name for path in (ROOT / "translations").glob("*/TERMS.md"))


@functools.cache
def says(language: str) -> dict[str, Say]:
    "What each catalog of a language makes of a message; what it does not know stays as it is, as in English all does."
    if language == "en":
        return dict.fromkeys(sources(), str)

    def say(name: str) -> Say:
        catalog = read_catalog(ROOT / "translations" / language / f"{name}.po", language)
        return lambda message: (entry := catalog.get(message)) and entry.string or message

    return {name: say(name) for name in sources()}


@functools.cache
def translated(language: str) -> dict[Path, str]:
    "The text of each notebook, page and figure, by the path of the English one. Pages go by the paths of that, too."
    say = says(language)
    figures = {name: translate_figure(svg, say["figures"]) for name, svg in figure_texts().items()}
    found = {ROOT / "nbs" / "figures" / name: svg for name, svg in figures.items()}
    for name, path in sources().items():
        if path.suffix == ".ipynb":
            text = translate_notebook(path.read_text(encoding="utf-8"), say[name], figures)
            found[path] = _whole_links(text, language)
        elif path.suffix == ".md":
            text = translate_markdown(path.read_text(encoding="utf-8"), say[name])
            text = by_letter(text, say["site_words"]("Latin letters")) if name == "site_glossary" else text
            found[path] = _links(text, path, lambda goal, place: (goal, _places(goal, say).get(place, place)))
    return found


def home(path: Path, language: str) -> Path:
    "Where the translation of a file is kept."
    below = path.relative_to(ROOT)
    if below.parts[0] == "nbs":
        below = Path("" if path.suffix == ".svg" else "notebooks", *below.parts[1:])
    return ROOT / "translations" / language / below


def translated_files(language: str) -> dict[Path, str]:
    "Every file that is made from the catalogs, and its text; what is translated is linked, and all else where it is."
    files, kept = {}, {path for name, path in sources().items() if name not in {f"site_{page}" for page in SITE_ONLY}}

    def moved(goal: Path, place: str) -> tuple[Path, str]:
        return home(goal, language) if goal in kept else goal, place

    for path, text in translated(language).items():
        target = home(path, language)
        if path.suffix == ".md" and path in kept:
            files[target] = _links(_whole_links(text, language), path, moved, target)
        elif path.suffix != ".md":
            files[target] = text
    return files


def by_letter(glossary: str, others: str) -> str:
    "The glossary in the order of its own alphabet; words in Latin letters come last where that is another one."

    def word(entry: str) -> str:
        plain = re.match(r"- \*\*(.+?)\*\*", entry)[1].lower().replace("ё", "е")
        bases = {letter: unicodedata.normalize("NFKD", letter)[0] for letter in plain}
        return "".join(bases[letter] if bases[letter].isascii() else letter for letter in plain)

    entries = sorted(re.findall(r"^- .+$", glossary, re.M), key=lambda entry: (word(entry)[0].isascii(), word(entry)))
    other = not all(word(entry)[0].isascii() for entry in entries)
    title = lambda entry: others if other and word(entry)[0].isascii() else word(entry)[0].upper()
    letters = [f"## {letter}\n\n" + "\n".join(group) for letter, group in itertools.groupby(entries, title)]
    return glossary[: glossary.index("## ")] + "\n\n".join(letters) + "\n"


def _whole_links(text: str, language: str) -> str:
    "The notebook `text` with its links to translated notebooks going to the translations."
    names = [path.relative_to(ROOT / "nbs").as_posix() for path in sources().values() if path.suffix == ".ipynb"]
    goal = rf"(/blob/{read_settings()['branch']}/)nbs/(?={'|'.join(map(re.escape, names))})"
    text = re.sub(goal, rf"\1translations/{language}/notebooks/", text)
    return re.sub(r"(?<=\]\()(?=workbench/)", "../../../nbs/", text)


def _links(text: str, source: Path, change: Callable[[Path, str], tuple[Path, str]], target: Path | None = None) -> str:
    "`text` with what `change` makes of the goal and place of its relative links, seen from `target` instead of `source`."

    def changed(found: re.Match) -> str:
        link, mark, place = found[1].partition("#")
        goal, place = change(Path(os.path.normpath(source.parent / link)) if link else source, place)
        link = Path(os.path.relpath(goal, (target or source).parent)).as_posix() if link else ""
        return f"]({link}{mark}{place})"

    return re.sub(r"\]\((?!\w+:)([^)]+)\)", changed, text)


def _places(goal: Path, say: dict[str, Say]) -> dict[str, str]:
    "The place of each heading -> that of its translation; none where there is no translation."
    name = next((name for name, path in sources().items() if path == goal and not goal.is_dir()), None)
    return places(goal, say[name]) if name else {}


def slug(heading: str) -> str:
    "The place of a heading in links, as GitHub and the site make it."
    return re.sub(r"[^\w\s-]", "", heading.strip().lower()).replace(" ", "-")


@functools.cache
def headings(path: Path) -> list[str]:
    "The headings of a notebook or page, as they are written."
    text = path.read_text(encoding="utf-8")
    cells = json.loads(text)["cells"] if path.suffix == ".ipynb" else [{"cell_type": "markdown", "source": [text]}]
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    tokens = [token for text in texts for token in MARKDOWN.parse(text)]
    return [after.content for token, after in itertools.pairwise(tokens) if token.type == "heading_open"]


def places(path: Path, say: Say) -> dict[str, str]:
    "The place of each heading -> that of its translation."
    told = {slug(heading): slug(say(heading)) for heading in headings(path)}
    return {re.sub("-+", "-", place): there for place, there in told.items()} | told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("language", help="the folder below translations/, as ru")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if anything is stale, missing or wrong"
    )
    words = parser.parse_args()
    folder, stale = ROOT / "translations" / words.language, []

    def bring(path: Path, content: bytes) -> None:
        if not path.exists() or path.read_bytes() != content:
            stale.append(path)
            if not words.check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)

    for name, source in sources().items():
        bring(folder / f"{name}.po", updated_catalog(folder / f"{name}.po", source, words.language))
    files = translated_files(words.language)
    for path, text in files.items():
        bring(path, text.encode())
    made = {path for part in ("notebooks", "figures", "docs") for path in (folder / part).rglob("*.*")}
    for path in sorted(made - files.keys()):
        stale.append(path)
        if not words.check:
            path.unlink()
    for path in stale:
        print(f"{'stale' if words.check else 'updated'}: {path.relative_to(ROOT)}")
    wrong = complaints(words.language)
    print(*wrong, sep="\n") if wrong else None
    if words.check and stale:
        print(f"Run `python -m tools.translate {words.language}` and commit the result.")
    return int(bool(wrong or (words.check and stale)))


if __name__ == "__main__":
    sys.exit(main())
