import type { Pool } from 'pg';
import { z } from 'zod';
import { readLiveCheckpoint } from '../engine/checkpoint.js';
import { ENTITLEMENTS } from '../entitlements/entitlements.projector.js';

const countsRow = z.object({ judged: z.number(), users: z.number() });

/** The publication of a catalogue that is under way: how many of all users it has judged. */
export interface PublicationUnderWay {
  /** Of its event. */
  readonly position: string;
  readonly judged: number;
  readonly users: number;
}

/** Reads how far publications are. Everyone's rows are counted, and only while one is under way. */
export class PublicationReader {
  constructor(private readonly pool: Pool) {}

  /** Those of the live generation, oldest first; while the first of them goes on, the later ones wait. */
  async underWay(): Promise<readonly PublicationUnderWay[]> {
    const live = await readLiveCheckpoint(this.pool, ENTITLEMENTS);
    const found: PublicationUnderWay[] = [];
    for (const { position } of live?.checkpoint.partialProgress ?? []) {
      // Who has something and no row yet is judged by the first publication of all.
      const { rows } = await this.pool.query(
        `select count(*) filter (where catalog >= $2)::int as judged,
           count(*)::int + (
             select count(distinct owner)::int from tenure.subscription s
             where generation = $1 and owner is not null and not exists (
               select from tenure.user_role u where u.generation = $1 and u.user_id = s.owner)) as users
         from tenure.user_role where generation = $1`,
        [live?.generation, position],
      );
      found.push({ position, ...countsRow.parse(rows[0]) });
    }
    return found;
  }
}
