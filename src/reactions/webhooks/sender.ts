import { Webhook } from 'standardwebhooks';
import type { Endpoint } from './endpoint.js';
import type { EndpointRepository } from './endpoint.repository.js';
import { bodyOf, CLOUD_EVENT, type KeptMessage, type Sending } from './envelope.js';
import { RefusedMessageError, type SendOptions, send } from './send.js';

export interface MessageSenderOptions extends Pick<SendOptions, 'addresses' | 'resolve' | 'withinMs'> {
  readonly endpoints: EndpointRepository;
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

  /** Sends a message; comes back when it was taken. @throws as `send`, and SecretUnreadableError */
  async send(
    { id, url }: Endpoint,
    message: KeptMessage,
    sending: Sending,
    signal: AbortSignal,
  ): Promise<number> {
    const { endpoints, version, ...rest } = this.options;
    const body = bodyOf(message, sending);
    const at = new Date();
    const signatures = (await endpoints.secretsOf(id)).map((secret) =>
      new Webhook(secret).sign(message.id, at, body),
    );
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
  async test(endpoint: Endpoint, message: KeptMessage): Promise<TestOutcome> {
    const began = performance.now();
    const took = (): number => Math.round(performance.now() - began);
    const sending = { gapAfter: null, replayed: false };
    try {
      const answered = await this.send(endpoint, message, sending, new AbortController().signal);
      return { delivered: true, answered, failure: null, milliseconds: took() };
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      const answered = error instanceof RefusedMessageError ? error.status : null;
      return { delivered: false, answered, failure, milliseconds: took() };
    }
  }
}
