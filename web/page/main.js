// The page: its sections, its engine, its colours.

import { alarms, showAlarms } from "./alarms.js";
import { bench } from "./bench.js";
import { curves, showCurve, showMinimum } from "./curves.js";
import { takeEngine, takeSeed } from "./engines.js";
import { gumbelMax, showDraws } from "./gumbel_max.js";
import { potts } from "./potts.js";
import { same } from "./same.js";

const scheme = matchMedia("(prefers-color-scheme: dark)");

function repaint() {
  showAlarms();
  return Promise.all([showMinimum(), showCurve(), showDraws()]);
}

for (const section of [alarms, curves, gumbelMax, potts, same, bench]) section();
document.getElementById("engine").addEventListener("change", takeEngine);
document.getElementById("seed").addEventListener("change", takeSeed);
document.getElementById("theme").addEventListener("click", () => {
  const { dataset } = document.documentElement;
  const dark = dataset.theme ? dataset.theme === "dark" : scheme.matches;
  dataset.theme = dark ? "light" : "dark";
  repaint();
});
scheme.addEventListener("change", repaint);
await takeEngine();
document.body.dataset.ready = "";
