"""A headless Chromium, driven through its DevTools: what a page shows, and what it asks for.

`with Browser() as browser: page = browser.open(url)`; then `page.js("document.title")`, `page.wait("…")`,
`page.screenshot(path)`, and `page.requests`, the addresses that it asked for. No name is resolved but 127.0.0.1.
"""

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import pytest

try:
    import websocket  # of the package websocket-client, which jupyter-server brings along
except ImportError:
    websocket = None

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
needs_browser = pytest.mark.skipif(
    not (PROGRAM and websocket), reason="no Chromium here (Debian: apt-get install chromium), or no websocket-client"
)

# Root, as in a container, gets no sandbox; nothing that the browser does by itself leaves the machine.
QUIET = "no-sandbox disable-gpu disable-dev-shm-usage no-first-run no-default-browser-check disable-sync disable-extensions"
QUIET += " disable-background-networking disable-component-update disable-default-apps mute-audio hide-scrollbars"
RESOLVE = "host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"


class Page:
    "One tab. Its events are read while an answer is waited for."

    def __init__(self, address: str):
        self.socket = websocket.create_connection(address, timeout=60, suppress_origin=True, http_no_proxy=["127.0.0.1"])
        self.count, self.requests, self.errors = 0, [], []
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        "One command of the DevTools protocol, and its result."
        self.count += 1
        self.socket.send(json.dumps({"id": self.count, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == self.count:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]
            details = message.get("params", {})
            if message["method"] == "Network.requestWillBeSent":
                self.requests.append(details["request"]["url"])
            elif message["method"] == "Runtime.exceptionThrown":
                self.errors.append(details["exceptionDetails"].get("exception", {}).get("description", str(details)))

    def js(self, expression: str) -> Any:
        "The value of an expression, or what its promise ends with."
        options = {"returnByValue": True, "awaitPromise": True, "userGesture": True}
        found = self.call("Runtime.evaluate", expression=expression, **options)
        assert "exceptionDetails" not in found, f"{expression}: {found['exceptionDetails']}"
        return found["result"].get("value")

    def wait(self, expression: str, seconds: float = 180) -> Any:
        "The value of the expression as soon as it is true; an assertion fails where it never is."
        end = time.monotonic() + seconds
        while not (value := self.js(expression)):
            assert time.monotonic() < end, f"after {seconds} s still not true: {expression}"
            time.sleep(0.1)
        return value

    def look(self, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        "As on a screen of this size; below 600 pixels as on a telephone."
        sizes = {"width": width, "height": height, "deviceScaleFactor": 1}
        self.call("Emulation.setDeviceMetricsOverride", **sizes, mobile=width < 600)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def go(self, url: str) -> None:
        self.js("window.left = true")  # the page before is complete, too
        new = "loaderId" in self.call("Page.navigate", url=url)  # not a place on the same page
        self.wait("document.readyState === 'complete'" + " && !window.left" * new)

    def type(self, text: str) -> None:
        "Where the cursor is, as a reader would."
        self.call("Input.insertText", text=text)

    def screenshot(self, path: str | Path, whole: bool = False) -> Path:
        "A PNG of what is seen, or of the whole page."
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        Path(path).write_bytes(base64.b64decode(data))
        return Path(path)


class Browser:
    "A Chromium of its own, with an empty profile that is gone afterwards."

    def __enter__(self) -> "Browser":
        assert PROGRAM, "no Chromium"
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        words = [f"--{word}" for word in [*QUIET.split(), RESOLVE, "headless=new", "remote-debugging-port=0"]]
        words += [f"--user-data-dir={self.folder.name}", "about:blank"]
        environ = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        null = subprocess.DEVNULL
        self.process = subprocess.Popen([PROGRAM, *words], stdout=null, stderr=null, env=environ, start_new_session=True)
        said, end = Path(self.folder.name, "DevToolsActivePort"), time.monotonic() + 60
        while not (said.exists() and said.read_text().strip()):
            assert self.process.poll() is None, f"{PROGRAM} ended with {self.process.returncode}"
            assert time.monotonic() < end, f"{PROGRAM} does not answer"
            time.sleep(0.1)
        self.port = int(said.read_text().split()[0])
        self.pages: list[Page] = []
        return self

    def open(self, url: str, width: int = 1280, height: int = 900, dark: bool = False) -> Page:
        "The address in a tab of its own."
        request = Request(f"http://127.0.0.1:{self.port}/json/new?about:blank", method="PUT")
        with build_opener(ProxyHandler({})).open(request, timeout=60) as answer:
            page = Page(json.load(answer)["webSocketDebuggerUrl"])
        self.pages.append(page)
        page.look(width, height, dark)
        page.go(url)
        return page

    def __exit__(self, *error: object) -> None:
        for page in self.pages:
            page.socket.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.folder.cleanup()
