// What is written down of a stage, in public names, as docs/formats.md ("What a phone signs") has it.

// Read aloud and copied by hand: none of 0 O, 1 I L, 2 Z, 5 S, 8 (B), U (V). See trace/gs1/lots.py.
const READABLE = "34679ABCDEFGHJKMNPQRTVWXY";
const MONTHS = "ABCDEFGHJKMN";
const LOT_PREFIX = "BL";
const LOT_RANDOM = 8;
const LOOKING = ["observe", "inspect"];

/** A UUID of version 7 (RFC 9562). @param {number} now ms @returns {string} */
export function uuid7(now) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  for (let i = 0; i < 6; i += 1) bytes[i] = Math.floor(now / 2 ** (8 * (5 - i))) % 256;
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** A new lot code that this phone may give without asking: `BL26M-7K3Q9XYA-T`. @param {number} at ms @param {string} suffix */
export function newLot(at, suffix) {
  const day = new Date(at);
  const random = Array.from({ length: LOT_RANDOM }, () => READABLE[below(READABLE.length)]).join("");
  return `${LOT_PREFIX}${String(day.getFullYear() % 100).padStart(2, "0")}${MONTHS[day.getMonth()]}-${random}${suffix ? `-${suffix}` : ""}`;
}

function below(count) {
  for (;;) {
    const [byte] = crypto.getRandomValues(new Uint8Array(1));
    if (byte < 256 - (256 % count)) return byte % count;
  }
}

/** A time as a phone claims it, with its own offset from UTC: `2026-11-20T06:30:00.000+07:00`. @param {number} at ms */
export function timestamp(at) {
  const minutes = -new Date(at).getTimezoneOffset();
  const away = Math.abs(minutes);
  const zone = `${minutes < 0 ? "-" : "+"}${pad(Math.floor(away / 60))}:${pad(away % 60)}`;
  return new Date(at + minutes * 60_000).toISOString().replace("Z", zone);
}

const pad = (number) => String(number).padStart(2, "0");

/**
 * The claim of a draft, without its note's commitment.
 * @param {{id: string, draft: any, kind: string, at: number, lots: string[], photos: string[]}} record
 */
export function claimOf({ id, draft, kind, at, lots, photos }) {
  const looks = LOOKING.includes(kind);
  return {
    id, process: draft.process, stage: draft.stage, occurred_at: timestamp(at), site: draft.site,
    inputs: draft.inputs.map((one) => ({ batch: one.batch, ...(looks ? {} : amount(one)) })),
    outputs: draft.outputs.map((one, i) => ({ product: one.product, lot: lots[i], ...amount(one) })),
    readings: (draft.readings ?? []).map(({ type, value, unit }) => ({ type, value: Math.round(value * 1000) / 1000, unit })),
    ...(photos.length && { photos }),
    ...(typeof draft.passed === "boolean" && { passed: draft.passed }),
    ...(Object.keys(draft.facts ?? {}).length && { facts: draft.facts }),
  };
}

const amount = ({ grams, units }) => (units ? { units } : grams ? { grams } : {});

/** What goes to `POST /api/events`: always the same for a record as it is signed. */
export function bodyOf({ claim, device, note, draft }) {
  const { commitments: _made, ...told } = claim;
  return JSON.stringify({
    ...told, ...(note && { note }), ...(Number.isInteger(draft.value_dong) && { value_dong: draft.value_dong }), device,
  });
}

/** The name of a photo: the SHA-256 of its bytes, in hex. @param {Blob} blob @returns {Promise<string>} */
export async function nameOf(blob) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
