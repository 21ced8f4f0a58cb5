"use strict";
// Two entrants side by side: test results, and the probes that differ most, with both sounds.

InnerEar.views.compare = (() => {
  const { el, number, quantity, words, changed, metricLabel, href, route, say, NONE } = InnerEar;
  const SHOWN = { all: "better and worse", better: "better", worse: "worse", same: "the same" };
  let rows = []; // the rows shown, each with its own node
  let turn = 0;

  function draw(current) {
    const { comparison } = InnerEar.state.index;
    if (!comparison) return [el("p", {}, "This report has no comparison; `innerear compare RUN RUN` makes one.")];
    const pair = chosen(current);
    const metric = measured(current, pair);
    const show = SHOWN[current.params.get("show")] ? current.params.get("show") : "all";
    return [
      el("section", { class: "lead" }, el("h1", {}, `${pair.two.label} against ${pair.one.label}`)),
      el("section", { class: "finding" }, el("p", { class: "first" }, sentence(comparison.findings[pair.place]))),
      comparison.differs.length ? el("aside", { class: "warnings", "aria-label": "What differs" }, el("ul", {}, comparison.differs.map((text) => el("li", { title: text }, text)))) : null,
      pairs(pair, current),
      tests(pair),
      metric ? probes(pair, metric, show, current) : el("p", { class: "muted" }, "No measurements in common."),
      sets(pair),
      leftOut(comparison.left_out),
    ].filter(Boolean);
  }

  function sentence(text) {
    return text.charAt(0).toUpperCase() + text.slice(1);
  }

  function chosen(current) {
    const { comparison, entrants } = InnerEar.state.index;
    const place = Math.min(comparison.pairs.length - 1, Math.max(0, Number(current.params.get("pair")) || 0));
    const [one, two] = comparison.pairs[place].map((i) => entrants[i]);
    return { place, one, two };
  }

  function pairs(pair, current) {
    const { comparison, entrants } = InnerEar.state.index;
    if (comparison.pairs.length < 2) return null;
    return el("section", {}, el("label", {}, "Compared: ",
      el("select", { id: "pair", onchange: (e) => location.replace(changed({ pair: e.target.value, open: null }, current)) },
        comparison.pairs.map(([a, b], i) => el("option", { value: String(i), selected: i === pair.place }, `${entrants[b].label} against ${entrants[a].label}`)))));
  }

  // ---- the tests

  function tests(pair) {
    const { comparison } = InnerEar.state.index;
    const own = comparison.tests.filter((t) => t.first === pair.one.id && t.second === pair.two.id);
    if (!own.length) return null;
    const heads = ["", "Tier", "Verdict", "Difference", "95 % interval", "p (Holm)", "Visible", pair.one.label, pair.two.label, "Probes"];
    return el("section", { "aria-labelledby": "h-tests" },
      el("h2", { id: "h-tests" }, "Paired tests ", el("small", {}, "means over probes; paired sign-flip test, Holm correction over the tests of a metric")),
      el("div", { class: "wide" }, el("table", { class: "tests" },
        el("thead", {}, el("tr", {}, heads.map((h, i) => el("th", { scope: "col", class: i > 2 ? "num" : null }, h)))),
        el("tbody", {}, own.map((t) => el("tr", {},
          el("th", { scope: "row" }, metricLabel(t.metric)),
          el("td", {}, t.tier),
          el("td", {}, verdict(t)),
          el("td", { class: "num" }, el("b", {}, signed(t.difference, t.unit))),
          el("td", { class: "num" }, t.low === null ? NONE : `[${signed(t.low, t.unit)}, ${signed(t.high, t.unit)}]`),
          el("td", { class: "num" }, t.p_holm < 0.001 ? "< 0.001" : number(t.p_holm, 2)),
          el("td", { class: "num", title: "smallest difference that this test finds with a power of 80 %" }, signed(t.visible, t.unit).replace("+", "")),
          el("td", { class: "num" }, quantity(t.first_value, plainUnit(t.unit))),
          el("td", { class: "num" }, quantity(t.second_value, plainUnit(t.unit))),
          el("td", { class: "num" }, number(t.n))))))));
  }

  function verdict(test) {
    if (test.verdict === "better") return el("span", { class: "yes" }, "▲ better");
    if (test.verdict === "worse") return el("span", { class: "no" }, "▼ worse");
    return el("span", { class: "muted" }, "not significant");
  }

  function plainUnit(unit) {
    return unit === "share" ? "share" : "";
  }

  // A difference with its sign; shares in percentage points.
  function signed(value, unit) {
    if (value === null) return NONE;
    const size = unit === "share" ? (100 * Math.abs(value)).toFixed(1) : Math.abs(value).toFixed(3);
    return `${Number(size) === 0 ? "" : value > 0 ? "+" : "−"}${size}`;
  }

  // ---- the probes, largest difference first

  function measured(current, pair) {
    const { metrics } = InnerEar.state.index.comparison;
    const both = metrics.filter((m) => Object.keys(m.values[pair.one.id]).some((p) => p in m.values[pair.two.id]));
    const differs = both.find((m) => Object.entries(m.values[pair.one.id]).some(([p, v]) => p in m.values[pair.two.id] && m.values[pair.two.id][p] !== v));
    const named = both.find((m) => m.name === current.params.get("metric"));
    return both.length ? { both, metric: named ?? differs ?? both[0] } : null;
  }

  function probes(pair, { both, metric }, show, current) {
    const { index } = InnerEar.state;
    const [one, two] = [metric.values[pair.one.id], metric.values[pair.two.id]];
    const every = index.probes.filter((p) => p.id in one && p.id in two).map((probe) => ({ probe, one: one[probe.id], two: two[probe.id], by: two[probe.id] - one[probe.id] }));
    every.sort((a, b) => Math.abs(b.by) - Math.abs(a.by));
    const fits = { all: (r) => r.by !== 0, better: (r) => r.by > 0, worse: (r) => r.by < 0, same: (r) => r.by === 0 }[show];
    const count = (way) => every.filter(way).length;
    rows = every.filter(fits);
    const picker = (id, label, options, value) => el("label", {}, `${label} `,
      el("select", { id, onchange: (e) => location.replace(changed({ [id]: e.target.value, open: null }, current)) },
        options.map(([name, text]) => el("option", { value: name, selected: name === value }, text))));
    const list = el("ol", { class: "differences" }, rows.map((row) => line(row, pair, metric)));
    const open = rows.find((r) => r.probe.id === current.params.get("open")) ?? rows[0];
    if (open) toggle(open, pair, true, false);
    return el("section", { "aria-labelledby": "h-probes" },
      el("h2", { id: "h-probes" }, "Probe by probe ", el("small", {}, `${count((r) => r.by > 0)} better, ${count((r) => r.by < 0)} worse, ${count((r) => r.by === 0)} the same; largest difference first`)),
      el("div", { class: "choose" },
        picker("metric", "By", both.map((m) => [m.name, metricLabel(m.name)]), metric.name),
        picker("show", "Show", Object.entries(SHOWN), show)),
      rows.length ? list : el("p", { class: "muted" }, show === "all" ? "No probe differs." : "None."));
  }

  function line(row, pair, metric) {
    const text = (v) => quantity(v, plainUnit(metric.unit));
    const way = row.by > 0 ? ["yes", "▲"] : row.by < 0 ? ["no", "▼"] : ["muted", "="];
    row.button = el("button", { type: "button", class: "row", "aria-expanded": "false", onclick: () => toggle(row, pair, row.button.getAttribute("aria-expanded") !== "true", true) },
      el("span", { class: `by ${way[0]}` }, `${way[1]} ${signed(row.by, metric.unit)}`),
      el("span", { class: "values" }, `${text(row.one)} → ${text(row.two)}`),
      el("span", { class: "caption" }, row.probe.caption),
      el("span", { class: "where" }, row.probe.id));
    row.node = el("li", {}, row.button);
    return row.node;
  }

  function toggle(row, pair, open, chosenByUser) {
    for (const other of rows) {
      if (other.panes) {
        other.panes.remove();
        other.panes = null;
        other.button.setAttribute("aria-expanded", "false");
      }
    }
    InnerEar.player.stop("a");
    InnerEar.player.stop("b");
    const mine = ++turn;
    if (open) {
      row.button.setAttribute("aria-expanded", "true");
      row.panes = el("div", { class: "panes two" });
      row.node.append(row.panes);
      InnerEar.load("probe", row.probe.file, `data/${row.probe.file}.js`).then(
        (items) => { if (mine === turn) fill(row, pair, items); },
        (error) => { if (mine === turn) row.panes.replaceChildren(el("p", { class: "error" }, error.message)); });
    }
    if (chosenByUser) {
      history.replaceState(null, "", changed({ open: open ? row.probe.id : null }));
    }
  }

  function fill(row, pair, items) {
    const both = new URLSearchParams({ a: pair.one.label, b: pair.two.label });
    row.panes.replaceChildren(
      ...[["a", pair.one], ["b", pair.two]].map(([slot, entrant]) => {
        const item = items.find((i) => i.entrant === entrant.id);
        const why = item ? item.render.reason || `No sound: ${words(item.render.outcome)}.` : "This model has no completion for this probe.";
        return el("section", { class: "pane", "aria-label": entrant.label },
          el("div", { class: "pane-head" }, el("b", {}, entrant.label), item ? el("span", { class: `badge ${item.render.outcome === "ok" ? "ok" : "bad"}` }, words(item.render.outcome)) : null),
          item?.audio ? InnerEar.player.mount(slot, { name: item.render.audio, url: `../${item.audio}` }, entrant.label) : el("p", { class: "silent" }, why));
      }),
      el("p", { class: "more" }, row.probe.details, " ", el("a", { href: href("probe", row.probe.id, both) }, "Programs, checks and messages of both")));
  }

  // The keys j and k: open the next row.
  function step(by) {
    const at = rows.findIndex((r) => r.panes);
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
    if (!next || next.panes) return;
    toggle(next, chosen(route()), true, true);
    next.button.focus({ preventScroll: true });
    next.node.scrollIntoView({ block: "nearest" });
    say(`${next.probe.caption}, ${at + by + 1} of ${rows.length}`);
  }

  // ---- scores of whole sets

  function sets(pair) {
    const { lines } = InnerEar.state.index.comparison;
    const both = lines.map((line) => ({ ...line, one: line.cells[pair.one.id], two: line.cells[pair.two.id] })).filter((l) => l.one.value !== null || l.two.value !== null);
    if (!both.length) return null;
    return el("section", {}, el("details", {},
      el("summary", {}, el("h2", {}, "Set scores, side by side ", el("small", {}, "with 95 % intervals; † not comparable"))),
      el("div", { class: "wide" }, el("table", { class: "numbers" },
        el("thead", {}, el("tr", {}, ["Tier", "Metric", "Of", pair.one.label, pair.two.label, "Why not comparable"].map((h) => el("th", { scope: "col" }, h)))),
        el("tbody", {}, both.map((l) => el("tr", {},
          el("td", {}, l.tier), el("td", {}, [metricLabel(l.metric), l.embedder].filter(Boolean).join(", ")), el("td", {}, l.group),
          cell(l.one, l), cell(l.two, l),
          el("td", { class: "muted" }, l.one.mark || l.two.mark))))))));
  }

  function cell(score, { unit }) {
    if (score.value === null) return el("td", { title: score.mark || null }, NONE);
    return el("td", { title: score.signature }, el("b", {}, quantity(score.value, plainUnit(unit))), " ",
      el("span", { class: "muted" }, `${InnerEar.interval({ ...score, unit })} n ${number(score.n)}`), score.mark ? " †" : "");
  }

  function leftOut(probes) {
    const names = Object.entries(probes);
    if (!names.length) return null;
    return el("section", {}, el("details", {},
      el("summary", {}, el("h2", {}, `Excluded: ${number(names.length)} probes`)),
      el("ul", {}, names.map(([probe, why]) => el("li", {}, el("code", {}, probe), ` ${why}`)))));
  }

  return { draw, step, title: () => "Compare" };
})();
