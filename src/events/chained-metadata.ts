import { z } from 'zod';
import { canonicalJson, NotCanonicalError } from './canonical-json.js';

/** What a chain needs of an event's metadata, of any schema version. */
export interface ChainedMetadata {
  readonly prevHash: string;
  readonly hash: string;
  readonly stripeEventId: string | null;
  /** Its canonical text without the hash, as it was hashed. */
  readonly unhashed: string;
}

const chained = z.looseObject({
  prevHash: z.string(),
  hash: z.string(),
  stripeEventId: z.string().nullable(),
});

/** Text in quotes that JSON writes as it is, and `null`. */
const TEXT = String.raw`"[\x20\x21\x23-\x5b\x5d-\x7e]*"`;
const TEXT_OR_NULL = `(?:null|${TEXT})`;
const HASH = '"[0-9a-f]{64}"';
const NUMBER = String.raw`(?:0|[1-9]\d{0,14})`;

/** Canonical text of metadata as it is nearly always written: in it nothing has to be parsed and written anew to be known for canonical. */
const USUAL = new RegExp(
  [
    String.raw`^(?<before>\{"actor":${TEXT},"apiVersion":${TEXT_OR_NULL},"causationId":${TEXT_OR_NULL},"correlationId":${TEXT},)`,
    `"hash":(?<hash>${HASH}),`,
    `(?<after>"livemode":(?:null|true|false),"prevHash":(?<prevHash>${HASH}),"recordedAt":${TEXT},"schemaVersion":${NUMBER},`,
    String.raw`"stripeCreated":(?:null|${NUMBER}),"stripeEventId":(?<stripeEventId>${TEXT_OR_NULL}),"stripeEventType":${TEXT_OR_NULL}\})$`,
  ].join(''),
);

/** Metadata when its text is canonical JSON and names its links; the hash covers its values, not its spelling. `null`: it is not. */
export function readMetadata(text: string): ChainedMetadata | null {
  const { before, hash, after, prevHash, stripeEventId } = USUAL.exec(text)?.groups ?? {};
  if (before === undefined || hash === undefined || after === undefined || prevHash === undefined) {
    return readAnyMetadata(text);
  }
  return {
    prevHash: prevHash.slice(1, -1),
    hash: hash.slice(1, -1),
    stripeEventId:
      stripeEventId === undefined || stripeEventId === 'null' ? null : stripeEventId.slice(1, -1),
    unhashed: before + after,
  };
}

/** As `readMetadata`, whatever its fields are. */
export function readAnyMetadata(text: string): ChainedMetadata | null {
  try {
    const metadata = chained.parse(JSON.parse(text));
    if (canonicalJson(metadata) !== text) return null;
    const { hash, ...unhashed } = metadata;
    const { prevHash, stripeEventId } = metadata;
    return { prevHash, hash, stripeEventId, unhashed: canonicalJson(unhashed) };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError || error instanceof NotCanonicalError) {
      return null;
    }
    throw error;
  }
}
