"""Attacks by programs that are not Python, one small program each; as `jail_attacks` has them for Python."""

from __future__ import annotations

import json

from jail_attacks import SHORT, Attack, grouped

from innerear.languages import Language
from innerear.records import Limits, Outcome

BOMB = Limits(cpu_s=1, wall_s=2, memory_bytes=160 << 20, file_bytes=8 << 20)
ANY_END = frozenset(Outcome) - {Outcome.OK, Outcome.NOT_RENDERED}


class LanguageAttack(Attack):
    """One attack in the language that its group names. It got through if it prints GOTTHROUGH."""

    def program(self, world: dict[str, object]) -> str:
        return _WRITERS[self.group](self.code, world)


def _javascript(code: str, world: dict[str, object]) -> str:
    names = ", ".join(f"{name} = {json.dumps(value)}" for name, value in world.items())
    tools = 'fs = require("fs"), cp = require("child_process"), os = require("os"), net = require("net")'
    return f"""const {names}, {tools};
const through = () => console.log("GOT" + "THROUGH");
const need = (condition) => {{ if (!condition) process.exit(3); }};
{code}
"""


def _filled(code: str, world: dict[str, object]) -> str:
    for name in sorted(world, key=len, reverse=True):
        code = code.replace(f"<{name}>", str(world[name]))
    return code


def _csound(code: str, world: dict[str, object]) -> str:
    """Text before `---` is options; after it an instrument, which may be followed by a score after another `---`."""
    options, orchestra, score, *_ = [*_filled(code, world).split("\n---\n"), "i 1 0 0.1\ne 0.1"]
    return csd(f'opcode through, 0, 0\nprints "GOT%s\\n", "THROUGH"\nendop\n{orchestra}', score, options)


def csd(orchestra: str = "instr 1\nout poscil(0.3, 440)\nendin", score: str = "i 1 0 1", options: str = "-odac") -> str:
    """A Csound program; its orchestra begins in line 10."""
    return f"""<CsoundSynthesizer>
<CsOptions>
{options}
</CsOptions>
<CsInstruments>
sr = 44100
ksmps = 32
nchnls = 1
0dbfs = 1
{orchestra}
</CsInstruments>
<CsScore>
{score}
</CsScore>
</CsoundSynthesizer>
"""


def _faust(code: str, world: dict[str, object]) -> str:
    return _filled(code, world)


_WRITERS = {"javascript": _javascript, "csound": _csound, "faust": _faust}


def _group(language: Language, harmless: str, harmful: str = "") -> list[Attack]:
    return grouped(language, harmless, harmful, mark="## ", kind=LanguageAttack)


def _ending(language: Language, text: str, *outcomes: Outcome, limits: Limits = SHORT) -> list[Attack]:
    wanted = frozenset(outcomes) or ANY_END
    blocks = (block.partition("\n") for block in text.split("\n## ")[1:])
    return [LanguageAttack(language, name.strip(), code, False, wanted, limits) for name, _, code in blocks]


