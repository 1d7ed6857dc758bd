"use strict";
const IDLE = 1500;  // ms without typing, after which a draft is saved
const LEAD = 0.15;  // s that are played around a segment
let active = null;  // the line that is being corrected
let saving = Promise.resolve();  // requests are sent one after the other

document.body.append(make("footer", { class: "foot" },
  make("div", { class: "keys" },
    ...[["Tab", "next unsure word"], ["Shift-Tab", "back"], ["Enter", "accept the line"], ["Ctrl-Z", "undo"], ["Alt-↑ ↓", "other line"], ["Ctrl-Space", "play"], ["Esc", "leave"]]
      .map(([key, name]) => make("span", {}, make("kbd", {}, key), ` ${name}`)),
    make("label", { hidden: !items.some(item => item.player), class: "loop" }, make("input", { type: "checkbox", id: "loop", checked: true }), " loop the sound")),
  make("div", { class: "tell", id: "tell", role: "status" }, `Correcting as ${DATA.serving.by}`)));

function tell(text, bad = false, ...deeds) {
  by("tell").className = bad ? "tell bad" : "tell";
  by("tell").replaceChildren(text, ...deeds.map(([name, deed]) => make("button", { type: "button", onclick: deed }, name)));
}

/* The server. */
function ask(address, asked, after) {
  saving = saving.then(async () => {
    const body = asked instanceof Function ? asked() : asked;
    const posted = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), keepalive: true };
    let answer, told;
    try {
      answer = await fetch(address, posted);
      told = await answer.json();
    } catch {
      tell("Not saved: the server does not answer.", true, ["Try again", () => ask(address, asked, after)]);
      return;
    }
    if (answer.status === 409) {
      tell(told.conflict, true,
        ["Load it", () => { leave(false); ask(address, undefined, told => { renew(Number(address.split("/")[1]), told); tell("Loaded what is on disk."); }); }],
        ["Write over it", () => ask(address, { ...body, force: true }, after)]);
    } else if (!answer.ok) {
      tell(`Not saved: ${told.error || told.detail || answer.status}`, true);
    } else {
      after(told);
    }
  });
  return saving;
}

const unanswered = new Set();  // what was typed and sent, in this order
function save(line, text, checked) {
  const { number, place } = line, edit = { number, place, text, checked };
  tell("Saving …");
  unanswered.add(edit);
  const asked = ask(`result/${number}`, () => ({ line: place, text, checked, before: line.known }), told => {
    unanswered.delete(edit);
    line.known = told.item.lines[place].t ?? told.item.lines[place].w.map(word => word[0]).join(" ");
    renew(number, told);
    if (told.problems) tell(told.problems.join(" "), true);
    else tell(checked ? "Saved and checked." : "Draft saved.");
  });
  return asked.then(() => unanswered.delete(edit));
}

/* What the server says of a result; what it has not heard of yet stays as it was typed. */
function renew(number, told) {
  Object.assign(items[number], complete(told.item));
  for (const edit of unanswered) if (edit.number === number) assume(items[number].lines[edit.place], edit.text, edit.checked);
  if (!told.item.lines.some(line => line.k)) delete items[number].checked;
  delete items[number].search;
  redraw(number, told.kept || []);
}

/* A result as it is now, but for the line that is being corrected. */
function redraw(number, kept) {
  const article = rowOf(number), item = items[number];
  summarise();
  if (!article) return;
  article.querySelector(".facts").replaceWith(facts(item));
  article.querySelector(".gist")?.replaceWith(gist(item));
  const body = article.querySelector(".body");
  if (!body) return;
  const count = { words: 0, signs: 0 }, old = [...body.querySelectorAll(".line")], focused = old.indexOf(document.activeElement);
  item.lines.forEach((_, place) => {
    const line = lineOf(item, place, count);
    if (active && active.number === number && active.place === place) {
      old[place]?.querySelector(".tick")?.remove();
    } else {
      prepare(line, item, place);
      old[place]?.replaceWith(line);
    }
  });
  const drawn = body.querySelector(".sheet > svg");
  if (drawn && item.view) drawn.replaceWith(drawing(item));
  if (item.top) body.querySelector(".classes")?.replaceWith(classesOf(item));
  if (focused >= 0) body.querySelectorAll(".line")[focused].focus({ preventScroll: true });
  body.querySelector(".kept")?.remove();
  if (kept.length) {
    const force = () => { const line = item.lines[0]; ask(`result/${number}`, { line: 0, text: line.t, checked: Boolean(line.k), force: true }, told => { renew(number, told); tell("Written."); }); };
    body.prepend(make("p", { class: "kept" }, `${kept.join(", ")}: edited by somebody else, and kept as it is. `, make("button", { type: "button", onclick: force }, "Write over it")));
  }
  mark();
}

