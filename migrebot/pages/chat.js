// The local chat's one client. The browser is this messenger's memory: the conversation lives in localStorage, one
// entry a message, so that several tabs can write it without overwriting each other. What was typed is kept until the
// bot has stored it and is sent again with the same key; what the bot says is acknowledged once it is kept here.

const meta = (name) => document.querySelector(`meta[name="${name}"]`).content;
const find = (id) => document.getElementById(id);

const words = JSON.parse(meta("words"));
const space = meta("store");
const entries = `${space}.entry.`;
const clearedAt = `${space}.cleared`;
const KEPT = 200;
const SAME_ARRIVAL = 5000; // ms: two tabs are told the same thing within this time

const log = find("log");
const line = find("line");
const touch = matchMedia("(pointer: coarse)"); // there the focus would bring up the keyboard

// --- memory ---------------------------------------------------------------------------------------------------------

const items = new Map(); // key → item, as in localStorage

// A browser may forbid localStorage or run out of it: then this page alone remembers.
function attempt(work) {
  try {
    return work();
  } catch {
    return null;
  }
}

function recall() {
  const stored = new Map();
  attempt(() => {
    for (const name of Object.keys(localStorage)) {
      if (name.startsWith(entries)) stored.set(name.slice(entries.length), JSON.parse(localStorage.getItem(name)));
      else if (ofFormerChat(name)) localStorage.removeItem(name);
    }
  });
  for (const key of items.keys()) if (!stored.has(key)) drop(key);
  for (const item of [...stored.values()].sort(byTime)) accept(item);
  tidy();
}

// Nobody can see the conversation of a cookie that is gone; it shall not lie about for ever either.
function ofFormerChat(name) {
  const installation = space.slice(0, space.lastIndexOf(".") + 1);
  return name.startsWith(installation) && !name.startsWith(`${space}.`);
}

const byTime = (a, b) => a.at - b.at;

function keep(item) {
  attempt(() => localStorage.setItem(entries + item.key, JSON.stringify(item)));
  accept(item);
  const surplus = [...items.values()].filter((other) => other.state !== "sending").sort(byTime).slice(0, -KEPT);
  for (const old of surplus) forget(old.key);
  tidy();
}

function forget(key) {
  attempt(() => localStorage.removeItem(entries + key));
  drop(key);
}

function accept(item) {
  items.set(item.key, item);
  draw(item);
}

function drop(key) {
  items.delete(key);
  drawn.get(key)?.remove();
  drawn.delete(key);
}

// What another tab has kept or forgotten.
addEventListener("storage", (event) => {
  if (event.key === null) recall();
  if (!event.key?.startsWith(entries)) return;
  if (event.newValue === null) drop(event.key.slice(entries.length));
  else staying(() => accept(JSON.parse(event.newValue)));
  tidy();
});

// --- the conversation on the screen ---------------------------------------------------------------------------------

const drawn = new Map(); // key → its element
let atEnd = true;

function draw(item) {
  let element = drawn.get(item.key);
  if (!element || element.at !== item.at) {
    element?.remove();
    element = make(item);
    drawn.set(item.key, element);
    const later = [...log.children].reverse();
    const before = later.find((other) => other.at <= item.at);
    if (before) before.after(element);
    else log.prepend(element);
  }
  fill(element, item);
}

function make(item) {
  const element = document.createElement("article");
  element.className = item.kind;
  element.at = item.at;
  element.dataset.key = item.key;
  if (item.kind !== "note") element.append(part("span", "unseen", item.kind === "own" ? words.you : words.bot));
  element.append(part("div", "text", ""));
  if (item.kind === "bot") element.append(part("div", "keyboard", ""));
  element.append(part("span", "about", ""));
  return element;
}

function part(tag, name, text) {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  return element;
}

function fill(element, item) {
  const text = element.querySelector(".text");
  if (item.kind === "own") text.textContent = item.text;
  else if (element.html !== item.html) text.replaceChildren(safe((element.html = item.html)));
  if (item.kind === "bot") {
    element.classList.toggle("asks", item.buttons.length > 0);
    lay(element.querySelector(".keyboard"), item.buttons);
    if (item.url && !element.querySelector(".file")) text.after(fileLink(item));
  }
  element.classList.toggle("failed", item.state === "failed");
  describe(element.querySelector(".about"), item);
}

