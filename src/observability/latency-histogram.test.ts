import { Registry } from 'prom-client';
import { LatencyHistogram } from './latency-histogram.js';

describe('A latency histogram', () => {
  const histogram = new LatencyHistogram('request_seconds', 'Time of a request.', ['route']);
  const registry = new Registry();
  registry.registerMetric(histogram);
  for (const seconds of [0.0001, 0.001, 0.003, 99]) histogram.cell({ route: '/a' }).observe(seconds);
  histogram.cell({ route: '/b' }).observe(0.2);

  it('is written as Prometheus reads it: cumulative buckets, sum and count of each set of labels', async () => {
    const text = await registry.metrics();
    expect(text).toContain('# TYPE request_seconds histogram');
    for (const line of [
      'request_seconds_bucket{route="/a",le="0.0005"} 1',
      'request_seconds_bucket{route="/a",le="0.001"} 2',
      'request_seconds_bucket{route="/a",le="0.0025"} 2',
      'request_seconds_bucket{route="/a",le="0.005"} 3',
      'request_seconds_bucket{route="/a",le="10"} 3',
      'request_seconds_bucket{route="/a",le="+Inf"} 4',
      'request_seconds_count{route="/a"} 4',
      'request_seconds_bucket{route="/b",le="+Inf"} 1',
      'request_seconds_sum{route="/b"} 0.2',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
  });

  it('gives the same figures as values', async () => {
    const [metric] = await registry.getMetricsAsJSON();
    expect(metric).toMatchObject({ name: 'request_seconds', help: 'Time of a request.', type: 'histogram' });
    expect(metric?.values).toHaveLength(2 * 17);
  });
});
