import { parseNumber } from './checkpoint.js';

/** What a witness is asked (C2SP tlog-witness, "add-checkpoint"): the size that it knows, why the new tree begins with that, and the checkpoint. */
export function witnessRequest(oldSize: number, proof: readonly Buffer[], checkpoint: string): string {
  const lines = [`old ${oldSize}`, ...proof.map((hash) => hash.toString('base64'))];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

/** The size that a witness knows, as it answers where it was told another. @throws MalformedProofError */
export function parseWitnessSize(body: string): number {
  return parseNumber(body.replace(/\n$/, ''));
}
