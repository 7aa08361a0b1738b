// Everything works without this script. It shows a slider over time, and keeps a form from being sent twice.
"use strict";
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
for (const form of document.querySelectorAll("form[data-clocks]")) {
  const field = form.elements["as_of"];
  const slider = document.createElement("input");
  const days = 180;
  const today = new Date();
  slider.type = "range";
  slider.min = String(-days);
  slider.max = "0";
  slider.setAttribute("aria-label", field.labels[0].textContent.trim());
  const shown = field.value ? Math.round((new Date(field.value) - today) / 86400000) : 0;
  slider.value = String(Math.max(-days, Math.min(0, shown)));
  slider.addEventListener("input", () => {
    const day = new Date(today);
    day.setDate(day.getDate() + Number(slider.value));
    field.value = slider.value === "0" ? "" : day.toISOString().slice(0, 10);
  });
  slider.addEventListener("change", () => form.requestSubmit());
  field.labels[0].after(slider);
}
