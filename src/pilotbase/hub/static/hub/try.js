// Sends an operation of the API in the reader's own session and shows the answer; without script the shell has to do.
const form = document.querySelector("[data-try]"), answer = document.querySelector("[data-answer]");
const LONGEST = 50_000;

function request() {
  const { method, media } = form.dataset, headers = { Accept: "application/json", "Accept-Language": document.documentElement.lang };
  let path = form.dataset.path, body;
  const query = new URLSearchParams();
  for (const field of form.querySelectorAll("[data-in]")) {
    if (field.dataset.in === "path") path = path.replace(`{${field.name}}`, field.value.split("/").map(encodeURIComponent).join("/"));
    else if (field.dataset.in === "query" && field.value) query.set(field.name, field.value);
    else if (field.dataset.in === "body") body = field.type === "file" ? field.files[0] : field.value;
  }
  if (media) headers["Content-Type"] = media;
  if (method !== "GET") headers["X-CSRFToken"] = form.elements.csrfmiddlewaretoken.value;
  if ("keyed" in form.dataset) headers["Idempotency-Key"] = crypto.randomUUID();
  return [`${path}${query.size ? "?" : ""}${query}`, { method, headers, body: body || undefined }];
}

async function shown(response) {
  const kind = response.headers.get("Content-Type") ?? "";
  if (!/json|text|xml/.test(kind)) return `${kind} ${(await response.blob()).size}`.trim();
  const words = await response.text();
  try {
    return JSON.stringify(JSON.parse(words), null, 2);
  } catch {
    return words;
  }
}

function part(tag, words, look) {
  const made = document.createElement(tag);
  made.textContent = words.length > LONGEST ? `${words.slice(0, LONGEST)} …` : words;
  made.className = look;
  return made;
}

form.hidden = false;
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const [address, options] = request(), started = performance.now();
  const response = await fetch(address, options).catch(() => null), words = response && await shown(response).catch(() => null);
  if (words === null) return answer.replaceChildren(part("p", answer.dataset.failed, "status fail"));
  const took = Math.round(performance.now() - started);
  const headers = [...response.headers].filter(([name]) => /^(etag|location|retry-after|upload-offset|content-type)$/.test(name));
  const pre = part("pre", words || answer.dataset.none, "code");
  pre.tabIndex = 0;
  answer.replaceChildren(
    part("p", `${options.method} ${address}`, "aside"),
    part("p", `${response.status} ${response.statusText} · ${took} ms`, response.ok ? "status pass" : "status fail"),
    part("p", headers.map(([name, value]) => `${name}: ${value}`).join("\n"), "aside quote"), pre);
});
