/** Shares of the webhooks of a bad hour, up to which they take from so long to so long, in milliseconds. */
const BANDS = [
  { upTo: 0.95, from: 200, to: 6_000 },
  { upTo: 0.98, from: 6_000, to: 8_000 },
  { upTo: 0.998, from: 8_000, to: 30_000 },
  { upTo: 1, from: 30_000, to: 55_000 },
] as const;

/**
 * How long each of so many webhooks takes in a bad hour, in milliseconds, the fastest first. Of 1,000 there are 950 within 6 s, 30
 * within 8 s, 18 within 30 s, and 2 within 55 s.
 */
export function badHour(count: number): readonly number[] {
  return Array.from({ length: count }, (_, n) => delayAt((n + 0.5) / count));
}

function delayAt(share: number): number {
  let begin = 0;
  for (const { upTo, from, to } of BANDS) {
    if (share < upTo) return from + ((to - from) * (share - begin)) / (upTo - begin);
    begin = upTo;
  }
  throw new RangeError(`a share of ${share}`);
}
