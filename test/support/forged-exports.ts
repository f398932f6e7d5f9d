import { formatNote, parseNote } from '../../src/audit/merkle/signed-note.js';
import { KEY, LINES, SMALL } from './small-export.js';

interface Line {
  readonly kind: string;
  readonly [name: string]: unknown;
}

const parsed: readonly Line[] = LINES.map((line) => JSON.parse(line));

/** The lines with one member of the `n`-th of a kind set otherwise. */
function otherwise(
  kind: string,
  n: number,
  change: (line: Line) => Readonly<Record<string, unknown>>,
): readonly string[] {
  const target = parsed.filter((line) => line.kind === kind)[n];
  if (target === undefined) throw new Error(`no line ${kind} ${n}`);
  return parsed.map((line) => `${JSON.stringify(line === target ? { ...line, ...change(line) } : line)}\n`);
}

function without(isLeftOut: (line: Line) => boolean): readonly string[] {
  return LINES.filter((_, n) => !isLeftOut(parsed[n] as Line));
}

/** Lines without one event, where the stream says so too. */
function eventLeftOut(stream: string, revision: number): readonly string[] {
  return without((line) => line.kind === 'event' && line.stream === stream && line.revision === revision).map(
    (line) => {
      const each: Line = JSON.parse(line);
      const isStream = each.kind === 'stream' && each.stream === stream;
      return isStream ? `${JSON.stringify({ ...each, events: Number(each.events) - 1 })}\n` : line;
    },
  );
}

function withFalseSignature(note: string, n: number): string {
  const { text: signed, signatures } = parseNote(note);
  const turned = signatures.map((each, at) =>
    at === n
      ? {
          ...each,
          signature: Buffer.from(each.signature.map((byte, place) => (place === 40 ? byte ^ 1 : byte))),
        }
      : each,
  );
  return formatNote({ text: signed, signatures: turned });
}

const other = Buffer.alloc(32, 5).toString('base64');
const text = (line: Line, name: string): string => String(line[name]);

