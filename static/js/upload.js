/* Files of a form: picked, dropped or pasted, sent one by one with progress to the form's data-upload address. The
   answer is the file's line in the form. Without this script the plain file input sends them with the form. */
(() => {
  "use strict";
  const desk = (window.desk = window.desk || {});
  let going = 0;

  const formOf = (node) => node?.closest?.("form[data-upload]:has(.uploads)");

  function line(name) {
    const box = document.createElement("div");
    box.className = "upload";
    box.setAttribute("data-upload-line", "");
    const said = document.createElement("span");
    said.textContent = name;
    const share = document.createElement("span");
    share.className = "num";
    share.setAttribute("role", "status");
    const meter = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    meter.setAttribute("class", "meter");
    meter.setAttribute("data-tone", "accent");
    meter.setAttribute("aria-hidden", "true");
    const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    bar.setAttribute("height", "100%");
    bar.setAttribute("width", "0%");
    meter.append(bar);
    box.append(document.createElement("span"), said, share, meter);
    return { box, progress(part) { bar.setAttribute("width", `${part}%`); share.textContent = `${part} %`; } };
  }

  function send(form, file) {
    return new Promise((done) => {
      const shown = line(file.name);
      form.querySelector(".uploads").append(shown.box);
      const body = new FormData();
      body.append("file", file, file.name || "image.png");
      if (form.dataset.ticketKey) body.append("ticket", form.dataset.ticketKey);
      const account = form.querySelector("[data-account]");
      if (account) body.append("account", account.value);
      body.append("visibility", form.dataset.visibility || "internal");
      body.append("csrfmiddlewaretoken", form.querySelector("[name=csrfmiddlewaretoken]").value);
      const call = new XMLHttpRequest();
      call.open("POST", form.dataset.upload);
      call.setRequestHeader("HX-Request", "true");
      call.upload.addEventListener("progress", (e) => e.lengthComputable && shown.progress(Math.round((100 * e.loaded) / e.total)));
      call.addEventListener("loadend", () => {
        const shell = document.createElement("template");
        if (call.status === 200 || call.status === 422) shell.innerHTML = call.responseText;
        const made = shell.content.querySelector("[data-upload-line]");
        if (made) shown.box.replaceWith(made);
        else {
          shown.box.remove();
          desk.toast?.(document.getElementById("toasts")?.dataset.failed || "");
        }
        form.dispatchEvent(new CustomEvent("desk:typed", { bubbles: true }));
        done();
      });
      call.send(body);
    });
  }

  async function take(form, files) {
    going += 1;
    form.querySelector("[data-send]")?.setAttribute("aria-disabled", "true");
    try {
      for (const file of files) await send(form, file);
    } finally {
      going -= 1;
      if (!going) form.querySelector("[data-send]")?.removeAttribute("aria-disabled");
    }
  }

  desk.uploads = { busy: () => going > 0, take };

  document.addEventListener("change", (event) => {
    const form = formOf(event.target);
    if (!form || !event.target.matches(".plain-files") || !event.target.files.length) return;
    const files = [...event.target.files];
    event.target.value = "";
    take(form, files);
  });
  document.addEventListener("paste", (event) => {
    const form = formOf(event.target);
    const files = [...(event.clipboardData?.files || [])];
    if (!form || !files.length) return;
    event.preventDefault();
    take(form, files);
  });
  document.addEventListener("dragover", (event) => {
    const form = document.querySelector("form[data-upload]:has(.uploads)");
    if (!form || ![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    form.setAttribute("data-drop", "");
  });
  for (const name of ["dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      const form = document.querySelector("form[data-upload]:has(.uploads)");
      if (!form || (name === "dragleave" && event.relatedTarget)) return;
      form.removeAttribute("data-drop");
      if (name === "drop" && event.dataTransfer.files.length) {
        event.preventDefault();
        take(form, [...event.dataTransfer.files]);
      }
    });
  }
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-remove]");
    const form = formOf(button);
    if (!button || !form) return;
    event.preventDefault();
    const body = new FormData();
    body.append("csrfmiddlewaretoken", form.querySelector("[name=csrfmiddlewaretoken]").value);
    const answer = await fetch(button.dataset.remove, { method: "POST", body, headers: { "HX-Request": "true" } });
    if (answer.ok || answer.status === 404) button.closest("[data-upload-line]").remove();
    form.dispatchEvent(new CustomEvent("desk:typed", { bubbles: true }));
  });
})();
