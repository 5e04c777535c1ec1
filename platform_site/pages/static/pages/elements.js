// Elements made by scripts. Texts are put in as text, never as markup.

export function element(name, properties = {}, ...children) {
  const { dataset, ...rest } = properties;
  const made = Object.assign(document.createElement(name), rest);
  Object.assign(made.dataset, dataset);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function button(text, label, work, properties = {}) {
  const made = element("button", { type: "button", textContent: text, title: label, ...properties });
  made.setAttribute("aria-label", label);
  made.addEventListener("click", work);
  return made;
}

// Elements are kept where nothing about them changed, so that focus, selection and what is under the pointer stay.
export function reconcile(list, items, make) {
  const before = new Map([...list.children].map((child) => [child.dataset.key, child]));
  let place = list.firstElementChild;
  for (const [key, signature, item] of items) {
    let child = before.get(key);
    if (!child || child.dataset.signature !== signature) {
      const made = make(item);
      made.dataset.key = key;
      made.dataset.signature = signature;
      if (child === place) place = place?.nextElementSibling ?? null;
      child?.remove();
      child = made;
    }
    before.delete(key);
    if (child === place) place = place.nextElementSibling;
    else list.insertBefore(child, place);
  }
  for (const child of before.values()) child.remove();
}
