import type { IncomingMessage, ServerResponse } from 'node:http';

/** Where spans go, and which part (0 to 1) of the traces that begin here is kept. */
export interface TracingSettings {
  /** Base address of an OpenTelemetry collector (OTLP over HTTP); `/v1/traces` is added. */
  readonly endpoint: string;
  readonly part: number;
  /** How often spans are sent, in milliseconds; left out: every second. */
  readonly sendEveryMs?: number;
}

/** What is known of an event that leads to its trace. */
export interface TracedEvent {
  readonly id: string;
  readonly type: string;
  readonly correlationId: string;
}

/** Spans, one for each event, that may get spans below them. */
export interface EventSpans {
  /** Records a span below each: begun at `began` (Unix ms) and over now, in vain where there is an error. */
  below(name: string, began: number, error?: unknown): void;
}

/**
 * Follows a delivery from its request to its row. Each event's trace is found from its correlation id alone, so that the fold,
 * in whatever thread, process or instance, adds to the trace of the request.
 */
export interface Tracing {
  /** Runs what answers a request. The span of the request ends when its connection has the answer, or is gone. */
  request(exchange: TracedExchange, answer: () => void): void;
  /** Runs a command in a span, which is named as the command is. */
  command<T>(name: string, correlationId: string, run: () => Promise<T>): Promise<T>;
  /** Runs the append of an event in the span that its fold will be below. */
  append<T>(event: TracedEvent, run: () => Promise<T>): Promise<T>;
  /** Records spans that begun at `began` (Unix ms) and are over now, below the appends of these events. */
  events(name: string, events: readonly TracedEvent[], began: number): EventSpans;
  /** Sends what is left, within two seconds. */
  close(): Promise<void>;
}

/** A request, and what its span is called when it ends: its route's pattern, never its path, which holds ids. */
export interface TracedExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly route: () => string | null;
}

/** Hears how the export of spans goes: `fails` and `works` each when it begins. */
export interface ExportListener {
  fails(error: unknown): void;
  works(): void;
}
