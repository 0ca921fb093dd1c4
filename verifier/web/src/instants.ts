/** Instants: RFC 3339 in UTC with whole seconds; as numbers, seconds since 1970. */

import { Fault } from "./errors.js";

const INSTANT = /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])Z$/;

/** Seconds since 1970 of `2026-11-23T02:00:00Z`; no other spelling. */
export function parseInstant(text: unknown): number {
  const parts = typeof text === "string" ? INSTANT.exec(text) : null;
  const found = parts && secondsOf(parts.slice(1).map(Number));
  if (found === null || found === undefined) {
    throw new Fault("expected an instant such as 2026-11-23T02:00:00Z");
  }
  return found;
}

/** Seconds since 1970 of year, month, day, hour, minute, second; undefined if no calendar has that day. */
export function secondsOf(parts: readonly number[]): number | undefined {
  const [year, month, day, hour, minute, second] = parts as [number, number, number, number, number, number];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const isReal =
    year >= 1 &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    hour < 24 &&
    minute < 60 &&
    second < 60;
  return isReal ? date.getTime() / 1000 : undefined;
}

export function formatInstant(seconds: number): string {
  const text = new Date(seconds * 1000);
  const year = text.getUTCFullYear();
  if (Number.isNaN(year) || year < 1 || year > 9999) throw new Fault("an instant outside the years 1 to 9999");
  return `${text.toISOString().slice(0, 19)}Z`;
}

/** Beijing time with UTC beside it, for people. */
export function formatForPeople(seconds: number): string {
  const beijing = new Date((seconds + 8 * 3600) * 1000);
  if (Number.isNaN(beijing.getTime()) || beijing.getUTCFullYear() > 9999) return formatInstant(seconds);
  const text = beijing.toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 19)} UTC+8 (${formatInstant(seconds)})`;
}
