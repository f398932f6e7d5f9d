import type { Pool } from 'pg';
import { z } from 'zod';
import { type PlanCatalog, planCatalogSchema } from '../../events/catalog.events.js';

const row = z.object({ catalog: z.string() });

/** The catalogue that is judged by in the live generation; `null` before the first one. */
export async function readCurrentCatalog(pool: Pick<Pool, 'query'>): Promise<PlanCatalog | null> {
  const { rows } = await pool.query(
    `select catalog from tenure.plan_catalog
     where generation = (select generation from tenure.live_generation) order by position desc limit 1`,
  );
  const [last] = z.array(row).parse(rows);
  return last === undefined ? null : planCatalogSchema.parse(JSON.parse(last.catalog));
}
