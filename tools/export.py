"""Bring everything that is generated in step with the notebooks and settings.ini.

    python tools/export.py          links, attached figures, modules, clean notebooks
    python tools/export.py --check  the same, and fail with a list of files if anything had to change
"""

import argparse
import base64
import json
import re
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def read_settings(path: Path = ROOT / "settings.ini") -> dict[str, str]:
    config = ConfigParser()
    config.read(path, encoding="utf-8")
    return dict(config["DEFAULT"])


def update_links(text: str, settings: dict[str, str]) -> str:
    "`text` with every Colab, install, clone and page link pointing to the user, repository and branch of `settings`."
    repo, branch = f"{settings['user']}/{settings['repo']}", settings["branch"]
    colab = f"https://colab.research.google.com/github/{repo}/blob/{branch}/nbs/"
    text = re.sub(r"https://colab\.research\.google\.com/github/[^\s\"')]*?/nbs/", lambda _: colab, text)
    install = f"git+https://github.com/{repo}@{branch}"
    text = re.sub(r"git\+https://github\.com/[^\s\"'@)]+@[\w./-]+", lambda _: install, text)
    page = f"https://github.com/{repo}/blob/{branch}/"
    text = re.sub(r"https://github\.com/[^\s\"')]*?/blob/[^\s\"')]*?/(?=(nbs|recipes|benchmarks)/)", lambda _: page, text)
    clone = f"git clone https://github.com/{repo}.git"
    return re.sub(r"git clone https://github\.com/[^\s\"')]+\.git", lambda _: clone, text)


def ask_for_gpu(text: str) -> str:
    "The notebook `text` with the metadata by which Colab gives it a GPU."
    notebook = json.loads(text)
    notebook["metadata"] |= {"accelerator": "GPU", "colab": {"gpuType": "T4"}}
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def attach_figures(text: str) -> str:
    "The notebook `text` with the SVG files of nbs/figures that its cells show as `attachment:NAME.svg`."
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if names := re.findall(r"]\(attachment:([^)]+[.]svg)\)", "".join(cell["source"])):
            data = {name: base64.b64encode((ROOT / "nbs" / "figures" / name).read_bytes()).decode() for name in names}
            cell["attachments"] = {name: {"image/svg+xml": [figure]} for name, figure in data.items()}
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def linked_files() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "nbs").rglob("*.ipynb"))]


def generated() -> dict[Path, bytes]:
    "Content of every file that this script may change."
    modules = sorted((ROOT / read_settings()["lib_path"]).rglob("*.py"))
    return {path: path.read_bytes() for path in [*linked_files(), *modules, ROOT / "pyproject.toml"]}


def export() -> None:
    settings = read_settings()
    for path in linked_files():
        text = path.read_text(encoding="utf-8")
        updated = update_links(text, settings)
        if path.match("nbs/0*.ipynb") or path.match("nbs/solutions/0*.ipynb"):
            updated = ask_for_gpu(attach_figures(updated))
        if updated != text:
            path.write_text(updated, encoding="utf-8", newline="\n")
    package, version = ROOT / settings["lib_path"], settings["version"]
    (package / "__init__.py").write_text(f'__version__ = "{version}"\n', encoding="utf-8", newline="\n")
    commands = Path(sys.executable).parent
    for command in ("nbdev-export", "nbdev-clean"):
        subprocess.run([commands / command], cwd=ROOT, check=True)
    # nbdev's index of all names, for links in a documentation that it would build: nothing here reads it.
    (package / "_modidx.py").unlink(missing_ok=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail if anything was out of step")
    check = parser.parse_args().check
    before = generated()
    export()
    after = generated()
    changed = sorted(str(path.relative_to(ROOT)) for path in before | after if before.get(path) != after.get(path))
    for path in changed:
        print(f"{'out of step' if check else 'updated'}: {path}")
    if check and changed:
        print("Run `make export` and commit the result.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
