"The page on which models are tried: the functions behind its tabs, and the page itself in a real browser."

import contextlib
import math
import os
import re
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.request import ProxyHandler, build_opener

import psutil
import pytest
import torch
from browser import Browser, needs_browser
from typer.testing import CliRunner

from course_lib import cli
from course_lib.answering import QuestionAnswerer
from course_lib.checkpoints import load_model, load_tokenizer
from course_lib.demo import answer, compare, complete, fill, find_model, model_sources, page, translate, write_space
from course_lib.generation import CodeCompleter, Translator
from course_lib.hub import write_model
from course_lib.masked_lm import MaskFiller
from course_lib.profiles import CourseError
from course_lib.training_loop import PairClassifier

CHAPTERS = ["01", "02", "03", "04", "05"]
MINI = ["02=mini/encoder", "03=mini/seq2seq", "04=mini/causal"]
PAIR = "The firm's shares rose 4 percent.", "The shares fell."
TEXT = "Ann <b>came</b> in May. Bob left."


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    "A folder as `course train 01 --out FOLDER/01` and `course train 05 …` leave it, with heads that know nothing."
    folder = tmp_path_factory.mktemp("models")
    for number, task in (("01", "sequence-classification"), ("05", "question-answering")):
        write_model(load_model(task, "mini/encoder"), load_tokenizer("mini/encoder"), None, folder / number / "model")
        (folder / number / "states").mkdir()
    return folder


@pytest.fixture(scope="module")
def classifier(models):
    return PairClassifier.from_pretrained(find_model(str(models / "01")))


@pytest.fixture(scope="module")
def answerer(models):
    return QuestionAnswerer.from_pretrained(find_model(str(models / "05")))


@pytest.fixture(scope="module")
def filler():
    return MaskFiller.from_pretrained("mini/encoder")


@pytest.fixture(scope="module")
def translator():
    return Translator.from_pretrained("mini/seq2seq")


@pytest.fixture(scope="module")
def completer():
    return CodeCompleter.from_pretrained("mini/causal")


def test_two_sentences_get_probabilities_and_a_picture(classifier):
    said, figure, note = compare(classifier, *PAIR)
    assert list(said) == ["LABEL_0", "LABEL_1"]
    assert list(said.values()) == pytest.approx(classifier([PAIR])[0].tolist())
    (axes,) = figure.axes
    columns, rows = ([tick.get_text() for tick in ticks] for ticks in (axes.get_xticklabels(), axes.get_yticklabels()))
    assert columns == classifier.tokenizer.tokenize(PAIR[0])
    assert rows == classifier.tokenizer.tokenize(PAIR[1])
    assert re.fullmatch(r"Layer [0-3], head [0-3]: \d+% of the pieces that stand in both sentences look at their twin\.", note)
    assert compare(classifier, "one", "two")[1:] == (None, "No piece stands in both sentences, so there is no picture.")


def test_a_model_that_gives_scores_shows_one(tmp_path):
    model = load_model("sequence-classification", "mini/encoder", num_labels=1, problem_type="regression")
    scorer = PairClassifier(model, load_tokenizer("mini/encoder"))
    assert compare(scorer, *PAIR)[0] == f"{scorer([PAIR])[0, 0]:.2f}"


def test_words_that_a_model_cannot_read_are_named(classifier, answerer):
    assert compare(classifier, "We saw 東京 and 東京.", "We saw it.")[2].startswith("**Not read**")
    assert "東京" in compare(classifier, "We saw 東京 .", "We saw it.")[2]
    assert "Ann" not in answer(answerer, "Кто пришёл?", TEXT)[1].partition("\n\n")[0]


def test_a_hole_is_filled_before_and_after(filler):
    before, after, note = fill(filler, MaskFiller.from_pretrained("mini/encoder"), "The ___ returns a value.")
    assert before == after == dict(reversed(filler("The [MASK] returns a value.")[0]))
    assert note == ""
    assert fill(filler, filler, "The [MASK] returns a value.")[1] == after
    for text, holes in (("No hole.", 0), ("A ___ and a ___.", 2), ("", 0), (None, 0)):
        with pytest.raises(CourseError, match=rf"has {holes} holes\. Write one, as ___"):
            fill(filler, filler, text)


