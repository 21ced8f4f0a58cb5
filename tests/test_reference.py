"""References: shipped, small, held-back clips apart from the others, built and fetched by our own commands."""

import csv
import functools
import http.server
import io
import os
import threading
import urllib.parse

import numpy as np
import pytest
import soundfile

from innerear.clip import Clip
from innerear.embed import open_embedder
from innerear.errors import UsageError
from innerear.reference.build import build
from innerear.reference.fetch import MANIFEST, address, fetch, fetchable
from innerear.reference.manifest import read_manifest, read_manifests
from innerear.reference.phrases import DURATION_S, phrases
from innerear.reference.sets import KINDS, find_reference, held_back, kind_of, open_reference, shipped_folder
from innerear.suite import edition


def test_every_probe_of_the_edition_is_held_against_one_kind():
    for probe in edition("1").probes:
        assert kind_of(probe) is not None, probe.id
        assert sum(kind.holds(probe) for kind in KINDS) == 1, probe.id


@pytest.mark.parametrize("embedder", ["yamnet", "mel"])
@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_a_reference_is_shipped_for_every_kind_in_at_most_3_mb(kind, embedder):
    assert (shipped_folder() / f"{kind}.{embedder}.npz").stat().st_size < 3_000_000
    found = find_reference(kind, embedder)
    assert found is not None
    assert len(found.kept) > 2 * len(found.held_back) or kind == "phrases"
    assert len(found.held_back) >= 16


def test_no_source_is_both_held_back_and_not():
    rows = read_manifest(MANIFEST)
    held = held_back(rows)
    assert held
    for group in ("speaker", "source_id"):
        sources = [(row[group], row["file"] in held) for row in rows if row[group] and row["tier"] != "notes"]
        assert not {s for s, h in sources if h} & {s for s, h in sources if not h}


def test_a_quarter_of_each_environment_class_is_held_back():
    rows = [row for row in read_manifest(MANIFEST) if row["tier"] == "env"]
    held = held_back(rows)
    assert len({row["label"] for row in rows}) == 50
    for label in {row["label"] for row in rows}:
        assert sum(row["label"] == label and row["file"] in held for row in rows) == 2


def test_the_manifest_names_a_licence_and_a_home_for_every_clip():
    rows = read_manifest(MANIFEST)
    assert rows
    for row in rows:
        assert row["licence"], row["file"]
        assert row["source_repo"].count("/") >= 1 or row["tier"] == "notes", row["file"]
        assert len(row["sha256"]) == 64


def test_the_shipped_references_are_what_the_build_command_makes(pack, tmp_path):
    kinds = [kind for kind in KINDS if kind.name == "sentences"]
    (path,) = build(pack, read_manifest(pack / "MANIFEST.csv"), open_embedder("yamnet"), tmp_path, kinds)
    built, shipped = open_reference(path), find_reference("sentences", "yamnet")
    assert (built.digest, built.signature) == (shipped.digest, shipped.signature)
    assert all(np.array_equal(a, b) for a, b in zip(built.clips, shipped.clips, strict=True))


def test_building_from_a_folder_of_one_s_own(tmp_path):
    (tmp_path / "clips").mkdir()
    rows = []
    for i in range(8):
        soundfile.write(tmp_path / "clips" / f"{i}.wav", np.random.default_rng(i).normal(0, 0.1, 8000), 8000)
        rows.append({"file": f"{i}.wav", "tier": "speech", "set": "FSDD", "label": "digit", "speaker": f"s{i}",
                     "source_path": "", "source_id": ""})  # fmt: skip
    with (tmp_path / "clips" / "MANIFEST.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    manifest = read_manifest(tmp_path / "clips" / "MANIFEST.csv")
    (path,) = build(tmp_path / "clips", manifest, open_embedder("mel"), tmp_path / "out")
    found = open_reference(path)
    assert (len(found.kept), len(found.held_back)) == (6, 2)


def test_a_manifest_without_a_column_is_an_error(tmp_path):
    (tmp_path / "m.csv").write_text("file,tier\na,b\n")
    with pytest.raises(UsageError, match="'set'"):
        read_manifest(tmp_path / "m.csv")


def test_a_manifest_that_is_not_there_is_an_error_that_says_how_to_get_one(tmp_path):
    with pytest.raises(UsageError, match=r"holds no m\.csv .*innerear reference fetch"):
        read_manifest(tmp_path / "m.csv")


def test_phrases_are_as_long_as_they_say_and_made_of_one_instrument():
    t = np.arange(44_100) / 44_100
    notes = [
        ("flute", 60 + i, Clip(np.sin(2 * np.pi * 440 * 2 ** (i / 12) * t).astype(np.float32)[None], 44_100))
        for i in range(5)
    ]
    made = dict(phrases(notes))
    assert len(made) == 20
    assert all(clip.duration_s == DURATION_S and np.abs(clip.samples).max() > 0.1 for clip in made.values())


class _Home(http.server.BaseHTTPRequestHandler):
    """Speaks as the public home would: /owner/name/HEAD/path."""

    def __init__(self, files, *args):
        self.files = files
        super().__init__(*args)

    def do_GET(self):
        content = self.files.get(urllib.parse.unquote(self.path))
        self.send_response(200 if content is not None else 404)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *args):
        pass