JAVASCRIPT = _group(
    "javascript",
    """
## spawn
need(!cp.spawnSync("/bin/true").error); through();
## exec
cp.execSync("true"); through();
## shell-touch
cp.execSync(`echo x >> '${CANARY}'`); through();
## node-again
need(cp.spawnSync(process.execPath, ["-e", "0"]).status === 0); through();
## own-executable
fs.writeFileSync("x", "#!/bin/sh\\nexit 0\\n"); fs.chmodSync("x", 0o755);
need(cp.spawnSync("./x").status === 0); through();
## detached
cp.spawn("/bin/sleep", ["0.2"], { detached: true, stdio: "ignore" }).on("spawn", through).unref();
## read-passwd
fs.readFileSync("/etc/passwd"); through();
## read-canary
need(String(fs.readFileSync(CANARY)).includes("secret")); through();
## read-canary-upwards
fs.readFileSync("../../../../../../.." + CANARY); through();
## read-canary-by-stream
fs.createReadStream(CANARY).on("data", through).on("error", () => 0);
## read-canary-by-promise
fs.promises.readFile(CANARY).then(through);
## read-canary-in-a-worker
new (require("worker_threads").Worker)(`
  require("fs").readFileSync(${JSON.stringify(CANARY)}); console.log("GOT" + "THROUGH")`, { eval: true });
## read-by-symlink
fs.symlinkSync(CANARY, "link"); fs.readFileSync("link"); through();
## hard-link
fs.linkSync(CANARY_OWN, CANARY_OWN + ".hard"); through();
## require-outside
fs.writeFileSync(CANARY + ".js", "module.exports = 1"); need(require(CANARY + ".js") === 1); through();
## import-outside
fs.writeFileSync(CANARY + ".mjs", "export default 1"); import(CANARY + ".mjs").then(through);
## list-home
fs.readdirSync(HOME); through();
## list-root
fs.readdirSync("/"); through();
## list-tmp
fs.readdirSync("/tmp"); through();
## list-parent
fs.readdirSync(".."); through();
## change-folder
process.chdir("/"); fs.readdirSync("."); through();
## environment
need(process.env.CANARY_IN_THE_ENVIRONMENT); through();
## environment-of-report
need(process.report.getReport().environmentVariables.CANARY_IN_THE_ENVIRONMENT); through();
## proc-environ
need(String(fs.readFileSync("/proc/self/environ")).includes("CANARY_IN_THE_ENVIRONMENT")); through();
## proc-parent-maps
fs.readFileSync(`/proc/${process.ppid}/maps`); through();
## proc-own-memory
fs.closeSync(fs.openSync("/proc/self/mem", "r+")); through();
## package-files
fs.readFileSync(PACKAGE + "/suite/edition-1.jsonl"); through();
## write-canary
fs.appendFileSync(CANARY, "x"); through();
## truncate-canary
fs.truncateSync(CANARY); through();
## chmod-canary
fs.chmodSync(CANARY_OWN, 0o600); through();
## touch-canary
fs.utimesSync(CANARY_OWN, 1, 1); through();
## rename-canary
fs.renameSync(CANARY, CANARY + ".moved"); through();
## remove-canary
fs.unlinkSync(CANARY); through();
## new-file-outside
fs.writeFileSync(CANARY + ".new", "x"); through();
## new-folder-outside
fs.mkdirSync(CANARY + ".folder"); through();
## copy-over-canary
fs.writeFileSync("output.wav", "x"); fs.copyFileSync("output.wav", CANARY); through();
## write-device
fs.writeFileSync("/dev/full", ""); through();
## watch-canary
fs.watch(CANARY).on("error", () => 0).close(); through();
## tcp
net.connect(TCP_PORT, "127.0.0.1", () => { through(); process.exit(3); });
## udp
require("dgram").createSocket("udp4").send("x", UDP_PORT, "127.0.0.1", (error) => {
  if (!error) through(); process.exit(3); });
## unix-socket
net.connect(UNIX_PATH, () => { through(); process.exit(3); });
## listen
net.createServer().listen(0, "127.0.0.1", () => { through(); process.exit(3); });
## listen-unix
net.createServer().listen("sock", () => { through(); process.exit(3); });
## http
require("http").get({ port: TCP_PORT, host: "127.0.0.1" }).on("socket", (s) => s.on("connect", () => {
  through(); process.exit(3); }));
## inspector
require("inspector").open(0, "127.0.0.1"); need(require("inspector").url()); through(); process.exit(3);
## interfaces
need(Object.keys(os.networkInterfaces()).length); through();
## signal-parent
process.kill(process.ppid, 0); through();
## signal-victim
process.kill(VICTIM, 0); through();
## who-am-i
need(os.userInfo().username); through();
""",
    """
## binding-spawn
const ran = process.binding("spawn_sync").spawn({ file: "/bin/true", args: ["true"], envPairs: [], stdio: [] });
need(!ran.error && ran.status === 0); through();
## kill-parent
process.kill(process.ppid, "SIGKILL"); through();
## kill-first-process
process.kill(1, "SIGKILL"); through();
## kill-victim
process.kill(VICTIM, "SIGKILL"); through();
## kill-group
process.kill(0, "SIGKILL"); through();
## kill-everybody
process.kill(-1, "SIGKILL"); through();
## stop-parent
process.kill(process.ppid, "SIGSTOP"); through();
## slow-victim
os.setPriority(VICTIM, 19); through();
## become-root
process.setuid(0); need(process.geteuid() === 0); through();
## groups
process.setgroups([0]); through();
## dns
require("dns").resolve4("example.org", (error) => { if (!error) through(); });
## internet
net.connect(80, "192.0.2.1", through).on("error", () => 0); setTimeout(() => process.exit(3), 500);
## fetch
fetch("http://192.0.2.1/").then(through, () => 0); setTimeout(() => process.exit(3), 500);
## load-library
process.dlopen({ exports: {} }, "/lib/x86_64-linux-gnu/libm.so.6"); through();
## load-written-library
fs.copyFileSync("/lib/x86_64-linux-gnu/libm.so.6", "output.wav");
process.dlopen({ exports: {} }, require("path").resolve("output.wav")); through();
## add-on
fs.writeFileSync("a.node", Buffer.from("7f454c46", "hex")); require("./a.node"); through();
## flags-by-environment
process.env.NODE_OPTIONS = "--require=/etc/passwd";
need(cp.spawnSync(process.execPath, ["-e", "0"]).status === 0); through();
## output-symlink
fs.symlinkSync(CANARY, "output.wav"); through();
## output-symlink-over
fs.writeFileSync("output.wav", "x"); fs.unlinkSync("output.wav"); fs.symlinkSync("/dev/zero", "output.wav"); through();
## output-hard-link
fs.unlinkSync("output.wav"); fs.linkSync(CANARY_OWN, "output.wav"); through();
## output-fifo
need(cp.spawnSync("/usr/bin/mkfifo", ["output.wav"]).status === 0); through();
## write-through-descriptors
for (let n = 3; n < 64; n++) try {
  if (fs.fstatSync(n).isFile()) { fs.writeSync(n, "ear3"); through(); }
} catch {}
""",
)
JAVASCRIPT += _ending(
    "javascript",
    """
## heap-bomb
const all = []; for (;;) all.push(new Array(1e5).fill(all.length));
## buffer-bomb
const all = []; for (;;) all.push(new Uint8Array(1 << 26).fill(1));
## shared-buffer-bomb
const all = []; for (;;) all.push(new Uint8Array(new SharedArrayBuffer(1 << 26)).fill(1));
## wasm-bomb
const all = [];
for (;;) all.push(new Uint8Array(new WebAssembly.Memory({ initial: 4096 }).buffer).fill(1));
## string-bomb
let text = "x"; const all = []; for (;;) { text += text.length < 1 << 28 ? text : ""; all.push(Buffer.from(text)); }
## disk-bomb
for (let n = 0; ; n++) fs.writeFileSync(`f${n}`, Buffer.alloc(1 << 20, 1));
## file-bomb
for (let n = 0; ; n++) fs.writeFileSync(`f${n}`, "");
## folder-bomb
for (;;) { fs.mkdirSync("d"); process.chdir("d"); }
## descriptor-bomb
const all = []; for (;;) all.push(fs.openSync("output.wav", "a"));
## big-output
const file = fs.openSync("output.wav", "w"); for (;;) fs.writeSync(file, Buffer.alloc(1 << 20, 1));
## deep-recursion
const f = () => f() + 1; f();
""",
    limits=BOMB,
)
JAVASCRIPT += _ending(
    "javascript",
    """
## log-bomb
for (;;) console.log("x".repeat(1000));
## endless-loop-with-signals-handled
for (const name of Object.keys(os.constants.signals)) try { process.on(name, () => 0); } catch {}
for (;;);
## endless-promises
const again = () => Promise.resolve().then(again); again();
## endless-regular-expression
/^(a+)+$/.test("a".repeat(50) + "b");
## wait-for-ever
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
## interval
setInterval(() => 0, 10);
## close-the-log-and-stay
fs.closeSync(1); fs.closeSync(2); setInterval(() => 0, 10);
## process-bomb
setInterval(() => { for (let i = 0; i < 9; i++) cp.spawn("/bin/sleep", ["9"]).on("error", () => 0); }, 1);
""",
    *(Outcome.CPU_LIMIT, Outcome.TIMED_OUT, Outcome.FORBIDDEN),
)
JAVASCRIPT += _ending(
    "javascript",
    """
## thread-bomb
const { Worker } = require("worker_threads");
for (let i = 0; i < 200; i++) new Worker("setInterval(() => 0, 1000)", { eval: true }).on("error", () => 0);
## endless-loop-in-a-thread
new (require("worker_threads").Worker)("for (;;);", { eval: true });
## abort
process.abort();
## leave-while-threads-run
new (require("worker_threads").Worker)("for (;;);", { eval: true }); setTimeout(() => process.exit(0), 50);
## output-directory
try { fs.unlinkSync("output.wav"); } catch {} fs.mkdirSync("output.wav");
## remove-the-program
fs.unlinkSync("program.js"); process.exit(0);
""",
)

