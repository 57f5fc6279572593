// The demonstration's clock without reloading, and a nudge to the phones that have something new.
"use strict";
(() => {
  const words = document.body.dataset;
  const show = (clock) => {
    document.getElementById("day").textContent = clock.day;
    document.getElementById("clock").textContent = clock.clock;
    document.getElementById("next").textContent = clock.next;
    const run = document.getElementById("run");
    run.value = clock.running ? "pause" : "run";
    run.textContent = clock.running ? words.pause : words.run;
  };
  const phones = Array.from(document.querySelectorAll(".phone"));
  const nudge = (phone) => {
    phone.querySelector("iframe").contentWindow.postMessage("changed", location.origin);
    phone.classList.add("news");
    clearTimeout(phone.fading);
    phone.fading = setTimeout(() => phone.classList.remove("news"), 1500);
  };
  const form = document.getElementById("move");
  form.addEventListener("click", async (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    event.preventDefault();
    if (button.getAttribute("aria-disabled")) return;
    const others = Array.from(form.querySelectorAll("button"));
    const moving = button.id !== "run";
    if (moving) others.forEach((one) => one.setAttribute("aria-disabled", "true"));
    const slow = moving && setTimeout(() => { document.getElementById("next").textContent = words.busy; }, 400);
    try {
      const answer = await fetch(form.getAttribute("action"), {
        method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams({ action: button.value }),
      });
      if (answer.ok) show(await answer.json());
    } catch (e) { /* the stream shows the clock as it is when the line is back */ }
    clearTimeout(slow);
    others.forEach((one) => one.removeAttribute("aria-disabled"));
  });
  const stream = new EventSource("/demo/events");
  stream.addEventListener("clock", (event) => show(JSON.parse(event.data)));
  stream.addEventListener("phones", (event) => JSON.parse(event.data).forEach((number) => nudge(phones[number])));
})();
