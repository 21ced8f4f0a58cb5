"use strict";
// One screen: the question, the finding, what became of the completions, and the headline scores.
// Below it the models side by side, the families, and everything as numbers.

InnerEar.views.overview = (() => {
  const { el, number, embedder, entrantOf, href } = InnerEar;

  function draw(current) {
    const { index } = InnerEar.state;
    const { funnel, table, numbers, folded } = InnerEar.scores;
    return [
      el("section", { class: "lead" },
        el("h1", {}, "Can a language model that has never heard anything write a sound?"),
        el("p", { class: "sub" },
          `${plural(index.entrants.length, "model")}, ${plural(index.probes.length, "probe")} of ${index.asked.suite}, ${plural(index.items.length, "completion")}: each a program, run in a jail, its sound measured. `,
          el("a", { href: href("run") }, "What was asked, in full"))),
      finding(index.finding),
      el("section", { "aria-labelledby": "h-funnel" },
        el("h2", { id: "h-funnel" }, "What became of the completions ", el("small", {}, InnerEar.scores.OF_FUNNEL)),
        funnel(index.funnels)),
      el("section", { "aria-labelledby": "h-scores" },
        el("h2", { id: "h-scores" }, "How it sounds ", el("small", {}, "value with its 95 % interval, between floor and ceiling")),
        headline(index)),
      warnings(index.warnings),
      sideBySide(index, current),
      families(index),
      el("section", {}, folded("Every headline as numbers: value, interval, normalised, floor, ceiling, n", () => table(index.scores))),
      el("section", {}, folded("Every score with its signature", () => numbers(index.scores))),
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
      rest.length > 3 ? el("details", {}, el("summary", {}, `of ${rest.length - 3} more`), el("p", { class: "sub" }, rest.slice(3).join(" "))) : null);
  }

  function warnings(list) {
    if (!list.length) return null;
    return el("aside", { class: "warnings", "aria-labelledby": "h-warnings" },
      el("h2", { id: "h-warnings" }, "Before you believe a number"),
      el("ul", {}, list.map((text) => el("li", {}, InnerEar.coded(text)))));
  }

  // Of each tier the checks, one distance by one embedder, and the agreement with the caption; the
  // tier's own view has all.
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

  // The embedder of the headline: the first one that hears; statistics of a spectrum only where there is no other.
  function heardBy(index) {
    const names = [...new Set(index.scores.filter((s) => s.metric === "kad" && s.value !== null).map(embedder))];
    return names.find((name) => !name.startsWith("mel")) ?? names[0];
  }

  // Every entrant against one of them, paired by probe; whom, the address says.
  function sideBySide(index, current) {
    const all = index.scores.filter((s) => s.metric === "checks_difference" && s.value !== null);
    if (!all.length) return null;
    const { entrants } = index;
    const to = entrants.find((e) => e.label === current.params.get("to")) ?? entrants.find((e) => !e.baseline) ?? entrants[0];
    const rows = all.flatMap((s) => {
      const own = entrantOf(s);
      const other = otherOf(s);
      if (!own || !other || (own !== to && other !== to)) return [];
      const sign = other === to ? 1 : -1; // a score says own minus other; shown is the one minus `to`
      const [low, high] = sign > 0 ? [s.low, s.high] : [s.high == null ? null : -s.high, s.low == null ? null : -s.low];
      return [{ tier: s.tier, label: (own === to ? other : own).label, id: (own === to ? other : own).id, value: sign * s.value, low, high, p: s.detail.p_holm, n: s.n }];
    }).sort((a, b) => a.id - b.id);
    const tiers = InnerEar.scores.tiersOf(index).filter((tier) => rows.some((r) => r.tier === tier));
    const select = el("select", { id: "to", "aria-label": "Compare all models with", onchange: (e) => location.replace(InnerEar.changed({ to: e.target.value })) },
      entrants.map((e) => el("option", { value: e.label, selected: e === to }, e.label)));
    return el("section", { "aria-labelledby": "h-pairs" },
      el("h2", { id: "h-pairs" }, "Side by side with ", select, " ", el("small", {}, "checks passed, paired by probe; coloured where p < 0.05 after Holm over the tiers")),
      rows.length
        ? el("div", { class: "headline", vars: { "--tiers": tiers.length } }, tiers.map((tier) => el("div", { class: "tier" },
            el("h3", {}, tier), InnerEar.plots.fitted((width) => InnerEar.plots.differences(rows.filter((r) => r.tier === tier), width)))))
        : el("p", { class: "muted" }, "No other model shares judged probes with it."));
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
      el("h2", { id: "h-families" }, "Families ", el("small", {}, "share of sounds that pass every check that counts; a cell leads to its probes")),
      el("div", { class: "headline", vars: { "--tiers": tiers.length } }, tiers.map((tier) => el("div", { class: "tier" }, el("h3", {}, tier),
        InnerEar.plots.fitted((width) => InnerEar.plots.matrix(all.filter((s) => s.tier === tier), "passed", width))))));
  }

  return { draw, title: () => "Overview" };
})();
