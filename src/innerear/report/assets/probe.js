"use strict";
// One probe: what was asked, and what one model or two made of it.

InnerEar.probe = (() => {
  const { el, number, words, changed, metricLabel, NONE } = InnerEar;
  const TABS = ["program", "log", "messages", "measured", "facts"];
  let turn = 0; // of the latest drawing: one that was overtaken while it loaded is dropped

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
    const panes = [pane("a", a, items, route)];
    if (b) panes.push(pane("b", b, items, route));
    place.replaceChildren(
      head(probe, route, steps),
      checks(probe, panes),
      el("div", { class: b ? "panes two" : "panes" }, panes.map((p) => p.node)));
  }

  // The models on show: by name in the address, else the first that was asked this probe.
  function chosen(route, probe) {
    const { entrants } = InnerEar.state.index;
    const find = (label) => entrants.find((e) => e.label === label);
    const a = find(route.params.get("a")) ?? entrants.find((e) => probe.items[e.id].length) ?? entrants[0];
    return { a, b: find(route.params.get("b")) };
  }

  function head(probe, route, { at, of, before, after }) {
    const step = (target, label, text) => el("a", { class: "quiet", href: target && InnerEar.href("probe", target, route.params), "aria-label": label, "aria-disabled": target ? null : "true" }, text);
    return el("header", { class: "probe-head" },
      el("div", { class: "walk" },
        el("a", { class: "quiet back", href: InnerEar.href("probes", "", route.params) }, "All probes"),
        step(before, "Previous probe", "↑ k"), step(after, "Next probe", "↓ j"),
        el("span", { class: "muted" }, at === null ? "not in this filter" : `${at + 1} of ${of}`)),
      el("h1", {}, probe.caption),
      probe.details ? el("p", { class: "details" }, probe.details) : null,
      el("p", { class: "meta" }, el("code", {}, probe.id), ` · ${probe.tier} · ${words(probe.family)} · level ${probe.level} · ${number(probe.duration_s)} s`));
  }

  // ---- checks: asked and heard

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
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Check"), el("th", { scope: "col" }, "Asked"), panes.map((p) => el("th", { scope: "col" }, `Heard from ${p.entrant.label}`)))),
        el("tbody", {}, rows)));
  }

  function matching(item, kind) {
    return (item?.measurements ?? []).filter((m) => m.metric === kind);
  }

  function heard(measurement) {
    if (!measurement) return el("span", { class: "muted" }, "not measured");
    const { metric, value, passed, reason, detail } = measurement;
    if (passed === null && value === null) return el("span", { class: "muted" }, reason || "not measured");
    // what was heard is in the detail, each with the unit that stands in its name
    const parts = Object.entries(detail).filter(([key]) => key.startsWith("heard_")).map(([key, v]) => withUnit(key.slice(6), v));
    if (value !== null) parts.push(`${number(value)} ${unitOf(metric)}`.trim());
    return [verdict(passed), " ", parts.join(", "), reason ? el("span", { class: "muted" }, ` ${reason}`) : null];
  }

  function unitOf(metric) {
    return InnerEar.state.index.metricText.get(metric)?.unit ?? "";
  }

  function withUnit(key, value) {
    const [, name, unit] = key.match(/^(.*?)_?(hz|s|cents|db)?$/);
    return [words(name), plain(value), UNITS[unit]].filter(Boolean).join(" ");
  }

  function verdict(passed) {
    if (passed === true) return el("span", { class: "yes" }, "✓ passed");
    if (passed === false) return el("span", { class: "no" }, "✗ failed");
    return el("span", { class: "muted" }, "not judged");
  }

  const UNITS = { hz: "Hz", s: "s", cents: "cents", db: "dB" };
  const NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];
  const note = (midi) => `${NAMES[((midi % 12) + 12) % 12]}${Math.floor(midi / 12) - 1}`;

  // A check in words: each field with the unit that stands in its name.
  function asked(check) {
    const parts = Object.entries(check).filter(([key, value]) => !["check", "headline"].includes(key) && value !== null && value !== "" && value !== false);
    return parts.map(([key, value]) => {
      if (key === "midi") return [].concat(value).map(note).join(" ");
      if (key === "notes" && Array.isArray(value)) return value.map(([onset, , midi]) => `${note(midi)} at ${number(onset)} s`).join(", ");
      if (value === true) return words(key);
      return withUnit(key, value).replace("tolerance", "±");
    }).join(", ");
  }

  function plain(value) {
    if (Array.isArray(value)) return value.map((v) => (Array.isArray(v) ? `(${plain(v)})` : plain(v))).join(", ");
    if (value && typeof value === "object") return Object.entries(value).map(([k, v]) => `${words(k)} ${plain(v)}`).join(", ");
    return typeof value === "number" ? number(value, 4) : value === null ? NONE : String(value);
  }

  // ---- a model's answer

  function pane(slot, entrant, items, route) {
    const own = items.filter((item) => item.entrant === entrant.id);
    const attempt = Number(route.params.get(`${slot}n`) ?? 0);
    const item = own.find((i) => i.completion.attempt === attempt) ?? own[0];
    const node = el("section", { class: "pane", "aria-label": entrant.label },
      el("div", { class: "pane-head" }, picker(slot, entrant, route), attempts(slot, own, item, route), item ? badge(item.render) : null));
    if (item) {
      node.append(
        item.audio ? InnerEar.player.mount(slot, item, entrant.label) : el("p", { class: "silent" }, silence(item)),
        facts(item), tabs(slot, item, route));
    } else {
      node.append(el("p", { class: "silent" }, "This model was not asked this probe."));
    }
    return { node, item, entrant };
  }

  function picker(slot, entrant, route) {
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
      el("option", { value: "" }, "Compare with …"), others.map((e) => el("option", { value: e.label }, e.label)))];
  }

  function attempts(slot, own, item, route) {
    if (own.length < 2) return null;
    return el("span", { class: "attempts", role: "group", "aria-label": "Attempts" }, own.map((i) =>
      el("a", { class: "quiet", href: changed({ [`${slot}n`]: String(i.completion.attempt) }, route), "aria-current": i === item ? "true" : null }, String(i.completion.attempt + 1))));
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
      if (render.factor && render.factor !== 1) list.push(`stored divided by ${number(render.factor)}`);
    }
    if (render.wall_s != null) list.push(`ran ${number(render.wall_s)} s`);
    if (near_limit.length) list.push(`near its limit: ${near_limit.map(words).join(", ")}`);
    return list.length ? el("p", { class: "facts-line" }, list.join(" · ")) : null;
  }

  // ---- text that others wrote, as text

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

  function program({ program }) {
    if (!program?.code) return el("p", { class: "muted" }, program?.reason || "No program.");
    const { code } = program;
    const lines = code.replace(/\n$/, "").split("\n").length;
    return el("div", { class: "code" },
      el("pre", { class: "gutter", "aria-hidden": "true" }, Array.from({ length: lines }, (_, i) => i + 1).join("\n")),
      el("pre", {}, el("code", {}, highlighted(code))));
  }

  function highlighted(code) {
    if (code.length > 100_000) return code;
    const piece = (token) => {
      if (typeof token === "string") return token;
      if (Array.isArray(token)) return token.map(piece);
      return el("span", { class: `t-${token.type}` }, piece(token.content));
    };
    return Prism.tokenize(code, Prism.languages.python).map(piece);
  }

  function log({ render }) {
    return render.log ? el("pre", {}, render.log) : el("p", { class: "muted" }, "It printed nothing.");
  }

  function messages({ completion }) {
    const shown = (role, content) => el("div", { class: "message" }, el("b", {}, role), el("pre", {}, content));
    const said = ({ messages: sent, text }) => [...sent.map((m) => shown(m.role, m.content)), shown("assistant", text)];
    const rounds = completion.rounds ?? [];
    if (!rounds.length) return el("div", { class: "messages" }, said(completion));
    return el("div", { class: "messages" }, rounds.map((round, n) => {
      const before = n ? rounds[n - 1].messages.length : 0;
      // What was sent and answered in earlier rounds stands above already.
      const sent = round.messages.length > before + 1 ? round.messages.slice(before && before + 1) : round.messages;
      const came = [round.outcome && words(round.outcome), round.reason].filter(Boolean).join(": ");
      return [
        el("h4", {}, `Round ${n + 1} of ${rounds.length}`), said({ messages: sent, text: round.text }),
        came ? shown("its program", came) : null, round.heard ? shown("the listener", round.heard) : null,
      ];
    }));
  }

  function measured({ measurements }) {
    if (!measurements.length) return el("p", { class: "muted" }, "Nothing was measured.");
    return el("div", { class: "wide" }, el("table", {},
      el("thead", {}, el("tr", {}, ["Metric", "Value", "Verdict", "Detail"].map((h) => el("th", { scope: "col" }, h)))),
      el("tbody", {}, measurements.map((m) => el("tr", {},
        el("th", { scope: "row" }, metricLabel(m.metric)), el("td", { class: "num" }, m.value === null ? NONE : `${number(m.value)} ${unitOf(m.metric)}`),
        el("td", {}, m.passed == null ? "" : verdict(m.passed)), el("td", { class: "small" }, [m.reason, plain(m.detail)].filter(Boolean).join(" · ")))))));
  }

  function everything({ completion, render, program }) {
    const { messages: _m, text: _t, rounds: _r, ...asked } = completion;
    const { log: _l, ...ran } = render;
    return [InnerEar.views.run.facts("Completion", asked), InnerEar.views.run.facts("Render", ran), program ? InnerEar.views.run.facts("Program", { reason: program.reason || NONE, characters: program.code?.length ?? 0 }) : null];
  }

  return { draw, chosen, TABS };
})();
