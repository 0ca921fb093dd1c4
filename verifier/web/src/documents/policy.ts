/** Which witnesses make a quorum (C2SP tlog-policy). */

import { utf8 } from "../bytes.js";
import { Fault } from "../errors.js";
import { NoteKey, type Note } from "./note.js";

const MAX_BYTES = 64 * 1024;
const NONE = "none";

interface Group {
  readonly threshold: number;
  readonly members: readonly string[];
}

export class Policy {
  /** By the name that the policy uses, which need not be the key's own. */
  readonly witnesses = new Map<string, NoteKey>();
  readonly #groups = new Map<string, Group>();
  readonly #grouped = new Set<string>();
  #chosen: string | undefined;

  constructor(text: string) {
    const size = utf8(text).length;
    if (size > MAX_BYTES) throw new Fault("a witness policy of {size} bytes", { size });
    if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text)) throw new Fault("a witness policy with control characters");
    text.split("\n").forEach((line, place) => {
      const words = line.split(/[ \t]+/).filter((word) => word !== "");
      const isRight = words.length === 0 || words[0]?.startsWith("#") || this.#read(words);
      if (!isRight) throw new Fault("line {number} of the witness policy is wrong", { number: place + 1 });
    });
    if (this.#chosen === undefined) throw new Fault("a witness policy without a quorum line");
  }

  /** Name of a witness or a group, or `none`. */
  get quorum(): string {
    return this.#chosen as string;
  }

  get asksForWitnesses(): boolean {
    return this.quorum !== NONE;
  }

  /** Names of the witnesses that cosigned; a fault if a cosignature of one of them does not hold. */
  cosigners(note: Note): Set<string> {
    const cosigned = new Set<string>();
    for (const line of note.signatures) {
      for (const [name, witness] of this.witnesses) {
        if (witness.matches(line)) {
          witness.verify(note.text, line.signature);
          cosigned.add(name);
        }
      }
    }
    return cosigned;
  }

  isMet(cosigned: ReadonlySet<string>): boolean {
    return this.#counts(this.quorum, cosigned);
  }

  #counts(name: string, cosigned: ReadonlySet<string>): boolean {
    const group = this.#groups.get(name);
    if (group === undefined) return cosigned.has(name);
    return group.members.filter((member) => this.#counts(member, cosigned)).length >= group.threshold;
  }

  #read(words: readonly string[]): boolean {
    const [kind, name, third, ...members] = words;
    if (kind === "log" && words.length >= 2 && words.length <= 3) {
      // Which logs are trusted says the trust file; here the line must only be one.
      NoteKey.parse(name, NoteKey.LOG);
      return true;
    }
    if (kind === "witness" && (words.length === 3 || words.length === 4)) {
      const witness = NoteKey.parse(third, NoteKey.WITNESS);
      const isTwice = [...this.witnesses.values()].some((other) => other.key.isSame(witness.key));
      if (isTwice || !this.#isFree(name as string)) return false;
      this.witnesses.set(name as string, witness);
      return true;
    }
    if (kind === "group" && third !== undefined) return this.#readGroup(name as string, third, members);
    if (kind === "quorum" && words.length === 2) {
      if (this.#chosen !== undefined || (name !== NONE && this.#isFree(name as string))) return false;
      this.#chosen = name as string;
      return true;
    }
    return false;
  }

  #readGroup(name: string, word: string, members: readonly string[]): boolean {
    const isSound =
      this.#isFree(name) &&
      members.length > 0 &&
      new Set(members).size === members.length &&
      // In two groups one witness would count twice.
      members.every((member) => this.#isKnown(member) && !this.#grouped.has(member));
    const counted = /^[1-9][0-9]{0,3}$/.test(word) ? Number(word) : 0;
    const threshold = word === "all" ? members.length : word === "any" ? 1 : counted;
    if (!isSound || threshold < 1 || threshold > members.length) return false;
    for (const member of members) this.#grouped.add(member);
    this.#groups.set(name, { threshold, members });
    return true;
  }

  #isKnown(name: string): boolean {
    return this.witnesses.has(name) || this.#groups.has(name);
  }

  #isFree(name: string): boolean {
    return name !== NONE && !this.#isKnown(name);
  }
}
