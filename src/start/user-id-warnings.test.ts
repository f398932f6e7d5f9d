import { createLogger } from '../observability/logger.js';
import { addressesIn } from './user-id-warnings.js';

it('That a user id looks like an address of an e-mail is said once a day, without the id', () => {
  const lines: string[] = [];
  const found = addressesIn(createLogger('warn', { write: (line) => lines.push(line) }));
  found();
  found();
  expect(lines).toEqual([expect.stringContaining('USER_ID_EMAIL')]);
});
