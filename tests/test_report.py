"""The report's files: what they say, what they never say, and when they are written again."""

from __future__ import annotations

import json
import os
import re
import struct
import zlib
from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

import report_made
from innerear import clip, records, suite
from innerear.checks import kind
from innerear.dsp.mel import htk_mel
from innerear.records import ALL, Scope, Score
from innerear.report import Recording, pictures, write_report
from innerear.report.evidence import _as_counted, lacking
from innerear.report.finding import finding
from innerear.report.highlights import highlights
from innerear.report.recordings import may_be_passed_on, recordings
from innerear.report.write import script
from report_made import made


def tone(f_hz: float, duration_s: float = 1.0, sample_rate: int = 44_100, peak: float = 0.5) -> clip.Clip:
    t = np.arange(round(duration_s * sample_rate)) / sample_rate
    return clip.Clip((peak * np.sin(2 * np.pi * f_hz * t)).astype(np.float32)[np.newaxis], sample_rate)


def received(line: str) -> tuple[str, str, object]:
    """The three arguments of a data script, read as a browser would read them."""
    match = re.fullmatch(r"InnerEar\.receive\((.*)\);\n", line, re.S)
    assert match
    kind, name, text = json.loads(f"[{match[1]}]")
    return kind, name, json.loads(text)


# ---- pictures


@pytest.mark.parametrize("f_hz", [110.0, 440.0, 1000.0, 4000.0, 12_000.0])
@pytest.mark.parametrize("sample_rate", [32_000, 44_100, 48_000])
def test_a_sine_is_brightest_in_the_row_of_its_frequency(f_hz: float, sample_rate: int) -> None:
    shades = pictures.spectrogram(tone(f_hz, sample_rate=sample_rate)).astype(float)
    brightest = int(shades[:, 20:-20].mean(axis=1).argmax())
    expected = int(np.abs(htk_mel(pictures.row_hz()) - htk_mel(f_hz)).argmin())
    assert abs(brightest - expected) <= 1


def test_a_click_is_brightest_in_the_column_of_its_time() -> None:
    samples = np.zeros((1, 44_100), dtype=np.float32)
    samples[0, 33_075] = 1.0
    shades = pictures.spectrogram(clip.Clip(samples, 44_100)).astype(float)
    centre = (shades.sum(axis=0) * np.arange(shades.shape[1])).sum() / shades.sum()
    assert abs(centre / (shades.shape[1] - 1) - 0.75) < 0.01


def test_gain_moves_no_shade_above_the_floor() -> None:
    loud, quiet = (pictures.spectrogram(tone(440.0, peak=peak)).astype(int) for peak in (0.8, 0.1))
    assert np.abs(loud - quiet).max() <= 1


def test_silence_is_dark() -> None:
    assert not pictures.spectrogram(clip.Clip(np.zeros((1, 44_100), np.float32), 44_100)).any()


@pytest.mark.parametrize(("length", "sample_rate"), [(1, 44_100), (7, 8_000), (100, 192_000), (44_100 * 90, 44_100)])
def test_a_sound_of_any_length_has_pictures(length: int, sample_rate: int) -> None:
    sound = clip.Clip(np.full((2, length), 0.25, np.float32), sample_rate)
    shades = pictures.spectrogram(sound)
    above, below = pictures.peaks(sound)
    assert shades.shape[0] == pictures.ROWS
    assert shades.shape[1] <= pictures.COLUMNS
    assert set(above) == {64}
    assert set(below) == {0}


def test_peaks_are_those_of_the_samples() -> None:
    samples = np.zeros((1, 6000), np.float32)
    samples[0, 3000], samples[0, 3010] = 1.0, -0.5
    above, below = pictures.peaks(clip.Clip(samples, 6000))
    assert (above.index(255), below.index(128)) == (300, 301)
    assert (sum(above), sum(below)) == (255, 128)


