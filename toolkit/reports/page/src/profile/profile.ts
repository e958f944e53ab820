// The decoded profile: one tree of stacks for the whole run, and sparse counts by slice of time and process.
import { DamagedProfile, Packed } from "./packed";
import type { Header, Numbers, ViewState } from "./packed";

/** What a frame is, by number; see `Owner` in toolkit/analysis/frames.py. */
export const APPLICATION = 0;
export const OWNERS = ["application", "library", "standard library", "server"] as const;

export interface Frames {
  name: Int32Array;
  file: Int32Array;
  line: Numbers;
  owner: Int32Array;
  package: Int32Array;
}

/** All columns of one length, in order of server, view and time. Times are milliseconds since `header.start_ms`. */
export interface Slices {
  count: number;
  server: Int32Array;
  view: Int32Array;
  start: Numbers;
  /** 0: when it was recorded is not known; it belongs to the whole run alone. */
  length: Numbers;
  /** Microseconds of sampled time that one count stands for. */
  unit: Numbers;
}

export class Profile {
  readonly header: Header;
  readonly frames: Frames;
  /** Of each node its parent's number, which is lower; -1 below the root. */
  readonly nodeParent: Int32Array;
  readonly nodeFrame: Int32Array;
  readonly slices: Slices;
  /** The groups of slice s are those from firstGroup[s] to before firstGroup[s + 1]. */
  readonly firstGroup: Int32Array;
  readonly groupWorker: Int32Array;
  /** The entries of group g are those from firstEntry[g] to before firstEntry[g + 1]. */
  readonly firstEntry: Int32Array;
  readonly entryNode: Int32Array;
  readonly entryCount: Numbers;

  /** @throws DamagedProfile */
  constructor(packed: Packed) {
    const header = packed.header;
    this.header = header;
    this.frames = {
      name: packed.indices("frame.name", header.names.length),
      file: packed.indices("frame.file", header.files.length),
      line: packed.numbers("frame.line"),
      owner: packed.indices("frame.owner", OWNERS.length),
      package: packed.indices("frame.package", header.packages.length),
    };
    this.nodeFrame = packed.indices("node.frame", this.frames.name.length);
    this.nodeParent = parents(packed);
    this.slices = {
      server: packed.indices("slice.server", header.servers.length),
      view: packed.indices("slice.view", header.views.length),
      start: packed.numbers("slice.start"),
      length: packed.numbers("slice.length"),
      unit: packed.numbers("slice.unit"),
      count: 0,
    };
    this.slices.count = this.slices.start.length;
    this.groupWorker = packed.indices("group.worker", header.workers.length);
    this.firstGroup = firsts(packed.indices("group.slice", this.slices.count), this.slices.count);
    this.entryNode = packed.indices("entry.node", this.nodeFrame.length);
    this.entryCount = packed.numbers("entry.count");
    this.firstEntry = sums(packed.numbers("group.size"), this.entryNode.length);
    requireEqual("node", this.nodeParent, this.nodeFrame);
    const { name, file, line, owner, package: packages } = this.frames;
    requireEqual("frame", name, file, line, owner, packages);
    requireEqual("slice", this.slices.server, this.slices.view, this.slices.start, this.slices.length, this.slices.unit);
    requireEqual("group", this.groupWorker, this.firstEntry.subarray(1));
    requireEqual("entry", this.entryNode, this.entryCount);
  }

  /** What is known of a view of a server; undefined where it was not recorded. */
  stateOf(server: number, view: string): ViewState | undefined {
    const index = this.header.views.indexOf(view);
    return this.header.view_states.find((state) => state.server === server && state.view === index);
  }

  /** Whether a view may be shown. `off` is made of wall and cpu, and needs both. */
  offers(server: number, view: string): boolean {
    if (view === "off") return this.offers(server, "wall") && this.offers(server, "cpu");
    return this.stateOf(server, view)?.shown ?? false;
  }
}

/** Decodes the page's data block. @throws DamagedProfile */
export async function openProfile(base64: string): Promise<Profile> {
  return new Profile(await Packed.from(base64));
}

function parents(packed: Packed): Int32Array {
  const above = packed.numbers("node.parent") as Int32Array;
  for (let node = 0; node < above.length; node++) {
    const parent = above[node]! - 1;
    if (parent < -1 || parent >= node) throw new DamagedProfile("a stack has no beginning");
    above[node] = parent;
  }
  return above;
}

/** Where each of `count` owners' items begin; `owner` ascends. */
function firsts(owner: Int32Array, count: number): Int32Array {
  const first = new Int32Array(count + 1);
  for (let item = 0; item < owner.length; item++) {
    if (item > 0 && owner[item]! < owner[item - 1]!) throw new DamagedProfile("its slices are out of order");
    first[owner[item]! + 1]!++;
  }
  for (let at = 0; at < count; at++) first[at + 1]! += first[at]!;
  return first;
}

function sums(sizes: Numbers, whole: number): Int32Array {
  const first = new Int32Array(sizes.length + 1);
  for (let at = 0; at < sizes.length; at++) first[at + 1] = first[at]! + sizes[at]!;
  if (first[sizes.length] !== whole) throw new DamagedProfile("its groups do not add up");
  return first;
}

function requireEqual(what: string, first: Numbers, ...others: Numbers[]): void {
  if (others.some((other) => other.length !== first.length)) throw new DamagedProfile(`its ${what} columns differ in length`);
}
