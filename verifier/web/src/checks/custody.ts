/**
 * Who had the evidence since it was deposited (docs/spec/8-bundle.md, "Custody").
 *
 * Events are judged one after the other, up to the first that does not hold: what comes after it rests on it.
 */

import { toHex } from "../bytes.js";
import { numberOf, padded } from "../documents/bundle.js";
import { MAX_PROOF_BYTES, type TlogProof } from "../documents/checkpoint.js";
import { type Custody, type Party, readCustody, verifyCustody } from "../documents/custody.js";
import { MAX_ENVELOPE_BYTES } from "../documents/dsse.js";
import { openRecorded } from "../documents/event.js";
import { Fault } from "../errors.js";
import { parseInstant } from "../instants.js";
import type { CustodyLine, PartyLine } from "../report.js";
import { findKey } from "../trust.js";
import { believe } from "./believing.js";
import type { Context } from "./context.js";

const [CHAIN, SIGNATURES, LOG, KEYS] = ["custody.chain", "custody.signatures", "custody.log", "custody.custodians"] as const;

export async function checkCustody(context: Context): Promise<void> {
  const { bundle, findings } = context;
  const members = bundle.group("custody");
  if (members.length === 0) {
    findings.notProvided(CHAIN);
    return;
  }
  const [first, last] = [numberOf(members[0] as string), numberOf(members.at(-1) as string)];
  const run = new Run(context);
  for (let number = first < 1n ? first : 1n; number <= last; number++) {
    if (await run.take(number)) continue;
    for (const code of [CHAIN, SIGNATURES, LOG, KEYS]) {
      if (findings.checks.some((check) => check.code === code)) continue;
      findings.notChecked(code, "", "the events were judged up to event {number} only, which does not hold", { number });
    }
    return;
  }
  run.conclude();
}

