"""The parts of the site that Sphinx does not bring: notebooks made fit for a page, and links that stay on it.

What is changed here is changed while a page is read. The notebooks themselves stay as they are, and so does the file
that *Download* gives.
"""

import ast
import base64
import json
import re
import zlib
from html import escape
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

logger = logging.getLogger(__name__)
SETTINGS = read_settings()
OURS = f"https://github.com/{SETTINGS['user']}/{SETTINGS['repo']}/blob/{SETTINGS['branch']}/"
COLAB = f"https://colab.research.google.com/github/{SETTINGS['user']}/{SETTINGS['repo']}/blob/{SETTINGS['branch']}/"
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
OWN_BADGE = re.compile(rf"\[!\[[^]]*\]\({re.escape(BADGE)}\)\]\([^)]*\)\s*")
DETAILS = re.compile(r"<details>\s*<summary>(.*?)</summary>\s*(.*?)\s*</details>", re.S)
DIRECTIVE = re.compile(r"^#\|[^\n]*\n?", re.M)
GLOSSARY = "docs/glossary"
# What the site says itself, by language: three links and a fold.
LABELS = {
    "en": ("Open in Colab", "Download", "Code", "Solution"),
    "ru": ("Открыть в Colab", "Скачать", "Код", "Решение"),
}


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


def labels(language: str) -> tuple[str, str, str, str]:
    return LABELS.get(language, LABELS["en"])


def name_folds(app: Sphinx, config: Config) -> None:
    "Once the language is known."
    config.nb_code_prompt_show = config.nb_code_prompt_hide = labels(config.language)[2]


class NotebookLinks(SphinxDirective):
    "*Open in Colab* and *Download*, for the notebook of this page."

    def run(self) -> list[nodes.Node]:
        path = f"{self.env.docname}.ipynb"
        up = "../" * self.env.docname.count("/")
        colab, download, *_ = labels(self.config.language)
        html = f'<a class="reference external" href="{escape(COLAB + path)}">{colab}</a>'
        html += f'<a class="reference internal" href="{escape(up)}_sources/{escape(path)}" download>{download}</a>'
        return [nodes.raw("", f'<p class="notebook-links">{html}</p>', format="html")]


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


class LocalLinks(SphinxTransform):
    "Whole addresses of this repository's pages become links on the site, and badges a picture of its own."

    default_priority = 30  # after translation

    def apply(self, **kwargs) -> None:
        for image in self.document.findall(nodes.image):
            if image["uri"] == BADGE:
                image["uri"] = "/_attachments/colab.svg"
                path = image.parent.get("refuri", "").removeprefix(COLAB)
                if path.startswith("nbs/solutions/") and self.env.path2doc(path) in self.env.found_docs:
                    index = image.parent.parent.index(image.parent)
                    here = page_link(self.env, path, nodes.Text(labels(self.config.language)[3]))
                    image.parent.parent.insert(index, [here, nodes.Text(" ")])
        for link in [*self.document.findall(nodes.reference)]:
            if not link.get("refuri", "").startswith(OURS):
                continue
            path, _, anchor = unquote(link["refuri"].removeprefix(OURS)).partition("#")
            if path == "nbs/index.ipynb":
                path = "index.md"
            docname = self.env.path2doc(path)
            if anchor.startswith("cell-"):
                continue  # below
            if docname in self.env.found_docs:
                link.replace_self(page_link(self.env, path, *link.children, anchor=anchor or None))
            elif not (ROOT / path).exists():
                logger.warning("no such file in the repository: %s", path, location=link)


class ExportedCells(SphinxPostTransform):
    "Each exported cell says where it goes, and the reference leads to it."

    default_priority = 300
    formats = ("html",)

    def run(self, **kwargs) -> None:
        place = lambda docname: self.app.builder.get_relative_uri(self.env.docname, docname)
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
        ending = "(?:e?s)?" if self.config.language == "en" else r"\w{0,3}"
        words = "|".join(re.escape(word) for word in sorted(terms, key=len, reverse=True))
        pattern = re.compile(rf"(?<![\w-])({words}){ending}(?![\w-])", re.IGNORECASE)
        glossary = self.app.builder.get_relative_uri(self.env.docname, GLOSSARY)
        for text in [*self.document.findall(nodes.Text)]:
            if not is_prose(text):
                continue
            parts, end = [], 0
            for found in pattern.finditer(text):
                word, place, said = terms[found[1].lower()]
                if place in done or (word != word.lower() and found[1] != word):
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
    app.add_post_transform(ExportedCells)
    app.add_post_transform(TermLinks)
    app.connect("config-inited", name_folds, priority=100)  # before myst-nb reads it
    app.connect("source-read", read_notebook)
    version = zlib.crc32(Path(__file__).read_bytes())  # pages are read anew when this file has changed
    return {"version": "1", "env_version": version, "parallel_read_safe": True, "parallel_write_safe": True}
