"use strict";
// moves the cut-off of a score histogram; all data are in the page
(() => {
  const chart = document.getElementById("scores");
  const slider = document.getElementById("cutoff");
  const line = document.getElementById("cutoff-line");
  const counts = (name) => chart.dataset[name].split(",").map(Number);
  const negatives = counts("negatives");
  const positives = counts("positives");
  const sum = (list) => list.reduce((total, count) => total + count, 0);
  const share = (part, whole) => {
    if (!whole) return "–";
    if (part === 0 || part === whole) return part ? "100%" : "0%";
    return `${Math.min(Math.max(100 * part / whole, 0.1), 99.9).toFixed(1)}%`;
  };
  const show = () => {
    const bin = Number(slider.value);
    const [found, alarms] = [sum(positives.slice(bin)), sum(negatives.slice(bin))];
    const [missed, passed] = [sum(positives.slice(0, bin)), sum(negatives.slice(0, bin))];
    const values = {
      threshold: (bin / 100).toFixed(2),
      accuracy: share(found + passed, found + alarms + missed + passed),
      precision: share(found, found + alarms),
      recall: share(found, found + missed),
      fpr: share(alarms, alarms + passed),
      found: found.toLocaleString("en"), alarms: alarms.toLocaleString("en"),
      missed: missed.toLocaleString("en"), passed: passed.toLocaleString("en"),
    };
    for (const [name, value] of Object.entries(values)) document.getElementById(`at-${name}`).textContent = value;
    const x = Number(chart.dataset.left) + Number(chart.dataset.width) * bin / 100;
    line.setAttribute("x1", x);
    line.setAttribute("x2", x);
  };
  slider.addEventListener("input", show);
  slider.closest("label").hidden = false;
  // on returning to the page, browsers restore the position of the slider
  show();
})();
