import type streams from '@eventstore/db-client/generated/streams_pb.js';
import type grpc from '@grpc/grpc-js';

/** A read response: a message, or the bytes of one that was encoded before. */
export type ReadFrame = InstanceType<typeof streams.ReadResp> | Uint8Array;

export type ReadCall = grpc.ServerWritableStream<InstanceType<typeof streams.ReadReq>, ReadFrame>;

export type ReadOptions = InstanceType<typeof streams.ReadReq.Options>;

export function serializeFrame(frame: ReadFrame): Buffer {
  return Buffer.from(frame instanceof Uint8Array ? frame : frame.serializeBinary());
}

/** Writes what `next` gives, as fast as the consumer takes it, until it gives nothing; then ends the call. */
export function pump(call: ReadCall, next: () => ReadFrame | undefined): void {
  const go = () => {
    while (!call.cancelled) {
      const frame = next();
      if (frame === undefined) {
        call.end();
        return;
      }
      if (!call.write(frame)) {
        call.once('drain', go);
        return;
      }
    }
  };
  go();
}
