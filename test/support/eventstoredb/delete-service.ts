import streams from '@eventstore/db-client/generated/streams_pb.js';
import type grpc from '@grpc/grpc-js';
import type { Faults } from './faults.js';
import type { Admission, EventLog } from './log.js';
import { BadRequestError, expectedOf, streamNameOf } from './protocol.js';
import type { Expected } from './records.js';
import { deleteAtWrongVersion, handlerFailed, streamDeleted, type WireStatus } from './wire-status.js';

type DeleteCall = grpc.ServerUnaryCall<
  InstanceType<typeof streams.DeleteReq>,
  InstanceType<typeof streams.DeleteResp>
>;
type TombstoneCall = grpc.ServerUnaryCall<
  InstanceType<typeof streams.TombstoneReq>,
  InstanceType<typeof streams.TombstoneResp>
>;
type DeleteOptions =
  | InstanceType<typeof streams.DeleteReq.Options>
  | InstanceType<typeof streams.TombstoneReq.Options>
  | undefined;

/** The soft delete. */
export function deleteHandler(log: EventLog, faults: Faults) {
  return (call: DeleteCall, callback: grpc.sendUnaryData<InstanceType<typeof streams.DeleteResp>>): void => {
    const succeed = (position: number) => {
      const at = new streams.DeleteResp.Position();
      at.setCommitPosition(String(position));
      at.setPreparePosition(String(position));
      const response = new streams.DeleteResp();
      response.setPosition(at);
      faults.answer(() => callback(null, response));
    };
    const refuse = (status: WireStatus) => callback(status);
    const write = (stream: string, expected: Expected) => log.softDelete(stream, expected);
    faults.admit(call, () => remove(log, call.request.getOptions(), write, succeed, refuse), refuse);
  };
}

/** The delete for good. */
export function tombstoneHandler(log: EventLog, faults: Faults) {
  return (
    call: TombstoneCall,
    callback: grpc.sendUnaryData<InstanceType<typeof streams.TombstoneResp>>,
  ): void => {
    const succeed = (position: number) => {
      const at = new streams.TombstoneResp.Position();
      at.setCommitPosition(String(position));
      at.setPreparePosition(String(position));
      const response = new streams.TombstoneResp();
      response.setPosition(at);
      faults.answer(() => callback(null, response));
    };
    const refuse = (status: WireStatus) => callback(status);
    const write = (stream: string, expected: Expected) => log.tombstone(stream, expected);
    faults.admit(call, () => remove(log, call.request.getOptions(), write, succeed, refuse), refuse);
  };
}

function remove(
  log: EventLog,
  options: DeleteOptions,
  write: (stream: string, expected: Expected) => Admission,
  succeed: (position: number) => void,
  refuse: (status: WireStatus) => void,
): void {
  try {
    if (options === undefined) throw new BadRequestError('nothing to delete');
    const stream = streamNameOf(options.getStreamIdentifier());
    const expected = expectedOf(options, options.getRevision());
    const admission = write(stream, expected);
    if (admission.is === 'written') {
      log.whenIndexed(admission.ordinal, () => succeed(admission.position));
    } else if (admission.is === 'wrong version') {
      refuse(deleteAtWrongVersion(stream, expected, admission.actual));
    } else {
      refuse(admission.is === 'stream deleted' ? streamDeleted(stream) : handlerFailed());
    }
  } catch (error) {
    if (!(error instanceof BadRequestError)) throw error;
    refuse(handlerFailed());
  }
}
