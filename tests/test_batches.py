"Batches of similar length: every example once, the same for any number of processes."

import numpy as np
import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.batches import LengthGroupedBatches, own_batches, padding_share, token_lengths
from course_lib.profiles import CourseError


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(0, 500), min_size=1, max_size=300),
    st.integers(1, 40),
    st.integers(0, 5),
    st.integers(0, 3),
    st.sampled_from([None, 1, 3, 50]),
)
def test_batches_hold_every_index_once(lengths, batch_size, seed, epoch, window):
    sampler = LengthGroupedBatches(lengths, batch_size, seed, window=window)
    sampler.set_epoch(epoch)
    batches = list(sampler)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert len(batches) == len(sampler) == -(-len(lengths) // batch_size)
    sizes = [len(batch) for batch in batches]
    assert max(sizes) <= batch_size
    assert min(sizes) >= (batch_size // 2 if len(batches) > 1 else 1)
    assert list(sampler) == batches


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 4), st.integers(1, 200), st.integers(0, 3))
def test_processes_share_the_batches_of_one(processes, count, seed):
    lengths = np.random.default_rng(seed).integers(1, 100, count)
    alone = list(LengthGroupedBatches(lengths, 8, seed))
    if min(map(len, alone)) < processes:
        with pytest.raises(CourseError, match="without an example"):
            LengthGroupedBatches(lengths, 8, seed, num_processes=processes)
        return
    parts = [list(LengthGroupedBatches(lengths, 8, seed, process_index=i, num_processes=processes)) for i in range(processes)]
    for batch, *shares in zip(alone, *parts, strict=True):
        assert sorted(batch) == sorted(index for share in shares for index in share)
        assert all(shares)


def test_epochs_and_seeds_change_the_order():
    lengths = np.arange(1, 101)
    first, again, other = (LengthGroupedBatches(lengths, 8, seed) for seed in (0, 0, 1))
    assert list(first) == list(again) != list(other)
    again.set_epoch(1)
    assert list(first) != list(again)


def test_grouping_pads_less_than_chance():
    lengths = np.random.default_rng(0).integers(10, 100, 1000)
    grouped = padding_share(lengths, LengthGroupedBatches(lengths, 16).batches())
    random = padding_share(lengths, LengthGroupedBatches(lengths, 16, window=None).batches())
    assert grouped < random / 4


def test_padding_share_counts_every_place():
    lengths = np.array([1, 2, 3, 6])
    batches = [np.array([0, 1]), np.array([2, 3])]
    assert padding_share(lengths, batches) == pytest.approx(1 - 12 / 16)
    assert padding_share(lengths, batches, width=8) == pytest.approx(1 - 12 / 32)


def test_token_lengths_also_of_a_selection():
    chosen = Dataset.from_dict({"input_ids": [[0] * n for n in range(90)], "label": ["é"] * 90}).select([5, 3, 80, 3])
    assert token_lengths(chosen).tolist() == [len(ids) for ids in chosen["input_ids"]]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 50), max_size=40), st.integers(1, 7), st.integers(1, 4))
def test_processes_evaluate_everything_once(lengths, batch_size, world):
    class Process:
        num_processes = world

        def __init__(self, index):
            self.process_index = index

    shares = [own_batches(np.array(lengths, np.int64), batch_size, Process(index)) for index in range(world)]
    assert sorted(index for share in shares for batch in share for index in batch) == list(range(len(lengths)))
    (alone,) = ([lengths[index] for batch in own_batches(np.array(lengths, np.int64), batch_size) for index in batch],)
    assert alone == sorted(lengths, reverse=True)


def test_skipped_batches_are_the_first_ones():
    sampler = LengthGroupedBatches(np.arange(1, 40), 4, seed=3)
    sampler.set_epoch(2)
    whole = list(sampler)
    for start in (0, 1, 5, len(whole)):
        sampler.set_epoch(2, start)
        assert list(sampler) == whole[start:]
    assert len(sampler) == len(whole), "the length of an epoch does not depend on where it is begun"


def test_impossible_batches_are_errors():
    with pytest.raises(CourseError, match="nothing to train on"):
        LengthGroupedBatches([], 4)
    for size in (0, -1):
        with pytest.raises(AssertionError, match=f"batch_size={size}"):
            own_batches([3, 4], size)
