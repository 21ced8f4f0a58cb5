"""How the page names and explains the metrics that there are; one without an entry keeps its name."""

from __future__ import annotations

import msgspec


class MetricText(msgspec.Struct, frozen=True):
    """How the page names and explains a metric. `headline` puts it on the overview.

    `unit` is that of a single measurement; a score brings its own.
    """

    name: str
    label: str
    text: str = ""
    unit: str = ""
    headline: bool = False


METRICS: tuple[MetricText, ...] = (
    MetricText("checks", "Checks passed", "Share of the checks passed that count in headlines.", headline=True),
    MetricText("passed", "Probes passed", "Share of sounds that pass every check that counts."),
    MetricText("pitch", "Pitch right", "Share of pitch checks within their tolerance.", "cents", headline=True),
    MetricText("pitch_error", "Pitch error", "Median size of the distance from the asked pitch.", "cents"),
    MetricText(
        "fad",
        "FAD",
        "Fréchet audio distance: between Gaussians fitted to the embeddings of these sounds and of real recordings.",
        headline=True,
    ),
    MetricText(
        "kad",
        "KAD",
        "Kernel audio distance: maximum mean discrepancy between these embeddings and those of real recordings.",
        headline=True,
    ),
    MetricText("clap", "CLAP score", "Agreement of a sound with its caption, in a joint embedding.", headline=True),
    MetricText("clap_rank", "Caption's place", "Median place of the sound's own caption among the tier's, by CLAP."),
    MetricText("clap_retrieval", "Caption found", "How often the sound's own caption is the nearest of the tier's."),
    MetricText("clap_class", "Class heard", "How often the nearest of the 50 classes is the one asked, by CLAP."),
    MetricText("agreement", "Embedders agree", "Kendall's tau of the order in which two embedders put the models."),
    MetricText(
        "variety", "Variety", "Spread of these sounds' embeddings over that of real recordings; 0 is one sound."
    ),
    MetricText("program", "A program", "Share of completions with a program in them."),
    MetricText("ran", "Ran", "Share of completions whose program ran to its end."),
    MetricText("audio", "Audio", "Share of completions that gave a readable sound."),
    MetricText("audible", "Audible", "Share of completions whose sound is above -60 dBFS RMS."),
    MetricText("right_length", "Right length", "Within 5 % or 50 ms of what was asked, whichever is more."),
    MetricText("duration_error", "Duration error", "Distance from the asked duration.", "s"),
    MetricText("loudness", "Loudness", "Integrated loudness (ITU-R BS.1770).", "LUFS"),
    MetricText("format", "Sample rate", "The format that the program wrote.", "Hz"),
)
