// Decisions on their way to the server. The tab keeps them until they are answered: other pages send what is left.

import { isSigningIn, say, send, shownCategory, text } from "./desk.js";

const KEPT = "unsent decisions", RETRY = 2_000;
const person = document.querySelector(".who .name").textContent;

let isLate = false;
let last = Promise.resolve();

const kept = () => JSON.parse(window.sessionStorage.getItem(KEPT) ?? "[]");
const keep = (decisions) => window.sessionStorage.setItem(KEPT, JSON.stringify(decisions));
const own = () => kept().filter((one) => one.by === person);

/** Ids of the documents whose decision is not answered yet. */
export const unsent = () => own().map((one) => one.document);

/** Call a function after all that was decided before is answered. */
export function inOrder(action) {
  last = last.then(action);
}

/** Send a decision, again and again if need be; `onRefused` is called if the server does not want it. */
export function sendDecision(document_, name, category, onRefused) {
  const decision = { document: document_, name, category, by: person };
  keep([...kept(), decision]);
  inOrder(() => deliver(decision, onRefused));
}

/** Keep a new category for the page after the sign-in; if it is like another one, it is asked back there. */
export function keepNew(document_, name, category) {
  keep([...kept(), { document: document_, name, category, by: person, sure: false }]);
}

async function deliver(decision, onRefused) {
  const { document: document_, name, category, sure } = decision;
  for (;;) {
    try {
      const answer = await send("/review/decide", { document: document_, category, sure });
      if (answer.like) onRefused(text("review.like_later", { name: category, other: shownCategory(answer.like) }));
      else say(text("review.saved", { name, category: shownCategory(category) }));
      break;
    } catch (refusal) {
      // the page after the sign-in sends it
      if (refusal.status === 401) return;
      if (refusal.status === 0 || refusal.status >= 500) {
        isLate = true;
        say(text("common.offline"));
        await new Promise((done) => window.setTimeout(done, RETRY));
        continue;
      }
      if (refusal.status === 409) say(text("review.taken", { by: refusal.message, name }), 8);
      else onRefused(refusal.message);
      break;
    }
  }
  isLate = false;
  keep(kept().filter((one) => one.document !== document_ || one.by !== person));
}

window.addEventListener("beforeunload", (event) => {
  if (isLate && !isSigningIn) event.preventDefault();
});

for (const decision of own()) {
  const refused = (reason) => say(text("common.failed", { reason: `${decision.name}: ${reason}` }), 8);
  inOrder(() => deliver(decision, refused));
}
