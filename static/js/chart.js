/* Bars of a chart are links: one of them is a tab stop, arrow keys go along, Home and End to its ends. What has the focus
   or the pointer is said in .chart-said. Without this script the last bar is the stop, and the table beside says it all. */
(() => {
  "use strict";
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  const barOf = (event) => (event.target.closest ? event.target.closest("svg.chart a") : null);

  function say(bar, words) {
    const said = bar.closest(".chart-box")?.querySelector(".chart-said");
    if (said) said.textContent = words;
  }

  document.addEventListener("keydown", (event) => {
    const bar = barOf(event);
    if (!bar || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const bars = [...bar.closest("svg").querySelectorAll("a")];
    const last = bars.length - 1;
    const at = bars.indexOf(bar) + (steps[event.key] || 0);
    const place = event.key === "Home" ? 0 : event.key === "End" ? last : Math.min(last, Math.max(0, at));
    if (!(event.key in steps) && event.key !== "Home" && event.key !== "End") return;
    event.preventDefault();
    bars[place].focus();
  });

  document.addEventListener("focusin", (event) => {
    const bar = barOf(event);
    if (!bar) return;
    for (const other of bar.closest("svg").querySelectorAll("a")) other.setAttribute("tabindex", other === bar ? "0" : "-1");
    say(bar, bar.querySelector("title").textContent);
  });
  document.addEventListener("pointerover", (event) => {
    const bar = barOf(event);
    if (bar) say(bar, bar.querySelector("title").textContent);
  });
  for (const name of ["focusout", "pointerout"]) {
    document.addEventListener(name, (event) => {
      const bar = barOf(event);
      if (bar) say(bar, "");
    });
  }
})();