@pytest.fixture
def home():
    """An address, and the files that it serves by path."""
    files: dict[str, bytes] = {}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Home, files))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", files
    server.shutdown()
    server.server_close()


def serve(files, row, content):
    files[urllib.parse.unquote(urllib.parse.urlparse(address(row, "http://home")).path)] = content


def as_source(pack, row):
    """The bytes that the public home would have: FLAC of ours was WAV there."""
    path = pack / row["file"]
    if not row["pcm_sha256"]:
        return path.read_bytes()
    samples, rate = soundfile.read(path, dtype="int16")
    wav = io.BytesIO()
    soundfile.write(wav, samples, rate, format="WAV", subtype="PCM_16")
    return wav.getvalue()


def test_fetched_clips_are_those_of_the_manifest(home, pack, tmp_path):
    url, files = home
    rows = fetchable(["sentences"])
    for row in rows:
        serve(files, row, as_source(pack, row))
    result = fetch(tmp_path, ["sentences"], home=url)
    assert (result.there, result.failures) == (94, [])
    for row in rows:
        ours, theirs = (soundfile.read(folder / row["file"], dtype="int16")[0] for folder in (tmp_path, pack))
        assert np.array_equal(ours, theirs)


def test_a_second_fetch_asks_only_for_what_is_missing(home, pack, tmp_path):
    url, files = home
    rows = fetchable(["sentences"])
    for row in rows:
        serve(files, row, as_source(pack, row))
    fetch(tmp_path, ["sentences"], home=url)
    files.clear()
    assert fetch(tmp_path, ["sentences"], home=url).failures == []


def test_another_sound_is_refused_and_named(home, pack, tmp_path):
    url, files = home
    rows = fetchable(["sentences"])
    for row in rows:
        serve(files, row, as_source(pack, row))
    serve(files, rows[3], as_source(pack, rows[4]))
    result = fetch(tmp_path, ["sentences"], home=url)
    assert result.there == 93
    assert len(result.failures) == 1
    assert rows[3]["file"] in result.failures[0]
    assert not (tmp_path / rows[3]["file"]).exists()


def test_a_home_that_is_gone_is_given_up_early(tmp_path):
    result = fetch(tmp_path, ["environment"], home="http://127.0.0.1:9")
    assert result.there == 0
    assert any("not tried" in line for line in result.failures)


def test_notes_cannot_be_fetched_and_the_error_says_what_can():
    with pytest.raises(UsageError, match="environment, words, sentences"):
        fetchable(["notes"])


def test_several_folders_are_one_collection_and_no_source_is_on_both_sides(tmp_path):
    manifests = []
    for part in range(2):
        (folder := tmp_path / str(part)).mkdir()
        rows = []
        for i in range(12):
            name = f"{part}-{i}.wav"
            soundfile.write(folder / name, np.random.default_rng(i).normal(0, 0.1, 8000), 8000)
            rows.append({"file": name, "tier": "env", "set": "ESC-50", "label": "dog", "speaker": "",
                         "source_path": name, "source_id": f"freesound:{i // 2}"})  # fmt: skip
        with (folder / "MANIFEST.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        manifests.append(folder)
    rows = read_manifests(manifests)
    assert [read_manifests(f"{manifests[0]}{os.pathsep}{manifests[1]}"), len(rows)] == [rows, 24]
    (path,) = build(manifests, rows, open_embedder("mel"), tmp_path / "out")
    found = open_reference(path)
    source = {row["file"]: row["source_id"] for row in rows}
    held = {source[name] for name, is_held in zip(found.names, found.held, strict=True) if is_held}
    kept = {source[name] for name, is_held in zip(found.names, found.held, strict=True) if not is_held}
    assert held
    assert not held & kept
    with pytest.raises(UsageError, match="listed twice"):
        read_manifests([manifests[0], manifests[0]])
