import { claimForLog, logOf } from '../event-store/log-identity.js';
import { openEventStore } from '../event-store/open-event-store.js';
import { foldingBeside } from '../projections/generations/folding-beside.js';
import type { Generations } from '../projections/generations/generations.js';
import { withServiceData } from './service-data.js';
import type { Terminal } from './terminal.js';

/**
 * Lets `work` use the generations of the read models, straight on the database. Told to fold, this process goes on with
 * builds, unless a service does.
 * @throws InvalidSettingsError, OtherLogError and what the database answers
 */
export function withGenerations<Result>(
  terminal: Terminal,
  fold: 'fold' | 'look',
  work: (generations: Generations) => Promise<Result>,
): Promise<Result> {
  const onTrouble = (trouble: unknown): void =>
    terminal.err(`tenure: ${trouble instanceof Error ? trouble.message : String(trouble)}\n`);
  return withServiceData(terminal, async ({ settings, database: { pool }, databaseUrl }) => {
    await claimForLog(pool, logOf(settings));
    const store = openEventStore(settings, { pool, databaseUrl, onFault: onTrouble });
    try {
      const beside = foldingBeside({
        store,
        pool,
        url: databaseUrl,
        onFault: (generation, { message }) => onTrouble(`generation ${generation} stopped: ${message}`),
        onTrouble,
      });
      try {
        if (fold === 'fold') beside.keeper.start();
        return await work(beside.generations);
      } finally {
        await beside.stop();
      }
    } finally {
      await store.close();
    }
  });
}