/** The events as far as they were judged. */
class Run {
  /** Document digest to number. */
  readonly #numbers = new Map<string, number>();
  #last: Custody | undefined;
  /** Who has it now, by keyid, and the digests that it was last found to have; none where nobody looked. */
  readonly #held = new Map<string, ReadonlySet<string>>();
  /** All who took part, by keyid, and the member that names each first. */
  readonly #parties = new Map<string, { readonly party: Party; readonly member: string }>();
  /** Something is not on record, or by a log's key that nobody knows: said once, of the first. */
  #isLogOpen = false;
  /** Signed checkpoints that are believed. */
  readonly #believed = new Set<string>();
  /** Tree size to root, hex: of the deposit's heads and of the events' proofs. */
  readonly #roots: Map<bigint, string>;
  readonly #places: bigint[] = [];

  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
    const { heads, statement } = context;
    this.#held.set(statement.publicKey.keyid, new Set());
    this.#roots = new Map(heads.map(({ proof: { checkpoint } }) => [checkpoint.size, toHex(checkpoint.root)]));
  }

  /** Judge one event; false where it does not hold. */
  async take(number: bigint): Promise<boolean> {
    const { findings, custody } = this.#context;
    const member = `custody/${padded(number)}.dsse.json`;
    const event = await findings.attempt(CHAIN, member, () => this.#read(number, member));
    if (event === undefined) return false;
    const line = this.#describe(Number(number), event);
    custody.push(line);
    const hold = (code: string, action: () => void): Promise<true | undefined> =>
      findings.attempt(code, member, () => {
        action();
        return true as const;
      });
    line.holds =
      (await hold(SIGNATURES, () => verifyCustody(event))) === true &&
      (await hold(CHAIN, () => this.#follow(event))) === true &&
      (await this.#checkLog(number, member, line));
    for (const party of partiesOf(event)) {
      if (!this.#parties.has(party.key.keyid)) this.#parties.set(party.key.keyid, { party, member });
    }
    return line.holds;
  }

  /** Say what holds of all of them. */
  conclude(): void {
    const { findings } = this.#context;
    const count = this.#numbers.size;
    findings.passed(SIGNATURES, "", "events: {count}", { count });
    const names = [...this.#held.keys()].map((keyid) => this.#parties.get(keyid)?.party.name);
    findings.passed(
      CHAIN,
      "",
      "events: {count}, the last of {at}; then with {holders}. They do not show what came later",
      { count, at: this.#last?.at ?? null, holders: names.join(", ") || "-" },
    );
    if (!this.#isLogOpen) {
      const [first, last] = [this.#places[0] as bigint, this.#places.at(-1) as bigint];
      const message = "events: {count}, in this order in the log, leaf index {first} to {last}";
      findings.passed(LOG, "", message, { count, first, last });
    }
    this.#checkKeys();
  }

  async #read(number: bigint, member: string): Promise<Custody> {
    const { bundle } = this.#context;
    if (number < 1n) throw new Fault("custody events are numbered from 1");
    if (!bundle.has(member)) throw new Fault("the event of this number is missing");
    return readCustody(await bundle.read(member, MAX_ENVELOPE_BYTES));
  }

  /** The event can be the next one of the chain. */
  #follow(event: Custody): void {
    if (event.envelopeSha256 !== this.#context.envelopeSha256) throw new Fault("the custody event is of another deposit");
    const last = this.#last;
    if (event.previous !== (last?.sha256 ?? null)) {
      if (event.previous === null) {
        throw new Fault("the chain of custody is forked: a second event calls itself the first");
      }
      const number = this.#numbers.get(event.previous);
      if (number !== undefined) {
        throw new Fault("the chain of custody is forked: another event follows event {number}, too", { number });
      }
      throw new Fault("the chain of custody is broken: the event before this one is missing");
    }
    if (last !== undefined && parseInstant(event.at) < parseInstant(last.at)) {
      throw new Fault("the custody event is dated before the one that it follows");
    }
    this.#move(event);
    this.#last = event;
    this.#numbers.set(event.sha256, this.#numbers.size + 1);
  }

  /** Who has it after the event: only somebody who has it can give it or record anything of it. */
  #move({ what, by, to, before, after }: Custody): void {
    const giver = by.key.keyid;
    const known = this.#held.get(giver);
    if (known === undefined) throw new Fault("the custody event is of somebody who did not have the evidence");
    if (known.size > 0 && before !== null && !known.has(before)) {
      throw new Fault("the content is another one than after the last event of whoever had it");
    }
    // One who got a second copy back has two, and says by `before` of which the event is.
    const others = before === null ? [] : [...known].filter((digest) => digest !== before);
    const moved = after === null ? known : new Set([after]);
    const isGone = what === "destruction" || what === "handover";
    if (to !== null) {
      const taker = to.key.keyid;
      this.#held.set(taker, new Set([...(this.#held.get(taker) ?? []), ...moved]));
    }
    if (!isGone) this.#held.set(giver, new Set([...others, ...moved]));
    else if (others.length > 0) this.#held.set(giver, new Set(others));
    else this.#held.delete(giver);
  }

  /** False only where its place in the log is shown to be wrong. */
  async #checkLog(number: bigint, member: string, line: CustodyLine): Promise<boolean> {
    const { bundle, findings } = this.#context;
    const stem = `custody/${padded(number)}`;
    const recorded = [`${stem}.event.dsse.json`, `${stem}.tlog-proof`] as const;
    if (!recorded.some((name) => bundle.has(name))) {
      if (!this.#isLogOpen) findings.notProvided(LOG, member, "signed, but not on record in the log");
      this.#isLogOpen = true;
      return true;
    }
    const proof = await findings.attempt(LOG, member, () => this.#openRecorded(member, ...recorded));
    if (proof === undefined) return false;
    line.leaf_index = proof.index;
    const signed = toHex(proof.signed);
    if (this.#isLogOpen || this.#believed.has(signed)) return true;
    if (await believe(this.#context, LOG, member, proof)) {
      this.#believed.add(signed);
      return true;
    }
    this.#isLogOpen = true;
    return findings.checks.at(-1)?.status !== "FAIL";
  }

  async #openRecorded(document: string, event: string, proof: string): Promise<TlogProof> {
    const { bundle, heads } = this.#context;
    for (const name of [event, proof]) {
      if (!bundle.has(name)) throw new Fault("half of the proof that the event is on record: {name} is missing", { name });
    }
    const found = openRecorded(
      await bundle.read(document, MAX_ENVELOPE_BYTES),
      await bundle.read(event, MAX_ENVELOPE_BYTES),
      await bundle.read(proof, MAX_PROOF_BYTES),
    );
    const { origin, size, root } = found.checkpoint;
    const [head] = heads;
    if (head !== undefined && origin !== head.proof.checkpoint.origin) {
      throw new Fault("the event is on record in another log than the deposit");
    }
    const known = this.#roots.get(size) ?? toHex(root);
    if (known !== toHex(root)) throw new Fault("the two entries are not of one tree");
    this.#roots.set(size, known);
    // Each names what came before it, so it was put on record later.
    if (found.index <= (this.#places.at(-1) ?? head?.proof.index ?? -1n)) {
      throw new Fault("the event does not stand in the log after what it follows");
    }
    this.#places.push(found.index);
    return found;
  }

  #checkKeys(): void {
    const { findings, trust } = this.#context;
    if (trust === undefined) {
      findings.notChecked(KEYS, "", "no trust file was given");
      return;
    }
    const all = [...this.#parties.values()];
    const revoked = all.find(({ party }) => trust.revokedKeys.has(party.key.keyid));
    if (revoked !== undefined) {
      const values = { name: revoked.party.name };
      findings.failed(KEYS, revoked.member, new Fault("the trust file lists the key of {name} as revoked", values));
      return;
    }
    const strangers = all.filter(({ party }) => this.#nameOf(party) === null).map(({ party }) => party.name);
    if (strangers.length > 0) {
      const message = "nobody whom the trust file names says whose keys these are: {names}";
      findings.notChecked(KEYS, "", message, { names: strangers.join(", ") });
    } else {
      const names = [...new Set(all.map(({ party }) => this.#nameOf(party)))].join(", ");
      findings.passed(KEYS, "", "known by their keys: {names}", { names });
    }
  }

  /** Whose key it is by the reader's own trust file, or by an issuer's word that it believes. */
  #nameOf({ key }: Party): string | null {
    const { isEnrolled, statement, trust } = this.#context;
    if (isEnrolled && key.isSame(statement.publicKey)) return statement.depositor.name;
    return (trust && findKey(trust.custodians, key)?.name) ?? null;
  }

  #describe(number: number, event: Custody): CustodyLine {
    const { what, at, where, why, note, before, after, sealNumber, sha256 } = event;
    const party = ({ name, organisation, role, key }: Party): PartyLine => {
      return { name, organisation, role, keyid: key.keyid, known_as: this.#nameOf({ name, organisation, role, key }) };
    };
    return {
      ...{ number, what, by: party(event.by), to: event.to && party(event.to), at, where, why, note, before, after },
      ...{ seal_number: sealNumber, sha256, leaf_index: null, holds: false },
    };
  }
}

function partiesOf({ by, to }: Custody): readonly Party[] {
  return to === null ? [by] : [by, to];
}
