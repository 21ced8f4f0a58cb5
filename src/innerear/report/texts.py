"""Labels and explanations of metrics on the report page; a metric without an entry keeps its name."""

from __future__ import annotations

import functools

import msgspec

from innerear.metrics.registry import every


class MetricText(msgspec.Struct, frozen=True):
    """Label and explanation of a metric. `headline` puts it on the overview.

    `unit` is the unit of a single measurement; scores carry their own.
    """

    name: str
    label: str
    text: str = ""
    unit: str = ""
    headline: bool = False


SCORES: tuple[MetricText, ...] = (
    MetricText("checks", "Checks passed", "Share of headline checks passed.", headline=True),
    MetricText("passed", "Probes passed", "Share of sounds that pass every headline check."),
    MetricText("pitch_error", "Pitch error", "Median absolute distance from the requested pitch.", "cents"),
    MetricText(
        "fad",
        "FAD",
        "Fréchet audio distance between Gaussians fitted to the embeddings of these sounds and of real recordings.",
        headline=True,
    ),
    MetricText(
        "kad",
        "KAD",
        "Kernel audio distance: maximum mean discrepancy between these embeddings and those of real recordings.",
        headline=True,
    ),
    MetricText("clap", "CLAP score", "Similarity of a sound and its caption in a joint embedding.", headline=True),
    MetricText("clap_rank", "Caption rank", "Median rank of the sound's own caption among the tier's, by CLAP."),
    MetricText(
        "clap_retrieval", "Caption retrieved", "How often the sound's own caption is the nearest of the tier's."
    ),
    MetricText("clap_class", "Class by CLAP", "How often the nearest of the 50 classes is the requested one."),
    MetricText("agreement", "Embedder agreement", "Kendall's tau between the model rankings of two embedders."),
    MetricText(
        "variety",
        "Variety",
        "Spread of these sounds' embeddings relative to real recordings; 0 means all sounds alike.",
    ),
    MetricText(
        "told_from_real",
        "Told from real",
        "How well a classifier tells these sounds from recordings: 0.5 if it cannot, 1 if it always can.",
    ),
    MetricText("proximity", "Proximity", "Share of recordings that are as far from the others of their class."),
    MetricText("vendi", "Vendi score", "How many different sounds the attempts at a probe effectively are."),
    MetricText("spread", "Spread", "Distance between attempts at a probe over that between recordings of a class."),
    MetricText("coverage", "Coverage", "Share of recordings that have a generated sound of their class within reach."),
    MetricText("near_copies", "Near copies", "Share of attempts that are nearly the same sound as another."),
    MetricText("identical_programs", "Identical programs", "Share of attempts with the program of another attempt."),
    MetricText(
        "label_alone", "Exact class first", "The class ranked first is exactly the requested one; merges don't count."
    ),
    MetricText("label_top5", "Class in the top five", "The requested class is among the first five."),
    MetricText(
        "speech_reception_threshold",
        "Speech reception threshold",
        "The SNR in speech-shaped noise at which half of the words are wrong; lower is better.",
        "dB SNR",
    ),
    MetricText("ladder", "Speech ladder", "Share of the checks of a rung passed: vowel, text, or voice."),
    MetricText(
        "identity", "Identity, graded", "How clearly the sound is what was asked: 0 not at all, 1 as a recording."
    ),
    MetricText(
        "typicality", "Typicality", "Share of recordings of the class that are less clearly of it; 0.5 for real ones."
    ),
    MetricText("tier_trend", "Trend over tiers", "Change in checks passed from one tier to the next."),
    MetricText("program", "Program", "Share of completions that contain a program."),
    MetricText("ran", "Ran", "Share of completions whose program ran to the end."),
    MetricText("audio", "Audio", "Share of completions that produced a readable sound."),
    MetricText("audible", "Audible", "Share of completions whose sound is above -60 dBFS RMS."),
    MetricText("right_length", "Right length", "Within 5 % or 50 ms of the requested duration, whichever is greater."),
    MetricText("identified", "Identified by listeners", "Share of listeners' answers that name the requested sound."),
    MetricText("preferred", "Preferred", "Bradley-Terry preference of listeners, in log-odds about the mean."),
    MetricText("won", "Win rate", "How often a model's sound was preferred to another model's."),
    MetricText("fit", "Fit, by listeners", "How well the sound fits the caption, 1 to 5."),
    MetricText("natural", "Naturalness, by listeners", "How natural the sound is, 1 to 5."),
    *(
        MetricText(f"whisper_in_noise_{step}", f"Word error rate at {step} dB", "In speech-shaped noise.", "WER")
        for step in ("+10", "+5", "+0", "-5")
    ),
)
"""Scores that no metric of one sound has the name of."""


@functools.cache
def metric_texts() -> tuple[MetricText, ...]:
    """The texts of all metrics and scores."""
    texts = (MetricText(one.name, one.label, one.text, one.unit, one.overview) for one in every())
    return (*SCORES, *texts)
