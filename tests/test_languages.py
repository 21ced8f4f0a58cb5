"""Programs in other languages than Python: how they are asked for, found in replies, guarded and told apart."""

import json
import lzma
import random
import time
from importlib import resources
from pathlib import Path

import msgspec
import pytest

from innerear import RunConfig, create, load, open_model, plugins, stages
from innerear.ask.generate import Request, check_languages, generate
from innerear.ask.models.recorded import problems, recording
from innerear.ask.strategies import STRATEGIES, find_strategy
from innerear.ask.strategies.feedback import explained, printed
from innerear.errors import JailUnavailable, UsageError
from innerear.jail import open_jail, tools
from innerear.languages import LANGUAGES, full_name, language_of
from innerear.programs.bank import bank
from innerear.programs.extract import extract
from innerear.programs.guard import guarded, violation
from innerear.programs.tokens import balanced, tokens
from innerear.records import Completion, Limits, Outcome, Program, Render
from innerear.run.keys import render_key, runtime
from innerear.run.run import Run, program_of
from innerear.sharing.compare import compare
from innerear.suite import edition

PROBES = {probe.id: probe for probe in edition("1").probes}
SINE = PROBES["notes/waveform/sine-440"]
OTHERS = ("csound", "faust", "javascript")
HEX = random.Random(15).randbytes(16_000).hex()  # two seconds of sound at 8 kHz and 8 bits


def recorded(name):
    data = (resources.files("innerear.ask.models") / "recordings" / f"{name}.jsonl.xz").read_bytes()
    return [json.loads(line) for line in lzma.decompress(data).splitlines()]


RECORDED = [row for name in ("csound", "javascript") for row in recorded(name)]

CSOUND = """\
<CsoundSynthesizer>
<CsOptions>
-W -d
</CsOptions>
<CsInstruments>
sr = 44100
instr 1
  out oscili(0.3, 440)
endin
</CsInstruments>
<CsScore>
i 1 0 2
</CsScore>
</CsoundSynthesizer>
"""
JAVASCRIPT = """\
const fs = require('fs');
const sound = Buffer.alloc(44);
fs.writeFileSync('output.wav', sound);
"""
FAUST = """\
import("stdfaust.lib");
declare duration "2";
process = os.osc(440) * 0.3;
"""
WHOLE = {"csound": CSOUND, "javascript": JAVASCRIPT, "faust": FAUST}


# Names and requests


def test_a_strategy_names_its_language():
    assert [find_strategy(name).language for name in ("direct", "direct@csound", "best-of:3@javascript")] == [
        "python", "csound", "javascript",
    ]  # fmt: skip
    assert find_strategy("repair:2@python").name == "repair:2", "Python has one name"
    assert find_strategy("best-of:3@faust").draws == 3


def test_an_unknown_language_is_one_line_with_those_that_there_are():
    with pytest.raises(UsageError, match=r"no language 'csuond'; there are python, csound, .*; did you mean 'csound'"):
        find_strategy("direct@csuond")
    with pytest.raises(UsageError, match="no language ''"):
        find_strategy("direct@")


def only_python(probe):
    return (yield from find_strategy("direct")(probe))


def in_any(probe, *, language="python"):
    return (yield from find_strategy(full_name("direct", language))(probe))


def test_a_plug_in_asks_in_another_language_if_it_takes_one():
    plugins.use(f"python:{__name__}.only_python", f"python:{__name__}.in_any")
    with pytest.raises(UsageError, match="only_python asks for Python only; a plug-in with a parameter `language`"):
        find_strategy(f"python:{__name__}.only_python@csound")
    way = find_strategy(f"python:{__name__}.in_any@csound")
    assert way.opening(SINE) == find_strategy("direct@csound").opening(SINE)


def test_the_requests_are_those_of_the_recordings_word_for_word():
    assert len(RECORDED) == 48
    for row in RECORDED:
        sent = find_strategy(full_name("direct", row["language"])).opening(PROBES[row["probe"]])
        assert msgspec.to_builtins(sent) == row["messages"]
    assert problems("csound", PROBES) == problems("javascript", PROBES) == [NOT_SAID]


NOT_SAID = 'the first line does not say where it comes from: {"about": {"model": …, "date": …, "parameters": …}}'


