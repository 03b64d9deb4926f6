/* Counts every chip that runs: .sla[data-due] (and [data-risk]), instants in seconds since 1970, less [data-stood], the
   seconds that one stood still since it was due. The words are the server's own (`core/chips.py`), from <meta name="clock-words">; the server's clock counts, not this machine's. One
   with [data-cal] counts only while that calendar is open, by <meta name="open-hours"> (`sla/opening.py`). */
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

  /* Calendar -> from when to when its hours are told, and its open spans, [from, to) in seconds since 1970. */
  const calendars = new Map();
  const told = document.querySelector('meta[name="open-hours"]');
  for (const part of told ? told.content.split(";") : []) {
    const [keys, minutes] = part.split(":");
    const [first, ...turns] = minutes.split(",").map((minute) => minute * 60);
    const hours = { first, spans: [], last: first };
    turns.forEach((seconds, place) => {
      if (place % 2) hours.spans.push([hours.last, hours.last + seconds]);
      hours.last += seconds;
    });
    for (const key of keys.split(",")) calendars.set(key, hours);
  }

  /* Open seconds in [start, end), the twin of sla.hours.Calendar.elapsed; null where the hours are not told. */
  function elapsed(calendar, start, end) {
    if (!calendar) return end - start;
    const hours = calendars.get(calendar);
    if (!hours || start < hours.first || end > hours.last) return null;
    return hours.spans.reduce((sum, [a, b]) => sum + Math.max(0, Math.min(b, end) - Math.max(a, start)), 0);
  }

  /* The twin of core.formatting.open_duration: open time has no days. */
  function openDuration(seconds) {
    return Math.abs(seconds) < 86400 ? duration(seconds) : `${Math.floor(Math.abs(seconds) / 3600)} h`;
  }

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
    const calendar = chip.dataset.cal;
    if (now > due) {
      const over = elapsed(calendar, due, now);
      return ["breached", words.breached_by, over === null ? null : Math.max(0, over - Number(chip.dataset.stood || 0))];
    }
    const stored = chip.dataset.state;
    const state = stored === "at_risk" || (risk && now >= risk) ? "at_risk" : "running";
    return stored === "breached" ? null : [state, words[state], elapsed(calendar, now, due)];
  }

  function tick(chip, now) {
    const reading = read(chip, now);
    if (!reading) return;
    const [state, phrase, seconds] = reading;
    const said = seconds === null ? "" : chip.dataset.cal ? openDuration(seconds) : duration(seconds);
    const text = (phrase || "%s").replace("%s", said);
    const first = chip.firstChild;
    if (seconds === null) {
      /* The server's words stand. */
    } else if (first && first.nodeType === 3) {
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
    openDuration,
    elapsed,
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
