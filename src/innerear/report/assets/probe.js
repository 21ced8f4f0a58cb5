"use strict";
// One probe: what was requested, and the answers of one or two models.

InnerEar.probe = (() => {
  const { el, number, quantity, words, changed, metricLabel, NONE } = InnerEar;
  const REAL = "~real"; // in the address in place of a second model: the real recording
  const TABS = ["program", "log", "messages", "measured", "facts"];
  let turn = 0; // of the latest drawing; an older one that loads later is dropped

  async function draw(place, probe, route, steps) {
    const mine = ++turn;
    InnerEar.player.stop("a");
    InnerEar.player.stop("b");
    let items = [];
    try {
      if (probe.items.some((own) => own.length)) items = await InnerEar.load("probe", probe.file, `data/${probe.file}.js`);
    } catch (error) {
      place.replaceChildren(el("p", { class: "error" }, error.message));
      return;
    }
    if (mine !== turn) return;
    const { a, b } = chosen(route, probe);
    const panes = [pane("a", a, items, route, probe)];
    if (b) panes.push(pane("b", b, items, route, probe));
    const real = !b && route.params.get("b") === REAL && probe.recording ? recorded(probe, route) : null;
    const sideBySide = (parts) => el("div", { class: b ? "panes two" : "panes" }, parts);
    const answered = panes.filter((p) => p.item);
    // in the order of a listener: hear it, is it right, could it be real, how is it made
    place.replaceChildren(...[
      head(probe, route, steps),
      everyModel(probe, a, route),
      el("div", { class: b || real ? "panes two" : "panes" }, panes.map((p) => p.node), real ?? []),
      section("Is it what was asked?", checks(probe, panes), sideBySide(panes.map((p) => el("div", { class: "part" }, p.item ? pictured(probe, p.item) : null)))),
      section("Could it be a recording?", sideBySide(panes.map((p) => el("div", { class: "part" }, p.item?.audio ? realism(probe, p) : el("p", { class: "muted" }, "There is no sound to compare."))))),
      answered.length ? section("The program", sideBySide(panes.map((p) => el("div", { class: "part" }, p.item ? tabs(p.slot, p.item, route) : null)))) : null,
    ].filter(Boolean));
  }

  function section(title, ...parts) {
    return el("section", { class: "step" }, el("h2", {}, title), parts);
  }

  // What the realism scores say of this sound: its nearest recording, how typical it is, and what gives its kind away.
  function realism(probe, { entrant, item }) {
    const { index } = InnerEar.state;
    const own = index.scores.filter((s) => s.model === entrant.model && s.strategy === entrant.strategy && s.tier === probe.tier);
    const name = item.completion.attempt ? `${probe.id}#${item.completion.attempt}` : probe.id;
    const near = own.filter((s) => s.metric === "proximity" && s.detail?.each?.[name]);
    const lines = near.map((s) => {
      const [rank, nearest] = s.detail.each[name];
      return el("li", {}, el("b", {}, `${Math.round(100 * rank)} %`), ` of recordings are as far from the others of their class (typical: ${Math.round(100 * (s.ceiling.real ?? 0.5))} %; noise: ${s.floor.noise == null ? NONE : `${Math.round(100 * s.floor.noise)} %`}); nearest: `, el("code", {}, nearest), ` (${InnerEar.scores.short(InnerEar.embedder(s))})`);
    });
    const told = own.filter((s) => s.metric === "told_from_real" && s.value !== null);
    const kinds = new Set(near.map((s) => s.group));
    const best = told.filter((s) => s.group === probe.family).length ? told.filter((s) => s.group === probe.family) : told.filter((s) => kinds.has(s.group));
    const given = best.find((s) => s.detail.given_away?.length)?.detail.given_away ?? [];
    const each = best.map((s) => `${s.value.toFixed(2)} by ${InnerEar.scores.short(InnerEar.embedder(s))}`);
    if (each.length) lines.push(el("li", {}, `A classifier tells this model’s ${words(best[0].group)} sounds from recordings with an AUC of `, each.join(", "), " (0.5 if it could not)."));
    if (given.length) lines.push(el("li", {}, `What gives ${words(best[0].group)} sounds of this model away: `, given.slice(0, 4).map(([, auc, text], i) => [i ? ", " : "", el("span", { title: `AUC ${number(auc, 2)}` }, text)]), "."));
    const silent = near.length ? el("p", { class: "muted" }, "Nearest recordings are named, not played: many of their licences forbid passing them on.") : null;
    return lines.length ? [el("ul", { class: "realism" }, lines), silent] : el("p", { class: "muted" }, "Not measured: too few recordings of this kind (or none) to compare with, or no embedder.");
  }

  // The same probe by every model, and a real recording: one tile each, which opens it.
  function everyModel(probe, a, route) {
    const { entrants, picture } = InnerEar.state.index;
    const tiles = entrants.map((e) => {
      const item = probe.items[e.id][0];
      const state = item?.state ?? "none";
      const said = item ? `${words(item.failure ?? item.outcome)}${item.of ? `, ${item.passed} of ${item.of} checks` : ""}` : "no completion";
      return tile({ label: e.label, said, open: e === a, image: item?.audio && `sounds/${item.audio}.${picture.version}.png`, glyph: InnerEar.STATES[state][0], state, to: changed({ a: e.label, an: null }, route) });
    });
    const { recording } = probe;
    if (recording) {
      const open = route.params.get("b") === REAL;
      tiles.push(tile({ label: "a real recording", said: recording.remark || recording.licence, open, image: `sounds/${recording.audio}.${picture.version}.png`, glyph: "♪", state: "real", to: changed({ b: open ? null : REAL, bn: null }, route) }));
    }
    return tiles.length > 1 ? el("nav", { class: "tiles", "aria-label": "The same probe by every model" }, tiles) : null;
  }

  function tile({ label, said, open, image, glyph, state, to }) {
    return el("a", { class: "tile", href: to, "aria-current": open ? "true" : null, title: `${label}: ${said}`, onclick: (event) => { event.preventDefault(); location.replace(to); } },
      image ? el("img", { src: image, alt: "", loading: "lazy", decoding: "async" }) : el("span", { class: "no-sound" }, "no sound"),
      el("span", { class: "tile-name" }, el("i", { class: `s-${state}`, "aria-hidden": "true" }, glyph), " ", label, el("small", { class: "unseen" }, ` ${said}`)));
  }

  function recorded({ recording }, route) {
    return el("section", { class: "pane", "aria-label": "A real recording" },
      el("div", { class: "pane-head" }, el("b", {}, "A real recording"), el("button", { type: "button", class: "quiet", onclick: () => location.replace(changed({ b: null, bn: null }, route)) }, "Close"),
        recording.remark ? el("span", { class: "badge" }, recording.remark) : null),
      InnerEar.player.mount("b", { name: recording.audio, url: recording.path }, "the real recording"),
      el("p", { class: "facts-line" }, recording.attribution, " · ", recording.licence));
  }

  // The models shown: named in the address, else the first with a completion of this probe.
  function chosen(route, probe) {
    const { entrants } = InnerEar.state.index;
    const find = (label) => entrants.find((e) => e.label === label); // REAL is not a model's name
    const a = find(route.params.get("a")) ?? entrants.find((e) => probe.items[e.id].length) ?? entrants[0];
    return { a, b: find(route.params.get("b")) };
  }

  function head(probe, route, { at, of, before, after }) {
    const step = (target, label, text) => el("a", { class: "quiet", href: target && InnerEar.href("probe", target, route.params), title: label, "aria-disabled": target ? null : "true" }, el("span", { "aria-hidden": "true" }, text), el("span", { class: "unseen" }, label));
    return el("header", { class: "probe-head" },
      el("div", { class: "walk" },
        el("a", { class: "quiet back", href: InnerEar.href("probes", "", route.params) }, "All probes"),
        step(before, "Previous probe", "↑ k"), step(after, "Next probe", "↓ j"),
        el("span", { class: "muted" }, at === null ? "not in the current filter" : `${at + 1} of ${of}`)),
      el("h1", {}, probe.caption),
      probe.details ? el("p", { class: "details" }, probe.details) : null,
      el("p", { class: "meta" }, el("code", {}, probe.id), ` · ${probe.tier} · ${words(probe.family)} · level ${probe.level} · ${number(probe.duration_s)} s`));
  }

  // ---- checks: requested and measured

  function checks(probe, panes) {
    const seen = {};
    const rows = probe.expect.map((check) => {
      const place = (seen[check.check] = (seen[check.check] ?? -1) + 1);
      return el("tr", {},
        el("th", { scope: "row" }, words(check.check), check.headline === false ? el("small", {}, " not in headlines") : null),
        el("td", {}, asked(check)),
        panes.map((p) => el("td", { "data-from": p.entrant.label }, heard(matching(p.item, check.check)[place]))));
    });
    return el("div", { class: "wide" },
      el("table", { class: "checks" },
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Check"), el("th", { scope: "col" }, "Requested"), panes.map((p) => el("th", { scope: "col" }, `Measured, ${p.entrant.label}`)))),
        el("tbody", {}, rows)));
  }

  function matching(item, kind) {
    return (item?.measurements ?? []).filter((m) => m.metric === kind);
  }

  function heard(measurement) {
    if (!measurement) return el("span", { class: "muted" }, "not measured");
    const { metric, value, passed, reason, detail } = measurement;
    if (measurement.status === "not measured here") return el("span", { class: "muted", title: reason }, "not measured here"); // the overview says why, once
    if (passed === null && value === null) return el("span", { class: "muted" }, reason || "not measured");
    // what was measured is in the detail; the unit is in the key
    const parts = Object.entries(detail).filter(([key]) => key.startsWith("heard_")).map(([key, v]) => withUnit(key.slice(6), v));
    if (detail.heard !== undefined) parts.push(said(detail.heard));
    parts.push(...HEARD.filter((key) => detail[key] != null).map((key) => withUnit(key, detail[key])));
    const unit = unitOf(metric);
    if (value !== null) parts.push(unit.startsWith("of ") ? `rank ${number(value)} ${unit}` : quantity(value, unit));
    return [verdict(passed), " ", parts.join(", "), reason && !reason.startsWith("heard as") ? el("span", { class: "muted" }, ` ${reason}`) : null];
  }

  const HEARD = ["f0_hz", "f1_hz", "f2_hz", "semitones", "rate_hz", "depth_cents", "from_hz", "to_hz"];

  // What was recognised: a name, words, several of them, or notes (the plot shows more).
  function said(heard) {
    if (Array.isArray(heard)) return heard.every((v) => typeof v === "string") ? `recognised ${heard.map(words).join(", ") || "none"}` : `${heard.length} notes detected`;
    return heard === null || heard === "" ? "nothing recognised" : `recognised ${words(heard)}`;
  }

  function unitOf(metric) {
    return InnerEar.state.index.metricText.get(metric)?.unit ?? "";
  }

  function withUnit(key, value) {
    const [, name, unit] = key.match(/^(?:(.*?)_)?(hz|s|cents|db)$/) ?? [null, key, null];
    return [words(name ?? ""), plain(value), UNITS[unit]].filter(Boolean).join(" ");
  }

  function verdict(passed) {
    if (passed === true) return el("span", { class: "yes" }, "✓ passed");
    if (passed === false) return el("span", { class: "no" }, "✗ failed");
    return el("span", { class: "muted" }, "no verdict");
  }

  const UNITS = { hz: "Hz", s: "s", cents: "cents", db: "dB" };
  const { note } = InnerEar.pictures.notes;

  // A check in words; the unit is in the key.
  function asked(check) {
    const parts = Object.entries(check).filter(([key, value]) => !["check", "headline"].includes(key) && value !== null && value !== "" && value !== false && value.length !== 0);
    if (!parts.length) return InnerEar.state.index.metricText.get(check.check)?.text ?? "";
    return parts.map(([key, value]) => {
      if (key === "midi") return [].concat(value).map(note).join(" ");
      if (key === "notes" && check.check === "tune") return value.map(([midi]) => note(midi)).join(" ");
      if (key === "also" && check.check === "tune") return `or ${value.length === 1 ? "another setting" : `${value.length} other settings`}`;
      if (key === "notes" && Array.isArray(value)) return value.map(([onset, , midi]) => `${note(midi)} at ${plain(onset)} s`).join(", ");
      if (value === true) return words(key);
      return withUnit(key, value).replace("tolerance", "±");
    }).join(", ");
  }

  function plain(value) {
    if (Array.isArray(value)) return value.map((v) => (Array.isArray(v) ? `(${plain(v)})` : plain(v))).join(", ");
    if (value && typeof value === "object") return Object.entries(value).map(([k, v]) => `${words(k)} ${plain(v)}`).join(", ");
    return typeof value === "number" ? String(Number(value.toPrecision(4))).replace("-", "−") : value === null ? NONE : String(value);
  }

  // ---- a model's answer

  function pane(slot, entrant, items, route, probe) {
    const own = items.filter((item) => item.entrant === entrant.id);
    const attempt = Number(route.params.get(`${slot}n`) ?? 0);
    const item = own.find((i) => i.completion.attempt === attempt) ?? own[0];
    const node = el("section", { class: "pane", "aria-label": entrant.label },
      el("div", { class: "pane-head" }, picker(slot, entrant, route, probe.recording), attempts(slot, own, item, route), item ? badge(item.render) : null));
    if (item) {
      node.append(
        item.audio ? InnerEar.player.mount(slot, { name: item.render.audio, url: `../${item.audio}` }, entrant.label) : el("p", { class: "silent" }, silence(item)),
        ...[facts(item)].filter(Boolean));
    } else {
      node.append(el("p", { class: "silent" }, "This model has no completion for this probe."));
    }
    return { node, item, entrant, slot };
  }

  function picker(slot, entrant, route, real) {
    const { entrants } = InnerEar.state.index;
    const go = (label) => location.replace(changed({ [slot]: label, [`${slot}n`]: null }, route));
    const select = el("select", { id: `model-${slot}`, "aria-label": slot === "a" ? "Model" : "Second model", onchange: (e) => go(e.target.value) },
      entrants.map((e) => el("option", { value: e.label, selected: e === entrant }, e.label)));
    if (slot === "b") {
      return [select, el("button", { type: "button", class: "quiet", onclick: () => location.replace(changed({ b: null, bn: null }, route)) }, "Close")];
    }
    const others = entrants.filter((e) => e !== entrant);
    if (route.params.get("b") || !others.length) return select;
    return [select, el("select", { id: "compare", class: "quiet", "aria-label": "Compare with a second model", onchange: (e) => location.replace(changed({ b: e.target.value }, route)) },
      el("option", { value: "" }, "Compare with …"), others.map((e) => el("option", { value: e.label }, e.label)), real ? el("option", { value: REAL }, "a real recording") : null)];
  }

  function attempts(slot, own, item, route) {
    if (own.length < 2) return null;
    return el("span", { class: "attempts", role: "group", "aria-label": "Attempts" }, own.map((i) =>
      el("a", { class: "quiet", href: changed({ [`${slot}n`]: String(i.completion.attempt) }, route), "aria-current": i === item ? "true" : null }, String(i.completion.attempt + 1))));
  }

  // Plots of the checks that have one.
  function pictured(probe, item) {
    const { roll, times, inPlay } = InnerEar.pictures.notes;
    const seen = {};
    return probe.expect.map((check) => {
      const measurement = matching(item, check.check)[(seen[check.check] = (seen[check.check] ?? -1) + 1)];
      const tune = (tuned, found, width) => found.detail.heard?.length ? roll(inPlay(tuned, found.detail.heard), found, width) : null;
      const draw = { notes: roll, onsets: times, tune }[check.check];
      if (draw && measurement) return InnerEar.plots.fitted((width) => draw(check, measurement, width));
      const top = measurement?.detail?.top;
      return Array.isArray(top) && top.length ? ranked(top, check.label) : null;
    });
  }

  // The tagger's top classes, best first.
  function ranked(top, wanted) {
    const most = Math.max(...top.map(([, score]) => Math.abs(score))) || 1;
    return el("ol", { class: "ranked", "aria-label": "Top classes" }, top.map(([name, score]) =>
      el("li", { class: name === wanted ? "yes" : null, vars: { "--share": Math.max(0, score) / most } }, el("span", {}, words(name)), el("small", {}, number(score, 2)))));
  }

  function badge(render) {
    return el("span", { class: `badge ${render.outcome === "ok" ? "ok" : "bad"}` }, words(render.outcome));
  }

  function silence({ render, program }) {
    return render.reason || program?.reason || `No sound: ${words(render.outcome)}.`;
  }

  function facts({ render, audio }) {
    const { levels, near_limit = [] } = render;
    const list = [];
    if (audio) {
      list.push(`${number(render.samples / render.sample_rate, 4)} s`, `${number(render.sample_rate)} Hz`, render.channels === 1 ? "mono" : `${render.channels} channels`);
      if (levels) {
        list.push(`peak ${number(20 * Math.log10(Math.max(levels.peak, 1e-9)))} dBFS`, levels.rms_dbfs == null ? "digital silence" : `RMS ${number(levels.rms_dbfs)} dBFS`);
        if (levels.clipped) list.push(`clipped ${number(100 * levels.clipped)} %`);
      }
      if (render.factor && render.factor !== 1) list.push(`stored scaled by 1/${number(render.factor)}`);
    }
    if (render.wall_s != null) list.push(`ran ${number(render.wall_s)} s`);
    if (near_limit.length) list.push(`near limit: ${near_limit.map(words).join(", ")}`);
    return list.length ? el("p", { class: "facts-line" }, list.join(" · ")) : null;
  }

  // ---- text written by others, shown as text

  function tabs(slot, item, route) {
    const open = TABS.includes(route.params.get("tab")) ? route.params.get("tab") : TABS[0];
    const body = { program, log, messages, measured, facts: everything }[open](item);
    const panel = `panel-${slot}`;
    return el("div", { class: "tabs" },
      el("div", { role: "tablist", "aria-label": "About this answer" }, TABS.map((name) =>
        el("button", {
          type: "button", role: "tab", id: `tab-${slot}-${name}`, "aria-selected": String(name === open), "aria-controls": panel, tabindex: name === open ? "0" : "-1",
          onclick: () => location.replace(changed({ tab: name === TABS[0] ? null : name }, route)),
          onkeydown: (event) => {
            const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
            if (!step) return;
            event.preventDefault();
            const next = TABS[(TABS.indexOf(name) + step + TABS.length) % TABS.length];
            InnerEar.focusAfter = `tab-${slot}-${next}`;
            location.replace(changed({ tab: next === TABS[0] ? null : next }, route));
          },
        }, words(name)))),
      el("div", { role: "tabpanel", id: panel, "aria-labelledby": `tab-${slot}-${open}`, tabindex: "0" }, body));
  }

  function program({ program, marks, completion, render }) {
    if (!program?.code) return el("p", { class: "muted" }, program?.reason || "No program.");
    const { code } = program;
    const count = code.replace(/\n$/, "").split("\n").length;
    const lines = Array.from({ length: count }, (_, i) => i + 1);
    const guard = guardOf(program, render);
    const by = d3.group(marks ?? [], (mark) => mark.line);
    const beside = (line) => {
      const own = (by.get(line) ?? []).map((mark) => mark.what);
      const text = own.length > 4 ? `${own.slice(0, 4).join(", ")} …` : own.join(", ");
      if (line === guard?.line) return [el("span", { class: "guard", title: program.violation || render.reason }, `⚑ guard: ${guard.kind}`), text && `, ${text}`, "\n"];
      return [text && el("span", { title: own.join(", ") }, text), "\n"];
    };
    return [
      anatomyLine(completion),
      guard && !guard.line ? el("p", { class: "no" }, `⚑ guard: ${guard.kind}`) : null,
      el("div", { class: "code" },
        el("pre", { class: "gutter", "aria-hidden": "true" }, lines.map((line) => (line === guard?.line ? el("span", { class: "guard" }, `${line}\n`) : by.has(line) ? el("span", { class: "marked", title: by.get(line).map((mark) => mark.what).join(", ") }, `${line}\n`) : `${line}\n`))),
        el("pre", { class: "text", tabindex: "0", role: "region", "aria-label": "Program" }, el("code", {}, highlighted(code, completion.strategy.split("@")[1]))),
        by.size || guard ? el("pre", { class: "marks", "aria-label": "Techniques by line" }, lines.map(beside)) : null),
    ];
  }

  // Where the guard stopped a program, from its message "kind, line N: source".
  function guardOf(program, render) {
    const said = program.violation || (render.outcome === "provenance" ? render.reason : "");
    if (!said) return null;
    const [, kind, line] = said.match(/^(.*?), line (\d+):/) ?? [null, said, null];
    return { kind, line: line && Number(line) };
  }

  function anatomyLine(completion) {
    const { index } = InnerEar.state;
    const item = index.items.find((i) => i.probe === completion.probe && i.attempt === completion.attempt && index.entrants[i.entrant].model === completion.model && index.entrants[i.entrant].strategy === completion.strategy);
    const built = item?.built;
    if (!built) return null;
    const loops = built.loops ? `${built.loops} ${built.loops === 1 ? "loop" : "loops"} over samples` : "no loop over samples";
    return el("p", { class: "facts-line" }, [built.techniques.map((i) => index.techniques[i]).join(", ") || "no known technique", `${built.lines} lines`, loops, `${built.hz} literal ${built.hz === 1 ? "frequency" : "frequencies"}`, `imports ${built.imports.join(", ") || "nothing"}`].join(" · "));
  }

  const SLASHES = /\/\/.*|\/\*[\s\S]*?(?:\*\/|$)/;
  const NUMBER = /\b(?:0x[\da-f]+|\d+\.?\d*(?:e[-+]?\d+)?)\b|\B\.\d+/i;
  const GRAMMARS = {
    csound: {
      comment: { pattern: RegExp(`;.*|${SLASHES.source}`), greedy: true },
      string: { pattern: /\{\{[\s\S]*?(?:\}\}|$)|"(?:\\.|[^"\\\n])*"/, greedy: true },
      keyword: /<\/?Cs\w+>|\b(?:instr|endin|opcode|endop|xin|xout|if|then|else|elseif|endif|while|until|do|od|enduntil|goto|kgoto|igoto|init)\b/,
      number: NUMBER,
    },
    faust: {
      comment: { pattern: SLASHES, greedy: true },
      string: { pattern: /"[^"\n]*"/, greedy: true },
      keyword: /\b(?:import|declare|with|letrec|environment|component|library|case|process|waveform|rdtable|rwtable|sum|par|seq|prod)\b/,
      number: NUMBER,
    },
    javascript: {
      comment: { pattern: SLASHES, greedy: true },
      string: { pattern: /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[\s\S]|[^`\\])*`?/, greedy: true },
      keyword: /\b(?:const|let|var|function|return|if|else|for|while|do|of|in|new|class|extends|this|switch|case|break|continue|throw|try|catch|typeof|import|from|export|true|false|null|undefined)\b|=>/,
      number: NUMBER,
    },
  };

  function highlighted(code, language) {
    if (code.length > 100_000) return code;
    const piece = (token) => {
      if (typeof token === "string") return token;
      if (Array.isArray(token)) return token.map(piece);
      return el("span", { class: `t-${token.type}` }, piece(token.content));
    };
    return Prism.tokenize(code, GRAMMARS[language] ?? Prism.languages.python).map(piece);
  }

  function log({ render }) {
    return render.log ? el("pre", {}, render.log) : el("p", { class: "muted" }, "No output.");
  }

  function messages({ completion }) {
    const shown = (role, content) => el("div", { class: "message" }, el("b", {}, role), el("pre", {}, content));
    const said = ({ messages: sent, text }) => [...sent.map((m) => shown(m.role, m.content)), shown("assistant", text)];
    const rounds = completion.rounds ?? [];
    if (!rounds.length) return el("div", { class: "messages" }, said(completion));
    return el("div", { class: "messages" }, rounds.map((round, n) => {
      const before = n ? rounds[n - 1].messages.length : 0;
      // Messages of earlier rounds are shown above.
      const sent = round.messages.length > before + 1 ? round.messages.slice(before && before + 1) : round.messages;
      const came = [round.outcome && words(round.outcome), round.reason].filter(Boolean).join(": ");
      return [
        el("h4", {}, `Round ${n + 1} of ${rounds.length}`), said({ messages: sent, text: round.text }),
        came ? shown("its program", came) : null, round.heard ? shown("the listener", round.heard) : null,
      ];
    }));
  }

  function measured({ measurements }) {
    if (!measurements.length) return el("p", { class: "muted" }, "No measurements.");
    return el("div", { class: "wide" }, el("table", {},
      el("thead", {}, el("tr", {}, ["Metric", "Value", "Verdict", "Detail"].map((h) => el("th", { scope: "col" }, h)))),
      el("tbody", {}, measurements.map((m) => el("tr", {},
        el("th", { scope: "row" }, metricLabel(m.metric)), el("td", { class: "num" }, quantity(m.value, unitOf(m.metric))),
        el("td", {}, m.passed == null ? "" : verdict(m.passed)), el("td", { class: "small" }, [m.reason, plain(m.detail)].filter(Boolean).join(" · ")))))));
  }

  function everything({ completion, render, program }) {
    const { messages: _m, text: _t, rounds: _r, ...asked } = completion;
    const { log: _l, ...ran } = render;
    return [InnerEar.views.run.facts("Completion", asked), InnerEar.views.run.facts("Render", ran), program ? InnerEar.views.run.facts("Program", { reason: program.reason || NONE, characters: program.code?.length ?? 0 }) : null];
  }

  return { draw, chosen, TABS, REAL };
})();
