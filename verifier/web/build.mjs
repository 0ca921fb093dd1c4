// Bundles the second verifier, beside words.json (see tests/tools/page.py): dist/verifier.mjs for Node.js, and
// dist/verify.html, one file with everything in it. `node build.mjs` in a folder where the packages are installed.
import { readFile, writeFile } from "node:fs/promises";

import { build } from "esbuild";

const words = {
  name: "words",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^mizheng:words$/ }, () => ({ path: "words", namespace: "mizheng" }));
    onLoad({ filter: /.*/, namespace: "mizheng" }, async () => ({
      contents: await readFile("words.json", "utf8"),
      loader: "json",
    }));
  },
};
const common = { bundle: true, charset: "utf8", plugins: [words], logLevel: "warning", legalComments: "none" };

await build({
  ...common,
  entryPoints: ["src/index.ts"],
  outfile: "dist/verifier.mjs",
  format: "esm",
  platform: "node",
  target: "node20",
});

// Chromium 109 is the last one for the systems that many courts still run.
const page = await build({
  ...common,
  entryPoints: ["src/page/main.ts"],
  write: false,
  format: "iife",
  minify: true,
  target: "chrome109",
});
const style = await build({
  ...common,
  entryPoints: ["src/page/page.css"],
  write: false,
  minify: true,
  target: "chrome109",
});
const script = page.outputFiles[0].text.trim().replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
const html = (await readFile("src/page/page.html", "utf8"))
  .replace("/* style */", () => style.outputFiles[0].text.trim())
  .replace("/* script */", () => script);
await writeFile("dist/verify.html", html);
