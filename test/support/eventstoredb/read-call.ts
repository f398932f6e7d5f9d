import type streams from '@eventstore/db-client/generated/streams_pb.js';
import grpc from '@grpc/grpc-js';

/** A read response: a message, or the bytes of one that was encoded before. */
export type ReadFrame = InstanceType<typeof streams.ReadResp> | Uint8Array;

/** A read writes several responses at a time; `SplittingCall` sends them one by one. */
export type ReadCall = grpc.ServerWritableStream<InstanceType<typeof streams.ReadReq>, readonly ReadFrame[]>;

export type ReadOptions = InstanceType<typeof streams.ReadReq.Options>;

/** Responses per write of a read. */
const FRAMES_PER_WRITE = 64;

export function serializeFrame(frame: ReadFrame): Buffer {
  return Buffer.from(frame instanceof Uint8Array ? frame : frame.serializeBinary());
}

/** Sends a list as its members. gRPC would wait for the socket after each, which makes reads slow. */
export class SplittingCall extends grpc.ServerInterceptingCall {
  override sendMessage(message: unknown, callback: () => void): void {
    if (!Array.isArray(message)) {
      super.sendMessage(message, callback);
      return;
    }
    const last = message.length - 1;
    message.forEach((one, place) => {
      super.sendMessage(one, place === last ? callback : () => undefined);
    });
  }
}

/** Writes what `next` gives, as fast as the consumer takes it, until it gives nothing; then ends the call. */
export function pump(call: ReadCall, next: () => ReadFrame | undefined): void {
  const go = () => {
    while (!call.cancelled) {
      const frames = take(next);
      const more = frames.length === 0 || call.write(frames);
      if (frames.length < FRAMES_PER_WRITE) {
        call.end();
        return;
      }
      if (!more) {
        call.once('drain', go);
        return;
      }
    }
  };
  go();
}

function take(next: () => ReadFrame | undefined): readonly ReadFrame[] {
  const frames: ReadFrame[] = [];
  while (frames.length < FRAMES_PER_WRITE) {
    const frame = next();
    if (frame === undefined) break;
    frames.push(frame);
  }
  return frames;
}
