/** A bundle: its members by the list of names in docs/spec/8-bundle.md, and the depositor's signed list of them. */

import { fromHex } from "../bytes.js";
import { type JsonObject, parseTyped } from "../canonical.js";
import { startHash } from "../crypto/hashing.js";
import type { PublicKey } from "../crypto/keys.js";
import { Fault, LaterVersion } from "../errors.js";
import { parseInstant } from "../instants.js";
import { Archive, MAX_MEMORY_BYTES } from "../zip/archive.js";
import type { Source } from "../zip/source.js";
import { parseEnvelope, verifyEnvelope } from "./dsse.js";

export const DOCUMENT = "bundle.dsse.json";
export const STATEMENT = "statement.dsse.json";
const PAYLOAD_TYPE = "application/vnd.mizheng.bundle.v1+json";
const MAX_NUMBER = 1_000_000;
const NUMBER = "([0-9]{4}|[1-9][0-9]{4,6})";
const OTHER_NAME = "a member whose name is not on the list of formats §8";

// Every name there is, in the order of the ZIP; true marks the depositor's own.
const MEMBERS = (
  [
    ["readme", "README\\.txt", true],
    ["document", "bundle\\.dsse\\.json", false],
    ["statement", "statement\\.dsse\\.json", true],
    ["enrolment", "enrolment\\.dsse\\.json", false],
    ["enrolment-proof", "enrolment\\.tlog-proof", false],
    ["key-status", "key-status\\.dsse\\.json", false],
    ["x509", `x509/${NUMBER}\\.der`, false],
    ["records", `records/${NUMBER}\\.json`, true],
    ["originals", `originals/${NUMBER}`, true],
    ["heads", "heads/(0|[1-9][0-9]{0,18})\\.tlog-proof", false],
    ["timestamps", `timestamps/${NUMBER}\\.(?:tsr|txt)`, false],
    ["anchors", `anchors/${NUMBER}\\.json`, false],
    ["seals", `seals/${NUMBER}\\.json`, false],
    ["foreign", `foreign/${NUMBER}\\.json`, false],
    ["observations", `observations/${NUMBER}\\.dsse\\.json`, false],
    ["beacon", "beacon\\.json", false],
    ["renewals", `renewals/${NUMBER}\\.ers`, false],
    ["custody", `custody/${NUMBER}\\.(?:dsse\\.json|event\\.dsse\\.json|tlog-proof)`, false],
    ["disclosure", "disclosure\\.(?:dsse\\.json|event\\.dsse\\.json|tlog-proof)", false],
    ["supplemented", "supplemented\\.(?:dsse\\.json|tlog-proof)", false],
    ["platform", "platform\\.dsse\\.json", false],
    ["certificate", "certificate\\.pdf", false],
    ["exhibits", "exhibits\\.pdf", true],
    ["page", "verify\\.html", true],
  ] as const
).map(([group, pattern, isDepositors]) => ({ group, pattern: new RegExp(`^${pattern}$`), isDepositors }));
export type Group = (typeof MEMBERS)[number]["group"];

interface Member {
  readonly name: string;
  readonly place: number;
  /** The NNNN or the size in its name; 0 without one. */
  readonly number: bigint;
  readonly isDepositors: boolean;
}

export interface MemberList {
  readonly envelopeSha256: string;
  readonly recipient: string | null;
  readonly purpose: string | null;
  readonly createdAt: string;
  /** Member name to hex SHA-256. */
  readonly members: ReadonlyMap<string, string>;
}

export class Bundle {
  readonly #groups = new Map<Group, Member[]>();

  private constructor(
    readonly archive: Archive,
    members: readonly Member[],
  ) {
    for (const member of members) {
      const { group } = MEMBERS[member.place] as (typeof MEMBERS)[number];
      const found = this.#groups.get(group);
      if (found) found.push(member);
      else this.#groups.set(group, [member]);
    }
  }

  /** Whether it is packed as it was made. */
  isCanonical = false;

