/* Which ticket this is, while its head is scrolled away: number, subject, status and time left, under the top bar. It
   repeats what the head says, so it is silent for screen readers, and is not there without script. */
(() => {
  const main = document.querySelector(".ticket-main");
  if (!main || !("IntersectionObserver" in window)) return;
  const strip = document.createElement("div");
  strip.className = "ticket-strip";
  strip.setAttribute("aria-hidden", "true");
  strip.hidden = true;
  main.prepend(strip);

  const head = () => document.getElementById("head");
  function fill() {
    const from = head();
    const parts = [
      [".crumbs [data-copy-number]", "number"],
      [".subject-line > span", "strip-subject"],
      [".ticket-line .status", ""],
      ['[data-clock="resolution"] .clock-left', ""],
    ];
    strip.replaceChildren(
      ...parts
        .map(([where, name]) => [from?.querySelector(where)?.cloneNode(true), name])
        .filter(([node]) => node)
        .map(([node, name]) => {
          node.removeAttribute("data-copy-number");
          if (name) node.className = name;
          return node;
        }),
    );
  }
  const bar = document.querySelector(".top")?.offsetHeight || 48;
  const eye = new IntersectionObserver(
    ([entry]) => {
      // Half a line of the subject under the top bar can no longer be read.
      strip.hidden = entry.intersectionRatio >= 0.5 || entry.boundingClientRect.top > bar;
      if (!strip.hidden) fill();
    },
    { rootMargin: `-${bar}px 0px 0px 0px`, threshold: [0, 0.5] },
  );
  let seen = null;
  function watch() {
    // The subject's own line: once it is gone the strip says it. The head is swapped by live updates.
    const line = head()?.querySelector(".subject-line") || head();
    if (line && line !== seen) {
      eye.disconnect();
      eye.observe(line);
      seen = line;
    } else if (!strip.hidden) fill();
  }
  watch();
  document.addEventListener("htmx:afterSettle", watch);
  document.addEventListener("desk:morphed", watch);
})();
