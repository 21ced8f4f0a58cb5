"""A stand-in for the Hugging Face hub on a loopback address: what pushing and pulling datasets asks of its API.

Files of 64 kB and more, and those that are no text, go by the protocol of Git LFS, as there.
"""

import base64
import hashlib
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

TOKEN = "hf_notarealtokenbutlonglikeone"
REPO = r"/api/datasets/(?P<repo>[\w.-]+/[\w.-]+)"


class Hub:
    """Repositories: for each its commits, newest last, each a mapping from path to content."""

    def __init__(self):
        self.repos, self.objects, self.seen = {}, {}, []
        self.down = False


def sha(content):
    return hashlib.sha1(content).hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _answer(self, body, status=200, **headers):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _fail(self, status, code, words):
        self._answer({"error": words}, status, X_Error_Code=code, X_Error_Message=words)

    def _route(self):
        hub, path = self.server.hub, unquote(urlsplit(self.path).path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        hub.seen.append((self.command, path))
        if hub.down:
            return self._fail(503, "Down", "the hub is down")
        writes = self.command in ("POST", "PUT") and not path.startswith(("/lfs/", "/api/validate-yaml"))
        if writes and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._fail(401, "Unauthorized", "Invalid username or password.")
        if (self.command, path) == ("POST", "/api/repos/create"):
            asked = json.loads(body)
            repo = f"{asked.get('organization') or 'someone'}/{asked['name']}"
            exists = repo in hub.repos
            hub.repos.setdefault(repo, [("0" * 40, {})])
            url = {"url": f"{self.server.address}/datasets/{repo}"}
            return self._answer(url | ({"error": "exists"} if exists else {}), 409 if exists else 200)
        if path == "/api/validate-yaml":
            return self._answer({"errors": [], "warnings": []})
        if path.startswith("/lfs/"):
            oid = path.removeprefix("/lfs/")
            assert hashlib.sha256(body).hexdigest() == oid
            hub.objects[oid] = body
            return self._answer(b"")
        if match := re.fullmatch(r"/datasets/(?P<repo>[\w.-]+/[\w.-]+)\.git/info/lfs/objects/batch", path):
            asked = json.loads(body)
            objects = [
                {**one, "actions": {"upload": {"href": f"{self.server.address}/lfs/{one['oid']}"}}}
                for one in asked["objects"]
            ]
            return self._answer({"transfer": "basic", "objects": objects})
        if match := re.fullmatch(REPO + r"/preupload/(?P<revision>.+)", path):
            files = []
            for one in json.loads(body)["files"]:
                text = base64.b64decode(one["sample"]).isascii() and one["size"] < 1 << 16
                files.append({"path": one["path"], "uploadMode": "regular" if text else "lfs", "shouldIgnore": False})
            return self._answer({"files": files})
        match = re.match(r"(?:/api)?/datasets/(?P<repo>[\w.-]+/[\w.-]+)", path)
        if not match or match["repo"] not in hub.repos:
            return self._fail(404, "RepoNotFound", "Repository not found")
        commits = hub.repos[match["repo"]]
        if found := re.fullmatch(REPO + r"/commit/(?P<revision>.+)", path):
            return self._commit(commits, found["repo"], body)
        if found := re.fullmatch(REPO + r"(?:/revision/(?P<revision>[^/]+))?", path):
            commit = self._at(commits, found["revision"])
            if commit is None:
                return self._fail(404, "RevisionNotFound", "Revision not found")
            siblings = [{"rfilename": name} for name in sorted(commit[1])]
            return self._answer({"id": found["repo"], "sha": commit[0], "siblings": siblings, "private": False})
        if found := re.fullmatch(REPO + r"/tree/(?P<revision>[^/]+)(?P<under>/.*)?", path):
            commit = self._at(commits, found["revision"])
            rows = [
                {"type": "file", "path": name, "size": len(content), "oid": sha(content)}
                for name, content in sorted(commit[1].items())
            ]
            return self._answer(rows)
        if found := re.fullmatch(r"/datasets/[^/]+/[^/]+/resolve/(?P<revision>[^/]+)/(?P<file>.+)", path):
            commit = self._at(commits, found["revision"])
            if commit is None or found["file"] not in commit[1]:
                return self._fail(404, "EntryNotFound", "Entry not found")
            content = commit[1][found["file"]]
            return self._answer(content, ETag=f'"{sha(content)}"', X_Repo_Commit=commit[0])
        return self._fail(404, "Unknown", f"the stand-in knows no {self.command} {path}")

    def _at(self, commits, revision):
        if revision in (None, "main"):
            return commits[-1]
        return next((commit for commit in commits if commit[0] == revision), None)

    def _commit(self, commits, repo, body):
        files = dict(commits[-1][1])
        for line in body.splitlines():
            row = json.loads(line)
            value = row["value"]
            if row["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif row["key"] == "lfsFile":
                files[value["path"]] = self.server.hub.objects[value["oid"]]
            elif row["key"] == "deletedFile":
                files.pop(value["path"], None)
        oid = sha(body + str(len(commits)).encode())
        commits.append((oid, files))
        url = f"{self.server.address}/datasets/{repo}/commit/{oid}"
        self._answer({"commitUrl": url, "commitOid": oid, "success": True})

    do_GET = do_HEAD = do_POST = do_PUT = _route


@contextmanager
def serving():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.hub = Hub()
    server.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
