"use strict";
// One screen: the question, what became of the completions, and the headline scores.

InnerEar.views.overview = (() => {
  const { el, number, quantity, interval, metricLabel, embedder, entrantOf, NONE, href } = InnerEar;

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
      el("section", { "aria-labelledby": "h-table" },
        el("h2", { id: "h-table" }, "The same in numbers ", el("small", {}, "value, 95 % interval; below it ceiling, floor and n")),
        table(index.scores)),
      el("section", {}, el("details", {}, el("summary", {}, el("h2", {}, "Every score with its signature")), numbers(index.scores))),
    ];
  }

  function plural(n, word) {
    return `${number(n)} ${word}${n === 1 ? "" : "s"}`;
  }

  function warnings(list) {
    if (!list.length) return null;
    return el("aside", { class: "warnings", "aria-label": "Warnings" },
      el("ul", {}, list.map((text) => el("li", { title: text }, text))));
  }

  // The funnels of several tiers are added up, step by step.
  function funnel(funnels, tier = null) {
    if (!funnels.length) return el("p", { class: "muted" }, "No counts were given.");
    const steps = funnels[0].steps.map((s) => s.name);
    const { index } = InnerEar.state;
    const rows = index.entrants.map((entrant) => {
      const own = funnels.filter((f) => f.model === entrant.model && f.strategy === entrant.strategy);
      const sum = (i, what) => own.reduce((total, f) => total + (f.steps[i]?.[what] ?? 0), 0);
      const judged = index.items.filter((item) => item.entrant === entrant.id && item.of && (!tier || index.probeById.get(item.probe).tier === tier));
      const passes = { count: judged.filter((item) => item.passed === item.of).length, of: judged.length };
      return { entrant, cells: [...steps.map((_, i) => ({ count: sum(i, "count"), of: sum(i, "of") })), passes] };
    });
    return el("div", { class: "wide" },
      el("table", { class: "funnel" },
        el("thead", {}, el("tr", {}, ["Model", ...steps.map(InnerEar.words), "passes its checks"].map((s) => el("th", { scope: "col", title: s === "passes its checks" ? "Of the completions with a check that can be judged today" : null }, s)))),
        el("tbody", {}, rows.map(({ entrant, cells }) =>
          el("tr", { class: entrant.baseline ? "baseline" : null },
            el("th", { scope: "row" }, el("a", { href: href("probes", "", new URLSearchParams({ a: entrant.label, ...(tier ? { tier } : {}) })) }, entrant.label)),
            cells.map(({ count, of }) => el("td", {},
              of
                ? [el("span", { class: "fill", vars: { "--share": count / of }, "aria-hidden": "true" }),
                   el("b", {}, quantity(count / of, "share")), " ", el("small", {}, `${number(count)}/${number(of)}`)]
                : el("span", { class: "muted" }, NONE))))))));
  }

  function tiersOf(index) {
    return [...new Set(index.probes.map((p) => p.tier))];
  }

  function headline(index) {
    const known = new Set(index.metrics.filter((m) => m.headline).map((m) => m.name));
    const scores = index.scores.filter((s) => known.has(s.metric));
    if (!scores.length) return el("p", { class: "muted" }, "No scores yet.");
    const tiers = tiersOf(index);
    return el("div", { class: "headline", vars: { "--tiers": tiers.length } },
      tiers.map((tier) => el("div", { class: "tier" },
        el("h3", {}, el("a", { href: href("tier", tier) }, tier)),
        panels(scores.filter((s) => s.tier === tier)))));
  }

  // Of each tier the scores for all of it, or for its groups where a metric has none for all.
  function inTier(scores) {
    const whole = new Set(scores.filter((s) => s.group === "all").map((s) => `${s.tier}|${s.metric}`));
    return scores.filter((s) => s.group === "all" || !whole.has(`${s.tier}|${s.metric}`));
  }

  // Metrics in the order in which their texts stand; those without one last.
  function rank(metric) {
    const at = [...InnerEar.state.index.metricText.keys()].indexOf(metric);
    return at < 0 ? Infinity : at;
  }

  // A picture for each metric and embedder that has a value; the others in a line, with the reason.
  function panels(every) {
    const sets = d3.groups(inTier(every), (s) => `${s.metric}|${embedder(s)}`).map(([, set]) => set);
    sets.sort((a, b) => d3.ascending(rank(a[0].metric), rank(b[0].metric)));
    const shown = sets.filter((set) => set.some((s) => s.value !== null));
    const others = sets.filter((set) => !shown.includes(set));
    return [shown.map(panel), others.length ? missing(others) : null];
  }

  function panel(scores) {
    const { better, unit, metric } = scores[0];
    const direction = { higher: "higher is better", lower: "lower is better", neither: "" }[better];
    const ns = d3.extent(scores, (s) => s.n);
    const n = ns[0] === ns[1] ? `n ${ns[0]}` : `n ${ns[0]}–${ns[1]}`;
    const notes = [...new Set(scores.map((s) => s.note).filter(Boolean))];
    return el("figure", { class: "panel" },
      el("figcaption", { title: InnerEar.state.index.metricText.get(metric)?.text },
        el("b", {}, metricLabel(metric)),
        el("small", {}, [embedder(scores[0]).replace(/@.*/, ""), unit === "share" ? "%" : unit, direction, n].filter(Boolean).join(" · "))),
      InnerEar.plots.fitted((width) => InnerEar.plots.scale(scores, width)),
      notes.length ? el("p", { class: "note", title: notes.join("\n") }, `† ${notes.join("; ")}`) : null);
  }

  function missing(sets) {
    const reasons = d3.groups(sets, (set) => set.find((s) => s.note)?.note || "not measured");
    return el("p", { class: "note whole" }, reasons.map(([reason, of], i) => [i ? ". " : "", el("b", {}, of.map((set) => metricLabel(set[0].metric)).join(", ")), `: ${reason}`]));
  }

  // Tier and metric against models, for what has a value; the groups of a metric that has no score
  // for the whole tier stand apart.
  function table(every) {
    const { entrants } = InnerEar.state.index;
    const lines = d3.groups(inTier(every), (s) => `${s.tier}|${s.metric}|${embedder(s)}|${s.group}`).map(([, line]) => line)
      .filter((line) => line.some((s) => s.value !== null && entrantOf(s)));
    const tiers = tiersOf(InnerEar.state.index);
    lines.sort((a, b) => tiers.indexOf(a[0].tier) - tiers.indexOf(b[0].tier) || d3.ascending(rank(a[0].metric), rank(b[0].metric)));
    if (!lines.length) return el("p", { class: "muted" }, "No scores yet.");
    return el("div", { class: "wide" },
      el("table", { class: "pivot" },
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Metric"), entrants.map((e) => el("th", { scope: "col" }, e.label)))),
        d3.groups(lines, (line) => line[0].tier).map(([tier, own]) => el("tbody", {},
          el("tr", {}, el("th", { scope: "rowgroup", colspan: entrants.length + 1, class: "tier-name" }, tier)),
          own.map((line) => el("tr", {},
            el("th", { scope: "row" }, metricLabel(line[0].metric), alone(line[0], own) ? "" : `, ${line[0].group}`,
              el("small", {}, [embedder(line[0]).replace(/@.*/, ""), line[0].unit === "share" ? "" : line[0].unit].filter(Boolean).join(" "))),
            entrants.map((e) => cell(line.find((s) => entrantOf(s) === e)))))))));
  }

  // Whether a score is the only one of its metric and embedder in the tier, so that its group need not be named.
  function alone(score, lines) {
    return lines.filter(([other]) => other.metric === score.metric && embedder(other) === embedder(score)).length === 1;
  }

  function cell(score) {
    if (!score) return el("td", {}, NONE);
    const ends = [...Object.entries(score.ceiling), ...Object.entries(score.floor)].filter(([, value]) => value !== null);
    return el("td", { title: score.note || null },
      el("b", {}, score.unit === "share" ? quantity(score.value, "share") : number(score.value)), " ", el("span", { class: "muted" }, interval(score)), score.note ? " †" : "",
      el("small", {}, [...ends.map(([name, value]) => `${name} ${number(value)}`), `n ${number(score.n)}`].join(" · ")));
  }

  function numbers(scores) {
    const pairs = (of, unit) => Object.entries(of ?? {}).map(([name, value]) => `${name} ${quantity(value, unit)}`).join(", ") || NONE;
    const heads = ["Tier", "Group", "Metric", "Model", "Value", "95 % interval", "Floor", "Ceiling", "n", "Missing", "Note", "Signature"];
    return el("div", { class: "wide" },
      el("table", { class: "numbers" },
        el("thead", {}, el("tr", {}, heads.map((h) => el("th", { scope: "col" }, h)))),
        el("tbody", {}, scores.map((s) => el("tr", {},
          el("td", {}, s.tier), el("td", {}, s.group), el("td", {}, metricLabel(s.metric)),
          el("td", {}, entrantOf(s)?.label ?? s.model),
          el("td", { class: "num" }, el("b", {}, quantity(s.value, s.unit))),
          el("td", { class: "num" }, interval(s) || NONE),
          el("td", {}, pairs(s.floor, s.unit)), el("td", {}, pairs(s.ceiling, s.unit)),
          el("td", { class: "num" }, number(s.n)), el("td", { class: "num" }, number(s.missing)),
          el("td", {}, s.note), el("td", { class: "mono" }, s.signature))))));
  }

  return { draw, funnel, panels, numbers, tiersOf, title: () => "Overview" };
})();
