import { NamedError } from '../../observability/named-error.js';
import { FalseProofError } from '../merkle/errors.js';
import { isSignedBy, parseVerifierKey, type VerifierKey } from '../merkle/note-keys.js';
import { type NoteSignature, parseNote, parseSignatures } from '../merkle/signed-note.js';
import type { TileTree } from '../merkle/tile-tree.js';
import { parseWitnessSize, witnessRequest } from '../merkle/witness-request.js';
import { WitnessDisagreesError } from './errors.js';

/** Somebody else who saw a checkpoint and says so: where to ask, and the key of the answer. */
export interface Witness {
  readonly key: VerifierKey;
  readonly url: string;
}

/** A witness does not answer, or refuses. */
export class WitnessUnavailableError extends NamedError {
  readonly code = 'audit_witness_unavailable';
}

/** What a witness answers where the tree does not begin with what it knows (C2SP tlog-witness: 422 Unprocessable Entity). */
const PROOF_REFUSED = 422;

/** Deadline of one request, in milliseconds. */
const WITHIN_MS = 10_000;

/** Reads a witness: its verifier key, a space, and the address before `/add-checkpoint`. @throws MalformedProofError */
export function parseWitness(text: string): Witness {
  const [key = '', url = ''] = text.split(' ');
  return { key: parseVerifierKey(key), url: url.replace(/\/+$/, '') };
}

/**
 * Asks a witness for its cosignature (C2SP tlog-witness). It is told first that it knows nothing, and answers what it knows.
 * @param tiles the tree of the checkpoint, for the proof that it begins with what the witness knows
 * @throws WitnessUnavailableError, WitnessDisagreesError, FalseProofError where the answer is not signed by the key of the witness
 */
export async function cosignatureOf(
  { key, url }: Witness,
  note: string,
  tiles: TileTree,
): Promise<NoteSignature> {
  const { text } = parseNote(note);
  const first = await ask(url, witnessRequest(0, [], note));
  const answer = first.status === 409 ? await askAgain(url, note, tiles, first.body) : first;
  if (answer.status === PROOF_REFUSED) {
    throw new WitnessDisagreesError(`${key.name} knows another log than the one that it is to sign`);
  }
  if (answer.status !== 200) throw new WitnessUnavailableError(`${key.name} answers ${answer.status}`);
  const signature = parseSignatures(answer.body).find(
    ({ name, id }) => name === key.name && id.equals(key.id),
  );
  if (signature === undefined || !isSignedBy(key, text, signature.signature)) {
    throw new FalseProofError(`${key.name} did not sign the checkpoint`);
  }
  return signature;
}

async function askAgain(url: string, note: string, tiles: TileTree, body: string): Promise<Answer> {
  const known = parseWitnessSize(body);
  if (known > tiles.size)
    throw new WitnessDisagreesError(`${url} knows ${known} events of a log of ${tiles.size}`);
  return ask(url, witnessRequest(known, await tiles.consistency(known), note));
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function ask(url: string, body: string): Promise<Answer> {
  try {
    const signal = AbortSignal.timeout(WITHIN_MS);
    const answer = await fetch(`${url}/add-checkpoint`, { method: 'POST', body, signal });
    return { status: answer.status, body: await answer.text() };
  } catch (error) {
    throw new WitnessUnavailableError(`${url} does not answer`, { cause: error });
  }
}
