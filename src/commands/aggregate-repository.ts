import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { OutcomeUnknownError, WrongExpectedRevisionError } from '../event-store/errors.js';
import type { AppendResult, EventStore } from '../event-store/event-store.js';
import { streamPages } from '../event-store/stream-pages.js';
import { parseEvent } from '../events/event-envelope.js';
import { currentSchemaVersion, type DomainEvent } from '../events/event-types.js';
import { GENESIS_HASH, type SealedEvent, sealEvent } from '../events/hash-chain.js';
import type { StoredEvent } from '../events/stored-event.js';
import type { Tracing } from '../observability/tracing.js';
import { type Aggregate, type Command, type CommandResult, metadataOf, type Origin } from './aggregate.js';
import { ContentionError } from './errors.js';
import { type Fold, type KeptFolds, keptFolds, type NewestSecond, withSecond } from './kept-folds.js';

export interface AggregateRepositoryOptions {
  /** The setting STREAM_PREFIX. */
  readonly streamPrefix: string;
  /** Writer's clock, Unix milliseconds. */
  readonly now?: () => number;
  /** Follows commands and appends; `null` or left out: nobody does. */
  readonly tracing?: Pick<Tracing, 'command' | 'append'> | null;
  /** Bytes that the folds of streams may take in memory. */
  readonly bytesInMemory?: number;
  /** Sees each event before it is written; throws for one that must not be. */
  readonly checkEvent?: (event: DomainEvent) => void;
  /** Throws, or rejects, when nothing may be written now: asked before every command, also one that adds nothing. */
  readonly mayWrite?: () => Promise<void> | undefined;
}

const MAX_TRIES = 8;
const MAX_REPEATS = 4;
const REPEAT_PAUSE_MS = 100;
/** No repeat begins later than this after the first try: whoever waits, such as Stripe, has given up by then. */
const REPEAT_WITHIN_MS = 10_000;
/** About 9,000 streams of five events. */
const DEFAULT_BYTES = 10_000_000;
/** How long the fold of a long stream may keep the process to itself. */
const TURN_MS = 5;

/**
 * Loads, decides, appends: always at an exact revision, so that the Stripe event id is the idempotence key of its
 * stream (DESIGN 5.1, 5.2). Folds are kept in memory; a stale one is found out by the append itself, which then
 * conflicts. A stream that most likely does not exist yet is tried at "no stream" without a read: deciding from the
 * empty state can never duplicate, because an existing stream conflicts. That there is nothing to add is believed of
 * memory only for a key that is known; else the stream is read to its end first.
 */
export class AggregateRepository<State, Asked extends Command> {
  readonly streamPrefix: string;
  #folds: KeptFolds<State>;
  readonly #queues = new Map<string, Promise<unknown>>();
  readonly #now: () => number;
  readonly #checkEvent: AggregateRepositoryOptions['checkEvent'];
  readonly #mayWrite: () => Promise<void> | undefined;
  readonly #bytesInMemory: number;
  readonly #tracing: Pick<Tracing, 'command' | 'append'> | null;

  constructor(
    private readonly store: EventStore,
    private readonly aggregate: Aggregate<State, Asked>,
    options: AggregateRepositoryOptions,
  ) {
    this.streamPrefix = options.streamPrefix;
    this.#bytesInMemory = options.bytesInMemory ?? DEFAULT_BYTES;
    this.#folds = keptFolds(this.#bytesInMemory);
    this.#mayWrite = options.mayWrite ?? (() => undefined);
    this.#checkEvent = options.checkEvent;
    this.#now = options.now ?? Date.now;
    this.#tracing = options.tracing ?? null;
  }

