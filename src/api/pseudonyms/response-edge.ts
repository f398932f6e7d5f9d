import type { RequestListener } from 'node:http';
import { changeText, type OutgoingText } from '../../http/outgoing-text.js';
import type { Pseudonyms } from '../../pseudonyms/pseudonyms.js';

/** What stands as it is in the log, so that its hashes can be checked. */
const AS_LOGGED = /^\/(?:v1\/audit\/events|audit\/log)(?:[/?]|$)/i;

/** Pages of lists name the next one by what stands for a user inside: so it comes back. */
const NEXT = /("next":"(?:[^"\\]|\\.)*")/;

/**
 * The way out of user ids over HTTP (DESIGN 4, "Pseudonyms"): in all text that is answered, streams too, pseudonyms become
 * user ids again.
 */
export function revealing(pseudonyms: Pseudonyms, next: RequestListener): RequestListener {
  const text: OutgoingText = {
    now: (given) => {
      const parts = given
        .split(NEXT)
        .map((part, index) => (index % 2 === 1 ? part : pseudonyms.revealNow(part, inJson)));
      return parts.includes(null) ? null : parts.join('');
    },
    later: async (given) => {
      const parts = given
        .split(NEXT)
        .map((part, index) => (index % 2 === 1 ? part : pseudonyms.reveal(part, inJson)));
      return (await Promise.all(parts)).join('');
    },
  };
  return (request, response) => {
    if (!AS_LOGGED.test(request.url ?? '')) changeText(response, text);
    next(request, response);
  };
}

/**
 * Answers as `next` does, under a request id of its own. One that a caller chose, and that may hold a user id, would be in the
 * log and in traces for good; so this comes before whatever reads it.
 */
export function withOwnRequestId(next: RequestListener): RequestListener {
  return (request, response) => {
    delete request.headers['x-request-id'];
    next(request, response);
  };
}

/** As it stands between the quotes of a JSON text. */
function inJson(userId: string): string {
  return JSON.stringify(userId).slice(1, -1);
}