def test_a_png_holds_the_shades_it_was_given() -> None:
    shades = (np.arange(35).reshape(5, 7) % pictures.SHADES).astype(np.uint8)
    data = pictures.png(shades)
    at, chunks = 8, {}
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(name + body)
        chunks[name] = body
        at += 12 + length
    assert struct.unpack(">II", chunks[b"IHDR"][:8]) == (7, 5)
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(5, 8)
    assert (lines[:, 1:] == shades).all()
    assert len(chunks[b"PLTE"]) == 3 * pictures.SHADES


# ---- data


HOSTILE = ["</script><img src=x onerror=alert(1)>", "\u2028\u2029", "\0\x01\x1b", "\ud800", "<!--<script>", "${1}`\\"]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_data_script_carries_hostile_text_whole_and_inert(text: str) -> None:
    line = script("probe", text, {text: text, "__proto__": text})
    assert line.isascii()
    assert "<" not in line
    assert len(line.splitlines()) == 1
    assert received(line) == ("probe", text, {text: text, "__proto__": text})


@given(st.text(st.characters(), max_size=60))
def test_a_data_script_carries_any_text(text: str) -> None:
    line = script("probe", "name", [text])
    assert line.isascii()
    # two halves of a surrogate pair that meet in a text become the one character that they mean
    met = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    assert received(line)[2] == [met]


def test_no_number_that_json_lacks_is_written() -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        script("index", "", float("nan"))


# ---- the folder


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, object]:
    folder = tmp_path_factory.mktemp("run")
    data = made(folder, take=3)
    write_report(data, folder)
    return folder, data


def test_the_index_has_every_probe_item_and_score(written: tuple[Path, object]) -> None:
    folder, data = written
    kind, _, index = received((folder / "report/data/index.js").read_text())
    assert kind == "index"
    assert [len(index[k]) for k in ("probes", "items", "scores")] == [9, 36, len(data.scores)]
    assert all(score["group"] for score in index["scores"])


def test_every_file_that_the_shell_names_is_there(written: tuple[Path, object]) -> None:
    report = written[0] / "report"
    named = re.findall(r'(?:src|href)="([^#"]+)"', (report / "index.html").read_text())
    assert len(named) > 10
    assert [name for name in named if not (report / name).is_file()] == []


def test_nothing_in_the_report_names_a_host_to_load_from(written: tuple[Path, object]) -> None:
    report = written[0] / "report"
    for file in [report / "index.html", *(report / "assets").iterdir()]:
        text = file.read_text().replace("http://www.w3.org/2000/svg", "")
        assert re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", text) == []


def test_audio_is_referred_to_and_not_copied(written: tuple[Path, object]) -> None:
    folder = written[0]
    assert not list((folder / "report").rglob("*.flac"))
    scripts = [f for f in (folder / "report/data").glob("*.js") if len(f.stem) == 32]
    items = [item for file in scripts for item in received(file.read_text())[2]]
    assert len(items) == 36
    assert all((folder / item["audio"]).is_file() for item in items)


def test_what_each_check_heard_stands_in_the_data_of_its_tier(written: tuple[Path, object]) -> None:
    folder = written[0]
    index = received((folder / "report/data/index.js").read_text())[2]
    probes = {probe["id"]: probe for probe in index["probes"]}
    for tier in records.TIERS:
        kind, name, rows = received((folder / f"report/data/{tier}.js").read_text())
        assert (kind, name) == ("tier", tier)
        asked = [probes[index["items"][row["item"]]["probe"]] for row in rows]
        assert {probe["tier"] for probe in asked} == {tier}
        checked = [(probe, row) for probe, row in zip(asked, rows, strict=True) if row["at"] >= 0]
        assert all(probe["expect"][row["at"]]["check"] == row["metric"] for probe, row in checked)
        assert len(checked) == sum(len(p["expect"]) for p in probes.values() if p["tier"] == tier) * len(
            index["entrants"]
        )


