// Additions to pages that work without this file: theme switch, tooltips, series toggles, keyboard in
// figures, filters and sorting. Loaded in the head so that the theme is set before the first paint.
"use strict";

(() => {
  const root = document.documentElement;
  const stored = () => {
    try { return localStorage.getItem("nightjar-theme"); } catch { return null; }
  };
  const wished = new URLSearchParams(location.search).get("theme") || stored();
  if (wished === "dark" || wished === "light") root.dataset.theme = wished;

  const isDark = () =>
    root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

  function themeSwitch() {
    const button = document.querySelector("button.theme");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      try { localStorage.setItem("nightjar-theme", root.dataset.theme); } catch { /* private mode: for this page only */ }
    });
  }

  // One tooltip for all hit areas. The native <title> becomes its text and stays as the accessible name.
  function tooltips() {
    const tip = document.createElement("div");
    tip.className = "tip";
    tip.setAttribute("role", "status");
    tip.hidden = true;
    document.body.append(tip);
    let current = null;

    const show = (hit) => {
      if (current === hit) return;
      hide();
      current = hit;
      hit.classList.add("at");
      tip.textContent = hit.dataset.tip;
      tip.hidden = false;
      const box = hit.getBoundingClientRect();
      const wide = Math.min(box.width, 200);
      const left = box.left + wide / 2 - tip.offsetWidth / 2;
      const edge = document.documentElement.clientWidth - tip.offsetWidth - 8;
      const above = box.top - tip.offsetHeight - 8;
      tip.style.left = `${Math.max(8, Math.min(left, edge)) + scrollX}px`;
      tip.style.top = `${(above > 0 ? above : box.bottom + 8) + scrollY}px`;
    };
    const hide = () => {
      if (current) current.classList.remove("at");
      current = null;
      tip.hidden = true;
    };

    for (const figure of document.querySelectorAll("svg.figure")) {
      const hits = [...figure.querySelectorAll(".hits > *")];
      if (!hits.length) continue;
      for (const hit of hits) {
        const title = hit.querySelector("title");
        hit.dataset.tip = title.textContent;
        hit.setAttribute("aria-label", title.textContent.replaceAll("\n", ", "));
        title.remove();
        hit.addEventListener("pointerenter", () => show(hit));
        hit.addEventListener("pointerleave", hide);
      }
      keyboard(figure, hits, show, hide);
    }
    addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  }

  // Left and right go through the points from left to right, up and down through those at one place.
  function keyboard(figure, hits, show, hide) {
    const holder = figure.parentElement;
    if (!holder.hasAttribute("tabindex")) return;
    const place = (hit) => {
      const box = hit.firstElementChild.getBBox();
      return [Math.round(box.x), box.y];
    };
    let at = -1;
    holder.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const visible = hits.filter((hit) => !hit.classList.contains("off"));
      if (event.key === "Enter" && visible[at]?.href) {
        location.href = visible[at].href.baseVal;
        return;
      }
      if (!step || !visible.length) return;
      event.preventDefault();
      visible.sort((a, b) => place(a)[0] - place(b)[0] || place(a)[1] - place(b)[1]);
      at = Math.max(0, Math.min(visible.length - 1, at < 0 ? visible.length - 1 : at + step));
      show(visible[at]);
    });
    holder.addEventListener("blur", () => { at = -1; hide(); });
  }

  function toggles() {
    for (const chart of document.querySelectorAll("figure.chart")) {
      const keys = [...chart.querySelectorAll(".key[data-series]")];
      if (keys.length < 2) continue;
      for (const key of keys) {
        key.setAttribute("role", "button");
        key.setAttribute("aria-pressed", "true");
        key.tabIndex = 0;
        key.title = "Show or hide";
        const flip = () => {
          const on = key.getAttribute("aria-pressed") !== "true";
          key.setAttribute("aria-pressed", String(on));
          for (const part of chart.querySelectorAll(`svg .s${key.dataset.series}`)) {
            part.style.display = on ? "" : "none";
            part.classList.toggle("off", !on);
          }
        };
        key.addEventListener("click", flip);
        key.addEventListener("keydown", (event) => {
          if (event.key === " " || event.key === "Enter") { event.preventDefault(); flip(); }
        });
      }
    }
  }

  function filters() {
    for (const field of document.querySelectorAll("input.filter")) {
      field.hidden = false;
      const rows = [...document.getElementById(field.dataset.table).querySelectorAll("tbody tr")];
      field.addEventListener("input", () => {
        const wanted = field.value.trim().toLowerCase();
        for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
      });
    }
  }

  function sorting() {
    for (const table of document.querySelectorAll("table.data")) {
      const body = table.tBodies[0];
      if (!body || body.rows.length < 3) continue;
      [...table.tHead.rows[0].cells].forEach((head, column) => {
        const button = document.createElement("button");
        button.type = "button";
        const link = head.querySelector("a");
        if (link) button.setAttribute("aria-label", `Sort by ${link.textContent}`);
        else button.append(...head.childNodes);
        head.append(button);
        button.addEventListener("click", () => {
          const down = head.getAttribute("aria-sort") === "ascending";
          for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
          head.setAttribute("aria-sort", down ? "descending" : "ascending");
          // Numbers before words before nothing, so that failures never stand between numbers.
          const key = (row) => {
            const cell = row.cells[column];
            if (cell.dataset.v !== undefined) return [0, Number(cell.dataset.v), ""];
            const text = cell.textContent.trim();
            return [text === "–" || text === "" ? 2 : 1, 0, text];
          };
          const sign = down ? -1 : 1;
          const rows = [...body.rows].map((row) => [key(row), row]);
          rows.sort(([a], [b]) => a[0] - b[0] || sign * (a[1] - b[1] || a[2].localeCompare(b[2])));
          body.append(...rows.map(([, row]) => row));
        });
      });
    }
  }

  addEventListener("DOMContentLoaded", () => {
    themeSwitch();
    tooltips();
    toggles();
    filters();
    sorting();
  });
})();
