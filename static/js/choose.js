/* The one dialog of list and board: choosers, previews of cards, results of a bulk change.
   desk.choose.open(address, values) fetches a fragment into it; desk.choose.show(html) takes one that is there already.
   Typing finds (also before the fragment has come), arrows move, Enter takes. An answer that is done
   (204, or parts of the page for desk.show) closes it. `desk:changed` asks the live poll at once. */
(() => {
  "use strict";
  const desk = (window.desk = window.desk || {});
  const dialog = document.getElementById("choose");
  const body = document.getElementById("choose-body");
  if (!dialog || !body) return;

  const items = () => [...body.querySelectorAll(".palette-item:not(:disabled)")].filter((i) => !i.closest("li").hidden);
  const chosen = () => body.querySelector(".palette-item[data-on]");

  function mark(item) {
    const old = chosen();
    if (old) old.removeAttribute("data-on");
    if (!item) return;
    item.setAttribute("data-on", "");
    item.scrollIntoView({ block: "nearest" });
  }

  function begin() {
    const field = body.querySelector("[data-find]");
    const confirm = body.querySelector("[data-confirm]");
    if (!dialog.open) dialog.showModal();
    (confirm || field || body.querySelector("[autofocus]") || body.querySelector("[tabindex], a, button"))?.focus();
    mark(items().find((i) => !i.hasAttribute("aria-current")) || items()[0]);
  }

  function find(text) {
    const wanted = text.trim().toLowerCase();
    for (const item of body.querySelectorAll(".palette-item")) {
      const label = (item.dataset.label || "").toLowerCase();
      const fits = !wanted || label.split(/\s+/).some((word) => word.startsWith(wanted)) || label.includes(wanted);
      item.closest("li").hidden = !fits;
    }
    const shown = items();
    mark(shown.find((i) => (i.dataset.label || "").toLowerCase().startsWith(wanted)) || shown[0]);
  }

  /* What was typed while the dialog was on its way. */
  function goOn({ text, enter }) {
    const field = document.activeElement;
    if (!text || !body.contains(field) || !field.matches("textarea, [data-find]")) return;
    field.value += text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    if (enter && field.matches("[data-find]")) chosen()?.click();
  }

  desk.choose = {
    async open(address, values = {}) {
      const release = desk.keys.hold();
      let typed = null;
      try {
        await window.htmx.ajax("GET", address, { target: body, swap: "innerHTML", values, source: body });
      } finally {
        typed = release();
      }
      if (!body.firstElementChild) return;
      begin();
      goOn(typed);
    },
    show(html) {
      body.innerHTML = html;
      window.htmx.process(body);
      begin();
    },
    close: () => dialog.open && dialog.close(),
    isOpen: () => dialog.open,
  };

  body.addEventListener("input", (event) => event.target.matches("[data-find]") && find(event.target.value));
  body.addEventListener("keydown", (event) => {
    if (event.target.matches("[data-find]") && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const all = items();
      const at = all.indexOf(chosen());
      mark(all[(at + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length]);
    } else if (event.target.matches("[data-find]") && event.key === "Enter") {
      event.preventDefault();
      chosen()?.click();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.closest("form.ask")) {
      event.preventDefault();
      event.target.closest("form").requestSubmit();
    } else if (event.key === " " && body.querySelector(".preview") && !event.target.closest("a, button")) {
      event.preventDefault();
      dialog.close();
    } else if (body.querySelector(".preview") && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const field = { a: "agent", p: "priority", s: "status" }[event.key];
      const link = field && body.querySelector(`[data-choose="${field}"]`);
      if (!link) return;
      event.preventDefault();
      link.click();
    }
  });
  dialog.addEventListener("close", () => {
    body.replaceChildren();
    document.dispatchEvent(new CustomEvent("desk:chosen"));
  });
  body.addEventListener("click", (event) => {
    const close = event.target.closest("a[data-close], a[data-close-preview]");
    if (close) {
      event.preventDefault();
      dialog.close();
      return;
    }
    const again = event.target.closest("[data-choose]");
    if (again) {
      event.preventDefault();
      desk.choose.open(again.href);
    }
  });
  // Done: nothing to show, or what of the page looks different now.
  const isShown = (xhr) => xhr.status === 200 && xhr.getResponseHeader("HX-Reswap") === "none";
  body.addEventListener("htmx:beforeSwap", (event) => {
    if (!isShown(event.detail.xhr)) return;
    event.detail.shouldSwap = false;
    desk.show(event.detail.serverResponse);
  });
  body.addEventListener("htmx:afterRequest", ({ detail }) => (detail.xhr.status === 204 || isShown(detail.xhr)) && dialog.close());
  body.addEventListener("htmx:afterSwap", () => dialog.open && body.querySelector("#chooser") && begin());
  document.addEventListener("desk:changed", () => desk.live?.now());
})();
