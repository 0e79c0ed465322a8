// Costs as sliders, and what the answers so far lead to, live. Without script the button below it does the same.
"use strict";
const [draft, outlook, doctor, mistakes] = ["#draft", "#outlook", "#doctor", "#mistakes"].map((id) => document.querySelector(id));
if (draft && outlook) {
  const costs = [1, 10, 100, 1000, 10000, 100000].flatMap((power) => [1, 2, 5].map((step) => step * power)).concat(1e6);
  const nearest = (value) => costs.reduce((best, one, at) => (Math.abs(Math.log(one / value)) < Math.abs(Math.log(costs[best] / value)) ? at : best), 0);
  const moving = ["kept", "target", "group_or_time", "dates", "cost_of_miss", "cost_of_false_alarm", "csrfmiddlewaretoken", "examined", "fixes"];
  const moves = (name) => moving.includes(name) || name.startsWith("empty.") || name.startsWith("mistakes");
  let asked = new AbortController(), timer = 0;

  for (const field of draft.querySelectorAll("[data-slider]")) {
    const slider = Object.assign(document.createElement("input"), { type: "range", min: 0, max: costs.length - 1, step: 1 });
    slider.setAttribute("aria-label", field.labels[0].textContent);
    const follow = () => {
      slider.value = field.value > 0 ? nearest(field.value) : 0;
      slider.setAttribute("aria-valuetext", field.value);
    };
    slider.addEventListener("input", () => {
      field.value = costs[slider.value];
      follow();
    });
    field.addEventListener("input", follow);
    follow();
    field.after(slider);
  }

  async function calculate() {
    asked.abort();
    asked = new AbortController();
    const answers = new URLSearchParams({ calculate: "part" });
    for (const [name, value] of new FormData(draft)) if (moves(name)) answers.append(name, value);
    outlook.ariaBusy = doctor.ariaBusy = "true";
    try {
      const answer = await fetch(location.href, { method: "POST", body: answers, signal: asked.signal });
      const page = new DOMParser().parseFromString(answer.ok ? await answer.text() : "", "text/html");
      const at = document.activeElement.id;
      for (const part of answer.ok && !answer.redirected ? [outlook, doctor, mistakes] : [])
        part.replaceChildren(...page.querySelector(`#${part.id}`).childNodes);
      if (at) document.getElementById(at)?.focus();
      outlook.ariaBusy = doctor.ariaBusy = null;
    } catch (error) {
      if (error.name !== "AbortError") outlook.ariaBusy = doctor.ariaBusy = null;
    }
  }

  draft.addEventListener("input", (event) => {
    if (event.target.type !== "range" && !moves(event.target.name)) return;
    clearTimeout(timer);
    timer = setTimeout(calculate, 200);
  });
}