  /**
   * Executes a command once all earlier ones of this process for the same stream are done.
   * @throws ContentionError, OutcomeUnknownError, EventStoreUnavailableError and what the store refuses
   */
  execute(command: Asked): Promise<CommandResult> {
    if (this.#tracing === null) return this.#inTurn(command);
    const { name } = command.constructor;
    return this.#tracing.command(name, command.origin.correlationId, () => this.#inTurn(command));
  }

  async #inTurn(command: Asked): Promise<CommandResult> {
    const stream = this.aggregate.streamOf(this.streamPrefix, command);
    const before = this.#queues.get(stream);
    const run =
      before === undefined ? this.#run(stream, command) : before.then(() => this.#run(stream, command));
    const settled = run.then(ignore, ignore); // the caller gets the fault; the queue only waits
    this.#queues.set(stream, settled);
    try {
      return await run;
    } finally {
      if (this.#queues.get(stream) === settled) this.#queues.delete(stream);
    }
  }

  /** Drops every fold in memory: the log may have lost what they were made of. Commands under way keep none either. */
  forget(): void {
    this.#folds = keptFolds(this.#bytesInMemory);
  }

  /** The newest second of a stream as of this process' last command for it; `null` where it is not in memory. */
  newestSecond(stream: string): NewestSecond | null {
    return this.#folds.peek(stream)?.newest ?? null;
  }

  /** The state of a stream as it is in the store now. */
  async stateOf(stream: string): Promise<State> {
    const folds = this.#folds;
    const known = folds.get(stream);
    const fold = await this.#readOn(stream, known ?? this.#empty());
    // A command may have ended meanwhile: what it left in memory is newer.
    if (folds.peek(stream) === known) keep(folds, stream, fold);
    return fold.state;
  }

  async #run(stream: string, command: Asked): Promise<CommandResult> {
    const { origin } = command;
    await this.#mayWrite();
    const folds = this.#folds;
    let fold =
      folds.get(stream) ??
      (this.aggregate.expectsNewStream(command)
        ? this.#empty()
        : await this.#load(folds, stream, this.#empty()));
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const [event] = this.aggregate.decide(fold.state, command);
      if (event === undefined) {
        const current = await this.#confirmed(folds, stream, fold, origin);
        if (current.revision === fold.revision) return { outcome: 'duplicate', position: fold.position };
        fold = current;
        continue;
      }
      this.#checkEvent?.(event);
      const sealed = this.#seal(stream, fold, event, origin);
      const appended = await this.#tracedAppend(stream, fold, sealed, origin);
      if (appended !== 'conflict') {
        folds.set(stream, {
          state: this.aggregate.evolve(fold.state, { event, causation: origin.causation }),
          revision: appended.revision,
          hash: sealed.hash,
          position: appended.position,
          newest: withSecond(fold.newest, origin.stripe?.created ?? null),
        });
        return { outcome: 'applied', event: event.type, position: appended.position };
      }
      const loaded = await this.#load(folds, stream, fold);
      // In conflict with a stream that has nothing more: it is not the one in memory.
      fold = loaded.revision === fold.revision ? await this.#load(folds, stream, this.#empty()) : loaded;
    }
    throw new ContentionError(stream, MAX_TRIES);
  }

