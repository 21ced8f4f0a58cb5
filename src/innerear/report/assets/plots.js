"use strict";
// All plots, drawn with Observable Plot. Colours are CSS variables, so a theme change needs no redraw.

InnerEar.plots = (() => {
  const { number, quantity, interval, metricLabel, entrantOf, words } = InnerEar;

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

  // One metric in one tier: one block per group, one line per entrant, the value with its interval,
  // and the floor and ceiling of that same set, named in the head of the block.
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
    // a scale with a best end starts at zero; one without, such as loudness, need not
    const [least, most] = [...d3.extent(scores[0].better === "neither" ? everything : [0, ...everything])];
    const domain = share ? [0, 1] : least === most ? [least, least + 1] : [least, most];
    const left = Math.min(width * 0.36, 8 + 6.1 * Math.max(...rows.map((row) => row.label.length)));
    const right = 126;
    const lines = groups.flatMap((group, i) => [...(heads[i] ? [heads[i].y] : []), ...rows.filter((r) => r.group === group).map((r) => r.y)]);
    const labels = new Map(rows.map((row) => [row.y, shorten(row.label, (width * 0.36) / 6.1)]));
    const above = heads.filter(Boolean).flatMap((head) => apart(head.bounds, domain, width - left - right).map((mark) => ({ ...mark, y: head.y })));
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
        Plot.text(above, { x: "value", y: "y", text: (m) => words(m.name), fill: (m) => `var(--${m.side})`, fontSize: 10, dy: 1 }),
        Plot.link(measured.filter((r) => r.low != null && r.high != null), { x1: "low", x2: "high", y1: "y", y2: "y", stroke: ink, strokeOpacity: 0.35, strokeWidth: 6, strokeLinecap: "butt" }),
        Plot.dot(measured, { x: "value", y: "y", r: 3.4, fill: ink, stroke: "var(--paper)", title: described, tip }),
        Plot.text(rows, { y: "y", text: (r) => (share ? quantity(r.value, "share") : number(r.value)), frameAnchor: "right", textAnchor: "end", dx: 46, fill: "currentColor", fontWeight: 600 }),
        Plot.text(rows, { y: "y", text: (r) => interval(r.score) + (r.score.note ? " †" : ""), frameAnchor: "right", textAnchor: "start", dx: 51, fill: "var(--muted)", fontSize: 10 }),
      ],
    });
  }

  // The bounds of a block by name, from its first line that has them.
  function named(scores) {
    return [...new Map(scores.flatMap(bounds).reverse().map((m) => [`${m.side} ${m.name}`, m])).values()];
  }

  function shorten(text, room) {
    return text.length <= room ? text : `${text.slice(0, Math.max(4, room - 1))}…`;
  }

  // Drop names that would overlap; the tip and the table have them.
  function apart(marks, [low, high], width) {
    const at = (m) => ((m.value - low) / (high - low || 1)) * width;
    const kept = [];
    for (const mark of [...marks].sort((a, b) => a.value - b.value)) {
      const before = kept.at(-1);
      if (!before || at(mark) - at(before) > 3 * (mark.name.length + before.name.length) + 4) kept.push(mark);
    }
    return kept;
  }

  const tip = { fill: "var(--paper)", stroke: "var(--line)", fontSize: 11 };

  // Text of a linked mark: its tooltip, and the accessible name of its link.
  const told = (text) => ({ title: text, ariaLabel: text, tip });

  // A heat map of shares: groups, confusions, techniques, failures.
  // Each cell: x, y, share (0 to 1), text, title, href.
  // `rowFormat`: names of rows, if they differ from those of columns.
  function heat(cells, { x, y, width, label, cell = 92, row = 26, room = 0.36, corner = "", diagonal = false, format = words, rowFormat = format }) {
    const longest = (domain, named = format) => Math.max(0, ...domain.map((v) => named(v).length));
    const left = Math.min(width * room, 12 + 6.3 * longest(y, rowFormat));
    const wide = Math.min(cell, (width - left - 4) / x.length);
    const fitting = (text) => (6.2 * text.length <= wide || !text.endsWith("%") ? text : String(Math.round(parseFloat(text))));
    const turned = 5.6 * longest(x) > wide; // names that have no room stand at a slant
    const top = (turned ? Math.min(150, 12 + 5.4 * longest(x)) : 22) + (corner && !turned ? 18 : 0);
    return Plot.plot({
      width: left + wide * x.length + 4,
      height: top + row * y.length + 4,
      marginLeft: left, marginTop: top, marginBottom: 4, marginRight: 4,
      style,
      x: { domain: x, axis: "top", label: null, tickSize: 0, padding: 0.06, tickFormat: (v) => shorten(format(v), turned ? 27 : wide / 6), tickRotate: turned ? -60 : 0 },
      y: { domain: y, label: null, tickSize: 0, padding: 0.08, tickFormat: (v) => shorten(rowFormat(v), left / 6.1) },
      ariaLabel: label,
      ariaDescription: cells.slice(0, 200).map((c) => c.title.replaceAll("\n", ", ")).join("; "),
      marks: [
        corner ? Plot.text([corner], { frameAnchor: "top-left", text: (d) => d, dx: -left + 2, dy: -top + 9, textAnchor: "start", fill: "var(--muted)", fontSize: 10 }) : null,
        diagonal ? Plot.cell(x.filter((v) => y.includes(v)), { x: (v) => v, y: (v) => v, stroke: "var(--strong)", inset: 0.5 }) : Plot.frame({ stroke: "none" }),
        Plot.cell(cells, { x: "x", y: "y", fill: (c) => c.ink ?? "var(--accent)", fillOpacity: (c) => (c.share > 0 ? 0.1 + 0.6 * c.share : 0.03) }),
        wide >= 15 ? Plot.text(cells, { x: "x", y: "y", text: (c) => fitting(c.text ?? ""), fill: "currentColor", fontSize: wide < 34 ? 10 : 11 }) : null,
        Plot.cell(cells, { x: "x", y: "y", fill: "transparent", href: (c) => c.href ?? null, ...told("title") }),
      ],
    });
  }

  // Scores of one metric: groups against entrants.
  function matrix(scores, metric, width) {
    const { unit, better } = scores[0];
    const known = scores.filter((s) => s.value !== null);
    const [low, high] = unit === "share" ? [0, 1] : d3.extent(known, (s) => s.value);
    const strength = (value) => {
      const share = high > low ? (value - low) / (high - low) : 0.5;
      return better === "lower" ? 1 - share : share;
    };
    // with few sounds a cell is a count in grey, not a share
    const cells = scores.map((s) => {
      const { label } = entrantOf(s);
      const few = s.value === null || (unit === "share" && s.n < FEW);
      const group = s.group.replace(/^(family|level):/, "");
      const [kind] = s.group.split(":");
      const params = new URLSearchParams({ tier: s.tier, a: label, ...(kind === "family" || kind === "level" ? { [kind]: group } : {}) });
      const text = s.value === null ? "–" : few ? `${Math.round(s.value * s.n)}/${s.n}` : quantity(s.value, unit);
      return { x: group, y: label, share: s.value === null ? 0 : strength(s.value) * (few ? 0.4 : 1), text, ink: few ? "var(--muted)" : undefined, href: InnerEar.href("probes", "", params), title: `${label}, ${words(s.group.replace(":", " "))}: ${quantity(s.value, unit)} ${interval(s)}\nn ${s.n}, missing ${s.missing}` };
    });
    const y = InnerEar.state.index.entrants.map((e) => e.label).filter((label) => cells.some((c) => c.y === label));
    const kind = scores[0].group.split(":")[0];
    const x = [...new Set(scores.map((s) => s.group.replace(/^(family|level):/, "")))];
    if (kind === "level") x.sort((a, b) => a - b);
    return heat(cells, { x, y, width, label: `${metricLabel(metric)} by ${kind}`, format: (v) => (kind === "level" && x.includes(v) ? `level ${v}` : words(v)) });
  }

  const FEW = 10; // as in the scorecard

  // Paired differences from one entrant: one line per entrant, right of zero if it is better.
  function differences(rows, width) {
    const most = Math.max(0.1, ...rows.flatMap((r) => [r.low, r.high, r.value].filter((v) => v != null).map(Math.abs)));
    const left = Math.min(width * 0.36, 8 + 6.1 * Math.max(...rows.map((r) => r.label.length)));
    const ink = (r) => (r.p < 0.05 ? (r.value > 0 ? "var(--yes)" : "var(--no)") : "var(--muted)");
    return Plot.plot({
      width, height: 44 + rows.length * 17, marginLeft: left, marginRight: 118, marginTop: 4, marginBottom: 38, style,
      x: { domain: [-most, most], label: "difference in checks passed, percentage points", labelAnchor: "center", labelOffset: 32, labelArrow: "none", tickFormat: (v) => number(Math.round(100 * v)), ticks: 5, tickSize: 3 },
      y: { type: "band", domain: rows.map((r) => r.label), axis: null, padding: 0 },
      ariaLabel: "Differences, paired by probe",
      ariaDescription: rows.map((r) => `${r.label}: ${number(100 * r.value)} points, p ${number(r.p, 2)}, n ${r.n}`).join("; "),
      marks: [
        Plot.ruleY(rows, { y: "label", stroke: "var(--line)" }),
        Plot.ruleX([0], { stroke: "var(--strong)" }),
        Plot.text(rows, { y: "label", text: (r) => shorten(r.label, left / 6.1), frameAnchor: "left", textAnchor: "end", dx: -7, fill: "currentColor" }),
        Plot.link(rows.filter((r) => r.low != null), { x1: "low", x2: "high", y1: "label", y2: "label", stroke: ink, strokeOpacity: 0.4, strokeWidth: 6, strokeLinecap: "butt" }),
        Plot.dot(rows, { x: "value", y: "label", r: 3.4, fill: ink, stroke: "var(--paper)", title: (r) => `${r.label}: ${number(100 * r.value)} percentage points [${number(100 * r.low)}, ${number(100 * r.high)}]\np = ${number(r.p, 2)} (sign-flip test, Holm over the tiers), ${r.n} probes`, tip }),
        Plot.text(rows, { y: "label", text: (r) => signed(100 * r.value), frameAnchor: "right", textAnchor: "end", dx: 40, fontWeight: 600, fill: "currentColor" }),
        Plot.text(rows, { y: "label", text: (r) => (r.p < 0.001 ? "p < 0.001" : `p = ${number(r.p, 2)}`), frameAnchor: "right", textAnchor: "start", dx: 46, fill: "var(--muted)", fontSize: 10 }),
      ],
    });
  }

  const signed = (value) => `${value > 0 ? "+" : ""}${number(value, 3)}`;

  // A plot drawn to the width of its container, redrawn when that changes.
  function fitted(draw, least = 260) {
    const place = InnerEar.el("div", { class: "plot" });
    let drawn = 0;
    const observer = new ResizeObserver(([entry]) => {
      const width = Math.max(least, Math.floor(entry.contentRect.width));
      if (width === drawn || !place.isConnected) return;
      drawn = width;
      const plot = draw(width);
      if (plot) namedLinks(plot);
      place.replaceChildren(...(plot ? [plot] : []));
    });
    observer.observe(place);
    return place;
  }

  // Move accessible names to links, which the keyboard reaches; drop Plot's own names of its parts.
  function namedLinks(plot) {
    for (const part of plot.querySelectorAll("[aria-label]:not([role], a, svg)")) {
      part.closest("a")?.setAttribute("aria-label", part.getAttribute("aria-label"));
      part.removeAttribute("aria-label");
    }
  }

  return { scale, heat, matrix, differences, fitted, shorten, ink, style, tip, told };
})();
