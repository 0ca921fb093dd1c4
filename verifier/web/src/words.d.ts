/** Made by tests/tools/page from the catalogue and verifier/codes.py while the page is built. */
declare module "mizheng:words" {
  const words: {
    readonly codes: Readonly<Record<string, string>>;
    readonly needed: readonly string[];
    readonly neededOneOf: readonly string[];
    readonly chinese: Readonly<Record<string, string>>;
  };
  export default words;
}
