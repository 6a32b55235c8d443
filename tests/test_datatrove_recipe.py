"The scale-out recipe, on two local workers, against the filter of chapter 4 in this process."

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset

from course_lib.filtering import KEYWORDS, FilterCounts, filter_by_keywords

pytest.importorskip("datatrove", reason="the extra `scale` is not installed")
RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "filter_with_datatrove.py"


def make_files(count: int) -> list[dict[str, str]]:
    generator = np.random.default_rng(0)
    words = [
        "import pandas\n",
        "my_sklearn = 1\n",
        "x = 'é 日本 🐼'\n",
        "klearn\n",
        "from matplotlib import pyplot\n",
        "y = 2\n",
    ]
    return [
        {
            "content": "".join(generator.choice(words, generator.integers(1, 6))) + f"# {number}",
            "path": f"p/{number}.py",
        }
        for number in range(count)
    ]


@pytest.mark.parametrize("whole_words", [False, True])
def test_two_workers_keep_what_one_process_keeps(tmp_path, whole_words):
    files = make_files(900)
    for number in range(3):
        (tmp_path / "data").mkdir(exist_ok=True)
        Dataset.from_list(files[number::3]).to_parquet(str(tmp_path / "data" / f"{number}.parquet"))
    options = ["--keywords", " ".join(KEYWORDS)] + (["--whole-words"] if whole_words else [])
    folders = [f"--{name}={tmp_path / name}" for name in ("data", "out", "logs")]
    done = subprocess.run(
        [sys.executable, str(RECIPE), *folders, *options, "--tasks=2", "--workers=2"],
        capture_output=True, text=True, timeout=300, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    counts = FilterCounts()
    found = filter_by_keywords(Dataset.from_list(files), whole_words=whole_words, counts=counts)
    expected = {record["path"]: record["content"] for table in found for record in table.to_pylist()}
    parts = sorted((tmp_path / "out").glob("part-*.parquet"))
    assert len(parts) == 2, "each task wrote its own file"
    rows = [row for part in parts for row in Dataset.from_parquet(str(part), cache_dir=str(tmp_path / "cache"))]
    assert len(rows) == len(expected)
    assert {row["id"]: row["content"] for row in rows} == expected
    assert done.stdout.strip().endswith(str({"seen": 900, "kept": counts.kept}))
    assert 0 < counts.kept < 900
