"use strict";
const units = [...document.querySelectorAll(".unit")];
const buttons = [...document.querySelectorAll("[data-filter]")];

function show(status) {
  for (const button of buttons) button.classList.toggle("on", button.dataset.filter === status);
  for (const unit of units) unit.hidden = status !== "" && unit.dataset.status !== status;
  for (const file of document.querySelectorAll(".file"))
    file.hidden = status !== "" && !file.querySelector(`.unit[data-status="${status}"]`);
}

function unfold(fold) {
  for (let row = fold.nextElementSibling; row && row.hidden; row = row.nextElementSibling) row.hidden = false;
  fold.remove();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if ("filter" in button.dataset) show(button.dataset.filter);
  else if (button.id === "unfold") document.querySelectorAll(".fold").forEach(unfold);
  else if (button.closest(".fold")) unfold(button.closest(".fold"));
  else if (button.classList.contains("copy")) {
    navigator.clipboard.writeText(button.previousElementSibling.textContent);
    button.textContent = "Copied";
  }
});

function openTarget() {
  const unit = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (unit && unit.tagName === "DETAILS") unit.open = true;
}
addEventListener("hashchange", openTarget);
openTarget();
