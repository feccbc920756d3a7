// The picture of a page: pages, zoom, turning, and the words that decided.

import { onClick, shown, shownCategory, text } from "./desk.js";

const SVG = "http://www.w3.org/2000/svg";
const KEPT = 12;
const ZOOMS = [0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 2.5, 3, 4];
const FAINTEST = 0.12, STRONGEST = 0.5;

/** Pictures that are loaded and decoded already, so that showing one takes no time. */
const pictures = new Map();

export function preload(address) {
  let loading = pictures.get(address);
  if (!loading) {
    const image = new Image();
    image.src = address;
    loading = image.decode().then(() => image);
    loading.catch(() => pictures.delete(address));
  }
  // the one used last is the last to go
  pictures.delete(address);
  pictures.set(address, loading);
  while (pictures.size > KEPT) pictures.delete(pictures.keys().next().value);
  return loading;
}

export class Sheet {
  constructor(root) {
    this.root = root;
    this.part = shown(root);
    this.document = null;
    this.number = 1;
    this.zoom = 1;
    this.turn = 0;
    this.image = null;
    this.actions = {
      previous: () => this.go(this.number - 1),
      next: () => this.go(this.number + 1),
      larger: () => this.enlarge(1),
      smaller: () => this.enlarge(-1),
      fit: () => this.fit(),
      turn: () => { this.turn = (this.turn + 90) % 360; this.lay(); },
    };
    onClick(root, this.actions);
    new ResizeObserver(() => this.lay()).observe(this.part.desk);
  }

  /** Show the first page of a document, or nothing. */
  show(shownDocument) {
    this.document = shownDocument;
    this.turn = 0;
    this.zoom = 1;
    this.root.classList.toggle("empty", !shownDocument);
    if (shownDocument?.pages.length) {
      this.go(1);
      const { category, runner_up: other } = shownDocument;
      this.part.legend.hidden = !(category && shownDocument.pages.some((page) => page.marks.length));
      this.part.for.textContent = text("sheet.words_for", { category: shownCategory(category) });
      this.part.against.textContent = text("sheet.words_for", { category: shownCategory(other) });
    } else {
      this.part.paper.replaceChildren();
      this.part.page.textContent = "";
      this.part.legend.hidden = true;
      this.part.missing.hidden = !shownDocument;
      this.image = null;
    }
  }

  async go(number) {
    const pages = this.document?.pages ?? [];
    if (number < 1 || number > pages.length) return;
    this.number = number;
    const page = pages[number - 1];
    this.part.page.textContent = text("sheet.page_of", { page: number, pages: pages.length });
    this.root.querySelector("[data-do=previous]").disabled = number === 1;
    this.root.querySelector("[data-do=next]").disabled = number === pages.length;
    const wanted = this.document;
    let image = null;
    try {
      image = await preload(page.picture);
    } catch {
      // told below
    }
    // meanwhile another one may have been asked for
    if (this.document !== wanted || this.number !== number) return;
    this.image = image;
    this.part.missing.hidden = Boolean(image);
    this.part.paper.hidden = !image;
    if (image) {
      image.alt = text("sheet.picture_of", { name: wanted.name, page: number });
      const turned = document.createElement("div");
      turned.className = "turned";
      turned.append(image, marks(page));
      this.part.paper.replaceChildren(turned);
      this.part.desk.scrollTo(0, 0);
      this.lay();
    }
    this.root.dataset.shown = `${wanted.id}-${number}`;
    if (number < pages.length) preload(pages[number].picture).catch(() => {});
  }

  enlarge(steps) {
    const place = ZOOMS.findIndex((one) => one >= this.zoom);
    this.zoom = ZOOMS[Math.min(Math.max(place + steps, 0), ZOOMS.length - 1)];
    this.lay();
  }

  fit() {
    this.zoom = 1;
    this.lay();
  }

  /** Size the paper to the room there is. */
  lay() {
    if (!this.image) return;
    const desk = this.part.desk;
    const style = getComputedStyle(desk);
    const wide = desk.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const high = desk.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    const { naturalWidth, naturalHeight } = this.image;
    const lies = this.turn % 180 === 90;
    const [width, height] = lies ? [naturalHeight, naturalWidth] : [naturalWidth, naturalHeight];
    const scale = Math.max(Math.min(wide / width, high / height), 0.05) * this.zoom;
    this.part.paper.style.width = `${width * scale}px`;
    this.part.paper.style.height = `${height * scale}px`;
    const turned = this.part.paper.firstElementChild;
    turned.style.width = `${naturalWidth * scale}px`;
    turned.style.height = `${naturalHeight * scale}px`;
    turned.style.transform = `translate(-50%, -50%) rotate(${this.turn}deg)`;
  }

  /** Do what a key means; returns whether it meant anything. */
  key(key) {
    const meant = { "+": "larger", "=": "larger", "-": "smaller", "0": "fit", r: "turn", ArrowLeft: "previous", ArrowRight: "next", PageUp: "previous", PageDown: "next" }[key];
    if (meant) this.actions[meant]();
    return Boolean(meant);
  }
}

function marks(page) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 1 1");
  drawing.setAttribute("preserveAspectRatio", "none");
  drawing.setAttribute("aria-hidden", "true");
  for (const mark of page.marks) {
    const box = document.createElementNS(SVG, "rect");
    box.setAttribute("class", mark.weight > 0 ? "for" : "against");
    box.setAttribute("fill-opacity", FAINTEST + (STRONGEST - FAINTEST) * Math.abs(mark.weight));
    for (const [name, value] of [["x", mark.left], ["y", mark.top], ["width", mark.width], ["height", mark.height]]) {
      box.setAttribute(name, value);
    }
    drawing.append(box);
  }
  return drawing;
}
