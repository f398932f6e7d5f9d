import { WrongExpectedVersionError } from '@eventstore/db-client';

/** What is seen of an outcome, in the words the recordings use: big integers as `2n`, dates and bytes by their class. */
export function inRecordedWords(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return value.map(inRecordedWords);
  if (value instanceof Error) return errorInWords(value);
  if (value instanceof Date || value instanceof Uint8Array) return value.constructor.name;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .map(([key, field]) => [key, inRecordedWords(field)]),
  );
}

const ERROR_FIELDS = [
  'type',
  'code',
  'message',
  'streamName',
  'expectedVersion',
  'actualVersion',
  'maxAppendSize',
  'errorMessage',
] as const;

/** An error with its class and the fields that were recorded, and what else the recordings say of it. */
function errorInWords(error: Error): Record<string, unknown> {
  const fields = ERROR_FIELDS.map((key) => [key, inRecordedWords(Reflect.get(error, key))]);
  const actual: unknown = Reflect.get(error, 'actualVersion');
  const expected: unknown = Reflect.get(error, 'expectedVersion');
  return {
    class: error.constructor.name,
    ...Object.fromEntries(fields.filter(([, value]) => value !== undefined)),
    instanceofError: true,
    instanceofWEV: error instanceof WrongExpectedVersionError,
    ownKeys: Object.keys(error),
    messageIsEmpty: error.message === '',
    hasStack: error.stack !== undefined,
    typeofActual: typeof actual,
    typeofExpected: typeof expected,
    toString: String(error),
  };
}

/** The value, or the error, in recorded words. */
export async function attempt(work: PromiseLike<unknown>): Promise<unknown> {
  try {
    return inRecordedWords(await work);
  } catch (error) {
    return inRecordedWords(error);
  }
}

/** What an append gave, as the size and delete cases have it: `{success, next}` or the error. */
export async function attemptAppend(
  work: Promise<{ readonly success: boolean; readonly nextExpectedRevision: bigint }>,
): Promise<unknown> {
  return attempt(work.then(({ success, nextExpectedRevision }) => ({ success, next: nextExpectedRevision })));
}

/**
 * Compares with a recording: everything recorded must be there again. The recorded stream name stands for `stream`
 * wherever it occurs, and recorded positions for any position.
 */
export function expectRecorded(actual: unknown, recorded: unknown, stream: string): void {
  const name = recordedName(recorded);
  const translated: unknown = JSON.parse(JSON.stringify(recorded), (key, value: unknown) => {
    if (key === 'commit' || key === 'prepare' || key === 'commitPosition' || key === 'metastreamRevision') {
      return expect.stringMatching(/^\d+n$/);
    }
    return typeof value === 'string' && name !== undefined ? value.replaceAll(name, stream) : value;
  });
  expect({ seen: actual }).toMatchObject({ seen: translated });
}

function recordedName(recorded: unknown): string | undefined {
  const [, name] = /"streamName":"([^"]+)"/.exec(JSON.stringify(recorded) ?? '') ?? [];
  return name?.replace(/^\$\$/, '');
}
