/** Made while the page is built, from the catalogue and verifier/codes.py: build.mjs, tests/support/webbuild.py. */
declare module "mizheng:words" {
  const words: {
    readonly codes: Readonly<Record<string, string>>;
    readonly needed: readonly string[];
    readonly neededOneOf: readonly string[];
  };
  export default words;
}

/** All messages in English, a line each, then in Chinese, in the same order; deflated, in Base64. For the page only. */
declare module "mizheng:texts" {
  const packed: string;
  export default packed;
}
