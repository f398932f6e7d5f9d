import type { ExportListener, Tracing, TracingSettings } from './tracing.js';

/** Begins to trace. The packages that do it are loaded here and nowhere else: who does not trace pays nothing. */
export async function openTracing(settings: TracingSettings, listener: ExportListener): Promise<Tracing> {
  const { OtlpTracing } = await import('./otlp-tracing.js');
  return new OtlpTracing(settings, listener);
}
