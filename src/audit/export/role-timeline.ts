import { html, type Markup } from '../../http/markup.js';

/** What held from a moment on (Unix ms), until the next. */
export interface Held {
  readonly from: number;
  readonly role: string;
  readonly plan: string;
}

/** One line of a timeline. */
export interface TimelineRow {
  readonly label: string;
  /** In the order of time. */
  readonly held: readonly Held[];
}

const WIDTH = 720;
const LEFT = 96;
const BAR = 26;
const ROW = 38;
const TOP = 8;
/** Pixels of a character, about, and those that a label is away from the ends of its bar. */
const CHARACTER = 6.5;
const PADDING = 6;
/** Grounds of roles: dark text stands on each of them, and greys tell them apart on paper. */
const GROUNDS = ['#e4e8ee', '#b9d7f5', '#bfe3c6', '#f6dca6', '#e3c9ee', '#f3c3bd'];

interface Bar extends Held {
  readonly until: number;
}

/** Which role held when, as one picture: a line each, over the same time, from the first moment until `until` (Unix ms). */
export function roleTimeline(rows: readonly TimelineRow[], until: number): Markup {
  const start = Math.min(until, ...rows.flatMap(({ held }) => held.map(({ from }) => from)));
  const x = (time: number): number =>
    LEFT + (until === start ? 0 : ((time - start) / (until - start)) * (WIDTH - LEFT));
  const roles = [...new Set(rows.flatMap(({ held }) => held.map(({ role }) => role)))];
  const ground = (role: string): string => GROUNDS[roles.indexOf(role) % GROUNDS.length] ?? '';
  const bottom = TOP + rows.length * ROW;
  const ends = rows.map(
    ({ label, held }) =>
      `${label}: ${held.map(({ role, from }) => `${role} from ${dayOf(from)}`).join(', ')}`,
  );
  return html`<svg role="img" aria-labelledby="timeline-title timeline-words" viewBox="0 0 ${WIDTH} ${bottom + 20}">
<title id="timeline-title">Roles over time</title><desc id="timeline-words">${ends.join('. ')}</desc>
${rows.map(
  ({ label, held }, n) => html`<text x="0" y="${TOP + n * ROW + 17}">${label}</text>
${barsOf(held, until).map((bar) => barMarkup(bar, { x, y: TOP + n * ROW, fill: ground(bar.role) }))}`,
)}
<text x="${LEFT}" y="${bottom + 14}">${dayOf(start)}</text>
<text x="${WIDTH}" y="${bottom + 14}" text-anchor="end">${dayOf(until)}</text>
</svg>
`;
}

/** Neighbours with the same role and plan are one bar. */
function barsOf(held: readonly Held[], until: number): readonly Bar[] {
  const bars: Bar[] = [];
  for (const [n, each] of held.entries()) {
    const end = held[n + 1]?.from ?? until;
    const last = bars.at(-1);
    if (last !== undefined && last.role === each.role && last.plan === each.plan) {
      bars[bars.length - 1] = { ...last, until: end };
    } else {
      bars.push({ ...each, until: end });
    }
  }
  return bars;
}

function barMarkup(
  { role, plan, from, until }: Bar,
  { x, y, fill }: { readonly x: (time: number) => number; readonly y: number; readonly fill: string },
): Markup {
  const width = Math.max(1, x(until) - x(from));
  const words = role === plan ? role : `${role} (${plan})`;
  const label = [words, role].find((each) => each.length * CHARACTER + 2 * PADDING <= width) ?? '';
  return html`<rect x="${x(from).toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" fill="${fill}"/>
${label === '' ? [] : html`<text x="${(x(from) + PADDING).toFixed(1)}" y="${y + 17}">${label}</text>`}
`;
}

/** The day of a moment, UTC. */
function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
