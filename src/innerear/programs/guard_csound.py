"""The guard for Csound: opcodes, generators, options and sections by which a .csd takes sound or code from elsewhere.

Macros are expanded first, so that a name put together by them is seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from innerear.programs.tokens import Token, tokens, without_comments

_PROCESS = "another process"
_NETWORK = "network"
_FILE = "a file is read"
_UNREADABLE = "code that cannot be read"
_OPCODES = {
    **dict.fromkeys(("system", "system_i"), _PROCESS),
    **dict.fromkeys(
        ("OSCsend", "OSCsend_lo", "OSCsendA", "OSClisten", "OSCinit", "OSCinitM", "OSCraw", "OSCbundle", "OSCcount",
         "sockrecv", "sockrecvs", "socksend", "socksends", "socksend_k", "strecv", "stsend", "websocket", "remoteport",
         "insremot", "insglobal", "midremot", "midglobal"),
        _NETWORK,
    ),
    **dict.fromkeys(
        ("compilestr", "compileorc", "compilecsd", "evalstr", "lua_exec", "lua_opcall", "lua_opdef", "lua_iopcall",
         "lua_ikopcall", "lua_iaopcall", "faustcompile", "faustgen", "faustaudio", "faustdsp", "jsfx", "chuap_exec"),
        _UNREADABLE,
    ),
    **dict.fromkeys(
        ("diskin", "diskin2", "diskgrain", "soundin", "mp3in", "mp3len", "mp3sr", "mp3bitrate", "mp3nchnls", "mp3scal",
         "fini", "fink", "fiopen", "readf", "readfi", "readk", "readk2", "readk3", "readk4", "ftload",
         "ftloadk", "ftaudioload", "filelen", "filesr", "filepeak", "filenchnls", "filebit", "filevalid",
         "loris", "lorisread", "pvoc", "pvread", "vpvoc", "pvadd", "pvbufread", "pvinterp", "pvcross", "pvsfread",
         "pvsdiskin", "adsyn", "lpread", "convolve", "convle", "pconvolve",
         "ATSread", "ATSreadnz", "ATSadd", "ATSaddnz", "ATSbufread", "ATScross", "ATSinfo", "ATSsinnoi",
         "ATSpartialtap",
         "sfload", "sfplay", "sfplaym", "sfplay3", "sfplay3m", "sfinstr", "sfinstrm", "fluidLoad", "fluidEngine",
         "vstinit", "dssiinit", "imageload", "directory", "sflist",
         "hetro", "loscilx", "sndload", "STKSampler"),
        _FILE,
    ),
}  # fmt: skip
_PYTHON = re.compile(r"py(?:l?(?:init|run|exec|eval|call|assign)\w*|lcall\w*)")
_TABLES = {"ftgen", "ftgenonce", "ftgentmp"}
_FILE_GENS = {"1", "23", "28", "43", "49"}
_SECTIONS = (
    (re.compile(r"<CsScore\s+bin\s*=", re.IGNORECASE), _PROCESS),
    (re.compile(r"<Cs(?:File|FileB|FileC|SampleB|MidifileB?|SampleC|MP3B)\b", re.IGNORECASE), "packed data"),
)
_OPTION_KINDS = (
    (re.compile(r"(?:^|\s)(?:--opcode-(?:lib|dir)|--plugin)\b"), _UNREADABLE),
    (re.compile(r"(?:^|\s)(?:--port|--udp|--osc|-\+rtaudio=(?:jack|pulse)\s+--port)\b"), _NETWORK),
    (re.compile(r"(?:^|\s)(?:-i\s*\S|--input=|-F\s*\S|--midifile=|-L\s*\S|-@|--env:|--orc-file|--sco-file)"), _FILE),
)
_DEFINED = re.compile(r"#define[ \t]+(\w+)\s*(?:\(([^)\n]*)\)\s*)?#((?:\\#|[^#])*+)#")
_USED = re.compile(r"\$(\w+)(?:\(([^)\n]{0,500})\)|\.)?")
_ROUNDS, _LARGEST = 8, 1 << 20  # times that macros are expanded, and characters that they may add
_FAR = 100  # tokens of a statement that are read


def violations(code: str) -> Iterator[tuple[int, str]]:
    """Yield the line and kind of each violation."""
    expanded, is_whole = _expanded(code)
    if not is_whole:
        yield 1, f"{_UNREADABLE} (its macros have more than {_LARGEST} characters)"
    for pattern, kind in _SECTIONS:
        for section in pattern.finditer(expanded):
            yield _line(expanded, section.start()), kind
    rest = expanded
    for first, text in _section(expanded, "CsOptions"):
        rest = rest.replace(text, "\n" * text.count("\n"), 1) if text.strip() else rest
        for line, option in enumerate(text.split("\n"), first):
            yield from ((line, kind) for pattern, kind in _OPTION_KINDS if pattern.search(option.partition(";")[0]))
    found = tokens(rest, "csound")
    own = {found[at + 1].text for at in range(len(found) - 1) if found[at].text == "opcode"}
    for at, token in enumerate(found):
        if token.kind == "word" and (violated := _kind(found, at, own)):
            yield token.line, violated
    yield from _score(expanded)


def _kind(found: Sequence[Token], at: int, own: set[str]) -> str | None:
    """The violation of the word at a place, if it is one; `own` are the opcodes that the program defines."""
    word = found[at].text
    if word.startswith("#include"):
        return _FILE
    if word in own:
        return None
    if word in _OPCODES and not _is_variable(found, at):
        return _OPCODES[word]
    if _PYTHON.fullmatch(word) and not _is_variable(found, at):
        return _UNREADABLE
    if word in ("fin", "fout") and _takes_a_file(found, at):
        name = found[at + 1].text
        if word == "fin":
            return _FILE
        return None if name in ("output.wav", "./output.wav") else "another file is written"
    if word in ("event", "event_i") and found[at + 1 : at + 2] and found[at + 1].text == "f":
        return _FILE if any(token.kind == "string" for token in _statement(found, at)[1:]) else None
    if word.startswith("scoreline") and found[at + 1 : at + 2] and found[at + 1].kind == "string":
        return _FILE if any(_is_table_from_file(line) for line in found[at + 1].text.split("\n")) else None
    return _FILE if word in _TABLES and _is_from_file(_statement(found, at)) else None


def _is_variable(found: Sequence[Token], at: int) -> bool:
    """Whether a word is assigned to: `system = 3`."""
    return at + 1 < len(found) and found[at + 1].text == "=" and (at + 2 >= len(found) or found[at + 2].text != "=")


def _takes_a_file(found: Sequence[Token], at: int) -> bool:
    """Whether `fin` or `fout` is the opcode, as it may also name a spectral signal (`fout pvscale fin, 2`)."""
    after = [token.text for token in found[at + 2 : at + 3]]
    return at + 1 < len(found) and found[at + 1].kind == "string" and after == [","]


def _statement(found: Sequence[Token], at: int) -> list[Token]:
    """The tokens after a word up to the end of its line."""
    rest = []
    for token in found[at + 1 : at + _FAR]:
        if token.line != found[at].line:
            break
        rest.append(token)
    return rest


def _is_from_file(arguments: Sequence[Token]) -> bool:
    """Whether the arguments of `ftgen` (number, time, size, generator, …) name a generator that reads a file."""
    fields: list[list[Token]] = [[]]
    depth = 0
    for token in arguments:
        depth += (token.text in "([") - (token.text in ")]") if token.kind == "mark" else 0
        if token.text == "," and token.kind == "mark" and depth <= 0:
            fields.append([])
        else:
            fields[-1].append(token)
    texts = ["".join(token.text for token in field).lstrip("(").lstrip("-") for field in fields]
    of_a_file = len(fields) > 3 and texts[3] in _FILE_GENS
    return of_a_file or any(token.kind == "string" for field in fields[4:5] for token in field)


def _score(code: str) -> Iterator[tuple[int, str]]:
    """Tables of a score that are read from a file: `f 1 0 0 1 "name.wav"`."""
    for first, score in _section(code, "CsScore"):
        for number, line in enumerate(score.split("\n"), first):
            if _is_table_from_file(line):
                yield number, _FILE


def _is_table_from_file(line: str) -> bool:
    """Whether a line of a score makes a table from a file."""
    fields = re.findall(r'"[^"]*"?|[^\s"]+', re.sub(r"^(\s*f)(?=\S)", r"\1 ", line.partition(";")[0]))
    if fields[:1] != ["f"] or len(fields) < 5:
        return False
    return fields[4].lstrip("-").partition(".")[0] in _FILE_GENS or '"' in "".join(fields[5:6])


def _section(code: str, name: str) -> Iterator[tuple[int, str]]:
    """The first line and the text of the section with a name; Csound reads only one."""
    lower = code.lower()
    begin = lower.find(f"<{name.lower()}")
    begin = lower.find(">", begin) + 1 if begin >= 0 else 0
    end = lower.find(f"</{name.lower()}>", begin)
    if begin and end >= 0:
        yield _line(code, begin), code[begin:end]


def _expanded(code: str) -> tuple[str, bool]:
    """The program with its macros expanded, on the same lines, and whether all were."""
    macros: dict[str, tuple[list[str], str]] = {}
    left = _LARGEST

    def define(found: re.Match[str]) -> str:
        parameters = re.split(r"['#,]", found[2]) if found[2] else []
        macros[found[1]] = ([name.strip() for name in parameters], " ".join(found[3].split()))
        return "\n" * found[0].count("\n")

    def expand(found: re.Match[str]) -> str:
        nonlocal left
        if found[1] not in macros:
            return found[0]
        parameters, body = macros[found[1]]
        left -= len(body)
        if left < 0:
            return ""
        values = dict(zip(parameters, re.split(r"['#]", found[2] or ""), strict=False))
        return _USED.sub(lambda use: values.get(use[1], use[0]), body) if values else body

    code = _DEFINED.sub(define, without_comments(code, "csound"))
    for _ in range(_ROUNDS if macros else 0):
        more = _USED.sub(expand, code)
        if more == code or left < 0:
            break
        code = more
    return code, left >= 0


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
