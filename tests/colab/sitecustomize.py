"""OPUS is on the loopback Hub as well, in every interpreter of the rehearsal; the guard runs this file, which it hides."""

import importlib.abc
import importlib.util
import os
import sys
from typing import Any


class Finder(importlib.abc.MetaPathFinder):
    "Changes a constant of `course_lib.data` when it is imported."

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name != "course_lib.data":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module: Any) -> None:
            execute(module)
            module.OPUS_URL = os.environ["REHEARSAL_OPUS"]

        spec.loader.exec_module = exec_module
        return spec


if "REHEARSAL_OPUS" in os.environ:
    sys.meta_path.insert(0, Finder())
