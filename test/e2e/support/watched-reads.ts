import { createHash } from 'node:crypto';
import { AUTHORIZED } from '../../support/service.js';

/** One answer about one user. `begun` and `ended` are moments of this process, in milliseconds. */
export interface SeenAnswer {
  readonly instance: string;
  readonly userId: string;
  readonly begun: number;
  readonly ended: number;
  /** The text of the snapshot. */
  readonly body: string;
}

/** An answer that was none. */
export interface FailedRead {
  readonly instance: string;
  readonly ended: number;
  readonly why: string;
}

/** What was read in which time, in milliseconds: figures to print. */
export interface ReadTimes {
  readonly reads: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Reads snapshots over HTTP in every way there is, and remembers all answers. */
export class WatchedReads {
  readonly answers: SeenAnswer[] = [];
  readonly failed: FailedRead[] = [];
  /** Entity tags that are not those of the bodies they came with. */
  readonly wrongTags: string[] = [];
  readonly #bodies = new Map<string, string>();
  readonly #lastTag = new Map<string, string>();

  /** @param storedIds what stands for user ids in log and read models: entity tags are of bodies with these */
  constructor(private readonly storedIds: ReadonlyMap<string, string>) {}

  /** `GET …/entitlements`; every other time only if it is not what this instance told before. */
  one(instance: string, userId: string, n: number): Promise<void> {
    return this.#watch(instance, async (begun) => {
      const key = `${instance} ${userId}`;
      const tag = n % 2 === 0 ? this.#lastTag.get(key) : undefined;
      const response = await fetch(`${instance}/v1/users/${encodeURIComponent(userId)}/entitlements`, {
        headers: { ...AUTHORIZED, ...(tag === undefined ? {} : { 'if-none-match': tag }) },
      });
      const text = await response.text();
      const etag = response.headers.get('etag') ?? 'none';
      if (response.status === 304 && etag === tag) {
        this.#note(instance, userId, begun, this.#bodies.get(etag) ?? '');
        return;
      }
      if (response.status !== 200) throw new Error(`${response.status} ${text}`);
      if (etag !== tagOf(this.#inside(userId, text))) this.wrongTags.push(`${etag} ${text}`);
      this.#bodies.set(etag, text);
      this.#lastTag.set(key, etag);
      this.#note(instance, userId, begun, text);
    });
  }

  /** `POST /v1/entitlements/batch`: users as of one moment. */
  many(instance: string, userIds: readonly string[]): Promise<void> {
    return this.#watch(instance, async (begun) => {
      const response = await fetch(`${instance}/v1/entitlements/batch`, {
        method: 'POST',
        headers: { ...AUTHORIZED, 'content-type': 'application/json' },
        body: JSON.stringify({ userIds }),
      });
      const text = await response.text();
      if (response.status !== 200) throw new Error(`${response.status} ${text}`);
      const { entitlements } = JSON.parse(text) as { entitlements: readonly { userId: string }[] };
      for (const snapshot of entitlements) {
        this.#note(instance, snapshot.userId, begun, JSON.stringify(snapshot));
      }
    });
  }

  /** Of the reads begun from `from` on and before `until`. */
  times(from: number, until: number): ReadTimes {
    const found = this.answers.filter(({ begun }) => begun >= from && begun < until);
    const sorted = Float64Array.from(found.map(({ begun, ended }) => ended - begun)).sort();
    const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
    return { reads: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
  }

  async #watch(instance: string, read: (begun: number) => Promise<void>): Promise<void> {
    const begun = performance.now();
    try {
      await read(begun);
    } catch (error) {
      this.failed.push({ instance, ended: performance.now(), why: String(error) });
    }
  }

  #inside(userId: string, body: string): string {
    const [told, stored] = [userId, this.storedIds.get(userId)].map((id) => `"userId":${JSON.stringify(id)}`);
    return body.replace(told ?? '', stored ?? '');
  }

  #note(instance: string, userId: string, begun: number, body: string): void {
    this.answers.push({ instance, userId, begun, ended: performance.now(), body });
  }
}

/** The strong entity tag of a body, as the design says: a hash of it. */
function tagOf(body: string): string {
  return `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
}

/** Whether an answer is of the one or the other world; `neither` is of none, or of both at once. */
export type World = 'old' | 'new' | 'neither';

/**
 * Answers that came from the old world though an earlier answer of the same instance was from the new: `worldOf` tells, and
 * answers `null` where the two are the same.
 */
export function turnedBack(
  answers: readonly SeenAnswer[],
  worldOf: (answer: SeenAnswer) => World | null,
): readonly SeenAnswer[] {
  const worlds = answers.map((answer) => ({ answer, world: worldOf(answer) }));
  const turned = new Map<string, number>();
  for (const { answer, world } of worlds) {
    if (world !== 'new') continue;
    const earliest = turned.get(answer.instance) ?? Number.POSITIVE_INFINITY;
    turned.set(answer.instance, Math.min(earliest, answer.ended));
  }
  return worlds
    .filter(
      ({ answer, world }) =>
        world === 'old' && answer.begun > (turned.get(answer.instance) ?? Number.POSITIVE_INFINITY),
    )
    .map(({ answer }) => answer);
}

/** Pairs of answers of one instance about one user of which the later begun one has the smaller version. */
export function versionsGoneBack(answers: readonly SeenAnswer[]): readonly string[] {
  const byPlace = new Map<string, SeenAnswer[]>();
  for (const answer of answers) {
    const place = `${answer.instance} ${answer.userId}`;
    const own = byPlace.get(place);
    if (own === undefined) byPlace.set(place, [answer]);
    else own.push(answer);
  }
  const back: string[] = [];
  for (const [place, own] of byPlace) {
    const begun = own.map((each) => ({ ...each, version: versionOf(each.body) }));
    const ended = [...begun].sort((a, b) => a.ended - b.ended);
    begun.sort((a, b) => a.begun - b.begun);
    let [most, at] = [0, 0];
    for (const each of begun) {
      for (let before = ended[at]; before !== undefined && before.ended < each.begun; before = ended[at]) {
        most = Math.max(most, before.version);
        at += 1;
      }
      if (each.version < most) back.push(`${place}: ${most}, then ${each.version}`);
    }
  }
  return back;
}

/** Users and versions for which two answers, of whatever instance, allow something else. */
export function accessOfOneVersionDiffers(answers: readonly SeenAnswer[]): readonly string[] {
  const seen = new Map<string, string>();
  const differ = new Set<string>();
  for (const { userId, body } of answers) {
    const { role, plan, status, features, limits, revocationVersion } = JSON.parse(body);
    const access = JSON.stringify([role, plan, status, features, limits]);
    const key = `${userId} ${revocationVersion}`;
    const known = seen.get(key) ?? access;
    seen.set(key, known);
    if (known !== access) differ.add(`${key}: ${known}, ${access}`);
  }
  return [...differ];
}

/** The first of what should not be there: enough to see what is wrong, whatever the number. */
export function few<T>(found: readonly T[]): readonly T[] {
  return found.slice(0, 3);
}

export function versionOf(body: string): number {
  const { revocationVersion } = JSON.parse(body) as { revocationVersion: number };
  return revocationVersion;
}
