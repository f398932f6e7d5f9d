import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { projectionMigrations } from './migrations.js';

const timestamps = projectionMigrations.map(({ name }) => Number(/\d{13}$/.exec(name)?.[0]));

describe('The migrations of the projections', () => {
  it('run in the order of their list, because that is the order of their timestamps', () => {
    expect(timestamps).toEqual([...timestamps].sort((a, b) => a - b));
    expect(new Set(timestamps).size).toBe(projectionMigrations.length);
  });

  it('stand in the list in the order of their file names, none left out', async () => {
    const files = readdirSync(fileURLToPath(new URL('.', import.meta.url)))
      .filter((file) => file.endsWith('.migration.ts'))
      .sort();
    const classes = await Promise.all(files.map(async (file) => Object.values(await import(`./${file}`))));
    expect(classes.flat()).toEqual(projectionMigrations);
  });
});