def test_the_lines_of_a_program_say_what_of_its_anatomy_stands_there(written: tuple[Path, object]) -> None:
    folder = written[0]
    index = received((folder / "report/data/index.js").read_text())[2]
    probe = index["probes"][0]
    item = received((folder / f"report/data/{probe['file']}.js").read_text())[2][0]
    lines = item["program"]["code"].splitlines()
    hertz = [mark for mark in item["marks"] if mark["what"].endswith(" Hz")]
    assert hertz
    assert all(mark["what"].removesuffix(" Hz").split(".")[0] in lines[mark["line"] - 1] for mark in hertz)
    assert index["items"][0]["built"]["lines"] < len(lines)


# ---- real recordings


@pytest.mark.parametrize(
    ("licence", "free"),
    [
        ("CC0-1.0", True),
        ("CC-BY-SA-4.0", True),
        ("Public domain (LJ Speech 1.1)", True),
        ("source CC-BY; collection CC-BY-3.0", True),
        ("source CC0; collection CC-BY-NC-3.0", False),
        ("CC-BY-ND-4.0", False),
        ("all rights reserved", False),
        ("", False),
    ],
)
def test_only_what_may_be_passed_on_is_passed_on(licence: str, free: bool) -> None:
    assert may_be_passed_on(licence) is free


def test_a_recording_is_copied_cut_and_named_with_its_licence(tmp_path: Path) -> None:
    data = made(tmp_path, models=["baseline/sine"], take=1)
    long, short = tmp_path / "long.wav", tmp_path / "short.flac"
    long.write_bytes(b"")
    soundfile.write(long, tone(440.0, duration_s=14.0).samples.T, 44_100)
    soundfile.write(short, tone(220.0).samples.T, 44_100)
    named = {"licence": "CC0-1.0", "attribution": "someone"}
    found = [Recording(path=str(path), remark="another pitch", **named) for path in (long, short)]
    recordings = {probe.id: recording for probe, recording in zip(data.probes, found, strict=False)}
    write_report(msgspec.structs.replace(data, recordings=recordings), tmp_path)
    index = received((tmp_path / "report/data/index.js").read_text())[2]
    shown = [probe["recording"] for probe in index["probes"][:2]]
    assert [(r["licence"], r["attribution"], r["remark"]) for r in shown] == [
        ("CC0-1.0", "someone", "another pitch")
    ] * 2
    sounds = [clip.read(tmp_path / "report" / r["path"]) for r in shown]
    assert [round(sound.duration_s, 2) for sound in sounds] == [12.0, 1.0]
    assert all((tmp_path / f"report/sounds/{r['audio']}.{pictures.VERSION}.png").is_file() for r in shown)
    assert index["probes"][2]["recording"] is None


def test_the_nearest_recording_is_chosen_among_those_that_may_be_passed_on(tmp_path: Path) -> None:
    probe = next(p for p in report_made.probes() if p.id == "environment/animals/dog")
    head = "file,tier,set,label,label_detail,text,midi,f0_hz,velocity,duration_s,licence,attribution\n"
    named = [("free", "dog", "CC0-1.0"), ("other", "cat", "CC0-1.0"), ("nc", "dog", "CC-BY-NC-3.0")]
    rows = "\n".join(f"{name}.wav,env,x,{label},,,,,,5,{licence},by {name}" for name, label, licence in named)
    (tmp_path / "MANIFEST.csv").write_text(head + rows)
    for name, _, _ in named:
        (tmp_path / f"{name}.wav").write_bytes(b"")
    chosen = recordings([probe], tmp_path)[probe.id]
    assert (Path(chosen.path).name, chosen.attribution) == ("free.wav", "by free")
    (tmp_path / "free.wav").unlink()
    assert recordings([probe], None) == {}
    assert recordings([probe], tmp_path / "gone") == {}
    assert recordings([probe], tmp_path) == {}
    assert Path(recordings([probe], tmp_path, every=True)[probe.id].path).name == "nc.wav"


