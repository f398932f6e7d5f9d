import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { Faults } from './faults.js';
import type { EventLog } from './log.js';
import { BadRequestError, encodeEvent, streamNameOf, streamNotFound } from './protocol.js';
import { pump, type ReadCall, type ReadOptions } from './read-call.js';
import type { LogRecord } from './records.js';
import type { Subscriptions } from './subscriptions.js';
import { handlerFailed, streamDeleted, unexpectedResult, type WireStatus } from './wire-status.js';

/** Where a read of `$all` or of a stream goes: records from `from` on in steps of `step`, while `inside` holds. */
interface Walk {
  readonly from: number;
  readonly step: 1 | -1;
  readonly inside: (place: number) => boolean;
  readonly at: (place: number) => LogRecord | undefined;
}

/** Reads of streams and of `$all`, and the opening of subscriptions: one method for all of them. */
export function readHandler(log: EventLog, faults: Faults, subscriptions: Subscriptions) {
  return (call: ReadCall): void => {
    const refuse = (status: WireStatus) => call.emit('error', status);
    const enter = () => {
      try {
        const options = call.request.getOptions();
        if (options === undefined) throw new BadRequestError('nothing to read');
        if (options.hasSubscription()) subscriptions.open(call, options);
        else if (options.hasAll()) readAll(log, call, options);
        else readStream(log, call, options);
      } catch (error) {
        if (!(error instanceof BadRequestError)) throw error;
        refuse(handlerFailed());
      }
    };
    faults.admit(call, enter, refuse);
  };
}

function readStream(log: EventLog, call: ReadCall, options: ReadOptions): void {
  const from = options.getStream();
  const name = streamNameOf(from?.getStreamIdentifier());
  const view = log.view(name);
  if (view.is === 'deleted') {
    call.emit('error', streamDeleted(name));
    return;
  }
  if (view.is === 'missing') {
    pump(call, once(streamNotFound(name)));
    return;
  }
  const backwards = isBackwards(options);
  const fromEnd = from?.hasEnd() === true;
  if (options.getCount() === '0' || (fromEnd && !backwards)) {
    call.emit('error', unexpectedResult('ReadStreamResult'));
    return;
  }
  const asked = fromEnd ? view.last : from?.hasStart() === true ? 0 : Number(from?.getRevision());
  walk(log, call, options, {
    from: backwards ? Math.min(asked, view.last) : Math.max(asked, view.first),
    step: backwards ? -1 : 1,
    inside: (place) => place >= view.first && place <= view.last,
    at: (place) => view.records[place],
  });
}

function readAll(log: EventLog, call: ReadCall, options: ReadOptions): void {
  const from = startOfAll(log, options);
  if (from === 'between' || options.getCount() === '0') {
    call.emit('error', unexpectedResult('ReadAllResult'));
    return;
  }
  if (from === 'impossible') {
    call.emit('error', handlerFailed());
    return;
  }
  const end = log.indexed;
  const backwards = isBackwards(options);
  walk(log, call, options, {
    from: backwards ? Math.min(from, end) - 1 : from,
    step: backwards ? -1 : 1,
    inside: (place) => place >= 0 && place < end,
    at: (place) => log.at(place),
  });
}

/** Ordinal at which a read of `$all` starts. The commit position decides; a prepare behind it is impossible. */
export function startOfAll(log: EventLog, options: ReadOptions): number | 'between' | 'impossible' {
  const all = options.getAll();
  if (all?.hasEnd() === true) return log.indexed;
  const position = all?.getPosition();
  if (position === undefined) return 0;
  const commit = Number(position.getCommitPosition());
  if (Number(position.getPreparePosition()) > commit) return 'impossible';
  if (commit === 0) return 0;
  const ordinal = log.ordinalOf(commit);
  return ordinal === 'beyond' ? log.indexed : ordinal;
}

function walk(log: EventLog, call: ReadCall, options: ReadOptions, { from, step, inside, at }: Walk): void {
  const links = options.getResolveLinks() ? 'resolve' : 'leave';
  let left = Number(options.getCount());
  let place = from;
  pump(call, () => {
    if (left === 0 || !inside(place)) return undefined;
    const record = at(place);
    left -= 1;
    place += step;
    return record && encodeEvent(log, record, links);
  });
}

function isBackwards(options: ReadOptions): boolean {
  return options.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS;
}

function once<T>(value: T): () => T | undefined {
  let given = false;
  return () => {
    if (given) return undefined;
    given = true;
    return value;
  };
}
