"""Make `metrics/real_speech.json`: what the recogniser hears of recorded sentences, in silence and in noise.

`python -m innerear.lab.real_speech`; needs the reference data (INNEREAR_DATA) and the weights of Whisper and Silero.
"""

from __future__ import annotations

import sys
from collections.abc import Collection

from innerear.clip import Clip, read
from innerear.compute.threads import ordered
from innerear.errors import InnerEarError, UsageError, WeightsUnavailable
from innerear.lab.sounds import Bank
from innerear.metrics.base import Sound
from innerear.metrics.measure import keys, measure
from innerear.metrics.real_speech import METRICS, Heard, RealSpeech, probe_of, scores_of, shipped_path
from innerear.metrics.registry import sound_metric
from innerear.records import Measurement, Outcome, Probe, Render, Status
from innerear.reference.manifest import ManifestRow
from innerear.run.parts import to_json, write_whole

SETS = ("LJSpeech", "CMU ARCTIC")


def heard(probe: Probe, clip: Clip, names: Collection[str] = METRICS) -> list[Measurement]:
    """The rows of these metrics of one sound.

    Raises:
        WeightsUnavailable: Whisper or Silero cannot be had here.
    """
    sound = Sound(probe, Render("", "", Outcome.OK, sample_rate=clip.sample_rate, samples=clip.samples.shape[1]), clip)
    rows = measure(probe.id, sound, {row.key for row in keys(probe.id, sound) if row.metric.name in names})
    for row in rows:
        if row.status is Status.UNAVAILABLE:
            raise WeightsUnavailable(row.cause)
    return rows


def build(bank: Bank) -> RealSpeech:
    """Hear every recorded sentence whose text is known."""

    def tried(row: ManifestRow) -> Heard:
        clip = read(bank.path(row["file"]))
        probe = probe_of(row["file"], row["text"], round(clip.duration_s, 3))
        rows = heard(probe, clip)
        return Heard(probe.id, row["text"], probe.duration_s, {one.metric: one.detail for one in rows})

    found = list(ordered(tried, (row for row in bank.speech if row["set"] in SETS and row["text"])))
    return RealSpeech({name: str(sound_metric(name).signature()) for name in METRICS}, found)


def main() -> int:
    """Write the results where they ship, and print the scores."""
    try:
        bank = Bank(None)
        made = build(bank)
        if not made.sentences:
            raise UsageError(f"the reference data has no sentences of {', '.join(SETS)} with their text")
    except InnerEarError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    write_whole(shipped_path(), to_json(made, indent=1) + b"\n")
    for score in scores_of(made):
        sys.stdout.write(
            f"{score.metric} {score.value} [{score.low}, {score.high}] {score.unit} n={score.n} {score.note}\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
