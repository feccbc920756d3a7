// Review: one document after the other; the next ones are ready before they are asked for.

import { element, onClick, percent, say, send, shown, shownCategory, text } from "./desk.js";
import { CategoryFinder } from "./finder.js";
import { preload, Sheet } from "./sheet.js";
import { inOrder, keepNew, sendDecision, unsent } from "./unsent.js";

const NONE = "none of these";
const AHEAD = 2;
const KEYS = 9;
const ASK_AGAIN = 8_000, KEEP = 240_000, RETRY = 2_000;
/** Milliseconds for which a key is taken to be meant for the document before. */
const GUARD = 60;

const root = document.getElementById("review");
const part = shown(root);
/** Keeps a decision that the model doubts. */
const keeping = root.querySelector("[data-do=keep]");
/** Where documents come from: the queue, the groups of a pile, or the sample of an audit. */
const { source } = root.dataset;
const sheet = new Sheet(document.getElementById("sheet"));
const now = document.getElementById("now");

/** Names this visit, so that a document that is on its way when the page is closed is free again. */
const visit = Array.from(crypto.getRandomValues(new Uint32Array(4)), (one) => one.toString(16)).join("-");

let current = null;
/** The document about whose new category the server is being asked. */
let asking = null;
let ready = [];
let skipped = [];
let waiting = 0;
let isFilling = false;
let askTimer = 0;
let shownAt = 0;

const held = () => [...(current ? [current.id] : []), ...ready.map((one) => one.id), ...unsent()];

/** Keep some documents ready beside the one that is shown. */
async function fill() {
  if (isFilling) return;
  isFilling = true;
  window.clearTimeout(askTimer);
  try {
    while (ready.length < AHEAD || !current) {
      const found = await send(`${source}/next`, { held: held(), skipped, page: visit });
      waiting = found.waiting;
      if (!found.document) {
        askTimer = window.setTimeout(fill, ASK_AGAIN);
        break;
      }
      const { id } = found.document;
      // skipped or taken back since it was asked for
      if (skipped.includes(id)) release([id]);
      if (skipped.includes(id) || held().includes(id)) continue;
      preload(found.document.pages[0].picture).catch(() => {});
      if (current) ready.push(found.document);
      else show(found.document);
      count();
    }
  } catch (refusal) {
    say(refusal.message);
    askTimer = window.setTimeout(fill, RETRY);
  }
  isFilling = false;
  if (!current) show(null);
}

function count() {
  const all = waiting + ready.length + (current ? 1 : 0);
  part.count.textContent = text("review.waiting", { count: all });
}

function show(document_) {
  current = document_;
  finder.close();
  part.choices.hidden = !document_;
  part.done.hidden = Boolean(document_);
  part.reason.hidden = !document_?.reason;
  part.group.hidden = true;
  part.name.textContent = document_ ? document_.name : "";
  part.name.hidden = !document_;
  root.dataset.document = document_ ? document_.id : "";
  sheet.show(document_);
  count();
  if (!document_) {
    const others = skipped.length ? text("review.done_skipped", { count: skipped.length }) : root.dataset.done;
    part["done-text"].textContent = others;
    root.querySelector("[data-do=again]").hidden = !skipped.length;
    now.textContent = text("review.done_title");
    return;
  }
  part.reason.textContent = document_.reason;
  keeping.hidden = !document_.doubted;
  keeping.firstElementChild.textContent = text("review.keep", { category: shownCategory(document_.doubted) });
  part.group.hidden = !document_.group;
  if (document_.group) {
    const { words, documents } = document_.group;
    part.group.textContent = text("first_labels.group_says", { count: documents, words: words.join(" · ") });
  }
  finder.suggest(document_.suggestions.map((one) => one.category));
  part.suggestions.replaceChildren(...document_.suggestions.slice(0, KEYS).map(suggestion));
  const { name, category, score, reason } = document_;
  now.textContent = category
    ? text("review.now", { name, category: shownCategory(category), score: score === null ? "" : percent(score), reason })
    : text("review.now_unsure", { name, reason });
  shownAt = performance.now();
  // before anything has a name there is nothing to choose
  if (!document_.suggestions.length) finder.open();
}

