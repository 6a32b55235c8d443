"What lessons show: the first line of a chapter, and the pictures."

import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from complaints import complaint_of
from matplotlib import pyplot as plt
from small_tokenizers import TOKENIZERS
from transformers import BatchEncoding

from course_lib import lessons
from course_lib.checkpoints import load_model, load_tokenizer
from course_lib.lessons import (
    beam_search,
    bootstrap,
    describe,
    find_matching_head,
    packaged,
    plot_attention,
    plot_batches,
    plot_beams,
    plot_by_position,
    plot_choices,
    plot_losses,
    plot_reliability,
    shaded,
    start,
    two_sentences,
)
from course_lib.profiles import CourseError

ROOT = Path(__file__).resolve().parents[1]
PAIR = [0, 5, 6, 1, 6, 5, 1]  # [CLS] red car [SEP] car red [SEP]


@pytest.fixture(autouse=True)
def no_figure_stays():
    yield
    plt.close("all")


@pytest.mark.parametrize("notebook", sorted(path.stem for path in (ROOT / "nbs").glob("0*.ipynb")))
def test_start_gives_the_settings_of_each_chapter_and_says_what_it_uses(notebook, capsys):
    settings = start(notebook, "tiny")
    assert settings.profile == "tiny"
    assert packaged(settings)
    assert packaged(replace(settings, seed=7))
    for changes in ({"profile": "colab"}, {"dataset": "mine"}, {"checkpoint": "mine"}, {"learning_rate": 1e-6}):
        assert not packaged(replace(settings, **changes))
    said = capsys.readouterr().out
    assert settings.dataset in said
    assert settings.checkpoint in said


@pytest.mark.parametrize(
    ("colab", "cuda", "words"),
    [
        (True, True, ["Profile colab, because this runtime has a GPU"]),
        (True, False, ["tiny, because this runtime has no GPU", "nyu-mll/glue", "Runtime → Change runtime type → T4 GPU"]),
        (False, False, ["tiny, because", "nyu-mll/glue", 'profile="colab"']),
    ],
)
def test_start_says_in_one_line_what_auto_took_and_why(monkeypatch, capsys, colab, cuda, words):
    monkeypatch.setattr(lessons, "in_colab", lambda: colab)
    monkeypatch.setattr(lessons, "choose_profile", lambda profile: "tiny")  # nothing here may ask the Hub
    start("01_training_loop", "tiny")
    assert "because" not in capsys.readouterr().out, "it was named"
    monkeypatch.delenv("COURSE_PROFILE")
    monkeypatch.setattr(lessons, "load_settings", lambda table, _: replace(table["tiny"], profile="colab" if cuda else "tiny"))
    start("01_training_loop")
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "because" in line]
    assert all(word in line for word in words)


def test_start_takes_changes_from_outside_and_sets_the_seed(monkeypatch):
    monkeypatch.setenv("COURSE_SET", "seed=7")
    assert start("01_training_loop", "tiny").seed == 7
    first = torch.rand(1).item(), np.random.rand()
    start("01_training_loop", "tiny")
    assert (torch.rand(1).item(), np.random.rand()) == first
    monkeypatch.delenv("COURSE_PROFILE", raising=False)
    assert "'tiny'" in complaint_of(CourseError, start, "01_training_loop", "tinny")