  static async open(source: Source): Promise<Bundle> {
    const archive = await Archive.open(source);
    try {
      const members = archive.names.map(readName);
      for (const folder of archive.folders) {
        // A tool that packs anew adds the folders of our own names.
        if (!MEMBERS.some(({ pattern }) => pattern.source.startsWith(`^${folder.slice(0, -1)}\\/`))) {
          throw new Fault(OTHER_NAME);
        }
      }
      const missing = [DOCUMENT, STATEMENT].find((name) => !archive.has(name));
      if (missing !== undefined) {
        const hint = "ask for the bundle again from where it was made";
        throw new Fault("the ZIP has no {name}: it is not a bundle, or half of one", { name: missing }, hint);
      }
      const bundle = new Bundle(archive, members);
      const isOrdered = members.every((member, at) => at === 0 || compare(members[at - 1] as Member, member) < 0);
      bundle.isCanonical = archive.isCanonical && isOrdered;
      return bundle;
    } catch (error) {
      if (error instanceof Fault) await refuseLaterVersion(archive);
      throw error;
    }
  }

  /** Names of the members of a group, by their number. */
  group(group: Group): string[] {
    return [...(this.#groups.get(group) ?? [])].sort(compare).map((member) => member.name);
  }

  has(name: string): boolean {
    return this.archive.has(name);
  }

  read(name: string, limit?: number): Promise<Uint8Array> {
    return this.archive.read(name, limit);
  }

  get depositorMembers(): string[] {
    return [...this.#groups.values()].flat().flatMap((member) => (member.isDepositors ? [member.name] : []));
  }

  /** Hex SHA-256 of a member. Originals alone have no limit. */
  async sha256(name: string): Promise<string> {
    const size = this.archive.size(name);
    if (size > MAX_MEMORY_BYTES && !name.startsWith("originals/")) {
      throw new Fault("member {name} of {size} bytes", { name, size });
    }
    const running = await startHash("sha256");
    for await (const piece of this.archive.pieces(name)) running.update(piece);
    return running.finish();
  }
}

/** The number in a member's name. */
export function numberOf(name: string): bigint {
  return readName(name).number;
}

export function padded(number: bigint): string {
  return number.toString().padStart(4, "0");
}

function readName(name: string): Member {
  for (const [place, { group, pattern, isDepositors }] of MEMBERS.entries()) {
    const found = pattern.exec(name);
    if (found === null) continue;
    const number = BigInt(found[1] ?? 0);
    if (group !== "heads" && number > MAX_NUMBER) {
      throw new Fault("a member numbered above {limit}", { limit: MAX_NUMBER });
    }
    return { name, place, number, isDepositors };
  }
  throw new Fault(OTHER_NAME);
}

function compare(left: Member, right: Member): number {
  if (left.place !== right.place) return left.place - right.place;
  if (left.number !== right.number) return left.number < right.number ? -1 : 1;
  return left.name < right.name ? -1 : left.name > right.name ? 1 : 0;
}

/** A list of members of a later version: its names are not known here, and say nothing against the bundle. */
async function refuseLaterVersion(archive: Archive): Promise<void> {
  if (!archive.has(DOCUMENT)) return;
  try {
    parseEnvelope(await archive.read(DOCUMENT), PAYLOAD_TYPE, MAX_MEMORY_BYTES);
  } catch (error) {
    if (error instanceof LaterVersion || !(error instanceof Fault)) throw error;
  }
}

/** The depositor's list, signed by this key. */
export function openMemberList(data: Uint8Array, key: PublicKey): MemberList {
  const envelope = parseEnvelope(data, PAYLOAD_TYPE, MAX_MEMORY_BYTES);
  verifyEnvelope(envelope, key);
  const required = {
    envelope_sha256: "string",
    recipient: "string?",
    purpose: "string?",
    created_at: "string",
    members: "object",
  } as const;
  const fields = parseTyped(envelope.payload, "mizheng/bundle/v1", required, MAX_MEMORY_BYTES);
  fromHex(fields["envelope_sha256"], 32);
  parseInstant(fields["created_at"]);
  const members = new Map<string, string>();
  for (const [name, digest] of Object.entries(fields["members"] as JsonObject)) {
    if (!readName(name).isDepositors) {
      throw new Fault("a list of members with one that is not the depositor's");
    }
    fromHex(digest, 32);
    members.set(name, digest as string);
  }
  return {
    envelopeSha256: fields["envelope_sha256"] as string,
    recipient: fields["recipient"] as string | null,
    purpose: fields["purpose"] as string | null,
    createdAt: fields["created_at"] as string,
    members,
  };
}
