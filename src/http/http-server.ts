import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { type ProblemCode, ProblemError, problemBody } from './problem.js';
import { problemReply, sendReply } from './reply.js';
import { newRequestId, requestIdOf } from './request-id.js';

/** A sender that dribbles its header or body, or never sends a byte, holds a socket no longer than this. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const CHECK_EVERY_MS = 5_000;
/** Longer than what load balancers keep idle connections for, so that they close first. */
const KEEP_ALIVE_MS = 65_000;
/** What is refused may read the refusal for so long; then its connection is thrown away, whether it closes it or not. */
const LINGER_MS = 1_000;
/**
 * Connections at once; the next are closed as they come. Each holds a descriptor, and a process out of descriptors loses its
 * database too. Ten times what a thousand open streams and a busy load balancer need.
 */
const MOST_CONNECTIONS = 10_000;
/** Requests of one connection under way at once. Nobody who means well sends a request before the last answer, but for a few. */
const MOST_UNDER_WAY = 16;

/** Requests under way at a stop have this long to finish. */
const FINISH_WITHIN_MS = 5_000;
const CLOSE_IDLE_EVERY_MS = 20;

/** The server of the service; requests that are not HTTP, too big or too slow are answered as problems too. */
export function httpServer(listener: RequestListener): Server {
  const options = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_EVERY_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // A request without a body has no stream to be ended and closed, from Node 24.10 on. Nobody here waits for either.
    optimizeEmptyRequests: true,
  };
  const server = createServer(options, boundedPipeline(listener));
  server.maxConnections = MOST_CONNECTIONS;
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
    refuse(error.code ?? '', socket),
  );
  return server;
}

/** What came on one connection before everything before it was answered. */
class Pipeline {
  waiting = 0;
  isEnding = false;
  readonly ended = (): void => {
    this.waiting -= 1;
  };
}

const PIPELINE = Symbol('requests behind others');
interface BoundedSocket extends Socket {
  [PIPELINE]?: Pipeline;
}

/**
 * Node hands over all requests of a chunk at once, a thousand in 64 KiB: one connection could take the process for seconds.
 * Those beyond the bound are not begun: the first of them is refused and ends the connection once the others are answered.
 * A response that has the socket has nothing before it, and costs no listener.
 */
function boundedPipeline(listener: RequestListener): RequestListener {
  return (request, response) => {
    if (response.socket !== null) return listener(request, response);
    const { socket }: { socket: BoundedSocket } = request;
    socket[PIPELINE] ??= new Pipeline();
    const connection = socket[PIPELINE];
    if (connection.isEnding) return;
    if (connection.waiting >= MOST_UNDER_WAY - 1) {
      connection.isEnding = true;
      socket.pause();
      const problem = new ProblemError('too_many_requests', 'Wait for answers before you send more.', {
        connection: 'close',
      });
      const requestId = requestIdOf(request);
      sendReply(response, problemReply(problem, requestId), requestId);
      return;
    }
    connection.waiting += 1;
    response.on('close', connection.ended);
    listener(request, response);
  };
}

/** Listens on `port` (0: any that is free) and tells which one it is. */
export function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(address === null || typeof address === 'string' ? port : address.port);
    });
  });
}

/** Takes no more connections, lets requests under way finish, and ends connections as they become idle. */
export async function stopListening(server: Server): Promise<void> {
  const idle = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS);
  const late = setTimeout(() => server.closeAllConnections(), FINISH_WITHIN_MS);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  clearInterval(idle);
  clearTimeout(late);
}

function refuse(fault: string, socket: Socket): void {
  if (!socket.writable || fault === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const problem = new ProblemError(codeOf(fault), 'The connection is closed.');
  const requestId = newRequestId();
  const body = JSON.stringify(problemBody(problem, requestId));
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\ncontent-type: application/problem+json; charset=utf-8\r\n` +
      `x-request-id: ${requestId}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  // Ended is not closed: the other side may keep its half open for ever.
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

function codeOf(fault: string): ProblemCode {
  if (fault === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout';
  return fault === 'HPE_HEADER_OVERFLOW' ? 'headers_too_large' : 'invalid_request';
}