def test_a_translation_has_its_score(translator):
    text = "Delete the selected files"
    french, note = translate(translator, text)
    assert french == translator(text)
    (source,) = translator.tokenizer([text], return_tensors="pt").values().__iter__().__next__().unsqueeze(0)
    model, made, total = translator.model, translator.generate(source.tolist())[0], 0.0
    for step in range(1, len(made)):  # one token after the other
        with torch.no_grad():
            logits = model(input_ids=source, decoder_input_ids=torch.tensor([made[:step]])).logits[0, -1]
        total += logits.log_softmax(-1)[made[step]].item()
    mean = total / (len(made) - 1)
    assert note == f"Mean log-probability of its {len(made) - 1} tokens: {mean:.2f}. That is {math.exp(mean):.0%} for each, on average."
    assert translate(translator, text, french)[1] == f"{note} chrF against yours: 100 of 100."
    assert 0 < int(re.search(r"yours: (\d+)", translate(translator, text, "Supprimer le fichier")[1])[1]) < 100
    assert translate(translator, text, " ")[1] == note


def test_beginnings_go_on_and_parse_or_do_not(completer):
    beginning, ways = "def double(x):\n", {"draw": True, "temperature": 0.7, "top_p": 0.95, "length": 24, "seed": 1}
    go_on = lambda text=beginning, **changes: complete(completer, text, **ways | changes)[0]
    drawn = go_on()
    assert drawn == go_on() != go_on(seed=2)
    assert go_on(temperature=5.0) != drawn
    texts = re.split(r"(?m)^# \d (parses|does not parse: .*)\n", drawn)[1:]
    assert len(texts) == 6
    for verdict, text in zip(texts[::2], texts[1::2], strict=True):
        assert text.startswith(beginning)
        with contextlib.nullcontext() if verdict == "parses" else pytest.raises(SyntaxError):
            compile(text, "", "exec", dont_inherit=True)
    best = go_on(draw=False).partition("\n")[2]
    assert best == beginning + completer(beginning, max_new_tokens=24)
    assert go_on(top_p=0.01).count(best) == 3, "nothing but the most probable token is left to draw"
    assert "does not parse: invalid syntax" in go_on("def (:\n", draw=False)


def test_an_answer_is_marked_in_its_text(answerer):
    shown, note = answer(answerer, "Who came?", TEXT)
    best = answerer("Who came?", TEXT)
    assert f">{best.text.replace('<', '&lt;').replace('>', '&gt;')}</mark>" in shown
    assert re.sub(r"</?mark[^>]*>", "", shown) == "Ann &lt;b&gt;came&lt;/b&gt; in May. Bob left.", "what is typed is text"
    assert note.startswith(f"\n- {best.score:.0%} {best.text}")
    shown, note = answer(answerer, "Who came?", TEXT, own=False, threshold=0.0)
    assert "mark" not in shown
    assert re.match(r"\*\*No answer\.\*\* Nothing, rather than the best answer: \d+%; above 0% nothing is said\. The model never saw", note)
    taught = QuestionAnswerer(answerer.model, answerer.tokenizer)
    taught.model.config.no_answer_threshold = 0.0
    try:
        assert "never saw" not in answer(QuestionAnswerer(taught.model, taught.tokenizer), "Who came?", TEXT)[1]
    finally:
        del taught.model.config.no_answer_threshold


def test_the_probability_of_nothing_is_that_of_the_metric(answerer):
    "The share among the candidates leads to the share against the best one."
    import pyarrow as pa
    from datasets import Dataset

    from course_lib.answering import answers_or_nothing
    from course_lib.spans import predict_spans, prepare_validation_features

    asked = pa.table({"id": ["0"], "question": ["Who came?"], "context": [TEXT]})
    windows = prepare_validation_features(asked, answerer.tokenizer, answerer.max_length, answerer.stride)
    logits = predict_spans(answerer.model, Dataset(windows), answerer.tokenizer)
    (row,) = answers_or_nothing(asked, windows, *logits)
    note = answer(answerer, "Who came?", TEXT, own=False, threshold=0.99)[1]
    assert f"best answer: {row['no_answer_probability']:.0%};" in note


