import { Metrics } from './metrics.js';
import { watchProjection, watchRebuild } from './watched-gauges.js';

describe('the metrics', () => {
  it('are written as Prometheus text, with cumulative buckets', async () => {
    const metrics = new Metrics();
    metrics.webhook('invoice.paid', 'applied');
    const cell = metrics.requestSeconds.cell({ route: '/x', method: 'GET', status: '200' });
    cell.observe(0.0004);
    cell.observe(0.3);
    const text = await metrics.registry.metrics();
    expect(text).toContain('tenure_webhooks_total{type="invoice.paid",outcome="applied"} 1');
    expect(text).toContain('# TYPE tenure_http_request_duration_seconds histogram');
    expect(text).toMatch(/duration_seconds_bucket\{[^}]*le="0.0005"\} 1/);
    expect(text).toMatch(/duration_seconds_bucket\{[^}]*le="\+Inf"\} 2/);
    expect(text).toMatch(/duration_seconds_count\{[^}]*\} 2/);
  });

  it('show batches by size and time, and what has no value not at all', async () => {
    const metrics = new Metrics();
    metrics.batch({ events: 1, seconds: 0.003 });
    metrics.batch({ events: 400, seconds: 0.2 });
    let faultPosition: number | null = null;
    watchProjection(metrics, () => ({
      position: 7,
      generation: 2,
      lagEvents: 3,
      lagSeconds: 0.5,
      isFaulted: faultPosition !== null,
      isRunning: faultPosition === null,
      faultPosition,
      setAsideStreams: 2,
      faultedUsers: 3,
      faults: 0,
    }));
    let build: { part: number; events: number; eventsPerSecond: number } | null = null;
    let asked = 0;
    watchRebuild(metrics, async () => {
      asked += 1;
      return build;
    });
    const calm = await metrics.registry.metrics();
    expect(calm).toMatch(/^tenure_projection_batch_events_bucket\{le="1"\} 1$/m);
    expect(calm).toMatch(/^tenure_projection_batch_events_sum 401$/m);
    expect(calm).toMatch(/^tenure_projection_batch_duration_seconds_bucket\{le="0.005"\} 1$/m);
    expect(calm).toMatch(/^tenure_projection_batch_duration_seconds_count 2$/m);
    expect(calm).toMatch(/^tenure_projection_generation 2$/m);
    expect(calm).toMatch(/^tenure_projection_lag_events 3$/m);
    expect(calm).not.toMatch(/^tenure_projection_fault_position/m);
    expect(calm).not.toMatch(/^tenure_rebuild_/m);
    expect(asked).toBe(1);

    faultPosition = 8;
    build = { part: 0.25, events: 50, eventsPerSecond: 10 };
    const busy = await metrics.registry.metrics();
    expect(busy).toMatch(/^tenure_projection_fault_position 8$/m);
    expect(busy).toMatch(/^tenure_projection_faulted 1$/m);
    expect(busy).toMatch(/^tenure_rebuild_progress 0.25$/m);
    expect(busy).toMatch(/^tenure_rebuild_events 50$/m);
    expect(busy).toMatch(/^tenure_rebuild_events_per_second 10$/m);

    [faultPosition, build] = [null, null];
    const after = await metrics.registry.metrics();
    expect(after).not.toMatch(/^tenure_(projection_fault_position|rebuild_\w+) /m);
  });
});
