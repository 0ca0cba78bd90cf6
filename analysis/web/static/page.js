// Draws the charts of a page in its own colours, and again when light turns to dark. Nothing is fetched from elsewhere.
"use strict";

const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");
const drawn = new Map();

function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
}

function config() {
  const color = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const ink = color("ink-soft"), line = color("line");
  return {
    background: "transparent", font: getComputedStyle(document.body).fontFamily,
    view: { stroke: null }, range: { category: color("series").split(" ") },
    axis: { labelColor: ink, titleColor: ink, gridColor: line, domainColor: line, tickColor: line,
      titleFontWeight: "normal", labelFontSize: 11, titleFontSize: 11, labelLimit: 170 },
    legend: { labelColor: ink, titleColor: ink, titleFontWeight: "normal", orient: "top", labelLimit: 170, columns: innerWidth < 700 ? 2 : 0 },
    title: { color: color("ink"), fontWeight: 600 }, mark: { color: color("accent") },
    text: { color: ink }, rule: { color: ink },
  };
}

async function draw(box) {
  const spec = JSON.parse(document.getElementById(box.dataset.spec).textContent);
  drawn.get(box)?.finalize();
  const target = document.createElement("div");
  target.className = "canvas";
  box.replaceChildren(target);
  const shown = await vegaEmbed(target, spec, {
    ast: true, // expressions are walked, not compiled: the page allows no eval
    actions: false, defaultStyle: false, renderer: "svg", config: config(),
    tooltip: { disableDefaultStyle: true }, loader: { target: "_self" },
  });
  // The figure has a name, and the table below it holds every number and every link.
  target.querySelector("svg")?.setAttribute("aria-hidden", "true");
  drawn.set(box, shown);
  box.dataset.drawn = "yes";
}

async function drawAll() {
  for (const box of document.querySelectorAll(".chart[data-spec]")) await draw(box);
  document.body.dataset.ready = "yes";
}

function begin() {
  document.getElementById("theme")?.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("tidemark-theme", root.dataset.theme); } catch { /* not kept, then */ }
    drawAll();
  });
  dark.addEventListener("change", () => { if (!root.dataset.theme) drawAll(); });
  if (!document.querySelector(".chart[data-spec]")) { document.body.dataset.ready = "yes"; return; }
  const script = document.createElement("script");
  script.src = "/static/vega.js";
  script.addEventListener("load", drawAll);
  document.head.append(script);
}

begin();