@pytest.mark.parametrize("text", ["", "  \n", None, "word " * 12_000])
def test_nothing_and_far_too_much_are_errors_everywhere(text, classifier, filler, translator, completer, answerer):
    complaint = r"tokens, and at most [\d,]+ are read here\. Shorten" if text and text.strip() else "is empty. Write something"
    calls = [
        lambda: compare(classifier, "fine", text),
        lambda: fill(filler, filler, f"___ {text or ''}"),
        lambda: translate(translator, text),
        lambda: complete(completer, text, True, 0.7, 0.95, 8, 0),
        lambda: answer(answerer, "Who?", text),
        lambda: answer(answerer, text, "Somebody."),
    ]
    for call in calls:
        with pytest.raises(CourseError, match=complaint):
            call()


def test_models_are_where_training_wrote_them_or_where_a_word_says(models, tmp_path):
    sources = model_sources(models, MINI)
    assert find_model(sources["01"]) == str(models / "01" / "model")
    assert sources["03"].endswith("mini/seq2seq")
    assert sources["before"] == "mini/encoder"
    assert model_sources(models, ["02=owner/name"])["02"] == "owner/name"
    for words, complaint in (
        (["06=mini/encoder"], r"Unknown model '06'\. .*Valid: 01, 02, 03, 04, 05, before"),
        (["02=mini/encoder", "3"], "Unknown model '3'.* Write one as 03=CHECKPOINT"),
        (["01"], "There is no folder ''"),
        ([f"01={tmp_path}"], "is no checkpoint"),
        (["01=mini/encoders"], "Unknown checkpoint"),
    ):
        with pytest.raises(CourseError, match=complaint):
            model_sources(models, words)


def without_gradio(monkeypatch):
    monkeypatch.setitem(sys.modules, "gradio", None)


def test_without_gradio_the_remedy_is_named(models, monkeypatch, tmp_path):
    without_gradio(monkeypatch)
    with pytest.raises(CourseError, match=r"course demo needs Gradio .*: pip install 'course_lib\[demo\]'$"):
        page(model_sources(models, []))
    for more in ([], ["--export", str(tmp_path / "space")]):
        done = CliRunner().invoke(cli.app, ["demo", "--models", str(models), *more])
        assert done.exit_code == 2
        assert re.fullmatch(r"Error: course demo needs Gradio .*", done.stderr.strip())
    assert CliRunner().invoke(cli.app, ["demo", "06=x"]).exit_code == 2


# Below here Gradio is needed: pip install -c constraints.txt -e '.[demo]'


@pytest.fixture(scope="module")
def gradio():
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    return pytest.importorskip("gradio")


@pytest.fixture(scope="module")
def space(models, tmp_path_factory, gradio):
    "What `course demo --export` writes, with files beside the models that are nobody's business."
    out, folder = tmp_path_factory.mktemp("space") / "new", tmp_path_factory.mktemp("own")
    shutil.copytree(models, folder, dirs_exist_ok=True)
    for name in ("token.txt", ".env", "optimizer.bin", ".hidden.json", "training_args.bin"):
        (folder / "01" / "model" / name).write_text("nobody's business")
    done = CliRunner().invoke(cli.app, ["demo", "--models", str(folder), "03=owner/name", "--export", str(out)])
    assert done.exit_code == 0, done.output
    assert f"hf upload NAME {out} --repo-type space" in done.output
    return out


