"use strict";
// The shell: view selection from the address, keys, theme.

(() => {
  const { el, route, changed, href, views, state } = InnerEar;
  const main = document.getElementById("main");
  let last = null;

  function draw() {
    const current = route();
    const view = views[current.view];
    if (!current.view.startsWith("probe") || last?.view === "overview") for (const slot of [...InnerEar.player.live.keys()]) InnerEar.player.stop(slot);
    const nodes = view ? view.draw(current) : [el("p", {}, "There is no such view.")];
    const group = current.view === "probe" ? "probes" : `${current.view} ${current.id}`;
    main.className = `view-${current.view === "probe" ? "probes" : current.view}`;
    if (nodes[0] !== main.firstElementChild || nodes.length !== main.childElementCount) main.replaceChildren(...nodes.filter(Boolean));
    document.title = `${view ? view.title(current) : "Not found"} · ${state.index.title} · InnerEar`;
    for (const link of document.querySelectorAll("#nav a")) {
      const own = route(link.getAttribute("href"));
      const here = own.view === (current.view === "probe" ? "probes" : current.view) && (own.view !== "tier" || own.id === current.id);
      if (here) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (last !== null && last.group !== group) {
      main.focus({ preventScroll: true });
      window.scrollTo(0, 0);
    } else if (last !== null && last.hash.split("?")[0] !== location.hash.split("?")[0] && matchMedia("(max-width: 900px)").matches) {
      window.scrollTo(0, 0);
    }
    last = { group, hash: location.hash, view: current.view };
  }

  // ---- keys

  const KEYS = [
    ["j", "↓", "next probe", () => step(1)],
    ["k", "↑", "previous probe", () => step(-1)],
    ["space", "", "play or pause", () => InnerEar.player.toggle("a")],
    ["p", "", "play or pause the second model", () => InnerEar.player.toggle("b")],
    ["m", "", "next model", () => turn("a", 1)],
    ["M", "", "previous model", () => turn("a", -1)],
    ["c", "", "compare with the next model", () => turn("b", 1)],
    ["r", "", "compare with a real recording", () => recording()],
    ["x", "Escape", "close the second sound", () => onProbe((r) => location.replace(changed({ b: null, bn: null }, r)))],
    ["t", "", "next tab: program, log, messages …", () => onProbe(nextTab)],
    ["/", "", "search; Enter opens the first probe found, Escape clears", () => search()],
    ["o", "", "overview", () => { location.hash = href("overview"); }],
    ["h", "", "how the programs are built", () => { location.hash = href("anatomy"); }],
    ["?", "", "show these keys", () => help()],
  ];

  function step(by) {
    (views[route().view]?.step ?? views.probes.step)(by);
  }

  function onProbe(act) {
    const current = route();
    if (current.view === "probe") act(current);
  }

  function turn(slot, by) {
    onProbe((current) => {
      const { entrants, probeById } = state.index;
      const probe = probeById.get(current.id);
      if (!probe || entrants.length < 2) return;
      const { a, b } = InnerEar.probe.chosen(current, probe);
      const other = slot === "a" ? b : a;
      const next = (entrant) => entrants[(entrant.id + by + entrants.length) % entrants.length];
      let to = next(slot === "a" ? a : b ?? a);
      if (to === other && entrants.length > 2) to = next(to);
      location.replace(changed({ [slot]: to.label, [`${slot}n`]: null }, current));
      InnerEar.say(`${slot === "a" ? "Model" : "Second model"}: ${to.label}`);
    });
  }

  function recording() {
    onProbe((current) => {
      if (!state.index.probeById.get(current.id)?.recording) return InnerEar.say("No recording to compare with.");
      const open = current.params.get("b") === InnerEar.probe.REAL;
      location.replace(changed({ b: open ? null : InnerEar.probe.REAL, bn: null }, current));
    });
  }

  function nextTab(current) {
    const tabs = InnerEar.probe.TABS;
    const next = tabs[(tabs.indexOf(current.params.get("tab") ?? tabs[0]) + 1) % tabs.length];
    location.replace(changed({ tab: next === tabs[0] ? null : next }, current));
  }

  function search() {
    if (!route().view.startsWith("probe")) location.hash = href("probes");
    setTimeout(() => document.getElementById("q")?.focus());
  }

  const dialog = document.getElementById("keys");
  dialog.append(
    el("h2", { id: "keys-title" }, "Keys"),
    el("dl", {}, KEYS.map(([key, other, text]) => [el("dt", {}, el("kbd", {}, key), other ? [" ", el("kbd", {}, other)] : null), el("dd", {}, text)])),
    el("form", { method: "dialog" }, el("button", {}, "Close")));

  function help() {
    if (!dialog.open) dialog.showModal();
  }

  document.getElementById("help").addEventListener("click", help);
  document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
    const { target } = event;
    if (target.matches("input, select, textarea")) {
      if (event.key === "Escape") target.blur();
      return;
    }
    const pressed = { " ": "space", ArrowDown: "↓", ArrowUp: "↑" }[event.key] ?? event.key;
    // buttons handle space themselves; arrows scroll if no probe is open
    if (pressed === "space" && target.matches("button, summary")) return;
    if ("↓↑".includes(pressed) && route().view !== "probe") return;
    const found = KEYS.find(([key, other]) => key === pressed || other === pressed);
    if (!found) return;
    event.preventDefault();
    found[3]();
  });

  // ---- theme: the system's, or the user's choice

  const THEMES = ["auto", "light", "dark"];
  const button = document.getElementById("theme");

  function remembered(value) {
    try {
      if (value !== undefined) localStorage.setItem("innerear-theme", value);
      return localStorage.getItem("innerear-theme") ?? "auto";
    } catch {
      return value ?? "auto"; // browsers may refuse storage to a local file
    }
  }

  function theme(value) {
    document.documentElement.dataset.theme = value;
    button.textContent = { auto: "Auto", light: "Light", dark: "Dark" }[value];
    button.setAttribute("aria-label", `Theme: ${value}`);
    InnerEar.player.recolour();
  }

  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length];
    remembered(next);
    theme(next);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => InnerEar.player.recolour());

  if (!state.index) {
    main.replaceChildren(el("p", { class: "error" }, "data/index.js is missing. Rebuild the report with: innerear report"));
    return;
  }
  const wanted = remembered();
  theme(THEMES.includes(wanted) ? wanted : "auto");
  if (state.index.comparison && !location.hash) location.replace(href("compare"));
  window.addEventListener("hashchange", draw);
  draw();
  document.documentElement.dataset.ready = "true";
})();
