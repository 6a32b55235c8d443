"""Chapter 3: pairs of any languages, scores, training and the translator, against independent naive references."""

import csv
import json
import math
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from complaints import complaint_of
from datasets import Dataset, DatasetDict, disable_progress_bars
from hypothesis import given, settings
from hypothesis import strategies as st
from test_generation import HARD, one_by_one, small_model
from transformers import DataCollatorForSeq2Seq, MarianConfig, MarianMTModel

from course_lib import generation, translation
from course_lib.checkpoints import load_model, load_tokenizer
from course_lib.generation import decode_predictions, generate_all
from course_lib.loop import LoopConfig
from course_lib.metrics import bleu_scores, load_metric
from course_lib.processes import launch
from course_lib.profiles import CourseError, load_settings
from course_lib.translation import SETTINGS, Translator, evaluate, fine_tune, load, preprocess, train

disable_progress_bars()
TINY = SETTINGS["tiny"]


@pytest.fixture(scope="module")
def mini():
    return load_model("seq2seq", "mini/seq2seq"), load_tokenizer("mini/seq2seq")


def of_pairs(source: list[str], target: list[str], split: str = "train", **columns: list) -> DatasetDict:
    return DatasetDict({split: Dataset.from_dict({"source": source, "target": target, **columns})})


# Pairs


@pytest.mark.parametrize(
    ("source", "target", "part"),
    [
        (["Open", "Save"], ["Ouvrir", " \u3000"], "train: row 1 has no target for 'Save'"),
        (["", "Save"], ["Ouvrir", "x"], "train: row 0 has no source for 'Ouvrir'"),
    ],
)
def test_a_missing_side_is_named(mini, source, target, part):
    assert part in complaint_of(CourseError, preprocess, of_pairs(source, target), mini[1], TINY)


def test_a_pair_of_two_blanks_is_no_missing_side(mini):
    found = preprocess(of_pairs(["", "Open"], ["", "Ouvrir"]), mini[1], TINY)["train"]
    assert found[0]["input_ids"] == found[0]["labels"] == [mini[1].eos_token_id]
    assert sorted(found.column_names) == ["attention_mask", "input_ids", "labels"]


def test_foreign_columns_stay_behind_and_validation_keeps_its_references(mini):
    given = of_pairs(["Open"], ["Ouvrir"], context=["a"]) | of_pairs(
        ["Save"], ["Enregistrer"], "validation", context=["b"]
    )
    made = preprocess(DatasetDict(given), mini[1], TINY)
    assert sorted(made["train"].column_names) == ["attention_mask", "input_ids", "labels"]
    assert made["validation"]["target"][:] == ["Enregistrer"]


def test_the_longest_is_cut_with_its_end_token(mini):
    found = preprocess(of_pairs(["a b c " * 100], ["x y z " * 100]), mini[1], replace(TINY, max_length=16))["train"]
    assert len(found[0]["input_ids"]) == len(found[0]["labels"]) == sum(found[0]["attention_mask"]) == 16
    assert found[0]["input_ids"][-1] == found[0]["labels"][-1] == mini[1].eos_token_id


def test_the_decoder_sees_the_labels_one_place_later(mini):
    model, tokenizer = mini
    rows = preprocess(of_pairs(["Open the file", "x"], ["Ouvrir le fichier", "y"]), tokenizer, TINY)["train"]
    batch = DataCollatorForSeq2Seq(tokenizer, model=model)(list(rows))
    for labels, seen in zip(batch["labels"].tolist(), batch["decoder_input_ids"].tolist(), strict=True):
        shown = [model.config.pad_token_id if label == -100 else label for label in labels]
        assert seen == [model.config.decoder_start_token_id, *shown[:-1]]


# Scores


