"use strict";
// Results of listening tests, and which metrics agree with listeners: one section per test.

InnerEar.views.people = (() => {
  const { el, number, words, metricLabel, NONE } = InnerEar;
  const ASKED = { identify: "What do you hear?", ab: "Which fits the caption better?", rate: "How well does it fit, how natural is it?" };

  function draw() {
    const { listening } = InnerEar.state.index;
    const lead = el("section", { class: "lead" }, el("h1", {}, "Listening tests"),
      el("p", { class: "sub" }, "Blind listeners’ answers, and how well each metric agrees with them."));
    if (!listening.length) {
      return [lead, el("p", { class: "muted" }, "No listening results yet. ", el("code", {}, "innerear listen-test build"), " makes a page for listeners, ",
        el("code", {}, "innerear listen-test validate"), " adds their answers here.")];
    }
    return [lead, ...listening.flatMap(test)];
  }

  function test(one) {
    const tiers = [...new Set(one.scores.map((s) => s.tier))];
    const whole = one.scores.filter((s) => s.group === "all" && s.metric !== "alpha");
    return [
      el("section", {},
        el("h2", {}, `“${ASKED[one.kind]}” `, el("small", {}, `${one.listeners} listeners, test ${one.test.slice(0, 8)}`)),
        el("p", { class: "muted small" }, `${one.rule[0].toUpperCase()}${one.rule.slice(1)}. `,
          one.guessers === null ? null : `A guessing listener passes the anchors with probability ${number(one.guessers, 2)}.`),
        one.left_out.length ? el("details", {}, el("summary", {}, `${one.left_out.length} excluded`), el("ul", {}, one.left_out.map((line) => el("li", {}, line)))) : null,
        el("div", { class: "headline", vars: { "--tiers": Math.min(3, tiers.length) } }, tiers.filter((tier) => tier !== "all" || tiers.length === 1).map((tier) => el("div", { class: "tier" },
          el("h3", {}, tier), InnerEar.scores.panels(whole.filter((s) => s.tier === tier)), alphas(one, tier))))),
      el("section", {}, el("h2", {}, "Which metrics agree with listeners ", el("small", {}, "Spearman’s rank correlation per sound, 95 % interval over listeners and probes")),
        one.best.map(best), table(one)),
      one.everyone.length ? el("section", {}, el("details", {}, el("summary", {}, el("h2", {}, "Including excluded listeners")), changed(one))) : null,
    ];
  }

  function alphas(one, tier) {
    return one.scores.filter((s) => s.metric === "alpha" && s.tier === tier).map((s) => el("p", { class: "note whole" },
      el("b", {}, `Agreement${one.kind === "rate" ? ` on ${words(s.group)}` : ""} `), s.value === null ? s.note : `Krippendorff’s α ${number(s.value, 2)} ${reach(s)}, ${s.n} sounds`));
  }

  function best(found) {
    const where = found.tier === "all" ? "Over all tiers" : `In ${found.tier}`;
    return el("p", {}, found.metric === null
      ? `${where}, no metric correlates significantly with ${said(found.measure)}.`
      : [`${where}, `, el("b", {}, metricLabel(found.metric)), ` correlates best with ${said(found.measure)}`,
         found.rivals.length ? `; not significantly worse: ${found.rivals.map(metricLabel).join(", ")}.` : ", significantly better than all others."]);
  }

  function said(measure) {
    return {
      identified: "how often a sound was identified", preferred: "which sound was preferred",
      fit: "the rating of fit", natural: "the rating of naturalness",
    }[measure] ?? words(measure);
  }

  function reach(s) {
    return s.low === null ? "" : `[${number(s.low, 2)}, ${number(s.high, 2)}]`;
  }

  function table(one) {
    const rows = one.correlations.filter((s) => s.model === "");
    if (!rows.length) return el("p", { class: "muted" }, "No metric has values for these sounds.");
    const columns = [...new Set(rows.map((s) => `${s.group}|${s.tier}`))];
    const size = (name) => Math.max(...rows.filter((s) => s.metric === name).map((s) => Math.abs(s.value ?? 0)));
    const names = [...new Set(rows.map((s) => s.metric))].sort((a, b) => size(b) - size(a));
    const several = new Set(rows.map((s) => s.group)).size > 1;
    return el("div", { class: "wide", tabindex: "0", role: "group", "aria-label": "Correlations" }, el("table", { class: "pivot people" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Metric"), columns.map((column) => {
        const [measure, tier] = column.split("|");
        return el("th", { scope: "col" }, several ? `${tier}, ${words(measure)}` : tier);
      }))),
      el("tbody", {}, names.map((name) => el("tr", {}, el("th", { scope: "row" }, metricLabel(name)),
        columns.map((column) => cell(rows.find((s) => s.metric === name && `${s.group}|${s.tier}` === column))))))));
  }

  function cell(s) {
    if (!s) return el("td", { class: "muted" }, NONE);
    if (s.value === null) return el("td", { class: "muted", title: s.note }, NONE, el("small", {}, s.note));
    const sure = s.low !== null && (s.low > 0 || s.high < 0);
    return el("td", { title: `${s.n} sounds` }, sure ? el("b", {}, number(s.value, 2)) : number(s.value, 2), el("small", {}, `${reach(s)} n ${s.n}`));
  }

  function changed(one) {
    const before = new Map(one.scores.map((s) => [`${s.metric}|${s.model}|${s.strategy}|${s.tier}|${s.group}`, s]));
    const rows = one.everyone.filter((s) => s.group === "all" || s.metric === "alpha");
    return el("div", { class: "wide" }, el("table", { class: "numbers" },
      el("thead", {}, el("tr", {}, ["Metric", "Model", "Tier", "Excluding them", "Including them"].map((h) => el("th", { scope: "col" }, h)))),
      el("tbody", {}, rows.map((s) => {
        const was = before.get(`${s.metric}|${s.model}|${s.strategy}|${s.tier}|${s.group}`);
        return el("tr", {}, el("th", { scope: "row" }, metricLabel(s.metric)), el("td", {}, s.model), el("td", {}, s.tier),
          el("td", {}, was ? `${number(was.value, 2)} ${reach(was)}` : NONE), el("td", {}, `${number(s.value, 2)} ${reach(s)}`));
      }))));
  }

  return { draw, title: () => "Listeners" };
})();
