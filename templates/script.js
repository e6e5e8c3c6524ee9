"use strict";
(function () {
  const all = (selector, within) => Array.from((within || document).querySelectorAll(selector));
  all(".search, .copy").forEach((element) => { element.hidden = false; });
  all(".copy").forEach((button) => button.addEventListener("click", () => {
    const text = button.parentElement.querySelector("code").textContent;
    const done = () => { button.textContent = "Copied"; setTimeout(() => { button.textContent = "Copy"; }, 1500); };
    const select = () => { getSelection().selectAllChildren(button.parentElement.querySelector("code")); };
    if (navigator.clipboard) { navigator.clipboard.writeText(text).then(done, select); } else { select(); }
  }));
  all("[data-search]").forEach((input) => input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    all(".item", document.getElementById(input.dataset.search)).forEach((item) => {
      const text = item.textContent.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
    });
  }));
  all("[data-open]").forEach((button) => button.addEventListener("click", () => {
    const items = all("details", document.getElementById(button.dataset.open));
    const open = items.some((item) => !item.open);
    items.forEach((item) => { item.open = open; });
    button.textContent = open ? "Close all" : "Open all";
  }));
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") { target.open = true; target.querySelector("summary").focus(); target.scrollIntoView(); }
  };
  addEventListener("hashchange", reveal);
  reveal();
  addEventListener("beforeprint", () => all("details").forEach((item) => { item.open = true; }));
}());
