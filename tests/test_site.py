"The site: built once, of what is saved; no address outside it is fetched, and what a reader does works in a browser."

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browser import Browser, needs_browser

from tools.api import api_page, api_pages
from tools.export import ROOT, read_settings

CHAPTERS = sorted((ROOT / "nbs").glob("0*.ipynb"))


@pytest.fixture(scope="session")
def site() -> Path:
    "The folder of the whole site, built here; what an earlier build has read is used again."
    if importlib.util.find_spec("sphinx_book_theme") is None:
        pytest.skip("the extra `site` is not installed")
    from tools.site import build

    out = ROOT / "_build" / "site"
    build(out)
    return out


class Page(HTMLParser):
    "What a page fetches, where its links go, and which places it has."

    def __init__(self, path: Path):
        super().__init__()
        self.fetched, self.links, self.ids, self.attributes = [], [], set(), []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids.add(found.get("id"))
        if tag == "a":
            self.links.append(found.get("href") or "")
        elif tag == "link" and found.get("rel") not in ("canonical", "next", "prev"):
            self.fetched.append(found.get("href") or "")
        else:
            self.fetched += [found.get(name) or "" for name in ("src", "srcset", "data", "poster") if name in found]
        self.fetched += re.findall(r"url\(([^)]+)\)", found.get("style") or "")


def outside(address: str) -> bool:
    return bool(re.match(r"(?:\w+:)?//", address.strip("\"' ")))


def test_no_page_style_or_script_fetches_anything_from_elsewhere(site):
    fetched = {address for path in site.rglob("*.html") for address in Page(path).fetched}
    for path in site.rglob("*.css"):
        text = path.read_text(encoding="utf-8")
        fetched |= set(re.findall(r"url\(([^)]+)\)", text)) | set(re.findall(r"@import\s+([^;]+);", text))
    assert [address for address in fetched if outside(address)] == []


def test_each_link_on_the_site_leads_somewhere(site):
    pages = {path: Page(path) for path in site.rglob("*.html")}
    broken = []
    for path, page in pages.items():
        for link in page.links:
            name, _, place = link.partition("#")
            if not link or outside(link) or link.startswith("mailto:"):
                continue
            target = (path.parent / name.partition("?")[0]).resolve() if name else path
            if not target.is_file() or (place and target in pages and place not in pages[target].ids):
                broken.append((path.relative_to(site).as_posix(), link))
    assert broken == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_has_both_links_its_pictures_and_folds_its_plumbing(site, path):
    html = (site / f"nbs/{path.stem}.html").read_text(encoding="utf-8")
    settings = read_settings()
    colab = f"https://colab.research.google.com/github/{settings['user']}/{settings['repo']}/blob/{settings['branch']}"
    assert f'href="{colab}/nbs/{path.name}"' in html
    assert (site / f"_sources/nbs/{path.name}").read_bytes() == path.read_bytes(), "the notebook as it is"
    assert f'href="../_sources/nbs/{path.name}"' in html
    for number in range(1, 6):
        assert re.search(rf"<details>\s*<summary>{number}[.] ", html), "five hidden answers"
    assert "attachment:" not in html
    shown = re.sub(r"<details.*?</details>", "", html, flags=re.S)
    assert "pip install" not in re.sub("<[^>]+>", "", shown)
    assert not re.search(r"^(?:row = )?measured\(", re.sub("<[^>]+>", "", shown), re.M)
    assert f'href="solutions/{path.stem}_solutions.html"' in html
    assert not re.search(r"^#[|] ", re.sub("<[^>]+>", "", shown), re.M), "nbdev's directives"
    assert "<math" in html


