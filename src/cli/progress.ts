import type { Position } from '../events/stored-event.js';
import type { BuildProgress } from '../projections/rebuild/build-progress.js';
import type { OnJudged } from '../projections/rebuild/publication-preview.js';
import type { OnProgress } from '../projections/rebuild/verification.js';
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

/** Between two lines where they stay, and between two looks of a line that is drawn over, in milliseconds. */
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

/** A step of a build that services fold. */
export function buildStep(progress: BuildProgress): Step {
  const { generation, handled, live, events, eventsPerSecond, secondsLeft } = progress;
  return {
    part: partOf(handled, live),
    eventsPerSecond,
    secondsLeft,
    says: `generation ${generation}: ${events} events, at ${handled ?? 'the beginning'} of ${live ?? 'nothing'}`,
  };
}

/** Makes steps of a fold of the log in this process, which begins now. */
export function foldSteps(): (...at: Parameters<OnProgress>) => Step {
  const began = performance.now();
  return (handled, until, events) => {
    const seconds = (performance.now() - began) / 1_000;
    const part = partOf(handled, until);
    return {
      part,
      eventsPerSecond: events === 0 ? null : events / seconds,
      secondsLeft: part === null || part === 0 ? null : (seconds / part) * (1 - part),
      says: `at ${handled ?? 'the beginning'} of ${until ?? 'nothing'}`,
    };
  };
}

/** Makes steps of users judged in this process, from now on. */
export function judgedSteps(): (...at: Parameters<OnJudged>) => Step {
  const began = performance.now();
  return (judged, users) => {
    const seconds = (performance.now() - began) / 1_000;
    const part = users === 0 ? null : Math.min(1, judged / users);
    return {
      part,
      eventsPerSecond: null,
      secondsLeft: part === null || part === 0 ? null : (seconds / part) * (1 - part),
      says: `${judged} of ${users} users judged`,
    };
  };
}

function partOf(handled: Position | null, until: Position | null): number | null {
  if (until === null) return null;
  return Math.min(1, Number(handled ?? '0') / Number(until));
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