function prepare(line, item, place) {
  if (item.lines[place].missing || item.fixed) return;
  line.classList.add("editable");
  line.tabIndex = 0;
  line.setAttribute("role", "button");
  line.setAttribute("aria-label", `Correct: ${item.lines[place].t || "(empty)"}`);
}

by("list").addEventListener("opened", event => {
  const number = Number(event.target.dataset.number);
  for (const other of document.querySelectorAll(".item.open")) if (other !== event.target) open(Number(other.dataset.number), true);
  const fresh = !event.target.dataset.read;
  event.target.querySelectorAll(".line").forEach(line => prepare(line, items[number], Number(line.dataset.line)));
  event.target.dataset.read = "yes";
  if (fresh) ask(`result/${number}`, undefined, told => renew(number, told));
});
by("list").addEventListener("closed", event => {
  delete event.target.dataset.read;
  if (active?.number === Number(event.target.dataset.number)) leave(true);
});
by("list").addEventListener("click", event => {
  const line = event.target.closest(".line.editable");
  if (!line || event.target.closest(".editor, .from") || !getSelection().isCollapsed) return;
  const word = event.target.closest(".word");
  edit(Number(line.closest(".item").dataset.number), Number(line.dataset.line), word ? [...line.querySelectorAll(".word")].indexOf(word) : "all");
});
by("list").addEventListener("keydown", event => {
  const line = event.target.closest(".line.editable");
  if (line && event.target === line && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    edit(Number(line.closest(".item").dataset.number), Number(line.dataset.line), "first");
  }
});

/* Unsure words: where they are in a text, as long as they are as they were read. */
function tokens(text) {
  return [...text.matchAll(/\S+/g)].map(found => [found.index, found.index + found[0].length, found[0]]);
}

function wordAt(line, all, index) {  // the word of the result that a word of the text is, or -1
  const words = line.w, fromEnd = words.length - (all.length - index);
  const alike = (place, step, stop) => { for (let at = index, word = place; at !== stop; at += step, word += step) if (words[word]?.[0] !== all[at][2]) return false; return true; };
  if (alike(index, -1, -1)) return index;
  return fromEnd >= 0 && alike(fromEnd, 1, all.length) ? fromEnd : -1;
}

function unsure(line, text) {
  if (line.k || line.missing) return [];
  const all = tokens(text);
  const found = all.filter((_, index) => { const word = wordAt(line, all, index); return word >= 0 && line.w[word][1] < 0.9; });
  return found.length || line.t || line.c === undefined || line.c >= 0.9 ? found : [[0, 0, ""]];
}
const isUnsure = line => isOpen(line) && line.w.some(word => word[1] < 0.9);
const isOpen = line => !line.k && !line.missing;  // to be checked

