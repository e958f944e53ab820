// The flamegraph view of the page: decoding, windows, and everything below the time axis that shows them.
export { DamagedProfile } from "./packed";
export { openProfile } from "./profile";
export type { Profile } from "./profile";
export type { FrameRecord } from "./frames";
export { initialState, settled } from "./state";
export type { FlameState } from "./state";
export { FlameView } from "./view";
export type { FlameOptions } from "./view";