function describe(about, item) {
  if (item.kind === "note") return;
  if (item.state === "sending") about.textContent = words.sending;
  else if (item.state === "failed") about.textContent = words.failed;
  else {
    const time = part("time", "", written(item.at));
    time.dateTime = new Date(item.at).toISOString();
    about.replaceChildren(time);
    if (item.state === "stored") about.append(" ✓", part("span", "unseen", words.stored));
  }
}

function written(at) {
  const today = new Date(at).toDateString() === new Date().toDateString();
  const day = today ? {} : { day: "numeric", month: "short" };
  const shape = { ...day, hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return new Intl.DateTimeFormat(document.documentElement.lang, shape).format(at);
}

function fileLink(item) {
  const link = part("a", "file", item.filename);
  link.href = item.url;
  link.download = item.filename;
  link.title = words.download;
  return link;
}

// Elements are kept and only given new words, so that the keyboard's focus stays where it is.
function lay(keyboard, rows) {
  const focused = keyboard.contains(document.activeElement);
  matchCount(keyboard, rows.length, () => part("div", "row", ""));
  rows.forEach((buttons, n) => {
    const row = keyboard.children[n];
    row.classList.toggle("crowded", buttons.length > 4);
    matchCount(row, buttons.length, () => Object.assign(document.createElement("button"), { type: "button" }));
    buttons.forEach(({ label, data }, place) => {
      const button = row.children[place];
      if (button.textContent !== label) button.textContent = label;
      // The element may have been another button, whose press is still on its way.
      if (button.data !== data) button.removeAttribute("aria-busy");
      button.data = data;
      button.classList.toggle("chosen", label.startsWith("✅"));
      // It fills a place in a grid.
      button.disabled = data === "-";
      button.classList.toggle("blank", button.disabled || !/[\p{L}\p{N}\p{S}…‹›]/u.test(label));
    });
  });
  if (focused && !keyboard.contains(document.activeElement)) line.focus();
}

function matchCount(parent, count, create) {
  while (parent.children.length > count) parent.lastElementChild.remove();
  while (parent.children.length < count) parent.append(create());
}

// The bot's text knows three tags; of anything else only the words are taken.
function safe(html) {
  const copy = document.createDocumentFragment();
  copyAllowed(new DOMParser().parseFromString(html, "text/html").body, copy);
  return copy;
}

function copyAllowed(from, to) {
  for (const node of from.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) to.append(...(to.localName === "a" ? [node.data] : withCommands(node.data)));
    if (node.nodeType !== Node.ELEMENT_NODE) continue;
    const allowed = allow(node);
    if (allowed) to.append(allowed);
    copyAllowed(node, allowed ?? to);
  }
}

// A command in the text can be tapped, as in other messengers.
function withCommands(text) {
  return text.split(/(?<=^|\s)(\/[a-z][a-z_]{1,31})(?![\w/])/).map((piece, n) => (n % 2 === 0 ? piece : command(piece)));
}

function command(text) {
  return Object.assign(part("a", "command", text), { href: "#composer" });
}

function allow(node) {
  if (node.localName === "b" || node.localName === "i") return document.createElement(node.localName);
  const href = node.getAttribute("href") ?? "";
  if (node.localName !== "a" || !/^(https?:\/\/|mailto:|tel:)/i.test(href)) return null;
  return Object.assign(document.createElement("a"), { href, target: "_blank", rel: "noopener noreferrer" });
}

function tidy() {
  find("empty").hidden = items.size > 0;
  find("newest").hidden = atEnd || items.size === 0;
}

// Whoever reads at the end stays there; whoever scrolled up is not disturbed.
function staying(change) {
  change();
  if (atEnd) toEnd();
}

function toEnd() {
  log.scrollTop = log.scrollHeight;
  atEnd = true;
  tidy();
}

log.addEventListener("scroll", () => {
  atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  tidy();
});
new ResizeObserver(() => atEnd && toEnd()).observe(log);
find("newest").addEventListener("click", toEnd);

let toastTimer = 0;
function toast(text) {
  find("toast").textContent = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (find("toast").textContent = ""), 3000 + 60 * text.length);
}

