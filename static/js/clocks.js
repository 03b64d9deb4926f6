/* Counts every chip that runs: .sla[data-due] (and [data-risk]), instants in seconds since 1970. The words are the
   server's own (`core/chips.py`), from <meta name="clock-words">; the server's clock counts, not this machine's. */
(() => {
  "use strict";
  const desk = (window.desk = window.desk || {});
  const meta = document.querySelector('meta[name="clock-words"]');
  const [running, at_risk, breached_by] = meta ? meta.content.split("|") : [];
  const words = { running, at_risk, breached_by };
  const serverNow = Number(document.body.dataset.now || 0);
  const ahead = serverNow ? serverNow - Date.now() / 1000 : 0;
  const skew = Math.abs(ahead) > 5 ? ahead : 0;

  const two = (n) => String(n).padStart(2, "0");

  /* The twin of core.formatting.duration. */
  function duration(seconds) {
    let minutes = Math.floor(Math.abs(seconds) / 60);
    if (minutes === 0) return seconds ? "1 min" : "0 min";
    if (minutes < 60) return `${minutes} min`;
    let hours = Math.floor(minutes / 60);
    minutes %= 60;
    if (hours < 24) return minutes ? `${hours} h ${two(minutes)} min` : `${hours} h`;
    const days = Math.floor(hours / 24);
    hours %= 24;
    return hours && days < 10 ? `${days} d ${hours} h` : `${days} d`;
  }

  function read(chip, now) {
    const due = Number(chip.dataset.due);
    const risk = Number(chip.dataset.risk || 0);
    if (now > due) return ["breached", words.breached_by, now - due];
    const stored = chip.dataset.state;
    const state = stored === "at_risk" || (risk && now >= risk) ? "at_risk" : "running";
    return stored === "breached" ? null : [state, words[state], due - now];
  }

  function tick(chip, now) {
    const reading = read(chip, now);
    if (!reading) return;
    const [state, phrase, seconds] = reading;
    const text = (phrase || "%s").replace("%s", duration(seconds));
    const first = chip.firstChild;
    if (first && first.nodeType === 3) {
      if (first.nodeValue !== text) first.nodeValue = text;
    } else chip.prepend(text);
    if (chip.dataset.state === state) return;
    chip.dataset.state = state;
    const holder = chip.closest("[data-ticket][data-state]");
    if (holder) holder.dataset.state = state;
    chip.dispatchEvent(new CustomEvent("clock:flipped", { bubbles: true, detail: { state } }));
  }

  function ages(now) {
    for (const time of document.querySelectorAll("time[data-since]")) {
      const age = Math.max(0, Math.floor(now - Number(time.dataset.since)));
      const [size, unit] = age < 60 ? [1, "s"] : age < 3600 ? [60, "min"] : age < 86400 ? [3600, "h"] : [86400, "d"];
      const text = `${Math.floor(age / size)} ${unit}`;
      if (time.textContent !== text) time.textContent = text;
    }
  }

  desk.clocks = {
    duration,
    all() {
      const now = Math.floor(Date.now() / 1000 + skew);
      for (const chip of document.querySelectorAll("[data-due]")) tick(chip, now);
      ages(now);
    },
  };
  if (!words.running) return;
  document.addEventListener("desk:morphed", desk.clocks.all);
  document.addEventListener("visibilitychange", () => document.hidden || desk.clocks.all());
  (function next() {
    if (!document.hidden) desk.clocks.all();
    setTimeout(next, 1000 - (Date.now() % 1000) + 5);
  })();
})();
