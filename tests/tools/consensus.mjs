// Reads questions, one JSON object a line, and writes the second verifier's answers. Argument: where it is built.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { verifySeals } = await import(pathToFileURL(`${process.argv[2]}/index.js`).href);
for await (const line of createInterface({ input: process.stdin })) {
  const { evidence, validators } = JSON.parse(line);
  const { outcome, message, values } = verifySeals(new Uint8Array(Buffer.from(evidence, "hex")), validators);
  process.stdout.write(`${JSON.stringify({ outcome, message, values })}\n`);
}
