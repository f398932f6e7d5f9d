import { randomUUID } from 'node:crypto';
import { jsonProposal } from './records.js';
import type { EventStoreDbServer } from './server.js';

/** How much of a log is not ours. */
export interface Others {
  /** Appends that are there at once. */
  readonly before: number;
  /** Milliseconds between those that follow. */
  readonly everyMs: number;
}

/**
 * Lets others use the server too: services with streams of their own, the server itself (types and streams with `$`), and
 * another Tenure with the default prefix, whose events no run of ours may take for its own.
 */
export function shareWithOthers(server: EventStoreDbServer, { before, everyMs }: Others): void {
  const append = (stream: string, type: string, json: string): void => {
    server.log.append(stream, 'any', [jsonProposal(randomUUID(), type, json)]);
  };
  let turns = 0;
  const turn = (): void => {
    turns += 1;
    const n = turns % 97;
    append(`billing-${n}`, 'Billed', JSON.stringify({ cents: n }));
    if (turns % 5 === 0)
      append(`tenure.subscription-sub_other${n}`, 'SubscriptionRenewed', '{"of":"others"}');
    if (turns % 7 === 0) append('$stats-127.0.0.1:2113', '$statsCollected', '{}');
    if (turns % 11 === 0) append(`$ce-billing`, '$>', `0@billing-${n}`);
  };
  while (turns < before) turn();
  setInterval(turn, everyMs).unref();
}
