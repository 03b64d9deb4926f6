/* What is written is kept: a draft on the server within 2 s of typing, in this browser while the line is down. The
   composer's tabs, its macros (/), Ctrl+Enter; and the new ticket's type-ahead. */
(() => {
  "use strict";
  const desk = (window.desk = window.desk || {});
  const WAIT = 900;
  let timer = null;
  let stale = false;
  let sending = false;
  let warnedAt = 0;
  let known = 0;  // when the draft was saved that this page has seen, seconds by the server's clock

  const form = () => document.querySelector("form[data-draft]");
  const text = () => document.getElementById("composer-text");
  const storeKey = (box) => `draft:${box.dataset.draft}`;
  const savedAt = (box) => Number(box.querySelector("#draft-state time")?.dataset.since || 0);

  /* ---- who sees it ---- */
  function repaint(box) {
    const kind = box.querySelector("[name=kind]:checked")?.value;
    if (!kind) return;
    const isCall = kind === "call" || kind === "visit";
    const isInternal = box.dataset.hides !== undefined || kind === "note" || (isCall && box.querySelector("[name=visibility]").value !== "public");
    box.dataset.visibility = isInternal ? "internal" : "public";
    const field = text();
    field.placeholder = kind === "reply" ? field.dataset.reply : field.dataset.note;
    if (!isInternal) for (const tick of box.querySelectorAll("[name=public_file]:not([data-chosen])")) tick.checked = true;
    else for (const tick of box.querySelectorAll("[name=public_file]:not([data-chosen])")) tick.checked = false;
  }

  function choose(kind) {
    const radio = document.getElementById(`kind-${kind}`);
    if (!radio || radio.disabled) return false;
    radio.checked = true;
    repaint(form());
    form().dataset.open = "";
    const field = text();
    if (document.activeElement !== field) {
      field.focus();
      field.setSelectionRange(field.value.length, field.value.length);
    }
    return true;
  }

  /* ---- the draft ---- */
  async function keep(box) {
    clearTimeout(timer);
    timer = null;
    if (!box || !box.isConnected || sending) return;
    const body = new FormData(box);
    body.delete("upload");
    try {
      const answer = await fetch(box.dataset.draft, { method: "POST", body, headers: { "HX-Request": "true", "HX-Current-URL": location.href } });
      if (!answer.ok) throw new Error(String(answer.status));
      const html = await answer.text();
      const state = box.querySelector("#draft-state");
      if (state && !sending) {
        const shell = document.createElement("template");
        shell.innerHTML = html;
        state.replaceWith(shell.content.querySelector("#draft-state"));
        known = savedAt(box);
      }
      localStorage.removeItem(storeKey(box));
      stale = false;
    } catch {
      keepHere(box);
    }
  }

  function keepHere(box) {
    const held = {};
    for (const [name, value] of new FormData(box)) {
      if (typeof value === "string" && !/^(csrfmiddlewaretoken|marker|confirmed|file|public_file)$/.test(name)) held[name] = value;
    }
    try {
      localStorage.setItem(storeKey(box), JSON.stringify({ at: Date.now(), known, held }));
    } catch { /* no room: the page itself still holds it */ }
    const state = box.querySelector("#draft-state");
    if (state) state.textContent = box.dataset.sayKept;
    stale = true;
    if (!timer) timer = setTimeout(() => keep(form()), 5000);
  }

  /* What this browser kept while the line was down comes back, if the server has nothing newer. */
  function bringBack(box) {
    let kept = null;
    try {
      kept = JSON.parse(localStorage.getItem(storeKey(box)) || "null");
    } catch { /* not ours */ }
    if (!kept || Date.now() - kept.at > 7 * 86400e3) return;
    // The server's draft may be the older one: what was typed after the line, or the session, was gone. Two clocks are
    // compared only where it is not the draft that was seen here.
    const isNewer = savedAt(box) > (kept.known ?? 0) && savedAt(box) * 1000 >= kept.at;
    if (box.querySelector("[name=text], [name=description]").value.trim() && isNewer) return;
    for (const [name, value] of Object.entries(kept.held)) {
      const inputs = box.querySelectorAll(`[name="${CSS.escape(name)}"]`);
      for (const input of inputs) {
        if (input.type === "radio") input.checked = input.value === value;
        else if (input.type !== "checkbox" && input.type !== "file") input.value = value;
      }
    }
    repaint(box);
    typed(box);
  }

  function typed(box) {
    clearTimeout(timer);
    timer = setTimeout(() => keep(box), WAIT);
  }

  document.addEventListener("input", (event) => {
    const box = event.target.closest?.("form[data-draft]");
    if (!box) return;
    if (event.target.matches("[name=kind], [name=visibility]")) repaint(box);
    if (event.target.matches("[name=public_file]")) event.target.dataset.chosen = "";
    typed(box);
    document.dispatchEvent(new CustomEvent("desk:typing"));
  });
  document.addEventListener("desk:typed", (event) => event.target.matches?.("form[data-draft]") && typed(event.target));
  document.addEventListener("visibilitychange", () => document.hidden && timer && keep(form()));
  window.addEventListener("online", () => stale && keep(form()));
  window.addEventListener("beforeunload", () => timer && form() && navigator.sendBeacon && beacon(form()));
  function beacon(box) {
    const body = new FormData(box);
    body.delete("upload");
    navigator.sendBeacon(box.dataset.draft, body);
  }

  /* ---- sending ---- */
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    const box = event.target.closest?.("form[data-draft]");
    if (!box) return;
    event.preventDefault();
    box.requestSubmit(box.querySelector("[data-send]"));
  });
  document.addEventListener("submit", (event) => {
    if (event.target.matches("form[data-draft]") && (desk.uploads?.busy() || sending || Date.now() - warnedAt < 600)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!event.target.matches?.("form[data-draft]")) return;
    clearTimeout(timer);
    timer = null;
    sending = true;
  });
  for (const name of ["htmx:afterRequest", "htmx:sendError"]) {
    document.addEventListener(name, (event) => {
      // The form has been swapped out by then: only the request remembers which element sent it.
      const box = event.detail?.requestConfig?.elt;
      if (!box?.matches?.("form[data-draft]")) return;
      sending = false;
      if (name === "htmx:sendError") keepHere(form());
      else if (event.detail.xhr?.status === 200) localStorage.removeItem(storeKey(box));
    });
  }
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id !== "composer" && event.detail.target?.id !== "new-page") return;
    const box = form();
    if (!box) return;
    begin(box);
    if (event.detail.xhr?.status !== 422) return;
    // The second half of a double click must not be taken for the second press that a warning asks for.
    if (box.querySelector("#new-warning")) warnedAt = Date.now();
    box.querySelector("[aria-invalid=true], #new-warning a")?.focus();
  });
  document.addEventListener("composer:reload", () => {
    const address = document.getElementById("ticket")?.dataset.composer;
    if (address) window.htmx.ajax("GET", address, { target: "#composer", swap: "outerHTML" });
  });

  /* ---- outcomes: a press keeps what is typed; the palette presses the same button ---- */
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll(".outcome-more[open]")) if (!menu.contains(event.target)) menu.open = false;
    const link = event.target.closest("[data-outcome]");
    const button = link && document.querySelector(`#outcomes [name=press][value="${CSS.escape(link.dataset.outcome)}"]`);
    if (!button) return;
    event.preventDefault();
    link.closest("dialog")?.close();
    button.click();
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest?.(".outcome-more[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
    event.stopPropagation();
  }, true);

  /* ---- macros ---- */
  let lookup = null;
  let macroTurn = 0;
  async function showMacros(query) {
    const turn = ++macroTurn;
    const answer = await fetch(`${form().dataset.macros}?q=${encodeURIComponent(query)}`, { headers: { "HX-Request": "true" } });
    const html = answer.ok ? await answer.text() : "";
    // Meanwhile more was typed, one was taken, or they were put away.
    const box = document.getElementById("macro-box");
    if (!answer.ok || turn !== macroTurn || !box) return;
    box.innerHTML = html;
    box.hidden = false;
    box.querySelector("[data-macro]")?.setAttribute("data-on", "");
  }

  function hideMacros() {
    clearTimeout(lookup);
    macroTurn += 1;
    const box = document.getElementById("macro-box");
    if (!box || box.hidden) return false;
    box.hidden = true;
    box.replaceChildren();
    return true;
  }

  function putIn(macro) {
    const field = text();
    const at = field.value.lastIndexOf("/", field.selectionStart - 1);
    const before = at >= 0 && isMacroStart(field.value, at) ? field.value.slice(0, at) : field.value;
    field.value = before + macro.dataset.text + field.value.slice(field.selectionStart);
    const box = form();
    const radio = document.getElementById(`kind-${macro.dataset.kind}`);
    if (radio && !radio.disabled) radio.checked = true;
    const isPublic = macro.dataset.visibility === "public" && box.dataset.hides === undefined;
    box.querySelector("[name=visibility]").value = isPublic ? "public" : "internal";
    const then = [...box.querySelector("[name=status]").options].find((o) => o.value === macro.dataset.status);
    if (macro.dataset.status && then && !then.disabled) then.selected = true;
    const time = box.querySelector("[name=time]");
    if (macro.dataset.time && time) time.value = macro.dataset.time;
    give(box, macro.dataset.assignee, macro.dataset.person);
    hideMacros();
    repaint(box);
    field.focus();
    typed(box);
  }

  /* Whom the ticket goes to with it: the select stands there while somebody is named. */
  function give(box, key, name) {
    const owner = box.querySelector(".assignee select");
    if (!owner || !key) return;
    for (const old of [...owner.options].slice(1)) old.remove();
    owner.add(new Option(name, key, true, true));
    owner.closest(".assignee").hidden = false;
  }

  const isMacroStart = (value, at) => at === 0 || /\s/.test(value[at - 1]);
  document.addEventListener("input", (event) => {
    if (event.target.id !== "composer-text") return;
    const field = event.target;
    const before = field.value.slice(0, field.selectionStart);
    const found = /(?:^|\s)\/([\w -]{0,30})$/.exec(before);
    clearTimeout(lookup);
    if (!found) hideMacros();
    else lookup = setTimeout(() => showMacros(found[1]), 120);
  });
  document.addEventListener("keydown", (event) => {
    const box = document.getElementById("macro-box");
    if (!box || box.hidden || event.target.id !== "composer-text") return;
    const all = [...box.querySelectorAll("[data-macro]")];
    const at = all.findIndex((m) => m.hasAttribute("data-on"));
    if (event.key === "Escape") hideMacros();
    else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && all[at]) putIn(all[at]);
    else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && all.length) {
      all[at]?.removeAttribute("data-on");
      all[(at + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length].setAttribute("data-on", "");
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.(".outcome-more[open]");
    if (!menu || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
    event.preventDefault();
    const all = [...menu.querySelectorAll(".outcome-menu .outcome")];
    const at = all.indexOf(document.activeElement);
    all.at(event.key === "ArrowDown" ? (at + 1) % all.length : Math.max(at, 0) - 1)?.focus();
  });
  document.addEventListener("click", (event) => {
    const macro = event.target.closest("[data-macro]");
    if (macro && text()) {
      event.preventDefault();
      putIn(macro);
    }
  });

  /* ---- a new ticket: clients by their first letters, and what hangs on client and type ---- */
  let asked = 0;
  async function findClients(box, typedText) {
    const turn = ++asked;
    const account = box.querySelector("[data-account]").value;
    const answer = await fetch(`${box.dataset.clients}?account=${account}&q=${encodeURIComponent(typedText)}`, { headers: { "HX-Request": "true" } });
    if (answer.ok && turn === asked) document.getElementById("new-clients").outerHTML = await answer.text();
  }

  /* Another PSA: the customer goes along where a person has linked it; else it is chosen anew. */
  async function changeAccount(box) {
    box.querySelector("[data-client-text]").value = "";
    await refreshParts(box);
    const found = document.getElementById("new-parts").dataset;
    box.querySelector("#f-client-key").value = found.client || "";
    box.querySelector("[data-client-text]").value = found.name || "";
  }

  let partsTurn = 0;
  async function refreshParts(box) {
    const turn = ++partsTurn;
    const query = new URLSearchParams(new FormData(box));
    for (const name of ["csrfmiddlewaretoken", "description", "marker", "upload"]) query.delete(name);
    const answer = await fetch(`${box.dataset.parts}?${query}`, { headers: { "HX-Request": "true" } });
    const html = await answer.text();
    if (!answer.ok || turn !== partsTurn) return;
    const shell = document.createElement("template");
    shell.innerHTML = html;
    // What was chosen while the answer was on its way stays chosen.
    for (const field of document.querySelectorAll("#new-parts select")) {
      const fresh = shell.content.getElementById(field.id);
      if (fresh && query.has(field.name) && field.value !== query.get(field.name) && [...fresh.options].some((one) => one.value === field.value)) fresh.value = field.value;
    }
    const focused = document.activeElement?.id;
    for (const id of ["new-parts", "new-similar", "new-side", "need-description", "new-files", "new-source", "new-cc"]) {
      const fresh = shell.content.getElementById(id);
      const old = document.getElementById(id);
      // Files that are being uploaded stay: only a PSA that takes them or not changes that part.
      if (id === "new-files" && Boolean(old?.querySelector("input")) === Boolean(fresh?.querySelector("input"))) continue;
      old?.replaceWith(fresh);
      window.htmx.process(fresh);
    }
    if (focused) document.getElementById(focused)?.focus();
  }

  let looking = null;
  function look(box, typedText) {
    waiting = null;
    const mine = findClients(box, typedText).catch(() => {}).finally(() => {
      if (looking === mine) looking = null;
    });
    looking = mine;
  }
  const offered = () => [...document.querySelectorAll("#new-clients label")];
  function pick(label) {
    const radio = label.querySelector("input");
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
  }
  document.addEventListener("keydown", async (event) => {
    const field = event.target;
    if (!field.matches?.("#new-form [data-client-text]") || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const isArrow = event.key === "ArrowDown" || event.key === "ArrowUp";
    if (!isArrow && event.key !== "Enter") return;
    event.preventDefault();
    const box = field.form;
    if (event.key === "Enter" && box.querySelector("#f-client-key").value) {
      box.querySelector("#f-subject").focus();
      return;
    }
    if (waiting || (!looking && !offered().length && field.value.trim())) {
      // Faster than the look-up: it is asked now.
      clearTimeout(waiting);
      look(box, field.value);
    }
    if (looking) await looking;
    const all = offered();
    const at = all.findIndex((label) => label.hasAttribute("data-on"));
    if (!all.length) return;
    if (!isArrow) {
      pick(all[Math.max(at, 0)]);
      return;
    }
    all[at]?.removeAttribute("data-on");
    const next = all[(at + (event.key === "ArrowDown" ? 1 : at < 0 ? 0 : -1) + all.length) % all.length];
    next.setAttribute("data-on", "");
    next.scrollIntoView({ block: "nearest" });
  });

  let waiting = null;
  document.addEventListener("input", (event) => {
    const box = event.target.closest?.("#new-form");
    if (!box || !event.target.matches("[data-client-text]")) return;
    box.querySelector("#f-client-key").value = "";
    clearTimeout(waiting);
    waiting = setTimeout(() => look(box, event.target.value), 150);
  });
  document.addEventListener("change", (event) => {
    const box = event.target.closest?.("#new-form");
    if (!box) return;
    if (event.target.matches("[data-client-name]")) {
      box.querySelector("#f-client-key").value = event.target.value;
      box.querySelector("[data-client-text]").value = event.target.dataset.clientName;
      document.getElementById("new-clients").replaceChildren();
      box.querySelector("[data-client-text]").focus();
      refreshParts(box);
    } else if (event.target.matches("[data-facts]")) {
      if (event.target.matches("[data-account]")) changeAccount(box);
      else refreshParts(box);
    }
  });

  function begin(box) {
    box.dataset.script = "";
    known = savedAt(box);
    if (box.id === "composer") repaint(box);
  }

  desk.composer = { choose, showMacros: () => { choose(form()?.querySelector("[name=kind]:checked")?.value || "note"); showMacros(""); } };
  const box = form();
  if (box) {
    begin(box);
    bringBack(box);
  }
})();
