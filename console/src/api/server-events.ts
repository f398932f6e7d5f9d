import { EventStreamReader, type StreamEvent } from '../../../packages/client/src/browser/event-stream.js';

/** The events of a body, as they come. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  const events = new EventStreamReader();
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      yield* events.read(piece.value);
    }
  } finally {
    // A body that has failed refuses to be given up; whoever read it has heard of the failure.
    await reader.cancel().catch(() => undefined);
  }
}
