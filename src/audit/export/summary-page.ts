import { html, type Markup } from '../../http/markup.js';
import { parseCheckpointText } from '../merkle/checkpoint.js';
import { parseNote } from '../merkle/signed-note.js';
import { stateOf, verifierTextsOf } from '../tree/audit-key.js';
import type { SnapshotByBothClocks } from './both-clocks.js';
import type { ExportedUser } from './export-lines.js';
import { type Held, roleTimeline } from './role-timeline.js';

/** Changes that the page shows, the newest ones; export.ndjson has them all. */
const SHOWN = 8;
/** The part of a snapshot that the words beside a change are about. */
const TOLD = 'plan';

const STYLE = html`
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { font: 14px/1.45 system-ui, "Liberation Sans", Arial, sans-serif; color: #1b1f26; background: #fff; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
p { margin: .35rem 0; max-width: 46rem; }
svg { width: 100%; height: auto; font-size: 12px; fill: #1b1f26; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
rect { stroke: #4a5361; stroke-width: .6; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #c9cfd8; overflow-wrap: anywhere; }
th { font-weight: 600; }
th:nth-child(2), th:nth-child(3) { width: 15%; }
td:first-child { white-space: nowrap; font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: .5rem 0; }
dt { color: #4a5361; }
dd { margin: 0; overflow-wrap: anywhere; }
code { font: 12px/1.4 ui-monospace, "Liberation Mono", monospace; }
small { color: #4a5361; font-size: 12px; }
@page { margin: 14mm; }
@media print { body { margin: 0; max-width: none; padding: 0; font-size: 8.5pt; line-height: 1.25; } small, code { font-size: 7.5pt; } svg { font-size: 11px; } h2 { margin-top: .8rem; } th, td { padding-top: .15rem; padding-bottom: .15rem; } thead { display: table-header-group; } tr, svg, dl { break-inside: avoid; } h2 { break-after: avoid; } }
`;

/**
 * A page for people that says in short what an export holds. It needs nothing else and runs nothing; of many changes it shows
 * the newest.
 */
export function summaryPage(exported: ExportedUser): string {
  const { userId, exportedAt, release, snapshots } = exported;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>What ${userId} could do</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>What ${userId} could do</h1>
<p>Made on ${secondOf(exportedAt)} by Tenure ${release}. All times are UTC.</p>
${lastServed(snapshots)}
<h2>Roles</h2>
${roleTimeline(
  [
    { label: 'served', held: heldOf(snapshots, 'served') },
    { label: 'by all known', held: heldOf(snapshots, 'held') },
  ],
  Date.parse(exportedAt),
)}
<p><small><b>served</b>: what was answered then, by what was known then. <b>by all known</b>: what should have held, by all that
is known now. They differ where something was learned late.</small></p>
${changesSection(snapshots)}
${proofSection(exported)}
</main>
</body>
</html>
`.text;
}

function lastServed(snapshots: readonly SnapshotByBothClocks[]): Markup {
  const last = snapshots.at(-1);
  if (last === undefined) return html``;
  const words = wordsOf(last.served);
  const since = snapshots[snapshots.findLastIndex(({ served }) => wordsOf(served) !== words) + 1] ?? last;
  return html`<p>Last served: ${words}, since ${secondOf(since.moment)}.</p>`;
}

function heldOf(snapshots: readonly SnapshotByBothClocks[], clock: 'served' | 'held'): readonly Held[] {
  return snapshots.map(({ moment, [clock]: { role, plan } }) => ({ from: Date.parse(moment), role, plan }));
}

function changesSection(snapshots: readonly SnapshotByBothClocks[]): Markup {
  const shown = snapshots.slice(-SHOWN);
  const hidden = snapshots.length - shown.length;
  return html`<h2>Changes</h2>
${hidden === 0 ? [] : html`<p>The newest ${shown.length}; ${hidden} before them are in export.ndjson.</p>`}
<table>
<thead><tr><th scope="col">when</th><th scope="col">served</th><th scope="col">by all known</th><th scope="col">what made it so, and why</th></tr></thead>
<tbody>
${shown.map(
  (each) => html`<tr><td>${secondOf(each.moment)}</td><td>${wordsOf(each.served)}</td><td>${
    wordsOf(each.held) === wordsOf(each.served) ? 'the same' : wordsOf(each.held)
  }</td><td>${causeOf(each)}</td></tr>
`,
)}</tbody>
</table>
`;
}

function wordsOf({ role, plan, status }: SnapshotByBothClocks['served']): string {
  return `${plan} (role ${role}, ${status})`;
}

function causeOf({ cause, changed, reasons }: SnapshotByBothClocks): Markup {
  if (cause === null) return html`<small>what was learned later</small>`;
  const why = (reasons.served ?? []).find(({ of }) => of === TOLD)?.words ?? '';
  const parts = changed.map(({ field }) => field).join(', ');
  const what =
    cause.kind === 'time'
      ? 'the clock'
      : [cause.type, cause.stripe?.eventId ?? cause.actor ?? '', cause.reason ?? '']
          .filter((part) => part !== '')
          .join(', ');
  return html`${what}${why === '' ? '' : `. ${why}`}${parts === '' ? '' : html` <small>(changed: ${parts})</small>`}`;
}

function proofSection({ origin, checkpoint, events, keys, exportedAt }: ExportedUser): Markup {
  const { size, root } = parseCheckpointText(parseNote(checkpoint).text);
  const streams = new Set(events.map(({ event }) => event.stream)).size;
  const now = Date.parse(exportedAt);
  const signing = keys
    .filter((key) => stateOf(key, now) !== 'retired')
    .flatMap((key) => verifierTextsOf(key, origin).slice(0, 1));
  return html`<h2>Proof</h2>
<dl>
<dt>events</dt><dd>${events.length}, of ${streams} streams, each proved to be in the log</dd>
<dt>log</dt><dd>${origin}</dd>
<dt>checkpoint</dt><dd>${size} events, root <code>${root.toString('base64')}</code></dd>
${signing.map((key) => html`<dt>verifier key</dt><dd><code>${key}</code></dd>`)}
</dl>
<p>To check all of it, this page included, without the service:</p>
<p><code>tenure audit verify-export export.ndjson --key VERIFIER_KEY</code></p>
<p><small>Take the key from whoever you trust, not from this page. Proved is that the events are in the log that the checkpoint
is of, as they were; that the operator left none out is shown within each stream only. The rest is signed by the operator.</small></p>
`;
}

/** A moment to the second. */
function secondOf(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 19)}`;
}
