"""A Hub to read from, on 127.0.0.1: the client's libraries ask it, by HF_ENDPOINT, what they ask the real one.

It answers like the real one: repositories have commits, branches and pull requests; small files are redirected to a
cache on the same address, large ones to a CDN, which here is a second port; a repository that is not there is a 401.
It offers no Xet, knows no data set viewer, and never asks for a token. What it was asked is in `requests`, and `fail`
makes it bad at its work. `hub_layouts` fills it.
"""

import hashlib
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import hub_server

DATE = "2026-01-01T00:00:00.000Z"
LARGE = (".bin", ".safetensors", ".parquet", ".h5", ".msgpack", ".ot", ".gz", ".zip")
LIMIT = 10 * 2**20  # bytes; larger files are large whatever they are called


@dataclass
class File:
    content: bytes
    large: bool

    @property
    def oid(self) -> str:  # SHA-256 of what Git LFS keeps, Git's own number of the others
        if self.large:
            return hashlib.sha256(self.content).hexdigest()
        return hashlib.sha1(b"blob %d\0" % len(self.content) + self.content).hexdigest()

    def entry(self, path: str) -> dict[str, Any]:
        "As `tree` and `paths-info` show it."
        entry: dict[str, Any] = {"type": "file", "oid": self.oid[:40], "size": len(self.content), "path": path}
        if self.large:
            entry["lfs"] = {"oid": self.oid, "size": len(self.content), "pointerSize": 130}
        return entry


Files = Mapping[str, bytes | str | File | None]


@dataclass
class Commit:
    sha: str
    files: dict[str, File]
    title: str


@dataclass
class Repository:
    kind: str  # "models" or "datasets"
    name: str
    refs: dict[str, list[Commit]] = field(default_factory=dict)  # branch or refs/pr/N -> commits, newest first
    discussions: list[dict[str, Any]] = field(default_factory=list)

    def commit(self, files: Files, title: str = "Upload files", ref: str = "main") -> str:
        "Add or replace files, remove those that are None; the new commit's number."
        before = self.refs.get(ref, [])
        whole = dict(before[0].files) if before else {}
        for path, content in files.items():
            content = content.encode() if isinstance(content, str) else content
            whole.pop(path, None)
            if isinstance(content, bytes):
                content = File(content, path.endswith(LARGE) or len(content) > LIMIT)
            if content is not None:
                whole[path] = content
        known = sum(map(len, self.refs.values()))
        sha = hashlib.sha1(f"{self.kind}/{self.name} {ref} {known}".encode()).hexdigest()
        self.refs[ref] = [Commit(sha, whole, title), *before]
        return sha

    def open_pull_request(self, files: Files, title: str, author: str) -> dict[str, Any]:
        "A pull request on top of today's main; set its `status` to close it."
        number = len(self.discussions) + 1
        ref = f"refs/pr/{number}"
        self.refs[ref] = list(self.refs["main"])
        self.commit(files, title, ref)
        repository = {"name": self.name, "type": self.kind[:-1]}
        self.discussions.append(
            {"num": number, "title": title, "author": {"name": author}, "createdAt": DATE, "status": "open"}
            | {"isPullRequest": True, "repo": repository}
        )
        return self.discussions[-1]

    def find(self, revision: str) -> Commit | None:
        "The commit that a branch, a pull request or a commit's number means."
        if revision in self.refs:
            return self.refs[revision][0]
        return next((commit for commits in self.refs.values() for commit in commits if commit.sha == revision), None)


@dataclass
class Request:
    kind: str  # what was asked for: see `Handler.handle_any`
    method: str
    path: str
    sent: int = 0  # bytes of the body that were handed over; a client may leave before it read them


@dataclass
class Fault:
    kind: str
    path: re.Pattern[str]
    what: int | str | float
    headers: dict[str, str]
    left: float


class LoopbackHub(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, served: "LoopbackHub | None" = None) -> None:
        "With `served`, one more address of that hub."
        super().__init__(("127.0.0.1", 0), lambda request, client, _: Handler(request, client, served or self))
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.cdn: str = self.url
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.elsewhere: dict[str, bytes] = {}  # path -> content, for data that are on another host in truth
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.lock = threading.Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # somebody hung up

    def add(self, kind: str, name: str, files: Files) -> Repository:
        "A repository with one commit. `kind` is models or datasets."
        self.repositories[kind, name] = repository = Repository(kind, name)
        repository.commit({".gitattributes": "", **files}, "initial commit")
        return repository

    def fail(
        self,
        what: int | str | float,  # a status; "drop" the connection; "cut" it after half of the body; seconds to wait
        path: str = "",  # regular expression, looked for in the request's path
        *,
        kind: str = "",  # of the requests; all kinds
        times: float = float("inf"),  # how often; for ever
        headers: Mapping[str, str] | None = None,  # such as {"Retry-After": "1"}
    ) -> None:
        "From now on go wrong where kind and path fit. Waiting is written as a float."
        self.faults.append(Fault(kind, re.compile(path), what, dict(headers or {}), times))

    def asked(self, path: str = "", kind: str = "") -> list[Request]:
        "The requests of that kind whose path holds the regular expression, in their order."
        return [one for one in list(self.requests) if kind in ("", one.kind) and re.search(path, one.path)]

    def sent(self, path: str = "", kind: str = "") -> int:
        "Bytes handed over in answer to `asked(path, kind)`."
        return sum(one.sent for one in self.asked(path, kind))


