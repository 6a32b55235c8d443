"""Statistical word alignment by EM, in NumPy: which source token does a target token translate?

The model is IBM 1 with a prior that favours the diagonal (Dyer, Chahuneau and Smith, 2013), run in both directions.
A target token's counterpart is the source token with the largest product of the two posteriors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NULL_SHARE = 0.08  # prior probability that a token translates nothing
SHARPNESS = 5.0  # of the diagonal: exp(-SHARPNESS * |i/m - j/n|)


@dataclass
class Cells:
    """All cells (target position, source position) of a block of pairs, in one row: pair by pair, target by target."""

    source: np.ndarray  # (cells,) source token id
    target: np.ndarray  # (cells,) target token id
    distance: np.ndarray  # (cells,) float32, |i/m - j/n|
    by_target: np.ndarray  # (target tokens,) where the cells of each target token start
    by_source: np.ndarray  # (cells,) which source token of the block a cell belongs to
    widths: np.ndarray  # (target tokens,) number of source tokens it may come from


def make_cells(sources: np.ndarray, source_starts: np.ndarray, targets: np.ndarray, target_starts: np.ndarray) -> Cells:
    """Cells of pairs given as flat token arrays; `starts` holds one more entry than there are pairs."""
    m, n = np.diff(source_starts), np.diff(target_starts)
    widths = np.repeat(m, n)  # per target token
    pair = np.repeat(np.arange(len(m)), n)
    by_target = np.concatenate([[0], np.cumsum(widths)])
    j = np.arange(by_target[-1]) - np.repeat(by_target[:-1], widths)  # source position of each cell
    at = j + np.repeat(source_starts[:-1][pair] - source_starts[0], widths)
    i = np.arange(len(widths)) - (target_starts[:-1] - target_starts[0])[pair]
    relative = np.repeat(((i + 0.5) / n[pair]).astype(np.float32), widths)
    distance = np.abs(relative - ((j + 0.5) / np.repeat(widths, widths)).astype(np.float32))
    tokens = slice(source_starts[0], source_starts[-1])
    return Cells(
        sources[tokens][at],
        np.repeat(targets[target_starts[0] : target_starts[-1]], widths),
        distance,
        by_target[:-1],
        at,
        widths,
    )


def align(
    sources: np.ndarray,
    source_starts: np.ndarray,
    targets: np.ndarray,
    target_starts: np.ndarray,
    vocab_size: int,
    iterations: int = 5,
    block: int = 8_000,
) -> tuple[np.ndarray, np.ndarray]:
    """Counterpart (int16, a position in its source) and confidence (float32 in 0..1) per target token.

    `sources` and `targets` are flat token ids; pair k spans `starts[k]:starts[k + 1]`, no side empty.
    """
    count = len(source_starts) - 1
    blocks = [(a, min(a + block, count)) for a in range(0, count, block)]
    cells = [make_cells(sources, source_starts[a : b + 1], targets, target_starts[a : b + 1]) for a, b in blocks]
    keys = [c.source.astype(np.int64) * vocab_size + c.target for c in cells]
    table_keys = np.unique(np.concatenate(keys))
    index = [np.searchsorted(table_keys, k).astype(np.int32) for k in keys]
    del keys
    rows, columns = table_keys // vocab_size, table_keys % vocab_size
    priors = [np.exp(-SHARPNESS * c.distance) for c in cells]
    forward = np.ones(len(table_keys), np.float32)  # t(target | source)
    backward = np.ones(len(table_keys), np.float32)  # t(source | target)
    posteriors: list[tuple[np.ndarray, np.ndarray]] = []
    frequency = np.bincount(targets, minlength=vocab_size) / len(targets)
    source_frequency = np.bincount(sources, minlength=vocab_size) / len(sources)
    for iteration in range(iterations):
        counts = [np.zeros(len(table_keys)), np.zeros(len(table_keys))]
        for c, where, prior in zip(cells, index, priors, strict=True):
            a, b = forward[where] * prior, backward[where] * prior
            if iteration == 0:
                null_a = null_b = 0.0
            else:
                # A token from nothing has its own relative frequency.
                null_a = NULL_SHARE * frequency[targets_of(c)] * np.add.reduceat(prior, c.by_target)
                null_b = NULL_SHARE * source_frequency[first_of(c)] * np.bincount(c.by_source, prior)
            a /= np.repeat(np.add.reduceat(a, c.by_target) + null_a + 1e-30, c.widths)
            b /= (np.bincount(c.by_source, b) + null_b + 1e-30)[c.by_source]
            counts[0] += np.bincount(where, a, len(table_keys))
            counts[1] += np.bincount(where, b, len(table_keys))
            if iteration == iterations - 1:
                posteriors.append((a, b))
        forward = normalised(counts[0], rows, vocab_size)
        backward = normalised(counts[1], columns, vocab_size)
    positions, confidences = [], []
    for c, (a, b) in zip(cells, posteriors, strict=True):
        both = np.sqrt(a * b)
        best = np.maximum.reduceat(both, c.by_target)
        is_best = both == np.repeat(best, c.widths)
        cell = np.flatnonzero(is_best)
        # Ties go to the first source token.
        token = np.searchsorted(c.by_target, cell, side="right") - 1
        first = np.unique(token, return_index=True)[1]
        positions.append((cell[first] - c.by_target).astype(np.int16))
        confidences.append(best.astype(np.float32))
    return np.concatenate(positions), np.concatenate(confidences)


def targets_of(c: Cells) -> np.ndarray:
    return c.target[c.by_target]


def first_of(c: Cells) -> np.ndarray:
    """Token id per source token of the block."""
    ids = np.zeros(int(c.by_source.max()) + 1, np.int64)
    ids[c.by_source] = c.source
    return ids


def normalised(counts: np.ndarray, groups: np.ndarray, size: int) -> np.ndarray:
    """Counts as shares of their group; the groups are made a little larger, so that rare tokens explain less."""
    counts = np.maximum(counts, 1e-12)
    return (counts / (np.bincount(groups, counts, size)[groups] + 0.1)).astype(np.float32)
