import { Metrics } from './metrics.js';

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
});
