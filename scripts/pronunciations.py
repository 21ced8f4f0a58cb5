"""Make `src/innerear/metrics/pronunciations.txt.xz` from the CMU Pronouncing Dictionary 0.7b.

    python scripts/pronunciations.py cmudict-0.7b

Kept are words of letters and apostrophes; stress is left out, and so are pronunciations that differ in it alone.
"""

import lzma
import re
import sys
from pathlib import Path

OUT = Path(__file__).parents[1] / "src" / "innerear" / "metrics" / "pronunciations.txt.xz"


def main(source: Path) -> None:
    """Read the dictionary, write the file that ships."""
    found: dict[str, list[str]] = {}
    for line in source.read_text("latin-1").splitlines():
        word, _, phones = line.partition("  ")
        word = re.sub(r"\(\d\)$", "", word.lower())
        said = re.sub(r"\d", "", phones).strip()
        if re.fullmatch(r"[a-z][a-z']*", word) and said not in found.setdefault(word, []):
            found[word].append(said)
    lines = [f"{word}\t{','.join(said)}" for word, said in sorted(found.items())]
    text = "\n".join(lines) + "\n"
    OUT.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
