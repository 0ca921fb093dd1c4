// Makes npm's solc look like the native compiler to py-solc-x: `--version`, and standard JSON from stdin to stdout.
// (The package's own solcjs prints a line before the JSON.)
"use strict";
const fs = require("node:fs");
const solc = require("solc");

if (process.argv.includes("--version")) {
  process.stdout.write(`solc, the solidity compiler\nVersion: ${solc.version()}\n`);
} else {
  process.stdout.write(solc.compile(fs.readFileSync(0, "utf8")));
}
