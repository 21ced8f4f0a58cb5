"""The self-test's attacks in other languages than Python; see `selftest`.

Each program prints `got through:` and a name for every attempt that succeeds, and at its end how many held. It, or a
second one, leaves the two samples 0.5 and -0.5.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from innerear.languages import Language

_JAVASCRIPT = """
const fs = require("fs"), path = require("path"), child = require("child_process");
const attacks = {
  execute() { const r = child.spawnSync("/bin/sh", ["-c", "true"]); if (r.error) throw r.error; },
  fork() { const r = child.spawnSync(process.execPath, ["-e", "0"]); if (r.error) throw r.error; },
  read_file() { fs.readFileSync(CANARY); },
  write_file() { fs.appendFileSync(CANARY, "x"); },
  list_home() { fs.readdirSync(HOME); },
  read_environment() { if (!JSON.stringify(process.env).includes(CANARY)) fs.readFileSync("/proc/self/environ"); },
  signal_parent() { process.kill(process.ppid, 0); },
  read_process() { fs.readFileSync(`/proc/${process.ppid}/maps`); },
  symlink() { fs.symlinkSync("/etc/passwd", "link"); },
  load_library() { process.dlopen({ exports: {} }, path.resolve("output.wav")); },
  read_probes() { fs.readFileSync(PACKAGE + "/suite/edition-1.jsonl"); },
  root() { if (process.geteuid() !== 0) throw new Error(); },
};
let held = 0, waiting = 2;
for (const [name, attack] of Object.entries(attacks)) {
  try { attack(); console.log("got through:", name); } catch { held += 1; }
}
function done(name, through) {
  if (through) console.log("got through:", name); else held += 1;
  if ((waiting -= 1) === 0) console.log("held:", held);
}
const server = require("net").createServer();
server.on("error", () => done("network", false));
try {
  server.listen(0, "127.0.0.1", () => { server.close(); done("network", true); });
} catch { done("network", false); }
const socket = require("dgram").createSocket("udp4");
socket.on("error", () => done("udp", false));
try { socket.bind(0, () => { socket.close(); done("udp", true); }); } catch { done("udp", false); }
const sound = Buffer.alloc(48);
sound.write("RIFF    WAVEfmt ", 0);
[16, 0x10001, 8000, 16000, 0x100002].forEach((word, i) => sound.writeUInt32LE(word, 16 + 4 * i));
sound.write("data", 36);
[4, 0xc0004000].forEach((word, i) => sound.writeUInt32LE(word, 40 + 4 * i));
fs.writeFileSync("output.wav", sound);
"""

# An instrument whose file or socket is refused ends there; one for each attempt.
_CSOUND = """<CsoundSynthesizer>
<CsInstruments>
sr = 8000
ksmps = 1
nchnls = 1
0dbfs = 1
giThrough init 0
opcode through, 0, S
  Sname xin
  prints "got through: %s\\n", Sname
  giThrough += 1
endop
instr 1
  iResult system_i 1, "echo x >> 'CANARY'"
  iResult system_i 1, "/bin/true"
  if iResult == 0 then
    through "execute"
  endif
endin
instr 2
  iTable ftgen 0, 0, 0, 23, "CANARY"
  through "read_file"
endin
instr 3
  SLine, iLine readfi "CANARY"
  through "read_lines"
endin
instr 4
  iFile fiopen "CANARY", 0
  through "write_file"
endin
instr 5
  fprints "CANARY", "x"
  through "print_to_file"
endin
instr 6
  iTable ftgen 0, 0, 0, 23, "PACKAGE/suite/edition-1.jsonl"
  through "read_probes"
endin
instr 7
  asend init 0
  socksend asend, "127.0.0.1", 9, 64
  through "network"
endin
instr 99
  prints "held: %d\\n", 7 - giThrough
endin
</CsInstruments>
<CsScore>
i 1 0 0.0001
i 2 0 0.0001
i 3 0 0.0001
i 4 0 0.0001
i 5 0 0.0001
i 6 0 0.0001
i 7 0 0.0001
i 99 0 0.0001
</CsScore>
</CsoundSynthesizer>
"""

_CSOUND_SOUND = """<CsoundSynthesizer>
<CsInstruments>
sr = 8000
ksmps = 1
nchnls = 1
0dbfs = 1
instr 1
  out a(p4)
endin
</CsInstruments>
<CsScore>
i 1 0 0.000125 0.5
i 1 0.000125 0.000125 -0.5
</CsScore>
</CsoundSynthesizer>
"""

# A program can only make the compiler read: it has no words to write, connect or execute.
_FAUST = 'import("CANARY");\nprocess = 0.5;\n'
_FAUST_SOUND = 'declare duration "0.0000453515";\nprocess = 0.5 - 1\';\n'


def _javascript(canary: str, home: str, package: str) -> str:
    names = f"const CANARY = {json.dumps(canary)}, HOME = {json.dumps(home)}, PACKAGE = {json.dumps(package)};\n"
    return names + _JAVASCRIPT


def _csound(canary: str, home: str, package: str) -> str:
    return _CSOUND.replace("CANARY", canary).replace("PACKAGE", package)


def _faust(canary: str, home: str, package: str) -> str:
    return _FAUST.replace("CANARY", canary)


_PROGRAMS: dict[Language, tuple[Callable[[str, str, str], str], str, str]] = {
    "javascript": (_javascript, "held: 14", ""),
    "csound": (_csound, "held: 7", _CSOUND_SOUND),
    "faust": (_faust, "ERROR : unable to open file CANARY", _FAUST_SOUND),
}


def attacks(language: Language, canary: str, home: str, package: str) -> tuple[str, str, str]:
    """The program of the self-test, the line that it prints if all attempts were stopped, and one for the sound.

    The last is empty where the first leaves the sound too; in Csound, a refused attempt is an error.
    """
    program, held, sound = _PROGRAMS[language]
    return program(canary, home, package), held.replace("CANARY", canary), sound
