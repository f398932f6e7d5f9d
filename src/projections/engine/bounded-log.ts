import { comparePositions, type Page, type Position } from '../../event-store/event-store.js';
import type { LogPages } from './batch-runner.js';

/** A log that ends at `until` (inclusive; `null` is before the first event), which may be moved on. */
export class BoundedLog implements LogPages {
  until: Position | null = null;

  constructor(private readonly log: LogPages) {}

  async readAll(after: Position | null, limit: number): Promise<Page> {
    const { until } = this;
    if (comparePositions(after, until) >= 0) return { events: [], scanned: after };
    const page = await this.log.readAll(after, limit);
    const events = page.events.filter(({ position }) => comparePositions(position, until) <= 0);
    if (events.length === page.events.length) return page;
    return { events, scanned: events.at(-1)?.position ?? after };
  }
}
