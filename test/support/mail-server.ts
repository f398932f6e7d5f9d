import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

/** A mail as the server took it: whom the envelope names, and the text as it came. */
export interface ReceivedMail {
  readonly to: readonly string[];
  readonly text: string;
}

/** A mail server on a port of its own. */
export class MailServer {
  readonly mails: ReceivedMail[] = [];

  private constructor(private readonly server: SMTPServer) {}

  static async start(): Promise<MailServer> {
    const server: SMTPServer = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS', 'AUTH'],
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const to = session.envelope.rcptTo.map(({ address }) => address);
          mails.mails.push({ to, text: Buffer.concat(chunks).toString('utf8') });
          done();
        });
      },
    });
    const mails = new MailServer(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return mails;
  }

  /** Settings under which a service sends its mails here. */
  get environment(): Readonly<Record<string, string>> {
    const { port } = this.server.server.address() as AddressInfo;
    return { SMTP_URL: `smtp://127.0.0.1:${port}`, MAIL_FROM: 'Example <billing@example.com>' };
  }

  /** Mails to an address. */
  to(address: string): readonly ReceivedMail[] {
    return this.mails.filter(({ to }) => to.includes(address));
  }

  async close(): Promise<void> {
    await new Promise<void>((done) => this.server.close(done));
  }
}
