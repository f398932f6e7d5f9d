import { backUp } from '../backup/back-up.js';
import { checkBackup, type RestoreProgress, restore } from '../backup/restore.js';
import { openLongPool } from '../database/long-watch.js';
import { logOf } from '../event-store/log-identity.js';
import type { JsonOption } from './arguments.js';
import { countSteps, foldSteps, progressOn } from './progress.js';
import { refusing } from './refusing.js';
import { messageOf, show, type Terminal } from './terminal.js';
import { withLog } from './with-log.js';
import { withReadSide } from './with-read-side.js';

export interface RestoreOptions extends JsonOption {
  readonly actor: string;
}

/** Connections of a backup or a restore: two that hold locks, one that works beside them, and one that looks. */
const POOL_SIZE = 4;

/** `tenure backup`. */
export function backUpTo(terminal: Terminal, path: string, options: JsonOption): Promise<void> {
  return withLog(terminal, 'read', ({ settings, store, databaseUrl }) =>
    withLongPool(terminal, databaseUrl, async (pool) => {
      const [progress, step] = [progressOn(terminal), foldSteps()];
      const {
        format: _,
        version: __,
        ...report
      } = await backUp({
        store,
        streamPrefix: settings.streamPrefix,
        origin: logOf(settings),
        pool,
        path,
        onProgress: (...at) => progress.show(step(...at)),
      }).finally(progress.end);
      const { events, rows, bytes, head, sha256 } = report;
      show(terminal, options, { path, ...report }, [
        `${path}: ${events} events up to ${head ?? 'nothing'}, ${rows} rows, ${bytes} bytes, SHA-256 ${sha256}`,
      ]);
    }),
  );
}

/** `tenure restore`. The file is checked before log and database are opened, which may make one. */
export function restoreFrom(terminal: Terminal, path: string, options: RestoreOptions): Promise<void> {
  return refusing(terminal, async () => {
    const [progress, step] = [progressOn(terminal), countSteps()];
    const onProgress = (at: RestoreProgress): void => progress.show(step(at.step, at.events, at.of));
    const backup = await checkBackup(path, onProgress).finally(progress.end);
    await withReadSide(terminal, 'restore', ({ rebuilds, store, settings, databaseUrl }) =>
      withLongPool(terminal, databaseUrl, async (pool) => {
        const { streamPrefix } = settings;
        const {
          format: _,
          version: __,
          ...report
        } = await restore({
          store,
          streamPrefix,
          pool,
          rebuilds,
          backup,
          actor: options.actor,
          onProgress,
        }).finally(progress.end);
        const { events, rows, found, origin, generation } = report;
        show(terminal, options, { path, ...report }, [
          `${path}, of the log "${origin}": ${events} events (${found} were there) and ${rows} rows; generation ${generation} is read`,
        ]);
      }),
    );
  });
}

async function withLongPool<Result>(
  terminal: Terminal,
  url: string,
  work: (pool: ReturnType<typeof openLongPool>) => Promise<Result>,
): Promise<Result> {
  const pool = openLongPool(url, POOL_SIZE, 'tenure-backup', (error) =>
    terminal.err(`tenure: ${messageOf(error)}\n`),
  );
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}
