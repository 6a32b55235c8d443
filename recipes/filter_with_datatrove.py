"""Chapter 4's filter on many machines: the same question, asked by datatrove.

    pip install -c constraints.txt -e '.[scale]'
    python recipes/filter_with_datatrove.py --data code --out filtered --tasks 64 --workers 8

`--data` is a folder, local or on any file system that fsspec knows (s3://…, hf://datasets/…), of Parquet files
with the column `content`. They are divided among the tasks, and each task writes one Parquet file, with the columns
`content` and `id`. A run that was stopped goes on with the tasks that are missing; `--logs` keeps the score.

On a cluster, hand `steps(...)` to `datatrove.executor.SlurmPipelineExecutor` with the same number of tasks, and with
`partition` and `time` of your own; every machine must see the three folders.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.filters.base_filter import BaseFilter
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers import ParquetWriter

from course_lib.filtering import KEYWORDS, keyword_list, matching
from course_lib.profiles import CourseError


class KeywordFilter(BaseFilter):
    """Keeps the documents that hold a keyword."""

    name = "keywords"

    def __init__(self, keywords: list[str], whole_words: bool = False) -> None:
        super().__init__(batch_size=256)
        self.keywords, self.whole_words = keyword_list(keywords), whole_words

    def filter(self, doc: Document) -> bool:
        return bool(self.filter_batch([doc])[0])

    def filter_batch(self, batch: list[Document]) -> list[bool | tuple[bool, str]]:
        texts = pa.array([doc.text for doc in batch], pa.large_string())
        return [kept or (False, "no_keyword") for kept in matching(texts, self.keywords, self.whole_words).to_pylist()]


def columns(writer: PipelineStep, document: Document) -> dict[str, Any]:
    """What is written of a document."""
    return {"content": document.text, "id": str(document.id)}


def steps(data: str, out: str, keywords: list[str], *, whole_words: bool = False, column: str = "content") -> list:
    """Read, filter, write: a pipeline for any of datatrove's executors."""
    if Path(data).is_dir() and not any(Path(data).rglob("*.parquet")):
        raise CourseError(f"{data} holds no *.parquet file. Give a folder that does.")
    reader = ParquetReader(data, glob_pattern="**/*.parquet", text_key=column, id_key="path")
    writer = ParquetWriter(out, output_filename="part-${rank}.parquet", adapter=columns, max_file_size=-1)
    return [reader, KeywordFilter(keywords, whole_words), writer]


def run(
    data: str, out: str, logs: str, keywords: list[str], *, tasks: int, workers: int, **options: Any
) -> dict[str, int]:
    """Filter on this machine; returns how many files were seen and kept, over all tasks."""
    LocalPipelineExecutor(steps(data, out, keywords, **options), tasks=tasks, workers=workers, logging_dir=logs).run()
    counts = {"seen": 0, "kept": 0}
    for file in sorted(Path(logs, "stats").glob("*.json")):
        for step in json.loads(file.read_text(encoding="utf-8")):
            if "FILTER" in step["name"]:
                counts["seen"] += int(_total(step["stats"].get("total", 0)))
                counts["kept"] += int(_total(step["stats"].get("forwarded", 0)))
    return counts


def _total(value: Any) -> float:
    return value["total"] if isinstance(value, dict) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--logs", default="logs")
    parser.add_argument("--keywords", default=" ".join(KEYWORDS))
    parser.add_argument("--whole-words", action="store_true")
    parser.add_argument("--column", default="content")
    parser.add_argument("--tasks", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    options = {"whole_words": given.whole_words, "column": given.column}
    words = keyword_list(given.keywords)
    print(run(given.data, given.out, given.logs, words, tasks=given.tasks, workers=given.workers, **options))


if __name__ == "__main__":
    main()
