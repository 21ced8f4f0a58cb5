"""The image of the container tiers, built and attacked for real in podman; and what its builder refuses."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from jail_attacks import ATTACKS, SHORT
from jail_world import REFERENCE, World, verdict

from innerear.cli.main import main
from innerear.errors import JailUnavailable, UsageError
from innerear.jail import container, image, open_jail, tiers
from innerear.records import Limits

TAG = f"innerear-jail-tested-{os.getpid()}"


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The engine, set up to need neither systemd nor crun; and the image, built from this interpreter."""
    if sys.platform != "linux" or not shutil.which("podman"):
        pytest.skip("podman is not installed")
    if tiers._lacks("ll")[0]:
        pytest.skip(f"containers need the tier ll inside: {tiers._lacks('ll')[0]}")
    settings = tmp_path_factory.mktemp("podman") / "containers.conf"
    runtime = next(filter(shutil.which, ("crun", "runc")), "crun")
    settings.write_text(f'[engine]\nruntime = "{runtime}"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTAINERS_CONF", str(settings))
        patch.setenv(container.IMAGE, TAG)
        built = CliRunner().invoke(main, ["jail", "build-image", "--engine", "podman", "--base", "host", "--tag", TAG])
        assert built.exit_code == 0, built.output
        assert "withstands the self-test" in built.output
        yield "podman"
        subprocess.run(["podman", "rmi", "--force", TAG], capture_output=True, check=True)


def inside(jail: container.ContainerJail) -> int:
    """How many processes the container of this jail has."""
    (name,) = (word.removeprefix("--name=") for word in jail._command if word.startswith("--name="))
    asked = ["podman", "inspect", "--format", "{{.State.Pid}}", name]
    first = Path("/proc", subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip(), "ns/pid")
    found = 0
    for entry in Path("/proc").glob("[0-9]*/ns/pid"):
        with contextlib.suppress(OSError):
            found += entry.readlink() == first.readlink()
    return found


@pytest.mark.slow
@pytest.mark.xdist_group("container")
def test_every_attack_fails_in_a_container(podman):
    world = World()
    literals = world.literals(jailed=True)
    within = {"PACKAGE": "/opt/innerear/innerear", "FOLDERS": ["/opt/innerear", *literals["FOLDERS"]]}
    world.literals = lambda jailed: literals | within  # type: ignore[method-assign]
    attacks = [attack for attack in ATTACKS if attack.limits != SHORT]  # those only wait for a limit of `ll`
    with contextlib.closing(world), contextlib.closing(open_jail(podman)) as jail:
        for imports in ("scipy", "numpy"):
            jail.run(f"# {imports}", Limits())
        clip = jail.run(REFERENCE, Limits()).clip
        assert clip is not None
        at_rest = inside(jail)
        broken = {attack.id: found for attack in attacks if (found := verdict(jail, world, attack, clip.samples, 0))}
        time.sleep(0.3)
        assert broken == {}
        assert inside(jail) == at_rest, "processes are left"
    assert len(attacks) > 270


@pytest.mark.slow
@pytest.mark.xdist_group("container")
def test_a_program_makes_the_same_sound_in_the_image(podman):
    program = """
import numpy as np
from scipy.io import wavfile
from scipy.signal import butter, lfilter
noise = np.random.default_rng().normal(0, 0.1, 8000)
wavfile.write("output.wav", 8000, lfilter(*butter(4, 900, fs=8000), noise).astype(np.float32))
"""
    with contextlib.closing(open_jail(podman)) as contained, contextlib.closing(open_jail("ll")) as here:
        one, two = contained.run(program, Limits()).clip, here.run(program, Limits()).clip
        assert contained.facts["tier"] == "podman"
        assert contained.facts["inside"]["python"] == here.facts["python"]
    np.testing.assert_array_equal(one.samples, two.samples)


@pytest.mark.slow
@pytest.mark.xdist_group("container")
def test_a_killed_host_leaves_no_container(podman):
    code = """
from innerear.jail import open_jail
jail = open_jail("podman")
print(" ".join(jail._command), flush=True)
jail.run("while True: pass", __import__("innerear.records").records.Limits(cpu_s=3, wall_s=4))
"""
    host = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert host.stdout is not None
    (name,) = (word for word in host.stdout.readline().split() if word.startswith("--name="))
    time.sleep(0.5)
    asked = ["podman", "ps", "--quiet", "--filter", f"name={name.removeprefix('--name=')}"]
    assert subprocess.run(asked, capture_output=True, text=True).stdout.strip()
    host.send_signal(signal.SIGKILL)
    host.wait()
    host.stdout.close()
    deadline = time.monotonic() + 10
    while running := subprocess.run(asked, capture_output=True, text=True).stdout.strip():
        assert time.monotonic() < deadline, running
        time.sleep(0.2)


@pytest.mark.slow
@pytest.mark.xdist_group("container")
def test_an_image_that_is_missing_is_refused_with_the_command_that_builds_it(podman, monkeypatch):
    monkeypatch.setenv(container.IMAGE, "localhost/innerear-nothing")
    monkeypatch.setattr(tiers, "_passed", {})
    with pytest.raises(JailUnavailable, match="innerear-nothing") as refusal:
        open_jail(podman)
    assert "innerear jail build-image" in refusal.value.fix


@pytest.mark.parametrize(
    ("says", "refusal"),
    [
        ("3 10 x86_64 glibc 2.31", "Python 3.10, wanted 3.11"),
        ("3 12 x86_64", "no Python with glibc"),
        ("", "no Python with glibc"),
    ],
)
def test_a_base_that_wheels_do_not_fit_is_refused(tmp_path, monkeypatch, says, refusal):
    engine = tmp_path / "podman"
    engine.write_text(f"#!/bin/sh\necho {says}\n")
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(UsageError, match=refusal):
        image.build("podman", "some/base", "never")


def test_an_engine_that_is_missing_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(main, ["jail", "build-image"])
    assert result.exit_code == 2
    assert "neither docker nor podman" in result.output


def test_what_the_image_is_made_of_is_code_only(tmp_path):
    image._copy(Path(image.__file__).parents[1], tmp_path / "innerear", only=image._is_code)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".py"}
    assert (tmp_path / "innerear/jail/serve.py").exists()
