/* Asks one question after the other; what was answered lies with the server (tfseg/review/server.py). */
"use strict";
(() => {
  const find = (id) => document.getElementById(id);
  const view = find("view"), question = find("question"), undo = find("undo"), help = find("help");
  const buttons = [...document.querySelectorAll("button[data-answer]")];
  const opened = new Set(); // stretches whose other classes are asked about one by one
  const keyOf = (number, label) => JSON.stringify([number, label]);
  const readable = (label) => label.replaceAll("_", " ");
  let review = null, given = new Map(), now = null, shown = null, masks = true, busy = false;

  function take(state) {
    given = new Map(state.given.map(([number, label, answer]) => [keyOf(number, label), answer]));
    review.counts = state.counts;
  }

  // Questions of a stretch that have no answer: each class asked for, then the others together.
  function questionsOf(stretch) {
    const left = stretch.classes.filter((label) => !given.has(keyOf(stretch.number, label)));
    const others = left.filter((label) => !stretch.asked.includes(label));
    const single = left.filter((label) => stretch.asked.includes(label)).map((label) => [label]);
    if (opened.has(stretch.number) || others.length === 1) return [...single, ...others.map((label) => [label])];
    return others.length ? [...single, others] : single;
  }

  function next() {
    for (const stretch of review.stretches) {
      const questions = questionsOf(stretch);
      if (questions.length) return { stretch, labels: questions[0], left: questions.length };
    }
    return null;
  }

  function complain(text) {
    find("error").textContent = text;
    find("error").hidden = !text;
  }

  const audio = () => view.querySelector("audio");

  function play(from_start) {
    const sound = audio();
    if (from_start) sound.currentTime = 0;
    sound.play().catch((error) => {
      // The next stretch came before this one sounded.
      if (error.name !== "AbortError") complain(`This sound cannot be played: ${error.message}`);
    });
  }

  function showMask() {
    const label = masks && now && now.labels.length === 1 ? now.labels[0] : null;
    const all = [...view.querySelectorAll(".masks button")];
    const wanted = all.find((button) => button.mask.label === label);
    const pressed = all.find((button) => button.getAttribute("aria-pressed") === "true");
    if (wanted && wanted !== pressed) wanted.click();
    else if (!wanted && pressed) pressed.click();
  }

  function tagsText({ stretch, labels }) {
    if (labels.length > 1) return `All of them: ${labels.map(readable).join(", ")}`;
    const tags = stretch.tags[labels[0]];
    const mean = tags.reduce((sum, tag) => sum + tag, 0) / tags.length;
    const range = `, from ${Math.min(...tags).toFixed(2)} to ${Math.max(...tags).toFixed(2)}`;
    const models = tags.length > 1 ? `The ${tags.length} models say` : "The model says";
    return `${models} ${mean.toFixed(2)}${tags.length > 1 ? range : ""} (0: surely not, 1: surely).`;
  }

  function list() {
    const rows = review.stretches.map((stretch) => {
      const row = document.createElement("tr");
      const answers = stretch.classes
        .filter((label) => given.has(keyOf(stretch.number, label)))
        .map((label) => [readable(label), given.get(keyOf(stretch.number, label))]);
      const yes = answers.filter(([, answer]) => answer === "yes").map(([label]) => label);
      const unsure = answers.filter(([, answer]) => answer === "unsure").map(([label]) => label);
      const left = stretch.classes.length - answers.length;
      const words = [
        ...(yes.length ? [yes.join(", ")] : answers.length && !unsure.length && !left ? ["none of the classes"] : []),
        ...(unsure.length ? [`unsure: ${unsure.join(", ")}`] : []),
        ...(left ? [`${left} open`] : []),
      ];
      for (const [text, name] of [
        [stretch.number, "number"], [stretch.path.split("/").pop(), ""],
        [stretch.start_s.toFixed(1), "number"], [stretch.stop_s.toFixed(1), "number"],
        [stretch.score.toFixed(2), "number"], [review.reasons[stretch.reason], ""], [words.join("; "), ""],
      ]) {
        const cell = document.createElement("td");
        cell.textContent = text;
        cell.className = name;
        row.append(cell);
      }
      if (now && stretch === now.stretch) row.className = "now";
      return row;
    });
    find("list").replaceChildren(...rows);
  }

  function ask() {
    now = next();
    const n_all = review.counts.stretches, n_done = n_all - review.counts.open;
    find("progress").max = n_all;
    find("progress").value = n_done;
    undo.disabled = given.size === 0;
    for (const button of [...buttons, find("play")]) button.disabled = now === null;
    list();
    if (now === null) {
      shown = null;
      view.replaceChildren();
      question.textContent = "All questions are answered.";
      find("place").textContent = `${n_done} of ${n_all} stretches`;
      find("said").textContent = `${review.clips} has ${review.counts.clips} of them as clips; ${review.counts.unsure} are left out as unsure.`;
      document.title = "Review: done";
      return;
    }
    const { stretch, labels, left } = now;
    find("place").textContent = `stretch ${stretch.number} of ${n_all}, ${left} ${left === 1 ? "question" : "questions"} left`;
    document.title = `Review: ${n_done} of ${n_all}`;
    const name = document.createElement("span");
    name.className = "label";
    name.textContent = labels.length > 1 ? `any of ${labels.length} other classes` : readable(labels[0]);
    question.replaceChildren("Does ", name, " sound here?");
    find("said").textContent = tagsText(now);
    if (shown !== stretch) {
      shown = stretch;
      tfsegView(view, stretch.view);
      // Browsers play nothing before the first key or click.
      if (find("auto").checked && navigator.userActivation?.hasBeenActive) play(true);
    }
    showMask();
  }

  // Send something that the server is to keep; nothing changes on the page before it is kept.
  async function send(path, content, said) {
    if (busy) return;
    busy = true;
    try {
      const response = await fetch(path, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content),
      });
      if (!response.ok) throw new Error(await response.text());
      const state = await response.json();
      take(state);
      complain("");
      find("status").textContent = said(state);
      ask();
    } catch (error) {
      complain(error instanceof TypeError
        ? "The server does not answer. Start tfseg review again: all answers before this one are kept."
        : `Not kept: ${error.message}`);
    } finally {
      busy = false;
    }
  }

  function answer(word) {
    if (now === null || busy) return;
    const { stretch, labels } = now;
    if (word === "yes" && labels.length > 1) {
      opened.add(stretch.number);
      find("status").textContent = "Which one?";
      ask();
      return;
    }
    const what = labels.length > 1 ? `${labels.length} classes` : readable(labels[0]);
    send("answers", { stretch: stretch.number, labels, answer: word }, () => `Kept: ${what}, ${word}.`);
  }

  function takeBack() {
    if (undo.disabled) return;
    send("undo", {}, ({ again }) => `Taken back: ${again.map(([, label]) => readable(label)).join(", ")}.`);
  }

  function playOrPause() {
    if (!audio()) return;
    if (audio().paused) play(false);
    else audio().pause();
  }

  const actions = {
    y: () => answer("yes"),
    n: () => answer("no"),
    u: () => answer("unsure"),
    z: takeBack,
    Backspace: takeBack,
    r: () => audio() && play(true),
    m: () => {
      masks = !masks;
      showMask();
    },
    " ": playOrPause,
    "?": () => help.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || help.open || !review) return;
    if (!find("keys").checked && event.key !== "?") return;
    // What has the focus may have a use for these keys of its own.
    if (event.key === " " && event.target.closest("button, summary, audio, [role=slider]")) return;
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  for (const button of document.querySelectorAll("button")) {
    // After a click of the mouse the space key plays; the focus of the keyboard stays.
    button.addEventListener("click", (event) => event.detail && button.blur());
  }
  for (const button of buttons) button.addEventListener("click", () => answer(button.dataset.answer));
  undo.addEventListener("click", takeBack);
  find("play").addEventListener("click", playOrPause);
  for (const [type, word] of [["play", "Pause"], ["pause", "Play"]]) {
    // These do not bubble.
    view.addEventListener(type, () => { find("play").firstElementChild.textContent = word; }, true);
  }
  find("help-button").addEventListener("click", () => help.showModal());

  async function begin() {
    const response = await fetch("review.json");
    if (!response.ok) throw new Error(await response.text());
    review = await response.json();
    take(review);
    ask();
    question.focus();
  }
  begin().catch((error) => complain(`The review cannot be loaded: ${error.message}`));
})();
