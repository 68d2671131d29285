// Beside packs that are kept for a while: how long yet. When the time is over, the page is loaded anew.
for (const card of document.querySelectorAll("[data-until]")) {
  const until = new Date(card.dataset.until).getTime();
  const words = card.querySelector("[data-left]");
  const tell = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    if (left <= 0) {
      clearInterval(timer);
      // A clock that runs ahead of the server's finds the packs still there, once.
      if (!sessionStorage.getItem(card.dataset.until)) {
        sessionStorage.setItem(card.dataset.until, "over");
        location.reload();
      }
      return;
    }
    const minutes = Math.floor(left / 60);
    words.textContent = words.dataset.left.replace("%s", `${minutes}:${String(left % 60).padStart(2, "0")}`);
  };
  const timer = setInterval(tell, 1000);
  tell();
}
