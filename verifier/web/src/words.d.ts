/** Made while the page is built, from the catalogue and verifier/codes.py: build.mjs, tests/support/webbuild.py. */
declare module "mizheng:words" {
  const words: {
    readonly codes: Readonly<Record<string, string>>;
    readonly needed: readonly string[];
    readonly neededOneOf: readonly string[];
  };
  export default words;
}

/** Every message in English and Chinese, as deflated JSON in Base64. For the page only. */
declare module "mizheng:texts" {
  const packed: string;
  export default packed;
}
