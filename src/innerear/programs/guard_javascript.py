"""The guard for JavaScript: modules other than `fs`, code made at run time, the network, files and packed data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from innerear.programs.tokens import Token, tokens

_PROCESS = "another process"
_NETWORK = "network"
_FILE = "a file is read"
_UNREADABLE = "code that cannot be read"
_PACKED = "packed data"
_BEYOND = "an import beyond those allowed"
_FS = {"fs", "fs/promises"}
_MODULES = {
    **dict.fromkeys(("child_process", "cluster", "worker_threads"), _PROCESS),
    **dict.fromkeys(
        ("net", "http", "https", "http2", "dgram", "tls", "dns", "dns/promises", "inspector", "undici", "ws"), _NETWORK
    ),
    **dict.fromkeys(("vm", "module", "repl", "v8", "wasi", "process"), _UNREADABLE),
    **dict.fromkeys(("zlib", "sea"), _PACKED),
    **dict.fromkeys(("say", "espeak", "mespeak", "meSpeak", "sam-js", "node-tts", "text2wav"), "text-to-speech"),
}
_GLOBALS = {
    **dict.fromkeys(("fetch", "WebSocket", "XMLHttpRequest", "EventSource"), _NETWORK),
    **dict.fromkeys(("Worker", "SharedWorker"), _PROCESS),
    **dict.fromkeys(("eval", "WebAssembly", "importScripts", "ShadowRealm"), _UNREADABLE),
    **dict.fromkeys(("speechSynthesis", "SpeechSynthesisUtterance"), "text-to-speech"),
    "atob": _PACKED,
}
_MEMBERS = {
    **dict.fromkeys(("binding", "_linkedBinding", "dlopen", "mainModule", "getBuiltinModule"), _UNREADABLE),
    **dict.fromkeys(("fromBase64", "setFromBase64", "fromHex", "setFromHex"), _PACKED),
}
_HOSTS = {"process", "globalThis", "global", "module", "require", "root"}
_READERS = {
    "openSync", "readFile", "readFileSync", "createReadStream", "openAsBlob", "readdir", "readdirSync", "opendir",
    "opendirSync", "readlink", "readlinkSync", "copyFile", "copyFileSync", "cpSync",
}  # fmt: skip
"""Functions that read files, but for those whose names are words of other things, such as `open`."""
_PACKINGS = {"base64", "base64url", "hex"}
_OWN = {"output.wav", "./output.wav"}
_FAR = 200  # tokens that are looked at from one
_TAKERS = {"function", "const", "let", "var", "class"}


def violations(code: str) -> Iterator[tuple[int, str]]:
    """Yield the line and kind of each violation."""
    reader = _Reader(tokens(code, "javascript"))
    for at, token in enumerate(reader.found):
        kinds = {"word": reader.kind, "string": reader.kind_of_string}
        if token.kind in kinds and (kind := kinds[token.kind](at)):
            yield token.line, kind


class _Reader:
    """The tokens of a program, with the names that it declares and its string constants."""

    def __init__(self, found: Sequence[Token]) -> None:
        self.found = found
        self._declared = {self.text(at + 1) for at, token in enumerate(found) if token.text in _TAKERS}
        self._constants = {
            self.text(at - 2): token.text
            for at, token in enumerate(found)
            if token.kind == "string" and self.text(at - 1) == "=" and at > 1 and found[at - 2].kind == "word"
        }
        self._mentioned = Counter(token.text for token in found if token.kind == "string")

    def text(self, at: int) -> str:
        """The token at a place; empty beyond the ends."""
        return self.found[at].text if 0 <= at < len(self.found) else ""

    def kind(self, at: int) -> str | None:
        """The violation of the word at a place, if it is one."""
        word, before, after = self.text(at), self.text(at - 1), self.text(at + 1)
        is_member = before == "." or (before == "?." and self.found[at - 1].kind == "mark")
        if is_member:
            return self._member(at)
        if after == ":" and before in ("{", ","):
            return _FILE if word in _READERS else None  # the name of a property, or another name for a reader
        if word == "import":
            return self._imported(at)
        if word == "require":
            return self._required(at)
        if word == "Function" and (after == "(" or before == "new"):
            return _UNREADABLE
        if word in _HOSTS and after == "[":
            return _UNREADABLE
        if word in _READERS and self._is_read(at):
            return _FILE
        return _GLOBALS.get(word) if word not in self._declared else None

    def _member(self, at: int) -> str | None:
        word, host, after = self.text(at), self.text(at - 2), self.text(at + 1)
        if word == "constructor" and host != "this" and after in ("(", ".", "["):
            return None if after != "(" and self.text(at + 2) == "name" else _UNREADABLE
        if host in ("module", "process") and word in ("require", "constructor", "_load", "createRequire", "children"):
            return _UNREADABLE
        if host in ("globalThis", "global") and word in _GLOBALS:
            return _GLOBALS[word]
        if host in ("globalThis", "global") and word in ("Function", "require"):
            return _UNREADABLE
        if word in _READERS and self._is_read(at):
            return _FILE
        return _MEMBERS.get(word) if host in _HOSTS or word.startswith(("from", "setFrom")) else None

    def _is_read(self, at: int) -> bool:
        """Whether a reader at a place reads a file that the program does not write, or is passed on as a value."""
        if self.text(at + 1) != "(":
            return self.text(at - 1) == "." and self.text(at + 1) not in (",", "}")
        writes = self.text(at).startswith("open") and self.text(at + 3) == "," and not self.text(at + 4).startswith("r")
        return not writes and self._reads(at + 2)

    def _reads(self, at: int) -> bool:
        """Whether the argument at a place is a constant name of a file that the program does not write."""
        path: str | None = self.text(at)
        if self.found[at : at + 1] and self.found[at].kind != "string":
            path = self._constants.get(path or "")
        return path is not None and path not in _OWN and self._mentioned[path] < 2

    def _required(self, at: int) -> str | None:
        after = self.text(at + 1)
        if after == "." and self.text(at + 2) == "main":
            return None
        if self.text(at - 1) == "typeof":
            return None
        if after != "(" or at + 2 >= len(self.found) or self.found[at + 2].kind != "string" or self.text(at + 3) != ")":
            return _UNREADABLE
        return _module(self.text(at + 2))

    def _imported(self, at: int) -> str | None:
        """The violation of an import: a statement, a call, or `import.meta`."""
        if self.text(at + 1) == ".":
            return None
        if self.text(at + 1) == "(":
            is_plain = at + 2 < len(self.found) and self.found[at + 2].kind == "string" and self.text(at + 3) == ")"
            return _module(self.text(at + 2)) if is_plain else _UNREADABLE
        for token in self.found[at + 1 : at + _FAR]:
            if token.kind == "string":
                return _module(token.text)
            if token.text in (";", "="):
                break
        return None

    def kind_of_string(self, at: int) -> str | None:
        """The violation of a string: the name of a forbidden member or module, or a packing that is undone."""
        text, before, after = self.text(at), self.text(at - 1), self.text(at + 1)
        if before == "[" and after == "]" and (text in _MEMBERS or text in ("constructor", "require", "eval")):
            return _UNREADABLE
        if before == "[" and after == "]" and text in _READERS and (self.text(at + 2) != "(" or self._reads(at + 3)):
            return _FILE
        if text.removeprefix("node:") in ("child_process", "worker_threads"):
            return _PROCESS
        if text in _PACKINGS and before == "," and after == ")" and self._is_unpacked(at):
            return _PACKED
        return None

    def _is_unpacked(self, at: int) -> bool:
        """Whether the call that a string is the last argument of is `Buffer.from` or `write`."""
        depth = 0
        for place in range(at - 1, max(-1, at - _FAR), -1):
            token = self.found[place]
            if token.kind != "mark":
                continue
            if token.text in ")]}":
                depth += 1
            elif token.text in "([{":
                if depth == 0:
                    return self.text(place - 1) in ("from", "write", "Buffer", "fill")
                depth -= 1
        return False


def _module(name: str) -> str | None:
    plain = name.removeprefix("node:")
    return None if plain in _FS else _MODULES.get(plain, _BEYOND)
