import { z } from 'zod';
import { deadLetterView } from '../api/ops/webhook-endpoints.views.js';
import { listDeadLetters, replayDeadLetter } from '../reactions/dead-letters.js';
import type { JsonOption } from './arguments.js';
import { EXIT } from './exit-codes.js';
import { withServicePool } from './service-pool.js';
import { show, type Terminal, table } from './terminal.js';

export interface ListOptions extends JsonOption {
  readonly limit: number;
}

const workId = z.guid();

/** `tenure dead-letters list`. */
export async function listLetters(terminal: Terminal, options: ListOptions): Promise<void> {
  const { limit } = options;
  const found = await withServicePool(terminal, 'read', ({ pool }) =>
    listDeadLetters(pool, { after: '0', limit }),
  );
  const deadLetters = found.map(deadLetterView);
  const rows = deadLetters.map(({ id, reaction, group, attempts, deadAt, failure }) => [
    id,
    reaction,
    group,
    String(attempts),
    deadAt,
    failure ?? '-',
  ]);
  const headings = ['ID', 'REACTION', 'FOR', 'TRIES', 'GIVEN UP', 'WHY'];
  show(terminal, options, { deadLetters }, [table(headings, rows)]);
}

/** `tenure dead-letters replay`. */
export async function replayLetters(
  terminal: Terminal,
  ids: readonly string[],
  options: JsonOption,
): Promise<void> {
  await withServicePool(terminal, 'write', async ({ pool }) => {
    const replayed: string[] = [];
    const unknown: string[] = [];
    for (const id of ids) {
      const isDone = workId.safeParse(id).success && (await replayDeadLetter(pool, id));
      (isDone ? replayed : unknown).push(id);
    }
    show(terminal, options, { replayed, unknown }, [
      ...replayed.map((id) => `${id} is tried again`),
      ...unknown.map((id) => `${id} is no dead letter`),
    ]);
    if (unknown.length > 0) terminal.exitWith(EXIT.no);
  });
}
