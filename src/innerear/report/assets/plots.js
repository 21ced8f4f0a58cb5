"use strict";
// Every picture of numbers, drawn by Observable Plot. Colours are CSS variables, so that a change of
// theme needs no drawing again.

InnerEar.plots = (() => {
  const { number, quantity, interval, metricLabel, entrantOf } = InnerEar;

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

  // One metric in one tier: a block a group, a line an entrant, the value with its interval, and the
  // floor and ceiling that belong to that very set. A block's head holds the names of those.
  function scale(scores, width) {
    const groups = [...new Set(scores.map((s) => s.group))].sort((a, b) => (b === "all") - (a === "all"));
    const { metric, tier } = scores[0];
    const plain = groups.length === 1 && ["all", tier].includes(groups[0]);
    const rows = [];
    const heads = [];
    for (const group of groups) {
      const own = scores.filter((s) => s.group === group).sort((a, b) => entrantOf(a).id - entrantOf(b).id);
      if (!plain || own.some((s) => bounds(s).length)) heads.push({ y: `${group}/`, group: plain ? "" : group, bounds: named(own) });
      else heads.push(null);
      rows.push(...own.map((score) => ({ ...entrantOf(score), score, y: `${group}/${entrantOf(score).id}`, group, value: score.value, low: score.low, high: score.high })));
    }
    const marks = rows.flatMap((row) => bounds(row.score).map((mark) => ({ ...mark, y: row.y })));
    const measured = rows.filter((row) => row.value !== null);
    const everything = [...marks.map((m) => m.value), ...measured.flatMap((r) => [r.value, r.low, r.high])].filter((v) => v != null);
    const share = scores[0].unit === "share";
    // a scale that has a best end starts at zero; one that has none, such as loudness, need not
    const [least, most] = [...d3.extent(scores[0].better === "neither" ? everything : [0, ...everything])];
    const domain = share ? [0, 1] : least === most ? [least, least + 1] : [least, most];
    const left = Math.min(width * 0.36, 8 + 6.1 * Math.max(...rows.map((row) => row.label.length)));
    const right = 126;
    const lines = groups.flatMap((group, i) => [...(heads[i] ? [heads[i].y] : []), ...rows.filter((r) => r.group === group).map((r) => r.y)]);
    const labels = new Map(rows.map((row) => [row.y, shorten(row.label, (width * 0.36) / 6.1)]));
    const above = heads.filter(Boolean).flatMap((head) => apart(head.bounds, domain, width - left - right).map((mark) => ({ ...mark, y: head.y })));
    const tip = { fill: "var(--paper)", stroke: "var(--line)", fontSize: 11 };
    return Plot.plot({
      width,
      height: 23 + lines.length * 16,
      marginTop: 2, marginBottom: 20, marginLeft: left, marginRight: right,
      style,
      x: { domain, label: null, ticks: Math.max(2, Math.floor(width / 120)), tickSize: 3, tickFormat: share ? (d) => `${Math.round(100 * d)}` : undefined, nice: !share },
      y: { domain: lines, axis: null, padding: 0 },
      ariaLabel: `${metricLabel(metric)}, ${tier}`,
      ariaDescription: rows.map(described).join("; "),
      marks: [
        Plot.ruleY(rows, { y: "y", stroke: "var(--line)" }),
        Plot.text(rows, { y: "y", text: (r) => labels.get(r.y), frameAnchor: "left", textAnchor: "end", dx: -7, fill: (r) => (r.baseline ? "var(--muted)" : "currentColor") }),
        Plot.text(heads.filter(Boolean), { y: "y", text: "group", frameAnchor: "left", textAnchor: "start", dx: 2 - left, fontWeight: 600, fill: "currentColor" }),
        Plot.tickX(marks, { x: "value", y: "y", inset: 2, stroke: (m) => `var(--${m.side})`, strokeWidth: 1.5 }),
        Plot.text(above, { x: "value", y: "y", text: "name", fill: (m) => `var(--${m.side})`, fontSize: 10, dy: 1 }),
        Plot.link(measured.filter((r) => r.low != null && r.high != null), { x1: "low", x2: "high", y1: "y", y2: "y", stroke: ink, strokeOpacity: 0.35, strokeWidth: 6, strokeLinecap: "butt" }),
        Plot.dot(measured, { x: "value", y: "y", r: 3.4, fill: ink, stroke: "var(--paper)", title: described, tip }),
        Plot.text(rows, { y: "y", text: (r) => (share ? quantity(r.value, "share") : number(r.value)), frameAnchor: "right", textAnchor: "end", dx: 46, fill: "currentColor", fontWeight: 600 }),
        Plot.text(rows, { y: "y", text: (r) => interval(r.score) + (r.score.note ? " †" : ""), frameAnchor: "right", textAnchor: "start", dx: 51, fill: "var(--muted)", fontSize: 10 }),
      ],
    });
  }

  // The bounds of a block by name: those of its first line that has them.
  function named(scores) {
    return [...new Map(scores.flatMap(bounds).reverse().map((m) => [`${m.side} ${m.name}`, m])).values()];
  }

  // Asked against heard pitch, one frame an entrant; a point leads to its probe.
  function pitch(tier, width) {
    const { index } = InnerEar.state;
    const points = index.items.flatMap((item) => {
      const probe = index.probeById.get(item.probe);
      const check = probe.tier === tier && probe.expect.find((c) => c.check === "pitch");
      if (!check || item.values.pitch === undefined) return [];
      const entrant = index.entrants[item.entrant];
      return [{ asked: check.f0_hz, heard: check.f0_hz * 2 ** (item.values.pitch / 1200), label: entrant.label, entrant, probe, cents: item.values.pitch, good: item.state === "pass" }];
    });
    if (points.length < 5) return null;
    const labels = index.entrants.map((e) => e.label).filter((label) => points.some((p) => p.label === label));
    const columns = Math.max(1, Math.min(labels.length, Math.floor(width / 230)));
    const side = Math.min(300, width / columns);
    const all = points.flatMap((p) => [p.asked, p.heard]);
    const domain = [Math.min(...all) / 1.1, Math.max(...all) * 1.1];
    const at = (d) => ({ fx: labels.indexOf(d.label) % columns, fy: Math.floor(labels.indexOf(d.label) / columns) });
    const facet = { fx: (d) => at(d).fx, fy: (d) => at(d).fy };
    const scale = { type: "log", domain, tickFormat: "~s", ticks: 4 };
    return Plot.plot({
      width: side * columns,
      height: Math.ceil(labels.length / columns) * side * 0.86 + 30,
      marginLeft: 46, marginBottom: 32, marginTop: 18,
      style,
      fx: { axis: null, padding: 0.14 }, fy: { axis: null, padding: 0.2 },
      x: { ...scale, label: "asked, Hz", labelAnchor: "center", labelArrow: "none" },
      y: { ...scale, label: "heard, Hz", labelAnchor: "center", labelArrow: "none" },
      ariaLabel: "Pitch asked against pitch heard",
      marks: [
        Plot.frame({ stroke: "var(--line)" }),
        Plot.link([0], { x1: domain[0], y1: domain[0], x2: domain[1], y2: domain[1], stroke: "var(--strong)" }),
        Plot.text(labels.map((label) => ({ label })), { ...facet, text: "label", frameAnchor: "top-left", dx: 0, dy: -12, fill: "currentColor", fontWeight: 600 }),
        Plot.dot(points, { ...facet, x: "asked", y: "heard", r: 3, stroke: (d) => ink(d.entrant), fill: (d) => (d.good ? ink(d.entrant) : "none"), href: (d) => InnerEar.href("probe", d.probe.id, new URLSearchParams({ a: d.label })), title: (d) => `${d.probe.caption}\n${d.label}: ${number(d.cents)} cents`, tip: { fill: "var(--paper)", stroke: "var(--line)", fontSize: 11 } }),
      ],
    });
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
    const rows = scores.map((score) => ({ score, x: score.group, y: entrantOf(score).label, value: score.value }));
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

  return { scale, matrix, pitch, fitted };
})();
