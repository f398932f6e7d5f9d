import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type Attributes,
  type Context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  type IdGenerator,
  ParentBasedSampler,
  RandomIdGenerator,
  SamplingDecision,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { appendSpanOf, readTraceParent, traceOf } from './trace-parent.js';
import type {
  EventSpans,
  ExportListener,
  TracedEvent,
  TracedExchange,
  Tracing,
  TracingSettings,
} from './tracing.js';
import { VERSION } from './version.js';

const SEND_EVERY_MS = 1_000;
const SEND_WITHIN_MS = 5_000;
const CLOSE_WITHIN_MS = 2_000;
/** Spans that wait to be sent; beyond it they are dropped: tracing must never hold up what is traced. */
const MOST_WAITING = 8_192;
const SERVER_ERRORS = 500;

/** Tracing by OpenTelemetry, sent as OTLP over HTTP in JSON. */
export class OtlpTracing implements Tracing {
  readonly #ids = new ForeseenIds();
  readonly #sampler: TraceIdRatioBasedSampler;
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;
  /** The span that the work at hand runs in. */
  readonly #current = new AsyncLocalStorage<Context>();

  constructor({ endpoint, part, sendEveryMs = SEND_EVERY_MS }: TracingSettings, listener: ExportListener) {
    const url = `${endpoint.replace(/\/$/, '')}/v1/traces`;
    const exporter = told(new OTLPTraceExporter({ url, timeoutMillis: SEND_WITHIN_MS }), listener);
    this.#sampler = new TraceIdRatioBasedSampler(part);
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': 'tenure', 'service.version': VERSION }),
      sampler: new ParentBasedSampler({ root: this.#sampler }),
      idGenerator: this.#ids,
      spanProcessors: [
        new BatchSpanProcessor({
          exporter,
          scheduledDelayMillis: sendEveryMs,
          exportTimeoutMillis: SEND_WITHIN_MS,
          maxQueueSize: MOST_WAITING,
        }),
      ],
    });
    this.#tracer = this.#provider.getTracer('tenure', VERSION);
  }

  request({ request, response, requestId, route }: TracedExchange, answer: () => void): void {
    const caller = readTraceParent(request.headers.traceparent);
    const own = traceOf(requestId);
    const parent = caller === null ? null : contextOf(caller.traceId, caller.spanId, caller.isSampled);
    // A request id of the caller's own leads to a trace of its own, which the span points to.
    const links =
      caller === null || caller.traceId === own.traceId ? [] : [{ context: this.#rootOf(requestId) }];
    const method = request.method ?? 'GET';
    const span = this.#start(method, own.traceId, parent, {
      kind: SpanKind.SERVER,
      links,
      attributes: { 'http.request.method': method, 'tenure.correlation_id': requestId },
    });
    response.once('close', () => {
      const pattern = route();
      if (pattern !== null) span.updateName(`${method} ${pattern}`).setAttribute('http.route', pattern);
      span.setAttribute('http.response.status_code', response.statusCode);
      if (response.statusCode >= SERVER_ERRORS) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    });
    this.#current.run(trace.setSpan(ROOT_CONTEXT, span), answer);
  }

  command<T>(name: string, correlationId: string, run: () => Promise<T>): Promise<T> {
    const parent = this.#current.getStore() ?? null;
    const attributes = { 'tenure.correlation_id': correlationId };
    return this.#within(this.#start(name, traceOf(correlationId).traceId, parent, { attributes }), run);
  }

