"use strict";
// One screen: the question, what became of the completions, and the headline scores.

InnerEar.views.overview = (() => {
  const { el, number, quantity, interval, metricLabel, NONE, href } = InnerEar;

  function draw() {
    const { index } = InnerEar.state;
    const { asked } = index;
    return [
      el("section", { class: "lead" },
        el("h1", {}, "Can a language model that has never heard anything write a sound?"),
        el("p", { class: "sub" },
          `${plural(index.entrants.length, "model")}, ${plural(index.probes.length, "probe")} of ${asked.suite}, ${plural(index.items.length, "completion")}: each a program, run in a jail, its sound measured. `,
          el("a", { href: href("run") }, "What was asked, in full"))),
      warnings(index.warnings),
      el("section", { "aria-labelledby": "h-funnel" },
        el("h2", { id: "h-funnel" }, "What became of the completions"),
        funnel(index.funnels)),
      el("section", { "aria-labelledby": "h-scores" },
        el("h2", { id: "h-scores" }, "How it sounds ", el("small", {}, "value with its 95 % interval, between floor and ceiling")),
        headline(index)),
      el("section", {},
        el("details", {},
          el("summary", {}, el("h2", {}, "The same as numbers")),
          numbers(index.scores.filter((s) => s.group === "all")))),
    ];
  }

  function plural(n, word) {
    return `${number(n)} ${word}${n === 1 ? "" : "s"}`;
  }

  function warnings(list) {
    if (!list.length) return null;
    return el("aside", { class: "warnings", "aria-label": "Warnings" },
      el("ul", {}, list.map((text) => el("li", {}, text))));
  }

  // The funnels of several tiers are added up, step by step.
  function funnel(funnels) {
    if (!funnels.length) return el("p", { class: "muted" }, "No counts were given.");
    const steps = funnels[0].steps.map((s) => s.name);
    const rows = InnerEar.state.index.entrants.map((entrant) => {
      const own = funnels.filter((f) => f.model === entrant.model && f.strategy === entrant.strategy);
      const sum = (i, what) => own.reduce((total, f) => total + (f.steps[i]?.[what] ?? 0), 0);
      return { entrant, cells: steps.map((_, i) => ({ count: sum(i, "count"), of: sum(i, "of") })) };
    });
    return el("div", { class: "wide" },
      el("table", { class: "funnel" },
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Model"), steps.map((s) => el("th", { scope: "col" }, InnerEar.words(s))))),
        el("tbody", {}, rows.map(({ entrant, cells }) =>
          el("tr", { class: entrant.baseline ? "baseline" : null },
            el("th", { scope: "row" }, el("a", { href: href("probes", "", new URLSearchParams({ a: entrant.label })) }, entrant.label)),
            cells.map(({ count, of }) => el("td", {},
              of
                ? [el("span", { class: "fill", vars: { "--share": count / of }, "aria-hidden": "true" }),
                   el("b", {}, `${number(100 * count / of)} %`), " ", el("small", {}, `${count}/${of}`)]
                : el("span", { class: "muted" }, NONE))))))));
  }

  function tiersOf(index) {
    return [...new Set(index.probes.map((p) => p.tier))];
  }

  function headline(index) {
    const tiers = tiersOf(index);
    const known = index.metrics.filter((m) => m.headline).map((m) => m.name);
    const metrics = known.length ? known : [...new Set(index.scores.filter((s) => s.group === "all").map((s) => s.metric))];
    if (!metrics.length) return el("p", { class: "muted" }, "No scores yet.");
    return el("div", { class: "headline", vars: { "--tiers": tiers.length } },
      tiers.map((tier) => el("h3", { class: "tier" }, el("a", { href: href("tier", tier) }, tier))),
      metrics.flatMap((metric) => tiers.map((tier) => panel(index.scores, metric, tier))));
  }

  function panel(scores, metric, tier) {
    const own = scores.filter((s) => s.metric === metric && s.tier === tier && s.group === "all");
    if (!own.length) return el("figure", { class: "panel empty", "aria-hidden": "true" });
    const { better, unit } = own[0];
    const direction = { higher: "higher is better", lower: "lower is better", neither: "" }[better];
    const text = InnerEar.state.index.metricText.get(metric)?.text;
    const ns = [...new Set(own.map((s) => s.n))].sort((a, b) => a - b);
    const n = ns.length > 1 ? `n ${ns[0]}–${ns.at(-1)}` : `n ${ns[0]}`;
    const missing = own.some((s) => s.value === null) ? own.find((s) => s.value === null).note : "";
    return el("figure", { class: "panel" },
      el("figcaption", { title: text || null },
        el("b", {}, metricLabel(metric)), el("span", { class: "tier-name" }, ` · ${tier}`),
        el("small", {}, [unit && unit !== "share" ? unit : unit === "share" ? "%" : "", direction, n].filter(Boolean).join(" · "))),
      own.every((s) => s.value === null)
        ? el("p", { class: "muted" }, missing || "not measured")
        : InnerEar.plots.fitted((width) => InnerEar.plots.scale(scores, metric, tier, width)));
  }

  function numbers(scores) {
    const labels = new Map(InnerEar.state.index.entrants.map((e) => [`${e.model}\n${e.strategy}`, e.label]));
    const pairs = (of, unit) => Object.entries(of ?? {}).map(([name, value]) => `${name} ${quantity(value, unit)}`).join(", ") || NONE;
    const heads = ["Tier", "Group", "Metric", "Model", "Value", "95 % interval", "Floor", "Ceiling", "n", "Missing", "Note", "Signature"];
    return el("div", { class: "wide" },
      el("table", { class: "numbers" },
        el("thead", {}, el("tr", {}, heads.map((h) => el("th", { scope: "col" }, h)))),
        el("tbody", {}, scores.map((s) => el("tr", {},
          el("td", {}, s.tier), el("td", {}, s.group), el("td", {}, metricLabel(s.metric)),
          el("td", {}, labels.get(`${s.model}\n${s.strategy}`) ?? s.model),
          el("td", { class: "num" }, el("b", {}, quantity(s.value, s.unit))),
          el("td", { class: "num" }, interval(s) || NONE),
          el("td", {}, pairs(s.floor, s.unit)), el("td", {}, pairs(s.ceiling, s.unit)),
          el("td", { class: "num" }, number(s.n)), el("td", { class: "num" }, number(s.missing)),
          el("td", {}, s.note), el("td", { class: "mono" }, s.signature))))));
  }

  return { draw, funnel, panel, numbers, tiersOf, title: () => "Overview" };
})();
