// What this phone keeps: records, photos, the last pack, drafts. IndexedDB, each change whole and on the disk before
// it counts.

const DATABASE = "soi-field";
/** How a record is laid out. A record of a later layout is left alone by an older app, and waits for the newer one. */
export const LAYOUT = 1;

/** Each brings a database of the layout before to the next one. Never changed once released; new ones are added. */
const MIGRATIONS = [
  (database) => {
    database.createObjectStore("records", { keyPath: "id" }).createIndex("by", "by");
    database.createObjectStore("photos", { keyPath: "sha256" });
    database.createObjectStore("packs", { keyPath: "member" });
    database.createObjectStore("drafts", { keyPath: "name" });
    database.createObjectStore("drops", { keyPath: "id" });
    database.createObjectStore("meta", { keyPath: "name" });
  },
];

/** There is no room. What was kept before is still there. */
export class StoreFull extends Error {}

export class Store {
  #database = null;

  /** Ask that the browser not throw this away; it may say no. */
  static async persist() {
    await navigator.storage?.persist?.().catch(() => false);
  }

  /** @returns {Promise<"ok" | "low">} how much room there is */
  static async room() {
    const { quota = 0, usage = 0 } = (await navigator.storage?.estimate?.().catch(() => null)) ?? {};
    const left = quota - usage;
    return quota && (left < 20 * 2 ** 20 || left < quota / 20) ? "low" : "ok";
  }

  /** One member's records, in the order in which they were made. @param {string} by @returns {Promise<any[]>} */
  async records(by) {
    const all = await this.#run("readonly", ["records"], ({ records }) => records.index("by").getAll(by));
    return all.filter((one) => one.layout <= LAYOUT).sort((a, b) => a.n - b.n);
  }

  /** How many records of other members still wait here. @param {string} by */
  async others(by) {
    const all = await this.#run("readonly", ["records"], ({ records }) => records.getAll());
    return all.filter((one) => one.by !== by && one.entry === null).length;
  }

  /** @param {string} id @returns {Promise<any>} */
  record(id) {
    return this.#run("readonly", ["records"], ({ records }) => records.get(id));
  }

