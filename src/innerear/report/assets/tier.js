"use strict";
// One tier: every metric on it, and how its groups differ.

InnerEar.views.tier = (() => {
  const { el, href, metricLabel, words } = InnerEar;

  function draw({ id: tier }) {
    const { index } = InnerEar.state;
    const { funnel, panels, numbers, tiersOf } = InnerEar.views.overview;
    if (!tiersOf(index).includes(tier)) return [el("p", {}, `There is no tier ${tier} in this run.`)];
    const probes = index.probes.filter((p) => p.tier === tier);
    const scores = index.scores.filter((s) => s.tier === tier);
    // a metric with a score for the whole tier has its groups in a table of their own
    const whole = new Set(scores.filter((s) => s.group === "all").map((s) => s.metric));
    const grouped = [...new Set(scores.filter((s) => s.group !== "all" && whole.has(s.metric) && s.value !== null).map((s) => s.metric))];
    // what the funnel says already is left to the table
    const steps = new Set(index.funnels.flatMap((f) => f.steps.map((step) => step.name.replaceAll(" ", "_"))));
    const pitches = scores.some((s) => s.metric === "pitch" && s.n >= 5);
    const families = d3.rollups(probes, (of) => of.length, (p) => p.family);
    return [
      el("section", { class: "lead" },
        el("h1", { class: "name" }, words(tier)),
        el("p", { class: "sub" }, `${probes.length} probes: `,
          families.map(([family, n], i) => [i ? ", " : "", el("a", { href: href("probes", "", new URLSearchParams({ tier, family })) }, words(family)), ` ${n}`]))),
      el("section", {}, el("h2", {}, "What became of the completions"), funnel(index.funnels.filter((f) => f.tier === tier), tier)),
      scores.length ? el("section", {}, el("h2", {}, "Every metric ", el("small", {}, "value with its 95 % interval, between floor and ceiling")),
        el("div", { class: "headline one" }, panels(scores.filter((s) => !steps.has(s.metric))))) : null,
      pitches ? el("section", {}, el("h2", {}, "Pitch asked and heard ", el("small", {}, "a point is a probe, filled where every check passed; it leads there")),
        InnerEar.plots.fitted((width) => InnerEar.plots.pitch(tier, width))) : null,
      grouped.length ? el("section", {}, el("h2", {}, "By group ", el("small", {}, "the stronger, the better")),
        grouped.map((metric) => el("figure", { class: "panel" },
          el("figcaption", {}, el("b", {}, metricLabel(metric))),
          InnerEar.plots.fitted((width) => InnerEar.plots.matrix(scores.filter((s) => s.metric === metric && s.group !== "all"), metric, width))))) : null,
      scores.length ? el("section", {}, el("details", {}, el("summary", {}, el("h2", {}, "The same as numbers")), numbers(scores))) : null,
    ];
  }

  return { draw, title: ({ id }) => words(id) };
})();
