/* The list by keys: J K move the ring, X selects, Space peeks, Enter opens, A P S change the ticket with the ring or all
   selected. Everything here has a twin that works without script: links, boxes, and the bulk form's own pages. */
(() => {
  "use strict";
  const desk = window.desk;
  const page = document.getElementById("list-page");
  if (!page) return;
  const bulk = document.getElementById("bulk");
  const slot = document.getElementById("preview-slot");
  const say = page.dataset;
  const wide = window.matchMedia("(min-width: 75.01rem)");
  let wanted = null;

  const rows = () => [...page.querySelectorAll("tbody tr[data-ticket]")];
  const ring = () => page.querySelector("tbody tr[data-focus]");
  const boxes = () => [...page.querySelectorAll("tbody [name=pick]")];
  const picked = () => boxes().filter((b) => b.checked);

  function put(row, { focus = true } = {}) {
    const old = ring();
    if (old && old !== row) {
      old.removeAttribute("data-focus");
      old.removeAttribute("tabindex");
      old.removeAttribute("data-ours");
    }
    if (!row) return;
    row.setAttribute("data-focus", "");
    row.setAttribute("data-ours", "tabindex data-ours");
    row.tabIndex = -1;
    if (focus) row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
    if (slot.firstElementChild) peek(row);
  }

  function step(by) {
    const all = rows();
    if (!all.length) return false;
    const at = all.indexOf(ring());
    const next = at < 0 ? all[by > 0 ? 0 : all.length - 1] : all[Math.max(0, Math.min(all.length - 1, at + by))];
    put(next);
    return true;
  }

  const addressOf = (id) => slot.dataset.src.replace("/0/", `/${id}/`);

  async function peek(row) {
    const id = row.dataset.ticket;
    if (!wide.matches) return desk.choose.open(addressOf(id));
    wanted = id;
    const answer = await fetch(addressOf(id), { headers: { "HX-Request": "true", "HX-Current-URL": location.href } });
    if (!answer.ok || wanted !== id) return undefined;
    const html = await answer.text();
    if (slot.firstElementChild?.dataset.of === id) desk.morph(slot, html);
    else {
      slot.innerHTML = html;
      window.htmx.process(slot);
    }
    return undefined;
  }

  function closePeek() {
    wanted = null;
    if (!slot.firstElementChild) return false;
    slot.replaceChildren();
    ring()?.focus({ preventScroll: true });
    return true;
  }

  function count() {
    const number = picked().length;
    const label = bulk?.querySelector("[data-picked]");
    if (label) label.textContent = number === 1 ? label.dataset.one : label.dataset.many.replace("%s", number);
    const all = document.getElementById("pick-all");
    if (all) {
      all.checked = number > 0 && number === boxes().length;
      all.indeterminate = number > 0 && !all.checked;
    }
    // "all 17 matching" says nothing new once all of them are on this page and picked.
    const rest = bulk?.elements.all?.closest("label");
    if (rest) rest.hidden = number > 0 && number >= Number(say.total || Infinity);
    if (!number && bulk) bulk.elements.all && (bulk.elements.all.checked = false);
  }

  function clear() {
    if (!picked().length) return false;
    for (const box of picked()) box.checked = false;
    count();
    return true;
  }

  function change(field) {
    if (picked().length) {
      openBulk(bulk.querySelector(`[data-field="${field}"]`).getAttribute("formaction"));
      return true;
    }
    const row = ring();
    if (!row) return false;
    desk.choose.open(`/tickets/${row.dataset.ticket}/choose/${field}/`);
    return true;
  }

  function openBulk(address) {
    if (!ring()) put(picked()[0]?.closest("tr"), { focus: false });
    const values = { query: bulk.elements.query.value, back: location.pathname + location.search };
    if (bulk.elements.all?.checked) values.all = "yes";
    else values.pick = picked().map((b) => b.value);
    desk.choose.open(address, values);
  }

  const { register: key, say: words } = desk.keys;
  key("j", words("Down"), "move", () => step(1));
  key("k", words("Up"), "move", () => step(-1));
  const inTable = () => document.activeElement?.closest("#table") !== null;
  key("ArrowDown", "", "move", () => inTable() && ring() && step(1));
  key("ArrowUp", "", "move", () => inTable() && ring() && step(-1));
  key("x", words("Pick"), "move", () => {
    const box = ring()?.querySelector("[name=pick]");
    if (!box) return false;
    box.checked = !box.checked;
    count();
    return true;
  });
  for (const [name, by] of [["Shift+J", 1], ["Shift+K", -1]]) {
    key(name, by > 0 ? words("Range") : "", "move", () => {
      const box = ring()?.querySelector("[name=pick]");
      if (box) box.checked = true;
      step(by);
      const next = ring()?.querySelector("[name=pick]");
      if (next) next.checked = true;
      count();
    });
  }
  key(" ", words("Peek"), "move", (event) => {
    if (event.target.closest?.("a, button, input, summary")) return false;
    const row = ring();
    if (slot.firstElementChild && (!row || slot.firstElementChild.dataset.of === row.dataset.ticket)) return closePeek();
    if (!row) return false;
    peek(row);
    return true;
  });
  key("Enter", words("Open"), "move", (event) => {
    if (event.target.closest?.("a, button, input, summary")) return false;
    const link = ring()?.querySelector("td a");
    if (!link) return false;
    location.assign(link.href);
    return true;
  });
  for (const [letter, field] of [["a", "agent"], ["p", "priority"], ["s", "status"]]) {
    key(letter, words(field[0].toUpperCase() + field.slice(1)), "dispatch", () => change(field));
  }
  key("f", words("Filter"), "go", () => {
    const box = document.getElementById("add-filter");
    box.open = true;
    box.querySelector(".pop-body a")?.focus();
  });
  key("Shift+E", words("Escalate"), "dispatch", () => change("escalate"));
  key("Escape", words("Clear"), "move", () => {
    const open = page.querySelector("details.pop[open]");
    if (open) {
      open.open = false;
      open.querySelector("summary").focus();
      return true;
    }
    return closePeek() || clear();
  });

  page.addEventListener("change", (event) => {
    if (event.target.id === "pick-all") for (const box of boxes()) box.checked = event.target.checked;
    if (event.target.matches("[name=pick], #pick-all")) count();
  });
  page.addEventListener("click", (event) => {
    const stepper = event.target.closest("[data-step]");
    if (stepper) step(Number(stepper.dataset.step));
    const shut = event.target.closest("[data-close-preview]");
    if (shut) {
      event.preventDefault();
      closePeek();
    }
    const chooser = event.target.closest("[data-choose]");
    if (chooser) {
      event.preventDefault();
      desk.choose.open(chooser.href);
    }
    const chip = event.target.closest("[data-filter]");
    if (chip && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      const box = document.getElementById("add-filter");
      box.open = true;
      window.htmx.ajax("GET", chip.getAttribute("href"), { target: "#filter-box", swap: "innerHTML" });
    }
    const row = event.target.closest("tbody tr[data-ticket]");
    if (row && !event.target.closest("a, input")) put(row, { focus: true });
  });
  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details.pop[open]")) {
      if (!open.contains(event.target) && !event.target.closest("[data-filter]")) open.open = false;
    }
  });
  bulk?.addEventListener("submit", (event) => {
    event.preventDefault();
    openBulk(event.submitter?.getAttribute("formaction") || bulk.getAttribute("action"));
  });
  bulk?.addEventListener("click", (event) => event.target.closest("[data-clear]") && clear());
  document.addEventListener("desk:morphed", () => {
    count();
    const open = slot.firstElementChild;
    const row = open && page.querySelector(`tbody tr[data-ticket="${open.dataset.of}"]`);
    if (row && wide.matches && !desk.isPeeking) {
      desk.isPeeking = true;
      peek(row).finally(() => { desk.isPeeking = false; });
    }
  });
  // What an undo brought back has the ring, here or when it is back in the list.
  document.addEventListener("toast", (event) => {
    const id = event.detail?.ticket;
    if (!id) return;
    const find = () => page.querySelector(`tbody tr[data-ticket="${id}"]`);
    if (find()) put(find());
    else document.addEventListener("desk:morphed", () => find() && put(find()), { once: true });
  });
  document.addEventListener("desk:handled", clear);
  document.addEventListener("desk:chosen", () => ring()?.focus({ preventScroll: true }));
  count();
})();
