"""Choose the files of `mini/code`: whole Python files of the standard library and of packages with a permissive licence.

What is taken of a package depends on that package alone, so that each can be checked wherever its version is installed.
"""

import hashlib
import importlib.metadata
import platform
import re
import sysconfig
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from course_lib.profiles import CourseError
from course_lib.python_code import PythonFile, find_python_files, iter_python_files

DATA = (  # libraries to analyse data, and code that uses them; more is taken of these
    "pandas scikit-learn matplotlib seaborn statsmodels mlxtend imbalanced-learn skrub scipy narwhals hvplot scikit-lego "
    "scikit-optimize"
).split()
GENERAL = (
    "numpy networkx sympy mpmath joblib ipython datasets evaluate accelerate transformers huggingface_hub fonttools "
    "Pygments pydantic pytest setuptools rich typer click tornado aiohttp jedi parso jupyter_server "
    "jupyter_client nbconvert traitlets ipykernel fsspec coverage anyio packaging pyparsing babel urllib3 httpx "
    "beautifulsoup4 lark psutil papermill mistune markdown-it-py jsonschema websocket-client filelock "
    "prompt_toolkit Jinja2 requests python-dateutil watchdog soupsieve"
).split()
CHARACTERS = {"python": 2_300_000} | dict.fromkeys(GENERAL, 150_000) | dict.fromkeys(DATA, 480_000)
SHORTEST, LONGEST = 300, 32_000  # characters of a file
PERMISSIVE = re.compile(
    r"(?:(?:MIT|BSD|BSD-[23]-Clause|0BSD|Zlib|CC0-1\.0|Apache|Apache-2\.0|2\.0|PSF-2\.0|"
    r"Python Software Foundation|Software|License|AND|OR|,)\s*)+"
)
WRITTEN_BY_BUILD = re.compile(r"^config-|(?:^|/)(?:_*version_*|__config__)\.py$")  # differ from machine to machine
OTHER_LICENCE = re.compile(r"General Public License|\b[AL]?GPL|Mozilla Public|\bMPL\b|Creative Commons")


def folders_with(extra: Iterable[str]) -> list[str]:
    "Where packages are looked for: among the installed ones, and in the folders of `extra`."
    return [sysconfig.get_path("purelib"), *map(str, extra)]


def installed_versions(extra: Iterable[str] = ()) -> dict[str, str]:
    "Package -> version, for the packages of `CHARACTERS` that are there; `python` is the standard library."
    found = {package.name: package.version for package in importlib.metadata.distributions(path=folders_with(extra))}
    return {"python": platform.python_version()} | {name: found[name] for name in CHARACTERS if name in found}


def short_licence(metadata: Mapping[str, str]) -> str:
    "The licence of a package's metadata in a few words: an SPDX expression, else a classifier, else a short text."
    classifiers = [value for key, value in metadata.items() if key == "Classifier" and value.startswith("License ::")]
    text = classifiers[0].rpartition(" :: ")[2] if classifiers else (metadata.get("License") or "").strip()
    return metadata.get("License-Expression") or (text if len(text) < 60 and "\n" not in text else "")


def installed_licences(extra: Iterable[str] = ()) -> dict[str, str]:
    "Package -> its licence, as `short_licence` reads it."
    packages = reversed(list(importlib.metadata.distributions(path=folders_with(extra))))
    found = {package.name: short_licence(package.metadata) for package in packages if package.name in CHARACTERS}
    return {"python": "PSF-2.0"} | found


def _place(file: PythonFile) -> bytes:
    return hashlib.blake2b(file.path.encode(), digest_size=8).digest()


def _chosen(package: str, files: list[PythonFile]) -> Iterator[dict[str, str]]:
    "Records of the package in the order of a hash of their paths, until it has given its share."
    left, seen = CHARACTERS[package], set()
    for row in iter_python_files(files=sorted(files, key=_place)):
        text = row["content"]
        if SHORTEST <= len(text) <= min(LONGEST, left) and text not in seen and not OTHER_LICENCE.search(text):
            left -= len(text)
            seen.add(text)
            yield row


def build_code(
    extra: Iterable[str] = (),  # folders with packages that are not installed
    packages: Collection[str] | None = None,  # None for all of `CHARACTERS`
) -> dict[str, list[dict[str, str]]]:
    """The splits of the corpus: `content`, `path`, `package`, `version` and `licence` (as the package states it).

    Raises `CourseError` for a package that is not there, and for a licence that is not permissive."""
    versions, licences = installed_versions(extra), installed_licences(extra)
    wanted = list(CHARACTERS if packages is None else packages)
    if missing := [name for name in wanted if name not in versions]:
        raise CourseError(f"Not installed: {', '.join(missing)}. Install them into a folder and name it with --extra.")
    files: dict[str, list[PythonFile]] = {name: [] for name in wanted}
    for file in find_python_files(folders_with(extra)):
        if file.package in files and not WRITTEN_BY_BUILD.search(file.path):
            files[file.package].append(file)
    for name in wanted:
        if not PERMISSIVE.fullmatch(licences[name]):
            raise CourseError(f"{name} is under {licences[name]!r}. Take it out of the list.")
    told = {name: {"version": versions[name], "licence": licences[name]} for name in wanted}
    rows = [row | told[name] for name in wanted for row in _chosen(name, files[name])]
    rows.sort(key=lambda row: hashlib.blake2b(row["path"].encode(), digest_size=8).digest())
    columns = ("content", "path", "package", "version", "licence")
    return {
        split: [{name: row[name] for name in columns} for row in rows if row["split"] == split]
        for split in ("train", "validation")
    }


def licence_texts(extra: Iterable[str] = ()) -> dict[str, str]:
    "Package -> the text of its licence and notices, as the package brings them."
    python = Path(sysconfig.get_paths()["stdlib"], "LICENSE.txt")
    texts = {"python": python.read_text(encoding="utf-8")}
    for package in importlib.metadata.distributions(path=folders_with(extra)):
        if package.name in CHARACTERS:
            named = [
                file
                for file in package.files or ()
                if re.match(r"(?i)licen[cs]e|copying|notice|authors", file.name)
                and ".dist-info" in file.parts[0]
                and file.suffix not in (".py", ".pyc")
            ]
            parts = [Path(str(package.locate_file(file))).read_text(encoding="utf-8").strip() for file in sorted(named)]
            texts[package.name] = "\n\n".join(dict.fromkeys(parts))
    return texts
