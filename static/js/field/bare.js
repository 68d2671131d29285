// A JPEG without anything but the picture, as trace/photos/bare.py wants it: some browsers write the date, the phone or
// a colour profile even into what a page drew itself.

const DROPPED = (marker) => (marker >= 0xe1 && marker <= 0xef && marker !== 0xee) || marker === 0xfe;

/** @param {Uint8Array} data a JPEG as a canvas gives it @returns {Uint8Array[]} what is left, in pieces */
export function bare(data) {
  const kept = [data.subarray(0, 2)];
  let at = 2;
  while (at + 4 <= data.length && data[at] === 0xff && data[at + 1] !== 0xda) {
    const end = at + 2 + ((data[at + 2] << 8) | data[at + 3]);
    if (!DROPPED(data[at + 1])) kept.push(data.subarray(at, end));
    at = end;
  }
  return [...kept, data.subarray(at)];
}
