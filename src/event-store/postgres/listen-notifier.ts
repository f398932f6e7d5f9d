import type pg from 'pg';
import { v4 as uuid } from 'uuid';
import { DeadlineClient } from '../../database/deadlines.js';
import { asError } from './pg-session.js';

const CHANNEL = 'tenure_log';

/** Milliseconds between two notifications to other processes, at least. */
const NOTIFY_EVERY_MS = 20;

/** Milliseconds before a lost session is opened again: the first wait, doubled up to the last. */
const FIRST_RECONNECT_MS = 50;
const LAST_RECONNECT_MS = 2_000;

/** Milliseconds to connect, and for LISTEN or NOTIFY to be answered, before the session counts as lost. */
const ANSWER_MS = 3_000;

/** Interval of the session's heartbeat, in milliseconds: a lost session sends no notifications, and nobody misses them. */
const HEARTBEAT_MS = 5_000;

/** An open session that listens; `lose` gives it up and opens another. */
interface Session {
  readonly client: pg.Client;
  readonly lose: (fault: Error) => void;
}

/**
 * Notifies listeners when there may be more to read: at once of appends of this process; of those of others through LISTEN on
 * one session that opens again by itself, and notifies then, because it may have missed some. NOTIFY is sent on that session,
 * apart from the append and throttled, since it would serialise commits. A notification is a hint: whoever needs certainty polls too.
 */
export class ListenNotifier {
  private readonly self = uuid();
  private readonly listeners = new Set<() => void>();
  private session: Session | undefined;
  private connecting: Promise<void> | undefined;
  private closed = false;
  private notifyDue = false;
  private throttle: NodeJS.Timeout | undefined;
  private reconnect: NodeJS.Timeout | undefined;
  private reconnectMs = FIRST_RECONNECT_MS;

  /** `onFault` receives what went wrong with the session or a listener; the notifier carries on by itself. */
  constructor(
    private readonly config: pg.ClientConfig,
    private readonly onFault: (fault: Error) => void,
  ) {}

  /** Calls `listener` from now on; returns the way to stop. */
  listen(listener: () => void): () => void {
    // A wrapper of its own, so that one function given twice is two listeners.
    const own = (): void => listener();
    this.listeners.add(own);
    this.open();
    return () => {
      this.listeners.delete(own);
    };
  }

  /** Notifies this process at once, and the others soon, of an append. */
  appended(): void {
    this.notifyListeners();
    this.notifyDue = true;
    this.open();
    this.notify();
  }

  /** Drops the listeners and ends the session. */
  async close(): Promise<void> {
    this.closed = true;
    this.listeners.clear();
    clearTimeout(this.throttle);
    clearTimeout(this.reconnect);
    await this.connecting;
    const session = this.session;
    this.session = undefined;
    await session?.client.end();
  }

  private open(): void {
    if (this.connecting === undefined && !this.closed) this.connecting = this.connect();
  }

  /** Never rejects: a session that cannot be had is reported and tried again. */
  private async connect(): Promise<void> {
    const client = new DeadlineClient({
      ...this.config,
      application_name: 'tenure-log-notifier',
      connectionTimeoutMillis: ANSWER_MS,
      query_timeout: ANSWER_MS,
      keepAlive: true,
    });
    let isLost = false;
    let heartbeat: NodeJS.Timeout | undefined;
    const lose = (fault: Error): void => {
      if (isLost) return;
      isLost = true;
      clearInterval(heartbeat);
      if (this.session?.client === client) this.session = undefined;
      // A session that failed half-way may still hold a socket.
      client.end().catch(this.onFault);
      if (this.closed) return;
      this.onFault(fault);
      this.reconnect = setTimeout(() => {
        this.connecting = this.connect();
      }, this.reconnectMs);
      this.reconnectMs = Math.min(this.reconnectMs * 2, LAST_RECONNECT_MS);
    };
    client.on('error', lose);
    client.on('end', () => lose(new Error('the session of the notifier ended')));
    client.on('notification', (notification) => {
      if (notification.payload !== this.self) this.notifyListeners();
    });
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
    } catch (thrown) {
      lose(asError(thrown));
    }
    if (isLost) return;
    heartbeat = setInterval(() => {
      client.query('SELECT').catch((thrown: unknown) => lose(asError(thrown)));
    }, HEARTBEAT_MS);
    this.session = { client, lose };
    this.reconnectMs = FIRST_RECONNECT_MS;
    this.notifyListeners();
    this.notify();
  }

  /** Notifies the other processes if something is due, at most once in a while. */
  private notify(): void {
    const session = this.session;
    if (!this.notifyDue || this.throttle !== undefined || session === undefined) return;
    this.notifyDue = false;
    this.throttle = setTimeout(() => {
      this.throttle = undefined;
      this.notify();
    }, NOTIFY_EVERY_MS);
    session.client.query(`SELECT pg_notify('${CHANNEL}', $1)`, [this.self]).catch((thrown: unknown) => {
      this.notifyDue = true;
      session.lose(asError(thrown));
    });
  }

  private notifyListeners(): void {
    for (const listener of this.listeners) {
      try {
        listener();
      } catch (thrown) {
        this.onFault(asError(thrown));
      }
    }
  }
}
