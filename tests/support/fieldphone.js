// Hands on the field app's engine inside of a page, for tests. Evaluated once the app is open.

async () => {
  const app = document.querySelector("script[type=module]").src;
  const load = (name) => import(app.replace("field/app.js", name));
  const { start, StoreFull } = await load("field/engine.js");
  const engine = await start();

  /** Resolves when `holds` does of the engine's state; rejects with that state after `patience` ms. */
  const until = (holds, patience = 60000) => new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited in vain: ${told()}`)), patience);
    const look = () => {
      if (!holds(engine.state)) return;
      clearTimeout(timer);
      engine.removeEventListener("change", look);
      resolve(true);
    };
    engine.addEventListener("change", look);
    look();
  });

  const told = () => JSON.stringify({
    ...engine.state, pack: null, batches: null, beginnings: null,
    records: engine.state.records.map((one) => [one.draft.stage, one.state, one.problem, one.tried, one.photos]),
  });

  /** Send, again and again, until `holds` does. */
  const settle = async (holds, patience = 60000) => {
    const late = performance.now() + patience;
    while (!holds(engine.state) && performance.now() < late) {
      await engine.send();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    if (!holds(engine.state)) throw new Error(told());
  };

  await until((state) => state.pack !== null);
  const product = (material, net = null) => engine.state.pack.products
    .find((one) => one.process === "mien-dong" && one.material === material && one.net_grams === net).gtin;
  const draft = (stage, more = {}) => ({
    process: "mien-dong", version: engine.state.pack.processes.find((one) => one.key === "mien-dong" && one.newest).version, stage,
    at: Date.now(), site: engine.state.pack.sites.find((one) => one.mine).gln, inputs: [], outputs: [], readings: [], photos: [],
    place: null, note: "", facts: {}, value_dong: null, ...more,
  });
  const batch = (lot) => engine.state.batches.find((one) => one.lot === lot);
  const make = (stage, material) => (lot, taken, grams, more = {}) => engine.save(draft(stage, {
    inputs: [{ batch: batch(lot).epc, grams: taken }], outputs: [{ product: product(material), grams }], ...more,
  }));
  const hands = {
    product, draft, batch,
    harvest: (grams, more = {}) => engine.save(draft("harvest", { outputs: [{ product: product("tuber"), grams }], ...more })),
    /** From a lot, so many grams of it, so many grams made. */
    settle: make("settle", "wet-starch"),
    steam: make("steam", "sheets"),
    pack: (lot, grams, units) => engine.save(draft("pack", {
      inputs: [{ batch: batch(lot).epc, grams }], outputs: [{ product: product("packs", 500), units }],
    })),
    /** A JPEG of noise, another one for each number. */
    photo: async (number) => {
      const canvas = new OffscreenCanvas(320, 240);
      const pen = canvas.getContext("2d");
      const pixels = pen.createImageData(320, 240);
      let seed = number * 7919 + 1;
      for (let i = 0; i < pixels.data.length; i += 1) {
        seed = (seed * 1103515245 + 12345) % 2147483648;
        pixels.data[i] = i % 4 === 3 ? 255 : seed >> 16;
      }
      pen.putImageData(pixels, 0, 0);
      return canvas.convertToBlob({ type: "image/jpeg", quality: 0.8 });
    },
    /** Twenty stages in five chains, six photos among them. */
    twenty: async () => {
      const photos = [];
      for (let i = 0; i < 6; i += 1) photos.push(await hands.photo(i));
      for (let chain = 0; chain < 5; chain += 1) {
        const tubers = await hands.harvest(1000000 + chain, { photos: [photos[chain]], note: `Ruộng trên ${chain}` });
        const [lot] = tubers.lots;
        const starch = await hands.settle(lot, 400000, 100000, { photos: chain ? [] : [photos[5], photos[0]] });
        await hands.settle(lot, 600000, 150000);
        await hands.steam(starch.lots[0], 100000, 100000);
      }
    },
    /** Whether the phone had no room for `save`. */
    full: (save) => save().then(() => false, (error) => error instanceof StoreFull),
    stuck: () => engine.state.records.find((one) => one.state === "help"),
    signLost: async () => {
      const device = await load("device.js");
      await device.sign(await device.keyOf(engine.state.me.id), "x", { id: "lost" }, "", { by: "lost" });
    },
    /** Change what the browser keeps, behind the app's back. */
    change: (database, store, how) => new Promise((resolve) => {
      const asked = indexedDB.open(database);
      asked.onsuccess = () => {
        const changed = asked.result.transaction(store, "readwrite");
        how(changed.objectStore(store));
        changed.oncomplete = () => {
          asked.result.close();
          resolve();
        };
      };
    }),
    /** How many versions of the app the browser keeps. */
    versions: async () => (await caches.keys()).filter((one) => one.startsWith("soi-field-")).length,
    version: app,
  };
  Object.assign(window, { engine, until, settle, hands });
}