/* Correcting a line. */
function edit(number, place, where) {
  leave(true);
  if (!rowOf(number)) show(Math.floor(shown.order.indexOf(number) / PAGE));
  if (!rowOf(number).classList.contains("open")) open(number);
  const item = items[number], line = item.lines[place];
  const element = rowOf(number).querySelector(`.line[data-line="${place}"]`);
  if (!element || line.missing) return;
  const field = fieldFor(item, line);
  active = { number, place, element, field, begun: line.t, stored: line.t, known: line.t, touched: false, drafted: false, timer: 0 };
  element.classList.add("active");
  element.classList.remove("editable");
  element.removeAttribute("tabindex");
  element.removeAttribute("role");
  element.removeAttribute("aria-label");
  const others = (line.a || []).filter(([text]) => text !== line.t).slice(0, 5).map(([text, share]) =>
    make("button", { type: "button", class: "other", title: `confidence ${percent(share)}`, dir: "auto", onclick: () => { field.value = text; field.focus(); typed(); } }, text));
  const deeds = make("div", { class: "deeds" },
    make("button", { type: "button", class: "accept", onclick: accept }, "✓ Accept"),
    make("button", { type: "button", onclick: () => { leave(true); } }, "Close"),
    ...(others.length ? [make("span", { class: "muted" }, "or:"), ...others] : []));
  element.append(make("div", { class: "editor" }, strip(item, line), field, deeds));
  if (place && field.tagName === "TEXTAREA") grow(field);
  field.focus({ preventScroll: true });
  select(where);
  element.scrollIntoView({ block: "nearest" });
  mark();
  repeat();
}

function fieldFor(item, line) {
  const known = item.top && DATA.serving.classes[item.model];
  if (known?.all) {
    const labels = known.labels.includes(line.t) ? known.labels : [line.t, ...known.labels];
    const field = make("select", { "aria-label": "label", onkeydown: keys, onchange: typed }, ...labels.map(label => make("option", { value: label }, label)));
    field.value = line.t;
    return field;
  }
  if (known) {
    const field = make("input", { "aria-label": "label", list: "labels", onkeydown: keys, oninput: typed });
    by("labels")?.remove();
    document.body.append(make("datalist", { id: "labels" }, ...known.labels.map(label => make("option", { value: label }))));
    field.value = line.t;
    return field;
  }
  const field = make("textarea", { rows: 1, dir: "auto", spellcheck: "false", autocomplete: "off", "aria-label": "text", onkeydown: keys, oninput: typed, onselect: mark, onkeyup: mark, onclick: mark });
  field.value = line.t;
  return field;
}

