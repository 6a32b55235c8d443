"Everything that can change is in settings.ini; this file only reads it."
import shutil
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
config = ConfigParser()
config.read(HERE / "settings.ini", encoding="utf-8")
settings = config["DEFAULT"]


def words(name):
    return [line.strip() for line in settings[name].splitlines() if line.strip()]


class BuildWithNotebooks(build_py):
    "Puts chapters and solutions into the wheel, so that `course run 01` works without a checkout."

    def run(self):
        super().run()
        if self.editable_mode:
            return
        english, target = HERE / settings["nbs_path"], Path(self.build_lib) / settings["lib_name"] / "notebooks"
        places = {target: english, target / "solutions": english / "solutions"}
        for translated in (HERE / "translations").glob("*/notebooks"):
            own = target / translated.relative_to(HERE / "translations")
            places |= {own: translated, own / "solutions": translated / "solutions"}
        for copies, originals in places.items():
            copies.mkdir(parents=True, exist_ok=True)
            for notebook in sorted(originals.glob("0*.ipynb")):
                shutil.copy(notebook, copies)


setup(
    name=settings["lib_name"],
    version=settings["version"],
    description=settings["description"],
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    url=settings["git_url"],
    author=settings["author"],
    author_email=settings["author_email"],
    license="Apache-2.0",
    license_files=["LICENSE"],
    keywords=settings["keywords"].split(),
    python_requires=f">={settings['min_python']},<{settings['before_python']}",
    packages=find_packages(include=[settings["lib_name"], f"{settings['lib_name']}.*"]),
    package_data={settings["lib_name"]: ["mini/**/*", "model_card.md"]},
    install_requires=words("requirements"),
    extras_require={
        "dev": words("dev_requirements") + words("scale_requirements"),
        "scale": words("scale_requirements"),
        "corpora": words("corpora_requirements"),
        "fast": words("fast_requirements"),
        "site": words("site_requirements"),
        "demo": words("demo_requirements"),
    },
    entry_points={"console_scripts": words("console_scripts")},
    cmdclass={"build_py": BuildWithNotebooks},
)
