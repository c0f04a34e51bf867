"use strict";
(() => {
  document.documentElement.classList.add("script");
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };

  // Tables are sorted by the header that is clicked, and back by another click.
  const keyOf = (row, column) => (column === 0 ? row.cells[0].textContent : row.cells[column].dataset.key);
  for (const table of document.querySelectorAll("table")) {
    const headers = [...table.tHead.rows[table.tHead.rows.length - 1].cells], body = table.tBodies[0];
    const order = new Intl.Collator("en", { numeric: true }).compare;
    headers.forEach((header, column) => {
      const button = make("button", { type: "button" }, ...header.childNodes);
      header.append(button);
      button.addEventListener("click", () => {
        const down = header.getAttribute("aria-sort") === "ascending" || (!header.hasAttribute("aria-sort") && !header.classList.contains("text"));
        for (const other of headers) other.removeAttribute("aria-sort");
        header.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...body.rows].sort((a, b) => {
          const x = keyOf(a, column), y = keyOf(b, column);
          if (x === "" || y === "") return (x === "") - (y === "");
          const difference = isNaN(x) || isNaN(y) ? order(x, y) : x - y;
          return down ? -difference : difference;
        });
        body.append(...rows);
      });
    });
    if (body.rows.length < 25) continue;
    const filter = make("input", { type: "search", class: "filter", placeholder: "Filter rows", "aria-label": `Filter rows of ${table.caption.textContent}` });
    filter.addEventListener("input", () => {
      const words = filter.value.toLowerCase().split(/\s+/);
      for (const row of body.rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
    });
    table.closest(".scroll").before(filter);
  }

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = make("textarea", { readonly: "" });
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };
  for (const button of document.querySelectorAll("[data-copy]")) {
    const words = button.textContent;
    button.addEventListener("click", async () => {
      await copy(document.getElementById(button.dataset.copy).textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = words; }, 1500);
    });
  }
  for (const button of document.querySelectorAll("[data-save]")) {
    button.addEventListener("click", () => {
      const url = URL.createObjectURL(new Blob([document.getElementById(button.dataset.save).textContent], { type: "application/toml" }));
      make("a", { href: url, download: button.dataset.name }).click();
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    });
  }

  // Everything is open on paper.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => { for (const details of opened) details.open = false; });
})();