@pytest.mark.parametrize("language", OTHERS)
def test_the_page_shows_what_is_sent(language):
    page = (Path(__file__).parents[1] / "docs" / "languages.md").read_text("utf-8")
    for message in find_strategy(full_name("direct", language)).opening(SINE):
        assert f"````text\n{message.content}\n````" in page


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("kind", [name for name in STRATEGIES if name != "few-shot"])
def test_every_strategy_asks_for_the_language_and_never_for_python(kind, language):
    name = f"{kind}:2" if STRATEGIES[kind].parameter else kind
    conversation = find_strategy(full_name(name, language))(SINE)
    asked = next(conversation).messages
    if kind == "plan":
        asked = conversation.send("a sine").messages
    words = " ".join(message.content for message in asked)
    assert LANGUAGES[language].title in words
    assert "Python" not in words
    assert "2 seconds" in words or 'declare duration "2"' in words


def test_a_repair_in_another_language_sends_its_words_back():
    row = Program(None)
    conversation = find_strategy("repair:1@csound")(SINE)
    next(conversation)
    step = conversation.send(f"```csound\n{CSOUND}```")
    assert step.program == Program(CSOUND, language="csound")
    last = conversation.send(Render("k", row.digest, Outcome.ERROR, "Csound: line 8: no such opcode", "")).messages[-1]
    assert last.content.endswith("one complete Csound file (.csd) in a single fenced code block, and nothing else.")


def test_what_is_sent_back_says_why_and_no_more():
    log = """
error: syntax error, unexpected T_OPCODE  (token "atone")
 from file program.csd (1), line 8:
 >>>   atone <<<
Parsing failed due to invalid input!
Stopping on parser failure
cannot compile orchestra
end of score.\t\t   overall amps:      0.0
1 errors in performance
"""
    row = Render("k", "d", Outcome.ERROR, 'syntax error, unexpected T_OPCODE  (token "atone"), line 8: atone', log)
    assert printed(row.log, "csound").split("\n") == log.split("\n")[1:5]
    code = CSOUND.replace("  out oscili(0.3, 440)", "  atone = oscili(0.3, 440)")
    assert explained(row, code, "csound").split("\n") == [
        "Line 8 of the program: atone = oscili(0.3, 440)",
        "`atone` is the name of an opcode or a reserved word of Csound: a variable needs another name.",
    ]
    assert explained(row, code, "python") == "", "a traceback quotes its lines"
    stack = (
        "program.js:2\nx.y\n\nError: no x\n    at f (program.js:2:1)\n    at load (node:internal/m:1)\n\nNode.js v20"
    )
    assert printed(f"{stack}.1.0\n", "javascript").endswith("Error: no x\n    at f (program.js:2:1)")
    assert printed(log, "python") == log.strip(), "in Python nothing is left out"


# Keys


def test_keys_of_python_runs_have_not_moved():
    # As in a run of version 0.1.0 with these versions.
    asked = RunConfig(models=["recorded/one-shot"])
    assert (asked.strategies, asked.languages) == (["direct"], ["python"])
    model = open_model("recorded/one-shot")
    key = Request(model, SINE, find_strategy("direct"), 0, None).key()
    assert key == "705c5dd0a630e2eea275ff21bbbca9bd"
    program = Program("x = 1\n", duration_s=2.0)
    assert program.digest == Program("x = 1\n", language="python").digest == "d0ffee0e8e86a3eb782be03713a9ab6e"
    versions = {"python": "3.11.7", "numpy": "2.4.6", "scipy": "1.17.1"}
    assert render_key(program, Limits(), 0, versions) == "b08e6ccd406682d6f8947939f3aba78f"
    assert "language" not in json.loads(msgspec.json.encode(program))


def test_the_language_is_part_of_every_key():
    programs = [Program("x = 1\n", language=language) for language in LANGUAGES]
    assert len({program.digest for program in programs}) == len(LANGUAGES)
    assert "numpy" not in runtime("csound")
    csound = Program("x", language="csound")
    assert render_key(csound, Limits(), 0, {"csound": "6.18"}) != render_key(csound, Limits(), 0, {"csound": "6.19"})
    assert Program(None, language="csound").digest == Program(None).digest, "what has no code has no language"


