"""A real HTTP server on loopback that speaks OpenAI's chat completions, with faults on demand."""

from __future__ import annotations

import json
import lzma
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources

Response = Callable[["Handler"], None]
Script = Callable[[int, dict], Response | None]
"""The number of the request (from 0) and its body, to a fault; `None` for the recorded answer."""


class OpenAIServer:
    """`with OpenAIServer(script) as server:` answers at `server.url` from the recordings."""

    def __init__(self, script: Script | None = None) -> None:
        self.script = script or (lambda number, body: None)
        self.bodies: list[dict] = []
        self.headers: list[dict[str, str]] = []
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.answers = recorded_answers()
        self.http = _Server(("127.0.0.1", 0), Handler)
        self.http.owner = self
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"

    def __enter__(self) -> OpenAIServer:
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.http.shutdown()
        self.http.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # connections at once that wait to be taken

    def handle_error(self, *_: object) -> None:
        """Clients of these tests hang up when they like."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        owner: OpenAIServer = self.server.owner
        self.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with owner.lock:
            number = len(owner.bodies)
            owner.bodies.append(self.body)
            owner.headers.append({name.lower(): value for name, value in self.headers.items()})
        if self.path != "/v1/chat/completions":
            respond = status(404, "no such path")
        else:
            respond = owner.script(number, self.body)
        try:
            (respond or reply(owner.answers.get(conversation(self.body["messages"]), "I do not know this one.")))(self)
        except ConnectionError:
            self.close_connection = True

    def send(self, code: int, payload: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(payload)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def conversation(messages: list[dict]) -> str:
    return json.dumps([[message["role"], message["content"]] for message in messages])


def recorded_answers() -> dict[str, str]:
    """What was answered to each conversation at its first attempt, to its first round as well as to its last."""
    answers = {}
    for entry in (resources.files("innerear.ask.models") / "recordings").iterdir():
        content = entry.read_bytes()
        for line in (lzma.decompress(content) if entry.name.endswith(".xz") else content).splitlines():
            row = json.loads(line)
            if "messages" not in row or row.get("attempt"):
                continue
            said = [*row["messages"], {"role": "assistant", "content": row["text"]}]
            for at, message in enumerate(said):
                if message["role"] == "assistant":
                    answers[conversation(said[:at])] = message["content"]
    return answers


def reply(text: str, finish_reason: str = "stop") -> Response:
    """An answer, plain or streamed, as the request wants it."""

    def respond(handler: Handler) -> None:
        if handler.body.get("stream"):
            _start_events(handler)
            for payload in _events(text, finish_reason):
                _chunk(handler, payload)
            _chunk(handler, b"")
            return
        message = {"role": "assistant", "content": text}
        handler.send(200, json.dumps({
            "id": "x", "object": "chat.completion", "created": 1, "model": handler.body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
            "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
        }).encode())  # fmt: skip

    return respond


def status(code: int, message: str = "an error", error_code: str | None = None, **headers: str) -> Response:
    """An error as OpenAI words it; `Retry_After="1"` gives a header."""
    error = {"error": {"message": message, "type": "t", "code": error_code}}
    return lambda handler: handler.send(code, json.dumps(error).encode(), **headers)


def raw(code: int, payload: bytes, kind: str) -> Response:
    """These bytes."""
    return lambda handler: handler.send(code, payload, kind)


def cut(handler: Handler) -> None:
    """The connection breaks in the middle of the answer."""
    if handler.body.get("stream"):
        _start_events(handler)
        for payload in _events("```python\nimport numpy as np\n", "stop")[:3]:
            _chunk(handler, payload)
    else:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", "10000")
        handler.end_headers()
        handler.wfile.write(b'{"choices": [{"message": {"content": "```py')
    handler.wfile.flush()
    handler.close_connection = True


def hang(handler: Handler) -> None:
    """No answer, until the server closes."""
    handler.server.owner.closing.wait(60)
    handler.close_connection = True


def _start_events(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream; charset=utf-8")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()


def _events(text: str, finish_reason: str) -> list[bytes]:
    size = max(7, len(text) // 40)
    deltas = [{"content": text[i : i + size]} for i in range(0, len(text), size)]
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in [{"role": "assistant"}, *deltas]]
    choices.append({"index": 0, "delta": {}, "finish_reason": finish_reason})
    bodies = [{"id": "x", "object": "chat.completion.chunk", "choices": [choice]} for choice in choices]
    bodies.append({"id": "x", "choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7}})
    return [b": keep-alive\n\n", *(b"data: " + json.dumps(body).encode() + b"\n\n" for body in bodies),
            b"data: [DONE]\n\n"]  # fmt: skip


def _chunk(handler: Handler, payload: bytes) -> None:
    handler.wfile.write(b"%x\r\n%s\r\n" % (len(payload), payload))
