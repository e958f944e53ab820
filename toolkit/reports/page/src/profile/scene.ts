// Everything that one state shows, made when it is asked for and kept while it may be asked for again.
import { factorOf, normalised } from "./difference";
import type { Normalised, RequestsIn } from "./difference";
import { makeFold } from "./fold";
import type { Fold } from "./fold";
import { makeLabels } from "./labels";
import type { Labels, Naming } from "./labels";
import type { Part } from "./layout";
import { judgeFrames, judgeFunctions } from "./noise";
import type { Compared } from "./noise";
import type { Profile } from "./profile";
import { callees, callers, inverted } from "./regroup";
import type { Least, Source } from "./regroup";
import { find, matchedTime } from "./search";
import type { Found } from "./search";
import { isCompared, labelOf, namingOf, windowOf, workersOf } from "./state";
import type { FlameState } from "./state";
import { frameAt, functionsOf, stacks, timesOf } from "./tree";
import type { Times, Tree } from "./tree";
import { addUp } from "./window";
import type { Selection, Side, Window } from "./window";

/** Regrouped trees leave out what is narrower than this share of the picture: a fifth of a pixel of a wide screen. */
const NARROWEST = 1 / 8000;
const KEPT_SIDES = 6;

/** The other window, and what each side's microseconds are multiplied with (0: nothing to compare). */
export interface Base {
  side: Side;
  times: Times;
  normalNow: Normalised;
  normalBase: Normalised;
  factorNow: number;
  factorBase: number;
}

/** Makes scenes; keeps what does not depend on the window, and the last windows. */
export class Scenes {
  private readonly labels = new Map<Naming, Labels>();
  private readonly folds = new Map<string, Fold>();
  private readonly sides = new Map<string, Side>();

  constructor(
    readonly profile: Profile,
    readonly requestsIn: RequestsIn,
  ) {}

  scene(state: FlameState): Scene {
    return new Scene(this, state, this.fold(state));
  }

  side(selection: Selection, worker: string, window: Window): Side {
    const key = [selection.server, selection.view, worker, window?.from, window?.to].join();
    const side = this.sides.get(key) ?? addUp(this.profile, selection, window);
    this.sides.delete(key);
    this.sides.set(key, side);
    for (const oldest of this.sides.keys()) if (this.sides.size > KEPT_SIDES) this.sides.delete(oldest);
    return side;
  }

  private fold(state: FlameState): Fold {
    const naming = namingOf(state);
    const key = `${state.scope} ${naming}`;
    const labels = this.labels.get(naming) ?? makeLabels(this.profile, naming);
    const fold = this.folds.get(key) ?? makeFold(this.profile, labels, state.scope);
    this.labels.set(naming, labels);
    this.folds.set(key, fold);
    return fold;
  }
}

export class Scene {
  readonly selection: Selection;
  readonly now: Side;
  readonly times: Times;
  /** null: no difference was asked for, or there is none (then `incomparable` says why). */
  readonly base: Base | null = null;
  readonly incomparable: string = "";
  private readonly verdicts = new Map<Tree, Uint8Array | null>();
  private kept: Partial<{ found: Found | null; matched: number; functions: Times; baseFunctions: Times; functionVerdicts: Uint8Array | null; parts: Part[]; stacks: Tree }> = {};

  constructor(
    private readonly scenes: Scenes,
    readonly state: FlameState,
    readonly fold: Fold,
  ) {
    this.selection = selectionOf(this.profile, state);
    this.now = scenes.side(this.selection, state.worker, windowOf(state.from, state.to));
    this.times = timesOf(fold, this.now.self);
    if (!isCompared(state)) return;
    const side = scenes.side(this.selection, state.worker, windowOf(state.baseFrom, state.baseTo));
    const normalNow = normalised(state.normal, this.now, scenes.requestsIn);
    const normalBase = normalised(state.normal, side, scenes.requestsIn);
    if (!normalNow || !normalBase) {
      this.incomparable = `No request ended in ${normalNow ? "the window compared with" : "the window"}: there is no difference per request.`;
      return;
    }
    const [factorNow, factorBase] = [factorOf(normalNow, this.now), factorOf(normalBase, side)];
    this.base = { side, times: timesOf(fold, side.self), normalNow, normalBase, factorNow, factorBase };
  }

  get profile(): Profile {
    return this.scenes.profile;
  }

  get found(): Found | null {
    if (this.kept.found === undefined) this.kept.found = find(this.fold.labels, this.state.search);
    return this.kept.found;
  }

  /** Microseconds of stacks that a search found. */
  get matched(): number {
    return (this.kept.matched ??= this.found ? matchedTime(this.fold, this.times, this.found) : 0);
  }

