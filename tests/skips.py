"""What was skipped, in one line: how many tests for want of what, and how to have it."""

import re
from collections import Counter
from collections.abc import Iterable

REMEDIES = (
    (r"INNEREAR_SHARED", "need the data pack (INNEREAR_SHARED=FOLDER)"),
    (r"weights|INNEREAR_WHISPER", "need weights (`innerear weights pull`, or INNEREAR_MODELS=FOLDER)"),
    (r"\+SKIP", "are examples that only show"),
    (r"root|linux|Linux|tier |jail|kernel|namespace|mount|not the sources", "need another user, kernel or folder"),
    (r"extra|could not import|runtime|[Pp]ackage|resampy|libseccomp|oracle|playwright|pip|index",
     "need Python packages (`make test-all`, `make parity`, `make faces` install them)"),
    (r"installed|Chromium|needs |podman", "need programs (`.ci/run` installs them by apt-get)"),
)  # fmt: skip
"""What a reason says, and what is to be done; the first that fits."""


def in_a_line(reasons: Iterable[str]) -> str:
    """The line; empty if nothing was skipped."""
    counts = Counter(
        next((remedy for pattern, remedy in REMEDIES if re.search(pattern, reason)), "have other reasons, listed above")
        for reason in reasons
    )
    groups = ", ".join(f"{count} {remedy}" for remedy, count in counts.most_common())
    return f"{counts.total()} skipped: {groups}" if groups else ""
