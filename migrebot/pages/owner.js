// The owner's page keeps itself up to date: whenever the program tells that something changed, and every few seconds
// while somebody looks, the page is fetched again and what differs is put in the place of what is shown. So all words
// and figures are written in one place, on the server.

const EVERY = 5000; // ms between two looks
const AT_MOST = 250; // ms between two fetches, however much happens
const connection = document.getElementById("connection");

let fetching = false;
let wanted = false;
let looked = 0;

function say(text) {
  if (connection.textContent !== text) connection.textContent = text;
}

function show(page) {
  for (const fresh of page.querySelectorAll("[data-live]")) {
    const shown = document.getElementById(fresh.id);
    if (!shown || shown.innerHTML === fresh.innerHTML) continue;
    const atEnd = shown.scrollHeight - shown.scrollTop - shown.clientHeight < 8;
    const open = [...shown.querySelectorAll("details")].map((details) => details.open);
    const focused = shown.contains(document.activeElement) && document.activeElement.tagName === "SUMMARY";
    const states = [shown, fresh].map((element) => element.dataset.state);
    shown.replaceChildren(...fresh.childNodes);
    if (states[0] !== states[1]) shown.dataset.state = states[1];
    shown.querySelectorAll("details").forEach((details, index) => (details.open = open[index] ?? false));
    if (focused) shown.querySelector("summary")?.focus({ preventScroll: true });
    if (atEnd) shown.scrollTop = shown.scrollHeight;
  }
}

async function look() {
  if (fetching || document.hidden) {
    wanted = true;
    return;
  }
  fetching = true;
  wanted = false;
  looked = Date.now();
  try {
    const answer = await fetch("/", { headers: { Accept: "text/html" }, cache: "no-store" });
    if (answer.status === 401) return stop();
    if (!answer.ok) throw new Error(String(answer.status));
    show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    say("");
  } catch {
    say(connection.dataset.offline);
  } finally {
    fetching = false;
  }
  if (wanted) setTimeout(look, AT_MOST);
}

function soon() {
  if (wanted) return;
  wanted = true;
  setTimeout(look, Math.max(0, looked + AT_MOST - Date.now()));
}

const events = new EventSource("/api/events");
for (const kind of ["open", "states", "report", "actors"]) events.addEventListener(kind, soon);
events.addEventListener("error", soon);
const timer = setInterval(look, EVERY);
document.addEventListener("visibilitychange", () => document.hidden || look());

function stop() {
  events.close();
  clearInterval(timer);
  say(connection.dataset.outside);
}

const log = document.getElementById("lines");
log.scrollTop = log.scrollHeight;
