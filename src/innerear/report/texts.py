"""Labels and explanations of metrics on the report page; a metric without an entry keeps its name."""

from __future__ import annotations

import msgspec


class MetricText(msgspec.Struct, frozen=True):
    """Label and explanation of a metric. `headline` puts it on the overview.

    `unit` is the unit of a single measurement; scores carry their own.
    """

    name: str
    label: str
    text: str = ""
    unit: str = ""
    headline: bool = False


METRICS: tuple[MetricText, ...] = (
    MetricText("checks", "Checks passed", "Share of headline checks passed.", headline=True),
    MetricText("passed", "Probes passed", "Share of sounds that pass every headline check."),
    MetricText("pitch", "Pitch right", "Share of pitch checks within tolerance.", "cents", headline=True),
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
    MetricText("notes", "Phrases right", "F-measure of notes with the right onset and pitch; passes at 0.9.", "F"),
    MetricText("onsets", "Onsets right", "F-measure of onsets within tolerance; extra onsets lower it.", "F"),
    MetricText("onset_trend", "Accelerando or ritardando", "Onset rate changes as requested, between the given rates."),
    MetricText("events", "Event count", "As many separate events as requested.", "events"),
    MetricText("chord", "Chords right", "The requested tones are present and no other tone is louder.", "dB"),
    MetricText("instrument", "Instrument family", "Two networks recognise the requested family.", "log odds"),
    MetricText("waveform", "Waveform right", "The harmonics are nearest to those of the requested waveform.", "dB"),
    MetricText("modulation", "Vibrato or tremolo", "Rate and depth of the modulation.", "Hz"),
    MetricText("glide", "Glide", "A pitch that moves steadily from one note to another.", "cents"),
    MetricText("level_trend", "Crescendo or fade", "Level rises or falls steadily by at least the given amount.", "dB"),
    MetricText(
        "label", "Class recognised", "Two networks recognise the requested class, or one merged with it.", "log odds"
    ),
    MetricText(
        "label_alone", "Exact class recognised", "The top class is exactly the requested one; merges don't count."
    ),
    MetricText("label_top5", "Class in the top five", "The requested class is among the first five."),
    MetricText("vowel", "Vowels right", "F1 and F2 are nearest to the requested vowel of the set.", "deviations"),
    MetricText(
        "transcript",
        "Text recognised",
        "The recogniser picks the requested text from a list, and no other.",
        "distance",
    ),
    MetricText(
        "whisper_wer",
        "Word error rate",
        "Word errors of Whisper tiny.en, which is not told the texts, per requested word; n counts words.",
        "WER",
        headline=True,
    ),
    MetricText("whisper_base_wer", "Word error rate, base.en", "The same by Whisper base.en.", "WER"),
    MetricText(
        "speech_reception_threshold",
        "Speech reception threshold",
        "The SNR in speech-shaped noise at which half of the words are wrong; lower is better.",
        "dB SNR",
    ),
    MetricText("whisper_in_noise", "Word error rate in noise", "The mean at four SNRs.", "WER"),
    *(
        MetricText(f"whisper_in_noise_{step}", f"Word error rate at {step} dB", "In speech-shaped noise.", "WER")
        for step in ("+10", "+5", "+0", "-5")
    ),
    MetricText("rhyme", "Rhyming words", "The requested one of six rhyming words is the most likely.", "nats"),
    MetricText("words", "Words right", "At most a fifth of the words wrong; of five or fewer, none.", "WER"),
    MetricText("dnsmos", "Speech quality, DNSMOS", "Predicted mean opinion score, 1 to 5.", "MOS"),
    MetricText("voice_f0", "Voice pitch", "The median f0 of the voice is in the requested range.", "f0, Hz"),
    MetricText("voice_f0_steps", "Voices in turn", "Each voice in turn has an f0 in its range."),
    MetricText("f0_trend", "Intonation", "The voice's f0 rises or falls at the end as requested.", "semitones"),
    MetricText("unvoiced", "Whispered", "A voice without a fundamental."),
    MetricText("voice", "Voice present", "Silero VAD detects a human voice.", "s"),
    MetricText("ladder", "Speech ladder", "Share of the checks of a rung passed: vowel, text, or voice."),
    MetricText(
        "identity", "Identity, graded", "How clearly the sound is what was asked: 0 not at all, 1 as a recording."
    ),
    MetricText(
        "typicality", "Typicality", "Share of recordings of the class that are less clearly of it; 0.5 for real ones."
    ),
    MetricText("sequence", "In sequence", "The requested classes are recognised in order."),
    MetricText("together", "At once", "The requested classes are recognised at the same time."),
    MetricText("tier_trend", "Trend over tiers", "Change in checks passed from one tier to the next."),
    MetricText("program", "Program", "Share of completions that contain a program."),
    MetricText("ran", "Ran", "Share of completions whose program ran to the end."),
    MetricText("audio", "Audio", "Share of completions that produced a readable sound."),
    MetricText("audible", "Audible", "Share of completions whose sound is above -60 dBFS RMS."),
    MetricText("right_length", "Right length", "Within 5 % or 50 ms of the requested duration, whichever is greater."),
    MetricText("duration_error", "Duration error", "Distance from the requested duration.", "s"),
    MetricText("loudness", "Loudness", "Integrated loudness (ITU-R BS.1770).", "LUFS"),
    MetricText("format", "Sample rate", "Format of the file that the program wrote.", "Hz"),
    MetricText("identified", "Identified by listeners", "Share of listeners' answers that name the requested sound."),
    MetricText("preferred", "Preferred", "Bradley-Terry preference of listeners, in log-odds about the mean."),
    MetricText("won", "Win rate", "How often a model's sound was preferred to another model's."),
    MetricText("fit", "Fit, by listeners", "How well the sound fits the caption, 1 to 5."),
    MetricText("natural", "Naturalness, by listeners", "How natural the sound is, 1 to 5."),
)
