import { finished } from 'node:stream';
import { type ChannelCredentialOptions, EventStoreDBClient, UnavailableError } from '@eventstore/db-client';
import grpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type streams from '@eventstore/db-client/generated/streams_pb.js';
import { type ConnectionSettings, readTlsFile } from '../../config/connection-string.js';
import { NoAnswerError, NotSentError } from './faults.js';

/** Milliseconds that gRPC's own deadline gets to speak first, before the timer around the whole call ends it. */
const BACKSTOP_MS = 250;
/** Milliseconds after which a deadline is no deadline: a subscription lives until it is ended. */
const FOR_EVER = Number.POSITIVE_INFINITY;
/** Milliseconds that a channel may take to connect before it is left: gRPC itself would wait for ever. */
const CONNECT_WITHIN_MS = 3_000;
/** gRPC's state of a channel that waits for a connection, and its status of a call whose time was over. */
const CONNECTING = 1;
const DEADLINE_EXCEEDED = 4;

/** A running subscription. `cancel` ends it without calling its listeners. */
export interface Subscription {
  cancel(): void;
}

export interface SubscriptionListener {
  onMessage(message: streams.ReadResp): void;
  /** The subscription is over: by a fault, or `null` when the server just ended it. */
  onEnd(fault: unknown): void;
}

/**
 * The client of one process, with the calls this adapter needs made directly on the service definitions: appends always
 * on the unary path (never the batch stream, whose table of pending appends is global to the process and can hang or end
 * it: README of the measurements, 4), reads with a deadline, and bytes as they are. Channels, discovery of a cluster's
 * leader, reconnection and credentials are the client's own.
 */
export class LogClient extends EventStoreDBClient {
  /** The channel in use: the client closes those it leaves, but never its last. */
  #channel: { close(): void } | null;
  /** When it was first used, on the clock of `performance`. */
  #channelSince: number;

  /** @param onFault receives what went wrong outside of calls, such as a reconnection that failed */
  constructor(settings: ConnectionSettings, onFault: (fault: unknown) => void) {
    const { nodes, credentials, discovery } = settings;
    const options = {
      connectionName: settings.connectionName,
      keepAliveInterval: settings.keepAliveInterval,
      keepAliveTimeout: settings.keepAliveTimeout,
    };
    if (nodes.kind === 'single') {
      super({ ...options, endpoint: nodes.endpoint }, securityOf(settings), credentials ?? undefined);
    } else {
      const endpoints = [...nodes.endpoints];
      super({ ...options, ...discovery, endpoints }, securityOf(settings), credentials ?? undefined);
    }
    this.#channel = null;
    this.#channelSince = performance.now();
    // Nobody waits for the client's reaction to an error: where that fails, the process would end (unhandled rejection).
    const handleError = this.handleError;
    this.handleError = (client, error) => {
      const state = client.getChannel().getConnectivityState(false);
      return handleError(client, this.#isStuck(state, error) ? new UnavailableError() : error).catch(onFault);
    };
    const getChannel = this.getChannel;
    this.getChannel = async () => {
      const channel = await getChannel();
      if (channel !== this.#channel) this.#channelSince = performance.now();
      this.#channel = channel;
      return channel;
    };
  }

  /** Sends one append and waits for its answer, `ms` milliseconds at most in all. */
  async appendOnce(requests: readonly streams.AppendReq[], ms: number): Promise<streams.AppendResp> {
    const limit = new Limit(ms);
    const answer = this.execute(
      grpc.StreamsClient,
      'append',
      (client) =>
        new Promise<streams.AppendResp>((resolve, reject) => {
          limit.begin();
          const call = client.append(...this.#arguments(limit.deadline), (error, response) => {
            if (error !== null) reject(error);
            else if (response === undefined) reject(new NoAnswerError('the server answered nothing'));
            else resolve(response);
          });
          call.on('error', reject);
          for (const request of requests) call.write(request);
          call.end();
        }),
    );
    return limit.hold(answer);
  }

  /**
   * What `take` makes of each message of a read that ends by itself, within `ms` milliseconds; nothing of those of which it
   * makes `null`. Messages are large beside it, so none is kept until the end.
   */
  async readOnce<T>(
    request: streams.ReadReq,
    take: (message: streams.ReadResp) => T | null,
    ms: number,
  ): Promise<readonly T[]> {
    const limit = new Limit(ms);
    const opening = this.GRPCStreamCreator(grpc.StreamsClient, 'read', (client) => {
      limit.begin();
      return client.read(request, ...this.#arguments(limit.deadline));
    })();
    return limit.hold(opening.then((stream) => collect(stream, take)));
  }

  /** Opens a subscription; its end is reported once. */
  subscribe(request: streams.ReadReq, listener: SubscriptionListener): Subscription {
    let cancel: (() => void) | null = null;
    let isOver = false;
    const end = (fault: unknown): void => {
      if (isOver) return;
      isOver = true;
      cancel?.();
      listener.onEnd(fault);
    };
    this.GRPCStreamCreator(grpc.StreamsClient, 'subscribe', (client) =>
      client.read(request, ...this.#arguments(FOR_EVER)),
    )().then((stream) => {
      cancel = () => stream.cancel();
      finished(stream, (fault) => end(fault ?? null));
      stream.on('error', end); // stays: an error after the end has a listener still
      stream.on('data', (message: streams.ReadResp) => {
        if (!isOver) listener.onMessage(message);
      });
      if (isOver) stream.cancel();
    }, end);
    return {
      cancel: () => {
        isOver = true;
        cancel?.();
      },
    };
  }

  /** Ends every stream and connection. Calls under way fail. */
  async shutDown(): Promise<void> {
    await this.dispose();
    this.#channel?.close();
  }

  /**
   * Whether the channel should be left for a new one. A connection that was accepted by a network that is silent stays
   * half made when the network heals: what it asked was lost, and nothing asks again. Left only where a call waited in
   * vain, and not as long as it is young, so that a short deadline does not end every try to connect.
   */
  #isStuck(state: number, error: Error): boolean {
    return (
      state === CONNECTING &&
      Reflect.get(error, 'code') === DEADLINE_EXCEEDED &&
      performance.now() - this.#channelSince > CONNECT_WITHIN_MS
    );
  }

  #arguments(deadline: number) {
    return this.callArguments({ requiresLeader: true }, { deadline });
  }
}

/** The time of one call, from before a channel is looked for to its answer. */
class Limit {
  /** When gRPC ends the call by itself, Unix milliseconds. */
  readonly deadline: number;
  #isOver = false;
  #hasBegun = false;

