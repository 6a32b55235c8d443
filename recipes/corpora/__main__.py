"""Write the packaged corpora, or check that they would come out the same.

    python -m recipes.corpora                                      all into course_lib/mini
    python -m recipes.corpora reviews squad                        these two
    python -m recipes.corpora --check                              write them into a temporary folder, and compare
    python -m recipes.corpora --language ru-RU --out my_messages   an installed language pack of JupyterLab as a data set

`code` takes files of a few packages that the course does not need; recipes/README.md says how to get them.
"""

import argparse
import sys
from pathlib import Path

from course_lib.profiles import MINI_FOLDER, CourseError

from .catalogs import PACK
from .write import check, pack_version, recipes, write, write_pack


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(recipes())}; all where none is given")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if a corpus would come out differently"
    )
    parser.add_argument("--extra", action="append", default=[], help="a folder with packages that are not installed")
    parser.add_argument("--language", help="of an installed language pack, such as ru-RU")
    parser.add_argument("--out", type=Path, default=MINI_FOLDER, help="where to write")
    options = parser.parse_args()
    try:
        if options.language:
            write_pack(options.language, options.out)
            return 0
        differences = []
        for name in options.names or recipes():
            if options.check and name == "jupyterlab-fr" and pack_version() != PACK[1]:
                print(f"{name}: not checked, for {' '.join(PACK)} is not here. Run pip install -e '.[corpora]'.")
            elif options.check:
                differences += check(name, extra=options.extra)
            else:
                print(write(name, options.out, options.extra))
        print(*differences, sep="\n", file=sys.stderr)
        return 1 if differences else 0
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
