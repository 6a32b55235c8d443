"Every chapter's `preprocess` and `fine_tune` on the split train alone: it trains, and nothing is evaluated."

import importlib
from dataclasses import replace

import pytest
from datasets import DatasetDict

from course_lib.causal_lm import new_model
from course_lib.checkpoints import load_model, load_tokenizer

SIZES = {"train_size": 12, "validation_size": 4, "batch_size": 8, "num_epochs": 1}
CHAPTERS = {  # module -> task of its model, further settings
    "training_loop": ("sequence-classification", {}),
    "masked_lm": ("masked-lm", {}),
    "translation": ("seq2seq", {}),
    "causal_lm": (None, {"keywords": None, "layers": 1, "width": 16, "heads": 2, "context_length": 32, "train_contexts": 12}),
    "question_answering": ("question-answering", {}),
    "adapters": ("sequence-classification", {}),
}


@pytest.mark.parametrize("name", CHAPTERS)
def test_training_needs_no_validation(name):
    chapter, (task, more) = importlib.import_module(f"course_lib.{name}"), CHAPTERS[name]
    settings = replace(chapter.SETTINGS["tiny"], **SIZES | more)
    data = DatasetDict(train=chapter.load(settings)["train"])
    tokenizer = load_tokenizer("mini/causal" if task is None else settings.checkpoint)
    rows = chapter.preprocess(data, tokenizer, settings)
    assert list(rows) == ["train"]
    model = load_model(task, settings.checkpoint) if task else new_model(settings, len(tokenizer))
    history = chapter.fine_tune(model, tokenizer, rows, settings, progress=False)
    assert history.steps
    assert not history.evaluations
