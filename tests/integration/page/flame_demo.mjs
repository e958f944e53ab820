// A page with nothing but the flamegraph view: `window.demo` has the view, and every state that it told.
import { makePalette } from '../../../toolkit/reports/page/src/profile/colours.ts';
import { DamagedProfile, FlameView, initialState, openProfile } from '../../../toolkit/reports/page/src/profile/index.ts';

const host = document.querySelector('#host');
const requests = JSON.parse(document.querySelector('#requests').textContent);
const told = [];

try {
  const began = performance.now();
  const profile = await openProfile(document.querySelector('#profile').textContent);
  const decoded = performance.now();
  const view = new FlameView(host, profile, {
    // One number for each whole second of the timeline: how many requests ended in it.
    requestsIn: (from, to) => requests.slice(Math.max(0, Math.ceil(from)), Math.max(0, Math.ceil(to))).reduce((sum, one) => sum + one, 0),
    onState: (state) => told.push(state),
  });
  window.demo = { view, told, makePalette, profile, initial: initialState(profile), decode_ms: decoded - began, first_ms: performance.now() - decoded };
} catch (error) {
  if (!(error instanceof DamagedProfile)) throw error;
  host.textContent = error.message;
  window.demo = { damaged: error.message };
}
