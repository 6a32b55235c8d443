"Chapter 5 from settings to answers: data, training in any number of processes, the answerer, cells of the notebook."

import dataclasses
import json
import tempfile
from functools import partial
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from complaints import complaint_of
from datasets import Dataset, DatasetDict
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from small_questions import decode_labels, make_questions, records, small_model
from small_tokenizers import TOKENIZERS, texts, word_pieces
from transformers import BertTokenizerFast, TrainingArguments

from course_lib import masked_lm
from course_lib.checkpoints import load_model, load_tokenizer
from course_lib.lessons import device
from course_lib.loop import LoopConfig, per_device
from course_lib.processes import launch
from course_lib.profiles import CourseError
from course_lib.question_answering import (
    SETTINGS,
    AnswerSettings,
    QuestionAnswerer,
    evaluate,
    fine_tune,
    load,
    preprocess,
    train,
)
from course_lib.spans import (
    NOTHING,
    prepare_train_features,
    span_loss,
)

complaint = partial(complaint_of, CourseError)
SMALL = AnswerSettings(
    "", "", max_length=20, stride=6, max_answer_length=4, num_epochs=1, batch_size=16, learning_rate=5e-3
)


@pytest.fixture
def tokenizer() -> BertTokenizerFast:
    return TOKENIZERS["word pieces"]


@pytest.fixture(scope="module")
def data() -> DatasetDict:
    raw = DatasetDict(train=make_questions(64), validation=make_questions(41, seed=1))
    return preprocess(raw, TOKENIZERS["word pieces"], SMALL)


# Training


def test_preprocess_keeps_the_held_out_questions_beside_their_windows(data):
    assert set(data) == {"train", "validation", "questions"}
    assert data["questions"].to_dict() == make_questions(41, seed=1).to_dict()
    assert set(data["validation"]["example_id"]) == set(data["questions"]["id"])
    assert {"start_positions", "end_positions"} <= set(data["train"].column_names)


def test_questions_that_cannot_be_used_are_an_error_or_left_out(tokenizer):
    rows = records(("a", "bad cab", "cab", 4), ("a", "bad cab", "cab", 3))
    raw = DatasetDict(train=Dataset.from_dict(rows), validation=make_questions(4))
    with pytest.raises(CourseError, match="not at 3"):
        preprocess(raw, tokenizer, SMALL)
    with pytest.warns(UserWarning, match="1 of 2 questions left out"):
        assert len(preprocess(raw, tokenizer, dataclasses.replace(SMALL, on_error="skip"))["train"]) == 1


def test_settings_and_options_reach_fit(data, tokenizer, monkeypatch):
    chosen = dataclasses.replace(SMALL, num_epochs=7, warmup=0.3, weight_decay=0.2, mixed_precision="bf16", seed=5)
    monkeypatch.setattr("course_lib.question_answering.fit", lambda *args, **options: (*args, options))
    model, _, _, config, options = fine_tune(small_model(), tokenizer, data, chosen)
    assert config == LoopConfig.from_settings(chosen)
    assert (config.num_epochs, config.warmup, config.weight_decay, config.seed) == (7, 0.3, 0.2, 5)
    assert config.mixed_precision == "bf16"
    assert options["evaluate"].func is evaluate
    own = {"evaluate": lambda model, accelerator: {"constant": 1.0}}
    assert fine_tune(model, tokenizer, data, chosen, **own)[-1] == own | {"loss_of": span_loss}


def step(model, batch):
    raise AssertionError("a step was made")


@pytest.mark.parametrize("changes", [{"n_best": 0}, {"max_answer_length": 0}], ids=str)
def test_what_the_search_refuses_is_refused_before_the_first_step(data, tokenizer, changes):
    chosen = dataclasses.replace(SMALL, **changes)
    assert "both must be at least 1" in complaint(fine_tune, small_model(), tokenizer, data, chosen, loss_of=step)
    assert fine_tune(small_model(), tokenizer, data, chosen, evaluate=None, progress=False).evaluations == []


@pytest.mark.parametrize("unanswerable", [False, True])
def test_an_id_that_occurs_twice_is_named_before_the_first_step(tokenizer, unanswerable):
    held_out = make_questions(6).to_dict()
    held_out["id"][4] = held_out["id"][1]
    raw = DatasetDict(train=make_questions(4), validation=Dataset.from_dict(held_out))
    said = complaint(preprocess, raw, tokenizer, dataclasses.replace(SMALL, unanswerable=unanswerable))
    assert "the id '1'" in said


def test_without_a_validation_split_nothing_is_evaluated(data, tokenizer):
    history = fine_tune(small_model(), tokenizer, DatasetDict(train=data["train"]), SMALL, progress=False)
    assert history.steps
    assert not history.evaluations


