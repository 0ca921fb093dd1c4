/** The three sorts of files that a person lays on the page, and the boxes that take them. */

import { looksLikeBundle, looksLikeTrust } from "./clues.js";
import { el, foreign } from "./dom.js";
import { _, formatSize } from "./language.js";

export type Sort = "bundle" | "trust" | "originals";

export class Files {
  bundle: File | undefined;
  trust: File | undefined;
  readonly originals: File[] = [];

  add(sort: Sort, files: readonly File[]): void {
    if (sort === "originals") {
      for (const file of files) {
        const isThere = this.originals.some(({ name, size }) => name === file.name && size === file.size);
        if (!isThere) this.originals.push(file);
      }
    } else if (files[0] !== undefined) {
      this[sort] = files[0];
    }
  }

  /** Files dropped anywhere: each to the sort that it looks like. */
  async sortOut(files: readonly File[]): Promise<void> {
    for (const file of files) {
      if (looksLikeTrust(file)) this.add("trust", [file]);
      else if (await looksLikeBundle(file)) this.add("bundle", [file]);
      // What is dropped first and alone is meant as the bundle, whatever it is: then it is told what it is not.
      else if (this.bundle === undefined && files.length === 1) this.add("bundle", [file]);
      else this.add("originals", [file]);
    }
  }

  remove(sort: Sort, file: File): void {
    if (sort === "originals") this.originals.splice(this.originals.indexOf(file), 1);
    else this[sort] = undefined;
  }

  list(sort: Sort): readonly File[] {
    if (sort === "originals") return this.originals;
    const file = this[sort];
    return file === undefined ? [] : [file];
  }
}

interface BoxTexts {
  readonly title: string;
  readonly hint: string;
  readonly choose: string;
  readonly accept: string;
}

function textsOf(sort: Sort): BoxTexts {
  if (sort === "bundle") {
    return {
      title: _("Bundle"),
      hint: _("The ZIP file that was handed to you."),
      choose: _("Choose the bundle"),
      accept: ".zip",
    };
  }
  if (sort === "trust") {
    return {
      title: _("Trust file"),
      hint: _("trust.toml, as your office received it on a way of its own; never the one that came with the bundle."),
      choose: _("Choose the trust file"),
      accept: ".toml",
    };
  }
  return {
    title: _("Originals"),
    hint: _("If you have them: the files themselves. They stay in this browser, of whatever size."),
    choose: _("Choose originals"),
    accept: "",
  };
}

/** A box for one sort of files: what it is for, what is in it, and a button that takes more. */
export function makeBox(files: Files, sort: Sort, changed: () => void): HTMLElement {
  const texts = textsOf(sort);
  const id = `mizheng-file-${sort}`;
  const input = el("input", {
    type: "file",
    id,
    accept: texts.accept,
    multiple: sort === "originals",
    "aria-describedby": `${id}-hint`,
    change: () => {
      files.add(sort, [...(input.files ?? [])]);
      changed();
    },
  });
  const rows = files.list(sort).map((file) =>
    el(
      "li",
      {},
      el("span", { class: "name" }, foreign(file.name)),
      el("span", { class: "size" }, formatSize(file.size)),
      el(
        "button",
        {
          type: "button",
          class: "quiet",
          "aria-label": _("Remove {name}", { name: file.name }),
          click: () => {
            files.remove(sort, file);
            changed();
          },
        },
        "×",
      ),
    ),
  );
  return el(
    "section",
    { class: "box" },
    el("h3", {}, texts.title),
    el("p", { id: `${id}-hint` }, texts.hint),
    rows.length > 0 && el("ul", { class: "files" }, ...rows),
    el("div", { class: "choose" }, input, el("label", { for: id, class: "button" }, texts.choose)),
  );
}

/** Let the whole page take files that are dropped on it. */
export function acceptDrops(place: HTMLElement, dropped: (files: readonly File[]) => void): void {
  const mark = (isOver: boolean): void => void place.classList.toggle("over", isOver);
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    mark(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) mark(false);
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    dropped([...(event.dataTransfer?.files ?? [])]);
  });
}
