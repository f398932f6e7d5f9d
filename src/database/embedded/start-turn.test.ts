import { rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { testFolder } from '../../../test/support/folder.js';
import { StartTurn } from './start-turn.js';

describe('The turn to start a server', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await testFolder('tenure-turn-');
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('is another living process’s until it is given back', async () => {
    const file = join(folder, 'tenure.starting');
    await writeFile(file, String(process.ppid));
    expect(await StartTurn.take(folder)).toBeNull();
    await rm(file);
    const turn = await StartTurn.take(folder);
    expect(turn).toBeInstanceOf(StartTurn);
    await turn?.release();
    await expect(rm(file)).rejects.toThrow('ENOENT');
  });

  it.each([
    ['a process that is gone', '999999999', new Date()],
    ['a number that is another process by now', String(process.ppid), new Date(0)],
    ['one before this process, of its number,', String(process.pid), new Date()],
  ])('is taken though %s had it', async (_, holder, since) => {
    const file = join(folder, 'tenure.starting');
    await writeFile(file, holder);
    await utimes(file, since, since);
    const turn = await StartTurn.take(folder);
    expect(turn).toBeInstanceOf(StartTurn);
    await turn?.release();
    await expect(rm(file)).rejects.toThrow('ENOENT');
  });

  it('is not taken in the moment in which another process writes whose it is', async () => {
    await writeFile(join(folder, 'tenure.starting'), '');
    expect(await StartTurn.take(folder)).toBeNull();
  });
});
