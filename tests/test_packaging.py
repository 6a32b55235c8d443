"One list of dependencies; a wheel that works outside the checkout."

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
from pathlib import Path

import pytest
from interpreters import heavy_imports
from packaging.requirements import Requirement

from tools.export import ROOT, read_settings

PYTHONS = ("3.10", "3.11", "3.12", "3.13")


def requirement_lines(key: str) -> list[Requirement]:
    return [Requirement(line) for line in read_settings()[key].splitlines() if line.strip()]


def pins() -> list[Requirement]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("requirement", requirement_lines("requirements") + requirement_lines("dev_requirements"), ids=str)
def test_every_dependency_has_one_pin_inside_its_range(requirement, python):
    machine = {"python_version": python, "python_full_version": f"{python}.1", "sys_platform": "linux"}
    fitting = [
        pin
        for pin in pins()
        if canonical(pin.name) == canonical(requirement.name) and (pin.marker is None or pin.marker.evaluate(machine))
    ]
    assert len(fitting) == 1
    (version,) = fitting[0].specifier
    assert version.operator == "=="
    assert requirement.specifier.contains(version.version)


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
    assert read_settings()["min_python"] == PYTHONS[0]
    assert "run: make test" in workflow


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
    for needed in ("course_lib/training_loop.py", "course_lib/notebooks/01_training_loop.ipynb"):
        assert needed in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "tools/", "benchmarks/"))]
    packaged = {path.relative_to(ROOT).as_posix() for path in (ROOT / "course_lib/mini").rglob("*") if path.is_file()}
    assert packaged <= set(names)
    with tarfile.open(sdist) as archive:
        sources = {name.partition("/")[2] for name in archive.getnames()}
    assert {"settings.ini", "setup.py", "nbs/01_training_loop.ipynb", "README.md"} <= sources


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
    command += ["--set", "train_size=96", "validation_size=40", "num_epochs=1", "--out", "out"]
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
    # The checkout, without the notebook and on two processes, reaches the same metric with the same seed.
    (row,) = json.loads((empty / "out" / "results.json").read_text(encoding="utf-8"))
    command = [sys.executable, *command[1:3], "train", "01", "--processes", "2", *command[5:-2], "--out", str(tmp_path / "two")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    history = json.loads((tmp_path / "two" / "history.json").read_text(encoding="utf-8"))
    assert history["evaluations"][-1][row["metric"]] == pytest.approx(row["after"], abs=1e-6)


def test_importing_the_package_imports_nothing_heavy():
    assert not heavy_imports("course_lib")