/** Exports that the log's own key signed, in which something does not hold: what, their lines, and why they are refused. */
export const refusedBySomeone: readonly (readonly [what: string, lines: readonly string[], why: RegExp])[] = [
  [
    'an event in the middle of a stream is left out',
    eventLeftOut('t.usage-ann', 1),
    /events of t\.usage-ann are missing/,
  ],
  [
    'the first event of a stream is left out',
    eventLeftOut('t.usage-ann', 0),
    /events of t\.usage-ann are missing/,
  ],
  [
    'a stream has fewer events than it says',
    without((line) => line.kind === 'event' && line.stream === 't.usage-ann' && line.revision === 2),
    /there should be 3 events, not 2/,
  ],
  [
    'a stream is not named',
    without((line) => line.kind === 'stream' && line.stream === 't.catalog'),
    /of a stream that the export does not name/,
  ],
  [
    'the data of an event is another',
    otherwise('event', 1, (line) => ({ data: text(line, 'data').replace(/"value":\d+/, '"value":99') })),
    /its hash is another one/,
  ],
  [
    'the data of an event is spelled otherwise',
    otherwise('event', 1, (line) => ({ data: ` ${text(line, 'data')}` })),
    /its hash is another one/,
  ],
  ['data hold more than a value', otherwise('event', 1, () => ({ data: '1,"x":2' })), /is not JSON/],
  [
    'the metadata of an event is another',
    otherwise('event', 1, (line) => ({ metadata: text(line, 'metadata').replace('key:1', 'key:2') })),
    /its hash is another one/,
  ],
  [
    'the type of an event is another',
    otherwise('event', 1, () => ({ type: 'OverrideSet' })),
    /its hash is another one/,
  ],
  [
    'the id of an event is another',
    otherwise('event', 1, (line) => ({ id: text(line, 'id').replace(/^./, 'g') })),
    /is not in the tree/,
  ],
  [
    'an event is moved',
    otherwise('event', 1, (line) => ({ index: Number(line.index) + 1 })),
    /is not in the tree/,
  ],
  [
    'an event stands behind the end of the tree',
    otherwise('event', 5, () => ({ index: 99 })),
    /is not in the tree/,
  ],
  [
    'an event stands nowhere',
    otherwise('event', 0, () => ({ index: -1 })),
    /order of the log|not in the tree/,
  ],
  [
    'an index is no whole number',
    otherwise('event', 1, (line) => ({ index: Number(line.index) + 0.5 })),
    /order of the log/,
  ],
  [
    'a proof is too short',
    otherwise('event', 1, (line) => ({ proof: (line.proof as string[]).slice(1) })),
    /is not in the tree/,
  ],
  [
    'a proof is too long',
    otherwise('event', 1, (line) => ({ proof: [...(line.proof as string[]), other] })),
    /is not in the tree/,
  ],
  [
    'a hash of a proof is another',
    otherwise('event', 1, (line) => ({ proof: [other, ...(line.proof as string[]).slice(1)] })),
    /is not in the tree/,
  ],
  ['a proof is not in base64', otherwise('event', 1, () => ({ proof: [7] })), /not in base64/],
  [
    'a part of a stream is called whole',
    otherwise('stream', 2, () => ({ whole: true })),
    /events of t\.skips are missing/,
  ],
  [
    'the events of a whole stream do not follow each other, though each is in the tree',
    otherwise('stream', 0, () => ({ whole: true })),
    /event 6 \(t\.torn@1\) does not follow the one before it/,
  ],
  [
    'the checkpoint has another root',
    otherwise('checkpoint', 0, () => ({ note: KEY.checkpoint(10, Buffer.alloc(32, 5)) })),
    /does not go on from its checkpoint of 3/,
  ],
  [
    'the checkpoint has another root, and goes on from none',
    otherwise('checkpoint', 0, () => ({ note: KEY.checkpoint(10, Buffer.alloc(32, 5)) })).filter(
      (line) => !line.startsWith('{"kind":"older"'),
    ),
    /is not in the tree/,
  ],
  [
    'the checkpoint is of another size',
    otherwise('checkpoint', 0, () => ({ note: KEY.checkpoint(8) })),
    /does not go on from its checkpoint of 3/,
  ],
  ...[0, 1].map(
    (n) =>
      [
        `signature ${n} of the checkpoint is another one`,
        otherwise('checkpoint', 0, (line) => ({ note: withFalseSignature(text(line, 'note'), n) })),
        /the signature of example\.com\/audit\/log on the checkpoint does not hold/,
      ] as const,
  ),
  [
    'the checkpoint is of another log',
    otherwise('export', 0, () => ({ origin: 'example.com/other' })),
    /the export of example\.com\/other/,
  ],
  [
    'the checkpoint is signed by nobody',
    otherwise('checkpoint', 0, (line) => ({ note: text(line, 'note').split('\n\n')[0] })),
    /no signed note/,
  ],
  [
    'the checkpoint is signed by a stranger',
    otherwise('checkpoint', 0, (line) => ({
      note: text(line, 'note').replaceAll('— example.com', '— example.org'),
    })),
    /signed by no key/,
  ],
  [
    'it goes on from a checkpoint of other events',
    otherwise('older', 1, () => ({ note: KEY.checkpoint(4, Buffer.alloc(32, 5)) })),
    /does not go on from its checkpoint of 4/,
  ],
  [
    'the proof of an older checkpoint is another',
    otherwise('older', 2, () => ({ proof: [other] })),
    /does not go on from its checkpoint of 8/,
  ],
  [
    'the proof of an older checkpoint is missing',
    otherwise('older', 0, () => ({ proof: [] })),
    /does not go on from its checkpoint of 3/,
  ],
  [
    'the event behind a snapshot is left out',
    otherwise('snapshot', 0, () => ({ cause: { kind: 'event', id: 'x', recordedAt: 'then' } })),
    /the event behind the snapshot/,
  ],
  ['it has a version that nobody knows', otherwise('export', 0, () => ({ version: 2 })), /of version 2/],
  ['it has a line of another kind', [...LINES, '{"kind":"more"}\n'], /of no kind/],
  ['a line is no object', [...LINES, 'null\n'], /of no kind/],
  ['an event has no text', otherwise('event', 1, () => ({ metadata: {} })), /is no "event"/],
  [
    'metadata are no object',
    otherwise('event', 1, () => ({ metadata: 'null' })),
    /does not stand in its place/,
  ],
  ['a key is none', otherwise('key', 0, () => ({ verifierKey: 'x' })), /no verifier key/],
  [
    'it names a file elsewhere',
    otherwise('file', 0, () => ({ name: '../summary.html' })),
    /cannot lie beside/,
  ],
  [
    'it is signed as something else',
    [SMALL.toString().split('\n')[0] ?? '', '\n'],
    /has 0 lines "checkpoint"/,
  ],
];
