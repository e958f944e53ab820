// From the page's base64 to columns of numbers. The format is the docstring of toolkit/reports/profile_pack.py.

const MAGIC = "TKP1";
const MOST_BYTES = 2 ** 29; // a profile of a page below 5 MB is far smaller; a damaged one must not fill the memory
const HIGHEST_SMALL = 2 ** 31 - 1;

export interface ViewState {
  server: number;
  view: number;
  shown: boolean;
  note: string;
  rate_hz: number | null;
}

export interface Worker {
  server: number;
  pid: number;
  role: string;
}

interface Place {
  offset: number;
  bytes: number;
  count: number;
  delta: boolean;
}

export interface Header {
  start_ms: number;
  servers: string[];
  views: string[];
  workers: Worker[];
  names: string[];
  files: string[];
  packages: string[];
  view_states: ViewState[];
  chunk_s: number;
  coarsened: boolean;
  note?: string;
  columns: Record<string, Place>;
}

export type Numbers = Int32Array | Float64Array;

/** Said to the reader instead of the flamegraph. */
export class DamagedProfile extends Error {
  constructor(what: string) {
    super(`The profile in this page cannot be read: ${what}. Write the page anew with: python -m toolkit report RUN`);
  }
}

/** The unpacked bytes: a header, and columns that are decoded when asked for. */
export class Packed {
  private constructor(
    readonly header: Header,
    private readonly body: Uint8Array,
  ) {}

  /** @throws DamagedProfile */
  static async from(base64: string): Promise<Packed> {
    const bytes = await unzipped(base64);
    const magic = String.fromCharCode(...bytes.subarray(0, 4));
    if (magic !== MAGIC) throw new DamagedProfile("it does not begin as a profile does");
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
    if (8 + length > bytes.length) throw new DamagedProfile("its header is cut");
    const text = new TextDecoder().decode(bytes.subarray(8, 8 + length));
    return new Packed(JSON.parse(text) as Header, bytes.subarray(8 + length));
  }

  /** The values of a column. @throws DamagedProfile where the column is missing, cut or has another number of values */
  numbers(name: string): Numbers {
    const place = this.header.columns[name];
    if (!place) throw new DamagedProfile(`column ${name} is missing`);
    const end = place.offset + place.bytes;
    if (end > this.body.length || place.count > place.bytes) throw new DamagedProfile(`column ${name} is cut`);
    const bytes = this.body.subarray(place.offset, end);
    const small = new Int32Array(place.count);
    return decode(name, bytes, small, place.delta) ? small : wide(name, bytes, place);
  }

  /** The values of a column of indices: whole numbers from `least` to below `limit`. @throws DamagedProfile */
  indices(name: string, limit: number, least = 0): Int32Array {
    const values = this.numbers(name);
    for (let at = 0; at < values.length; at++) {
      if (values[at]! < least || values[at]! >= limit) throw new DamagedProfile(`column ${name} points nowhere`);
    }
    return values as Int32Array;
  }
}

function wide(name: string, bytes: Uint8Array, place: Place): Float64Array {
  const values = new Float64Array(place.count);
  decode(name, bytes, values, place.delta);
  return values;
}

/** LEB128 varints, below 2^53; false where a value does not fit into `into`. */
function decode(name: string, bytes: Uint8Array, into: Numbers, delta: boolean): boolean {
  const small = into instanceof Int32Array;
  let at = 0;
  let last = 0;
  for (let index = 0; index < into.length; index++) {
    let byte = bytes[at++]!;
    let value = byte & 127;
    for (let scale = 128; byte > 127; scale *= 128) {
      byte = bytes[at++]!;
      value += (byte & 127) * scale;
    }
    if (delta) value = last += value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    if (small && (value > HIGHEST_SMALL || value < -HIGHEST_SMALL)) return false;
    into[index] = value;
  }
  if (at !== bytes.length) throw new DamagedProfile(`column ${name} does not end where it should`);
  return true;
}

async function unzipped(base64: string): Promise<Uint8Array> {
  let packed: Uint8Array<ArrayBuffer>;
  try {
    packed = bytesOf(base64);
  } catch {
    throw new DamagedProfile("it is not base64");
  }
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      parts.push(part.value);
      length += part.value.length;
      if (length > MOST_BYTES) break;
    }
  } catch {
    throw new DamagedProfile("it is cut or changed");
  }
  if (length > MOST_BYTES) {
    await reader.cancel();
    throw new DamagedProfile("it is too large");
  }
  return joined(parts, length);
}

function joined(parts: Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  if (length < 8) throw new DamagedProfile("it is empty");
  return all;
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  // Newer browsers do it themselves, ten times as fast.
  const native = (Uint8Array as unknown as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }).fromBase64;
  if (native) return native.call(Uint8Array, base64);
  const text = atob(base64.trim());
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}