def naive_bleu(predictions: list[str], references: list[str]) -> float:
    "Papineni et al. (2002), words cut at blanks; an n that matches nowhere counts 1/2, 1/4 … matches."
    logs, smooth, made, wanted = 0.0, 1.0, 0, 0
    for prediction, reference in zip(predictions, references, strict=True):
        made, wanted = made + len(prediction.split()), wanted + len(reference.split())
    for n in range(1, 5):
        match = total = 0
        for prediction, reference in zip(predictions, references, strict=True):
            words, other = prediction.split(), reference.split()
            runs = Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
            known = Counter(tuple(other[i : i + n]) for i in range(len(other) - n + 1))
            match += sum(min(count, known[run]) for run, count in runs.items())
            total += sum(runs.values())
        if total == 0:
            return 0.0
        if match == 0:
            smooth *= 2
            logs += math.log(1 / (smooth * total))
        else:
            logs += math.log(match / total)
    return 100 * math.exp(logs / 4) * (1 if made >= wanted else math.exp(1 - wanted / made))


sentences = st.lists(st.sampled_from("abcde"), min_size=1, max_size=9).map(" ".join)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(sentences, sentences), min_size=1, max_size=5))
def test_bleu_counts_runs_of_words(pairs):
    predictions, references = map(list, zip(*pairs, strict=True))
    if not any(set(p.split()) & set(r.split()) for p, r in pairs):
        return  # without any match sacrebleu gives 0 at once
    found = bleu_scores(predictions, references, tokenizer="none")
    assert found["bleu"] == pytest.approx(naive_bleu(predictions, references))


def naive_chrf(prediction: str, reference: str) -> float:
    "Popović (2015), runs of 1 to 6 characters without blanks, recall counts twice, for a single text."
    made, wanted, rates = prediction.replace(" ", ""), reference.replace(" ", ""), []
    for n in range(1, 7):
        mine = Counter(made[i : i + n] for i in range(len(made) - n + 1))
        other = Counter(wanted[i : i + n] for i in range(len(wanted) - n + 1))
        if mine and other:
            match = sum((mine & other).values())
            rates.append((match / sum(mine.values()), match / sum(other.values())))
    precision, recall = np.mean(rates, axis=0) if rates else (0, 0)
    return 100 * 5 * precision * recall / (4 * precision + recall) if precision else 0.0


@settings(max_examples=60, deadline=None)
@given(sentences, sentences)
def test_chrf_counts_runs_of_characters(prediction, reference):
    assert bleu_scores([prediction], [reference])["chrf"] == pytest.approx(naive_chrf(prediction, reference), abs=1e-6)


def test_scores_name_how_they_were_computed():
    found = bleu_scores(["été 日本 😀", ""], ["été 日本 😀", "x"])
    assert "tok:13a" in found["signature"]
    assert "nrefs:1" in found["signature"]
    assert "nc:6" in found["chrf_signature"]
    assert "nrefs:2" in bleu_scores(["a"], [["a", "b"]])["signature"]


def test_the_best_of_several_references_counts():
    both = bleu_scores(["a b c d"], [["e f g h", "a b c d"]])["bleu"]
    assert both == pytest.approx(100)
    assert bleu_scores(["a b c d"], ["e f g h"])["bleu"] < 50


@pytest.mark.parametrize(
    ("predictions", "references", "part"),
    [
        (["a"], ["a", "b"], "1 predictions for 2 references"),
        ([], [], "no references"),
        ("ab", ["a", "b"], "give a list"),
        (["a"], "a", "give a list"),
    ],
)
def test_what_cannot_be_scored_is_named(predictions, references, part):
    assert part in complaint_of(CourseError, bleu_scores, predictions, references)


def test_an_unknown_way_to_cut_words_is_named():
    assert "Did you mean '13a'" in complaint_of(CourseError, bleu_scores, ["a"], ["a"], tokenizer="13b")


def test_the_metric_object_gives_the_same():
    metric = load_metric("bleu")
    for made, wanted in (("Ouvrir le fichier", "Ouvrir un fichier"), ("Fermer", "Fermer")):
        metric.add_batch(predictions=[made], references=[wanted])
    assert metric.compute() == bleu_scores(["Ouvrir le fichier", "Fermer"], ["Ouvrir un fichier", "Fermer"])


# Evaluating


