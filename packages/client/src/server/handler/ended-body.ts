/** A body that ends by itself after `ms`, as if it had come to its end; giving it up gives up `source`. */
export function endedAfter(source: ReadableStream<Uint8Array>, ms: number): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  // A source that has failed refuses to be given up; whoever reads next hears of the failure.
  const timer = setTimeout(() => void reader.cancel().catch(() => undefined), ms);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        clearTimeout(timer);
        throw error;
      });
      if (!done) return controller.enqueue(value);
      clearTimeout(timer);
      controller.close();
    },
    cancel(reason) {
      clearTimeout(timer);
      return reader.cancel(reason);
    },
  });
}
