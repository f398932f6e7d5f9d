import type { Pool } from 'pg';
import type { EventStore } from '../event-store/event-store.js';
import { ChainCheck, nameOf, pagesOf } from '../event-store/log-transfer.js';
import { comparePositions, type Position } from '../events/stored-event.js';
import { VERSION } from '../observability/version.js';
import { type BackupHeader } from './backup-format.js';
import { BackupWriter } from './backup-writer.js';
import { BackupRefusedError } from './errors.js';
import { columnsOfKeptTables, readKeptRows } from './kept-rows.js';

export interface BackUpOptions {
  readonly store: EventStore;
  readonly streamPrefix: string;
  /** Which log it is, as `log_identity` names it. */
  readonly origin: string;
  /** Connections for what may take long. */
  readonly pool: Pool;
  readonly path: string;
  /** Hears how far it is: the position, that of the last event to come, and events written. */
  readonly onProgress: (position: Position | null, until: Position | null, events: number) => void;
}

export interface BackUpReport extends BackupHeader {
  /** Position of the last event in the backup; `null` where the log is empty. */
  readonly head: Position | null;
  readonly bytes: number;
}

/**
 * Writes the log, and what is not in it, to a file. Services go on: the tables are read as of one moment, and then the log
 * up to where it ended just after, so that nothing kept tells of an event that the file lacks. The hash chain of every
 * stream is checked on the way: a log that would not be taken back is no backup.
 * @throws BackupRefusedError when there is a file of that name, or a chain is broken; what the store, the database and the
 * file system answer
 */
export async function backUp(options: BackUpOptions): Promise<BackUpReport> {
  const { store, streamPrefix, origin, pool, path, onProgress } = options;
  const columns = await columnsOfKeptTables(pool);
  const writer = await BackupWriter.open(path, {
    origin,
    streamPrefix,
    takenAt: new Date().toISOString(),
    release: VERSION,
    columns: Object.fromEntries(Object.entries(columns).map(([table, names]) => [table, [...names]])),
  });
  try {
    await readKeptRows(pool, (table, json) => writer.row(table, json));
    const head = await store.head();
    await writeLog(writer, store, head, onProgress);
    return { ...(await reportOf(writer)), head };
  } catch (error) {
    await writer.giveUp();
    throw error;
  }
}

async function reportOf(writer: BackupWriter): Promise<BackupHeader & { readonly bytes: number }> {
  const { header, bytes } = await writer.finish();
  return { ...header, bytes };
}

async function writeLog(
  writer: BackupWriter,
  store: EventStore,
  head: Position | null,
  onProgress: BackUpOptions['onProgress'],
): Promise<void> {
  const chains = new ChainCheck(store);
  let events = 0;
  for await (const page of pagesOf(store)) {
    for (const event of page) {
      if (comparePositions(event.position, head) > 0) return;
      const broken = await chains.follow(event);
      if (broken !== null) {
        throw new BackupRefusedError(`the hash chain is broken at ${nameOf(event)}: ${broken}`);
      }
      await writer.event(event);
      events += 1;
    }
    onProgress(page.at(-1)?.position ?? null, head, events);
  }
}
