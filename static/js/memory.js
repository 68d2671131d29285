// What this phone remembers between visits, in localStorage; nothing where the browser keeps nothing.

/** @param {string} name @returns {any} */
export function recall(name) {
  try {
    return JSON.parse(localStorage.getItem(`soi.${name}`) ?? "null");
  } catch {
    return null;
  }
}

/** @param {string} name @param {any} value null forgets @returns {boolean} whether it is kept */
export function remember(name, value) {
  try {
    if (value === null) localStorage.removeItem(`soi.${name}`);
    else localStorage.setItem(`soi.${name}`, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
