import { Histogram, type MetricObjectWithValues, type MetricValueWithName } from 'prom-client';

/** Upper bounds in seconds. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The observations of one set of label values. */
export class LatencyCell {
  readonly counts = new Float64Array(BOUNDS.length + 1);
  sum = 0;

  /** Notes one duration in seconds. A handful of instructions: a hot route may afford it on every request. */
  observe(seconds: number): void {
    let index = 0;
    while (index < BOUNDS.length && seconds > (BOUNDS[index] ?? 0)) index += 1;
    this.counts[index] = (this.counts[index] ?? 0) + 1;
    this.sum += seconds;
  }
}

/**
 * A Prometheus histogram whose cells are looked up once and then kept by the caller. The library's own hashes the
 * labels at every observation, which costs a hot route more than reading its answer from memory.
 */
export class LatencyHistogram<Label extends string> extends Histogram<Label> {
  private readonly cells = new Map<string, { labels: Record<Label, string>; cell: LatencyCell }>();

  /** A histogram of the library's own with the same name, for everything but the values. */
  private readonly empty: Histogram<Label>;

  constructor(
    private readonly metric: string,
    about: string,
    labelNames: readonly Label[],
  ) {
    const options = {
      name: metric,
      help: about,
      labelNames: [...labelNames],
      buckets: BOUNDS,
      registers: [],
    };
    super(options);
    this.empty = new Histogram(options);
  }

  cell(labels: Record<Label, string>): LatencyCell {
    const key = JSON.stringify(labels);
    const known = this.cells.get(key);
    if (known !== undefined) return known.cell;
    const cell = new LatencyCell();
    this.cells.set(key, { labels, cell });
    return cell;
  }

  override async get(): Promise<MetricObjectWithValues<MetricValueWithName<Label>>> {
    const base = await this.empty.get();
    return { ...base, values: this.values() };
  }

  /** What the registry asks for when it writes text. */
  getForPromString(): Promise<MetricObjectWithValues<MetricValueWithName<Label>>> {
    return this.get();
  }

  private values(): MetricValueWithName<Label>[] {
    const values: MetricValueWithName<Label>[] = [];
    for (const { labels, cell } of this.cells.values()) {
      let total = 0;
      cell.counts.forEach((count, index) => {
        total += count;
        const le = index < BOUNDS.length ? String(BOUNDS[index]) : '+Inf';
        values.push({ metricName: `${this.metric}_bucket`, labels: { ...labels, le }, value: total });
      });
      values.push({ metricName: `${this.metric}_sum`, labels, value: cell.sum });
      values.push({ metricName: `${this.metric}_count`, labels, value: total });
    }
    return values;
  }
}