  /** The fold by which nothing is to be added: itself for a known key, else what the stream holds now. */
  async #confirmed(
    folds: KeptFolds<State>,
    stream: string,
    fold: Fold<State>,
    { causation }: Origin,
  ): Promise<Fold<State>> {
    if (causation !== null && this.aggregate.knows(fold.state, causation)) return fold;
    return this.#load(folds, stream, fold);
  }

  #seal(stream: string, fold: Fold<State>, event: DomainEvent, origin: Origin): SealedEvent {
    return sealEvent({
      ...event,
      stream,
      revision: fold.revision + 1,
      prevHash: fold.hash,
      metadataWithoutHashes: metadataOf(origin, this.#now(), currentSchemaVersion(event.type)),
      idKey: origin.causation ?? `${stream}@${fold.revision + 1}`,
    });
  }

  #tracedAppend(
    stream: string,
    fold: Fold<State>,
    event: SealedEvent,
    { correlationId }: Origin,
  ): Promise<AppendResult | 'conflict'> {
    if (this.#tracing === null) return this.#append(stream, fold, event);
    const { id, type } = event;
    return this.#tracing.append({ id, type, correlationId }, () => this.#append(stream, fold, event));
  }

  /** Appends; while the outcome is unknown, the very same bytes again at the same revision. */
  async #append(stream: string, fold: Fold<State>, event: SealedEvent): Promise<AppendResult | 'conflict'> {
    const expected = fold.revision < 0 ? 'no_stream' : fold.revision;
    const lastRepeat = performance.now() + REPEAT_WITHIN_MS;
    for (let repeats = 0; ; repeats += 1) {
      try {
        const { position } = await this.store.append(stream, expected, [event]);
        return { revision: fold.revision + 1, position };
      } catch (error) {
        if (error instanceof WrongExpectedRevisionError) return 'conflict';
        this.#folds.delete(stream);
        if (!(error instanceof OutcomeUnknownError) || repeats >= MAX_REPEATS) throw error;
        const wait = error.retryAfterMs ?? REPEAT_PAUSE_MS * 2 ** repeats;
        if (performance.now() + wait > lastRepeat) throw error;
        await pause(wait);
      }
    }
  }

  /** What a stream has beyond `known`, folded on and kept in memory. */
  async #load(folds: KeptFolds<State>, stream: string, known: Fold<State>): Promise<Fold<State>> {
    const fold = await this.#readOn(stream, known);
    keep(folds, stream, fold);
    return fold;
  }

  async #readOn(stream: string, known: Fold<State>): Promise<Fold<State>> {
    return (known.revision < 0 ? await this.#byKeys(stream) : null) ?? (await this.#read(stream, known));
  }

  /** The fold of a whole stream by the keys of its events; `null` where it is to be read. */
  async #byKeys(stream: string): Promise<Fold<State> | null> {
    const { byKeys } = this.aggregate;
    if (byKeys === undefined) return null;
    const answer = await this.store.readKeys(stream, byKeys.types);
    if (answer === 'not_by_keys') return null;
    if (answer === 'no_stream') return this.#empty();
    let { state, newest } = this.#empty();
    for (const [causation, stripeCreated] of answer.keys) {
      state = byKeys.evolve(state, causation);
      newest = withSecond(newest, stripeCreated);
    }
    const { revision, hash, position } = answer;
    return { state, revision, hash, position, newest };
  }

  /** Reads what a stream has beyond `known`, page by page, and folds it on, a while at a time: others have the process between. */
  async #read(stream: string, known: Fold<State>): Promise<Fold<State>> {
    let fold = known;
    let until = performance.now() + TURN_MS;
    for await (const page of this.#pagesOf(stream, known.revision + 1)) {
      for (const stored of page) {
        if (performance.now() > until) {
          await nextTurn();
          until = performance.now() + TURN_MS;
        }
        const { metadata, revision, position, ...event } = parseEvent(stored);
        fold = {
          state: this.aggregate.evolve(fold.state, { event, causation: metadata.causationId }),
          revision,
          hash: metadata.hash,
          position,
          newest: withSecond(fold.newest, metadata.stripeCreated),
        };
      }
    }
    return fold;
  }

  /** What a stream has from a revision on; of one whose last event tells all that alone. */
  async *#pagesOf(stream: string, from: number): AsyncGenerator<readonly StoredEvent[], void> {
    if (this.aggregate.lastTellsAll !== true) {
      yield* streamPages(this.store, stream, from);
      return;
    }
    const last = await this.store.readLast(stream);
    if (last !== null && last.revision >= from) yield [last];
  }

  #empty(): Fold<State> {
    return { state: this.aggregate.initial, revision: -1, hash: GENESIS_HASH, position: null, newest: null };
  }
}

function keep<State>(folds: KeptFolds<State>, stream: string, fold: Fold<State>): void {
  if (fold.revision >= 0) folds.set(stream, fold);
}

function ignore(): void {}