def test_a_space_is_the_page_its_requirements_and_the_models(space, models):
    files = {path.relative_to(space).as_posix() for path in space.rglob("*") if path.is_file()}
    own = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    assert files == {"app.py", "requirements.txt", "README.md"} | {
        f"models/{name}/{file}" for name in ("01", "05") for file in own
    }
    assert not [path for path in space.rglob("*") if path.is_file() and b"nobody's business" in path.read_bytes()]
    course, transformers = (space / "requirements.txt").read_text().splitlines()
    assert course.startswith("course_lib[demo] @ git+https://")
    assert re.fullmatch(r"transformers==[\d.]+", transformers)
    head = (space / "README.md").read_text()
    assert re.match(r"---\n(.+\n)*sdk: gradio\nsdk_version: [\d.]+\npython_version: '3\.\d+'\napp_file: app\.py\n---\n$", head)
    text = (space / "app.py").read_text(encoding="utf-8")
    assert "def compare(" in text
    assert not re.search(r"^from \.|^# %%|AUTOGENERATED", text, re.MULTILINE)
    assert str(models) not in text
    done = CliRunner().invoke(cli.app, ["demo", "--export", str(space)])
    assert (done.exit_code, "must be empty" in done.output) == (2, True)


def test_what_chapter_2_began_with_goes_along(tmp_path, gradio):
    write_space(model_sources(tmp_path / "none", ["02=mini/encoder", "before=owner/name"]), tmp_path)
    assert "page({'02': 'models/02', 'before': 'owner/name'})" in (tmp_path / "app.py").read_text(encoding="utf-8")
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["02"]


def test_no_space_without_a_model(tmp_path, gradio):
    with pytest.raises(CourseError, match="there must be a model to show"):
        write_space(model_sources(tmp_path / "none", []), tmp_path)


def test_the_file_of_the_space_shows_the_tabs_that_have_a_model(space, gradio, monkeypatch):
    shown = []
    monkeypatch.setattr(gradio.Blocks, "launch", lambda self, **options: shown.append((self, options)))
    monkeypatch.chdir(space)
    runpy.run_path("app.py", run_name="__main__")
    ((blocks, options),) = shown
    assert options == {"show_error": True}, "where it listens, the Space says"
    labels = [block.label for block in blocks.blocks.values() if type(block).__name__ == "Tab"]
    assert labels == ["1 Two sentences", "3 English to French", "5 A question"]


@pytest.fixture(scope="module")
def served(models, gradio):
    "The real command in a process of its own; its process and address. Chapter 2 has no model yet."
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words, asked = [*MINI[1:], "--models", str(models)], []

    class Hub(BaseHTTPRequestHandler):
        def parse_request(self):
            asked.append(self.raw_requestline)

    hub = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=hub.serve_forever, daemon=True).start()
    environ = os.environ | {"GRADIO_SERVER_PORT": str(port), "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}"}
    environ["HF_HUB_OFFLINE"] = "0"
    command = [sys.executable, "-c", "from course_lib.cli import main; main()", "demo", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, env=environ, start_new_session=True, **pipes) as process:
        opener, url, end = build_opener(ProxyHandler({})), f"http://127.0.0.1:{port}/", time.monotonic() + 300
        while True:
            try:
                opener.open(url, timeout=60).close()
                break
            except OSError:
                assert process.poll() is None, process.stdout.read()
                assert time.monotonic() < end, "no page"
                time.sleep(0.3)
        yield SimpleNamespace(process=process, url=url, asked=asked)
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)
    hub.shutdown()
    hub.server_close()


