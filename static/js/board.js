/* The board: ring and keys, selection, drag with a ghost, lanes that change by themselves.
   A drop moves the card at once and puts it back when the server says no. What would be refused is known when the drag
   begins: one request asks for all lanes. */
(() => {
  "use strict";
  const desk = window.desk;
  const board = document.getElementById("board");
  if (!board) return;
  const say = board.dataset;
  const lanesBox = board.querySelector(".lanes");
  const bulkBox = document.getElementById("bulk-box");
  const bulk = document.getElementById("bulk");
  const FAR = 6;
  const EDGE = 60;

  const lanes = () => [...lanesBox.querySelectorAll(".lane")];
  const cardsOf = (lane) => [...lane.querySelectorAll(".lane-cards > .card[data-ticket]")];
  const laneOf = (node) => node?.closest?.(".lane") || null;
  const card = (id) => lanesBox.querySelector(`.card[data-ticket="${CSS.escape(String(id))}"]`);
  const ring = () => lanesBox.querySelector(".card[data-focus]");
  const selected = () => [...lanesBox.querySelectorAll(".card[data-selected]")];
  const linkOf = (it) => it?.querySelector("h3 a");

  // ---- ring -------------------------------------------------------------------------------------------------------
  function put(it, focus = true) {
    const old = ring();
    if (old && old !== it) old.removeAttribute("data-focus");
    if (!it) return false;
    it.setAttribute("data-focus", "");
    if (focus) linkOf(it)?.focus({ preventScroll: true });
    it.scrollIntoView({ block: "nearest", inline: "nearest" });
    return true;
  }

  function first() {
    const lane = lanes().find((l) => cardsOf(l).length);
    return lane ? cardsOf(lane)[0] : null;
  }

  function step(by) {
    const at = ring();
    if (!at) return put(first());
    const all = cardsOf(laneOf(at));
    return put(all[Math.max(0, Math.min(all.length - 1, all.indexOf(at) + by))]);
  }

  function side(by) {
    const at = ring();
    if (!at) return put(first());
    const all = lanes();
    const place = at.getBoundingClientRect().top;
    for (let i = all.indexOf(laneOf(at)) + by; i >= 0 && i < all.length; i += by) {
      const cards = cardsOf(all[i]);
      if (!cards.length) continue;
      const far = (c) => Math.abs(c.getBoundingClientRect().top - place);
      return put(cards.reduce((best, c) => (far(c) < far(best) ? c : best)));
    }
    return true;
  }

  // ---- selection --------------------------------------------------------------------------------------------------
  function count() {
    const number = selected().length;
    bulkBox.toggleAttribute("data-shown", number > 0);
    const label = bulk.querySelector("[data-picked]");
    label.textContent = number === 1 ? label.dataset.one : label.dataset.many.replace("%s", number);
  }

  function toggle(it) {
    if (!it) return false;
    it.toggleAttribute("data-selected");
    count();
    return true;
  }

  function clear() {
    const all = selected();
    for (const it of all) it.removeAttribute("data-selected");
    count();
    return all.length > 0;
  }

  function openBulk(field) {
    if (!ring()) put(selected()[0], false);
    const address = bulk.querySelector(`[data-field="${field}"]`).getAttribute("formaction");
    desk.choose.open(address, { pick: selected().map((c) => c.dataset.ticket), back: location.pathname + location.search });
  }

  function change(field) {
    if (selected().length) {
      openBulk(field);
      return true;
    }
    const at = ring();
    if (!at) return false;
    desk.choose.open(`/tickets/${at.dataset.ticket}/choose/${field}/`);
    return true;
  }

  // ---- the lanes change -------------------------------------------------------------------------------------------
  let isFetching = false;
  let isLate = false;
  let drag = null;
  let moving = 0;
  let backId = null;

  const haveOf = (lane) => `${lane.dataset.lane}:${lane.dataset.digest}:${cardsOf(lane).length}`;

  async function refresh() {
    if (drag || moving) {
      isLate = true;
      return;
    }
    if (isFetching) {
      isLate = true;
      return;
    }
    isFetching = true;
    isLate = false;
    try {
      const have = lanes().map(haveOf).join(",");
      const answer = await fetch(`${say.lanesSrc}?${say.query}&have=${encodeURIComponent(have)}`, {
        headers: { "HX-Request": "true", "HX-Current-URL": location.href, "X-Live": "1" },
      });
      if (answer.status === 200) {
        const html = await answer.text();
        if (drag || moving) isLate = true;
        else merge(html);
      }
    } catch {
      isLate = false;
    } finally {
      isFetching = false;
      if (isLate && !drag && !moving) setTimeout(refresh, 50);
    }
  }

  function merge(html) {
    const shell = document.createElement("template");
    shell.innerHTML = html;
    const at = ring();
    const ringId = at?.dataset.ticket;
    const held = at && at.contains(document.activeElement);
    const lane = at && laneOf(at);
    const place = lane ? cardsOf(lane).indexOf(at) : -1;
    const picked = selected().map((c) => c.dataset.ticket);
    for (const fresh of shell.content.querySelectorAll(".lane")) {
      const old = document.getElementById(fresh.id);
      if (!old) continue;
      desk.morph(old, fresh.outerHTML);
      const pick = board.querySelector(`.lane-picker a[href="#${CSS.escape(fresh.id)}"] .count`);
      if (pick) pick.textContent = fresh.dataset.open;
    }
    const sub = shell.content.querySelector("[data-sub]");
    if (sub) document.getElementById("board-sub").textContent = sub.textContent;
    for (const id of picked) card(id)?.setAttribute("data-selected", "");
    if (backId && card(backId)) {
      put(card(backId), document.activeElement === document.body || held);
      backId = null;
    } else if (ringId && !ring()) {
      // Gone to another lane under the ring: the ring stays where the work is, on the card that took its place.
      const rest = lane?.isConnected ? cardsOf(lane) : [];
      put(rest[Math.min(place, rest.length - 1)] || card(ringId), held);
    }
    count();
    desk.clocks?.all();
  }

  // What an undo brought back has the ring.
  document.addEventListener("toast", (event) => {
    if (event.detail?.ticket) backId = String(event.detail.ticket);
  });
  document.addEventListener("desk:handled", clear);
  document.addEventListener("live:changed", refresh);
  document.addEventListener("desk:changed", refresh);

  // ---- a drop -----------------------------------------------------------------------------------------------------
  const token = () => JSON.parse(document.body.getAttribute("hx-headers") || "{}")["x-csrftoken"] || "";

  function says(answer) {
    const triggers = answer.headers.get("HX-Trigger");
    if (!triggers) return false;
    const parsed = JSON.parse(triggers);
    for (const [name, detail] of Object.entries(parsed)) {
      document.body.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
    }
    return "toast" in parsed;
  }

  function place(lane, it) {
    const box = lane.querySelector(".lane-cards");
    const due = (c) => Number(c.querySelector(".sla")?.dataset.due || Infinity);
    const before = cardsOf(lane).find((c) => c !== it && due(c) > due(it));
    box.insertBefore(it, before || box.querySelector(":scope > .lane-more") || null);
  }

  async function move(cards, lane) {
    const back = cards.map((it) => ({ it, parent: it.parentNode, next: it.nextSibling }));
    const undo = () => {
      for (const { it, parent, next } of back.reverse()) {
        if (parent.isConnected) parent.insertBefore(it, next && next.parentNode === parent ? next : null);
      }
    };
    moving += 1;
    let isOpen = true;
    const settle = () => {
      if (isOpen) moving -= 1;
      isOpen = false;
    };
    const touched = [...new Set([lane, ...cards.map(laneOf)])];
    for (const it of cards) place(lane, it);
    const form = new URLSearchParams(say.query);
    form.set("group", say.group);
    form.set("lane", lane.dataset.lane);
    for (const it of cards) form.append("ticket", it.dataset.ticket);
    form.set("have", touched.map(haveOf).join(","));
    try {
      const answer = await fetch(say.moveSrc, {
        method: "POST",
        body: form,
        headers: { "HX-Request": "true", "HX-Current-URL": location.href, "X-CSRFToken": token() },
      });
      const html = answer.status === 204 ? "" : await answer.text();
      settle();
      if (!answer.ok) undo();
      // How the lanes it went from and to look now; what else changed is asked for as ever.
      if (answer.status === 200 && !drag && !moving) merge(html);
      const said = says(answer);
      if (answer.status === 422 && html.trim()) desk.choose.show(html);
      else if (!answer.ok && !said) desk.toast({ text: say.sayFailed });
      if (answer.ok) clear();
    } catch {
      settle();
      undo();
      desk.toast({ text: say.sayFailed });
    }
    refresh();
  }

  // ---- drag -------------------------------------------------------------------------------------------------------
  function ghostOf(cards) {
    const ghost = document.createElement("div");
    ghost.className = "ghost";
    ghost.setAttribute("aria-hidden", "true");
    const copy = cards[0].cloneNode(true);
    for (const name of ["data-ticket", "data-focus", "data-selected", "data-lifted"]) copy.removeAttribute(name);
    ghost.append(copy);
    if (cards.length > 1) {
      const several = document.createElement("span");
      several.className = "several";
      several.textContent = say.saySeveral.replace("%s", cards.length);
      ghost.append(several);
    }
    return ghost;
  }

  function begin(event) {
    const it = drag.card;
    drag.cards = it.hasAttribute("data-selected") ? selected() : [it];
    drag.from = laneOf(it);
    drag.ghost = ghostOf(drag.cards);
    const box = it.getBoundingClientRect();
    drag.dx = drag.x - box.left;
    drag.dy = drag.y - box.top;
    drag.ghost.firstChild.style.inlineSize = `${box.width}px`;
    document.body.append(drag.ghost);
    document.body.setAttribute("data-dragging", "");
    for (const c of drag.cards) c.setAttribute("data-lifted", "");
    desk.live.hold();
    drag.targets = ask(drag.cards);
    drag.targets.then((found) => {
      if (!drag) return;
      drag.known = found;
      if (drag.lane) over(drag.lane);
    });
    follow(event);
  }

  async function ask(cards) {
    const query = new URLSearchParams(say.query);
    query.set("group", say.group);
    query.set("lanes", lanes().map((l) => l.dataset.lane).join(","));
    query.set("ticket", cards.map((c) => c.dataset.ticket).join(","));
    try {
      const answer = await fetch(`${say.targetsSrc}?${query}`, { headers: { "HX-Request": "true" } });
      return answer.ok ? await answer.json() : { refused: {}, asks: [] };
    } catch {
      return { refused: {}, asks: [] };
    }
  }

  const reason = (lane) => drag.known?.refused?.[lane.dataset.lane];

  function over(lane) {
    for (const other of lanes()) if (other !== lane) other.removeAttribute("data-drop");
    drag.lane = lane;
    drag.ghost.removeAttribute("data-drop");
    if (!lane || lane === drag.from) {
      lane?.removeAttribute("data-drop");
      return;
    }
    const why = reason(lane);
    lane.setAttribute("data-drop", why ? "refused" : "allowed");
    if (!why) return;
    drag.ghost.setAttribute("data-drop", "refused");
    let box = lane.querySelector(":scope > .refusal");
    if (!box) {
      box = document.createElement("div");
      box.className = "refusal";
      box.setAttribute("role", "status");
      lane.append(box);
    }
    const strong = document.createElement("strong");
    strong.textContent = say.sayRefused;
    const text = document.createElement("span");
    text.textContent = why;
    box.replaceChildren(icon(), strong, text);
  }

  function icon() {
    const shape = document.getElementById("ban-shape");
    return shape ? shape.content.firstElementChild.cloneNode(true) : document.createElement("span");
  }

  function follow(event) {
    drag.ghost.style.transform = `translate(${event.clientX - drag.dx}px, ${event.clientY - drag.dy}px)`;
    const lane = laneOf(document.elementFromPoint(event.clientX, event.clientY));
    if (lane !== drag.lane) over(lane);
    const note = drag.lane?.querySelector(":scope > .refusal");
    if (note) {
      // Below what hangs from the hand, so that the reason can be read while one holds on.
      const room = drag.lane.clientHeight - note.offsetHeight - 8;
      const under = event.clientY - drag.lane.getBoundingClientRect().top - drag.dy + drag.ghost.offsetHeight + 12;
      note.style.insetBlockStart = `${under <= room ? under : Math.max(8, under - drag.ghost.offsetHeight - note.offsetHeight - 24)}px`;
    }
    const box = lanesBox.getBoundingClientRect();
    drag.push = event.clientX > box.right - EDGE ? 12 : event.clientX < box.left + EDGE ? -12 : 0;
    if (drag.push && !drag.timer) drag.timer = setInterval(() => drag?.push && lanesBox.scrollBy(drag.push, 0), 16);
  }

  function end() {
    const was = drag;
    drag = null;
    if (!was) return null;
    clearInterval(was.timer);
    was.ghost?.remove();
    document.body.removeAttribute("data-dragging");
    for (const c of was.cards || []) c.removeAttribute("data-lifted");
    for (const lane of lanes()) {
      lane.removeAttribute("data-drop");
      lane.querySelector(":scope > .refusal")?.remove();
    }
    desk.live.release();
    return was;
  }

  lanesBox.addEventListener("pointerdown", (event) => {
    const it = event.target.closest(".card");
    if (!it || event.button !== 0 || event.pointerType === "touch" || event.ctrlKey || event.metaKey) return;
    drag = { card: it, x: event.clientX, y: event.clientY, id: event.pointerId };
  });
  lanesBox.addEventListener("dragstart", (event) => event.target.closest?.(".card") && event.preventDefault());
  window.addEventListener("pointermove", (event) => {
    if (!drag || event.pointerId !== drag.id) return;
    if (drag.ghost) follow(event);
    else if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > FAR) begin(event);
  });
  window.addEventListener("pointerup", async (event) => {
    if (!drag || event.pointerId !== drag.id) return;
    if (!drag.ghost) {
      drag = null;
      if (isLate) refresh();
      return;
    }
    const swallow = (e) => {
      e.preventDefault();
      e.stopPropagation();
    };
    // The click that belongs to this release must not open the ticket.
    window.addEventListener("click", swallow, { capture: true });
    setTimeout(() => window.removeEventListener("click", swallow, { capture: true }), 0);
    const lane = drag.lane;
    const known = drag.known || (await drag.targets);
    const was = end();
    if (lane && was && lane !== was.from && !known.refused?.[lane.dataset.lane]) move(was.cards, lane);
    else if (isLate) refresh();
  });
  window.addEventListener("pointercancel", () => end() && isLate && refresh());
  window.addEventListener("blur", () => drag?.ghost && end());

  lanesBox.addEventListener("click", (event) => {
    const it = event.target.closest(".card");
    if (!it) return;
    if (event.shiftKey) {
      event.preventDefault();
      toggle(it);
    }
    put(it, false);
  });
  lanesBox.addEventListener("focusin", (event) => {
    const it = event.target.closest(".card");
    if (it && it !== ring()) put(it, false);
  });

  // ---- the rest of a long lane ------------------------------------------------------------------------------------
  async function more(link) {
    if (link.dataset.busy) return;
    link.dataset.busy = "1";
    const answer = await fetch(link.href, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer?.ok || !link.isConnected) {
      delete link.dataset.busy;
      return;
    }
    const shell = document.createElement("template");
    shell.innerHTML = await answer.text();
    // What came meanwhile by itself stays as it is.
    for (const it of shell.content.querySelectorAll(".card")) if (card(it.dataset.ticket)) it.remove();
    link.replaceWith(shell.content);
    watchMore();
  }
  const sight = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) more(entry.target);
  });
  const watchMore = () => {
    for (const link of lanesBox.querySelectorAll(".lane-more")) sight.observe(link);
  };
  lanesBox.addEventListener("click", (event) => {
    const link = event.target.closest(".lane-more");
    if (!link) return;
    event.preventDefault();
    more(link);
  });
  document.addEventListener("desk:morphed", watchMore);
  watchMore();

  // ---- keys -------------------------------------------------------------------------------------------------------
  const { register: key, say: words } = desk.keys;
  key("j", say.sayDown, "move", () => step(1), { shown: "j k" });
  key("k", "", "move", () => step(-1));
  key("h", say.sayLane, "move", () => side(-1), { shown: "h l" });
  key("l", "", "move", () => side(1));
  const onCard = () => document.activeElement?.closest(".card") !== null && ring();
  key("ArrowDown", "", "move", () => onCard() && step(1));
  key("ArrowUp", "", "move", () => onCard() && step(-1));
  key("ArrowLeft", "", "move", () => onCard() && side(-1));
  key("ArrowRight", "", "move", () => onCard() && side(1));
  key("x", words("Pick"), "move", () => toggle(ring()));
  for (const [name, by] of [["Shift+J", 1], ["Shift+K", -1]]) {
    key(name, "", "move", () => {
      ring()?.setAttribute("data-selected", "");
      step(by);
      ring()?.setAttribute("data-selected", "");
      count();
    });
  }
  key(" ", words("Peek"), "move", (event) => {
    if (event.target.closest?.("button, summary, input")) return false;
    const at = ring();
    if (!at) return false;
    desk.choose.open(say.previewSrc.replace("/0/", `/${at.dataset.ticket}/`));
    return true;
  });
  key("Enter", words("Open"), "move", (event) => {
    if (event.target.closest?.("a, button, summary, input") || !ring()) return false;
    location.assign(linkOf(ring()).href);
    return true;
  });
  for (const [letter, field] of [["a", "agent"], ["p", "priority"], ["s", "status"]]) {
    key(letter, words(field[0].toUpperCase() + field.slice(1)), "dispatch", () => change(field));
  }
  key("Shift+E", words("Escalate"), "dispatch", () => change("escalate"));
  key("Escape", words("Clear"), "move", () => {
    if (drag) {
      end();
      if (isLate) refresh();
      return true;
    }
    const open = board.querySelector("details.pop[open]");
    if (open) {
      open.open = false;
      return true;
    }
    return clear();
  });

  bulk.addEventListener("submit", (event) => {
    event.preventDefault();
    openBulk(event.submitter?.dataset.field || "agent");
  });
  bulk.addEventListener("click", (event) => event.target.closest("[data-clear]") && clear());
  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details.pop[open]")) if (!open.contains(event.target)) open.open = false;
  });
  document.addEventListener("desk:chosen", () => linkOf(ring())?.focus({ preventScroll: true }));

  // ---- one lane at a time, on a phone -----------------------------------------------------------------------------
  const picker = board.querySelector(".lane-picker");
  picker.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link) return;
    event.preventDefault();
    document.getElementById(link.hash.slice(1))?.scrollIntoView({ inline: "start", block: "nearest" });
  });
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        for (const link of picker.querySelectorAll("a")) {
          if (link.hash === `#${entry.target.id}`) {
            link.setAttribute("aria-current", "true");
            if (picker.offsetParent) picker.scrollTo({ left: link.offsetLeft - 40 });
          } else link.removeAttribute("aria-current");
        }
      }
    },
    { root: lanesBox, threshold: 0.6 },
  );
  if (window.matchMedia("(max-width: 46rem)").matches) for (const lane of lanes()) watcher.observe(lane);
})();