def test_scores_are_in_full_precision_while_training_is_not(data, tokenizer):
    chosen, model, seen = dataclasses.replace(SMALL, mixed_precision="bf16"), small_model(), []
    model.qa_outputs.register_forward_hook(lambda module, args, output: seen.append((module.training, output.dtype)))
    history = fine_tune(model, tokenizer, data, chosen, progress=False)
    assert set(seen) == {(True, torch.bfloat16), (False, torch.float32)}
    again = evaluate(model, None, data, tokenizer, chosen)
    assert history.evaluations[-1] | again == history.evaluations[-1]


def test_training_learns_and_evaluation_is_repeatable(data, tokenizer):
    model = small_model()
    before = evaluate(model, None, data, tokenizer, SMALL)
    history = fine_tune(model, tokenizer, data, dataclasses.replace(SMALL, num_epochs=12), progress=False)
    assert len(history.evaluations) == 12
    after = {name: history.evaluations[-1][name] for name in ("exact_match", "f1")}
    assert after == evaluate(model, None, data, tokenizer, SMALL)
    assert after["f1"] > before["f1"] + 10
    assert history.steps[-1]["loss"] < history.steps[0]["loss"]


def test_two_processes_give_the_scores_of_one(data, tokenizer):
    def run():
        model = small_model()
        history = fine_tune(model, tokenizer, data, dataclasses.replace(SMALL, num_epochs=2), progress=False)
        return history.to_dict() | {"alone": evaluate(model, Accelerator(), data, tokenizer, SMALL)}

    (one,), two = launch(run, num_processes=1), launch(run, num_processes=2)
    assert two[0] == two[1]
    assert [step["loss"] for step in two[0]["steps"]] == pytest.approx(
        [step["loss"] for step in one["steps"]], abs=1e-5
    )
    for left, right in zip([one["alone"], *one["evaluations"]], [two[0]["alone"], *two[0]["evaluations"]], strict=True):
        assert left == pytest.approx(right)


# The answerer


@pytest.fixture
def answerer(tokenizer) -> QuestionAnswerer:
    return QuestionAnswerer(small_model(), tokenizer, max_length=24, stride=6, max_answer_length=6)


@trials(max_examples=40, deadline=None)
@given(st.lists(st.tuples(texts, texts), max_size=5))
def test_answers_are_pieces_of_their_contexts(pairs):
    answerer = QuestionAnswerer(small_model(), TOKENIZERS["word pieces"], max_length=60, stride=6, max_answer_length=6)
    pairs = [(question[:20], context * 4) for question, context in pairs]
    found = answerer([question for question, _ in pairs], [context for _, context in pairs])
    ranked = answerer([question for question, _ in pairs], [context for _, context in pairs], top_k=3)
    assert len(found) == len(ranked) == len(pairs)
    for (_, context), answer, best in zip(pairs, found, ranked, strict=True):
        assert context[answer.start : answer.end] == answer.text
        assert 0 <= answer.score <= 1
        assert answer == (best[0] if best else NOTHING)
        assert [one.score for one in best] == sorted((one.score for one in best), reverse=True)
        assert len({(one.start, one.end) for one in best}) == len(best) <= 3
        assert all(context[one.start : one.end] == one.text for one in best)


def test_the_answerer_takes_one_or_many(answerer):
    context = "a cab . b bad . " * 40
    one = answerer("a", context)
    assert isinstance(one, tuple)
    assert answerer(["a", "b"], context) == answerer(["a", "b"], [context] * 2)
    assert answerer(["a", "b"], context)[0] == pytest.approx(one) or answerer(["a"], context) == [one]
    assert answerer("a", context, top_k=2)[0] == one
    assert answerer([], context) == answerer([], []) == []
    assert answerer("a", "") == NOTHING
    assert answerer("a", " \u200b ", top_k=2) == []
    for arguments, words in (
        ((["a"], ["b", "c"]), "1 questions for 2 contexts"),
        (("a", ["b", "c"]), "1 questions for 2 contexts"),
        (("a " * 60, context), "leaves room"),
    ):
        assert words in complaint(answerer, *arguments)
    unlimited = word_pieces()
    unlimited.model_max_length = int(1e30)
    assert QuestionAnswerer(small_model(), unlimited, stride=28).max_length == 128
    assert "tokens" in complaint(QuestionAnswerer, small_model(vocabulary=20), unlimited)


def test_the_answerer_comes_back_from_a_folder(answerer, tokenizer, tmp_path):
    answerer.model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    again = QuestionAnswerer.from_pretrained(tmp_path, max_length=24, stride=6, max_answer_length=6)
    context = "a cab . b bad . " * 10
    assert again("a", context)[0] == answerer("a", context)[0]
    answerer.model.bert.save_pretrained(tmp_path)
    assert "no head" in complaint(QuestionAnswerer.from_pretrained, tmp_path)


# Settings and the whole path


def test_the_profiles_can_be_run():
    for chosen in SETTINGS.values():
        assert chosen.stride < chosen.max_length <= 512
        assert chosen.unanswerable_dataset != chosen.dataset
        assert not chosen.unanswerable
    assert SETTINGS["tiny"].dataset == "mini/squad"