def test_only_this_machine_is_listened_to(served):
    process, url = served.process, served.url
    listening = [
        connection.laddr
        for one in [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        for connection in one.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert [(address.ip, f":{address.port}/" in url) for address in listening] == [("127.0.0.1", True)]


# What is typed into the fields of each tab, None for what stands there; and what the page then shows. Good comes last.
PANEL = "[...document.querySelectorAll('[role=tabpanel]')].filter(one => one.offsetParent).pop()"
USES = {
    "1 Two sentences": [([*PAIR[:1], " "], "The second sentence is empty"), (PAIR, "look at their twin")],
    "3 English to French": [(["word " * 700], "tokens, and at most"), (["Delete the files", "Supprimer"], "chrF against yours")],
    "4 Python": [([""], "The beginning is empty"), (["import os\n"], "# 3 ")],
    "5 A question": [(["Who?", ""], "The text is empty"), (["Who came?", TEXT], " in May")],
}


def use(tab, name, fields):
    "Open the tab, type as a reader would, press Go."
    tab.js(f"[...document.querySelectorAll('button[role=tab]')].find(one => one.textContent.includes({name!r})).click()")
    tab.wait(f"!!{PANEL}?.querySelector('button.primary')")
    tab.js("document.querySelectorAll('.toast-close').forEach(one => one.click())")
    tab.wait("!document.querySelector('.toast-body')")
    for number, typed in enumerate(fields):
        tab.js(f"{PANEL}.querySelectorAll('textarea, input[type=text], .cm-content')[{number}].focus()")
        tab.js(f"document.execCommand('selectAll'); document.execCommand({typed!r} ? 'insertText' : 'delete', false, {typed!r})")
    tab.js(f"[...{PANEL}.querySelectorAll('button.primary')].pop().click()")


@pytest.fixture(scope="module")
def tab(served):
    if not needs_browser.args[0]:
        with Browser() as browser:
            tab = browser.open(served.url)
            tab.wait("!!document.querySelector('button.primary')")
            yield tab


@needs_browser
@pytest.mark.parametrize("name", USES)
def test_each_tab_answers_and_says_what_is_wrong(name, tab):
    (wrong, complaint), (right, shown) = USES[name]
    use(tab, name, wrong)
    tab.wait(f"document.querySelector('.toast-body')?.textContent.includes({complaint!r})")
    use(tab, name, right)
    tab.wait(f"{PANEL}.innerText.includes({shown!r})")
    seen = {"1": "canvas, img", "3": "textarea", "4": ".cm-content", "5": "mark"}[name[0]]
    tab.wait(f"{PANEL}.querySelectorAll({seen!r}).length > 0")
    assert not tab.js("document.querySelector('.toast-body')")


@needs_browser
def test_a_model_may_come_while_the_page_is_open(tab, models):
    "First there is none, then a folder that is broken, then the model."
    sentence = ["The ___ returns a value."]
    use(tab, "2 A hole", sentence)
    command = f"course train 02 --out {models / '02'}"
    assert command in tab.js(f"{PANEL}.innerText")
    tab.wait("document.querySelector('.toast-body')?.textContent.includes('There is no folder')")
    (models / "02").mkdir()
    (models / "02" / "config.json").write_text("{")
    use(tab, "2 A hole", sentence)
    tab.wait("document.querySelector('.toast-body')?.textContent.includes('Cannot load')")
    shutil.copytree(find_model("mini/encoder"), models / "02" / "model")
    use(tab, "2 A hole", sentence)
    tab.wait(f"{PANEL}.innerText.includes('%')")
    use(tab, "2 A hole", ["Two ___ and ___."])
    tab.wait("document.querySelector('.toast-body')?.textContent.includes('has 2 holes')")


@needs_browser
def test_the_page_asks_nobody_else_and_fits_a_telephone(tab, served):
    foreign = [address for address in tab.requests if not address.startswith((served.url, "data:", "blob:"))]
    assert len(tab.requests) > 20
    assert foreign == []
    assert tab.errors == []
    tab.look(390, 844, dark=True)
    tab.wait("document.documentElement.scrollWidth <= 390")


def test_numbers_out_of_range_are_refused_and_the_hub_is_not_asked(served):
    client = pytest.importorskip("gradio_client").Client(served.url, verbose=False)
    for numbers, complaint in (
        ((True, 0, 0.95, 8, 0), "0 is less than minimum value 0.05"),
        ((True, 0.7, 1.5, 8, 0), "1.5 is greater than maximum value 1"),
        ((True, 0.7, 0.95, 8, -1), "-1 is less than minimum value 0"),
    ):
        with pytest.raises(Exception, match=complaint):
            client.predict("import os\n", *numbers, api_name="/complete")
    assert client.predict("import os\n", True, 0.7, 0.95, 8, 0, api_name="/complete")[0].startswith("# 1 ")
    assert client.predict("Delete the files", "", api_name="/translate")[0]
    assert served.asked == [], "where all models are on this machine, the Hub is not asked"