// --- what goes to the bot -------------------------------------------------------------------------------------------

const waiting = []; // in order: {path, body, done, tries}
let sending = false;
let wakeUp = () => {};

function say(text) {
  const key = newKey();
  keep({ key, kind: "own", text, state: "sending", at: Date.now() });
  toEnd();
  submit(key, text);
}

function submit(key, text) {
  const done = (taken) => {
    const item = items.get(key);
    if (item) staying(() => keep({ ...item, state: taken ? "stored" : "failed" }));
  };
  enqueue({ path: "say", body: { key, text: text.toWellFormed?.() ?? text }, done, tries: 0 });
}

function press(button) {
  if (button.getAttribute("aria-busy") === "true") return;
  const id = items.get(button.closest("article").dataset.key).id;
  button.setAttribute("aria-busy", "true");
  const done = (taken) => {
    button.removeAttribute("aria-busy");
    if (!taken) toast(words.failed);
  };
  enqueue({ path: "press", body: { key: newKey(), message_id: id, data: button.data }, done, tries: 0 });
}

function newKey() {
  // Not crypto.randomUUID, which is missing where the page is served without TLS to another machine.
  const bytes = crypto.getRandomValues(new Uint8Array(18));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}

async function enqueue(job) {
  waiting.push(job);
  if (sending) return;
  sending = true;
  for (let failures = 0; waiting.length > 0; ) {
    const outcome = await deliver(waiting[0]);
    if (outcome === "outside") break;
    if (outcome === "later") await rest(++failures);
    else {
      failures = 0;
      connected(source?.readyState === EventSource.OPEN);
      waiting.shift().done(outcome === "taken");
    }
  }
  sending = false;
}

async function deliver(job) {
  const status = await post(job.path, job.body);
  if (status === 401 || status === 403) return "outside";
  if (status === 200) return "taken";
  job.tries += 1;
  const temporary = status === 0 || status === 408 || status === 429 || (status >= 501 && status <= 504);
  return temporary || (status === 500 && job.tries < 5) ? "later" : "refused";
}

