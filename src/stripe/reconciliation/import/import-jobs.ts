import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import { inTransaction } from '../../../database/in-transaction.js';
import { ImportUnderWayError } from './errors.js';
import { type ImportItem, importItem } from './import-item.js';
import { IMPORTED_LISTS, type ImportedListName } from './import-pages.js';
import { type ImportReport, importReportSchema } from './import-report.schema.js';
import type { ImportPage } from './list-page.js';

/** What is done once everything is read and reported: record it, or (a dry run) nothing. */
export type ImportAfterwards = 'record' | 'report';

/** An import as it is in the database, whoever runs it. Plain data; times are RFC 3339. */
export interface ImportJob {
  readonly id: string;
  readonly afterwards: ImportAfterwards;
  readonly phase: 'reading' | 'recording' | 'done' | 'failed';
  readonly actor: string;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  /** The list that is, or was last, read, and the last of it; `null` before the first. */
  readonly list: ImportedListName;
  readonly cursor: string | null;
  readonly subscriptions: number;
  readonly purchases: number;
  readonly disputes: number;
  readonly refunds: number;
  /** Early fraud warnings. */
  readonly warnings: number;
  /** Events to be recorded, links included; those recorded so far; those that would have said nothing new. */
  readonly read: number;
  readonly recorded: number;
  readonly unchanged: number;
  /** Objects that were read and cannot be recorded; the report lists them. */
  readonly unusable: number;
  /** By the pace since it began to record; `null` while that is not known. */
  readonly secondsLeft: number | null;
  /** What would hold; `null` until everything is read. */
  readonly report: ImportReport | null;
  /** Why it failed; `null` where it did not. */
  readonly failure: string | null;
}

const jobRow = z.object({
  id: z.string(),
  afterwards: z.enum(['record', 'report']),
  phase: z.enum(['reading', 'recording', 'done', 'failed']),
  actor: z.string(),
  started_at: z.date(),
  finished_at: z.date().nullable(),
  list: z.enum(IMPORTED_LISTS),
  cursor: z.string().nullable(),
  subscriptions: z.number(),
  purchases: z.number(),
  disputes: z.number(),
  refunds: z.number(),
  warnings: z.number(),
  read: z.number(),
  recorded: z.number(),
  unchanged: z.number(),
  unusable: z.number(),
  recording_ms: z.number().nullable(),
  report: z.string().nullable(),
  failure: z.string().nullable(),
});
const COLUMNS = `*, extract(epoch from clock_timestamp() - recording_since)::float8 * 1000 as recording_ms`;
/** What reports that were kept by earlier releases do not say. */
const NOT_SAID = { purchases: {}, unlinkedPurchases: { count: 0, first: [] }, newEvents: null };
/** So many objects that cannot be recorded are listed. */
const FIRST = 100;
const itemRow = z.object({ place: z.string(), body: z.string() });

/** An item with its place. */
export interface StagedItem {
  readonly place: string;
  readonly item: ImportItem;
}

/** The imports in the database, and what they hold of Stripe until it is recorded. */
export class ImportJobs {
  constructor(private readonly pool: Pool) {}

  /** The import that is not over, or else the last one; `null` when there was none. */
  async latest(): Promise<ImportJob | null> {
    const { rows } = await this.pool.query(
      `select ${COLUMNS} from tenure.import_job order by finished_at is null desc, started_at desc, id limit 1`,
    );
    return rows[0] === undefined ? null : toJob(rows[0]);
  }

  /** @throws Error where there is none of this id */
  async find(id: string): Promise<ImportJob> {
    const { rows } = await this.pool.query(`select ${COLUMNS} from tenure.import_job where id = $1`, [id]);
    return toJob(rows[0]);
  }

  /** Begins an import of this id (a UUID) with the links that go before it, unless it was begun before. Nothing is read yet. @throws ImportUnderWayError */
  async begin(
    id: string,
    { afterwards, actor }: Pick<ImportJob, 'afterwards' | 'actor'>,
    links: readonly ImportItem[],
  ): Promise<void> {
    await inTransaction(this.pool, async (client) => {
      const { rowCount } = await client.query(
        `insert into tenure.import_job (id, afterwards, phase, actor) values ($1, $2, 'reading', $3)
         on conflict do nothing`,
        [id, afterwards, actor],
      );
      if (rowCount === 1) return stage(client, id, links);
      const before = await client.query('select from tenure.import_job where id = $1', [id]);
      if (before.rowCount !== 1) throw new ImportUnderWayError();
    });
  }