function grow(field) {
  if (CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

function select(where) {
  const { field, number, place } = active;
  if (!field.setSelectionRange || field.tagName !== "TEXTAREA") return;
  const all = tokens(field.value), found = unsure(items[number].lines[place], field.value);
  let chosen = where === "last" ? found.at(-1) : where === "first" ? found[0] : all[where];
  chosen ??= [field.value.length, field.value.length];
  field.setSelectionRange(chosen[0], chosen[1]);
}

function typed() {
  if (!active) return;
  active.touched = active.field.value !== active.begun;
  if (active.field.tagName === "TEXTAREA") grow(active.field);
  clearTimeout(active.timer);
  active.timer = setTimeout(draft, IDLE);
  mark();
}

function draft() {
  if (!active || active.field.value === active.stored) return;
  active.stored = active.field.value;
  active.drafted = true;
  save(active, active.stored, false);
}

/* Leave the line; what was changed is saved, and is checked, since a person wrote it. */
function leave(keep, checked = false) {
  if (!active) return;
  const left = active, { number, place, element, field, touched, drafted, timer, stored, begun } = active;
  const text = field.value;
  clearTimeout(timer);
  stop();
  active = null;
  const item = items[number];
  if (item.top && item.lines.length > 1) checked &&= place === item.lines.length - 1;
  else checked ||= touched;
  if (keep && (checked || text !== stored)) assume(item.lines[place], text, checked);
  const line = lineOf(item, place, { words: 0, signs: 0 });
  prepare(line, item, place);
  element.replaceWith(line);
  if (keep && (checked || text !== stored)) save(left, text, checked);
  else if (!keep && drafted && stored !== begun) ask("undo", {}, told => told && renew(told.number, told));
  else redraw(number, keptOf(number));
}

/* Until the server answers: the line as it will be. */
function assume(line, text, checked) {
  const words = text.split(/\s+/).filter(Boolean), same = words.join(" ") === line.t;
  line.t = words.join(" ");
  if (!same) line.w = words.map(word => [word, 1]);
  if (checked) line.k = [DATA.serving.by, "just now"];
}
const keptOf = number => rowOf(number)?.querySelector(".kept")?.firstChild.data.split(":")[0].split(", ") ?? [];

function accept() {
  const { number, place } = active;
  const next = following(number, place, 1, isOpen);
  leave(true, true);
  if (next) edit(next[0], next[1], "first");
  else if (lessons()) teach();
  else tell("That was the last line.");
}

/* What teaches a model most: the server orders lines, and the keys go from one to the other. */
const lessons = () => by("sort").value === "next" ? shown.lessons : null;

function teach() {
  leave(true);
  tell("Looking for what teaches most …");
  ask("next", undefined, told => {
    if (by("sort").value !== "next") return;
    shown.lessons = told.lessons.map(([number, place]) => [number, items[number].top ? items[number].lines.length - 1 : place]);
    choose();
    const first = shown.lessons.find(([number, place]) => shown.order.includes(number) && isOpen(items[number].lines[place]));
    if (!first) { tell("There is nothing left to learn from."); return; }
    edit(first[0], first[1], "first");
    tell(`${counted(shown.lessons.length, "line")} that teach most, one after the other: Enter accepts and goes on.`);
  });
}
by("sort").addEventListener("change", () => { if (by("sort").value === "next") teach(); else shown.lessons = null; });

/* The next line that something is true of, in the order of the list, or of what teaches most; [number, place] or null. */
function following(number, place, step, is, among = lessons()) {
  if (among) {
    const start = among.findIndex(each => each[0] === number && each[1] === place);
    for (let at = start + step; at >= 0 && at < among.length; at += step) {
      if (shown.order.includes(among[at][0]) && is(items[among[at][0]].lines[among[at][1]])) return among[at];
    }
    return null;
  }
  let at = shown.order.indexOf(number);
  for (let line = place + step; at >= 0 && at < shown.order.length; at += step) {
    const lines = correctable(shown.order[at]);
    for (; line >= 0 && line < lines.length; line += step) if (is(lines[line])) return [shown.order[at], line];
    const other = correctable(shown.order[at + step]);
    line = step > 0 ? 0 : other.length - 1;
  }
  return null;
}

const correctable = number => items[number]?.fixed ? [] : items[number]?.lines ?? [];

function keys(event) {
  const { field, number, place } = active, line = items[number].lines[place];
  const control = event.ctrlKey || event.metaKey;
  if (event.isComposing) return;
  if (event.key === "Tab" && !control && !event.altKey) {
    event.preventDefault();
    const found = field.tagName === "TEXTAREA" ? unsure(line, field.value) : [];
    const next = event.shiftKey ? found.findLast(each => each[1] <= field.selectionStart) : found.find(each => each[0] >= field.selectionEnd && each[1] > field.selectionStart);
    if (next && !(next[0] === field.selectionStart && next[1] === field.selectionEnd)) { field.setSelectionRange(next[0], next[1]); mark(); return; }
    const other = following(number, place, event.shiftKey ? -1 : 1, isUnsure);
    if (other) edit(other[0], other[1], event.shiftKey ? "last" : "first");
    else tell("There is no other unsure word.");
  } else if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
    event.preventDefault();
    accept();
  } else if (event.key === "Escape") {
    event.preventDefault();
    const line = active.place;
    leave(false);
    rowOf(number).querySelector(`.line[data-line="${line}"]`)?.focus();
  } else if (control && event.key.toLowerCase() === "z" && !event.shiftKey && field.value === active.begun) {
    event.preventDefault();
    undo();
  } else if (control && event.key === " ") {
    event.preventDefault();
    const player = playerOf(number);
    if (player?.paused) repeat(true); else stop();
  } else if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    event.preventDefault();
    const other = following(number, place, event.key === "ArrowUp" ? -1 : 1, line => !line.missing, null);
    if (other) edit(other[0], other[1], "first");
  }
}

