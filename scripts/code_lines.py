"""Count the lines of code of folders, without docstrings, comments and blank lines: `python scripts/code_lines.py src`.

Prints the modules, all lines, the lines of code, and the three longest modules.
"""

import ast
import sys
import tokenize
from pathlib import Path


def code_lines(path: Path) -> int:
    """The number of lines that hold a token which is neither a comment nor part of a docstring."""
    lines: set[int] = set()
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.string.strip() and token.type not in (tokenize.COMMENT, tokenize.ENCODING):
                lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node, clean=False
        ):
            text = node.body[0]
            lines -= set(range(text.lineno, (text.end_lineno or text.lineno) + 1))
    return len(lines)


if __name__ == "__main__":
    files = {path: len(path.read_bytes().splitlines()) for root in sys.argv[1:] for path in Path(root).rglob("*.py")}
    counted = sum(map(code_lines, files))
    print(f"{len(files)} modules, {sum(files.values())} lines, {counted} of code")  # noqa: T201
    for path in sorted(files, key=files.__getitem__, reverse=True)[:3]:
        print(f"{files[path]:6} {path}")  # noqa: T201
