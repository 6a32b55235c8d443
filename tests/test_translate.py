"Translations are in step with the English: nothing untranslated, fuzzy, stale or lost; their code is the same."

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import translate
from tools.export import ROOT
from tools.translate import (
    complaints,
    faults,
    messages,
    numbers,
    sources,
    translate_comments,
    translate_figure,
    translate_markdown,
    translated_files,
    updated_catalog,
)

LANGUAGES = translate.languages()

PAGE = """# A **title**

> a quotation

- first `item`
- second, of
  two lines

1. one

| then | now |
|---|---|
| `a \\| b` | b or c |
| 0.5 | [link](x.md) |

```
code stays
```

<details><summary>Why?</summary>Because <code>a</code>.</details>

Do it. [![Open in Colab](b.svg)](https://colab/x.ipynb)

$a + b$
"""


def test_what_is_a_message_and_what_stays():
    found = []
    told = translate_markdown(PAGE, lambda text: found.append(text) or f"<{text.upper()}>")
    assert found == ["A **title**", "a quotation", "first `item`", "second, of\ntwo lines", "one", "then", "now",
                     "b or c", "[link](x.md)", "Do it.", "Why?", "Because <code>a</code>."]  # fmt: skip
    assert told.startswith("# <A **TITLE**>\n\n> <A QUOTATION>\n\n- <FIRST `ITEM`>\n- <SECOND, OF\nTWO LINES>\n")
    assert "| <THEN> | <NOW> |\n|---|---|\n| `a \\| b` | <B OR C> |\n| 0.5 | <[LINK](X.MD)> |" in told
    assert "```\ncode stays\n```" in told
    assert "<details><summary><WHY?></summary><BECAUSE <CODE>A</CODE>.></details>" in told
    assert "<DO IT.> [![Open in Colab](b.svg)](https://colab/x.ipynb)\n\n$a + b$" in told


def test_comments_of_a_lesson_are_messages_and_those_of_a_package_are_not():
    code = 'x = "# no comment"  # a reason\n# noqa: E501\n%pip install x\n'
    assert translate_comments(code, str.upper) == 'x = "# no comment"  # A REASON\n# noqa: E501\n%pip install x\n'
    assert translate_comments(f"#| export\n{code}", str.upper) == f"#| export\n{code}"


def test_texts_of_a_figure_are_messages():
    assert translate_figure('<text x="1">eight words</text><text>8</text>', str.upper) == (
        '<text x="1">EIGHT WORDS</text><text>8</text>'
    )


@pytest.mark.parametrize("name", sources())
def test_without_a_translation_everything_is_as_it_was(name):
    path = sources()[name]
    if path.suffix == ".md":
        text = path.read_text(encoding="utf-8")
        assert translate_markdown(text, str) == text
    elif path.suffix == ".ipynb":
        text = path.read_text(encoding="utf-8")
        assert translate.translate_notebook(text, str, translate.figure_texts()) == text
    assert len(messages(path)) > 2


@pytest.mark.parametrize(
    ("english", "translation", "lost"),
    [
        ("Take 7,200 pairs at 0.5 %.", "Возьмите 7\u00a0200 пар при 0,5\u00a0%.", []),
        ("`a` and [b](c.md), $x$", "[б](c.md), `a`, $x$ и ещё раз `a`", []),
        ("`a` of `b`", "`a`", ["code '`b`' is missing"]),
        ("as in [b](c.md)", "как в [б](d.md)", ["link '](c.md)' is missing"]),
        ("where $x^2$", "где $x$", ["formula '$x^2$' is missing"]),
        ("100 of them", "1000 штук", ["numbers are ['1000'], not ['100']"]),
        ("<code>a</code>", "a", ["code '<code>' is missing", "code '</code>' is missing"]),
    ],
)
def test_what_a_translation_may_not_lose(english, translation, lost):
    assert list(faults(english, translation)) == lost


def test_a_glossary_is_in_the_order_of_its_own_alphabet():
    entries = [
        "- **ёмкость**. Вторая.",
        "- **BLEU**. Последняя.",
        "- **ель** (fir). Первая.",
        "- **Еда**. Нулевая.",
        "- **я**. Я.",
    ]
    told = translate.by_letter("# Слова\n\n## A\n\n" + "\n\n## B\n\n".join(entries) + "\n", "Латиницей")
    assert told == (
        "# Слова\n\n## Е\n\n- **Еда**. Нулевая.\n- **ель** (fir). Первая.\n- **ёмкость**. Вторая.\n\n"
        "## Я\n\n- **я**. Я.\n\n## Латиницей\n\n- **BLEU**. Последняя.\n"
    )
    accents = "## X\n\n- **época**. Um.\n- **eco**. Dois.\n- **fim**. Três.\n"
    assert re.findall(r"## .|\w+(?=\*\*)", translate.by_letter(accents, "")) == ["## E", "eco", "época", "## F", "fim"]


def test_an_english_glossary_stays_as_it_is():
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    assert translate.by_letter(text, "") == text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_goes_to_the_places_of_the_translation_on_the_site_and_in_its_folder(language):
    path = ROOT / "docs" / "glossary.md"
    site, file = (translate.translated(language)[path], translated_files(language)[translate.home(path, language)])
    assert site.replace("](../nbs/", "](../notebooks/") == file
    goals = set(re.findall(r"\]\(\.\./nbs/([^#)]+)#([^)]+)\)", site))
    assert len(goals) > 40
    for name, place in goals:
        source = ROOT / "nbs" / name
        assert place in translate.places(source, translate.says(language)[source.stem]).values(), (name, place)
    assert not {home for home in translated_files(language) if home.parent.name == "docs"} - {
        translate.home(path, language)
    }


