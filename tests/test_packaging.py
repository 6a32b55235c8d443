"One list of dependencies; a wheel that works outside the checkout."

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from interpreters import heavy_imports
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tools.export import ROOT, read_settings
from tools.oldest import oldest

PYTHONS = ("3.10", "3.11", "3.12", "3.13")


def requirement_lines(key: str) -> list[Requirement]:
    return [Requirement(line) for line in read_settings()[key].splitlines() if line.strip()]


LISTS = ("requirements", "dev_requirements", "scale_requirements", "corpora_requirements", "fast_requirements")
LISTS += ("site_requirements", "demo_requirements")


def pins() -> list[Requirement]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("requirement", [line for key in LISTS for line in requirement_lines(key)], ids=str)
def test_every_dependency_has_one_pin_inside_its_range(requirement, python):
    machine = machine_of(python)
    if requirement.marker and not requirement.marker.evaluate(machine):
        pytest.skip("not for this Python")
    fitting = [
        pin
        for pin in pins()
        if canonical(pin.name) == canonical(requirement.name) and (pin.marker is None or pin.marker.evaluate(machine))
    ]
    assert len(fitting) == 1
    (version,) = fitting[0].specifier
    assert version.operator == "=="
    assert requirement.specifier.contains(version.version)


def machine_of(python: str) -> dict[str, str]:
    "What markers of the newest patch of this Python on Linux see."
    return {"python_version": python, "python_full_version": f"{python}.20", "sys_platform": "linux"}


@pytest.mark.parametrize("python", PYTHONS)
def test_every_promised_python_can_install_its_pins(python):
    "By the metadata of what is installed here; a pin of another version is installed where CI runs that Python."
    refused = []
    for pin in pins():
        with contextlib.suppress(metadata.PackageNotFoundError):
            found = metadata.metadata(pin.name)
            wanted = SpecifierSet(found["Requires-Python"] or "")
            for_it = pin.marker is None or pin.marker.evaluate(machine_of(python))
            if for_it and pin.specifier.contains(found["Version"]) and not wanted.contains(f"{python}.20"):
                refused.append(f"{pin} wants Python {wanted}")
    assert not refused


def test_what_the_package_imports_is_declared():
    "A library that another one brings along today may stay away tomorrow."
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "course_lib").rglob("*.py")]
    imported = {name for source in sources for name in re.findall(r"^ *(?:from|import) (\w+)", source, re.MULTILINE)}
    ours = set(sys.stdlib_module_names) | {"course_lib", "google"}
    listed = [line for name in ("requirements", "fast_requirements", "demo_requirements") for line in requirement_lines(name)]
    declared = {canonical(requirement.name) for requirement in listed}
    known = {name: {canonical(dist) for dist in dists} for name, dists in metadata.packages_distributions().items()}
    missing = {name for name in imported - ours if name in known and not known[name] & declared}
    assert not missing


# Colab in August 2026, filelock in June. What google-colab itself pins (ipykernel, jupyter-client for its old notebook,
# pandas) counts most.
COLAB = """accelerate 1.14.0, datasets 4.0.0, filelock 3.29.0, huggingface_hub 1.27.0, ipykernel 6.17.1, ipython 7.34.0,
matplotlib 3.10.0, nbclient 0.10.2, nbconvert 7.17.0, nbformat 5.10.4, numpy 2.1.3, pandas 2.2.3, peft 0.19.1,
psutil 5.9.5, pyarrow 18.1.0, rich 13.9.4, safetensors 0.6.2, scikit-learn 1.6.1, sentencepiece 0.2.1, tokenizers 0.22.2,
torch 2.11.0, tqdm 4.67.1, transformers 5.15.1, typer 0.20.0"""


def test_pip_replaces_nothing_in_colab():
    in_colab = dict(words.split() for words in COLAB.replace("\n", " ").split(", "))
    for requirement in requirement_lines("requirements"):
        version = in_colab.get(requirement.name)
        assert version is None or requirement.specifier.contains(version), requirement


def test_the_index_that_nbdev_writes_is_in_no_commit():
    assert not (ROOT / "course_lib/_modidx.py").exists(), "run `make export`, which removes it"
    if (ROOT / ".git").exists():
        tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        assert "_modidx.py" not in tracked


def test_no_second_list_of_dependencies():
    environment = (ROOT / "environment.yml").read_text(encoding="utf-8")
    listed = [line.strip()[2:] for line in environment.splitlines() if line.strip().startswith("- ")]
    assert listed == ["conda-forge", "python=3.12", "pip", "pip:", "-c constraints.txt", "-e .[dev]"]
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert "[project]" not in pyproject
    assert "dependencies" not in re.sub(r"^#.*$", "", pyproject, flags=re.MULTILINE)


