"""Write the packaged corpora as Parquet with a card each, and check that they would be written again."""

import contextlib
import functools
import importlib.metadata
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import ClassLabel, Features, List, Value

from course_lib.profiles import MINI_FOLDER, CourseError

from . import cards, python_files
from .catalogs import PACK, build_catalogs
from .paraphrases import build_paraphrases
from .questions import build_questions, build_unanswerable
from .reviews import build_reviews

Splits = dict[str, list[dict]]
TEXT = Value("string")


@dataclass(frozen=True)
class Recipe:
    "How a corpus is made."

    build: Callable[[], Splits]
    columns: dict  # in the types of `datasets`; a split may lack some


def _texts(*names: str) -> dict[str, Value]:
    return dict.fromkeys(names, TEXT)


def recipes(extra: Iterable[str] = ()) -> dict[str, Recipe]:
    "Folder -> how its corpus is made; `extra` are folders with packages that are not installed, for `code`."
    sentiment, same = ClassLabel(names=["neg", "pos"]), ClassLabel(names=["not_equivalent", "equivalent"])
    answers = {"text": List(TEXT), "answer_start": List(Value("int32"))}
    pair = {"idx": Value("int32"), **_texts("sentence1", "sentence2"), "label": same}
    question = _texts("id", "title", "context", "question") | {"answers": answers}
    code = _texts("content", "path", "package", "version", "licence")
    return {
        "paraphrases": Recipe(build_paraphrases, pair),
        "reviews": Recipe(build_reviews, {"text": TEXT, "label": sentiment}),
        "squad": Recipe(build_questions, question),
        "squad-v2": Recipe(build_unanswerable, question),
        "jupyterlab-fr": Recipe(build_catalogs, _texts("en", "fr", "context", "catalog")),
        "code": Recipe(functools.partial(python_files.build_code, list(extra)), code),
    }


def table_of(rows: list[dict], columns: dict) -> pa.Table:
    "The rows as a table, with the columns' types and class names in its schema as `datasets` writes them there."
    features = Features({name: kind for name, kind in columns.items() if name in rows[0]})
    return pa.Table.from_pylist(rows, schema=features.arrow_schema)


def write_splits(splits: Splits, columns: dict, folder: Path) -> None:
    "A Parquet file for each split: zstd, one group of rows, one page for each column."
    folder.mkdir(parents=True, exist_ok=True)
    for split, rows in splits.items():
        options = {"compression": "zstd", "compression_level": 19, "row_group_size": 1 << 20, "data_page_size": 1 << 28}
        pq.write_table(table_of(rows, columns), folder / f"{split}.parquet", use_dictionary=False, **options)


def pack_version() -> str | None:
    "The version of the French language pack that is installed."
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(PACK[0])
    return None


def write(name: str, out: Path = MINI_FOLDER, extra: Iterable[str] = ()) -> Path:
    "Write the corpus and its card into the folder `name` of `out`."
    recipe, folder = recipes(extra)[name], out / name
    if name == "jupyterlab-fr" and (there := pack_version()) != PACK[1]:
        raise CourseError(
            f"{name} is made from {PACK[0]} {PACK[1]}; here is {there or 'none'}. Run pip install {'=='.join(PACK)}."
        )
    splits = recipe.build()
    write_splits(splits, recipe.columns, folder)
    (folder / "README.md").write_text(cards.card(name, splits), encoding="utf-8")
    if name == "code":
        texts = cards.licences(python_files.licence_texts(extra))
        (folder / "LICENSES.txt").write_text(texts, encoding="utf-8")
    if name == "jupyterlab-fr":
        licence = next(file for file in importlib.metadata.files(PACK[0]) if file.name == "LICENSE.txt")
        (folder / "LICENSE.txt").write_text(licence.read_text(encoding="utf-8"), encoding="utf-8")
    return folder


def write_pack(language: str, folder: Path) -> None:
    "Write another language pack, which must be installed, as a data set of your own."
    splits = build_catalogs(language)
    write_splits(splits, dict.fromkeys(splits["train"][0], TEXT), folder)


def _differences(kept: Path, again: Path) -> list[str]:
    """What differs between two Parquet files.

    pyarrow writes its version into each file, and its encoders change with it. So bytes are compared where the same
    version has written both; elsewhere rows, types and class names, which is all that a reader of the file can see.
    """
    one, two = pq.read_table(kept), pq.read_table(again)
    if Features.from_arrow_schema(one.schema) != Features.from_arrow_schema(two.schema):
        return [f"{kept}: other columns"]
    if one.to_pylist() != two.to_pylist():
        return [f"{kept}: other records"]
    same_writer = pq.read_metadata(kept).created_by == pq.read_metadata(again).created_by
    return [f"{kept}: other bytes"] if same_writer and kept.read_bytes() != again.read_bytes() else []


def check(name: str, kept: Path = MINI_FOLDER, extra: Iterable[str] = ()) -> list[str]:
    """What differs between the packaged corpus and one that is written anew into a temporary folder; [] if nothing does.

    Of `code`, the packages are compared that are here in the version of the corpus; all files if all packages are.
    """
    if name == "code":
        same, missing = _packages_here(kept / name, extra)
        if missing:
            return _code_differences(kept / name, same, extra)
    with tempfile.TemporaryDirectory() as folder:
        again = write(name, Path(folder), extra)
        files = {file.name for file in again.iterdir()}
        found = [f"{kept / name}: other files"] if files != {file.name for file in (kept / name).iterdir()} else []
        for file in sorted(files & {file.name for file in (kept / name).iterdir()}):
            if file.endswith(".parquet"):
                found += _differences(kept / name / file, again / file)
            elif (kept / name / file).read_bytes() != (again / file).read_bytes():
                found.append(f"{kept / name / file}: another text")
    return found


def _packages_here(folder: Path, extra: Iterable[str]) -> tuple[list[str], list[str]]:
    "The packages of `code` that are here in the same version, and the others."
    versions = {}
    for file in folder.glob("*.parquet"):
        table = pq.read_table(file, columns=["package", "version"])
        versions |= dict(zip(table["package"].to_pylist(), table["version"].to_pylist(), strict=True))
    here = python_files.installed_versions(extra)
    same = [name for name, version in versions.items() if here.get(name) == version]
    return same, [name for name in versions if name not in same]


def _code_differences(folder: Path, packages: list[str], extra: Iterable[str]) -> list[str]:
    again = python_files.build_code(list(extra), packages)
    found = []
    for split, rows in again.items():
        kept = [row for row in pq.read_table(folder / f"{split}.parquet").to_pylist() if row["package"] in packages]
        found += [f"{folder} ({split}): other records"] if kept != rows else []
    return found
