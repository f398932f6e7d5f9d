const MEGABYTE = 1_000_000;

/** What a service tells of its process under `/metrics`: resident memory in MB, asked every second, and processor time. */
export class ProcessWatch {
  newest = 0;
  most = 0;
  readonly #timer: NodeJS.Timeout;
  #isStopped = false;

  constructor(
    private readonly port: number,
    private readonly headers: Readonly<Record<string, string>>,
  ) {
    this.#timer = setInterval(() => {
      this.#look().catch((error: unknown) => {
        if (!this.#isStopped) throw error; // else the process was ending while it was asked
      });
    }, 1_000);
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
  }

  /** Processor seconds that the process took so far, all threads together. */
  async processorSeconds(): Promise<number> {
    return figureIn(await this.#metrics(), 'process_cpu_seconds_total');
  }

  async #look(): Promise<void> {
    this.newest = Math.round(figureIn(await this.#metrics(), 'process_resident_memory_bytes') / MEGABYTE);
    this.most = Math.max(this.most, this.newest);
  }

  async #metrics(): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${this.port}/metrics`, { headers: this.headers });
    return answer.text();
  }
}

function figureIn(metrics: string, name: string): number {
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(metrics)?.[1] ?? 0);
}
