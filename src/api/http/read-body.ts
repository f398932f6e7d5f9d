import type { IncomingMessage } from 'node:http';
import { ProblemError } from './problem.js';

/** Largest body of any route, in bytes (1 MiB). */
export const MAX_BODY_BYTES = 1024 * 1024;

/**
 * Reads a request body as it came, byte for byte.
 * A body over the limit is refused as soon as that is known, without being kept; the connection is then closed, since
 * the rest of it is not read.
 * @throws ProblemError `payload_too_large`, or `invalid_request` when the caller goes away half-way
 */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > MAX_BODY_BYTES) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (): void => {
      request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) {
        stop();
        request.pause();
        reject(tooLarge());
        return;
      }
      chunks.push(chunk);
    };
    const onEnd = (): void => {
      stop();
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size));
    };
    const onGone = (): void => {
      stop();
      reject(new ProblemError('invalid_request', 'The body ended before it was complete.'));
    };
    request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}

function tooLarge(): ProblemError {
  return new ProblemError('payload_too_large', `The limit is ${MAX_BODY_BYTES} bytes.`, {
    connection: 'close',
  });
}
