/* Dialogs, banners and shapes that most pages never show come once, when the page is idle, from the address in
   <body data-later>; the browser keeps them for as long as their content stays the same. desk.later() gives a promise
   of them for those who need them at once; `desk:later` tells everybody else. */
(() => {
  "use strict";
  const desk = (window.desk = window.desk || {});
  const address = document.body.dataset.later;
  let coming = null;

  async function fetched() {
    const answer = await fetch(address, { priority: "low" });
    if (!answer.ok || answer.redirected) throw new Error(`later answered ${answer.status}`);
    const shell = document.createElement("template");
    shell.innerHTML = await answer.text();
    const parts = [...shell.content.firstElementChild.children];
    document.getElementById("main")?.prepend(...parts.filter((part) => part.hasAttribute("data-of-main")));
    document.body.append(...parts.filter((part) => !part.hasAttribute("data-of-main")));
    document.dispatchEvent(new CustomEvent("desk:later"));
  }

  desk.later = () => {
    if (!address) return Promise.reject(new Error("this page has no later"));
    coming = coming || fetched().catch((error) => { coming = null; throw error; });
    return coming;
  };

  if (!address) return;
  const quietly = () => desk.later().catch(() => {});
  if (window.requestIdleCallback) requestIdleCallback(quietly, { timeout: 1000 });
  else setTimeout(quietly, 200);
})();
