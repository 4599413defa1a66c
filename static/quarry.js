// What HTML and htmx cannot do: keys, drag and drop, a progress bar for each file, moving results.
// Every page works without it.
"use strict";

// -- Keys: "/" to the search box, arrows through the results, Enter opens (a link does that by itself).
const hits = () => [...document.querySelectorAll("#results .hit")].filter((link) => link.checkVisibility());

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const box = document.getElementById("q");
  const inField = event.target.closest("input, textarea, select");
  if (event.key === "/" && !inField) {
    event.preventDefault();
    if (box) box.select();
    else location.assign("/");
    return;
  }
  if (!box || (inField && inField !== box) || !["ArrowDown", "ArrowUp", "Escape"].includes(event.key)) return;
  const links = hits();
  const at = links.indexOf(document.activeElement);
  if (event.key === "Escape" && at >= 0) return box.focus();
  if (at < 0 && event.target !== box && event.target !== document.body) return;
  const next = event.key === "ArrowDown" ? links[at + 1] : event.key === "ArrowUp" && at >= 0 ? links[at - 1] || box : null;
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.closest(".group")?.scrollIntoView({ block: "nearest" });
});

// -- Where what had the focus is gone after a swap, the part of the page that it stood in has it.
let stood = null;
document.addEventListener("htmx:beforeSwap", (event) => {
  stood = event.detail.target.contains(document.activeElement) ? event.detail.target : null;
});
document.addEventListener("htmx:afterSettle", () => {
  if (!stood?.isConnected || document.activeElement !== document.body) return;
  stood.tabIndex = -1;
  stood.focus({ preventScroll: true });
});

// -- Reranked results glide to their new places, where the browser can and the person likes motion. Who was on
// a result stays on it: the focus (htmx keeps it by its id), what was unfolded, and its place in the window if
// it would leave it.
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const nameGroups = () => {
  for (const group of document.querySelectorAll("#results .group")) group.style.viewTransitionName = group.id;
};
document.addEventListener("htmx:beforeTransition", (event) => {
  if (calm.matches || document.hidden) return event.preventDefault();
  nameGroups();
});
const reranks = (event) => event.detail.requestConfig?.elt.id === "reranking";
const inView = (element) => {
  const { top, bottom } = element.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
};
let reading = { open: [] };
document.addEventListener("htmx:beforeSwap", (event) => {
  const at = document.activeElement?.closest("#results *");
  reading = {
    group: at?.closest(".group")?.id,
    top: at && inView(at) ? at.getBoundingClientRect().top : null,
    open: reranks(event) ? [...document.querySelectorAll("#results details[open]")].map((details) => details.id) : [],
  };
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id !== "results") return;
  nameGroups();
  for (const id of reading.open) document.getElementById(id)?.setAttribute("open", "");
  if (reading.group && document.activeElement === document.body) {
    document.getElementById(reading.group)?.querySelector(".hit")?.focus({ preventScroll: true });
  }
  const at = document.activeElement?.closest("#results *");
  if (at && reading.top !== null && reranks(event) && !inView(at)) {
    scrollBy({ top: at.getBoundingClientRect().top - reading.top, behavior: "instant" });
  }
});

// -- A suggested question is asked as if it had been typed: the first order at once, then the reranked one.
document.addEventListener("click", (event) => {
  const link = event.target.closest(".welcome li a");
  const form = document.getElementById("search");
  if (!link || !form || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  form.elements.q.value = new URL(link.href).searchParams.get("q");
  form.requestSubmit();
});

// -- Who presses Enter before the typing was answered has asked already; an emptied box brings the welcome back.
let asked = null;
document.addEventListener("submit", (event) => {
  if (event.target.id === "search") asked = event.target.elements.q.value;
});
document.addEventListener("htmx:confirm", (event) => {
  const box = event.detail.elt;
  if (box.id !== "q") return;
  if (!box.value.trim()) {
    event.preventDefault();
    if (document.querySelector("#results > *")) location.assign("/");
  } else if (box.value === asked) event.preventDefault();
  else asked = null;
});

// -- A server that does not answer. Where only the reranked order does not come, the first one stays.
const trouble = (shown) => document.getElementById("trouble")?.toggleAttribute("hidden", !shown);
document.addEventListener("htmx:beforeSwap", (event) => {
  if (reranks(event) && event.detail.xhr.status >= 400) Object.assign(event.detail, { shouldSwap: false, isError: true });
});
for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    if (!reranks(event)) return trouble(true);
    event.detail.requestConfig.elt.remove();
  });
}
document.addEventListener("htmx:afterSwap", () => trouble(false));

// -- Uploads: one request a file, two at a time, a progress bar each.
const form = document.getElementById("upload");
if (form) {
  const input = form.querySelector("input[type=file]");
  const list = document.getElementById("outcomes");
  const limit = Number(form.dataset.maxMegabytes);
  const queue = [];
  let running = 0;
  form.classList.add("scripted");

  const add = (files) => {
    for (const file of files) {
      const row = document.createElement("li");
      const name = document.createElement("span");
      name.className = "name";
      name.textContent = file.name;
      const bar = document.createElement("progress");
      bar.max = 1;
      bar.value = 0;
      bar.setAttribute("aria-label", `Upload of ${file.name}`);
      row.append(name, bar);
      list.append(row);
      if (file.size > limit * 2 ** 20) refuse(row, `is larger than ${limit} MB. Split it, or ask an admin.`);
      else queue.push([file, row, bar]);
    }
    next();
  };

  const refuse = (row, sentence) => {
    row.className = "refused";
    const text = document.createElement("span");
    text.className = "sentence";
    text.textContent = sentence;
    row.querySelector("progress")?.replaceWith(text);
  };

  const next = () => {
    while (running < 2 && queue.length) send(...queue.shift());
  };

  const send = (file, row, bar) => {
    running += 1;
    const data = new FormData();
    data.append(input.name, file);
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("HX-Request", "true");
    request.setRequestHeader("X-CSRFToken", form.querySelector("[name=csrfmiddlewaretoken]").value);
    request.upload.onprogress = (event) => event.lengthComputable && (bar.value = event.loaded / event.total);
    request.onerror = () => refuse(row, "was not sent: the connection broke. Add it again.");
    request.onload = () => {
      if (request.getResponseHeader("HX-Redirect")) return location.assign(request.getResponseHeader("HX-Redirect"));
      if (request.status === 413) return refuse(row, "is too large for this server.");
      if (request.status >= 300 && request.status !== 422) return refuse(row, "was not stored: the server failed. Add it again.");
      htmx.swap(row, request.responseText, { swapStyle: "outerHTML" });
    };
    request.onloadend = () => {
      running -= 1;
      next();
      htmx.trigger(document.body, "uploaded");
    };
    request.send(data);
  };

  input.addEventListener("change", () => {
    add(input.files);
    input.value = "";
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
  document.addEventListener("dragover", () => form.classList.add("over"));
  document.addEventListener("dragleave", (event) => event.relatedTarget || form.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    form.classList.remove("over");
    add(event.dataTransfer.files);
  });
  addEventListener("beforeunload", (event) => (running || queue.length) && event.preventDefault());
}
