import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { MESSAGE_TYPE_NAMES } from './message-types.js';
import type { Message } from './messages.js';

/** Media type of a message: CloudEvents 1.0, "JSON Event Format", structured mode. */
export const CLOUD_EVENT = 'application/cloudevents+json; charset=utf-8';

/** What messages say that they come from. */
export const SOURCE = '/tenure';

/** A message as it is kept until it is sent: the CloudEvent without what only the sending knows. */
export const keptMessageSchema = z.object({
  specversion: z.literal('1.0'),
  id: z.string(),
  source: z.string(),
  type: z.enum([...MESSAGE_TYPE_NAMES, 'webhook.test']),
  subject: z.string().optional(),
  time: z.string(),
  datacontenttype: z.literal('application/json'),
  data: z.record(z.string(), z.unknown()),
});
export type KeptMessage = z.infer<typeof keptMessageSchema>;

/** What only the sending knows of a message: `gapAfter` is the id of the one before it that was given up. */
export interface Sending {
  readonly gapAfter: string | null;
  readonly replayed: boolean;
}

/** The CloudEvent of a message. */
export function keptMessage(message: Message, source: string): KeptMessage {
  const { id, type, userId, time, cause, position, version, before, snapshot, limit } = message;
  return {
    specversion: '1.0',
    id,
    source,
    type,
    subject: userId,
    time,
    datacontenttype: 'application/json',
    data: {
      userId,
      cause,
      position,
      version,
      before,
      snapshot,
      ...(limit === null ? {} : { limit }),
    },
  };
}

/** A message that says nothing but that an endpoint is reached. */
export function testMessage(endpoint: string): KeptMessage {
  return {
    specversion: '1.0',
    id: randomUUID(),
    source: SOURCE,
    type: 'webhook.test',
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data: { endpoint },
  };
}

/** The text to sign and send. */
export function bodyOf(kept: KeptMessage, { gapAfter, replayed }: Sending): string {
  const data = {
    ...kept.data,
    ...(gapAfter === null ? {} : { gapAfter }),
    ...(replayed ? { replayed } : {}),
  };
  return JSON.stringify({ ...kept, data });
}
