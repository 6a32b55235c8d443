"""Python imports this file when it starts, wherever this folder is on PYTHONPATH: no socket leaves the machine.

Connections to 127.0.0.0/8, ::1 and this machine's own addresses are let through, and Unix sockets; everything else
raises `ConnectionRefusedError` before a packet is sent, name lookups included. The hook is Python's audit hook: no code
can take it away again, and processes that are forked or started from here have it too.
"""

import importlib.machinery
import importlib.util
import ipaddress
import os
import socket
import sys
from functools import lru_cache
from typing import Any


@lru_cache
def _own_names() -> frozenset[str]:
    return frozenset({"localhost", "", socket.gethostname()})


@lru_cache
def _is_own_address(text: str) -> bool:
    "Whether this machine has the address: only then can a socket be bound to it."
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
        if address.is_loopback or address.is_unspecified:
            return True
        if address.is_multicast:
            return False
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((text, 0))
        return True
    except (OSError, ValueError):
        return False


def _check(host: Any) -> None:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name is None or name in _own_names() or _is_own_address(str(name)):
        return
    raise ConnectionRefusedError(f"no socket leaves this machine: refused {name!r}")


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        if isinstance(arguments[1], tuple):  # the address of a Unix socket is text
            _check(arguments[1][0])
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        _check(arguments[0])


def install() -> None:
    "Refuse from now on, in this process. Libraries that open sockets on their own get a proxy that does not answer."
    if not getattr(sys, "_course_guard", False):
        sys._course_guard = True  # type: ignore[attr-defined]
        sys.addaudithook(_refuse)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        os.environ[name] = os.environ[name.upper()] = "http://127.0.0.1:9"
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "localhost,127.0.0.1,::1"


def _run_hidden() -> None:
    "The environment may have a sitecustomize of its own, which this file hides."
    here = os.path.dirname(os.path.abspath(__file__))
    others = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]
    found = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if found is not None and found.loader is not None:
        found.loader.exec_module(importlib.util.module_from_spec(found))


if __name__ == "sitecustomize":
    install()
    _run_hidden()
