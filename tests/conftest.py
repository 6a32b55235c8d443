"""Set-up for pytest and nbval: the tiny profile, offline, and notebooks whose assertions are the test."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# No socket leaves the machine: neither from here, nor from a kernel or any other Python that is started from here.
GUARD = Path(__file__).resolve().parent / "guard"
if str(GUARD) not in os.environ.get("PYTHONPATH", "").split(os.pathsep):
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(GUARD), os.environ.get("PYTHONPATH")]))
if not getattr(sys, "_course_guard", False):
    import runpy

    runpy.run_path(str(GUARD / "sitecustomize.py"))["install"]()
# Kernels inherit these, and huggingface_hub reads its own when it is first imported.
os.environ.update(COURSE_PROFILE="tiny", HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1")
os.environ.pop("COURSE_SET", None)
# Workers beside each other share the cores instead of fighting over them; torch reads these when it is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 0)):  # what their parent sets, they would inherit
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))

# A script's background job ignores SIGINT, one below nohup SIGHUP, and so would every process that a test starts and stops.
for name, usual in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
    number = getattr(signal, name, None)  # Windows has no SIGHUP
    if number and signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)

SHARED = Path(__file__).resolve().parents[2] / "shared"


# What takes longest goes first: two workers that share the rest then end at the same time.
SLOWEST = ["tests/test_colab.py", "nbs/0", "nbs/solutions", "tests/test_cli.py", "tests/test_packaging.py", "tests/test_processes.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by `SLOWEST`, and make nbval and nbdev agree.

    nbdev-clean removes execution counts, and nbval fails a cell that has outputs without one; the assertions inside
    the cells are what tests them, so the stored outputs are dropped. nbval does not know `#| eval: false`.
    """
    rank = lambda item: next((place for place, slow in enumerate(SLOWEST) if item.nodeid.startswith(slow)), len(SLOWEST))
    items.sort(key=rank)
    for item in items:
        cell = getattr(item, "cell", None)
        if cell is None:
            continue
        cell.outputs = []
        if "#| eval: false" in cell.source:
            item.add_marker(pytest.mark.skip(reason="#| eval: false"))


@pytest.fixture
def shared() -> Path:
    "The folder with real data sets beside the checkout; the test is skipped where there is none."
    if not (SHARED / "data").is_dir():
        pytest.skip("no real data beside the checkout")
    return SHARED


@pytest.fixture(autouse=True, scope="session")
def full_precision() -> Iterator[None]:
    "The tests compare sums to the last digits: here a CPU that computes in bfloat16 does not say so."
    torch = sys.modules.get("torch")
    with pytest.MonkeyPatch.context() as patch:
        if torch is not None:
            patch.setattr(torch.cpu, "get_capabilities", dict, raising=False)
        yield