function undo() {
  leave(true);
  ask("undo", {}, told => {
    if (!told) { tell("There is nothing to undo."); return; }
    renew(told.number, told);
    edit(told.number, told.place, "first");
    tell("Undone.");
  });
}
document.addEventListener("keydown", event => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !event.shiftKey && !event.target.closest("input, textarea, select")) {
    event.preventDefault();
    undo();
  }
});
addEventListener("pagehide", () => {
  if (!active?.touched) return;
  const { number, place, field } = active;
  navigator.sendBeacon(`result/${number}`, new Blob([JSON.stringify({ line: place, text: field.value, checked: true })], { type: "application/json" }));
});

/* The line in the image, upright, with the word at the cursor. */
function strip(item, line) {
  if (!item.view || !item.image || item.lines.length < 2) return null;
  const outlines = [line.p, line.b, ...line.w.map(word => word[2])].filter(Boolean);
  const points = outlines.join(" ").split(" ").filter(Boolean).map(pair => pair.split(",").map(Number));
  if (!points.length) return null;
  const base = (line.b || "").split(" ").filter(Boolean).map(pair => pair.split(",").map(Number));
  let turn = base.length > 1 ? Math.atan2(base.at(-1)[1] - base[0][1], base.at(-1)[0] - base[0][0]) : 0;
  if (Math.abs(turn) < 0.14) turn = 0;
  const cos = Math.cos(-turn), sin = Math.sin(-turn);
  const turned = points.map(([x, y]) => [x * cos - y * sin, x * sin + y * cos]);
  const across = turned.map(point => point[0]), down = turned.map(point => point[1]);
  const [left, right, top, bottom] = [Math.min(...across), Math.max(...across), Math.min(...down), Math.max(...down)];
  const margin = 0.2 * (bottom - top) + 1, view = item.view;
  return make("svg", { viewBox: [left - margin, top - margin, right - left + 2 * margin, bottom - top + 2 * margin].join(" "), role: "img", "aria-label": "the line in the image" },
    make("g", { transform: `rotate(${-turn * 180 / Math.PI})` },
      make("image", { href: item.image, x: view[0], y: view[1], width: view[2], height: view[3], preserveAspectRatio: "none" }),
      ...line.w.map((word, index) => word[2] ? make("polygon", { class: "spot", points: word[2], "data-word": index }) : null).filter(Boolean)));
}

function mark() {
  if (!active) return;
  const { number, place, field, element } = active, line = items[number].lines[place];
  for (const lit of document.querySelectorAll(".outline.now, .place.now, .spot.here")) lit.classList.remove("now", "here");
  rowOf(number)?.querySelector(`.outline[data-of="${place}"]`)?.classList.add("now");
  if (field.tagName !== "TEXTAREA") return;
  const all = tokens(field.value), index = all.findIndex(([start, end]) => start <= field.selectionStart && field.selectionStart <= end);
  const word = index < 0 ? -1 : wordAt(line, all, index);
  element.querySelector(`.spot[data-word="${word}"]`)?.classList.add("here");
  const before = items[number].lines.slice(0, place).reduce((sum, each) => sum + each.w.filter(one => typeof one[2] === "string").length, 0);
  if (word >= 0) rowOf(number)?.querySelector(`.place[data-mark="${before + word}"]`)?.classList.add("now");
}

/* The sound of the segment, again and again. */
let looping = 0;
function repeat(asked = false) {
  stop();
  const { number, place } = active, line = items[number].lines[place], player = playerOf(number);
  if (!player || line.s === undefined || !(asked || by("loop").checked)) return;
  const start = Math.max(0, line.s - LEAD), end = line.e > line.s ? line.e + LEAD : Infinity;
  player.currentTime = start;
  player.play().catch(() => {});
  const again = () => {
    if (player.currentTime >= end || player.ended) { player.currentTime = start; if (player.paused) player.play().catch(() => {}); }
    looping = requestAnimationFrame(again);
  };
  looping = requestAnimationFrame(again);
}
function stop() {
  cancelAnimationFrame(looping);
  for (const player of document.querySelectorAll("audio, video")) player.pause();
}
by("loop").addEventListener("change", () => { if (!by("loop").checked) stop(); else if (active) repeat(); });
by("hint").textContent = "Click a line to correct it.";
