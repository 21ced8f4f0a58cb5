"use strict";
// Notes: pitch requested and measured, phrases as piano rolls, instrument families as confusion matrices.

InnerEar.pictures.notes = (() => {
  const { el, number } = InnerEar;
  const { heat, fitted, ink, style, tip, told } = InnerEar.plots;
  const NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];
  const note = (midi) => `${NAMES[((Math.round(midi) % 12) + 12) % 12]}${Math.floor(Math.round(midi) / 12) - 1}`;

  function draw(rows, current) {
    return [pitches(rows), tunes(rows, current), phrases(rows, current), instruments(rows)];
  }

  // ---- pitch: one frame per entrant; a point links to its probe

  function pitches(rows) {
    const points = rows.filter((r) => r.metric === "pitch" && r.value !== null)
      .map((r) => ({ ...r, asked: r.check.f0_hz, heard: r.check.f0_hz * 2 ** (r.value / 1200) }));
    if (points.length < 5) return null;
    return el("section", {}, el("h2", {}, "Pitch ", el("small", {}, "requested against measured; one point per probe, filled if within tolerance; click to open")),
      fitted((width) => pitchPlot(points, width)));
  }

  function pitchPlot(points, width) {
    const { entrants } = InnerEar.state.index;
    const labels = entrants.map((e) => e.label).filter((label) => points.some((p) => p.label === label));
    const columns = Math.max(1, Math.min(labels.length, Math.floor(width / 230)));
    const side = Math.min(300, width / columns);
    const all = points.flatMap((p) => [p.asked, p.heard]);
    const domain = [Math.min(...all) / 1.1, Math.max(...all) * 1.1];
    const at = (d) => ({ fx: labels.indexOf(d.label) % columns, fy: Math.floor(labels.indexOf(d.label) / columns) });
    const facet = { fx: (d) => at(d).fx, fy: (d) => at(d).fy };
    const octaves = d3.range(0, 10).map((k) => 32.7032 * 2 ** k).filter((hz) => hz >= domain[0] && hz <= domain[1]);
    const scale = { type: "log", domain, ticks: octaves, tickFormat: (hz) => note(69 + 12 * Math.log2(hz / 440)), tickSize: 3 };
    return Plot.plot({
      width: side * columns,
      height: Math.ceil(labels.length / columns) * side * 0.86 + 30,
      marginLeft: 40, marginBottom: 32, marginTop: 18,
      style,
      fx: { axis: null, padding: 0.14 }, fy: { axis: null, padding: 0.2 },
      x: { ...scale, label: "requested", labelAnchor: "center", labelArrow: "none" },
      y: { ...scale, label: "measured", labelAnchor: "center", labelArrow: "none" },
      ariaLabel: "Pitch requested and measured",
      marks: [
        Plot.frame({ stroke: "var(--line)" }),
        Plot.link([0], { x1: domain[0], y1: domain[0], x2: domain[1], y2: domain[1], stroke: "var(--strong)" }),
        Plot.text(labels.map((label) => ({ label })), { ...facet, text: "label", frameAnchor: "top-left", dx: 0, dy: -12, fill: "currentColor", fontWeight: 600 }),
        Plot.dot(points, { ...facet, x: "asked", y: "heard", r: 3, stroke: (d) => ink(d.entrant), fill: (d) => (d.passed ? ink(d.entrant) : "none"), href: "href", ...told((d) => `${d.probe.caption}\n${d.label}: ${number(d.value)} cents`) }),
      ],
    });
  }

  // ---- phrases: bars are requested notes, marks are detected notes

  function phrases(rows, current) {
    const mine = rows.filter((r) => r.metric === "notes");
    if (!mine.length) return null;
    const shown = InnerEar.shownModel(current);
    const own = mine.filter((r) => r.entrant === shown);
    return el("section", {}, el("h2", {}, "Phrases of ", InnerEar.modelPicker(current), " ", el("small", {}, "bars are requested notes, marks are detected notes, filled if onset and pitch are right")),
      own.length
        ? el("div", { class: "rolls" }, own.map((r) => el("figure", { class: "panel" },
            el("figcaption", {}, el("a", { href: r.href }, r.probe.caption), el("small", {}, verdict(r))),
            fitted((width) => roll(r.check, r, width, 110), 180))))
        : el("p", { class: "muted" }, "No notes of this model were detected."));
  }

  // ---- tunes: asked in any key and at any tempo, so drawn in the key and at the tempo that were played

  function tunes(rows, current) {
    const mine = rows.filter((r) => r.metric === "tune" && r.detail.heard?.length);
    if (!mine.length) return null;
    const shown = InnerEar.shownModel(current);
    const own = mine.filter((r) => r.entrant === shown);
    return el("section", {}, el("h2", {}, "Tunes of ", InnerEar.modelPicker(current), " ", el("small", {}, "bars are the tune as written, moved to the key and tempo that were played; marks are detected notes, filled if right")),
      own.length
        ? el("div", { class: "rolls" }, own.map((r) => el("figure", { class: "panel" },
            el("figcaption", {}, el("a", { href: r.href }, r.probe.caption), el("small", {}, `${r.passed ? "✓" : "✗"} ${number(100 * r.value)} % of notes`)),
            fitted((width) => roll(inPlay(r.check, r.detail.heard), r, width, 110), 180))))
        : el("p", { class: "muted" }, "No notes of this model were detected."));
  }

  // A tune as notes with times, in the key and at the tempo of what was heard.
  function inPlay(check, heard) {
    const setting = [check.notes, ...(check.also ?? [])].find((notes) => notes.length === heard.length) ?? check.notes;
    const differences = setting.length === heard.length
      ? setting.map(([midi], i) => heard[i][1] - midi)
      : setting.flatMap(([midi]) => heard.map(([, other]) => Math.round(other - midi)));
    const key = setting.length === heard.length ? d3.median(differences) : d3.mode(differences);
    const starts = d3.cumsum(setting, ([, beats]) => beats).map((end, i) => end - setting[i][1]);
    const beat_s = (heard.at(-1)[0] - heard[0][0]) / (starts.at(-1) || 1) || 0.5;
    const notes = setting.map(([midi, beats], i) => [heard[0][0] + starts[i] * beat_s, heard[0][0] + (starts[i] + beats) * beat_s, midi + key]);
    return { notes, onset_tolerance_s: Math.max(0.1, 0.3 * beat_s), pitch_tolerance_cents: 60, octave_free: check.octave_free };
  }

  const verdict = (r) => `${r.passed ? "✓" : "✗"} F ${number(r.value, 2)}`;

  // A piano roll of requested and detected notes; `heard` is the measurement, if any.
  function roll(check, heard, width, height = 150) {
    const asked = check.notes.map(([start, end, midi]) => ({ start: Number(start.toFixed(3)), end: Number(end.toFixed(3)), midi }));
    const found = (heard?.detail?.heard ?? []).map(([onset, midi]) => ({
      onset, midi,
      right: asked.some((a) => Math.abs(a.start - onset) <= check.onset_tolerance_s && Math.abs(off(a.midi, midi, check.octave_free)) * 100 <= check.pitch_tolerance_cents),
    }));
    // notes far from all requested ones are drawn at the edge
    const [lowest, highest] = d3.extent(asked, (a) => a.midi);
    const shown = (midi) => Math.min(highest + FAR, Math.max(lowest - FAR, midi));
    const span = d3.extent([...asked.map((a) => a.midi), ...found.map((f) => shown(f.midi))]);
    const last = Math.max(...asked.map((a) => a.end), ...found.map((f) => f.onset));
    const ticks = [...new Set(asked.map((a) => a.midi))];
    return Plot.plot({
      width, height, marginLeft: 32, marginBottom: 18, marginTop: 4, marginRight: 6, style,
      x: { domain: [0, last], label: null, ticks: Math.max(2, width / 90), tickSize: 3, tickFormat: (t) => (t ? `${t}` : "0 s") },
      y: { domain: [span[0] - 1.5, span[1] + 1.5], label: null, ticks: apart(ticks, span, height), tickFormat: note, tickSize: 0 },
      ariaLabel: "Piano roll of requested and detected notes",
      ariaDescription: `requested: ${asked.map((a) => `${note(a.midi)} at ${a.start} s`).join(", ")}; detected: ${found.map((f) => `${note(f.midi)} at ${f.onset} s`).join(", ") || "nothing"}`,
      marks: [
        Plot.gridY(ticks, { stroke: "var(--line)", strokeOpacity: 0.7 }),
        Plot.rect(asked, { x1: "start", x2: "end", y1: (a) => a.midi - 0.5, y2: (a) => a.midi + 0.5, fill: "var(--strong)", fillOpacity: 0.45, stroke: "var(--muted)", strokeWidth: 0.7, insetRight: 1, title: (a) => `requested: ${note(a.midi)}, ${a.start} to ${a.end} s` }),
        Plot.dot(found, { x: "onset", y: (f) => shown(f.midi), r: 3.6, symbol: "diamond2", stroke: (f) => (f.right ? "var(--yes)" : "var(--no)"), fill: (f) => (f.right ? "var(--yes)" : "none"), strokeWidth: 1.4, title: (f) => `detected: ${note(f.midi)} (${number(f.midi, 4)}) at ${f.onset} s`, tip }),
      ],
    });
  }

  const FAR = 7; // semitones

  // Distance in semitones, folded to the nearest octave if any octave counts.
  function off(asked, heard, octaveFree) {
    const apart = heard - asked;
    return octaveFree ? apart - 12 * Math.round(apart / 12) : apart;
  }

  // Pitches to label on the axis: those that do not overlap.
  function apart(ticks, [low, high], height) {
    const room = (12 * (high - low + 3)) / height;
    return ticks.sort((a, b) => a - b).reduce((kept, t) => (kept.length && t - kept.at(-1) < room ? kept : [...kept, t]), []);
  }

  // Requested and detected onsets on a time axis.
  function times(check, heard, width) {
    const asked = check.times_s;
    const found = heard?.detail?.heard_s ?? [];
    return Plot.plot({
      width, height: 62, marginLeft: 62, marginBottom: 18, marginTop: 2, marginRight: 6, style,
      x: { domain: [0, Math.max(...asked, ...found) + 0.2], label: null, tickSize: 3, tickFormat: (t) => (t ? `${t}` : "0 s") },
      y: { domain: ["requested", "detected"], label: null, tickSize: 0 },
      ariaLabel: "Onsets requested and detected",
      marks: [
        Plot.ruleY(["requested", "detected"], { stroke: "var(--line)" }),
        Plot.tickX(asked, { x: (t) => t, y: () => "requested", stroke: "var(--muted)", strokeWidth: 2 }),
        Plot.tickX(found, { x: (t) => t, y: () => "detected", stroke: (t) => (asked.some((a) => Math.abs(a - t) <= check.tolerance_s) ? "var(--yes)" : "var(--no)"), strokeWidth: 2 }),
      ],
    });
  }

  // ---- instruments: the requested family against the best-scoring one

  function instruments(rows) {
    const heard = rows.filter((r) => r.metric === "instrument" && r.passed !== null)
      .map((r) => ({ ...r, asked: r.check.family, heard: familyHeard(r) }));
    if (!heard.length) return null;
    const labels = InnerEar.state.index.entrants.map((e) => e.label).filter((label) => heard.some((r) => r.label === label));
    const y = [...new Set(heard.map((r) => r.asked))];
    const others = [...new Set(heard.map((r) => r.heard))].filter((v) => !y.includes(v)).sort();
    const x = [...y, ...others];
    return el("section", {}, el("h2", {}, "Instrument families ", el("small", {}, "requested (rows) against best-scoring (columns); green passes: the log odds of the requested family reach its threshold")),
      el("div", { class: "rolls wide-rolls" }, labels.map((label) => el("figure", { class: "panel" }, el("figcaption", {}, el("b", {}, label)),
        fitted((width) => heat(InnerEar.confusion(heard.filter((r) => r.label === label)), { x, y, width, label: `Families requested and recognised, ${label}`, cell: 40, row: 22, diagonal: true, corner: "asked ╲ heard" }), 240)))));
  }

  function familyHeard({ detail, passed, check }) {
    return detail.heard ?? (passed ? check.family : "none of these");
  }

  return Object.assign(draw, { roll, inPlay, times, note });
})();

// Rows of requested and recognised classes as matrix cells: counts, and shares of what was requested.
InnerEar.confusion = (rows) => {
  const { words } = InnerEar;
  const asked = d3.rollup(rows, (of) => of.length, (r) => r.asked);
  return d3.flatRollup(rows, (of) => of, (r) => r.asked, (r) => r.heard).map(([y, x, of]) => ({
    x, y, share: of.length / asked.get(y), text: String(of.length), ink: x === y || of.every((r) => r.passed) ? "var(--yes)" : "var(--accent)", href: of[0].href,
    title: `requested ${words(y)}, recognised ${words(x)}: ${of.length} of ${asked.get(y)}\n${of.slice(0, 4).map((r) => r.probe.caption).join("\n")}${of.length > 4 ? "\n…" : ""}`,
  }));
};
