import { type ChildProcess, spawn } from 'node:child_process';
import { createClient } from 'redis';
import { freePort } from './service-process.js';
import { until } from './until.js';

/** A real `redis-server` of a test's own, which can be frozen, filled, emptied and killed. */
export class RedisServer {
  #process: ChildProcess | null = null;

  private constructor(private readonly port: number) {}

  static async start(): Promise<RedisServer> {
    const server = new RedisServer(await freePort());
    await server.begin();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}/3`;
  }

  /** Starts it, empty, unless it runs. */
  async begin(): Promise<void> {
    if (this.#process !== null) return;
    const given = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    this.#process = spawn('redis-server', given, { stdio: 'ignore' });
    await until('redis-server answers', () => this.ask((client) => client.ping()).catch(() => false));
  }

  async ask<T>(question: (client: ReturnType<typeof createClient>) => Promise<T>): Promise<T> {
    const client = createClient({ url: this.url, socket: { reconnectStrategy: false } });
    client.on('error', () => undefined); // told by the question
    try {
      await client.connect();
      return await question(client as ReturnType<typeof createClient>);
    } finally {
      if (client.isOpen) client.destroy();
    }
  }

  /** The names of its keys that match a pattern. */
  keys(pattern: string): Promise<readonly string[]> {
    return this.ask((client) => client.keys(pattern));
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.kill(signal);
  }

  async kill(): Promise<void> {
    const running = this.#process;
    this.#process = null;
    if (running === null || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGCONT');
    running.kill('SIGKILL');
    await ended;
  }
}
