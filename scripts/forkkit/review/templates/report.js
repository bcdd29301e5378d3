// Only a convenience: opens or closes all sections at once.
const button = document.getElementById("open-all");
const folds = document.querySelectorAll("details");
button.hidden = folds.length === 0;
button.addEventListener("click", () => {
  const open = button.getAttribute("aria-pressed") === "false";
  folds.forEach((fold) => { fold.open = open; });
  button.setAttribute("aria-pressed", String(open));
});
