"No socket leaves the machine, and the guard that sees to it works: in this process, in kernels, in what they start."

import os
import socket
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).resolve().parents[1]
# 192.0.2.0/24 and 2001:db8::/32 are addresses for documentation; nobody has them.
PROBE = """
import socket

def outcome(function, *arguments):
    try:
        function(*arguments)
        return "let through"
    except ConnectionRefusedError as error:
        return "refused" if "no socket leaves" in str(error) else "nobody there"
    except OSError as error:
        return type(error).__name__

def tcp(address):
    with socket.socket() as opened:
        opened.settimeout(0.2)
        opened.connect(address)

def udp(address, family=socket.AF_INET):
    with socket.socket(family, socket.SOCK_DGRAM) as opened:
        opened.sendto(b"x", address)

def connected(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.connect(address)  # sends nothing

def listening():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        with socket.create_connection(server.getsockname(), timeout=5):
            pass

found = {
    "tcp": outcome(tcp, ("192.0.2.1", 80)),
    "udp": outcome(udp, ("192.0.2.1", 80)),
    "udp, connected": outcome(connected, ("192.0.2.1", 80)),
    "multicast": outcome(udp, ("224.0.0.1", 80)),
    "name": outcome(socket.getaddrinfo, "example.org", 443),
    "name as bytes": outcome(socket.getaddrinfo, b"example.org", 443),
    "old name": outcome(socket.gethostbyname, "example.org"),
    "create_connection": outcome(socket.create_connection, ("huggingface.co", 443), 0.2),
    "loopback": outcome(listening),
    "localhost": outcome(socket.getaddrinfo, "localhost", 80),
}
if socket.has_ipv6:
    found["ipv6"] = outcome(udp, ("2001:db8::1", 80), socket.AF_INET6)
"""
CHECK = """
assert {name for name, what in found.items() if what != "refused"} == {"loopback", "localhost"}, found
assert found["loopback"] == found["localhost"] == "let through"
"""
URLLIB = """
import urllib.request
try:
    urllib.request.urlopen("https://huggingface.co", timeout=1)
except OSError as error:
    answer = str(error)
else:
    answer = "let through"
assert "refused" in answer, answer
"""
FORKED = """
import subprocess, sys
from course_lib.processes import launch

def inside():
    exec(PROBE, globals())
    exec(CHECK, globals())
    return True

assert launch(inside, num_processes=2, cpu=True) == [True, True]
"""


def test_here():
    exec(PROBE + CHECK, {})
    exec(URLLIB, {})


def test_in_processes_that_are_started_or_forked():
    done = subprocess.run([sys.executable, "-c", PROBE + CHECK + URLLIB], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    code = f"PROBE = {PROBE!r}\nCHECK = {CHECK!r}\n{FORKED}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def run_as_a_test(notebook: Path, *words: str) -> subprocess.CompletedProcess:
    "As `make test` runs the chapters: nbval, with the set-up of this folder."
    command = [sys.executable, "-m", "pytest", *words, "-p", "no:cacheprovider", "--rootdir", str(notebook.parent)]
    command += ["--nbval-lax", "--nbval-current-env", str(notebook)]
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    variables |= {"PYTHONPATH": str(Path(__file__).parent)} if "-p" in words else {}
    return subprocess.run(command, capture_output=True, text=True, cwd=notebook.parent, env=variables)


def test_in_the_kernels_that_run_the_chapters(tmp_path):
    pytest.importorskip("nbval", reason="the oldest versions are tested without it")
    notebook = tmp_path / "probe.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in (PROBE, CHECK, URLLIB)]), notebook)
    done = run_as_a_test(notebook, "-p", "conftest")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "3 passed" in done.stdout


def test_without_the_guard_the_probe_would_tell(tmp_path):
    "The probe is not blind: where nothing refuses, a packet for an address that nobody has is let through."
    code = PROBE + "print(found['udp, connected'])"
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, env=variables)
    if "OSError" in done.stdout:
        pytest.skip("this machine has no route to anywhere")
    assert done.stdout.strip() == "let through"


def test_the_own_name_is_let_through():
    try:
        socket.getaddrinfo(socket.gethostname(), 80)
    except socket.gaierror:
        pytest.skip("this machine does not know its own name")
