"The site: built once, of what is saved; no address outside it is fetched, and what a reader does works in a browser."

import importlib.util
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browser import Browser, needs_browser

from tools.api import api_page, api_pages
from tools.export import ROOT, read_settings
from tools.translate import home, languages, messages, says, sources, translated_files

CHAPTERS = sorted((ROOT / "nbs").glob("0*.ipynb"))
EDITIONS = ["en", *languages()]
TRANSLATED = [path for path in CHAPTERS if path in sources().values()]


@pytest.fixture(scope="session")
def site() -> Path:
    "The folder of the whole site, built here; what an earlier build has read is used again."
    if importlib.util.find_spec("sphinx_book_theme") is None:
        pytest.skip("the extra `site` is not installed")
    from tools.site import SITE, build_all

    build_all()
    return SITE


def folder(site: Path, language: str) -> Path:
    return site if language == "en" else site / language


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


@pytest.mark.parametrize(
    ("path", "language"),
    [(path, language) for language in EDITIONS for path in (CHAPTERS if language == "en" else TRANSLATED)],
    ids=lambda value: value if isinstance(value, str) else value.stem,
)
def test_a_chapter_has_both_links_its_pictures_and_folds_its_plumbing(site, path, language):
    pages, own = folder(site, language), path if language == "en" else home(path, language)
    html = (pages / f"nbs/{path.stem}.html").read_text(encoding="utf-8")
    settings = read_settings()
    colab = f"https://colab.research.google.com/github/{settings['user']}/{settings['repo']}/blob/{settings['branch']}"
    assert f'href="{colab}/{own.relative_to(ROOT).as_posix()}"' in html
    text = own.read_text(encoding="utf-8") if language == "en" else translated_files(language)[own]
    assert (pages / f"_sources/nbs/{path.name}").read_text(encoding="utf-8") == text, "the notebook as it is"
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
    cells = [
        {"cell_type": "code", "source": text, "id": "0", "outputs": []} for text in ("#| default_exp name", source)
    ]
    *_, cell = course_site().folded(cells)
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
        assert 'class="term' not in code_or_title


@pytest.mark.parametrize("language", EDITIONS)
def test_each_entry_of_the_glossary_is_two_sentences_and_a_link(language):
    path, chapter = ROOT / "docs/glossary.md", {"en": "Chapter", "ru": "Глава"}.get(language, r"\w+")
    text = path.read_text("utf-8") if language == "en" else translated_files(language)[home(path, language)]
    entries = re.findall(r"^- (\*\*.*)$", text, re.M)
    assert len(entries) >= 60
    for entry in entries:
        words, said = entry.split(". ", 1)
        assert re.fullmatch(r"\*\*[^*]+\*\*(, \*\*[^*]+\*\*)*" + r"( \([^()]+\))?" * (language != "en"), words), entry
        prose = re.split(rf" \[?{chapter} \d, [\[*]", said)[0]
        assert len(re.findall(r"[.?](?: |$)", prose)) == 2, entry
        assert re.search(r"\]\((\.\./)+(nbs|notebooks)/0\d_\w+\.ipynb#", said), entry
    first = [re.match(r"\*\*(.*?)\*\*", entry)[1].lower().replace("ё", "е") for entry in entries]
    latin = lambda word: language == "ru" and word[0].isascii()
    assert first == sorted(first, key=lambda word: (latin(word), word))


def course_site():
    pytest.importorskip("sphinx")
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        return importlib.import_module("course_site")
    finally:
        sys.path.remove(str(ROOT / "docs"))


@pytest.mark.parametrize(
    ("term", "forms", "others"),
    [
        ("перплексия", "перплексия перплексии перплексию перплексией", "перплексивный"),
        ("датасет", "датасет датасета датасетов", "датасетостроение"),
        ("скорость обучения", "скоростью_обучения скорости_обучения", "обучения"),
        ("эффективный батч", "эффективного_батча эффективных_батчах", "эффективно"),
        ("BLEU", "BLEU", "BLEUs"),
    ],
)
def test_a_russian_word_is_found_in_each_of_its_forms(term, forms, others):
    pattern = course_site().inflected(term, "ru")
    assert all(re.fullmatch(pattern, form.replace("_", " ")) for form in forms.split())
    assert not any(re.fullmatch(pattern, other) for other in others.split())


@pytest.mark.parametrize(
    ("here", "own", "there", "language", "relative"),
    [
        ("index", "en", "index", "ru", "ru/index.html"),
        ("nbs/a", "en", "nbs/a", "ru", "../ru/nbs/a.html"),
        ("nbs/a", "ru", "nbs/a", "en", "../../nbs/a.html"),
        ("nbs/solutions/a", "ru", "api/b", "en", "../../../api/b.html"),
        ("index", "pt", "index", "ru", "../ru/index.html"),
    ],
)
def test_the_way_from_an_edition_to_another(here, own, there, language, relative):
    assert course_site().address(here, own, there, language) == relative


