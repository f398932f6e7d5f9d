import { setTimeout as pause } from 'node:timers/promises';
import type { SealedSecrets } from '../../auth/sealed-secrets.js';
import { type BuildTreeOptions, buildOnce } from './build-tree.js';
import { gatherCosignatures } from './gather-cosignatures.js';
import { below, type Mirror } from './mirror.js';
import { publishTo } from './publish-mirror.js';
import { PublishedTree } from './published-tree.js';
import { signCheckpoint } from './sign-checkpoint.js';
import { growingTree } from './tree.repository.js';
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
  /** Whether the log is the one that the read models were made from: else nothing is read or signed. */
  readonly isLogKnown: () => boolean;
  readonly onTrouble: (error: unknown) => void;
}

/**
 * Keeps the Merkle tree of the log level with it and signs checkpoints of it (DESIGN 4, 9). Every instance does, and whoever is
 * first writes: what is read, and where, is compared before anything is written.
 */
export class TreeKeeper {
  readonly #stopping = new AbortController();
  readonly #published: PublishedTree;
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
   * Reads what the log has beyond the tree, signs a checkpoint of it, has witnesses sign it and brings the mirror level with it.
   * @returns whether there is a new one
   */
  async keepUp(): Promise<boolean> {
    const { pool, origin, now, isLogKnown } = this.options;
    if (!isLogKnown()) return false;
    const tree = await growingTree(pool, origin, now());
    for (;;) {
      const { progress, mayBeMore } = await buildOnce(this.options, tree.tree);
      if (this.#stopping.signal.aborted || !isLogKnown()) return false;
      if (!mayBeMore) {
        const isNew = await signCheckpoint(this.options, tree, progress.size);
        await gatherCosignatures(this.options, tree.tree);
        await this.#mirror(tree.tree);
        return isNew;
      }
    }
  }

  /** The first tree stands at the address of the mirror, others below it, as they do here. */
  async #mirror(tree: number): Promise<void> {
    const { mirror } = this.options;
    if (mirror === null) return;
    await publishTo(tree === 1 ? mirror : below(mirror, `${tree}`), this.#published, tree);
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
