"use strict";
// The base of the page: data loaded as scripts, elements built without parsing markup, and the
// address (the part after #), from which every view can be redrawn.

const InnerEar = (() => {
  const arrived = new Map();
  const waiting = new Map();
  const KEPT = 80; // script contents kept in memory; older ones are loaded again

  function receive(kind, name, text) {
    const content = JSON.parse(text);
    if (kind === "index") {
      prepare(content);
      return;
    }
    const key = `${kind} ${name}`;
    arrived.set(key, content);
    if (arrived.size > KEPT) arrived.delete(arrived.keys().next().value);
    waiting.get(key)?.resolve(content);
    waiting.delete(key);
  }

  function load(kind, name, path) {
    const key = `${kind} ${name}`;
    if (arrived.has(key)) return Promise.resolve(arrived.get(key));
    if (waiting.has(key)) return waiting.get(key).promise;
    const wait = {};
    wait.promise = new Promise((resolve, reject) => Object.assign(wait, { resolve, reject }));
    waiting.set(key, wait);
    const script = el("script", { src: path });
    script.addEventListener("load", () => script.remove());
    script.addEventListener("error", () => {
      script.remove();
      waiting.delete(key);
      wait.reject(new Error(`${path} is missing. Rebuild the report with: innerear report`));
    });
    document.head.append(script);
    return wait.promise;
  }

  // ---- the index, with lookup tables

  const state = { index: null };

  function prepare(index) {
    const several = new Set(index.entrants.map((e) => e.strategy)).size > 1;
    index.entrants.forEach((entrant, i) => {
      entrant.id = i;
      entrant.label = several ? `${entrant.model} · ${entrant.strategy}` : entrant.model;
      entrant.baseline = /^(baseline\/|swap\/|real$|sampler$)/.test(entrant.model); // floors and ceilings, not models
    });
    index.probeById = new Map(index.probes.map((p) => [p.id, p]));
    for (const probe of index.probes) {
      probe.search = `${probe.id} ${probe.caption} ${probe.details}`.toLowerCase();
      probe.items = index.entrants.map(() => []);
    }
    for (const item of index.items) {
      item.state = stateOf(item);
      index.probeById.get(item.probe)?.items[item.entrant].push(item);
    }
    index.metricText = new Map(index.metrics.map((m) => [m.name, m]));
    state.index = index;
  }

  const STATES = {
    pass: ["●", "all checks passed"],
    some: ["◐", "some checks passed"],
    miss: ["○", "sound, no check passed"],
    heard: ["◌", "sound, no verdict"],
    fail: ["×", "no sound"],
    none: ["·", "no completion"],
  };

  function stateOf(item) {
    if (!item.audio) return "fail";
    if (!item.of) return "heard";
    return item.passed === item.of ? "pass" : item.passed ? "some" : "miss";
  }

  // ---- elements: strings become text, never markup

  function el(tag, props = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(props ?? {})) {
      if (value === undefined || value === null || value === false) continue;
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (name === "vars") for (const [k, v] of Object.entries(value)) node.style.setProperty(k, v);
      else if (name === "value") node.value = value;
      else node.setAttribute(name, value === true ? "" : String(value));
    }
    if (props?.class === "wide") node.tabIndex = 0; // it scrolls sideways on a phone, so a keyboard must reach it
    node.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
    return node;
  }

  // Text with the parts between backticks as code.
  function coded(text) {
    return text.split("`").map((part, i) => (i % 2 ? el("code", {}, part) : part));
  }

  // ---- numbers and words

  const NONE = "–";

  function number(value, digits = 3) {
    const text = plainNumber(value, digits);
    return text.replace("-", Number(text) === 0 ? "" : "−");
  }

  function plainNumber(value, digits) {
    if (value === null || value === undefined) return NONE;
    if (typeof value !== "number") return String(value);
    if (value === 0 || Number.isInteger(value)) return value.toLocaleString("en");
    const size = Math.abs(value);
    if (size >= 1000) return Math.round(value).toLocaleString("en");
    if (size < 1e-4) return value.toExponential(1);
    return value.toFixed(Math.max(0, Math.min(6, digits - 1 - Math.floor(Math.log10(size)))));
  }

  function quantity(value, unit) {
    if (value === null || value === undefined) return NONE;
    if (unit === "share") return `${number(100 * value)} %`;
    return unit ? `${number(value)} ${unit}` : number(value);
  }

  // An interval rounded like its value.
  function interval(score) {
    if (score.low == null || score.high == null) return "";
    const scale = score.unit === "share" ? 100 : 1;
    const wide = Math.max(Math.abs(score.low), Math.abs(score.high)) * scale;
    const decimals = score.unit === "share" ? 1 : wide >= 100 ? 0 : wide >= 10 ? 1 : wide >= 0.1 || !wide ? 2 : Math.min(6, 1 - Math.floor(Math.log10(wide)));
    const [low, high] = [score.low, score.high].map((v) => (v * scale).toFixed(decimals).replace("-", "−"));
    return `[${low}, ${high}]`;
  }

  function metricLabel(name) {
    return state.index.metricText.get(name)?.label ?? words(name);
  }

  // The embedder of a score, from its signature; empty for most metrics.
  function embedder(score) {
    return score.signature.match(/(?:^|\|)emb:([^|]*)/)?.[1] ?? "";
  }

  function entrantOf(score) {
    return state.index.entrants.find((e) => e.model === score.model && e.strategy === score.strategy);
  }

  function words(name) {
    return String(name).replaceAll("_", " ");
  }

  // ---- the address: #/view/id?key=value

  function route(hash = location.hash) {
    const [path, query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
    const [view = "", ...rest] = path.split("/");
    return { view: view || "overview", id: rest.map(decode).join("/"), params: new URLSearchParams(query) };
  }

  function decode(part) {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  }

  function href(view, id = "", params = null) {
    const path = [view === "overview" ? "" : view, ...(id ? id.split("/").map(encodeURIComponent) : [])];
    const query = params ? String(params) : "";
    return `#/${path.join("/")}${query ? `?${query}` : ""}`;
  }

  // The address with some parameters changed; null removes one.
  function changed(changes, from = route()) {
    const params = new URLSearchParams(from.params);
    for (const [key, value] of Object.entries(changes)) {
      if (value === null || value === "") params.delete(key);
      else params.set(key, value);
    }
    return href(from.view, from.id, params);
  }

  function say(text) {
    document.getElementById("said").textContent = text;
  }

  return {
    coded,
    receive, load, state, STATES, el, NONE, number, quantity, interval, metricLabel, embedder, entrantOf, words, route, href, changed, say,
    views: {},
  };
})();