def test_each_page_leads_to_itself_in_the_other_languages(site):
    for own in EDITIONS:
        pages = {path.relative_to(folder(site, own)): path for path in folder(site, own).rglob("*.html")}
        for name, path in pages.items():
            if name.parts[0] == "_static" or (own == "en" and name.parts[0] in EDITIONS):
                continue
            html = path.read_text(encoding="utf-8")
            for other in set(EDITIONS) - {own}:
                (link,) = re.findall(rf'<a class="btn btn-sm edition" href="([^"]*)" hreflang="{other}"', html)
                same = folder(site, other) / name
                generated = name.stem in ("genindex", "py-modindex") or "_modules" in name.parts
                expected = same if same.exists() and not generated else folder(site, other) / "index.html"
                assert (path.parent / link).resolve() == expected


# In Latin letters in every language: names, and keys of a keyboard.
NAMES = "English Accelerate Colab Ctrl F1 GPT-2 JavaScript LoRA Python Seq2SeqTrainer Trainer peft".split()


@pytest.mark.skipif("ru" not in EDITIONS, reason="no Russian edition")
def test_no_english_is_left_in_headings_and_navigation(site):
    left = set()
    for path in (path for path in (site / "ru").rglob("*.html") if "_static" not in path.parts):
        html = re.sub(r"<(script|style|code)\b.*?</\1>|<!--.*?-->", " ", path.read_text(encoding="utf-8"), flags=re.S)
        article = re.search("<article.*</article>", html, re.S)
        around = html.replace(article[0], "") if article else html
        said = re.findall(r' (?:title|aria-label|placeholder)="([^"]*)"', around)
        said += re.findall(r"<h[1-6].*?</h[1-6]>", html, re.S) + [around[around.index("<body") :]]
        words = re.findall(r"[A-Za-z][A-Za-z\d-]+", re.sub(r"<[^>]*>|&#?\w+;", " ", " ".join(said)))
        left |= {(word, path.name) for word in words if word not in NAMES}
    assert left == set()


def test_a_badge_is_as_wide_as_its_text():
    from tools.site import badge

    assert badge("Open in Colab") == (ROOT / "docs/static/colab.svg").read_text(encoding="utf-8")
    assert re.findall(r'width="(\d+)"|textLength="(\d+)"', badge("Открыть в Colab"))[::2] == [("119", ""), ("", "85")]


def test_each_word_that_the_site_says_can_be_translated():
    code = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("docs/course_site.py", "tools/site.py"))
    used = set(re.findall(r"""(?:say|own_words\([\w.]+\))\(["']([^"']+)["']\)""", code))
    known = {*messages(ROOT / "docs/words.md")}
    assert used <= known
    assert {
        "accuracy",
        "perplexity",
        "chapter",
        "exercises",
        *map(read_settings().get, ("title", "copyright")),
    } <= known
    for language in languages():
        assert says(language)["site_words"]("English") != "English"


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
        for name in (
            *(path.stem for path in CHAPTERS),
            "../docs/glossary",
            "../api/loop",
            "../index",
            "workbench/loop",
        ):
            page.go(f"{site.as_uri()}/nbs/{name}.html")
            assert page.js("document.documentElement.scrollWidth") <= 390, f"{name} is wider than a telephone"
        assert [name for name in page.requests if not name.startswith(("file:", "data:"))] == []
        assert page.errors == []


@needs_browser
@pytest.mark.skipif("ru" not in EDITIONS, reason="no Russian edition")
def test_a_russian_reader_finds_his_way(site):
    with Browser() as browser:
        page = browser.open(f"{site.as_uri()}/nbs/02_masked_lm.html")
        page.go(page.js("document.querySelector('a.edition[hreflang=ru]').href"))
        assert page.js("document.documentElement.lang") == "ru"
        assert page.js("document.querySelector('h1').innerText").startswith("Маскированные языковые модели")
        found = "[...document.querySelectorAll('#search-results a')].map(a => a.href.split('#')[0].split('?')[0])"
        for form in ("перплексия", "перплексии", "перплексией"):
            page.go(f"{site.as_uri()}/ru/search.html?q={form}")
            page.wait(f"{found}.some(name => name.endsWith('/ru/nbs/02_masked_lm.html'))")
            assert "/ru/nbs/0" in page.js(f"{found}[0]"), "chapters first"
        page.look(390, 844)
        for name in (*(f"nbs/{path.stem}" for path in TRANSLATED), "docs/glossary", "index", "solutions"):
            page.go(f"{site.as_uri()}/ru/{name}.html")
            assert page.js("document.documentElement.scrollWidth") <= 390, f"{name} is wider than a telephone"
        page.go(page.js("document.querySelector('a.edition').href"))
        assert page.js("document.documentElement.lang + location.pathname").startswith("en/")
        assert [name for name in page.requests if not name.startswith(("file:", "data:"))] == []
        assert page.errors == []
