"""CLAP: our path beside transformers' ClapModel and ClapFeatureExtractor: same random weights, real audio."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from innerear.clip import Clip, read
from innerear.dsp.mel import slaney_log_mel
from innerear.embed.clap import CUT, Clap, unit
from innerear.embed.windows import repeated
from innerear.errors import UsageError
from innerear.lab.export import export

from .checkpoints import SMALL_AUDIO, SMALL_TEXT, save_clap, save_vggish

torch = pytest.importorskip("torch", reason="the extra `export` is not installed")
pytest.importorskip("onnx", reason="the extra `export` is not installed")
transformers = pytest.importorskip("transformers", reason="the extra `export` is not installed")

CLIPS = ["env/dog", "env/rain", "notes/real", "speech/librispeech", "speech/digits"]
CAPTIONS = ["a dog barking", "steady rain falling on a tin roof", "a cello note, C4", "¿qué?", "rain"]


LARGER = "clap-laion-general"
SIZES = ["small", *(pytest.param(size, marks=pytest.mark.slow) for size in ("whole", "larger"))]


@pytest.fixture(scope="module", params=SIZES)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Clap, Any, Any]:
    """Ours, through export, and theirs, both from one folder in the hub's layout."""
    folder = tmp_path_factory.mktemp("hub")
    save_clap(folder, request.param)
    name = LARGER if request.param == "larger" else "clap-laion"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INNEREAR_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("INNEREAR_MODELS", raising=False)
        export(name, folder)
        ours = Clap(name, loudness="none")
        ours.read(["opened here, while the cache is this one"])
    theirs = transformers.ClapModel.from_pretrained(folder).eval()
    heard = transformers.ClapFeatureExtractor(frequency_min=50, frequency_max=14_000, truncation="rand_trunc")
    return ours, theirs, heard


def clip_of(pack: Path, name: str) -> Clip:
    return read(next(path for path in sorted((pack / name).rglob("*")) if path.suffix in {".ogg", ".flac"}))


def reference(theirs: Any, heard: Any, samples: np.ndarray) -> np.ndarray:
    features = heard(samples, sampling_rate=48_000, return_tensors="pt")["input_features"]
    with torch.inference_mode():
        pooled = theirs.audio_model(input_features=features).pooler_output
        return unit(theirs.audio_projection(pooled).numpy())


def test_log_mel_with_repeats_and_zeros_is_the_extractor_s(both: tuple[Clap, Any, Any], pack: Path) -> None:
    for name in CLIPS:
        samples = clip_of(pack, name).at(48_000)
        theirs = both[2](samples, sampling_rate=48_000, return_tensors="np")["input_features"][0, 0]
        np.testing.assert_allclose(slaney_log_mel(repeated(samples, CUT.length), 48_000, 480), theirs, atol=1e-3)


def test_sounds_of_up_to_10_s_are_transformers_s(both: tuple[Clap, Any, Any], pack: Path) -> None:
    ours, theirs, heard = both
    clips = [clip_of(pack, name) for name in CLIPS]
    clips = [Clip(clip.samples[:, : 10 * clip.sample_rate], clip.sample_rate) for clip in clips]
    found = np.concatenate(ours.embed(clips))
    wanted = np.concatenate([reference(theirs, heard, clip.at(48_000)) for clip in clips])
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    apart = np.linalg.norm(wanted[:, None] - wanted[None], axis=2)[np.triu_indices(len(wanted), 1)].min()
    assert apart > 100 * np.linalg.norm(found - wanted, axis=1).max()  # near is near next to other sounds


def test_a_long_sound_is_its_windows_each_as_transformers_hears_it(both: tuple[Clap, Any, Any], pack: Path) -> None:
    ours, theirs, heard = both
    parts = [clip_of(pack, name).at(48_000) for name in CLIPS[:4]]
    long = np.concatenate(parts)[: round(17.3 * 48_000)]
    wanted = [
        reference(theirs, heard, long[start : start + CUT.length]) for start in (0, 240_000, len(long) - CUT.length)
    ]
    (found,) = ours.embed([Clip(long[None], 48_000)])
    np.testing.assert_allclose(found, np.concatenate(wanted), atol=1e-4)


def test_captions_are_transformers_s_with_their_padding_and_mask(both: tuple[Clap, Any, Any]) -> None:
    ours, theirs, _ = both
    tokenizer, _ = ours._text._opened  # type: ignore[misc]
    rows = [encoding.ids for encoding in tokenizer.encode_batch(CAPTIONS)]
    ids = torch.full((len(rows), 77), 1)  # LAION pads every caption to 77 tokens
    for place, row in enumerate(rows):
        ids[place, : len(row)] = torch.tensor(row)
    with torch.inference_mode():
        pooled = theirs.text_model(input_ids=ids, attention_mask=(ids != 1).long()).pooler_output
        wanted = unit(theirs.text_projection(pooled).numpy())
    np.testing.assert_allclose(ours.read(CAPTIONS), wanted, atol=1e-4)


def test_a_caption_does_not_depend_on_those_beside_it(both: tuple[Clap, Any, Any]) -> None:
    ours = both[0]
    alone = np.concatenate([ours.read([caption]) for caption in CAPTIONS])
    np.testing.assert_allclose(ours.read(CAPTIONS * 9)[: len(CAPTIONS)], alone, atol=1e-6)


def test_5000_characters_are_read_up_to_77_tokens(both: tuple[Clap, Any, Any]) -> None:
    long = "a dog barking in the rain " * 200
    tokenizer, _ = both[0]._text._opened  # type: ignore[misc]
    assert len(tokenizer.encode(long).ids) == 77
    np.testing.assert_allclose(both[0].read([long]), both[0].read([long[:4_000]]), atol=1e-6)


@pytest.mark.parametrize("caption", ["", "  \n"])
def test_an_empty_caption_is_refused_by_its_place(both: tuple[Clap, Any, Any], caption: str) -> None:
    with pytest.raises(UsageError, match="caption 2 is empty"):
        both[0].read(["rain", caption])


@pytest.mark.slow
def test_a_pickled_checkpoint_gives_what_safetensors_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INNEREAR_MODELS", raising=False)
    found = []
    for safe in (True, False):
        save_clap(tmp_path / f"{safe}", safe=safe)
        monkeypatch.setenv("INNEREAR_CACHE", str(tmp_path / f"cache-{safe}"))
        export("clap-laion", tmp_path / f"{safe}")
        found.append(Clap("clap-laion").read(["rain"]))
    np.testing.assert_array_equal(*found)


def test_a_folder_that_is_no_clap_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is no checkpoint folder; wanted config\.json"):
        export("clap-laion", tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"audio_config": SMALL_AUDIO, "text_config": SMALL_TEXT}))
    (tmp_path / "tokenizer.json").write_text("{}")
    save_vggish(tmp_path / "pytorch_model.bin")
    with pytest.raises(UsageError, match=r"is no CLAP checkpoint: it has no audio_model\..* \(and \d+ more\)") as error:
        export("clap-laion", tmp_path)
    assert "\n" not in str(error.value)
