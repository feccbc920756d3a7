// Keeps the card of a job that runs up to date, and loads the page anew when it has ended.

import { say, send, shown, text } from "./desk.js";

const PAUSE = 1_000;
const root = document.getElementById("running");

async function follow() {
  const part = shown(root);
  let step = "";
  for (;;) {
    await new Promise((done) => window.setTimeout(done, PAUSE));
    let state;
    try {
      state = await send("/teach/state");
    } catch (refusal) {
      say(refusal.message);
      continue;
    }
    if (!state.running || state.kind !== root.dataset.kind) {
      window.location.reload();
      return;
    }
    if (state.step && state.step !== step) {
      step = state.step;
      part.step.textContent = text(`teach.step_${step}`);
      document.getElementById("now").textContent = part.step.textContent;
    }
    part.seconds.textContent = text("teach.seconds", { seconds: state.seconds });
    part.detail.textContent = state.detail;
    if (state.total) {
      part.bar.max = state.total;
      part.bar.value = state.done;
    } else part.bar.removeAttribute("value");
  }
}

if (root) follow();