CSOUND = _group(
    "csound",
    """
## system-append

---
instr 1
iResult system_i 1, "echo x >> '<CANARY>'"
if iResult == 0 then
through
endif
endin
## system-true

---
instr 1
iResult system_i 1, "/bin/true"
if iResult == 0 then
through
endif
endin
## read-table

---
instr 1
iTable ftgen 0, 0, 0, 23, "<CANARY>"
through
endin
## read-lines

---
instr 1
SLine, iLine readfi "<CANARY>"
through
endin
## read-passwd

---
instr 1
iTable ftgen 0, 0, 0, 23, "/etc/passwd"
through
endin
## read-suite

---
instr 1
iTable ftgen 0, 0, 0, 23, "<PACKAGE>/suite/edition-1.jsonl"
through
endin
## open-to-write

---
instr 1
iFile fiopen "<CANARY>", 0
through
endin
## print-to-file

---
instr 1
fprints "<CANARY>.new", "x"
through
endin
## sound-elsewhere

---
instr 1
fout "<CANARY>.wav", 14, a(0)
through
endin
## save-table

---
giT ftgen 1, 0, 64, 10, 1
instr 1
ftsave "<CANARY>.table", 1, 1
through
endin
## udp

---
instr 1
asend init 0
socksend asend, "127.0.0.1", <UDP_PORT>, 32
through
endin
## include-outside

---
#include "<CANARY>.own"
instr 1
endin
## log-elsewhere
--logfile=<CANARY>.log
---
instr 1
endin
## compile-outside

---
instr 1
iResult compileorc "<CANARY>"
if iResult == 0 then
through
endif
endin
""",
    """
## sound-of-options
-o <CANARY>
---
instr 1
endin
## server
--port=9999
---
instr 1
asend init 0
stsend asend, "127.0.0.1", <TCP_PORT>
through
endin
## stream-in

---
instr 1
arec strecv "127.0.0.1", <TCP_PORT>
through
endin
## plug-in
--opcode-lib=/lib/x86_64-linux-gnu/libm.so.6
---
instr 1
iResult system_i 1, "touch '<CANARY>.new'"
endin
## midi-file
--midioutfile=<CANARY>
---
instr 1
midiout_i 144, 1, 60, 100
through
endin
## shell-in-the-background

---
instr 1
kResult system 1, "sleep 9 & sleep 9 & sleep 9"
endin
## devices
-odac -iadc -M0 -+rtaudio=alsa -+rtmidi=alsa
---
instr 1
through
endin
## play-a-host-sound

---
instr 1
aSound diskin2 "/usr/share/sounds/alsa/Front_Center.wav"
out aSound
through
endin
""",
)
CSOUND += _ending(
    "csound",
    """
## endless-score

---
instr 1
out oscili(0.1, 440)
endin
---
i 1 0 -1
## endless-loop

---
instr 1
ii = 0
while ii >= 0 do
ii += 1
od
endin
## table-bomb

---
gi1 ftgen 0, 0, 2^27, 10, 1
gi2 ftgen 0, 0, 2^27, 10, 1
instr 1
endin
## array-bomb

---
gkAll[] init 1000000000
instr 1
endin
## note-bomb

---
instr 1
schedule 1, 0, 100
schedule 1, 0, 100
endin
## log-bomb

---
instr 1
ii = 0
while ii >= 0 do
prints "x"
od
endin
## file-bomb

---
instr 1
ii = 0
while ii >= 0 do
SName sprintf "f%d", ii
iFile fiopen SName, 0
ii += 1
od
endin
## big-output

---
instr 1
out oscili(0.1, 440)
endin
---
i 1 0 100000
""",
    limits=BOMB,
)

