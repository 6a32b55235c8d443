"Chapter 2: perplexity, training and holes, against independent naive references."

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from complaints import complaint_of
from datasets import DatasetDict
from small_masked import TOKENIZER, make_chunks, small_model

from course_lib.checkpoints import check_fits, load_model, load_tokenizer, new_weights
from course_lib.data import load_data
from course_lib.loop import LoopConfig, fit
from course_lib.masked_lm import SETTINGS, MaskFiller, evaluate, fine_tune, preprocess, train
from course_lib.masking import MaskingCollator, freeze_masking, masked_lm_loss
from course_lib.processes import launch
from course_lib.profiles import CourseError

TINY = SETTINGS["tiny"]


@pytest.fixture(scope="module")
def chunks() -> DatasetDict:
    return make_chunks(train=120, validation=40)


# Perplexity


def naive_perplexity(model, dataset) -> float:
    "One row at a time, all logits, one hidden token at a time."
    losses = []
    for row in dataset:
        batch = {name: torch.tensor([values]) for name, values in row.items() if name != "labels"}
        with torch.no_grad():
            logits = model(**batch).logits[0].double().log_softmax(-1)
        losses += [-logits[place, label].item() for place, label in enumerate(row["labels"]) if label != -100]
    return math.exp(math.fsum(losses) / len(losses))


def test_perplexity_is_exact_for_any_batches(chunks):
    frozen, model = freeze_masking(chunks["validation"], TOKENIZER), small_model()
    expected = naive_perplexity(model, frozen)
    for rows in (frozen, frozen.select(list(range(len(frozen)))[::-1])):
        found = evaluate(model, None, rows)
        assert found["perplexity"] == pytest.approx(expected, rel=1e-6)
        assert math.exp(found["loss"]) == pytest.approx(expected, rel=1e-6)
    few = frozen.select([3])
    assert evaluate(model, None, few)["perplexity"] == pytest.approx(naive_perplexity(model, few), rel=1e-6)


@pytest.mark.parametrize("rate", [0.0, 1e-9])
def test_masks_that_hide_nothing_are_refused_before_the_first_step(chunks, rate):
    def step(model, batch):
        raise AssertionError("a step")

    chosen = replace(TINY, mask_rate=rate)
    said = complaint_of(CourseError, fine_tune, small_model(), TOKENIZER, chunks, chosen, loss_of=step)
    assert f"mask_rate={rate} hides no token" in said


def test_without_a_validation_split_nothing_is_evaluated(chunks):
    alone = DatasetDict(train=chunks["train"].select(range(9)))
    history = fine_tune(small_model(), TOKENIZER, alone, replace(TINY, num_epochs=1), progress=False)
    assert len(history.steps) == 1
    assert not history.evaluations


def test_perplexity_is_the_same_for_one_and_two_processes(chunks):
    frozen = freeze_masking(chunks["validation"], TOKENIZER)  # one batch: the second process has none

    def score():
        return [evaluate(small_model(), Accelerator(), rows) for rows in (frozen, freeze_masking(chunks["train"], TOKENIZER))]

    (alone,) = launch(score, num_processes=1)
    both = launch(score, num_processes=2)
    assert both[0] == both[1]
    assert all(found == pytest.approx(expected, rel=1e-6) for found, expected in zip(both[0], alone, strict=True))


@pytest.mark.parametrize("use", ["evaluate", "fill"])
def test_an_evaluation_that_fails_leaves_the_model_as_it_was(chunks, use):
    model, seen = small_model().train(), []

    def interrupt(module, args):
        seen.append((model.training, torch.is_inference_mode_enabled()))
        raise KeyboardInterrupt

    model.get_input_embeddings().register_forward_pre_hook(interrupt)
    frozen = freeze_masking(chunks["validation"], TOKENIZER)
    uses = {
        "evaluate": lambda: evaluate(model, None, frozen),
        "fill": lambda: MaskFiller(model, TOKENIZER)(["[MASK]"] * 5),
    }
    with pytest.raises(KeyboardInterrupt):
        uses[use]()
    assert seen == [(False, True)]
    assert model.training
    assert not torch.is_inference_mode_enabled()
    assert not model.get_output_embeddings()._forward_pre_hooks


