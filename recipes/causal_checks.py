"""What `mini/causal` knows: loss on held-out code, and whether what it writes after fixed prompts is Python."""

from __future__ import annotations

import ast
import json
import math
from pathlib import Path

import numpy as np
import torch
from mini_causal import Plan, new_model, token_losses
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2LMHeadModel

# Fixed before the first training step.
PROMPTS = '''\
import numpy as np
import matplotlib.pyplot as plt

# scatter plot of x and y
x = np.random.randn(100)
y = np.random.randn(100)
---
import pandas as pd

# a data frame from two lists
names = ["Ada", "Grace"]
ages = [36, 45]
df =
---
import pandas as pd

df = pd.read_csv("sales.csv")
# mean of each group
df.groupby(
---
from sklearn.ensemble import RandomForestClassifier

# fit a random forest
clf =
---
import matplotlib.pyplot as plt

fig, ax = plt.subplots(
---
import numpy as np

X = np.arange(12).reshape(3, 4)
X.mean(
---
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

X, y = load_iris(return_X_y=True)
X_train, X_test,
---
from sklearn.linear_model import
---
import pandas as pd
s = pd.Series([1, 2, 3],
---
from sklearn.preprocessing import StandardScaler
scaler = StandardScaler()
X =
---
import seaborn as sns

tips = sns.load_dataset("tips")
sns.
---
df = df.sort_values(
---
df["total"] =
---
model.fit(X_train, y_train)
y_pred =
---
plt.hist(
---
plt.xlabel("time")
plt.ylabel("value")
---
from sklearn.metrics import accuracy_score
score =
---
import numpy as np
rng = np.random.default_rng(0)
---
pd.merge(left, right,
---
df.loc[df["age"] > 30,
---
def mean(values):
---
def is_prime(n):
---
def read_lines(path):
    """Return the lines of a file."""
---
def plot_history(history, ax=None):
---
def add(a, b):
    return
---
def get_params(self, deep=True):
---
def __init__(self, name, value=None):
    self.name = name
---
def test_sum():
    assert
---
async def fetch(url):
---
def predict(self, X):
    """Predict the class of each row."""
---
class Point:
    def __init__(self, x, y):
---
class Stack:
    """A stack of items."""

    def __init__(self):
        self.items = []

    def push(
---
class CustomError(ValueError):
---
class Scaler(BaseEstimator):
    def fit(self, X, y=None):
---
@property
def shape(self):
---
@dataclass
class Config:
---
for i in range(10):
---
for name, value in items.items():
    if
---
while True:
---
for i, row in enumerate(rows):
    print(
---
squares = [
---
result = {}
for key in keys:
---
import os
---
import argparse

parser = argparse.ArgumentParser(
---
from collections import
---
import json
from pathlib import Path

---
try:
    import numpy as np
except
---
with open(path, "w") as f:
---
try:
    value = int(text)
---
if x is None:
'''.split("\n---\n")
PROMPTS[-1] = PROMPTS[-1].removesuffix("\n")


def complete(model: GPT2LMHeadModel, tokenizer, prompt: str, sample: bool, tokens: int = 96) -> str:
    """What the model writes after the prompt, cut at its last whole line; greedy, or sampled with a fixed seed."""
    inputs = tokenizer(prompt, return_tensors="pt")
    torch.manual_seed(0)
    how = {"do_sample": True, "temperature": 0.7, "top_p": 0.95} if sample else {"do_sample": False}
    with torch.no_grad():
        out = model.generate(**inputs, **how, max_new_tokens=tokens, pad_token_id=tokenizer.eos_token_id)
    new = out[0, inputs["input_ids"].shape[1] :]
    text = tokenizer.decode(new, skip_special_tokens=True)
    if tokenizer.eos_token_id in new.tolist():
        return text
    return text[: text.rfind("\n") + 1]


def parses(prompt: str, completion: str) -> bool:
    """Whether both together are Python; a completion that adds nothing counts as a failure."""
    if not completion.strip():
        return False
    try:
        ast.parse(prompt + completion)
    except (SyntaxError, ValueError):
        return False
    return True


def loss_of(model: GPT2LMHeadModel, path: Path, rows: int = 400) -> dict[str, float]:
    """Loss on held-out text in windows of the context, evenly spaced: nats for a token, perplexities, bits for a byte."""
    arrays = np.load(path)
    ids, width = arrays["ids"].astype(np.int64), model.config.n_positions + 1
    starts = np.unique(np.linspace(0, len(ids) - width, min(rows, len(ids) // width)).astype(int))
    windows = torch.from_numpy(np.stack([ids[s : s + width] for s in starts]))
    with torch.no_grad():
        nats = float(torch.cat([token_losses(model, part).mean(1) for part in windows.split(8)]).mean())
    per_byte = nats * len(ids) / float(arrays["bytes"])
    return {
        "tokens": windows[:, 1:].numel(),
        "nats": round(nats, 4),
        "perplexity": round(math.exp(nats), 2),
        "perplexity_per_byte": round(math.exp(per_byte), 4),
        "bits_per_byte": round(per_byte / math.log(2), 4),
    }


def evaluate(folder: Path, work: Path, plan: Plan) -> None:
    """Print held-out losses beside those of the untrained model, and what becomes of the prompts."""
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    for name in ("heldout-file", "heldout-script"):
        print(name, loss_of(model, work / f"tokens-{name}.npz"), flush=True)
    untrained = loss_of(new_model(plan).eval(), work / "tokens-heldout-file.npz", rows=40)
    print("untrained", untrained, f"ln(vocabulary) {math.log(plan.vocab_size):.4f}", flush=True)
    results = {}
    for sample in (False, True):
        results[sample] = [(p, c, parses(p, c)) for p in PROMPTS for c in [complete(model, tokenizer, p, sample)]]
        share = np.mean([ok for *_, ok in results[sample]])
        print(f"{'sampled' if sample else 'greedy'}: {share:.0%} of {len(PROMPTS)} parse", flush=True)
    (work / "completions.json").write_text(json.dumps({"greedy": results[False], "sampled": results[True]}, indent=1))
