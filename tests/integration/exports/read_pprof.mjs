// Reads a pprof file with npm's pprof-format and prints it as plain JSON: stacks from root to leaf with values and labels.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Profile } from "pprof-format";

const profile = Profile.decode(gunzipSync(readFileSync(process.argv[2])));
const text = (index) => profile.stringTable.strings[Number(index)];
const functions = new Map(profile.function.map((one) => [String(one.id), one]));
const locations = new Map(profile.location.map((one) => [String(one.id), one]));
const mappings = new Map(profile.mapping.map((one) => [String(one.id), one]));

function frame(id) {
  const location = locations.get(String(id));
  const mapping = mappings.get(String(location.mappingId));
  const line = location.line[0];
  const called = functions.get(String(line.functionId));
  return { name: text(called.name), file: text(called.filename), line: Number(line.line), known: mapping.hasFunctions };
}

function label(one) {
  return [text(one.key), Number(one.str) ? text(one.str) : Number(one.num)];
}

console.log(
  JSON.stringify({
    types: profile.sampleType.map((one) => [text(one.type), text(one.unit)]),
    period: [text(profile.periodType.type), text(profile.periodType.unit), Number(profile.period)],
    time_ns: String(profile.timeNanos),
    duration_ns: String(profile.durationNanos),
    comments: profile.comment.map(text),
    samples: profile.sample.map((one) => ({
      stack: one.locationId.map(frame).reverse(),
      values: one.value.map(Number),
      labels: Object.fromEntries(one.label.map(label)),
    })),
  }),
);
