"""The parts of the site that Sphinx does not bring: notebooks made fit for a page, and links that stay on it.

What is changed here is changed while a page is read. The notebooks themselves stay as they are, and so does the file
that *Download* gives.
"""

import ast
import base64
import json
import re
from html import escape
from pathlib import Path
from urllib.parse import unquote

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
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
    "Whether a reader of the lesson may pass over this code: installing, importing, reporting, directives alone."
    code = DIRECTIVE.sub("", source).strip()
    return (
        not code
        or source.startswith("#| hide")
        or bool(re.search(r"^\s*%pip install|^(\w+ = )?measured\(", code, re.M))
        or only_imports(code)
    )


def folded(cells: list[dict]) -> list[dict]:
    "The cells with plumbing folded, neighbours of it in one, and a tag instead of nbdev's directives."
    found = []
    for cell in cells:
        if cell["cell_type"] == "code":
            source = "".join(cell["source"])
            tags = cell.setdefault("metadata", {}).setdefault("tags", [])
            if is_plumbing(source):
                tags.append("hide-input")
                before = found[-1] if found else {}
                if "hide-input" in before.get("metadata", {}).get("tags", []) and not before["outputs"]:
                    cell["source"] = "".join(before["source"]).rstrip() + "\n\n" + source
                    found.pop()
            else:
                tags += ["exported"] * source.startswith("#| export")
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


class NotebookLinks(SphinxDirective):
    "*Open in Colab* and *Download*, for the notebook of this page."

    def run(self) -> list[nodes.Node]:
        path = f"{self.env.docname}.ipynb"
        up = "../" * self.env.docname.count("/")
        links = {"Open in Colab": COLAB + path, "Download": f"{up}_sources/{path}"}
        html = "".join(
            f'<a class="reference {"internal" if label == "Download" else "external"}" href="{escape(url)}"'
            f"{' download' * (label == 'Download')}>{label}</a>"
            for label, url in links.items()
        )
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


class LocalLinks(SphinxTransform):
    "Whole addresses of this repository's pages become links on the site, and badges a picture of its own."

    default_priority = 30  # after translation

    def apply(self, **kwargs) -> None:
        for image in self.document.findall(nodes.image):
            if image["uri"] == BADGE:
                image["uri"] = "/_attachments/colab.svg"
        for link in [*self.document.findall(nodes.reference)]:
            if not link.get("refuri", "").startswith(OURS):
                continue
            path, _, anchor = unquote(link["refuri"].removeprefix(OURS)).partition("#")
            if path == "nbs/index.ipynb":
                path = "index.md"
            docname = self.env.path2doc(path)
            if docname in self.env.found_docs:
                kwargs = {"reftarget": docname, "reftargetid": anchor or None, "refdoc": self.env.docname}
                found = addnodes.pending_xref(refdomain="doc", reftype="myst", refexplicit=True, **kwargs)
                found += nodes.inline("", "", *link.children, classes=["xref", "myst"])
                link.replace_self(found)
            elif not (ROOT / path).exists():
                logger.warning("no such file in the repository: %s", path, location=link)


def mathml(self, node: nodes.math) -> None:
    from latex2mathml.converter import convert

    block = isinstance(node, nodes.math_block)
    self.body.append(convert(node.astext(), display="block" if block else "inline"))
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
    app.connect("source-read", read_notebook)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