function suggestion({ category, score, is_decided: isDecided }, place) {
  const isFirst = !place && (score !== null || isDecided);
  const button = element(
    "button",
    { type: "button", class: isFirst ? "best" : undefined, "data-do": "choose", "data-category": category, "aria-keyshortcuts": place + 1 },
    element("kbd", {}, `${place + 1}`),
    element("span", { class: "label" }, shownCategory(category)),
    element("span", { class: "share" }, isDecided ? text("review.as_decided") : score === null ? "" : percent(score)),
  );
  if (isFirst) button.lastElementChild.append(element("kbd", { class: "enter" }, text("review.accept_key")));
  const track = element("span", { class: "track" });
  track.style.width = `${100 * (score ?? 0)}%`;
  button.append(track);
  return element("li", {}, button);
}

/** Whether Enter accepts it: what a person gave elsewhere is no suggestion. */
function isSuggested(one) {
  return Boolean(one) && one.score !== null;
}

function advance() {
  show(ready.shift() ?? null);
  fill();
}

/** Keep a decision, while the next document is shown already. */
function decide(category) {
  if (!current) return;
  const decided = current;
  finder.add(category);
  sendDecision(decided.id, decided.name, category, (reason) => {
    say(text("review.not_saved", { name: decided.name, reason }), 8);
    if (current) ready.unshift(current);
    show(decided);
  });
  advance();
}

function keep() {
  if (current?.doubted) decide(current.doubted);
}

function release(documents) {
  send("/review/release", { documents }).catch(() => {});
}

function skip() {
  if (!current) return;
  skipped.push(current.id);
  release([current.id]);
  advance();
}

function undo() {
  inOrder(async () => {
    try {
      const undone = await send("/review/undo", {});
      if (!undone.document) {
        say(text("review.nothing_to_undo"));
        return;
      }
      if (current) ready.unshift(current);
      show(undone.document);
      say(text("review.undone", { name: undone.document.name, category: shownCategory(undone.category) }));
    } catch (refusal) {
      if (refusal.status === 409) say(text("review.undo_taken", { by: refusal.message }), 8);
      else say(text("common.failed", { reason: refusal.message }));
    }
  });
}

/** Decide for a name that was typed; a new one that is like another is asked back once. */
async function decideTyped(category, { isNew }) {
  if (!current || current === asking) return;
  if (!isNew) {
    decide(category);
    return;
  }
  const decided = current;
  asking = decided;
  try {
    const answer = await send("/review/decide", { document: decided.id, category, sure: finder.isAskedBack(category) });
    if (answer.like) {
      if (current === decided) finder.askBack(category, text("review.like", { name: category, other: shownCategory(answer.like) }));
      return;
    }
    say(text("review.saved", { name: decided.name, category: shownCategory(answer.category) }));
    finder.add(answer.category);
    if (current === decided) advance();
  } catch (refusal) {
    if (refusal.status === 401) keepNew(decided.id, decided.name, category);
    say(text("common.failed", { reason: refusal.message }), 8);
  } finally {
    asking = null;
  }
}

const finder = new CategoryFinder(root.querySelector(".find"), JSON.parse(root.dataset.categories), decideTyped);

onClick(root, {
  choose: (button) => decide(button.dataset.category),
  keep,
  none: () => decide(NONE),
  skip,
  undo,
  again: () => {
    skipped = [];
    fill();
  },
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  const { key } = event;
  const isPressed = key === "Enter" || key === " ";
  if (isPressed && event.target.closest("button, a")) return;
  if (sheet.key(key)) {
    event.preventDefault();
    return;
  }
  if (event.repeat || (!"u/".includes(key) && performance.now() - shownAt < GUARD)) return;
  const suggestions = current?.suggestions ?? [];
  if (key === "Enter") {
    if (current?.doubted) keep();
    else if (isSuggested(suggestions[0])) decide(suggestions[0].category);
  } else if (/^[1-9]$/.test(key)) {
    if (suggestions[key - 1]) decide(suggestions[key - 1].category);
  } else if (key === "k") keep();
  else if (key === "n") decide(NONE);
  else if (key === "s") skip();
  else if (key === "u") undo();
  else if (key === "/" && current) finder.open();
  else return;
  event.preventDefault();
});

window.addEventListener("pagehide", () => {
  const unanswered = unsent();
  const documents = held().filter((one) => !unanswered.includes(one));
  navigator.sendBeacon("/review/release", new Blob([JSON.stringify({ documents, page: visit })], { type: "application/json" }));
});
// gone back to: what it held was given up
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});
window.setInterval(() => {
  if (held().length) send("/review/keep", { documents: held() }).catch(() => {});
}, KEEP);

fill();