FAUST = _group(
    "faust",
    """
## import-outside
import("<CANARY>");
process = 1;
## library-outside
x = library("<CANARY>");
process = x.y;
## component-outside
process = component("<CANARY>");
## import-passwd
import("/etc/passwd");
process = 1;
## import-upwards
import("../../../../../../..<CANARY>");
process = 1;
## import-by-url
import("file://<CANARY>");
process = 1;
""",
    """
## import-by-http
import("http://127.0.0.1:<TCP_PORT>/x.lib");
process = 1;
## import-suite
import("<PACKAGE>/suite/edition-1.jsonl");
process = 1;
## foreign-function
process = ffunction(int system(int), <stdlib.h>, "");
## foreign-variable
process = fvariable(int environ, <unistd.h>);
## foreign-constant
process = fconstant(int BUFSIZ, "<CANARY>");
## sound-file
declare duration "1";
process = 0, 0 : soundfile("x[url:{'<CANARY>'}]", 1) : !, !, _;
## import-itself
import("program.dsp");
process = 1;
## import-the-result
import("output.wav");
process = 1;
""",
)
FAUST += _ending(
    "faust",
    """
## endless-evaluation
f(x) = f(x + 1);
process = f(0);
## endless-iteration
process = par(i, 100000000, i) :> _;
## huge-delay
declare duration "1";
process = 1 @ 200000000;
## huge-table
declare duration "1";
process = rdtable(200000000, 1, 5);
## a-long-sound
declare duration "100000";
process = 0.5;
## for-ever
declare duration "Infinity";
process = 0.5;
## a-negative-length
declare duration "-1";
process = 0.5;
## many-channels
declare duration "1";
process = par(i, 1000, 0.5);
## many-oscillators
import("stdfaust.lib");
declare duration "1000";
process = par(i, 200, os.osc(i)) :> _;
""",
    limits=BOMB,
)
ATTACKS = JAVASCRIPT + CSOUND + FAUST
