"""A Hub for tests, on 127.0.0.1: it speaks what the real client asks when a model is published, and can be bad at it.

It decides like the real one which files are large (`lfs`), wants them before the commit, and knows one token.
"""

import base64
import hashlib
import json
import socket
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

TOKEN = "hf_" + "NotARealToken" * 2  # in two parts: nothing in this file looks like a token
KINDS = {
    "create": "/api/repos/create",
    "yaml": "/api/validate-yaml",
    "preupload": "/preupload/",
    "batch": "/info/lfs/objects/batch",
    "lfs": "/lfs-store/",
    "commit": "/commit/",
    "resolve": "/resolve/",
}


class Hub(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.commits: list[dict[str, Any]] = []
        self.store: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []  # kind, method and path
        # kind -> what happens to its next requests: a status, (status, headers), "drop", ("slow", event)
        self.faults: dict[str, list[Any]] = defaultdict(list)

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.requests]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *args: Any) -> None:
        pass

    def answer(self, status: int, content: Any = None, headers: dict[str, str] | None = None) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content if content is not None else {}).encode()
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_any(self) -> None:
        path, body = urlsplit(self.path).path, self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind = next((kind for kind, part in KINDS.items() if part in path), "other")
        self.server.requests.append((kind, f"{self.command} {path}"))
        fault = self.server.faults[kind].pop(0) if self.server.faults[kind] else None
        if fault == "drop":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        if isinstance(fault, tuple) and fault[0] == "slow":
            fault[1].wait(30)
        elif fault is not None:
            status, headers = fault if isinstance(fault, tuple) else (fault, {})
            # Some servers repeat what they were sent.
            self.answer(status, {"error": f"refused: {self.headers.get('Authorization')}"}, headers)
            return
        if kind != "lfs" and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.answer(401, {"error": f"Invalid token {self.headers.get('Authorization')}"})
            return
        getattr(self, f"do_{kind}", self.unknown)(path, body)

    do_GET = do_POST = do_PUT = do_HEAD = handle_any

    def unknown(self, path: str, body: bytes) -> None:
        name = path.removeprefix("/api/models/").removesuffix("/revision/main")
        found = name in self.server.repositories
        self.answer(200 if found else 404, {"id": name, "sha": "0" * 40, "siblings": []} if found else {"error": "no"})

    def do_create(self, path: str, body: bytes) -> None:
        wanted = json.loads(body)
        name = f"{wanted.get('organization') or 'you'}/{wanted['name']}"
        status = 409 if name in self.server.repositories else 200
        self.server.repositories.setdefault(name, {})
        self.answer(status, {"url": f"{self.server.url}/{name}", "error": "You already created this model repo"})

    def do_yaml(self, path: str, body: bytes) -> None:
        text = json.loads(body)["content"]
        self.answer(200 if text.startswith("---\n") else 400, {"errors": [], "warnings": []})

    def do_preupload(self, path: str, body: bytes) -> None:
        files = []
        for file in json.loads(body)["files"]:
            mode = "lfs" if file["path"].endswith(".safetensors") else "regular"
            files.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False})
        self.answer(200, {"files": files})

    def do_batch(self, path: str, body: bytes) -> None:
        objects = []
        for wanted in json.loads(body)["objects"]:
            entry = {"oid": wanted["oid"], "size": wanted["size"]}
            if wanted["oid"] not in self.server.store:
                entry["actions"] = {"upload": {"href": f"{self.server.url}/lfs-store/{wanted['oid']}"}}
            objects.append(entry)
        self.answer(200, {"transfer": "basic", "objects": objects})

    def do_lfs(self, path: str, body: bytes) -> None:
        oid = path.rpartition("/")[2]
        if hashlib.sha256(body).hexdigest() != oid:
            self.answer(400)
            return
        self.server.store[oid] = body
        self.answer(200)

    def do_commit(self, path: str, body: bytes) -> None:
        name, files = path.removeprefix("/api/models/").partition("/commit/")[0], {}
        head, *rest = [json.loads(line) for line in body.splitlines()]
        for line in rest:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            else:
                files[value["path"]] = self.server.store[value["oid"]]
        self.server.repositories[name] |= files
        self.server.commits.append({"repository": name, "summary": head["value"]["summary"], "files": sorted(files)})
        oid = f"{len(self.server.commits):040x}"
        self.answer(200, {"commitUrl": f"{self.server.url}/{name}/commit/{oid}", "commitOid": oid})

    def do_resolve(self, path: str, body: bytes) -> None:
        name, _, file = path.strip("/").partition("/resolve/main/")
        content = self.server.repositories.get(name, {}).get(file)
        if content is None:
            self.answer(404, {}, {"X-Error-Code": "EntryNotFound"})
            return
        headers = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": "0" * 40}
        self.answer(200, content, headers)


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def running_hub() -> Iterator[Hub]:
    hub = Hub()
    with serving(hub):
        yield hub
