// Renders a Faust program, compiled to WebAssembly, to output.wav; its length is `declare duration "SECONDS";`.
const fs = require("fs");
const RATE = 44100, BLOCK = 1024;
const say = (text) => { console.error(`ERROR : ${text}`); process.exit(1); };
const own = {
  fmod: (x, y) => x % y, remainder: (x, y) => x - y * Math.round(x / y), rint: Math.round, exp10: (x) => 10 ** x,
  isnan: (x) => +Number.isNaN(x), isinf: (x) => +(Math.abs(x) === Infinity), fabs: Math.abs, copysign: (x, y) =>
    (y < 0 || Object.is(y, -0) ? -1 : 1) * Math.abs(x),
};
const module_ = new WebAssembly.Module(fs.readFileSync("program.wasm"));
const env = {};
for (const { name } of WebAssembly.Module.imports(module_)) {
  const plain = name.replace(/^_/, "");
  env[name] = own[plain] || Math[plain] || own[plain.slice(0, -1)] || Math[plain.slice(0, -1)];
  if (!env[name]) say(`the foreign function ${plain} is not there: only Faust's own libraries are`);
}
const { exports } = new WebAssembly.Instance(module_, { env });
let bytes = new Uint8Array(exports.memory.buffer);
const about = JSON.parse(Buffer.from(bytes.subarray(0, bytes.indexOf(0))).toString());
const seconds = Number(about.meta.map((entry) => entry.duration).find((text) => text !== undefined));
if (!(seconds > 0)) say('the program does not say how long it is: write `declare duration "5";`');
if (JSON.stringify(about.ui).includes('"type":"soundfile"')) say("soundfile: there are no files to play");
if (about.inputs === 1) say("process has 1 input, and nothing is connected to it");
if (about.inputs) say(`process has ${about.inputs} inputs, and nothing is connected to them`);
if (!about.outputs) say("process has no outputs");
const start = Math.ceil(about.size / 8) * 8, buffers = start + 4 * about.outputs + 8;
const missing = buffers + 4 * BLOCK * about.outputs - exports.memory.buffer.byteLength;
if (missing > 0) exports.memory.grow(Math.ceil(missing / 65536));
exports.init(0, RATE);
const pointers = new Uint32Array(exports.memory.buffer, start, about.outputs);
const blocks = Array.from(pointers, (_, i) => new Float32Array(exports.memory.buffer, buffers + 4 * BLOCK * i, BLOCK));
blocks.forEach((block, i) => { pointers[i] = block.byteOffset; });
const frames = Math.round(seconds * RATE), samples = new Float32Array(frames * about.outputs);
for (let at = 0; at < frames; at += BLOCK) {
  const count = Math.min(BLOCK, frames - at);
  exports.compute(0, count, start, start);
  for (let i = 0; i < count; i++) blocks.forEach((block, c) => { samples[(at + i) * about.outputs + c] = block[i]; });
}
const head = Buffer.alloc(44), channels = about.outputs;
head.write("RIFF", 0);
head.writeUInt32LE(36 + samples.byteLength, 4);
head.write("WAVEfmt ", 8);
[16, 3 + channels * 65536, RATE, RATE * channels * 4, channels * 4 + 32 * 65536].forEach((word, i) =>
  head.writeUInt32LE(word, 16 + 4 * i));
head.write("data", 36);
head.writeUInt32LE(samples.byteLength, 40);
fs.writeFileSync("output.wav", Buffer.concat([head, Buffer.from(samples.buffer)]));
