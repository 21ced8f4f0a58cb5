"""Whisper: our front end and decoding beside the reference's, with the same random weights, on sounds.

The reference is transformers: its extractor of features, and its network asked greedily, token by token.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from innerear.clip import Clip
from innerear.embed.weights import home
from innerear.metrics import whisper
from whisper_made import HEADS, INNER, LAYERS, TOKENS, WIDTH, put

from .checkpoints import scatter

torch = pytest.importorskip("torch", reason="the extra `export` is not installed")
transformers = pytest.importorskip("transformers", reason="the extra `export` is not installed")
pytest.importorskip("ctranslate2", reason="the extra `whisper` is not installed")

RNG = np.random.default_rng(7)
TIMES = np.arange(3 * whisper.SAMPLE_RATE) / whisper.SAMPLE_RATE
SOUNDS = {
    "silence": np.zeros(1_000),
    "noise": RNG.normal(0, 0.1, 48_000),
    "buzz": 0.2 * np.sign(np.sin(2 * np.pi * 110 * TIMES)) * (np.sin(2 * np.pi * 3 * TIMES) > 0),
    "glide": 0.5 * np.sin(2 * np.pi * (100 + 400 * TIMES) * TIMES),
}
COMPARED = 40  # tokens: the reference reads all of them anew for each
SUPPRESSED, SUPPRESSED_FIRST = [2, 30], [3, 4]


def samples(name: str) -> np.ndarray:
    return SOUNDS[name].astype(np.float32)


@pytest.mark.parametrize("name", SOUNDS)
def test_the_log_mel_is_that_of_the_reference(name: str) -> None:
    extract = transformers.WhisperFeatureExtractor(feature_size=80)
    theirs = extract(samples(name), sampling_rate=whisper.SAMPLE_RATE, return_tensors="np")["input_features"][0]
    ours = whisper.log_mel(np.pad(samples(name), (0, whisper.WINDOW - len(samples(name)))))
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < 1e-4


def test_greedy_tokens_are_those_of_the_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ctranslate2.converters.transformers import WhisperLoader

    monkeypatch.setenv("INNEREAR_CACHE", str(tmp_path))
    end, start, _, plain = (TOKENS.index(token) for token in TOKENS if token.startswith("<|"))
    settings = transformers.WhisperConfig(
        vocab_size=len(TOKENS), num_mel_bins=80, d_model=WIDTH, encoder_layers=LAYERS, decoder_layers=LAYERS,
        encoder_attention_heads=HEADS, decoder_attention_heads=HEADS, encoder_ffn_dim=INNER, decoder_ffn_dim=INNER,
        pad_token_id=end, bos_token_id=end, eos_token_id=end, decoder_start_token_id=start, suppress_tokens=[],
        begin_suppress_tokens=[],
    )  # fmt: skip
    network = scatter(transformers.WhisperForConditionalGeneration(settings), seed=2)
    spec = WhisperLoader().get_model_spec(network)
    spec.register_vocabulary(TOKENS)
    spec.config.suppress_ids, spec.config.suppress_ids_begin, spec.config.lang_ids = SUPPRESSED, SUPPRESSED_FIRST, []
    spec.config.alignment_heads = [[1, 0]]
    spec.validate()
    folder = home("whisper-tiny.en")
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(os.fspath(folder))
    put(folder, TOKENS)
    whisper._open.cache_clear()

    extract = transformers.WhisperFeatureExtractor(feature_size=80)
    found = {}
    for name in SOUNDS:
        heard = extract(samples(name), sampling_rate=whisper.SAMPLE_RATE, return_tensors="pt")["input_features"]
        said = [start, plain]
        with torch.no_grad():
            encoded = network.model.encoder(heard)
            while len(said) < 2 + COMPARED:
                logits = network(encoder_outputs=encoded, decoder_input_ids=torch.tensor([said])).logits[0, -1]
                logits[SUPPRESSED + (SUPPRESSED_FIRST if len(said) == 2 else [])] = -np.inf
                if (token := int(logits.argmax())) == end:
                    break
                said.append(token)
        found[name] = said[2:]
        (ours,) = whisper.tokens(Clip(samples(name)[None], whisper.SAMPLE_RATE), beams=1)
        assert ours[:COMPARED] == said[2:], name
    assert len({tuple(said) for said in found.values()}) > 1, "the reference hears no difference between the sounds"
    whisper._open.cache_clear()