def test_start_is_offline_before_the_libraries_are_imported():
    code = (
        "from course_lib.lessons import start; start('01_training_loop', 'tiny');"
        "import huggingface_hub, datasets; print(huggingface_hub.constants.HF_HUB_OFFLINE, datasets.config.HF_HUB_OFFLINE)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert result.stdout.splitlines()[-1] == "True True", result.stdout + result.stderr
    assert result.stderr == "", "nothing in red"


@pytest.mark.parametrize(("kind", "words"), [("cpu", "CPU (threads: "), ("mps", "GPU of this Mac (mps)"), ("cuda", "GPU")])
def test_start_says_what_computes(kind, words, monkeypatch, capsys):
    monkeypatch.setattr(lessons, "device", lambda: torch.device(kind))
    start("01_training_loop", "tiny")
    assert capsys.readouterr().out.split(" · ")[1].startswith(words)


def test_a_gpu_comes_first_then_apple_s_then_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert lessons.device().type == "cpu"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert lessons.device().type == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert lessons.device().type == "cuda"


def test_losses_have_their_running_mean_and_what_was_held_out():
    axes = plot_losses([3.0, 1.0, 2.0], {0: 2.5, 3: 1.5}, guessing=2.0)
    thin, mean, held_out, guessing = axes.lines
    assert thin.get_xydata().tolist() == [[1, 3.0], [2, 1.0], [3, 2.0]]
    assert mean.get_ydata()[0] == 3.0
    assert mean.get_ydata()[1] == pytest.approx((0.95 * 3 + 1) / 1.95), "corrected for its start"
    assert held_out.get_xydata().tolist() == [[0, 2.5], [3, 1.5]]
    assert set(guessing.get_ydata()) == {2.0}
    assert [text.get_text() for text in axes.get_legend().texts] == ["training, running mean", "held out", "guessing"]
    assert len(plot_losses([1.0], {0: 1.0}).lines) == 3


def test_several_guesses_have_their_names_at_their_lines():
    axes = plot_losses([3.0, 1.0], {0: 2.5, 2: 1.5}, guessing={"unigrams": 2.0, "bigrams": 1.2})
    assert [set(line.get_ydata()) for line in axes.lines[3:]] == [{2.0}, {1.2}]
    assert [text.get_text() for text in axes.texts] == ["unigrams", "bigrams"]
    assert [text.get_text() for text in axes.get_legend().texts] == ["training, running mean", "held out"]


def test_tokens_that_are_never_drawn_are_grey():
    plot_choices({"all": ([0.6, 0.4], [True, True]), "top-p 0.5": ([0.6, 0.4], [True, False])}, ["a", "b"])
    left, right = plt.gcf().axes
    assert [bar.get_width() for bar in right.patches] == [0.6, 0.4]
    assert len({bar.get_facecolor() for bar in left.patches}) == 1
    assert len({bar.get_facecolor() for bar in right.patches}) == 2
    assert [label.get_text() for label in left.get_yticklabels()] == ["a", "b"]
    assert left.yaxis_inverted(), "the likeliest on top"
    plot_choices({"signs that fonts lack": ([0.5, 0.5], [True, True])}, ["␣a\t日", "$x$"])
    assert [label.get_text() for label in plt.gca().get_yticklabels()] == ["␣a??", r"\$x\$"]


def test_loss_by_position_is_the_mean_over_contexts_with_its_standard_error():
    losses = np.array([[1.0, 2.0, 3.0, 4.0], [3.0, 4.0, 5.0, 6.0]])
    axes = plot_by_position({"model": losses, "short": losses[:, :1]}, groups=2)
    line, _, (bars,) = axes.containers[0]
    assert line.get_xydata().tolist() == [[1.5, 2.5], [3.5, 4.5]], "tokens read before, from 1 up"
    assert bars.get_segments()[0][:, 1].tolist() == pytest.approx([2.5 - 1 / 2**0.5, 2.5 + 1 / 2**0.5])
    assert len(axes.containers[1][0].get_xdata()) == 1


def test_batches_are_dark_where_there_is_text():
    plot_batches({"to 8": ([3, 5], 8), "to the longest": ([3, 5], None)})
    wide, narrow = (axes.images[0].get_array() for axes in plt.gcf().axes)
    assert wide.shape == (2, 8)
    assert narrow.shape == (2, 5)
    assert wide.sum(1).tolist() == narrow.sum(1).tolist() == [3, 5]


@pytest.mark.parametrize("ids", [PAIR, [0, 5, 6, 1, 1, 6, 5, 1], torch.tensor(PAIR)])
def test_both_sentences_are_found_whether_one_token_or_two_stand_between_them(ids):
    first, second = two_sentences(BatchEncoding({"input_ids": [ids]}), end=1)
    assert [int(ids[place]) for place in first] == [5, 6]
    assert [int(ids[place]) for place in second] == [6, 5]


@pytest.mark.parametrize("name", TOKENIZERS)
@pytest.mark.parametrize("framed", [True, False])
def test_a_fast_tokenizer_knows_its_sentences_also_where_no_token_stands_between_them(name, framed):
    encoded = TOKENIZERS[name]("cab", "bad a", add_special_tokens=framed, return_tensors="pt")
    parts = [encoded["input_ids"][0][places] for places in two_sentences(encoded, end=None)]
    assert [re.sub("[ ▁]", "", TOKENIZERS[name].decode(part)) for part in parts] == ["cab", "bada"]


def test_the_head_that_finds_the_same_pieces():
    looks = torch.zeros(3, 2, 7, 7)
    looks[2, 1, 4, 2] = looks[2, 1, 5, 1] = 1.0
    looks[0, 0, 4, 2] = looks[0, 0, 5, 2] = 1.0  # half of them
    assert find_matching_head(looks, PAIR, [1, 2], [4, 5]) == (2, 1, 1.0)


def test_each_group_has_its_share_of_right_answers_with_a_standard_error():
    sure, right = [0.9, 0.6, 0.8, 0.7], [True, False, True, True]
    axes = plot_reliability(sure, right, groups=2)
    line, _, (bars,) = axes.containers[0]
    assert line.get_xydata().ravel() == pytest.approx([0.65, 0.5, 0.85, 1.0])
    assert [np.ptp(bar[:, 1]) / 2 for bar in bars.get_segments()] == pytest.approx([math.sqrt(0.25 / 2), 0])
    assert len(plot_reliability(sure, right, groups=9).containers[0][0].get_xdata()) == 4, "no group is empty"
    assert axes.get_legend()


def test_shades_are_as_dark_as_their_numbers_and_texts_are_texts():
    shown = shaded({"<b>": (["a", "<script>", "c"], [0.0, 1.0, 9.0])}, darkest=2).data
    assert "<script>" not in shown
    assert "&lt;b&gt;" in shown
    assert [part.split(")")[0] for part in shown.split("rgba(200, 85, 61, ")[1:]] == ["0.00", "0.50", "1.00"]


def test_the_bootstrap_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(1).normal(size=900) * 3
    assert bootstrap(np.mean, values) == pytest.approx(values.std() / 30, rel=0.1)
    assert bootstrap(np.mean, values) == bootstrap(np.mean, values), "a seed gives the same draws"
    assert bootstrap(np.mean, np.ones(5)) == 0


def test_the_bootstrap_draws_whole_rows():
    "A ratio whose parts belong together has no spread if every row has the same ratio."
    losses = np.arange(1.0, 9)
    assert bootstrap(lambda above, below: above.sum() / below.sum(), 2 * losses, losses) == pytest.approx(0, abs=1e-12)


def test_a_description_is_mean_and_maximum_of_each_layer_whatever_the_batch():
    model, tokenizer = load_model("masked-lm", "mini/encoder").train(), load_tokenizer("mini/encoder")
    texts = ["", "Une scène émouvante.", "電影 🎬 is a long and dull film, said nobody ever about this one."]
    found = describe(model, tokenizer, texts, batch_size=2)
    assert found.dtype == np.float32
    for text, row in zip(texts, found, strict=True):
        with torch.no_grad():
            layers = model.eval().base_model(**tokenizer(text, return_tensors="pt"), output_hidden_states=True).hidden_states
        naive = [part for layer in layers for part in (layer[0].mean(0), layer[0].max(0).values)]
        np.testing.assert_allclose(row, np.concatenate(naive), atol=1e-4)


def test_a_description_reads_no_more_than_max_length():
    model, tokenizer = load_model("masked-lm", "mini/encoder"), load_tokenizer("mini/encoder")
    assert np.isfinite(describe(model, tokenizer, ["good film " * 400], max_length=1000)).all(), "what the model reads"
    long, cut = describe(model, tokenizer, ["good film " * 400, "good film " * 3], max_length=8)
    np.testing.assert_allclose(long, cut, atol=1e-4)


def test_windows_are_bars_and_those_with_the_answer_are_coloured():
    axes = lessons.plot_windows([(0, 40), (25, 65), (50, 90)], (30, 34))
    bars = [patch for patch in axes.patches if patch.get_height() == pytest.approx(0.6)]
    assert [(bar.get_x(), bar.get_width()) for bar in bars] == [(0, 40), (25, 40), (50, 40)]
    assert bars[0].get_facecolor() == bars[1].get_facecolor() != bars[2].get_facecolor()


def test_pairs_show_what_can_be_and_frame_the_best():
    axes = lessons.plot_pairs([0, 4, 1, 9], [9, 0, 3, 0], ["a", "b", "c", "d"], 2)
    shown = axes.images[0].get_array()
    assert shown.mask.tolist() == [[False, False, True, True], [True, False, False, True], [True, True, False, False], [True] * 3 + [False]]
    assert shown[1, 2] == 7
    frame = axes.patches[0]
    assert (frame.get_x(), frame.get_y()) == (-0.5, -0.5), "0 and 9"


def test_a_head_is_drawn_with_a_row_for_each_piece_that_looks():
    axes = plot_attention(torch.rand(3, 2), ["日本", "</s>"], ["a", "b", "c"], "read", "written")
    assert axes.images[0].get_array().shape == (3, 2)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["日本", "</s>"]


def test_a_tree_of_beams_joins_each_text_to_the_one_it_goes_on_from():
    steps = [[(["A"], math.log(0.5)), (["B"], math.log(0.25))], [(["B", "é"], math.log(0.2)), (["A", "</s>"], math.log(0.1))]]
    axes = plot_beams(steps, end="</s>")
    assert [text.get_text() for text in axes.texts] == ["A\n50.0%", "B\n25.0%", "é\n20.0%", "</s>\n10.0%"]
    assert [list(line.get_ydata()) for line in axes.lines] == [[-1, 0], [0, -1]]


@pytest.mark.parametrize("width", [1, 3])
def test_the_beam_search_finds_what_generate_finds(width):
    model, tokenizer = load_model("seq2seq", "mini/seq2seq"), load_tokenizer("mini/seq2seq")
    for text in ("Discard", "Reason: %1."):
        steps, ended = beam_search(model, tokenizer, text, width)
        made = model.generate(**tokenizer(text, return_tensors="pt"), num_beams=width, max_length=20)
        assert ended[0][0] == tokenizer.decode(made[0], skip_special_tokens=True)
        assert all(len(kept) <= width for kept in steps)
        assert [mean for _, _, mean in ended] == sorted((mean for _, _, mean in ended), reverse=True)
