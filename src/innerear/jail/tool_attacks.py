"""The self-test's attacks in other languages than Python; see `selftest`.

Each program prints `got through:` and a name for every attempt that succeeds, and at its end how many held, and leaves
the two samples 0.5 and -0.5.
"""

from __future__ import annotations

import json

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

_PROGRAMS: dict[Language, tuple[str, int]] = {
    "javascript": (_JAVASCRIPT, 14),
}


def attacks(language: Language, canary: str, home: str, package: str) -> tuple[str, str]:
    """The program of the self-test, and the line that it prints if all attempts were stopped."""
    program, count = _PROGRAMS[language]
    names = f"const CANARY = {json.dumps(canary)}, HOME = {json.dumps(home)}, PACKAGE = {json.dumps(package)};\n"
    return names + program, f"held: {count}"