class Handler(hub_server.Handler):
    server: LoopbackHub

    def handle_any(self) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = [unquote(part) for part in url.path.strip("/").split("/")]
        # /api/models/OWNER/NAME/tree/REVISION/…: tree, and so on; /OWNER/NAME/resolve/REVISION/…: resolve
        api = parts[0] == "api" and len(parts) > 3 and parts[1] in ("models", "datasets")
        kind, name, rest = "other", "", []
        if api:
            name, kind, rest = "/".join(parts[2:4]), "info" if len(parts) == 4 else parts[4], parts[5:]
            kind = "info" if kind == "revision" else kind
        elif parts[:2] == ["api", "resolve-cache"]:
            kind, parts = "cache", parts[2:]
            name, rest = "/".join(parts[1:3]), parts[3:]
        elif "resolve" in parts[2:4]:
            parts = parts if parts[0] == "datasets" else ["models", *parts]
            kind, name, rest = "resolve", "/".join(parts[1:3]), parts[4:]
        elif parts[0] in ("cdn", "elsewhere"):
            kind, rest = parts[0], parts[1:]
        self.asked = Request(kind, self.command, unquote(self.path))
        with self.server.lock:
            self.server.requests.append(self.asked)
            fault = self.next_fault()
        if fault is not None and fault.what == "drop":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        if fault is not None and isinstance(fault.what, float):
            time.sleep(fault.what)
        elif fault is not None and isinstance(fault.what, int):
            self.answer(fault.what, {"error": "out of order"}, fault.headers)
            return
        self.cut = fault is not None and fault.what == "cut"
        kinds = parts[1] if api else parts[0]
        repository = self.server.repositories.get((kinds, name)) if name else None
        if name and repository is None:
            self.refuse(401, "RepoNotFound", "Invalid username or password.")
            return
        with_query = getattr(self, "do_" + kind.replace("-", "_"), None)
        if with_query is None:
            self.refuse(404, "", f"no {kind}: {url.path}")
        elif repository is None:
            with_query(rest)
        else:
            revision = rest[0] if rest else "main"
            commit = repository.find(revision)
            if commit is None and kind != "discussions":
                self.refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
                return
            with_query(repository, commit, "/".join(rest[1:]), parse_qs(url.query) | parse_qs(body.decode()))

    do_GET = do_POST = do_PUT = do_HEAD = handle_any

    def next_fault(self) -> Fault | None:
        for fault in self.server.faults:
            if fault.left > 0 and fault.kind in ("", self.asked.kind) and fault.path.search(self.asked.path):
                fault.left -= 1
                return fault
        return None

    def refuse(self, status: int, code: str, message: str) -> None:
        headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
        self.answer(status, {"error": message}, headers)

    def serve(self, content: bytes, headers: dict[str, str]) -> None:
        "The content, or the range of it that is asked for."
        total, status = len(content), 200
        wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range") or "")
        if wanted:
            first, last = wanted.groups()
            start = int(first) if first else max(0, total - int(last))
            end = min(int(last), total - 1) if first and last else total - 1
            if start >= total:
                self.answer(416, {}, {"Content-Range": f"bytes */{total}"})
                return
            content, status = memoryview(content)[start : end + 1], 206
            headers = headers | {"Content-Range": f"bytes {start}-{end}/{total}"}
        self.send_response(status)
        for header, value in {"Content-Length": str(len(content)), "Accept-Ranges": "bytes", **headers}.items():
            self.send_header(header, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        most = len(content) // 2 if self.cut else len(content)
        try:
            for start in range(0, most, 2**16):
                self.wfile.write(content[start : min(start + 2**16, most)])
                self.asked.sent += min(2**16, most - start)
        except OSError:  # who asked has seen enough
            self.close_connection = True
        if self.cut:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    def do_info(self, repository: Repository, commit: Commit, path: str, query: dict[str, list[str]]) -> None:
        blobs = "blobs" in query
        siblings = [
            {"rfilename": file_path} | ({"size": len(file.content), "blobId": file.oid[:40]} if blobs else {})
            for file_path, file in sorted(commit.files.items())
        ]
        flags = dict.fromkeys(("private", "gated", "disabled"), False)
        times = dict.fromkeys(("lastModified", "createdAt"), DATE)
        counts = dict.fromkeys(("downloads", "likes"), 0)
        identity = {"_id": commit.sha[:24], "id": repository.name, "author": repository.name.partition("/")[0]}
        self.answer(200, identity | {"sha": commit.sha, "tags": [], "siblings": siblings} | flags | times | counts)

    def do_tree(self, repository: Repository, commit: Commit, path: str, query: dict[str, list[str]]) -> None:
        prefix = path + "/" if path else ""
        found = {name: file for name, file in sorted(commit.files.items()) if name.startswith(prefix)}
        if not found:
            self.refuse(404, "EntryNotFound", f"{path} does not exist on {commit.sha}")
            return
        recursive = query.get("recursive", ["false"])[0].lower() in ("true", "1")
        entries: dict[str, dict[str, Any]] = {}
        for name, file in found.items():
            inner = name[len(prefix) :].split("/")
            for depth in range(1, len(inner) if recursive else min(len(inner), 2)):
                folder = prefix + "/".join(inner[:depth])
                oid = hashlib.sha1(folder.encode()).hexdigest()
                entries[folder] = {"type": "directory", "oid": oid, "size": 0, "path": folder}
            if recursive or len(inner) == 1:
                entries[name] = file.entry(name)
        self.answer(200, list(entries.values()))

    def do_paths_info(self, repository: Repository, commit: Commit, path: str, query: dict[str, list[str]]) -> None:
        entries = []
        for name in query.get("paths", []):
            if name in commit.files:
                entries.append(commit.files[name].entry(name))
            elif any(other.startswith(name + "/") for other in commit.files):
                oid = hashlib.sha1(name.encode()).hexdigest()
                entries.append({"type": "directory", "oid": oid, "size": 0, "path": name})
        self.answer(200, entries)

    def do_refs(self, repository: Repository, commit: Commit, path: str, query: dict[str, list[str]]) -> None:
        refs = [
            {"name": ref.rpartition("/")[2], "ref": ref if "/" in ref else f"refs/heads/{ref}"}
            | {"targetCommit": commits[0].sha}
            for ref, commits in repository.refs.items()
        ]
        pulls = [ref for ref in refs if ref["ref"].startswith("refs/pr/")]
        branches = [ref for ref in refs if ref not in pulls]
        self.answer(200, {"branches": branches, "converts": [], "tags": [], "pullRequests": pulls})

    def do_commits(self, repository: Repository, commit: Commit, path: str, query: dict[str, list[str]]) -> None:
        commits = next(one for one in repository.refs.values() if commit in one)
        shown = {"message": "", "authors": [{"user": "someone"}], "date": DATE}
        self.answer(200, [{"id": one.sha, "title": one.title} | shown for one in commits[commits.index(commit) :]])

    def do_discussions(self, repository: Repository, commit: Any, path: str, query: dict[str, list[str]]) -> None:
        start = 10 * int(query.get("p", ["0"])[0])
        newest = repository.discussions[::-1]
        closed = sum(one["status"] != "open" for one in newest)
        shown = {"count": len(newest), "start": start, "numClosedDiscussions": closed}
        self.answer(200, {"discussions": newest[start : start + 10]} | shown)

    def do_resolve(self, repository: Repository, commit: Commit, path: str, query: dict[str, list[str]]) -> None:
        file = commit.files.get(path)
        if file is None:
            self.refuse(404, "EntryNotFound", "Entry not found")
            return
        headers = {"X-Repo-Commit": commit.sha, "X-Linked-Size": str(len(file.content)), "ETag": f'"{file.oid}"'}
        headers["X-Linked-ETag"] = headers["ETag"]
        inner = f"{repository.kind}/{repository.name}/{commit.sha}/{quote(path)}"
        if file.large:
            self.answer(302, b"", headers | {"Location": f"{self.server.cdn}/cdn/{inner}"})
        else:
            self.answer(307, b"", headers | {"Location": f"/api/resolve-cache/{inner}"})

    def do_cache(self, repository: Repository, commit: Commit, path: str, query: dict[str, list[str]]) -> None:
        file = commit.files[path]
        self.serve(file.content, {"ETag": f'"{file.oid}"', "X-Repo-Commit": commit.sha})

    def do_cdn(self, rest: list[str]) -> None:
        repository = self.server.repositories[rest[0], "/".join(rest[1:3])]
        file = repository.find(rest[3]).files["/".join(rest[4:])]
        self.serve(file.content, {"ETag": f'"{file.oid}"'})  # no X-Repo-Commit: the CDN knows nothing of commits

    def do_elsewhere(self, rest: list[str]) -> None:
        content = self.server.elsewhere.get("/".join(rest))
        if content is None:
            self.answer(404)
        else:
            self.serve(content, {"ETag": f'"{hashlib.sha1(content).hexdigest()}"'})


@contextmanager
def running_loopback_hub() -> Iterator[LoopbackHub]:
    "A hub that answers at `hub.url`, empty at first; its CDN is at another port, as another host would be."
    hub = LoopbackHub()
    cdn = LoopbackHub(hub)
    hub.cdn = cdn.url
    with ExitStack() as stack:
        for server in (hub, cdn):
            stack.enter_context(hub_server.serving(server))
        yield hub


def environment(hub: LoopbackHub, home: str) -> dict[str, str]:
    "Variables for a fresh process that is to ask this hub, with an empty cache in the folder `home`."
    return {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": home,
        "HF_HUB_OFFLINE": "0",
        "HF_DATASETS_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }


def show(hub: LoopbackHub) -> str:
    "What was asked, one line each; for a person who wonders."
    return "\n".join(f"{one.kind:12} {one.method:5} {one.sent:>10,} {one.path}" for one in list(hub.requests))
