"""InnerEar tasks for Inspect AI: `inspect eval innerear/notes --model …`; extra `[inspect]`, see `docs/inspect.md`.

Inspect provides the model, the limits and the log; probes, strategies, jail, metrics and scores are
InnerEar's. Inspect loads this through the entry point `inspect_ai`, so heavy packages are only imported
when a task is created.
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
