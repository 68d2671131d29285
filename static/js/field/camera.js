// A photo from the phone's camera, shrunk to a clean JPEG: drawn anew, so that no metadata comes along.

import { bare } from "./bare.js";

const LONGEST = 1600;
const HEAVIEST = 300_000;
const PATIENCE = 6000;
const PLACE = "soi-field-place";

export const MOST = 6;
/** @returns {"yes" | "no" | null} whether she lets a photo carry its place; null before she was asked */
export const consent = () => localStorage.getItem(PLACE);
export const setConsent = (answer) => localStorage.setItem(PLACE, answer);

/** Ask the phone for a photo; nothing when she came back without one. @returns {Promise<File | null>} */
export function shoot() {
  return new Promise((resolve) => {
    const input = document.createElement("input");
    for (const [name, value] of Object.entries({ type: "file", accept: "image/*", capture: "environment", hidden: "" })) input.setAttribute(name, value);
    input.addEventListener("change", () => resolve(input.files[0] ?? null));
    input.addEventListener("cancel", () => resolve(null));
    // Some browsers forget an input that is in no page.
    document.getElementById("camera").replaceChildren(input);
    input.click();
  });
}

/** @param {Blob} file @returns {Promise<Blob>} a JPEG of at most 1600 px and about 300 kB; an error if it is no picture */
export async function shrink(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  try {
    let [side, quality] = [LONGEST, 0.82];
    for (;;) {
      const blob = await drawn(bitmap, side, quality);
      if (blob.size <= HEAVIEST || side < 700) return blob;
      if (quality > 0.6) quality -= 0.12;
      else [side, quality] = [side * 0.8, 0.72];
    }
  } finally {
    bitmap.close();
  }
}

async function drawn(bitmap, side, quality) {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const pen = canvas.getContext("2d", { alpha: false });
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", quality); });
  if (!blob) throw new Error("the picture could not be drawn");
  return new Blob(bare(new Uint8Array(await blob.arrayBuffer())), { type: "image/jpeg" });
}

/** Where the phone stands, if she allowed it and it knows soon enough. @returns {Promise<{lat: number, lon: number} | null>} */
export function place() {
  if (consent() !== "yes" || !navigator.geolocation) return Promise.resolve(null);
  return new Promise((resolve) => {
    const found = ({ coords }) => resolve({ lat: Number(coords.latitude.toFixed(5)), lon: Number(coords.longitude.toFixed(5)) });
    navigator.geolocation.getCurrentPosition(found, () => resolve(null), { timeout: PATIENCE, maximumAge: 60_000, enableHighAccuracy: true });
  });
}