@pytest.mark.parametrize(
    ("source", "folded"),
    [
        ("import torch\nfrom torch import nn  # as always\n", True),
        ("#| export\nimport torch\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import b\n", True),
        ("import importlib.util\n\nif True:\n    %pip install -q x\n\nsettings = start()", True),
        ("#| hide\nplt.rcParams.update({})", True),
        ("measured(\n    1\n)", True),
        ("import torch\n\ntorch.zeros(2)", False),
        ("#| export\ndef measured(row):\n    return row", False),
        ("if late:\n    import torch", False),
        ("!ls", False),
    ],
)
def test_what_is_folded(source, folded):
    pytest.importorskip("sphinx")
    sys.path.insert(0, str(ROOT / "docs"))
    import course_site

    sys.path.remove(str(ROOT / "docs"))
    cells = [{"cell_type": "code", "source": text, "id": "0", "outputs": []} for text in ("#| default_exp name", source)]
    *_, cell = course_site.folded(cells)
    assert ("hide-input" in cell["metadata"]["tags"]) == folded
    assert (cell["metadata"]["tags"][2:] == ["module-name"]) == (not folded and "export" in source)
    assert not folded or cell["source"] == f"#| default_exp name\n\n{source}", "what is folded can be read"


def test_the_reference_shows_the_comment_behind_each_parameter():
    page = api_pages()["api/data.md"]
    assert page == api_page(ROOT / "course_lib/data.py")
    assert re.search(r"^:::+\{py:function\} load_data\(", page, re.M)
    assert "| parameter | type | default | what it is |" in page


def test_the_first_use_of_a_word_leads_to_the_glossary(site):
    page = (site / "nbs/02_masked_lm.html").read_text(encoding="utf-8")
    article = page[page.index("<article") : page.index("</article")]
    links = re.findall(r'<a class="term[^"]*" href="([^"]*)" title="([^"]*)">([^<]*)</a>', article)
    places = [place for place, _, _ in links]
    assert len(places) == len(set(places)) > 25
    assert ("../docs/glossary.html#term-perplexity", "Perplexity") in [(place, word) for place, _, word in links]
    assert all(said.count(".") >= 1 and "chapter" not in said[-20:].lower() for _, said, _ in links)
    for code_or_title in re.findall(r"<(h[1-6]|pre|code|table|blockquote)\b.*?</\1>", article, re.S):
        assert "class=\"term" not in code_or_title


def test_each_entry_of_the_glossary_is_two_sentences_and_a_link():
    text = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    entries = re.findall(r"^- (\*\*.*)$", text, re.M)
    assert len(entries) >= 60
    for entry in entries:
        words, said = entry.split(". ", 1)
        assert re.fullmatch(r"\*\*[^*]+\*\*(, \*\*[^*]+\*\*)*", words)
        prose = re.split(r" \[?Chapter \d, [\[*]", said)[0]
        assert len(re.findall(r"[.?](?: |$)", prose)) == 2, entry
        assert re.search(r"\]\(\.\./nbs/0\d_\w+\.ipynb#", said), entry
    first = [re.match(r"\*\*(.*?)\*\*", entry)[1].lower() for entry in entries]
    assert first == sorted(first)


@pytest.fixture(scope="session")
def catalog(tmp_path_factory) -> Path:
    "The folder with a course of one chapter, `source`, and its catalogs, `po`."
    if importlib.util.find_spec("sphinx_book_theme") is None:
        pytest.skip("the extra `site` is not installed")
    folder = tmp_path_factory.mktemp("translated")
    (folder / "source/nbs").mkdir(parents=True)
    (folder / "source/index.md").write_text("# Course\n\n```{toctree}\nnbs/01_training_loop\n```\n", encoding="utf-8")
    (folder / "source/_attachments").mkdir()
    shutil.copy(ROOT / "docs/static/colab.svg", folder / "source/_attachments")
    shutil.copy(CHAPTERS[0], folder / "source/nbs")
    sphinx(folder, "po", "-b", "gettext")
    return folder


def sphinx(folder: Path, out: str, *more: str) -> None:
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-c", ROOT / "docs", *more, folder / "source", folder / out]
    subprocess.run(list(map(str, command)), check=True, cwd=ROOT)