def test_numbers_are_the_same_however_they_are_written():
    assert numbers("1,234,567 and 0.25") == numbers("1\u00a0234\u202f567 и 0,25")
    assert numbers("in 2, 300 or `7`") == numbers("в 300 или 2")


def test_a_changed_sentence_is_fuzzy_and_named(tmp_path, monkeypatch):
    page, catalog = tmp_path / "page.md", tmp_path / "translations" / "xx" / "page.po"
    catalog.parent.mkdir(parents=True)
    monkeypatch.setattr(translate, "ROOT", tmp_path)
    monkeypatch.setattr(translate, "sources", lambda: {"page": page})
    page.write_text("The loss falls in every epoch.\n\nThat is all.\n", encoding="utf-8")
    catalog.write_bytes(updated_catalog(catalog, page, "ru"))
    assert [line.partition(":")[2] for line in complaints("xx")] == [
        " untranslated: The loss falls in every epoch.", " untranslated: That is all.",
    ]  # fmt: skip
    text = catalog.read_text(encoding="utf-8").replace('epoch."\nmsgstr ""', 'epoch."\nmsgstr "Потери падают."')
    catalog.write_text(text.replace('all."\nmsgstr ""', 'all."\nmsgstr "Это всё."'), encoding="utf-8")
    assert complaints("xx") == []
    assert updated_catalog(catalog, page, "ru") == catalog.read_bytes(), "nothing changes where nothing has changed"
    page.write_text("The loss falls in every single epoch.\n\nThat is all.\n", encoding="utf-8")
    catalog.write_bytes(updated_catalog(catalog, page, "ru"))
    assert complaints("xx") == ["page: fuzzy: The loss falls in every single epoch."]


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_translated_and_nothing_is_lost(language):
    assert complaints(language) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogs_and_notebooks_are_in_step_with_the_english(language):
    folder, remedy = ROOT / "translations" / language, f"run `python -m tools.translate {language}`"
    for name, source in sources().items():
        path = folder / f"{name}.po"
        assert updated_catalog(path, source, language) == path.read_bytes(), remedy
    files = translated_files(language)
    assert [str(path) for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text] == [], (
        remedy
    )
    assert {*(folder / "notebooks").rglob("*.ipynb")} <= files.keys(), remedy


def python(notebook: Path) -> list[str]:
    "The code of each cell, without its comments and magics."
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    codes = [
        re.sub(r"(?m)^(\s*)[%!].*$", r"\1pass", "".join(cell["source"]))
        for cell in cells
        if cell["cell_type"] == "code"
    ]
    return [ast.dump(ast.parse(code)) for code in codes]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_code_is_that_of_the_english_notebook(language):
    for name, source in sources().items():
        if source.suffix == ".ipynb":
            own = ROOT / "translations" / language / "notebooks" / source.relative_to(ROOT / "nbs")
            assert python(own) == python(source), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_link_leads_somewhere(language):
    for path, text in translated_files(language).items():
        if path.suffix == ".ipynb":
            cells = json.loads(text)["cells"]
            text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        for link in re.findall(r"\]\((?!https?:|#|attachment:)([^)\s#]+)", text):
            assert (path.parent / link).exists(), f"{path.name}: {link}"
        for link in re.findall(r"/blob/main/([^)\s\"#]+)", text):
            assert (ROOT / link).exists() or "transformers-course" not in text, f"{path.name}: {link}"


def hunspell(language: str) -> list[str] | None:
    "The command that prints the words of its input which no dictionary has; none where the dictionary is missing."
    names = {"ru": "ru_RU"}
    command = ["hunspell", "-i", "utf-8", "-d", names.get(language, language), "-l"]
    if not shutil.which("hunspell") or subprocess.run(command, input="", text=True, capture_output=True).returncode:
        return None
    return command


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_spelling_is_right(language):
    command = hunspell(language)
    if command is None:
        pytest.skip("no hunspell with a dictionary of this language")
    folder = ROOT / "translations" / language
    known = set((folder / "words.txt").read_text(encoding="utf-8").split())
    told = [
        entry.string
        for name in sources()
        for entry in translate.read_catalog(folder / f"{name}.po", language)
        if entry.id
    ]
    text = re.sub(r"[A-Za-z_][\w.-]*", " ", translate.bare("\n".join(told)).replace("\u0301", ""))
    misspelt = subprocess.run(command, input=text, encoding="utf-8", capture_output=True, check=True).stdout.split()
    assert sorted({word for word in misspelt if not {word, word.lower()} & known}) == []


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translated_notebook_runs(language, tmp_path):
    command = [sys.executable, "-c", "from course_lib.cli import main; main()", "run", "01", "--language", language]
    command += [
        "--set",
        "train_size=96",
        "validation_size=40",
        "batch_size=4",
        "--profile",
        "tiny",
        "--no-html",
        "--out",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    [row] = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert row["chapter"] == "01_training_loop"
    ran = json.loads((tmp_path / "01_training_loop.ipynb").read_text(encoding="utf-8"))
    own = ROOT / "translations" / language / "notebooks" / "01_training_loop.ipynb"
    assert ran["cells"][0]["source"] == json.loads(own.read_text(encoding="utf-8"))["cells"][0]["source"]