def test_a_baseline_answers_in_python_whatever_is_asked():
    row = Completion("k", SINE.id, "baseline/noise", "direct@csound", 0, [], "```python\nx = 1\n```")
    assert program_of(row, SINE) == Program("x = 1\n", duration_s=SINE.duration_s)
    row = msgspec.structs.replace(row, model="recorded/csound")
    assert (row.language, program_of(row, SINE).code) == ("csound", None)


def test_a_run_takes_the_language_from_the_name_of_its_strategy():
    asked = RunConfig(models=[], strategy="repair:1@csound")
    assert (asked.strategy, asked.strategies) == ("repair:1", ["repair:1@csound"])
    assert RunConfig(models=[], languages=["python", "faust"]).strategies == ["direct", "direct@faust"]
    with pytest.raises(UsageError, match="'direct@csound' names a language already"):
        RunConfig(models=[], strategy="direct@csound", languages=["faust"])


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """The completions of the three recordings at two probes, each in its own language."""
    suite = load("1")
    probes = [probe for probe in suite.probes if probe.id in ("notes/chord/c-major", "environment/animals/dog")]
    models = ["recorded/one-shot", "recorded/csound", "recorded/javascript"]
    folder = tmp_path_factory.mktemp("languages") / "three"
    for languages in (["python"], ["csound", "javascript"]):  # a second command adds languages
        asked = RunConfig(models=models, languages=languages, suite=suite.name, suite_digest=suite.digest)
        run = create(folder, asked, probes, "test")
    stages.generate(run, [open_model(name) for name in models])
    return Run(folder)


def test_recordings_answer_in_their_own_language_and_skip_the_others(three):
    assert three.asked.languages == ["python", "csound", "javascript"]
    found = {(row.model, row.strategy, row.language) for row in three.completions()}
    assert found == {
        ("recorded/one-shot", "direct", "python"),
        ("recorded/csound", "direct@csound", "csound"),
        ("recorded/javascript", "direct@javascript", "javascript"),
    }
    assert all(program.language == language_of(row.strategy) for row, program in rows_and_programs(three))


def rows_and_programs(run):
    return [(item.completion, item.program) for item in run.items()]


def test_a_recording_in_no_asked_language_is_one_line(three):
    asked = msgspec.structs.replace(three.asked, languages=["faust"])
    with pytest.raises(
        UsageError, match=r"recorded/csound has programs in Csound, not in Faust: add --language csound"
    ):
        check_languages([open_model("recorded/csound")], asked.languages)


def test_a_recording_of_several_languages_keeps_each(three, tmp_path):
    file = tmp_path / "three.jsonl"
    file.write_bytes(b"\n".join(recording(three.completions())))
    model = open_model(f"recorded/{file}")
    assert model.languages == {"python", "csound", "javascript"}
    assert [json.loads(line).get("language") for line in file.read_bytes().splitlines()] == [
        None, None, "csound", "csound", "javascript", "javascript",
    ]  # fmt: skip
    kept = []
    for strategy in three.asked.strategies:
        assert not generate(three.probes, [model], strategy, keep=kept.append)
    assert {row.text for row in kept} == {row.text for row in three.completions()}


# Extraction


@pytest.mark.parametrize("row", RECORDED, ids=lambda row: f"{row['language']}-{row['probe']}")
def test_every_recorded_program_is_found_whole_and_allowed(row):
    language, text = row["language"], row["text"]
    program = extract(text, language)
    assert program.code == text.split("\n", 1)[1].removesuffix("```\n")
    assert program.language == language
    assert not guarded(program).violation
    assert extract(program.code, language) == program, "the whole reply is the program"
    assert extract(f"<think>```\nx\n```</think>{text}", language) == program


@pytest.mark.parametrize("language", OTHERS)
def test_every_reference_program_is_found_and_allowed_and_shown(language):
    programs = bank(language)
    assert programs
    for shown in programs:
        for text in (shown.code, f"```{LANGUAGES[language].tags[0]}\n{shown.code}```"):
            assert guarded(extract(text, language)) == Program(shown.code, language=language), shown.probe.id
    opening = find_strategy(full_name("few-shot:2", language)).opening(SINE)
    assert [message.role for message in opening] == ["system", *("user", "assistant") * 2, "user"]
    assert {extract(opening[place].content, language).code for place in (2, 4)} <= {shown.code for shown in programs}
    assert "Python" not in "".join(message.content for message in opening)


