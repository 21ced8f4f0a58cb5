"use strict";
// The tables of a leaderboard: one per set of conditions, sorted by the chosen column.

(() => {
  const { el, number, quantity, interval, route, changed, words, say, NONE } = InnerEar;
  const main = document.getElementById("main");
  let board = null;

  function draw() {
    const current = route();
    const tiers = [...new Set(board.boards.flatMap((b) => b.columns.map((c) => c.tier)))];
    const tier = tiers.includes(current.params.get("tier")) ? current.params.get("tier") : tiers[0];
    const runs = new Set(board.boards.flatMap((b) => b.rows.map((r) => r.name)));
    main.replaceChildren(
      el("section", { class: "lead" },
        el("h1", {}, "Can a language model that has never heard anything write a sound?"),
        el("p", { class: "sub" }, `${number(runs.size)} run${runs.size === 1 ? "" : "s"}. Each score has its 95 % interval and n, with its floors and ceiling below. Every run can be listened to, and rescored from its file.`)),
      el("nav", { class: "tiers", "aria-label": "Tiers" }, tiers.map((name) =>
        el("a", { class: "quiet", href: changed({ tier: name, sort: null, up: null }, current), "aria-current": name === tier ? "true" : null }, name))),
      ...board.boards.map((one, place) => table(one, place, tier, current)));
  }

  function table(one, place, tier, current) {
    const columns = one.columns.map((column, at) => ({ ...column, at })).filter((c) => c.tier === tier);
    const [board, at] = (current.params.get("sort") ?? "").split(".").map(Number);
    const by = (board === place && columns.find((c) => c.at === at)) || columns.find((c) => c.metric === "checks") || columns[0];
    const up = board === place && by && by.at === at ? current.params.get("up") === "1" : by?.better === "lower";
    const rows = one.rows.map((row, i) => ({ ...row, i, value: by ? row.cells[by.at]?.value ?? null : null }));
    rows.sort((a, b) => (a.value === null) - (b.value === null) || (a.value - b.value) * (up ? 1 : -1) || a.i - b.i);
    const shown = rows.filter((row) => columns.some((c) => row.cells[c.at]));
    const notes = [...new Set(shown.flatMap((row) => columns.map((c) => row.cells[c.at]?.note)).filter(Boolean))];
    return el("section", { class: "board" },
      el("h2", {}, heading(one), " ", el("small", {}, Object.entries(one.conditions).filter(([name]) => name !== "suite").map(([name, value]) => `${name} ${value}`).join(" · "))),
      one.differs.length ? el("p", { class: "muted" }, `Not comparable with the first table: different ${one.differs.join(", different ")}.`) : null,
      one.card.rows.length ? InnerEar.scorecard.table(one.card, `Scorecard of ${heading(one)}`, true) : null,
      columns.length ? el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": `Scores of ${tier}` }, el("table", { class: "pivot standings" },
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Model"),
          columns.map((c) => el("th", { scope: "col", title: c.signature, "aria-sort": c === by ? (up ? "ascending" : "descending") : null },
            el("button", { type: "button", class: "quiet", onclick: () => sort(place, c, by, up, current) }, c.title, c === by ? (up ? " ▲" : " ▼") : ""))))),
        el("tbody", {}, shown.map((row) => el("tr", { class: row.baseline ? "baseline" : null }, name(row), columns.map((c) => cell(row.cells[c.at], c)))))),
        notes.length ? el("p", { class: "note whole" }, "† ", InnerEar.coded(notes.join("; "))) : null) : el("p", { class: "muted" }, "No scores in this tier."),
      el("details", {}, el("summary", {}, "How each column was computed"), el("dl", { class: "ways" }, columns.map((c) => [el("dt", {}, c.title), el("dd", { class: "mono" }, c.signature)]))));
  }

  function heading(one) {
    return one.conditions.suite || "Runs";
  }

  function sort(place, column, by, up, current) {
    const turned = column === by ? !up : column.better === "lower";
    location.replace(changed({ sort: `${place}.${column.at}`, up: turned ? "1" : "0" }, current));
    say(`Sorted by ${column.title}, ${turned ? "lowest" : "highest"} first`);
  }

  function name(row) {
    const page = `runs/${row.name}/report/index.html`;
    const asked = [row.strategy, row.attempts > 1 ? `${row.attempts} attempts` : null, row.run].filter(Boolean).join(" · ");
    return el("th", { scope: "row" },
      el("a", { href: page, title: "Report of this run, with its sounds" }, row.model),
      el("small", {}, asked, " · ", el("a", { href: `packs/${row.name}.zip`, download: true, title: `SHA-256 ${row.sha256}` }, "packed run")),
      row.unprotected ? el("small", { class: "no" }, "ran with the jail off") : null);
  }

  function cell(score, { title }) {
    if (!score) return el("td", { "data-of": title }, NONE);
    const count = Math.round(score.value * score.n);
    const few = score.unit === "share" && score.n < 10 && Math.abs(score.value * score.n - count) < 1e-6; // as in the scorecard
    const ends = [...Object.entries(score.ceiling), ...Object.entries(score.floor)].filter(([, value]) => value !== null);
    return el("td", { "data-of": title, title: [score.signature, score.note].filter(Boolean).join("\n") },
      el("b", {}, few ? `${count} of ${score.n}` : score.unit === "share" ? quantity(score.value, "share") : number(score.value)), " ", el("span", { class: "muted" }, interval(score)), score.note ? " †" : "",
      el("small", {}, [...ends.map(([end, value]) => `${words(end)} ${score.unit === "share" ? quantity(value, "share") : number(value)}`), `n ${number(score.n)}${score.missing ? `, ${number(score.missing)} missing` : ""}`].join(" · ")));
  }

  // Redrawing replaces the pressed button: move the focus to the new one.
  function redraw() {
    const buttons = () => [...main.querySelectorAll("button, nav a")];
    const at = buttons().indexOf(document.activeElement);
    draw();
    if (at >= 0) buttons()[at]?.focus({ preventScroll: true });
  }

  InnerEar.load("board", "", "data/board.js").then((content) => {
    board = content;
    draw();
    window.addEventListener("hashchange", redraw);
    document.documentElement.dataset.ready = "true";
  }, () => main.replaceChildren(el("p", { class: "error" }, "data/board.js is missing. Rebuild the site with: innerear leaderboard")));
})();
