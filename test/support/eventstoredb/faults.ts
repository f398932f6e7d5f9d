import grpc from '@grpc/grpc-js';
import { accessDenied, notLeader, unavailable, type WireStatus } from './wire-status.js';

/** When an append's connection is cut: its event is not stored, or stored and not answered. */
export type CutMoment = 'before storing' | 'after storing';

/** Credentials every call must carry. An insecure client sends none, so it is then always denied. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** What a handler can see of any call. */
export interface AnyCall {
  readonly metadata: grpc.Metadata;
  readonly cancelled: boolean;
  getPeer(): string;
}

/** What the server has been told to do wrong. Everything is off until it is set; setting it back ends it. */
export class Faults {
  /** Every call ends with UNAVAILABLE before it does anything. */
  refusing = false;
  /** Work on a request starts this many milliseconds late. */
  delayRequestsMs = 0;
  /** Work is done at once and answered this many milliseconds late. Reads are not answered late. */
  delayAnswersMs = 0;
  /** A repeat of an append that is not indexed yet is dropped, and answered with a timeout after this long. */
  writeTimeoutMs = 2_000;
  /** Calls without these credentials are denied. */
  credentials: Credentials | undefined;
  /** Calls that want the leader are sent to this one. */
  leaderElsewhere: { readonly address: string; readonly port: number } | undefined;
  #cut: { readonly every: number; readonly moment: CutMoment; left: number } | undefined;
  #appends = 0;

  /** Cuts the connection of every `every`-th append from now on, at most `times` times. */
  cutAppends(every: number, moment: CutMoment, times = Number.POSITIVE_INFINITY): void {
    this.#cut = { every, moment, left: times };
    this.#appends = 0;
  }

  stopCutting(): void {
    this.#cut = undefined;
  }

  /** Counts one append and says whether, and when, its connection is cut. */
  nextAppend(): CutMoment | 'never' {
    const cut = this.#cut;
    if (cut === undefined || cut.left === 0) return 'never';
    this.#appends += 1;
    if (this.#appends % cut.every !== 0) return 'never';
    cut.left -= 1;
    return cut.moment;
  }

  /** Lets a call in now or later, or refuses it. */
  admit(call: AnyCall, enter: () => void, refuse: (status: WireStatus) => void): void {
    const refusal = this.#refusal(call.metadata);
    if (refusal !== undefined) refuse(refusal);
    else if (this.delayRequestsMs === 0) enter();
    else setTimeout(() => call.cancelled || enter(), this.delayRequestsMs).unref();
  }

  /** Sends an answer now or later. */
  answer(send: () => void): void {
    if (this.delayAnswersMs > 0) setTimeout(send, this.delayAnswersMs).unref();
    else send();
  }

  #refusal(metadata: grpc.Metadata): WireStatus | undefined {
    if (this.refusing) return unavailable();
    if (this.credentials !== undefined && !carries(metadata, this.credentials)) return accessDenied();
    if (this.leaderElsewhere !== undefined && metadata.get('requires-leader').includes('true')) {
      return notLeader(this.leaderElsewhere);
    }
    return undefined;
  }
}

function carries(metadata: grpc.Metadata, { username, password }: Credentials): boolean {
  const basic = Buffer.from(`${username}:${password}`).toString('base64');
  return metadata.get('authorization').includes(`Basic ${basic}`);
}