@pytest.mark.parametrize("language", OTHERS)
def test_a_program_is_found_however_the_reply_is_written(language):
    code, tag = WHOLE[language], LANGUAGES[language].tags[-1]
    python = "```python\nimport wave\nwave.open('output.wav', 'wb')\n# and more, and more, and more, and more\n```\n"
    older = code.replace("440", "220").replace("44)", "22)")
    for text in (
        code,
        f"```{tag}\n{code}```",
        f"Here it is:\n\n```\n{code}```\nEnjoy.",
        f"~~~{tag.upper()}\n{code}~~~",
        f"{python}The same in another language:\n```{tag}\n{code}```\n",
        f"```{tag}\n{code}```\nAnd in Python:\n{python}",
        f"```{tag}\n{older}```\nNo, better:\n```{tag}\n{code}```",
        f"```{tag}\n{code}```\nRun it:\n```bash\nplay output.wav\n```",
        f"```{tag}\n{code}",
        f"```xml\n{code}```",
        f"<think>First:\n```{tag}\n{older}```\n</think>```{tag}\n{code}```",
    ):
        assert extract(text, language) == Program(code, language=language), text
    assert extract(python, language).reason == f"no code block in {LANGUAGES[language].title}, only in python"
    assert extract("I cannot.", language).reason == "no code block in the reply"


def test_a_program_that_is_cut_off_is_still_the_program():
    assert extract("```csound\n<CsoundSynthesizer>\n<CsInstr\n```", "csound").code == "<CsoundSynthesizer>\n<CsInstr\n"
    assert extract("```js\nconst x = [1, 2\n```", "javascript").code == "const x = [1, 2\n"


