import { rm, writeFile } from 'node:fs/promises';
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

  it('is not taken in the moment in which another process writes whose it is', async () => {
    await writeFile(join(folder, 'tenure.starting'), '');
    expect(await StartTurn.take(folder)).toBeNull();
  });
});
