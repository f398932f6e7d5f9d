import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { EventStore, LogTarget } from '../event-store/event-store.js';
import {
  appendSurely,
  brokenBy,
  ChainCheck,
  eventsOf,
  isSameEvent,
  nameOf,
  PAGE_EVENTS,
} from '../event-store/log-transfer.js';
import type { Position, StoredEvent } from '../events/stored-event.js';
import { underLock } from '../projections/rebuild/generation-table.js';
import type { RebuildRuntime } from '../projections/rebuild/rebuild-runtime.js';
import { type BackupAbout, type BackupHeader, type BackupLine } from './backup-format.js';
import { backupLines, readBackupHeader } from './backup-reader.js';
import { BackupFileError, BackupRefusedError } from './errors.js';
import {
  beginRestore,
  dropFirstGeneration,
  endRestore,
  placeEvents,
  restoreUnderWay,
} from './restore-state.js';

/** How far a restore is: events of the step at hand, of so many. */
export interface RestoreProgress {
  readonly step: 'checked' | 'written' | 'folded';
  readonly events: number;
  readonly of: number;
}

/** A file that was read from end to end and is whole. */
export interface CheckedBackup {
  readonly path: string;
  readonly header: BackupHeader;
  readonly about: BackupAbout;
}

export interface RestoreOptions {
  readonly store: LogTarget;
  readonly streamPrefix: string;
  /** Connections for what may take long. */
  readonly pool: Pool;
  readonly rebuilds: Pick<RebuildRuntime, 'serveRestoredLog'>;
  readonly backup: CheckedBackup;
  readonly actor: string;
  readonly onProgress: (progress: RestoreProgress) => void;
  /** Events between two looks at how far it is. */
  readonly pageEvents?: number;
}

export interface RestoreReport extends BackupHeader {
  /** Events that were there from a restore that was broken off. */
  readonly found: number;
  /** The generation that is read, made from the restored log. */
  readonly generation: number;
}

/** "tnrr": the lock of restores, one at a time in a database. */
const RESTORE_LOCK = [0x746e7272, 1] as const;
/** Looks at a log for what was just written there, and the time between two, in milliseconds. */
const LOOKS = 40;
const LOOK_MS = 250;

/**
 * Reads a backup from end to end, and touches nothing else: who restores it opens log and database afterwards.
 * @throws BackupFileError with the place of the first fault, and what the file system answers
 */
export async function checkBackup(
  path: string,
  onProgress: RestoreOptions['onProgress'],
): Promise<CheckedBackup> {
  const header = await readBackupHeader(path);
  let about: BackupAbout | null = null;
  let events = 0;
  for await (const line of backupLines(path, header)) {
    if (line.kind === 'log') about = line.about;
    if (line.kind !== 'event') continue;
    const broken = brokenBy(line.event);
    if (broken !== null) throw new BackupFileError(`${path} is broken at ${nameOf(line.event)}: ${broken}`);
    events += 1;
    if (events % PAGE_EVENTS === 0) onProgress({ step: 'checked', events, of: header.events });
  }
  if (about === null || about.origin !== header.origin) {
    throw new BackupFileError(`${path} is broken: its header is of another backup`);
  }
  return { path, header, about };
}

/**
 * Brings a log, and what was not in it, back from a file into an empty log and an empty database, of either kind. The file
 * was checked before (`checkBackup`), the chain of every stream while it is, and what the log then holds is read
 * back and compared. Positions are those of the new log: kept rows that tell of an event are given its new one. At the end
 * the log is folded into a new generation that is read from then on; versions, offsets and the revocation feed go on where
 * they were. Killed at any time, the same restore goes on; until it has ended no service starts on it.
 * @throws BackupFileError when the file has changed since, BackupRefusedError when log or database are not empty, and what
 * the store, the database and the file system answer
 */