# Training


def test_adaptation_lowers_perplexity_and_repeats(chunks):
    chosen, runs = replace(TINY, num_epochs=12, learning_rate=1e-2), []
    frozen = freeze_masking(chunks["validation"], TOKENIZER)
    for _ in range(2):
        model = small_model()
        history = fine_tune(model, TOKENIZER, chunks, chosen, progress=False)
        runs.append([record["perplexity"] for record in history.evaluations])
    assert runs[0] == runs[1], "the same seed gives the same perplexity twice"
    assert runs[0][-1] < 0.7 * evaluate(small_model(), None, frozen)["perplexity"]
    assert evaluate(model, None, frozen)["perplexity"] == pytest.approx(runs[0][-1], rel=1e-6)


def test_settings_and_options_reach_fit(chunks, monkeypatch):
    chosen = replace(TINY, num_epochs=7, warmup=0.3, mixed_precision="bf16", seed=5, whole_words=True)
    monkeypatch.setattr("course_lib.masked_lm.fit", lambda *args, **options: (*args, options))
    _, _, collate, config, options = fine_tune(small_model(), TOKENIZER, chunks, chosen)
    assert config == LoopConfig.from_settings(chosen)
    assert (config.num_epochs, config.warmup, config.mixed_precision, config.seed) == (7, 0.3, "bf16", 5)
    assert (collate.mask_rate, collate.whole_words, collate.seed) == (chosen.mask_rate, True, 5)
    assert options["evaluate"].func is evaluate
    own = {"evaluate": lambda model, accelerator: {"constant": 1.0}, "progress": False}
    assert fine_tune(small_model(), TOKENIZER, chunks, chosen, **own)[-1] == own | {"loss_of": masked_lm_loss}


def test_the_exam_is_in_full_precision_while_training_is_not(chunks):
    chosen = replace(TINY, num_epochs=1, mixed_precision="bf16")
    model, seen = small_model(), []
    model.get_output_embeddings().register_forward_hook(
        lambda module, args, output: seen.append((module.training, output.dtype))
    )
    history = fine_tune(model, TOKENIZER, chunks, chosen, progress=False)
    assert set(seen) == {(True, torch.bfloat16), (False, torch.float32)}
    frozen = freeze_masking(chunks["validation"], TOKENIZER, chosen.mask_rate, chosen.seed)
    assert history.evaluations[-1] | evaluate(model, None, frozen) == history.evaluations[-1]


class Stop(Exception):
    pass


class Watched(MaskingCollator):
    "Notes the epoch of each batch, and stops before the given one."

    def __init__(self, *args, stop: int | None = None, **options):
        super().__init__(*args, **options)
        self.seen, self.stop = [], stop

    def __call__(self, rows):
        if len(self.seen) == self.stop:
            raise Stop
        self.seen.append(self.epoch)
        return super().__call__(rows)


@pytest.mark.parametrize("whole", [False, True])
def test_a_resumed_run_masks_as_one_that_never_stopped(chunks, tmp_path, whole):
    config = LoopConfig(num_epochs=2, batch_size=8, learning_rate=1e-2)
    rows = chunks["train"].select(range(50))  # 7 steps in an epoch

    def run(stop: int | None = None, **options):
        model, collate = small_model(), Watched(TOKENIZER, whole_words=whole, stop=stop)
        history = fit(model, rows, collate, config, loss_of=masked_lm_loss, progress=False, **options)
        return history.to_dict(), [parameter.detach().clone() for parameter in model.parameters()], collate.seen

    expected, weights, seen = run()
    assert seen == 7 * [0] + 7 * [1]
    options = {"folder": tmp_path, "save_every": 3, "resume": True}
    with pytest.raises(Stop):
        run(11, **options)  # in the second epoch, after the state of step 9
    found, again, seen = run(**options)
    assert seen == 5 * [1]
    assert found == expected
    assert all(map(torch.equal, weights, again))


