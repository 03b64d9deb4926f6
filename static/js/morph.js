/* desk.morph(target, html): make `target` look like `html` while keeping the nodes that stay.
   A child is known by data-ticket, data-key or id; the rest match in order. What people hold is theirs: focus, typed
   text, ticked boxes, open <details>, scroll, and anything marked data-keep. */
(() => {
  "use strict";
  /* htmx itself: nothing that our policy forbids, answers of 422 shown like others, no pages kept in storage. A part that
     comes works and has its focus as soon as it is seen, not a moment later: keys do not wait. */
  Object.assign(window.htmx?.config ?? {}, {
    includeIndicatorStyles: false, allowEval: false, allowScriptTags: false, selfRequestsOnly: true, historyCacheSize: 0, scrollBehavior: "auto",
    defaultSettleDelay: 0,
    responseHandling: [
      { code: "204", swap: false },
      { code: "[23]..", swap: true },
      { code: "422", swap: true },
      { code: "[45]..", swap: false, error: true },
    ],
  });
  const desk = (window.desk = window.desk || {});
  const OURS = ["data-focus", "data-selected", "data-lifted", "data-drop", "data-ours"];

  const keyOf = (node) => {
    if (node.nodeType !== 1) return null;
    const ticket = node.getAttribute("data-ticket");
    if (ticket) return `${node.tagName}:t:${ticket}`;
    const key = node.getAttribute("data-key");
    if (key) return `${node.tagName}:k:${key}`;
    return node.id ? `${node.tagName}:i:${node.id}` : null;
  };

  const isField = (node) => /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName);
  const isEditable = (node) =>
    node.isContentEditable || node.tagName === "TEXTAREA" || node.tagName === "SELECT" ||
    (node.tagName === "INPUT" && !/^(checkbox|radio|button|submit|reset|image)$/.test(node.type));

  function isDirty(field) {
    if (field.tagName === "SELECT") {
      const first = [...field.options].findIndex((o) => o.defaultSelected);
      return field.selectedIndex !== Math.max(first, field.multiple ? -1 : 0) && field.options.length > 0;
    }
    if (field.type === "file") return field.files.length > 0;
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.type === "hidden") return false;
    return field.value !== field.defaultValue;
  }

  /* Somebody is busy in here: the cursor stands in it, or it holds what only this page knows. */
  function isHeld(node) {
    if (node.nodeType !== 1) return false;
    const active = document.activeElement;
    if (active && active !== document.body && node.contains(active) && isEditable(active)) return true;
    if (node.matches("[data-keep]") || node.querySelector("[data-keep]")) return true;
    const fields = isField(node) ? [node] : node.querySelectorAll("input, textarea, select");
    return [...fields].some((f) => f.type !== "checkbox" && f.type !== "radio" && isDirty(f));
  }

  function attributes(old, fresh) {
    const own = new Set(OURS.concat((old.getAttribute("data-ours") || "").split(" ")));
    if (old.tagName === "DETAILS" || old.tagName === "DIALOG") own.add("open");
    for (const { name, value } of [...fresh.attributes]) {
      if (!own.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      if (!own.has(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
    }
  }

  function field(old, fresh) {
    const dirty = isDirty(old);
    const value = old.value;
    attributes(old, fresh);
    if (old.tagName === "TEXTAREA") {
      if (old.defaultValue !== fresh.defaultValue) old.defaultValue = fresh.defaultValue;
      if (dirty) old.value = value;
      else if (old.value !== fresh.value) old.value = fresh.value;
    } else if (old.tagName === "SELECT") {
      if (old.innerHTML !== fresh.innerHTML) old.replaceChildren(...fresh.childNodes);
      if (dirty) old.value = value;
    } else if (old.type === "checkbox" || old.type === "radio") {
      if (!dirty && old.checked !== fresh.checked) old.checked = fresh.checked;
    } else if (!dirty && old.type !== "file" && old.value !== fresh.value) {
      old.value = fresh.value;
    }
  }

  function place(parent, node, before) {
    if (parent.moveBefore && node.isConnected) {
      try {
        parent.moveBefore(node, before);
        return;
      } catch { /* not movable from where it was: put it in the old way */ }
    }
    parent.insertBefore(node, before);
  }

  function element(old, fresh, job) {
    job.used.add(old);
    if (old.hasAttribute("data-keep") || old.isEqualNode(fresh)) return;
    if (old === document.activeElement && isEditable(old)) return;
    if (isField(old)) {
      field(old, fresh);
      return;
    }
    attributes(old, fresh);
    children(old, fresh, job);
  }

  function children(parent, freshParent, job) {
    const wanted = new Set([...freshParent.childNodes].map(keyOf).filter(Boolean));
    let at = parent.firstChild;
    const skip = () => {
      while (at && (job.used.has(at) || (keyOf(at) && !wanted.has(keyOf(at))))) at = at.nextSibling;
    };
    for (const fresh of [...freshParent.childNodes]) {
      skip();
      const match = find(parent, fresh, at, job);
      if (!match) {
        const made = document.importNode(fresh, true);
        job.used.add(made);
        parent.insertBefore(made, at);
        if (made.nodeType === 1) job.made.push(made);
        continue;
      }
      if (match === at) at = at.nextSibling;
      else place(parent, match, at);
      if (match.nodeType === 1) element(match, fresh, job);
      else {
        job.used.add(match);
        if (match.nodeValue !== fresh.nodeValue) match.nodeValue = fresh.nodeValue;
      }
    }
    for (const node of [...parent.childNodes]) {
      if (!job.used.has(node)) job.spare.push(node);
    }
  }

  function find(parent, fresh, at, job) {
    const key = keyOf(fresh);
    if (key) {
      const known = job.known.get(key);
      return known && !job.used.has(known) && !known.contains(parent) ? known : null;
    }
    for (let node = at; node; node = node.nextSibling) {
      if (job.used.has(node)) continue;
      if (keyOf(node)) {
        // Unkeyed content does not look past the next keyed thing of another kind: order there is all we know.
        if (fresh.nodeType === 1) return null;
        continue;
      }
      if (node.nodeType === fresh.nodeType && node.nodeName === fresh.nodeName) return node;
      if (fresh.nodeType === 1 && node.nodeType === 1) return null;
    }
    return null;
  }

  function rememberFocus() {
    const active = document.activeElement;
    if (!active || active === document.body) return () => {};
    let range = null;
    try {
      range = [active.selectionStart, active.selectionEnd];
    } catch { /* no text field */ }
    return () => {
      if (!active.isConnected || document.activeElement === active) return;
      active.focus({ preventScroll: true });
      if (range && range[0] !== null && active.setSelectionRange) active.setSelectionRange(...range);
    };
  }

  function rootOf(target, content) {
    const roots = [...content.childNodes].filter((n) => n.nodeType === 1);
    if (roots.length !== 1) return null;
    const same = keyOf(roots[0]) && keyOf(roots[0]) === keyOf(target);
    return same ? roots[0] : null;
  }

  desk.morph = (target, html) => {
    let content = html;
    if (typeof html === "string") {
      const shell = document.createElement("template");
      shell.innerHTML = html;
      content = shell.content;
    }
    const job = { used: new Set(), made: [], spare: [], known: new Map() };
    for (const node of target.querySelectorAll("[data-ticket], [data-key], [id]")) {
      const key = keyOf(node);
      if (!job.known.has(key)) job.known.set(key, node);
    }
    const scrolled = [target, ...target.querySelectorAll("[data-scroll], .lane-cards, .lanes")]
      .filter((n) => n.scrollTop || n.scrollLeft)
      .map((n) => [n, n.scrollTop, n.scrollLeft]);
    const refocus = rememberFocus();
    const root = rootOf(target, content);
    if (root) element(target, root, job);
    else children(target, content, job);
    for (const node of job.spare) {
      if (!job.used.has(node) && node.isConnected && !isHeld(node)) node.remove();
    }
    for (const [node, top, left] of scrolled) {
      if (node.scrollTop !== top) node.scrollTop = top;
      if (node.scrollLeft !== left) node.scrollLeft = left;
    }
    refocus();
    if (window.htmx) for (const node of job.made) if (node.isConnected) window.htmx.process(node);
    target.dispatchEvent(new CustomEvent("desk:morphed", { bubbles: true, detail: { made: job.made } }));
  };
  /* Parts that an answer brings along, each put into the place of the one of the same id or ticket. */
  desk.show = (html) => {
    const shell = document.createElement("template");
    shell.innerHTML = html;
    for (const fresh of [...shell.content.children]) {
      const { ticket } = fresh.dataset;
      const old = fresh.id ? document.getElementById(fresh.id)
        : ticket && document.querySelector(`#main ${fresh.tagName}[data-ticket="${CSS.escape(ticket)}"]`);
      if (!old) continue;
      const part = document.createDocumentFragment();
      part.append(fresh);
      desk.morph(old, part);
    }
  };
  desk.isEditable = isEditable;
  desk.hasTyped = () =>
    [...document.querySelectorAll("textarea, input:not([type=hidden], [type=checkbox], [type=radio], [type=search])")].some(
      (f) => f.id !== "palette-input" && isDirty(f),
    );
})();