  get functions(): Times {
    return (this.kept.functions ??= functionsOf(this.fold, this.times));
  }

  get baseFunctions(): Times | null {
    if (!this.base) return null;
    return (this.kept.baseFunctions ??= functionsOf(this.fold, this.base.times));
  }

  /** The stacks as they were, also where something else is drawn. */
  get stacks(): Tree {
    return (this.kept.stacks ??= stacks(this.fold, this.times, this.base?.times ?? null));
  }

  /** What is drawn, from top to bottom; `exact` leaves out nothing that was sampled. */
  parts(exact = false): Part[] {
    if (exact) return this.makeParts(true);
    return (this.kept.parts ??= this.makeParts(false));
  }

  /** What can be told of the frames of a tree (noise.ts); null: not a difference, or too few slices. */
  verdictsOf(tree: Tree): Uint8Array | null {
    const compared = this.compared();
    if (!compared) return null;
    let verdicts = this.verdicts.get(tree);
    if (verdicts === undefined) this.verdicts.set(tree, (verdicts = judgeFrames(compared, tree)));
    return verdicts;
  }

  get functionVerdicts(): Uint8Array | null {
    const compared = this.compared();
    if (!compared || !this.baseFunctions) return null;
    if (this.kept.functionVerdicts === undefined) {
      this.kept.functionVerdicts = judgeFunctions(compared, this.functions, this.baseFunctions);
    }
    return this.kept.functionVerdicts;
  }

  /** The label in the middle of a sandwich: the chosen one, else the application's function (else any) with the most own time. */
  get focus(): number {
    const chosen = labelOf(this.fold.labels, this.state.focus);
    if (chosen >= 0) return chosen;
    const { own } = this.functions;
    const heaviest = (ofApplication: boolean) => {
      let best = -1;
      for (let label = 0; label < own.length; label++) {
        if (ofApplication && this.fold.labels.owner[label] !== 0) continue;
        if (own[label]! > 0 && (best < 0 || own[label]! > own[best]!)) best = label;
      }
      return best;
    };
    const application = heaviest(true);
    return application >= 0 ? application : heaviest(false);
  }

  private compared(): Compared | null {
    if (!this.base) return null;
    const { side, normalNow, normalBase } = this.base;
    return { profile: this.profile, fold: this.fold, selection: this.selection, now: this.now, base: side, normalNow, normalBase };
  }

  private makeParts(exact: boolean): Part[] {
    const { look, zoom } = this.state;
    const source: Source = { fold: this.fold, now: this.times, base: this.base?.times ?? null };
    if (look === "sandwich") return this.sandwich(source, exact);
    const upwards = look === "flame";
    if (!this.state.inverted) {
      const tree = this.stacks;
      return [{ tree, zoom: zoomedIn(tree, zoom), upwards }];
    }
    const coarse = inverted(source, this.least(exact ? 0 : NARROWEST));
    if (exact || zoom === "") return [{ tree: coarse, zoom: zoomedIn(coarse, zoom), upwards }];
    // What is narrow in the whole is wide when zoomed: grown again, finer.
    const at = zoomedIn(coarse, zoom);
    const share = at > 0 ? coarse.now.total[at]! / this.now.time : 0;
    const tree = inverted(source, this.least(NARROWEST * share));
    return [{ tree, zoom: zoomedIn(tree, zoom), upwards }];
  }

  private sandwich(source: Source, exact: boolean): Part[] {
    const focus = this.focus;
    if (focus < 0) return [];
    const share = this.now.time > 0 ? this.functions.total[focus]! / this.now.time : 0;
    const least = this.least(exact ? 0 : NARROWEST * share);
    return [
      { tree: callers(source, least, focus), zoom: 0, upwards: true },
      { tree: callees(source, least, focus), zoom: 0, upwards: false },
    ];
  }

  private least(share: number): Least {
    return { now: this.now.time * share, base: (this.base?.side.time ?? 0) * share };
  }
}

/** The frame of an address, or the root where the tree or the window has no such frame. */
function zoomedIn(tree: Tree, address: string): number {
  const frame = frameAt(tree, address);
  return tree.now.total[frame]! > 0 ? frame : 0;
}

function selectionOf(profile: Profile, state: FlameState): Selection {
  const server = profile.header.servers.indexOf(state.server);
  if (state.worker === "all" || !workersOf(profile, server).length) return { server, view: state.view, workers: null };
  const workers = Uint8Array.from(profile.header.workers, (one) => Number(one.server === server && String(one.pid) === state.worker));
  return { server, view: state.view, workers };
}