HOSTILE = [
    "<CsoundSynthesizer><CsInstruments></CsInstruments>" * 2000, "<CsOptions>" * 9000, "/*" * 50_000, '"' * 50_000,
    "`${" * 30_000, "/[" * 20_000, "/" * 100_000, "ftgen " * 15_000, "#define a #" * 9000, "#define" + " " * 90_000,
    "#define a #" + "$a " * 1000 + "#\n$a", "const fs = require('fs') // output.wav\n" + "f([1], 'base64')," * 5000,
    "import " * 14_000, "process = " + "a" * 90_000, " " * 90_000 + "x", "<CsScore>" + "f 1 0 0 1 " * 9000,
    "{" * 90_000, "$A(" * 30_000, "'use strict'\n" * 8000,
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("language", OTHERS)
def test_hostile_text_takes_no_time(language):
    for text in HOSTILE:
        began = time.process_time()
        extract(text, language)
        violation(text, language=language)
        assert time.process_time() - began < 5, text[:40]


# The guard

FOREIGN = {
    "csound": {
        "another process": ['i1 system 1, "espeak hi"', "ires system_i 1, {{\nls\n}}", "x = system:i(1, Sx)",
                            '#define S #sys#\n#define T #tem#\ni1 $S.$T. 1, "ls"',
                            "#define RUN(a'b) #$a.$b.#\ni1 $RUN(sys'tem) 1, Sx",
                            '<CsScore bin="python3">\nimport os\n</CsScore>', "; a /*\ni1 system 1, Sx\n; */",
                            '#define X #"#\ni1 system 1, $X;"'],
        "network": ['OSCsend 1, "127.0.0.1", 7770, "/f", "i", 1', 'k1 OSClisten ih, "/a", "f", k2',
                    'a1 sockrecv 8000, 1024', "<CsOptions>\n--port=9999\n</CsOptions>"],
        "a file is read": ['a1 diskin2 "bark.wav", 1', "a1 diskin Sname", 'a1 = diskin:a("x.wav")', 'a1 soundin 1',
                           'a1, a2 mp3in "x.mp3"', 'gi1 ftgen 0, 0, 0, 1, "bark.wav", 0, 0, 0',
                           'gi1 ftgen 0, 0, 0, -1, Sname, 0, 0, 0', 'gi1 ftgen 1, 0, 0, 23, "numbers.txt"',
                           "<CsScore>\nf 1 0 0 1 \"bark.wav\" 0 0 0\n</CsScore>",
                           "<CsScore>\nf1 0 0 -1 5 0 0 0\n</CsScore>",
                           'event_i "f", 1, 0, 0, 1, "bark.wav", 0, 0, 0',
                           'scoreline_i {{\nf 1 0 0 1 "bark.wav" 0 0 0\n}}',
                           '#include "other.orc"', 'ftload "t.txt", 1, 2', 'fin "x.wav", 0, 0, a1',
                           'a1 pvoc k1, 1, "x.pvx"', 'a1 convolve a2, "hall.cv"', 'fsig pvsdiskin "x.pvx", 1, 1',
                           "<CsOptions>\n-i bark.wav\n</CsOptions>", "k1 lpread kt, Sx", "ilen filelen Sx"],
        "code that cannot be read": ['i1 compilestr "..."', 'i1 evalstr {{return 1}}', 'pyruni "import os"',
                                     "pyinit", 'lua_exec {{os.execute("ls")}}',
                                     "<CsOptions>\n--opcode-lib=x.so\n</CsOptions>"],
        "another file is written": ['fout "other.wav", 14, a1'],
        "packed data": ['<CsFileB filename="x.wav">\nUklGR\n</CsFileB>',
                        "<CsSampleB filename=1>\nUklGR\n</CsSampleB>"],
        "embedded audio": [f"; {HEX}", f'Sx = "{HEX}"'],
    },
    "javascript": {
        "another process": ["const { execSync } = require('child_process');", "require(\"node:child_process\")",
                            "import { Worker } from 'node:worker_threads';", "import cluster from 'cluster';",
                            "const c = 'child_process'", "const x = `child_process`",
                            "const r = process.mainModule; r.require('child\\x5fprocess')"],
        "network": ["const http = require('http')", "import net from 'net'", "fetch('https://a.b')",
                    "globalThis.fetch('x')", "await fetch(u)", "new WebSocket(u)", "import dgram from 'node:dgram'"],
        "a file is read": ["const fs = require('fs'); const b = fs.readFileSync('/usr/share/bark.wav')",
                           "const F = './bark.wav'; fs.readFile(F, f)", "fs.createReadStream('a.wav')",
                           "fs.promises.readFile(\"x\")",
                           "const { readFileSync } = require('fs');\nreadFileSync('a.wav')",
                           "const { readFileSync: r } = require('fs');\nr('a.wav')", "const r = fs.readFileSync;\nr(x)",
                           "fs['readFileSync']('a.wav')", "fs.openSync('a.wav')", "fs.openSync('a.wav', 'r')",
                           "fs.readFileSync.bind(fs)('a.wav')"],
        "code that cannot be read": ["eval('1')", "const e = eval; e(x)", "new Function('return 1')()",
                                     "Function('x')()", "(() => {}).constructor('return process')()",
                                     "[]['constructor']['constructor']('x')()", "[].map.constructor(x)",
                                     "import(name)", "require(name)", "const r = require; r('net')",
                                     "process.binding('spawn_sync')", "process['binding']('fs')",
                                     "process.dlopen(m, './a.node')", "globalThis['ev' + 'al']('1')",
                                     "module.constructor._load(x)", "WebAssembly.compile(b)", "\\u0065val('1')",
                                     "process.getBuiltinModule(m)", "require('vm')", "require('module')",
                                     "x = a++ / b; eval('1'); y = c / 2", "`${eval('1')}`", "`a ${`b ${eval(x)}`} c`",
                                     "/* */ eval /* */ ('1')", "require.cache", "// a\u2028eval('1')"],
        "an import beyond those allowed": ["require('tone')", "import wav from 'node-wav'", "require('path')",
                                           "import 'web-audio-api'", "await import('wavefile')"],
        "packed data": ["Buffer.from('UklGR', 'base64')", "atob('aaaa')", "Buffer.from(s, \"hex\")",
                        "Uint8Array.fromBase64(s)", "buf.write('00ff', 'hex')", "require('zlib')"],
        "text-to-speech": ["const say = require('say')", "speechSynthesis.speak(u)"],
        "embedded audio": [f"const x = '{HEX}';", f"// {HEX}"],
    },
    "faust": {
        "a file is read": ['x = soundfile("s[url:{\'bark.wav\'}]", 1);', 'import("/etc/passwd");',
                           'l = library("other.lib");', 'c = component("../x.dsp");', 'import("soundfiles.lib");'],
        "foreign code": ['f = ffunction(float sinh(float), <math.h>, "");', 'c = fconstant(int fx, <math.h>);',
                         'v = fvariable(int count, <math.h>);'],
        "embedded audio": [f"// {HEX}"],
    },
}  # fmt: skip

OWN = {
    "csound": ["asystem = 3", 'prints "system is fine\\n"', "; diskin2 is not used", "/* system */ a1 noise 1, 0",
               "fin pvsanal a1, 1024, 256, 1024, 1\nfout pvscale fin, 1.5\na2 pvsynth fout",
               'fout "output.wav", 14, a1',
               "gi1 ftgen 0, 0, 8192, 10, 1, 0.5", "gi1 ftgen 0, 0, 0, -2, 1, 2, 3",
               'gi1 ftgen 0, 0, 256, "tanh", -5, 5, 0',
               "opcode convolve, a, a\na1 xin\nxout a1\nendop\na2 convolve a1",
               "<CsScore>\nf 1 0 8192 10 1\ni 1 0 2\n</CsScore>",
               "#define TWOPI #6.283#\nx = $TWOPI * 2", "schedule 1, 0, 1", "scoreline_i {{ i 1 0 1 }}",
               "<CsOptions>\n-o output.wav -W -d -m0 -odac\n</CsOptions>"],
    "javascript": [JAVASCRIPT, "import fs from 'fs';", "import { writeFileSync } from 'node:fs';",
                   "const { writeFileSync } = require(\"node:fs\");", "class A { constructor() { this.x = 1; } }",
                   "const b = fs.readFileSync('output.wav');", "// eval('1')\nconst s = 'eval';",
                   "const x = {eval: 1};",
                   "if (require.main === module) main();", "const re = /['`]/.test(s);",
                   "function fetch(t) { return t; }\nfetch(1)", "o.eval(3)", "new this.constructor(3)",
                   "buf.toString('hex')", "x = a / b / c; // 'net'", "console.log(`wrote ${n} samples`)",
                   "process.exit(0)", "process.stdout.write('.')", "buf.write('RIFF', 0, 'ascii')",
                   "f instanceof Function", "const gate = typeof require", "import.meta.url",
                   "const fd = fs.openSync('output.wav', 'w'); fs.writeSync(fd, b)", "const fd = fs.openSync('x', 'w')",
                   "const open = 0.5; const o = env.open;",
                   "const jaw = {open: 1, cp: 2};", "door.open(3)", "let open = x => x; open(2)"],
    "faust": [FAUST, 'os = library("oscillators.lib");', "// soundfile(x)\nprocess = _;",
              'declare name "ffunction(x)";'],
}  # fmt: skip


@pytest.mark.parametrize("language", OTHERS)
def test_what_takes_a_sound_from_elsewhere_is_named(language):
    for kind, codes in FOREIGN[language].items():
        for code in codes:
            found = violation(code, language=language)
            assert found is not None, code
            assert found.kind.startswith(kind), (code, found)


@pytest.mark.parametrize("language", OTHERS)
def test_what_makes_its_own_sound_is_not(language):
    for code in OWN[language]:
        assert violation(code, language=language) is None, code


def test_a_violation_is_at_its_line():
    found = violation("const a = `\n\n${1}\n`;\n/* \n */\nrequire('net')", language="javascript")
    assert str(found) == "network, line 7: require('net')"
    assert str(violation("#define A #\nx\n#\n$A system_i 1, Sx", language="csound")).startswith(
        "another process, line 4"
    )


def test_comments_strings_templates_and_regular_expressions_are_told_apart():
    words = [token.text for token in tokens("a /b/ c; /* d */ // e\n'f' `g${h + `${i}`}j` + /k'l/", "javascript")]
    assert words == ["a", "/", "b", "/", "c", ";", "f", "g", "h", "+", "", "i", "", "j", "+", "k", "l", "/k'l/"]
    assert balanced("x = `${f({a: [1]})}`; y = s.match(/[(]/)", "javascript")
    assert not balanced("x = `${f({a: [1]}`", "javascript")
    assert balanced("process = x - x' : (_);", "faust"), "a quote in Faust is a delay"
    assert [t.text for t in tokens("a1 oscili 1, 2 ; b\n{{c\n}} /* d */", "csound")] == [
        "a1", "oscili", "1", ",", "2", "c\n",
    ]  # fmt: skip


# Runs


def here(*languages):
    """Skip where programs of these languages cannot be run."""
    for language in languages:
        try:
            open_jail(language=language).close()
        except JailUnavailable as error:
            pytest.skip(str(error))


@pytest.fixture
def chosen(tmp_path):
    """A run of the three recordings at three probes of different tiers."""
    suite = load("1")
    names = ("notes/chord/c-major", "environment/urban/siren", "speech/vowel/i")
    asked = RunConfig(
        models=["recorded/one-shot", "recorded/csound", "recorded/javascript"],
        languages=["python", "csound", "javascript"],
        suite=suite.name,
        suite_digest=suite.digest,
        embedders=["mel"],
    )
    return create(tmp_path / "run", asked, [PROBES[name] for name in names], "test")


@pytest.mark.slow
def test_a_run_of_three_languages_from_asking_to_comparing(chosen):
    here("python", "csound", "javascript")
    models = [open_model(name) for name in chosen.asked.models]
    run, report = stages.evaluate(chosen, models)
    assert report.failures == []
    outcomes = {(item.completion.strategy, item.probe.family): item.render.outcome for item in run.items()}
    assert len(outcomes) == 9
    assert outcomes.pop(("direct@csound", "urban")) == Outcome.ERROR, "a program of the recording that does not parse"
    assert set(outcomes.values()) == {Outcome.OK}
    assert {item.render.jail.get("language", "python") for item in run.items()} == {"python", "csound", "javascript"}
    assert {score.language for score in run.scores()} == {"python", "csound", "javascript"}
    assert len(run.scores().of("audio", language="csound")) == 3, "one per tier"
    entrants = compare([run.folder]).entrants
    assert [(one.model, one.strategy) for one in entrants] == [
        ("recorded/one-shot", "direct"),
        ("recorded/csound", "direct@csound"),
        ("recorded/javascript", "direct@javascript"),
    ]
    rows = (run.folder / "renders").stat().st_mtime_ns, len(list((run.folder / "renders").iterdir()))
    assert stages.render(run).failures == []
    again = (run.folder / "renders").stat().st_mtime_ns, len(list((run.folder / "renders").iterdir()))
    assert again == rows, "nothing ran twice"


@pytest.mark.slow
def test_a_language_without_its_tool_is_not_rendered_and_the_rest_goes_on(chosen, monkeypatch):
    here("python", "javascript")
    kept = tools._path

    def path(name, language):
        if name == "csound":
            raise JailUnavailable("csound, which runs Csound programs, is not installed", "apt-get install csound.")
        return kept(name, language)

    monkeypatch.setattr(tools, "_path", path)
    for cached in (tools.tool, runtime):
        cached.cache_clear()
    try:
        stages.generate(chosen, [open_model(name) for name in chosen.asked.models])
        report = stages.render(chosen)
        (line,) = report.failures
        assert line.startswith("3 Csound programs not run: cannot isolate programs here: csound, which runs")
        by_language = {item.program.language: item.render for item in chosen.items()}
        assert by_language["csound"].outcome == Outcome.NOT_RENDERED
        assert by_language["csound"].reason.endswith("apt-get install csound.")
        assert by_language["python"].outcome == by_language["javascript"].outcome == Outcome.OK
    finally:
        for cached in (tools.tool, runtime):
            cached.cache_clear()


def mended(messages):
    """A model whose first program does not compile: it calls something that is not there."""
    language = next(name for name in OTHERS if LANGUAGES[name].title in messages[0]["content"])
    whole = f"```{language}\n{WHOLE[language]}```"
    return whole if len(messages) > 2 else whole.replace("osc", "usc")


@pytest.mark.slow
@pytest.mark.parametrize(("language", "line"), [("csound", "Line 8 of the program: out uscili"), ("faust", "usc")])
def test_repair_runs_in_the_language_it_asks_for(tmp_path, language, line):
    here(language)
    plugins.use(f"python:{__name__}.mended")
    asked = RunConfig(models=[f"python:{__name__}.mended"], strategy=full_name("repair:1", language))
    run = create(tmp_path / "run", asked, [SINE], "test")
    assert not stages.generate(run, [open_model(asked.models[0])]).failures
    (row,) = run.completions()
    assert [one.outcome for one in row.rounds] == ["error", ""]
    assert line in row.rounds[1].messages[-1].content
    stages.render(run)
    (item,) = run.items()
    assert (item.render.outcome, item.render.duration_s) == (Outcome.OK, 2.0)
