/** Where the script starts: as a worker it digests, in a page it shows itself where the page has a place for it. */

import { App } from "./app.js";
import { isWorker, serve } from "./workers.js";

if (isWorker()) {
  serve();
} else {
  const begin = (): void => {
    const place = document.getElementById("mizheng-verify");
    if (place) new App(place).show();
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
}
