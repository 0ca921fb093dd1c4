// Bundles the second verifier, beside words.json (see tests/support/webbuild.py): dist/verifier.mjs for Node.js, and
// dist/verify.html, one file with everything in it. `node build.mjs` in a folder where the packages are installed.
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";

import { build } from "esbuild";
import { deflateSync } from "fflate";

const { chinese, ...words } = JSON.parse(await readFile("words.json", "utf8"));

// In the page each message stands once, under a short mark, in a table with both languages that is packed: whole
// sentences in code and again in a dictionary would be a fifth of it. Single words are left: they are names, too.
const ids = Object.keys(chinese);
const marks = new Map(ids.map((id, place) => [id, id.includes(" ") ? `~${place}` : id]));
const marked = (text) => marks.get(text) ?? text;
const table = [ids.join("\n"), ids.map((id) => chinese[id]).join("\n")].join("\n");
if (table.split("\n").length !== 2 * ids.length) throw new Error("a message of several lines");
const packed = Buffer.from(deflateSync(Buffer.from(table), { level: 9, mem: 12 })).toString("base64");

function modules(contents) {
  return {
    name: "words",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^mizheng:/ }, ({ path }) => ({ path, namespace: "mizheng" }));
      onLoad({ filter: /.*/, namespace: "mizheng" }, ({ path }) => ({
        contents: JSON.stringify(contents[path]),
        loader: "json",
      }));
    },
  };
}

const literal = String.raw`"(?:[^"\\\n]|\\.)*"`;
const sentences = new RegExp(String.raw`${literal}(?:\s*\+\s*${literal})*`, "g");

const markSentences = {
  name: "sentences",
  setup({ onLoad }) {
    onLoad({ filter: /src\/.*\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(sentences, (found) => {
        const parts = found.match(new RegExp(literal, "g"));
        let text;
        try {
          text = parts.map((part) => JSON.parse(part)).join("");
        } catch {
          return found; // a pattern that looks like a text
        }
        return marks.has(text) ? JSON.stringify(marked(text)) : found;
      }),
      loader: "ts",
    }));
  },
};

const common = { bundle: true, charset: "utf8", logLevel: "warning", legalComments: "none" };

await build({
  ...common,
  plugins: [modules({ "mizheng:words": words })],
  entryPoints: ["src/index.ts"],
  outfile: "dist/verifier.mjs",
  format: "esm",
  platform: "node",
  target: "node20",
});

// Chromium 109 is the last one for the systems that many courts still run.
// Names of our own that stand there fifty times, and in no document, are made short as those of variables are.
const mangleProps = /^(findings|notChecked|notProvided)$/;
const inPage = { ...common, write: false, minify: true, target: "chrome109" };
const codes = Object.fromEntries(Object.entries(words.codes).map(([code, title]) => [code, marked(title)]));
const page = await build({
  ...inPage,
  mangleProps,
  plugins: [modules({ "mizheng:words": { ...words, codes }, "mizheng:texts": packed }), markSentences],
  entryPoints: ["src/page/main.ts"],
  format: "iife",
});
const style = await build({ ...inPage, entryPoints: ["src/page/page.css"] });
const script = page.outputFiles[0].text.trim().replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
const look = style.outputFiles[0].text.trim();
const digest = (text) => createHash("sha256").update(text, "utf8").digest("base64");
const html = (await readFile("src/page/page.html", "utf8"))
  .replace("/* style digest */", digest(look))
  .replace("/* script digest */", digest(script))
  .replace("/* style */", () => look)
  .replace("/* script */", () => script);
await writeFile("dist/verify.html", html);
