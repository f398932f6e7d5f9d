import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { testFolder } from '../../test/support/folder.js';
import type { StoredEvent } from '../events/stored-event.js';
import { type BackupLine } from './backup-format.js';
import { backupLines, readBackupHeader } from './backup-reader.js';
import { BackupWriter } from './backup-writer.js';

const ABOUT = {
  origin: 'postgresql',
  streamPrefix: 'tenure.',
  takenAt: '2026-11-01T00:00:00.000Z',
  release: '1',
  columns: { api_key: ['id'] },
};

/** An event of a stream; its texts hold what a line must not break at. */
function eventOf(revision: number): StoredEvent {
  const text = JSON.stringify({ revision, text: 'a\nb\u2028c\u0000 "é" 😀' });
  const place = { stream: 'tenure.customer-cus_1', revision, position: String(revision + 1) };
  return { ...place, id: `id ${revision}`, type: 'T', data: text, metadata: '{}' };
}

describe('A backup file', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await testFolder('tenure-backup-');
    path = join(folder, 'log.backup');
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function write(events: number) {
    const writer = await BackupWriter.open(path, ABOUT);
    await writer.row('api_key', '{"id":12345678901234567890}');
    for (let n = 0; n < events; n += 1) await writer.event(eventOf(n));
    return writer.finish();
  }

  async function read(): Promise<readonly BackupLine[]> {
    const lines: BackupLine[] = [];
    for await (const line of backupLines(path, await readBackupHeader(path))) lines.push(line);
    return lines;
  }

  it('gives back what was written, byte for byte, and counts it in its header', async () => {
    const { header, bytes } = await write(3);
    expect(header).toMatchObject({ origin: 'postgresql', rows: 1, events: 3 });
    expect((await readFile(path)).length).toBe(bytes);
    expect(await readBackupHeader(path)).toEqual(header);
    expect(await read()).toEqual([
      { kind: 'log', about: ABOUT },
      { kind: 'row', table: 'api_key', json: '{"id":12345678901234567890}' },
      ...[0, 1, 2].map((n) => ({ kind: 'event', event: eventOf(n) })),
    ]);
  });

  it('has its name once it is whole, and never takes that of another', async () => {
    const writer = await BackupWriter.open(path, ABOUT);
    expect(await readdir(folder)).toEqual([expect.stringMatching(/\.partial$/)]);
    await writer.giveUp();
    expect(await readdir(folder)).toEqual([]);
    await write(1);
    await expect(BackupWriter.open(path, ABOUT)).rejects.toThrow('there is a file');
    expect(await readdir(folder)).toEqual(['log.backup']);
  });

  it.each([
    [
      'cut off',
      (bytes: Buffer) => bytes.subarray(0, bytes.length - 200),
      /broken after .*@\d+ \(line \d+\): unexpected end/,
    ],
    [
      'bent in one bit',
      (bytes: Buffer) => {
        bytes.writeUInt8((bytes.at(-300) ?? 0) ^ 4, bytes.length - 300);
        return bytes;
      },
      /broken after .*@\d+ \(line \d+\): /,
    ],
    [
      'of another header',
      (bytes: Buffer) =>
        Buffer.from(bytes.toString('latin1').replace(/"sha256":"./, '"sha256":"!'), 'latin1'),
      'no backup of this format',
    ],
    [
      'of another hash',
      (bytes: Buffer) =>
        Buffer.from(
          bytes.toString('latin1').replace(/"sha256":"(.)/, (_, hex) => `"sha256":"${hex === '0' ? 1 : 0}`),
          'latin1',
        ),
      'its hash is another',
    ],
  ])('that is %s is refused with the place', async (_what, bend, words) => {
    await write(2_000);
    await writeFile(path, bend(await readFile(path)));
    await expect(read()).rejects.toThrow(words);
  });
});
