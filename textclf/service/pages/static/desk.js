// What the scripts of all pages share: texts, requests, and messages.

const strings = JSON.parse(document.body.dataset.strings);
export const language = document.documentElement.lang;
const percentages = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 });
const toast = document.getElementById("said");
let toastTimer = 0;
/** Whether this page is left to sign in again. */
export let isSigningIn = false;

/** A text of the table of this page, such as "review.saved", with values put in. */
export function text(name, values = {}) {
  const [section, key] = name.split(".");
  return strings[section][key].replace(/\{(\w+)\}/g, (whole, value) => (value in values ? values[value] : whole));
}

export function percent(share) {
  return percentages.format(share);
}

/** What category names are shown as: all but one are the user's own. */
export function shownCategory(category) {
  return category === "none of these" ? text("common.none_of_these") : category;
}

/** Show a message for some seconds; screen readers read it aloud. */
export function say(message, seconds = 4) {
  window.clearTimeout(toastTimer);
  toast.classList.remove("gone");
  toast.textContent = message;
  toastTimer = window.setTimeout(() => toast.classList.add("gone"), 1000 * seconds);
}

/** An answer other than 200: `status` 0 if the server could not be reached. */
export class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** Send a request to this server, and give the JSON of the answer. */
export async function send(path, body) {
  let answer;
  const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Refusal(0, text("common.offline"));
  }
  return answered(answer);
}

/** Give the JSON of an answer, or throw what was refused. */
export async function answered(answer) {
  if (answer.status === 401) {
    isSigningIn = true;
    window.location.assign(`/sign-in?then=${encodeURIComponent(window.location.pathname)}`);
  }
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    throw new Refusal(answer.status, typeof content.detail === "string" ? content.detail : `${answer.status}`);
  }
  return content;
}

/** Make an element with attributes and children; text is never taken for HTML. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** The elements of a part of the page that scripts fill, by their data-show. */
export function shown(root) {
  return Object.fromEntries([...root.querySelectorAll("[data-show]")].map((one) => [one.dataset.show, one]));
}

/** Call a function by the data-do of what is clicked inside a part of the page. */
export function onClick(root, actions) {
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (!button || !(button.dataset.do in actions)) return;
    actions[button.dataset.do](button);
    // so that Enter after a click of the mouse is not another click
    if (event.detail) button.blur();
  });
}