def test_checks_that_could_not_be_judged_are_counted_as_lacking_beside_those_that_were(tmp_path: Path) -> None:
    data = made(tmp_path, take=3)
    place, item = next(
        (i, one) for i, one in enumerate(data.items) if any(m.passed is not None for m in one.measurements)
    )
    blind = [msgspec.structs.replace(m, passed=None, value=None) for m in item.measurements]
    data.items[place] = msgspec.structs.replace(item, measurements=blind)
    write_report(data, tmp_path)
    _, _, index = received((tmp_path / "report/data/index.js").read_text())
    probe = next(probe for probe in data.probes if probe.id == item.completion.probe)
    assert (index["items"][place]["of"], index["items"][place]["lacking"]) == (0, sum(c.headline for c in probe.expect))
    assert sum(row["lacking"] == 0 and row["of"] > 0 for row in index["items"]) > 5


# ---- the first screen


def test_the_three_sounds_are_chosen_by_their_rules(written: tuple[Path, object]) -> None:
    _, data = written
    found = highlights(data.items, data.probes, data.scores, ())
    ranks = {name: rank for s in data.scores if s.metric == "proximity" for name, (rank, _) in s.detail["each"].items()}
    counted = {p.id: [i for i, check in enumerate(p.expect) if check.headline] for p in data.probes}
    passed: dict[str, list[bool]] = {}
    for item in data.items:
        rows = [m for m in item.measurements if m.check in counted[item.completion.probe] and m.passed is not None]
        if item.completion.model == data.items[0].completion.model and rows and item.audio:
            passed[item.completion.probe] = [bool(row.passed) for row in rows]
    probe = {one.name: data.items[one.item].completion.probe for one in found}
    assert len({one.item for one in found}) == len(found)
    assert {data.items[one.item].completion.model for one in found} == {"recorded/one-shot"}
    right = {name: ranks.get(name, -1) for name, checks in passed.items() if all(checks)}
    wrong = {name: ranks.get(name, 2) for name, checks in passed.items() if not any(checks)}
    assert ("Best" in probe) == bool(right)
    assert ("Worst" in probe) == bool(wrong)
    assert not right or right[probe["Best"]] == max(right.values())
    assert not wrong or wrong[probe["Worst"]] == min(wrong.values())


def test_only_sounds_with_a_recording_beside_them_are_chosen_if_there_is_one(written: tuple[Path, object]) -> None:
    _, data = written
    only = data.items[0].completion.probe
    found = highlights(data.items, data.probes, data.scores, {only})
    assert {data.items[one.item].completion.probe for one in found} <= {only}


def test_what_this_machine_lacks_is_one_line_for_all_that_it_concerns(written: tuple[Path, object]) -> None:
    _, data = written
    why = "not measured here: no weights; `innerear weights pull yamnet` fetches them"
    row = records.Measurement("k", "s", "label", None, reason=why, status=records.Status.UNAVAILABLE)
    items = [msgspec.structs.replace(item, measurements=[row]) for item in data.items[:27]]
    assert lacking(items) == ["label of 27 sounds: no weights; `innerear weights pull yamnet` fetches them"]
    assert lacking([]) == []


# ---- the finding


def scored(metric: str, value: float, tier: str = "notes", group: Scope = ALL, **more: object) -> Score:
    return Score(metric, "a/model", "direct", tier, value, 30, 0, metric, group=group, **more)


def difference(to: str, value: float, p: float, tier: str = "notes") -> Score:
    return scored("checks_difference", value, tier, Scope("vs", to), detail={"p": p, "p_holm": p})


def test_the_finding_says_what_is_above_the_floors_and_what_is_not() -> None:
    rates = [scored("checks", 0.7, low=0.6, high=0.8), scored("checks", 0.1, "speech", low=0.02, high=0.2)]
    against = [difference("baseline/noise", 0.6, 0.0001), difference("baseline/noise", 0.02, 0.7, "speech")]
    (said,) = finding([*rates, *against])
    assert said == (
        "a/model passes 70% of 30 checks in notes (60% to 80%; more than every floor, p < 0.001) and "
        "10% of 30 checks in speech (2% to 20%; not significantly more than noise)."
    )


