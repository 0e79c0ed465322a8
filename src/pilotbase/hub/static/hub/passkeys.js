// Passkeys: a form asks the browser for one and sends its answer. Browsers know passkeys of named hosts, never of numbers.
"use strict";
const known = globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON && !/^[\d.]+$|:/.test(location.hostname);

async function asked(form) {
  const written = document.getElementById("passkey");
  if (written) return JSON.parse(written.textContent);
  return (await fetch(form.action, { headers: { Accept: "application/json" } })).json();
}

async function answered(form) {
  const { creation_options: creating, request_options: requesting } = await asked(form);
  const credential = creating
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(creating.publicKey) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(requesting.publicKey) });
  form.elements.credential.value = JSON.stringify(credential);
}

for (const form of known ? document.querySelectorAll("form[data-passkey]") : []) {
  const refused = form.querySelector("[data-refused]");
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    refused.hidden = true;
    try {
      await answered(form);
      form.submit();
    } catch {
      refused.hidden = false;
    }
  });
}
for (const note of known ? document.querySelectorAll("[data-no-passkey]") : []) note.hidden = true;