  /** Keep a new record with its photos, all or nothing. Throws StoreFull. @param {any} record @param {any[]} photos */
  async add(record, photos) {
    await this.#run("readwrite", ["records", "photos", "meta"], (stores) => {
      stores.meta.get("last").onsuccess = ({ target }) => {
        const n = (target.result?.value ?? 0) + 1;
        stores.meta.put({ name: "last", value: n });
        stores.records.add({ ...record, n, layout: LAYOUT });
      };
      for (const photo of photos) {
        // The same picture may belong to a record before: what of it was sent stays sent.
        stores.photos.get(photo.sha256).onsuccess = ({ target }) => {
          if (!target.result) stores.photos.put(photo);
        };
      }
    });
  }

  /**
   * Change a record. @param {string} id
   * @param {(record: any) => Record<string, any> | null} how what is to be otherwise, given the record as it is now
   * @returns {Promise<any>} the changed record; null when it is gone, or nothing was to be changed
   */
  async change(id, how) {
    let changed = null;
    await this.#run("readwrite", ["records"], ({ records }) => {
      records.get(id).onsuccess = ({ target }) => {
        const changes = target.result ? how(target.result) : null;
        if (!changes) return;
        changed = { ...target.result, ...changes };
        records.put(changed);
      };
    });
    return changed;
  }

  /**
   * Remove a record and those of its photos that no other record has. @param {string} id
   * @param {(record: any) => boolean} may @param {any} [drop] a notice for the server, kept in the same step
   * @returns {Promise<boolean>} false when it is gone, or `may` says no
   */
  async remove(id, may, drop = null) {
    let removed = false;
    await this.#run("readwrite", ["records", "photos", "drops"], ({ records, photos, drops }) => {
      records.getAll().onsuccess = ({ target }) => {
        const record = target.result.find((one) => one.id === id);
        if (!record || !may(record)) return;
        removed = true;
        records.delete(id);
        const others = new Set(target.result.filter((one) => one.id !== id).flatMap((one) => one.photos));
        for (const photo of record.photos) if (!others.has(photo)) photos.delete(photo);
        if (drop) drops.put(drop);
      };
    });
    return removed;
  }

  /** @param {string} sha256 @returns {Promise<any>} */
  photo(sha256) {
    return this.#run("readonly", ["photos"], ({ photos }) => photos.get(sha256));
  }

  /** All photos by name, without their bytes. @returns {Promise<Map<string, any>>} */
  async photos() {
    const found = new Map();
    await this.#run("readonly", ["photos"], ({ photos }) => {
      photos.openCursor().onsuccess = ({ target }) => {
        if (!target.result) return;
        const { blob, ...photo } = target.result.value;
        found.set(photo.sha256, { ...photo, kept: blob !== null });
        target.result.continue();
      };
    });
    return found;
  }

  /** @param {string} sha256 @param {Record<string, any>} changes */
  async changePhoto(sha256, changes) {
    await this.#run("readwrite", ["photos"], ({ photos }) => {
      photos.get(sha256).onsuccess = ({ target }) => {
        if (target.result) photos.put({ ...target.result, ...changes });
      };
    });
  }

  /** @param {"packs" | "drafts" | "meta"} store @param {string} key @returns {Promise<any>} */
  get(store, key) {
    return this.#run("readonly", [store], (stores) => stores[store].get(key));
  }

  /** @param {"drops"} store @returns {Promise<any[]>} */
  all(store) {
    return this.#run("readonly", [store], (stores) => stores[store].getAll());
  }

  /** @param {"packs" | "drafts" | "meta"} store @param {any} value */
  async put(store, value) {
    await this.#run("readwrite", [store], (stores) => stores[store].put(value));
  }

  /** @param {"drafts" | "drops"} store @param {string} key */
  async delete(store, key) {
    await this.#run("readwrite", [store], (stores) => stores[store].delete(key));
  }

  /** Where a browser has no locks: let only one page do something, for as long as `until`. @returns {Promise<boolean>} */
  async lease(name, holder, now, until) {
    let taken = false;
    await this.#run("readwrite", ["meta"], ({ meta }) => {
      meta.get(name).onsuccess = ({ target }) => {
        const before = target.result;
        taken = !before || before.holder === holder || before.until < now || before.until > now + 10 * (until - now);
        if (taken) meta.put({ name, holder, until });
      };
    });
    return taken;
  }

  async #run(mode, names, work) {
    for (let again = false; ; again = true) {
      const database = await this.#open();
      try {
        return await inStores(database, mode, names, work);
      } catch (error) {
        // A connection that the browser closed by itself (an update in another tab, a phone that slept).
        if (error.name !== "InvalidStateError" || again) throw error.name === "QuotaExceededError" ? new StoreFull(error.message) : error;
        this.#database = null;
      }
    }
  }

  async #open() {
    this.#database ??= opened().then((database) => {
      const gone = () => { this.#database = null; };
      database.onversionchange = () => { database.close(); gone(); };
      database.onclose = gone;
      return database;
    });
    try {
      return await this.#database;
    } catch (error) {
      this.#database = null;
      throw error;
    }
  }
}

function inStores(database, mode, names, work) {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(names, mode, { durability: "strict" });
    const stores = Object.fromEntries(names.map((name) => [name, transaction.objectStore(name)]));
    let request;
    transaction.oncomplete = () => resolve(request?.result);
    transaction.onabort = () => reject(transaction.error ?? new DOMException("", "AbortError"));
    try {
      request = work(stores);
    } catch (error) {
      transaction.abort();
      reject(error);
    }
  });
}

/** The database in this app's layout; one of a later layout is opened as it is, so that nothing in it is lost. */
async function opened() {
  try {
    return await asked(MIGRATIONS.length);
  } catch (error) {
    if (error.name === "VersionError") return asked();
    throw error;
  }
}

function asked(version) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, version);
    request.onupgradeneeded = ({ oldVersion }) => {
      for (const migrate of MIGRATIONS.slice(oldVersion)) migrate(request.result, request.transaction);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
