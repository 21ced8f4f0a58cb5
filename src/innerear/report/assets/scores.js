"use strict";
// Scores as plots and tables for any view: the funnel, one panel per metric, tables of numbers.

InnerEar.scores = (() => {
  const { el, number, quantity, interval, metricLabel, embedder, entrantOf, NONE, href, words } = InnerEar;

  const OF_FUNNEL = "each step counts only what passed all earlier ones, as a share of all completions; the last is a share of sounds with a headline check that could be run";

  // Add up the funnels of several tiers, step by step.
  function funnel(funnels, tier = null) {
    if (!funnels.length) return el("p", { class: "muted" }, "No counts available.");
    const steps = funnels[0].steps.map((s) => s.name);
    const { index } = InnerEar.state;
    const rows = index.entrants.map((entrant) => {
      const own = funnels.filter((f) => f.model === entrant.model && f.strategy === entrant.strategy);
      const sum = (i, what) => own.reduce((total, f) => total + (f.steps[i]?.[what] ?? 0), 0);
      const judged = index.items.filter((item) => item.entrant === entrant.id && item.of && (!tier || index.probeById.get(item.probe).tier === tier));
      const lacking = d3.sum(index.items, (item) => (item.entrant === entrant.id && (!tier || index.probeById.get(item.probe).tier === tier) ? item.lacking : 0));
      const passes = { count: judged.filter((item) => item.passed === item.of).length, of: judged.length, lacking };
      return { entrant, cells: [...steps.map((_, i) => ({ count: sum(i, "count"), of: sum(i, "of") })), passes] };
    });
    const models = rows.filter(({ entrant }) => !entrant.baseline);
    const ends = rows.filter(({ entrant }) => entrant.baseline);
    return [
      steppedTable(models.length ? models : ends, steps, tier),
      models.length && ends.length ? folded("Floors and ceilings", () => steppedTable(ends, steps, tier)) : null,
    ];
  }

  function steppedTable(rows, steps, tier) {
    return el("div", { class: "wide" },
      el("table", { class: "funnel" },
        el("thead", {}, el("tr", {}, ["Model", ...steps.map(words), "passes its checks"].map((s) => el("th", { scope: "col", title: s === "passes its checks" ? "Of the completions with a headline check that could be run" : null }, s)))),
        el("tbody", {}, rows.map(({ entrant, cells }) =>
          el("tr", { class: entrant.baseline ? "baseline" : null },
            el("th", { scope: "row" }, el("a", { href: href("probes", "", new URLSearchParams({ a: entrant.label, ...(tier ? { tier } : {}) })) }, entrant.label)),
            cells.map(({ count, of, lacking }, i) => el("td", { "data-step": [...steps.map(words), "passes its checks"][i] },
              of
                ? [el("span", { class: "fill", vars: { "--share": count / of }, "aria-hidden": "true" }),
                   el("b", {}, quantity(count / of, "share")), " ", el("small", {}, `${number(count)}/${number(of)}${lacking ? ` · ${number(lacking)} not run` : ""}`)]
                : el("span", { class: "muted" }, NONE))))))));
  }

  function tiersOf(index) {
    return [...new Set(index.probes.map((p) => p.tier))];
  }

  // Per tier, the scores of the whole tier; for a metric without one, the scores of its groups.
  function inTier(scores) {
    const whole = new Set(scores.filter((s) => s.group === "all").map((s) => `${s.tier}|${s.metric}`));
    return scores.filter((s) => s.group === "all" || !whole.has(`${s.tier}|${s.metric}`));
  }

  // Metrics in the order of their texts; those without one last.
  function rank(metric) {
    const at = [...InnerEar.state.index.metricText.keys()].indexOf(metric);
    return at < 0 ? Infinity : at;
  }

  // One panel per metric and embedder with a value; the others in one line, with the reason.
  function panels(every) {
    const sets = d3.groups(inTier(every.filter(entrantOf)), (s) => `${s.metric}|${embedder(s)}`).map(([, set]) => set);
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
        el("small", {}, [short(embedder(scores[0])), unit === "share" ? "%" : unit, direction, n].filter(Boolean).join(" · "))),
      InnerEar.plots.fitted((width) => InnerEar.plots.scale(scores, width)),
      notes.length ? el("p", { class: "note", title: notes.join("\n") }, "† ", InnerEar.coded(notes.join("; "))) : null);
  }

  function missing(sets) {
    const reasons = d3.groups(sets, (set) => set.find((s) => s.note)?.note || "not measured");
    return el("p", { class: "note whole" }, reasons.map(([reason, of], i) => [i ? ". " : "", el("b", {}, of.map((set) => metricLabel(set[0].metric)).join(", ")), ": ", InnerEar.coded(reason)]));
  }

  const short = (name) => name.replace(/@.*/, "");

  // Distances from real recordings: one row per metric, one column per embedder, then the embedders' agreement.
  function distances(scores) {
    const mine = scores.filter((s) => entrantOf(s) && ["fad", "kad", "variety"].includes(s.metric) && s.value !== null && embedder(s));
    if (!mine.length) return null;
    const names = [...new Set(mine.map((s) => short(embedder(s))))];
    const metrics = ["fad", "kad", "variety"].filter((metric) => mine.some((s) => s.metric === metric));
    const agreed = scores.filter((s) => s.metric === "agreement" && s.value !== null);
    return el("section", {},
      el("h2", {}, "Distance from real recordings ", el("small", {}, "embedders differ: trust a result that all of them show over one that only one shows")),
      el("div", { class: "multiples", vars: { "--columns": names.length > 1 ? names.length : metrics.length } },
        metrics.map((metric) => names.map((name) => {
          const set = mine.filter((s) => s.metric === metric && short(embedder(s)) === name);
          return set.length ? panel(set) : el("div", {});
        }))),
      agreed.length ? agreement(agreed) : null);
  }

  function agreement(scores) {
    return el("div", {},
      el("p", { class: "muted" }, "Do the embedders rank the models in the same order? Kendall’s tau: 1 is the same order, −1 the reverse."),
      el("div", { class: "wide" }, el("table", { class: "agreement" },
        el("thead", {}, el("tr", {}, ["Between", "tau", "95 % interval", "models"].map((h) => el("th", { scope: "col" }, h)))),
        el("tbody", {}, scores.map((s) => el("tr", {},
          el("th", { scope: "row" }, s.group), el("td", { class: "num" }, el("b", {}, number(s.value, 2))),
          el("td", {}, interval(s) || s.note), el("td", { class: "num" }, number(s.n))))))));
  }

  // Tier and metric by model, for scores with a value; a metric without a score for the whole tier gets one row per group.
  function table(every) {
    const { index } = InnerEar.state;
    const { entrants } = index;
    const lines = d3.groups(inTier(every), (s) => `${s.tier}|${s.metric}|${embedder(s)}|${s.group}`).map(([, line]) => line)
      .filter((line) => !line[0].metric.endsWith("_difference") && line.some((s) => s.value !== null && entrantOf(s)));
    const tiers = tiersOf(index);
    const place = (tier) => (tiers.includes(tier) ? tiers.indexOf(tier) : Infinity);
    lines.sort((a, b) => d3.ascending(place(a[0].tier), place(b[0].tier)) || d3.ascending(rank(a[0].metric), rank(b[0].metric)));
    if (!lines.length) return el("p", { class: "muted" }, "No scores yet.");
    return el("div", { class: "wide" },
      el("table", { class: "pivot" },
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Metric"), entrants.map((e) => el("th", { scope: "col" }, e.label)))),
        d3.groups(lines, (line) => line[0].tier).map(([tier, own]) => el("tbody", {},
          el("tr", {}, el("th", { scope: "rowgroup", colspan: entrants.length + 1, class: "tier-name" }, tier)),
          own.map((line) => el("tr", {},
            el("th", { scope: "row" }, metricLabel(line[0].metric), alone(line[0], own) ? "" : `, ${line[0].group}`,
              el("small", {}, [short(embedder(line[0])), line[0].unit === "share" ? "" : line[0].unit].filter(Boolean).join(" "))),
            entrants.map((e) => cell(line.find((s) => entrantOf(s) === e)))))))));
  }

  // Whether a score is the only one of its metric and embedder in the tier, so its group need not be named.
  function alone(score, lines) {
    return lines.filter(([other]) => other.metric === score.metric && embedder(other) === embedder(score)).length === 1;
  }

  function cell(score) {
    if (!score) return el("td", {}, NONE);
    const ends = [...Object.entries(score.ceiling), ...Object.entries(score.floor)].filter(([, value]) => value !== null);
    const between = score.detail?.normalised;
    return el("td", { title: score.note || null },
      el("b", {}, score.unit === "share" ? quantity(score.value, "share") : number(score.value)), " ", el("span", { class: "muted" }, interval(score)), score.note ? " †" : "",
      el("small", {}, [
        between == null ? "" : `normalised ${number(between, 2)}`, score.detail?.relative == null ? "" : `${number(score.detail.relative, 2)} of real`,
        ...ends.map(([name, value]) => `${words(name)} ${score.unit === "share" ? quantity(value, "share") : number(value)}`), `n ${number(score.n)}`,
      ].filter(Boolean).join(" · ")));
  }

  function numbers(scores) {
    const pairs = (of, unit) => Object.entries(of ?? {}).map(([name, value]) => `${name} ${quantity(value, unit)}`).join(", ") || NONE;
    const heads = ["Tier", "Group", "Metric", "Model", "Value", "95 % interval", "Normalised", "Floor", "Ceiling", "n", "Missing", "Note", "Signature"];
    return el("div", { class: "wide" },
      el("table", { class: "numbers" },
        el("thead", {}, el("tr", {}, heads.map((h) => el("th", { scope: "col" }, h)))),
        el("tbody", {}, scores.map((s) => el("tr", {},
          el("td", {}, s.tier), el("td", {}, s.group), el("td", {}, metricLabel(s.metric)),
          el("td", {}, entrantOf(s)?.label ?? s.model),
          el("td", { class: "num" }, el("b", {}, quantity(s.value, s.unit))),
          el("td", { class: "num" }, interval(s) || NONE),
          el("td", { class: "num" }, number(s.detail?.normalised ?? null, 2)),
          el("td", {}, pairs(s.floor, s.unit)), el("td", {}, pairs(s.ceiling, s.unit)),
          el("td", { class: "num" }, number(s.n)), el("td", { class: "num" }, number(s.missing)),
          el("td", {}, s.note), el("td", { class: "mono" }, s.signature))))));
  }

  // Draw the content on first opening, so that long tables cost nothing until then.
  function folded(title, draw) {
    const body = el("div", {});
    return el("details", { ontoggle: (event) => { if (event.target.open && !body.childElementCount) body.append(...[draw()].flat().filter(Boolean)); } },
      el("summary", {}, el("h2", {}, title)), body);
  }

  return { OF_FUNNEL, funnel, panels, panel, distances, table, numbers, folded, tiersOf, short };
})();
