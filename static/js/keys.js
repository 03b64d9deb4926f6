/* One registry of keys: desk.keys.register("a", "Assign", "dispatch", handler). Spelling: "j", "Shift+J", "g b",
   "Ctrl+K" (also Cmd), "Enter", "Escape", " ". Groups: move, dispatch, write, go, or a word of your own. A description may
   be a function: words of the frame come later than its keys (desk.keys.say("undo")).
   A key does nothing while somebody types, unless { typing: true }. The last one to register a key gets it first; a
   handler that returns false passes it on. `?` shows all of it. */
(() => {
  "use strict";
  const desk = (window.desk = window.desk || {});
  const known = [];
  const GROUPS = ["move", "dispatch", "write", "go"];
  const WAIT = 1000;
  let prefix = "";
  let prefixTimer = null;

  const spell = (key) =>
    key.split(" ").filter(Boolean).map((part) => (part.length === 1 ? part.toLowerCase() : part)).join(" ") || key;

  function pressed(event) {
    let key = event.key === " " ? "Space" : event.key;
    const isLetter = key.length === 1 && key.toLowerCase() !== key.toUpperCase();
    if (isLetter) key = key.toLowerCase();
    const shift = event.shiftKey && (isLetter || key.length > 1) ? "Shift+" : "";
    const control = event.ctrlKey || event.metaKey ? "Ctrl+" : "";
    const named = shift || control ? (isLetter ? key.toUpperCase() : key) : key;
    return `${control}${shift}${named}`;
  }

  function isTyping(event) {
    const at = event.target;
    return at instanceof Element && (desk.isEditable(at) || at.closest("[contenteditable=true]") !== null);
  }

  function run(event, spelt) {
    for (const entry of [...known].reverse()) {
      if (entry.key !== spelt) continue;
      if (isTyping(event) && !entry.typing && !spelt.startsWith("Ctrl+")) continue;
      if (entry.handler(event) === false) continue;
      event.preventDefault();
      return true;
    }
    return false;
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.altKey || /^(Shift|Control|Meta|Alt)$/.test(event.key)) return;
    if (document.querySelector("dialog:modal") && !(event.ctrlKey || event.metaKey)) return;
    const key = pressed(event);
    const sequence = prefix ? `${prefix} ${key}` : key;
    clearTimeout(prefixTimer);
    const was = prefix;
    prefix = "";
    if (run(event, sequence) || (was && run(event, key))) return;
    if (!isTyping(event) && known.some((entry) => entry.key.startsWith(`${key} `))) {
      prefix = key;
      prefixTimer = setTimeout(() => { prefix = ""; }, WAIT);
    }
  });

  function caps(key) {
    if (key === " ") key = "Space";
    const signs = { Enter: "⏎", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc" };
    return key.split(" ").flatMap((part) => (part.length > 1 ? part.split("+") : [part])).map((part) => {
      const cap = document.createElement("kbd");
      cap.textContent = signs[part] || (part.length === 1 ? part.toUpperCase() : part);
      return cap;
    });
  }

  async function showSheet() {
    await desk.later();
    const sheet = document.getElementById("keys");
    if (!sheet || sheet.open) return;
    const box = sheet.querySelector("[data-groups]");
    box.replaceChildren();
    const order = [...new Set([...GROUPS, ...known.map((e) => e.group)])];
    for (const group of order) {
      const entries = listed().filter((e) => e.group === group);
      if (!entries.length) continue;
      const section = document.createElement("section");
      const head = document.createElement("h4");
      head.textContent = box.dataset[group] || group;
      const list = document.createElement("dl");
      for (const entry of entries) {
        const line = document.createElement("div");
        const what = document.createElement("dt");
        what.textContent = entry.description;
        const how = document.createElement("dd");
        how.append(...caps(entry.shown));
        line.append(what, how);
        list.append(line);
      }
      section.append(head, list);
      box.append(section);
    }
    sheet.showModal();
  }

  /* Until a dialog that is on its way can take it, what is typed is kept, and means nothing else. Gives what ends this,
     which tells the text and whether Enter came after it. Who types in a field goes on, unless `alsoFields`. */
  function hold(alsoFields = false) {
    let text = "";
    let enter = false;
    const keep = (event) => {
      if (event.ctrlKey || event.metaKey || event.isComposing || (event.key.length > 1 && event.key !== "Enter")) return;
      if (!alsoFields && isTyping(event)) return;
      event.preventDefault();
      event.stopPropagation();
      if (event.key === "Enter") enter = true;
      else if (!enter) text += event.key;
    };
    document.addEventListener("keydown", keep, true);
    return () => {
      document.removeEventListener("keydown", keep, true);
      return { text, enter };
    };
  }

  /* What the sheet and the palette show: the entry that wins each key, and only if it has words. */
  function listed() {
    const winners = new Map();
    for (const entry of known) winners.set(entry.key, entry);
    const winning = known.filter((entry) => winners.get(entry.key) === entry);
    const said = ({ description: words }) => (typeof words === "function" ? words() : words);
    return winning.map((entry) => ({ ...entry, description: said(entry) })).filter((entry) => entry.description);
  }

  desk.keys = {
    register(key, description, group, handler, options = {}) {
      const entry = { key: key === " " ? "Space" : spell(key), shown: options.shown || key, description, group, handler, ...options };
      known.push(entry);
      return () => known.splice(known.indexOf(entry), 1);
    },
    hold,
    listed,
    caps,
    showSheet,
    say: (word) => () => document.querySelector("#keys [data-groups]")?.dataset[`say${word}`] || "",
  };

  const { say } = desk.keys;
  const go = (href) => () => { location.assign(href); };
  const link = (selector) => () => {
    const found = document.querySelector(selector);
    if (!found) return false;
    found.click();
    return true;
  };
  if (document.getElementById("rail")) {
    if (document.querySelector('#rail a[href="/board/"]')) desk.keys.register("g b", say("Board"), "go", go("/board/"));
    desk.keys.register("g m", say("Mine"), "go", go("/tickets/?view=mine"));
    desk.keys.register("g t", say("Tickets"), "go", go("/tickets/"));
    if (document.querySelector("[data-new-ticket]")) desk.keys.register("n", say("New"), "go", link("[data-new-ticket]"));
  }
  desk.keys.register("/", say("Find"), "go", () => {
    const field = document.getElementById("search");
    if (!field) return false;
    field.focus();
    field.select();
    return true;
  });
  desk.keys.register("?", say("Sheet"), "go", () => { showSheet(); });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-open-keys]")) showSheet();
    const close = event.target.closest("dialog [data-close]");
    if (close) close.closest("dialog").close();
    if (event.target instanceof HTMLDialogElement && event.target.open) event.target.close();
  });
  for (const button of document.querySelectorAll("[data-open-keys]")) button.hidden = false;
  // A row of tabs that is wider than a phone shows the one that we are at.
  for (const tab of document.querySelectorAll(".settings-nav [aria-current]")) {
    const row = tab.parentElement;
    row.scrollLeft += Math.max(0, tab.getBoundingClientRect().right - row.getBoundingClientRect().right);
  }
})();