async function post(path, body) {
  try {
    const answer = await fetch(`/chat/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": meta("csrf") },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(15000),
    });
    if (answer.status === 401 || answer.status === 403) find("outside").hidden = false;
    return answer.status;
  } catch {
    return 0;
  }
}

function rest(failures) {
  connected(false);
  return new Promise((resolve) => {
    wakeUp = resolve;
    setTimeout(resolve, Math.min(15000, 500 * 2 ** failures) * (0.75 + Math.random() / 2));
  });
}

// Lines that an earlier page or another tab could not get through: the key makes a second try harmless.
function resume(olderThan) {
  const queued = new Set(waiting.map((job) => job.body.key));
  const left = [...items.values()].filter((item) => item.state === "sending" && !queued.has(item.key));
  for (const item of left.sort(byTime)) if (Date.now() - item.at >= olderThan) submit(item.key, item.text);
}

// --- what the bot says ----------------------------------------------------------------------------------------------

const received = {
  message: (data) => arrive(data, { key: `m${data.id}`, kind: "bot", id: data.id, html: data.html, buttons: data.buttons }),
  document: (data) => {
    const { id, filename, url } = data;
    arrive(data, { key: `m${id}`, kind: "bot", id, html: data.caption, buttons: [], filename, url });
  },
  left: (data) => arrive(data, { key: `l${data.row}`, kind: "note", html: words.left }),
  edit: (data) => {
    const key = `m${data.message_id}`;
    const at = items.get(key)?.at ?? Date.now();
    staying(() => keep({ key, kind: "bot", id: data.message_id, html: data.html, buttons: data.buttons, at }));
  },
  toast: (data) => toast(data.text),
};

// A message that comes again is shown once. A known number on a message that says it is new means that the bot began
// a new database: it is another message.
function arrive(data, item) {
  const known = items.get(item.key);
  const cleared = Number(attempt(() => localStorage.getItem(clearedAt)) ?? 0);
  if (data.again && (known || Number(data.row) <= cleared)) return;
  if (known?.html === item.html && Date.now() - known.at < SAME_ARRIVAL) return;
  staying(() => keep({ ...item, at: Date.now() }));
}

let source = null;
let parked = false;
let closedTimes = 0;
let relisten = 0;

function listen() {
  clearTimeout(relisten);
  source?.close();
  parked = false;
  source = new EventSource("/chat/events");
  source.onopen = () => {
    closedTimes = 0;
    connected(true);
    wakeUp();
    resume(20000);
  };
  source.onerror = () => {
    connected(false);
    if (source.readyState === EventSource.CLOSED) listenLater();
  };
  for (const [event, handle] of Object.entries(received)) {
    source.addEventListener(event, ({ data }) => {
      const content = JSON.parse(data);
      handle(content);
      acknowledge(content.row);
    });
  }
  source.addEventListener("hello", ({ data }) => renew(JSON.parse(data).version));
  // Too many tabs listen; this one hears through their localStorage until it is looked at again.
  source.addEventListener("parked", () => {
    source.close();
    parked = true;
  });
}

// An HTTP error ends an event source for good, and does not tell which error it was: the question does.
async function listenLater() {
  const status = await post("received", { rows: [] });
  if (status === 401 || status === 403) return;
  closedTimes += 1;
  relisten = setTimeout(listen, Math.min(15000, 500 * 2 ** closedTimes) * (0.75 + Math.random() / 2));
}

async function acknowledge(row) {
  for (let tries = 0; tries < 2 && (await post("received", { rows: [row] })) === 0; tries += 1);
}

function connected(yes) {
  find("connection").textContent = yes ? "" : words.offline;
}

// After an update of the bot an open page would speak with a newer one.
function renew(version) {
  if (version === meta("version") || attempt(() => sessionStorage.getItem("renewed")) === version) return;
  attempt(() => sessionStorage.setItem("renewed", version));
  location.reload();
}

// --- hands ----------------------------------------------------------------------------------------------------------

const draft = `${space}.draft`;

function grow() {
  if (CSS.supports("field-sizing", "content")) return;
  line.style.height = "auto";
  line.style.height = `${line.scrollHeight + 2}px`;
}

line.addEventListener("input", () => {
  grow();
  attempt(() => sessionStorage.setItem(draft, line.value));
});

line.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  find("composer").requestSubmit();
});

find("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = line.value.trim();
  if (!text) return;
  line.value = "";
  attempt(() => sessionStorage.removeItem(draft));
  grow();
  say(text);
});

// Pressing with the mouse leaves the cursor in the textbox.
document.addEventListener("mousedown", (event) => {
  if (!touch.matches && event.target.closest("button") && document.activeElement === line) event.preventDefault();
});

log.addEventListener("click", (event) => {
  const button = event.target.closest(".keyboard button");
  if (button) press(button);
  const command = event.target.closest("a.command");
  if (!command) return;
  event.preventDefault();
  say(command.textContent);
});

find("empty").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  say(button.textContent);
  if (!touch.matches) line.focus({ preventScroll: true });
});

find("clear").addEventListener("click", () => {
  find("about").open = false;
  if (!confirm(words.clear_question)) return;
  const numbers = [...items.values()].map((item) => Number(item.id ?? 0));
  const before = Number(attempt(() => localStorage.getItem(clearedAt)) ?? 0);
  attempt(() => localStorage.setItem(clearedAt, String(Math.max(before, ...numbers))));
  for (const key of [...items.keys()]) forget(key);
  tidy();
});

find("reload").addEventListener("click", () => location.reload());

addEventListener("click", (event) => {
  if (!find("about").contains(event.target)) find("about").open = false;
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape") find("about").open = false;
});

// --- waking up and going to sleep -----------------------------------------------------------------------------------

let hiddenAt = 0;

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    hiddenAt = Date.now();
    return;
  }
  // A connection may have died in the sleep without anybody noticing.
  if (parked || Date.now() - hiddenAt > 30000 || source?.readyState !== EventSource.OPEN) listen();
  wakeUp();
});
addEventListener("online", listen);
addEventListener("pagehide", () => source?.close());
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  recall();
  listen();
});

recall();
toEnd();
line.value = attempt(() => sessionStorage.getItem(draft)) ?? "";
grow();
if (!touch.matches) line.focus();
resume(0);
listen();
