"""The parts of the site that Sphinx does not bring: notebooks made fit for a page, and links that stay on it.

What is changed here is changed while a page is read. The notebooks themselves stay as they are, and so does the file
that *Download* gives.
"""

import ast
import base64
import json
import posixpath
import re
import zlib
from collections.abc import Callable
from html import escape, unescape
from pathlib import Path
from urllib.parse import unquote

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from tools.export import ROOT, read_settings
from tools.site import docnames
from tools.translate import languages, says

logger = logging.getLogger(__name__)
SETTINGS = read_settings()
OURS = f"https://github.com/{SETTINGS['user']}/{SETTINGS['repo']}/blob/{SETTINGS['branch']}/"
COLAB = f"https://colab.research.google.com/github/{SETTINGS['user']}/{SETTINGS['repo']}/blob/{SETTINGS['branch']}/"
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
OWN_BADGE = re.compile(rf"\[!\[[^]]*\]\({re.escape(BADGE)}\)\]\([^)]*\)\s*")
DETAILS = re.compile(r"<details>\s*<summary>(.*?)</summary>\s*(.*?)\s*</details>", re.S)
DIRECTIVE = re.compile(r"^#\|[^\n]*\n?", re.M)
GLOSSARY = "docs/glossary"


# Reading notebooks


def only_imports(source: str) -> bool:
    "Whether the code does nothing but import."
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return False
    allowed = lambda node: isinstance(node, ast.Import | ast.ImportFrom) or (
        isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and all(map(allowed, node.body))
    )
    return bool(statements) and all(map(allowed, statements))


def is_plumbing(source: str) -> bool:
    "Whether a reader of the lesson may pass over this code: installing, importing, reporting."
    code = DIRECTIVE.sub("", source).strip()
    return (
        source.startswith("#| hide")
        or bool(re.search(r"^\s*%pip install|^(\w+ = )?measured\(", code, re.M))
        or only_imports(code)
    )


def folded(cells: list[dict]) -> list[dict]:
    "The cells with plumbing folded, neighbours of it in one, and tags instead of nbdev's directives."
    found, module, waiting = [], None, ""
    for cell in cells:
        if cell["cell_type"] == "code":
            source = "".join(cell["source"])
            tags = cell.setdefault("metadata", {}).setdefault("tags", [])
            if named := re.match(r"#\| default_exp (\w+)", source):
                module = named[1]
            if not DIRECTIVE.sub("", source).strip():
                waiting += f"{source.rstrip()}\n\n"  # nothing but directives: shown with the next that is folded
                continue
            if is_plumbing(source):
                cell["source"], waiting = waiting + source, ""
                tags.append("hide-input")
                before = found[-1] if found else {}
                if "hide-input" in before.get("metadata", {}).get("tags", []) and not before["outputs"]:
                    cell["source"] = "".join(before["source"]).rstrip() + "\n\n" + cell["source"]
                    found.pop()
            else:
                tags += ["exported", f"cell-{cell['id']}", f"module-{module}"] * source.startswith("#| export")
                cell["source"] = DIRECTIVE.sub("", source)
        found.append(cell)
    return found


def read_notebook(app: Sphinx, docname: str, content: list[str]) -> None:
    "What is read of a notebook: plumbing folded, attachments as files, hidden answers as a directive."
    if not content[0].lstrip().startswith("{"):
        return
    notebook = json.loads(content[0])
    folder = Path(app.srcdir) / "_attachments"
    for cell in notebook["cells"]:
        if cell["cell_type"] != "markdown":
            continue
        text = "".join(cell["source"])
        for name, bundle in cell.pop("attachments", {}).items():
            ((kind, data),) = bundle.items()
            folder.mkdir(exist_ok=True)
            (folder / name).write_bytes(base64.b64decode("".join(data)))
            text = text.replace(f"(attachment:{name})", f"(/_attachments/{name})")
        cell["source"] = DETAILS.sub(r":::{answer} \1\n\2\n:::", text)
    first = notebook["cells"][0]
    own = [cell for cell in notebook["cells"] if OWN_BADGE.fullmatch("".join(cell["source"]))]
    notebook["cells"] = folded([cell for cell in notebook["cells"] if cell not in own])
    title, *rest = first["source"].split("\n\n", 2)
    if rest and rest[0].startswith(">"):
        title, rest = f"{title}\n\n{rest[0]}", rest[1:]
    first["source"] = "\n\n".join([title, ":::{notebook-links}\n:::", *rest])
    content[0] = json.dumps(notebook)


