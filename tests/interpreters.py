"""Questions that only a fresh interpreter can answer: what an import drags in, what the hash seed changes."""

import os
import subprocess
import sys

HASH_SEEDS = ("0", "1", "2", "3", "5")


def printed_by(code: str, **variables: str) -> str:
    "What a new interpreter with these environment variables prints when it runs `code`."
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | variables
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def printed_under_hash_seeds(code: str) -> set[str]:
    "The different things that `code` prints; more than one means that the order of a set or dict leaks out."
    return {printed_by(code, PYTHONHASHSEED=seed) for seed in HASH_SEEDS}


HEAVY = ("torch", "transformers", "datasets", "evaluate", "numpy", "pandas", "sklearn")


def heavy_imports(*modules: str) -> set[str]:
    "Which of the large libraries importing these modules pulls in."
    return set(printed_by(f"import {', '.join(modules)}, sys; print(*(name for name in {HEAVY} if name in sys.modules))").split())
