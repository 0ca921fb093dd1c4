/** Building the page. Text goes in as text only: nothing that a file says is ever read as HTML. */

import { formatForPeople, formatInstant } from "../instants.js";

type Child = Node | string | false | undefined;
type Properties = Readonly<Record<string, string | boolean | ((event: Event) => void)>>;

/** An element with attributes, listeners (functions, by event name) and children. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== false && child !== undefined));
  return made;
}

/** Control, bidirectional and other invisible characters shown as numbers: a name cannot pretend to be another. */
export function clean(text: unknown): string {
  return String(text).replace(/[\p{C}\p{Z}]/gu, (char) => {
    if (char === " ") return char;
    return `\\u${(char.codePointAt(0) as number).toString(16).padStart(4, "0")}`;
  });
}

/** Text from a file, kept apart from the direction of what stands around it. */
export function foreign(text: unknown): HTMLElement {
  return el("bdi", {}, clean(text));
}

/** A digest or other long value: in figures of one width, broken anywhere. */
export function code(text: unknown): HTMLElement {
  return el("code", {}, clean(text));
}

/** A moment for people: Beijing's time stays in one piece, and so does that of UTC. */
export function moment(seconds: number): HTMLElement {
  const [beijing, utc] = formatForPeople(seconds).split(" (");
  const pieces = [el("span", {}, beijing), " ", utc && el("span", {}, `(${utc}`)];
  return el("time", { datetime: formatInstant(seconds) }, ...pieces);
}