@pytest.fixture(scope="module")
def held_out(mini) -> Dataset:
    "Thirteen pairs: no multiple of a batch or of two processes."
    sources = ["Open", "Save the file", "Close", "Run all cells", "Delete %1", "New folder", "Restart the kernel"]
    sources += ["The file could not be found.", "Copy", "Paste", "Undo", "Number of columns:", "Print the page"]
    targets = ["Ouvrir", "Enregistrer le fichier", "Fermer", "Exécuter toutes les cellules", "Supprimer %1"]
    targets += ["Nouveau dossier", "Redémarrer le noyau", "Le fichier est introuvable.", "Copier", "Coller", "Annuler"]
    targets += ["Nombre de colonnes :", "Imprimer la page"]
    return preprocess(of_pairs(sources, targets, "validation"), mini[1], TINY)["validation"]


def test_evaluation_against_one_by_one(mini, held_out):
    model, tokenizer = mini
    collate = DataCollatorForSeq2Seq(tokenizer, model=model)
    total, count = 0.0, 0
    made = decode_predictions(one_by_one(model, held_out["input_ids"], max_length=32), tokenizer)
    with torch.no_grad():
        for row in held_out.remove_columns("target"):
            logits = model(**{name: tensor for name, tensor in collate([row]).items() if name != "labels"}).logits[0]
            for label, scores in zip(row["labels"], logits.double().log_softmax(-1), strict=True):
                total, count = total - scores[label].item(), count + 1
    found = evaluate(model, None, held_out, tokenizer, replace(TINY, max_length=32))
    wanted = bleu_scores(made, held_out["target"][:])
    assert (found["bleu"], found["chrf"]) == (wanted["bleu"], wanted["chrf"])
    assert found["loss"] == pytest.approx(total / count, rel=1e-5)


def test_any_number_of_processes_gives_the_same_scores(mini, held_out):
    def score():
        wanted = [replace(TINY, max_length=20, num_beams=beams) for beams in (None, 2)]
        return [evaluate(mini[0], Accelerator(), held_out, mini[1], settings) for settings in wanted]

    one, *two = [result for count in (1, 2) for result in launch(score, num_processes=count, cpu=True)]
    for other in two:
        for mine, theirs in zip(one, other, strict=True):
            assert (mine["bleu"], mine["chrf"]) == (theirs["bleu"], theirs["chrf"])
            assert mine["loss"] == pytest.approx(theirs["loss"], rel=1e-5)


# Any language pair, from any file

PAIRS = [(f"{verb} the {noun} %{number}", f"%{number} {noun} {verb}!") for number, verb in enumerate(["öffne", "保存", "打开", "удали"]) for noun in ("file", "cell", "ячейку", "😀")]  # fmt: skip


def write_moses(folder: Path) -> Path:
    for code, side in (("xx", 0), ("yy", 1)):
        (folder / f"train.{code}").write_text("".join(pair[side] + "\n" for pair in PAIRS), encoding="utf-8")
    return folder


def write_zip(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "xx-yy.zip", "w") as archive:
        for code, side in (("xx", 0), ("yy", 1)):
            archive.writestr(f"KDE4.xx-yy.{code}", "".join(pair[side] + "\n" for pair in PAIRS))
    return folder / "xx-yy.zip"


def write_po(folder: Path) -> Path:
    entries = "".join(f'msgid "{source}"\nmsgstr "{target}"\n\n' for source, target in PAIRS)
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    (folder / "yy.po").write_text(header + entries, encoding="utf-8")
    return folder / "yy.po"


def write_jsonl(folder: Path) -> Path:
    rows = [json.dumps({"translation": {"xx": source, "yy": target}}, ensure_ascii=False) for source, target in PAIRS]
    (folder / "pairs.jsonl").write_text("\n".join(rows), encoding="utf-8")
    return folder / "pairs.jsonl"