def own_words(language: str) -> Callable[[str], str]:
    "What the site says itself in a language, by the English of it: docs/words.md and its translations."
    return says(language)["site_words"]


def own_paths(language: str) -> str:
    "Where the notebooks of a language begin in the repository, instead of nbs/."
    return "nbs/" if language == "en" else f"translations/{language}/notebooks/"


def name_folds(app: Sphinx, config: Config) -> None:
    "Once the language is known."
    config.nb_code_prompt_show = config.nb_code_prompt_hide = own_words(config.language)("Code")


class NotebookLinks(SphinxDirective):
    "*Open in Colab* and *Download*, for the notebook of this page."

    def run(self) -> list[nodes.Node]:
        path = f"{self.env.docname}.ipynb"
        up = "../" * self.env.docname.count("/")
        say = own_words(self.config.language)
        colab = COLAB + path.replace("nbs/", own_paths(self.config.language), 1)
        html = f'<a class="reference external" href="{escape(colab)}">{say("Open in Colab")}</a>'
        html += f'<a class="reference internal" href="{escape(up)}_sources/{escape(path)}" download>{say("Download")}</a>'
        return [nodes.raw("", f'<p class="notebook-links">{html}</p>', format="html")]


class HeadingPlaces(SphinxTransform):
    "A heading without a Latin letter has its words for a place, not a number."

    default_priority = 31

    def apply(self, **kwargs) -> None:
        places = self.env.metadata[self.env.docname].get("myst_slugs", {})
        for section in self.document.findall(nodes.section):
            if section.get("slug") in places and re.fullmatch(r"id\d+", section["ids"][0]):
                line, _, title = places[section["slug"]]
                places[section["slug"]] = (line, section["slug"], title)
                section["ids"].insert(0, section["slug"])


class details(nodes.General, nodes.Element):
    pass


class summary(nodes.General, nodes.TextElement):
    pass


class Answer(SphinxDirective):
    "A question, and its answer when it is opened."

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[nodes.Node]:
        inline, messages = self.parse_inline(self.arguments[0])
        question = summary(self.arguments[0], "", *inline)
        self.set_source_info(question)
        return [details("", question, *self.parse_content_to_nodes()), *messages]


# Links


def page_link(env: BuildEnvironment, path: str, *text: nodes.Node, anchor: str | None = None) -> addnodes.pending_xref:
    "A link to the page of the file `path`, such as the Markdown parser makes: Sphinx finds the place, or says that it is not there."
    where = {"reftarget": env.path2doc(path), "reftargetid": anchor, "refdoc": env.docname}
    link = addnodes.pending_xref(refdomain="doc", reftype="myst", refexplicit=True, **where)
    link += nodes.inline("", "", *text, classes=["xref", "myst"])
    return link


def address(here: str, own: str, there: str, language: str) -> str:
    "From the page `here` of the language `own` to the page `there` of another language, relative."
    place = lambda docname, language: posixpath.join("" if language == "en" else language, f"{docname}.html")
    return posixpath.relpath(place(there, language), posixpath.dirname(place(here, own)) or ".")


def english(env: BuildEnvironment, docname: str) -> str | None:
    "Where the English page is, if it is the only one."
    if docname in env.found_docs or docname not in docnames("en"):
        return None
    return address(env.docname, env.config.language, docname, "en")


class LocalLinks(SphinxTransform):
    "Whole addresses of this repository's pages become links on the site, and badges a picture of its own."

    default_priority = 30

    def apply(self, **kwargs) -> None:
        say = own_words(self.config.language)
        for image in self.document.findall(nodes.image):
            if image["uri"] == BADGE:
                image["uri"], image["alt"] = "/_attachments/colab.svg", say("Open in Colab")
                path = self.english_path(image.parent.get("refuri", "").removeprefix(COLAB))
                if path.startswith("nbs/solutions/") and self.env.path2doc(path) in self.env.found_docs:
                    index = image.parent.parent.index(image.parent)
                    here = page_link(self.env, path, nodes.Text(say("Solution")))
                    image.parent.parent.insert(index, [here, nodes.Text(" ")])
        for link in [*self.document.findall(nodes.reference)]:
            if not link.get("refuri", "").startswith(OURS):
                continue
            path, _, anchor = unquote(link["refuri"].removeprefix(OURS)).partition("#")
            path = self.english_path(path)
            if path == "nbs/index.ipynb":
                path = "index.md"
            docname = self.env.path2doc(path)
            if page := english(self.env, docname):
                link["refuri"], link["internal"] = f"{page}#{nodes.make_id(anchor)}" if anchor else page, True
                if say("in English") not in link.parent.astext():
                    link.append(nodes.Text(f" ({say('in English')})"))
            elif anchor.startswith("cell-"):
                continue  # below
            elif docname in self.env.found_docs:
                link.replace_self(page_link(self.env, path, *link.children, anchor=anchor or None))
            elif not (ROOT / path).exists():
                logger.warning("no such file in the repository: %s", path, location=link)

    def english_path(self, path: str) -> str:
        "What the file at `path` is a translation of."
        path = path.replace(own_paths(self.config.language), "nbs/", 1)
        return path.removeprefix(f"translations/{self.config.language}/")


