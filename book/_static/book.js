// Runs in the head of every page, before anything is drawn.
(function () {
  "use strict";
  const root = document.documentElement;

  // Light or dark at once: the theme's own script comes last and would let a white page flash.
  const stored = localStorage.getItem("mode");
  const mode = ["auto", "light", "dark"].includes(stored) ? stored : "auto";
  const dark = mode === "dark" || (mode === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.mode = mode;
  root.dataset.theme = dark ? "dark" : "light";

  // RequireJS reads this when it starts: the widgets' icon fonts lie beside their script.
  const widgets = new URL("vendor/widgets", document.currentScript.src).href;
  window.requirejs = { paths: { "@jupyter-widgets/html-manager/dist": widgets } };

  document.addEventListener("DOMContentLoaded", () => {
    // Widgets still speak to MathJax 2; hand what they ask for to MathJax 3.
    const maths = window.MathJax;
    if (maths && !maths.Hub) {
      maths.Hub = {
        Queue: ([, , element]) => maths.typesetPromise && maths.typesetPromise(element ? [element] : undefined),
      };
    }
    // A table or a formula wider than a phone scrolls inside its own frame, by keyboard too.
    const reach = (root) => {
      for (const box of root.querySelectorAll("div.highlight pre, .pst-scrollable-table-container, div.math")) {
        if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      }
    };
    reach(document);
    for (const folded of document.querySelectorAll("details")) folded.addEventListener("toggle", () => reach(folded));
  });
})();
