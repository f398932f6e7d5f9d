import { Webhook } from 'standardwebhooks';
import type { Pseudonyms } from '../../pseudonyms/pseudonyms.js';
import type { Endpoint } from './endpoint.js';
import type { EndpointRepository, SigningEndpoint } from './endpoint.repository.js';
import { bodyOf, CLOUD_EVENT, type KeptMessage, type Sending } from './envelope.js';
import { RefusedMessageError, type SendOptions, send } from './send.js';

export interface MessageSenderOptions extends Pick<SendOptions, 'addresses' | 'resolve' | 'withinMs'> {
  readonly endpoints: EndpointRepository;
  /** Puts user ids in place of what stands for them inside; `null` or left out: they are the same inside. */
  readonly pseudonyms?: Pick<Pseudonyms, 'reveal' | 'userIdsOf'> | null;
  /** Version of this code, for receivers' logs. */
  readonly version: string;
}

/** How one try to send went. `answered` is the receiver's status, `null` where none came. */
export interface TestOutcome {
  readonly delivered: boolean;
  readonly answered: number | null;
  readonly failure: string | null;
  readonly milliseconds: number;
}

/** Signs messages by Standard Webhooks 1.0 and sends them. */
export class MessageSender {
  constructor(private readonly options: MessageSenderOptions) {}

  /** Where messages may go. */
  get addresses(): SendOptions['addresses'] {
    return this.options.addresses;
  }

  /** Whether a message is about a user who was erased since: nobody is told of them any more. */
  async isAboutErased({ subject }: KeptMessage): Promise<boolean> {
    const { pseudonyms = null } = this.options;
    if (pseudonyms === null || subject === undefined) return false;
    return (await pseudonyms.userIdsOf([subject])).size === 0;
  }

  /** Sends a message; comes back when it was taken. @throws as `send` */
  async send(
    { url, secrets }: Pick<SigningEndpoint, 'url' | 'secrets'>,
    message: KeptMessage,
    sending: Sending,
    signal: AbortSignal,
  ): Promise<number> {
    const { endpoints: _, version, pseudonyms = null, ...rest } = this.options;
    const kept = bodyOf(message, sending);
    const body = pseudonyms === null ? kept : await pseudonyms.reveal(kept, inJson);
    const at = new Date();
    const signatures = secrets.map((secret) => new Webhook(secret).sign(message.id, at, body));
    const headers = {
      'content-type': CLOUD_EVENT,
      'user-agent': `tenure/${version}`,
      'webhook-id': message.id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': signatures.join(' '),
    };
    return send({ url, headers, body }, { ...rest, signal });
  }

  /** Sends a message once and says how that went. */
  async test({ id }: Endpoint, message: KeptMessage): Promise<TestOutcome> {
    const began = performance.now();
    const took = (): number => Math.round(performance.now() - began);
    const sending = { gapAfter: null, replayed: false };
    try {
      const endpoint = await this.options.endpoints.findSigning(id);
      if (endpoint === null) throw new Error('the endpoint was removed');
      const answered = await this.send(endpoint, message, sending, new AbortController().signal);
      return { delivered: true, answered, failure: null, milliseconds: took() };
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      const answered = error instanceof RefusedMessageError ? error.status : null;
      return { delivered: false, answered, failure, milliseconds: took() };
    }
  }
}

/** As it stands between the quotes of a JSON text. */
function inJson(userId: string): string {
  return JSON.stringify(userId).slice(1, -1);
}
