"use strict";
// One screen: the question, the finding, the funnel of completions, and the headline scores.
// Below it: models side by side, families, and all scores as numbers.

InnerEar.views.overview = (() => {
  const { el, number, embedder, entrantOf, href } = InnerEar;

  function draw(current) {
    const { index } = InnerEar.state;
    const { funnel, table, numbers, folded } = InnerEar.scores;
    return [
      el("section", { class: "lead" },
        el("h1", {}, "Can a language model that has never heard anything write a sound?"),
        el("p", { class: "sub" },
          `${plural(index.entrants.length, "model")}, ${plural(index.probes.length, "probe")} of ${index.asked.suite}, ${plural(index.items.length, "completion")}. Each completion is a program; it runs in a jail, and the sound it writes is measured. `,
          el("a", { href: href("run") }, "Full run settings"))),
      finding(index.finding),
      el("section", { "aria-labelledby": "h-funnel" },
        el("h2", { id: "h-funnel" }, "From completion to passing sound ", el("small", {}, InnerEar.scores.OF_FUNNEL)),
        funnel(index.funnels)),
      el("section", { "aria-labelledby": "h-scores" },
        el("h2", { id: "h-scores" }, "Headline scores ", el("small", {}, "value with 95 % interval, between floor and ceiling")),
        headline(index)),
      warnings(index.warnings),
      sideBySide(index, current),
      families(index),
      el("section", {}, folded("Every headline as numbers: value, interval, normalised, floor, ceiling, n", () => table(index.scores))),
      el("section", {}, folded("All scores with signatures", () => numbers(index.scores))),
    ];
  }

  function plural(n, word) {
    return `${number(n)} ${word}${n === 1 ? "" : "s"}`;
  }

  function finding([first, ...rest]) {
    if (!first) return null;
    return el("section", { class: "finding", "aria-label": "Finding" },
      el("p", { class: "first" }, first),
      rest.length ? el("p", { class: "sub" }, rest.slice(0, 3).join(" ")) : null,
      rest.length > 3 ? el("details", {}, el("summary", {}, `${rest.length - 3} more`), el("p", { class: "sub" }, rest.slice(3).join(" "))) : null);
  }

  function warnings(list) {
    if (!list.length) return null;
    return el("aside", { class: "warnings", "aria-labelledby": "h-warnings" },
      el("h2", { id: "h-warnings" }, "Before you trust a number"),
      el("ul", {}, list.map((text) => el("li", {}, InnerEar.coded(text)))));
  }

  // Per tier: checks passed, one distance by one embedder, and the CLAP score. The tier's view has the rest.
  const SHOWN = ["checks", "kad", "clap"];

  function headline(index) {
    const tiers = InnerEar.scores.tiersOf(index);
    const scores = index.scores.filter((s) => SHOWN.includes(s.metric) && (!embedder(s) || s.metric === "clap" || embedder(s) === heardBy(index)));
    if (!scores.length) return el("p", { class: "muted" }, "No scores yet.");
    return el("div", { class: "headline", vars: { "--tiers": tiers.length } },
      tiers.map((tier) => el("div", { class: "tier" },
        el("h3", {}, el("a", { href: href("tier", tier) }, tier)),
        InnerEar.scores.panels(scores.filter((s) => s.tier === tier)))));
  }

  // The embedder of the headline: the first network; spectral statistics (mel) only if there is none.
  function heardBy(index) {
    const names = [...new Set(index.scores.filter((s) => s.metric === "kad" && s.value !== null).map(embedder))];
    return names.find((name) => !name.startsWith("mel")) ?? names[0];
  }

  // Every entrant against one of them, paired by probe; the address names which.
  function sideBySide(index, current) {
    const all = index.scores.filter((s) => s.metric === "checks_difference" && s.value !== null);
    if (!all.length) return null;
    const { entrants } = index;
    const to = entrants.find((e) => e.label === current.params.get("to")) ?? entrants.find((e) => !e.baseline) ?? entrants[0];
    const rows = all.flatMap((s) => {
      const own = entrantOf(s);
      const other = otherOf(s);
      if (!own || !other || (own !== to && other !== to)) return [];
      const sign = other === to ? 1 : -1; // a score is own minus other; the plot shows the other minus `to`
      const [low, high] = sign > 0 ? [s.low, s.high] : [s.high == null ? null : -s.high, s.low == null ? null : -s.low];
      return [{ tier: s.tier, label: (own === to ? other : own).label, id: (own === to ? other : own).id, value: sign * s.value, low, high, p: s.detail.p_holm, n: s.n }];
    }).sort((a, b) => a.id - b.id);
    const tiers = InnerEar.scores.tiersOf(index).filter((tier) => rows.some((r) => r.tier === tier));
    const select = el("select", { id: "to", "aria-label": "Compare all models with", onchange: (e) => location.replace(InnerEar.changed({ to: e.target.value })) },
      entrants.map((e) => el("option", { value: e.label, selected: e === to }, e.label)));
    return el("section", { "aria-labelledby": "h-pairs" },
      el("h2", { id: "h-pairs" }, "Side by side with ", select, " ", el("small", {}, "checks passed, paired by probe; coloured if p < 0.05 after Holm correction over the tiers")),
      rows.length
        ? el("div", { class: "headline", vars: { "--tiers": tiers.length } }, tiers.map((tier) => el("div", { class: "tier" },
            el("h3", {}, tier), InnerEar.plots.fitted((width) => InnerEar.plots.differences(rows.filter((r) => r.tier === tier), width)))))
        : el("p", { class: "muted" }, "No other model has scored probes in common with this one."));
  }

  function otherOf(score) {
    const [model, strategy = score.strategy] = score.group.replace(/^vs:/, "").split(", ");
    return InnerEar.state.index.entrants.find((e) => e.model === model && e.strategy === strategy);
  }

  function families(index) {
    const all = index.scores.filter((s) => s.metric === "passed" && s.group.startsWith("family:") && s.value !== null && entrantOf(s));
    const tiers = InnerEar.scores.tiersOf(index).filter((tier) => all.some((s) => s.tier === tier));
    if (!tiers.length) return null;
    return el("section", { "aria-labelledby": "h-families" },
      el("h2", { id: "h-families" }, "Families ", el("small", {}, "share of sounds that pass every headline check; click a cell for its probes")),
      el("div", { class: "headline", vars: { "--tiers": tiers.length } }, tiers.map((tier) => el("div", { class: "tier" }, el("h3", {}, tier),
        InnerEar.plots.fitted((width) => InnerEar.plots.matrix(all.filter((s) => s.tier === tier), "passed", width))))));
  }

  return { draw, title: () => "Overview" };
})();
