import { randomUUID } from 'node:crypto';
import { GOLDEN_EVENTS } from '../../test/support/golden-events.js';
import type { SampleEvent } from './log-under-test.js';

const GOLDEN = 'SubscriptionRenewed.v1';

/** A renewal as Tenure stores one, 1.5 KB with its metadata, under an id of its own. */
export function sampleEvent(): SampleEvent {
  return { ...content, id: randomUUID() };
}

const content = contentOf(GOLDEN);

function contentOf(name: string): Omit<SampleEvent, 'id'> {
  const golden = GOLDEN_EVENTS.find((event) => event.name === name);
  if (golden === undefined) throw new Error(`no golden event ${name}`);
  const { type, data, metadata } = golden.stored;
  return { type, data, metadata };
}
