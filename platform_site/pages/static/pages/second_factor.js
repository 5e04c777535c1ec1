// What is shown while a second factor is set up: the secret in three forms, and afterwards the recovery codes.
import { byId } from "./forms.js";

export function drawSetUp({ secret, otpauthUri, qrSvg }) {
  const picture = document.createElement("img");
  // As a picture, so that nothing in it could run.
  picture.src = `data:image/svg+xml,${encodeURIComponent(qrSvg)}`;
  picture.alt = "QR code for an authenticator app";
  byId("qr").replaceChildren(picture);
  byId("otpauth").href = otpauthUri;
  byId("secret").textContent = secret.match(/.{1,4}/g).join(" ");
  offerToCopy(byId("copy-secret"), secret);
  byId("set-up-form").reset();
}

export function eraseSetUp() {
  byId("qr").replaceChildren();
  byId("otpauth").removeAttribute("href");
  byId("secret").textContent = "";
}

export function drawRecoveryCodes(codes) {
  byId("codes").replaceChildren(...codes.map(codeItem));
  const text = codes.join("\n") + "\n";
  offerToCopy(byId("copy-codes"), text);
  const download = byId("download-codes");
  // The address holds what it leads to, so there is nothing to take back later.
  download.href = `data:text/plain;charset=utf-8,${encodeURIComponent(text)}`;
}

export function eraseRecoveryCodes() {
  byId("codes").replaceChildren();
  byId("download-codes").removeAttribute("href");
}

function codeItem(code) {
  const words = document.createElement("code");
  words.textContent = code;
  const item = document.createElement("li");
  item.append(words);
  return item;
}

// The clipboard exists only where the page came over TLS or from this very machine.
function offerToCopy(button, text) {
  button.hidden = !navigator.clipboard;
  button.onclick = async () => {
    await navigator.clipboard.writeText(text);
    const before = button.textContent;
    button.textContent = "Copied";
    button.disabled = true;
    setTimeout(() => {
      button.textContent = before;
      button.disabled = false;
    }, 1500);
  };
}
