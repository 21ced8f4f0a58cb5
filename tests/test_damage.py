"""A run folder that has come to harm: what is damaged or missing is named with its remedy, and costs nothing else."""

import json
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from innerear import RunConfig, choose, create, evaluate, open_model, stages
from innerear import load as load_suite
from innerear.compute.work import Local
from innerear.embed.batches import parts_of, read_embeddings
from innerear.errors import AudioError, UsageError
from innerear.metrics.measure import paired
from innerear.records import Measurement, Outcome, Probe, Render
from innerear.render.render import load
from innerear.run.parts import Writer, read_rows, replace_rows
from innerear.run.run import Run, embeddings_folder, probes_digest, save
from innerear.scores.gaps import gaps
from innerear.sharing.pack import pack, unpack
from innerear.stages import choose_embedders

RECORDINGS = Path(__file__).parent.parent / "src" / "innerear" / "ask" / "models" / "recordings"
CLOCK = "x = 0.3 * np.sin(np.arange(88200) * 0.1 * (1 + time.time_ns() % 100000 / 1e6))"
SINE = "x = 0.3 * np.sin(np.arange(88200) * 0.06)"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A finished run of three programs; the third does not give the same sound twice."""
    place = tmp_path_factory.mktemp("damage")
    rows = []
    for number, row in enumerate(map(json.loads, (RECORDINGS / "one-shot.jsonl").read_text().splitlines()[:3])):
        code = CLOCK if number == 2 else SINE.replace("0.06", f"0.0{number + 6}")
        text = f"```python\nimport time\nimport numpy as np\nfrom scipy.io import wavfile\n{code}\n"
        rows.append({**row, "text": text + 'wavfile.write("output.wav", 44100, x.astype(np.float32))\n```'})
    (place / "mine.jsonl").write_text("\n".join(map(json.dumps, rows)))
    suite = load_suite("1")
    model = open_model(f"recorded/{place / 'mine.jsonl'}")
    asked = RunConfig(
        models=[model.name], suite=suite.name, suite_digest=suite.digest, embedders=["mel"], jail="off"
    )  # fmt: skip
    wanted = {row["probe"] for row in rows}
    probes = [probe for probe in choose(suite.probes, pattern="notes/*") if probe.id in wanted]
    _, report = evaluate(create(place / "run", asked, probes, "innerear run"), [model], machines=Local(2))
    assert not report.failures
    stages.report(Run(place / "run"))
    return place / "run"


@pytest.fixture
def folder(whole, tmp_path) -> Path:
    shutil.copytree(whole, tmp_path / "run")
    return tmp_path / "run"


def sound(folder: Path, place: int = 0) -> Path:
    """The sound of one of the programs; 2 is the one that asks the clock."""
    return folder / "audio" / f"{Run(folder).items()[place].render.audio}.flac"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


HARMS = {"deleted": Path.unlink, "cut off": cut, "a flipped bit": flip}


@pytest.fixture(params=list(HARMS))
def harm(request):
    return HARMS[request.param]


# ---- sounds


def test_a_sound_that_is_gone_or_damaged_is_named_and_the_others_are_measured(folder, harm):
    bad = sound(folder)
    harm(bad)
    shutil.rmtree(folder / "measurements")
    found = stages.measure(Run(folder))
    assert len(found.failures) == 1
    assert str(bad) in found.failures[0]
    assert f"`innerear render {folder}`" in found.failures[0]
    subjects = {row.subject for row in read_rows(folder / "measurements", Measurement).values()}
    lost = Run(folder).items()[0].completion.key
    assert {item.completion.key for item in Run(folder).items()} - {lost} <= subjects


def test_a_sound_that_is_gone_or_damaged_is_named_and_the_others_are_embedded(folder, harm):
    bad = sound(folder)
    harm(bad)
    shutil.rmtree(folder / "embeddings")
    run, _ = choose_embedders(Run(folder))
    found = stages.embed(run)
    assert [str(bad) in line for line in found.failures] == [True]
    names = set(read_embeddings(embeddings_folder(run, "mel")))
    assert {item.render.audio for item in run.items()} - names == {bad.stem}


def test_a_sound_that_is_gone_or_damaged_is_left_out_of_the_report_which_says_so(folder, harm):
    bad = sound(folder)
    harm(bad)
    shutil.rmtree(folder / "report")
    said: list[str] = []
    page = stages.report(Run(folder), say=said.append)
    assert [str(bad) in line and "innerear render" in line for line in said] == [True]
    assert bad.stem in (page.parent / "data" / "index.js").read_text()
    sounds = {path.name.split(".")[0] for path in (page.parent / "sounds").iterdir()}
    assert sounds == {item.render.audio for item in Run(folder).items()} - {bad.stem}


def test_render_makes_a_sound_again_that_is_gone_or_damaged(folder, harm):
    bad = sound(folder)
    before = bad.read_bytes()
    harm(bad)
    rows = read_rows(folder / "renders", Render)
    found = stages.render(Run(folder), check=True)
    assert not found.failures
    assert "ran again" in found.warnings[0]
    assert bad.read_bytes() == before
    assert read_rows(folder / "renders", Render) == rows


def test_a_program_that_gives_another_sound_when_it_runs_again_gets_a_new_row(folder):
    bad = sound(folder, 2)
    bad.unlink()
    stages.render(Run(folder))
    item = Run(folder).items()[2]
    assert item.render.audio != bad.stem
    load(item.render, folder / "audio")
    assert not stages.render(Run(folder)).warnings


def test_a_sound_of_another_length_than_its_row_says_is_damaged(folder):
    shutil.copyfile(sound(folder, 0), folder / "audio" / "0.flac")
    render = msgspec.structs.replace(Run(folder).items()[0].render, audio="0", samples=88_199)
    with pytest.raises(AudioError, match="its row says"):
        load(render, folder / "audio")


def test_the_scores_say_what_is_missing_and_which_command_makes_it(folder):
    run = Run(folder)
    assert gaps(run, paired(run.measurements(), run.items())) == []
    sound(folder).unlink()
    shutil.rmtree(folder / "embeddings")
    kept = list(run.measurements().values())[1:]
    shutil.rmtree(folder / "measurements")
    Writer(folder / "measurements", Measurement).keep(*kept)
    lines = gaps(run, paired(run.measurements(), run.items()))
    for line, stage, count in zip(lines, ("render", "measure", "embed"), (1, 1, 3), strict=True):
        assert line.startswith(f"{count} of 3 ")
        assert f"`innerear {stage} {folder}`" in line


# ---- embeddings and scores


def test_a_damaged_embeddings_file_is_named_and_made_again(folder, harm):
    run = Run(folder)
    (part,) = parts_of(embeddings_folder(run, "mel"))
    before = read_embeddings(part.parent)
    harm(part)
    (folder / "scores.json").unlink()  # they are right as they are, and would be taken
    said: list[str] = []
    scores = stages.score(run, say=said.append)
    assert {score.value for score in scores if score.metric == "fad"} == {None}
    found = stages.embed(run)
    after = read_embeddings(part.parent)
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    if harm is not Path.unlink:
        assert str(part) in said[0]
        assert str(part) in found.warnings[0]
        assert "again" in found.warnings[0]


def test_scores_that_cannot_be_read_are_named_and_made_again(folder):
    path = folder / "scores.json"
    before = stages.score(Run(folder))
    for content in (path.read_bytes()[:-200], b"", b"\xff\xfe", b'{"inputs": 9}'):
        path.write_bytes(content)
        said: list[str] = []
        assert stages.score(Run(folder), say=said.append) == before
        assert [str(path) in line and "made again" in line for line in said] == [True]


# ---- rows and probes


def test_a_damaged_row_is_named_with_its_remedy_and_the_remedy_works(folder):
    (part,) = (folder / "measurements").glob("*.jsonl")
    lines = part.read_bytes().splitlines(keepends=True)
    part.write_bytes(b"".join([*lines[:2], lines[2][:30] + b"\n", *lines[3:]]))
    with pytest.raises(UsageError, match=rf"{part.name}, line 3 is damaged: .*sed -i 3d"):
        Run(folder).measurements()
    part.write_bytes(b"".join([*lines[:2], *lines[3:]]))
    assert not stages.measure(Run(folder)).failures
    assert Run(folder).measurements().keys() == {msgspec.json.decode(line)["key"] for line in lines}


@pytest.mark.parametrize("field", ["samples", "exit_code", "jail"])
def test_an_integer_of_thousands_of_digits_is_a_damaged_row(folder, field):
    (part,) = (folder / "renders").glob("*.jsonl")
    row = msgspec.json.decode(part.read_bytes().splitlines()[0])
    huge = '{"x": ' + "9" * 4000 + "}" if field == "jail" else "9" * 4000
    text = json.dumps({**row, field: "HUGE"}).replace('"HUGE"', huge)
    part.write_text(text + "\n")
    with pytest.raises(UsageError, match=r"line 1 is damaged"):
        Run(folder).items()


def test_a_packed_run_with_such_an_integer_is_refused_in_one_line(folder, tmp_path):
    import zipfile

    pack(Run(folder), tmp_path / "mine.zip")
    with zipfile.ZipFile(tmp_path / "mine.zip") as packed, zipfile.ZipFile(tmp_path / "bad.zip", "w") as bad:
        for info in packed.infolist():
            content = packed.read(info)
            if info.filename == "renders.jsonl":
                content = content.replace(b'"samples":88200', b'"samples":' + b"9" * 4000)
            bad.writestr(info, content)
    with pytest.raises(UsageError, match="samples") as caught:
        unpack(tmp_path / "bad.zip", tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_probes_that_were_removed_are_noticed_and_the_command_writes_them_again(folder):
    run = Run(folder)
    path = folder / "probes.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[1:]))
    with pytest.raises(UsageError, match="its 2 probes are not those"):
        Run(folder)
    with pytest.raises(UsageError, match="does not give all"):
        create(folder, run.asked, run.probes[1:], "a part of it")
    again = create(folder, run.asked, run.probes, "the same command")
    assert again.probes == run.probes
    assert path.read_bytes() == b"".join(lines)


def test_a_damaged_line_of_probes_is_named_and_the_command_writes_it_again(folder):
    run = Run(folder)
    path = folder / "probes.jsonl"
    content = path.read_bytes()
    path.write_bytes(content[:-30])
    with pytest.raises(UsageError, match=r"probes\.jsonl, line 3 is damaged"):
        Run(folder)
    create(folder, run.asked, run.probes, "the same command")
    assert path.read_bytes() == content


def test_a_damaged_run_file_is_named_and_its_remedy_keeps_all_rows(folder):
    run = Run(folder)
    scores = stages.score(run)
    (folder / "run.json").write_bytes((folder / "run.json").read_bytes()[:50])
    with pytest.raises(UsageError, match=r"run\.json is damaged.*delete it"):
        Run(folder)
    (folder / "run.json").unlink()
    create(folder, run.asked, run.probes, "the same command")
    again, _ = choose_embedders(Run(folder))
    assert stages.score(again) == scores


def test_a_run_of_before_there_was_a_digest_of_its_probes_is_taken(folder):
    run = Run(folder)
    save(folder, msgspec.structs.replace(run.file, probes=[]))
    assert Run(folder).probes == run.probes
    assert create(folder, run.asked, run.probes, "again").probes == run.probes


# ---- killed, and several at once


def test_a_command_that_was_killed_before_its_first_run_file_goes_on(tmp_path):
    suite = load_suite("1")
    probes = choose(suite.probes, pattern="notes/waveform/*")
    asked = RunConfig(models=["baseline/sine"], suite=suite.name, suite_digest=suite.digest)
    create(tmp_path / "run", asked, probes, "first")
    (tmp_path / "run" / "run.json").unlink()
    (tmp_path / "run" / ".run.json.12.part").touch()
    assert create(tmp_path / "run", asked, probes, "second").probes == probes


@pytest.mark.parametrize("written", [False, True])
def test_a_command_that_was_killed_while_it_added_probes_leaves_a_run(folder, written):
    run = Run(folder)
    more = [*run.probes, msgspec.structs.replace(run.probes[0], id="notes/another")]
    save(folder, msgspec.structs.replace(run.file, probes=[probes_digest(run.probes), probes_digest(more)]))
    if written:
        (folder / "probes.jsonl").write_bytes(b"".join(msgspec.json.encode(probe) + b"\n" for probe in more))
    assert Run(folder).probes == (more if written else run.probes)
    assert create(folder, run.asked, more, "again").probes == more
    assert Run(folder).file.probes[-1] == probes_digest(more)


def test_what_another_command_added_meanwhile_is_kept_when_embedders_are_settled(folder):
    stale = Run(folder)
    stale = save(folder, msgspec.structs.replace(stale.file, signatures={}))
    asked = msgspec.structs.replace(stale.asked, models=["baseline/sine"])
    create(folder, asked, stale.probes, "another")
    run, _ = choose_embedders(stale)
    assert run.asked.models == [*stale.asked.models, "baseline/sine"]
    assert run.file.signatures.keys() == {"mel"}


def test_a_row_put_in_place_of_another_is_the_one_that_is_read(tmp_path):
    writer = Writer(tmp_path, Render)
    old, other = (Render(key, "p", Outcome.OK) for key in "ab")
    writer.keep(old)
    writer.keep(other)
    new = msgspec.structs.replace(old, audio="0")
    replace_rows(tmp_path, Render, [new])
    assert read_rows(tmp_path, Render) == {"a": new, "b": other}


def test_a_probe_that_no_suite_may_hold_is_refused_when_a_run_is_unpacked(folder, tmp_path):
    run = Run(folder)
    endless = [msgspec.structs.replace(run.probes[0], duration_s=1e12), *run.probes[1:]]
    (folder / "probes.jsonl").write_bytes(b"".join(msgspec.json.encode(probe) + b"\n" for probe in endless))
    save(folder, msgspec.structs.replace(run.file, probes=[probes_digest(endless)]))
    pack(Run(folder), tmp_path / "bad.zip")
    with pytest.raises(UsageError, match="duration"):
        unpack(tmp_path / "bad.zip", tmp_path / "out")
    assert isinstance(endless[0], Probe)