def write_csv(folder: Path) -> Path:
    with open(folder / "pairs.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("xx", "yy"), *PAIRS])
    return folder / "pairs.csv"


WRITERS = [write_moses, write_zip, write_po, write_jsonl, write_csv]


@pytest.mark.parametrize("write", WRITERS)
def test_pairs_come_from_any_kind_of_file(tmp_path, write):
    data = load(replace(TINY, dataset=str(write(tmp_path)), languages="xx,yy"))
    found = [(row["source"], row["target"]) for split in data.values() for row in split]
    assert sorted(found) == sorted(PAIRS)


@pytest.fixture(scope="module")
def small_checkpoint(tmp_path_factory, mini) -> str:
    "A folder with a model that learns in seconds, and the packaged tokenizer."
    folder = tmp_path_factory.mktemp("checkpoint")
    torch.manual_seed(0)
    sizes = {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2}
    sizes |= {"decoder_attention_heads": 2, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "dropout": 0.0}
    special = {"pad_token_id": 2, "eos_token_id": 0, "decoder_start_token_id": 2, "bos_token_id": None}
    config = MarianConfig(
        vocab_size=len(mini[1]), decoder_vocab_size=len(mini[1]), max_position_embeddings=128, forced_eos_token_id=None,
        **sizes, **special,
    )  # fmt: skip
    MarianMTModel(config).save_pretrained(folder)
    mini[1].save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize("write", [write_moses, write_po])
def test_training_on_any_pair_of_languages_by_settings_alone(tmp_path, small_checkpoint, write):
    changes = f"dataset={write(tmp_path)} checkpoint={small_checkpoint} languages=xx,yy num_epochs=12 max_length=48"
    changes += " batch_size=4 learning_rate=5e-3"
    settings = load_settings(SETTINGS, "tiny", {"COURSE_SET": changes})
    model, tokenizer, history = train(settings, progress=False)
    losses = [step["loss"] for step in history.steps]
    assert np.mean(losses[-4:]) < np.mean(losses[:4]) / 2
    assert len(history.evaluations) == 12
    assert {"bleu", "chrf", "loss"} <= set(history.evaluations[-1])
    assert history.evaluations[-1]["chrf"] > history.evaluations[0]["chrf"]
    assert isinstance(Translator(model, tokenizer, max_length=48)("öffne the file %0"), str)


def test_training_in_two_processes_ends_with_one_history(tmp_path, small_checkpoint):
    settings = replace(
        TINY, dataset=str(write_jsonl(tmp_path)), checkpoint=small_checkpoint, languages="xx,yy", num_epochs=2,
        max_length=32, batch_size=4, learning_rate=2e-3,
    )  # fmt: skip

    def run():
        return train(settings, progress=False)[2].to_dict()

    one, *two = [history for count in (1, 2) for history in launch(run, num_processes=count, cpu=True)]
    assert two[0] == two[1], "both processes know the same"
    assert [step["step"] for step in one["steps"]] == [step["step"] for step in two[0]["steps"]]
    for mine, other in zip(one["steps"], two[0]["steps"], strict=True):
        assert mine["loss"] == pytest.approx(other["loss"], rel=1e-3)
    assert one["evaluations"][-1]["loss"] == pytest.approx(two[0]["evaluations"][-1]["loss"], rel=1e-3)


def test_settings_reach_fit(tmp_path, small_checkpoint, monkeypatch):
    settings = replace(
        TINY, dataset=str(write_csv(tmp_path)), checkpoint=small_checkpoint, languages="xx,yy",
        num_epochs=7, warmup=0.3, mixed_precision="bf16", seed=5,
    )  # fmt: skip
    monkeypatch.setattr(translation, "fit", lambda model, rows, collate, config, **options: (config, options))
    config, options = train(settings, folder="somewhere")[2]
    assert config == LoopConfig.from_settings(settings)
    assert (config.num_epochs, config.warmup, config.mixed_precision, config.seed) == (7, 0.3, "bf16", 5)
    assert options.pop("folder") == "somewhere"
    assert list(options) == ["evaluate"]
    own = lambda model, accelerator: {"constant": 1.0}
    assert train(settings, evaluate=own)[2][1] == {"evaluate": own}


def test_scores_are_in_full_precision_while_training_is_not(tmp_path, small_checkpoint, monkeypatch):
    settings = replace(
        TINY, dataset=str(write_csv(tmp_path)), checkpoint=small_checkpoint, languages="xx,yy", num_epochs=1,
        max_length=16, mixed_precision="bf16",
    )  # fmt: skip
    seen, scored = [], {}

    def watched(*args, **options):
        model = load_model(*args, **options)
        model.get_output_embeddings().register_forward_hook(
            lambda module, args, output: seen.append((module.training, output.dtype))
        )
        return model

    monkeypatch.setattr(translation, "load_model", watched)
    monkeypatch.setattr(
        translation, "evaluate", lambda *args, **options: evaluate(*args, **(scored.update(given=options) or options))
    )
    model, _, history = train(settings, progress=False)
    assert set(seen) == {(True, torch.bfloat16), (False, torch.float32)}
    assert history.evaluations[-1] | evaluate(model, None, **scored["given"]) == history.evaluations[-1]


@pytest.mark.parametrize("changes", [{"bleu_tokenizer": "ja-mecab"}, {"num_beams": -1}], ids=str)
def test_what_the_evaluation_refuses_is_refused_before_the_first_step(tmp_path, small_checkpoint, changes):
    def step(model, batch):
        raise AssertionError("a step was made")

    settings = replace(TINY, dataset=str(write_csv(tmp_path)), checkpoint=small_checkpoint, languages="xx,yy", **changes)
    with pytest.raises((CourseError, RuntimeError), match="ja-mecab|-1"):
        train(settings, loss_of=step)
    history = train(replace(settings, num_epochs=1, batch_size=64), evaluate=None, progress=False)[2]
    assert history.evaluations == []


def test_without_a_validation_split_nothing_is_evaluated(tmp_path, small_checkpoint):
    settings = replace(TINY, dataset=str(write_csv(tmp_path)), languages="xx,yy", num_epochs=1, batch_size=64)
    model, tokenizer = load_model("seq2seq", small_checkpoint), load_tokenizer(small_checkpoint)
    data = preprocess(load(settings), tokenizer, settings)
    history = fine_tune(model, tokenizer, DatasetDict(train=data["train"]), settings, progress=False)
    assert history.steps
    assert not history.evaluations


# Bad input


def test_files_of_different_lengths_are_named(tmp_path):
    folder = write_moses(tmp_path)
    with open(folder / "train.yy", "a", encoding="utf-8") as file:
        file.write("one more\n")
    message = complaint_of(CourseError, load, replace(TINY, dataset=str(folder), languages="xx,yy"))
    assert "16 lines of xx and 17 lines of yy" in message


@pytest.mark.parametrize("write", [write_moses, write_zip, write_jsonl, write_csv])
def test_a_language_that_is_not_there_is_named(tmp_path, write):
    message = complaint_of(CourseError, load, replace(TINY, dataset=str(write(tmp_path)), languages="xx,zz"))
    assert "zz" in message
    assert "xx, yy" in message or "train.zz" in message or "train.xx" in message


def test_a_pair_with_a_missing_side_is_named(tmp_path):
    file = tmp_path / "pairs.jsonl"
    file.write_text('{"source": "Open", "target": "Ouvrir"}\n{"source": "Save"}\n', encoding="utf-8")
    message = complaint_of(CourseError, load, replace(TINY, dataset=str(file)))
    assert "'target' is empty in row 1" in message


def test_a_checkpoint_that_cannot_translate_is_named():
    message = complaint_of(CourseError, train, replace(TINY, checkpoint="mini/encoder"))
    assert "mini/encoder" in message
    assert "has no model for seq2seq" in message


@pytest.mark.parametrize("length", [4, 600])
def test_a_length_that_cannot_be_is_named(length):
    message = complaint_of(CourseError, train, replace(TINY, max_length=length))
    assert f"max_length={length} does not fit the model; use 8 to 512" in message


def test_a_tokenizer_with_more_tokens_than_the_model_is_named(tmp_path, mini):
    small_model(vocabulary=24).save_pretrained(tmp_path)
    mini[1].save_pretrained(tmp_path)
    message = complaint_of(CourseError, train, replace(TINY, checkpoint=str(tmp_path)))
    assert "The tokenizer has 6000 tokens, the model 24" in message


# Using a model


@pytest.fixture
def no_engine(monkeypatch):
    monkeypatch.setattr(generation, "ctranslate2_generator", lambda *args, **options: None)


def test_the_translator_takes_one_text_or_many(mini):
    translate = Translator(*mini, num_beams=2, max_length=24)
    texts = [text for text in HARD if len(text) < 100]
    together = translate(texts)
    assert together == [translate(text) for text in texts]
    assert isinstance(translate("Open"), str)
    assert translate([]) == []
    assert translate(tuple(texts[:2])) == together[:2]
    ids = one_by_one(mini[0], mini[1](texts, split_special_tokens=True)["input_ids"], num_beams=2, max_length=24)
    assert together == decode_predictions(ids, mini[1])


@pytest.mark.parametrize("beams", [None, 4])
def test_the_translator_loads_a_folder(tmp_path, mini, no_engine, beams):
    mini[0].save_pretrained(tmp_path)
    mini[1].save_pretrained(tmp_path)
    loaded = Translator.from_pretrained(str(tmp_path), num_beams=beams)
    assert loaded("Save the file") == Translator(*mini, num_beams=beams)("Save the file")


def test_an_engine_translates_where_there_is_one_and_no_gpu(monkeypatch):
    asked = []
    engine = lambda rows: [[2, 5, 0] for row in rows]
    monkeypatch.setattr(generation, "ctranslate2_generator", lambda *args, **options: asked.append(options) or engine)
    loaded = Translator.from_pretrained("mini/seq2seq", num_beams=4, max_length=9)
    assert loaded(["Open", "Save"]) == [loaded.tokenizer.decode([5])] * 2
    assert asked == [{"num_beams": 4, "max_length": 9}]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    Translator.from_pretrained("mini/seq2seq")
    assert len(asked) == 1


def test_texts_that_the_translator_cannot_read_are_named(mini):
    translate = Translator(*mini)
    assert "the model reads 512" in complaint_of(CourseError, translate, ["Open", "a b " * 600])
    assert "Text 1 is None" in complaint_of(CourseError, translate, ["Open", None])
    assert "surrogate" in complaint_of(CourseError, translate, ["Open", "Open \ud800"])


@pytest.mark.parametrize("beams", [1, 2])
def test_a_translation_ends_by_itself_or_at_the_model_s_limit(mini, beams):
    model = small_model("t5", vocabulary=len(mini[1]))
    assert model.generation_config.max_length is None
    tokenizer = load_tokenizer("mini/seq2seq", model_max_length=40)
    endless = {"bad_words_ids": [[1]], "num_beams": beams}  # never an end
    row = [mini[1]("Save the file")["input_ids"]]
    with pytest.warns(UserWarning, match="model-agnostic default"):
        assert len(generate_all(model, row, **endless)[0]) <= 22
    translate = Translator(model, tokenizer, **endless)
    assert len(generate_all(model, row, **translate.generate.keywords)[0]) == 40
    assert (
        translate("Save the file")
        == decode_predictions(generate_all(model, row, **translate.generate.keywords), tokenizer)[0]
    )


def test_a_model_that_knows_no_limit_gets_one(mini):
    model = small_model("t5", vocabulary=len(mini[1]))
    translate = Translator(model, load_tokenizer("mini/seq2seq", model_max_length=10**30))
    assert translate.generate.keywords["max_length"] == 512


@pytest.mark.parametrize("given", [{"max_length": 9}, {"max_new_tokens": 8}])
@pytest.mark.parametrize("where", ["options", "generation_config"])
def test_a_limit_that_is_there_is_kept(mini, given, where):
    model = small_model("t5", vocabulary=len(mini[1]))
    if where == "generation_config":
        model.generation_config.update(**given)
    translate = Translator(model, mini[1], bad_words_ids=[[1]], **(given if where == "options" else {}))
    assert len(generate_all(model, [[4, 0]], **translate.generate.keywords)[0]) == 9


# The settings, and the chapter


def test_no_profile_scores_more_pairs_than_it_has_time_for():
    for name in ("colab", "full"):
        assert SETTINGS[name].validation_size <= 2000


def test_the_chapter_is_on_its_device_before_it_translates_a_split():
    notebook = json.loads((Path(__file__).parents[1] / "nbs" / "03_translation.ipynb").read_text(encoding="utf-8"))
    code = "\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code")
    assert 0 < code.index("model = accelerator.prepare(model)") < code.index("before = write(model)")
