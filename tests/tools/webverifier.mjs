// Reads questions, one JSON object a line, and writes the second verifier's answers, one a line. Argument: the built
// module. Bytes are Base64. {seals, validators} asks about a member of seals; {bundle, trust, now, originals} about a
// bundle, answered with the report or with {trust_error}; {digest} about bytes, answered with
// size, digests and checksum.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { digestBlob, ready, verifyBundle, verifySeals } = await import(pathToFileURL(process.argv[2]).href);
await ready();
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));

async function answer(question) {
  if (question.digest !== undefined) return digestBlob(new Blob([bytes(question.digest)]), true);
  if (question.seals !== undefined) {
    const { outcome, message, values } = verifySeals(bytes(question.seals), question.validators);
    return { outcome, message, values };
  }
  const originals = Object.fromEntries(
    Object.entries(question.originals ?? {}).map(([name, data]) => [name, bytes(data)]),
  );
  try {
    return await verifyBundle(bytes(question.bundle), question.trust, { now: question.now, originals });
  } catch (error) {
    if (error.constructor.name === "TrustError") return { trust_error: error.message };
    throw error;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
}
