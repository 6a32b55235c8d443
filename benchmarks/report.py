"""The rows as a table, as JSON, as Markdown and as a picture."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.harness import Row, describe
from course_lib.profiles import CourseError
from course_lib.results import write_atomically

COLUMNS = ("#", "item", "size", "naive", "ours", "ratio", "target", "bound", "ours / bound", "notes")


def number(value: float) -> str:
    "Three significant digits, without exponents."
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    text = f"{value:.3g}"
    return text if "e" not in text else f"{value:.6f}".rstrip("0")


def quantity(value: float, unit: str) -> str:
    "Seconds, as ms below one of them, or megabytes."
    return f"{number(value * 1000)} ms" if unit == "s" and value < 1 else f"{number(value)} {unit}"


def target_text(row: Row) -> str:
    "What the row has to reach, as people write it."
    return f"{number(row.target)}×" if row.limit is None else f"at most {quantity(row.limit, row.unit)}"


def cells(row: Row) -> list[str]:
    "One text for each of `COLUMNS`."
    bound = "–" if row.bound is None else f"{quantity(row.bound, row.unit)} ({row.bound_of})"
    return [
        str(row.number or ""),
        row.item,
        row.size,
        quantity(row.naive, row.unit),
        quantity(row.ours, row.unit),
        f"{number(row.ratio)}×",
        target_text(row) + ("" if row.met else ", missed"),
        bound,
        "–" if row.distance is None else f"{number(row.distance)}×",
        ", ".join(f"{key} {value}" for key, value in row.notes.items()),
    ]


def to_json(rows: Sequence[Row], facts: dict[str, Any]) -> str:
    "Machine and rows; ratios are there to be read, `from_json` computes them anew."
    derived = [{"ratio": row.ratio, "distance": row.distance, "met": row.met} for row in rows]
    both = [asdict(row) | more for row, more in zip(rows, derived, strict=True)]
    return json.dumps({"machine": facts, "rows": both}, indent=2, ensure_ascii=False) + "\n"


def from_json(path: Path) -> tuple[list[Row], dict[str, Any]]:
    "What `to_json` wrote. Raises `CourseError` for a file that is not of that kind."
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        derived = ("ratio", "distance", "met")
        rows = [Row(**{key: value for key, value in row.items() if key not in derived}) for row in found["rows"]]
        return rows, found["machine"]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CourseError(
            f"{path} holds no benchmark rows ({type(error).__name__}: {error}). Make it with --json."
        ) from None


def markdown(columns: Sequence[str], lines: Iterable[Sequence[str]], note: str) -> str:
    "A table, and a line of text below it."
    texts = [columns, ["---"] * len(columns), *lines]
    table = ["| " + " | ".join(text.replace("|", "\\|") for text in line) + " |" for line in texts]
    return "\n".join([*table, "", note]) + "\n"


def to_markdown(rows: Sequence[Row], facts: dict[str, Any]) -> str:
    "A table for a README, and below it the machine."
    reached = sum(row.met for row in rows)
    return markdown(COLUMNS, map(cells, rows), f"{reached} of {len(rows)} targets reached. {describe(facts)}.")


def draw(rows: Sequence[Row], facts: dict[str, Any], path: Path) -> Path:
    "A bar per row for the ratio, a mark for the target, on a logarithmic scale, as a PNG. Returns the path."
    import textwrap

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    path.parent.mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=(9, 1.6 + 0.3 * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    places = range(len(rows))
    # A limit in seconds is, on this machine, a ratio too.
    targets = [row.target if row.limit is None else row.naive / row.limit for row in rows]
    colours = ["#3a7ca5" if row.met else "#c8553d" for row in rows]
    axes.barh(places, [row.ratio - 1 for row in rows], left=1, color=colours, height=0.62)
    axes.vlines(targets, [p - 0.42 for p in places], [p + 0.42 for p in places], colors="black", lw=2, label="target")
    for place, row, target in zip(places, rows, targets, strict=True):
        axes.text(1.08 * max(row.ratio, target, 1), place, f"{number(row.ratio)}×", va="center", fontsize=8)
    highest = max([*(row.ratio for row in rows), *targets, 1.0])
    lowest = min([*(row.ratio for row in rows), *targets, 1.0])
    axes.set(xscale="log", xlim=(0.8 * lowest, 2.5 * highest), ylim=(len(rows) - 0.4, -0.6))
    axes.set_yticks(places, [f"{row.number or ''} {row.item}".strip() for row in rows], fontsize=8)
    axes.set_xlabel("times less than the naive way (logarithmic)")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}×" if value >= 1 else f"{value:g}×")
    axes.axvline(1, color="grey", lw=0.8)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle("Ours against the naive way", fontsize=12)
    figure.supxlabel("\n".join(textwrap.wrap(describe(facts), 120)), fontsize=7, color="dimgrey")
    figure.savefig(path, dpi=110)
    return path


def save_json(rows: Sequence[Row], facts: dict[str, Any], path: Path) -> Path:
    "Write what `from_json` reads."
    return write_atomically(path, to_json(rows, facts))
