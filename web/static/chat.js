// What the chat page does beyond plain forms: live news, and answers that outlast a broken line.
"use strict";
(() => {
  const words = document.body.dataset;
  const here = words.chat;
  const log = document.getElementById("log");
  const form = document.getElementById("say");
  const input = document.getElementById("text");
  const line = document.getElementById("line");
  const latest = document.getElementById("latest");
  const framed = window.parent !== window;
  const POLL = 15000, SILENCE = 40000, PATIENCE = 20000, TEXT_LASTS = 3600000;

  // --- Kept on this device until it is through ---
  const shelf = "vungxanh:" + here;
  const read = (name, otherwise) => {
    try { return JSON.parse(localStorage.getItem(shelf + name)) || otherwise; } catch (e) { return otherwise; }
  };
  const keep = (name, value) => {
    try {
      if (value && value.length) localStorage.setItem(shelf + name, JSON.stringify(value));
      else localStorage.removeItem(shelf + name);
    } catch (e) { /* a private window keeps nothing; the open page still does */ }
  };
  let queue = read("#queue", []);
  let failures = 0, busy = false, retry = 0;

  const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

  // --- The page ---
  const nearEnd = () => window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 140;
  let stick = true;
  const toEnd = () => { window.scrollTo(0, document.documentElement.scrollHeight); latest.hidden = true; };
  const say = (sentence, passing) => {
    line.textContent = sentence;
    if (passing) setTimeout(() => { if (line.textContent === sentence) line.textContent = ""; }, 5000);
  };

  const bubble = (entry) => {
    let own = document.getElementById("q-" + entry.key);
    if (!own) {
      own = document.createElement("div");
      own.id = "q-" + entry.key;
      own.append(document.createElement("p"), document.createElement("p"));
      own.firstChild.className = "said";
      own.lastChild.className = "state";
      own.firstChild.textContent = entry.label;
      log.append(own);
    }
    return own;
  };
  const mark = (entry, state, sentence) => {
    const own = bubble(entry);
    own.className = "mine " + state;
    if (own.lastChild.textContent !== sentence) own.lastChild.textContent = sentence;
  };
  const pressed = (entry, is) => {
    if (!entry.tap) return;
    const message = document.getElementById("m-" + entry.message_id);
    if (message) message.querySelectorAll("button").forEach((b) => is ? b.setAttribute("aria-disabled", "true") : b.removeAttribute("aria-disabled"));
  };

  const place = (article) => {
    const after = Array.from(log.querySelectorAll(".message")).find((one) => Number(one.dataset.place) > Number(article.dataset.place));
    log.insertBefore(article, after || null);
  };
  const merge = (news) => {
    log.dataset.state = news.state;
    if (!news.html) return;
    const follow = nearEnd();
    const parsed = new DOMParser().parseFromString(news.html, "text/html");
    let added = false;
    parsed.querySelectorAll(".message").forEach((article) => {
      const old = document.getElementById(article.id);
      if (old && old.dataset.version === article.dataset.version) return;
      article.classList.add("fresh");
      if (!old) { place(article); added = true; return; }
      const focused = old.contains(document.activeElement);
      old.replaceWith(article);
      if (focused) {
        (article.querySelector("button, a") || article).focus({ preventScroll: true });
        article.scrollIntoView({ block: "nearest" });
      }
    });
    document.getElementById("empty").hidden = Boolean(log.querySelector(".message"));
    queue.forEach((entry) => pressed(entry, true));
    if (follow) toEnd(); else if (added) latest.hidden = false;
  };

  // --- Hearing ---
  let stream = null, heardAt = Date.now(), looking = false;
  const look = async () => {
    if (looking) return;
    looking = true;
    try {
      const answer = await fetch(here + "/messages?state=" + log.dataset.state, { cache: "no-store" });
      if (answer.status === 200) merge(await answer.json());
    } catch (e) { /* the next look will tell */ } finally { looking = false; }
  };
  const listen = () => {
    if (framed || !window.EventSource) return;
    if (stream) stream.close();
    stream = new EventSource(here + "/events?state=" + log.dataset.state);
    const heard = (event) => { heardAt = Date.now(); merge(JSON.parse(event.data)); };
    stream.addEventListener("news", heard);
    stream.addEventListener("still", heard);
  };
  const isLive = () => stream && stream.readyState === 1 && Date.now() - heardAt < SILENCE;
  setInterval(() => {
    if (document.hidden || isLive()) return;
    look();
    if (stream && (stream.readyState === 2 || Date.now() - heardAt >= SILENCE)) { heardAt = Date.now(); listen(); }
  }, POLL);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { look(); flush(); } });
  window.addEventListener("message", (event) => {
    if (event.origin === location.origin && event.source === window.parent && event.data === "changed") look();
  });

  // --- Saying ---
  const post = async (entry) => {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), PATIENCE);
    try {
      const { key, text, tap, message_id } = entry;
      const answer = await fetch(here + "/say", {
        method: "POST", signal: patience.signal, headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ key, text, tap, message_id }),
      });
      return { status: answer.status, wait: Number(answer.headers.get("Retry-After")) || 0, said: await answer.json() };
    } finally { clearTimeout(timer); }
  };
  const done = (entry) => { queue = queue.filter((one) => one.key !== entry.key); keep("#queue", queue); pressed(entry, false); };
  const later = (entry, sentence, seconds) => {
    failures += 1;
    mark(entry, "unsent", words.unsent);
    say(sentence);
    clearTimeout(retry);
    retry = setTimeout(flush, (seconds || Math.min(30, 2 ** failures)) * 1000 + Math.random() * 1000);
  };
  const flush = async () => {
    if (busy || !queue.length) return;
    busy = true;
    const entry = queue[0];
    mark(entry, "sending", words.sending);
    pressed(entry, true);
    try {
      const answer = await post(entry);
      if (answer.status === 200) {
        if (failures) say(words.online, true);
        failures = 0;
        done(entry);
        if (entry.tap) bubble(entry).remove(); else mark(entry, "sent", words.sent);
        if (answer.said.notice) say(answer.said.notice, true);
        if (!isLive()) look();
      } else if (answer.status === 429 || answer.status >= 500) {
        later(entry, answer.said.error || "", answer.wait);
      } else {
        failures = 0;
        done(entry);
        mark(entry, "refused", answer.said.error || words.refused);
      }
    } catch (e) {
      later(entry, words.offline);
    }
    busy = false;
    if (queue.length && !failures) flush();
  };
  const enqueue = (entry) => {
    if (entry.tap && queue.some((one) => one.tap === entry.tap && one.message_id === entry.message_id)) return;
    const follow = nearEnd() || !entry.tap;
    queue.push(Object.assign({ key: newKey(), text: "", tap: "", message_id: "", at: Date.now() }, entry));
    keep("#queue", queue);
    mark(queue[queue.length - 1], "sending", words.sending);
    pressed(entry, true);
    const menu = document.getElementById("menu");
    if (menu) menu.open = false;
    if (follow) toEnd();
    flush();
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=tap], button[name=text]");
    if (!button) return;
    event.preventDefault();
    if (button.getAttribute("aria-disabled")) return;
    const label = button.textContent.trim();
    if (button.name === "tap") return enqueue({ tap: button.value, message_id: button.form.message_id.value, label });
    enqueue({ text: button.value, label });
  });

  // --- Sending a photo or document: kept on the open page until it is through ---
  const files = [];
  let uploading = false, again = 0, fileFailures = 0;
  const PICTURE = 2000, SMALL = 600000, STALLED = 45000;
  const smaller = async (file) => {
    // A phone's photo is larger than anybody needs to read it, and says where it was taken.
    if (!file.type.startsWith("image/")) return file;
    try {
      const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
      const scale = Math.min(1, PICTURE / Math.max(bitmap.width, bitmap.height));
      const canvas = document.createElement("canvas");
      canvas.width = Math.round(bitmap.width * scale);
      canvas.height = Math.round(bitmap.height * scale);
      const paper = canvas.getContext("2d");
      paper.fillStyle = "#fff";
      paper.fillRect(0, 0, canvas.width, canvas.height);
      paper.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
      const blob = await new Promise((made) => canvas.toBlob(made, "image/jpeg", 0.85));
      if (!blob || (blob.size > file.size && file.size < SMALL)) return file;
      return new File([blob], file.name.replace(/\.[^.]*$/, "") + ".jpg", { type: "image/jpeg" });
    } catch (e) { return file; }
  };
  const postFile = (entry, progress) => new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(), body = new FormData();
    let timer = 0;
    const watch = () => { clearTimeout(timer); timer = setTimeout(() => request.abort(), STALLED); };
    body.append("key", entry.key);
    body.append("file", entry.file, entry.file.name);
    request.open("POST", here + "/file");
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => { watch(); progress.value = event.loaded / event.total; });
    request.addEventListener("load", () => {
      let said = {};
      try { said = JSON.parse(request.responseText); } catch (e) { /* a proxy's page */ }
      resolve({ status: request.status, wait: Number(request.getResponseHeader("Retry-After")) || 0, said });
    });
    ["error", "abort"].forEach((name) => request.addEventListener(name, reject));
    request.addEventListener("loadend", () => clearTimeout(timer));
    watch();
    request.send(body);
  });
  const fileLater = (entry, sentence, seconds) => {
    const follow = nearEnd();
    fileFailures += 1;
    mark(entry, "unsent", words.fileUnsent);
    if (sentence) say(sentence);
    if (follow) toEnd();
    clearTimeout(again);
    again = setTimeout(flushFiles, (seconds || Math.min(30, 2 ** fileFailures)) * 1000);
  };
  const flushFiles = async () => {
    if (uploading || !files.length) return;
    uploading = true;
    const entry = files[0], progress = document.createElement("progress");
    progress.setAttribute("aria-label", words.sending);
    mark(entry, "sending", words.sending);
    bubble(entry).insertBefore(progress, bubble(entry).lastChild);
    try {
      const answer = await postFile(entry, progress);
      if (answer.status === 429 || answer.status >= 500) fileLater(entry, answer.said.error || "", answer.wait);
      else {
        fileFailures = 0;
        files.shift();
        if (answer.status === 200) mark(entry, "sent", words.sent);
        else mark(entry, "refused", answer.said.error || (answer.status === 413 ? words.tooLarge : words.refused));
        if (!isLive()) look();
      }
    } catch (e) { fileLater(entry, ""); }
    progress.remove();
    uploading = false;
    if (files.length && !fileFailures) flushFiles();
  };
  const picker = document.getElementById("file");
  if (picker) {
    document.getElementById("attach").hidden = false;
    picker.addEventListener("change", async () => {
      const chosen = picker.files[0];
      if (!chosen) return;
      picker.value = "";
      const file = await smaller(chosen);
      if (file.size > Number(words.most)) return say(words.tooLarge);
      say("");
      const entry = { key: newKey(), file, label: chosen.name };
      files.push(entry);
      mark(entry, "sending", words.sending);
      toEnd();
      flushFiles();
    });
    window.addEventListener("online", () => { clearTimeout(again); fileFailures = 0; flushFiles(); });
    window.addEventListener("beforeunload", (event) => { if (files.length) event.preventDefault(); });
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (!text) return;
    input.value = "";
    keep("#draft", "");
    enqueue({ text, label: text });
    input.focus();
  });
  input.addEventListener("input", () => keep("#draft", input.value));
  window.addEventListener("online", () => { clearTimeout(retry); failures = 0; flush(); look(); listen(); });
  window.addEventListener("offline", () => say(words.offline));
  latest.addEventListener("click", toEnd);
  window.addEventListener("scroll", () => { stick = nearEnd(); if (stick) latest.hidden = true; }, { passive: true });
  ["load", "resize"].forEach((name) => window.addEventListener(name, () => { if (stick) toEnd(); }));

  // --- Beginning: what an earlier visit left behind ---
  input.value = read("#draft", "");
  const stale = queue.filter((entry) => !entry.tap && Date.now() - entry.at > TEXT_LASTS);
  if (stale.length) {
    // A typed "2" may by now answer another question: the person decides.
    queue = queue.filter((entry) => !stale.includes(entry));
    keep("#queue", queue);
    input.value = stale[stale.length - 1].text;
    say(words.tooOld);
  }
  queue.forEach((entry) => mark(entry, "unsent", words.unsent));
  toEnd();
  listen();
  flush();
})();
