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
THEN = datetime(2026, 1, 1, tzinfo=timezone.utc)  # the same catalog whenever it is written


def sources() -> dict[str, Path]:
    "Catalog -> what it translates; the figures have one together."
    notebooks = [ROOT / "nbs" / "index.ipynb", *sorted((ROOT / "nbs").glob("0*.ipynb"))]
    notebooks += sorted((ROOT / "nbs" / "solutions").glob("0*.ipynb"))
    found = {path.stem: path for path in [*notebooks, ROOT / "README.md"]}
    found |= {f"site_{page}": ROOT / "docs" / f"{page}.md" for page in ("index", "solutions", "glossary")}
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
    write_po(file, fresh, width=0, ignore_obsolete=True, include_previous=True)
    return file.getvalue()


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


def translated_files(language: str) -> dict[Path, str]:
    "Every file that is made from the catalogs, and its text."
    folder = ROOT / "translations" / language
    catalogs = {name: read_catalog(folder / f"{name}.po", language) for name in sources()}

    def say(name: str) -> Say:
        return lambda message: (entry := catalogs[name].get(message)) and entry.string or message

    figures = {name: translate_figure(svg, say("figures")) for name, svg in figure_texts().items()}
    files = {folder / "figures" / name: svg for name, svg in figures.items()}
    for name, path in sources().items():
        if path.suffix == ".ipynb":
            text = translate_notebook(path.read_text(encoding="utf-8"), say(name), figures)
            files[folder / "notebooks" / path.relative_to(ROOT / "nbs")] = _whole_links(text, language)
        elif path.suffix == ".md":
            text = translate_markdown(path.read_text(encoding="utf-8"), say(name))
            target = folder / path.relative_to(ROOT)
            files[target] = _relative_links(text, path, target, {name: say(name) for name in catalogs})
    return files


TRANSLATED = r"(?:solutions/)?(?:0\d_\w+|index)[.]ipynb"


def _whole_links(text: str, language: str) -> str:
    "The notebook `text` with its links to translated notebooks going to the translations."
    text = re.sub(
        rf"(/blob/{read_settings()['branch']}/)nbs/(?={TRANSLATED})", rf"\1translations/{language}/notebooks/", text
    )
    return re.sub(r"(?<=\]\()(?=workbench/)", "../../../nbs/", text)


def _relative_links(text: str, source: Path, target: Path, say: dict[str, Say]) -> str:
    "The page `text` with its links to what is translated going to the translations, and all others where they went."
    language = target.relative_to(ROOT).parts[1]
    text = _whole_links(text, language)

    def moved(found: re.Match) -> str:
        link, mark, place = found[1].partition("#")
        goal = Path(os.path.normpath(source.parent / link)) if link else source
        names = {path: name for name, path in sources().items()}
        if goal in names and goal.suffix == ".ipynb":
            place = places(goal, say[names[goal]]).get(place, place)
            goal = ROOT / "translations" / language / "notebooks" / goal.relative_to(ROOT / "nbs")
        elif goal in names:
            place = places(goal, say[names[goal]]).get(place, place)
            goal = ROOT / "translations" / language / goal.relative_to(ROOT)
        return f"]({Path(os.path.relpath(goal, target.parent)).as_posix() if link else ''}{mark}{place})"

    return re.sub(r"\]\((?!\w+:)([^)]+)\)", moved, text)


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
    return {slug(heading): slug(say(heading)) for heading in headings(path)}


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
    made = {*(folder / "notebooks").rglob("*.ipynb"), *(folder / "figures").glob("*.svg")}
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