def test_a_catalog_for_each_notebook_has_all_its_prose(catalog):
    text = (catalog / "po/nbs/01_training_loop.pot").read_text(encoding="utf-8")
    messages = set(re.findall(r'^msgid "(.*)"$', text, re.M))
    cells = json.loads(CHAPTERS[0].read_text(encoding="utf-8"))["cells"]
    prose = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    said = [line for line in prose.split("\n") if line and not line.startswith(("|", "[![", "<", "!["))]
    bare = lambda text: re.sub(r"^(#+|>|-|\d+\.) +", "", text.strip())
    escaped = {bare(line).replace("\\", "\\\\").replace('"', r'\"') for line in said}
    assert escaped - messages == set()
    questions = re.findall(r"<summary>(.*?)</summary>", prose)
    assert len(questions) == 5
    assert set(questions) <= messages


def test_what_is_translated_stands_on_the_page(catalog):
    text = (catalog / "po/nbs/01_training_loop.pot").read_text(encoding="utf-8")
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    entries = re.findall(r'^msgid "(.+)"\nmsgstr ""$', text, re.M)
    assert len(entries) > 100
    folder = catalog / "locale/ru/LC_MESSAGES/nbs"
    folder.mkdir(parents=True)
    translated = head + "\n\n".join(f'msgid "{entry}"\nmsgstr "Ж {entry}"' for entry in entries) + "\n"
    (folder / "01_training_loop.po").write_text(translated, encoding="utf-8")
    sphinx(catalog, "html", "-D", "language=ru", "-D", f"locale_dirs={catalog / 'locale'}")
    html = (catalog / "html/nbs/01_training_loop.html").read_text(encoding="utf-8")
    article = re.sub(r"<pre.*?</pre>", "", html[html.index("<article") : html.index("</article")], flags=re.S)
    texts = re.findall(r"<(p|h[12]|summary)(?: [^>]*)?>(.*?)</\1>", article, re.S)
    plain = [re.sub("<[^>]+>", "", text).strip() for _, text in texts]
    own = ("course_lib.", "Открыть в Colab", "Код")
    assert [text for text in plain if text and not text.startswith(("Ж", *own))] == []
    assert len(plain) > 100


@needs_browser
def test_a_reader_finds_her_way(site, tmp_path):
    with Browser() as browser:
        page = browser.open(f"{site.as_uri()}/index.html")
        assert page.js("document.querySelectorAll('article a[href*=\"nbs/0\"]').length") >= len(CHAPTERS)
        page.go(f"{site.as_uri()}/search.html?q=perplexity")
        page.wait("[...document.querySelectorAll('#search-results a')].some(a => a.href.includes('nbs/02_masked_lm'))")
        assert "/nbs/0" in page.js("document.querySelector('#search-results a').href"), "chapters first"
        chapter = f"{site.as_uri()}/nbs/02_masked_lm.html"
        page.go(chapter)
        background = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
        assert min(page.js(background)) > 200
        pictures = "[...document.querySelectorAll('article img')]"
        assert page.js(f"{pictures}.length") > 5
        page.js(f"{pictures}.forEach(image => image.loading = 'eager')")
        page.wait(f"{pictures}.every(image => image.complete)")
        assert page.js(f"{pictures}.filter(image => !image.naturalWidth).map(image => image.src)") == []
        folded = "document.querySelector('article details.hide')"
        assert "pip install" not in page.js("document.querySelector('article').innerText")
        page.js(f"{folded}.querySelector('summary').click()")
        assert "pip install" in page.js(f"{folded}.innerText"), "what is hidden can be opened"
        answer = "[...document.querySelectorAll('article details')].find(one => one.innerText.startsWith('1. '))"
        before = page.js(f"{answer}.innerText.length")
        page.js(f"{answer}.querySelector('summary').click()")
        assert page.js(f"{answer}.innerText.length") > before + 20
        page.look(390, 844, dark=True)
        page.go(chapter)
        assert max(page.js(background)) < 60, "dark where the reader's system is"
        for name in (*(path.stem for path in CHAPTERS), "../docs/glossary", "../api/loop", "../index", "workbench/loop"):
            page.go(f"{site.as_uri()}/nbs/{name}.html")
            assert page.js("document.documentElement.scrollWidth") <= 390, f"{name} is wider than a telephone"
        assert [name for name in page.requests if not name.startswith(("file:", "data:"))] == []
        assert page.errors == []
