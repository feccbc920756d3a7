// A field in which a category is found among many, or a new one typed in: a combobox as WAI-ARIA has it.

import { element, shownCategory, text } from "./desk.js";

const LISTED = 60;

export class CategoryFinder {
  constructor(root, categories, onChoice) {
    this.field = root.querySelector("input");
    this.list = root.querySelector("[role=listbox]");
    this.warning = root.querySelector("[data-show=like]");
    this.categories = new Set(categories);
    this.suggested = [];
    this.onChoice = onChoice;
    this.place = 0;
    this.askedBack = "";
    this.field.addEventListener("input", () => this.filter());
    this.field.addEventListener("focus", () => this.filter());
    this.field.addEventListener("blur", () => this.hide());
    this.field.addEventListener("keydown", (event) => this.key(event));
    // before the field loses the focus
    this.list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const option = event.target.closest("li");
      if (option) this.choose([...this.list.children].indexOf(option));
    });
  }

  add(category) {
    this.categories.add(category);
  }

  /** These come first as long as nothing is typed. */
  suggest(categories) {
    this.suggested = categories;
    categories.forEach((one) => this.categories.add(one));
  }

  open() {
    this.field.focus();
    this.field.select();
  }

  close() {
    this.field.value = "";
    this.warn("");
    this.askedBack = "";
    this.field.blur();
    this.hide();
  }

  askBack(category, message) {
    this.askedBack = category;
    this.warn(message);
  }

  isAskedBack(category) {
    return this.askedBack === category;
  }

  warn(message) {
    this.warning.textContent = message;
    this.warning.hidden = !message;
    if (message) this.warning.scrollIntoView({ block: "nearest" });
  }

  hide() {
    this.list.hidden = true;
    this.field.setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
  }

  filter() {
    const typed = this.field.value.trim().replace(/\s+/g, " ");
    const sought = folded(typed);
    const others = [...this.categories].filter((one) => !this.suggested.includes(one)).sort((a, b) => a.localeCompare(b));
    const all = [...this.suggested, ...others, "none of these"].filter((one, place, list) => list.indexOf(one) === place);
    const found = all.filter((one) => folded(shownCategory(one)).includes(sought));
    found.sort((a, b) => folded(shownCategory(b)).startsWith(sought) - folded(shownCategory(a)).startsWith(sought));
    this.options = found.slice(0, LISTED).map((category) => ({ category, isNew: false }));
    if (typed && !all.some((one) => folded(shownCategory(one)) === sought)) this.options.push({ category: typed, isNew: true });
    if (this.askedBack !== typed) this.warn("");
    this.list.replaceChildren(...this.options.map(({ category, isNew }, place) =>
      element(
        "li",
        { role: "option", id: `found-${place}`, class: isNew ? "new" : undefined },
        isNew ? text("review.new", { name: category }) : shownCategory(category),
      )));
    this.list.hidden = !this.options.length;
    this.field.setAttribute("aria-expanded", `${!this.list.hidden}`);
    // Enter alone must not choose what nobody has looked at
    this.select(!typed ? -1 : this.askedBack === typed ? this.options.length - 1 : this.meant(sought));
  }

  /** The option that Enter chooses; what is of no category must be typed in full, or chosen with the arrows. */
  meant(sought) {
    const none = folded(shownCategory("none of these"));
    const isNone = ({ category }) => category === "none of these";
    if (sought === none) return this.options.findIndex(isNone);
    const place = this.options.findIndex((one) => !isNone(one));
    return none.startsWith(sought) && this.options[place]?.isNew ? -1 : place;
  }

  select(place) {
    this.place = Math.min(Math.max(place, -1), this.options.length - 1);
    [...this.list.children].forEach((one, number) => one.setAttribute("aria-selected", `${number === this.place}`));
    const option = this.list.children[this.place];
    if (!option) {
      this.field.removeAttribute("aria-activedescendant");
      return;
    }
    this.field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  choose(place) {
    const option = this.options?.[place];
    if (option) this.onChoice(option.category, option);
  }

  key(event) {
    if (event.key === "ArrowDown") this.select(this.place + 1);
    else if (event.key === "ArrowUp") this.select(this.place - 1);
    else if (event.key === "Enter" && !event.isComposing) this.choose(this.place);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** Without case and accents, so that "societa" finds "Società". */
function folded(name) {
  return name.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
