"""How long a fresh interpreter needs before it can do anything."""

import json
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.harness import Row, compare

NUMBERS = (18,)
# What a chapter that says what it needs on top has to wait for.
CHAPTER = """
import datasets, evaluate, torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments
"""
HEAVY = ("torch", "transformers", "datasets", "evaluate", "numpy", "pandas", "pyarrow")
ASK = f"import json, sys; print(json.dumps([name for name in {HEAVY} if name in sys.modules]))"


def loaded_by(code: str) -> set[str]:
    "Which of the large libraries a fresh interpreter has loaded after running `code`."
    command = [sys.executable, "-c", f"{code}\n{ASK}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


HELP = """
import sys
from course_lib.cli import main
sys.argv = ["course", "--help"]
try:
    main()
except SystemExit as done:
    assert not done.code
"""


def run() -> Iterator[Row]:
    for item, code, limit, bare in (
        ("import course_lib", "import course_lib", 0.1, "pass"),
        ("course --help", HELP, 0.5, "import rich.console, typer"),
    ):
        yield compare(
            item,
            "a fresh interpreter, its own start included",
            lambda: loaded_by(CHAPTER),
            lambda code=code: loaded_by(code),
            lambda naive, ours: {"torch", "transformers", "datasets"} <= naive and not ours,
            number=18,
            target=1,
            limit=limit,
            bound=lambda bare=bare: loaded_by(bare),
            bound_of="the interpreter" if bare == "pass" else "the interpreter and its import of typer and rich",
        )
