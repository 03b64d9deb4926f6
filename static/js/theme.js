/* Light, dark, or as the system says: shown at once, kept in the person's preferences. Menus close as menus do. */
(() => {
  "use strict";
  const root = document.documentElement;
  const NEXT = { "": "light", light: "dark", dark: "" };

  for (const button of document.querySelectorAll("[data-theme-next]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const theme = NEXT[root.dataset.theme || ""];
      if (theme) root.dataset.theme = theme;
      else delete root.dataset.theme;
      button.querySelector("span").textContent = button.dataset[theme || "auto"];
      const form = new FormData();
      form.set("theme", theme || "auto");
      const headers = JSON.parse(document.body.getAttribute("hx-headers") || "{}");
      fetch(button.dataset.themeNext, { method: "POST", body: form, headers });
    });
  }
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector("details[data-menu][open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
})();