  append<T>({ id, type, correlationId }: TracedEvent, run: () => Promise<T>): Promise<T> {
    const { traceId } = traceOf(correlationId);
    const around = trace.getSpanContext(this.#current.getStore() ?? ROOT_CONTEXT);
    const isInside = around?.traceId === traceId;
    this.#ids.spanId = appendSpanOf(id);
    const span = this.#start('append', traceId, isInside ? (this.#current.getStore() ?? null) : null, {
      kind: SpanKind.PRODUCER,
      links: isInside || around === undefined ? [] : [{ context: around }],
      attributes: attributesOf({ id, type, correlationId }),
    });
    return this.#within(span, run);
  }

  events(name: string, events: readonly TracedEvent[], began: number): EventSpans {
    const ended = Date.now();
    const spans = events.map((event) => {
      const parent = this.#appendOf(event);
      const attributes = { ...attributesOf(event), 'messaging.batch.message_count': events.length };
      const options = { kind: SpanKind.CONSUMER, startTime: began, attributes };
      const span = this.#tracer.startSpan(name, options, parent);
      span.end(ended);
      return trace.setSpan(ROOT_CONTEXT, span);
    });
    return {
      below: (below, belowBegan, error) => {
        const now = Date.now();
        for (const parent of spans) {
          const span = this.#tracer.startSpan(below, { startTime: belowBegan }, parent);
          if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end(now);
        }
      },
    };
  }

  async close(): Promise<void> {
    // What could not be sent was told of when it was tried.
    const sent = this.#provider.shutdown().catch(() => undefined);
    await Promise.race([sent, pause(CLOSE_WITHIN_MS, undefined, { ref: false })]);
  }

  #start(
    name: string,
    traceId: string,
    parent: Context | null,
    options: { readonly kind?: SpanKind; readonly links?: Link[]; readonly attributes: Attributes },
  ): Span {
    this.#ids.traceId = traceId;
    try {
      return this.#tracer.startSpan(name, options, parent ?? ROOT_CONTEXT);
    } finally {
      this.#ids.forget();
    }
  }

  async #within<T>(span: Span, run: () => Promise<T>): Promise<T> {
    try {
      return await this.#current.run(trace.setSpan(ROOT_CONTEXT, span), run);
    } catch (error) {
      // The message may hold what it choked on: it is for the log, which is looked at by fewer.
      span.setStatus({
        code: SpanStatusCode.ERROR,
        message: error instanceof Error ? error.name : 'NonError',
      });
      throw error;
    } finally {
      span.end();
    }
  }

  /** The span in which an event was appended, by whomever: sampled as whoever began its trace decided. */
  #appendOf({ id, correlationId }: TracedEvent): Context {
    const { traceId, isSampled } = traceOf(correlationId);
    return contextOf(traceId, appendSpanOf(id), isSampled ?? this.#isKept(traceId));
  }

  #rootOf(correlationId: string): SpanContext {
    const { traceId } = traceOf(correlationId);
    return { traceId, spanId: appendSpanOf(correlationId), traceFlags: TraceFlags.NONE, isRemote: true };
  }

  #isKept(traceId: string): boolean {
    return this.#sampler.shouldSample(ROOT_CONTEXT, traceId).decision === SamplingDecision.RECORD_AND_SAMPLED;
  }
}

/** Random ids, but for those that are said beforehand of the next span. */
class ForeseenIds implements IdGenerator {
  traceId: string | null = null;
  spanId: string | null = null;
  readonly #random = new RandomIdGenerator();

  generateTraceId(): string {
    return this.traceId ?? this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.spanId ?? this.#random.generateSpanId();
  }

  forget(): void {
    this.traceId = null;
    this.spanId = null;
  }
}

function contextOf(traceId: string, spanId: string, isSampled: boolean): Context {
  const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

function attributesOf({ id, type, correlationId }: TracedEvent): Attributes {
  return { 'tenure.event_id': id, 'tenure.event_type': type, 'tenure.correlation_id': correlationId };
}

/** An exporter whose listener hears when it begins to fail, and when it works again: once each, not with every batch. */
function told(exporter: SpanExporter, listener: ExportListener): SpanExporter {
  let isFailing = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const hasFailed = result.error !== undefined;
        if (hasFailed && !isFailing) listener.fails(result.error);
        if (!hasFailed && isFailing) listener.works();
        isFailing = hasFailed;
        // The processor would report each failure to a handler of the whole process, which says nothing.
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}
