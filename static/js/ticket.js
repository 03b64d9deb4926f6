/* One ticket's page: its keys, its choosers, fields edited in place, who else is here, pictures that arrive late. */
(() => {
  "use strict";
  const desk = (window.desk = window.desk || {});
  const page = document.getElementById("ticket");
  if (!page) return;
  const say = page.dataset;
  const press = (selector) => () => {
    const found = document.querySelector(selector);
    if (!found) return false;
    found.click();
    return true;
  };

  /* ---- keys ---- */
  const keys = desk.keys;
  keys.register("r", say.sayReply, "write", () => desk.composer?.choose("reply") ?? false);
  keys.register("n", say.sayNote, "write", () => desk.composer?.choose("note") ?? false);
  keys.register("/", say.sayMacro, "write", () => (document.getElementById("composer") ? desk.composer.showMacros() : false));
  keys.register("s", say.sayStatus, "dispatch", press('[data-dialog="status"]'));
  keys.register("p", say.sayPriority, "dispatch", press('[data-dialog="priority"]'));
  keys.register("a", say.sayAgent, "dispatch", press('[data-dialog="agent"]'));
  keys.register("Shift+E", say.sayEscalate, "dispatch", press('[data-dialog="escalate"]'));
  keys.register("e", say.sayEdit, "write", press("[data-edit-subject]"));
  keys.register("j", say.sayNext, "move", press('[data-step="next"]'));
  keys.register("k", say.sayPrevious, "move", press('[data-step="previous"]'));
  keys.register(".", say.sayCopy, "go", () => copy(say.number, say.sayCopied));
  keys.register("Escape", "", "write", (event) => {
    if (!(event.target instanceof Element)) return false;
    const leave = event.target.closest(".field-edit, .subject-edit")?.querySelector("[data-leave]");
    if (leave) leave.click();
    else if (event.target.closest("#composer")) event.target.blur();
    else return false;
    return true;
  }, { typing: true });

  async function copy(text, said) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = document.createElement("textarea");
      field.value = text;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    desk.toast({ text: said, detail: text });
  }

  document.addEventListener("click", (event) => {
    const copied = event.target.closest("[data-copy]");
    if (copied) copy(copied.dataset.copy || copied.value, copied.dataset.copy ? say.sayCopied : say.sayLink);
    const away = event.target.closest(".side [data-put-away]");
    if (away) {
      event.preventDefault();
      away.closest("#client-link").replaceChildren();
      document.querySelector(".client-link button")?.focus();
    }
    const dialog = event.target.closest("[data-dialog]");
    if (dialog && !event.ctrlKey && !event.metaKey && event.button === 0) {
      event.preventDefault();
      dialog.closest("dialog")?.close();  // the palette's own
      desk.choose.open(dialog.href);
    }
  });

  /* ---- fields ---- */
  let asked = 0;
  let waiting = null;
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (!field.matches?.("[data-lookup]")) return;
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const turn = ++asked;
      const into = field.closest("[data-keep]").querySelector(field.dataset.lookupInto);
      const answer = await fetch(`${field.dataset.lookup}?q=${encodeURIComponent(field.value)}`, {
        headers: { "HX-Request": "true", "HX-Target": "found" },
      });
      if (answer.ok && turn === asked) into.outerHTML = await answer.text();
    }, 150);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const at = event.detail.elt || event.target;
    const field = at.querySelector?.("[autofocus]") || document.querySelector(".field-edit [autofocus], .subject-edit [autofocus]");
    if (field && /^field-/.test(at.id || "")) {
      field.focus();
      if (field.select && field.type !== "datetime-local") field.select();
    }
  });
  document.addEventListener("submit", (event) => {
    if (event.target.matches?.(".field-search")) event.preventDefault();
  });

  /* A choice is saved as it is made; by arrow keys, which pass by others, once it is left or Enter is pressed. */
  const CHOICE = ".field-edit select[name=value]";
  let byKey = false;
  function saveChoice(select) {
    delete select.dataset.changed;
    const into = select.form;
    if (into.querySelector("[name=confirmed], .clash")) return;
    into.requestSubmit();
  }
  document.addEventListener("pointerdown", () => { byKey = false; }, true);
  document.addEventListener("keydown", (event) => {
    if (!event.target.matches?.(CHOICE)) return;
    if (event.key === "Enter" && event.target.dataset.changed !== undefined) {
      event.preventDefault();
      saveChoice(event.target);
    } else byKey = event.key !== "Enter" && event.key !== "Tab";
  });
  document.addEventListener("change", (event) => {
    if (!event.target.matches?.(CHOICE)) return;
    if (byKey) event.target.dataset.changed = "";
    else saveChoice(event.target);
  });
  document.addEventListener("focusout", (event) => {
    const select = event.target;
    if (!select.matches?.(CHOICE) || select.dataset.changed === undefined || select.form.contains(event.relatedTarget)) return;
    if (select.isConnected && document.hasFocus()) saveChoice(select);
  });

  /* ---- the newest entry: in view as the page opens, and after sending ---- */
  const list = () => document.getElementById("timeline-list");
  const newest = () => [...(list()?.querySelectorAll(":scope > .entry") || [])].at(-1);
  function measure() {
    const box = document.getElementById("composer");
    const isStuck = box && getComputedStyle(box).position === "sticky";
    page.style.setProperty("--composer", `${isStuck ? box.offsetHeight : 0}px`);
  }
  function showNewest() {
    measure();
    const last = newest();
    if (!last) return;
    // Longer than the screen: its beginning is what is read first.
    const isLong = last.offsetHeight > innerHeight - (document.getElementById("composer")?.offsetHeight || 0) - 80;
    last.scrollIntoView({ block: isLong ? "start" : "end", behavior: "instant" });
  }
  const room = new ResizeObserver(measure);
  function watchComposer() {
    room.disconnect();
    const box = document.getElementById("composer");
    if (box) room.observe(box);
    measure();
  }
  watchComposer();
  document.addEventListener("htmx:afterSettle", watchComposer);
  const came = performance.getEntriesByType("navigation")[0]?.type;
  const isPlain = !location.hash && !/[?&](show|pages|macro)=/.test(location.search);
  if (isPlain && came !== "back_forward" && came !== "reload") {
    const last = newest();
    const floor = document.getElementById("composer")?.getBoundingClientRect().top ?? innerHeight;
    if (last && last.getBoundingClientRect().bottom > Math.min(floor, innerHeight)) showNewest();
  }
  /* The live page may have shown the new entry before the answer to its sending came. */
  document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
    if (detail.target?.id !== "timeline-list") return;
    const known = new Map([...detail.target.children].map((entry) => [entry.dataset.key, entry]));
    for (const entry of detail.fragment.children) known.get(entry.dataset.key)?.remove();
  });
  let sentAt = 0;
  document.addEventListener("composer:sent", () => {
    sentAt = Date.now();
    requestAnimationFrame(() => {
      watchComposer();
      showNewest();
      document.getElementById("composer-text")?.focus({ preventScroll: true });
    });
  });
  document.addEventListener("desk:morphed", (event) => {
    if (event.target.id === "timeline" && Date.now() - sentAt < 4000) showNewest();
  });
  for (const name of ["wheel", "touchmove", "pointerdown"]) addEventListener(name, () => { sentAt = 0; }, { passive: true });

  /* ---- clocks: a card that flips asks for its new words and colours ---- */
  document.addEventListener("clock:flipped", (event) => {
    const card = event.target.closest(".clock");
    if (!card) return;
    card.dataset.state = event.detail.state;
    desk.live?.refresh(document.getElementById("head"));
  });

  /* ---- pictures that are still in the PSA: the placeholder is 321 x 61 ---- */
  function lookAgain() {
    for (const picture of document.querySelectorAll(".entry-text img")) {
      if (!picture.complete || picture.naturalWidth !== 321 || picture.naturalHeight !== 61) continue;
      const address = new URL(picture.src);
      address.searchParams.set("again", String(Date.now()));
      picture.src = address.href;
    }
  }
  page.addEventListener("live:changed", () => setTimeout(lookAgain, 400));

  /* ---- who is here ---- */
  let typing = false;
  let typedAt = 0;
  const csrf = () => document.querySelector("[name=csrfmiddlewaretoken]")?.value || "";
  function beat(gone = false) {
    if (document.hidden && !gone) return;
    const body = new FormData();
    body.append("csrfmiddlewaretoken", csrf());
    if (typing) body.append("typing", "yes");
    if (gone) {
      body.append("gone", "yes");
      navigator.sendBeacon(say.here, body);
    } else fetch(say.here, { method: "POST", body, headers: { "HX-Request": "true" } }).catch(() => {});
  }
  document.addEventListener("desk:typing", () => {
    typedAt = Date.now();
    if (!typing) {
      typing = true;
      beat();
    }
  });
  setInterval(() => {
    if (typing && Date.now() - typedAt > 5000) {
      typing = false;
      beat();
    }
  }, 1000);
  setInterval(beat, 10000);
  window.addEventListener("pagehide", () => beat(true));
  setTimeout(beat, 300);
})();
