"Losses in value and gradient against sums over single tokens, and against all logits."

import math
import re

import pytest
import torch
from complaints import complaint_of
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import GPT2Config, GPT2LMHeadModel

from course_lib.checkpoints import load_tokenizer
from course_lib.heads import chunked_loss, find_key_tokens, head_loss, keytoken_weighted_loss
from course_lib.profiles import CourseError

SOME = settings(max_examples=60, deadline=None)


def small_model(size: int) -> GPT2LMHeadModel:
    torch.manual_seed(0)
    shape = {"n_positions": 64, "n_layer": 1, "n_embd": 16, "n_head": 2, "bos_token_id": 0, "eos_token_id": 0}
    return GPT2LMHeadModel(GPT2Config(vocab_size=size, initializer_range=0.2, **shape)).eval()


def weighted_naively(inputs, logits, ids, alpha):
    "Token by token, in float64."
    products = []
    for row in range(len(inputs)):
        losses = []
        for place in range(inputs.shape[1] - 1):
            scores = logits[row, place].double()
            losses.append(torch.log(torch.exp(scores).sum()) - scores[inputs[row, place + 1]])
        found = sum(1 for token in inputs[row].tolist() if token in set(ids))
        products.append(alpha * (1 + found) * sum(losses) / len(losses))
    return sum(products) / len(products)


batches = st.tuples(st.integers(1, 4), st.integers(2, 6), st.integers(2, 12), st.integers(0, 10**6))


@SOME
@given(batches, st.lists(st.integers(0, 15), max_size=6), st.floats(0, 5))
def test_keytoken_loss_equals_the_loops_in_value_and_gradient(shape, ids, alpha):
    rows, length, size, seed = shape
    dice = torch.Generator().manual_seed(seed)
    inputs = torch.randint(size, (rows, length), generator=dice)
    logits = (2 * torch.randn(rows, length, size, generator=dice)).requires_grad_()
    expected = weighted_naively(inputs, logits, ids, alpha)
    (gradient,) = torch.autograd.grad(3 * expected, logits)
    found = keytoken_weighted_loss(inputs, logits, ids, alpha)
    assert found.dtype == torch.float32
    assert abs(found.item() - expected.item()) < 1e-5 * max(1, abs(expected.item()))
    (ours,) = torch.autograd.grad(3 * found, logits)
    assert torch.allclose(ours, gradient.float(), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.float16])
def test_keytoken_loss_of_more_logits_than_one_block_has(kind):
    dice = torch.Generator().manual_seed(0)
    inputs = torch.randint(20_011, (3, 60), generator=dice)
    logits = 60 * torch.randn(3, 60, 20_011, generator=dice)  # far apart: the right token's probability may be 0
    logits = logits.to(kind).requires_grad_()
    expected = weighted_naively(inputs, logits, [5], 0.5)
    found = keytoken_weighted_loss(inputs, logits, [5], 0.5)
    assert found.dtype == torch.float32
    assert torch.isclose(found.double(), expected, rtol=1e-5)
    (gradient,), (ours,) = (torch.autograd.grad(loss, logits) for loss in (expected, found))
    assert ours.dtype == kind
    assert torch.allclose(ours.float(), gradient.float(), atol=1e-7 if kind == torch.float32 else 1e-4)
    assert not ours[:, -1].any()


@SOME
@given(st.sampled_from([1, 7, 1024, 1025, 2300]), st.integers(2, 5000), st.floats(0, 5), st.integers(0, 10**6))
def test_head_loss_equals_full_logits(rows, size, alpha, seed):
    dice = torch.Generator().manual_seed(seed)
    hidden, weight = (torch.randn(*shape, generator=dice).requires_grad_() for shape in ((rows, 5), (size, 5)))
    targets = torch.randint(size, (rows,), generator=dice)
    shares = torch.rand(rows, generator=dice) * alpha / rows
    found = head_loss(hidden, weight, targets, shares)
    expected = (F.cross_entropy(hidden @ weight.T, targets, reduction="none") * shares).sum()
    assert torch.isclose(found, expected, atol=1e-5, rtol=1e-5)
    gradients = [torch.autograd.grad(2 * loss, (hidden, weight)) for loss in (found, expected)]
    for ours, theirs in zip(*gradients, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_tiny_gradients_do_not_vanish_in_half_precision(kind):
    torch.manual_seed(0)
    hidden, weight = torch.randn(300, 32, requires_grad=True), (torch.randn(500, 32) / 6).requires_grad_()
    targets, shares = torch.randint(500, (300,)), torch.full((300,), 1e-6)
    exact = torch.autograd.grad(head_loss(hidden, weight, targets, shares), (hidden, weight))
    with torch.autocast("cpu", kind):
        loss = head_loss(hidden, weight, targets, shares)
    rough = torch.autograd.grad(loss, (hidden, weight))
    for one, two in zip(exact, rough, strict=True):
        assert two.dtype == torch.float32
        assert (one - two).norm() < 0.02 * one.norm()


@pytest.mark.parametrize("half", [False, True])
def test_chunked_loss_trains_like_the_whole_model(half):
    model, ids, alpha = small_model(50), [3, 4, 7], 0.5
    batch = {"input_ids": torch.randint(50, (3, 12), generator=torch.Generator().manual_seed(1))}

    def gradients(loss):
        model.zero_grad()
        loss.backward()
        return torch.cat([p.grad.flatten() for p in model.parameters()])

    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        logits = model(**batch).logits
        full = keytoken_weighted_loss(batch["input_ids"], logits, ids, alpha)
        chunked = chunked_loss(model, batch, ids, alpha)
        plain = chunked_loss(model, batch)
    tolerance = 3e-2 if half else 1e-5
    assert math.isclose(chunked.item(), full.item(), rel_tol=tolerance)
    expected = gradients(full)
    assert (gradients(chunked) - expected).norm() < tolerance * expected.norm()
    library = model(**batch, labels=batch["input_ids"]).loss
    assert math.isclose(plain.item(), library.item(), rel_tol=tolerance)


class NothingReadBack(TorchDispatchMode):
    "Fails where a value of a tensor becomes a number of Python's, or decides a shape: the host waits for a GPU there."

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        name = str(function.overloadpacket)
        assert not re.search("local_scalar|nonzero|masked_select|equal$|unique", name), name
        if name == "aten.index":
            assert not any(index is not None and index.dtype == torch.bool for index in arguments[1]), "a mask as index"
        return function(*arguments, **(options or {}))


def test_training_reads_nothing_back_from_the_device():
    model, ids = small_model(50), torch.randint(50, (2, 12))
    logits = torch.zeros(2, 12, 50, requires_grad=True)
    with NothingReadBack():
        chunked_loss(model, {"input_ids": ids}, range(40), 0.5).backward()
        keytoken_weighted_loss(ids, logits, [3, 4]).backward()
    assert model.get_output_embeddings().weight.grad.any()


def test_key_tokens():
    tokenizer = load_tokenizer("mini/causal")
    ids, cut = find_key_tokens(tokenizer, "plt fit Größenwahn")
    assert {"plt", " plt", "fit", " fit"} & set(ids)
    assert all(tokenizer.decode([number]) == text for text, number in ids.items())
    assert {*ids, *cut} == {f"{blank}{word}" for word in ("plt", "fit", "Größenwahn") for blank in ("", " ")}
    assert len(cut["Größenwahn"]) > 1
    assert "qqqzzz" in complaint_of(CourseError, find_key_tokens, tokenizer, "qqqzzz zzzqqq")
    assert find_key_tokens(tokenizer, "") == find_key_tokens(tokenizer, None) == ({}, {})