def test_train_goes_from_settings_to_a_model():
    chosen = dataclasses.replace(SETTINGS["tiny"], train_size=12, validation_size=8, batch_size=8)
    model, tokenizer, history = train(chosen, progress=False)
    assert len(history.steps) >= 3
    assert set(history.evaluations[-1]) == {"step", "epoch", "exact_match", "f1"}
    assert QuestionAnswerer(model, tokenizer)("Who was it?", "It was Ann.").text in "It was Ann."
    again = train(chosen, progress=False)[2]
    assert again == history, "the same seed, the same run"


def test_own_questions_in_squad_s_format(tmp_path):
    articles = []
    for number in range(6):
        context = f"Town {number} has {number + 3} bridges. Its mayor is Ann Lee."
        qas = [
            {"id": f"{number}-{k}", "question": "How many bridges?", "answers": [{"text": f"{number + 3}", "answer_start": 11}]}
            for k in range(2)
        ]  # fmt: skip
        articles.append({"title": f"Town {number}", "paragraphs": [{"context": context, "qas": qas}]})
    (tmp_path / "mine.json").write_text(json.dumps({"version": "1.1", "data": articles}), encoding="utf-8")
    chosen = dataclasses.replace(
        SETTINGS["tiny"],
        dataset=str(tmp_path / "mine.json"),
        split_by="title",
        validation_fraction=0.34,
        train_size=None,
    )
    data = load(chosen)
    sides = [{name.split("-")[0] for name in rows["id"]} for rows in data.values()]
    assert not sides[0] & sides[1]
    assert len(sides[1]) == 2
    history = train(chosen, progress=False)[2]
    assert 0 <= history.evaluations[-1]["f1"] <= 100


def test_the_chapter_s_path_on_real_questions(shared):
    chosen = AnswerSettings(
        str(shared / "data" / "squad"),
        str(shared / "models" / "minilm-l6"),
        split_by="title",
        train_size=24,
        validation_size=16,
        max_length=160,
        stride=64,
        num_epochs=1,
        batch_size=8,
        learning_rate=1e-4,
    )
    data = load(chosen)
    model, tokenizer, history = train(chosen, progress=False)
    assert 0 <= history.evaluations[-1]["f1"] <= 100
    marked = {text for text in decode_labels(preprocess(data, tokenizer, chosen)["train"], tokenizer) if text}
    spelled = {
        tokenizer.decode(tokenizer(row["answers"]["text"][0], add_special_tokens=False)["input_ids"])
        for row in data["train"]
    }
    assert marked <= spelled
    row = data["validation"][0]
    answer = QuestionAnswerer(model, tokenizer, max_length=160, stride=64)(row["question"], row["context"])
    assert row["context"][answer.start : answer.end] == answer.text


def test_real_labels_decode_to_their_answers(shared):
    data = load(AnswerSettings(str(shared / "data" / "squad"), "", split_by="title", train_size=400))["train"]
    tokenizer = load_tokenizer(shared / "models" / "minilm-l6")
    features = prepare_train_features(data, tokenizer, 384, 128)
    if len(features) == len(data):
        for text, row in zip(decode_labels(features, tokenizer), data, strict=True):
            answer = tokenizer.decode(tokenizer(row["answers"]["text"][0], add_special_tokens=False)["input_ids"])
            assert text is not None
            assert answer in text


def test_the_packaged_encoder_takes_the_head():
    model, tokenizer = load_model("question-answering", "mini/encoder"), load_tokenizer("mini/encoder")
    found = QuestionAnswerer(model, tokenizer)(["Who came?", "When?"], "Ann came on Friday. " * 300, top_k=2)
    assert [len(answers) for answers in found] == [2, 2]


def test_questions_and_contexts_that_are_no_text_are_named(tokenizer):
    answerer = QuestionAnswerer(small_model(), tokenizer, max_length=24, stride=6)
    assert "surrogate" in complaint(answerer, "who?", "ab \ud800 c")
    assert "Text 1 is None" in complaint(answerer, ["who?", None], "ab c")


# Cells of the notebook that a GPU or Colab sees differently

NOTEBOOKS = Path(__file__).parents[1] / "nbs"


def cell(words: str, chapter: str = "05_question_answering") -> str:
    "The only cell of the chapter with these words."
    cells = json.loads((NOTEBOOKS / f"{chapter}.ipynb").read_text(encoding="utf-8"))["cells"]
    (found,) = [source for each in cells if words in (source := "".join(each["source"]))]
    return found


@pytest.mark.parametrize("gpus", [0, 2])
def test_trainer_s_step_is_one_batch_on_several_gpus_too(monkeypatch, gpus):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    for chapter, settings in (("02_masked_lm", masked_lm.SETTINGS["tiny"]), ("05_question_answering", SETTINGS["tiny"])):
        space = {"settings": settings, "precision": "no", "tempfile": tempfile, "torch": torch}
        space |= {"TrainingArguments": TrainingArguments, "per_device": per_device, "device": device}
        exec(cell("arguments = TrainingArguments(", chapter), space)
        assert space["arguments"].per_device_train_batch_size * max(1, gpus) == settings.batch_size
