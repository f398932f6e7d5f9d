import type { EventStore } from '../event-store/event-store.js';
import { claimForLog } from '../event-store/log-identity.js';
import { openEventStore } from '../event-store/open-event-store.js';
import { LogWatch, type LogWatchOptions } from '../projections/engine/log-watch.js';
import type { OpenDatabase } from './open-database.js';
import { STEPS, type Starting } from './steps.js';

/** The log of a running service, and the watch whether it is the one that the read models were made from. */
export interface OpenLog {
  readonly store: EventStore;
  readonly logWatch: LogWatch;
}

/** Opens the log where the settings say. The watch begins when it is started. @throws OtherLogError */
export async function openLog(
  { settings, logger, failures, metrics, steps }: Starting,
  { pool, url: databaseUrl }: OpenDatabase,
  hears: Pick<LogWatchOptions, 'readCheckpoint' | 'onForget' | 'onHealed'>,
): Promise<OpenLog> {
  const onFault = (err: unknown): void => failures.trouble('the event store had trouble', err);
  const opening = openEventStore(settings, { pool, databaseUrl, onFault });
  const store = await steps.open(STEPS.eventStore, opening, (opened) => opened.close());
  failures.askWith('event_store_unavailable', () => store.head());
  await steps.take(claimForLog(pool, settings));
  const logWatch = new LogWatch({
    store,
    ...hears,
    onReplaced: ({ handled, end }) =>
      logger.error(
        { handled, end },
        'THE LOG IS NOT THE ONE THAT THE READ MODELS WERE MADE FROM: nothing is written or folded until it is back, ' +
          'or `tenure log adopt` says that this one holds',
      ),
    onHealed: () => {
      logger.warn('the log is the known one again: events are written and folded');
      hears.onHealed?.();
    },
    onTrouble: (err) => failures.trouble('the log could not be looked at and is looked at again', err),
  });
  metrics.watch(
    'tenure_log_replaced',
    '1 while the log is not the one that the read models were made from, and nothing is written.',
    () => Number(logWatch.replaced !== null),
  );
  return { store, logWatch };
}
