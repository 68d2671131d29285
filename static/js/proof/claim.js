// Does an entry's event say what the phone's claim says? The rules: docs/formats.md, "What a phone signs".

import { Refused } from "./encoding.js";
import { isObject } from "./json.js";

const MEMBERS = new Set([
  "id", "process", "stage", "occurred_at", "site", "inputs", "outputs", "readings", "photos", "passed", "facts",
  "commitments",
]);
const PLACE = "https://id.gs1.org/414/";
const CLASS = "https://id.gs1.org/01/";
const PARCEL = "https://id.gs1.org/00/";
/** The prefix of measurements that GS1's vocabulary lacks, and of facts, as the event names them. */
const OWN = "soi:";
/** Facts that an event states only if its claim does; a case's number may be the ledger's own. */
const SAID = ["origin", "reason"];
const TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

/** Raises Refused with the member at fault. @param {any} claim @param {Record<string, any>} entry */
export function checkClaim(claim, entry) {
  const { event } = entry;
  if (!isObject(claim) || !isObject(event)) throw unfit("event");
  const unknown = Object.keys(claim).filter((name) => !MEMBERS.has(name)).sort();
  if (unknown.length) throw unfit(unknown[0]);
  const [went, came] = parts(event);
  const checks = {
    id: () => event.eventID === `urn:uuid:${text(claim.id)}`,
    occurred_at: () => sameTime(text(claim.occurred_at), event),
    process: () => beforeLast(text(event["soi:process"]), "/") === claim.process,
    stage: () => text(event["soi:stage"]) === claim.stage,
    site: () => event.readPoint.id === PLACE + text(claim.site),
    inputs: () => byCase(claim, event)
      || sameParts(claim.inputs ?? [], went ?? [], (one, epc) => text(one.batch) === epc),
    outputs: () => sameParts(claim.outputs ?? [], came ?? [], isProduct),
    readings: () => sameReadings(claim.readings ?? [], event.sensorElementList ?? []),
    passed: () => claim.passed !== false || !(event.persistentDisposition?.set ?? []).includes("conformant"),
    facts: () => sameFacts(claim.facts ?? {}, event),
    photos: () => same(claim.photos ?? [], entry.photos ?? []),
    commitments: () => Object.entries(claim.commitments ?? {}).every(([name, value]) => entry.commitments[name] === value),
  };
  for (const [member, fits] of Object.entries(checks)) if (!holds(fits)) throw unfit(member);
}

/** What went in or was looked at, and what came out, as the event lists them. */
function parts(event) {
  if (event.type === "TransformationEvent") return [event.inputQuantityList, event.outputQuantityList];
  if (event.type === "AggregationEvent") return [event.childQuantityList, []];
  return event.action === "ADD" ? [[], event.quantityList] : [event.quantityList, []];
}

/** What lies in a case need not be named again when it is opened, sent off or lost: its number says it. */
const byCase = (claim, event) =>
  !claim.inputs?.length && isObject(claim.facts) && "sscc" in claim.facts && event.action !== "ADD";

function sameFacts(told, event) {
  if (!isObject(told)) return false;
  if (event.type === "AggregationEvent" && event.parentID !== PARCEL + text(event[`${OWN}sscc`])) return false;
  return Object.entries(told).every(([name, value]) => text(value) === event[OWN + name])
    && SAID.every((name) => !(OWN + name in event) || name in told);
}

const unfit = (member) => new Refused("unfit-claim", { member });

/** A member of another shape than it must have does not fit, rather than break off the check. */
function holds(fits) {
  try {
    return fits();
  } catch {
    return false;
  }
}

function text(value) {
  if (typeof value !== "string") throw new TypeError("not a text");
  return value;
}

const beforeLast = (whole, mark) => whole.slice(0, Math.max(whole.lastIndexOf(mark), 0));
const same = (a, b) => a.length === b.length && a.every((one, i) => one === b[i]);

/** Milliseconds and minutes from UTC, or null. */
function moment(told) {
  const found = TIME.exec(told);
  if (!found) return null;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number);
  const milliseconds = Number((found[7] ?? "").padEnd(3, "0").slice(0, 3));
  const local = Date.UTC(year, month - 1, day, hour, minute, second, milliseconds);
  // Date.UTC lets the 31st of February be the 3rd of March.
  if (new Date(local).getUTCDate() !== day || month > 12 || hour > 23 || minute > 59 || second > 59) return null;
  const offset = offsetOf(found[8]);
  return offset === null ? null : { at: local - offset * 60_000, offset };
}

/** Minutes from UTC of `Z` or `+07:00`, or null. */
function offsetOf(zone) {
  const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)$/.exec(zone) ?? [];
  if (zone === "Z") return 0;
  if (!sign || Number(hours) > 23 || Number(minutes) > 59) return null;
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

function sameTime(told, event) {
  const [claimed, stored] = [moment(told), moment(text(event.eventTime))];
  return Boolean(claimed && stored) && claimed.at === stored.at && claimed.offset === offsetOf(text(event.eventTimeZoneOffset));
}

function sameParts(told, stored, sameClass) {
  return told.length === stored.length
    && told.every((one, i) => sameClass(one, text(stored[i].epcClass)) && sameAmount(one, stored[i]));
}

/** Packs are counted, everything else is weighed; a claim that says neither leaves it to the ledger. */
function sameAmount(one, part) {
  if (one.units != null) return !("uom" in part) && part.quantity === one.units;
  if (one.grams != null) return part.uom === "GRM" && part.quantity === one.grams;
  return true;
}

function isProduct(one, epc) {
  const start = `${CLASS}${text(one.product)}/10/`;
  return epc.startsWith(start) && (one.lot == null || epc === start + text(one.lot));
}

function sameReadings(told, stored) {
  const reports = stored.map((element) => element.sensorReport[0]);
  return told.length === reports.length && told.every((one, i) =>
    [text(one.type), OWN + one.type].includes(reports[i].type)
    && typeof one.value === "number" && reports[i].value === one.value
    && reports[i].uom === text(one.unit));
}
