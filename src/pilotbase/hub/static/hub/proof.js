// Checks a certificate in the reader's browser, from public files and with the browser's own cryptography (WebCrypto).
// Each step is `holds`, `fails` or `unknown`. What the signatures cover: DSSE; the log: RFC 6962, C2SP signed-note.
const DAY = 86_400_000;
const IN_TOTO = "application/vnd.in-toto+json", STATEMENT = "https://in-toto.io/Statement/v1", PREDICATE = "urn:pilotbase:certificate:1";
const DELEGATION = "application/vnd.pilotbase.delegation+json";
const REVOCATIONS = "application/vnd.pilotbase.revocations+json";

const text = (bytes) => new TextDecoder("utf-8", { fatal: true }).decode(bytes);
const utf8 = (words) => new TextEncoder().encode(words);
const joined = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
const same = (one, other) => canonical(one) === canonical(other);
const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const unhex = (digits) => Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const unbase64 = (words) => Uint8Array.from(atob(words.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
const digest = async (bytes) => `sha256:${hex(await sha256(bytes))}`;
const within = (key, start, end) => Date.parse(key.valid_from) <= Date.parse(start) && Date.parse(end) <= Date.parse(key.valid_until);

function canonical(value) { // RFC 8785
  if (Array.isArray(value)) return `[${value.map(canonical)}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`)}}`;
}

async function verifies(raw, signature, message) {
  const key = await crypto.subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]);
  return crypto.subtle.verify({ name: "Ed25519" }, key, signature, message);
}

async function signedBy(envelope, key) {
  const payload = unbase64(envelope.payload), kind = utf8(envelope.payloadType);
  const message = joined(utf8(`DSSEv1 ${kind.length} `), kind, utf8(` ${payload.length} `), payload);
  for (const one of envelope.signatures) if (await verifies(unbase64(key.value), unbase64(one.sig), message)) return true;
  return false;
}

// The keys that sign for a base: those that a root, or a root that it has named, vouches for.
async function signersOf(envelope, roots) {
  const trusted = roots.roots.map((root) => ({ ...root, role: "root" }));
  for (const link of envelope.chain ?? []) {
    if (link.payloadType !== DELEGATION) continue;
    const payload = unbase64(link.payload), named = await digest(payload), granted = JSON.parse(text(payload));
    const end = granted.role === "signing" ? granted.valid_until : granted.valid_from;
    const identity = await digest(unbase64(granted.key.value));
    if (roots.roots.some((root) => root.issuer === granted.issuer && root.revoked_keys?.includes(identity))) continue;
    for (const root of trusted.filter((one) => one.role === "root" && one.issuer === granted.issuer)) {
      if (root.retired_at && !root.delegations?.includes(named)) continue;
      if (within(root, granted.valid_from, end) && await signedBy(link, root.key)) { trusted.push(granted); break; }
    }
  }
  const found = [];
  for (const key of trusted) if (key.role === "signing" && await signedBy(envelope, key.key)) found.push(key);
  return found;
}

async function keyHolds({ envelope, roots, certificate }) {
  const entitled = (key) => key.issuer === certificate.issuer && within(key, certificate.issued_at, certificate.expires_at);
  return envelope.payloadType === IN_TOTO && (await signersOf(envelope, roots)).some(entitled);
}

function statementHolds({ statement, certificate, serial }) {
  const { application, scenario } = certificate, version = `${application.name}@${application.version}`;
  const about = [[`application:${version}`, application.digest], [`environment:${version}`, application.environment],
    ["plan", certificate.plan], [`scenario:${scenario.name}`, scenario.digest], ["report", certificate.report]];
  const subjects = about.map(([name, value]) => ({ name, digest: Object.fromEntries([value.split(":")]) }));
  const kind = [statement._type, statement.predicateType];
  return certificate.serial === `sha256:${serial}` && same(kind, [STATEMENT, PREDICATE]) && same(statement.subject, subjects);
}

const timeHolds = ({ certificate, now }) => Date.parse(certificate.issued_at) <= now && now < Date.parse(certificate.expires_at);

async function listHolds({ revocations, roots, certificate, now }) {
  const listed = JSON.parse(text(unbase64(revocations.payload))), issued = Date.parse(listed.issued_at);
  const signs = (key) => key.issuer === listed.issuer && within(key, listed.issued_at, listed.issued_at);
  if (revocations.payloadType !== REVOCATIONS || !(await signersOf(revocations, roots)).some(signs)) return false;
  if (listed.issuer !== certificate.issuer) return null;
  const serials = [certificate.serial, ...(certificate.carries?.certificates ?? [])];
  const names = (entries) => (entries ?? []).some((entry) => serials.includes(entry.serial));
  if (names(listed.revoked)) return false;
  const fresh = issued <= now && now <= Math.min(Date.parse(listed.next_update), issued + DAY);
  return fresh ? !names(listed.suspended) : null;
}

// The log's key signed the checkpoint, the entry is in its tree (RFC 9162, 2.1.3.2) and names this very certificate.
async function logHolds({ envelope, certificate, proof }) {
  const { number, entry, path } = proof.entries.head, checkpoint = await opened(proof);
  if (!checkpoint || number >= checkpoint.size) return false;
  let position = number, last = checkpoint.size - 1, hashed = await sha256(joined([0], utf8(entry)));
  for (const sibling of path.map(unhex)) {
    if (last === 0) return false;
    const isRight = position % 2 === 1 || position === last;
    hashed = await sha256(isRight ? joined([1], sibling, hashed) : joined([1], hashed, sibling));
    while (isRight && position % 2 === 0 && position) [position, last] = [position >> 1, last >> 1];
    [position, last] = [position >> 1, last >> 1];
  }
  const issued = { document: "issued-certificate/1", certificate, envelope: whole(envelope) };
  const named = JSON.parse(entry).facts[`head certificate:${certificate.serial}`];
  return last === 0 && same([...hashed], [...checkpoint.root]) && named === await digest(utf8(canonical(issued)));
}

// An envelope with what it leaves out where it is sent.
const whole = ({ payload, payloadType, signatures, chain = [] }) => ({ payload, payloadType, chain: chain.map(whole),
  signatures: signatures.map(({ keyid = "", sig }) => ({ keyid, sig })) });

async function opened({ key, checkpoint }) {
  const [, origin, encoded] = key.match(/^(.+?)\+[0-9a-f]{8}\+(.+)$/), raw = unbase64(encoded).slice(1);
  const [body, signatures] = checkpoint.split("\n\n"), [name, size, root] = body.split("\n");
  for (const line of signatures.split("\n").filter((one) => name === origin && one.startsWith(`— ${origin} `))) {
    const signature = unbase64(line.split(" ").at(-1)).slice(4);
    if (await verifies(raw, signature, utf8(`${body}\n`))) return { size: Number(size), root: unbase64(root) };
  }
  return null;
}

const STEPS = { key: keyHolds, statement: statementHolds, time: timeHolds, list: listHolds, log: logHolds };

// Yields [step, "holds" | "fails" | "unknown"]; what cannot be read does not hold.
export async function* check({ serial, envelope, roots, revocations, proof, now = Date.now() }) {
  for (const [step, holds] of Object.entries(STEPS)) {
    let found = false;
    try {
      const statement = JSON.parse(text(unbase64(envelope.payload)));
      found = await holds({ serial, envelope, roots, revocations, proof, now, statement, certificate: statement.predicate });
    } catch (error) {
      if (error.name === "NotSupportedError" || !globalThis.crypto?.subtle) found = null;
    }
    yield [step, found === null ? "unknown" : found ? "holds" : "fails"];
  }
}

async function read(address) {
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

async function run(list) {
  const files = Object.entries(JSON.parse(list.dataset.files));
  const found = Object.fromEntries(await Promise.all(files.map(async ([name, address]) => [name, await read(address).catch(() => null)])));
  for await (const [step, outcome] of check({ serial: list.dataset.serial, ...found })) {
    const mark = list.querySelector(`[data-step="${step}"]`), shown = list.querySelector(`[data-outcome="${outcome}"]`);
    mark.replaceChildren(shown.content.cloneNode(true));
  }
}

const list = globalThis.document?.querySelector("[data-proof]");
if (list) {
  const button = document.querySelector("[data-prove]");
  button.hidden = false;
  button.addEventListener("click", async () => { button.disabled = true; await run(list); button.disabled = false; });
}
