"use strict";
// The page of the cockpit: asks the admin API once a second and changes what has changed.
const API = "/admin/cockpit";
const PERIOD_MS = 1000;
const byId = (id) => document.getElementById(id);
const PAYEE = ["account_number", "account_type", "branch", "tax_id", "wrong_account_number"];
const cards = new Map(); // of the run shown, by step
let shown = null; // id of the run shown
let last = ""; // its state as last drawn
let listed = "";

function make(tag, text, className) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function complain(text) {
  byId("problem").hidden = !text;
  put(byId("problem"), text || "");
}

async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const answer = await fetch(API + path, options);
  const told = await answer.json();
  if (!answer.ok) {
    const detail = told.detail || told.title || told.status;
    throw new Error(told.field ? `${told.field}: ${detail}` : detail);
  }
  return told;
}

async function attempt(work) {
  try {
    const result = await work();
    complain("");
    return result;
  } catch (error) {
    complain(error instanceof TypeError ? "The bank does not answer." : error.message);
    return null;
  }
}

function pick(wanted) {
  for (const box of document.querySelectorAll("#picks input")) {
    const isDict = box.value.startsWith("D");
    const isCapacity = box.value.startsWith("C");
    box.checked = wanted === "functional" ? !isCapacity : wanted === "dict" && isDict;
  }
}

async function prepare() {
  const script = await ask("");
  put(byId("notice"), script.notice);
  for (const ispb of script.participants) byId("participant").append(new Option(ispb, ispb));
  for (const name of PAYEE) byId(name).value = script.payee[name] || "";
  for (const step of script.steps) {
    const label = make("label");
    const box = make("input");
    box.type = "checkbox";
    box.value = step.id;
    label.append(box, make("b", step.id), make("span", step.english));
    label.title = step.title;
    byId("picks").append(label);
  }
  pick("functional");
  byId("order").addEventListener("submit", (event) => { event.preventDefault(); start(); });
  for (const button of document.querySelectorAll("[data-pick]")) {
    button.addEventListener("click", () => pick(button.dataset.pick));
  }
  byId("stop").addEventListener("click", () => attempt(async () => draw(await ask(`/runs/${shown}/stop`, {}))));
}

async function start() {
  const steps = [...document.querySelectorAll("#picks input:checked")].map((box) => box.value);
  const payee = Object.fromEntries(PAYEE.map((name) => [name, byId(name).value || null]));
  const run = await attempt(() => ask("/runs", {
    participant: byId("participant").value,
    steps,
    payee,
    step_seconds: Number(byId("step_seconds").value),
    capacity_seconds: Number(byId("capacity_seconds").value),
  }));
  if (run) {
    show(run.id);
    draw(run);
    byId("run").focus();
  }
}

function show(id) {
  shown = id;
  last = "";
  cards.clear();
  byId("steps").replaceChildren();
  window.location.hash = id;
}

function clock(time) {
  return time ? `${time.slice(0, 10)} ${time.slice(11, 19)} UTC` : "";
}

function drawList(runs) {
  const now = JSON.stringify([shown, runs]);
  if (now === listed || !runs.length) return;
  listed = now;
  const focused = document.activeElement && document.activeElement.dataset.run;
  byId("runs").replaceChildren(...runs.map((run) => {
    const button = make("button");
    button.type = "button";
    button.dataset.run = run.id;
    button.setAttribute("aria-current", String(run.id === shown));
    button.append(make("span", run.participant), make("span", run.state, `state ${run.state}`));
    button.append(make("small", `${clock(run.began_at)}, ${run.passed} of ${run.steps_total} passed`));
    button.addEventListener("click", () => { show(run.id); attempt(refresh); });
    const item = make("li");
    item.append(button);
    return item;
  }));
  if (focused) document.querySelector(`[data-run="${focused}"]`)?.focus();
}

function draw(run) {
  if (run.id !== shown) return;
  const now = JSON.stringify(run);
  if (now === last) return;
  last = now;
  byId("empty").hidden = true;
  byId("head").hidden = false;
  put(byId("who"), `${run.participant} ${run.name}`);
  put(byId("state"), run.state);
  byId("state").className = `state ${run.state}`;
  const end = run.ended_at ? `, ended ${clock(run.ended_at)}` : "";
  put(byId("facts"), `Began ${clock(run.began_at)}${end}. ${run.passed} of ${run.steps_total} steps passed.`);
  byId("progress").max = run.steps_total;
  byId("progress").value = run.passed;
  byId("stop").disabled = run.state !== "RUNNING";
  byId("html").href = `${API}/runs/${run.id}/evidence.html`;
  byId("json").href = `${API}/runs/${run.id}/evidence.json`;
  const current = run.steps.find((step) => step.state === "RUNNING");
  put(byId("live"), current ? `Step ${current.id} is under way: ${current.english}` : `The run is ${run.state}`);
  for (const step of run.steps) drawStep(run, step);
}

