// Drop: files are sent one by one, and shown as soon as they are judged.

import { answered, element, percent, Refusal, say, shown, shownCategory, text } from "./desk.js";
import { preload, Sheet } from "./sheet.js";

const AT_ONCE = 2;

const root = document.getElementById("drop");
const part = shown(root);
const sheet = new Sheet(document.getElementById("sheet"));
const now = document.getElementById("now");
const entries = [];
let chosen = null;
let sendingNow = 0;

function add(files) {
  for (const file of files) {
    const entry = { file, state: "waiting", document: null, button: element("button", { type: "button" }) };
    entry.button.addEventListener("click", () => choose(entry));
    entries.push(entry);
    part.files.append(element("li", {}, entry.button));
    draw(entry);
  }
  part.empty.hidden = entries.length > 0;
  next();
}

function next() {
  const done = entries.filter((one) => one.state === "read" || one.state === "failed").length;
  part.count.textContent = entries.length ? text("drop.summary", { done, all: entries.length }) : "";
  while (sendingNow < AT_ONCE) {
    const entry = entries.find((one) => one.state === "waiting");
    if (!entry) return;
    sendingNow += 1;
    entry.state = "reading";
    draw(entry);
    classify(entry).finally(() => {
      sendingNow -= 1;
      next();
    });
  }
}

async function classify(entry) {
  const form = new FormData();
  form.append("files", entry.file, entry.file.name);
  try {
    const answer = await fetch("/drop", { method: "POST", body: form });
    // others are before it: it waits for its turn
    if (answer.status === 429) {
      await new Promise((done) => window.setTimeout(done, 1000 * (answer.headers.get("Retry-After") ?? 1)));
      entry.state = "waiting";
    } else {
      entry.document = (await answered(answer)).document;
      entry.state = "read";
      if (entry.document.pages.length) preload(entry.document.pages[0].picture).catch(() => {});
      if (!chosen) choose(entry);
    }
  } catch (refusal) {
    entry.state = "failed";
    entry.error = refusal instanceof Refusal ? refusal.message : text("common.offline");
    say(text("drop.failed", { reason: entry.error }));
  }
  // it is kept by the server only
  if (entry.state !== "waiting") entry.file = { name: entry.file.name };
  draw(entry);
}

function draw(entry) {
  const { document: read, state } = entry;
  const label = element("span", { class: "label" }, entry.file.name);
  const parts = [label];
  if (state === "read" && read.category) {
    parts.push(
      element("span", { class: "kind" }, shownCategory(read.category)),
      element("span", { class: "share" }, percent(read.score)),
      element("span", { class: `badge ${read.decision}` }, text(read.decision === "accept" ? "common.accepted" : "common.for_review")),
    );
    if (read.reason) parts.push(element("span", { class: "note" }, read.reason));
  } else if (state === "read" && !read.pages.length) {
    parts.push(element("span", { class: "note fault" }, text("drop.failed", { reason: read.error || read.reason })));
  } else if (state === "read") {
    parts.push(element("span", { class: "kind quiet" }, text("drop.read")));
    if (read.error || read.reason) parts.push(element("span", { class: "note" }, read.error || read.reason));
  } else {
    const said = state === "failed" ? text("drop.failed", { reason: entry.error }) : text(`drop.${state}`);
    parts.push(element("span", { class: state === "failed" ? "note fault" : "note" }, said));
  }
  if (read?.same_as) parts.push(element("span", { class: "note" }, text("drop.same_as", { name: read.same_as })));
  entry.button.replaceChildren(...parts);
  entry.button.className = state;
}

function choose(entry) {
  if (!entry.document) return;
  chosen?.button.removeAttribute("aria-current");
  chosen = entry;
  entry.button.setAttribute("aria-current", "true");
  entry.button.scrollIntoView({ block: "nearest" });
  sheet.show(entry.document);
  const { name, category, score, decision, reason } = entry.document;
  now.textContent = category
    ? text("drop.now", {
      name,
      category: shownCategory(category),
      score: percent(score),
      decision: text(decision === "accept" ? "common.accepted" : "common.for_review"),
      reason,
    })
    : `${name}. ${reason}`;
}

function step(by) {
  const read = entries.filter((one) => one.document);
  const place = read.indexOf(chosen);
  if (read.length) choose(read[Math.min(Math.max(place + by, 0), read.length - 1)]);
}

const field = root.querySelector("input[type=file]");
field.addEventListener("change", () => {
  add([...field.files]);
  field.value = "";
});
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    root.classList.toggle("over", kind === "dragenter" || kind === "dragover");
    if (kind === "drop") add([...event.dataTransfer.files]);
  });
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "ArrowDown") step(1);
  else if (event.key === "ArrowUp") step(-1);
  else if (!sheet.key(event.key)) return;
  event.preventDefault();
});
