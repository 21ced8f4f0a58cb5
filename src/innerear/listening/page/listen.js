"use strict";
// A listening test, one question at a time. The page makes no network requests. Answers stay in this
// browser until the listener sends the file. Text from outside is inserted as text, never as markup.

const InnerEar = (() => {
  const FORMAT = "innerear listening answers 1";
  const SLACK_MS = 150; // browsers report playback time coarsely: this close to the end counts as played through
  const TEXT = 500;
  const DIGITS = "1234567890";
  const main = document.getElementById("main");
  let test = null;
  let state = null;
  let shown = null; // the current screen: its sounds, its keyboard shortcuts, when it was drawn
  let keeps = true; // whether this browser can store progress

  function receive(kind, name, text) {
    test = JSON.parse(text);
    document.title = test.title;
    state = remembered();
    draw();
    document.documentElement.dataset.ready = "true";
  }

  // ---- elements are built, never parsed from HTML

  function el(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes ?? {})) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value === true) node.setAttribute(name, "");
      else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
    }
    node.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
    return node;
  }

  function say(text) {
    document.getElementById("said").textContent = text;
  }

  // ---- progress, stored in this browser

  const KEPT = () => `innerear-listening-${test.test}`;

  function remembered() {
    try {
      const stored = JSON.parse(localStorage.getItem(KEPT()));
      if (stored && stored.test === test.test && Array.isArray(stored.answers)) return stored;
    } catch {
      keeps = false;
    }
    return null;
  }

  function keep() {
    try {
      localStorage.setItem(KEPT(), JSON.stringify(state));
      keeps = true;
    } catch {
      keeps = false;
    }
  }

  function forget() {
    try {
      localStorage.removeItem(KEPT());
    } catch {
      keeps = false;
    }
    state = null;
    draw();
  }

  window.addEventListener("beforeunload", (event) => {
    if (!keeps && state && state.stage !== "welcome") event.preventDefault();
  });
  window.addEventListener("pagehide", () => { if (state) { settle(); keep(); } });

  // ---- the stages: welcome, level, headphones, trials, end

  function draw() {
    for (const sound of shown?.sounds ?? []) sound.audio.pause();
    shown = { sounds: [], keys: {}, since: performance.now(), ready: null };
    const nodes = state === null ? welcome() : { level, headphones, trials, end }[state.stage]();
    main.replaceChildren(...nodes.filter(Boolean));
    window.scrollTo(0, 0);
    main.querySelector("h1")?.focus({ preventScroll: true });
  }

  function go(stage) {
    state.stage = stage;
    state.now = null;
    keep();
    draw();
  }

  function title(text) {
    return el("h1", { tabindex: "-1" }, text);
  }

  function start(listener) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    state = {
      test: test.test, session: [...bytes].map((b) => b.toString(16).padStart(2, "0")).join(""), listener,
      started: new Date().toISOString(), finished: "", stage: "level", headphones: [], answers: [], now: null, comment: "",
    };
    go("level");
  }

  function form() {
    return test.forms[(state.listener - 1) % test.forms.length];
  }

  function welcome() {
    const given = Number(new URLSearchParams(location.search).get("listener"));
    const own = Number.isInteger(given) && given >= 1 ? given : 1 + (crypto.getRandomValues(new Uint32Array(1))[0] % test.forms.length);
    const number = el("input", { type: "number", min: "1", max: "1000000", step: "1", id: "listener", value: String(own), required: true });
    const n = test.forms[0].length;
    const begin = () => {
      const value = Number(number.value);
      if (Number.isInteger(value) && value >= 1 && value <= 1e6) start(value);
      else { say("The listener number must be a whole number, 1 or higher."); number.focus(); }
    };
    return [
      title(test.title),
      test.welcome.split(/\n\s*\n/).filter((part) => part.trim()).map((part) => el("p", {}, part.trim())),
      el("p", {}, `You will hear ${n} ${test.kind === "ab" ? "pairs of short sounds" : "short sounds"} and answer ${test.kind === "rate" ? "two questions" : "one question"} about each. This takes about ${minutes(n)} minutes. `
        + "Please use headphones and sit somewhere quiet. Some sounds are strange, and some may not resemble anything: just answer with what you hear."),
      el("p", { class: "muted small" }, "Nothing is sent while you answer. At the end you get a file with your answers, which you send back yourself. "
        + "It records your choices, how often you played each sound and how long you took, but not who you are. You can take a break and come back later: your progress is saved in this browser."),
      el("div", { class: "row" }, el("label", { for: "listener" }, "Listener number"), number, el("span", { class: "muted small" }, "Leave this as it is unless you were given a number.")),
      el("div", { class: "row" }, el("button", { type: "button", class: "main", id: "start", onclick: begin }, "Start")),
    ].flat();
  }

  function minutes(n) {
    const seconds = { identify: 14, ab: 20, rate: 18 }[test.kind];
    return Math.max(1, Math.round((n * seconds + 25 * test.headphones.length) / 60));
  }

  function level() {
    const [box] = sounds([{ clip: test.level, label: "the noise", key: " " }], 0);
    return [
      bar(),
      title("Set your volume"),
      el("p", {}, "Put on your headphones, play this noise and adjust the volume until it is comfortable: easy to hear but not loud. Then leave the volume alone for the rest of the test."),
      box,
      next("The volume is comfortable", () => (state.now.plays[0] ? null : "Play the noise first."), () => go(test.headphones.length ? "headphones" : "trials")),
    ];
  }

  function headphones() {
    const clip = test.headphones[state.headphones.length];
    const [box] = sounds([{ clip, label: "the three noises", key: " " }], test.clips[clip]);
    const { set, value } = options("Where was the tone?", ["In the first noise", "In the second noise", "In the third noise"], "choice");
    return [
      bar(),
      title("Which of the three noises contains a tone?"),
      el("p", {}, "You will hear three noises in a row. One of them contains a faint, low tone, which you can only hear with headphones."),
      box, set,
      next("Next", () => unheard() ?? (value() === null ? "Choose one of the three. If you are not sure, guess." : null), () => {
        settle();
        state.headphones.push({ clip, choice: value() + 1, plays: state.now.plays[0] });
        go(state.headphones.length < test.headphones.length ? "headphones" : "trials");
      }),
    ];
  }

  const QUESTIONS = { identify: "What do you hear?", ab: "Which sound matches this description better?", rate: "Rate this sound against the description" };

  function trials() {
    const asked = form()[state.answers.length];
    const trial = test.trials.find((one) => one.id === asked.trial);
    const order = asked.swapped ? [1, 0] : trial.clips.map((_, i) => i);
    const several = order.length > 1;
    const boxes = sounds(order.map((index, i) => ({
      clip: trial.clips[index], label: several ? `sound ${"AB"[i]}` : "the sound", key: several ? "ab"[i] : " ",
    })), test.least_s * 1000);
    const answer = ANSWERS[test.kind](trial, order);
    return [
      bar(),
      title(QUESTIONS[test.kind]),
      trial.caption ? el("p", { class: "quote", id: "caption" }, trial.caption) : null,
      several ? el("div", { class: "sounds" }, boxes) : boxes[0],
      answer.nodes,
      next("Next", () => unheard() ?? answer.missing(), () => {
        settle();
        const { plays, heard, ms } = state.now;
        const back = (list) => order.map((_, index) => Math.round(list[order.indexOf(index)]));
        state.answers.push({ trial: trial.id, plays: back(plays), heard_ms: back(heard), ms: Math.round(ms), ...answer.value() });
        if (state.answers.length < form().length) go("trials");
        else finish();
      }, true),
    ].flat();
  }

  const ANSWERS = {
    identify(trial) {
      if (test.free_text) {
        const input = el("input", { type: "text", id: "text", maxlength: TEXT, autocomplete: "off", value: state.now.draft.text ?? "" });
        input.addEventListener("input", () => draft("text", input.value));
        return {
          nodes: [el("label", { class: "field", for: "text" }, "Describe the sound in a few words. If it is speech, write what is said. If you cannot name anything, write “nothing”."), input],
          missing: () => (input.value.trim() ? null : "Write what you hear. If you cannot name anything, write “nothing”."),
          value: () => ({ text: sound(input.value.trim()) }),
        };
      }
      const { set, value } = options("Which description is closest?", [...trial.options, "None of these"], "choice");
      return { nodes: [set], missing: () => (value() === null ? "Choose one answer." : null), value: () => ({ choice: value() }) };
    },
    ab(trial, order) {
      const { set, value } = options("Choose one. If you are not sure, guess.", ["Sound A", "Sound B"], "choice", "two");
      return { nodes: [set], missing: () => (value() === null ? "Choose one of the two. If you are not sure, guess." : null), value: () => ({ choice: order[value()] }) };
    },
    rate() {
      const fit = options("How well does the sound match the description?", test.scales.fit, "fit", "scale");
      const natural = options("How natural does it sound, regardless of how well it matches?", test.scales.natural, "natural", "scale");
      return {
        nodes: [fit.set, natural.set],
        missing: () => (fit.value() === null ? "Rate how well it matches the description." : natural.value() === null ? "Rate how natural it sounds." : null),
        value: () => ({ fit: fit.value() + 1, natural: natural.value() + 1 }),
      };
    },
  };

  // Cut to length and replace lone surrogates, which UTF-8 cannot encode.
  function sound(text) {
    return text.slice(0, TEXT).replace(/[\ud800-\udfff]/gu, "\ufffd");
  }

  function finish() {
    state.finished = new Date().toISOString();
    go("end");
  }

  // ---- the pieces of a question

  function bar() {
    const all = test.headphones.length + form().length;
    const done = state.headphones.length + state.answers.length;
    const what = { level: "Getting ready", headphones: `Headphone check ${state.headphones.length + 1} of ${test.headphones.length}`, trials: `${state.answers.length + 1} of ${form().length}` }[state.stage];
    return el("div", { class: "bar" },
      el("progress", { max: String(all), value: String(done), "aria-label": "Progress" }),
      el("span", {}, what));
  }

  // The players. Playback from before the page was closed still counts.
  function sounds(list, least) {
    state.now ??= { plays: list.map(() => 0), heard: list.map(() => 0), ms: 0, draft: {} };
    return list.map(({ clip, label, key }, i) => {
      const audio = new Audio(`clips/${clip}.flac`);
      audio.preload = "auto";
      const line = el("progress", { max: "1", value: "0", "aria-hidden": "true" });
      const words = el("span", { class: "small" });
      const name = el("span", {}, `Play ${label}`);
      const button = el("button", { type: "button", "data-play": i, onclick: () => toggle(i) }, name, el("kbd", { "aria-hidden": "true" }, key === " " ? "space" : key));
      const need = Math.min(test.clips[clip], least) - SLACK_MS;
      const one = { audio, button, line, words, need, before: state.now.heard[i] };
      one.atEnd = () => audio.ended || audio.currentTime * 1000 >= test.clips[clip] - SLACK_MS;
      one.heard = () => {
        let played = 0;
        for (let r = 0; r < audio.played.length; r += 1) played += audio.played.end(r) - audio.played.start(r);
        return Math.min(test.clips[clip], Math.max(one.before, played * 1000));
      };
      one.enough = () => state.now.plays[i] > 0 && one.heard() >= need;
      audio.addEventListener("timeupdate", () => { line.value = audio.duration ? audio.currentTime / audio.duration : 0; tell(one); });
      for (const event of ["play", "pause", "ended"]) {
        audio.addEventListener(event, () => {
          const on = !audio.paused && !audio.ended;
          button.classList.toggle("on", on);
          if (audio.ended) line.value = 1;
          name.textContent = `${on ? "Pause" : "Play"} ${label}`;
          tell(one);
        });
      }
      audio.addEventListener("error", () => { words.textContent = "This sound cannot be played. Check that no files are missing from the folder and that your browser is up to date."; words.classList.add("error"); });
      shown.sounds.push(one);
      shown.keys[key] = () => toggle(i);
      tell(one, i);
      return el("div", { class: "sound" }, button, line, words);
    });
  }

  function tell(one) {
    const i = shown.sounds.indexOf(one);
    if (i < 0 || !state?.now) return;
    const plays = state.now.plays[i];
    const text = !plays ? "not played yet" : one.enough() ? `played ${plays === 1 ? "once" : `${plays} times`}; you can play it again` : "listen to the end";
    if (!one.words.classList.contains("error") && one.words.textContent !== text) one.words.textContent = text;
    shown.ready?.();
  }

  function toggle(i) {
    const { audio, atEnd } = shown.sounds[i];
    const again = atEnd(); // a press here means "play again", not "pause the last few milliseconds"
    if (!audio.paused && !again) {
      audio.pause();
      return;
    }
    for (const other of shown.sounds) if (other.audio !== audio) other.audio.pause();
    const fresh = again || audio.currentTime === 0;
    if (again) audio.currentTime = 0;
    audio.play().then(() => {
      if (fresh) state.now.plays[i] += 1;
      tell(shown.sounds[i]);
    }, () => say("The browser did not play the sound. Press the button again."));
  }

  function unheard() {
    const several = shown.sounds.length > 1;
    const at = shown.sounds.findIndex((one) => !one.enough());
    return at < 0 ? null : several ? `Listen to sound ${"AB"[at]} first, all the way through.` : "Listen to the sound first, all the way through.";
  }

  // Write playback and elapsed time on this screen into the state.
  function settle() {
    if (!state?.now) return;
    shown.sounds.forEach((one, i) => { state.now.heard[i] = Math.round(one.heard()); });
    state.now.ms = Math.round(state.now.ms + performance.now() - shown.since);
    shown.since = performance.now();
  }

  function draft(name, value) {
    state.now.draft[name] = value;
    settle();
    keep();
    shown.ready?.();
  }

  // Number keys choose options in order: 1 to 5 on the first scale, 6 to 0 on the second.
  function options(legend, words, name, kind = null) {
    const before = state.now.draft[name] ?? null;
    const taken = Object.keys(shown.keys).filter((key) => DIGITS.includes(key)).length;
    const inputs = words.map((_, i) => el("input", { type: "radio", name, value: String(i), checked: before === i, onchange: () => draft(name, i) }));
    const set = el("fieldset", { class: kind }, el("legend", {}, legend), words.map((text, i) => {
      const key = DIGITS[taken + i];
      if (key) shown.keys[key] = () => { inputs[i].click(); inputs[i].focus(); };
      return el("label", { class: "option" }, inputs[i], el("span", {}, text), key ? el("kbd", { "aria-hidden": "true" }, key) : null);
    }));
    return { set, value: () => { const at = inputs.findIndex((input) => input.checked); return at < 0 ? null : at; } };
  }

  function next(label, missing, act, stop = false) {
    const why = el("p", { class: "small muted", id: "why" });
    const button = el("button", { type: "button", class: "main", id: "next", "aria-describedby": "why", onclick: () => {
      const lack = missing();
      if (lack) { why.textContent = lack; say(lack); } else act();
    } }, label);
    shown.ready = () => {
      const lack = missing();
      button.setAttribute("aria-disabled", String(lack !== null));
      if (why.textContent) why.textContent = lack ?? "";
    };
    shown.ready();
    shown.keys.Enter = () => button.click();
    return el("div", { class: "row end" }, button, stop ? el("button", { type: "button", class: "small quiet", id: "stop", onclick: () => {
      if (confirm("Stop here? You can send the answers you have given so far, but you cannot continue afterwards.")) finish();
    } }, "Stop here") : null, why);
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !shown) return;
    const typing = event.target.matches('input:not([type="radio"]), textarea');
    if (typing && !(event.key === "Enter" && event.target.id === "text")) return;
    if (event.target.matches("button, summary") && (event.key === " " || event.key === "Enter")) return; // the control's own key
    if (event.target.matches('input[type="radio"]:not(:checked)') && event.key === " ") return; // space selects the focused option
    const act = shown.keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || event.repeat) return;
    event.preventDefault();
    act();
  });

  // ---- the end: one file

  function file() {
    const content = {
      innerear: FORMAT, test: state.test, session: state.session, listener: state.listener, started: state.started,
      finished: state.finished, complete: state.answers.length === form().length, headphones: state.headphones,
      answers: state.answers, comment: state.comment,
    };
    content.checksum = sha256(JSON.stringify(content));
    return `${JSON.stringify(content, null, 1)}\n`;
  }

  function end() {
    const name = `answers-${state.test.slice(0, 8)}-${state.listener}-${state.session.slice(0, 8)}.json`;
    const area = el("textarea", { class: "file", readonly: true, id: "answers", spellcheck: "false" });
    const said = el("p", { class: "small muted", role: "status" });
    const write = () => { area.value = file(); };
    const comment = el("textarea", { id: "comment", rows: "2", maxlength: TEXT });
    comment.value = state.comment;
    comment.addEventListener("input", () => { state.comment = sound(comment.value); keep(); write(); if (said.textContent) said.textContent = "Your comment has changed: save or copy the file once more."; });
    write();
    const save = () => {
      const link = el("a", { href: URL.createObjectURL(new Blob([area.value], { type: "application/json" })), download: name });
      document.body.append(link);
      link.click();
      link.remove();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
      said.textContent = `Saved as ${name}.`;
    };
    const copy = async () => {
      try {
        await navigator.clipboard.writeText(area.value);
      } catch {
        area.select();
        document.execCommand("copy");
      }
      said.textContent = "Copied. Now paste it into a message.";
    };
    return [
      title(state.answers.length === form().length ? "Done. Thank you!" : "Stopped. Thank you!"),
      el("p", {}, "Your answers are in a single file. Save it and send it to the person who invited you, or copy its text into a message."),
      el("label", { class: "field", for: "comment" }, "Any comments? ", el("span", { class: "muted small" }, "They are saved in the file.")),
      comment,
      el("div", { class: "row" },
        el("button", { type: "button", class: "main", id: "save", onclick: save }, "Save the file"),
        el("button", { type: "button", id: "copy", onclick: copy }, "Copy the text"), said),
      el("label", { class: "field small muted", for: "answers" }, "This is everything the file contains:"),
      area,
      test.credits.length ? el("details", {}, el("summary", { class: "small" }, "Credits for recordings you may have heard"),
        el("ul", { class: "credits" }, test.credits.map((line) => el("li", {}, line))),
        el("p", { class: "small muted" }, "The recordings were shortened, mixed down to mono and normalised in loudness.")) : null,
      el("div", { class: "row" }, el("button", { type: "button", class: "small quiet", id: "forget", onclick: () => {
        if (confirm("Have you saved the file? This deletes your answers from this browser.")) forget();
      } }, "Delete my answers from this browser")),
    ].filter(Boolean);
  }

  // SHA-256 (FIPS 180-4). `crypto.subtle` is only available in secure contexts, which a file:// page may not be.
  function sha256(text) {
    const primes = [];
    for (let n = 2; primes.length < 64; n += 1) if (primes.every((p) => n % p)) primes.push(n);
    const fraction = (x) => Math.floor((x - Math.floor(x)) * 2 ** 32) >>> 0;
    const k = primes.map((p) => fraction(Math.cbrt(p)));
    const hash = primes.slice(0, 8).map((p) => fraction(Math.sqrt(p)));
    const bytes = new TextEncoder().encode(text);
    const padded = new Uint8Array((((bytes.length + 8) >> 6) + 1) << 6);
    padded.set(bytes);
    padded[bytes.length] = 0x80;
    const view = new DataView(padded.buffer);
    view.setUint32(padded.length - 8, Math.floor(bytes.length / 2 ** 29));
    view.setUint32(padded.length - 4, bytes.length << 3);
    const turn = (x, n) => (x >>> n) | (x << (32 - n));
    const w = new Uint32Array(64);
    for (let at = 0; at < padded.length; at += 64) {
      for (let i = 0; i < 64; i += 1) {
        if (i < 16) { w[i] = view.getUint32(at + 4 * i); continue; }
        const a = w[i - 15];
        const b = w[i - 2];
        w[i] = w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + w[i - 7] + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10));
      }
      let [a, b, c, d, e, f, g, h] = hash;
      for (let i = 0; i < 64; i += 1) {
        const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + k[i] + w[i]) | 0;
        const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
      }
      [a, b, c, d, e, f, g, h].forEach((x, i) => { hash[i] = (hash[i] + x) >>> 0; });
    }
    return hash.map((x) => x.toString(16).padStart(8, "0")).join("");
  }

  return { receive, sha256 };
})();
