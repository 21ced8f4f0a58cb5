"use strict";
// The player: waveform and spectrogram under one cursor. Both are precomputed; audio loads on play.

InnerEar.player = (() => {
  const { el, say } = InnerEar;
  const live = new Map(); // by the slot that plays it: "a" or "b" of a probe, or one of the overview

  // `name` of the sound's pictures, `url` of its audio; `height` of its waveform in pixels.
  function mount(slot, { name, url }, label, height = 56) {
    stop(slot);
    const { picture } = InnerEar.state.index;
    const path = `sounds/${name}.${picture.version}`;
    const wave = el("div", { class: "wave" });
    const cursor = el("div", { class: "cursor", "aria-hidden": "true" });
    const ticks = picture.ticks.map(([f_hz, at]) => el("span", { vars: { "--y": at } }, f_hz === picture.ticks.at(-1)[0] ? `${f_hz / 1000} kHz` : f_hz >= 1000 ? `${f_hz / 1000}k` : String(f_hz)));
    const pictures = el("div", { class: "pictures", role: "slider", tabindex: "0", "aria-label": `Position in the sound of ${label}`, "aria-valuemin": "0" },
      wave,
      el("div", { class: "spectrogram" },
        el("img", { src: `${path}.png`, alt: `Spectrogram, mel scale to 20 kHz, ${picture.range_db} dB down from its loudest point`, decoding: "async", draggable: "false" }),
        el("div", { class: "ticks", "aria-hidden": "true" }, ticks)),
      cursor);
    const button = el("button", { type: "button", class: "play", "aria-label": `Play the sound of ${label}`, onclick: () => toggle(slot) });
    const clock = el("span", { class: "clock" });
    const axis = el("div", { class: "axis", "aria-hidden": "true" });
    const node = el("div", { class: "player", role: "group", "aria-label": `Sound of ${label}` },
      el("div", { class: "controls" }, button, clock, el("a", { class: "quiet", href: url, download: true }, url.split(".").pop().toUpperCase())),
      pictures, axis);
    const player = { node, slot, ended: false };
    live.set(slot, player);
    InnerEar.load("sound", name, `${path}.js`).then(
      (sound) => { if (!player.ended) start(player, sound, { wave, pictures, button, clock, axis, url, label, height }); },
      (error) => { clock.textContent = error.message; });
    return node;
  }

  function start(player, sound, { wave, pictures, button, clock, axis, url, label, height }) {
    const full = sound.duration_s;
    const media = new Audio();
    media.preload = "none";
    const ws = WaveSurfer.create({
      container: wave, height, media, url, duration: full, ...colours(),
      peaks: [sound.above.map((v) => v / 255), sound.below.map((v) => v / 255)],
      cursorWidth: 0, interact: false, hideScrollbar: true, maxPeak: 1, normalize: false,
    });
    player.ws = ws;
    player.media = media;
    const show = (at) => {
      pictures.style.setProperty("--at", full ? Math.min(1, at / full) : 0);
      pictures.setAttribute("aria-valuenow", at.toFixed(2));
      pictures.setAttribute("aria-valuetext", `${at.toFixed(2)} of ${full.toFixed(2)} seconds`);
      clock.textContent = `${at.toFixed(2)} / ${full.toFixed(2)} s`;
    };
    const shown = (playing) => {
      button.classList.toggle("on", playing);
      button.setAttribute("aria-label", `${playing ? "Pause" : "Play"} the sound of ${label}`);
    };
    pictures.setAttribute("aria-valuemax", full.toFixed(2));
    axis.replaceChildren(...timeTicks(full).map((t) => el("span", { vars: { "--x": t / full } }, `${+t.toFixed(3)}${t ? "" : " s"}`)));
    ws.on("timeupdate", show);
    ws.on("play", () => { for (const other of live.values()) if (other !== player) other.ws?.pause(); shown(true); });
    ws.on("pause", () => shown(false));
    ws.on("finish", () => { shown(false); ws.setTime(0); });
    ws.on("error", () => {
      clock.textContent = `This browser cannot play ${url}`;
      say(clock.textContent);
    });
    const seek = (event) => {
      const box = pictures.getBoundingClientRect();
      ws.setTime(full * Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
    };
    pictures.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      pictures.setPointerCapture(event.pointerId);
      seek(event);
    });
    pictures.addEventListener("pointermove", (event) => { if (pictures.hasPointerCapture(event.pointerId)) seek(event); });
    pictures.addEventListener("keydown", (event) => {
      const step = { ArrowRight: full / 50, ArrowLeft: -full / 50, Home: -Infinity, End: Infinity }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      ws.setTime(Math.min(full, Math.max(0, ws.getCurrentTime() + step)));
    });
    show(0);
  }

  function timeTicks(full) {
    return d3.ticks(0, full, 5).filter((t) => t <= 0.97 * full);
  }

  function colours() {
    const css = getComputedStyle(document.documentElement);
    return { waveColor: css.getPropertyValue("--wave").trim(), progressColor: css.getPropertyValue("--accent").trim() };
  }

  function recolour() {
    for (const { ws } of live.values()) ws?.setOptions(colours());
  }

  function toggle(slot) {
    const ws = live.get(slot)?.ws;
    if (!ws) return;
    ws.playPause().catch((error) => say(error.message));
  }

  function stop(slot) {
    const player = live.get(slot);
    if (!player) return;
    player.ended = true;
    player.ws?.destroy();
    if (player.media) {
      player.media.pause();
      player.media.removeAttribute("src");
    }
    live.delete(slot);
  }

  return { mount, toggle, stop, recolour, live };
})();
