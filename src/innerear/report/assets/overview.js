"use strict";
// The first screen: the question, the finding, the scorecard, and three sounds.
// Below it: the funnel of completions, headline scores, models side by side, families, and all scores as numbers.

InnerEar.views.overview = (() => {
  const { el, number, embedder, entrantOf, href } = InnerEar;

  function draw(current) {
    const { index } = InnerEar.state;
    const { table, numbers, folded } = InnerEar.scores;
    return [
      el("section", { class: "lead" },
        el("h1", {}, "Can a language model that has never heard anything write a sound?"),
        el("p", { class: "sub" },
          `${plural(new Set(index.entrants.map((one) => one.model)).size, "model")}, ${plural(index.probes.length, "probe")} of ${index.asked.suite}, ${plural(index.items.length, "completion")}. Each completion is a program; it runs in a jail, and the sound it writes is measured. `,
          el("a", { href: href("run") }, "Full run settings"))),
      finding(index),
      lacking(index.lacking),
      card(index),
      highlights(index),
      warnings(index.warnings),
      el("section", {}, folded("How far the completions got", () => InnerEar.scores.funnel(index.funnels))),
      el("section", { "aria-labelledby": "h-scores" },
        el("h2", { id: "h-scores" }, "Headline scores ", el("small", {}, "value with 95 % interval, between floor and ceiling")),
        headline(index)),
      sideBySide(index, current),
      families(index),
      el("section", {}, folded("Every headline as numbers: value, interval, normalised, floor, ceiling, n", () => table(index.scores))),
      el("section", {}, folded("All scores with signatures", () => numbers(index.scores))),
    ];
  }

  // ---- the first screen: a sentence, the scorecard, three sounds

  // Plain sentences from the scorecard; the tests behind them are one click away, and in the tooltip.
  function finding(index) {
    const [models] = parted(index.card.rows);
    const said = models.length ? models.map((row) => row.said) : index.finding.slice(0, 1);
    if (!said.length) return null;
    const [first, ...rest] = said;
    return el("section", { class: "finding", "aria-label": "Finding" },
      el("p", { class: "first", title: index.finding.join("\n") || null }, first),
      rest.slice(0, 2).map((text) => el("p", {}, text)),
      rest.length > 2 || (models.length && index.finding.length)
        ? el("details", {}, el("summary", {}, models.length && index.finding.length ? "Intervals and tests" : `${rest.length - 2} more`),
            rest.slice(2).map((text) => el("p", { class: "sub" }, text)), models.length ? index.finding.map((text) => el("p", { class: "sub" }, text)) : null)
        : null);
  }

  function lacking(list) {
    if (!list.length) return null;
    return el("aside", { class: "warnings lacking", "aria-label": "Not measured here" },
      el("p", {}, el("b", {}, "This machine could not measure everything. "), list.map((text, i) => [i ? "; " : "", InnerEar.coded(text)]), "."));
  }

  function parted(rows) {
    return [rows.filter((row) => row.end === null), rows.filter((row) => row.end !== null)];
  }

  function card(index) {
    const { tiers, questions, legend, rows } = index.card;
    if (!rows.length) return null;
    const several = new Set(rows.map((row) => row.strategy)).size > 1;
    const named = rows.map((row) => ({ ...row, label: several ? `${row.model} · ${row.strategy}` : row.model }));
    const [models, ends] = parted(named);
    const shown = models.length ? models : ends;
    return el("section", { "aria-labelledby": "h-card" },
      el("h2", { id: "h-card" }, "Scorecard ", el("small", {}, "each line from floor (left) to ceiling (right), with the 95 % interval; further right is better · ", el("a", { href: "scorecard.svg" }, "as a picture"))),
      InnerEar.scorecard.table({ rows: shown, tiers, questions }, "Scorecard"),
      el("p", { class: "note whole" }, legend.filter((line) => line.startsWith("smallest")).join(" ")),
      el("details", {}, el("summary", {}, models.length && ends.length ? "What each cell is; floors and ceilings" : "What each cell is"),
        el("ul", { class: "note whole" }, legend.map((line) => el("li", {}, InnerEar.coded(line)))),
        models.length && ends.length ? InnerEar.scorecard.table({ rows: ends, tiers, questions }, "Scorecard of floors and ceilings") : null));
  }

  // Three sounds, each next to a recording if there is one.
  function highlights(index) {
    if (!index.highlights.length) return null;
    return el("section", { "aria-labelledby": "h-sounds" },
      el("h2", { id: "h-sounds" }, index.highlights.length > 2 ? "Three sounds to play " : "Sounds to play ", el("small", {}, `by ${index.entrants[index.items[index.highlights[0].item].entrant].label}, chosen by the rule above each`)),
      el("div", { class: "highlights" }, index.highlights.map((one, place) => {
        const item = index.items[one.item];
        const probe = index.probeById.get(item.probe);
        const entrant = index.entrants[item.entrant];
        const own = InnerEar.player.mount(`h${place}`, { name: item.audio, url: `../audio/${item.audio}.flac` }, `${one.name.toLowerCase()}: ${probe.caption}`, 26);
        const real = probe.recording && InnerEar.player.mount(`h${place}r`, { name: probe.recording.audio, url: probe.recording.path }, `a real recording: ${probe.caption}`, 26);
        return el("article", { class: "highlight" },
          el("p", { class: "rule", title: one.rule }, el("b", {}, one.name), ` ${one.rule}`),
          el("h3", {}, el("a", { href: href("probe", probe.id, new URLSearchParams({ a: entrant.label })) }, probe.caption)),
          el("p", { class: "note" }, one.said),
          el("div", { class: "pair" },
            el("div", {}, el("small", { class: "muted" }, "the model"), own),
            real ? el("div", {}, el("small", { class: "muted", title: `${probe.recording.attribution} · ${probe.recording.licence}` }, `a recording${probe.recording.remark ? `, ${probe.recording.remark}` : ""} · ${probe.recording.licence}`), real) : null));
      })));
  }

  function plural(n, word) {
    return `${number(n)} ${word}${n === 1 ? "" : "s"}`;
  }

  function warnings(list) {
    if (!list.length) return null;
    return el("aside", { class: "warnings", "aria-labelledby": "h-warnings" },
      el("h2", { id: "h-warnings" }, "Before you trust a number"),
      el("ul", {}, list.slice(0, 4).map((text) => el("li", {}, InnerEar.coded(text)))),
      list.length > 4 ? el("details", {}, el("summary", {}, `${list.length - 4} more`), el("ul", {}, list.slice(4).map((text) => el("li", {}, InnerEar.coded(text))))) : null);
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