class ExportedCells(SphinxPostTransform):
    "Each exported cell says where it goes, and the reference leads to it."

    default_priority = 300
    formats = ("html",)

    def run(self, **kwargs) -> None:
        place = lambda name: english(self.env, name) or self.app.builder.get_relative_uri(self.env.docname, name)
        for link in self.document.findall(nodes.reference):
            path, _, anchor = link.get("refuri", "").removeprefix(OURS).partition("#cell-")
            if anchor:
                link["refuri"] = f"{place(self.env.path2doc(path))}#cell-{anchor}"
        for cell in [*self.document.findall(nodes.container)]:
            tags = dict(name[4:].split("-", 1) for name in cell["classes"] if re.match("tag_(cell|module)-", name))
            if tags:
                cell["ids"].append(f"cell-{tags['cell']}")
                name = f"course_lib.{tags['module']}"
                link = nodes.reference("", name, refuri=place(f"api/{tags['module']}"), internal=True)
                cell.insert(0, nodes.paragraph("", "", link, classes=["exported"]))


def name_editions(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    "For the switch: each other language, its name, and this page in it, or its front page."
    own, context["editions"] = app.config.language, []
    for language in ["en", *languages()]:
        there = pagename if pagename in docnames(language) | {"search"} else "index"
        if language != own:
            context["editions"].append((language, own_words(language)("English"), address(pagename, own, there, language)))


def say_labels(app: Sphinx, error: Exception | None) -> None:
    "What the theme says in English only, such as the names of its buttons."
    say, label = own_words(app.config.language), re.compile(r'( (?:title|aria-label|placeholder)="|</i>\s*)([^"<]+?)(?=\s*["<])')
    for path in [] if error or app.config.language == "en" else Path(app.outdir).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        path.write_text(label.sub(lambda found: found[1] + escape(say(unescape(found[2]))), text), encoding="utf-8")


# The glossary


def headwords(item: nodes.list_item) -> list[str]:
    "What an entry of the glossary explains: the bold words that it begins with."
    words = []
    for node in item[0].children if len(item) and isinstance(item[0], nodes.paragraph) else []:
        if isinstance(node, nodes.strong):
            words.append(node.astext())
        elif node.astext().strip() not in ("", ","):
            break
    return words


class GlossaryPlaces(SphinxTransform):
    "A place to link to for each entry of the glossary."

    default_priority = 31

    def apply(self, **kwargs) -> None:
        if self.env.docname == GLOSSARY:
            for item in self.document.findall(nodes.list_item):
                if words := headwords(item):
                    item["ids"].append("term-" + re.sub(r"\W+", "-", words[0].lower()))


# What Russian words end in: adjectives, and nouns by the last letter of their first form.
ADJECTIVE = "(?:ый|ий|ой|ая|яя|ое|ее|ые|ие|ого|его|ому|ему|ым|им|ом|ем|ей|ую|ых|их|ыми|ими)"
NOUN = "(?:[аяоеёыиьуюй]|ой|ей|ью|ям|ам|ях|ах|ями|ами|ем|ём|ом|ов|ев|ии|ий|ия|ию)?"


def inflected(term: str, language: str) -> str:
    "A pattern that finds the word or words in any form that stands in a sentence."
    if language == "en":
        return re.escape(term) + "(?:e?s)?"
    if language != "ru":
        return re.escape(term) + r"\w{0,3}"
    found = []
    for word in term.split():
        if len(word) > 4 and re.search("(?:ый|ий|ой|ая|ое|ые)$", word):
            found.append(re.escape(word[:-2]) + ADJECTIVE)
        elif len(word) > 4 and re.search("[аяоеьи]$", word):
            found.append(re.escape(word[:-1]) + NOUN)
        else:
            found.append(re.escape(word) + r"\w{0,3}" * bool(re.search("[а-яё]$", word)))
    return r"\s".join(found)


class TermLinks(SphinxPostTransform):
    "In each notebook, the first use of a word that the glossary explains leads there."

    default_priority = 400
    formats = ("html",)

    def terms(self) -> dict[str, tuple[str, str, str]]:
        "By the small letters of each word: the word, its place, and what is said about it."
        if not hasattr(self.env, "course_terms"):
            found = {}
            for item in self.env.get_doctree(GLOSSARY).findall(nodes.list_item):
                for word in headwords(item):
                    said = item.astext().split(". ", 1)[1].rsplit(". ", 1)[0] + "."
                    found[word.lower()] = (word, item["ids"][0], said)
            self.env.course_terms = found
        return self.env.course_terms

    def run(self, **kwargs) -> None:
        if not self.env.docname.startswith("nbs/") or GLOSSARY not in self.env.found_docs:
            return
        terms, done = self.terms(), set()
        words = sorted(terms, key=len, reverse=True)
        forms = "|".join(f"({inflected(word, self.config.language)})" for word in words)
        pattern = re.compile(rf"(?<![\w-])(?:{forms})(?![\w-])", re.IGNORECASE)
        glossary = self.app.builder.get_relative_uri(self.env.docname, GLOSSARY)
        for text in [*self.document.findall(nodes.Text)]:
            if not is_prose(text):
                continue
            parts, end = [], 0
            for found in pattern.finditer(text):
                word, place, said = terms[words[found.lastindex - 1]]
                if place in done or any(name not in found[0] for name in re.findall(r"\w*[A-ZА-ЯЁ]\w*", word)):
                    continue
                done.add(place)
                link = nodes.reference("", found[0], refuri=f"{glossary}#{place}", internal=True, reftitle=said)
                link["classes"].append("term")
                parts += [nodes.Text(text[end : found.start()]), link]
                end = found.end()
            if parts:
                text.parent.replace(text, [*parts, nodes.Text(text[end:])])


def is_prose(text: nodes.Text) -> bool:
    "Whether it stands in a paragraph, and in no table, subtitle, link or code."
    node, paragraph = text.parent, False
    before = node.children[node.index(text) - 1] if node.index(text) else None
    if isinstance(before, nodes.raw) and before.astext().startswith("<code"):
        return False
    while node is not None:
        if isinstance(node, nodes.reference | nodes.literal | nodes.math | nodes.table | nodes.block_quote | nodes.raw):
            return False
        paragraph = paragraph or isinstance(node, nodes.paragraph)
        node = node.parent
    return paragraph


def mathml(self, node: nodes.math) -> None:
    "A formula as browsers show it by themselves."
    from latex2mathml.converter import convert

    block = isinstance(node, nodes.math_block)
    formula = convert(node.astext(), display="block" if block else "inline")
    # A function's name stands apart from what it is applied to, and no comma begins a line.
    formula = re.sub(r"(<mi>[a-z]{2,}</mi>)(?=<m(?!o))", r'\1<mspace width="0.17em"/>', formula)
    self.body.append(formula + "&#8288;" * (not block))
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict:
    app.add_html_math_renderer("mathml", (mathml, None), (mathml, None))
    app.add_directive("notebook-links", NotebookLinks)
    app.add_directive("answer", Answer)
    pair = lambda tag: (
        lambda self, node: self.body.append(self.starttag(node, tag, "")),
        lambda self, node: self.body.append(f"</{tag}>"),
    )
    app.add_node(details, html=pair("details"))
    app.add_node(summary, html=pair("summary"))
    app.add_transform(LocalLinks)
    app.add_transform(GlossaryPlaces)
    app.add_transform(HeadingPlaces)
    app.add_post_transform(ExportedCells)
    app.add_post_transform(TermLinks)
    app.connect("config-inited", name_folds, priority=100)  # before myst-nb reads it
    app.connect("source-read", read_notebook)
    app.connect("html-page-context", name_editions)
    app.connect("build-finished", say_labels)
    # Pages are read anew when this file has changed, or what it says.
    parts = [Path(__file__), *sorted((ROOT / "translations").glob("*/site_words.po"))]
    version = zlib.crc32(b"".join(path.read_bytes() for path in parts))
    return {"version": "1", "env_version": version, "parallel_read_safe": True, "parallel_write_safe": True}