  constructor(private readonly ms: number) {
    this.deadline = Date.now() + ms;
  }

  /** Said right before the call is sent. @throws NotSentError when its time is over */
  begin(): void {
    if (this.#isOver) throw new NotSentError('no channel to the event store in time');
    this.#hasBegun = true;
  }

  /** The answer, or the fault that it did not come in time. */
  async hold<T>(answer: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#isOver = true;
        reject(
          this.#hasBegun
            ? new NoAnswerError(`no answer from the event store within ${this.ms} ms`)
            : new NotSentError(`no channel to the event store within ${this.ms} ms`),
        );
      }, this.ms + BACKSTOP_MS);
    });
    try {
      return await Promise.race([answer, over]);
    } catch (error) {
      throw this.#hasBegun || error instanceof NotSentError ? error : notSent(error);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What failed before anything was sent, such as the discovery of a cluster. */
function notSent(cause: unknown): NotSentError {
  return new NotSentError(cause instanceof Error ? cause.message : String(cause), { cause });
}

function collect<T>(
  stream: NodeJS.ReadableStream,
  take: (message: streams.ReadResp) => T | null,
): Promise<readonly T[]> {
  return new Promise((resolve, reject) => {
    const taken: T[] = [];
    stream.on('data', (message: streams.ReadResp) => {
      const made = take(message);
      if (made !== null) taken.push(made);
    });
    stream.on('error', reject);
    stream.on('end', () => resolve(taken));
  });
}

function securityOf(settings: ConnectionSettings): ChannelCredentialOptions {
  if (!settings.tls) return { insecure: true };
  const { tlsCaFile, userCertificate } = settings;
  return {
    ...(tlsCaFile === null ? {} : { rootCertificate: readTlsFile(tlsCaFile) }),
    ...(userCertificate === null
      ? {}
      : {
          userCertFile: readTlsFile(userCertificate.certFile),
          userKeyFile: readTlsFile(userCertificate.keyFile),
        }),
    ...(settings.tlsVerifyCert ? {} : { verifyOptions: { rejectUnauthorized: false } }),
  };
}
