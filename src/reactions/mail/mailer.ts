import { createTransport } from 'nodemailer';
import { z } from 'zod';
import { UselessWorkError } from '../reaction.js';
import type { MailText } from './templates.js';

/** Milliseconds that a mail server may take for a connection, its greeting, and to answer. */
const CONNECT_MS = 10_000;
const SILENT_MS = 20_000;
/** Milliseconds for a mail as a whole: a server that says a little now and then would hold it for ever. */
const SEND_MS = 60_000;

const refusal = z.looseObject({
  code: z.string().optional().catch(undefined),
  responseCode: z.number().optional().catch(undefined),
});

/** Sends mails by SMTP. */
export class Mailer {
  readonly #transport: ReturnType<typeof createTransport>;

  /** `url`: `smtp:` or `smtps:`, with user and password where the server wants them; `withinMs`: what a mail may take as a whole. */
  constructor(
    url: string,
    private readonly from: string,
    private readonly withinMs = SEND_MS,
  ) {
    this.#transport = createTransport({
      url,
      connectionTimeout: CONNECT_MS,
      greetingTimeout: CONNECT_MS,
      socketTimeout: SILENT_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }

  /**
   * Sends a mail; comes back when the server took it. The id makes its `Message-ID`, so a mail that goes out twice can be
   * known by it. `signal` ends it and closes the connection, as the deadline does. What the server said is told by its codes alone: it may quote the address.
   * @throws UselessWorkError where the server refuses for good
   */
  async send(id: string, address: string, mail: MailText, signal: AbortSignal): Promise<void> {
    try {
      await this.#transport.sendMail({
        from: this.from,
        to: { name: '', address },
        ...mail,
        messageId: `<${id}@tenure>`,
        signal: AbortSignal.any([signal, AbortSignal.timeout(this.withinMs)]),
        headers: { 'Auto-Submitted': 'auto-generated' },
      });
    } catch (error) {
      const { code, responseCode } = refusal.parse(error);
      const why = `the mail was not taken: ${code ?? 'no code'}, ${responseCode ?? 'no answer'}`;
      if (responseCode !== undefined && responseCode >= 500 && code !== 'EAUTH')
        throw new UselessWorkError(why);
      throw new Error(why);
    }
  }
}
