"""Fifty beginnings for `mini/causal`, written before its first training step, and a judge of what it makes of them."""

import ast
import warnings

PROMPTS = [
    "import numpy as np\nimport matplotlib.pyplot as plt\n\n# scatter plot of x and y\nx = np.random.randn(100)\ny = np.random.randn(100)",
    "import pandas as pd\n\n# a data frame from two lists\nnames = [\"Ada\", \"Grace\"]\nages = [36, 45]\ndf =",
    "import pandas as pd\n\ndf = pd.read_csv(\"sales.csv\")\n# mean of each group\ndf.groupby(",
    "from sklearn.ensemble import RandomForestClassifier\n\n# fit a random forest\nclf =",
    "import matplotlib.pyplot as plt\n\nfig, ax = plt.subplots(",
    "import numpy as np\n\nX = np.arange(12).reshape(3, 4)\nX.mean(",
    "from sklearn.datasets import load_iris\nfrom sklearn.model_selection import train_test_split\n\nX, y = load_iris(return_X_y=True)\nX_train, X_test,",
    "from sklearn.linear_model import", "import pandas as pd\ns = pd.Series([1, 2, 3],",
    "from sklearn.preprocessing import StandardScaler\nscaler = StandardScaler()\nX =",
    "import seaborn as sns\n\ntips = sns.load_dataset(\"tips\")\nsns.", "df = df.sort_values(", "df[\"total\"] =",
    "model.fit(X_train, y_train)\ny_pred =", "plt.hist(", "plt.xlabel(\"time\")\nplt.ylabel(\"value\")",
    "from sklearn.metrics import accuracy_score\nscore =", "import numpy as np\nrng = np.random.default_rng(0)",
    "pd.merge(left, right,", "df.loc[df[\"age\"] > 30,", "def mean(values):", "def is_prime(n):",
    "def read_lines(path):\n    \"\"\"Return the lines of a file.\"\"\"", "def plot_history(history, ax=None):",
    "def add(a, b):\n    return", "def get_params(self, deep=True):",
    "def __init__(self, name, value=None):\n    self.name = name", "def test_sum():\n    assert",
    "async def fetch(url):", "def predict(self, X):\n    \"\"\"Predict the class of each row.\"\"\"",
    "class Point:\n    def __init__(self, x, y):",
    "class Stack:\n    \"\"\"A stack of items.\"\"\"\n\n    def __init__(self):\n        self.items = []\n\n    def push(",
    "class CustomError(ValueError):", "class Scaler(BaseEstimator):\n    def fit(self, X, y=None):",
    "@property\ndef shape(self):", "@dataclass\nclass Config:", "for i in range(10):",
    "for name, value in items.items():\n    if", "while True:", "for i, row in enumerate(rows):\n    print(",
    "squares = [", "result = {}\nfor key in keys:", "import os",
    "import argparse\n\nparser = argparse.ArgumentParser(", "from collections import",
    "import json\nfrom pathlib import Path\n", "try:\n    import numpy as np\nexcept", "with open(path, \"w\") as f:",
    "try:\n    value = int(text)", "if x is None:",
]  # fmt: skip


def parses(prompt: str, completion: str) -> bool:
    """Whether both together are Python; a completion that adds nothing is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd escapes are legal
            ast.parse(prompt + completion)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return bool(completion.strip())
