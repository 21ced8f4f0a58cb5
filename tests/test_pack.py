"""A run in one file: nothing private leaves with it, a stranger scores it again, and a hostile one does no harm."""

import json
import os
import shutil
import stat
import struct
import zipfile
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from innerear import stages
from innerear.cli.main import main
from innerear.errors import UsageError
from innerear.records import Completion, Render
from innerear.run.parts import read_rows, write_whole
from innerear.run.run import Run, RunFile
from innerear.sharing.pack import pack, unpack
from innerear.sharing.scrub import Scrub

pytestmark = pytest.mark.xdist_group("recorded_run")
KEY = "sk-proj-abcdefghijklmnopqrstuvwx0123"
OWN = "Pa55-of-this-machine-only"


@pytest.fixture(scope="module")
def packed(recorded_run, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("packed") / "few.zip"
    pack(Run(recorded_run), out)
    return out


@pytest.fixture
def copy(recorded_run, tmp_path) -> Path:
    return Path(shutil.copytree(recorded_run, tmp_path / "copy"))


def contents(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def rewritten(file: Path, out: Path, **changed: bytes | None) -> Path:
    """The file with members replaced or added (`/` written as `__`, `.` as `_dot_`), or left out for `None`."""
    named = {name.replace("__", "/").replace("_dot_", "."): content for name, content in changed.items()}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in (contents(file) | named).items():
            if content is not None:
                kind = zipfile.ZIP_STORED if name.endswith((".flac", ".npz")) else zipfile.ZIP_DEFLATED
                opened.writestr(name, content, kind)
    return out


def with_rows(file: Path, out: Path, stage: str, change) -> Path:
    rows = [change(json.loads(line)) for line in contents(file)[f"{stage}.jsonl"].splitlines()]
    return rewritten(file, out, **{f"{stage}_dot_jsonl": b"\n".join(json.dumps(row).encode() for row in rows)})


def refused(file: Path, says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        unpack(file, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("*out*")), "nothing stays behind"


# ---- laws


def test_unpacked_scores_are_those_of_the_run(recorded_run, packed, tmp_path):
    again = unpack(packed, tmp_path / "out")
    (tmp_path / "out" / "scores.json").unlink()
    assert stages.score(again) == stages.score(Run(recorded_run))


def test_packed_scores_are_a_claim_that_scoring_does_not_believe(packed, recorded_run, tmp_path):
    file = json.loads(contents(packed)["scores.json"])
    file["scores"] = [{**score, "value": 1.0} for score in file["scores"]]
    file["inputs"] = json.loads((recorded_run / "scores.json").read_text())["inputs"]
    lying = rewritten(packed, tmp_path / "lying.zip", scores_dot_json=json.dumps(file).encode())
    assert stages.score(unpack(lying, tmp_path / "out")) == stages.score(Run(recorded_run))


def test_a_stranger_with_other_versions_and_no_weights_scores_it_alike(recorded_run, packed, tmp_path, monkeypatch):
    ours = stages.score(Run(recorded_run))
    other = {"python": "3.99.0", "numpy": "9.9.9", "scipy": "9.9.9"}
    monkeypatch.setattr("innerear.run.run.runtime", lambda language="python": other)
    monkeypatch.setattr("innerear.run.keys.runtime", lambda language="python": other)
    for module in ("embed.stage", "embed.batches"):
        monkeypatch.setattr(f"innerear.{module}.open_embedder", lambda name: pytest.fail("weights were asked for"))
    assert stages.score(unpack(packed, tmp_path / "out")) == ours


def test_equal_runs_give_equal_bytes_whatever_their_files_are_called(recorded_run, packed, copy, tmp_path):
    for folder in ("completions", "renders", "measurements"):
        for path in (copy / folder).glob("*.jsonl"):
            lines = path.read_bytes().splitlines(keepends=True)
            (copy / folder / "9.jsonl").write_bytes(b"".join(lines[1::2]))
            (copy / folder / "8.jsonl").write_bytes(b"".join(lines[0::2]))
            path.unlink()
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
    pack(Run(copy), tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == packed.read_bytes()


def test_packing_what_was_unpacked_gives_the_same_file(packed, tmp_path):
    pack(unpack(packed, tmp_path / "out"), tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == packed.read_bytes()


def test_the_page_of_an_unpacked_run_has_its_sounds(packed, tmp_path):
    run = unpack(packed, tmp_path / "out")
    page = stages.report(run)
    assert page.exists()
    assert all((run.audio / f"{item.render.audio}.flac").exists() for item in run.items() if item.render.audio)


def test_the_commands_do_the_same(recorded_run, packed, tmp_path):
    done = CliRunner().invoke(main, ["pack", str(recorded_run), "--out", str(tmp_path / "few.zip")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "few.zip").read_bytes() == packed.read_bytes()
    done = CliRunner().invoke(main, ["unpack", str(tmp_path / "few.zip"), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    done = CliRunner().invoke(main, ["score", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "recorded/one-shot" in done.output


# ---- nothing private leaves


def spoil(folder: Path, monkeypatch) -> None:
    """A run in which secrets and paths of this machine stand wherever they could."""
    monkeypatch.setenv("SOME_SERVICE_TOKEN", OWN)
    home = str(Path.home())
    file = msgspec.json.decode((folder / "run.json").read_bytes(), type=RunFile)
    asked = msgspec.structs.replace(
        file.asked,
        base_url=f"http://user:{OWN}@host:8000/v1?key={KEY}",
        parameters={"api_key": "tiny-pw-1", "top_p": 0.5},
    )
    command = (
        f"innerear run --model recorded/{home}/mine.jsonl --param api_key=tiny-pw-1 --out /srv/secret-place/runs/x "
        f"--base-url http://user:{OWN}@host:8000/v1?key={KEY}"
    )
    write_whole(folder / "run.json", msgspec.json.encode(msgspec.structs.replace(file, asked=asked, command=command)))
    for stage, row_type in (("completions", Completion), ("renders", Render)):
        rows = read_rows(folder / stage, row_type)
        for path in (folder / stage).glob("*.jsonl"):
            path.unlink()
        said = f"{home}/runs {folder.resolve()}/audio /home/someone/x {OWN} Bearer {KEY}"
        changed = [
            msgspec.structs.replace(row, log=said, reason=said)
            if isinstance(row, Render)
            else msgspec.structs.replace(row, text=f"{said}\n\n{row.text}")
            for row in rows.values()
        ]
        write_whole(folder / stage / "1.jsonl", b"\n".join(map(msgspec.json.encode, changed)))


def test_no_key_and_no_path_of_this_machine_is_packed(copy, tmp_path, monkeypatch):
    spoil(copy, monkeypatch)
    pack(Run(copy), tmp_path / "out.zip")
    whole = b"\n".join(
        content for name, content in contents(tmp_path / "out.zip").items() if not name.endswith((".flac", ".npz"))
    )
    private = (
        OWN,
        KEY,
        str(Path.home()),
        str(copy.resolve()),
        str(Path.cwd()),
        "/home/someone",
        "secret-place",
        "tiny-pw-1",
    )
    for word in private:
        assert word.encode() not in whole, word
    assert b"http://host:8000/v1" in whole


def test_a_scrubbed_run_scores_alike(recorded_run, copy, tmp_path, monkeypatch):
    spoil(copy, monkeypatch)
    pack(Run(copy), tmp_path / "out.zip")
    assert stages.score(unpack(tmp_path / "out.zip", tmp_path / "out")) == stages.score(Run(recorded_run))


def in_a_program(folder: Path, word: str) -> None:
    rows = list(read_rows(folder / "completions", Completion).values())
    for path in (folder / "completions").glob("*.jsonl"):
        path.unlink()
    changed = msgspec.structs.replace(rows[0], text=f"```python\nx = '{word}'\n```")
    write_whole(folder / "completions" / "1.jsonl", b"\n".join(map(msgspec.json.encode, [changed, *rows[1:]])))


def test_a_program_with_a_key_in_it_is_named_and_packed_only_as_is(copy, tmp_path):
    in_a_program(copy, KEY)
    with pytest.raises(UsageError, match=r"1 programs contain .*by recorded/one-shot.*--as-is"):
        pack(Run(copy), tmp_path / "out.zip")
    assert not list(tmp_path.glob("*.zip*")) + list(tmp_path.glob(".*part"))
    pack(Run(copy), tmp_path / "out.zip", as_is=True)
    assert KEY in contents(tmp_path / "out.zip")["completions.jsonl"].decode()


def test_a_key_of_this_environment_is_not_packed_even_as_is(copy, tmp_path, monkeypatch):
    monkeypatch.setenv("MY_API_KEY", OWN)
    in_a_program(copy, OWN)
    with pytest.raises(UsageError, match="looks like a key"):
        pack(Run(copy), tmp_path / "out.zip", as_is=True)


@pytest.mark.parametrize(
    "word",
    [KEY, "hf_" + "a" * 34, "ghp_" + "b" * 36, "AKIA" + "A" * 16, "Bearer " + "c" * 30, "/home/ann/x", r"C:\Users\ann"],
)
def test_well_known_forms_are_scrubbed(word):
    assert word.split("/x")[0] not in Scrub(environment={}).text(f"see {word}, please")


@pytest.mark.parametrize(
    "text", ["task-with-long-hyphenated-words-in-a-row", "0123456789abcdef" * 2, "a/home/b", "max_tokens=5", "/usr/lib"]
)
def test_common_words_are_left(text):
    assert Scrub(environment={}).text(text) == text


def test_what_ran_with_the_jail_off_does_not_run_so_elsewhere(copy, packed, tmp_path):
    file = json.loads(contents(packed)["run.json"])
    file["asked"]["jail"] = "off"
    unsafe = rewritten(packed, tmp_path / "unsafe.zip", run_dot_json=json.dumps(file).encode())
    assert unpack(unsafe, tmp_path / "out").asked.jail == "auto"


def test_a_run_that_lacks_a_sound_is_not_packed_without_it(copy, tmp_path):
    next((copy / "audio").glob("*.flac")).unlink()
    with pytest.raises(UsageError, match=r"flac is missing; .*innerear render"):
        pack(Run(copy), tmp_path / "out.zip")


def test_a_file_that_is_there_is_not_written_over(recorded_run, packed):
    with pytest.raises(UsageError, match="already exists"):
        pack(Run(recorded_run), packed)


# ---- files from strangers


@pytest.mark.parametrize(
    "name",
    ["../evil", "/tmp/evil", "audio/../../evil.flac", "audio\\..\\evil", "C:evil", "run.json/x", "report/index.html",
     "audio/" + "A" * 32 + ".flac", "completions/1.jsonl", ".hidden", "audio/"],
)  # fmt: skip
def test_a_name_that_pack_does_not_write_ends_it(name, packed, tmp_path):
    evil = rewritten(packed, tmp_path / "evil.zip")
    with zipfile.ZipFile(evil, "a") as opened:
        opened.writestr(name, b"x")
    refused(evil, "not part of a packed run", tmp_path)
    assert not (tmp_path.parent / "evil").exists()


def test_a_link_is_refused(packed, tmp_path):
    evil = rewritten(packed, tmp_path / "evil.zip", renders_dot_jsonl=None)
    info = zipfile.ZipInfo("renders.jsonl")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(evil, "a") as opened:
        opened.writestr(info, "/etc/passwd")
    refused(evil, "other than a file", tmp_path)


def test_a_name_that_comes_twice_is_refused(packed, tmp_path):
    evil = rewritten(packed, tmp_path / "evil.zip")
    with zipfile.ZipFile(evil, "a") as opened, pytest.warns(UserWarning, match="Duplicate"):
        opened.writestr("run.json", b"{}")
    refused(evil, "twice", tmp_path)


def test_a_bomb_is_refused_before_it_is_unpacked(packed, tmp_path):
    silent = {name.replace("/", "__").replace(".", "_dot_"): None for name in contents(packed) if "/" in name}
    evil = rewritten(packed, tmp_path / "evil.zip", renders_dot_jsonl=bytes(128 << 20), **silent)
    assert evil.stat().st_size < 300_000
    refused(evil, "times its size", tmp_path)


def test_a_size_that_is_lied_about_writes_no_more_than_was_said(packed, tmp_path):
    evil = rewritten(packed, tmp_path / "evil.zip", renders_dot_jsonl=bytes(8 << 20))
    data = bytearray(evil.read_bytes())
    for signature, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        place = -1
        while (place := data.find(signature, place + 1)) >= 0:
            if b"renders.jsonl" in data[place : place + 80]:
                data[place + at : place + at + 4] = struct.pack("<L", 1000)
    evil.write_bytes(data)
    refused(evil, "damaged", tmp_path)


def test_a_list_of_very_many_files_is_refused_before_it_is_read(packed, tmp_path):
    data = bytearray(packed.read_bytes())
    end = data.rfind(b"PK\x05\x06")
    data[end + 12 : end + 16] = struct.pack("<L", 1 << 30)
    (tmp_path / "evil.zip").write_bytes(data)
    refused(tmp_path / "evil.zip", "lists more than", tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_file_that_is_cut_short_is_one_clear_line(share, packed, tmp_path):
    data = packed.read_bytes()
    (tmp_path / "cut.zip").write_bytes(data[: int(len(data) * share)])
    refused(tmp_path / "cut.zip", "truncated", tmp_path)


def test_a_file_with_a_flipped_byte_is_one_clear_line(packed, tmp_path):
    data = bytearray(packed.read_bytes())
    with zipfile.ZipFile(packed) as opened:
        data[opened.getinfo("completions.jsonl").header_offset + 60] ^= 0xFF
    (tmp_path / "bad.zip").write_bytes(data)
    refused(tmp_path / "bad.zip", "truncated or damaged", tmp_path)


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    refused(tmp_path / "none.zip", "No such file", tmp_path)


def test_a_row_that_reaches_out_of_the_folder_is_refused(packed, tmp_path):
    for stage, field, value, says in (
        ("renders", "audio", "../../../etc/passwd", "hexadecimal"),
        ("completions", "recording", "../../secret.wav", "within the data"),
        ("completions", "recording", "/etc/shadow", "within the data"),
        ("completions", "recording", 'espeak-ng:{"duration_s":1.0,"text":"not what a probe asks"}', "within the data"),
        ("completions", "recording", 'fluidsynth:{"midi":"4d546864","soundfont":"FluidR3_GM.sf2"}', "within the data"),
    ):
        evil = with_rows(packed, tmp_path / "evil.zip", stage, lambda row, f=field, v=value: {**row, f: v})
        refused(evil, says, tmp_path)


def test_what_a_tool_says_for_a_baseline_is_packed_and_unpacked(tmp_path):
    from innerear import RunConfig, choose, create, evaluate, load, open_model
    from innerear.render.talkers import can_say

    if not can_say("espeak-ng"):
        pytest.skip("espeak-ng is not installed")
    suite = load("1")
    asked = RunConfig(models=["baseline/espeak-ng"], suite=suite.name, suite_digest=suite.digest, embedders=["mel"])
    run = create(tmp_path / "said", asked, choose(suite.probes, pattern="speech/word/yes"), command="a test")
    evaluate(run, [open_model("baseline/espeak-ng")])
    pack(run, tmp_path / "said.zip")
    assert [item.render.audio for item in unpack(tmp_path / "said.zip", tmp_path / "again").items()] == [
        item.render.audio for item in run.items()
    ]


def test_a_row_that_is_none_is_named_with_its_line(packed, tmp_path):
    evil = rewritten(packed, tmp_path / "evil.zip", renders_dot_jsonl=b'{"key": 1}\n')
    refused(evil, r"renders.*line 1", tmp_path)


def test_a_sound_that_is_not_as_its_row_says_is_refused(packed, tmp_path):
    evil = with_rows(
        packed, tmp_path / "evil.zip", "renders", lambda row: {**row, "samples": 5} if row.get("audio") else row
    )
    refused(evil, "its row says", tmp_path)


def test_a_sound_that_is_not_packed_is_refused(packed, tmp_path):
    name = next(name for name in contents(packed) if name.endswith(".flac"))
    evil = rewritten(packed, tmp_path / "evil.zip", **{name.replace("/", "__").replace(".", "_dot_"): None})
    refused(evil, "missing", tmp_path)


def test_embeddings_that_would_take_very_much_memory_are_refused(packed, tmp_path):
    name = next(name for name in contents(packed) if name.endswith(".npz"))
    bomb = tmp_path / "bomb.npz"
    np.savez_compressed(bomb, frames=np.zeros((1 << 27,), np.uint8))
    evil = rewritten(
        packed, tmp_path / "evil.zip", **{name.replace("/", "__").replace(".", "_dot_"): bomb.read_bytes()}
    )
    refused(evil, "would expand to", tmp_path)


def test_names_that_are_markup_are_printed_as_they_are(packed, tmp_path):
    hostile = "[/red]\x1b[2J[bold]<b>x"
    file = json.loads(contents(packed)["run.json"])
    file["asked"]["models"][0] = hostile
    evil = rewritten(packed, tmp_path / "evil.zip", run_dot_json=json.dumps(file).encode())
    evil = with_rows(
        evil, tmp_path / "evil2.zip", "completions",
        lambda row: {**row, "model": hostile} if row["model"] == "recorded/one-shot" else row,
    )  # fmt: skip
    unpack(evil, tmp_path / "out")
    done = CliRunner().invoke(main, ["score", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "[/red]" in done.output
    assert "\x1b" not in done.output
