import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

const bodySchema = z.looseObject({
  id: z.string(),
  type: z.string(),
  subject: z.string().optional(),
  data: z.looseObject({
    version: z.number().optional(),
    gapAfter: z.string().optional(),
    replayed: z.boolean().optional(),
    limit: z.object({ key: z.string(), used: z.number(), allowed: z.number() }).optional(),
  }),
});

/** A message as it came: its text and headers, and what it says. */
export interface ReceivedMessage {
  readonly text: string;
  readonly headers: Record<string, string>;
  readonly said: z.infer<typeof bodySchema>;
}

/** A receiver of outgoing webhooks on a port of its own. `answer` says with which status, or not at all (`null`). */
export class WebhookReceiver {
  /** Those that were answered 2xx, in order. */
  readonly taken: ReceivedMessage[] = [];
  /** Every one that came, however it was answered. */
  readonly seen: ReceivedMessage[] = [];
  answer: (said: ReceivedMessage['said']) => number | null = () => 204;
  /** Headers of its replies. */
  headers: Readonly<Record<string, string>> = {};

  private constructor(private readonly server: Server) {
    server.on('request', (request, reply) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const message = {
          text,
          headers: textsOf(request.headers),
          said: bodySchema.parse(JSON.parse(text)),
        };
        this.seen.push(message);
        const status = this.answer(message.said);
        if (status === null) return;
        if (status < 300) this.taken.push(message);
        reply.writeHead(status, this.headers).end();
      });
    });
  }

  static async start(): Promise<WebhookReceiver> {
    const server = createServer();
    const receiver = new WebhookReceiver(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }

  /** Forgets what came, and answers as it should again. */
  clear(): void {
    this.taken.length = 0;
    this.seen.length = 0;
    this.answer = () => 204;
    this.headers = {};
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}

function textsOf(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