def test_chunks_that_the_model_cannot_read_and_checkpoints_without_a_mask_are_errors(tmp_path):
    small_model(max_position_embeddings=32).save_pretrained(tmp_path)
    TOKENIZER.save_pretrained(tmp_path)
    chosen = replace(TINY, checkpoint=str(tmp_path), train_size=4, validation_size=4, chunk_size=33)
    assert "chunk_size=33 does not fit the model; use 8 to 32" in complaint_of(CourseError, train, chosen)
    assert "mini/causal" in complaint_of(CourseError, train, replace(chosen, checkpoint="mini/causal"))


# Holes


def naive_fillers(model, text: str, k: int) -> list:
    encoded = TOKENIZER(text, return_tensors="pt")
    with torch.no_grad():
        probabilities = model(**encoded).logits[0].softmax(-1)
    found = []
    for place in (encoded["input_ids"][0] == TOKENIZER.mask_token_id).nonzero().flatten():
        values = probabilities[place].tolist()
        best = sorted(range(len(values)), key=lambda number: (-values[number], number))[:k]
        found.append([(TOKENIZER.decode([number]).strip(), values[number]) for number in best])
    return found


def test_fillers_are_those_of_one_text_at_a_time():
    model = small_model()
    fill, long = MaskFiller(model, TOKENIZER), "ab " * 25 + "[MASK]"
    texts = ["[MASK]", "a [MASK] bcd [MASK] .", "é日本 😀 e\u0301 [MASK]", "[MASK] [MASK] [MASK]", long, "a [MASK]"]
    for batch_size in (1, 2, 32):
        found = fill(texts, 3, batch_size)
        for holes, text in zip(found, texts, strict=True):
            for hole, expected in zip(holes, naive_fillers(model, text, 3), strict=True):
                assert [filler.token for filler in hole] == [token for token, _ in expected]
                assert [filler.probability for filler in hole] == pytest.approx([p for _, p in expected], abs=1e-5)
    alone = fill(texts[1], 3)
    assert [[filler.token for filler in hole] for hole in alone] == [[filler.token for filler in hole] for hole in found[1]]


def test_equally_likely_tokens_come_by_id():
    model = small_model()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    tokens = [filler.token for filler in MaskFiller(model, TOKENIZER)("[MASK]", 7)[0]]
    assert tokens == [TOKENIZER.decode([number]) for number in range(7)]


def test_texts_that_cannot_be_filled_are_errors():
    complaint = partial(complaint_of, CourseError, MaskFiller(small_model(), TOKENIZER))
    assert "'no hole' needs a hole, written [MASK]" in complaint(["[MASK]", "no hole"])
    assert "at most 64 tokens; it has 103" in complaint("a " * 100 + "[MASK]")
    assert "half a surrogate pair, at character 7" in complaint("[MASK] \ud83d")
    assert "Text 1 is None" in complaint(["[MASK]", None])


# Real data


def test_the_chapter_s_path_on_real_reviews(shared, tmp_path):
    raw = load_data(shared / "data" / "imdb", "texts", train_size=24, validation_size=8)
    tokenizer, model = load_tokenizer("mini/encoder"), load_model("masked-lm", "mini/encoder")
    assert new_weights(model) == []
    data = preprocess(raw, tokenizer, TINY)
    frozen = freeze_masking(data["validation"], tokenizer, TINY.mask_rate, TINY.seed)
    before = evaluate(model, None, frozen)["perplexity"]
    history = fine_tune(model, tokenizer, data, replace(TINY, batch_size=8, learning_rate=5e-4), progress=False)
    assert history.evaluations[-1]["perplexity"] < before
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    fill = MaskFiller.from_pretrained(str(tmp_path))
    assert np.isfinite([filler.probability for filler in fill("A great [MASK].")[0]]).all()


def test_a_checkpoint_without_a_head_is_noticed(shared):
    folder = shared / "models" / "minilm-l6"
    model, tokenizer = load_model("masked-lm", folder), load_tokenizer(folder)
    assert new_weights(model), "the head is new"
    check_fits(model, tokenizer, 128, "chunk_size")
    raw = load_data(shared / "data" / "imdb", "texts", train_size=2, validation_size=2)
    frozen = freeze_masking(preprocess(raw, tokenizer, TINY)["train"], tokenizer)
    assert evaluate(model, None, frozen)["perplexity"] > len(tokenizer) / 4, "random guesses among all tokens"
