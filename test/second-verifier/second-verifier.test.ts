import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ExportRefused, verifyExport } from '../../src/audit/verifier/verify-export.mjs';
import { refusedBySomeone } from '../support/forged-exports.js';
import { ExportKey, KEY, SMALL, SUMMARY, signedExport } from '../support/small-export.js';

const PROGRAM = fileURLToPath(new URL('verify_export.py', import.meta.url));
/** One byte of so many is changed; 1 in the soak. */
const EVERY = process.env.EXPORT_BYTES === 'all' ? 1 : 37;

interface Case {
  readonly bytes: Buffer;
  readonly keys: readonly string[];
  readonly against: string | null;
  readonly beside: Readonly<Record<string, string>>;
}

const plain = (bytes: Buffer): Case => ({ bytes, keys: [], against: null, beside: {} });

/** What the second verifier says of each: whether it holds, and why not. */
function bySecond(cases: readonly Case[]): readonly string[] {
  const input = cases
    .map(({ bytes, ...rest }) => `${JSON.stringify({ export: bytes.toString('base64'), ...rest })}\n`)
    .join('');
  const { stdout, stderr } = spawnSync('python3', [PROGRAM], { input, encoding: 'utf8', maxBuffer: 2 ** 28 });
  expect(stderr).toBe('');
  return stdout.trimEnd().split('\n');
}

function byFirst({ bytes, keys, against, beside }: Case): string {
  try {
    const readBeside = (name: string) => (beside[name] === undefined ? null : Buffer.from(beside[name]));
    verifyExport(bytes, { keys, against, readBeside });
    return 'holds';
  } catch (error) {
    if (error instanceof ExportRefused) return `refused: ${error.message}`;
    throw error;
  }
}

const word = (verdict: string): string => verdict.split(':')[0] ?? '';

describe('A second verifier, written from the document alone, says the same as the first', () => {
  it('of an export that holds, with keys, with checkpoints and with a file beside it, given and false', () => {
    const other = new ExportKey(8);
    const cases: readonly Case[] = [
      plain(SMALL),
      ...[...KEY.texts, ...other.texts].map((key) => ({ ...plain(SMALL), keys: [key] })),
      { ...plain(SMALL), keys: [...other.texts, ...KEY.texts] },
      ...[3, 4, 5, 8, 10].map((size) => ({ ...plain(SMALL), against: KEY.checkpoint(size) })),
      { ...plain(SMALL), against: KEY.checkpoint(8, Buffer.alloc(32, 1)) },
      { ...plain(SMALL), against: other.checkpoint(10) },
      ...[SUMMARY, ''].map((text) => ({ ...plain(SMALL), beside: { 'summary.html': text } })),
    ];
    const verdicts = bySecond(cases).map(word);
    expect(verdicts).toEqual(cases.map(byFirst).map(word));
    expect(verdicts.filter((verdict) => verdict === 'holds')).toHaveLength(8 + 1);
  });

  it('of an export that was changed by a byte, cut, or forged by whoever holds the key: it does not hold', () => {
    const changed = [...SMALL.keys()]
      .filter((at) => at % EVERY === 0)
      .map((at) => {
        const bytes = Buffer.from(SMALL);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
        return plain(bytes);
      });
    const cut = [1, 100, 1_000, SMALL.length - 1].map((end) => plain(SMALL.subarray(0, end)));
    const forged = refusedBySomeone.map(([, lines]) => plain(signedExport(lines)));
    const cases = [...changed, ...cut, ...forged];
    const verdicts = bySecond(cases);
    const accepted = cases.flatMap((_, n) => (word(verdicts[n] ?? '') === 'refused' ? [] : [n]));
    expect([verdicts.length, accepted]).toEqual([cases.length, []]);
    expect(cases.map(byFirst).map(word)).toEqual(verdicts.map(word));
  });
});
