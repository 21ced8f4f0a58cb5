"use strict";
// The list of probes with its filters, next to the open probe.

InnerEar.views.probes = (() => {
  const { el, words, href, changed, STATES, route } = InnerEar;
  const KEYS = ["tier", "family", "level", "model", "outcome", "checks", "failure"];
  let frame = null; // built once: a text field must not be replaced while the user types

  function build() {
    const { index } = InnerEar.state;
    const search = el("input", { type: "search", id: "q", placeholder: "Search caption or name", "aria-label": "Search probes", autocomplete: "off", spellcheck: "false", oninput: (e) => go({ q: e.target.value }), onkeydown: keyed });
    const selects = Object.fromEntries(KEYS.map((key) => [key, el("select", { id: `by-${key}`, "aria-label": `Filter by ${key}`, onchange: (e) => go(key === "tier" ? { tier: e.target.value, family: null } : { [key]: e.target.value }) })]));
    const count = el("span", { class: "count", role: "status" });
    const clear = el("a", { class: "quiet", href: href("probes") }, "Clear");
    const heads = el("div", { class: "list-head" });
    const list = el("ol", { class: "list", id: "list" });
    const detail = el("article", { class: "probe", id: "detail", "aria-label": "Probe" });
    const legend = el("p", { class: "legend" }, Object.entries(STATES).map(([name, [glyph, text]]) => el("span", {}, el("i", { class: `s-${name}`, "aria-hidden": "true" }, glyph), ` ${text}`)));
    const who = el("p", { class: "legend" }, index.entrants.map((e) => el("span", {}, el("i", {}, String(e.id + 1)), ` ${e.label}`)));
    const node = el("div", { class: "probes" },
      el("div", { class: "side" },
        el("form", { class: "filters", role: "search", onsubmit: (e) => e.preventDefault() }, search, Object.values(selects), el("div", { class: "counted" }, count, clear)),
        heads, list, who, legend),
      detail);
    return { node, search, selects, count, clear, heads, list, detail, rows: new Map(), index };
  }

  // Escape clears the search; Enter opens its first probe, and Back returns to the one before.
  function keyed(event) {
    if (event.key === "Escape") go({ q: (event.target.value = "") });
    if (event.key !== "Enter") return;
    const current = route();
    const [first] = filtered(current.params);
    if (!first) return;
    event.target.blur();
    location.hash = href("probe", first.id, current.params);
    InnerEar.say(first.caption);
  }

  function go(changes) {
    location.replace(changed(changes));
  }

  function options(select, first, values, chosen) {
    const wanted = [["", first], ...values.map((v) => (Array.isArray(v) ? v : [v, words(v)]))];
    const key = JSON.stringify(wanted);
    if (select.dataset.key !== key) {
      select.dataset.key = key;
      select.replaceChildren(...wanted.map(([value, text]) => el("option", { value }, text)));
    }
    select.value = chosen ?? "";
    select.classList.toggle("set", Boolean(chosen));
  }

  function draw(current) {
    frame ??= build();
    const { index } = InnerEar.state;
    const { params } = current;
    const by = (key) => params.get(key) || null;
    if (document.activeElement !== frame.search) frame.search.value = params.get("q") ?? "";
    const unique = (values) => [...new Set(values)];
    const within = index.probes.filter((p) => !by("tier") || p.tier === by("tier"));
    options(frame.selects.tier, "every tier", unique(index.probes.map((p) => p.tier)), by("tier"));
    options(frame.selects.family, "every family", unique(within.map((p) => p.family)), by("family"));
    options(frame.selects.level, "every level", unique(index.probes.map((p) => p.level)).sort((a, b) => a - b).map((l) => [String(l), `level ${l}`]), by("level"));
    options(frame.selects.model, "any model", index.entrants.map((e) => [e.label, e.label]), by("model"));
    options(frame.selects.outcome, "any outcome", unique(index.items.map((i) => i.outcome)), by("outcome"));
    options(frame.selects.checks, "any checks", [["pass", "all passed"], ["some", "some passed"], ["miss", "none passed"], ["heard", "no verdict"], ["fail", "no sound"]], by("checks"));
    options(frame.selects.failure, "any failure", unique(index.items.map((i) => i.failure).filter(Boolean)).sort(), by("failure"));
    const shown = filtered(params);
    // if list and probe fit side by side, open the first probe
    if (current.view === "probes" && shown.length && matchMedia("(min-width: 901px)").matches) {
      location.replace(href("probe", shown[0].id, params));
    }
    frame.count.textContent = `${shown.length} of ${index.probes.length} probes`;
    frame.clear.href = current.view === "probe" ? href("probe", current.id, kept(params)) : href("probes", "", kept(params));
    frame.clear.hidden = ![...KEYS, "q"].some((key) => params.get(key));
    listed(shown, current);
    detail(shown, current);
    frame.node.classList.toggle("open", current.view === "probe");
    return [frame.node];
  }

  // The address without its filters; keeps the models shown and the open tab.
  function kept(params) {
    const rest = new URLSearchParams(params);
    for (const key of [...KEYS, "q"]) rest.delete(key);
    return rest;
  }

  function filtered(params) {
    const { index } = InnerEar.state;
    const by = Object.fromEntries(KEYS.map((key) => [key, params.get(key) || null]));
    const q = (params.get("q") ?? "").trim().toLowerCase().split(/\s+/).filter(Boolean);
    const model = index.entrants.find((e) => e.label === by.model);
    const asks = by.outcome || by.checks || by.failure || model;
    return index.probes.filter((p) =>
      (!by.tier || p.tier === by.tier) && (!by.family || p.family === by.family) && (!by.level || String(p.level) === by.level) &&
      q.every((word) => p.search.includes(word)) &&
      (!asks || (model ? p.items[model.id] : p.items.flat()).some((item) => (!by.outcome || item.outcome === by.outcome) && (!by.checks || item.state === by.checks) && (!by.failure || item.failure === by.failure))));
  }

  function listed(shown, current) {
    const { index } = InnerEar.state;
    const key = shown.map((p) => p.id).join("\n");
    if (frame.key !== key) {
      frame.key = key;
      frame.heads.replaceChildren(el("span", {}, "Probe"), el("span", { class: "where" }, "level"), el("span", { class: "states", "aria-hidden": "true" }, index.entrants.map((e) => el("i", { title: e.label }, String(e.id + 1)))));
      frame.rows = new Map(shown.map((p) => [p.id, row(p)]));
      frame.list.replaceChildren(...(shown.length ? grouped(shown) : [el("li", { class: "muted none" }, "No matching probes.")]));
    }
    for (const [id, { node, link }] of frame.rows) {
      link.setAttribute("href", href("probe", id, current.params));
      const open = current.view === "probe" && id === current.id;
      if (open === node.classList.contains("open")) continue;
      node.classList.toggle("open", open);
      if (open) {
        link.setAttribute("aria-current", "true");
        node.scrollIntoView({ block: "nearest" });
      } else {
        link.removeAttribute("aria-current");
      }
    }
  }

  function grouped(shown) {
    let before = "";
    return shown.flatMap((probe) => {
      const group = `${probe.tier} · ${words(probe.family)}`;
      const head = group === before ? [] : [el("li", { class: "group" }, group)];
      before = group;
      return [...head, frame.rows.get(probe.id).node];
    });
  }

  function row(probe) {
    const { entrants } = InnerEar.state.index;
    const states = entrants.map((e) => {
      const item = probe.items[e.id][0];
      const state = item?.state ?? "none";
      const text = `${e.label}: ${item ? words(item.outcome) : "no completion"}${item?.of ? `, ${item.passed} of ${item.of} checks` : ""}`;
      return el("i", { class: `s-${state}`, title: text, role: "img", "aria-label": text }, STATES[state][0]);
    });
    const link = el("a", {}, el("span", { class: "caption" }, probe.caption), el("span", { class: "where", title: `level ${probe.level}` }, String(probe.level)));
    return { link, node: el("li", {}, link, el("span", { class: "states" }, states)) };
  }

  function detail(shown, current) {
    const probe = InnerEar.state.index.probeById.get(current.id);
    if (current.view !== "probe") {
      frame.detail.replaceChildren(el("p", { class: "muted hint" }, "Select a probe."));
      InnerEar.player.stop("a");
      InnerEar.player.stop("b");
    } else if (!probe) {
      frame.detail.replaceChildren(el("p", { class: "error" }, `There is no probe ${current.id} in this run.`));
    } else {
      const at = shown.indexOf(probe);
      const steps = { at: at < 0 ? null : at, of: shown.length, before: shown[at - 1]?.id, after: shown[at + 1]?.id };
      InnerEar.probe.draw(frame.detail, probe, current, steps).then(() => {
        if (InnerEar.focusAfter) document.getElementById(InnerEar.focusAfter)?.focus();
        InnerEar.focusAfter = null;
      });
    }
  }

  // j and k: next and previous probe of the filter, from any view.
  function step(by) {
    const current = route();
    const shown = filtered(current.params);
    const at = shown.findIndex((p) => p.id === current.id);
    const next = shown[at < 0 ? (by > 0 ? 0 : shown.length - 1) : at + by];
    if (!next) return;
    location.hash = href("probe", next.id, current.params);
    InnerEar.say(next.caption);
  }

  const title = ({ view, id }) => (view === "probe" ? InnerEar.state.index.probeById.get(id)?.caption ?? id : "Probes");
  return { draw, step, title };
})();
InnerEar.views.probe = InnerEar.views.probes;
