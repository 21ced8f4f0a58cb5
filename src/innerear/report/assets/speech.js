"use strict";
// Speech: the vowel space, the ladder from vowels to sentences, and recognition confusions.

InnerEar.pictures.speech = (() => {
  const { el, number, quantity, words } = InnerEar;
  const { heat, fitted, ink, style, told } = InnerEar.plots;

  function draw(rows, current) {
    return [ladder(), inNoise(), vowels(rows), closedSets(rows, current), voices(rows), sentences(rows, current)];
  }

  // ---- the ladder: accuracy by rung, with chance and ceiling

  function ladder() {
    const { index } = InnerEar.state;
    const scores = index.scores.filter((s) => s.tier === "speech" && InnerEar.entrantOf(s) && s.value !== null);
    const found = d3.sort(scores.filter((s) => s.metric === "ladder"), (s) => s.detail.rung);
    if (!found.length) return null;
    const rungs = [...new Set(found.map((s) => s.group.replace(/^\w+:/, "")))];
    const { entrants } = index;
    const own = entrants.filter((e) => found.some((s) => InnerEar.entrantOf(s) === e));
    const points = found.map((s) => {
      const entrant = InnerEar.entrantOf(s);
      const group = s.group.replace(/^\w+:/, "");
      return { ...s, entrant, label: entrant.label, rung: group, chance: s.floor?.chance ?? null, verified: s.ceiling?.verified ?? null, real: s.ceiling?.real ?? null };
    });
    const bounds = rungs.flatMap((rung) => {
      const first = (name) => points.find((p) => p.rung === rung && p[name] !== null)?.[name];
      return [["floor", "chance"], ["ceiling", "verified"], ["ceiling", "real"]].map(([side, name]) => ({ rung, side, name, value: first(name) })).filter((b) => b.value !== undefined);
    });
    const green = [["verified", "pass rate of correct sounds at verification"], ["real", "real recordings in this run, dashed"]].filter(([name]) => bounds.some((b) => b.name === name)).map(([, text]) => text);
    const lines = [bounds.some((b) => b.name === "chance") ? "blue is chance, for choices from a list" : "", green.length ? `green is the ceiling: ${green.join("; ")}` : ""].filter(Boolean);
    return el("section", {}, el("h2", {}, "The ladder ", el("small", {}, ["share of each rung’s checks passed (vowel, text or voice), in headlines or not, with 95 % intervals", ...lines].join("; "))),
      fitted((width) => Plot.plot({
        width: Math.min(width, 220 + 150 * rungs.length), height: 270, marginLeft: 44, marginBottom: 36, marginTop: 24, style,
        fx: { domain: rungs, label: null, axis: "bottom", tickFormat: words, padding: 0.12 },
        x: { domain: own.map((e) => e.label), axis: null, padding: 0.3 },
        y: { domain: [0, 1], label: null, tickFormat: (v) => `${Math.round(100 * v)} %`, ticks: 5, grid: true },
        ariaLabel: "Accuracy by rung of the ladder",
        ariaDescription: points.map((p) => `${p.label}, ${words(p.rung)}: ${quantity(p.value, "share")} ${InnerEar.interval(p)}`).join("; "),
        marks: [
          Plot.ruleY(bounds.filter((b) => b.name !== "real"), { fx: "rung", y: "value", stroke: (b) => `var(--${b.side})`, strokeWidth: 1.5 }),
          Plot.ruleY(bounds.filter((b) => b.name === "real"), { fx: "rung", y: "value", stroke: "var(--ceiling)", strokeWidth: 1.5, strokeDasharray: "4 3" }),
          Plot.ruleX(points.filter((p) => p.low != null), { fx: "rung", x: "label", y1: "low", y2: "high", stroke: (p) => ink(p.entrant), strokeOpacity: 0.35, strokeWidth: 6 }),
          Plot.dot(points, { fx: "rung", x: "label", y: "value", r: 4, fill: (p) => ink(p.entrant), stroke: "var(--paper)", symbol: (p) => SYMBOLS[own.indexOf(p.entrant) % SYMBOLS.length], href: (p) => InnerEar.href("probes", "", new URLSearchParams({ tier: "speech", family: p.rung, a: p.label })), ...told((p) => `${p.label}, ${words(p.rung)}: ${quantity(p.value, "share")} ${InnerEar.interval(p)}\nn ${p.n}${["chance", "verified", "real"].filter((name) => p[name] !== null).map((name) => `, ${name} ${quantity(p[name], "share")}`).join("")}${p.note ? `\n${p.note}` : ""}`) }),
        ],
        symbol: { type: "identity" },
      })),
      el("p", { class: "legend inline" }, own.map((e, i) => el("span", {}, el("i", { class: e.baseline ? "" : "is-model", "aria-hidden": "true" }, GLYPHS[i % GLYPHS.length]), ` ${e.label}`))));
  }

  const SYMBOLS = ["circle", "square", "triangle", "diamond", "star", "cross"];
  const GLYPHS = ["●", "■", "▲", "◆", "★", "✚"];

  // ---- words in noise: word error rate against the signal-to-noise ratio (with `innerear measure --in-noise`)

  const SNRS_DB = [-5, 0, 5, 10];

  function inNoise() {
    const { index } = InnerEar.state;
    const points = SNRS_DB.flatMap((snr) => index.scores
      .filter((s) => s.metric === `whisper_in_noise_${snr < 0 ? "" : "+"}${snr}` && s.group === "all" && s.value !== null && InnerEar.entrantOf(s))
      .map((s) => ({ ...s, snr, entrant: InnerEar.entrantOf(s) })));
    if (!points.length) return null;
    const own = index.entrants.filter((e) => points.some((p) => p.entrant === e));
    const said = (p) => `${p.entrant.label} at ${p.snr} dB: ${number(p.value, 2)} ${InnerEar.interval(p)}, n ${p.n}`;
    return el("section", {}, el("h2", {}, "Words in noise ", el("small", {}, "word error rate against the level of the speech over speech-shaped noise; lower is better")),
      fitted((width) => Plot.plot({
        width: Math.min(width, 640), height: 250, marginLeft: 40, marginRight: 130, marginBottom: 34, style,
        x: { domain: [-5.5, 10.5], ticks: SNRS_DB, label: "signal-to-noise ratio, dB", labelAnchor: "center", labelArrow: "none", tickFormat: (v) => number(v) },
        y: { domain: [0, Math.max(1, ...points.map((p) => p.value))], label: null, ticks: 5, grid: true },
        ariaLabel: "Word error rate against signal-to-noise ratio",
        ariaDescription: points.map(said).join("; "),
        marks: [
          Plot.ruleX(points.filter((p) => p.low != null), { x: "snr", y1: "low", y2: "high", stroke: (p) => ink(p.entrant), strokeOpacity: 0.3, strokeWidth: 6 }),
          own.map((entrant) => Plot.line(points.filter((p) => p.entrant === entrant), { x: "snr", y: "value", stroke: ink(entrant) })),
          Plot.dot(points, { x: "snr", y: "value", r: 3.4, fill: (p) => ink(p.entrant), stroke: "var(--paper)", ...told(said) }),
          Plot.text(own.map((e) => points.findLast((p) => p.entrant === e)), { x: "snr", y: "value", text: (p) => InnerEar.plots.shorten(p.entrant.label, 20), textAnchor: "start", dx: 9, fill: (p) => ink(p.entrant) }),
        ],
      })));
  }

  // ---- vowels: the first two formants, requested and measured

  function vowels(rows) {
    const heard = rows.filter((r) => r.metric === "vowel" && r.detail.f1_hz && r.detail.f2_hz);
    if (!heard.length) return null;
    const targets = [...new Map(rows.filter((r) => r.metric === "vowel").map((r) => [r.check.ipa, r.check])).values()];
    return el("section", {}, el("h2", {}, "Vowels ", el("small", {}, "the first two formants: letters are requested, points are measured, green if the nearest vowel is the requested one")),
      fitted((width) => vowelPlot(heard, targets, width)));
  }

  function vowelPlot(heard, targets, width) {
    const labels = InnerEar.state.index.entrants.map((e) => e.label).filter((label) => heard.some((r) => r.label === label));
    const columns = Math.max(1, Math.min(labels.length, Math.floor(width / 240)));
    const side = Math.min(330, width / columns);
    const at = (d) => ({ fx: labels.indexOf(d.label) % columns, fy: Math.floor(labels.indexOf(d.label) / columns) });
    const facet = { fx: (d) => at(d).fx, fy: (d) => at(d).fy };
    const letters = labels.flatMap((label) => targets.map((t) => ({ label, ...t })));
    const f1 = d3.extent([...heard.map((r) => r.detail.f1_hz), ...targets.map((t) => t.f1_hz)]);
    const f2 = d3.extent([...heard.map((r) => r.detail.f2_hz), ...targets.map((t) => t.f2_hz)]);
    return Plot.plot({
      width: side * columns, height: Math.ceil(labels.length / columns) * side * 0.86 + 36,
      marginLeft: 46, marginBottom: 34, marginTop: 18, style,
      fx: { axis: null, padding: 0.12 }, fy: { axis: null, padding: 0.2 },
      x: { type: "log", domain: [f2[1] * 1.12, f2[0] / 1.12], label: "F2, Hz", labelAnchor: "center", labelArrow: "none", ticks: [700, 1000, 1500, 2000, 2500, 3000].filter((v) => v > f2[0] / 1.12 && v < f2[1] * 1.12), tickFormat: (v) => number(v) },
      y: { type: "log", domain: [f1[1] * 1.15, f1[0] / 1.15], label: "F1, Hz", labelAnchor: "center", labelArrow: "none", ticks: [200, 300, 400, 500, 600, 800, 1000].filter((v) => v > f1[0] / 1.15 && v < f1[1] * 1.15), tickFormat: (v) => number(v) },
      ariaLabel: "Vowel space",
      ariaDescription: heard.map((r) => `${r.label}, ${r.check.ipa}: F1 ${number(r.detail.f1_hz)}, F2 ${number(r.detail.f2_hz)} Hz, nearest ${r.detail.heard}`).join("; "),
      marks: [
        Plot.frame({ stroke: "var(--line)" }),
        Plot.text(labels.map((label) => ({ label })), { ...facet, text: "label", frameAnchor: "top-left", dy: -12, fill: "currentColor", fontWeight: 600 }),
        Plot.link(heard, { ...facet, x1: (r) => r.check.f2_hz, y1: (r) => r.check.f1_hz, x2: (r) => r.detail.f2_hz, y2: (r) => r.detail.f1_hz, stroke: "var(--strong)", strokeDasharray: "2 2" }),
        Plot.dot(heard, { ...facet, x: (r) => r.detail.f2_hz, y: (r) => r.detail.f1_hz, r: 4, fill: (r) => (r.passed ? "var(--yes)" : "none"), stroke: (r) => (r.passed ? "var(--yes)" : "var(--no)"), strokeWidth: 1.4, href: "href", ...told((r) => `requested ${r.check.ipa}: F1 ${number(r.check.f1_hz)}, F2 ${number(r.check.f2_hz)} Hz\nmeasured, nearest ${r.detail.heard}: F1 ${number(r.detail.f1_hz)}, F2 ${number(r.detail.f2_hz)} Hz`) }),
        Plot.text(letters, { ...facet, x: "f2_hz", y: "f1_hz", text: "ipa", fontSize: 15, fontWeight: 600, fill: "currentColor", stroke: "var(--paper)", strokeWidth: 3 }),
      ],
    });
  }

  const NOTHING = "none";

  // ---- closed sets: which word of a list was recognised

  function closedSets(rows, current) {
    const shown = InnerEar.shownModel(current);
    const heard = [
      ...rows.filter((r) => r.metric === "transcript" && r.check.closed_set && r.detail.heard !== undefined).map((r) => ({ ...r, asked: r.check.text, heard: r.detail.heard || NOTHING, set: r.check.closed_set })),
      ...rows.filter((r) => r.metric === "vowel" && r.detail.heard !== undefined).map((r) => ({ ...r, asked: r.check.among.find((v) => v.split("/").includes(r.check.ipa)) ?? r.check.ipa, heard: r.detail.heard ?? NOTHING, set: r.check.among })),
    ];
    if (!heard.length) return null;
    const sets = d3.groups(heard, (r) => r.set.join(" "));
    return el("section", {}, el("h2", {}, "Closed sets of ", InnerEar.modelPicker(current), " ", el("small", {}, "requested (rows) against recognised (columns); the diagonal is right")),
      el("div", { class: "rolls wide-rolls" }, sets.map(([, of]) => {
        const own = of.filter((r) => r.entrant === shown);
        const domain = of[0].set;
        const right = own.filter((r) => r.asked === r.heard).length;
        const every = rows.filter((r) => r.entrant === shown && inSet(r, domain));
        const silent = every.filter((r) => !r.item.audio).length;
        const apart = [[silent, "without sound"], [every.length - own.length - silent, "not checked"]].filter(([n]) => n > 0).map(([n, what]) => `, ${n} ${what}`).join("");
        return el("figure", { class: "panel" },
          el("figcaption", {}, el("b", {}, words(of[0].probe.family)), el("small", {}, own.length ? `${right} of ${every.length} right${apart}, chance ${quantity(1 / domain.length, "share")}` : "nothing recognised")),
          own.length ? fitted((width) => heat(InnerEar.confusion(own), { x: [...domain, ...new Set(own.map((r) => r.heard).filter((v) => !domain.includes(v)))], y: domain.filter((v) => own.some((r) => r.asked === v)), width, label: `${of[0].probe.family}: requested and recognised`, cell: 36, row: 22, diagonal: true, corner: "asked ╲ heard", format: (v) => v }), 200) : null);
      })));
  }

  const inSet = ({ metric, check }, set) => ["transcript", "vowel"].includes(metric) && (check.closed_set ?? check.among ?? []).join(" ") === set.join(" ");

  // ---- voices: the requested f0 range and the measured f0

  function voices(rows) {
    const heard = rows.filter((r) => r.metric === "voice_f0" && r.detail.f0_hz);
    if (!heard.length) return null;
    const asked = [...new Map(rows.filter((r) => r.metric === "voice_f0").map((r) => [r.probe.id, r])).values()];
    const all = [...heard.map((r) => r.detail.f0_hz), ...asked.flatMap((r) => [r.check.low_hz, r.check.high_hz])];
    return el("section", {}, el("h2", {}, "Voices ", el("small", {}, "fundamental frequency: bars are requested ranges, points are models, filled if in range")),
      fitted((width) => Plot.plot({
        width: Math.min(width, 900), height: 40 + 20 * asked.length, marginLeft: Math.min(width * 0.45, 340), marginBottom: 30, marginTop: 4, style,
        x: { type: "log", domain: [Math.min(...all) / 1.1, Math.max(...all) * 1.1], label: "f0, Hz", labelAnchor: "center", labelArrow: "none", ticks: [50, 100, 200, 400, 800, 1600].filter((v) => v > Math.min(...all) / 1.1 && v < Math.max(...all) * 1.1), tickFormat: (v) => number(v) },
        y: { type: "band", domain: asked.map((r) => r.probe.caption), label: null, tickSize: 0, padding: 0.35, tickFormat: (v) => InnerEar.plots.shorten(v, Math.min(width * 0.45, 340) / 6.2) },
        ariaLabel: "Voice f0, requested and measured",
        ariaDescription: heard.map((r) => `${r.label}, ${r.probe.caption}: ${number(r.detail.f0_hz)} Hz of ${number(r.check.low_hz)} to ${number(r.check.high_hz)}`).join("; "),
        marks: [
          Plot.ruleY(asked, { y: (r) => r.probe.caption, stroke: "var(--line)" }),
          Plot.barX(asked, { x1: (r) => r.check.low_hz, x2: (r) => r.check.high_hz, y: (r) => r.probe.caption, fill: "var(--strong)", fillOpacity: 0.45 }),
          Plot.dot(heard, { x: (r) => r.detail.f0_hz, y: (r) => r.probe.caption, r: 3.6, stroke: (r) => ink(r.entrant), fill: (r) => (r.passed ? ink(r.entrant) : "none"), strokeWidth: 1.4, href: "href", ...told((r) => `${r.probe.caption}\n${r.label}: ${number(r.detail.f0_hz)} Hz, requested ${number(r.check.low_hz)} to ${number(r.check.high_hz)}`) }),
        ],
      })));
  }

  // ---- sentences: requested and recognised words

  function sentences(rows, current) {
    const shown = InnerEar.shownModel(current);
    const own = rows.filter((r) => ["transcript", "words"].includes(r.metric) && !r.check.closed_set && r.entrant === shown && r.detail.heard !== undefined);
    if (!own.length) return null;
    return el("section", {}, el("h2", {}, "Words of ", shown.label, " ", el("small", {}, "requested, and what a recogniser made of them; the number is the share of words that are wrong")),
      el("div", { class: "wide" }, el("table", {},
        el("thead", {}, el("tr", {}, ["Requested", "Recognised", "", "Verdict"].map((h) => el("th", { scope: "col" }, h)))),
        el("tbody", {}, own.map((r) => el("tr", {},
          el("th", { scope: "row" }, el("a", { href: r.href }, r.check.text)), el("td", {}, r.detail.heard || el("span", { class: "muted" }, "no words")),
          el("td", { class: "small muted" }, r.detail.among ? `from ${number(r.detail.among)} candidates` : r.value === null || r.metric !== "words" ? "" : number(r.value, 2)),
          el("td", {}, r.passed == null ? "" : el("span", { class: r.passed ? "yes" : "no" }, r.passed ? "✓ passed" : "✗ failed"))))))));
  }

  return draw;
})();
