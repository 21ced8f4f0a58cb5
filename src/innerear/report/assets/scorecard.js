"use strict";
// The scorecard: four questions by tiers. Each cell is a value between floor (left) and ceiling (right).

InnerEar.scorecard = (() => {
  const { el, number, words } = InnerEar;
  const FEW = 10; // checks or sounds; with fewer, a cell is grey and shows a count

  // `rows` as in scores/scorecard.py; one table, one block per row, named if there are several or `named` is true.
  function table({ rows, tiers, questions }, label, named = rows.length > 1) {
    return el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": label },
      el("table", { class: "card" },
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, el("span", { class: "unseen" }, "Question")), tiers.map((tier) => el("th", { scope: "col" }, words(tier))))),
        rows.map((row) => el("tbody", {},
          named ? el("tr", {}, el("th", { scope: "rowgroup", colspan: tiers.length + 1, class: "card-model" }, row.label ?? row.model)) : null,
          Object.entries(questions).map(([question, asked]) => el("tr", {},
            el("th", { scope: "row" }, el("b", {}, question), el("small", {}, asked)),
            tiers.map((tier) => cell(row.cells.find((c) => c.question === question && c.tier === tier), tier))))))));
  }

  function cell(c, tier) {
    if (!c) return el("td", { "data-tier": tier });
    if (c.value === null) return el("td", { class: "empty", "data-tier": tier, title: c.note || null }, el("b", {}, "not measured"), el("small", {}, reason(c.note)));
    const few = c.n < FEW;
    const notRun = Math.max(c.fewer, c.metric === "checks" ? c.missing : 0);
    const brief = few && c.unit === "share" ? BRIEF[c.metric].replace("of ", "") : BRIEF[c.metric];
    const shown = few && c.unit === "share" ? `${Math.round(c.value * c.n)} of ${c.n}` : figure(c, c.value);
    const range = c.low === null || few ? "" : ` ${figure(c, c.low).replace(" %", "")}–${figure(c, c.high)}`;
    return el("td", { class: few || notRun > c.n ? "few" : null, "data-tier": tier, title: [c.measure, ...c.also.filter((o) => o.value !== null).map((o) => `${o.measure}: ${figure(o, o.value)}, n ${o.n}`), c.note].filter(Boolean).join("\n") },
      el("b", {}, shown), el("span", { class: "muted" }, range), " ", el("small", {}, brief, c.kind && c.kind !== tier ? `, ${c.kind}` : ""),
      few ? null : bar(c),
      el("small", { class: "ends" }, el("span", {}, end(c, "floor")), el("span", {}, `n = ${number(c.n)}`, notRun ? el("b", { class: "fewer" }, ` · ${number(notRun)} ${c.of.replace(/s$/, notRun === 1 ? "" : "s")} ${c.metric === "checks" ? "not run" : "fewer"}`) : null), el("span", {}, end(c, "ceiling"))));
  }

  const BRIEF = { audio: "run", checks: "of checks passed", whisper_wer: "of words recognised", told_from_real: "told from real (0.5 is best)", spread: "of real spread" };

  function bar(c) {
    const [value, low, high] = [c.value, c.low, c.high].map((v) => place(c, v));
    if (value === null) return null;
    const [from, to] = low === null || high === null ? [value, value] : [Math.min(low, high), Math.max(low, high)];
    return el("span", { class: "bar", "aria-hidden": "true", vars: { "--at": value, "--from": from, "--to": to } }, el("i", {}), el("s", {}));
  }

  function place(c, value) {
    if (value === null || c.floor === null || c.ceiling === null || c.floor === c.ceiling) return null;
    return Math.min(1, Math.max(0, (value - c.floor) / (c.ceiling - c.floor)));
  }

  function end(c, side) {
    return [c[`${side}_by`], figure(c, c[side])].filter(Boolean).join(" ");
  }

  function figure(c, value) {
    if (value === null) return "–";
    return c.unit === "share" ? `${Math.round(100 * value)} %` : value.toFixed(2);
  }

  function reason(note) {
    return note.includes("--attempts") ? "needs --attempts 5" : note;
  }

  return { table };
})();
