/* Draws views: sections of a recording with images and sounds (tfseg/reporting/pages/view.py).

   tfsegView(element, view) draws a view into an element. Called again with a view of the same sounds
   (another stretch of one recording) it keeps the players, the one that plays plays on.
   tfsegView.seek(element, time_s) moves its cursor and all its players.
   While time passes the element gets the event "tfseg-time", whose detail is the time in the sounds. */
"use strict";
const tfsegView = (() => {
  // Okabe and Ito's colours without black, which is invisible on a dark page.
  const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C8C8C"];
  const FREQUENCIES_HZ = [100, 250, 500, 1000, 2000, 4000, 8000, 16000];
  const STEPS_S = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];
  const MOST_TICKS = 6;
  const LEAST_TICK_GAP = 0.08; // of the spectrogram's height
  const states = new WeakMap();
  // Browsers limit the number of loaded sounds: load each one when it becomes visible.
  const inSight = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      entry.target.preload = "metadata";
      inSight.unobserve(entry.target);
    }
  }, { rootMargin: "200px" });

  function make(tag, properties = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name in node) node[name] = value;
      else node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  }

  const percent = (share) => `${(100 * share).toFixed(3)}%`;
  const readable = (label) => label.replaceAll("_", " ");

  function clock(time_s, step_s) {
    const digits = step_s < 1 ? 1 : 0;
    if (time_s < 60) return `${time_s.toFixed(digits)} s`;
    const minutes = Math.floor(time_s / 60 + 1e-9);
    const seconds = Math.max(time_s - 60 * minutes, 0).toFixed(digits);
    return `${minutes}:${seconds.padStart(digits ? 4 : 2, "0")}`;
  }

  function drawWaveform(view) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    const columns = view.waveform;
    const least = 0.01; // silence is a line
    const upper = columns.map(([, high], x) => `${x} ${-Math.max(high, least)}`);
    const lower = columns.map(([low], x) => `${x} ${-Math.min(low, -least)}`).reverse();
    if (columns.length) path.setAttribute("d", `M${upper.join("L")}L${lower.join("L")}Z`);
    svg.setAttribute("viewBox", `0 -1 ${Math.max(columns.length - 1, 1)} 2`);
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("class", "wave");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", "waveform");
    svg.append(path);
    return svg;
  }

  // Vertical position of a frequency between the band centres, as a share of the height from below.
  function heightOf(hz, mel_hz) {
    const above = mel_hz.findIndex((centre) => centre >= hz);
    const low = mel_hz[above - 1], high = mel_hz[above];
    const band = above === 0 ? 0 : above - 1 + (hz - low) / (high - low);
    return (band + 0.5) / mel_hz.length;
  }

  function drawFrequencies(view) {
    const axis = make("div", { className: "hz", "aria-hidden": "true" });
    const last = view.mel_hz[view.mel_hz.length - 1];
    let previous = -1;
    for (const hz of FREQUENCIES_HZ.filter((f) => f >= view.mel_hz[0] && f <= last)) {
      const height = heightOf(hz, view.mel_hz);
      if (height - previous < LEAST_TICK_GAP || height > 0.97) continue;
      previous = height;
      const tick = make("span", {}, hz < 1000 ? `${hz}` : `${hz / 1000}k`);
      tick.style.top = percent(1 - height);
      axis.append(tick);
    }
    const unit = make("span", {}, "Hz");
    unit.style.top = "-0.6rem";
    axis.append(unit);
    return axis;
  }

  function drawTimes(view) {
    const axis = make("div", { className: "axis", "aria-hidden": "true" });
    const step = STEPS_S.find((s) => view.duration_s / s <= MOST_TICKS) ?? 7200;
    const first = Math.ceil(view.start_s / step - 1e-6);
    for (let n = first; n * step <= view.start_s + view.duration_s + 1e-6; n += 1) {
      const share = (n * step - view.start_s) / view.duration_s;
      const tick = make("span", {}, clock(n * step, step));
      if (share < 0.02) tick.className = "first";
      if (share > 0.97) tick.className = "last";
      tick.style.left = percent(share);
      axis.append(tick);
    }
    return axis;
  }

  function describe(event) {
    const sure = event.confidence === null ? "" : `, confidence ${event.confidence.toFixed(2)}`;
    return `${readable(event.label)}, ${event.onset_s.toFixed(2)} to ${event.offset_s.toFixed(2)} s${sure}`;
  }

  function drawLane(lane, view) {
    const box = make("div", { className: "lane" }, make("div", { className: "lane-name" }, lane.name));
    const within = (time_s) => Math.min(Math.max((time_s - view.start_s) / view.duration_s, 0), 1);
    for (const label of new Set(lane.events.map((event) => event.label))) {
      const events = lane.events.filter((event) => event.label === label);
      const row = make("ul", { className: "row", "aria-label": `${lane.name}: ${readable(label)}` });
      const colour = Math.max(view.classes.indexOf(label), 0) % COLOURS.length;
      row.style.setProperty("--colour", COLOURS[colour]);
      for (const event of events) {
        const bar = make("li", { className: "bar", title: describe(event) });
        bar.append(make("span", { className: "hidden" }, describe(event)));
        bar.style.left = percent(within(event.onset_s));
        bar.style.width = percent(within(event.offset_s) - within(event.onset_s));
        row.append(bar);
      }
      const name = make("li", { className: "label", "aria-hidden": "true" }, readable(label));
      const onset = within(events[0].onset_s);
      if (onset < 0.6) name.style.left = percent(onset);
      else name.style.right = percent(1 - within(events[0].offset_s));
      row.append(name);
      box.append(row);
    }
    if (!lane.events.length) box.append(make("div", { className: "muted" }, "none"));
    return box;
  }

  function drawMaskButtons(view, show) {
    const box = make("div", { className: "masks" });
    for (const system of new Set(view.masks.map((mask) => mask.system))) {
      const buttons = make("div", { className: "buttons", role: "group", "aria-label": `masks of ${system}` });
      for (const mask of view.masks.filter((m) => m.system === system)) {
        const button = make("button", { type: "button" }, readable(mask.label));
        button.setAttribute("aria-pressed", "false");
        button.addEventListener("click", () => show(button.getAttribute("aria-pressed") === "true" ? null : mask));
        button.mask = mask;
        buttons.append(button);
      }
      box.append(make("div", { className: "system" }, system), buttons);
    }
    return box;
  }

  function drawPlayers(view) {
    const box = make("div", { className: "sounds" });
    for (const group of new Set(view.sounds.map((sound) => sound.group))) {
      const players = make("div", { className: "players" });
      for (const sound of view.sounds.filter((s) => s.group === group)) {
        const audio = make("audio", { controls: true, preload: "none", src: sound.url });
        inSight.observe(audio);
        audio.setAttribute("aria-label", `${group}: ${readable(sound.name)}`);
        players.append(make("div", { className: "player" }, make("div", {}, readable(sound.name)), audio));
      }
      box.append(make("h4", {}, group), players);
    }
    return box;
  }

  // State of an element that is kept when it is redrawn: players, position, shown mask.
  function stateOf(element, view) {
    const urls = view.sounds.map((sound) => sound.url).join("\n");
    const known = states.get(element);
    if (known && known.urls === urls) return known;
    const state = { urls, time_s: null, mask: null, sounds: drawPlayers(view), current: null };
    state.audios = [...state.sounds.querySelectorAll("audio")];
    state.current = state.audios[0] ?? null;
    const moved = (audio) => {
      if (audio !== state.current) return;
      state.time_s = audio.currentTime;
      state.place();
      element.dispatchEvent(new CustomEvent("tfseg-time", { detail: state.time_s, bubbles: true }));
    };
    for (const audio of state.audios) {
      const run = () => {
        moved(audio);
        if (!audio.paused) requestAnimationFrame(run);
      };
      audio.addEventListener("play", () => {
        state.current = audio;
        run();
      });
      audio.addEventListener("seeked", () => moved(audio));
      audio.addEventListener("pause", () => moved(audio));
    }
    states.set(element, state);
    return state;
  }

  function seek(state, time_s) {
    state.time_s = time_s;
    for (const audio of state.audios) audio.currentTime = time_s;
    state.place();
  }

  function listenToPlot(plot, slider, state, view) {
    const end_s = view.start_s + view.duration_s;
    plot.addEventListener("click", (event) => {
      const box = plot.getBoundingClientRect();
      seek(state, view.start_s + (view.duration_s * (event.clientX - box.left)) / box.width);
    });
    const small_s = view.duration_s / 100;
    const steps = { ArrowLeft: -small_s, ArrowRight: small_s, PageDown: -10 * small_s, PageUp: 10 * small_s };
    slider.addEventListener("keydown", (event) => {
      const now_s = state.time_s ?? view.start_s;
      if (event.key in steps) seek(state, Math.min(Math.max(now_s + steps[event.key], view.start_s), end_s));
      else if (event.key === "Home") seek(state, view.start_s);
      else if (event.key === "End") seek(state, end_s);
      else if (event.key === " " && state.current) state.current.paused ? state.current.play() : state.current.pause();
      else return;
      event.preventDefault();
    });
  }

  function draw(element, view) {
    const state = stateOf(element, view);
    const imageWidth = percent(Math.min(view.image_s / view.duration_s, 1));
    const logmel = make("img", { className: "logmel", src: view.logmel, alt: "log-mel spectrogram" });
    const overlay = make("img", { className: "mask", alt: "", hidden: true });
    logmel.style.width = overlay.style.width = imageWidth;
    const spectrogram = make("div", { className: "spectrogram" }, logmel, overlay);
    const cursor = make("div", { className: "cursor", hidden: true });
    const slider = make("div", { className: "slider", tabIndex: 0, role: "slider" }, drawWaveform(view), spectrogram, drawTimes(view));
    slider.setAttribute("aria-label", "position in the sound");
    slider.setAttribute("aria-valuemin", view.start_s);
    slider.setAttribute("aria-valuemax", view.start_s + view.duration_s);
    const lanes = make("div", { className: "lanes" }, ...view.lanes.map((lane) => drawLane(lane, view)));
    const plot = make("div", { className: "plot" }, slider, lanes, cursor);

    state.place = () => {
      const time_s = state.time_s ?? view.start_s;
      const share = (time_s - view.start_s) / view.duration_s;
      cursor.hidden = state.time_s === null || share < 0 || share > 1.001;
      cursor.style.left = percent(share);
      slider.setAttribute("aria-valuenow", time_s.toFixed(2));
      slider.setAttribute("aria-valuetext", `${time_s.toFixed(2)} s`);
    };
    const buttons = drawMaskButtons(view, (mask) => showMask(mask));
    const showMask = (mask) => {
      state.mask = mask;
      overlay.hidden = mask === null;
      spectrogram.classList.toggle("masked", mask !== null);
      if (mask === null) overlay.removeAttribute("src");
      else overlay.src = mask.url;
      overlay.alt = mask === null ? "" : `mask of ${mask.system} for ${readable(mask.label)}`;
      for (const button of buttons.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.mask === mask));
    };

    const frequencies = drawFrequencies(view);
    const picture = make("div", { className: "picture" }, frequencies, plot);
    const parts = [make("h3", {}, view.title), picture];
    if (view.note) parts.splice(1, 0, make("p", { className: "note" }, view.note));
    if (view.sounds.length) {
      parts.push(make("p", { className: "hint" }, "Click the picture or use the arrow keys to move to a time; press space to play."));
    }
    if (view.masks.length) parts.push(make("h4", {}, "Show a mask over the spectrogram"), buttons);
    parts.push(state.sounds);
    // Removing a playing player from the page would stop it, so it stays in place.
    if (state.sounds.parentNode === element) {
      while (element.firstChild !== state.sounds) element.firstChild.remove();
      state.sounds.before(...parts.slice(0, -1));
    } else {
      element.replaceChildren(...parts);
    }
    // The frequency axis is as tall as the spectrogram, which begins below the waveform.
    frequencies.style.top = `${spectrogram.offsetTop}px`;
    const fit = () => { frequencies.style.height = `${spectrogram.offsetHeight}px`; };
    new ResizeObserver(fit).observe(spectrogram);
    fit();
    listenToPlot(plot, slider, state, view);
    state.place();
    const before = state.mask;
    showMask(before && (view.masks.find((m) => m.system === before.system && m.label === before.label) ?? null));
  }

  // One sound at a time on the whole page. Play events do not bubble, so listen while capturing.
  document.addEventListener("play", (event) => {
    for (const audio of document.querySelectorAll("audio")) if (audio !== event.target) audio.pause();
  }, true);
  document.addEventListener("DOMContentLoaded", () => {
    for (const data of document.querySelectorAll("script.view-data")) {
      draw(document.getElementById(data.dataset.for), JSON.parse(data.textContent));
    }
  });
  draw.seek = (element, time_s) => seek(states.get(element), time_s);
  return draw;
})();
