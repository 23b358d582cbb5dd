// Before anything is drawn, so that nothing flashes in the other colours.
const chosen = localStorage.getItem("tutti-theme");
if (chosen === "light" || chosen === "dark") document.documentElement.dataset["theme"] = chosen;
