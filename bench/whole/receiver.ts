/**
 * Who receives Tenure's outgoing webhooks, a process of its own: verifies each by Standard Webhooks, answers it, and keeps when
 * each version of each user of the load came first.
 */
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { bodyOf, complain } from '../support/rival-server.js';
import { type Arrival, instant, type ReceiverReply, receiverQuestionSchema } from './protocol.js';

const messageSchema = z.looseObject({
  id: z.string(),
  data: z.looseObject({ userId: z.string(), version: z.number() }),
});

let webhook: Webhook | null = null;
let prefix = '';
const ids = new Set<string>();
const sent: Arrival[] = [];
let repeated = 0;
let refused = 0;

const server = createServer(async (request, response) => {
  try {
    const body = await bodyOf(request);
    const at = instant();
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    if (webhook === null) throw new Error('a message came before its secret was known');
    const { id, data } = messageSchema.parse(webhook.verify(body, headers));
    if (ids.has(id)) repeated += 1;
    else {
      ids.add(id);
      if (data.userId.startsWith(prefix)) {
        sent.push({ user: Number(data.userId.slice(prefix.length)), version: data.version, at });
      }
    }
    response.writeHead(204).end();
  } catch (error) {
    refused += 1;
    complain(`the receiver: ${error}`);
    response.writeHead(400, { 'content-length': 0 }).end();
  }
});

process.on('message', (message) => {
  const question = receiverQuestionSchema.parse(message);
  if ('secret' in question) {
    webhook = new Webhook(question.secret);
    prefix = `user_${question.tag}`;
    return;
  }
  tell({ taken: ids.size, repeated, refused, sent: question.ask === 'all' ? sent : [] });
});
process.once('SIGTERM', () => process.exit(0));

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP server');
  tell({ port: address.port });
});

function tell(reply: ReceiverReply): void {
  process.send?.(reply);
}
