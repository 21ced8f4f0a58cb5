"use strict";
// Every picture of numbers, drawn by Observable Plot. Colours are CSS variables, so that a change of
// theme needs no drawing again.

InnerEar.plots = (() => {
  const { number, quantity, interval, metricLabel } = InnerEar;

  const ink = (row) => (row.baseline ? "var(--muted)" : "var(--accent)");
  const style = { background: "none", fontSize: "11px", overflow: "visible" };

  function bounds(score) {
    const marks = [];
    for (const [side, values] of [["floor", score.floor], ["ceiling", score.ceiling]]) {
      for (const [name, value] of Object.entries(values ?? {})) {
        if (value !== null) marks.push({ side, name, value });
      }
    }
    return marks;
  }

  function described(row) {
    const { score } = row;
    const lines = [`${row.label}: ${quantity(score.value, score.unit)} ${interval(score)}`, `n ${score.n}, missing ${score.missing}`];
    for (const { side, name, value } of bounds(score)) lines.push(`${side}, ${name}: ${quantity(value, score.unit)}`);
    if (score.note) lines.push(score.note);
    return lines.join("\n");
  }

  // One metric in one tier: a line an entrant, the value with its interval between floor and ceiling.
  function scale(scores, metric, tier, width) {
    const entrants = InnerEar.state.index.entrants;
    const rows = entrants.flatMap((entrant) => {
      const score = scores.find((s) => s.metric === metric && s.tier === tier && s.group === "all" && s.model === entrant.model && s.strategy === entrant.strategy);
      return score ? [{ ...entrant, score, value: score.value, low: score.low, high: score.high }] : [];
    });
    if (!rows.length) return null;
    const marks = rows.flatMap((row) => bounds(row.score).map((mark) => ({ ...mark, label: row.label })));
    const measured = rows.filter((row) => row.value !== null);
    const everything = [...marks.map((m) => m.value), ...measured.flatMap((r) => [r.value, r.low, r.high])].filter((v) => v != null);
    const share = rows[0].score.unit === "share";
    const domain = share ? [0, 1] : [Math.min(0, ...everything), Math.max(...everything, 1e-9)];
    // the name of a bound stands once, above its mark on the first line that has it
    const named = [...new Map(marks.map((m) => [`${m.side} ${m.name}`, m])).values()];
    const longest = Math.max(...rows.map((row) => row.label.length));
    const plot = Plot.plot({
      width,
      height: 34 + rows.length * 19,
      marginTop: named.length ? 17 : 6,
      marginBottom: 17,
      marginLeft: Math.min(width * 0.36, 8 + longest * 6.1),
      marginRight: 112,
      style,
      x: { domain, label: null, ticks: Math.max(2, Math.floor(width / 120)), tickSize: 3, tickFormat: share ? (d) => `${Math.round(100 * d)}` : undefined, nice: !share },
      y: { domain: rows.map((r) => r.label), label: null, tickSize: 0, tickFormat: (d) => shorten(d, (width * 0.36) / 6.1) },
      ariaLabel: `${metricLabel(metric)}, ${tier}`,
      ariaDescription: rows.map(described).join("; "),
      marks: [
        Plot.ruleY(rows, { y: "label", stroke: "var(--line)" }),
        Plot.tickX(marks, { x: "value", y: "label", inset: 2, stroke: (m) => `var(--${m.side})`, strokeWidth: 1.5 }),
        Plot.text(apart(named, domain, width - 230), { x: "value", text: "name", frameAnchor: "top", dy: -11, fill: (m) => `var(--${m.side})`, fontSize: 10 }),
        Plot.link(measured.filter((r) => r.low != null && r.high != null), { x1: "low", x2: "high", y1: "label", y2: "label", stroke: ink, strokeOpacity: 0.35, strokeWidth: 6, strokeLinecap: "butt" }),
        Plot.dot(measured, { x: "value", y: "label", r: 3.6, fill: ink, stroke: "var(--paper)", title: described, tip: { fill: "var(--paper)", stroke: "var(--line)", fontSize: 11 } }),
        Plot.text(rows, { y: "label", text: (r) => r.score.unit === "share" ? quantity(r.value, "share") : number(r.value), frameAnchor: "right", textAnchor: "end", dx: 46, fill: "currentColor", fontWeight: 600 }),
        Plot.text(rows, { y: "label", text: (r) => interval(r.score), frameAnchor: "right", textAnchor: "start", dx: 51, fill: "var(--muted)", fontSize: 10 }),
      ],
    });
    return plot;
  }

  function shorten(text, room) {
    return text.length <= room ? text : `${text.slice(0, Math.max(4, room - 1))}…`;
  }

  // Names that would overlap are left to the tip and the table.
  function apart(marks, [low, high], width) {
    const at = (m) => ((m.value - low) / (high - low || 1)) * width;
    const kept = [];
    for (const mark of [...marks].sort((a, b) => a.value - b.value)) {
      const before = kept.at(-1);
      if (!before || at(mark) - at(before) > 3 * (mark.name.length + before.name.length) + 4) kept.push(mark);
    }
    return kept;
  }

  // Groups of a tier against entrants, each cell a score.
  function matrix(scores, metric, width) {
    const label = (s) => InnerEar.state.index.entrants.find((e) => e.model === s.model && e.strategy === s.strategy)?.label ?? s.model;
    const rows = scores.map((score) => ({ score, x: score.group, y: label(score), value: score.value }));
    const { unit, better } = scores[0];
    const extent = d3.extent(rows, (r) => r.value);
    const [low, high] = unit === "share" ? [0, 1] : extent;
    const strength = (r) => {
      const share = high > low ? (r.value - low) / (high - low) : 0.5;
      return better === "lower" ? 1 - share : share;
    };
    const entrants = [...new Set(rows.map((r) => r.y))];
    const groups = [...new Set(rows.map((r) => r.x))];
    const left = Math.min(width * 0.36, 8 + 6.1 * Math.max(...entrants.map((e) => e.length)));
    const shown = rows.filter((r) => r.value !== null);
    return Plot.plot({
      width: Math.min(width, left + 110 * groups.length),
      height: 30 + 26 * entrants.length,
      marginLeft: left,
      marginTop: 22,
      marginBottom: 4,
      marginRight: 4,
      style,
      x: { domain: groups, axis: "top", label: null, tickSize: 0, padding: 0.04 },
      y: { domain: entrants, label: null, tickSize: 0, padding: 0.08, tickFormat: (d) => shorten(d, (width * 0.36) / 6.1) },
      ariaLabel: `${metricLabel(metric)} by group`,
      marks: [
        Plot.cell(shown, { x: "x", y: "y", fill: "var(--accent)", fillOpacity: (r) => 0.06 + 0.6 * strength(r), title: (r) => `${r.y}, ${r.x}: ${quantity(r.value, unit)} ${interval(r.score)}\nn ${r.score.n}, missing ${r.score.missing}`, tip: { fill: "var(--paper)", stroke: "var(--line)", fontSize: 11 } }),
        Plot.text(rows, { x: "x", y: "y", text: (r) => (r.value === null ? "–" : quantity(r.value, unit)), fill: "currentColor" }),
      ],
    });
  }

  // A plot that is drawn to the width of its place, and again when that changes.
  function fitted(draw, least = 260) {
    const place = InnerEar.el("div", { class: "plot" });
    let drawn = 0;
    const observer = new ResizeObserver(([entry]) => {
      const width = Math.max(least, Math.floor(entry.contentRect.width));
      if (width === drawn || !place.isConnected) return;
      drawn = width;
      const plot = draw(width);
      place.replaceChildren(...(plot ? [plot] : []));
    });
    observer.observe(place);
    return place;
  }

  return { scale, matrix, fitted, number };
})();
