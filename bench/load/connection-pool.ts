import { HttpConnection } from './http-connection.js';

/** Idle connections first, a new one when all are busy: nobody waits for another's answer. */
export class ConnectionPool {
  readonly #idle: HttpConnection[] = [];

  constructor(private readonly port: number) {}

  async fill(count: number): Promise<void> {
    const opened = await Promise.all(Array.from({ length: count }, () => this.#open()));
    this.#idle.push(...opened);
  }

  async send(request: Buffer): Promise<{ status: number; body: string }> {
    let connection = this.#idle.pop();
    while (connection !== undefined && !connection.isOpen) connection = this.#idle.pop();
    connection ??= await this.#open();
    const answer = await connection.send(request);
    this.#idle.push(connection);
    return answer;
  }

  close(): void {
    for (const connection of this.#idle) connection.close();
  }

  #open(): Promise<HttpConnection> {
    return HttpConnection.open('127.0.0.1', this.port);
  }
}
