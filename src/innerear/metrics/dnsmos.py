"""Speech quality by DNSMOS P.835, a network's estimate of mean opinion scores, 1 to 5. Unreliable here.

C. Reddy, V. Gopal, R. Cutler, "DNSMOS P.835: A non-intrusive perceptual objective speech quality metric
to evaluate noise suppressors", ICASSP 2022 (arXiv 2110.01763). It was trained on human speech processed
by noise suppressors; for synthetic speech it extrapolates. It is measured only on request
(`innerear measure RUN --dnsmos`), because it takes seconds per sound.

Averaged over windows of 9.01 s every second; shorter sounds are repeated.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from innerear.clip import Clip
from innerear.dsp.silence import is_silent
from innerear.embed.weights import fetch
from innerear.metrics.base import Sound, SoundMetric, Value
from innerear.metrics.group import Group
from innerear.records import Measurement, Probe, Score, Status

SAMPLE_RATE = 16_000
WINDOW, HOP = 144_160, 16_000  # samples: 9.01 s, 1 s
SIG = (-0.08397278, 1.22083953, 0.0052439)
BAK = (-0.13166888, 1.60915514, -0.39604546)
OVRL = (-0.06766283, 1.11546468, 0.04602535)
"""Polynomials, highest degree first, that map the network's outputs to the MOS scale."""


@functools.cache
def _network() -> Any:
    from innerear.metrics.silero import open_network

    return open_network(fetch("dnsmos")["dnsmos_sig_bak_ovr.onnx"], "DNSMOS")


def rate(clip: Clip) -> tuple[float, float, float] | None:
    """Rate the quality of speech, background and overall, each 1 to 5; `None` for silence.

    Raises:
        WeightsUnavailable: the network is not installed.
    """
    network = _network()
    samples = clip.at(SAMPLE_RATE)
    if is_silent(samples, 1e-5):
        return None
    if len(samples) < WINDOW:
        samples = np.resize(samples, WINDOW)
    name = network.get_inputs()[0].name
    starts = range(0, len(samples) - WINDOW + 1, HOP)
    found = [network.run(None, {name: samples[None, start : start + WINDOW]})[0][0] for start in starts]
    heard = np.array(found, np.float64)
    sig, bak, ovrl = (
        float(np.polyval(to_opinion, column).mean())
        for to_opinion, column in zip((SIG, BAK, OVRL), heard.T, strict=True)
    )
    return sig, bak, ovrl


LOW_TRUST = "low trust, not in headlines"


class Dnsmos(SoundMetric):
    """Overall DNSMOS P.835, 1 to 5, for speech probes. Unreliable on synthetic speech; see docs/metrics-speech.md."""

    name, version, unit = "dnsmos", 1, "MOS"
    label = "Speech quality, DNSMOS"
    text = "Predicted mean opinion score, 1 to 5."
    better = "higher"
    weights = ("dnsmos",)
    on_request = True

    def applies(self, probe: Probe) -> bool:
        """Whether the probe is in the speech tier."""
        return probe.tier == "speech"

    def measure(self, sound: Sound) -> Value:
        """Detail: the three ratings, of speech, background and overall quality."""
        found = rate(sound.signal)
        if found is None:
            return Value(None, None, "silence")
        return Value(found[2], None, "", dict(zip(("sig", "bak", "ovrl"), found, strict=True)))

    def combine(self, group: Group, rows: Sequence[tuple[str, Measurement]]) -> Iterator[Score]:
        """The means of the ratings; a note says why a sound could not be rated here, if one could not."""
        if rows:
            parts = {part: [row.detail[part] for _, row in rows if part in row.detail] for part in ("sig", "bak")}
            lacking = [row.reason for _, row in rows if row.status is Status.UNAVAILABLE][:1]
            yield group.average(
                self.name, [(probe, row.value) for probe, row in rows], len(group.items), self.signature().plus("mean"),
                unit=self.unit, better=self.better, note="; ".join([*lacking, LOW_TRUST]),
                detail={part: float(np.mean(values)) for part, values in parts.items() if values},
            )  # fmt: skip
