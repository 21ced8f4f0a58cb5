"""InnerEar inside Inspect AI: `inspect eval innerear/notes --model …`; the extra `[inspect]`, see `docs/inspect.md`.

Inspect brings the model, the limits and the log; probes, strategies, jail, metrics and scores are
those of every other road. Loaded by Inspect through the entry point `inspect_ai`, so nothing heavy
is imported until a task is made.
"""

from innerear.inspect.models import baseline, recorded
from innerear.inspect.sandbox import JailSandbox
from innerear.inspect.scorer import batch_scores, set_scores, sounds
from innerear.inspect.solver import conversation
from innerear.inspect.tasks import environment, notes, speech

__all__ = [
    "JailSandbox",
    "baseline",
    "batch_scores",
    "conversation",
    "environment",
    "notes",
    "recorded",
    "set_scores",
    "sounds",
    "speech",
]
