import { setTimeout as pause } from 'node:timers/promises';
import type { SealedSecrets } from '../../auth/sealed-secrets.js';
import { type BuildTreeOptions, buildOnce } from './build-tree.js';
import { signCheckpoint } from './sign-checkpoint.js';
import { growingTree } from './tree.repository.js';

export interface TreeKeeperOptions extends BuildTreeOptions {
  readonly secrets: SealedSecrets;
  /** The name of the log in checkpoints; `null`: one by chance. */
  readonly origin: string | null;
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
  #task: Promise<void> | null = null;

  constructor(private readonly options: TreeKeeperOptions) {}

  start(): void {
    this.#task ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#task;
  }

  /** Reads what the log has beyond the tree, and signs a checkpoint of it. @returns whether there is a new one */
  async keepUp(): Promise<boolean> {
    const { pool, origin, now, isLogKnown } = this.options;
    if (!isLogKnown()) return false;
    const tree = await growingTree(pool, origin, now());
    for (;;) {
      const { progress, mayBeMore } = await buildOnce(this.options, tree.tree);
      if (this.#stopping.signal.aborted || !isLogKnown()) return false;
      if (!mayBeMore) return signCheckpoint(this.options, tree, progress.size);
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
