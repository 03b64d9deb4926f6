/* An open page learns of changes: every 1.5 s while it is seen, each [data-live] asks its address with If-None-Match.
   On a change `live:changed` is sent from that element (and bubbles to body), and every [data-live-src] inside it is
   fetched anew and merged by desk.morph. data-live-every="6000" asks less often;
   data-live-anyway="20000" counts as a change after so long without one (an age that nobody tells of).
   A part elsewhere on the page belongs to the [data-live] whose id its data-live-of names. desk.live.now() asks at once; desk.live.hold()/release() wait for a drag. */
(() => {
  "use strict";
  const desk = (window.desk = window.desk || {});
  const EVERY = 1500;
  const SLOWEST = 30000;
  const TOO_LONG = 10000;
  const watched = new Map();
  const busy = new WeakMap();
  let failures = 0;
  let failedAt = null;
  let timer = null;
  let asking = false;
  let held = false;
  let over = false;

  const srcOf = (element) => element.getAttribute("data-live-src") || location.pathname + location.search;

  async function ask(element) {
    const address = element.dataset.live;
    const state = watched.get(element) || { tag: element.dataset.liveTag ? `"${element.dataset.liveTag}"` : null };
    if (state.address && state.address !== address) state.tag = null;
    state.address = address;
    watched.set(element, state);
    const every = Number(element.dataset.liveEvery || 0);
    if (every && state.asked && Date.now() - state.asked < every) return undefined;
    state.asked = Date.now();
    const headers = state.tag ? { "If-None-Match": state.tag } : {};
    const answer = await fetch(address, { headers, cache: "no-store", signal: AbortSignal.timeout(TOO_LONG) });
    if (answer.status === 401 || answer.status === 403) return signedOut();
    const anyway = Number(element.dataset.liveAnyway || 0);
    if (answer.status === 304) {
      if (anyway && Date.now() - (state.told || (state.told = Date.now())) > anyway) tell(element, state);
      return undefined;
    }
    if (!answer.ok) throw new Error(`poll answered ${answer.status}`);
    const known = state.tag !== null;
    state.tag = answer.headers.get("ETag");
    if (known) tell(element, state);
    return undefined;
  }

  function tell(element, state) {
    state.told = Date.now();
    changed(element);
  }

  const ownerOf = (part) => (part.dataset.liveOf ? document.getElementById(part.dataset.liveOf) : part.closest("[data-live]"));

  function changed(element) {
    element.dispatchEvent(new CustomEvent("live:changed", { bubbles: true, detail: { address: element.dataset.live } }));
    for (const part of document.querySelectorAll("[data-live-src]")) {
      if (ownerOf(part) === element) refresh(part, Number(part.dataset.liveDelay || 0));
    }
  }

  async function refresh(part, delay = 0) {
    const state = busy.get(part) || { going: false, again: false };
    busy.set(part, state);
    if (state.going) {
      state.again = true;
      return;
    }
    state.going = true;
    try {
      if (delay) await new Promise((done) => setTimeout(done, delay));
      while (held) await new Promise((done) => setTimeout(done, 200));
      if (!part.isConnected) return;
      const answer = await fetch(srcOf(part), {
        headers: { "HX-Request": "true", "HX-Current-URL": location.href, "HX-Target": part.id, "X-Live": "1" },
        signal: AbortSignal.timeout(TOO_LONG),
      });
      if (answer.status === 401 || answer.headers.has("HX-Redirect")) return signedOut();
      if (answer.status === 200 && part.isConnected && !held) desk.morph(part, await answer.text());
      else if (answer.status === 200) state.again = true;
    } catch {
      state.again = failures === 0 && delay === 0 ? false : state.again;
    } finally {
      state.going = false;
      if (state.again) {
        state.again = false;
        refresh(part, Math.max(delay, 300));
      }
    }
  }

  /* Signed out, or the page is a day old. A reload goes to the sign-in, unless something typed would go with it. */
  function signedOut() {
    over = true;
    const last = Number(sessionStorage.getItem("desk:reloaded") || 0);
    if (desk.hasTyped() || Date.now() - last < 15000) {
      const banner = document.getElementById("signed-out");
      if (banner) banner.hidden = false;
      return;
    }
    sessionStorage.setItem("desk:reloaded", String(Date.now()));
    location.reload();
  }

  function lost() {
    failures += 1;
    failedAt = failedAt || new Date();
    const banner = document.getElementById("offline");
    if (!banner || failures < 2) return;
    banner.querySelector("[data-since]").textContent = failedAt.toTimeString().slice(0, 5);
    banner.hidden = false;
  }

  function found() {
    failures = 0;
    failedAt = null;
    const banner = document.getElementById("offline");
    if (banner) banner.hidden = true;
  }

  async function round() {
    clearTimeout(timer);
    if (over || asking || document.hidden) return;
    asking = true;
    try {
      for (const element of document.querySelectorAll("[data-live]")) await ask(element);
      if (failures) found();
    } catch {
      lost();
    } finally {
      asking = false;
      if (!over) timer = setTimeout(round, Math.min(SLOWEST, EVERY * 2 ** Math.min(failures, 5)));
    }
  }

  desk.live = {
    now: round,
    refresh,
    hold: () => { held = true; },
    release: () => { held = false; },
  };
  document.addEventListener("visibilitychange", () => document.hidden || round());
  window.addEventListener("focus", round);
  window.addEventListener("online", round);
  window.addEventListener("offline", () => { failures = Math.max(failures, 1); lost(); });
  window.addEventListener("pageshow", (event) => event.persisted && round());
  document.addEventListener("click", (event) => event.target.closest("#offline [data-try]") && round());
  document.addEventListener("live:refresh", (event) => {
    const part = event.target.closest?.("[data-live-src]");
    if (part) refresh(part);
  });
  for (const part of document.querySelectorAll("[data-live-src][data-live-first]")) refresh(part);
  round();
})();
