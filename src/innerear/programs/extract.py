"""Extract the program from a completion's text. Pure; accepts any text, never raises.

The first rule that applies:

1. The whole text, if it is a program; Python: with an import or an assignment.
2. The last *complete* fenced block that has at least half the length of the longest complete one. A fence is ``` or
   ~~~, indented or after prose, closed or not; a block is complete if it parses and makes a sound (see `grammar`):
   Python contains `output.wav`. Blocks tagged as the language or untagged take precedence over other tags. A model
   that corrects itself means the later block, and a short block on how to play the file is not the program.
3. The longest block tagged as the language, else the longest untagged block that parses, else the longest untagged
   block. If it does not parse, that is the model's mistake, and shows when it runs.

If the text has `</think>`, the part after it is tried first, then the whole text.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from innerear.languages import LANGUAGES, Language
from innerear.programs.grammar import GRAMMARS, LONGEST, Grammar
from innerear.records import Program

_OPENING = re.compile(r"(?P<before>[^`~\n]*)(?P<fence>`{3,}|~{3,})(?P<info>[^`\n]*)")
_MOST_ENDINGS = 16  # closing fences tried for a block whose strings contain fences
_MOST_BLOCKS = 200  # fence lines that are read, from the end of the text


@dataclass(frozen=True)
class _Block:
    info: str
    code: str
    grammar: Grammar

    @cached_property
    def parses(self) -> bool:
        return self.grammar.parses(self.code)  # takes milliseconds, so only if several blocks are candidates

    @property
    def tagged(self) -> bool:
        return self.grammar.tag.match(self.info) is not None

    @property
    def tagged_otherwise(self) -> bool:
        return bool(self.info) and not self.tagged

    @property
    def complete(self) -> bool:
        return self.grammar.sounds(self.code) and self.parses


def extract(text: str, language: Language = "python") -> Program:
    """The program in a reply, or the reason there is none.

    >>> extract("Here it is:\\n```python\\nx = 1\\n```\\nEnjoy.").code
    'x = 1\\n'
    >>> extract("I cannot make sounds.").reason
    'no code block in the reply'
    >>> extract("```python\\nx = 1\\n```", "csound").reason
    'no code block in Csound, only in python'
    """
    text = text.encode("utf-8", "replace").decode().replace("\0", "")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    _, thought, answer = text.rpartition("</think>")
    if thought and (found := _extract(answer, language)).code is not None:
        return found
    return _extract(text, language)


def _extract(text: str, language: Language) -> Program:
    grammar = GRAMMARS[language]
    if not text.strip():
        return Program(None, "the reply is empty")
    if grammar.is_whole(text):
        return Program(text.strip("\n") + "\n", language=language)
    found = list(_blocks(text, grammar))
    blocks = [block for block in found if block.code.strip()]
    if not blocks:
        return Program(None, "the code block is empty" if found else "no code block in the reply")
    chosen = _choose(blocks)
    if chosen is None:
        tags = ", ".join(sorted({block.info.split()[0][:20] for block in blocks})[:5])
        return Program(None, f"no code block in {LANGUAGES[language].title}, only in {tags}")
    if len(chosen.code) > LONGEST:
        return Program(None, f"the program has {len(chosen.code)} characters; at most {LONGEST} are run")
    return Program(chosen.code, language=language)


def _choose(blocks: list[_Block]) -> _Block | None:
    if len(blocks) == 1 and not blocks[0].tagged_otherwise:
        return blocks[0]
    complete = [block for block in blocks if block.complete]
    complete = [block for block in complete if not block.tagged_otherwise] or complete
    if complete:
        half = max(len(block.code) for block in complete) / 2
        return next(block for block in reversed(complete) if len(block.code) >= half)
    candidates = [block for block in blocks if not block.tagged_otherwise]
    return max(candidates, key=lambda block: (block.tagged, block.parses, len(block.code)), default=None)


def _blocks(text: str, grammar: Grammar) -> Iterable[_Block]:
    lines = text.split("\n")
    marks = [n for n, line in enumerate(lines) if "```" in line or "~~~" in line][-_MOST_BLOCKS:]
    position = 0
    for index, number in enumerate(marks):
        if number < position or not (opening := _OPENING.fullmatch(lines[number])):
            continue
        ends = [n for n in marks[index + 1 :] if _closes(lines[n], opening["fence"])]
        block, end = _block(lines, number, opening, ends[:_MOST_ENDINGS] or [len(lines)], grammar)
        position = end + 1
        yield block


def _closes(line: str, fence: str) -> bool:
    mark = line.strip()
    return len(mark) >= len(fence) and mark == fence[0] * len(mark)


def _block(
    lines: list[str], number: int, opening: re.Match[str], ends: list[int], grammar: Grammar
) -> tuple[_Block, int]:
    """The block that opens on a line, up to the first closing fence that makes it parse, else the first one."""
    info = opening["info"].strip()
    indent = len(opening["before"]) if not opening["before"].strip() else 0
    first = None
    for end in ends:
        code = _body(lines[number + 1 : end], indent)
        block = _Block(info, code, grammar)
        if len(ends) == 1 or block.parses:
            return block, end
        first = first or block
        if all(code.count(quote) % 2 == 0 for quote in grammar.quotes):
            break  # no string is open here, so the fence is not part of one
    assert first is not None
    return first, ends[0]


def _body(lines: list[str], indent: int) -> str:
    margin = re.compile(rf"[ \t]{{0,{min(indent, 80)}}}")
    code = "\n".join(margin.sub("", line, count=1) for line in lines) if indent else "\n".join(lines)
    if code.lstrip("\n")[:1] in (" ", "\t"):
        code = textwrap.dedent(code)
    return code.strip("\n").removesuffix("```") + "\n"
