// A file that a form cannot carry is sent in pieces by the API for uploads; the form then names it instead of the file.
// What was received stays there: an interrupted upload goes on where it was, also after the page was loaded again.
"use strict";

const PIECE = 4 << 20;
const RETRIES = 8;
const primes = [];
for (let number = 2; primes.length < 64; number++) {
  if (primes.every((prime) => number % prime)) primes.push(number);
}
const fraction = (value) => Math.floor((value % 1) * 2 ** 32);
const ROUNDS = primes.map((prime) => fraction(Math.cbrt(prime)));
const START = primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));

// SHA-256 (FIPS 180-4) as the bytes come: crypto.subtle wants all of them at once, and a secure context.
class Sha256 {
  constructor() {
    this.state = Uint32Array.from(START);
    this.words = new Uint32Array(64);
    this.rest = new Uint8Array(0);
    this.length = 0;
  }

  add(bytes) {
    this.length += bytes.length;
    const all = new Uint8Array(this.rest.length + bytes.length);
    all.set(this.rest);
    all.set(bytes, this.rest.length);
    const view = new DataView(all.buffer);
    let start = 0;
    for (; start + 64 <= all.length; start += 64) this.block(view, start);
    this.rest = all.slice(start);
  }

  block(view, start) {
    const w = this.words;
    for (let i = 0; i < 16; i++) w[i] = view.getUint32(start + 4 * i);
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15], y = w[i - 2];
      const s = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const t = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = w[i - 16] + s + w[i - 7] + t;
    }
    let [a, b, c, d, e, f, g, h] = this.state;
    for (let i = 0; i < 64; i++) {
      const s = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const one = (h + s + ((e & f) ^ (~e & g)) + ROUNDS[i] + w[i]) | 0;
      const t = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const two = (t + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
    }
    [a, b, c, d, e, f, g, h].forEach((value, i) => { this.state[i] += value; });
  }

  hex() {
    const length = this.length;
    const padding = new Uint8Array(((119 - (length % 64)) % 64) + 9);
    padding[0] = 0x80;
    const view = new DataView(padding.buffer);
    view.setUint32(padding.length - 8, Math.floor(length / 2 ** 29));
    view.setUint32(padding.length - 4, (length * 8) >>> 0);
    this.add(padding);
    return Array.from(this.state, (value) => value.toString(16).padStart(8, "0")).join("");
  }
}

// Not form.dataset: a field of that name would stand in its place.
const words = (form, name) => form.getAttribute(`data-${name}`);

class Refused extends Error {}

class Sending {
  constructor(form, file) {
    this.form = form;
    this.file = file;
    this.shown = form.querySelector("[data-progress]");
    this.token = form.elements.csrfmiddlewaretoken.value;
  }

  say(words, share) {
    this.shown.hidden = false;
    this.shown.querySelector("[data-words]").textContent = words;
    this.shown.querySelector("progress").value = share;
  }

  async ask(method, path, body, type) {
    const headers = { "X-CSRFToken": this.token };
    if (type) headers["Content-Type"] = type;
    const answer = await fetch(`/api/uploads${path}`, { method, body, headers });
    if (answer.ok) return answer.json();
    const problem = await answer.json().catch(() => ({}));
    if (answer.status === 409 || answer.status >= 500 || answer.status === 429) throw new Error(problem.title);
    throw new Refused([problem.title, problem.hint].filter(Boolean).join(" "));
  }

  async digest() {
    const hash = new Sha256();
    for (let start = 0; start < this.file.size; start += PIECE) {
      hash.add(new Uint8Array(await this.file.slice(start, start + PIECE).arrayBuffer()));
      this.say(words(this.form, "reading"), (100 * start) / this.file.size);
    }
    return `sha256:${hash.hex()}`;
  }

  async begun(digest) {
    const { name, size } = this.file;
    const open = await this.again(() => this.ask("GET", ""));
    const known = open.find((one) => one.digest === digest && one.size === size && one.name === name);
    return known || this.again(() => this.ask("POST", "", JSON.stringify({ name, size, digest }), "application/json"));
  }

  async again(ask) {
    for (let tried = 0; ; tried++) {
      try {
        return await ask();
      } catch (error) {
        if (error instanceof Refused || tried === RETRIES) throw error;
        this.say(words(this.form, "again"), this.shown.querySelector("progress").value);
        await new Promise((resume) => setTimeout(resume, Math.min(500 * 2 ** tried, 10000)));
      }
    }
  }

  async send() {
    let upload = await this.begun(await this.digest());
    while (upload.received < this.file.size) {
      const { received, identity } = upload;
      this.say(words(this.form, "sending"), (100 * received) / this.file.size);
      const piece = this.file.slice(received, received + PIECE);
      upload = await this.again(async () => {
        try {
          return await this.ask("PUT", `/${identity}/pieces/${received}`, piece, "application/octet-stream");
        } catch (error) {
          if (error instanceof Refused) throw error;
          const found = await this.ask("GET", `/${identity}`);
          if (found.received > received) return found;  // it came, and its answer was lost
          throw error;
        }
      });
    }
    return upload.finished ? upload : this.again(() => this.ask("POST", `/${upload.identity}/finish`));
  }
}

for (const form of document.querySelectorAll("form[data-pieces]")) {
  form.addEventListener("submit", async (event) => {
    const input = Array.from(form.querySelectorAll("input[type=file]")).find((one) => one.files.length);
    const file = input && input.files[0];
    if (!file || file.size <= Number(words(form, "pieces"))) return;
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    const sending = new Sending(form, file);
    try {
      const upload = await sending.send();
      let kept = form.elements.kept;
      if (!kept) {
        kept = Object.assign(document.createElement("input"), { type: "hidden", name: "kept" });
        form.append(kept);
      }
      kept.value = upload.identity;
      input.value = "";
      input.required = false;
      sending.say(words(form, "sent"), 100);
      form.submit();
    } catch (error) {
      button.disabled = false;
      sending.say(error instanceof Refused ? error.message : words(form, "failed"), 0);
    }
  });
}
