import { randomBytes } from 'node:crypto';
import { type BulkSource, type MessageType } from './message-types.js';
import type { Message } from './messages.js';
import { addressIn, isPublicAddress } from './public-address.js';

/** Where messages go, and which. */
export interface Endpoint {
  readonly id: string;
  readonly url: string;
  readonly description: string;
  /** `null`: all types, also those that come later. */
  readonly types: readonly MessageType[] | null;
  /** What is sent besides, of what was brought in bulk. */
  readonly bulk: readonly BulkSource[];
  /** `paused`: messages are kept for it, and none is sent. */
  readonly state: 'active' | 'paused';
  readonly createdAt: Date;
  /** Instant until which the secret of before signs beside the new one. */
  readonly rotatedUntil: Date | null;
}

const SECRET_BYTES = 32;

/** A secret as Standard Webhooks has it: `whsec_` and 24 to 64 random bytes in base64. */
export function newSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
}

/** Whether an endpoint is sent a message: it asked for the type, it was there, and for what comes in bulk it asked too. */
export function wants(endpoint: Endpoint, message: Message): boolean {
  const { types, bulk, createdAt } = endpoint;
  if (types !== null && !types.includes(message.type)) return false;
  if (message.knownAt < createdAt.getTime()) return false;
  const { trigger } = message;
  return (trigger !== 'import' && trigger !== 'publication') || bulk.includes(trigger);
}

/** Why nothing can be sent to a URL; `null`: nothing stands against it yet. */
export function faultOfUrl(text: string, addresses: 'public' | 'any'): string | null {
  if (!URL.canParse(text)) return 'url must be an absolute URL.';
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && addresses === 'any')) {
    return addresses === 'any' ? 'url must begin with https: or http:.' : 'url must begin with https:.';
  }
  if (url.username !== '' || url.password !== '' || url.hash !== '') {
    return 'url must have no user, password or fragment.';
  }
  const address = addressIn(url);
  const isLocal = /(^|\.)(localhost|local|internal)\.?$/.test(url.hostname);
  if (addresses === 'public' && (isLocal || (address !== null && !isPublicAddress(address)))) {
    return 'url must be of the public internet (WEBHOOKS_ALLOW_PRIVATE).';
  }
  return null;
}
