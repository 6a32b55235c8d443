"The site: built once, of what is saved; no address outside it is fetched, and what a reader does works in a browser."

import importlib.util
import re
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
    assert not re.search(r"^#[|] ", re.sub("<[^>]+>", "", shown), re.M), "nbdev's directives"
    assert "<math" in html


def test_the_reference_shows_the_comment_behind_each_parameter():
    page = api_pages()["api/data.md"]
    assert page == api_page(ROOT / "course_lib/data.py")
    assert re.search(r"^:::+\{py:function\} load_data\(", page, re.M)
    assert "| parameter | type | default | what it is |" in page


@needs_browser
def test_in_a_browser(site):
    with Browser() as browser:
        page = browser.open(f"{site.as_uri()}/index.html")
        assert page.js("document.querySelectorAll('article a[href*=\"nbs/0\"]').length") >= len(CHAPTERS)
        page.go(f"{site.as_uri()}/search.html?q=perplexity")
        page.wait("[...document.querySelectorAll('#search-results a')].some(a => a.href.includes('nbs/02_masked_lm'))")
        assert [name for name in page.requests if not name.startswith(("file:", "data:"))] == []
        assert page.errors == []
