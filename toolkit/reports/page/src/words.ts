// Numbers and times as the page writes them.
import { clock } from "./profile/words";

export type Unit = "" | "ms" | "cores" | "MiB" | "MiB/s" | "%" | "/s";

/** A number with as many digits as tell something. */
export function number(value: number | null | undefined, unit: Unit = ""): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (unit === "ms") return milliseconds(value);
  return value.toLocaleString("en", { maximumFractionDigits: unit === "cores" ? 2 : decimals(Math.abs(value)) });
}

function decimals(size: number): number {
  if (size >= 100) return 0;
  return size >= 10 ? 1 : 2;
}

/** `0.42`, `4.2`, `42`, `4,200`. */
export function milliseconds(value: number): string {
  return value.toLocaleString("en", value < 100 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 0 });
}

/** `0:34 · 04:25:25 UTC`. */
export function moment(second: number, start: number): string {
  return `${clock(second)} · ${utc(second, start)}`;
}

export function utc(second: number, start: number): string {
  return `${new Date((start + second) * 1000).toISOString().slice(11, 19)} UTC`;
}

/** Seconds of `1:05`, `1:02:05`, `65`, `-0:04`; null where it is no time. */
export function seconds(text: string): number | null {
  const found = /^\s*([-−]?)(?:(?:(\d+):(?=[0-5]?\d:))?(\d{1,4}):(?=[0-5]?\d(?:\.|\s|s|$)))?(\d+(?:\.\d+)?)\s*s?\s*$/.exec(text);
  if (!found) return null;
  const [, sign, hours = "0", minutes = "0", rest = "0"] = found;
  const value = Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);
  return sign ? -value : value;
}