function drawStep(run, step) {
  let card = cards.get(step.id);
  if (!card) {
    card = makeCard(run, step);
    cards.set(step.id, card);
    byId("steps").append(card.item);
  }
  const isOpen = step.state === "RUNNING";
  if (card.state !== step.state) {
    card.item.className = `is-${step.state}`;
    put(card.badge, step.state);
    card.badge.className = `state ${step.state}`;
    card.more.open = isOpen || step.state === "FAILED";
    card.skip.hidden = !(run.state === "RUNNING" && ["RUNNING", "WAITING"].includes(step.state));
    card.again.hidden = ["RUNNING", "WAITING"].includes(step.state);
    if (isOpen && card.state) card.item.scrollIntoView({ block: "nearest" });
    card.state = step.state;
  }
  if (run.state !== "RUNNING") card.skip.hidden = true;
  put(card.reason, step.reason);
  put(card.done, step.done.join("; "));
  step.checks.forEach((check, index) => drawCheck(card.checks, check, index));
  if (step.capacity) drawCapacity(card, step.capacity);
}

function makeCard(run, step) {
  const card = { item: make("li"), badge: make("span", "", "state"), more: make("details"), state: "" };
  const title = make("div", "", "title");
  const heading = make("h3");
  const words = make("span", step.title);
  words.lang = "pt-BR";
  heading.append(make("span", step.id, "number"), words);
  title.append(heading, card.badge);
  card.reason = make("p", "", "reason");
  card.done = make("code");
  card.checks = make("ul", "", "checks");
  card.gauges = make("div", "", "gauges");
  card.times = make("p", "", "quiet");
  card.again = make("button", `Do ${step.id} again`);
  card.again.type = "button";
  card.again.addEventListener("click", () => act("repeat", { step: step.id }));
  card.skip = makeSkip(step);
  card.more.append(make("summary", step.english), make("p", step.do), make("p", `Bank: ${step.bank}`, "quiet"));
  card.more.append(card.checks, card.gauges, card.times, card.done, card.skip, card.again);
  card.item.append(title, card.reason, card.more);
  card.item.dataset.step = step.id;
  return card;
}

function makeSkip(step) {
  const form = make("form", "", "skip");
  const why = make("input");
  why.placeholder = "Why it is left out";
  why.setAttribute("aria-label", `Why ${step.id} is left out`);
  why.required = true;
  why.maxLength = 500;
  const button = make("button", `Skip ${step.id}`);
  form.append(why, button);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act("skip", { step: step.id, reason: why.value });
  });
  return form;
}

async function act(what, order) {
  const run = await attempt(() => ask(`/runs/${shown}/${what}`, order));
  if (run) draw(run);
}

function drawCheck(list, check, index) {
  let item = list.children[index];
  if (!item) {
    item = make("li");
    item.append(make("span", check.text), make("span", "", "count"), make("code"));
    list.append(item);
  }
  const [, count, seen] = item.children;
  item.classList.toggle("is-met", check.is_met);
  const needed = check.need > 1 || check.count > 0 ? ` ${check.count} of ${check.need}` : "";
  put(count, needed + (check.is_met ? " met " : " "));
  const first = check.seen[0];
  const ids = first && (first.instruction_id || first.message_id || first.claim_id || first.sha256 || first.control_number || "");
  const took = first && first.answered_in_ms !== undefined ? ` in ${first.answered_in_ms} ms` : "";
  put(seen, first ? `${first.at.slice(11, 23)} ${ids}${took}` : "");
}

function drawCapacity(card, capacity) {
  capacity.gauges.forEach((gauge, index) => {
    let box = card.gauges.children[index];
    if (!box) {
      box = make("div", "", "gauge");
      const line = make("p");
      line.append(make("span", gauge.text), make("strong"));
      const bar = make("progress");
      bar.max = 100;
      bar.setAttribute("aria-label", gauge.text);
      box.append(line, bar, make("p", "", "quiet"));
      card.gauges.append(box);
    }
    box.classList.toggle("is-met", gauge.is_met);
    put(box.querySelector("strong"), `${gauge.percent} %`);
    box.querySelector("progress").value = Math.min(100, gauge.percent);
    put(box.lastChild, `${gauge.value} of ${gauge.total}, ${gauge.least_percent} % needed`);
  });
  const text = Object.entries(capacity.milliseconds).map(([name, seen]) => {
    const values = Object.entries(seen).map(([each, value]) => `${each} ${value === null ? "–" : value} ms`);
    return `${name}: ${values.join(", ")}`;
  });
  put(card.times, `${text.join("; ")}. Counts until ${clock(capacity.ends_at) || "–"}.`);
}

async function refresh() {
  drawList((await ask("/runs")).runs);
  if (shown) draw(await ask(`/runs/${shown}`));
}

async function keepUp() {
  await attempt(refresh);
  window.setTimeout(keepUp, PERIOD_MS);
}

attempt(prepare).then(() => {
  if (/^#[0-9a-f]{32}$/.test(window.location.hash)) show(window.location.hash.slice(1));
  return keepUp();
});
