"Badges and install links point where settings.ini says."

import json
import re

import pytest

from tools.export import ROOT, ask_for_gpu, linked_files, read_settings, update_links

FORK = {"user": "zoë-fork", "repo": "my-course", "branch": "feature/x.1"}
TEXT = (
    "[![b](https://colab.research.google.com/assets/colab-badge.svg)]"
    "(https://colab.research.google.com/github/a/b/blob/main/nbs/01_training_loop.ipynb)\n"
    'pip install "course_lib @ git+https://github.com/a/b@main"\n'
    "git clone https://github.com/a/b.git\n"
    "[r](https://github.com/a/b/blob/feature/y/recipes/README.md) [s](https://github.com/a/b/blob/main/nbs/workbench/saving.ipynb)\n"
    "[elsewhere](https://github.com/pytorch/pytorch/blob/main/README.md)\n"
)


def test_every_link_moves_to_the_fork():
    moved = update_links(TEXT, FORK)
    assert "github/zoë-fork/my-course/blob/feature/x.1/nbs/01_training_loop.ipynb" in moved
    assert '"course_lib @ git+https://github.com/zoë-fork/my-course@feature/x.1"' in moved
    assert "git clone https://github.com/zoë-fork/my-course.git" in moved
    assert "(https://github.com/zoë-fork/my-course/blob/feature/x.1/recipes/README.md)" in moved
    assert "(https://github.com/zoë-fork/my-course/blob/feature/x.1/nbs/workbench/saving.ipynb)" in moved
    assert "https://github.com/pytorch/pytorch/blob/main/README.md" in moved
    assert "assets/colab-badge.svg" in moved
    assert "/a/b" not in moved


def test_moving_twice_changes_nothing():
    assert update_links(update_links(TEXT, FORK), FORK) == update_links(TEXT, FORK)


@pytest.mark.parametrize("path", linked_files(), ids=lambda path: path.name)
def test_no_link_is_stale(path):
    text = path.read_text(encoding="utf-8")
    assert update_links(text, read_settings()) == text, "run `make export`"


CHAPTERS = sorted((ROOT / "nbs").glob("0*.ipynb"))
SOLUTIONS = sorted((ROOT / "nbs/solutions").glob("0*.ipynb"))


@pytest.mark.parametrize("path", CHAPTERS + SOLUTIONS, ids=lambda path: path.name)
def test_colab_gives_every_chapter_a_gpu_and_the_chapter_says_how_to_get_one(path):
    text = path.read_text(encoding="utf-8")
    metadata = json.loads(text)["metadata"]
    assert metadata["accelerator"] == "GPU"
    assert metadata["colab"]["gpuType"] == "T4"
    assert "Runtime → Change runtime type → T4 GPU" in text
    assert ask_for_gpu(text) == text, "run `make export`"


@pytest.mark.parametrize("path", CHAPTERS + SOLUTIONS, ids=lambda path: path.name)
def test_a_chapter_links_to_nothing_that_colab_has_not(path):
    "There the notebook is alone, with what is attached to it: whole addresses, and what they name is in this repository."
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    prose = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    links = re.findall(r"\]\(([^)\s]+)\)", prose)
    assert [link for link in links if not link.startswith(("https://", "#", "attachment:"))] == []
    settings = read_settings()
    ours = f"https://github.com/{settings['user']}/{settings['repo']}/blob/{settings['branch']}/"
    named = [link.removeprefix(ours).partition("#")[0] for link in links if link.startswith(ours)]
    assert [name for name in named if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name)
def test_every_chapter_has_its_own_badge(path):
    settings = read_settings()
    badge = f"{settings['user']}/{settings['repo']}/blob/{settings['branch']}/nbs/{path.name}"
    assert badge in path.read_text(encoding="utf-8")
    assert badge in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.name)
def test_solutions_are_linked_from_each_exercise_the_index_and_the_readme(path):
    settings = read_settings()
    place = f"{settings['user']}/{settings['repo']}/blob/{settings['branch']}/nbs/solutions/{path.name}"
    badge = f"(https://colab.research.google.com/github/{place})"
    chapter = ROOT / "nbs" / path.name.replace("_solutions", "")
    cells = json.loads(chapter.read_text(encoding="utf-8"))["cells"]
    exercises = [text for text in map("".join, (cell["source"] for cell in cells)) if re.search(r"^\*\*[123]\. ", text, re.M)]
    assert len(exercises) == 3
    assert all(badge in text for text in exercises)
    assert f"(solutions/{path.name})" in (ROOT / "nbs/index.ipynb").read_text(encoding="utf-8")
    assert f"(nbs/solutions/{path.name})" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert badge in path.read_text(encoding="utf-8"), "its own badge"


def test_every_workbench_notebook_has_its_row_in_the_index():
    cells = json.loads((ROOT / "nbs/index.ipynb").read_text(encoding="utf-8"))["cells"]
    linked = re.findall(r"\| \[\w+\]\((workbench/\w+\.ipynb)\)", "".join("".join(cell["source"]) for cell in cells))
    there = [path.relative_to(ROOT / "nbs").as_posix() for path in (ROOT / "nbs/workbench").glob("*.ipynb")]
    assert sorted(linked) == sorted(there)