export async function restore(options: RestoreOptions): Promise<RestoreReport> {
  const { pool, backup, streamPrefix, onProgress } = options;
  const { header, about } = backup;
  if (about.streamPrefix !== streamPrefix) {
    throw new BackupRefusedError(
      `streams of the backup begin with "${about.streamPrefix}", STREAM_PREFIX says "${streamPrefix}"`,
    );
  }
  return underLock(pool, RESTORE_LOCK, async () => {
    await beginOrGoOn(options);
    const found = await writeEvents(options);
    const generation = await options.rebuilds.serveRestoredLog({
      actor: options.actor,
      reason: `restored from the backup of ${about.takenAt}`,
      onProgress: (_handled, _until, events) => onProgress({ step: 'folded', events, of: header.events }),
      onServed: endRestore,
    });
    await dropFirstGeneration(pool);
    return { ...header, found, generation };
  });
}

async function beginOrGoOn({ store, pool, backup }: RestoreOptions): Promise<void> {
  const { path, header, about } = backup;
  const underWay = await restoreUnderWay(pool);
  if (underWay === header.sha256) return;
  if (underWay !== null) {
    throw new BackupRefusedError(
      'the restore of another backup has not ended here: give this one an empty database',
    );
  }
  if ((await store.head()) !== null) throw new BackupRefusedError('the log is not empty');
  await beginRestore(pool, header.sha256, about, backupLines(path, header));
}

/** Appends what the log lacks of the backup, compares what it has, and notes positions. Answers how many it had. */
async function writeEvents(options: RestoreOptions): Promise<number> {
  const { store, pool, backup, onProgress, pageEvents = PAGE_EVENTS } = options;
  const { path, header } = backup;
  const chains = new ChainCheck(store);
  const there = eventsOf(store);
  let isAtEnd = false;
  let [found, events] = [0, 0];
  let last: Position | null = null;
  for await (const page of eventPages(backupLines(path, header), pageEvents)) {
    const placed: { id: string; before: string; position: string }[] = [];
    const missing: StoredEvent[] = [];
    for (const event of page) {
      const broken = await chains.follow(event);
      if (broken !== null) throw new BackupFileError(`${path} is broken at ${nameOf(event)}: ${broken}`);
      const same = isAtEnd ? undefined : (await there.next()).value;
      if (same === undefined) {
        isAtEnd = true;
        missing.push(event);
        continue;
      }
      expectSame(event, same);
      found += 1;
      last = same.position;
      placed.push({ id: event.id, before: event.position, position: same.position });
    }
    await appendSurely(store, missing);
    const written = await readBack(store, last, missing);
    for (const [index, event] of missing.entries()) {
      const position = written[index];
      if (position !== undefined) placed.push({ id: event.id, before: event.position, position });
    }
    last = written.at(-1) ?? last;
    await placeEvents(pool, placed);
    events += page.length;
    onProgress({ step: 'written', events, of: header.events });
  }
  const more = isAtEnd ? undefined : (await there.next()).value;
  if (more !== undefined) {
    throw new BackupRefusedError(`the log goes on where the backup ends: ${nameOf(more)} is not in it`);
  }
  return found;
}

async function* eventPages(
  lines: AsyncIterable<BackupLine>,
  size: number,
): AsyncGenerator<readonly StoredEvent[]> {
  let page: StoredEvent[] = [];
  for await (const line of lines) {
    if (line.kind !== 'event') continue;
    page.push(line.event);
    if (page.length < size) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** The positions of events that were just written after `last`, as the log tells them; each is compared. */
async function readBack(
  store: EventStore,
  last: Position | null,
  wanted: readonly StoredEvent[],
): Promise<readonly Position[]> {
  const positions: Position[] = [];
  let from = last;
  for (let looks = 0; positions.length < wanted.length; ) {
    const { events, scanned } = await store.readAll(from, wanted.length - positions.length);
    for (const event of events) {
      const expected = wanted[positions.length];
      if (expected !== undefined) expectSame(expected, event);
      positions.push(event.position);
    }
    if (scanned === from) {
      looks += 1;
      if (looks === LOOKS) throw new BackupRefusedError('the log does not tell what was just written there');
      await pause(LOOK_MS);
    }
    from = scanned;
  }
  return positions;
}

function expectSame(wanted: StoredEvent, there: StoredEvent): void {
  if (isSameEvent(wanted, there)) return;
  throw new BackupRefusedError(`the log holds ${nameOf(there)} where the backup holds ${nameOf(wanted)}`);
}
