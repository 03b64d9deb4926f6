/* Ctrl+K: a number jumps to its ticket, letters find keys of this page, commands, tickets and clients. The server
   answers `desk:palette` with options; those of this page come from the registry of keys. */
(() => {
  "use strict";
  const desk = (window.desk = window.desk || {});
  let dialog = null;
  let input = null;
  let list = null;
  let asked = 0;
  let timer = null;
  let shown = "";
  let takesFirst = false;

  const options = () => [...list.querySelectorAll('[role="option"]')];
  const chosen = () => list.querySelector('[aria-selected="true"]');

  function choose(option) {
    for (const other of options()) other.setAttribute("aria-selected", String(other === option));
    if (option) {
      option.id = option.id || `palette-${options().indexOf(option)}`;
      input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  }

  function ofThisPage(text) {
    const wanted = text.replace(/^>\s*/, "").trim().toLowerCase();
    if (!wanted || /^#?\d+$/.test(wanted)) return null;
    const found = desk.keys.listed().filter(
      (e) => !e.hidden && e.group !== "move" && e.description.toLowerCase().includes(wanted) && e.shown !== "Ctrl+K",
    );
    if (!found.length) return null;
    const group = document.createElement("div");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", list.dataset.here);
    const title = document.createElement("p");
    title.className = "palette-title";
    title.textContent = list.dataset.here;
    group.append(title);
    for (const entry of found.slice(0, 5)) {
      const item = document.createElement("div");
      item.className = "palette-item";
      item.setAttribute("role", "option");
      const what = document.createElement("span");
      what.className = "what";
      what.textContent = entry.description;
      const end = document.createElement("span");
      end.className = "end";
      end.append(...desk.keys.caps(entry.shown));
      item.append(what, end);
      item.addEventListener("click", () => {
        dialog.close();
        entry.handler(new KeyboardEvent("keydown"));
      });
      group.append(item);
    }
    return group;
  }

  async function ask() {
    const turn = ++asked;
    const text = input.value;
    const answer = await fetch(`${list.dataset.src}?q=${encodeURIComponent(text)}`, {
      headers: { "HX-Request": "true", "HX-Current-URL": location.href },
    });
    if (turn !== asked || !dialog.open) return;
    if (answer.status === 401) location.reload();
    if (!answer.ok) return;
    const shell = document.createElement("template");
    shell.innerHTML = await answer.text();
    const here = ofThisPage(text);
    const groups = [...shell.content.children];
    if (here) groups.splice(groups.length && groups[0].hasAttribute("data-first") ? 1 : 0, 0, here);
    list.replaceChildren(...groups);
    choose(options()[0]);
    shown = text;
    if (takesFirst && text === input.value) {
      takesFirst = false;
      chosen()?.click();
    }
  }

  /* The dialog comes later than its key: what is typed until then is not lost, and means nothing else. */
  async function open(text = "") {
    let typed = { text: "", enter: false };
    if (!dialog) {
      const release = desk.keys.hold(true);
      await desk.later().finally(() => { typed = release(); });
      text += typed.text;
    }
    if (dialog.open) return;
    for (const other of document.querySelectorAll("dialog[open]")) other.close();
    input.value = text;
    takesFirst = typed.enter && Boolean(text);
    list.replaceChildren();
    dialog.showModal();
    input.focus();
    ask();
  }

  function prepare() {
    dialog = document.getElementById("palette");
    input = dialog.querySelector("input");
    list = dialog.querySelector(".palette-list");
    input.addEventListener("input", () => {
      takesFirst = false;
      clearTimeout(timer);
      timer = setTimeout(ask, 90);
    });
    dialog.addEventListener("keydown", (event) => {
      const all = options();
      const at = all.indexOf(chosen());
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        const step = event.key === "ArrowDown" ? 1 : -1;
        choose(all[(at + step + all.length) % all.length]);
      } else if (event.key === "Enter" && !event.isComposing) {
        event.preventDefault();
        // Typed faster than the desk answers: what is shown belongs to fewer letters, so wait for the rest.
        if (input.value !== shown) takesFirst = true;
        else if (chosen()) chosen().click();
      }
    });
    dialog.addEventListener("mousemove", (event) => {
      const option = event.target.closest('[role="option"]');
      if (option && option !== chosen()) choose(option);
    });
  }

  desk.palette = { open };
  document.addEventListener("desk:later", prepare, { once: true });
  desk.keys.register("Ctrl+K", desk.keys.say("Search"), "go", () => { open().catch(() => {}); }, { typing: true });
})();
