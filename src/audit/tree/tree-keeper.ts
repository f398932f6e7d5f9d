import { setTimeout as pause } from 'node:timers/promises';
import type { SealedSecrets } from '../../auth/sealed-secrets.js';
import { type BuildTreeOptions, buildOnce } from './build-tree.js';
import { MirrorDisagreesError, TreeInconsistentError, WitnessDisagreesError } from './errors.js';
import { gatherCosignatures } from './gather-cosignatures.js';
import { below, type Mirror } from './mirror.js';
import { publishTo } from './publish-mirror.js';
import { PublishedTree } from './published-tree.js';
import { signCheckpoint } from './sign-checkpoint.js';
import { growingTree, type LogTree } from './tree.repository.js';
import type { Witness } from './witness.js';

export interface TreeKeeperOptions extends BuildTreeOptions {
  readonly secrets: SealedSecrets;
  /** The name of the log in checkpoints; `null`: one by chance. */
  readonly origin: string | null;
  /** Where a copy of the tree is kept; `null`: nowhere. */
  readonly mirror: Mirror | null;
  /** Who is asked to sign each checkpoint, too. */
  readonly witnesses: readonly Witness[];
  /** Seconds between two checkpoints. */
  readonly everySeconds: number;
  /** Unix ms. */
  readonly now: () => number;
  /** Hears what came of copying to the mirror and of asking witnesses, where there are any. */
  readonly onOutcome: (what: TreeOutcome) => void;
  readonly onTrouble: (error: unknown) => void;
}

/** The tree was copied, or a witness signed; or that `failed`, or it `disagrees`: the log is not a continuation of what it has. */
export interface TreeOutcome {
  readonly with: 'mirror' | 'witness';
  readonly outcome: 'done' | 'failed' | 'disagrees';
}

/** What the log may turn out to be no continuation of: its last checkpoint and tree, the mirror, what a witness knows. */
type Older = 'tree' | TreeOutcome['with'];

/**
 * Keeps the Merkle tree of the log level with it and signs checkpoints of it (DESIGN 4, 9). Every instance does, and whoever is
 * first writes: what is read, and where, is compared before anything is written.
 */
export class TreeKeeper {
  readonly #stopping = new AbortController();
  readonly #published: PublishedTree;
  readonly #inconsistent = new Set<Older>();
  #task: Promise<void> | null = null;

  constructor(private readonly options: TreeKeeperOptions) {
    this.#published = new PublishedTree(options.pool, 0);
  }

  start(): void {
    this.#task ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#task;
  }

  /**
   * Whether the log, when it was looked at last, was no continuation of what was signed, mirrored or witnessed before: somebody
   * changed it, or what is outside is of another log.
   */
  get isInconsistent(): boolean {
    return this.#inconsistent.size > 0;
  }

  /**
   * Reads what the log has beyond the tree, signs a checkpoint of it, has witnesses sign it and brings the mirror level with it.
   * @returns whether there is a new one
   */
  async keepUp(): Promise<boolean> {
    const { pool, origin, now } = this.options;
    const tree = await growingTree(pool, origin, now());
    const isNew = await this.#noting('tree', () => this.#sign(tree));
    if (isNew === null) return false;
    await this.#gather(tree.tree);
    await this.#mirror(tree.tree);
    return isNew;
  }

  /** `null` where the log is not the known one, or the keeper is to stop. */
  async #sign(tree: LogTree): Promise<boolean | null> {
    for (;;) {
      const built = await buildOnce(this.options, tree.tree);
      if (this.#stopping.signal.aborted || built === null) return null;
      if (!built.mayBeMore) return signCheckpoint(this.options, tree, built.progress.size);
    }
  }

  async #gather(tree: number): Promise<void> {
    const { onOutcome, onTrouble } = this.options;
    const { signed, failures } = await gatherCosignatures(this.options, tree);
    for (let n = 0; n < signed; n += 1) onOutcome({ with: 'witness', outcome: 'done' });
    for (const failure of failures) {
      onOutcome({ with: 'witness', outcome: outcomeOf(failure) });
      onTrouble(failure);
    }
    const isAnother = failures.some((failure) => outcomeOf(failure) === 'disagrees');
    if (isAnother) this.#inconsistent.add('witness');
    else if (failures.length === 0) this.#inconsistent.delete('witness');
  }

  /** The first tree stands at the address of the mirror, others below it, as they do here. */
  async #mirror(tree: number): Promise<void> {
    const { mirror, onOutcome } = this.options;
    if (mirror === null) return;
    const place = tree === 1 ? mirror : below(mirror, `${tree}`);
    try {
      const written = await this.#noting('mirror', () => publishTo(place, this.#published, tree));
      if (written > 0) onOutcome({ with: 'mirror', outcome: 'done' });
    } catch (error) {
      onOutcome({ with: 'mirror', outcome: outcomeOf(error) });
      throw error;
    }
  }

  /** What cannot be done for another reason leaves what is known as it was. */
  async #noting<Result>(older: Older, work: () => Promise<Result>): Promise<Result> {
    try {
      const result = await work();
      if (result !== null) this.#inconsistent.delete(older);
      return result;
    } catch (error) {
      if (outcomeOf(error) === 'disagrees') this.#inconsistent.add(older);
      throw error;
    }
  }

  async #run(): Promise<void> {
    const { everySeconds, onTrouble } = this.options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await pause(everySeconds * 1_000, undefined, { signal }).catch(() => undefined); // it is to stop
      if (!signal.aborted) await this.keepUp().catch(onTrouble);
    }
  }
}

function outcomeOf(error: unknown): 'failed' | 'disagrees' {
  const disagrees =
    error instanceof TreeInconsistentError ||
    error instanceof MirrorDisagreesError ||
    error instanceof WitnessDisagreesError;
  return disagrees ? 'disagrees' : 'failed';
}