  /** Keeps what a page of a list holds, and that it was read. */
  async read(id: string, list: ImportedListName, page: Omit<ImportPage, 'hasMore'>): Promise<void> {
    await inTransaction(this.pool, async (client) => {
      await stage(client, id, page.items);
      await client.query(
        `update tenure.import_job set cursor = $2, ${list} = ${list} + $3, unusable = unusable + $4,
           first_unusable = case when unusable < ${FIRST} then first_unusable || $5::jsonb else first_unusable end
         where id = $1`,
        [id, page.last, page.looked, page.unusable.length, JSON.stringify(page.unusable)],
      );
    });
  }

  /** A list is read to its end: another one is read from its beginning. */
  async goOnTo(id: string, list: ImportedListName): Promise<void> {
    await this.pool.query('update tenure.import_job set list = $2, cursor = null where id = $1', [id, list]);
  }

  /** What was read and cannot be recorded: the first of it. */
  async unusable(id: string): Promise<ImportReport['unusableObjects']['first']> {
    const { rows } = await this.pool.query('select first_unusable from tenure.import_job where id = $1', [
      id,
    ]);
    return importReportSchema.shape.unusableObjects.shape.first
      .parse(rows[0]?.first_unusable)
      .slice(0, FIRST);
  }

  /** Up to `limit` items that are not recorded, after the place `after`. */
  async items(id: string, after: string, limit: number): Promise<readonly StagedItem[]> {
    const { rows } = await this.pool.query(
      'select nth::text as place, body from tenure.import_item where job = $1 and nth > $2 order by nth limit $3',
      [id, after, limit],
    );
    return rows.map((row) => {
      const { place, body } = itemRow.parse(row);
      return { place, item: importItem.parse(JSON.parse(body)) };
    });
  }

  /** Everything is read: keeps the report. A dry run ends with it, and lets go of what it read. */
  async reported(id: string, report: ImportReport): Promise<void> {
    await inTransaction(this.pool, async (client) => {
      const { rows } = await client.query(
        `update tenure.import_job set report = $2, recording_since = now(),
           phase = case afterwards when 'record' then 'recording' else 'done' end,
           finished_at = case afterwards when 'record' then null else now() end
         where id = $1 returning phase`,
        [id, JSON.stringify(report)],
      );
      if (rows[0]?.phase === 'done') {
        await client.query('delete from tenure.import_item where job = $1', [id]);
      }
    });
  }

  /** Lets go of items that are recorded, or say nothing new, and counts them. */
  async recorded(
    id: string,
    places: readonly string[],
    counts: { readonly recorded: number; readonly unchanged: number },
  ): Promise<void> {
    await inTransaction(this.pool, async (client) => {
      await client.query('delete from tenure.import_item where job = $1 and nth = any($2::bigint[])', [
        id,
        places,
      ]);
      await client.query(
        'update tenure.import_job set recorded = recorded + $2, unchanged = unchanged + $3 where id = $1',
        [id, counts.recorded, counts.unchanged],
      );
    });
  }

  async end(id: string, phase: 'done' | 'failed', failure: string | null): Promise<void> {
    await inTransaction(this.pool, async (client) => {
      await client.query('delete from tenure.import_item where job = $1', [id]);
      await client.query(
        'update tenure.import_job set phase = $2, failure = $3, finished_at = now() where id = $1',
        [id, phase, failure],
      );
    });
  }
}

async function stage(client: PoolClient, id: string, items: readonly ImportItem[]): Promise<void> {
  if (items.length === 0) return;
  await client.query(
    `insert into tenure.import_item (job, body)
     select $1, body from unnest($2::text[]) with ordinality as each(body, place) order by place`,
    [id, items.map((item) => JSON.stringify(item))],
  );
  await client.query('update tenure.import_job set read = read + $2 where id = $1', [id, items.length]);
}

function toJob(row: unknown): ImportJob {
  const {
    started_at: startedAt,
    finished_at: finishedAt,
    recording_ms: ms,
    report,
    ...job
  } = jobRow.parse(row);
  const handled = job.recorded + job.unchanged;
  const isKnown = job.phase === 'recording' && ms !== null && handled > 0;
  return {
    ...job,
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null,
    secondsLeft: isKnown ? ((job.read - handled) / handled) * (ms / 1_000) : null,
    report: report === null ? null : importReportSchema.parse({ ...NOT_SAID, ...JSON.parse(report) }),
  };
}
