"use strict";
// The full settings of the run: everything needed to repeat it.

InnerEar.views.run = (() => {
  const { el, words, number } = InnerEar;

  function draw() {
    const { asked, warnings } = InnerEar.state.index;
    const { models, strategies, suite, suite_digest, limits, command, seeds, versions, machine, jail, more } = asked;
    return [
      el("section", { class: "lead" }, el("h1", {}, "Run settings"), el("pre", { class: "command", tabindex: "0", "aria-label": "The command" }, command)),
      warnings.length ? el("section", {}, el("h2", {}, "Warnings"), el("ul", {}, warnings.map((w) => el("li", {}, w)))) : null,
      el("div", { class: "facts" },
        facts("Request", { models, strategies, suite, "suite digest": suite_digest, created: InnerEar.state.index.created }),
        facts("Limits", limits), facts("Jail", jail), facts("Seeds", seeds), facts("Versions", versions), facts("Machine", machine), facts("More", more)),
    ];
  }

  function facts(title, values) {
    const rows = Object.entries(values ?? {});
    if (!rows.length) return null;
    return el("section", {}, el("h2", {}, title),
      el("dl", {}, rows.map(([name, value]) => [el("dt", {}, words(name)), el("dd", {}, plain(value))])));
  }

  function plain(value) {
    if (Array.isArray(value)) return value.map(plain).join(", ") || "none";
    if (value && typeof value === "object") return Object.keys(value).length ? JSON.stringify(value) : "none";
    return typeof value === "number" ? number(value, 6) : value === null ? "none" : String(value);
  }

  return { draw, facts, plain, title: () => "Run" };
})();
