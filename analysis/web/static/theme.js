// Before anything is drawn: the choice of light or dark, where one was made.
(() => {
  let chosen = null;
  try { chosen = localStorage.getItem("tidemark-theme"); } catch { /* storage refused: the system decides */ }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
