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
    MetricText("clap_class", "Class heard by CLAP", "How often the nearest of the 50 classes is the one asked."),
    MetricText("agreement", "Embedders agree", "Kendall's tau of the order in which two embedders put the models."),
    MetricText(
        "variety", "Variety", "Spread of these sounds' embeddings over that of real recordings; 0 is one sound."
    ),
    MetricText("notes", "Phrases right", "F of notes with the right onset and pitch; passes at 0.9.", "F"),
    MetricText("onsets", "Onsets right", "F of onsets within the tolerance; extra ones count against it.", "F"),
    MetricText("onset_trend", "Speeds up or slows", "The rate of onsets goes the way asked, between the rates asked."),
    MetricText("events", "Events counted", "As many separate events as asked.", "events"),
    MetricText("chord", "Chords right", "The tones asked sound, and no louder others.", "dB"),
    MetricText("instrument", "Instrument family", "The family that a listener would name is the one asked.", "lead"),
    MetricText("waveform", "Waveform right", "The harmonics are nearest to those of the waveform asked.", "dB"),
    MetricText("modulation", "Vibrato or tremolo", "Rate and depth of the modulation.", "Hz"),
    MetricText("glide", "Glide", "A pitch that moves steadily from one to the other.", "cents"),
    MetricText("level_trend", "Level rises or falls", "By at least so many decibels, all the way.", "dB"),
    MetricText("label", "Class heard", "The class heard is the one asked, or one merged with it.", "of 50"),
    MetricText("label_alone", "Very class heard", "The class heard is the very one asked, merges not counted."),
    MetricText("label_top5", "Class in the first five", "The class asked is among the five that are heard most."),
    MetricText("vowel", "Vowels right", "F1 and F2 are nearest to the vowel asked, of the set.", "deviations"),
    MetricText(
        "transcript", "Text chosen", "Of a set of texts the one asked is heard; others are rejected.", "distance"
    ),
    MetricText(
        "whisper_wer",
        "Words wrong",
        "Share of the words asked that Whisper tiny.en, told none of them, does not hear; n counts words.",
        "WER",
        headline=True,
    ),
    MetricText("whisper_base_wer", "Words wrong, by base.en", "The same by Whisper base.en, a second listener.", "WER"),
    MetricText(
        "speech_reception_threshold",
        "Reception threshold",
        "The ratio of speech to noise like speech at which half of the words are wrong; lower is better.",
        "dB SNR",
    ),
    MetricText("whisper_in_noise", "Words wrong in noise", "The mean at four ratios of speech to noise.", "WER"),
    *(
        MetricText(
            f"whisper_in_noise_{step}", f"Words wrong at {step} dB", "In noise with the spectrum of speech.", "WER"
        )
        for step in ("+10", "+5", "+0", "-5")
    ),
    MetricText("rhyme", "Word of six", "Of words that differ in one sound the one asked is the likeliest.", "nats"),
    MetricText("words", "Words heard", "At most a fifth of the words wrong, of five or fewer none.", "WER"),
    MetricText("dnsmos", "Speech quality, by DNSMOS", "A network's guess at listeners' opinions, 1 to 5.", "MOS"),
    MetricText("voice_f0", "Pitch of the voice", "The median f0 of the voice lies in the range asked.", "f0, Hz"),
    MetricText("voice_f0_steps", "Voices in turn", "Each voice has an f0 in its range, one after the other."),
    MetricText("f0_trend", "Melody", "The f0 of the voice rises or falls at its end, as asked.", "semitones"),
    MetricText("unvoiced", "Whispered", "A voice without a fundamental."),
    MetricText("voice", "A voice", "A human voice is heard, by Silero VAD.", "s"),
    MetricText("ladder", "Rung of speech", "Share of a rung's own checks passed: vowel, text, or voice."),
    MetricText("sequence", "One after the other", "The classes asked are heard in their order."),
    MetricText("together", "At once", "The classes asked are heard at the same time."),
    MetricText("plausibility", "Plausible", "Share of quantities within those of real recordings.", "share"),
    MetricText("tier_trend", "Over the tiers", "Change of checks passed from one tier to the next."),
    MetricText("program", "A program", "Share of completions with a program in them."),
    MetricText("ran", "Ran", "Share of completions whose program ran to its end."),
    MetricText("audio", "Audio", "Share of completions that gave a readable sound."),
    MetricText("audible", "Audible", "Share of completions whose sound is above -60 dBFS RMS."),
    MetricText("right_length", "Right length", "Within 5 % or 50 ms of what was asked, whichever is more."),
    MetricText("duration_error", "Duration error", "Distance from the asked duration.", "s"),
    MetricText("loudness", "Loudness", "Integrated loudness (ITU-R BS.1770).", "LUFS"),
    MetricText("format", "Sample rate", "The format that the program wrote.", "Hz"),
    MetricText("identified", "Named by listeners", "Share of listeners' answers that name what was asked for."),
    MetricText("preferred", "Preferred", "Listeners' preference by Bradley and Terry, in log-odds about the mean."),
    MetricText("won", "Chosen", "How often a model's sound was preferred to another model's."),
    MetricText("fit", "Fits, by listeners", "How well it fits the caption, 1 to 5."),
    MetricText("natural", "Natural, by listeners", "How natural it sounds, 1 to 5."),
)
