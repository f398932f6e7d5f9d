import { type ClientRequest, get } from 'node:http';

/** One open stream of a user: versions in the order in which they came, when they came, and when their events were made. */
export class EventListener {
  readonly versions: number[] = [];
  /** When each version came, and when its event was made by the clock of its writer, before the commit; Unix ms. */
  readonly came: number[] = [];
  readonly made: number[] = [];
  #request: ClientRequest | null = null;
  #rest = '';

  private constructor() {}

  /** Opens the stream; comes back with its first event. */
  static open(port: number, userId: string, authorization: string): Promise<EventListener> {
    return new Promise((resolve, reject) => {
      const listener = new EventListener();
      const path = `/v1/users/${userId}/entitlements/stream`;
      const options = { port, host: '127.0.0.1', path, headers: { authorization }, agent: false };
      listener.#request = get(options, (response) => {
        if (response.statusCode !== 200) reject(new Error(`a stream was answered ${response.statusCode}`));
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          listener.#take(chunk);
          if (listener.versions.length > 0) resolve(listener);
        });
        response.on('error', reject); // once it is open nobody listens to that any more
      });
      listener.#request.on('error', reject);
    });
  }

  close(): void {
    this.#request?.destroy();
  }

  #take(chunk: string): void {
    const parts = `${this.#rest}${chunk}`.split('\n\n');
    this.#rest = parts.pop() ?? '';
    const now = Date.now();
    for (const part of parts) {
      const version = /"revocationVersion":(\d+)/.exec(part)?.[1];
      if (version === undefined) continue; // a heartbeat, or when to come again
      const changedAt = /"changedAt":"([^"]+)"/.exec(part)?.[1];
      this.versions.push(Number(version));
      this.came.push(now);
      this.made.push(changedAt === undefined ? now : Date.parse(changedAt));
    }
  }
}
