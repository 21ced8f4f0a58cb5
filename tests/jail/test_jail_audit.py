"""Provenance: what hides from a reader is named while it runs, and honest programs are left alone."""

import json
import sys
from collections.abc import Iterator
from types import CodeType

import numpy as np
import pytest
from provenance_programs import DISGUISES, EMBEDDED, HIDDEN, HONEST, RECORDING, SOUND

from innerear.errors import JailUnavailable
from innerear.jail import open_jail
from innerear.jail.base import Jail
from innerear.jail.inside import audit
from innerear.programs.extract import extract
from innerear.programs.guard import MOST_CONTENT, content, violation
from innerear.records import Limits, Outcome, Program
from innerear.render.render import render_all

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="jails are Linux's")
LIMITS = Limits(cpu_s=30, wall_s=60)


def each(programs: dict[str, str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("code", programs.values(), ids=programs.keys())


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    try:
        jail = open_jail("auto")
    except JailUnavailable as error:
        pytest.skip(str(error))
    yield jail
    jail.close()


@pytest.fixture(scope="module")
def bare() -> Iterator[Jail]:
    try:
        jail = open_jail("ll")
    except JailUnavailable as error:
        pytest.skip(str(error))
    yield jail
    jail.close()


@each(EMBEDDED)
def test_a_recording_in_the_text_is_named_in_whatever_form(code):
    found = violation(code)
    assert found is not None
    assert found.kind.startswith(("embedded audio", "packed data"))


@pytest.mark.parametrize("name", ["identifiers", "docstring", "comments-by-linecache", "signs", "chinese"])
def test_the_embedded_recordings_are_real(jail, name):
    ran = jail.run(EMBEDDED[name], LIMITS)
    assert ran.clip is not None, ran
    assert (ran.clip.samples[0] * 128 + 128).astype(np.uint8).tobytes() == RECORDING


@each(HIDDEN)
def test_what_python_would_read_differently_is_not_read_as_innocent(code):
    found = violation(code)
    assert found is not None
    assert found.kind.startswith("code that cannot be read")


def test_the_text_that_runs_is_the_text_that_was_read(jail):
    code = "# -*- coding: utf-7 -*-\nx = '+AOk-'\nprint(ascii(x))\n"
    assert jail.run(code, LIMITS).log == "'+AOk-'\n"


@each(DISGUISES)
def test_what_hides_from_a_reader_is_named_while_it_runs(jail, code):
    ran = jail.run(code, LIMITS)
    assert ran.outcome is Outcome.PROVENANCE, ran
    assert ran.clip is None
    assert ", line " in ran.reason or ran.reason.endswith(", when the program had ended")


@each(HONEST)
def test_honest_programs_pass_the_guard_and_make_their_sound(jail, code):
    assert violation(code) is None
    ran = jail.run(code, LIMITS)
    assert ran.outcome is Outcome.OK, (ran.reason, ran.log)


def test_the_reason_shows_the_line_that_asked_for_it(jail):
    code = "import os\n\ndef play(say=vars(os)['sys' + 'tem']):\n    return say('espeak hi')  # now\n\nplay()\n"
    assert jail.run(code, LIMITS).reason == "another process, line 4: return say('espeak hi') # now"


def test_a_line_asked_by_a_callback_of_a_library_is_that_of_the_callback(jail):
    code = "from scipy.optimize import brentq\ndef f(x):\n    open(chr(47) + 'etc/passwd')\nbrentq(f, -1, 1)\n"
    assert jail.run(code, LIMITS).reason == "a file is read, line 3: open(chr(47) + 'etc/passwd')"


def test_a_violation_while_it_runs_gives_the_row_that_the_guard_gives(tmp_path, jail):
    rows = []
    code = f"o = open\no('/etc/passwd'){SOUND}"
    assert violation(code) is None
    render_all([Program(code)], rows.append, tmp_path, LIMITS, open_jail=open_jail)
    assert [(row.outcome, row.reason, row.audio) for row in rows] == [
        (Outcome.PROVENANCE, "a file is read, line 2: o('/etc/passwd')", None)
    ]


def test_the_library_track_is_watched_for_code_from_text_alone(jail):
    library = open_jail("auto", "library")
    made = library.run("vars(__builtins__)['ex' + 'ec']('1')", LIMITS)
    assert (made.outcome, made.reason.partition(",")[0]) == (Outcome.PROVENANCE, "code that cannot be read")
    free = "import ctypes, timeit\nctypes.CDLL(None)\ntimeit.timeit('1', number=1)\n"
    assert library.run(free + SOUND, LIMITS).outcome is Outcome.OK
    library.close()


def test_our_own_attacks_are_not_watched(jail):
    assert jail.run(f"exec('import ctypes; ctypes.CDLL(None)'){SOUND}", LIMITS, audited=False).outcome is Outcome.OK


@pytest.mark.parametrize("name", ["output-read-back", "output-read-back-by-path", "a-distribution", "a-missing-cache"])
def test_honest_programs_make_their_sound_without_namespaces(bare, name):
    ran = bare.run(HONEST[name], LIMITS)
    assert ran.outcome is Outcome.OK, (ran.reason, ran.log)


@pytest.mark.parametrize("name", ["open-upwards", "system-at-exit", "exec-by-subclasses", "native-of-numpy"])
def test_what_hides_is_named_without_namespaces(bare, name):
    assert bare.run(DISGUISES[name], LIMITS).outcome is Outcome.PROVENANCE


def functions_of(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from functions_of(constant)


def test_the_hook_looks_up_no_name_that_a_program_could_replace():
    import dis

    inside = list(functions_of(audit.install.__code__))
    assert len(inside) > 10
    looked_up = {
        (code.co_name, step.argval)
        for code in inside
        for step in dis.get_instructions(code)
        if step.opname.startswith(("LOAD_GLOBAL", "LOAD_NAME", "IMPORT"))
    }
    assert not looked_up


@pytest.mark.parametrize("name", ["one-shot", "plan", "attempts", "edition-2", "short-12"])
def test_no_recorded_program_is_called_foreign(shared, name):
    lines = (shared / "recordings" / f"{name}.jsonl").read_text().splitlines()
    codes = [code for line in lines if (code := extract(json.loads(line)["text"]).code)]
    assert len(codes) == len(lines)
    assert [str(found) for code in codes if (found := violation(code))] == []
    assert max(map(content, codes)) < 0.7 * MOST_CONTENT
