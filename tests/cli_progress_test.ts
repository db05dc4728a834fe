/** What a person sees of a running index. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { duration, renderBar, renderText, Speed } from "../cli/progress.ts";
import type { Progress } from "../mod.ts";

const at = (
  filesDone: number,
  bytesDone: number,
  filesTotal = 200,
  bytesTotal = 80e6,
): Progress => ({
  filesTotal,
  bytesTotal,
  filesDone,
  bytesDone,
});

const BARS: [title: string, progress: Progress, speed: number, width: number, expected: string][] =
  [
    ["before the scan has ended", at(0, 0, 0, 0), 0, 80, "looking for files"],
    [
      "before a speed is known",
      at(0, 0),
      0,
      50,
      "[>                          ]   0%  0/200 files",
    ],
    [
      "in the middle",
      at(100, 40e6),
      10e6,
      80,
      "[=================>                ]  50%  100/200 files  10.0 MB/s  4 s left",
    ],
    [
      "no wider than 40 on a wide terminal",
      at(100, 20e6),
      10e6,
      200,
      "[==========>                             ]  25%  100/200 files  10.0 MB/s  6 s left",
    ],
    ["without what does not fit", at(100, 40e6), 10e6, 30, "[==>  ]  50%  100/200 files"],
    ["without a bar that would be too short", at(100, 40e6), 10e6, 22, " 50%  100/200 files"],
    ["cut where nothing fits", at(100, 40e6), 10e6, 10, " 50%  1"],
    [
      "while the store ends",
      at(200, 80e6),
      10e6,
      80,
      "[====================================] 100%  200/200 files  writing the index",
    ],
    [
      "of empty files",
      at(1, 0, 2, 0),
      0,
      60,
      "[=======================================] 100%  1/2 files",
    ],
  ];

for (const [title, progress, speed, width, expected] of BARS) {
  test(`progress bar: ${title}`, () => {
    const bar = renderBar(progress, speed, width);
    assert.equal(bar, expected);
    assert.ok(
      bar.length + "^C".length < width,
      `${bar.length} columns and ^C would wrap in ${width}`,
    );
  });
}

test("progress text: the same facts without a bar", () => {
  assert.deepEqual(renderText(at(100, 40e6), 8e6), ["100/200 files", "8.0 MB/s", "5 s left"]);
});

const DURATIONS: [seconds: number, expected: string][] = [
  [0, "0 s"],
  [0.1, "1 s"],
  [59.2, "1 min 0 s"],
  [61, "1 min 1 s"],
  [3599, "59 min 59 s"],
  [3600, "1 h 0 min"],
  [7322, "2 h 2 min"],
];

for (const [seconds, expected] of DURATIONS) {
  test(`duration: ${seconds} seconds are ${expected}`, () => {
    assert.equal(duration(seconds), expected);
  });
}

test("speed: nothing is known before the second measurement", () => {
  const speed = new Speed();
  assert.equal(speed.measure(at(1, 5e6), 1), 0);
  assert.equal(speed.measure(at(2, 15e6), 2), 10e6);
});

test("speed: a pause brings it down step by step", () => {
  const speed = new Speed();
  speed.measure(at(0, 0), 0);
  const before = speed.measure(at(1, 10e6), 1);
  const after = speed.measure(at(1, 10e6), 2);
  const later = speed.measure(at(1, 10e6), 10);
  assert.equal(before, 10e6);
  assert.ok(after < before && after > 0.5 * before, `${after}`);
  assert.ok(later < 0.1 * before, `${later}`);
});

test("speed: two measurements at the same time change nothing", () => {
  const speed = new Speed();
  speed.measure(at(0, 0), 0);
  speed.measure(at(1, 10e6), 1);
  assert.equal(speed.measure(at(1, 20e6), 1), 10e6);
});
