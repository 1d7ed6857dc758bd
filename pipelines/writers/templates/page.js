"use strict";
const DATA = JSON.parse(document.getElementById("data").textContent);
const PAGE = 50;  // results at a time
const FEW = 12;  // so many are shown whole
const TASKS = { speech: "speech", handwriting: "handwriting", ink: "ink", action: "actions", captioning: "captions" };
const STATES = ["done", "checked", "edited", "failed", "passed over"];
const items = DATA.items;
const by = id => document.getElementById(id);
const shown = { order: [], page: 0, lessons: null };  // lessons: [result, line] in the order in which they teach most
const complete = item => { for (const line of item.lines || []) line.t ??= line.w.map(word => word[0]).join(" "); return item; };
items.forEach(complete);

/* Elements, whose texts are never taken for HTML. */
function make(tag, attributes = {}, ...children) {
  const svg = ["svg", "g", "image", "polygon", "polyline", "title"].includes(tag);
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

const counted = (count, name) => `${count.toLocaleString("en")} ${name}${count === 1 ? "" : "s"}`;
const percent = share => `${Math.round(100 * share)} %`;
const folderOf = item => item.name.includes("/") ? item.name.slice(0, item.name.lastIndexOf("/")) : "";
const textOf = item => (item.lines || []).map(line => line.t).join(" ");
const doubt = share => share === undefined || share >= 0.9 ? "" : share >= 0.7 ? " unsure" : " doubtful";
const partName = item => item.task === "ink" ? "piece" : "page";

function clock(seconds) {
  const whole = Math.floor(seconds), two = number => String(number).padStart(2, "0");
  const minutes = Math.floor(whole / 60), hours = Math.floor(minutes / 60);
  return hours ? `${hours}:${two(minutes % 60)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
const lasting = seconds => seconds < 60 ? `${seconds.toFixed(1)} s` : clock(seconds);

/* What is listed: searched, filtered, sorted. */
function searched(item) {
  item.search ??= `${item.name} ${textOf(item)} ${item.error || ""}`.toLowerCase();
  return item.search;
}

function choose() {
  const words = by("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const [folder, task, state] = ["folder", "task", "state"].map(id => by(id).value);
  shown.order = items.map((_, number) => number).filter(number => {
    const item = items[number];
    return (!task || item.task === task) && (!state || item.state === state)
      && (!folder || `${folderOf(item)}/`.startsWith(folder === "." ? "/" : `${folder}/`))
      && words.every(word => searched(item).includes(word));
  });
  const sort = by("sort").value, share = number => items[number].confidence ?? (sort === "sure" ? -1 : 2);
  if (sort === "unsure") shown.order.sort((a, b) => share(a) - share(b) || a - b);
  if (sort === "sure") shown.order.sort((a, b) => share(b) - share(a) || a - b);
  if (sort === "name") shown.order.sort((a, b) => items[a].name.localeCompare(items[b].name, "en", { numeric: true }) || a - b);
  if (sort === "next" && shown.lessons) {
    const among = new Set(shown.order);
    shown.order = [...new Set(shown.lessons.map(([number]) => number))].filter(number => among.has(number));
  }
  show(0);
  by("found").textContent = shown.order.length === items.length ? "" : `${counted(shown.order.length, "result")} of ${items.length.toLocaleString("en")}`;
}

function show(page) {
  shown.page = page;
  const numbers = shown.order.slice(page * PAGE, (page + 1) * PAGE);
  by("list").replaceChildren(...numbers.map(row));
  const last = Math.max(0, Math.ceil(shown.order.length / PAGE) - 1);
  by("pages").hidden = last === 0;
  by("before").disabled = page === 0;
  by("after").disabled = page === last;
  by("place").textContent = `${page * PAGE + 1} to ${page * PAGE + numbers.length} of ${shown.order.length.toLocaleString("en")}`;
  if (items.length <= FEW && !DATA.serving) numbers.forEach(number => open(number));
}

function options(id, all, values) {
  by(id).replaceChildren(make("option", { value: "" }, all), ...values.map(([value, name]) => make("option", { value }, name)));
  by(id).closest("label").hidden = values.length < 2;
}

/* A result in the list. */
function facts(item) {
  const state = item.state === "done" && item.lines ? null : make("span", { class: `state ${item.state}` }, item.state === "checked" ? "✓ checked" : item.state);
  const some = item.checked && item.state !== "checked" ? make("span", {}, `${item.checked} of ${item.lines.length} checked`) : null;
  const parts = [
    state, some,
    item.confidence === undefined || item.confidence === null ? null : make("span", { title: "mean confidence" }, percent(item.confidence)),
    item.doubt && item.state !== "checked" ? make("span", { class: "error", title: item.doubt }, "another model may fit") : null,
    item.part ? make("span", {}, `${partName(item)} ${item.part}`) : null,
    item.seconds ? make("span", {}, lasting(item.seconds)) : null,
    item.extent ? make("span", {}, item.extent) : null,
    ...(item.outputs || []).map(([name, address]) => make("span", {}, make("a", { href: address }, name))),
  ];
  return make("span", { class: "facts" }, ...parts);
}

function glance(item, number) {
  if (item.small) return make("div", { class: "glance" }, make("img", { src: item.small, alt: "", loading: "lazy", decoding: "async", onclick: () => open(number, true) }));
  if (item.player === "audio" && item.media) {
    return make("div", { class: "glance" }, make("button", { type: "button", "aria-label": `Play ${item.name}`, onclick: () => { open(number); playerOf(number)?.play(); } }, `▶ ${lasting(item.seconds || 0)}`));
  }
  return make("div", { class: "glance" });
}

function gist(item) {
  if (!item.lines) return make("p", { class: item.state === "passed over" ? "muted" : "error" }, item.error || item.state);
  const lines = item.lines.slice(0, 8).filter(line => !line.missing);
  if (!lines.length) return make("p", { class: "gist muted" }, nothing(item));
  const words = lines.flatMap(line => line.w.slice(0, 80).flatMap(word => [make("span", { class: `word${doubt(word[1])}` }, word[0]), " "]));
  return make("p", { class: "gist", dir: "auto" }, ...words);
}

const nothing = item => ({ speech: "No speech found.", action: item.top?.length ? item.top[0][0] : "Nothing recognised." }[item.task] || "No writing found.");

function row(number) {
  const item = items[number];
  const name = make("button", { class: "name", type: "button", "aria-expanded": "false", onclick: () => open(number, true) }, make("bdi", {}, item.name));
  const bare = items.every(each => !each.small && !each.media);
  const strip = item.view && item.view[2] > 5 * item.view[3];  // an image of one line
  const look = bare && !strip ? null : glance(item, number);
  return make("article", { class: `item${bare || strip ? " bare" : ""}${strip ? " strip" : ""}`, id: `r${number}`, "data-number": number },
    strip ? null : look,
    make("div", { class: "about" }, make("header", {}, make("h3", {}, item.lines ? name : make("bdi", {}, item.name)), facts(item)), strip ? look : null, gist(item)));
}

const rowOf = number => by(`r${number}`);
const playerOf = number => rowOf(number)?.querySelector("audio, video");

function open(number, toggle = false) {
  const article = rowOf(number);
  if (!article || !items[number].lines) return;
  const body = article.querySelector(".body");
  if (body && toggle) {
    body.remove();
  } else if (!body) {
    article.append(bodyOf(items[number]));
    follow(article);
  }
  const is = Boolean(article.querySelector(".body"));
  article.classList.toggle("open", is);
  article.querySelector(".name").setAttribute("aria-expanded", is);
  article.dispatchEvent(new CustomEvent(is ? "opened" : "closed", { bubbles: true }));
}

/* A result in full. */
function said(item, line, count) {
  const words = [];
  for (const word of line.w) {
    if (words.length) words.push(" ");
    const timed = typeof word[2] === "number";
    const about = timed ? `${word[2].toFixed(2)} to ${word[3].toFixed(2)} s, ` : "";
    const shown = make("span", { class: `word${doubt(word[1])}`, title: word[1] === undefined ? null : `${about}confidence ${percent(word[1])}` });
    if (timed) { shown.dataset.start = word[2]; shown.dataset.end = word[3]; }
    if (typeof word[2] === "string") shown.dataset.mark = count.words++;
    if (word[3] instanceof Array) shown.append(...word[3].map(text => make("span", { class: `c${count.signs++ % 6}` }, text)));
    else shown.append(word[0]);
    words.push(shown);
  }
  return make("div", { class: `said${line.missing ? " muted" : ""}`, dir: "auto" }, ...(words.length ? words : [line.missing ? line.t : ""]));
}

function lineOf(item, place, count) {
  const line = item.lines[place], first = place && line.r !== item.lines[place - 1].r;
  let from = null;
  if (line.missing) from = make("span", { class: "from" }, "not said");
  else if (line.s !== undefined && line.e > line.s) from = make("button", { class: "from", type: "button", title: "play from here", "data-seek": line.s }, clock(line.s));
  const tick = line.k ? make("span", { class: "tick", title: `checked by ${line.k[0]}, ${line.k[1]}` }, "✓") : null;
  return make("div", { class: `line${first ? " first" : ""}`, "data-line": place }, from, said(item, line, count), tick);
}

function linesOf(item) {
  const count = { words: 0, signs: 0 };
  const lines = item.lines.map((_, place) => lineOf(item, place, count));
  if (!lines.length) lines.push(make("p", { class: "muted" }, nothing(item)));
  const timed = item.player ? " timed" : "";
  return make("div", { class: `lines${timed}` }, ...lines);
}

function classesOf(item) {
  const best = Math.max(...item.top.map(each => each[1]), 1e-9);
  return make("ul", { class: "classes", "aria-label": "most probable classes" }, ...item.top.map(([label, share]) =>
    make("li", {}, make("span", {}, label), make("span", { class: "bar-of", style: `background-size: ${100 * share / best}% 100%` }), make("span", { class: "muted" }, percent(share)))));
}

function drawing(item) {
  const marks = item.lines.flatMap(line => line.w.filter(word => typeof word[2] === "string").map(word => word));
  const view = item.view;
  return make("svg", { viewBox: view.join(" "), role: "img", "aria-label": `${item.name} with its lines` },
    make("image", { href: item.image, x: view[0], y: view[1], width: view[2], height: view[3], preserveAspectRatio: "none" }),
    ...item.lines.flatMap((line, place) => [
      line.p && item.task !== "ink" ? make("polygon", { class: "outline", points: line.p, "data-of": place }) : null,
      line.b ? make("polyline", { class: "base", points: line.b }) : null]).filter(Boolean),
    ...marks.map((word, mark) => word[2] ? make("polygon", { class: "place", points: word[2], "data-mark": mark }, make("title", {}, word[0])) : null).filter(Boolean));
}

function bodyOf(item) {
  const body = make("div", { class: "body" });
  if (item.error) body.append(make("p", { class: "error" }, item.error));
  for (const note of item.notes || []) body.append(make("p", { class: "note" }, note));
  if (item.note) body.append(make("p", { class: "note" }, `No picture: ${item.note}`));
  const lines = linesOf(item);
  if (item.top) lines.prepend(classesOf(item));
  if (item.player === "audio") {
    if (item.media) body.append(playing(make("audio", { controls: true, preload: "metadata", src: item.media })));
    body.append(lines);
  } else if (item.player === "video") {
    body.append(make("div", { class: "sheet small" }, playing(make("video", { controls: true, preload: "metadata", src: item.media })), lines));
  } else if (item.image) {
    const wide = item.view && item.view[2] > 2.5 * item.view[3];
    const picture = item.view ? drawing(item) : make("img", { src: item.image, alt: item.name });
    body.append(make("div", { class: `sheet${wide ? " wide" : item.view ? "" : " small"}` }, picture, lines));
  } else {
    body.append(lines);
  }
  return body;
}

function playing(player) {
  player.addEventListener("error", () => {
    const address = player.getAttribute("src");
    if (DATA.serving && !address.includes("?")) { player.src = `${address}?wav`; return; }  // have it converted
    player.replaceWith(make("p", { class: "note" }, "This browser does not play this file: ", make("a", { href: address }, "open it")));
  });
  return player;
}

/* Words follow the player, and the player words. */
function follow(article) {
  const player = article.querySelector("audio, video");
  if (!player) return;
  let lit = null;
  const light = () => {
    const words = [...article.querySelectorAll("[data-start]")], time = player.currentTime;
    const word = words.findLast(each => Number(each.dataset.start) <= time);
    const now = word && time < Number(word.dataset.end) ? word : null;
    if (now !== lit) { lit?.classList.remove("now"); now?.classList.add("now"); lit = now; }
    if (!player.paused) requestAnimationFrame(light);
  };
  player.addEventListener("play", light);
  player.addEventListener("seeked", light);
}

by("list").addEventListener("click", event => {
  const target = event.target.closest("[data-seek], [data-start]"), article = event.target.closest(".item");
  const player = article?.querySelector("audio, video");
  if (!target || !player || !getSelection().isCollapsed) return;
  player.currentTime = Number(target.dataset.seek ?? target.dataset.start);
  player.play();
});
by("list").addEventListener("pointerover", event => {
  const mark = event.target.closest("[data-mark]")?.dataset.mark, body = event.target.closest(".body");
  if (!body || body.querySelector("audio, video")) return;
  for (const lit of body.querySelectorAll(".now")) lit.classList.remove("now");
  if (mark) for (const part of body.querySelectorAll(`[data-mark="${mark}"]`)) part.classList.add("now");
});

/* The head of the page. */
function summarise() {
  const done = items.filter(item => item.lines), failed = items.filter(item => item.state === "failed").length;
  const seconds = (task) => done.filter(item => item.task === task || (task === "video" && item.player === "video")).reduce((sum, item) => sum + (item.seconds || 0), 0);
  const lines = done.filter(item => item.extent).reduce((sum, item) => sum + item.lines.length, 0);
  const amounts = [counted(items.length, "result")];
  if (seconds("speech")) amounts.push(`${(seconds("speech") / 60).toFixed(1)} minutes of audio`);
  if (seconds("action")) amounts.push(`${(seconds("action") / 60).toFixed(1)} minutes of video`);
  if (lines) amounts.push(counted(lines, "line"));
  const checked = done.reduce((sum, item) => sum + (item.checked || 0), 0);
  if (checked) amounts.push(`${checked.toLocaleString("en")} checked`);
  const models = [...new Set(done.map(item => item.model))].sort();
  const told = models.length ? ` · model${models.length > 1 ? "s" : ""} ${models.join(", ")}` : "";
  const wrong = failed
    ? make("button", { type: "button", onclick: () => { by("state").value = "failed"; choose(); } }, `${failed.toLocaleString("en")} failed`)
    : "none failed";
  by("summary").replaceChildren(...(items.length ? [`${amounts.join(", ")}, `, wrong] : ["No results"]), make("span", { class: "muted" }, `${told} · `, make("span", { class: "whole" }, DATA.date)));
}

function begin() {
  const tally = (key, names) => {
    const counts = new Map();
    for (const item of items) counts.set(key(item), (counts.get(key(item)) || 0) + 1);
    const order = [...counts.keys()].sort((a, b) => names ? names.indexOf(a) - names.indexOf(b) : a.localeCompare(b, "en", { numeric: true }));
    return order.map(value => [value || ".", `${(names ? value : value || "(top folder)")} (${counts.get(value)})`]);
  };
  options("folder", "all", tally(folderOf));
  options("task", "all", tally(item => item.task, Object.keys(TASKS)).map(([value, name]) => [value, name.replace(value, TASKS[value] || value)]));
  options("state", "all", tally(item => item.state, STATES));
  by("bar").hidden = items.length < 2;
  by("legend").hidden = !items.some(item => item.lines?.length);
  const hints = [];
  if (items.some(item => item.player === "audio")) hints.push("Click a word to hear it.");
  if (items.some(item => item.view)) hints.push("Point at a word to see where it is written.");
  if (!DATA.serving) by("hint").textContent = hints.join(" ");
  by("search").addEventListener("input", choose);
  for (const id of ["sort", "folder", "task", "state"]) by(id).addEventListener("change", choose);
  by("bar").addEventListener("submit", event => event.preventDefault());
  for (const [id, step] of [["before", -1], ["after", 1]]) by(id).addEventListener("click", () => { show(shown.page + step); scrollTo(0, 0); });
  summarise();
  choose();
}
begin();