def test_the_finding_names_the_largest_difference_that_is_shown_or_that_none_is() -> None:
    rates = [scored("checks", 0.7), scored("checks", 0.5)]
    none = finding([*rates, difference("b/model", 0.05, 0.3)])[0]
    assert none.startswith("No significant difference between the models")
    shown = finding([*rates, difference("b/model", -0.2, 0.01), difference("c/model", 0.1, 0.04, "speech")])[0]
    assert shown == (
        "b/model beats a/model in notes by 20 percentage points of checks passed (p = 0.01, 30 probes, paired)."
    )


def test_few_checks_are_not_a_finding() -> None:
    few = msgspec.structs.replace(scored("checks", 0.5, "speech"), n=4)
    (alone,) = finding([few])
    assert alone == "Too few checks of a/model could be run for a finding: 4 in speech."
    (beside,) = finding([scored("checks", 0.7), few])
    assert beside == "a/model passes 70% of 30 checks in notes; too few checks elsewhere: 4 in speech."
    chance = msgspec.structs.replace(difference("b/model", -0.9, 0.01), n=6)
    assert finding([scored("checks", 0.7), chance])[0].startswith("No significant difference between the models")


def test_the_finding_says_how_many_checks_were_not_run() -> None:
    (said,) = finding([msgspec.structs.replace(scored("checks", 0.7), missing=27)])
    assert said == "a/model passes 70% of 30 checks in notes (27 more not run)."


def test_every_vendored_library_has_its_licence(written: tuple[Path, object]) -> None:
    vendor = written[0] / "report/vendor"
    licences = {file.name.removesuffix(".LICENSE")[:4] for file in vendor.glob("*.LICENSE")}
    assert {file.name[:4].split(".")[0] for file in vendor.glob("*.js")} == licences


def test_writing_again_draws_no_sound_again_and_leaves_nothing_behind(written, monkeypatch) -> None:
    folder, data = written
    before = {p.relative_to(folder): p.read_bytes() for p in (folder / "report").rglob("*") if p.is_file()}
    (folder / "report" / "data" / "stale.js").write_text("old")
    (folder / ".report.part").mkdir()
    (folder / ".report.part" / "of a killed write").write_text("")
    os.utime(folder / ".report.part", (0, 0))
    monkeypatch.setattr(pictures, "spectrogram", lambda _: pytest.fail("a sound was drawn again"))
    write_report(data, folder)
    after = {p.relative_to(folder): p.read_bytes() for p in (folder / "report").rglob("*") if p.is_file()}
    assert after == before
    assert sorted(p.name for p in folder.iterdir()) == ["audio", "report"]


def test_a_missing_sound_is_named_and_left_out_and_the_page_is_made(tmp_path: Path) -> None:
    data = made(tmp_path, models=["baseline/noise"], take=2)
    gone = tmp_path / data.items[0].audio
    gone.unlink()
    said: list[str] = []
    page = write_report(data, tmp_path, said.append)
    assert [str(gone) in line and "innerear render" in line for line in said] == [True]
    assert "innerear render" in (page.parent / "data/index.js").read_text()
    drawn = {path.name.split(".")[0] for path in (page.parent / "sounds").glob("*.js")}
    assert drawn == {item.render.audio for item in data.items if item.audio} - {gone.stem}


def test_the_title_is_text(tmp_path: Path) -> None:
    data = msgspec.structs.replace(made(tmp_path, models=[], take=1), title="</title><script>x</script>\ud800")
    html = write_report(data, tmp_path).read_text(encoding="utf-8")
    assert "<script>x" not in html
    assert "&lt;script&gt;x" in html


def test_a_probe_counts_by_the_ears_that_the_machine_has():
    """Of the labels, some are reliable by two ears and not by one alone."""
    labelled = [p for p in suite.edition("1").probes if any(kind(check) == "label" for check in p.expect)]

    def counting(ears):
        return [[c.headline for c in _as_counted(p, ears).expect if kind(c) == "label"] for p in labelled]

    assert counting({}) == counting({"label": "both"})
    assert sum(map(sum, counting({"label": "aisfx"}))) < sum(map(sum, counting({})))
