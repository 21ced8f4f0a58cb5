"use strict";
// How the programs are built, read from their syntax trees, next to their scores.

InnerEar.views.anatomy = (() => {
  const { el, number, quantity, href, NONE } = InnerEar;
  const { heat, fitted, ink, style, told } = InnerEar.plots;

  function draw(current) {
    const { index } = InnerEar.state;
    const tier = current.params.get("tier");
    const built = index.items.filter((item) => item.built && (!tier || index.probeById.get(item.probe).tier === tier));
    const entrants = index.entrants.filter((e) => built.some((item) => item.entrant === e.id));
    const by = d3.group(built, (item) => item.entrant);
    const select = el("select", { id: "anatomy-tier", "aria-label": "Filter by tier", onchange: (e) => location.replace(InnerEar.changed({ tier: e.target.value || null })) },
      [["", "every tier"], ...InnerEar.scores.tiersOf(index).map((t) => [t, t])].map(([value, text]) => el("option", { value, selected: value === (tier ?? "") }, text)));
    const head = el("section", { class: "lead" },
      el("h1", {}, "How the programs are built"),
      el("p", { class: "sub" }, "Read from each program’s text; nothing is run. A program may use several techniques. ", select));
    if (!built.length) return [head, el("p", { class: "muted" }, "No programs.")];
    return [
      head,
      el("section", {}, el("h2", {}, "Code and scores"), table(entrants, by)),
      el("section", {}, el("h2", {}, "Techniques ", el("small", {}, "share of a model’s programs; after ✓, the share of those that pass every headline check")), techniques(entrants, by)),
      el("section", {}, el("h2", {}, "Lines of code ", el("small", {}, "one tick per program, green if its sound passes every headline check; click to open; ring: median")), fitted((width) => lines(entrants, built, width))),
    ];
  }

  const passes = (items) => {
    const judged = items.filter((item) => item.of);
    return judged.length ? { share: judged.filter((item) => item.passed === item.of).length / judged.length, n: judged.length } : null;
  };

  function table(entrants, by) {
    const { index } = InnerEar.state;
    const tiers = InnerEar.scores.tiersOf(index);
    const score = (entrant, tier) => index.scores.find((s) => s.metric === "checks" && s.group === "all" && s.tier === tier && InnerEar.entrantOf(s) === entrant);
    const heads = ["Model", "Programs", "Lines, median", "Techniques per program", "Literal frequencies, median", "Loops over samples", "Imports", ...tiers.map((tier) => `Checks passed, ${tier}`)];
    return el("div", { class: "wide" }, el("table", { class: "anatomy" },
      el("thead", {}, el("tr", {}, heads.map((h) => el("th", { scope: "col" }, h)))),
      el("tbody", {}, entrants.map((e) => {
        const own = by.get(e.id);
        const imports = d3.rollups(own.flatMap((item) => item.built.imports), (of) => of.length, (name) => name).sort((a, b) => b[1] - a[1]).slice(0, 4);
        return el("tr", { class: e.baseline ? "baseline" : null },
          el("th", { scope: "row" }, e.label), el("td", { class: "num" }, number(own.length)),
          el("td", { class: "num" }, number(d3.median(own, (i) => i.built.lines))), el("td", { class: "num" }, number(d3.mean(own, (i) => i.built.techniques.length), 2)),
          el("td", { class: "num" }, number(d3.median(own, (i) => i.built.hz))), el("td", { class: "num" }, quantity(d3.mean(own, (i) => (i.built.loops > 0 ? 1 : 0)), "share")),
          el("td", { class: "small" }, imports.map(([name]) => name).join(", ")),
          tiers.map((tier) => {
            const s = score(e, tier);
            return el("td", { class: "num" }, s?.value == null ? NONE : [el("b", {}, quantity(s.value, "share")), " ", el("span", { class: "muted small" }, InnerEar.interval(s))]);
          }));
      }))));
  }

  function techniques(entrants, by) {
    const { index } = InnerEar.state;
    const cells = entrants.flatMap((e) => index.techniques.map((name, i) => {
      const own = by.get(e.id);
      const having = own.filter((item) => item.built.techniques.includes(i));
      const passed = passes(having);
      return {
        x: name, y: e.label, share: having.length / own.length, text: having.length ? `${number(Math.round((100 * having.length) / own.length))} %${passed ? ` · ✓ ${number(Math.round(100 * passed.share))} %` : ""}` : NONE,
        href: having.length ? href("probe", having[0].probe, new URLSearchParams({ a: e.label })) : null,
        title: `${e.label}: ${name} in ${having.length} of ${own.length} programs${passed ? `\n${quantity(passed.share, "share")} of ${passed.n} checked programs pass` : ""}`,
      };
    }));
    return fitted((width) => heat(cells, { x: index.techniques, y: entrants.map((e) => e.label), width, label: "Techniques by model", cell: 130 }));
  }

  function lines(entrants, built, width) {
    const { index } = InnerEar.state;
    const rows = built.map((item) => ({ item, entrant: index.entrants[item.entrant], label: index.entrants[item.entrant].label, lines: item.built.lines, pass: item.state === "pass", probe: index.probeById.get(item.probe) }));
    const left = Math.min(width * 0.36, 12 + 6.3 * Math.max(...entrants.map((e) => e.label.length)));
    return Plot.plot({
      width, height: 34 + 24 * entrants.length, marginLeft: left, marginBottom: 32, marginTop: 2, style,
      x: { label: "lines of code", labelAnchor: "center", labelArrow: "none", zero: true },
      y: { type: "band", domain: entrants.map((e) => e.label), label: null, tickSize: 0, padding: 0.2 },
      ariaLabel: "Lines of code by model",
      ariaDescription: d3.rollups(rows, (of) => d3.median(of, (r) => r.lines), (r) => r.label).map(([label, median]) => `${label}: median ${median}`).join("; "),
      marks: [
        Plot.ruleY(entrants, { y: "label", stroke: "var(--line)" }),
        Plot.tickX(rows, { x: "lines", y: "label", stroke: (r) => (r.pass ? "var(--yes)" : ink(r.entrant)), strokeOpacity: 0.55, strokeWidth: 2, href: (r) => href("probe", r.probe.id, new URLSearchParams({ a: r.label })), ...told((r) => `${r.probe.caption}\n${r.label}: ${r.lines} lines`) }),
        Plot.dot(rows, Plot.groupY({ x: "median" }, { x: "lines", y: "label", r: 4, fill: "var(--paper)", stroke: "currentColor", strokeWidth: 1.5 })),
      ],
    });
  }

  return { draw, title: () => "Anatomy" };
})();
