import pg from 'pg';
import { loadStoreSettings } from '../config/settings.js';
import { claimForLog, eventStoreDbLog, POSTGRESQL_LOG } from '../event-store/log-identity.js';
import { openEventStore } from '../event-store/open-event-store.js';
import { eventStorePoolConfig } from '../event-store/postgres/pg-session.js';
import { foldingBeside } from '../projections/generations/folding-beside.js';
import type { OpenedGenerations } from './projections.command.js';

/** Connections of a command. */
const POOL_SIZE = 4;

/**
 * Opens what `tenure projections` works with, straight on the database; it makes no tables. Told to fold, this process
 * goes on with builds, unless a service does.
 * @throws InvalidSettingsError, OtherLogError and what the database answers
 */
export async function openGenerations(
  environment: Readonly<Record<string, string | undefined>>,
  fold: 'fold' | 'look',
  onTrouble: (error: unknown) => void,
): Promise<OpenedGenerations> {
  const { databaseUrl, eventStoreUrl, streamPrefix } = loadStoreSettings(environment);
  const pool = new pg.Pool(eventStorePoolConfig(databaseUrl, POOL_SIZE));
  pool.on('error', onTrouble);
  const closers: (() => Promise<void>)[] = [() => pool.end()];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    await claimForLog(pool, eventStoreUrl === null ? POSTGRESQL_LOG : eventStoreDbLog(streamPrefix));
    const store = openEventStore({ eventStoreUrl, streamPrefix }, { pool, databaseUrl, onFault: onTrouble });
    closers.push(() => store.close());
    const beside = foldingBeside({
      store,
      pool,
      url: databaseUrl,
      onFault: (generation, { message }) => onTrouble(`generation ${generation} stopped: ${message}`),
      onTrouble,
    });
    closers.push(() => beside.stop());
    if (fold === 'fold') beside.keeper.start();
    return { generations: beside.generations, close };
  } catch (error) {
    await close();
    throw error;
  }
}
