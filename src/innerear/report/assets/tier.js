"use strict";
// One tier: its funnel, its plots, every metric, and how its groups differ.

InnerEar.views.tier = (() => {
  const { el, href, words } = InnerEar;

  function draw(current) {
    const { index } = InnerEar.state;
    const { id: tier } = current;
    const { funnel, panels, numbers, distances, folded, tiersOf } = InnerEar.scores;
    if (!tiersOf(index).includes(tier)) return [el("p", {}, `There is no tier ${tier} in this run.`)];
    const probes = index.probes.filter((p) => p.tier === tier);
    const scores = index.scores.filter((s) => s.tier === tier);
    // the funnel shows its steps already; distances have their own section
    const apart = new Set([...index.funnels.flatMap((f) => f.steps.map((step) => step.name.replaceAll(" ", "_"))), "fad", "kad", "variety", "checks_difference", "identity_difference", "agreement", "ladder", "told_from_real"]);
    const families = d3.rollups(probes, (of) => of.length, (p) => p.family);
    return [
      el("section", { class: "lead" },
        el("h1", { class: "name" }, words(tier)),
        el("p", { class: "sub" }, `${probes.length} probes: `,
          families.map(([family, n], i) => [i ? ", " : "", el("a", { href: href("probes", "", new URLSearchParams({ tier, family })) }, words(family)), ` ${n}`]))),
      el("section", {}, el("h2", {}, "From completion to passing sound ", el("small", {}, InnerEar.scores.OF_FUNNEL)), funnel(index.funnels.filter((f) => f.tier === tier), tier)),
      el("div", { class: "pictures-of-tier" }, pictures(tier, current)),
      toldFromReal(scores),
      distances(scores),
      scores.length ? el("section", {}, folded("Every metric: value with 95 % interval, between floor and ceiling", () =>
        el("div", { class: "headline one" }, panels(scores.filter((s) => !apart.has(s.metric)))))) : null,
      ...groups(scores),
      failures(tier),
      scores.length ? el("section", {}, folded("The same as numbers", () => numbers(scores))) : null,
    ];
  }

  // The plots need the result of each check, which is loaded when the tier is opened.
  function pictures(tier, current) {
    const place = el("div", { class: "waits" }, el("p", { class: "muted" }, "…"));
    InnerEar.load("tier", tier, `data/${tier}.js`).then(
      (rows) => place.replaceChildren(...InnerEar.pictures[tier](joined(rows), current).filter(Boolean)),
      (error) => place.replaceChildren(el("p", { class: "error" }, error.message)))
      .finally(() => place.classList.remove("waits"));
    return place;
  }

  // Each row with its item, probe, check and entrant.
  function joined(rows) {
    const { index } = InnerEar.state;
    return rows.map((row) => {
      const item = index.items[row.item];
      const probe = index.probeById.get(item.probe);
      const entrant = index.entrants[item.entrant];
      return { ...row, item, probe, entrant, label: entrant.label, check: probe.expect[row.at], href: href("probe", probe.id, new URLSearchParams({ a: entrant.label })) };
    });
  }

  // How surely a classifier tells the sounds from recordings, by kind and family: a model's own line per family.
  function toldFromReal(scores) {
    const every = scores.filter((s) => s.metric === "told_from_real" && InnerEar.entrantOf(s) && !InnerEar.entrantOf(s).baseline);
    const own = every.filter((s) => s.value !== null);
    if (!own.length) return null;
    const ears = [...new Set(own.map(InnerEar.embedder))];
    const said = (s) => `${InnerEar.entrantOf(s).label}, ${words(s.group)}: ${s.value.toFixed(2)} ${InnerEar.interval(s)}\nn ${s.n}${s.detail.given_away?.length ? `\ngiven away by: ${s.detail.given_away.slice(0, 3).map(([, , text]) => text).join(", ")}` : ""}`;
    return el("section", {}, el("h2", {}, "Told from real ", el("small", {}, "AUC of a classifier that tells the sounds from recordings: 0.5 (green) if it cannot, 1 if it always can; per family where there are enough sounds")),
      el("div", { class: "multiples told", vars: { "--columns": ears.length } }, ears.map((ear) => {
        const rows = own.filter((s) => InnerEar.embedder(s) === ear).map((s) => ({ ...s, label: words(s.group), entrant: InnerEar.entrantOf(s) }));
        const labels = [...new Set(rows.map((r) => r.label))];
        return el("figure", { class: "panel" }, el("figcaption", {}, el("b", {}, InnerEar.scores.short(ear))),
          InnerEar.plots.fitted((width) => Plot.plot({
            width, height: 40 + 24 * labels.length, marginLeft: 96, marginRight: 96, marginTop: 6, marginBottom: 26, style: InnerEar.plots.style,
            x: { domain: [Math.min(0.4, ...rows.map((r) => r.low ?? r.value)), 1], label: null, ticks: 5, tickSize: 3 },
            y: { type: "band", domain: labels, label: null, tickSize: 0 },
            ariaLabel: `Told from real by family, ${InnerEar.scores.short(ear)}`,
            ariaDescription: rows.map((r) => said(r).replaceAll("\n", ", ")).join("; "),
            marks: [
              Plot.ruleY(labels, { y: (v) => v, stroke: "var(--line)" }),
              Plot.ruleX([0.5], { stroke: "var(--ceiling)", strokeWidth: 1.5 }),
              Plot.link(rows.filter((r) => r.low != null), { x1: "low", x2: "high", y1: "label", y2: "label", stroke: "var(--accent)", strokeOpacity: 0.35, strokeWidth: 6, strokeLinecap: "butt" }),
              Plot.dot(rows, { x: "value", y: "label", r: 3.6, fill: "var(--accent)", stroke: "var(--paper)", ...InnerEar.plots.told(said) }),
              new Set(rows.map((r) => r.entrant)).size === 1
                ? Plot.text(rows, { y: "label", text: (r) => `${r.value.toFixed(2)}  n ${r.n}`, frameAnchor: "right", textAnchor: "start", dx: 8, fill: "currentColor" })
                : null,
            ],
          })));
      })));
  }

  function groups(scores) {
    const sets = [["passed", "family", "Families", "share of sounds that pass every headline check"], ["checks", "level", "Levels", "share of checks passed, by the difficulty that the suite assigns to a probe"]]
      .map(([metric, kind, title, text]) => [title, text, metric, scores.filter((s) => s.metric === metric && s.group.startsWith(`${kind}:`) && s.value !== null)])
      .filter(([, , , own]) => own.length);
    return sets.map(([title, text, metric, own]) => el("section", {}, el("h2", {}, `${title} `, el("small", {}, text)),
      InnerEar.plots.fitted((width) => InnerEar.plots.matrix(own, metric, width))));
  }

  // What went wrong: one word per failed sound.
  function failures(tier) {
    const { index } = InnerEar.state;
    const failed = index.items.filter((item) => item.failure && index.probeById.get(item.probe).tier === tier);
    if (!failed.length) return null;
    const asked = d3.rollup(index.items.filter((item) => index.probeById.get(item.probe).tier === tier), (of) => of.length, (item) => item.entrant);
    const cells = d3.flatRollup(failed, (of) => of.length, (item) => item.failure, (item) => item.entrant).map(([word, entrant, n]) => {
      const { label } = index.entrants[entrant];
      return { x: word, y: label, share: n / asked.get(entrant), text: String(n), ink: "var(--no)", href: href("probes", "", new URLSearchParams({ tier, a: label, model: label, failure: word })), title: `${label}: ${word}, ${n} of ${asked.get(entrant)} sounds` };
    });
    const x = d3.groupSort(cells, (of) => -d3.sum(of, (c) => Number(c.text)), (c) => c.x);
    const y = index.entrants.map((e) => e.label).filter((label) => cells.some((c) => c.y === label));
    return el("section", {}, el("h2", {}, "What went wrong ", el("small", {}, "one label per failed sound; click a cell for its probes")),
      InnerEar.plots.fitted((width) => InnerEar.plots.heat(cells, { x, y, width, label: "Failures by model", cell: 104 })));
  }

  return { draw, title: ({ id }) => words(id) };
})();

// The model in a tier's large plots: named in the address, else the first that is not a baseline.
InnerEar.shownModel = (current) => {
  const { entrants } = InnerEar.state.index;
  return entrants.find((e) => e.label === current.params.get("m")) ?? entrants.find((e) => !e.baseline) ?? entrants[0];
};
InnerEar.modelPicker = (current) => {
  const { el, changed, state } = InnerEar;
  const shown = InnerEar.shownModel(current);
  return el("select", { class: "m", "aria-label": "Model shown", onchange: (e) => location.replace(changed({ m: e.target.value })) },
    state.index.entrants.map((e) => el("option", { value: e.label, selected: e === shown }, e.label)));
};
InnerEar.pictures = {};