def test_the_workflow_tests_the_pythons_we_promise():
    workflow = (ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8")
    assert [f'"{python}"' for python in PYTHONS] == re.search(r"python: \[(.*)\]", workflow)[1].split(", ")
    assert "run: make test" in workflow
    jobs = yaml.safe_load(workflow)["jobs"]
    assert all("schedule" in jobs[name]["if"] for name in ("newest", "oldest"))
    assert "run: make course test CONSTRAINTS=\n" in workflow, "the newest versions, whatever we have tested with"
    for job in jobs.values():
        (kept,) = [step for step in job["steps"] if step.get("uses", "").startswith("actions/upload-artifact")]
        assert (kept["if"], kept["with"]["path"]) == ("failure()", "_build/")
    assert yaml.safe_load(workflow)["concurrency"]["cancel-in-progress"] is True
    assert "-e '.[corpora]'" in workflow, "where the recipe of jupyterlab-fr is checked"
    assert not re.search(r"[&*]\w+$", workflow, re.MULTILINE), "no anchors: GitHub knows them since 2025 only"
    assert jobs["oldest"]["strategy"]["matrix"]["python"] == [PYTHONS[0]]


def test_one_range_of_pythons():
    settings = read_settings()
    inside = SpecifierSet(f">={settings['min_python']},<{settings['before_python']}")
    tried = [f"3.{minor}" for minor in range(8, 20)]
    assert [python for python in tried if inside.contains(python)] == list(PYTHONS)
    first, last = PYTHONS[0], PYTHONS[-1]
    for name in ("Makefile", "README.md", "constraints.txt"):
        assert f"Python {first} to {last}" in (ROOT / name).read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"({first.replace('.', ', ')}) <= v < ({settings['before_python'].replace('.', ', ')})" in makefile


def test_the_oldest_set_is_the_lower_ends_of_the_ranges():
    listed = dict(line.split("==") for line in oldest(read_settings()["requirements"]))
    assert len(listed) == len(requirement_lines("requirements"))
    for requirement in requirement_lines("requirements"):
        assert requirement.specifier.contains(listed[requirement.name])
        assert f">={listed[requirement.name]}" in str(requirement.specifier)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    "The wheel and the sdist, built from a copy so that the checkout stays as it is."
    copy = tmp_path_factory.mktemp("source") / "checkout"
    ignored = shutil.ignore_patterns(".git", ".venv", "_build", "build", "dist", "*.egg-info", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, copy, ignore=ignored)
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", out, copy]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return out


def test_wheel_and_sdist_hold_what_they_need(built):
    (wheel,), (sdist,) = built.glob("*.whl"), built.glob("*.tar.gz")
    names = zipfile.ZipFile(wheel).namelist()
    for needed in ("course_lib/training_loop.py", "course_lib/model_card.md", "course_lib/notebooks/01_training_loop.ipynb"):
        assert needed in names
    solutions = {f"course_lib/notebooks/solutions/{path.name}" for path in (ROOT / "nbs/solutions").glob("*.ipynb")}
    assert solutions
    assert solutions <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "tools/", "benchmarks/")) or "_modidx" in name]
    packaged = {path.relative_to(ROOT).as_posix() for path in (ROOT / "course_lib/mini").rglob("*") if path.is_file()}
    assert packaged <= set(names)
    with tarfile.open(sdist) as archive:
        sources = {name.partition("/")[2] for name in archive.getnames()}
    shown = set(re.findall(r"\]\(([\w./-]+)\)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert {"settings.ini", "setup.py", "nbs/01_training_loop.ipynb", "README.md", *shown} <= sources
    if (ROOT / ".git").exists():
        tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
        assert set(tracked) - sources <= {".gitignore"}, "the tests of the sdist need what the tests of the checkout need"
    assert not [name for name in sources if "__pycache__" in name]
    told = zipfile.ZipFile(wheel).read(next(name for name in names if name.endswith("METADATA"))).decode()
    settings = read_settings()
    (line,) = re.findall("^Requires-Python: (.*)$", told, re.MULTILINE)
    assert SpecifierSet(line) == SpecifierSet(f">={settings['min_python']},<{settings['before_python']}")


def test_the_wheel_alone_runs_a_chapter_from_an_empty_folder(built, tmp_path):
    "As in Colab: no checkout, an empty working folder. The dependencies are those of the running interpreter."
    home = tmp_path / "venv"
    venv.create(home, with_pip=False)
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    site = next(home.rglob("site-packages"))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    zipfile.ZipFile(next(built.glob("*.whl"))).extractall(site)
    empty = tmp_path / "empty"
    empty.mkdir()
    where = "import course_lib; print(course_lib.__file__)"
    found = subprocess.run([scripts / "python", "-c", where], cwd=empty, capture_output=True, text=True, check=True)
    assert found.stdout.startswith(str(site))
    kernels = home / "share" / "jupyter" / "kernels" / "python3"
    install = [scripts / "python", "-m", "ipykernel", "install", "--prefix", home, "--name", "python3"]
    subprocess.run(install, cwd=empty, capture_output=True, check=True)
    assert kernels.is_dir()
    command = [scripts / "python", "-c", "from course_lib.cli import main; main()", "run", "01"]
    command += ["--set", "train_size=96", "validation_size=40", "num_epochs=1", "batch_size=4", "--out", "out"]
    # The kernel of the new environment first; nbconvert's templates are data of the running one.
    jupyter = [home / "share" / "jupyter", Path(sysconfig.get_path("data"), "share", "jupyter")]
    environment = os.environ | {"JUPYTER_PATH": os.pathsep.join(map(str, jupyter))}
    done = subprocess.run(command, cwd=empty, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert {path.name for path in (empty / "out").iterdir()} == {
        "01_training_loop.ipynb",
        "01_training_loop.html",
        "results.json",
    }
    # The training of the wheel, and that of the checkout on two processes, reach the same metric with the same seed.
    reached = []
    runs = {"one": (command[0], "1", empty, environment), "two": (sys.executable, "2", ROOT, None)}
    for name, (python, processes, folder, variables) in runs.items():
        train = [python, *command[1:3], "train", "01", "--processes", processes, *command[5:-2], "--out", str(tmp_path / name)]
        done = subprocess.run(train, cwd=folder, capture_output=True, text=True, env=variables)
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
        history = json.loads((tmp_path / name / "history.json").read_text(encoding="utf-8"))
        reached.append(history["evaluations"][-1]["accuracy"])
    assert reached[1] == pytest.approx(reached[0], abs=1e-6)


def test_importing_the_package_imports_nothing_heavy():
    assert not heavy_imports("course_lib")
