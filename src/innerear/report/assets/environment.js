"use strict";
// Environment: classes requested and recognised, and the rank of the requested class.

InnerEar.pictures.environment = (() => {
  const { el, quantity, words } = InnerEar;
  const { heat, fitted, ink, style, tip } = InnerEar.plots;

  const NOTHING = "no clear class";

  function draw(rows, current) {
    // without a clear class the requested one is never among the first
    const heard = rows.filter((r) => r.metric === "label" && r.detail.heard !== undefined).map((r) => ({ ...r, asked: r.check.label, heard: r.detail.heard ?? NOTHING, rank: r.detail.rank ?? Infinity }));
    const reason = rows.find((r) => r.metric === "label" && r.reason)?.reason;
    if (!heard.length && reason) return [el("p", { class: "note whole" }, el("b", {}, "Classes recognised"), `: ${reason}`)];
    return [heard.length ? ranks(heard) : null, heard.length ? classes(heard, current) : null, scenes(rows, current)];
  }

  // The share of sounds whose own class is among the tagger's first k.
  function ranks(heard) {
    const most = Math.max(10, ...heard.map((r) => r.rank).filter(Number.isFinite));
    const { entrants } = InnerEar.state.index;
    const own = entrants.filter((e) => heard.some((r) => r.entrant === e));
    const lines = own.flatMap((entrant) => {
      const places = heard.filter((r) => r.entrant === entrant).map((r) => r.rank);
      return d3.range(1, most + 1).map((k) => ({ entrant, label: entrant.label, k, share: places.filter((p) => p <= k).length / places.length, n: places.length }));
    });
    const ends = own.map((entrant) => lines.filter((l) => l.entrant === entrant).find((l) => l.k === Math.min(10, most)));
    const dash = (i) => ["", "5 3", "2 2", "8 3 2 3"][i % 4];
    return el("section", {}, el("h2", {}, "Is the requested class in the classifier’s top k? ", el("small", {}, "k = 1: the class is ranked first; dotted line: chance")),
      el("div", { class: "columns" },
        fitted((width) => Plot.plot({
          width: Math.min(width, 640), height: 250, marginLeft: 40, marginRight: 130, marginBottom: 32, style,
          x: { type: "log", domain: [1, most], label: "top k classes", labelAnchor: "center", labelArrow: "none", ticks: [1, 2, 3, 5, 10, 20, 50].filter((k) => k <= most), tickFormat: (k) => String(k) },
          y: { domain: [0, 1], label: null, tickFormat: (v) => `${Math.round(100 * v)} %`, ticks: 5, grid: true },
          ariaLabel: "Share of sounds whose class is in the top k",
          marks: [
            Plot.line(d3.range(1, most + 1), { x: (k) => k, y: (k) => k / most, stroke: "var(--muted)", strokeDasharray: "1 3" }),
            own.map((entrant, i) => Plot.line(lines.filter((l) => l.entrant === entrant), { x: "k", y: "share", stroke: ink(entrant), strokeDasharray: dash(i), curve: "step-after", strokeWidth: entrant.baseline ? 1.2 : 2 })),
            Plot.text(spread(lines.filter((l) => l.k === most), ends), { x: () => most, y: "at", text: (l) => InnerEar.plots.shorten(l.label, 20), textAnchor: "start", dx: 6, fill: (l) => ink(l.entrant) }),
            Plot.dot(lines, { x: "k", y: "share", r: 2, fill: (l) => ink(l.entrant), fillOpacity: 0, title: (l) => `${l.label}: the class is in the top ${l.k} for ${quantity(l.share, "share")} of ${l.n} sounds`, tip }),
          ],
        }))));
  }

  // Names at the right end of the lines, spread out, in the order of the lines where they differ most.
  function spread(lasts, ends) {
    const order = [...ends].sort((a, b) => b.share - a.share).map((l) => l.label);
    return lasts.sort((a, b) => order.indexOf(a.label) - order.indexOf(b.label)).map((l, i) => ({ ...l, at: Math.max(0, 0.98 - i * 0.075) }));
  }

  function classes(heard, current) {
    const shown = InnerEar.shownModel(current);
    const own = heard.filter((r) => r.entrant === shown);
    const all = [...new Set(heard.map((r) => r.asked))];
    const y = all.filter((v) => own.some((r) => r.asked === v));
    const x = [...all, ...[...new Set(own.map((r) => r.heard))].filter((v) => !all.includes(v)).sort((a, b) => d3.ascending(a === NOTHING, b === NOTHING) || d3.ascending(a, b))].filter((v) => y.includes(v) || own.some((r) => r.heard === v));
    const right = own.filter((r) => r.asked === r.heard).length;
    const passed = own.filter((r) => r.passed).length;
    const ceilings = InnerEar.state.index.ceilings ?? {};
    const rowFormat = (v) => (ceilings[v] === undefined ? words(v) : `${words(v)} ${Math.round(100 * ceilings[v])} %`);
    return el("section", {}, el("h2", {}, "Classes of ", InnerEar.modelPicker(current), " ", el("small", {}, `requested (rows, with the share of real recordings of that class that are recognised) against the class ranked first (columns). Of all ${own.length} sounds with the check label, counted in headlines or not, ${right} have exactly their class first (the diagonal) and ${passed} pass the check: their class, or one merged with it, is probable enough (green)`)),
      own.length
        ? el("div", { class: "wide" }, fitted((width) => heat(InnerEar.confusion(own), { x, y, width: Math.max(width, 700), label: `Classes requested and recognised, ${shown.label}`, cell: 22, row: 15, diagonal: true, corner: "asked ╲ heard", rowFormat }), 700))
        : el("p", { class: "muted" }, "No sound of this model could be checked."));
  }

  // Scenes: classes in sequence or at once.
  function scenes(rows, current) {
    const shown = InnerEar.shownModel(current);
    const own = rows.filter((r) => ["sequence", "together"].includes(r.metric) && r.entrant === shown && r.detail.heard);
    if (!own.length) return null;
    return el("section", {}, el("h2", {}, "Scenes of ", shown.label),
      el("div", { class: "wide" }, el("table", {},
        el("thead", {}, el("tr", {}, ["Probe", "How", "Requested", "Recognised", "Verdict"].map((h) => el("th", { scope: "col" }, h)))),
        el("tbody", {}, own.map((r) => el("tr", {},
          el("th", { scope: "row" }, el("a", { href: r.href }, r.probe.caption)), el("td", {}, r.metric === "sequence" ? "in sequence" : "at once"),
          el("td", {}, r.check.labels.map(words).join(", ")), el("td", {}, [].concat(r.detail.heard).map(words).join(", ") || "none"),
          el("td", {}, el("span", { class: r.passed ? "yes" : "no" }, r.passed ? "✓ passed" : "✗ failed"))))))));
  }

  return draw;
})();
