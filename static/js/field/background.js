// Sending while no page is open: the service worker runs this when the browser says that the network is back.

import { Link } from "./link.js";
import { Sending } from "./sending.js";
import { Store } from "./store.js";

/** Send what waits. Rejects while something still does, so that the browser asks again. */
export async function sendInBackground() {
  const store = new Store();
  const link = new Link(store, "vi");
  await link.begin();
  const round = await new Sending({ store, link }).round();
  if (round && (round.told !== "fresh" || round.again !== null)) throw new Error("not all is sent yet");
}
