import { type BuildProgress, partOf, placeOf } from '../projections/rebuild/build-progress.js';
import type { OnJudged } from '../projections/rebuild/publication-preview.js';
import type { OnProgress } from '../projections/rebuild/scratch-generation.js';
import type { Terminal } from './terminal.js';

/** How far work is: a part from 0 to 1, and what it counts. `null` where it is not known. */
export interface Step {
  readonly part: number | null;
  readonly eventsPerSecond: number | null;
  readonly secondsLeft: number | null;
  /** Where it is, in words. */
  readonly says: string;
}

/** Shows how far long work is, on what is for people; `end` leaves the line clean. */
export interface Progress {
  show(step: Step): void;
  end(): void;
}

/** Milliseconds between two lines where they stay, and between two looks of a line that is drawn over. */
const LINE_MS = 2_000;
const DRAW_MS = 100;
const BAR = 20;
/** Back to the beginning of the line, and clear to its end (ECMA-48, EL). No colours. */
const REDRAW = ['\r', '\x1b[K'] as const;

/** A bar that is drawn over in place on a terminal of some width; else a plain line now and then. */
export function progressOn(terminal: Terminal): Progress {
  const { width } = terminal;
  let [toldAt, isDrawn] = [Number.NEGATIVE_INFINITY, false];
  const isSoon = (ms: number): boolean => {
    if (performance.now() - toldAt < ms) return true;
    toldAt = performance.now();
    return false;
  };
  if (width === undefined) {
    return {
      show: (step) => {
        if (!isSoon(LINE_MS)) terminal.err(`tenure: ${wordsOf(step)}\n`);
      },
      end: () => undefined,
    };
  }
  return {
    show: (step) => {
      if (isSoon(DRAW_MS)) return;
      isDrawn = true;
      terminal.err(`${REDRAW[0]}${barOf(step, width)}${REDRAW[1]}`);
    },
    end: () => {
      if (isDrawn) terminal.err(REDRAW.join(''));
      isDrawn = false;
    },
  };
}

/** Time over which work is watched before its pace is told, in milliseconds: the first moments say nothing of the rest. */
const WATCH_MS = 2_000;

/** Milliseconds on a clock that only goes forward. */
type Clock = () => number;

/**
 * The pace of work, measured from the first look at which some of it is done: how long it took to begin, and from where it
 * went on, tells nothing of how long the rest takes. `null` until it was watched for a while.
 */
class Pace {
  #first: { readonly at: number; readonly done: number; readonly counted: number } | null = null;

  constructor(private readonly now: Clock) {}

  /** @param done, until what is done of what, in one unit; `counted` is what the rate is told in */
  look(done: number, until: number, counted: number): Pick<Step, 'eventsPerSecond' | 'secondsLeft'> {
    const at = this.now();
    if (done > 0) this.#first ??= { at, done, counted };
    const first = this.#first;
    const unknown = { eventsPerSecond: null, secondsLeft: null };
    if (first === null || at - first.at < WATCH_MS || done <= first.done) return unknown;
    const seconds = (at - first.at) / 1_000;
    return {
      eventsPerSecond: (counted - first.counted) / seconds,
      secondsLeft: (Math.max(0, until - done) / (done - first.done)) * seconds,
    };
  }
}

/** Makes steps of a build that services fold, watched from now on. */
export function buildSteps(now: Clock = () => performance.now()): (progress: BuildProgress) => Step {
  const pace = new Pace(now);
  return ({ generation, handled, live, events }) => ({
    part: partOf(handled, live),
    ...pace.look(placeOf(handled), placeOf(live), events),
    says: `generation ${generation}: ${events} events, at ${handled ?? 'the beginning'} of ${live ?? 'nothing'}`,
  });
}

/** Makes steps of a fold of the log in this process. */
export function foldSteps(now: Clock = () => performance.now()): (...at: Parameters<OnProgress>) => Step {
  const pace = new Pace(now);
  return (handled, until, events) => ({
    part: partOf(handled, until),
    ...pace.look(placeOf(handled), placeOf(until), events),
    says: `${events} events, at ${handled ?? 'the beginning'} of ${until ?? 'nothing'}`,
  });
}

/** Makes steps of users judged in this process. */
export function judgedSteps(now: Clock = () => performance.now()): (...at: Parameters<OnJudged>) => Step {
  const pace = new Pace(now);
  return (judged, users) => ({
    part: users === 0 ? null : Math.min(1, judged / users),
    ...pace.look(judged, users, judged),
    eventsPerSecond: null,
    says: `${judged} of ${users} users judged`,
  });
}

/** Makes steps of work of several kinds, one after the other, each counted in events. */
export function countSteps(
  now: Clock = () => performance.now(),
): (kind: string, events: number, of: number) => Step {
  let [pace, current] = [new Pace(now), ''];
  return (kind, events, of) => {
    if (kind !== current) [pace, current] = [new Pace(now), kind];
    return {
      part: of === 0 ? null : Math.min(1, events / of),
      ...pace.look(events, of, events),
      says: `${events} of ${of} events ${kind}`,
    };
  };
}

function barOf(step: Step, width: number): string {
  const { part } = step;
  const filled = Math.round((part ?? 0) * BAR);
  const bar = part === null ? '' : `[${'#'.repeat(filled)}${'.'.repeat(BAR - filled)}] `;
  return `${bar}${wordsOf(step)}`.slice(0, Math.max(1, width - 1)); // a full line would wrap
}

function wordsOf({ part, eventsPerSecond, secondsLeft, says }: Step): string {
  return [
    says,
    ...(part === null ? [] : [`${Math.floor(part * 100)} %`]),
    ...(eventsPerSecond === null ? [] : [`${Math.round(eventsPerSecond)} events/s`]),
    ...(secondsLeft === null ? [] : [`${timeOf(secondsLeft)} left`]),
  ].join(', ');
}

function timeOf(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  return whole < 3_600
    ? `${Math.floor(whole / 60)} min ${whole % 60} s`
    : `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
}
