import { readFileSync } from 'node:fs';
import { refusedBySomeone } from '../../../test/support/forged-exports.js';
import {
  ExportKey,
  KEY,
  LINES,
  ORIGIN,
  SMALL,
  SUMMARY,
  signedExport,
} from '../../../test/support/small-export.js';
import { ExportRefused, verifyExport } from './verify-export.mjs';

/** Of a witness whose signature nothing has. */
const witnessKey = 'witness.example/w1+f5f1ad4c+BAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH';

interface Asked {
  readonly keys?: readonly string[];
  readonly against?: string;
  readonly beside?: string;
}

/** Why an export is refused; `null`: it is not. */
function refusal(bytes: Uint8Array, { keys = [], against, beside }: Asked = {}): string | null {
  try {
    verifyExport(bytes, {
      keys,
      against: against ?? null,
      readBeside: (name) => (name === 'summary.html' && beside !== undefined ? Buffer.from(beside) : null),
    });
    return null;
  } catch (error) {
    if (error instanceof ExportRefused) return error.message;
    throw error;
  }
}

describe('An export', () => {
  it('holds as it was written, and tells of what', () => {
    expect(verifyExport(SMALL, { keys: KEY.texts, against: null, readBeside: () => null })).toMatchObject({
      user: 'ann "of" 42',
      origin: ORIGIN,
      events: 8,
      streams: 4,
      snapshots: 2,
      checkpoint: { size: 10 },
      signedBy: KEY.texts,
      keys: 'given',
    });
    expect(refusal(SMALL, { beside: SUMMARY })).toBeNull();
  });

  it('is refused after any one of its bytes was changed, whichever bit of it', () => {
    const accepted: number[] = [];
    for (const [at, byte] of SMALL.entries()) {
      const changed = Buffer.from(SMALL);
      changed[at] = byte ^ (1 << (at % 8));
      if (refusal(changed) === null) accepted.push(at);
    }
    expect(accepted).toEqual([]);
  });

  it('is refused where it was cut anywhere, or goes on', () => {
    for (let end = 0; end < SMALL.length; end += 7) expect(refusal(SMALL.subarray(0, end))).not.toBeNull();
    for (const more of ['\n', ' ', LINES[0] ?? '']) {
      expect(refusal(Buffer.concat([SMALL, Buffer.from(more)]))).not.toBeNull();
    }
  });

  it('is refused where a line was removed, said twice, or changed places with the next', () => {
    for (const [n, line] of SMALL.toString()
      .split(/(?<=\n)/)
      .entries()) {
      const lines = SMALL.toString().split(/(?<=\n)/);
      const next = lines[n + 1];
      const removed = lines.filter((_, at) => at !== n);
      const twice = [...lines.slice(0, n), line, ...lines.slice(n)];
      const swapped = next === undefined ? [] : [...lines.slice(0, n), next, line, ...lines.slice(n + 2)];
      for (const each of [removed, twice, swapped])
        expect(refusal(Buffer.from(each.join('')))).not.toBeNull();
    }
  });

  it.each(refusedBySomeone)('that whoever holds the key made anew is refused where %s', (_, lines, why) => {
    expect(refusal(signedExport(lines))).toMatch(why);
  });

  it('is taken of the keys that were given, in either form, and of no other', () => {
    const other = new ExportKey(8);
    for (const key of KEY.texts) expect(refusal(SMALL, { keys: [key] })).toBeNull();
    expect(refusal(SMALL, { keys: [...other.texts, ...KEY.texts] })).toBeNull();
    expect(refusal(SMALL, { keys: other.texts })).toMatch(
      'the checkpoint is signed by no key of the log that was given',
    );
    const byOther = LINES.map((line) => line.replace(KEY.texts[0] ?? '', other.texts[0] ?? ''));
    expect(refusal(signedExport(byOther, other), { keys: KEY.texts })).toMatch(
      'the export is signed by no key',
    );
    expect(refusal(SMALL, { keys: ['example.com/audit/log+00000000+AAAA'] })).toMatch('no verifier key');
    expect(refusal(SMALL, { keys: [...KEY.texts, witnessKey] })).toMatch('not signed by the witness');
  });

  it('is held against a checkpoint that was kept: its own, or one that it proves itself to go on from', () => {
    for (const size of [3, 4, 8, 10]) expect(refusal(SMALL, { against: KEY.checkpoint(size) })).toBeNull();
    expect(refusal(SMALL, { against: KEY.checkpoint(5) })).toMatch(
      'proves nothing about the checkpoint of 5',
    );
    for (const size of [3, 10]) {
      expect(refusal(SMALL, { against: KEY.checkpoint(size, Buffer.alloc(32, 1)) })).toMatch(
        'had other events',
      );
    }
    expect(refusal(SMALL, { against: new ExportKey(9).checkpoint(10) })).toMatch(
      'signed by no key that is known',
    );
    expect(refusal(SMALL, { against: 'x' })).toMatch('no signed note');
  });

  it('is refused where a file beside it is another one', () => {
    expect(refusal(SMALL, { beside: `${SUMMARY} ` })).toMatch('summary.html was changed');
  });
});

describe('verify-export.mjs', () => {
  it('imports nothing but Node', () => {
    const source = readFileSync(new URL('verify-export.mjs', import.meta.url), 'utf8');
    const imported = [...source.matchAll(/from '([^']+)'/g)].map(([, name]) => name);
    expect(imported).toHaveLength(5);
    expect(imported.filter((name) => !name?.startsWith('node:'))).toEqual([]);
  });
});
