/* One toast at a time: a new one replaces the old. From the server by the HX-Trigger header
   {"toast": {"text": "...", "detail": "...", "undo_url": "...", "href": "...", "action": "..."}}, from here by
   desk.toast({...}). Z undoes while the toast with its undo is there. */
(() => {
  "use strict";
  const desk = (window.desk = window.desk || {});
  const STAY = 8000;
  const box = document.getElementById("toasts");
  let timer = null;

  function wait() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (box.matches(":hover, :focus-within")) wait();
      else box.replaceChildren();
    }, STAY);
  }

  desk.toast = (what) => {
    if (!box || !what) return;
    const shape = document.getElementById("toast-shape");
    if (!shape) {
      desk.later().then(() => desk.toast(what), () => {});
      return;
    }
    const said = typeof what === "string" ? { text: what } : what;
    const made = shape.content.cloneNode(true);
    made.querySelector("[data-text]").textContent = said.text || "";
    const detail = made.querySelector("[data-detail]");
    detail.textContent = said.detail || "";
    detail.hidden = !said.detail;
    if (said.undo_url) {
      const undo = made.querySelector("[data-undo]");
      undo.dataset.undo = said.undo_url;
      undo.hidden = false;
    }
    if (said.href) {
      const link = made.querySelector("[data-link]");
      link.href = said.href;
      link.textContent = said.action || "";
      link.hidden = false;
    }
    box.replaceChildren(made);
    wait();
  };

  document.addEventListener("toast", (event) => desk.toast(event.detail));
  if (!box) return;
  box.addEventListener("click", (event) => {
    const undo = event.target.closest("[data-undo]");
    if (!undo && !event.target.closest("[data-close]")) return;
    box.replaceChildren();
    if (!undo) return;
    const done = window.htmx.ajax("POST", undo.dataset.undo, { source: document.body, target: box, swap: "none" });
    Promise.resolve(done).then(() => desk.live && desk.live.now());
  });
  desk.keys.register("z", desk.keys.say("Undo"), "dispatch", () => {
    const undo = box.querySelector("[data-undo]:not([hidden])");
    if (!undo) return false;
    undo.click();
    return true;
  });
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, (event) => {
      const status = event.detail.xhr?.status;
      if (status === 401) return;
      const text = status === 403 ? box.dataset.forbidden : status === 404 ? box.dataset.gone : box.dataset.failed;
      const id = event.detail.xhr?.getResponseHeader?.("X-Request-Id");
      desk.toast({ text, detail: id && status >= 500 ? id : "" });
    });
  }
})();
