"Each chapter's training and its inference class on small checkpoints of the usual architectures."

import json
from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest
from datasets import Dataset
from small_checkpoints import DECODERS, ENCODERS, TRANSLATORS, save_checkpoint
from small_questions import make_questions
from transformers import EncoderDecoderModel

from course_lib import masked_lm, question_answering, training_loop, translation
from course_lib.answering import QuestionAnswerer
from course_lib.checkpoints import load_tokenizer
from course_lib.generation import CodeCompleter
from course_lib.profiles import CourseError

WORDS = "the cab was bad , a good film ran on and no one saw it".split()
CODES = {"nllb": "eng_Latn,fra_Latn"}


def sentences(count, length, seed=0):
    dice = np.random.default_rng(seed)
    return [" ".join(dice.choice(WORDS, length)) for _ in range(count)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    "Small data of each kind, in two splits."
    root, texts = tmp_path_factory.mktemp("architectures"), sentences(32, 4)
    kinds = {
        "pairs": {"sentence1": texts, "sentence2": sentences(32, 5, 1), "label": [0, 1] * 16},
        "texts": {"text": sentences(32, 30)},
        "translations": {"source": texts, "target": [text.upper() for text in texts]},
        "questions": make_questions(32).to_dict(),
    }
    for kind, columns in kinds.items():
        (root / kind).mkdir()
        rows = Dataset.from_dict(columns)
        rows.select(range(24)).to_parquet(root / kind / "train.parquet")
        rows.select(range(24, 32)).to_parquet(root / kind / "validation.parquet")
    return root


@pytest.fixture(scope="module")
def checkpoint(folder):
    "A function that gives the folder of an architecture's checkpoint."
    return cache(lambda kind: save_checkpoint(kind, folder / "checkpoints" / kind))


def train_and_save(chapter, data, checkpoint, out, **settings):
    "A few steps; the folder where the model is, and what the last evaluation said."
    chosen = replace(chapter.SETTINGS["tiny"], dataset=str(data), checkpoint=str(checkpoint), num_epochs=1, **settings)
    model, tokenizer, history = chapter.train(replace(chosen, batch_size=8), progress=False)
    assert np.isfinite([step["loss"] for step in history.steps]).all()
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    return str(out), history.evaluations[-1]


@pytest.mark.parametrize("kind", [*ENCODERS, *DECODERS, "t5", "mbart"])
def test_pairs_are_judged(folder, checkpoint, tmp_path, kind):
    saved, scores = train_and_save(training_loop, folder / "pairs", checkpoint(kind), tmp_path, max_length=48)
    assert 0 <= scores["accuracy"] <= 1
    judge, pairs = training_loop.PairClassifier.from_pretrained(saved), [("a cab", "bad , no"), ("the", "one")]
    alone = np.concatenate([judge([pair]) for pair in pairs])
    assert np.allclose(judge(pairs), alone, atol=1e-5), "padding is not read"
    assert np.isfinite(judge([("a cab " * 99, "b")])).all(), "what is too long is cut"


@pytest.mark.parametrize("whole_words", [False, True])
@pytest.mark.parametrize("kind", ENCODERS)
def test_holes_are_filled(folder, checkpoint, tmp_path, kind, whole_words):
    settings = {"chunk_size": 32, "whole_words": whole_words}
    saved, scores = train_and_save(masked_lm, folder / "texts", checkpoint(kind), tmp_path, **settings)
    fill = masked_lm.MaskFiller.from_pretrained(saved)
    assert scores["perplexity"] < 1.2 * len(fill.tokenizer)
    ((best, *_),) = fill(f"the cab was {fill.tokenizer.mask_token} on", k=2)
    assert 0 < best.probability < 1


@pytest.mark.parametrize("kind", TRANSLATORS)
def test_translations_are_written(folder, checkpoint, tmp_path, kind):
    settings = {"max_length": 40, "languages": "en,fr", "language_codes": CODES.get(kind)}
    saved, scores = train_and_save(translation, folder / "translations", checkpoint(kind), tmp_path, **settings)
    assert np.isfinite(scores["loss"])
    translate = translation.Translator.from_pretrained(saved, max_length=12)
    assert translate(["the cab was", "no one"])[1] == translate("no one")


def test_two_models_translate_once_they_are_told_how_to_begin(folder, checkpoint, tmp_path):
    bert, two = checkpoint("bert"), tmp_path / "two"
    EncoderDecoderModel.from_encoder_decoder_pretrained(bert, bert).save_pretrained(two)
    load_tokenizer(bert).save_pretrained(two)
    run = partial(train_and_save, translation, folder / "translations", two, tmp_path / "out", max_length=20)
    with pytest.raises(CourseError, match="decoder_start_token_id=None, pad_token_id=None"):
        run()
    config = json.loads((two / "config.json").read_text())
    config |= {"decoder_start_token_id": 2, "pad_token_id": 0, "eos_token_id": 3}
    (two / "config.json").write_text(json.dumps(config))
    assert isinstance(translation.Translator.from_pretrained(run()[0], max_length=9)("the cab"), str)


@pytest.mark.parametrize("kind", DECODERS)
def test_code_is_completed(checkpoint, kind):
    complete = CodeCompleter.from_pretrained(str(checkpoint(kind)))
    prompts = ["x = a", "", "for i in y: pass"]
    together = complete(prompts, max_new_tokens=5, whole_lines=False)
    assert together == [complete(prompt, max_new_tokens=5, whole_lines=False) for prompt in prompts]


@pytest.mark.parametrize("kind", [*ENCODERS, "gpt2", "t5", "mbart"])
def test_questions_are_answered(folder, checkpoint, tmp_path, kind):
    sizes = {"max_length": 48, "stride": 16}
    saved, scores = train_and_save(question_answering, folder / "questions", checkpoint(kind), tmp_path, **sizes)
    assert 0 <= scores["f1"] <= 100
    text = " a cab . b bad . " * 9
    reply = QuestionAnswerer.from_pretrained(saved, **sizes)("a", text)
    assert text[reply.start : reply.end] == reply.text == reply.text.strip() != ""
