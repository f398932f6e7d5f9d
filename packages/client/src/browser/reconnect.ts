/** How a stream came to its end, or why there was none. */
export type StreamEnd =
  | { readonly kind: 'ended'; readonly lastedMs: number; readonly retryMs: number | null }
  /** Nothing could be read in time: something on the way holds it back. */
  | { readonly kind: 'unread' }
  | { readonly kind: 'refused'; readonly httpStatus: number; readonly retryAfterMs: number | null }
  | { readonly kind: 'unreachable' };

/** What comes before the next stream: a pause, or polls for so long. */
export interface NextTry {
  readonly failures: number;
  readonly does: 'pause' | 'poll';
  readonly forMs: number;
}

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;
/** A stream that lasted so long was a good one. */
const GOOD_MS = 10_000;
/** Time that polls stand in where streams do not work. */
const POLLS_MS = 300_000;
/** Answers of servers, and of what stands before them, that have no such stream. */
const NO_STREAM = [200, 404, 405, 406, 410, 501];

/**
 * What to do after a stream: `failures` counts those in a row, `random` is at least 0 and below 1. Pauses double from one
 * second to thirty and have jitter, so that browsers do not come back all at once; what the server asks for is kept to.
 */
export function nextTry(end: StreamEnd, failures: number, random: number): NextTry {
  const backOff = spread(Math.min(LONGEST_MS, FIRST_MS * 2 ** failures), random);
  switch (end.kind) {
    case 'ended': {
      const wasGood = end.lastedMs >= GOOD_MS;
      const asked = spread(end.retryMs ?? FIRST_MS, random);
      return {
        failures: wasGood ? 0 : failures + 1,
        does: 'pause',
        forMs: wasGood ? asked : Math.max(asked, backOff),
      };
    }
    case 'unread':
      return { failures: 0, does: 'poll', forMs: spread(POLLS_MS, random) };
    case 'refused': {
      if (NO_STREAM.includes(end.httpStatus)) {
        return { failures: 0, does: 'poll', forMs: spread(POLLS_MS, random) };
      }
      const isUnknownCaller = end.httpStatus === 401 || end.httpStatus === 403;
      const asked = (end.retryAfterMs ?? 0) * (1 + random / 4);
      return {
        failures: failures + 1,
        does: isUnknownCaller ? 'pause' : 'poll',
        forMs: Math.max(asked, backOff),
      };
    }
    case 'unreachable':
      return { failures: failures + 1, does: 'pause', forMs: backOff };
  }
}

/** Pause before a poll that follows so many failures in a row. */
export function pollPause(
  everyMs: number,
  failures: number,
  retryAfterMs: number | null,
  random: number,
): number {
  const usual = failures === 0 ? everyMs : Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
  return Math.max((retryAfterMs ?? 0) * (1 + random / 4), spread(usual, random));
}

/** A time between three quarters of it and five quarters. */
function spread(milliseconds: number, random: number): number {
  return milliseconds * (0.75 + random / 2);
}
