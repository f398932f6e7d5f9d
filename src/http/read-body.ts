import type { IncomingMessage } from 'node:http';
import { ProblemError } from './problem.js';

/** Largest body of any route, in bytes (1 MiB). */
export const MAX_BODY_BYTES = 1024 * 1024;
/**
 * A body over the limit is still read to its end, without being kept, up to this size: a sender that is cut off in
 * the middle sees a broken connection instead of the answer.
 */
const MAX_DISCARDED_BYTES = 16 * 1024 * 1024;

/**
 * Reads a request body as it came, byte for byte.
 * @throws ProblemError `payload_too_large`, or `invalid_request` when the caller goes away half-way
 */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (): void => {
      request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size <= MAX_BODY_BYTES) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      if (size > MAX_DISCARDED_BYTES) {
        stop();
        request.pause();
        reject(tooLarge({ connection: 'close' }));
      }
    };
    const onEnd = (): void => {
      stop();
      if (size > MAX_BODY_BYTES) {
        reject(tooLarge({}));
        return;
      }
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

function tooLarge(headers: Readonly<Record<string, string>>): ProblemError {
  return new ProblemError('payload_too_large', `The limit is ${MAX_BODY_BYTES} bytes.`, headers);
}
