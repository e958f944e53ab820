// Numbers as they are read: times, shares, clock times.
import type { Normal } from "./state";

/** Microseconds with three digits that count: `12.3 s`, `450 ms`. */
export function duration(us: number): string {
  const seconds = Math.abs(us) / 1e6;
  const sign = us < 0 ? "−" : "";
  if (seconds === 0) return "0 s";
  if (seconds < 0.001) return `${sign}${digits(seconds * 1e6)} µs`;
  return seconds < 1 ? `${sign}${digits(seconds * 1000)} ms` : `${sign}${digits(seconds)} s`;
}

function digits(value: number): string {
  return value.toLocaleString("en", value < 1000 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 0 });
}

/** A part of a whole in percent. */
export function percent(part: number, whole: number): string {
  return whole > 0 ? `${((part / whole) * 100).toFixed(2)} %` : "–";
}

/** A normalised value (see difference.ts) with its unit. */
export function comparable(value: number, normal: Normal): string {
  if (normal === "share") return `${value < 0 ? "−" : ""}${(Math.abs(value) * 100).toFixed(2)} %`;
  return `${duration(value)}/${normal === "second" ? "s" : "request"}`;
}

/** How many times as much: `×1.8`, `÷2.4`, `new`, `gone`. */
export function ratio(now: number, base: number): string {
  if (now <= 0 && base <= 0) return "–";
  if (base <= 0) return "new";
  if (now <= 0) return "gone";
  const times = now >= base ? now / base : base / now;
  const shown = times >= 100 ? times.toFixed(0) : times.toFixed(times >= 10 ? 1 : 2);
  return `${now >= base ? "×" : "÷"}${shown}`;
}

/** Seconds as `1:05` or `1:02:05`, with milliseconds where there are some. */
export function clock(seconds: number): string {
  const ms = Math.round(Math.abs(seconds) * 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const [whole, rest] = [Math.floor(ms / 1000), ms % 1000];
  const [minutes, hours] = [Math.floor(whole / 60) % 60, Math.floor(whole / 3600)];
  const head = hours > 0 ? `${String(hours)}:${two(minutes)}` : String(minutes);
  const tail = rest > 0 ? `.${String(rest).padStart(3, "0").replace(/0+$/, "")}` : "";
  return `${seconds < 0 ? "−" : ""}${head}:${two(whole % 60)}${tail}`;
}

/** A window in words. */
export function span(from: number | null, to: number | null): string {
  return from === null || to === null ? "whole run" : `${clock(from)}–${clock(to)}`;
}
