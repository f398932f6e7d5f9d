import type { Logger } from '../observability/logger.js';
import { OnceADay } from '../observability/once-a-day.js';

/** Warns once a day that a user id looks like an address of an e-mail (`USER_ID_EMAIL`); the id itself is not shown. */
export function addressesIn(logger: Logger): () => void {
  const told = new OnceADay();
  return () => {
    if (!told.isDue('address')) return;
    logger.warn(
      'a user id looks like an address of an e-mail, which log and tokens keep: ids that say nothing of a person are safer (USER_ID_EMAIL)',
    );
  };
}
